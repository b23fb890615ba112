"""What people hand over as a file becomes a file to send, and a file to send becomes a preview or a sticker.

Source: `protocol` section 8.1.
"""

from __future__ import annotations

import re
from io import BytesIO
from os import PathLike, fspath
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from tcnb.errors import EmptyFileError, NotAnImageError, UsageError
from tcnb.types import images
from tcnb.types.base import shown_url
from tcnb.types.files import (
    UNKNOWN_TYPE,
    BufferedInputFile,
    FSInputFile,
    InputFile,
    URLInputFile,
    beside_the_loop,
    detect_mime_type,
    extension_of,
)
from tcnb.types.image_headers import Source

if TYPE_CHECKING:
    from typing import Protocol

    from PIL.Image import Image

    class SupportsSavefig(Protocol):
        """A figure of matplotlib, or what can be saved like one."""

        def savefig(self, fname: Any, /, **options: Any) -> Any: ...

    class SupportsFigure(Protocol):
        """Axes of matplotlib, or what belongs to a figure like them."""

        @property
        def figure(self) -> Any: ...


FileSource: TypeAlias = (
    "str | PathLike[str] | bytes | bytearray | memoryview | BytesIO | InputFile | Image | SupportsSavefig"
    " | SupportsFigure"
)
"""What can be sent as a file: a path, a URL, bytes, an `InputFile`, a PIL image, a matplotlib figure or its axes."""

_ADDRESS: Final = re.compile(r"([a-z][a-z0-9+.-]+)://", re.IGNORECASE)
_STICKER_TYPE: Final = "image/webp"


def as_input_file(value: Any, *, filename: str | None = None, as_image: bool = False) -> InputFile:
    """Make a file to send of whatever stands for one.

    A text that begins with http:// or https:// is a URL, every other one a path. An image of Pillow and a figure of
    matplotlib become PNG. This reads the disk and may compute: call `input_file` on an event loop.

    Args:
        value: a path, a URL, bytes, an `InputFile`, a PIL image or a matplotlib figure (or its axes).
        filename: the name in the chat; a fitting one where it is not given.
        as_image: whether it must be an image.

    Raises:
        FileMissingError: there is no such file, it is a folder, or it cannot be read.
        EmptyFileError: nothing is drawn in the figure, the image has no pixels, or there are no bytes: a file that has
            a name may be empty, unless it must be an image.
        NotAnImageError: it must be an image and is none.
        UsageError: it is nothing that stands for a file, or an address of another kind.
    """
    file = _converted(value, filename)
    if as_image:
        _require_image(file)
    return file


async def input_file(value: Any, *, filename: str | None = None, as_image: bool = False) -> InputFile:
    """Do what `as_input_file` does beside the event loop."""
    return await beside_the_loop(as_input_file, value, filename=filename, as_image=as_image)


async def make_preview(file: InputFile) -> BufferedInputFile:
    """Make the small image that a chat shows for a photo: WebP, at most 512 pixels, upright, the first frame.

    The photo is decoded in a process of its own, one at a time, and not at all if it has more than 40 million pixels
    (a JPEG that is decoded line by line: 160 million).

    Args:
        file: the photo.

    Raises:
        NotAnImageError: it is no image that can be shown, or has too many pixels.
        FileUploadError: it cannot be read or fetched.

    Source: `protocol` section 8.1.
    """
    source = await _source_of(file)
    small = await images.small_webp(source, _called(file))
    return BufferedInputFile(small, "preview.webp", mimetype=_STICKER_TYPE)


async def as_sticker(file: InputFile) -> InputFile:
    """Make a sticker of an image: a WebP stays as it is, everything else becomes one of at most 512 pixels.

    Args:
        file: the image.

    Raises:
        NotAnImageError: it is no image that can be shown, or has too many pixels.
        FileUploadError: it cannot be read or fetched.

    Source: `protocol` section 8.1.
    """
    source = await _source_of(file)
    name = f"{PurePath(_called(file)).stem}.webp"
    data = await images.sticker_webp(source, _called(file))
    if data is not None:
        return BufferedInputFile(data, name, mimetype=_STICKER_TYPE)
    sticker = file.clone()
    sticker.filename, sticker.mimetype = name, _STICKER_TYPE
    return sticker


def _converted(value: Any, filename: str | None) -> InputFile:
    if isinstance(value, InputFile):
        return _named(value, filename)
    if isinstance(value, str) and (address := _ADDRESS.match(value.strip())):
        if address[1].lower() not in ("http", "https"):
            raise UsageError(
                f"{shown_url(value.strip())} cannot be fetched here: give an address with http:// or https://, or the "
                "path of a file that is on this machine"
            )
        return URLInputFile(value.strip(), filename=filename)
    if isinstance(value, str | PathLike):
        return FSInputFile(fspath(value), filename)
    if isinstance(value, BytesIO):
        return _buffered(value.getvalue(), filename)
    if isinstance(value, bytes | bytearray | memoryview):
        return _buffered(bytes(value), filename)
    if images.is_picture(value):
        opened = PurePath(str(getattr(value, "filename", "") or "image")).stem
        return BufferedInputFile(images.picture_png(value), filename or f"{opened}.png", mimetype="image/png")
    figure = images.figure_of(value)
    if figure is not None:
        return BufferedInputFile(images.figure_png(figure), filename or "figure.png", mimetype="image/png")
    raise UsageError(
        f"a {type(value).__name__} cannot be sent as a file: give a path, a URL, bytes, an InputFile, "
        "a PIL image or a matplotlib figure"
    )


def _named(file: InputFile, filename: str | None) -> InputFile:
    if filename is None or filename == file.filename:
        return file
    renamed = file.clone()
    renamed.filename = filename
    return renamed


def _buffered(data: bytes, filename: str | None) -> BufferedInputFile:
    if not data and filename is None:
        raise EmptyFileError("there are no bytes to send: was anything written into this buffer?")
    if filename is not None:
        return BufferedInputFile(data, filename)
    mimetype = detect_mime_type("", data)
    stem = "image" if mimetype.startswith("image/") else "file"
    return BufferedInputFile(data, stem + (extension_of(mimetype) or ".bin"), mimetype=mimetype)


def _require_image(file: InputFile) -> None:
    """Refuse what is no image; what is at an address cannot be told yet."""
    if file.size == 0:
        raise EmptyFileError(f"{_called(file)} is empty (0 bytes), so there is no picture to send")
    if isinstance(file, BufferedInputFile):
        source: Source = file.data
    elif isinstance(file, FSInputFile):
        source = file.location
    else:
        return
    found = images.mime_type_of(source)
    if found is None:
        raise NotAnImageError(f"{_called(file)} is not an image that can be shown: send it as a file")
    if file.mimetype in (None, UNKNOWN_TYPE):
        file.mimetype = found


async def _source_of(file: InputFile) -> Source:
    """Return the content of a file, or where it is on disk."""
    return Path(file.location) if isinstance(file, FSInputFile) else await file.content()


def _called(file: InputFile) -> str:
    return file.filename or "this file"
