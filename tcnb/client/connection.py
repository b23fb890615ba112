"""The standing connection of one account: opened, authorized, and opened again when it breaks;
what is said over it is not known here.
"""

from __future__ import annotations

import asyncio
import logging
import random
import ssl
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from websockets.exceptions import InvalidHandshake, InvalidProxy, InvalidStatus, InvalidURI, WebSocketException

from tcnb.client.address import Address
from tcnb.client.link import Batch, Link, LinkBrokenError
from tcnb.client.tokens import TokenSource, unreachable
from tcnb.errors import (
    ApiErrorException,
    AuthenticationError,
    NotConnectedError,
    OutcomeUnknownError,
    TcnbError,
    TokenValidationError,
    WSConnectionError,
)
from tcnb.wire import codes, paths

logger = logging.getLogger("tcnb.client")

MOST_REFUSALS: Final = 3
"""Refusals of the credentials in a row after which nothing more is tried."""

LONGEST_DELAY: Final = 60.0
"""Seconds between two attempts to connect, at most."""

REPEATABLE: Final = frozenset(
    {
        "createFavoritesChat",
        "createP2PChat",
        "getChatByID",
        "getChatHistory",
        "getChatParticipant",
        "getChatParticipants",
        "getChats",
        "getFileInfo",
        "getFileUploadLimits",
        "getMessageById",
        "getUserDisplayName",
        "hasChatParticipant",
        "sendChatActivity",
        "subscribeFileProgress",
        "unsubscribeFileProgress",
    }
)
"""Methods that may be asked again after the connection broke: asking twice is the same as asking once."""

StateName = Literal["connecting", "connected", "reconnecting", "closed"]


@dataclass(frozen=True)
class State:
    """How the connection is.

    Attributes:
        state: its name.
        reason: why it is not connected, for people.
        retry_at: when it is tried next, in seconds since the epoch.
    """

    state: StateName
    reason: str | None = None
    retry_at: float | None = None


@dataclass
class Statistics:
    """What happened to the connection, counted.

    Attributes:
        connected_at: when the present connection was authorized, in seconds since the epoch.
        connects: how often it was authorized.
        breaks: when (seconds since the epoch) and why it broke, the last hundred.
    """

    connected_at: float | None = None
    connects: int = 0
    breaks: deque[tuple[float, str]] = field(default_factory=lambda: deque(maxlen=100))


def is_worth_another_try(error: Exception, refusals: int) -> bool:
    """Decide whether a failed attempt to connect is followed by another.

    Networks, proxies and servers come back, so whatever is not about the credentials is tried again without end.
    Credentials do not heal by themselves, and trying them on may lock the account: after three refusals in a row
    it ends,
    and at once when a ready token is refused for which no new one can be fetched.

    Args:
        error: what the attempt failed with.
        refusals: how many attempts in a row, this one included, were refused for the credentials.
    """
    if isinstance(error, TokenValidationError) and not getattr(error, "renewable", True):
        return False
    return refusals < MOST_REFUSALS


def delays() -> Any:
    """Yield the seconds to wait before each attempt: growing, jittered, 60 at most."""
    delay = 0.0
    while True:
        delay = min(LONGEST_DELAY, delay * 2 + random.random())
        yield delay


