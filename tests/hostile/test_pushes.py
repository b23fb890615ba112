"""Notifications of a hostile server, from the socket to the feed: each is acknowledged once, and kept."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest

from tests.hostile.server import ALICE, CHAT, ROBOT, HostileServer
from tests.hostile.socket_answers import changed
from tests.hostile.visit import Visit

_MENTION: Final = f'<a href="trueconf:{ROBOT}">Robot</a> look'
_BY: Final = {"id": ALICE, "type": 1}
_CHAT: Final = {"chatId": CHAT, "chatTitle": "Release crew", "chatType": 2}
_BUTTONS: Final = [
    [
        {"type": "command", "label": "Go", "command": "/go", "customData": "a", "id": "b1", "style": "success"},
        {"type": "url", "label": "Log", "url": "https://ci.example.com/42"},
    ]
]

CONTENTS: Final[dict[int, dict[str, Any]]] = {
    1: {"userId": ALICE, "role": "user"},
    21: {"title": "New name"},
    110: {"userId": ALICE, "role": "owner"},
    22: {"avatarUrl": "https://video.example.com/a"},
    23: {"forAll": True},
    200: {"text": _MENTION, "parseMode": "html", "buttons": _BUTTONS},
    201: {"messageId": "x", "timestamp": 1766990000000, "author": _BY, "type": 200, "content": {"text": _MENTION}},
    202: {"name": "plan.pdf", "size": 48213, "fileId": "9d41", "mimeType": "application/pdf", "readyState": 2},
    203: {"latitude": 59.93, "longitude": 30.31, "title": _MENTION},
    204: {"url": "https://video.example.com/s", "title": "Lunch", "path": "k7Q", "description": "{{Survey}}"},
    205: {"fileId": "9d43", "size": 20480, "mimeType": "audio/ogg", "duration": 7},
    999: {"whatever": [1]},
}
"""Contents of messages, by type."""

NOTICES: Final[dict[str, dict[str, Any]]] = {
    "editMessage": {"timestamp": 1767000007000, "chatId": CHAT, "content": {"text": _MENTION, "parseMode": "html"}},
    "removeMessage": {"chatId": CHAT, "messageId": "m-1", "removedBy": _BY},
    "createP2PChat": {"chatId": "p2p", "title": ALICE, "chatType": 1, "lastMessage": None, "unreadMessages": 1},
    "addChatParticipant": {"timestamp": 1767000009000, "chatId": CHAT, "userId": ROBOT, "addedBy": _BY},
    "removeChatParticipant": {"timestamp": 1767000009500, "chatId": CHAT, "userId": ALICE, "removedBy": _BY},
    "changeParticipantRole": {"timestamp": 1767000010000, "chatId": CHAT, "userId": ALICE, "role": "admin"},
    "removeChat": {"chatId": "gone"},
    "editChatTitle": {"chatId": CHAT, "title": "Release crew"},
    "editChatAvatar": {"chatId": CHAT, "avatarUrl": "https://video.example.com/a"},
    "clearHistory": {"chatId": "gone", "forAll": True},
    "getFileUploadLimits": {"maxSize": 104857600, "extensions": {"mode": "block", "list": ["exe"]}},
    "uploadFileProgress": {"fileId": "9d41", "progress": 16384},
    "command": {
        "commandSource": {"type": "inlineKeyboard", "buttonId": "b1", "waitReply": False},
        "commandPayload": {"type": "userCommand", "command": "/go", "customData": "a"},
    },
    "constructor": {"__proto__": 1},
}
"""Notifications that are no messages."""

PAST: Final[list[Any]] = [0, -1, 1, 253402300799999, 32503680000000, 2**53, 2**63 - 1, 2**63, -(2**63), 10**17]
"""Times of a message, in milliseconds since 1970, at which no message was written."""


def followed(person: Visit) -> list[str]:
    """Have handlers called for whatever comes, which look at all of it; returns what they saw."""
    seen: list[str] = []

    async def look(event: Any) -> None:
        seen.append(repr(event))

    router = person.tc.router
    for name in ("message", "edited_message", "removed_message", "command", "created_personal_chat"):
        register = getattr(router, name, None)
        if register is not None:
            register()(look)
    return seen


def message(server: HostileServer, kind: int, content: Any, number: int) -> dict[str, Any]:
    """Return a message of a type."""
    return {**server.envelope("", type=kind, content=content), "messageId": f"h-{kind}-{number}"}


def messages(server: HostileServer, kind: int) -> Iterator[tuple[str, str]]:
    """Yield messages of a type in JSON, each of whose values is odd in turn."""
    for number, (name, text) in enumerate(changed(message(server, kind, CONTENTS[kind], 0))):
        yield name, text.replace(f"h-{kind}-0", f"h-{kind}-{number}")


def pushed(person: Visit, method: str, payloads: Iterator[tuple[str, str]]) -> int:
    """Push payloads that are JSON already, and see that each is acknowledged; returns how many there were."""
    server, count = person.server, 0
    for _, text in payloads:
        id = server.next_id()
        server.push_text(id, b'{"method":"%b","type":1,"id":%d,"payload":%b}' % (method.encode(), id, text.encode()))
        count += 1
    person.settle()
    person.look()
    status = person.tc.status()
    assert status.reconnects == 0
    assert status.received == count + 1
    doubled = [id for id, times in server.acknowledged.items() if times > 1]
    assert not doubled
    return count


@pytest.mark.parametrize("kind", CONTENTS)
def test_message_with_an_odd_value(server: HostileServer, visit: Callable[..., Visit], kind: int) -> None:
    """A message with a value of the wrong kind in any place is kept, acknowledged and shown."""
    person = visit()
    person.send()  # for a while after this, messages that name the bot are looked at for being its own
    followed(person)
    feed = person.tc.feed()
    assert pushed(person, "sendMessage", messages(server, kind)) > 200
    feed.close()


@pytest.mark.parametrize("method", NOTICES)
def test_notification_with_an_odd_value(server: HostileServer, visit: Callable[..., Visit], method: str) -> None:
    """So is every other notification."""
    person = visit()
    followed(person)
    assert pushed(person, method, changed(NOTICES[method])) >= 15


def test_messages_of_impossible_times(server: HostileServer, visit: Callable[..., Visit]) -> None:
    """Messages of the year 9999, or of before 1970, are kept and acknowledged."""
    person = visit()
    made = [message(server, 200, {"text": f"t-{time}"}, place) | {"timestamp": time} for place, time in enumerate(PAST)]
    pushed(person, "sendMessage", iter(("", json.dumps(one)) for one in made))
    texts = set(person.tc.df["text"].dropna())
    assert {f"t-{time}" for time in PAST} <= texts


def test_message_that_comes_again_and_again(server: HostileServer, visit: Callable[..., Visit]) -> None:
    """A message under a hundred numbers is there once, and each number is acknowledged."""
    person = visit()
    one = json.dumps(server.envelope("again"))
    pushed(person, "sendMessage", iter([("again", one)] * 100))
    assert list(person.tc.messages["text"]).count("again") == 1


def test_what_was_not_acknowledged_comes_again(server: HostileServer, visit: Callable[..., Visit]) -> None:
    """Odd messages that the connection breaks behind are acknowledged on the next one, and are there once."""
    person = visit()
    for name, text in messages(server, 203):
        id = server.next_id()
        server.push_text(id, b'{"method":"sendMessage","type":1,"id":%d,"payload":%b}' % (id, text.encode()))
        if "latitude" in name:
            server.reset()
    person.settle()
    ids = person.tc.messages["message_id"].dropna()
    assert not ids.duplicated().any()
