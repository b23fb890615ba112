"""Whether the frames have exactly the columns and types of the design, also when empty, and the rows say the same."""

from __future__ import annotations

import json

import pandas as pd
import pytest
from record_payloads import ALICE, GROUP, RECEIVED, encode, text

from tcnb.record import derived, schema
from tcnb.record.record import Record
from tcnb.record.schema import CHATS, COLUMNS, EDITS, FILES, MESSAGES, PEOPLE, Column

DESIGN = """
seq Int64
received datetime64[us, UTC]
timestamp datetime64[us, UTC]
event category
direction category
chat_id category
chat category
chat_type category
message_id string
author_id category
author category
author_type category
message_type category
text string
parse_mode category
reply_to string
forwarded_from string
is_edited boolean
user_id category
role category
title string
file_id string
file_name string
file_size Int64
mime_type category
latitude Float64
longitude Float64
progress Int64
"""


def dtypes(frame: pd.DataFrame) -> list[tuple[str, str]]:
    """Return the names and types of the columns, the name that older versions give to strings taken as the newer."""
    return [(name, str(dtype).replace("string[pyarrow]", "string")) for name, dtype in frame.dtypes.items()]


def promised(columns: tuple[Column, ...]) -> list[tuple[str, str]]:
    """Return the names and types of a table of columns."""
    return [(column.name, column.kind.value) for column in columns]


@pytest.fixture(params=["empty", "one event", "many events"])
def record(request: pytest.FixtureRequest) -> Record:
    """A record of nothing, of one event, or of many."""
    record = Record()
    count = {"empty": 0, "one event": 1, "many events": 3000}[request.param]
    for number in range(count):
        record.append("sendMessage", text(message_id=f"m-{number}"), RECEIVED)
    return record


def test_the_event_frame_is_that_of_the_design(record: Record) -> None:
    """The columns have the design's names, order and types, however many events there are."""
    assert dtypes(record.frame()) == [tuple(line.split(" ", 1)) for line in DESIGN.split("\n") if line]
    assert promised(COLUMNS) == dtypes(record.frame())


def test_the_views_have_their_columns(record: Record) -> None:
    """Messages, chats, people, files and edits have fixed columns and types, however many events there are."""
    assert dtypes(record.messages()) == promised(MESSAGES)
    assert dtypes(record.chats()) == promised(CHATS)
    assert dtypes(record.people()) == promised(PEOPLE)
    assert dtypes(derived.files(record.messages())) == promised(FILES)
    assert dtypes(derived.edits(record.frame())) == promised(EDITS)


def test_parts_of_the_frame_have_its_columns(record: Record) -> None:
    """What happened since a moment has the columns and types of the event frame, also when that is nothing."""
    for moment in ("2026-01-01", "2h"):
        assert dtypes(derived.since(record.frame(), moment)) == promised(COLUMNS)


def test_categories_are_strings_in_every_view(record: Record) -> None:
    """The categories of a categorical column are strings of the same type in every frame, also when there are none."""
    for frame in (record.messages(), record.chats(), record.people(), derived.edits(record.frame())):
        for name in frame.columns[frame.dtypes == "category"]:
            assert frame[name].cat.categories.dtype == record.frame()["chat_id"].cat.categories.dtype


def test_strings_are_stored_by_arrow(record: Record) -> None:
    """Text columns are pandas' nullable strings over Arrow."""
    dtype = record.frame()["text"].dtype
    assert dtype == pd.StringDtype("pyarrow")
    assert dtype.na_value is pd.NA


def test_events_and_directions_are_closed_lists() -> None:
    """`event` and `direction` have all their categories from the start; the others have what was seen."""
    frame = Record().frame()
    assert tuple(frame["event"].cat.categories) == schema.EVENT_NAMES
    assert tuple(frame["direction"].cat.categories) == ("in", "out")
    assert len(frame["chat_type"].cat.categories) == 0


def test_frames_of_two_moments_can_be_joined() -> None:
    """A frame and a later one have the same types, so that one can be put behind the other."""
    record = Record()
    empty = record.frame()
    record.append("sendMessage", text(), RECEIVED)
    joined = pd.concat([empty, record.frame()])
    assert joined["seq"].tolist() == [1]
    assert str(joined["event"].dtype) == "category"


