"""What can be asked of the figure of an analysis; how it is drawn is in `plots`."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from typing import TYPE_CHECKING, Any, Final, ParamSpec, TypedDict, TypeVar

from tcnb.arguments import known_name
from tcnb.errors import UsageError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

P = ParamSpec("P")
T = TypeVar("T")


class FigureOptions(TypedDict, total=False):
    """What can be asked of a figure.

    Attributes:
        title: instead of the figure's own title; an empty text for none.
        subtitle: instead of the line below the title; an empty text for none.
        figsize: width and height in inches.
        ax: axes of a matplotlib figure of one's own, into which is drawn.
        top: how many of what is shown, such as the people with most messages.
        theme: `light`, `dark`, or `auto`: as matplotlib's style is.
        lang: `en` or `ru`, the language of the words in the figure.
    """

    title: str
    subtitle: str
    figsize: tuple[float, float]
    ax: Axes
    top: int
    theme: str
    lang: str


NAMES: Final = tuple(FigureOptions.__annotations__)
"""The names of the options of figures."""

_REST: Final = inspect.Parameter.VAR_KEYWORD


def refuse_unknown(given: Iterable[str], known: Iterable[str]) -> None:
    """Refuse names of options that there are not.

    Raises:
        UsageError: there is one; what was meant is suggested.
    """
    names = tuple(known)
    for name in given:
        known_name(name, names, "option")


def draws(analysis: Callable[P, T]) -> Callable[P, T]:
    """Let an analysis refuse wrong options before it computes anything."""
    own = [name for name, parameter in inspect.signature(analysis).parameters.items() if parameter.kind != _REST]

    @wraps(analysis)
    def checked(*args: P.args, **options: P.kwargs) -> T:
        refuse_unknown(options, (*own, *NAMES))
        asked = given({name: value for name, value in options.items() if name in NAMES})
        if options.get("plot"):
            from tcnb.analysis.plots import check

            check(analysis.__name__, asked)
        elif asked:
            raise UsageError(f"{next(iter(asked))} is for the figure: add plot=True, or give it to .plot()")
        return analysis(*args, **options)

    return checked


def given(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options that say something."""
    return {name: value for name, value in options.items() if value is not None}
