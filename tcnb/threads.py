"""The threads of tcnb: each is made here, ends with the interpreter, and goes on while a debugger stops the others."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import ctypes
import functools
import os
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent import futures
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Final, ParamSpec, TypeVar

_NOTHING: Final = contextlib.nullcontext()

P = ParamSpec("P")
T = TypeVar("T")

POLL: Final = 0.5
"""Seconds between two looks for an interrupt where waiting for a lock hides it, and where a sleeping loop does."""

STOPPING: Final = 2.0
"""Seconds for which an interrupt waits until what was interrupted has ended; after that it is left to itself."""

STOP_AGAIN: Final = 0.05
"""Seconds between two requests to end: one that comes before the work has begun is not heard."""

IDLE: Final = 30.0
"""Seconds for which a thread of a pool waits for work before it ends."""

BESIDE_LOOPS: Final = 16
"""Calls that may block at the same time beside the event loops of others, such as reading a file."""


def new_thread(
    target: Callable[..., object],
    *args: Any,
    name: str,
    daemon: bool = True,
    debuggable: bool = False,
) -> threading.Thread:
    """Return a thread that has not been started.

    Args:
        target: what it does.
        *args: what that is given.
        name: its name, for people.
        daemon: whether the interpreter ends without waiting for it.
        debuggable: whether a debugger may stop it: only where a person's own functions run.
    """
    thread = threading.Thread(target=target, args=args, name=name, daemon=daemon)
    if not debuggable:
        leave_alone(thread)
    return thread


def leave_alone(thread: threading.Thread) -> None:
    """Have debuggers neither stop nor show a thread that has not been started.

    debugpy, which JupyterLab, VS Code and PyCharm use, stops every thread at a breakpoint of one of them except those
    with these two attributes.
    """
    thread.pydev_do_not_trace = True  # type: ignore[attr-defined]
    thread.is_pydev_daemon_thread = True  # type: ignore[attr-defined]


@contextmanager
def undisturbed() -> Iterator[None]:
    """Have debuggers not stop the current thread inside, at a breakpoint of another one.

    For whoever takes a lock that the bot takes as well: a thread that was stopped with it would stop the bot.
    """
    thread = threading.current_thread()
    if "pydevd" not in sys.modules or getattr(thread, "pydev_do_not_trace", False):
        yield
        return
    thread.pydev_do_not_trace = True  # type: ignore[attr-defined]
    try:
        yield
    finally:
        thread.pydev_do_not_trace = False  # type: ignore[attr-defined]


class Workers(ThreadPoolExecutor):
    """A pool of threads that the end of the interpreter does not wait for.

    The standard library joins the threads of its pools at the end, so that one call which blocks for ever keeps a
    script from ending. This is one of its pools nevertheless, since event loops take no others.

    Args:
        most: threads at the same time.
        name: what their names begin with.
        debuggable: whether a debugger may stop them.
    """

    def __init__(self, most: int, name: str, *, debuggable: bool = False) -> None:
        super().__init__(most, name)
        self._most = most
        self._name = name
        self._debuggable = debuggable
        self._changed = threading.Condition()
        self._calls: deque[tuple[Future[Any], Callable[[], Any]]] = deque()
        self._workers: set[threading.Thread] = set()
        self._idle = 0
        self._is_shut = False

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Have a function called on one of the threads."""
        future: Future[T] = Future()
        with self._changed:
            if self._is_shut:
                raise RuntimeError("cannot schedule new futures after shutdown")
            if self._idle <= len(self._calls) and len(self._workers) < self._most:
                worker = new_thread(self._work, name=f"{self._name}_{len(self._workers)}", debuggable=self._debuggable)
                worker.start()
                self._workers.add(worker)
            self._calls.append((future, functools.partial(fn, *args, **kwargs)))
            self._changed.notify()
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Take no more calls, and end the threads when they have done what was asked of them."""
        with self._changed:
            self._is_shut = True
            cancelled = [future for future, _ in self._calls] if cancel_futures else []
            if cancel_futures:
                self._calls.clear()
            workers = list(self._workers)
            self._changed.notify_all()
        for future in cancelled:
            future.cancel()
        for worker in workers if wait else ():
            worker.join()

    def _work(self) -> None:
        while (call := self._next()) is not None:
            future, function = call
            if future.set_running_or_notify_cancel():
                _fulfil(future, function)
            # What was called must not live until the next call.
            del call, future, function

    def _next(self) -> tuple[Future[Any], Callable[[], Any]] | None:
        """Wait for a call; None when there is none for long, or never will be."""
        with self._changed:
            self._idle += 1
            self._changed.wait_for(lambda: self._calls or self._is_shut, IDLE)
            self._idle -= 1
            if self._calls:
                return self._calls.popleft()
            self._workers.discard(threading.current_thread())
            return None


def raised_interrupts() -> AbstractContextManager[None]:
    """Let an interrupt end what blocks inside, also where that is called from a coroutine.

    A kernel in a cell with `await`, and `asyncio.run`, have an interrupt cancel the task instead, which can happen only
    when the loop goes on: never, while something blocks it.
    """
    is_main = threading.current_thread() is threading.main_thread()
    return _raised_interrupts() if is_main and _is_in_loop() else _NOTHING


@contextmanager
def _raised_interrupts() -> Iterator[None]:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        if before is not None:
            signal.signal(signal.SIGINT, before)


def _is_in_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


async def to_thread(function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """Call a function that blocks beside the event loop, whichever that is; the interrupt button ends the waiting."""
    context = contextvars.copy_context()
    call = functools.partial(context.run, function, *args, **kwargs)
    return await awaited(_beside_loops().submit(call))


async def awaited(future: Future[T]) -> T:
    """Await what another thread does, in such a way that the interrupt button ends it at once."""
    with awake():
        return await asyncio.wrap_future(future)


@contextmanager
def awake() -> Iterator[None]:
    """Let whatever is awaited inside hear the interrupt button at once.

    A kernel cancels the task of a cell from a signal handler, and that does not wake a loop which sleeps until
    something comes: without a timer the cell would go on waiting until the next event (`await asyncio.sleep(60)` in a
    cell waits for its whole minute).
    """
    loop = asyncio.get_running_loop()

    timer = loop.call_later(POLL, lambda: wake())

    def wake() -> None:
        nonlocal timer
        timer = loop.call_later(POLL, wake)

    try:
        yield
    finally:
        timer.cancel()


def started(function: Callable[[], T], *, name: str) -> tuple[Future[T], threading.Thread]:
    """Call a function that may block without end on a thread of its own, and return what will come of it."""
    future: Future[T] = Future()
    return future, _start(future, function, name)


def _start(future: Future[T], function: Callable[[], T], name: str) -> threading.Thread:
    context = contextvars.copy_context()
    thread = new_thread(_alone, future, functools.partial(context.run, function), name=name)
    # What is under way cannot be cancelled: what comes of it later is dropped with the future.
    future.set_running_or_notify_cancel()
    thread.start()
    return thread


async def interruptible(function: Callable[[], T], *, name: str) -> T:
    """Call a function that may block without end on a thread of its own, and await it.

    Where the waiting is cancelled, as by the interrupt button, the function is interrupted, too: it would otherwise
    live on, and a question that it asks would take the answer to the next one.

    Args:
        function: what is called.
        name: name of the thread.
    """
    future, thread = started(function, name=name)
    try:
        return await awaited(future)
    except asyncio.CancelledError:
        _interrupt(thread)
        # The next cell may ask something at once. What looks at nothing for so long is left to itself.
        thread.join(POLL)
        raise


def _interrupt(thread: threading.Thread) -> None:
    """Raise KeyboardInterrupt in a thread, as soon as it takes its next step in Python."""
    if thread.ident is not None:
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident), ctypes.py_object(KeyboardInterrupt))


def call(function: Callable[[], T], *, name: str, stop: Callable[[], object] | None = None) -> T:
    """Call a function that hears no interrupt, such as one of a library in C, and leave it where one comes.

    Args:
        function: what is called, on a thread of its own; what comes of it after an interrupt is dropped.
        name: name of the thread.
        stop: asks whatever it does to end; called again until it has.
    """
    future: Future[T] = Future()
    try:
        _start(future, function, name)
        is_done(future)
    except KeyboardInterrupt:
        deadline = time.monotonic() + STOPPING
        while stop is not None and future.running() and time.monotonic() < deadline:
            stop()
            futures.wait([future], STOP_AGAIN)
        raise
    try:
        return future.result()
    finally:
        # An error that knows this frame, which knows the error, would live until the next collection of garbage.
        del future


@contextmanager
def deadline(seconds: float, action: Callable[[], object], *, name: str) -> Iterator[None]:
    """Call something on a thread of its own if what is inside takes longer than that.

    For what waits in the operating system and can be ended only from elsewhere, as by killing a process.

    Args:
        seconds: how long it may take.
        action: what ends it.
        name: name of the thread.
    """
    over = threading.Event()
    new_thread(lambda: over.wait(seconds) or action(), name=name).start()
    try:
        yield
    finally:
        over.set()


def is_done(future: Future[Any], timeout: float | None = None) -> bool:
    """Wait until another thread has done something; an interrupt leaves at once.

    Args:
        future: what comes of it.
        timeout: seconds; None waits without end.

    Returns:
        Whether it was done in time.
    """
    deadline = None if timeout is None else time.monotonic() + timeout
    with raised_interrupts():
        while not future.done():
            left = POLL if deadline is None else min(POLL, deadline - time.monotonic())
            if left <= 0:
                return False
            # In short steps, since waiting hides the interrupt button on some platforms.
            futures.wait([future], left)
    return True


def _alone(future: Future[Any], function: Callable[[], Any]) -> None:
    # An interrupt may come when the function has just returned.
    with contextlib.suppress(KeyboardInterrupt):
        _fulfil(future, function)


def _fulfil(future: Future[Any], function: Callable[[], Any]) -> None:
    try:
        value = function()
    except StopIteration as error:
        # A future of asyncio takes no such error: whoever awaits it would wait for ever.
        replaced = RuntimeError(f"{error!r} was raised, which only iterators may do")
        replaced.__cause__ = error
        future.set_exception(replaced)
    except BaseException as error:
        future.set_exception(error)
    else:
        future.set_result(value)


_shared: Workers | None = None


def _beside_loops() -> Workers:
    global _shared
    if _shared is None:
        _shared = Workers(BESIDE_LOOPS, "tcnb beside")
    return _shared


def _after_fork() -> None:
    """In a forked child there are no threads: a pool begins anew."""
    global _shared
    _shared = None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
