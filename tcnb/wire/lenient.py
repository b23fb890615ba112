"""What is still right in a text that a strict reader refuses; what is done with it is decided by whoever asked."""

from __future__ import annotations

import json
import math
import re
from itertools import islice
from typing import Any, Final

_ESCAPES: Final = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"  # a pair of surrogates, which is right
    rb"|(?P<half>\\u[dD][89a-fA-F][0-9a-fA-F]{2})"
    rb"|\\.",
    re.DOTALL,
)
_REPLACEMENT: Final = rb"\ufffd"
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"

# Possessive, and content with the end of the text in place of a closing quote: otherwise a long text that never closes
# its strings would be read once for each of its quotes.
_MARKS: Final = re.compile(rb'"(?:[^"\\]|\\.?)*+"?|[\[\]{}]', re.DOTALL)


MOST_MARKS: Final = 1_000_000
"""Strings and brackets that an outline looks at, which takes half a second; a whole text of some 10 MB has as many."""


def mended(text: bytes) -> bytes:
    """Return a text with a sign of replacement for whatever in it is no text: bytes that are no UTF-8, and halves of
    surrogate pairs, as a server leaves them that cuts a text within an emoji. A byte order mark is taken away.
    """
    text = text.removeprefix(_BYTE_ORDER_MARK).decode(errors="replace").encode()
    return _ESCAPES.sub(lambda found: _REPLACEMENT if found["half"] else found[0], text)


def lenient(text: bytes) -> Any:
    """Return what a JSON text says, with None for each number that no 64 bits hold: `1e999`, NaN, or 5,000 digits.

    Raises:
        ValueError: it is no JSON.
        RecursionError: it is nested too deeply for the stack as it is now.
    """
    return _lenient(mended(text).decode())


def _whole(digits: str) -> int | None:
    # The shortest that 64 bits do not hold has as many digits as this; Python refuses to read thousands of them.
    number = int(digits) if len(digits) <= 20 else 2**64
    return number if -(2**63) <= number < 2**63 else None


def _real(digits: str) -> float | None:
    number = float(digits)
    return number if math.isfinite(number) else None


_lenient: Final = json.JSONDecoder(parse_int=_whole, parse_float=_real, parse_constant=lambda _: None).decode


def depth(text: bytes, enough: int) -> int:
    """Return how deep objects and arrays are nested in a JSON text; the counting ends once it is deeper than `enough`.

    Unlike a reader of JSON this never runs out of stack.
    """
    if text.count(b"{") + text.count(b"[") <= enough:
        return 0
    level = deepest = 0
    for mark in _MARKS.finditer(text):
        sign = mark[0][:1]
        if sign in b"[{":
            level += 1
            deepest = max(deepest, level)
            if deepest > enough:
                break
        elif sign in b"]}":
            level -= 1
    return deepest


def outline(text: bytes) -> dict[str, Any]:
    """Return the plain values of the outermost object in a JSON text, with None for whatever is nested in it.

    What is nested may be as deep and as wrong as it likes. What has no outline, or is endless, gives an empty one.
    """
    kept: list[bytes] = []
    level = start = 0
    for mark in islice(_MARKS.finditer(text), MOST_MARKS):
        sign = mark[0][:1]
        if sign in b"[{":
            level += 1
            if level == 2:
                kept.append(text[start : mark.start()])
        elif sign in b"]}":
            level -= 1
            if level == 1:
                kept.append(b"null")
                start = mark.end()
    if level != 0:
        return {}
    kept.append(text[start:])
    try:
        value = json.loads(b"".join(kept).decode(errors="replace"), strict=False)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
