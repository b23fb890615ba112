"""The values that the connector enumerates, under the official client's names; an unknown value is kept, never refused.

Source: `protocol` section 11.
"""

from __future__ import annotations

from enum import Enum, IntEnum, StrEnum
from typing import Any, Final, Self, TypeVar

__all__ = [
    "ALLOWED_BUTTON_URL_SCHEMES",
    "ButtonStyle",
    "ButtonType",
    "ChatActivity",
    "ChatParticipantRole",
    "ChatType",
    "CommandAnswerType",
    "CommandMessageLevel",
    "CommandMessageStatus",
    "CommandMessageVisibility",
    "EnvelopeAuthorType",
    "FileReadyState",
    "IncomingUpdateMethod",
    "MessageType",
    "OAuthError",
    "ParseMode",
    "SurveyType",
    "UpdateType",
]


class OpenStrEnum(StrEnum):
    """An enumeration of strings that takes unknown values as members of their own."""

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        if not isinstance(value, str):
            return None
        member = str.__new__(cls, value)
        member._name_ = f"UNKNOWN_{value.upper()}"
        member._value_ = value
        return _kept(cls._value2member_map_, member)


class OpenIntEnum(IntEnum):
    """An enumeration of whole numbers that takes unknown values as members of their own."""

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        if isinstance(value, bool) or not isinstance(value, int):
            return None
        member = int.__new__(cls, value)
        member._name_ = f"UNKNOWN_{value}"
        member._value_ = value
        return _kept(cls._value2member_map_, member)


_MOST_KEPT: Final = 1_000
"""Members of one enumeration, known and unknown; of more a server may invent, each is made anew."""

_Member = TypeVar("_Member", bound=Enum)


def _kept(members: dict[Any, Any], member: _Member) -> _Member:
    """Return an unknown member, the same one for the same value as long as there are few."""
    known: _Member = members.setdefault(member.value, member) if len(members) < _MOST_KEPT else member
    return known


class UpdateType(OpenIntEnum):
    """Kind of a frame."""

    RESERVED = 0
    REQUEST = 1
    RESPONSE = 2


class ChatType(OpenIntEnum):
    """Kind of a chat."""

    UNDEF = 0
    P2P = 1
    GROUP = 2
    SYSTEM = 3
    FAVORITES = 5
    CHANNEL = 6


class EnvelopeAuthorType(OpenIntEnum):
    """Who wrote an envelope: the system or a user."""

    SYSTEM = 0
    USER = 1


class FileReadyState(OpenIntEnum):
    """How far a file is on the server."""

    NOT_AVAILABLE = 0
    UPLOADING = 1
    READY = 2


class MessageType(OpenIntEnum):
    """Kind of an envelope: below 200 the system speaks, from 200 on a user."""

    ADD_PARTICIPANT = 1
    REMOVE_PARTICIPANT = 2
    EDIT_CHAT_TITLE = 21
    EDIT_CHAT_AVATAR = 22
    CLEAR_CHAT_HISTORY = 23
    PARTICIPANT_ROLE = 110
    PLAIN_MESSAGE = 200
    FORWARDED_MESSAGE = 201
    ATTACHMENT = 202
    LOCATION = 203
    SURVEY = 204
    VOICE_MESSAGE = 205


class ParseMode(OpenStrEnum):
    """How the markup of a text is read."""

    TEXT = "text"
    MARKDOWN = "markdown"
    HTML = "html"


class ChatParticipantRole(OpenStrEnum):
    """What a participant may do in a chat."""

    OWNER = "owner"
    ADMIN = "admin"
    USER = "user"
    CONF_OWNER = "conf_owner"
    CONF_MODERATOR = "conf_moderator"
    FAVORITES_OWNER = "favorites_owner"
    WRITER = "writer"


class ChatActivity(OpenStrEnum):
    """What a bot can be shown to be doing in a chat."""

    TYPING = "typing"
    CHOOSING_STICKER = "choosing_sticker"
    UPLOADING_FILE = "uploading_file"


class SurveyType(OpenStrEnum):
    """Whether the votes of a survey are visible."""

    NON_ANONYMOUS = "{{Survey}}"
    ANONYMOUS = "{{Anonymous survey}}"


class OAuthError(OpenStrEnum):
    """Why a token was not given."""

    INVALID_REQUEST = "invalid_request"
    INVALID_CLIENT = "invalid_client"
    INVALID_GRANT = "invalid_grant"
    UNSUPORTED_GRANT_TYPE = "unsupported_grant_type"


ALLOWED_BUTTON_URL_SCHEMES = ("http", "https", "mailto", "trueconf")


class ButtonType(OpenStrEnum):
    """What a button of an inline keyboard does."""

    COMMAND = "command"
    URL = "url"
    MESSAGE = "message"
    COPY = "copy"
    SHARE = "share"


class ButtonStyle(OpenStrEnum):
    """How a button looks."""

    DEFAULT = "default"
    PRIMARY = "primary"
    DANGER = "danger"
    SUCCESS = "success"


class CommandAnswerType(OpenStrEnum):
    """How a press of a button ended."""

    COMPLETE = "complete"
    TIMEOUT = "timeout"
    CANCEL = "cancel"
    MESSAGE = "message"


class CommandMessageStatus(OpenStrEnum):
    """State that the answer to a press reports."""

    UNKNOWN = "unknown"
    PENDING = "pending"
    RUNNING = "running"
    OK = "ok"
    FAILED = "failed"
    CANCELED = "canceled"
    TIMEOUT = "timeout"


class CommandMessageVisibility(OpenStrEnum):
    """How the answer to a press is shown."""

    DEFAULT = "default"
    TOAST = "toast"
    STICKY = "sticky"
    ALERT = "alert"


class CommandMessageLevel(OpenStrEnum):
    """How grave the answer to a press is."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"
    CRITICAL = "critical"


class IncomingUpdateMethod(OpenStrEnum):
    """The notifications that a server sends (`protocol` section 7)."""

    COMMAND = "command"
    ADDED_CHAT_PARTICIPANT = "addChatParticipant"
    CHANGED_PARTICIPANT_ROLE = "changeParticipantRole"
    CLEARED_CHAT_HISTORY = "clearHistory"
    CHANGED_FILE_UPLOAD_LIMITS = "getFileUploadLimits"
    CREATED_CHANNEL = "createChannel"
    CREATED_GROUP_CHAT = "createGroupChat"
    CREATED_PERSONAL_CHAT = "createP2PChat"
    CREATED_FAVORITES_CHAT = "createFavoritesChat"
    EDITED_CHAT_AVATAR = "editChatAvatar"
    EDITED_CHAT_TITLE = "editChatTitle"
    EDITED_MESSAGE = "editMessage"
    REMOVED_CHAT_PARTICIPANT = "removeChatParticipant"
    REMOVED_MESSAGE = "removeMessage"
    MESSAGE = "sendMessage"
    UPLOADING_PROGRESS = "uploadFileProgress"
    REMOVED_CHAT = "removeChat"
