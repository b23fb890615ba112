"""What gives handlers the state of who wrote, as `state` and `raw_state`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from tcnb.fsm.context import FSMContext
from tcnb.fsm.key_builder import DefaultKeyBuilder, FSMStrategy, KeyBuilder, who_and_where
from tcnb.fsm.storage.base import BaseStorage
from tcnb.fsm.storage.memory import MemoryStorage


class FSMManager:
    """Knows where states are kept and whose they are.

    Args:
        storage: where; in memory where nothing is said.
        key_builder: says whom an event is about.
        strategy: whose state is one and the same.
    """

    def __init__(
        self,
        storage: BaseStorage | None = None,
        key_builder: KeyBuilder | None = None,
        strategy: FSMStrategy = FSMStrategy.USER_IN_CHAT,
    ) -> None:
        self.storage: BaseStorage = storage or MemoryStorage()
        self.key_builder: KeyBuilder = key_builder or DefaultKeyBuilder()
        self.strategy = strategy

    def get_context(self, bot: Any, event: Any) -> FSMContext:
        """Return the state that an event is about."""
        return FSMContext(self.storage, self.strategy.apply(self.key_builder.build(bot, event)))


class FSMMiddleware:
    """Adds `state` and `raw_state` to what handlers may take; both are None where an event says not whose it is."""

    def __init__(self, fsm_manager: FSMManager) -> None:
        self._manager = fsm_manager

    async def __call__(
        self, handler: Callable[[Any, dict[str, Any]], Awaitable[None]], event: Any, data: dict[str, Any]
    ) -> None:
        """Let the event go on with them."""
        state = None
        if None not in who_and_where(event) or not isinstance(self._manager.key_builder, DefaultKeyBuilder):
            state = self._manager.get_context(data.get("bot"), event)
        raw_state = None if state is None else await state.get_state()
        await handler(event, {**data, "state": state, "raw_state": raw_state})
