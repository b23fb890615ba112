"""The journal: every frame of one account, in order, in one SQLite file; no rows and no socket.

Frames are kept byte for byte, but for the tokens in the addresses of pictures and files.
"""

from __future__ import annotations

import contextlib
import enum
import errno
import logging
import os
import secrets
import sqlite3
import tempfile
import time
from collections import deque
from collections.abc import Mapping, Sequence
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import msgspec

from tcnb.errors import JournalError, PortableError
from tcnb.files import private
from tcnb.files.paths import HOME, absolute
from tcnb.journal import deduplication
from tcnb.journal.addresses import without_tokens
from tcnb.journal.files import SUFFIXES, JournalFiles, free_name
from tcnb.journal.rescue import COLUMNS, Rescue, carry_over, digest_at
from tcnb.wire.notifications import MESSAGE, PlainMessage, Told

logger = logging.getLogger("tcnb.record")

VERSION: Final = 1
"""The version of the tables below; a journal of a higher one is left alone."""

APPLICATION: Final = 0x74636E62
"""What the file says it is (`tcnb` in ASCII), so that nothing else is taken for a journal."""

PATIENCE: Final = 1.0
"""Seconds to wait for another writer; a commit takes milliseconds."""

ECHO: Final = 10_000_000
"""Microseconds within which two kernels of one account receive the same notification."""

PAGE: Final = 8192
"""Bytes of a page in a new journal, a dozen messages: with the usual 4096 a message took a sixth longer."""

MOST_LOG: Final = 256 * 2**20
"""Bytes of the write-ahead log after which SQLite moves it into the file by itself, even in the middle of a flood."""

LARGE_LOG: Final = 16 * 2**20
"""Bytes of the log from which on it is moved between two commits; that takes some 20 milliseconds. A commit of one
message writes two or three whole pages into it, so that a few thousand messages that come one by one make a hundred
megabytes."""

WORTH_MOVING: Final = 2**20
"""Bytes of the log from which on it is moved and emptied when nothing comes."""

_CREATE: Final = f"""
BEGIN IMMEDIATE;
CREATE TABLE IF NOT EXISTS frames (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    received INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    method TEXT NOT NULL,
    identity BLOB UNIQUE,
    payload BLOB NOT NULL,
    answer BLOB,
    file BLOB
);
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
PRAGMA application_id = {APPLICATION};
PRAGMA user_version = {VERSION};
"""
_PLACES: Final = "(?, ?, ?, ?, ?, ?, ?, ?)"
_SIZES: Final = tuple(2**power for power in range(12, -1, -1))
"""How many rows one statement inserts, as few statements as can be: each gives the interpreter away and has to get it
back, which takes up to 5 ms while another thread computes."""


@cache
def _statement(size: int) -> str:
    """Return what inserts rows that follow each other, given the first position and then five values a row."""
    # SQLite looks a numbered place up among all that are, so that only one of them is.
    places = (f"(?1 + {row}, ?, ?, ?, ?, ?, NULL, NULL)" for row in range(size))
    return f"INSERT OR IGNORE INTO frames ({COLUMNS}) VALUES {', '.join(places)}"


AT_A_STROKE: Final = 64
"""Frames that are written by one statement, which is its own transaction."""

_READ: Final = (
    "SELECT seq, received, kind, method, payload, answer, file FROM frames WHERE seq > ? ORDER BY seq LIMIT ?"
)


_LOCK_ERRORS: Final = frozenset(
    {
        *(sqlite3.SQLITE_IOERR_LOCK, sqlite3.SQLITE_IOERR_RDLOCK, sqlite3.SQLITE_IOERR_UNLOCK),
        *(sqlite3.SQLITE_IOERR_CHECKRESERVEDLOCK, sqlite3.SQLITE_IOERR_SHMOPEN, sqlite3.SQLITE_IOERR_SHMSIZE),
        *(sqlite3.SQLITE_IOERR_SHMLOCK, sqlite3.SQLITE_IOERR_SHMMAP),
    }
)
"""What SQLite says on drives that cannot lock files or share memory."""

