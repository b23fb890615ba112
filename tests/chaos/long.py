"""The long chaos run, `make chaos`: 50,000 messages, 500 sendings and faults of every kind from one seed, and then a
hostile server that answers a thousand requests as no server should.
"""

from __future__ import annotations

import argparse
import secrets
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.chaos.driver import ChaosError, Plan, Run
from tests.hostile.siege import SiegeError, siege

Say = Callable[[str], None]


def main() -> int:
    """Run, print numbers, and return 0; or 1 with what does not hold, and how to see it again."""
    options = _parser().parse_args()
    started = time.monotonic()

    def say(line: str) -> None:
        print(f"{time.monotonic() - started:6.0f} s: {line}", flush=True)

    plan = Plan(options.seed, options.messages, options.chats, options.faults, options.sendings, tuple(options.kinds))
    print(f"{plan}, hostile answers: {options.hostile}", flush=True)
    is_well = (not plan.messages or _break(plan, say)) and (
        not options.hostile or _besiege(plan.seed, options.hostile, say)
    )
    return 0 if is_well else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(2**31))
    parser.add_argument("--messages", type=int, default=50_000, help="messages while everything breaks; 0 for none")
    parser.add_argument("--chats", type=int, default=20)
    parser.add_argument("--faults", type=int, default=210)
    parser.add_argument("--sendings", type=int, default=500)
    parser.add_argument("--kinds", nargs="*", default=(), help="only these kinds of faults")
    parser.add_argument("--hostile", type=int, default=1_000, help="hostile answers; 0 for none")
    return parser


def _break(plan: Plan, say: Say) -> bool:
    """Break everything; return whether nothing was lost or doubled."""
    folder = Path(tempfile.mkdtemp(prefix="tcnb-chaos-"))
    run = Run(plan, folder, say)
    try:
        numbers = run.go()
    except ChaosError as error:
        print(f"{error}\nstruck: {dict(run.struck)}\njournal and log: {folder}")
        print(f"see it again: {plan.command} --hostile 0")
        return False
    shutil.rmtree(folder)
    print(f"struck: {dict(run.struck)}")
    _print(numbers)
    say(f"all of it is there once and in order (seed {plan.seed})")
    return True


def _besiege(seed: int, answers: int, say: Say) -> bool:
    """Have a hostile server answer; return whether everything held that must hold."""
    try:
        numbers = siege(seed, answers, say)
    except SiegeError as error:
        print(f"{error}\nsee it again: python -m tests.chaos.long --messages 0 --hostile {answers} --seed {seed}")
        return False
    _print(numbers)
    say(f"the sessions survived it (seed {seed})")
    return True


def _print(numbers: dict[str, int]) -> None:
    print("\n".join(f"{value:>10,}  {name}" for name, value in numbers.items()))


if __name__ == "__main__":
    sys.exit(main())
