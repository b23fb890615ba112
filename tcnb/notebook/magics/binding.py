"""Expressions in a query as its parameters: a value is bound, and never becomes a part of the SQL."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tcnb.errors import UsageError
from tcnb.notebook import messages
from tcnb.notebook.magics.expansion import DOLLAR, expand, expand_text, expression_end, has_expressions


def bound(
    query: str, names: Mapping[str, Any], given: Mapping[str, object], *, hint: str
) -> tuple[str, dict[str, object]]:
    """Replace every `{expression}` and `$name` in a query by a parameter.

    A text in quotes with expressions in it, such as `'%{word}%'`, becomes one parameter. `{{`, `}}` and `$$` stand for
    one sign each; comments stay as they are. What is one expression as a whole is not a value in a query: it is the
    query, kept in a variable.

    Args:
        query: the query as it was written.
        names: the variables that expressions see.
        given: parameters that have a value already; their `$name` is left alone.
        hint: what an error advises to somebody who meant the braces literally.

    Returns:
        The query, and the values of all its parameters by name.

    Raises:
        UsageError: an expression cannot be read or evaluated, or stands in the name of a table or column; or what is to
            be the whole query is no text.
    """
    whole = query.strip()
    if DOLLAR.fullmatch(whole) or (whole.startswith("{") and expression_end(whole, 0) == len(whole)):
        kept = expand(whole, names, hint=hint)
        if not isinstance(kept, str):
            raise UsageError(messages.no_query(whole, kept))
        return kept, dict(given)
    return _Binding(query, names, given, hint).read()


class _Binding:
    """One query that is read from left to right."""

    def __init__(self, query: str, names: Mapping[str, Any], given: Mapping[str, object], hint: str) -> None:
        self._query = query
        self._names = {**names, **given}
        self._given = given
        self._values = dict(given)
        self._hint = hint
        self._made: list[str] = []

    def read(self) -> tuple[str, dict[str, object]]:
        position = 0
        while position < len(self._query):
            position = self._piece(position)
        return "".join(self._made), self._values

    def _piece(self, start: int) -> int:
        """Take what begins at a position, and return where the next piece begins."""
        two, one = self._query[start : start + 2], self._query[start]
        if two in ("--", "/*"):
            return self._comment(start, "\n" if two == "--" else "*/")
        if one in "'\"":
            return self._quoted(start)
        if two in ("{{", "}}", "$$"):
            self._made.append(one)
            return start + 2
        if one == "{":
            # An expression without an end is refused where it is expanded.
            return self._expression(start, expression_end(self._query, start) or len(self._query))
        if one == "$" and (found := DOLLAR.match(self._query, start)):
            if found[1] in self._given:
                self._made.append(found[0])
                return found.end()
            return self._expression(start, found.end())
        self._made.append(one)
        return start + 1

    def _comment(self, start: int, end: str) -> int:
        stop = self._query.find(end, start + 2)
        stop = len(self._query) if stop < 0 else stop + len(end)
        self._made.append(self._query[start:stop])
        return stop

    def _quoted(self, start: int) -> int:
        quote = self._query[start]
        stop = self._quote_end(start)
        template = self._query[start + 1 : stop - 1].replace(quote * 2, quote)
        if not has_expressions(template, self._hint):
            self._made.append(quote + expand_text(template, self._names).replace(quote, quote * 2) + quote)
        elif quote == '"':
            raise UsageError(messages.expression_in_a_name(self._query[start:stop]))
        else:
            self._bind(template, stop)
        return stop

    def _quote_end(self, start: int) -> int:
        """Return the position behind a text in quotes; quotes in its expressions are those of Python."""
        quote, position = self._query[start], start + 1
        while position < len(self._query):
            if self._query.startswith((quote * 2, "{{", "}}"), position):
                position += 2
            elif self._query[position] == quote:
                return position + 1
            elif self._query[position] == "{":
                position = expression_end(self._query, position) or position + 1
            else:
                position += 1
        raise UsageError(messages.unclosed_quote(quote))

    def _expression(self, start: int, stop: int) -> int:
        self._bind(self._query[start:stop], stop)
        return stop

    def _bind(self, template: str, stop: int) -> None:
        """Put a parameter in the place of a template that ends at a position of the query."""
        value = expand(template, self._names, hint=self._hint, may_miss=True)
        name = self._name(template.strip("{}$ "), value)
        self._values[name] = value
        # A sign beside it would become part of its name.
        before = " " if self._made and (self._made[-1].isalnum() or self._made[-1] in "_$") else ""
        after = " " if self._query[stop : stop + 1].isalnum() or self._query[stop : stop + 1] in ("_", "$") else ""
        self._made.append(f"{before}${name}{after}")

    def _name(self, source: str, value: object) -> str:
        """Return the name of a parameter: that of the variable, where it is one."""
        if source.isidentifier() and source.isascii() and self._values.get(source, value) is value:
            return source
        number = 1
        while f"value_{number}" in self._values:
            number += 1
        return f"value_{number}"
