"""One open socket and what is under way on it: requests wait here for their answers;
opening it again is not its business.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import ssl
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from websockets.exceptions import ConnectionClosed

from tcnb.client.address import Address
from tcnb.client.socket import BatchingSocket, open_socket
from tcnb.client.statistics import Statistics
from tcnb.client.thread import OnProblem, log_problem
from tcnb.console import one_line
from tcnb.errors import ApiErrorException, MalformedFrameError, PortableError, RequestTimeoutError
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


class LinkBrokenError(PortableError):
    """The socket closed before a request was answered.

    Attributes:
        is_written: whether the request was written before, so that the server may have got it.
    """

    def __init__(self, *, is_written: bool) -> None:
        self.is_written = is_written
        super().__init__()


@dataclass(slots=True, eq=False)
class Request:
    """A request that was written.

    Attributes:
        answer: the server's answer; it fails with `LinkBrokenError` when the socket closes first. Whoever has found
            out the content of the answer in another way may fulfil it with that.
        on_late: called with the answer that comes after its asker has gone, or with None when none can come any more.
    """

    answer: asyncio.Future[Any]
    on_late: Callable[[Frame | None], None] | None = None


class Link:
    """One open socket, with its open requests.

    All methods must be called on the loop it was opened on.

    Args:
        intake: called with each batch of notifications.
        statistics: where acknowledgements are counted.
        on_problem: told of what nobody expected to go wrong while something arrives; the connection stays.

    Attributes:
        authorised: when the login was asked for, by the server's clock, in microseconds since the epoch; None before.
            What was said earlier and is told here had come while the account was away.
        unknown_answers: answers to nothing that was asked, or whose asker had gone.
    """

    def __init__(
        self, intake: Callable[[Batch], None], statistics: Statistics, on_problem: OnProblem = log_problem
    ) -> None:
        self._intake = intake
        self._on_problem = on_problem
        self._statistics = statistics
        self._given_up: str | None = None
        self._wanted: float | None = None
        self._is_wanted = asyncio.Event()
        self._ping: asyncio.Timeout | None = None
        self._exchange = Exchange()
        self._pending: dict[int, Request] = {}
        self._socket: BatchingSocket | None = None
        self.authorised: int | None = None
        self.unknown_answers = 0

    @classmethod
    async def open(
        cls,
        address: Address,
        context: ssl.SSLContext | None,
        *,
        timeout: float,
        intake: Callable[[Batch], None],
        statistics: Statistics,
        on_problem: OnProblem = log_problem,
    ) -> Link:
        """Open a socket; `intake` is called on the loop with each batch of notifications.

        Raises:
            OSError, TimeoutError, websockets.exceptions.InvalidHandshake: it cannot be opened.
        """
        link = cls(intake, statistics, on_problem)
        link._socket = await open_socket(address, context, timeout=timeout, on_texts=link._on_texts)
        return link

    @property
    def socket(self) -> BatchingSocket:
        """The socket itself."""
        assert self._socket is not None
        return self._socket

    @property
    def date(self) -> str | None:
        """The `Date` header of the handshake's answer."""
        response = self.socket.response
        return None if response is None else response.headers.get("Date")

    def request(self, method: str, payload: Any = None) -> Request:
        """Send a request; whoever does not want its answer any more may cancel that.

        Raises:
            LinkBrokenError: the socket is closed, and nothing was written.
        """
        if not self.socket.is_open:
            raise LinkBrokenError(is_written=False)
        id, text = self._exchange.request(method, payload)
        self._pending[id] = request = Request(asyncio.get_running_loop().create_future())
        self.socket.write([text])
        return request

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
        request = self.request(method, payload)
        try:
            async with asyncio.timeout(timeout):
                frame = await request.answer
        except TimeoutError:
            raise RequestTimeoutError(f"{method}: no answer from the server within {timeout:g} s") from None
        return content(frame, method, payload)

    def acknowledge(self, ids: Iterable[int]) -> None:
        """Acknowledge the server's requests with these ids, in one write; nothing happens once the socket is closed."""
        if self.socket.is_open:
            texts = [frames.acknowledgement(id) for id in ids]
            self.socket.write(texts)
            self._statistics.acknowledged += len(texts)

    def check(self, within: float) -> None:
        """Have the other side pinged at once; the link is given up if it stays silent for so many seconds."""
        self._wanted = within if self._wanted is None else min(within, self._wanted)
        self._is_wanted.set()
        if self._ping is not None and not self._ping.expired():
            # A ping is under way, which may have been given more time.
            until = asyncio.get_running_loop().time() + within
            self._ping.reschedule(min(until, self._ping.when() or until))

    async def keep_alive(self, interval: float, timeout: float) -> None:
        """Ping the other side regularly and whenever `check` asks for it; give the link up when it is silent.

        Args:
            interval: seconds between two pings.
            timeout: seconds of silence after a ping; anything that is read counts as a sign of life.
        """
        while self.socket.is_open:
            within, self._wanted = timeout if self._wanted is None else self._wanted, None
            self._is_wanted.clear()
            if not await self._is_answering(within):
                self.give_up("the server was silent, and did not answer a ping either")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(interval):
                    await self._is_wanted.wait()

    def give_up(self, reason: str) -> None:
        """Break the connection, for a reason that `wait_closed` returns."""
        if self.socket.is_open:
            self._given_up = reason
            self.socket.abort()

    async def close(self) -> None:
        """Close with a normal close code and wait until that is done."""
        await self.socket.close()

    async def wait_closed(self) -> str:
        """Wait until the socket is closed, fail what still waits for an answer, and return why it closed."""
        await self.socket.wait_closed()
        pending, self._pending = self._pending, {}
        for request in pending.values():
            if not request.answer.done():
                request.answer.set_exception(LinkBrokenError(is_written=True))
            elif request.on_late is not None:
                request.on_late(None)
        if self._given_up is not None:
            return self._given_up
        code, reason = self.socket.close_code, self.socket.close_reason
        if code in (None, 1006):
            return "the connection broke"
        return f"closed with code {code}" + (f" ({one_line(reason)})" if reason else "")

    async def _is_answering(self, within: float) -> bool:
        """Ping once; False if nothing at all is read for so many seconds, although it would be."""
        sent = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(within) as self._ping:
                # A full buffer keeps even the ping from being written.
                pong = await self.socket.ping()
                self._statistics.ponged(await asyncio.shield(pong))
            return True
        except TimeoutError:
            return self.socket.is_paused or self.socket.heard_at > sent
        except ConnectionClosed:
            return True
        finally:
            self._ping = None

    def _on_texts(self, texts: list[bytes]) -> None:
        """Take what one read brought; nothing is raised to the transport, which would break the connection."""
        received = self._exchange.receive(texts)
        for frame in received.responses:
            try:
                self._on_response(frame)
            except Exception as error:
                self._on_problem("taking in an answer", error)
        if received.requests:
            try:
                self._intake(Batch(received.requests, time.time_ns() // 1000, self))
            except Exception as error:
                self._on_problem("taking in notifications", error)

    def _on_response(self, frame: Frame) -> None:
        request = self._pending.pop(frame.id, None)
        if request is not None and not request.answer.done():
            request.answer.set_result(frame)
        elif request is not None and request.on_late is not None:
            request.on_late(frame)
        else:
            self.unknown_answers += 1


def content(frame: Frame, method: str, payload: Any) -> Any:
    """Return what a response says.

    Args:
        frame: the response.
        method: wire name of the method it answers.
        payload: what was asked.

    Raises:
        ApiErrorException: it is a refusal.
        MalformedFrameError: it cannot be read.
    """
    try:
        said = frame.content()
    except MalformedFrameError as error:
        raise MalformedFrameError(f"{method}: {error}") from error
    code = frames.error_code(said)
    if code:
        chat_id = payload.get("chatId") if isinstance(payload, dict) else None
        detail = codes.meaning(code)
        words = one_line(said.get("errorDescription") or "")
        raise ApiErrorException(code, f"{detail} ({words})" if words else detail, said, method=method, chat_id=chat_id)
    return said
