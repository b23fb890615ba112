"""What callers may give by mistake, refused in one line before anything is done; what is right passes through."""

from __future__ import annotations

import difflib
import math
import operator
from collections.abc import Iterable
from numbers import Real
from typing import Any, Final
from zoneinfo import ZoneInfo

from tcnb.errors import UsageError

LONGEST_SHOWN: Final = 100
"""Characters up to which a wrong value is written out; a whole DataFrame would bury what is said about it."""


def check_timeout(value: Any) -> float:
    """Return a timeout in seconds.

    Raises:
        UsageError: it is no number, or below 0.
    """
    number = float(value) if isinstance(value, Real) and not isinstance(value, bool) else math.nan
    if not number >= 0:
        raise UsageError(f"timeout is a number of seconds, 0 or more, not {describe(value)}")
    return number


def check_int(value: Any, what: str, least: int) -> int:
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
        raise UsageError(f"{what}, {least} or more, not {describe(value)}")
    return number


def check_text(value: Any, what: str = "a text") -> str:
    """Return a text; `what` is what it stands for.

    Raises:
        UsageError: it is something else.
    """
    if not isinstance(value, str):
        raise UsageError(f"{what} is a str, not {describe(value)}: use str(…) or an f-string")
    return str.__str__(value)  # the encoder of frames takes no text of NumPy, nor any other kind of str


def check_zone(name: Any) -> ZoneInfo:
    """Return a time zone by its name.

    Raises:
        UsageError: there is none of that name.
    """
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError, TypeError):
        raise UsageError(f"no time zone is called {name!r}: names are like 'Europe/Moscow' or 'UTC'") from None


def check_id(value: Any, kind: str) -> str:
    """Return the id of a message or a file, from the id itself or from what bears it.

    Args:
        value: an id, or an object with the attribute `message_id` or `file_id`: what a sending returned, an event, a
            row of `df` or `messages`.
        kind: `message` or `file`.

    Raises:
        UsageError: it is neither, or its id is missing.
    """
    found = getattr(value, f"{kind}_id", value)
    if not isinstance(found, str) or not found.strip():
        raise UsageError(
            f"a {kind} is given by its {kind}_id, or as what has one (a sent message, a row), not {describe(found)}"
        )
    return check_text(found)


def told_size(value: Any) -> int | None:
    """Return the bytes of a file as what stands for it tells them (`file_size` of an event, a row); None for an id."""
    size = getattr(value, "file_size", None)
    try:
        return int(size) if size is not None and size > 0 else None
    except (TypeError, ValueError, OverflowError):  # what is missing in a row may be NaN or NA
        return None


def replied_to(value: Any) -> str | None:
    """Return the id of the message that is answered, as `given_id` does; None where nothing is."""
    return None if value is None else check_id(value, "message")


def named_person(value: Any) -> str:
    """Return the name that a person was given by; whether there is such a person is not looked at.

    Raises:
        UsageError: it is no text, or has nothing in it.
    """
    return _name(value, "a person is a login or an id")


def named_chat(value: Any) -> str:
    """Return the name that a chat was given by, as `named_person` does."""
    return _name(value, "a chat is an id, a title or a person's login")


def _name(value: Any, what: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise UsageError(f"{what}, not {describe(value)}")
    return value.strip()


def known_name(value: Any, known: Iterable[str], what: str) -> str:
    """Return a name that is one of those known; `what` is what they are names of.

    Raises:
        UsageError: it is none of them; those that resemble it are suggested, otherwise all are listed.
    """
    names = list(dict.fromkeys(known))
    if isinstance(value, str) and value in names:
        return value
    close = difflib.get_close_matches(str(value), names, n=3, cutoff=0.6)
    hint = f". Did you mean {' or '.join(close)}?" if close else f": there are {', '.join(names) or 'none'}"
    raise UsageError(f"there is no {what} {describe(value)}{hint}")


def describe(value: Any) -> str:
    """Return how a wrong value is called in a sentence: as it is written where that is short, otherwise by its type."""
    written = repr(value)
    return written if len(written) <= LONGEST_SHOWN and "\n" not in written else f"a {type(value).__name__}"
