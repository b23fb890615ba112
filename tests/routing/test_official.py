"""Our routers beside those of the official client: the same names, the same parameters, the same choice of handlers."""

from __future__ import annotations

import inspect

import pytest

from tcnb import routing
from tcnb.types import parse_event

trueconf = pytest.importorskip("trueconf")

DECORATORS = [name for name, _ in inspect.getmembers(trueconf.Router, inspect.isfunction) if not name.startswith("_")]


@pytest.mark.parametrize("name", DECORATORS)
def test_methods_of_routers_exist(name):
    """What their router can be asked, ours can be asked with the same arguments."""
    theirs = inspect.signature(getattr(trueconf.Router, name))
    ours = inspect.signature(getattr(routing.Router, name))
    for parameter in theirs.parameters.values():
        assert ours.parameters[parameter.name].kind == parameter.kind


@pytest.mark.parametrize("name", ["Router", "Dispatcher", "BaseMiddleware", "SkipSelfMessages", "F"])
def test_names_exist(name):
    """What is imported from their package can be imported from here."""
    assert getattr(routing, name) is not None


def test_filters_exist():
    """Their filters have counterparts of the same name."""
    from trueconf import filters

    for name in filters.__all__:
        assert getattr(routing, name) is not None


ENVELOPE = {
    "messageId": "m1",
    "chatId": "c1",
    "chat": {"chatId": "c1", "chatTitle": "Crew", "chatType": 2},
    "timestamp": 1,
    "author": {"id": "alice@practice.local", "type": 1},
    "box": {"id": 1, "position": ""},
    "type": 200,
    "isEdited": False,
}


def tree(kit, called, dispatcher):
    """Build the same routers with either package."""

    def handler(label):
        async def handle(event, **_):
            called.append(label)

        handle.__qualname__ = label
        return handle

    routers = {name: kit.Router(name, allow_child_on_event=name == "open") for name in ("a", "b", "open", "c", "d")}
    routers["a"].include_router(routers["b"])
    routers["open"].include_router(routers["c"])
    routers["open"].include_router(routers["d"])
    for name, router in routers.items():
        for word in ("start", f"only-{name}"):
            router.message(kit.Command(word))(handler(f"{name} {word}"))
        router.message(kit.F.text.startswith("any"))(handler(f"{name} any"))
        router.message(kit.F.text == f"text {name}")(handler(f"{name} text"))
    dispatcher.include_router(routers["a"])
    dispatcher.include_router(routers["open"])


@pytest.mark.parametrize(
    "text",
    ["/start", "/only-b", "/only-d now", "anything", "text a", "text d", "nothing", "/Start", "/start@robot", "start"],
)
async def test_same_handlers_are_called(post, text):
    """For the same routers and messages, the same handlers are called in the same order."""
    from trueconf.filters import Command
    from trueconf.types.parser import parse_update

    class Theirs:
        Router, F, Command = trueconf.Router, trueconf.F, None

    Theirs.Command = Command
    payload = {**ENVELOPE, "content": {"text": text, "parseMode": "text"}}
    expected: list[str] = []
    dispatcher = trueconf.Dispatcher()
    tree(Theirs, expected, dispatcher)
    update = parse_update({"method": "sendMessage", "type": 1, "id": 1, "payload": payload})
    await dispatcher._feed_update(update, {})

    called: list[str] = []
    ours = routing.Dispatcher()
    tree(routing, called, ours)
    post.router.include_router(ours)
    assert parse_event("sendMessage", payload).text == text
    post.send("sendMessage", payload)
    post.settle()
    assert called == expected
