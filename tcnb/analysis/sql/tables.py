"""The tables that a query reads besides those of an archive: the views of a session, and frames of one's own."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import pandas as pd
import pyarrow as pa

from tcnb.errors import UsageError
from tcnb.locks import fork_safe
from tcnb.record.schema import CHATS, COLUMNS, MESSAGES, PEOPLE, Column, Kind

LIVE: Final[dict[str, tuple[str, tuple[Column, ...]]]] = {
    "events": ("df", COLUMNS),
    "messages": ("messages", MESSAGES),
    "chats": ("chats", CHATS),
    "people": ("people", PEOPLE),
}
"""The tables: which property of a session each is, and its columns."""

# Times have no zone in a query: what DuckDB does with zones depends on the zone of its connection.
_ARROW: Final = {
    Kind.INTEGER: pa.int64(),
    Kind.FLOAT: pa.float64(),
    Kind.BOOLEAN: pa.bool_(),
    Kind.TIME: pa.timestamp("us"),
    Kind.TEXT: pa.large_string(),
    Kind.CATEGORY: pa.dictionary(pa.int32(), pa.large_string()),
}

_FRAMES: Final = {
    "pandas": ("DataFrame",),
    "polars": ("DataFrame", "LazyFrame"),
    "pyarrow": ("Table",),
    "duckdb": ("DuckDBPyRelation",),
    "_duckdb": ("DuckDBPyRelation",),
    "dask": ("DataFrame",),
    "pyspark": ("DataFrame",),
}
"""The classes of frames that can be tables, by package; an engine that is not imported has made none."""

_WORD: Final = re.compile(r"[^\W\d]\w*")
_CREATED: Final = re.compile(
    r"\bCREATE\s+(?:OR\s+REPLACE\s+)?(?:TEMP(?:ORARY)?\s+)?(?:TABLE|VIEW)\s+(?:IF\s+NOT\s+EXISTS\s+)?\"?(\w+)",
    re.IGNORECASE,
)


class LiveTable:
    """A view of a session as a table of DuckDB, which asks for its rows where a query reads them.

    What only names the table, such as DESCRIBE, costs nothing. All parts of a query see the same rows.

    Args:
        read: gives the view.
        columns: its columns.

    Attributes:
        failure: why it could not be read; DuckDB's own error is about its machinery.
    """

    def __init__(self, read: Callable[[], pd.DataFrame], columns: tuple[Column, ...]) -> None:
        self.failure: Exception | None = None
        self._read = read
        self._schema = pa.schema([(column.name, _ARROW[column.kind]) for column in columns])
        # DuckDB reads the two sides of a join at the same time, each on a thread of its own.
        self._lock = fork_safe(threading.Lock())
        self._made: pa.Table | None = None

    def __arrow_c_schema__(self) -> object:
        """Return the columns, as DuckDB asks for them (the Arrow PyCapsule interface)."""
        return self._schema.__arrow_c_schema__()

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """Return the rows, as DuckDB asks for them; it calls this on any of its threads."""
        try:
            with self._lock:
                if self._made is None:
                    self._made = _typed(self._read(), self._schema)
            return self._made.__arrow_c_stream__(requested_schema)
        except Exception as error:
            self.failure = error
            raise


def _typed(frame: pd.DataFrame, schema: pa.Schema) -> pa.Table:
    table = pa.Table.from_pandas(frame, preserve_index=False)
    columns = [_as_type(table[field.name], field.type) for field in schema]
    return pa.table(columns, schema=schema)


def _as_type(values: pa.ChunkedArray, kind: pa.DataType) -> pa.ChunkedArray:
    if not pa.types.is_dictionary(kind) or not pa.types.is_dictionary(values.type):
        return values.cast(kind)
    parts = [
        pa.DictionaryArray.from_arrays(chunk.indices.cast(kind.index_type), chunk.dictionary.cast(kind.value_type))
        for chunk in values.chunks
    ]
    return pa.chunked_array(parts, kind)


def is_frame(value: object) -> bool:
    """Tell whether a value is a frame that can be a table."""
    return any(known.__name__ in _FRAMES.get(known.__module__.partition(".")[0], ()) for known in type(value).__mro__)


def frames_named(sql: str, variables: Mapping[str, Any]) -> dict[str, Any]:
    """Return those frames among some variables whose names are words of a query.

    A name that the query gives to a table or view of its own is left to it, and so are the tables of the record. Of
    names that differ in case alone, which SQL takes for one, the one that is written so is meant.
    """
    words = set(_WORD.findall(sql))
    taken = {name.casefold() for name in (*LIVE, *_CREATED.findall(sql))}
    folded = {word.casefold() for word in words}
    found: dict[str, Any] = {}
    for name in sorted(variables, key=lambda name: name in words):
        key = name.casefold()
        if key in folded and key not in taken and not name.startswith("_") and is_frame(variables[name]):
            found = {other: frame for other, frame in found.items() if other.casefold() != key}
            found[name] = variables[name]
    return found


def check_frames(frames: object) -> dict[str, Any]:
    """Return frames by their names as tables.

    Raises:
        UsageError: something else was given, or a name is one of the record's tables.
    """
    if frames is None:
        return {}
    if not isinstance(frames, Mapping):
        raise UsageError(f"frames are DataFrames by name, frames={{'own': own}}, not a {type(frames).__name__}")
    seen: set[str] = set()
    for name, frame in frames.items():
        if not isinstance(name, str) or not name.strip():
            raise UsageError(f"a table is called by a text, not {name!r}: frames={{'own': own}}")
        if name.casefold() in LIVE:
            raise UsageError(f"{name} is a table of the record: give your DataFrame another name in frames")
        if name.casefold() in seen:
            raise UsageError(f"two of the frames are called {name}: SQL takes capital and small letters for one")
        if not is_frame(frame):
            raise UsageError(f"{name} is a {type(frame).__name__}, not a DataFrame")
        seen.add(name.casefold())
    return dict(frames)


def own_table(name: str, frame: Any) -> pa.Table:
    """Return a frame as a table of DuckDB; like those of the record it has no index, and times are in UTC.

    Raises:
        UsageError: a column has values of which no type can be made.
    """
    from tcnb.analysis.engines import to_arrow

    try:
        table = pa.Table.from_pandas(frame, preserve_index=False) if isinstance(frame, pd.DataFrame) else None
        table = to_arrow(frame) if table is None else table
        return _without_zones(table.replace_schema_metadata())
    except (pa.ArrowException, TypeError, ValueError, OverflowError) as error:
        raise UsageError(f"{name} cannot be a table: {' '.join(_texts(error.args)) or error}") from error


def _texts(values: Iterable[object]) -> list[str]:
    return [" ".join(str(value).split()) for value in values]


def _without_zones(table: pa.Table) -> pa.Table:
    fields = [
        field.with_type(pa.timestamp("us")) if pa.types.is_timestamp(field.type) else field for field in table.schema
    ]
    return table.cast(pa.schema(fields), safe=False)
