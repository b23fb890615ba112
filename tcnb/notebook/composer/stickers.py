"""The stickers to choose from: those of a folder and those that came by in chats; they are sent elsewhere."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path
from typing import Any, Final, Protocol

from tcnb.errors import FileMissingError, TcnbError
from tcnb.files.paths import expanded
from tcnb.threads import to_thread

STICKER_TYPES: Final = frozenset({"sticker/webp"})
MOST_OF_FOLDER: Final = 120
MOST_SEEN: Final = 24
LARGEST: Final = 2 * 2**20
"""Bytes of a sticker; a larger WebP in the folder is no sticker."""

LOOKED_BACK: Final = 20_000
"""Rows of the record looked through for stickers."""

STEP: Final = 500


class Session(Protocol):
    """What the shelf needs of a session."""

    @property
    def record(self) -> Any: ...
    async def adownload(self, file_id: str, file_path: str | Path | None = None) -> Any: ...


class Shelf:
    """The stickers of one composer, each under a key that says nothing of where it comes from.

    Args:
        session: the connected bot, whose record tells which stickers came by.
        folder: a folder with WebP files; None where there is none.

    Raises:
        FileMissingError: there is no such folder.
    """

    def __init__(self, session: Session, folder: str | Path | None) -> None:
        self.folder = None if folder is None else expanded(folder)
        if self.folder is not None and not self.folder.is_dir():
            raise FileMissingError(f"there is no folder {str(folder)!r} with stickers")
        self._session = session
        self._files: dict[str, tuple[str, Path | str]] = {}
        self._data: dict[str, bytes] = {}

    async def offered(self) -> list[dict[str, str]]:
        """Return key, name and origin (`folder` or `chat`) of every sticker, those of the folder first."""
        found = await to_thread(self._of_folder)
        found += [("chat", name, file_id) for name, file_id in await self._seen()]
        listed = []
        for origin, name, place in found:
            key = hashlib.sha256(f"{origin}:{place}".encode()).hexdigest()[:16]
            self._files[key] = (name, place)
            listed.append({"key": key, "name": name, "from": origin})
        return listed

    def name(self, key: str) -> str:
        """Return a sticker's name."""
        return self._known(key)[0]

    async def data(self, key: str) -> bytes:
        """Return a sticker's content.

        Raises:
            FileMissingError, FileDownloadError: it is gone.
        """
        if key not in self._data:
            _, place = self._known(key)
            if isinstance(place, Path):
                try:
                    self._data[key] = await to_thread(place.read_bytes)
                except OSError as error:
                    raise FileMissingError(f"{place.name} can no longer be read: {error.strerror}") from error
            else:
                self._data[key] = bytes(await self._session.adownload(place))
        return self._data[key]

    def _known(self, key: str) -> tuple[str, Path | str]:
        if key not in self._files:
            raise FileMissingError("this sticker is no longer there: open the picker again")
        return self._files[key]

    def _of_folder(self) -> list[tuple[str, str, Path | str]]:
        if self.folder is None or not self.folder.is_dir():
            return []
        files = sorted(path for path in self.folder.iterdir() if path.suffix.lower() == ".webp" and path.is_file())
        found: list[tuple[str, str, Path | str]] = [
            ("folder", path.stem, path) for path in files if path.stat().st_size <= LARGEST
        ]
        return found[:MOST_OF_FOLDER]

    async def _seen(self) -> list[tuple[str, str]]:
        """Return name and file id of the stickers that came by last, each picture once."""
        record = self._session.record
        found: dict[tuple[str, int], str] = {}
        seq, looked = record.last_seq + 1, 0
        while len(found) < MOST_SEEN and looked < LOOKED_BACK:
            rows = record.rows_before(seq, STEP)
            if not rows:
                break
            for row in reversed(rows):
                if (
                    row.get("mime_type") in STICKER_TYPES
                    and row.get("file_id")
                    and (row.get("file_size") or 0) <= LARGEST
                ):
                    found.setdefault((str(row.get("file_name")), int(row.get("file_size") or 0)), str(row["file_id"]))
            seq, looked = rows[0]["seq"], looked + len(rows)
            await asyncio.sleep(0)
        return [(Path(name).stem or "sticker", file_id) for (name, _), file_id in list(found.items())[:MOST_SEEN]]


async def loaded(shelf: Shelf, keys: list[str]) -> tuple[list[str], list[bytes]]:
    """Return the keys that could be loaded and their contents; what is gone is left out."""
    names, contents = [], []
    for key in keys:
        try:
            contents.append(await shelf.data(key))
        except TcnbError:
            continue
        names.append(key)
    return names, contents
