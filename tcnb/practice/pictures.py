"""Pictures, stickers, documents and voices that colleagues post: drawn here, the same for the same number, and kept.

A drawn file has an id made from its bytes, as the connector's file ids are: what is posted again is the same file.
"""

from __future__ import annotations

import io
import math
import random
import wave
from collections.abc import Callable
from functools import cache
from hashlib import sha1
from typing import Final

from PIL import Image, ImageDraw, ImageFont

from tcnb.practice.entities import StoredFile

VARIETY: Final = 6
"""How many different drawings there are of each kind."""
PREVIEW_SIDE: Final = 512
PREVIEW_QUALITY: Final = 70

_INK = (38, 50, 72)
_PAPER = (250, 250, 247)
_COLOURS = ((66, 133, 180), (226, 120, 66), (95, 160, 95), (150, 110, 180), (210, 85, 95), (120, 130, 140))


@cache
def chart(number: int) -> StoredFile:
    """Return a bar chart of build times, as a PNG photo."""
    rng = random.Random(f"chart-{number}")
    image, draw = _sheet(640, 360)
    draw.text(
        (24, 16),
        rng.choice(("Build time, minutes", "Requests per second, thousands", "Messages a day")),
        _INK,
        _font(22),
    )
    colour = _COLOURS[number % len(_COLOURS)]
    values = [rng.randint(30, 230) for _ in range(10)]
    for position, value in enumerate(values):
        left = 50 + position * 57
        draw.rectangle((left, 310 - value, left + 36, 310), fill=colour)
        draw.text((left + 8, 314), str(position + 1), _INK, _font(14))
    draw.line((40, 310, 615, 310), fill=_INK, width=2)
    return _photo(image, f"chart-{number + 1}.png", "PNG", "image/png")


@cache
def picture(number: int) -> StoredFile:
    """Return a landscape, a cup or a whiteboard, as a JPEG photo."""
    paint = (_landscape, _cup, _whiteboard)[number % 3]
    image = paint(random.Random(f"picture-{number}"))
    return _photo(image, f"photo-{number + 1}.jpg", "JPEG", "image/jpeg")


@cache
def sticker(number: int) -> StoredFile:
    """Return a sticker: WebP with a transparent ground, typed `sticker/webp`, its preview the same bytes."""
    image = Image.new("RGBA", (512, 512))
    draw = ImageDraw.Draw(image)
    (_smile, _heart, _cat, _rocket, _mug, _tick)[number % 6](draw)
    data = _encoded(image, "WEBP", quality=80)
    preview = drawn_file("preview.webp", "image/webp", data)
    # The preview has a file of its own, so it needs an id of its own.
    preview.file_id = sha1(b"preview" + data).hexdigest()
    return drawn_file(f"sticker-{number + 1}.webp", "sticker/webp", data, [preview])


