"""Frames as they stand in a journal, for whoever needs what the record does not keep."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from tcnb.errors import JournalError


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
        with closing(sqlite3.connect(f"file:{quote(str(journal))}?mode=ro", uri=True)) as connection:
            return dict(connection.execute(statement, wanted))
    except sqlite3.Error as error:
        raise JournalError(f"{journal} cannot be read: {error}") from error
