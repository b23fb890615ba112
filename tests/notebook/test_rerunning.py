"""Cells that are run again replace what they registered, and nothing else; in a real shell."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell
from test_completion import completed

from tcnb.routing import BaseMiddleware, Dispatcher, Router
from tcnb.session.listeners import Listeners
from tests.routing.conftest import Post, Seen

Run = Callable[..., None]


class Counter(BaseMiddleware):
    """A middleware of a module that is not run again."""

    def __init__(self, note: Callable[[str], None], label: str = "counter") -> None:
        self._note = note
        self._label = label

    async def __call__(self, handler: Any, event: Any, data: dict[str, Any]) -> None:
        """Note that an event passes."""
        self._note(self._label)
        await handler(event, data)


def feature(router: Router, seen: Seen, label: str) -> Router:
    """Make a handler of a function that is not run again."""

    @router.message()
    async def on_message(message: Any) -> None:
        seen.note(label)

    return router


@pytest.fixture
def post() -> Iterator[Post]:
    """A router that is fed with frames."""
    post = Post()
    yield post
    asyncio.run(post.delivery.close(0.1))


@pytest.fixture
def run(shell: InteractiveShell, post: Post) -> Run:
    """Runs a cell, with an identity of its own where one is given, as front ends do."""
    post.router.allow_child_on_event = True
    shell.user_ns.update(
        router=post.router,
        seen=Seen(),
        Router=Router,
        Dispatcher=Dispatcher,
        Counter=Counter,
        feature=feature,
        __name__="__main__",
    )

    def run(cell: str, cell_id: str | None = None) -> None:
        shell.run_cell(cell, cell_id=cell_id).raise_error()

    return run


def said(post: Post, shell: InteractiveShell) -> list[Any]:
    """Have a message arrive and return what was noted of it."""
    post.say("hello")
    post.settle()
    seen, found = shell.user_ns["seen"], []
    while not seen.is_empty:
        found.append(seen.next())
    return found


MIDDLEWARE = """
from tcnb.routing import BaseMiddleware
class Log(BaseMiddleware):
    async def __call__(self, handler, event, data):
        seen.note({label!r})
        await handler(event, data)
