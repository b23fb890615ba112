"""Routing: which handler an event belongs to, and running it; this file only gathers the names."""

from __future__ import annotations

from typing import Any

from tcnb.import_paths import missing_magic_filter
from tcnb.routing.dispatcher import Dispatcher
from tcnb.routing.filters import Command, CommandObject, Event, Filter, InstanceOfFilter, MessageFilter
from tcnb.routing.handlers import Failure, Handler
from tcnb.routing.middleware import BaseMiddleware, SkipSelfMessages
from tcnb.routing.router import Router
from tcnb.routing.suggestions import suggestion

__all__ = [
    "BaseMiddleware",
    "Command",
    "CommandObject",
    "Dispatcher",
    "Event",
    "Failure",
    "Filter",
    "Handler",
    "InstanceOfFilter",
    "MessageFilter",
    "Router",
    "SkipSelfMessages",
    "suggestion",
]


def __getattr__(name: str) -> Any:
    """Give `F` of the package magic-filter, where it is installed, as the official client does."""
    if name != "F":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        from magic_filter import F
    except ImportError:
        # Not an error of our own, so that `hasattr` can be asked; `from tcnb import F` raises `MissingPackageError`.
        raise AttributeError(str(missing_magic_filter()), name=name) from None
    return F
