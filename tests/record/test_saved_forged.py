"""Columns beside a journal that somebody made with care, behind a right checksum: they end no process, hold nothing up,
and the record is the same.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
import textwrap
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pytest
from test_saved import beside, content, eager, opened, path  # noqa: F401  (two are fixtures)

from tcnb.record.columns import saved
from tcnb.record.columns.saved import SavedColumns
from tcnb.record.record import Record

PATIENCE = 60.0

Batch = pa.RecordBatch


def written(batch: Batch) -> bytes:
    """Return a batch as the stream that the file begins with."""
    body = io.BytesIO()
    with pa.ipc.new_stream(body, batch.schema) as stream:
        stream.write_batch(batch)
    return body.getvalue()


def forge(file: Path, change: Callable[[bytes, dict[str, Any]], bytes]) -> None:
    """Change stream and trailer of a file of columns, and put the right checksum behind them."""
    body, told = saved._parts(memoryview(file.read_bytes()))
    trailer = msgspec.json.decode(msgspec.json.encode(told))
    stream = change(bytes(body), trailer)
    trailer["checksum"] = zlib.crc32(msgspec.json.encode(trailer["rest"]), zlib.crc32(stream))
    end = msgspec.json.encode(trailer)
    file.write_bytes(stream + end + len(end).to_bytes(saved._LENGTH) + saved._MAGIC)


def in_buffer(name: str, number: int, edit: Callable[[Any], Any], dtype: str) -> Callable[..., bytes]:
    """Return what edits the values of one buffer of a column where they stand in the stream."""

    def change(body: bytes, trailer: dict[str, Any]) -> bytes:
        with pa.ipc.open_stream(pa.py_buffer(body)) as stream:
            column = stream.read_next_batch().column(name)
        array = column.indices if pa.types.is_dictionary(column.type) else column
        old = array.buffers()[number].to_pybytes()
        values = np.frombuffer(old, dtype).copy()
        edit(values)
        assert body.count(old) >= 1
        at = body.index(old)
        return body[:at] + values.tobytes() + body[at + len(old) :]

    return change


def in_batch(edit: Callable[[Batch], Batch]) -> Callable[..., bytes]:
    """Return what makes another batch of the one in the stream."""

    def change(body: bytes, trailer: dict[str, Any]) -> bytes:
        with pa.ipc.open_stream(pa.py_buffer(body)) as stream:
            return written(edit(stream.read_next_batch()))

    return change


def in_trailer(edit: Callable[[dict[str, Any]], Any]) -> Callable[..., bytes]:
    """Return what changes what stands behind the stream."""

    def change(body: bytes, trailer: dict[str, Any]) -> bytes:
        edit(trailer)
        return body

    return change


def put(values: Any, at: int, value: int) -> None:
    values[at] = value


def replaced(batch: Batch, name: str, array: Any) -> Batch:
    return batch.set_column(batch.schema.get_field_index(name), name, array)


def with_twins(batch: Batch) -> Batch:
    chats = batch.column("chat_id")
    words = pa.concat_arrays([chats.dictionary, chats.dictionary])
    return replaced(batch, "chat_id", pa.DictionaryArray.from_arrays(chats.indices, words))


FORGERIES: dict[str, Callable[..., bytes]] = {
    "a text that ends far behind": in_buffer("text", 1, lambda ends: put(ends, -1, 2**40), "<i8"),
    "a text that ends before it begins": in_buffer("text", 1, lambda ends: put(ends, 3, -(2**40)), "<i8"),
    "texts that begin late": in_buffer("text", 1, lambda ends: put(ends, 0, 2), "<i8"),
    "a text that is no text": in_buffer("text", 2, lambda octets: octets.fill(0xFF), "<u1"),
    "a place of no chat": in_buffer("chat_id", 1, lambda codes: put(codes, 0, 10**6), "<i4"),
    "a place before all chats": in_buffer("chat_id", 1, lambda codes: put(codes, 0, -7), "<i4"),
    "a place of no event": in_buffer("event", 1, lambda codes: codes.fill(10**8), "<i4"),
    "positions that go back": in_buffer("seq", 1, lambda seqs: put(seqs, 5, 1), "<i8"),
    "a position far ahead": in_buffer("seq", 1, lambda seqs: put(seqs, -1, 2**60), "<i8"),
    "a column less": in_batch(lambda batch: batch.drop_columns(["text"])),
    "a column of another type": in_batch(lambda batch: replaced(batch, "seq", batch.column("seq").cast(pa.float64()))),
    "no row": in_batch(lambda batch: batch.slice(0, 0)),
    "rows without an event": in_batch(
        lambda batch: replaced(batch, "event", pa.nulls(len(batch), batch.column("event").type))
    ),
    "an event that there is not": in_batch(
        lambda batch: replaced(batch, "event", pa.array(["?"] * len(batch)).dictionary_encode())
    ),
    "a chat twice": in_batch(with_twins),
    "no stream": lambda body, trailer: b"\xff" * 4000,
    "half a stream": lambda body, trailer: body[: len(body) // 2],
    "counts of another kind": in_trailer(lambda trailer: trailer["rest"].update(counts=[1])),
    "counts that are not": in_trailer(lambda trailer: trailer["rest"]["counts"].update(shots=1)),
    "no directory": in_trailer(lambda trailer: trailer["rest"].pop("directory")),
    "names that are numbers": in_trailer(lambda trailer: trailer["rest"]["directory"].update(names=[[1, 2]])),
    "another last position": in_trailer(lambda trailer: trailer["rest"].update(seq=10**6)),
    "a position that is no number of SQLite": in_trailer(lambda trailer: trailer["stamp"].update(seq=2**64 - 1)),
    "a position before the first": in_trailer(lambda trailer: trailer["stamp"].update(seq=-1)),
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_forged_columns_are_not_used(path: Path, forgery: str) -> None:  # noqa: F811
    """What cannot have been a record is left, whatever the checksum says, and the journal is read instead."""
    expected = content(opened(path))
    forge(beside(path), FORGERIES[forgery])
    record = Record()
    assert not SavedColumns(path).restore(record)
    assert len(record) == 0
    assert content(opened(path)) == expected


def test_harmless_change_behind_a_right_checksum_is_read(path: Path) -> None:  # noqa: F811
    """The forgeries above fail for what is forged, and not for how it is done."""
    opened(path)
    forge(beside(path), in_batch(lambda batch: batch))
    assert SavedColumns(path).restore(Record())


def test_no_forgery_ends_the_process(path: Path) -> None:  # noqa: F811
    """Values far outside of their memory are read by no code: a fault would end the process, not raise."""
    opened(path)
    script = """
        import sys
        from pathlib import Path
        from tcnb.record.record import Record
        from tcnb.record.columns.saved import SavedColumns
        record = Record()
        print(SavedColumns(Path(sys.argv[1])).restore(record), len(record.frame()))
    """
    for forgery in ("a text that ends far behind", "a place of no chat", "a place before all chats"):
        forge(beside(path), FORGERIES[forgery])
        process = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(script), str(path)],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )
        assert (process.returncode, process.stdout) == (0, "False 0\n"), process.stderr
        opened(path)


def test_columns_that_others_may_write_are_not_used(path: Path) -> None:  # noqa: F811
    """A file that another user could have written is left alone, and so is one that is no file."""
    expected = content(opened(path))
    beside(path).chmod(0o666)
    assert SavedColumns(path).stamp() is None
    assert content(opened(path)) == expected
    beside(path).unlink()
    os.mkfifo(beside(path))
    assert SavedColumns(path).stamp() is None
    assert content(opened(path)) == expected
