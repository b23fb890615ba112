"""The same answers on every engine: every analysis, the same events, and frames of the same kind as were given."""

from __future__ import annotations

import warnings
from datetime import UTC, datetime
from typing import Any

import pandas as pd
import pytest

from tcnb import analysis
from tests.analysis.frames import ENGINES, as_messages, back, frame, generated, moved, said

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
    _, native = on_engine
    options = OPTIONS.get(name, {})
    result = getattr(analysis, name)(native, **options)
    expected = pd.DataFrame(getattr(analysis, name)(events, **options))
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
        expected = pd.DataFrame(getattr(analysis, name)(events))
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
    assert hours["period"].dt.to_pydatetime().tolist() == [instant.replace(minute=0, second=0) for instant in instants]
    days = back(analysis.activity(native, tz="Europe/Berlin")).query("messages > 0")
    assert [str(day) for day in days["period"]] == ["2026-03-28 23:00:00+00:00", "2026-10-24 22:00:00+00:00"]
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
