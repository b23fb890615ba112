"""Rows of fixed columns: they wait until there are enough to be written at once; what they mean is not known here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from tcnb.record.columns import CategoryStore, ColumnStore, store
from tcnb.record.schema import Column

Row = tuple[Any, ...]
"""The values of a row in the order of the columns; times in microseconds since 1970, None for what is missing."""

# Long enough that the vectorized step is cheap per row, short enough that a snapshot never waits for it.
_BATCH: Final = 1024


@dataclass(slots=True)
class _Waiting:
    """Rows that are not in the columns yet.

    Attributes:
        start: the number of rows that are.
        rows: those that follow them.
    """

    start: int = 0
    rows: list[Row] = field(default_factory=list)


class Table:
    """Rows by number; the caller lets in one thread at a time.

    Attributes:
        length: how many rows there are.
    """

    def __init__(self, columns: Sequence[Column]) -> None:
        """Make an empty table.

        Args:
            columns: its columns, in the order of the values of a row.
        """
        self._stores: dict[str, ColumnStore] = {column.name: store(column) for column in columns}
        self._position_of = {column.name: position for position, column in enumerate(columns)}
        self._waiting = _Waiting()
        self.length = 0

    @property
    def nbytes(self) -> int:
        """Bytes of memory that the columns take."""
        return sum(column.nbytes for column in self._stores.values())

    def append(self, row: Row) -> None:
        """Add a row."""
        rows = self._waiting.rows
        if not rows:
            self._make_room()
        rows.append(row)
        self.length += 1
        if len(rows) >= _BATCH:
            self._write()

    def at(self, row: int, name: str) -> Any:
        """Return one value of one row."""
        waiting = self._waiting
        if row >= waiting.start:
            return waiting.rows[row - waiting.start][self._position_of[name]]
        return self._stores[name].values(row, row + 1)[0]

    def arrays(self) -> dict[str, Any]:
        """Return the columns as pandas arrays that share this memory and must not be written."""
        self._write()
        length = self._waiting.start
        return {name: column.array(length) for name, column in self._stores.items()}

    def columns(self, start: int, stop: int) -> dict[str, list[Any]]:
        """Return some rows as lists of plain values by column."""
        self._write()
        return {name: column.values(start, stop) for name, column in self._stores.items()}

    def derive(self, name: str, source: str, value_of: Callable[[str], str | None]) -> None:
        """Write a column of categories anew, each value from that of another column in its row."""
        self._write()
        target, origin = self._stores[name], self._stores[source]
        assert isinstance(target, CategoryStore)
        assert isinstance(origin, CategoryStore)
        target.derive(origin, self._waiting.start, value_of)

    def search(self, name: str, value: int) -> int:
        """Return how many values of an ascending column of whole numbers are not above `value`."""
        self._write()
        numbers = self._stores[name].array(self._waiting.start).to_numpy(np.int64)
        return int(numbers.searchsorted(value, side="right"))

    def _make_room(self) -> None:
        """Move columns that are nearly full now, since a snapshot should not have to wait for that."""
        for column in self._stores.values():
            column.make_room(self._waiting.start, _BATCH)

    def _write(self) -> None:
        """Move the rows that wait into the columns."""
        waiting = self._waiting
        if not waiting.rows:
            return
        for column, values in zip(self._stores.values(), zip(*waiting.rows, strict=True), strict=True):
            column.write(waiting.start, values)
        # One assignment, since the interrupt button may strike anywhere: before it nothing has been written.
        self._waiting = _Waiting(waiting.start + len(waiting.rows))
