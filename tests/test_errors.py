"""Every exception of the package survives being pickled and copied, so that other processes can raise it."""

from __future__ import annotations

import copy
import importlib
import inspect
import multiprocessing
import pickle
import pkgutil
from collections.abc import Callable
from typing import Any

import pytest

import tcnb
from tcnb.errors import AmbiguousChatError, CauseText, FileMissingError, PortableError, WSConnectionError

VALUES: dict[str, Any] = {
    "actual_length": 5000,
    "actual_size": 5000,
    "actual_value": 5000,
    "ask": len,
    "candidates": ["Release crew (c-1)", "Команда (c-2)"],
    "chat_id": "c-1",
    "code": 303,
    "count": 300,
    "detail": "not enough rights",
    "error": SyntaxError("invalid syntax", ("cell", 1, 4, "a b\n")),
    "extension": "exe",
    "extensions": {"png", "txt"},
    "is_written": True,
    "limit": 4096,
    "message": "what happened: what to do",
    "method": "sendMessage",
    "mode": "block",
    "name": "Release",
    "note": "the list of chats is not whole",
    "payload": {"errorCode": 303, "more": [1, None]},
    "reason": "the server repeats itself",
    "what": "chat",
}
"""What exceptions are made of here, by the names of their arguments."""

COPIES: dict[str, Callable[[Any], Any]] = {
    "pickled": lambda error: pickle.loads(pickle.dumps(error)),
    "pickled in the oldest way": lambda error: pickle.loads(pickle.dumps(error, 0)),
    "copied": copy.copy,
    "copied deeply": copy.deepcopy,
}


def classes() -> list[type[BaseException]]:
    """Return the exception classes of all modules of the package."""
    for module in pkgutil.walk_packages(tcnb.__path__, "tcnb."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    waiting: list[type[BaseException]] = [BaseException]
    found = set()
    while waiting:
        kind = waiting.pop()
        waiting += type.__subclasses__(kind)
        if kind.__module__.partition(".")[0] == "tcnb":
            found.add(kind)
    return sorted(found, key=lambda kind: kind.__qualname__)


def made(kind: type[BaseException]) -> BaseException:
    """Return an exception with a value for each argument that its class takes, a note and an attribute."""
    takes_anything = not inspect.isfunction(kind.__init__)
    parameters = [] if takes_anything else list(inspect.signature(kind.__init__).parameters.values())[1:]
    by_place = [VALUES[one.name] for one in parameters if one.kind is one.POSITIONAL_OR_KEYWORD]
    by_name = {one.name: VALUES[one.name] for one in parameters if one.kind is one.KEYWORD_ONLY}
    error = kind(*([VALUES["message"]] if takes_anything else by_place), **by_name)
    error.add_note("seen in the cell of the report")
    error.noticed_by = "robot"  # type: ignore[attr-defined]
    return error


def shown(error: BaseException) -> Any:
    """Return all that can be asked of an exception; one in it by its text, since it equals itself alone."""
    attributes = {name: repr(value) if name == "error" else value for name, value in vars(error).items()}
    return type(error), str(error), error.args, attributes


@pytest.mark.parametrize("way", COPIES)
@pytest.mark.parametrize("kind", classes(), ids=lambda kind: kind.__qualname__)
def test_exception_is_the_same_elsewhere(kind, way):
    """Class, text, attributes and notes of each exception arrive."""
    error = made(kind)
    assert shown(COPIES[way](error)) == shown(error)


@pytest.mark.parametrize("kind", classes(), ids=lambda kind: kind.__qualname__)
def test_every_exception_has_the_one_base(kind):
    """No class has to see to it by itself that it can be pickled."""
    assert issubclass(kind, PortableError)
    assert "__reduce__" not in vars(kind) or kind is PortableError


@pytest.mark.parametrize("way", COPIES)
def test_cause_arrives(way):
    """The cause of an exception arrives with its class and its own attributes."""
    error = WSConnectionError("the server cannot be reached: try again")
    error.__cause__ = AmbiguousChatError("crew", ["a", "b"])
    cause = COPIES[way](error).__cause__
    assert shown(cause) == shown(error.__cause__)


class Stubborn(Exception):
    """An exception of some library that cannot be rebuilt from its text."""

    def __init__(self, host: str, *, port: int) -> None:
        super().__init__(f"{host}:{port} refused")


def test_text_of_a_cause_arrives_that_cannot_be_pickled():
    """Of a cause whose class breaks on the way, its name and text arrive."""
    error = WSConnectionError("the server cannot be reached: try again")
    error.__cause__ = Stubborn("video.example.com", port=443)
    cause = pickle.loads(pickle.dumps(error)).__cause__
    assert isinstance(cause, CauseText)
    assert str(cause).endswith("Stubborn: video.example.com:443 refused")


def test_what_the_system_said_arrives():
    """Number, text and file name of an error of the system arrive with an error that is one as well."""
    error = FileMissingError(2, "No such file or directory", "plot.png")
    again = pickle.loads(pickle.dumps(error))
    assert (again.errno, again.strerror, again.filename) == (2, "No such file or directory", "plot.png")


REFUSAL = """
from tcnb.errors import AmbiguousChatError
raise AmbiguousChatError("Release crew", ["Release crew (c-1)", "Release crew (c-2)"])
"""


def test_pool_hands_an_error_over():
    """Whoever waits for the result of a process gets its error instead of waiting for ever."""
    pool = multiprocessing.get_context("spawn").Pool(1)
    with pool, pytest.raises(AmbiguousChatError, match="could mean 2 chats") as caught:
        pool.apply(exec, (REFUSAL,))
    assert caught.value.candidates == ["Release crew (c-1)", "Release crew (c-2)"]
