"""What the installed official client offers, laid beside what we offer: every difference, found by looking.

Which differences are meant, and why, stands in `official_differences`.
"""

from __future__ import annotations

import dataclasses
import fnmatch
import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from enum import Enum
from types import ModuleType
from typing import Any

import trueconf

from tcnb import import_paths

MODULES = {
    "trueconf": "tcnb",
    "trueconf.enums": "tcnb.enums",
    "trueconf.exceptions": "tcnb.exceptions",
    "trueconf.filters": "tcnb.filters",
    "trueconf.filters.command": "tcnb.filters.command",
    "trueconf.fsm": "tcnb.fsm",
    "trueconf.fsm.context": "tcnb.fsm.context",
    "trueconf.fsm.filters": "tcnb.fsm.filters",
    "trueconf.fsm.key_builder": "tcnb.fsm.key_builder",
    "trueconf.fsm.state": "tcnb.fsm.state",
    "trueconf.fsm.storage": "tcnb.fsm.storage",
    "trueconf.fsm.storage.base": "tcnb.fsm.storage.base",
    "trueconf.fsm.storage.memory": "tcnb.fsm.storage.memory",
    "trueconf.methods": "tcnb.methods",
    "trueconf.middleware": "tcnb.middleware",
    "trueconf.types": "tcnb.types",
    "trueconf.types.content": "tcnb.types.content",
    "trueconf.types.keyboard": "tcnb.types.keyboard",
    "trueconf.types.requests": "tcnb.types.requests",
    "trueconf.types.responses": "tcnb.types.responses",
    "trueconf.utils": "tcnb.utils",
    "trueconf.utils.formatting": "tcnb.utils.formatting",
}
"""Modules that scripts import from: the name of the package is all that changes in those lines."""

PACKAGES = {
    "trueconf.client.bot": "tcnb",
    "trueconf.dispatcher": "tcnb",
    "trueconf.enums": "tcnb.enums",
    "trueconf.filters": "tcnb.filters",
    "trueconf.fsm": "tcnb.fsm",
    "trueconf.types": "tcnb.types",
    "trueconf.types.content": "tcnb.types.content",
    "trueconf.types.requests": "tcnb.types.requests",
    "trueconf.types.responses": "tcnb.types.responses",
    "trueconf.methods": "tcnb.methods",
    "trueconf.utils": "tcnb.utils",
    "trueconf.utils.formatting": "tcnb.utils.formatting",
}
"""Packages with more modules inside; what those define is imported here from a module of the same name, or of the few
that have none from the package that they are in."""

LEFT_OUT = {
    "trueconf._version": "inner",
    "trueconf.client": "inner",
    "trueconf.client.context_controller": "inner",
    "trueconf.client.session": "inner",
    "trueconf.loggers": "inner; the loggers here are `tcnb.…`",
    "trueconf.utils._*": "inner",
}
"""Modules that nothing here answers to, and why."""


def official_modules() -> list[str]:
    """Return the names of all modules of the official package."""
    return ["trueconf", *(found.name for found in pkgutil.walk_packages(trueconf.__path__, "trueconf."))]


def deeper() -> dict[str, str]:
    """Return the modules inside packages, with the module from which the same is imported here: mostly its namesake."""
    found = {}
    for module in official_modules():
        if module in MODULES or any(fnmatch.fnmatchcase(module, pattern) for pattern in LEFT_OUT):
            continue
        package = max((one for one in PACKAGES if f"{module}.".startswith(f"{one}.")), key=len)
        same = module.replace("trueconf", "tcnb", 1)
        found[module] = same if same in import_paths.stand_ins() else PACKAGES[package]
    return found


Found = dict[str, str]
"""Differences: what differs, and how."""

MADE_BY_A_LIBRARY = {"Config", "bind", "from_dict", "to_dict"}
"""Members that a class has from the library that reads JSON on either side."""

ROOT = "TrueConfChatBotError"
"""The official base of all errors, which is `TcnbError` under another name here."""

LONGEST_SHOWN = 20
"""Characters of a default that is shown as it is."""

COMPARED_ALREADY = {"Dispatcher": "Router", "ForwardMessage": "Message"}
"""Classes of which only what they have beyond another one is compared."""


def public_names(module: ModuleType) -> set[str]:
    """Return what a module offers: what it says it does, or else what is defined in it."""
    if hasattr(module, "__all__"):
        return set(module.__all__)
    return {
        name
        for name, value in vars(module).items()
        if not name.startswith("_") and getattr(value, "__module__", None) == module.__name__
    }


def classes() -> dict[str, tuple[Any, Any]]:
    """Return what both sides have under one name, by that name: classes, functions and enumerations."""
    found: dict[str, tuple[Any, Any]] = {}
    for theirs, ours in {**MODULES, **deeper()}.items():
        there, here = importlib.import_module(theirs), importlib.import_module(ours)
        for name in sorted(public_names(there)):
            if hasattr(here, name):
                found.setdefault(name, (getattr(there, name), getattr(here, name)))
    return found


