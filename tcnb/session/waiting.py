"""Waiting for one event of a kind, of a chat or of a person; which verb waits, and how long, is decided elsewhere."""

from __future__ import annotations

import asyncio
import logging
from typing import Any, Final

import msgspec

from tcnb.arguments import known_name
from tcnb.client.bot import Bot
from tcnb.errors import MalformedFrameError, UsageError
from tcnb.routing.events import KINDS
from tcnb.routing.filters import chat_of, sender_of
from tcnb.types import SystemMessage, parse_event
from tcnb.types.base import BoundToBot
from tcnb.wire.frames import payload_content
from tcnb.wire.notifications import EVENTS

logger = logging.getLogger("tcnb.session")

SYSTEM_MESSAGE: Final = "system_message"
"""Joins, leaves, roles and titles as messages, which nobody can reply to; handlers call them so, too."""


class Waiters:
    """Everybody who waits for an event of one bot; all methods are called on its loop, `len` on any thread."""

    def __init__(self, bot: Bot) -> None:
        self._bot = bot
        self._waiters: list[_Waiter] = []

    def __len__(self) -> int:
        return len(self._waiters)

    async def wait(self, event: str, *, chat_id: str | None, user_id: str | None) -> Any:
        """Return the next typed event of a kind, however long that takes.

        Args:
            event: as in the column `event` of the event frame; a `message` is one of a person, and a `system_message`
                one that reports what happened to a chat.
            chat_id: of this chat; None takes any.
            user_id: by this person; None takes any but the bot itself.

        Raises:
            UsageError: there is no such kind of event.
        """
        waiter = _Waiter(method_of(event), event == SYSTEM_MESSAGE, chat_id=chat_id, user_id=user_id)
        self._waiters.append(waiter)
        try:
            return await waiter.result
        finally:
            self._waiters.remove(waiter)

    def offer(self, method: str, payload: bytes | msgspec.Raw) -> None:
        """Give a notification to those who wait for it."""
        if not any(waiter.method == method for waiter in self._waiters):
            return
        try:
            event = parse_event(method, payload_content(payload))
        except MalformedFrameError as error:
            logger.warning("an event could not be given to whoever waits for it: %s", error)
            return
        if isinstance(event, BoundToBot):
            event.bind(self._bot)
        for waiter in list(self._waiters):
            waiter.offer(method, event, self._bot.me_id)

    def fail(self, error: Exception) -> None:
        """End all waiting."""
        for waiter in self._waiters:
            waiter.fail(error)


class _Waiter:
    """Somebody who waits for one event."""

    def __init__(self, method: str, is_system: bool, *, chat_id: str | None, user_id: str | None) -> None:
        self.method = method
        self._is_system = is_system
        self.result: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._chat_id = chat_id
        self._user_id = user_id

    def offer(self, method: str, event: Any, me: str | None) -> None:
        """Take the event if it is the one that is waited for."""
        author = (sender_of(event) or "").casefold()
        if isinstance(event, SystemMessage) is not self._is_system:
            return
        if self.result.done() or method != self.method or (author and author == (me or "").casefold()):
            return
        if self._chat_id is not None and chat_of(event) != self._chat_id:
            return
        if self._user_id is not None and author != self._user_id.casefold():
            return
        self.result.set_result(event)

    def fail(self, error: Exception) -> None:
        """End the waiting."""
        if not self.result.done():
            self.result.set_exception(error)


def method_of(event: str) -> str:
    """Return the wire's method for the name of an event.

    Raises:
        UsageError: there is no such kind of event.
    """
    methods = {name: method for method, name in EVENTS.items()}
    methods[SYSTEM_MESSAGE] = methods["message"]
    return methods[known_name(event, sorted(methods), "event")]


def refuse_unsaid(event: str, **given: str | None) -> None:
    """Refuse to wait for an event by what the server does not say of its kind: no such event would ever come.

    Args:
        event: the name of the kind, which there is.
        given: `chat` and `sender`, None where they are not asked for.

    Raises:
        UsageError: the server does not say it.
    """
    for name, value in given.items():
        if value is not None and name not in KINDS[event].conditions:
            raise UsageError(f"a server does not say the {name} of {event}: leave {name}= out")
