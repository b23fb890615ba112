"""What registering again replaces in files and scripts: an edited and reloaded file its own, and a script nothing."""

from __future__ import annotations

import functools
import importlib
import sys

import pytest

from tcnb.routing import BaseMiddleware, Dispatcher, Router


@pytest.fixture
def edited(tmp_path, monkeypatch):
    """Writes a module, anew each time, and imports or reloads it."""
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.delitem(sys.modules, "own_handlers", raising=False)

    def edited(source):
        (tmp_path / "own_handlers.py").write_text(source)
        importlib.invalidate_caches()
        known = sys.modules.get("own_handlers")
        return importlib.import_module("own_handlers") if known is None else importlib.reload(known)

    yield edited
    sys.modules.pop("own_handlers", None)


REGISTERING = """
def register(router, note):
    @router.message()
    async def on_message(message):
        note({label!r})
"""

PLAIN = """
NOTES = []
async def on_message(message):
    NOTES.append({label!r})
"""

UNNAMED = """
def register(router, note):
    router.message(text="other")(lambda message: note("other"))
    router.message()(lambda message: note({label!r}))
"""


@pytest.mark.parametrize("source", [REGISTERING, UNNAMED], ids=["named", "lambda"])
@pytest.mark.parametrize("lines", ["", "\n\n# moved\n"])
def test_file_that_was_edited_and_reloaded_replaces(post, seen, edited, source, lines):
    """The new code is in charge, wherever in the file it stands now."""
    edited(source.format(label="old")).register(post.router, seen.note)
    count = len(post.router.handlers)
    edited(lines + source.format(label="new")).register(post.router, seen.note)
    assert len(post.router.handlers) == count
    post.say("hello")
    assert seen.next() == "new"


def test_function_of_a_reloaded_file_replaces(post, edited):
    """A handler that a script takes from a file is replaced by the same function of the file as it is now."""
    for lines in ("", "\n\n", "\n\n"):
        module = edited(lines + PLAIN.format(label=lines))
        post.router.message()(module.on_message)
    assert len(post.router.handlers) == 1
    assert post.router.handlers[0].function is module.on_message


def test_reloaded_file_with_a_router_replaces(post, edited):
    """A file that makes a router, with middlewares, is reloaded and its router put below again: nothing is doubled."""
    source = """
from tcnb.routing import BaseMiddleware, Router
router = Router()
class Log(BaseMiddleware): ...
@router.message()
async def on_message(message): ...
"""
    for lines in ("", "\n# one more\n"):
        module = edited(lines + source)
        module.router.inner_middleware(module.Log())
        post.router.include_router(module.router)
        post.router.outer_middleware(module.Log())
    assert post.router._routers == (module.router,)
    assert len(post.router.handlers) == 1
    assert [one.event for one in post.router.middlewares] == ["outer_middleware", "inner_middleware"]


def test_two_functions_of_one_name_in_a_file_are_two(post, edited):
    """A file may use a name twice, also when it is reloaded."""
    source = """
from tcnb.routing import Router
router = Router()
@router.message(text="a")
async def _(message): ...
@router.message(text="b")
async def _(message): ...
"""
    for lines in ("", "\n"):
        post.router.include_router(edited(lines + source).router)
    assert [handler.filters for handler in post.router.handlers] == [("text='a'",), ("text='b'",)]


@pytest.mark.parametrize("name", [None, "feature"])
def test_routers_that_a_function_makes_stay(post, seen, name):
    """A function may make many routers, whatever they are called: each has its own handler."""
    dispatcher = Dispatcher()
    post.router.include_router(dispatcher)

    def feature(answer):
        router = Router(name)

        @router.message()
        async def on_message(message):
            seen.note(answer)

        return router

    for word in ("one", "two", "three"):
        dispatcher.include_router(feature(word))
    post.say("hello")
    assert seen.take(3) == ["one", "two", "three"]


def test_functions_of_one_code_stay_beside_each_other(post, seen):
    """Closures, partial functions and methods of several objects do not replace one another, in one router either."""

    class Part:
        def __init__(self, name):
            self.name = name

        async def on_message(self, message):
            seen.note(self.name)

    def make(name):
        return lambda message: seen.note(name)

    async def note(name, message):
        seen.note(name)

    parts = [Part("first"), Part("second")]
    for function in (
        *(part.on_message for part in parts),
        *(make(name) for name in ("third", "fourth")),
        *(functools.partial(note, name) for name in ("fifth", "sixth")),
    ):
        post.router.message()(function)
    assert len(post.router.handlers) == 6
    post.router.message()(parts[0].on_message)  # the very same again
    assert len(post.router.handlers) == 6


def test_one_function_in_two_routers_is_called_twice(post, seen):
    """A function may be a handler of several routers of a dispatcher."""
    dispatcher = Dispatcher()
    post.router.include_router(dispatcher)

    async def on_message(message):
        seen.note("called")

    for _ in range(2):
        router = Router()
        router.message()(on_message)
        dispatcher.include_router(router)
    post.say("hello")
    assert seen.take(2) == ["called", "called"]


def test_code_of_one_text_in_a_script_stays(post):
    """A script that executes one text several times makes several handlers."""
    for word in ("a", "b"):
        exec("@router.message(text=word)\nasync def on_word(message): ...", {"router": post.router, "word": word})
    assert len(post.router.handlers) == 2


def test_functions_at_a_prompt_replace_by_name(post):
    """What is typed at Python's own prompt is a run of its own; what has no name there is told apart by its filters."""
    namespace = {"router": post.router, "__name__": "__main__"}
    for line in (
        "router.message(text='a')(lambda message: 1)",
        "router.message(text='b')(lambda message: 2)",
        "router.message(text='b')(lambda message: 3)",
        "@router.message()\nasync def on_message(message): ...",
        "@router.message()\nasync def on_message(message): ...",
    ):
        exec(compile(f"{line}\n", "<stdin>", "exec"), namespace)
    assert [handler.filters for handler in post.router.handlers] == [("text='a'",), ("text='b'",), ()]


def test_two_middlewares_of_a_class_stay_and_the_same_object_is_there_once(post):
    """Which objects there are counts, not of which class they are."""

    class Limit(BaseMiddleware): ...

    first, second = Limit(), Limit()
    for middleware in (first, second, first):
        post.router.outer_middleware(middleware)
    assert [one.middleware for one in post.router.middlewares] == [first, second]


def test_middleware_is_taken_away_by_its_name(post, seen, texts):
    """`remove` takes handlers and middlewares of a name away, also from routers below."""

    class Limit(BaseMiddleware):
        async def __call__(self, handler, event, data):
            seen.note("limit")

    below = Router("below")
    post.router.include_router(below)
    below.outer_middleware(Limit())
    below.message()(texts("it"))
    assert [(one.name, one.event, one.router) for one in post.router.middlewares] == [
        ("Limit", "outer_middleware", "below")
    ]
    post.say("ended")
    assert seen.next() == "limit"
    post.router.remove("Limit")
    post.say("handled")
    assert seen.next() == ("it", "handled")
    assert post.router.middlewares == []
