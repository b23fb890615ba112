"""From a notification to the object that stands for it; what a notification says is read by the objects themselves.

Source: `protocol` section 7.
"""

from __future__ import annotations

from typing import Any, Final, TypeAlias

from tcnb.types.enums import IncomingUpdateMethod, UpdateType
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
    Event,
    RemovedChat,
    RemovedChatParticipant,
    RemovedMessage,
    Update,
    UploadingProgress,
)
from tcnb.types.messages import Envelope, read_envelope

AnyEvent: TypeAlias = Envelope | Event | Update
"""Everything that a notification can become."""

EVENT_TYPES: Final[dict[str, type[Event]]] = {
    IncomingUpdateMethod.COMMAND.value: CallbackQuery,
    IncomingUpdateMethod.ADDED_CHAT_PARTICIPANT.value: AddedChatParticipant,
    IncomingUpdateMethod.CHANGED_PARTICIPANT_ROLE.value: ChangedParticipantRole,
    IncomingUpdateMethod.CLEARED_CHAT_HISTORY.value: ClearedChatHistory,
    IncomingUpdateMethod.CHANGED_FILE_UPLOAD_LIMITS.value: ChangedFileUploadLimits,
    IncomingUpdateMethod.CREATED_CHANNEL.value: CreatedChannel,
    IncomingUpdateMethod.CREATED_GROUP_CHAT.value: CreatedGroupChat,
    IncomingUpdateMethod.CREATED_PERSONAL_CHAT.value: CreatedPersonalChat,
    IncomingUpdateMethod.CREATED_FAVORITES_CHAT.value: CreatedFavoritesChat,
    IncomingUpdateMethod.EDITED_CHAT_AVATAR.value: EditedChatAvatar,
    IncomingUpdateMethod.EDITED_CHAT_TITLE.value: EditedChatTitle,
    IncomingUpdateMethod.EDITED_MESSAGE.value: EditedMessage,
    IncomingUpdateMethod.REMOVED_CHAT_PARTICIPANT.value: RemovedChatParticipant,
    IncomingUpdateMethod.REMOVED_MESSAGE.value: RemovedMessage,
    IncomingUpdateMethod.UPLOADING_PROGRESS.value: UploadingProgress,
    IncomingUpdateMethod.REMOVED_CHAT.value: RemovedChat,
}
"""The class of every notification but `sendMessage`, whose payload is an envelope."""


def parse_envelope(payload: Any) -> Envelope:
    """Read an envelope of either generation of the wire.

    Args:
        payload: the payload of a `sendMessage` notification, or an envelope of a history.

    Returns:
        a `SystemMessage` for types below 200, a `Message` for all others, unknown ones included.

    Raises:
        MalformedFrameError: it is not an object at all.

    Source: `protocol` section 5.
    """
    return read_envelope(payload)


def parse_event(method: str, payload: Any, *, id: int = 0) -> AnyEvent:
    """Read a notification.

    Args:
        method: the notification's name on the wire.
        payload: its decoded payload.
        id: the server's number for it, which an `Update` keeps.

    Returns:
        the object that stands for it; an `Update` with the payload as it came for a name nobody knows yet.

    Raises:
        MalformedFrameError: the name is known and the payload is not an object at all.

    Source: `protocol` section 7.
    """
    if method == IncomingUpdateMethod.MESSAGE.value:
        return read_envelope(payload)
    kind = EVENT_TYPES.get(method)
    if kind is not None:
        return kind.from_dict(payload)
    return Update(method, int(UpdateType.REQUEST), id, {} if payload is None else payload)
