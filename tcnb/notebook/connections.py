"""The named connections of this kernel: which session a magic means; what a session does is not known here."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol
from weakref import WeakSet

from IPython.core.getipython import get_ipython

from tcnb.errors import NotConnectedError
from tcnb.notebook import messages

DEFAULT = "default"
"""The name of a connection that got none."""

VARIABLE = "tc"
"""The variable that holds the default connection."""


class Connection(Protocol):
    """What this registry needs of a session."""

    @property
    def name(self) -> str: ...
    @property
    def is_open(self) -> bool: ...
    def close(self) -> None: ...


@dataclass
class Connections:
    """Sessions by name, in the order in which they were connected; used from the kernel's main thread only.

    Attributes:
        elsewhere: returns the sessions that variables hold, by the name of the variable: the open ones, and the one
            in `tc` in any case.
    """

    elsewhere: Callable[[], Mapping[str, Any]]
    _sessions: dict[str, Any] = field(default_factory=dict)
    _requests: dict[str, dict[str, Any]] = field(default_factory=dict)
    _had_default: bool = False
    _passed_over: WeakSet[Any] = field(default_factory=WeakSet)
    """Sessions that were there when another one of their name was disconnected: they do not take over."""
    _disconnected: WeakSet[Any] = field(default_factory=WeakSet)

    def connect(self, name: str, request: Mapping[str, Any], make: Callable[..., Any]) -> Any:
        """Return the living connection of that name, or make it.

        A request like the one that made the living connection, and a bare request, return the living one; any other
        closes it as soon as the new one stands. A session that no magic made is never closed here.

        Args:
            name: the connection's name.
            request: the keyword arguments for `make`.
            make: opens a session.
        """
        own = self._sessions.get(name)
        living = own if request else self._chosen(name, self._found())
        is_same_request = living is own and self._requests.get(name) == dict(request)
        if living is not None and living.is_open and (not request or is_same_request):
            return living
        session = make(**request, name=name)
        self._forget(name)
        self._sessions[name] = session
        self._requests[name] = dict(request)
        if own is not None:
            own.close()
        return session

    def get(self, name: str | None = None) -> Any:
        """Return the connection of that name; without a name the one called `default`, or else the only one.

        Raises:
            NotConnectedError: there is none, it was closed, or nothing says which of several is meant.
        """
        session = self._session(name)
        if not session.is_open:
            raise NotConnectedError(messages.connection_closed(session.name))
        return session

    def disconnect(self, name: str | None = None) -> None:
        """Close the connection of that name, or the one that is meant without a name, and forget it.

        Raises:
            NotConnectedError: there is none, or nothing says which of several is meant.
        """
        session = self._session(name)
        others = [other for other in self._found()[session.name] if other is not session]
        self._passed_over.update(others)
        if not any(other.is_open for other in others):
            self._forget(session.name)
        self._close(session)

    def disconnect_all(self) -> None:
        """Close all connections and forget them."""
        for session in self.all():
            self._close(session)

    def names(self) -> list[str]:
        """Return the names of all connections, the oldest first."""
        return list(self._found())

    def all(self) -> list[Any]:
        """Return all connections, the oldest first, closed ones included."""
        return [session for sessions in self._found().values() for session in sessions]

    def _session(self, name: str | None) -> Any:
        """Return the connection of that name, or the one that is meant without a name; it is never a guess."""
        found = self._found()
        name = self._meant(found) if name is None else name
        if name not in found:
            raise NotConnectedError(messages.no_such_connection(name, found))
        if (chosen := self._chosen(name, found)) is None:
            variables = [variable for variable, session in self.elsewhere().items() if session in found[name]]
            raise NotConnectedError(messages.which_of_one_name(name, variables))
        return chosen

    def _meant(self, found: Mapping[str, Any]) -> str:
        if not found:
            raise NotConnectedError(messages.not_connected())
        if DEFAULT in found:
            return DEFAULT
        if len(found) > 1 or self._had_default or self._in_variable(DEFAULT) is not None:
            raise NotConnectedError(messages.which_connection(found))
        return next(iter(found))

    def _chosen(self, name: str, found: Mapping[str, list[Any]]) -> Any:
        """Return the session of a name that is meant: what `tc` holds, else the only one.

        None where there are several, or where it would take the place of one that was closed.
        """
        held = self._in_variable(name)
        if held is not None and held.is_open:
            return held
        first, *more = found.get(name, [None])
        is_another = first in self._passed_over or (held is not None and held is not first)
        return None if more or is_another else first

    def _in_variable(self, name: str) -> Any:
        """Return the session of that name in the variable `tc`, also one that was closed, if no magic closed it."""
        held = self.elsewhere().get(VARIABLE)
        is_meant = held is not None and held.name == name and held not in self._disconnected
        return held if is_meant else None

    def _close(self, session: Any) -> None:
        name: str = session.name
        if self._sessions.get(name) is session:
            self._forget(name)
        self._disconnected.add(session)
        session.close()

    def _forget(self, name: str) -> None:
        self._sessions.pop(name, None)
        self._requests.pop(name, None)

    def _found(self) -> dict[str, list[Any]]:
        """Return all sessions by name: those of magics in the order of connecting, then open ones in variables."""
        found = {name: [session] for name, session in self._sessions.items()}
        for session in self.elsewhere().values():
            if session.is_open and session not in found.get(session.name, ()):
                found.setdefault(session.name, []).append(session)
        self._had_default |= DEFAULT in found
        return found


class Overview(tuple[Any, ...]):
    """The status of several connections, or of none, shown one below the other."""

    def __repr__(self) -> str:
        return "\n".join(map(repr, self)) or messages.nothing_connected_status()

    def _repr_html_(self) -> str | None:
        shown = [str(status._repr_html_()) for status in self if hasattr(status, "_repr_html_")]
        return "".join(shown) or None


def sessions_in_variables() -> dict[str, Any]:
    """Return the sessions that variables of the notebook hold: the open ones, and the one called `tc` in any case.

    IPython's own variables, such as `_`, do not count.
    """
    module = sys.modules.get("tcnb.session")
    shell = get_ipython()
    if module is None or shell is None:
        return {}
    named = [(name, value) for name, value in list(shell.user_ns.items()) if name not in shell.user_ns_hidden]
    held = {name: value for name, value in named if isinstance(value, module.Session)}
    return {name: session for name, session in held.items() if session.is_open or name == VARIABLE}


connections = Connections(sessions_in_variables)
"""The connections of this kernel; a kernel has one, whatever is loaded and unloaded in it."""
