"""The JSON export of Telegram Desktop as an event frame."""

from __future__ import annotations

import datetime
import json
import os
import re
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from tcnb.archive.readers.opening import Files, load_json, opened
from tcnb.archive.readers.row_builder import (
    Rows,
    an_object,
    given_path,
    id_or_none,
    microseconds,
    mime_type,
    objects,
    reactions,
    size_or_none,
    text_or_none,
)
from tcnb.arguments import check_zone
from tcnb.errors import ArchiveError

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
_WITHOUT_COLUMN: Final = {
    "via_bot": "names of bots by whose help a message was written",
    "inline_bot_buttons": "sets of buttons",
    "saved_from": "names of chats from which a message was saved",
    "sticker_emoji": "emoji that stickers stand for",
}
_RESULT: Final = re.compile(r"(?:.*/)?result[^/]*\.json")
# What stands instead of a path where a file was not exported; a name may stand in front of it.
_NOT_EXPORTED: Final = re.compile(
    r"(?<!\s)\s*+\((?:File|Photo|Video) (?:not included|exceeds maximum size|unavailable)\b[^()]*+\)$"
)
_NEVER: Final = ("1970-", "1969-")
"""How the time of the last edit begins, in exports before 2021, where there was none."""


def read_telegram(path: str | os.PathLike[str], *, tz: str | datetime.tzinfo | None = None) -> pd.DataFrame:
    """Read an export of Telegram Desktop in its machine-readable form (JSON), of one chat or of the whole account.

    Args:
        path: `result.json`, the folder with it, or a ZIP file of that folder. Several exports in one folder are read
            together; a message that is in more than one of them counts once.
        tz: the time zone of the computer that exported, such as "Europe/Moscow". Exports made before December 2021
            have no other times than local ones. Without it those are taken for UTC, with a warning.

    Returns:
        The columns of `tc.df`. The export says what messages are now, so an edited one has `is_edited` and its last
        text. Ids are those of Telegram, message ids with their chat's in front. `attrs["problems"]` lists what could
        not be read, with a warning, and then what the columns have no place for.

    Raises:
        ArchiveError: there is no such file, or it is no such export.
        UsageError: there is no such time zone.

    Example:
        `old = tcnb.read_telegram("ChatExport_2020-03-01", tz="Europe/Moscow")`
    """
    given = given_path(path)
    zone = tz if tz is None or isinstance(tz, datetime.tzinfo) else check_zone(tz)
    with opened(given) as files:
        names = _results(files, str(given))
        export = _Export(Rows(), zone, is_one=len(names) == 1)
        for name in names:
            where = str(given) if len(files) == 1 else f"{given}/{name}"
            try:
                export.read(load_json(files, name, where, export.rows.note), where)
            except ArchiveError as error:
                if len(names) == 1:
                    raise
                export.rows.note(name, error)
    return export.finished()


def _results(files: Files, given: str) -> list[str]:
    """Return the names of the files to read, the latest export first."""
    if len(files) == 1 and not next(iter(files)).lower().endswith((".html", ".htm")):
        return list(files)
    found = [name for name in files if _RESULT.fullmatch(name)]
    if not found:
        others = [name for name in files if name.endswith(".json")]
        nearest = min((name.count("/") for name in others), default=0)
        found = [name for name in others if name.count("/") == nearest]
    if found:
        return sorted(found, key=_numbered, reverse=True)
    if any(name.lower().endswith((".html", ".htm")) for name in files):
        raise ArchiveError(
            f"{given} is the HTML form of an export: export again in Telegram Desktop and choose the format "
            "'Machine-readable JSON'"
        )
    raise ArchiveError(f"{given} has no result.json: give the folder of the export, or its result.json")


def _numbered(name: str) -> list[tuple[int, str]]:
    """Return a key by which `result (2).json` is later than `result.json`, and `result (10).json` later than both."""
    return [
        (int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name.removesuffix(".json"))
    ]


