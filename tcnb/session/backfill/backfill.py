"""After an absence: what was said, edited and removed meanwhile is read from the chats' history, in the background.

Which chats are looked at, and when, is decided here; what is done with one of them stands in `chat_history`.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from typing import Any, Final

import msgspec

from tcnb.client.connection import Connection
from tcnb.client.directory.chat_list import UnfinishedListError, every_record
from tcnb.errors import ApiErrorException, JournalError, TcnbError
from tcnb.journal.journal import Journal
from tcnb.record import views
from tcnb.record.intake import Intake
from tcnb.record.record import Record
from tcnb.record.views import Edge
from tcnb.session.backfill.chat_history import Chat, ChatHistories
from tcnb.session.backfill.diff import Edit, edit_of
from tcnb.session.backfill.history_pages import written_at
from tcnb.session.backfill.progress import CLOSED, NOT_ASKED, REFUSED, UNFINISHED, CatchUp, Progress
from tcnb.session.background import Background
from tcnb.threads import to_thread
from tcnb.wire import codes

logger = logging.getLogger("tcnb.session")

AT_ONCE: Final = 2
"""Chats whose history is read at the same time, so that whoever works with the bot hardly notices."""

NOT_LISTED: Final = ""
"""Stands for the chats that the list of chats lacks, among the ids of those that were not looked through."""

PAUSES: Final = (30.0, 120.0, 600.0)
"""Seconds after which looking back is tried again where the server did not answer; then the next connection does it."""

MOST_SHORT_LIVED: Final = 1
"""Connections in a row that may break soon; behind more of them, the next one has to prove that it holds."""

PROOF: Final = 5.0
"""Seconds that it has to hold before anything is asked: what is begun and cut short each time is asked for nothing."""

MOST_MATCHING: Final = 200
"""Chats in which the messages of edits are looked for at the same time; edits in further ones stay without theirs."""

CLOSED_TO_US: Final = frozenset(
    {codes.ACCESS_DENIED, codes.NOT_ENOUGH_RIGHTS, codes.CHAT_NOT_FOUND, codes.NOT_A_PARTICIPANT}
)
"""Answers after which a history is not asked for again: it is not for this account."""


class CatchingUp:
    """Looks back after each absence of one session.

    Nothing is missing before the session was away for the first time, or before the position that the journal remembers
    of an earlier session. That position is noted before anything new can be recorded, and forgotten only when every
    chat has been looked through: so a kernel that is killed in between leaves the rest to the next one.

    Args:
        connection: asked.
        record: what is known.
        intake: takes in what is found.
        background: where it goes on.
        limits: how far it goes; None looks at nothing.
        journaled: whether the intake has a journal.
        with_system: whether system messages belong into the record.

    Attributes:
        progress: how far it is, and what came of it.

    All methods are called on the session's loop.
    """

    def __init__(
        self,
        connection: Connection,
        record: Record,
        intake: Intake,
        background: Background,
        *,
        limits: CatchUp | None,
        journaled: bool,
        with_system: bool,
    ) -> None:
        self.progress = Progress()
        self._connection = connection
        self._record = record
        self._intake = intake
        self._background = background
        self._is_wanted = limits is not None
        self._limits = limits or CatchUp()
        self._journaled = journaled
        self._histories = ChatHistories(
            connection, record, intake, self.progress, limits=self._limits, with_system=with_system
        )
        self._watermark: int | None = None
        self._is_away = False
        self._task: asyncio.Task[None] | None = None
        self._edits: dict[str, list[Edit]] = {}
        self._matching: set[asyncio.Task[None]] = set()

    def away(self) -> None:
        """Take note that there is no connection: from here on messages may be missed."""
        if self._is_away:
            return
        self._is_away = True
        self._stop()
        if self._journaled:
            self._intake.note(Journal.mark_gap)
        elif self._watermark is None:
            self._watermark = self._record.last_seq

    def back(self) -> None:
        """Take note that there is a connection, and begin to look back."""
        self._is_away = False
        self._stop()
        if self._is_wanted:
            self._task = self._background.start(self._look_back())

    def edited(self, payload: bytes | msgspec.Raw) -> None:
        """Look for the message of an edit that the server told of without naming it."""
        said = edit_of(payload) if self._is_wanted else None
        if said is None:
            return
        chat_id, edit = said
        if chat_id not in self._edits and len(self._matching) >= MOST_MATCHING:
            self.progress.unmatched += 1
            return
        waiting = self._edits.setdefault(chat_id, [])
        waiting.append(edit)
        if len(waiting) == 1:
            task = self._background.start(self._match(chat_id))
            self._matching.add(task)
            task.add_done_callback(self._matching.discard)

    async def settled(self) -> None:
        """Wait until nothing is looked for any more, or the session is away."""
        while tasks := [task for task in (self._task, *self._matching) if task is not None and not task.done()]:
            await asyncio.wait(tasks)

    def _stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            self._task = None

    # -- looking through all chats -----------------------------------------------------------------------------------

    async def _look_back(self) -> None:
        """Look through all chats; where the server does not answer, try again later."""
        if self._connection.short_lived > MOST_SHORT_LIVED:
            await asyncio.sleep(PROOF)
        for pause in (*PAUSES, None):
            try:
                is_whole = await self._look_through()
            except (TcnbError, OSError) as error:
                logger.info("looking back was interrupted: %s", error)
                self.progress.problem = str(error)
            except Exception as error:
                self._background.on_problem("looking back", error)
                self.progress.problem = repr(error)
            else:
                self.progress.problem = None
                if is_whole:
                    self._trust()
                return
            finally:
                self.progress.chats = self.progress.looked = 0
            if pause is not None:
                await asyncio.sleep(pause)

    async def _look_through(self) -> bool:
        """Look through all chats; return whether none of them can lack a message any more."""
        until = await self._known_whole()
        self._histories.requests_left = self._limits.requests
        self.progress.left.clear()
        listed = await self._listed()
        edges = await to_thread(lambda: views.edges(self._record.frame(), until))
        todo = deque(_plan(listed, edges, until, self._limits))
        self.progress.chats, self.progress.looked = len(todo), 0
        workers = [asyncio.ensure_future(self._work_off(todo)) for _ in range(AT_ONCE)]
        try:
            await asyncio.gather(*workers)
        finally:
            for worker in workers:
                worker.cancel()
        return not any(id == NOT_LISTED or reason in UNFINISHED for id, reason in self.progress.left.items())

    async def _known_whole(self) -> int:
        """Wait until everything that came is in the record; return the position up to which no chat lacks a message."""
        until = self._watermark
        if self._journaled:
            answer: list[int | None] = []
            self._intake.note(lambda journal: answer.append(journal.watermark()))
            await self._intake.take_past([])
            if not answer:
                raise JournalError("the journal was closed before the session had looked back")
            until = answer[-1]
        return self._record.last_seq if until is None else until

    def _trust(self) -> None:
        if self._journaled:
            self._intake.note(Journal.clear_gap)
        else:
            self._watermark = None

    async def _listed(self) -> list[dict[str, Any]]:
        """Return the chats as the server lists them, with their last messages (`protocol` section 6.2)."""

        async def ask(method: str, request: Any) -> Any:
            self._histories.requests_left -= 1
            return await self._connection.call(method, request)

        found: list[dict[str, Any]] = []
        try:
            async for chat in every_record(ask):
                found.append(chat)
        except UnfinishedListError as error:
            self.progress.left[NOT_LISTED] = str(error)
            logger.info("%s", error)
        return found

    async def _work_off(self, todo: deque[Chat]) -> None:
        """Look into one chat after the other; what is wrong with one stops none of the others."""
        while todo:
            chat = todo.popleft()
            try:
                if self._histories.requests_left > 0:
                    await self._histories.bring_up_to_date(chat)
                elif chat.has_news:
                    self.progress.left[chat.id] = NOT_ASKED
            except ApiErrorException as error:
                self.progress.left[chat.id] = CLOSED if error.code in CLOSED_TO_US else REFUSED
                logger.info("the history of %s could not be read: %s", chat.id, error)
            self.progress.looked += 1

    # -- edits that name no message ----------------------------------------------------------------------------------

    async def _match(self, chat_id: str) -> None:
        """Find the messages of the edits of a chat that wait for theirs."""
        async with self._histories.lock(chat_id):
            # Later ones begin anew; until here they join those that wait.
            edits = self._edits.pop(chat_id)
            try:
                left = await self._histories.find(chat_id, edits)
            except (TcnbError, OSError) as error:
                logger.info("the messages of %d edits could not be looked for: %s", len(edits), error)
                left = len(edits)
            self.progress.unmatched += left


def _plan(listed: list[dict[str, Any]], edges: dict[str, Edge], until: int, limits: CatchUp) -> list[Chat]:
    """Return the chats to look through: those that have news first, then the others, the latest first.

    A chat of which the record has nothing begins with its first event here: nothing is missing in it.
    """
    chats = []
    for chat in listed:
        edge, last = edges.get(chat["chatId"]), chat.get("lastMessage")
        if edge is None or not isinstance(last, dict):
            continue
        # Where the record has nothing from before the absence, it begins with the oldest that it has.
        reached = edge.oldest if edge.newest is None else edge.newest
        said = written_at(last)
        has_news = said > reached
        if has_news or limits.compared:
            chats.append((not has_news, -said, Chat(chat["chatId"], reached, until, has_news)))
    return [chat for _, _, chat in sorted(chats)]
