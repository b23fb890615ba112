"""Showing that a bot is busy for as long as it is: the sign is repeated whenever it would fade; the single sending is a
method of the bot.

Source: `protocol` section 6.4.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import Future
from types import TracebackType
from typing import Any, Final, Self

from tcnb.client.bot import Bot
from tcnb.errors import ApiErrorException, NotConnectedError, TcnbError, UsageError
from tcnb.types.enums import ChatActivity

SOONEST: Final = 1.0
"""Seconds between two signs at least, whatever a server says, and after one that did not come through."""


class ChatActivitySender:
    """Shows an activity in a chat while its block runs, as `async with` or as plain `with`.

    The signs are sent on the bot's own loop, so they go on while the block computes without giving way. A sign that
    cannot be sent never disturbs the block: it is kept in `error` and tried again, unless the server refused it.

    ```python
    async with tcnb.ChatActivitySender.typing(bot=tc.bot, chat_id=chat_id):
        answer = await think()
    ```

    Args:
        bot: who is busy.
        chat_id: the chat.
        activity: what is shown.
        initial_sleep: seconds before the first sign; what is done sooner shows none.

    Attributes:
        error: why the last sign could not be sent; None where it was.
    """

    def __init__(
        self,
        *,
        bot: Bot,
        chat_id: str,
        activity: ChatActivity | str = ChatActivity.TYPING,
        initial_sleep: float = 0.0,
    ) -> None:
        self.bot = bot
        self.chat_id = chat_id
        self.activity = activity
        self.initial_sleep = initial_sleep
        self.error: TcnbError | None = None
        self._work: Future[None] | None = None

    def __repr__(self) -> str:
        return f"<ChatActivitySender {self.activity} in {self.chat_id}{', running' if self.running else ''}>"

    @classmethod
    def typing(cls, bot: Bot, chat_id: str, **kwargs: Any) -> Self:
        """Return one that shows `typing`; further arguments as for the class."""
        return cls(bot=bot, chat_id=chat_id, activity=ChatActivity.TYPING, **kwargs)

    @property
    def running(self) -> bool:
        """Whether signs are being sent."""
        return self._work is not None and not self._work.done()

    def __enter__(self) -> Self:
        """Begin.

        Raises:
            UsageError: it runs already.
            NotConnectedError: the bot's connection was closed.
        """
        if self.running:
            raise UsageError("this activity is being shown already: make another one for another block")
        if self.bot.loop.is_closed():
            raise NotConnectedError("this connection has been closed: connect again")
        self.error = None
        self._work = asyncio.run_coroutine_threadsafe(self._repeat(), self.bot.loop)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """End; nothing is waited for."""
        if self._work is not None:
            self._work.cancel()

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.__exit__(kind, error, traceback)

    async def _repeat(self) -> None:
        pause = self.initial_sleep
        while True:
            await asyncio.sleep(pause)
            pause = await self._sign()

    async def _sign(self) -> float:
        """Send one sign and return the seconds until the next is due."""
        try:
            answer = await self.bot.send_chat_activity(self.chat_id, self.activity)
        except ApiErrorException as error:
            self.error = error
            raise
        except TcnbError as error:
            self.error = error
            return SOONEST
        self.error = None
        return max(SOONEST, (answer.retry_after or 0) / 1000)
