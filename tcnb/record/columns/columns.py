"""Columns that grow: values go in by the batch, pandas arrays over the same memory come out; no meaning is known here.

A row never changes once it is written, so an array handed out stays right while rows are added behind its end. A
column that runs out of room moves to new memory, and arrays handed out before keep the old.
"""

from __future__ import annotations

import mmap
import sys
from abc import ABC, abstractmethod
from bisect import bisect_right
from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from tcnb.record.schema import Column, Kind

_SMALLEST: Final = 1024
# An eighth costs eight moves of each value over a column's life and wastes at most an eighth of its memory. Below some
# size the moves matter and the memory does not (at 100,000 events they were a third of what a message cost).
_GROWTH: Final = 8
_SMALL: Final = 4 * 2**20

# From here on memory is asked of the system and given back to it: what columns leave behind in moving would otherwise
# stay with the process (84 MiB of it were measured at a million events, whose columns take 275).
_LARGE: Final = 256 * 1024

_TIME_DTYPE: Final = pd.DatetimeTZDtype("us", "UTC")
NO_TIME: Final = np.iinfo(np.int64).min
"""The whole number that stands for a missing time."""
_NO_CODE: Final = -1


class Buffer:
    """Memory for values of one type that grows as it is written."""

    __slots__ = ("_data",)

    def __init__(self, dtype: npt.DTypeLike) -> None:
        self._data: npt.NDArray[Any] = np.empty(0, dtype)

    @property
    def nbytes(self) -> int:
        """Bytes of memory taken, including what is not in use yet."""
        return self._data.nbytes

    def room(self, start: int, stop: int) -> npt.NDArray[Any]:
        """Return the place of some values, to be written by the caller; what stands before it is kept."""
        capacity = len(self._data)
        if stop > capacity:
            # What is filled at once (a record from its saved columns) is going to grow, too.
            spare = 0 if capacity else stop // _GROWTH
            more = capacity if self._data.nbytes < _SMALL else capacity // _GROWTH
            moved = _memory(max(stop + spare, capacity + more, _SMALLEST), self._data.dtype)
            moved[:start] = self._data[:start]  # and nothing behind it, whose memory nobody has touched yet
            self._data = moved
        return self._data[start:stop]

    def view(self, start: int, stop: int) -> npt.NDArray[Any]:
        """Return some values, without a copy and without the right to change them."""
        values = self._data[start:stop]
        values.flags.writeable = False
        return values

    def at(self, rows: npt.NDArray[np.int32]) -> npt.NDArray[Any]:
        """Return a copy of the values at some places."""
        return self._data[rows]


class ColumnStore(ABC):
    """The values of one column; how many of them count is known to the caller alone.

    A batch that was written in part (an interrupt may come at any moment) is therefore as good as not written: it is
    written again to the same place.
    """

    @abstractmethod
    def write(self, start: int, values: Sequence[Any]) -> None:
        """Write values from row `start` on, None for a missing one; the rows before it have been written."""

    @abstractmethod
    def place(self, start: int, array: Any) -> None:
        """Write the values of an Arrow array, of the type that `arrow` returns, as `write` does."""

    @abstractmethod
    def array_of(self, values: Sequence[Any]) -> Any:
        """Return values as an Arrow array of the type that `arrow` returns, None for a missing one."""

    @abstractmethod
    def arrow(self, length: int) -> Any:
        """Return the first values as an Arrow array; it may share this memory and must not be written."""

    @abstractmethod
    def make_room(self, length: int, more: int) -> None:
        """See to it that `more` rows behind the first `length` can be written without moving the column."""

    @abstractmethod
    def array(self, length: int) -> Any:
        """Return the first values as a pandas array that shares this memory and must not be written."""

    @abstractmethod
    def values(self, start: int, stop: int) -> list[Any]:
        """Return some values as plain Python values, None for a missing one; times are whole microseconds."""

    @abstractmethod
    def take(self, rows: npt.NDArray[np.int32]) -> list[Any]:
        """Return the values of some rows as `values` does."""

    @property
    @abstractmethod
    def nbytes(self) -> int:
        """Bytes of memory taken."""


