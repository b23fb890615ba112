"""What the feed says of a row: its kind, its short form for the page, and which filters it passes; no widget here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from tcnb.console import one_line
from tcnb.record.timeline import Condition, Place, time_of

Row = Mapping[str, Any]
"""A row of the record: the columns of `tc.df`, times in whole milliseconds since 1970, None for what is missing."""

LONGEST_TEXT: Final = 4096
"""Characters of a text that travel to the front end: the connector's own limit (`protocol` section 6.4)."""

SHORT_NAMES: Final[Mapping[str, str]] = {
    "seq": "s",
    "chat_id": "c",
    "chat": "n",
    "message_id": "m",
    "author_id": "a",
    "author": "w",
    "reply_to": "r",
    "forwarded_from": "f",
    "user_id": "u",
    "role": "l",
    "title": "h",
    "file_name": "d",
    "file_size": "z",
    "mime_type": "i",
    "latitude": "y",
    "longitude": "j",
    "progress": "p",
}
"""Column → its key in the short form.

Added are `t` time in the timeline, `k` kind, `x` text, `q` its full length, `g` whether it has markup, `o` own,
`e` edited, `v` the name of what is unknown, `b` what was forwarded where that is no text, and `late` for what came some
time after it had happened."""

_NAMES: Final = tuple(SHORT_NAMES[column] for column in ("chat", "author", "title", "role", "file_name", "mime_type"))
"""Keys of what strangers call something: shown in one line, without marks that make it read otherwise."""

LATE: Final = frozenset({"redelivered", "history"})
"""Origins (`schema.ORIGINS`) of what came some time after it had happened."""

KIND_OF_EVENT: Final[Mapping[str, str]] = {
    "edited_message": "edit",
    "removed_message": "remove",
    "added_chat_participant": "join",
    "removed_chat_participant": "leave",
    "changed_participant_role": "role",
    "created_personal_chat": "new_personal",
    "created_group_chat": "new_group",
    "created_channel": "new_channel",
    "created_favorites_chat": "new_favorites",
    "removed_chat": "chat_removed",
    "edited_chat_title": "title",
    "edited_chat_avatar": "avatar",
    "cleared_chat_history": "cleared",
    "changed_file_upload_limits": "limits",
    "uploading_progress": "progress",
    "callback_query": "press",
}

KIND_OF_MESSAGE: Final[Mapping[str, str]] = {
    "plain": "text",
    "forwarded": "forward",
    "location": "location",
    "survey": "survey",
    "voice": "voice",
    "add_participant": "join",
    "remove_participant": "leave",
    "edit_chat_title": "title",
    "edit_chat_avatar": "avatar",
    "clear_chat_history": "cleared",
    "participant_role": "role",
}


def kind_of(row: Row) -> str:
    """Name what a row is, in one word that the front end knows; `unknown` for what nobody knows yet.

    Source: `protocol` sections 5.2, 5.3 and 7.1.
    """
    event = row.get("event")
    if event != "message":
        return KIND_OF_EVENT.get(str(event), "unknown")
    message_type = str(row.get("message_type") or "").removesuffix("_message")
    if message_type == "attachment":
        return _kind_of_file(row.get("mime_type") or "")
    return KIND_OF_MESSAGE.get(message_type, "unknown")


def forwarded_kind(row: Row) -> str:
    """Name what was forwarded, told by the columns that only such a message fills; `text` also for what was not."""
    if row.get("event") != "message" or kind_of(row) != "forward":
        return "text"
    if row.get("file_id") or row.get("mime_type"):
        return _kind_of_file(row.get("mime_type") or "")
    if row.get("latitude") is not None:
        return "location"
    return "survey" if row.get("title") else "text"


def _kind_of_file(mime_type: str) -> str:
    if mime_type.startswith("sticker/"):
        return "sticker"
    if mime_type == "text/vcard":
        return "contact"
    family = mime_type.partition("/")[0]
    return {"image": "photo", "video": "video", "audio": "audio"}.get(family, "file")


