"""`python -m benchmarks`: runs the benchmarks one after the other and prints one table."""

from __future__ import annotations

import argparse
import importlib
import sys

from benchmarks import table

NAMES = (
    "collecting",
    "record",
    "opening",
    "sending",
    "uploading",
    "loading",
    "busy",
    "feeding",
    "archiving",
    "hostile",
)


def main() -> int:
    """Run all benchmarks, or those that are named."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[[], *NAMES], help="which to run; all without a name")
    chosen = parser.parse_args().names or NAMES
    for name in chosen:
        print(f"\n== {name}", flush=True)
        importlib.import_module(f"benchmarks.{name}").main()
    print(f"\n{table.rendered()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
