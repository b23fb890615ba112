"""Exports of other products, written by their documented formats, read into the columns of `tc.df`."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tcnb.archive.readers import read_discord, read_slack, read_telegram
from tcnb.errors import ArchiveError
from tcnb.record.record import Record

TELEGRAM: dict[str, Any] = {
    "about": "Here is the data you requested.",
    "personal_information": {"user_id": 7, "first_name": "Alice"},
    "chats": {
        "list": [
            {
                "name": "Release crew",
                "type": "private_supergroup",
                "id": 100,
                "messages": [
                    {
                        "id": 1,
                        "type": "service",
                        "date_unixtime": "1767000000",
                        "actor": "Alice",
                        "actor_id": "user7",
                        "action": "create_group",
                        "title": "Release crew",
                        "members": ["Bob"],
                        "text": "",
                    },
                    {
                        "id": 2,
                        "type": "message",
                        "date": "2025-12-29T12:21:00",
                        "date_unixtime": "1767000060",
                        "edited": "2025-12-29T12:22:00",
                        "from": "Alice",
                        "from_id": "user7",
                        "text": [
                            "Build ",
                            {"type": "bold", "text": "42"},
                            " – см. ",
                            {"type": "link", "text": "x.org"},
                        ],
                        "text_entities": [],
                    },
                    {
                        "id": 3,
                        "type": "message",
                        "date_unixtime": "1767000120",
                        "from": "Bob",
                        "from_id": "user8",
                        "reply_to_message_id": 2,
                        "photo": "photos/photo_1.jpg",
                        "photo_file_size": 1234,
                        "width": 10,
                        "height": 10,
                        "text": "screenshot",
                    },
                    {
                        "id": 4,
                        "type": "message",
                        "date_unixtime": "1767000180",
                        "from": None,
                        "from_id": "user9",
                        "forwarded_from": "News",
                        "text": "forwarded words",
                    },
                    {
                        "id": 5,
                        "type": "message",
                        "date_unixtime": "1767000240",
                        "from": "Bob",
                        "from_id": "user8",
                        "file": "voice_messages/audio_1.ogg",
                        "media_type": "voice_message",
                        "mime_type": "audio/ogg",
                        "duration_seconds": 3,
                        "text": "",
                    },
                    {
                        "id": 6,
                        "type": "message",
                        "date_unixtime": "1767000300",
                        "from": "Bob",
                        "from_id": "user8",
                        "location_information": {"latitude": 55.75, "longitude": 37.61},
                        "text": "",
                    },
                    {
                        "id": 7,
                        "type": "service",
                        "date_unixtime": "1767000360",
                        "actor": "Alice",
                        "actor_id": "user7",
                        "action": "remove_members",
                        "members": ["Bob", None],
                        "text": "",
                    },
                    {"id": 8, "type": "service", "date_unixtime": "1767000420", "action": "pin_message", "text": ""},
                ],
            }
        ]
    },
    "left_chats": {"list": []},
}

SLACK: dict[str, Any] = {
    "users.json": [
        {"id": "U1", "name": "alice", "profile": {"display_name": "Alice", "real_name": "Alice Doe"}},
        {"id": "U2", "name": "bob", "profile": {"display_name": "", "real_name": "Bob Stone"}},
    ],
    "channels.json": [{"id": "C1", "name": "release", "created": 1, "members": ["U1", "U2"]}],
    "dms.json": [{"id": "D1", "created": 1, "members": ["U1", "U2"]}],
    "release/2025-12-29.json": [
        {"type": "message", "subtype": "channel_join", "user": "U2", "ts": "1767000000.000100", "text": "joined"},
        {
            "type": "message",
            "user": "U1",
            "ts": "1767000060.000200",
            "thread_ts": "1767000060.000200",
            "text": "<@U2> see <https://x.org|the page> &amp; <#C1|release> &lt;3",
            "edited": {"user": "U1", "ts": "1767000070.000000"},
        },
        {
            "type": "message",
            "user": "U2",
            "ts": "1767000120.000300",
            "thread_ts": "1767000060.000200",
            "text": "two files",
            "files": [
                {"id": "F1", "name": "a.pdf", "size": 10, "mimetype": "application/pdf"},
                {"id": "F2", "name": "b.png", "size": 20, "mimetype": "image/png"},
            ],
        },
        {
            "type": "message",
            "subtype": "bot_message",
            "bot_id": "B1",
            "username": "ci",
            "ts": "1767000180.0",
            "text": "ok",
        },
        {"type": "message", "subtype": "tombstone", "ts": "1767000240.000000", "text": "This message was deleted."},
        {"type": "message", "subtype": "channel_topic", "user": "U1", "ts": "1767000300.000000", "topic": "news"},
    ],
    "D1/2025-12-30.json": [{"type": "message", "user": "U1", "ts": "1767086400.000000", "text": "hi"}],
}

DISCORD: dict[str, Any] = {
    "guild": {"id": "1", "name": "Guild"},
    "channel": {"id": "10", "type": "GuildTextChat", "categoryId": "2", "category": "Text", "name": "general"},
    "messages": [
        {
            "id": "100",
            "type": "Default",
            "timestamp": "2025-12-29T12:21:00.5+03:00",
            "timestampEdited": "2025-12-29T12:25:00+03:00",
            "content": "hello",
            "author": {"id": "7", "name": "alice", "discriminator": "0000", "nickname": "Alice", "isBot": False},
            "attachments": [{"id": "900", "url": "https://cdn", "fileName": "a.png", "fileSizeBytes": 5}],
            "embeds": [],
            "stickers": [{"id": "901", "name": "wave", "format": "Png"}],
            "reactions": [],
            "mentions": [],
        },
        {
            "id": "101",
            "type": "Reply",
            "timestamp": "2025-12-29T12:22:00+03:00",
            "content": "hello yourself",
            "author": {"id": "8", "name": "bob", "nickname": None},
            "attachments": [],
            "reference": {"messageId": "100", "channelId": "10", "guildId": "1"},
        },
        {
            "id": "102",
            "type": "GuildMemberJoin",
            "timestamp": "2025-12-29T12:23:00+03:00",
            "content": "",
            "author": {"id": "9", "name": "carol"},
        },
        {"id": "103", "type": "ChannelPinnedMessage", "timestamp": "2025-12-29T12:24:00+03:00", "author": {"id": "9"}},
    ],
    "messageCount": 4,
}


def write_json(folder: Path, name: str, said: Any) -> Path:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(said), encoding="utf-8")
    return file


@pytest.fixture
def telegram(tmp_path) -> pd.DataFrame:
    return read_telegram(write_json(tmp_path, "result.json", TELEGRAM))


@pytest.fixture
def slack(tmp_path) -> pd.DataFrame:
    for name, said in SLACK.items():
        write_json(tmp_path, name, said)
    return read_slack(tmp_path)


@pytest.fixture
def discord(tmp_path) -> pd.DataFrame:
    return read_discord(write_json(tmp_path, "general.json", DISCORD))


@pytest.mark.parametrize("product", ["telegram", "slack", "discord"])
def test_columns_are_those_of_tc_df(product, request):
    """Every export has the columns and types of `tc.df`, with positions in the order of time."""
    frame = request.getfixturevalue(product)
    empty = Record().frame()
    assert list(frame.columns) == list(empty.columns)
    assert list(frame.dtypes.astype(str)) == list(empty.dtypes.astype(str))
    assert frame["seq"].to_list() == list(range(1, len(frame) + 1))
    assert frame["timestamp"].is_monotonic_increasing
    without_column = ["first members of new groups, not in the columns: 1"] if product == "telegram" else []
    assert frame.attrs["problems"] == without_column


def messages(frame: pd.DataFrame, *columns: str) -> list[list[Any]]:
    """Give some columns of the messages, None for what is missing."""
    said = frame.loc[frame["event"] == "message", list(columns)].astype(object)
    return said.where(said.notna(), None).to_numpy().tolist()


def test_telegram_messages(telegram):
    """Texts without markup, authors, replies, forwards, edits and own messages come from Telegram's words for them."""
    assert messages(telegram, "message_id", "author", "direction", "text", "reply_to", "is_edited") == [
        ["100/2", "Alice", "out", "Build 42 – см. x.org", None, True],
        ["100/3", "Bob", "in", "screenshot", "100/2", False],
        ["100/4", None, "in", "forwarded words", None, False],
        ["100/5", "Bob", "in", None, None, False],
        ["100/6", "Bob", "in", None, None, False],
    ]


