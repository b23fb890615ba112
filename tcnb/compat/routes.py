"""The router above a script's own: brings events from the handlers' thread to the loop and the bot of the script."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from dataclasses import replace
from typing import Any, Final

from tcnb.client.bot import Bot
from tcnb.routing.filters import Event
from tcnb.routing.middleware import Middleware
from tcnb.routing.output import shown
from tcnb.routing.router import Passage, Router
from tcnb.types.base import BoundToBot

logger = logging.getLogger("tcnb.bot")

HOLD: Final = 1.0
"""Seconds that a handler may take before the next event of its chat no longer waits for it.

Scripts for the official client may wait in a handler for the next message of the same chat, which would never come.
"""


class Routes(Router):
    """The router above a script's own.

    Attributes:
        home: the loop on which handlers run; None until the bot is started.
        working: events that are being handled now; changed on the script's loop alone.
        closed: whether events are passed over.
        prints: whether what handlers print is shown as well as kept.
    """

    def __init__(self, bot: Bot, skip_self_messages: bool, *, prints: bool) -> None:
        super().__init__("script", skip_self_messages=skip_self_messages)
        self.home: asyncio.AbstractEventLoop | None = None
        self.working: set[asyncio.Task[Any]] = set()
        self.closed = False
        self.prints = prints
        self._bot = bot

    async def route(
        self,
        event: Event,
        passage: Passage,
        outer: tuple[Middleware, ...] = (),
        inner: tuple[Middleware, ...] = (),
    ) -> bool:
        """Have an event handled on the script's loop, and wait for it as long as order is worth it."""
        home = self.home
        if self.closed or home is None or home.is_closed():
            return False
        work = asyncio.wrap_future(asyncio.run_coroutine_threadsafe(self._at_home(event, passage, outer, inner), home))
        done, _ = await asyncio.wait([work], timeout=HOLD)
        if done:
            return work.result()
        work.add_done_callback(_log_late)
        return True

    async def _at_home(
        self, event: Event, passage: Passage, outer: tuple[Middleware, ...], inner: tuple[Middleware, ...]
    ) -> bool:
        task = asyncio.current_task()
        assert task is not None
        self.working.add(task)
        try:
            for thing in (event, passage.data.get("update")):
                if isinstance(thing, BoundToBot):
                    thing.bind(self._bot)
            me = passage.me if self.skip_self_messages else None
            passage = replace(passage, data={**passage.data, "bot": self._bot}, me=me)
            with shown() if self.prints else contextlib.nullcontext():
                return await super().route(event, passage, outer, inner)
        finally:
            self.working.discard(task)


def _log_late(work: asyncio.Future[bool]) -> None:
    if not work.cancelled() and (error := work.exception()) is not None:
        logger.error("an event could not be handled", exc_info=error)
