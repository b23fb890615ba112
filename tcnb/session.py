"""One connected bot: its thread, its client, its record; the sync and the async face that people use.

The way of what arrives: connection → journal → record → acknowledgement → waiters, handlers, listeners (widgets).
The way of a sending: a verb → the bot's loop → the server → the caller, and on its way the journal and the record.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import logging
import os
import time
import weakref
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from tcnb import http
from tcnb.client.address import Address
from tcnb.client.bot import Bot
from tcnb.client.connection import Connection, State
from tcnb.client.credentials import find_credentials
from tcnb.client.directory import LOOKS_OLD_AFTER, Directory, KnownChat
from tcnb.client.link import Batch
from tcnb.client.thread import BotThread
from tcnb.client.tokens import TokenSource
from tcnb.client.transfer import Progress, Transfers
from tcnb.errors import ApiErrorException, NotConnectedError, RequestTimeoutError, TcnbError, UsageError
from tcnb.record.intake import Intake
from tcnb.record.journal import AUTO, Place, default_path
from tcnb.record.record import Record
from tcnb.routing.delivery import Delivery
from tcnb.routing.handlers import Failure
from tcnb.routing.names import Names
from tcnb.routing.router import Router
from tcnb.status import Status
from tcnb.types import GetFileUploadLimitsResponse, SendFileResponse, SendMessageResponse, parse_event
from tcnb.types.base import BoundToBot
from tcnb.types.enums import IncomingUpdateMethod, ParseMode
from tcnb.wire import paths
from tcnb.wire.frames import Frame
from tcnb.wire.notifications import EVENTS
from tcnb.wire.paths import bare_id

if TYPE_CHECKING:
    import pandas as pd

    from tcnb.notebook.feed import Feed
    from tcnb.practice import PracticeProcess

logger = logging.getLogger("tcnb.session")

T = TypeVar("T")

CLOSE_TIMEOUT = 5.0
"""Seconds a connection may take to close before it is left to itself."""

JOURNAL_TIMEOUT = 1.5
"""Seconds of them for committing what came, and again for what comes while the connection closes."""

HISTORY_PAGE = 100
"""Messages asked for at a time (`protocol` section 6.4)."""

NOTICED = LOOKS_OLD_AFTER | {IncomingUpdateMethod.CHANGED_FILE_UPLOAD_LIMITS.value}
"""Notifications that change what the session itself knows."""

PRACTICE_ACCOUNT = "robot"
"""Login and password of the bot on a practice server."""

NAMES_AT_ONCE = 4
"""Display names asked for at the same time."""


class Session:
    """One connected bot, as a person at a notebook holds it; made by `tcnb.connect`.

    Verbs block and give way to the interrupt button; each has a twin with an `a` before its name that is awaited.
    A chat is an id, a title, or a person (`login` or `login@server`). A file is a path, bytes, a URL, an `InputFile`,
    a PIL image or a matplotlib figure.

    ```python
    tc = tcnb.connect("video.example.com", username="robot")
    tc.send("Release crew", "Build **42** passed", parse_mode="markdown")
    tc.df                                  # every event so far, one row an event
    tc.feed("Release crew")                # what happens, live
    answer = tc.wait_for(chat="Release crew", timeout=60)
    await answer.reply("Thanks")
    tc.close()
    ```

    Attributes:
        name: name of the connection in this kernel.
        bot: the connector's methods, one coroutine each, awaitable from any loop and thread.
        record: what was said.
        router: the handlers of events: `@tc.router.message()` and its siblings.
    """

    def __init__(
        self,
        address: Address,
        *,
        username: str | None,
        password: str | None,
        token: str | None,
        client_id: str | None,
        verify_ssl: http.SSLVerify,
        timeout: float,
        receive_unread_messages: bool,
        receive_system_messages: bool,
        name: str,
        journal: Place = None,
        practice: PracticeProcess | None = None,
        router: Router | None = None,
    ) -> None:
        self.name = name
        self.username = username
        self.address = address
        self.record = Record()
        self._journal = journal
        self._practice = practice
        self._closed = False
        self._forked = False
        self._row_listeners: list[Callable[[], None]] = []
        self._state_listeners: list[Callable[[dict[str, Any]], None]] = []
        self._failure_listeners: list[Callable[[Failure], None]] = []
        self._waiters: list[_Waiter] = []
        self._naming: set[str] = set()
        self._background: set[asyncio.Task[None]] = set()
        self._name_slots = asyncio.Semaphore(NAMES_AT_ONCE)
        self._server_facts: dict[str, Any] | None = None
        context = http.ssl_context(verify_ssl) if address.https else None
        self._context = context
        self._thread = BotThread(f"tcnb {name}")
        self._intake = Intake(
            self.record,
            loop=self._thread.loop,
            journaled=journal is not None,
            on_taken=self._on_taken,
            on_grown=self._grown,
            is_followed=lambda: bool(self._row_listeners),
        )
        tokens = TokenSource(
            address,
            username=username,
            password=password,
            token=token,
            client_id=client_id,
            context=context,
            timeout=timeout,
        )
        self._connection = Connection(
            address,
            tokens,
            context=context,
            timeout=timeout,
            receive_unread=receive_unread_messages,
            receive_system=receive_system_messages,
            intake=self._intake.take,
            on_state=self._on_state,
        )
        self.bot = Bot(
            self._connection,
            Transfers(address, context, timeout),
            loop=self._thread.loop,
            on_sent=self._intake.take_sent,
            server_info=self._server_info,
        )
        self._directory = Directory(self.bot, self._on_chat)
        self.router = Router(name)
        if router is not None:
            self.router.include_router(router)
        self._names = Names(self._directory, self.loop, self._display_name)
        self._delivery = Delivery(
            f"tcnb {name}", self.router, self.bot, {"tc": self, "names": self._names}, self._on_handler_failure
        )
        _sessions.add(self)
        # So that the server sees a normal close when the interpreter ends, and sees it before a practice server goes.
        atexit.register(self.close)

    def __repr__(self) -> str:
        who = self.me_id or self.username or "?"
        return f"<Session {self.name!r}: {who} at {self.address}, {self.state['state']}, {self.record.last_seq} events>"

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def __aenter__(self) -> Session:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    # -- who and how -----------------------------------------------------------------------------------------------

    @property
    def server(self) -> str:
        """Host name of the server."""
        return self.address.host

    @property
    def me_id(self) -> str | None:
        """The bot's own user id, without `/resource`."""
        return self._connection.me_id

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The bot's own loop, in the bot's own thread."""
        return self._thread.loop

    @property
    def is_open(self) -> bool:
        """Whether this session can still be used; it reconnects by itself until `close`."""
        return not self._closed and not self._forked and self._connection.state.state != "closed"

    @property
    def state(self) -> dict[str, Any]:
        """How the connection is: `state` (connecting, connected, reconnecting, closed), `reason` and `retry_at` (s
        since the epoch).
        """
        state = self._connection.state
        return {"state": state.state, "reason": state.reason, "retry_at": state.retry_at}

    def status(self) -> Status:
        """Return what can be said of the connection and the record now; it shows itself as a table."""
        statistics = self._connection.statistics
        counts = self.record.counts
        intake, journal = self._intake, self._intake.journal
        last = statistics.breaks[-1] if statistics.breaks else None
        return Status(
            name=self.name,
            server=str(self.address),
            account=self.me_id or self.username or "",
            state=self._connection.state.state,
            reason=self._connection.state.reason,
            connected_since=statistics.connected_at,
            latency=self._connection.latency,
            events=self.record.last_seq,
            received=intake.received,
            duplicates=intake.duplicates,
            unknown=counts.unknown,
            undecodable=counts.undecodable,
            malformed=intake.malformed,
            failures=intake.failures,
            reconnects=max(0, statistics.connects - 1),
            last_break=None if last is None else f"{time.strftime('%H:%M:%S', time.localtime(last[0]))} {last[1]}",
            handlers=len(self.router.handlers),
            handled=self._delivery.handled,
            waiting=self._delivery.waiting,
            handler_failures=self._delivery.failed,
            overflowed=self._delivery.overflowed,
            journal=None if journal is None else str(journal.path),
            journal_size=None if journal is None else journal.size,
            committed=intake.committed,
            uncommitted=intake.waiting,
            journal_problem=intake.problem,
        )

    # -- sending ---------------------------------------------------------------------------------------------------

    async def asend(
        self,
        chat: str,
        text: str,
        *,
        parse_mode: ParseMode | str = ParseMode.TEXT,
        reply_to: str | None = None,
        timeout: float | None = None,
    ) -> SendMessageResponse:
        """Send a text; awaited twin of `send`."""

        async def work() -> SendMessageResponse:
            chat_id = await self._directory.chat_id(chat)
            return await self.bot.send_message(chat_id, text, parse_mode, reply_to, timeout=timeout)

        return await self._over(work())

    def send(
        self,
        chat: str,
        text: str,
        *,
        parse_mode: ParseMode | str = ParseMode.TEXT,
        reply_to: str | None = None,
        timeout: float | None = None,
    ) -> SendMessageResponse:
        """Send a text.

        Args:
            chat: id, title, or person.
            text: at most 4096 visible characters.
            parse_mode: `text`, `markdown` or `html`.
            reply_to: id of the message it answers.
            timeout: seconds to wait for the server; None takes the connection's own.

        Returns:
            `chat_id`, `message_id` and `timestamp` (milliseconds since the epoch).

        Raises:
            UnknownChatError, AmbiguousChatError, TextMessageTooLongError, UsageError: nothing was sent.
            ApiErrorException, RequestTimeoutError, WSConnectionError, OutcomeUnknownError: as their texts say.
        """
        return self._wait(self.asend(chat, text, parse_mode=parse_mode, reply_to=reply_to, timeout=timeout))

    async def asend_photo(
        self,
        chat: str,
        file: Any,
        caption: str | None = None,
        *,
        parse_mode: ParseMode | str = ParseMode.TEXT,
        reply_to: str | None = None,
        progress: Progress | None = None,
    ) -> SendFileResponse:
        """Send a picture; awaited twin of `send_photo`."""

        async def work() -> SendFileResponse:
            chat_id = await self._directory.chat_id(chat)
            return await self.bot.send_photo(chat_id, file, None, caption, parse_mode, reply_to, progress=progress)

        return await self._over(work())

    def send_photo(
        self,
        chat: str,
        file: Any,
        caption: str | None = None,
        *,
        parse_mode: ParseMode | str = ParseMode.TEXT,
        reply_to: str | None = None,
        progress: Progress | None = None,
    ) -> SendFileResponse:
        """Send a picture that is shown as one; its preview is made here.

        Args:
            chat: id, title, or person.
            file: path, bytes, URL, `InputFile`, PIL image or matplotlib figure.
            caption: text under it, at most 4096 visible characters.
            parse_mode: how the caption's markup is read.
            reply_to: id of the message it answers.
            progress: called on the bot's thread with bytes sent and bytes in all.

        Returns:
            `chat_id`, `message_id`, `timestamp` (milliseconds), `file_id`, `caption_message_id`.

        Raises:
            NotAnImageError, FileMissingError, FileSizeTooLargeError, InvalidFileExtensionError: nothing was sent.
            FileUploadError and the errors of `send`.
        """
        return self._wait(
            self.asend_photo(chat, file, caption, parse_mode=parse_mode, reply_to=reply_to, progress=progress)
        )

    async def asend_sticker(
        self, chat: str, file: Any, *, reply_to: str | None = None, progress: Progress | None = None
    ) -> SendFileResponse:
        """Send a sticker; awaited twin of `send_sticker`."""

        async def work() -> SendFileResponse:
            chat_id = await self._directory.chat_id(chat)
            return await self.bot.send_sticker(chat_id, file, reply_to, progress=progress)

        return await self._over(work())

    def send_sticker(
        self, chat: str, file: Any, *, reply_to: str | None = None, progress: Progress | None = None
    ) -> SendFileResponse:
        """Send a picture as a sticker; what is not WebP is converted. Arguments and errors as in `send_photo`."""
        return self._wait(self.asend_sticker(chat, file, reply_to=reply_to, progress=progress))

    async def asend_document(
        self,
        chat: str,
        file: Any,
        caption: str | None = None,
        *,
        parse_mode: ParseMode | str = ParseMode.TEXT,
        reply_to: str | None = None,
        progress: Progress | None = None,
    ) -> SendFileResponse:
        """Send a file; awaited twin of `send_document`."""

        async def work() -> SendFileResponse:
            chat_id = await self._directory.chat_id(chat)
            return await self.bot.send_document(chat_id, file, caption, parse_mode, reply_to, progress=progress)

        return await self._over(work())

    def send_document(
        self,
        chat: str,
        file: Any,
        caption: str | None = None,
        *,
        parse_mode: ParseMode | str = ParseMode.TEXT,
        reply_to: str | None = None,
        progress: Progress | None = None,
    ) -> SendFileResponse:
        """Send any file as it is. Arguments and errors as in `send_photo`."""
        return self._wait(
            self.asend_document(chat, file, caption, parse_mode=parse_mode, reply_to=reply_to, progress=progress)
        )

    # -- reading ---------------------------------------------------------------------------------------------------

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
        """One row a person who was seen."""
        return self._settled().people()

    def known_chats(self) -> list[tuple[str | None, str, str]]:
        """Return title, id and kind of the chats known now; the network is not asked."""
        return [(chat.title, chat.chat_id, chat.chat_type.name.lower()) for chat in self._directory.chats()]

    def known_people(self) -> list[tuple[str | None, str]]:
        """Return display name and id of the people known now; the network is not asked."""
        return [(name, user_id) for user_id, name in self._directory.people().items()]

    async def arefresh(self) -> None:
        """Read the list of chats again; awaited twin of `refresh`."""
        await self._over(self._directory.refresh())

    def refresh(self) -> None:
        """Read the list of chats from the server again."""
        self._wait(self.arefresh())

    async def ahistory(self, chat: str, n: int = 100) -> pd.DataFrame:
        """Read the past of a chat; awaited twin of `history`."""
        return await self._over(self._history(chat, n))

    def history(self, chat: str, n: int = 100) -> pd.DataFrame:
        """Read the past of a chat into the record and return its messages.

        Args:
            chat: id, title, or person.
            n: messages to go back, at most.

        Returns:
            The rows of `messages` for that chat, oldest first, at most `n`. What the record already has is not doubled.

        Raises:
            JournalError: it was read, and cannot be written into the journal just now; it will be when that works.
        """
        return self._wait(self.ahistory(chat, n))

    async def adownload(
        self, file_id: str, file_path: str | Path | None = None, *, progress: Progress | None = None
    ) -> bytes | Path:
        """Download a file; awaited twin of `download`."""
        return await self._over(self.bot.download_file_by_id(file_id, file_path, progress=progress))

    def download(
        self, file_id: str, file_path: str | Path | None = None, *, progress: Progress | None = None
    ) -> bytes | Path:
        """Download a file by the `file_id` of its row.

        Args:
            file_id: the file.
            file_path: file or existing folder to write to; None returns the bytes.
            progress: called on the bot's thread with bytes read and bytes in all.

        Returns:
            The bytes, or the path that was written.
        """
        return self._wait(self.adownload(file_id, file_path, progress=progress))

    async def await_for(
        self,
        event: str = "message",
        *,
        chat: str | None = None,
        sender: str | None = None,
        timeout: float | None = 60.0,
    ) -> Any:
        """Wait for an event; awaited twin of `wait_for`."""
        return await self._over(self._wait_for(event, chat, sender, timeout))

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
            event: as in the column `event` of `df`.
            chat: id, title, or person; None takes any.
            sender: id, login or display name of who wrote it; None takes any. Own messages never count.
            timeout: seconds; None waits until it comes or the interrupt button is pressed.

        Returns:
            The typed event (`tcnb.types`), bound to the bot, so that `event.reply(…)` can be awaited.

        Raises:
            RequestTimeoutError: no such event came in time.
            UsageError: there is no such kind of event.
        """
        return self._wait(self.await_for(event, chat=chat, sender=sender, timeout=timeout))

    # -- widgets ---------------------------------------------------------------------------------------------------

    def feed(self, *chats: str) -> Feed:
        """Return a widget that shows what happens, live.

        Args:
            *chats: ids or titles; none shows all.
        """
        from tcnb.notebook.feed import Feed  # the notebook stands above: it is reached only when somebody asks

        return Feed(self, *chats)

    def on_rows(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Have `listener` called on the bot's loop whenever the record has grown; returns what ends that."""
        return _listen(self._row_listeners, listener)

    def on_state(self, listener: Callable[[dict[str, Any]], None]) -> Callable[[], None]:
        """Have `listener` called on the bot's loop with every new state; returns what ends that."""
        return _listen(self._state_listeners, listener)

    def on_failure(self, listener: Callable[[Failure], None]) -> Callable[[], None]:
        """Have `listener` called on the bot's loop with every failure of a handler; returns what ends that."""
        return _listen(self._failure_listeners, listener)

    # -- closing ---------------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Close the connection normally and end the thread; the record stays readable. May be called again."""
        if self._closed or self._forked:
            return
        self._closed = True
        atexit.unregister(self.close)
        with contextlib.suppress(TcnbError, TimeoutError):
            self._thread.submit(self._shut()).result(CLOSE_TIMEOUT)
        self._intake.stop()
        self._thread.stop(CLOSE_TIMEOUT)
        if self._practice is not None:
            self._practice.stop()
        _sessions.discard(self)

    async def aclose(self) -> None:
        """Close; awaited twin of `close`."""
        await asyncio.to_thread(self.close)

    # -- inside: opening -------------------------------------------------------------------------------------------

    async def _open(self) -> None:
        """Connect, continue from the journal, and learn which chats there are."""
        await self._connection.open()
        if self._journal is not None:
            account, server = self.me_id or "", _journal_server(self.address)
            path = default_path(server, account) if self._journal is AUTO else self._journal
            await self._intake.open(path, server, account)
        self._know(self.me_id)
        try:
            await self._directory.refresh()
        except (ApiErrorException, RequestTimeoutError) as error:
            logger.warning("the list of chats could not be read: %s", error)

    async def _shut(self) -> None:
        for waiter in self._waiters:
            waiter.fail(NotConnectedError("the connection was closed while waiting"))
        # Handlers may still answer while they end.
        await self._delivery.close()
        for task in self._background:
            task.cancel()
        await self._intake.flush(JOURNAL_TIMEOUT)
        await self._connection.close()
        await self._intake.close(JOURNAL_TIMEOUT)

    def _settled(self) -> Record:
        """Return the record, with everything in it that came before this call."""
        if not self._forked:
            self._intake.settle()
        return self.record

    def _wait(self, work: Coroutine[Any, Any, T]) -> T:
        self._check_usable(work)
        return self._thread.wait(work)

    async def _over(self, work: Coroutine[Any, Any, T]) -> T:
        self._check_usable(work)
        return await self._thread.hand_over(work)

    def _check_usable(self, work: Coroutine[Any, Any, Any]) -> None:
        if self._forked:
            work.close()
            raise NotConnectedError("this connection belongs to the process that opened it: connect again in this one")
        if self._closed:
            work.close()
            raise NotConnectedError("this connection has been closed: connect again")

    # -- inside: what arrives (on the bot's loop) --------------------------------------------------------------------

    def _on_taken(self, batch: Batch) -> None:
        """Tell of a batch that is recorded and acknowledged."""
        for request in batch.requests:
            if isinstance(request, Frame) and (request.method in NOTICED or self._waiters):
                self._notice(request.method or "", request.payload)
        self._delivery.offer(batch.requests)

    def _notice(self, method: str, payload: bytes | msgspec.Raw) -> None:
        """Do what one notification asks for besides being recorded."""
        if method in LOOKS_OLD_AFTER:
            self._directory.outdated()
        elif method == IncomingUpdateMethod.CHANGED_FILE_UPLOAD_LIMITS:
            with contextlib.suppress(TcnbError, msgspec.MsgspecError, ValueError):
                self.bot.learn_limits(GetFileUploadLimitsResponse.from_dict(msgspec.json.decode(payload)))
        if not any(waiter.method == method for waiter in self._waiters):
            return
        try:
            event = parse_event(method, msgspec.json.decode(payload))
        except (TcnbError, msgspec.MsgspecError) as error:
            logger.warning("an event could not be given to whoever waits for it: %s", error)
            return
        if isinstance(event, BoundToBot):
            event.bind(self.bot)
        for waiter in list(self._waiters):
            waiter.offer(method, event, self.me_id)

    def _grown(self) -> None:
        for user_id in self.record.people_without_name():
            self._know(user_id)
        for chat_id in self.record.chats_without_type():
            self._know_chat(chat_id)
        for listener in list(self._row_listeners):
            _guarded(listener)

    def _on_state(self, state: State) -> None:
        said = {"state": state.state, "reason": state.reason, "retry_at": state.retry_at}
        if state.state == "connected":
            self.record.me = self.me_id
        # While the connection is away chats are renamed unheard: no title may be trusted that was read before.
        self._directory.outdated()
        for listener in list(self._state_listeners):
            _guarded(listener, said)

    def _on_handler_failure(self, failure: Failure) -> None:
        """Tell of a failure on the bot's loop; called on the handlers' thread."""

        def tell() -> None:
            for listener in list(self._failure_listeners):
                _guarded(listener, failure)

        # Without the loop the session has been closed, and nobody listens any more.
        with contextlib.suppress(RuntimeError):
            self.loop.call_soon_threadsafe(tell)

    def _on_chat(self, chat: KnownChat) -> None:
        self.record.learn_chat(chat.chat_id, chat.title, int(chat.chat_type))

    # -- inside: names of people and chats ---------------------------------------------------------------------------

    def _know(self, user_id: str | None) -> None:
        """Ask for a display name once, in the background."""
        if not user_id or user_id in self._naming:
            return
        self._naming.add(user_id)
        self._in_background(self._learn_name(user_id))

    def _know_chat(self, chat_id: str) -> None:
        """Ask once, in the background, what a chat is."""
        if chat_id not in self._naming:
            self._naming.add(chat_id)
            self._in_background(self._learn_chat(chat_id))

    def _in_background(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    async def _display_name(self, user_id: str) -> str:
        return (await self.bot.get_user_display_name(user_id)).display_name

    async def _learn_name(self, user_id: str) -> None:
        try:
            async with self._name_slots:
                name = await self._display_name(user_id)
        except ApiErrorException:
            return  # the server has no name for that id: the id is shown, and nobody asks again
        except (TcnbError, OSError):
            self._naming.discard(user_id)  # the next event of that person asks again
            return
        if name:
            self.record.learn_person(user_id, name)
            self._directory.learn_person(user_id, name)
            for listener in list(self._row_listeners):
                _guarded(listener)

    async def _learn_chat(self, chat_id: str) -> None:
        try:
            async with self._name_slots:
                chat = await self.bot.get_chat_by_id(chat_id)
        except ApiErrorException:
            return  # the bot is not in that chat (any more): its id is shown, and nobody asks again
        except (TcnbError, OSError):
            self._naming.discard(chat_id)  # the next event of that chat asks again
            return
        self.record.learn_chat(chat_id, chat.title, int(chat.chat_type))
        for listener in list(self._row_listeners):
            _guarded(listener)

    # -- inside: verbs -----------------------------------------------------------------------------------------------

    async def _history(self, chat: str, n: int) -> pd.DataFrame:
        if n < 1:
            raise UsageError(f"n is the number of messages to go back, 1 or more, not {n}")
        chat_id = await self._directory.chat_id(chat)
        envelopes = await self._past(chat_id, n)
        await self._intake.take_past(envelopes)
        messages = self.record.messages()
        here = messages[messages["chat_id"] == chat_id].sort_values("timestamp", kind="stable")
        return here.tail(n).reset_index(drop=True)

    async def _past(self, chat_id: str, n: int) -> list[dict[str, Any]]:
        """Return envelopes of a chat as they came, oldest first, at most `n`."""
        found: dict[str, dict[str, Any]] = {}
        before: str | None = None
        while len(found) < n:
            request: dict[str, Any] = {"chatId": chat_id, "count": HISTORY_PAGE}
            if before is not None:
                request["fromMessageId"] = before
            answer = await self._connection.call("getChatHistory", request)
            page = answer.get("messages") if isinstance(answer, dict) else None
            page = [envelope for envelope in page or [] if isinstance(envelope, dict)]
            new = [envelope for envelope in page if str(envelope.get("messageId")) not in found]
            if not new:
                break
            for envelope in new:
                envelope.setdefault("chatId", chat_id)
                found[str(envelope.get("messageId"))] = envelope
            before = str(min(page, key=_moment).get("messageId"))
        return sorted(found.values(), key=_moment)[-n:]

    async def _wait_for(self, event: str, chat: str | None, sender: str | None, timeout: float | None) -> Any:
        method = next((method for method, name in EVENTS.items() if name == event), None)
        if method is None:
            raise UsageError(f"there is no event {event!r}; there are {', '.join(sorted(EVENTS.values()))}")
        waiter = _Waiter(
            method,
            chat_id=None if chat is None else await self._directory.chat_id(chat),
            user_id=None if sender is None else await self._directory.user_id(sender),
        )
        self._waiters.append(waiter)
        try:
            async with asyncio.timeout(timeout):
                return await waiter.result
        except TimeoutError:
            raise RequestTimeoutError(f"no {event} came within {timeout:g} s") from None
        finally:
            self._waiters.remove(waiter)

    async def _server_info(self) -> dict[str, Any]:
        """Return what the server says of itself (`protocol` section 1.7); empty where it says nothing."""
        if self._server_facts is None:
            async with http.client(self._context, timeout=self._connection.timeout) as client:
                try:
                    response = await client.get(self.address.url(paths.SERVER))
                    product = response.json().get("product") if response.is_success else None
                except (http.HTTPError, OSError, ValueError, AttributeError):
                    product = None
            self._server_facts = product if isinstance(product, dict) else {}
        return self._server_facts


class _Waiter:
    """Somebody who waits for one event."""

    def __init__(self, method: str, *, chat_id: str | None, user_id: str | None) -> None:
        self.method = method
        self.result: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._chat_id = chat_id
        self._user_id = user_id

    def offer(self, method: str, event: Any, me: str | None) -> None:
        """Take the event if it is the one that is waited for."""
        author = _author(event)
        if self.result.done() or method != self.method or (author is not None and author == (me or "").casefold()):
            return
        if self._chat_id is not None and getattr(event, "chat_id", None) != self._chat_id:
            return
        if self._user_id is not None and author != self._user_id.casefold():
            return
        self.result.set_result(event)

    def fail(self, error: Exception) -> None:
        """End the waiting."""
        if not self.result.done():
            self.result.set_exception(error)


def connect(
    server: str | None = None,
    *,
    username: str | None = None,
    password: str | None = None,
    token: str | None = None,
    client_id: str | None = None,
    https: bool = True,
    web_port: int | None = None,
    verify_ssl: http.SSLVerify = True,
    timeout: float = 10.0,
    receive_unread_messages: bool = True,
    receive_system_messages: bool = True,
    journal: Place = AUTO,
    name: str = "default",
    practice: bool | dict[str, Any] = False,
    router: Router | None = None,
) -> Session:
    """Connect a bot and return its session.

    What is not given is looked for in the environment (`TRUECONF_SERVER`, `TRUECONF_USERNAME`, `TRUECONF_PASSWORD`,
    `TRUECONF_TOKEN`, `TRUECONF_CLIENT_ID`), in a `.env` file, in the keyring, and asked for at a prompt.

    Args:
        server: host name, also with `:port`.
        username: login without `@server`.
        password: its password.
        token: a ready token instead of login and password.
        client_id: id of an OAuth application, for servers that take no passwords.
        https: TLS on port 443, or the plain Bridge on port 4309.
        web_port: another port.
        verify_ssl: True trusts what the system trusts; a path names a CA bundle; an `ssl.SSLContext` is used as it is;
            False checks nothing.
        timeout: seconds an answer may take.
        receive_unread_messages: whether messages that came while the bot was away are sent again.
        receive_system_messages: whether joins, leaves, roles and titles also come as system messages.
        journal: the file that keeps every event, from which the record continues when the kernel is started again.
            `AUTO` is one per server and account in the user's data folder (none for `practice=True`), a path is that
            file, None keeps events in memory alone.
        name: name of the connection in this kernel.
        practice: True starts a practice server with colleagues in a process of its own and connects to it; a dictionary
            sets its `people`, `rate` (events per second), `seed` and `history` (messages).
        router: handlers that are there from the first event on; more can be added to `tc.router` at any time.

    Raises:
        UsageError: something needed is missing.
        AuthenticationError: the server does not let the account in.
        WSConnectionError, RequestTimeoutError: the server cannot be reached.
        JournalError: the journal cannot be used; it is left as it is, and its text says what to do.
    """
    session = _prepare(
        server,
        username=username,
        password=password,
        token=token,
        client_id=client_id,
        https=https,
        web_port=web_port,
        verify_ssl=verify_ssl,
        timeout=timeout,
        receive_unread_messages=receive_unread_messages,
        receive_system_messages=receive_system_messages,
        journal=journal,
        name=name,
        practice=practice,
        router=router,
    )
    try:
        session._wait(session._open())
    except BaseException:
        session.close()
        raise
    return session


async def aconnect(server: str | None = None, **options: Any) -> Session:
    """Connect a bot; awaited twin of `connect`, with the same arguments and errors."""
    session = await asyncio.to_thread(_prepare, server, **options)
    try:
        await session._over(session._open())
    except BaseException:
        await session.aclose()
        raise
    return session


def _prepare(
    server: str | None = None,
    *,
    username: str | None = None,
    password: str | None = None,
    token: str | None = None,
    client_id: str | None = None,
    https: bool = True,
    web_port: int | None = None,
    verify_ssl: http.SSLVerify = True,
    timeout: float = 10.0,
    receive_unread_messages: bool = True,
    receive_system_messages: bool = True,
    journal: Place = AUTO,
    name: str = "default",
    practice: bool | dict[str, Any] = False,
    router: Router | None = None,
) -> Session:
    """Find out everything that is needed to connect, and start nothing but the thread (and the practice server)."""
    process: PracticeProcess | None = None
    if practice:
        process = _start_practice({} if practice is True else practice)
        address = Address(process.host, process.port, https=False)
        username, password, token, client_id = PRACTICE_ACCOUNT, PRACTICE_ACCOUNT, None, None
    else:
        found = find_credentials(server, username, password, token, client_id)
        address = Address.parse(found.server, https=https, web_port=web_port)
        username, password, token, client_id = found.username, found.password, found.token, found.client_id
    return Session(
        address,
        username=username,
        password=password,
        token=token,
        client_id=client_id,
        verify_ssl=verify_ssl,
        timeout=timeout,
        receive_unread_messages=receive_unread_messages,
        receive_system_messages=receive_system_messages,
        journal=None if practice and journal is AUTO else journal,
        name=name,
        practice=process,
        router=router,
    )


def _journal_server(address: Address) -> str:
    """Return the name of a server that its journal bears: both usual ports lead to the same chats."""
    usual = paths.HTTPS_PORT if address.https else paths.BRIDGE_PORT
    host = address.host.casefold()
    return host if address.port == usual else f"{host}:{address.port}"


def _start_practice(options: dict[str, Any]) -> PracticeProcess:
    from tcnb.practice import start_process  # tornado and the pictures are only needed here

    return start_process(**{"people": 6, "rate": 1.0, **options})


def _listen(listeners: list[Any], listener: Any) -> Callable[[], None]:
    listeners.append(listener)

    def remove() -> None:
        with contextlib.suppress(ValueError):
            listeners.remove(listener)

    return remove


def _guarded(listener: Callable[..., None], *args: Any) -> None:
    """Call a listener; what goes wrong in it is its own affair and stops nothing here."""
    try:
        listener(*args)
    except Exception:
        logger.exception("a listener failed")


def _moment(envelope: dict[str, Any]) -> tuple[int, int, str]:
    """Return what puts envelopes of a chat in order (`protocol` sections 4.3 and 6.4)."""
    box = envelope.get("box")
    box = box if isinstance(box, dict) else {}
    timestamp, number = envelope.get("timestamp"), box.get("id")
    return (
        timestamp if isinstance(timestamp, int) else 0,
        number if isinstance(number, int) else 0,
        str(box.get("position", "")),
    )


def _author(event: Any) -> str | None:
    """Return who an event comes from, comparable, where it says so."""
    for field in ("author", "added_by", "removed_by"):
        author = getattr(event, field, None)
        if author is not None:
            return bare_id(str(author.id)).casefold()
    return None


_sessions: weakref.WeakSet[Session] = weakref.WeakSet()


def _after_fork() -> None:
    """In a forked child the threads are gone and the sockets belong to the parent: touch neither."""
    for session in list(_sessions):
        session._forked = True
    _sessions.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
