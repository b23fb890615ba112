"""Every payload that the official client and we read differently on purpose, in one table with the reason; that all
others are read alike is proved by `test_types_generated.py`.
"""

# ruff: noqa: E501 -- a table is read by rows

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, Final, NamedTuple

import pytest

pytest.importorskip("trueconf")

from trueconf.types.content.forward_message import ForwardMessage as OfficialForwardMessage  # noqa: F401
from trueconf.types.parser import parse_update
from trueconf.types.responses import GetChatByIdResponse, GetFileInfoResponse
from wire_samples import (
    ATTACHMENT,
    BUTTONS,
    CHAT_RECORD,
    FILE_INFO,
    FORWARDED_ORIGINAL,
    LOCATION,
    NEW_ENVELOPE,
    NOTIFICATIONS,
    OLD_ENVELOPE,
    SYSTEM_CONTENTS,
    system_envelope,
    user_envelope,
)

import tcnb.types
from tcnb.types import parse_event

REFUSED: Final = "raises"
"""What stands for a payload that the official client cannot read: it logs an error, and no handler hears of it."""

IGNORED: Final = "ignored"
"""What stands for a payload that the official client drops without a word."""

ROBOT: Final = "robot@video.example.com"
LOST: Final = (
    "whatever a server sends must reach the record; a field that is missing or new is no reason to lose a message"
)
NULL: Final = "a null means that there is none; there it becomes the text 'None'"
NORMAL: Final = "the same thing is spelled in several ways on the wire and in one way here"
MENTION: Final = "`protocol` section 10.2 lists more forms of a mention than the official client looks for"
KIND: Final = "`protocol` section 5.2: what is neither photo, video nor sticker is a document, and only that"


class Difference(NamedTuple):
    """One row of the table.

    Attributes:
        what: the payload in words.
        method: the notification, or the class of a response.
        payload: what is read.
        look: what is asked of the object that comes of it.
        theirs: what the official client's object answers, REFUSED or IGNORED.
        ours: what our object answers.
        reason: why they differ.
    """

    what: str
    method: str
    payload: Any
    look: Callable[[Any], Any]
    theirs: Any
    ours: Any
    reason: str


def without(payload: dict[str, Any], *names: str) -> dict[str, Any]:
    """Return the payload without some of its fields."""
    return {name: value for name, value in payload.items() if name not in names}


def written(text: str, parse_mode: str = "html") -> dict[str, Any]:
    """Return an envelope with that text."""
    return user_envelope(200, {"text": text, "parseMode": parse_mode})


def attached(mime_type: str) -> dict[str, Any]:
    """Return an envelope with a file of that type."""
    return user_envelope(202, {**ATTACHMENT, "mimeType": mime_type})


def kind_of_files(message: Any) -> list[str]:
    """Tell as what the file of a message can be had."""
    return [kind for kind in ("photo", "video", "sticker", "document") if getattr(message, kind) is not None]


EVENTS = NOTIFICATIONS
HTML_MENTION = '<a href="trueconf:{}">Robot</a>'

