"""Writing archives: what is in them, repeating, interruptions, bad places."""

from __future__ import annotations

import json
import stat

import pandas as pd
import pyarrow.parquet as pq
import pytest

from tcnb.archive import writing as archive
from tcnb.archive.scan import scan
from tcnb.archive.writing import export
from tcnb.errors import ArchiveError

SOURCE = "robot@practice.local"


def test_archive_read_back_is_the_frame(record, tmp_path):
    """What is read back from an archive equals `tc.df` in values, types and order."""
    export(record.frame(), tmp_path / "archive", source=SOURCE)
    pd.testing.assert_frame_equal(scan(tmp_path / "archive"), record.frame(), check_categorical=False)


def test_types_survive(record, tmp_path):
    """Every column has the very type that it has in `tc.df`, also the fixed categories in their order."""
    export(record.frame(), tmp_path / "archive", source=SOURCE)
    frame = scan(tmp_path / "archive")
    assert list(frame.dtypes.astype(str)) == list(record.frame().dtypes.astype(str))
    assert list(frame["event"].cat.categories)[:18] == list(record.frame()["event"].cat.categories)[:18]


def test_a_day_has_its_folder(record, tmp_path):
    """Events lie in the folder of the day on which they happened, in UTC."""
    export(record.frame(), tmp_path / "archive", source=SOURCE)
    days = record.frame()["timestamp"].fillna(record.frame()["received"]).dt.strftime("day=%Y-%m-%d")
    assert {path.name for path in (tmp_path / "archive").glob("day=*")} == set(days)


def test_repeating_adds_nothing(record, tmp_path):
    """A second export of the same events writes no file."""
    export(record.frame(), tmp_path / "archive", source=SOURCE)
    files = sorted(tmp_path.rglob("*.parquet"))
    again = export(record.frame(), tmp_path / "archive", source=SOURCE)
    assert (again.events, again.files) == (0, 0)
    assert sorted(tmp_path.rglob("*.parquet")) == files


def test_only_what_is_new_is_added(record, tmp_path):
    """Exports in pieces make the same archive as one export."""
    frame = record.frame()
    for stop in (1, 400, 401, len(frame)):
        done = export(frame.iloc[:stop], tmp_path / "archive", source=SOURCE)
        assert done.last_seq == frame["seq"].iloc[stop - 1]
    pd.testing.assert_frame_equal(scan(tmp_path / "archive"), frame, check_categorical=False)


def test_large_exports_go_in_passes(record, tmp_path, monkeypatch):
    """An export that is larger than one pass is whole, and its passes count one by one."""
    monkeypatch.setattr(archive, "PIECE", 300)
    done = export(record.frame(), tmp_path / "archive", source=SOURCE)
    assert done.events == len(record.frame())
    assert len(scan(tmp_path / "archive")) == len(record.frame())


def test_interrupted_export_is_made_good(record, tmp_path, monkeypatch):
    """After an export that broke off, readers see whole passes only, and the next one completes it without doubles."""
    frame, written = record.frame(), []
    whole = pq.write_table

    def breaks(table, *arguments, **options):
        written.append(table)
        if len(written) == 9:
            raise OSError(28, "No space left on device")
        whole(table, *arguments, **options)

    monkeypatch.setattr(archive, "PIECE", 300)
    with monkeypatch.context() as patch:
        patch.setattr(pq, "write_table", breaks)
        with pytest.raises(ArchiveError, match="No space left on device"):
            export(frame, tmp_path / "archive", source=SOURCE)
    found = scan(tmp_path / "archive")["seq"].to_list()
    assert len(found) in {300, 600, 900}
    assert found == frame["seq"].to_list()[: len(found)]
    export(frame, tmp_path / "archive", source=SOURCE)
    assert scan(tmp_path / "archive")["seq"].to_list() == frame["seq"].to_list()
    assert not list(tmp_path.rglob("*.part"))


def test_two_accounts_share_an_archive(record, tmp_path):
    """Events of two journals stand side by side, though their positions are the same."""
    export(record.frame(), tmp_path / "archive", source=SOURCE)
    export(record.frame(), tmp_path / "archive", source="second@practice.local")
    assert len(scan(tmp_path / "archive")) == 2 * len(record.frame())


def test_empty_export_makes_an_empty_archive(record, tmp_path):
    """Exporting no events leaves an archive to which some can be added, and opening it says that it is empty."""
    export(record.frame().iloc[:0], tmp_path / "archive", source=SOURCE)
    with pytest.raises(ArchiveError, match="holds no events"):
        scan(tmp_path / "archive")
    assert export(record.frame(), tmp_path / "archive", source=SOURCE).events == len(record.frame())


