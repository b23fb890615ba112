"""The shape of what clients may ask, one structure a method; a field that is missing or mistyped makes it unreadable.

Source: `protocol` section 6.
"""

from __future__ import annotations

from typing import Any

import msgspec


class Request(msgspec.Struct, rename="camel", gc=False):
    """The payload of some request; fields nobody knows are ignored."""


class Nothing(Request):
    """A request without arguments."""


class Auth(Request):
    """`auth`."""

    token: str
    token_type: str
    receive_unread: bool = False
    receive_system_message_envelopes: bool = False


class OfUser(Request):
    """A request about a user."""

    user_id: str


class Titled(Request):
    """Creating a group or channel; `name` is what an early page called the title."""

    title: str | None = None
    name: str | None = None


class ChatPage(Request):
    """`getChats`."""

    count: int
    page: int


class OfChat(Request):
    """A request about a chat."""

    chat_id: str


class EditTitle(OfChat):
    """`editChatTitle`."""

    title: str


class EditAvatar(OfChat):
    """`editChatAvatar`."""

    temporal_file_id: str


class ClearHistory(OfChat):
    """`clearHistory`."""

    for_all: bool


class OfParticipant(OfChat):
    """A request about a participant of a chat."""

    user_id: str


class AddParticipant(OfParticipant):
    """`addChatParticipant`."""

    display_history: bool = False


class RemoveParticipant(OfParticipant):
    """`removeChatParticipant`."""

    clear_history: bool = False


class ChangeRole(OfParticipant):
    """`changeParticipantRole`."""

    role: str


class ParticipantPage(OfChat):
    """`getChatParticipants`."""

    page_size: int
    page_number: int


class Text(Request):
    """A text with its markup and, maybe, a keyboard."""

    text: str
    parse_mode: str
    buttons: Any = None


class SendMessage(OfChat):
    """`sendMessage`."""

    content: Text
    reply_message_id: str | None = None


class OfMessage(Request):
    """A request about a message."""

    message_id: str


class EditMessage(OfMessage):
    """`editMessage`."""

    content: Text


class RemoveMessage(OfMessage):
    """`removeMessage`."""

    for_all: bool


class Forward(OfMessage):
    """`forwardMessage`."""

    chat_id: str


class History(OfChat):
    """`getChatHistory`; servers refuse a null where no message is meant, as clients before 1.5.4 sent it."""

    count: int
    from_message_id: str | msgspec.UnsetType = msgspec.UNSET


class Activity(OfChat):
    """`sendChatActivity`."""

    activity_type: str


class SurveyTitle(Request):
    """The part of a survey that must be there; the rest is kept as it came."""

    title: str


class SendSurvey(OfChat):
    """`sendSurvey`."""

    content: msgspec.Raw
    reply_message_id: str | None = None


class EditSurvey(OfMessage):
    """`editSurvey`."""

    content: msgspec.Raw


class Upload(Request):
    """`uploadFile`; the first generation knows no name."""

    file_size: int
    file_name: str | None = None


class FileContent(Request):
    """An uploaded file and, maybe, its caption."""

    temporal_file_id: str
    caption: Text | None = None


class SendFile(OfChat):
    """`sendFile`."""

    content: FileContent
    reply_message_id: str | None = None


class OfFile(Request):
    """A request about a file."""

    file_id: str


class CommandAnswer(Request):
    """What is shown to the person who pressed a button."""

    text: str
    status: str | None = None
    visibility: str | None = None
    level: str | None = None


class AnswerCommand(Request):
    """`answerCommand`."""

    command_id: str
    answer_type: str
    message: CommandAnswer
