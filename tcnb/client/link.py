"""One open socket and what is under way on it: requests wait here for their answers;
opening it again is not its business.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from tcnb.client.address import Address
from tcnb.client.socket import BatchingSocket, open_socket
from tcnb.errors import ApiErrorException, MalformedFrameError, RequestTimeoutError
from tcnb.wire import codes, frames
from tcnb.wire.exchange import Exchange, Malformed
from tcnb.wire.frames import Frame

logger = logging.getLogger("tcnb.client")


@dataclass(slots=True)
class Batch:
    """What one read brought that wants to be recorded.

    Attributes:
        requests: the server's notifications in order of arrival; a `Malformed` stands where a text was no frame.
        received: when they were read, in microseconds since the epoch.
        link: the connection they came on, which alone may acknowledge them.
    """

    requests: list[Frame | Malformed]
    received: int
    link: Link

    def acknowledge(self) -> None:
        """Acknowledge them all in one write; to be called on the bot's loop once they are safe."""
        self.link.acknowledge(request.id for request in self.requests if request.id is not None)


class LinkBrokenError(Exception):
    """The socket closed before a request was answered."""


class Link:
    """One open socket, with its open requests.

    All methods must be called on the loop it was opened on.
    """

    def __init__(self, intake: Callable[[Batch], None]) -> None:
        self._intake = intake
        self._exchange = Exchange()
        self._pending: dict[int, asyncio.Future[Frame]] = {}
        self._socket: BatchingSocket | None = None
        self.unknown_answers = 0

    @classmethod
    async def open(
        cls, address: Address, context: ssl.SSLContext | None, *, timeout: float, intake: Callable[[Batch], None]
    ) -> Link:
        """Open a socket; `intake` is called on the loop with each batch of notifications.

        Raises:
            OSError, TimeoutError, websockets.exceptions.InvalidHandshake: it cannot be opened.
        """
        link = cls(intake)
        link._socket = await open_socket(address, context, timeout=timeout, on_texts=link._on_texts)
        return link

    @property
    def socket(self) -> BatchingSocket:
        """The socket itself."""
        assert self._socket is not None
        return self._socket

    @property
    def latency(self) -> float:
        """Seconds the last ping took; 0.0 before the first."""
        return float(self.socket.latency)

    async def ask(self, method: str, payload: Any = None, *, timeout: float) -> Any:
        """Send a request and return the content of its answer.

        Args:
            method: wire name of the method.
            payload: any JSON value.
            timeout: seconds to wait for the answer.

        Raises:
            ApiErrorException: the server refused it.
            RequestTimeoutError: no answer came in time.
            LinkBrokenError: the socket closed first.
        """
        if not self.socket.is_open:
            raise LinkBrokenError
        id, text = self._exchange.request(method, payload)
        answer: asyncio.Future[Frame] = asyncio.get_running_loop().create_future()
        self._pending[id] = answer
        try:
            self.socket.write([text])
            async with asyncio.timeout(timeout):
                frame = await answer
        except TimeoutError:
            raise RequestTimeoutError(f"{method}: no answer from the server within {timeout:g} s") from None
        finally:
            self._pending.pop(id, None)
        return _content(frame, method, payload)

    def acknowledge(self, ids: Iterable[int]) -> None:
        """Acknowledge the server's requests with these ids, in one write; nothing happens once the socket is closed."""
        self.socket.write(map(frames.acknowledgement, ids))

    async def close(self) -> None:
        """Close with a normal close code and wait until that is done."""
        await self.socket.close()

    async def wait_closed(self) -> str:
        """Wait until the socket is closed, fail what still waits for an answer, and return why it closed."""
        await self.socket.wait_closed()
        for answer in self._pending.values():
            if not answer.done():
                answer.set_exception(LinkBrokenError())
        code, reason = self.socket.close_code, self.socket.close_reason
        if code in (None, 1006):
            return "the connection broke"
        return f"closed with code {code}" + (f" ({reason})" if reason else "")

    def _on_texts(self, texts: list[bytes]) -> None:
        received = self._exchange.receive(texts)
        for frame in received.responses:
            answer = self._pending.get(frame.id)
            if answer is None:
                self.unknown_answers += 1
            elif not answer.done():
                answer.set_result(frame)
        if received.requests:
            self._intake(Batch(received.requests, time.time_ns() // 1000, self))


def _content(frame: Frame, method: str, payload: Any) -> Any:
    """Return what a response says, or raise what it refuses with."""
    try:
        content = frame.content()
    except MalformedFrameError as error:
        raise MalformedFrameError(f"{method}: {error}") from error
    code = frames.error_code(content)
    if code:
        chat_id = payload.get("chatId") if isinstance(payload, dict) else None
        detail = codes.meaning(code)
        said = content.get("errorDescription")
        raise ApiErrorException(code, f"{detail} ({said})" if said else detail, content, method=method, chat_id=chat_id)
    return content
