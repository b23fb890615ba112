"""Getting to know who is in the chats, in the background, so that names can be completed without asking anybody."""

from __future__ import annotations

import asyncio
import logging
from typing import Final

from tcnb.client.bot import Bot
from tcnb.client.directory.directory import Directory, KnownChat
from tcnb.errors import TcnbError
from tcnb.session.background import Background
from tcnb.session.name_loader import NameLoader
from tcnb.types.enums import ChatType
from tcnb.wire.paths import bare_id

logger = logging.getLogger("tcnb.session")

MOST_CHATS: Final = 100
"""Chats whose participants are asked for; those of further ones are known as soon as they write."""

MOST_OF_A_CHAT: Final = 100
"""Participants of one chat that are asked for, those who came first."""

MOST_NAMES: Final = 300
"""Display names asked for besides those of people who write."""


class ParticipantLoader:
    """Participants of the chats that are listed, each chat asked for once, one chat at a time.

    Args:
        bot: asked.
        names: asks for display names.
        directory: told who is at the other end of personal chats.
        background: where the asking goes on.

    `ids` may be called on any thread, everything else on the bot's loop.
    """

    def __init__(self, bot: Bot, names: NameLoader, directory: Directory, background: Background) -> None:
        self._bot = bot
        self._names = names
        self._directory = directory
        self._background = background
        self._asked: set[str] = set()
        self._people: dict[str, None] = {}
        self._one_at_a_time = asyncio.Lock()

    def ids(self) -> list[str]:
        """Return the ids of everybody met so far."""
        return list(self._people)  # in one step, which no other thread comes into

    def meet(self, chat: KnownChat) -> None:
        """Ask in the background who is in a chat, unless it was asked before or enough was asked."""
        if chat.chat_id in self._asked or len(self._asked) >= MOST_CHATS or chat.chat_type == ChatType.FAVORITES:
            return
        self._asked.add(chat.chat_id)
        self._background.start(self._ask(chat))

    def met(self, user_id: str) -> None:
        """Take note of somebody."""
        user_id = bare_id(user_id)
        if user_id in self._people:
            return
        self._people[user_id] = None
        if len(self._people) <= MOST_NAMES:
            self._names.person(user_id)

    async def _ask(self, chat: KnownChat) -> None:
        async with self._one_at_a_time:
            try:
                found = await self._bot.get_chat_participants(chat.chat_id, MOST_OF_A_CHAT)
            except (TcnbError, OSError) as error:
                logger.info("the participants of %s could not be read: %s", chat.chat_id, error)
                return
        if chat.chat_type == ChatType.P2P:
            self._directory.learn_peer(chat.chat_id, [one.user_id for one in found.participants])
        for participant in found.participants:
            self.met(participant.user_id)
