"""Exports of Discord as an event frame: of DiscordChatExporter, and the data package that Discord hands out itself."""

from __future__ import annotations

import csv
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tcnb.errors import ArchiveError
from tcnb.record.imports.gathering import Rows, given_path, load_json, microseconds, mime_type, text_or_none, walk

if TYPE_CHECKING:
    import pandas as pd

_SAID: Final = frozenset({"Default", "Reply", "ChatInputCommand", "ContextMenuCommand", "ThreadStarterMessage"})
_EVENTS: Final = {
    "RecipientAdd": "added_chat_participant",
    "GuildMemberJoin": "added_chat_participant",
    "RecipientRemove": "removed_chat_participant",
    "ChannelNameChange": "edited_chat_title",
    "ChannelIconChange": "edited_chat_avatar",
}
_STICKER_TYPE: Final = "sticker/webp"


def read_discord(path: str | os.PathLike[str]) -> pd.DataFrame:
    """Read an export of Discord.

    Args:
        path: a JSON file of DiscordChatExporter, a folder of such files, or the unpacked data package of Discord (which
            holds the own messages only).

    Returns:
        The columns of `tc.df`. Ids are those of Discord. What could not be read is listed in `attrs["problems"]`, with
        a warning.

    Raises:
        ArchiveError: there is no such place, or no such export in it.
    """
    given = given_path(path)
    rows = Rows()
    if given.is_file():
        _exported(rows, given, load_json(given))
        return rows.frame()
    if not given.is_dir():
        raise ArchiveError(f"{given} is not there: give a JSON file, or the folder of the export")
    channels = list(walk(given, "**/channel.json"))
    if channels:
        for channel in channels:
            _package(rows, channel.parent)
        return rows.frame()
    files = list(walk(given, "**/*.json"))
    if not files:
        raise ArchiveError(f"{given} holds no JSON file of an export of Discord")
    for file in files:
        try:
            _exported(rows, file, load_json(file))
        except ArchiveError as error:
            rows.note(file.name, error)
    return rows.frame()


def _exported(rows: Rows, file: Path, said: Any) -> None:
    """Read a file of DiscordChatExporter."""
    if not isinstance(said, dict) or not isinstance(said.get("channel"), dict) or "messages" not in said:
        raise ArchiveError(f"{file} is no JSON export of DiscordChatExporter: it has no channel with messages")
    channel, guild = said["channel"], said.get("guild")
    kind = str(channel.get("type", ""))
    title = text_or_none(channel.get("name"))
    place = text_or_none(guild.get("name")) if isinstance(guild, dict) else None
    is_private = kind.startswith("Direct") and "Group" not in kind
    common = {
        "chat_id": str(channel["id"]),
        "chat": f"{place} / {title}" if place and title and not kind.startswith("Direct") else title,
        "chat_type": "p2p" if is_private else "group",
    }
    rows.read_each(said["messages"], file.name, lambda message: _record(rows, message, common))


def _record(rows: Rows, said: Mapping[str, Any], channel: dict[str, Any]) -> None:
    kind = str(said.get("type", "Default"))
    author = said.get("author")
    author = author if isinstance(author, Mapping) else {}
    common = {
        **channel,
        "timestamp": microseconds(said["timestamp"]),
        "author_id": None if author.get("id") is None else str(author["id"]),
        "author": text_or_none(author.get("nickname")) or text_or_none(author.get("name")),
    }
    if kind in _SAID:
        reference = said.get("reference")
        answered = reference.get("messageId") if isinstance(reference, Mapping) and kind == "Reply" else None
        rows.add_with_files(
            [*_files(said.get("attachments")), *_stickers(said.get("stickers"))],
            **common,
            message_id=str(said["id"]),
            text=text_or_none(said.get("content")),
            reply_to=None if answered is None else str(answered),
            is_edited=said.get("timestampEdited") is not None,
        )
    elif kind in _EVENTS:
        mentions = said.get("mentions")
        people = [str(one["id"]) for one in mentions] if isinstance(mentions, list) and mentions else []
        for user_id in people or [common["author_id"]]:
            rows.add(**common, event=_EVENTS[kind], author_type="user", user_id=user_id)
    else:
        rows.add(**common, event="unknown", author_type="system", text=kind)


def _files(said: object) -> list[dict[str, Any]]:
    files = [one for one in said if isinstance(one, Mapping)] if isinstance(said, list) else []
    return [
        {
            "file_id": None if one.get("id") is None else str(one["id"]),
            "file_name": text_or_none(one.get("fileName")),
            "file_size": one.get("fileSizeBytes") if isinstance(one.get("fileSizeBytes"), int) else None,
            "mime_type": mime_type(text_or_none(one.get("fileName"))),
        }
        for one in files
    ]


def _stickers(said: object) -> list[dict[str, Any]]:
    stickers = [one for one in said if isinstance(one, Mapping)] if isinstance(said, list) else []
    return [
        {"file_id": str(one.get("id")), "file_name": text_or_none(one.get("name")), "mime_type": _STICKER_TYPE}
        for one in stickers
    ]


def _package(rows: Rows, folder: Path) -> None:
    """Read one channel of Discord's own data package."""
    try:
        channel = load_json(folder / "channel.json")
        messages = _package_messages(folder)
    except ArchiveError as error:
        rows.note(folder.name, error)
        return
    channel = channel if isinstance(channel, dict) else {}
    kind = channel.get("type")
    common = {
        "chat_id": str(channel.get("id", folder.name)),
        "chat": text_or_none(channel.get("name")),
        "chat_type": "p2p" if kind in (1, "DM") else "group",
        "direction": "out",
    }
    rows.read_each(messages, folder.name, lambda said: _own_message(rows, said, common))


def _package_messages(folder: Path) -> Any:
    file = folder / "messages.json"
    if file.is_file():
        return load_json(file)
    try:
        with (folder / "messages.csv").open(newline="", encoding="utf-8") as stream:
            return list(csv.DictReader(stream))
    except OSError as error:
        raise ArchiveError(f"{folder} has neither messages.json nor messages.csv") from error


def _own_message(rows: Rows, said: Mapping[str, Any], common: dict[str, Any]) -> None:
    links = str(said.get("Attachments") or "").split()
    names = [link.partition("?")[0].rpartition("/")[2] for link in links]
    rows.add_with_files(
        [{"file_name": name, "mime_type": mime_type(name)} for name in names],
        **common,
        timestamp=microseconds(said["Timestamp"]),
        message_id=str(said["ID"]),
        text=text_or_none(said.get("Contents")),
    )
