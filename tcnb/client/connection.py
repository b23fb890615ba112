"""The standing connection of one account: opened, authorized, and opened again when it breaks;
what is said over it is not known here.
"""

from __future__ import annotations

import asyncio
import functools
import logging
import random
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from websockets.exceptions import InvalidHandshake, InvalidProxy, InvalidStatus, InvalidURI, WebSocketException

from tcnb.arguments import check_timeout
from tcnb.client import clocks
from tcnb.client.address import Address
from tcnb.client.clocks import ServerClock, SuspendDetector
from tcnb.client.deadlines import time_left
from tcnb.client.link import Batch, Link, LinkBrokenError
from tcnb.client.requests.requests import NO_FILE, Calls, Late
from tcnb.client.statistics import Reconnect, Statistics
from tcnb.client.thread import OnProblem, log_problem
from tcnb.client.tokens import TokenSource
from tcnb.client.unreachable import why_no_socket, why_unreachable
from tcnb.errors import (
    ApiErrorException,
    AuthenticationError,
    NotConnectedError,
    TcnbError,
    TokenValidationError,
    WSConnectionError,
)
from tcnb.secret import Secret, without_locals
from tcnb.wire import codes, paths

logger = logging.getLogger("tcnb.client")

MOST_REFUSALS: Final = 3
"""Refusals of the credentials in a row after which nothing more is tried."""

LONGEST_DELAY: Final = 60.0
"""Seconds between two attempts to connect, at most."""

STEADY: Final = 60.0
"""Seconds that a connection must last before the pauses between attempts start anew: a server that ends each session at
once would otherwise be asked twice a second for ever."""

PING_INTERVAL: Final = 15.0
"""Seconds between our own pings; proxies were seen to cut connections idle for 41 s (`protocol` section 1.4)."""

PING_TIMEOUT: Final = 10.0
"""Seconds of silence after a ping before the connection is given up."""

WAKE_TIMEOUT: Final = 4.0
"""The same after this machine has slept, when the connection has most likely gone."""

FOREIGN: Final = "this connection belongs to the process that opened it: connect again in this one"
"""What is said in a forked child."""
BEGIN_AGAIN: Final = 5.0
"""Seconds after which a task of the connection that has failed is begun again."""

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


def is_worth_another_try(error: Exception, refusals: int) -> bool:
    """Decide whether a failed attempt to connect is followed by another.

    | failure | another try? |
    |---|---|
    | no network, no route, no name, a refused or timed out connection, a broken handshake | yes, without end |
    | the server answers with an error (502, 503 and the like), or is no TrueConf server | the same |
    | a certificate that is not trusted: it may be renewed, and a hotel's login page goes away | the same |
    | the server closes the connection during the login, or refuses it for a reason of its own | the same |
    | an expired token, where login and password are known | yes, with a fresh one |
    | login, password or account are refused | twice more: such things do not heal, and trying on may lock the account |
    | a ready token is refused, and there is no password to fetch another | no |

    Args:
        error: what the attempt failed with.
        refusals: how many attempts in a row, this one included, were refused for the credentials.
    """
    if isinstance(error, TokenValidationError) and not getattr(error, "renewable", True):
        return False
    return refusals < MOST_REFUSALS


