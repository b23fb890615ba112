"""How all figures look: colours of the two themes, fonts, axes, labels; what they show is drawn elsewhere."""

from __future__ import annotations

import unicodedata
import warnings
from collections.abc import Callable, Iterator, Sequence
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


PLAIN: Final[dict[str, Any]] = {"parse_math": False, "usetex": False}
"""How a text stands as it is: a name may have two dollar signs in it, which would make it a formula.

`style` makes all new texts so. This is for those that are there already: the title of axes, and the labels of ticks.
"""


def theme_of(name: Any, ground: Any = None) -> Theme:
    """Return a theme by its name; `auto` is dark where a ground is, or without one matplotlib's current style.

    Raises:
        UsageError: there is none of that name.
    """
    if name == "auto":
        red, green, blue = to_rgb(mpl.rcParams["figure.facecolor"] if ground is None else ground)
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

    def draw(self, renderer: Any) -> None:
        """Draw the figure: the labels of ticks, some of which are made only now, have its fonts and are no formulas."""
        with style(self.theme):
            for axes in self.axes:
                for tick in (*_ticks(axes.xaxis), *_ticks(axes.yaxis)):
                    tick.label1.update(PLAIN)
                    tick.label2.update(PLAIN)
            super().draw(renderer)

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
        "axes.formatter.use_mathtext": False,
        "text.parse_math": False,
        "text.usetex": False,
    }
    with mpl.rc_context(settings):
        yield


def head(figure: Chart, title: str, note: str) -> None:
    """Write a title and a line of explanation over a figure, and keep their place free."""
    theme, height = figure.theme, figure.get_figheight()
    top = 0.08
    for text, size, weight, colour in ((title, 13, "bold", theme.ink), (note, 9, "normal", theme.soft)):
        if text:
            place: dict[str, Any] = {"va": "top", "fontsize": size, "fontweight": weight, "color": colour}
            _fit(figure, figure.text(0.012, 1 - top / height, text, **place))
            top += 0.26
    layout: Any = figure.get_layout_engine()
    layout.set(rect=(0, 0, 1, 1 - top / height))


def _fit(figure: Chart, text: Any) -> None:
    """Shorten a line that is wider than its figure."""
    renderer = figure.canvas.get_renderer()  # type: ignore[attr-defined]
    room, whole = 0.976 * figure.bbox.width, text.get_text()
    kept = len(whole)
    while (width := text.get_window_extent(renderer).width) > room and kept > 1:
        kept = min(int(kept * room / width), kept - 1)
        text.set_text(whole[:kept].rstrip() + "…")


def _ticks(axis: Any) -> tuple[Any, ...]:
    """Return the ticks that an axis has made so far."""
    return (*axis.majorTicks, *axis.minorTicks)


def bare(axes: Axes, theme: Theme, grid: Literal["", "x", "y", "both"] = "") -> None:
    """Take frames and ticks off axes; `grid` is `x`, `y`, `both` or nothing."""
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.tick_params(length=0, colors=theme.soft)
    axes.set_axisbelow(True)
    if grid:
        axes.grid(axis=grid, color=theme.line, linewidth=0.8)


def counted(axis: Any, number: Callable[[float], str]) -> None:
    """Let an axis show whole numbers, as a function writes them."""
    axis.set_major_locator(MaxNLocator(nbins=6, integer=True, min_n_ticks=1))
    axis.set_major_formatter(FuncFormatter(lambda value, _: number(value)))


def nothing(axes: Axes, theme: Theme, text: str) -> None:
    """Say on empty axes that there is nothing."""
    axes.set(xticks=[], yticks=[])
    place: dict[str, Any] = {"ha": "center", "va": "center", "color": theme.soft, "fontsize": 11}
    axes.text(0.5, 0.5, text, transform=axes.transAxes, **place)


def bars(
    axes: Axes, theme: Theme, labels: Sequence[str], values: Sequence[float], *, texts: Sequence[str]
) -> Sequence[Any]:
    """Draw horizontal bars, the first at the top, with a text at the end of each, and return them."""
    places = range(len(labels))
    drawn = axes.barh(places, values, height=0.68, color=theme.main)
    axes.set_yticks(places, labels, color=theme.ink, **PLAIN)
    axes.set_ylim(max(len(labels), 3) - 0.5, -0.5)
    axes.set_xticks([])
    axes.set_xlim(0, max([*values, 1]) * 1.02)
    for place, value, text in zip(places, values, texts, strict=True):
        beside: dict[str, Any] = {"xytext": (5, 0), "textcoords": "offset points", "va": "center", "fontsize": 9}
        axes.annotate(text, (value, place), color=theme.soft, **beside)
    return list(drawn)


def hatched(colour: str) -> dict[str, Any]:
    """Return how a bar looks of which nobody knows whether it is all that there was."""
    return {"facecolor": (*to_rgb(colour), 0.35), "edgecolor": colour, "hatch": "////", "linewidth": 0}


def legend(axes: Axes, theme: Theme, lines: Sequence[Any], names: Sequence[str]) -> None:
    """Name lines beside axes."""
    # matplotlib leaves out what is called by a name that begins with an underscore.
    how: dict[str, Any] = {"frameon": False, "labelcolor": theme.ink, "fontsize": 9, "handlelength": 1.2}
    numbers = [str(place) for place in range(len(lines))]
    made = axes.legend(lines, numbers, loc="upper left", bbox_to_anchor=(1.0, 1.02), **how)
    for text, name in zip(made.get_texts(), names, strict=True):
        text.set_text(name)


def label(*values: Any, longest: int = LONGEST_LABEL) -> str:
    """Return what to write: the first value that is neither missing nor of signs alone that no font has.

    Emoji that cannot be drawn are left out, since a box says nothing; letters that cannot are boxes.
    """
    text = next(filter(None, (drawable(str(value)) for value in values if not _is_missing(value))), "")
    return text if len(text) <= longest else text[: longest - 1].rstrip() + "…"


def ink_on(colour: Any) -> str:
    """Return what can be read on a colour."""
    red, green, blue = to_rgb(colour)
    return "#10151c" if 0.299 * red + 0.587 * green + 0.114 * blue > 0.55 else "#ffffff"


@cache
def _fonts() -> tuple[str, ...]:
    there = {font.name for font in font_manager.fontManager.ttflist}
    return tuple(name for name in _FONTS if name in there) or ("DejaVu Sans",)


@cache
def _signs() -> frozenset[int]:
    """Return the code points that the fonts of figures have."""
    fonts = [font.fname for font in font_manager.fontManager.ttflist if font.name in _fonts()]
    return frozenset(point for path in fonts for point in font_manager.get_font(path).get_charmap())


def drawable(text: str) -> str:
    """Return a text on one line, without control signs and without the emoji that no font has."""
    text = texts_of.replaced(text, lambda emoji: emoji if _signs().issuperset(map(ord, emoji)) else " ")
    return " ".join("".join(sign for sign in text if unicodedata.category(sign)[0] != "C" or sign == "\u200d").split())


def _is_missing(value: Any) -> bool:
    return value is None or value is pd.NA or value is pd.NaT or value == ""
