"""The way of an event from its arrival into a handler: a line per chat, threads for handlers, failures kept.

Handlers never run on the bot's own loop: async ones share a loop in a thread of their own, plain ones a few threads
more. So whatever a handler does, pings are answered and everything that arrives is recorded.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import threading
import weakref
from collections import deque
from collections.abc import Callable, Iterable
from contextvars import Context, ContextVar
from dataclasses import dataclass
from typing import Any, Final

from tcnb.client.thread import BotThread
from tcnb.errors import NotConnectedError
from tcnb.locks import fork_safe
from tcnb.routing.events import is_wanted
from tcnb.routing.filters import Event, chat_of
from tcnb.routing.handlers import Failure, Handler, ends_task
from tcnb.routing.output import captured
from tcnb.routing.router import Passage, Router
from tcnb.threads import Workers, undisturbed
from tcnb.types.base import BoundToBot
from tcnb.types.events import Update
from tcnb.types.parsing import parse_event
from tcnb.wire import notifications
from tcnb.wire.exchange import Malformed
from tcnb.wire.fast_path import Notified
from tcnb.wire.frames import Frame

logger = logging.getLogger("tcnb.routing")

MOST_WAITING: Final = 1000
"""Events that may wait in one chat; what comes beyond is recorded as ever, but no handler gets it."""

MOST_REMEMBERED: Final = 10_000
"""Messages remembered as delivered, so that one the server sends again reaches no handler again."""

THREADS: Final = 8
"""Plain functions that run at the same time."""

GRACE: Final = 2.0
"""Seconds that handlers have to end when the connection is closed."""


@dataclass(eq=False)
class _Handling:
    """An event on its way; whatever its handler starts knows it by its context.

    Attributes:
        event: the kind of event.
        chat_id: the chat it is about, if any.
        handler: the handler that it came to.
        has_failed: whether something that went wrong on its way is noted.
    """

    event: str
    chat_id: str | None
    handler: Handler | None = None
    has_failed: bool = False


_handling: ContextVar[_Handling | None] = ContextVar("tcnb_handling", default=None)


class Delivery:
    """Hands notifications to the handlers of a router, for one bot.

    In a chat one event is handled after the other, in the order of arrival; chats do not wait for each other. Each
    event has a task of its own, so that a handler that ends its task ends nothing else.

    Args:
        name: name of the threads.
        router: where the handlers are.
        bot: what events are bound to.
        data: what filters, middlewares and handlers may take by name, besides `update`.
        on_failure: told of every failure, on the thread where it was noted.

    Attributes:
        handled: events that a handler was called for.
        failed: exceptions in handlers, filters, middlewares, and in whatever else is noted here.
        overflowed: events that no handler got, because too many were waiting in their chat or the bot was closed.
    """

    def __init__(
        self,
        name: str,
        router: Router,
        bot: Any,
        data: dict[str, Any],
        on_failure: Callable[[Failure], None],
    ) -> None:
        self.handled = 0
        self.failed = 0
        self.overflowed = 0
        self._name = name
        self._router = router
        self._bot = bot
        self._data = {"bot": bot, **data}
        self._on_failure = on_failure
        self._closed = False
        # Lines are filled on the bot's thread and emptied on the handlers'.
        self._lock = fork_safe(threading.Lock())
        self._lines: dict[str, deque[Frame]] = {}
        self._delivered: dict[str, None] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._called: weakref.WeakSet[Handler] = weakref.WeakSet()
        self._thread: BotThread | None = None
        self._workers = Workers(THREADS, f"{name} handler", debuggable=True)

    @property
    def waiting(self) -> int:
        """Events that wait for their turn in some chat."""
        with undisturbed(), self._lock:
            return sum(map(len, self._lines.values()))

    @property
    def running(self) -> list[str]:
        """Names of the handlers that run now, without the one that asks."""
        handling = _handling.get()
        asking = None if handling is None else handling.handler
        with undisturbed(), self._lock:
            return sorted(one.name for one in self._called if one.running and one is not asking)

    def note(self, failure: Failure, handler: Handler | None = None) -> None:
        """Keep a failure, count it and tell of it; on any thread.

        Args:
            failure: what went wrong.
            handler: the handler, if it was in one.
        """
        with undisturbed(), self._lock:
            self.failed += 1
        logger.warning("%s", failure.error)
        self._router.note_failure(failure, handler)
        self._on_failure(failure)

    def offer(self, notified: Iterable[Frame | Malformed]) -> None:
        """Take the notifications that some handler may want, and return at once; nothing else is looked at.

        To be called from one thread only.
        """
        wanted = self._router.wanted()
        if not wanted or self._closed:
            return
        begun = []
        with undisturbed(), self._lock:
            for frame in notified:
                if isinstance(frame, Malformed) or not is_wanted(frame.method or "", wanted):
                    continue
                if (chat := self._new(frame)) is None:
                    continue
                if chat not in self._lines:
                    self._lines[chat] = deque()
                    begun.append(chat)
                if len(self._lines[chat]) < MOST_WAITING:
                    self._lines[chat].append(frame)
                else:
                    self.overflowed += 1
        if begun:
            self._begin_lines(begun)

    async def close(self, grace: float = GRACE) -> None:
        """Take nothing more, let what is under way end, and cancel what has not after `grace` seconds."""
        self._closed = True
        with undisturbed(), self._lock:
            self.overflowed += sum(map(len, self._lines.values()))
            for line in self._lines.values():
                line.clear()
        thread, self._thread = self._thread, None
        if thread is not None:
            # A handler that blocks this thread cannot be cancelled; it is left to itself, as one in its own thread is.
            with contextlib.suppress(TimeoutError, NotConnectedError):
                async with asyncio.timeout(grace * 1.5):
                    await asyncio.wrap_future(thread.submit(self._end(grace)))
            thread.stop(0)
        self._workers.shutdown(wait=False, cancel_futures=True)

    def _new(self, frame: Frame) -> str | None:
        """Return the line that a notification belongs into; None for a message that was delivered before."""
        told = frame.told if isinstance(frame, Notified) else notifications.decode(frame.method or "", frame.payload)
        part = told[1]
        if isinstance(part, notifications.Command):
            source = part.command_source
            return _chat(source.message if source is not None else None)
        if isinstance(part, notifications.Message) and part.message_id is not None:
            if part.message_id in self._delivered:
                return None
            self._delivered[part.message_id] = None
            if len(self._delivered) > MOST_REMEMBERED:
                del self._delivered[next(iter(self._delivered))]
        return _chat(part)

    def _begin_lines(self, chats: Iterable[str]) -> None:
        """Have the events of chats handled of which none is being handled yet; on any thread."""
        with undisturbed(), self._lock:
            if self._closed:
                return
            if self._thread is None:
                name = f"{self._name} handlers"
                self._thread = BotThread(
                    name, debuggable=True, on_error=self._on_stray_error, on_end=self._on_thread_over
                )
            loop = self._thread.loop
        for chat in chats:
            # A loop that has just broken down leaves them to `_on_thread_over`.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(self._begin, chat)

    # -- on the handlers' thread -----------------------------------------------------------------------------------

    def _begin(self, chat: str) -> None:
        """Handle what is first in a chat; the end of each event begins the next one, in a later turn of the loop."""
        frame = self._next(chat)
        if frame is None:
            return
        handling = _Handling(notifications.EVENTS.get(frame.method or "", notifications.UNKNOWN), chat or None)
        task = asyncio.get_running_loop().create_task(self._handle(frame, handling))
        self._tasks.add(task)
        task.add_done_callback(functools.partial(self._on_over, chat, handling))

    def _on_over(self, chat: str, handling: _Handling, task: asyncio.Task[None]) -> None:
        """Note what ended the task of an event before its time, and go on with the chat."""
        self._tasks.discard(task)
        try:
            error = asyncio.CancelledError("its task was cancelled") if task.cancelled() else task.exception()
            if error is not None and not handling.has_failed and not self._closed:
                self._fail_on_the_way(handling, error)
        finally:
            self._begin(chat)

    def _next(self, chat: str) -> Frame | None:
        with undisturbed(), self._lock:
            line = self._lines.get(chat)
            if line:
                return line.popleft()
            self._lines.pop(chat, None)
            return None

    async def _handle(self, frame: Frame, handling: _Handling) -> None:
        method = frame.method or ""
        _handling.set(handling)
        try:
            payload = frame.content()
            event = parse_event(method, payload, id=frame.id)
            if isinstance(event, BoundToBot):
                event.bind(self._bot)
            update = Update(method, frame.type, frame.id, payload).bind(self._bot)
            passage = Passage({**self._data, "update": update, "event": event}, self._bot.me_id, self._run, self._fail)
            await self._router.route(event, passage)
        except BaseException as error:
            if ends_task(error):
                raise
            self._fail_on_the_way(handling, error)

    async def _run(self, handler: Handler, event: Event, data: dict[str, Any]) -> None:
        """Run a handler; what it raises is kept and stops nothing."""
        self.handled += 1
        with undisturbed(), self._lock:
            self._called.add(handler)
        if (handling := _handling.get()) is not None:
            handling.handler = handler
        with captured() as output:
            try:
                await handler.call(event, data, self._workers, output)
            except BaseException as error:
                is_end = ends_task(error)
                if not is_end or (isinstance(error, asyncio.CancelledError) and not self._closed):
                    self._fail(handler, event, error)
                if is_end:
                    raise

    def _fail(self, handler: Handler, event: Event, error: BaseException) -> None:
        """Note what a handler or its filter raised."""
        if (handling := _handling.get()) is not None:
            handling.has_failed = True
        if not _is_noted(error):
            handler.failed(error)
            self.note(Failure.of(error, handler=handler.name, event=handler.event, chat_id=chat_of(event)), handler)

    def _fail_on_the_way(self, handling: _Handling, error: BaseException) -> None:
        """Note what was raised for an event, but outside of the call of a handler."""
        handling.has_failed = True
        if _is_noted(error):
            return
        handler = handling.handler
        if handler is not None:
            handler.failed(error)
        name = "" if handler is None else handler.name
        self.note(Failure.of(error, handler=name, event=handling.event, chat_id=handling.chat_id), handler)

    # -- what a handler left behind, or broke; also on the handlers' thread ------------------------------------------

    def _on_stray_error(self, error: BaseException, context: Context | None) -> None:
        """Note an error that nobody awaits: of a task, a timer or a callback that a handler left behind."""
        handling = context.get(_handling) if context is not None else None
        self._fail_on_the_way(handling or _Handling("any", None), error)
        if isinstance(error, SystemExit | KeyboardInterrupt):
            # Whoever awaits that task gets the same error, and it is not another failure.
            error.__dict__[_NOTED] = True

    def _on_thread_over(self, error: BaseException) -> None:
        """Begin anew, since the loop of the handlers is broken; what was being handled is lost."""
        self._fail_on_the_way(_Handling("any", None), error)
        self._tasks.clear()  # they belonged to that loop
        with undisturbed(), self._lock:
            self._thread = None
            left = list(self._lines)
        if left:
            self._begin_lines(left)

    async def _end(self, grace: float) -> None:
        tasks = set(self._tasks)
        if not tasks:
            return
        _, late = await asyncio.wait(tasks, timeout=grace)
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late, timeout=grace / 4)


_NOTED: Final = "_tcnb_is_noted"


def _is_noted(error: BaseException) -> bool:
    return _NOTED in error.__dict__


def _chat(part: Any) -> str:
    """Return the chat that decides about the order; what belongs to no chat stands in one line of its own."""
    chat = getattr(part, "chat", None)
    return getattr(part, "chat_id", None) or (chat.chat_id if chat is not None else None) or ""
