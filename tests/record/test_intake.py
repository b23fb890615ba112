"""Whether every notification becomes the right row, in both generations of the wire."""

from __future__ import annotations

from typing import Any

import pytest
from record_payloads import ALICE, BOB, GROUP, ME, RECEIVED, SENT_AT, encode, envelope, text

from tcnb.record.record import Arrival, Record
from tcnb.record.schema import EVENT_NAMES
from tcnb.wire.notifications import EVENTS


def row_of(method: str, payload: bytes, record: Record | None = None) -> dict[str, Any]:
    """Return what stands in the row of a notification, without what is missing there, `seq` and `received`."""
    record = Record(ME) if record is None else record
    record.append(method, payload, RECEIVED)
    row = record.rows(len(record) - 1, 1)[0]
    return {name: value for name, value in row.items() if value is not None and name not in ("seq", "received")}


def said(**values: Any) -> dict[str, Any]:
    """Return what stands in the row of a message of Alice's, with `values` for what differs."""
    common = {
        "timestamp": SENT_AT,
        "event": "message",
        "direction": "in",
        "chat_id": GROUP,
        "chat": "Release crew",
        "chat_type": "group",
        "message_id": "m-1",
        "author_id": ALICE,
        "author_type": "user",
        "is_edited": False,
    }
    return {name: value for name, value in (common | values).items() if value is not None}


FILE = {"name": "plan.pdf", "size": 48213, "fileId": "f-1", "mimeType": "application/pdf", "readyState": 2}
FILE_COLUMNS = {"file_id": "f-1", "file_name": "plan.pdf", "file_size": 48213, "mime_type": "application/pdf"}
ORIGINAL = {
    "messageId": "m-0",
    "chatId": "elsewhere",
    "timestamp": 1_766_990_000_000,
    "author": {"id": f"{BOB}/7b1e", "type": 1},
    "type": 200,
    "content": {"text": "see <b>notes</b>", "parseMode": "html"},
}

