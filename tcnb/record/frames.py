"""DataFrames over shared memory that people may write into: a write copies first; no event is understood here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

import pandas as pd

from tcnb.record.columns.columns import store
from tcnb.record.schema import Column

_COPY_ON_WRITE_ALWAYS: Final = int(pd.__version__.split(".")[0]) >= 3


def frame(arrays: dict[str, Any]) -> pd.DataFrame:
    """Return a DataFrame whose columns are `arrays`, without a copy where pandas can keep them from being written.

    A write into the DataFrame, or into anything taken from it, copies the column first (copy-on-write); where pandas
    has that switched off (before 3.0) or does not let itself be told about it, everything is copied at once.
    """
    made = pd.DataFrame(arrays, copy=False)
    return made if _copies_on_write() and _guard(made) else made.copy()


def copy(kept: pd.DataFrame) -> pd.DataFrame:
    """Return a DataFrame like one that is kept; what is written into either does not show in the other."""
    return kept.copy(deep=not _copies_on_write())


def small(columns: Sequence[Column], table: Iterable[Sequence[Any]]) -> pd.DataFrame:
    """Return a DataFrame of a few rows.

    Args:
        columns: its columns.
        table: the rows, with the values in the order of the columns; times in microseconds since 1970.
    """
    stores = {column.name: store(column) for column in columns}
    rows = list(table)
    for position, column_store in enumerate(stores.values()):
        column_store.write(0, [row[position] for row in rows])
    return frame({name: column_store.array(len(rows)) for name, column_store in stores.items()})


def _copies_on_write() -> bool:
    return _COPY_ON_WRITE_ALWAYS or pd.options.mode.copy_on_write is True


def _guard(made: pd.DataFrame) -> bool:
    """Tell pandas that somebody else uses the memory of every column, for ever; return whether it took note."""
    try:
        for block in made._mgr.blocks:
            block.refs.add_reference(_OTHER_USER)
            if not block.refs.has_reference():
                return False
    except (AttributeError, TypeError):
        return False
    return True


def _other_user() -> Any:
    """Return a block that lives as long as this module, to stand for the record among the users of a column's memory.

    pandas counts the blocks alive over the same memory and copies before a write when there are two or more. The memory
    of a snapshot has an owner that pandas does not know, the record: a lone snapshot would be written in place.
    """
    try:
        return pd.DataFrame({"record": [0]})._mgr.blocks[0]
    except AttributeError:
        return None


_OTHER_USER: Final = _other_user()
