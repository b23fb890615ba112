"""Which session is meant, where magics and Python code have made some."""

from __future__ import annotations

import pytest
from desk import StandInSession

from tcnb.errors import NotConnectedError
from tcnb.notebook.connections import Connections


def make(**request: object) -> StandInSession:
    name = request.pop("name")
    return StandInSession(dict(request), str(name))


def test_sessions_of_python_are_found() -> None:
    """A session made with tcnb.connect serves the magics too."""
    session = StandInSession(name="default")
    assert Connections(lambda: [session]).get() is session


def test_the_later_of_one_name() -> None:
    """Of two open sessions with one name the one connected later is meant."""
    first, second = StandInSession(), StandInSession()
    assert Connections(lambda: [first, second]).get() is second


def test_later_session_of_python_goes_before() -> None:
    """A session that Python connects after a magic has the name from then on."""
    elsewhere: list[StandInSession] = []
    connections = Connections(lambda: elsewhere)
    mine = connections.connect("default", {"server": "a"}, make)
    theirs = StandInSession()
    elsewhere += [mine, theirs]
    assert connections.get() is theirs


def test_order_of_connecting() -> None:
    """Where no connection is called default the one connected last is meant, whatever the order of the variables."""
    elsewhere: list[StandInSession] = []
    connections = Connections(lambda: elsewhere)
    first, second = (connections.connect(name, {}, make) for name in ("one", "two"))
    elsewhere += [second, first]
    assert connections.get() is second


def test_session_of_python_is_not_closed_by_connecting() -> None:
    """Connecting under the name of somebody else's session leaves that one open."""
    theirs = StandInSession()
    connections = Connections(lambda: [theirs])
    mine = connections.connect("default", {"server": "a"}, make)
    assert theirs.is_open
    assert mine is not theirs


def test_failed_connecting_leaves_no_closed_session() -> None:
    """After connecting anew has failed, the name is free and the error says so."""
    connections = Connections(list)
    connections.connect("default", {"server": "a"}, make)

    def fail(**request: object) -> None:
        raise NotConnectedError("no")

    with pytest.raises(NotConnectedError):
        connections.connect("default", {"server": "b"}, fail)
    with pytest.raises(NotConnectedError, match="no connection yet"):
        connections.get()


def test_no_connection_of_that_name() -> None:
    """An unknown name is an error that says how to connect under it."""
    with pytest.raises(NotConnectedError, match="run %tc_connect --as ops first"):
        Connections(list).get("ops")
