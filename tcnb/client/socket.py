"""The WebSocket itself: it hands over all texts of one read together and writes many texts at once;
frames mean nothing here.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket as network
import ssl
import struct
import sys
from collections.abc import Callable, Iterable
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.frames import DATA_OPCODES, Frame
from websockets.protocol import Event, State
from websockets.typing import Subprotocol

from tcnb.client.address import Address
from tcnb.network.http import USER_AGENT
from tcnb.network.proxies import Proxy, proxy_for
from tcnb.secret import without_locals
from tcnb.threads import to_thread
from tcnb.wire import paths, websocket

PEEK_INTERVAL = 2.0
"""Seconds between two reads while reading is paused; a server drops who does not answer its pings for about 20 s."""

KEEPALIVE_IDLE = 15
"""Seconds without traffic before TCP itself probes (`protocol` section 16.1)."""

NEXT_ADDRESS_AFTER = 0.25
"""Seconds after which the next address of a name is tried beside one that does not answer (RFC 8305 names 0.25 s)."""

CLOSE_TIMEOUT = 3.0
"""Seconds within which the other side closes a connection that is at its end; then it is broken."""

MOST_UNSENT = 16 * 2**20
"""Bytes that may wait to be sent when something is read: a server that floods us with pings, and reads none of our
answers to them, would fill the memory."""

_FORGET = struct.pack("HH" if sys.platform == "win32" else "ii", 1, 0)
"""The value of SO_LINGER that discards what is not delivered."""

MOST_BYTES = 64 * 2**20
"""Largest text accepted, in bytes; the connector states no limit."""


class BatchingSocket(ClientConnection):
    """A client connection which gives every read's texts to `on_texts` as one list.

    Hundreds of small frames often arrive in one read. Handling them together lets them be committed once and
    acknowledged in one write; a task switch for each would cost more than the work itself.
    """

    on_texts: Callable[[list[bytes]], None]
    heard_at: float
    """When something was read last, or reading was resumed (loop time, s): until then its silence says nothing."""
    _texts: list[bytes]
    _fragments: bytearray
    _pieces: list[bytes]
    _lacking: int
    _is_cut: bool
    _peeking: asyncio.TimerHandle | None
    _ending: asyncio.TimerHandle | None

    def process_event(self, event: Event) -> None:
        """Collect data frames; everything else is the base class's business."""
        if self.response is None or not isinstance(event, Frame) or event.opcode not in DATA_OPCODES:
            super().process_event(event)
            return
        if event.fin and not self._fragments:
            self._texts.append(bytes(event.data))
            return
        # Joined at once: a list of millions of small ones would take fifty times the bytes that are in them.
        self._fragments += event.data
        if event.fin:
            self._texts.append(bytes(self._fragments))
            self._fragments = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Prepare the collecting and let TCP notice a dead peer."""
        self._texts = []
        self._fragments = bytearray()
        self._pieces = []
        self._lacking = 0
        self._is_cut = False
        self._peeking = None
        self._ending = None
        self.heard_at = self.loop.time()
        super().connection_made(transport)
        raw = transport.get_extra_info("socket")
        if raw is not None:
            _keep_alive(raw)

    def data_received(self, data: bytes) -> None:
        """Process one read and hand over what it held."""
        self.heard_at = self.loop.time()
        if self._is_cut:
            self._cut(data)
        else:
            # Whether a frame begins behind this is known only of the answer to the handshake.
            self._is_cut = self.response is None and data.endswith(b"\r\n\r\n")
            super().data_received(data)
        if self._peeking is not None:
            self.transport.pause_reading()
        if self._texts:
            texts, self._texts = self._texts, []
            self.on_texts(texts)
        if self.transport.get_write_buffer_size() > MOST_UNSENT:
            self.abort()
        if not self.is_open and self.response is not None and self._ending is None:
            # The library keeps this time only where somebody waits for a text; a server that does not close would
            # otherwise keep for ever a connection over which nothing comes.
            self._ending = self.loop.call_later(CLOSE_TIMEOUT, self.abort)
            self._fragments = bytearray()

    @property
    def is_open(self) -> bool:
        """Whether texts can be sent."""
        return self.protocol.state is State.OPEN

    def write(self, texts: Iterable[bytes]) -> None:
        """Send texts in one write, without waiting; on a closed connection nothing happens.

        Must be called on the loop that the connection belongs to.
        """
        if not self.is_open:
            return
        self.transport.write(websocket.masked(list(texts)))

    @property
    def is_paused(self) -> bool:
        """Whether reading is paused, so that silence says nothing about the other side."""
        return self._peeking is not None

    def pause_reading(self) -> None:
        """Read next to nothing until `resume_reading`, so that the server waits for us.

        Every two seconds one read is let through. So pings are still answered, which keeps the connection, and answers
        still come; where a flood waits it grows by one read at a time.
        """
        if self._peeking is None:
            self.transport.pause_reading()
            self._peeking = self.loop.call_later(PEEK_INTERVAL, self._peek)

    def resume_reading(self) -> None:
        """Read on."""
        if self._peeking is not None:
            self._peeking.cancel()
            self._peeking = None
            self.heard_at = self.loop.time()
        if not self.transport.is_closing():
            self.transport.resume_reading()

    def abort(self) -> None:
        """Break the connection, and have the system forget what was written and not delivered.

        Otherwise it would go on delivering for minutes, and a request that is long sent again on another connection
        would be carried out twice.
        """
        raw = self.transport.get_extra_info("socket")
        if raw is not None:
            with contextlib.suppress(OSError):
                raw.setsockopt(network.SOL_SOCKET, network.SO_LINGER, _FORGET)
        self.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Take note of the end."""
        for timer in (self._peeking, self._ending):
            if timer is not None:
                timer.cancel()
        super().connection_lost(exc)

    def _cut(self, data: bytes) -> None:
        """Take the text frames out of what was read and leave each other frame to the library, when it is all there."""
        self._pieces.append(data)
        self._lacking -= len(data)
        if self._lacking > 0:
            return
        data, self._pieces = b"".join(self._pieces), []
        position = 0
        while position < len(data):
            texts, position = websocket.cut(data, position)
            self._texts += texts
            size = websocket.size(data, position)
            if self._fragments or size > MOST_BYTES:
                self._is_cut = False
                super().data_received(data[position:])
                return
            if not size or position + size > len(data):
                break
            super().data_received(data[position : position + size])
            position += size
        if position < len(data):
            self._pieces = [data[position:]]
            self._lacking = size - len(data) + position if size else 0

    def _peek(self) -> None:
        if self.transport.is_closing():
            return
        self._peeking = self.loop.call_later(PEEK_INTERVAL, self._peek)
        self.transport.resume_reading()


