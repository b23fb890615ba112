"""Whether an event happened in a chat that a condition names; the server is asked only where nobody knows.

All of it may be awaited on any loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any, NamedTuple, TypeVar

from tcnb.client.directory.candidates import Meaning
from tcnb.client.directory.directory import Directory
from tcnb.errors import UsageError
from tcnb.types.enums import ChatType
from tcnb.wire import names

T = TypeVar("T")


class ChatName(NamedTuple):
    """What an event says about its chat: its title, and whether it is a personal one."""

    title: str | None = None
    is_personal: bool = False


class Names:
    """The chats that names mean, for one bot.

    Args:
        directory: what the client knows.
        loop: the bot's own loop, on which the server is asked.
    """

    def __init__(self, directory: Directory, loop: asyncio.AbstractEventLoop) -> None:
        self._directory = directory
        self._loop = loop

    async def are_of(self, wanted: Iterable[str], chat_id: str, said: ChatName | None, author: str | None) -> bool:
        """Tell whether one of the names means a chat as it is called now, or the other person of a personal chat.

        Args:
            wanted: titles, logins and ids.
            chat_id: the chat.
            said: what the event says about it; None where it says the id alone.
            author: who wrote or did it; None where the event does not say it.

        Raises:
            UsageError: a name could mean several chats, this one among them.
            TcnbError: the server was asked and did not answer.
        """
        for name in wanted:
            if said is None or _may_mean(name, said):
                found = self._directory.at_hand(name, is_condition=True)
                if found is None:
                    found = await self._ask(self._directory.meanings(name, is_condition=True))
                if len(found) > 1 and chat_id in {meaning.chat_id for meaning in found}:
                    raise UsageError(f"chat={name!r} could mean {len(found)} chats by now: write the right one's id")
                if len(found) == 1 and await self._is_of(found[0], chat_id, said, author):
                    return True
                if not found and self._was_called(chat_id, name):
                    return True
        return False

    def _was_called(self, chat_id: str, name: str) -> bool:
        """Tell whether a group or channel that is gone had that title."""
        left = self._directory.left(chat_id)
        if left is None or left.chat_type == ChatType.P2P:
            return False
        return names.folded(left.title or "") == names.folded(name)

    async def _is_of(self, meaning: Meaning, chat_id: str, said: ChatName | None, author: str | None) -> bool:
        if meaning.chat_id is not None or meaning.user_id is None:
            return meaning.chat_id == chat_id
        if said is not None and said.is_personal and author is not None and not self._directory.people.is_own(author):
            other: str | None = author
        else:
            other = await self._ask(self._directory.peer(chat_id))
        return other is not None and other.casefold() == meaning.user_id.casefold()

    async def _ask(self, question: Coroutine[Any, Any, T]) -> T:
        """Have the server asked on the bot's loop."""
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(question, self._loop))


def _may_mean(name: str, said: ChatName) -> bool:
    """Tell whether a name can mean a chat of which the event says this: a title equals, and a person is one word."""
    if said.is_personal:
        return names.is_word(name)
    return said.title is None or names.folded(said.title) == names.folded(name)
