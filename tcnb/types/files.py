"""Files to send: from memory, from disk, from an address; how one is uploaded is the client's business.

Source: `protocol` section 8.1.
"""

from __future__ import annotations

import mimetypes
import stat
import threading
import weakref
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from functools import cache
from io import BytesIO
from os import PathLike
from pathlib import Path, PurePosixPath
from tempfile import SpooledTemporaryFile
from typing import TYPE_CHECKING, Any, Final, ParamSpec, Self, TypeVar
from urllib.parse import unquote, urlsplit

from tcnb.errors import FileMissingError, FileSizeTooLargeError, FileUploadError, UsageError
from tcnb.files.paths import absolute
from tcnb.locks import fork_safe
from tcnb.types import images
from tcnb.types.base import shown_url
from tcnb.types.image_headers import Source

if TYPE_CHECKING:
    from tcnb.network import http

P = ParamSpec("P")
T = TypeVar("T")

CHUNK_SIZE: Final = 1 << 20

UNKNOWN_TYPE: Final = "application/octet-stream"

# Types that the standard table lacks, or that depend on the machine's own tables.
_MORE_TYPES: Final = {
    ".7z": "application/x-7z-compressed",
    ".avif": "image/avif",
    ".flac": "audio/flac",
    ".gz": "application/gzip",
    ".heic": "image/heic",
    ".heif": "image/heif",
    ".ipynb": "application/x-ipynb+json",
    ".jsonl": "application/jsonl",
    ".m4a": "audio/mp4",
    ".md": "text/markdown",
    ".mkv": "video/x-matroska",
    ".oga": "audio/ogg",
    ".ogg": "audio/ogg",
    ".ogv": "video/ogg",
    ".opus": "audio/ogg",
    ".parquet": "application/vnd.apache.parquet",
    ".vcf": "text/vcard",
    ".webm": "video/webm",
    ".webp": "image/webp",
    ".yaml": "application/yaml",
    ".yml": "application/yaml",
    ".zst": "application/zstd",
}

# A remote file up to this size is fetched before its size is declared, since small ones are often made anew for
# every request (a camera's snapshot); a larger one is passed through as it comes.
_FETCHED_AHEAD: Final = 8 << 20
_MOST_FETCHED: Final = 2 << 30

_MOST_REDIRECTS: Final = 20
"""Redirects in a row that are followed."""

# Telling an image by its content can mean to read all of it, which is not worth it for what is rarely an image.
_MOST_LOOKED_INTO: Final = 64 << 20


async def beside_the_loop(function: Callable[P, T], *arguments: P.args, **options: P.kwargs) -> T:
    """Call a function that blocks in a thread of its own, so that the event loop goes on."""
    from tcnb.threads import to_thread  # a third of the time that importing this room would take

    return await to_thread(function, *arguments, **options)


