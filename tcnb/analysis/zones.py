"""Instants to local time and back, as arithmetic on whole seconds; which messages there are is not known here.

Engines differ in what they know of time zones (DuckDB and Spark have one for the whole connection). The offsets of a
zone over the span of the data are few, so the local time is computed from them, alike on every engine.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Final
from zoneinfo import ZoneInfo

import narwhals as nw

from tcnb.arguments import check_zone
from tcnb.errors import UsageError

DAY: Final = 86_400
HOUR: Final = 3_600
_EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001 - wall clock time
_FREQUENCY: Final = re.compile(r"(\d*)\s*([A-Za-z]+)")
_SECONDS: Final = {"s": 1, "min": 60, "t": 60, "h": HOUR, "hour": HOUR, "minute": 60}
_CALENDAR: Final = {
    **dict.fromkeys(("d", "day"), "D"),
    **dict.fromkeys(("w", "week"), "W"),
    **dict.fromkeys(("m", "ms", "me", "mo", "month"), "M"),
    **dict.fromkeys(("q", "qs", "qe", "quarter"), "Q"),
    **dict.fromkeys(("y", "ys", "ye", "a", "year"), "Y"),
}
_OFFSET: Final = re.compile(r"(?:UTC|GMT)?\s?([+-])(\d{1,2})(?::?(\d{2}))?")
_DURATION: Final = re.compile(r"(\d+(?:\.\d+)?|)\s*([a-z]+)")
_UNITS: Final = {
    **dict.fromkeys(("s", "sec", "second", "seconds"), 1),
    **dict.fromkeys(("min", "minute", "minutes"), 60),
    **dict.fromkeys(("h", "hour", "hours"), HOUR),
    **dict.fromkeys(("d", "day", "days"), DAY),
    **dict.fromkeys(("w", "week", "weeks"), 7 * DAY),
}
_MONTHS: Final = {"M": 1, "Q": 3, "Y": 12}


def zone_name(given: str | tzinfo) -> str:
    """Return the name of a time zone.

    Args:
        given: its name; an offset of whole hours such as `+03:00`; or a zone of `zoneinfo`, `datetime`, pytz or
            dateutil.

    Raises:
        UsageError: it is none, or one without a name.
    """
    if isinstance(given, str):
        offset = _OFFSET.fullmatch(given.strip())
        if offset is None:
            return check_zone(given).key
        minutes = int(offset[2]) * 60 + int(offset[3] or 0)
        return _of_offset(given, timedelta(minutes=-minutes if offset[1] == "-" else minutes))
    if not isinstance(given, tzinfo):
        return check_zone(given).key
    for attribute in ("key", "zone", "_filename"):
        name = getattr(given, attribute, None)
        if isinstance(name, str):
            return check_zone(name.rpartition("zoneinfo/")[2]).key
    # Zones whose offset changes do not know it without a moment.
    if (fixed := given.utcoffset(None)) is not None:
        return _of_offset(given, fixed)
    raise UsageError(f"the time zone {given!r} has no name: give one like 'Europe/Moscow' or 'UTC'")


def _of_offset(given: object, offset: timedelta) -> str:
    """Return the name of the zone that always has an offset; there are some for whole hours alone."""
    hours, rest = divmod(offset, timedelta(hours=1))
    if rest or not -12 <= hours <= 14:
        raise UsageError(f"no time zone is always {given}: give one by its name, like 'Asia/Kolkata' or 'UTC'")
    # Their names count hours to the west.
    return f"Etc/GMT{-hours:+d}" if hours else "UTC"


@dataclass(frozen=True)
class Offsets:
    """The offsets of a zone from UTC over a span of time.

    Attributes:
        first: the offset at its beginning, in seconds.
        changes: when it changes (seconds since 1970) and by how many seconds.
    """

    first: int
    changes: tuple[tuple[int, int], ...]

    def local(self, seconds: nw.Expr) -> nw.Expr:
        """Return the local wall clock time, in seconds since 1970 on that clock, of instants in seconds."""
        local = seconds + self.first
        for at, by in self.changes:
            local = local + (seconds >= at).cast(nw.Int64) * by
        return local

    def within(self, step: int) -> Iterator[int]:
        """Give the changes after which the clock does not show a multiple of so many seconds."""
        offset = self.first
        for at, by in self.changes:
            offset += by
            if (at + offset) % step:
                yield at


def offsets(name: str, first: int, last: int) -> Offsets:
    """Return the offsets of a zone between two instants, in seconds since 1970."""
    where = check_zone(name)
    changes = []
    at = first
    while at < last:
        then = min(at + DAY, last)
        by = _offset(where, then) - _offset(where, at)
        if by:
            changes.append((_change(where, at, then), by))
        at = then
    return Offsets(_offset(where, first), tuple(changes))


def _offset(where: ZoneInfo, at: int) -> int:
    offset = datetime.fromtimestamp(at, UTC).astimezone(where).utcoffset()
    return int(offset.total_seconds()) if offset is not None else 0


def _change(where: ZoneInfo, before: int, after: int) -> int:
    """Return the first second of the new offset between two instants that have different ones."""
    old = _offset(where, before)
    while after - before > 1:
        middle = (before + after) // 2
        if _offset(where, middle) == old:
            before = middle
        else:
            after = middle
    return after


@dataclass(frozen=True)
class Frequency:
    """The length of the periods into which time is cut.

    Attributes:
        seconds: length of the steps in which an engine counts: a fraction of a day, or a day.
        calendar: None, or `D`, `W`, `M`, `Q`, `Y`: what days are gathered into.
    """

    seconds: int
    calendar: str | None

    @property
    def is_absolute(self) -> bool:
        """Whether periods are so short that an hour that the clock shows twice has them twice."""
        return self.calendar is None and self.seconds <= HOUR

    def key(self, seconds: nw.Expr, local: nw.Expr, known: Offsets) -> nw.Expr:
        """Return the beginning of each instant's step: an instant where periods are absolute, else local time.

        Args:
            seconds: the instants.
            local: what the clock shows then.
            known: the offsets of the zone.
        """
        if not self.is_absolute:
            return local - local % self.seconds
        key = seconds - local % self.seconds
        for at in known.within(self.seconds):
            # No period leads across a change of the clock: one that it cuts in two is two.
            key = nw.when((seconds >= at) & (key < at)).then(nw.lit(at)).otherwise(key)
        return key

    def step_of(self, microseconds: int, where: ZoneInfo) -> int:
        """Return the beginning of the period of one instant, as `key` is."""
        seconds = microseconds // 1_000_000
        offset = _offset(where, seconds)
        local = seconds + offset
        if not self.is_absolute:
            return self.start(local - local % self.seconds)
        key = seconds - local % self.seconds
        return key if _offset(where, key) == offset else _change(where, key, seconds)

    def start(self, key: int) -> int:
        """Return the beginning of the period that a step belongs to, as `key` is."""
        if self.calendar in (None, "D"):
            return key
        day = (_EPOCH + timedelta(seconds=key)).date()
        if self.calendar == "W":
            return _wall(day - timedelta(days=day.weekday()))
        months = _MONTHS[self.calendar or "M"]
        return _wall(date(day.year, (day.month - 1) // months * months + 1, 1))

    def periods(self, first: int, last: int, where: ZoneInfo) -> Iterator[int]:
        """Return the beginnings of all periods from that of one step to that of another, as `key` is.

        A day that the zone skipped is none.
        """
        start, end = self.start(first), self.start(last)
        while start <= end:
            following = self._next(start, where)
            if self.instant(start, where) < self.instant(following, where):
                yield start
            start = following

    def bounds(self, start: int, where: ZoneInfo) -> tuple[int, int]:
        """Return when a period begins and when the next one does, in microseconds since 1970."""
        return self.instant(start, where), self.instant(self._next(start, where), where)

    def _next(self, start: int, where: ZoneInfo) -> int:
        if self.is_absolute:
            offset = _offset(where, start)
            later = start + self.seconds - (start + offset) % self.seconds
            return later if _offset(where, later) == offset else _change(where, start, later)
        longest = {"W": 7, "M": 31, "Q": 92, "Y": 366}.get(self.calendar or "", 0) * DAY
        return self.start(start + longest) if longest else start + self.seconds

    def instant(self, key: int, where: ZoneInfo) -> int:
        """Return when a period begins, in microseconds since 1970: when the clock first shows that or later."""
        if self.is_absolute:
            return key * 1_000_000
        wall = (_EPOCH + timedelta(seconds=key)).replace(tzinfo=where)
        # Of a time that the clock skips, the first of the two is by the old offset, and so the later instant.
        old, new = int(wall.timestamp()), int(wall.replace(fold=1).timestamp())
        return (old if old <= new else _change(where, new, old)) * 1_000_000


def frequency(text: str) -> Frequency:
    """Return what a text such as `15min`, `6h`, `D`, `W`, `M`, `Q` or `Y` means.

    Raises:
        UsageError: it means nothing, or periods of that length do not fit into days.
    """
    match = _FREQUENCY.fullmatch(text.strip()) if isinstance(text, str) else None
    if match is not None:
        times, unit = int(match[1] or 1), match[2].lower()
        if unit in _CALENDAR and times == 1:
            return Frequency(DAY, _CALENDAR[unit])
        seconds = _SECONDS.get(unit.removesuffix("s") if len(unit) > 1 else unit, 0) * times
        if seconds and DAY % seconds == 0:
            return Frequency(seconds, None) if seconds < DAY else Frequency(DAY, "D")
    raise UsageError(
        f"no frequency is called {text!r}: give 'h', 'D', 'W', 'M', 'Q', 'Y', or '15min', '6h' and the like"
    )


def duration(value: str | float | timedelta | None, name: str) -> int | None:
    """Return a length of time in microseconds; None stays None.

    Args:
        value: a text such as `30min`, `12h` or `1d`, a number of seconds, or a timedelta.
        name: what it is for, for the error.

    Raises:
        UsageError: it is no length of time, or not above zero.
    """
    if value is None:
        return None
    length: float | None = None
    if isinstance(value, timedelta):
        length = value.total_seconds()
    elif isinstance(value, str):
        match = _DURATION.fullmatch(value.strip().lower())
        length = float(match[1] or 1) * _UNITS[match[2]] if match and match[2] in _UNITS else None
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        length = value
    if length is None or not 0 < length < float("inf"):
        raise UsageError(f"{name} is a length of time such as '30min', '12h' or '1d', not {value!r}")
    return round(length * 1_000_000)


def _wall(day: date) -> int:
    return (day - _EPOCH.date()).days * DAY
