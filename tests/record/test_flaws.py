"""Whether nothing that a server may send stops the record or vanishes in it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from record_payloads import ALICE, GROUP, RECEIVED, SENT_AT, encode, envelope, text

from tcnb.record.record import Arrival, Counts, Record
from tcnb.record.schema import COLUMNS
from tcnb.wire import notifications
from tcnb.wire.notifications import EVENTS

METHODS = [*EVENTS, "noSuchMethod", ""]

NAMES = [
    *(
        "messageId",
        "chatId",
        "chat",
        "chatTitle",
        "chatType",
        "timestamp",
        "replyMessageId",
        "isEdited",
        "author",
        "id",
    ),
    *("type", "content", "text", "parseMode", "fileId", "name", "size", "mimeType", "latitude", "longitude", "title"),
    *(
        "description",
        "userId",
        "role",
        "addedBy",
        "removedBy",
        "progress",
        "commandSource",
        "commandPayload",
        "message",
    ),
]
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(-1, 210)
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["html", "markdown", "text", "&amp;", "<b>", "a@b/c"])
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES) | st.text(), inner, max_size=6),
    max_leaves=20,
)
MESSAGE_LIKE = st.fixed_dictionaries({}, optional=dict.fromkeys(NAMES, SCALARS | VALUES))


def check(record: Record) -> None:
    """Assert that every column has its type, and that every row can be written as JSON."""
    frame = record.frame()
    for column in COLUMNS:
        dtype = str(frame[column.name].dtype)
        assert dtype in (column.kind.value, "string[pyarrow]" if column.kind.value == "string" else "")
    json.dumps(record.rows(0, 1000), allow_nan=False).encode()
    for view in (record.messages(), record.chats(), record.people()):
        assert "object" not in {str(dtype) for dtype in view.dtypes}


@settings(max_examples=150)
@given(st.lists(st.tuples(st.sampled_from(METHODS), VALUES | MESSAGE_LIKE), max_size=5))
def test_whatever_json_comes_makes_rows(batch: list[tuple[str, Any]]) -> None:
    """Any JSON as a payload, under any method, makes a row of right types or is a duplicate, and never raises."""
    record = Record("robot@x")
    taken = record.extend(Arrival(method, json.dumps(payload).encode(), RECEIVED) for method, payload in batch)
    assert len(record) == sum(seq is not None for seq in taken)
    assert record.counts.received == len(batch)
    check(record)


@settings(max_examples=100)
@given(st.lists(st.tuples(st.sampled_from(METHODS), st.binary(max_size=60)), max_size=5))
def test_whatever_bytes_come_make_rows(batch: list[tuple[str, bytes]]) -> None:
    """Any bytes as a payload make a row each, and never raise."""
    record = Record()
    taken = record.extend(Arrival(method, payload, RECEIVED) for method, payload in batch)
    assert taken == list(range(1, len(batch) + 1))
    check(record)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("timestamp", "2025-12-29"),
        ("timestamp", -1),
        ("timestamp", 10**17),
        ("timestamp", 2**80),
        ("author", ALICE),
        ("author", {"id": 7, "type": "user"}),
        ("type", "200"),
        ("content", "status?"),
        ("content", {"text": 5, "parseMode": "html"}),
        ("isEdited", "no"),
        ("replyMessageId", 3),
        ("chat", ["?"]),
        ("chatId", 9),
        ("messageId", 12),
    ],
)
def test_a_mistyped_field_is_missing_and_the_others_are_kept(name: str, value: Any) -> None:
    """One field of a wrong type or beyond all bounds costs that field alone."""
    good, flawed = Record(), Record()
    payload = envelope({"text": "status?", "parseMode": "html"}, replyMessageId="m-0")
    good.append("sendMessage", encode(payload), RECEIVED)
    flawed.append("sendMessage", encode(payload | {name: value}), RECEIVED)
    right, row = good.rows(0, 1)[0], flawed.rows(0, 1)[0]
    column = {
        "author": {"author_id", "author_type"},
        "type": {"message_type"},
        "content": {"text", "parse_mode"},
        "isEdited": {"is_edited"},
        "replyMessageId": {"reply_to"},
        "chat": {"chat", "chat_type"},
        "messageId": {"message_id"},
    }.get(name, {name})
    differing = {name for name in row if row[name] != right[name]}
    assert differing <= column
    assert all(row[name] is None for name in differing)


def test_whole_numbers_written_as_fractions_are_taken() -> None:
    """A time or a size written as `1767000002000.0` is the number it means."""
    record = Record()
    file = {"name": "a", "size": 12.0, "fileId": "f"}
    record.append("sendMessage", encode(envelope(file, type=202, timestamp=float(SENT_AT))), RECEIVED)
    assert record.rows(0, 1)[0]["timestamp"] == SENT_AT
    assert record.rows(0, 1)[0]["file_size"] == 12


def test_a_text_cut_inside_an_emoji_is_kept() -> None:
    """Half of a surrogate pair, as a server's cut may leave it, becomes a sign of replacement."""
    record = Record()
    payload = text("half X").replace(b"X", b"\\ud83d")
    record.append("sendMessage", payload, RECEIVED)
    assert record.frame()["text"].tolist() == ["half \ufffd"]
    assert record.counts == Counts(received=1, incomplete=1)


