"""SQL over the live record and over archives: the same tables, the same answers, errors in one line."""

from __future__ import annotations

import datetime
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tcnb.analysis.sql.queries import TABLES, query
from tcnb.archive.writing import export
from tcnb.errors import UsageError
from tcnb.record.record import Record
from tcnb.types.enums import MessageType
from tests.analysis.frames import moved
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


def test_without_a_source_there_are_no_tables():
    """SQL without a session or an archive knows no tables, and says so."""
    assert query("SELECT 1 AS x")["x"].item() == 1
    with pytest.raises(UsageError, match=r"messages is there .* only with a session or an archive"):
        query("SELECT * FROM messages")


@pytest.mark.parametrize("source", [5, pd.DataFrame({"text": ["x"]})])
def test_source_that_has_no_tables_is_refused(source):
    """SQL asks a session or an archive; what else is given is told in one line."""
    with pytest.raises(UsageError, match="a session or an archive") as caught:
        query("SELECT * FROM messages", source)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("sql", "reason", "line"),
    [
        ("selec 1", "syntax error", "selec 1"),
        ("SELECT x FROM events", '"x" not found', "SELECT x FROM events"),
        ("SELECT 1;\nFROM mesages", "no table mesages: there are events, .*did you mean messages", "FROM mesages"),
        ("FROM teams", r"no table teams: .*frames=\{'teams': teams\}", "FROM teams"),
        ("SELECT count(*)\nFROM chats\nWHERE 'a'::INT = 1", "Could not convert", "WHERE 'a'::INT = 1"),
        ("SELECT ascii(1, 2)", "No function matches", "SELECT ascii(1, 2)"),
    ],
)
def test_error_shows_where_in_the_query(live, archive, sql, reason, line):
    """What DuckDB refuses is told with its reason, the line of the query, and a mark below the place."""
    for where in ({"source": live}, {"archive": archive}):
        with pytest.raises(UsageError, match=reason) as caught:
            query(sql, **where)
        *_, drawn, mark = str(caught.value).splitlines()
        assert drawn.startswith("LINE ")
        assert drawn.endswith(line)
        assert set(mark.strip()) == {"^"}


@pytest.mark.parametrize(
    ("sql", "reason"), [("INSERT INTO chats VALUES (1)", "for reading alone"), ("  ", "no query"), (5, "no query")]
)
def test_senseless_query_is_one_line(live, sql, reason):
    """What cannot be a query, or would change the record, is refused in one line."""
    with pytest.raises(UsageError, match=reason) as caught:
        query(sql, live)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["source", "sql", "connection", "pd", "statement", "given"])
def test_variables_are_no_tables(live, name):
    """Neither the variables of whoever asks nor those of tcnb itself can be read by their names."""
    pd_frame = pd.DataFrame({"x": [1]})
    with pytest.raises(UsageError, match=f"no table {name}"):
        query(f"SELECT * FROM {name}", live)
    with pytest.raises(UsageError, match="no table pd_frame"):
        query("SELECT * FROM pd_frame", live)
    assert len(pd_frame) == 1


QUESTIONS = [
    "SELECT m.text, c.people FROM messages m JOIN chats c USING (chat_id) ORDER BY m.message_id",
    "SELECT count(*) AS n FROM messages NATURAL JOIN people",
    "SELECT count(e.event) AS n FROM messages m ASOF LEFT JOIN events e "
    "ON m.chat_id = e.chat_id AND m.timestamp > e.timestamp",
    "SELECT count(*) AS n FROM messages SEMI JOIN chats USING (chat_id)",
    "SELECT count(*) AS n FROM messages ANTI JOIN chats USING (chat_id)",
    "PIVOT messages ON chat USING count(*) GROUP BY author_id ORDER BY author_id",
    "FROM (PIVOT (SELECT chat, author_id FROM messages) ON author_id USING count(*)) ORDER BY chat",
    "UNPIVOT (SELECT chat, messages, people FROM chats) ON messages, people INTO NAME what VALUE n ORDER BY ALL",
    "SELECT COLUMNS('^(chat|author)_id$') FROM messages ORDER BY ALL",
    "SELECT quantile_cont(hour(timestamp), [0.25, 0.75]) AS q FROM messages",
    "SELECT count(*) OVER (ORDER BY timestamp RANGE BETWEEN INTERVAL 2 HOURS PRECEDING AND CURRENT ROW) AS n "
    "FROM messages ORDER BY message_id",
    "WITH long AS (SELECT * FROM messages WHERE length(text) > 8), who AS (SELECT DISTINCT author_id FROM long) "
    "SELECT count(*) AS n FROM who",
    "SELECT chat FROM chats c WHERE messages = (SELECT max(messages) FROM chats) ORDER BY chat",
    "CREATE VIEW crew AS SELECT chat_id FROM chats; SELECT count(*) AS n FROM messages JOIN crew USING (chat_id)",
    "CREATE TEMP TABLE crew AS FROM chats; SELECT chat FROM crew ORDER BY ALL; DROP TABLE crew",
    "DESCRIBE SELECT text, timestamp FROM messages",
    "SELECT column_name, min, max FROM (SUMMARIZE SELECT chat_id, edits FROM messages)",
    "SELECT a.chat, b.chat AS other FROM chats a, chats b ORDER BY ALL",
    "SELECT * FROM query_table('cha' || 'ts') ORDER BY chat_id",
]


