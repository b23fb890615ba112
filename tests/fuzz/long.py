"""The long run of the fuzzing, `make fuzz`: a million mutated frames and more from one seed, some of them through live
sessions, which also ask a server with wrong answers; what must hold is in `oracle`, `live` and `asking`.
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
import warnings
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Final

from tcnb.client import bot
from tests.fuzz.asking import Asker
from tests.fuzz.live import LiveSubject, by_me
from tests.fuzz.mutations import frames
from tests.fuzz.oracle import Subject
from tests.fuzz.server import FuzzServer

ROUND: Final = 20_000
"""Frames after which a new record and a new journal begin, and everything is asked of the old ones."""

READ: Final = 40
"""Frames in one read of the socket."""

LIVE: Final = 2_000
"""Frames of each round that go through a live session, which takes longer with each."""

ASKED: Final = 10
"""Times that each thing is asked of a server with wrong answers in a round."""

STALL: Final = 120.0
"""Seconds without progress after which the run ends with the stack of where it stands."""


def main() -> int:
    """Run, print what was done and how fast, and return 0, or 1 with the frames that broke something."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(2**31))
    options = parser.parse_args()
    logging.getLogger("tcnb").setLevel(logging.CRITICAL)
    warnings.simplefilter("ignore")  # analyses tell of the messages that they leave out
    bot.READY_TIMEOUT = bot.READY_POLL = 0.05
    print(f"seed {options.seed}: {options.frames:,} mutated frames", flush=True)
    started = time.monotonic()
    slowest = done = 0.0
    source = frames(options.seed)
    while done < options.frames:
        count = min(ROUND, options.frames - int(done))
        texts = list(islice(source, count))
        taken = _round(texts, int(done), options.seed)
        if taken is None or not _live_round(texts[:LIVE], int(done), options.seed):
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


def _live_round(texts: list[bytes], first: int, seed: int) -> bool:
    """Send some frames to a live session, and have it ask; return whether nothing broke."""
    place = first
    with FuzzServer() as server, tempfile.TemporaryDirectory() as folder:
        try:
            with closing(LiveSubject(server, Path(folder) / "live.sqlite")) as subject:
                for start in range(0, len(texts), READ):
                    faulthandler.dump_traceback_later(STALL, exit=True)
                    place = first + start
                    subject.read(
                        [by_me(text) if number % 3 else text for number, text in enumerate(texts[start : start + READ])]
                    )
                faulthandler.dump_traceback_later(STALL, exit=True)
                subject.check_all()
            asker = Asker(server, Path(folder))
            with closing(asker.session()) as tc:
                for number in range(seed + first, seed + first + ASKED):
                    faulthandler.dump_traceback_later(STALL, exit=True)
                    asker.ask_everything(tc, number)
                    asker.connect(number)
        except Exception:
            traceback.print_exc()
            print(f"that was live, behind frame {place:,} of seed {seed}: {first + len(texts):,} frames show it again")
            return False
        finally:
            faulthandler.cancel_dump_traceback_later()
    return True


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
