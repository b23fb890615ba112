"""Inline keyboards: what the server allows can be made, what it does not is refused, what it sends is read."""

from __future__ import annotations

import numpy as np
import pytest
from wire_samples import BUTTONS, user_envelope

from tcnb.errors import LimitExceededError, MalformedFrameError, UsageError
from tcnb.types import InlineKeyboardButton, InlineKeyboardMarkup, parse_envelope
from tcnb.types.enums import ButtonStyle, ButtonType


def test_buttons_are_written_as_the_wire_wants_them():
    """Every kind of button is written with the wire's names, defaults left out."""
    keyboard = InlineKeyboardMarkup(
        [
            [
                InlineKeyboardButton(
                    "Approve", command="/approve", custom_data="req=17", button_id="ok-1", style=ButtonStyle.SUCCESS
                ),
                InlineKeyboardButton("Reject", command="/reject", style="danger"),
            ],
            [
                InlineKeyboardButton("Log", url="https://ci.example.com/42"),
                InlineKeyboardButton("Copy id", copy_data="build-42"),
                InlineKeyboardButton("Say thanks", message="Thanks!", draft=True),
            ],
        ]
    )
    assert keyboard.to_wire() == BUTTONS
    assert keyboard.to_dict() == {"buttons": BUTTONS}


def test_keyboard_survives_the_way_there_and_back():
    """A keyboard under a message is read and written alike."""
    message = parse_envelope(user_envelope(200, {"text": "?", "parseMode": "text", "buttons": BUTTONS}))
    assert message.content.buttons == InlineKeyboardMarkup.from_dict(BUTTONS)
    assert message.as_wire()["content"]["buttons"] == BUTTONS


def test_kind_of_a_button_follows_from_its_action():
    """The type is not given but told."""
    assert InlineKeyboardButton(url="https://x.example").type is ButtonType.URL
    assert InlineKeyboardButton("x", copy_data="y").type is ButtonType.COPY


@pytest.mark.parametrize(
    "wrong",
    [
        {"text": "x"},
        {"text": "x", "command": "/a", "url": "https://x.example"},
        {"command": "/a"},
        {"text": "", "command": "/a"},
        {"text": "x", "command": ""},
        {"text": "x", "command": "/да"},
        {"text": "x", "command": "/a", "custom_data": "да"},
        {"text": "x", "url": "ftp://x.example"},
        {"text": "x", "url": "http:x"},
        {"text": "x", "url": "https://x.example/да"},
        {"text": "x", "message": "y", "custom_data": "z"},
        {"text": "x", "copy_data": "y", "draft": True},
        {"text": "x", "url": "https://x.example", "to": "robot"},
        {"text": "x", "command": "/a", "to": ""},
        {"text": "x", "command": "/a", "wait_reply": True},
        {"text": 5, "command": "/a"},
        {"text": "x", "command": 5},
        {"text": "x", "url": 5},
        {"text": "x", "message": 5},
        {"text": "x", "command": "/a", "to": 5},
        {"text": "x", "command": "/a", "button_id": 5},
    ],
)
def test_wrong_button_is_refused(wrong):
    """What the server would not take is refused before it is sent."""
    with pytest.raises(UsageError) as raised:
        InlineKeyboardButton(**wrong)
    assert isinstance(raised.value, ValueError)


@pytest.mark.parametrize(
    ("long", "limit"),
    [
        ({"text": "x" * 33, "command": "/a"}, 32),
        ({"text": "x", "command": "/" * 256}, 255),
        ({"text": "x", "command": "/a", "custom_data": "x" * 4097}, 4096),
        ({"text": "x", "url": "https://" + "x" * 8095}, 8095),
        ({"text": "x", "copy_data": "x" * 4096}, 4095),
    ],
)
def test_too_long_a_field_is_refused(long, limit):
    """A field that is too long is told with the limit."""
    with pytest.raises(LimitExceededError) as raised:
        InlineKeyboardButton(**long)
    assert raised.value.limit == limit


@pytest.mark.parametrize(("rows", "columns", "limit"), [(9, 1, 8), (1, 9, 8), (9, 8, 64)])
def test_too_many_buttons_are_refused(rows, columns, limit):
    """A keyboard has at most 8 rows of 8 buttons."""
    with pytest.raises(LimitExceededError) as raised:
        InlineKeyboardMarkup([[InlineKeyboardButton("x", command="/a")] * columns] * rows)
    assert raised.value.limit == limit


def test_texts_of_a_button_may_be_of_numpy():
    """What comes out of an array is kept as a text that can be sent."""
    button = InlineKeyboardButton(np.str_("x"), command=np.str_("/a"))
    assert {type(value) for value in (button.text, button.command)} == {str}


BUTTON = InlineKeyboardButton("x", command="/a")


@pytest.mark.parametrize("wrong", [BUTTON, [BUTTON], [["x"]], [[BUTTON], BUTTON], 5, None])
def test_rows_of_buttons_are_wanted(wrong):
    """What is no list of rows is refused with how one looks, also a flat list of buttons."""
    with pytest.raises(UsageError, match="a list of rows"):
        InlineKeyboardMarkup(wrong)


def test_full_keyboard_is_allowed():
    """64 buttons are not too many."""
    assert InlineKeyboardMarkup([[InlineKeyboardButton("x", command="/a")] * 8] * 8)


def test_bare_recipient_is_completed():
    """A recipient without a server gets one."""
    keyboard = InlineKeyboardMarkup([[InlineKeyboardButton("x", command="/a", to="robot")]])
    assert keyboard.needs_server_name
    completed = keyboard.completed("video.example.com")
    assert completed.buttons[0][0].to == "robot@video.example.com"
    assert not completed.needs_server_name


def test_what_a_server_sends_is_not_held_to_the_limits():
    """A button of a kind nobody knows, or beyond the limits, is read as it is."""
    sent = [[{"type": "share", "label": "x" * 99, "waitReply": True, "later": 1}], ["odd", None], "odd", []]
    keyboard = InlineKeyboardMarkup.from_dict(sent)
    button = keyboard.buttons[0][0]
    assert (button.type, button.text, button.wait_reply, button.command) == (ButtonType.SHARE, "x" * 99, True, None)
    assert keyboard.to_wire() == [[{"type": "share", "label": "x" * 99, "waitReply": True}], [], []]


@pytest.mark.parametrize("value", [None, 3, "x", {}])
def test_what_is_no_keyboard_is_refused(value):
    """A keyboard is rows of buttons."""
    with pytest.raises(MalformedFrameError):
        InlineKeyboardMarkup.from_dict(value)