def test_telegram_contents(telegram):
    """Photos, forwards, voices and places are recognised."""
    assert messages(telegram, "message_type", "mime_type", "file_name", "file_size", "forwarded_from", "latitude") == [
        ["plain", None, None, None, None, None],
        ["attachment", "image/jpeg", "photo_1.jpg", 1234, None, None],
        ["forwarded", None, None, None, "News", None],
        ["voice", "audio/ogg", "audio_1.ogg", None, None, None],
        ["location", None, None, None, None, 55.75],
    ]


def test_telegram_events(telegram):
    """What happened besides messages is there as events; what is not known keeps its name."""
    other = telegram[telegram["event"] != "message"]
    users, texts = other["user_id"].astype("string").fillna("-"), other["text"].fillna("-")
    assert list(zip(other["event"], users, texts, strict=True)) == [
        ("created_group_chat", "-", "-"),
        ("removed_chat_participant", "user8", "-"),
        ("removed_chat_participant", "-", "-"),
        ("unknown", "-", "pin_message"),
    ]


def test_telegram_export_of_one_chat(tmp_path):
    """The export of a single chat is read as well."""
    write_json(tmp_path, "result.json", TELEGRAM["chats"]["list"][0])
    assert len(read_telegram(tmp_path)) == 9


def test_slack_messages(slack):
    """Names for ids, links and mentions as text, threads as replies, every file a row."""
    assert messages(slack, "chat", "author", "text", "reply_to", "is_edited", "file_name") == [
        ["release", "Alice", "@Bob Stone see the page (https://x.org) & #release <3", None, True, None],
        ["release", "Bob Stone", "two files", "C1/1767000060.000200", False, "a.pdf"],
        ["release", "Bob Stone", None, "C1/1767000060.000200", False, "b.png"],
        ["release", "ci", "ok", None, False, None],
        ["Alice, Bob Stone", "Alice", "hi", None, False, None],
    ]


