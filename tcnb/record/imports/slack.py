"""The export of a Slack workspace as an event frame; how rows are gathered is told in `gathering`."""

from __future__ import annotations

import html
import json
import os
import re
import zipfile
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tcnb.errors import ArchiveError
from tcnb.record.imports.gathering import Rows, given_path, microseconds, mime_type, text_or_none, walk

if TYPE_CHECKING:
    import pandas as pd

_LISTS: Final = {"channels": "group", "groups": "group", "mpims": "group", "dms": "p2p"}
"""The files that list the conversations, and of which type those are."""

_LINK: Final = re.compile(r"<([^<>|]*)(?:\|([^<>]*))?>")

_EVENTS: Final = {
    "channel_join": "added_chat_participant",
    "group_join": "added_chat_participant",
    "channel_leave": "removed_chat_participant",
    "group_leave": "removed_chat_participant",
    "channel_name": "edited_chat_title",
    "group_name": "edited_chat_title",
}
_SAID: Final = frozenset({None, "bot_message", "file_share", "me_message", "thread_broadcast", "file_comment"})
"""Subtypes of what somebody said."""


def read_slack(path: str | os.PathLike[str]) -> pd.DataFrame:
    """Read the export of a Slack workspace.

    Args:
        path: the ZIP file, or the folder into which it was unpacked.

    Returns:
        The columns of `tc.df`. A message in a thread answers the thread's first message. Mentions in texts are
        written as names. Ids are those of Slack, message ids with their channel's in front. What could not be read is
        listed in `attrs["problems"]`, with a warning.

    Raises:
        ArchiveError: there is no such place, or it is no such export.
    """
    rows = Rows()
    export = _Export(given_path(path), rows)
    for folder, name, said in export.days():
        channel = export.channels.get(folder, {"chat_id": folder, "chat": folder, "chat_type": "group"})
        rows.read_each(said, name, partial(export.record, channel=channel))
    return rows.frame()


class _Export:
    """The files of an export, unpacked or not."""

    def __init__(self, path: Path, rows: Rows) -> None:
        self._rows = rows
        self._files = _zipped(path) if path.is_file() else _unpacked(path)
        if "users.json" not in self._files and "channels.json" not in self._files:
            raise ArchiveError(f"{path} is no export of Slack: it has neither users.json nor channels.json")
        self._names: dict[str, str] = {}
        rows.read_each(self._json("users.json", []), "users.json", self._learn_user)
        self.channels: dict[str, dict[str, Any]] = {}
        for name, kind in _LISTS.items():
            rows.read_each(self._json(f"{name}.json", []), f"{name}.json", partial(self._learn, kind=kind))

    def days(self) -> Iterator[tuple[str, str, Any]]:
        """Give each day's file: its conversation's folder, its name, what it says."""
        for name in sorted(self._files):
            folder, _, file = name.rpartition("/")
            if folder and "/" not in folder and file.endswith(".json"):
                yield folder, name, self._json(name, [])

    def record(self, said: Mapping[str, Any], channel: dict[str, Any]) -> None:
        """Add the rows of one record."""
        subtype, stamp = said.get("subtype"), said["ts"]
        user = text_or_none(said.get("user")) or text_or_none(said.get("bot_id"))
        author = self._names.get(user or "") or text_or_none(said.get("username"))
        common = {**channel, "timestamp": microseconds(stamp), "author_id": user, "author": author}
        if subtype in _SAID:
            self._message(said, common)
        elif subtype in _EVENTS:
            title = text_or_none(said.get("name"))
            self._rows.add(**common, event=_EVENTS[subtype], author_type="user", user_id=user, title=title)
        elif subtype == "tombstone":
            message_id = f"{channel['chat_id']}/{stamp}"
            self._rows.add(
                **{**common, "author_id": None, "author": None}, event="removed_message", message_id=message_id
            )
        else:
            self._rows.add(**common, event="unknown", author_type="system", text=str(subtype))

    def _message(self, said: Mapping[str, Any], common: dict[str, Any]) -> None:
        chat_id, stamp, thread = common["chat_id"], said["ts"], said.get("thread_ts")
        files = said.get("files")
        self._rows.add_with_files(
            [_file(file) for file in files if isinstance(file, Mapping)] if isinstance(files, list) else [],
            **common,
            message_id=f"{chat_id}/{stamp}",
            text=self._plain(said.get("text")),
            reply_to=f"{chat_id}/{thread}" if thread and thread != stamp else None,
            is_edited=bool(said.get("edited")),
        )

    def _plain(self, text: object) -> str | None:
        """Return a text without Slack's escapes: names for mentions, labels or addresses for links."""
        if not isinstance(text, str) or not text:
            return None
        return html.unescape(_LINK.sub(self._written, text))

    def _written(self, link: re.Match[str]) -> str:
        target, label = link[1], link[2]
        if target.startswith("@"):
            return f"@{label or self._names.get(target[1:]) or target[1:]}"
        if target.startswith("#"):
            return f"#{label or target[1:]}"
        if target.startswith("!"):
            return f"@{label or target[1:]}"
        return f"{label} ({target})" if label and label != target else target

    def _learn_user(self, said: Mapping[str, Any]) -> None:
        profile = said.get("profile")
        profile = profile if isinstance(profile, Mapping) else {}
        names = (profile.get("display_name"), profile.get("real_name"), said.get("real_name"), said.get("name"))
        self._names[said["id"]] = next(filter(None, map(text_or_none, names)), str(said["id"]))

    def _learn(self, said: Mapping[str, Any], kind: str) -> None:
        name = text_or_none(said.get("name"))
        channel = {"chat_id": said["id"], "chat": name, "chat_type": kind}
        # Channels lie in folders called by their names, conversations without a name by their ids.
        self.channels[name or said["id"]] = channel

    def _json(self, name: str, missing: Any) -> Any:
        read = self._files.get(name)
        if read is None:
            return missing
        try:
            return json.loads(read())
        except (ValueError, OSError, zipfile.BadZipFile) as error:
            self._rows.note(name, error)
            return missing


def _unpacked(folder: Path) -> dict[str, Any]:
    if not folder.is_dir():
        raise ArchiveError(f"{folder} is not there: give the ZIP file of the export, or its folder")
    return {file.relative_to(folder).as_posix(): file.read_bytes for file in walk(folder, "**/*.json")}


def _zipped(file: Path) -> dict[str, Any]:
    try:
        archive = zipfile.ZipFile(file)
    except (OSError, zipfile.BadZipFile) as error:
        raise ArchiveError(f"{file} is no ZIP file: {error}") from error
    return {name: partial(archive.read, name) for name in archive.namelist() if name.endswith(".json")}


def _file(said: Mapping[str, Any]) -> dict[str, Any]:
    name = text_or_none(said.get("name")) or text_or_none(said.get("title"))
    size = said.get("size")
    return {
        "file_id": text_or_none(said.get("id")),
        "file_name": name,
        "file_size": size if isinstance(size, int) else None,
        "mime_type": text_or_none(said.get("mimetype")) or mime_type(name),
    }
