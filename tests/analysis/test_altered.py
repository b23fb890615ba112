"""Frames that were changed or stored by hand: read as what they are, or refused in one line with what to do."""

from __future__ import annotations

import datetime
import io
import re
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
import pytz
from dateutil import tz as dateutil_zones

from tcnb import analysis
from tcnb.analysis.text import words
from tcnb.errors import UsageError
from tests.analysis.frames import back, frame, generated, moved, said

ENGINES = ("pandas", "polars", "polars-lazy", "pyarrow", "duckdb", "dask")


@pytest.fixture(scope="module")
def events() -> pd.DataFrame:
    """Some messages, of which a few reply to others."""
    return generated(60)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("column", "made", "hint"),
    [
        ("timestamp", lambda values: values.astype("int64"), "pd.to_datetime"),
        ("timestamp", lambda values: values.astype("int64") / 1e6, "pd.to_datetime"),
        ("received", lambda values: values.astype(str), "pd.to_datetime"),
        ("reply_to", lambda values: pd.Series(1.045e18, index=values.index), "'reply_to': str"),
        ("message_id", lambda values: pd.Series(range(len(values)), index=values.index), "'message_id': str"),
        ("file_size", lambda values: values.astype("string").fillna("?"), "the type that it has in tc.df"),
    ],
)
def test_column_of_another_type_is_refused(events, engine, column, made, hint):
    """Numbers as times, numbers as ids and texts as numbers are refused on every engine, with what to do."""
    native = moved(events.assign(**{column: made(events[column])}), engine)
    with pytest.raises(UsageError, match=f"the column {column} is .*{re.escape(hint)}") as caught:
        analysis.talkers(native)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("engine", ENGINES)
def test_column_without_values_may_have_any_type(events, engine):
    """A column in which everything is missing is taken whatever its type, as after a CSV file."""
    empty = {"reply_to": float("nan"), "file_id": None, "file_size": None}
    missing = {name: pd.Series(pd.NA, index=events.index, dtype=events[name].dtype) for name in empty}
    expected = pd.DataFrame(analysis.talkers(events.assign(**missing)))
    result = back(analysis.talkers(moved(events.assign(**empty), engine)))
    pd.testing.assert_frame_equal(result, expected)


def test_csv_is_refused_until_it_is_read_right():
    """Ids that became numbers in a CSV file are refused; read as texts, the replies are found."""
    long = "1045178587575242772"
    events = frame(said("a", 0, message_id=long), said("b", 1, message_id="1045178587575242779", reply_to=long))
    written = events.to_csv(index=False)
    times = ["received", "timestamp"]
    with pytest.raises(UsageError, match="message_id is Int64"):
        analysis.threads(pd.read_csv(io.StringIO(written), parse_dates=times))
    read = pd.read_csv(io.StringIO(written), parse_dates=times, dtype={"message_id": str, "reply_to": str})
    pd.testing.assert_frame_equal(pd.DataFrame(analysis.threads(read)), pd.DataFrame(analysis.threads(events)))


@pytest.mark.parametrize(
    "alter",
    [
        lambda events: events.set_index(pd.Index([0] * len(events))),
        lambda events: events.set_index("seq", drop=False),
        lambda events: events.assign(timestamp=events["timestamp"].dt.tz_localize(None)),
        lambda events: events.assign(timestamp=events["timestamp"].dt.tz_convert("Asia/Tokyo").dt.as_unit("ns")),
        lambda events: events.astype(dict.fromkeys(("chat_id", "author_id", "text", "event"), object)),
        lambda events: events.assign(chat_id=events["chat_id"].cat.add_categories(["another", "unused"])),
        lambda events: events[events.columns[::-1]].assign(more=1),
    ],
    ids=["one index value", "index of a column", "no zone", "another zone", "objects", "unused categories", "order"],
)
def test_what_says_the_same_gives_the_same(events, alter):
    """The index, the order of columns, the zone of times and the kind of texts change nothing."""
    for name in ("talkers", "response_times", "activity", "words"):
        expected = pd.DataFrame(getattr(analysis, name)(events))
        pd.testing.assert_frame_equal(pd.DataFrame(getattr(analysis, name)(alter(events))), expected)


