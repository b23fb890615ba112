"""What a server tells of its own accord, besides messages: one class per notification; telling them apart is parsing.

Source: `protocol` section 7.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tcnb.errors import UsageError
from tcnb.types.base import NOT_GIVEN, BoundToBot, NotGiven, WireObject, wire
from tcnb.types.common import Chat, EnvelopeAuthor, Extensions
from tcnb.types.contents import (
    AbstractEnvelopeContent,
    TextContent,
    UnknownContent,
    content_by_shape,
    write_content,
)
from tcnb.types.enums import (
    ChatType,
    CommandAnswerType,
    CommandMessageLevel,
    CommandMessageStatus,
    CommandMessageVisibility,
    ParseMode,
)
from tcnb.types.keyboard import InlineKeyboardMarkup
from tcnb.types.messages import LastMessage, Message
from tcnb.types.reading import anything, role

if TYPE_CHECKING:
    from tcnb.types.responses import AnswerCommandResponse, EditMessageResponse


class Event(BoundToBot, WireObject):
    """Base of what a server tells of its own accord."""


def with_chat_of_record(payload: Any) -> Any:
    """Return a chat record whose last message knows its chat, also where an older server leaves that out.

    Source: `protocol` section 4.5.
    """
    last = payload.get("lastMessage") if isinstance(payload, dict) else None
    if not isinstance(last, dict) or isinstance(last.get("chat"), dict | Chat):
        return payload
    chat = {"chatId": payload.get("chatId"), "chatTitle": payload.get("title"), "chatType": payload.get("chatType")}
    return {**payload, "lastMessage": {**last, "chat": chat}}


@dataclass(repr=False)
class AddedChatParticipant(Event):
    """Somebody, perhaps the bot itself, was added to a chat.

    Attributes:
        timestamp: when, in milliseconds since 1970.
        chat_id: the chat.
        user_id: who was added.
        added_by: who did it.

    Source: `protocol` section 7.6.
    """

    timestamp: int
    chat_id: str
    user_id: str
    added_by: EnvelopeAuthor


@dataclass(repr=False)
class RemovedChatParticipant(Event):
    """Somebody was removed from a chat, or left it.

    Attributes:
        timestamp: when, in milliseconds since 1970.
        chat_id: the chat.
        user_id: who was removed.
        removed_by: who did it; the same person where somebody left.

    Source: `protocol` section 7.6.
    """

    timestamp: int
    chat_id: str
    user_id: str
    removed_by: EnvelopeAuthor


@dataclass(repr=False)
class ChangedParticipantRole(Event):
    """Somebody has another role in a chat.

    Attributes:
        timestamp: when, in milliseconds since 1970.
        role: the new role, as a `ChatParticipantRole`.
        chat_id: the chat.
        user_id: whose role it is.

    Source: `protocol` section 7.7.
    """

    timestamp: int
    role: str = field(metadata=wire(read=role))
    chat_id: str
    user_id: str


@dataclass(repr=False)
class CreatedChat(Event):
    """Base of what tells of a new chat.

    Attributes:
        chat_id: its id.
        title: its title; for a personal chat the other user's id.
        chat_type: its kind.
        last_message: what was said last in it; None where nothing was.
        unread_messages: how many messages the bot has not read.

    Source: `protocol` section 7.5.
    """

    chat_id: str
    title: str
    chat_type: ChatType
    last_message: LastMessage | None
    unread_messages: int

    @classmethod
    def _from_wire(cls, payload: Any) -> Any:
        return with_chat_of_record(payload)


class CreatedPersonalChat(CreatedChat):
    """A user opened a personal chat with the bot; attributes as of `CreatedChat`."""


class CreatedGroupChat(CreatedChat):
    """This account made a group; attributes as of `CreatedChat`."""


class CreatedChannel(CreatedChat):
    """This account made a channel; attributes as of `CreatedChat`."""


@dataclass(repr=False)
class CreatedFavoritesChat(CreatedChat):
    """This account's favorites were made; attributes as of `CreatedChat`, the title mostly None."""

    title: str | None  # type: ignore[assignment]


@dataclass(repr=False)
class EditedMessage(Event):
    """A message was changed; a server does not say which one.

    Attributes:
        timestamp: when, in milliseconds since 1970.
        content: what it carries now; mostly a text.
        chat_id: the chat it stands in.
        message_id: which one, from a server that does say it.

    Source: `protocol` section 7.3.
    """

    timestamp: int
    content: TextContent = field(metadata=wire(read=anything, write=write_content))
    chat_id: str
    message_id: str | None = field(default=None, metadata=wire(omit=None))

    @classmethod
    def _from_wire(cls, payload: Any) -> Any:
        if not isinstance(payload, dict):
            return payload
        content: AbstractEnvelopeContent = content_by_shape(payload.get("content"))
        if isinstance(content, UnknownContent) and content.raw is None:
            content = TextContent("")
        return {**payload, "content": content}

    @property
    def text(self) -> str | None:
        """The text it has now; None where it is no text."""
        return self.content.text if isinstance(self.content, TextContent) else None


@dataclass(repr=False)
class RemovedMessage(Event):
    """A message was deleted.

    Attributes:
        chat_id: the chat it stood in.
        message_id: which one.
        removed_by: who did it.

    Source: `protocol` section 7.4.
    """

    chat_id: str
    message_id: str
    removed_by: EnvelopeAuthor


@dataclass(repr=False)
class RemovedChat(Event):
    """A chat was deleted.

    Attributes:
        chat_id: which one.

    Source: `protocol` section 7.8.
    """

    chat_id: str


@dataclass(repr=False)
class EditedChatTitle(Event):
    """A chat has another title.

    Attributes:
        chat_id: which one.
        title: the new title.

    Source: `protocol` section 7.9.
    """

    chat_id: str
    title: str


