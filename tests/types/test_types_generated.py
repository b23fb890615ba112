"""Whatever a well-behaved server of either generation sends, the official client and we read it alike; what is read
otherwise on purpose stands in one table in `test_types_differences.py`.

Set TCNB_EXAMPLES for more examples than the fixed ones that a run of all tests takes.
"""

from __future__ import annotations

import importlib
import os
import pkgutil
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

pytest.importorskip("trueconf")

import trueconf.types.content.forward_message
import trueconf.types.responses
from official_comparison import assert_same, with_chats
from trueconf.types.parser import parse_update
from wire_strategies import GENERATIONS, OLDER, ROBOT, notifications, responses

import tcnb.types
from tcnb.types import parse_event

EXAMPLES = int(os.environ.get("TCNB_EXAMPLES", "0"))

generated = settings(
    max_examples=EXAMPLES or 25,
    derandomize=not EXAMPLES,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)

SOMEBODY: Any = SimpleNamespace(me_id=ROBOT)
"""Stands for the bot of both clients, which is asked for its own id only."""

NOTIFICATIONS = {generation: notifications(generation) for generation in GENERATIONS}
RESPONSES = {generation: responses(generation) for generation in GENERATIONS}


# Not all of them are in `__all__` there.
OFFICIAL_RESPONSES = {
    name: response
    for module in pkgutil.iter_modules(trueconf.types.responses.__path__)
    for name, response in vars(importlib.import_module(f"trueconf.types.responses.{module.name}")).items()
}


def official_event(method: str, payload: Any) -> Any:
    """Return what the official client makes of a notification."""
    return parse_update({"method": method, "type": 1, "id": 1, "payload": payload})


def official_response(name: str, payload: Any) -> Any:
    """Return what the official client makes of a response; its method `get_chats` wraps the bare array."""
    payload = {"chats": payload} if isinstance(payload, list) else payload
    return OFFICIAL_RESPONSES[name].from_dict(payload)


def bound(thing: Any) -> Any:
    """Bind an object and what it carries to a bot; the official `GetMessageByIdResponse` binds itself only."""
    for part in (getattr(thing, "content", None), thing):
        if hasattr(part, "bind"):
            part.bind(SOMEBODY)
    return thing


def of_both(made: dict[str, dict[str, Any]]) -> list[tuple[str, str]]:
    """Return every generation with every name it has."""
    return [(generation, name) for generation in made for name in made[generation]]


@pytest.mark.parametrize(("generation", "method"), of_both(NOTIFICATIONS))
def test_notification_is_read_alike(generation: str, method: str) -> None:
    """Any payload of that notification gives an object of the same name with equal attributes."""

    @generated
    @given(NOTIFICATIONS[generation][method])
    def check(payload: Any) -> None:
        theirs = official_event(method, with_chats(payload) if generation == OLDER else payload)
        assert_same(bound(parse_event(method, payload)), bound(theirs), method)

    check()


@pytest.mark.parametrize(("generation", "name"), of_both(RESPONSES))
def test_response_is_read_alike(generation: str, name: str) -> None:
    """Any payload of that response gives an object of the same name with equal attributes."""

    @generated
    @given(RESPONSES[generation][name])
    def check(payload: Any) -> None:
        theirs = official_response(name, with_chats(payload) if generation == OLDER else payload)
        assert_same(bound(getattr(tcnb.types, name).from_dict(payload)), bound(theirs), name)

    check()
