"""What is done to images before they are sent or shown: recognised, made small, written as PNG or WebP; nothing is sent
here.

What comes from outside is decoded by Pillow in a process of its own; what this kernel has drawn, here.
"""

from __future__ import annotations

import sys
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final

from tcnb.errors import EmptyFileError, NotAnImageError
from tcnb.types.image_headers import MIME_TYPES, ImageHeader, Source, read_header

if TYPE_CHECKING:
    from PIL.Image import Image

PREVIEW_SIDE: Final = 512
"""Most pixels on the long side of a preview or a sticker (`protocol` section 8.1)."""

PREVIEW_QUALITY: Final = 70
"""WebP quality of a preview (`protocol` section 8.1)."""

MOST_PIXELS: Final = 40_000_000
"""Pixels that are decoded: 160 MB in memory, and some formats need them three times."""

MOST_REDUCIBLE: Final = 160_000_000
"""Pixels of a JPEG that somebody here sends: it is decoded at an eighth of its size, and cameras make such ones."""

NOTHING_DRAWN: Final = (
    "nothing is drawn in this figure, so it was not sent: a notebook closes its figures when their cell ends, and "
    "plt.gcf() or plt.gca() in a later cell makes a new, empty one. Write fig = plt.gcf() in the cell that draws, and "
    "send fig"
)

_STICKER_QUALITY: Final = 90
_RARER: Final = (
    b"II*\0",
    b"MM\0*",
    b"II+\0",
    b"MM\0+",
    b"\0\0\1\0",
    b"\0\0\0\x0cjP  ",
    b"\xff\x4f\xff\x51",
    *(b"P%c" % kind for kind in b"123456fFy"),
)
_IN_PNG: Final = frozenset({"1", "L", "LA", "I;16", "P", "RGB", "RGBA"})


def mime_type_of(source: Source) -> str | None:
    """Return the MIME type of an image by its content; None if it is none that can be sent as one.

    Args:
        source: the content, or the path of a file that exists; only its head is looked at.
    """
    header = read_header(source)
    if header is not None:
        return MIME_TYPES[header.format]
    if not _may_be_image(source):
        return None
    from tcnb.threads import is_done
    from tcnb.types import image_decoding

    future = image_decoding.submit("identify", source, formats=_every_format(), most_pixels=None)
    is_done(future)
    answer, _ = future.result()
    kind: str | None = answer.get("mime_type")
    return kind


async def small_webp(
    source: Source, name: str, *, quality: int = PREVIEW_QUALITY, side: int = PREVIEW_SIDE, from_stranger: bool = False
) -> bytes:
    """Write an image as a WebP of at most 512 pixels on its long side, upright, its first frame if it moves.

    It is decoded in a process of its own, one image at a time, and only if its head promises no more pixels than fit.

    Args:
        source: the content, or the path of a file that exists.
        name: what the file is called in an error.
        quality: of the WebP, 1 to 100.
        side: most pixels on the long side.
        from_stranger: whether nobody here chose the image: then it must be of a format that every chat shows, and
            nothing but its pixels is kept.

    Raises:
        NotAnImageError: it cannot be read, or has too many pixels.
    """
    from tcnb.threads import awaited, to_thread
    from tcnb.types import image_decoding

    reading = await to_thread(_reading, source, name, from_stranger)
    result = {"side": side, "quality": quality, "keeps_profile": not from_stranger}
    answer, small = await awaited(image_decoding.submit("webp", source, **reading, **result))
    if "error" in answer:
        raise _refused(name, answer["error"], answer["reason"], from_stranger)
    made = read_header(small)
    if made is None or made.format != "WEBP" or max(made.width, made.height) > side:
        # Whatever an image may do to the process that decodes it, nothing else than a small picture comes of it.
        raise _refused(name, "ended", "no small picture came of it", from_stranger)
    return small


async def sticker_webp(source: Source, name: str) -> bytes | None:
    """Write an image as the WebP of a sticker; None if it is WebP, which may stay as it is.

    Args:
        source: the content, or the path of a file that exists.
        name: what the file is called in an error.

    Raises:
        NotAnImageError: it cannot be read, or has too many pixels.
    """
    from tcnb.threads import to_thread

    header = await to_thread(read_header, source)
    if header is None or header.format != "WEBP":
        return await small_webp(source, name, quality=_STICKER_QUALITY)
    if header.pixels > MOST_PIXELS:
        raise _refused(name, "pixels", _millions(header), False)
    return None


def _reading(source: Source, name: str, from_stranger: bool) -> dict[str, Any]:
    """Return how an image is to be read, by its head.

    Raises:
        NotAnImageError: it must not be read.
    """
    header = read_header(source)
    if header is None and from_stranger:
        raise _refused(name, "damaged", "only JPEG, PNG, GIF, WebP and BMP are shown", from_stranger)
    if header is None:
        return {"formats": _every_format(), "most_pixels": MOST_PIXELS}
    most = MOST_REDUCIBLE if header.is_reducible and not from_stranger else MOST_PIXELS
    if header.pixels > most:
        raise _refused(name, "pixels", _millions(header), from_stranger)
    return {"formats": [header.format], "most_pixels": most}


