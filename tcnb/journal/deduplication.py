"""What makes two frames the same event, as a key of the journal; nothing is kept here.

A key begins with the time that the server gives, so that frames of one time are neighbours in the journal's index. With
keys of message ids alone each commit rewrote pages all over that index: 2.6 times the bytes at 100,000 messages.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from tcnb.wire import notifications

_UNTIMED: Final = bytes(8)

NAMED: Final = frozenset(
    {
        *("addChatParticipant", "removeChatParticipant", "changeParticipantRole"),
        *("createP2PChat", "createGroupChat", "createChannel", "createFavoritesChat", "removeChat", "editMessage"),
    }
)
"""Notifications that are the same when they say the same, provided that a time or a message id is in what they say."""

NEW_MESSAGES: Final = frozenset({"sendMessage", "sendFile", "sendSurvey", "forwardMessage"})
"""Requests whose answer names a new message."""


class _Marks(msgspec.Struct, gc=False, rename="camel"):
    """The fields that tell frames apart."""

    message_id: str | None = None
    timestamp: int | None = None


class _Said(msgspec.Struct, gc=False, rename="camel"):
    """The same, in a notification that is no message."""

    message_id: str | None = None
    timestamp: int | None = None
    last_message: _Marks | None = None
    content: _Text | None = None


class _Text(msgspec.Struct, gc=False):
    """What an edit says."""

    text: str | None = None


class _Found(_Marks, gc=False):
    """The fields that tell apart edits that were found out: of which message, and which of them it is."""

    edit: int = 0


_said = msgspec.json.Decoder(_Said).decode


def of_message(message_id: str, timestamp: int | None) -> bytes:
    """Return the key of a message, whichever way it comes: live, again, from history, or as the answer to a sending."""
    return _timed(timestamp) + digest(message_id.encode(errors="replace"))


def is_before(key: bytes | None, timestamp: int) -> bool:
    """Return whether a key begins with an earlier time (in the server's milliseconds since 1970)."""
    if key is None or key[:8] == _UNTIMED:
        return False
    return int.from_bytes(key[:8]) < timestamp


def of_notification(method: str, payload: bytes | msgspec.Raw, part: notifications.Part | None = None) -> bytes | None:
    """Return the key of a notification; None for one that may come again and mean something new.

    Args:
        method: the method of its frame.
        payload: the JSON of its payload, as it came.
        part: what `notifications.decode` read from it, if that was done already.
    """
    if method == "sendMessage":
        if part is None:
            part = notifications.decode(method, payload)[1]
        if not isinstance(part, notifications.Message) or part.message_id is None:
            return None
        return of_message(part.message_id, part.timestamp)
    if method != "removeMessage" and method not in NAMED:
        return None
    try:
        said = _said(payload)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    if method == "removeMessage":
        return None if said.message_id is None else _of_removal(said.message_id)
    if method == "editMessage" and said.timestamp is not None and said.content is not None and said.content.text:
        return _of_edit(said.timestamp, said.content.text)
    last = said.last_message
    timestamp = said.timestamp if last is None else last.timestamp
    if timestamp is None and said.message_id is None:
        return None
    return _timed(timestamp) + digest(method.encode() + b"\0" + bytes(payload))


def of_finding(method: str, payload: bytes | msgspec.Raw) -> bytes | None:
    """Return the key of an edit or a removal that was found out: two kernels may find the same one."""
    if method == "removeMessage":
        return of_notification(method, payload)
    try:
        found = msgspec.json.decode(payload, type=_Found)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    return _UNTIMED + digest(f"found\0{found.edit}\0{found.message_id}".encode(errors="replace"))


def of_sent(method: str, request: Mapping[str, Any], answer: Mapping[str, Any]) -> tuple[bytes | None, bytes | None]:
    """Return the keys of what a request of ours did: of the event itself, and of a caption beside it.

    They are those under which another session of the same account is told of it.
    """
    message_id, timestamp = answer.get("messageId"), answer.get("timestamp")
    timestamp = timestamp if isinstance(timestamp, int) else None
    if method in NEW_MESSAGES:
        caption_id = answer.get("captionMessageId") if method == "sendFile" else None
        return (
            of_message(message_id, timestamp) if isinstance(message_id, str) else None,
            of_message(caption_id, timestamp) if isinstance(caption_id, str) else None,
        )
    original = request.get("messageId")
    if method == "removeMessage" and isinstance(original, str):
        return _of_removal(original), None
    content = request.get("content")
    text = content.get("text") if isinstance(content, Mapping) else None
    if method == "editMessage" and timestamp is not None and isinstance(text, str) and text:
        return _of_edit(timestamp, text), None
    return None, None


def digest(content: bytes) -> bytes:
    """Return 16 bytes that stand for `content`."""
    return hashlib.blake2b(content, digest_size=16).digest()


def _of_removal(message_id: str) -> bytes:
    return _UNTIMED + digest(b"removeMessage\0" + message_id.encode(errors="replace"))


def _of_edit(timestamp: int, text: str) -> bytes:
    """Edits name no message (`protocol` section 7.3); two of one text in one millisecond are one, told again."""
    return _timed(timestamp) + digest(b"editMessage\0" + text.encode(errors="replace"))


def _timed(timestamp: int | None) -> bytes:
    return timestamp.to_bytes(8) if timestamp is not None and 0 <= timestamp < 2**63 else _UNTIMED
