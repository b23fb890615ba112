"""Gathering rows of an event frame from somebody else's format; what a product's words mean is told in its own file."""

from __future__ import annotations

import datetime
import json
import mimetypes
import os
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tcnb.errors import ArchiveError
from tcnb.file_paths import expanded
from tcnb.record import context, frames
from tcnb.record.schema import COLUMNS, NAMES

if TYPE_CHECKING:
    import pandas as pd

PROBLEMS: Final = "problems"
"""The key of `DataFrame.attrs` under which stands what could not be read."""

MOST_PROBLEMS: Final = 1000
"""Problems that are described one by one; the others are counted."""


class Rows:
    """Rows on their way into a frame; what cannot be read is noted and left out.

    Attributes:
        problems: where something could not be read, and why.
    """

    def __init__(self) -> None:
        self.problems: list[str] = []
        self._uncounted = 0
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
        self.add(**{**values, "message_type": "attachment", **first})
        for number, file in enumerate(others, 2):
            beside = {**values, "text": None, "parse_mode": None, "message_type": "attachment", **file}
            if values.get("message_id") is not None:
                beside["message_id"] = f"{values['message_id']}#{number}"
            self.add(**beside)

    def note(self, where: str, what: object) -> None:
        """Note that something could not be read."""
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append(f"{where}: {what}")
        else:
            self._uncounted += 1

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
        """Return the event frame, in the order of time; `attrs["problems"]` lists what could not be read."""
        rows = sorted(self._rows, key=lambda row: row["timestamp"] if row["timestamp"] is not None else -1)
        table = [{**row, "seq": number} for number, row in enumerate(rows, 1)]
        made = context.attach(frames.small(COLUMNS, [tuple(map(row.get, NAMES)) for row in table]))
        problems = list(self.problems)
        if self._uncounted:
            problems.append(f"and {self._uncounted} more")
        made.attrs[PROBLEMS] = problems
        if problems:
            count = len(self.problems) + self._uncounted
            warnings.warn(
                f"{count} records could not be read (the first: {problems[0]}); all are in .attrs['problems']",
                stacklevel=4,
            )
        return made


def load_json(path: Path) -> Any:
    """Return what a JSON file says.

    Raises:
        ArchiveError: it is not there, or not JSON.
    """
    try:
        return json.loads(path.read_bytes())
    except OSError as error:
        raise ArchiveError(f"{path} cannot be read: {error.strerror or error}") from error
    except ValueError as error:
        raise ArchiveError(f"{path} is not JSON: {error}") from error


def given_path(path: str | os.PathLike[str]) -> Path:
    """Return where an export is, as it was given.

    Raises:
        ArchiveError: it is no path.
    """
    if not isinstance(path, str | os.PathLike) or not os.fspath(path):
        raise ArchiveError(f"an export is a file or a folder, not {path!r}")
    return expanded(path)


def found(path: str | os.PathLike[str], name: str) -> Path:
    """Return a file: the path itself, or the one of this name in it.

    Raises:
        ArchiveError: there is none.
    """
    given = given_path(path)
    file = given / name if given.is_dir() else given
    if not file.is_file():
        raise ArchiveError(f"{file} is not there: give the folder of the export, or its {name}")
    return file


def microseconds(moment: object) -> int | None:
    """Return a moment in microseconds since 1970: from seconds (as a number or in digits), or from ISO 8601 text.

    A text without a zone is taken for UTC. None for nothing.

    Raises:
        ValueError: it is neither.
    """
    if moment is None or moment == "":
        return None
    if isinstance(moment, str) and not moment.replace(".", "", 1).isdigit():
        time = datetime.datetime.fromisoformat(moment)
        time = time if time.tzinfo else time.replace(tzinfo=datetime.UTC)
        return (time - _START) // datetime.timedelta(microseconds=1)
    whole, _, part = str(moment).partition(".")
    return int(whole) * 1_000_000 + int(part.ljust(6, "0")[:6] or 0)


_START: Final = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)


def mime_type(name: str | None) -> str | None:
    """Return the type that a file's name stands for."""
    return mimetypes.guess_type(name)[0] if name else None


def text_or_none(value: object) -> str | None:
    """Return a text; None for an empty one and for what is none."""
    return value if isinstance(value, str) and value else None


def walk(folder: Path, pattern: str) -> Iterator[Path]:
    """Give the files below a folder in the order of their names."""
    yield from sorted(folder.glob(pattern))
