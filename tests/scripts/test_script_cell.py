"""A script's bot in a cell of a real kernel: it runs, what it prints is shown, and the interrupt button ends it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tcnb.practice import PracticeThread
from tests.conftest import PATIENCE, Colleague
from tests.notebook.kernels import Kernel

pytestmark = pytest.mark.kernel

BOT = """
from tcnb import Bot, Dispatcher, F, Message, Router

router = Router()
dp = Dispatcher()
dp.include_router(router)
bot = Bot.from_credentials("127.0.0.1", "robot", "robot", dispatcher=dp, https=False, web_port={port})

@router.message(F.text)
async def echo(message: Message):
    print("heard", message.text)
    await message.answer(message.text)
"""


@pytest.fixture
def kernel(tmp_path: Path, practice: PracticeThread) -> Iterator[Kernel]:
    """A kernel with a bot that is not started yet."""
    kernel = Kernel(tmp_path)
    kernel.good(BOT.replace("{port}", str(practice.port)))
    yield kernel
    kernel.close()


def until(practice: PracticeThread, condition) -> None:
    """Wait until something is so on the server."""

    async def waiting(server):
        await server.until(lambda: condition(server))

    practice.run(waiting(practice.call(lambda server: server)), PATIENCE)


def test_run_in_a_cell(kernel: Kernel, practice: PracticeThread, alice: Colleague) -> None:
    """`await bot.run()` answers until it is interrupted, ends quietly, and leaves the interrupt button as it was."""
    chat_id = alice.group("Crew", "robot")
    for text in ("first", "second"):
        cell = kernel.start("await bot.run()\nprint('ended')")
        until(practice, lambda server: server.sessions_of("robot"))
        alice.say(chat_id, text)
        kernel.wait_printed(cell, f"heard {text}")
        until(practice, lambda server, text=text: len(said(server, chat_id, text)) == 2)
        kernel.manager.interrupt_kernel()
        outcome = kernel.finish(cell)
        assert (outcome.status, outcome.printed) == ("ok", "ended\n")
        until(practice, lambda server: not server.sessions_of("robot"))
    waiting = kernel.start("import time\nprint('waiting', flush=True)\ntime.sleep(60)")
    kernel.wait_printed(waiting, "waiting")
    kernel.manager.interrupt_kernel()
    assert kernel.finish(waiting).error[0] == "KeyboardInterrupt"


def test_start_in_a_cell(kernel: Kernel, practice: PracticeThread, alice: Colleague) -> None:
    """`await bot.start()` goes on beside the cells, and what its handlers print lands in none of them."""
    chat_id = alice.group("Crew", "robot")
    kernel.good("await bot.start()")
    alice.say(chat_id, "hello")
    until(practice, lambda server: len(said(server, chat_id, "hello")) == 2)
    outcome = kernel.good("await bot.shutdown()\n[handler.output for handler in router.handlers]")
    assert (outcome.text, outcome.printed) == (r"['heard hello\n']", "")
    assert not [message for message in kernel.later_messages() if message["msg_type"] == "stream"]


def said(server, chat_id: str, text: str) -> list[object]:
    """Return the messages of a chat with that text."""
    return [
        message
        for message in server.world.messages.values()
        if message.chat.chat_id == chat_id and message.content.get("text") == text
    ]
