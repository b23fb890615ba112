"""The figures of what is counted: summary, activity, heatmap, talkers, files, membership."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.ticker import FuncFormatter

from tcnb.analysis.plots import theme as look
from tcnb.analysis.plots.theme import Chart, Theme
from tcnb.analysis.zones import HOUR, frequency

DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MOST_BARS: Final = 15
MOST_SERIES: Final = 6
MOST_PERIODS: Final = 62
"""More periods than these are drawn as an area, over an axis of time."""
_MOST_TICKS: Final = 8

_PERIODS: Final = {
    "D": ("day", "%d %b", "%d %b %Y"),
    "W": ("week", "%d %b", "%d %b %Y"),
    "M": ("month", "%b %Y", "%b %Y"),
    "Q": ("quarter", "%b %Y", "%b %Y"),
    "Y": ("year", "%Y", "%Y"),
}
"""What periods of the calendar are called, how one is named below the axis, and how where years have to be told."""

_OFFSETS: Final = {"D": "D", "W": "W-MON", "M": "MS", "Q": "QS", "Y": "YS"}
"""What pandas calls periods of the calendar that begin as ours do."""


def summary(frame: pd.DataFrame, theme: Theme) -> Chart:
    """Draw the numbers as tiles."""
    figure = Chart(theme, 8, 2.7)
    row = frame.iloc[0].to_dict() if len(frame) else {}
    row = {name: 0 if pd.isna(value) else value for name, value in row.items()}
    tiles = [
        *((name, look.number(row.get(name, 0))) for name in ("messages", "people", "chats", "replies")),
        ("files", look.number(row.get("files", 0))),
        ("of files", look.size(row.get("bytes", 0))),
        *((name, look.number(row.get(name, 0))) for name in ("edits", "removed")),
    ]
    with look.style(theme):
        axes = figure.add_subplot()
    look.bare(axes, theme)
    axes.set(xlim=(0, 4), ylim=(2, 0), xticks=[], yticks=[])
    for place, (name, value) in enumerate(tiles):
        left, top = place % 4, place // 4
        axes.text(
            left + 0.02, top + 0.38, value, fontsize=22, fontweight="bold", color=theme.main if not top else theme.ink
        )
        axes.text(left + 0.02, top + 0.68, name, fontsize=10, color=theme.soft)
    look.head(figure, "The record", _between(row.get("first"), row.get("last")))
    return figure


def activity(frame: pd.DataFrame, theme: Theme, tz: str = "UTC", freq: str = "D") -> Chart:
    """Draw messages over time: one area, or one line for each of the largest groups."""
    grouped = frame["group_id"].notna() | frame["group"].notna()
    when = _local(frame, tz)
    name, short, long = _naming(freq)
    groups = frame["group_id"].nunique(dropna=False) if grouped.any() else 0
    most = f"; the largest {MOST_SERIES} of {groups}" if groups > MOST_SERIES else ""
    figure, axes = look.chart(theme, "Activity", f"messages per {name}, {_span(when, long)}{tz}{most}")
    if frame.empty:
        look.nothing(axes, theme)
        return figure
    look.bare(axes, theme, "y")
    width = _width(when)
    shift = pd.Timedelta(0)
    if grouped.any():
        _lines(axes, frame.assign(when=when), theme, freq)
    else:
        values = frame["messages"].to_numpy(float)
        if len(frame) <= MOST_PERIODS:
            shift = width / 2
            axes.bar(when + shift, values, width=width * 0.82, color=theme.main)
        else:
            axes.fill_between(when, values, color=theme.main, alpha=0.25, linewidth=0, step="post")
            axes.step(when, values, color=theme.main, linewidth=1.4, where="post")
    _time_axis(axes, when, shift, short)
    look.counted(axes.yaxis)
    axes.set_ylim(bottom=0)
    return figure


def heatmap(frame: pd.DataFrame, theme: Theme, tz: str = "UTC") -> Chart:
    """Draw weekdays by hours, the more the stronger the colour."""
    figure, axes = look.chart(theme, "When people write", f"messages by weekday and hour, {tz}", height=3.3)
    grid = np.zeros((7, 24))
    for weekday, hour, count in frame[["weekday", "hour", "messages"]].itertuples(index=False):
        grid[int(weekday) - 1, int(hour)] = count
    most = grid.max()
    image = axes.pcolormesh(
        np.arange(25),
        np.arange(8),
        grid,
        cmap=theme.scale,
        vmin=0,
        vmax=max(most, 1),
        edgecolors=theme.ground,
        linewidth=1.6,
    )
    axes.set_ylim(7, 0)
    axes.set_yticks(np.arange(7) + 0.5, DAYS, color=theme.ink)
    axes.set_xticks(np.arange(0, 24, 3) + 0.5, [f"{hour:02}:00" for hour in range(0, 24, 3)])
    bar = figure.colorbar(image, ax=axes, fraction=0.025, pad=0.015, aspect=24)
    bar.outline.set_visible(False)
    bar.ax.tick_params(length=0, colors=theme.soft)
    look.counted(bar.ax.yaxis)
    return figure


def talkers(frame: pd.DataFrame, theme: Theme) -> Chart:
    """Draw a bar for each of those who wrote most."""
    shown = frame.head(MOST_BARS)
    note = f"messages, and part of all; {look.amount(len(frame), 'author')}"
    figure, axes = look.chart(theme, "Who writes most", note, height=height_for(len(shown)))
    if shown.empty:
        look.nothing(axes, theme)
        return figure
    texts = [f"{look.number(n)}  ({part:.0%})" for n, part in zip(shown["messages"], shown["share"], strict=True)]
    names = look.labels(shown["author"], shown["author_id"])
    look.bars(axes, theme, names, shown["messages"].tolist(), texts=texts)
    return figure


def files(frame: pd.DataFrame, theme: Theme) -> Chart:
    """Draw a bar for each type of files, with the space that they take."""
    shown = frame.head(MOST_BARS)
    figure, axes = look.chart(theme, "Files", "number, and size together", height=height_for(len(shown)))
    if shown.empty:
        look.nothing(axes, theme)
        return figure
    texts = [
        f"{look.number(n)}  ({look.size(octets)})" for n, octets in zip(shown["files"], shown["bytes"], strict=True)
    ]
    names = [look.label(name, "unknown type", 40) for name in shown["mime_type"]]
    look.bars(axes, theme, names, shown["files"].tolist(), texts=texts)
    return figure


def membership(frame: pd.DataFrame, theme: Theme, tz: str = "UTC", freq: str = "D") -> Chart:
    """Draw the headcount of the chats in which most happened, with joins and leaves of all below."""
    figure = Chart(theme, 8, 4.6)
    with look.style(theme):
        upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=[3, 1.2])
    for axes in (upper, lower):
        look.bare(axes, theme, "y")
    when = _local(frame, tz)
    name, short, long = _naming(freq)
    note = f"headcount by chat; below, joins and leaves of all chats per {name}, {_span(when, long)}{tz}"
    look.head(figure, "Membership", note)
    if frame.empty:
        look.nothing(upper, theme, "nobody joined or left")
        lower.set_axis_off()
        return figure
    frame = frame.assign(when=when)
    end = frame["when"].max()
    moves = frame.assign(moves=frame["joins"] + frame["leaves"]).groupby("chat_id")["moves"].sum()
    for place, chat_id in enumerate(moves.sort_values(ascending=False, kind="stable").index[:MOST_SERIES]):
        rows = frame[frame["chat_id"] == chat_id]
        since, count = [*rows["when"], end], [*rows["headcount"], rows["headcount"].iloc[-1]]
        title = look.label(rows["chat"].iloc[-1], chat_id)
        upper.step(since, count, where="post", color=theme.series[place], linewidth=1.8, label=title)
    look.counted(upper.yaxis)
    upper.set_ylim(bottom=0)
    _legend(upper, theme)
    days = frame.groupby("when")[["joins", "leaves"]].sum()
    width = _width(pd.Series(days.index))
    lower.bar(days.index, days["joins"].to_numpy(float), width=width * 0.8, color=theme.series[2])
    lower.bar(days.index, -days["leaves"].to_numpy(float), width=width * 0.8, color=theme.series[7])
    lower.axhline(0, color=theme.line, linewidth=1)
    look.counted(lower.yaxis)
    lower.yaxis.set_major_formatter(FuncFormatter(lambda value, _: look.number(abs(value))))
    _time_axis(lower, when, pd.Timedelta(0), short)
    return figure


def _lines(axes: Axes, frame: pd.DataFrame, theme: Theme, freq: str) -> None:
    totals = frame.groupby("group_id", dropna=False)["messages"].sum().sort_values(ascending=False, kind="stable")
    when = frame["when"]
    # Nobody has a row for a period in which nobody wrote, and a line must not lead across it.
    periods = pd.date_range(when.min(), when.max(), freq=_step(freq)).union(pd.DatetimeIndex(when.unique()))
    for place, key in enumerate(totals.index[:MOST_SERIES]):
        rows = frame[frame["group_id"].isna() if pd.isna(key) else frame["group_id"] == key]
        values = rows.groupby("when")["messages"].sum().reindex(periods, fill_value=0)
        name = look.label(rows["group"].iloc[-1], key)
        marker = "o" if len(periods) == 1 else None
        drawn: dict[str, Any] = {"color": theme.series[place], "linewidth": 1.6, "marker": marker, "label": name}
        axes.plot(periods, values.to_numpy(float), **drawn)
    _legend(axes, theme)


def _legend(axes: Axes, theme: Theme) -> None:
    axes.legend(
        loc="upper left", bbox_to_anchor=(1.0, 1.02), frameon=False, labelcolor=theme.ink, fontsize=9, handlelength=1.2
    )


def _local(frame: pd.DataFrame, tz: str) -> pd.Series[Any]:
    """Return when periods begin, on the clock of a zone."""
    local: pd.Series[Any] = frame["period"].dt.tz_convert(tz).dt.tz_localize(None)
    return local


def _naming(freq: str) -> tuple[str, str, str]:
    """Return what periods of a length are called, and how one is named, shortly and with its year."""
    length = frequency(freq)
    if length.calendar is not None:
        return _PERIODS[length.calendar]
    return "hour" if length.seconds == HOUR else freq, "%d %b\n%H:%M", "%d %b %Y"


def _step(freq: str) -> str:
    """Return what pandas calls a length of periods."""
    length = frequency(freq)
    return f"{length.seconds}s" if length.calendar is None else _OFFSETS[length.calendar]


def _span(when: pd.Series[Any], form: str) -> str:
    """Return from when to when periods begin, with a comma behind; nothing where there are none."""
    if when.empty:
        return ""
    first, last = f"{when.min():{form}}", f"{when.max():{form}}"
    return f"{first}, " if first == last else f"{first} to {last}, "


def _time_axis(axes: Axes, when: pd.Series[Any], shift: pd.Timedelta, form: str) -> None:
    """Name some of the periods below an axis, each at its beginning and some time on; where they are many, times."""
    axes.margins(x=0.02)
    periods = when.drop_duplicates().sort_values()
    if len(periods) <= MOST_PERIODS:
        apart = (periods.iloc[-1] - periods.iloc[0]) / _MOST_TICKS
        named: list[Any] = [periods.iloc[0]]
        for period in periods.iloc[1:]:
            if period - named[-1] >= apart:
                named.append(period)
        places: Any = [period + shift for period in named]
        axes.set_xticks(places, [f"{period:{form}}" for period in named])
        if len(periods) == 1:
            # A bar alone would be a wall.
            room = 2 * _width(periods)
            axes.set_xlim(periods.iloc[0] + shift - room, periods.iloc[0] + shift + room)
        return
    locator = AutoDateLocator(minticks=3, maxticks=8)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    formatter = ConciseDateFormatter(locator, show_offset=False)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_formatter(formatter)


def _width(when: pd.Series[Any]) -> Any:
    steps = when.sort_values().diff().dropna()
    steps = steps[steps > pd.Timedelta(0)]
    return steps.min() if len(steps) else pd.Timedelta(days=1)


def height_for(rows: int) -> float:
    return 1.3 + 0.29 * max(rows, 4)


def _between(first: Any, last: Any) -> str:
    if not first or not last:
        return "no messages"
    return f"messages from {first:%d %b %Y} to {last:%d %b %Y}"
