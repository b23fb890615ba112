"""Handlers of a connected session, against the practice server."""

from __future__ import annotations

import re
import subprocess
import sys
import threading

import pytest
from magic_filter import F

import tcnb
from tcnb.routing import Command, Dispatcher, Router
from tcnb.types import Message


def test_handler_answers(tc, alice, until):
    """A message reaches its handler, bound to the bot, and the answer arrives."""
    chat = alice.group("Release crew", "robot")

    @tc.router.message(chat="Release crew", text=re.compile(r"build (\d+)"))
    async def on_build(message, match):
        await message.reply(f"build {match[1]} passed")

    alice.say(chat, "how is build 42?")
    until(tc, lambda: (tc.df["text"] == "build 42 passed").any())
    assert tc.df.query("text == 'build 42 passed'")["direction"].tolist() == ["out"]


def test_event_is_recorded_and_read_before_it_is_handled(tc, alice, seen):
    """When a handler runs, its event is a row already."""
    chat = alice.group("Release crew", "robot")
    tc.router.message()(lambda message, tc: seen.note((tc.df["message_id"] == message.message_id).sum()))
    alice.say(chat, "hello")
    assert seen.next() == 1


def test_blocking_handlers_hold_nothing_up(tc, alice, seen, until):
    """While handlers of both kinds block, events are recorded, and verbs work from inside and outside."""
    chat, other = alice.group("Release crew", "robot"), alice.group("Elsewhere", "robot")
    goes_on = threading.Event()

    @tc.router.message(text="block")
    async def on_block(message):
        tc.send(message.chat_id, "blocked")
        assert goes_on.wait(30)
        seen.note("async")

    @tc.router.message(text="block too")
    def on_block_too(message):
        assert goes_on.wait(30)
        seen.note("plain")

    alice.say(chat, "block")
    alice.say(other, "block too")
    alice.say(chat, "meanwhile")
    until(tc, lambda: {"blocked", "meanwhile"} <= set(tc.df["text"].dropna()))
    assert tc.send(chat, "still here").message_id
    goes_on.set()
    assert set(seen.take(2)) == {"async", "plain"}


@pytest.mark.parametrize("generation", ["5.5.6", "5.5.3"])
def test_chat_by_title_and_person(generation, seen):
    """Titles and people are known on both generations of servers, for events that say the id alone, after renaming.

    A handler that was defined before the connection keeps a title that no chat has yet.
    """
    from tcnb.practice import PracticeThread
    from tests.conftest import ACCOUNTS, Colleague

    with PracticeThread(accounts=ACCOUNTS, generation=generation) as practice:
        alice = Colleague(practice, "alice")
        chat = alice.group("Release crew", "robot")
        other = alice.group("Elsewhere", "robot")
        options = {"username": "robot", "password": "robot", "https": False, "web_port": practice.port}
        router = Router()
        router.message(chat="launch crew")(lambda message: seen.note(message.text))
        with tcnb.connect("127.0.0.1", router=router, **options) as tc:
            tc.router.edited_chat_title(chat="Launch crew")(lambda event: seen.note(event.title))
            router.message(chat="alice", sender="alice")(lambda message: seen.note(f"personal {message.text}"))
            router.message()(lambda message: seen.note(f"other {message.text}"))
            alice.say(other, "not here")
            alice.say(chat, "not yet")
            assert set(seen.take(2)) == {"other not here", "other not yet"}
            alice.act(lambda server, me: server.world.edit_title(me, chat, "Launch crew"))
            alice.say(chat, "now")
            alice.say(tc.send("alice", "hello").chat_id, "hello robot")
            assert set(seen.take(3)) == {"Launch crew", "now", "personal hello robot"}
            (failure,) = tc.router.failures
            assert "no chat or person is called 'launch crew'. Did you mean 'Release crew'?" in failure.error


def test_what_waited_on_the_server_is_handled(connect, alice, seen):
    """Messages that came while the bot was away reach handlers that are there before the connection is."""
    chat = alice.group("Release crew", "robot")
    alice.say(chat, "while you were away")
    router = Router()
    router.message()(lambda message: seen.note(message.text))
    tc = connect(router=router)
    assert seen.next() == "while you were away"
    assert tc.router.handlers == router.handlers


