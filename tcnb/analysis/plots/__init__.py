"""The figures of the analyses: which analysis is drawn by which function, and nothing that draws."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import pandas as pd

from tcnb.errors import MissingPackageError

try:
    from tcnb.analysis.plots import content, counts, relations, times
    from tcnb.analysis.plots.theme import Chart, Theme, theme_of
except ModuleNotFoundError as error:
    if error.name is None or error.name.split(".")[0] != "matplotlib":
        raise
    raise MissingPackageError('figures need matplotlib: pip install "tcnb[analysis]"') from None

_DRAWN_BY: Final[dict[str, Callable[..., Chart]]] = {
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


def draw(analysis: str, frame: pd.DataFrame, *, theme: str = "auto", **options: Any) -> Chart:
    """Return the figure of a result.

    Args:
        analysis: the name of the analysis.
        frame: its result, in pandas, or some rows of it.
        theme: `light`, `dark`, or `auto`: like matplotlib's current style.
        options: what the analysis gave its figure to know.

    Returns:
        A matplotlib Figure that shows itself in a notebook and can be sent as it is.

    Raises:
        UsageError: no such theme.
    """
    return _DRAWN_BY[analysis](frame, theme_of(theme), **options)


__all__ = ["Chart", "Theme", "draw", "theme_of"]
