"""What the feed reads of a row beyond its columns, from the journal or the server: keyboards and surveys, cut."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from tcnb.journal.frame_cache import says_more
from tcnb.notebook.feed.actions import Actions
from tcnb.notebook.feed.contents import LONGEST_LABEL, brief, content_of, keyboard, survey
from tcnb.notebook.feed.feed import Feed
from tcnb.notebook.feed.static_fallback import describe
from tcnb.practice.faults import Faults
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


@pytest.mark.parametrize("style", [["primary"], {"primary": 1}, [[]], 7, True, None, "constructor", "\ud83d"], ids=str)
def test_style_that_is_none_is_left_out(style):
    """A button with a list or an object for its style is a button without any."""
    assert keyboard({"buttons": [[{"type": "command", "label": "Press", "style": style}]]}) == [
        [{"k": "command", "l": "Press"}]
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


@pytest.fixture
def asked(monkeypatch) -> list[str]:
    """The requests for single messages that the practice server gets; the sessions ask others by themselves."""
    methods: list[str] = []
    handle = Faults.next_for

    def noted(faults: Faults, method: str) -> Any:
        if method == "getMessageById":
            methods.append(method)
        return handle(faults, method)

    monkeypatch.setattr(Faults, "next_for", noted)
    return methods


def test_server_is_not_asked_for_what_it_has_said(connect, alice, until, asked):
    """Without a journal, rows in sight cost no request: neither those with buttons or markup nor the many without."""
    tc = connect("second", journal=None)
    chat_id = alice.group("Release crew", "second", "robot")
    robot = connect("robot")
    sent = [robot.send(chat_id, f"plain {number}").message_id for number in range(5)]
    sent.append(robot.send(chat_id, "Deploy?", buttons=BUTTONS).message_id)
    sent.append(robot.send(chat_id, "a <b>bold</b> step", parse_mode="html").message_id)
    own = tc.send(chat_id, "Mine?", buttons=BUTTONS).message_id
    robot._wait(robot.bot.edit_message(sent[0], "plain no more", buttons=BUTTONS))
    until(tc, lambda: {*sent, own} <= set(tc.df["message_id"]) and "edited_message" in set(tc.df["event"]))
    seqs = {message_id: seq_of(tc, message_id) for message_id in (*sent, own)}
    edit = int(tc.df.loc[tc.df["event"] == "edited_message", "seq"].iloc[-1])
    asked.clear()
    shown = told(tc, *seqs.values(), edit)
    assert {int(seq) for seq, one in shown.items() if "keyboard" in one} == {seqs[sent[5]], seqs[own], edit}
    assert [int(seq) for seq, one in shown.items() if "tree" in one] == [seqs[sent[6]]]
    assert len(shown) == 4
    assert asked == []


def test_server_is_asked_for_what_was_forgotten(connect, alice, until, asked, monkeypatch):
    """What memory no longer holds is asked of the server, and only that."""
    monkeypatch.setattr("tcnb.journal.frame_cache.FrameCache.__init__.__defaults__", (2000,))
    tc = connect("second", journal=None)
    chat_id = alice.group("Release crew", "second", "robot")
    robot = connect("robot")
    sent = [robot.send(chat_id, f"Deploy {number}?", buttons=BUTTONS).message_id for number in range(6)]
    until(tc, lambda: set(sent) <= set(tc.df["message_id"]))
    first, last = seq_of(tc, sent[0]), seq_of(tc, sent[-1])
    asked.clear()
    assert told(tc, last)[str(last)]["keyboard"] == SHOWN
    assert asked == []
    assert told(tc, first)[str(first)]["keyboard"] == SHOWN
    assert asked == ["getMessageById"]


@pytest.mark.parametrize(
    ("payload", "more"),
    [
        (b'{"content":{"text":"a","parseMode":"text"}}', False),
        (b'{"content":{"text":"a","parseMode":"html"}}', False),
        (b'{"content":{"text":"a","parseMode":"text","buttons":null}}', False),
        (b'{"content":{"text":"<b>a</b>","parseMode":"html"}}', True),
        (b'{"content":{"text":"a &amp; b","parseMode": "html"}}', True),
        (b'{"content":{"text":"a","parseMode":"text","buttons": {"buttons":[]}}}', True),
        (b'{"content":{"title":"a","buttonText":"Go"}}', True),
    ],
)
def test_frames_that_say_more_are_told_by_their_bytes(payload, more):
    """Only frames with buttons, markup or a survey are kept."""
    assert says_more(payload) is more