@pytest.mark.parametrize("sql", QUESTIONS)
def test_what_duckdb_understands_is_answered(live, archive, sql):
    """The live record answers whatever DuckDB can say, as an archive does."""
    answer = query(sql, live)
    assert answer.size
    assert not any(dtype.kind == "O" and isinstance(dtype, np.dtype) for dtype in answer.dtypes)
    pd.testing.assert_frame_equal(answer, query(sql, archive=archive))


@pytest.mark.parametrize(
    "sql", ["EXPLAIN SELECT * FROM messages", "DESCRIBE messages", "SHOW ALL TABLES", "SHOW chats"]
)
def test_what_only_names_tables_reads_none(sql):
    """A statement about the tables themselves is answered without making one of them."""
    assert len(query(sql, Unread()))


def test_tables_that_are_not_read_are_not_made(live):
    """A query costs what it reads: columns called like another table do not make that one."""
    source = Unread()
    source.__dict__["made"]["chats"] = live.chats
    assert (
        query("SELECT sum(messages) AS messages, sum(people) AS people FROM chats", source)["messages"].item() == 1001
    )


def test_table_that_cannot_be_read_says_why():
    """Why a view of the session could not be made is told as the session told it."""
    with pytest.raises(UsageError, match=r"(messages|chats) is not to be read"):
        query("SELECT count(*) FROM chats a, messages b, messages c", Unread())


class Unread:
    """A session whose views are not to be read, except those that are given to it."""

    def __init__(self) -> None:
        self.made: dict[str, pd.DataFrame] = {}

    def _view(self, name: str) -> pd.DataFrame:
        if name not in self.made:
            raise UsageError(f"{name} is not to be read")
        return self.made[name]

    df = property(lambda self: self._view("df"))
    messages = property(lambda self: self._view("messages"))
    chats = property(lambda self: self._view("chats"))
    people = property(lambda self: self._view("people"))


@pytest.mark.parametrize(
    ("expression", "dtype", "value"),
    [
        ("max(timestamp) - min(timestamp)", "timedelta64[us]", pd.Timedelta("6 days 22:40:00")),
        ("INTERVAL 2 MONTHS", "timedelta64[us]", pd.Timedelta(days=60)),
        ("-INTERVAL '1.5 s'", "timedelta64[us]", pd.Timedelta(seconds=-1.5)),
        ("max(timestamp)::DATE", "datetime64[ms]", pd.Timestamp("2026-01-05")),
        ("max(timestamp)::TIMESTAMP_S", "datetime64[s]", pd.Timestamp("2026-01-05 08:00")),
        ("TIMESTAMPTZ '2026-01-01 12:00+03'", "datetime64[us, UTC]", pd.Timestamp("2026-01-01 09:00", tz="UTC")),
        ("TIME '10:30'", "time64[us][pyarrow]", datetime.time(10, 30)),
        ("1.25::DECIMAL(9, 2)", "Float64", 1.25),
        ("count(*)::HUGEINT", "Int64", 1001),
        ("2::HUGEINT ** 100", "Float64", 2.0**100),
        ("NULL", "Int32", None),
        ("NULL::VARCHAR", "string", None),
        ("'yes'::ENUM('no', 'yes')", "category", "yes"),
        ("'ab'::BLOB", "binary[pyarrow]", b"ab"),
        ("'101'::BIT", "string", "101"),
        ("uuid()::VARCHAR = ''", "boolean", False),
        ("[1, 2]", "list<l: int32>[pyarrow]", [1, 2]),
        ("[0.5, 1.5]", "list<l: double>[pyarrow]", [0.5, 1.5]),
        ("{'n': count(*), 'sum': sum(1)}", "struct<n: int64, sum: int64>[pyarrow]", {"n": 1001, "sum": 1001}),
        ("MAP {'a': 1}", "map<string, int32>[pyarrow]", [("a", 1)]),
        ("union_value(a := 1)", "string", "1"),
    ],
)
def test_types_of_an_answer(live, expression, dtype, value):
    """Each type of DuckDB has one of pandas, and none is `object`."""
    answer = query(f"SELECT {expression} AS x FROM messages", live)["x"].iloc[:1]
    assert str(answer.dtype) == dtype
    assert answer.isna().item() if value is None else answer.item() == value


