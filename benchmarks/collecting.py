"""Collecting notifications that a server pushes at full speed, beside the official Python client on the same bytes.

The server, in a process of its own, takes the time from the first notification until the last acknowledgement. Each
client runs in a process of its own. The official client hands every message to a handler that counts it, which is the
least that a person who wants to keep messages needs; tcnb has every message in its journal, on the disk, before it
acknowledges it. How long it takes after that until all are in `tc.df` is printed as well. Each round begins with no
journal.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from typing import Any

from benchmarks import table

COUNT = 100_000
ROUNDS = 3
TARGET = 10

TCNB = """
import sys, time, tcnb
tc = tcnb.connect("127.0.0.1", token=sys.argv[2], https=False, web_port=int(sys.argv[1]))
sys.stdin.readline()
start = time.perf_counter()
count = len(tc.df)
print(count, time.perf_counter() - start, flush=True)
tc.close()
"""

OFFICIAL = """
import asyncio, logging, sys
from trueconf import Bot, Dispatcher, Message, Router
logging.disable(logging.CRITICAL)
router, seen = Router(), []
@router.message()
async def keep(message: Message):
    seen.append(message.message_id)
async def main():
    dispatcher = Dispatcher()
    dispatcher.include_router(router)
    bot = Bot("127.0.0.1", sys.argv[2], https=False, web_port=int(sys.argv[1]), dispatcher=dispatcher)
    running = asyncio.create_task(bot.run(handle_signals=False))
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
    print(len(seen), 0.0, flush=True)
    await bot.shutdown(timeout=60)
asyncio.run(main())
"""


def _flood(server: subprocess.Popen[str], ready: dict[str, Any], program: str) -> dict[str, Any]:
    """Let one client be flooded; returns what the server measured and what the client kept."""
    with tempfile.TemporaryDirectory(prefix="tcnb-collecting-") as folder:
        client = subprocess.Popen(
            [sys.executable, "-c", program, str(ready["port"]), ready["token"]],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "XDG_DATA_HOME": folder, "LOCALAPPDATA": folder},
        )
        assert server.stdout is not None
        measured: dict[str, Any] = json.loads(server.stdout.readline())
        said, _ = client.communicate("\n")
    kept, more = said.split()
    measured |= {"kept": int(kept), "more": float(more)}
    return measured


def main(count: int = COUNT) -> None:
    """Print both medians and their ratio."""
    server = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.flooding", str(count)], stdout=subprocess.PIPE, text=True
    )
    assert server.stdout is not None
    ready = json.loads(server.stdout.readline())
    try:
        rounds = [(_flood(server, ready, TCNB), _flood(server, ready, OFFICIAL)) for _ in range(ROUNDS)]
    finally:
        server.kill()
        server.wait()
    medians = []
    for name, results in zip(("tcnb", "official client"), zip(*rounds, strict=True), strict=True):
        seconds = statistics.median(result["seconds"] for result in results)
        pushed = statistics.median(result["pushed"] for result in results)
        more = statistics.median(result["more"] for result in results)
        medians.append(seconds)
        print(
            f"{name}: {count:,} notifications in {seconds:.2f} s ({count / seconds:,.0f}/s; the server had written "
            f"them after {pushed:.2f} s), kept {results[-1]['kept']:,}, to be had {more:.2f} s later"
        )
    ratio = medians[1] / medians[0]
    print(f"collecting: {ratio:.1f} x the official client (target >= {TARGET} x)")
    what, against = f"collecting {count:,} notifications, journal on", "official client 1.5.4, same bytes"
    table.note(what, against, f"{ratio:.1f} x as fast", f">= {TARGET} x", ratio >= TARGET)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=COUNT)
    main(parser.parse_args().count)
