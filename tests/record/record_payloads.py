"""What a server says in these tests: payloads with invented values, in both generations; no test here."""

from __future__ import annotations

import json
from typing import Any

GROUP = "3f9c1e77ab0d4c55e2910b6d8f3a7c21e4b5d690"
ME = "robot@video.example.com"
ALICE = "alice@video.example.com"
BOB = "bob@video.example.com"
SENT_AT = 1_767_000_002_000
RECEIVED = 1_767_000_002_345_678


def encode(payload: Any) -> bytes:
    """Return a payload as it stands in a frame."""
    return json.dumps(payload, ensure_ascii=False).encode()


def envelope(
    content: Any, *, type: int = 200, message_id: str = "m-1", old: bool = False, **other: Any
) -> dict[str, Any]:
    """Return a message; `old` for the flat generation, `other` for fields that differ."""
    values = {
        "messageId": message_id,
        "chatId": GROUP,
        "chat": {"chatId": GROUP, "chatTitle": "Release crew", "chatType": 2},
        "timestamp": SENT_AT,
        "replyMessageId": None,
        "isEdited": False,
        "author": {"id": ALICE, "type": 1},
        "box": {"id": 215, "position": "0"},
        "type": type,
        "content": content,
    }
    if old:
        del values["chat"]
    return values | other


def text(said: str = "status?", parse_mode: str = "html", **other: Any) -> bytes:
    """Return the payload of a plain message."""
    return encode(envelope({"text": said, "parseMode": parse_mode}, **other))
