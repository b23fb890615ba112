"""What the feed reads of a row beyond its columns, from the journal or the server: keyboards and surveys, cut."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from tcnb.notebook.feed import Feed
from tcnb.notebook.feed_actions import Actions
from tcnb.notebook.feed_contents import LONGEST_LABEL, brief, content_of, keyboard, survey
from tcnb.notebook.snapshot import describe
from tcnb.types import InlineKeyboardButton, InlineKeyboardMarkup

BUTTONS = InlineKeyboardMarkup(
    [
        [InlineKeyboardButton(text="Approve", command="/approve", style="success")],
        [InlineKeyboardButton(url="https://ci.example.com/42"), InlineKeyboardButton(text="Copy id", copy_data="42")],
    ]
)
SHOWN = [
    [{"k": "command", "l": "Approve", "d": "/approve", "s": "success"}],
    [
        {
            "k": "url",
            "l": "https://ci.example.com/42",
            "d": "https://ci.example.com/42",
            "h": "https://ci.example.com/42",
        },
        {"k": "copy", "l": "Copy id", "d": "42"},
    ],
]
SURVEY = {
    "url": "https://video.example.com/webtools/survey",
    "path": "k7Qm",
    "title": "Lunch choice",
    "description": "{{Anonymous survey}}",
    "buttonText": "{{Go to survey}}",
    "alt": "📊 <a href='https://video.example.com/webtools/survey?id=k7Qm&error=autologin_not_supported'>Lunch</a>",
}


def told(tc: Any, *seqs: int) -> dict[str, Any]:
    """Ask as the page does, and give what it is told by row."""
    request = {"type": "contents", "seqs": list(seqs)}
    answer = asyncio.run_coroutine_threadsafe(Actions(tc).carry_out(request), tc.loop).result(30)
    return answer["done"]["contents"]


def seq_of(tc: Any, message_id: str, event: str = "message") -> int:
    rows = tc.df
    return int(rows.loc[(rows["message_id"] == message_id) & (rows["event"] == event), "seq"].iloc[-1])


@pytest.fixture(params=["with a journal", "without"])
def second(request, connect, alice, tmp_path):
    """A session in a group with Alice, and the group's id."""
    tc = connect("second", journal=tmp_path / "journal.db" if request.param == "with a journal" else None)
    return tc, alice.group("Release crew", "second", "robot")


def test_own_keyboard_is_told(second):
    """The buttons of a sending are told as they were given."""
    tc, chat_id = second
    seq = seq_of(tc, tc.send(chat_id, "Deploy?", buttons=BUTTONS).message_id)
    assert told(tc, seq, 10_000) == {str(seq): {"keyboard": SHOWN}}


def test_keyboard_of_another_bot_is_told(second, connect, until):
    """Buttons that came with a message are told, from what the server sent."""
    tc, chat_id = second
    sent = connect("robot").send(chat_id, "Deploy?", buttons=BUTTONS).message_id
    until(tc, lambda: sent in set(tc.df["message_id"]))
    seq = seq_of(tc, sent)
    assert told(tc, seq)[str(seq)]["keyboard"] == SHOWN


def test_survey_is_told(second, until):
    """A survey is told with its kind, its button and the address that people without its support are given."""
    tc, chat_id = second
    sent = asyncio.run_coroutine_threadsafe(
        tc.bot.send_survey(chat_id, "Lunch choice", "k7Qm", survey_type="{{Anonymous survey}}"), tc.loop
    ).result(30)
    until(tc, lambda: sent.message_id in set(tc.df["message_id"]))
    seq = seq_of(tc, sent.message_id)
    about = told(tc, seq)[str(seq)]["survey"]
    assert (about["d"], about["b"]) == ("{{Anonymous survey}}", "{{Go to survey}}")
    assert "id=k7Qm" in about["h"]


