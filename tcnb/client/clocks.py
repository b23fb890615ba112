"""Two questions about time: what the server's clock says, and whether this machine has slept; nothing is sent here."""

from __future__ import annotations

import time
from email.utils import parsedate_to_datetime
from typing import Final

CLOCK_MARGIN: Final = 2_000
"""Milliseconds by which a measured clock may be wrong: what the server stamped earlier than a request, by more than
this, was there before it."""

UNMEASURED_MARGIN: Final = 120_000
"""The same as long as nothing was measured and the clock of this machine has to do."""

FURTHEST: Final = 2 * 86_400_000
"""Milliseconds from the clock of this machine beyond which the `Date` of a handshake is not believed: it may be another
machine's, and taken for the server's it would make a message that was sent look as if it never had been."""

TICK: Final = 2.0
"""Seconds between two looks whether the machine has slept."""

JUMP: Final = 3.0
"""Seconds by which two clocks must part, or a look be late, to count as a sleep."""

wall = time.time
"""The clock that goes on while the machine sleeps, and that people set."""


class ServerClock:
    """The clock whose stamps messages bear, as far as it can be told from here.

    What is learned is kept as bounds of its distance to the loop's own clock, which nobody sets. Stamps in answers are
    to the millisecond and come from the very clock; the header of a handshake is to the second and stands in for them.
    """

    def __init__(self) -> None:
        self._stamped: tuple[float, float] | None = None
        self._dated: tuple[float, float] | None = None

    @property
    def is_measured(self) -> bool:
        """Whether anything is known of it."""
        return (self._stamped or self._dated) is not None

    def stamped(self, stamp: int, sent: float, received: float) -> None:
        """Learn from the stamp (ms since the epoch) in an answer, between request and answer (loop time, s)."""
        low, high = stamp - received * 1000, stamp + 1 - sent * 1000
        if self._stamped is not None:
            closer = max(low, self._stamped[0]), min(high, self._stamped[1])
            # Bounds that exclude each other mean that a clock was set: only the newer ones hold.
            low, high = closer if closer[0] <= closer[1] else (low, high)
        self._stamped = low, high

    def dated(self, header: str | None, sent: float, received: float) -> None:
        """Learn from the `Date` header of an answer over HTTP, between request and answer (loop time, s), if it is
        anywhere near the time of this machine.
        """
        try:
            stamp = parsedate_to_datetime(header or "").timestamp() * 1000
        except (ValueError, TypeError, OverflowError):
            return
        if abs(stamp - wall() * 1000) > FURTHEST:
            return
        self._dated = stamp - received * 1000, stamp + 1000 - sent * 1000

    def forget(self) -> None:
        """Forget everything, since one of the clocks has jumped."""
        self._stamped = self._dated = None

    def now(self, moment: float) -> int:
        """Return what it says (ms since the epoch) at this moment (loop time, s), as well as can be told.

        That is what the clock of this machine says, as long as it keeps within what was learned.
        """
        bounds = self._stamped or self._dated
        here = wall() * 1000
        if bounds is not None:
            here = min(max(here, moment * 1000 + bounds[0]), moment * 1000 + bounds[1])
        return int(here)

    def earliest(self, moment: float) -> int:
        """Return the earliest stamp (ms since the epoch) of what the server does after a moment (loop time, s)."""
        bounds = self._stamped or self._dated
        if bounds is None:
            return int(wall() * 1000) - UNMEASURED_MARGIN
        return int(moment * 1000 + bounds[0]) - CLOCK_MARGIN

    def latest(self, moment: float) -> int:
        """Return the latest stamp (ms since the epoch) of what the server did before a moment (loop time, s)."""
        bounds = self._stamped or self._dated
        if bounds is None:
            return int(wall() * 1000) + UNMEASURED_MARGIN
        return int(moment * 1000 + bounds[1]) + CLOCK_MARGIN


class SuspendDetector:
    """Tells from two clocks whether the machine slept between two looks.

    The loop's clock stands still during a sleep on some systems and goes on during it on others: the first shows as a
    distance to the wall clock, the second as a look that comes late. A wall clock that was set looks like a sleep too;
    what follows from one (a ping, a try to connect) does no harm.
    """

    def __init__(self, loop_time: float) -> None:
        self._looked = wall(), loop_time

    def was_suspended(self, loop_time: float) -> bool:
        """Look again; returns whether the machine has slept since the last look."""
        now = wall(), loop_time
        by_wall, by_loop = now[0] - self._looked[0], now[1] - self._looked[1]
        self._looked = now
        return abs(by_wall - by_loop) > JUMP or by_loop > TICK + JUMP
