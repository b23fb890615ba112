"""Opening archives with the engine of one's choice."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from tcnb import threads
from tcnb.archive import foreign
from tcnb.archive.writing import Place, archives_below, pieces, source_key
from tcnb.errors import ArchiveError, MissingPackageError
from tcnb.record import context
from tcnb.record.columns.columns import category_array
from tcnb.record.schema import CHANGES, COLUMNS, NAMES, Kind

if TYPE_CHECKING:
    import pandas as pd


_MAGIC: Final = b"PAR1"
"""What a Parquet file begins and ends with."""

_SHOWN: Final = 300
"""Signs of an engine's reason that an error shows."""


def scan(path: str | os.PathLike[str], engine: str = "pandas", **options: Any) -> Any:
    """Open an archive: the events of everything that was exported into it.

    Args:
        path: the archive's folder, the URL of one that fsspec understands, or a single Parquet file.
        engine: `pandas` reads it all into memory; `polars`, `duckdb`, `dask`, `spark` and `pyarrow` read what a
            question needs when it is asked, from archives larger than memory or than one machine.
        options: `connection=` for DuckDB, `session=` for Spark; otherwise handed to the engine's own reader.

    Returns:
        The columns of `tc.df` and `day` (a date, in UTC), by which files are skipped: a `pandas.DataFrame` with the
        types of `tc.df` (without `day`), a `polars.LazyFrame`, a `duckdb.DuckDBPyRelation`, a `dask.dataframe`,
        a `pyspark.sql.DataFrame`, or a `pyarrow.dataset.Dataset`. Each but the last takes every analysis of `tcnb`.

    Raises:
        ArchiveError: there is no archive, or nothing in it, or the engine is none of these or does not know an option.
        MissingPackageError: the engine is not installed.
    """
    reader = _READERS.get(engine) if isinstance(engine, str) else None
    if reader is None:
        raise ArchiveError(f"there is no engine {engine!r}: choose one of {', '.join(_READERS)}")
    place, files = _found(path)
    try:
        return reader(place, files, dict(options))
    except ImportError as error:
        raise MissingPackageError(
            f"the engine {engine} needs {error.name or engine}: pip install {_PACKAGES.get(engine, engine)}"
        ) from error
    except TypeError as error:
        if not options:
            raise
        raise ArchiveError(f"the engine {engine} does not take these options: {error}") from error


def scan_sources(path: str | os.PathLike[str], connection: Any) -> list[Any]:
    """Open an archive with DuckDB as `scan` does, but the events of each source apart: a relation a source."""
    place, files = _found(path)
    by_source: dict[str, list[str]] = {}
    for file in files:
        by_source.setdefault(source_key(file), []).append(file)
    return [_duckdb(place, of_one, {"connection": connection}) for of_one in by_source.values()]


def _found(path: str | os.PathLike[str]) -> tuple[Place, list[str]]:
    """Return an archive's place, and the paths of its files in its file system."""
    place = Place.of(path)
    with place.failures_named():
        if place.is_file:
            _check(place)
            return place, [place.root]
        files = sorted(f"{place.root}/{name}" for name in pieces(place))
        below = [] if files else archives_below(place)
        _refuse_damaged(place, files)
    if below:
        raise ArchiveError(f"{place.name} is no archive but has some in it: open {place.name}/{below[0]}, for one")
    if not files:
        raise ArchiveError(f"{place.name} holds no events: export some with tc.export({place.name!r})")
    return place, files


