"""What must hold of an event: predicates, commands, expressions and keywords."""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import Any

import pytest
from magic_filter import F

from tcnb.errors import UsageError
from tcnb.routing import Command, MessageFilter, Router
from tcnb.routing.filters import Check, conditions
from tcnb.types import MessageType, TextContent, parse_event

ALICE = "alice@practice.local"


def message(text: str = "hello", **more: Any) -> Any:
    """Return a message."""
    content = {"text": text, "parseMode": more.pop("parse_mode", "text")}
    payload = {
        "messageId": "m1",
        "chatId": "c1",
        "timestamp": 1,
        "author": {"id": f"{ALICE}/abc", "type": 1},
        "type": 200,
        "content": content,
        **more,
    }
    return parse_event("sendMessage", payload)


def press(command: str) -> Any:
    """Return a press of a button."""
    source = {"type": "inlineKeyboard", "message": message().as_wire()}
    return parse_event("command", {"commandSource": source, "commandPayload": {"type": "x", "command": command}})


async def answer(condition: Any, event: Any, **data: Any) -> Any:
    """Ask a filter about an event."""
    return await Check(condition).ask(event, data)


async def fits(event: Any, **given: Any) -> bool:
    """Ask keywords about an event, as a bot of the server practice.local would."""
    data = {"bot": SimpleNamespace(me_id="robot@practice.local")}
    return all([await Check(condition).ask(event, data) for condition in conditions(given)])  # type: ignore[arg-type]


async def awaited(event: Any) -> bool:
    return bool(event.text == "hello")


@pytest.mark.parametrize(
    "condition",
    [
        lambda event: event.text == "hello",
        awaited,
        F.text == "hello",
        F.content.text.startswith("hel"),
        MessageFilter(MessageType.PLAIN_MESSAGE),
        MessageType.PLAIN_MESSAGE,
    ],
)
async def test_conditions_hold(condition):
    """Predicates, awaited or not, expressions of magic-filter and kinds of messages pass what they are about."""
    assert await answer(condition, message())


@pytest.mark.parametrize(
    "condition",
    [
        lambda event: None,
        F.text == "else",
        F.nothing.like.it,
        F.nothing.len() > 3,
        MessageType.SURVEY,
        Command("hello"),
    ],
)
async def test_conditions_do_not_hold(condition):
    """They pass nothing else; an expression about what is not there simply does not hold."""
    assert await answer(condition, message()) is False


async def test_filter_takes_by_name():
    """A filter may also take what goes along with the event."""
    assert await answer(lambda event, bot: bot == "the bot", message(), bot="the bot", tc=1)
    assert await answer(lambda event, **data: data == {"bot": 1, "tc": 2}, message(), bot=1, tc=2)


async def test_filter_finds_for_the_handler():
    """A dictionary passes and goes to the handler."""
    assert await answer(lambda event: {"number": 3}, message()) == {"number": 3}


@pytest.mark.parametrize(
    ("written", "given", "args"),
    [
        ("start", "/start", None),
        ("/start", "/start", None),
        ("start", "/start@robot", None),
        ("echo", "/echo  hello  you ", "hello  you"),
        ("echo", "/echo\nline two", "line two"),
    ],
)
async def test_command(written, given, args):
    """A command is recognised with what follows it, with or without the prefix in its definition."""
    found = (await answer(Command(written), message(given)))["command"]
    assert (found.prefix, found.command, found.args) == ("/", written.removeprefix("/"), args)


@pytest.mark.parametrize("given", ["start", "/started", "/ start", "/", "", "say /start"])
async def test_what_is_no_command(given):
    """Other texts are none."""
    assert await answer(Command("start"), message(given)) is False


async def test_command_forms():
    """Another prefix, either case, patterns and expressions about the command."""
    assert await answer(Command("Start", prefix="!", ignore_case=True), message("!sTART"))
    found = (await answer(Command(re.compile(r"build-(\d+)")), message("/build-42 now")))["command"]
    assert (found.regexp_match[1], found.text) == ("42", "/build-42 now")
    assert await answer(Command("echo", magic=F.args.len() > 3), message("/echo hello"))
    assert not await answer(Command("echo", magic=F.args), message("/echo"))


async def test_command_without_a_name_is_refused():
    """A command must be named."""
    with pytest.raises(UsageError):
        Command()


@pytest.mark.parametrize("said", ["/approve", "approve", "approve req=17"])
async def test_command_of_a_button(said):
    """What a button says counts as a command, with or without a slash."""
    assert await fits(press(said), command="approve")
    assert not await fits(press(said), command="reject")


@pytest.mark.parametrize(
    ("text", "mode", "wanted", "expected"),
    [
        ("build", "text", "build", True),
        ("build 42", "text", "build", False),
        ("<b>build</b>", "html", "build", True),
        ("<b>build</b>", "html", "<b>build</b>", True),
        ("build", "text", ["test", "build"], True),
        ("build 42", "text", re.compile(r"\d+"), True),
        ("build", "text", re.compile(r"\d+"), False),
        ("42", "text", str.isdigit, True),
    ],
)
async def test_text(text, mode, wanted, expected):
    """A text is the whole text without markup, one of several, a pattern to find, or what a predicate says."""
    assert await fits(message(text, parse_mode=mode), text=wanted) is expected


