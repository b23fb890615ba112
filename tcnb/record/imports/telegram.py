"""The JSON export of Telegram Desktop as an event frame; how rows are gathered is told in `gathering`."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from tcnb.errors import ArchiveError
from tcnb.record.imports.gathering import Rows, found, load_json, microseconds, mime_type, text_or_none

if TYPE_CHECKING:
    import pandas as pd

_CHAT_TYPES: Final = {
    "personal_chat": "p2p",
    "bot_chat": "p2p",
    "saved_messages": "favorites",
    "private_group": "group",
    "private_supergroup": "group",
    "public_supergroup": "group",
    "private_channel": "channel",
    "public_channel": "channel",
}
_MEDIA_TYPES: Final = {
    "sticker": "sticker/webp",
    "voice_message": "audio/ogg",
    "audio_file": "audio/mpeg",
    "video_file": "video/mp4",
    "video_message": "video/mp4",
    "animation": "video/mp4",
}


def read_telegram(path: str | os.PathLike[str]) -> pd.DataFrame:
    """Read an export of Telegram Desktop in its machine-readable form (JSON), of one chat or of the whole account.

    Args:
        path: `result.json`, or the folder with it.

    Returns:
        The columns of `tc.df`. The export says what messages are now, so an edited one has `is_edited` and its last
        text. Ids are those of Telegram, message ids with their chat's in front. What could not be read is listed in
        `attrs["problems"]`, with a warning.

    Raises:
        ArchiveError: there is no such file, or it is no such export.
    """
    file = found(path, "result.json")
    said = load_json(file)
    if not isinstance(said, dict) or not ("chats" in said or {"id", "messages"} <= said.keys()):
        raise ArchiveError(f"{file} is no JSON export of Telegram Desktop: it has neither chats nor one with messages")
    owner = _object(said.get("personal_information")).get("user_id")
    rows = Rows()
    chats = [said] if "messages" in said else _chats(said)
    rows.read_each(chats, "chats", lambda chat: _Chat(rows, chat, f"user{owner}").read())
    return rows.frame()


def _chats(said: Mapping[str, Any]) -> list[Any]:
    parts = [_object(said.get(name)).get("list", []) for name in ("chats", "left_chats")]
    return [chat for part in parts for chat in (part if isinstance(part, list) else [part])]


class _Chat:
    """One chat of an export."""

    def __init__(self, rows: Rows, said: Mapping[str, Any], owner: str) -> None:
        self._rows, self._said, self._owner = rows, said, owner
        self._id = str(said["id"])
        self._kind = _CHAT_TYPES.get(str(said.get("type")), "undefined")

    def read(self) -> None:
        title = text_or_none(self._said.get("name"))
        self._common = {"chat_id": self._id, "chat": title, "chat_type": self._kind}
        self._rows.read_each(self._said.get("messages"), f"chat {self._id}", self._record)

    def _record(self, said: Mapping[str, Any]) -> None:
        kind = said.get("type")
        if kind == "message":
            self._message(said)
        elif kind == "service":
            self._service(said)
        else:
            self._rows.note(f"chat {self._id}, message {said.get('id')}", f"unknown type {kind!r}")

    def _message(self, said: Mapping[str, Any]) -> None:
        author_id = text_or_none(said.get("from_id"))
        values = {
            **self._common,
            "timestamp": _when(said),
            "message_id": self._message_id(said["id"]),
            "author_id": author_id,
            "author": text_or_none(said.get("from")),
            "direction": "out" if author_id == self._owner else "in",
            "text": _plain(said.get("text")),
            "reply_to": self._message_id(said.get("reply_to_message_id")),
            "forwarded_from": text_or_none(said.get("forwarded_from")),
            "is_edited": bool(said.get("edited")),
            **_content(said),
        }
        if values["forwarded_from"] is not None and values.get("message_type") is None:
            values["message_type"] = "forwarded"
        self._rows.add(**{name: value for name, value in values.items() if name != "message_type" or value})

    def _service(self, said: Mapping[str, Any]) -> None:
        action = str(said.get("action"))
        common: dict[str, Any] = {
            **self._common,
            "timestamp": _when(said),
            "author_id": text_or_none(said.get("actor_id")),
            "author": text_or_none(said.get("actor")),
            "author_type": "user",
        }
        event = _EVENTS.get(action)
        if event is None:
            self._rows.add(**common, event="unknown", text=action)
        elif event.endswith("_participant"):
            members = said.get("members")
            for member in members if isinstance(members, list) and members else [common["author"]]:
                self._rows.add(**common, event=event, user_id=text_or_none(member))
        else:
            self._rows.add(**common, event=event, title=text_or_none(said.get("title")))

    def _message_id(self, number: object) -> str | None:
        return None if number is None else f"{self._id}/{number}"


_EVENTS: Final = {
    "create_group": "created_group_chat",
    "create_channel": "created_channel",
    "invite_members": "added_chat_participant",
    "join_group_by_link": "added_chat_participant",
    "join_group_by_request": "added_chat_participant",
    "remove_members": "removed_chat_participant",
    "edit_group_title": "edited_chat_title",
    "edit_group_photo": "edited_chat_avatar",
    "delete_group_photo": "edited_chat_avatar",
    "clear_history": "cleared_chat_history",
}


def _when(said: Mapping[str, Any]) -> int | None:
    """Return when it happened; the text form of the date is in the zone of the machine that exported."""
    return microseconds(said.get("date_unixtime") or said.get("date"))


def _plain(text: object) -> str | None:
    """Return a text without its markup: it is a string, or a list of strings and marked-up parts."""
    if isinstance(text, list):
        parts = [part if isinstance(part, str) else str(_object(part).get("text", "")) for part in text]
        return "".join(parts) or None
    return text_or_none(text)


def _content(said: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns of what a message carries besides its text."""
    for name, read in _CARRIED.items():
        if said.get(name):
            return read(said)
    return {}


