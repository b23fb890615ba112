"""The rows of a record in the order of time, which is how people read them, whatever the order of recording."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from tcnb.record.columns.columns import Buffer

AHEAD: Final = 86_400_000
"""Milliseconds by which a server's clock may be ahead of ours. A message that claims to be from the year 3000 is not
believed: it would stand behind everything that is said for the next centuries, and have millions of hours analysed."""

Rows = npt.NDArray[np.int32]
"""Numbers of rows."""

Numbers = npt.NDArray[np.int64]


class Place(NamedTuple):
    """Where a row stands in the timeline; places are compared as tuples are.

    Attributes:
        time: when it happened, in milliseconds since 1970.
        seq: its position in the record, which decides between rows of one moment.
    """

    time: int
    seq: int


class Page(NamedTuple):
    """Some rows in the order of time.

    Attributes:
        rows: the rows, oldest first, ready for JSON as in `Record.rows`.
        reached: the farthest place that was looked at; None where there is nothing behind it.
    """

    rows: list[dict[str, Any]]
    reached: Place | None


class Gap(NamedTuple):
    """Where rows are that were not handed out: all that stands in the timeline from one place to another.

    Attributes:
        start: the place of the first of them.
        end: the place of the last.
        size: how many there are.
    """

    start: Place
    end: Place
    size: int


class Recorded(NamedTuple):
    """What was recorded behind a position.

    Attributes:
        last: the position up to which this tells.
        rows: the rows, oldest first, ready for JSON as in `Record.rows`, with their origins; of too many, the latest.
        gaps: where the others are, oldest first.
    """

    last: int
    rows: list[dict[str, Any]]
    gaps: list[Gap]


class Condition(NamedTuple):
    """Which rows are wanted.

    Attributes:
        columns: columns of categories.
        holds: says whether a row is wanted that has these values in them, by name; it is asked once for each
            combination of values and must give the same answer every time.
    """

    columns: tuple[str, ...]
    holds: Callable[[Mapping[str, Any]], bool]


def is_believed(timestamp: int, received: int) -> bool:
    """Tell whether something can have happened when a server says so; both are in milliseconds since 1970."""
    return 0 < timestamp <= received + AHEAD


def time_of(timestamp: int | None, received: int) -> int:
    """Return the time at which a row stands in the timeline: the server's, or our own where it has none to believe.

    Args:
        timestamp: when the server says it happened; None or 0 where it does not say (removals, progress).
        received: when it reached this process.

    Returns:
        One of the two; all are in milliseconds since 1970.
    """
    return timestamp if timestamp is not None and is_believed(timestamp, received) else received


def times_of(timestamps: Numbers, received: Numbers) -> Numbers:
    """Return what `time_of` says for many rows.

    Args:
        timestamps: in microseconds since 1970; a missing one is negative.
        received: in microseconds since 1970.

    Returns:
        Milliseconds since 1970.
    """
    said, came = timestamps // 1000, received // 1000
    return np.where((said > 0) & (said <= came + AHEAD), said, came)


class Timeline:
    """Numbers of rows, sorted by time and then by number, at 4 bytes a row; the caller lets in one thread at a time.

    Rows that come in the order of time are put at the end. A page of a chat's past, which lies before everything, moves
    the numbers of all others (4 MB in a record of a million).

    Attributes:
        length: how many rows are sorted in; they are the first ones of the record.
    """

    def __init__(self, times: Callable[[Rows], Numbers]) -> None:
        """Make an empty timeline.

        Args:
            times: returns the times of some rows, in milliseconds since 1970.
        """
        self._times = times
        self._sorted: tuple[Buffer, int] = Buffer(np.int32), 0

    @property
    def length(self) -> int:
        return self._sorted[1]

    @property
    def nbytes(self) -> int:
        """Bytes of memory taken."""
        return self._sorted[0].nbytes

    def add(self, count: int) -> None:
        """Sort in the next rows of the record."""
        if not count:
            return
        rows = np.arange(self.length, self.length + count, dtype=np.int32)
        times = self._times(rows)
        if (np.diff(times) < 0).any():
            by_time = np.argsort(times, kind="stable")
            rows, times = rows[by_time], times[by_time]
        self._put(rows, self.search(times, rows))

    def rows(self, start: int, stop: int) -> Rows:
        """Return the rows that stand at some positions; they must not be written."""
        return self._sorted[0].view(start, stop)

    def search(self, times: Numbers, rows: Rows) -> Numbers:
        """Return for some places, each a time and the number of a row, how many rows stand before them."""
        places = np.full(len(times), self.length)
        if not self.length:
            return places
        # As a rule everything that is new is later than all that is there, or earlier.
        first, last = self._times(self.rows(0, self.length)[[0, -1]])
        places[times < first] = 0
        among = np.flatnonzero((times >= first) & (times <= last))
        if len(among):
            places[among] = self._search(times[among], rows[among])
        return places

    def _search(self, times: Numbers, rows: Rows) -> Numbers:
        low, high = np.zeros(len(times), np.int64), np.full(len(times), self.length)
        order = self.rows(0, self.length)
        while (is_open := low < high).any():
            middle = (low + high) // 2
            found = order[np.minimum(middle, self.length - 1)]
            moments = self._times(found)
            is_before = (moments < times) | ((moments == times) & (found < rows))
            low = np.where(is_open & is_before, middle + 1, low)
            high = np.where(is_open & ~is_before, middle, high)
        return low

    def _put(self, rows: Rows, places: Numbers) -> None:
        """Put rows before those that stand at some places now."""
        buffer, length = self._sorted
        first, count = int(places[0]), length + len(rows)
        if first < length:
            behind, is_page = buffer.view(first, length), places[0] == places[-1]
            rows = np.concatenate([rows, behind]) if is_page else np.insert(behind, places - first, rows)
            # The interrupt button may strike anywhere: where it strikes in the middle, everything is sorted anew.
            self._sorted = Buffer(np.int32), 0
        buffer.room(length, count)  # which keeps what stands before
        buffer.room(first, count)[:] = rows
        self._sorted = buffer, count
