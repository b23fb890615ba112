"""SQL over the live record and over archives: the same tables, the same answers, errors in one line."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from tcnb.analysis.sql import TABLES, query
from tcnb.errors import UsageError
from tcnb.record.archive import export


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


@pytest.mark.parametrize("table", TABLES)
def test_live_and_archive_agree(live, archive, table):
    """Every table says the same over an archive as over the record from which it was exported."""
    keys = {"events": "seq", "messages": "message_id", "chats": "chat_id", "people": "author_id"}
    ours = query(f"SELECT * FROM {table} ORDER BY {keys[table]}", live)
    theirs = query(f"SELECT * FROM {table} ORDER BY {keys[table]}", archive=archive)
    shared = [name for name in ours.columns if name in theirs.columns]
    assert set(ours.columns) - set(shared) <= {"origin"}
    assert len(ours) > 0
    pd.testing.assert_frame_equal(ours[shared], theirs[shared], check_dtype=False)


def test_same_message_of_two_accounts_counts_once(record, tmp_path):
    """In an archive of two accounts a message that both received is one message."""
    for source in ("robot@practice.local", "second@practice.local"):
        export(record.frame(), tmp_path / "archive", source=source)
    answer = query("SELECT count(*) AS n FROM messages", archive=tmp_path / "archive")
    assert answer["n"].item() == len(record.messages())


def test_times_are_in_utc(live, archive):
    """Times have no zone inside a query, and are in UTC again in its answer."""
    for where in ({"source": live}, {"archive": archive}):
        answer = query("SELECT timestamp, hour(timestamp) AS hour FROM events WHERE message_id = 'm0' LIMIT 1", **where)
        assert answer["timestamp"].item() == pd.Timestamp("2025-12-29 09:20", tz="UTC")
        assert answer["hour"].item() == 9


def test_statement_without_an_answer(live):
    """A statement that has no result gives an empty frame."""
    assert query("SET threads = 1", live).empty


@pytest.mark.parametrize(
    ("sql", "reason"),
    [("selec 1", "syntax error"), ("SELECT x FROM events", '"x" not found'), ("FROM nope", "nope"), ("  ", "no query")],
)
def test_bad_query_is_one_line(live, sql, reason):
    """What DuckDB refuses is an error of one line with its reason."""
    with pytest.raises(UsageError, match=reason) as caught:
        query(sql, live)
    assert "\n" not in str(caught.value)
