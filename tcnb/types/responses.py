"""What a server answers to each request of a client; the requests themselves are the client's.

Source: `protocol` section 6.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tcnb.types.base import BoundToBot, WireObject, renamed, wire
from tcnb.types.common import ChatParticipant, Extensions
from tcnb.types.contents import with_file_id
from tcnb.types.enums import ChatParticipantRole, ChatType, EnvelopeAuthorType, FileReadyState
from tcnb.types.events import with_chat_of_record
from tcnb.types.messages import LastMessage, Message, SystemMessage, read_history
from tcnb.types.reading import member_of, role

_role = member_of(ChatParticipantRole)

__path__: list[str] = []
"""Has modules below this one looked for, which `tcnb.import_paths` makes."""


@dataclass(repr=False)
class Response(WireObject):
    """Base of the answers to requests; an answer without a payload counts as an empty one."""

    @classmethod
    def _from_wire(cls, payload: Any) -> Any:
        return {} if payload is None else payload


@dataclass(repr=False)
class AuthResponsePayload(Response):
    """Answer to `auth`: the bot's user id, which may carry `/resource`, and the id of the connection."""

    user_id: str
    connection_id: str


@dataclass(repr=False)
class _ChatIdResponse(Response):
    chat_id: str


class CreateP2PChatResponse(_ChatIdResponse):
    """Answer to `createP2PChat`: the id of the personal chat, new or not."""


class CreateGroupChatResponse(_ChatIdResponse):
    """Answer to `createGroupChat`: the id of the new group."""


class CreateChannelResponse(_ChatIdResponse):
    """Answer to `createChannel`: the id of the new channel."""


class CreateFavoritesChatResponse(_ChatIdResponse):
    """Answer to `createFavoritesChat`: the id of the favorites, new or not."""


@dataclass(repr=False)
class GetChatByIdResponse(BoundToBot, Response):
    """Answer to `getChatByID`, and one of the answers to `getChats`: a chat record.

    Attributes:
        title: the chat's title, for a personal chat the other user's name or id; None for favorites.
        chat_id: its id.
        chat_type: its kind.
        unread_messages: how many messages the bot has not read.
        avatar_url: the address of its avatar; None where it has none.
        last_message: what was said last in it; None where nothing was.

    Source: `protocol` section 4.5.
    """

    title: str | None
    chat_id: str
    chat_type: ChatType
    unread_messages: int
    avatar_url: str | None = None
    last_message: LastMessage | None = None

    @classmethod
    def _from_wire(cls, payload: Any) -> Any:
        return with_chat_of_record(super()._from_wire(payload))


@dataclass(repr=False)
class GetChatsResponse(BoundToBot, Response):
    """Answer to `getChats`: chat records, from the bare array of real servers or from an object with it.

    Source: `protocol` section 6.2.
    """

    chats: list[GetChatByIdResponse] = field(default_factory=list)

    @classmethod
    def _from_wire(cls, payload: Any) -> Any:
        return {"chats": payload} if isinstance(payload, list) else super()._from_wire(payload)


class RemoveChatResponse(Response):
    """Answer to `removeChat`: empty."""


@dataclass(repr=False)
class EditChatTitleResponse(Response):
    """Answer to `editChatTitle`: the chat, and when its title changed (milliseconds since 1970)."""

    chat_id: str
    timestamp: int


class EditChatAvatarResponse(Response):
    """Answer to `editChatAvatar`: empty."""


class ClearChatHistoryResponse(Response):
    """Answer to `clearHistory`: empty."""


class AddChatParticipantResponse(Response):
    """Answer to `addChatParticipant`: empty."""


class RemoveChatParticipantResponse(Response):
    """Answer to `removeChatParticipant`: empty."""


class ChangeParticipantRoleResponse(Response):
    """Answer to `changeParticipantRole`: empty."""


@dataclass(repr=False)
class GetChatParticipantsResponse(Response):
    """Answer to `getChatParticipants`: one page of them."""

    participants: list[ChatParticipant] = field(default_factory=list)


@dataclass(repr=False)
class GetChatParticipantResponse(Response):
    """Answer to `getChatParticipant`: a participant's role, and whether that is a user or the system."""

    role: ChatParticipantRole = field(metadata=wire(read=lambda value: _role(role(value))))
    type: EnvelopeAuthorType
    user_id: str


@dataclass(repr=False)
class _ResultResponse(Response):
    result: bool


class HasChatParticipantResponse(_ResultResponse):
    """Answer to `hasChatParticipant`: whether the user is one."""


@dataclass(repr=False)
class _SentResponse(Response):
    chat_id: str
    message_id: str
    timestamp: int


