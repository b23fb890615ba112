"""The record in the order of time: what stands before and behind a place, whatever the order of recording."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from record_payloads import GROUP, RECEIVED, encode, envelope

from tcnb.record import record as record_module
from tcnb.record.record import Record
from tcnb.record.timeline import AHEAD, Condition, Place, time_of, times_of

NOW = RECEIVED // 1000
OTHER = "0" * 40


def message(number: int, time: int | None, chat: str = GROUP) -> bytes:
    """Return the payload of a message that was written at some time."""
    where = {"chatId": chat, "chatTitle": f"Chat {chat[0]}", "chatType": 2}
    return encode(envelope({"text": f"{number}"}, message_id=f"m-{number}", timestamp=time, chatId=chat, chat=where))


def take(record: Record, *times: int | None, chat: str = GROUP) -> None:
    """Let messages be recorded that were written at some times."""
    for time in times:
        number = len(record) + 1
        record.append("sendMessage", message(number, time, chat), RECEIVED, seq=3 * number)


def place(row: dict[str, Any]) -> Place:
    return Place(time_of(row["timestamp"], row["received"]), row["seq"])


def in_order(record: Record) -> list[Place]:
    """Return the places of all rows, sorted in plain Python."""
    return sorted(map(place, record.rows(0, len(record))))


def backwards(record: Record, limit: int, condition: Condition | None = None) -> list[Place]:
    """Return the places of all rows as they are found by going back page by page."""
    found: list[Place] = []
    at: Place | None = None
    while True:
        page = record.earlier(at, limit, condition)
        assert len(page.rows) <= limit
        found = [*map(place, page.rows), *found]
        if page.reached is None:
            return found
        assert at is None or page.reached < at
        at = page.reached


def forwards(record: Record, limit: int, condition: Condition | None = None) -> list[Place]:
    """Return the places of all rows as they are found by going on page by page."""
    found: list[Place] = []
    at: Place | None = None
    while True:
        page = record.later(at, limit, condition)
        found += map(place, page.rows)
        if page.reached is None:
            return found
        assert at is None or page.reached > at
        at = page.reached


times = st.one_of(st.integers(NOW - 8, NOW + 2), st.none(), st.sampled_from([0, 1, NOW - 10**9, NOW + AHEAD, 2 * NOW]))


@settings(deadline=None)
@given(st.lists(st.lists(times, max_size=8), max_size=8), st.integers(1, 5))
def test_timeline_is_the_sorted_list(parts: list[list[int | None]], limit: int) -> None:
    """Whatever times come in whatever order, and whenever somebody asks, the pages are the sorted rows."""
    record = Record()
    for part in parts:
        take(record, *part)
        assert backwards(record, limit) == in_order(record)
    assert forwards(record, limit) == in_order(record)


@settings(deadline=None)
@given(st.lists(st.lists(times, max_size=30), min_size=1, max_size=4), st.integers(0, 9))
def test_what_was_recorded_is_handed_out_or_lies_in_a_gap(parts: list[list[int | None]], limit: int) -> None:
    """Rows behind a position come as the latest by time; the others stand in gaps with nothing older between."""
    record = Record()
    for part in parts:
        before = record.last_seq
        take(record, *part)
        found = record.recorded(before, record.last_seq, limit)
        new = [one for one in in_order(record) if one.seq > before]
        assert found.last == record.last_seq
        assert list(map(place, found.rows)) == (new[-limit:] if limit else [])
        left = new[: max(len(new) - limit, 0)]
        assert sum(gap.size for gap in found.gaps) == len(left)
        assert [one for one in in_order(record) if any(gap.start <= one <= gap.end for gap in found.gaps)] == left


@settings(deadline=None)
@given(st.lists(st.tuples(times, st.sampled_from([GROUP, OTHER])), max_size=40), st.integers(1, 3))
def test_condition_narrows_the_timeline(said: list[tuple[int | None, str]], limit: int) -> None:
    """Pages of one chat hold its rows alone, and what lies in a gap is between rows of that chat."""
    record = Record()
    for time, chat in said:
        take(record, time, chat=chat)
    wanted = Condition(("chat_id", "chat"), lambda row: row["chat_id"] == OTHER)
    here = sorted(place(row) for row in record.rows(0, 100) if row["chat_id"] == OTHER)
    assert backwards(record, limit, wanted) == forwards(record, limit, wanted) == here
    found = record.recorded(0, record.last_seq, limit, wanted)
    assert list(map(place, found.rows)) == here[-limit:]
    assert [(gap.start, gap.end) for gap in found.gaps] == ([(here[0], here[-limit - 1])] if here[limit:] else [])


@settings(deadline=None)
@given(st.lists(st.tuples(st.one_of(st.none(), st.integers(0, 2**53)), st.integers(0, 2**53)), max_size=20))
def test_time_of_many_rows_is_the_time_of_each(pairs: list[tuple[int | None, int]]) -> None:
    """The rule for one row and the rule for columns are the same."""
    said = np.array([np.iinfo(np.int64).min if time is None else time for time, _ in pairs], np.int64)
    came = np.array([received for _, received in pairs], np.int64)
    expected = [time_of(None if time is None else time // 1000, received // 1000) for time, received in pairs]
    assert times_of(said, came).tolist() == expected


@pytest.mark.parametrize(
    ("timestamp", "expected"),
    [(NOW - 5, NOW - 5), (NOW + AHEAD, NOW + AHEAD), (NOW + AHEAD + 1, NOW), (None, NOW), (0, NOW), (1, 1)],
    ids=["the server's", "its clock is ahead", "from the far future", "not said", "zero", "long ago"],
)
def test_time_is_the_servers_where_it_can_be_believed(timestamp: int | None, expected: int) -> None:
    """A row stands at the server's time; where that is missing or absurdly late, at the time it was received."""
    assert time_of(timestamp, NOW) == expected


