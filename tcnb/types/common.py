"""The small objects that messages, events and responses share: authors, boxes, chats, participants; no message."""

from __future__ import annotations

from dataclasses import dataclass, field

from tcnb.types.base import BoundToBot, WireObject, wire
from tcnb.types.enums import ChatParticipantRole, ChatType, EnvelopeAuthorType
from tcnb.types.reading import extension, list_of, member_of, role

_role = member_of(ChatParticipantRole)


@dataclass(repr=False)
class EnvelopeAuthor(WireObject):
    """Who wrote an envelope, or who did what an event tells.

    Attributes:
        id: user id, which may carry `/resource`; for the system the server's name or an id without meaning.
        type: whether that is a user or the system.

    Source: `protocol` section 4.2.
    """

    id: str
    type: EnvelopeAuthorType


@dataclass(repr=False)
class EnvelopeBox(WireObject):
    """Where an envelope stands in the order of its chat.

    Attributes:
        id: number within the chat.
        position: a string that no source explains; it breaks ties between equal numbers.

    Source: `protocol` section 4.3.
    """

    id: int
    position: str


@dataclass(repr=False)
class Chat(BoundToBot, WireObject):
    """The chat an envelope belongs to.

    Attributes:
        chat_id: the chat's id.
        chat_title: its title; None for favorites, and where an older server does not say it.
        chat_type: its kind; `UNDEF` where an older server does not say it.

    Source: `protocol` section 4.4.
    """

    chat_id: str
    chat_title: str | None = None
    chat_type: ChatType = ChatType.UNDEF


@dataclass(repr=False)
class ChatParticipant(WireObject):
    """Somebody in a chat.

    Attributes:
        user_id: the participant's user id.
        role: what the participant may do.

    Source: `protocol` section 4.6.
    """

    user_id: str
    role: ChatParticipantRole = field(metadata=wire(read=lambda value: _role(role(value))))

    @classmethod
    def _from_wire(cls, payload: object) -> object:
        if isinstance(payload, dict) and payload.get("userId") is None:
            return {**payload, "userId": payload.get("id")}
        return payload


@dataclass(repr=False)
class Extensions(WireObject):
    """Which extensions a file may have to be uploaded.

    Attributes:
        mode: `allow` (only these) or `block` (all but these).
        list: the extensions, lower case and without a dot.

    Source: `protocol` section 6.6.
    """

    mode: str
    list: list[str] = field(metadata=wire(read=list_of(extension)))
