"""Periods are those of a zone's calendar, with its clock, whatever the clock does; and whether they are complete."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

from tcnb import analysis
from tcnb.analysis.zones import frequency
from tests.analysis.frames import at, event, frame, said

ZONES = {
    "Europe/Moscow": [(1991, 3, 31), (1992, 1, 19), (2010, 10, 31), (2011, 3, 27), (2014, 10, 26)],
    "Pacific/Apia": [(2011, 9, 24), (2011, 12, 29), (2012, 3, 31)],
    "America/Sao_Paulo": [(2017, 10, 14), (2018, 2, 17), (2018, 11, 3)],
    "Africa/Cairo": [(2014, 5, 15), (2023, 4, 27), (2023, 10, 26)],
    "Asia/Kolkata": [(1945, 10, 14), (2026, 3, 1)],
    "Australia/Lord_Howe": [(2025, 4, 5), (2025, 10, 4)],
    "America/St_Johns": [(2010, 3, 13), (2010, 11, 6)],
    "Asia/Kathmandu": [(1985, 12, 31)],
}
AROUND = [(zone, day) for zone, days in ZONES.items() for day in days]


def messages(zone: str, day: tuple[int, int, int], step: timedelta = timedelta(minutes=10)) -> pd.DataFrame:
    """Return a message every ten minutes of the four days around one."""
    start = datetime(*day, 12, tzinfo=ZoneInfo(zone)).astimezone(UTC) - timedelta(days=1)
    return frame(*(said("a", start + place * step) for place in range(3 * timedelta(days=1) // step)))


def starts(result: pd.DataFrame) -> list[datetime]:
    return [period.to_pydatetime() for period in result["period"]]


@pytest.mark.parametrize(("zone", "day"), AROUND)
def test_days_are_those_that_the_clock_shows(zone, day):
    """Each day that the clock showed is there once, and has the messages that were written when it showed it."""
    events = messages(zone, day)
    result = analysis.activity(events, tz=zone)
    shown = [when.tz_convert(zone).date() for when in events["timestamp"]]
    assert {start.date(): count for start, count in zip(starts(result), result["messages"], strict=True)} == {
        date: shown.count(date) for date in shown
    }
    assert len(result) == len(set(shown))
    assert result["period"].is_monotonic_increasing


@pytest.mark.parametrize("freq", ["h", "15min"])
@pytest.mark.parametrize(("zone", "day"), AROUND)
def test_hours_have_what_was_written_before_the_next_begins(zone, day, freq):
    """Short periods follow one another without gap or overlap, none is there twice, and the clock of none jumps."""
    events = messages(zone, day)
    result = analysis.activity(events, freq, tz=zone)
    instants = [start.astimezone(UTC) for start in starts(result)]
    assert len(set(instants)) == len(instants)
    ends = [*instants[1:], instants[-1] + timedelta(days=1)]
    written = [when.to_pydatetime() for when in events["timestamp"]]
    counted = [sum(begin <= when < end for when in written) for begin, end in zip(instants, ends, strict=True)]
    assert counted == result["messages"].tolist()
    longest = timedelta(hours=1) if freq == "h" else timedelta(minutes=15)
    assert all(end - begin <= longest for begin, end in zip(instants[:-1], ends[:-1], strict=True))
    for begin, end in zip(instants[:-1], ends[:-1], strict=True):
        last = end - timedelta(seconds=1)
        assert begin.astimezone(ZoneInfo(zone)).utcoffset() == last.astimezone(ZoneInfo(zone)).utcoffset()


@pytest.mark.parametrize(("zone", "day"), AROUND)
def test_parts_of_days_count_every_message_once(zone, day):
    """Parts of a day hold all messages, and none of them is empty where something was written all the time."""
    result = analysis.activity(messages(zone, day), "6h", tz=zone)
    assert result["messages"].sum() == 3 * 144
    assert (result["messages"] > 0).all()
    assert result["period"].is_unique


@pytest.mark.parametrize(("zone", "day"), AROUND)
def test_heatmap_is_what_the_clock_showed(zone, day):
    """Each message counts to the weekday and hour that the clock showed."""
    events = messages(zone, day)
    local = events["timestamp"].dt.tz_convert(zone)
    expected = local.groupby([local.dt.day_of_week + 1, local.dt.hour]).size().to_dict()
    found = analysis.heatmap(events, tz=zone).query("messages > 0").set_index(["weekday", "hour"])["messages"].to_dict()
    assert found == expected


def test_day_that_a_zone_skipped_is_none():
    """Samoa went from 29 to 31 December 2011: there is no day between, in the result and in its figure."""
    events = frame(
        said("a", datetime(2011, 12, 30, 5, tzinfo=UTC)),
        said("a", datetime(2011, 12, 30, 15, tzinfo=UTC)),
    )
    for by in (None, "chat"):
        result = analysis.activity(events, by=by, tz="Pacific/Apia")
        assert [str(start.date()) for start in starts(result)] == ["2011-12-29", "2011-12-31"]
        labels = [label.get_text() for label in result.plot().axes[0].get_xticklabels()]
        assert labels == ["29 Dec", "31 Dec"]


def test_day_begins_when_the_clock_first_shows_it():
    """Where the clock goes from midnight to one, the day begins at one."""
    result = analysis.activity(frame(said("a", datetime(2018, 11, 4, 15, tzinfo=UTC))), tz="America/Sao_Paulo")
    assert str(result["period"][0]) == "2018-11-04 01:00:00-02:00"


@pytest.mark.parametrize("freq", ["15min", "h", "6h", "D", "W", "M", "Q", "Y"])
def test_periods_are_told_in_their_zone(freq):
    """The date of a period is that of the zone, for every frequency and with groups; other times stay in UTC."""
    events = frame(said("a", 0), event("added_chat_participant", 1, user_id="b@s"))
    for result in (
        analysis.activity(events, freq, tz="Asia/Vladivostok"),
        analysis.activity(events, freq, by="author", tz="Asia/Vladivostok"),
        analysis.membership(events, freq, tz="Asia/Vladivostok"),
    ):
        assert str(result["period"].dtype) == "datetime64[us, Asia/Vladivostok]"
        (period,) = result["period"]
        assert period.minute == 0
        assert (freq in ("15min", "h", "6h")) or period.hour == 0
    assert [str(day) for day in analysis.activity(events, "W", tz="Asia/Vladivostok")["period"].dt.date] == [
        "2026-03-02"
    ]
    assert str(analysis.summary(events)["first"].dtype) == "datetime64[us, UTC]"


def complete(result: pd.DataFrame) -> list[bool]:
    return result["complete"].tolist()


DAY = 24 * 60


def test_periods_in_which_the_record_begins_or_ends_are_incomplete():
    """The record begins on a Monday at nine and ends on a Wednesday: those two days are incomplete, as is that week."""
    events = frame(said("a", 0), said("a", DAY), said("a", 2 * DAY))
    assert complete(analysis.activity(events)) == [False, True, False]
    assert complete(analysis.activity(events, "W")) == [False]
    assert complete(analysis.activity(events, by="chat")) == [False, True, False]


def test_other_events_tell_that_a_record_goes_on():
    """A period is complete if anything happened after it, and the first one if the record began before it."""
    events = frame(event("created_group_chat", -DAY), said("a", 0), event("edited_chat_avatar", DAY))
    assert complete(analysis.activity(events)) == [True]


def test_rows_of_a_chat_know_how_far_the_record_reaches():
    """A chat that is silent at the end of a record is complete, since its frame knows how far the record reaches."""
    from tcnb.record.context import attach

    events = attach(
        frame(said("a", 0), said("b", DAY, chat_id="h"), said("a", DAY + 1), said("b", 3 * DAY, chat_id="h"))
    )
    assert complete(analysis.activity(events[events["chat_id"] == "g"])) == [False, True]


def test_past_that_was_read_later_does_not_make_a_period_incomplete():
    """Where messages from before the record's beginning were read, the day on which it began is like any other."""
    past = said("a", -9 * DAY, received=at(0))
    events = frame(past, said("a", 0), said("a", DAY))
    assert complete(analysis.activity(events))[-2:] == [True, False]
    assert complete(analysis.activity(events))[0]


def test_membership_knows_its_incomplete_periods():
    """The periods of joins and leaves are complete or not like those of messages."""
    joined = [event("added_chat_participant", day * DAY, user_id=f"{day}@s") for day in (0, 1, 2)]
    assert complete(analysis.membership(frame(*joined))) == [False, True, False]


@pytest.mark.parametrize("name", ["D", "W", "M", "Q", "Y", "6h", "h"])
def test_periods_fit_together(name):
    """The end of a period is the beginning of the next one, through years in which a zone changed its mind."""
    zone, length = ZoneInfo("Europe/Moscow"), frequency(name)
    first = length.step_of(int(datetime(2010, 6, 1, tzinfo=UTC).timestamp()) * 1_000_000, zone)
    last = length.step_of(int(datetime(2011, 6, 1, tzinfo=UTC).timestamp()) * 1_000_000, zone)
    bounds = [length.bounds(start, zone) for start in length.periods(first, last, zone)]
    assert [end for _, end in bounds[:-1]] == [begin for begin, _ in bounds[1:]]