async def test_match_goes_to_the_handler():
    """What a pattern found can be taken as `match`."""
    (condition,) = conditions({"text": re.compile(r"build (\d+)")})
    assert (await answer(condition, message("build 42")))["match"][1] == "42"


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ("c1", True),
        ("#c_c1@practice.local", True),
        (" #c_c1@10.0.0.5 ", True),
        (["c2", "c1"], True),
        ("C1", False),
        ("#c_c2@practice.local", False),
    ],
)
async def test_chat(wanted, expected):
    """A chat is known by its id alone where nobody can be asked for names; a link has the id in it."""
    assert await fits(message(), chat=wanted) is expected


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ("alice", True),
        (ALICE.upper(), True),
        (f"{ALICE}/web", True),
        ("\u200bAlice ", True),
        (["bob", "alice"], True),
        ("bob", False),
        ("alice@elsewhere.local", False),
        ("Alice Doe", False),
    ],
)
async def test_sender(wanted, expected):
    """A sender is an id or a login, without what stands behind the slash."""
    assert await fits(message(), sender=wanted) is expected


async def test_login_is_of_the_bots_own_server():
    """Somebody of another server has the same login and is another person."""
    stranger = message(author={"id": "alice@elsewhere.local", "type": 1})
    assert not await fits(stranger, sender="alice")
    assert await fits(stranger, sender="alice@elsewhere.local")


FILE = {"fileId": "f1", "name": "a.png", "size": 3}


@pytest.mark.parametrize(
    ("type", "content", "wanted", "expected"),
    [
        (200, {"text": "x", "parseMode": "text"}, "text", True),
        (200, {"text": "x", "parseMode": "text"}, TextContent, True),
        (202, {**FILE, "mimeType": "image/png"}, "photo", True),
        (202, {**FILE, "mimeType": "image/png"}, "document", False),
        (202, {**FILE, "mimeType": "image/png"}, "attachment", True),
        (202, {**FILE, "mimeType": "image/png"}, MessageType.ATTACHMENT, True),
        (202, {**FILE, "mimeType": "sticker/webp"}, ["photo", "sticker"], True),
        (203, {"latitude": 1.0, "longitude": 2.0}, "location", True),
        (203, {"latitude": 1.0, "longitude": 2.0}, "photo", False),
        (1, {"userId": ALICE}, "add_participant", True),
    ],
)
async def test_content(type, content, wanted, expected):
    """Content is meant by what it is to a person, by its kind, or by its class."""
    assert await fits(message(type=type, content=content), content=wanted) is expected


@pytest.mark.parametrize(
    ("keyword", "value"),
    [("content", "picture"), ("content", 3), ("text", 5), ("chat", ""), ("chat", 7), ("sender", None.__class__)],
)
def test_what_cannot_be_meant_is_refused(keyword, value):
    """A condition that could never hold is an error where it is written."""
    with pytest.raises(UsageError):
        Router().message(**{keyword: value})


@pytest.mark.parametrize(
    ("event", "given"),
    [("created_channel", {"sender": "alice"}), ("uploading_progress", {"chat": "c1"}), ("message", {"who": "alice"})],
)
def test_what_the_server_does_not_say_is_refused(event, given):
    """A keyword that says nothing about that kind of event is an error that lists those that do."""
    with pytest.raises(UsageError, match=r"conditions?"):
        getattr(Router(), event)(**given)


@pytest.mark.parametrize("condition", ["build", 3, re.compile("x"), None])
def test_what_is_no_filter_is_refused(condition):
    """A text in the place of a filter is an error that says how it is meant."""
    with pytest.raises(UsageError, match="text="):
        Router().message(condition)


def test_filters_say_what_they_are():
    """In lists each filter can be read."""

    def is_urgent(event):
        return True

    router = Router()
    router.message(is_urgent, Command("go"), MessageType.ATTACHMENT, chat="Crew", text=re.compile("a|b"))(print)
    (handler,) = router.handlers
    assert handler.filters == (
        "is_urgent",
        "Command('go')",
        "MessageFilter(ATTACHMENT)",
        "chat='Crew'",
        "text=/a|b/",
    )


async def test_filter_takes_everything_there_is():
    """A filter with `**data` gets what there is besides the event, whatever it calls the event."""
    data = {"bot": "b", "event": message(), "update": None}

    def of_event(event, **rest):
        return set(rest) == {"bot", "update"} and event.text == "hello"

    def of_message(said, /, **rest):
        return set(rest) == {"bot", "event", "update"}

    assert await Check(of_event).ask(message(), data)
    assert await Check(of_message).ask(message(), data)


def test_command_begins_the_message():
    """Nothing stands before a command, not even a blank, as for the official client."""
    assert Command("ping")(message("/ping"))
    assert not Command("ping")(message(" /ping"))
