"""The doors between DataFrame engines and the analyses: what comes in gets one form, what goes out the engine's own.

Inside, every column is a string, a whole number or a truth value, and times are whole microseconds since 1970 in UTC:
engines disagree about categories, missing values and time zones, and nobody disagrees about whole numbers.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from zoneinfo import ZoneInfo

import narwhals as nw
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from tcnb import threads
from tcnb.analysis.checks import check_columns, check_type
from tcnb.analysis.results import Result
from tcnb.analysis.schema import PERIOD
from tcnb.errors import UsageError
from tcnb.record.context import CHANGED, RecordContext, context_of
from tcnb.record.schema import COLUMNS, Column, Kind

_KINDS: Final = {column.name: column.kind for column in COLUMNS}

_INSIDE: Final[dict[Kind, Any]] = {
    Kind.INTEGER: "Int64",
    Kind.TIME: "Int64",
    Kind.FLOAT: "Float64",
    Kind.BOOLEAN: "boolean",
    Kind.TEXT: "string",
    Kind.CATEGORY: "string",
}
"""The dtypes of pandas that columns have inside."""

_ARROW: Final = {
    Kind.INTEGER: pa.int64(),
    Kind.TIME: pa.timestamp("us", tz="UTC"),
    Kind.FLOAT: pa.float64(),
    Kind.BOOLEAN: pa.bool_(),
    Kind.TEXT: pa.string(),
    Kind.CATEGORY: pa.string(),
}
"""The types of Arrow that columns have outside."""

Rows = nw.LazyFrame[Any]
"""Rows in their inside form."""

Over = Callable[[nw.Expr], nw.Expr]
"""Makes an expression one over each chat."""

LAZY: Final = ("polars", "duckdb", "pyspark")
"""The engines on which also a large result can stay lazy; the others lack window functions or laziness."""


@dataclass(frozen=True)
class Source:
    """An event frame of some engine, opened.

    Attributes:
        native: the frame as it was given.
        engine: `pandas`, `polars`, `pyarrow`, `duckdb`, `dask` or `pyspark`.
        rows: the columns that were asked for, in their inside form, lazily.
        every: the same of every event, whatever kinds were asked for.
        known: edits and removals that the rows may lack, since they were taken from a larger frame; the columns
            `CHANGED` in their inside form.
        context: what the frame knows of the record that it was taken from.
        is_concatenation: whether the same message may be in it more than once.
    """

    native: Any
    engine: str
    rows: Rows
    every: Rows
    known: Rows | None = None
    context: RecordContext | None = None
    is_concatenation: bool = True


def engine_of(frame: Any) -> str:
    """Return the name of the engine that a frame belongs to.

    Raises:
        UsageError: it is no frame of an engine that is supported.
    """
    check_columns(frame)
    try:
        name = str(_in_narwhals(frame).implementation.value)
    except TypeError:
        name = type(frame).__name__
    if name not in _DOORS:
        raise UsageError(f"{name} is no frame of events: give one of {', '.join(_DOORS)}, for example tc.df")
    return name


def open_events(frame: Any, columns: Sequence[str], events: Sequence[str] | None = None) -> Source:
    """Open a frame of events, or of messages, reading nothing yet where the engine is lazy.

    Args:
        frame: a frame with the event columns, or those of messages: of pandas, Polars (lazy or not), PyArrow, DuckDB,
            Dask or PySpark.
        columns: the columns that are needed.
        events: the kinds of event that are needed; None for all.

    Raises:
        UsageError: it is no such frame, or it lacks a column, or has texts where times or numbers should be.
    """
    engine, context = engine_of(frame), context_of(frame)
    needed = list(dict.fromkeys(("event", *columns)))
    there = _in_narwhals(frame).lazy().collect_schema()
    if "event" not in there and "removed" in there:
        if events is None:
            raise UsageError("this needs all events, and the frame has messages alone: give one such as tc.df")
        frame = _messages_as_events(frame)
        there = _in_narwhals(frame).lazy().collect_schema()
    missing = [name for name in needed if name not in there]
    if missing:
        raise UsageError(f"the frame lacks {', '.join(missing)}: give a frame with the event columns, such as tc.df")
    for name in needed:
        check_type(_in_narwhals(frame).lazy(), name, there[name])
    every = _in_narwhals(_DOORS[engine](frame, needed)).lazy()
    rows = every if events is None else every.filter(nw.col("event").is_in(list(events)))
    return Source(frame, engine, rows, every, _known(frame, context), context)


def _known(frame: Any, context: RecordContext | None) -> Rows | None:
    """Return the edits and removals of the record that a frame was taken from; None where the frame has them all."""
    if context is None or len(frame) == context.rows:
        return None
    known: Rows = nw.from_native(_from_pandas(context.changes, CHANGED)).lazy()
    return known


def _messages_as_events(frame: Any) -> Any:
    """Return messages like those of `tc.messages`, to which edits are applied already, as events; removed ones go."""
    present = _in_narwhals(frame).filter(~nw.col("removed"))
    # Which came first, and when, is not in such a frame.
    stand_ins = (nw.lit("message").alias("event"), nw.lit(0).alias("seq"), nw.col("timestamp").alias("received"))
    return present.with_columns(*stand_ins).to_native()


def _in_narwhals(frame: Any) -> Any:
    """Return a frame of an engine as narwhals has it.

    Raises:
        TypeError: narwhals knows no such frame.
    """
    if type(frame).__module__.startswith("dask."):
        # narwhals announces that its Dask part will be a package of its own. Whoever analyses a frame can do nothing
        # about that. Filtered where it would be said on account of this module alone, and again each time, since
        # whoever resets the filters (as pytest does for each test) loses it; a filter that is there is not doubled.
        warnings.filterwarnings("ignore", "Dask support is moving out of Narwhals", FutureWarning, r"tcnb\.analysis\.")
    return nw.from_native(frame)


def collect(rows: Rows) -> pd.DataFrame:
    """Compute rows and return them in pandas, with the dtypes that columns have inside."""
    rows = rows.lazy()
    if rows.implementation.is_pandas() or rows.implementation.is_dask():
        return _normal(rows.collect().to_native().reset_index(drop=True))
    # What is collected is small; Polars need not hold in memory what it is made of.
    options = {"engine": "streaming"} if rows.implementation.is_polars() else {}

    def compute() -> pa.Table:
        table: pa.Table = rows.collect(backend="pyarrow", **options).to_native()
        return table

    if not rows.implementation.is_duckdb():
        return _inside(compute())
    stop = _connection_of(rows.to_native()).interrupt
    return _inside(threads.call(compute, name="tcnb analysis", stop=stop))


def to_arrow(frame: Any) -> pa.Table:
    """Return a frame of any engine in memory, as it is."""
    table: pa.Table = _in_narwhals(frame).lazy().collect("pyarrow").to_native()
    return table


def _connection_of(relation: Any) -> Any:
    """Return the connection to DuckDB that a relation belongs to; no public name leads there."""
    import duckdb

    return getattr(relation, "_con", None) or duckdb.default_connection()


def distinct(source: Source, column: str) -> list[str]:
    """Return the different texts in a column, and perhaps such as no row has any more."""
    native = source.native
    if source.engine == "pandas" and isinstance(native[column].dtype, pd.CategoricalDtype):
        return [str(category) for category in native[column].cat.categories]
    return [*collect(source.rows.select(column).unique([column]))[column].dropna()]


def pairs(source: Source, first: str, second: str, values: Mapping[str, str]) -> Rows:
    """Return a small table of two columns of strings, to be joined to rows of a source.

    It is made of values that are known, not of rows that are still to be computed: engines can only guess how many
    these are, and DuckDB then holds the larger side of a join in memory.

    Args:
        source: where the rows came from.
        first: name of the first column.
        second: name of the second column.
        values: the rows.
    """
    made: Rows = nw.from_native(_PAIRS[source.engine](source.native, first, second, values)).lazy()
    return made


def with_windows(source: Source, rows: Rows, order: Sequence[str]) -> tuple[Rows, Over]:
    """Return rows on which window functions work, and what makes an expression one over each chat in that order.

    Args:
        source: where the rows came from; if its engine lacks window functions, the rows are moved to pandas.
        rows: the rows.
        order: the columns that order them.
    """
    if source.engine == "polars":
        # Sorting numbers beside the messages, instead of long ids, takes half of the time and memory.
        rows = rows.with_columns(nw.col("chat_id", "author_id").cast(nw.Categorical))
    if source.engine in LAZY:
        return rows, lambda expression: expression.over("chat_id", order_by=list(order))
    # Sorted once here, and not for every column again.
    ordered: Any = nw.from_native(in_order(collect(rows), order), eager_only=True)
    return ordered, lambda expression: expression.over("chat_id")


def as_texts(rows: Rows, *columns: str) -> Rows:
    """Return rows whose columns of ids are strings again, after `with_windows` and what was computed over the chats."""
    return rows.with_columns(nw.col(*columns).cast(nw.String)) if rows.implementation.is_polars() else rows


def in_order(frame: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """Return collected rows sorted by columns, of which the later ones are looked at only if there are ties."""
    columns = list(columns)
    enough = next((n for n in range(1, len(columns)) if not frame.duplicated(columns[:n]).any()), len(columns))
    return frame.sort_values(columns[:enough], kind="stable", ignore_index=True)


def deliver(source: Source, columns: Sequence[Column], rows: Rows | pd.DataFrame, tz: str) -> Any:
    """Return a result in the engine's own kind of frame, with the types of `columns`.

    Args:
        source: where the events came from.
        columns: the columns of the result.
        rows: the result in its inside form; what is lazy stays so on Polars, DuckDB and PySpark.
        tz: the zone of the periods.
    """
    if isinstance(rows, nw.LazyFrame):
        if source.engine in LAZY:
            return _LAZY_EXITS[source.engine](source, columns, rows.to_native())
        rows = collect(rows)
    return _EXITS[source.engine](source, outside(columns, rows, tz))


def outside(columns: Sequence[Column], frame: pd.DataFrame, tz: str) -> pd.DataFrame:
    """Return a result in pandas, with the dtypes of `columns`, from its inside form; its periods are in a zone."""
    made: dict[str, Any] = {}
    for column in columns:
        values = frame[column.name].astype(_INSIDE[column.kind]).reset_index(drop=True)
        if column.kind == Kind.TIME:
            instants = _instants(values)
            made[column.name] = pd.Series(instants.tz_convert(ZoneInfo(tz)) if column.name == PERIOD else instants)
        else:
            made[column.name] = values
    return pd.DataFrame(made, columns=[column.name for column in columns])


def _instants(microseconds: pd.Series[Any]) -> Any:
    numbers = microseconds.to_numpy(np.int64, na_value=np.iinfo(np.int64).min)
    return pd.DatetimeIndex(numbers.view("datetime64[us]")).tz_localize("UTC")


def _normal(frame: pd.DataFrame) -> pd.DataFrame:
    kinds = {"i": "Int64", "u": "Int64", "f": "Float64", "b": "boolean"}
    return frame.astype({name: kinds.get(dtype.kind, "string") for name, dtype in frame.dtypes.items()})


def _inside(table: pa.Table) -> pd.DataFrame:
    made: dict[str, Any] = {}
    for name, values in zip(table.column_names, table.columns, strict=True):
        kind = values.type
        if pa.types.is_decimal(kind) or pa.types.is_integer(kind):
            made[name] = values.cast(pa.int64()).to_pandas(types_mapper=lambda _: pd.Int64Dtype())
        elif pa.types.is_floating(kind):
            made[name] = values.cast(pa.float64()).to_pandas(types_mapper=lambda _: pd.Float64Dtype())
        elif pa.types.is_boolean(kind):
            made[name] = values.to_pandas(types_mapper=lambda _: pd.BooleanDtype())
        else:
            made[name] = values.cast(pa.string()).to_pandas(types_mapper=lambda _: pd.StringDtype())
    return pd.DataFrame(made, columns=table.column_names)


# ── the way in ──────────────────────────────────────────────────────────────────────────────────────────────────────


def _from_pandas(frame: pd.DataFrame, needed: Sequence[str]) -> pd.DataFrame:
    made: dict[str, Any] = {}
    for name in needed:
        values = frame[name]
        kind = _KINDS.get(name, Kind.TEXT)
        missing = values.isna().to_numpy(np.bool_)
        if missing.all():
            # Without values it may have any type, such as numbers after a CSV file.
            made[name] = pd.array([None] * len(values), _INSIDE[kind])
        elif kind == Kind.TIME:
            numbers = values.to_numpy("datetime64[us]", na_value=np.datetime64("NaT", "us")).view(np.int64)
            made[name] = pd.arrays.IntegerArray(numbers, missing)
        else:
            made[name] = _converted(values, _INSIDE[kind])
    return pd.DataFrame(made, columns=list(needed))


def _converted(values: pd.Series[Any], dtype: Any) -> Any:
    try:
        return values.astype(dtype).array
    except (TypeError, ValueError) as error:
        raise UsageError(f"the column {values.name} cannot be read as {dtype}: {error}") from error


def _from_dask(frame: Any, needed: Sequence[str]) -> Any:
    return frame.map_partitions(_from_pandas, list(needed), meta=_from_pandas(frame._meta, needed))


def _from_pyarrow(table: pa.Table, needed: Sequence[str]) -> pa.Table:
    columns = []
    for name in needed:
        values, kind = table[name], _KINDS.get(name, Kind.TEXT)
        if kind == Kind.TIME:
            values = _arrow_microseconds(values)
        columns.append(values.cast(pa.int64() if kind == Kind.TIME else _ARROW[kind]))
    return pa.table(columns, names=list(needed))


def _arrow_microseconds(values: pa.ChunkedArray) -> pa.ChunkedArray:
    if pa.types.is_null(values.type):
        return values
    return pc.cast(values, pa.timestamp("us", tz=values.type.tz), safe=False)


def _from_polars(frame: Any, needed: Sequence[str]) -> Any:
    import polars as pl

    def inside(name: str) -> Any:
        kind = _KINDS.get(name, Kind.TEXT)
        if kind == Kind.TIME:
            return pl.col(name).cast(pl.Datetime("us", types[name].time_zone)).cast(pl.Int64)
        dtypes = {Kind.INTEGER: pl.Int64, Kind.FLOAT: pl.Float64, Kind.BOOLEAN: pl.Boolean}
        return pl.col(name).cast(dtypes.get(kind, pl.String))

    types = {
        name: dtype if isinstance(dtype, pl.Datetime) else pl.Datetime("us")
        for name, dtype in frame.lazy().collect_schema().items()
    }
    return frame.lazy().select(inside(name) for name in needed)


def _from_duckdb(relation: Any, needed: Sequence[str]) -> Any:
    types = {Kind.INTEGER: "BIGINT", Kind.FLOAT: "DOUBLE", Kind.BOOLEAN: "BOOLEAN"}

    def inside(name: str) -> str:
        quoted, kind = '"' + name.replace('"', '""') + '"', _KINDS.get(name, Kind.TEXT)
        taken = f"epoch_us({quoted})" if kind == Kind.TIME else f"CAST({quoted} AS {types.get(kind, 'VARCHAR')})"
        return f"{taken} AS {quoted}"

    return relation.project(", ".join(inside(name) for name in needed))


def _from_spark(frame: Any, needed: Sequence[str]) -> Any:
    from pyspark.sql import functions as F  # noqa: N812 - the name everybody gives it
    from pyspark.sql.types import TimestampNTZType

    types = {Kind.INTEGER: "bigint", Kind.FLOAT: "double", Kind.BOOLEAN: "boolean"}

    def inside(name: str) -> Any:
        kind = _KINDS.get(name, Kind.TEXT)
        if kind == Kind.TIME and isinstance(frame.schema[name].dataType, TimestampNTZType):
            epoch = "timestamp_ntz'1970-01-01 00:00:00'"
            return F.expr(f"timestampdiff(MICROSECOND, {epoch}, `{name}`)").alias(name)
        if kind == Kind.TIME:
            return F.unix_micros(F.col(name)).alias(name)
        return F.col(name).cast(types.get(kind, "string")).alias(name)

    return frame.select(*(inside(name) for name in needed))


_DOORS: Final[dict[str, Callable[[Any, Sequence[str]], Any]]] = {
    "pandas": _from_pandas,
    "polars": _from_polars,
    "pyarrow": _from_pyarrow,
    "duckdb": _from_duckdb,
    "dask": _from_dask,
    "pyspark": _from_spark,
}


def _polars_pairs(_: Any, first: str, second: str, values: Mapping[str, str]) -> Any:
    import polars as pl

    return pl.LazyFrame({first: [*values], second: [*values.values()]}, {first: pl.String, second: pl.String})


def _duckdb_pairs(relation: Any, first: str, second: str, values: Mapping[str, str]) -> Any:
    def column(strings: Iterable[str], name: str) -> str:
        quoted = ", ".join("'" + value.replace("'", "''") + "'" for value in strings)
        return f'unnest(CAST([{quoted}] AS VARCHAR[])) AS "{name}"'

    # A relation joins only what is of its connection, to which it leads but by itself.
    return relation.limit(1).project(f"{column(values, first)}, {column(values.values(), second)}")


def _spark_pairs(frame: Any, first: str, second: str, values: Mapping[str, str]) -> Any:
    return frame.sparkSession.createDataFrame([*values.items()], f"`{first}` string, `{second}` string")


def _pandas_pairs(_: Any, first: str, second: str, values: Mapping[str, str]) -> pd.DataFrame:
    return pd.DataFrame({first: [*values], second: [*values.values()]}, dtype="string")


def _arrow_pairs(_: Any, first: str, second: str, values: Mapping[str, str]) -> pa.Table:
    return pa.table({first: pa.array([*values], pa.string()), second: pa.array([*values.values()], pa.string())})


def _dask_pairs(_: Any, first: str, second: str, values: Mapping[str, str]) -> Any:
    import dask.dataframe as dd

    return dd.from_pandas(_pandas_pairs(None, first, second, values), npartitions=1)  # type: ignore[no-untyped-call]


_PAIRS: Final[dict[str, Callable[[Any, str, str, Mapping[str, str]], Any]]] = {
    "pandas": _pandas_pairs,
    "polars": _polars_pairs,
    "pyarrow": _arrow_pairs,
    "duckdb": _duckdb_pairs,
    "dask": _dask_pairs,
    "pyspark": _spark_pairs,
}


# ── the way out ─────────────────────────────────────────────────────────────────────────────────────────────────────


def _arrow(frame: pd.DataFrame) -> pa.Table:
    kinds = {"string": pa.string(), "Int64": pa.int64(), "Float64": pa.float64(), "boolean": pa.bool_()}
    times = {name: pa.timestamp("us", _zone_name(dtype)) for name, dtype in frame.dtypes.items()}
    schema = pa.schema([(name, kinds.get(str(dtype), times[name])) for name, dtype in frame.dtypes.items()])
    return pa.Table.from_pandas(frame, schema=schema, preserve_index=False).replace_schema_metadata()


def _zone_name(dtype: Any) -> str | None:
    zone = getattr(dtype, "tz", None)
    return None if zone is None else str(zone)


def _on_the_clock(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a result whose periods are what the clock of their zone shows, for engines without zones of columns.

    DuckDB and Spark show every instant in the zone of the connection or the session.
    """
    return frame.assign(**{PERIOD: frame[PERIOD].dt.tz_localize(None)}) if PERIOD in frame else frame


