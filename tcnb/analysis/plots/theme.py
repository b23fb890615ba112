"""How all figures look: colours of the two themes, fonts, axes, labels; what they show is drawn elsewhere."""

from __future__ import annotations

import unicodedata
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from typing import Any, Final, Literal

import matplotlib as mpl
import pandas as pd
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LinearSegmentedColormap, to_rgb
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from tcnb.analysis import text as texts_of
from tcnb.errors import UsageError

_FONTS: Final = (
    "DejaVu Sans",
    *("Noto Sans CJK SC", "Noto Sans SC", "Microsoft YaHei", "PingFang SC", "Hiragino Sans", "WenQuanYi Zen Hei"),
    *("Noto Sans Arabic", "Noto Sans Hebrew", "Noto Sans Devanagari", "Segoe UI Symbol", "Noto Sans Symbols"),
)
"""Fonts in the order in which they are asked for a sign; those that the machine lacks are skipped."""

DPI: Final = 120
LONGEST_LABEL: Final = 28


@dataclass(frozen=True)
class Theme:
    """The colours of a figure.

    Attributes:
        name: `light` or `dark`.
        ground: behind everything.
        ink: titles and values.
        soft: labels of axes.
        line: grid and frames.
        main: what is shown.
        second: what is shown beside it.
        empty: where there is nothing.
        series: colours for several things, told apart also by those who see fewer colours.
    """

    name: str
    ground: str
    ink: str
    soft: str
    line: str
    main: str
    second: str
    empty: str
    series: tuple[str, ...]

    @property
    def scale(self) -> LinearSegmentedColormap:
        """Colours from nothing to much."""
        steps = [self.empty, self.main, "#0b3d6b"] if self.name == "light" else [self.empty, self.main, "#d6ecff"]
        return LinearSegmentedColormap.from_list("amount", [(0, steps[0]), (0.6, steps[1]), (1, steps[2])])


LIGHT: Final = Theme(
    *("light", "#ffffff", "#1c2430", "#5c6876", "#e3e8ee", "#2f7fd1", "#e8833a", "#f0f4f8"),
    ("#2f7fd1", "#e8833a", "#2a9d7f", "#c2488f", "#8a6fd1", "#b8960c", "#5c6876", "#d1495b"),
)
DARK: Final = Theme(
    *("dark", "#14181f", "#eef2f6", "#9aa7b5", "#2b333f", "#4c9be8", "#f0a05a", "#1e2530"),
    ("#4c9be8", "#f0a05a", "#4cc3a3", "#e27bb8", "#ab95ee", "#dcc04a", "#9aa7b5", "#ee7786"),
)


def theme_of(name: str) -> Theme:
    """Return a theme by its name; `auto` is dark where matplotlib's current style is.

    Raises:
        UsageError: there is none of that name.
    """
    if name == "auto":
        red, green, blue = to_rgb(mpl.rcParams["figure.facecolor"])
        name = "dark" if 0.299 * red + 0.587 * green + 0.114 * blue < 0.5 else "light"
    themes = {"light": LIGHT, "dark": DARK}
    if not isinstance(name, str) or name not in themes:
        raise UsageError(f"a theme is 'light', 'dark' or 'auto', not {name!r}")
    return themes[name]


class Chart(Figure):
    """A figure that shows itself in a notebook without pyplot, in its own colours wherever it is saved."""

    def __init__(self, theme: Theme, width: float, height: float) -> None:
        with style(theme):
            super().__init__(figsize=(width, height), dpi=DPI, facecolor=theme.ground, layout="constrained")
        FigureCanvasAgg(self)
        self.theme = theme

    def savefig(self, *args: Any, **options: Any) -> None:
        """Save the figure as matplotlib does, with its own fonts, and its own ground unless another is asked for."""
        options.setdefault("facecolor", self.theme.ground)
        options.setdefault("pad_inches", 0.15)
        with style(self.theme), warnings.catch_warnings():
            # A sign that no font of this machine has is drawn as a box; saying so for each helps nobody.
            warnings.filterwarnings("ignore", message=r"Glyph \d+")
            super().savefig(*args, **options)

    def _repr_png_(self) -> bytes:
        target = BytesIO()
        self.savefig(target, format="png", bbox_inches="tight")
        return target.getvalue()


@contextmanager
def style(theme: Theme) -> Iterator[None]:
    """Set what matplotlib reads from its settings: here, and nowhere else."""
    settings: dict[Any, Any] = {
        "font.family": list(_fonts()),
        "font.size": 9.5,
        "text.color": theme.ink,
        "axes.edgecolor": theme.line,
        "axes.labelcolor": theme.soft,
        "axes.facecolor": theme.ground,
        "xtick.color": theme.soft,
        "ytick.color": theme.soft,
        "axes.unicode_minus": False,
        "text.parse_math": False,
    }
    with mpl.rc_context(settings):
        yield


def chart(theme: Theme, title: str, note: str = "", *, width: float = 8, height: float = 4) -> tuple[Chart, Axes]:
    """Return a figure with a title, a line of explanation below it, and bare axes."""
    figure = Chart(theme, width, height)
    with style(theme):
        axes = figure.add_subplot()
    bare(axes, theme)
    head(figure, title, note)
    return figure, axes


