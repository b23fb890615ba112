"""Opening archives with the engine of one's choice; how they are written is told in `archive`."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from tcnb.errors import ArchiveError, MissingPackageError
from tcnb.record.archive import Place, pieces, source_key
from tcnb.record.columns import category_array
from tcnb.record.schema import COLUMNS, NAMES, Kind

if TYPE_CHECKING:
    import pandas as pd


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
        ArchiveError: there is no archive, or nothing in it, or the engine is none of these.
        MissingPackageError: the engine is not installed.
    """
    reader = _READERS.get(engine)
    if reader is None:
        raise ArchiveError(f"there is no engine {engine!r}: choose one of {', '.join(_READERS)}")
    place, files = _found(path)
    try:
        return reader(place, files, options)
    except ImportError as error:
        raise MissingPackageError(
            f"the engine {engine} needs {error.name or engine}: pip install {_PACKAGES.get(engine, engine)}"
        ) from error


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
        files = [place.root] if place.is_file else sorted(f"{place.root}/{name}" for name in pieces(place))
    if not files:
        raise ArchiveError(f"{place.name} holds no events: export some with tc.export({place.name!r})")
    return place, files


def _dataset(place: Place, files: list[str], options: dict[str, Any]) -> Any:
    import pyarrow as pa
    import pyarrow.dataset as ds

    by_day = ds.partitioning(pa.schema([("day", pa.date32())]), flavor="hive")
    return ds.dataset(files, filesystem=place.fs, partitioning=by_day, partition_base_dir=place.root, **options)


def _pandas(place: Place, files: list[str], options: dict[str, Any]) -> pd.DataFrame:
    """Read everything; within a source the order is that of the journal, between sources that of reception."""
    table = _dataset(place, files, options).to_table(columns=list(NAMES))
    table = table.sort_by([("received", "ascending"), ("seq", "ascending")])
    for position, column in enumerate(COLUMNS):
        if column.kind is Kind.CATEGORY:
            table = table.set_column(position, column.name, table[column.name].dictionary_encode())
    frame: pd.DataFrame = table.to_pandas(types_mapper=_types().get)
    for column in COLUMNS:
        if column.kind is Kind.CATEGORY:
            frame[column.name] = _as_in_the_record(frame[column.name], column.categories)
    return frame


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
    return _dataset(place, files, options)


def _polars(place: Place, files: list[str], options: dict[str, Any]) -> Any:
    import polars as pl

    return (
        pl.scan_pyarrow_dataset(_dataset(place, files, options)) if place.is_remote else _polars_local(files, options)
    )


def _polars_local(files: list[str], options: dict[str, Any]) -> Any:
    import polars as pl

    frame = pl.scan_parquet(files, hive_partitioning=True, hive_schema={"day": pl.Date}, **options)
    return frame.with_columns(pl.col("received", "timestamp").dt.convert_time_zone("UTC"))


def _duckdb(place: Place, files: list[str], options: dict[str, Any]) -> Any:
    import duckdb

    connection = options.pop("connection", None) or duckdb
    if place.is_remote:
        return connection.from_arrow(_dataset(place, files, options))
    return connection.read_parquet(files, hive_partitioning=True, **options)


def _dask(place: Place, files: list[str], options: dict[str, Any]) -> Any:
    """One partition a file; Dask's own reader would choose the types by whether a value is missing in a file."""
    import dask.dataframe as dd

    options = {"meta": _partition(files[0], place).iloc[:0], "label": "tcnb-scan", **options}
    return dd.from_map(_partition, files, place=place, **options)  # type: ignore[no-untyped-call]


def _partition(file: str, place: Place, columns: list[str] | None = None) -> pd.DataFrame:
    table = _dataset(place, [file], {}).to_table(columns=columns)
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
    from pyspark.sql import SparkSession

    session = options.pop("session", None) or SparkSession.builder.appName("tcnb").getOrCreate()
    folder = place.name if place.is_remote else place.root
    # Its clock is set to UTC, since `day` and the times in the files are in UTC.
    session.conf.set("spark.sql.session.timeZone", "UTC")
    return session.read.option("basePath", folder).parquet(*files if not place.is_remote else (folder,), **options)


_READERS: Final[dict[str, Callable[[Place, list[str], dict[str, Any]], Any]]] = {
    "pandas": _pandas,
    "polars": _polars,
    "duckdb": _duckdb,
    "dask": _dask,
    "spark": _spark,
    "pyarrow": _arrow,
}
_PACKAGES: Final = {"dask": "'tcnb[scale]'", "spark": "'tcnb[scale]'", "duckdb": "'tcnb[analysis]'"}
