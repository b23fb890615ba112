"""The columns of a journal on the disk beside it, so that opening need not decode every frame again; no frame is
understood here.

Everything in such a file follows from the journal, so it may be deleted at any time: what is missing, old, damaged or
of another version is ignored, and the journal is read instead. The file is an Arrow stream with one batch, which the
standard tools read, and behind it what does not fit columns, as JSON.
"""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import time
import zlib
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
import pyarrow as pa

from tcnb._version import __version__
from tcnb.files.private import FILE, is_trusted
from tcnb.record.columns.saved_checks import check_columns, checked_rest
from tcnb.record.record import Record, State
from tcnb.record.schema import COLUMNS, ORIGIN
from tcnb.threads import new_thread

logger = logging.getLogger("tcnb.record")

SUFFIX: Final = ".columns"
"""What the name of the file has behind that of the journal."""

LAYOUT: Final = 3
"""Raised whenever frames come to be decoded otherwise, or the file to look otherwise."""

_MAGIC: Final = b"tcnb columns\n"
_LENGTH: Final = 8
_SCHEMA: Final = zlib.crc32(
    repr([(column.name, column.kind, column.categories) for column in (*COLUMNS, ORIGIN)]).encode()
)

WORTH_KEEPING: Final = 5_000
"""New rows for which it is worth to write the file at the end; they are decoded in a twentieth of a second."""

WORTH_WRITING: Final = 50_000
"""The same in the middle of a session."""

WORTH_INTERRUPTING: Final = 1_000_000
"""The same in the middle of a flood."""

GROWTH: Final = 10
"""The part (one in so many) of all rows that must be new before they are written again: it bounds what is written."""

ABANDONED: Final = 3600.0
"""Seconds after which an unfinished file has no writer any more."""


class Stamp(msgspec.Struct):
    """What the columns were made of.

    Attributes:
        journal: the journal's own id.
        seq: the position up to which its frames are in the columns.
        frame: the digest of the frame at that position.
    """

    journal: str
    seq: Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
    frame: str


class _Trailer(msgspec.Struct):
    stamp: Stamp
    version: str
    layout: int
    schema: int
    checksum: int
    rest: msgspec.Raw


