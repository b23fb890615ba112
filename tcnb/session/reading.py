"""The verbs that read: the record's frames, the past, files, and the next event; blocking and awaited."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tcnb.arguments import check_int, check_timeout, named_chat, told_size
from tcnb.client.connection import Connection
from tcnb.client.deadlines import NO_END, asking_until
from tcnb.client.history import backwards
from tcnb.client.requests.matching import moment
from tcnb.client.transfer import Progress
from tcnb.errors import AmbiguousChatError, RequestTimeoutError, TcnbError, UnknownChatError
from tcnb.record import derived
from tcnb.record.intake import Intake
from tcnb.record.record import Record
from tcnb.session.backfill import history_pages as past
from tcnb.session.bridge import SyncBridge
from tcnb.session.participant_loader import ParticipantLoader
from tcnb.session.waiting import Waiters, method_of, refuse_unsaid
from tcnb.threads import to_thread
from tcnb.wire import names

if TYPE_CHECKING:
    import pandas as pd


class ReadingVerbs(SyncBridge):
    """What a session knows and can find out; each verb has a twin with an `a` before its name that is awaited.

    Attributes:
        record: what was said.
    """

    record: Record
    _connection: Connection
    _intake: Intake
    _waiters: Waiters
    _participants: ParticipantLoader

    @property
    def is_open(self) -> bool:
        """Whether this session can still be used; it reconnects by itself until `close`."""
        return not self._closed and self._connection.state.state != "closed"

    @property
    def df(self) -> pd.DataFrame:
        """Every event so far, one row an event: a snapshot with the fixed columns of the event frame."""
        return self._settled().frame()

    @property
    def messages(self) -> pd.DataFrame:
        """One row a message, with edits and removals applied."""
        return self._settled().messages()

    @property
    def chats(self) -> pd.DataFrame:
        """One row a chat: what is in the record and what the server lists."""
        if self.is_open and self._directory.stale:
            with contextlib.suppress(TcnbError):
                self.refresh()
        return self._settled().chats()

    @property
    def people(self) -> pd.DataFrame:
        """One row a person who wrote something, or is in one of the chats."""
        return self._settled().people()

    def known_chats(self) -> list[tuple[str | None, str, str]]:
        """Return title, id and kind of the chats known now; the network is not asked."""
        return [(chat.title, chat.chat_id, chat.chat_type.name.lower()) for chat in self._directory.chats()]

    def known_people(self) -> list[tuple[str | None, str]]:
        """Return display name (None where it is not known) and id of the people known now; the network is not asked.

        They are those who wrote something, and those in the chats, which are read in the background after connecting.
        """
        named = self._directory.people.names()
        nameless = [user_id for user_id in self._participants.ids() if user_id not in named]
        return [(name, user_id) for user_id, name in named.items()] + [(None, user_id) for user_id in nameless]

    @property
    def _can_ask(self) -> bool:
        return not self._closed and self._connection.state.state == "connected"

    def _watched(self, chat: Any) -> str:
        """Return the id of a chat that is looked at; that of a person who has no personal chat yet. None is made.

        Args:
            chat: id, title or person; also of a chat that the bot is in no more, of which the record knows.

        Raises:
            UnknownChatError, AmbiguousChatError: with candidates.
        """
        if isinstance(chat_id := getattr(chat, "chat_id", None), str):
            return chat_id
        name = named_chat(chat)
        try:
            return self._wait(self._directory.watched(name)) if self._can_ask else self._recorded(name) or name
        except UnknownChatError:
            if (past := self._recorded(name)) is None:
                raise
            return past

    def _recorded(self, name: str) -> str | None:
        """Return the id of the chat that a name means in the record, by the same rule; None where it knows of none.

        Raises:
            AmbiguousChatError: it could mean several.
        """
        chats = self.record.chats()[["chat_id", "chat"]].astype("str")
        if (name := names.linked_chat(name) or names.tidied(name)) in set(chats["chat_id"]):
            return name
        if names.is_word(name):
            user_id = names.folded(names.full_id(name, self._directory.people.domain or ""))
            rows = self.record.frame()
            rows = rows[(rows["chat_type"] == "p2p") & rows["author_id"].astype("str").str.casefold().eq(user_id)]
            if len(rows):
                return str(rows["chat_id"].iloc[-1])
            if names.is_user_id(name):
                return None
        called = chats[chats["chat"].fillna("").map(names.folded) == names.folded(name)]
        if len(called) > 1:
            raise AmbiguousChatError(
                name, [f"{title} ({chat_id})" for chat_id, title in called.itertuples(index=False)]
            )
        return str(called["chat_id"].iloc[0]) if len(called) else None

    async def arefresh(self) -> None:
        """Read the list of chats again; awaited twin of `refresh`."""
        await self._over(self._directory.refresh())

    def refresh(self) -> None:
        """Read the list of chats from the server again."""
        self._wait(self.arefresh())

    async def ahistory(
        self,
        chat: str,
        n: int | None = 100,
        *,
        since: derived.When | None = None,
        progress: past.Progress | None = None,
    ) -> pd.DataFrame:
        """Read the past of a chat; awaited twin of `history`."""

        async def work() -> pd.DataFrame:
            if n is not None:
                check_int(n, "n is the number of messages to go back", 1)
            start = None if since is None else derived.moment_of(since)
            chat_id = await self._directory.chat_id(chat)
            read = await past.read_back(
                self._connection,
                chat_id,
                most=n,
                since=None if start is None else round(start.timestamp() * 1_000_000),
                take=self._intake.take_past,
                progress=progress,
            )
            return await to_thread(self._read_from, chat_id, read, start, n)  # of what may be millions

        return await self._over(work())

    def _read_from(self, chat_id: str, read: Sequence[str], start: pd.Timestamp | None, n: int | None) -> pd.DataFrame:
        """Return the messages of a chat: those that were read, latest first, and what came live meanwhile behind."""
        messages = self.record.messages()
        places = {message_id: -place for place, message_id in enumerate(read)}
        here = messages[messages["chat_id"] == chat_id]
        here = here.assign(place=here["message_id"].map(places).fillna(1)).sort_values(["timestamp", "place"])
        here = here.drop(columns="place")
        if start is not None:
            here = here[(here["timestamp"] >= start).fillna(False)]
        return (here if n is None else here.tail(n)).reset_index(drop=True)

    def history(
        self,
        chat: str,
        n: int | None = 100,
        *,
        since: derived.When | None = None,
        progress: past.Progress | None = None,
    ) -> pd.DataFrame:
        """Read the past of a chat into the record and return its messages.

        Args:
            chat: id, title, or person.
            n: messages to go back, at most; None goes back to the beginning.
            since: do not go back beyond this moment, in the words of `since`: `"2026-01-01"`, `"90 days"`.
            progress: called on the bot's thread with the messages read so far, and when the earliest of them was
                written, in microseconds since 1970.

        Returns:
            The rows of `messages` for that chat, oldest first, at most `n`. What the record already has is not doubled.
            The interrupt button loses nothing: what was read until then is in the record.

        Raises:
            UsageError: `n` is below 1, or `since` is no moment.
            JournalError: it was read, and cannot be written into the journal just now; it will be when that works.
        """
        return self._wait(self.ahistory(chat, n, since=since, progress=progress))

    async def read_past(self, chat: str, before: str | None = None) -> AsyncIterator[int]:
        """Read the past of a chat into the record, a page whenever the next one is asked for, on the session's loop.

        Args:
            chat: id, title, or person.
            before: id of the message to go back from; None begins with the newest.

        Yields:
            How many messages of a page were not in the record.

        Raises:
            ApiErrorException: the server does not show them, or `before` was removed (306).
        """
        chat_id = await self._directory.chat_id(chat)
        async for page in backwards(self._connection.call, chat_id, before):
            messages = sorted(past.of_chat(chat_id, page), key=moment)
            new = [message for message in messages if not self.record.has_message(message["messageId"])]
            await self._intake.take_past(new)
            yield len(new)

    async def adownload(
        self,
        file_id: Any,
        file_path: str | Path | None = None,
        *,
        overwrite: bool = False,
        progress: Progress | None = None,
    ) -> bytes | Path:
        """Download a file; awaited twin of `download`."""
        return await self._over(
            self.bot.download_file_by_id(
                file_id, file_path=file_path, overwrite=overwrite, progress=progress, size=told_size(file_id)
            )
        )

    def download(
        self,
        file_id: Any,
        file_path: str | Path | None = None,
        *,
        overwrite: bool = False,
        progress: Progress | None = None,
    ) -> bytes | Path:
        """Download a file.

        In a folder it gets a safe form of the name that its sender gave it, and a number where that is taken: `plan
        (1).pdf`. What could run by lying there (`random.py`) goes into a folder `downloads` in it.

        Args:
            file_id: the file: its id, or what has one (a row of `df`, `messages` or `files`, what a sending returned).
            file_path: the very path to write it to; or a folder: one that exists, or a path that ends in a separator,
                which is made. None returns the bytes.
            overwrite: whether a file at that very path is replaced.
            progress: called on the bot's thread with bytes read and bytes in all.

        Returns:
            The bytes, or the path that was written.

        Raises:
            UsageError: `file_id` or `file_path` is neither; nothing was asked for.
            DestinationExistsError: there is a file at that very path, and `overwrite` is False.
            FileDownloadError: it is not to be had, or not whole: it has not the size that the server, its message or
                the row tells.
            InMemoryDownloadLimitExceededError: it is too large for the memory.
        """
        return self._wait(self.adownload(file_id, file_path, overwrite=overwrite, progress=progress))

    async def await_for(
        self,
        event: str = "message",
        *,
        chat: str | None = None,
        sender: str | None = None,
        timeout: float | None = 60.0,
    ) -> Any:
        """Wait for an event; awaited twin of `wait_for`."""

        async def work() -> Any:
            method_of(event)  # a mistyped kind is told before anybody is asked for a chat
            refuse_unsaid(event, chat=chat, sender=sender)
            allowed = NO_END if timeout is None else check_timeout(timeout)
            try:
                async with asking_until(asyncio.get_running_loop().time() + allowed):
                    chat_id = None if chat is None else await self._directory.waited(chat)
                    user_id = None if sender is None else await self._directory.user_id(sender)
                    return await self._waiters.wait(event, chat_id=chat_id, user_id=user_id)
            except TimeoutError:
                raise RequestTimeoutError(f"no {event} came within {allowed:g} s") from None

        return await self._over(work())

    def wait_for(
        self,
        event: str = "message",
        *,
        chat: str | None = None,
        sender: str | None = None,
        timeout: float | None = 60.0,
    ) -> Any:
        """Wait for the next event of a kind and return it.

        Args:
            event: as in the column `event` of `df`; a `message` is one of a person, and a `system_message` one that
                reports what happened to a chat.
            chat: id, title, or the login or id of a person; None takes any.
            sender: login or id of who wrote it; None takes any. Own messages never count.
            timeout: seconds for everything together, a wait for the connection and the look-up of chat and sender
                included; None waits until it comes or the interrupt button is pressed.

        Returns:
            The typed event (`tcnb.types`), bound to the bot, so that `event.reply(…)` can be awaited.

        Raises:
            RequestTimeoutError: no such event came in time.
            UnknownChatError, AmbiguousChatError: with candidates.
            UsageError: there is no such kind of event, the server does not say its chat or who did it, or a person is
                named by a display name, which anybody may take.
        """
        return self._wait(self.await_for(event, chat=chat, sender=sender, timeout=timeout))

    def _settled(self) -> Record:
        """Return the record, with everything in it that came before this call."""
        if not self._connection.is_foreign:
            self._intake.settle()
        return self.record
