"""How a notification, or a request and its answer, becomes a row; only the directory keeps something of it.

Source: `protocol` sections 5, 6 and 7.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from tcnb.markup.text import plain
from tcnb.record.columns.table import Row
from tcnb.record.directory import Directory
from tcnb.record.schema import AUTHOR_TYPES, CHANGES, MESSAGE_TYPES, NAMES, ROLES
from tcnb.record.timeline import is_believed
from tcnb.types.enums import EnvelopeAuthorType, MessageType
from tcnb.wire import notifications as wire
from tcnb.wire.paths import bare_id

_PLAIN: Final = int(MessageType.PLAIN_MESSAGE)
_FORWARDED: Final = int(MessageType.FORWARDED_MESSAGE)
_USER: Final = AUTHOR_TYPES[EnvelopeAuthorType.USER]
_NOTHING_ELSE: Final = (None,) * 9


def message(envelope: wire.Message, seq: int, received: int, direction: str, directory: Directory) -> Row:
    """Return the row of a message, and learn the chat's title and type from it where they are given."""
    chat_id, chat, author, content = envelope.chat_id, envelope.chat, envelope.author, envelope.content
    if chat is None:
        title, chat_type, _ = directory.chat(chat_id)
    else:
        if chat_id is None:
            chat_id = chat.chat_id
        title, chat_type, number = directory.chat(chat_id)
        if chat_id is not None and (chat.chat_title != title or chat.chat_type != number):
            title, chat_type, _ = directory.learn_chat(chat_id, chat.chat_title, chat.chat_type)
    author_id = author_name = author_type = None
    if author is not None:
        author_type = AUTHOR_TYPES.get(author.type) or _digits(author.type)
        if author.id is not None:
            author_id, author_name, mine = directory.person(author.id)
            if mine:
                direction = "out"
            elif author_name is None and author_type == _USER:
                directory.request_name(author_id)
    type, timestamp = envelope.type, envelope.timestamp
    text = parse_mode = forwarded_from = None
    rest: tuple[Any, ...] = _NOTHING_ELSE
    if type == _PLAIN and content is not None:
        text, parse_mode = content.text, content.parse_mode
        if text is not None:
            text = plain(text, parse_mode)
    elif isinstance(content, wire.Content):
        text, parse_mode, forwarded_from, rest = _content(type, content)
    return (
        seq,
        received,
        timestamp * 1000 if timestamp is not None and is_believed(timestamp, received // 1000) else None,
        "message",
        direction,
        chat_id,
        title,
        chat_type,
        envelope.message_id,
        author_id,
        author_name,
        author_type,
        MESSAGE_TYPES.get(type) or _digits(type),
        text,
        parse_mode,
        envelope.reply_message_id,
        forwarded_from,
        envelope.is_edited,
        *rest,
        None,
    )


def other(event: str, part: wire.Part | None, seq: int, received: int, direction: str, directory: Directory) -> Row:
    """Return the row of anything but a message, and learn from it what it says about a chat."""
    values = _other_values(part, directory)
    values |= {"seq": seq, "received": received, "event": event, "direction": direction}
    values["timestamp"] = _happened(values)
    chat_id = values.get("chat_id")
    if chat_id is not None:
        values["chat"], values["chat_type"], _ = directory.chat(chat_id)
    return tuple(map(values.get, NAMES))


def changes_directory(part: wire.Part | None, directory: Directory) -> bool:
    """Return whether the row of a notification could tell the directory something new about a chat."""
    if not isinstance(part, wire.Message):
        return isinstance(part, wire.ChatRecord | wire.ChangedChat | wire.Command)
    chat = part.chat
    if chat is None:
        return False
    chat_id = part.chat_id if part.chat_id is not None else chat.chat_id
    return (chat.chat_title, chat.chat_type) != directory.described(chat_id)


def from_values(values: Mapping[str, Any], directory: Directory) -> Row:
    """Return the row with these values by column; chat and author are completed from what is known."""
    row = dict(values)
    row["timestamp"] = _happened(row)
    row["chat"], row["chat_type"], _ = directory.chat(row.get("chat_id"))
    if row.get("author_id") is not None:
        row["author_id"], row["author"], _ = directory.person(row["author_id"])
        if row["author"] is None:
            directory.request_name(row["author_id"])
    return tuple(map(row.get, NAMES))


def _happened(values: Mapping[str, Any]) -> int | None:
    """Return when something happened, as the server says; of an edit, a removal or our own doing else when it came.

    The server gives no time to a removal (`protocol` section 7.4). Without one it would be lost from a frame that is
    filtered by time, and its message would be there again.
    """
    timestamp: int | None = values.get("timestamp")
    received: int = values["received"]
    if timestamp is not None and is_believed(timestamp // 1000, received // 1000):
        return timestamp
    return received if values["event"] in CHANGES or values["direction"] == "out" else None


def sent(method: str, request: Mapping[str, Any], response: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the values by column of what a request of ours did, one dictionary an event; empty for other methods.

    Chat, author, times and `seq` are left to the caller where the request does not say them.
    """
    content = _object(request.get("content"))
    base = {
        "timestamp": _microseconds(_integer(response.get("timestamp"))),
        "chat_id": _string(request.get("chatId")) or _string(response.get("chatId")),
        "message_id": _string(response.get("messageId")) or _string(request.get("messageId")),
        "author_type": _USER,
    }
    new = base | {"event": "message", "is_edited": False, "reply_to": _string(request.get("replyMessageId"))}
    match method:
        case "sendMessage":
            return [new | {"message_type": "plain"} | _sent_text(content)]
        case "sendSurvey":
            return [new | {"message_type": "survey", "title": _string(content.get("title"))}]
        case "forwardMessage":
            return [new | {"message_type": "forwarded", "message_id": _string(response.get("messageId"))}]
        case "sendFile":
            file = new | {"message_type": "attachment", "file_id": _string(response.get("fileId"))}
            caption_id = _string(response.get("captionMessageId"))
            if caption_id is None:
                return [file]
            caption = new | {"message_type": "plain", "message_id": caption_id, "reply_to": None}
            return [file, caption | _sent_text(_object(content.get("caption")))]
        case "editMessage":
            return [base | {"event": "edited_message"} | _sent_text(content)]
        case "editSurvey":
            return [base | {"event": "edited_message", "title": _string(content.get("title"))}]
        case "removeMessage":
            return [base | {"event": "removed_message"}]
        case _:
            return []


def sent_file(file: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values by column of what is known about a file that was sent."""
    size = _integer(file.get("file_size"))
    return {"file_name": _string(file.get("file_name")), "file_size": size, "mime_type": _string(file.get("mime_type"))}


def _content(type: int | None, content: wire.Content) -> tuple[str | None, str | None, str | None, tuple[Any, ...]]:
    """Return text, mode, author of the original, and the nine columns from `user_id` to `longitude`."""
    forwarded_from = None
    inner = content
    if type == _FORWARDED:
        # What is forwarded may be a forward itself: the innermost author wrote it. Servers flatten forwards of forwards
        # and then name no more than who forwarded before.
        while inner.content is not None:
            forwarded_from = _author_id(inner.author) or forwarded_from
            inner = inner.content
        forwarded_from = _author_id(inner.author) or forwarded_from
    # Some clients send the name of a place in `description`; in a survey that field says something else.
    title = inner.description if inner.title is None and inner.latitude is not None else inner.title
    rest = (
        None if inner.user_id is None else bare_id(inner.user_id),
        _role(inner.role),
        title,
        inner.file_id if inner.file_id is not None else inner.info_hash,
        inner.name,
        inner.size,
        inner.mime_type,
        inner.latitude,
        inner.longitude,
    )
    text = None if inner.text is None else plain(inner.text, inner.parse_mode)
    return text, inner.parse_mode, forwarded_from, rest


def _other_values(part: wire.Part | None, directory: Directory) -> dict[str, Any]:
    match part:
        case wire.EditedMessage():
            content = part.content
            return {
                "timestamp": _microseconds(part.timestamp),
                "chat_id": part.chat_id,
                "message_id": part.message_id,
                "text": None if content is None or content.text is None else plain(content.text, content.parse_mode),
                "parse_mode": None if content is None else content.parse_mode,
                "title": None if content is None else content.title,
            }
        case wire.RemovedMessage():
            return {
                "chat_id": part.chat_id,
                "message_id": part.message_id,
                **_author(part.removed_by, directory),
            }
        case wire.Participant():
            return {
                "timestamp": _microseconds(part.timestamp),
                "chat_id": part.chat_id,
                "user_id": None if part.user_id is None else bare_id(part.user_id),
                "role": _role(part.role),
                **_author(part.added_by or part.removed_by, directory),
            }
        case wire.ChatRecord():
            if part.chat_id is not None:
                directory.learn_chat(part.chat_id, part.title, part.chat_type)
            return {"chat_id": part.chat_id, "title": part.title}
        case wire.ChangedChat():
            if part.chat_id is not None and part.title is not None:
                directory.learn_chat(part.chat_id, part.title, None)
            return {"chat_id": part.chat_id, "title": part.title}
        case wire.Progress():
            return {"file_id": part.file_id, "progress": part.progress}
        case wire.Command():
            return _press(part, directory)
        case _:
            return {}


def _press(command: wire.Command, directory: Directory) -> dict[str, Any]:
    """The author of the message with the button is not who pressed it, so there is no author."""
    said = command.command_payload
    values: dict[str, Any] = {"text": None if said is None else said.command}
    source = command.command_source
    if source is not None and source.message is not None:
        envelope = source.message
        chat = envelope.chat
        values["message_id"] = envelope.message_id
        values["chat_id"] = envelope.chat_id
        if chat is not None and chat.chat_id is not None:
            values["chat_id"] = chat.chat_id
            directory.learn_chat(chat.chat_id, chat.chat_title, chat.chat_type)
    return values


def _author(author: wire.Author | None, directory: Directory) -> dict[str, Any]:
    if author is None:
        return {}
    values: dict[str, Any] = {"author_type": AUTHOR_TYPES.get(author.type) or _digits(author.type)}
    if author.id is not None:
        values["author_id"], values["author"], _ = directory.person(author.id)
        if values["author"] is None and values["author_type"] == _USER:
            directory.request_name(values["author_id"])
    return values


def _author_id(author: wire.Author | None) -> str | None:
    return None if author is None or author.id is None else bare_id(author.id)


def _digits(number: int | None) -> str | None:
    """Return how a number without a name is written."""
    return None if number is None else str(number)


def _role(role: str | int | None) -> str | None:
    if isinstance(role, int):
        return ROLES[role] if 0 <= role < len(ROLES) else str(role)
    return role


def _microseconds(milliseconds: int | None) -> int | None:
    return None if milliseconds is None else milliseconds * 1000


def _sent_text(content: Mapping[str, Any]) -> dict[str, Any]:
    text, parse_mode = _string(content.get("text")), _string(content.get("parseMode"))
    return {"text": None if text is None else plain(text, parse_mode), "parse_mode": parse_mode}


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _string(value: Any) -> str | None:
    # A mode of text may come as an enumeration's member, which prints as its value.
    return wire.well_formed(str(value)) if isinstance(value, str) else None


def _integer(value: Any) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int) or not -(2**63) <= value < 2**63:
        return None
    return int(value)
