"""Exports of Discord as an event frame: of DiscordChatExporter, and the data package that Discord hands out itself."""

from __future__ import annotations

import csv
import io
import os
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote

from tcnb.archive.readers.opening import UNREADABLE, Files, load_json, opened
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
from tcnb.errors import ArchiveError

if TYPE_CHECKING:
    import pandas as pd

_KINDS: Final = {
    "0": "Default",
    "1": "RecipientAdd",
    "2": "RecipientRemove",
    "3": "Call",
    "4": "ChannelNameChange",
    "5": "ChannelIconChange",
    "6": "ChannelPinnedMessage",
    "7": "GuildMemberJoin",
    "8": "GuildBoost",
    "9": "GuildBoostTier1",
    "10": "GuildBoostTier2",
    "11": "GuildBoostTier3",
    "12": "ChannelFollowAdd",
    "14": "GuildDiscoveryDisqualified",
    "15": "GuildDiscoveryRequalified",
    "16": "GuildDiscoveryGracePeriodInitialWarning",
    "17": "GuildDiscoveryGracePeriodFinalWarning",
    "18": "ThreadCreated",
    "19": "Reply",
    "20": "ChatInputCommand",
    "21": "ThreadStarterMessage",
    "22": "GuildInviteReminder",
    "23": "ContextMenuCommand",
    "24": "AutoModerationAction",
    "25": "RoleSubscriptionPurchase",
    "26": "InteractionPremiumUpsell",
    "27": "StageStart",
    "28": "StageEnd",
    "29": "StageSpeaker",
    "31": "StageTopic",
    "32": "GuildApplicationPremiumSubscription",
    "36": "GuildIncidentAlertModeEnabled",
    "37": "GuildIncidentAlertModeDisabled",
    "38": "GuildIncidentReportRaid",
    "39": "GuildIncidentReportFalseAlarm",
    "44": "PurchaseNotification",
    "46": "PollResult",
}
"""The kinds of messages by their numbers (Discord's page "Message Types").

DiscordChatExporter has words for a few of them and writes the others as numbers.
"""

_SAID: Final = frozenset({"Default", "Reply", "ChatInputCommand", "ContextMenuCommand", "ThreadStarterMessage"})
_EVENTS: Final = {
    "RecipientAdd": "added_chat_participant",
    "GuildMemberJoin": "added_chat_participant",
    "RecipientRemove": "removed_chat_participant",
    "ChannelNameChange": "edited_chat_title",
    "ChannelIconChange": "edited_chat_avatar",
}
_STICKER_TYPE: Final = "sticker/webp"
_OWN_FILES: Final = re.compile(r"_Files(?: \[part \d+\])?/")
"""The folder beside an export into which DiscordChatExporter puts what was attached."""

_EXPORTED_AT: Final = re.compile(rb'"exportedAt"\s*:\s*"([^"]+)"')
_WRITTEN_AT: Final = re.compile(rb'"timestamp"\s*:\s*"([^"]+)"')
_END: Final = 65_536
"""Bytes at either end of an export in which those times are looked for."""

_ATTACHMENT: Final = re.compile(r"/attachments/\d+/(\d+)/")


def read_discord(path: str | os.PathLike[str]) -> pd.DataFrame:
    """Read an export of Discord.

    Args:
        path: a JSON file of DiscordChatExporter, a folder of such files, or the data package of Discord (which holds
            the own messages only); folders may be in a ZIP file. A message that is in several exports counts once, as
            the latest of them has it.

    Returns:
        The columns of `tc.df`. Ids are those of Discord. `attrs["problems"]` lists what could not be read, with a
        warning, and then what the columns have no place for.

    Raises:
        ArchiveError: there is no such place, or no such export in it.
    """
    given = given_path(path)
    rows = Rows()
    with opened(given) as files:
        channels = [name for name in files if name.rpartition("/")[2] == "channel.json"]
        if channels:
            _Package(rows, files).read(channels)
        else:
            _Exports(rows, files, str(given)).read()
    return rows.frame()


