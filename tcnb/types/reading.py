"""How one value of the wire becomes one attribute, whatever the value is; what objects consist of is said elsewhere.

A reader gives None for what it cannot read and never raises, because a strange message must not be lost.
Source: `protocol` sections 4, 5.1 and 17.
"""

from __future__ import annotations

import math
import types
from collections.abc import Callable
from enum import Enum
from typing import Any, Final, TypeAlias, Union, get_args, get_origin

Reader: TypeAlias = Callable[[Any], Any]

_TRUE: Final = frozenset({"true", "yes", "1"})
_FALSE: Final = frozenset({"false", "no", "0"})

# Roles are strings on the wire; one documentation page numbers them (`protocol` section 11.4).
_NUMBERED_ROLES: Final = ("owner", "admin", "user", "conf_owner", "conf_moderator", "favorites_owner", "writer")


def anything(value: Any) -> Any:
    """Take a value as it is."""
    return value


def string(value: Any) -> str | None:
    """Read a string; a number is written out."""
    if isinstance(value, str):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            return str(value)
        except ValueError:  # more digits than Python writes out
            return None
    return None


def whole_number(value: Any) -> int | None:
    """Read a whole number of 64 bits, also one written as a string or with a fraction."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = int(value)
    except (ValueError, OverflowError):
        return None
    return number if -(2**63) <= number < 2**63 else None


def real_number(value: Any) -> float | None:
    """Read a finite number, also one written as a string."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def truth(value: Any) -> bool | None:
    """Read a boolean, also one written as a string or a number."""
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return value != 0
    if isinstance(value, str):
        word = value.strip().lower()
        if word in _TRUE:
            return True
        if word in _FALSE:
            return False
    return None


def mapping(value: Any) -> dict[str, Any] | None:
    """Read an object as a plain dictionary."""
    return value if isinstance(value, dict) else None


def role(value: Any) -> str | None:
    """Read a participant's role; a number becomes the string it stands for."""
    number = whole_number(value)
    if number is not None and 0 <= number < len(_NUMBERED_ROLES):
        return _NUMBERED_ROLES[number]
    return string(value)


def extension(value: Any) -> str | None:
    """Read a file name extension: lower case, without its dot."""
    read = string(value)
    return read.strip().lstrip(".").lower() if read is not None else None


def list_of(reader: Reader) -> Reader:
    """Make a reader of arrays; what cannot be read in one is left out."""

    def read(value: Any) -> list[Any] | None:
        if not isinstance(value, list | tuple):
            return None
        return [item for item in map(reader, value) if item is not None]

    return read


def member_of(kind: type[Enum]) -> Reader:
    """Make a reader of an open enumeration; a value nobody knows becomes a member of its own."""
    plain: Reader = whole_number if issubclass(kind, int) else string

    def read(value: Any) -> Enum | None:
        if isinstance(value, kind):
            return value
        read = plain(value)
        return None if read is None else kind(read)

    return read


def object_of(kind: type[Any]) -> Reader:
    """Make a reader of a nested object."""

    def read(value: Any) -> Any:
        if isinstance(value, kind):
            return value
        return kind.from_dict(value) if isinstance(value, dict) else None

    return read


_PLAIN: Final[dict[Any, tuple[Reader, Callable[[], Any]]]] = {
    str: (string, str),
    int: (whole_number, int),
    float: (real_number, float),
    bool: (truth, bool),
    dict: (mapping, dict),
    Any: (anything, lambda: None),
}


def reader_of(hint: Any) -> tuple[Reader, Callable[[], Any]]:
    """Return how a value of that annotation is read, and what stands in where it is missing.

    Args:
        hint: a resolved annotation of a field: a plain type, an enumeration, an object of the wire, a list of one of
            these, or one of these or None.
    """
    if hint in _PLAIN:
        return _PLAIN[hint]
    origin = get_origin(hint)
    if origin in (Union, types.UnionType):
        options = [option for option in get_args(hint) if option is not type(None)]
        reader = reader_of(options[0])[0] if len(options) == 1 else anything
        return reader, lambda: None
    if origin is list:
        return list_of(reader_of(get_args(hint)[0])[0]), list
    if origin is dict:
        return _PLAIN[dict]
    if isinstance(hint, type) and issubclass(hint, Enum):
        nothing: Any = 0 if issubclass(hint, int) else ""
        return member_of(hint), lambda: hint(nothing)
    return object_of(hint), lambda: hint.from_dict({})
