"""Opening archives with every engine: the same rows, sensible types, days that can be skipped."""

from __future__ import annotations

import datetime
import shutil
from pathlib import Path

import pandas as pd
import pytest

from tcnb import analysis
from tcnb.analysis.sql.queries import query
from tcnb.archive.scan import scan
from tcnb.archive.writing import export
from tcnb.errors import ArchiveError
from tests.analysis.frames import back

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


ENGINES = ["pandas", "polars", "duckdb", "dask", "pyarrow", "spark"]


def _foreign(events: pd.DataFrame, folder: Path) -> Path:
    """Write events as something else might: other types, another order, more columns, nothing in some."""
    made = events.assign(
        received=events["received"].dt.tz_convert("Asia/Tokyo").dt.as_unit("ns") + pd.Timedelta(1, "ns"),
        timestamp=events["timestamp"].dt.tz_localize(None).dt.as_unit("ms"),
        chat_id=events["chat_id"].astype(object),
        file_size=events["file_size"].astype("float64"),
        title=None,
        progress=float("nan"),
        more=1,
    )
    file = folder / "foreign.parquet"
    made[made.columns[::-1]].to_parquet(file)
    return file


def _opened(path: Path, engine: str) -> object:
    if engine == "spark" and (pytest.importorskip("pyspark") is None or shutil.which("java") is None):
        pytest.skip("Spark needs a Java runtime")
    found = scan(path, engine)
    return found.to_table() if engine == "pyarrow" else found


@pytest.mark.parametrize("engine", ENGINES)
def test_foreign_file_has_the_types_of_an_archive(record, tmp_path, engine):
    """A Parquet file of something else has the columns and types of an archive, and gives the same answers."""
    events = record.frame()
    events.to_parquet(tmp_path / "own.parquet")
    foreign, own = (_opened(path, engine) for path in (_foreign(events, tmp_path), tmp_path / "own.parquet"))
    assert _types_of(foreign, engine) == _types_of(own, engine)
    assert list(_types_of(foreign, engine)) == [*events.columns, *(["day"] if engine != "pandas" else [])]
    if engine == "pandas":
        assert _types_of(foreign, engine) == events.dtypes.astype(str).to_dict()
    answers = [back(analysis.talkers(opened)) for opened in (foreign, own)]
    pd.testing.assert_frame_equal(*answers)
    pd.testing.assert_frame_equal(answers[0], pd.DataFrame(analysis.talkers(events)))


def _types_of(frame, engine: str) -> dict[str, str]:
    if engine == "polars":
        return {name: str(kind) for name, kind in frame.collect_schema().items()}
    if engine == "pyarrow":
        return {field.name: str(field.type) for field in frame.schema}
    if engine == "spark":
        return dict(frame.dtypes)
    return dict(zip(frame.columns, map(str, frame.types if engine == "duckdb" else frame.dtypes), strict=True))


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("timestamp", 1_767_000_000_000, r"timestamp is int64, not a time: .*unit='ms'"),
        ("received", "2026-01-01", "received is .*string, not a time"),
        ("reply_to", 1.5, "reply_to is double, not a text"),
        ("is_edited", "yes", "is_edited is .*string, not a truth value"),
        ("file_size", "big", "file_size is .*string, not a whole number"),
    ],
)
def test_file_with_columns_of_another_kind_is_refused(record, tmp_path, column, value, reason):
    """A column that cannot be what it is called is named with the file, before anything is read."""
    record.frame().assign(**{column: value}).to_parquet(tmp_path / "odd.parquet")
    with pytest.raises(ArchiveError, match=rf"odd\.parquet: the column {reason}") as caught:
        scan(tmp_path / "odd.parquet", "polars")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("engine", ["pandas", "polars", "duckdb", "dask", "pyarrow"])
@pytest.mark.parametrize("damage", ["cut", "empty", "text"])
def test_damaged_piece_is_named(record, tmp_path, engine, damage):
    """A file of an archive that was cut off or overwritten is named in one line, by every engine and by SQL."""
    export(record.frame(), tmp_path / "archive", source="robot@practice.local")
    piece = sorted((tmp_path / "archive").rglob("*.parquet"))[1]
    content = piece.read_bytes()
    piece.write_bytes({"cut": content[: len(content) // 2], "empty": b"", "text": b"no Parquet"}[damage])
    for ask in (lambda: scan(tmp_path / "archive", engine), lambda: query("FROM chats", archive=tmp_path / "archive")):
        with pytest.raises(ArchiveError, match=rf"{piece.name} in .* is damaged") as caught:
            ask()
        assert "\n" not in str(caught.value)


def test_piece_that_is_damaged_inside_is_named(record, tmp_path):
    """What is found only in reading is told with the name of the file as well."""
    export(record.frame(), tmp_path / "archive", source="robot@practice.local")
    piece = sorted((tmp_path / "archive").rglob("*.parquet"))[1]
    content = piece.read_bytes()
    piece.write_bytes(content[:50] + bytes(len(content) - 100) + content[-50:])
    with pytest.raises(ArchiveError, match=f"{piece.name} cannot be read") as caught:
        scan(tmp_path / "archive")
    assert "\n" not in str(caught.value)


def test_file_that_was_cut_off_is_told_from_another_one(record, tmp_path):
    """A single file that begins as a Parquet file is a damaged one."""
    record.frame().to_parquet(tmp_path / "whole.parquet")
    (tmp_path / "cut.parquet").write_bytes((tmp_path / "whole.parquet").read_bytes()[:5000])
    with pytest.raises(ArchiveError, match=r"cut\.parquet is damaged"):
        scan(tmp_path / "cut.parquet")


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