_NO_LOCKS: Final = "its drive cannot lock files as a journal needs it, which is so of many network drives"
_ELSEWHERE: Final = "name a file on a local disk with journal="


class _NoLogError(PortableError, sqlite3.OperationalError):
    """SQLite kept another kind of journal than the write-ahead log, without an error."""


class Auto(enum.Enum):
    """A choice that is left to tcnb."""

    AUTO = "AUTO"

    def __repr__(self) -> str:
        return self.value


AUTO: Final = Auto.AUTO
"""The journal in the user's data folder: a file per server and account."""

Place = Auto | str | os.PathLike[str] | None
"""Where a journal is: `AUTO`, a file, or None for none."""


class Kind(enum.IntEnum):
    """What a frame in the journal is.

    Attributes:
        LIVE: a notification, as it came.
        SENT: a request of this account with its answer.
        HISTORY: a message read from a chat's past.
        RESERVED: nothing; it keeps the place of the caption that the frame before it tells of as well.
        FOUND: what the server did not tell and its history shows: an edit or a removal, in the form of the notification
            and with the id of the message.
        REDELIVERED: a message that had come while this account was away, and was sent again.
    """

    LIVE = 0
    SENT = 1
    HISTORY = 2
    RESERVED = 3
    FOUND = 4
    REDELIVERED = 5


ORIGIN_OF: Final[Mapping[int, str]] = {kind: kind.name.lower() for kind in Kind if kind is not Kind.RESERVED}
"""How a frame of that kind came, one of `schema.ORIGINS`."""

# SQLite looks for an adapter of whatever is no plain number.
_NUMBERS: Final = {kind: int(kind) for kind in Kind}


class Entry(msgspec.Struct, gc=False):
    """A frame on its way into the journal.

    Attributes:
        method: its method; empty for a text that was no frame.
        payload: its payload, as it came.
        received: when it came, in microseconds since 1970 in UTC.
        kind: what it is.
        answer: the server's answer to a request.
        file: what is known of a file that was sent.
        since: when the connection that it came on was authorized (the server's milliseconds since 1970), if known: a
            message that was written before is redelivered.
        told: what its payload tells, if that was read already.
        seq: its position in the journal, once it has one; until then the next one.
    """

    method: str
    payload: bytes | msgspec.Raw
    received: int
    kind: Kind = Kind.LIVE
    answer: bytes | None = None
    file: bytes | None = None
    since: int | None = None
    told: Told | None = None
    seq: int | None = None

    @property
    def origin(self) -> str:
        """How it came, one of `schema.ORIGINS`."""
        return ORIGIN_OF[self.kind]

    @property
    def direction(self) -> str:
        """That it came in, unless its author is this account."""
        return "in"


Stored = tuple[int, int, int, str, bytes | msgspec.Raw, bytes | None, bytes | None]
"""A frame in the journal: its position, when it came, its kind, method, payload, answer and file, as in `Entry`."""


_Row = tuple[int, int, str, bytes | bytearray | None, bytes | bytearray]
"""The columns of a frame from `received` to `payload`."""


