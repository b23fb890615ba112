"""Files on their way from the page into the kernel: pieces are written to private temporary files in their order.

The page slices a file and sends at most `WINDOW` bytes more than it knows to be written; where they go from here is the
outbox's business.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import tempfile
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Final, Protocol

from tcnb.errors import TcnbError
from tcnb.threads import to_thread

CHUNK: Final = 512 * 1024
"""Bytes of a piece: far below the 10 MiB at which a Jupyter server's web socket refuses a message."""

WINDOW: Final = 16 * CHUNK
"""Bytes that may be on their way: enough to keep a slow line busy, and all that one upload holds in memory."""

STALLED: Final = 30.0
"""Seconds without a piece after which the page is taken to have stopped."""

SPARE: Final = 64 * 2**20
"""Bytes that stay free on the disk."""


class NoRoomError(TcnbError):
    """The kernel's disk has no room for a file."""


class Listener(Protocol):
    """Who is told, on the session's loop, what becomes of the files."""

    def file_moved(self, key: str, written: int) -> None: ...
    def file_arrived(self, key: str, path: Path) -> None: ...
    def file_stopped(self, key: str, reason: str) -> None: ...


class Upload:
    """One file that arrives."""

    def __init__(self, path: Path, size: int, page: str) -> None:
        self.path = path
        self.size = size
        self.page = page
        self.accepted = 0
        self.written = 0
        self.touched = asyncio.get_running_loop().time()
        self.waiting: list[memoryview | bytes] = []
        self.writing: asyncio.Task[None] | None = None
        self.is_stopped = False


class Uploads:
    """All files that arrive, and the folder they lie in.

    Args:
        listener: told of what moves, arrives and stops.

    Everything happens on the session's loop except `close`, which any thread may call; the writing is done beside it.
    """

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._uploads: dict[str, Upload] = {}
        self._folder: Path | None = None
        self._removal: Callable[[], object] | None = None
        self._watching: asyncio.TimerHandle | None = None

    def begin(self, key: str, size: int, page: str) -> None:
        """Make room for a file.

        Raises:
            NoRoomError: the disk is too full, or cannot be written.
        """
        upload = Upload(self._new_file(size), size, page)
        self._uploads[key] = upload
        self._watch()
        if size == 0:
            self._finish(key, upload)

    def take(self, key: str, offset: int, data: memoryview | bytes) -> None:
        """Take the next piece; one that does not follow the last is not taken, and the page is told where to go on."""
        upload = self._uploads.get(key)
        if upload is None or upload.written >= upload.size:
            return
        upload.touched = asyncio.get_running_loop().time()
        if offset != upload.accepted or offset + len(data) > upload.size or upload.is_stopped:
            self._listener.file_moved(key, upload.written)
            return
        upload.accepted += len(data)
        upload.waiting.append(data)
        if upload.writing is None or upload.writing.done():
            upload.writing = asyncio.get_running_loop().create_task(self._write(key, upload))

    def resume(self, key: str, page: str) -> int | None:
        """Let a page go on with a file that stopped; returns the bytes that are here already."""
        upload = self._uploads.get(key)
        if upload is None:
            return None
        upload.page, upload.is_stopped = page, False
        upload.touched = asyncio.get_running_loop().time()
        self._watch()
        return upload.accepted

    def page_opened(self, page: str) -> None:
        """Take note of a page: what another page was sending is looked at soon, since that one may be gone."""
        loop = asyncio.get_running_loop()
        now = loop.time()
        others = [key for key, one in self._uploads.items() if one.page != page and one.written < one.size]
        if others:
            loop.call_later(2.0, self._stop_untouched, others, now, "reloaded")

    def forget(self, key: str) -> None:
        """Remove a file."""
        upload = self._uploads.pop(key, None)
        if upload is not None:
            with contextlib.suppress(OSError):
                upload.path.unlink()

    def close(self) -> None:
        """Remove everything."""
        self._uploads.clear()
        if self._removal is not None:
            self._removal()

    # -- inside ------------------------------------------------------------------------------------------------------

    def _new_file(self, size: int) -> Path:
        try:
            if self._folder is None:
                self._folder = Path(tempfile.mkdtemp(prefix="tcnb-"))  # for its owner alone
                self._removal = weakref.finalize(self, _remove, self._folder, os.getpid())
            free = shutil.disk_usage(self._folder).free
            if size + SPARE > free:
                raise NoRoomError(f"the kernel's disk has {free:,} bytes free, too few for this file of {size:,}")
            handle, name = tempfile.mkstemp(dir=self._folder)
        except OSError as error:
            raise NoRoomError(f"the kernel cannot keep the file while it is sent: {error.strerror or error}") from error
        os.close(handle)
        return Path(name)

    async def _write(self, key: str, upload: Upload) -> None:
        while upload.waiting:
            pieces, upload.waiting = upload.waiting, []
            try:
                await to_thread(_append, upload.path, upload.written, pieces)
            except OSError as error:
                self._stop(key, upload, f"the kernel cannot keep the file while it is sent: {error.strerror or error}")
                return
            upload.written += sum(map(len, pieces))
            self._listener.file_moved(key, upload.written)
        if upload.written == upload.size and key in self._uploads:
            self._finish(key, upload)

    def _finish(self, key: str, upload: Upload) -> None:
        self._listener.file_arrived(key, upload.path)

    def _watch(self) -> None:
        if self._watching is None:
            self._watching = asyncio.get_running_loop().call_later(STALLED / 3, self._look)

    def _look(self) -> None:
        self._watching = None
        loop = asyncio.get_running_loop()
        moving = [key for key, one in self._uploads.items() if one.written < one.size and not one.is_stopped]
        self._stop_untouched(moving, loop.time() - STALLED, "stalled")
        if moving:
            self._watch()

    def _stop_untouched(self, keys: list[str], since: float, reason: str) -> None:
        for key in keys:
            upload = self._uploads.get(key)
            if upload is not None and upload.touched <= since and upload.written < upload.size:
                self._stop(key, upload, reason)

    def _stop(self, key: str, upload: Upload, reason: str) -> None:
        if not upload.is_stopped:
            upload.is_stopped = True
            upload.accepted, upload.waiting = upload.written, []
            self._listener.file_stopped(key, reason)


def _append(path: Path, offset: int, pieces: list[memoryview | bytes]) -> None:
    with path.open("r+b") as file:
        file.seek(offset)
        file.writelines(pieces)


def _remove(folder: Path, owner: int) -> None:
    """Remove a folder with all that is in it; the end of a forked child leaves it to the process that made it."""
    if os.getpid() == owner:
        shutil.rmtree(folder, ignore_errors=True)
