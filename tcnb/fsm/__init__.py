"""States of conversations: which step somebody is at and what was said so far; this file only gathers the names."""

from __future__ import annotations

from tcnb.fsm.context import FSMContext
from tcnb.fsm.filters import StateFilter
from tcnb.fsm.key_builder import DefaultKeyBuilder, FSMStrategy, KeyBuilder, StorageKey
from tcnb.fsm.middleware import FSMManager, FSMMiddleware
from tcnb.fsm.state import State, StatesGroup, any_state, default_state
from tcnb.fsm.storage import BaseStorage, MemoryStorage

__all__ = [
    "BaseStorage",
    "DefaultKeyBuilder",
    "FSMContext",
    "FSMManager",
    "FSMMiddleware",
    "FSMStrategy",
    "KeyBuilder",
    "MemoryStorage",
    "State",
    "StateFilter",
    "StatesGroup",
    "StorageKey",
    "any_state",
    "default_state",
]
