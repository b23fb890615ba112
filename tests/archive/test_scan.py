"""Opening archives with every engine: the same rows, sensible types, days that can be skipped."""

from __future__ import annotations

import datetime
import shutil
from pathlib import Path

import pandas as pd
import pytest

from tcnb.errors import ArchiveError
from tcnb.record.archive import export
from tcnb.record.scan import scan

DAY = datetime.date(2025, 12, 31)


@pytest.fixture(scope="module")
def archive(record, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("archives") / "archive"
    frame = record.frame()
    export(frame.iloc[:500], folder, source="robot@practice.local")
    export(frame, folder, source="robot@practice.local")
    return folder


def _polars(archive: Path) -> tuple[int, int, list[str]]:
    import polars as pl

    frame = scan(archive, "polars")
    on_day = frame.filter(pl.col("day") == DAY).select(pl.len()).collect().item()
    return frame.select(pl.len()).collect().item(), on_day, frame.collect_schema().names()


def _duckdb(archive: Path) -> tuple[int, int, list[str]]:
    relation = scan(archive, "duckdb")
    count = relation.aggregate("count(*)").fetchall()[0][0]
    return count, relation.filter(f"day = DATE '{DAY}'").aggregate("count(*)").fetchall()[0][0], relation.columns


def _dask(archive: Path) -> tuple[int, int, list[str]]:
    frame = scan(archive, "dask")
    return len(frame), len(frame[frame["day"] == DAY]), list(frame.columns)


def _pyarrow(archive: Path) -> tuple[int, int, list[str]]:
    import pyarrow.dataset as ds

    dataset = scan(archive, "pyarrow")
    return dataset.count_rows(), dataset.count_rows(filter=ds.field("day") == DAY), dataset.schema.names


def _spark(archive: Path) -> tuple[int, int, list[str]]:
    pytest.importorskip("pyspark")
    if shutil.which("java") is None:
        pytest.skip("Spark needs a Java runtime")
    frame = scan(archive, "spark")
    return frame.count(), frame.filter(frame["day"] == DAY).count(), frame.columns


@pytest.mark.parametrize("count", [_polars, _duckdb, _dask, _pyarrow, _spark], ids=lambda one: one.__name__.strip("_"))
def test_engine_sees_every_event(record, archive, count):
    """Each engine sees all events, those of a day, and the columns of `tc.df` with `day` behind them."""
    frame = record.frame()
    happened = frame["timestamp"].fillna(frame["received"]).dt.date
    assert count(archive) == (len(frame), int((happened == DAY).sum()), [*frame.columns, "day"])


def test_dask_types_do_not_depend_on_what_is_missing(archive):
    """A column has one type in all partitions, whether values are missing in one or not."""
    frame = scan(archive, "dask")
    kinds = {str(frame.partitions[number].compute()["file_size"].dtype) for number in range(frame.npartitions)}
    assert kinds == {"Int64"}


def test_single_file_can_be_opened(archive):
    """A single Parquet file is opened like an archive."""
    file = sorted(archive.rglob("*.parquet"))[0]
    assert 0 < len(scan(file)) < len(scan(archive))


def test_options_go_to_the_engine(archive):
    """A connection of one's own can be used, to join an archive with other tables."""
    import duckdb

    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE teams AS SELECT 'c0' AS chat_id, 'core' AS team")
        events = scan(archive, "duckdb", connection=connection)
        events.create_view("events")
        joined = connection.sql("SELECT count(*) FROM events JOIN teams USING (chat_id)").fetchall()
        assert joined == events.filter("chat_id = 'c0'").aggregate("count(*)").fetchall() != [(0,)]


@pytest.mark.parametrize("engine", ["pandas", "duckdb"])
def test_archive_in_an_archive_is_another_one(record, tmp_path, engine):
    """Opening an archive leaves out what lies beside it in the same folder, such as an archive of somebody else."""
    export(record.frame().iloc[:10], tmp_path, source="robot@practice.local")
    export(record.frame(), tmp_path / "team", source="robot@practice.local")
    record.frame().to_parquet(tmp_path / "copy.parquet")
    assert len(scan(tmp_path, engine)) == 10


def test_folder_above_archives_names_one(record, tmp_path):
    """A folder that only has archives in it is none, and the error says where one is."""
    export(record.frame(), tmp_path / "team", source="robot@practice.local")
    record.frame().to_parquet(tmp_path / "copy.parquet")
    with pytest.raises(ArchiveError, match=r"open .*/team"):
        scan(tmp_path)


@pytest.mark.parametrize("engine", ["pandas", "polars", "duckdb", "dask", "pyarrow"])
def test_file_without_events_is_refused(tmp_path, engine):
    """A single file that is no Parquet file, or lacks columns, is refused by every engine before anything is asked."""
    (tmp_path / "run.py").write_text("print()")
    pd.DataFrame({"seq": [1]}).to_parquet(tmp_path / "other.parquet")
    with pytest.raises(ArchiveError, match=r"run\.py is no Parquet file"):
        scan(tmp_path / "run.py", engine)
    with pytest.raises(ArchiveError, match="lacks the columns received, timestamp, event …"):
        scan(tmp_path / "other.parquet", engine)


@pytest.mark.parametrize("engine", ["pandas", "polars", "duckdb", "dask", "pyarrow"])
def test_unknown_option_is_refused(archive, engine):
    """An option that the engine does not know is named."""
    with pytest.raises(ArchiveError, match=f"{engine} does not take these options: .*nope"):
        scan(archive, engine, nope=1)


def test_connection_of_another_kind_is_refused(archive):
    """What is no connection is named."""
    with pytest.raises(ArchiveError, match="connection=5 is none"):
        scan(archive, "duckdb", connection=5)


@pytest.mark.parametrize("path", [5, None, "", b"archive", ["archive"]])
def test_what_is_no_path_is_refused(path):
    """What cannot be a folder is named; nothing is looked for."""
    with pytest.raises(ArchiveError, match="a folder or a URL, not"):
        scan(path)


@pytest.mark.parametrize(
    ("path", "engine", "reason"),
    [
        ("nowhere", ["pandas"], "no engine"),
        ("nowhere", "pandas", "holds no events"),
        ("nowhere", "excel", "no engine 'excel'"),
    ],
)
def test_senseless_scan_is_refused(tmp_path, path, engine, reason):
    """A place without an archive and an unknown engine are named."""
    with pytest.raises(ArchiveError, match=reason):
        scan(tmp_path / path, engine)
