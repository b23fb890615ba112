"""How far the reading of a chat's past has come, as a bar below the cell; reading itself is the session's."""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

INTERVAL: Final = 0.2
"""Seconds between two messages to the page."""

Progress = Callable[[int, int], None]


@contextmanager
def shown_progress(shell: Any, most: int | None) -> Iterator[Progress | None]:
    """Give a callback that moves a bar, which is gone at the end; None where nothing could show it.

    Args:
        shell: the shell whose cell waits; one without a kernel is a terminal.
        most: messages that are read at most; None where nobody knows how many there are.
    """
    if getattr(shell, "kernel", None) is None:
        yield None
        return
    import ipywidgets
    from IPython.display import display

    bar = ipywidgets.IntProgress(value=0, max=most or 1, layout={"width": "240px"})
    label = ipywidgets.Label("reading …")
    box = ipywidgets.HBox([bar, label])
    shown = False
    due = time.monotonic() + INTERVAL

    def move(count: int, earliest: int) -> None:
        nonlocal due
        if time.monotonic() < due:
            return
        due = time.monotonic() + INTERVAL
        label.value = f"{count:,} messages, back to {_day(earliest)}"
        bar.max, bar.value = (most, count) if most is not None else (count, count)

    try:
        if most is None or most > 1000:
            display(box)  # type: ignore[no-untyped-call]
            shown = True
        yield move if shown else None
    finally:
        for widget in (box, bar, label):
            widget.close()


def _day(moment: int) -> str:
    return datetime.datetime.fromtimestamp(moment / 1_000_000).astimezone().strftime("%Y-%m-%d %H:%M")
