"""The files of an export, in a folder or a ZIP file, and what they say, as far as they are whole."""

from __future__ import annotations

import json
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final

import msgspec

from tcnb.errors import ArchiveError

Files = Mapping[str, Callable[[], bytes]]
"""How the content of each file is read, by its path in the export with slashes."""

UNREADABLE: Final = (OSError, zipfile.BadZipFile, zlib.error, RuntimeError, EOFError)
"""What reading a file may raise; RuntimeError if it is encrypted, or compressed in a way that Python does not know."""

_UTF8_NAMES: Final = 0x800
"""The flag by which a ZIP file says that a name is in UTF-8 (APPNOTE.TXT, 4.4.4, bit 11)."""


@contextmanager
def opened(path: Path) -> Iterator[Files]:
    """Give the files of an export: of a folder, of a ZIP file, or a single file.

    Raises:
        ArchiveError: there is nothing, or the ZIP file is damaged.
    """
    if path.is_dir():
        found = {file.relative_to(path).as_posix(): file.read_bytes for file in path.rglob("*") if file.is_file()}
        yield {name: found[name] for name in sorted(found) if not _is_aside(name)}
    elif not path.is_file():
        raise ArchiveError(f"{path} is not there: give the file of the export, or its folder")
    elif path.suffix.lower() == ".zip" or zipfile.is_zipfile(path):
        try:
            archive = zipfile.ZipFile(path)
        except (OSError, zipfile.BadZipFile) as error:
            raise ArchiveError(f"{path} is no whole ZIP file: {error}; download it again") from error
        with archive:
            infos = {_name(info): info for info in archive.infolist() if not info.is_dir()}
            yield {name: partial(archive.read, infos[name]) for name in sorted(infos) if not _is_aside(name)}
    else:
        yield {path.name: path.read_bytes}


def _name(info: zipfile.ZipInfo) -> str:
    """Return the name of a file in a ZIP: many write UTF-8 without saying so, and Python takes it for cp437."""
    if info.flag_bits & _UTF8_NAMES:
        return info.filename
    try:
        return info.filename.encode("cp437").decode("utf-8")
    except UnicodeError:
        return info.filename


def _is_aside(name: str) -> bool:
    """Tell whether a file was added by a system or a program by itself."""
    return any(part == "__MACOSX" or part.startswith(".") for part in name.split("/"))


def folder_of(files: Files, names: tuple[str, ...]) -> str | None:
    """Return the folder, with a slash at its end, that holds one of `names`, the nearest one; None if none does."""
    folders = [path[: len(path) - len(name)] for path in files for name in names if f"/{path}".endswith(f"/{name}")]
    return min(folders, key=lambda folder: folder.count("/"), default=None)


def load_json(files: Files, name: str, where: str, note: Callable[[str, object], None]) -> Any:
    """Return what a JSON file says, as far as it can be read.

    Mended are what Telegram Desktop writes against the rules and bytes that are no UTF-8. Of a file that breaks off the
    records before that place are read, and `note` is told.

    Args:
        files: the files of the export.
        name: the file.
        where: how errors call the file.
        note: is told what could not be read.

    Raises:
        ArchiveError: it cannot be read, or is not JSON.
    """
    try:
        data = files[name]()
    except UNREADABLE as error:
        reason = getattr(error, "strerror", None) or error
        raise ArchiveError(f"{where} cannot be read: {reason}") from error
    try:
        # It needs half the memory of `json`, which makes one text of the whole file first.
        return msgspec.json.decode(data)
    except RecursionError:
        raise ArchiveError(f"{where} is no export: it is nested too deeply") from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _lenient(data, where, note)


def _lenient(data: bytes, where: str, note: Callable[[str, object], None]) -> Any:
    """Return what a JSON file says that is not written by the rules, or not whole."""
    try:
        text = _ILL_WRITTEN.sub(_well_written, data).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        text = _ILL_WRITTEN.sub(_well_written, data).decode("utf-8-sig", "replace")
        note(where, f"not all of it is UTF-8 ({error.reason} near byte {error.start}): those characters are shown as �")
    try:
        return _LENIENT.decode(text)
    except RecursionError:
        raise ArchiveError(f"{where} is no export: it is nested too deeply") from None
    except json.JSONDecodeError as error:
        whole = _records_before(text, error.pos)
        if whole is None:
            raise ArchiveError(f"{where} is not JSON: {error}") from error
        note(where, f"it breaks off or is damaged in line {error.lineno}: only what is before that place was read")
        return whole


_LENIENT: Final = json.JSONDecoder(strict=False)
"""A decoder that takes control characters in texts as they are."""

# Telegram Desktop writes control characters as \x0B, and U+2028 as its escape with two of its three bytes behind it
# (SerializeString of export_output_json.cpp). Texts that were cut may end in half of an emoji, which no column can
# hold. Pairs of backslashes and whole emoji are matched only to be passed over.
_ILL_WRITTEN: Final = re.compile(
    rb"(?P<well>\\\\|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})"
    rb"|\\x(?P<control>[0-9a-fA-F]{2})"
    rb"|(?P<separator>\\u202(?:8\x80\xa8|9\x80\xa9))"
    rb"|(?P<half>\\u[dD][89a-fA-F][0-9a-fA-F]{2})"
    rb"""|\\(?!["\\/bfnrt]|u[0-9a-fA-F]{4})"""
)


def _well_written(found: re.Match[bytes]) -> bytes:
    match found.lastgroup:
        case "well":
            return found[0]
        case "control":
            return b"\\u00" + found["control"]
        case "separator":
            return found[0][:6]
        case "half":
            return b"\\ufffd"
        case _:
            return b"\\\\"


_TOKEN: Final = re.compile(r'"(?:[^"\\]|\\.)*+"?|[\[\]{}]', re.DOTALL)
_CLOSING: Final = {"{": "}", "[": "]"}
_LISTS: Final = frozenset({None, '"messages"', '"list"'})
"""The lists that hold records: of messages, of chats, and the one that is the whole file."""


def _records_before(text: str, end: int) -> Any:
    """Return what a JSON text says up to a place, without the record that is not whole; None if no record is."""
    open_now: list[tuple[str, str | None]] = []
    name: str | None = None
    whole: tuple[int, list[tuple[str, str | None]]] | None = None
    for token in _TOKEN.finditer(text, 0, end):
        sign = token[0]
        if sign in "{[":
            open_now.append((sign, name))
            name = None
        elif sign in "}]":
            if not open_now:
                break
            open_now.pop()
            name = None
            if open_now and open_now[-1][0] == "[" and open_now[-1][1] in _LISTS:
                whole = (token.end(), list(open_now))
        else:
            name = sign
    if whole is None:
        return None
    position, unclosed = whole
    return _LENIENT.decode(text[:position] + "".join(_CLOSING[sign] for sign, _ in reversed(unclosed)))
