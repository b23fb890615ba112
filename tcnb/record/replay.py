"""Putting frames of a journal into a record: one that is open, or all of a file that nobody has to have open."""

from __future__ import annotations

import logging
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final
from urllib.parse import quote

import msgspec

from tcnb.errors import JournalError
from tcnb.record.journal import APPLICATION, VERSION, Kind, Stored
from tcnb.record.record import Record

logger = logging.getLogger("tcnb.record")

# Plain numbers, since an enumeration costs a look-up for every frame.
_RESERVED: Final = int(Kind.RESERVED)
_SENT: Final = int(Kind.SENT)
_ORIGINS: Final = {int(kind): kind.name.lower() for kind in Kind if kind is not Kind.RESERVED}

_ALL: Final = "SELECT seq, received, kind, method, payload, answer, file FROM frames ORDER BY seq"


def put(record: Record, frame: Stored, since: int | None = None) -> bool:
    """Add a frame of a journal to a record; return False for one that is there already.

    Args:
        record: gets it.
        frame: as it stands in the journal.
        since: when its connection was authorized, in the server's milliseconds since 1970, where it came on one.
    """
    seq, received, kind, method, payload, answer, file = frame
    if kind == _RESERVED:
        return True
    if kind != _SENT:
        origin = _ORIGINS.get(kind, "live")
        return record.append(method, payload, received, origin=origin, since=since, seq=seq) is not None
    decode = msgspec.json.decode
    # A caption may have been given the place behind the last row.
    place = seq if seq > record.last_seq else None
    about = decode(file) if file else None
    record.append_sent(method, decode(payload), decode(answer or b"{}"), received, file=about, seq=place)
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
        with closing(sqlite3.connect(f"file:{quote(str(path.absolute()))}?mode=ro", uri=True)) as connection:
            (application,) = connection.execute("PRAGMA application_id").fetchone()
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            if application != APPLICATION or version > VERSION:
                raise JournalError(f"{path} is no journal of this version of tcnb")
            owner = dict(connection.execute("SELECT key, value FROM meta"))
            record = Record(owner.get("account"))
            for frame in connection.execute(_ALL):
                _put_what_can_be(record, frame)
    except sqlite3.Error as error:
        raise JournalError(f"{path} cannot be read: {error}") from error
    return record, source(owner.get("account"), owner.get("id") or "")


def source(account: str | None, journal_id: str) -> str:
    """Return what an archive calls the events of a journal: positions begin anew in every one."""
    return f"{account} {journal_id[:16]}"


def _put_what_can_be(record: Record, frame: Stored) -> None:
    try:
        put(record, frame)
    except Exception:  # it is in the journal all the same, and may be read by a tcnb to come
        logger.exception("frame %d of the journal could not be put into the record", frame[0])
