"""How texts from outside are shown: nothing in them acts on a terminal, hides how they read, or buries the rest; and
what a code page lacks is replaced.
"""

from __future__ import annotations

import io
import re
import sys
from datetime import UTC, datetime
from typing import Final

LONGEST: Final = 300
"""Characters of a text of the server's within a sentence of ours."""

LONGEST_LINES: Final = 20_000
"""Characters of a whole error or of a table in a terminal, whatever it is made of."""

DIRECTION_MARKS: Final = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
"""What changes the direction in which a text reads, as within a class of a pattern."""

_MARKS: Final = re.compile(f"[{DIRECTION_MARKS}]")

# Escape sequences begin with one of these; line breaks and tabs act on nothing.
_ACTING: Final = re.compile(rf"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029{DIRECTION_MARKS}]")


def one_line(text: object, most: int = LONGEST) -> str:
    """Return a text from outside as it stands within a line of ours.

    Blanks of any kind become one, controls and direction marks go, half of a surrogate pair becomes `?`, and what is
    longer than `most` characters is cut.
    """
    # What is cut off need not be looked at: it may be of megabytes.
    said = str(text)[: 4 * most + 100].encode("utf-8", "replace").decode()
    line = " ".join(_ACTING.sub(" ", _MARKS.sub("", said)).split())
    return line if len(line) <= most else f"{line[: most - 1]}…"


def readable(name: str) -> str:
    """Return a name from outside without what hides how it reads: `\\u202egnp.exe` is shown like `exe.png`."""
    return _MARKS.sub("", name)


def harmless(text: str, most: int = LONGEST_LINES) -> str:
    """Return lines of ours, with whatever they quote, as they can be printed: nothing in them acts on a terminal."""
    text = _ACTING.sub("", text)
    return text if len(text) <= most else f"{text[:most]} … and {len(text) - most:,} more characters"


def local_minute(seconds: float) -> str | None:
    """Return a moment (seconds since 1970) by this machine's clock, to the minute; None where no calendar has it."""
    try:
        return datetime.fromtimestamp(seconds, UTC).astimezone().strftime("%Y-%m-%d %H:%M")
    except (ValueError, OverflowError, OSError):
        return None


def printable(text: str) -> str:
    """Return a text as standard output can show it: harmless, with `?` for each character that it has no code for."""
    text = harmless(text)
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    try:
        return text.encode(encoding, "replace").decode(encoding)
    except LookupError:
        return text


def replace_what_lacks() -> None:
    """Have standard output and standard error write `?` for what they have no code for, instead of failing."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
