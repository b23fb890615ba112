"""Calls in handlers that are not awaited are refused when the handler is defined; others are let be."""

from __future__ import annotations

import functools

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


@pytest.mark.parametrize("call", ["bot.send_message(chat_id='c1', text='hello')", "event.remove()"])
def test_other_names(call, tmp_path):
    """The bot's methods are known, and `event` is the event; what is no coroutine is let be."""
    source = f"async def on_message(message, bot, event):\n    {call}\n"
    path = tmp_path / "handlers.py"
    path.write_text(source)
    names: dict = {}
    exec(compile(source, str(path), "exec"), names)
    add = functools.partial(Router().message(), names["on_message"])
    if call.startswith("bot"):
        with pytest.raises(UsageError, match=r"await bot\.send_message"):
            add()
    else:
        add()


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
