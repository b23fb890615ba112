"""`%%tc_sql` and `%tc_export` in a real IPython shell with a real session, and what is said on Binder."""

from __future__ import annotations

import pandas as pd
import pytest

from tcnb.errors import NotConnectedError, UsageError, WSConnectionError
from tcnb.notebook.connections import Connections
from tcnb.notebook.magics import data
from tcnb.notebook.magics import magics as magics_module


@pytest.fixture
def run(tc, alice, until, monkeypatch):
    """A shell with the extension and a session in which one message was received; gives the way to run magics."""
    from IPython.core.interactiveshell import InteractiveShell

    from tcnb.notebook import extension

    chat_id = alice.group("Release crew", "robot")
    message_id = alice.say(chat_id, "Build 42 is out")
    until(tc, lambda: message_id in set(tc.df["message_id"]))
    registry = Connections(lambda: {"tc": tc})
    monkeypatch.setattr(data, "connections", registry)
    monkeypatch.setattr(registry, "get", lambda name=None: tc)
    shell = InteractiveShell.instance()
    extension.load(shell)
    yield shell
    extension.unload(shell)
    InteractiveShell.clear_instance()


def test_sql_over_the_live_record(run):
    """The body of the cell is the query, and its answer a DataFrame."""
    answer = run.run_cell_magic("tc_sql", "", "SELECT text FROM events WHERE text IS NOT NULL\n")
    assert answer["text"].to_list() == ["Build 42 is out"]


def test_sql_on_a_line(run):
    """A short query stands on the line of the magic."""
    assert run.run_line_magic("tc_sql", "SELECT count(text) AS n FROM messages")["n"].to_list() == [1]


def test_answer_is_assigned(run):
    """With `name <<` the answer goes to a variable and the cell shows nothing."""
    assert run.run_cell_magic("tc_sql", "said << ", "SELECT text FROM messages") is None
    assert isinstance(run.user_ns["said"], pd.DataFrame)


def test_answer_of_a_line_is_assigned(run):
    """On a line `name <<` does the same; a shift in the query is none."""
    assert run.run_line_magic("tc_sql", "shifted << SELECT 1 << 2 AS n") is None
    assert run.user_ns["shifted"]["n"].to_list() == [4]
    assert run.run_line_magic("tc_sql", "SELECT 1<<2 AS n")["n"].to_list() == [4]


@pytest.mark.parametrize("name", ["1st", "class", "a.b"])
def test_answer_needs_the_name_of_a_variable(run, name):
    """What cannot be a variable is refused before anything runs."""
    with pytest.raises(UsageError, match="variable"):
        run.run_cell_magic("tc_sql", f"{name} <<", "SELECT 1")


def test_query_in_a_cell_is_taken_as_it_stands(run):
    """Braces and dollars in a cell are the query's own, unless -f says that they are not."""
    answer = run.run_cell_magic("tc_sql", "", "SELECT {'a': '$b'} AS pair")
    assert answer["pair"].to_list() == [{"a": "$b"}]
    run.user_ns["crew"] = "Release crew"
    answer = run.run_cell_magic("tc_sql", "-f", "SELECT '{crew}' AS a, '$crew' AS b")
    assert answer.to_dict("records") == [{"a": "Release crew", "b": "Release crew"}]


def test_query_on_a_line_is_expanded(run):
    """On a line values are expanded as in a text; doubled braces are the query's own, and so says the error."""
    run.user_ns["crew"] = "Release crew"
    answer = run.run_line_magic(
        "tc_sql", "SELECT '{crew}' AS a, '$crew' AS b, {{'c': 1}} AS c, {crew} AS d, $crew AS e"
    )
    assert answer.to_dict("records") == [
        {"a": "Release crew", "b": "Release crew", "c": {"c": 1}, "d": "Release crew", "e": "Release crew"}
    ]
    with pytest.raises(UsageError, match=r"crw.*%%tc_sql"):
        run.run_line_magic("tc_sql", "SELECT '{crw}'")


HOSTILE = "x' OR true; DROP TABLE teams; --"


