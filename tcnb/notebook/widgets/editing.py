"""Changing an own text so that what a widget does not show of it stays; how a person asks for it is not known here."""

from __future__ import annotations

from typing import Any, Final

from tcnb.errors import ApiErrorException
from tcnb.types import EditMessageResponse, TextContent
from tcnb.wire.codes import MESSAGE_NOT_FOUND

MESSAGE_GONE: Final = "the message is not there any more, so it cannot be changed"


def is_of_no_message(error: BaseException) -> bool:
    """Tell whether a request failed since the message that it names is not there."""
    return isinstance(error, ApiErrorException) and error.code == MESSAGE_NOT_FOUND


async def edit_text(bot: Any, message_id: str, text: str, mode: str) -> EditMessageResponse:
    """Change a text, and give its buttons again: those that are not given again disappear.

    Args:
        bot: the account that wrote it.
        message_id: the message.
        text: what it says from now on.
        mode: `text`, `markdown` or `html`.

    Raises:
        ApiErrorException: the message is not there, is not the account's, or is no text.

    Source: `protocol` section 6.6.
    """
    said = (await bot.get_message_by_id(message_id)).content
    buttons = said.buttons if isinstance(said, TextContent) else None
    answer: EditMessageResponse = await bot.edit_message(message_id, text, mode, buttons=buttons)
    return answer
