"""The public names of tcnb, and nothing else; each is imported when it is first used."""

from __future__ import annotations

import logging
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from tcnb import import_paths
from tcnb._version import __version__

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from tcnb import enums, errors, exceptions, filters, formatting, fsm, middleware, types
    from tcnb.analysis.readers import read_discord, read_slack, read_telegram, scan
    from tcnb.client.activity import ChatActivitySender
    from tcnb.compat.bot import Bot
    from tcnb.nesting import enable_nesting
    from tcnb.routing import BaseMiddleware, Dispatcher, Router, SkipSelfMessages
    from tcnb.session import CatchUp, Session, aconnect, connect
    from tcnb.types import (
        BufferedInputFile,
        CallbackQuery,
        FSInputFile,
        InlineKeyboardButton,
        InlineKeyboardMarkup,
        InputFile,
        Message,
        SystemMessage,
        URLInputFile,
        requests,
    )
    from tcnb.types.enums import ButtonStyle, ButtonType, ChatParticipantRole, ChatType, MessageType, ParseMode

_HOMES = {
    "tcnb.session": (
        "CatchUp",
        "Session",
        "aconnect",
        "connect",
    ),
    "tcnb.compat.bot": ("Bot",),
    "tcnb.analysis.readers": ("read_discord", "read_slack", "read_telegram", "scan"),
    "tcnb.client.activity": ("ChatActivitySender",),
    "tcnb.nesting": ("enable_nesting",),
    "tcnb.routing": (
        "BaseMiddleware",
        "Dispatcher",
        "Router",
        "SkipSelfMessages",
    ),
    "tcnb.types": (
        "BufferedInputFile",
        "CallbackQuery",
        "FSInputFile",
        "InlineKeyboardButton",
        "InlineKeyboardMarkup",
        "InputFile",
        "Message",
        "SystemMessage",
        "URLInputFile",
    ),
    "tcnb.types.enums": (
        "ButtonStyle",
        "ButtonType",
        "ChatParticipantRole",
        "ChatType",
        "MessageType",
        "ParseMode",
    ),
}
_MODULES = {
    "analysis": "tcnb.analysis",
    "enums": "tcnb.enums",
    "errors": "tcnb.errors",
    "exceptions": "tcnb.exceptions",
    "filters": "tcnb.filters",
    "formatting": "tcnb.formatting",
    "fsm": "tcnb.fsm",
    "middleware": "tcnb.middleware",
    "requests": "tcnb.types.requests",
    "types": "tcnb.types",
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "BaseMiddleware",
    "Bot",
    "BufferedInputFile",
    "ButtonStyle",
    "ButtonType",
    "CallbackQuery",
    "CatchUp",
    "ChatActivitySender",
    "ChatParticipantRole",
    "ChatType",
    "Dispatcher",
    "FSInputFile",
    "InlineKeyboardButton",
    "InlineKeyboardMarkup",
    "InputFile",
    "Message",
    "MessageType",
    "ParseMode",
    "Router",
    "Session",
    "SkipSelfMessages",
    "SystemMessage",
    "URLInputFile",
    "__version__",
    "aconnect",
    "analysis",
    "connect",
    "enable_nesting",
    "enums",
    "errors",
    "exceptions",
    "filters",
    "formatting",
    "fsm",
    "load_ipython_extension",
    "middleware",
    "read_discord",
    "read_slack",
    "read_telegram",
    "requests",
    "scan",
    "types",
    "unload_ipython_extension",
]
if find_spec("magic_filter") is not None:
    __all__ += ["F"]

import_paths.install()

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
    if name == "F":  # it is of the package magic-filter
        return import_module("tcnb.routing").F
    raise AttributeError(f"module 'tcnb' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
