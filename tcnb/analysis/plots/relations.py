"""The figures of who turns to whom: the matrix of answers, and the graph of replies and mentions."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pandas as pd
from matplotlib.patches import FancyArrowPatch

from tcnb.analysis.plots import theme as look
from tcnb.analysis.plots.drawing import Drawing
from tcnb.analysis.plots.theme import Theme

MOST_IN_MATRIX: Final = 12
MOST_IN_GRAPH: Final = 18
MOST_EDGES: Final = 40


def response_matrix(frame: pd.DataFrame, drawing: Drawing) -> Any:
    """Draw who answers (rows) whom (columns): the more often the stronger the colour, with the median time."""
    theme, language = drawing.theme, drawing.language
    people = _largest(frame, ("author_id", "author"), ("to_id", "to"), "responses", drawing.top(MOST_IN_MATRIX))
    axes = drawing.axes(language.say("matrix note"), height=1.9 + 0.42 * max(len(people), 3))
    if not people:
        drawing.nothing(axes, "no answers")
        return axes.figure
    grid, times = _matrix(frame, list(people))
    edges = np.arange(len(people) + 1)
    how: dict[str, Any] = {"edgecolors": theme.ground, "linewidth": 2}
    axes.pcolormesh(edges, edges, grid, cmap=theme.scale, vmin=0, **how)
    axes.set_ylim(len(people), 0)
    names = [drawing.label(name, key, 20) for key, name in people.items()]
    turned: dict[str, Any] = {"rotation": 40, "ha": "right", "rotation_mode": "anchor"}
    axes.set_yticks(edges[:-1] + 0.5, names, color=theme.ink, **look.PLAIN)
    axes.set_xticks(edges[:-1] + 0.5, names, color=theme.ink, **turned, **look.PLAIN)
    for (row, column), median in times.items():
        colour = look.ink_on(theme.scale(grid[row, column] / grid.max())[:3])
        centred: dict[str, Any] = {"ha": "center", "va": "center", "fontsize": 8}
        axes.text(column + 0.5, row + 0.5, language.span(float(median)), color=colour, **centred)
    return axes.figure


def _matrix(frame: pd.DataFrame, people: list[str]) -> tuple[Any, dict[tuple[int, int], float]]:
    """Return how often people answer one another, and the median times where they do."""
    places = {key: place for place, key in enumerate(people)}
    grid, times = np.zeros((len(people), len(people))), {}
    columns = ["author_id", "to_id", "responses", "median_seconds"]
    for author, to, responses, median in frame[columns].itertuples(index=False):
        row, column = places.get(_key(author)), places.get(_key(to))
        if row is not None and column is not None:
            grid[row, column], times[row, column] = responses, median
    return grid, times


def graph(frame: pd.DataFrame, drawing: Drawing) -> Any:
    """Draw people on a circle, with an arc for each pair: the more often, the thicker."""
    theme = drawing.theme
    people = _largest(frame, ("source_id", "source"), ("target_id", "target"), "weight", drawing.top(MOST_IN_GRAPH))
    axes = drawing.axes(drawing.language.say("graph note"), width=8, height=6.6)
    axes.set_axis_off()
    axes.set(xticks=[], yticks=[], xlim=(-1.75, 1.75), ylim=(-1.25, 1.25), aspect="equal")
    if not people:
        drawing.nothing(axes, "no edges")
        return axes.figure
    angles = {key: 2 * np.pi * place / len(people) + np.pi / 2 for place, key in enumerate(people)}
    strength = _edges(axes, frame, angles, theme)
    most = max(strength.values(), default=1)
    for key, name in people.items():
        x, y = np.cos(angles[key]), np.sin(angles[key])
        axes.scatter([x], [y], s=60 + 340 * strength.get(key, 0) / most, color=theme.ink, zorder=3, linewidths=0)
        side = "left" if x > 0.01 else "right" if x < -0.01 else "center"
        axes.text(1.12 * x, 1.12 * y, drawing.label(name, key, 20), ha=side, va="center", color=theme.ink, zorder=4)
    return axes.figure


def _edges(axes: Any, frame: pd.DataFrame, angles: dict[str, float], theme: Theme) -> dict[str, float]:
    """Draw the heaviest edges and return how much weight is at each person."""
    strength: dict[str, float] = {}
    inside = frame[frame["source_id"].isin(list(angles)) & frame["target_id"].isin(list(angles))]
    heaviest = float(inside["weight"].max()) if len(inside) else 1.0
    shown = inside.groupby("kind", sort=False).head(MOST_EDGES)
    for source, target, kind, weight in shown[["source_id", "target_id", "kind", "weight"]].itertuples(index=False):
        for key in (source, target):
            strength[key] = strength.get(key, 0) + float(weight)
        ends = [(0.97 * np.cos(angles[key]), 0.97 * np.sin(angles[key])) for key in (source, target)]
        part = float(weight) / heaviest
        axes.add_patch(
            FancyArrowPatch(
                *ends,
                connectionstyle=f"arc3,rad={0.18 if kind == 'reply' else 0.32}",
                arrowstyle="-|>",
                mutation_scale=7 + 7 * part,
                linewidth=0.6 + 4 * part,
                color=theme.main if kind == "reply" else theme.second,
                alpha=0.25 + 0.55 * part,
                shrinkA=7,
                shrinkB=9,
            )
        )
    return strength


def _largest(
    frame: pd.DataFrame, left: tuple[str, str], right: tuple[str, str], weight: str, most: int
) -> dict[str, Any]:
    """Return the names, by id, of the people at whom most weight is."""
    ends = pd.concat(
        [frame[[*side, weight]].set_axis(["key", "name", "weight"], axis=1) for side in (left, right)],
        ignore_index=True,
    )
    ends["key"] = ends["key"].fillna("")
    totals = ends.groupby("key").agg(weight=("weight", "sum"), name=("name", "last")).reset_index()
    totals = totals.sort_values(["weight", "key"], ascending=[False, True]).head(most)
    return dict(zip(totals["key"], totals["name"], strict=True))


def _key(value: Any) -> str:
    return "" if pd.isna(value) else str(value)
