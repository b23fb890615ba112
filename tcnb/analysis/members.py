"""Who joins and leaves which chat, and how many people are in it over time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import tzinfo
from typing import Any, Final, Unpack

import narwhals as nw
import pandas as pd

from tcnb.analysis.engines import collect
from tcnb.analysis.events import MESSAGE, UNKNOWN, WHEN, messages, name_columns, open_messages, reach
from tcnb.analysis.options import FigureOptions, draws
from tcnb.analysis.periods import with_periods
from tcnb.analysis.presenting import present
from tcnb.analysis.zones import Frequency, frequency, zone_name
from tcnb.arguments import check_zone

JOINED: Final = "added_chat_participant"
LEFT: Final = "removed_chat_participant"
_TOLD: Final = {"add_participant": JOINED, "remove_participant": LEFT}
"""Types of the messages by which the server says the same in a chat, and so in its history."""
_WROTE: Final = "wrote"

Evidence = tuple[int, str, str]
"""When, who, and what: `JOINED`, `LEFT` or `_WROTE`."""


@draws
def membership(
    frame: Any, freq: str = "D", *, tz: str | tzinfo = "UTC", plot: bool = False, **figure: Unpack[FigureOptions]
) -> Any:
    """Return how many people joined and left each chat in each period, and how many are known to be in it.

    A frame does not say who was there at its beginning. Somebody whose first trace in a chat is a message or a leave
    was there from the beginning; somebody whose first trace is a joining came then. Who never wrote, joined or left is
    not known. Joining twice without leaving, as a concatenation of records may say, is joining once. What the server
    says in a chat's history of joins and leaves counts as what it says when they happen.

    Args:
        frame: events, in a frame of pandas, Polars, PyArrow, DuckDB, Dask or PySpark.
        freq: length of the periods: `h`, `6h`, `D`, `W`, `M`, `Q`, `Y`.
        tz: time zone whose hours and days these are.
        plot: return a figure instead of a frame.
        figure: what is asked of the figure: `options.FigureOptions`.

    Returns:
        chat_id, chat (string), period (in the zone; on DuckDB and Spark what its clock shows), joins, leaves,
        headcount (Int64), complete (boolean; false where the record begins or ends in the period), by chat in the order
        of time: of each chat that somebody joined or left the period in which its record begins, and all in which
        somebody did.
        Collected are joins, leaves, and the first message of each person in each chat.

    Raises:
        UsageError: the frame lacks a column of events; no such frequency or zone.
    """
    tz = zone_name(tz)
    length, where = frequency(freq), check_zone(tz)
    source = open_messages(frame, "chat", "user_id", events=(JOINED, LEFT))
    is_move = nw.col("event").is_in([JOINED, LEFT])
    is_told = (nw.col("event") == MESSAGE) & nw.col("message_type").is_in(list(_TOLD))
    moves = source.rows.filter(is_move | is_told, ~nw.col("user_id").is_null(), nw.col("chat_id") != UNKNOWN)
    moved = collect(moves.select("chat_id", WHEN, "user_id", "event", "message_type")).dropna(subset=[WHEN])
    moved["event"] = moved["message_type"].map(_TOLD).fillna(moved["event"])
    first = messages(source).filter(nw.col("author_id") != UNKNOWN).group_by("chat_id", "author_id")
    wrote = collect(first.agg(nw.col(WHEN).min())).rename(columns={"author_id": "user_id"})
    wrote = wrote[wrote["chat_id"].isin(moved["chat_id"])].assign(event=_WROTE)
    traces = pd.concat([told[["chat_id", WHEN, "user_id", "event"]] for told in (moved, wrote)])
    rows = [
        (chat_id, *row)
        for chat_id, chat in traces.sort_values([WHEN, "event", "user_id"]).groupby("chat_id")
        for row in _periods(
            list(zip(chat[WHEN].tolist(), chat["user_id"].tolist(), chat["event"].tolist(), strict=True)), length, where
        )
    ]
    made = pd.DataFrame(rows, columns=["chat_id", "start", "joins", "leaves", "headcount"])
    made = with_periods(made, length, where, reach(source))
    made = name_columns(made, source, chat="chat_id")
    return present("membership", source, made, plot=plot, figure=figure, tz=tz, freq=freq)


def _periods(traces: list[Evidence], length: Frequency, where: Any) -> Iterator[tuple[int, int, int, int]]:
    """Return start of the period, joins, leaves and headcount of a chat, from its traces in the order of time."""
    came: dict[str, str] = {}
    for _, who, what in traces:
        came.setdefault(who, what)
    inside = {who for who, what in came.items() if what != JOINED}
    counts: dict[int, list[int]] = {length.step_of(traces[0][0], where): [0, 0, len(inside)]}
    for when, who, what in traces:
        if what == _WROTE or (what == JOINED) == (who in inside):
            continue
        count = counts.setdefault(length.step_of(when, where), [0, 0, 0])
        if what == JOINED:
            inside.add(who)
            count[0] += 1
        else:
            inside.discard(who)
            count[1] += 1
        count[2] = len(inside)
    return ((start, *count) for start, count in counts.items())  # type: ignore[misc]