def _to_polars(source: Source, frame: pd.DataFrame) -> Any:
    import polars as pl

    made = pl.DataFrame(_arrow(frame))
    return made.lazy() if isinstance(source.native, pl.LazyFrame) else made


def _to_duckdb(source: Source, frame: pd.DataFrame) -> Any:
    import duckdb

    return duckdb.from_arrow(_arrow(_on_the_clock(frame)))


def _to_dask(source: Source, frame: pd.DataFrame) -> Any:
    import dask.dataframe as dd

    return dd.from_pandas(frame, npartitions=1)  # type: ignore[no-untyped-call]


def _to_spark(source: Source, frame: pd.DataFrame) -> Any:
    names = {"string": "string", "Int64": "bigint", "Float64": "double", "boolean": "boolean"}
    names |= {"datetime64[us]": "timestamp_ntz"}
    frame = _on_the_clock(frame)
    schema = ", ".join(f"`{name}` {names.get(str(dtype), 'timestamp')}" for name, dtype in frame.dtypes.items())
    rows = [tuple(row.values()) for row in _arrow(frame).to_pylist()]
    return source.native.sparkSession.createDataFrame(rows, schema)


_EXITS: Final[dict[str, Callable[[Source, pd.DataFrame], Any]]] = {
    "pandas": lambda source, frame: Result(frame),
    "polars": _to_polars,
    "pyarrow": lambda source, frame: _arrow(frame),
    "duckdb": _to_duckdb,
    "dask": _to_dask,
    "pyspark": _to_spark,
}


