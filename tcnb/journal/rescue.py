"""Carries the frames of a journal whose file was taken away over into the file that takes its place.

The file that was deleted can still be read through the connection that has it open.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from tcnb.errors import PortableError
from tcnb.journal import deduplication

COLUMNS: Final = "seq, received, kind, method, identity, payload, answer, file"
"""The columns of a frame in a journal."""

_PART: Final = 5_000
"""Frames that are read and written at a time."""

_INSERT: Final = f"INSERT OR IGNORE INTO frames ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"

_Frame = tuple[int, int, int, str, bytes | None, bytes, bytes | None, bytes | None]


@dataclass(frozen=True)
class Rescue:
    """What came of it.

    Attributes:
        is_begun: whether the new file had frames already.
        frames: how many frames it got from the old one.
        is_whole: whether every frame of the old file is in the new one.
        is_renumbered: whether the frames of the old file have other positions there, or none.
    """

    is_begun: bool
    frames: int
    is_whole: bool
    is_renumbered: bool


class _UnreadableError(PortableError):
    """The old file cannot be read any more from some place on."""


def carry_over(old: sqlite3.Connection, new: sqlite3.Connection, *, last: int) -> Rescue:
    """Write what the old file has and the new one lacks into the new one, in one transaction.

    Where the new file is empty, or goes as far as it does with the frames of the old one, positions stay what they are.
    Otherwise somebody else has begun it: the frames are added behind what both have.

    Args:
        old: the file that was taken away.
        new: the file at its path.
        last: the last position of the old file, as far as this process knows.

    Raises:
        sqlite3.Error: the new file cannot be written; it is as before.
    """
    new.execute("BEGIN IMMEDIATE")
    try:
        top = _top(new)
        if top == 0 or _is_the_same(old, new, min(top, last)):
            rescue = _continue(old, new, top)
        else:
            rescue = _add(old, new, max(top, last))
        _note_doubt(old, new, is_renumbered=rescue.is_renumbered)
        if _top(new) < last:
            # So that what comes next stands behind what this process has told of already.
            new.execute("DELETE FROM sqlite_sequence WHERE name = 'frames'")
            new.execute("INSERT INTO sqlite_sequence VALUES ('frames', ?)", (last,))
        new.execute("COMMIT")
    except BaseException:
        if new.in_transaction:
            new.execute("ROLLBACK")
        raise
    return rescue


def digest_at(connection: sqlite3.Connection, seq: int) -> str | None:
    """Return what stands for the frame at a position; None where there is none."""
    row = connection.execute("SELECT received, method, payload FROM frames WHERE seq = ?", (seq,)).fetchone()
    return None if row is None else deduplication.digest(b"%d\0%b\0%b" % (row[0], row[1].encode(), row[2])).hex()


def _top(connection: sqlite3.Connection) -> int:
    row = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'frames'").fetchone()
    return 0 if row is None else int(row[0])


def _is_the_same(old: sqlite3.Connection, new: sqlite3.Connection, seq: int) -> bool:
    """Tell whether both files have the same frame at a position, and so the same frames before it."""
    try:
        found = digest_at(old, seq)
    except sqlite3.Error:
        return False
    return found is not None and found == digest_at(new, seq)


def _continue(old: sqlite3.Connection, new: sqlite3.Connection, top: int) -> Rescue:
    """Write the frames behind a position at the positions that they have.

    What is damaged is read from its end, since the latest frames are still in the log, which is a file of its own.
    """
    new.execute("SAVEPOINT rescue")
    for is_whole, order in ((True, "ASC"), (False, "DESC")):
        count = 0
        try:
            for frames in _parts(old, f"SELECT {COLUMNS} FROM frames WHERE seq > ? ORDER BY seq {order}", top):
                new.executemany(_INSERT, frames)
                count += len(frames)
        except _UnreadableError:
            if is_whole:
                new.execute("ROLLBACK TO rescue")
                continue
        break
    new.execute("RELEASE rescue")
    return Rescue(top > 0, count, is_whole, is_renumbered=False)


def _add(old: sqlite3.Connection, new: sqlite3.Connection, position: int) -> Rescue:
    """Write the frames that the new file lacks behind a position."""
    known = set(new.execute("SELECT received, method, payload FROM frames WHERE identity IS NULL"))
    count, is_whole = 0, True
    try:
        for frames in _parts(old, f"SELECT {COLUMNS} FROM frames WHERE seq > ? ORDER BY seq", 0):
            for _, received, kind, method, key, payload, answer, file in frames:
                if key is None and (received, method, payload) in known:
                    continue
                row = (position + 1, received, kind, method, key, payload, answer, file)
                if new.execute(_INSERT, row).rowcount:
                    count, position = count + 1, position + 1
    except _UnreadableError:
        is_whole = False
    return Rescue(True, count, is_whole, is_renumbered=True)


def _parts(old: sqlite3.Connection, question: str, after: int) -> Iterator[list[_Frame]]:
    """Yield the rows that answer a question, some at a time, as far as they can be read.

    Raises:
        _UnreadableError: no further.
    """
    try:
        rows = old.execute(question, (after,))
    except sqlite3.Error as error:
        raise _UnreadableError from error
    while True:
        part: list[_Frame] = []
        try:
            while len(part) < _PART and (row := rows.fetchone()) is not None:
                part.append(row)
        except sqlite3.Error as error:
            yield part
            raise _UnreadableError from error
        if not part:
            return
        yield part


def _note_doubt(old: sqlite3.Connection, new: sqlite3.Connection, *, is_renumbered: bool) -> None:
    """Take over up to where no chat lacks a message; positions of another numbering say nothing, so from the start."""
    try:
        row = old.execute("SELECT value FROM meta WHERE key = 'whole_until'").fetchone()
    except sqlite3.Error:
        row = ("0",)
    if row is not None:
        new.execute("INSERT OR IGNORE INTO meta VALUES ('whole_until', ?)", ("0" if is_renumbered else row[0],))
