"""A conversation of two bots of the official client becomes the right rows of tcnb's frame, in both generations."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from tcnb.practice import PracticeThread

from . import voices
from .conftest import ACCOUNTS, Enter, Held
from .story import COLUMNS, STEPS, Row

EVENT_OF = {
    "sendMessage": "message",
    "editMessage": "edited_message",
    "removeMessage": "removed_message",
    "addChatParticipant": "added_chat_participant",
    "removeChatParticipant": "removed_chat_participant",
    "changeParticipantRole": "changed_participant_role",
    "createP2PChat": "created_personal_chat",
    "removeChat": "removed_chat",
    "editChatTitle": "edited_chat_title",
    "editChatAvatar": "edited_chat_avatar",
    "clearHistory": "cleared_chat_history",
    "getFileUploadLimits": "changed_file_upload_limits",
}


def rows_of(frame: pd.DataFrame) -> list[Row]:
    """Return what stands in the rows of an event frame, times in milliseconds, None for what is missing.

    The server does not say when a message was removed: the time of such a row is that of its reception, and None here.
    """
    is_untold = (frame["event"] == "removed_message") & (frame["timestamp"] == frame["received"])
    told = frame.assign(timestamp=frame["timestamp"].mask(is_untold))
    return [
        {name: _value(value) for name, value in record.items()} for record in told[list(COLUMNS)].to_dict("records")
    ]


def _value(value: Any) -> Any:
    if pd.isna(value):
        return None
    return round(value.timestamp() * 1000) if isinstance(value, pd.Timestamp) else value


@pytest.mark.parametrize("step", STEPS)
def test_step_becomes_its_rows(held: Held, step: str) -> None:
    """Every column of every row that a step causes has the right value."""
    start, end = held.of(step)
    assert rows_of(held.events.iloc[start:end]) == held.expected[step]


def test_every_event_is_there_once_and_in_order(held: Held) -> None:
    """The frame has one row for each event, in the order in which they happened, and no other row."""
    identity = ("event", "chat_id", "message_id", "message_type", "user_id", "timestamp")
    found = [tuple(row[name] for name in identity) for row in rows_of(held.events)]
    assert found == [tuple(row[name] for name in identity) for row in held.rows]


def test_rows_are_the_notifications_of_the_wire(held: Held) -> None:
    """A second session of the account, without any client, got the same events in the same order."""
    assert held.events["event"].tolist() == [EVENT_OF[frame["method"]] for frame in held.frames]


def test_messages_have_the_ids_of_the_wire(held: Held) -> None:
    """Ids and times of all messages are those of the frames."""
    said = held.events[held.events["event"] == "message"]
    heard = [frame["payload"] for frame in held.frames if frame["method"] == "sendMessage"]
    assert said["message_id"].tolist() == [payload["messageId"] for payload in heard]
    assert [row["timestamp"] for row in rows_of(said)] == [payload["timestamp"] for payload in heard]


def test_positions_count_from_one_without_gaps(held: Held) -> None:
    """`seq` is the position of a row."""
    assert held.events["seq"].tolist() == list(range(1, len(held.rows) + 1))


def test_reception_times_never_go_back(held: Held) -> None:
    """Rows were received one after the other, all of them at a time that is given."""
    assert held.events["received"].notna().all()
    assert held.events["received"].is_monotonic_increasing


def test_nothing_was_flawed_unknown_or_doubled(held: Held) -> None:
    """The session counts one event a notification, and none that it could not read."""
    status = held.status
    assert status is not None
    assert (status.received, status.events) == (len(held.frames), len(held.rows))
    assert (status.duplicates, status.unknown, status.undecodable, status.malformed, status.failures) == (0,) * 5


def test_what_happened_elsewhere_is_not_there(held: Held) -> None:
    """Words from a chat of others, and from before and after the robot's stay, are not in the frame."""
    assert held.stage.aside not in set(held.events["chat_id"])
    texts = set(held.events["text"].dropna())
    assert not texts & {"before the robot came", "after the robot left", "see **notes**"}


async def test_messages_delivered_twice_are_there_once(practice: PracticeThread, enter: Enter) -> None:
    """A server that repeats every notification adds no message to the frame."""
    practice.call(lambda server: setattr(server.faults, "deliver_twice", True))
    ann, tc = await enter("ann"), await voices.session(practice, "robot")
    chat_id = (await ann.bot.create_personal_chat("robot")).chat_id
    for number in range(20):
        await ann.bot.send_message(chat_id, f"number {number}")
    last = await ann.bot.send_message(chat_id, "last")
    await voices.until(tc, lambda: (tc.df["message_id"] == last.message_id).any())
    await voices.until(tc, lambda: tc.status().duplicates == 21)
    said = tc.df[tc.df["event"] == "message"]
    assert said["text"].tolist() == [*(f"number {number}" for number in range(20)), "last"]
    await tc.aclose()


async def test_what_was_said_during_a_break_is_there_once(practice: PracticeThread, enter: Enter) -> None:
    """A broken connection loses no message of the official client and doubles none."""
    ann, tc = await enter("ann"), await voices.session(practice, "robot")
    chat_id = (await ann.bot.create_personal_chat("robot")).chat_id
    for number in range(30):
        if number % 10 == 5:
            practice.call(lambda server: server.drop_connections("robot"))
        await ann.bot.send_message(chat_id, f"number {number}")
    await voices.until(tc, lambda: (tc.df["event"] == "message").sum() >= 30)
    await voices.until(tc, lambda: tc.state["state"] == "connected")
    said = tc.df[tc.df["event"] == "message"].sort_values("timestamp", kind="stable")
    assert said["text"].tolist() == [f"number {number}" for number in range(30)]
    await tc.aclose()


async def test_official_client_refuses_the_older_generation() -> None:
    """The official client 1.5 does not start on a 5.5.3 server, so there tcnb speaks in its place."""
    refusal = pytest.raises(RuntimeError, match=r"5\.5\.3.*incompatible")
    with PracticeThread(accounts=ACCOUNTS, generation="5.5.3") as older, refusal:
        await voices.official(older, "ann")
