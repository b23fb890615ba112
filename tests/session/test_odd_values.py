"""Values that no server means: numbers without bounds, lists for ids, times of another age, misleading names."""

from __future__ import annotations

import json
import time
from typing import Any

import pandas as pd
import pytest

from tcnb.errors import ApiErrorException
from tcnb.notebook.feed.feed import Feed

ROBOT = "robot@practice.local"

OUT_OF_RANGE = {
    "infinite": b"1e999",
    "without end": b"-" + b"9" * 5000,
    "of many digits": b"1" + b"0" * 400,
    "beyond 64 bits": b"18446744073709551616",
}
"""Numbers that JSON can write and nothing can hold."""

BESIDE = {
    "latitude": b'"content":{"text":"hello","parseMode":"text","latitude":%s,"longitude":1}',
    "size": b'"content":{"text":"hello","parseMode":"text","size":%s}',
    "box": b'"content":{"text":"hello","parseMode":"text"},"box":{"id":%s,"position":"0"}',
    "unknown": b'"content":{"text":"hello","parseMode":"text"},"weight":[%s]',
}
"""Where they stand in a message."""

TIMES = {
    "year 3000": 32_503_680_000_000,
    "year 9999": 253_402_300_799_000,
    "year 10000": 253_402_300_800_000,
    "negative": -1_767_000_002_000,
    "far": 10**18,
}
"""Times that no server means, in milliseconds since 1970."""


def message(user_id: str, beside: bytes, **fields: Any) -> bytes:
    """Return the frame of a message to the bot, with something that is given as it stands on the wire."""
    said = {"messageId": "odd", "chatId": "c1", "timestamp": int(time.time() * 1000), "isEdited": False, "type": 200}
    said |= {"author": {"id": user_id, "type": 1}} | fields
    payload = json.dumps(said).encode()[:-1] + b"," + beside + b"}"
    return b'{"method":"sendMessage","type":1,"id":4000000000,"payload":' + payload + b"}"


def push(practice: Any, *texts: bytes) -> None:
    """Have frames sent to the bot, and a right one behind them."""
    behind = message("alice@practice.local", b'"content":{"text":"behind","parseMode":"text"}', messageId="behind")
    practice.call(lambda server: [server.push_raw("robot", text) for text in (*texts, behind)])


@pytest.mark.parametrize("place", BESIDE)
@pytest.mark.parametrize("number", OUT_OF_RANGE)
def test_number_out_of_range_breaks_nothing(practice, tc, alice, until, number, place):
    """A message of the bot itself with such a number is recorded and acknowledged, and sends go on."""
    chat = alice.group("Crew", "robot")
    assert tc.send(chat, "before").message_id
    push(practice, message(ROBOT, BESIDE[place] % OUT_OF_RANGE[number]))
    until(tc, lambda: {"odd", "behind"} <= set(tc.df["message_id"]))
    assert tc.df.set_index("message_id").loc["odd", "text"] == "hello"
    assert tc.send(chat, "after").message_id
    status = tc.status()
    assert (status.reconnects, status.internal_errors, status.failures) == (0, 0, 0)


@pytest.mark.parametrize("name", ["messageId", "chatId", "replyMessageId", "author"])
@pytest.mark.parametrize("value", [["a"], {"id": ["a"]}, [[]], 5, True])
def test_id_that_is_none_breaks_nothing(practice, tc, alice, until, name, value):
    """A message with a list, an object or a number for an id is a row without it, and sends go on."""
    chat = alice.group("Crew", "robot")
    assert tc.send(chat, "before").message_id
    said = {"messageId": "odd"} | {name: value}
    push(practice, message(ROBOT, b'"content":{"text":"with an odd id","parseMode":"text"}', **said))
    until(tc, lambda: "behind" in set(tc.df["message_id"]))
    assert "with an odd id" in set(tc.df["text"])
    assert tc.send(chat, "after").message_id
    assert (tc.status().reconnects, tc.status().internal_errors) == (0, 0)


@pytest.mark.parametrize("when", TIMES)
def test_time_of_another_age_is_unknown(practice, tc, until, when):
    """A message from the year 3000, or from before 1970, is a row without a time, and status tells of it."""
    push(practice, message("alice@practice.local", b'"content":{"text":"old"}', timestamp=TIMES[when]))
    until(tc, lambda: {"odd", "behind"} <= set(tc.df["message_id"]))
    assert tc.df.set_index("message_id")["timestamp"].isna()[["odd", "behind"]].tolist() == [True, False]
    assert tc.messages.set_index("message_id")["timestamp"].isna()["odd"]
    assert tc.chats["last"].max() < tc.df["received"].max() + pd.Timedelta(days=1)
    assert tc.status().incomplete == 1


@pytest.fixture
def in_tokyo(monkeypatch: pytest.MonkeyPatch) -> Any:
    """This machine is east of Greenwich."""
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize("when", TIMES)
def test_feed_of_another_age_opens_east_of_greenwich(practice, tc, until, in_tokyo, when):
    """Neither the feed nor its still raises for a time that no calendar has."""
    push(practice, message("alice@practice.local", b'"content":{"text":"old"}', timestamp=TIMES[when]))
    until(tc, lambda: {"odd", "behind"} <= set(tc.df["message_id"]))
    feed = Feed(tc)
    assert {"old", "behind"} <= {row.get("x") for row in json.loads(feed._opening_state())["rows"]}
    assert "old" in feed._repr_mimebundle_()[0]["text/html"]
    feed.close()


def test_name_is_shown_without_what_makes_it_read_otherwise(practice, tc, until):
    """`exe.png` is never what a person reads of a file that is called `\\u202egnp.exe`."""
    content = {"name": "\u202egnp.exe\x1b[2J", "size": 5, "fileId": "f1", "mimeType": "image/png", "readyState": 2}
    chat = {"chatId": "c1", "chatTitle": "\u202ewerC", "chatType": 2}
    beside = b'"content":' + json.dumps(content).encode()
    push(practice, message("alice@practice.local", beside, type=202, chat=chat))
    until(tc, lambda: {"odd", "behind"} <= set(tc.df["message_id"]))
    feed = Feed(tc)
    row = next(one for one in json.loads(feed._opening_state())["rows"] if one.get("m") == "odd")
    assert (row["d"], row["n"]) == ("gnp.exe [2J", "werC")
    still = feed._repr_mimebundle_()[0]
    for shown in (still["text/html"], still["text/plain"], repr(tc.status()), repr(tc)):
        assert "\u202e" not in shown
        assert "\x1b" not in shown
    feed.close()


def test_words_of_a_server_are_one_line():
    """A server that explains itself in 100 kB with controls and direction marks does it in one short line."""
    words = "\x1b[2J\u202eno" + "\r\n" + "x" * 100_000
    error = ApiErrorException(303, f"refused ({words})", {}, method="sendMessage", chat_id="c\u202e1")
    assert str(error).isprintable()
    assert len(str(error)) < 1000