def _check(file: Place) -> None:
    """Refuse a single file that holds no events.

    Raises:
        ArchiveError: it is no Parquet file, or lacks columns of the event frame, or has one of another kind.
    """
    import pyarrow as pa

    try:
        schema = _schema(file)
    except (pa.ArrowException, OSError) as error:
        begins = _ends(file, file.root)[0]
        if begins == _MAGIC:
            raise ArchiveError(
                f"{file.name} is damaged, such as one that was not copied to its end: {_line(error)}"
            ) from None
        raise ArchiveError(f"{file.name} is no Parquet file: give the folder of an archive, or a file of one") from None
    missing = [name for name in NAMES if name not in schema.names]
    if missing:
        raise ArchiveError(
            f"{file.name} holds no events, for it lacks the columns {', '.join(missing[:3])}{' …' * (len(missing) > 3)}"
        )
    twice = [name for name in NAMES if schema.names.count(name) > 1]
    if twice:
        raise ArchiveError(f"{file.name} has the column {twice[0]} more than once")
    foreign.check(file.name, schema)


def _schema(file: Place) -> Any:
    import pyarrow.parquet as pq

    with file.fs.open_input_file(file.root) as stream:
        return pq.read_schema(stream)


def _refuse_damaged(place: Place, files: list[str]) -> None:
    """Refuse an archive of which a file was cut off or overwritten.

    Behind a URL, where every look takes a while, that is found when the file is read.

    Raises:
        ArchiveError: there is one; it is named.
    """
    for file in () if place.is_remote else files:
        if _ends(place, file) != (_MAGIC, _MAGIC):
            raise ArchiveError(
                f"{file.removeprefix(place.root).lstrip('/')} in {place.name} is damaged: "
                "put a copy in its place, or move it away to read the others"
            )


def _ends(place: Place, file: str) -> tuple[bytes, bytes]:
    """Return the first and the last bytes of a file; both tell a whole Parquet file."""
    size = len(_MAGIC)
    with place.fs.open_input_file(file) as stream:
        if stream.size() < 2 * size:
            return b"", b""
        first = bytes(stream.read(size))
        stream.seek(stream.size() - size)
        return first, bytes(stream.read(size))


def _read(place: Place, files: list[str], columns: list[str], options: dict[str, Any]) -> Any:
    """Read columns of files at once, with the types that an export writes.

    Raises:
        ArchiveError: one of them is damaged; it is named.
    """
    import pyarrow as pa

    try:
        return foreign.conform(_dataset(place, files, options).to_table(columns=columns))
    except (pa.ArrowException, OSError) as error:
        name = next((file for file in files if not _is_readable(place, file, columns)), place.root)
        shown = name.removeprefix(place.root).lstrip("/") or place.name
        raise ArchiveError(f"{shown} cannot be read: {_line(error)}") from error


def _is_readable(place: Place, file: str, columns: list[str]) -> bool:
    import pyarrow as pa

    try:
        _dataset(place, [file], {}).to_table(columns=columns)
    except (pa.ArrowException, OSError):
        return False
    return True


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:_SHOWN]


def _dataset(place: Place, files: list[str], options: dict[str, Any]) -> Any:
    import pyarrow as pa
    import pyarrow.dataset as ds

    by_day = ds.partitioning(pa.schema([("day", pa.date32())]), flavor="hive")
    return ds.dataset(files, filesystem=place.fs, partitioning=by_day, partition_base_dir=place.root, **options)


# Archives of earlier versions have no time for a removal: a filter by time would lose it.
_HAPPENED: Final = f"CASE WHEN timestamp IS NULL AND event IN {CHANGES} THEN received ELSE timestamp END"


