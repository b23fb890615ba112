"""Exports of Slack in the forms that real ones have: archives, guests and bots, blocks, codes of emoji, old files."""

from __future__ import annotations

import json
import sys
import zipfile
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tcnb.archive.readers import emoji_codes, read_slack

USERS = [
    {"id": "U1", "name": "ina", "profile": {"display_name": "", "real_name": "Ina Ray"}},
    {"id": "U2", "name": "oto", "profile": {"display_name": "oto", "real_name": "Oto Lim"}},
]
CHANNELS = [{"id": "C1", "name": "plans", "members": ["U1", "U2"]}]


def record(number: int, **said: Any) -> dict[str, Any]:
    return {"type": "message", "user": "U1", "ts": f"{1700000000 + number}.000100", "text": "", **said}


def exported(folder: Path, *records: dict[str, Any], **lists: Any) -> Path:
    files = {"users": USERS, "channels": CHANNELS, **lists, "plans/2023-11-14": list(records)}
    for name, said in files.items():
        file = folder / f"{name}.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(said), encoding="utf-8")
    return folder


def column(frame: pd.DataFrame, name: str) -> list[Any]:
    return [None if pd.isna(value) else value for value in frame[name].astype(object)]


def text_of(folder: Path, **said: Any) -> str | None:
    return column(read_slack(exported(folder, record(1, **said))), "text")[0]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("<!date^1392734382^Posted {date_num}^https://x.org|Posted 2014-02-18>", "Posted 2014-02-18"),
        ("<!subteam^S1|@crew> <!subteam^S2>", "@crew @S2"),
        ("<!here> <!channel|channel> <!everyone>", "@here @channel @everyone"),
        ("<mailto:a@b.org|a@b.org> <mailto:a@b.org|Write>", "a@b.org Write (a@b.org)"),
        ("<tel:+123|+123> <http://x.org|x.org>", "+123 http://x.org"),
        ("<@U1|formerly> <@UZ|gone> <#C1|> <#C9|other>", "@Ina Ray @gone #plans #other"),
        ("1 &lt; 2 &amp;amp;", "1 < 2 &amp;"),
        ("yes :tada: :thumbsup::skin-tone-6: :flag-de: :man-woman-girl:", "yes 🎉 👍🏿 🇩🇪 👨‍👩‍👧"),
        ("at 12:30:45 :male-technologist::skin-tone-3:", "at 12:30:45 👨🏼‍💻"),
        ("no :shipit-squad:", "no :shipit-squad:"),
    ],
)
def test_markup_of_texts(tmp_path, written, meant):
    """Everything that Slack writes in angle brackets and between colons is what its readers see."""
    assert text_of(tmp_path, text=written) == meant


@pytest.mark.parametrize(
    ("name", "character"),
    [("dog", "🐶"), ("face_palm", "🤦"), ("knife_fork_plate", "🍽️"), ("large_green_circle", "🟢"), ("+1", "👍")],
)
def test_names_of_emoji_are_those_of_slack(name, character):
    """Names that other products give to another emoji, or to none, are read as Slack means them."""
    assert emoji_codes.decoded(f":{name}:", pytest.fail) == character


def test_codes_stay_without_the_package(tmp_path, monkeypatch):
    """Without the package for emoji the codes stay, with a word how to install it."""
    emoji_codes._names.cache_clear()
    emoji_codes._character.cache_clear()
    monkeypatch.setitem(sys.modules, "emoji", None)
    with pytest.warns(UserWarning, match="pip install"):
        assert text_of(tmp_path, text="yes :tada:") == "yes :tada:"
    emoji_codes._names.cache_clear()


RICH = [
    {
        "type": "rich_text",
        "elements": [
            {
                "type": "rich_text_section",
                "elements": [
                    {"type": "text", "text": "For "},
                    {"type": "user", "user_id": "U2"},
                    {"type": "text", "text": " and "},
                    {"type": "broadcast", "range": "here"},
                    {"type": "text", "text": " in "},
                    {"type": "channel", "channel_id": "C1"},
                    {"type": "text", "text": ": "},
                    {"type": "link", "url": "https://x.org", "text": "page"},
                    {"type": "emoji", "name": "wave", "unicode": "1f44b-1f3fb", "skin_tone": 2},
                    {"type": "emoji", "name": "tada"},
                ],
            },
            {
                "type": "rich_text_list",
                "style": "ordered",
                "elements": [
                    {"type": "rich_text_section", "elements": [{"type": "text", "text": "one"}]},
                    {"type": "rich_text_section", "elements": [{"type": "text", "text": "two"}]},
                ],
            },
            {
                "type": "rich_text_list",
                "style": "bullet",
                "indent": 1,
                "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": "dot"}]}],
            },
            {"type": "rich_text_quote", "elements": [{"type": "text", "text": "they said"}]},
            {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": "x = 1"}]},
        ],
    },
    {"type": "header", "text": {"type": "plain_text", "text": "Head"}},
    {"type": "divider"},
    {"type": "section", "text": {"type": "mrkdwn", "text": "<@U1> ok"}, "fields": [{"type": "mrkdwn", "text": "a"}]},
    {"type": "context", "elements": [{"type": "mrkdwn", "text": "small"}, {"type": "image", "alt_text": "logo"}]},
]


