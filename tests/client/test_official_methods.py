"""The installed official client, held against ours: names, methods, parameters, fields, enumerations and errors; every
difference stands in one table with its reason, and on the page that is made of it.
"""

from __future__ import annotations

import dataclasses
import fnmatch
import importlib
import inspect

import pytest

pytest.importorskip("trueconf")

import trueconf
from trueconf.client.bot import Bot as OfficialBot

import tcnb
import tcnb.methods
from tcnb import import_paths
from tcnb.client.bot import Bot as ConnectorBot
from tests.client import official_differences as table
from tests.client import official_surface as surface


@pytest.fixture(scope="module")
def found() -> dict[str, str]:
    """Every difference there is."""
    return surface.differences()


def test_every_difference_has_its_reason(found: dict[str, str]) -> None:
    """Whatever differs stands in the table, under one pattern."""
    assert {label: how for label, how in found.items() if len(table.reasons(label)) != 1} == {}


def test_every_reason_is_for_a_difference(found: dict[str, str]) -> None:
    """What stands in the table does differ."""
    used = {pattern for label in found for pattern in table.reasons(label)}
    assert set(table.NAMES) - used == set()


def test_page_is_current(found: dict[str, str]) -> None:
    """The page says what the tests find; `python -m tests.client.official_differences` writes it anew."""
    assert table.PAGE.read_text(encoding="utf-8") == table.page(found)


def test_something_is_compared() -> None:
    """The comparison sees the classes that scripts use."""
    compared = set(surface.classes())
    assert {
        "Bot",
        "Dispatcher",
        "Router",
        "Message",
        "CallbackQuery",
        "Command",
        "FSMContext",
        "StatesGroup",
    } <= compared
    assert {"ParseMode", "ApiErrorException", "SendMessageResponse", "CreatedGroupChat", "Bold"} <= compared


@pytest.mark.parametrize("module", surface.MODULES)
def test_module_is_here_under_the_same_name(module: str) -> None:
    """What is imported from a module of the official package is imported from ours of that name, and is ours."""
    assert surface.MODULES[module] == module.replace("trueconf", "tcnb", 1)
    there, here = importlib.import_module(module), importlib.import_module(surface.MODULES[module])
    for name in surface.public_names(there):
        value = getattr(here, name, None)
        assert value is None or not str(getattr(value, "__module__", "")).startswith("trueconf")


def test_every_module_is_accounted_for() -> None:
    """Each module of the official package is compared, or left out for a reason that is still one."""
    left = set(surface.official_modules()) - set(surface.MODULES) - set(surface.deeper())
    used = {pattern for pattern in surface.LEFT_OUT for module in left if fnmatch.fnmatchcase(module, pattern)}
    assert used == set(surface.LEFT_OUT)


def test_import_of_everything() -> None:
    """Every public name of the official package can be imported from ours."""
    for name in trueconf.__all__:
        assert getattr(tcnb, name) is not None


METHODS = sorted(name for name, _ in inspect.getmembers(OfficialBot, inspect.iscoroutinefunction) if name[0] != "_")


@pytest.mark.parametrize("name", METHODS)
def test_method_can_be_awaited(name: str) -> None:
    """Each method is a coroutine function, as it is there."""
    method = getattr(tcnb.Bot, name, None)
    assert inspect.iscoroutinefunction(method) == (f"Bot.{name}" not in table.NAMES)


def test_bot_of_a_session_has_the_methods() -> None:
    """`tc.bot` has every method of the official bot that is not about connecting."""
    connecting = {"run", "start", "shutdown"}
    assert {name for name in METHODS if not hasattr(ConnectorBot, name)} - connecting == {"check_version"}


NEVER_IN_THIS_VERSION = {"tcnb.router", "tcnb.utils.token"}
"""Modules of earlier versions of the official package, which scripts still import from."""


def test_modules_that_are_made_are_those_of_the_official_package() -> None:
    """Each module that is made on import stands for one of the official package, and no file has its name."""
    theirs = {module.replace("trueconf", "tcnb", 1) for module in surface.official_modules()}
    assert set(import_paths.stand_ins()) - theirs == NEVER_IN_THIS_VERSION
    for module in import_paths.stand_ins():
        assert isinstance(importlib.import_module(module).__spec__.loader, import_paths.StandIns), module


def test_names_of_a_deep_module_are_those_of_its_home() -> None:
    """What a script imports from a deep module is the very class that it gets from the package."""
    from tcnb.enums.parse_mode import ParseMode
    from tcnb.methods.send_message import SendMessage
    from tcnb.types.message import Message
    from tcnb.utils.chat_activity import ChatActivitySender

    assert (Message, ParseMode, ChatActivitySender) == (tcnb.Message, tcnb.ParseMode, tcnb.ChatActivitySender)
    assert SendMessage is tcnb.methods.SendMessage


def test_missing_name_of_a_deep_module_is_told_where_to_look() -> None:
    """A name that a deep module does not have is an error that names the page of differences."""
    deep = importlib.import_module("tcnb.types.message")
    with pytest.raises(AttributeError, match=r"docs/differences\.md"):
        deep.deserialize_envelope  # noqa: B018  # asking for it is what is tested


def official_requests() -> dict[str, tuple[type, type]]:
    """Return the requests that both packages have as objects, by their names."""
    found = {}
    for module in surface.official_modules():
        if module.startswith("trueconf.methods."):
            for name, kind in inspect.getmembers(importlib.import_module(module), dataclasses.is_dataclass):
                if kind.__module__ == module and hasattr(tcnb.methods, name):
                    found[name] = (kind, getattr(tcnb.methods, name))
    return found


@pytest.mark.parametrize("name", sorted(set(official_requests()) - {"AnswerCommand"}))
def test_request_is_made_and_sent_like_by_the_official_client(name: str) -> None:
    """A request takes the same arguments in the same order and sends the same, except for what is None."""
    theirs, ours = official_requests()[name]
    there, here = ([(one.name, one.kw_only) for one in dataclasses.fields(kind)] for kind in (theirs, ours))
    assert there == here
    required = [one.name for one in dataclasses.fields(theirs) if one.default is dataclasses.MISSING]
    arguments = {field: f"a {field}" for field in required}
    sent = {key: value for key, value in theirs(**arguments).payload().items() if value is not None}
    assert ours(**arguments).payload() == sent
    assert ours.__api_method__ == theirs.__api_method__
