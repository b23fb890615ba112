"""Who is meant by a name: chats and people by id, title, login or display name; nothing is sent to anybody here.

The cache is filled from the server and asked again when a name is not in it, so a name never means an old chat.
"""

from __future__ import annotations

import asyncio
import difflib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tcnb.client.arguments import named_chat, named_person
from tcnb.client.bot import Bot
from tcnb.errors import AmbiguousChatError, ApiErrorException, UnknownChatError
from tcnb.types.enums import ChatType
from tcnb.wire.paths import bare_id

PAGE = 100
"""Chats or participants asked for at a time."""

MOST_PAGES = 100
"""Pages read at most, so that a server which repeats itself ends the reading too."""

SHORTEST_ID = 20
"""Characters from which on an unknown name may be a chat's id; those seen have 36 or 40 (`protocol` section 4.1)."""

LOOKS_OLD_AFTER = frozenset(
    {
        "createP2PChat",
        "createGroupChat",
        "createChannel",
        "createFavoritesChat",
        "addChatParticipant",
        "removeChatParticipant",
        "removeChat",
        "editChatTitle",
    }
)
"""Notifications after which the list of chats is read again before a name is looked up."""


@dataclass(frozen=True)
class KnownChat:
    """A chat the bot is in."""

    chat_id: str
    title: str | None
    chat_type: ChatType

    def __str__(self) -> str:
        return f"{self.title or 'untitled'} ({self.chat_id})"


