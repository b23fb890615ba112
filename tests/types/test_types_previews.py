"""Previews and stickers: images made small, upright and WebP; what is no image is refused in one line."""

from __future__ import annotations

import io
import random

import pytest
from PIL import Image

from tcnb.errors import NotAnImageError
from tcnb.types import BufferedInputFile, FSInputFile, as_sticker, make_preview
from tcnb.types.files import InputFile


def image_file(name, size=(1200, 800), mode="RGB", kind="PNG", colour=None, **options):
    """Return a file in memory with an image of one colour."""
    target = io.BytesIO()
    Image.new(mode, size, colour if colour is not None else 0).save(target, kind, **options)
    return BufferedInputFile(target.getvalue(), name)


def opened(file):
    """Return the image in a file."""
    return Image.open(io.BytesIO(file.data))


async def test_preview_is_a_small_webp():
    """A preview is WebP and at most 512 pixels long."""
    preview = await make_preview(image_file("cat.png"))
    assert (preview.filename, preview.mimetype) == ("preview.webp", "image/webp")
    assert (opened(preview).format, opened(preview).size) == ("WEBP", (512, 341))


async def test_small_image_is_not_blown_up():
    """An image that is small already keeps its size."""
    assert opened(await make_preview(image_file("dot.png", (20, 10)))).size == (20, 10)


async def test_preview_stands_upright():
    """A photo that a camera marked as lying is turned, whatever its format."""
    exif = Image.Exif()
    exif[0x0112] = 6
    for kind in ("JPEG", "PNG", "WEBP"):
        preview = await make_preview(image_file("cat", (1200, 800), kind=kind, exif=exif))
        assert opened(preview).size == (341, 512), kind


async def test_preview_does_not_tell_where_a_photo_was_taken():
    """The camera's notes do not go into a preview."""
    exif = Image.Exif()
    exif[0x010F] = "Maker"
    preview = await make_preview(image_file("cat.jpg", kind="JPEG", exif=exif))
    assert not opened(preview).getexif()


async def test_preview_of_a_moving_image_is_its_first_frame():
    """An animation is shown by its first frame."""
    frames = [Image.new("RGB", (40, 40), colour) for colour in ("red", "blue")]
    target = io.BytesIO()
    frames[0].save(target, "GIF", save_all=True, append_images=frames[1:])
    preview = opened(await make_preview(BufferedInputFile(target.getvalue(), "move.gif")))
    red, _, blue = preview.convert("RGB").getpixel((20, 20))
    assert not getattr(preview, "is_animated", False)
    assert red > 200 > blue


async def test_preview_keeps_transparency():
    """What is transparent stays so."""
    preview = opened(await make_preview(image_file("a.png", (50, 50), "RGBA", colour=(255, 0, 0, 0))))
    assert preview.convert("RGBA").getpixel((25, 25))[3] == 0


async def test_sixteen_bit_grey_is_scaled():
    """A 16-bit grey image is not blown out to white."""
    preview = opened(await make_preview(image_file("xray.png", (50, 50), "I;16", colour=32768)))
    assert 110 < preview.convert("L").getpixel((25, 25)) < 145


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
async def test_images_of_every_mode_have_a_preview(mode, kind):
    """No mode of pixels is refused."""
    assert opened(await make_preview(image_file("a", (30, 30), mode, kind))).size == (30, 30)


async def test_preview_of_a_file_on_disk(tmp_path):
    """A file on disk is read from there."""
    path = tmp_path / "cat.bmp"
    path.write_bytes(image_file("cat.bmp", kind="BMP").data)
    assert opened(await make_preview(FSInputFile(path))).size == (512, 341)


async def test_preview_of_a_file_of_ones_own_kind():
    """Whatever reads like a file has a preview."""

    class OwnFile(InputFile):
        async def read(self):
            return image_file("x.png").data

        def clone(self):
            return OwnFile(self.filename)

    assert opened(await make_preview(OwnFile("x.png"))).size == (512, 341)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"plain text",
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n",
        b"\x00\x00\x01\xba" + b"\0" * 64,
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        image_file("cut.png").data[:200],
        image_file("cut.jpg", kind="JPEG").data[:300],
        random.Random(7).randbytes(2000),
    ],
)
async def test_what_is_no_image_is_refused_in_one_line(content):
    """Texts, programs, videos and damaged images are refused with the file's name and a reason."""
    for convert in (make_preview, as_sticker):
        with pytest.raises(NotAnImageError, match=r"report\.png is not an image") as raised:
            await convert(BufferedInputFile(content, "report.png"))
        assert "\n" not in str(raised.value)
        assert "0x" not in str(raised.value)


async def test_image_with_too_many_pixels_is_refused():
    """A small file that would unpack to gigabytes is not unpacked."""
    bomb = image_file("bomb.png", (20_000, 20_000), "1")
    with pytest.raises(NotAnImageError, match="pixels"):
        await make_preview(bomb)


async def test_webp_is_a_sticker_as_it_is(tmp_path):
    """A WebP is sent as it is, under a fitting name and type."""
    webp = image_file("cat", (900, 900), kind="WEBP")
    path = tmp_path / "cat.img"
    path.write_bytes(webp.data)
    for file in (webp, FSInputFile(path)):
        sticker = await as_sticker(file)
        read = await sticker.read()
        assert (read.getvalue() if isinstance(read, io.BytesIO) else read) == webp.data
        assert (sticker.filename, sticker.mimetype) == ("cat.webp", "image/webp")
    assert webp.filename == "cat"


async def test_other_image_becomes_a_sticker():
    """An image of another format becomes a small WebP."""
    sticker = await as_sticker(image_file("cat.png", (1000, 2000)))
    assert (sticker.filename, sticker.mimetype) == ("cat.webp", "image/webp")
    assert (opened(sticker).format, opened(sticker).size) == ("WEBP", (256, 512))
