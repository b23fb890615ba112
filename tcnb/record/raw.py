"""Texts as they were written, with their markup: read from the journal, since the record keeps them without."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec

from tcnb.errors import JournalError

Written = tuple[str, str]
"""A text and its mode: `text`, `markdown` or `html`."""


def written(path: Path, seqs: Iterable[int]) -> dict[int, Written]:
    """Return the texts of some frames of a journal; frames without a text are left out.

    Args:
        path: the journal's file; it is opened for reading only, so any thread may do this beside the writer.
        seqs: positions in the journal.

    Raises:
        JournalError: it cannot be read.
    """
    wanted = list(seqs)
    statement = f"SELECT seq, payload FROM frames WHERE seq IN ({', '.join('?' * len(wanted))})"
    try:
        with closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True)) as connection:
            found = connection.execute(statement, wanted).fetchall()
    except sqlite3.Error as error:
        raise JournalError(f"{path} cannot be read: {error}") from error
    texts = {seq: text_of(payload) for seq, payload in found}
    return {seq: text for seq, text in texts.items() if text is not None}


def text_of(payload: bytes) -> Written | None:
    """Return what a message, a sending or an edit says; of what was forwarded, the innermost text."""
    try:
        said = msgspec.json.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    content = _object(_object(said).get("content"))
    while "text" not in content and isinstance(content.get("content"), dict):
        content = content["content"]
    text, mode = content.get("text"), content.get("parseMode")
    return (text, str(mode or "text")) if isinstance(text, str) else None


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
