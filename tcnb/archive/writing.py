"""The archive: events as a Parquet dataset with a folder a day, written a piece at a time; reading it is in `scan`.

    archive/
      _tcnb.json                                what has been exported so far, source by source
      day=2026-11-22/4f1c20aa-1-1200.parquet    the events 1 to 1200 of one journal that happened on that day

A source is one journal: an account on a server. Several may export into one archive. A piece counts once `_tcnb.json`
covers it; what an interrupted export left behind is removed by the next one before it writes anything.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tcnb.errors import ArchiveError, MissingPackageError
from tcnb.files import private
from tcnb.files.paths import absolute
from tcnb.record.schema import COLUMNS, NAMES, Kind
from tcnb.threads import Workers

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

VERSION: Final = 1
"""The version of the layout above; an archive of a higher one is left alone."""

MANIFEST: Final = "_tcnb.json"

PIECE: Final = 1_000_000
"""Most events in one pass, which bounds the memory that an export takes."""

_WRITERS: Final = min(os.cpu_count() or 1, 4)
"""So many files are written at a time; each takes memory of its own."""

_OWN_FOLDER: Final = re.compile(r"day=[^/]+")
_FILE: Final = re.compile(r"(?P<source>[0-9a-f]{8})-(?P<first>\d+)-(?P<last>\d+)\.parquet")


@dataclass(frozen=True, slots=True)
class Exported:
    """What an export did.

    Attributes:
        path: where the archive is.
        events: events written now; 0 when there was nothing new.
        files: files written now.
        last_seq: the last event of this source that the archive holds.
    """

    path: str
    events: int
    files: int
    last_seq: int


def export(events: pd.DataFrame, path: str | os.PathLike[str], *, source: str) -> Exported:
    """Append to an archive what it does not hold yet.

    Args:
        events: events of one source, with the columns of `tc.df`, `seq` ascending.
        path: a folder, or the URL of one that fsspec understands (`s3://…`, `memory://…`); made if need be.
        source: what the events come from, such as `robot@video.example.com`; it is stored in the archive.

    Returns:
        What was written. Repeating an export writes nothing; after one that was interrupted, what was missing.

    Raises:
        ArchiveError: the place cannot be written, or holds something else than an archive of this version.

    A display name that is learned after the export stays missing in what was exported before.
    """
    place = Place.of(path)
    key = _key(source)
    with place.failures_named():
        manifest = _manifest(place)
        done = int(manifest["sources"].get(source, 0))
        _remove_leftovers(place, key, done)
        new = events.iloc[int(events["seq"].searchsorted(done, side="right")) :]
        written = files = 0
        for start in range(0, len(new), PIECE):
            piece = new.iloc[start : start + PIECE]
            files += _write_piece(place, key, piece)
            written += len(piece)
            done = int(piece["seq"].iloc[-1])
            manifest["sources"][source] = done
            place.write(MANIFEST, json.dumps(manifest, indent=1, ensure_ascii=False).encode())
        if not written and not place.exists(MANIFEST):
            place.write(MANIFEST, json.dumps(manifest, indent=1, ensure_ascii=False).encode())
    return Exported(place.name, written, files, done)


def pieces(place: Place) -> Iterator[str]:
    """Give the files of an archive, relative to its folder: those that `_tcnb.json` covers, no others."""
    if not place.exists(MANIFEST):
        return
    done = {_key(source): int(last) for source, last in _manifest(place)["sources"].items()}
    for name in place.files():
        found = _own_file(name)
        if found and not _is_draft(name) and int(found["first"]) <= done.get(found["source"], 0):
            yield name


def archives_below(place: Place) -> list[str]:
    """Return the folders of the archives in a folder, relative to it."""
    return sorted(name.removesuffix(f"/{MANIFEST}") for name in place.files() if name.endswith(f"/{MANIFEST}"))


def source_key(name: str) -> str:
    """Return what tells the source of a file of an archive, by its name; nothing for a file that no export wrote."""
    found = _FILE.fullmatch(name.rpartition("/")[2])
    return found["source"] if found else ""


def arrow_schema() -> pa.Schema:
    """Return the columns as they stand in the files: categories as strings, times in microseconds and UTC."""
    import pyarrow as pa

    types = {
        Kind.INTEGER: pa.int64(),
        Kind.FLOAT: pa.float64(),
        Kind.BOOLEAN: pa.bool_(),
        Kind.TIME: pa.timestamp("us", "UTC"),
        Kind.TEXT: pa.string(),
        Kind.CATEGORY: pa.string(),
    }
    return pa.schema([(column.name, types[column.kind]) for column in COLUMNS])


class Place:
    """A folder, on this machine or behind a URL.

    Attributes:
        name: how people call it.
        fs: pyarrow's file system.
        root: the folder in it.
        is_remote: whether it is behind a URL.
    """

    def __init__(self, name: str, fs: Any, root: str, *, is_remote: bool = False) -> None:
        self.is_remote = is_remote
        self.name = name
        self.fs = fs
        self.root = root.rstrip("/")

    @classmethod
    def of(cls, path: str | os.PathLike[str]) -> Place:
        """Find a place.

        Raises:
            ArchiveError: the URL is of a kind that is not known, or needs a package that is not there.
        """
        from pyarrow import fs

        if not isinstance(path, str | os.PathLike) or not os.fspath(path):
            raise ArchiveError(f"an archive is a folder or a URL, not {path!r}")
        name = os.fspath(path)
        if "://" not in name:
            return cls(name, fs.LocalFileSystem(), absolute(name).as_posix())
        try:
            import fsspec

            remote, root = fsspec.core.url_to_fs(name)
        except ImportError as error:
            raise MissingPackageError(f"{name} needs a package that is not installed: {error.name or error}") from error
        except ValueError as error:
            raise ArchiveError(f"{name} is no address that fsspec understands: {error}") from error
        return cls(name, fs.PyFileSystem(fs.FSSpecHandler(remote)), root, is_remote=True)

    def failures_named(self) -> _Named:
        """Return a context in which a failure of the file system becomes an error that names the place."""
        return _Named(self.name)

    @property
    def is_file(self) -> bool:
        """Whether it is a file and no folder."""
        from pyarrow import fs

        return bool(self.fs.get_file_info(self.root).type == fs.FileType.File)

    def exists(self, name: str) -> bool:
        """Return whether a file is there."""
        from pyarrow import fs

        return bool(self.fs.get_file_info(f"{self.root}/{name}").type == fs.FileType.File)

    def files(self) -> Iterator[str]:
        """Give the paths of all files in and below the folder, relative to it."""
        from pyarrow import fs

        for info in self.fs.get_file_info(fs.FileSelector(self.root, recursive=True, allow_not_found=True)):
            if info.type == fs.FileType.File:
                yield info.path.removeprefix(self.root).lstrip("/")

    def read(self, name: str) -> bytes:
        """Return a file's content."""
        with self.fs.open_input_stream(f"{self.root}/{name}") as stream:
            return bytes(stream.read())

    def write(self, name: str, content: bytes) -> None:
        """Write a file whole: a reader sees the old one or the new one."""
        with self.output(name) as stream:
            stream.write(content)

    def remove(self, name: str) -> None:
        """Remove a file."""
        self.fs.delete_file(f"{self.root}/{name}")

    def output(self, name: str) -> _Output:
        """Return a context that gives a stream, whose content takes the file's place at the end."""
        return _Output(self.fs, f"{self.root}/{name}", is_remote=self.is_remote)


