"""The bot socket over tornado: handshake, frames in and out, pings; what frames mean is decided by the server.

Source: `protocol` sections 1.3 and 1.4.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from tornado.iostream import StreamClosedError
from tornado.websocket import WebSocketClosedError, WebSocketHandler

from tcnb.practice.askers import GuardedHandler
from tcnb.practice.sessions import Session
from tcnb.wire import paths

if TYPE_CHECKING:
    from tcnb.practice.server import PracticeServer

_FINAL_TEXT: Final = 0x81


class BotSocket(GuardedHandler, WebSocketHandler):
    """One connection of a bot; the session's transport."""

    def initialize(self, server: PracticeServer) -> None:
        """Take the server; called by tornado before anything else."""
        super().initialize(server)
        self.session: Session | None = None
        self._unsent: list[bytes] = []
        self._written: asyncio.Future[None] | None = None
        self._pinging: asyncio.Task[None] | None = None
        self._unanswered_since: float | None = None

    def check_origin(self, origin: str) -> bool:
        """Leave that to `prepare`, which has refused other pages, and knows of a public address besides."""
        return True

    def select_subprotocol(self, subprotocols: list[str]) -> str | None:
        """Echo `json.v1` where it is offered."""
        return paths.SUBPROTOCOL if paths.SUBPROTOCOL in subprotocols else None

    async def get(self, *args: Any, **kwargs: Any) -> None:
        """Upgrade, unless there are too many connections or a fault is in force."""
        fault = self.server.faults.next_http("socket")
        if fault is not None:
            self.set_status(fault.status)
            for name, value in fault.headers.items():
                self.set_header(name, value)
            self.finish(fault.body)
        elif self.server.is_full:
            self.set_status(503)
            self.finish()
        else:
            await super().get(*args, **kwargs)

    def open(self, *args: str, **kwargs: str) -> None:
        """Begin a session."""
        self.set_nodelay(True)
        self.session = Session(self)
        self.server.connected(self.session)
        if self.server.options.ping_interval > 0:
            self._pinging = asyncio.create_task(self._ping_regularly())

    def on_message(self, message: str | bytes) -> None:
        """Pass a frame on."""
        if self.session is not None:
            self.server.received(self.session, message)

    def on_pong(self, data: bytes) -> None:
        """Take note that the client is alive."""
        if not self.server.faults.silent_pongs:
            self._unanswered_since = None

    def on_close(self) -> None:
        """End the session."""
        if self._pinging is not None:
            self._pinging.cancel()
        if self.session is not None:
            self.server.disconnected(self.session)

    # ── the session's transport ─────────────────────────────────────────────────────────────────────────────────

    def send(self, text: bytes) -> None:
        """Send one text frame; frames of one turn of the event loop go out together.

        tornado's own `write_message` makes a task a message, which at thousands a second costs more than the rest.
        """
        if not self._unsent:
            asyncio.get_running_loop().call_soon(self._flush)
        self._unsent.append(text_header(len(text)))
        self._unsent.append(text)

    async def drain(self) -> None:
        """Wait until everything sent is with the operating system; returns early when the connection is gone."""
        self._flush()
        if self._written is not None:
            await asyncio.wait([self._written])

    def close(self, code: int | None = None, reason: str | None = None) -> None:
        """Close in order, after what was sent before."""
        self._flush()
        super().close(code, reason)

    def abort(self) -> None:
        """Break the connection without a close frame."""
        self._unsent.clear()
        stream = None if self.ws_connection is None else self.ws_connection.stream
        if stream is not None:
            stream.close()

    def _flush(self) -> None:
        if not self._unsent:
            return
        data = b"".join(self._unsent)
        self._unsent.clear()
        connection = self.ws_connection
        if connection is None or connection.stream is None or connection.is_closing():
            return
        try:
            self._written = asyncio.ensure_future(connection.stream.write(data))
        except StreamClosedError:
            return
        self._written.add_done_callback(_retrieve)

    async def _ping_regularly(self) -> None:
        # tornado's own pings clamp the time-out to the interval, while the connector pings every 5 s and waits 20 s.
        loop = asyncio.get_running_loop()
        interval, timeout = self.server.options.ping_interval, self.server.options.ping_timeout
        while True:
            await asyncio.sleep(interval)
            since = self._unanswered_since
            if since is not None and loop.time() - since >= timeout:
                self.server.log.info("no pong for %.1f s: connection dropped", loop.time() - since)
                self.abort()
                return
            if since is None:
                self._unanswered_since = loop.time()
            try:
                self.ping(b"")
            except WebSocketClosedError:
                return


def text_header(length: int) -> bytes:
    """Return the header of an unmasked, final text frame of that many bytes (RFC 6455, section 5.2)."""
    if length < 126:
        return bytes((_FINAL_TEXT, length))
    if length < 65536:
        return b"\x81\x7e" + length.to_bytes(2, "big")
    return b"\x81\x7f" + length.to_bytes(8, "big")


def _retrieve(written: asyncio.Future[None]) -> None:
    # A write that failed because the client is gone is no news; the close is reported elsewhere.
    if not written.cancelled():
        written.exception()
