"""Notifications under the name that scripts for the official client import them by; they live in `events`."""

from __future__ import annotations

from tcnb.types.events import (
    AddedChatParticipant,
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
    UploadingProgress,
)

__path__: list[str] = []
"""Has modules below this one looked for, which `tcnb.import_paths` makes."""

__all__ = [
    "AddedChatParticipant",
    "ChangedFileUploadLimits",
    "ChangedParticipantRole",
    "ClearedChatHistory",
    "CreatedChannel",
    "CreatedFavoritesChat",
    "CreatedGroupChat",
    "CreatedPersonalChat",
    "EditedChatAvatar",
    "EditedChatTitle",
    "EditedMessage",
    "RemovedChat",
    "RemovedChatParticipant",
    "RemovedMessage",
    "UploadingProgress",
]
