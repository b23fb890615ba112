"""Gathering rows of an event frame from somebody else's format; what a product's words mean is told in its own file."""

from __future__ import annotations

import datetime
import mimetypes
import os
import warnings
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tcnb.errors import ArchiveError
from tcnb.files.paths import expanded
from tcnb.record import context, frames
from tcnb.record.schema import COLUMNS, NAMES

if TYPE_CHECKING:
    import pandas as pd

PROBLEMS: Final = "problems"
"""The key of `DataFrame.attrs` under which stands what could not be read, and behind it what has no column."""

MOST_PROBLEMS: Final = 1000
"""Problems that are described one by one; the others are counted."""


class Rows:
    """Rows on their way into a frame; what cannot be read is noted, and what has no column is counted.

    Attributes:
        problems: where something could not be read, and why.
    """

    def __init__(self) -> None:
        self.problems: list[str] = []
        self._uncounted = 0
        self._doubts: list[str] = []
        self._without_column: Counter[str] = Counter()
        self._rows: list[dict[str, Any]] = []

    def add(self, *, timestamp: int | None, event: str = "message", **values: Any) -> None:
        """Add an event.

        Args:
            timestamp: when it happened, in microseconds since 1970 in UTC.
            event: what happened.
            values: other columns, None for what is missing.
        """
        if event == "message":
            values = {"message_type": "plain", "author_type": "user", "is_edited": False, **values}
        row = {"direction": "in", **values, "event": event, "timestamp": timestamp, "received": timestamp}
        self._rows.append(row)

    def add_with_files(self, files: list[dict[str, Any]], **values: Any) -> None:
        """Add a message and its files: the first file stands in the message's own row, each other in one of its own."""
        if not files:
            self.add(**values)
            return
        first, *others = files
        self.add(**{"message_type": "attachment", **values, **first})
        for number, file in enumerate(others, 2):
            beside = {"message_type": "attachment", **values, "text": None, "parse_mode": None, **file}
            if values.get("message_id") is not None:
                beside["message_id"] = f"{values['message_id']}#{number}"
            self.add(**beside)

    def note(self, where: str, what: object) -> None:
        """Note that something could not be read."""
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append(f"{where}: {what}")
        else:
            self._uncounted += 1

    def mark_gap(self, what: str) -> None:
        """Warn of something that was read and may be wrong; one whole sentence."""
        self._doubts.append(what)

    def count(self, what: str, number: int = 1) -> None:
        """Count things for which there is no column, such as "reactions": they are named, without a warning."""
        self._without_column[what] += number

    def replace_in_texts(self, words: Mapping[str, str]) -> None:
        """Replace words in the texts of all rows so far."""
        for row in self._rows:
            text = row.get("text")
            if text:
                for word in words:
                    if word in text:
                        text = text.replace(word, words[word])
                row["text"] = text

    def read_each(self, items: object, where: str, read: Callable[[Any], None]) -> None:
        """Read every item of a list; one that is not as it should be is noted, and the next one is read."""
        if not isinstance(items, list):
            self.note(where, f"a list was expected, not {type(items).__name__}")
            return
        for number, item in enumerate(items):
            if not isinstance(item, dict):
                self.note(f"{where}[{number}]", f"an object was expected, not {type(item).__name__}")
                continue
            try:
                read(item)
            except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
                self.note(f"{where}[{number}]", f"{type(error).__name__}: {error}")

    def frame(self) -> pd.DataFrame:
        """Return the event frame, in the order of time; `attrs["problems"]` lists what is not in it.

        That something could not be read is warned of. What the export says and the columns have no place for is
        listed behind that, one line a kind, and is no reason to warn.
        """
        rows = sorted(self._rows, key=lambda row: row["timestamp"] if row["timestamp"] is not None else -1)
        for number, row in enumerate(rows, 1):
            row["seq"] = number
        made = context.attach(frames.small(COLUMNS, [tuple(map(row.get, NAMES)) for row in rows]))
        problems = list(self.problems)
        if self._uncounted:
            problems.append(f"and {self._uncounted} more")
        if problems:
            count = len(self.problems) + self._uncounted
            warnings.warn(
                f"{count} records could not be read (the first: {problems[0]}); all are in .attrs['problems']",
                stacklevel=3,
            )
        for doubt in self._doubts:
            warnings.warn(doubt, stacklevel=3)
        kinds = [f"{what}, not in the columns: {number}" for what, number in sorted(self._without_column.items())]
        made.attrs[PROBLEMS] = [*problems, *self._doubts, *kinds]
        return made


def given_path(path: str | os.PathLike[str]) -> Path:
    """Return where an export is, as it was given.

    Raises:
        ArchiveError: it is no path.
    """
    if not isinstance(path, str | os.PathLike) or not os.fspath(path):
        raise ArchiveError(f"an export is a file or a folder, not {path!r}")
    return expanded(path)


def microseconds(moment: object, zone: datetime.tzinfo = datetime.UTC) -> int | None:
    """Return a moment in microseconds since 1970: from seconds (as a number or in digits), or from ISO 8601 text.

    A text without a zone is in `zone`. None for nothing.

    Raises:
        ValueError: it is neither.
    """
    if moment is None or moment == "":
        return None
    if isinstance(moment, str) and not moment.replace(".", "", 1).isdigit():
        time = datetime.datetime.fromisoformat(moment)
        time = time if time.tzinfo else time.replace(tzinfo=zone)
        return (time - _START) // datetime.timedelta(microseconds=1)
    whole, _, part = str(moment).partition(".")
    seconds = int(whole)
    if not 0 <= seconds < _END:
        raise ValueError(f"{moment!r} is no time between 1970 and 9999")
    return seconds * 1_000_000 + int(part.ljust(6, "0")[:6] or 0)


_START: Final = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_END: Final = 253_402_300_800
"""The beginning of the year 10000, in seconds since 1970."""


def mime_type(name: str | None) -> str | None:
    """Return the type that a file's name stands for."""
    return mimetypes.guess_type(name)[0] if name else None


def text_or_none(value: object) -> str | None:
    """Return a text; None for an empty one and for what is none."""
    return value if isinstance(value, str) and value else None


def id_or_none(value: object) -> str | None:
    """Return an id as text; None for what cannot be one."""
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) and value != "" else None


def size_or_none(value: object) -> int | None:
    """Return a number of bytes; None for what cannot be one."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63 else None


def an_object(value: object) -> Mapping[str, Any]:
    """Return an object of JSON; an empty one for what is none."""
    return value if isinstance(value, Mapping) else {}


def objects(value: object) -> list[Mapping[str, Any]]:
    """Return the objects in a list of JSON; none for what is no list."""
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []


def reactions(said: Mapping[str, Any]) -> int:
    """Return how many reactions a message has, by the counts that every product gives beside each emoji."""
    return sum(size_or_none(one.get("count")) or 1 for one in objects(said.get("reactions")))