class Journal:
    """The frames of one account on one server; several processes may append to one file.

    What `append` has returned is on the disk, also after a loss of power, and `confirm` sees that it is in the file at
    the path. One thread uses an object of this class; `size`, `log_size` and `notice` may be asked for from any.

    Attributes:
        path: the file.
        id: what tells it from every other journal.
        last_seq: the last position that was there at the last `append` or `look`.
        notice: what became of the file while it was in use, if another program took it away.
        is_as_told: whether the frames that this process knows stand in the file at the positions that it knows.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection, owner: tuple[str, str]) -> None:
        self.path = path
        self.id = ""
        self.last_seq = 0
        self.notice: str | None = None
        self.is_as_told = True
        self._owner = owner
        self._file_id = ""
        self._position = 0
        self._connection = connection
        self._files = JournalFiles(path)
        self._aside: Path | None = None
        self._rescued: Path | None = None
        self._others: dict[bytes, deque[int]] = {}

    @classmethod
    def open(cls, path: str | os.PathLike[str], server: str, account: str, *, new_id: str | None = None) -> Journal:
        """Open a journal, or begin one where there is no file.

        Args:
            path: the file; it and folders that are missing are made for their owner alone.
            server: the server it must belong to.
            account: the user id it must belong to.
            new_id: the id of one that is begun; a random one where it is not given.

        Raises:
            JournalError: it is of a newer version, damaged, no journal, of another account, locked, or cannot be
                written. In each case the file is left as it is.
            UsageError: the path is relative to a folder that is not there.
        """
        path = absolute(path)
        try:
            _make(path)
            connection = sqlite3.connect(
                path, timeout=PATIENCE, isolation_level=None, check_same_thread=False, cached_statements=128
            )
        except (OSError, sqlite3.Error) as error:
            raise JournalError(_why_not_opened(path, error)) from error
        journal = cls(path, connection, (server, account))
        try:
            journal._prepare(server, account.casefold(), new_id or secrets.token_hex(16))
        except sqlite3.Error as error:
            connection.close()
            raise JournalError(_why_not_opened(path, error)) from error
        except BaseException:
            connection.close()
            raise
        return journal

    @property
    def size(self) -> int:
        """Bytes on the disk, with those of the log."""
        return self._files.size

    @property
    def log_size(self) -> int:
        """Bytes of the write-ahead log, which holds what SQLite has not moved into the file yet."""
        return self._files.log_size

    def append(self, entries: Sequence[Entry]) -> list[int | None]:
        """Write frames in one transaction; once this returns they are safe.

        Args:
            entries: the frames, in the order in which they came.

        Returns:
            For each its position; None for one that is there already.

        Raises:
            JournalError: nothing was written, and the same may be tried again.
        """
        try:
            if self._append_at_a_stroke(entries):
                return list(range(self.last_seq - len(entries) + 1, self.last_seq + 1))
            self._connection.execute("BEGIN IMMEDIATE")
            self._catch_up()
            others = {key: deque(times) for key, times in self._others.items()}
            try:
                seqs = self._write(entries)
                self._connection.execute("COMMIT")
            except BaseException:
                self._others = others
                raise
        except sqlite3.Error as error:
            raise JournalError(_why_not_written(self.path, error)) from error
        finally:
            if self._connection.in_transaction:
                with contextlib.suppress(sqlite3.Error):
                    self._connection.execute("ROLLBACK")
        self.last_seq = self._position
        return seqs

    def look(self) -> int:
        """Return the last position there is now, whoever wrote it.

        Raises:
            JournalError: the file cannot be read.
        """
        try:
            self._catch_up()
        except sqlite3.Error as error:
            raise JournalError(_why_not_written(self.path, error)) from error
        return self.last_seq

    def watermark(self) -> int | None:
        """Return the position up to which no chat lacks a message; None where that is the end.

        Raises:
            JournalError: the file cannot be read.
        """
        try:
            row = self._connection.execute("SELECT value FROM meta WHERE key = 'whole_until'").fetchone()
        except sqlite3.Error as error:
            raise JournalError(_why_not_written(self.path, error)) from error
        return None if row is None else int(row[0])

    def mark_gap(self) -> None:
        """Note that messages may be missing behind the last position, unless that is noted of an earlier one.

        Raises:
            JournalError: it was not written, and the same may be tried again.
        """
        self._note(
            "INSERT OR IGNORE INTO meta "
            "SELECT 'whole_until', coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'frames'), 0)"
        )

    def clear_gap(self) -> None:
        """Note that no chat lacks a message any more.

        Raises:
            JournalError: it was not written, and the same may be tried again.
        """
        self._note("DELETE FROM meta WHERE key = 'whole_until'")

    def read(self, after: int, limit: int) -> list[Stored]:
        """Return the first frames behind a position, oldest first, at most `limit`.

        Raises:
            JournalError: the file is damaged or cannot be read.
        """
        try:
            return self._connection.execute(_READ, (after, limit)).fetchall()
        except sqlite3.Error as error:
            raise JournalError(_why_not_opened(self.path, error)) from error

    def digest(self, seq: int) -> str | None:
        """Return what stands for the frame at a position; None where there is none.

        Raises:
            JournalError: the file cannot be read.
        """
        try:
            return digest_at(self._connection, seq)
        except sqlite3.Error as error:
            raise JournalError(_why_not_opened(self.path, error)) from error

    def rest(self, *, is_idle: bool) -> None:
        """Move the log into the file if it is large; to be called when nothing waits to be written.

        Args:
            is_idle: whether nothing has come for a while: then a smaller log is moved as well, and emptied.
        """
        if self.log_size < (WORTH_MOVING if is_idle else LARGE_LOG):
            return
        if self._files.is_written():
            return  # not before `confirm` has looked whether the file is worth keeping
        with contextlib.suppress(sqlite3.Error):
            # A log that another kernel reads from is not emptied, and nobody is waited for.
            self._connection.execute("PRAGMA busy_timeout = 0")
            self._connection.execute(f"PRAGMA wal_checkpoint({'TRUNCATE' if is_idle else 'PASSIVE'})")
        self._connection.execute(f"PRAGMA busy_timeout = {PATIENCE * 1000:.0f}")
        if self._files.taken_away() is None:
            self._files.remember()

    def close(self) -> None:
        """Close the file; nothing can be written any more."""
        # What was appended is safe; a log that could not be moved into the file is moved by who opens it next.
        with contextlib.suppress(sqlite3.Error):
            self._connection.close()

    # -- a file that another program took away -----------------------------------------------------------------------

    def confirm(self) -> None:
        """See that what was appended is in the file that has the path; otherwise begin a new one there.

        The new file gets every frame that can still be read through the connection to the old one. Where another kernel
        has begun it already, it gets those that it lacks.

        Raises:
            JournalError: that cannot be done just now, so that nothing which came since may be acknowledged; the same
                may be tried again.
        """
        try:
            if (became := self._files.taken_away()) is not None:
                self._begin_again(became)
            elif self._is_spoilt():
                self._begin_again("was emptied or overwritten by another program", is_spoilt=True)
        except sqlite3.Error as error:
            raise JournalError(_why_not_written(self.path, error)) from error
        except OSError as error:
            raise JournalError(f"{self.path} cannot be put right ({error}); what comes is not acknowledged") from error

    def _is_spoilt(self) -> bool:
        """Tell whether the file has lost its content.

        The file is looked into only when somebody has written it, which happens when a log is moved into it.
        """
        files = self._files
        if not files.is_written():
            return False
        if files.path.stat().st_size == 0:
            return True
        try:
            # Never with `open`: to close a file gives up all locks that this process has on it.
            with contextlib.closing(sqlite3.connect(f"file:{quote(str(files.path))}?mode=ro", uri=True)) as other:
                (found,) = other.execute("SELECT value FROM meta WHERE key = 'id'").fetchone() or ("",)
                flaw = "ok"
                if files.is_cut(self._pragma("page_size")):
                    (flaw,) = other.execute("PRAGMA quick_check(1)").fetchone()
        except sqlite3.Error as error:
            if _primary(error) not in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_ERROR):
                raise
            return True
        if flaw != "ok" or found != self._file_id:
            return True
        files.remember()
        return False

    def _begin_again(self, became: str, *, is_spoilt: bool = False) -> None:
        """Open the file that is at the path now, or a new one, and carry over what it lacks."""
        files = self._files
        if files.is_in_place():
            self._aside = files.put_aside()
        else:
            files.clear_away()
        was_there = files.path.exists()
        try:
            # What was saved beside a file that lost its content must not be taken for right.
            successor = Journal.open(self.path, *self._owner, new_id=None if is_spoilt else self.id)
        except JournalError as error:
            if not was_there or _primary(error.__cause__) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                raise
            raise JournalError(f"{self._name_rescued(became)} {error}") from error
        try:
            rescue = carry_over(self._connection, successor._connection, last=self.last_seq)
        except BaseException:
            successor.close()
            raise
        if self._aside is not None and rescue.is_whole and not is_spoilt:
            self._aside.unlink(missing_ok=True)
            self._aside = None
        self._take_the_place_of(successor, rescue)
        self.notice = _what_became(self.path, became, rescue, self._aside)
        self._aside = None
        logger.warning("%s", self.notice)

    def _take_the_place_of(self, successor: Journal, rescue: Rescue) -> None:
        """Go on in the file of another object, which is used no more."""
        old = self._connection
        self._connection, self._files, self._others = successor._connection, successor._files, {}
        self._file_id = self._written_id()
        if rescue.is_renumbered:
            self.last_seq = self._top()
        if rescue.is_renumbered or not rescue.is_whole:
            self.is_as_told = False
        elif self.is_as_told:
            self.id = self._file_id
        # SQLite sees that the file has no name any more, and leaves alone what has its name now.
        with contextlib.suppress(sqlite3.Error):
            old.close()

    def _name_rescued(self, became: str) -> str:
        """Say where the frames are, given that a file stands at the path that is none of ours; they are put there."""
        if self._rescued is None:
            path = free_name(self.path, "rescued")
            copy = Journal.open(path, *self._owner)
            try:
                carry_over(self._connection, copy._connection, last=self.last_seq)
            except BaseException:
                copy.close()
                path.unlink(missing_ok=True)
                raise
            copy.close()
            self._rescued = path
        return (
            f"{self.path} {became} while it was in use; what was recorded until then is in {self._rescued}, and what "
            "comes is not acknowledged until the other file is moved away:"
        )

    def _written_id(self) -> str:
        return str(self._connection.execute("SELECT value FROM meta WHERE key = 'id'").fetchone()[0])

    # -- opening -----------------------------------------------------------------------------------------------------

    def _prepare(self, server: str, account: str, new_id: str) -> None:
        """See whether this is the right journal, and begin an empty one."""
        if self._is_empty():
            self._begin(server, account)
        application, version = self._pragma("application_id"), self._pragma("user_version")
        if application != APPLICATION:
            raise JournalError(
                f"{self.path} is no journal of tcnb and was left as it is: choose another file with journal="
            )
        if version > VERSION:
            raise JournalError(
                f"{self.path} was written by a newer tcnb (its version is {version}, known here is {VERSION}) and was "
                "left as it is: update tcnb, or choose another file with journal="
            )
        owner = dict(self._connection.execute("SELECT key, value FROM meta"))
        if (owner.get("server"), owner.get("account")) != (server, account):
            raise JournalError(
                f"{self.path} belongs to {owner.get('account')} on {owner.get('server')}, not to {account} on "
                f"{server}, and was left as it is: choose another file with journal="
            )
        # Not before: what is no journal of ours keeps its rights.
        self._files.make_private()
        _switch_to_log(self._connection)
        self._files.make_private()
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.execute(f"PRAGMA wal_autocheckpoint = {MOST_LOG // self._pragma('page_size')}")
        self.last_seq = self._top()
        # Whether it can be written is better known now than when the first message comes.
        self._connection.execute("BEGIN IMMEDIATE")
        self._connection.execute("INSERT OR IGNORE INTO meta VALUES ('id', ?)", (new_id,))
        self._connection.execute("UPDATE meta SET value = value")
        self.id = self._file_id = self._written_id()
        self._connection.execute("ROLLBACK" if "id" in owner else "COMMIT")
        self._files.remember()

    def _is_empty(self) -> bool:
        (tables,) = self._connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        return not tables and not self._pragma("application_id") and not self._pragma("user_version")

    def _begin(self, server: str, account: str) -> None:
        """Make the tables; where two processes do so at once, the second finds those of the first."""
        self._connection.execute(f"PRAGMA page_size = {PAGE}")
        self._connection.executescript(_CREATE)
        self._connection.executemany(
            "INSERT OR IGNORE INTO meta VALUES (?, ?)", (("server", server), ("account", account))
        )
        self._connection.execute("COMMIT")

    def _note(self, statement: str) -> None:
        try:
            self._connection.execute(statement)
        except sqlite3.Error as error:
            raise JournalError(_why_not_written(self.path, error)) from error

    def _pragma(self, name: str) -> int:
        return int(self._connection.execute(f"PRAGMA {name}").fetchone()[0])

    # -- writing (a few frames in one statement) ---------------------------------------------------------------------

    def _append_at_a_stroke(self, entries: Sequence[Entry]) -> bool:
        """Write a few frames in the shortest way there is; False where it takes a closer look.

        They are put at the positions that follow ours, and all of them or none are written: where another process has
        written since, or one of the frames is there already, that fails.
        """
        if not 0 < len(entries) <= AT_A_STROKE or self._others:
            return False
        values: list[Any] = []
        for seq, entry in enumerate(entries, self.last_seq + 1):
            if entry.kind is Kind.SENT:
                row, caption = _sent_row(entry)
                if caption is not None:
                    return False
            else:
                row = _row(entry)
            values += (seq, *row, entry.answer, entry.file)
        rows = ", ".join([_PLACES] * len(entries))
        try:
            self._connection.execute(f"INSERT INTO frames ({COLUMNS}) VALUES {rows}", values)
        except sqlite3.IntegrityError:
            return False
        self.last_seq = self._position = self.last_seq + len(entries)
        return True

    # -- writing (inside a transaction) ------------------------------------------------------------------------------

    def _top(self) -> int:
        row = self._connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'frames'").fetchone()
        return 0 if row is None else int(row[0])

    def _catch_up(self) -> None:
        """Note what others wrote that has no key, since this account is told of it here as well."""
        top = self._top()
        if top == self.last_seq:
            return
        found = self._connection.execute(
            "SELECT method, payload, received FROM frames WHERE seq > ? AND kind = ? AND identity IS NULL",
            (self.last_seq, int(Kind.LIVE)),
        )
        latest = 0
        for method, payload, received in found.fetchall():
            self._others.setdefault(_echo(method, payload), deque()).append(received)
            latest = max(latest, received)
        self._others = {key: times for key, times in self._others.items() if times and times[-1] >= latest - ECHO}
        self.last_seq = top

    def _is_echo(self, entry: Entry) -> bool:
        """Return whether another kernel wrote this notification already; each that it wrote counts for one here."""
        key = _echo(entry.method, entry.payload)
        times = self._others.get(key)
        while times:
            received = times.popleft()
            if abs(entry.received - received) <= ECHO:
                return True
        return False

    def _write(self, entries: Sequence[Entry]) -> list[int | None]:
        seqs: list[int | None] = [None] * len(entries)
        self._position = self.last_seq
        if not self._others and Kind.SENT not in {entry.kind for entry in entries}:
            self._insert([_row(entry) for entry in entries], range(len(entries)), seqs)
            return seqs
        rows: list[_Row] = []
        places: list[int] = []
        for place, entry in enumerate(entries):
            if entry.kind is Kind.SENT:
                self._insert(rows, places, seqs)
                rows, places = [], []
                seqs[place] = self._insert_sent(entry)
                continue
            row = _row(entry)
            if row[3] is None and self._others and entry.kind is Kind.LIVE and self._is_echo(entry):
                continue
            rows.append(row)
            places.append(place)
        self._insert(rows, places, seqs)
        return seqs

    def _insert(self, rows: list[_Row], places: Sequence[int], seqs: list[int | None]) -> None:
        """Insert rows whose key is new, and note in `seqs` where they stand.

        As a rule all are new. Otherwise they are taken back and the new ones inserted alone, so that no position
        is left out.
        """
        self._connection.execute("SAVEPOINT rows")
        if self._insert_all(rows) < len(rows):
            new = self._inserted()
            self._connection.execute("ROLLBACK TO rows")
            kept = [number for number in range(len(rows)) if self._position + 1 + number in new]
            rows, places = [rows[number] for number in kept], [places[number] for number in kept]
            self._insert_all(rows)
        self._connection.execute("RELEASE rows")
        for place in places:
            self._position += 1
            seqs[place] = self._position

    def _insert_all(self, rows: list[_Row]) -> int:
        """Insert rows at the positions that follow and return how many of them had a new key."""
        new = start = 0
        for size in _SIZES:
            while len(rows) - start >= size:
                values = [self._position + 1 + start, *chain.from_iterable(rows[start : start + size])]
                new += self._connection.execute(_statement(size), values).rowcount
                start += size
        return new

    def _inserted(self) -> set[int]:
        """Return the positions behind our place, read as one value for the reason that is given at `_SIZES`."""
        found = self._connection.execute("SELECT group_concat(seq) FROM frames WHERE seq > ?", (self._position,))
        (joined,) = found.fetchone()
        return set(map(int, joined.split(","))) if joined else set()

    def _insert_sent(self, entry: Entry) -> int | None:
        """Insert a request of ours, with a place for its caption behind it.

        Where another kernel of this account was told of the file first but not yet of its caption, the request stands
        for the caption.
        """
        row, caption = _sent_row(entry)
        seqs: list[int | None] = [None, None]
        self._insert([row], [0], seqs)
        if caption is not None and seqs[0] is not None:
            self._insert([(entry.received, int(Kind.RESERVED), entry.method, caption, b"")], [1], seqs)
        elif caption is not None:
            self._insert([(*row[:3], caption, row[4])], [0], seqs)
        self._connection.execute(
            "UPDATE frames SET answer = ?, file = ? WHERE seq = ?", (entry.answer, entry.file, seqs[0])
        )
        return seqs[0]


def _row(entry: Entry) -> _Row:
    """Return the columns of what is no request of ours."""
    method, payload, kind, since = entry.method, entry.payload, entry.kind, entry.since
    part = None if entry.told is None else entry.told[1]
    if type(part) is PlainMessage:  # most are; what follows would say the same
        key: bytes | None = deduplication.of_message(part.message_id, part.timestamp)
        is_old = since is not None and 0 < part.timestamp < since
    else:
        payload = without_tokens(bytes(payload))
        key = (
            deduplication.of_finding(method, payload)
            if kind is Kind.FOUND
            else deduplication.of_notification(method, payload, part)
        )
        is_old = since is not None and method == MESSAGE and deduplication.is_before(key, since)
    if is_old:
        kind = Kind.REDELIVERED
    # Whatever is neither a number nor a string nor one of these costs the sqlite3 module a search for an adapter.
    return entry.received, _NUMBERS[kind], method, None if key is None else bytearray(key), bytearray(payload)


def _sent_row(entry: Entry) -> tuple[_Row, bytes | None]:
    """Return the columns of a request of ours, and the key of a caption beside it."""
    key, caption = deduplication.of_sent(entry.method, _object(entry.payload), _object(entry.answer))
    return (entry.received, _NUMBERS[Kind.SENT], entry.method, key, bytes(entry.payload)), caption


def default_path(server: str, account: str) -> Path:
    """Return the file of `AUTO`: one per server and account, in the user's data folder.

    Args:
        server: the server's name, with its port where that is none of the usual.
        account: the user id.

    Raises:
        JournalError: nobody says where this user's data folder is.
    """
    import platformdirs  # only a session that keeps a journal needs it

    try:
        folder = platformdirs.user_data_path("tcnb", appauthor=False) / "journals"
    except RuntimeError:
        folder = Path()
    if not folder.is_absolute():  # older versions of platformdirs make a folder called ~ where they know no home folder
        raise JournalError(
            f"there is no home folder here in which a journal could be: set the variable {HOME}, name a file with "
            "journal=, or keep events in memory alone with journal=None"
        )
    return folder / _file_name(server) / f"{_file_name(account.casefold())}.sqlite"


def _file_name(text: str) -> str:
    # A name of dots alone would be another folder.
    return quote(text, safe="@").replace(".", "%2E") if not text.strip(".") else quote(text, safe="@")


def _make(path: Path) -> None:
    """Make the file and folders that are missing, for their owner alone; SQLite gives its side files the same mode.

    Raises:
        JournalError: another user has put something there.
    """
    # SQLite would make what a link leads to, with the rights of any file.
    place = Path(os.path.realpath(path))
    for name in (path, *(Path(f"{place}{suffix}") for suffix in SUFFIXES)):
        if private.is_foreign(name):
            raise JournalError(
                f"{name} belongs to another user, who could read what is recorded there: choose another file with "
                "journal=, or have it given to you (chown)"
            )
    if place.exists() and not place.is_file():
        raise JournalError(f"{path} is no file: choose another place with journal=")
    private.make_folders(place.parent)
    with contextlib.suppress(FileExistsError):
        private.create(place)


def _switch_to_log(connection: sqlite3.Connection) -> None:
    """Switch to the write-ahead log; SQLite does not wait here by itself for another process that does the same.

    Raises:
        sqlite3.OperationalError: it cannot be done, be it that the drive does not share memory.
    """
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
            if mode != "wal":
                raise _NoLogError(f"there is no write-ahead log here, only {mode}")
            return
        except sqlite3.OperationalError as error:
            if _primary(error) != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
        time.sleep(0.01)


def _echo(method: str, payload: bytes | msgspec.Raw) -> bytes:
    return deduplication.digest(method.encode() + b"\0" + without_tokens(bytes(payload)))


def _object(content: bytes | msgspec.Raw | None) -> dict[str, Any]:
    value = msgspec.json.decode(content) if content else None
    return value if isinstance(value, dict) else {}


def _primary(error: BaseException | None) -> int:
    """Return SQLite's code of an error without its refinement."""
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF


