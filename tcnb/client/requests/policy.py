"""What becomes of a request whose answer was lost, method by method: the one table; carrying it out is done elsewhere.

A request that was never written, because the connection was known to be gone, is always sent when it is back.
Source: `protocol` section 6.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from tcnb.wire import codes, paths

_FILE_NOT_FOUND: Final = 404
_UPLOAD_TASK_NOT_FOUND: Final = 407
_NO_FILES: Final = frozenset({codes.FILE_NOT_FOUND, _FILE_NOT_FOUND, _UPLOAD_TASK_NOT_FOUND})


class Kind(Enum):
    """What is done about a request whose answer was lost."""

    READ = "it changes nothing: it is asked again"
    REPEAT = "twice is the same as once: it is asked again"
    MESSAGE = "it puts a message into a chat: the chat's history is read, and it is sent again if it is not there"
    CHAT = "it makes a chat: the list of chats is read, and it is sent again if there is no such chat"
    CLEAR = "it hides what was said: the chat's history is read, and it is sent again if older messages are there"
    TELL = "nothing shows whether it was done: that is told"


@dataclass(frozen=True, slots=True)
class Rule:
    """The rule for one method.

    Attributes:
        kind: what is done about it.
        done: refusals of the repetition that mean the first request was carried out. They count as success only then:
            a first request that is refused with such a code is refused.
        done_to_me: further such refusals where the request is about this account itself.
    """

    kind: Kind
    done: frozenset[int] = frozenset()
    done_to_me: frozenset[int] = frozenset()


_READ: Final = Rule(Kind.READ)
_REPEAT: Final = Rule(Kind.REPEAT)
_MESSAGE: Final = Rule(Kind.MESSAGE)
_CHAT: Final = Rule(Kind.CHAT)
_GONE: Final = frozenset({codes.ACCESS_DENIED, codes.CHAT_NOT_FOUND, codes.NOT_A_PARTICIPANT})

RULES: Final[Mapping[str, Rule]] = {
    "getChatByID": _READ,
    "getChatHistory": _READ,
    "getChatParticipant": _READ,
    "getChatParticipants": _READ,
    "getChats": _READ,
    "getFileInfo": _READ,
    "getFileUploadLimits": _READ,
    "getMessageById": _READ,
    "getUserDisplayName": _READ,
    "hasChatParticipant": _READ,
    "createFavoritesChat": _REPEAT,
    "createP2PChat": _REPEAT,
    "sendChatActivity": _REPEAT,
    "subscribeFileProgress": _REPEAT,
    "unsubscribeFileProgress": _REPEAT,
    # A task that nobody uses ends by itself.
    "uploadFile": _REPEAT,
    "editChatTitle": _REPEAT,
    "editMessage": _REPEAT,
    "editSurvey": _REPEAT,
    # Both sides of an exchange of ownership lose the right to do it again: see `shows_role`.
    "changeParticipantRole": _REPEAT,
    # A picture can be used once.
    "editChatAvatar": Rule(Kind.REPEAT, done=_NO_FILES),
    "removeMessage": Rule(Kind.REPEAT, done=frozenset({codes.MESSAGE_NOT_FOUND})),
    "removeChat": Rule(Kind.REPEAT, done=_GONE),
    "addChatParticipant": Rule(Kind.REPEAT, done=frozenset({codes.ALREADY_IN_CHAT})),
    "removeChatParticipant": Rule(Kind.REPEAT, done=frozenset({codes.NOT_A_PARTICIPANT}), done_to_me=_GONE),
    "forwardMessage": _MESSAGE,
    "sendFile": _MESSAGE,
    "sendMessage": _MESSAGE,
    "sendSurvey": _MESSAGE,
    "createChannel": _CHAT,
    "createGroupChat": _CHAT,
    "clearHistory": Rule(Kind.CLEAR),
    "answerCommand": Rule(Kind.TELL),
}
"""Every method of the connector besides `auth`."""

_UNKNOWN: Final = Rule(Kind.TELL)

LOOKED_FOR: Final = frozenset({Kind.MESSAGE, Kind.CHAT, Kind.CLEAR})
"""Kinds whose outcome is looked for on the server."""

USED_UP: Final = _NO_FILES | {codes.FILE_UPLOAD_FAILED, codes.FILE_NOT_READY}
"""Refusals of a repeated `sendFile` that may mean the first one took the file."""


def rule_for(method: str) -> Rule:
    """Return the rule for a wire method; of one that is not known here the outcome is told to be unknown."""
    return RULES.get(method, _UNKNOWN)


def shows_done(method: str, request: Any, code: int, me_id: str | None) -> bool:
    """Return whether a refused repetition means that the first request was carried out.

    Args:
        method: its wire method.
        request: its payload.
        code: what the repetition was refused with.
        me_id: the id of this account.
    """
    rule = rule_for(method)
    if code in rule.done:
        return True
    about = request.get("userId") if isinstance(request, dict) else None
    is_me = isinstance(about, str) and me_id is not None and paths.bare_id(about).casefold() == me_id.casefold()
    return is_me and code in rule.done_to_me


def shows_role(method: str, code: int) -> bool:
    """Return whether a refused repetition makes it worth asking for the participant's role: it may be the wanted one.

    Whoever makes somebody else the owner loses the right to do it again.
    """
    return method == "changeParticipantRole" and code in (codes.ACCESS_DENIED, codes.NOT_ENOUGH_RIGHTS)
