"""The same answers on every engine: every analysis, the same events, and frames of the same kind as were given."""

from __future__ import annotations

import warnings
from datetime import UTC, datetime
from typing import Any

import pandas as pd
import pytest

from tcnb import analysis
from tests.analysis.frames import ENGINES, START, as_messages, as_on, back, event, frame, generated, moved, said

OPTIONS: dict[str, dict[str, Any]] = {
    "activity": {"freq": "W", "by": "chat", "tz": "Europe/Berlin"},
    "heatmap": {"tz": "Europe/Berlin"},
    "membership": {"tz": "Europe/Berlin"},
    "response_times": {"replies": True, "sessions": "8h"},
    "response_matrix": {"threshold": "12h"},
}
OTHER_ENGINES = [engine for engine in ENGINES if engine != "pandas"]
MESSAGES = 300

# On a busy machine Spark alone may take a minute to start.
pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module")
def events() -> pd.DataFrame:
    """Some hundred messages."""
    return generated(MESSAGES, seed=7)


@pytest.fixture(scope="module")
def on_engine(request, events) -> tuple[str, Any]:
    """The events in an engine."""
    engine = request.param
    if engine == "pyspark":
        return engine, moved(events, engine, request.getfixturevalue("spark")).cache()
    pytest.importorskip(engine.split("-")[0], reason=f"{engine} is not installed")
    return engine, moved(events, engine)


@pytest.mark.parametrize("name", analysis.__all__)
@pytest.mark.parametrize("on_engine", OTHER_ENGINES, indirect=True)
def test_same_answer_as_on_pandas(name, on_engine, events):
    """An analysis gives the answer that it gives on pandas, to the last digit and in the same order."""
    engine, native = on_engine
    options = OPTIONS.get(name, {})
    result = getattr(analysis, name)(native, **options)
    expected = as_on(engine, getattr(analysis, name)(events, **options))
    assert len(expected)
    pd.testing.assert_frame_equal(back(result), expected)


@pytest.mark.parametrize("on_engine", OTHER_ENGINES, indirect=True)
def test_frame_comes_back_in_its_kind(on_engine):
    """A lazy frame gives a lazy frame, a relation a relation, a table a table."""
    _, native = on_engine
    for result in (analysis.heatmap(native), analysis.response_times(native)):
        assert type(result).__name__ == type(native).__name__


@pytest.mark.parametrize("engine", ENGINES)
def test_messages_have_the_analyses_too(engine, events, request):
    """What can be told from `tc.messages` is what `tc.df` says, edits and removals applied, on every engine."""
    spark = request.getfixturevalue("spark") if engine == "pyspark" else None
    messages = moved(as_messages(events), engine, spark)
    for name in ("activity", "words", "threads", "files", "mentions", "conversations", "response_times", "graph"):
        expected = as_on(engine, getattr(analysis, name)(events))
        assert len(expected)
        pd.testing.assert_frame_equal(back(getattr(analysis, name)(messages)), expected)


@pytest.mark.parametrize("engine", ENGINES)
def test_hours_around_a_change_of_clocks(engine, request):
    """On the days on which clocks change, each message counts to the hour that the clock showed, on every engine."""
    spark = request.getfixturevalue("spark") if engine == "pyspark" else None
    instants = [
        datetime(2026, 3, 29, 0, 59, 59, tzinfo=UTC),  # 01:59:59 in Berlin, then the clock goes to 03:00
        datetime(2026, 3, 29, 1, 0, tzinfo=UTC),
        datetime(2026, 10, 25, 0, 30, tzinfo=UTC),  # 02:30 for the first time
        datetime(2026, 10, 25, 1, 30, tzinfo=UTC),  # 02:30 for the second time
        datetime(2026, 10, 25, 2, 0, tzinfo=UTC),
    ]
    native = moved(frame(*(said("a", instant) for instant in instants)), engine, spark)
    shown = back(analysis.heatmap(native, tz="Europe/Berlin")).query("messages > 0")
    assert shown.to_numpy().tolist() == [[7, 1, 1], [7, 2, 2], [7, 3, 2]]
    hours = back(analysis.activity(native, "h", tz="Europe/Berlin")).query("messages > 0")
    # Daylight saving time ends between the two: an hour that the clock shows twice is two hours.
    shown = ["01:00+0100", "03:00+0200", "02:00+0200", "02:00+0100", "03:00+0100"]
    form = "%H:%M" if engine in ("duckdb", "pyspark") else "%H:%M%z"
    assert hours["period"].dt.strftime(form).tolist() == [hour[: len(f"{START:{form}}")] for hour in shown]
    days = back(analysis.activity(native, tz="Europe/Berlin")).query("messages > 0")
    assert [str(day.replace(tzinfo=None)) for day in days["period"]] == ["2026-03-29 00:00:00", "2026-10-25 00:00:00"]
    assert days["messages"].tolist() == [2, 3]


