"""Draws the pictures of docs/analysis.md anew, from the conversations of the practice colleagues over three months.

Run it with `python -m tests.analysis.pictures docs/images`; no test needs it.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from dataclasses import astuple
from datetime import UTC, datetime, timedelta
from html import escape
from io import BytesIO
from pathlib import Path
from typing import Any

import pandas as pd
from PIL import Image, ImageColor

from tcnb import analysis
from tcnb.analysis.plots import theme_of
from tcnb.markup.text import plain
from tcnb.practice import phrases
from tests.analysis.frames import typed

FIRST_DAY = datetime(2026, 2, 2, tzinfo=UTC)
DAYS = 91
HOURS = (0, 0, 0, 0, 0, 1, 3, 8, 10, 10, 7, 5, 8, 10, 9, 7, 4, 2, 1, 1, 0, 0, 0, 0)
TYPES = {"chart": "image/png", "picture": "image/jpeg", "sticker": "image/webp", "document": "application/pdf"}
PLACES = {"crew": ("Release crew", "en", 7), "ru": ("Команда релиза", "ru", 8), "off": ("Обеды и кофе", "ru", 6)}
GUESTS = (("noa", "נועה כהן"), ("max", "Maximilian-Alexander von und zu Unterhaltungsbach"))
HOSTS = ("ci.example.com", "docs.example.com", "github.com", "ru.wikipedia.org", "www.example.com", "кафе.рф")
MOST_BYTES = 60_000


def story(seed: int = 4) -> pd.DataFrame:
    """Return three months of a small company as an event frame."""
    rng = random.Random(seed)
    people = [(f"user{number}@practice.local", person[-1]) for number, person in enumerate(_people())]
    rows: list[dict[str, Any]] = []
    for chat_id, (title, language, count) in PLACES.items():
        members = [*rng.sample(people[:-2], count), *(people[-2:] if chat_id == "crew" else ())]
        rows.extend(_comings(rng, chat_id, title, people, members))
        for day in range(DAYS):
            when = FIRST_DAY + timedelta(days=day)
            talks = rng.randrange(3, 8) if when.weekday() < 5 else rng.random() < 0.3
            for _ in range(int(talks)):
                rows.extend(_talk(rng, chat_id, title, language, when, members))
    rows.sort(key=lambda row: row["timestamp"])
    for number, row in enumerate(rows, 1):
        row |= {"seq": number, "received": row["timestamp"], "chat_type": "group", "direction": "in"}
    return typed(rows)


def _people() -> Iterator[tuple[str, ...]]:
    yield from [(str(person[0]), str(person[1])) for person in phrases.PEOPLE[:11]]
    yield from GUESTS


def _talk(
    rng: random.Random, chat_id: str, title: str, language: str, day: datetime, members: list[tuple[str, str]]
) -> Iterator[dict[str, Any]]:
    script = rng.choice(phrases.scripts_for(language))
    weights = [1 / (place + 1) for place in range(len(members))]
    cast = list(dict.fromkeys(rng.choices(members, weights, k=12)))[:3]
    when = day + timedelta(hours=rng.choices(range(24), HOURS)[0], minutes=rng.randrange(60))
    words: dict[str, Any] = {name: rng.choice(choices) for name, choices in phrases.SLOTS.items()}
    words |= {
        "build": rng.randint(4000, 4999),
        "version": f"5.6.{rng.randrange(9)}",
        "ticket": f"TC-{rng.randrange(900)}",
    }
    words |= {"minutes": rng.randint(3, 40), "percent": rng.randint(5, 95), "domain": "example.com", "bot": "Robot"}
    for letter, (_, name) in zip("abc", (cast * 3)[:3], strict=True):
        words |= {f"name_{letter}": escape(name.split()[0]), f"at_{letter}": escape(name)}
    last = None
    for line in script.lines:
        author_id, author = cast[line.speaker % len(cast)]
        when += timedelta(seconds=rng.lognormvariate(4.2, 1.6))
        row = {
            "event": "message",
            "timestamp": when,
            "chat_id": chat_id,
            "chat": title,
            "author_id": author_id,
            "author": author,
            "author_type": "user",
            "message_type": "plain",
            "message_id": f"{chat_id}-{when.timestamp()}-{rng.getrandbits(32)}",
            "text": plain((line.text or "").format_map(words), "html") or None,
            "reply_to": last if line.is_reply else None,
        }
        if line.file in TYPES:
            kind = {"file_id": row["message_id"], "mime_type": TYPES[line.file], "file_size": rng.randrange(9_000_000)}
            row |= {"message_type": "attachment", "text": None} | kind
        elif rng.random() < 0.06:
            row["text"] = f"{row['text']} https://{rng.choice(HOSTS)}/{rng.randrange(900)}"
        last = row["message_id"]
        yield row


def _comings(
    rng: random.Random, chat_id: str, title: str, people: list[tuple[str, str]], members: list[tuple[str, str]]
) -> Iterator[dict[str, Any]]:
    inside = [person[0] for person in members]
    outside = [person[0] for person in people if person not in members]
    for _ in range(rng.randrange(5, 9)):
        when = FIRST_DAY + timedelta(days=rng.randrange(1, DAYS), hours=9)
        kind = "added_chat_participant" if outside and rng.random() < 0.7 else "removed_chat_participant"
        source, target = (outside, inside) if kind.startswith("added") else (inside, outside)
        person = source.pop()
        target.insert(0, person)
        yield {"event": kind, "timestamp": when, "chat_id": chat_id, "chat": title, "user_id": person}


def draw(frame: pd.DataFrame, name: str, theme: str) -> bytes:
    """Return the picture of an analysis as PNG with few colours, which is small."""
    options = {"tz": "Europe/Moscow"} if name in ("heatmap", "activity", "membership") else {}
    figure = getattr(analysis, name)(frame, plot=True, theme=theme, **options)
    drawn = BytesIO()
    figure.savefig(drawn, format="png", bbox_inches="tight", dpi=90)
    return _small(Image.open(drawn).convert("RGB"), theme, 110)


def _small(image: Image.Image, theme: str, colours: int) -> bytes:
    """Return a picture as PNG with few colours, those of the theme and of emoji among them."""
    kept = [*astuple(theme_of(theme))[1:-1], *theme_of(theme).series, "#fcc21b", "#e53935", "#7cb342"]
    found = image.quantize(colours).getpalette() or []
    palette = Image.new("P", (1, 1))
    palette.putpalette([*(part for colour in kept for part in ImageColor.getrgb(colour)), *found][:768])
    written = BytesIO()
    image.quantize(palette=palette, dither=Image.Dither.NONE).save(written, "PNG", optimize=True)
    return written.getvalue()


def sheet(pictures: list[bytes], theme: str, columns: int = 4, width: int = 320) -> bytes:
    """Return small copies of pictures side by side as PNG."""
    images = [Image.open(BytesIO(picture)).convert("RGB") for picture in pictures]
    images = [
        image.resize((width, round(image.height * width / image.width)), Image.Resampling.LANCZOS) for image in images
    ]
    images.sort(key=lambda image: -image.height)
    heights = [0] * columns
    places = []
    for image in images:
        column = heights.index(min(heights))
        places.append((column * (width + 12) + 12, heights[column] + 12))
        heights[column] += image.height + 12
    ground = "#ffffff" if theme == "light" else "#14181f"
    whole = Image.new("RGB", (columns * (width + 12) + 12, max(heights) + 12), ground)
    for image, place in zip(images, places, strict=True):
        whole.paste(image, place)
    return _small(whole, theme, 200)


def main(folder: Path) -> None:
    """Write all pictures into a folder."""
    frame = story()
    for theme in ("light", "dark"):
        pictures = {name: draw(frame, name, theme) for name in analysis.__all__}
        for name, picture in pictures.items():
            assert len(picture) <= MOST_BYTES, (name, len(picture))
            (folder / f"analysis-{name.replace('_', '-')}-{theme}.png").write_bytes(picture)
        (folder / f"analysis-sheet-{theme}.png").write_bytes(sheet(list(pictures.values()), theme))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