def delays() -> Iterator[float]:
    """Yield the seconds to wait before each attempt: less than one at first, then twice as long and up to a second
    more each time, at most sixty. The random part keeps many clients from coming back at the same moment.
    """
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
        on_problem: told on the loop of an error that nobody expected.

    Attributes:
        me_id: the account's user id, without `/resource`.
        statistics: what happened to the connection.
        clock: the server's clock.
        short_lived: connections in a row, up to the last one that broke, that did not last `STEADY` seconds.

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
        on_problem: OnProblem = log_problem,
    ) -> None:
        self.address = address
        self.timeout = timeout
        self.me_id: str | None = None
        self.statistics = Statistics()
        self.clock = ServerClock()
        self.short_lived = 0
        self._tokens = tokens
        self._context = context
        self._receive_unread = receive_unread
        self._receive_system = receive_system
        self._intake = intake
        self._on_state = on_state
        self._on_problem = on_problem
        self._calls = Calls(self)
        self._link: Link | None = None
        self._ready = asyncio.Event()
        self._hurry = asyncio.Event()
        self._life: asyncio.Task[None] | None = None
        self._watch: asyncio.Task[None] | None = None
        self._pinging: asyncio.Task[None] | None = None
        self._ended: Exception | None = None
        self._waits: Iterator[float] | None = None  # none before the first break
        self._let_in_at = 0.0
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
        self._let_in()
        self._begin_to_live(link)
        self._begin_to_watch()

    async def call(
        self,
        method: str,
        payload: Any = None,
        *,
        timeout: float | None = None,
        about: Mapping[str, Any] = NO_FILE,
    ) -> Any:
        """Ask the server and return the content of its answer.

        While the connection is away this waits for it, up to `timeout`. Error 203 is answered with a fresh token and
        one more try. When the connection breaks before the answer, the rule for the method in
        `tcnb.client.requests.policy` says
        what is done: it is asked again; or the server is asked whether it was carried out, and it is sent again if it
        was surely not; or that is told.

        Args:
            method: wire name of the method.
            payload: any JSON value.
            timeout: seconds for everything together; None takes what is left to the verb that asks, or else the
                connection's own.
            about: of a file that is sent: `file_name`, `file_size` (bytes) and `mime_type`, by which it is recognised.

        Raises:
            ApiErrorException: the server refused it.
            RequestTimeoutError: no answer in time.
            OutcomeUnknownError: it may or may not have been carried out; its text says why and what to do.
            WSConnectionError, AuthenticationError, NotConnectedError: there is no connection, and nothing was done.
        """
        return await self._calls.carry_out(method, payload, timeout=self._allowed(timeout), about=about)

    def fail(self, error: TcnbError) -> None:
        """End for good because of an error elsewhere; every call fails with it from now on."""
        self._end(error)
        self._change(State("closed", str(error)))
        for task in (self._watch, self._pinging, self._life):
            if task is not None:
                task.cancel()
        if self._link is not None:
            self._link.give_up(str(error))

    @property
    def on_late(self) -> Late | None:
        """Told of sendings whose answer came after their caller had gone."""
        return self._calls.on_late

    @on_late.setter
    def on_late(self, listener: Late | None) -> None:
        self._calls.on_late = listener

    async def close(self) -> None:
        """Close normally, and stay closed."""
        self._end(NotConnectedError("this connection has been closed"))
        tasks = [task for task in (self._watch, self._pinging, self._life) if task is not None]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        if self._link is not None:
            await self._link.close()
            self._link = None
        self._change(State("closed"))

    @property
    def latency(self) -> float | None:
        """Seconds the last ping took; None while not connected or before the first answer to a ping."""
        return self.statistics.latency if self.state.state == "connected" else None

    async def _live(self, link: Link) -> None:
        """Reconnect for as long as it makes sense."""
        while True:
            reason = await link.wait_closed()
            self._ready.clear()
            at, since = self.statistics.broke(reason), asyncio.get_running_loop().time()
            logger.info("%s: %s", self.address, reason)
            self.short_lived = 0 if since - self._let_in_at >= STEADY else self.short_lived + 1
            if self._waits is None or not self.short_lived:
                self._waits = delays()
            again = await self._reconnect(reason, self._waits)
            if again is None:
                return
            link, attempts = again
            took = asyncio.get_running_loop().time() - since
            self.statistics.reconnects.append(Reconnect(at, reason, took, attempts))
            self._let_in()

    def _begin_to_live(self, link: Link) -> None:
        self._life = asyncio.create_task(self._live(link), name="tcnb connection")
        self._life.add_done_callback(self._on_life_over)

    def _on_life_over(self, life: asyncio.Task[None]) -> None:
        """Tell every caller where the keeping of the connection itself failed, which nothing expected can cause."""
        error = self._unexpected(life)
        if isinstance(error, asyncio.CancelledError) and self._link is not None:
            # Something on this loop has cancelled every task that it found; where it stood does not matter.
            self._on_problem("the keeping of the connection", error)
            self._begin_to_live(self._link)
        elif error is not None:
            self._on_problem("the keeping of the connection", error)
            self._end(NotConnectedError(f"the connection is no longer kept ({error!r}): connect again"))
            self._change(State("closed", repr(error)))

    async def _reconnect(self, reason: str, waits: Iterator[float]) -> tuple[Link, int] | None:
        """Try until it works and return the new link and how many tries it took; None where it has to end."""
        refusals, attempts = 0, 0
        delay, has_old_token = next(waits), True
        while True:
            self._change(State("reconnecting", reason, time.time() + delay))
            if await self._is_hurried(delay):
                waits = self._waits = delays()
            attempts += 1
            try:
                return await self._connect(), attempts
            except (TcnbError, OSError, WebSocketException) as error:
                if not (isinstance(error, TokenValidationError) and error.has_expired):
                    refusals = refusals + 1 if isinstance(error, AuthenticationError) else 0
                reason = str(error)
                if not is_worth_another_try(error, refusals):
                    self._end(error)
                    self._change(State("closed", reason))
                    return None
                delay = next(waits)
                if has_old_token and isinstance(error, TokenValidationError):
                    # A server that was started again may know no token from before: that is nothing to wait for.
                    delay, has_old_token = 0.0, False

    async def _is_hurried(self, delay: float) -> bool:
        """Wait before the next try; True if that was cut short because the machine woke up."""
        self._hurry.clear()
        try:
            async with asyncio.timeout(delay):
                await self._hurry.wait()
        except TimeoutError:
            return False
        return True

    def _unexpected(self, task: asyncio.Task[None]) -> BaseException | None:
        """Return what ended a task of the connection that goes on as long as that does; None where it was to end."""
        if not task.cancelled():
            return task.exception()
        return None if self._ended is not None else asyncio.CancelledError("it was cancelled from outside")

    def _begin_to_watch(self) -> None:
        if self._ended is None:
            self._watch = asyncio.create_task(self._watch_for_sleep(), name="tcnb clock")
            self._watch.add_done_callback(self._on_watch_over)

    def _on_watch_over(self, watch: asyncio.Task[None]) -> None:
        error = self._unexpected(watch)
        if error is not None:
            self._on_problem("the watch for a sleep of this machine", error)
            asyncio.get_running_loop().call_later(BEGIN_AGAIN, self._begin_to_watch)

    def _on_pings_over(self, link: Link, pinging: asyncio.Task[None]) -> None:
        """Make the connection anew when its pings have failed: nobody would notice that it has died."""
        error = self._unexpected(pinging)
        if error is not None and pinging is self._pinging:
            self._on_problem("the pings", error)
            link.give_up("its pings failed")

    async def _watch_for_sleep(self) -> None:
        """After each sleep of this machine, look at once whether the connection still stands."""
        loop = asyncio.get_running_loop()
        suspend_detector = SuspendDetector(loop.time())
        while True:
            await asyncio.sleep(clocks.TICK)
            if suspend_detector.was_suspended(loop.time()):
                self.statistics.wakes += 1
                logger.info("%s: this machine has slept, or its clock was set", self.address)
                self.clock.forget()
                self._hurry.set()
                if self._link is not None:
                    self._link.check(WAKE_TIMEOUT)

    async def _connect(self) -> Link:
        """Open a socket and authorize it."""
        try:
            token = await self._tokens.get()
        except TokenValidationError as error:
            error.renewable = self._tokens.can_renew  # type: ignore[attr-defined]
            raise
        loop = asyncio.get_running_loop()
        asked = loop.time()
        try:
            link = await Link.open(
                self.address,
                self._context,
                timeout=self.timeout,
                intake=self._take,
                statistics=self.statistics,
                on_problem=self._on_problem,
            )
        except InvalidStatus as error:
            raise WSConnectionError(await why_no_socket(self.address, error)) from error
        except (OSError, TimeoutError, InvalidHandshake, InvalidURI, InvalidProxy) as error:
            raise await why_unreachable(self.address, error) from error
        self.clock.dated(link.date, asked, loop.time())
        link.authorised = self.clock.now(loop.time()) * 1000
        try:
            await self._authorize(link, token)
        except BaseException as error:
            without_locals(error)
            link.socket.abort()
            raise
        self._link = link
        if self._pinging is not None:
            self._pinging.cancel()
        self._pinging = asyncio.create_task(link.keep_alive(PING_INTERVAL, PING_TIMEOUT), name="tcnb pings")
        self._pinging.add_done_callback(functools.partial(self._on_pings_over, link))
        self.statistics.connected()
        return link

    def _let_in(self) -> None:
        """Let those go on who wait for the connection, and tell of it; all that is counted of it is counted already."""
        self._let_in_at = asyncio.get_running_loop().time()
        self._ready.set()
        self._change(State("connected"))

    def _take(self, batch: Batch) -> None:
        """Pass notifications on, after a glance at what they tell about this account's own messages."""
        try:
            self._calls.heard(batch)
        except Exception as error:
            self._on_problem("telling own messages from those of others", error)
        self._intake(batch)

    def _login(self, token: Secret) -> dict[str, Any]:
        return {
            "token": token.reveal(),
            "tokenType": paths.TOKEN_TYPE,
            "receiveUnread": self._receive_unread,
            "receiveSystemMessageEnvelopes": self._receive_system,
        }

    async def _authorize(self, link: Link, token: Secret) -> None:
        # Only who waits for the end of a link fails what waits for its answers, and nobody else does yet.
        closing = asyncio.create_task(link.wait_closed(), name="tcnb login")
        try:
            answer = await link.ask("auth", self._login(token), timeout=self.timeout)
        except LinkBrokenError as error:
            raise WSConnectionError(f"{self.address} closed the socket during the login") from error
        except ApiErrorException as error:
            raise self._refused(error) from error
        finally:
            closing.cancel()
        if not isinstance(answer, dict) or not isinstance(answer.get("userId"), str):
            raise WSConnectionError(f"{self.address} answered the login without a user id")
        self.me_id = paths.bare_id(answer["userId"])

    def _refused(self, error: ApiErrorException) -> TcnbError:
        if error.code == codes.USER_DISABLED:
            return AuthenticationError("this account is disabled on the server: its administrator can enable it")
        if error.code in (codes.INVALID_CREDENTIALS, codes.CREDENTIALS_EXPIRED, codes.UNSUPPORTED_CREDENTIALS):
            self._tokens.discard()
            refused = TokenValidationError(f"the server refuses the token: {error.detail} [{error.code}]")
            refused.has_expired = error.code == codes.CREDENTIALS_EXPIRED
            return refused
        return WSConnectionError(f"{self.address} refuses the login: {error.detail} [{error.code}]")

    def lost(self, link: Link) -> None:
        """Take note that a link does not work any more: until it is known to be gone everywhere, asking again would go
        round without a pause.
        """
        if self._link is link and self._ended is None:
            self._ready.clear()

    async def renew(self, link: Link) -> None:
        """Drop an expired token together with its socket; the connection comes back with a fresh one."""
        if self._link is link and self._ready.is_set():
            self._ready.clear()
            self._tokens.discard()
            await link.close()

    async def link_by(self, deadline: float) -> Link:
        """Return the open link, waiting for it until `deadline` (loop time, s).

        Raises:
            WSConnectionError: there is none by then.
            AuthenticationError, NotConnectedError: there will be none.
        """
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

    async def wait_until_open(self) -> None:
        """Wait for the connection as long as a request would that is given no time; errors as of `link_by`."""
        await self.link_by(asyncio.get_running_loop().time() + self._allowed(None))

    def _allowed(self, timeout: float | None) -> float:
        return (time_left() or self.timeout) if timeout is None else check_timeout(timeout)

    def _end(self, error: Exception) -> None:
        """From now on every call fails with `error`."""
        if self._ended is None:
            self._ended = error
        self._ready.set()

    @property
    def is_foreign(self) -> bool:
        """Whether this is a forked child, which has neither the thread nor the socket."""
        return self.state.reason == FOREIGN

    def disown(self) -> None:
        """Note, in a forked child, that everything belongs to the parent; none of it is touched."""
        self.state = State("closed", FOREIGN)

    def _change(self, state: State) -> None:
        if state != self.state:
            self.state = state
            self._on_state(state)
