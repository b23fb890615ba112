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
    assert Connections(lambda: {"bot": session}).get() is session


def test_which_of_one_name_is_not_guessed() -> None:
    """Of two open sessions with one name the one in `tc` is meant; where it has none, an error names the variables."""
    first, second = StandInSession(), StandInSession()
    held = {"one": first, "two": second}
    connections = Connections(lambda: held)
    for use in (connections.get, connections.disconnect):
        with pytest.raises(NotConnectedError, match=r"one and two hold one, made by tcnb.connect: .*\(tc = one\)"):
            use()
    assert first.is_open and second.is_open
    assert connections.all() == [first, second]
    held["tc"] = first
    assert connections.get() is first


def test_session_of_a_magic_that_no_variable_holds() -> None:
    """It has no advantage over another one of its name, nor that one over it."""
    connections = Connections(lambda: {"theirs": theirs})
    theirs = StandInSession()
    connections.connect("default", {"server": "a"}, make)
    with pytest.raises(NotConnectedError, match="theirs holds one"):
        connections.get()


def test_after_disconnecting_no_other_session_of_the_name_takes_over() -> None:
    """Another session with the very name of the one that was closed is not used until it is put into `tc`."""
    first, second, third = (StandInSession() for _ in range(3))
    held = {"tc": first, "other": second}
    connections = Connections(lambda: held)
    connections.disconnect()
    assert (first.is_open, second.is_open) == (False, True)
    with pytest.raises(NotConnectedError, match=r"tc = other"):
        connections.get()
    del held["tc"]
    with pytest.raises(NotConnectedError, match=r"tc = other"):
        connections.get()
    assert connections.connect("default", {}, make) not in (first, second)
    held["tc"] = second
    assert connections.get() is second
    connections.disconnect_all()
    held.update(tc=second, later=third)
    assert connections.get() is third
    held["tc"] = third
    assert connections.get() is third


def test_disconnecting_what_took_the_place_of_a_session_of_a_magic() -> None:
    """Where Python put another session into `tc`, that is closed, and the older one of the magic does not come back."""
    held: dict[str, StandInSession] = {}
    connections = Connections(lambda: held)
    mine = connections.connect("default", {"server": "a"}, make)
    held["tc"] = StandInSession()
    connections.disconnect()
    with pytest.raises(NotConnectedError, match="run %tc_connect again, or %tc_disconnect --all"):
        connections.get()
    mine.is_open = False
    held["tc"] = StandInSession()
    connections.disconnect()
    with pytest.raises(NotConnectedError, match="there is no connection yet"):
        connections.get()


@pytest.mark.parametrize("name", ["default", "ops"])
def test_after_closing_what_tc_holds_no_other_session_takes_over(name: str) -> None:
    """`tc.close()` is as good as disconnecting: what was meant for it goes out through nothing else."""
    closed, other = StandInSession(is_open=False), StandInSession(name=name)
    connections = Connections(lambda: {"tc": closed, "other": other})
    with pytest.raises(NotConnectedError):
        connections.get()


def test_all_are_closed() -> None:
    """Disconnecting all closes every session that magics may use, several of one name too."""
    held = {"one": StandInSession(), "two": StandInSession()}
    connections = Connections(lambda: held)
    connections.connect("ops", {}, make)
    sessions = connections.all()
    connections.disconnect_all()
    assert [session.is_open for session in sessions] == [False] * 3
    assert connections.names() == []


def test_the_only_one() -> None:
    """Where no connection is called default the only one is meant, made by a magic or not."""
    connections = Connections(dict)
    only = connections.connect("ops", {}, make)
    assert connections.get() is only


def test_which_of_several_is_not_guessed() -> None:
    """Where none of several connections is called default one has to be named, also for closing."""
    connections = Connections(dict)
    sessions = [connections.connect(name, {}, make) for name in ("one", "two")]
    for use in (connections.get, connections.disconnect):
        with pytest.raises(NotConnectedError, match="say which is meant, --as one or --as two"):
            use()
    assert all(session.is_open for session in sessions)


def test_after_disconnecting_no_other_connection_takes_over() -> None:
    """What was meant for the connection that was closed never goes out through another one."""
    connections = Connections(dict)
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
    elsewhere = {"bot": StandInSession()}
    connections = Connections(lambda: elsewhere)
    connections.connect("ops", {}, make)
    assert connections.get() is elsewhere.pop("bot")
    with pytest.raises(NotConnectedError, match="no connection is called default: say which is meant, --as ops"):
        connections.get()


def test_session_of_python_is_not_closed_by_connecting() -> None:
    """Connecting under the name of somebody else's session leaves that one open."""
    theirs = StandInSession()
    connections = Connections(lambda: {"theirs": theirs})
    mine = connections.connect("default", {"server": "a"}, make)
    assert theirs.is_open
    assert mine is not theirs


def test_failed_connecting_keeps_the_old_session() -> None:
    """When another connection cannot be made, the one that lives goes on."""
    connections = Connections(dict)
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
    connections = Connections(dict)
    old = connections.connect("default", {"server": "a"}, make)
    new = connections.connect("default", {"server": "b"}, make)
    assert connections.get() is new
    assert not old.is_open


def test_no_connection_of_that_name() -> None:
    """An unknown name is an error that says how to connect under it."""
    with pytest.raises(NotConnectedError, match="run %tc_connect --as ops first"):
        Connections(dict).get("ops")
