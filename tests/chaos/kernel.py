"""The kernel of a chaos run: a process that holds one session, takes orders on its input, and may be killed.

Orders and reports are one JSON object a line. Times are shortened, so that hours of faults fit into minutes.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
import threading
import time
from collections.abc import Sequence
from typing import Any, Final

import tcnb
from tcnb.client import connection
from tcnb.errors import OutcomeUnknownError, RequestTimeoutError, TcnbError
from tcnb.journal.journal import Entry, Journal

PATIENCE: Final = 90.0
"""Seconds that a sending may take, breaks and all."""

_TIMES: Final = {"PING_INTERVAL": 1.0, "PING_TIMEOUT": 1.5, "LONGEST_DELAY": 1.0, "STEADY": 1.0}

_real_time, _real_time_ns = time.time, time.time_ns
_offset = 0.0
_slowness = 0.0
_printing = threading.Lock()


def main() -> None:
    """Connect and do what is ordered until the input ends."""
    port, journal = int(sys.argv[1]), sys.argv[2]
    _shorten()
    session = _connect(port, journal)
    _tell({"connected": session.me_id})
    for line in sys.stdin:
        order = json.loads(line)
        _ORDERS[order.pop("do")](session, **order)
    session.close()


def _shorten() -> None:
    for name, seconds in _TIMES.items():
        assert hasattr(connection, name), f"{name} is not to be found any more"
        setattr(connection, name, seconds)
    time.time = lambda: _real_time() + _offset
    time.time_ns = lambda: _real_time_ns() + int(_offset * 1e9)
    append = Journal.append

    def slow(journal: Journal, entries: Sequence[Entry]) -> list[int | None]:
        time.sleep(_slowness)
        return append(journal, entries)

    Journal.append = slow  # type: ignore[method-assign]


def _connect(port: int, journal: str) -> tcnb.Session:
    """Connect, however long the server is away, as long as there is somebody to report to."""
    parent = os.getppid()
    while os.getppid() == parent:
        try:
            return tcnb.connect(
                "127.0.0.1", username="robot", password="robot", https=False, web_port=port, journal=journal
            )
        except TcnbError as error:
            _tell({"waiting": f"{type(error).__name__}: {error}"})
            time.sleep(0.3)
    sys.exit("the run has ended")


# -- orders ------------------------------------------------------------------------------------------------------------


def _send(session: tcnb.Session, number: int, chat: str) -> None:
    """Send `s-<number>` and report what became of it."""

    async def work() -> None:
        try:
            sent = await session.asend(chat, f"s-{number}", timeout=PATIENCE)
        except (OutcomeUnknownError, RequestTimeoutError) as error:
            _tell({"number": number, "outcome": "unknown", "why": f"{type(error).__name__}: {error}"})
        except TcnbError as error:
            _tell({"number": number, "outcome": "refused", "why": f"{type(error).__name__}: {error}"})
        else:
            _tell({"number": number, "outcome": "sent", "message_id": sent.message_id})

    asyncio.run_coroutine_threadsafe(work(), session.loop)


def _jump(session: tcnb.Session, seconds: float) -> None:
    """Set the clock."""
    global _offset
    _offset = seconds


def _drag(session: tcnb.Session, seconds: float) -> None:
    """Let every commit take that much longer."""
    global _slowness
    _slowness = seconds


def _report(session: tcnb.Session, path: str) -> None:
    """Write the frame and the messages into files, and say how the session is."""
    session.df.to_parquet(f"{path}.events")
    session.messages.to_parquet(f"{path}.messages")
    _tell({"report": path, "state": session.state["state"], "status": repr(session.status())})


_ORDERS: Final[dict[str, Any]] = {"send": _send, "jump": _jump, "drag": _drag, "report": _report}


def _tell(what: dict[str, Any]) -> None:
    with _printing, contextlib.suppress(BrokenPipeError):
        print(json.dumps(what), flush=True)


if __name__ == "__main__":
    main()