# fmt: off
DIFFERENCES = [
    Difference("envelope of a server before 5.5.6", "sendMessage", OLD_ENVELOPE, lambda it: it.text, REFUSED, "status?", "both generations are read here; the official client 1.5 knows the newer one only"),
    Difference("system envelope before 5.5.6", "sendMessage", {**without(system_envelope(21, {"title": "New"}), "chat"), "chatId": "c"}, lambda it: it.chat.chat_id, REFUSED, "c", "both generations are read here; the official client 1.5 knows the newer one only"),
    Difference("last message before 5.5.6", "createGroupChat", {**CHAT_RECORD, "lastMessage": without(CHAT_RECORD["lastMessage"], "chat")}, lambda it: it.last_message.chat.chat_title, REFUSED, "Release crew", "both generations are read here; the record says the chat"),
    Difference("kind of message nobody knows", "sendMessage", user_envelope(299, {"new": 1}), lambda it: it.content.raw, IGNORED, {"new": 1}, LOST),
    Difference("kind of last message nobody knows", "GetChatByIdResponse", {**CHAT_RECORD, "lastMessage": {**CHAT_RECORD["lastMessage"], "type": 299}}, lambda it: it.title, REFUSED, "Release crew", LOST),
    Difference("kind of chat nobody knows", "createGroupChat", {**CHAT_RECORD, "chatType": 4}, lambda it: int(it.chat_type), REFUSED, 4, LOST),
    Difference("message without isEdited", "sendMessage", without(NEW_ENVELOPE, "isEdited"), lambda it: it.is_edited, REFUSED, False, LOST),
    Difference("system envelope without box", "sendMessage", without(system_envelope(1, SYSTEM_CONTENTS[1]), "box"), lambda it: it.box.position, REFUSED, "", LOST),
    Difference("original without isEdited", "sendMessage", user_envelope(201, FORWARDED_ORIGINAL), lambda it: it.content.text, REFUSED, "see notes", "`protocol` section 5.4: real servers leave it and the chat object out"),
    Difference("flat text as original", "sendMessage", user_envelope(201, {"text": "see notes", "parseMode": "html"}), lambda it: it.content.text, REFUSED, "see notes", "`protocol` section 5.4: one client was told so"),
    Difference("forward of a forward", "sendMessage", user_envelope(201, {**NEW_ENVELOPE, "type": 201, "content": NEW_ENVELOPE}), lambda it: type(it.content.content).__name__, "Message", "ForwardMessage", "what was forwarded is of one class here, however deep; it is a Message too"),
    Difference("place with a description", "sendMessage", user_envelope(203, {**without(LOCATION, "title"), "description": "Office"}), lambda it: it.content.title, REFUSED, "Office", NORMAL),
    Difference("removal by nobody", "removeMessage", without(EVENTS["removeMessage"], "removedBy"), lambda it: it.removed_by.id, REFUSED, "", LOST),
    Difference("edit of something else than a text", "editMessage", {**EVENTS["editMessage"], "content": ATTACHMENT}, lambda it: it.content.file_name, REFUSED, "plan.pdf", LOST),
    Difference("edit that says of what", "editMessage", {**EVENTS["editMessage"], "messageId": "m"}, lambda it: getattr(it, "message_id", None), None, "m", "a practice server can be told to say it, and a real one may come to"),
    Difference("cleared for all, as a string", "clearHistory", {**EVENTS["clearHistory"], "forAll": "false"}, lambda it: it.for_all, True, False, "an older model has a string; a string that says false is not true"),
    Difference("removed avatar", "editChatAvatar", {**EVENTS["editChatAvatar"], "avatarUrl": None}, lambda it: it.avatar_url, "None", None, NULL),
    Difference("recorded removal of an avatar", "sendMessage", system_envelope(22, {"avatarUrl": None}), lambda it: it.content.avatar_url, "None", None, NULL),
    Difference("favorites without a title", "GetChatByIdResponse", {**CHAT_RECORD, "title": None}, lambda it: it.title, "None", None, NULL),
    Difference("preview that is not ready", "GetFileInfoResponse", {**FILE_INFO, "previews": [{**FILE_INFO["previews"][0], "downloadUrl": None}]}, lambda it: it.previews[0].download_url, "None", None, NULL),
    Difference("group without a title", "createGroupChat", {**CHAT_RECORD, "title": None}, lambda it: it.title, "None", "", NULL),
    Difference("extensions as an administrator wrote them", "getFileUploadLimits", {"maxSize": None, "extensions": {"mode": "block", "list": [".EXE"]}}, lambda it: it.extensions.list, [".EXE"], ["exe"], NORMAL),
    Difference("role as a number", "changeParticipantRole", {**EVENTS["changeParticipantRole"], "role": 1}, lambda it: it.role, "1", "admin", "`protocol` section 11.4: one page of the documentation has numbers"),
    Difference("button that waits for a reply", "sendMessage", user_envelope(200, {"text": "?", "parseMode": "text", "buttons": [[{**BUTTONS[0][1], "waitReply": True}]]}), lambda it: it.content.buttons.buttons[0][0].wait_reply, REFUSED, True, "the limits are for new keyboards; those of others are read as they are"),
    Difference("button that shares", "sendMessage", user_envelope(200, {"text": "?", "parseMode": "text", "buttons": [[{"type": "share", "label": "Tell"}]]}), lambda it: it.content.buttons.buttons[0][0].text, REFUSED, "Tell", LOST),
    Difference("sticker", "sendMessage", attached("sticker/webp"), kind_of_files, ["sticker", "document"], ["sticker"], KIND),
    Difference("audio file", "sendMessage", attached("audio/ogg"), kind_of_files, [], ["document"], KIND),
    Difference("MIME type in capitals", "sendMessage", attached("IMAGE/JPEG"), kind_of_files, ["document"], ["photo"], NORMAL),
    Difference("mention with a resource", "sendMessage", written(HTML_MENTION.format(f"{ROBOT}/7b1e40aa")), lambda it: it.mention, None, True, MENTION),
    Difference("mention with a query", "sendMessage", written(HTML_MENTION.format(f"{ROBOT}?k=v")), lambda it: it.mention, None, True, MENTION),
    Difference("mention in other letters", "sendMessage", written(HTML_MENTION.format(ROBOT.title())), lambda it: it.mention, None, True, "`protocol` section 2.5: ids are compared without regard to case"),
    Difference("mention in Markdown", "sendMessage", written(f"[Robot](trueconf:{ROBOT})", "markdown"), lambda it: it.mention, None, True, MENTION),
    Difference("quotation without a line break", "sendMessage", written('<quote class="reply">status?</quote>fine'), lambda it: it.text, '<quote class="reply">status?</quote>fine', "fine", "a quotation is no part of what is said, whatever follows it"),
]
# fmt: on

RESPONSES: Final[dict[str, Any]] = {
    "GetChatByIdResponse": GetChatByIdResponse,
    "GetFileInfoResponse": GetFileInfoResponse,
}


def bound(thing: Any) -> Any:
    """Bind an object to a bot that only knows who it is."""
    return thing.bind(SimpleNamespace(me_id=ROBOT)) if hasattr(thing, "bind") else thing


def theirs(row: Difference) -> Any:
    """Return what the official client answers."""
    try:
        if row.method in RESPONSES:
            thing = RESPONSES[row.method].from_dict(row.payload)
        else:
            thing = parse_update({"method": row.method, "type": 1, "id": 1, "payload": row.payload})
    except (ValueError, LookupError, NotImplementedError):
        return REFUSED
    return IGNORED if thing is None else row.look(bound(thing))


@pytest.mark.parametrize("row", DIFFERENCES, ids=lambda row: row.what)
def test_official_client_reads_it_as_the_table_says(row: Difference) -> None:
    """The official client still does what made us differ."""
    assert theirs(row) == row.theirs


@pytest.mark.parametrize("row", DIFFERENCES, ids=lambda row: row.what)
def test_we_read_it_as_the_table_says(row: Difference) -> None:
    """We read it otherwise."""
    if row.method in RESPONSES:
        thing = getattr(tcnb.types, row.method).from_dict(row.payload)
    else:
        thing = parse_event(row.method, row.payload)
    assert row.look(bound(thing)) == row.ours != row.theirs
