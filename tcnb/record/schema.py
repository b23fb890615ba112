"""Which columns there are, of which types and with which meaning: tables of facts, and nothing that stores or computes.

The documentation of the columns is made from these tables.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from tcnb.types.enums import ChatType, EnvelopeAuthorType, MessageType
from tcnb.wire.notifications import EVENTS, UNKNOWN


class Kind(StrEnum):
    """How the values of a column are stored; the value is the dtype that pandas gives it."""

    INTEGER = "Int64"
    FLOAT = "Float64"
    BOOLEAN = "boolean"
    TIME = "datetime64[us, UTC]"
    TEXT = "string"
    CATEGORY = "category"


@dataclass(frozen=True)
class Column:
    """One column.

    Attributes:
        name: its name in a DataFrame.
        kind: its type.
        meaning: what stands in it, in words.
        categories: the categories that are always there, in this order, where the list is closed; otherwise the
            categories are what was seen, in the order in which it was.
    """

    name: str
    kind: Kind
    meaning: str
    categories: tuple[str, ...] = ()


EVENT_NAMES: Final = (*EVENTS.values(), UNKNOWN)
"""The names in `event`."""

CHANGES: Final = ("edited_message", "removed_message")
"""The events that change a message; their names in `event`."""

DIRECTIONS: Final = ("in", "out")
"""The names in `direction`."""

CHAT_TYPES: Final[dict[int | None, str]] = {
    ChatType.UNDEF: "undefined",
    ChatType.P2P: "p2p",
    ChatType.GROUP: "group",
    ChatType.SYSTEM: "system",
    ChatType.FAVORITES: "favorites",
    ChatType.CHANNEL: "channel",
}
"""The names in `chat_type`; another number stands there in digits."""

AUTHOR_TYPES: Final[dict[int | None, str]] = {EnvelopeAuthorType.SYSTEM: "system", EnvelopeAuthorType.USER: "user"}
"""The names in `author_type`; another number stands there in digits."""

MESSAGE_TYPES: Final[dict[int | None, str]] = {
    MessageType.ADD_PARTICIPANT: "add_participant",
    MessageType.REMOVE_PARTICIPANT: "remove_participant",
    MessageType.EDIT_CHAT_TITLE: "edit_chat_title",
    MessageType.EDIT_CHAT_AVATAR: "edit_chat_avatar",
    MessageType.CLEAR_CHAT_HISTORY: "clear_chat_history",
    MessageType.PARTICIPANT_ROLE: "participant_role",
    MessageType.PLAIN_MESSAGE: "plain",
    MessageType.FORWARDED_MESSAGE: "forwarded",
    MessageType.ATTACHMENT: "attachment",
    MessageType.LOCATION: "location",
    MessageType.SURVEY: "survey",
    MessageType.VOICE_MESSAGE: "voice",
}
"""The names in `message_type`; another number stands there in digits."""

ROLES: Final = ("owner", "admin", "user", "conf_owner", "conf_moderator", "favorites_owner", "writer")
"""The roles in the order of the numbers that one page of the connector's documentation gives them."""

COLUMNS: Final = (
    Column("seq", Kind.INTEGER, "position in the journal, strictly increasing"),
    Column("received", Kind.TIME, "when it reached (or left) this process"),
    Column(
        "timestamp",
        Kind.TIME,
        "when the server says it happened; missing where it does not say, or claims what cannot be (before 1970, or "
        "more than a day after it was received), unless it is an edit, a removal or our own doing: then when it was "
        "received",
    ),
    Column("event", Kind.CATEGORY, "what happened", EVENT_NAMES),
    Column("direction", Kind.CATEGORY, "`out` for what this account wrote, `in` for everything else", DIRECTIONS),
    Column("chat_id", Kind.CATEGORY, "id of the chat"),
    Column("chat", Kind.CATEGORY, "title of the chat, as last known then"),
    Column("chat_type", Kind.CATEGORY, "`p2p`, `group`, `system`, `favorites`, `channel` or `undefined`"),
    Column("message_id", Kind.TEXT, "id of the message; of a press of a button: the message that carries it"),
    Column("author_id", Kind.CATEGORY, "who did it, without `/resource`; missing where the server does not say"),
    Column("author", Kind.CATEGORY, "display name of the author, where known"),
    Column("author_type", Kind.CATEGORY, "`user` or `system`"),
    Column("message_type", Kind.CATEGORY, "of messages: " + ", ".join(f"`{name}`" for name in MESSAGE_TYPES.values())),
    Column("text", Kind.TEXT, "text without markup; of a press of a button: its command"),
    Column("parse_mode", Kind.CATEGORY, "how the text was marked up: `text`, `markdown` or `html`"),
    Column("reply_to", Kind.TEXT, "id of the message that this one answers"),
    Column("forwarded_from", Kind.TEXT, "id of the author of the forwarded message"),
    Column("is_edited", Kind.BOOLEAN, "of messages: whether it had been edited before it came"),
    Column("user_id", Kind.CATEGORY, "the participant that the event is about"),
    Column("role", Kind.CATEGORY, "the participant's role"),
    Column("title", Kind.TEXT, "the title that the event is about: of a chat, a survey or a place"),
    Column("file_id", Kind.TEXT, "id of the file"),
    Column("file_name", Kind.TEXT, "name of the file"),
    Column("file_size", Kind.INTEGER, "size of the file in bytes"),
    Column("mime_type", Kind.CATEGORY, "type of the file"),
    Column("latitude", Kind.FLOAT, "degrees north"),
    Column("longitude", Kind.FLOAT, "degrees east"),
    Column("progress", Kind.INTEGER, "bytes that have reached the server so far"),
)
"""The columns of the event frame, in order."""

