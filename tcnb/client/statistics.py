"""What happened to a connection and to the requests on it, counted and bounded; nothing is decided here."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, field
from typing import Final

MOST_KEPT: Final = 100
"""Breaks, reconnects and latencies that are remembered."""


@dataclass(frozen=True, slots=True)
class Reconnect:
    """One break that was healed.

    Attributes:
        at: when the connection broke, in seconds since the epoch.
        reason: why it broke.
        seconds: how long there was no connection.
        attempts: how many tries it took.
    """

    at: float
    reason: str
    seconds: float
    attempts: int


@dataclass(slots=True)
class Statistics:
    """What happened to one account's connection. It is written on the bot's loop and may be read from anywhere.

    Attributes:
        connected_at: when the present connection was authorized, in seconds since the epoch.
        connects: how often it was authorized.
        breaks: when (seconds since the epoch) and why it broke, the last hundred.
        reconnects: the breaks that were healed, the last hundred.
        latency: seconds the last ping took; None before the first.
        latencies: seconds of the last hundred pings.
        wakes: how often this machine had slept, or its clock had been set.
        acknowledged: notifications whose acknowledgement was written to an open connection.
        recovered: requests whose answer was lost, and which were found to have been carried out.
        repeated: requests that were sent again because they had not been carried out, or may be done twice.
        unknown: requests of which nobody can say whether they were carried out.
        late: answers that came after their caller had gone.
    """

    connected_at: float | None = None
    connects: int = 0
    breaks: deque[tuple[float, str]] = field(default_factory=lambda: deque(maxlen=MOST_KEPT))
    reconnects: deque[Reconnect] = field(default_factory=lambda: deque(maxlen=MOST_KEPT))
    latency: float | None = None
    latencies: deque[float] = field(default_factory=lambda: deque(maxlen=MOST_KEPT))
    wakes: int = 0
    acknowledged: int = 0
    recovered: int = 0
    repeated: int = 0
    unknown: int = 0
    late: int = 0

    def broke(self, reason: str) -> float:
        """Take note of a break and return when it was, in seconds since the epoch."""
        at = time.time()
        self.breaks.append((at, reason))
        return at

    def connected(self) -> None:
        """Take note of a connection that was authorized."""
        self.connects += 1
        self.connected_at = time.time()

    def ponged(self, seconds: float) -> None:
        """Take note of how long a ping took."""
        self.latency = seconds
        self.latencies.append(seconds)
