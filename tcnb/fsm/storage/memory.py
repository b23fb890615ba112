"""States in the memory of this process: forgotten when it ends."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tcnb.fsm.key_builder import StorageKey
from tcnb.fsm.storage.base import BaseStorage


@dataclass
class _Kept:
    state: str | None = None
    data: dict[str, Any] = field(default_factory=dict)


class MemoryStorage(BaseStorage):
    """Keeps states until the process ends; what is returned is a copy, so that changing it changes nothing here."""

    def __init__(self) -> None:
        self._kept: dict[StorageKey, _Kept] = {}

    async def get_state(self, key: StorageKey) -> str | None:
        """Return the state; None where there is none."""
        return self._kept.get(key, _Kept()).state

    async def set_state(self, key: StorageKey, state: str | None) -> None:
        """Set the state, or take it away."""
        self._kept.setdefault(key, _Kept()).state = state
        self._forget_if_empty(key)

    async def get_data(self, key: StorageKey) -> dict[str, Any]:
        """Return the data; empty where there is none."""
        return dict(self._kept.get(key, _Kept()).data)

    async def set_data(self, key: StorageKey, data: dict[str, Any]) -> None:
        """Put other data in the place of the old."""
        self._kept.setdefault(key, _Kept()).data = dict(data)
        self._forget_if_empty(key)

    async def update_data(self, key: StorageKey, updates: dict[str, Any]) -> dict[str, Any]:
        """Add to the data and return all of it."""
        kept = self._kept.setdefault(key, _Kept())
        kept.data.update(updates)
        return dict(kept.data)

    async def clear(self, key: StorageKey) -> None:
        """Forget state and data."""
        self._kept.pop(key, None)

    def _forget_if_empty(self, key: StorageKey) -> None:
        # Everybody who ever talked to the bot would otherwise stay here for ever.
        if self._kept[key] == _Kept():
            del self._kept[key]