class _Export:
    """What several files of one export, or several exports, have in common."""

    def __init__(self, rows: Rows, zone: datetime.tzinfo | None, *, is_one: bool) -> None:
        self.rows = rows
        self._zone = zone
        self._local_times = 0
        # A single export has every message once, and a set of a million ids is not small.
        self._read: set[str] | None = None if is_one else set()

    def read(self, said: Any, where: str) -> None:
        """Read what one file says.

        Raises:
            ArchiveError: it is no such export.
        """
        if not isinstance(said, Mapping) or not ("chats" in said or "left_chats" in said or _is_chat(said)):
            raise ArchiveError(
                f"{where} is no JSON export of Telegram Desktop: it has neither chats nor one with messages"
            )
        owner = id_or_none(an_object(said.get("personal_information")).get("user_id"))
        chats = [said] if "messages" in said else list(_chats(said))
        self.rows.read_each(chats, "chats", lambda chat: _Chat(self, chat, owner and f"user{owner}").read())

    def is_new(self, message_id: str) -> bool:
        """Tell whether a message was not read before, from an export that is later."""
        if self._read is None:
            return True
        if message_id in self._read:
            return False
        self._read.add(message_id)
        return True

    def when(self, said: Mapping[str, Any]) -> int | None:
        """Return when it happened; the text form of the date is in the zone of the computer that exported."""
        exact = said.get("date_unixtime")
        if exact:
            return microseconds(exact)
        if said.get("date") is None:
            raise ValueError("it has no date")
        if self._zone is None:
            self._local_times += 1
        return microseconds(said["date"], self._zone or datetime.UTC)

    def finished(self) -> pd.DataFrame:
        """Return the frame."""
        if self._local_times:
            self.rows.mark_gap(
                "this export has the local times of the computer that made it, which were taken for UTC (rows: "
                f"{self._local_times}): give its zone, as in read_telegram(…, tz='Europe/Moscow')"
            )
        return self.rows.frame()


def _is_chat(said: Mapping[str, Any]) -> bool:
    messages = said.get("messages")
    if not isinstance(messages, list):
        return False
    if "id" in said and "channel" not in said:
        return True
    return any("id" in one and one.get("type") in ("message", "service") for one in objects(messages))


def _chats(said: Mapping[str, Any]) -> Iterator[Any]:
    for name in ("chats", "left_chats"):
        part = said.get(name)
        listed = part if isinstance(part, list) else an_object(part).get("list", [])
        yield from listed if isinstance(listed, list) else [listed]


