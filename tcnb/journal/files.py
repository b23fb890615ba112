"""The file of a journal with those that SQLite keeps beside it: whether they still are the ones that were opened."""

from __future__ import annotations

import contextlib
import os
from itertools import count
from pathlib import Path
from typing import Final

from tcnb.files.private import tighten

MAIN: Final = ""
LOG: Final = "-wal"
SUFFIXES: Final = (MAIN, LOG, "-shm")
"""What the names of a journal's files end in: the file itself, the write-ahead log, and its index in shared memory."""


class JournalFiles:
    """The files of one open journal.

    On all systems but Windows a file can be deleted or replaced while it is open. SQLite then goes on writing into what
    has no name any more and vanishes with the process, and tells nobody. A comparison costs three calls of `stat`.

    Args:
        path: the journal's file; a symbolic link is followed, since SQLite puts its files beside what it leads to.

    Attributes:
        path: the file itself.
    """

    def __init__(self, path: Path) -> None:
        self.path = Path(os.path.realpath(path))
        self._names = {suffix: f"{self.path}{suffix}" for suffix in SUFFIXES}
        self._opened: dict[str, tuple[int, int] | None] = {}
        self._content = (0, 0)

    @property
    def size(self) -> int:
        """Bytes of the file and of the log beside it."""
        return self._size(MAIN) + self.log_size

    @property
    def log_size(self) -> int:
        """Bytes of the log, which holds what SQLite has not moved into the file yet."""
        return self._size(LOG)

    def remember(self) -> None:
        """Take note that the files which are there now are those that are open, and that their content is right."""
        self._opened = {suffix: self._identity(suffix) for suffix in SUFFIXES}
        self._content = self._written()

    def make_private(self) -> None:
        """Take the rights to all files away from everybody but their owner."""
        for suffix in SUFFIXES:
            tighten(Path(self._names[suffix]))

    def taken_away(self) -> str | None:
        """Say what became of the files that are open; None while they are in place."""
        found = {suffix: self._identity(suffix) for suffix in SUFFIXES}
        if found == self._opened:
            return None
        if found[MAIN] is None:
            return "was deleted or moved away"
        if found[MAIN] != self._opened[MAIN]:
            return "was replaced by another file"
        lost = next(suffix for suffix in SUFFIXES if found[suffix] != self._opened[suffix])
        return f"lost {self.path.name}{lost}, which another program deleted,"

    def is_written(self) -> bool:
        """Tell whether the file was written since it was remembered, as it is when the log is moved into it."""
        return self._written() != self._content

    def is_cut(self, page_size: int) -> bool:
        """Tell whether the file is shorter than it was remembered, or ends within a page, as SQLite never leaves it."""
        size = self._written()[0]
        return size < self._content[0] or size % page_size != 0

    def is_in_place(self) -> bool:
        """Tell whether the file at the path, whatever is in it, is the one that is open."""
        return self._identity(MAIN) == self._opened[MAIN]

    def put_aside(self) -> Path:
        """Give the file that is open another name, so that a new one can be begun at the path; returns that name."""
        aside = free_name(self.path, "spoilt")
        self.path.rename(aside)
        for suffix in SUFFIXES[1:]:
            with contextlib.suppress(FileNotFoundError):
                Path(self._names[suffix]).unlink()
        return aside

    def clear_away(self) -> None:
        """Remove what the file that is no longer at the path left beside it.

        SQLite would take such a log for that of whatever file stands at the path now, and write old pages into it.
        """
        for suffix in SUFFIXES[1:]:
            if self._opened[suffix] is not None and self._identity(suffix) == self._opened[suffix]:
                Path(self._names[suffix]).unlink()

    def _identity(self, suffix: str) -> tuple[int, int] | None:
        try:
            status = os.stat(self._names[suffix])  # noqa: PTH116  # a Path would cost more than the call
        except OSError:
            return None
        return status.st_dev, status.st_ino

    def _written(self) -> tuple[int, int]:
        try:
            status = self.path.stat()
        except OSError:
            return 0, 0
        return status.st_size, status.st_mtime_ns

    def _size(self, suffix: str) -> int:
        try:
            return Path(self._names[suffix]).stat().st_size
        except OSError:
            return 0


def free_name(path: Path, what: str) -> Path:
    """Return a name beside a file that nothing has: `journal.sqlite.spoilt`, `journal.sqlite.spoilt2`, and so on."""
    names = (path.with_name(f"{path.name}.{what}{number if number > 1 else ''}") for number in count(1))
    return next(name for name in names if not name.exists())