async def open_socket(
    address: Address, context: ssl.SSLContext | None, *, timeout: float, on_texts: Callable[[list[bytes]], None]
) -> BatchingSocket:
    """Open the bot socket of a server.

    Args:
        address: the server.
        context: the TLS setting; ignored for plain addresses.
        timeout: seconds for connecting and the handshake.
        on_texts: called on the loop with the texts of each read.

    Raises:
        OSError, TimeoutError, websockets.exceptions.InvalidHandshake: as the library says it.
        UsageError, MissingPackageError: the proxy that leads there cannot be used.
    """

    def factory(*args: object, **kwargs: object) -> BatchingSocket:
        connection = BatchingSocket(*args, **kwargs)  # type: ignore[arg-type]
        connection.on_texts = on_texts
        return connection

    url = address.socket_url()
    proxy = await to_thread(proxy_for, url)
    connecting = _Connect(
        url,
        proxy=None if proxy is None else proxy.url,
        ssl=context if address.https else None,
        subprotocols=[Subprotocol(paths.SUBPROTOCOL)],
        compression=None,
        user_agent_header=USER_AGENT,
        open_timeout=timeout,
        ping_interval=None,
        close_timeout=CLOSE_TIMEOUT,
        max_size=MOST_BYTES,
        logger=_DiscreetLogger(logging.getLogger("tcnb.client")),
        create_connection=factory,  # type: ignore[arg-type]
        **_ways(proxy, context),
    )
    try:
        connection = await connecting
    except BaseException as error:
        without_locals(error)  # the library holds the login of the proxy in them
        raise
    assert isinstance(connection, BatchingSocket)
    return connection


class _DiscreetLogger(logging.LoggerAdapter[logging.Logger]):
    """Passes on what websockets logs but for its details, which hold all that is sent and received."""

    def isEnabledFor(self, level: int) -> bool:  # noqa: N802  # as the base class calls it
        return level > logging.DEBUG and super().isEnabledFor(level)


class _Connect(connect):
    """Opens a connection to the very address it is given: a redirect must not get the token that follows."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc


def staggered() -> dict[str, Any]:
    """Return the options of `create_connection` that keep an address that swallows everything from holding us up."""
    # Other loops (uvloop) do not have the option.
    has_it = isinstance(asyncio.get_running_loop(), asyncio.BaseEventLoop)
    return {"happy_eyeballs_delay": NEXT_ADDRESS_AFTER} if has_it else {}


def _ways(proxy: Proxy | None, context: ssl.SSLContext | None) -> dict[str, Any]:
    """Return how the connection, or that to the proxy, is opened."""
    if proxy is None:
        return staggered()
    if proxy.is_socks:
        return {}
    return {**staggered(), **({"proxy_ssl": context or True} if proxy.scheme == "https" else {})}


def _keep_alive(raw: network.socket) -> None:
    """Turn on TCP keepalive; a platform that knows fewer of the options uses its own times."""
    raw.setsockopt(network.SOL_SOCKET, network.SO_KEEPALIVE, 1)
    for option, value in (("TCP_KEEPIDLE", KEEPALIVE_IDLE), ("TCP_KEEPINTVL", 5), ("TCP_KEEPCNT", 3)):
        if hasattr(network, option):
            raw.setsockopt(network.IPPROTO_TCP, getattr(network, option), value)
