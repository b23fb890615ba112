"""The export of a Slack workspace as an event frame."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from tcnb.archive.readers.opening import Files, folder_of, load_json, opened
from tcnb.archive.readers.row_builder import (
    Rows,
    an_object,
    given_path,
    microseconds,
    mime_type,
    objects,
    reactions,
    size_or_none,
    text_or_none,
)
from tcnb.archive.readers.slack_text import Texts, is_preview, names
from tcnb.errors import ArchiveError

if TYPE_CHECKING:
    import pandas as pd

_LISTS: Final = {"channels": "group", "groups": "group", "mpims": "group", "dms": "p2p"}
"""The files that list the conversations, and of which type those are."""

_MARKS: Final = ("users.json", "channels.json")
"""Files of which every export has one."""

_EVENTS: Final = {
    "channel_join": "added_chat_participant",
    "group_join": "added_chat_participant",
    "channel_leave": "removed_chat_participant",
    "group_leave": "removed_chat_participant",
    "channel_name": "edited_chat_title",
    "group_name": "edited_chat_title",
}
_SAID: Final = frozenset(
    {
        *(None, "bot_message", "file_share", "me_message", "thread_broadcast", "reply_broadcast", "file_comment"),
        *("file_mention", "slackbot_response"),
    }
)
"""Subtypes of what somebody said."""

_SLACKBOT: Final = {"USLACKBOT": "Slackbot"}


def read_slack(path: str | os.PathLike[str]) -> pd.DataFrame:
    """Read the export of a Slack workspace.

    Args:
        path: the ZIP file, or the folder into which it was unpacked; the export may be one folder further in.

    Returns:
        The columns of `tc.df`. A message in a thread answers the thread's first message. Mentions in texts are
        written as names, codes of emoji as emoji. Ids are those of Slack, message ids with their channel's in front.
        `attrs["problems"]` lists what could not be read, with a warning, and then what the columns have no place for.

    Raises:
        ArchiveError: there is no such place, or it is no such export.
    """
    given = given_path(path)
    rows = Rows()
    with opened(given) as files:
        folder = folder_of(files, _MARKS)
        if folder is None:
            raise ArchiveError(f"{given} is no export of Slack: it has neither users.json nor channels.json")
        inside = {name.removeprefix(folder): read for name, read in files.items() if name.startswith(folder)}
        export = _Export(inside, rows)
        for place, name, said in export.days():
            channel = export.channels.get(place, {"chat_id": place, "chat": place, "chat_type": "group"})
            rows.read_each(said, name, partial(export.record, channel=channel))
        export.finish()
    return rows.frame()


class _Export:
    """The files of an export."""

    def __init__(self, files: Files, rows: Rows) -> None:
        self._rows, self._files = rows, files
        self._people = dict(_SLACKBOT)
        self.channels: dict[str, dict[str, Any]] = {}
        self._channel_names: dict[str, str] = {}
        self._texts = Texts(self._people, self._channel_names, rows.count)
        for name in ("org_users.json", "users.json"):
            rows.read_each(self._json(name, []), name, self._learn_user)
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
        author_id, author = self._author(said)
        common = {**channel, "timestamp": microseconds(stamp), "author_id": author_id, "author": author}
        message_id = f"{channel['chat_id']}/{stamp}"
        if subtype in _SAID:
            self._message(said, common, message_id)
        elif subtype in _EVENTS:
            title = text_or_none(said.get("name"))
            self._rows.add(**common, event=_EVENTS[subtype], author_type="user", user_id=author_id, title=title)
        elif subtype == "tombstone":
            nobody = {**common, "author_id": None, "author": None}
            self._rows.add(**nobody, event="removed_message", message_id=message_id)
        else:
            text = ": ".join(filter(None, (str(subtype), self._texts.of_message(said))))
            title = text_or_none(said.get("topic")) or text_or_none(said.get("purpose"))
            self._rows.add(**common, event="unknown", author_type="system", text=text, title=title)

    def finish(self) -> None:
        """Write the names of people who became known after they had been mentioned, and tell what is left."""
        late = self._texts.unknown_people & self._people.keys()
        if late:
            self._rows.replace_in_texts({f"@{user_id}": f"@{self._people[user_id]}" for user_id in late})
        if not self._texts.knows_emoji:
            self._rows.mark_gap(
                "codes of emoji such as :tada: are left as Slack writes them: a package for them is missing, "
                "pip install 'tcnb[analysis]'"
            )

    def _author(self, said: Mapping[str, Any]) -> tuple[str | None, str | None]:
        """Return the id and the name of who wrote a record: a person, a guest of another workspace, or a bot."""
        comment, bot = an_object(said.get("comment")), an_object(said.get("bot_profile"))
        user = text_or_none(said.get("user")) or text_or_none(comment.get("user"))
        author_id = user or text_or_none(said.get("bot_id"))
        if user and user not in self._people:
            guest = next(iter(names(an_object(said.get("user_profile")))), None)
            if guest is not None:
                self._people[user] = guest
        known = self._people.get(author_id or "")
        return author_id, known or text_or_none(said.get("username")) or text_or_none(bot.get("name"))

    def _message(self, said: Mapping[str, Any], common: dict[str, Any], message_id: str) -> None:
        thread, stamp = said.get("thread_ts"), said["ts"]
        values: dict[str, Any] = {
            **common,
            "message_id": message_id,
            "text": self._texts.of_message(said) or self._texts.plain(an_object(said.get("comment")).get("comment")),
            "reply_to": f"{common['chat_id']}/{thread}" if thread and thread != stamp else None,
            "is_edited": bool(said.get("edited")),
        }
        if "attachments" in said:
            values |= self._shared(said["attachments"])
        self._rows.add_with_files(self._sent_files(said), **values)
        if "reactions" in said:
            self._rows.count("reactions", reactions(said))

    def _shared(self, attachments: object) -> dict[str, Any]:
        """Return what makes a message the share of another one; previews of links are counted."""
        given = objects(attachments)
        previews = sum(map(is_preview, given))
        if previews:
            self._rows.count("previews of links", previews)
        share = next((one for one in given if one.get("is_share")), None)
        if share is None:
            return {}
        return {"message_type": "forwarded", "forwarded_from": text_or_none(share.get("author_id"))}

    def _sent_files(self, said: Mapping[str, Any]) -> list[dict[str, Any]]:
        # Until 2018 a message had one file, in `file`.
        files = objects(said.get("files")) or objects([said.get("file")])
        there = [file for file in files if file.get("mode") not in ("tombstone", "hidden_by_limit")]
        if len(there) < len(files):
            self._rows.count("files that were deleted", len(files) - len(there))
        return [_file(file) for file in there]

    def _learn_user(self, said: Mapping[str, Any]) -> None:
        self._people[said["id"]] = next(iter(names(said)), str(said["id"]))

    def _learn(self, said: Mapping[str, Any], kind: str) -> None:
        name = text_or_none(said.get("name"))
        channel = {"chat_id": said["id"], "chat": self._title(said, name), "chat_type": kind}
        if name is not None:
            self._channel_names[said["id"]] = name
        # Channels lie in folders called by their names, conversations without a name by their ids.
        self.channels[name or said["id"]] = channel
        self.channels.setdefault(said["id"], channel)

    def _title(self, said: Mapping[str, Any], name: str | None) -> str | None:
        """Return the title of a conversation: direct messages have the names of those who take part."""
        if name is not None and not name.startswith("mpdm-"):
            return name
        members = said.get("members")
        people = [self._people.get(one, one) for one in members if isinstance(one, str)] if members else []
        return ", ".join(people) or name

    def _json(self, name: str, missing: Any) -> Any:
        if name not in self._files:
            return missing
        try:
            return load_json(self._files, name, name, self._rows.note)
        except ArchiveError as error:
            self._rows.note(name, error)
            return missing


def _file(said: Mapping[str, Any]) -> dict[str, Any]:
    name = text_or_none(said.get("name")) or text_or_none(said.get("title"))
    return {
        "file_id": text_or_none(said.get("id")),
        "file_name": name,
        "file_size": size_or_none(said.get("size")),
        "mime_type": text_or_none(said.get("mimetype")) or mime_type(name),
    }
