"""Files and folders with what people wrote, which nobody else on the machine may read: made so, and made so again."""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path
from typing import Final

FILE: Final = 0o600
FOLDER: Final = 0o700

OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO
"""The rights of everybody but the owner."""

_HAS_RIGHTS: Final = os.name == "posix"
"""Whether files here have an owner and rights; on Windows those of the folder count, which are the user's own."""


def make_folders(folder: Path) -> None:
    """Make a folder and those above it that are missing, for their owner alone.

    Raises:
        OSError: they cannot be made.
    """
    missing = [one for one in (folder, *folder.parents) if not one.exists()]
    for one in reversed(missing):
        one.mkdir(mode=FOLDER, exist_ok=True)


def create(path: Path) -> None:
    """Make an empty file for its owner alone.

    Raises:
        FileExistsError: something has that name, be it a link that leads nowhere.
        OSError: it cannot be made.
    """
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, FILE))


def is_foreign(path: Path) -> bool:
    """Return whether another user owns what has this name, a link or a file, and could let anybody read it.

    To root, who reads and writes what others own, nothing is foreign.
    """
    if not _HAS_RIGHTS or os.geteuid() == 0:
        return False
    try:
        return path.lstat().st_uid != os.geteuid()
    except OSError:
        return False


def is_trusted(path: Path) -> bool:
    """Return whether nobody but this user (and root) could have written a file."""
    if not _HAS_RIGHTS:
        return True
    try:
        status = path.stat()
    except OSError:
        return False
    is_own = status.st_uid in (os.geteuid(), 0)
    return is_own and stat.S_ISREG(status.st_mode) and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


def tighten(path: Path) -> None:
    """Take the rights to a file away from everybody but its owner; where a drive has none, nothing happens."""
    with contextlib.suppress(OSError):
        if _HAS_RIGHTS and path.lstat().st_mode & OTHERS and not path.is_symlink():
            path.chmod(FILE)
