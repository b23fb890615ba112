"""Commands under the name that scripts for the official client import them by; they live in `tcnb.routing`."""

from __future__ import annotations

from tcnb.routing.filters import Command, CommandObject

__all__ = ["Command", "CommandObject"]