class _Exports:
    """Files of DiscordChatExporter."""

    def __init__(self, rows: Rows, files: Files, given: str) -> None:
        self._rows, self._files, self._given = rows, files, given
        self._is_one = False
        self._read: set[str] = set()

    def read(self) -> None:
        """Read all files, the latest first, so that a message which is in several is read as it was last.

        Raises:
            ArchiveError: there is no such file, or the only one is none.
        """
        names = [name for name in self._files if name.lower().endswith(".json") and not _OWN_FILES.search(name)]
        if len(self._files) == 1:
            names = list(self._files)
        if not names:
            form = next((name for name in self._files if name.lower().endswith((".html", ".csv", ".txt"))), None)
            hint = f": {form} has another form, export again and choose JSON" if form else ""
            raise ArchiveError(f"{self._given} holds no JSON file of an export of Discord{hint}")
        self._is_one = len(names) == 1
        for name in sorted(names, key=self._exported_at, reverse=True):
            where = self._given if len(self._files) == 1 else name
            try:
                said = _export(load_json(self._files, name, where, self._rows.note), where)
            except ArchiveError as error:
                if self._is_one:
                    raise
                self._rows.note(name, error)
            else:
                self._channel(name, said)

    def _exported_at(self, name: str) -> tuple[int, str]:
        """Return a key by which a later export is greater: when it was made, else when its last message was written.

        Only the ends of the file are looked at: all exports of a guild together may not fit into memory.
        """
        if self._is_one:
            return 0, name
        try:
            data = self._files[name]()
            moments = _EXPORTED_AT.findall(data[:_END]) or _WRITTEN_AT.findall(data[-_END:])[-1:]
            return microseconds(moments[0].decode()) or 0, name
        except (IndexError, ValueError, *UNREADABLE):
            return 0, name

    def _channel(self, name: str, said: Mapping[str, Any]) -> None:
        channel = said["channel"]
        kind = str(channel.get("type", ""))
        is_private = kind in ("1", "DirectTextChat")
        is_direct = is_private or kind == "3" or kind.startswith("Direct")
        title = text_or_none(channel.get("name"))
        common = {
            "chat_id": str(channel["id"]),
            "chat": title if is_direct else _title(title, an_object(said.get("guild")).get("name")),
            "chat_type": "p2p" if is_private else "group",
        }
        self._rows.read_each(said["messages"], name, lambda message: self._record(message, common))

    def _record(self, said: Mapping[str, Any], channel: dict[str, Any]) -> None:
        message_id = str(said["id"])
        if not self._is_one:
            if message_id in self._read:
                return
            self._read.add(message_id)
        kind = str(said.get("type", "Default"))
        kind = _KINDS.get(kind, kind)
        author = an_object(said.get("author"))
        common = {
            **channel,
            "timestamp": microseconds(said["timestamp"]),
            "author_id": id_or_none(author.get("id")),
            "author": text_or_none(author.get("nickname")) or text_or_none(author.get("name")),
        }
        if kind in _SAID:
            self._message(said, kind, message_id, common)
        elif kind in _EVENTS:
            title = _new_title(said.get("content")) if kind == "ChannelNameChange" else None
            people = [id_or_none(one.get("id")) for one in objects(said.get("mentions"))] or [common["author_id"]]
            for user_id in people if _EVENTS[kind].endswith("_participant") else [None]:
                self._rows.add(**common, event=_EVENTS[kind], author_type="user", user_id=user_id, title=title)
        else:
            text = ": ".join(filter(None, (kind, text_or_none(said.get("content")))))
            self._rows.add(**common, event="unknown", author_type="system", text=text)

    def _message(self, said: Mapping[str, Any], kind: str, message_id: str, common: dict[str, Any]) -> None:
        reference, forwarded = an_object(said.get("reference")), an_object(said.get("forwardedMessage"))
        sources = [said, forwarded] if forwarded else [said]
        texts = [self._text(source, said) for source in sources]
        values: dict[str, Any] = {
            **common,
            "message_id": message_id,
            "text": "\n".join(filter(None, texts)) or None,
            "reply_to": self._answered(reference, common["chat_id"]) if kind == "Reply" else None,
            "is_edited": said.get("timestampEdited") is not None,
        }
        if forwarded or reference.get("type") == "Forward":
            values["message_type"] = "forwarded"
        poll = an_object(said.get("poll"))
        if poll:
            question = poll.get("question")
            title = text_or_none(an_object(question).get("text")) or text_or_none(question)
            values |= {"message_type": "survey", "title": title}
            self._rows.count("answers of polls", len(objects(poll.get("answers"))))
        files = [file for source in sources for file in (*_files(source), *_stickers(source))]
        self._rows.add_with_files(files, **values)
        if said.get("reactions"):
            self._rows.count("reactions", reactions(said))
        if said.get("components"):
            self._rows.count("sets of buttons")

    def _text(self, source: Mapping[str, Any], said: Mapping[str, Any]) -> str | None:
        """Return what is written in a message: its text, and what embeds say unless they are previews of links."""
        content = text_or_none(source.get("content"))
        embeds = objects(source.get("embeds"))
        if not embeds:
            return content
        if content is not None and not an_object(said.get("author")).get("isBot"):
            self._rows.count("previews of links", len(embeds))
            return content
        return "\n".join(filter(None, (content, *map(_embedded, embeds)))) or None

    def _answered(self, reference: Mapping[str, Any], chat_id: str) -> str | None:
        if id_or_none(reference.get("channelId")) not in (None, chat_id):
            self._rows.count("replies to messages of other chats")
            return None
        return id_or_none(reference.get("messageId"))


def _export(said: Any, where: str) -> Mapping[str, Any]:
    """Return what a file of DiscordChatExporter says.

    Raises:
        ArchiveError: it is none.
    """
    if not isinstance(said, Mapping) or "messages" not in said or "id" not in an_object(said.get("channel")):
        raise ArchiveError(f"{where} is no JSON export of DiscordChatExporter: it has no channel with messages")
    return said


