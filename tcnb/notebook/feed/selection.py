"""Which rows of a frame pass the feed's filter, in its order; the same rules as in `Filter`, for whole columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tcnb.notebook.feed.rows import Filter, kind_of
from tcnb.record.timeline import times_of

if TYPE_CHECKING:
    import pandas as pd

_SEARCHED = ("text", "file_name", "title", "author")
_TELLING = ["event", "message_type", "mime_type"]


def select(frame: pd.DataFrame, wanted: Filter, chats: frozenset[str] = frozenset()) -> pd.DataFrame:
    """Return the rows that pass, in the order of time as the feed shows them; each keeps its label in the index.

    Args:
        frame: events, with the columns of `tc.df`.
        wanted: what a person picked.
        chats: ids that the feed is restricted to, as for `of_chats`; none means all.
    """
    passing = frame["seq"].notna()
    if chats:
        is_theirs = (frame["chat_type"] == "p2p") & frame["author_id"].astype("string").str.casefold().isin(chats)
        passing &= frame["chat_id"].isin(chats) | is_theirs
    if wanted.chat:
        passing &= (frame["chat_id"] == wanted.chat).fillna(False)
    if wanted.author:
        passing &= (frame["author_id"] == wanted.author).fillna(False)
    if wanted.kinds:
        passing &= _kinds(frame).isin(wanted.kinds)
    if wanted.text:
        passing &= _holding(frame, wanted.text)
    return _by_time(frame[passing.astype(bool)])


def _by_time(rows: pd.DataFrame) -> pd.DataFrame:
    said, came = (rows[name].to_numpy("datetime64[us]").view(np.int64) for name in ("timestamp", "received"))
    times = times_of(said, came)
    # As a rule they came in that order, and nothing has to be moved.
    return rows if (np.diff(times) >= 0).all() else rows.take(np.argsort(times, kind="stable"))


def _kinds(frame: pd.DataFrame) -> pd.Series:
    """Return each row's kind; it is worked out once for every combination of columns that there is."""
    import pandas as pd

    told = frame[_TELLING].astype("string")
    known = told.drop_duplicates()
    kinds = [
        kind_of({name: None if pd.isna(value) else value for name, value in zip(_TELLING, row, strict=True)})
        for row in known.itertuples(index=False)
    ]
    kind_by = dict(zip(known.fillna("").itertuples(index=False, name=None), kinds, strict=True))
    return pd.Series([kind_by[row] for row in told.fillna("").itertuples(index=False, name=None)], frame.index)


def _holding(frame: pd.DataFrame, text: str) -> pd.Series:
    found = frame["seq"].isna()
    for name in _SEARCHED:
        found |= frame[name].astype("string").str.lower().str.contains(text, regex=False).fillna(False)
    return found
