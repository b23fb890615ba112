"""The interrupt button in a real kernel: whatever waits ends at once, and the next cell works."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from kernels import PATIENCE, Kernel

from tcnb.practice import PracticeProcess, start_process

pytestmark = pytest.mark.kernel

RING = """
import threading
from keyring.backend import KeyringBackend

hangs = False

class Ring(KeyringBackend):
    priority = 9

    def get_password(self, service, username):
        if hangs:
            print("waiting", flush=True)
            threading.Event().wait()

    def set_password(self, service, username, password):
        pass
"""

# The frames of a thread tell whether it has come to where nothing happens any more.
SETUP = """
import asyncio, sys, threading, time
import duckdb, narwhals, ring, tcnb
from tcnb.analysis.engines import collect
from tcnb.analysis.sql import query
%xmode Minimal

WAITING = {"BotThread.wait", "is_done", "Kernel._input_request"}

def tell_once_waiting():
    def is_waiting():
        frame = sys._current_frames()[threading.main_thread().ident]
        while frame is not None and frame.f_code.co_qualname not in WAITING:
            frame = frame.f_back
        return frame is not None

    def look():
        while not is_waiting():
            time.sleep(0.01)
        print("waiting", flush=True)

    threading.Thread(target=look, daemon=True).start()
"""

ENDLESS = "SELECT sum(a.range * b.range) AS s FROM range(3000000) a, range(3000000) b"

SILENT = "'127.0.0.1', username='robot', password='robot', https=False, web_port=SILENT, timeout=600, journal=None"

SECRETLESS = "'127.0.0.1', username='robot', https=False, web_port=PORT, timeout=600, journal=None"


@pytest.fixture(scope="module")
def practice() -> Iterator[PracticeProcess]:
    """A practice server that can be told to leave requests without an answer."""
    with start_process(accounts=("robot:robot", "alice:alice"), people=2, rate=0, history=10, faults=True) as process:
        yield process


@pytest.fixture(scope="module")
def kernel(practice: PracticeProcess, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    """A kernel with a connection that waits long, a keyring that hangs if it is told to, and the port of nobody."""
    folder: Path = tmp_path_factory.mktemp("interrupts")
    (folder / "ring.py").write_text(RING)
    silent = socket.create_server(("127.0.0.1", 0))
    running = Kernel(folder, {"PYTHON_KEYRING_BACKEND": "ring.Ring"})
    running.good(SETUP)
    running.good(
        f"PORT, SILENT = {practice.port}, {silent.getsockname()[1]}\n%load_ext tcnb\n"
        "tc = tcnb.connect('127.0.0.1', username='robot', password='robot', https=False, web_port=PORT, timeout=600)\n"
        "chat = tc.known_chats()[0][1]"
    )
    yield running
    running.close()
    silent.close()


@pytest.mark.parametrize(
    ("code", "unanswered"),
    [
        ("tc.send(chat, 'hello')", "sendMessage"),
        ("%tc_send {chat} hello", "sendMessage"),
        ("tc.send_document(chat, b'content')", "uploadFile"),
        ("tc.wait_for(timeout=None)", None),
        ("tc.history(chat)", "getChatHistory"),
        ("%tc_history {chat}", "getChatHistory"),
        ("await asyncio.sleep(0)\ntc.wait_for(timeout=None)", None),
        (f"await asyncio.sleep(0)\n%tc_sql {ENDLESS}", None),
        ("tc.refresh()", "getChats"),
        ("tc.download('a-file')", "getFileInfo"),
        (f"tcnb.connect({SILENT})", None),
        (f"%tc_sql {ENDLESS}", None),
        (f"query({ENDLESS!r}, tc)", None),
        (f"collect(narwhals.from_native(duckdb.sql({ENDLESS!r})))", None),
    ],
)
def test_what_blocks_ends_at_once(kernel: Kernel, practice: PracticeProcess, code: str, unanswered: str | None) -> None:
    """A verb that blocks ends with KeyboardInterrupt, and the next cell works."""
    if unanswered is not None:
        practice.administer("ignore_next", method=unanswered)
    cell = kernel.start(f"tell_once_waiting()\n{code}")
    kernel.wait_printed(cell, "waiting")
    kernel.manager.interrupt_kernel()
    assert kernel.finish(cell).error[0] == "KeyboardInterrupt"
    assert kernel.good("answer = %tc_sql SELECT 6 * 7 AS x\nint(answer.x[0]), tc.state['state']").text == (
        "(42, 'connected')"
    )


@pytest.mark.parametrize(
    ("code", "unanswered"),
    [
        ("tc.asend(chat, 'hello')", "sendMessage"),
        ("tc.asend_document(chat, b'content')", "uploadFile"),
        ("tc.await_for(timeout=None)", None),
        ("tc.ahistory(chat)", "getChatHistory"),
        ("tc.arefresh()", "getChats"),
        ("tc.adownload('a-file')", "getFileInfo"),
        ("tc.bot.get_chats()", "getChats"),
        (f"tcnb.aconnect({SILENT})", None),
    ],
)
def test_what_is_awaited_ends_at_once(
    kernel: Kernel, practice: PracticeProcess, code: str, unanswered: str | None
) -> None:
    """A verb that is awaited ends while nothing else wakes the kernel's loop, and the next cell works."""
    if unanswered is not None:
        practice.administer("ignore_next", method=unanswered)
    cell = kernel.start(f"asyncio.get_running_loop().call_soon(lambda: print('waiting', flush=True))\nawait {code}")
    kernel.wait_printed(cell, "waiting")
    kernel.manager.interrupt_kernel()
    assert kernel.finish(cell).error[0] == "CancelledError"
    assert kernel.good("await tc.asend(chat, 'still here')\ntc.state['state']").text == "'connected'"