def head(figure: Chart, title: str, note: str = "") -> None:
    """Write a title and a line of explanation over a figure, and keep their place free."""
    theme, height = figure.theme, figure.get_figheight()
    with style(theme):
        figure.text(0.012, 1 - 0.08 / height, title, va="top", fontsize=13, fontweight="bold", color=theme.ink)
        figure.text(0.012, 1 - 0.34 / height, note, va="top", fontsize=9, color=theme.soft)
    layout: Any = figure.get_layout_engine()
    layout.set(rect=(0, 0, 1, 1 - 0.6 / height))


def bare(axes: Axes, theme: Theme, grid: Literal["", "x", "y", "both"] = "") -> None:
    """Take frames and ticks off axes; `grid` is `x`, `y`, `both` or nothing."""
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.tick_params(length=0, colors=theme.soft)
    axes.set_axisbelow(True)
    if grid:
        axes.grid(axis=grid, color=theme.line, linewidth=0.8)


def counted(axis: Any) -> None:
    """Let an axis show whole numbers, thousands apart."""
    axis.set_major_locator(MaxNLocator(nbins=6, integer=True, min_n_ticks=1))
    axis.set_major_formatter(FuncFormatter(lambda value, _: number(value)))


def nothing(axes: Axes, theme: Theme, text: str = "nothing to show yet") -> None:
    """Say on empty axes that there is nothing."""
    axes.set_xticks([])
    axes.set_yticks([])
    axes.text(0.5, 0.5, text, transform=axes.transAxes, ha="center", va="center", color=theme.soft, fontsize=11)


def bars(
    axes: Axes, theme: Theme, labels: Sequence[str], values: Sequence[float], *, texts: Sequence[str], colour: str = ""
) -> None:
    """Draw horizontal bars, the first at the top, with a text at the end of each."""
    places = range(len(labels))
    axes.barh(places, values, height=0.68, color=colour or theme.main)
    axes.set_yticks(places, labels, color=theme.ink)
    axes.set_ylim(max(len(labels), 3) - 0.5, -0.5)
    axes.set_xticks([])
    axes.set_xlim(0, max([*values, 1]) * 1.02)
    for place, value, text in zip(places, values, texts, strict=True):
        axes.annotate(
            text, (value, place), xytext=(5, 0), textcoords="offset points", va="center", color=theme.soft, fontsize=9
        )


def label(value: Any, otherwise: Any = None, longest: int = LONGEST_LABEL) -> str:
    """Return what to write for a name that may be missing, very long, of several lines, or of signs no font has.

    Emoji that cannot be drawn are left out, since a box says nothing; letters that cannot are boxes.
    """
    text = next(filter(None, (_drawable(str(text)) for text in (value, otherwise) if not _is_missing(text))), "unknown")
    return text if len(text) <= longest else text[: longest - 1].rstrip() + "…"


def labels(names: Iterable[Any], ids: Iterable[Any], longest: int = LONGEST_LABEL) -> list[str]:
    """Return a label for each name; where it is missing, its id."""
    return [label(name, key, longest) for name, key in zip(names, ids, strict=True)]


def number(value: float) -> str:
    """Return a number with its thousands apart."""
    return f"{value:,.0f}".replace(",", "\u2009")


def amount(value: float, noun: str, plural: str = "") -> str:
    """Return a number and what is counted."""
    return f"{number(value)} {noun if value == 1 else plural or noun + 's'}"


def ink_on(colour: Any) -> str:
    """Return what can be read on a colour."""
    red, green, blue = to_rgb(colour)
    return "#10151c" if 0.299 * red + 0.587 * green + 0.114 * blue > 0.55 else "#ffffff"


def size(octets: float) -> str:
    """Return a number of bytes in a unit that suits it."""
    for unit in ("B", "KB", "MB", "GB"):
        if octets < 1000:
            return f"{octets:.0f} {unit}" if octets >= 10 or unit == "B" else f"{octets:.1f} {unit}"
        octets /= 1000
    return f"{octets:.1f} TB"


def span(seconds: float) -> str:
    """Return a length of time in a unit that suits it."""
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= length:
            shown = seconds / length
            return f"{shown:.0f} {unit}" if shown >= 10 or abs(shown - round(shown)) < 0.05 else f"{shown:.1f} {unit}"
    return f"{seconds:.0f} s"


@cache
def _fonts() -> tuple[str, ...]:
    there = {font.name for font in font_manager.fontManager.ttflist}
    return tuple(name for name in _FONTS if name in there) or ("DejaVu Sans",)


@cache
def _signs() -> frozenset[int]:
    """Return the code points that the fonts of figures have."""
    fonts = [font.fname for font in font_manager.fontManager.ttflist if font.name in _fonts()]
    return frozenset(point for path in fonts for point in font_manager.get_font(path).get_charmap())


def _drawable(text: str) -> str:
    """Return a text on one line, without control signs and without the emoji that no font has."""
    text = texts_of.replaced(text, lambda emoji: emoji if _signs().issuperset(map(ord, emoji)) else " ")
    return " ".join("".join(sign for sign in text if unicodedata.category(sign)[0] != "C" or sign == "\u200d").split())


def _is_missing(value: Any) -> bool:
    return value is None or value is pd.NA or value is pd.NaT or value == ""