def test_names_with_half_an_emoji_do_no_harm() -> None:
    """Titles and display names learned elsewhere may be cut anywhere."""
    record = Record()
    record.learn_chat(GROUP, "crew \ud83d", 2)
    record.learn_person(ALICE, "Alice \ud83d")
    record.append("sendMessage", text(old=True), RECEIVED)
    assert record.frame()[["chat", "author"]].iloc[0].tolist() == ["crew \ufffd", "Alice \ufffd"]
    check(record)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e999"])
def test_numbers_that_are_none_are_missing(number: str) -> None:
    """What Python would read as infinite or not a number does not get into a column."""
    record = Record()
    payload = encode(envelope({"latitude": "X", "longitude": 30.5, "title": 7}, type=203))
    record.append("sendMessage", payload.replace(b'"X"', number.encode()), RECEIVED)
    assert record.rows(0, 1)[0]["latitude"] is None
    assert record.rows(0, 1)[0]["longitude"] == 30.5
    check(record)


@pytest.mark.parametrize("payload", [b"[]", b"7", b'"x"', b"null", b"{", b"\xff", b'{"content":' * 50_000])
def test_a_payload_that_cannot_be_read_is_an_unknown_event(payload: bytes) -> None:
    """What is no JSON object at all makes a row that says so, and is counted."""
    record = Record()
    assert record.append("sendMessage", payload, RECEIVED) == 1
    assert record.frame()["event"].tolist() == ["unknown"]
    assert record.counts == Counts(received=1, undecodable=1)


def test_an_unknown_method_is_an_unknown_event() -> None:
    """A notification by a method of a later version makes a row, and is counted."""
    record = Record()
    assert record.append("pinMessage", encode({"chatId": GROUP}), RECEIVED) == 1
    assert record.rows(0, 1)[0]["event"] == "unknown"
    assert record.counts == Counts(received=1, unknown=1)


@pytest.mark.parametrize("method", [method for method in EVENTS if method != "getFileUploadLimits"])
def test_a_payload_without_its_fields_is_counted(method: str) -> None:
    """A payload that is empty or not there makes a row of its kind, and is counted as incomplete."""
    record = Record()
    assert record.append(method, b"{}", RECEIVED) == 1
    assert record.append(method, b"", RECEIVED) == 2
    assert record.frame()["event"].tolist() == [EVENTS[method]] * 2
    assert record.counts == Counts(received=2, incomplete=2)


def test_a_complete_payload_is_not_counted() -> None:
    """A message with all it needs is neither incomplete nor unknown."""
    record = Record()
    record.append("sendMessage", text(), RECEIVED)
    record.append("sendMessage", text(message_id="m-2", old=True), RECEIVED)
    record.append("getFileUploadLimits", b'{"maxSize": null, "extensions": null}', RECEIVED)
    assert record.counts == Counts(received=3)


def test_payloads_may_come_undecoded_from_a_frame() -> None:
    """The payload of a frame is taken as it stands there."""
    from tcnb.wire.frames import decode

    frame = decode(b'{"type":1,"id":4,"method":"sendMessage","payload":' + text() + b"}")
    record = Record()
    assert record.append(frame.method or "", frame.payload, RECEIVED) == 1
    assert record.frame()["text"].tolist() == ["status?"]


def test_decoding_tells_what_could_be_read() -> None:
    """The fast and the tolerant way say which event it is and whether it is whole."""
    assert notifications.decode("removeChat", b'{"chatId":"c"}') == (
        "removed_chat",
        notifications.ChangedChat(chat_id="c"),
        True,
    )
    assert notifications.decode("removeChat", b'{"chatId":7}') == ("removed_chat", notifications.ChangedChat(), False)
    assert notifications.decode("other", b"{}") == ("unknown", None, False)
