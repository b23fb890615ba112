"""Whether messages that are taken in by the hundred make the same rows as one by one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from record_payloads import ALICE, BOB, GROUP, ME, RECEIVED, SENT_AT, envelope
from test_flaws import MESSAGE_LIKE, METHODS, VALUES

from tcnb.record.columns import bulk
from tcnb.record.record import Arrival, Record
from tcnb.record.replay import put_arrivals
from tcnb.wire import fast_path, notifications

TEXTS = st.sampled_from(
    ["status?", "", "<b>bold</b> &amp; more", "*a* _b_ [c](https://d.example)", "\u202eabc", "no\0thing"]
)
TEXTS |= st.text(max_size=12)
PEOPLE = st.sampled_from([ALICE, BOB, ME, f"{ALICE}/web", "SERVICE"])


@st.composite
def messages(draw: st.DrawFn) -> dict[str, Any]:
    """Draw a message as servers send it, now and then with something strange about it."""
    content = {"text": draw(TEXTS), "parseMode": draw(st.sampled_from(["html", "markdown", "text", None, "other"]))}
    chat_id = draw(st.sampled_from([GROUP, "second", "third"]))
    title = draw(st.sampled_from(["Release crew"] * 20 + ["Launch crew", None]))
    said = envelope(
        content,
        message_id=f"m-{draw(st.integers(0, 10_000))}",
        type=draw(st.sampled_from([200] * 12 + [201, 202, 1, 7])),
        old=draw(st.sampled_from([False] * 9 + [True])),
        chatId=chat_id,
        author={"id": draw(PEOPLE), "type": draw(st.sampled_from([1, 1, 1, 0, 5]))},
        timestamp=SENT_AT + draw(st.integers(-3, 3)),
        replyMessageId=draw(st.sampled_from([None, "m-1"])),
        isEdited=draw(st.sampled_from([False, True, None])),
    )
    if "chat" in said:
        said["chat"] = {
            "chatId": chat_id,
            "chatTitle": title,
            "chatType": draw(st.sampled_from([2] * 20 + [1, None, -1])),
        }
    if draw(st.integers(0, 30)) == 0:
        said |= draw(MESSAGE_LIKE)
    return said


OTHERS = st.tuples(st.sampled_from(METHODS), VALUES | MESSAGE_LIKE)
EDITS = st.just(("editMessage", {"chatId": GROUP, "timestamp": SENT_AT, "content": {"text": "so"}}))
FRAMES = st.lists(st.tuples(st.just("sendMessage"), messages()) | EDITS, min_size=1, max_size=30)
MIXED = st.lists(st.tuples(st.just("sendMessage"), messages()) | EDITS | OTHERS, min_size=1, max_size=12)


@pytest.fixture(autouse=True, scope="module")
def few_are_many() -> Iterator[None]:
    """Have the way for hundreds taken by a few."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bulk, "LEAST", 1)
        yield


def state(record: Record) -> tuple[Any, ...]:
    """Return all that a record tells about what it took in."""
    return (
        record.counts,
        record.last_seq,
        record.chats_without_type(),
        sorted(record.people_without_name()),
        record.chats().astype({"chat_id": "str"}).sort_values("chat_id").to_dict("list"),
        [record.has_message(f"m-{number}") for number in range(20)],
    )


def told(arrival: Arrival) -> notifications.Told:
    """Return what a frame tells, read as a connection reads it: the short way if that can."""
    text = b'{"method":"sendMessage","type":1,"id":7,"payload":%b}' % bytes(arrival.payload)
    read = fast_path.read(text) if arrival.method == "sendMessage" else None
    return notifications.decode(arrival.method, arrival.payload) if read is None else read.told


def together(record: Record, arrivals: list[Arrival]) -> bool:
    """Take frames in as the session does: all at once if that is possible, and say whether it was."""
    for arrival in arrivals:
        arrival.told = told(arrival)
    read = bulk.read([arrival.told for arrival in arrivals if arrival.told is not None])
    if read is not None and record.extend_together(arrivals, read):
        return True
    record.extend(arrivals)
    return False


