"""What callers may give by mistake, refused in one line before anything is done; what is right passes through."""

from __future__ import annotations

import math
import operator
from numbers import Real
from typing import Any

from tcnb.errors import UsageError


def seconds(value: Any) -> float:
    """Return a timeout in seconds.

    Raises:
        UsageError: it is no number, or below 0.
    """
    number = float(value) if isinstance(value, Real) and not isinstance(value, bool) else math.nan
    if not number >= 0:
        raise UsageError(f"timeout is a number of seconds, 0 or more, not {value!r}")
    return number


def whole(value: Any, what: str, least: int) -> int:
    """Return a whole number.

    Args:
        value: what was given.
        what: what it stands for, as a sentence without its end.
        least: the smallest that is right.

    Raises:
        UsageError: it is no whole number, or too small.
    """
    try:
        number = least - 1 if isinstance(value, bool) else operator.index(value)
    except TypeError:
        number = least - 1
    if number < least:
        raise UsageError(f"{what}, {least} or more, not {value!r}")
    return number


def given_text(value: Any) -> str:
    """Return a text.

    Raises:
        UsageError: it is something else.
    """
    if not isinstance(value, str):
        raise UsageError(f"a text is a str, not {value!r}: use str(…) or an f-string")
    return value


def named_person(value: Any) -> str:
    """Return the name that a person was given by; whether there is such a person is not looked at.

    Raises:
        UsageError: it is no text, or has nothing in it.
    """
    return _name(value, "a person is an id, a login or a display name")


def named_chat(value: Any) -> str:
    """Return the name that a chat was given by, as `named_person` does."""
    return _name(value, "a chat is an id, a title or a person's login")


def _name(value: Any, what: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise UsageError(f"{what}, not {value!r}")
    return value.strip()
