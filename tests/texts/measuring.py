"""Whether work grows faster than a text: by the processor's time for a text and for one of the fourfold length.

A module of its own process: what never ends cannot be interrupted in a thread, and a limit of the processor's time ends
it. Run as `python -m tests.texts.measuring patterns` (or `functions`), it prints what it is about to measure, and what
grows too fast.
"""

from __future__ import annotations

import contextlib
import re
import resource
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from tests.texts import functions, patterns

SIZES = {"patterns": 2_500, "functions": 1_000}
"""Characters of the shorter texts."""

FACTOR = 4

UNSEEN = 0.02
"""Seconds of the processor for the longer text below which nothing is told: what grows by the square takes more."""

USUAL = 5
"""What grows by the square takes more than so many times as long as for letters alone."""

MOST_GROWTH = 2.2 * FACTOR
"""Growth beyond which work is not linear: of the square it is 16, and the processor's time is not exact."""

MOST_SECONDS = 300
"""Seconds of the processor for all of it; it takes some twenty."""

Work = Callable[[Any], object]


def too_fast(work: Work, short: Iterable[Any], long: Iterable[Any], usual: Sequence[Any] = ()) -> Any:
    """Return the first of some texts for which work grows faster than the text; None where there is none.

    Args:
        work: what is done with a text.
        short: texts.
        long: the same texts, of the fourfold length.
        usual: texts of that length as people write them: only what takes much more is looked at closely.
    """
    limit = max(UNSEEN, USUAL * min((seconds(work, text) for text in usual), default=0.0))
    for shorter, longer in zip(short, long, strict=True):
        if seconds(work, longer) < limit or seconds(work, longer) < limit:
            continue
        before = min(seconds(work, shorter) for _ in range(5))
        if min(seconds(work, longer) for _ in range(3)) > MOST_GROWTH * before:
            return longer
    return None


def seconds(work: Work, text: Any) -> float:
    """Return the processor's time that work takes with a text."""
    started = time.process_time()
    work(text)
    return time.process_time() - started


def of_patterns() -> Iterator[tuple[str, Work, Iterable[Any], Iterable[Any], Sequence[Any]]]:
    """Give every pattern of the package, used as it is used, with its texts."""
    for pattern, methods in patterns.every().items():
        compiled = re.compile(*pattern)
        for method in sorted(methods):
            short, long = (patterns.texts(pattern, size) for size in sizes("patterns"))
            yield f"{method} {pattern[0]!r}", _used(compiled, method), short, long, ()


def sizes(what: str) -> tuple[int, int]:
    """Return how many characters the shorter and the longer texts have."""
    return SIZES[what], FACTOR * SIZES[what]


def _used(compiled: re.Pattern[Any], method: str) -> Work:
    function = getattr(compiled, method)
    if method in ("sub", "subn"):
        return lambda text: function(text[:0], text)
    return (lambda text: list(function(text))) if method == "finditer" else function  # type: ignore[no-any-return]


def of_functions() -> Iterator[tuple[str, Work, Iterable[Any], Iterable[Any], Sequence[Any]]]:
    """Give every function that takes a stranger's text, with its texts."""
    for name, function in functions.FUNCTIONS.items():

        def work(text: str, function: Callable[[str], object] = function) -> None:
            with contextlib.suppress(*functions.EXPECTED):
                function(text)

        short, long = (functions.texts(size) for size in sizes("functions"))
        _, size = sizes("functions")
        yield name, work, short, long, [unit * (size // len(unit)) for unit in ("a", "word ", "1, ")]


def main(what: str) -> None:
    """Measure, and print what grows too fast."""
    resource.setrlimit(resource.RLIMIT_CPU, (MOST_SECONDS, MOST_SECONDS))
    for name, work, short, long, usual in {"patterns": of_patterns, "functions": of_functions}[what]():
        print("…", name, flush=True)
        text = too_fast(work, short, long, usual)
        if text is not None:
            print(f"TOO FAST: {name} for {len(text)} of {text[:40]!r}", flush=True)
    print("done", flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
