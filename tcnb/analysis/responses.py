"""Who answers whom and how fast, what nobody answered, and which conversations a chat falls into.

A turn is a run of consecutive messages of one author in a chat. The first message of a turn answers the last message
of the turn before it. Neighbours are found by window functions: on Polars, DuckDB and PySpark the engine runs them;
from PyArrow and Dask, which lack them, the few columns that are needed are moved to pandas first.
"""

from __future__ import annotations

from typing import Any, Unpack

import narwhals as nw
import pandas as pd

from tcnb.analysis import events
from tcnb.analysis.engines import Over, Rows, Source, as_texts, collect, in_order, with_windows
from tcnb.analysis.events import ORDER, UNKNOWN, WHEN, messages, name_columns, open_messages, span, with_names
from tcnb.analysis.options import FigureOptions, draws
from tcnb.analysis.presenting import present
from tcnb.analysis.zones import duration

_SECOND = 1_000_000
_NOBODY_CAN_ANSWER = ("favorites", "channel", "system")
_QUESTION = r"[?？؟]"


@draws
def response_times(
    frame: Any,
    *,
    threshold: str | float | None = "1d",
    sessions: str | float | None = None,
    replies: bool = False,
    plot: bool = False,
    **figure: Unpack[FigureOptions],
) -> Any:
    """Return each answer and how long it took.

    An answer is the first message by another author in the same chat after a message; consecutive messages by one
    author are one turn, and time counts from its last one.

    Args:
        frame: events, in a frame of pandas, Polars, PyArrow, DuckDB, Dask or PySpark.
        threshold: what comes later than that is no answer: a text such as `12h`, or seconds; None: no limit.
        sessions: a pause longer than that ends a session, and what follows it answers nothing before it; None: none do.
        replies: whether a message that names the message of somebody else which it answers counts as the answer to
            that one, wherever it stands (within the threshold, across sessions), instead of to its neighbour.
        plot: return a figure instead of a frame.
        figure: what is asked of the figure: `options.FigureOptions`.

    Returns:
        chat_id, chat, author_id, author, to_id, to, message_id, answers (string), asked, answered (UTC), seconds
        (Float64), explicit (boolean), in the order of the answers. Lazy on Polars (lazy), DuckDB and PySpark.

    Raises:
        UsageError: the frame lacks a column of events; no such length of time.
    """
    source = open_messages(frame, "chat", "author", *(["reply_to"] if replies else []))
    found = _responses(source, threshold, sessions, replies)
    found = found.with_columns((nw.col("wait") / float(_SECOND)).alias("seconds"))
    rows = with_names(source, found, chat="chat_id", author="author_id", to="to_id")
    order = ["answered", "chat_id", "message_id"]
    rows = in_order(rows, order) if isinstance(rows, pd.DataFrame) else rows.sort(order)
    return present("response_times", source, rows, plot=plot, figure=figure)


@draws
def response_matrix(
    frame: Any,
    *,
    threshold: str | float | None = "1d",
    sessions: str | float | None = None,
    replies: bool = False,
    plot: bool = False,
    **figure: Unpack[FigureOptions],
) -> Any:
    """Return who answers whom, how often and how fast; answers are those of `response_times`.

    Args:
        frame: events, in a frame of pandas, Polars, PyArrow, DuckDB, Dask or PySpark.
        threshold: as in `response_times`.
        sessions: as in `response_times`.
        replies: as in `response_times`.
        plot: return a figure instead of a frame.
        figure: what is asked of the figure: `options.FigureOptions`.

    Returns:
        author_id, author, to_id, to (string), responses (Int64), median_seconds, mean_seconds (Float64), the most
        frequent first. The pairs of people are collected.

    Raises:
        UsageError: the frame lacks a column of events; no such length of time.
    """
    source = open_messages(frame, "author", *(["reply_to"] if replies else []))
    pairs = collect(
        _responses(source, threshold, sessions, replies)
        .group_by("author_id", "to_id")
        .agg(
            nw.len().alias("responses"),
            nw.col("wait").median().alias("median"),
            nw.col("wait").sum().alias("total"),
        )
    )
    pairs["median_seconds"] = pairs["median"].astype("Float64") / _SECOND
    pairs["mean_seconds"] = pairs["total"].astype("Float64") / pairs["responses"] / _SECOND
    pairs = pairs.sort_values(["responses", "author_id", "to_id"], ascending=[False, True, True])
    pairs = name_columns(pairs, source, author="author_id", to="to_id")
    return present("response_matrix", source, pairs, plot=plot, figure=figure)


