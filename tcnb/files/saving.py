"""Where a file from outside is written: never over a file that is there, and under its name only when it is whole."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from tcnb.errors import DestinationExistsError, FileDownloadError, UsageError
from tcnb.files.names import is_run, numbered, safe_name
from tcnb.files.paths import absolute, expanded, working_folder
from tcnb.files.private import FILE, create, make_folders

APART: Final = "downloads"
"""The folder, beside where a file was to go, for what could run by lying there."""

MOST_NUMBERED: Final = 10_000
"""Files of one name that are told apart by a number; a further one gets a random word."""

_SEPARATORS: Final = tuple(filter(None, {"/", os.sep, os.altsep}))

_NO_LINKS: Final = frozenset(
    {errno.EPERM, errno.EACCES, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL, errno.EMLINK, errno.EXDEV}
)
"""Why a drive makes no second name for a file: it knows none (FAT, many network drives)."""


@dataclass(frozen=True)
class Destination:
    """Where a person wants a file to be.

    Attributes:
        path: a folder, or the file itself.
        is_folder: whether it is a folder in any case, which is made if need be; otherwise it is one if it exists.
        overwrite: whether a file that is at that very path is replaced.
    """

    path: str
    is_folder: bool = False
    overwrite: bool = False

    @classmethod
    def of(cls, path: str | os.PathLike[str], *, is_folder: bool = False, overwrite: bool = False) -> Destination:
        """Read what a person gave: a path that ends in a separator is a folder.

        Raises:
            UsageError: it is no path.
        """
        given = os.fspath(path) if isinstance(path, str | os.PathLike) else None
        if not isinstance(given, str) or "\0" in given:
            raise UsageError(f"a place to write to is a str or a Path, not {path!r}")
        return cls(given or ".", is_folder or given.endswith(_SEPARATORS), overwrite)

    def place(self, name: str) -> Place:
        """Return where a file of this name goes; folders are looked at and none is made.

        Args:
            name: what its sender calls it.

        Raises:
            DestinationExistsError: that very path is taken, and must not be replaced.
            FileDownloadError: what should be a folder is a file.
            UsageError: there is no home or working folder to which the path is relative.
        """
        path, given = absolute(self.path), expanded(self.path)
        if not (self.is_folder or path.is_dir()):
            if path.exists() and not self.overwrite:
                raise _taken(given)
            return Place(path.parent, path.name, given.parent, is_free=False, overwrite=self.overwrite)
        cleaned = safe_name(name)
        apart = APART if is_run(cleaned) and not _is_apart(path) else ""
        folder = path / apart
        for part in (folder, path):
            if part.exists() and not part.is_dir():
                raise FileDownloadError(f"{part} is a file, not a folder: move it away, or choose another folder")
        return Place(folder, cleaned, given / apart, is_free=True, overwrite=False)


class Place:
    """A file that comes into being: `begin`, write, `finish`, and in any case `drop`.

    Args:
        folder: where it will be, absolute; made if need be.
        name: the name it will have, if that is free.
        given: the same folder as the person wrote it, for the path that is returned.
        is_free: whether it gets a number where the name is taken; otherwise that is an error.
        overwrite: whether it replaces what has the name.
    """

    def __init__(self, folder: Path, name: str, given: Path, *, is_free: bool, overwrite: bool) -> None:
        self._folder = folder
        self._name = name
        self._given = given
        self._is_free = is_free
        self._overwrite = overwrite
        # Short whatever the name is, and hidden; the person's own file cannot have it.
        self._partial = folder / f".tcnb-{secrets.token_hex(8)}.part"

    @property
    def path(self) -> Path:
        """Where it would be if it was finished now."""
        if self._is_free:
            for name in self._names():
                if not os.path.lexists(self._folder / name):
                    return self._given / name
        return self._given / self._name

    def begin(self) -> BinaryIO:
        """Make the folder, and a file beside the final one to write to, both for their owner alone.

        Raises:
            OSError: it cannot be written.
        """
        make_folders(self._folder)
        flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | getattr(os, "O_BINARY", 0)
        return os.fdopen(os.open(self._partial, flags, FILE), "wb")

    def finish(self) -> Path:
        """Give the whole file its name and return its path.

        Raises:
            DestinationExistsError: somebody made a file of that name meanwhile.
            OSError: it cannot be written.
        """
        if self._overwrite:
            self._partial.replace(self._folder / self._name)
            return self._given / self._name
        for name in self._names():
            with contextlib.suppress(FileExistsError):
                _move_to_new(self._partial, self._folder / name)
                return self._given / name
        raise _taken(self._given / self._name)

    def _names(self) -> Iterator[str]:
        """Give the names that it may have, best first."""
        if not self._is_free:
            yield self._name
            return
        yield from (numbered(self._name, number) for number in range(MOST_NUMBERED))
        yield f"{secrets.token_hex(8)} {self._name}"

    def drop(self) -> None:
        """Remove what was not finished."""
        with contextlib.suppress(OSError):
            self._partial.unlink(missing_ok=True)


def _is_apart(folder: Path) -> bool:
    """Return whether a folder is one for such files already: notebooks lie in folders called `downloads`, too."""
    if folder.name != APART:
        return False
    lived_in = filter(None, (working_folder(), *map(Path, filter(None, sys.path))))
    return os.path.realpath(folder) not in {os.path.realpath(one) for one in lived_in}


def _move_to_new(partial: Path, path: Path) -> None:
    """Give a file a name that nothing has, in one step, whoever else does the same.

    Raises:
        FileExistsError: something has that name.
    """
    if os.name == "nt":
        partial.rename(path)  # there a rename never replaces anything
        return
    try:
        os.link(partial, path)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        # An empty file of ours takes the name first, so what is replaced then is no one else's.
        create(path)
        partial.replace(path)
        return
    partial.unlink()


def _taken(path: Path) -> DestinationExistsError:
    return DestinationExistsError(
        f"{path} is there already: choose another name, name a folder (a path that ends in {os.sep}), or give "
        "overwrite=True to replace it"
    )
