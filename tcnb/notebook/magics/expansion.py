"""What `{expression}` and `$name` in a field stand for; how a line is divided into fields is not known here.

IPython's own expansion of a magic's line works on the whole line and gives up on all of it in silence when one part
fails. Here every field is expanded by itself and a failure is an error that names the expression.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tcnb.errors import TcnbError, UsageError
from tcnb.notebook import messages

DOLLAR = re.compile(r"\$(?:\$|(?!_+(?!\w))([^\W\d]\w*))")
"""A `$name`, or the `$$` that stands for one `$`."""

_COMPARISONS = ("==", "!=", "<=", ">=")
_CONVERSIONS: dict[str, Callable[[object], str]] = {"r": repr, "s": str, "a": ascii}


@dataclass(frozen=True, slots=True)
class Expression:
    """One `{…}` or `$name`: its source, and what a format string may add to it."""

    source: str
    conversion: str | None = None
    spec: str | None = None
    is_name: bool = False


def expand(
    template: str, names: Mapping[str, Any], *, hint: str = messages.BRACES_IN_A_FIELD, may_miss: bool = False
) -> object:
    """Replace every `{expression}` and `$name` by its value.

    `{{`, `}}` and `$$` stand for one `{`, `}` and `$`; a `$` that no identifier follows stays, and so does a `}`
    without a partner.

    Args:
        template: the field as it was written.
        names: the variables that expressions see.
        hint: what an error advises to somebody who meant the braces literally.
        may_miss: whether the field may be a missing value.

    Returns:
        The text; or, if the whole field is a single expansion without conversion and format, the value itself.

    Raises:
        UsageError: an expression cannot be read or evaluated, a name is not defined, or the field has nothing but
            missing values (None, NaN, NaT, NA); it names the expression.
    """
    pieces = _pieces(template, hint)
    values = [piece if isinstance(piece, str) else _value(piece, names, hint) for piece in pieces]
    if not may_miss:
        _refuse_missing(pieces, values)
    if len(pieces) == 1 and isinstance(only := pieces[0], Expression) and only.conversion is only.spec is None:
        return values[0]
    return "".join(
        piece if isinstance(piece, str) else _formatted(piece, value, names, hint)
        for piece, value in zip(pieces, values, strict=True)
    )


def expand_text(template: str, names: Mapping[str, Any], *, hint: str = messages.BRACES_ON_A_LINE) -> str:
    """Expand a template into a text, whatever kind of value a single expansion has."""
    return str(expand(template, names, hint=hint))


def has_expressions(template: str, hint: str) -> bool:
    """Tell whether anything in a template is to be replaced."""
    return any(isinstance(piece, Expression) for piece in _pieces(template, hint))


def expression_end(text: str, start: int) -> int | None:
    """Return where the `{` at `start` is closed (the position after its `}`), or None if it never is."""
    try:
        return _read_expression(text, start + 1, "")[1]
    except UsageError:
        return None


def _pieces(template: str, hint: str) -> list[str | Expression]:
    pieces: list[str | Expression] = []
    literal: list[str] = []

    def add(expression: Expression) -> None:
        if literal:
            pieces.append("".join(literal))
            literal.clear()
        pieces.append(expression)

    position = 0
    while position < len(template):
        two, one = template[position : position + 2], template[position]
        if two in ("{{", "}}"):
            literal.append(one)
            position += 2
        elif one == "{":
            expression, position = _read_expression(template, position + 1, hint)
            if (shown := _self_documenting(expression)) is not None:
                literal.append(expression.source)
                expression = shown
            add(expression)
        elif one == "$" and (found := DOLLAR.match(template, position)):
            if found[1] is None:
                literal.append("$")
            else:
                add(Expression(found[1], is_name=True))
            position = found.end()
        else:
            literal.append(one)
            position += 1
    if literal:
        pieces.append("".join(literal))
    return pieces


def _refuse_missing(pieces: Sequence[str | Expression], values: Sequence[object]) -> None:
    """Refuse a field that would be the word "None" or "nan" and nothing else; a conversion says that it is meant."""
    missing: list[tuple[Expression, object]] = []
    for piece, value in zip(pieces, values, strict=True):
        if isinstance(piece, Expression) and piece.conversion is None and _is_missing(value):
            missing.append((piece, value))
        elif not isinstance(piece, str) or piece.strip():
            return
    if missing:
        expression, value = missing[0]
        raise UsageError(messages.missing_value(expression.source.strip(), expression.is_name, value))


def _is_missing(value: Any) -> bool:
    if value is None:
        return True
    import pandas as pd  # %load_ext does without it

    return bool(pd.api.types.is_scalar(value) and pd.isna(value))


def _self_documenting(expression: Expression) -> Expression | None:
    source = expression.source.rstrip()
    if not source.endswith("=") or source.endswith(_COMPARISONS):
        return None
    plain = expression.conversion is expression.spec is None
    return Expression(source[:-1], "r" if plain else expression.conversion, expression.spec)


def _read_expression(text: str, start: int, hint: str) -> tuple[Expression, int]:
    """Read from after a `{` to its `}`, and return the expression and the position behind it."""
    end = _source_end(text, start)
    conversion = spec = None
    position = end
    if text[position : position + 1] == "!":
        stop = next((at for at in range(position, len(text)) if text[at] in ":}"), len(text))
        conversion, position = text[position + 1 : stop].strip(), stop
    if text[position : position + 1] == ":":
        stop = _spec_end(text, position + 1)
        spec, position = text[position + 1 : stop], stop
    if text[position : position + 1] != "}":
        raise UsageError(messages.unclosed_brace(text[start - 1 :], hint))
    source = text[start:end]
    if not source.strip():
        raise UsageError(messages.empty_braces(hint))
    return Expression(source, conversion, spec), position + 1


def _source_end(text: str, position: int) -> int:
    """Find where the expression that begins here ends: at a `!`, `:` or `}` outside of brackets and strings."""
    depth = 0
    while position < len(text):
        character = text[position]
        if character in "\"'":
            position = _string_end(text, position)
            continue
        if character in "([{":
            depth += 1
        elif depth and character in ")]}":
            depth -= 1
        elif depth == 0 and (character in "}:" or (character == "!" and text[position + 1 : position + 2] != "=")):
            return position
        position += 1
    return position


def _string_end(text: str, start: int) -> int:
    quote = text[start] * 3 if text.startswith(text[start] * 3, start) else text[start]
    position = start + len(quote)
    while position < len(text):
        if text[position] == "\\":
            position += 2
        elif text.startswith(quote, position):
            return position + len(quote)
        else:
            position += 1
    return len(text)


def _spec_end(text: str, position: int) -> int:
    depth = 0
    while position < len(text):
        if text[position] == "{":
            depth += 1
        elif text[position] == "}":
            if depth == 0:
                break
            depth -= 1
        position += 1
    return position


def _value(expression: Expression, names: Mapping[str, Any], hint: str) -> object:
    source = expression.source
    if expression.is_name:
        if source not in names:
            raise UsageError(messages.undefined_name(source))
        return names[source]
    code = _compiled(expression, hint)
    scope = names if isinstance(names, dict) else dict(names)
    try:
        return eval(code, scope)
    except TcnbError:
        raise
    except Exception as error:
        raise UsageError(messages.expression_failed(source, error, hint)) from error


def _compiled(expression: Expression, hint: str) -> Any:
    source = expression.source
    try:
        tree = ast.parse(f"({source})", "<expression>", "eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        problem = getattr(error, "msg", None) or str(error)
        raise UsageError(messages.not_an_expression(source, problem, hint)) from error
    if expression.spec is not None and _is_key(tree.body, expression.spec):
        raise UsageError(messages.looks_like_json(f"{{{source}:{expression.spec}}}", hint))
    return compile(tree, "<expression>", "eval")


def _is_key(value: ast.expr, spec: str) -> bool:
    """Tell whether `value:spec` rather is the key of a dictionary with what belongs to it."""
    return isinstance(value, ast.Constant) and (isinstance(value.value, str) or spec[:1].isspace())


def _formatted(expression: Expression, value: object, names: Mapping[str, Any], hint: str) -> str:
    if expression.conversion is not None:
        convert = _CONVERSIONS.get(expression.conversion)
        if convert is None:
            raise UsageError(messages.unknown_conversion(expression.source, expression.conversion))
    else:
        convert = None
    spec = expand_text(expression.spec, names, hint=hint) if expression.spec else ""
    try:
        return format(convert(value) if convert else value, spec)
    except Exception as error:
        shown = expression.source + (f":{spec}" if spec else "")
        raise UsageError(messages.expression_failed(shown, error, hint)) from error