class Connection:
    """Keeps one account connected to one server.

    Args:
        address: the server.
        tokens: where tokens come from.
        context: the TLS setting.
        timeout: seconds an answer may take.
        receive_unread: whether unread messages are sent again after each `auth` (`protocol` section 2.6).
        receive_system: whether system envelopes are sent as messages (2.7).
        intake: called on the loop with each batch of notifications; it acknowledges the batch when that is safe.
        on_state: called on the loop whenever the state changes.

    All methods must be called on one loop.
    """

    def __init__(
        self,
        address: Address,
        tokens: TokenSource,
        *,
        context: ssl.SSLContext | None,
        timeout: float,
        receive_unread: bool,
        receive_system: bool,
        intake: Callable[[Batch], None],
        on_state: Callable[[State], None],
    ) -> None:
        self.address = address
        self.timeout = timeout
        self.me_id: str | None = None
        self.statistics = Statistics()
        self._tokens = tokens
        self._context = context
        self._receive_unread = receive_unread
        self._receive_system = receive_system
        self._intake = intake
        self._on_state = on_state
        self._link: Link | None = None
        self._ready = asyncio.Event()
        self._life: asyncio.Task[None] | None = None
        self._ended: Exception | None = None
        self.state = State("connecting")

    async def open(self) -> None:
        """Connect for the first time; from then on the connection is kept until `close`.

        Raises:
            AuthenticationError: the server does not let the account in.
            WSConnectionError, RequestTimeoutError: the server cannot be reached.
        """
        try:
            link = await self._connect()
        except TokenValidationError:
            if not self._tokens.can_renew:
                raise
            link = await self._connect()
        self._life = asyncio.create_task(self._live(link), name="tcnb connection")
        self._life.add_done_callback(self._on_life_over)

    async def call(self, method: str, payload: Any = None, *, timeout: float | None = None) -> Any:
        """Ask the server and return the content of its answer.

        While the connection is away this waits for it, up to `timeout`. Error 203 is answered with a fresh token
        and one
        more try. When the connection breaks before the answer, methods that only read are asked again; for others
        nobody
        can tell here whether they were carried out.

        Args:
            method: wire name of the method.
            payload: any JSON value.
            timeout: seconds for everything together; None takes the connection's own.

        Raises:
            ApiErrorException: the server refused it.
            RequestTimeoutError: no answer in time.
            OutcomeUnknownError: the connection broke between request and answer.
            WSConnectionError, AuthenticationError, NotConnectedError: there is no connection.
        """
        loop = asyncio.get_running_loop()
        allowed = self.timeout if timeout is None else timeout
        deadline = loop.time() + allowed
        renewed = False
        while True:
            link = await self._link_by(deadline)
            try:
                return await link.ask(method, payload, timeout=max(0.0, deadline - loop.time()))
            except ApiErrorException as error:
                if error.code not in (codes.CREDENTIALS_EXPIRED, codes.NOT_AUTHORIZED) or renewed:
                    raise
                renewed = True
                await self._renew(link)
                deadline = loop.time() + allowed
            except LinkBrokenError:
                if self._link is link:
                    # Until the link is known to be gone, asking again would go round without a pause.
                    self._ready.clear()
                if method not in REPEATABLE:
                    raise OutcomeUnknownError(
                        f"{method}: the connection broke before the server's answer came, so it may or may not have "
                        "been carried out: look into the chat before you repeat it"
                    ) from None

    async def close(self) -> None:
        """Close normally, and stay closed."""
        self._end(NotConnectedError("this connection has been closed"))
        if self._life is not None:
            self._life.cancel()
            await asyncio.wait([self._life])
        if self._link is not None:
            await self._link.close()
            self._link = None
        self._change(State("closed"))

    @property
    def latency(self) -> float | None:
        """Seconds the last ping took; None while not connected or before the first ping."""
        return (self._link.latency or None) if self._link is not None else None

    async def _live(self, link: Link) -> None:
        """Reconnect for as long as it makes sense."""
        while True:
            reason = await link.wait_closed()
            self._ready.clear()
            self.statistics.breaks.append((time.time(), reason))
            logger.info("%s: %s", self.address, reason)
            again = await self._reconnect(reason)
            if again is None:
                return
            link = again

    def _on_life_over(self, life: asyncio.Task[None]) -> None:
        """Tell every caller where the keeping of the connection itself failed, which nothing expected can cause."""
        error = None if life.cancelled() else life.exception()
        if error is not None:
            logger.error("the connection is no longer kept", exc_info=error)
            self._end(NotConnectedError(f"the connection is no longer kept ({error!r}): connect again"))
            self._change(State("closed", repr(error)))

    async def _reconnect(self, reason: str) -> Link | None:
        """Try until it works and return the new link; None where it has to end."""
        refusals = 0
        for delay in delays():
            self._change(State("reconnecting", reason, time.time() + delay))
            await asyncio.sleep(delay)
            try:
                return await self._connect()
            except (TcnbError, OSError, WebSocketException) as error:
                refusals = refusals + 1 if isinstance(error, AuthenticationError) else 0
                reason = str(error)
                if not is_worth_another_try(error, refusals):
                    self._end(error)
                    self._change(State("closed", reason))
                    return None
        raise AssertionError("delays never end")

    async def _connect(self) -> Link:
        """Open a socket and authorize it."""
        try:
            token = await self._tokens.get()
        except TokenValidationError as error:
            error.renewable = self._tokens.can_renew  # type: ignore[attr-defined]
            raise
        try:
            link = await Link.open(self.address, self._context, timeout=self.timeout, intake=self._intake)
        except InvalidStatus as error:
            status = error.response.status_code
            full = (
                ": it may have reached its limit of connections" if status == 503 else ": is the Bridge running there?"
            )
            raise WSConnectionError(f"{self.address} does not open the bot socket (HTTP {status}){full}") from error
        except (OSError, TimeoutError, InvalidHandshake, InvalidURI, InvalidProxy) as error:
            raise unreachable(self.address, error) from error
        try:
            await self._authorize(link, token)
        except BaseException:
            link.socket.transport.abort()
            raise
        self._link = link
        self.statistics.connects += 1
        self.statistics.connected_at = time.time()
        self._ready.set()
        self._change(State("connected"))
        return link

    async def _authorize(self, link: Link, token: str) -> None:
        request = {
            "token": token,
            "tokenType": paths.TOKEN_TYPE,
            "receiveUnread": self._receive_unread,
            "receiveSystemMessageEnvelopes": self._receive_system,
        }
        try:
            answer = await link.ask("auth", request, timeout=self.timeout)
        except LinkBrokenError as error:
            raise WSConnectionError(f"{self.address} closed the socket during the login") from error
        except ApiErrorException as error:
            raise self._refused(error) from error
        if not isinstance(answer, dict) or not isinstance(answer.get("userId"), str):
            raise WSConnectionError(f"{self.address} answered the login without a user id")
        self.me_id = paths.bare_id(answer["userId"])

    def _refused(self, error: ApiErrorException) -> TcnbError:
        if error.code == codes.USER_DISABLED:
            return AuthenticationError("this account is disabled on the server: its administrator can enable it")
        if error.code in (codes.INVALID_CREDENTIALS, codes.CREDENTIALS_EXPIRED, codes.UNSUPPORTED_CREDENTIALS):
            self._tokens.discard()
            return TokenValidationError(f"the server refuses the token: {error.detail} [{error.code}]")
        return WSConnectionError(f"{self.address} refuses the login: {error.detail} [{error.code}]")

    async def _renew(self, link: Link) -> None:
        """Drop an expired token together with its socket; the connection comes back with a fresh one."""
        if self._link is link and self._ready.is_set():
            self._ready.clear()
            self._tokens.discard()
            await link.close()

    async def _link_by(self, deadline: float) -> Link:
        """Return the open link, waiting for it until `deadline` (loop time)."""
        if self._ended is None and not self._ready.is_set():
            try:
                async with asyncio.timeout_at(deadline):
                    await self._ready.wait()
            except TimeoutError:
                why = f" ({self.state.reason})" if self.state.reason else ""
                raise WSConnectionError(
                    f"there is no connection to {self.address} just now{why}; it is being tried again"
                ) from None
        if self._ended is not None:
            raise self._ended
        assert self._link is not None
        return self._link

    def _end(self, error: Exception) -> None:
        """From now on every call fails with `error`."""
        if self._ended is None:
            self._ended = error
        self._ready.set()

    def _change(self, state: State) -> None:
        if state != self.state:
            self.state = state
            self._on_state(state)