@pytest.mark.parametrize(
    ("options", "query", "expected"),
    [
        ("-f", "SELECT '{hostile}' AS x", HOSTILE),
        ("-f", "SELECT {hostile} AS x", HOSTILE),
        ("-f", "SELECT $hostile AS x", HOSTILE),
        ("-f", "SELECT 'it''s {hostile}' AS x", f"it's {HOSTILE}"),
        ("-f", "SELECT count(*) AS x FROM messages WHERE text = '{hostile}'", 0),
        ("-f", "SELECT count(*) AS x FROM messages WHERE text LIKE '%{word}%'", 1),
        (
            "-f",
            "SELECT count(*) AS x FROM messages WHERE text LIKE '%{word.upper()!s}%' OR text ILIKE '%{word.upper()}%'",
            1,
        ),
        ("-f", "SELECT {pair['it']} + {number}AS x -- {nothing}", 8),
        ("-f", "SELECT {number} * $number AS x /* $nothing */", 25),
        ("-f", "SELECT 1 AS x WHERE 3 IN {numbers}", 1),
        ("-f", "SELECT 'costs {{5}} $' AS x", "costs {5} $"),
        ("-f", "SELECT {none} IS NULL AS x", True),
        ("--param who={hostile}", "SELECT $who AS x", HOSTILE),
        ("--param n={number} --param=m={3}", "SELECT $n + $m AS x", 8),
        ('--param "who=Release crew" --param other=5', "SELECT $who || $other AS x", "Release crew5"),
        ("--param number={7} -f", "SELECT $number + {number + 1} AS x", 15),
        ("--param none={None}", "SELECT $none IS NULL AS x", True),
    ],
)
def test_expressions_are_bound(run, options, query, expected):
    """What an expression gives is a value of the query, whatever is in it and wherever it stands."""
    run.user_ns.update(hostile=HOSTILE, word="Build", pair={"it": 3}, number=5, numbers=[1, 3], none=None)
    assert run.run_cell_magic("tc_sql", options, query)["x"].item() == expected


@pytest.mark.parametrize(
    ("options", "query", "reason"),
    [
        ("-f", 'SELECT * FROM "{table}"', "name of a table or column"),
        ("-f", "SELECT * FROM {table}", "stands for a value"),
        ("-f", "SELECT {missing}", "missing"),
        ("-f", "{None}", "None"),
        ("-f", " {5} ", "no query but 5"),
        ("-f", "SELECT '{missing}", "never closed"),
        ("-f", "SELECT $missing", "missing"),
        ("", "SELECT $missing", r"--param missing=\{value\}"),
        ("--param missing", "SELECT 1", r"--param name=\{value\}"),
        ("--param 1a={5}", "SELECT 1", "no parameter"),
        ("--param a={1} --param a={2}", "SELECT $a", "twice"),
        ("--param a={1}", "SELECT 1", r"no parameter \$a"),
    ],
)
def test_senseless_values_in_a_query_are_refused(run, options, query, reason):
    """What cannot be a value of a query is told, and nothing runs."""
    run.user_ns["table"] = "messages"
    with pytest.raises(UsageError, match=reason):
        run.run_cell_magic("tc_sql", options, query)


def test_expression_alone_is_the_query(run):
    """A query that a variable keeps is asked as it stands."""
    run.user_ns["kept"] = "SELECT 'costs {5}' AS x"
    for line in ("{kept}", "$kept"):
        assert run.run_line_magic("tc_sql", line)["x"].item() == "costs {5}"


def test_frames_of_the_notebook_are_tables(run, tc, alice):
    """DataFrames are joined by the names of their variables, lazy ones of other engines too."""
    import polars as pl

    run.user_ns["teams"] = pd.DataFrame({"author_id": [alice.id], "team": ["core"]})
    run.user_ns["places"] = pl.LazyFrame({"team": ["core"], "city": ["Oslo"]})
    answer = run.run_cell_magic(
        "tc_sql", "", "SELECT text, city FROM messages JOIN Teams USING (author_id) JOIN places USING (team)"
    )
    assert answer.to_dict("list") == {"text": ["Build 42 is out"], "city": ["Oslo"]}
    assert run.run_line_magic("tc_sql", "SELECT count(*) AS n FROM teams")["n"].item() == 1