def test_text_of_blocks(tmp_path):
    """A message that has blocks alone says what they say, lists and quotations too."""
    assert (text_of(tmp_path, blocks=RICH) or "").split("\n") == [
        "For @oto and @here in #plans: page (https://x.org)👋🏻🎉",
        *("1. one", "2. two", "  • dot", "> they said", "x = 1", "Head", "@Ina Ray ok", "a", "small logo"),
    ]


def test_text_of_attachments(tmp_path):
    """What a bot says in attachments is its text; previews of links are not, and are counted."""
    attachments = [
        {"pretext": "Build", "title": "#7", "fields": [{"title": "State", "value": "red"}], "fallback": "never"},
        {"fallback": "only this"},
        {"fallback": "[no preview available]", "blocks": [{"type": "section", "text": {"text": "in a block"}}]},
        {"from_url": "https://x.org", "title": "A page", "fallback": "A page"},
    ]
    frame = read_slack(exported(tmp_path, record(1, attachments=attachments)))
    assert column(frame, "text") == ["Build\n#7\nState: red\nonly this\nin a block"]
    assert frame.attrs["problems"] == ["previews of links, not in the columns: 1"]


def test_shared_message_is_a_forward(tmp_path):
    """A message that was shared has its text and author."""
    share = {"is_share": True, "author_id": "U2", "author_name": "oto", "text": "words", "from_url": "https://s"}
    frame = read_slack(exported(tmp_path, record(1, text="look", attachments=[share])))
    found = [column(frame, name)[0] for name in ("text", "message_type", "forwarded_from")]
    assert found == ["look\nwords", "forwarded", "U2"]


def test_names_of_guests_and_bots(tmp_path):
    """Whoever is not in users.json is called as the message says; mentions before it, too."""
    frame = read_slack(
        exported(
            tmp_path,
            record(1, text="<@UX> hello"),
            record(2, user="UX", user_profile={"display_name": "", "real_name": "Guest Six", "name": "g6"}),
            record(3, user="UB", bot_id="B1", bot_profile={"name": "Deploys"}),
            record(4, user=None, bot_id="B2", username="hook", subtype="bot_message"),
            record(5, user="USLACKBOT", subtype="slackbot_response"),
        )
    )
    assert column(frame, "author") == ["Ina Ray", "Guest Six", "Deploys", "hook", "Slackbot"]
    assert column(frame, "text")[0] == "@Guest Six hello"


def test_titles_of_direct_messages(tmp_path):
    """Conversations without a name are called by the names of those who take part."""
    group = {"id": "G1", "name": "mpdm-ina--oto-1", "members": ["U1", "U2"]}
    folder = exported(tmp_path, dms=[{"id": "D1", "members": ["U2", "U1"]}], mpims=[group])
    for name in ("D1", "mpdm-ina--oto-1"):
        (folder / name).mkdir()
        (folder / name / "2023-11-15.json").write_text(json.dumps([record(1)]))
    frame = read_slack(folder)
    assert dict(zip(frame["chat_id"], frame["chat"], strict=True)) == {"D1": "oto, Ina Ray", "G1": "Ina Ray, oto"}


def test_old_and_deleted_files(tmp_path):
    """The one file of a message before 2018 is a file; a deleted one is none, and is counted."""
    frame = read_slack(
        exported(
            tmp_path,
            record(1, subtype="file_share", file={"id": "F1", "name": "a.png", "size": 3, "mimetype": "image/png"}),
            record(2, files=[{"id": "F2", "mode": "tombstone"}, {"id": "F3", "title": "Canvas", "mode": "quip"}]),
            record(3, subtype="file_comment", user=None, comment={"user": "U2", "comment": "nice"}),
        )
    )
    assert column(frame, "file_id") == ["F1", "F3", None]
    assert column(frame, "author")[2] == "oto"
    assert column(frame, "text")[2] == "nice"
    assert frame.attrs["problems"] == ["files that were deleted, not in the columns: 1"]


def test_other_events_keep_their_text(tmp_path):
    """What tcnb has no name for says what it was."""
    frame = read_slack(
        exported(
            tmp_path,
            record(1, subtype="channel_purpose", text="<@U2> set it: why", purpose="why"),
            record(2, subtype="huddle_thread"),
            record(3, subtype="channel_archive", text="archived"),
            record(4, subtype="reply_broadcast", text="said", reactions=[{"name": "x", "count": 2}]),
        )
    )
    assert column(frame, "text") == [
        "channel_purpose: @oto set it: why",
        "huddle_thread",
        "channel_archive: archived",
        "said",
    ]
    assert column(frame, "event")[3] == "message"
    assert frame.attrs["problems"] == ["reactions, not in the columns: 2"]


@pytest.mark.parametrize("inside", ["", "My export/", "a/b/"])
def test_zip_with_names_in_utf8_without_the_flag(tmp_path, inside):
    """Slack's own ZIP files do not say that their names are UTF-8; a folder more inside does no harm."""
    with zipfile.ZipFile(tmp_path / "plain.zip", "w") as archive:
        for name, said in {
            "users": USERS,
            "channels": [{"id": "C7", "name": "общее"}],
            "@@@@@@@@@@/1": [record(1)],
        }.items():
            archive.writestr(f"{inside}{name}.json", json.dumps(said))
    data = (tmp_path / "plain.zip").read_bytes().replace(b"@@@@@@@@@@", "общее".encode())
    (tmp_path / "export.zip").write_bytes(data)
    frame = read_slack(tmp_path / "export.zip")
    assert (column(frame, "chat"), column(frame, "chat_id")) == (["общее"], ["C7"])
