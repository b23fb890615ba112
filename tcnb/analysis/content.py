"""What people write: words, emoji, links and mentions; how they are found in a text is in `text`.

No engine can take a text apart as is needed here: the engine picks the messages, their texts are collected, and
Python goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Unpack

import pandas as pd

from tcnb.analysis import text as texts_of
from tcnb.analysis.engines import Source
from tcnb.analysis.events import UNKNOWN, WHEN, name_columns, names, open_messages, texts
from tcnb.analysis.options import FigureOptions, draws
from tcnb.analysis.presenting import present
from tcnb.arguments import check_int
from tcnb.errors import UsageError

_LINK_NEEDLE = r"(?i)https?://|ftp://|www\."


@draws
def words(
    frame: Any,
    *,
    stop: bool | str | Iterable[str] = True,
    min_length: int = 2,
    plot: bool = False,
    **figure: Unpack[FigureOptions],
) -> Any:
    """Return which words were written, the most frequent first.

    Args:
        frame: events, in a frame of pandas, Polars, PyArrow, DuckDB, Dask or PySpark.
        stop: leave out the frequent words of Russian and English that say little (True), none (False), or these and
            those given: one word, or several.
        min_length: the shortest word, in letters.
        plot: return a figure instead of a frame.
        figure: what is asked of the figure: `options.FigureOptions`.

    Returns:
        word (string, in lower case), count, messages, people (Int64). A word is made of letters of any script, with
        apostrophes and hyphens inside; addresses are no words, and neither are mentions (see `mentions`). The texts
        are collected.

    Raises:
        UsageError: the frame lacks a column of events; `stop` is not of words, or `min_length` no number.
    """
    left_out, shortest = _stop_words(stop), check_int(min_length, "min_length is a number of letters", 0)
    source = open_messages(frame, "author", "text")
    people = texts_of.People(names(source, "author_id", "author"))

    def find(value: str) -> list[str]:
        found = texts_of.words(people.left_out(value))
        return [word for word in found if len(word) >= shortest and texts_of.folded(word) not in left_out]

    counted = _counted(texts(source), find).rename(columns={"item": "word"})
    return present("words", source, counted, plot=plot, figure=figure, stopped=bool(left_out))


def _stop_words(stop: Any) -> frozenset[str]:
    """Return the words that are left out, folded.

    Raises:
        UsageError: they are no words.
    """
    if isinstance(stop, bool):
        return texts_of.stop_words() if stop else frozenset()
    own = [stop] if isinstance(stop, str) else list(stop) if isinstance(stop, Iterable) else [stop]
    if not all(isinstance(word, str) for word in own):
        raise UsageError(f"stop is True, False, or words to leave out besides, such as ['build'], not {stop!r}")
    return texts_of.stop_words() | {texts_of.folded(word) for word in own}


@draws
def emoji(frame: Any, *, skin_tones: bool = True, plot: bool = False, **figure: Unpack[FigureOptions]) -> Any:
    """Return which emoji were written, the most frequent first.

    Args:
        frame: events, in a frame of pandas, Polars, PyArrow, DuckDB, Dask or PySpark.
        skin_tones: whether emoji that differ only in the tone of the skin are counted apart.
        plot: return a figure instead of a frame.
        figure: what is asked of the figure: `options.FigureOptions`.

    Returns:
        emoji (string), count, messages, people (Int64). Flags, keycaps and emoji joined from several are one each.
        The texts in which there may be some are collected.

    Raises:
        UsageError: the frame lacks a column of events.
    """
    source = open_messages(frame, "text")
    said = texts(source)
    said = said[said["text"].map(texts_of.may_have_emoji).astype(bool)]
    counted = _counted(said, lambda value: texts_of.emoji(value, skin_tones=skin_tones))
    return present("emoji", source, counted.rename(columns={"item": "emoji"}), plot=plot, figure=figure)


@draws
def links(frame: Any, *, plot: bool = False, **figure: Unpack[FigureOptions]) -> Any:
    """Return which addresses were written, the most frequent first.

    Args:
        frame: events, in a frame of pandas, Polars, PyArrow, DuckDB, Dask or PySpark.
        plot: return a figure instead of a frame.
        figure: what is asked of the figure: `options.FigureOptions`.

    Returns:
        url, domain (string), count, messages, people (Int64), first, last (UTC). The column `text` has no markup: of
        a link with a label only the label is there. The texts in which there are addresses are collected.

    Raises:
        UsageError: the frame lacks a column of events.
    """
    source = open_messages(frame, "text")
    counted = _counted(texts(source, _LINK_NEEDLE), texts_of.links).rename(columns={"item": "url"})
    counted["domain"] = counted["url"].map(texts_of.domain).astype("string")
    return present("links", source, counted, plot=plot, figure=figure)


@draws
def mentions(frame: Any, *, plot: bool = False, **figure: Unpack[FigureOptions]) -> Any:
    """Return who mentions whom, the most frequent first.

    A mention is `@login`, `@login@server`, `@all`, or the display name of a person, if it has two words or more or
    stands behind an `@`: the column `text` has no markup, and of a mention only the name is left in it.

    Args:
        frame: events, in a frame of pandas, Polars, PyArrow, DuckDB, Dask or PySpark.
        plot: return a figure instead of a frame.
        figure: what is asked of the figure: `options.FigureOptions`.

    Returns:
        author_id, author, mentioned_id, mentioned (string), count (Int64, messages), first, last (UTC). The known
        people are those who did something in the frame. The texts are collected.

    Raises:
        UsageError: the frame lacks a column of events.

    Source: `protocol` section 10.2.
    """
    source = open_messages(frame, "author", "text")
    found = mentioned(source)
    counted = found.groupby(["author_id", "mentioned_id", "written"], as_index=False).agg(
        count=("message_id", "size"), first=(WHEN, "min"), last=(WHEN, "max")
    )
    counted = name_columns(counted, source, author="author_id", mentioned="mentioned_id")
    counted["mentioned"] = counted["mentioned"].fillna(counted["written"].astype("string"))
    order = ["count", "author_id", "mentioned_id", "mentioned"]
    counted = counted.sort_values(order, ascending=[False, True, True, True])
    return present("mentions", source, counted, plot=plot, figure=figure)


def mentioned(source: Source) -> pd.DataFrame:
    """Return a row for each message and person mentioned in it: `mentioned_id` and, where that is unknown, `written`.

    Args:
        source: opened with `author` and `text`.
    """
    people = texts_of.People(names(source, "author_id", "author"))
    rows = [
        (author_id, message_id, when, person, written if person == UNKNOWN else "")
        for message_id, author_id, when, value in _plain(texts(source))
        for person, written in sorted(people.mentioned(value))
    ]
    made = pd.DataFrame(rows, columns=["author_id", "message_id", WHEN, "mentioned_id", "written"])
    kinds = {"author_id": "string", "message_id": "string", WHEN: "Int64", "mentioned_id": "string"}
    return made.astype({**kinds, "written": "string"})


def _counted(said: pd.DataFrame, find: Callable[[str], list[str]]) -> pd.DataFrame:
    """Count what is found in texts: `item`, `count`, `messages`, `people`, `first`, `last`, the most frequent first."""
    counts: dict[str, list[Any]] = {}
    for _, author_id, when, value in _plain(said):
        seen: set[str] = set()
        for item in find(value):
            entry = counts.get(item)
            if entry is None:
                entry = counts[item] = [0, 0, set(), when, when]
            entry[0] += 1
            if item not in seen:
                seen.add(item)
                entry[1] += 1
                entry[2].add(author_id)
                entry[3], entry[4] = min(entry[3], when), max(entry[4], when)
    rows = [
        (item, count, count_of_messages, len(people - {UNKNOWN}), first, last)
        for item, (count, count_of_messages, people, first, last) in counts.items()
    ]
    rows.sort(key=lambda row: (-row[1], -row[2], row[0]))
    made = pd.DataFrame(rows, columns=["item", "count", "messages", "people", "first", "last"])
    return made.astype({"item": "string", **dict.fromkeys(("count", "messages", "people", "first", "last"), "Int64")})


def _plain(said: pd.DataFrame) -> Iterable[tuple[str, str, int, str]]:
    """Return id, author, time and text of messages as plain Python values."""
    return zip(*(said[name].tolist() for name in ("message_id", "author_id", WHEN, "text")), strict=True)