def test_slack_events(slack):
    """Joins, removals and what is not known are events."""
    other = slack[slack["event"] != "message"]
    assert list(zip(other["event"], other["text"].fillna("-"), strict=True)) == [
        ("added_chat_participant", "-"),
        ("removed_message", "-"),
        ("unknown", "channel_topic"),
    ]


def test_slack_conversation_types(slack):
    """Channels are groups, direct messages personal chats."""
    assert dict(zip(slack["chat_id"], slack["chat_type"], strict=True)) == {"C1": "group", "D1": "p2p"}


def test_slack_zip_is_read_like_its_folder(slack, tmp_path):
    """The ZIP file as it was handed out gives the same frame as the unpacked folder."""
    with zipfile.ZipFile(tmp_path / "export.zip", "w") as archive:
        for name, said in SLACK.items():
            archive.writestr(name, json.dumps(said))
    pd.testing.assert_frame_equal(read_slack(tmp_path / "export.zip"), slack)


def test_discord_messages(discord):
    """Contents, replies, attachments and stickers; times are moved to UTC."""
    assert messages(discord, "message_id", "author", "text", "reply_to", "is_edited", "file_name", "mime_type") == [
        ["100", "Alice", "hello", None, True, "a.png", "image/png"],
        ["100#2", "Alice", None, None, True, "wave", "sticker/webp"],
        ["101", "bob", "hello yourself", "100", False, None, None],
    ]
    assert discord["timestamp"].iloc[0] == pd.Timestamp("2025-12-29 09:21:00.5", tz="UTC")
    assert set(discord["chat"]) == {"Guild / general"}


