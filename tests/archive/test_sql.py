"""SQL over the live record and over archives: the same tables, the same answers, errors in one line."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from tcnb.analysis.sql import TABLES, query
from tcnb.errors import UsageError
from tcnb.record.archive import export
from tcnb.record.record import Record
from tests.archive.conftest import START, message


class Live:
    """The tables of a record, as a session gives them."""

    def __init__(self, record) -> None:
        self.df, self.messages = record.frame(), record.messages()
        self.chats, self.people = record.chats(), record.people()


@pytest.fixture(scope="module")
def live(record) -> Live:
    return Live(record)


@pytest.fixture(scope="module")
def archive(record, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("archives") / "archive"
    export(record.frame(), folder, source="robot@practice.local")
    return folder


def test_query_over_the_live_record(live):
    """A query returns a DataFrame, without object columns."""
    answer = query("SELECT chat_id, count(*) AS n FROM events WHERE event = 'message' GROUP BY ALL ORDER BY ALL", live)
    assert answer.to_dict("list") == {"chat_id": ["c0", "c1", "c2"], "n": [334, 334, 333]}
    assert list(answer.dtypes.astype(str)) == ["string", "Int64"]


@pytest.mark.parametrize(
    ("sql", "dtype", "value"),
    [
        ("sum(messages)", "Int64", 1001),
        ("100.0 * count(*)", "Float64", 300.0),
        ("sum(messages) * 100000000000000000000", "Float64", 1001e20),
        ("any_value(1::SMALLINT)", "Int16", 1),
        ("any_value(1::FLOAT)", "Float32", 1.0),
        ("min(last)::DATE", "datetime64[ms]", pd.Timestamp("2026-01-05")),
    ],
)
def test_numbers_and_dates_can_be_counted_with(live, sql, dtype, value):
    """Sums, quotients and dates have types that pandas counts with and draws."""
    answer = query(f"SELECT {sql} AS x FROM chats", live)
    assert (str(answer["x"].dtype), answer["x"].item()) == (dtype, value)


@pytest.mark.parametrize("table", TABLES)
def test_live_and_archive_agree(live, archive, table):
    """Every table says the same over an archive as over the record from which it was exported."""
    assert_agree(live, archive, table)


def test_messages_follow_the_rules_of_the_record(tmp_path):
    """What is told at one and the same moment, new titles, ids in another case: the archive says what the record does.

    How a message came is all that an archive does not hold: `origin` is there, and missing.
    """
    record = Record("robot@practice.local")
    at = START * 1000
    record.append("sendMessage", message(0), at)
    record.append("sendMessage", message(3, replyMessageId="m0"), at)
    for text in ("first", "second"):
        record.append("editMessage", edit("m0", text), at)
    bob = {"id": "U3@practice.local", "type": 1}
    record.append("sendMessage", message(6, author=bob, replyMessageId="m0"), at)
    gone = {"messageId": "m3", "chatId": "c0", "removedBy": {"id": "u1@practice.local", "type": 1}}
    record.append("removeMessage", json.dumps(gone).encode(), at + 1)
    for number, user_id in enumerate(["u3@practice.local", "U3@practice.local"]):
        record.append("sendMessage", message(9 + 3 * number, author={"id": user_id, "type": 1}), at)
    for title in ("Named", "Renamed"):
        record.append("editChatTitle", json.dumps({"chatId": "c0", "title": title}).encode(), at + 2)
    export(record.frame(), tmp_path / "archive", source="robot@practice.local")
    for table in ("chats", "people"):
        assert_agree(Live(record), tmp_path / "archive", table)
    messages = assert_agree(Live(record), tmp_path / "archive", "messages")
    assert messages["text"].tolist()[0] == "second"
    assert messages["edits"].tolist() == [2, 0, 0, 0, 0]
    assert messages["chat"].tolist() == ["Renamed"] * 5
    assert messages["author_id"].tolist()[1:] == ["u3@practice.local"] * 4
    assert messages["first_reply_by_id"].tolist()[0] == "u3@practice.local"
    assert messages["origin"].isna().all()


def assert_agree(live: Live, archive: Path, table: str) -> pd.DataFrame:
    """Check that a table is the same live and from an archive, and return it; only the record knows origins."""
    keys = {"events": "seq", "messages": "message_id", "chats": "chat_id", "people": "author_id"}
    ours = query(f"SELECT * FROM {table} ORDER BY {keys[table]}", live)
    theirs = query(f"SELECT * FROM {table} ORDER BY {keys[table]}", archive=archive)
    assert len(ours) > 0
    ours = ours.assign(**{name: theirs[name] for name in ("origin",) if name in ours})
    extra = ["day"] if table == "events" else []
    assert list(theirs.columns) == [*ours.columns, *extra]
    pd.testing.assert_frame_equal(ours, theirs[list(ours.columns)], check_dtype=False)
    return theirs


def test_what_came_to_two_accounts_counts_once(record, tmp_path):
    """In an archive of two accounts a message that both received is one message, and so is an edit, or a removal."""
    for source in ("robot@practice.local", "second@practice.local"):
        export(record.frame(), tmp_path / "archive", source=source)
    assert_agree(Live(record), tmp_path / "archive", "messages")
    answer = query("SELECT event, count(*) AS n FROM events GROUP BY event", archive=tmp_path / "archive")
    assert (
        dict(zip(answer["event"], answer["n"], strict=True))
        == record.frame()["event"].value_counts().loc[lambda counts: counts > 0].to_dict()
    )


def test_edits_of_two_accounts_are_put_together(tmp_path):
    """Of the edits that two accounts know, one of them without a time, each counts once; the same text again, again."""
    at = START * 1000
    told = {"robot@practice.local": ("aba", {"timestamp": START + 1}), "second@practice.local": ("ac", {})}
    for source, (texts, when) in told.items():
        record = Record(source)
        record.append("sendMessage", message(0), at)
        for number, text in enumerate(texts):
            record.append("editMessage", edit("m0", text, **when), at + 1 + number)
        export(record.frame(), tmp_path / "archive", source=source)
    answer = query("SELECT edits FROM messages", archive=tmp_path / "archive")
    assert answer["edits"].tolist() == [4]


def edit(message_id: str, text: str, **values) -> bytes:
    """Give the payload of a notification of an edit that names its message."""
    return json.dumps({"messageId": message_id, "chatId": "c0", "content": {"text": text}} | values).encode()


def test_times_are_in_utc(live, archive):
    """Times have no zone inside a query, and are in UTC again in its answer."""
    for where in ({"source": live}, {"archive": archive}):
        answer = query("SELECT timestamp, hour(timestamp) AS hour FROM events WHERE message_id = 'm0' LIMIT 1", **where)
        assert answer["timestamp"].item() == pd.Timestamp("2025-12-29 09:20", tz="UTC")
        assert answer["hour"].item() == 9


def test_statement_without_an_answer(live):
    """A statement that has no result gives an empty frame."""
    assert query("SET threads = 1", live).empty


def test_tables_are_listed(live, archive):
    """Who asks which tables there are is told."""
    assert set(TABLES) <= set(query("SHOW TABLES", live)["name"])
    assert set(TABLES) <= set(query("SHOW TABLES", archive=archive)["name"])


@pytest.mark.parametrize("source", [5, pd.DataFrame({"text": ["x"]}), None])
def test_source_that_has_no_tables_is_refused(source):
    """SQL asks a session or an archive; what else is given, or that nothing is, is told in one line."""
    with pytest.raises(UsageError, match="a session or an archive") as caught:
        query("SELECT * FROM messages", source)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("selec 1", "syntax error"),
        ("SELECT x FROM events", '"x" not found'),
        ("INSERT INTO chats VALUES (1)", "chats"),
        ("FROM mesages", "no table mesages: there are events, messages, chats, people$"),
        ("  ", "no query"),
    ],
)
def test_bad_query_is_one_line(live, archive, sql, reason):
    """What DuckDB refuses is an error of one line with its reason."""
    for where in ({"source": live}, {"archive": archive}):
        with pytest.raises(UsageError, match=reason) as caught:
            query(sql, **where)
        assert "\n" not in str(caught.value)
