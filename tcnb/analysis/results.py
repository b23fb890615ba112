"""What an analysis of a pandas frame returns: a DataFrame that can also draw itself; how it draws is in `plots`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, ClassVar, Final

import pandas as pd
from pandas.plotting import PlotAccessor

from tcnb.analysis.options import NAMES, refuse_unknown
from tcnb.analysis.schema import RESULTS
from tcnb.errors import UsageError


@contextmanager
def _refused(what: str, instead: str) -> Iterator[None]:
    """Turn what a library says of rows or arguments that it cannot draw into one line."""
    try:
        yield
    except UsageError:
        raise
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        said = " ".join(str(error).split())
        raise UsageError(f"{what} ({type(error).__name__}: {said}); {instead}") from error


class ResultPlot(PlotAccessor):
    """Draws a result: `result.plot()` as its analysis does, `result.plot.bar(…)` and the like as pandas does."""

    def __call__(self, *args: Any, **options: Any) -> Any:
        """Draw the analysis' own figure; with `kind`, `x` or `y`, do what the `plot` of pandas does.

        Args:
            args: the kind of a plot of pandas.
            options: of the figure: `tcnb.analysis.options.FigureOptions`; or of a plot of pandas.

        Returns:
            A matplotlib Figure; with `ax` those axes.

        Raises:
            UsageError: the figure cannot be as was asked; pandas refuses the arguments; the rows were changed so that
                they have no figure.
        """
        result: Any = self._parent  # type: ignore[attr-defined]
        is_own = isinstance(result, Result) and result.is_whole
        if args or not is_own or not _OF_PANDAS.isdisjoint(options):
            with _refused("pandas cannot plot this", "without kind, x and y, .plot() draws the figure of an analysis"):
                return super().__call__(*args, **options)
        refuse_unknown(options, (*NAMES, *_OF_PANDAS))
        from tcnb.analysis.plots import draw

        with _refused(f"changed rows have no figure of {result.analysis}", ".plot.bar(…) and the like draw any rows"):
            return draw(str(result.analysis), pd.DataFrame(result), options, **(result.options or {}))


_OF_PANDAS: Final = frozenset({"kind", "x", "y"})
"""With one of these, a plot is one of pandas."""


class Result(pd.DataFrame):
    """The DataFrame that an analysis returns; it knows which one, so that `.plot()` draws its figure.

    Rows taken from it (`head`, a filter, a sorting) still know; what has other columns is a DataFrame like any other.

    Attributes:
        analysis: name of the analysis, None where it is not known any more.
        options: what its figure has to know beside the rows.
    """

    _metadata: ClassVar[list[str]] = ["analysis", "options"]
    analysis: str | None = None
    options: dict[str, Any] | None = None

    @property
    def _constructor(self) -> Callable[..., Result]:
        return Result

    @property
    def is_whole(self) -> bool:
        """Whether all columns of the analysis are there."""
        columns = RESULTS.get(self.analysis or "", ())
        return bool(columns) and {column.name for column in columns} <= set(self.columns)

    @property
    def plot(self) -> ResultPlot:
        """Draws the result: see `ResultPlot`."""
        return ResultPlot(self)