@pytest.mark.parametrize("engine", ENGINES)
def test_empty_frame(engine, request):
    """Without events, an analysis has no rows and all its columns, on every engine."""
    spark = request.getfixturevalue("spark") if engine == "pyspark" else None
    native = moved(frame(), engine, spark)
    for name in ("talkers", "response_times", "activity"):
        result = back(getattr(analysis, name)(native))
        expected = pd.DataFrame(getattr(analysis, name)(frame()))
        assert len(result) == 0
        assert list(result.columns) == list(expected.columns)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_caption_that_an_edit_gives_counts(engine, request):
    """A file that got its text by an edit is a message with that text, on every engine and in `tc.messages`."""
    spark = request.getfixturevalue("spark") if engine == "pyspark" else None
    events = frame(
        said("b", 0, "hi"),
        said("a", 1, None, message_type="attachment", file_id="f"),
        said("a", 2, None, message_type="attachment", file_id="g"),
        event("edited_message", 3, message_id="m2", text="flamingo 🦩 https://example.com @b"),
    )
    for native in (moved(events, engine, spark), moved(as_messages(events), engine, spark)):
        assert "flamingo" in set(back(analysis.words(native))["word"])
        assert [len(back(getattr(analysis, name)(native))) for name in ("emoji", "links", "mentions", "graph")] == [
            1
        ] * 4


@pytest.mark.parametrize("engine", ENGINES)
def test_ids_in_another_case_are_one_person(engine, request):
    """Whoever writes under ids that differ in case is one person, called by the id that was seen first."""
    spark = request.getfixturevalue("spark") if engine == "pyspark" else None
    add = {"author_type": "system", "message_type": "add_participant", "text": None}
    native = moved(
        frame(
            said("Bob", 0, "shared", author="Bob"),
            said("bob", 1, "shared", author="Bob"),
            said("a", 2, "three @BOB", reply_to="m2"),
            said("BOB", 3, "four @bob", author="Robert", reply_to="m1"),
            said("A", 4, "five", author="Alice", chat_id="G", reply_to="m9"),
            said(None, 5, user_id="bOb@s", **add),
            event("removed_chat_participant", 6, user_id="BoB@s"),
            event("added_chat_participant", 7, user_id="a@S"),
        ),
        engine,
        spark,
    )
    found = {name: back(getattr(analysis, name)(native)) for name in analysis.__all__}
    assert found["talkers"][["author_id", "author", "messages"]].values.tolist() == [
        ["Bob@s", "Robert", 3],
        ["a@s", "Alice", 2],
    ]
    assert found["summary"][["people", "chats"]].values.tolist() == [[2, 2]]
    assert found["activity"]["people"].tolist() == [2]
    assert found["words"].set_index("word").loc["shared", ["messages", "people"]].tolist() == [2, 1]
    assert found["response_times"][["author_id", "to_id"]].values.tolist() == [["a@s", "Bob@s"], ["Bob@s", "a@s"]]
    assert found["response_matrix"]["responses"].tolist() == [1, 1]
    assert found["conversations"][["opened_by_id", "people"]].values.tolist() == [["Bob@s", 2], ["a@s", 1]]
    assert found["mentions"][["author_id", "mentioned_id", "count"]].values.tolist() == [
        ["Bob@s", "Bob@s", 1],
        ["a@s", "Bob@s", 1],
    ]
    assert found["graph"][["source_id", "target_id", "kind"]].values.tolist() == [
        ["a@s", "Bob@s", "reply"],
        ["a@s", "Bob@s", "mention"],
    ]
    assert found["threads"]["people"].tolist() == [1, 2, 1]
    assert found["membership"][["joins", "leaves", "headcount"]].values.tolist() == [[0, 1, 1]]


def test_time_zone_of_a_duckdb_connection_changes_nothing():
    """DuckDB shows times in the zone of its connection; the answers do not depend on it."""
    duckdb = pytest.importorskip("duckdb")
    events = generated(50)
    expected = pd.DataFrame(analysis.heatmap(events, tz="Asia/Kathmandu"))
    duckdb.execute("SET TimeZone = 'Pacific/Apia'")
    try:
        native = moved(events, "duckdb")
        pd.testing.assert_frame_equal(back(analysis.heatmap(native, tz="Asia/Kathmandu")), expected)
        first = back(analysis.summary(native))["first"]
        assert first[0] == analysis.summary(events)["first"][0]
    finally:
        duckdb.execute("RESET TimeZone")


@pytest.mark.parametrize("name", ["heatmap", "response_times", "words"])
def test_nobody_is_warned_about_the_machinery(name):
    """An analysis of a Dask frame says nothing of what is going to change between the packages behind it."""
    pytest.importorskip("dask")
    native = moved(frame(said("a", 0, "release"), said("b", 1, "ready")), "dask")
    with warnings.catch_warnings():
        warnings.simplefilter("error", FutureWarning)
        warnings.simplefilter("error", DeprecationWarning)
        assert len(back(getattr(analysis, name)(native)))
