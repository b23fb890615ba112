"""The page about the frames, held against the columns there are."""

from __future__ import annotations

from pathlib import Path

import pytest

from tcnb.record import schema

PAGE = (Path(__file__).parents[2] / "docs" / "data.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "columns", [schema.COLUMNS, schema.MESSAGES, schema.CHATS, schema.PEOPLE, schema.FILES, schema.EDITS]
)
def test_every_column_is_explained_in_order(columns):
    """The page has one line a column, with its type and meaning, in the order of the frame."""
    lines = [f"| `{column.name}` | {column.kind.value} | {column.meaning} |" for column in columns]
    assert "\n".join(lines) in PAGE