class InputFile(ABC):
    """Base of the files to send.

    Args:
        filename: its name in the chat.
        file_size: its size in bytes.
        mimetype: its MIME type.

    Attributes:
        size: the exact number of bytes that `stream` gives; None where only `prepare` finds out.
        extension: the end of its name, in lower case and without the dot.
    """

    def __init__(self, filename: str | None = None, file_size: int | None = None, mimetype: str | None = None) -> None:
        self.filename = filename
        self.file_size = file_size
        self.mimetype = mimetype

    @property
    def file_name(self) -> str | None:
        """Another name of `filename`."""
        return self.filename

    @file_name.setter
    def file_name(self, name: str | None) -> None:
        self.filename = name

    @property
    def mime_type(self) -> str | None:
        """Another name of `mimetype`."""
        return self.mimetype

    @mime_type.setter
    def mime_type(self, mimetype: str | None) -> None:
        self.mimetype = mimetype

    @property
    def size(self) -> int | None:
        """The exact number of bytes that `stream` gives; None where only `prepare` finds out."""
        return self.file_size

    @property
    def extension(self) -> str:
        """The end of its name, in lower case and without the dot; empty without one."""
        return PurePosixPath(self.filename or "").suffix.lower().removeprefix(".")

    async def prepare(self) -> None:
        """Find out the size where it is not known yet."""
        if self.size is None:
            self.file_size = len(await self.content())

    @abstractmethod
    async def read(self) -> Any:
        """Return the whole content, as bytes or as a stream in memory."""

    async def content(self) -> bytes:
        """Return the whole content as bytes, however `read` returns it."""
        read = await self.read()
        return bytes(read.getvalue() if isinstance(read, BytesIO) else read)

    async def stream(self, chunk_size: int = CHUNK_SIZE) -> AsyncIterator[bytes]:
        """Give the content piece by piece, as often as asked for.

        Args:
            chunk_size: the most bytes of a piece.

        Raises:
            FileUploadError: it can no longer be read, or is not as long as it was.
        """
        view = memoryview(await self.content())
        for start in range(0, len(view), chunk_size):
            yield bytes(view[start : start + chunk_size])

    @abstractmethod
    def clone(self) -> Self:
        """Return another file object with the same content."""

    def __repr__(self) -> str:
        size = "size unknown" if self.size is None else f"{self.size} bytes"
        return f"{type(self).__name__}({self.filename!r}, {self.mimetype}, {size})"


class BufferedInputFile(InputFile):
    """A file to send whose content is in memory.

    Args:
        file: the content.
        filename: its name in the chat.
        file_size: its size in bytes; counted where it is not given.
        mimetype: its MIME type; told by the name, then by the content, where it is not given.
        file_name: another name of `filename`.
        mime_type: another name of `mimetype`.

    Attributes:
        data: the content.
    """

    def __init__(
        self,
        file: bytes | bytearray | memoryview,
        filename: str | None = None,
        file_size: int | None = None,
        mimetype: str | None = None,
        *,
        file_name: str | None = None,
        mime_type: str | None = None,
    ) -> None:
        name = filename or file_name
        if not name:
            raise TypeError("BufferedInputFile() needs the name that the file has in the chat: filename=")
        try:
            memoryview(file)
        except TypeError:  # of a number, bytes() would make as many zeros
            raise UsageError(f"the content of a file is bytes, not of the type {type(file).__name__}") from None
        self.data = bytes(file)
        super().__init__(
            name,
            len(self.data) if file_size is None else file_size,
            mimetype or mime_type or detect_mime_type(name, self.data),
        )

    @property
    def size(self) -> int:
        """The exact number of bytes."""
        return len(self.data)

    @classmethod
    def from_file(
        cls,
        path: str | PathLike[str],
        filename: str | None = None,
        file_size: int | None = None,
        mimetype: str | None = None,
        *,
        file_name: str | None = None,
        mime_type: str | None = None,
    ) -> BufferedInputFile:
        """Read a file into memory.

        Args:
            path: where it is.
            filename: its name in the chat; that of the path where it is not given.
            file_size: its size in bytes; counted where it is not given.
            mimetype: its MIME type; told by the name, then by the content, where it is not given.
            file_name: another name of `filename`.
            mime_type: another name of `mimetype`.

        Raises:
            FileMissingError: there is no such file, or it cannot be read.
        """
        location, _ = _existing(path)
        return cls(location.read_bytes(), filename or file_name or location.name, file_size, mimetype or mime_type)

    async def read(self) -> BytesIO:
        """Return the whole content as a stream in memory."""
        return BytesIO(self.data)

    async def content(self) -> bytes:
        """Return the whole content."""
        return self.data

    def clone(self) -> BufferedInputFile:
        """Return another file object with the same content."""
        return BufferedInputFile(self.data, self.filename, self.file_size, self.mimetype)


