"""The process that decodes images, one after the other: it is run by itself, so it imports Pillow and nothing of tcnb.

Whoever started it writes a line of JSON and the bytes of an image to its standard input, and reads the same from its
standard output. It ends when nobody can ask any more.
"""

from __future__ import annotations

import faulthandler
import json
import os
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from importlib import import_module
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final

if TYPE_CHECKING:
    from PIL.Image import Image

Request = dict[str, Any]
Answer = tuple[dict[str, Any], bytes]

MEMORY: Final = 2**30
"""Bytes of address space that this process may have: of 40 million pixels, a WebP takes the most, 650 MiB."""

MODULES: Final[Mapping[str, str]] = {
    "JPEG": "Jpeg",
    "PNG": "Png",
    "GIF": "Gif",
    "WEBP": "WebP",
    "BMP": "Bmp",
    "DIB": "Bmp",
    "TIFF": "Tiff",
    "AVIF": "Avif",
    "ICO": "Ico",
    "JPEG2000": "Jpeg2K",
    "PPM": "Ppm",
    "TGA": "Tga",
}
"""By format, as Pillow calls it: the module that reads it. None calls other programs or takes videos for images."""

LONGEST_REASON: Final = 200
"""Characters of what Pillow says about a damaged image, which may quote it."""

_TRANSPARENT: Final = frozenset({"RGBA", "RGBa", "LA", "La", "PA"})
_ORIENTATION: Final = 0x0112
"""The number of the note in which a camera says how it was held."""


def main() -> None:
    """Answer requests until there are no more."""
    asked, told = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    with Path(os.devnull).open("wb") as nowhere:
        # Whatever a library prints must not come between the answers.
        os.dup2(nowhere.fileno(), 1)
        _limit_memory()
        sys.path.append(sys.argv[1])
        from PIL import Image

        Image.MAX_IMAGE_PIXELS = None  # each request has a limit of its own
        while line := asked.readline():
            request: Request = json.loads(line)
            data = asked.read(request["size"])
            # Whoever asked may be gone, and a decoder in C hears nothing: this ends the process whatever it does.
            faulthandler.dump_traceback_later(request["seconds"], exit=True, file=nowhere)
            answer, image = answer_to(request, data)
            faulthandler.cancel_dump_traceback_later()
            _write(told, answer, image)


def answer_to(request: Request, data: bytes) -> Answer:
    """Do what is asked.

    Args:
        request: `task`, a name in `TASKS`; `path`, where the image is, unless it is in `data`; `formats`, the ones that
            it may have; `most_pixels`, None where they do not matter; and what the task needs.
        data: the content of the image.

    Returns:
        what is told of it, and the image that was made. What went wrong is told as `error`, with the `reason`.
    """
    from PIL import Image

    try:
        formats = _known(request["formats"])
        with Image.open(Path(request["path"]) if request["path"] else BytesIO(data), formats=formats) as image:
            most, pixels = request["most_pixels"], image.width * image.height
            if most is not None and pixels > most:
                return {"error": "pixels", "reason": f"{pixels / 1e6:,.0f} million"}, b""
            return TASKS[request["task"]](image, request)
    except Image.DecompressionBombError:
        return {"error": "pixels", "reason": "far too many"}, b""
    except MemoryError:
        return {"error": "memory", "reason": ""}, b""
    except Exception as error:  # every format's reader fails in its own way on a damaged file
        return {"error": "damaged", "reason": _reason(error)}, b""


def _identify(image: Image, _request: Request) -> Answer:
    """Tell the MIME type of an image, of which only the head is decoded."""
    from PIL import Image

    # A JPEG with several pictures in it, as some phones write it, is called by another name.
    return {"mime_type": "image/jpeg" if image.format == "MPO" else Image.MIME.get(image.format or "")}, b""


def _small_webp(image: Image, request: Request) -> Answer:
    """Write an image as a WebP of at most `side` pixels on its long side, upright, its first frame if it moves."""
    side = request["side"]
    image.draft("RGB", (2 * side, 2 * side))  # a JPEG need not be decoded at its full size
    turned = image.getexif().get(_ORIENTATION)
    small = _in_webp_mode(image)
    small.thumbnail((side, side))
    turn = _turns().get(turned) if isinstance(turned, int) else None
    if turn is not None:
        small = small.transpose(turn)
    target = BytesIO()
    # The camera's notes may tell where a photo was taken.
    profile = image.info.get("icc_profile") if request["keeps_profile"] else None
    small.save(target, "WEBP", quality=request["quality"], exif=b"", xmp=b"", icc_profile=profile or b"")
    return {"width": small.width, "height": small.height}, target.getvalue()


TASKS: Final[Mapping[str, Callable[[Any, Request], Answer]]] = {"identify": _identify, "webp": _small_webp}
"""What can be asked."""


def _in_webp_mode(image: Image) -> Image:
    if image.mode.startswith("I;16"):
        # Pillow clips 16-bit grey instead of scaling it.
        image = image.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    if image.mode in ("RGB", "RGBA"):
        return image
    return image.convert(colours_of(image))


def colours_of(image: Image) -> str:
    """Return the mode with which an image loses nothing that is seen."""
    return "RGBA" if image.mode in _TRANSPARENT or "transparency" in image.info else "RGB"


def _turns() -> dict[int, Any]:
    """Return what turns an image upright, by what the camera says."""
    from PIL.Image import Transpose

    return {
        2: Transpose.FLIP_LEFT_RIGHT,
        3: Transpose.ROTATE_180,
        4: Transpose.FLIP_TOP_BOTTOM,
        5: Transpose.TRANSPOSE,
        6: Transpose.ROTATE_270,
        7: Transpose.TRANSVERSE,
        8: Transpose.ROTATE_90,
    }


def _known(formats: list[str]) -> list[str]:
    """Return those formats that this Pillow reads; only their modules are imported, since all take long."""
    from PIL import Image

    for name in formats:
        with suppress(ImportError):
            module = import_module(f"PIL.{MODULES[name]}ImagePlugin")
            if name == "AVIF":
                # As many threads as the machine has processors would not fit into the memory that is allowed.
                module.DEFAULT_MAX_THREADS = 1  # type: ignore[attr-defined]
    return [name for name in formats if name in Image.OPEN]


def _reason(error: Exception) -> str:
    """Return what went wrong in a few words, without the address in memory that Pillow likes to add."""
    from PIL import UnidentifiedImageError

    if isinstance(error, UnidentifiedImageError):
        return "its format is not known"
    return str(error).splitlines()[0][:LONGEST_REASON] if str(error) else type(error).__name__


def _limit_memory() -> None:
    """Bound what this process may take, where the system offers that; if memory runs out, it is the first to go."""
    with suppress(ImportError, OSError, ValueError):  # not on Windows; macOS knows the limit and refuses it
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    with suppress(OSError):  # Linux alone has this
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")


def _write(told: BinaryIO, answer: dict[str, Any], image: bytes) -> None:
    told.write(json.dumps({**answer, "size": len(image)}).encode() + b"\n" + image)
    told.flush()


if __name__ == "__main__":
    with suppress(BrokenPipeError):  # whoever asked is gone
        main()
