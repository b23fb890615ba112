"""What `%tc_handlers` and `%%tc_on` do: handlers as a DataFrame, and the body of a cell as a handler."""

from __future__ import annotations

import ast
import linecache
import re
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Final, cast

from tcnb.errors import CellSyntaxError, UsageError
from tcnb.notebook import messages
from tcnb.notebook.magics.arguments import Arguments

if TYPE_CHECKING:
    import pandas as pd

    from tcnb.routing import Handler, Router
    from tcnb.routing.filters import Conditions

_ALWAYS: Final = ("event", "bot", "tc")
"""What a body can use besides `message`."""

_CONDITIONS: Final = ("chat", "sender", "text", "command", "content")


def change(router: Router, given: Arguments) -> None:
    """Pause, resume and remove the handlers that the line names.

    Raises:
        UsageError: there is none of that name.
    """
    for option in ("pause", "resume", "remove"):
        if given.has(option):
            value = given.value(option)
            getattr(router, option)(str(getattr(value, "name", value)))


def frame(router: Router) -> pd.DataFrame:
    """Return middlewares and handlers as a DataFrame, one row each; handlers in the order in which they are tried.

    Returns:
        Columns `name`, `event`, `filters`, `router` (string), `paused` (boolean), `calls`, `failures` (Int64),
        `last_error`, `output` (string; what it printed when it was called last). Of a middleware there are its name,
        its router, and as its event on which side of the search for a handler it stands.
    """
    import pandas as pd

    kinds = {"paused": "boolean", "calls": "Int64", "failures": "Int64"}
    names = ("name", "event", "filters", "router", "paused", "calls", "failures", "last_error", "output")
    around = [[getattr(one, name, None) for name in names] for one in router.middlewares]
    rows = [[", ".join(one.filters) if n == "filters" else getattr(one, n) for n in names] for one in router.handlers]
    return pd.DataFrame([*around, *rows], columns=list(names)).astype(
        {name: kinds.get(name, "string") for name in names}
    )


def define(shell: Any, router: Router, event: str, given: Arguments) -> Handler:
    """Make the code of a cell, or of a line, a handler; the same options again replace it.

    Args:
        shell: its namespace is where the code looks up its names.
        router: gets the handler.
        event: the kind of event.
        given: the conditions as options, and the code.

    Raises:
        UsageError: there is no such event, a condition cannot be meant, or there is no code.
        CellSyntaxError: the code is not Python.
    """
    conditions = _conditions(given)
    written = [f"{name}={value}" for name, value in conditions.items()]
    name = given.value("name")
    key = ("tc_on", str(name)) if name is not None else ("tc_on", event, *written)
    name = str(name) if name is not None else _slug(event, *(str(value) for value in _shown(conditions)))
    finds = [word for word, option in (("match", "pattern"), ("command", "command")) if given.has(option)]
    try:
        function = _function(given.code, name, shell, (*_ALWAYS, *finds), event)
    except SyntaxError as error:
        # A notebook would show the way through all of IPython, since it takes the error for one of code that ran.
        raise CellSyntaxError(error) from None
    return router.handle(function, event, conditions, name=name, key=key)


def _conditions(given: Arguments) -> Conditions:
    found: dict[str, Any] = {name: given.value(name) for name in _CONDITIONS if given.has(name)}
    if given.has("pattern"):
        if "text" in found:
            raise UsageError(messages.options_exclude("--text", "--pattern"))
        # Braces and dollars are what patterns are made of, so nothing is expanded in one.
        pattern = given.raw("pattern")
        try:
            found["text"] = re.compile(pattern)
        except re.error as error:
            raise UsageError(messages.not_a_pattern(pattern, str(error))) from None
    return cast("Conditions", found)


def _shown(conditions: Conditions) -> Iterable[Any]:
    for value in conditions.values():
        yield value.pattern if isinstance(value, re.Pattern) else getattr(value, "name", value)


def _slug(*words: str) -> str:
    """Return a name that can be typed: `on_message_release_crew_build`."""
    return "_".join(["on", *re.findall(r"\w+", " ".join(words).lower())])


def _function(code: str, name: str, shell: Any, takes: tuple[str, ...], event: str) -> Callable[..., Any]:
    """Make a function of code; one that awaits something becomes an async one.

    What the code assigns is its own, as in any function: many may run while cells do, and none of them changes a
    variable of the notebook that it does not declare `global`.
    """
    label = re.sub(r"\W", "_", name)
    filename = f"<tc_on {name}>"
    body = ast.parse(shell.transform_cell(code), filename).body
    _refuse_unawaited(body, event, name, shell.user_ns | dict.fromkeys(takes))
    head = f"def {label}(message, *, {', '.join(takes)}): pass"
    for prefix in ("", "async "):
        tree = ast.parse(prefix + head)
        function = tree.body[0]
        assert isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        function.body = body
        try:
            compiled = compile(ast.fix_missing_locations(tree), filename, "exec")
        except SyntaxError as error:
            if prefix or not _wants_async(error):
                raise
        else:
            break
    # So that tracebacks show the code.
    linecache.cache[filename] = (len(code), None, code.splitlines(keepends=True), filename)
    holder: dict[str, Any] = {}
    exec(compiled, shell.user_ns, holder)
    made: Callable[..., Any] = holder[label]
    return made


def _refuse_unawaited(code: list[ast.stmt], event: str, name: str, known: dict[str, Any]) -> None:
    # They bring the types and httpx along, for which %load_ext would have to wait.
    from tcnb.client.bot import Bot
    from tcnb.routing.events import KINDS
    from tcnb.routing.unawaited import refuse_unawaited_in
    from tcnb.session import Session

    if event in KINDS:
        own = dict.fromkeys(("message", "event"), KINDS[event].event_type)
        refuse_unawaited_in(code, {**known, **own, "bot": Bot, "tc": Session}, name)


def _wants_async(error: SyntaxError) -> bool:
    """Tell whether code was refused only because its function is not async."""
    return "async" in str(error.msg)