def _location(said: Mapping[str, Any]) -> dict[str, Any]:
    place = _object(said["location_information"])
    return {
        "message_type": "location",
        "latitude": float(place["latitude"]),
        "longitude": float(place["longitude"]),
        "title": text_or_none(said.get("place_name")),
    }


def _poll(said: Mapping[str, Any]) -> dict[str, Any]:
    return {"message_type": "survey", "title": _plain(_object(said["poll"]).get("question"))}


def _photo(said: Mapping[str, Any]) -> dict[str, Any]:
    name = str(said["photo"]).rpartition("/")[2]
    return _file(name, said.get("photo_file_size"), mime_type(name) or "image/jpeg")


def _any_file(said: Mapping[str, Any]) -> dict[str, Any]:
    name = text_or_none(said.get("file_name")) or str(said["file"]).rpartition("/")[2]
    media = said.get("media_type")
    kind = "sticker/webp" if media == "sticker" else said.get("mime_type") or _MEDIA_TYPES.get(str(media))
    carried = _file(name, said.get("file_size"), text_or_none(kind) or mime_type(name))
    return {**carried, "message_type": "voice"} if media == "voice_message" else carried


def _contact(said: Mapping[str, Any]) -> dict[str, Any]:
    person = _object(said["contact_information"])
    name = " ".join(str(person[part]) for part in ("first_name", "last_name") if person.get(part))
    return _file(f"{name or 'contact'}.vcf", None, "text/vcard")


def _file(name: str, size: object, kind: str | None) -> dict[str, Any]:
    return {
        "message_type": "attachment",
        "file_name": name,
        "file_size": size if isinstance(size, int) and not isinstance(size, bool) else None,
        "mime_type": kind,
    }


_CARRIED: Final[dict[str, Callable[[Mapping[str, Any]], dict[str, Any]]]] = {
    "location_information": _location,
    "poll": _poll,
    "photo": _photo,
    "file": _any_file,
    "contact_information": _contact,
}


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
