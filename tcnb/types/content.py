"""Contents of messages under the name that scripts for the official client import; they live in `contents`."""

from __future__ import annotations

from tcnb.types.contents import (
    AbstractEnvelopeContent,
    AttachmentContent,
    ClearChatHistoryContent,
    Document,
    EditChatAvatarContent,
    EditChatTitleContent,
    Location,
    ParticipantRoleContent,
    Photo,
    RemoveParticipant,
    Sticker,
    SurveyContent,
    TextContent,
    Video,
    Voice,
)
from tcnb.types.messages import ForwardMessage

__path__: list[str] = []
"""Has modules below this one looked for, which `tcnb.import_paths` makes."""

__all__ = [
    "AbstractEnvelopeContent",
    "AttachmentContent",
    "ClearChatHistoryContent",
    "Document",
    "EditChatAvatarContent",
    "EditChatTitleContent",
    "ForwardMessage",
    "Location",
    "ParticipantRoleContent",
    "Photo",
    "RemoveParticipant",
    "Sticker",
    "SurveyContent",
    "TextContent",
    "Video",
    "Voice",
]
