"""Who writes how much, where and when: summary, activity, heatmap, talkers and files.

Each is counted by the engine in groups that are few (chats × people, hours, days), and only these are collected.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import replace
from datetime import tzinfo
from typing import Any, Final, Literal, Unpack
from zoneinfo import ZoneInfo

import narwhals as nw
import pandas as pd

from tcnb.analysis.engines import Rows, Source, collect
from tcnb.analysis.events import (
    UNKNOWN,
    WHEN,
    Reach,
    edits_told,
    messages,
    name_columns,
    open_messages,
    reach,
    removals,
)
from tcnb.analysis.options import FigureOptions, draws
from tcnb.analysis.periods import with_periods
from tcnb.analysis.presenting import present
from tcnb.analysis.zones import DAY, HOUR, Frequency, Offsets, frequency, offsets, zone_name
from tcnb.arguments import check_zone
from tcnb.errors import UsageError

_SECOND = 1_000_000

MOST_PERIODS: Final = 500_000
"""Periods of a result, empty ones among them: the hours of 57 years, made in two seconds."""


@draws
def summary(frame: Any, *, plot: bool = False, **figure: Unpack[FigureOptions]) -> Any:
    """Return the size of a record in one row.

    Args:
        frame: events, in a frame of pandas, Polars, PyArrow, DuckDB, Dask or PySpark.
        plot: return a figure instead of a frame.
        figure: what is asked of the figure: `options.FigureOptions`.

    Returns:
        One row: events, messages, people, chats, replies, files, bytes, edits, removed (Int64), first, last (UTC).
        The engine counts in groups of chat and author; these are collected.

    Raises:
        UsageError: the frame lacks a column of events.
    """
    source = open_messages(frame, "reply_to", "file_id", "file_size", events=None)
    cells = collect(_cells(source, "chat_id", "author_id"))
    kinds = collect(source.rows.group_by("event").agg(nw.len().alias("rows")))
    rows = kinds.set_index("event")["rows"]
    removed = collect(removals(source).select(nw.len().alias("removed")))["removed"]
    edited = collect(edits_told(source).select(nw.len().alias("edits")))["edits"]
    totals = cells[["messages", "replies", "files", "bytes"]].sum()
    made = {
        "events": int(rows.sum()),
        **totals.astype(int).to_dict(),
        "people": _distinct(cells["author_id"]),
        "chats": _distinct(cells["chat_id"]),
        "edits": int(edited.sum()),
        "removed": int(removed.sum()),
        "first": cells["first"].min(),
        "last": cells["last"].max(),
    }
    return present("summary", source, pd.DataFrame([made]), plot=plot, figure=figure)


@draws
def activity(
    frame: Any,
    freq: str = "D",
    *,
    by: Literal["chat", "author"] | None = None,
    tz: str | tzinfo = "UTC",
    plot: bool = False,
    **figure: Unpack[FigureOptions],
) -> Any:
    """Return how many messages were written in each period, and by how many people.

    Args:
        frame: events, in a frame of pandas, Polars, PyArrow, DuckDB, Dask or PySpark.
        freq: length of the periods: `15min`, `h`, `6h`, `D`, `W` (from Monday), `M`, `Q`, `Y`.
        by: also by `chat` or by `author`.
        tz: time zone whose hours and days these are; an hour that its clock shows twice is two periods.
        plot: return a figure instead of a frame.
        figure: what is asked of the figure: `options.FigureOptions`.

    Returns:
        period (in the zone; on DuckDB and Spark what its clock shows), group_id, group (string; missing without
        `by`), messages, people (Int64), complete (boolean; false where the record begins or ends in the period), in the
        order of time. Without `by` also the periods in which nothing was written stand there, with zeros, unless they
        are more than half a million.
        The engine counts by period, group and author; these are collected.

    Raises:
        UsageError: the frame lacks a column of events; no such frequency, zone or group.
    """
    if by not in (None, "chat", "author"):
        raise UsageError(f"activity goes by 'chat' or by 'author', not by {by!r}")
    tz = zone_name(tz)
    length, where = frequency(freq), check_zone(tz)
    source = open_messages(frame, *([by] if by else []))
    group = f"{by}_id" if by else None
    columns = dict.fromkeys(("step", *([group] if group else []), "author_id"))
    whole = reach(source)
    local = _local(source, tz, whole, length.key)
    cells = collect(local.group_by(*columns).agg(nw.len().alias("messages")))
    steps = cells["step"]
    cells["start"] = steps.map(length.start).astype("Int64")
    cells["group_id"] = cells[group] if group else UNKNOWN
    keys = ["start", "group_id"]
    cells = cells.groupby([*keys, "author_id"], as_index=False).agg(messages=("messages", "sum"))
    cells["people"] = (cells["author_id"] != UNKNOWN).astype("Int64")
    grouped = cells.groupby(keys, as_index=False).agg(messages=("messages", "sum"), people=("people", "sum"))
    if group is None and len(grouped):
        grouped = _with_empty_periods(grouped, length, int(steps.min()), int(steps.max()), where)
    grouped = with_periods(grouped, length, where, whole)
    named = _with_group_names(grouped, source, by)
    ordered = named.sort_values(["period", "messages", "group_id"], ascending=[True, False, True])
    return present("activity", source, ordered, plot=plot, figure=figure, tz=tz, freq=freq)


@draws
def heatmap(frame: Any, *, tz: str | tzinfo = "UTC", plot: bool = False, **figure: Unpack[FigureOptions]) -> Any:
    """Return how many messages were written in each hour of each day of the week.

    Args:
        frame: events, in a frame of pandas, Polars, PyArrow, DuckDB, Dask or PySpark.
        tz: time zone whose hours these are, also where it goes over to daylight saving time and back.
        plot: return a figure instead of a frame.
        figure: what is asked of the figure: `options.FigureOptions`.

    Returns:
        weekday (Int64, 1 is Monday), hour (Int64, 0 to 23), messages (Int64): always 168 rows, in this order.
        The engine counts; at most 168 numbers are collected.

    Raises:
        UsageError: the frame lacks a column of events; no such zone.
    """
    tz = zone_name(tz)
    source = open_messages(frame, people=False)
    # 1970-01-01 was a Thursday.
    hours = _local(source, tz, reach(source), lambda _, wall, __: (wall + 3 * DAY) % (7 * DAY) - wall % HOUR)
    counts = collect(hours.group_by("step").agg(nw.len().alias("messages")))
    by_hour = counts.assign(step=counts["step"] // HOUR).set_index("step")["messages"]
    all_hours = by_hour.reindex(range(7 * 24), fill_value=0)
    made = pd.DataFrame(
        {
            "weekday": [hour // 24 + 1 for hour in range(7 * 24)],
            "hour": [hour % 24 for hour in range(7 * 24)],
            "messages": all_hours.to_numpy(),
        }
    )
    return present("heatmap", source, made, plot=plot, figure=figure, tz=tz)


@draws
def talkers(frame: Any, *, plot: bool = False, **figure: Unpack[FigureOptions]) -> Any:
    """Return how much each person wrote, the one who wrote most first.

    Args:
        frame: events, in a frame of pandas, Polars, PyArrow, DuckDB, Dask or PySpark.
        plot: return a figure instead of a frame.
        figure: what is asked of the figure: `options.FigureOptions`.

    Returns:
        author_id, author (string), messages (Int64), share (Float64, 0 to 1), characters, replies, files, chats
        (Int64), first, last (UTC). Messages without an author share one row whose `author_id` is missing.
        The engine counts in groups of chat and author; these are collected. Characters are those first written.

    Raises:
        UsageError: the frame lacks a column of events.
    """
    source = open_messages(frame, "author", "text", "reply_to", "file_id", "file_size")
    length = nw.col("text").str.len_chars().fill_null(0).cast(nw.Int64).alias("characters")
    measured = replace(source, rows=source.rows.with_columns(length).drop("text"))
    cells = collect(_cells(measured, "author_id", "chat_id", also=("characters",)))
    cells["chats"] = (cells["chat_id"] != UNKNOWN).astype("Int64")
    counted = cells.groupby("author_id", as_index=False).agg(
        **{name: (name, "sum") for name in ("messages", "characters", "replies", "files", "chats")},
        first=("first", "min"),
        last=("last", "max"),
    )
    counted["share"] = counted["messages"].astype("Float64") / max(int(counted["messages"].sum()), 1)
    counted = counted.sort_values(["messages", "author_id"], ascending=[False, True])
    return present("talkers", source, name_columns(counted, source, author="author_id"), plot=plot, figure=figure)


@draws
def files(frame: Any, *, plot: bool = False, **figure: Unpack[FigureOptions]) -> Any:
    """Return which types of files were sent, how many and how large, the most frequent first.

    Args:
        frame: events, in a frame of pandas, Polars, PyArrow, DuckDB, Dask or PySpark.
        plot: return a figure instead of a frame.
        figure: what is asked of the figure: `options.FigureOptions`.

    Returns:
        mime_type (string), files, bytes, largest, people (Int64), first, last (UTC). A file is a message with a
        `file_id`. The engine counts in groups of type and author; these are collected.

    Raises:
        UsageError: the frame lacks a column of events.
    """
    source = open_messages(frame, "file_id", "file_size", "mime_type")
    sent = messages(source).filter(~nw.col("file_id").is_null())
    sent = sent.with_columns(nw.col("mime_type").fill_null(UNKNOWN), nw.col("file_size").fill_null(0))
    cells = collect(
        sent.group_by("mime_type", "author_id").agg(
            nw.len().alias("files"),
            nw.col("file_size").sum().alias("bytes"),
            nw.col("file_size").max().alias("largest"),
            nw.col(WHEN).min().alias("first"),
            nw.col(WHEN).max().alias("last"),
        )
    )
    cells["people"] = (cells["author_id"] != UNKNOWN).astype("Int64")
    counted = cells.groupby("mime_type", as_index=False).agg(
        files=("files", "sum"),
        bytes=("bytes", "sum"),
        largest=("largest", "max"),
        people=("people", "sum"),
        first=("first", "min"),
        last=("last", "max"),
    )
    counted = counted.sort_values(["files", "bytes", "mime_type"], ascending=[False, False, True])
    counted["mime_type"] = counted["mime_type"].astype("string").replace({UNKNOWN: pd.NA})
    return present("files", source, counted, plot=plot, figure=figure)


def _cells(source: Source, *keys: str, also: tuple[str, ...] = ()) -> Rows:
    """Count messages, replies and files in groups."""
    flags = source.rows.with_columns(
        (~nw.col("reply_to").is_null()).cast(nw.Int64).alias("replies"),
        (~nw.col("file_id").is_null()).cast(nw.Int64).alias("files"),
        nw.col("file_size").fill_null(0).alias("bytes"),
    )
    # An engine carries through the search for removed messages what is not left behind here.
    lean = replace(source, rows=flags.drop("reply_to", "file_id", "file_size"))
    return (
        messages(lean)
        .group_by(*keys)
        .agg(
            nw.len().alias("messages"),
            *(nw.col(name).sum() for name in ("replies", "files", "bytes", *also)),
            nw.col(WHEN).min().alias("first"),
            nw.col(WHEN).max().alias("last"),
        )
    )


def _local(source: Source, tz: str, whole: Reach, step: Callable[[nw.Expr, nw.Expr, Offsets], nw.Expr]) -> Rows:
    """Return messages with a column `step`, computed from their instants and local times, both in seconds."""
    # Of all rows, since telling the messages among them takes much longer than looking at a few more times.
    known = offsets(tz, whole.first // _SECOND, whole.last // _SECOND + 1)
    seconds = nw.col("second")
    with_seconds = messages(source).with_columns(((nw.col(WHEN) - nw.col(WHEN) % _SECOND) // _SECOND).alias("second"))
    with_wall = with_seconds.with_columns(known.local(seconds).alias("wall"))
    return with_wall.with_columns(step(seconds, nw.col("wall"), known).alias("step"))


def _with_empty_periods(
    grouped: pd.DataFrame, length: Frequency, first: int, last: int, where: ZoneInfo
) -> pd.DataFrame:
    """Return counts with the periods between two steps in which nothing was written, unless these are too many."""
    if (last - first) // length.seconds >= MOST_PERIODS:
        warnings.warn(
            f"from the first message to the last there are more than {MOST_PERIODS:,} periods: those in which nothing "
            "was written are left out; a longer freq= has them",
            stacklevel=4,
        )
        return grouped
    periods = list(length.periods(first, last, where))
    grouped = grouped.set_index("start").reindex(periods).rename_axis("start").reset_index()
    return grouped.fillna({"messages": 0, "people": 0, "group_id": UNKNOWN})


def _with_group_names(frame: pd.DataFrame, source: Source, by: str | None) -> pd.DataFrame:
    if by is None:
        nobody = pd.Series(pd.NA, index=frame.index, dtype="string")
        return frame.assign(group_id=nobody, group=nobody)
    key = f"{by}_id"
    named = name_columns(frame.rename(columns={"group_id": key}), source, group=key)
    return named.rename(columns={key: "group_id"})


def _distinct(ids: pd.Series[Any]) -> int:
    """Count the different ids that are known."""
    return int(ids[ids != UNKNOWN].nunique())