def test_tables_of_the_record_and_of_the_query_come_first(run):
    """A variable that is called like a table of the record, or like one that the query makes, is not looked at."""
    run.user_ns["messages"] = run.user_ns["crew"] = pd.DataFrame({"other": [1, 2, 3]})
    assert run.run_line_magic("tc_sql", "SELECT count(text) AS n FROM messages")["n"].item() == 1
    for made in ("CREATE VIEW crew AS SELECT 5 AS n; FROM crew", "WITH crew AS (SELECT 5 AS n) FROM crew"):
        assert run.run_cell_magic("tc_sql", "", made)["n"].to_list() == [5]


def test_what_is_no_frame_is_no_table(run):
    """Variables that are no DataFrames, and those of IPython, are not looked at; the error says what is."""
    run.user_ns.update(own=[1, 2], _x=pd.DataFrame({"a": [1]}))
    for name in ("own", "_x", "_"):
        with pytest.raises(UsageError, match=f"no table {name}"):
            run.run_line_magic("tc_sql", f"FROM {name}")


def test_query_that_is_missing_is_asked_for(run):
    """An empty line and an empty cell say that there is no query."""
    with pytest.raises(UsageError, match="the query is missing"):
        run.run_line_magic("tc_sql", "")
    with pytest.raises(UsageError, match="no query"):
        run.run_cell_magic("tc_sql", "", "  \n")


def test_export_and_sql_over_the_archive(run, tmp_path):
    """What was exported is asked in the archive with the same tables; repeating the export adds nothing."""
    assert run.run_line_magic("tc_export", str(tmp_path / "archive")).events > 0
    # Notifications about the new chat may still come: each is exported once.
    while run.run_line_magic("tc_export", str(tmp_path / "archive")).events:
        pass
    answer = run.run_cell_magic("tc_sql", f"--archive {tmp_path / 'archive'}", "SELECT DISTINCT chat FROM messages")
    assert answer["chat"].to_list() == ["Release crew"]


@pytest.mark.parametrize(
    ("options", "texts"),
    [
        ("", ["Build 41 is out", "Build 42 is out"]),
        ("-n 2", ["Build 42 is out"]),
        ("--all", ["Build 41 is out", "Build 42 is out"]),
        ("--since 1h", ["Build 41 is out", "Build 42 is out"]),
        ("--since 2999-01-01", []),
    ],
)
def test_history_reads_the_past(run, tc, alice, options, texts):
    """The past of a chat is read into the record, as far back as is asked, and nothing is doubled.

    Its last message is the server's own, about the robot that came.
    """
    chat_id = alice.group("Old crew")
    for text in ("Build 41 is out", "Build 42 is out"):
        alice.say(chat_id, text)

    def add(server, me):
        server.world.add_participant(me, chat_id, server.world.user("robot@practice.local"), display_history=True)

    alice.act(add)
    tc.refresh()
    for _ in range(2):
        read = run.run_line_magic("tc_history", f'"Old crew" {options}')
        assert read["text"].dropna().to_list() == texts
    assert tc.messages["message_id"].is_unique


@pytest.mark.parametrize("options", ["--all -n 5", "--all --since today", "-n 0", "-n few", "--since yesteryear"])
def test_senseless_history_is_refused(run, options):
    """Options that contradict each other or say nothing are refused."""
    with pytest.raises(UsageError):
        run.run_line_magic("tc_history", f'"Release crew" {options}')


def test_sql_needs_a_connection_or_an_archive(monkeypatch):
    """Without a connection the error says how to make one."""
    from IPython.core.interactiveshell import InteractiveShell

    monkeypatch.setattr(data, "connections", Connections(dict))
    with pytest.raises(NotConnectedError):
        data.DataMagics(InteractiveShell.instance()).tc_sql("", "SELECT 1")
    InteractiveShell.clear_instance()


def test_binder_says_that_corporate_servers_are_out_of_reach(monkeypatch):
    """On Binder a server that cannot be reached is explained."""
    monkeypatch.setenv(magics_module.ON_BINDER, "1")
    with pytest.raises(WSConnectionError, match="Binder reaches public addresses only"):
        magics_module._open_session(
            server="127.0.0.1", web_port=9, https=False, username="robot", password="x", timeout=5, journal=None
        )
