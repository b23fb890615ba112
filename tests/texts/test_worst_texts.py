"""No text that a stranger writes costs more than its length, whatever pattern or function it meets."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.texts import measuring, patterns

ROOT = Path(__file__).parents[2]

MADE_OF_PARTS = {
    "console.py": "held by the module",
    "files/names.py": "held by the module",
    "analysis/text.py": "held by the module, or tried with the functions that make it",
    "notebook/magics/handlers.py": "what a person writes as a condition",
    "journal/addresses.py": "held by the module",
}
"""Where a pattern is put together, so that its call does not say it, and why it is tried all the same, or is not."""


@pytest.mark.parametrize("what", ["patterns", "functions"])
def test_work_grows_with_the_length_alone(what: str) -> None:
    """For the worst texts of each, the processor's time grows no faster than the text."""
    process = subprocess.run(
        [sys.executable, "-m", "tests.texts.measuring", what], capture_output=True, text=True, cwd=ROOT
    )
    said = process.stdout.splitlines()
    # Where the limit of the processor's time ended it, the last line says at what.
    assert process.returncode == 0 and said[-1] == "done", "\n".join([*said[-1:], process.stderr[-2000:]])
    assert [line for line in said if line.startswith("TOO FAST")] == []


def test_every_pattern_is_found() -> None:
    """Those that modules hold and those that stand in calls are found, and no other is put together in secret."""
    found = patterns.every()
    assert len(found) > 100
    assert (r"[\s\"']", re.compile("").flags) in found  # in a call alone, of `proxies`
    assert {made.partition(":")[0] for made in patterns.written()[1]} == MADE_OF_PARTS.keys()


@pytest.mark.parametrize("pattern", [r"(a+)b", r"<q>(.*?)</q>", r"\s+$", r"(?:x\w*)y", r"[a-z]+://"])
def test_bad_patterns_are_noticed(pattern: str) -> None:
    """Usual mistakes grow too fast for the texts that are made for them."""
    one = (pattern, re.compile(pattern).flags)
    short, long = (patterns.texts(one, size) for size in measuring.sizes("patterns"))
    assert measuring.too_fast(re.compile(pattern).search, short, long) is not None
