"""Whether journals can be written here and are whole; they are only read, also those of kernels at work."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

from tcnb.commands.doctor.findings import Finding, ok, problem, warning
from tcnb.errors import TcnbError
from tcnb.files.paths import absolute
from tcnb.files.private import OTHERS
from tcnb.journal.journal import APPLICATION, VERSION, default_path
from tcnb.journal.raw import open_to_read
from tcnb.status import readable_size

TIGHT: Final = 1 << 30
"""Bytes of free disk below which there is a warning: a million events take about half of it."""

FULL: Final = 50 << 20
"""Bytes of free disk below which a busy day may not fit any more."""

LONGEST_CHECK: Final = 10.0
"""Seconds that the check of one journal may take."""

STEPS: Final = 100_000
"""Instructions of SQLite between two looks at the clock."""


def examine(journal: Path | None) -> Iterator[Finding]:
    """Look at the place of the journals and at each of them.

    Args:
        journal: one journal's file; None takes those in the user's data folder.
    """
    try:
        folder = absolute(journal).parent if journal is not None else default_path("server", "a").parents[1]
    except TcnbError as error:
        yield problem("journal folder", str(error))
        return
    yield _place(folder)
    if journal is not None:
        files = [absolute(journal)]
    else:
        files = sorted(folder.glob("*/*.sqlite")) if folder.is_dir() else []
    for path in files:
        yield _journal(path)


def _place(folder: Path) -> Finding:
    """Try whether something can be written where journals are, or where they will be."""
    check = "journal folder"
    existing = next((place for place in (folder, *folder.parents) if place.exists()), folder)
    try:
        with tempfile.TemporaryFile(dir=existing) as trial:
            trial.write(b"\0")
        free = shutil.disk_usage(existing).free
    except OSError as error:
        return problem(
            check,
            f"nothing can be written in {existing} ({error.strerror}): make it writable, or choose another place with "
            "journal=",
        )
    if free < FULL:
        return problem(
            check, f"{folder} has only {readable_size(free)} left: free some space, or events wait unrecorded"
        )
    if free < TIGHT:
        return warning(check, f"{folder} has {readable_size(free)} left: free some space before it fills up")
    return ok(check, f"{folder} can be written; {readable_size(free)} free")


def _journal(path: Path) -> Finding:
    if not path.exists():
        return ok("journal", f"{path} is not there yet and will be made")
    try:
        with closing(open_to_read(path, timeout=1.0)) as connection:
            return _opened(path, connection)
    except sqlite3.Error as error:
        return problem(
            "journal",
            f"{path} cannot be read ({error}): put a copy in its place, or move it away to begin another; nothing in "
            "it is changed",
        )


def _opened(path: Path, connection: sqlite3.Connection) -> Finding:
    check = "journal"
    application, version = (_number(connection, f"PRAGMA {name}") for name in ("application_id", "user_version"))
    if application != APPLICATION:
        return problem(check, f"{path} is no journal of tcnb: choose another file with journal=")
    if version > VERSION:
        return problem(check, f"{path} is of version {version}, this tcnb knows {VERSION}: update tcnb")
    flaw, is_complete = _flaw(connection)
    if flaw is not None:
        return problem(
            check,
            f"{path} is damaged ({flaw}): put a copy in its place, or move it away to begin another; "
            f"python -m sqlite3 {path} .dump may save what can still be read",
        )
    owner = dict(connection.execute("SELECT key, value FROM meta"))
    events = _number(connection, "SELECT count(*) FROM frames")
    size = sum(Path(f"{path}{suffix}").stat().st_size for suffix in ("", "-wal") if Path(f"{path}{suffix}").exists())
    said = (
        f"{path} of {owner.get('account')} on {owner.get('server')}: version {version}, {events:,} events, "
        f"{readable_size(size)}, " + ("whole" if is_complete else f"no flaw found in {LONGEST_CHECK:g} s of looking")
    )
    if not os.access(path, os.W_OK):
        return problem(check, f"{said}, but this account may not write into it: make it writable")
    if os.name == "posix" and path.stat().st_mode & OTHERS:
        return warning(check, f"{said}, but others on this machine may read it: run chmod 600 '{path}'")
    return ok(check, said)


def _flaw(connection: sqlite3.Connection) -> tuple[str | None, bool]:
    """Return the first flaw of the file, and whether all of it was looked at."""
    deadline = time.monotonic() + LONGEST_CHECK
    connection.set_progress_handler(lambda: int(time.monotonic() > deadline), STEPS)
    try:
        (said,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_INTERRUPT:
            raise
        return None, False
    finally:
        connection.set_progress_handler(None, 0)
    return (None if said == "ok" else " ".join(str(said).split())), True


def _number(connection: sqlite3.Connection, question: str) -> int:
    return int(connection.execute(question).fetchone()[0])