MESSAGES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "plain": (
        envelope({"text": "all <b>green</b> &amp; well", "parseMode": "html"}, replyMessageId="m-0"),
        said(message_type="plain", text="all green & well", parse_mode="html", reply_to="m-0"),
    ),
    "plain, edited": (
        envelope({"text": "a_b", "parseMode": "text"}, isEdited=True),
        said(message_type="plain", text="a_b", parse_mode="text", is_edited=True),
    ),
    "forwarded": (
        envelope(ORIGINAL, type=201),
        said(message_type="forwarded", text="see notes", parse_mode="html", forwarded_from=BOB),
    ),
    "forwarded twice": (
        envelope({**ORIGINAL, "type": 201, "author": {"id": ALICE, "type": 1}, "content": ORIGINAL}, type=201),
        said(message_type="forwarded", text="see notes", parse_mode="html", forwarded_from=BOB),
    ),
    "forwarded, flat": (
        envelope({"text": "see notes", "parseMode": "text"}, type=201),
        said(message_type="forwarded", text="see notes", parse_mode="text"),
    ),
    "forwarded again, as servers send it": (
        envelope({**ORIGINAL, "type": 201, "content": ORIGINAL["content"]}, type=201),
        said(message_type="forwarded", text="see notes", parse_mode="html", forwarded_from=BOB),
    ),
    "forwarded file": (
        envelope({**ORIGINAL, "type": 202, "content": FILE}, type=201),
        said(message_type="forwarded", forwarded_from=BOB, **FILE_COLUMNS),
    ),
    "attachment": (envelope(FILE, type=202), said(message_type="attachment", **FILE_COLUMNS)),
    "attachment, on its way": (
        envelope({"name": "plan.pdf", "size": 48213}, type=202),
        said(message_type="attachment", file_name="plan.pdf", file_size=48213),
    ),
    "attachment, old id": (
        envelope({"name": "plan.pdf", "size": 1, "infoHash": "aa11"}, type=202),
        said(message_type="attachment", file_name="plan.pdf", file_size=1, file_id="aa11"),
    ),
    "location": (
        envelope({"latitude": 59.93, "longitude": 30, "title": "Office"}, type=203),
        said(message_type="location", latitude=59.93, longitude=30.0, title="Office"),
    ),
    "location, described": (
        envelope({"latitude": 59.93, "longitude": 30.31, "description": "Office"}, type=203),
        said(message_type="location", latitude=59.93, longitude=30.31, title="Office"),
    ),
    "survey": (
        envelope({"url": "https://x/s", "title": "Lunch", "description": "{{Survey}}", "path": "p"}, type=204),
        said(message_type="survey", title="Lunch"),
    ),
    "voice": (
        envelope({"fileId": "f-1", "size": 20480, "mimeType": "audio/ogg", "duration": 7}, type=205),
        said(message_type="voice", file_id="f-1", file_size=20480, mime_type="audio/ogg"),
    ),
    "participant added": (
        envelope({"userId": BOB, "role": "user"}, type=1, author={"id": "trueconf.server", "type": 0}),
        said(
            message_type="add_participant", user_id=BOB, role="user", author_id="trueconf.server", author_type="system"
        ),
    ),
    "participant removed": (
        envelope({"userId": f"{BOB}/x"}, type=2),
        said(message_type="remove_participant", user_id=BOB),
    ),
    "title changed": (envelope({"title": "New"}, type=21), said(message_type="edit_chat_title", title="New")),
    "avatar changed": (envelope({"avatarUrl": None}, type=22), said(message_type="edit_chat_avatar")),
    "history cleared": (envelope({"forAll": True}, type=23), said(message_type="clear_chat_history")),
    "participant role": (
        envelope({"userId": BOB, "role": 1}, type=110),
        said(message_type="participant_role", user_id=BOB, role="admin"),
    ),
    "of a type nobody knows yet": (
        envelope({"text": "?", "novelty": [1]}, type=777),
        said(message_type="777", text="?"),
    ),
    "by an author of a kind nobody knows yet": (
        envelope({"text": "?"}, author={"id": ALICE, "type": 5}),
        said(message_type="plain", text="?", author_type="5"),
    ),
    "by ourselves, from another session": (
        envelope({"text": "?"}, author={"id": "Robot@video.example.com/other", "type": 1}),
        said(message_type="plain", text="?", author_id="Robot@video.example.com", direction="out"),
    ),
    "with the original inline": (
        envelope({"text": "yes"}, replyMessageId="m-0", replyMessage=envelope({"text": "no"}, message_id="m-0")),
        said(message_type="plain", text="yes", reply_to="m-0"),
    ),
    "with extra fields": (
        envelope({"text": "yes", "buttons": [[{"type": "copy"}]]}, novelty={"a": [1, 2]}),
        said(message_type="plain", text="yes"),
    ),
    "without its flat chat": (
        {name: value for name, value in envelope({"text": "yes"}).items() if name != "chatId"},
        said(message_type="plain", text="yes"),
    ),
    "in the favorites": (
        envelope({"text": "yes"}, chat={"chatId": GROUP, "chatTitle": None, "chatType": 5}),
        said(message_type="plain", text="yes", chat=None, chat_type="favorites"),
    ),
}


@pytest.mark.parametrize("kind", MESSAGES)
def test_a_message_becomes_the_right_row(kind: str) -> None:
    """A message of the newer generation has every value that the server says, and no other."""
    payload, expected = MESSAGES[kind]
    assert row_of("sendMessage", encode(payload)) == expected


@pytest.mark.parametrize("kind", [kind for kind, (payload, _) in MESSAGES.items() if "chatId" in payload])
def test_a_message_of_the_older_generation_becomes_the_right_row(kind: str) -> None:
    """A flat message has the title and type of its chat from what was learned before."""
    payload, expected = MESSAGES[kind]
    payload = {name: value for name, value in payload.items() if name not in ("chat", "replyMessage")}
    record = Record(ME)
    record.learn_chat(GROUP, expected.get("chat"), 2 if expected["chat_type"] == "group" else 5)
    assert row_of("sendMessage", encode(payload), record) == expected


