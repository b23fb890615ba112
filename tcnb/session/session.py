"""One connected bot: the parts of a session put together, what they tell each other, its beginning and its end.

The way of what arrives: connection → journal → record → acknowledgement → waiters, handlers, listeners (widgets).
The way of a sending: a verb → the bot's loop → the server → the caller, and on its way the journal and the record.
"""

from __future__ import annotations

import atexit
import contextlib
import logging
import os
import warnings
import weakref
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from tcnb.client.address import Address
from tcnb.client.bot import Bot
from tcnb.client.connection import Connection, State
from tcnb.client.directory.directory import LOOKS_OLD_AFTER, Directory, KnownChat
from tcnb.client.link import Batch
from tcnb.client.thread import BotThread
from tcnb.client.tokens import TokenSource
from tcnb.client.transfer import Transfers
from tcnb.errors import (
    ApiErrorException,
    JournalError,
    MalformedFrameError,
    NotConnectedError,
    RequestTimeoutError,
    TcnbError,
    UsageError,
    WSConnectionError,
)
from tcnb.journal.journal import AUTO, Place, default_path
from tcnb.network import http
from tcnb.record.intake import Intake
from tcnb.record.record import Record
from tcnb.routing.delivery import Delivery
from tcnb.routing.handlers import Failure, Handler
from tcnb.routing.names import Names
from tcnb.routing.router import Router
from tcnb.secret import Secret
from tcnb.session.analysing import AnalysingVerbs, offer_analyses
from tcnb.session.backfill.backfill import CatchingUp
from tcnb.session.backfill.progress import CatchUp
from tcnb.session.background import Background
from tcnb.session.handler_names import HandlerNames
from tcnb.session.listeners import Listeners
from tcnb.session.name_loader import NameLoader
from tcnb.session.participant_loader import ParticipantLoader
from tcnb.session.problems import Problems
from tcnb.session.report import report
from tcnb.session.sending import SendingVerbs
from tcnb.session.server_info import ServerFacts
from tcnb.session.waiting import Waiters
from tcnb.status import Status
from tcnb.threads import is_done, to_thread
from tcnb.types import GetFileUploadLimitsResponse
from tcnb.types.enums import IncomingUpdateMethod
from tcnb.wire import paths
from tcnb.wire.frames import Frame, payload_content

if TYPE_CHECKING:
    from tcnb.notebook.composer.chats import Chat
    from tcnb.notebook.composer.composer import Composer
    from tcnb.notebook.feed.feed import Feed
    from tcnb.notebook.panel.panel import Panel
    from tcnb.practice import PracticeProcess

logger = logging.getLogger("tcnb.session")

CLOSE_TIMEOUT = 5.0
"""Seconds a connection may take to close before it is left to itself."""

JOURNAL_TIMEOUT = 1.5
"""Seconds of them for committing what came, and again for what comes while the connection closes."""

ON_FAILURE = "on_failure"
"""What a listener to failures listens to."""

NOTICED = LOOKS_OLD_AFTER | {
    IncomingUpdateMethod.CHANGED_FILE_UPLOAD_LIMITS.value,
    IncomingUpdateMethod.EDITED_MESSAGE.value,
}
"""Notifications that change what the session itself knows."""


