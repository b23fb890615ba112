"""What is refused of a frame that was changed or stored by hand, before an analysis reads it as something else."""

from __future__ import annotations

from typing import Any, Final

import narwhals as nw
import pandas as pd

from tcnb.errors import UsageError
from tcnb.record.schema import COLUMNS, Kind

_KINDS: Final = {column.name: column.kind for column in COLUMNS}
_TEXTS: Final = (nw.String, nw.Categorical, nw.Enum)
_IDS: Final = frozenset(column.name for column in COLUMNS if column.name.endswith("_id")) | {
    "reply_to",
    "forwarded_from",
}
_HINTS: Final = {
    Kind.TIME: "convert it with pd.to_datetime(…, utc=True); numbers need their unit, such as unit='ms'",
    Kind.TEXT: "an id that became a number may have lost digits: read it with pd.read_csv(…, dtype={{'{name}': str}})",
}
_NO_HINT: Final = "give it the type that it has in tc.df"


def check_type(rows: nw.LazyFrame[Any], name: str, given: Any) -> None:
    """Refuse a column whose values would be read as something else than they are; one without values is none such.

    Raises:
        UsageError: the column is of another type than in the event frame, and it cannot be known what is meant.
    """
    kind = _KINDS.get(name, Kind.TEXT)
    kind = Kind.TEXT if kind is Kind.CATEGORY else kind
    if _is_taken(name, kind, given) or _is_empty(rows, name):
        return
    hint = _HINTS.get(kind, _NO_HINT).format(name=name)
    raise UsageError(f"the column {name} is {given}, not {kind}: {hint}")


def _is_taken(name: str, kind: Kind, given: Any) -> bool:
    if kind is Kind.TIME:
        return bool(given == nw.Datetime or given == nw.Unknown)
    if kind is Kind.TEXT:
        is_number = given.is_float() or given.is_decimal() or (given.is_integer() and name in _IDS)
        return not is_number and not given.is_temporal()
    return given not in _TEXTS and not given.is_temporal() and (kind is Kind.BOOLEAN or given != nw.Boolean)


def _is_empty(rows: nw.LazyFrame[Any], name: str) -> bool:
    """Tell whether a column has no value at all; it has then whatever type a file or an engine gave it."""
    values = nw.col(name)
    found = rows.select(values.is_null().all().alias("is_empty")).collect("pyarrow")
    return bool(found.to_native()["is_empty"][0].as_py())


def check_columns(frame: Any) -> None:
    """Refuse a frame of pandas or Dask of whose columns one cannot say which is meant.

    Raises:
        UsageError: columns have several levels, or two have one name.
    """
    if not isinstance(frame, pd.DataFrame) and not type(frame).__module__.startswith("dask."):
        return
    columns = frame.columns
    if columns.nlevels > 1:
        raise UsageError(f"the columns of the frame have {columns.nlevels} levels: give a frame like tc.df, with one")
    twice = columns[columns.duplicated()]
    if len(twice):
        raise UsageError(f"the frame has the column {twice[0]} more than once: drop all but one, or rename them")
