"""The state of one conversation, as a handler reads and changes it; where it is kept is the storage's affair."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tcnb.fsm.key_builder import StorageKey
from tcnb.fsm.state import State
from tcnb.fsm.storage.base import BaseStorage


class FSMContext:
    """Where somebody is in a conversation and what was said so far; handlers take it as `state`.

    ```python
    @router.message(Form.age)
    async def on_age(message: Message, state: FSMContext):
        data = await state.update_data(age=message.text)
        await state.clear()
        await message.answer(f"{data['name']} is {data['age']}")
    ```
    """

    def __init__(self, storage: BaseStorage, key: StorageKey) -> None:
        self._storage = storage
        self._key = key

    def __repr__(self) -> str:
        return f"<FSMContext of {self._key.user_id} in {self._key.chat_id}>"

    @property
    def key(self) -> StorageKey:
        """Whose state it is."""
        return self._key

    @property
    def storage(self) -> BaseStorage:
        """Where it is kept."""
        return self._storage

    async def get_state(self) -> str | None:
        """Return the name of the state; None where there is none."""
        return await self._storage.get_state(self._key)

    async def set_state(self, state: State | str | None = None) -> None:
        """Go to another state; None leaves all states and keeps the data."""
        await self._storage.set_state(self._key, state.state if isinstance(state, State) else state)

    async def get_data(self) -> dict[str, Any]:
        """Return the data, a copy."""
        return await self._storage.get_data(self._key)

    async def set_data(self, data: Mapping[str, Any]) -> None:
        """Put other data in the place of the old."""
        await self._storage.set_data(self._key, dict(data))

    async def get_value(self, key: str, default: Any = None) -> Any:
        """Return one value of the data, or `default`."""
        return await self._storage.get_value(self._key, key, default)

    async def update_data(self, data: Mapping[str, Any] | None = None, **kwargs: Any) -> dict[str, Any]:
        """Add to the data, from a mapping or by keywords, and return all of it."""
        return await self._storage.update_data(self._key, {**kwargs, **(data or {})})

    async def clear(self) -> None:
        """Leave all states and forget the data."""
        await self._storage.clear(self._key)