class Directory:
    """Chats and people by name, for one bot.

    Args:
        bot: asked when the cache does not know a name.
        on_chat: told of every chat that is read.

    Methods that are coroutines must be awaited on the bot's loop; the others may be called from any thread.
    """

    def __init__(self, bot: Bot, on_chat: Callable[[KnownChat], None]) -> None:
        self._bot = bot
        self._on_chat = on_chat
        self._chats: dict[str, KnownChat] = {}
        self._names: dict[str, str] = {}
        self._changes = 1
        self._read = 0
        self._reading = asyncio.Lock()

    def chats(self) -> list[KnownChat]:
        """Return the chats known now, without asking the server."""
        return list(self._chats.values())

    def people(self) -> dict[str, str]:
        """Return the display names known now by user id, without asking the server."""
        return dict(self._names)

    def learn_person(self, user_id: str, display_name: str) -> None:
        """Take note of a display name."""
        self._names = {**self._names, bare_id(user_id): display_name}

    @property
    def stale(self) -> bool:
        """Whether the list of chats may have changed since it was asked for last."""
        return self._read < self._changes

    def outdated(self) -> None:
        """Have the list of chats read before a name is looked up the next time: something may have changed."""
        self._changes += 1

    async def refresh(self) -> None:
        """Read the list of chats from the server, unless somebody else has just done so."""
        wanted = self._changes + (not self.stale)
        async with self._reading:
            if self._read < wanted:
                self._changes = max(self._changes, wanted)
                changes = self._changes
                await self._read_chats()
                # What changed while it was being read is read the next time.
                self._read = changes

    async def _read_chats(self) -> None:
        found: dict[str, KnownChat] = {}
        for page in range(1, MOST_PAGES + 1):
            answer = await self._bot.get_chats(PAGE, page)
            new = [chat for chat in answer.chats if chat.chat_id not in found]
            for chat in new:
                found[chat.chat_id] = KnownChat(chat.chat_id, chat.title, chat.chat_type)
            if len(answer.chats) < PAGE or not new:
                break
        self._chats = found
        for known in found.values():
            self._on_chat(known)

    async def chat_id(self, chat: Any) -> str:
        """Return the id of the chat that is meant.

        Args:
            chat: an id, a title, a display name, `login` or `login@server` (the personal chat, made if need be), or any
                object with a `chat_id`.

        Raises:
            UnknownChatError, AmbiguousChatError: with candidates.
        """
        name = named_chat(getattr(chat, "chat_id", chat))
        if name in self._chats and not self.stale:
            return name
        if not self.stale:
            found = self._by_title(name)
            if found is not None:
                return found.chat_id
        await self.refresh()
        if name in self._chats:
            return name
        found = self._by_title(name)
        if found is not None:
            return found.chat_id
        return await self._listed_nowhere(name) or await self._personal_chat(name)

    async def watched(self, chat: str) -> list[str]:
        """Return the ids and titles under which what happens in a chat shows, without making one for a person.

        Args:
            chat: an id, a title, a display name, `login` or `login@server`.

        Raises:
            UnknownChatError, AmbiguousChatError: with candidates.
        """
        if self.stale or chat not in self._chats:
            await self.refresh()
        found = None if chat in self._chats else self._by_title(chat)
        if chat in self._chats or found is not None:
            return [chat if found is None else found.chat_id]
        folded = chat.casefold()
        names = [
            known
            for user, display in self._names.items()
            if folded in (user.casefold(), user.partition("@")[0].casefold(), display.casefold())
            # The title of a personal chat is either of the two.
            for known in (user, display)
        ]
        if names or await self._listed_nowhere(chat):
            return names or [chat]
        raise self._unknown(chat)

    async def user_id(self, person: str) -> str:
        """Return the full user id of the person who is meant: a login, an id, or a display name that was seen.

        Raises:
            UnknownChatError, AmbiguousChatError: with candidates.
        """
        person = named_person(person)
        if "@" in person:
            return person
        named = [user for user, name in self._names.items() if name.casefold() == person.casefold()]
        if len(named) > 1:
            raise AmbiguousChatError(person, [f"{self._names[user]} ({user})" for user in named])
        return named[0] if named else await self._bot.full_user_id(person)

    def _by_title(self, name: str) -> KnownChat | None:
        exact = [chat for chat in self._chats.values() if chat.title == name]
        alike = exact or [chat for chat in self._chats.values() if (chat.title or "").casefold() == name.casefold()]
        if len(alike) > 1:
            raise AmbiguousChatError(name, map(str, alike))
        return alike[0] if alike else None

    async def _listed_nowhere(self, name: str) -> str | None:
        """Return `name` if it is the id of a chat that the list leaves out;
        ids are opaque, but long and without blanks.
        """
        if len(name) < SHORTEST_ID or "@" in name or any(character.isspace() for character in name):
            return None
        try:
            chat = await self._bot.get_chat_by_id(name)
        except ApiErrorException:
            return None
        known = KnownChat(name, chat.title, chat.chat_type)
        self._chats = {**self._chats, name: known}
        self._on_chat(known)
        return name

    async def _personal_chat(self, name: str) -> str:
        """Open the personal chat with a person; whoever does not exist is an unknown name."""
        named = [user for user, display in self._names.items() if display.casefold() == name.casefold()]
        if len(named) > 1:
            raise AmbiguousChatError(name, [f"{self._names[user]} ({user})" for user in named])
        login = named[0] if named else name
        if any(character.isspace() for character in login):
            raise self._unknown(name)
        if await self._bot.full_user_id(login) == self._bot.me_id:
            return (await self._bot.create_favorites_chat()).chat_id
        try:
            chat_id = (await self._bot.create_personal_chat(login)).chat_id
        except ApiErrorException as error:
            raise self._unknown(name) from error
        self.outdated()
        return chat_id

    def _unknown(self, name: str) -> UnknownChatError:
        titles = [chat.title for chat in self._chats.values() if chat.title]
        names = titles + list(self._names.values()) + [user.partition("@")[0] for user in self._names]
        folded = {candidate.casefold(): candidate for candidate in names}
        close = difflib.get_close_matches(name.casefold(), folded, n=5, cutoff=0.6)
        inside = [key for key in folded if name.casefold() in key and key not in close]
        return UnknownChatError(name, [folded[key] for key in [*close, *inside][:5]])