@pytest.mark.parametrize(
    ("alter", "reason"),
    [
        (lambda events: pd.concat([events, events["text"]], axis=1), "the column text more than once"),
        (lambda events: events.set_axis(pd.MultiIndex.from_product([["a"], events.columns]), axis=1), "2 levels"),
        (lambda events: events.assign(timestamp=events["timestamp"].dt.date), "pd.to_datetime"),
        (lambda events: events.assign(timestamp=events["timestamp"].astype(object)), "pd.to_datetime"),
        (lambda events: events.assign(file_size=1.5), "file_size cannot be read"),
    ],
    ids=["twice", "levels", "dates", "objects", "fractions"],
)
def test_what_may_mean_anything_is_refused(events, alter, reason):
    """What could be read in two ways, or not at all, is told in one line."""
    with pytest.raises(UsageError, match=reason) as caught:
        analysis.talkers(alter(events))
    assert "\n" not in str(caught.value)


MOSCOW: list[Any] = [
    ZoneInfo("Europe/Moscow"),
    pytz.timezone("Europe/Moscow"),
    dateutil_zones.gettz("Europe/Moscow"),
    "+03:00",
    "UTC+3",
    datetime.timezone(datetime.timedelta(hours=3)),
    pytz.FixedOffset(180),
    dateutil_zones.tzoffset(None, 10_800),
]


@pytest.mark.parametrize("given", MOSCOW, ids=repr)
def test_zones_of_every_kind(events, given):
    """A zone is given by its name, by an offset, or as an object of any of the usual packages."""
    for name in ("heatmap", "activity", "membership"):
        expected = pd.DataFrame(getattr(analysis, name)(events, tz="Europe/Moscow"))
        found = pd.DataFrame(getattr(analysis, name)(events, tz=given))
        times = {column: "datetime64[us, UTC]" for column in ("period",) if column in expected}
        pd.testing.assert_frame_equal(found.astype(times), expected.astype(times))


@pytest.mark.parametrize("given", [datetime.UTC, pytz.utc, dateutil_zones.tzutc(), "UTC", "+00:00"], ids=repr)
def test_utc_of_every_kind(events, given):
    """UTC is UTC, from whichever package."""
    pd.testing.assert_frame_equal(
        pd.DataFrame(analysis.heatmap(events, tz=given)), pd.DataFrame(analysis.heatmap(events))
    )


@pytest.mark.parametrize(
    "given", [5, None, "", "Moscow", "+05:30", "+99", datetime.timezone(datetime.timedelta(hours=5.5))]
)
def test_zone_without_a_name_is_refused(events, given):
    """What is no zone, or an offset that no zone always has, is told with examples."""
    with pytest.raises(UsageError, match="UTC"):
        analysis.heatmap(events, tz=given)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("write to first.last@example.com or see example.org", ["write", "to", "or", "see"]),
        ("chat at t.me/crew, docs on wiki.local:8080/start.", ["chat", "at", "docs", "on"]),
        ("mailto:help@example.co.uk robot@practice tg://resolve?domain=x", []),
        ("Пишите на почта@пример.рф или зайдите на пример.рф", ["пишите", "на", "или", "зайдите", "на"]),
        ("done.Next one and/or two... ok.", ["done", "next", "one", "and", "or", "two", "ok"]),
        ("(example.com)! <https://example.com/a-b>", []),
    ],
)
def test_addresses_are_no_words(text, expected):
    """Mail addresses, hosts and links of every scheme are left out of words; sentences without a space are not."""
    assert words(text) == expected


@pytest.mark.parametrize("part", ["a.", "a@", "a", "://", "a.a/", "a-", "a+", ".", "mailto:", "a.com.", "a.com:"])
def test_long_texts_are_read_in_time(part):
    """A text that almost is an address again and again is read; a pattern that is worse than linear would not end."""
    assert isinstance(words(part * 40_000), list)
