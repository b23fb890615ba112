"""Finding out on the server whether a request whose answer was lost was carried out; when that is done, and what is
done then, is not known here.

Source: `protocol` sections 5.3, 6.2 and 6.4.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any, Final

from tcnb.client.directory.chat_list import UnfinishedListError, every_record
from tcnb.client.history import Ask, backwards
from tcnb.client.requests.errors import UnclearError
from tcnb.client.requests.in_flight import Known, Place, Sending, free, whose
from tcnb.client.requests.matching import PLAIN, answer, is_caption, likeness, moment
from tcnb.client.requests.matching import MatchScore as Like
from tcnb.client.requests.policy import Kind, rule_for
from tcnb.errors import ApiErrorException
from tcnb.types.enums import ChatType, MessageType
from tcnb.wire import codes, names, paths

SETTLING: Final = 2.0
"""Seconds after a break in which a server may still carry out what it got; only after them is anything taken to be
missing. A server handles a request within milliseconds."""

MOST_READ: Final = 20_000
"""Messages behind a sending that are read to find it; more than a chat takes while somebody waits."""

PAUSE: Final = 0.5
"""Seconds between two looks, the first of which was refused for a reason that passes."""

_PASSING: Final = codes.TRANSIENT | {codes.MESSAGE_NOT_FOUND}
"""Refusals that pass; among them that of a page behind a message that was just removed."""

_KINDS_OF_CHAT: Final = {"createGroupChat": ChatType.GROUP, "createChannel": ChatType.CHANNEL}


class Recovery:
    """Looks on the server for the result of a sending.

    Args:
        ask: asks the server something that changes nothing; it sees to breaks by itself.
        known: whose the messages and chats of this account are.
    """

    def __init__(self, ask: Ask, known: Known) -> None:
        self._ask = ask
        self._known = known

    async def find(self, sending: Sending, place: Place, me_id: str) -> dict[str, Any] | None:
        """Return the answer that a lost sending got or would have got; None where it was surely not carried out.

        Args:
            sending: what was sent.
            place: where, with everything else that is under way there.
            me_id: the id of this account.

        Raises:
            UnclearError: it cannot be told.
            RequestTimeoutError, WSConnectionError, AuthenticationError, NotConnectedError: nothing could be asked.
        """
        loop = asyncio.get_running_loop()
        while True:
            rest = sending.lost_at + SETTLING - loop.time()
            found = await self._look(sending, place, me_id, is_settled=rest <= 0)
            if found is not None or rest <= 0:
                return found
            await asyncio.sleep(rest)

    async def find_early(self, sending: Sending, place: Place, me_id: str) -> dict[str, Any] | None:
        """Return the answer that a sending would have got whose connection still stands, if it surely is there.

        Raises:
            RequestTimeoutError, WSConnectionError, AuthenticationError, NotConnectedError: nothing could be asked.
        """
        try:
            return await self._look(sending, place, me_id, is_settled=False, is_lost=False)
        except UnclearError:
            return None

    async def _look(
        self, sending: Sending, place: Place, me_id: str, *, is_settled: bool, is_lost: bool = True
    ) -> dict[str, Any] | None:
        """Look once, or for as long as somebody waits where the server cannot answer just now."""
        kind = rule_for(sending.method).kind
        while True:
            try:
                if kind is Kind.MESSAGE:
                    return await self._message(sending, place, me_id, is_settled=is_settled, is_lost=is_lost)
                if kind is Kind.CHAT:
                    return await self._chat(sending, place, me_id, is_lost=is_lost)
                return await self._cleared(sending) if is_lost else None
            except ApiErrorException as error:
                if error.code not in _PASSING:
                    raise UnclearError(f"the server does not show it: {error}") from error
                await asyncio.sleep(PAUSE)

    async def _message(
        self, sending: Sending, place: Place, me_id: str, *, is_settled: bool, is_lost: bool
    ) -> dict[str, Any] | None:
        window, older = await self._read(sending)
        mine = free(window, self._known, sending, me_id)
        rivals, has_ghosts = place.rivals(sending, is_lost=is_lost)
        found = _pick(sending, mine, rivals, are_all_lost=is_lost and not has_ghosts)
        if found is None:
            if is_lost and is_settled:
                _check_absence(sending, window, older, mine, free(older, self._known, sending, me_id))
            return None
        result = answer(sending.method, sending.request, found)
        caption = self._caption(sending, mine, found)
        if caption is not None:
            result["captionMessageId"] = caption
        elif "caption" in sending.request.get("content", {}) and not is_settled:
            return None
        for name in ("messageId", "captionMessageId"):
            if isinstance(result.get(name), str):
                self._known.claim(result[name])
        return result

    async def _read(self, sending: Sending) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """Return what was said since a sending and a page of what was said before, both oldest first."""
        window: list[dict[str, Any]] = []
        older: list[dict[str, Any]] = []
        async for page in backwards(self._ask, str(sending.request.get("chatId"))):
            for envelope in page:
                (window if moment(envelope)[0] >= sending.not_before else older).append(envelope)
            if older:
                break
            if len(window) >= MOST_READ:
                raise UnclearError(f"more than {MOST_READ:,} messages followed")
        return sorted(window, key=moment), sorted(older, key=moment)

    def _caption(self, sending: Sending, mine: Sequence[Mapping[str, Any]], found: Mapping[str, Any]) -> Any:
        """Return the id of the caption that came with a file: the nearest one that reads so."""
        if sending.method != "sendFile":
            return None
        place = mine.index(found)
        near = sorted(range(len(mine)), key=lambda other: abs(other - place))
        return next((mine[other].get("messageId") for other in near if is_caption(sending.request, mine[other])), None)

    async def _chat(self, sending: Sending, place: Place, me_id: str, *, is_lost: bool) -> dict[str, Any] | None:
        kind, title = _KINDS_OF_CHAT[sending.method], _tidied(sending.request.get("title"))
        born: list[tuple[tuple[int, int, str], dict[str, Any]]] = []
        try:
            listed = [record async for record in every_record(self._ask) if record.get("chatType") == kind]
        except UnfinishedListError as error:
            raise UnclearError(str(error)) from error
        for record in listed:
            id = record["chatId"]
            if _tidied(record.get("title")) == title and self._known.is_free(id, sending):
                birth = await self._birth(id, record, sending, me_id)
                if birth is not None:
                    born.append((birth, record))
        rivals, has_ghosts = place.rivals(sending, is_lost=is_lost)
        candidates = [record for _, record in sorted(born, key=lambda pair: pair[0])]
        found = whose(candidates, sending, rivals, are_all_lost=is_lost and not has_ghosts)
        if found is None:
            return None
        self._known.claim(found["chatId"])
        return {"chatId": found["chatId"]}

    async def _birth(
        self, chat_id: str, record: Mapping[str, Any], sending: Sending, me_id: str
    ) -> tuple[int, int, str] | None:
        """Return when this account made a chat; None where it is older than the sending.

        A chat begins with an entry about its owner (`protocol` section 5.3).

        Raises:
            UnclearError: its beginning is not to be seen.
        """
        last = record.get("lastMessage")
        if isinstance(last, dict) and moment(last)[0] < sending.not_before:
            return None
        oldest: dict[str, Any] | None = None
        async for page in backwards(self._ask, chat_id):
            oldest = page[-1]
            if moment(oldest)[0] < sending.not_before:
                return None
        content = (oldest or {}).get("content")
        content = content if isinstance(content, dict) else {}
        is_mine = paths.bare_id(str(content.get("userId"))).casefold() == me_id.casefold()
        if oldest is None or oldest.get("type") != MessageType.PARTICIPANT_ROLE or not is_mine:
            raise UnclearError("a chat of that title is there, and its beginning is not to be seen")
        return moment(oldest)

    async def _cleared(self, sending: Sending) -> dict[str, Any] | None:
        """Return the answer of a clearing that was carried out; None where older messages can be seen."""
        window, older = await self._read(sending)
        if older:
            return None
        if any(envelope.get("type") == MessageType.CLEAR_CHAT_HISTORY for envelope in window):
            return {}
        if any(moment(envelope)[0] < sending.surely_after for envelope in window):
            raise UnclearError("messages of that very moment are there")
        return {}


def _pick(
    sending: Sending, mine: Iterable[Mapping[str, Any]], rivals: Sequence[Sending], *, are_all_lost: bool
) -> Mapping[str, Any] | None:
    """Return which of this account's messages a sending made; those that are exactly what was sent come first."""
    likes = [(likeness(sending.method, sending.request, sending.about, envelope), envelope) for envelope in mine]
    exact = [envelope for like, envelope in likes if like is Like.EXACT]
    same = [one for one in rivals if one.request == sending.request or one.method != sending.method]
    if exact and len(exact) <= len(same):
        return whose(exact, sending, same, are_all_lost=are_all_lost)
    return whose([envelope for like, envelope in likes if like], sending, rivals, are_all_lost=are_all_lost)


