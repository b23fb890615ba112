"""What a frame of events says in `attrs` about the record that it was taken from, so that its rows need not say it.

A filter keeps the rows that somebody asks for, and loses the edits and removals of the messages among them. pandas
hands `attrs` on to whatever is taken from a frame, so each part of it still knows what was edited and removed.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any, Final, NamedTuple, Self

import numpy as np
import pandas as pd

from tcnb.record.columns.columns import NO_TIME
from tcnb.record.schema import CHANGES

ATTRIBUTE: Final = "record"
"""The key of `DataFrame.attrs` under which a context stands."""

CHANGED: Final = ("event", "chat_id", "message_id", "timestamp", "received", "seq", "text")
"""The columns of the edits and removals in a context."""

_TEXTS: Final = dict.fromkeys(("event", "chat_id", "message_id", "text"), "string")
_TYPES: Final = {**_TEXTS, **dict.fromkeys(("timestamp", "received"), "datetime64[us, UTC]"), "seq": "Int64"}
_NO_CHANGES: Final = pd.DataFrame({name: pd.Series(dtype=_TYPES[name]) for name in CHANGED})
_MOST_PARTS: Final = 64
_LAST: Final = np.iinfo(np.int64).max


class Span(NamedTuple):
    """From when to when a record reaches, in microseconds since 1970; None where nothing says so.

    Attributes:
        began: when its first event was received.
        ended: when its last event happened.
    """

    began: int | None = None
    ended: int | None = None


_NEVER: Final = Span()


class RecordContext(dict[str, Any]):
    """The edits and removals of a record, and how far it reaches; it never changes.

    It is an empty dictionary as far as JSON is concerned, since files are written with the `attrs` of a frame.

    Attributes:
        rows: how many rows the whole frame has.
        span: from when to when the whole record reaches.
    """

    def __init__(self, parts: tuple[pd.DataFrame, ...] = (), rows: int = 0, span: Span = _NEVER) -> None:
        super().__init__()
        self._parts = parts
        self.rows = rows
        self.span = span

    def __eq__(self, other: object) -> bool:
        return self is other

    def __ne__(self, other: object) -> bool:
        return self is not other

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        # pandas copies `attrs` deeply at each step.
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return RecordContext, (self._parts, self.rows, self.span)

    @cached_property
    def changes(self) -> pd.DataFrame:
        """The edits and removals that say which message they change, with the columns `CHANGED`."""
        parts = (part[part["message_id"].notna()].astype(_TEXTS) for part in self._parts)
        return pd.concat([_NO_CHANGES, *parts], ignore_index=True)

    def extended(self, columns: Mapping[str, Any]) -> RecordContext:
        """Return the context of a frame in which some events stand behind those that this one is about.

        Args:
            columns: arrays of pandas of these events, by name; those in `CHANGED` are needed.
        """
        count = len(columns["event"])
        if not count:
            return self
        places, parts = np.flatnonzero(_is_change(columns["event"])), self._parts
        if len(places):
            # Only rows are taken here, since this is done for each `tc.df`; `changes` is what is asked for rarely.
            found = pd.DataFrame({name: columns[name].take(places) for name in CHANGED})
            # Joined now and then: whoever asks for a frame again and again must not pay for all that was before.
            parts = (*parts, found) if len(parts) < _MOST_PARTS else (self.changes, found)
        return RecordContext(parts, self.rows + count, _wider(self.span, columns))


def attach(events: pd.DataFrame) -> pd.DataFrame:
    """Give a whole frame of events its context, and return it."""
    events.attrs[ATTRIBUTE] = RecordContext().extended({name: events[name].array for name in CHANGED})
    return events


def context_of(frame: Any) -> RecordContext | None:
    """Return the context that a frame carries; None if it has none."""
    found = getattr(frame, "attrs", {}).get(ATTRIBUTE)
    return found if isinstance(found, RecordContext) else None


def _is_change(kinds: pd.Categorical) -> Any:
    wanted = [code for code, name in enumerate(kinds.categories) if name in CHANGES]
    return np.isin(kinds.codes, wanted)


def _wider(span: Span, columns: Mapping[str, Any]) -> Span:
    received, timestamp = (
        columns[name].to_numpy("datetime64[us]").view(np.int64) for name in ("received", "timestamp")
    )
    began = int(received[received != NO_TIME].min(initial=_LAST))
    ended = int(np.maximum(received, timestamp).max(initial=NO_TIME))
    if ended == NO_TIME:
        return span
    return Span(
        min(began, span.began if span.began is not None else began),
        max(ended, span.ended if span.ended is not None else ended),
    )
