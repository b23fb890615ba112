"""What DuckDB answers as a DataFrame: each of its types has one of pandas, and none is `object`."""

from __future__ import annotations

import re
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa

from tcnb.errors import UsageError
from tcnb.record.schema import CHATS, COLUMNS, MESSAGES, PEOPLE, Kind

_TIMES: Final = frozenset(column.name for column in (*COLUMNS, *MESSAGES, *CHATS, *PEOPLE) if column.kind is Kind.TIME)

_NUMBERS: Final = ("Int8", "Int16", "Int32", "Int64", "UInt8", "UInt16", "UInt32", "UInt64", "Float32", "Float64")
_TYPES: Final[dict[Any, Any]] = {
    **{getattr(pa, name.lower())(): getattr(pd, f"{name}Dtype")() for name in _NUMBERS},
    pa.string(): pd.StringDtype(),
    pa.large_string(): pd.StringDtype(),
    pa.bool_(): pd.BooleanDtype(),
}

# As Arrow hands an interval over, and the length that DuckDB itself gives a month where it needs one.
_INTERVAL: Final = np.dtype([("months", np.int32), ("days", np.int32), ("nanoseconds", np.int64)])
_DAYS_OF_A_MONTH: Final = 30
_DAY: Final = 86_400_000_000

# DuckDB hands over bytes of its own, or leaves a part out; pandas cannot show a union.
_WITHOUT_ARROW: Final = re.compile(r"(BIT|VARIANT|TIME WITH TIME ZONE|UNION\(.*|GEOMETRY)$|(BIGNUM|VARINT)$", re.DOTALL)


def cast(relation: Any) -> Any:
    """Return a relation of DuckDB whose columns all have types that Arrow has; what has none becomes text or number."""
    kinds = [_WITHOUT_ARROW.match(str(kind)) for kind in relation.types]
    if not any(kinds):
        return relation
    taken = (
        f"#{place}" if kind is None else f"CAST(#{place} AS {'VARCHAR' if kind[1] else 'DOUBLE'})"
        for place, kind in enumerate(kinds, 1)
    )
    names = ('"' + name.replace('"', '""') + '"' for name in relation.columns)
    return relation.project(", ".join(f"{value} AS {name}" for value, name in zip(taken, names, strict=True)))


def to_pandas(table: pa.Table) -> pd.DataFrame:
    """Return an answer of DuckDB as a DataFrame; columns of one name are numbered, as DuckDB does.

    Raises:
        UsageError: an interval is too long for pandas.
    """
    names = _different(table.column_names)
    called = zip(names, table.column_names, table.columns, strict=True)
    columns = {name: _column(original, values) for name, original, values in called}
    return pd.DataFrame(columns, index=pd.RangeIndex(table.num_rows))


def _different(names: list[str]) -> list[str]:
    made: list[str] = []
    for name in names:
        number, free = 0, name
        while free in made:
            number += 1
            free = f"{name}_{number}"
        made.append(free)
    return made


def _column(name: str, values: pa.ChunkedArray) -> Any:
    kind = values.type
    if pa.types.is_interval(kind):
        return _lengths(name, values)
    if pa.types.is_null(kind):
        # An untyped NULL is an INTEGER wherever DuckDB has to store it.
        values = values.cast(pa.int32())
    elif pa.types.is_timestamp(kind):
        if kind.tz is None and name in _TIMES:
            values = values.cast(pa.timestamp("us", "UTC"), safe=False)
    else:
        values = _without_decimals(values)
    if _has_type(values.type):
        return values.to_pandas(types_mapper=_TYPES.get, date_as_object=False)
    return pd.Series(pd.arrays.ArrowExtensionArray(values))


def _has_type(kind: pa.DataType) -> bool:
    """Tell whether pandas has a type of its own for what Arrow has."""
    is_time = pa.types.is_timestamp(kind) or pa.types.is_date(kind) or pa.types.is_duration(kind)
    return kind in _TYPES or is_time or pa.types.is_dictionary(kind)


def _lengths(name: str, values: pa.ChunkedArray) -> Any:
    """Return intervals as lengths of time in microseconds, DuckDB's own unit."""
    parts = [_microseconds(name, chunk) for chunk in values.chunks]
    return pd.Series(np.concatenate(parts) if parts else np.empty(0, "timedelta64[us]"))


def _microseconds(name: str, chunk: pa.Array) -> Any:
    start = chunk.offset
    raw = np.frombuffer(chunk.buffers()[1] or b"", _INTERVAL)[start : start + len(chunk)]
    days = raw["months"].astype(np.int64) * _DAYS_OF_A_MONTH + raw["days"]
    missing = chunk.is_null().to_numpy(zero_copy_only=False)
    # Half of what fits, so that the sum of both parts does.
    if (np.abs(days[~missing]) > np.iinfo(np.int64).max // 2 // _DAY).any():
        raise UsageError(f"an interval in the column {name} is too long for pandas: cast it to a text, {name}::VARCHAR")
    lengths = (days * _DAY + raw["nanoseconds"] // 1000).view("timedelta64[us]")
    return np.where(missing, np.timedelta64("NaT", "us"), lengths)


def _without_decimals(values: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return values without decimals, at any depth; DuckDB's sums of whole numbers are such."""
    for is_whole in (True, False):
        plain = _plain(values.type, is_whole=is_whole)
        if plain == values.type:
            return values
        try:
            return values.cast(plain)
        except pa.ArrowInvalid:
            continue  # a whole number of more than 64 bits
        except pa.ArrowNotImplementedError:
            break
    return values


def _plain(kind: pa.DataType, *, is_whole: bool) -> pa.DataType:
    """Return a type with numbers instead of decimals; those without a fraction are whole numbers if `is_whole`."""
    if pa.types.is_decimal(kind):
        return pa.int64() if kind.scale == 0 and is_whole else pa.float64()
    if pa.types.is_list(kind):
        return pa.list_(kind.value_field.with_type(_plain(kind.value_type, is_whole=is_whole)))
    if pa.types.is_struct(kind):
        return pa.struct([field.with_type(_plain(field.type, is_whole=is_whole)) for field in kind])
    return kind
