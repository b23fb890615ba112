"""Where the message of a given id stands, at 8 bytes a slot: a dictionary would weigh as much as the columns do."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

_SMALLEST: Final = 1024
_ROW_BITS: Final = 32
_ROW_MASK: Final = (1 << _ROW_BITS) - 1
_HASH_MASK: Final = 0xFFFFFFFF


Slots = list[npt.NDArray[np.uint64]]
"""Places in the table, in the order in which they were taken."""


class MessageIndex:
    """Rows by message id: a table with open addressing whose slots hold 32 bits of the id's hash and the row.

    The ids themselves stay in the columns; `id_at` reads them there whenever the hashes agree.
    """

    def __init__(self, id_at: Callable[[int], str | None]) -> None:
        """Make an empty index.

        Args:
            id_at: returns the message id of a row.
        """
        self._id_at = id_at
        self._table = array("Q", bytes(8 * _SMALLEST))
        self._count = 0
        self._most = _SMALLEST * 2 // 3
        self._mask = _SMALLEST - 1

    def __len__(self) -> int:
        return self._count

    @property
    def nbytes(self) -> int:
        """Bytes of memory taken."""
        return self._table.itemsize * len(self._table)

    def find(self, message_id: str) -> int | None:
        """Return the row of a message; None where there is none."""
        entry = self._table[self._seek(message_id, hash(message_id) & _HASH_MASK)]
        return (entry & _ROW_MASK) - 1 if entry else None

    def find_or_add(self, message_id: str, row: int) -> int | None:
        """Return the row where a message already stands; otherwise note that it stands at `row`, and return None."""
        hashed = hash(message_id) & _HASH_MASK
        slot = self._seek(message_id, hashed)
        entry = self._table[slot]
        if entry:
            return (entry & _ROW_MASK) - 1
        self._table[slot] = hashed << _ROW_BITS | (row + 1)
        self._count += 1
        if self._count > self._most:
            self._grow()
        return None

    def add_all(self, messages: Sequence[str], rows: Sequence[int], first: int) -> Slots | None:
        """Note messages, no two of one id, that will stand at these rows.

        Args:
            messages: their ids.
            rows: the row of each.
            first: the row from which on nothing stands yet.

        Returns:
            Where that was noted, for `take_back`; None, and nothing is noted, if one of them is there already.
        """
        while self._count + len(messages) > self._most:
            self._grow()
        hashes = np.fromiter(map(hash, messages), np.int64, len(messages)).astype(np.uint64) & np.uint64(_HASH_MASK)
        entries = hashes << np.uint64(_ROW_BITS) | (np.asarray(rows, np.int64) + 1).astype(np.uint64)
        table, mask = np.frombuffer(self._table, np.uint64), np.uint64(self._mask)
        waiting, slots = np.arange(len(messages)), hashes & mask
        placed: Slots = []
        while len(waiting):
            found = table[slots]
            alike = (found >> np.uint64(_ROW_BITS) == hashes[waiting]) & (found != 0)
            if any(self._is(found[one], messages[waiting[one]], first) for one in np.flatnonzero(alike)):
                _clear(table, placed)
                return None
            # Of several that want one empty slot the first gets it; the others look at it again.
            empty = np.flatnonzero(found == 0)
            lucky = empty[np.unique(slots[empty], return_index=True)[1]]
            table[slots[lucky]] = entries[waiting[lucky]]
            placed.append(slots[lucky])
            left = np.ones(len(waiting), np.bool_)
            left[lucky] = False
            slots = np.where(found == 0, slots, (slots + np.uint64(1)) & mask)[left]
            waiting = waiting[left]
        self._count += len(messages)
        return placed

    def take_back(self, placed: Slots) -> None:
        """Undo the latest `add_all`, after which nothing else was noted."""
        _clear(np.frombuffer(self._table, np.uint64), placed)
        self._count -= sum(map(len, placed))

    def _is(self, entry: np.uint64, message_id: str, first: int) -> bool:
        """Return whether an entry, of the same hash and not among those that are just noted, is of that message."""
        row = (int(entry) & _ROW_MASK) - 1
        return row < first and self._id_at(row) == message_id

    def fill(self, messages: Iterable[str], rows: npt.NDArray[np.int64]) -> None:
        """Note messages, no two of one id, that stand at these rows; the index must be empty."""
        hashes = np.fromiter((hash(message_id) & _HASH_MASK for message_id in messages), np.uint64, len(rows))
        size = _SMALLEST
        while len(rows) > size * 2 // 3:
            size *= 2
        self._place(hashes << np.uint64(_ROW_BITS) | (rows + 1).astype(np.uint64), size)
        self._count = len(rows)

    def _seek(self, message_id: str, hashed: int) -> int:
        """Return the slot of a message; where there is none, the empty slot for it."""
        table, mask = self._table, self._mask
        slot = hashed & mask
        while entry := table[slot]:
            if entry >> _ROW_BITS == hashed and self._id_at((entry & _ROW_MASK) - 1) == message_id:
                break
            slot = (slot + 1) & mask
        return slot

    def _grow(self) -> None:
        """Double the table."""
        old = np.frombuffer(self._table, np.uint64)
        self._place(old[old != 0], 2 * len(self._table))

    def _place(self, entries: npt.NDArray[np.uint64], size: int) -> None:
        """Fill a new table in one vectorized step: a loop over a million entries would hold up the bot."""
        home = (entries >> np.uint64(_ROW_BITS)) & np.uint64(size - 1)
        order = np.argsort(home, kind="stable")
        steps = np.arange(len(order))
        # Each entry goes to its own slot or, where that is taken, to the one behind the entry before it.
        slots = np.maximum.accumulate(home[order].astype(np.int64) - steps) + steps
        inside = slots < size
        table = np.zeros(size, np.uint64)
        table[slots[inside]] = entries[order][inside]
        self._table = array("Q", table.tobytes())
        self._most = size * 2 // 3
        self._mask = size - 1
        for entry in entries[order][~inside].tolist():
            self._wrap(entry)

    def _wrap(self, entry: int) -> None:
        slot = 0
        while self._table[slot]:
            slot += 1
        self._table[slot] = entry


def _clear(table: npt.NDArray[np.uint64], placed: Slots) -> None:
    for taken in placed:
        table[taken] = 0
