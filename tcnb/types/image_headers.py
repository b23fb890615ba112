"""What an image says of itself in its first bytes: format and size in pixels, read without decoding anything.

Pillow allocates memory for some formats as soon as it opens them, so whoever has a budget must look before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from io import BytesIO
from pathlib import Path
from struct import Struct, error
from typing import BinaryIO, Final, NamedTuple, TypeAlias

from tcnb.errors import PortableError

Source: TypeAlias = "bytes | Path"
"""The content of an image, or the path of a file that exists."""

MOST_BLOCKS: Final = 4096
"""Parts of a file that are stepped over in search of its size; a camera writes a few dozen."""

MIME_TYPES: Final[Mapping[str, str]] = {
    "JPEG": "image/jpeg",
    "PNG": "image/png",
    "GIF": "image/gif",
    "WEBP": "image/webp",
    "BMP": "image/bmp",
}
"""The formats that are read here, as Pillow calls them: those that every browser and every chat shows."""

_JPEG_SIZES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""Markers of a JPEG that tell its size; the three others in that range are tables."""
_JPEG_ALONE: Final = frozenset({0x01, *range(0xD0, 0xD8)})
"""Markers that nothing belongs to."""
_JPEG_REDUCIBLE: Final = frozenset({0xC0, 0xC1})
"""Sizes of a JPEG that is decoded line by line; a progressive one is held in memory as a whole."""


class ImageHeader(NamedTuple):
    """What the first bytes of an image say.

    Attributes:
        format: a key of `MIME_TYPES`.
        width: in pixels.
        height: in pixels.
        is_reducible: whether it can be decoded at an eighth of its size without ever being in memory at its full one.
    """

    format: str
    width: int
    height: int
    is_reducible: bool = False

    @property
    def pixels(self) -> int:
        """How many pixels decoding takes memory for."""
        return self.width * self.height


def read_header(source: Source) -> ImageHeader | None:
    """Return what an image says of itself; None if it is damaged, or none of these formats.

    Args:
        source: the content, or the path of a file that exists; only its first parts are read.
    """
    try:
        with BytesIO(source) if isinstance(source, bytes) else source.open("rb") as file:
            head = file.read(32)
            for signature, read in _READERS.items():
                if head.startswith(signature):
                    return read(file, head)
    except (OSError, error, _Unreadable):
        return None
    return None


class _Unreadable(PortableError):
    """The first bytes are not those of an image."""


def _unpacked(form: str, data: bytes, offset: int = 0) -> tuple[int, ...]:
    return Struct(form).unpack_from(data, offset)


def _png(_file: BinaryIO, head: bytes) -> ImageHeader:
    if head[12:16] != b"IHDR":
        raise _Unreadable
    width, height = _unpacked(">II", head, 16)
    return ImageHeader("PNG", width, height)


def _bmp(_file: BinaryIO, head: bytes) -> ImageHeader:
    (size,) = _unpacked("<I", head, 14)
    width, height = _unpacked("<HH" if size == 12 else "<ii", head, 18)
    return ImageHeader("BMP", abs(width), abs(height))  # one that begins with its first line has a negative height


def _webp(_file: BinaryIO, head: bytes) -> ImageHeader:
    kind = head[8:16]
    if kind == b"WEBPVP8X":
        width, height = (int.from_bytes(head[at : at + 3], "little") + 1 for at in (24, 27))
    elif kind == b"WEBPVP8L":
        (bits,) = _unpacked("<I", head, 21)
        width, height = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    elif kind == b"WEBPVP8 ":
        width, height = (side & 0x3FFF for side in _unpacked("<HH", head, 26))
    else:
        raise _Unreadable
    return ImageHeader("WEBP", width, height)


def _gif(file: BinaryIO, head: bytes) -> ImageHeader:
    """Read the size of the screen, or of the first frame where that is larger: readers make room for both."""
    width, height = _unpacked("<HH", head, 6)
    file.seek(13 + (3 << (head[10] & 7) + 1 if head[10] & 0x80 else 0))
    steps = iter(range(MOST_BLOCKS))
    for _ in steps:
        kind = file.read(1)
        if kind == b"\x2c":
            left, top, across, down = _unpacked("<HHHH", file.read(8))
            return ImageHeader("GIF", max(width, left + across), max(height, top + down))
        if kind != b"\x21":
            break
        file.seek(1, 1)
        _step_over_blocks(file, steps)
    raise _Unreadable


def _step_over_blocks(file: BinaryIO, steps: Iterator[int]) -> None:
    for _ in steps:
        length = file.read(1)
        if length in (b"", b"\0"):
            return
        file.seek(length[0], 1)
    raise _Unreadable


def _jpeg(file: BinaryIO, _head: bytes) -> ImageHeader:
    file.seek(2)
    for _ in range(MOST_BLOCKS):
        sign, marker = _unpacked("BB", file.read(2))
        if sign != 0xFF:
            raise _Unreadable
        if marker == 0xFF:  # markers may be preceded by any number of these
            file.seek(-1, 1)
            continue
        if marker in _JPEG_ALONE:
            continue
        (length,) = _unpacked(">H", file.read(2))
        if marker in _JPEG_SIZES:
            height, width = _unpacked(">xHH", file.read(5))
            return ImageHeader("JPEG", width, height, marker in _JPEG_REDUCIBLE)
        file.seek(max(length - 2, 0), 1)
    raise _Unreadable


_READERS: Final[Mapping[bytes, Callable[[BinaryIO, bytes], ImageHeader]]] = {
    b"\xff\xd8\xff": _jpeg,
    b"\x89PNG\r\n\x1a\n": _png,
    b"GIF87a": _gif,
    b"GIF89a": _gif,
    b"RIFF": _webp,
    b"BM": _bmp,
}
