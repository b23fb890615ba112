"""What a notification says: payload bytes to small structures, fast and never refusing; nothing is kept here.

Source: `protocol` sections 4, 5 and 7.
"""

from __future__ import annotations

import math
import types
import typing
from collections.abc import Callable
from operator import attrgetter
from typing import Annotated, Any, Final, Literal, TypeVar

import msgspec

from tcnb.wire import lenient

# What does not fit a column of 64-bit integers is as mistyped as a string would be.
Integer = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]

LAST_MILLISECOND: Final = 253_402_300_799_999
"""The end of the year 9999, behind which Python's datetime shows nothing; no server means such times."""


class Part(msgspec.Struct, gc=False, rename="camel"):
    """Base of everything decoded here: only the fields that the record needs, each of them optional."""


class Author(Part):
    """Who did something (`protocol` section 4.2)."""

    id: str | None = None
    type: Integer | None = None


class Chat(Part):
    """The chat inside an envelope of the newer generation (`protocol` section 4.4)."""

    chat_id: str | None = None
    chat_title: str | None = None
    chat_type: Integer | None = None


class Content(Part):
    """The fields of all kinds of content at once, since `type` stands outside (`protocol` sections 5.2 to 5.4)."""

    text: str | None = None
    parse_mode: str | None = None
    file_id: str | None = None
    info_hash: str | None = None
    name: str | None = None
    size: Integer | None = None
    mime_type: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    title: str | None = None
    description: str | None = None
    user_id: str | None = None
    role: str | Integer | None = None
    author: Author | None = None
    content: Content | None = None


class Envelope(Part):
    """A message, in both generations (`protocol` section 5.1)."""

    message_id: str | None = None
    chat_id: str | None = None
    chat: Chat | None = None
    timestamp: Integer | None = None
    reply_message_id: str | None = None
    is_edited: bool | None = None
    author: Author | None = None
    type: Integer | None = None
    content: Content | None = None


class Box(Part, forbid_unknown_fields=True):
    """Where a message stands in its chat (`protocol` section 4.3), which is not kept."""

    id: Integer | None = None
    position: str | None = None


class PlainChat(Chat, forbid_unknown_fields=True):
    """The chat of a plain message."""


class PlainAuthor(Part, forbid_unknown_fields=True):
    """The author of a plain message."""

    id: str
    type: Integer


class PlainContent(Part, forbid_unknown_fields=True):
    """The content of a plain message."""

    text: str | None = None
    parse_mode: str | None = None


class PlainMessage(Part, forbid_unknown_fields=True):
    """A plain message that lacks nothing and has nothing unknown in it, as most are; an `Envelope` takes any other."""

    message_id: str
    timestamp: Annotated[int, msgspec.Meta(ge=0, le=LAST_MILLISECOND)]
    author: PlainAuthor
    type: Literal[200]
    content: PlainContent
    chat_id: str | None = None
    chat: PlainChat | None = None
    reply_message_id: str | None = None
    is_edited: bool | None = None
    box: Box | None = None


Message = Envelope | PlainMessage
"""A message, however it was read."""


class EditedMessage(Part):
    """An edit; the servers known do not say of which message (`protocol` section 7.3)."""

    chat_id: str | None = None
    timestamp: Integer | None = None
    content: Content | None = None
    message_id: str | None = None


class RemovedMessage(Part):
    """A deletion (`protocol` section 7.4)."""

    chat_id: str | None = None
    message_id: str | None = None
    removed_by: Author | None = None


class ChatRecord(Part):
    """A new chat (`protocol` section 7.5)."""

    chat_id: str | None = None
    title: str | None = None
    chat_type: Integer | None = None


class Participant(Part):
    """A participant who came, went or got another role (`protocol` sections 7.6 and 7.7)."""

    timestamp: Integer | None = None
    chat_id: str | None = None
    user_id: str | None = None
    added_by: Author | None = None
    removed_by: Author | None = None
    role: str | Integer | None = None


class ChangedChat(Part):
    """A chat that was removed, cleared, or got another title or avatar (`protocol` sections 7.8 to 7.11)."""

    chat_id: str | None = None
    title: str | None = None


class Limits(Part):
    """New limits for uploads, of which the record keeps only that they came (`protocol` section 7.12)."""


class Progress(Part):
    """How far an upload is, in bytes (`protocol` section 7.13)."""

    file_id: str | None = None
    progress: Integer | None = None


class CommandSource(Part):
    """Where a button stands."""

    message: Envelope | None = None


class CommandPayload(Part):
    """What a button says."""

    command: str | None = None


class Command(Part):
    """A press of a button; the wire does not say whose (`protocol` section 7.15)."""

    command_source: CommandSource | None = None
    command_payload: CommandPayload | None = None


UNKNOWN: Final = "unknown"

