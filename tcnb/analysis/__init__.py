"""The analyses, by name, each imported when it is first used; what they compute is in the modules behind.

Every one is a function of a frame of events, of pandas, Polars, PyArrow, DuckDB, Dask or PySpark, and returns a frame
of the same engine with the columns of `schema.RESULTS`, or with `plot=True` a matplotlib Figure. On a pandas frame they
are also at hand as `df.tc.heatmap()` and so on.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tcnb.analysis.content import emoji, links, mentions, words
    from tcnb.analysis.counting import activity, files, heatmap, summary, talkers
    from tcnb.analysis.members import membership
    from tcnb.analysis.replies import graph, threads
    from tcnb.analysis.responses import conversations, response_matrix, response_times, unanswered

_HOMES = {
    "counting": ("activity", "files", "heatmap", "summary", "talkers"),
    "responses": ("conversations", "response_matrix", "response_times", "unanswered"),
    "replies": ("graph", "threads"),
    "content": ("emoji", "links", "mentions", "words"),
    "members": ("membership",),
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "activity",
    "conversations",
    "emoji",
    "files",
    "graph",
    "heatmap",
    "links",
    "membership",
    "mentions",
    "response_matrix",
    "response_times",
    "summary",
    "talkers",
    "threads",
    "unanswered",
    "words",
]

_NEEDED = ("narwhals", "matplotlib")


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'tcnb.analysis' has no attribute {name!r}")
    try:
        function = getattr(import_module(f"tcnb.analysis.{_HOME[name]}"), name)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.split(".")[0] not in _NEEDED:
            raise
        from tcnb.errors import MissingPackageError

        raise MissingPackageError(f'the analyses need {error.name}: pip install "tcnb[analysis]"') from None
    globals()[name] = function
    return function


def __dir__() -> list[str]:
    return sorted(__all__)