def test_intervals_that_are_missing_stay_missing(live):
    """The first difference of a window is missing, and the others are lengths of time."""
    gaps = query("SELECT timestamp - lag(timestamp) OVER (ORDER BY timestamp) AS gap FROM messages ORDER BY 1", live)
    assert gaps["gap"].isna().sum() == 1
    assert gaps["gap"].max() == pd.Timedelta(minutes=10)


def test_interval_that_is_too_long_is_refused(live):
    """An interval that pandas cannot count is refused in words."""
    with pytest.raises(UsageError, match="gap is too long"):
        query("SELECT INTERVAL 100000000 YEARS AS gap", live)


def test_columns_of_one_name_are_numbered(live):
    """Columns that are called alike are all there, as DuckDB numbers them, and times among them are in UTC."""
    answer = query("SELECT a.last, b.last, 1 AS x, 2 AS x FROM chats a JOIN chats b USING (chat_id)", live)
    assert list(answer.columns) == ["last", "last_1", "x", "x_1"]
    assert {str(answer[name].dtype) for name in ("last", "last_1")} == {"datetime64[us, UTC]"}


@pytest.mark.parametrize(
    ("sql", "params", "value"),
    [
        ("SELECT $a + $b AS x", {"a": 1, "b": 2}, 3),
        ("SELECT $Name AS x", {"name": "O'Neil"}, "O'Neil"),
        ("SELECT ? || ? AS x", ["a", "b"], "ab"),
        ("SELECT $a; SELECT $b AS x", {"a": 1, "b": 2}, 2),
        ("SELECT count(*) AS x FROM chats WHERE chat_id = $id", {"id": "c0' OR true --"}, 0),
        ("SELECT count(*) AS x FROM chats WHERE chat_id IN $ids", {"ids": pd.Series(["c0", "c1"])}, 2),
        ("SELECT count(*) AS x FROM chats WHERE chat_id IN $ids", {"ids": {"c0", "c1"}}, 2),
        ("SELECT $n AS x", {"n": np.int64(5)}, 5),
        ("SELECT $kind AS x", {"kind": MessageType.ATTACHMENT}, 202),
        ("SELECT $n IS NULL AS x", {"n": pd.NA}, True),
        ("SELECT $length AS x", {"length": pd.Timedelta("90min")}, pd.Timedelta("90min")),
        ("SELECT hour($at) AS x", {"at": pd.Timestamp("2026-01-01 12:00", tz="Europe/Moscow")}, 9),
        ("SELECT hour($at) AS x", {"at": np.datetime64("2026-01-01T12:00")}, 12),
    ],
)
def test_values_are_bound(live, sql, params, value):
    """Parameters have the values that were given for them, whatever is in those; instants are in UTC."""
    assert query(sql, live, params=params)["x"].item() == value