def compare(frames: list[tuple[str, Any]], groups: int = 3) -> int:
    """Take frames in both ways, see that nothing differs, and return how many groups were taken at once."""
    arrivals = [
        Arrival(
            method, json.dumps(payload).encode(), RECEIVED + place, "live", SENT_AT if place % 2 else None, place + 5
        )
        for place, (method, payload) in enumerate(frames)
    ]
    one, many, again = Record(ME), Record(ME), Record(ME)
    for record in (one, many, again):
        record.learn_chat(GROUP, "Release crew", 2)
        record.learn_chat("second", "Release crew", 2)
        record.learn_person(BOB, "Bob Roe")
    one.extend(arrivals)
    size = -(-len(arrivals) // groups)
    count = sum(together(many, arrivals[start : start + size]) for start in range(0, len(arrivals), size))
    again.extend(arrivals)
    for other in (many, again):
        pd.testing.assert_frame_equal(one.frame(), other.frame(), check_categorical=False)
        assert one.origins().tolist() == other.origins().tolist()
    assert state(one) == state(many) == state(again)
    return count


@settings(max_examples=120)
@given(FRAMES)
def test_messages_make_the_same_rows_by_the_hundred(frames: list[tuple[str, Any]]) -> None:
    """What servers send is taken in alike one by one and all at once."""
    compare(frames)


@settings(max_examples=100)
@given(MIXED)
def test_whatever_comes_makes_the_same_rows_by_the_hundred(frames: list[tuple[str, Any]]) -> None:
    """Any JSON under any method is taken in alike one by one and all at once."""
    compare(frames)


def test_ordinary_messages_are_taken_at_once() -> None:
    """Plain messages, with edits and files among them, take the fast way."""
    plain = [
        ("sendMessage", envelope({"text": f"<i>{n}</i>", "parseMode": "html"}, message_id=f"m-{n}")) for n in range(50)
    ]
    file = ("sendMessage", envelope({"name": "a.pdf", "size": 7, "fileId": "f"}, type=202, message_id="file"))
    edit = ("editMessage", {"chatId": GROUP, "timestamp": SENT_AT, "content": {"text": "so", "parseMode": "text"}})
    assert compare([*plain[:40], file, edit, *plain[40:]], groups=1) == 1
    assert compare([*plain[:40], file, edit, *plain[40:]], groups=2) == 2
    assert compare(plain, groups=1) == 1


def test_message_without_a_chat_is_taken_with_the_others() -> None:
    """A plain message that names no chat at all makes its row among hundreds as it does alone."""
    frames = [("sendMessage", envelope({"text": "a"}, message_id=f"m-{n}", old=True)) for n in range(10)]
    frames[4][1]["chatId"] = None
    assert compare(frames, groups=1) == 1


def test_one_that_is_there_is_not_taken_again() -> None:
    """Where one of the messages is there already, all are looked at one by one."""
    frames = [("sendMessage", envelope({"text": "a"}, message_id=f"m-{n % 7}")) for n in range(10)]
    assert compare(frames, groups=1) == 0


def test_what_fails_all_at_once_is_taken_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Should the way for hundreds fail, nothing of it stays, and each message is taken in alone."""
    record = Record(ME)
    messages = [envelope({"text": "a"}, message_id=f"m-{number}") for number in range(30)]
    arrivals = [
        Arrival("sendMessage", json.dumps(said).encode(), RECEIVED, seq=n + 1) for n, said in enumerate(messages)
    ]
    monkeypatch.setattr(record._table, "extend", lambda *given: 1 / 0)
    assert put_arrivals(record, arrivals) == (0, 0)
    assert record.frame()["message_id"].tolist() == [said["messageId"] for said in messages]
    assert record.counts.received == 30
