"""A task that takes its first step at once is otherwise like any other."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
from typing import Any

import pytest

from tcnb.client import eager


def _started(work: Any) -> asyncio.Future[asyncio.Task[Any]]:
    """Start some work as a callback of the loop, outside of any task; returns its task."""
    loop = asyncio.get_running_loop()
    begun: asyncio.Future[asyncio.Task[Any]] = loop.create_future()
    loop.call_soon(lambda: begun.set_result(eager.start(work, loop)))
    return begun


async def test_first_step_is_taken_at_once() -> None:
    """When it was started, everything up to the first wait has been done."""
    steps: list[str] = []

    async def work() -> None:
        steps.append("begun")
        await asyncio.sleep(0)
        steps.append("over")

    loop = asyncio.get_running_loop()
    seen: asyncio.Future[tuple[list[str], asyncio.Task[None]]] = loop.create_future()

    def begin() -> None:
        task = eager.start(work(), loop)
        seen.set_result((list(steps), task))

    loop.call_soon(begin)
    at_once, task = await seen
    await task
    assert (at_once, steps) == (["begun"], ["begun", "over"])


async def test_value_comes_back() -> None:
    """Its result is what the work returns, after a wait or without one."""

    async def slow() -> int:
        await asyncio.sleep(0)
        return 1

    async def quick() -> int:
        return 2

    assert await (await _started(slow())) == 1
    assert await (await _started(quick())) == 2


async def test_error_comes_back() -> None:
    """It fails with what the work raises in its first step."""

    async def fail() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await (await _started(fail()))


async def test_time_limit_in_the_first_step_holds() -> None:
    """A time limit that begins in the first step ends the work, for it has found its task."""

    async def work() -> str:
        try:
            async with asyncio.timeout(0.01):
                await asyncio.Event().wait()
        except TimeoutError:
            return "in time"
        return "never"

    assert await (await _started(work())) == "in time"


async def test_context_variables_outlive_the_first_step() -> None:
    """What the first step sets in the context is there afterwards, and can be set back."""
    place: contextvars.ContextVar[str] = contextvars.ContextVar("place", default="outside")

    async def work() -> list[str]:
        token = place.set("inside")
        await asyncio.sleep(0)
        seen = [place.get()]
        place.reset(token)
        return [*seen, place.get()]

    assert await (await _started(work())) == ["inside", "outside"]


async def test_cancelling_at_once_is_heard() -> None:
    """Work that is cancelled in the very turn in which it began can tidy up."""
    heard: list[str] = []

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            heard.append("cancelled")
            raise

    loop = asyncio.get_running_loop()
    begun: asyncio.Future[asyncio.Task[None]] = loop.create_future()

    def begin() -> None:
        task = eager.start(work(), loop)
        task.cancel()
        begun.set_result(task)

    loop.call_soon(begin)
    task = await begun
    with contextlib.suppress(asyncio.CancelledError):
        await task
    assert task.cancelled()
    assert heard == ["cancelled"]
