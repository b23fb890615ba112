"""JupyterLab's debugger in a real kernel: at a breakpoint the bot goes on, and what a person wrote stands still."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from kernels import PATIENCE, Kernel

from tcnb.practice import PracticeProcess, start_process

pytestmark = pytest.mark.kernel

PING_TIMEOUT = 3.0
"""Seconds after which the practice server drops a client that does not answer its pings."""


@pytest.fixture
def practice() -> Iterator[PracticeProcess]:
    """A practice server with impatient pings and silent colleagues."""
    with start_process(
        accounts=("robot:robot", "alice:alice"),
        people=2,
        rate=0,
        history=10,
        faults=True,
        ping_interval=PING_TIMEOUT / 4,
        ping_timeout=PING_TIMEOUT,
    ) as process:
        yield process


class Debugger:
    """A frontend's debugger: speaks the debug protocol over the control channel of a kernel."""

    def __init__(self, kernel: Kernel) -> None:
        self._client = kernel.client
        self._number = 0
        self.ask("initialize", clientID="test", adapterID="", pathFormat="path", linesStartAt1=True)
        self.ask("attach")

    def ask(self, command: str, **arguments: Any) -> dict[str, Any]:
        """Send a request and return the body of its answer."""
        self._number += 1
        content = {"type": "request", "seq": self._number, "command": command, "arguments": arguments}
        message = self._client.session.msg("debug_request", content)
        self._client.control_channel.send(message)
        while True:
            answer = self._client.get_control_msg(timeout=PATIENCE)
            if answer["parent_header"].get("msg_id") == message["header"]["msg_id"]:
                assert answer["content"]["success"], answer["content"]
                return dict(answer["content"].get("body") or {})

    def set_breakpoint(self, code: str, line: int) -> None:
        """Have a cell with that code stop at a line."""
        path = self.ask("dumpCell", code=code)["sourcePath"]
        self.ask("setBreakpoints", breakpoints=[{"line": line}], source={"path": path}, sourceModified=False)
        self.ask("configurationDone")

    def wait_stopped(self) -> int:
        """Wait until a thread has stopped and return its number."""
        while True:
            content = self._client.get_iopub_msg(timeout=PATIENCE)["content"]
            if content.get("event") == "stopped":
                return int(content["body"]["threadId"])

    def line(self, thread: int) -> int:
        """Return the line at which a thread stands."""
        return int(self.ask("stackTrace", threadId=thread)["stackFrames"][0]["line"])

    def evaluate(self, thread: int, expression: str) -> str:
        """Return the value of an expression where a thread stands, as the debug console does."""
        frame = self.ask("stackTrace", threadId=thread)["stackFrames"][0]["id"]
        return str(self.ask("evaluate", expression=expression, frameId=frame, context="repl")["result"])


@pytest.fixture
def kernel(practice: PracticeProcess, tmp_path: Any) -> Iterator[Kernel]:
    """A kernel with a connection and, in `seen`, what a plain and an async handler of its own got."""
    running = Kernel(tmp_path)
    running.good(
        f"import tcnb\ntc = tcnb.connect('127.0.0.1', username='robot', password='robot', https=False, "
        f"web_port={practice.port}, name='robot')\nchat = tc.known_chats()[0][1]\nlen(tc.df)"
    )
    yield running
    running.close()


def talk(practice: PracticeProcess, chat: str, author: str, seconds: float) -> int:
    """Say something again and again for some time, each time that the last one was acknowledged, and how often."""
    count, began = 0, time.monotonic()
    while time.monotonic() < began + seconds:
        practice.administer("say", author=author, chat=chat, text=f"said {count}")
        count += 1
        while practice.administer("state")["unread"]["robot"]:
            assert time.monotonic() < began + PATIENCE
    return count


@pytest.fixture
def chat(kernel: Kernel) -> tuple[str, str]:
    """The id of a chat, and who else is in it."""
    chat = str(kernel.good("chat").text).strip("'")
    kernel.good("members = [one.user_id for one in (await tc.bot.get_chat_participants(chat)).participants]")
    author = str(kernel.good("[user for user in members if user != tc.me_id][0]").text).strip("'")
    return chat, author