class MaskedStore(ColumnStore):
    """Numbers or truth values, beside a mask of those that are missing."""

    def __init__(self, dtype: npt.DTypeLike, arrow_type: Any, array_type: Any) -> None:
        self._numbers = Buffer(dtype)
        self._missing = Buffer(np.bool_)
        self._arrow_type = arrow_type
        self._array_type = array_type
        self._filling = np.dtype(dtype).type(0).item()

    def write(self, start: int, values: Sequence[Any]) -> None:
        stop = start + len(values)
        numbers, missing = self._numbers.room(start, stop), self._missing.room(start, stop)
        if _none_at_all(values):
            numbers[:] = self._filling
            missing[:] = True
            return
        self.place(start, self.array_of(values))

    def array_of(self, values: Sequence[Any]) -> Any:
        return pa.array(values, self._arrow_type)

    def place(self, start: int, array: Any) -> None:
        stop = start + len(array)
        numbers, missing = self._numbers.room(start, stop), self._missing.room(start, stop)
        if array.null_count:
            missing[:] = array.is_null().to_numpy(zero_copy_only=False)
            array = array.fill_null(self._filling)
        else:
            missing[:] = False
        numbers[:] = array.to_numpy(zero_copy_only=False)

    def arrow(self, length: int) -> Any:
        return pa.array(self._numbers.view(0, length), self._arrow_type, mask=self._missing.view(0, length))

    def make_room(self, length: int, more: int) -> None:
        self._numbers.room(length, length + more)
        self._missing.room(length, length + more)

    def array(self, length: int) -> Any:
        return self._array_type(self._numbers.view(0, length), self._missing.view(0, length), copy=False)

    def values(self, start: int, stop: int) -> list[Any]:
        return _unmasked(self._numbers.view(start, stop), self._missing.view(start, stop))

    def take(self, rows: npt.NDArray[np.int32]) -> list[Any]:
        return _unmasked(self._numbers.at(rows), self._missing.at(rows))

    def search(self, value: int, length: int) -> int:
        """Return how many of the first values, ascending and none missing, are not above `value`."""
        # Not the vectorized way, which gives the interpreter away.
        return bisect_right(self._numbers.view(0, length), value)

    @property
    def nbytes(self) -> int:
        return self._numbers.nbytes + self._missing.nbytes


class TimeStore(ColumnStore):
    """Points in time, as microseconds since 1970 in UTC."""

    def __init__(self) -> None:
        self._times = Buffer(np.int64)

    def write(self, start: int, values: Sequence[Any]) -> None:
        if _none_at_all(values):
            self._times.room(start, start + len(values))[:] = NO_TIME
            return
        self.place(start, self.array_of(values))

    def array_of(self, values: Sequence[Any]) -> Any:
        return pa.array(values, pa.int64())

    def place(self, start: int, array: Any) -> None:
        times = self._times.room(start, start + len(array))
        times[:] = (array.fill_null(NO_TIME) if array.null_count else array).to_numpy()

    def arrow(self, length: int) -> Any:
        times = self._times.view(0, length)
        return pa.array(times, mask=times == NO_TIME)

    def make_room(self, length: int, more: int) -> None:
        self._times.room(length, length + more)

    def array(self, length: int) -> Any:
        return time_array(self._times.view(0, length))

    def values(self, start: int, stop: int) -> list[Any]:
        return [None if time == NO_TIME else time for time in self._times.view(start, stop).tolist()]

    def take(self, rows: npt.NDArray[np.int32]) -> list[Any]:
        return [None if time == NO_TIME else time for time in self.times(rows).tolist()]

    def times(self, rows: npt.NDArray[np.int32]) -> npt.NDArray[np.int64]:
        """Return the values of some rows as whole numbers, of which `NO_TIME` is a missing one."""
        return self._times.at(rows)

    @property
    def nbytes(self) -> int:
        return self._times.nbytes


