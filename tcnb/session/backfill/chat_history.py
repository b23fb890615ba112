"""One chat brought up to date from its history: what is missing, edited and removed; which chats, and when, is decided
elsewhere.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final, NamedTuple

from tcnb.client.connection import Connection
from tcnb.client.history import backwards
from tcnb.client.requests.matching import moment
from tcnb.record import views
from tcnb.record.intake import Intake
from tcnb.record.record import Record
from tcnb.session.backfill.diff import Edit, Finding, edited, matched, removed
from tcnb.session.backfill.history_pages import Envelope, of_chat, written_at
from tcnb.session.backfill.progress import NOT_ASKED, TOO_MANY, CatchUp, Progress
from tcnb.threads import to_thread

FIRST_USER_TYPE: Final = 200
"""Types of messages below are system messages (`protocol` section 5.3)."""


class Chat(NamedTuple):
    """A chat to look through.

    Attributes:
        id: the chat.
        edge: the time back to which the record must have every message, in microseconds since 1970.
        until: the position up to which everything had been recorded before the absence.
        has_news: whether its last message is newer than that.
    """

    id: str
    edge: int
    until: int
    has_news: bool


class ChatHistories:
    """Reads the histories of chats against the record.

    Args:
        connection: asked.
        record: what is known.
        intake: takes in what is found.
        progress: told what is found.
        limits: how far it goes.
        with_system: whether system messages belong into the record.

    Attributes:
        requests_left: questions to the server that may still be asked this time.

    All methods are called on the session's loop.
    """

    def __init__(
        self,
        connection: Connection,
        record: Record,
        intake: Intake,
        progress: Progress,
        *,
        limits: CatchUp,
        with_system: bool,
    ) -> None:
        self.requests_left = limits.requests
        self._connection = connection
        self._record = record
        self._intake = intake
        self._progress = progress
        self._limits = limits
        self._with_system = with_system
        self._locks: dict[str, asyncio.Lock] = {}

    def lock(self, chat_id: str) -> asyncio.Lock:
        """Return what keeps two from finding out the same of one chat at the same time."""
        return self._locks.setdefault(chat_id, asyncio.Lock())

    async def bring_up_to_date(self, chat: Chat) -> None:
        """Bring the record of one chat up to date."""
        async with self.lock(chat.id):
            asked_at = self._record.last_seq
            envelopes, reason = await self._read(chat)
            missing = [envelope for envelope in envelopes if self._is_missing(envelope, chat)]
            if missing:
                self._progress.found += 1
                await self._intake.take_past(missing)
                self._progress.messages += len(missing)
                self._progress.filled += reason is None
            if reason is not None:
                self._progress.left[chat.id] = reason
            known = await self._known(chat.id, envelopes)
            edits = edited(envelopes, known)
            removals = removed(chat.id, envelopes, known, until=chat.until, asked_at=asked_at)
            self._progress.edits += len(edits)
            self._progress.removals += len(removals)
            await self._take(edits + removals)

    async def find(self, chat_id: str, edits: list[Edit]) -> int:
        """Look for the messages of some edits; return how many were not found."""
        read: list[Envelope] = []
        async for page in backwards(self._connection.call, chat_id):
            read = sorted(read + of_chat(chat_id, page), key=moment)
            known = await self._known(chat_id, read)
            left = []
            for edit in edits:
                findings = matched(edit, read, known)
                if findings is None:
                    left.append(edit)
                    continue
                self._progress.edits += len(findings)
                await self._take(findings)
                if findings:
                    known = await self._known(chat_id, read)
            edits = left
            if not edits or len(read) >= self._limits.searched:
                break
        return len(edits)

    async def _read(self, chat: Chat) -> tuple[list[Envelope], str | None]:
        """Return the newest messages of a chat, oldest first, and why they do not go back as far as they should."""
        found: list[Envelope] = []
        missing = 0
        reason = None
        async for page in backwards(self._connection.call, chat.id):
            self.requests_left -= 1
            found += of_chat(chat.id, page)
            missing += sum(self._is_missing(envelope, chat) for envelope in page)
            is_there = bool(page) and written_at(min(page, key=moment)) < chat.edge
            if is_there and len(found) >= self._limits.compared:
                break
            if not is_there and missing >= self._limits.messages:
                reason = TOO_MANY
                break
            if self.requests_left <= 0:
                reason = None if is_there else NOT_ASKED
                break
        found.sort(key=moment)
        if missing > self._limits.messages:
            # The newest ones are taken, so that what is left has no hole in it.
            found = _newest(found, self._limits.messages, lambda envelope: self._is_missing(envelope, chat))
            reason = TOO_MANY
        return found, reason

    def _is_missing(self, envelope: Envelope, chat: Chat) -> bool:
        """Return whether a message belongs into the record and is not there."""
        if written_at(envelope) < chat.edge or (not self._with_system and _type(envelope) < FIRST_USER_TYPE):
            return False
        return not self._record.has_message(str(envelope.get("messageId")))

    async def _known(self, chat_id: str, envelopes: list[Envelope]) -> dict[str, views.KnownMessage]:
        """Return what the record knows of the stretch of a chat that was read."""
        if not envelopes:
            return {}
        since = written_at(envelopes[0])
        return await to_thread(lambda: views.known_messages(self._record.frame(), chat_id, since))

    async def _take(self, findings: list[Finding]) -> None:
        for finding in findings:
            await self._intake.take_reconciled(*finding)


def _newest(envelopes: list[Envelope], count: int, counts: Callable[[Envelope], bool]) -> list[Envelope]:
    """Return the end of a list that holds `count` of those messages that count."""
    for position in range(len(envelopes) - 1, -1, -1):
        count -= counts(envelopes[position])
        if count == 0:
            return envelopes[position:]
    return envelopes


def _type(envelope: Envelope) -> int:
    number = envelope.get("type")
    return number if isinstance(number, int) else FIRST_USER_TYPE
