"""Images that are small as files and huge when decoded, damaged, or say something else than they are."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable, Mapping
from functools import cache
from typing import Final

from PIL import Image

SIDE: Final = 16_000
"""Pixels of a side: 256 million altogether, 1 GiB in memory."""


@cache
def png_of_one_colour(side: int = SIDE) -> bytes:
    """Return a grey PNG, written line by line so that it is never decoded here."""
    packer = zlib.compressobj(9)
    line = bytes(side + 1)
    packed = b"".join(packer.compress(line) for _ in range(side)) + packer.flush()
    head = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _png_chunk(b"IHDR", head) + _png_chunk(b"IDAT", packed) + _png_chunk(b"IEND", b"")


def webp_of_one_colour(side: int = 16_383) -> bytes:
    """Return a lossless WebP whose every pixel is the same: one code of no bits for each part of a colour."""
    bits = _Bits()
    for value, count in ((side - 1, 14), (side - 1, 14), (0, 1), (0, 3)):
        bits.add(value, count)
    for value in (0, 0, 0):  # no transform, no colour cache, no meta code
        bits.add(value, 1)
    for symbol in (127, 64, 32, 255, 0):  # green, red, blue, alpha, distance: simple codes of one symbol
        bits.add(1, 1)
        bits.add(0, 1)
        bits.add(1, 1)
        bits.add(symbol, 8)
    body = b"\x2f" + bits.whole()
    chunk = b"VP8L" + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)
    return b"RIFF" + struct.pack("<I", len(chunk) + 4) + b"WEBP" + chunk


@cache
def jpeg_of_one_colour(side: int = SIDE, *, progressive: bool = False) -> bytes:
    """Return a grey JPEG."""
    return _saved(Image.new("L", (side, side), 128), "JPEG", progressive=progressive, quality=1)


def bmp_that_is_cut(side: int = SIDE) -> bytes:
    """Return the head of a BMP of so many pixels, and none of them."""
    return b"BM" + struct.pack("<IHHIIiiHHIIiiII", 54, 0, 0, 54, 40, side, side, 1, 24, 0, 0, 0, 0, 0, 0)


def gif_of_many_frames(frames: int = 5_000, side: int = 900) -> bytes:
    """Return an animation whose every frame is the same."""
    moving = [Image.new("P", (side, side), colour) for colour in (0, 1)]
    moving[1].putpalette([0, 0, 0, 255, 0, 0])
    whole = _saved(moving[0], "GIF", save_all=True, append_images=moving[1:], loop=0)
    last = whole.rindex(b"\x21\xf9")
    return whole[:last] + whole[last:-1] * frames + b"\x3b"


def gif_with_a_larger_frame(side: int = 60_000) -> bytes:
    """Return an animation of one pixel, whose first frame says that it is larger."""
    frame = b"\x2c" + struct.pack("<HHHHB", 0, 0, side, side, 0) + b"\x02\x02\x4c\x01\x00"
    return b"GIF89a" + struct.pack("<HHBBB", 1, 1, 0x80, 0, 0) + bytes(6) + frame + b"\x3b"


def jpeg2000_of_one_colour(side: int = 6_300) -> bytes:
    """Return a JPEG 2000 of a few hundred bytes, all of which is decoded: that takes a second."""
    return _saved(Image.new("L", (side, side)), "JPEG2000")


def jpeg2000_that_lies(side: int = SIDE) -> bytes:
    """Return a small JPEG 2000 whose head says that it has so many pixels."""
    small = _saved(Image.new("L", (64, 64)), "JPEG2000")
    at = small.index(b"ihdr") + 4
    return small[:at] + struct.pack(">II", side, side) + small[at + 8 :]


def tiff_that_lies(side: int = SIDE) -> bytes:
    """Return a TIFF that says it has so many pixels."""
    tags = [
        (256, 4, side),
        (257, 4, side),
        (258, 3, 8),
        (259, 3, 1),
        (262, 3, 1),
        (273, 4, 8),
        (278, 4, side),
        (279, 4, 1),
    ]
    entries = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in tags)
    return b"II*\0" + struct.pack("<I", 8) + struct.pack("<H", len(tags)) + entries + bytes(4)


def png_with_a_huge_text(size: int = 200 * 2**20) -> bytes:
    """Return a small PNG with a compressed text of so many bytes before its pixels."""
    return _png_with(b"zTXt", b"Comment\0\0" + _packed(size))


def png_with_a_huge_profile(size: int = 200 * 2**20) -> bytes:
    """Return a small PNG with a colour profile that unpacks to so many bytes."""
    return _png_with(b"iCCP", b"icc\0\0" + _packed(size))


BOMBS: Final[Mapping[str, Callable[[], bytes]]] = {
    "a.png": png_of_one_colour,
    "a.webp": webp_of_one_colour,
    "a.jpg": jpeg_of_one_colour,
    "a.bmp": bmp_that_is_cut,
    "a.gif": gif_with_a_larger_frame,
    "a.jp2": jpeg2000_that_lies,
    "a.tiff": tiff_that_lies,
}
"""By file name: images of more pixels than anybody decodes."""


class _Bits:
    """Bits of a WebP, the least of a byte first."""

    def __init__(self) -> None:
        self._value = 0
        self._count = 0

    def add(self, value: int, count: int) -> None:
        self._value |= value << self._count
        self._count += count

    def whole(self) -> bytes:
        return self._value.to_bytes(self._count // 8 + 1, "little")


def _packed(size: int) -> bytes:
    packer = zlib.compressobj(9)
    piece = bytes(2**20)
    return b"".join(packer.compress(piece) for _ in range(size // len(piece))) + packer.flush()


def _png_with(name: bytes, body: bytes) -> bytes:
    whole = _saved(Image.new("RGB", (20, 10), "teal"), "PNG")
    return whole[:33] + _png_chunk(name, body) + whole[33:]  # after the signature and the header


def _png_chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def _saved(image: Image.Image, kind: str, **options: object) -> bytes:
    target = io.BytesIO()
    image.save(target, kind, **options)
    return target.getvalue()