def _what_became(path: Path, became: str, rescue: Rescue, aside: Path | None) -> str:
    """Say in one line what happened to a journal's file, what was done about it, and how it can be kept from it."""
    done = "the file that is there now is continued" if rescue.is_begun else "a new one was begun there"
    kept = (
        "nothing that was recorded is lost"
        if rescue.is_whole
        else f"only the last {rescue.frames:,} frames of the old file could be read (tc.history reads messages again)"
    )
    left = "" if aside is None else f"; what is left of the old file is in {aside.name}"
    return (
        f"{path} {became} while it was in use: {done} at {time.strftime('%H:%M:%S')}, and {kept}{left}. Keep cleaners "
        "and sync programs away from it, or choose another place with journal="
    )


def _why_not_opened(path: Path, error: Exception) -> str:
    """Say in one line what is wrong with a journal, that it is kept, and what to do."""
    if _lacks_locks(path, error):
        return f"{path}: {_NO_LOCKS}; nothing in it was changed: {_ELSEWHERE}, or none with journal=None"
    match _primary(error):
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return (
                f"{path} is locked by another program and was left as it is: close what has it open, or choose another "
                "file with journal="
            )
        case sqlite3.SQLITE_NOTADB | sqlite3.SQLITE_CORRUPT:
            return (
                f"{path} is no journal, or is damaged ({error}), and was left as it is: put a copy of yours in its "
                "place, or choose another file with journal="
            )
        case sqlite3.SQLITE_FULL:
            return f"{path}: the disk is full; what the journal holds is kept: free some space and connect again"
    return (
        f"{path} cannot be written ({_reason(error)}); what is there is kept: make file and folder writable, choose "
        "another place with journal=, or none with journal=None"
    )