class FSInputFile(InputFile):
    """A file to send that is on disk; it is read when it is sent, in pieces.

    Args:
        path: where it is; `~` is the home folder.
        filename: its name in the chat; that of the path where it is not given.
        file_size: its size in bytes; that on disk where it is not given.
        mimetype: its MIME type; told by the name, then by the content, where it is not given.
        file_name: another name of `filename`.
        mime_type: another name of `mimetype`.

    Attributes:
        path: where it is, as given.
        location: where it is, absolute.

    Raises:
        FileMissingError: there is no such file, it is a folder, or it cannot be read.
    """

    def __init__(
        self,
        path: str | PathLike[str],
        filename: str | None = None,
        file_size: int | None = None,
        mimetype: str | None = None,
        *,
        file_name: str | None = None,
        mime_type: str | None = None,
    ) -> None:
        self.path = path
        self.location, self._size = _existing(path)
        name = filename or file_name or self.location.name
        super().__init__(
            name,
            self._size if file_size is None else file_size,
            mimetype or mime_type or detect_mime_type(name, self.location),
        )

    @property
    def size(self) -> int:
        """The exact number of bytes, as it was when this object was made."""
        return self._size

    async def read(self) -> bytes:
        """Return the whole content.

        Raises:
            FileUploadError: it can no longer be read.
        """
        try:
            return await beside_the_loop(self.location.read_bytes)
        except OSError as error:
            raise FileUploadError(f"{self.location} can no longer be read: {error.strerror or error}") from error

    async def stream(self, chunk_size: int = CHUNK_SIZE) -> AsyncIterator[bytes]:
        """Give the content piece by piece, read beside the event loop.

        Args:
            chunk_size: the most bytes of a piece.

        Raises:
            FileUploadError: it can no longer be read, or is not as long as it was when this object was made.
        """
        given = 0
        try:
            with await beside_the_loop(self.location.open, "rb", 0) as file:
                while chunk := await beside_the_loop(file.read, chunk_size):
                    given += len(chunk)
                    if given > self._size:
                        break
                    yield chunk
        except OSError as error:
            raise FileUploadError(f"{self.location} can no longer be read: {error.strerror or error}") from error
        if given != self._size:
            raise FileUploadError(
                f"{self.location} had {self._size} bytes and now has {'more' if given > self._size else given}: "
                "it changed while it was sent"
            )

    def clone(self) -> FSInputFile:
        """Return another file object for the same file."""
        cloned = FSInputFile(self.location, self.filename, self.file_size, self.mimetype)
        cloned.path = self.path
        return cloned


