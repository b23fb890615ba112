"""The bot's own thread with its own event loop: everything that talks to a server runs there, and nothing there
ever blocks.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import threading
from collections.abc import Awaitable, Coroutine
from typing import Any, Final, Generic, TypeVar

from tcnb.client import eager
from tcnb.errors import NotConnectedError, UsageError
from tcnb.threads import POLL, Workers, awaited, new_thread, raised_interrupts

T = TypeVar("T")

BLOCKING: Final = 32
"""Calls that may block at the same time beside one loop: looking up names, reading and writing files."""


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


class BotThread:
    """A daemon thread that runs one event loop until it is stopped.

    A task on the kernel's own loop would stand still while a cell runs, and a server drops a client that is silent for
    about 20 s (`protocol` section 1.4).

    Args:
        name: what the thread is called.
        debuggable: whether a debugger may stop it, as it stops every other thread at a breakpoint.
    """

    def __init__(self, name: str, *, debuggable: bool = False) -> None:
        self.loop = asyncio.new_event_loop()
        self.loop.set_default_executor(Workers(BLOCKING, f"{name} beside", debuggable=debuggable))
        self._is_interrupted = False
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
        return asyncio.run_coroutine_threadsafe(work, self.loop)

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
        if self.is_running:
            with contextlib.suppress(RuntimeError):
                self.loop.call_soon_threadsafe(self.loop.stop)
            if threading.current_thread() is not self._thread:
                self._thread.join(timeout)

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        try:
            self.loop.run_forever()
        finally:
            left = asyncio.all_tasks(self.loop)
            for task in left:
                task.cancel()
            if left:
                self.loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
            self.loop.run_until_complete(self.loop.shutdown_asyncgens())
            self.loop.close()
