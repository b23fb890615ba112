"""Calls in handlers that are not awaited are refused when the handler is defined; others are let be."""

from __future__ import annotations

import asyncio
import re
import threading

import pytest

from tcnb.errors import UsageError
from tcnb.routing import Router


def test_reply_that_is_not_awaited():
    """The error says how the line ought to be, and no handler is added."""
    router = Router()
    with pytest.raises(
        UsageError, match=r"on_build would never do message\.reply\(…\): write await message\.reply\(…\)"
    ):

        @router.message(text="build")
        async def on_build(message):
            if message.text:
                message.reply("passed")

    assert router.handlers == []


def test_plain_function_that_cannot_await():
    """A plain function is told that it has to be async, whatever its first argument is called."""
    router = Router()
    with pytest.raises(UsageError, match=r"write await m\.answer\(…\), in an async def"):

        @router.message()
        def on_message(m, bot):
            m.answer("hello")


def handler(tmp_path, head, line, **names):
    """Return a function of a file: its head, one line, and the names that its file has."""
    path = tmp_path / "handlers.py"
    path.write_text(f"async def on_message({head}):\n    {line}\n")
    exec(compile(path.read_text(), str(path), "exec", dont_inherit=True), names)
    return names["on_message"]


class Talker:
    """Something with a name that the bot's methods have as well, and a coroutine."""

    def send_message(self, chat_id, text): ...

    async def speak(self): ...


@pytest.mark.parametrize(
    ("head", "line", "call"),
    [
        ("message, bot", "bot.send_message('c1', 'hello')", "bot.send_message"),
        ("message", "message.bot.send_message('c1', 'hello')", "message.bot.send_message"),
        ("message, event", "event.reply('hello')", "event.reply"),
        ("message, state", "state.set_state('asked')", "state.set_state"),
        ("message, other: Talker", "other.speak()", "other.speak"),
        ("message, other: 'Talker'", "other.speak()", "other.speak"),
        ("message", "talker.speak()", "talker.speak"),
        ("message", "asyncio.sleep(1)", "asyncio.sleep"),
        ("message", "note()", "note"),
    ],
)
def test_other_calls_that_are_not_awaited(tmp_path, head, line, call):
    """What a handler gets by name is known, and so is what its file has: objects, modules, functions."""

    async def note(): ...

    function = handler(tmp_path, head, line, asyncio=asyncio, talker=Talker(), Talker=Talker, note=note)
    with pytest.raises(UsageError, match=rf"write await {re.escape(call)}\(…\)"):
        Router().message()(function)


@pytest.mark.parametrize(
    ("head", "line"),
    [
        ("message", "bot.send_message('c1', 'hello')"),
        ("message, bot: Talker", "bot.send_message('c1', 'hello')"),
        ("message, bot", "bot = Talker(); bot.send_message('c1', 'hello')"),
        ("message, bot", "[bot.send_message('c1', 'hello') for bot in (Talker(),)]; bot.close()"),
        ("message, bot", "def send(bot): bot.send_message('c1', 'hello')"),
        ("message, talker", "talker.speak()"),
        ("message", "event.set(); event.reply()"),
        ("message, state: dict", "state.clear()"),
        ("message", "unheard_of.speak(); message.text.strip(); message.nothing()"),
    ],
)
def test_calls_that_only_look_like_it(tmp_path, head, line):
    """Another object under a name that is known elsewhere is let be: another product's bot, an event of threads."""
    function = handler(tmp_path, head, line, bot=Talker(), talker=Talker(), Talker=Talker, event=threading.Event())
    router = Router()
    router.message()(function)
    assert len(router.handlers) == 1


def test_variable_around_a_handler():
    """A variable of the function around the handler hides the one of the file, whether it has a value yet or not."""

    def define(router):
        @router.message()
        async def on_message(message):
            asyncio.sleep(1)

        asyncio = Talker()

    def talker_speaks(router, talker):
        @router.message()
        async def on_message(message):
            talker.speak()

    router = Router()
    define(router)
    assert len(router.handlers) == 1
    with pytest.raises(UsageError, match=r"await talker\.speak"):
        talker_speaks(router, Talker())


@pytest.mark.parametrize("head", ["async def", "def"])
def test_generator(head):
    """A function with a yield in it would only make a generator, so it is no handler."""
    names: dict = {}
    exec(f"{head} on_message(message):\n    yield", names)
    router = Router()
    with pytest.raises(UsageError, match="on_message would do nothing"):
        router.message()(names["on_message"])
    assert router.handlers == []


def test_what_is_awaited_somewhere_else(post, seen):
    """Calls whose result is used are let be, and what a handler returns is awaited, whether it is async or not."""

    async def note():
        seen.note("awaited")

    class Odd:
        def reply(self, text):
            seen.note(text)

    @post.router.message(text="first")
    async def on_first(message):
        reply = message.reply("first")
        reply.close()
        Odd().reply("no coroutine")
        return note()

    @post.router.message()
    def on_others(message):
        return note()

    post.say("first")
    post.say("second")
    assert seen.take(3) == ["no coroutine", "awaited", "awaited"]


def test_code_that_cannot_be_read():
    """Of a function without its code nothing is said."""
    names: dict = {}
    exec("async def on_message(message):\n    message.reply('x')\n", names)
    router = Router()
    router.message()(names["on_message"])
    router.message()(print)
    assert len(router.handlers) == 2
