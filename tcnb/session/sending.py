"""The verbs that send, edit and remove, blocking and awaited; what goes over the wire is made by the bot."""

from __future__ import annotations

import asyncio
from typing import Any

from tcnb.arguments import check_timeout, replied_to
from tcnb.client.deadlines import asking_until
from tcnb.client.transfer import Progress
from tcnb.errors import ApiErrorException, RequestTimeoutError
from tcnb.session.bridge import SyncBridge
from tcnb.types import (
    EditMessageResponse,
    InlineKeyboardMarkup,
    RemoveMessageResponse,
    SendFileResponse,
    SendMessageResponse,
)
from tcnb.types.enums import ParseMode
from tcnb.wire import codes


class SendingVerbs(SyncBridge):
    """What a session can send, edit and remove; each verb has a twin with an `a` before its name that is awaited."""

    async def _text(
        self,
        chat: str,
        text: str,
        parse_mode: ParseMode | str,
        reply_to: Any,
        buttons: InlineKeyboardMarkup | None,
        timeout: float | None,
    ) -> SendMessageResponse:
        """Send a text; on the bot's loop. Both twins come here at once, since each step between costs a round trip."""
        reply_to = replied_to(reply_to)
        if timeout is None:
            chat_id = await self._directory.chat_id(chat)
        else:
            chat_id, timeout = await self._chat_within(chat, timeout)
        try:
            return await self.bot.send_message(chat_id, text, parse_mode, reply_to, buttons=buttons, timeout=timeout)
        except ApiErrorException as error:
            if error.code != codes.MESSAGE_NOT_FOUND or reply_to is None:
                raise
            raise ApiErrorException(
                error.code,
                f"{error.detail}: {reply_to!r} is no message of this chat, and a reply stands beside what it answers",
                error.payload,
                method=error.method,
                chat_id=chat_id,
            ) from None

    async def _chat_within(self, chat: str, timeout: float) -> tuple[str, float]:
        """Return the id of a chat, which the server may have to be asked for, and what is left of the time."""
        clock = asyncio.get_running_loop().time
        timeout = check_timeout(timeout)
        end = clock() + timeout
        try:
            async with asking_until(end):
                chat_id = await self._directory.chat_id(chat)
        except TimeoutError:
            raise RequestTimeoutError(
                f"{chat!r} could not be looked up within {timeout:g} s, so nothing was sent: tc.status() shows how the "
                "connection is"
            ) from None
        return chat_id, max(end - clock(), 0.001)

    async def asend(
        self,
        chat: str,
        text: str,
        *,
        parse_mode: ParseMode | str = ParseMode.TEXT,
        reply_to: Any = None,
        buttons: InlineKeyboardMarkup | None = None,
        timeout: float | None = None,
    ) -> SendMessageResponse:
        """Send a text; awaited twin of `send`."""
        return await self._over(self._text(chat, text, parse_mode, reply_to, buttons, timeout))

    def send(
        self,
        chat: str,
        text: str,
        *,
        parse_mode: ParseMode | str = ParseMode.TEXT,
        reply_to: Any = None,
        buttons: InlineKeyboardMarkup | None = None,
        timeout: float | None = None,
    ) -> SendMessageResponse:
        """Send a text.

        Args:
            chat: id, title, or person.
            text: at most 4096 visible characters.
            parse_mode: `text`, `markdown` or `html`.
            reply_to: the message it answers: its id, or what has one (what a sending returned, an event, a row).
            buttons: an inline keyboard under it.
            timeout: seconds for everything together, a wait for the connection and the look-up of the chat included;
                None takes the connection's own for each.

        Returns:
            `chat_id`, `message_id` and `timestamp` (milliseconds since the epoch).

        Raises:
            UnknownChatError, AmbiguousChatError, TextMessageTooLongError, UsageError: nothing was sent.
            ApiErrorException, RequestTimeoutError, WSConnectionError, OutcomeUnknownError: as their texts say.
        """
        return self._wait(self._text(chat, text, parse_mode, reply_to, buttons, timeout))

    async def aedit_message(
        self,
        message: Any,
        text: str,
        *,
        parse_mode: ParseMode | str = ParseMode.TEXT,
        buttons: InlineKeyboardMarkup | None = None,
    ) -> EditMessageResponse:
        """Replace the text of an own message; awaited twin of `edit_message`."""
        return await self._over(self.bot.edit_message(message, text, parse_mode, buttons=buttons))

    def edit_message(
        self,
        message: Any,
        text: str,
        *,
        parse_mode: ParseMode | str = ParseMode.TEXT,
        buttons: InlineKeyboardMarkup | None = None,
    ) -> EditMessageResponse:
        """Replace the text of an own message.

        Args:
            message: its id, or what has one (what a sending returned, an event, a row).
            text: at most 4096 visible characters.
            parse_mode: `text`, `markdown` or `html`.
            buttons: an inline keyboard under it; those that are not given again disappear.

        Returns:
            `message_id` and `timestamp` (milliseconds since the epoch).

        Raises:
            The errors of `send`; `ApiErrorException` also where it is the message of somebody else.
        """
        return self._wait(self.aedit_message(message, text, parse_mode=parse_mode, buttons=buttons))

    async def aremove_message(self, message: Any, for_all: bool = False) -> RemoveMessageResponse:
        """Remove a message; awaited twin of `remove_message`."""
        return await self._over(self.bot.remove_message(message, for_all))

    def remove_message(self, message: Any, for_all: bool = False) -> RemoveMessageResponse:
        """Remove a message.

        Args:
            message: its id, or what has one (what a sending returned, an event, a row).
            for_all: whether it also disappears for everybody else in the chat, not for the bot alone.

        Raises:
            UsageError: it is no message; nothing was asked for.
            ApiErrorException, RequestTimeoutError, WSConnectionError, OutcomeUnknownError: as their texts say.
        """
        return self._wait(self.aremove_message(message, for_all))

    async def asend_photo(
        self,
        chat: str,
        file: Any,
        caption: str | None = None,
        *,
        parse_mode: ParseMode | str = ParseMode.TEXT,
        reply_to: Any = None,
        progress: Progress | None = None,
    ) -> SendFileResponse:
        """Send a picture; awaited twin of `send_photo`."""

        async def work() -> SendFileResponse:
            chat_id = await self._directory.chat_id(chat)
            return await self.bot.send_photo(chat_id, file, None, caption, parse_mode, reply_to, progress=progress)

        return await self._over(work())

    def send_photo(
        self,
        chat: str,
        file: Any,
        caption: str | None = None,
        *,
        parse_mode: ParseMode | str = ParseMode.TEXT,
        reply_to: Any = None,
        progress: Progress | None = None,
    ) -> SendFileResponse:
        """Send a picture that is shown as one; its preview is made here.

        Args:
            chat: id, title, or person.
            file: path, bytes, URL, `InputFile`, PIL image or matplotlib figure.
            caption: text under it, at most 4096 visible characters.
            parse_mode: how the caption's markup is read.
            reply_to: the message it answers: its id, or what has one (what a sending returned, an event, a row).
            progress: called on the bot's thread with bytes sent and bytes in all.

        Returns:
            `chat_id`, `message_id`, `timestamp` (milliseconds), `file_id`, `caption_message_id`.

        Raises:
            NotAnImageError, EmptyFileError, FileMissingError, FileSizeTooLargeError, InvalidFileExtensionError: nothing
            was sent.
            FileUploadError and the errors of `send`.
        """
        return self._wait(
            self.asend_photo(chat, file, caption, parse_mode=parse_mode, reply_to=reply_to, progress=progress)
        )

    async def asend_sticker(
        self, chat: str, file: Any, *, reply_to: Any = None, progress: Progress | None = None
    ) -> SendFileResponse:
        """Send a sticker; awaited twin of `send_sticker`."""

        async def work() -> SendFileResponse:
            chat_id = await self._directory.chat_id(chat)
            return await self.bot.send_sticker(chat_id, file, reply_to, progress=progress)

        return await self._over(work())

    def send_sticker(
        self, chat: str, file: Any, *, reply_to: Any = None, progress: Progress | None = None
    ) -> SendFileResponse:
        """Send a picture as a sticker; what is not WebP is converted. Arguments and errors as in `send_photo`."""
        return self._wait(self.asend_sticker(chat, file, reply_to=reply_to, progress=progress))

    async def asend_document(
        self,
        chat: str,
        file: Any,
        caption: str | None = None,
        *,
        parse_mode: ParseMode | str = ParseMode.TEXT,
        reply_to: Any = None,
        progress: Progress | None = None,
    ) -> SendFileResponse:
        """Send a file; awaited twin of `send_document`."""

        async def work() -> SendFileResponse:
            chat_id = await self._directory.chat_id(chat)
            return await self.bot.send_document(chat_id, file, caption, parse_mode, reply_to, progress=progress)

        return await self._over(work())

    def send_document(
        self,
        chat: str,
        file: Any,
        caption: str | None = None,
        *,
        parse_mode: ParseMode | str = ParseMode.TEXT,
        reply_to: Any = None,
        progress: Progress | None = None,
    ) -> SendFileResponse:
        """Send any file as it is. Arguments and errors as in `send_photo`."""
        return self._wait(
            self.asend_document(chat, file, caption, parse_mode=parse_mode, reply_to=reply_to, progress=progress)
        )
