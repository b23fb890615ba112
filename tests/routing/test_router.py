"""Which handler an event goes to: order, routers below, middlewares, and definitions that replace others."""

from __future__ import annotations

import functools
import textwrap
from typing import Any

import pytest

from tcnb.errors import UsageError
from tcnb.routing import BaseMiddleware, Dispatcher, Router
from tcnb.routing.events import ALIASES, KINDS
from tcnb.types import Message, RemovedChat, SystemMessage, Update
from tcnb.wire.notifications import EVENTS

CODE = """
@router.message()
async def on_message(message):
    seen.note({label!r})
"""


def run_cell(source: str, filename: str, **names: Any) -> None:
    """Run source as a notebook does: compiled anew under a file name of its own, in one namespace."""
    exec(compile(textwrap.dedent(source), filename, "exec"), {"__name__": "__main__", **names})


def test_every_event_of_the_record_has_a_decorator():
    """Each name in the column `event` is the name of a decorator, and so is that of the reference page."""
    router = Router()
    for name in (*EVENTS.values(), "unknown", *KINDS, *ALIASES):
        assert getattr(router, name)()(print) is print
    assert {handler.event for handler in router.handlers} == set(KINDS)


@pytest.mark.parametrize("decorator", ["message", "any", "event"])
def test_a_decorator_without_parentheses_is_refused(decorator):
    """Without them the handler would be a filter of nothing, and never be called."""
    router = Router()
    with pytest.raises(UsageError, match="parentheses"):
        run_cell(f"@router.{decorator}\nasync def on_message(message): ...", "<cell 1>", router=router)
    assert router.handlers == []


def test_functions_are_filters_wherever_they_come_from(post, seen, texts):
    """What was defined before, made by a call, wrapped or written in place is a filter."""
    names = {"router": post.router, "note": texts("all of them"), "functools": functools}
    run_cell(
        """
        def is_short(message):
            return len(message.text) < 9

        def is_not(word):
            def check(message):
                return message.text != word
            return check

        @functools.cache
        def cached(message):
            return True

        def logged(function):
            @functools.wraps(function)
            def wrapper(message):
                return function(message)
            return wrapper

        @logged
        def wrapped(message):
            return True

        router.message(is_short)(router.message(is_not("no"), cached, wrapped, lambda message: True)(note))
        router.message(wrapped)(note)
        """,
        "<cell 1>",
        **names,
    )
    post.say("yes")
    assert seen.next() == ("all of them", "yes")


def test_first_fitting_handler_wins(post, seen, texts):
    """Of the handlers of one router only the first that fits is called."""
    post.router.message(text="no")(texts("first"))
    post.router.message()(texts("second"))
    post.router.message()(texts("third"))
    post.say("yes")
    post.settle()
    assert seen.next() == ("second", "yes")
    assert seen.is_empty


def test_routers_below_get_what_fits_nothing_above(post, seen, texts):
    """An event goes on to the routers below, in order, until one has handled it."""
    above, below, last = Router("above"), Router("below"), Router("last")
    post.router.include_routers(above, last)
    above.include_router(below)
    post.router.message(text="root")(texts("root"))
    above.message(text="above")(texts("above"))
    below.message()(texts("below"))
    last.message()(texts("last"))
    for word in ("root", "above", "else"):
        post.say(word)
    assert [label for label, _ in seen.take(3)] == ["root", "above", "below"]
    post.settle()
    assert seen.is_empty


def test_handled_events_may_go_on_below(post, seen, texts):
    """A router that allows it passes on even what it has handled."""
    above, below = Router("above", allow_child_on_event=True), Router("below")
    post.router.include_router(above)
    above.include_router(below)
    above.message()(texts("above"))
    below.message()(texts("below"))
    post.say("hello")
    assert seen.take(2) == [("above", "hello"), ("below", "hello")]


def test_dispatcher_gives_every_router_the_event(post, seen, texts):
    """Below a dispatcher the routers are independent of each other."""
    dispatcher = Dispatcher()
    post.router.include_router(dispatcher)
    for label in ("one", "two"):
        router = Router(label)
        router.message()(texts(label))
        dispatcher.include_router(router)
    post.say("hello")
    assert seen.take(2) == [("one", "hello"), ("two", "hello")]


