"""Whether frames of a record are the caller's own: written at will, and never felt by the record or another frame."""

from __future__ import annotations

import gc
import json
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from record_payloads import GROUP, RECEIVED, encode, envelope, text

from tcnb.record.record import Record
from tcnb.record.schema import COLUMNS

Write = Callable[[pd.DataFrame], Any]


def fill(record: Record, count: int, start: int = 0) -> None:
    """Add `count` events that have something in every column."""
    for number in range(start, start + count):
        message_id = f"m-{number}"
        match number % 5:
            case 0:
                payload = text(f"text {number}", message_id=message_id, replyMessageId="m-0")
            case 1:
                file = {"name": "plan.pdf", "size": number, "fileId": f"f-{number}", "mimeType": "application/pdf"}
                payload = encode(envelope(file, type=202, message_id=message_id))
            case 2:
                place = {"latitude": 59.9, "longitude": 30.3, "title": "Office"}
                payload = encode(envelope(place, type=203, message_id=message_id))
            case 3:
                payload = encode(envelope({"userId": "bob@x", "role": "user"}, type=1, message_id=message_id))
            case _:
                record.append("uploadFileProgress", encode({"fileId": "f", "progress": number}), RECEIVED + number)
                continue
        record.append("sendMessage", payload, RECEIVED + number)


@pytest.fixture
def record() -> Record:
    """A record of forty events."""
    record = Record()
    fill(record, 40)
    return record


def contents(frame: pd.DataFrame) -> str:
    """Return everything in a frame as text."""
    return frame.to_json(orient="split", date_format="iso", date_unit="us")


def set_loc(frame: pd.DataFrame) -> None:
    for column in COLUMNS:
        frame.loc[0, column.name] = frame.loc[5, column.name]
        frame.loc[frame.index[1:3], column.name] = pd.NA


def set_iloc(frame: pd.DataFrame) -> None:
    for position in range(frame.shape[1]):
        frame.iloc[0, position] = frame.iloc[6, position]
        frame.iloc[3:7, position] = frame.iloc[10:14, position].array


def set_at(frame: pd.DataFrame) -> None:
    frame.at[0, "text"] = "x"
    frame.at[0, "file_size"] = 7
    frame.iat[0, 0] = 99


def set_mask(frame: pd.DataFrame) -> None:
    for column in COLUMNS:
        frame.loc[frame["seq"] > 3, column.name] = frame[column.name].iloc[0]


def set_whole_columns(frame: pd.DataFrame) -> None:
    for column in COLUMNS:
        frame[column.name] = frame[column.name].iloc[::-1].array
    frame.loc[:, "seq"] = 1
    frame["new"] = 1


def set_row(frame: pd.DataFrame) -> None:
    frame.loc[0] = frame.loc[1]


def set_all(frame: pd.DataFrame) -> None:
    frame[:] = frame.iloc[::-1].to_numpy()


def arithmetic(frame: pd.DataFrame) -> None:
    frame["seq"] += 1
    frame["latitude"] *= 2
    frame["is_edited"] |= True
    frame["timestamp"] += pd.Timedelta("1D")


def series_in_place(frame: pd.DataFrame) -> None:
    series = frame["seq"]
    series += 1
    series.iloc[0] = 5
    series[:] = 3


def column_views(frame: pd.DataFrame) -> None:
    for column in COLUMNS:
        series = frame[column.name]
        series.iloc[1:4] = series.iloc[10:13].array


def slices(frame: pd.DataFrame) -> None:
    part = frame.iloc[2:12]
    part.iloc[0:3, 0] = 1
    tail = frame["file_size"].tail(3)
    tail.iloc[:] = 4
    shallow = frame.copy(deep=False)
    shallow.loc[0, "seq"] = 8
    columns = frame[["seq", "text"]]
    columns.loc[:, "text"] = "y"
    pd.DataFrame(frame).loc[0, "seq"] = 9
    frame.set_index("seq").loc[1, "text"] = "z"
    frame.rename(columns={"seq": "number"}).loc[0, "number"] = 4
    frame.reset_index(drop=True).loc[0, "progress"] = 4


def methods_in_place(frame: pd.DataFrame) -> None:
    frame.fillna({"file_size": 0, "text": "", "latitude": 0.0, "is_edited": True}, inplace=True)
    frame.replace({"text": {"text 0": "x"}, "seq": {1: 100}}, inplace=True)
    frame["seq"].mask(frame["seq"] > 2, 0, inplace=True)
    frame["seq"].where(frame["seq"] > 2, 0, inplace=True)
    frame["file_size"].fillna(1, inplace=True)
    frame["progress"].clip(upper=1, inplace=True)
    frame["latitude"].ffill(inplace=True)
    frame["latitude"].interpolate(inplace=True)
    frame["file_size"].update(pd.Series([1] * len(frame), dtype="Int64"))
    frame.update(pd.DataFrame({"seq": [77]}))
    frame.sort_values("seq", ascending=False, inplace=True)
    frame.drop(columns=["text"], inplace=True)
    frame.dropna(subset=["file_size"], inplace=True)


def insert_and_delete(frame: pd.DataFrame) -> None:
    frame.insert(0, "first", frame["seq"])
    frame.loc[0, "first"] = 55
    del frame["seq"]
    frame.pop("text")


