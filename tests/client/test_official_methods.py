"""The bot of the installed official client, held against ours: methods, parameters, defaults, enumerations and errors;
every difference stands in a table here with its reason.
"""

from __future__ import annotations

import inspect
from typing import Any

import pytest

pytest.importorskip("trueconf")

import trueconf.exceptions as official_errors
from trueconf import enums as official_enums
from trueconf.client.bot import Bot as OfficialBot

from tcnb import errors
from tcnb.client.bot import Bot
from tcnb.types import enums

CONNECTING = "connecting, running and closing belong to the session: tcnb.connect, tcnb.aconnect, close"
DEPRECATED = "deprecated there"

LEFT_OUT = {
    "from_credentials": CONNECTING,
    "from_oauth": CONNECTING,
    "run": CONNECTING,
    "start": CONNECTING,
    "shutdown": CONNECTING,
    "me": DEPRECATED,
    "check_version": "asks another company's server for news; `pip list --outdated` tells",
    "health_check": "the session's status() tells it",
    "token": "a secret, which nothing here shows",
}
"""Public names of the official bot that ours does not have."""

OURS_ALONE = {
    "full_user_id": "a bare login is completed wherever a user is named",
    "learn_limits": "the session passes on what the server announces",
    "server": "the official bot has it as an attribute of the object",
}
"""Public names of our bot that the official one does not have."""

PROGRESS = "told how far an upload or a download is"

PARAMETERS = {
    ("download_file_by_id", "dest_path"): DEPRECATED,
    ("download_file_by_id", "file_path"): "may be given by position too, where the deprecated one was",
    ("download_file_by_id", "progress"): PROGRESS,
    ("send_document", "progress"): PROGRESS,
    ("send_photo", "progress"): PROGRESS,
    ("send_sticker", "progress"): PROGRESS,
    ("send_photo", "preview"): "made from the picture where none is given",
    ("get_chat_participants", "page_size"): "a page of 50 where nothing is said",
    ("get_chat_participants", "page_number"): "the first page where nothing is said",
    ("send_message", "timeout"): "seconds for this message alone",
}
"""Parameters that one side lacks, or that have a default here only."""

ERRORS = {
    "TrueConfChatBotError": "TcnbError, since ours also says what goes wrong outside the connector",
}
"""Errors of the official client that have another name here."""


def public(cls: type) -> set[str]:
    """Return the public names of a class."""
    return {name for name in dir(cls) if not name.startswith("_")}


def parameters(method: Any) -> dict[str, inspect.Parameter]:
    """Return the parameters of a method, without the bot itself."""
    return {name: value for name, value in inspect.signature(method).parameters.items() if name != "self"}


METHODS = sorted(
    name for name in public(OfficialBot) & public(Bot) if inspect.iscoroutinefunction(getattr(OfficialBot, name))
)


def test_every_public_name_is_here_or_has_its_reason() -> None:
    """What the official bot has and ours has not stands in the table, and nothing else does."""
    assert public(OfficialBot) - public(Bot) == set(LEFT_OUT)


def test_every_additional_name_has_its_reason() -> None:
    """What ours has beyond the official bot stands in the table, and nothing else does."""
    assert public(Bot) - public(OfficialBot) == set(OURS_ALONE)


@pytest.mark.parametrize("name", METHODS)
def test_method_takes_the_official_parameters(name: str) -> None:
    """Names, order, defaults and whether a parameter may be given by position are the official ones."""
    theirs, ours = parameters(getattr(OfficialBot, name)), parameters(getattr(Bot, name))
    differing = {known for method, known in PARAMETERS if method == name}
    shared = [parameter for parameter in theirs if parameter in ours]
    assert [parameter for parameter in ours if parameter in theirs] == shared
    assert set(theirs) ^ set(ours) <= differing
    for parameter in shared:
        if parameter not in differing:
            assert ours[parameter].kind == theirs[parameter].kind, parameter
            assert ours[parameter].default == theirs[parameter].default, parameter


@pytest.mark.parametrize(("name", "parameter"), PARAMETERS)
def test_table_of_parameters_is_up_to_date(name: str, parameter: str) -> None:
    """What stands in the table does differ."""
    theirs = parameters(getattr(OfficialBot, name)).get(parameter)
    ours = parameters(getattr(Bot, name)).get(parameter)
    assert theirs is None or ours is None or (theirs.default, theirs.kind) != (ours.default, ours.kind)


@pytest.mark.parametrize("name", METHODS)
def test_method_can_be_awaited(name: str) -> None:
    """Each method is a coroutine function, as it is there."""
    method = getattr(Bot, name)
    assert inspect.iscoroutinefunction(inspect.unwrap(method)) and inspect.iscoroutinefunction(method)


@pytest.mark.parametrize("name", sorted(official_enums.__all__))
def test_enumeration_has_the_same_members(name: str) -> None:
    """Every member has the official name and value, and there is no other."""
    theirs, ours = getattr(official_enums, name), getattr(enums, name)
    if not inspect.isclass(theirs):
        assert list(ours) == list(theirs)
        return
    known = {member.name: member.value for member in ours if not member.name.startswith("UNKNOWN_")}
    known |= {member.name: member.value for member in ours if member.name in theirs.__members__}
    assert known == {member.name: member.value for member in theirs}


OFFICIAL_ERRORS = {
    name: error
    for name, error in vars(official_errors).items()
    if inspect.isclass(error) and issubclass(error, Exception) and error.__module__ == official_errors.__name__
}


def test_every_error_is_here_or_has_its_reason() -> None:
    """Every official error has its namesake."""
    assert {name for name in OFFICIAL_ERRORS if not hasattr(errors, name)} == set(ERRORS)


@pytest.mark.parametrize("name", sorted(set(OFFICIAL_ERRORS) - set(ERRORS)))
def test_error_is_caught_as_there(name: str) -> None:
    """Who catches a more general official error catches ours with it."""
    theirs = {base.__name__ for base in OFFICIAL_ERRORS[name].__mro__} - set(ERRORS)
    assert theirs <= {base.__name__ for base in getattr(errors, name).__mro__}