def test_router_cannot_be_below_itself():
    """A circle is refused."""
    above, below = Router("above"), Router("below")
    above.include_router(below)
    with pytest.raises(UsageError, match="below itself"):
        below.include_router(above)


def test_kinds_are_told_apart(post, seen):
    """A message, a system message and an event of another kind reach their own handlers only."""
    for kind in ("message", "system_message", "removed_chat", "unknown"):
        getattr(post.router, kind)()(lambda event, kind=kind: seen.note((kind, type(event))))
    post.say("hello")
    post.say("", type=1, content={"userId": "bob@practice.local"})
    post.send("removeChat", {"chatId": "c1"})
    post.send("somethingNew", {"a": 1})
    assert set(seen.take(4)) == {
        ("message", Message),
        ("system_message", SystemMessage),
        ("removed_chat", RemovedChat),
        ("unknown", Update),
    }


def test_any_and_raw_events(post, seen):
    """One handler may be for everything, or get notifications as they came."""
    post.router.any()(lambda event: seen.note(type(event).__name__))
    raw = Router("raw")
    raw.event("removeChat")(lambda update: seen.note((update.method, update.payload)))
    dispatcher = Dispatcher("both")
    dispatcher.include_router(raw)
    post.router.allow_child_on_event = True
    post.router.include_router(dispatcher)
    post.send("removeChat", {"chatId": "c1"})
    assert seen.take(2) == ["RemovedChat", ("removeChat", {"chatId": "c1"})]


def test_own_messages_are_skipped(post, seen, texts):
    """What the account itself wrote elsewhere reaches only routers that want it."""
    own = Router("own", skip_self_messages=False)
    own.message()(texts("own"))
    post.router.message()(texts("others"))
    post.router.include_router(own)
    post.say("mine", sender="robot@practice.local/abc")
    post.say("yours")
    assert seen.take(2) == [("own", "mine"), ("others", "yours")]


def test_middlewares_stand_around(post, seen, texts):
    """An outer one sees every event and may end it; an inner one sees what is handled and adds for the handler."""

    class Outer(BaseMiddleware):
        async def __call__(self, handler, event, data):
            seen.note("outer")
            if event.text != "blocked":
                await handler(event, data)

    class Inner(BaseMiddleware):
        async def __call__(self, handler, event, data):
            await handler(event, {**data, "language": "en"})

    below = Router("below")
    post.router.outer_middleware(Outer())
    post.router.inner_middleware(Inner())
    post.router.message(text="nothing")(texts("never"))
    post.router.include_router(below)

    @below.message()
    async def on_message(message, language):
        seen.note((message.text, language))

    post.say("blocked")
    post.say("hello")
    # Around the routers below it stands once more, as in the official client.
    assert seen.take(4) == ["outer", "outer", "outer", ("hello", "en")]


def test_middleware_that_returns_what_it_forgot_to_await(post, seen, texts):
    """The rest of the way is gone all the same: no event ends there in silence."""

    class Forgetful(BaseMiddleware):
        async def __call__(self, handler, event, data):
            return handler(event, data)

    post.router.outer_middleware(Forgetful())
    post.router.inner_middleware(Forgetful())
    post.router.message()(texts("handled"))
    post.say("hello")
    assert seen.next() == ("handled", "hello")


def test_what_is_no_middleware_and_no_router():
    """The class of a middleware, and anything else that cannot do what is asked of it, is refused at once."""
    router = Router()
    with pytest.raises(UsageError, match=r"write BaseMiddleware\(\)"):
        router.inner_middleware(BaseMiddleware)
    with pytest.raises(UsageError, match="which 'one' cannot be"):
        router.outer_middleware("one")
    for given in ("crew", Router):
        with pytest.raises(UsageError, match=r"a router is a Router\(…\)"):
            router.include_router(given)