class SendMessageResponse(_SentResponse):
    """Answer to `sendMessage`: the chat, the new message, and when (milliseconds since 1970)."""


class ForwardMessageResponse(_SentResponse):
    """Answer to `forwardMessage`: the chat, the new message, and when (milliseconds since 1970)."""


class SendSurveyResponse(_SentResponse):
    """Answer to `sendSurvey`: the chat, the new message, and when (milliseconds since 1970)."""


@dataclass(repr=False)
class _EditedResponse(Response):
    message_id: str
    timestamp: int


class EditMessageResponse(_EditedResponse):
    """Answer to `editMessage`: the message, and when it changed (milliseconds since 1970)."""


class EditSurveyResponse(_EditedResponse):
    """Answer to `editSurvey`: the message, and when it changed (milliseconds since 1970)."""


class RemoveMessageResponse(Response):
    """Answer to `removeMessage`: empty."""


class GetMessageByIdResponse(Message):
    """Answer to `getMessageById`: the message, with its buttons."""


@dataclass(repr=False)
class GetChatHistoryResponse(BoundToBot, Response):
    """Answer to `getChatHistory`: a page of envelopes, whose order no server promises.

    Attributes:
        count: how many there are.
        chat_id: the chat.
        messages: the envelopes, those of the system included.

    Source: `protocol` section 6.4.
    """

    count: int
    chat_id: str
    messages: list[Message | SystemMessage] = field(default_factory=list, metadata=wire(read=read_history))


@dataclass(repr=False)
class SendChatActivityResponse(Response):
    """Answer to `sendChatActivity`: what is shown where, and for how many milliseconds (`retry_after`)."""

    chat_id: str
    activity_type: str
    retry_after: int


@dataclass(repr=False)
class GetUserDisplayNameResponse(Response):
    """Answer to `getUserDisplayName`: the name a person is shown by."""

    display_name: str


@dataclass(repr=False)
class UploadFileResponse(Response):
    """Answer to `uploadFile`: the task that the bytes are then posted for."""

    upload_task_id: str


@dataclass(repr=False)
class SendFileResponse(Response):
    """Answer to `sendFile`.

    Attributes:
        timestamp: when, in milliseconds since 1970.
        chat_id: the chat.
        message_id: the new message with the file.
        file_id: the file; empty from older servers.
        caption_message_id: the message that the caption became; None without one.

    Source: `protocol` section 6.6.
    """

    timestamp: int
    chat_id: str
    message_id: str
    file_id: str
    caption_message_id: str | None = field(default=None, metadata=wire(omit=None))


@renamed(mime_type="mimetype")
@dataclass(repr=False)
class Previews(WireObject):
    """A small image of a file.

    Attributes:
        name: its file name.
        size: its size in bytes.
        mimetype: its MIME type.
        download_url: its address, which is a secret; None while it is not ready.
    """

    name: str
    size: int
    mimetype: str = field(metadata=wire(name="mimeType"))
    download_url: str | None

    @property
    def mime_type(self) -> str:
        """Another name of `mimetype`."""
        return self.mimetype


@renamed(mime_type="mimetype")
@dataclass(repr=False)
class GetFileInfoResponse(Response):
    """Answer to `getFileInfo`.

    Attributes:
        name: the file's name, as its sender gave it: not safe as a path.
        size: its size in bytes.
        mimetype: its MIME type.
        ready_state: how far it is on the server.
        file_id: its id; older servers call it info hash.
        previews: small images of it; None where there are none.
        download_url: its address, which is a secret; None while it is not ready.

    Source: `protocol` section 6.6.
    """

    name: str
    size: int
    mimetype: str = field(metadata=wire(name="mimeType"))
    ready_state: FileReadyState
    file_id: str
    previews: list[Previews] | None = None
    download_url: str | None = None

    @classmethod
    def _from_wire(cls, payload: Any) -> Any:
        return with_file_id(super()._from_wire(payload))

    @property
    def mime_type(self) -> str:
        """Another name of `mimetype`."""
        return self.mimetype


@dataclass(repr=False)
class GetFileUploadLimitsResponse(Response):
    """Answer to `getFileUploadLimits`.

    Attributes:
        extensions: which extensions may be uploaded; None where every one may.
        max_size: the most bytes a file may have; None where there is no limit.

    Source: `protocol` section 6.6.
    """

    extensions: Extensions | None
    max_size: int | None = None


class SubscribeFileProgressResponse(_ResultResponse):
    """Answer to `subscribeFileProgress`: whether the server will tell the progress."""


class UnsubscribeFileProgressResponse(_ResultResponse):
    """Answer to `unsubscribeFileProgress`: whether the server will stop to tell it."""


class AnswerCommandResponse(Response):
    """Answer to `answerCommand`: empty."""
