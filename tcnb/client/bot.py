"""The connector's methods, one coroutine each, under the official Python client's names; how they travel is
not known here.

Source: `protocol` section 6; limits from section 11.10.
"""

from __future__ import annotations

import asyncio
import functools
import hashlib
import html
import os
import secrets
import time
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any, Concatenate, Final, ParamSpec, TypeVar

from tcnb.arguments import check_id, check_int, check_text, describe, replied_to
from tcnb.client.connection import FOREIGN, Connection
from tcnb.client.transfer import MOST_IN_MEMORY, STICKER_TYPE, Progress, Transfers
from tcnb.errors import (
    ApiErrorException,
    ChannelTitleTooLongError,
    FileCaptionTooLongError,
    FileDownloadError,
    FileSizeTooLargeError,
    GroupTitleTooLongError,
    InvalidFileExtensionError,
    NotConnectedError,
    TcnbError,
    TextMessageTooLongError,
    UsageError,
)
from tcnb.files.saving import Destination
from tcnb.markup.text import visible_length
from tcnb.methods import TrueConfMethod
from tcnb.threads import awaited
from tcnb.types import (
    AddChatParticipantResponse,
    AnswerCommandResponse,
    ChangeParticipantRoleResponse,
    ClearChatHistoryResponse,
    CreateChannelResponse,
    CreateFavoritesChatResponse,
    CreateGroupChatResponse,
    CreateP2PChatResponse,
    EditChatAvatarResponse,
    EditChatTitleResponse,
    EditMessageResponse,
    EditSurveyResponse,
    ForwardMessageResponse,
    GetChatByIdResponse,
    GetChatHistoryResponse,
    GetChatParticipantResponse,
    GetChatParticipantsResponse,
    GetChatsResponse,
    GetFileInfoResponse,
    GetFileUploadLimitsResponse,
    GetMessageByIdResponse,
    GetUserDisplayNameResponse,
    HasChatParticipantResponse,
    InlineKeyboardMarkup,
    InputFile,
    RemoveChatParticipantResponse,
    RemoveChatResponse,
    RemoveMessageResponse,
    SendChatActivityResponse,
    SendFileResponse,
    SendMessageResponse,
    SendSurveyResponse,
    SubscribeFileProgressResponse,
    UnsubscribeFileProgressResponse,
    URLInputFile,
    as_sticker,
    input_file,
    make_preview,
)
from tcnb.types.base import BoundToBot
from tcnb.types.enums import (
    ChatActivity,
    ChatParticipantRole,
    CommandAnswerType,
    CommandMessageLevel,
    CommandMessageStatus,
    CommandMessageVisibility,
    FileReadyState,
    ParseMode,
    SurveyType,
)
from tcnb.wire import codes

MOST_TEXT: Final = 4096
"""Visible characters of a text or a caption."""

MOST_TITLE: Final = 256
"""Characters of a title."""

READY_POLL: Final = 0.5
"""Seconds between two looks at a file that is still arriving; its state lags behind its progress: `protocol` section
8.3.
"""

READY_TIMEOUT: Final = 60.0
"""Seconds a file may make no progress before waiting for it ends."""

_RECORDED: Final = frozenset(
    {"sendMessage", "sendFile", "sendSurvey", "forwardMessage", "editMessage", "removeMessage"}
)
"""Requests that a chat shows: they are recorded when they succeed."""

P = ParamSpec("P")
T = TypeVar("T")

Sent = Callable[[str, dict[str, Any], dict[str, Any], dict[str, Any]], None]
"""Told of every sending that succeeded: method, request, answer, and what is known of the file besides."""


def on_bots_loop(
    method: Callable[Concatenate[Bot, P], Coroutine[Any, Any, T]],
) -> Callable[Concatenate[Bot, P], Coroutine[Any, Any, T]]:
    """Let a coroutine be awaited from any loop and thread while its work is done on the bot's own loop."""

    async def anywhere(self: Bot, /, *args: P.args, **kwargs: P.kwargs) -> T:
        if asyncio.get_running_loop() is self.loop:
            return await method(self, *args, **kwargs)
        if self._connection.is_foreign:
            raise NotConnectedError(FOREIGN)
        if self.loop.is_closed():
            raise NotConnectedError("this connection has been closed: connect again")
        return await awaited(asyncio.run_coroutine_threadsafe(method(self, *args, **kwargs), self.loop))

    functools.update_wrapper(anywhere, method)
    return anywhere


