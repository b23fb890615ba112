"""Whether messages, chats and people are what the events make of them."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from record_payloads import ALICE, BOB, GROUP, ME, RECEIVED, SENT_AT, encode, text

from tcnb.record.record import Record


@pytest.fixture
def record() -> Record:
    """A record of three messages."""
    record = Record(ME)
    record.append("sendMessage", text("one", message_id="m-1"), RECEIVED)
    record.append("sendMessage", text("two", message_id="m-2", author={"id": BOB, "type": 1}), RECEIVED)
    request = {"chatId": GROUP, "content": {"text": "three", "parseMode": "text"}}
    record.append_sent("sendMessage", request, {"messageId": "m-3", "timestamp": SENT_AT + 60_000}, RECEIVED)
    return record


def moment(milliseconds: int) -> pd.Timestamp:
    """Return a time of the wire as pandas has it."""
    return pd.Timestamp(milliseconds, unit="ms", tz="UTC")


def edit(record: Record, message_id: str | None, said: str, at: int = SENT_AT + 1000) -> None:
    """Take in an edit by somebody else; the servers known name no message."""
    payload: dict[str, Any] = {"timestamp": at, "chatId": GROUP, "content": {"text": said, "parseMode": "text"}}
    record.append("editMessage", encode(payload | ({"messageId": message_id} if message_id else {})), RECEIVED)


def by_id(frame: pd.DataFrame) -> dict[str, dict[str, Any]]:
    """Return the rows of a frame by the first of its columns."""
    return {row[frame.columns[0]]: row for row in frame.to_dict("records")}


def test_messages_are_one_row_each(record: Record) -> None:
    """Every message has its row, in the order of the events; other events have none."""
    record.append("removeChat", encode({"chatId": "c"}), RECEIVED)
    messages = record.messages()
    assert messages["message_id"].tolist() == ["m-1", "m-2", "m-3"]
    assert messages["text"].tolist() == ["one", "two", "three"]
    assert messages["author_id"].tolist() == [ALICE, BOB, ME]
    assert messages["edits"].tolist() == [0, 0, 0]
    assert messages["removed"].tolist() == [False, False, False]
    assert messages[["edited_at", "removed_at"]].isna().all().all()


def test_an_edit_of_our_own_is_applied(record: Record) -> None:
    """A message that we edited has its newest text, the number of edits and the time of the last."""
    for number, said in enumerate(["3", "III"], start=1):
        request = {"messageId": "m-3", "content": {"text": said, "parseMode": "text"}}
        record.append_sent("editMessage", request, {"timestamp": SENT_AT + number * 1000}, RECEIVED)
    message = by_id(record.messages())["m-3"]
    assert message["text"] == "III"
    assert message["edits"] == 2
    assert message["edited_at"] == moment(SENT_AT + 2000)


def test_an_edit_that_names_its_message_is_applied(record: Record) -> None:
    """A server that says which message was edited is believed."""
    edit(record, "m-2", "zwei")
    edit(record, "m-0", "of a message that is not recorded")
    assert record.messages()["text"].tolist() == ["one", "zwei", "three"]
    assert record.messages()["edits"].tolist() == [0, 1, 0]


def test_an_edit_that_names_no_message_is_not_guessed(record: Record) -> None:
    """Where the server does not say what was edited, no message changes; the event stays in the event frame."""
    edit(record, None, "which?")
    assert record.messages()["text"].tolist() == ["one", "two", "three"]
    assert record.messages()["edits"].tolist() == [0, 0, 0]
    assert record.frame()["text"].iloc[-1] == "which?"


def test_a_message_read_after_its_edit_keeps_its_text(record: Record) -> None:
    """A message that came from the history after its edit has the new text already."""
    edit(record, "m-0", "older than what follows")
    record.append("sendMessage", text("as the history says", message_id="m-0", isEdited=True), RECEIVED)
    message = by_id(record.messages())["m-0"]
    assert message["text"] == "as the history says"
    assert message["edits"] == 1


def test_an_edit_without_a_text_changes_none(record: Record) -> None:
    """An edited survey says no text, so the text stays what it was."""
    record.append_sent("editSurvey", {"messageId": "m-3", "content": {"title": "x"}}, {"timestamp": SENT_AT}, RECEIVED)
    message = by_id(record.messages())["m-3"]
    assert message["text"] == "three"
    assert message["edits"] == 1


def test_an_edit_without_a_time_has_that_of_its_reception(record: Record) -> None:
    """Where the server does not say when, the time of reception stands in."""
    record.append_sent("editMessage", {"messageId": "m-3", "content": {"text": "3"}}, {}, RECEIVED)
    assert by_id(record.messages())["m-3"]["edited_at"] == pd.Timestamp(RECEIVED, unit="us", tz="UTC")


def test_messages_stand_in_the_order_in_which_they_were_written(record: Record) -> None:
    """What was read from the past of a chat stands before what came live; those of one moment stay as they came."""
    for message_id in ("m-8", "m-9"):
        record.append("sendMessage", text("old", message_id=message_id, timestamp=SENT_AT - 60_000), RECEIVED + 1)
    edit(record, "m-9", "edited")
    record.append("removeMessage", encode({"chatId": GROUP, "messageId": "m-2"}), RECEIVED + 2)
    messages = record.messages()
    assert messages["message_id"].tolist() == ["m-8", "m-9", "m-1", "m-2", "m-3"]
    assert messages["text"].tolist() == ["old", "edited", "one", "two", "three"]
    assert messages["removed"].tolist() == [False, False, False, True, False]
    assert messages.index.tolist() == [0, 1, 2, 3, 4]


def test_a_removal_is_applied(record: Record) -> None:
    """A removed message is still there, marked, with the time at which its removal was received."""
    record.append("removeMessage", encode({"chatId": GROUP, "messageId": "m-1"}), RECEIVED + 5)
    record.append("removeMessage", encode({"chatId": GROUP, "messageId": "m-1"}), RECEIVED + 9)
    record.append("removeMessage", encode({"chatId": GROUP}), RECEIVED + 5)
    record.append_sent("removeMessage", {"messageId": "m-3"}, {}, RECEIVED + 7)
    messages = record.messages()
    assert messages["removed"].tolist() == [True, False, True]
    assert messages["text"].tolist() == ["one", "two", "three"]
    assert messages["removed_at"].iloc[0] == pd.Timestamp(RECEIVED + 5, unit="us", tz="UTC")
    assert messages["removed_at"].isna().tolist() == [False, True, False]


def test_messages_have_the_names_known_now(record: Record) -> None:
    """Titles and display names learned later stand beside messages that came before."""
    record.learn_chat(GROUP, "New crew", None)
    record.learn_person(ALICE.upper(), "Alice Doe")
    messages = record.messages()
    assert set(messages["chat"]) == {"New crew"}
    assert messages["author"].tolist()[0] == "Alice Doe"
    assert messages["author"].isna().tolist() == [False, True, True]


def test_chats_are_counted(record: Record) -> None:
    """A chat has its messages, the people who wrote them, and the first and the last of their times."""
    system = {"id": "trueconf.server", "type": 0}
    record.append("sendMessage", text(message_id="m-4", type=1, author=system, timestamp=1), RECEIVED)
    chat = by_id(record.chats())[GROUP]
    assert chat["chat"] == "Release crew"
    assert chat["chat_type"] == "group"
    assert chat["messages"] == 3
    assert chat["people"] == 3
    assert chat["first"] == moment(SENT_AT)
    assert chat["last"] == moment(SENT_AT + 60_000)


def test_case_of_an_id_does_not_make_two_people(record: Record) -> None:
    """Whoever is named in another case is one person, with everything that they wrote, and counts once in a chat."""
    for number, user_id in enumerate([BOB.upper(), BOB]):
        record.append("sendMessage", text(message_id=f"m-{4 + number}", author={"id": user_id, "type": 1}), RECEIVED)
    people = record.people().set_index("author_id")
    assert people["messages"].to_dict() == {ALICE: 1, BOB: 3, ME: 1}
    assert record.chats()["people"].tolist() == [3]


def test_messages_of_the_system_can_be_told_from_those_of_people(record: Record) -> None:
    """Counting the messages of users by chat gives what the chats say, also for what this account wrote itself."""
    system = {"id": "trueconf.server", "type": 0}
    record.append("sendMessage", text(message_id="m-4", type=1, author=system, timestamp=1), RECEIVED)
    messages = record.messages()
    assert messages["author_type"].tolist() == ["system", "user", "user", "user"]
    counts = messages[messages["author_type"] == "user"].groupby("chat_id", observed=True).size()
    assert counts.to_dict() == record.chats().set_index("chat_id")["messages"].to_dict() == {GROUP: 3}


def test_chats_that_are_only_known_are_listed_last(record: Record) -> None:
    """The latest chat comes first, and chats without messages come last with nothing counted."""
    record.learn_chat("quiet", "Quiet", 6)
    record.append("createGroupChat", encode({"chatId": "new", "title": "New", "chatType": 2}), RECEIVED)
    later = text(message_id="m-5", chatId="late", timestamp=SENT_AT + 90_000, old=True)
    record.append("sendMessage", later, RECEIVED)
    chats = record.chats()
    assert chats["chat_id"].tolist()[:2] == ["late", GROUP]
    assert set(chats["chat_id"].tolist()[2:]) == {"new", "quiet"}
    quiet = by_id(chats)["quiet"]
    assert (quiet["chat"], quiet["chat_type"], quiet["messages"], quiet["people"]) == ("Quiet", "channel", 0, 0)
    assert quiet["first"] is pd.NaT


def test_people_are_counted(record: Record) -> None:
    """A person has a name, messages, chats, and the first and the last of the times; the system is nobody."""
    record.learn_person(ALICE, "Alice Doe")
    record.learn_person("carol@video.example.com", "Carol")
    record.append("sendMessage", text(message_id="m-4", chatId="late", timestamp=SENT_AT + 90_000, old=True), RECEIVED)
    system = {"id": "trueconf.server", "type": 0}
    record.append("sendMessage", text(message_id="m-6", type=1, author=system), RECEIVED)
    people = record.people()
    assert people["author_id"].tolist() == [ALICE, ME, BOB, "carol@video.example.com"]
    alice = by_id(people)[ALICE]
    assert (alice["author"], alice["messages"], alice["chats"]) == ("Alice Doe", 2, 2)
    assert (alice["first"], alice["last"]) == (moment(SENT_AT), moment(SENT_AT + 90_000))
    carol = by_id(people)["carol@video.example.com"]
    assert (carol["author"], carol["messages"], carol["chats"]) == ("Carol", 0, 0)


def test_views_of_a_long_record_agree_with_its_events() -> None:
    """Over thousands of messages with edits and removals, every count is that of the events."""
    record = Record(ME)
    for number in range(4000):
        author = {"id": f"person{number % 7}@x", "type": 1}
        record.append(
            "sendMessage", text(message_id=f"m-{number}", author=author, chatId=f"c{number % 3}", old=True), 1
        )
        if number % 10 == 0:
            edit(record, f"m-{number}", f"edited {number}")
        if number % 25 == 0:
            record.append("removeMessage", encode({"messageId": f"m-{number}", "chatId": "c"}), 2)
    messages = record.messages()
    assert len(messages) == 4000
    assert messages["edits"].sum() == 400
    assert messages["removed"].sum() == 160
    assert messages.loc[messages["edits"] == 1, "text"].str.startswith("edited ").all()
    assert record.chats()["messages"].sum() == 4000
    assert record.chats()["people"].tolist() == [7, 7, 7, 0, 0]
    assert record.people()["messages"].sum() == 4000
    assert record.people()["chats"].tolist() == [3] * 7
