"""Frames as they stand in a journal, for whoever needs what the record does not keep."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from tcnb.errors import JournalError


def open_to_read(journal: Path, timeout: float = 5.0) -> sqlite3.Connection:
    """Open a journal for reading only; it may be in use, and its drive may be one that cannot be written.

    Args:
        journal: the journal's file.
        timeout: seconds to wait for a writer.

    Raises:
        sqlite3.Error: it is no database, or cannot be read.
    """
    address = f"file:{quote(str(journal.absolute()))}?mode=ro"
    connection = sqlite3.connect(address, uri=True, timeout=timeout)
    try:
        connection.execute("PRAGMA schema_version")
    except sqlite3.OperationalError as error:
        connection.close()
        log = journal.with_name(f"{journal.name}-wal")
        if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_CANTOPEN or not journal.is_file():
            raise
        # SQLite keeps its place beside the file while it reads. Where it cannot, nobody else writes either.
        if log.is_file() and log.stat().st_size:
            raise sqlite3.OperationalError(
                f"its folder cannot be written, and {log.name} holds the last events: copy both files to another folder"
            ) from error
        return sqlite3.connect(f"{address}&immutable=1", uri=True)
    except BaseException:
        connection.close()
        raise
    return connection


def payloads(journal: Path, seqs: Iterable[int]) -> dict[int, bytes]:
    """Return frames of a journal by their positions.

    Args:
        journal: the journal's file; it is opened for reading only, so any thread may do this beside the writer.
        seqs: positions in it; unknown ones are left out.

    Raises:
        JournalError: it cannot be read.
    """
    wanted = list(seqs)
    statement = f"SELECT seq, payload FROM frames WHERE seq IN ({', '.join('?' * len(wanted))})"
    try:
        with closing(open_to_read(journal)) as connection:
            return dict(connection.execute(statement, wanted))
    except sqlite3.Error as error:
        raise JournalError(f"{journal} cannot be read: {error}") from error
