"""A request seen through to its one outcome, over as many connections as that takes; how the connection is kept is not
known here.

The rules are in `tcnb.client.requests.policy`, and for people in `docs/reconnecting.md`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from tcnb.client.clocks import ServerClock
from tcnb.client.link import Batch, Link, LinkBrokenError, Request, content
from tcnb.client.requests import errors
from tcnb.client.requests.errors import UnclearError
from tcnb.client.requests.in_flight import Known, Place, Sending
from tcnb.client.requests.policy import LOOKED_FOR, RULES, USED_UP, Kind, Rule, rule_for, shows_done, shows_role
from tcnb.client.requests.reconciling import SETTLING, Recovery
from tcnb.client.requests.timers import Timers
from tcnb.client.statistics import Statistics
from tcnb.errors import (
    ApiErrorException,
    AuthenticationError,
    MalformedFrameError,
    NotConnectedError,
    OutcomeUnknownError,
    PortableError,
    RequestTimeoutError,
    WSConnectionError,
)
from tcnb.wire import codes
from tcnb.wire.frames import Frame
from tcnb.wire.notifications import LAST_MILLISECOND

MOST_TRIES: Final = 3
"""How often something that changes anything is sent at most."""

PATIENCE: Final = 2.5
"""Seconds without an answer after which it is looked whether the connection still stands, and as many until it is given
up; a quarter of the time allowed, if that is longer."""

NO_FILE: Final[Mapping[str, Any]] = {}

Late = Callable[[str, dict[str, Any], dict[str, Any], dict[str, Any]], None]
"""Told of a sending whose answer came after its caller had gone: method, request, answer, what is known of its file."""

_LOOKED_FOR: Final = frozenset(method for method, rule in RULES.items() if rule.kind in LOOKED_FOR)
"""Methods whose outcome is looked for on the server."""


class Line(Protocol):
    """What calls need of a connection; `tcnb.client.connection.Connection` is one."""

    statistics: Statistics
    clock: ServerClock
    me_id: str | None

    async def link_by(self, deadline: float) -> Link:
        """Return the open link, waiting for it until `deadline` (loop time, s)."""

    def lost(self, link: Link) -> None:
        """Take note that a link does not work any more."""

    async def renew(self, link: Link) -> None:
        """Drop an expired token together with its link."""


@dataclass(slots=True)
class _Call:
    """One request and what its caller allows.

    Attributes:
        allowed: seconds for everything together.
        deadline: when they are over (loop time, s).
        is_renewed: whether the token was renewed for it.
    """

    method: str
    payload: Any
    rule: Rule
    about: Mapping[str, Any]
    allowed: float
    deadline: float
    is_renewed: bool = False


@dataclass(slots=True, eq=False)
class _Wait:
    """A request that was written and waits for its answer.

    Attributes:
        request: itself.
        link: where it was written.
        call: on whose behalf.
        patience: seconds without an answer after which it is looked whether anybody is still there.
        sending: what it puts on the server, where that could be found out without the answer.
        place: where it puts that.
    """

    request: Request
    link: Link
    call: _Call
    patience: float
    sending: Sending | None
    place: Place | None


class Calls:
    """Sees every request of one account through to its one outcome.

    Args:
        line: the connection.

    Attributes:
        on_late: told of sendings whose answer came after their caller had gone.
    """

    def __init__(self, line: Line) -> None:
        self.on_late: Late | None = None
        self._line = line
        self._known = Known()
        self._recovery = Recovery(self._question, self._known)
        self._places: dict[str, Place] = {}
        self._waits = Timers(self._look)
        self._looks: set[asyncio.Future[None]] = set()

    def carry_out(
        self, method: str, payload: Any, *, timeout: float, about: Mapping[str, Any] = NO_FILE
    ) -> Coroutine[Any, Any, Any]:
        """Ask the server and return the content of its answer, to be awaited; see `Connection.call`."""
        deadline = asyncio.get_running_loop().time() + timeout
        call = _Call(method, payload, rule_for(method), about, timeout, deadline)
        if method in _LOOKED_FOR and isinstance(payload, dict):
            return self._sending(call)
        return self._asking(call)

    def heard(self, batch: Batch) -> None:
        """Take note of what the notifications of a batch tell about this account's own messages."""
        if self._line.me_id is not None:
            self._known.heard(batch, self._line.me_id, asyncio.get_running_loop().time())

    async def _question(self, method: str, payload: Any) -> Any:
        """Ask something that changes nothing, for as long as whoever asks is willing to wait."""
        return await self.carry_out(method, payload, timeout=60.0)

    # -- what is asked again, or told ----------------------------------------------------------------------------------

    async def _asking(self, call: _Call) -> Any:
        """See a request through that may be done twice, or of which nothing can be found out."""
        tries = 0
        while True:
            link = await self._link(call, is_lost=tries > 0)
            try:
                request = link.request(call.method, call.payload)
                self._line.statistics.repeated += tries > 0
                return await self._answer(link, request, call)
            except ApiErrorException as error:
                if await self._is_renewed(link, call, error):
                    continue
                if tries and await self._was_done(call, error.code):
                    self._line.statistics.recovered += 1
                    return {}
                raise
            except LinkBrokenError as broken:
                self._line.lost(link)
                if not broken.is_written or call.rule.kind is Kind.READ:
                    continue
                tries += 1
                if call.rule.kind is Kind.TELL or tries == MOST_TRIES:
                    raise self._unknown(call, f"sent {tries} times" if tries > 1 else "nothing shows it") from None

    async def _was_done(self, call: _Call, code: int) -> bool:
        """Return whether a refused repetition means that the first request was carried out."""
        if shows_done(call.method, call.payload, code, self._line.me_id):
            return True
        if not shows_role(call.method, code):
            return False
        place = {name: call.payload.get(name) for name in ("chatId", "userId")}
        try:
            async with asyncio.timeout_at(call.deadline):
                found = await self._question("getChatParticipant", place)
        except ApiErrorException:
            return False
        except TimeoutError:
            raise self._unknown(call, f"it could not be found out within {call.allowed:g} s") from None
        return isinstance(found, dict) and found.get("role") == call.payload.get("role")

    # -- what is looked for ----------------------------------------------------------------------------------------

    async def _sending(self, call: _Call) -> Any:
        """See a request through that puts something on the server."""
        name = str(call.payload.get("chatId", call.method))
        place = self._places.get(name) or self._places.setdefault(name, Place())
        while True:
            link = await self._line.link_by(call.deadline)
            if place.lost:
                # What was sent before goes first, and nobody takes this for it.
                await self._wait_for(place, call)
                continue
            try:
                request = link.request(call.method, call.payload)
            except LinkBrokenError:
                self._line.lost(link)
                continue
            sending = self._begin(call, link)
            place.in_flight[sending] = None
            try:
                result = await self._answer(link, request, call, sending, place)
                self._answered(sending, result, link)
                return result
            except ApiErrorException as error:
                if not await self._is_renewed(link, call, error):
                    raise
            except (RequestTimeoutError, asyncio.CancelledError):
                self._abandon(sending, place, request, link)
                raise
            except LinkBrokenError:
                self._line.lost(link)
                sending.lost_at = asyncio.get_running_loop().time()
                place.lose(sending)
                return await self._recover(sending, place, call)
            finally:
                place.end(sending)

    async def _recover(self, sending: Sending, place: Place, call: _Call) -> Any:
        """Find out what became of a lost sending, and send it again if it was surely not carried out."""
        try:
            # One after another, so that none takes for its own what another one sends again.
            async with asyncio.timeout_at(call.deadline), place.lock:
                return await self._find_or_repeat(sending, place, call)
        except ApiErrorException:
            raise
        except OutcomeUnknownError:
            self._give_up(sending, place)
            raise
        except UnclearError as error:
            self._give_up(sending, place)
            raise self._unknown(call, str(error)) from None
        except TimeoutError:
            self._give_up(sending, place)
            raise self._unknown(call, f"it could not be found out within {call.allowed:g} s") from None
        except (WSConnectionError, AuthenticationError, NotConnectedError, MalformedFrameError) as error:
            self._give_up(sending, place)
            raise self._unknown(call, str(error)) from error
        except asyncio.CancelledError:
            self._give_up(sending, place)
            raise

    async def _find_or_repeat(self, sending: Sending, place: Place, call: _Call) -> Any:
        for _ in range(1, MOST_TRIES):
            found = await self._find(sending, place)
            if found is not None:
                return found
            result = await self._repeat(sending, place, call)
            if result is not None:
                return result
        found = await self._find(sending, place)
        if found is not None:
            return found
        raise UnclearError(f"it was sent {MOST_TRIES} times, and the connection broke each time")

    async def _find(self, sending: Sending, place: Place) -> Any:
        found = await self._recovery.find(sending, place, self._line.me_id or "")
        self._line.statistics.recovered += found is not None
        return found

    async def _repeat(self, sending: Sending, place: Place, call: _Call) -> Any:
        """Send a lost sending again and return the content of its answer; None if the connection breaks again."""
        while True:
            link = await self._line.link_by(call.deadline)
            try:
                request = link.request(call.method, call.payload)
            except LinkBrokenError:
                self._line.lost(link)
                continue
            self._line.statistics.repeated += 1
            self._known.expect(asyncio.get_running_loop().time(), call.deadline)
            try:
                result = await self._answer(link, request, call)
            except (RequestTimeoutError, asyncio.CancelledError):
                self._abandon(sending, place, request, link)
                raise
            except LinkBrokenError:
                self._line.lost(link)
                sending.lost_at = asyncio.get_running_loop().time()
                return None
            except ApiErrorException as error:
                if await self._is_renewed(link, call, error):
                    continue
                return await self._refused_again(sending, place, call, error)
            self._answered(sending, result, link)
            return result

    async def _refused_again(self, sending: Sending, place: Place, call: _Call, error: ApiErrorException) -> Any:
        """Return the answer if a refused repetition shows that the first sending came through after all."""
        if call.method != "sendFile" or error.code not in USED_UP:
            raise error
        found = await self._find(sending, place)
        if found is None:
            raise UnclearError(f"the server does not take the file again ([{error.code}] {error.detail})") from None
        return found

    # -- inside ----------------------------------------------------------------------------------------------------

    async def _answer(
        self, link: Link, request: Request, call: _Call, sending: Sending | None = None, place: Place | None = None
    ) -> Any:
        """Wait for an answer and return its content; on the way it is looked whether anybody is still there.

        Args:
            link: where it was asked.
            request: what was asked.
            call: on whose behalf.
            sending: what it puts on the server, where it is found out what the answer would be if that does not come
                although the connection stands.
            place: where it puts that.

        Raises:
            ApiErrorException: it is a refusal.
            LinkBrokenError: the connection broke first.
            RequestTimeoutError: the time is up.
        """
        wait = _Wait(request, link, call, max(PATIENCE, call.allowed / 4), sending, place)
        self._waits.add(wait, min(asyncio.get_running_loop().time() + wait.patience, call.deadline))
        try:
            said = await request.answer
        except TimeoutError:
            link.check(wait.patience)
            if call.rule.kind is Kind.READ:
                raise errors.silent(call.method, call.allowed) from None
            self._line.statistics.unknown += 1
            raise errors.unanswered(call.method, call.allowed) from None
        finally:
            self._waits.remove(wait)
        if not isinstance(said, Frame):
            return said
        try:
            return content(said, call.method, call.payload)
        except MalformedFrameError as error:
            if call.rule.kind is Kind.READ:
                raise
            self._line.statistics.unknown += 1
            raise errors.unreadable(call.method) from error

    def _look(self, wait: _Wait, now: float) -> float | None:
        """Look after a request that waits: whether anybody is still there, and whether its time is up.

        Returns:
            when to look again (loop time, s); None for never.
        """
        if wait.request.answer.done():
            return None
        if now >= wait.call.deadline:
            wait.request.answer.set_exception(TimeoutError())
            return None
        wait.link.check(wait.patience)
        if wait.sending is not None and wait.place is not None:
            look = asyncio.ensure_future(self._look_early(wait.request, wait.patience, wait.sending, wait.place))
            self._looks.add(look)
            look.add_done_callback(self._looks.discard)
            wait.request.answer.add_done_callback(lambda _: look.cancel())
        return wait.call.deadline

    async def _look_early(self, request: Request, patience: float, sending: Sending, place: Place) -> None:
        """Fulfil a request whose answer does not come although the connection stands, if what it made is there."""
        await asyncio.sleep(patience)
        try:
            found = await self._recovery.find_early(sending, place, self._line.me_id or "")
        except (RequestTimeoutError, WSConnectionError, AuthenticationError, NotConnectedError, MalformedFrameError):
            return
        if found is not None and not request.answer.done():
            self._line.statistics.recovered += 1
            request.answer.set_result(found)

    def _begin(self, call: _Call, link: Link) -> Sending:
        now, clock = asyncio.get_running_loop().time(), self._line.clock
        self._known.expect(now, call.deadline)
        return Sending(
            call.method,
            call.payload,
            call.about,
            link,
            now,
            clock.earliest(now),
            clock.latest(now),
            clock.is_measured,
        )

    def _answered(self, sending: Sending, result: Any, link: Link) -> None:
        """Learn from an answer whose message it is and what the server's clock says."""
        if not isinstance(result, dict):
            return
        stamp = result.get("timestamp")
        if isinstance(stamp, int) and 0 < stamp <= LAST_MILLISECOND and sending.link is link:
            self._line.clock.stamped(stamp, sending.written_at, asyncio.get_running_loop().time())
        id = result.get("messageId", result.get("chatId"))
        if isinstance(id, str):
            self._known.answered(id, link)
        caption_id = result.get("captionMessageId")
        if isinstance(caption_id, str):
            self._known.claim(caption_id)

    def _abandon(self, sending: Sending, place: Place, request: Request, link: Link) -> None:
        """Take note that the caller goes while the answer may still come."""
        place.give_up(sending)

        def late(said: Any) -> None:
            if said is None:
                self._limit(sending)
                return
            place.given_up.pop(sending, None)
            try:
                result = content(said, sending.method, sending.request) if isinstance(said, Frame) else said
            except (ApiErrorException, MalformedFrameError):
                return
            self._line.statistics.late += 1
            self._answered(sending, result, link)
            if self.on_late is not None and isinstance(result, dict):
                self.on_late(sending.method, dict(sending.request), result, dict(sending.about))

        answer = request.answer
        if answer.cancel() or answer.cancelled() or isinstance(answer.exception(), TimeoutError):
            request.on_late = late
        else:
            # It came, or could come no more, in the very moment in which the caller went.
            late(None if answer.exception() else answer.result())

    def _give_up(self, sending: Sending, place: Place) -> None:
        """Take note that the caller goes without knowing what became of a lost sending."""
        if sending not in place.given_up:
            place.give_up(sending)
            self._limit(sending)

    def _limit(self, sending: Sending) -> None:
        now = asyncio.get_running_loop().time()
        sending.until = self._line.clock.latest(now + SETTLING)

    async def _link(self, call: _Call, *, is_lost: bool) -> Link:
        """Return the open link; where that is the second one for a request that changes something, its end is told."""
        try:
            return await self._line.link_by(call.deadline)
        except (WSConnectionError, AuthenticationError, NotConnectedError) as error:
            if is_lost and call.rule.kind is not Kind.READ:
                raise self._unknown(call, str(error)) from error
            raise

    async def _wait_for(self, place: Place, call: _Call) -> None:
        """Wait until nothing is looked for in a place.

        Raises:
            WSConnectionError: the time is up, and nothing was sent.
        """
        try:
            async with asyncio.timeout_at(call.deadline):
                await place.is_free.wait()
        except TimeoutError:
            raise WSConnectionError(
                f"{call.method}: nothing was sent, because what was sent there before is still being looked for after "
                "the connection broke: try again"
            ) from None

    async def _is_renewed(self, link: Link, call: _Call, error: ApiErrorException) -> bool:
        """Return whether a refusal was about the token and a fresh one is on its way, for the first time."""
        if error.code not in (codes.CREDENTIALS_EXPIRED, codes.NOT_AUTHORIZED) or call.is_renewed:
            return False
        call.is_renewed = True
        await self._line.renew(link)
        return True

    def _unknown(self, call: _Call, reason: str) -> OutcomeUnknownError:
        self._line.statistics.unknown += 1
        return errors.unknown(call.method, reason)


class _NotCarriedOut(PortableError):
    """The server refused a sending for the token, so it can be sent again as if for the first time."""
