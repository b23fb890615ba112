"""The way of an event from its arrival into a handler: a line per chat, threads for handlers, failures kept.

Handlers never run on the bot's own loop: async ones share a loop in a thread of their own, plain ones a few threads
more. So whatever a handler does, pings are answered and everything that arrives is recorded.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import threading
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import msgspec

from tcnb.client.thread import BotThread
from tcnb.errors import MalformedFrameError, NotConnectedError
from tcnb.routing.events import is_wanted
from tcnb.routing.filters import Event, chat_of
from tcnb.routing.handlers import Failure, Handler
from tcnb.routing.output import captured
from tcnb.routing.router import Passage, Router
from tcnb.types.base import BoundToBot
from tcnb.types.events import Update
from tcnb.types.parsing import parse_event
from tcnb.wire import notifications
from tcnb.wire.exchange import Malformed
from tcnb.wire.express import Notified
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

_CAUGHT: Final = (Exception, SystemExit, KeyboardInterrupt, asyncio.CancelledError)
"""What may be raised on an event's way without ending the thread of all handlers."""


class Delivery:
    """Hands notifications to the handlers of a router, for one bot.

    In a chat one event is handled after the other, in the order of arrival; chats do not wait for each other.

    Args:
        name: name of the threads.
        router: where the handlers are.
        bot: what events are bound to.
        data: what filters, middlewares and handlers may take by name, besides `update`.
        on_failure: told of every failure, on the handlers' thread.

    Attributes:
        handled: events that a handler was called for.
        failed: exceptions in handlers, filters and middlewares.
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
        self._lock = threading.Lock()
        self._lines: dict[str, deque[Frame]] = {}
        self._delivered: dict[str, None] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._thread: BotThread | None = None
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix=f"{name} handler")

    @property
    def waiting(self) -> int:
        """Events that wait for their turn in some chat."""
        with self._lock:
            return sum(map(len, self._lines.values()))

    def note(self, failure: Failure, handler: Handler | None = None) -> None:
        """Keep a failure, count it and tell of it; on any thread.

        Args:
            failure: what went wrong.
            handler: the handler, if it was in one.
        """
        with self._lock:
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
        with self._lock:
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
        if begun and self._thread is None:
            self._thread = BotThread(f"{self._name} handlers")
        for chat in begun:
            assert self._thread is not None
            self._thread.loop.call_soon_threadsafe(self._begin, chat)

    async def close(self, grace: float = GRACE) -> None:
        """Take nothing more, let what is under way end, and cancel what has not after `grace` seconds."""
        self._closed = True
        with self._lock:
            self.overflowed += sum(map(len, self._lines.values()))
            for line in self._lines.values():
                line.clear()
        thread, self._thread = self._thread, None
        if thread is not None:
            # A handler that blocks its thread cannot be cancelled; it is left to itself.
            with contextlib.suppress(TimeoutError, NotConnectedError):
                async with asyncio.timeout(grace * 1.5):
                    await asyncio.wrap_future(thread.submit(self._end(grace)))
            thread.stop(0)
        self._threads.shutdown(wait=False, cancel_futures=True)

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

    # -- on the handlers' thread -----------------------------------------------------------------------------------

    def _begin(self, chat: str) -> None:
        task = asyncio.get_running_loop().create_task(self._work(chat))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _work(self, chat: str) -> None:
        """Handle what waits in a chat, one after the other, until nothing does."""
        while (frame := self._next(chat)) is not None:
            await self._handle(frame)
            # Events that fit no handler would otherwise never let other chats have their turn.
            await asyncio.sleep(0)

    def _next(self, chat: str) -> Frame | None:
        with self._lock:
            line = self._lines[chat]
            if line:
                return line.popleft()
            del self._lines[chat]
            return None

    async def _handle(self, frame: Frame) -> None:
        method = frame.method or ""
        try:
            payload = _content(frame)
            event = parse_event(method, payload, id=frame.id)
            if isinstance(event, BoundToBot):
                event.bind(self._bot)
            update = Update(method, frame.type, frame.id, payload).bind(self._bot)
            passage = Passage({**self._data, "update": update, "event": event}, self._bot.me_id, self._run, self._fail)
            await self._router.route(event, passage)
        except _CAUGHT as error:
            _raise_if_ended(error)
            kind = notifications.EVENTS.get(method, notifications.UNKNOWN)
            self.note(Failure.of(error, handler="", event=kind, chat_id=None))

    async def _run(self, handler: Handler, event: Event, data: dict[str, Any]) -> None:
        """Run a handler; what it raises is kept and stops nothing."""
        self.handled += 1
        with captured() as output:
            try:
                await handler.call(event, data, self._threads, output)
            except _CAUGHT as error:
                _raise_if_ended(error)
                self._fail(handler, event, error)

    def _fail(self, handler: Handler, event: Event, error: BaseException) -> None:
        handler.failed(error)
        failure = Failure.of(error, handler=handler.name, event=handler.event, chat_id=chat_of(event))
        self.note(failure, handler)

    async def _end(self, grace: float) -> None:
        tasks = set(self._tasks)
        if not tasks:
            return
        _, late = await asyncio.wait(tasks, timeout=grace)
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late, timeout=grace / 4)


def _raise_if_ended(error: BaseException) -> None:
    """Raise a cancellation again if it is this very task that is to end, and not something that a handler awaited."""
    task = asyncio.current_task()
    if isinstance(error, asyncio.CancelledError) and task is not None and task.cancelling():
        raise error


def _chat(part: Any) -> str:
    """Return the chat that decides about the order; what belongs to no chat stands in one line of its own."""
    chat = getattr(part, "chat", None)
    return getattr(part, "chat_id", None) or (chat.chat_id if chat is not None else None) or ""


def _content(frame: Frame) -> Any:
    """Return what a notification says.

    Raises:
        MalformedFrameError: it is no JSON.
    """
    with contextlib.suppress(msgspec.MsgspecError, UnicodeDecodeError, MalformedFrameError):
        return frame.content()
    try:
        # The standard library reads what msgspec refuses: half of a surrogate pair, as left by a text cut in an emoji.
        return json.loads(bytes(frame.payload).decode(errors="replace"))
    except (ValueError, RecursionError) as error:
        raise MalformedFrameError(f"a notification could not be read: {error}") from None
