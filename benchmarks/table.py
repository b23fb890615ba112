"""The one table of all benchmarks: what was measured, against what, and what was to be reached."""

from __future__ import annotations

from typing import NamedTuple


class Result(NamedTuple):
    """A line of the table.

    Attributes:
        what: what was measured, with how many.
        against: its peer in the same run.
        measured: the number, with its unit or as a ratio.
        target: what the design asks for.
        reached: whether it was.
    """

    what: str
    against: str
    measured: str
    target: str
    reached: bool


RESULTS: list[Result] = []
"""What has been measured so far, in this process."""


def note(what: str, against: str, measured: str, target: str, reached: bool) -> None:
    """Add a line."""
    RESULTS.append(Result(what, against, measured, target, reached))


def rendered() -> str:
    """Return the table as text."""
    head = ("what", "against", "measured", "target", "")
    rows = [head, *((*result[:4], "reached" if result.reached else "MISSED") for result in RESULTS)]
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([lines[0], "-" * len(lines[0].ljust(sum(widths) + 8)), *lines[1:]])