class URLInputFile(InputFile):
    """A file to send that is at an HTTP address.

    Args:
        url: the address; redirects are followed.
        headers: headers of the request. Behind a redirect to another host, port or scheme none of them is sent, nor is
            a login that stands in the address, nor a cookie.
        filename: its name in the chat; that of the response or the address where it is not given.
        file_size: its size in bytes, where it is known; `prepare` puts the true size in its place.
        mimetype: its MIME type; that of the response, then by name and content, where it is not given.
        timeout: seconds within which the address must answer, and then without any progress before the request fails.
        verify_ssl: which certificates are trusted, as in `connect`.
        file_name: another name of `filename`.
        mime_type: another name of `mimetype`.
    """

    def __init__(
        self,
        url: str,
        headers: Mapping[str, Any] | None = None,
        filename: str | None = None,
        file_size: int | None = None,
        mimetype: str | None = None,
        timeout: float = 30,
        verify_ssl: http.SSLVerify = True,
        *,
        file_name: str | None = None,
        mime_type: str | None = None,
    ) -> None:
        if not isinstance(url, str):
            raise UsageError(f"url is a str, not of the type {type(url).__name__}")
        super().__init__(filename or file_name, file_size, mimetype or mime_type)
        self.url = url
        self.headers = dict(headers or {})
        self.timeout = timeout
        self.verify_ssl = verify_ssl
        self._fetched = _Fetched()

    @property
    def size(self) -> int | None:
        """The exact number of bytes; None before `prepare`."""
        return self._fetched.size

    async def prepare(self) -> None:
        """Ask the address for name, size and MIME type.

        A file that is small, or whose size the address does not tell, is fetched at once.

        Raises:
            FileUploadError: the address cannot be reached or refuses.
            FileSizeTooLargeError: it gives more than 2 GiB without having told the size.
        """
        if self._fetched.size is None:
            length = await self._ask()
            if length is not None and length > _FETCHED_AHEAD:
                self._fetched.size = length
            else:
                await self._fetch()
        self.file_size = self._fetched.size
        self._complete()

    async def read(self) -> bytes:
        """Return the whole content.

        Raises:
            FileUploadError: the address cannot be reached or refuses.
        """
        await self.prepare()
        return b"".join([chunk async for chunk in self.stream()])

    async def stream(self, chunk_size: int = CHUNK_SIZE) -> AsyncIterator[bytes]:
        """Give the content piece by piece, without ever having all of it in memory.

        Args:
            chunk_size: the most bytes of a piece.

        Raises:
            FileUploadError: the address cannot be reached, refuses, or gives another number of bytes than it told.
        """
        await self.prepare()
        if self._fetched.file is not None:
            async for chunk in self._fetched.pieces(chunk_size):
                yield chunk
            return
        given, size = 0, self.size or 0
        async with _Request(self, "GET") as request:
            async for chunk in request.pieces():
                given += len(chunk)
                if given > size:
                    break
                for start in range(0, len(chunk), chunk_size):
                    yield chunk[start : start + chunk_size]
        if given != size:
            gave = "more" if given > size else str(given)
            raise FileUploadError(f"{shown_url(self.url)} told a size of {size} bytes and gave {gave}")

    def clone(self) -> URLInputFile:
        """Return another file object for the same address; what was fetched is not fetched again."""
        cloned = URLInputFile(
            self.url, self.headers, self.filename, self.file_size, self.mimetype, self.timeout, self.verify_ssl
        )
        cloned._fetched = self._fetched
        return cloned

    def __repr__(self) -> str:
        return f"{super().__repr__()[:-1]}, from {shown_url(self.url)})"

    async def _ask(self) -> int | None:
        """Return the size that the address tells; None where it tells none, or cannot be asked that way."""
        request = _Request(self, "HEAD")
        try:
            async with request:
                self._fetched.note(request.response)
                return request.told_size
        except FileUploadError:
            if not request.is_refused:
                raise
            return None  # some addresses refuse HEAD and give the file; the GET that follows tells what is wrong

    async def _fetch(self) -> None:
        file: Any = SpooledTemporaryFile(max_size=_FETCHED_AHEAD)  # noqa: SIM115  # it outlives this call
        weakref.finalize(self._fetched, file.close)
        size = 0
        async with _Request(self, "GET") as request:
            self._fetched.note(request.response)
            if (told := request.told_size or 0) > _MOST_FETCHED:
                raise FileSizeTooLargeError(told, _MOST_FETCHED)
            async for chunk in request.pieces():
                size += len(chunk)
                if size > _MOST_FETCHED:
                    raise FileSizeTooLargeError(size, _MOST_FETCHED)
                await beside_the_loop(file.write, chunk)
        self._fetched.file, self._fetched.size = file, size

    def _complete(self) -> None:
        """Fill in name and MIME type from what the address told."""
        name = self.filename or self._fetched.filename or _name_in(self.url)
        if self.mimetype is None:
            self.mimetype = self._fetched.mimetype or detect_mime_type(name)
            if self.mimetype == UNKNOWN_TYPE:
                self.mimetype = images.mime_type_of(self._fetched.head()) or UNKNOWN_TYPE
        if self.filename is None:
            known = PurePosixPath(name).suffix and _types().guess_type(name)[0]
            self.filename = (name or "download") + ("" if known else extension_of(self.mimetype))