def test_rerunning_a_cell_replaces_its_handler(post, seen, texts):
    """Another definition of the same name takes the place of the first one, and keeps its turn."""
    run_cell(CODE.format(label="old"), "cell-1", router=post.router, seen=seen)
    post.router.message()(texts("later"))
    run_cell(CODE.format(label="same"), "cell-1", router=post.router, seen=seen)
    run_cell(CODE.format(label="new"), "cell-2", router=post.router, seen=seen)
    post.say("hello")
    assert seen.next() == "new"
    assert [handler.name for handler in post.router.handlers] == ["on_message", "on_later"]


def test_two_functions_of_one_name_in_one_cell_are_two(post, seen):
    """Names may be used twice where both stand in one file, and running it again does not double them."""
    cell = """
    @router.message(text="a")
    async def _(message):
        seen.note("a")

    @router.message(text="b")
    async def _(message):
        seen.note("b")
    """
    for filename in ("cell-1", "cell-1", "cell-2"):
        run_cell(cell, filename, router=post.router, seen=seen)
    assert len(post.router.handlers) == 2
    post.say("a")
    post.say("b")
    assert seen.take(2) == ["a", "b"]


def test_one_definition_in_a_loop_makes_several(post):
    """A loop over filters makes a handler for each, and running it again does not double them."""
    cell = """
    for word in ("a", "b", "c"):
        @router.message(text=word)
        async def on_word(message):
            ...
    """
    for filename in ("cell-1", "cell-1", "cell-2"):
        run_cell(cell, filename, router=post.router)
    assert [handler.filters for handler in post.router.handlers] == [("text='a'",), ("text='b'",), ("text='c'",)]


def test_one_function_for_several_kinds(post, seen):
    """Decorators can be stacked."""

    @post.router.message()
    @post.router.edited_message()
    async def on_text(event):
        seen.note(event.text)

    post.say("said")
    post.send("editMessage", {"timestamp": 1, "chatId": "c1", "content": {"text": "edited", "parseMode": "text"}})
    assert seen.take(2) == ["said", "edited"]


@pytest.mark.parametrize("include_first", [True, False])
def test_rerunning_a_cell_replaces_its_router(post, seen, include_first):
    """A cell that makes a router, fills it and includes it can be run again without doubling anything."""
    include = "root.include_router(router)\n"
    body = CODE.format(label="old")
    for filename, label in (("cell-1", "old"), ("cell-2", "new")):
        body = CODE.format(label=label)
        cell = f"router = Router()\n{include if include_first else ''}{body}{'' if include_first else include}"
        run_cell(cell, filename, root=post.router, Router=Router, seen=seen)
    post.say("hello")
    assert seen.next() == "new"
    assert len(post.router.handlers) == 1
    assert len(post.router._routers) == 1


def test_router_of_the_same_name_replaces(post, seen, texts):
    """A named router takes the place of the one that another cell had put there; again does nothing."""
    for label in ("old", "other", "new"):
        router = Router("crew" if label != "other" else "other")
        router.message()(texts(label))
        names = {"root": post.router, "router": router}
        run_cell("root.include_router(router)\nroot.include_router(router)", f"cell-{label}", **names)
    post.say("hello")
    assert seen.next() == ("new", "hello")
    assert [router.name for router in post.router._routers] == ["crew", "other"]


def test_pausing_resuming_removing(post, seen, texts):
    """By its name a handler is passed over, called again, and taken away."""
    below = Router("below")
    post.router.include_router(below)
    below.message()(texts("it"))
    post.router.pause("on_it")
    assert not post.router.wanted()
    post.say("paused")
    post.router.resume("on_it")
    post.say("resumed")
    assert seen.next() == ("it", "resumed")
    post.router.remove("on_it")
    assert post.router.handlers == []
    with pytest.raises(UsageError, match="there are none"):
        post.router.pause("on_it")


def test_unknown_name_lists_what_resembles_it(post, texts):
    """A misspelled name is an error with the right one in it."""
    post.router.message()(texts("build"))
    with pytest.raises(UsageError, match="on_build"):
        post.router.pause("on_biuld")


def test_decorator_needs_parentheses_is_said(post):
    """What is no function cannot be a handler."""
    with pytest.raises(UsageError, match="parentheses"):
        post.router.message()("not a function")
