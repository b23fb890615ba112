"""What must hold whatever a server sends, asked of the way that frames go in a session; no frame is made here."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any, Final

import msgspec
import pandas as pd

from tcnb.errors import MalformedFrameError
from tcnb.journal.journal import Entry, Journal
from tcnb.record.record import Record
from tcnb.record.schema import COLUMNS, DIRECTIONS, EVENT_NAMES, Kind
from tcnb.types import parse_event
from tcnb.wire import frames
from tcnb.wire.exchange import Exchange, Malformed
from tcnb.wire.frames import Frame

CONTROL_ID: Final = 4242
CONTROL: Final = b'{"method":"somethingNew","type":1,"id":4242,"payload":{}}'
"""A right frame that goes behind others: it must come out, however they were."""

RECEIVED: Final = 1_767_000_002_345_678
"""When all of it came, in microseconds since 1970."""


class Subject:
    """The way of a frame from the texts of one read to rows, with everything that is asked of it.

    Args:
        journal: a file that the frames go through as well; None goes without one.
    """

    def __init__(self, journal: Path | None = None) -> None:
        self.record = Record("robot@video.example.com")
        self._journal = None if journal is None else Journal.open(journal, "video.example.com", "robot")

    def close(self) -> None:
        """Give back what was opened."""
        if self._journal is not None:
            self._journal.close()

    def read(self, texts: list[bytes]) -> None:
        """Take in what one read brought.

        Raises:
            AssertionError: a request would not be acknowledged, or a text was lost.
        """
        received = Exchange().receive([*texts, CONTROL])
        assert len(received.requests) + len(received.responses) == len(texts) + 1, "a text was lost"
        acknowledged = [request.id for request in received.requests if request.id is not None]
        missed = Counter(id for text in texts if (id := request_id(text)) is not None) - Counter(acknowledged)
        assert not missed, f"requests {dict(missed)} were not acknowledged"
        assert acknowledged[-1] == CONTROL_ID, "the frame behind them was not acknowledged"
        for response in received.responses:
            check_content(response)
        entries = [_entry(request) for request in received.requests]
        for request, entry in zip(received.requests, entries, strict=True):
            self.record.append(entry.method, entry.payload, entry.received)
            if isinstance(request, Frame):
                check_typed(request)
        if self._journal is not None:
            self._check_journal(self._journal, entries)

    def check_frames(self) -> None:
        """Ask for everything that can be asked of the record, and look at every value.

        Raises:
            AssertionError: a column has another type than it must, or a value is out of range.
        """
        frame = self.record.frame()
        assert len(frame) == len(self.record)
        assert list(frame.columns) == [column.name for column in COLUMNS]
        for column in COLUMNS:
            check_column(frame[column.name], column.kind)
        assert frame["seq"].is_monotonic_increasing
        assert frame["seq"].is_unique
        assert not frame["event"].isna().any()
        assert set(frame["event"].unique()) <= set(EVENT_NAMES)
        assert set(frame["direction"].unique()) <= set(DIRECTIONS)
        for view in (self.record.messages(), self.record.chats(), self.record.people()):
            assert "object" not in {str(dtype) for dtype in view.dtypes}
        # What widgets send to the browser, and what a person sees.
        json.dumps(self.record.rows(0, len(frame)), allow_nan=False).encode()
        frame.head(50).to_html()

    def _check_journal(self, journal: Journal, entries: list[Entry]) -> None:
        before = journal.last_seq
        seqs = journal.append(entries)
        kept = {frame[0]: frame for frame in journal.read(before, len(entries))}
        for entry, seq in zip(entries, seqs, strict=True):
            if seq is not None:
                assert kept[seq][3:5] == (entry.method, bytes(entry.payload)), "the journal holds something else"


def _entry(request: Frame | Malformed) -> Entry:
    """Return what goes into the journal, as a session puts it there."""
    if isinstance(request, Malformed):
        return Entry("", request.text, RECEIVED)
    return Entry(request.method or "", request.payload, RECEIVED)


def request_id(text: bytes) -> int | None:
    """Return the id under which a text asks for an acknowledgement, read by the standard library; None if it does not.

    This reading shares nothing with the one that is examined.
    """
    try:
        said = json.loads(text.decode(errors="replace"))
    except (ValueError, RecursionError):
        return None
    if not isinstance(said, dict) or type(said.get("type")) is not int or said["type"] != frames.REQUEST:
        return None
    id = said.get("id")
    return id if type(id) is int and 0 <= id <= frames.MOST_ID else None


def check_content(frame: Frame) -> Any:
    """Read the payload of a frame, which may only fail in one way."""
    try:
        return frame.content()
    except MalformedFrameError:
        return None


def check_typed(frame: Frame) -> None:
    """Make the object that stands for a notification, and show it; it may only fail in one way."""
    try:
        event = parse_event(frame.method or "", frame.content())
    except MalformedFrameError:
        return
    repr(event)


def check_column(values: pd.Series[Any], kind: Kind) -> None:
    """Assert that a column has its type, and its values the range of that."""
    dtype = values.dtype
    assert dtype == kind.value or (kind is Kind.TEXT and isinstance(dtype, pd.StringDtype)), f"{values.name}: {dtype}"
    if kind is Kind.CATEGORY:
        assert all(isinstance(category, str) for category in values.cat.categories)
        assert int(values.cat.codes.min()) >= -1
        assert int(values.cat.codes.max()) < len(values.cat.categories)
        "".join(values.cat.categories).encode()
    elif kind is Kind.TEXT:
        "".join(values.dropna()).encode()
    elif kind is Kind.FLOAT:
        assert (values.dropna().abs() < float("inf")).all()
    elif kind is Kind.TIME:
        # Years that pandas can show.
        values.dropna().map(str)
    msgspec.json.encode(str(values.head(3)))
