"""The last step of every analysis: its result as a frame of the engine that the events came in, or as a figure."""

from __future__ import annotations

from typing import Any

import pandas as pd

from tcnb.analysis.engines import Rows, Source, collect, deliver, outside
from tcnb.analysis.options import FigureOptions
from tcnb.analysis.results import Result
from tcnb.analysis.schema import RESULTS


def present(
    analysis: str, source: Source, rows: Rows | pd.DataFrame, *, plot: bool, figure: FigureOptions, **facts: Any
) -> Any:
    """Return the result of an analysis.

    Args:
        analysis: its name.
        source: where the events came from.
        rows: the result in its inside form.
        plot: whether a figure is wanted instead of a frame.
        figure: what is asked of the figure.
        facts: what the figure has to know beside the rows; `tz` is the zone of the periods.
    """
    columns, tz = RESULTS[analysis], str(facts.get("tz", "UTC"))
    if plot:
        from tcnb.analysis.plots import draw

        frame = rows if isinstance(rows, pd.DataFrame) else collect(rows)
        return draw(analysis, outside(columns, frame, tz), figure, **facts)
    result = deliver(source, columns, rows, tz)
    if isinstance(result, Result):
        result.analysis, result.options = analysis, facts
    return result