def test_folder_with_other_files_is_left_alone(record, tmp_path):
    """A folder that holds something else is refused, and nothing is written into it."""
    (tmp_path / "thesis.doc").write_text("years of work")
    with pytest.raises(ArchiveError, match=r"thesis\.doc"):
        export(record.frame(), tmp_path, source=SOURCE)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.doc"]


def test_folder_above_an_archive_is_left_alone(record, tmp_path):
    """An export into a folder with an archive in it is refused, whatever lies beside that, and takes nothing away."""
    export(record.frame(), tmp_path / "reports" / "team", source=SOURCE)
    files = sorted(tmp_path.rglob("*"))
    with pytest.raises(ArchiveError, match="choose a new folder"):
        export(record.frame(), tmp_path / "reports", source=SOURCE)
    assert sorted(tmp_path.rglob("*")) == files
    assert len(scan(tmp_path / "reports" / "team")) == len(record.frame())


def test_archive_below_another_one_is_left_alone(record, tmp_path, monkeypatch):
    """What an export removes of an interrupted one before it is in its own folders alone."""
    monkeypatch.setattr(archive, "PIECE", 300)
    frame = record.frame()
    export(frame.iloc[:10], tmp_path, source=SOURCE)
    export(frame, tmp_path / "team", source=SOURCE)
    files = set((tmp_path / "team").rglob("*"))
    export(frame.iloc[:20], tmp_path, source=SOURCE)
    assert set((tmp_path / "team").rglob("*")) == files


@pytest.mark.parametrize(
    ("content", "reason"),
    [("{", "damaged"), ("[]", "damaged"), ('{"version": 99, "sources": {}}', "newer tcnb")],
)
def test_strange_archive_is_left_alone(record, tmp_path, content, reason):
    """A damaged archive, or one of a later version, is refused with what to do."""
    (tmp_path / archive.MANIFEST).write_text(content)
    with pytest.raises(ArchiveError, match=reason):
        export(record.frame(), tmp_path, source=SOURCE)


def test_place_that_cannot_be_written_is_named(record, tmp_path):
    """A place that is no folder gives one line that names it."""
    (tmp_path / "file").write_text("")
    with pytest.raises(ArchiveError, match="file"):
        export(record.frame(), tmp_path / "file" / "archive", source=SOURCE)


def test_archive_behind_a_url(record):
    """An address that fsspec understands is as good as a folder."""
    address = "memory://tests/archive"
    export(record.frame(), address, source=SOURCE)
    pd.testing.assert_frame_equal(scan(address), record.frame(), check_categorical=False)


def test_unknown_kind_of_url_is_named(record):
    """An address that nobody understands is refused."""
    with pytest.raises(ArchiveError, match="gopher"):
        export(record.frame(), "gopher://example.com/archive", source=SOURCE)


def test_archive_says_what_it_holds(record, tmp_path):
    """The manifest names the sources and how far each was exported, and nothing secret."""
    export(record.frame(), tmp_path / "archive", source=SOURCE)
    said = json.loads((tmp_path / "archive" / archive.MANIFEST).read_text())
    assert said["sources"] == {SOURCE: int(record.frame()["seq"].iloc[-1])}


def _rights(folder):
    return {stat.S_IMODE(file.stat().st_mode) for file in folder.rglob("*") if file.is_file()}


def test_archive_is_its_owners_alone(record, tmp_path):
    """Folders that an export makes, and the files in them, can be read by nobody else."""
    export(record.frame(), tmp_path / "data" / "archive", source=SOURCE)
    folders = [tmp_path / "data", *(one for one in (tmp_path / "data").rglob("*") if one.is_dir())]
    assert {stat.S_IMODE(folder.stat().st_mode) for folder in folders} == {0o700}
    assert _rights(tmp_path / "data") == {0o600}


def test_archive_is_shared_by_its_folder(record, tmp_path):
    """Whoever may read a folder that was there before may read what is exported into it."""
    archive = tmp_path / "archive"
    archive.mkdir()
    archive.chmod(0o750)
    export(record.frame(), archive, source=SOURCE)
    assert _rights(archive) == {0o640}
    assert {stat.S_IMODE(folder.stat().st_mode) for folder in archive.iterdir() if folder.is_dir()} == {0o750}