class Bot:
    """The connector's methods for one account.

    Every coroutine may be awaited from any loop and thread. Wherever a file is taken, it may be a path, bytes, a
    URL, an
    `InputFile`, a PIL image or a matplotlib figure. Limits are checked before anything is sent.

    Errors that every method can raise: `ApiErrorException` (the server refuses), `RequestTimeoutError`,
    `WSConnectionError`, `OutcomeUnknownError`, `NotConnectedError`.
    """

    def __init__(
        self,
        connection: Connection,
        transfers: Transfers,
        *,
        loop: asyncio.AbstractEventLoop,
        on_sent: Sent,
        server_info: Callable[[], Awaitable[dict[str, Any]]],
        max_in_memory_download_size: int = MOST_IN_MEMORY,
    ) -> None:
        self.loop = loop
        self.max_in_memory_download_size = max_in_memory_download_size
        self._connection = connection
        self._transfers = transfers
        self._on_sent = on_sent
        connection.on_late = on_sent
        self._server_info = server_info
        self._limits: GetFileUploadLimitsResponse | None = None
        self._limits_at = 0
        self._me_chat: str | None = None

    def __repr__(self) -> str:
        return f"<Bot {self._connection.me_id or 'not yet authorized'} at {self._connection.address}>"

    # -- who and where ---------------------------------------------------------------------------------------------

    @property
    def me_id(self) -> str:
        """The bot's own user id, without `/resource`; empty before the first login."""
        return self._connection.me_id or ""

    @property
    def server(self) -> str:
        """Host name of the server."""
        return self._connection.address.host

    @property
    def me_chat(self) -> Awaitable[str]:
        """The id of the bot's own Favorites chat, made if need be; to be awaited."""
        return self._favorites()

    @property
    def server_name(self) -> Awaitable[str | None]:
        """The server's domain name; None where it does not say it; to be awaited. Source: `protocol` section 1.7."""
        return self._server_field("display_name")

    @property
    def server_version(self) -> Awaitable[str | None]:
        """The server's version; None where it does not say it; to be awaited. Source: `protocol` section 1.7."""
        return self._server_field("version")

    @property
    def me(self) -> Awaitable[str]:
        """Another name of `me_chat`, deprecated in the official client; to be awaited."""
        return self.me_chat

    @on_bots_loop
    async def __call__(self, method: TrueConfMethod[T]) -> T:
        """Send a request that was made as an object; `send_message` and its like check more.

        Raises:
            UsageError: it is no request.
        """
        if not isinstance(method, TrueConfMethod):
            raise UsageError(f"bot(…) takes a request such as SendMessage(…) of tcnb.methods, not {describe(method)}")
        name, returning = method.__api_method__, method.__returning__
        # What changes a chat is recorded as well, since the server does not echo it to us.
        carry_out = self._send if name in _RECORDED else self._ask
        answer: type[Any] = _AsItCame if returning is dict else returning
        result: T = await carry_out(name, method.payload(), answer)
        return result

    # -- chats -----------------------------------------------------------------------------------------------------

    @on_bots_loop
    async def create_personal_chat(self, user_id: str) -> CreateP2PChatResponse:
        """Open the personal chat with a user, or return the existing one.

        Args:
            user_id: full id `login@server`; a bare login gets this server's name.

        Raises:
            UsageError: it is the bot's own id, for which the server does not answer: use `create_favorites_chat`.
        """
        full = await self.full_user_id(user_id)
        if full.casefold() == self.me_id.casefold():
            raise UsageError(
                "a personal chat with oneself does not exist: use the Favorites chat (create_favorites_chat)"
            )
        return await self._ask("createP2PChat", {"userId": full}, CreateP2PChatResponse)

    @on_bots_loop
    async def create_group_chat(self, title: str) -> CreateGroupChatResponse:
        """Create a group; the bot is its owner. Raises `GroupTitleTooLongError` over 256 characters."""
        payload = {"title": _title(title, GroupTitleTooLongError)}
        return await self._ask("createGroupChat", payload, CreateGroupChatResponse)

    @on_bots_loop
    async def create_channel(self, title: str) -> CreateChannelResponse:
        """Create a channel; the bot is its owner. Raises `ChannelTitleTooLongError` over 256 characters."""
        payload = {"title": _title(title, ChannelTitleTooLongError)}
        return await self._ask("createChannel", payload, CreateChannelResponse)

    @on_bots_loop
    async def create_favorites_chat(self) -> CreateFavoritesChatResponse:
        """Return the bot's own Favorites chat, made if need be."""
        return await self._ask("createFavoritesChat", {}, CreateFavoritesChatResponse)

    @on_bots_loop
    async def get_chats(self, count: int = 10, page: int = 1) -> GetChatsResponse:
        """Return one page of the bot's chats; pages count from 1 and a short one is the last."""
        return await self._ask(
            "getChats", {"count": _at_least_one("count", count), "page": _at_least_one("page", page)}, GetChatsResponse
        )

    @on_bots_loop
    async def get_chat_by_id(self, chat_id: str) -> GetChatByIdResponse:
        """Return one chat."""
        return await self._ask("getChatByID", {"chatId": chat_id}, GetChatByIdResponse)

    @on_bots_loop
    async def delete_chat(self, chat_id: str) -> RemoveChatResponse:
        """Delete a chat, or leave it where the bot lacks the right to delete it."""
        return await self._ask("removeChat", {"chatId": chat_id}, RemoveChatResponse)

    @on_bots_loop
    async def edit_chat_title(self, chat_id: str, title: str) -> EditChatTitleResponse:
        """Rename a group or channel. Raises `GroupTitleTooLongError` over 256 characters."""
        payload = {"chatId": chat_id, "title": _title(title, GroupTitleTooLongError)}
        return await self._ask("editChatTitle", payload, EditChatTitleResponse)

    @on_bots_loop
    async def edit_chat_avatar(self, chat_id: str, file: Any) -> EditChatAvatarResponse:
        """Give a group or channel a picture. Raises `NotAnImageError` where `file` is none."""
        picture = await self._outgoing(file, as_image=True)
        preview = await make_preview(picture)
        temporal = await self._upload(picture, preview=preview)
        return await self._ask(
            "editChatAvatar", {"chatId": chat_id, "temporalFileId": temporal}, EditChatAvatarResponse
        )

    @on_bots_loop
    async def clear_chat_history(self, chat_id: str, for_all: bool = False) -> ClearChatHistoryResponse:
        """Clear a chat's history, for the bot alone or for everybody."""
        return await self._ask("clearHistory", {"chatId": chat_id, "forAll": for_all}, ClearChatHistoryResponse)

    # -- participants ----------------------------------------------------------------------------------------------

    @on_bots_loop
    async def add_participant_to_chat(
        self, chat_id: str, user_id: str, display_history: bool = False
    ) -> AddChatParticipantResponse:
        """Add a user to a group or channel; `display_history` lets them see what was said before."""
        payload = {"chatId": chat_id, "userId": await self.full_user_id(user_id), "displayHistory": display_history}
        return await self._ask("addChatParticipant", payload, AddChatParticipantResponse)

    @on_bots_loop
    async def remove_participant_from_chat(
        self, chat_id: str, user_id: str, clear_history: bool = False
    ) -> RemoveChatParticipantResponse:
        """Remove a user from a group or channel; `clear_history` erases the chat on their side."""
        payload = {"chatId": chat_id, "userId": await self.full_user_id(user_id), "clearHistory": clear_history}
        return await self._ask("removeChatParticipant", payload, RemoveChatParticipantResponse)

    @on_bots_loop
    async def change_participant_role(
        self, chat_id: str, user_id: str, role: str | ChatParticipantRole
    ) -> ChangeParticipantRoleResponse:
        """Give a participant another role."""
        payload = {"chatId": chat_id, "userId": await self.full_user_id(user_id), "role": str(role)}
        return await self._ask("changeParticipantRole", payload, ChangeParticipantRoleResponse)

    @on_bots_loop
    async def get_chat_participants(
        self, chat_id: str, page_size: int = 50, page_number: int = 1
    ) -> GetChatParticipantsResponse:
        """Return one page of a chat's participants; pages count from 1 and a short one is the last."""
        payload = {
            "chatId": chat_id,
            "pageSize": _at_least_one("page_size", page_size),
            "pageNumber": _at_least_one("page_number", page_number),
        }
        return await self._ask("getChatParticipants", payload, GetChatParticipantsResponse)

    @on_bots_loop
    async def get_chat_participant(self, chat_id: str, user_id: str) -> GetChatParticipantResponse:
        """Return a participant's role. `ApiErrorException` 305 says that the user is not in the chat."""
        payload = {"chatId": chat_id, "userId": await self.full_user_id(user_id)}
        return await self._ask("getChatParticipant", payload, GetChatParticipantResponse)

    @on_bots_loop
    async def has_chat_participant(self, chat_id: str, user_id: str) -> HasChatParticipantResponse:
        """Return whether a user is in a chat."""
        payload = {"chatId": chat_id, "userId": await self.full_user_id(user_id)}
        return await self._ask("hasChatParticipant", payload, HasChatParticipantResponse)

    @on_bots_loop
    async def get_user_display_name(self, user_id: str) -> GetUserDisplayNameResponse:
        """Return a user's display name."""
        return await self._ask(
            "getUserDisplayName", {"userId": await self.full_user_id(user_id)}, GetUserDisplayNameResponse
        )

    # -- messages --------------------------------------------------------------------------------------------------

    @on_bots_loop
    async def send_message(
        self,
        chat_id: str,
        text: str,
        parse_mode: ParseMode | str = ParseMode.TEXT,
        reply_message_id: str | None = None,
        *,
        buttons: InlineKeyboardMarkup | None = None,
        quote: str | None = None,
        timeout: float | None = None,
    ) -> SendMessageResponse:
        """Send a text.

        Args:
            chat_id: the chat.
            text: at most 4096 visible characters.
            parse_mode: how its markup is read.
            reply_message_id: the message it answers.
            buttons: an inline keyboard under it.
            quote: the part of the answered message to show above the text (`protocol` section 10.3).
            timeout: seconds to wait; None takes the connection's own.

        Raises:
            UsageError: the text or the quote is empty, or there is a quote and no message that it is from.
            TextMessageTooLongError: it is too long; nothing was sent.
        """
        reply_message_id = replied_to(reply_message_id)
        if quote is not None:
            text, parse_mode = _quoting(quote, text, str(parse_mode), reply_message_id)
        payload = {
            "chatId": chat_id,
            "replyMessageId": reply_message_id,
            "content": _text_content(text, parse_mode, buttons),
        }
        return await self._send("sendMessage", payload, SendMessageResponse, timeout=timeout)

    @on_bots_loop
    async def reply_message(
        self, chat_id: str, message_id: str, text: str, parse_mode: ParseMode | str = ParseMode.TEXT
    ) -> SendMessageResponse:
        """Send a text that answers a message; arguments and errors as in `send_message`."""
        return await self.send_message(chat_id, text, parse_mode, message_id)

    @on_bots_loop
    async def edit_message(
        self,
        message_id: str,
        text: str,
        parse_mode: ParseMode | str = ParseMode.TEXT,
        *,
        buttons: InlineKeyboardMarkup | None = None,
    ) -> EditMessageResponse:
        """Replace the content of an own message; buttons that are not given again disappear."""
        payload = {"messageId": check_id(message_id, "message"), "content": _text_content(text, parse_mode, buttons)}
        return await self._send("editMessage", payload, EditMessageResponse)

    @on_bots_loop
    async def remove_message(self, message_id: str, for_all: bool = False) -> RemoveMessageResponse:
        """Remove a message, for the bot alone or for everybody."""
        payload = {"messageId": check_id(message_id, "message"), "forAll": for_all}
        return await self._send("removeMessage", payload, RemoveMessageResponse)

    @on_bots_loop
    async def forward_message(self, chat_id: str, message_id: str) -> ForwardMessageResponse:
        """Forward a message to a chat."""
        payload = {"messageId": check_id(message_id, "message"), "chatId": chat_id}
        return await self._send("forwardMessage", payload, ForwardMessageResponse)

    @on_bots_loop
    async def get_message_by_id(self, message_id: str) -> GetMessageByIdResponse:
        """Return one message."""
        return await self._ask("getMessageById", {"messageId": check_id(message_id, "message")}, GetMessageByIdResponse)

    @on_bots_loop
    async def get_chat_history(
        self, chat_id: str, count: int, from_message_id: str | None = None
    ) -> GetChatHistoryResponse:
        """Return messages of a chat going back from the newest, or from one of them.

        The order is not documented and the first message may come again: sort by time and drop what is known.
        """
        payload: dict[str, Any] = {"chatId": chat_id, "count": _at_least_one("count", count)}
        if from_message_id is not None:
            payload["fromMessageId"] = from_message_id
        return await self._ask("getChatHistory", payload, GetChatHistoryResponse)

    @on_bots_loop
    async def send_chat_activity(self, chat_id: str, activity_type: ChatActivity | str) -> SendChatActivityResponse:
        """Show what the bot is doing; the answer's `retry_after` (milliseconds) says when the sign fades."""
        payload = {"chatId": chat_id, "activityType": str(activity_type)}
        return await self._ask("sendChatActivity", payload, SendChatActivityResponse)

    @on_bots_loop
    async def send_survey(
        self,
        chat_id: str,
        title: str,
        survey_campaign_id: str,
        reply_message_id: str | None = None,
        survey_type: SurveyType | str = SurveyType.NON_ANONYMOUS,
    ) -> SendSurveyResponse:
        """Send a survey that exists on the server, by its campaign id. Source: `protocol` section 6.5."""
        content = self._survey_content(title, survey_campaign_id, survey_type)
        content["appVersion"] = 1
        content["secret"] = hashlib.sha1((title + secrets.token_hex(8)).encode(), usedforsecurity=False).hexdigest()
        payload = {"chatId": chat_id, "replyMessageId": reply_message_id, "content": content}
        return await self._send("sendSurvey", payload, SendSurveyResponse)

    @on_bots_loop
    async def edit_survey(
        self,
        message_id: str,
        title: str,
        survey_campaign_id: str,
        survey_type: SurveyType | str = SurveyType.NON_ANONYMOUS,
    ) -> EditSurveyResponse:
        """Replace a survey that the bot sent."""
        payload = {"messageId": message_id, "content": self._survey_content(title, survey_campaign_id, survey_type)}
        return await self._ask("editSurvey", payload, EditSurveyResponse)

    @on_bots_loop
    async def answer_command(
        self,
        command_id: str,
        answer_type: CommandAnswerType | str,
        text: str,
        status: CommandMessageStatus | str | None = None,
        visibility: CommandMessageVisibility | str | None = None,
        level: CommandMessageLevel | str | None = None,
    ) -> AnswerCommandResponse:
        """Answer the press of a button that waits for it;
        no client application shows it yet (`protocol` section 6.7).
        """
        if not 1 <= len(text) <= 255 or not text.isascii():
            raise UsageError(f"the answer to a command has 1 to 255 ASCII characters, this one has {len(text)}")
        extras = {"status": status, "visibility": visibility, "level": level}
        message = {"text": text} | {name: str(value) for name, value in extras.items() if value is not None}
        payload = {"commandId": command_id, "answerType": str(answer_type), "message": message}
        return await self._ask("answerCommand", payload, AnswerCommandResponse)

    # -- files -----------------------------------------------------------------------------------------------------

    @on_bots_loop
    async def send_photo(
        self,
        chat_id: str,
        file: Any,
        preview: Any = None,
        caption: str | None = None,
        parse_mode: ParseMode | str = ParseMode.TEXT,
        reply_message_id: str | None = None,
        *,
        progress: Progress | None = None,
    ) -> SendFileResponse:
        """Send a picture that is shown as one.

        Args:
            chat_id: the chat.
            file: the picture.
            preview: a small picture of it; made from it where none is given.
            caption: text of at most 4096 visible characters; it becomes a message of its own.
            parse_mode: how the caption's markup is read.
            reply_message_id: the message it answers.
            progress: told the bytes sent and the bytes in all, on the bot's loop.

        Raises:
            NotAnImageError: `file` is not a picture that can be read.
            EmptyFileError: nothing is drawn in the figure, or nothing is in the file.
            FileMissingError, FileSizeTooLargeError, InvalidFileExtensionError, FileCaptionTooLongError: nothing
            was sent.
            FileUploadError: the upload broke off.
        """
        reply_message_id = replied_to(reply_message_id)
        caption = _caption(caption, parse_mode)
        picture = await self._outgoing(file, as_image=True)
        small = await make_preview(picture) if preview is None else await input_file(preview, as_image=True)
        return await self._send_file(chat_id, picture, small, caption, parse_mode, reply_message_id, progress)

    @on_bots_loop
    async def send_document(
        self,
        chat_id: str,
        file: Any,
        caption: str | None = None,
        parse_mode: ParseMode | str = ParseMode.TEXT,
        reply_message_id: str | None = None,
        *,
        progress: Progress | None = None,
    ) -> SendFileResponse:
        """Send any file as it is; arguments and errors as in `send_photo`."""
        reply_message_id = replied_to(reply_message_id)
        caption = _caption(caption, parse_mode)
        document = await self._outgoing(file)
        return await self._send_file(chat_id, document, None, caption, parse_mode, reply_message_id, progress)

    @on_bots_loop
    async def send_sticker(
        self, chat_id: str, file: Any, reply_message_id: str | None = None, *, progress: Progress | None = None
    ) -> SendFileResponse:
        """Send a picture as a sticker; what is not WebP is converted. Raises `NotAnImageError`, and as `send_photo`."""
        reply_message_id = replied_to(reply_message_id)
        sticker = await as_sticker(await self._outgoing(file, as_image=True, check=False))
        self._check(sticker, await self._known_limits())
        small = sticker.clone()
        return await self._send_file(
            chat_id, sticker, small, None, ParseMode.TEXT, reply_message_id, progress, mime_type=STICKER_TYPE
        )

    @on_bots_loop
    async def get_file_info(self, file_id: str) -> GetFileInfoResponse:
        """Return what the server knows of a file."""
        return await self._ask("getFileInfo", {"fileId": file_id}, GetFileInfoResponse)

    @on_bots_loop
    async def get_file_info_upload_limits(self) -> GetFileUploadLimitsResponse:
        """Return what the administrator allows to be uploaded."""
        asked = time.time_ns() // 1000
        limits = await self._ask("getFileUploadLimits", {}, GetFileUploadLimitsResponse)
        self.learn_limits(limits, asked)
        return limits

    @on_bots_loop
    async def subscribe_file_progress(self, file_id: str) -> SubscribeFileProgressResponse:
        """Ask for `uploading_progress` events of a file that is still arriving."""
        return await self._ask("subscribeFileProgress", {"fileId": file_id}, SubscribeFileProgressResponse)

    @on_bots_loop
    async def unsubscribe_file_progress(self, file_id: str) -> UnsubscribeFileProgressResponse:
        """Ask for no more `uploading_progress` events of a file."""
        return await self._ask("unsubscribeFileProgress", {"fileId": file_id}, UnsubscribeFileProgressResponse)

    @on_bots_loop
    async def download_file_by_id(
        self,
        file_id: str,
        dest_path: str | Path | None = None,
        *,
        file_path: str | Path | None = None,
        overwrite: bool = True,
        progress: Progress | None = None,
        size: int | None = None,
    ) -> bytes | Path:
        """Download a file, waiting for it where it is still arriving.

        In a folder it gets a safe form of the name that its sender gave it, and a number where that is taken; what
        could run by lying there (`random.py`) goes into a folder `downloads` in it.

        Args:
            file_id: the file.
            dest_path: the folder to write it to, made if need be.
            file_path: the very path to write it to; or a folder: one that exists, or a path that ends in a separator.
                With neither path the bytes are returned, up to `max_in_memory_download_size`.
            overwrite: whether a file at that very path is replaced, as the official client does.
            progress: told the bytes read and the bytes in all, on the bot's loop.
            size: bytes that the file has as its message tells it, where that is known: a file of another size is
                refused.

        Returns:
            The bytes, or the path that was written; a file appears there only when it is whole.

        Raises:
            UsageError: both paths are given, or one that is none.
            DestinationExistsError: there is a file at that path, and `overwrite` is False.
            FileDownloadError: the file is not to be had, is not whole, or cannot be written.
            InMemoryDownloadLimitExceededError: it is too large to return as bytes.
        """
        file_id, dest = check_id(file_id, "file"), _destination(dest_path, file_path, overwrite=overwrite)
        info = await self._ready_file(file_id)
        return await self._transfers.download(
            info.download_url or "",
            name=info.name or file_id,
            sizes=(size, info.size),
            dest=dest,
            most_in_memory=self.max_in_memory_download_size,
            progress=progress,
        )

    # -- inside ----------------------------------------------------------------------------------------------------

    async def full_user_id(self, user_id: str) -> str:
        """Return a user id with its domain; a bare login belongs to this server (`protocol` section 4.1)."""
        if "@" in check_text(user_id, "a user id"):
            return user_id
        domain = self.me_id.partition("@")[2] or await self.server_name
        return f"{user_id}@{domain}" if domain else user_id

    def learn_limits(self, limits: GetFileUploadLimitsResponse, at: int) -> None:
        """Take note of upload limits that the server told; those that would allow no file at all are none.

        Args:
            limits: the limits.
            at: when they were asked for, or came by themselves, in microseconds since the epoch. What comes by itself
                is looked at once it is recorded, when an answer to a later question may be known already.
        """
        if at >= self._limits_at and (limits.max_size is None or limits.max_size > 0):
            self._limits, self._limits_at = limits, at

    async def _ask(self, method: str, payload: dict[str, Any], answer: type[T], *, timeout: float | None = None) -> T:
        content = await self._connection.call(method, payload, timeout=timeout)
        result: T = answer.from_dict(content or {})  # type: ignore[attr-defined]
        if isinstance(result, BoundToBot):
            result.bind(self)
        return result

    async def _send(
        self,
        method: str,
        payload: dict[str, Any],
        answer: type[T],
        *,
        timeout: float | None = None,
        file: dict[str, Any] | None = None,
    ) -> T:
        """Ask for something that changes a chat, and have it recorded: the server does not echo it to us."""
        content = await self._connection.call(method, payload, timeout=timeout, about=file or {})
        content = content if isinstance(content, dict) else {}
        if method == "sendFile" and not content.get("fileId"):
            content["fileId"] = await self._file_id_of(content.get("messageId"))
        self._on_sent(method, payload, content, file or {})
        result: T = answer.from_dict(content)  # type: ignore[attr-defined]
        if isinstance(result, BoundToBot):
            result.bind(self)
        return result

    async def _send_file(
        self,
        chat_id: str,
        file: InputFile,
        preview: InputFile | None,
        caption: str | None,
        parse_mode: ParseMode | str,
        reply_message_id: str | None,
        progress: Progress | None,
        *,
        mime_type: str | None = None,
    ) -> SendFileResponse:
        kind = mime_type or file.mimetype or "application/octet-stream"
        temporal = await self._upload(file, preview=preview, mime_type=kind, progress=progress)
        content: dict[str, Any] = {"temporalFileId": temporal}
        if caption:
            content["caption"] = {"text": caption, "parseMode": str(parse_mode)}
        payload = {"chatId": chat_id, "replyMessageId": reply_message_id, "content": content}
        about = {"file_name": file.filename, "file_size": file.size, "mime_type": kind}
        return await self._send("sendFile", payload, SendFileResponse, file=about)

    async def _file_id_of(self, message_id: Any) -> str | None:
        """Look up what servers before 5.5.4 leave out of the answer to `sendFile`; the file is sent in any case."""
        try:
            message = await self._connection.call("getMessageById", {"messageId": message_id})
            content = message["content"]
            found = content.get("fileId") or content.get("infoHash")
            return str(found) if found else None
        except (TcnbError, KeyError, TypeError, AttributeError):
            return None

    async def _upload(
        self,
        file: InputFile,
        *,
        preview: InputFile | None = None,
        mime_type: str | None = None,
        progress: Progress | None = None,
    ) -> str:
        request = {"fileSize": file.size, "fileName": file.filename}
        answer = await self._connection.call("uploadFile", request)
        small = None
        if preview is not None:
            data = await preview.read()
            small = (preview.filename or "preview.webp", preview.mimetype or "image/webp", _as_bytes(data))
        return await self._transfers.upload(
            str(answer.get("uploadTaskId", "")) if isinstance(answer, dict) else "",
            file,
            mime_type=mime_type or file.mimetype or "application/octet-stream",
            preview=small,
            progress=progress,
        )

    async def _outgoing(self, file: Any, *, as_image: bool = False, check: bool = True) -> InputFile:
        """Make a file of whatever was given and hold it against the server's limits."""
        outgoing = await input_file(file, as_image=as_image)
        if isinstance(outgoing, URLInputFile):
            await outgoing.prepare()
        if check:
            self._check(outgoing, await self._known_limits())
        return outgoing

    async def _known_limits(self) -> GetFileUploadLimitsResponse | None:
        """Return the upload limits; None where this server does not tell them."""
        if self._limits is None:
            try:
                await self.get_file_info_upload_limits()
            except ApiErrorException as error:
                if error.code not in (codes.UNKNOWN_METHOD, codes.WRONG_PAYLOAD):
                    raise
        return self._limits

    def _check(self, file: InputFile, limits: GetFileUploadLimitsResponse | None) -> None:
        if limits is None:
            return
        if limits.max_size is not None and (file.size or 0) > limits.max_size:
            raise FileSizeTooLargeError(file.size or 0, limits.max_size)
        rule = limits.extensions
        if rule is None:
            return
        extension = Path(file.filename or "").suffix.lstrip(".").lower()
        listed = {name.lstrip(".").lower() for name in rule.list}
        if (extension in listed) != (rule.mode == "allow"):
            raise InvalidFileExtensionError(extension, listed, rule.mode)

    async def _ready_file(self, file_id: str) -> GetFileInfoResponse:
        """Wait until a file can be fetched, for as long as it makes progress at all."""
        info = await self.get_file_info(file_id)
        waited, seen = 0.0, info.ready_state
        while not (info.ready_state == FileReadyState.READY and info.download_url):
            if info.ready_state == FileReadyState.NOT_AVAILABLE:
                raise FileDownloadError(f"{info.name or file_id} is no longer available on the server")
            if waited >= READY_TIMEOUT:
                raise FileDownloadError(
                    f"{info.name or file_id} is still being uploaded by its sender: try again later"
                )
            await asyncio.sleep(READY_POLL)
            info = await self.get_file_info(file_id)
            waited, seen = (waited + READY_POLL, seen) if info.ready_state == seen else (0.0, info.ready_state)
        return info

    def _survey_content(self, title: str, path: str, survey_type: SurveyType | str) -> dict[str, Any]:
        url = f"https://{self.server}/webtools/survey"
        return {
            "url": url,
            "path": path,
            "title": title,
            "description": str(survey_type),
            "buttonText": "{{Go to survey}}",
            "alt": f"📊 <a href='{url}?id={path}&error=autologin_not_supported'>{title}</a>",
        }

    @on_bots_loop
    async def _favorites(self) -> str:
        if self._me_chat is None:
            self._me_chat = (await self.create_favorites_chat()).chat_id
        return self._me_chat

    @on_bots_loop
    async def _server_field(self, name: str) -> str | None:
        value = (await self._server_info()).get(name)
        return str(value) if value else None