@cache
def voice(number: int) -> tuple[StoredFile, int]:
    """Return a voice message, a few hummed notes as WAV, and how many seconds it lasts."""
    rng = random.Random(f"voice-{number}")
    seconds, rate = rng.randint(2, 5), 8000
    notes = [rng.choice((196, 220, 262, 294, 330)) for _ in range(seconds * 2)]
    samples = bytearray()
    for note in notes:
        samples += bytes(int(128 + 60 * math.sin(2 * math.pi * note * i / rate)) for i in range(rate // 2))
    body = io.BytesIO()
    with wave.open(body, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(1)
        sound.setframerate(rate)
        sound.writeframes(bytes(samples))
    return drawn_file(f"voice-{number + 1}.wav", "audio/wav", body.getvalue()), seconds


def document(rng: random.Random) -> StoredFile:
    """Return a new text document: notes, a table or a plan."""
    number = rng.randint(100, 999)
    name, mime_type, line = rng.choice(
        (
            (f"release-notes-{number}.md", "text/markdown", "* fixed: reconnecting after a long pause\n"),
            (f"incident-{number}.csv", "text/csv", "12:04,node-3,latency,840\n"),
            (f"план-{number}.txt", "text/plain", "проверить, выпустить, рассказать\n"),
            (f"meeting-{number}.log", "text/plain", "10:00 decided, 10:05 written down\n"),
        )
    )
    body = f"# {name}\n{line * rng.randint(40, 400)}".encode()
    return drawn_file(name, mime_type, body)


def drawn_file(name: str, mime_type: str, data: bytes, previews: list[StoredFile] | None = None) -> StoredFile:
    """Make a file of bytes in memory; its id comes from its name and bytes."""
    file_id = sha1(name.encode() + data).hexdigest()
    return StoredFile(file_id, name, len(data), mime_type, data, previews or [], received=len(data), is_showable=True)


def _photo(image: Image.Image, name: str, form: str, mime_type: str) -> StoredFile:
    small = image.copy()
    small.thumbnail((PREVIEW_SIDE, PREVIEW_SIDE))
    preview = drawn_file("preview.webp", "image/webp", _encoded(small, "WEBP", quality=PREVIEW_QUALITY))
    return drawn_file(name, mime_type, _encoded(image, form), [preview])


def _encoded(image: Image.Image, form: str, **parameters: int) -> bytes:
    body = io.BytesIO()
    # The quickest encoding: the files are small anyway, and the server is to start at once.
    image.save(body, form, **({"method": 0} if form == "WEBP" else {}), **parameters)
    return body.getvalue()


def _sheet(width: int, height: int) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    image = Image.new("RGB", (width, height), _PAPER)
    return image, ImageDraw.Draw(image)


@cache
def _font(size: int) -> ImageFont.ImageFont | ImageFont.FreeTypeFont:
    return ImageFont.load_default(size)


def _landscape(rng: random.Random) -> Image.Image:
    image, draw = _sheet(800, 500)
    top, low = rng.choice((((250, 180, 120), (255, 230, 190)), ((110, 160, 220), (215, 235, 250))))
    for y in range(500):
        part = y / 500
        draw.line((0, y, 800, y), fill=tuple(int(a + (b - a) * part) for a, b in zip(top, low, strict=True)))
    x, y = rng.randint(150, 650), rng.randint(120, 230)
    draw.ellipse((x - 55, y - 55, x + 55, y + 55), fill=(255, 245, 215))
    for depth, colour in enumerate(((120, 150, 140), (85, 120, 105), (50, 85, 70))):
        base, wave_length = 300 + depth * 60, rng.randint(120, 260)
        ridge = [(px, base + 40 * math.sin(px / wave_length + depth)) for px in range(0, 801, 10)]
        draw.polygon([(0, 500), *ridge, (800, 500)], fill=colour)
    return image


def _cup(rng: random.Random) -> Image.Image:
    image, draw = _sheet(640, 480)
    draw.rectangle((0, 0, 640, 480), fill=(196, 160, 122))
    for y in range(0, 480, rng.randint(34, 60)):
        draw.line((0, y, 640, y + 6), fill=(180, 145, 108), width=3)
    draw.ellipse((140, 60, 500, 420), fill=(240, 238, 232))
    draw.ellipse((190, 110, 450, 370), fill=(252, 252, 250))
    draw.ellipse((205, 125, 435, 355), fill=(92, 58, 36))
    draw.ellipse((255, 180, 385, 310), fill=(214, 186, 150))
    draw.arc((430, 190, 540, 290), 270, 90, fill=(252, 252, 250), width=22)
    return image


def _whiteboard(rng: random.Random) -> Image.Image:
    image, draw = _sheet(720, 460)
    draw.rectangle((14, 14, 706, 446), outline=(170, 175, 180), width=8)
    words = ["feed", "journal", "ack", "retry", "ship it", "tests", "docs", "demo"]
    rng.shuffle(words)
    for index, word in enumerate(words[:6]):
        x, y = 60 + (index % 3) * 215, 60 + (index // 3) * 190
        draw.rectangle((x, y, x + 160, y + 130), fill=rng.choice(((255, 235, 130), (255, 190, 190), (190, 230, 190))))
        draw.text((x + 18, y + 46), word, _INK, _font(26))
    draw.line((220, 125, 275, 125), fill=_INK, width=4)
    draw.line((435, 315, 490, 315), fill=_INK, width=4)
    return image


def _smile(draw: ImageDraw.ImageDraw) -> None:
    draw.ellipse((46, 46, 466, 466), fill=(255, 208, 70), outline=(200, 150, 30), width=10)
    for x in (170, 310):
        draw.ellipse((x, 170, x + 46, 236), fill=_INK)
    draw.arc((140, 170, 372, 390), 20, 160, fill=_INK, width=18)


def _heart(draw: ImageDraw.ImageDraw) -> None:
    red = (222, 60, 80)
    draw.ellipse((66, 80, 266, 280), fill=red)
    draw.ellipse((246, 80, 446, 280), fill=red)
    draw.polygon(((90, 242), (256, 160), (422, 242), (256, 440)), fill=red)


def _cat(draw: ImageDraw.ImageDraw) -> None:
    grey = (130, 136, 150)
    draw.polygon(((96, 210), (110, 50), (230, 140)), fill=grey)
    draw.polygon(((416, 210), (402, 50), (282, 140)), fill=grey)
    draw.ellipse((76, 110, 436, 450), fill=grey)
    for x in (165, 305):
        draw.ellipse((x, 220, x + 46, 290), fill=(180, 225, 120))
        draw.ellipse((x + 16, 228, x + 30, 284), fill=_INK)
    draw.polygon(((238, 318), (274, 318), (256, 340)), fill=(235, 150, 160))
    for y in (330, 350, 370):
        draw.line((60, y, 190, 345), fill=_INK, width=4)
        draw.line((452, y, 322, 345), fill=_INK, width=4)


def _rocket(draw: ImageDraw.ImageDraw) -> None:
    draw.polygon(((190, 340), (130, 430), (220, 400)), fill=(210, 85, 95))
    draw.polygon(((322, 340), (382, 430), (292, 400)), fill=(210, 85, 95))
    draw.polygon(((226, 410), (286, 410), (256, 490)), fill=(255, 170, 60))
    draw.ellipse((176, 60, 336, 440), fill=(225, 230, 238))
    draw.pieslice((176, 60, 336, 440), 228, 312, fill=(210, 85, 95))
    draw.ellipse((216, 190, 296, 270), fill=(110, 170, 215), outline=_INK, width=8)


def _mug(draw: ImageDraw.ImageDraw) -> None:
    draw.arc((320, 210, 460, 370), 270, 90, fill=(66, 133, 180), width=30)
    draw.rounded_rectangle((110, 170, 370, 430), 40, fill=(66, 133, 180))
    draw.ellipse((110, 140, 370, 200), fill=(92, 58, 36))
    for x in (170, 230, 290):
        draw.arc((x, 30, x + 40, 120), 90, 270, fill=(190, 195, 200), width=10)


def _tick(draw: ImageDraw.ImageDraw) -> None:
    draw.ellipse((46, 46, 466, 466), fill=(95, 170, 95))
    draw.line((150, 260, 230, 340), fill=_PAPER, width=46)
    draw.line((214, 344, 370, 176), fill=_PAPER, width=46)


KINDS: Final[dict[str, Callable[[int], StoredFile]]] = {"chart": chart, "picture": picture, "sticker": sticker}
"""The kinds of drawn files that scripts name."""