@draws
def unanswered(
    frame: Any,
    *,
    threshold: str | float = "1d",
    questions: bool = False,
    plot: bool = False,
    **figure: Unpack[FigureOptions],
) -> Any:
    """Return the messages that nobody answered, the latest first.

    These are the last messages of turns after which nobody else wrote in the chat within the threshold, and to which
    nobody else replied explicitly at any time. Channels, favourites and the server's own chat are left out.

    Args:
        frame: events, in a frame of pandas, Polars, PyArrow, DuckDB, Dask or PySpark.
        threshold: how long one waits for an answer: a text such as `12h`, or seconds.
        questions: only messages with a question mark.
        plot: return a figure instead of a frame.
        figure: what is asked of the figure: `options.FigureOptions`.

    Returns:
        chat_id, chat, message_id, author_id, author (string), asked (UTC), text (string), waiting_seconds (Float64,
        up to the last event of the frame), overdue (boolean). What was not answered is collected.

    Raises:
        UsageError: the frame lacks a column of events; no such length of time.
    """
    limit = duration(threshold, "threshold") or 0
    source = open_messages(frame, "chat", "author", "chat_type", "text", "reply_to", events=None)
    end = span(source.rows)
    found = events.apply_edits(events.edits(source), collect(_waiting(source, limit)))
    if questions:
        found = found[found["text"].str.contains(_QUESTION, regex=True).fillna(False)]
    waited = (end[1] if end else 0) - found[WHEN]
    found = found.assign(asked=found[WHEN], waiting_seconds=waited / _SECOND, overdue=waited > limit)
    found = found.sort_values(["asked", "chat_id", "message_id"], ascending=[False, True, True])
    found = name_columns(found, source, chat="chat_id", author="author_id")
    return present("unanswered", source, found, plot=plot, figure=figure)


@draws
def conversations(
    frame: Any,
    gap: str | float = "30min",
    *,
    plot: bool = False,
    **figure: Unpack[FigureOptions],
) -> Any:
    """Return the conversations of each chat: what is said without a pause longer than the gap.

    Args:
        frame: events, in a frame of pandas, Polars, PyArrow, DuckDB, Dask or PySpark.
        gap: the longest pause within a conversation: a text such as `30min`, or seconds.
        plot: return a figure instead of a frame.
        figure: what is asked of the figure: `options.FigureOptions`.

    Returns:
        chat_id, chat (string), number (Int64), started, ended (UTC), seconds (Float64), messages, people (Int64),
        opened_by_id, opened_by (string), in the order of time. Collected are conversations × people.

    Raises:
        UsageError: the frame lacks a column of events; no such length of time.
    """
    limit = duration(gap, "gap") or 0
    source = open_messages(frame, "chat", "author")
    rows, over = _neighbours(source, -1, ())
    opens = (nw.col("other_when").is_null() | (nw.col(WHEN) - nw.col("other_when") > limit)).fill_null(True)
    rows = rows.with_columns(opens.cast(nw.Int64).alias("opens"))
    rows = rows.with_columns(over(nw.col("opens").cum_sum()).alias("number"))
    keys = ["chat_id", "number"]
    cells = collect(
        rows.group_by(*keys, "author_id").agg(
            nw.len().alias("messages"), nw.col(WHEN).min().alias("started"), nw.col(WHEN).max().alias("ended")
        )
    )
    cells["people"] = (cells["author_id"] != UNKNOWN).astype("Int64")
    made = cells.groupby(keys, as_index=False).agg(
        started=("started", "min"),
        ended=("ended", "max"),
        messages=("messages", "sum"),
        people=("people", "sum"),
    )
    openers = collect(rows.filter(nw.col("opens") == 1).select(*keys, "author_id"))
    made = made.merge(openers.rename(columns={"author_id": "opened_by_id"}), on=keys)
    made["seconds"] = (made["ended"] - made["started"]) / _SECOND
    made = made.sort_values(["started", "chat_id", "number"])
    made = name_columns(made, source, chat="chat_id", opened_by="opened_by_id")
    return present("conversations", source, made, plot=plot, figure=figure)