@pytest.mark.parametrize(
    ("sql", "params", "reason"),
    [
        ("SELECT $a, $b", {"a": 1}, r"no value is given for \$b: params=\{'b'"),
        ("SELECT $a", None, r"no value is given for \$a"),
        ("SELECT $name", {"name": 1, "nme": 2}, r"no parameter \$nme; did you mean \$name"),
        ("SELECT ?", [1, 2], "1 parameters, and params 2 values"),
        ("SELECT ?; SELECT ?", [1], "several statements"),
        ("SELECT $a", [1], "by name"),
        ("SELECT ?", {"a": 1}, "in order"),
        ("SELECT $a", "text", "a dict for"),
        ("SELECT $a", {1: 2}, "called by a text"),
        ("SELECT $a", {"a": object()}, "the type object"),
        ("SELECT $a", {"a": pd.DataFrame()}, "the type DataFrame"),
        ("SELECT $a", {"a": 10**40}, "128 bits"),
        ("SELECT * FROM $a", {"a": "chats"}, "stands for a value"),
    ],
)
def test_senseless_values_are_refused(live, sql, params, reason):
    """Parameters without a value, values without a parameter, and what is no value are told."""
    with pytest.raises(UsageError, match=reason):
        query(sql, live, params=params)


TEAMS = pd.DataFrame({"author_id": ["u1@practice.local", "u2@practice.local"], "team": ["core", "docs"]})


@pytest.mark.parametrize("engine", ["pandas", "polars", "polars-lazy", "pyarrow", "duckdb", "dask"])
def test_own_frames_are_tables(live, archive, engine):
    """A DataFrame of any engine is joined to the tables by the name that it is given."""
    teams = moved(TEAMS, engine)
    for where in ({"source": live}, {"archive": archive}):
        answer = query(
            "SELECT team, count(*) AS n FROM messages JOIN Teams USING (author_id) GROUP BY ALL ORDER BY ALL",
            **where,
            frames={"teams": teams},
        )
        assert answer.to_dict("list") == {"team": ["core", "docs"], "n": [200, 200]}


def test_times_of_own_frames_are_in_utc(live):
    """The times of a DataFrame can be compared with those of the tables, whatever their zone and unit."""
    when = pd.Series([pd.Timestamp("2025-12-29 12:20", tz="Europe/Moscow")]).astype("datetime64[ns, Europe/Moscow]")
    answer = query(
        "SELECT message_id FROM messages JOIN own ON own.at = timestamp", live, frames={"own": when.to_frame("at")}
    )
    assert answer["message_id"].tolist() == ["m0"]


@pytest.mark.parametrize(
    ("frames", "reason"),
    [
        ({"Events": TEAMS}, "Events is a table of the record"),
        ({"own": [1]}, "own is a list, not a DataFrame"),
        ({5: TEAMS}, "called by a text"),
        ({"own": TEAMS, "OWN": TEAMS}, "two of the frames"),
        ([TEAMS], "DataFrames by name"),
        ({"own": pd.DataFrame({"x": [1, "a"]})}, "own cannot be a table.*x"),
        ({"own": pd.DataFrame([[1, 2]], columns=["x", "x"])}, "own cannot be a table.*x"),
    ],
)
def test_frames_that_cannot_be_tables_are_refused(live, frames, reason):
    """What is no DataFrame, or called like a table of the record, is refused in one line."""
    with pytest.raises(UsageError, match=reason) as caught:
        query("SELECT 1", live, frames=frames)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["httpfs", "spatial", "excel"])
def test_extensions_are_not_fetched(live, name):
    """DuckDB fetches and loads nothing by itself."""
    settings = query("SELECT value FROM duckdb_settings() WHERE name LIKE 'auto%known_extensions' ORDER BY name", live)
    assert settings["value"].tolist() == ["false", "false"]
    loaded = query("SELECT loaded FROM duckdb_extensions() WHERE extension_name = $name", live, params={"name": name})
    assert loaded["loaded"].tolist() == [False]


def test_address_in_a_query_is_not_read(live):
    """A file behind an address is refused, since that needs an extension."""
    with pytest.raises(UsageError, match="httpfs"):
        query("SELECT * FROM 'https://practice.local/x.parquet'", live)


def test_file_of_this_machine_can_be_read_and_written(live, tmp_path):
    """A query reads and writes files as the person who asks could."""
    file = tmp_path / "chats.parquet"
    assert query(f"COPY (SELECT chat FROM chats) TO '{file}'", live)["Count"].tolist() == [3]
    assert query(f"SELECT count(*) AS n FROM '{file}'", live)["n"].item() == 3


def test_zone_of_this_machine_changes_nothing(live, monkeypatch):
    """Where a query meets a zone, times without one are in UTC, wherever this machine is."""
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    answer = query("SELECT timestamp::TIMESTAMPTZ AS x FROM messages WHERE message_id = 'm0'", live)
    assert answer["x"].item() == pd.Timestamp("2025-12-29 09:20", tz="UTC")