def test_a_message_of_the_older_generation_in_a_chat_nobody_named_has_no_title() -> None:
    """Where the title and the type of a chat are not known, they are missing."""
    expected = said(message_type="plain", text="status?", parse_mode="html", chat=None, chat_type=None)
    assert row_of("sendMessage", text(old=True)) == expected


EVENT = {"direction": "in", "chat_id": GROUP}
BY_ALICE = {"author_id": ALICE, "author_type": "user"}
OTHERS: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    (
        "editMessage",
        {"timestamp": SENT_AT, "chatId": GROUP, "content": {"text": "<i>all</i> green", "parseMode": "html"}},
        EVENT | {"timestamp": SENT_AT, "text": "all green", "parse_mode": "html"},
    ),
    (
        "editMessage",
        {"timestamp": SENT_AT, "chatId": GROUP, "messageId": "m-1", "content": {"title": "Lunch"}},
        EVENT | {"timestamp": SENT_AT, "message_id": "m-1", "title": "Lunch"},
    ),
    (
        "removeMessage",
        {"chatId": GROUP, "messageId": "m-1", "removedBy": {"id": f"{ALICE}/a", "type": 1}},
        EVENT | BY_ALICE | {"message_id": "m-1", "timestamp": RECEIVED // 1000},
    ),
    (
        "removeMessage",
        {"chatId": GROUP, "messageId": "m-1"},
        EVENT | {"message_id": "m-1", "timestamp": RECEIVED // 1000},
    ),
    (
        "addChatParticipant",
        {"timestamp": SENT_AT, "chatId": GROUP, "userId": BOB, "addedBy": {"id": ALICE, "type": 1}},
        EVENT | BY_ALICE | {"timestamp": SENT_AT, "user_id": BOB},
    ),
    (
        "removeChatParticipant",
        {"timestamp": SENT_AT, "chatId": GROUP, "userId": BOB, "removedBy": {"id": ALICE, "type": 1}},
        EVENT | BY_ALICE | {"timestamp": SENT_AT, "user_id": BOB},
    ),
    (
        "changeParticipantRole",
        {"timestamp": SENT_AT, "chatId": GROUP, "userId": BOB, "role": "admin"},
        EVENT | {"timestamp": SENT_AT, "user_id": BOB, "role": "admin"},
    ),
    (
        "createP2PChat",
        {"chatId": GROUP, "title": ALICE, "chatType": 1, "lastMessage": ORIGINAL, "unreadMessages": 1},
        EVENT | {"chat": ALICE, "chat_type": "p2p", "title": ALICE},
    ),
    (
        "createGroupChat",
        {"chatId": GROUP, "title": "Crew", "chatType": 2, "lastMessage": None, "unreadMessages": 0},
        EVENT | {"chat": "Crew", "chat_type": "group", "title": "Crew"},
    ),
    (
        "createChannel",
        {"chatId": GROUP, "title": "News", "chatType": 6},
        EVENT | {"chat": "News", "chat_type": "channel", "title": "News"},
    ),
    ("createFavoritesChat", {"chatId": GROUP, "title": None, "chatType": 5}, EVENT | {"chat_type": "favorites"}),
    ("removeChat", {"chatId": GROUP}, EVENT),
    ("editChatTitle", {"chatId": GROUP, "title": "New"}, EVENT | {"chat": "New", "title": "New"}),
    ("editChatAvatar", {"chatId": GROUP, "avatarUrl": None}, EVENT),
    ("clearHistory", {"chatId": GROUP, "forAll": "true"}, EVENT),
    ("getFileUploadLimits", {"maxSize": None, "extensions": None}, {"direction": "in"}),
    (
        "uploadFileProgress",
        {"fileId": "f-1", "progress": 16384},
        {"direction": "in", "file_id": "f-1", "progress": 16384},
    ),
    (
        "command",
        {
            "commandSource": {
                "type": "inlineKeyboard",
                "message": envelope({"text": "Deploy?"}, author={"id": ME, "type": 1}),
            },
            "commandPayload": {"type": "userCommand", "command": "/approve", "customData": ""},
        },
        EVENT | {"chat": "Release crew", "chat_type": "group", "message_id": "m-1", "text": "/approve"},
    ),
    (
        "command",
        {"commandPayload": {"type": "userCommand", "command": "/approve"}, "commandSource": {"type": "inlineKeyboard"}},
        {"direction": "in", "text": "/approve"},
    ),
    (
        "command",
        {"commandSource": {"message": envelope({"text": "?"}, old=True)}, "commandPayload": {"command": "/go"}},
        EVENT | {"message_id": "m-1", "text": "/go"},
    ),
]


@pytest.mark.parametrize(("method", "payload", "expected"), OTHERS)
def test_another_notification_becomes_the_right_row(
    method: str, payload: dict[str, Any], expected: dict[str, Any]
) -> None:
    """A notification other than a message has every value that the server says, and no other."""
    assert row_of(method, encode(payload)) == expected | {"event": EVENTS[method]}


def test_every_notification_is_tried_here() -> None:
    """The seventeen notifications of the protocol are all known, and all among these tests."""
    assert {method for method, _, _ in OTHERS} | {"sendMessage"} == set(EVENTS)
    assert len(EVENTS) == 17
    assert set(EVENTS.values()) | {"unknown"} == set(EVENT_NAMES)


def test_rows_are_numbered_from_one() -> None:
    """Without positions of a journal, rows count 1, 2, 3."""
    record = Record()
    assert [record.append("removeChat", encode({"chatId": "c"}), RECEIVED) for _ in range(3)] == [1, 2, 3]
    assert record.last_seq == 3
    assert len(record) == 3


def test_positions_of_a_journal_are_kept() -> None:
    """Positions that are given stand in `seq`, and what comes without one follows them."""
    record = Record()
    batch = [("removeChat", encode({"chatId": "c"}), RECEIVED)] * 2
    assert [record.append(*arrival, seq=seq) for arrival, seq in zip(batch, (7, 9), strict=True)] == [7, 9]
    assert record.append(*batch[0], seq=20) == 20
    assert record.append(*batch[0]) == 21
    assert record.frame()["seq"].tolist() == [7, 9, 20, 21]


def test_a_position_that_does_not_ascend_is_refused() -> None:
    """A position at or below the last one is an error, and adds nothing."""
    record = Record()
    record.append("removeChat", encode({"chatId": "c"}), RECEIVED, seq=5)
    with pytest.raises(ValueError, match="not above"):
        record.append("removeChat", encode({"chatId": "c"}), RECEIVED, seq=5)
    assert len(record) == 1


def test_the_time_of_reception_is_kept_to_the_microsecond() -> None:
    """`received` has the microseconds that it was given."""
    record = Record()
    record.append("sendMessage", text(), RECEIVED)
    assert record.frame()["received"].iloc[0].isoformat() == "2025-12-29T09:20:02.345678+00:00"


def test_a_message_is_taken_once() -> None:
    """A message that is sent again after a reconnection adds no row and is counted."""
    record = Record()
    assert record.append("sendMessage", text(), RECEIVED) == 1
    assert record.append("sendMessage", text("other"), RECEIVED) is None
    assert record.append("sendMessage", text(message_id="m-2"), RECEIVED) == 2
    assert record.counts.duplicates == 1
    assert record.counts.received == 3
    assert record.frame()["text"].tolist() == ["status?", "status?"]


def test_duplicates_are_found_among_many_messages() -> None:
    """Of many messages sent twice, in batches, each is there once."""
    record = Record()
    batch = [Arrival("sendMessage", text(message_id=f"m-{number}"), RECEIVED) for number in range(5000)]
    assert record.extend(batch) == list(range(1, 5001))
    assert record.extend(batch) == [None] * 5000
    assert record.frame()["message_id"].is_unique


def test_messages_without_an_id_are_all_kept() -> None:
    """Messages that say no id cannot be compared, so none of them is dropped."""
    record = Record()
    payload = text(message_id=None)
    assert [record.append("sendMessage", payload, RECEIVED) for _ in range(2)] == [1, 2]
    assert record.counts.incomplete == 2


def test_only_messages_are_compared() -> None:
    """The removal of a message and a press of its button are not duplicates of it."""
    record = Record()
    record.append("sendMessage", text(), RECEIVED)
    assert record.append("removeMessage", encode({"chatId": GROUP, "messageId": "m-1"}), RECEIVED) == 2
    assert record.append("sendMessage", text(), RECEIVED) is None


def test_the_title_is_that_of_the_moment() -> None:
    """A new title stands in the rows from then on, and those before keep theirs."""
    record = Record()
    record.append("sendMessage", text(), RECEIVED)
    record.append("editChatTitle", encode({"chatId": GROUP, "title": "New crew"}), RECEIVED)
    record.append("sendMessage", text(message_id="m-2", old=True), RECEIVED)
    renamed = {"chatId": GROUP, "chatTitle": "Newest crew", "chatType": 2}
    record.append("sendMessage", text(message_id="m-3", chat=renamed), RECEIVED)
    record.learn_chat(GROUP, "Last crew", None)
    record.append("sendMessage", text(message_id="m-4", old=True), RECEIVED)
    assert record.frame()["chat"].tolist() == ["Release crew", "New crew", "New crew", "Newest crew", "Last crew"]
    assert set(record.frame()["chat_type"]) == {"group"}


def test_a_display_name_stands_in_all_rows_once_it_was_learned() -> None:
    """The author's name is missing until it is known, whatever the case and resource of the id; then it is there."""
    record = Record()
    record.append("sendMessage", text(), RECEIVED)
    record.learn_person("Alice@Video.example.com/x", "Alice Doe")
    record.append("sendMessage", text(message_id="m-2", author={"id": f"{ALICE}/7b1e", "type": 1}), RECEIVED)
    authors = record.frame()[["author_id", "author"]]
    assert authors["author_id"].tolist() == [ALICE, ALICE]
    assert authors["author"].tolist() == ["Alice Doe", "Alice Doe"]
    assert authors["author"].iloc[1] == "Alice Doe"


def test_people_without_a_name_are_told_once() -> None:
    """Users whose names are not known are told once after each of their doings, and the system never."""
    record = Record()
    record.append("sendMessage", text(), RECEIVED)
    record.append("sendMessage", text(message_id="m-2", author={"id": "trueconf.server", "type": 0}), RECEIVED)
    removal = {"chatId": GROUP, "messageId": "m-1", "removedBy": {"id": BOB, "type": 1}}
    record.append("removeMessage", encode(removal), RECEIVED)
    assert record.people_without_name() == [ALICE, BOB]
    assert record.people_without_name() == []
    record.append("sendMessage", text(message_id="m-3"), RECEIVED)
    record.learn_person(ALICE, "Alice Doe")
    record.append("removeMessage", encode(removal), RECEIVED)
    assert record.people_without_name() == [BOB]


def test_whose_account_it_is_may_be_learned_later() -> None:
    """Messages by this account have the direction `out` from when its id is known."""
    record = Record()
    mine = {"id": f"{ME}/1", "type": 1}
    record.append("sendMessage", text(author=mine), RECEIVED)
    record.me = f"{ME}/2"
    record.append("sendMessage", text(message_id="m-2", author=mine), RECEIVED)
    assert record.me == ME
    assert record.frame()["direction"].tolist() == ["in", "out"]