class _Output:
    """A file under another name until it is whole.

    On this machine a folder that is made is for its owner alone, and a file is for those who may read its folder: so
    an archive is shared by sharing its folder.
    """

    def __init__(self, fs: Any, target: str, *, is_remote: bool) -> None:
        self._fs, self._target, self._is_remote = fs, target, is_remote
        folder, _, name = target.rpartition("/")
        self._folder, self._draft = folder, f"{folder}/.{name}.part"

    def __enter__(self) -> Any:
        if self._is_remote:
            self._fs.create_dir(self._folder, recursive=True)
        else:
            self._begin(Path(self._folder), Path(self._draft))
        self._stream = self._fs.open_output_stream(self._draft)
        return self._stream

    @staticmethod
    def _begin(folder: Path, draft: Path) -> None:
        # A folder of a day is as the archive is.
        archive = folder.parent if _OWN_FOLDER.fullmatch(folder.name) else folder
        private.make_folders(archive)
        rights = stat.S_IMODE(archive.stat().st_mode)
        if folder != archive and not folder.exists():
            folder.mkdir(exist_ok=True)
            with contextlib.suppress(OSError):
                folder.chmod(rights)
        draft.unlink(missing_ok=True)
        private.create(draft)
        with contextlib.suppress(OSError):
            draft.chmod(rights & 0o666)

    def __exit__(self, kind: object, *_: object) -> None:
        self._stream.close()
        if kind is None:
            self._fs.move(self._draft, self._target)
        else:
            self._fs.delete_file(self._draft)