def test_failure_is_counted_shown_and_told(tc, alice, until, seen):
    """The status counts failures, listeners are told of them, and the router keeps them."""
    chat = alice.group("Release crew", "robot")
    remove = tc.on_failure(lambda failure: seen.note((failure.handler, threading.current_thread().name)))

    @tc.router.message()
    def on_message(message):
        raise KeyError("no such build")

    alice.say(chat, "hello")
    assert seen.next() == ("on_message", "tcnb robot")
    assert "no such build" in tc.router.failures[0].traceback
    status = tc.status()
    assert (status.handlers, status.handled, status.handler_failures) == (1, 1, 1)
    assert "handler failures" in repr(status)
    remove()


def test_handler_answers_while_the_session_is_closing(connect, alice, seen, practice):
    """What is under way when the session is closed can still be said."""
    tc = connect()
    chat = alice.group("Release crew", "robot")
    closing = threading.Event()

    @tc.router.message()
    async def on_message(message):
        seen.note("begun")
        while not closing.is_set():
            await message.bot.get_chats()
        await message.answer("goodbye")

    alice.say(chat, "hello")
    seen.next()
    closer = threading.Thread(target=tc.close)
    closer.start()
    while tc.is_open:
        closer.join(0.01)
    closing.set()
    closer.join()
    assert not tc.router.failures
    assert (
        practice.call(lambda server: [m.content.get("text") for m in server.world.messages.values()])[-1] == "goodbye"
    )


BLOCKING = """
import threading, time, tcnb
from tcnb.practice import PracticeThread

with PracticeThread(accounts=("robot:robot", "alice:alice")) as practice:
    tc = tcnb.connect("127.0.0.1", username="robot", password="robot", https=False, web_port=practice.port)
    alice = tcnb.connect("127.0.0.1", username="alice", password="alice", https=False, web_port=practice.port, name="a")
    began = threading.Event()

    @tc.router.message()
    def on_message(message):
        began.set()
        time.sleep(3600)

    alice.send("robot", "hello")
    assert began.wait(30)
    alice.close()
    tc.close()
"""


def test_handler_that_blocks_does_not_keep_a_script():
    """A script ends although a plain handler blocks for an hour, and says which one."""
    ran = subprocess.run([sys.executable, "-c", BLOCKING], capture_output=True, text=True, timeout=120)
    assert ran.returncode == 0, ran.stderr
    assert "on_message still runs" in ran.stderr


def test_handler_may_close_its_session(connect, alice, seen, recwarn):
    """A handler that closes the session is not said to be in the way of that."""
    tc = connect()

    @tc.router.message()
    def on_message(message, tc):
        tc.close()
        seen.note("closed")

    alice.say(alice.group("Release crew", "robot"), "hello")
    assert seen.next() == "closed"
    assert not [one for one in recwarn if "still run" in str(one.message)]


def test_closing_leaves_no_thread(connect, alice, seen):
    """After closing the threads of handlers are gone."""
    tc = connect(name="leaver")
    tc.router.message()(lambda message: seen.note("called"))
    alice.say(alice.group("Release crew", "robot"), "hello")
    seen.next()
    tc.close()
    for thread in threading.enumerate():
        if thread.name.startswith("tcnb leaver"):
            thread.join(10)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("tcnb leaver")]


def test_bot_of_the_official_client_runs(tc, alice, until):
    """What was written for the official client's routers works here, but for the line that imports it."""
    dispatcher = Dispatcher()
    router = Router()
    dispatcher.include_router(router)

    @router.message(Command("start"))
    async def start(msg: Message):
        await msg.answer("Welcome!")

    @router.message(F.text == "ping")
    async def ping(msg: Message):
        await msg.reply("<b>pong</b>")

    @router.message(F.text)
    async def echo(msg: Message, bot: tcnb.Bot):
        await bot.send_message(chat_id=msg.chat_id, text=f"echo {msg.text}")

    @router.removed_message()
    async def removed(event):
        await event.bot.send_message(event.chat_id, "I saw that")

    tc.router.include_router(dispatcher)
    chat = alice.group("Release crew", "robot")
    for text in ("/start", "ping", "else"):
        last = alice.say(chat, text)
    alice.act(lambda server, me: server.world.remove_message(me, last, for_all=True))

    def said():
        return tc.df.query("direction == 'out' and event == 'message'")["text"].tolist()

    until(tc, lambda: len(said()) == 4)
    assert said() == ["Welcome!", "pong", "echo else", "I saw that"]


def test_public_name():
    """The router is a public name of the package."""
    assert tcnb.Router is Router
