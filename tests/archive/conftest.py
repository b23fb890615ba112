"""Records to be exported: messages of several chats and days, with edits, removals and a file."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tcnb.record.record import Record

START = 1_767_000_000_000
"""Milliseconds: 2025-12-29, 09:20 in UTC."""


def message(number: int, **values: Any) -> bytes:
    """Give the payload of a message notification (`protocol` section 5.1)."""
    chat = number % 3
    payload = {
        "messageId": f"m{number}",
        "chatId": f"c{chat}",
        "chat": {"chatId": f"c{chat}", "chatTitle": f"Chat {chat}", "chatType": 2},
        "timestamp": START + number * 600_000,
        "isEdited": False,
        "author": {"id": f"u{number % 5}@practice.local", "type": 1},
        "box": {"id": number, "position": "0"},
        "type": 200,
        "content": {"text": f"text {number} – текст", "parseMode": "text"},
    } | values
    return json.dumps(payload).encode()


def a_record(count: int) -> Record:
    """Make a record of messages ten minutes apart, some of them replies, a few edited or removed, and a file."""
    record = Record("robot@practice.local")
    for number in range(count):
        # Some name a message of the same chat, most of them one by somebody else; a few name one of another chat.
        replied = {"replyMessageId": f"m{number - number % 7}"} if number % 4 == 0 else {}
        record.append("sendMessage", message(number, **replied), (START + number * 600_000) * 1000)
    last = (START + count * 600_000) * 1000
    for number in range(0, count, 50):
        said = {"messageId": f"m{number}", "timestamp": START, "chatId": "c0"}
        record.append("editMessage", json.dumps({**said, "content": {"text": "new"}}).encode(), last + 1)
        gone = {"messageId": f"m{number + 1}", "chatId": "c1", "removedBy": {"id": "u1@practice.local", "type": 1}}
        record.append("removeMessage", json.dumps(gone).encode(), last + 1)
    file = {"fileId": "f1", "name": "plan.pdf", "size": 2**40, "mimeType": "application/pdf"}
    record.append("sendMessage", message(count, type=202, content=file), last + 600_000_000)
    return record


@pytest.fixture(scope="session")
def record() -> Record:
    """A record of a thousand events over a week."""
    return a_record(1000)
