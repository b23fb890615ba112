"""What chats and people are called, as conditions on events need it; the server is asked only where nobody knows.

All of it may be awaited on any loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from typing import Any, NamedTuple, Protocol

from tcnb.errors import TcnbError
from tcnb.types.enums import ChatType
from tcnb.wire.paths import bare_id


class ChatName(NamedTuple):
    """What is known about a chat: its title, and whether it is a personal one."""

    title: str | None = None
    is_personal: bool = False


class KnownChats(Protocol):
    """The part of the client's directory that is asked here."""

    @property
    def stale(self) -> bool: ...
    def chats(self) -> Iterable[Any]: ...
    def people(self) -> dict[str, str]: ...
    def learn_person(self, user_id: str, display_name: str) -> None: ...
    def refresh(self) -> Coroutine[Any, Any, None]: ...


class Names:
    """Titles of chats and display names of people, for one bot.

    Args:
        directory: what the client knows.
        loop: returns the bot's own loop, on which the directory is read again.
        display_name: asks the server for a person's display name.
    """

    def __init__(
        self,
        directory: KnownChats,
        loop: asyncio.AbstractEventLoop,
        display_name: Callable[[str], Coroutine[Any, Any, str]],
    ) -> None:
        self._directory = directory
        self._loop = loop
        self._display_name = display_name
        self._reading = asyncio.Lock()

    async def chat(self, chat_id: str) -> ChatName:
        """Return what a chat is called now; the list of chats is read again if it may have changed."""
        async with self._reading:
            # What changed while it was being read is read once more.
            while self._directory.stale:
                if not await self._ask(self._refreshed()):
                    break
        known = next((chat for chat in self._directory.chats() if chat.chat_id == chat_id), None)
        return ChatName() if known is None else ChatName(known.title, known.chat_type == ChatType.P2P)

    async def person(self, user_id: str) -> str | None:
        """Return the display name of a person; None where the server does not say it."""
        known = self._directory.people().get(bare_id(user_id))
        if known is not None:
            return known
        said: str | None = await self._ask(self._display_name(user_id))
        if said:
            self._directory.learn_person(user_id, said)
        return said

    async def _refreshed(self) -> bool:
        await self._directory.refresh()
        return True

    async def _ask(self, question: Coroutine[Any, Any, Any]) -> Any:
        """Ask on the bot's loop; without an answer there is no name, and a condition that needs one does not hold."""
        try:
            return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(question, self._loop))
        except (TcnbError, OSError):
            return None
