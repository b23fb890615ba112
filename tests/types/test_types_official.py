"""The official Python client reads the same payloads into objects with equal attributes; where it cannot, we say so."""

from __future__ import annotations

import dataclasses
import inspect
from types import SimpleNamespace

import pytest

trueconf_types = pytest.importorskip("trueconf.types")

import trueconf.types.content  # noqa: E402
import trueconf.types.content.forward_message  # noqa: E402
import trueconf.types.responses as official_responses  # noqa: E402
from official_comparison import assert_same  # noqa: E402
from trueconf import enums as official_enums  # noqa: E402
from trueconf.client.bot import Bot as OfficialBot  # noqa: E402
from trueconf.types.message import Message as OfficialMessage  # noqa: E402
from trueconf.types.parser import parse_update  # noqa: E402
from wire_samples import (  # noqa: E402
    BUTTONS,
    NOTIFICATIONS,
    RESPONSES,
    SYSTEM_CONTENTS,
    USER_CONTENTS,
    system_envelope,
    user_envelope,
)

import tcnb.types  # noqa: E402
from tcnb.types import BotLike, Message, enums, parse_envelope, parse_event  # noqa: E402


def bound(thing):
    """Bind an object to a bot that only knows who it is."""
    return thing.bind(SimpleNamespace(me_id="robot@video.example.com")) if hasattr(thing, "bind") else thing


@pytest.mark.parametrize("method", NOTIFICATIONS)
def test_notification_is_read_like_by_the_official_client(method):
    """Every notification gives an object of the same name with equal attributes."""
    theirs = parse_update({"method": method, "type": 1, "id": 1, "payload": NOTIFICATIONS[method]})
    assert_same(bound(parse_event(method, NOTIFICATIONS[method])), bound(theirs), method)


@pytest.mark.parametrize(("message_type", "content"), [*USER_CONTENTS.items(), *SYSTEM_CONTENTS.items()])
def test_envelope_is_read_like_by_the_official_client(message_type, content):
    """Every kind of envelope gives an object of the same name with equal attributes."""
    envelope = user_envelope if message_type >= 200 else system_envelope
    payload = envelope(message_type, content)
    theirs = parse_update({"method": "sendMessage", "type": 1, "id": 1, "payload": payload})
    assert_same(bound(parse_envelope(payload)), bound(theirs), str(message_type))


def test_keyboard_is_read_like_by_the_official_client():
    """The buttons under a message have equal attributes."""
    payload = user_envelope(200, {"text": "Deploy?", "parseMode": "text", "buttons": BUTTONS})
    theirs = parse_update({"method": "sendMessage", "type": 1, "id": 1, "payload": payload})
    assert_same(bound(parse_envelope(payload)), bound(theirs), "buttons")


@pytest.mark.parametrize("name", [name for name in RESPONSES if hasattr(official_responses, name)])
def test_response_is_read_like_by_the_official_client(name):
    """Every response gives an object with equal attributes."""
    theirs = getattr(official_responses, name).from_dict(RESPONSES[name])
    assert_same(bound(getattr(tcnb.types, name).from_dict(RESPONSES[name])), bound(theirs), name)


@pytest.mark.parametrize("name", [name for name in RESPONSES if hasattr(official_responses, name)])
def test_response_is_made_like_by_the_official_client(name):
    """The constructor of a response takes the same arguments in the same order."""
    theirs = [field.name for field in dataclasses.fields(getattr(official_responses, name))]
    ours = [field.name for field in dataclasses.fields(getattr(tcnb.types, name))]
    newer = {"reply_message"}
    assert [name for name in ours if name in theirs and name not in newer] == [n for n in theirs if n not in newer]


def test_every_public_type_of_the_official_client_is_here():
    """What `from trueconf.types import *` brings, `from tcnb.types import *` brings too."""
    missing = {"ApiError"}  # an answer that refuses is an exception here, never a value
    public = {*trueconf_types.__all__, *trueconf.types.content.__all__, *official_responses.__all__}
    assert public - missing <= set(tcnb.types.__all__)


def test_message_has_every_public_member_of_the_official_one():
    """Whatever a handler asks of an official message, it can ask of ours."""
    theirs = {name for name in dir(OfficialMessage) if not name.startswith("_")}
    assert theirs - set(dir(Message)) - {field.name for field in dataclasses.fields(Message)} <= {
        "from_dict",
        "to_dict",
    }


