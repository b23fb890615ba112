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


def test_the_only_one() -> None:
    """Where no connection is called default the only one is meant, made by a magic or not."""
    connections = Connections(list)
    only = connections.connect("ops", {}, make)
    assert connections.get() is only


def test_which_of_several_is_not_guessed() -> None:
    """Where none of several connections is called default one has to be named, also for closing."""
    connections = Connections(list)
    sessions = [connections.connect(name, {}, make) for name in ("one", "two")]
    for use in (connections.get, connections.disconnect):
        with pytest.raises(NotConnectedError, match="say which is meant, --as one or --as two"):
            use()
    assert all(session.is_open for session in sessions)


def test_after_disconnecting_no_other_connection_takes_over() -> None:
    """What was meant for the connection that was closed never goes out through another one."""
    connections = Connections(list)
    connections.connect("default", {}, make)
    other = connections.connect("ops", {}, make)
    connections.disconnect()
    with pytest.raises(NotConnectedError, match="no connection is called default: say which is meant, --as ops"):
        connections.get()
    assert connections.get("ops") is other
    again = connections.connect("default", {}, make)
    assert connections.get() is again


def test_after_closing_in_python_no_other_connection_takes_over() -> None:
    """It does not matter who made the default connection, and who closed it."""
    elsewhere = [StandInSession()]
    connections = Connections(lambda: elsewhere)
    connections.connect("ops", {}, make)
    assert connections.get() is elsewhere.pop()
    with pytest.raises(NotConnectedError, match="no connection is called default: say which is meant, --as ops"):
        connections.get()


def test_session_of_python_is_not_closed_by_connecting() -> None:
    """Connecting under the name of somebody else's session leaves that one open."""
    theirs = StandInSession()
    connections = Connections(lambda: [theirs])
    mine = connections.connect("default", {"server": "a"}, make)
    assert theirs.is_open
    assert mine is not theirs


def test_failed_connecting_keeps_the_old_session() -> None:
    """When another connection cannot be made, the one that lives goes on."""
    connections = Connections(list)
    living = connections.connect("default", {"server": "a"}, make)

    def fail(**request: object) -> None:
        raise NotConnectedError("no")

    with pytest.raises(NotConnectedError):
        connections.connect("default", {"server": "b"}, fail)
    assert connections.get() is living
    assert living.is_open
    assert connections.connect("default", {"server": "a"}, make) is living


def test_old_session_is_closed_when_the_new_one_stands() -> None:
    """Under one name there is one session, the new one."""
    connections = Connections(list)
    old = connections.connect("default", {"server": "a"}, make)
    new = connections.connect("default", {"server": "b"}, make)
    assert connections.get() is new
    assert not old.is_open


def test_no_connection_of_that_name() -> None:
    """An unknown name is an error that says how to connect under it."""
    with pytest.raises(NotConnectedError, match="run %tc_connect --as ops first"):
        Connections(list).get("ops")