router.outer_middleware(Log())
"""


def test_middleware_of_a_cell_is_replaced_in_its_place(run: Run, post: Post, shell: InteractiveShell) -> None:
    """A middleware is there once, as it was written last, and where it was written first."""
    run("@router.message()\nasync def on_message(message): seen.note('handler')")
    run(MIDDLEWARE.format(label="old"))
    run("router.outer_middleware(Counter(seen.note))")
    for label in ("old", "new", "new"):
        run(MIDDLEWARE.format(label=label))
    assert said(post, shell) == ["new", "counter", "handler"]


def test_middlewares_of_a_class_from_a_module(run: Run, post: Post, shell: InteractiveShell) -> None:
    """Two of one cell both stay, running that again doubles neither, and another cell adds its own."""
    run("@router.message()\nasync def on_message(message): seen.note('handler')")
    cell = "router.outer_middleware(Counter(seen.note, 'a'))\nrouter.outer_middleware(Counter(seen.note, 'b'))"
    run(cell)
    run("router.outer_middleware(Counter(seen.note, 'c'))")
    for _ in range(2):
        run(cell)
    assert said(post, shell) == ["a", "b", "c", "handler"]


@pytest.mark.parametrize("cell_id", [None, "cell"])
def test_lambdas_of_one_cell_stay_and_are_replaced_together(
    run: Run, post: Post, shell: InteractiveShell, cell_id: str | None
) -> None:
    """Several functions without a name in one cell are several handlers, and running it again doubles none."""
    cell = (
        "router.message(text='no')(lambda message: seen.note('no'))\n"
        "router.message()(lambda message: seen.note('a')); router.edited_message()(lambda event: seen.note('edited'))\n"
        "router.message(text='never')(lambda message: seen.note('never'))"
    )
    for _ in range(3):
        run(cell, cell_id)
    assert [(one.event, *one.filters) for one in post.router.handlers] == [
        ("message", "text='no'"),
        ("message",),
        ("edited_message",),
        ("message", "text='never'"),
    ]
    assert said(post, shell) == ["a"]


def test_lambda_of_an_edited_cell_is_replaced(run: Run, post: Post, shell: InteractiveShell) -> None:
    """Where the front end says which cell it is, other filters and other code replace what it registered before."""
    run("router.message(text='bye')(lambda message: seen.note('old'))", "one")
    run("router.message(text='hi')(lambda message: seen.note('another cell'))", "two")
    run("router.message(text='hello')(lambda message: seen.note('new'))", "one")
    assert [one.filters for one in post.router.handlers] == [("text='hello'",), ("text='hi'",)]
    assert said(post, shell) == ["new"]


def test_lambda_that_would_never_be_called_is_replaced(run: Run, post: Post, shell: InteractiveShell) -> None:
    """Without such an identity, the later of two with the same filters counts."""
    run("router.message()(lambda message: seen.note('old'))")
    run("router.message()(lambda message: seen.note('new'))")
    assert said(post, shell) == ["new"]


@pytest.mark.parametrize("name", [None, "'crew'"])
def test_routers_of_one_function_in_a_cell(run: Run, post: Post, shell: InteractiveShell, name: str | None) -> None:
    """Routers that a function makes stay beside each other, also the last of a cell; running it again doubles none."""
    run("dispatcher = Dispatcher()\nrouter.include_router(dispatcher)")
    cell = (
        f"for label in ('one', 'two'):\n    dispatcher.include_router(feature(Router({name}), seen, label))\n"
        f"dispatcher.include_router(feature(Router({name}), seen, 'three'))"
    )
    for _ in range(3):
        run(cell)
        assert said(post, shell) == ["one", "two", "three"]


def test_closures_of_several_cells_stay(run: Run, post: Post) -> None:
    """What two cells make with one function are two handlers, and each cell replaces its own."""
    for label in ("one", "two", "one", "two"):
        run(f"feature(router, seen, {label!r})")
    assert len(post.router.handlers) == 2


def test_handlers_of_a_rerun_cell_keep_their_turn(run: Run, post: Post) -> None:
    """Also what a loop or a repeated name defines stays before what later cells defined."""
    cell = (
        "for word in 'abc':\n    @router.message(text=word)\n    async def on_word(message): ...\n"
        "@router.message(text='d')\nasync def on_other(message): ...\n"
        "@router.message(text='e')\nasync def on_word(message): ..."
    )
    run(cell)
    run("@router.message()\nasync def on_rest(message): ...")
    for edit in ("", "\n", "\n\n"):
        run(edit + cell)
        assert [one.filters for one in post.router.handlers] == [*((f"text='{word}'",) for word in "abcde"), ()]


def test_files_that_are_run_are_told_apart(run: Run, post: Post, shell: InteractiveShell, tmp_path: Any) -> None:
    """`%run -i` of an edited file replaces its handlers, not those of another file, and not those of cells."""
    code = "{lines}@router.message()\nasync def on_message(message): seen.note({label!r})\n"
    one, two = tmp_path / "one.py", tmp_path / "two.py"
    run("@router.message(text='cell')\nasync def on_message(message): ...")
    for lines, label in (("", "old"), ("# a line more\n", "new"), ("", "newer")):
        one.write_text(code.format(lines=lines, label=label))
        two.write_text(code.format(lines="", label="two"))
        run(f"%run -i {one}\n%run -i {two}")
        assert len(post.router.handlers) == 3
        assert said(post, shell) == [label]


def test_functions_of_a_file_that_is_run_replace(run: Run, post: Post, shell: InteractiveShell, tmp_path: Any) -> None:
    """A file that only defines what registers is run again after an edit, and a cell registers again."""
    path = tmp_path / "registering.py"
    for lines, label in (("", "old"), ("# a line more\n", "new")):
        code = (
            f"{lines}def register():\n    @router.message()\n    async def on_message(message): seen.note({label!r})\n"
        )
        path.write_text(code)
        run(f"%run -i {path}\nregister()")
        assert said(post, shell) == [label]
    assert len(post.router.handlers) == 1


def test_listeners_of_a_cell_are_replaced(run: Run, shell: InteractiveShell) -> None:
    """A listener is called once however often its cell was run, and ending an old one ends no new one."""
    loop = asyncio.new_event_loop()
    listeners = Listeners[[]](loop, lambda name, error: None)
    heard: list[str] = []
    shell.user_ns.update(listeners=listeners, heard=heard)
    for label in ("old", "new"):
        run(f"def on_rows(): heard.append({label!r})\nend_{label} = listeners.add(on_rows)", "named")
        run(f"listeners.add(lambda: heard.append('lambda {label}'))", "nameless")
    run("end_old()")
    listeners.tell()
    loop.call_soon(loop.stop)
    loop.run_forever()
    assert heard == ["new", "lambda new"]
    run("end_new()")
    listeners.tell()
    loop.call_soon(loop.stop)
    loop.run_forever()
    loop.close()
    assert heard == ["new", "lambda new", "lambda new"]


def test_handlers_magic_shows_and_removes_middlewares(connected: Any, post: Post) -> None:
    """Middlewares stand above the handlers, and `--remove` takes them away."""
    connected.session.router = post.router
    post.router.outer_middleware(Counter(print))
    connected.run("%tc_on message --name it pass")
    frame = connected.run("%tc_handlers")
    assert frame["name"].tolist() == ["Counter", "it"]
    assert frame["event"].tolist() == ["outer_middleware", "message"]
    assert set(completed(connected, "%tc_handlers --remove |")) == {
        "%tc_handlers --remove Counter",
        "%tc_handlers --remove it",
    }
    assert connected.run("%tc_handlers --remove Counter")["name"].tolist() == ["it"]
