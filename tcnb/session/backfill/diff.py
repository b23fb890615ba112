"""What a chat's history says against what the record says: edits and removals nobody told of; nothing is asked here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from tcnb.errors import MalformedFrameError
from tcnb.markup.text import plain
from tcnb.record.views import KnownMessage
from tcnb.session.backfill.history_pages import Envelope, written_at
from tcnb.wire.frames import payload_content
from tcnb.wire.notifications import EditedMessage, well_formed


class Finding(NamedTuple):
    """An edit or a removal that was found out, in the form of its notification.

    Attributes:
        method: `editMessage` or `removeMessage`.
        payload: what the notification would have said, with the id of the message, in JSON.
    """

    method: str
    payload: bytes


class Edit(NamedTuple):
    """An edit that the server told of without saying of which message.

    Attributes:
        timestamp: when, in milliseconds since 1970, where the server says so.
        content: what the message says since.
        text: its text as on the wire, with its markup.
    """

    timestamp: int | None
    content: Mapping[str, Any]
    text: str


def edit_of(payload: bytes | msgspec.Raw) -> tuple[str, Edit] | None:
    """Return the chat and the edit of a notification; None where it names its message, or says no text to look for."""
    try:
        said = msgspec.json.decode(payload, type=EditedMessage)
        content = payload_content(payload).get("content")
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, MalformedFrameError):
        return None
    if said.message_id is not None or said.chat_id is None or said.content is None or not said.content.text:
        return None
    return said.chat_id, Edit(said.timestamp, content, said.content.text)


def edited(envelopes: Iterable[Envelope], known: Mapping[str, KnownMessage]) -> list[Finding]:
    """Return the edits of messages that say something else in the history than in the record.

    Args:
        envelopes: the history.
        known: what the record knows of the same messages, by id.
    """
    found = []
    for envelope in envelopes:
        message_id, content = str(envelope["messageId"]), envelope.get("content")
        message = known.get(message_id)
        if message is None or message.removed or not isinstance(content, dict) or envelope.get("isEdited") is not True:
            continue
        is_news = message.edits == 0 and not message.was_edited
        text = _text(content)
        if is_news or (text is not None and _words(text) != _words(message.text or "")):
            found.append(_edit(envelope["chatId"], message_id, content, message))
    return found


def removed(
    chat_id: str, envelopes: Sequence[Envelope], known: Mapping[str, KnownMessage], *, until: int, asked_at: int
) -> list[Finding]:
    """Return the removals of messages that the record has and the history lacks.

    Args:
        chat_id: the chat.
        envelopes: a stretch of its history without a hole, up to its newest message, oldest first.
        known: what the record knows of the messages of that stretch, by id.
        until: the position up to which everything was recorded before the connection was away: it is in the history
            if it exists at all, also behind the newest message there.
        asked_at: the last position when the history was asked for; between two messages of the history everything that
            was recorded by then has its place.
    """
    if not envelopes:
        return []
    there = {str(envelope["messageId"]) for envelope in envelopes}
    first, last = written_at(envelopes[0]), written_at(envelopes[-1])
    return [
        Finding("removeMessage", msgspec.json.encode({"chatId": chat_id, "messageId": message_id}))
        for message_id, message in known.items()
        if message_id not in there
        and not message.removed
        and message.timestamp > first
        and message.seq <= (asked_at if message.timestamp < last else until)
    ]


def matched(edit: Edit, envelopes: Iterable[Envelope], known: Mapping[str, KnownMessage]) -> list[Finding] | None:
    """Return an edit with the message it belongs to: the edited one that says just that, and did not before.

    Args:
        edit: what the server told of.
        envelopes: the history.
        known: what the record knows of the same messages, by id.

    Returns:
        One finding as a rule; none where the record knows of the edit already; several, without a time, where several
        messages were edited to this text since the record knew them; None where none was, or none of the record.
    """
    text = _text(edit.content)
    fitting = [envelope for envelope in envelopes if _says(envelope, edit.text)]
    news, strange = [], []
    for envelope in fitting:
        message = known.get(str(envelope["messageId"]))
        if message is None:
            strange.append(envelope)
        elif not (message.edits or message.was_edited) or message.text != text:
            news.append((envelope, message))
    if not news:
        # Of a message that was never recorded nobody knows whether it was edited now or long ago.
        return None if len(strange) == len(fitting) else []
    timestamp = edit.timestamp if len(news) == 1 else None
    return [
        _edit(envelope["chatId"], str(envelope["messageId"]), edit.content, message, timestamp)
        for envelope, message in news
    ]


def _edit(
    chat_id: str,
    message_id: str,
    content: Mapping[str, Any],
    message: KnownMessage,
    timestamp: int | None = None,
) -> Finding:
    # Which edit of the message it is makes it the same for two kernels, and another than a later one of equal text.
    said = {"chatId": chat_id, "messageId": message_id, "content": content, "edit": message.edits + 1}
    if timestamp is not None:
        said["timestamp"] = timestamp
    return Finding("editMessage", msgspec.json.encode(said))


def _says(envelope: Envelope, text: str) -> bool:
    """Return whether a message was edited and says now what is given, markup and all."""
    content = envelope.get("content")
    return envelope.get("isEdited") is True and isinstance(content, dict) and content.get("text") == text


def _text(content: Mapping[str, Any]) -> str | None:
    """Return the text of a content as the record keeps it."""
    text, mode = content.get("text"), content.get("parseMode")
    return plain(well_formed(text), mode if isinstance(mode, str) else None) if isinstance(text, str) else None


def _words(text: str) -> list[str]:
    # A server may keep another kind of white space than it was sent, which is no edit.
    return text.split()
