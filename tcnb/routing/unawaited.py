"""Calls in a handler that are not awaited, and so would do nothing; they are found when the handler is defined."""

from __future__ import annotations

import ast
import contextlib
import inspect
import textwrap
import tokenize
from collections.abc import Iterable, Iterator, Mapping
from types import FunctionType, ModuleType
from typing import Any

from tcnb.client.bot import Bot
from tcnb.errors import UsageError
from tcnb.fsm import FSMContext


def refuse_unawaited(function: FunctionType, event_type: type) -> None:
    """Refuse a function with a statement such as `message.reply("…")`, which makes a coroutine and drops it.

    Of a function whose code cannot be read nothing is said.

    Args:
        function: the handler, as it was written.
        event_type: the class of what it gets.

    Raises:
        UsageError: it has one; with the line as it ought to be.
    """
    try:
        (definition,) = ast.parse(textwrap.dedent(inspect.getsource(function))).body
        parameters = list(inspect.signature(function).parameters.values())
    except (OSError, TypeError, ValueError, SyntaxError, tokenize.TokenError):  # the last: its file has changed since
        return
    if not isinstance(definition, ast.FunctionDef | ast.AsyncFunctionDef):
        return
    given = {"bot": Bot, "state": FSMContext, "event": event_type}
    known = {name: value for name, value in function.__globals__.items() if name not in function.__code__.co_freevars}
    with contextlib.suppress(ValueError):  # a variable around it that has no value yet
        known |= inspect.getclosurevars(function).nonlocals
    known |= {one.name: _annotated(one, known) or given.get(one.name) for one in parameters}
    known |= {one.name: event_type for one in parameters[:1]}
    refuse_unawaited_in(definition.body, known, function.__name__)


def refuse_unawaited_in(code: Iterable[ast.stmt], known: Mapping[str, Any], handler: str) -> None:
    """Refuse code that drops a coroutine, as `refuse_unawaited` does.

    Of what the code names itself nothing is said: it may be anything.

    Args:
        code: its statements.
        known: what its names mean: classes of what they hold, or the objects themselves.
        handler: what the handler is called.

    Raises:
        UsageError: it does.
    """
    nodes = [node for statement in code for node in ast.walk(statement)]
    bound = set(_bound(nodes))
    known = {name: value for name, value in known.items() if name not in bound}
    for node in nodes:
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            called = node.value.func
            if inspect.iscoroutinefunction(_meaning(called, known)):
                call = f"{ast.unparse(called)}(…)"
                raise UsageError(f"{handler} would never do {call}: write await {call}, in an async def")


def _annotated(parameter: inspect.Parameter, known: Mapping[str, Any]) -> type | None:
    """Return the class that a parameter is said to have; None where it says none."""
    said = parameter.annotation
    said = known.get(said) if isinstance(said, str) else said
    return said if isinstance(said, type) and said is not parameter.empty else None


def _meaning(node: ast.expr, known: Mapping[str, Any]) -> Any:
    """Return what a name, or an attribute of one, means; None where nobody knows. Nothing of a person's is run."""
    match node:
        case ast.Name(id=name):
            return known.get(name)
        case ast.Attribute(value=owner, attr=name):
            meant = _meaning(owner, known)
            holder = meant if isinstance(meant, ModuleType | type) else type(meant)
            if name == "bot" and getattr(holder, "__module__", "").startswith("tcnb."):  # of an event, or of a session
                return Bot
            return inspect.getattr_static(holder, name, None)
    return None


def _bound(nodes: Iterable[ast.AST]) -> Iterator[str]:
    """Return the names that code gives a meaning itself."""
    for node in nodes:
        match node:
            case ast.Name(id=name, ctx=ast.Store()) | ast.arg(arg=name):
                yield name
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield name
            case ast.alias(name=name, asname=other):
                yield other or name.partition(".")[0]
