"""Whether messages tell how many replies they got, after how long the first one, and by whom."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from record_payloads import ALICE, BOB, GROUP, ME, RECEIVED, SENT_AT, encode, text

from tcnb.record.record import Record

CAROL = "carol@video.example.com"
ABOUT_REPLIES = ["replies", "first_reply_seconds", "first_reply_by_id", "first_reply_by"]


@pytest.fixture
def record() -> Record:
    """A record of one message, `m-1`, by Alice."""
    record = Record(ME)
    record.append("sendMessage", text("who is on duty?", message_id="m-1"), RECEIVED)
    return record


def say(record: Record, message_id: str, who: str | None, after: float, to: str | None = "m-1", **other: Any) -> None:
    """Take in a message, so many seconds after the first one, that replies to another one."""
    values = {
        "timestamp": SENT_AT + round(after * 1000),
        "author": None if who is None else {"id": who, "type": 1},
        "replyMessageId": to,
        "old": True,
    }
    record.append("sendMessage", text("me", message_id=message_id, **(values | other)), RECEIVED)


def told(record: Record, message_id: str = "m-1") -> list[Any]:
    """Return what is said about the replies to a message, None for what is missing."""
    row = record.messages().set_index("message_id").loc[message_id, ABOUT_REPLIES]
    return [None if pd.isna(value) else value for value in row]


def test_a_message_without_replies_has_none(record: Record) -> None:
    """Nobody replied: the number is nought, and the rest is missing."""
    say(record, "m-2", BOB, 5, to=None)
    assert told(record) == [0, None, None, None]


def test_replies_are_counted_and_the_first_is_told(record: Record) -> None:
    """The number of replies, the seconds up to the first one, and who wrote it."""
    record.learn_person(BOB, "Bob Ross")
    say(record, "m-2", BOB, 90.5)
    say(record, "m-3", CAROL, 120)
    assert told(record) == [2, 90.5, BOB, "Bob Ross"]
    assert told(record, "m-2") == [0, None, None, None]


def test_own_replies_are_counted_but_are_not_the_first(record: Record) -> None:
    """Who adds something to their own message has not answered it, in whatever case their id is written."""
    say(record, "m-2", ALICE, 5)
    say(record, "m-3", ALICE.upper(), 6)
    assert told(record) == [2, None, None, None]
    say(record, "m-4", BOB, 7)
    assert told(record) == [3, 7.0, BOB, None]


def test_what_this_account_replies_counts(record: Record) -> None:
    """A reply that we sent is a reply like any other."""
    request = {"chatId": GROUP, "replyMessageId": "m-1", "content": {"text": "me", "parseMode": "text"}}
    record.append_sent("sendMessage", request, {"messageId": "m-2", "timestamp": SENT_AT + 3000}, RECEIVED)
    assert told(record) == [1, 3.0, ME, None]


def test_a_removed_reply_does_not_count(record: Record) -> None:
    """When the first reply is removed, the next one is the first; a removed message keeps its replies."""
    say(record, "m-2", BOB, 5)
    say(record, "m-3", CAROL, 9)
    record.append("removeMessage", encode({"chatId": GROUP, "messageId": "m-2"}), RECEIVED)
    record.append("removeMessage", encode({"chatId": GROUP, "messageId": "m-1"}), RECEIVED)
    assert told(record) == [1, 9.0, CAROL, None]
    assert record.messages().set_index("message_id").loc["m-2", "reply_to"] == "m-1"


def test_the_first_reply_is_the_earliest_not_the_first_to_come(record: Record) -> None:
    """What is read from the past later counts by the time at which it was written."""
    say(record, "m-3", CAROL, 60)
    say(record, "m-2", BOB, 5)
    assert told(record) == [2, 5.0, BOB, None]


def test_a_message_found_after_its_reply_gets_it(record: Record) -> None:
    """A message that comes from the history after the reply to it says that it was replied to."""
    say(record, "m-9", BOB, 60, to="m-8")
    assert told(record) == [0, None, None, None]
    say(record, "m-8", ALICE, 20, to=None)
    assert told(record, "m-8") == [1, 40.0, BOB, None]


def test_a_new_reply_is_seen_at_once(record: Record) -> None:
    """The frame says what is so when it is asked for, and one asked for before stays as it was."""
    before = record.messages()
    say(record, "m-2", BOB, 5)
    assert told(record) == [1, 5.0, BOB, None]
    assert before["replies"].tolist() == [0]


def test_of_two_replies_at_the_same_time_the_first_is_the_one_recorded_first(record: Record) -> None:
    """Equal times do not make the answer depend on chance."""
    say(record, "m-3", CAROL, 5)
    say(record, "m-2", BOB, 5)
    assert told(record) == [2, 5.0, CAROL, None]


def test_a_reply_from_another_chat_is_none(record: Record) -> None:
    """Only what is said in the same chat replies to a message."""
    say(record, "m-2", BOB, 5, chatId="another")
    assert told(record) == [0, None, None, None]


def test_forwarding_is_no_reply(record: Record) -> None:
    """A message forwarded within its chat is a message of its own; what replies to the copy does not reply to it."""
    request = {"chatId": GROUP, "messageId": "m-1"}
    record.append_sent("forwardMessage", request, {"messageId": "m-2", "timestamp": SENT_AT + 1000}, RECEIVED)
    say(record, "m-3", BOB, 5, to="m-2")
    assert told(record) == [0, None, None, None]
    assert told(record, "m-2") == [1, 4.0, BOB, None]


def test_what_replies_to_itself_or_to_the_unknown_is_left_out(record: Record) -> None:
    """A message that names itself has no reply, and a message that nobody recorded has no row."""
    say(record, "m-2", BOB, 5, to="m-2")
    say(record, "m-3", BOB, 5, to="m-0")
    assert record.messages()["replies"].tolist() == [0, 0, 0]


def test_a_reply_older_than_its_message_is_not_the_first(record: Record) -> None:
    """Where two clocks disagree, the reply counts, and says nothing about time."""
    say(record, "m-2", BOB, -1)
    assert told(record) == [1, None, None, None]
    say(record, "m-3", CAROL, 0)
    assert told(record) == [2, 0.0, CAROL, None]


def test_a_reply_by_nobody_known_is_not_the_first(record: Record) -> None:
    """Where the server does not say whose it is, it may be the author's own; what the system says is no reply."""
    say(record, "m-2", None, 5)
    say(record, "m-3", None, 5, author={"id": "trueconf.server", "type": 0})
    assert told(record) == [1, None, None, None]


