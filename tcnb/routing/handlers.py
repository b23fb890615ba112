"""One handler: the function, who it is, and how it fared; which events reach it is the router's affair."""

from __future__ import annotations

import asyncio
import contextvars
import functools
import inspect
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from pathlib import Path
from types import FunctionType, TracebackType
from typing import Any, Final

from tcnb import threads
from tcnb.errors import UsageError
from tcnb.locks import fork_safe
from tcnb.routing.definitions import Definition, origin_of
from tcnb.routing.events import KINDS, Kind
from tcnb.routing.filters import Check, Event
from tcnb.routing.output import Output
from tcnb.routing.unawaited import refuse_unawaited

_HERE: Final = str(Path(__file__).parent)
_THREADS: Final = threads.__file__

# Calls begin on a loop and end on any thread.
_lock = fork_safe(threading.Lock())


@dataclass(frozen=True)
class Failure:
    """Something that went wrong while an event was handled.

    Attributes:
        when: seconds since the epoch.
        handler: name of the handler, or of a listener; empty where it was not inside one.
        event: what kind of event it was; of a listener, what it listens to; of an error inside tcnb, in which part.
        chat_id: the chat it was about, if any.
        error: name and text of the exception, in one line.
        traceback: the whole traceback as text, from the handler on.
    """

    when: float
    handler: str
    event: str
    chat_id: str | None
    error: str
    traceback: str

    @classmethod
    def of(cls, error: BaseException, *, handler: str, event: str, chat_id: str | None) -> Failure:
        """Describe an exception; nothing that it refers to is kept alive."""
        lines = traceback.format_exception(type(error), error, _from_outside(error.__traceback__))
        told = traceback.TracebackException(type(error), error, None)
        told.__notes__ = None  # they would stand behind the error itself
        *_, line = told.format_exception_only()
        return cls(time.time(), handler, event, chat_id, " ".join(line.split()), "".join(lines))

    @property
    def part(self) -> str:
        """Where it was, for people."""
        return self.handler or ("a filter, a middleware or a task" if self.event in KINDS else self.event)

    def __repr__(self) -> str:
        when = time.strftime("%H:%M:%S", time.localtime(self.when))
        return f"<Failure of {self.part} ({self.event}) at {when}: {self.error}>"

    def __str__(self) -> str:
        return self.traceback


