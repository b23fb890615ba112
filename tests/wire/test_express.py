"""The short way from a text to a frame: whatever it reads, the long way reads alike, and it leaves the rest alone."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tcnb.wire import fast_path, frames, notifications
from tcnb.wire.notifications import Envelope, PlainMessage

MESSAGE: dict[str, Any] = {
    "messageId": "9a1d3b2c-0c7b-4a0f-8d57-7c1d5a0e6f22",
    "chatId": "3f9c",
    "chat": {"chatId": "3f9c", "chatTitle": "Команда", "chatType": 2},
    "timestamp": 1767000002000,
    "replyMessageId": None,
    "isEdited": False,
    "author": {"id": "bob@video.example.com", "type": 1},
    "box": {"id": 216, "position": "0"},
    "type": 200,
    "content": {"text": 'all <b>green</b> "\\ \U0001f600', "parseMode": "html"},
}


def payload(**changed: Any) -> bytes:
    """Return a plain message as servers write it, with some fields changed or, where they are `...`, left out."""
    said = {name: value for name, value in {**MESSAGE, **changed}.items() if value is not ...}
    return json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode()


def text(content: bytes, id: bytes = b"57") -> bytes:
    """Return the text of a frame."""
    return b'{"method":"sendMessage","type":1,"id":%b,"payload":%b}' % (id, content)


def said(part: Any) -> list[Any]:
    """Return all that is kept of a message."""
    chat, author, content = part.chat, part.author, part.content
    return [
        *(part.message_id, part.timestamp, part.type, part.chat_id, part.reply_message_id, part.is_edited),
        *((chat.chat_id, chat.chat_title, chat.chat_type) if chat is not None else ()),
        *(author.id, author.type, content.text, content.parse_mode),
    ]


def check(whole: bytes) -> bool:
    """See that both ways read a text alike, if the short one reads it; returns whether it does."""
    short = fast_path.read(whole)
    if short is None:
        return False
    long = frames.decode(whole)
    assert (short.type, short.id, short.method) == (long.type, long.id, long.method)
    assert bytes(short.payload) == bytes(long.payload)
    assert short.content() == long.content() == json.loads(whole)["payload"]
    event, part, is_whole = notifications.decode("sendMessage", long.payload)
    assert (event, is_whole) == (short.told[0], short.told[2]) == ("message", True)
    assert isinstance(short.told[1], PlainMessage)
    assert isinstance(part, Envelope)
    assert said(short.told[1]) == said(part)
    return True


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"chat": ...},
        {"chatId": ...},
        {"chatId": None},
        {"box": ..., "isEdited": ..., "replyMessageId": ...},
        {"replyMessageId": "m-1", "isEdited": True},
        {"content": {"text": "", "parseMode": "text"}},
        {"content": {}},
        {"timestamp": 0},
    ],
)
def test_plain_messages_are_read(changed):
    """A plain message of either generation is read the short way, with the same content."""
    assert check(text(payload(**changed)))


@pytest.mark.parametrize("id", [b"0", b"1", b"4294967295"])
def test_every_id_is_read(id):
    """Ids up to the highest are read."""
    assert check(text(payload(), id))


@pytest.mark.parametrize(
    "whole",
    {
        "another type": text(payload(type=202)),
        "a field nobody knows": text(payload(novelty=1)),
        "an inner field nobody knows": text(payload(content={"text": "a", "buttons": [[]]})),
        "the original inline": text(payload(replyMessage=MESSAGE)),
        "no id": text(payload(messageId=...)),
        "no author": text(payload(author=...)),
        "no chat at all": text(payload(chat=..., chatId=...)),
        "a chat without an id": text(payload(chatId=..., chat={"chatTitle": "x"})),
        "a mistyped field": text(payload(timestamp="1767000002000")),
        "a time before 1970": text(payload(timestamp=-1)),
        "half of a surrogate pair": text(payload().replace("\U0001f600".encode(), rb"\ud83d")),
        "no UTF-8": text(payload().replace("Команда".encode(), b"\xff")),
        "an id with a zero before it": text(payload(), b"057"),
        "an id with a sign": text(payload(), b"+57"),
        "an id with an underscore": text(payload(), b"5_7"),
        "an id with a space": text(payload(), b" 57"),
        "an id beyond all ids": text(payload(), b"4294967296"),
        "a second payload": text(payload() + b',"payload":' + payload()),
        "something behind the payload": text(payload() + b',"more":{}'),
        "another order": b'{"type":1,"method":"sendMessage","id":57,"payload":%b}' % payload(),
        "another method": text(payload()).replace(b"sendMessage", b"editMessage"),
        "an answer": text(payload()).replace(b'"type":1,"id"', b'"type":2,"id"'),
        "a cut text": text(payload())[:-2],
        "nothing": b"",
    }.items(),
    ids=lambda item: item[0],
)
def test_everything_else_is_left_alone(whole):
    """What is not quite a plain message, or no frame at all, is left to the long way."""
    assert fast_path.read(whole[1]) is None


CHANGES = st.lists(
    st.tuples(
        st.integers(0, 700), st.integers(0, 12), st.binary(max_size=12) | st.sampled_from([b'"', b"}", b"{", b","])
    ),
    max_size=4,
)


@settings(max_examples=500)
@given(CHANGES)
def test_mutated_texts_are_read_alike(changes):
    """Whatever is broken in a text, it is read the same way by both, or only by the long one."""
    whole = text(payload())
    for start, length, put in changes:
        whole = whole[:start] + put + whole[start + length :]
    check(whole)
