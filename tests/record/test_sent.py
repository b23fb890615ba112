"""Whether what this account does becomes the right rows, since no server tells it."""

from __future__ import annotations

from typing import Any

import pytest
from record_payloads import ALICE, GROUP, ME, RECEIVED, SENT_AT, encode, envelope, text

from tcnb.record.record import Record
from tcnb.types.enums import ParseMode

ANSWER = {"chatId": GROUP, "messageId": "m-9", "timestamp": SENT_AT}


@pytest.fixture
def record() -> Record:
    """A record of our account that knows the chat and our name."""
    record = Record(f"{ME}/7b1e")
    record.learn_chat(GROUP, "Release crew", 2)
    record.learn_person(ME, "Robot")
    return record


def row(record: Record, seq: int) -> dict[str, Any]:
    """Return what stands in a row, without what is missing there."""
    return {name: value for name, value in record.rows(seq - 1, 1)[0].items() if value is not None}


def ours(**values: Any) -> dict[str, Any]:
    """Return what stands in every row of ours, and `values`."""
    return {
        "seq": 1,
        "received": RECEIVED // 1000,
        "timestamp": SENT_AT,
        "direction": "out",
        "chat_id": GROUP,
        "chat": "Release crew",
        "chat_type": "group",
        "author_id": ME,
        "author": "Robot",
        "author_type": "user",
        **values,
    }


def test_a_message_sent_becomes_a_row(record: Record) -> None:
    """A text has its mode, its plain text, and the id and time of the answer."""
    content = {"text": "Build **42** passed", "parseMode": ParseMode.MARKDOWN}
    request = {"chatId": GROUP, "replyMessageId": "m-1", "content": content}
    assert record.append_sent("sendMessage", request, ANSWER, RECEIVED) == 1
    assert row(record, 1) == ours(
        event="message",
        message_id="m-9",
        message_type="plain",
        text="Build 42 passed",
        parse_mode="markdown",
        reply_to="m-1",
        is_edited=False,
    )


def test_a_file_sent_becomes_a_row(record: Record) -> None:
    """A file has its id from the answer and its name, size and type from the caller."""
    request = {"chatId": GROUP, "replyMessageId": None, "content": {"temporalFileId": "t"}}
    file = {"file_name": "plan.pdf", "file_size": 12, "mime_type": "application/pdf"}
    record.append_sent("sendFile", request, ANSWER | {"fileId": "f-1"}, RECEIVED, file=file)
    assert row(record, 1) == ours(
        event="message", message_id="m-9", message_type="attachment", is_edited=False, file_id="f-1", **file
    )
    assert len(record) == 1


def test_a_caption_is_a_message_of_its_own(record: Record) -> None:
    """The caption of a file stands in the row behind it, under its own id."""
    caption = {"text": "Q3 <b>plan</b>", "parseMode": "html"}
    request = {"chatId": GROUP, "content": {"temporalFileId": "t", "caption": caption}}
    answer = ANSWER | {"fileId": "f-1", "captionMessageId": "m-10"}
    assert record.append_sent("sendFile", request, answer, RECEIVED, seq=5) == 5
    assert row(record, 6) == ours(
        seq=6,
        event="message",
        message_id="m-10",
        message_type="plain",
        text="Q3 plan",
        parse_mode="html",
        is_edited=False,
    )


def test_a_survey_sent_becomes_a_row(record: Record) -> None:
    """A survey has its title."""
    request = {"chatId": GROUP, "content": {"path": "p", "title": "Lunch"}}
    record.append_sent("sendSurvey", request, ANSWER, RECEIVED)
    assert row(record, 1) == ours(
        event="message", message_id="m-9", message_type="survey", title="Lunch", is_edited=False
    )


def test_an_edit_finds_its_chat_by_the_message(record: Record) -> None:
    """An edit has the id of the message and the chat in which that message stands."""
    record.append("sendMessage", text(), RECEIVED)
    request = {"messageId": "m-1", "content": {"text": "now", "parseMode": "text"}}
    record.append_sent("editMessage", request, {"messageId": "m-1", "timestamp": SENT_AT}, RECEIVED)
    assert row(record, 2) == ours(seq=2, event="edited_message", message_id="m-1", text="now", parse_mode="text")