WRITES: list[Write] = [
    set_loc,
    set_iloc,
    set_at,
    set_mask,
    set_whole_columns,
    set_row,
    set_all,
    arithmetic,
    series_in_place,
    column_views,
    slices,
    methods_in_place,
    insert_and_delete,
]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("write", WRITES)
@pytest.mark.parametrize("companions", ["alone", "beside others"])
def test_writing_into_a_frame_changes_neither_the_record_nor_another_frame(
    record: Record, write: Write, companions: str
) -> None:
    """What is written into a frame stays in that frame, also when it is the only one alive."""
    before = contents(record.frame())
    others = [record.frame(), record.frame().iloc[5:20]] if companions == "beside others" else []
    seen = [contents(other) for other in others]
    gc.collect()
    write(record.frame())
    assert contents(record.frame()) == before
    assert [contents(other) for other in others] == seen


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("write", WRITES)
def test_writing_takes_effect(record: Record, write: Write) -> None:
    """A frame can be written like any other: it becomes what a full copy of it would become."""
    frame, copy = record.frame(), record.frame().copy(deep=True)
    write(frame)
    write(copy)
    assert contents(frame) == contents(copy)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("write", WRITES)
def test_a_part_taken_from_a_frame_that_is_gone_is_still_its_own(record: Record, write: Write) -> None:
    """A part of a frame stays apart from the record after the frame was dropped."""
    before = contents(record.frame())
    part = record.frame().iloc[:30]
    gc.collect()
    write(part)
    assert contents(record.frame()) == before


@pytest.mark.parametrize("column", [column.name for column in COLUMNS])
def test_arrays_below_pandas_cannot_be_written(record: Record, column: str) -> None:
    """Going below pandas' copy-on-write, to the array itself, reaches the record in no way."""
    before = contents(record.frame())
    array = record.frame()[column].array
    try:
        array[0] = array[1]
        array[2:4] = array[10:12]
    except ValueError as error:
        assert "read-only" in str(error)
    assert contents(record.frame()) == before


def test_an_older_frame_is_unchanged_by_what_comes_after_it(record: Record) -> None:
    """A frame shows the events up to its making, whatever is added and however the columns move meanwhile."""
    old = record.frame()
    seen = contents(old)
    fill(record, 5000, start=40)
    assert contents(old) == seen
    assert len(record.frame()) == 5040
    assert contents(record.frame().iloc[:40].reset_index(drop=True)) == seen


def test_a_written_frame_stays_apart_when_the_record_grows(record: Record) -> None:
    """What was written into a frame is not overwritten by events added behind it."""
    frame = record.frame()
    frame.loc[39, "text"] = "mine"
    fill(record, 10, start=40)
    assert frame.loc[39, "text"] == "mine"
    assert len(frame) == 40


def test_a_frame_shares_the_memory_of_the_record(record: Record) -> None:
    """Where pandas copies on write, a frame is made without copying a column."""
    if int(pd.__version__.split(".")[0]) < 3:
        pytest.skip("this pandas writes in place, so a frame is a copy")
    first, second = record.frame(), record.frame()
    assert np.shares_memory(first["seq"].array._data, second["seq"].array._data)
    assert np.shares_memory(first["chat_id"].array._codes, second["chat_id"].array._codes)


def test_frames_may_be_asked_for_by_other_threads_while_events_come() -> None:
    """Every frame made while another thread adds is whole: its rows are the first so many, none half written."""
    record = Record()
    done = threading.Event()
    flaws: list[str] = []

    def ask() -> None:
        while not done.is_set():
            frame = record.frame()
            seqs = frame["seq"].tolist()
            if seqs != list(range(1, len(seqs) + 1)):
                flaws.append("seq")
            if frame.loc[frame["message_type"] == "plain", "text"].tolist() != [f"text {seq - 1}" for seq in seqs[::5]]:
                flaws.append("text")
            if frame["message_id"].isna().tolist() != [seq % 5 == 0 for seq in seqs]:
                flaws.append("missing values")
            # Read once: between two readings the record may grow.
            first = [row["seq"] for row in record.rows(0, 10)]
            if first != list(range(1, len(first) + 1)):
                flaws.append("rows")

    asking = threading.Thread(target=ask)
    asking.start()
    fill(record, 6000)
    done.set()
    asking.join()
    assert flaws == []
    assert len(record.frame()) == 6000


def test_a_frame_can_be_worked_with(record: Record) -> None:
    """Grouping, joining, sorting, reshaping and writing out take the shared, read-only memory."""
    frame = record.frame()
    assert frame.groupby("event", observed=True)["seq"].agg(["sum", "mean", "min", "max", "first", "last", "std"]).size
    assert frame.groupby("chat_id", observed=True)["file_size"].agg(["sum", "count", "median", "nunique"]).size
    assert frame.groupby(frame["received"].dt.floor("s")).size().sum() == len(frame)
    assert frame.set_index("received").resample("1s")["seq"].count().sum() == len(frame)
    assert len(frame.merge(frame, on="seq")) == len(frame)
    assert frame.sort_values(["event", "timestamp", "text"]).shape == frame.shape
    assert frame["text"].str.len().sum() > 0
    assert frame.drop_duplicates(["event", "message_type"]).shape[0] == 5
    assert frame["event"].value_counts()["message"] == 32
    assert frame.pivot_table(index="message_type", columns="direction", values="seq", observed=True).size
    assert frame.describe(include="all").size
    assert len(pd.concat([frame, frame])) == 2 * len(frame)
    assert frame["seq"].rank().cumsum().diff().shift().rolling(3).mean().size == len(frame)
    assert frame[["latitude", "longitude", "progress"]].ffill().bfill().notna().all().all()
    assert frame["seq"].quantile(0.5) == frame["seq"].median()
    assert frame.dropna(subset=["file_id"])["file_id"].nunique() == 9
    assert json.loads(frame.to_json(orient="records", date_format="iso"))[0]["chat_id"] == GROUP
    assert frame.to_csv().count("\n") == len(frame) + 1
    assert frame.equals(frame.copy())
