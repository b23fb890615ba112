"""Putting frames of a journal into a record: one that is open, or all of a file that nobody has to have open."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing
from itertools import groupby
from pathlib import Path
from typing import Final

import msgspec

from tcnb.errors import JournalError
from tcnb.journal.journal import APPLICATION, ORIGIN_OF, VERSION, Kind, Stored
from tcnb.journal.raw import open_to_read
from tcnb.record.columns import bulk
from tcnb.record.record import Arrival, Arriving, Record
from tcnb.wire import notifications

logger = logging.getLogger("tcnb.record")

# Plain numbers, since an enumeration costs a look-up for every frame.
_RESERVED: Final = int(Kind.RESERVED)
_SENT: Final = int(Kind.SENT)
_PART: Final = 5_000
"""Frames that are added at once."""

_ALL: Final = "SELECT seq, received, kind, method, payload, answer, file FROM frames ORDER BY seq"


def put(record: Record, frames: Iterable[Stored]) -> int:
    """Add frames of a journal to a record, in their order.

    One that fails there is in the journal all the same, and may be read by a tcnb to come: it is logged and left out.

    Returns:
        How many failed.
    """
    failed = 0
    for is_sent, alike in groupby(frames, key=_is_sent):
        if is_sent:
            failed += sum(not _put_sent(record, frame) for frame in alike)
        else:
            failed += put_arrivals(record, [_arrival(frame) for frame in alike])[1]
    return failed


def put_arrivals(record: Record, arrivals: Sequence[Arriving]) -> tuple[int, int]:
    """Add notifications with their positions in a journal to a record.

    Args:
        record: gets them.
        arrivals: the notifications.

    Returns:
        How many were there already, and how many failed, which are logged and left out.
    """
    try:
        reading = _read(arrivals) if len(arrivals) >= bulk.LEAST else None
        if reading is not None and record.extend_together(arrivals, reading):
            return 0, 0
    except Exception:
        logger.exception("%d frames of the journal are put into the record one by one", len(arrivals))
    rest = iter(arrivals)
    doubled = failed = 0
    while True:
        try:
            doubled += record.extend(rest).count(None)
            return doubled, failed
        except Exception:  # those behind the one that failed are still to come
            failed += 1
            logger.exception("a frame of the journal could not be put into the record")


def _read(arrivals: Sequence[Arriving]) -> bulk.Reading | None:
    told = [arrival.told or notifications.decode(arrival.method, arrival.payload) for arrival in arrivals]
    for arrival, said in zip(arrivals, told, strict=True):
        arrival.told = said
    return bulk.read(told)


def _is_sent(frame: Stored) -> bool:
    return frame[2] in (_SENT, _RESERVED)


def _arrival(frame: Stored) -> Arrival:
    seq, received, kind, method, payload, _, _ = frame
    return Arrival(method, payload, received, ORIGIN_OF.get(kind, "live"), None, seq)


def _put_sent(record: Record, frame: Stored) -> bool:
    seq, received, kind, method, payload, answer, file = frame
    if kind == _RESERVED:
        return True
    try:
        decode = msgspec.json.decode
        # A caption may have been given the place behind the last row.
        place = seq if seq > record.last_seq else None
        about = decode(file) if file else None
        record.append_sent(method, decode(payload), decode(answer or b"{}"), received, file=about, seq=place)
    except Exception:
        logger.exception("frame %d of the journal could not be put into the record", seq)
        return False
    return True


def read(path: Path) -> tuple[Record, str]:
    """Make the record of a journal's file, which may be in use; nothing is written.

    Returns:
        The record, and what an archive calls its source.

    Raises:
        JournalError: it is no journal of this version, or is damaged.
    """
    if not path.is_file():
        raise JournalError(f"{path} is not there")
    try:
        with closing(open_to_read(path)) as connection:
            (application,) = connection.execute("PRAGMA application_id").fetchone()
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            if application != APPLICATION or version > VERSION:
                raise JournalError(f"{path} is no journal of this version of tcnb")
            owner = dict(connection.execute("SELECT key, value FROM meta"))
            record = Record(owner.get("account"))
            frames = connection.execute(_ALL)
            while part := frames.fetchmany(_PART):
                put(record, part)
    except sqlite3.Error as error:
        raise JournalError(f"{path} cannot be read: {error}") from error
    return record, source(owner.get("account"), owner.get("id") or "")


def source(account: str | None, journal_id: str) -> str:
    """Return what an archive calls the events of a journal: positions begin anew in every one."""
    return f"{account} {journal_id[:16]}"