ORIGINS: Final = ("live", "redelivered", "history", "sent", "found")
"""Ways in which an event came into the record, the names in `origin`: told as it happened; sent again because it had
come while this account was away; read from the past of a chat; our own doing; told by nobody, and found out since."""

ORIGIN: Final = Column("origin", Kind.CATEGORY, "how it came: " + ", ".join(f"`{name}`" for name in ORIGINS), ORIGINS)
"""How an event came; it stands beside the event frame, whose columns are fixed."""

NAMES: Final = tuple(column.name for column in COLUMNS)
"""The names of the columns of the event frame, in order."""

_EVENT_COLUMNS: Final = {column.name: column for column in COLUMNS}

_WRITTEN: Final = Column("timestamp", Kind.TIME, "when the server says it happened; missing where it does not say")

MESSAGES: Final = (
    _EVENT_COLUMNS["message_id"],
    _EVENT_COLUMNS["chat_id"],
    Column("chat", Kind.CATEGORY, "title of the chat, as last known"),
    _EVENT_COLUMNS["author_id"],
    Column("author", Kind.CATEGORY, "display name of the author, where known by now"),
    _EVENT_COLUMNS["author_type"],
    _WRITTEN,
    Column("text", Kind.TEXT, "text without markup, as it is now"),
    _EVENT_COLUMNS["message_type"],
    _EVENT_COLUMNS["reply_to"],
    _EVENT_COLUMNS["forwarded_from"],
    Column("edits", Kind.INTEGER, "how many edits of it were recorded"),
    Column("edited_at", Kind.TIME, "when it was edited last"),
    Column("removed", Kind.BOOLEAN, "whether it was removed"),
    Column("removed_at", Kind.TIME, "when it was removed, as received: the server does not say"),
    *(_EVENT_COLUMNS[name] for name in ("file_id", "file_name", "file_size", "mime_type")),
    ORIGIN,
    Column("replies", Kind.INTEGER, "how many messages that were not removed reply to it, its author's own among them"),
    Column("first_reply_seconds", Kind.FLOAT, "how long after it somebody else replied for the first time, in seconds"),
    Column("first_reply_by_id", Kind.CATEGORY, "who that was; missing where nobody else replied"),
    Column("first_reply_by", Kind.CATEGORY, "display name of whoever that was, where known by now"),
)
"""The columns of the messages, in order."""

CHATS: Final = (
    _EVENT_COLUMNS["chat_id"],
    Column("chat", Kind.CATEGORY, "title of the chat, as last known"),
    _EVENT_COLUMNS["chat_type"],
    Column("messages", Kind.INTEGER, "how many messages of people were recorded in it"),
    Column("people", Kind.INTEGER, "how many people wrote them"),
    Column("first", Kind.TIME, "when the earliest of them was written"),
    Column("last", Kind.TIME, "when the latest of them was written"),
)
"""The columns of the chats, in order."""

PEOPLE: Final = (
    _EVENT_COLUMNS["author_id"],
    Column("author", Kind.CATEGORY, "display name, where known"),
    Column("messages", Kind.INTEGER, "how many messages of this person were recorded"),
    Column("chats", Kind.INTEGER, "in how many chats"),
    Column("first", Kind.TIME, "when the earliest of them was written"),
    Column("last", Kind.TIME, "when the latest of them was written"),
)
"""The columns of the people, in order."""


_MESSAGE_COLUMNS: Final = {column.name: column for column in MESSAGES}

FILES: Final = tuple(
    _MESSAGE_COLUMNS[name]
    for name in (
        *("message_id", "chat_id", "chat", "author_id", "author", "timestamp"),
        *("file_id", "file_name", "file_size", "mime_type", "removed"),
    )
)
"""The columns of the files, in order."""

EDITS: Final = (
    Column("message_id", Kind.TEXT, "id of the message that was edited; missing where nobody knows which it was"),
    _EVENT_COLUMNS["chat_id"],
    _EVENT_COLUMNS["chat"],
    Column("author_id", Kind.CATEGORY, "whose message it is, without `/resource`; missing where that is not known"),
    Column("author", Kind.CATEGORY, "display name of that person, where known"),
    Column("timestamp", Kind.TIME, "when it was edited; where the server does not say, when that was noticed"),
    Column("text_before", Kind.TEXT, "what the message said before, as far as the record knows; without markup"),
    Column("text", Kind.TEXT, "what it said then, without markup; missing where the edit says no text"),
)
"""The columns of the edits, in order."""


def markdown(columns: Iterable[Column]) -> str:
    """Return a table of `columns` in markdown, for the documentation."""
    lines = ["| column | type | meaning |", "|---|---|---|"]
    lines += [f"| `{column.name}` | {column.kind} | {column.meaning} |" for column in columns]
    return "\n".join(lines) + "\n"
