"""What explicit replies and mentions make of a record: threads, and the graph of who turns to whom."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Unpack

import narwhals as nw
import pandas as pd

from tcnb.analysis.content import mentioned
from tcnb.analysis.engines import Rows, collect
from tcnb.analysis.events import UNKNOWN, WHEN, messages, name_columns, open_messages
from tcnb.analysis.options import FigureOptions, draws
from tcnb.analysis.presenting import present

_SECOND = 1_000_000

Node = tuple[str, str]
"""A message: the id of its chat and its own."""


@draws
def threads(frame: Any, *, plot: bool = False, **figure: Unpack[FigureOptions]) -> Any:
    """Return the trees that explicit replies form, the largest first.

    Args:
        frame: events, in a frame of pandas, Polars, PyArrow, DuckDB, Dask or PySpark.
        plot: return a figure instead of a frame.
        figure: what is asked of the figure: `options.FigureOptions`.

    Returns:
        root_id, chat_id, chat, author_id, author (string), messages, people, depth (Int64), started, ended (UTC),
        seconds (Float64), complete (boolean). Where a reply names a message that was not recorded (or was removed),
        that message is the root, unknown but for its id. Messages that have to do with replies are collected, without
        their texts.

    Raises:
        UsageError: the frame lacks a column of events.
    """
    source = open_messages(frame, "chat", "author", "reply_to")
    forest = _forest(collect(_involved(messages(source))))
    columns = ["chat_id", "root_id", "author_id", "messages", "people", "depth", "started", "ended", "complete"]
    made = pd.DataFrame(forest, columns=columns)
    made["seconds"] = (made["ended"].astype("Int64") - made["started"].astype("Int64")) / _SECOND
    made = made.sort_values(["messages", "started", "chat_id", "root_id"], ascending=[False, True, True, True])
    made = name_columns(made, source, chat="chat_id", author="author_id")
    return present("threads", source, made, plot=plot, figure=figure)


@draws
def graph(frame: Any, *, plot: bool = False, **figure: Unpack[FigureOptions]) -> Any:
    """Return who replies to whom and who mentions whom, as a list of edges, the heaviest first.

    Args:
        frame: events, in a frame of pandas, Polars, PyArrow, DuckDB, Dask or PySpark.
        plot: return a figure instead of a frame.
        figure: what is asked of the figure: `options.FigureOptions`.

    Returns:
        source_id, source, target_id, target, kind (string, `reply` or `mention`), weight (Int64). Replies are explicit
        ones; mentions are those of `mentions` whose target is known; nobody's edge leads to themselves. Replies are
        counted by the engine; for mentions the texts are collected.

    Raises:
        UsageError: the frame lacks a column of events.
    """
    source = open_messages(frame, "author", "text", "reply_to")
    replies = collect(_reply_edges(messages(source))).assign(kind="reply")
    found = mentioned(source)
    found = found[(found["mentioned_id"] != UNKNOWN) & (found["author_id"] != UNKNOWN)]
    found = found[found["mentioned_id"] != found["author_id"]]
    edges = found.groupby(["author_id", "mentioned_id"], as_index=False).agg(weight=("message_id", "size"))
    edges = edges.rename(columns={"author_id": "source_id", "mentioned_id": "target_id"}).assign(kind="mention")
    made = pd.concat([replies, edges.astype({"source_id": "string", "target_id": "string", "weight": "Int64"})])
    made = made.sort_values(["weight", "source_id", "target_id", "kind"], ascending=[False, True, True, False])
    made = name_columns(made, source, source="source_id", target="target_id")
    return present("graph", source, made, plot=plot, figure=figure)


def _reply_edges(rows: Rows) -> Rows:
    replies = rows.filter(~nw.col("reply_to").is_null()).select("chat_id", "reply_to", "author_id")
    targets = rows.filter(~nw.col("message_id").is_null()).select(
        nw.col("chat_id").alias("target_chat"),
        nw.col("message_id").alias("target_message"),
        nw.col("author_id").alias("target_id"),
    )
    joined = replies.join(targets, left_on=["chat_id", "reply_to"], right_on=["target_chat", "target_message"])
    known = joined.filter(
        nw.col("author_id") != UNKNOWN, nw.col("target_id") != UNKNOWN, nw.col("author_id") != nw.col("target_id")
    )
    return (
        known.select(nw.col("author_id").alias("source_id"), "target_id")
        .group_by("source_id", "target_id")
        .agg(nw.len().alias("weight"))
    )


def _involved(rows: Rows) -> Rows:
    """Return the messages that reply or are replied to."""
    rows = rows.select("chat_id", "message_id", "author_id", "reply_to", WHEN).filter(~nw.col("message_id").is_null())
    named = rows.filter(~nw.col("reply_to").is_null()).select(
        nw.col("chat_id").alias("named_chat"), nw.col("reply_to").alias("named_message"), nw.lit(1).alias("named")
    )
    named = named.unique(["named_chat", "named_message"], keep="any")
    joined = rows.join(named, left_on=["chat_id", "message_id"], right_on=["named_chat", "named_message"], how="left")
    involved = joined.filter(~nw.col("reply_to").is_null() | ~nw.col("named").is_null())
    return involved.select("chat_id", "message_id", "author_id", "reply_to", WHEN)


def _forest(said: pd.DataFrame) -> list[tuple[Any, ...]]:
    """Return a row for each tree."""
    known: dict[Node, tuple[str, int]] = {}
    parents: dict[Node, Node] = {}
    for chat_id, message_id, author_id, reply_to, when in said.itertuples(index=False):
        known[chat_id, message_id] = (author_id, when)
        if not pd.isna(reply_to) and reply_to != message_id:
            parents[chat_id, message_id] = (chat_id, reply_to)
    trees: dict[Node, list[tuple[Node, int]]] = {}
    places: dict[Node, tuple[Node, int]] = {}
    for node in known:
        root, depth = _place(node, parents, places)
        trees.setdefault(root, []).append((node, depth))
    return [_tree(root, members, known) for root, members in trees.items() if max(depth for _, depth in members) > 0]


def _place(node: Node, parents: Mapping[Node, Node], places: dict[Node, tuple[Node, int]]) -> tuple[Node, int]:
    """Return the root above a message and its distance; every message is walked through once."""
    path: list[Node] = []
    on_path: set[Node] = set()
    at = node
    # Replies in a circle cannot be written, but they can be read from a file: the first one met is their root.
    while at not in places and at in parents and at not in on_path:
        path.append(at)
        on_path.add(at)
        at = parents[at]
    if at in on_path:
        places[at] = (at, 0)
        path = [*path[: path.index(at)], *path[path.index(at) + 1 :]]
    root, depth = places.setdefault(at, (at, 0))
    for above in reversed(path):
        depth += 1
        places[above] = (root, depth)
    return places[node]


def _tree(root: Node, members: list[tuple[Node, int]], known: Mapping[Node, tuple[str, int]]) -> tuple[Any, ...]:
    times = [known[node][1] for node, _ in members]
    people = {known[node][0] for node, _ in members} - {UNKNOWN}
    author_id = known[root][0] if root in known else UNKNOWN
    depth = max(depth for _, depth in members)
    return (*root, author_id, len(members), len(people), depth, min(times), max(times), root in known)
