"""The figures of what people write: words, emoji, links, mentions."""

from __future__ import annotations

import unicodedata
from functools import cache
from pathlib import Path
from typing import Any, Final

import pandas as pd
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.offsetbox import AnnotationBbox, OffsetImage

from tcnb.analysis.plots import theme as look
from tcnb.analysis.plots.counts import MOST_BARS, height_for
from tcnb.analysis.plots.drawing import Drawing

MOST_WORDS: Final = 20
_COLOUR_FONTS: Final = ("NotoColorEmoji.ttf", "seguiemj.ttf", "Apple Color Emoji.ttc")
_STRIKE: Final = {"NotoColorEmoji.ttf": 109, "Apple Color Emoji.ttc": 96}
"""The size of the pictures in fonts that consist of pictures."""


def words(frame: pd.DataFrame, drawing: Drawing, stopped: bool = True) -> Any:
    """Draw a bar for each of the most frequent words."""
    language = drawing.language
    shown = frame.head(drawing.top(MOST_WORDS))
    count = language.amount(len(frame), "word")
    axes = drawing.axes(language.say("words note without" if stopped else "words note", words=count), **_high(shown))
    return _counted(axes, shown, drawing, [drawing.label(word) for word in shown["word"]])


def emoji(frame: pd.DataFrame, drawing: Drawing) -> Any:
    """Draw a bar for each of the most frequent emoji, with its picture where a font of this machine has it."""
    shown = frame.head(drawing.top(MOST_BARS))
    axes = drawing.axes(drawing.language.amount(len(frame), "emoji"), **_high(shown))
    names = [_name(sign, drawing) for sign in shown["emoji"]]
    pictures = [_picture(sign) for sign in shown["emoji"]]
    padded = [f"{name}       " if picture is not None else name for name, picture in zip(names, pictures, strict=True)]
    figure = _counted(axes, shown, drawing, padded)
    for place, picture in enumerate(pictures):
        if picture is not None:
            _place(axes, picture, place)
    return figure


def links(frame: pd.DataFrame, drawing: Drawing) -> Any:
    """Draw a bar for each of the most frequent domains."""
    language = drawing.language
    domains = frame.groupby("domain", as_index=False)[["count", "messages"]].sum()
    shown = domains.sort_values(["count", "domain"], ascending=[False, True]).head(drawing.top(MOST_BARS))
    axes = drawing.axes(language.say("links note", links=language.amount(len(frame), "address")), **_high(shown))
    return _counted(axes, shown, drawing, [drawing.label(domain, longest=40) for domain in shown["domain"]])


def mentions(frame: pd.DataFrame, drawing: Drawing) -> Any:
    """Draw a bar for each of those who were mentioned most."""
    who = frame.assign(key=frame["mentioned_id"].fillna(frame["mentioned"]))
    counted = who.groupby("key", as_index=False).agg(count=("count", "sum"), name=("mentioned", "last"))
    shown = counted.sort_values(["count", "key"], ascending=[False, True]).head(drawing.top(MOST_BARS))
    axes = drawing.axes(drawing.language.say("mentions note"), **_high(shown))
    return _counted(axes, shown, drawing, drawing.labels(shown["name"], shown["key"]))


def _high(shown: pd.DataFrame) -> dict[str, Any]:
    return {"height": height_for(len(shown))}


def _counted(axes: Axes, shown: pd.DataFrame, drawing: Drawing, names: list[str]) -> Any:
    if shown.empty:
        drawing.nothing(axes)
        return axes.figure
    counts = shown["count"].tolist()
    look.bars(axes, drawing.theme, names, counts, texts=[drawing.language.number(count) for count in counts])
    return axes.figure


def _name(sign: str, drawing: Drawing) -> str:
    parts = [unicodedata.name(part, "") for part in sign if part not in "\ufe0f\u200d\u20e3" and part < "\U000e0000"]
    if len(parts) == 2 and all(part.startswith("REGIONAL INDICATOR") for part in parts):
        return drawing.language.say("flag", letters="".join(part[-1] for part in parts))
    named = [part.removeprefix("EMOJI MODIFIER FITZPATRICK ").lower() for part in parts if part]
    return drawing.label(", ".join(named), drawing.language.say("emoji alone"), 30)


@cache
def _font() -> Path | None:
    found = {Path(path).name: Path(path) for path in font_manager.findSystemFonts()}
    return next((found[name] for name in _COLOUR_FONTS if name in found), None)


def _picture(sign: str) -> Any:
    """Return the picture of an emoji, None where no font has it: matplotlib itself draws no fonts in colour."""
    path = _font()
    if path is None:
        return None
    from PIL import Image, ImageDraw, ImageFont

    size = _STRIKE.get(path.name, 96)
    try:
        font = ImageFont.truetype(str(path), size)
    except OSError:
        return None
    image = Image.new("RGBA", (size * 4, size * 2), (0, 0, 0, 0))
    ImageDraw.Draw(image).text((size, size // 4), sign, font=font, embedded_color=True)
    box = image.getbbox()
    # Without text shaping, what is joined of several comes as several beside one another.
    if box is None or box[2] - box[0] > 1.7 * (box[3] - box[1]):
        return None
    return image.crop(box).resize((48, 48))


def _place(axes: Axes, picture: Any, place: int) -> None:
    box = AnnotationBbox(
        OffsetImage(picture, zoom=0.3),
        (0, place),
        xybox=(-15, 0),
        xycoords="data",
        boxcoords="offset points",
        frameon=False,
    )
    box.set_in_layout(False)
    axes.add_artist(box)
