"""Calls in a handler that are not awaited, and so would do nothing; they are found when the handler is defined."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable
from typing import Any

from tcnb.client.bot import Bot
from tcnb.errors import UsageError


def refuse_unawaited(function: Callable[..., Any], event_type: type) -> None:
    """Refuse a function with a statement such as `message.reply("…")`, which makes a coroutine and drops it.

    Of a function whose code cannot be read nothing is said.

    Args:
        function: the handler, as it was written.
        event_type: the class of what it gets.

    Raises:
        UsageError: it has one; with the line as it ought to be.
    """
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
        first = next(iter(inspect.signature(function).parameters), "event")
    except (OSError, TypeError, ValueError, SyntaxError):
        return
    refuse_unawaited_in(tree, first, event_type, function.__name__)


def refuse_unawaited_in(tree: ast.AST, first: str, event_type: type, handler: str) -> None:
    """Refuse code that drops a coroutine, as `refuse_unawaited` does.

    Args:
        tree: the code.
        first: the name under which it gets the event, besides `event`.
        event_type: the class of it.
        handler: what the handler is called.

    Raises:
        UsageError: it does.
    """
    types = {first: event_type, "event": event_type, "bot": Bot}
    for statement in ast.walk(tree):
        match statement:
            case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=method))):
                if inspect.iscoroutinefunction(getattr(types.get(name), method, None)):
                    call = f"{name}.{method}(…)"
                    raise UsageError(f"{handler} would never do {call}: write await {call}, in an async def")
