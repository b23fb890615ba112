"""The installed official client, held against ours: names, methods, parameters, fields, enumerations and errors; every
difference stands in one table with its reason, and on the page that is made of it.
"""

from __future__ import annotations

import fnmatch
import importlib
import inspect

import pytest

pytest.importorskip("trueconf")

import trueconf
from trueconf.client.bot import Bot as OfficialBot

import tcnb
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