def test_address_of_a_survey_is_the_one_for_other_clients():
    """`alt` has the address, or the page and the campaign's id make one; one that is not allowed is none."""
    assert survey(SURVEY)["h"].endswith("?id=k7Qm&error=autologin_not_supported")
    assert survey(SURVEY | {"alt": ""})["h"] == "https://video.example.com/webtools/survey?id=k7Qm"
    assert "h" not in survey({"url": "javascript:alert(1)", "alt": "<a href='data:text/html,x'>x</a>"})


def test_only_allowed_addresses_are_links():
    """A button whose address has another scheme is told without a link."""
    buttons = [[{"type": "url", "label": "x", "url": address} for address in ("javascript:alert(1)", "trueconf:alice")]]
    assert [button.get("h") for button in keyboard({"buttons": buttons})[0]] == [None, "trueconf:alice"]


@pytest.mark.parametrize(
    "buttons",
    ["x", 7, {}, {"buttons": 7}, [7], [[7]], [[]], [None], [[None, []]]],
    ids=str,
)
def test_what_is_no_keyboard_is_none(buttons):
    """Whatever stands where buttons should, nothing is drawn and nothing fails."""
    assert keyboard({"buttons": buttons}) == []


def test_keyboard_is_bounded():
    """No more rows and columns than a server accepts, and no longer labels than can be read, reach the page."""
    button = {"type": "command", "label": "x" * 5000, "command": "/" * 5000, "style": "none"}
    rows = keyboard({"buttons": [[button] * 50] * 50})
    assert (len(rows), len(rows[0]), len(rows[0][0]["l"])) == (8, 8, LONGEST_LABEL)
    assert len(json.dumps(rows)) < 64 * 500


def test_strange_values_in_a_button_are_left_out():
    """A button of an unknown kind, without a label, or with other types than texts is told as far as it can be."""
    strange: list[dict[str, Any]] = [
        {},
        {"type": 5, "label": []},
        {"type": "share", "label": "Share"},
        {"type": "url", "url": {}},
    ]
    assert keyboard({"buttons": [strange]}) == [
        [{"k": "", "l": "·"}, {"k": "5", "l": "5"}, {"k": "share", "l": "Share"}, {"k": "url", "l": "url"}]
    ]


@pytest.mark.parametrize("payload", [b"", b"[]", b"\xff", b'{"content": 7}', b"[" * 100_000])
def test_frame_that_nobody_can_read_has_no_content(payload):
    """A frame that is no object, or no JSON at all, is shown by its columns alone."""
    assert content_of(payload) == {}


def test_brief_form_has_labels_and_kind():
    """A still view shows the labels of buttons, and what a survey says of itself."""
    assert brief({"buttons": BUTTONS.to_wire()}) == {
        "buttons": ["Approve", "https://ci.example.com/42", "Copy id"],
        "about": "",
    }
    assert brief(SURVEY) == {"buttons": [], "about": "Anonymous survey"}


def test_still_shows_buttons_and_surveys(connect, alice, tmp_path, until):
    """The still and the text table name buttons and surveys in short, escaped."""
    tc = connect("second", journal=tmp_path / "journal.db")
    chat_id = alice.group("Release crew", "second")
    keys = InlineKeyboardMarkup([[InlineKeyboardButton(text="<b>Go</b>", command="/go")]])
    tc.send(chat_id, "Deploy?", buttons=keys)
    asyncio.run_coroutine_threadsafe(tc.bot.send_survey(chat_id, "Lunch choice", "k7Qm"), tc.loop).result(30)
    until(tc, lambda: "survey" in set(tc.df["message_type"]))
    data, _ = Feed(tc)._repr_mimebundle_()
    assert "Deploy? [<b>Go</b>]" in data["text/plain"]
    assert "Deploy? [&lt;b&gt;Go&lt;/b&gt;]" in data["text/html"]
    assert "survey: Lunch choice" in data["text/plain"]


def test_forwarded_file_is_named_in_the_still():
    """A forwarded file is told as what it is."""
    row = {"event": "message", "message_type": "forwarded", "file_id": "f1", "file_name": "plan.pdf", "file_size": 5000}
    assert describe(row) == "forwarded: file · plan.pdf · 5 kB"