_KINDS: Final[dict[str, tuple[str, type[Part], tuple[str, ...]]]] = {
    "sendMessage": ("message", Envelope, ("message_id", "type", "author", "timestamp")),
    "editMessage": ("edited_message", EditedMessage, ("chat_id", "content")),
    "removeMessage": ("removed_message", RemovedMessage, ("chat_id", "message_id")),
    "addChatParticipant": ("added_chat_participant", Participant, ("chat_id", "user_id")),
    "removeChatParticipant": ("removed_chat_participant", Participant, ("chat_id", "user_id")),
    "changeParticipantRole": ("changed_participant_role", Participant, ("chat_id", "user_id", "role")),
    "createP2PChat": ("created_personal_chat", ChatRecord, ("chat_id",)),
    "createGroupChat": ("created_group_chat", ChatRecord, ("chat_id",)),
    "createChannel": ("created_channel", ChatRecord, ("chat_id",)),
    "createFavoritesChat": ("created_favorites_chat", ChatRecord, ("chat_id",)),
    "removeChat": ("removed_chat", ChangedChat, ("chat_id",)),
    "editChatTitle": ("edited_chat_title", ChangedChat, ("chat_id", "title")),
    "editChatAvatar": ("edited_chat_avatar", ChangedChat, ("chat_id",)),
    "clearHistory": ("cleared_chat_history", ChangedChat, ("chat_id",)),
    "getFileUploadLimits": ("changed_file_upload_limits", Limits, ()),
    "uploadFileProgress": ("uploading_progress", Progress, ("file_id", "progress")),
    "command": ("callback_query", Command, ("command_source", "command_payload")),
}
"""By method: the name of the event, its structure, and the fields without which it says too little."""

EVENTS: Final = {method: event for method, (event, _, _) in _KINDS.items()}
"""The name of the event by the method that tells of it."""

MESSAGE: Final = "sendMessage"
"""The method that tells of a message."""

Told = tuple[str, Part | None, bool]
"""What a notification tells, as `decode` returns it."""


def _values(names: tuple[str, ...]) -> Callable[[Any], tuple[Any, ...]]:
    """Return what gives the values of some fields."""
    return attrgetter(*names) if len(names) > 1 else lambda part: tuple(getattr(part, name) for name in names)


_Reader = tuple[str, Callable[[Any], Part], Callable[[Any], Any]]
_READERS: Final[dict[str, _Reader]] = {
    method: (event, msgspec.json.Decoder(kind).decode, _values(needed))
    for method, (event, kind, needed) in _KINDS.items()
}
"""By method: the name of the event, what reads it, and what gives the fields that are needed."""

_PartType = TypeVar("_PartType", bound=Part)


def decode(method: str, payload: bytes | msgspec.Raw) -> Told:
    """Read the payload of a notification; never raises, whatever the server sends.

    Args:
        method: the method of the frame.
        payload: the JSON of its payload, as it came.

    Returns:
        The name of the event (`unknown` for an unknown method, or a payload that is not an object), its structure (None
        where the event is `unknown`), and whether everything needed was there and of the right type. A mistyped field
        is left out, and the others are kept.
    """
    reader = _READERS.get(method)
    if reader is None:
        return UNKNOWN, None, False
    event, read, needed = reader
    try:
        part = read(payload)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _salvage(method, payload)
    return event, part, None not in needed(part)


def well_formed(text: str) -> str:
    """Return a text without halves of surrogate pairs, which are no UTF-8: a sign of replacement stands for each."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def _salvage(method: str, payload: bytes | msgspec.Raw) -> tuple[str, Part | None, bool]:
    """Take from a flawed payload what is right in it."""
    event, kind, _ = _KINDS[method]
    try:
        content = lenient.lenient(bytes(payload)) if payload else {}
        if isinstance(content, dict):
            return event, _pick(kind, content), False
    except (ValueError, RecursionError):
        return UNKNOWN, None, False
    return UNKNOWN, None, False


def _pick(kind: type[_PartType], content: dict[str, Any]) -> _PartType:
    taken: dict[str, Any] = {}
    for field in msgspec.structs.fields(kind):
        value = _whole_number(content.get(field.encode_name))
        part = _part_of(field.type)
        if value is None:
            continue
        if part is not None:
            if isinstance(value, dict):
                taken[field.name] = _pick(part, value)
        elif isinstance(value, str) and _accepts(value, field.type):
            taken[field.name] = well_formed(value)
        elif _accepts(value, field.type):
            taken[field.name] = msgspec.convert(value, field.type)
    return kind(**taken)


def _accepts(value: Any, type: Any) -> bool:
    try:
        msgspec.convert(value, type)
    except (msgspec.ValidationError, RecursionError):
        return False
    return True


def _part_of(type: Any) -> Any:
    """Return the structure in `X | None`; None where X is a plain value."""
    options = typing.get_args(type) if isinstance(type, types.UnionType) else (type,)
    return next((option for option in options if isinstance(option, msgspec.StructMeta)), None)


def _whole_number(value: Any) -> Any:
    if not isinstance(value, float):
        return value
    if not math.isfinite(value):
        return None
    return int(value) if value.is_integer() else value
