"""Exports of Discord in the forms that real ones have: overlapping, kinds as numbers, forwards, the data package."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tcnb.archive.readers import read_discord
from tcnb.errors import ArchiveError


def message(number: int, **said: Any) -> dict[str, Any]:
    author = {"id": "21", "name": "kim", "nickname": "Kim", "isBot": said.pop("is_bot", False)}
    stamp = f"2024-05-01T10:{number % 60:02}:00+00:00"
    return {"id": str(number), "type": "Default", "timestamp": stamp, "content": "hi", "author": author, **said}


def exported(folder: Path, *messages: dict[str, Any], name: str = "a.json", **said: Any) -> Path:
    guild, channel = {"id": "1", "name": "Club"}, {"id": "9", "type": "GuildTextChat", "name": "talk"}
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"guild": guild, "channel": channel, **said, "messages": list(messages)})
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name


def column(frame: pd.DataFrame, name: str) -> list[Any]:
    return [None if pd.isna(value) else value for value in frame[name].astype(object)]


@pytest.mark.parametrize(("first", "second"), [("a.json", "b.json"), ("b.json", "a.json")])
def test_overlapping_exports_count_once(tmp_path, first, second):
    """A message in two exports is there once, as the export that was made last has it."""
    exported(tmp_path, message(1), message(2, content="old"), name=first, exportedAt="2024-05-02T00:00:00+00:00")
    exported(tmp_path, message(2, content="new"), message(3), name=second, exportedAt="2024-05-03T00:00:00+00:00")
    assert column(read_discord(tmp_path), "text") == ["hi", "new", "hi"]


def test_overlapping_exports_without_a_date_go_by_their_last_message(tmp_path):
    """Older exports do not say when they were made."""
    exported(tmp_path, message(2, content="new"), message(3), name="a.json")
    exported(tmp_path, message(1), message(2, content="old"), name="b.json")
    assert column(read_discord(tmp_path), "text") == ["hi", "new", "hi"]


@pytest.mark.parametrize("kind", ["20", "23", "0", 20, "ChatInputCommand"])
def test_kinds_as_numbers_are_messages(tmp_path, kind):
    """Answers to commands are messages, whether the kind is a word or a number."""
    assert column(read_discord(exported(tmp_path, message(1, type=kind))), "event") == ["message"]


def test_reply_as_a_number_and_to_another_channel(tmp_path):
    """A reply is one also by its number; one to another channel has no message here."""
    here, there = {"messageId": "1", "channelId": "9"}, {"messageId": "1", "channelId": "8"}
    frame = read_discord(
        exported(tmp_path, message(2, type="19", reference=here), message(3, type="Reply", reference=there))
    )
    assert column(frame, "reply_to") == ["1", None]
    assert frame.attrs["problems"] == ["replies to messages of other chats, not in the columns: 1"]


def test_forwarded_message_has_text_and_files(tmp_path):
    """What was forwarded is the text and the files of the forward."""
    forwarded = {
        "content": "words",
        "attachments": [{"id": "5", "fileName": "a.png", "fileSizeBytes": 9}, {"id": "6", "fileName": "b.png"}],
        "embeds": [],
        "stickers": [],
    }
    said = message(1, content="", reference={"type": "Forward", "messageId": "3"}, forwardedMessage=forwarded)
    frame = read_discord(exported(tmp_path, said))
    assert column(frame, "message_type") == ["forwarded", "forwarded"]
    assert column(frame, "text") == ["words", None]
    assert column(frame, "file_name") == ["a.png", "b.png"]


EMBED = {
    "title": "Release",
    "description": "All new",
    "fields": [{"name": "By", "value": "Kim"}],
    "footer": {"text": "end"},
}


def test_embeds_are_the_text_of_bots_and_previews_of_people(tmp_path):
    """An embed that is all a message has is its text; below the text of a person it is a preview."""
    frame = read_discord(
        exported(
            tmp_path,
            message(1, content="", embeds=[EMBED]),
            message(2, content="Hear", embeds=[EMBED], is_bot=True),
            message(3, content="https://x.org", embeds=[EMBED]),
        )
    )
    embedded = "Release\nAll new\nBy: Kim\nend"
    assert column(frame, "text") == [embedded, f"Hear\n{embedded}", "https://x.org"]
    assert frame.attrs["problems"] == ["previews of links, not in the columns: 1"]


def test_what_has_no_column_is_counted(tmp_path):
    """Reactions, answers of polls and buttons are named; other events keep their text."""
    poll = {"question": {"text": "When?"}, "answers": [{"text": "now"}]}
    frame = read_discord(
        exported(
            tmp_path,
            message(1, poll=poll, reactions=[{"emoji": {"name": "x"}, "count": 4}], components=[{"type": "Row"}]),
            message(2, type="8", content="boosted"),
        )
    )
    assert column(frame, "title")[0] == "When?"
    assert column(frame, "text")[1] == "GuildBoost: boosted"
    assert frame.attrs["problems"] == [
        *("answers of polls, not in the columns: 1", "reactions, not in the columns: 4"),
        "sets of buttons, not in the columns: 1",
    ]


def test_other_forms_are_named(tmp_path):
    """Whoever exported HTML is told that JSON is needed."""
    (tmp_path / "talk.html").write_text("<html></html>")
    (tmp_path / "more.html").write_text("<html></html>")
    with pytest.raises(ArchiveError, match="choose JSON"):
        read_discord(tmp_path)


def test_broken_off_export_is_read_up_to_there(tmp_path):
    """An export that was stopped has its first messages."""
    file = exported(tmp_path, message(1), message(2))
    file.write_bytes(file.read_bytes()[:-30])
    with pytest.warns(UserWarning, match="breaks off"):
        assert column(read_discord(file), "message_id") == ["1"]


@pytest.mark.parametrize("form", ["folder", "zip"])
@pytest.mark.parametrize("place", ["messages", "Messages", "Сообщения"])
def test_data_package(tmp_path, form, place):
    """The package says whose it is, what the chats are called and which files were sent, in every language."""
    said = {
        "Account/user.json": {"id": "21", "username": "kim", "global_name": "Kim"},
        f"{place}/index.json": {"9": "talk in Club", "8": "Direct Message with lee#0", "7": None},
        f"{place}/c9/channel.json": {"id": "9", "type": 0, "name": "talk", "guild": {"id": "1", "name": "Club"}},
        f"{place}/c8/channel.json": {"id": "8", "type": "DM", "recipients": ["21", "22"]},
        f"{place}/c9/messages.json": [
            {
                "ID": 5,
                "Timestamp": "2024-05-01 10:00:00",
                "Contents": "",
                "Attachments": "https://c/attachments/9/66/a%20b.png?ex=1",
            }
        ],
        f"{place}/c8/messages.json": [
            {"ID": 6, "Timestamp": "2024-05-01 10:01:00", "Contents": "yo", "Attachments": ""}
        ],
    }
    with zipfile.ZipFile(tmp_path / "package.zip", "w") as archive:
        for name, content in said.items():
            archive.writestr(name, json.dumps(content))
        archive.extractall(tmp_path / "package")
    frame = read_discord(tmp_path / ("package.zip" if form == "zip" else "package"))
    assert column(frame, "chat") == ["Club / talk", "Direct Message with lee#0"]
    assert column(frame, "chat_type") == ["group", "p2p"]
    assert column(frame, "author") == ["Kim", "Kim"]
    assert (column(frame, "file_id"), column(frame, "file_name")) == (["66", None], ["a b.png", None])