class Session(SendingVerbs, AnalysingVerbs):
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
        username: login of the account, where one was given.
        address: the server.
        bot: the connector's methods, one coroutine each, awaitable from any loop and thread.
        record: what was said.
        router: the handlers of events: `@tc.router.message()` and its siblings.
    """

    def __init__(
        self,
        address: Address,
        *,
        username: str | None,
        password: Secret | None,
        token: Secret | None,
        client_id: str | None,
        verify_ssl: http.SSLVerify,
        timeout: float,
        receive_unread_messages: bool,
        receive_system_messages: bool,
        name: str,
        journal: Place = None,
        practice: PracticeProcess | None = None,
        router: Router | None = None,
        catch_up: CatchUp | None = None,
    ) -> None:
        offer_analyses()
        context = http.ssl_context(verify_ssl) if address.https else None  # refused before a thread is started
        self.name = name
        self.username = username
        self.address = address
        self.record = Record()
        self._journal = journal
        self._practice = practice
        self._closed = self._opened = False
        self._problems = Problems(lambda failure: self._delivery.note(failure))
        self._thread = BotThread(
            f"tcnb {name}",
            on_error=lambda error, _: self._problems.inside("the bot's thread", error),
            on_end=self._on_thread_over,
        )
        self._row_listeners = Listeners[[]](self.loop, partial(self._problems.in_listener, "on_rows"))
        self._state_listeners = Listeners[[dict[str, Any]]](self.loop, partial(self._problems.in_listener, "on_state"))
        self._failure_listeners = Listeners[[Failure]](self.loop, partial(self._problems.in_listener, ON_FAILURE))
        self._background = Background(self._problems.inside)
        self._intake = self._new_intake()
        self._connection = Connection(
            address,
            TokenSource(
                address,
                username=username,
                password=password,
                token=token,
                client_id=client_id,
                context=context,
                timeout=timeout,
            ),
            context=context,
            timeout=timeout,
            receive_unread=receive_unread_messages,
            receive_system=receive_system_messages,
            intake=self._intake.take,
            on_state=self._on_state,
            on_problem=self._problems.inside,
        )
        self.bot = Bot(
            self._connection,
            Transfers(address, context, timeout),
            loop=self.loop,
            on_sent=self._intake.take_sent,
            server_info=ServerFacts(address, context, timeout).get,
        )
        self._catching_up = self._new_catching_up(catch_up, with_system=receive_system_messages)
        self._waiters = Waiters(self.bot)
        self._directory = Directory(self.bot, self._connection.call, self._connection.wait_until_open, self._on_chat)
        self._names = NameLoader(self.bot, self.record, self._directory, self._background, self._row_listeners.tell)
        self._participants = ParticipantLoader(self.bot, self._names, self._directory, self._background)
        self.router = Router(name)
        if router is not None:
            self.router.include_router(router)
        self._delivery = self._new_delivery()
        self._handler_names = self.router.definitions = self._new_handler_names()
        self._handler_names.included(self.router.handlers)
        _sessions.add(self)
        # So that the server sees a normal close when the interpreter ends, and sees it before a practice server goes.
        atexit.register(self.close)

    def __repr__(self) -> str:
        if "_connection" not in vars(self):
            return f"<Session {self.name} not made yet>"  # a traceback of the constructor asks for it
        who = self.me_id or self.username or "?"
        count = len(self.record)
        events = "1 event" if count == 1 else f"{count:,} events"
        return f"<Session {self.name!r}: {who} at {self.address}, {self.state['state']}, {events}>"

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
    def state(self) -> dict[str, Any]:
        """How the connection is: `state` (connecting, connected, reconnecting, closed), `reason` and `retry_at` (s
        since the epoch); and `problem`, what is wrong with the journal.
        """
        return self._told(self._connection.state)

    def status(self) -> Status:
        """Return what can be said of the connection and the record now; it shows itself as a table."""
        return report(
            self.name,
            self.me_id or self.username or "",
            connection=self._connection,
            directory=self._directory,
            record=self.record,
            intake=self._intake,
            router=self.router,
            delivery=self._delivery,
            progress=self._catching_up.progress,
            problems=self._problems,
        )

    # -- widgets and whoever else wants to be told -------------------------------------------------------------------

    def feed(self, *chats: str) -> Feed:
        """Return a widget that shows what happens, live.

        Args:
            *chats: ids, titles or people; none shows all.

        Raises:
            UnknownChatError, AmbiguousChatError: with candidates; a chat that the bot has left is found, too.
        """
        from tcnb.notebook.feed.feed import Feed  # the notebook stands above: it is reached only when somebody asks

        return Feed(self, *chats)

    def composer(self, chat: str | None = None, *, stickers: str | Path | None = None) -> Composer:
        """Return a widget to write in: texts with a preview, files of any size, stickers.

        Args:
            chat: id, title or person that it writes to first; None leaves the choice to whoever writes.
            stickers: a folder with WebP files to choose stickers from.

        Raises:
            UnknownChatError, AmbiguousChatError: with candidates. While there is no connection the widget looks for the
                name, and shows what came of it.
            FileMissingError: there is no such folder.
        """
        from tcnb.notebook.composer.composer import Composer

        return Composer(self, self._written_to(chat), stickers=stickers)

    def panel(self, chat: str | None = None, *, stickers: str | Path | None = None) -> Panel:
        """Return a widget with chats, what is unread, the feed and the composer; arguments as of `composer`."""
        from tcnb.notebook.panel.panel import Panel

        return Panel(self, self._written_to(chat), stickers=stickers)

    def on_rows(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Have `listener` called on the bot's loop whenever the record has grown; returns what ends that."""
        return self._row_listeners.add(listener)

    def on_state(self, listener: Callable[[dict[str, Any]], None]) -> Callable[[], None]:
        """Have `listener` called on the bot's loop with every new state; returns what ends that."""
        return self._state_listeners.add(listener)

    def on_failure(self, listener: Callable[[Failure], None]) -> Callable[[], None]:
        """Have `listener` called on the bot's loop with every failure of a handler; returns what ends that."""
        return self._failure_listeners.add(listener)

    # -- closing ---------------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Close the connection normally and end the thread; the record stays readable. May be called again."""
        if self._closed or self._connection.is_foreign:
            return
        self._closed = True
        atexit.unregister(self.close)
        with contextlib.suppress(TcnbError):
            closing = self._thread.submit(self._shut())
            try:
                if is_done(closing, CLOSE_TIMEOUT):
                    closing.result()
            except KeyboardInterrupt:
                # It goes on without whoever waited for it.
                closing.add_done_callback(lambda _: self._end(0))
                raise
        self._end(CLOSE_TIMEOUT)

    def _end(self, timeout: float) -> None:
        """End the thread, and wait for it at most `timeout` seconds."""
        self._intake.stop()
        self._thread.stop(timeout)
        if self._practice is not None:
            self._practice.stop()
        _sessions.discard(self)
        if running := self._delivery.running:
            verb = "runs" if len(running) == 1 else "run"
            warnings.warn(
                f"{', '.join(running)} still {verb}, although the connection is closed: a handler that blocks cannot "
                "be ended, and goes on until it returns or the process ends",
                RuntimeWarning,
                stacklevel=2,
            )

    async def aclose(self) -> None:
        """Close; awaited twin of `close`."""
        await to_thread(self.close)

    # -- inside: opening and closing (on the bot's loop) ---------------------------------------------------------------

    async def _open(self) -> None:
        """Connect, continue from the journal, and learn which chats there are."""
        self._catching_up.away()
        await self._connection.open()
        if self._journal is not None:
            account, server = self.me_id or "", _journal_server(self.address)
            path = default_path(server, account) if self._journal is AUTO else self._journal
            await self._intake.open(path, server, account)
        self._names.person(self.me_id)
        try:
            await self._directory.refresh()
        except (ApiErrorException, RequestTimeoutError) as error:
            logger.warning("the list of chats could not be read: %s", error)
        self._opened = True
        if self._connection.state.state == "connected":
            self._begin()

    def _begin(self) -> None:
        """Do what every new connection is for besides waiting for events."""
        self._catching_up.back()
        self._handler_names.connected()

    async def _shut(self) -> None:
        self._waiters.fail(NotConnectedError("the connection was closed while waiting"))
        # Handlers may still answer while they end.
        await self._delivery.close()
        await self._background.cancel()
        await self._intake.flush(JOURNAL_TIMEOUT)
        await self._connection.close()
        await self._intake.close(JOURNAL_TIMEOUT)

    def _written_to(self, chat: str | None) -> str | Chat | None:
        """Return the chat that a name means, or the name where the server cannot be asked now."""
        chat = getattr(chat, "chat_id", chat)
        if chat is None or not self._can_ask:
            return chat
        from tcnb.notebook.composer.chats import ChatFinder

        try:
            return self._wait(ChatFinder(self).find(chat))
        except (WSConnectionError, RequestTimeoutError):
            return chat

    # -- inside: the parts that are tied to one another ----------------------------------------------------------------

    def _new_intake(self) -> Intake:
        return Intake(
            self.record,
            loop=self.loop,
            journaled=self._journal is not None,
            on_taken=self._on_taken,
            on_grown=self._on_grown,
            is_followed=lambda: bool(self._row_listeners),
            on_problem=self._problems.inside,
            on_broken=self._on_journal_over,
            on_journal_problem=lambda: self._state_listeners.tell(self._told(self._connection.state)),
        )

    def _new_catching_up(self, limits: CatchUp | None, *, with_system: bool) -> CatchingUp:
        return CatchingUp(
            self._connection,
            self.record,
            self._intake,
            self._background,
            limits=limits,
            journaled=self._journal is not None,
            with_system=with_system,
        )

    def _new_delivery(self) -> Delivery:
        """Return what brings events to the handlers; they get the session as `tc`, and names as `names`."""
        given = {"tc": self, "names": Names(self._directory, self.loop)}
        return Delivery(f"tcnb {self.name}", self.router, self.bot, given, self._on_handler_failure)

    def _new_handler_names(self) -> HandlerNames:
        return HandlerNames(
            self._directory,
            self._background,
            loop=self.loop,
            can_ask=lambda: self._opened and self._can_ask,
            wait=self._wait,
            on_problem=self._on_name_problem,
        )

    # -- inside: what arrives (on the bot's loop) --------------------------------------------------------------------

    def _on_taken(self, batch: Batch) -> None:
        """Tell of a batch that is recorded and acknowledged."""
        frames = [request for request in batch.requests if isinstance(request, Frame)]
        for frame in frames if self._waiters else [frame for frame in frames if frame.method in NOTICED]:
            with self._problems.noted("taking note of an event"):
                self._notice(frame.method or "", frame.payload, batch.received)
        with self._problems.noted("handing events to handlers"):
            self._delivery.offer(batch.requests)

    def _notice(self, method: str, payload: bytes | msgspec.Raw, received: int) -> None:
        """Do what one notification asks for besides being recorded."""
        if method in LOOKS_OLD_AFTER:
            self._directory.heard(method, payload)
        elif method == IncomingUpdateMethod.CHANGED_FILE_UPLOAD_LIMITS:
            with contextlib.suppress(MalformedFrameError):
                self.bot.learn_limits(GetFileUploadLimitsResponse.from_dict(payload_content(payload)), received)
        elif method == IncomingUpdateMethod.EDITED_MESSAGE:
            self._catching_up.edited(payload)
        self._waiters.offer(method, payload)

    def _on_grown(self) -> None:
        with self._problems.noted("asking for names"):
            self._names.missing()
        self._row_listeners.tell()

    def _on_state(self, state: State) -> None:
        if state.state == "connected":
            self.record.me = self.me_id
        elif state.state == "reconnecting":
            self._catching_up.away()
        # While the connection is away chats are renamed unheard: no title may be trusted that was read before.
        self._directory.outdated()
        if state.state == "connected" and self._opened:
            self._begin()
        self._state_listeners.tell(self._told(state))

    def _told(self, state: State) -> dict[str, Any]:
        problem = self._intake.journal_problem
        return {"state": state.state, "reason": state.reason, "retry_at": state.retry_at, "problem": problem}

    def _on_handler_failure(self, failure: Failure) -> None:
        """Tell of a failure on the bot's loop; called on any thread."""
        if failure.event == ON_FAILURE:
            return  # it would be told to the very listener that raised it, and so on for ever
        # Without the loop the session has been closed, and nobody listens any more.
        with contextlib.suppress(RuntimeError):
            self.loop.call_soon_threadsafe(self._failure_listeners.tell, failure)

    # -- inside: what ends although nobody ended it --------------------------------------------------------------------

    def _on_journal_over(self, error: BaseException) -> None:
        """End the connection, since what comes could not be kept; called on the bot's loop."""
        self._connection.fail(
            JournalError(f"the journal's thread has ended ({error!r}), so nothing more is taken: connect again")
        )

    def _on_thread_over(self, error: BaseException) -> None:
        """Say that the session has ended, since its loop is broken; called on the bot's thread, behind the loop."""
        self._problems.inside("the bot's thread", error)
        self._intake.stop()
        with contextlib.suppress(RuntimeError):  # whoever waits on the loop waits no more
            self._connection.fail(NotConnectedError(f"the bot's thread has ended ({error!r}): connect again"))

    def _on_name_problem(self, handler: Handler, error: UsageError) -> None:
        handler.failed(error)
        self._delivery.note(Failure.of(error, handler=handler.name, event=handler.event, chat_id=None), handler)

    def _on_chat(self, chat: KnownChat) -> None:
        self.record.learn_chat(chat.chat_id, chat.title, int(chat.chat_type))
        self._participants.meet(chat)


def _journal_server(address: Address) -> str:
    """Return the name of a server that its journal bears: both usual ports lead to the same chats."""
    usual = paths.HTTPS_PORT if address.https else paths.BRIDGE_PORT
    host = address.host.casefold()
    return host if address.port == usual else f"{host}:{address.port}"


_sessions: weakref.WeakSet[Session] = weakref.WeakSet()


def _after_fork() -> None:
    """In a forked child the threads are gone and the sockets belong to the parent: touch neither."""
    for session in list(_sessions):
        session._connection.disown()
    _sessions.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
