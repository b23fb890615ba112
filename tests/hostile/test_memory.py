"""What hostile inputs may take: measured by the benchmark of that name, each in a process of its own."""

from __future__ import annotations

import pytest

from benchmarks.hostile import MOST_MEMORY, measure

# A process takes a second or two to begin; the other inputs are the benchmark's own.
NAMES = (
    "login: refusal that is a gzip bomb",
    "download: gzip bomb",
    "answer of 16 MiB in pieces",
)


@pytest.mark.parametrize("name", NAMES)
def test_memory_stays_bounded(name: str) -> None:
    """A process takes no more than some dozens of MiB, whatever is sent to it, and ends by itself."""
    cost = measure(name)
    assert not cost.told.startswith(("NO END", "RAISES")), cost.told
    assert cost.memory <= MOST_MEMORY, f"+{cost.memory:.0f} MiB: {cost.told}"