def _timed(table: Any) -> Any:
    """Return an Arrow table with a time for edits and removals, if it has the columns for that."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not {"timestamp", "received", "event"} <= set(table.column_names) or not table["timestamp"].null_count:
        return table
    # In a file that pandas wrote, categories are dictionaries.
    is_change = pc.is_in(table["event"].cast(pa.string()), value_set=pa.array(CHANGES, pa.string()))
    untimed = pc.and_(pc.is_null(table["timestamp"]), is_change)
    happened = pc.if_else(untimed, table["received"], table["timestamp"])
    return table.set_column(table.column_names.index("timestamp"), "timestamp", happened)


def _pandas(place: Place, files: list[str], options: dict[str, Any]) -> pd.DataFrame:
    """Read everything; within a source the order is that of the journal, between sources that of reception."""
    table = _timed(threads.call(lambda: _read(place, files, list(NAMES), options), name="tcnb scan"))
    table = table.sort_by([("received", "ascending"), ("seq", "ascending")])
    for position, column in enumerate(COLUMNS):
        if column.kind is Kind.CATEGORY:
            table = table.set_column(position, column.name, table[column.name].dictionary_encode())
    frame: pd.DataFrame = table.to_pandas(types_mapper=_types().get)
    for column in COLUMNS:
        if column.kind is Kind.CATEGORY:
            frame[column.name] = _as_in_the_record(frame[column.name], column.categories)
    return context.attach(frame)


def _as_in_the_record(values: pd.Series[Any], always: tuple[str, ...]) -> Any:
    """Return categories of the type, and with the fixed ones in the order, that the record gives them."""
    import numpy as np

    seen = list(values.cat.categories)
    names = list(dict.fromkeys((*always, *seen)))
    place = {name: code for code, name in enumerate(names)}
    # The last place is for the code -1 of a missing value.
    table = np.array([*(place[name] for name in seen), -1], np.int32)
    return category_array(table[values.cat.codes.to_numpy()], names)


def _arrow(place: Place, files: list[str], options: dict[str, Any]) -> Any:
    """A dataset casts what it reads to its schema, but refuses times that would lose digits."""
    dataset = _dataset(place, files, options)
    if not place.is_file or not foreign.is_foreign(_schema(place)):
        return dataset
    import pyarrow.dataset as ds

    return ds.dataset(_with_day(_read(place, files, [*NAMES, "day"], options)))


def _polars(place: Place, files: list[str], options: dict[str, Any]) -> Any:
    import polars as pl

    found = (
        pl.scan_pyarrow_dataset(_dataset(place, files, options)) if place.is_remote else _polars_local(files, options)
    )
    if place.is_file:
        found = _polars_file(place, found)
    untimed = pl.col("timestamp").is_null() & pl.col("event").cast(pl.String).is_in(list(CHANGES))
    return found.with_columns(timestamp=pl.when(untimed).then("received").otherwise("timestamp"))


def _polars_local(files: list[str], options: dict[str, Any]) -> Any:
    import polars as pl
    import polars.selectors as cs

    frame = pl.scan_parquet(files, hive_partitioning=True, hive_schema={"day": pl.Date}, **options)
    return frame.with_columns(cs.datetime(time_zone="*").dt.convert_time_zone("UTC"))


def _polars_file(file: Place, frame: Any) -> Any:
    """Return a single file, which something else may have written, with the columns and types of an archive."""
    import polars as pl

    conformed = frame.select(foreign.polars_columns(_schema(file)))
    return conformed.with_columns(day=pl.coalesce("timestamp", "received").dt.date())


def _duckdb(place: Place, files: list[str], options: dict[str, Any]) -> Any:
    import duckdb

    connection = _given(options, "connection", "read_parquet") or duckdb
    if place.is_remote:
        found = connection.from_arrow(_dataset(place, files, options))
    else:
        found = connection.read_parquet(files, hive_partitioning=True, **options)
    if place.is_file:
        found = _duckdb_file(place, found)
    return found.project(f"* REPLACE ({_HAPPENED} AS timestamp)")


def _duckdb_file(file: Place, relation: Any) -> Any:
    conformed = relation.project(", ".join(foreign.duckdb_columns(_schema(file))))
    return conformed.project("*, CAST(make_timestamp(epoch_us(coalesce(timestamp, received))) AS DATE) AS day")


def _dask(place: Place, files: list[str], options: dict[str, Any]) -> Any:
    """One partition a file; Dask's own reader would choose the types by whether a value is missing in a file."""
    import dask.dataframe as dd

    # It would hand what it does not know to `_partition`, long after.
    known = inspect.signature(dd.from_map).parameters
    unknown = [name for name in options if name not in known]
    if unknown:
        raise TypeError(f"from_map() got an unexpected keyword argument {unknown[0]!r}")
    options = {"meta": _partition(files[0], place).iloc[:0], "label": "tcnb-scan", **options}
    return dd.from_map(_partition, files, place=place, **options)  # type: ignore[no-untyped-call]


