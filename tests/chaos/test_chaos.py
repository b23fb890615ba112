"""A short chaos run with every kind of fault, and whether its judge would notice; the long run is `make chaos`."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from tests.chaos.driver import ChaosError, Plan, Run
from tests.chaos.faults import FAULTS
from tests.chaos.oracle import Held, frame_flaws, sending_flaws

HELD = {"c": [Held("a", 1000, "m-0"), Held("b", 2000, "s-0"), Held("d", 2000, "m-1")]}
"""Two messages of people and one sending, as a server holds them."""


def test_nothing_is_lost_or_doubled_whatever_breaks(tmp_path: Path) -> None:
    """Under every kind of fault each message is recorded once and in order, and each sending is there once."""
    plan = Plan(seed=4, messages=1200, chats=5, faults=len(FAULTS), sendings=50)
    run = Run(plan, tmp_path, lambda line: None)
    try:
        numbers = run.go()
    except ChaosError as error:
        log = (tmp_path / "kernel.log").read_text()[-3000:]
        pytest.fail(f"{error}\nstruck: {dict(run.struck)}\nsee it again: {plan.command}\n{log}")
    assert numbers["kinds"] >= 12
    assert numbers["messages"] >= plan.messages + plan.sendings


def frame(*rows: tuple[str, int, str]) -> pd.DataFrame:
    """Return an event frame with some messages of the chat."""
    made = pd.DataFrame(rows, columns=["message_id", "milliseconds", "text"])
    made["timestamp"] = pd.to_datetime(made.pop("milliseconds"), unit="ms", utc=True).astype("datetime64[us, UTC]")
    directions = ["out" if text.startswith("s-") else "in" for text in made["text"]]
    return made.assign(event="message", message_type="plain", chat_id="c", direction=directions)


def test_judge_accepts_what_is_right() -> None:
    """Messages that came late are right, as long as their times put them in order."""
    assert frame_flaws(frame(("d", 2000, "m-1"), ("b", 2000, "s-0"), ("a", 1000, "m-0")), HELD) == []
    assert sending_flaws(HELD, {0: "b"}, {}) == []


@pytest.mark.parametrize(
    ("rows", "flaw"),
    [
        ([("a", 1000, "m-0"), ("b", 2000, "s-0")], "missing"),
        ([("a", 1000, "m-0"), ("b", 2000, "s-0"), ("d", 2000, "m-1"), ("d", 2000, "m-1")], "twice"),
        ([("a", 1000, "m-0"), ("b", 2000, "s-0"), ("d", 2000, "m-1"), ("e", 2000, "m-2")], "not on the server"),
        ([("a", 3000, "m-0"), ("b", 2000, "s-0"), ("d", 2000, "m-1")], "out of order"),
        ([("a", 1000, "m-9"), ("b", 2000, "s-0"), ("d", 2000, "m-1")], "another time or text"),
    ],
    ids=["missing", "doubled", "surplus", "order", "changed"],
)
def test_judge_notices_a_wrong_record(rows: list[tuple[str, int, str]], flaw: str) -> None:
    """A message that is missing, doubled, invented, out of order or changed is told."""
    assert any(flaw in told for told in frame_flaws(frame(*rows), HELD))


def test_judge_notices_a_wrong_direction() -> None:
    """A sending that is recorded as somebody else's is told."""
    wrong = frame(("a", 1000, "m-0"), ("b", 2000, "s-0"), ("d", 2000, "m-1")).assign(direction="in")
    assert any("direction" in told for told in frame_flaws(wrong, HELD))


def test_judge_notices_wrong_sendings() -> None:
    """A sending that vanished, doubled, has another id than its sender was told, or that nobody made is told."""
    doubled = {"c": [*HELD["c"], Held("e", 3000, "s-0")]}
    assert sending_flaws(HELD, {0: "b", 1: "x"}, {})
    assert sending_flaws(doubled, {0: "b"}, {})
    assert sending_flaws(doubled, {}, {0: "killed"})
    assert sending_flaws(HELD, {0: "x"}, {})
    assert sending_flaws(HELD, {}, {})
    assert sending_flaws(HELD, {}, {0: "killed", 1: "killed"}) == []