class _Chat:
    """One chat of an export."""

    def __init__(self, export: _Export, said: Mapping[str, Any], owner: str | None) -> None:
        self._export, self._rows, self._said, self._owner = export, export.rows, said, owner
        title = text_or_none(said.get("name"))
        self._id = id_or_none(said.get("id")) or title or "chat"
        kind = _CHAT_TYPES.get(str(said.get("type")), "undefined")
        self._common = {"chat_id": self._id, "chat": title, "chat_type": kind}
        self._ids: dict[str, str | None] = {}
        self._topics: set[int] = set()

    def read(self) -> None:
        """Add the rows of the chat."""
        messages = self._said.get("messages")
        for said in messages if isinstance(messages, list) else ():
            if isinstance(said, dict):
                self._learn(said)
        self._rows.read_each(messages, f"chat {self._id}", self._record)

    def _learn(self, said: Mapping[str, Any]) -> None:
        """Take note of a person's name, None for one that several have, and of topics."""
        is_service = said.get("type") == "service"
        if is_service and said.get("action") == "topic_created":
            number = said.get("id")
            self._topics.update([number] if isinstance(number, int) else ())
        name, person = (
            (said.get("actor"), said.get("actor_id")) if is_service else (said.get("from"), said.get("from_id"))
        )
        if name and isinstance(name, str) and person is not None:
            person_id = _peer(person)
            if self._ids.setdefault(name, person_id) != person_id:
                self._ids[name] = None

    def _record(self, said: Mapping[str, Any]) -> None:
        kind = said.get("type")
        if kind == "unsupported":
            self._rows.count("messages that Telegram Desktop itself could not export")
        elif kind not in ("message", "service"):
            self._rows.note(f"chat {self._id}, message {said.get('id')}", f"unknown type {kind!r}")
        elif self._export.is_new(f"{self._id}/{said['id']}"):
            if kind == "message":
                self._message(said)
            else:
                self._service(said)

    def _message(self, said: Mapping[str, Any]) -> None:
        author_id = _peer(said.get("from_id"))
        message_id = f"{self._id}/{said['id']}"
        text = _plain(said.get("text")) or _plain(said.get("text_entities"))
        carried = _content(said, message_id)
        values: dict[str, Any] = {
            **self._common,
            "timestamp": self._export.when(said),
            "message_id": message_id,
            "author_id": author_id,
            # A post of a channel, or of a group in whose name an administrator writes, may be signed.
            "author": text_or_none(said.get("author")) or text_or_none(said.get("from")),
            "direction": "out" if author_id is not None and author_id == self._owner else "in",
            "text": text,
            "reply_to": self._answered(said),
            "is_edited": _is_edited(said),
            **carried,
        }
        if text is not None:
            values["text"] = text
        if "forwarded_from" in said or "forwarded_from_id" in said or "saved_from" in said:
            values["message_type"] = "forwarded"
            values["forwarded_from"] = self._original_author(said)
        self._rows.add(**values)
        self._count(said)

    def _original_author(self, said: Mapping[str, Any]) -> str | None:
        """Return the id of who wrote what was forwarded; the name where the export has no more than that."""
        name = text_or_none(said.get("forwarded_from"))
        return _peer(said.get("forwarded_from_id")) or (name and (self._ids.get(name) or name))

    def _answered(self, said: Mapping[str, Any]) -> str | None:
        """Return which message of this chat a message answers; what is written in a topic does not answer its head."""
        number = said.get("reply_to_message_id")
        if number is None or (isinstance(number, int) and number in self._topics):
            return None
        peer = _peer(said.get("reply_to_peer_id"))
        if peer is not None and peer.lstrip("abcdefghijklmnopqrstuvwxyz") != self._id:
            self._rows.count("replies to messages of other chats")
            return None
        return f"{self._id}/{number}"

    def _count(self, said: Mapping[str, Any]) -> None:
        """Count what a message says and the columns have no place for."""
        if "reactions" in said:
            self._rows.count("reactions", reactions(said))
        for name, what in _WITHOUT_COLUMN.items():
            if said.get(name):
                self._rows.count(what)
        if "poll" in said:
            self._rows.count("answers of polls", len(objects(an_object(said["poll"]).get("answers"))))

    def _service(self, said: Mapping[str, Any]) -> None:
        action = text_or_none(said.get("action"))
        common: dict[str, Any] = {
            **self._common,
            "timestamp": self._export.when(said),
            "author_id": _peer(said.get("actor_id")),
            "author": text_or_none(said.get("actor")),
            "author_type": "user",
        }
        event = _EVENTS.get(action or "")
        title = text_or_none(said.get("title")) or text_or_none(said.get("new_title"))
        members = said.get("members")
        if event is None:
            said_besides = text_or_none(said.get("information_text")) or _plain(said.get("text"))
            text = ": ".join(filter(None, (action, said_besides))) or "service message"
            self._rows.add(**common, event="unknown", text=text, title=title)
        elif event.endswith("_participant"):
            # Who follows a link or whose request is granted is the actor; the inviter is the owner of the link.
            listed = members if isinstance(members, list) and members else None
            people = [common["author_id"]] if listed is None else map(self._member, listed)
            for person in people:
                self._rows.add(**common, event=event, user_id=person)
        else:
            self._rows.add(**common, event=event, title=title)
            if isinstance(members, list):
                self._rows.count("first members of new groups", len(members))

    def _member(self, name: object) -> str | None:
        """Return the id of a member, whom the export calls by name; the name if nobody or several here have it."""
        known = text_or_none(name)
        return known and (self._ids.get(known) or known)


