"""Bytes to and from a server over HTTP, streamed both ways; which file belongs to which chat is not known here.

Source: `protocol` section 8.
"""

from __future__ import annotations

import secrets
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

from tcnb.client.address import Address
from tcnb.client.unreachable import answered, way_to, why_unreachable
from tcnb.errors import FileDownloadError, FileUploadError, InMemoryDownloadLimitExceededError
from tcnb.files.names import safe_name
from tcnb.files.saving import Destination, Place
from tcnb.network import http
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

MOST_UNTOLD: Final = 2 * 2**30
"""Bytes a download may have whose size nobody tells; it would otherwise go on until the disk is full."""

_MOST_CODE: Final = 10**6
"""Numbers from here on are no error codes."""

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
        timeout: seconds without progress before a transfer fails, and those that the answer to an upload may take.
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
            FileUploadError: the server refuses it, the connection broke, or no answer came in time.
        """
        if not (task_id.isascii() and task_id.isprintable()):
            raise FileUploadError("the server named no upload task that can be used: try again later")
        body = _Multipart(file, mime_type, preview, progress)
        headers = {
            paths.UPLOAD_TASK_HEADER: task_id,
            "Content-Type": f"multipart/form-data; boundary={body.boundary}",
            "Content-Length": str(body.length),
        }
        url = self._address.url(paths.FILES)
        async with http.client(self._context, timeout=self._timeout) as client:
            try:
                answer = await http.ask(client, "POST", url, content=body, headers=headers, timeout=self._timeout)
            except (http.HTTPError, OSError) as error:
                why = await why_unreachable(self._address, error)
                raise FileUploadError(f"the upload of {file.filename} broke off: {why}") from error
        if not answer.is_success:
            refused = FileUploadError(f"the server did not take {file.filename}: {await self._said(answer)}")
            refused.code = _code(answer)
            raise refused
        return _temporal_id(answer)

    async def download(
        self,
        url: str,
        *,
        name: str,
        sizes: Iterable[int | None],
        dest: Destination | None,
        most_in_memory: int,
        progress: Progress | None = None,
    ) -> bytes | Path:
        """Fetch a file.

        Args:
            url: the download address that the server gave; it is a secret and shown nowhere.
            name: what its sender calls the file, for messages and for a `dest` that is a folder.
            sizes: bytes it should have, by whoever tells them; None and 0 tell nothing.
            dest: where to write it; None returns the bytes.
            most_in_memory: bytes allowed when it is not written to disk.
            progress: told how far it is.

        Returns:
            The bytes, or the path that was written. A file appears under its name only when it is complete.

        Raises:
            FileDownloadError: the server refuses it, the connection broke, it has not the size that was told, or it
                cannot be written there.
            InMemoryDownloadLimitExceededError: it is too large to return as bytes.
        """
        shown = safe_name(name)
        size = _agreed(shown, sizes)
        if dest is None:
            _must_fit(size, most_in_memory)
        try:
            place = None if dest is None else await to_thread(dest.place, name)
            async with http.client(self._context, timeout=self._timeout) as client:
                request = _request(client, self._address, url, shown)
                async with http.opened(client, request, timeout=self._timeout) as response:
                    if not response.is_success:
                        refused = await http.answer_of(response, timeout=self._timeout)
                        raise FileDownloadError(f"the server does not give out {shown}: {await self._said(refused)}")
                    size = _agreed(shown, (size, http.content_length(response)))
                    async with aclosing(self._pieces(response, shown, size, progress)) as pieces:
                        if place is None:
                            _must_fit(size, most_in_memory)
                            return await _into_memory(pieces, most_in_memory)
                        return await _onto_disk(pieces, place)
        except FileDownloadError:  # one of them is an OSError as well
            raise
        except http.HTTPError as error:
            why = await why_unreachable(self._address, error)
            raise FileDownloadError(f"the download of {shown} broke off: {why}") from error
        except OSError as error:
            raise FileDownloadError(f"{shown} cannot be written: {error.strerror or error}") from error

    async def _pieces(
        self, response: http.Response, shown: str, size: int | None, progress: Progress | None
    ) -> AsyncGenerator[bytes, None]:
        """Give what arrives in pieces of about `CHUNK`, and end with an error where it is not the whole file."""
        moved, waiting, waits = 0, list[bytes](), 0
        async with aclosing(http.pieces(response, timeout=self._timeout)) as arriving:
            async for chunk in arriving:
                moved += len(chunk)
                if moved > (MOST_UNTOLD if size is None else size):
                    raise FileDownloadError(_too_long(shown, size))
                waiting.append(chunk)
                waits += len(chunk)
                if waits >= CHUNK:
                    yield b"".join(waiting)
                    waiting, waits = [], 0
                    if progress is not None:
                        progress(moved, size or 0)
        if size is not None and moved < size:
            raise FileDownloadError(f"{shown} was cut off: {moved} of its {size} bytes came; download it again")
        if waiting:
            yield b"".join(waiting)
            if progress is not None:
                progress(moved, size or 0)

    async def _said(self, answer: http.Answer) -> str:
        """Return what a refused transfer says."""
        if (code := _code(answer)) is not None:
            return f"{codes.meaning(code)} [{code}]"
        said = answered(self._address, answer.status, answer.headers, await way_to(self._address))
        return said or f"HTTP {answer.status}"


def _request(client: http.AsyncClient, address: Address, url: str, shown: str) -> http.Request:
    """Return the request for a file, which goes to the server that was named, whatever host its address names."""
    try:
        return client.build_request("GET", address.here(url))
    except (http.InvalidURL, ValueError) as error:
        raise FileDownloadError(f"{address} gives out {shown} under an address that is none") from error


def _must_fit(size: int | None, most: int) -> None:
    """Refuse a file that is known to be larger than what is read into memory."""
    if size is not None and size > most:
        raise InMemoryDownloadLimitExceededError(size, most)


def _agreed(shown: str, sizes: Iterable[int | None]) -> int | None:
    """Return the size of a file, as all say who tell one; None where nobody does.

    Raises:
        FileDownloadError: they tell different ones, so that it is not the file which was announced.
    """
    told = {size for size in sizes if size is not None and size > 0}
    if len(told) > 1:
        several = " and ".join(map(str, sorted(told)))
        raise FileDownloadError(
            f"{shown} is not given out as it was announced: its size is told as {several} bytes; ask its sender"
        )
    return next(iter(told), None)


def _too_long(shown: str, size: int | None) -> str:
    if size is None:
        return f"{shown} has no end: nobody tells its size, and more than {MOST_UNTOLD // 2**30} GiB came"
    return f"{shown} is longer than the {size} bytes that were announced; what came was thrown away"


async def _into_memory(pieces: AsyncIterator[bytes], most: int) -> bytes:
    content = bytearray()
    async for piece in pieces:
        if len(content) + len(piece) > most:
            raise InMemoryDownloadLimitExceededError(len(content) + len(piece), most)
        content += piece
    return bytes(content)


async def _onto_disk(pieces: AsyncIterator[bytes], place: Place) -> Path:
    try:
        with await to_thread(place.begin) as file:
            async for piece in pieces:
                await to_thread(file.write, piece)
        return await to_thread(place.finish)
    finally:
        place.drop()


def _code(answer: http.Answer) -> int | None:
    """Return the error code of a refused transfer, where it has one."""
    code = (answer.fields() or {}).get("errorCode")
    return code if isinstance(code, int) and abs(code) < _MOST_CODE else None


def _temporal_id(answer: http.Answer) -> str:
    value = http.word((answer.fields() or {}).get("temporalFileId"))
    if value is None:
        raise FileUploadError("the server took the file but named no temporalFileId")
    return value