def test_discord_events(discord):
    """Joins are events, and what is not known keeps its name."""
    other = discord[discord["event"] != "message"]
    assert list(zip(other["event"], other["user_id"].astype("string").fillna("-"), strict=True)) == [
        ("added_chat_participant", "9"),
        ("unknown", "-"),
    ]


@pytest.mark.parametrize("form", ["json", "csv"])
def test_discord_data_package(tmp_path, form):
    """Discord's own data package holds the own messages, as JSON or in older ones as CSV."""
    channel = tmp_path / "messages" / "c10"
    write_json(channel, "channel.json", {"id": "10", "type": "GUILD_TEXT", "name": "general"})
    said = {
        "ID": 5,
        "Timestamp": "2025-12-29 09:21:00",
        "Contents": "mine, mine",
        "Attachments": "https://x.org/a.png?e=1",
    }
    if form == "json":
        write_json(channel, "messages.json", [said])
    else:
        lines = ["ID,Timestamp,Contents,Attachments", '5,2025-12-29 09:21:00,"mine, mine",https://x.org/a.png?e=1']
        (channel / "messages.csv").write_text("\n".join(lines), encoding="utf-8")
    frame = read_discord(tmp_path)
    assert messages(frame, "message_id", "direction", "text", "file_name") == [["5", "out", "mine, mine", "a.png"]]


BROKEN = [42, {"id": 1}, {"type": "message"}, {"id": 2, "type": "message", "date_unixtime": "yesterday"}, None]


def test_broken_records_are_reported_and_cost_nothing_else(tmp_path):
    """What is damaged is named, with its place, and everything else is read."""
    said = json.loads(json.dumps(TELEGRAM))
    said["chats"]["list"][0]["messages"][3:3] = BROKEN
    write_json(tmp_path, "result.json", said)
    with pytest.warns(UserWarning, match="5 records could not be read"):
        frame = read_telegram(tmp_path)
    assert len(frame) == 9
    assert len(frame.attrs["problems"]) == 5 + 1  # and what a sound export has beside the columns
    assert "chat 100[3]" in frame.attrs["problems"][0]


def test_broken_file_of_slack_is_reported(tmp_path):
    """A day that is no JSON is named, and the other days are read."""
    for name, said in SLACK.items():
        write_json(tmp_path, name, said)
    (tmp_path / "release" / "2025-12-31.json").write_text("{", encoding="utf-8")
    with pytest.warns(UserWarning, match=r"release/2025-12-31\.json"):
        frame = read_slack(tmp_path)
    assert len(frame) == 8


@pytest.mark.parametrize("read", [read_telegram, read_slack, read_discord])
@pytest.mark.parametrize("content", [None, "", "[]", '{"something": "else"}', '{"messages": [{}]}'])
def test_what_is_no_export_is_refused(tmp_path, read, content):
    """A place without an export gives one line that says what is wanted."""
    if content is not None:
        (tmp_path / "result.json").write_text(content)
    path = tmp_path / "result.json" if content is not None else tmp_path / "nowhere"
    with pytest.raises(ArchiveError):
        read(path)


def test_empty_export_is_an_empty_frame(tmp_path):
    """An export without any message has all columns."""
    frame = read_telegram(write_json(tmp_path, "result.json", {"chats": {"list": []}}))
    assert list(frame.columns) == list(Record().frame().columns)
    assert len(frame) == 0


@pytest.mark.parametrize("read", [read_telegram, read_slack, read_discord])
@pytest.mark.parametrize("path", [5, None, "", b"result.json", ["result.json"]])
def test_what_is_no_path_is_refused(read, path):
    """What cannot be a file or a folder is named; nothing is looked for."""
    with pytest.raises(ArchiveError, match="a file or a folder, not"):
        read(path)