def _peer(value: object) -> str | None:
    """Return an id as exports write it since 2021, such as `user4321`.

    Before, it was a number: that of a user, or with the kind in the bits above the 32nd.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        kind, number = value >> 32, value & 0xFFFFFFFF
        return f"chat{number}" if kind == 1 else f"channel{number}" if kind == 2 else f"user{value}"
    return text_or_none(value)


def _is_edited(said: Mapping[str, Any]) -> bool:
    edited = said.get("edited")
    return bool(edited) and not str(edited).startswith(_NEVER)


def _plain(text: object) -> str | None:
    """Return a text without its markup: it is a string, or a list of strings and marked-up parts."""
    if isinstance(text, list):
        parts = (part if isinstance(part, str) else _plain(an_object(part).get("text")) for part in text)
        return "".join(filter(None, parts)) or None
    return text_or_none(text)


def _content(said: Mapping[str, Any], message_id: str) -> dict[str, Any]:
    """Return the columns of what a message carries besides its text."""
    for name, read in _CARRIED.items():
        if said.get(name):
            carried = read(said)
            # Telegram's exports have no ids of files: a message carries one file at most, so its id will do.
            return {**carried, "file_id": message_id} if "file_name" in carried else carried
    if "location_information" in said or "place_name" in said:
        return _location(said)
    return {}


def _location(said: Mapping[str, Any]) -> dict[str, Any]:
    place = an_object(said.get("location_information"))
    title = ", ".join(filter(None, (text_or_none(said.get(part)) for part in ("place_name", "address"))))
    return {
        "message_type": "location",
        "latitude": float(place["latitude"]) if place else None,
        "longitude": float(place["longitude"]) if place else None,
        "title": title or None,
    }


def _poll(said: Mapping[str, Any]) -> dict[str, Any]:
    return {"message_type": "survey", "title": _plain(an_object(said["poll"]).get("question"))}


def _game(said: Mapping[str, Any]) -> dict[str, Any]:
    return _offered(said.get("game_title"), said.get("game_description"))


def _invoice(said: Mapping[str, Any]) -> dict[str, Any]:
    invoice = said["invoice_information"]
    # Telegram Desktop writes the object as a text.
    invoice = an_object(json.loads(invoice) if isinstance(invoice, str) else invoice)
    return _offered(invoice.get("title"), invoice.get("description"))


def _offered(title: object, description: object) -> dict[str, Any]:
    parts = filter(None, (text_or_none(title), text_or_none(description)))
    return {"title": text_or_none(title), "text": "\n".join(parts) or None}


def _photo(said: Mapping[str, Any]) -> dict[str, Any]:
    name = _file_name(said["photo"])
    return _file(name, said.get("photo_file_size"), mime_type(name) or "image/jpeg")


def _any_file(said: Mapping[str, Any]) -> dict[str, Any]:
    name = text_or_none(said.get("file_name")) or _file_name(said["file"])
    media = said.get("media_type")
    kind = "sticker/webp" if media == "sticker" else said.get("mime_type") or _MEDIA_TYPES.get(str(media))
    carried = _file(name, said.get("file_size"), text_or_none(kind) or mime_type(name))
    return {**carried, "message_type": "voice"} if media == "voice_message" else carried


def _contact(said: Mapping[str, Any]) -> dict[str, Any]:
    person = an_object(said["contact_information"])
    name = " ".join(str(person[part]) for part in ("first_name", "last_name") if person.get(part))
    return _file(f"{name or 'contact'}.vcf", None, "text/vcard")


def _file_name(path: object) -> str | None:
    """Return the name of a file; None where the file was not exported and the path says no more than that."""
    return _NOT_EXPORTED.sub("", str(path)).rpartition("/")[2] or None


def _file(name: str | None, size: object, kind: str | None) -> dict[str, Any]:
    return {"message_type": "attachment", "file_name": name, "file_size": size_or_none(size), "mime_type": kind}


_CARRIED: Final[dict[str, Callable[[Mapping[str, Any]], dict[str, Any]]]] = {
    "poll": _poll,
    "photo": _photo,
    "file": _any_file,
    "contact_information": _contact,
    "game_title": _game,
    "invoice_information": _invoice,
}