class CategoryStore(ColumnStore):
    """Strings of which there are few: a code for each, in the narrowest type that pandas would choose."""

    def __init__(self, categories: Sequence[str] = ()) -> None:
        self._codes = Buffer(np.int8)
        self._code_of = _Codes(categories)
        self._dtype = _category_dtype(())

    def write(self, start: int, values: Sequence[Any]) -> None:
        codes: Any
        if values and values[0] is values[-1] and values.count(values[0]) == len(values):
            codes = self._code_of[values[0]]
        else:
            codes = np.fromiter(map(self._code_of.__getitem__, values), np.int32, len(values))
        self._put(start, start + len(values), codes)

    def array_of(self, values: Sequence[Any]) -> Any:
        return pa.array(values, pa.string()).dictionary_encode()

    def place(self, start: int, array: Any) -> None:
        code_of = np.array([*map(self._code_of.__getitem__, array.dictionary.to_pylist()), _NO_CODE], np.int32)
        # A missing value takes the last entry.
        codes = array.indices.fill_null(len(code_of) - 1).to_numpy()
        self._put(start, start + len(array), code_of[codes])

    def arrow(self, length: int) -> Any:
        codes = self._codes.view(0, length)
        return pa.DictionaryArray.from_arrays(
            pa.array(codes.astype(np.int32), mask=codes < 0), pa.array(self.categories, pa.string())
        )

    @property
    def categories(self) -> list[str]:
        """The categories in the order of their codes."""
        return self._code_of.categories[: self._code_of.count]

    def make_room(self, length: int, more: int) -> None:
        self._codes.room(length, length + more)

    def array(self, length: int) -> Any:
        if len(self._dtype.categories) < self._code_of.count:
            self._dtype = _category_dtype(self.categories)
        return pd.Categorical.from_codes(self._codes.view(0, length), dtype=self._dtype, validate=False)

    def values(self, start: int, stop: int) -> list[Any]:
        categories = self._code_of.categories
        return [None if code < 0 else categories[code] for code in self._codes.view(start, stop).tolist()]

    def take(self, rows: npt.NDArray[np.int32]) -> list[Any]:
        categories = self._code_of.categories
        return [None if code < 0 else categories[code] for code in self.codes(rows).tolist()]

    def codes(self, rows: npt.NDArray[np.int32]) -> npt.NDArray[Any]:
        """Return the codes of some rows, of which -1 is a missing value."""
        return self._codes.at(rows)

    @property
    def nbytes(self) -> int:
        return self._codes.nbytes

    def derive(self, source: CategoryStore, length: int, value_of: Callable[[str], str | None]) -> None:
        """Write all values anew, each from that of another column; what was handed out before keeps what it had."""
        code_of = _Codes(())
        table = [code_of[value_of(category)] for category in source._code_of.categories]
        # A missing value has the code -1, which takes the last entry.
        numbered = np.array([*table, _NO_CODE], _code_type(code_of.count))
        codes = Buffer(numbered.dtype)
        codes.room(0, length)[:] = numbered.take(source._codes.view(0, length), mode="wrap")
        self._code_of, self._codes, self._dtype = code_of, codes, _category_dtype(())

    def _put(self, start: int, stop: int, codes: Any) -> None:
        self._widen(start)
        self._codes.room(start, stop)[:] = codes

    def _widen(self, length: int) -> None:
        needed = _code_type(self._code_of.count)
        codes = self._codes.view(0, length)
        if needed.itemsize > codes.dtype.itemsize:
            wider = Buffer(needed)
            wider.room(0, length)[:] = codes
            self._codes = wider


