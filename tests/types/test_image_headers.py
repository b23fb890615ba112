"""What images say of themselves in their first bytes: the size that Pillow would decode, or nothing."""

from __future__ import annotations

import io
import random

import pytest
from PIL import Image

from tcnb.types.image_headers import MIME_TYPES, read_header
from tests import image_bombs


def saved(kind, size=(321, 123), mode="RGB", **options):
    """Return an image of noise, so that no format makes it smaller."""
    target = io.BytesIO()
    pixels = random.Random(kind).randbytes(size[0] * size[1] * len(mode))
    Image.frombytes(mode, size, pixels).save(target, kind, **options)
    return target.getvalue()


def moving(kind, **options):
    """Return an animation of two frames."""
    return saved(kind, save_all=True, append_images=[Image.new("RGB", (321, 123), "red")], **options)


@pytest.mark.parametrize(
    "data",
    [
        saved("PNG"),
        saved("JPEG"),
        saved("JPEG", progressive=True),
        saved("JPEG", exif=b"Exif\0\0" + bytes(60_000), icc_profile=bytes(100_000), comment=bytes(40_000)),
        saved("GIF"),
        saved("BMP"),
        saved("WEBP"),
        saved("WEBP", lossless=True),
        saved("WEBP", mode="RGBA", exif=b"Exif\0\0MM"),
        moving("GIF", comment=b"x" * 5000),
        moving("WEBP"),
        moving("PNG"),
    ],
)
def test_size_is_read_from_the_head(data):
    """Format and size are those that Pillow finds, whatever else stands before them."""
    with Image.open(io.BytesIO(data)) as image:
        kind = "JPEG" if image.format == "MPO" else image.format
    header = read_header(data)
    assert (header.format, header.width, header.height) == (kind, 321, 123)
    assert kind in MIME_TYPES


def test_file_on_disk_is_read_like_its_content(tmp_path):
    """A path stands for what is in the file."""
    path = tmp_path / "a"
    path.write_bytes(saved("JPEG"))
    assert read_header(path) == read_header(path.read_bytes())
    assert read_header(tmp_path / "none") is None


def test_jpeg_tells_whether_it_can_be_reduced():
    """A progressive JPEG is in memory as a whole while it is decoded, another one is not."""
    assert read_header(saved("JPEG")).is_reducible
    assert not read_header(saved("JPEG", progressive=True)).is_reducible


def test_bitmap_from_top_to_bottom_has_its_size():
    """A negative height says where a BMP begins, not that it is small."""
    data = bytearray(saved("BMP"))
    data[22:26] = (-50_000).to_bytes(4, "little", signed=True)
    assert read_header(bytes(data)).height == 50_000


def test_frame_that_is_larger_than_its_animation_counts():
    """Readers make room for the first frame of a GIF, whatever its screen says."""
    assert read_header(image_bombs.gif_with_a_larger_frame(60_000)).pixels == 3_600_000_000


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"plain text",
        b"\x89PNG\r\n\x1a\n",
        b"\x89PNG\r\n\x1a\n" + bytes(24),
        b"\xff\xd8\xff",
        b"\xff\xd8" + b"\xff" * 100_000,
        b"\xff\xd8" + b"\xff\xe0\x00\x02" * 100_000,
        b"\xff\xd8\xff\xe0\x00\x00" + bytes(100),
        b"GIF89a" + bytes(7) + b"\x21\xfe" + b"\x01x" * 100_000,
        b"GIF89a" + bytes(7) + b"\x21\xfe\x00" * 100_000,
        b"RIFF\x00\x00\x00\x00WAVEfmt " + bytes(20),
        b"BM",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
    ],
    ids=range(13),
)
def test_what_tells_no_size_is_nothing(data):
    """Damaged heads, other files, and heads that hide their size behind thousands of parts are not read."""
    assert read_header(data) is None


@pytest.mark.parametrize("kind", sorted(MIME_TYPES))
def test_any_damage_to_a_head_is_met(kind):
    """Bytes that are changed or missing never raise anything."""
    data, rng = saved(kind)[:400], random.Random(kind)
    for _ in range(400):
        damaged = bytearray(data[: rng.randint(0, 400)])
        for _ in range(min(3, len(damaged))):
            damaged[rng.randrange(len(damaged))] = rng.randrange(256)
        read_header(bytes(damaged))
