"""The public names of tcnb, and nothing else; each is imported when it is first used."""

from __future__ import annotations

import logging
from importlib import import_module
from typing import TYPE_CHECKING, Any

from tcnb._version import __version__

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from tcnb import enums, errors, formatting, types
    from tcnb.client.activity import ChatActivitySender
    from tcnb.client.bot import Bot
    from tcnb.nesting import enable_nesting
    from tcnb.routing import Router
    from tcnb.session import Session, aconnect, connect
    from tcnb.types import (
        BufferedInputFile,
        ChatParticipantRole,
        ChatType,
        FSInputFile,
        InlineKeyboardButton,
        InlineKeyboardMarkup,
        InputFile,
        Message,
        MessageType,
        ParseMode,
        URLInputFile,
    )

_HOMES = {
    "tcnb.session": ("Session", "aconnect", "connect"),
    "tcnb.client.activity": ("ChatActivitySender",),
    "tcnb.client.bot": ("Bot",),
    "tcnb.nesting": ("enable_nesting",),
    "tcnb.routing": ("Router",),
    "tcnb.types": (
        "BufferedInputFile",
        "FSInputFile",
        "InlineKeyboardButton",
        "InlineKeyboardMarkup",
        "InputFile",
        "Message",
        "URLInputFile",
    ),
    "tcnb.types.enums": ("ChatParticipantRole", "ChatType", "MessageType", "ParseMode"),
}
_MODULES = {
    "errors": "tcnb.errors",
    "types": "tcnb.types",
    "enums": "tcnb.enums",
    "formatting": "tcnb.formatting",
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "Bot",
    "BufferedInputFile",
    "ChatActivitySender",
    "ChatParticipantRole",
    "ChatType",
    "FSInputFile",
    "InlineKeyboardButton",
    "InlineKeyboardMarkup",
    "InputFile",
    "Message",
    "MessageType",
    "ParseMode",
    "Router",
    "Session",
    "URLInputFile",
    "__version__",
    "aconnect",
    "connect",
    "enable_nesting",
    "enums",
    "errors",
    "formatting",
    "load_ipython_extension",
    "types",
    "unload_ipython_extension",
]


# Background threads never print: without this, warnings would go to standard error and so into some cell.
logging.getLogger(__name__).addHandler(logging.NullHandler())


def load_ipython_extension(ipython: InteractiveShell) -> None:
    """Add the magics to a shell; called by `%load_ext tcnb`."""
    from tcnb.notebook.extension import load

    load(ipython)


def unload_ipython_extension(ipython: InteractiveShell) -> None:
    """Take the magics away again; called by `%unload_ext tcnb`."""
    from tcnb.notebook.extension import unload

    unload(ipython)


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return import_module(_MODULES[name])
    if name in _HOME:
        return getattr(import_module(_HOME[name]), name)
    raise AttributeError(f"module 'tcnb' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