class SavedColumns:
    """The file beside one journal.

    Args:
        journal: the journal's file.

    Attributes:
        path: the file.
        rows: how many rows the last one had that was read or written.
    """

    def __init__(self, journal: Path) -> None:
        self.path = journal.with_name(journal.name + SUFFIX)
        self.rows = 0
        self._writing: threading.Thread | None = None

    def stamp(self) -> Stamp | None:
        """Return what the file was made of; None if there is none that can be used."""
        trailer = self._trailer()
        return None if trailer is None else trailer.stamp

    def restore(self, record: Record) -> bool:
        """Put the columns into an empty record; returns whether that was done.

        A checksum says that a file is as it was written, and nothing of who wrote it: what is false in it must not end
        the process, or hold it up. So the record is given nothing that was not looked at.
        """
        try:
            with pa.memory_map(str(self.path)) as file:
                content = file.read_buffer()
                body, trailer = _parts(memoryview(content))
                if zlib.crc32(trailer.rest, zlib.crc32(body)) != trailer.checksum:
                    raise ValueError("its checksum is wrong")
                with pa.ipc.open_stream(pa.py_buffer(body)) as stream:
                    batch = stream.read_next_batch()
                check_columns(batch, trailer.stamp.seq)
                rest = checked_rest(trailer.rest, trailer.stamp.seq)
                record.restore(dict(zip(batch.schema.names, batch.columns, strict=True)), rest)
                del batch, body, content
        except Exception as error:  # whatever it is: the journal has everything
            logger.info("%s is not used: %s", self.path, error)
            return False
        self.rows = len(record)
        return True

    def is_due(self, rows: int, least: int) -> bool:
        """Return whether so many rows are worth to be written, given the least number of new ones."""
        return rows - self.rows >= max(least, self.rows // GROWTH)

    def save(self, stamp: Stamp, state: State) -> None:
        """Write a state of the record; what cannot be written is left."""
        unfinished = self.path.with_name(f"{self.path.name}.{os.getpid()}")
        try:
            self._clear_away(unfinished)
            descriptor = os.open(unfinished, os.O_CREAT | os.O_EXCL | os.O_WRONLY | getattr(os, "O_BINARY", 0), FILE)
            with os.fdopen(descriptor, "wb") as file:
                rows = _write(file, stamp, state)
            unfinished.replace(self.path)
            self.rows = rows
        except Exception as error:  # whatever it is: this is a thread of its own, and the journal has everything
            logger.info("%s could not be written: %s", self.path, error)
            with contextlib.suppress(OSError):
                unfinished.unlink()

    def save_in_background(self, stamp: Stamp, state: State) -> None:
        """Do so on a thread of its own, which the end of the interpreter waits for."""
        self._writing = new_thread(self.save, stamp, state, name="tcnb columns", daemon=False)
        # When the interpreter is ending, there are no new threads; the columns are not worth more than that.
        with contextlib.suppress(RuntimeError):
            self._writing.start()

    def wait(self) -> None:
        """Wait for that thread."""
        if self.is_writing:
            assert self._writing is not None
            self._writing.join()

    @property
    def is_writing(self) -> bool:
        """Whether that thread is at it."""
        return self._writing is not None and self._writing.is_alive()

    def _clear_away(self, unfinished: Path) -> None:
        """Remove what writers left that were killed."""
        for left in self.path.parent.glob(f"{self.path.name}.*"):
            if left == unfinished or left.stat().st_mtime < time.time() - ABANDONED:
                left.unlink(missing_ok=True)

    def _trailer(self) -> _Trailer | None:
        if not is_trusted(self.path):
            return None
        try:
            with pa.memory_map(str(self.path)) as file:
                return _parts(memoryview(file.read_buffer()))[1]
        except (OSError, ValueError, msgspec.MsgspecError, pa.ArrowException):
            return None


def _parts(content: memoryview) -> tuple[memoryview, _Trailer]:
    """Return the stream and what stands behind it.

    Raises:
        ValueError, msgspec.MsgspecError: that is not for us.
    """
    end = len(content) - len(_MAGIC)
    if end < _LENGTH or bytes(content[end:]) != _MAGIC:
        raise ValueError("it does not end as it should")
    length = int.from_bytes(content[end - _LENGTH : end])
    if length > end - _LENGTH:
        raise ValueError("it is too short")
    start = end - _LENGTH - length
    trailer = msgspec.json.decode(content[start : end - _LENGTH], type=_Trailer)
    if (trailer.version, trailer.layout, trailer.schema) != (__version__, LAYOUT, _SCHEMA):
        raise ValueError("it is of another version")
    return content[:start], trailer


def _write(file: Any, stamp: Stamp, state: State) -> int:
    """Write everything and return the number of rows."""
    arrays = state.arrays()
    summed = _Summed(file)
    batch = pa.RecordBatch.from_arrays(list(arrays.values()), list(arrays))
    with pa.ipc.new_stream(pa.PythonFile(summed, "w"), batch.schema) as stream:
        stream.write_batch(batch)
    rest = msgspec.json.encode(state.rest)
    checksum = zlib.crc32(rest, summed.checksum)
    trailer = msgspec.json.encode(_Trailer(stamp, __version__, LAYOUT, _SCHEMA, checksum, msgspec.Raw(rest)))
    file.write(trailer + len(trailer).to_bytes(_LENGTH) + _MAGIC)
    return len(batch)


class _Summed:
    """A file that sums up what is written."""

    def __init__(self, file: Any) -> None:
        self._file = file
        self.checksum = 0
        self.closed = False

    def write(self, content: Any) -> int:
        self.checksum = zlib.crc32(content, self.checksum)
        return int(self._file.write(content))

    def flush(self) -> None:
        self._file.flush()
