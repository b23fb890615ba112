"""What a terminal or pipe can show: its code page may lack characters of names, titles and paths."""

from __future__ import annotations

import io
import sys


def printable(text: str) -> str:
    """Return a text with `?` for each character that standard output has no code for."""
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
