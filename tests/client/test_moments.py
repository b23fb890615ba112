"""What waits is looked at when its moment has come, with one timer for everything."""

from __future__ import annotations

import asyncio

import pytest

from tcnb.client.requests.timers import Timers

SOON = 0.02
NEVER = 1e9


async def test_each_is_looked_at_when_it_is_due() -> None:
    """What is due first is looked at first, whatever was added first."""
    seen: list[str] = []
    both = asyncio.Event()

    def look(name: str, now: float) -> None:
        seen.append(name)
        if len(seen) == 2:
            both.set()

    moments = Timers(look)
    now = asyncio.get_running_loop().time()
    moments.add("second", now + 3 * SOON)
    moments.add("first", now + SOON)
    await both.wait()
    assert seen == ["first", "second"]


async def test_look_never_comes_early() -> None:
    """The time that is told is not before the moment."""
    told: asyncio.Future[float] = asyncio.get_running_loop().create_future()
    moments: Timers[str] = Timers(lambda name, now: told.set_result(now))
    due = asyncio.get_running_loop().time() + SOON
    moments.add("one", due)
    assert await told >= due


async def test_look_says_when_to_look_again() -> None:
    """What gives another moment is looked at again then."""
    looks: list[float] = []
    done = asyncio.Event()

    def look(name: str, now: float) -> float | None:
        looks.append(now)
        if len(looks) == 2:
            done.set()
            return None
        return now + SOON

    moments = Timers(look)
    moments.add("one", asyncio.get_running_loop().time())
    await done.wait()
    assert looks[1] >= looks[0] + SOON


async def test_what_is_removed_is_left_alone() -> None:
    """What came to its end before is not looked at, and what is due after it is."""
    seen: list[str] = []
    done = asyncio.Event()

    def look(name: str, now: float) -> None:
        seen.append(name)
        done.set()

    moments = Timers(look)
    now = asyncio.get_running_loop().time()
    moments.add("removed", now + SOON)
    moments.add("kept", now + 2 * SOON)
    moments.remove("removed")
    await done.wait()
    assert seen == ["kept"]


async def test_many_need_one_timer(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many wait, the loop is asked for one timer."""
    loop = asyncio.get_running_loop()
    set_for: list[float] = []
    monkeypatch.setattr(loop, "call_at", lambda moment, look: set_for.append(moment))
    moments: Timers[int] = Timers(lambda number, now: None)
    for number in range(100):
        moments.add(number, NEVER + number)
    assert set_for == [NEVER]
