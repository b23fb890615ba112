"""The long chaos run, `make chaos`: 50,000 messages, 500 sendings and 200 faults of every kind from one seed."""

from __future__ import annotations

import argparse
import secrets
import shutil
import sys
import tempfile
import time
from pathlib import Path

from tests.chaos.driver import ChaosError, Plan, Run


def main() -> int:
    """Run, print numbers, and return 0; or 1 with what does not hold, and how to see it again."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(2**31))
    parser.add_argument("--messages", type=int, default=50_000)
    parser.add_argument("--chats", type=int, default=20)
    parser.add_argument("--faults", type=int, default=210)
    parser.add_argument("--sendings", type=int, default=500)
    parser.add_argument("--kinds", nargs="*", default=(), help="only these kinds of faults")
    options = parser.parse_args()
    plan = Plan(options.seed, options.messages, options.chats, options.faults, options.sendings, tuple(options.kinds))
    print(f"{plan}", flush=True)
    folder = Path(tempfile.mkdtemp(prefix="tcnb-chaos-"))
    started = time.monotonic()
    run = Run(plan, folder, lambda line: print(f"{time.monotonic() - started:6.0f} s: {line}", flush=True))
    try:
        numbers = run.go()
    except ChaosError as error:
        print(f"{error}\nstruck: {dict(run.struck)}\njournal and log: {folder}")
        print(f"see it again: {plan.command}")
        return 1
    shutil.rmtree(folder)
    print(f"struck: {dict(run.struck)}")
    print("\n".join(f"{value:>10,}  {name}" for name, value in numbers.items()))
    print(f"all of it is there once and in order, after {time.monotonic() - started:.0f} s (seed {plan.seed})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