class _AsItCame:
    """Stands for the class of an answer that is wanted as the server gave it."""

    @staticmethod
    def from_dict(content: Any) -> Any:
        """Return the answer."""
        return content


def _text_content(text: str, parse_mode: ParseMode | str, buttons: InlineKeyboardMarkup | None) -> dict[str, Any]:
    mode, text = _known_mode(parse_mode), check_text(text)
    if not text.strip():
        raise UsageError("there is no text to send")
    length = visible_length(text, mode)
    if length > MOST_TEXT:
        raise TextMessageTooLongError(length, MOST_TEXT)
    content: dict[str, Any] = {"text": text, "parseMode": mode}
    if buttons is not None:
        if not isinstance(buttons, InlineKeyboardMarkup):
            raise UsageError(
                f"buttons is an InlineKeyboardMarkup([[InlineKeyboardButton(…), …], …]), not {describe(buttons)}"
            )
        content.update(buttons.as_wire())
    return content


def _quoting(quote: str, text: str, mode: str, reply_message_id: str | None) -> tuple[str, str]:
    """Return text and mode with a quote of the answered message before it; a plain text becomes HTML for that."""
    if not check_text(quote, "a quote").strip() or reply_message_id is None:
        raise UsageError("a quote is some text of the message that reply_message_id names")
    if mode == ParseMode.MARKDOWN:
        return f">{quote}\n\n{text}", mode
    body = html.escape(check_text(text), quote=False).replace("\n", "<br>") if mode == ParseMode.TEXT else text
    return f'<quote class="reply">{html.escape(quote, quote=False)}</quote><br><br>{body}', str(ParseMode.HTML)


