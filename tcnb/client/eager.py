"""A task whose first step is taken at once, instead of in the next turn of the loop; what tasks are for is not known
here.
"""

from __future__ import annotations

import asyncio
import contextvars
import sys
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


def start(work: Coroutine[Any, Any, T], loop: asyncio.AbstractEventLoop) -> asyncio.Task[T]:
    """Begin some work at once, up to where it waits for something, and return the task that goes on with it.

    An ordinary task would begin in the loop's next turn, after everything else that is due. For a short request, that
    was measured to be a twentieth of the whole. Must be called on the loop, outside of any task.
    """
    if sys.version_info >= (3, 12):
        return asyncio.Task(work, loop=loop, eager_start=True)
    begun, context = _Begun(work), contextvars.copy_context()
    task = asyncio.Task(begun, loop=loop, context=context)
    # What is begun has to find its task; these two are documented for whoever makes tasks of another kind.
    asyncio.tasks._enter_task(loop, task)
    try:
        context.run(begun.begin)
    finally:
        asyncio.tasks._leave_task(loop, task)
    return task


class _Begun(Coroutine[Any, Any, T]):
    """A coroutine that has taken its first step before its task takes it; the task is given what came of it."""

    def __init__(self, work: Coroutine[Any, Any, T]) -> None:
        self._work = work
        self._is_first = True
        self._awaited: Any = None
        self._end: BaseException | None = None

    def begin(self) -> None:
        """Take the first step."""
        try:
            self._awaited = self._work.send(None)
        except BaseException as end:
            self._end = end

    def send(self, value: Any) -> Any:
        if not self._is_first:
            return self._work.send(value)
        awaited, end = self._given()
        if end is None:
            return awaited
        try:
            raise end
        finally:
            # An error that knows this frame, which knows the error, would live until the next collection of garbage.
            del end

    def throw(self, *error: Any) -> Any:
        # Cancelled before the task took its first step: what was begun has to hear of it.
        _, end = self._given()
        if end is not None:
            raise end
        return self._work.throw(*error)

    def close(self) -> None:
        self._work.close()

    def __await__(self) -> Any:
        raise TypeError("this is for a task alone")

    def _given(self) -> tuple[Any, BaseException | None]:
        """Return what came of the first step, once."""
        given = self._awaited, self._end
        self._is_first, self._awaited, self._end = False, None, None
        return given