def _check_absence(
    sending: Sending,
    window: Sequence[Mapping[str, Any]],
    older: Sequence[Mapping[str, Any]],
    mine: Sequence[Mapping[str, Any]],
    mine_before: Iterable[Mapping[str, Any]],
) -> None:
    """Raise `UnclearError` where the result of a sending may have been there and cannot be recognised any more."""
    if any(envelope.get("isEdited") and envelope.get("type") == PLAIN for envelope in mine):
        raise UnclearError("a message of this account was edited meanwhile")
    if has_hole(window, older):
        raise UnclearError("a message was removed from the chat meanwhile")
    if not sending.is_measured and any(
        likeness(sending.method, sending.request, sending.about, envelope) for envelope in mine_before
    ):
        raise UnclearError("one like it is there, and the clocks of server and client were not compared")


def has_hole(window: Sequence[Mapping[str, Any]], older: Sequence[Mapping[str, Any]]) -> bool:
    """Return whether the numbers of messages show that one is missing since a sending.

    A chat's messages seem to be numbered one by one (`protocol` section 4.3). Where the older ones are not, a number
    that is missing means nothing.

    Args:
        window: what was said since, oldest first.
        older: some of what was said before, oldest first.
    """
    before = [moment(envelope)[1] for envelope in older]
    numbers = before[-1:] + [moment(envelope)[1] for envelope in window]
    if 0 in before or 0 in numbers or _gaps(before):
        return False
    return _gaps(numbers)


def _gaps(numbers: Sequence[int]) -> bool:
    return any(later - earlier > 1 for earlier, later in pairwise(numbers))


def _tidied(title: Any) -> str | None:
    return names.tidied(title) if isinstance(title, str) else None