def _title(title: str | None, guild: object) -> str | None:
    return f"{guild} / {title}" if title and text_or_none(guild) else title


def _new_title(content: object) -> str | None:
    """Return the title in the sentence that DiscordChatExporter writes for a new one."""
    found = re.search(r"changed the channel name: (.+?)\.?$", content) if isinstance(content, str) else None
    return found[1] if found else None


def _embedded(embed: Mapping[str, Any]) -> str:
    """Return what an embed says."""
    fields = (
        ": ".join(filter(None, map(text_or_none, (field.get("name"), field.get("value")))))
        for field in objects(embed.get("fields"))
    )
    author, footer = an_object(embed.get("author")).get("name"), an_object(embed.get("footer")).get("text")
    parts = (author, embed.get("title"), embed.get("description"), *fields, footer)
    return "\n".join(filter(None, map(text_or_none, parts))) or text_or_none(embed.get("url")) or ""


def _files(said: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            "file_id": id_or_none(one.get("id")),
            "file_name": text_or_none(one.get("fileName")),
            "file_size": size_or_none(one.get("fileSizeBytes")),
            "mime_type": mime_type(text_or_none(one.get("fileName"))),
        }
        for one in objects(said.get("attachments"))
    ]


def _stickers(said: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        {"file_id": id_or_none(one.get("id")), "file_name": text_or_none(one.get("name")), "mime_type": _STICKER_TYPE}
        for one in objects(said.get("stickers"))
    ]


class _Package:
    """The data package of Discord, with the messages of one person; the names of its folders differ by language."""

    def __init__(self, rows: Rows, files: Files) -> None:
        self._rows, self._files = rows, files
        self._titles: dict[str, Mapping[str, Any]] = {}
        self._owner: dict[str, Any] = {}

    def read(self, channels: list[str]) -> None:
        """Read the folders of channels, whose names are given by their `channel.json`."""
        user = next((name for name in self._files if f"/{name.lower()}".endswith("/user.json")), None)
        said = an_object(self._json(user)) if user else {}
        names = (text_or_none(said.get(name)) for name in ("global_name", "username"))
        self._owner = {"author_id": id_or_none(said.get("id")), "author": next(filter(None, names), None)}
        for name in channels:
            self._channel(name.removesuffix("channel.json"), an_object(self._json(name)))

    def _channel(self, folder: str, channel: Mapping[str, Any]) -> None:
        place = folder.rstrip("/").rpartition("/")[2]
        chat_id = id_or_none(channel.get("id")) or place.removeprefix("c")
        title = _title(text_or_none(channel.get("name")), an_object(channel.get("guild")).get("name"))
        common = {
            **self._owner,
            "chat_id": chat_id,
            "chat": title or self._listed(folder, chat_id),
            "chat_type": "p2p" if channel.get("type") in (1, "1", "DM") else "group",
            "direction": "out",
        }
        try:
            messages = self._messages(folder)
        except ArchiveError as error:
            self._rows.note(place, error)
            return
        self._rows.read_each(messages, place, lambda said: self._message(said, common))

    def _listed(self, folder: str, chat_id: str) -> str | None:
        """Return the title that the list of all channels, beside their folders, gives one."""
        index = f"{folder.rstrip('/').rpartition('/')[0]}/index.json".lstrip("/")
        if index not in self._titles:
            self._titles[index] = an_object(self._json(index)) if index in self._files else {}
        return text_or_none(self._titles[index].get(chat_id))

    def _messages(self, folder: str) -> Any:
        if f"{folder}messages.json" in self._files:
            return load_json(self._files, f"{folder}messages.json", f"{folder}messages.json", self._rows.note)
        if f"{folder}messages.csv" not in self._files:
            raise ArchiveError("it has neither messages.json nor messages.csv")
        text = self._files[f"{folder}messages.csv"]().decode("utf-8-sig", "replace")
        return list(csv.DictReader(io.StringIO(text, newline="")))

    def _message(self, said: Mapping[str, Any], common: dict[str, Any]) -> None:
        message_id = str(said["ID"])
        given = said.get("Attachments")
        links = given if isinstance(given, list) else str(given or "").split()
        self._rows.add_with_files(
            [_linked_file(str(link), f"{message_id}#{number}") for number, link in enumerate(links, 1)],
            **common,
            timestamp=microseconds(said["Timestamp"]),
            message_id=message_id,
            text=text_or_none(said.get("Contents")),
        )

    def _json(self, name: str) -> Any:
        try:
            return load_json(self._files, name, name, self._rows.note)
        except ArchiveError as error:
            self._rows.note(name, error)
            return None


def _linked_file(link: str, number: str) -> dict[str, Any]:
    """Return the columns of a file of which the package has the address alone, with the file's id in it."""
    address = link.partition("?")[0]
    name = unquote(address.rpartition("/")[2]) or None
    found = _ATTACHMENT.search(address)
    return {"file_id": found[1] if found else number, "file_name": name, "mime_type": mime_type(name)}
