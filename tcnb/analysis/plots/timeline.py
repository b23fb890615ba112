"""Periods on an axis of time: where each begins and ends, which are incomplete, and how some of them are named."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from tcnb.analysis.plots.language import Language
from tcnb.analysis.plots.theme import PLAIN
from tcnb.analysis.zones import HOUR, Frequency, frequency
from tcnb.arguments import check_zone

MOST_PERIODS: Final = 62
"""More periods than these are not named one by one."""

_MOST_TICKS: Final = 8
_DAY: Final = 86_400_000_000
_LEVELS: Final = ("15min", "h", "6h", "D", "W", "M", "Q", "Y")
"""What ticks stand at the beginning of, where periods are many; the finest is taken of which there are few enough."""

_SHORT: Final = {"D": "%d %b", "W": "%d %b", "M": "%b %Y", "Q": "%b %Y", "Y": "%Y"}
_LONG: Final = {"D": "%d %b %Y", "W": "%d %b %Y", "M": "%b %Y", "Q": "%b %Y", "Y": "%Y"}
"""How periods of the calendar are named below an axis, and in a sentence."""


@dataclass(frozen=True)
class Timeline:
    """Periods of one length in one zone.

    Attributes:
        length: their length.
        where: their zone.
        language: in which they are named.
        begins: when they begin, ascending, in microseconds since 1970.
        incomplete: those of them that were not recorded whole.
    """

    length: Frequency
    where: ZoneInfo
    language: Language
    begins: tuple[int, ...]
    incomplete: frozenset[int]

    @property
    def places(self) -> Any:
        """Where the periods begin, as matplotlib counts time: in days since 1970."""
        return np.array(self.begins) / _DAY

    @property
    def ends(self) -> Any:
        """Where they end."""
        return np.array([self._end(begin) for begin in self.begins]) / _DAY

    @property
    def is_complete(self) -> Any:
        """Which of them were recorded whole."""
        return np.array([begin not in self.incomplete for begin in self.begins], np.bool_)

    def filled(self) -> Timeline:
        """Return the timeline with all periods between the first and the last one."""
        if not self.begins:
            return self
        first, last = (self.length.step_of(begin, self.where) for begin in (self.begins[0], self.begins[-1]))
        between = (self.length.instant(start, self.where) for start in self.length.periods(first, last, self.where))
        begins = tuple(sorted({*self.begins, *between}))
        return Timeline(self.length, self.where, self.language, begins, self.incomplete)

    def span(self) -> str:
        """Return from when to when the periods begin, with a comma behind; nothing where there are none."""
        if not self.begins:
            return ""
        first, last = (self._named(begin, _LONG.get(self.length.calendar or "D", "")) for begin in self._ends())
        return self.language.say("one" if first == last else "from to", first=first, last=last)

    def name_on(self, axes: Axes) -> None:
        """Name some of the periods below an axis, each at its middle; where they are many, times."""
        axes.margins(x=0.02)
        if len(self.begins) > MOST_PERIODS:
            ticks, form = self._ticks()
            places = [tick / _DAY for tick in ticks]
        else:
            ticks, form = self._spread(), _SHORT.get(self.length.calendar or "", "%d %b\n%H:%M")
            places = [(tick + self._end(tick)) / 2 / _DAY for tick in ticks]
        labels = [self._named(tick, form) for tick in ticks]
        axes.set_xticks(places, labels, **PLAIN)
        if len(self.begins) == 1:
            # A bar alone would be a wall.
            begin, end = self.begins[0] / _DAY, self._end(self.begins[0]) / _DAY
            axes.set_xlim(begin - 1.5 * (end - begin), end + 1.5 * (end - begin))

    def _ends(self) -> tuple[int, int]:
        return self.begins[0], self.begins[-1]

    def _end(self, begin: int) -> int:
        return self.length.bounds(self.length.step_of(begin, self.where), self.where)[1]

    def _spread(self) -> list[int]:
        """Return some of the periods, with room for a name at each."""
        first, last = self._ends()
        apart, named = (last - first) / _MOST_TICKS, [first]
        for begin in self.begins[1:]:
            if begin - named[-1] >= apart:
                named.append(begin)
        return named

    def _ticks(self) -> tuple[list[int], str]:
        """Return round times between the first and the last period, and how they are named."""
        first, last = self._ends()
        ticks: list[int] = []
        for level in _LEVELS:
            length = frequency(level)
            if length.calendar is None and (last - first) / 1_000_000 > length.seconds * MOST_PERIODS:
                continue
            starts = length.periods(length.step_of(first, self.where), length.step_of(last, self.where), self.where)
            ticks = [at for at in (length.instant(start, self.where) for start in starts) if first <= at <= last]
            if len(ticks) <= _MOST_TICKS + 1:
                break
        ticks = ticks[:: -(-len(ticks) // (_MOST_TICKS + 1)) or 1]
        return ticks, _SHORT.get(length.calendar or "", "%d %b\n%H:%M")

    def _named(self, begin: int, form: str) -> str:
        return self.language.date(datetime.fromtimestamp(begin // 1_000_000, self.where), form)


def timeline(frame: pd.DataFrame, language: Language, freq: str, tz: str) -> Timeline:
    """Return the periods of a result."""
    begins = microseconds(frame["period"])
    partly = ~frame["complete"].fillna(True).to_numpy(np.bool_)
    return Timeline(
        frequency(freq),
        check_zone(tz),
        language,
        tuple(sorted(set(begins.tolist()))),
        frozenset(begins[partly].tolist()),
    )


def microseconds(times: pd.Series[Any]) -> Any:
    """Return instants in microseconds since 1970."""
    return times.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy("datetime64[us]").astype(np.int64)


def per(language: Language, freq: str) -> str:
    """Return what periods of a length are called in a sentence."""
    length = frequency(freq)
    if length.calendar is not None:
        return language.say(f"per {length.calendar}")
    return language.say("per h") if length.seconds == HOUR else language.say("per other", freq=freq)
