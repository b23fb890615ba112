"""The bot's own thread with its own event loop: everything that talks to a server runs there, and nothing there
ever blocks.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import contextvars
import logging
import threading
import time
import traceback
import weakref
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Final, Generic, TypeVar

from tcnb.client import eager
from tcnb.errors import NotConnectedError, UsageError
from tcnb.threads import POLL, Workers, awaited, new_thread, raised_interrupts

logger = logging.getLogger("tcnb.client")

T = TypeVar("T")

OnProblem = Callable[[str, BaseException], None]
"""Told of an error that nobody expected and no caller gets: in which part of tcnb, and the error."""

BLOCKING: Final = 32
"""Calls that may block at the same time beside one loop: looking up names, reading and writing files."""

MOST_BREAKDOWNS: Final = 10
"""Breakdowns of a loop in a row after which it is not run again."""

WHOLE: Final = 1.0
"""Seconds after which a breakdown is not counted as one in a row with the one before."""


class _Handed(Generic[T]):
    """A coroutine that is done on the loop while another thread waits for it.

    One lock is all that passes between the two: a future of `concurrent.futures` chained to one of asyncio costs
    several locks and two more turns of the loop, which is a good part of a short request.
    """

    def __init__(self, work: Coroutine[Any, Any, T], loop: asyncio.AbstractEventLoop) -> None:
        self.done = threading.Lock()
        self.done.acquire()
        self._work = work
        self._loop = loop
        self._task: asyncio.Task[None] | None = None
        self._value: T
        self._error: BaseException | None = None

    def start(self) -> None:
        """Begin at once; on the loop."""
        self._task = eager.start(self._run(), self._loop)

    def start_in_turn(self) -> None:
        """Begin after everything else that is due; on the loop."""
        self._task = self._loop.create_task(self._run())

    def cancel(self) -> None:
        """Cancel the work; on the loop, after `start`."""
        if self._task is not None:
            self._task.cancel()

    def result(self) -> T:
        """Return what came of it, or raise; once `done` could be acquired."""
        if self._error is None:
            return self._value
        try:
            # Nobody but the end of the loop cancels work whose waiter still waits.
            raise _closed() if isinstance(self._error, asyncio.CancelledError) else self._error
        finally:
            # An error that knows this frame, which knows the error, would live until the next collection of garbage.
            self._error = None

    async def _run(self) -> None:
        try:
            self._value = await self._work
        except asyncio.CancelledError as error:
            self._error = error
            raise
        except BaseException as error:
            self._error = error
        finally:
            self.done.release()


def _closed() -> NotConnectedError:
    return NotConnectedError("this connection has been closed: connect again")


def log_problem(part: str, error: BaseException) -> None:
    """Log an error that nobody expected; where nobody else is told."""
    logger.error("%s failed", part, exc_info=error)


class BotThread:
    """A daemon thread that runs one event loop until it is stopped.

    A task on the kernel's own loop would stand still while a cell runs, and a server drops a client that is silent for
    about 20 s (`protocol` section 1.4).

    The loop goes on whatever its work does: asyncio lets `SystemExit` and `KeyboardInterrupt` of a task or a callback
    end `run_forever`, and anything on a loop may stop it.

    Args:
        name: what the thread is called.
        debuggable: whether a debugger may stop it, as it stops every other thread at a breakpoint.
        on_error: told on this thread of errors that nobody awaits, with the context of the callback they came out of,
            as far as that is known; they are logged where nobody is told.
        on_end: told on this thread, when it has cleaned up, of what broke the loop so that it cannot go on.
    """

    def __init__(
        self,
        name: str,
        *,
        debuggable: bool = False,
        on_error: Callable[[BaseException, contextvars.Context | None], None] | None = None,
        on_end: Callable[[BaseException], None] | None = None,
    ) -> None:
        self.loop = asyncio.new_event_loop()
        self.loop.set_default_executor(Workers(BLOCKING, f"{name} beside", debuggable=debuggable))
        self._on_error = on_error or (lambda error, _: log_problem(name, error))
        self._on_end = on_end or (lambda error: log_problem(name, error))
        self._is_interrupted = False
        self._is_stopping = False
        self._handed: weakref.WeakSet[concurrent.futures.Future[Any]] = weakref.WeakSet()
        self._thread = new_thread(self._run, name=name, debuggable=debuggable)
        self._thread.start()

    @property
    def is_running(self) -> bool:
        """Whether work can be handed over."""
        return self._thread.is_alive() and not self.loop.is_closed()

    def submit(self, work: Coroutine[Any, Any, T]) -> concurrent.futures.Future[T]:
        """Hand over a coroutine from any thread; cancelling the future cancels the work.

        Raises:
            NotConnectedError: the thread has ended.
        """
        if not self.is_running:
            work.close()
            raise _closed()
        future = asyncio.run_coroutine_threadsafe(work, self.loop)
        self._handed.add(future)
        return future

    def wait(self, work: Coroutine[Any, Any, T]) -> T:
        """Hand over a coroutine and block until it is done.

        An interrupt ends the waiting at once and cancels the work.

        Raises:
            UsageError: called on the bot's own thread, which would wait for itself for ever.
        """
        if threading.get_ident() == self._thread.ident:
            work.close()
            raise UsageError(
                "this blocks, and here it would wait for itself: use the twin that is awaited (asend for send, …)"
            )
        handed = _Handed(work, self.loop)
        # Work that was interrupted ends before anything new begins.
        start = handed.start_in_turn if self._is_interrupted else handed.start
        self._is_interrupted = False
        try:
            self.loop.call_soon_threadsafe(start)
            with raised_interrupts():
                # In a loop for platforms where waiting for a lock hides an interrupt, and for a thread that has ended.
                while not handed.done.acquire(timeout=POLL):
                    if not self._thread.is_alive() and not handed.done.acquire(blocking=False):
                        work.close()
                        raise _closed()
        except RuntimeError:
            # The loop is closed.
            work.close()
            raise _closed() from None
        except BaseException:
            self._is_interrupted = True
            with contextlib.suppress(RuntimeError):
                self.loop.call_soon_threadsafe(handed.cancel)
            raise
        return handed.result()

    def hand_over(self, work: Coroutine[Any, Any, T]) -> Awaitable[T]:
        """Hand over a coroutine from any loop; returns what is to be awaited there, and at once."""
        if asyncio.get_running_loop() is self.loop:
            return work
        return awaited(self.submit(work))

    def stop(self, timeout: float) -> None:
        """Cancel what is left, end the loop and wait for the thread, at most `timeout` seconds."""
        self._is_stopping = True
        if self.is_running:
            with contextlib.suppress(RuntimeError):
                self.loop.call_soon_threadsafe(self.loop.stop)
            if threading.current_thread() is not self._thread:
                self._thread.join(timeout)

    # -- on the thread itself ----------------------------------------------------------------------------------------

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        self.loop.set_exception_handler(self._on_unhandled)
        broken = self._run_until_stopped()
        if broken is None:
            self._clean_up()
        self._close()
        if broken is not None:
            for future in list(self._handed):
                if not future.done():
                    future.set_exception(_closed())
            self._on_end(broken)

    def _run_until_stopped(self) -> BaseException | None:
        """Run the loop; return what it broke down with, or None once it is to stop."""
        breakdowns, last = 0, 0.0
        while not self._is_stopping:
            error, is_whole = self._run_once()
            if self._is_stopping:
                break
            if not is_whole:
                breakdowns = 1 if time.monotonic() > last + WHOLE else breakdowns + 1
                last = time.monotonic()
            if self.loop.is_closed() or breakdowns > MOST_BREAKDOWNS:
                return error
            self._tell(error, _context_of(error))
            del error  # which keeps alive what its traceback knows
        return None

    def _run_once(self) -> tuple[BaseException, bool]:
        """Run the loop until something ends that; return what, and whether the loop itself is none the worse.

        What was due is still due afterwards.
        """
        try:
            self.loop.run_forever()
        except (SystemExit, KeyboardInterrupt) as error:
            return error, True
        except BaseException as error:  # the loop is damaged, or something was thrown at its thread
            return error, False
        return RuntimeError("something called stop() on this event loop, which others use too: leave that out"), True

    def _clean_up(self) -> None:
        """Cancel what is left, whatever that raises, and whatever is begun meanwhile."""
        for _ in range(MOST_BREAKDOWNS):
            left = asyncio.all_tasks(self.loop)
            for task in left:
                task.cancel()
            try:
                self.loop.run_until_complete(asyncio.wait(left) if left else self.loop.shutdown_asyncgens())
            except BaseException as error:
                self._tell(error, _context_of(error))
            else:
                if not left:
                    break

    def _close(self) -> None:
        try:
            self.loop.close()
        except BaseException as error:
            self._tell(error, None)
            # A damaged loop may be unable to free what it holds, but it must take no more work.
            with contextlib.suppress(Exception):
                asyncio.BaseEventLoop.close(self.loop)  # type: ignore[arg-type]

    def _on_unhandled(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Take note of an error in a callback, or in a task that nobody awaits; called on any thread, by the collector
        of garbage among others, so it must not wait for a lock.
        """
        error, future, handle = context.get("exception"), context.get("future"), context.get("handle")
        if loop.is_closed():
            return  # of a loop that is broken every task is left as it stood
        if not isinstance(error, BaseException) or (future is not None and not isinstance(future, asyncio.Task)):
            loop.default_exception_handler(context)
            return
        with contextlib.suppress(RuntimeError):  # the loop has just been closed
            loop.call_soon_threadsafe(self._tell, error, getattr(handle, "_context", None))

    def _tell(self, error: BaseException, context: contextvars.Context | None) -> None:
        try:
            self._on_error(error, context)
        except BaseException:
            logger.exception("an error could not be told: %r", error)


def _context_of(error: BaseException) -> contextvars.Context | None:
    """Return the context of the callback that an error came out of: the frame that ran it still holds its handle."""
    for frame, _ in traceback.walk_tb(error.__traceback__):
        handle = frame.f_locals.get("self")
        if isinstance(handle, asyncio.Handle):
            return getattr(handle, "_context", None)  # `get_context` since Python 3.12
    return None
