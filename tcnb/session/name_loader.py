"""Learning what people and chats are called, in the background and once each; who needs to know is told, not asked."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

from tcnb.client.bot import Bot
from tcnb.client.directory.directory import Directory
from tcnb.errors import ApiErrorException, TcnbError
from tcnb.record.record import Record
from tcnb.session.background import Background, WorkQueue

AT_ONCE: Final = 4
"""Names asked for at the same time."""

MOST_WAITING: Final = 20_000
"""Names that wait to be asked for; whoever comes when there are so many is asked for at their next event."""


class NameLoader:
    """Asks for the names that the record lacks.

    Args:
        bot: asked.
        record: told, for the rows to come and those that are there.
        directory: told, for whoever is named by a person.
        background: where the asking goes on.
        on_learned: called when something was learned.

    All methods are called on the bot's loop.
    """

    def __init__(
        self, bot: Bot, record: Record, directory: Directory, background: Background, on_learned: Callable[[], None]
    ) -> None:
        self._bot = bot
        self._record = record
        self._directory = directory
        self._on_learned = on_learned
        self._asked: set[str] = set()
        self._queue: WorkQueue[Callable[[], Awaitable[None]]] = WorkQueue(
            background, lambda learn: learn(), at_once=AT_ONCE, most_waiting=MOST_WAITING
        )

    def missing(self) -> None:
        """Ask for what the record has come to lack."""
        for user_id in self._record.people_without_name():
            self.person(user_id)
        for chat_id in self._record.chats_without_type():
            self.chat(chat_id)

    def person(self, user_id: str | None) -> None:
        """Ask once for a display name."""
        if user_id and user_id not in self._asked and self._queue.add(partial(self._learn_person, user_id)):
            self._asked.add(user_id)

    def chat(self, chat_id: str) -> None:
        """Ask once what a chat is."""
        if chat_id not in self._asked and self._queue.add(partial(self._learn_chat, chat_id)):
            self._asked.add(chat_id)

    async def display_name(self, user_id: str) -> str:
        """Return what the server calls a person."""
        return (await self._bot.get_user_display_name(user_id)).display_name

    async def _learn_person(self, user_id: str) -> None:
        try:
            name = await self.display_name(user_id)
        except ApiErrorException:
            return  # the server has no name for that id: the id is shown, and nobody asks again
        except (TcnbError, OSError):
            self._asked.discard(user_id)  # the next event of that person asks again
            return
        if name:
            self._record.learn_person(user_id, name)
            self._directory.people.learn(user_id, name)
            self._on_learned()

    async def _learn_chat(self, chat_id: str) -> None:
        try:
            chat = await self._bot.get_chat_by_id(chat_id)
        except ApiErrorException:
            return  # the bot is not in that chat (any more): its id is shown, and nobody asks again
        except (TcnbError, OSError):
            self._asked.discard(chat_id)  # the next event of that chat asks again
            return
        self._record.learn_chat(chat_id, chat.title, int(chat.chat_type))
        self._on_learned()
