"""Edits and removals are applied whatever rows of a record are looked at."""

from __future__ import annotations

import json
import pickle
from datetime import UTC, datetime

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tcnb import analysis, scan
from tcnb.analysis.accessor import register
from tcnb.archive.writing import arrow_schema, export
from tcnb.record import context
from tcnb.record.record import Record
from tests.analysis.frames import at, back, event, frame, moved, said

register()

DAY = 24 * 60


def recorded(*more: tuple[str, dict]) -> Record:
    """Return a record of three messages in two chats, of which one is edited and one removed a day later."""
    record = Record("robot@s")
    start = 1_772_442_000_000
    for number, (chat, who, text) in enumerate([("c", "a@s", "first"), ("c", "b@s", "secret"), ("d", "a@s", "third")]):
        record.append(
            "sendMessage",
            json.dumps(
                {
                    "chatId": chat,
                    "messageId": f"m{number}",
                    "timestamp": start + 60_000 * number,
                    "author": {"id": who, "type": 1},
                    "type": 200,
                    "content": {"text": text, "parseMode": "text"},
                }
            ).encode(),
            (start + 60_000 * number) * 1000,
        )
    later = (start + DAY * 60_000) * 1000
    edited = {"chatId": "c", "messageId": "m0", "timestamp": later // 1000, "content": {"text": "better"}}
    for method, payload in (
        ("editMessage", edited),
        ("removeMessage", {"chatId": "c", "messageId": "m1", "removedBy": {"id": "b@s", "type": 1}}),
        ("editChatTitle", {"chatId": "c", "title": "Crew"}),
        *more,
    ):
        record.append(method, json.dumps(payload).encode(), later)
    return record


FILTERS = {
    "whole": lambda df: df,
    "since": lambda df: df[df["timestamp"] >= df["timestamp"].min()],
    "until": lambda df: df[df["timestamp"] < df["timestamp"].max()],
    "messages alone": lambda df: df[df["event"] == "message"],
    "of a chat": lambda df: df[(df["chat_id"] == "c") & (df["event"] == "message")],
    "with a text": lambda df: df.dropna(subset=["text"]).query("author_id != 'x'"),
    "by place": lambda df: df.iloc[:3].sort_values("seq", ascending=False),
    "pickled": lambda df: pickle.loads(pickle.dumps(df.head(3))),
}


@pytest.mark.parametrize("name", FILTERS)
def test_rows_taken_from_a_frame_know_what_was_changed(name):
    """However rows are taken from a frame, removed messages do not count and edited ones have their last text."""
    rows = FILTERS[name](recorded().frame())
    expected = {"first", "better", "third"} - {"first"} - ({"third"} if name == "of a chat" else set())
    assert set(analysis.words(rows, stop=False)["word"]) == expected
    assert rows.tc.talkers()["messages"].sum() == len(expected)
    assert rows.tc.summary()[["messages", "edits", "removed"]].values.tolist() == [[len(expected), 1, 1]]


def test_changes_of_other_messages_are_not_counted():
    """The summary of some rows counts the edits and removals of the messages among them."""
    rows = FILTERS["messages alone"](recorded().frame())
    other = rows[rows["chat_id"] == "d"]
    assert other.tc.summary()[["messages", "edits", "removed"]].values.tolist() == [[1, 0, 0]]


def test_what_came_later_is_not_known():
    """A frame is a snapshot: what is removed after it was taken still stands in it."""
    record = recorded()
    before = record.frame()
    record.append("removeMessage", json.dumps({"chatId": "c", "messageId": "m0"}).encode(), 1_772_542_000_000_000)
    assert len(before[before["event"] == "message"].tc.words(stop=False)) == 2
    now = record.frame()
    assert set(now[now["event"] == "message"].tc.words(stop=False)["word"]) == {"third"}


def test_what_was_removed_can_be_counted_on_purpose():
    """Without what it knows of its record, a frame is what its rows say."""
    rows = FILTERS["messages alone"](recorded().frame())
    rows.attrs.clear()
    assert rows.tc.summary()["messages"].tolist() == [3]


def test_frames_are_written_as_ever(tmp_path):
    """What a frame knows of its record neither keeps it from being written nor is written."""
    rows = recorded().frame().head(2)
    rows.to_parquet(tmp_path / "rows.parquet")
    assert context.context_of(pd.read_parquet(tmp_path / "rows.parquet")) is None
    assert json.dumps(rows.attrs) == '{"record": {}}'


def test_a_removal_has_the_time_of_its_reception():
    """The server gives no time to a removal and to some edits: they have the time of reception; others have none."""
    untimed = ("sendMessage", {"chatId": "c", "messageId": "untimed", "type": 200})
    found = ("editMessage", {"chatId": "c", "messageId": "m0", "content": {"text": "found"}})
    events = recorded(untimed, found).frame()
    changes = events[events["event"].isin(("removed_message", "edited_message"))]
    assert changes["timestamp"].tolist() == changes["received"].tolist()
    assert events[events["event"] == "edited_chat_title"]["timestamp"].isna().all()
    assert events[events["message_id"] == "untimed"]["timestamp"].isna().all()


@pytest.mark.parametrize("is_archive", [True, False], ids=["an archive", "a file with dictionaries"])
@pytest.mark.parametrize("engine", ["polars", "duckdb", "dask", "pandas"])
def test_archives_written_before_have_these_times_too(tmp_path, engine, is_archive):
    """A removal without a time, as earlier versions wrote it, has one when the archive or the file is opened."""
    events = frame(said("a", 0), said("a", 1), event("removed_message", None, received=at(2), message_id="m2"))
    place = tmp_path / "events"
    if is_archive:
        export(events, place, source="robot@s")
    else:
        table = pa.Table.from_pandas(events, preserve_index=False).cast(arrow_schema())
        place_of_event = table.column_names.index("event")
        pq.write_table(table.set_column(place_of_event, "event", table["event"].dictionary_encode()), place)
    pytest.importorskip(engine)
    opened = scan(place, engine)
    if engine == "duckdb":
        cut = opened.filter("timestamp >= TIMESTAMPTZ '2026-03-02 00:00:00+00'")
    elif engine == "polars":
        import polars as pl

        cut = opened.filter(pl.col("timestamp") >= datetime(2026, 3, 2, tzinfo=UTC))
    else:
        cut = opened[opened["timestamp"] >= pd.Timestamp("2026-03-02", tz="UTC")]
    assert back(analysis.summary(cut))[["messages", "removed"]].values.tolist() == [[1, 1]]


def test_an_opened_archive_knows_what_was_changed(tmp_path):
    """Rows taken from an archive that pandas opened know its removals, also where a period ends before them."""
    events = frame(said("a", 0), said("a", 1), event("removed_message", DAY, message_id="m2"))
    export(events, tmp_path / "archive", source="robot@s")
    opened = scan(tmp_path / "archive")
    assert opened[opened["timestamp"] < at(DAY)].tc.summary()[["messages", "removed"]].values.tolist() == [[1, 1]]


def test_a_lazy_frame_that_keeps_all_changes_is_cut_anywhere():
    """Where a frame cannot know its record, a filter that keeps all but messages keeps the changes of those."""
    pl = pytest.importorskip("polars")
    events = frame(said("a", 0), said("a", 1), event("removed_message", DAY, message_id="m2"), said("a", 2 * DAY))
    cut = moved(events, "polars-lazy").filter((pl.col("event") != "message") | (pl.col("timestamp") < at(DAY)))
    assert back(analysis.summary(cut))["messages"].tolist() == [1]