def is_own(row: Row, me_id: str | None) -> bool:
    """Say whether this account wrote the row; ids are compared without regard to case (`protocol` section 2.5)."""
    if row.get("direction") == "out":
        return True
    author = row.get("author_id")
    return bool(me_id) and isinstance(author, str) and author.casefold() == str(me_id).casefold()


def short_form(row: Row, me_id: str | None = None) -> dict[str, Any]:
    """Give what the front end shows of a row, under one-letter keys (`SHORT_NAMES`), missing values left out."""
    short = {key: row[column] for column, key in SHORT_NAMES.items() if row.get(column) is not None}
    short |= {key: one_line(short[key]) for key in _NAMES if key in short}
    short["k"] = kind_of(row)
    short["t"] = time_of(row.get("timestamp"), row.get("received") or 0)
    text = row.get("text")
    if text:
        short["x"] = text[:LONGEST_TEXT]
        if len(text) > LONGEST_TEXT:
            short["q"] = len(text)
        elif row.get("parse_mode") in ("markdown", "html"):
            short["g"] = 1
    if is_own(row, me_id):
        short["o"] = 1
    if row.get("is_edited"):
        short["e"] = 1
    forwarded = forwarded_kind(row)
    if forwarded != "text":
        short["b"] = forwarded
    if row.get("origin") in LATE:
        short["late"] = 1
    if short["k"] == "unknown":
        short["v"] = one_line(row.get("message_type") or row.get("event") or "?")
    return short


def place_of(row: Row) -> Place:
    """Return where a row of the record stands in the timeline."""
    return Place(time_of(row.get("timestamp"), row.get("received") or 0), row["seq"])


def of_chats(row: Row, chats: frozenset[str]) -> bool:
    """Say whether a row belongs to one of the chats; no chats means all.

    Args:
        row: the row.
        chats: ids; that of a person stands for the personal chat, which is known by what that person says in it.
    """
    return not chats or row.get("chat_id") in chats or personal_chat_of(row, chats) is not None


def personal_chat_of(row: Row, people: frozenset[str]) -> str | None:
    """Return the chat of a row if one of the people wrote it to this account alone; None otherwise."""
    author = row.get("author_id")
    is_theirs = row.get("chat_type") == "p2p" and isinstance(author, str) and author.casefold() in people
    return row.get("chat_id") if is_theirs else None


@dataclass(frozen=True, slots=True)
class Filter:
    """What a person picked in the front end: one chat, one author, some kinds, a text; empty means everything."""

    chat: str = ""
    author: str = ""
    kinds: frozenset[str] = frozenset()
    text: str = ""

    @classmethod
    def from_request(cls, value: object) -> Self:
        """Read the filter of a request, where everything may be missing."""
        asked = value if isinstance(value, Mapping) else {}
        return cls(
            chat=str(asked.get("chat") or ""),
            author=str(asked.get("author") or ""),
            kinds=frozenset(map(str, asked.get("kinds") or ())),
            text=str(asked.get("text") or "").lower(),
        )

    def picks(self, row: Row) -> bool:
        """Say whether the chat, the author and the kind of a row pass; `passes` in `feed.js` says the same there."""
        if self.chat and row.get("chat_id") != self.chat:
            return False
        if self.author and row.get("author_id") != self.author:
            return False
        return not self.kinds or kind_of(row) in self.kinds

    def finds(self, short: Mapping[str, Any]) -> bool:
        """Say whether the text that is looked for stands in a row, given in its short form."""
        return not self.text or any(self.text in str(short.get(key) or "").lower() for key in ("x", "d", "h", "w"))

    def condition(self, chats: frozenset[str]) -> Condition | None:
        """Return which rows are to be read from the record, of these chats alone; None if all are."""
        if not (chats or self.chat or self.author or self.kinds):
            return None
        return Condition(_PICKED_BY, lambda row: of_chats(row, chats) and self.picks(row))


_PICKED_BY: Final = ("chat_id", "chat_type", "author_id", "event", "message_type", "mime_type")
