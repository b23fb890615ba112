"""After cells, in a real kernel: sessions that a variable lost are closed, and failures of handlers are told."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from kernels import Kernel

from tcnb.practice import start_process

pytestmark = pytest.mark.kernel

SETUP = """
import threading
import tcnb
def connect(name="robot", **more):
    return tcnb.connect("127.0.0.1", username=name, password=name, https=False, web_port={port}, name=name, **more)
ops = connect("ops")
def wait(condition):
    changed = threading.Event()
    removes = [session.on_rows(changed.set) for session in (ops, tc)]
    removes.append(tc.on_failure(lambda failure: changed.set()))
    while not condition():
        assert changed.wait(30)
        changed.clear()
    for remove in removes:
        remove()
def answers():
    return list(ops.df.query("direction == 'in'")["text"].dropna())
"""

BOT = """
tc = connect()
@tc.router.message(text="ping")
async def on_ping(message):
    await message.answer("pong")
"""


@pytest.fixture
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    """A kernel in which `ops` is connected and a cell with a bot has run."""
    with start_process(accounts=("robot:robot", "ops:ops"), people=0, rate=0) as process:
        kernel = Kernel(tmp_path_factory.mktemp("kernel"))
        try:
            kernel.good(SETUP.replace("{port}", str(process.port)))
            kernel.good(BOT)
            yield kernel
        finally:
            kernel.close()


def test_cell_that_connects_is_run_again(kernel: Kernel) -> None:
    """The session before is closed, with a line that says so, and the bot answers once."""
    outcome = kernel.good(BOT)
    assert outcome.printed == "tcnb: tc holds a new session of robot@practice.local; the one before was closed\n"
    kernel.good("chat = ops.send('robot', 'ping').chat_id\nwait(lambda: 'pong' in answers())")
    kernel.good("ops.send(chat, 'ping')\nwait(lambda: answers().count('pong') >= 2)\ntc.send(chat, 'end')")
    kernel.good("wait(lambda: 'end' in answers())")
    assert kernel.good("answers()").text == "['pong', 'pong', 'end']"


def test_session_that_is_still_held_stays_open(kernel: Kernel) -> None:
    """A session that another variable, a list or an own object holds goes on, and so does one of another account."""
    kernel.good("kept = tc\ntc = connect()")
    kernel.good("bots = {'first': tc}\ntc = connect()")
    kernel.good("_kept = tc\ntc = connect()")
    kernel.good("class Desk: pass\ndesk = Desk()\ndesk.bots = {'all': [tc]}\ntc = connect()")
    kernel.good("other = ops")
    assert kernel.good("other = connect()").printed == ""
    assert kernel.good("[one.is_open for one in (kept, bots['first'], _kept, *desk.bots['all'], tc, ops)]").text == str(
        [True] * 6
    )


def test_failed_connecting_closes_nothing(kernel: Kernel) -> None:
    """When connecting fails the variable keeps its session."""
    assert kernel.run("tc = connect(timeout=-1)").status == "error"
    assert kernel.good("tc.is_open").text == "True"


def test_failures_of_handlers_are_told_once(kernel: Kernel) -> None:
    """A handler that fails is named below the next cell, in one line, and below no other."""
    kernel.good("@tc.router.message(text='boom')\nasync def on_boom(message):\n    raise ValueError('too\\nloud')")
    kernel.good("chat = ops.send('robot', 'hello').chat_id\nfailed = []\ntc.on_failure(failed.append)")
    outcome = kernel.good("ops.send(chat, 'boom')\nwait(lambda: len(failed) == 1)")
    said = "on_boom: ValueError: too loud (traceback: print(tc.router.failures[-1]))\n"
    assert outcome.printed == f"tcnb: a handler failed: {said}"
    assert kernel.good("1").printed == ""
    cell = "for _ in range(2):\n    ops.send(chat, 'boom')\nwait(lambda: len(failed) == 3)"
    assert kernel.good(cell).printed == f"tcnb: handlers failed 2 times: the last: {said}"


SCRIPT = """
import asyncio
from tcnb import Bot, F, Router
router = Router("script")
@router.message(F.text)
async def echo(message):
    if message.text == "boom":
        raise ValueError("too loud")
    await message.answer("script " + message.text)
bot = Bot.from_credentials("127.0.0.1", "robot", "robot", dispatcher=router, https=False, web_port=tc.address.port)
"""


def test_bot_of_a_script_that_is_started_again(kernel: Kernel) -> None:
    """When a new bot is started in the variable of another, that one is closed, and one of them answers."""
    kernel.good("tc.close()")
    for _ in range(2):
        assert kernel.good(SCRIPT).printed == ""
        outcome = kernel.good("await bot.start()")
    assert outcome.printed == "tcnb: bot holds a new session of robot@practice.local; the one before was closed\n"
    # Its handlers run on the loop of the notebook, which a cell that waits would hold up.
    said = "await asyncio.to_thread(wait, lambda: {!r} in answers())".format
    kernel.good("chat = ops.send('robot', 'one').chat_id\n" + said("script one"))
    kernel.good("ops.send(chat, 'two')\n" + said("script two"))
    kernel.good("await bot.send_message(chat, 'end')\n" + said("end"))
    assert kernel.good("answers()").text == "['script one', 'script two', 'end']"


def test_failure_in_the_bot_of_a_script_is_told(kernel: Kernel) -> None:
    """Where nothing else shows it, the line below the next cell names the handler and where the traceback is."""
    kernel.good("tc.close()" + SCRIPT + "await bot.start()")
    cell = "failed = threading.Event()\nbot.session.on_failure(lambda failure: failed.set())\nops.send('robot', 'boom')"
    printed = kernel.good(cell).printed + kernel.good("await asyncio.to_thread(failed.wait, 30)").printed
    said = "echo: ValueError: too loud (traceback: print(bot.session.router.failures[-1]))"
    assert printed == f"tcnb: a handler failed: {said}\n"