@pytest.mark.parametrize("name", [name for name in official_enums.__all__ if hasattr(enums, name)])
def test_enumeration_has_the_members_of_the_official_one(name):
    """Every member of an enumeration has the same name and value."""
    theirs = getattr(official_enums, name)
    if not inspect.isclass(theirs):
        assert set(getattr(enums, name)) == set(theirs)
        return
    ours = getattr(enums, name)
    assert {member.name: member.value for member in theirs} == {
        member.name: member.value for member in ours if member.name in theirs.__members__
    }


CALLED = [name for name, _ in inspect.getmembers(BotLike, inspect.iscoroutinefunction) if not name.startswith("_")]


OWN_PARAMETERS = {"download_file_by_id": ("size",)}  # what the message tells of its file, which the download must match


@pytest.mark.parametrize("name", CALLED)
def test_shortcuts_call_what_the_official_bot_has(name):
    """Each method that a shortcut calls has the official name and takes the official parameters."""
    theirs = inspect.signature(getattr(OfficialBot, name)).parameters
    ours = inspect.signature(getattr(BotLike, name)).parameters
    own = OWN_PARAMETERS.get(name, ())
    assert set(ours) <= {*theirs, *own}
    assert [one for one in theirs if one in ours] == [one for one in ours if one not in own]


@pytest.mark.parametrize("method", NOTIFICATIONS)
def test_notification_is_told_like_by_the_official_client(method):
    """`to_dict` has everything that it has there, under the same names with equal plain values."""
    theirs = parse_update({"method": method, "type": 1, "id": 1, "payload": NOTIFICATIONS[method]})
    assert_holds(parse_event(method, NOTIFICATIONS[method]).to_dict(), theirs.to_dict())


@pytest.mark.parametrize("name", [name for name in RESPONSES if hasattr(official_responses, name)])
def test_response_is_told_like_by_the_official_client(name):
    """`to_dict` of a response has everything that it has there."""
    theirs = getattr(official_responses, name).from_dict(RESPONSES[name])
    assert_holds(getattr(tcnb.types, name).from_dict(RESPONSES[name]).to_dict(), theirs.to_dict())


def assert_holds(ours, theirs):
    """Compare plain values; objects of ours may have more fields."""
    if isinstance(theirs, dict):
        for name, value in theirs.items():
            assert_holds(ours[name], value)
    elif isinstance(theirs, list):
        for our, their in zip(ours, theirs, strict=True):
            assert_holds(our, their)
    else:
        assert ours == theirs
        assert type(ours) is type(theirs)


FLAT = [*(content for number, content in USER_CONTENTS.items() if number != 201), {"text": "x", "parseMode": "text"}]


@pytest.mark.parametrize("content", FLAT, ids=lambda content: "-".join(sorted(content))[:40])
def test_forward_of_a_forward_is_read_like_by_the_official_client(content):
    """What was forwarded twice comes with its content alone, which is told by its shape."""
    inner = {**user_envelope(201, content), "chatId": "c2"}
    del inner["box"]
    payload = user_envelope(201, inner)
    ours = bound(parse_envelope(payload)).forwarded_message
    theirs = bound(parse_update({"method": "sendMessage", "type": 1, "id": 1, "payload": payload})).forwarded_message
    assert (ours.text, ours.type) == (theirs.text, theirs.type)
    assert_same(ours.content, theirs.content, "content")


@pytest.mark.parametrize(
    "text",
    [
        '<a href="trueconf:bob@x">Bob</a>',
        "  <a href='trueconf:bob@x&do=profile'>Bob &amp; Co</a> ",
        'see <a href="trueconf:bob@x">Bob</a>',
        '<a href="trueconf:bob@x">Bob</a>,',
        '<a href="https://example.com">Bob</a>',
    ],
)
async def test_mention_alone_is_a_contact_as_for_the_official_client(text):
    """A text that is one mention shares that user; with anything around it, it does not."""

    class Namer:
        me_id = "robot@x"

        async def get_user_display_name(self, user_id):
            return SimpleNamespace(display_name=f"the name of {user_id}")

    payload = user_envelope(200, {"text": text, "parseMode": "html"})
    theirs = parse_update({"method": "sendMessage", "type": 1, "id": 1, "payload": payload})
    ours, their = [await message.bind(Namer()).contact for message in (parse_envelope(payload), theirs)]
    assert (ours and vars(ours)) == (their and vars(their))


async def test_two_mentions_are_no_contact():
    """A text of two mentions shares nobody."""
    link = '<a href="trueconf:bob@x">Bob</a>'
    assert await parse_envelope(user_envelope(200, {"text": f"{link} {link}", "parseMode": "html"})).contact is None
