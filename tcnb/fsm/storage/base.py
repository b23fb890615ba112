"""What a place for states must be able to do; none is here."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from tcnb.fsm.key_builder import StorageKey


class BaseStorage(ABC):
    """Base of places where states are kept: a state and a dictionary of data for each key."""

    @abstractmethod
    async def get_state(self, key: StorageKey) -> str | None:
        """Return the state; None where there is none."""

    @abstractmethod
    async def set_state(self, key: StorageKey, state: str | None) -> None:
        """Set the state, or take it away."""

    @abstractmethod
    async def get_data(self, key: StorageKey) -> dict[str, Any]:
        """Return the data; empty where there is none."""

    @abstractmethod
    async def set_data(self, key: StorageKey, data: dict[str, Any]) -> None:
        """Put other data in the place of the old."""

    @abstractmethod
    async def update_data(self, key: StorageKey, updates: dict[str, Any]) -> dict[str, Any]:
        """Add to the data and return all of it."""

    @abstractmethod
    async def clear(self, key: StorageKey) -> None:
        """Forget state and data."""

    async def get_value(self, key: StorageKey, dict_key: str, default: Any = None) -> Any:
        """Return one value of the data, or `default`."""
        return (await self.get_data(key)).get(dict_key, default)

    async def close(self) -> None:  # noqa: B027  # most storages hold nothing open
        """Let go of what is held open; nothing, unless a storage says otherwise."""