def test_a_frame_survives_parquet(record: Record, tmp_path: pytest.TempPathFactory) -> None:
    """A frame written to a Parquet file is read back alike."""
    path = f"{tmp_path}/events.parquet"
    frame = record.frame()
    frame.to_parquet(path)
    again = pd.read_parquet(path)
    assert list(again.columns) == list(frame.columns)
    assert again["text"].tolist() == frame["text"].tolist()
    assert again["received"].tolist() == frame["received"].tolist()
    assert again["event"].astype(str).tolist() == frame["event"].astype(str).tolist()


def test_the_documentation_has_a_line_for_each_column() -> None:
    """The table for the documentation names every column with its type and its meaning."""
    lines = schema.markdown(COLUMNS).splitlines()
    assert len(lines) == len(COLUMNS) + 2
    assert lines[2] == "| `seq` | Int64 | position in the journal, strictly increasing |"
    assert all(column.meaning in line for column, line in zip(COLUMNS, lines[2:], strict=True))


def test_rows_say_what_the_frame_says() -> None:
    """A row is a dictionary by column that goes through JSON, times in milliseconds, None for what is missing."""
    record = Record()
    record.append("sendMessage", text(), RECEIVED)
    record.append("uploadFileProgress", encode({"fileId": "f", "progress": 7}), RECEIVED)
    first, second = json.loads(json.dumps(record.rows(0, 10)))
    assert tuple(first) == schema.NAMES
    assert first["received"] == RECEIVED // 1000
    assert first["text"] == "status?"
    assert first["is_edited"] is False
    assert first["progress"] is None
    assert second["progress"] == 7
    assert second["chat_id"] is None


def test_rows_are_found_by_position() -> None:
    """Rows come behind a position or before one, oldest first, as many as asked for, also with gaps between them."""
    record = Record()
    for seq in range(10, 30_000, 10):
        record.append("removeChat", encode({"chatId": "c"}), RECEIVED, seq=seq)
    assert [row["seq"] for row in record.rows(0, 2)] == [10, 20]
    assert [row["seq"] for row in record.rows(20, 2)] == [30, 40]
    assert [row["seq"] for row in record.rows(25, 1)] == [30]
    assert [row["seq"] for row in record.rows(29_980, 5)] == [29_990]
    assert record.rows(29_990, 5) == []
    assert record.rows(0, 0) == []
    assert record.rows(0, -1) == []
    assert [row["seq"] for row in record.rows_before(40, 2)] == [20, 30]
    assert [row["seq"] for row in record.rows_before(45, 1)] == [40]
    assert [row["seq"] for row in record.rows_before(20, 5)] == [10]
    assert record.rows_before(10, 5) == []
    assert [row["seq"] for row in record.rows_before(record.last_seq + 1, 2)] == [29_980, 29_990]


def test_the_rows_of_an_empty_record_are_none() -> None:
    """Where nothing was recorded there is no row."""
    record = Record()
    assert record.rows(0, 10) == []
    assert record.rows_before(100, 10) == []
    assert record.last_seq == 0


@pytest.mark.parametrize("view", ["messages", "chats", "people", "files", "edits"])
def test_view_is_computed_once_and_belongs_to_whoever_asked(view: str) -> None:
    """While nothing new comes a view is not computed again, and what is written into it does not show in the next."""
    record = Record()
    record.append("sendMessage", text(message_id="m-1"), RECEIVED)
    first = getattr(record, view)()
    kept = record._views[view][1]
    before = first.copy()
    first["chat_id" if view != "people" else "author_id"] = "mine"
    first["new"] = 1
    pd.testing.assert_frame_equal(getattr(record, view)(), before)
    assert record._views[view][1] is kept


def test_views_know_what_came_since() -> None:
    """A new event, a new title and a new name show in views that were asked for before."""
    record = Record()
    record.append("sendMessage", text(message_id="m-1"), RECEIVED)
    assert len(record.messages()) == 1
    record.append("sendMessage", text(message_id="m-2", replyMessageId="m-1"), RECEIVED)
    assert record.messages()["replies"].tolist() == [1, 0]
    record.learn_chat(GROUP, "Launch crew", 2)
    assert record.chats()["chat"].tolist() == ["Launch crew"]
    assert record.messages()["chat"].tolist() == ["Launch crew"] * 2
    record.learn_person(ALICE, "Alice Doe")
    assert record.people()["author"].tolist() == ["Alice Doe"]