def _known_mode(parse_mode: ParseMode | str) -> str:
    mode = str(parse_mode)
    if mode not in ("text", "markdown", "html"):
        raise UsageError(f"parse_mode is text, markdown or html, not {mode!r}")
    return mode


def _destination(
    dest_path: str | Path | None, file_path: str | Path | None, *, overwrite: bool = True
) -> Destination | None:
    """Return where a file shall be written; None where its bytes are wanted."""
    if dest_path is not None and file_path is not None:
        raise UsageError("a file is written to one place: give dest_path, a folder, or file_path, not both")
    for name, path in (("dest_path", dest_path), ("file_path", file_path)):
        if not (path is None or isinstance(path, str | os.PathLike)):
            raise UsageError(f"{name} is a file or a folder to write to, or None for the bytes, not {describe(path)}")
    if dest_path is not None:
        return Destination.of(dest_path, is_folder=True)
    return None if file_path is None else Destination.of(file_path, overwrite=overwrite)


def _caption(caption: str | None, parse_mode: ParseMode | str) -> str | None:
    caption = None if caption is None else check_text(caption)
    length = visible_length(caption or "", _known_mode(parse_mode))
    if length > MOST_TEXT:
        raise FileCaptionTooLongError(length, MOST_TEXT)
    return caption


def _title(title: str, too_long: type[GroupTitleTooLongError] | type[ChannelTitleTooLongError]) -> str:
    title = check_text(title, "a title")
    if len(title) > MOST_TITLE:
        raise too_long(len(title), MOST_TITLE)
    return title


def _at_least_one(name: str, value: int) -> int:
    return check_int(value, f"{name} is a whole number", 1)


def _as_bytes(data: Any) -> bytes:
    return bytes(data) if isinstance(data, (bytes, bytearray)) else bytes(data.read())
