"""One figure that is to be drawn: how it looks, what was asked of it, and the axes that it is drawn on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from matplotlib.axes import Axes
from matplotlib.colors import to_rgba

from tcnb.analysis.options import NAMES as OPTIONS
from tcnb.analysis.options import given, refuse_unknown
from tcnb.analysis.plots import theme as look
from tcnb.analysis.plots.language import Language, language_of
from tcnb.analysis.plots.theme import PLAIN, Chart, Theme
from tcnb.arguments import check_int, describe
from tcnb.errors import UsageError

MOST: Final[dict[str, int]] = {
    **dict.fromkeys(("talkers", "files", "unanswered", "words", "emoji", "links", "mentions"), 100),
    **dict.fromkeys(("response_times", "response_matrix"), 40),
    "graph": 40,
    **dict.fromkeys(("activity", "membership"), 8),
}
"""The most that `top` can be, by analysis: of lines, as many as there are colours; the others have no `top`."""

_SEVERAL_AXES: Final = ("membership", "response_times")
"""The figures that consist of several axes."""

_INCHES: Final = (1, 50)
_LONGEST_TITLE: Final = 300


@dataclass(frozen=True)
class Drawing:
    """One figure that is to be drawn.

    Attributes:
        analysis: what is drawn.
        theme: its colours.
        language: the language of its words.
        title: instead of its own title; None for its own.
        subtitle: instead of the line below; None for its own.
        figsize: width and height in inches; None for its own.
        ax: axes of somebody's own figure; None for a figure of its own.
        asked: how many of what is shown, where somebody asked.
    """

    analysis: str
    theme: Theme
    language: Language
    title: str | None = None
    subtitle: str | None = None
    figsize: tuple[float, float] | None = None
    ax: Axes | None = None
    asked: int | None = None

    def top(self, usual: int) -> int:
        """Return how many of what is shown."""
        return usual if self.asked is None else self.asked

    def axes(self, note: str, *, width: float = 8, height: float = 4, grid: Literal["", "x", "y", "both"] = "") -> Axes:
        """Return bare axes to draw on, below a title and a line of explanation."""
        if self.ax is None:
            axes = self._chart(note, width, height).add_subplot()
        else:
            axes = self.ax
            self._head_of(axes, note)
        look.bare(axes, self.theme, grid)
        return axes

    def panels(self, note: str, *, height: float, ratios: list[float]) -> tuple[Axes, Axes]:
        """Return two bare axes over one another with one axis of x, below a title and a line of explanation."""
        upper, lower = self._chart(note, 8, height).subplots(2, 1, sharex=True, height_ratios=ratios)
        for axes in (upper, lower):
            look.bare(axes, self.theme)
        return upper, lower

    def label(self, value: Any, otherwise: Any = None, longest: int = look.LONGEST_LABEL) -> str:
        """Return what to write for a name that may be missing, very long or of strange signs."""
        return look.label(value, otherwise, self.language.say("unknown"), longest=longest)

    def labels(self, names: Iterable[Any], ids: Iterable[Any]) -> list[str]:
        """Return a label for each name; where it is missing, its id."""
        return [self.label(name, key) for name, key in zip(names, ids, strict=True)]

    def nothing(self, axes: Axes, key: str = "nothing") -> None:
        """Say on empty axes that there is nothing."""
        look.nothing(axes, self.theme, self.language.say(key))

    def counted(self, axis: Any) -> None:
        """Let an axis show whole numbers, thousands apart."""
        look.counted(axis, self.language.number)

    def _chart(self, note: str, width: float, height: float) -> Chart:
        figure = Chart(self.theme, *(self.figsize or (width, height)))
        look.head(figure, *self._lines(note))
        return figure

    def _head_of(self, axes: Axes, note: str) -> None:
        title, below = self._lines(note)
        if below:
            line = axes.text(0, 1.02, below, transform=axes.transAxes, va="bottom", fontsize=9, color=self.theme.soft)
            # A long line must not make the axes beside it narrow; the title keeps its place free.
            line.set_in_layout(False)
        how: dict[str, Any] = {"fontsize": 12, "fontweight": "bold", "color": self.theme.ink}
        axes.set_title(title, loc="left", pad=20 if below else 6, **how, **PLAIN)

    def _lines(self, note: str) -> tuple[str, str]:
        title = self.language.say(self.analysis) if self.title is None else self.title
        return title, note if self.subtitle is None else self.subtitle


def drawing(analysis: str, options: Mapping[str, Any]) -> Drawing:
    """Return what is to be drawn of an analysis, given what was asked of its figure.

    Raises:
        UsageError: the figure cannot be as was asked.
    """
    refuse_unknown(options, OPTIONS)
    asked = given(options)
    ax = _axes(analysis, asked.get("ax"))
    if ax is not None and "figsize" in asked:
        raise UsageError("figsize is the size of a figure of its own: the figure of ax has one already")
    theme = look.theme_of(asked.get("theme", "auto"), None if ax is None else _ground(ax))
    if ax is not None and asked.get("theme", "auto") != "auto":
        ax.set_facecolor(theme.ground)
    return Drawing(
        analysis,
        theme,
        language_of(asked.get("lang", "en")),
        _line("title", asked.get("title")),
        _line("subtitle", asked.get("subtitle")),
        _inches(asked.get("figsize")),
        ax,
        _top(analysis, asked.get("top")),
    )


def _axes(analysis: str, ax: Any) -> Axes | None:
    if ax is None:
        return None
    if not isinstance(ax, Axes) or ax.name != "rectilinear":
        raise UsageError(f"ax is one pair of axes, such as plt.subplots()[1], not {describe(ax)}")
    if analysis in _SEVERAL_AXES:
        raise UsageError(
            f"the figure of {analysis} consists of several axes and cannot be drawn into one: leave ax out"
        )
    return ax


def _ground(ax: Axes) -> Any:
    """Return the colour behind axes, which may be transparent themselves; None where it is not known."""
    figure = ax.get_figure(root=True)
    behind = [ax.get_facecolor(), *([] if figure is None else [figure.get_facecolor()])]
    return next((colour for colour in map(to_rgba, behind) if colour[3] > 0), None)


def _line(name: str, text: Any) -> str | None:
    if text is None:
        return None
    if not isinstance(text, str):
        raise UsageError(f"{name} is a text, not {describe(text)}")
    return look.drawable(text)[:_LONGEST_TITLE]


def _inches(size: Any) -> tuple[float, float] | None:
    if size is None:
        return None
    least, most = _INCHES
    try:
        width, height = (float(side) for side in size)
        if least <= width <= most and least <= height <= most:
            return width, height
    except (TypeError, ValueError):
        pass
    raise UsageError(f"figsize is width and height in inches, {least} to {most}, such as (8, 4), not {describe(size)}")


def _top(analysis: str, top: Any) -> int | None:
    if top is None:
        return None
    if analysis not in MOST:
        raise UsageError(f"the figure of {analysis} shows everything and has no top: filter the rows instead")
    number = check_int(top, "top is how many are shown", 1)
    if number > MOST[analysis]:
        raise UsageError(f"the figure of {analysis} has room for {MOST[analysis]}: top cannot be {number}")
    return number