def _neighbours(source: Source, towards: int, columns: tuple[str, ...], rows: Rows | None = None) -> tuple[Rows, Over]:
    """Return messages beside their neighbour in the chat: the one before (-1) or the one after (1) each.

    Returned is also what makes an expression one over each chat in the same order. The neighbour's columns are
    `other_author`, `other_when` and `other_id`; missing where there is none.
    """
    rows = messages(source) if rows is None else rows
    rows = rows.filter(nw.col("chat_id") != UNKNOWN)
    needed = rows.select("chat_id", "author_id", "message_id", WHEN, "seq", *columns)
    rows, over = with_windows(source, needed, ORDER)
    neighbour = {"other_author": "author_id", "other_when": WHEN, "other_id": "message_id"}
    beside = (over(nw.col(name).shift(-towards)).alias(other) for other, name in neighbour.items())
    return as_texts(rows.with_columns(*beside), "chat_id", "author_id", "other_author"), over


def _responses(source: Source, threshold: str | float | None, sessions: str | float | None, replies: bool) -> Rows:
    limits = [duration(threshold, "threshold"), duration(sessions, "sessions")]
    limit = min((value for value in limits if value is not None), default=None)
    rows, _ = _neighbours(source, -1, ("reply_to",) if replies else ())
    followed = ~nw.col("other_when").is_null() & (nw.col("other_author") != nw.col("author_id"))
    if limit is not None:
        followed = followed & (nw.col(WHEN) - nw.col("other_when") <= limit)
    neighbours = _answers(rows.filter(followed.fill_null(False)), explicit=False)
    if not replies:
        return neighbours
    explicit = _explicit(rows, limits[0])
    rest = neighbours.join(explicit.select("chat_id", "message_id"), on=["chat_id", "message_id"], how="anti")
    return nw.concat([rest, explicit])


def _answers(rows: Rows, *, explicit: bool) -> Rows:
    return rows.select(
        "chat_id",
        "author_id",
        nw.col("other_author").alias("to_id"),
        "message_id",
        nw.col("other_id").alias("answers"),
        nw.col("other_when").alias("asked"),
        nw.col(WHEN).alias("answered"),
        (nw.col(WHEN) - nw.col("other_when")).alias("wait"),
        nw.lit(explicit).alias("explicit"),
    )


def _explicit(rows: Rows, limit: int | None) -> Rows:
    """Return the answers that name the message of somebody else which they answer."""
    replies = rows.filter(~nw.col("reply_to").is_null()).select("chat_id", "author_id", "message_id", WHEN, "reply_to")
    joined = replies.join(_targets(rows), left_on=["chat_id", "reply_to"], right_on=["other_chat", "other_id"])
    wait = nw.col(WHEN) - nw.col("other_when")
    kept = joined.filter(nw.col("other_author") != nw.col("author_id"), wait >= 0)
    if limit is not None:
        kept = kept.filter(wait <= limit)
    return _answers(kept.with_columns(nw.col("reply_to").alias("other_id")), explicit=True)


def _targets(rows: Rows) -> Rows:
    return rows.filter(~nw.col("message_id").is_null()).select(
        nw.col("chat_id").alias("other_chat"),
        nw.col("message_id").alias("other_id"),
        nw.col("author_id").alias("other_author"),
        nw.col(WHEN).alias("other_when"),
    )


def _waiting(source: Source, limit: int) -> Rows:
    """Return the last messages of turns that nobody answered."""
    said = messages(source).filter(~nw.col("chat_type").fill_null("group").is_in(list(_NOBODY_CAN_ANSWER)))
    rows, _ = _neighbours(source, 1, ("received", "text", "reply_to"), said)
    late = (nw.col("other_author") != nw.col("author_id")) & (nw.col("other_when") - nw.col(WHEN) > limit)
    last = rows.filter(nw.col("other_when").is_null() | late.fill_null(False))
    named = rows.filter(~nw.col("reply_to").is_null()).select(
        nw.col("chat_id").alias("other_chat"),
        nw.col("reply_to").alias("message_id"),
        nw.col("author_id").alias("replier"),
    )
    answered = last.select("chat_id", "message_id", "author_id").join(
        named, left_on=["chat_id", "message_id"], right_on=["other_chat", "message_id"]
    )
    answered = (
        answered.filter(nw.col("replier") != nw.col("author_id"))
        .select("chat_id", "message_id")
        .unique(["chat_id", "message_id"])
    )
    return last.join(answered, on=["chat_id", "message_id"], how="anti").select(
        "chat_id", "message_id", "author_id", WHEN, "received", "seq", "text"
    )
