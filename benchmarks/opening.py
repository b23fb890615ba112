"""Opening a journal: the first time, when every frame in it is decoded, and from then on, when its columns stand beside
it; against reading the same rows of SQLite into dictionaries and those into a DataFrame.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sqlite3
import tempfile
import time
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks import table
from benchmarks.record import events
from tcnb.journal.journal import Entry, Journal
from tcnb.record.columns.saved import SUFFIX
from tcnb.record.intake import Intake
from tcnb.record.record import Record

EVENTS = 1_000_000
TARGET = 5.0
GROUP = 5_000
OWNER = ("video.example.com", "robot@video.example.com")
READ = "SELECT seq, received, method, payload FROM frames ORDER BY seq"


def write(path: Path, count: int) -> None:
    """Write a journal of `count` events."""
    journal = Journal.open(path, *OWNER)
    entries: list[Entry] = []
    for arrival in events(count):
        entries.append(Entry(arrival.method, arrival.payload, arrival.received))
        if len(entries) == GROUP:
            journal.append(entries)
            entries.clear()
    journal.append(entries)
    journal.close()


async def opening(path: Path) -> tuple[float, float, Record]:
    """Open it as a session does; returns seconds until it is open and until there is a frame, and the record."""
    record = Record()
    intake = Intake(
        record,
        loop=asyncio.get_running_loop(),
        journaled=True,
        on_taken=lambda batch: None,
        on_grown=lambda: None,
        is_followed=lambda: False,
    )
    start = time.perf_counter()
    await intake.open(path, *OWNER)
    opened = time.perf_counter() - start
    record.frame()
    framed = time.perf_counter() - start
    await intake.close(60)
    return opened, framed, record


def dictionaries(path: Path) -> float:
    """Return the seconds that the obvious way takes."""
    start = time.perf_counter()
    rows: list[dict[str, Any]] = []
    for seq, received, method, payload in sqlite3.connect(path).execute(READ):
        said = json.loads(payload)
        content = said.pop("content", None) or {}
        author = said.pop("author", None) or {}
        about = {"seq": seq, "received": received, "event": method, "author_id": author.get("id")}
        rows.append({**about, **said, **content})
    frame = pd.DataFrame(rows)
    frame["received"] = pd.to_datetime(frame["received"], unit="us", utc=True)
    return time.perf_counter() - start


def written(path: Path, timeout: float = 60.0) -> bool:
    """Wait for the columns, which are written in the background; returns whether they came."""
    deadline = time.monotonic() + timeout
    while not path.with_name(path.name + SUFFIX).exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    return path.with_name(path.name + SUFFIX).exists()


def main(count: int = EVENTS) -> None:
    """Print what the openings and the obvious way take."""
    with tempfile.TemporaryDirectory(prefix="tcnb-opening-") as folder:
        path = Path(folder) / "journal.sqlite"
        write(path, count)
        first, first_framed, kept = asyncio.run(opening(path))
        assert written(path)
        again, again_framed, record = asyncio.run(opening(path))
        assert len(record) == len(kept)
        obvious = dictionaries(path)
        size = path.with_name(path.name + SUFFIX).stat().st_size / 2**20
    print(f"journal of {count:,} events, first opening    {first:6.2f} s, {first_framed:6.2f} s to the first frame")
    print(
        f"the same, from then on                       {again:6.2f} s, {again_framed:6.2f} s to the first frame "
        f"(target <= {TARGET:g} s; columns on the disk: {size:.0f} MiB)"
    )
    print(
        f"dictionaries from the same rows              {obvious:6.2f} s: "
        f"{obvious / first_framed:.1f} x the first opening, {obvious / again_framed:.0f} x the others"
    )
    what, against = f"opening a journal of {count:,} events", "dictionaries from the same rows"
    table.note(
        what, against, f"{again:.1f} s, {obvious / again_framed:.0f} x as fast", f"<= {TARGET:g} s", again <= TARGET
    )
    measured = f"{first:.1f} s, {obvious / first_framed:.1f} x as fast"
    table.note(f"{what}, without saved columns", against, measured, f"<= {TARGET:g} s", first <= TARGET)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=EVENTS)
    main(parser.parse_args().count)
