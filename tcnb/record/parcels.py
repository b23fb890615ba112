"""Frames that stay together on their way through the intake, and what was read of them; no socket and no file here."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from tcnb.client.link import Batch
from tcnb.record import bulk
from tcnb.record.journal import Entry, Journal, Kind, Stored
from tcnb.record.record import Arrival
from tcnb.record.replay import ORIGIN_OF
from tcnb.wire import notifications

_TELLING: Final = (Kind.LIVE, Kind.HISTORY)
"""Kinds of frames that are read as they came."""


@dataclass(slots=True, eq=False)
class Parcel:
    """Frames that stay together.

    Attributes:
        entries: frames of this session; none in a parcel that only asks when everything before it is in the record.
        batches: what they came in, if from a connection.
        note: what else is to be done with the journal, before they are written.
        settled: set as soon as they are in the record.
        done: fulfilled on the loop after that.
        seqs: their positions in the journal, once they are in it.
        others: frames that another kernel wrote.
        reading: what was read of them all at once, if they are many.
    """

    entries: list[Entry] = field(default_factory=list)
    batches: list[Batch] = field(default_factory=list)
    note: Callable[[Journal], object] | None = None
    settled: threading.Event | None = None
    done: asyncio.Future[None] | None = None
    seqs: list[int | None] = field(default_factory=list)
    others: list[Stored] = field(default_factory=list)
    reading: bulk.Reading | None = None


def read_group(group: list[Parcel]) -> bulk.Reading | None:
    """Read what a group tells, before it is written: that says which frames are the same.

    Returns:
        The plain messages of a large group of notifications.
    """
    entries = [entry for parcel in group for entry in parcel.entries]
    for entry in entries:
        if entry.told is None and entry.kind in _TELLING:
            entry.told = notifications.decode(entry.method, entry.payload)
    told = [entry.told for entry in entries if entry.told is not None]
    return bulk.read(told) if len(told) == len(entries) >= bulk.LEAST else None


def together(group: list[Parcel], reading: bulk.Reading) -> list[Parcel]:
    """Return one parcel of all that came in a group; only where some of it was there already, the group as it is."""
    seqs = [seq for parcel in group for seq in parcel.seqs]
    if None in seqs:
        return group
    entries = [entry for parcel in group for entry in parcel.entries]
    batches = [batch for parcel in group for batch in parcel.batches]
    # What follows waits only until everything before it is in the record.
    return [Parcel(entries, batches, seqs=seqs, reading=reading), *(_empty(parcel) for parcel in group)]


def _empty(parcel: Parcel) -> Parcel:
    """Return a parcel without its frames."""
    return Parcel(settled=parcel.settled, done=parcel.done)


def arrival(entry: Entry, seq: int | None = None) -> Arrival:
    """Return a frame that is no request of ours as the record takes it, with its position in the journal."""
    return Arrival(entry.method, entry.payload, entry.received, ORIGIN_OF[entry.kind], entry.since, seq, entry.told)


def stored(entry: Entry, seq: int) -> Stored:
    """Return a request of ours as it stands in the journal."""
    return seq, entry.received, int(entry.kind), entry.method, entry.payload, entry.answer, entry.file
