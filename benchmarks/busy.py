"""A cell that computes for ten minutes without a pause: whether the connection lives, and how late each event is
collected.
"""

from __future__ import annotations

import argparse
import json
from typing import Any

from jupyter_client.manager import start_new_kernel

from benchmarks import table

MINUTES = 10.0
RATE = 20

CONNECT = f"""
import json, pandas, time, tcnb
tc = tcnb.connect(practice={{"people": 6, "rate": {RATE}, "seed": 7, "ping_timeout": 10}})
"""
COMPUTE = """
began = pandas.Timestamp.now("UTC").isoformat()
first, end, number = tc.record.last_seq, time.monotonic() + {seconds}, 0
while time.monotonic() < end:
    number = (number * 31 + 7) % 1000003
print(json.dumps({{"first": first, "last": tc.record.last_seq, "began": began}}))
"""
REPORT = """
rows = tc.df.query("seq > {first} and seq <= {last} and event == 'message' and timestamp >= '{began}'")
late = (rows["received"] - rows["timestamp"]).dt.total_seconds()
status = tc.status()
print(json.dumps({{
    "messages": len(rows), "reconnects": status.reconnects, "median": late.median(), "worst": late.max(),
    "gap": rows["received"].diff().dt.total_seconds().max(),
}}))
tc.close()
"""


def _run(client: Any, code: str, timeout: float) -> str:
    """Run a cell and return what it printed.

    Raises:
        RuntimeError: the cell failed.
    """
    printed: list[str] = []

    def hear(message: dict[str, Any]) -> None:
        if message["msg_type"] == "stream":
            printed.append(message["content"]["text"])

    reply = client.execute_interactive(code, timeout=timeout, output_hook=hear)
    if reply["content"]["status"] != "ok":
        raise RuntimeError("\n".join(reply["content"]["traceback"]))
    return "".join(printed)


def main(minutes: float = MINUTES) -> None:
    """Print how many messages were collected while the cell was busy, and how late."""
    manager, client = start_new_kernel(kernel_name="python3")
    try:
        _run(client, CONNECT, 60)
        span = json.loads(_run(client, COMPUTE.format(seconds=minutes * 60), minutes * 60 + 60))
        found = json.loads(_run(client, REPORT.format(**span), 60))
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    print(
        f"a cell busy for {minutes:g} min: {found['messages']:,} messages collected meanwhile, "
        f"{found['reconnects']} reconnects, "
        f"late by {found['median'] * 1e3:.1f} ms (median), {found['worst'] * 1e3:.0f} ms (worst), "
        f"longest pause between two {found['gap']:.1f} s"
    )
    measured = f"{found['reconnects']} reconnects, {found['median'] * 1e3:.0f} ms late (median)"
    kept = found["reconnects"] == 0
    table.note(f"a cell that computes for {minutes:g} min", "-", measured, "connection kept, every event", kept)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, default=MINUTES)
    main(parser.parse_args().minutes)