def _refused(name: str, error: str, reason: str, from_stranger: bool) -> NotAnImageError:
    """Return why an image is not decoded, by the word for it and a reason or number."""
    advice = "" if from_stranger else ": make it smaller, or send it as a file"
    said = {
        "damaged": f"is not an image that can be shown: {reason}",
        "pixels": f"has {reason} pixels, and no more than {MOST_PIXELS // 10**6} million are decoded{advice}",
        "memory": f"takes too much memory to be decoded{advice}",
        "late": f"takes too long to be decoded{advice}",
        "ended": f"could not be decoded ({reason}){advice}",
        "process": f"could not be decoded, since the system starts no process for it: {reason}",
    }
    return NotAnImageError(f"{name} {said[error]}")


def _millions(header: ImageHeader) -> str:
    return f"{header.pixels / 1e6:,.0f} million"


def _every_format() -> list[str]:
    from tcnb.types.image_process import MODULES

    return list(MODULES)


def _may_be_image(source: Source) -> bool:
    """Tell whether the first bytes may be those of an image of a rarer format, so that it is worth a closer look."""
    try:
        with BytesIO(source) if isinstance(source, bytes) else source.open("rb") as file:
            head = file.read(12)
    except OSError:
        return False
    is_bare_bitmap = head[:4] in {size.to_bytes(4, "little") for size in (12, 40, 52, 56, 64, 108, 124)}
    is_targa = len(head) == 12 and head[1] in (0, 1) and head[2] in (1, 2, 3, 9, 10, 11)
    return head.startswith(_RARER) or head[4:8] == b"ftyp" or is_bare_bitmap or is_targa


def is_picture(value: object) -> bool:
    """Tell whether a value is an image of Pillow, without importing Pillow for it."""
    module = sys.modules.get("PIL.Image")
    return module is not None and isinstance(value, module.Image)


def picture_png(image: Image) -> bytes:
    """Write an image of Pillow as PNG.

    Raises:
        EmptyFileError: it has no pixels.
    """
    if not (image.width and image.height):
        raise EmptyFileError(f"the image has no pixels ({image.width} × {image.height}), so nothing was sent")
    from tcnb.types.image_process import colours_of

    target = BytesIO()
    (image if image.mode in _IN_PNG else image.convert(colours_of(image))).save(target, "PNG")
    return target.getvalue()


def figure_of(value: object) -> Any | None:
    """Return the figure that a value is, or that its axes belong to; None if it is neither.

    A figure is whatever has `savefig`, so that matplotlib need not be imported; pyplot stands for its current one.
    """
    if value is sys.modules.get("matplotlib.pyplot"):
        return value.gcf() if value is not None else None
    for candidate in (value, getattr(value, "figure", None), getattr(value, "fig", None)):
        if not isinstance(candidate, type) and callable(getattr(candidate, "savefig", None)):
            return candidate
    return None


def figure_png(figure: Any) -> bytes:
    """Write a matplotlib figure as PNG, cropped to what is drawn on it.

    Raises:
        EmptyFileError: nothing is.
    """
    target = BytesIO()
    figure.savefig(target, format="png", bbox_inches="tight")
    if not _is_drawn_on(figure) or _is_of_one_colour(target.getvalue()):
        raise EmptyFileError(NOTHING_DRAWN)
    return target.getvalue()


def _is_drawn_on(figure: Any) -> bool:
    """Tell whether anything was put into a figure; what is no figure of matplotlib itself gets the doubt's benefit.

    Empty axes are nothing, since `plt.gca()` makes them as `plt.gcf()` makes an empty figure.
    """
    module = sys.modules.get("matplotlib.figure")
    figure = getattr(figure, "figure", None) or figure  # a grid of seaborn knows the figure that it is in
    if module is None or not isinstance(figure, module.FigureBase):
        return True
    return any(_shows(artist, figure) for artist in figure.get_children())


def _shows(artist: Any, parent: Any) -> bool:
    """Tell whether an artist is more than the paper, the frame and the scales that every figure has."""
    from matplotlib.axis import Axis
    from matplotlib.figure import SubFigure
    from matplotlib.spines import Spine
    from matplotlib.text import Text

    if artist is parent.patch or isinstance(artist, Spine) or not artist.get_visible():
        return False
    if isinstance(artist, Axis):
        return bool(artist.get_label_text().strip())
    if isinstance(artist, Text):
        return bool(artist.get_text().strip())
    if isinstance(artist, SubFigure) or hasattr(artist, "xaxis"):
        return any(_shows(child, artist) for child in artist.get_children())
    return True


def _is_of_one_colour(png: bytes) -> bool:
    from PIL import Image

    with Image.open(BytesIO(png)) as image:
        extrema: Any = image.convert("RGBA").getextrema()
    return all(low == high for low, high in extrema)
