"""The code that would handle an event."""

from __future__ import annotations

import ast
import math

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcnb.errors import UsageError
from tcnb.record.schema import EVENT_NAMES
from tcnb.routing import Router, suggestion
from tcnb.types import Update, parse_event

ALICE = {
    "chat": "Alice Doe",
    "chat_id": "c2",
    "chat_type": "p2p",
    "author_id": "alice@practice.local",
    "message_type": "plain",
}
CREW = {"chat": "Release crew", "chat_id": "c1", "message_type": "plain"}


@pytest.mark.parametrize(
    ("event", "row", "head"),
    [
        ("message", {**CREW, "text": "build"}, "message(chat='Release crew', text='build')"),
        ("message", {**CREW, "text": "/echo hello"}, "message(chat='Release crew', command='/echo')"),
        ("message", {**CREW, "text": "x" * 500}, "message(chat='Release crew')"),
        ("message", {"chat_id": "c1", "text": None, "chat": pd.NA}, "message(chat='c1')"),
        ("message", {"message_type": "attachment", "mime_type": "image/png"}, "message(content='photo')"),
        ("message", {"message_type": "attachment", "mime_type": "sticker/webp"}, "message(content='sticker')"),
        ("message", {"message_type": "attachment", "mime_type": "text/csv"}, "message(content='document')"),
        ("message", {"message_type": "location", "text": math.nan}, "message(content='location')"),
        ("message", {**CREW, "message_type": "add_participant"}, "system_message(chat='Release crew')"),
        ("callback_query", {**CREW, "text": "approve"}, "callback_query(chat='Release crew', command='approve')"),
        ("message", {**ALICE, "direction": "in"}, "message(chat='alice@practice.local')"),
        ("message", {**ALICE, "direction": "out"}, "message(chat='c2')"),
        ("message", {**ALICE, "author_type": "system", "author_id": "trueconf.server"}, "system_message(chat='c2')"),
        ("uploading_progress", CREW, "uploading_progress()"),
        ("removed_chat", None, "removed_chat()"),
        ("somethingNew", CREW, "unknown()"),
    ],
)
def test_conditions_come_from_the_row(event, row, head):
    """The chat, a command, a short text or what a message carries are asked for, as far as the server says them."""
    assert suggestion(event, row).startswith(f"@tc.router.{head}\nasync def on_")


@pytest.mark.parametrize("event", EVENT_NAMES)
@given(text=st.text(), chat=st.text())
def test_code_can_be_run(event, text, chat):
    """Whatever a row says, the code is Python and defines one handler."""

    class Session:
        router = Router()

    code = suggestion(event, {"text": text, "chat": chat, "message_type": "plain"})
    ast.parse(code)
    exec(code, {"tc": Session})
    assert len(Session.router.handlers) == 1


def test_suggested_handler_gets_such_an_event(tc, alice, until):
    """Run as it is, the code for a row answers the next message like it."""
    chat = alice.group("Release crew", "robot")
    alice.say(chat, "how's build 42?")
    until(tc, lambda: (tc.df["event"] == "message").any())
    row = tc.df.query("text.notna()").iloc[-1]
    exec(suggestion("message", row), {"tc": tc})
    alice.say(chat, "something else")
    alice.say(chat, "how's build 42?")
    until(tc, lambda: (tc.df["direction"] == "out").any())
    assert tc.status().handled == 1


CHAT = {"chatId": "c1", "chatTitle": "Release crew", "chatType": 2}
ENVELOPE = {
    "messageId": "m1",
    "chatId": "c1",
    "chat": CHAT,
    "timestamp": 1,
    "author": {"id": "alice@practice.local", "type": 1},
    "type": 200,
    "content": {"text": "/build 42", "parseMode": "text"},
    "isEdited": False,
}
PHOTO = {"fileId": "f1", "name": "a.png", "size": 1, "mimeType": "image/png"}
PRESS = {
    "commandSource": {"type": "button", "message": ENVELOPE},
    "commandPayload": {"type": "x", "command": "approve"},
}


@pytest.mark.parametrize(
    ("method", "payload", "head"),
    [
        ("sendMessage", ENVELOPE, "message(chat='Release crew', command='/build')"),
        (
            "sendMessage",
            {**ENVELOPE, "chat": {**CHAT, "chatType": 1}},
            "message(chat='alice@practice.local', command='/build')",
        ),
        ("sendMessage", {**ENVELOPE, "type": 202, "content": PHOTO}, "message(chat='Release crew', content='photo')"),
        ("command", PRESS, "callback_query(chat='Release crew', command='approve')"),
        ("editChatTitle", {"chatId": "c1", "title": "Crew"}, "edited_chat_title(chat='Crew')"),
        ("removeChat", {"chatId": "c1"}, "removed_chat(chat='c1')"),
    ],
)
def test_events_have_suggestions(method, payload, head):
    """The router itself says how an event would be handled, whether it was read or is still as it came."""
    event = parse_event(method, payload)
    assert Router.suggestion(event).startswith(f"@tc.router.{head}\nasync def on_")
    assert Router("any").suggestion(Update(method, 1, 1, payload)) == Router.suggestion(event)


def test_row_has_a_suggestion(tc, alice, until):
    """The last row of the frame is enough."""
    alice.say(alice.group("Crew", "robot"), "hello")
    until(tc, lambda: "hello" in set(tc.df["text"]))
    frame = tc.df
    row = frame[frame["text"] == "hello"].iloc[-1]
    code = tc.router.suggestion(row, session="bot")
    assert code.startswith("@bot.router.message(chat='Crew', text='hello')\n")
    assert compile(code, "cell", "exec")


def test_what_is_no_event_has_none():
    """Something else is an error that says what is meant."""
    with pytest.raises(UsageError, match="row of df"):
        Router.suggestion("hello")
