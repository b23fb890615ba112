"""How far the reading of a chat's past has come, shown below the cell; reading itself is the session's."""

from __future__ import annotations

import contextvars
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from tcnb.console import local_minute
from tcnb.locks import fork_safe
from tcnb.threads import leave_alone

PATIENCE: Final = 0.5
"""Seconds that reading takes before anything is shown."""

INTERVAL: Final = 0.2
"""Seconds between two messages to the page."""

Progress = Callable[[int, int], None]


@contextmanager
def shown_progress(shell: Any, most: int | None) -> Iterator[Progress | None]:
    """Give a callback that shows how far reading is, if it takes long; at the end that is gone.

    Args:
        shell: the shell whose cell waits; one without a kernel is a terminal.
        most: messages that are read at most; None where nobody knows how many there are.

    Returns:
        Takes messages read so far, and when the earliest was written, in microseconds since 1970; any thread may call
        it. None where nothing could show it.
    """
    if getattr(shell, "kernel", None) is None:
        yield None
        return
    line = _Line(most)
    patience = threading.Timer(PATIENCE, line.show)
    patience.daemon = True
    leave_alone(patience)
    patience.start()
    try:
        yield line.move
    finally:
        patience.cancel()
        line.clear()


class _Line:
    """One output of the cell that makes it, changed in place.

    It is no widget: an output is kept in its last form with the notebook, where a widget that is gone would leave an
    error.
    """

    def __init__(self, most: int | None) -> None:
        self._most = most
        self._said = "reading …"
        self._count = 0
        self._due = 0.0
        self._handle: Any = None
        self._is_over = False
        self._lock = fork_safe(threading.Lock())
        # Other threads know of no cell, and what they show would go below whichever cell ran last.
        self._cell = contextvars.copy_context()

    def show(self) -> None:
        """Appear below the cell."""
        with self._lock:
            if not self._is_over:
                self._handle = self._cell.run(_display, self._bundle())
                self._due = time.monotonic() + INTERVAL

    def move(self, count: int, earliest: int) -> None:
        """Take how far it is; the page is told now and then."""
        with self._lock:
            self._count = count
            self._said = f"{count:,} messages, back to {_day(earliest)}"
            if self._handle is not None and not self._is_over and time.monotonic() >= self._due:
                self._due = time.monotonic() + INTERVAL
                self._cell.run(self._handle.update, self._bundle(), raw=True)

    def clear(self) -> None:
        """Disappear."""
        with self._lock:
            self._is_over = True
            if self._handle is not None:
                self._handle.update({}, raw=True)

    def _bundle(self) -> dict[str, str]:
        words = f'<span role="status">{self._said}</span>'
        bar = "" if self._most is None else f'<progress max="{self._most}" value="{self._count}"></progress> '
        return {"text/html": bar + words, "text/plain": self._said}


def _display(bundle: dict[str, str]) -> Any:
    from IPython.display import display

    return display(bundle, raw=True, display_id=True)  # type: ignore[no-untyped-call]


def _day(moment: int) -> str:
    return local_minute(moment / 1_000_000) or "an unknown time"
