"""Work that nobody waits for: tasks on the bot's loop that are held, counted and cancelled; what they do is not known
here.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Generic, TypeVar

from tcnb.client.thread import OnProblem

T = TypeVar("T")


class Background:
    """Tasks of one session; all methods are called on its loop.

    Args:
        on_problem: told of what nobody expected to go wrong in one.
    """

    def __init__(self, on_problem: OnProblem) -> None:
        self.on_problem = on_problem
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Start some work and hold it until it is done."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._on_done)
        return task

    async def cancel(self) -> None:
        """Cancel everything and wait until it has ended."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    def _on_done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.on_problem(f"work in the background ({_name(task)})", error)


class WorkQueue(Generic[T]):
    """The same work for many things, a few of them at a time: however many wait, there are no more tasks than that.

    Args:
        background: where it goes on.
        work: what is done with each.
        at_once: tasks at the same time.
        most_waiting: things that wait.

    All methods are called on the loop.
    """

    def __init__(
        self, background: Background, work: Callable[[T], Awaitable[None]], *, at_once: int, most_waiting: int
    ) -> None:
        self._background = background
        self._work = work
        self._at_once = at_once
        self._most_waiting = most_waiting
        self._waiting: deque[T] = deque()
        self._running = 0

    def add(self, thing: T) -> bool:
        """Have the work done for one more thing; returns False if too many wait already."""
        if len(self._waiting) >= self._most_waiting:
            return False
        self._waiting.append(thing)
        if self._running < self._at_once:
            self._start()
        return True

    def _start(self) -> None:
        self._running += 1
        self._background.start(self._work_off())

    async def _work_off(self) -> None:
        try:
            while self._waiting:
                await self._work(self._waiting.popleft())
        except Exception:
            if self._waiting:
                self._start()  # the others are not to wait for ever because of one; what went wrong is told
            raise
        finally:
            self._running -= 1


def _name(task: asyncio.Task[None]) -> str:
    """Return the name of the function that a task runs."""
    return str(getattr(task.get_coro(), "__qualname__", task.get_name()))