@dataclass(repr=False)
class EditedChatAvatar(Event):
    """A chat has another avatar.

    Attributes:
        chat_id: which one.
        avatar_url: its address; None where the server does not say it.

    Source: `protocol` section 7.10.
    """

    chat_id: str
    avatar_url: str | None


@dataclass(repr=False)
class ClearedChatHistory(Event):
    """The history of a chat was cleared.

    Attributes:
        chat_id: which one.
        for_all: whether for everybody.

    Source: `protocol` section 7.11.
    """

    chat_id: str
    for_all: bool


@dataclass(repr=False)
class ChangedFileUploadLimits(Event):
    """The administrator changed what may be uploaded.

    Attributes:
        extensions: which extensions; None where every one may.
        max_size: the most bytes a file may have; None where there is no limit.

    Source: `protocol` section 7.12.
    """

    extensions: Extensions | None
    max_size: int | None


@dataclass(repr=False)
class UploadingProgress(Event):
    """More of a file has arrived on the server.

    Attributes:
        file_id: which file.
        progress: how many bytes have arrived.

    Source: `protocol` section 7.13.
    """

    file_id: str
    progress: int


@dataclass(repr=False)
class CommandSource(WireObject):
    """Where a button was pressed.

    Attributes:
        type: `inlineKeyboard`.
        message: the message with the keyboard, without its buttons; its author is who sent it, not who pressed.
        button_id: the id the button was given.
        wait_reply: reserved by the server.

    Source: `protocol` section 7.15.
    """

    type: str
    message: Message | None = field(default=None, metadata=wire(omit=None))
    button_id: str | None = None
    wait_reply: bool = False


@dataclass(repr=False)
class CommandPayload(WireObject):
    """What a button says.

    Attributes:
        type: `userCommand`.
        command: its command.
        custom_data: what it was given besides; it may be empty.

    Source: `protocol` section 7.15.
    """

    type: str
    command: str
    custom_data: str | None = None


@dataclass(repr=False)
class CallbackQuery(Event):
    """A button under one of the bot's messages was pressed; a server does not say by whom.

    Attributes:
        command_source: where.
        command_payload: what the button says.
        command_id: what an answer refers to; None from servers up to 5.5.6.

    Source: `protocol` section 7.15.
    """

    command_source: CommandSource
    command_payload: CommandPayload
    command_id: str | None = field(default=None, metadata=wire(omit=None))

    def bind(self, bot: Any) -> CallbackQuery:
        """Bind this object, and the message with the keyboard, to a bot."""
        super().bind(bot)
        if self.message is not None:
            self.message.bind(bot)
        return self

    @property
    def command(self) -> str:
        """The command of the button."""
        return self.command_payload.command

    @property
    def custom_data(self) -> str | None:
        """What the button was given besides its command."""
        return self.command_payload.custom_data

    @property
    def message(self) -> Message | None:
        """The message with the keyboard, without its buttons."""
        return self.command_source.message

    @property
    def chat(self) -> Chat | None:
        """The chat with the keyboard."""
        return None if self.message is None else self.message.chat

    async def edit_message(
        self,
        text: str | NotGiven = NOT_GIVEN,
        parse_mode: ParseMode | str | NotGiven = NOT_GIVEN,
        *,
        buttons: InlineKeyboardMarkup | NotGiven | None = NOT_GIVEN,
    ) -> EditMessageResponse:
        """Change the message with the keyboard; what is not given stays as it is.

        A server replaces the whole content, so the buttons are asked for first where they are to stay.

        Args:
            text: the new text.
            parse_mode: how its markup is to be read.
            buttons: the new keyboard; None takes it away.

        Raises:
            UsageError: the server did not send a text message along.

        Source: `protocol` sections 6.4 and 9.
        """
        message = self.message
        if message is None or not isinstance(message.content, TextContent):
            raise UsageError("there is no text to change: the server sent no text message along with this press")
        if buttons is NOT_GIVEN:
            current = (await self.bot.get_message_by_id(message.message_id)).content
            buttons = current.buttons if isinstance(current, TextContent) else None
        return await self.bot.edit_message(
            message_id=message.message_id,
            text=message.content.text if text is NOT_GIVEN else text,
            parse_mode=message.content.parse_mode if parse_mode is NOT_GIVEN else parse_mode,
            buttons=buttons,
        )

    async def answer(
        self,
        text: str,
        *,
        answer_type: CommandAnswerType | str,
        status: CommandMessageStatus | str | None = None,
        visibility: CommandMessageVisibility | str | None = None,
        level: CommandMessageLevel | str | None = None,
    ) -> AnswerCommandResponse:
        """Answer the press; a shortcut for the bot's `answer_command`.

        Args:
            text: what to show, 1 to 255 ASCII characters.
            answer_type: how the press ended.
            status: the state to report.
            visibility: how to show it.
            level: how grave it is.

        Raises:
            UsageError: the server did not say what an answer would refer to.

        Source: `protocol` section 6.7.
        """
        if self.command_id is None:
            raise UsageError("this press cannot be answered: the server sent no commandId (5.5.6 sends none)")
        return await self.bot.answer_command(
            command_id=self.command_id,
            answer_type=answer_type,
            text=text,
            status=status,
            visibility=visibility,
            level=level,
        )


@dataclass(repr=False)
class Update(BoundToBot, WireObject):
    """A notification that this version does not know, as the server sent it.

    Attributes:
        method: its name.
        type: 1, a request.
        id: the server's number for it.
        payload: what it says; mostly an object.

    Source: `protocol` section 7.14.
    """

    method: str
    type: int
    id: int
    payload: Any = field(metadata=wire(write=anything))