def test_an_edited_reply_is_one_reply(record: Record) -> None:
    """An edit neither adds a reply nor changes when it came."""
    say(record, "m-2", BOB, 5)
    changed = {"messageId": "m-2", "timestamp": SENT_AT + 9000, "chatId": GROUP, "content": {"text": "I am"}}
    record.append("editMessage", encode(changed), RECEIVED)
    assert told(record) == [1, 5.0, BOB, None]


def test_replies_agree_with_a_slow_calculation() -> None:
    """Over thousands of messages in a random order, the columns say what a loop over the messages finds."""
    record = Record(ME)
    people = [f"person{number}@x" for number in range(5)]
    said = []
    for number in range(3000):
        place = number * 7919 % 3000
        to = f"m-{place - place % 11}" if place % 3 else None
        said.append((f"m-{place}", people[place % 5], place // 2, f"c{place // 100 % 2}", to))
        say(record, f"m-{place}", people[place % 5], place // 2, to, chatId=f"c{place // 100 % 2}")
    gone = {f"m-{number}" for number in range(0, 3000, 17)}
    for message_id in gone:
        record.append("removeMessage", encode({"messageId": message_id, "chatId": "c0"}), RECEIVED)
    expected = {}
    for message_id, author, when, chat, _ in said:
        replies = [one for one in said if one[4] == message_id and one[0] not in (*gone, message_id) and one[3] == chat]
        others = [one for one in replies if one[1] != author and one[2] >= when]
        first = min(others, key=lambda one: one[2], default=None)
        expected[message_id] = [len(replies), first and first[2] - when, first and first[1]]
    columns = record.messages().set_index("message_id")[ABOUT_REPLIES[:3]]
    found = {row[0]: [None if pd.isna(value) else value for value in row[1:]] for row in columns.itertuples()}
    assert found == expected
    assert columns["replies"].sum() > 500


@pytest.mark.parametrize("door", ["parquet", "polars", "duckdb"])
def test_the_columns_survive_other_doors(record: Record, door: str, tmp_path: pytest.TempPathFactory) -> None:
    """Written to a file or handed to another engine, the seconds are still seconds and the gaps still gaps."""
    say(record, "m-2", BOB, 1.5)
    messages = record.messages()
    if door == "parquet":
        messages.to_parquet(f"{tmp_path}/messages.parquet")
        again = pd.read_parquet(f"{tmp_path}/messages.parquet")
        assert again["first_reply_seconds"].dtype == messages["first_reply_seconds"].dtype
        seconds = again["first_reply_seconds"].tolist()
    elif door == "polars":
        seconds = pytest.importorskip("polars").from_pandas(messages)["first_reply_seconds"].to_list()
    else:
        duckdb = pytest.importorskip("duckdb")
        with duckdb.connect() as connection:
            connection.register("messages", messages[ABOUT_REPLIES])
            seconds = [row[0] for row in connection.sql("SELECT first_reply_seconds FROM messages").fetchall()]
    assert [None if pd.isna(value) else value for value in seconds] == [1.5, None]