def missing_names() -> Found:
    """Return what cannot be imported from the module of the same name."""
    found: Found = {}
    for theirs, ours in {**MODULES, **deeper()}.items():
        there, here = importlib.import_module(theirs), importlib.import_module(ours)
        for name in sorted(public_names(there)):
            if not hasattr(here, name):
                found[f"{theirs}.{name}"] = "not here"
    return found


def differences() -> Found:
    """Return every difference between what both sides have under one name."""
    found = missing_names()
    for name, (theirs, ours) in sorted(classes().items()):
        found.update(_compared(name, theirs, ours))
    return found


def _compared(name: str, theirs: Any, ours: Any) -> Iterator[tuple[str, str]]:
    if inspect.isclass(theirs) and issubclass(theirs, Enum):
        yield from _members_of_enumeration(name, theirs, ours)
    elif inspect.isclass(theirs):
        if name != "ForwardMessage":
            yield from _parameters(name, theirs, ours, is_constructor=True)
        yield from _members(name, theirs, ours)
        if issubclass(theirs, Exception):
            bases = {base.__name__ for base in theirs.__mro__} - {base.__name__ for base in ours.__mro__} - {ROOT}
            yield from ((f"{name} as {base}", "not one here") for base in sorted(bases))
    elif inspect.isfunction(theirs):
        yield from _parameters(name, theirs, ours)


def _members_of_enumeration(name: str, theirs: Any, ours: Any) -> Iterator[tuple[str, str]]:
    there = {member.name: member.value for member in theirs}
    here = {member.name: member.value for member in ours if not member.name.startswith("UNKNOWN_") or member in there}
    for member in sorted({*there, *here}):
        if there.get(member) != here.get(member):
            yield f"{name}.{member}", f"{there.get(member)!r} there, {here.get(member)!r} here"


def _members(name: str, theirs: Any, ours: Any) -> Iterator[tuple[str, str]]:
    fields = {field.name for field in dataclasses.fields(ours)} if dataclasses.is_dataclass(ours) else set()
    there = {member for member in dir(theirs) if not member.startswith("_")} - MADE_BY_A_LIBRARY
    if dataclasses.is_dataclass(theirs):
        there |= {field.name for field in dataclasses.fields(theirs)}
    if name in COMPARED_ALREADY:
        there &= set(vars(theirs))
    for member in sorted(there):
        if member not in fields and not hasattr(ours, member):
            yield f"{name}.{member}", "not here"
            continue
        function = inspect.getattr_static(theirs, member, None)
        if isinstance(function, (classmethod, staticmethod)) or inspect.isfunction(function):
            yield from _parameters(f"{name}.{member}", getattr(theirs, member), getattr(ours, member))
    if name in ("Bot", "Router"):
        here = {member for member in dir(ours) if not member.startswith("_")}
        attributes = set(vars(_made(theirs))) if name == "Bot" else set()
        yield from ((f"{name}.{member}", "only here") for member in sorted(here - there - attributes))
        mine = here | set(vars(_made(ours))) if name == "Bot" else here
        lacking = {member for member in attributes if not member.startswith("_")} - mine
        yield from ((f"{name}.{member}", "not here") for member in sorted(lacking))


def _made(kind: Any) -> Any:
    """Return a bot that is not connected, for its attributes."""
    return kind("video.example.com", _TOKEN)


_TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJleHAiOjQxMDI0NDQ4MDB9.c2lnbmF0dXJl"
"""A token as one looks, of nobody's."""


def _parameters(name: str, theirs: Any, ours: Any, *, is_constructor: bool = False) -> Iterator[tuple[str, str]]:
    try:
        there, here = (inspect.signature(one).parameters for one in (theirs, ours))
    except (ValueError, TypeError):
        return
    several = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)
    for parameter in [*there, *(one for one in here if one not in there)]:
        if parameter in ("self", "cls", "args", "kwargs") or parameter.startswith("_"):
            continue
        label = f"{name}({parameter})"
        if parameter not in here:
            yield label, "not here"
        elif parameter not in there:
            if here[parameter].default is inspect.Parameter.empty and here[parameter].kind not in several:
                yield label, "required here only"
            elif not is_constructor:
                yield label, "only here"
        elif here[parameter].kind != there[parameter].kind:
            yield label, f"{there[parameter].kind.description} there, {here[parameter].kind.description} here"
        elif not _same(there[parameter].default, here[parameter].default):
            yield label, f"{_shown(there[parameter].default)} there, {_shown(here[parameter].default)} here"


def _same(there: Any, here: Any) -> bool:
    if there is here or there == here:
        return True
    return _shown(there) == _shown(here)


def _shown(default: Any) -> str:
    if default is inspect.Parameter.empty:
        return "required"
    if isinstance(default, Enum):
        return str(default.value)
    if isinstance(default, str) and len(default) > LONGEST_SHOWN:
        return "a text"
    return repr(default) if isinstance(default, (str, int, float, bool, type(None))) else type(default).__name__