class _Fetched:
    """What is known of a remote file, shared by its clones."""

    def __init__(self) -> None:
        self.size: int | None = None
        self.file: Any = None
        self.filename: str | None = None
        self.mimetype: str | None = None
        self._lock = fork_safe(threading.Lock())

    def note(self, response: http.Response) -> None:
        """Remember name and MIME type from the headers of a response."""
        content_type = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if "/" in content_type and content_type != UNKNOWN_TYPE:
            self.mimetype = content_type
        self.filename = _name_of_disposition(response.headers.get("Content-Disposition", "")) or self.filename

    def head(self) -> bytes:
        """Return the content if it is in memory, to tell its type by; otherwise nothing."""
        if self.file is None or self.size is None or self.size > _FETCHED_AHEAD:
            return b""
        return self._piece(0, self.size)

    async def pieces(self, chunk_size: int) -> AsyncIterator[bytes]:
        """Give the fetched content piece by piece; clones may do so at the same time."""
        position = 0
        while chunk := await beside_the_loop(self._piece, position, chunk_size):
            position += len(chunk)
            yield chunk

    def _piece(self, position: int, size: int) -> bytes:
        with self._lock:
            self.file.seek(position)
            return bytes(self.file.read(size))


class _Request:
    """One request for a remote file, whose failures are told without the query of the address.

    Attributes:
        response: the answer, once the request has been entered.
        is_refused: whether the address answered, and not with a file.
    """

    response: http.Response

    def __init__(self, file: URLInputFile, method: str) -> None:
        self.is_refused = False
        self._file = file
        self._method = method
        self._open = AsyncExitStack()

    async def __aenter__(self) -> Self:
        from tcnb.network import http

        file = self._file
        try:
            client = http.client(http.ssl_context(file.verify_ssl), timeout=file.timeout)
            await self._open.enter_async_context(client)
            self.response = await self._open.enter_async_context(self._opened(client))
        except BaseException as error:
            await self._open.aclose()
            if isinstance(error, http.HTTPError | http.InvalidURL | ValueError | TypeError):  # the last two: headers
                raise await self._explained(error) from error
            raise
        if not self.response.is_success:
            await self._open.aclose()
            self.is_refused = True
            raise FileUploadError(f"{shown_url(file.url)} gives no file: it answers {self.response.status_code}")
        return self

    async def __aexit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        from tcnb.network import http

        await self._open.aclose()
        if isinstance(error, http.HTTPError):
            raise await self._explained(error) from error

    @property
    def told_size(self) -> int | None:
        """Bytes that the answer says it has; None where it does not say it, or packs them."""
        from tcnb.network import http

        return http.content_length(self.response)

    def pieces(self) -> AsyncIterator[bytes]:
        """Give the content as it arrives."""
        from tcnb.network import http

        return http.pieces(self.response, timeout=self._file.timeout)

    @asynccontextmanager
    async def _opened(self, client: http.AsyncClient) -> AsyncIterator[http.Response]:
        """Ask the address, and where it sends us, within one deadline.

        Headers and login are meant for the address that was named: they go to no other, and none may send us back there
        with them. Cookies know no ports, so they stay where they were set as well.
        """
        import asyncio

        from tcnb.network import http

        own = {name: str(value) for name, value in self._file.headers.items()}
        request = client.build_request(self._method, self._file.url, headers=own)
        login, named, is_left = request.url.userinfo, http.origin(request.url), False
        clock = asyncio.get_running_loop().time
        end = clock() + self._file.timeout
        for _ in range(_MOST_REDIRECTS):
            async with http.opened(client, request, timeout=end - clock()) as response:
                following = response.next_request
                if following is None:
                    yield response
                    return
            there = http.origin(following.url)
            if there != http.origin(request.url):
                client.cookies.clear()
            is_left = is_left or there != named
            url = following.url.copy_with(userinfo=b"" if is_left else login)
            request = client.build_request(following.method, url, headers=None if is_left else own)
        raise http.HTTPError(f"it redirects more than {_MOST_REDIRECTS} times")

    async def _explained(self, error: BaseException) -> FileUploadError:
        """Return the failure of a request as one that a person understands."""
        from tcnb.network import certificates, http
        from tcnb.network.proxies import proxy_for

        shown = shown_url(self._file.url)
        if isinstance(error, http.TimeoutException):
            return FileUploadError(f"{shown} made no progress for {self._file.timeout:g} seconds")
        if isinstance(error, http.UnfitAnswerError):
            return FileUploadError(f"{shown} {error}")
        if isinstance(error, http.InvalidURL):
            return FileUploadError(f"{shown} could not be fetched: it is not an address")
        asked = str(error.request.url) if isinstance(error, http.RequestError) else self._file.url
        problem = certificates.refused(error)
        if problem is not None:
            host = urlsplit(asked).netloc.rpartition("@")[2]
            certificate = await certificates.presented(asked, self._file.timeout)
            said = certificates.explained(host, urlsplit(asked).hostname or host, problem, certificate)
            return FileUploadError(f"{shown} could not be fetched: {said}")
        proxy = await beside_the_loop(proxy_for, asked)
        through = f" through the proxy {proxy}" if proxy is not None else ""
        return FileUploadError(f"{shown} could not be fetched{through}: {str(error) or type(error).__name__}")


