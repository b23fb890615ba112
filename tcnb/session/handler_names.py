"""Whether the chats and people that handlers name are there: said where a handler is defined, or once it is known."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Iterable
from typing import Any, Final

from tcnb.client.directory.directory import Directory
from tcnb.errors import (
    ApiErrorException,
    NotConnectedError,
    RequestTimeoutError,
    UnknownChatError,
    UsageError,
    WSConnectionError,
)
from tcnb.routing.filters import ChatIs, SenderIs
from tcnb.routing.handlers import Handler
from tcnb.session.background import Background

TELL_TITLES: Final = frozenset({"created_group_chat", "created_channel", "edited_chat_title"})
"""Events that say what a chat is called from now on: a handler for one may name a chat that is not there yet."""


class HandlerNames:
    """Looks up what the conditions of handlers name.

    Args:
        directory: knows who is meant.
        background: where handlers are looked at that were defined while the server could not be asked.
        loop: the bot's loop.
        can_ask: whether the server can be asked now.
        wait: does work on the bot's loop and blocks until it is done.
        on_problem: told, on the bot's loop, of a handler whose names do not do, and why.
    """

    def __init__(
        self,
        directory: Directory,
        background: Background,
        *,
        loop: asyncio.AbstractEventLoop,
        can_ask: Callable[[], bool],
        wait: Callable[[Coroutine[Any, Any, None]], None],
        on_problem: Callable[[Handler, UsageError], None],
    ) -> None:
        self._directory = directory
        self._background = background
        self._loop = loop
        self._can_ask = can_ask
        self._wait = wait
        self._on_problem = on_problem
        self._waiting: list[Handler] = []

    def defined(self, handler: Handler) -> None:
        """Look up the names of a handler that is about to be added; on the thread that defines it.

        Raises:
            UnknownChatError, AmbiguousChatError, UsageError: a name does not do; the handler is not to be added.
        """
        if _has_names(handler) and self._can_ask() and not self._is_on_loop():
            # Where the server does not answer, the handler is looked at again when it does.
            with contextlib.suppress(ApiErrorException, RequestTimeoutError, WSConnectionError, NotConnectedError):
                self._wait(self._look_up(handler))
                return
        self.included([handler])

    def included(self, handlers: Iterable[Handler]) -> None:
        """Look up the names of handlers that are there already, now or when the server can be asked; on any thread."""
        self._waiting += [handler for handler in handlers if _has_names(handler)]
        if self._waiting and self._can_ask():
            self._loop.call_soon_threadsafe(self.connected)

    def connected(self) -> None:
        """Look up what has been waiting; on the bot's loop."""
        waiting, self._waiting = self._waiting, []
        if waiting:
            self._background.start(self._look_up_all(waiting))

    async def _look_up_all(self, handlers: list[Handler]) -> None:
        for at, handler in enumerate(handlers):
            try:
                await self._look_up(handler)
            except UsageError as error:
                self._on_problem(handler, error)
            except (ApiErrorException, RequestTimeoutError, WSConnectionError, NotConnectedError):
                self._waiting += handlers[at:]
                return

    async def _look_up(self, handler: Handler) -> None:
        for check in handler.checks:
            condition = check.condition
            if isinstance(condition, SenderIs):
                for name in condition.wanted:
                    await self._directory.user_id(name)
            if isinstance(condition, ChatIs):
                for name in condition.wanted:
                    await self._look_up_chat(handler, name)

    async def _look_up_chat(self, handler: Handler, name: str) -> None:
        try:
            await self._directory.condition(name)
        except UnknownChatError:
            if handler.event not in TELL_TITLES:
                raise

    def _is_on_loop(self) -> bool:
        try:
            return asyncio.get_running_loop() is self._loop
        except RuntimeError:
            return False


def _has_names(handler: Handler) -> bool:
    return any(isinstance(check.condition, ChatIs | SenderIs) for check in handler.checks)
