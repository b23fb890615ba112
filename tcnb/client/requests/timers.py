"""The moments at which whatever waits is looked at again, with one timer for all of them; what is done then stands
elsewhere.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from typing import Final, Generic, TypeVar

T = TypeVar("T")

GRAIN: Final = 0.01
"""Seconds between two looks, at least: what falls due in between waits for the next one."""


class Timers(Generic[T]):
    """Has things looked at when their moment has come.

    A timer for each request would be set and cancelled thousands of times a second, and nearly never go off. So there
    is one, which is set for the first moment and not touched while others come and go.

    All methods must be called on one loop.

    Args:
        look: called with what is due and the moment it is; returns when to look again (loop time, s), or None for
            never. It must not raise.
    """

    def __init__(self, look: Callable[[T, float], float | None]) -> None:
        self._look = look
        self._moments: dict[T, float] = {}
        self._next = math.inf
        self._timer: asyncio.TimerHandle | None = None

    def add(self, waiting: T, moment: float) -> None:
        """Have something looked at, at a moment (loop time, s)."""
        self._moments[waiting] = moment
        if moment < self._next:
            self._set(moment)

    def remove(self, waiting: T) -> None:
        """Have something looked at no more; nothing happens where it was not to be looked at."""
        self._moments.pop(waiting, None)

    def _set(self, moment: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._next = moment
        self._timer = asyncio.get_running_loop().call_at(moment, self._check_due)

    def _check_due(self) -> None:
        # The loop may be early by the resolution of its clock.
        now = max(self._next, asyncio.get_running_loop().time())
        self._next, self._timer = math.inf, None
        due = [one for one, moment in self._moments.items() if moment <= now]
        for waiting in sorted(due, key=self._moments.__getitem__):
            again = self._look(waiting, now)
            if again is None:
                self._moments.pop(waiting, None)
            elif waiting in self._moments:
                self._moments[waiting] = again
        if self._moments:
            self._set(max(now + GRAIN, min(self._moments.values())))
