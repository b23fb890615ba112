"""Replaying prepared notifications from a file to a session; the file is read line by line and never held as a whole.

A line is a JSON object: `{"method": …, "payload": …, "delay": seconds?}`, or a whole frame, whose number is replaced.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from tcnb.practice.sessions import Session

BATCH: Final = 500
"""Notifications written between two waits for the operating system."""

_log = logging.getLogger("tcnb.practice")


class Line(msgspec.Struct, gc=False):
    """A prepared notification; `delay` is in seconds, before it is sent."""

    method: str
    payload: msgspec.Raw = msgspec.Raw(b"{}")
    delay: float = 0.0


_decode = msgspec.json.Decoder(Line).decode


def read_lines(file: Path) -> Iterator[Line]:
    """Return the notifications of a file in order; blank lines are skipped, unreadable ones are logged and skipped.

    Raises:
        OSError: the file cannot be read.
    """
    with file.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                yield _decode(line)
            except (msgspec.MsgspecError, UnicodeDecodeError) as error:
                _log.warning("%s, line %d, is not a notification: %s", file, number, error)


async def replay_to(session: Session, file: Path, rate: float | None) -> int:
    """Send every notification of a file to a session and return how many there were.

    Args:
        session: who gets them.
        file: JSON lines.
        rate: notifications a second; None or 0 sends as fast as the session takes them.
    """
    loop = asyncio.get_running_loop()
    started, sent = loop.time(), 0
    for line in read_lines(file):
        if line.delay > 0:
            await asyncio.sleep(line.delay)
            started += line.delay
        if rate:
            due = started + sent / rate
            if due > loop.time():
                await session.transport.drain()
                await asyncio.sleep(due - loop.time())
        session.notify(line.method, bytes(line.payload))
        sent += 1
        if sent % BATCH == 0:
            await session.transport.drain()
    await session.transport.drain()
    return sent
