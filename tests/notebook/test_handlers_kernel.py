"""Handlers in a real kernel with a real practice server: they run beside cells and print into none."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from kernels import Kernel

from tcnb.practice import start_process

pytestmark = pytest.mark.kernel

SETUP = """
import threading
import tcnb
%load_ext tcnb
options = dict(https=False, web_port={port})
tc = tcnb.connect("127.0.0.1", username="robot", password="robot", **options)
ops = tcnb.connect("127.0.0.1", username="ops", password="ops", name="ops", **options)
chat = ops.send("robot", "begin").chat_id
def answered(text):
    frame = ops.df
    return bool(((frame["text"] == text) & (frame["direction"] == "in")).any())
def wait(text):
    changed = threading.Event()
    remove = ops.on_rows(changed.set)
    while not answered(text):
        assert changed.wait(30), ops.df[["direction", "text"]].tail()
        changed.clear()
    remove()
"""


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    """A kernel with two connected accounts, `tc` and `ops`, that share a personal chat."""
    with start_process(accounts=("robot:robot", "ops:ops"), people=0, rate=0) as process:
        kernel = Kernel(tmp_path_factory.mktemp("kernel"))
        for cell in ("%load_ext tcnb", SETUP.replace("%load_ext tcnb\n", "").replace("{port}", str(process.port))):
            kernel.good(cell)
        yield kernel
        kernel.close()


def test_handler_answers_while_a_cell_runs(kernel: Kernel) -> None:
    """A handler works while a cell blocks the kernel, and what it prints lands in no cell."""
    kernel.good('%%tc_on message --as default --command status\nprint("asked")\nawait message.answer("all green")\n')
    outcome = kernel.good('ops.send(chat, "/status")\nwait("all green")\nprint("mine")')
    assert outcome.printed == "mine\n"
    # It is answered before the handler has ended, whose output is noted at its end.
    kernel.good("import time\nwhile not tc.router.handlers[0].output:\n    time.sleep(0.01)")
    frame = kernel.good("frame = %tc_handlers --as default\n(frame['calls'].tolist(), frame['output'].tolist())")
    assert frame.text == r"([1], ['asked\n'])"
    assert not [message for message in kernel.later_messages() if message["msg_type"] == "stream"]


def test_rerun_and_failure(kernel: Kernel) -> None:
    """A cell with a decorator can be run again; a failure is kept, and named in one line when a cell has run."""
    cell = (
        "@tc.router.message(text=['boom', 'fine'])\n"
        "async def on_word(message):\n"
        "    if message.text == 'boom':\n"
        "        raise RuntimeError('broken {number}')\n"
        "    await message.answer('fine {number}')\n"
    )
    for number in (1, 2, 2):
        kernel.good(cell.replace("{number}", str(number)))
    outcome = kernel.good("ops.send(chat, 'boom')\nops.send(chat, 'fine')\nwait('fine 2')")
    assert outcome.printed.count("\n") == 1
    assert "on_word: RuntimeError: broken 2" in outcome.printed
    assert kernel.good("[h.name for h in tc.router.handlers].count('on_word')").text == "1"
    told = kernel.good("print(tc.router.failures[-1])").printed
    assert "raise RuntimeError('broken 2')" in told
    assert kernel.good("tc.status().handler_failures").text == "1"
    assert not [message for message in kernel.later_messages() if message["msg_type"] == "stream"]


def test_edited_cell_replaces_what_has_no_name(kernel: Kernel) -> None:
    """A cell is known by the identity that the front end gives it, whatever stands in it now and whatever awaits."""
    cell = "import asyncio\nawait asyncio.sleep(0)\ntc.router.message(text='nameless')(lambda m: m.answer('{label}'))\n"
    for label in ("first", "second"):
        kernel.good_cell("one", cell.format(label=label) + f"tc.router.message(text='{label}')(lambda m: None)")
    shown = "[one.filters for one in tc.router.handlers if one.name == '<lambda>']"
    assert kernel.good(shown).text == "[(\"text='nameless'\",), (\"text='second'\",)]"
    kernel.good("ops.send(chat, 'nameless')\nwait('second')")
