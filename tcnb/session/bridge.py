"""How a verb reaches the bot's loop: blocking, or awaited from another loop; which verbs there are stands elsewhere."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from tcnb.client.bot import Bot
from tcnb.client.connection import FOREIGN, Connection
from tcnb.client.directory.directory import Directory
from tcnb.client.thread import BotThread
from tcnb.errors import NotConnectedError

T = TypeVar("T")


class SyncBridge:
    """The base of the verbs of a session.

    Attributes:
        bot: the connector's methods, one coroutine each, awaitable from any loop and thread.
    """

    bot: Bot
    _directory: Directory
    _thread: BotThread
    _closed: bool
    _connection: Connection

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The bot's own loop, in the bot's own thread."""
        return self._thread.loop

    def _wait(self, work: Coroutine[Any, Any, T]) -> T:
        """Hand work to the bot's loop and block until it is done."""
        self._check_usable(work)
        return self._thread.wait(work)

    async def _over(self, work: Coroutine[Any, Any, T]) -> T:
        """Hand work to the bot's loop and await it here."""
        self._check_usable(work)
        return await self._thread.hand_over(work)

    def _check_usable(self, work: Coroutine[Any, Any, Any]) -> None:
        if self._connection.is_foreign:
            work.close()
            raise NotConnectedError(FOREIGN)
        if self._closed:
            work.close()
            raise NotConnectedError("this connection has been closed: connect again")
