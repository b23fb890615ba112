"""What a name can mean, and how several such chats and people are told apart in an error."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from enum import Enum
from typing import Any, Final, NamedTuple

from tcnb.client.bot import Bot
from tcnb.console import local_minute, one_line
from tcnb.errors import TcnbError
from tcnb.types import GetChatByIdResponse, TextContent
from tcnb.types.enums import ChatType
from tcnb.wire import names

MOST_DESCRIBED: Final = 8
"""Candidates of which the server is asked what tells them apart."""

MOST_MEMBERS: Final = 100
"""Members of a chat that are asked for: one page."""

_NAMED: Final = 3
"""Members that are named."""

_LONGEST: Final = 40
"""Characters of a title, a name or a text that are shown."""

_KINDS: Final = {ChatType.P2P: "personal chat", ChatType.FAVORITES: "favorites", ChatType.UNDEF: "chat"}


class By(Enum):
    """What a chat or person was found by."""

    ID = "an id or a login"
    TITLE = "a title, which strangers choose"
    DISPLAY_NAME = "a display name, which strangers choose"


class Meaning(NamedTuple):
    """What a name can mean: a chat, or a person.

    Attributes:
        chat_id: the chat; None for a person whose personal chat is not known.
        user_id: the person whose personal chat it is, where that is known.
        by: what it was found by.
    """

    chat_id: str | None
    user_id: str | None = None
    by: By = By.ID


async def descriptions(bot: Bot, meanings: Sequence[Meaning], display_names: Mapping[str, str]) -> list[str]:
    """Return a line on each that tells it from the others: title, kind, members, last message and id.

    Args:
        bot: asks the server; what it does not answer is left out.
        meanings: chats and people.
        display_names: by user id.
    """
    asked = (_description(bot, one, display_names) for one in meanings[:MOST_DESCRIBED])
    rest = [one.chat_id or one.user_id or "" for one in meanings[MOST_DESCRIBED:]]
    return [*await asyncio.gather(*asked), *rest]


async def _description(bot: Bot, meaning: Meaning, display_names: Mapping[str, str]) -> str:
    if meaning.chat_id is None:
        user_id = meaning.user_id or ""
        return f"{_short(display_names.get(user_id) or user_id)!r} ({user_id}, who has no chat with you yet)"
    chat, members = await asyncio.gather(
        _answer(bot.get_chat_by_id(meaning.chat_id)), _answer(bot.get_chat_participants(meaning.chat_id, MOST_MEMBERS))
    )
    if chat is None:
        return f"the chat {meaning.chat_id}"
    ids = [] if members is None else [one.user_id for one in members.participants]
    said = [_KINDS.get(chat.chat_type, chat.chat_type.name.lower()), _with(ids, bot.me_id), _last(chat, bot.me_id)]
    return f"{_short(chat.title or 'untitled')!r} ({', '.join(filter(None, said))}, id {meaning.chat_id})"


async def _answer(question: Any) -> Any:
    try:
        return await question
    except TcnbError:
        return None


def _with(user_ids: Iterable[str], me_id: str) -> str:
    """Return who is in a chat besides this account."""
    domain = me_id.partition("@")[2]
    others = [names.login_of(one, domain) for one in user_ids if one.casefold() != me_id.casefold()]
    if not others:
        return ""
    more = len(others) - _NAMED
    return f"with {', '.join(others[:_NAMED])}" + (f" and {more} more" if more > 0 else "")


def _last(chat: GetChatByIdResponse, me_id: str) -> str:
    message = chat.last_message
    if message is None:
        return "no messages"
    when = local_minute(message.timestamp / 1000) or "at an unknown time"
    what = repr(_short(message.content.text)) if isinstance(message.content, TextContent) else ""
    by = names.login_of(message.author.id, me_id.partition("@")[2])
    return f"last message {when} by {by}{': ' if what else ''}{what}"


def _short(text: str) -> str:
    return one_line(names.tidied(text), _LONGEST)
