"""Filters under a short name, for `from tcnb.filters import …`; they live in `tcnb.routing` and `tcnb.fsm`."""

from __future__ import annotations

from tcnb.fsm import StateFilter
from tcnb.routing.filters import Command, CommandObject, Filter, InstanceOfFilter, MessageFilter

__all__ = ["Command", "CommandObject", "Filter", "InstanceOfFilter", "MessageFilter", "StateFilter"]
