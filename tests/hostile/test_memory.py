"""What hostile inputs may take: measured by the benchmark of that name, each in a process of its own."""

from __future__ import annotations

import pytest

from benchmarks.hostile import MOST_MEMORY, measure

NAMES = (
    "login: endless body",
    "login: refusal that is a gzip bomb",
    "upload: twofold gzip bomb",
    "download: gzip bomb",
    "picture: 6 PNG of 12,800 x 12,800",
    "answer of 16 MiB in pieces",
    "no JSON, 16 MiB",
)


@pytest.mark.parametrize("name", NAMES)
def test_memory_stays_bounded(name: str) -> None:
    """A process takes no more than some dozens of MiB, whatever is sent to it, and ends by itself."""
    cost = measure(name)
    assert not cost.told.startswith(("NO END", "RAISES")), cost.told
    assert cost.memory <= MOST_MEMORY, f"+{cost.memory:.0f} MiB: {cost.told}"