def test_an_edit_of_a_message_that_is_not_recorded_has_no_chat(record: Record) -> None:
    """Where the message of an edit is not known, neither is its chat."""
    request = {"messageId": "m-0", "content": {"text": "now", "parseMode": "text"}}
    record.append_sent("editMessage", request, {"messageId": "m-0", "timestamp": SENT_AT}, RECEIVED)
    assert "chat_id" not in row(record, 1)


def test_an_edit_of_a_survey_becomes_a_row(record: Record) -> None:
    """An edited survey is an edited message with its title."""
    request = {"messageId": "m-1", "content": {"title": "Dinner"}}
    record.append_sent("editSurvey", request, {"messageId": "m-1", "timestamp": SENT_AT}, RECEIVED)
    assert record.rows(0, 1)[0]["event"] == "edited_message"
    assert record.rows(0, 1)[0]["title"] == "Dinner"


def test_a_removal_becomes_a_row(record: Record) -> None:
    """A removal has the id of the message and its chat, also where the message waits to be written."""
    for number in range(1500):
        record.append("sendMessage", text(message_id=f"m-{number}"), RECEIVED)
    for message_id in ("m-3", "m-1499"):
        seq = record.append_sent("removeMessage", {"messageId": message_id, "forAll": True}, {}, RECEIVED)
        when = RECEIVED // 1000  # the server gives none
        assert row(record, seq) == ours(seq=seq, event="removed_message", message_id=message_id, timestamp=when)


def test_a_forward_repeats_what_is_forwarded(record: Record) -> None:
    """A forward has the original's author and content, under its own id and in its own chat."""
    original = envelope({"name": "a.pdf", "size": 3, "fileId": "f-1", "mimeType": "x/y"}, type=202, chatId="other")
    record.append("sendMessage", encode(original), RECEIVED)
    record.append_sent("forwardMessage", {"messageId": "m-1", "chatId": GROUP}, ANSWER, RECEIVED)
    assert row(record, 2) == ours(
        seq=2,
        event="message",
        message_id="m-9",
        message_type="forwarded",
        forwarded_from=ALICE,
        is_edited=False,
        file_id="f-1",
        file_name="a.pdf",
        file_size=3,
        mime_type="x/y",
    )


def test_a_forward_of_a_message_that_is_not_recorded_says_little(record: Record) -> None:
    """Where the original is not known, the forward has no text and no author of the original."""
    record.append_sent("forwardMessage", {"messageId": "m-0", "chatId": GROUP}, ANSWER, RECEIVED)
    assert row(record, 1) == ours(event="message", message_id="m-9", message_type="forwarded", is_edited=False)


def test_the_echo_of_a_message_of_ours_is_a_duplicate(record: Record) -> None:
    """Another session's notification of what we sent adds no row."""
    request = {"chatId": GROUP, "content": {"text": "hi", "parseMode": "text"}}
    record.append_sent("sendMessage", request, ANSWER, RECEIVED)
    echo = text("hi", message_id="m-9", author={"id": ME, "type": 1})
    assert record.append("sendMessage", echo, RECEIVED) is None
    assert record.counts.duplicates == 1


def test_an_echo_before_the_answer_is_the_row(record: Record) -> None:
    """Where the notification came first, the answer adds no row and points to that one."""
    record.append("removeChat", encode({"chatId": "x"}), RECEIVED)
    record.append("sendMessage", text("hi", message_id="m-9", author={"id": ME, "type": 1}), RECEIVED)
    request = {"chatId": GROUP, "content": {"text": "hi", "parseMode": "text"}}
    assert record.append_sent("sendMessage", request, ANSWER, RECEIVED) == 2
    assert len(record) == 2


def test_other_requests_are_refused(record: Record) -> None:
    """A request that is not among those recorded is an error of the caller."""
    with pytest.raises(ValueError, match="getChats"):
        record.append_sent("getChats", {}, {}, RECEIVED)


def test_an_answer_without_its_fields_still_makes_a_row(record: Record) -> None:
    """An answer that says nothing, and a request with odd values, make a row of what is known."""
    file = {"file_name": 7, "file_size": 2**70, "mime_type": None}
    record.append_sent("sendFile", {"chatId": GROUP, "content": "?"}, {"timestamp": "?"}, RECEIVED, file=file)
    record.append_sent("sendMessage", {"content": {"text": "half \ud83d"}}, {}, RECEIVED)
    assert record.frame()["file_name"].isna().all()
    assert record.frame()["text"].iloc[1] == "half \ufffd"
    assert record.counts.sent == 2
