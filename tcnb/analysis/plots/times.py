"""The figures of lengths of time: response times, what waits, threads, conversations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from tcnb.analysis.plots import theme as look
from tcnb.analysis.plots.counts import MOST_BARS, height_for
from tcnb.analysis.plots.theme import Chart, Theme

MOST_PEOPLE: Final = 12
_TICKS: Final = (1, 10, 60, 600, 3_600, 21_600, 86_400, 604_800, 2_592_000)


def response_times(frame: pd.DataFrame, theme: Theme) -> Chart:
    """Draw how long answers take, for all and for those who answer most."""
    people = frame.groupby(["author_id", "author"], dropna=False).size().sort_values(ascending=False, kind="stable")
    people = people.head(MOST_PEOPLE)
    figure = Chart(theme, 8, 2.9 + 0.27 * len(people))
    with look.style(theme):
        upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=[1.7, 0.27 * max(len(people), 2)])
    for axes in (upper, lower):
        look.bare(axes, theme, "x")
    seconds = frame["seconds"].to_numpy(float).clip(1)
    median = f"; half of them within {look.span(float(np.median(seconds)))}" if len(seconds) else ""
    look.head(figure, "Response times", f"{look.amount(len(frame), 'answer')}{median}")
    if not len(seconds):
        look.nothing(upper, theme, "nobody answered anybody")
        lower.set_axis_off()
        return figure
    edges = np.geomspace(1, max(seconds.max() * 1.01, 60), 42)
    upper.hist(seconds, bins=edges.tolist(), color=theme.main, rwidth=0.9)
    look.counted(upper.yaxis)
    _people(lower, frame, people, theme)
    _log_axis(lower, edges[-1] * 1.2)
    with look.style(theme):
        lower.set_title("by who answers: the median, and the middle half", loc="left", fontsize=9, color=theme.soft)
    return figure


def _people(axes: Axes, frame: pd.DataFrame, people: pd.Series[Any], theme: Theme) -> None:
    names = []
    for place, (author_id, author) in enumerate(people.index):
        rows = frame["author_id"].isna() if pd.isna(author_id) else frame["author_id"] == author_id
        low, middle, high = np.quantile(
            frame.loc[rows.fillna(False), "seconds"].to_numpy(float).clip(1), (0.25, 0.5, 0.75)
        )
        axes.plot([low, high], [place, place], color=theme.second, linewidth=5, alpha=0.45, solid_capstyle="round")
        axes.plot([middle], [place], "o", color=theme.second, markersize=7)
        names.append(f"{look.label(author, author_id)}  ({look.number(people.iloc[place])})")
    axes.set_yticks(range(len(names)), names, color=theme.ink)
    axes.set_ylim(len(names) - 0.4, -0.6)


def unanswered(frame: pd.DataFrame, theme: Theme) -> Chart:
    """Draw how long what was not answered has waited, the longest first."""
    shown = frame.sort_values("waiting_seconds", ascending=False, kind="stable").head(MOST_BARS)
    overdue = int(frame["overdue"].sum())
    note = f"{look.amount(len(frame), 'message')} without an answer, {look.number(overdue)} of them overdue"
    figure, axes = look.chart(theme, "Unanswered", note, width=9, height=height_for(len(shown)))
    if shown.empty:
        look.nothing(axes, theme, "everything was answered")
        return figure
    names = [
        f"{look.label(author, key, 18)}: {look.label(text, '(no text)' if pd.isna(text) else '(emoji)', 30)}"
        for author, key, text in zip(shown["author"], shown["author_id"], shown["text"], strict=True)
    ]
    texts = [
        f"{look.span(seconds)}  {look.label(chat, key, 18)}"
        for seconds, chat, key in zip(shown["waiting_seconds"], shown["chat"], shown["chat_id"], strict=True)
    ]
    look.bars(axes, theme, names, shown["waiting_seconds"].tolist(), texts=texts)
    for bar, late in zip(axes.patches, shown["overdue"], strict=True):
        bar.set_color(theme.second if late else theme.main)
    return figure


def threads(frame: pd.DataFrame, theme: Theme) -> Chart:
    """Draw threads by how long they lasted and how many messages they have."""
    note = f"{look.amount(len(frame), 'thread')} by messages and length; the deeper, the larger"
    deepest = frame["depth"].to_numpy(float)
    return _scatter(frame, theme, "Threads", note, 14 + 16 * deepest.clip(0, 12), theme.main)


def conversations(frame: pd.DataFrame, theme: Theme) -> Chart:
    """Draw conversations by how long they lasted and how many messages they have."""
    note = f"{look.amount(len(frame), 'conversation')} by messages and length; the more people, the larger"
    people = frame["people"].to_numpy(float)
    return _scatter(frame, theme, "Conversations", note, 14 + 16 * people.clip(0, 12), theme.series[2])


def _scatter(frame: pd.DataFrame, theme: Theme, title: str, note: str, sizes: Any, colour: str) -> Chart:
    figure, axes = look.chart(theme, title, note)
    if frame.empty:
        look.nothing(axes, theme)
        return figure
    look.bare(axes, theme, "both")
    seconds = frame["seconds"].to_numpy(float).clip(1)
    count = frame["messages"].to_numpy(float)
    # Many have the same few messages: moved a little up and down, they can be seen.
    moved = count + np.random.default_rng(0).uniform(-0.28, 0.28, len(count))
    axes.scatter(seconds, moved, s=sizes, color=colour, alpha=0.45, linewidths=0)
    _log_axis(axes, max(seconds.max() * 1.3, 60))
    if count.max() > 40:
        axes.set_yscale("log")
        axes.minorticks_off()
        ticks = [value for value in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 5000) if value <= count.max() * 1.2]
        axes.set_yticks(ticks, [look.number(value) for value in ticks])
    else:
        look.counted(axes.yaxis)
        axes.set_ylim(0, count.max() * 1.1 + 0.5)
    axes.set_ylabel("messages")
    return figure


def _log_axis(axes: Axes, longest: float) -> None:
    axes.set_xscale("log")
    axes.minorticks_off()
    ticks: Sequence[int] = [tick for tick in _TICKS if tick <= longest]
    # What takes less than a second is drawn at one.
    axes.set_xticks(ticks, [f"{'≤ ' if tick == 1 else ''}{look.span(tick)}" for tick in ticks])
    axes.set_xlim(0.8, longest)
