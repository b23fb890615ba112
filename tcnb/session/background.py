"""Work that nobody waits for: tasks on the bot's loop that are held, counted and cancelled; what they do is not known
here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from tcnb.client.thread import OnProblem


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


def _name(task: asyncio.Task[None]) -> str:
    """Return the name of the function that a task runs."""
    return str(getattr(task.get_coro(), "__qualname__", task.get_name()))
