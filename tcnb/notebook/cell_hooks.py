"""What is looked after when a cell has run: sessions that a variable has lost, and failures of handlers nobody saw.

All of it happens on the kernel's main thread, between cells; a line that is printed stands below the cell that ran.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import Any, Final

from IPython.core.getipython import get_ipython

from tcnb.notebook import messages
from tcnb.routing.handlers import Failure
from tcnb.session import Session

_CONTAINERS: Final = (list, tuple, set, frozenset)


class _Failures:
    """The failures of handlers in one session: noted on the bot's loop, told on the main thread."""

    def __init__(self) -> None:
        self.count = 0
        self.told = 0
        self.last: Failure | None = None

    def note(self, failure: Failure) -> None:
        self.last = failure
        self.count += 1


class AfterCells:
    """Looks after the sessions of one shell."""

    def __init__(self, shell: Any) -> None:
        self.shell = shell
        self._failures: dict[Session, _Failures] = {}
        self._held: dict[str, Session] = {}
        shell.events.register("post_run_cell", self.ran)

    def add(self, session: Session) -> None:
        """Look after a session until it is closed."""
        failures = self._failures[session] = _Failures()
        session.on_failure(failures.note)

    def ran(self, result: object = None) -> None:
        """Do what is to be done after a cell."""
        self._close_what_is_lost()
        self._tell_of_failures()
        for session in [session for session in list(self._failures) if not session.is_open]:
            del self._failures[session]

    def _close_what_is_lost(self) -> None:
        """Close sessions whose variable now holds another session of the same account: a cell that connects ran again.

        The old one would go on in secret and answer beside the new one.
        """
        before = {name: old for name, old in self._held.items() if old.is_open}
        # A variable may hold nothing for some cells, or a script's bot that is not started yet.
        self._held = before | dict(self._variables())
        for name, old in before.items():
            new = self._held[name]
            if new is old or not new.is_open:
                continue
            if (old.server, old.me_id) == (new.server, new.me_id) and not self._is_held(old):
                old.close()
                _tell(messages.session_replaced(name, str(old.me_id)))

    def _tell_of_failures(self) -> None:
        for session, failures in list(self._failures.items()):
            count, last = failures.count - failures.told, failures.last
            if count and last is not None:
                failures.told += count
                variable = next((name for name, held in self._variables() if held is session), None)
                holder = f"{variable}.session" if variable and _is_script(session) else variable
                _tell(messages.handlers_failed(count, last.part, last.error, holder))

    def _variables(self) -> Iterator[tuple[str, Session]]:
        """Return the sessions in variables that a person named, those of the bots of scripts among them."""
        for name, value in self._named():
            for session in list(self._failures):  # one may be connected on another thread meanwhile
                if _holds(value, session):
                    yield name, session

    def _is_held(self, session: Session) -> bool:
        """Tell whether a variable still leads to a session, by whatever a person has put it into."""
        seen: dict[int, object] = {}
        waiting = [value for _, value in self._named()]
        while waiting:
            value = waiting.pop()
            if _holds(value, session):
                return True
            if id(value) not in seen:
                seen[id(value)] = value
                waiting.extend(_inside(value))
        return False

    def _named(self) -> list[tuple[str, Any]]:
        """Return the variables that a person named: IPython's own, as `_` and `Out`, do not count."""
        hidden = self.shell.user_ns_hidden
        return [(name, value) for name, value in list(self.shell.user_ns.items()) if name not in hidden]


def _holds(value: object, session: Session) -> bool:
    """Tell whether something is a session, or the bot of a script that has it."""
    return value is session or (_is_script(session) and value is session.bot)


def _is_script(session: Session) -> bool:
    return hasattr(type(session.bot), "session")


def _inside(value: object) -> Iterable[object]:
    """Return what is in a list, a tuple, a set, a dictionary, or an object of a class that a cell defined."""
    if isinstance(value, dict):
        return list(value.values())
    if isinstance(value, _CONTAINERS):
        return list(value)
    return list(vars(value).values()) if type(value).__module__ == "__main__" and hasattr(value, "__dict__") else ()


_after_cells: AfterCells | None = None


def look_after(session: Session) -> None:
    """Look after a session that was connected in a notebook; without a notebook nothing happens."""
    global _after_cells
    shell = get_ipython()
    if shell is None:
        return
    if _after_cells is None or _after_cells.shell is not shell:
        _after_cells = AfterCells(shell)
    _after_cells.add(session)


def _tell(line: str) -> None:
    sys.stderr.write(f"{line}\n")
