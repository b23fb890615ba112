"""The figures of lengths of time: response times, what waits, threads, conversations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from tcnb.analysis.plots import theme as look
from tcnb.analysis.plots.counts import MOST_BARS, height_for
from tcnb.analysis.plots.drawing import Drawing
from tcnb.analysis.plots.language import Language

MOST_PEOPLE: Final = 12
_TICKS: Final = (1, 10, 60, 600, 3_600, 21_600, 86_400, 604_800, 2_592_000)


def response_times(frame: pd.DataFrame, drawing: Drawing) -> Any:
    """Draw how long answers take, for all and for those who answer most."""
    theme, language = drawing.theme, drawing.language
    people = frame.groupby(["author_id", "author"], dropna=False).size().sort_values(ascending=False, kind="stable")
    people = people.head(drawing.top(MOST_PEOPLE))
    seconds = frame["seconds"].to_numpy(float).clip(1)
    note = language.amount(len(frame), "answer")
    if len(seconds):
        note = language.say("half within", answers=note, median=language.span(float(np.median(seconds))))
    upper, lower = drawing.panels(note, height=2.9 + 0.27 * len(people), ratios=[1.7, 0.27 * max(len(people), 2)])
    for axes in (upper, lower):
        look.bare(axes, theme, "x")
    if not len(seconds):
        drawing.nothing(upper, "no answers")
        lower.set_axis_off()
        return upper.figure
    edges = np.geomspace(1, max(seconds.max() * 1.01, 60), 42)
    upper.hist(seconds, bins=edges.tolist(), color=theme.main, rwidth=0.9)
    drawing.counted(upper.yaxis)
    _people(lower, frame, people, drawing)
    _log_axis(lower, edges[-1] * 1.2, language)
    lower.set_title(language.say("by answerer"), loc="left", fontsize=9, color=theme.soft)
    return upper.figure


def _people(axes: Axes, frame: pd.DataFrame, people: pd.Series[Any], drawing: Drawing) -> None:
    theme, names = drawing.theme, []
    for place, (author_id, author) in enumerate(people.index):
        rows = frame["author_id"].isna() if pd.isna(author_id) else frame["author_id"] == author_id
        low, middle, high = np.quantile(
            frame.loc[rows.fillna(False), "seconds"].to_numpy(float).clip(1), (0.25, 0.5, 0.75)
        )
        axes.plot([low, high], [place, place], color=theme.second, linewidth=5, alpha=0.45, solid_capstyle="round")
        axes.plot([middle], [place], "o", color=theme.second, markersize=7)
        names.append(f"{drawing.label(author, author_id)}  ({drawing.language.number(people.iloc[place])})")
    axes.set_yticks(range(len(names)), names, color=theme.ink, **look.PLAIN)
    axes.set_ylim(len(names) - 0.4, -0.6)


def unanswered(frame: pd.DataFrame, drawing: Drawing) -> Any:
    """Draw how long what was not answered has waited, the longest first."""
    theme, language = drawing.theme, drawing.language
    shown = frame.sort_values("waiting_seconds", ascending=False, kind="stable").head(drawing.top(MOST_BARS))
    overdue = language.number(int(frame["overdue"].sum()))
    note = language.say("unanswered note", messages=language.amount(len(frame), "message"), overdue=overdue)
    axes = drawing.axes(note, width=9, height=height_for(len(shown)))
    if shown.empty:
        drawing.nothing(axes, "all answered")
        return axes.figure
    names = [
        f"{drawing.label(author, key, 18)}: "
        f"{drawing.label(text, language.say('no text' if pd.isna(text) else 'only emoji'), 30)}"
        for author, key, text in zip(shown["author"], shown["author_id"], shown["text"], strict=True)
    ]
    texts = [
        f"{language.span(seconds)}  {drawing.label(chat, key, 18)}"
        for seconds, chat, key in zip(shown["waiting_seconds"], shown["chat"], shown["chat_id"], strict=True)
    ]
    drawn = look.bars(axes, theme, names, shown["waiting_seconds"].tolist(), texts=texts)
    for bar, late in zip(drawn, shown["overdue"], strict=True):
        bar.set_color(theme.second if late else theme.main)
    return axes.figure


def threads(frame: pd.DataFrame, drawing: Drawing) -> Any:
    """Draw threads by how long they lasted and how many messages they have."""
    language = drawing.language
    note = language.say("threads note", threads=language.amount(len(frame), "thread"))
    deepest = frame["depth"].to_numpy(float)
    return _scatter(frame, drawing, note, 14 + 16 * deepest.clip(0, 12), drawing.theme.main)


def conversations(frame: pd.DataFrame, drawing: Drawing) -> Any:
    """Draw conversations by how long they lasted and how many messages they have."""
    language = drawing.language
    note = language.say("conversations note", conversations=language.amount(len(frame), "conversation"))
    people = frame["people"].to_numpy(float)
    return _scatter(frame, drawing, note, 14 + 16 * people.clip(0, 12), drawing.theme.series[2])


def _scatter(frame: pd.DataFrame, drawing: Drawing, note: str, sizes: Any, colour: str) -> Any:
    language = drawing.language
    axes = drawing.axes(note, grid="both" if len(frame) else "")
    if frame.empty:
        drawing.nothing(axes)
        return axes.figure
    seconds = frame["seconds"].to_numpy(float).clip(1)
    count = frame["messages"].to_numpy(float)
    # Many have the same few messages: moved a little up and down, they can be seen.
    moved = count + np.random.default_rng(0).uniform(-0.28, 0.28, len(count))
    axes.scatter(seconds, moved, s=sizes, color=colour, alpha=0.45, linewidths=0)
    _log_axis(axes, max(seconds.max() * 1.3, 60), language)
    if count.max() > 40:
        axes.set_yscale("log")
        axes.minorticks_off()
        ticks = [value for value in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 5000) if value <= count.max() * 1.2]
        axes.set_yticks(ticks, [language.number(value) for value in ticks], **look.PLAIN)
    else:
        drawing.counted(axes.yaxis)
        axes.set_ylim(0, count.max() * 1.1 + 0.5)
    axes.set_ylabel(language.say("messages"), color=drawing.theme.soft, **look.PLAIN)
    return axes.figure


def _log_axis(axes: Axes, longest: float, language: Language) -> None:
    axes.set_xscale("log")
    axes.minorticks_off()
    ticks: Sequence[int] = [tick for tick in _TICKS if tick <= longest]
    # What takes less than a second is drawn at one.
    lengths = [language.span(tick) for tick in ticks]
    axes.set_xticks(ticks, [language.say("at most", length=lengths[0]), *lengths[1:]], **look.PLAIN)
    axes.set_xlim(0.8, longest)
