"""The long run of the fuzzing, `make fuzz`: a million mutated frames and more from one seed; what must hold is in
`oracle`.
"""

from __future__ import annotations

import argparse
import faulthandler
import logging
import secrets
import sys
import tempfile
import time
import traceback
from itertools import islice
from pathlib import Path
from typing import Final

from tests.fuzz.mutations import frames
from tests.fuzz.oracle import Subject

ROUND: Final = 20_000
"""Frames after which a new record and a new journal begin, and everything is asked of the old ones."""

READ: Final = 40
"""Frames in one read of the socket."""

STALL: Final = 120.0
"""Seconds without progress after which the run ends with the stack of where it stands."""


def main() -> int:
    """Run, print what was done and how fast, and return 0, or 1 with the frames that broke something."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(2**31))
    options = parser.parse_args()
    logging.getLogger("tcnb").setLevel(logging.CRITICAL)
    print(f"seed {options.seed}: {options.frames:,} mutated frames", flush=True)
    started = time.monotonic()
    slowest = done = 0.0
    source = frames(options.seed)
    while done < options.frames:
        count = min(ROUND, options.frames - int(done))
        taken = _round(list(islice(source, count)), int(done), options.seed)
        if taken is None:
            return 1
        slowest = max(slowest, taken)
        done += count
        rate = done / (time.monotonic() - started)
        print(f"{int(done):>12,} frames, {rate:,.0f} a second, slowest read {slowest * 1000:.0f} ms", flush=True)
    return 0


def _round(texts: list[bytes], first: int, seed: int) -> float | None:
    """Send some frames the whole way; return the CPU seconds of the slowest read, or None when something broke."""
    slowest = 0.0
    with tempfile.TemporaryDirectory() as folder:
        subject = Subject(Path(folder) / "fuzz.sqlite")
        try:
            for start in range(0, len(texts), READ):
                faulthandler.dump_traceback_later(STALL, exit=True)
                batch = texts[start : start + READ]
                before = time.process_time()
                try:
                    subject.read(batch)
                except Exception:
                    _tell(batch, first + start, seed)
                    return None
                slowest = max(slowest, time.process_time() - before)
            faulthandler.dump_traceback_later(STALL, exit=True)
            try:
                subject.check_frames()
            except Exception:
                print(f"what is above came from frames {first:,} to {first + len(texts):,} of seed {seed}")
                traceback.print_exc()
                return None
        finally:
            faulthandler.cancel_dump_traceback_later()
            subject.close()
    return slowest


def _tell(batch: list[bytes], first: int, seed: int) -> None:
    """Say which frame of a read broke something, and how to see it again."""
    traceback.print_exc()
    for number, text in enumerate(batch, first):
        alone = Subject()
        try:
            alone.read([text])
        except Exception as error:
            print(f"frame {number:,} alone: {type(error).__name__}: {error}\n{text[:2000]!r}")
        finally:
            alone.close()
    print(f"see it again: python -m tests.fuzz.long --frames {first + len(batch)} --seed {seed}")


if __name__ == "__main__":
    sys.exit(main())