CELL = "x = 1\ny = len(tc.df)\nz = x + y\nz"


def test_bot_goes_on_at_a_breakpoint(kernel: Kernel, practice: PracticeProcess, chat: tuple[str, str]) -> None:
    """While a cell stands at a breakpoint events are recorded and acknowledged, and the debug console sends."""
    debugger = Debugger(kernel)
    debugger.set_breakpoint(CELL, 2)
    cell = kernel.start(CELL)
    thread = debugger.wait_stopped()
    said = talk(practice, *chat, 2 * PING_TIMEOUT)
    assert debugger.evaluate(thread, "tc.send(chat, 'from the console').message_id != ''") == "True"
    # What was unread comes at some time after connecting, and the colleague reads and answers what the bot says.
    heard = "int(tc.df['text'].str.startswith('said ').sum()), int((tc.df['text'] == 'from the console').sum())"
    assert debugger.evaluate(thread, heard) == f"({said}, 1)"
    assert "connected" in debugger.evaluate(thread, "repr(tc)")
    debugger.ask("next", threadId=thread)
    assert debugger.line(debugger.wait_stopped()) == 3
    debugger.ask("continue", threadId=thread)
    assert kernel.finish(cell).status == "ok"
    assert kernel.good("tc.state['state'], tc.status().reconnects").text == "('connected', 0)"


HANDLERS = {
    "async": "@tc.router.message()\nasync def on_any(message):\n    text = message.text\n    seen.append(text)",
    "plain": "@tc.router.message()\ndef on_any(message):\n    text = message.text\n    seen.append(text)",
}


@pytest.mark.parametrize("kind", HANDLERS)
def test_handler_stops_at_its_own_breakpoint(
    kernel: Kernel, practice: PracticeProcess, chat: tuple[str, str], kind: str
) -> None:
    """A breakpoint in a handler stops the handler, and the bot goes on."""
    kernel.good("seen = []")
    debugger = Debugger(kernel)
    debugger.set_breakpoint(HANDLERS[kind], 4)
    kernel.good(HANDLERS[kind])
    practice.administer("say", author=chat[1], chat=chat[0], text="first")
    thread = debugger.wait_stopped()
    assert debugger.evaluate(thread, "text") == "'first'"
    said = talk(practice, *chat, 2 * PING_TIMEOUT)
    assert int(debugger.evaluate(thread, "int(tc.df['text'].str.startswith('said ').sum())")) == said
    assert debugger.evaluate(thread, "tc.state['state'], tc.status().reconnects") == "('connected', 0)"


def test_only_threads_of_handlers_are_shown_to_debuggers(kernel: Kernel) -> None:
    """Of all threads that the bot, its journal and a practice server have, debuggers see those of handlers alone."""
    kernel.good(
        "import threading, asyncio\nfrom tcnb.practice import PracticeThread\nbefore = set(threading.enumerate())\n"
        "server = PracticeThread(accounts=('robot:robot', 'alice:alice'))\nserver.start()\n"
        "other = tcnb.connect('127.0.0.1', username='robot', password='robot', https=False, web_port=server.port)\n"
        "came = threading.Event()\n"
        "@other.router.system_message()\n@other.router.message()\ndef on_any(message):\n    came.set()\n"
        "sent = other.send('alice', 'hello')\n"
        "alice = tcnb.connect('127.0.0.1', username='alice', password='alice', https=False, web_port=server.port)\n"
        "alice.send(sent.chat_id, 'hello yourself')\nother.send_document('alice', b'content')\ncame.wait(60)"
    )
    new = "[one for one in threading.enumerate() if one not in before]"
    shown = f"{{one.name.rstrip('_0123456789') for one in {new} if not getattr(one, 'is_pydev_daemon_thread', False)}}"
    assert (
        kernel.good(f"len({new}) > 5, sorted({shown})").text
        == "(True, ['tcnb default handler', 'tcnb default handlers'])"
    )
