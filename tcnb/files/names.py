"""What a name from outside may become on this disk; nothing is looked up or written here."""

from __future__ import annotations

import importlib.machinery
import re
import sys
import unicodedata
from pathlib import PurePath
from typing import Final

from tcnb.console import DIRECTION_MARKS

LONGEST: Final = 200
"""Bytes of a name; file systems take 255, and a number may be put into it."""

_LONGEST_SUFFIX: Final = 20
"""Bytes that a suffix may have to be kept in a name that is cut."""

_UNSAFE: Final = re.compile(r'[<>:"/\\|?*\u2028\u2029\ud800-\udfff\x00-\x1f\x7f-\x9f]')
_DIRECTION_MARKS: Final = re.compile(f"[{DIRECTION_MARKS}]")

_JOINER: Final = re.compile(r"(?<=[^\x00-\x7f])[\u200c\u200d](?=[^\x00-\x7f])")
"""What joins or parts emoji and the letters of some scripts; between letters of ASCII it would only hide something."""

# Windows opens a device instead of a file, whatever suffix and blanks follow; the superscript digits count too.
_DEVICE: Final = re.compile(r"^(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³])\s*(\..*)?$", re.IGNORECASE)

_RUN_SUFFIXES: Final = frozenset(
    {
        # Python and IPython import or run these from the working folder; so they do with what this Python adds.
        *(".py", ".pyc", ".pyo", ".pyw", ".pyd", ".pyx", ".pxd", ".ipy", ".so", ".dll", ".dylib"),
        *(".pth", "._pth", ".egg", ".egg-link", *map(str.lower, importlib.machinery.all_suffixes())),
        # On Windows a shell, and so `!name` in a cell, looks for programs in the working folder first.
        *(".com", ".exe", ".bat", ".cmd", ".vbs", ".vbe", ".js", ".jse", ".wsf", ".wsh", ".msc", ".ps1", ".psm1"),
        *(".psd1", ".scr", ".pif", ".cpl", ".lnk", ".hta", ".msi", ".reg", ".url", ".scf"),
        # Desktops run these when they show or open a folder.
        *(".desktop", ".command"),
    }
)

_RUN_NAMES: Final = re.compile(
    r"""
    (jupyter|ipython|voila|nbconvert|nbgrader).*\.(json|py)  # settings that Jupyter takes from the working folder
    | pyproject\.toml | setup\.cfg | tox\.ini | pytest\.ini | pyvenv\.cfg | matplotlibrc | sitecustomize | usercustomize
    | (gnu)?makefile | justfile | rakefile | vagrantfile | procfile | jenkinsfile
    | autorun\.inf | desktop\.ini | package\.json
    """,
    re.IGNORECASE | re.VERBOSE,
)


def safe_name(name: str) -> str:
    """Return the name under which a file from somebody else can lie in any folder without harm.

    It is one part of a path, without characters that mean something to a file system or change how a name is read,
    not hidden, not a device of Windows, and short enough to get a number.
    """
    last = unicodedata.normalize("NFC", name).replace("\\", "/").rpartition("/")[2]
    marked = _UNSAFE.sub("_", _DIRECTION_MARKS.sub("_", last))
    cleaned = _on_this_disk(_without_invisible(marked)).strip(" .\u3000\xa0")
    if not cleaned or _DEVICE.match(cleaned):
        cleaned = f"file_{cleaned}" if cleaned else "file"
    return _shortened(cleaned)


def is_run(name: str) -> bool:
    """Return whether a file of this name could run by lying beside a notebook: it is imported, or read as settings."""
    return PurePath(name).suffix.lower() in _RUN_SUFFIXES or _RUN_NAMES.fullmatch(name) is not None


def numbered(name: str, number: int) -> str:
    """Return a name with a number in it, as browsers do: `plan (1).pdf`; 0 leaves it as it is."""
    stem, suffix = _split(name)
    return f"{stem} ({number}){suffix}" if number else name


def _split(name: str) -> tuple[str, str]:
    """Return a name without its suffix, and the suffix; `.tar.gz` is one."""
    path = PurePath(name)
    suffix = path.suffix
    if PurePath(path.stem).suffix.lower() == ".tar":
        suffix = PurePath(path.stem).suffix + suffix
    return name.removesuffix(suffix), suffix


def _without_invisible(name: str) -> str:
    """Drop what shows nothing and may hide what a name really is, but for joiners inside of emoji and letters."""
    joiners = {found.start() for found in _JOINER.finditer(name)}
    shown = (unicodedata.category(character) != "Cf" for character in name)
    return "".join(name[place] for place, is_shown in enumerate(shown) if is_shown or place in joiners)


def _on_this_disk(name: str) -> str:
    """Return a name that the file system's encoding can hold."""
    encoding = sys.getfilesystemencoding()
    return name.encode(encoding, "replace").decode(encoding).replace("?", "_")


def _shortened(name: str) -> str:
    if len(name.encode()) <= LONGEST:
        return name
    stem, suffix = _split(name)
    if len(suffix.encode()) > _LONGEST_SUFFIX:
        stem, suffix = name, ""
    return stem.encode()[: LONGEST - len(suffix.encode())].decode(errors="ignore").rstrip(" .") + suffix
