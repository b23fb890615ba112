"""Rows of fixed columns: they wait until there are enough to be written at once; what they mean is not known here."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from tcnb.record.columns.columns import NO_TIME, CategoryStore, ColumnStore, MaskedStore, TimeStore, merged, store
from tcnb.record.schema import Column

Row = tuple[Any, ...]
"""The values of a row in the order of the columns; times in microseconds since 1970, None for what is missing."""

# Long enough that the vectorized step is cheap per row, short enough that a snapshot never waits for it.
_BATCH: Final = 1024

# How far ahead of the rows memory is got. Getting it for every batch anew would move one column or another at each.
_AHEAD: Final = 8 * _BATCH


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

    Rows that wait are plain Python values and are searched and handed out as such. Moving them into the columns gives
    the interpreter away many times, and beside a thread that computes each time may cost 5 ms and more to get it back:
    that happens for a full batch, and for a snapshot, which whoever asks for it waits for.

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
        self._room = 0
        self.length = 0

    @property
    def nbytes(self) -> int:
        """Bytes of memory that the columns take."""
        return sum(column.nbytes for column in self._stores.values())

    def append(self, row: Row) -> None:
        """Add a row."""
        rows = self._waiting.rows
        rows.append(row)
        self.length += 1
        if len(rows) >= _BATCH:
            self._write()
            self._make_room()

    def extend(self, columns: Mapping[str, Any], places: npt.NDArray[np.int64], others: Mapping[int, Row]) -> None:
        """Add many rows at once.

        Args:
            columns: values of most of the rows, as Arrow arrays of the types that `frozen` gives; a column that is not
                among them has none.
            places: which of the new rows these are, ascending from 0.
            others: the rest of the new rows, by the same numbers.
        """
        self._write()
        start, count = self._waiting.start, len(places) + len(others)
        # Where each new row stands when the others are put behind the first ones.
        order = np.empty(count, np.int64)
        order[places] = np.arange(len(places))
        order[list(others)] = np.arange(len(places), count)
        for position, (name, column) in enumerate(self._stores.items()):
            more = [row[position] for row in others.values()]
            array = columns.get(name)
            if array is None and more.count(None) == len(more):
                column.write(start, [None] * count)
            elif not more:
                column.place(start, array)
            else:
                column.place(start, merged(array, len(places), column.array_of(more)).take(pa.array(order)))
        self._waiting = _Waiting(start + count)
        self.length = start + count
        self._make_room()

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

    def frozen(self) -> Callable[[], dict[str, Any]]:
        """Return what gives the rows up to now as Arrow arrays by column, on any thread and at any later time.

        The arrays may share this memory and must not be written.
        """
        self._write()
        length = self._waiting.start
        # A copy keeps the memory it has, where the column itself moves to other or is written anew.
        columns = {name: copy(column) for name, column in self._stores.items()}
        return lambda: {name: column.arrow(length) for name, column in columns.items()}

    def categories(self, name: str) -> list[str]:
        """Return the categories that a column has in its rows up to the last full batch or snapshot."""
        column = self._stores[name]
        assert isinstance(column, CategoryStore)
        return column.categories

    def load(self, arrays: Mapping[str, Any]) -> None:
        """Take all rows from arrays of the types that `frozen` gives; the table must be empty."""
        for name, column in self._stores.items():
            column.place(0, arrays[name])
            self.length = len(arrays[name])
        self._waiting = _Waiting(self.length)

    def rows(self, start: int, stop: int) -> list[Row]:
        """Return some rows."""
        waiting = self._waiting
        found: list[Row] = []
        if start < waiting.start:
            last = min(stop, waiting.start)
            found += zip(*(column.values(start, last) for column in self._stores.values()), strict=True)
        if stop > waiting.start:
            found += waiting.rows[max(start - waiting.start, 0) : stop - waiting.start]
        return found

    def take(self, rows: npt.NDArray[np.int32]) -> list[Row]:
        """Return the rows of some numbers, in the order of these."""
        waiting = self._waiting
        is_written = rows < waiting.start
        written = rows[is_written]
        found = zip(*(column.take(written) for column in self._stores.values()), strict=True)
        pairs = zip(rows.tolist(), is_written.tolist(), strict=True)
        return [next(found) if is_there else waiting.rows[row - waiting.start] for row, is_there in pairs]

    def times(self, name: str, rows: npt.NDArray[np.int32]) -> npt.NDArray[np.int64]:
        """Return the values of a column of times as whole microseconds, of which `NO_TIME` is a missing one."""
        column, waiting, position = self._stores[name], self._waiting, self._position_of[name]
        assert isinstance(column, TimeStore)
        is_written = rows < waiting.start
        if is_written.all():
            return column.times(rows)
        found = np.empty(len(rows), np.int64)
        found[is_written] = column.times(rows[is_written])
        others = (waiting.rows[row - waiting.start][position] for row in rows[~is_written].tolist())
        found[~is_written] = [NO_TIME if time is None else time for time in others]
        return found

    def where(
        self, rows: npt.NDArray[np.int32], names: Sequence[str], holds: Callable[[Mapping[str, Any]], bool]
    ) -> npt.NDArray[np.bool_]:
        """Return which of some rows meet a condition.

        Args:
            rows: their numbers.
            names: columns of categories that the condition is about.
            holds: the condition, given the values of these columns by name; it is asked once for each combination.
        """
        waiting = self._waiting
        is_written = rows < waiting.start
        found = np.zeros(len(rows), np.bool_)
        found[is_written] = self._where_written(rows[is_written], names, holds)
        places = [self._position_of[name] for name in names]
        others = (waiting.rows[row - waiting.start] for row in rows[~is_written].tolist())
        found[~is_written] = [holds(dict(zip(names, (row[place] for place in places), strict=True))) for row in others]
        return found

    def _where_written(
        self, rows: npt.NDArray[np.int32], names: Sequence[str], holds: Callable[[Mapping[str, Any]], bool]
    ) -> npt.NDArray[np.bool_]:
        number = np.zeros(len(rows), np.int64)
        for name in names:
            column = self._stores[name]
            assert isinstance(column, CategoryStore)
            codes = column.codes(rows).astype(np.int64) + 1
            # Numbered anew with every column, so that the combinations of many still fit 64 bits.
            _, number = np.unique(number * (len(column.categories) + 1) + codes, return_inverse=True)
        _, first = np.unique(number, return_index=True)
        examples = (self._stores[name].take(rows[first]) for name in names)
        met = [holds(dict(zip(names, values, strict=True))) for values in zip(*examples, strict=True)]
        return np.array(met, np.bool_)[number]

    def derive(self, name: str, source: str, value_of: Callable[[str], str | None]) -> None:
        """Write a column of categories anew, each value from that of another column in its row."""
        self._write()
        target, origin = self._stores[name], self._stores[source]
        assert isinstance(target, CategoryStore)
        assert isinstance(origin, CategoryStore)
        target.derive(origin, self._waiting.start, value_of)

    def search(self, name: str, value: int) -> int:
        """Return how many values of an ascending column of whole numbers are not above `value`."""
        waiting, position = self._waiting, self._position_of[name]
        if waiting.rows and waiting.rows[0][position] <= value:
            return waiting.start + bisect_right(waiting.rows, value, key=itemgetter(position))
        column = self._stores[name]
        assert isinstance(column, MaskedStore)
        return column.search(value, waiting.start)

    def _make_room(self) -> None:
        """Move columns that are nearly full now, since a snapshot should not have to wait for that."""
        start = self._waiting.start
        if start + _BATCH <= self._room:
            return
        for column in self._stores.values():
            column.make_room(start, _AHEAD)
        self._room = start + _AHEAD

    def _write(self) -> None:
        """Move the rows that wait into the columns."""
        waiting = self._waiting
        if not waiting.rows:
            return
        for column, values in zip(self._stores.values(), zip(*waiting.rows, strict=True), strict=True):
            column.write(waiting.start, values)
        # One assignment, since the interrupt button may strike anywhere: before it nothing has been written.
        self._waiting = _Waiting(waiting.start + len(waiting.rows))