class _Named:
    """Turns what a file system raises into one line that names the place."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, OSError):
            raise ArchiveError(f"{self._name} cannot be read or written: {error.strerror or error}") from error


def _key(source: str) -> str:
    """Return what the files of a source begin with."""
    return hashlib.sha256(source.encode()).hexdigest()[:8]


def _manifest(place: Place) -> dict[str, Any]:
    """Return what the archive says of itself; of an empty or missing folder, what a new one says."""
    if not place.exists(MANIFEST):
        strange = next((name for name in place.files() if not _is_draft(name) and _own_file(name) is None), None)
        if strange is not None:
            raise ArchiveError(
                f"{place.name} is no archive of tcnb but holds other files ({strange}): choose a new folder"
            )
        return {"version": VERSION, "columns": list(NAMES), "sources": {}}
    try:
        manifest = json.loads(place.read(MANIFEST))
        version, sources = int(manifest["version"]), dict(manifest["sources"])
    except (ValueError, KeyError, TypeError) as error:
        raise ArchiveError(
            f"{place.name}/{MANIFEST} is damaged: {error}; restore it, or export to a new folder"
        ) from error
    if version > VERSION:
        raise ArchiveError(
            f"{place.name} was written by a newer tcnb (layout {version}, known is {VERSION}): upgrade tcnb"
        )
    return {**manifest, "sources": sources}


def _remove_leftovers(place: Place, key: str, done: int) -> None:
    """Remove what an interrupted export of this source wrote: drafts, and files that the manifest does not cover."""
    for name in list(place.files()):
        found = _own_file(name)
        if found and found["source"] == key and (_is_draft(name) or int(found["first"]) > done):
            place.remove(name)


def _own_file(name: str) -> re.Match[str] | None:
    """Return what the name of a file of an export says, or of its draft; None for any other, such as those of an
    archive in a folder below.
    """
    folder, _, file = name.rpartition("/")
    return _FILE.fullmatch(file.removeprefix(".").removesuffix(".part")) if _OWN_FOLDER.fullmatch(folder) else None


def _is_draft(name: str) -> bool:
    return name.endswith(".part")


def _write_piece(place: Place, key: str, piece: pd.DataFrame) -> int:
    """Write one file for every day of a piece and return how many."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    first, last = int(piece["seq"].iloc[0]), int(piece["seq"].iloc[-1])
    table = pa.Table.from_pandas(piece, preserve_index=False).select(NAMES)
    schema = arrow_schema()

    def write(day: str, rows: Any) -> None:
        with place.output(f"day={day}/{key}-{first}-{last}.parquet") as stream:
            pq.write_table(_rows(table, rows).cast(schema), stream, compression="zstd")

    days = _days(piece)
    # Encoding and compressing take most of the time, and need no interpreter.
    with Workers(_WRITERS, "tcnb export") as writers:
        for _ in writers.map(write, days, days.values()):
            pass
    return len(days)


def _days(piece: pd.DataFrame) -> dict[str, Any]:
    """Return the positions of the rows of each day, in their order, by the day's name."""
    import numpy as np

    when = piece["timestamp"].fillna(piece["received"]).to_numpy("datetime64[us]").astype("datetime64[D]")
    order = np.argsort(when, kind="stable")
    begins = np.flatnonzero(np.diff(when[order], prepend=np.datetime64("NaT", "us")) != np.timedelta64(0))
    return {str(when[rows[0]]): rows for rows in np.split(order, begins[1:])}


def _rows(table: pa.Table, rows: Any) -> pa.Table:
    """Return some rows of a table, given by ascending positions; without a copy where nothing lies between them."""
    if int(rows[-1]) - int(rows[0]) == len(rows) - 1:
        return table.slice(int(rows[0]), len(rows))
    return table.take(rows)
