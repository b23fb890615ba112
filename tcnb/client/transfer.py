"""Bytes to and from a server over HTTP, streamed both ways; which file belongs to which chat is not known here.

Source: `protocol` section 8.
"""

from __future__ import annotations

import secrets
import ssl
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from tcnb import http
from tcnb.client.address import Address
from tcnb.client.failures import answered, way_to, why_unreachable
from tcnb.client.saving import Destination, Place
from tcnb.errors import FileDownloadError, FileUploadError, InMemoryDownloadLimitExceededError
from tcnb.file_names import safe_name
from tcnb.threads import to_thread
from tcnb.wire import codes, paths

if TYPE_CHECKING:
    from tcnb.types import InputFile

Progress: TypeAlias = Callable[[int, int], None]
"""Called on the bot's loop with the bytes moved so far and the bytes in all."""

CHUNK = 2**20
"""Bytes read from or written to disk at a time."""

MOST_IN_MEMORY = 100 * 2**20
"""Bytes a download may have that is not written to disk."""

STICKER_TYPE = "sticker/webp"


class _Multipart(http.AsyncByteStream):
    """The body of an upload: the file part, streamed, and the preview part; its exact size is known beforehand."""

    def __init__(
        self, file: InputFile, mime_type: str, preview: tuple[str, str, bytes] | None, progress: Progress | None
    ) -> None:
        self.boundary = secrets.token_hex(16)
        self._file = file
        self._size = file.size or 0
        self._progress = progress
        self._head = self._part("file", file.filename or "file", mime_type)
        self._tail = b"\r\n"
        if preview is not None:
            name, kind, data = preview
            self._tail += self._part("preview", name, kind) + data + b"\r\n"
        self._tail += f"--{self.boundary}--\r\n".encode()

    @property
    def length(self) -> int:
        """Bytes of the whole body."""
        return len(self._head) + self._size + len(self._tail)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self._head
        sent = 0
        async for chunk in self._file.stream(CHUNK):
            yield chunk
            sent += len(chunk)
            if self._progress is not None:
                self._progress(sent, self._size)
        yield self._tail

    def _part(self, field: str, name: str, mime_type: str) -> bytes:
        # The name goes out as raw UTF-8: servers show percent-encoded names as they are (`protocol` section 8.1).
        plain = name.replace("\r", " ").replace("\n", " ")
        quoted = plain.replace("\\", "\\\\").replace('"', '\\"')
        return (
            f"--{self.boundary}\r\n"
            f'Content-Disposition: form-data; name="{field}"; filename="{quoted}"\r\n'
            f"Content-Type: {mime_type}\r\n\r\n"
        ).encode()


