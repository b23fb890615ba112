"""The values of a query's parameters: which statement takes which of them, in the types that DuckDB takes."""

from __future__ import annotations

import datetime
import decimal
import difflib
import uuid
from collections.abc import Mapping, Sequence, Set
from enum import Enum
from typing import Any

import numpy as np
import pandas as pd

from tcnb.errors import UsageError


class Parameters:
    """The values that were given for the parameters of a query.

    Args:
        given: by name for `$name`, or in order for `?`.

    Raises:
        UsageError: it is neither, or a value is of a type that DuckDB does not take.
    """

    def __init__(self, given: object) -> None:
        self._named: dict[str, Any] = {}
        self._listed: list[Any] | None = None
        if given is None:
            return
        if isinstance(given, Mapping):
            for name, value in given.items():
                if not isinstance(name, str):
                    raise UsageError(f"a parameter is called by a text, not {name!r}: params={{'name': value}}")
                self._named[name.removeprefix("$").casefold()] = _plain(f"${name}", value)
        elif isinstance(given, Sequence) and not isinstance(given, str | bytes | bytearray):
            self._listed = [_plain(f"value {place}", value) for place, value in enumerate(given, 1)]
        else:
            raise UsageError(
                f"params are a dict for $name or a list for ?, not a {type(given).__name__}: params={{'name': value}}"
            )

    def by_statement(self, names: Sequence[Set[str]]) -> list[dict[str, Any] | list[Any] | None]:
        """Return what each statement of a query is given.

        Args:
            names: the names of the parameters of each statement; those of `?` are their numbers.

        Raises:
            UsageError: a parameter has no value, or a value no parameter.
        """
        if self._listed is not None:
            return self._in_order(names, self._listed)
        wanted = sorted({name for each in names for name in each})
        missing = [name for name in wanted if name.casefold() not in self._named]
        if missing:
            raise UsageError(_missing(missing))
        unused = set(self._named) - {name.casefold() for name in wanted}
        if unused:
            raise UsageError(_unused(min(unused), wanted))
        return [{name: self._named[name.casefold()] for name in each} or None for each in names]

    @staticmethod
    def _in_order(names: Sequence[Set[str]], values: list[Any]) -> list[dict[str, Any] | list[Any] | None]:
        taking = [each for each in names if each]
        if len(taking) > 1:
            raise UsageError("several statements have parameters: name them, $name, and give params={'name': value}")
        named = sorted(name for each in taking for name in each if not name.isdecimal())
        if named:
            raise UsageError(f"the query calls its parameters by name: params={{'{named[0]}': value}}")
        count = len(taking[0]) if taking else 0
        if count != len(values):
            raise UsageError(f"the query has {count} parameters, and params {len(values)} values")
        return [values if each else None for each in names]


def _missing(names: Sequence[str]) -> str:
    if names[0].isdecimal():
        return "the query has parameters (?): give their values in order, params=[…]"
    written = ", ".join(f"${name}" for name in names)
    first = names[0]
    return f"no value is given for {written}: params={{'{first}': …}}, or in a notebook --param {first}={{value}}"


def _unused(name: str, known: Sequence[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    meant = f"; did you mean ${close[0]}?" if close else ""
    return f"the query has no parameter ${name}{meant}"


def _plain(name: str, value: Any) -> Any:
    """Return a value as DuckDB takes it; instants in UTC without a zone, as the times in the tables are.

    Raises:
        UsageError: there is no such value in DuckDB.
    """
    if isinstance(value, Enum):
        value = value.value
    if isinstance(
        value, pd.Series | pd.Index | np.ndarray | pd.api.extensions.ExtensionArray | set | frozenset | tuple
    ):
        value = list(value)
    if isinstance(value, list):
        return [_plain(name, item) for item in value]
    if isinstance(value, Mapping):
        return {key: _plain(name, item) for key, item in value.items()}
    if value is None or (pd.api.types.is_scalar(value) and pd.isna(value) and not isinstance(value, float)):
        return None
    if isinstance(value, np.datetime64 | np.timedelta64):
        value = pd.Timestamp(value) if isinstance(value, np.datetime64) else pd.Timedelta(value)
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, pd.Timestamp | pd.Timedelta):
        # DuckDB counts in microseconds as well.
        value = value.floor("us")
        value = value.to_pydatetime() if isinstance(value, pd.Timestamp) else value.to_pytimedelta()
    if isinstance(value, datetime.datetime) and value.tzinfo is not None:
        return value.astimezone(datetime.UTC).replace(tzinfo=None)
    return _known(name, value)


def _known(name: str, value: Any) -> Any:
    numbers = bool | int | float | decimal.Decimal
    others = str | bytes | bytearray | datetime.date | datetime.time | datetime.timedelta | uuid.UUID
    if not isinstance(value, numbers | others):
        raise UsageError(
            f"{name} is of the type {type(value).__name__}, which SQL has not: give a text, a number, a time, or a list"
        )
    if isinstance(value, int) and not -(2**127) <= value < 2**127:
        raise UsageError(f"{name} is a number of more than 128 bits, which SQL does not have")
    return value
