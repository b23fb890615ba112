"""Parquet files that something else wrote: which types are taken, and how each engine makes them those of `tc.df`."""

from __future__ import annotations

from typing import Any, Final

import pyarrow as pa

from tcnb.archive.writing import arrow_schema
from tcnb.errors import ArchiveError
from tcnb.record.schema import COLUMNS, Column, Kind

_WANTED: Final = {
    Kind.INTEGER: "a whole number",
    Kind.FLOAT: "a number",
    Kind.BOOLEAN: "a truth value",
    Kind.TIME: "a time",
    Kind.TEXT: "a text",
    Kind.CATEGORY: "a text",
}
_HINTS: Final = {
    Kind.TIME: "convert it, for example with pd.to_datetime(…, unit='ms', utc=True)",
    Kind.TEXT: "write it as texts; an id that was a fraction has lost digits",
    Kind.CATEGORY: "write it as texts; an id that was a fraction has lost digits",
}


def check(name: str, schema: pa.Schema) -> None:
    """Refuse a file of whose columns one cannot be read as what it is called.

    Args:
        name: how people call the file.
        schema: its columns, none of those of the event frame missing.

    Raises:
        ArchiveError: there is one; it is named.
    """
    for column in COLUMNS:
        kind = schema.field(column.name).type
        if not _is_taken(column.kind, kind):
            hint = _HINTS.get(column.kind, "convert it before")
            raise ArchiveError(f"{name}: the column {column.name} is {kind}, not {_WANTED[column.kind]}: {hint}")


def _is_taken(kind: Kind, given: pa.DataType) -> bool:
    value = given.value_type if pa.types.is_dictionary(given) else given
    is_number = pa.types.is_integer(value) or pa.types.is_floating(value) or pa.types.is_decimal(value)
    taken = {
        Kind.INTEGER: is_number,
        Kind.FLOAT: is_number,
        Kind.BOOLEAN: pa.types.is_boolean(value),
        Kind.TIME: pa.types.is_timestamp(value),
    }
    is_text = pa.types.is_string(value) or pa.types.is_large_string(value) or pa.types.is_integer(value)
    is_view = getattr(pa.types, "is_string_view", lambda _: False)(value)
    return bool(pa.types.is_null(value) or taken.get(kind, is_text or is_view))


def is_foreign(schema: pa.Schema) -> bool:
    """Tell whether the columns of a file differ in types, order or number from those that an export writes."""
    return not schema.remove_metadata().equals(arrow_schema())


def conform(table: pa.Table) -> pa.Table:
    """Return an Arrow table whose event columns have the types that an export writes; the others stay as they are."""
    wanted = {field.name: field.type for field in arrow_schema()}
    columns = {
        name: _cast(name, values, wanted[name]) if name in wanted and values.type != wanted[name] else values
        for name, values in zip(table.column_names, table.columns, strict=True)
    }
    return pa.table(columns)


def _cast(name: str, values: pa.ChunkedArray, kind: pa.DataType) -> pa.ChunkedArray:
    """Return values in another type; times lose what is below a microsecond, and those without a zone are in UTC."""
    if pa.types.is_dictionary(values.type):
        values = values.cast(values.type.value_type)
    try:
        return values.cast(kind, safe=not pa.types.is_timestamp(kind))
    except pa.ArrowInvalid as error:
        raise ArchiveError(f"the column {name} cannot be read as {kind}: {error}") from error


def polars_columns(schema: pa.Schema) -> list[Any]:
    """Return expressions of Polars that make the columns of a file those of the event frame."""
    import polars as pl

    types = {Kind.INTEGER: pl.Int64, Kind.FLOAT: pl.Float64, Kind.BOOLEAN: pl.Boolean}

    def conformed(column: Column) -> Any:
        values, given = pl.col(column.name), schema.field(column.name).type
        if column.kind is not Kind.TIME:
            return values.cast(types.get(column.kind, pl.String))
        if pa.types.is_timestamp(given) and given.tz is None:
            return values.cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
        zone = given.tz if pa.types.is_timestamp(given) else "UTC"
        return values.cast(pl.Datetime("us", zone)).dt.convert_time_zone("UTC")

    return [conformed(column) for column in COLUMNS]


def duckdb_columns(schema: pa.Schema) -> list[str]:
    """Return expressions of DuckDB that make the columns of a file those of the event frame."""
    types = {Kind.INTEGER: "BIGINT", Kind.FLOAT: "DOUBLE", Kind.BOOLEAN: "BOOLEAN", Kind.TIME: "TIMESTAMPTZ"}

    def conformed(column: Column) -> str:
        given = schema.field(column.name).type
        if pa.types.is_timestamp(given) and given.tz is None:
            # A cast would take it for the time of the connection's zone.
            return f'make_timestamptz(epoch_us("{column.name}")) AS "{column.name}"'
        return f'CAST("{column.name}" AS {types.get(column.kind, "VARCHAR")}) AS "{column.name}"'

    return [conformed(column) for column in COLUMNS]


def spark_columns(schema: pa.Schema) -> list[str]:
    """Return expressions of Spark that make the columns of a file, read with nanoseconds as numbers, those wanted."""
    types = {Kind.INTEGER: "bigint", Kind.FLOAT: "double", Kind.BOOLEAN: "boolean", Kind.TIME: "timestamp"}

    def conformed(column: Column) -> str:
        given = schema.field(column.name).type
        if pa.types.is_timestamp(given) and given.unit == "ns":
            return f"timestamp_micros(`{column.name}` div 1000) AS `{column.name}`"
        return f"CAST(`{column.name}` AS {types.get(column.kind, 'string')}) AS `{column.name}`"

    return [conformed(column) for column in COLUMNS]