def detect_mime_type(name: str, source: Source = b"") -> str:
    """Return a MIME type by the name, else by the content if that is an image.

    Args:
        name: the file's name.
        source: its content, or its path.
    """
    by_name, encoding = _types().guess_type(name)
    if encoding is not None:  # report.csv.gz is not a text
        return "application/gzip" if encoding == "gzip" else f"application/x-{encoding}"
    if by_name is not None or not source or (isinstance(source, Path) and source.stat().st_size > _MOST_LOOKED_INTO):
        return by_name or UNKNOWN_TYPE
    return images.mime_type_of(source) or UNKNOWN_TYPE


def extension_of(mimetype: str | None) -> str:
    """Return the usual extension of a MIME type with its dot; empty where there is none."""
    if mimetype in (None, UNKNOWN_TYPE):
        return ""
    return {"image/jpeg": ".jpg"}.get(str(mimetype)) or _types().guess_extension(str(mimetype)) or ""


@cache
def _types() -> mimetypes.MimeTypes:
    """Return the table of types, the same on every machine."""
    table = mimetypes.MimeTypes()
    for extension, mimetype in _MORE_TYPES.items():
        table.add_type(mimetype, extension)
    return table


def _existing(path: str | PathLike[str]) -> tuple[Path, int]:
    """Return a readable file's absolute path and its size."""
    if not isinstance(path, str | PathLike):
        raise UsageError(f"the path of a file is a str or a Path, not of the type {type(path).__name__}")
    if not str(path):
        raise FileMissingError("the path of the file is empty: name a file")
    try:
        location = absolute(path)
        status = location.stat()
        if stat.S_ISDIR(status.st_mode):
            raise FileMissingError(f"{location} is a folder: name a file in it, or pack the folder first")
        if not stat.S_ISREG(status.st_mode):
            raise FileMissingError(f"{location} is not an ordinary file")
        with location.open("rb"):
            return location, status.st_size
    except FileMissingError:
        raise
    except UsageError as error:
        raise FileMissingError(str(error)) from error
    except FileNotFoundError as error:
        raise FileMissingError(f"there is no file {str(path)!r} (looked for {location})") from error
    except PermissionError as error:
        raise FileMissingError(f"{location} cannot be read: its permissions forbid it") from error
    except (OSError, ValueError) as error:
        raise FileMissingError(f"{str(path)!r} cannot be read: {getattr(error, 'strerror', None) or error}") from error


def _safe_name(name: str) -> str:
    """Return the last part of a path, without characters that no file name has."""
    last = name.replace("\\", "/").rpartition("/")[2]
    return "".join(character for character in last if character.isprintable()).strip(" .")


def _name_in(url: str) -> str:
    return _safe_name(unquote(urlsplit(url).path))


def _name_of_disposition(header: str) -> str | None:
    if not header:
        return None
    from email.message import Message

    message = Message()
    message["Content-Disposition"] = header
    return _safe_name(message.get_filename("")) or None