class TextStore(ColumnStore):
    """Strings in Arrow's layout: their UTF-8 end to end, where each ends, and a bit for each that is there."""

    def __init__(self) -> None:
        self._bytes = Buffer(np.uint8)
        self._ends = Buffer(np.int64)
        self._present = Buffer(np.uint8)
        self._ends.room(0, 1)[:] = 0

    def write(self, start: int, values: Sequence[Any]) -> None:
        count = len(values)
        if _none_at_all(values):
            self._ends.room(start + 1, start + 1 + count)[:] = self._ends.view(start, start + 1)[0]
            self._mark(start, np.zeros(count, np.bool_))
            return
        self.place(start, self.array_of(values))

    def array_of(self, values: Sequence[Any]) -> Any:
        return _text_array(values)

    def place(self, start: int, array: Any) -> None:
        count = len(array)
        first = int(self._ends.view(start, start + 1)[0])
        ends = self._ends.room(start + 1, start + 1 + count)
        _, offsets, data = array.buffers()
        np.add(np.frombuffer(offsets, np.int64, count + 1)[1:], first, out=ends)
        size = int(ends[-1]) - first
        if size:
            self._bytes.room(first, first + size)[:] = np.frombuffer(data, np.uint8, size)
        self._mark(start, array.is_valid().to_numpy(zero_copy_only=False))

    def arrow(self, length: int) -> Any:
        ends = self._ends.view(0, length + 1)
        present = self._present.view(0, (length + 7) // 8)
        buffers = [pa.py_buffer(values) for values in (ends, self._bytes.view(0, int(ends[-1])), present)]
        return pa.LargeStringArray.from_buffers(length, *buffers)

    def make_room(self, length: int, more: int) -> None:
        used = int(self._ends.view(length, length + 1)[0])
        self._ends.room(length + 1, length + 1 + more)
        self._present.room((length + 7) >> 3, ((length + more) >> 3) + 1)
        # Twice what so many strings took up to now: a guess, and only time is lost where it is wrong.
        self._bytes.room(used, used + 2 * more * used // max(length, 1))

    def array(self, length: int) -> Any:
        return pd.arrays.ArrowStringArray(self.arrow(length))

    def values(self, start: int, stop: int) -> list[Any]:
        ends = self._ends.view(start, stop + 1).tolist()
        first = ends[0]
        data = self._bytes.view(first, ends[-1]).tobytes()
        octets = self._present.view(start >> 3, (stop + 7) >> 3).tolist()
        base = start & ~7
        return [
            data[begin - first : end - first].decode() if octets[(row - base) >> 3] >> (row & 7) & 1 else None
            for row, begin, end in zip(range(start, stop), ends, ends[1:], strict=False)
        ]

    def take(self, rows: npt.NDArray[np.int32]) -> list[Any]:
        present = (self._present.at(rows >> 3) >> (rows & 7).astype(np.uint8) & 1).tolist()
        found: list[Any] = [None] * len(rows)
        if any(present):
            begins, ends = self._ends.at(rows).tolist(), self._ends.at(rows + 1).tolist()
            for place, (is_present, begin, end) in enumerate(zip(present, begins, ends, strict=True)):
                if is_present:
                    found[place] = self._bytes.view(begin, end).tobytes().decode()
        return found

    @property
    def nbytes(self) -> int:
        return self._bytes.nbytes + self._ends.nbytes + self._present.nbytes

    def _mark(self, start: int, present: npt.NDArray[np.bool_]) -> None:
        """Set the bits of new rows; in the byte that they share with rows before them, those keep theirs."""
        octet, shared = start >> 3, start & 7
        bits = np.zeros(shared + len(present), np.bool_)
        if shared:
            bits[:shared] = np.unpackbits(self._present.view(octet, octet + 1), count=shared, bitorder="little")
        bits[shared:] = present
        packed = np.packbits(bits, bitorder="little")
        if shared:
            # Somebody may be reading this byte: it goes from its old bits to the old and the new in one step.
            self._present.room(octet, octet + 1)[0] = packed[0]
            octet, packed = octet + 1, packed[1:]
        self._present.room(octet, octet + len(packed))[:] = packed


class _Codes(dict[str | None, int]):
    """Code of each category; a value not met before gets the next one.

    Attributes:
        categories: the categories in the order of their codes.
    """

    def __init__(self, categories: Sequence[str]) -> None:
        super().__init__({None: _NO_CODE})
        self.categories: list[str] = []
        for category in categories:
            self[category]

    def __missing__(self, value: str | None) -> int:
        assert value is not None
        code = self.count
        # Whatever stands there was left by an interrupt between the next two steps.
        del self.categories[code:]
        self.categories.append(value)
        self[value] = code
        return code

    @property
    def count(self) -> int:
        return len(self) - 1


def store(column: Column) -> ColumnStore:
    """Return an empty store for a column of that kind."""
    match column.kind:
        case Kind.INTEGER:
            return MaskedStore(np.int64, pa.int64(), pd.arrays.IntegerArray)
        case Kind.FLOAT:
            return MaskedStore(np.float64, pa.float64(), pd.arrays.FloatingArray)
        case Kind.BOOLEAN:
            return MaskedStore(np.bool_, pa.bool_(), pd.arrays.BooleanArray)
        case Kind.TIME:
            return TimeStore()
        case Kind.CATEGORY:
            return CategoryStore(column.categories)
        case Kind.TEXT:
            return TextStore()


def merged(array: Any, length: int, more: Any) -> Any:
    """Return an Arrow array with another behind it; where there is none, so many missing values stand for it."""
    if array is None:
        array = pa.nulls(length, more.type)
    return pa.concat_arrays(pa.chunked_array([array, more]).unify_dictionaries().chunks)


def _memory(count: int, dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    size = count * dtype.itemsize
    if size < _LARGE:
        return np.empty(count, dtype)
    if sys.platform == "win32":
        return np.frombuffer(mmap.mmap(-1, size), dtype)
    # Private: a forked process that goes on writing must not write into the record of its parent.
    return np.frombuffer(mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE), dtype)


def time_array(microseconds: npt.NDArray[np.int64]) -> Any:
    """Return times over whole microseconds since 1970, without a copy; `NO_TIME` is a missing one."""
    return pd.array(microseconds, dtype=_TIME_DTYPE, copy=False)


def integer_array(numbers: npt.NDArray[np.int64]) -> Any:
    """Return whole numbers of which none is missing, without a copy."""
    return pd.arrays.IntegerArray(numbers, np.zeros(len(numbers), np.bool_), copy=False)


def truth_array(truths: npt.NDArray[np.bool_]) -> Any:
    """Return truth values of which none is missing, without a copy."""
    return pd.arrays.BooleanArray(truths, np.zeros(len(truths), np.bool_), copy=False)


def category_array(codes: npt.NDArray[np.int32], categories: Sequence[str]) -> Any:
    """Return the categories that `codes` number; -1 is a missing one."""
    narrow = codes.astype(_code_type(len(categories)))
    return pd.Categorical.from_codes(narrow, dtype=_category_dtype(categories), validate=False)


def _unmasked(numbers: npt.NDArray[Any], missing: npt.NDArray[np.bool_]) -> list[Any]:
    return [None if gone else number for number, gone in zip(numbers.tolist(), missing.tolist(), strict=True)]


def _none_at_all(values: Sequence[Any]) -> bool:
    return not values or (values[0] is None and values.count(None) == len(values))


def _text_array(values: Sequence[Any]) -> Any:
    try:
        return pa.array(values, pa.large_string())
    except UnicodeEncodeError:
        # Half of a surrogate pair cannot be stored as UTF-8.
        return pa.array(
            [None if value is None else value.encode("utf-8", "replace").decode() for value in values],
            pa.large_string(),
        )


def _category_dtype(categories: Sequence[str]) -> pd.CategoricalDtype:
    return pd.CategoricalDtype(pd.Index(list(categories), dtype="str"), ordered=False)


def _code_type(categories: int) -> np.dtype[Any]:
    # The same limits as in pandas, which otherwise narrows the codes itself, with a copy.
    for narrow in (np.int8, np.int16):
        if categories < np.iinfo(narrow).max:
            return np.dtype(narrow)
    return np.dtype(np.int32)
