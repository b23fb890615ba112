"""What is done to images before they are sent: recognised, made small, written as PNG or WebP; nothing is sent here.

Pillow does it, and is imported when the first image is met.
"""

from __future__ import annotations

import sys
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from tcnb.errors import EmptyFileError, NotAnImageError

if TYPE_CHECKING:
    from PIL.Image import Image

Source: TypeAlias = "bytes | Path"

PREVIEW_SIDE: Final = 512
"""Most pixels on the long side of a preview or a sticker (`protocol` section 8.1)."""

PREVIEW_QUALITY: Final = 70
"""WebP quality of a preview (`protocol` section 8.1)."""

NOTHING_DRAWN: Final = (
    "nothing is drawn in this figure, so it was not sent: a notebook closes its figures when their cell ends, and "
    "plt.gcf() or plt.gca() in a later cell makes a new, empty one. Write fig = plt.gcf() in the cell that draws, and "
    "send fig"
)

_STICKER_QUALITY: Final = 90
# What chats show. Pillow knows more, but takes some videos for images and calls other programs for some formats.
_FORMATS: Final = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "DIB", "TIFF", "AVIF", "ICO", "JPEG2000", "PPM", "TGA")
_TRANSPARENT: Final = frozenset({"RGBA", "RGBa", "LA", "La", "PA"})
_IN_PNG: Final = frozenset({"1", "L", "LA", "I;16", "P", "RGB", "RGBA"})


def mime_type_of(source: Source) -> str | None:
    """Return the MIME type of an image by its content; None if it is none that Pillow knows.

    Args:
        source: the content, or the path of a file that exists; only its head is decoded.
    """
    from PIL import Image

    try:
        with Image.open(_opened(source), formats=_formats()) as image:
            # A JPEG with several pictures in it, as some phones write it, is called by another name.
            return "image/jpeg" if image.format == "MPO" else Image.MIME.get(image.format or "")
    except Exception:  # every format's reader fails in its own way on what is not its format
        return None


def small_webp(source: Source, name: str, *, quality: int = PREVIEW_QUALITY) -> bytes:
    """Write an image as a WebP of at most 512 pixels on its long side, upright, its first frame if it moves.

    Args:
        source: the content, or the path of a file that exists.
        name: what the file is called in an error.
        quality: of the WebP, 1 to 100.

    Raises:
        NotAnImageError: Pillow cannot read it, or it has more pixels than Pillow takes for honest.
    """
    from PIL import Image, ImageOps

    try:
        with Image.open(_opened(source), formats=_formats()) as opened:
            opened.draft("RGB", (2 * PREVIEW_SIDE, 2 * PREVIEW_SIDE))  # a JPEG need not be decoded at its full size
            small = _in_webp_mode(ImageOps.exif_transpose(opened))
            small.thumbnail((PREVIEW_SIDE, PREVIEW_SIDE))
            target = BytesIO()
            small.save(target, "WEBP", quality=quality)
    except Image.DecompressionBombError as error:
        raise NotAnImageError(
            f"{name} has more pixels than an image sent to a chat may have: make it smaller"
        ) from error
    except Exception as error:  # every format's reader fails in its own way on a damaged file
        raise NotAnImageError(f"{name} is not an image that can be shown: {_reason(error)}") from error
    return target.getvalue()


def sticker_webp(source: Source, name: str) -> bytes:
    """Write an image as the WebP of a sticker; arguments and errors as of `small_webp`."""
    return small_webp(source, name, quality=_STICKER_QUALITY)


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
    target = BytesIO()
    (image if image.mode in _IN_PNG else image.convert(_colours_of(image))).save(target, "PNG")
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


def _opened(source: Source) -> Any:
    return BytesIO(source) if isinstance(source, bytes) else source


def _in_webp_mode(image: Image) -> Image:
    if image.mode.startswith("I;16"):
        # Pillow clips 16-bit grey instead of scaling it.
        image = image.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    if image.mode in ("RGB", "RGBA"):
        return image
    return image.convert(_colours_of(image))


def _colours_of(image: Image) -> str:
    return "RGBA" if image.mode in _TRANSPARENT or "transparency" in image.info else "RGB"


@cache
def _formats() -> list[str]:
    from PIL import Image

    Image.init()
    return [name for name in _FORMATS if name in Image.OPEN]


def _reason(error: Exception) -> str:
    """Return what went wrong in a few words, without the address in memory that Pillow likes to add."""
    from PIL import UnidentifiedImageError

    if isinstance(error, UnidentifiedImageError):
        return "its format is not known"
    return str(error).splitlines()[0] if str(error) else type(error).__name__
