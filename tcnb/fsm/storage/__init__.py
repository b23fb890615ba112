"""Where states are kept; this file only gathers the names."""

from __future__ import annotations

from tcnb.fsm.storage.base import BaseStorage
from tcnb.fsm.storage.memory import MemoryStorage

__all__ = ["BaseStorage", "MemoryStorage"]
