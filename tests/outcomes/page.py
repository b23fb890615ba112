"""Writes docs/outcomes.md from what was measured: `python -m tests.outcomes.page`, run at the top of the repository."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from itertools import groupby
from pathlib import Path
from typing import Final

import pytest

from tcnb.wire import codes
from tests.outcomes import measuring
from tests.outcomes.cases import CASES
from tests.outcomes.differences import DIFFERENCES, is_same
from tests.outcomes.measuring import Key, Outcome

PAGE: Final = Path(__file__).parents[2] / "docs" / "outcomes.md"

HEAD: Final = """\
# Method × case × outcome

Every method of the connector, in good cases and bad ones, carried out by the official Python client
(`python-trueconf-bot`) and by `tc.bot` against the practice server, each case on chats and messages made afresh.
This page is written by `python -m tests.outcomes.page`; `tests/outcomes` measures it again and fails where it is out of
date.

* **answered**: the server did it. Where both clients are answered, every value that the official client gives is the
  same here, ids and times apart.
* **a number**: the server refused with that code, and both clients raise `ApiErrorException` with it.
* **an error's name**: the client raised it itself and asked the server nothing, or got no answer (`TimeoutError`).
  Names in one row are alike if code that catches the official error catches ours.
"""


def rendered(theirs: Mapping[Key, Outcome], ours: Mapping[Key, Outcome]) -> str:
    """Return the page."""
    lines = [HEAD, *_differences(theirs, ours), "## All of them", ""]
    lines += ["| Method | Case | Official client | tcnb |", "|---|---|---|---|"]
    for method, cases in groupby(CASES, key=lambda case: case.method):
        for number, case in enumerate(cases):
            key = case[:2]
            mark = "" if is_same(ours[key], theirs[key]) else " ≠"
            shown = f"`{method}`" if number == 0 else ""
            lines.append(f"| {shown} | {case.case} | {_words(theirs[key])} | {_words(ours[key])}{mark} |")
    used = sorted({outcome.code for outcome in (*theirs.values(), *ours.values()) if outcome.code is not None})
    lines += ["", "## Codes", "", "| Code | Meaning |", "|---|---|"]
    lines += [f"| {code} | {codes.meaning(code)} |" for code in used]
    return "\n".join(lines) + "\n"


def _differences(theirs: Mapping[Key, Outcome], ours: Mapping[Key, Outcome]) -> Iterator[str]:
    total = len(CASES)
    yield f"{total} cases, {total - len(DIFFERENCES)} of them alike.\n"
    yield "## Where they differ, and why\n"
    yield "| Method | Case | Official client | tcnb | Why |"
    yield "|---|---|---|---|---|"
    for key, difference in DIFFERENCES.items():
        yield f"| `{key[0]}` | {key[1]} | {_words(theirs[key])} | {_words(ours[key])} | {difference.reason} |"
    yield ""


def _words(outcome: Outcome) -> str:
    if outcome.code is not None:
        return str(outcome.code)
    return f"`{outcome.errors[0]}`" if outcome.errors else "answered"


def main() -> None:
    """Measure and write the page."""
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        for name in ("XDG_DATA_HOME", "LOCALAPPDATA", "APPDATA"):
            patch.setenv(name, folder)
        PAGE.write_text(rendered(measuring.of_official_client(), measuring.of_tcnb()), encoding="utf-8")


if __name__ == "__main__":
    main()
