"""The figures of the analyses: which analysis is drawn by which function, and nothing that draws."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import pandas as pd

from tcnb.errors import MissingPackageError

try:
    from tcnb.analysis.plots import content, counts, relations, times
    from tcnb.analysis.plots.drawing import drawing
    from tcnb.analysis.plots.theme import Chart, Theme, style, theme_of
except ModuleNotFoundError as error:
    if error.name is None or error.name.split(".")[0] != "matplotlib":
        raise
    raise MissingPackageError('figures need matplotlib: pip install "tcnb[analysis]"') from None

_DRAWN_BY: Final[dict[str, Callable[..., Any]]] = {
    "summary": counts.summary,
    "activity": counts.activity,
    "heatmap": counts.heatmap,
    "talkers": counts.talkers,
    "files": counts.files,
    "membership": counts.membership,
    "response_times": times.response_times,
    "unanswered": times.unanswered,
    "threads": times.threads,
    "conversations": times.conversations,
    "words": content.words,
    "emoji": content.emoji,
    "links": content.links,
    "mentions": content.mentions,
    "response_matrix": relations.response_matrix,
    "graph": relations.graph,
}


def check(analysis: str, options: Mapping[str, Any]) -> None:
    """Refuse what the figure of an analysis cannot be asked.

    Raises:
        UsageError: the figure cannot be as was asked.
    """
    drawing(analysis, options)


def draw(analysis: str, frame: pd.DataFrame, options: Mapping[str, Any], **facts: Any) -> Any:
    """Return the figure of a result.

    Args:
        analysis: the name of the analysis.
        frame: its result, in pandas, or some rows of it.
        options: what is asked of the figure: `FigureOptions`.
        facts: what the analysis gave its figure to know.

    Returns:
        A matplotlib Figure that shows itself in a notebook and can be sent as it is; with `ax` those axes.

    Raises:
        UsageError: the figure cannot be as was asked.
    """
    asked = drawing(analysis, options)
    # Within its style, so that each text that is made stands as it is: a name is no formula.
    with style(asked.theme):
        figure = _DRAWN_BY[analysis](frame, asked, **facts)
    return figure if asked.ax is None else asked.ax


__all__ = ["Chart", "Theme", "check", "draw", "theme_of"]