def _with_day(table: Any) -> Any:
    """Return the events of a single file with the day of each, where the file is in no folder that says it."""
    import pyarrow as pa
    import pyarrow.compute as pc

    place = table.column_names.index("day")
    if not table.num_rows or table["day"].null_count < table.num_rows:
        return table
    return table.set_column(
        place, "day", pc.coalesce(table["timestamp"], table["received"]).cast(pa.date32(), safe=False)
    )


def _partition(file: str, place: Place, columns: list[str] | None = None) -> pd.DataFrame:
    wanted = [*NAMES, "day"] if columns is None else columns
    if place.is_file and "day" in wanted:
        table = _with_day(_read(place, [file], [*NAMES, "day"], {}))
    else:
        table = _read(place, [file], list(dict.fromkeys((*wanted, "timestamp", "received", "event"))), {})
    table = _timed(table).select(wanted)
    frame: pd.DataFrame = table.to_pandas(types_mapper=_types().get)
    return frame


def _types() -> dict[Any, Any]:
    import pandas as pd
    import pyarrow as pa

    return {
        pa.int64(): pd.Int64Dtype(),
        pa.float64(): pd.Float64Dtype(),
        pa.bool_(): pd.BooleanDtype(),
        pa.string(): pd.StringDtype("pyarrow"),
        pa.date32(): pd.ArrowDtype(pa.date32()),
    }


def _spark(place: Place, files: list[str], options: dict[str, Any]) -> Any:
    from pyspark.sql import SparkSession, functions

    session = _given(options, "session", "read") or SparkSession.builder.appName("tcnb").getOrCreate()
    folder = place.name.rstrip("/") if place.is_remote else place.root
    # Its clock is set to UTC, since `day` and the times in the files are in UTC.
    session.conf.set("spark.sql.session.timeZone", "UTC")
    if place.is_file:
        # Spark has no nanoseconds; as numbers it reads them.
        session.conf.set("spark.sql.legacy.parquet.nanosAsLong", "true")
    # The folders of the days are columns of an archive; a single file lies in none.
    reader = session.read if place.is_file else session.read.option("basePath", folder)
    found = reader.parquet(*(folder + file.removeprefix(place.root) for file in files), **options)
    if place.is_file:
        found = _spark_file(place, found)
    return found.withColumn("timestamp", functions.expr(_HAPPENED))


def _spark_file(file: Place, frame: Any) -> Any:
    conformed = frame.selectExpr(*foreign.spark_columns(_schema(file)))
    return conformed.selectExpr("*", "CAST(coalesce(timestamp, received) AS DATE) AS day")


def _given(options: dict[str, Any], name: str, ability: str) -> Any:
    """Take an option out of the others.

    Raises:
        TypeError: it is of another kind, for it cannot do what is needed.
    """
    value = options.pop(name, None)
    if value is not None and not hasattr(value, ability):
        raise TypeError(f"{name}={value!r} is none")
    return value


_READERS: Final[dict[str, Callable[[Place, list[str], dict[str, Any]], Any]]] = {
    "pandas": _pandas,
    "polars": _polars,
    "duckdb": _duckdb,
    "dask": _dask,
    "spark": _spark,
    "pyarrow": _arrow,
}
_PACKAGES: Final = {"dask": "'tcnb[scale]'", "spark": "'tcnb[scale]'", "duckdb": "'tcnb[analysis]'"}
