"""Frames that stay together on their way through the intake; no socket and no file here."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from tcnb.client.link import Batch
from tcnb.journal.journal import Entry, Journal, Stored


@dataclass(slots=True, eq=False)
class WriteBatch:
    """Frames that stay together.

    Attributes:
        entries: frames of this session; none where it only asks when everything before it is in the record.
        batch: what they came in, if from a connection.
        note: what else is to be done with the journal, before they are written.
        settled: set as soon as they are in the record.
        done: fulfilled on the loop after that.
        seqs: their positions in the journal, once they are in it.
        others: frames that another kernel wrote.
    """

    entries: list[Entry] = field(default_factory=list)
    batch: Batch | None = None
    note: Callable[[Journal], object] | None = None
    settled: threading.Event | None = None
    done: asyncio.Future[None] | None = None
    seqs: list[int | None] = field(default_factory=list)
    others: list[Stored] = field(default_factory=list)


def stored(entry: Entry, seq: int) -> Stored:
    """Return a request of ours as it stands in the journal."""
    return seq, entry.received, int(entry.kind), entry.method, entry.payload, entry.answer, entry.file