class Transfers:
    """Uploads and downloads of one account.

    Args:
        address: the server.
        context: the TLS setting.
        timeout: seconds without any progress before a transfer fails.
    """

    def __init__(self, address: Address, context: ssl.SSLContext | None, timeout: float) -> None:
        self._address = address
        self._context = context
        self._timeout = timeout

    async def upload(
        self,
        task_id: str,
        file: InputFile,
        *,
        mime_type: str,
        preview: tuple[str, str, bytes] | None = None,
        progress: Progress | None = None,
    ) -> str:
        """Send a file for an upload task and return its temporal file id.

        Args:
            task_id: what `uploadFile` answered.
            file: what to send; it is streamed, never held in memory as a whole.
            mime_type: the type to declare for it.
            preview: name, type and bytes of a small picture of it.
            progress: told how far it is.

        Raises:
            FileUploadError: the server refuses it, or the connection broke.
        """
        body = _Multipart(file, mime_type, preview, progress)
        headers = {
            paths.UPLOAD_TASK_HEADER: task_id,
            "Content-Type": f"multipart/form-data; boundary={body.boundary}",
            "Content-Length": str(body.length),
        }
        async with http.client(self._context, timeout=self._timeout) as client:
            try:
                response = await client.post(self._address.url(paths.FILES), content=body, headers=headers)
            except (http.HTTPError, OSError) as error:
                why = await why_unreachable(self._address, error)
                raise FileUploadError(f"the upload of {file.filename} broke off: {why}") from error
        if not response.is_success:
            refused = FileUploadError(f"the server did not take {file.filename}: {await self._said(response)}")
            refused.code = _code(response)
            raise refused
        return _temporal_id(response)

    async def download(
        self,
        url: str,
        *,
        name: str,
        size: int | None,
        dest: Destination | None,
        most_in_memory: int,
        progress: Progress | None = None,
    ) -> bytes | Path:
        """Fetch a file.

        Args:
            url: the download address that the server gave; it is a secret and shown nowhere.
            name: what its sender calls the file, for messages and for a `dest` that is a folder.
            size: bytes it should have, where known.
            dest: where to write it; None returns the bytes.
            most_in_memory: bytes allowed when it is not written to disk.
            progress: told how far it is.

        Returns:
            The bytes, or the path that was written. A file appears under its name only when it is complete.

        Raises:
            FileDownloadError: the server refuses it, the connection broke, or it cannot be written there.
            InMemoryDownloadLimitExceededError: it is too large to return as bytes.
        """
        if dest is None and size is not None and size > most_in_memory:
            raise InMemoryDownloadLimitExceededError(size, most_in_memory)
        shown = safe_name(name)
        try:
            place = None if dest is None else await to_thread(dest.place, name)
            async with (
                http.client(self._context, timeout=self._timeout) as client,
                client.stream("GET", self._address.here(url)) as response,
            ):
                if not response.is_success:
                    raise FileDownloadError(f"the server does not give out {shown}: {await self._said(response)}")
                chunks = _reported(response.aiter_bytes(CHUNK), _size(response, size), progress)
                if place is None:
                    return await _into_memory(chunks, most_in_memory)
                return await _onto_disk(chunks, place)
        except FileDownloadError:
            raise
        except (http.HTTPError, http.InvalidURL) as error:
            why = await why_unreachable(self._address, error)
            raise FileDownloadError(f"the download of {shown} broke off: {why}") from error
        except OSError as error:
            raise FileDownloadError(f"{shown} cannot be written: {error.strerror or error}") from error

    async def _said(self, response: http.Response) -> str:
        """Return what a refused transfer says."""
        status = response.status_code
        await response.aread()
        if (code := _code(response)) is not None:
            return f"{codes.meaning(code)} [{code}]"
        return answered(self._address, status, response.headers, await way_to(self._address)) or f"HTTP {status}"


def _size(response: http.Response, told: int | None) -> int:
    """Return how many bytes will come; 0 where nobody says it."""
    length = response.headers.get("Content-Length", "")
    return told or (int(length) if length.isdecimal() else 0)


async def _reported(chunks: AsyncIterator[bytes], total: int, progress: Progress | None) -> AsyncIterator[bytes]:
    moved = 0
    async for chunk in chunks:
        yield chunk
        moved += len(chunk)
        if progress is not None:
            progress(moved, total)


async def _into_memory(chunks: AsyncIterator[bytes], most: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    async for chunk in chunks:
        size += len(chunk)
        if size > most:
            raise InMemoryDownloadLimitExceededError(size, most)
        parts.append(chunk)
    return b"".join(parts)


async def _onto_disk(chunks: AsyncIterator[bytes], place: Place) -> Path:
    try:
        with await to_thread(place.begin) as file:
            async for chunk in chunks:
                await to_thread(file.write, chunk)
        return await to_thread(place.finish)
    finally:
        place.drop()


def _code(response: http.Response) -> int | None:
    """Return the error code of a refused transfer, where it has one; its body must have been read."""
    try:
        body = response.json()
    except ValueError:
        return None
    code = body.get("errorCode") if isinstance(body, dict) else None
    return code if isinstance(code, int) else None


def _temporal_id(response: http.Response) -> str:
    try:
        body = response.json()
    except ValueError:
        body = None
    value = body.get("temporalFileId") if isinstance(body, dict) else None
    if not isinstance(value, str) or not value:
        raise FileUploadError("the server took the file but named no temporalFileId")
    return value