def test_history_lies_before_what_was_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages of the past that are read backwards stand before the rows that were there, also of many at once."""
    monkeypatch.setattr(record_module, "_SORTED_AT_ONCE", 70)
    record = Record()
    take(record, *range(NOW, NOW + 1500))
    for page in range(5):
        take(record, *range(NOW - 100 * (page + 1), NOW - 100 * page))
    take(record, NOW + 1500)
    assert [row["timestamp"] for row in record.earlier(None, 3000).rows] == list(range(NOW - 500, NOW + 1501))
    assert backwards(record, 400) == in_order(record)


def test_search_for_a_quiet_chat_looks_at_part_of_the_record_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A call looks at a bounded number of rows and says how far it came."""
    monkeypatch.setattr(record_module, "_LOOKED_AT", 10)
    record = Record()
    take(record, NOW, chat=OTHER)
    take(record, *range(NOW + 1, NOW + 30))
    wanted = Condition(("chat_id",), lambda row: row["chat_id"] == OTHER)
    page = record.earlier(None, 5, wanted)
    assert (page.rows, page.reached) == ([], Place(NOW + 20, 63))
    assert backwards(record, 5, wanted) == [Place(NOW, 3)]


def test_scattered_rows_say_the_same_as_in_the_order_of_recording() -> None:
    """A row handed out by time has the values that it has by position, missing ones too."""
    record = Record()
    for number in range(2500):
        time = NOW - 37 * number % 1000
        said = {"text": f"Привет {number}"} if number % 3 else {"name": "plan.pdf", "size": number, "fileId": "f"}
        kind = 200 if number % 3 else 202
        payload = encode(envelope(said, message_id=f"m-{number}", timestamp=time, type=kind))
        record.append("sendMessage", payload, RECEIVED)
    record.frame()
    record.append("removeMessage", encode({"chatId": GROUP, "messageId": "m-1"}), RECEIVED)
    by_seq = {row["seq"]: row for row in record.rows(0, 3000)}
    assert {row["seq"]: row for row in record.earlier(None, 3000).rows} == by_seq


def test_timeline_costs_nothing_where_nobody_asks() -> None:
    """Memory for the order of time is taken when somebody wants to see it: four bytes a row and some room."""
    record = Record()
    take(record, *range(NOW, NOW + 5000))
    before = record.nbytes
    record.earlier(None, 1)
    assert 4 * 5000 <= record.nbytes - before <= 8 * 8192


def test_any_thread_may_ask_while_rows_come() -> None:
    """What another thread is handed out while rows are recorded is in order, and whole up to the last row."""
    record = Record()
    is_over, problems = threading.Event(), []

    def ask() -> None:
        while not is_over.is_set():
            seen = record.last_seq
            found = backwards(record, 50)
            if found != sorted(set(found)) or not {3 * number for number in range(1, seen // 3 + 1)} <= {
                one.seq for one in found
            }:
                problems.append(found)

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    for number in range(40):
        take(record, *range(NOW - 100 * number, NOW - 100 * number + 40))
    is_over.set()
    for thread in threads:
        thread.join()
    assert problems == []