def _why_not_written(path: Path, error: Exception) -> str:
    """Say in one line why nothing can be added just now, what is kept, and what to do."""
    kept = "what was committed is kept, what comes is not acknowledged and is tried again"
    if _lacks_locks(path, error):
        return f"{path}: {_NO_LOCKS}; {kept}: connect again, and {_ELSEWHERE}"
    match _primary(error):
        case sqlite3.SQLITE_FULL:
            return f"{path}: the disk is full; {kept}: free some space"
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return f"{path} is locked by another program; {kept}: close what has it open"
    return f"{path} cannot be written ({_reason(error)}); {kept}"


def _reason(error: Exception) -> str:
    """Return what an error says, without the system's number and the path that is named already."""
    return str((isinstance(error, OSError) and error.strerror) or error)


def _lacks_locks(path: Path, error: Exception) -> bool:
    """Return whether an error comes from a drive that cannot lock files or share memory, as many network drives.

    SQLite calls a lock that fails for that reason busy, as if another program had it: the drive itself is asked.
    """
    if isinstance(error, _NoLogError) or getattr(error, "sqlite_errorcode", 0) in _LOCK_ERRORS:
        return True
    if _primary(error) == sqlite3.SQLITE_PROTOCOL:
        return True
    if _primary(error) not in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN):
        return False
    try:
        import fcntl
    except ImportError:
        return False  # Windows: its drives lock
    try:
        with tempfile.TemporaryFile(dir=path.parent) as trial:
            fcntl.lockf(trial, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as failure:
        return failure.errno in (errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL)
    return False