def _lazy_to_polars(source: Source, columns: Sequence[Column], frame: Any) -> Any:
    import polars as pl

    types = {Kind.INTEGER: pl.Int64, Kind.FLOAT: pl.Float64, Kind.BOOLEAN: pl.Boolean, Kind.TEXT: pl.String}
    made = frame.lazy().select(
        pl.col(column.name).cast(types.get(column.kind, pl.Datetime("us", "UTC"))) for column in columns
    )
    return made if isinstance(source.native, pl.LazyFrame) else made.collect()


def _lazy_to_duckdb(source: Source, columns: Sequence[Column], relation: Any) -> Any:
    types = {Kind.INTEGER: "BIGINT", Kind.FLOAT: "DOUBLE", Kind.BOOLEAN: "BOOLEAN", Kind.TEXT: "VARCHAR"}
    parts = (
        f'make_timestamptz(CAST("{column.name}" AS BIGINT)) AS "{column.name}"'
        if column.kind == Kind.TIME
        else f'CAST("{column.name}" AS {types[column.kind]}) AS "{column.name}"'
        for column in columns
    )
    return relation.project(", ".join(parts))


def _lazy_to_spark(source: Source, columns: Sequence[Column], frame: Any) -> Any:
    from pyspark.sql import functions as F  # noqa: N812 - the name everybody gives it

    types = {Kind.INTEGER: "bigint", Kind.FLOAT: "double", Kind.BOOLEAN: "boolean", Kind.TEXT: "string"}
    return frame.select(
        *(
            F.timestamp_micros(F.col(column.name)).alias(column.name)
            if column.kind == Kind.TIME
            else F.col(column.name).cast(types[column.kind]).alias(column.name)
            for column in columns
        )
    )


_LAZY_EXITS: Final[dict[str, Callable[[Source, Sequence[Column], Any], Any]]] = {
    "polars": _lazy_to_polars,
    "duckdb": _lazy_to_duckdb,
    "pyspark": _lazy_to_spark,
}
