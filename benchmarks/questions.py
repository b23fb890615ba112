"""What is asked of an archive, of tcnb on some engine and the way an analyst writes it in pandas alone; each answer is
written to a Parquet file, in one form, so that the answers can be compared.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import pandas as pd

import tcnb
from tcnb import analysis

ZONE: Final = "Europe/Berlin"
LIMIT: Final = pd.Timedelta("1d")
SERVICE: Final = (
    *("add_participant", "remove_participant", "edit_chat_title", "edit_chat_avatar"),
    *("clear_chat_history", "participant_role"),
)


# ── tcnb ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def heatmap(events: Any, engine: str, answer: Path) -> None:
    """When people write, by weekday and hour in a zone with daylight saving time."""
    store(analysis.heatmap(events, tz=ZONE), engine, answer)


def talkers(events: Any, engine: str, answer: Path) -> None:
    """Who writes how much."""
    store(analysis.talkers(events), engine, answer)


def response_times(events: Any, engine: str, answer: Path) -> None:
    """Every answer and how long it took: a row for more than half of all messages."""
    store(analysis.response_times(events), engine, answer)


def medians(events: Any, engine: str, answer: Path) -> None:
    """How fast each person answers: the median of the response times, taken by the engine."""
    found = analysis.response_times(events)
    if engine == "duckdb":
        columns = "author_id, count(*) AS responses, median(seconds) AS seconds"
        store(found.aggregate(columns, "author_id").order("author_id"), engine, answer)
    elif engine == "polars":
        import polars as pl

        grouped = found.group_by("author_id").agg(responses=pl.len().cast(pl.Int64), seconds=pl.median("seconds"))
        store(grouped.sort("author_id"), engine, answer)
    else:
        grouped = found.groupby("author_id")["seconds"]
        store(grouped.agg(responses="size", seconds="median").reset_index(), engine, answer)


def store(frame: Any, engine: str, answer: Path) -> None:
    """Write an answer with what the engine has for it, which need not hold it in memory."""
    if engine == "duckdb":
        frame.write_parquet(str(answer))
    elif engine == "polars":
        frame.sink_parquet(answer)
    else:
        frame.to_parquet(answer, index=False)


# ── pandas alone ────────────────────────────────────────────────────────────────────────────────────────────────────


def said(archive: Path, *columns: str) -> pd.DataFrame:
    """Read the columns that are needed, of the messages of people that were not removed."""
    needed = ["event", "timestamp", "received", "message_id", "author_type", "message_type", *columns]
    events = pd.read_parquet(archive, columns=needed)
    removed = events.loc[events["event"] == "removed_message", "message_id"]
    kept = (
        (events["event"] == "message")
        & (events["author_type"] != "system")
        & ~events["message_type"].isin(SERVICE)
        & ~events["message_id"].isin(removed)
    )
    events = events[kept]
    return events.assign(when=events["timestamp"].fillna(events["received"]))


def plain_heatmap(archive: Path, answer: Path) -> None:
    """Count messages by weekday and hour."""
    local = said(archive)["when"].dt.tz_convert(ZONE)
    counts = local.groupby([local.dt.weekday.rename("weekday") + 1, local.dt.hour.rename("hour")]).size()
    hours = pd.MultiIndex.from_product([range(1, 8), range(24)], names=["weekday", "hour"])
    counts.reindex(hours, fill_value=0).rename("messages").reset_index().to_parquet(answer, index=False)


def plain_talkers(archive: Path, answer: Path) -> None:
    """Count messages, characters, replies, files and chats by author."""
    rows = said(archive, "author_id", "author", "chat_id", "text", "reply_to", "file_id")
    rows["characters"] = rows["text"].str.len().fillna(0)
    counted = rows.groupby("author_id").agg(
        author=("author", "last"),
        messages=("event", "size"),
        characters=("characters", "sum"),
        replies=("reply_to", "count"),
        files=("file_id", "count"),
        chats=("chat_id", "nunique"),
        first=("when", "min"),
        last=("when", "max"),
    )
    counted["share"] = counted["messages"] / counted["messages"].sum()
    counted = counted.reset_index().sort_values(["messages", "author_id"], ascending=[False, True])
    order = ["author_id", "author", "messages", "share", "characters", "replies", "files", "chats", "first", "last"]
    counted[order].to_parquet(answer, index=False)


def plainly_answered(archive: Path) -> pd.DataFrame:
    """Return the answers: what follows a message of somebody else in the same chat within the limit."""
    rows = said(archive, "seq", "chat_id", "chat", "author_id", "author")
    rows = rows.sort_values(["chat_id", "when", "seq"])
    by_chat = rows.groupby("chat_id")
    rows["to_id"] = by_chat["author_id"].shift()
    rows["to"] = by_chat["author"].shift()
    rows["answers"] = by_chat["message_id"].shift()
    rows["asked"] = by_chat["when"].shift()
    wait = rows["when"] - rows["asked"]
    found = rows[rows["to_id"].notna() & (rows["to_id"] != rows["author_id"]) & (wait <= LIMIT)]
    found = found.assign(seconds=wait.dt.total_seconds(), explicit=False)
    return found.rename(columns={"when": "answered"}).sort_values(["answered", "chat_id", "message_id"])


def plain_response_times(archive: Path, answer: Path) -> None:
    """Write every answer."""
    order = ["chat_id", "chat", "author_id", "author", "to_id", "to", "message_id", "answers", "asked", "answered"]
    plainly_answered(archive)[[*order, "seconds", "explicit"]].to_parquet(answer, index=False)


def plain_medians(archive: Path, answer: Path) -> None:
    """Take the median of the seconds of each author."""
    seconds = plainly_answered(archive).groupby("author_id")["seconds"]
    seconds.agg(responses="size", seconds="median").reset_index().to_parquet(answer, index=False)


OURS: Final[dict[str, Callable[[Any, str, Path], None]]] = {
    "heatmap": heatmap,
    "talkers": talkers,
    "response_times": response_times,
    "medians": medians,
}
PLAIN: Final[dict[str, Callable[[Path, Path], None]]] = {
    "heatmap": plain_heatmap,
    "talkers": plain_talkers,
    "response_times": plain_response_times,
    "medians": plain_medians,
}


def get_ready(engine: str) -> None:
    """Import what the answers need, which is not to be measured."""
    for name in ("pyarrow.parquet", "tcnb.analysis.counting", "tcnb.analysis.responses"):
        import_module(name)
    if engine in ("duckdb", "polars"):
        import_module(engine)


def ask(question: str, engine: str, archive: Path, answer: Path) -> None:
    """Ask one question and write the answer.

    Args:
        question: one of `OURS`.
        engine: of tcnb, or `plain` for pandas alone.
        archive: where the events are.
        answer: the Parquet file to be written.
    """
    if engine == "plain":
        PLAIN[question](archive, answer)
    else:
        OURS[question](tcnb.scan(archive, engine=engine), engine, answer)
