"""Whether columns that were read from a file can be those of a record: Arrow and the record take memory and places from
them without looking.
"""

from __future__ import annotations

from dataclasses import fields
from functools import cache
from typing import Any, Final

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tcnb.record.columns.columns import CategoryStore, store
from tcnb.record.record import Counts
from tcnb.record.schema import COLUMNS, ORIGIN

MOST_ROWS: Final = 2**31 - 2
"""Rows that can be numbered in the timeline and in the index of messages."""

_COUNTS: Final = frozenset(field.name for field in fields(Counts))


class _Directory(msgspec.Struct, forbid_unknown_fields=True):
    chats: list[tuple[str, str | None, int | None]]
    names: list[tuple[str, str]]


class _Rest(msgspec.Struct, forbid_unknown_fields=True):
    seq: int
    counts: dict[str, int]
    directory: _Directory


def checked_rest(content: msgspec.Raw, seq: int) -> dict[str, Any]:
    """Return what does not fit columns, once it is what `Record.restore` takes.

    Args:
        content: the JSON of it.
        seq: the position up to which the columns go.

    Raises:
        ValueError: it is something else.
    """
    rest = msgspec.json.decode(content, type=_Rest)
    if rest.seq != seq or rest.counts.keys() != _COUNTS or min(rest.counts.values()) < 0:
        raise ValueError("its numbers do not fit")
    plain: dict[str, Any] = msgspec.to_builtins(rest)
    return plain


def check_columns(batch: pa.RecordBatch, seq: int) -> None:
    """See that a batch has the columns of a record, and that every place in them is one.

    Args:
        batch: the columns, in their order.
        seq: the position up to which they go.

    Raises:
        ValueError, pyarrow.ArrowException: it has not.
    """
    if batch.schema.names != [column.name for column in (*COLUMNS, ORIGIN)]:
        raise ValueError("its columns are others")
    if not 0 < len(batch) <= MOST_ROWS:
        raise ValueError("it has no rows, or too many")
    for array, column in zip(batch.columns, (*COLUMNS, ORIGIN), strict=True):
        if array.type != _types()[column.name]:
            raise ValueError(f"{column.name} is of another type")
        # Offsets, the places of categories, and UTF-8: to be asked for before any value is.
        array.validate(full=True)
        _check_layout(array, column.name)
        if column.categories and not set(array.dictionary.to_pylist()) <= set(column.categories):
            raise ValueError(f"{column.name} has other values than there are")
    for name in ("seq", "received", "event", ORIGIN.name):
        if batch.column(name).null_count:
            raise ValueError(f"{name} lacks values")
    numbers = batch.column("seq").to_numpy()
    if numbers[0] < 1 or numbers[-1] > seq or (np.diff(numbers) <= 0).any():
        raise ValueError("its positions are not ascending")


def _check_layout(array: Any, name: str) -> None:
    """Refuse what Arrow allows and a record never writes: it takes values from the start of their memory."""
    if array.offset:
        raise ValueError(f"{name} does not begin at its start")
    if pa.types.is_large_string(array.type):
        offsets = np.frombuffer(array.buffers()[1], np.int64, 1)
        if offsets[0]:
            raise ValueError(f"{name} does not begin at its start")
    elif pa.types.is_dictionary(array.type):
        words = array.dictionary
        if words.null_count or pc.count_distinct(words).as_py() != len(words):
            raise ValueError(f"{name} has a category twice, or none")


@cache
def _types() -> dict[str, Any]:
    """Return the Arrow types of the columns, by name."""
    stores = {column.name: store(column) for column in (*COLUMNS, ORIGIN)}
    return {
        name: pa.dictionary(pa.int32(), pa.string()) if isinstance(one, CategoryStore) else one.arrow(0).type
        for name, one in stores.items()
    }
