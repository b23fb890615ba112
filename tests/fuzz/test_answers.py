"""Answers that no server means, each to one call: what is sent counts as sent, and what is wrong is one line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import tcnb
from tcnb.errors import ApiErrorException, TcnbError, UsageError
from tests.fuzz.asking import Asker, check_line
from tests.fuzz.server import CHAT, ENVELOPE, FuzzServer

DIGITS = b"9" * 5000


@pytest.fixture
def server() -> Iterator[FuzzServer]:
    """A server that says what it is told to."""
    with FuzzServer() as server:
        yield server


@pytest.fixture
def tc(server: FuzzServer, tmp_path: Path) -> Iterator[tcnb.Session]:
    """A session with it."""
    session = Asker(server, tmp_path).session()
    yield session
    session.close()


def answering(server: FuzzServer, **answers: bytes) -> None:
    """Have the server answer some methods so from now on."""
    server.spoil = lambda name, right: answers.get(name)


@pytest.mark.parametrize(
    "answer",
    [
        b'{"chatId":"c","messageId":"m","timestamp":1e999}',
        b'{"chatId":"c","messageId":"m","timestamp":%s}' % DIGITS,
        b'{"chatId":"c","messageId":"m","timestamp":' + b"9" * 400 + b"}",
        b'{"chatId":"c","messageId":["m"],"timestamp":{"a":1}}',
        b'{"chatId":{"a":[]},"messageId":"\\ud83d","timestamp":-1}',
        b'{"errorCode":"303"}',
        b'{"errorCode":[303]}',
        b'{"errorCode":%s}' % DIGITS,
        *(b"[]", b"null", b"5", b'"sent"', b"1e999", DIGITS),
    ],
    ids=lambda answer: answer[:50].decode(),
)
def test_send_that_is_answered_is_never_told_as_failed(server: FuzzServer, tc: tcnb.Session, answer: bytes) -> None:
    """What the server says of a send it has carried out may be nonsense: the send is done, and is a row."""
    answering(server, sendMessage=answer)
    tc.send(CHAT, "is it there?")
    assert tc.df["text"].tolist().count("is it there?") == 1
    server.spoil = None
    assert tc.send(CHAT, "and the next one?").message_id
    assert tc.status().reconnects == 0


def test_text_that_is_none_is_refused_before_it_is_sent(server: FuzzServer, tc: tcnb.Session) -> None:
    """Half of a surrogate pair, which no server takes, is told in one line."""
    with pytest.raises(UsageError, match="half of a surrogate pair"):
        tc.send(CHAT, "cut \ud83d")
    assert server.asked["sendMessage"] == 0


@pytest.mark.parametrize("words", ["\x1b[2J\u202e" + "no\r\n" * 30_000, "x" * 100_000, "\ud83d"])
def test_refusal_is_one_short_line(server: FuzzServer, tc: tcnb.Session, words: str) -> None:
    """What a server says with a refusal acts on nothing and buries nothing, whatever it is."""
    answering(server, sendMessage=json.dumps({"errorCode": 303, "errorDescription": words}).encode())
    with pytest.raises(ApiErrorException) as caught:
        tc.send(CHAT, "may I?")
    check_line(caught.value)
    assert len(str(caught.value)) < 1000


@pytest.mark.parametrize(
    "listed",
    [5, True, "messages", {"a": 1}, [5, "x", None, []], [{"messageId": ["a"]}, {"messageId": {"a": 1}}], [{}] * 3],
)
def test_history_that_is_none_is_empty(server: FuzzServer, tc: tcnb.Session, listed: Any) -> None:
    """A page of history without any message in it ends the reading."""
    answering(server, getChatHistory=json.dumps({"messages": listed}).encode())
    assert len(tc.history(CHAT, 10)) == 0


@pytest.mark.parametrize("when", [b"1e999", DIGITS, b"32503680000000", b"253402300800000", b"-1", b'"soon"', b"[]"])
def test_history_of_another_age_is_read(server: FuzzServer, tc: tcnb.Session, when: bytes) -> None:
    """A message of the past whose time cannot be is read with the others, and has no time."""
    odd = json.dumps({**ENVELOPE, "messageId": "odd", "timestamp": 0}).encode()
    odd = odd.replace(b'"timestamp": 0', b'"timestamp": ' + when)
    answering(server, getChatHistory=b'{"messages":[%s,%s]}' % (odd, json.dumps(ENVELOPE).encode()))
    read = tc.history(CHAT, 10)
    assert set(read["message_id"]) == {"odd", "h-1"}
    assert read.set_index("message_id")["timestamp"].isna()["odd"]


@pytest.mark.parametrize(
    "when", [b"32503680000000", b"253402300799999", b"9223372036854775807", b"-9223372036854775808"]
)
def test_names_are_told_apart_in_any_age(server: FuzzServer, tc: tcnb.Session, when: bytes) -> None:
    """Two chats of one title are told apart also when their last messages are of another age."""
    last = json.dumps({**ENVELOPE, "timestamp": 0}).encode().replace(b'"timestamp": 0', b'"timestamp": ' + when)
    chat = b'{"chatId":"%s","title":"\\u202eTwins","chatType":2,"lastMessage":' + last + b"}"
    answering(
        server,
        getChats=b'{"chats":[' + chat % b"twin-one-1" + b"," + chat % b"twin-two-2" + b"]}",
        getChatByID=chat % b"twin-one-1",
        getUserDisplayName=b'{"errorCode":102}',
    )
    tc.refresh()
    with pytest.raises(TcnbError) as caught:
        tc.send("Twins", "which?")
    assert "could mean 2 chats" in str(caught.value)
    check_line(caught.value)