class Handler:
    """A function and the events that it is for.

    Attributes:
        name: the function's name, or the one that was given.
        event: the kind of event.
        filters: what must hold of an event, in words.
        router: name of the router it belongs to.
        calls: how often it was called.
        failures: how often it raised, or one of its filters.
        paused: whether it is passed over.
        last_error: name and text of the last exception; None if there was none.
        output: what it printed when it was called last.
        running: calls that have not ended.
        definition: where it was defined.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        kind: Kind,
        checks: Sequence[Check],
        *,
        router: str,
        name: str | None = None,
        key: tuple[str, ...] | None = None,
    ) -> None:
        if not callable(function):
            raise UsageError(f"a handler is a function, not {function!r}: write @router.{kind.name}() with parentheses")
        self.function = function
        self.kind = kind
        self.checks = tuple(checks)
        self.router = router
        self.definition = Definition(function)
        origin = origin_of(function)
        self.name = name or self.definition.name
        self.calls = 0
        self.failures = 0
        self.paused = False
        self.last_error: str | None = None
        self.output = ""
        self.running = 0
        self._key = key
        self._is_async = inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(
            getattr(function, "__call__", None)  # noqa: B004  # an object with an awaited __call__
        )
        self._takes_event, self._takes = _parameters(function)
        if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
            raise UsageError(f"{self.name} would do nothing, for a function with a yield is a generator: leave it out")
        if isinstance(origin, FunctionType):
            refuse_unawaited(origin, kind.event_type)

    @property
    def event(self) -> str:
        """The kind of event."""
        return self.kind.name

    @property
    def filters(self) -> tuple[str, ...]:
        """What must hold of an event, in words."""
        return tuple(map(str, self.checks))

    def __repr__(self) -> str:
        said = "".join(f", {one}" for one in self.filters)
        paused = ", paused" if self.paused else ""
        return f"<Handler {self.name!r}: {self.event}{said}, {self.calls} calls, {self.failures} failures{paused}>"

    def replaces(self, other: Handler, *, in_same_router: bool) -> bool:
        """Tell whether this is another definition of the same handler, so that the other one must go.

        Who a handler is: module or notebook, name and kind of event. Several of one run of a cell or file stay beside
        each other; a later run takes their place.

        Args:
            other: a handler that was there before.
            in_same_router: whether both are in one router, where the second of two that are the same is never called.
        """
        if self._key is not None or other._key is not None:
            return self._key == other._key
        if self.event != other.event:
            return False
        if self.definition.repeats(other.definition):
            return True
        if not in_same_router or not self._has_filters_of(other):
            return False
        return self.definition.is_same(other.definition) or self.definition.may_stand_for(other.definition)

    def _has_filters_of(self, other: Handler) -> bool:
        return len(self.checks) == len(other.checks) and all(map(Check.same, self.checks, other.checks))

    async def call(self, event: Event, data: dict[str, Any], workers: Executor, output: Output) -> None:
        """Call the function and await what is to be awaited; a plain function is called in a thread of its own.

        Args:
            event: what it gets.
            data: what it may take by name.
            workers: where plain functions run.
            output: where what it prints is collected.
        """
        arguments = (event,) if self._takes_event else ()
        call = functools.partial(
            self.function, *arguments, **{name: data[name] for name in self._takes if name in data}
        )
        self.calls += 1
        try:
            result = await self._called(call, workers)
            if inspect.isawaitable(result):
                await result
        finally:
            self.output = str(output)

    async def _called(self, call: Callable[[], Any], workers: Executor) -> Any:
        """Call the function, and count the call for as long as it takes, which may be longer than it is awaited."""
        if not self._is_async:
            future = workers.submit(contextvars.copy_context().run, call)
            self._count(1)
            future.add_done_callback(self._ended)
            return await asyncio.wrap_future(future)
        self._count(1)
        try:
            return await call()
        finally:
            self._count(-1)

    def _ended(self, _future: Future[Any]) -> None:
        self._count(-1)

    def _count(self, more: int) -> None:
        with _lock:
            self.running += more

    def failed(self, error: BaseException) -> None:
        """Note that it raised."""
        self.failures += 1
        self.last_error = " ".join(traceback.format_exception_only(error)[-1].split())


def ends_task(error: BaseException) -> bool:
    """Tell whether an error ends the very task it is raised in, rather than being something that a person's code did.

    It is then raised again: who cancels a task, or closes a coroutine, means it.
    """
    if not isinstance(error, asyncio.CancelledError):
        return isinstance(error, GeneratorExit)
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _parameters(function: Callable[..., Any]) -> tuple[bool, frozenset[str]]:
    """Return whether a function takes the event, and which other names it takes."""
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (ValueError, TypeError):
        return True, frozenset()
    positional = [one for one in parameters if one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD)]
    takes_event = bool(positional) or any(one.kind is one.VAR_POSITIONAL for one in parameters)
    named = [one for one in parameters if one.kind in (one.POSITIONAL_OR_KEYWORD, one.KEYWORD_ONLY)]
    return takes_event, frozenset(one.name for one in named if one not in positional[:1])


def _from_outside(trace: TracebackType | None) -> TracebackType | None:
    """Return the traceback without the frames of this room and of the threads it uses, down to the handler's own."""
    outside = trace
    while outside is not None and _is_ours(outside.tb_frame.f_code.co_filename):
        outside = outside.tb_next
    return outside or trace


def _is_ours(filename: str) -> bool:
    return filename.startswith(_HERE) or filename == _THREADS
