"""The table of what a handler can be for: each kind of event, its class and what can be asked of it; nothing runs here.

Source: `protocol` section 7.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from tcnb.types.enums import IncomingUpdateMethod
from tcnb.types.events import (
    AddedChatParticipant,
    CallbackQuery,
    ChangedFileUploadLimits,
    ChangedParticipantRole,
    ClearedChatHistory,
    CreatedChannel,
    CreatedFavoritesChat,
    CreatedGroupChat,
    CreatedPersonalChat,
    EditedChatAvatar,
    EditedChatTitle,
    EditedMessage,
    RemovedChat,
    RemovedChatParticipant,
    RemovedMessage,
    Update,
    UploadingProgress,
)
from tcnb.types.messages import Message, SystemMessage
from tcnb.wire.notifications import EVENTS, UNKNOWN

EVERY: Final = "*"
"""Stands for every method, among the methods that handlers want."""

_METHODS: Final = {event: method for method, event in EVENTS.items()}


@dataclass(frozen=True)
class Kind:
    """One kind of event, as a handler can be for it.

    Attributes:
        name: as the decorator is called, and where there is one, as in the column `event` of `tc.df`.
        event_type: the class of the event.
        methods: the notifications that can be one; `EVERY` and `unknown` stand for many.
        conditions: the keywords that can be asked of one.
        is_raw: whether the handler gets the notification itself, as an `Update`.
    """

    name: str
    event_type: type
    methods: frozenset[str]
    conditions: frozenset[str] = frozenset()
    is_raw: bool = False


def _kind(name: str, event_type: type, *conditions: str, method: str | None = None) -> Kind:
    return Kind(name, event_type, frozenset({method or _METHODS[name]}), frozenset(conditions))


KINDS: Final = {
    kind.name: kind
    for kind in (
        _kind("message", Message, "chat", "sender", "text", "command", "content"),
        _kind(
            "system_message",
            SystemMessage,
            "chat",
            "sender",
            "content",
            method=IncomingUpdateMethod.MESSAGE.value,
        ),
        _kind("edited_message", EditedMessage, "chat", "text"),
        _kind("removed_message", RemovedMessage, "chat", "sender"),
        _kind("callback_query", CallbackQuery, "chat", "command"),
        _kind("added_chat_participant", AddedChatParticipant, "chat", "sender"),
        _kind("removed_chat_participant", RemovedChatParticipant, "chat", "sender"),
        _kind("changed_participant_role", ChangedParticipantRole, "chat"),
        _kind("created_personal_chat", CreatedPersonalChat, "chat"),
        _kind("created_group_chat", CreatedGroupChat, "chat"),
        _kind("created_channel", CreatedChannel, "chat"),
        _kind("created_favorites_chat", CreatedFavoritesChat, "chat"),
        _kind("removed_chat", RemovedChat, "chat"),
        _kind("edited_chat_title", EditedChatTitle, "chat"),
        _kind("edited_chat_avatar", EditedChatAvatar, "chat"),
        _kind("cleared_chat_history", ClearedChatHistory, "chat"),
        _kind("changed_file_upload_limits", ChangedFileUploadLimits),
        _kind("uploading_progress", UploadingProgress),
        _kind("unknown", Update, method=UNKNOWN),
        _kind("any", object, "chat", "sender", "text", "command", "content", method=EVERY),
    )
}
"""The kinds by name."""

ALIASES: Final = {"changed_chat_participant_role": "changed_participant_role"}
"""Other names of kinds: the reference page of the types has one of its own."""


def raw_kind(method: str | None) -> Kind:
    """Return the kind of notifications as they came: all, or those of one method."""
    return Kind("event" if method is None else f"event {method}", object, frozenset({method or EVERY}), is_raw=True)


def is_wanted(method: str, wanted: frozenset[str]) -> bool:
    """Tell whether a notification is among those that handlers want."""
    return method in wanted or EVERY in wanted or (UNKNOWN in wanted and method not in EVENTS)
