"""Whether work grows faster than a text: by the processor's time for a text and for one of the fourfold length."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

SIZE = 30_000
"""Characters of the shorter text."""

FACTOR = 4

UNSEEN = 0.02
"""Seconds of the processor below which nothing is told of the shorter text: what grows by the square takes more."""

MOST_GROWTH = 2.2 * FACTOR
"""Growth beyond which work is not linear: of the square it is 16, and the processor's time is not exact."""


def growth(work: Callable[[Any], object], text: Callable[[int], Any], size: int = SIZE) -> float | None:
    """Return by how much more time the longer text takes; None where the shorter one takes next to none."""
    if _seconds(work, text(size)) < UNSEEN:
        return None
    short = min(_seconds(work, text(size)) for _ in range(3))
    if short < UNSEEN:
        return None
    return _seconds(work, text(FACTOR * size)) / short


def _seconds(work: Callable[[Any], object], text: Any) -> float:
    started = time.process_time()
    work(text)
    return time.process_time() - started