@pytest.mark.parametrize("connect", ["tcnb.connect", "await tcnb.aconnect", "await asyncio.sleep(0)\ntcnb.connect"])
def test_question_ends_at_once(kernel: Kernel, connect: str) -> None:
    """The question for a password ends, and the answer to the next question is not taken by it."""
    cell = kernel.start(f"{connect}({SECRETLESS})", allow_stdin=True)
    assert kernel.client.get_stdin_msg(timeout=PATIENCE)["content"]["password"]
    kernel.manager.interrupt_kernel()
    assert kernel.finish(cell).error[0] in ("KeyboardInterrupt", "CancelledError")
    cell = kernel.start("input('who? ')", allow_stdin=True)
    assert kernel.answer("alice") == "who? "
    assert kernel.finish(cell).text == "'alice'"


@pytest.mark.parametrize("connect", ["tcnb.connect", "await tcnb.aconnect", "await asyncio.sleep(0)\ntcnb.connect"])
def test_keyring_that_hangs_is_left_at_once(kernel: Kernel, connect: str) -> None:
    """A keyring that never answers is left, and no question follows."""
    kernel.good("ring.hangs = True")
    cell = kernel.start(f"{connect}({SECRETLESS})", allow_stdin=True)
    kernel.wait_printed(cell, "waiting")
    kernel.manager.interrupt_kernel()
    assert kernel.finish(cell).error[0] in ("KeyboardInterrupt", "CancelledError")
    kernel.good("ring.hangs = False")
    cell = kernel.start("input('who? ')", allow_stdin=True)
    assert kernel.answer("alice") == "who? "
    assert kernel.finish(cell).text == "'alice'"


def test_question_follows_a_keyring_that_hangs(kernel: Kernel) -> None:
    """After the time that answers may take, somebody is asked, and told why."""
    kernel.good("ring.hangs = True")
    cell = kernel.start(
        f"other = await tcnb.aconnect({SECRETLESS.replace('600', '0.5')}, name='other')", allow_stdin=True
    )
    question = kernel.answer("robot")
    assert "the keyring did not answer within 0.5 s" in question
    assert kernel.finish(cell).status == "ok"
    assert kernel.good("ring.hangs = False\nother.close()\nother.me_id").text == "'robot@practice.local'"
