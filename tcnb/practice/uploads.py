"""Reading an upload as it comes: multipart/form-data straight to files, without ever holding a file in memory.

Source: `protocol` section 8.1.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from tcnb.errors import PortableError

MOST_HEADERS: Final = 16_384
"""Bytes that the headers of one part may take; beyond that the body is no upload."""
MOST_PREVIEW: Final = 16 * 1024 * 1024
"""Bytes that a preview may have."""

_NAME: Final = re.compile(r"""\bname="([^"]*)\"""", re.IGNORECASE)
_FILE_NAME: Final = re.compile(r"""\bfilename="([^"]*)\"""", re.IGNORECASE)
_BOUNDARY: Final = re.compile(r"""boundary=(?:"([^"]+)"|([^;\s]+))""", re.IGNORECASE)


class MalformedUpload(PortableError):
    """The body is not multipart/form-data."""


@dataclass(slots=True)
class Part:
    """One part of an upload, written to `path`; `file_name` is as it stands in its header, None where it does not."""

    name: str
    file_name: str | None
    mime_type: str | None
    path: Path
    size: int = 0


def boundary_of(content_type: str) -> bytes:
    """Return the boundary that a Content-Type header names.

    Raises:
        MalformedUpload: it is not multipart/form-data or names none.
    """
    found = _BOUNDARY.search(content_type)
    if found is None or not content_type.lower().startswith("multipart/form-data"):
        raise MalformedUpload("not multipart/form-data")
    return (found.group(1) or found.group(2)).encode("latin-1")


class MultipartReader:
    """Takes the body in pieces of any size and writes the parts `file` and `preview` to files.

    Args:
        boundary: what separates the parts.
        places: where the parts of each name go; parts of other names are skipped.
        most: bytes that each named part may have; what exceeds it is counted and not kept.
    """

    def __init__(self, boundary: bytes, places: dict[str, Path], most: dict[str, int]) -> None:
        self.parts: dict[str, Part] = {}
        self.is_complete = False
        self._mark = b"\r\n--" + boundary
        self._places = places
        self._most = most
        # The first boundary has no line before it; this makes it look like the others.
        self._buffer = b"\r\n"
        self._part: Part | None = None
        self._file: BinaryIO | None = None
        self._in_body = True

    def feed(self, data: bytes) -> None:
        """Take the next piece of the body.

        Raises:
            MalformedUpload: the headers of a part are no headers.
        """
        if self.is_complete:
            return
        self._buffer = self._buffer + data if self._buffer else data
        while self._step():
            pass

    def close(self) -> None:
        """Stop reading; what was written stays."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _step(self) -> bool:
        return self._read_body() if self._in_body else self._read_headers()

    def _read_body(self) -> bool:
        end = self._buffer.find(self._mark)
        if end < 0:
            # The last bytes may be the beginning of a boundary.
            sure = len(self._buffer) - len(self._mark)
            if sure > 0:
                self._write(memoryview(self._buffer)[:sure])
                self._buffer = self._buffer[sure:]
            return False
        after = end + len(self._mark)
        if len(self._buffer) < after + 2:
            return False
        self._write(memoryview(self._buffer)[:end])
        self.close()
        self.is_complete = self._buffer[after : after + 2] == b"--"
        self._buffer = b"" if self.is_complete else self._buffer[after + 2 :]
        self._in_body = False
        return not self.is_complete

    def _read_headers(self) -> bool:
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            if len(self._buffer) > MOST_HEADERS:
                raise MalformedUpload("the headers of a part do not end")
            return False
        self._begin(self._buffer[:end].decode("utf-8", "replace"))
        self._buffer = self._buffer[end + 4 :]
        self._in_body = True
        return True

    def _begin(self, headers: str) -> None:
        fields = dict(_field(line) for line in headers.split("\r\n") if ":" in line)
        disposition = fields.get("content-disposition", "")
        found, file_name = _NAME.search(disposition), _FILE_NAME.search(disposition)
        if found is None:
            raise MalformedUpload("a part has no name")
        name = found.group(1)
        place = self._places.get(name)
        if place is None or name in self.parts:
            self._part = None
            return
        self._part = self.parts[name] = Part(name, file_name and file_name.group(1), fields.get("content-type"), place)
        self._file = place.open("wb")

    def _write(self, data: memoryview) -> None:
        if self._part is None or self._file is None:
            return
        self._part.size += len(data)
        if self._part.size <= self._most.get(self._part.name, 0):
            self._file.write(data)


def _field(line: str) -> tuple[str, str]:
    name, _, value = line.partition(":")
    return name.strip().lower(), value.strip()
