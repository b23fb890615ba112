"""The figures of what is counted: summary, activity, heatmap, talkers, files, membership."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter

from tcnb.analysis.plots import theme as look
from tcnb.analysis.plots.drawing import Drawing
from tcnb.analysis.plots.timeline import MOST_PERIODS, Timeline, microseconds, per, timeline
from tcnb.errors import UsageError

MOST_BARS: Final = 15
MOST_SERIES: Final = 6
_TILES: Final = ("messages", "people", "chats", "replies", "files", "bytes", "edits", "removed")
_WIDTH: Final = 0.82
"""The part of its period that a bar takes."""


def summary(frame: pd.DataFrame, drawing: Drawing) -> Any:
    """Draw the numbers as tiles."""
    theme, language = drawing.theme, drawing.language
    row = frame.iloc[0].to_dict() if len(frame) else {}
    row = {name: 0 if pd.isna(value) else value for name, value in row.items()}
    axes = drawing.axes(_between(drawing, row.get("first"), row.get("last")), height=2.7)
    axes.set(xlim=(0, 4), ylim=(2, 0), xticks=[], yticks=[])
    for place, name in enumerate(_TILES):
        left, top = place % 4 + 0.02, place // 4
        shown = language.size if name == "bytes" else language.number
        colour = theme.ink if top else theme.main
        axes.text(left, top + 0.38, shown(row.get(name, 0)), fontsize=22, fontweight="bold", color=colour)
        axes.text(left, top + 0.68, language.say(f"tile {name}"), fontsize=10, color=theme.soft)
    return axes.figure


def activity(frame: pd.DataFrame, drawing: Drawing, tz: str = "UTC", freq: str = "D") -> Any:
    """Draw messages over time: bars or one area, or one line for each of the largest groups."""
    language = drawing.language
    grouped = bool((frame["group_id"].notna() | frame["group"].notna()).any())
    if drawing.asked is not None and not grouped and len(frame):
        raise UsageError("the figure of activity has a top only by='chat' or by='author'")
    times = timeline(frame, language, freq, tz)
    groups, shown = frame["group_id"].nunique(dropna=False) if grouped else 0, drawing.top(MOST_SERIES)
    note = language.say("messages per", period=per(language, freq), span=times.span(), tz=tz)
    note += language.say("largest", most=shown, all=groups) if groups > shown else ""
    is_bars = not grouped and len(frame) <= MOST_PERIODS
    note += language.say("hatched" if is_bars else "dotted") if times.incomplete else ""
    axes = drawing.axes(note, grid="y")
    if frame.empty:
        drawing.nothing(axes)
        return axes.figure
    if grouped:
        _lines(axes, frame, drawing, times.filled(), shown)
    elif is_bars:
        _bars(axes, times, frame.groupby(microseconds(frame["period"]))["messages"].sum(), drawing.theme.main)
    else:
        _area(axes, times, frame["messages"].to_numpy(float), drawing.theme.main)
    times.name_on(axes)
    drawing.counted(axes.yaxis)
    axes.set_ylim(bottom=0)
    return axes.figure


def heatmap(frame: pd.DataFrame, drawing: Drawing, tz: str = "UTC") -> Any:
    """Draw weekdays by hours, the more the stronger the colour."""
    theme = drawing.theme
    axes = drawing.axes(drawing.language.say("heatmap note", tz=tz), height=3.3)
    grid = np.zeros((7, 24))
    for weekday, hour, count in frame[["weekday", "hour", "messages"]].itertuples(index=False):
        grid[int(weekday) - 1, int(hour)] = count
    edges: dict[str, Any] = {"edgecolors": theme.ground, "linewidth": 1.6}
    most = max(grid.max(), 1)
    image = axes.pcolormesh(np.arange(25), np.arange(8), grid, cmap=theme.scale, vmin=0, vmax=most, **edges)
    axes.set_ylim(7, 0)
    axes.set_yticks(np.arange(7) + 0.5, drawing.language.weekdays, color=theme.ink, **look.PLAIN)
    axes.set_xticks(np.arange(0, 24, 3) + 0.5, [f"{hour:02}:00" for hour in range(0, 24, 3)], **look.PLAIN)
    bar = axes.figure.colorbar(image, ax=axes, fraction=0.025, pad=0.015, aspect=24)
    bar.outline.set_visible(False)
    bar.ax.tick_params(length=0, colors=theme.soft)
    drawing.counted(bar.ax.yaxis)
    return axes.figure


def talkers(frame: pd.DataFrame, drawing: Drawing) -> Any:
    """Draw a bar for each of those who wrote most."""
    language, shown = drawing.language, frame.head(drawing.top(MOST_BARS))
    note = language.say("talkers note", authors=language.amount(len(frame), "author"))
    axes = drawing.axes(note, height=height_for(len(shown)))
    if shown.empty:
        drawing.nothing(axes)
        return axes.figure
    counts = shown["messages"].tolist()
    texts = [f"{language.number(n)}  ({part:.0%})" for n, part in zip(counts, shown["share"], strict=True)]
    look.bars(axes, drawing.theme, drawing.labels(shown["author"], shown["author_id"]), counts, texts=texts)
    return axes.figure


def files(frame: pd.DataFrame, drawing: Drawing) -> Any:
    """Draw a bar for each type of files, with the space that they take."""
    language, shown = drawing.language, frame.head(drawing.top(MOST_BARS))
    axes = drawing.axes(language.say("files note"), height=height_for(len(shown)))
    if shown.empty:
        drawing.nothing(axes)
        return axes.figure
    counts = shown["files"].tolist()
    texts = [f"{language.number(n)}  ({language.size(b)})" for n, b in zip(counts, shown["bytes"], strict=True)]
    names = [drawing.label(name, language.say("unknown type"), 40) for name in shown["mime_type"]]
    look.bars(axes, drawing.theme, names, counts, texts=texts)
    return axes.figure


def membership(frame: pd.DataFrame, drawing: Drawing, tz: str = "UTC", freq: str = "D") -> Any:
    """Draw the headcount of the chats in which most happened, with joins and leaves of all below."""
    theme, language = drawing.theme, drawing.language
    times = timeline(frame, language, freq, tz)
    note = language.say("membership note", period=per(language, freq), span=times.span(), tz=tz)
    moved = frame.loc[~frame["complete"].fillna(True), ["joins", "leaves"]].sum().sum()
    note += language.say("hatched") if moved else ""
    upper, lower = drawing.panels(note, height=4.6, ratios=[3, 1.2])
    for axes in (upper, lower):
        look.bare(axes, theme, "y")
    if frame.empty:
        drawing.nothing(upper, "no moves")
        lower.set_axis_off()
        return upper.figure
    _headcounts(upper, frame, drawing, times)
    moves = frame.groupby(microseconds(frame["period"]))[["joins", "leaves"]].sum()
    _bars(lower, times, moves["joins"], theme.series[2])
    _bars(lower, times, -moves["leaves"], theme.series[7])
    lower.axhline(0, color=theme.line, linewidth=1)
    drawing.counted(lower.yaxis)
    lower.yaxis.set_major_formatter(FuncFormatter(lambda value, _: language.number(abs(value))))
    times.name_on(lower)
    return upper.figure


def _headcounts(axes: Axes, frame: pd.DataFrame, drawing: Drawing, times: Timeline) -> None:
    moves = frame.assign(moves=frame["joins"] + frame["leaves"]).groupby("chat_id")["moves"].sum()
    chats = moves.sort_values(ascending=False, kind="stable").index[: drawing.top(MOST_SERIES)]
    where = dict(zip(times.begins, times.places.tolist(), strict=True))
    lines, names = [], []
    for place, chat_id in enumerate(chats):
        rows = frame[frame["chat_id"] == chat_id]
        since = [*(where[begin] for begin in microseconds(rows["period"]).tolist()), times.ends[-1]]
        count = [*rows["headcount"], rows["headcount"].iloc[-1]]
        lines += axes.step(since, count, where="post", color=drawing.theme.series[place], linewidth=1.8)
        names.append(drawing.label(rows["chat"].iloc[-1], chat_id))
    drawing.counted(axes.yaxis)
    axes.set_ylim(bottom=0)
    look.legend(axes, drawing.theme, lines, names)


def _bars(axes: Axes, times: Timeline, counts: pd.Series[Any], colour: str) -> None:
    """Draw a bar in each period, hatched where the period is incomplete."""
    values = counts.reindex(list(times.begins)).to_numpy(float)
    widths = times.ends - times.places
    bars = axes.bar(times.places + widths / 2, values, width=_WIDTH * widths, color=colour)
    for bar, is_complete in zip(bars, times.is_complete, strict=True):
        if not is_complete:
            bar.set(**look.hatched(colour))


def _area(axes: Axes, times: Timeline, values: Any, colour: str) -> None:
    """Draw an area over the periods, lighter and dotted where one is incomplete."""
    edges, levels = np.append(times.places, times.ends[-1]), np.append(values, values[-1])
    whole = times.is_complete
    for is_whole, (first, last) in _runs(whole):
        part = slice(first, last + 1)
        alpha, style = (0.25, "-") if is_whole else (0.1, ":")
        axes.fill_between(edges[part], levels[part], color=colour, alpha=alpha, linewidth=0, step="post")
        axes.step(edges[part], levels[part], color=colour, linewidth=1.4, linestyle=style, where="post")


def _lines(axes: Axes, frame: pd.DataFrame, drawing: Drawing, times: Timeline, most: int) -> None:
    """Draw a line for each of the largest groups, dotted towards and from incomplete periods."""
    totals = frame.groupby("group_id", dropna=False)["messages"].sum().sort_values(ascending=False, kind="stable")
    middles = (times.places + times.ends) / 2
    lines, names = [], []
    for place, key in enumerate(totals.index[:most]):
        rows = frame[frame["group_id"].isna() if pd.isna(key) else frame["group_id"] == key]
        counts = rows.groupby(microseconds(rows["period"]))["messages"].sum()
        # Nobody has a row for a period in which nobody wrote, and a line must not lead across it.
        values = counts.reindex(list(times.begins), fill_value=0).to_numpy(float)
        colour = drawing.theme.series[place]
        lines.append(_line(axes, middles, values, times.is_complete, colour))
        names.append(drawing.label(rows["group"].iloc[-1], key))
    look.legend(axes, drawing.theme, lines, names)


def _line(axes: Axes, places: Any, values: Any, whole: Any, colour: str) -> Any:
    how: dict[str, Any] = {"color": colour, "linewidth": 1.6}
    if len(places) == 1:
        return axes.plot(places, values, marker="o", **how)[0]
    # A stretch of line is as certain as the less certain of its ends.
    certain = whole[:-1] & whole[1:]
    line = axes.plot(places, values, linestyle="-" if certain.all() else ":", **how)[0]
    for is_certain, (first, last) in _runs(certain) if not certain.all() else []:
        if is_certain:
            line = axes.plot(places[first : last + 1], values[first : last + 1], **how)[0]
    return line


def _runs(flags: Any) -> list[tuple[bool, tuple[int, int]]]:
    """Return the stretches of equal flags: which flag, and between which positions."""
    borders = [0, *(np.flatnonzero(np.diff(flags.astype(int))) + 1).tolist(), len(flags)]
    return [(bool(flags[first]), (first, last)) for first, last in pairwise(borders)]


def height_for(rows: int) -> float:
    """Return the height of a figure of so many bars, in inches."""
    return 1.3 + 0.29 * max(rows, 4)


def _between(drawing: Drawing, first: Any, last: Any) -> str:
    if not first or not last:
        return drawing.language.say("no messages")
    days = {"first": drawing.language.date(first, "%d %b %Y"), "last": drawing.language.date(last, "%d %b %Y")}
    return drawing.language.say("messages between", **days)
