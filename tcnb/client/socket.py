"""The WebSocket itself: it hands over all texts of one read together and writes many texts at once;
frames mean nothing here.
"""

from __future__ import annotations

import asyncio
import socket as network
import ssl
from collections.abc import Callable, Iterable

from websockets.asyncio.client import ClientConnection, connect
from websockets.frames import DATA_OPCODES, Frame
from websockets.protocol import Event, State
from websockets.typing import Subprotocol

from tcnb.client.address import Address
from tcnb.http import USER_AGENT
from tcnb.wire import paths

PING_INTERVAL = 15.0
"""Seconds between our own pings; proxies were seen to cut connections idle for 41 s (`protocol` section 1.4)."""

PING_TIMEOUT = 10.0
"""Seconds to wait for the answer to a ping before the connection is given up."""

KEEPALIVE_IDLE = 15
"""Seconds without traffic before TCP itself probes (`protocol` section 16.1)."""

MOST_BYTES = 64 * 2**20
"""Largest text accepted, in bytes; the connector states no limit."""


class BatchingSocket(ClientConnection):
    """A client connection which gives every read's texts to `on_texts` as one list.

    Hundreds of small frames often arrive in one read. Handling them together lets them be committed once and
    acknowledged in one write; a task switch for each would cost more than the work itself.
    """

    on_texts: Callable[[list[bytes]], None]
    _texts: list[bytes]
    _fragments: list[bytes]

    def process_event(self, event: Event) -> None:
        """Collect data frames; everything else is the base class's business."""
        if self.response is None or not isinstance(event, Frame) or event.opcode not in DATA_OPCODES:
            super().process_event(event)
            return
        if event.fin and not self._fragments:
            self._texts.append(bytes(event.data))
            return
        self._fragments.append(bytes(event.data))
        if event.fin:
            self._texts.append(b"".join(self._fragments))
            self._fragments = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Prepare the collecting and let TCP notice a dead peer."""
        self._texts = []
        self._fragments = []
        super().connection_made(transport)
        raw = transport.get_extra_info("socket")
        if raw is not None:
            _keep_alive(raw)

    def data_received(self, data: bytes) -> None:
        """Process one read and hand over what it held."""
        super().data_received(data)
        if self._texts:
            texts, self._texts = self._texts, []
            self.on_texts(texts)

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
        for text in texts:
            self.protocol.send_text(text)
        self.transport.write(b"".join(self.protocol.data_to_send()))

    def pause_reading(self) -> None:
        """Stop reading until `resume_reading`, so that the server waits for us."""
        self.transport.pause_reading()

    def resume_reading(self) -> None:
        """Read on."""
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
    """

    def factory(*args: object, **kwargs: object) -> BatchingSocket:
        connection = BatchingSocket(*args, **kwargs)  # type: ignore[arg-type]
        connection.on_texts = on_texts
        return connection

    connection = await connect(
        address.socket_url(),
        ssl=context if address.https else None,
        subprotocols=[Subprotocol(paths.SUBPROTOCOL)],
        compression=None,
        user_agent_header=USER_AGENT,
        open_timeout=timeout,
        ping_interval=PING_INTERVAL,
        ping_timeout=PING_TIMEOUT,
        close_timeout=3.0,
        max_size=MOST_BYTES,
        create_connection=factory,  # type: ignore[arg-type]
    )
    assert isinstance(connection, BatchingSocket)
    return connection


def _keep_alive(raw: network.socket) -> None:
    """Turn on TCP keepalive; a platform that knows fewer of the options uses its own times."""
    raw.setsockopt(network.SOL_SOCKET, network.SO_KEEPALIVE, 1)
    for option, value in (("TCP_KEEPIDLE", KEEPALIVE_IDLE), ("TCP_KEEPINTVL", 5), ("TCP_KEEPCNT", 3)):
        if hasattr(network, option):
            raw.setsockopt(network.IPPROTO_TCP, getattr(network, option), value)
