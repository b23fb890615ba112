"""One deadline for everything that a verb asks the server on its way: who is meant by a name takes several requests."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import Any, Final

NO_END: Final = 1e8
"""Seconds that stand for a wait without end: three years; timers of some loops take no infinity."""

# With its task, since whatever is begun meanwhile inherits the variable: a task or timer of the background may outlive
# the verb, and its requests are none of that verb's.
_deadline: ContextVar[tuple[asyncio.Task[Any] | None, float] | None] = ContextVar("tcnb deadline", default=None)


@asynccontextmanager
async def asking_until(deadline: float) -> AsyncIterator[None]:
    """Let every request that this task makes inside of the block wait until `deadline` (loop time, s), not longer and
    not shorter, unless it is given a time of its own.

    Raises:
        TimeoutError: the block is not done by then.
    """
    token = _deadline.set((asyncio.current_task(), deadline))
    try:
        async with asyncio.timeout_at(deadline):
            yield
    finally:
        _deadline.reset(token)


def time_left() -> float | None:
    """Return the seconds that a request of this task may take; None where no verb set a deadline."""
    found = _deadline.get()
    if found is None or found[0] is not asyncio.current_task():
        return None
    return max(found[1] - asyncio.get_running_loop().time(), 0.001)
