"""A short siege, in which everything hostile is mixed; the long one is part of `make chaos`."""

from __future__ import annotations

from tests.hostile.siege import siege

SEED = 3


def test_session_survives_a_siege() -> None:
    """Whatever is answered to whichever step, nothing is lost, doubled, told wrongly or left behind."""
    numbers = siege(SEED, 40, lambda line: None)
    assert numbers["hostile answers"] == 40
    assert numbers["messages"] > 40
