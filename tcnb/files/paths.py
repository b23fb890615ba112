"""What a path that a person wrote means on this machine: the home folder, the working folder, and what lacks them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from tcnb.errors import UsageError

HOME: Final = "USERPROFILE" if os.name == "nt" else "HOME"
"""The variable that says where the home folder is."""


def expanded(path: str | os.PathLike[str]) -> Path:
    """Return a path with `~` resolved.

    Raises:
        UsageError: it begins with `~`, and nobody says where that home folder is.
    """
    try:
        return Path(path).expanduser()
    except RuntimeError:
        raise UsageError(
            f"nobody says here where the home folder of {str(path)!r} is: write the whole path, or set the variable "
            f"{HOME}"
        ) from None


def absolute(path: str | os.PathLike[str]) -> Path:
    """Return an absolute path, with `~` resolved; symbolic links are kept.

    Raises:
        UsageError: it begins with `~` or is relative, and that home folder is unknown or the working folder is gone.
    """
    found = expanded(path)
    if found.is_absolute():
        return found
    folder = working_folder()
    if folder is None:
        raise UsageError(
            f"{str(path)!r} is relative, and the working folder of this process was deleted: write the whole path, or "
            "change to another folder with os.chdir (in a notebook %cd)"
        )
    return folder / found


def home_folder() -> Path | None:
    """Return the home folder of whoever runs this; None where nobody says where it is."""
    try:
        return Path.home()
    except RuntimeError:
        return None


def working_folder() -> Path | None:
    """Return the working folder; None where it was deleted under this process, or may not be read."""
    try:
        return Path.cwd()
    except OSError:
        return None
