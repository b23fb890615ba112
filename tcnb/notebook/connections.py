"""The named connections of this kernel: which session a magic means; what a session does is not known here."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

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
        elsewhere: returns open sessions that magics may use though none made them; of one name, the last counts.
    """

    elsewhere: Callable[[], list[Any]]
    _sessions: dict[str, Any] = field(default_factory=dict)
    _requests: dict[str, dict[str, Any]] = field(default_factory=dict)
    _had_default: bool = False

    def connect(self, name: str, request: Mapping[str, Any], make: Callable[..., Any]) -> Any:
        """Return the living connection of that name, or make it.

        A request like the one that made the living connection, and a bare request, return the living one; any other
        closes it as soon as the new one stands. A session that no magic made is never closed here.

        Args:
            name: the connection's name.
            request: the keyword arguments for `make`.
            make: opens a session.
        """
        living = self._living().get(name)
        own = self._sessions.get(name)
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
        living = self._living()
        name = self._meant(living) if name is None else name
        if name not in living:
            raise NotConnectedError(messages.no_such_connection(name, living))
        if not living[name].is_open:
            raise NotConnectedError(messages.connection_closed(name))
        return living[name]

    def disconnect(self, name: str | None = None) -> None:
        """Close the connection of that name, or the one that is meant without a name, and forget it.

        Raises:
            NotConnectedError: there is none, or nothing says which of several is meant.
        """
        living = self._living()
        name = self._meant(living) if name is None else name
        if name not in living:
            raise NotConnectedError(messages.no_such_connection(name, living))
        self._forget(name)
        living[name].close()

    def names(self) -> list[str]:
        """Return the names of all connections, the oldest first."""
        return list(self._living())

    def all(self) -> list[Any]:
        """Return all connections, the oldest first, closed ones included."""
        return list(self._living().values())

    def _meant(self, living: Mapping[str, Any]) -> str:
        """Return the name of the connection that is meant where none is named; it is never a guess."""
        if not living:
            raise NotConnectedError(messages.not_connected())
        if DEFAULT in living:
            return DEFAULT
        if len(living) > 1 or self._had_default:
            raise NotConnectedError(messages.which_connection(living))
        return next(iter(living))

    def _forget(self, name: str) -> None:
        self._sessions.pop(name, None)
        self._requests.pop(name, None)

    def _living(self) -> dict[str, Any]:
        """Return the sessions by name in the order of connecting; of two with one name, the one in a variable."""
        found = dict(self._sessions)
        for session in self.elsewhere():
            if found.get(session.name) is not session:
                found.pop(session.name, None)
                found[session.name] = session
        self._had_default |= DEFAULT in found
        return found


class Overview(tuple[Any, ...]):
    """The status of several connections, or of none, shown one below the other."""

    def __repr__(self) -> str:
        return "\n".join(map(repr, self)) or messages.nothing_connected_status()

    def _repr_html_(self) -> str | None:
        shown = [str(status._repr_html_()) for status in self if hasattr(status, "_repr_html_")]
        return "".join(shown) or None


def sessions_in_variables() -> list[Any]:
    """Return the open sessions that variables of the notebook hold; the one called `tc` is the last."""
    module = sys.modules.get("tcnb.session")
    shell = get_ipython()
    if module is None or shell is None:
        return []
    held = [item for item in list(shell.user_ns.items()) if isinstance(item[1], module.Session) and item[1].is_open]
    return [session for name, session in sorted(held, key=lambda item: item[0] == VARIABLE)]


connections = Connections(sessions_in_variables)
"""The connections of this kernel; a kernel has one, whatever is loaded and unloaded in it."""
