"""A real IPython kernel as a test holds it: cells go in, and everything that a frontend would be sent comes out."""

from __future__ import annotations

import json
import os
import queue
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import KernelManager

from tests.kernel_sockets import without_ports

ROOT = Path(__file__).parents[2]

PATIENCE = 60
"""Seconds a test waits at most for a message of a kernel, which comes much sooner; a loaded machine needs some."""


@dataclass
class Outcome:
    """What came of one cell: the reply, and the messages that the frontend got."""

    reply: dict[str, Any]
    messages: list[dict[str, Any]] = field(default_factory=list)

    @property
    def status(self) -> str:
        return str(self.reply["status"])

    def of(self, kind: str) -> list[dict[str, Any]]:
        """Return the contents of the messages of one kind."""
        return [message["content"] for message in self.messages if message["msg_type"] == kind]

    @property
    def error(self) -> tuple[str, str, list[str]]:
        """Name, text and traceback of the error that the cell showed."""
        (content,) = self.of("error")
        return content["ename"], content["evalue"], content["traceback"]

    @property
    def text(self) -> str | None:
        """The plain text of the cell's value, None if no value was shown."""
        shown = self.of("execute_result")
        return shown[0]["data"]["text/plain"] if shown else None

    @property
    def printed(self) -> str:
        """Everything that was written to standard output and standard error."""
        return "".join(content["text"] for content in self.of("stream"))

    def everything(self) -> str:
        """All messages as one text, to look for what must not be in it."""
        return json.dumps([self.reply, self.messages], default=str)


class Kernel:
    """A kernel process with a client; close it when done.

    Args:
        folder: its working folder.
        environment: variables that it gets besides the test's own.
    """

    def __init__(self, folder: Path, environment: dict[str, str] | None = None) -> None:
        clean = {name: value for name, value in os.environ.items() if not name.startswith("TRUECONF_")}
        paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
        clean |= {"PYTHONPATH": os.pathsep.join(paths), "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring"}
        clean |= {"IPYTHONDIR": str(folder / ".ipython")}
        self.others: list[dict[str, Any]] = []
        self._sockets = tempfile.TemporaryDirectory(prefix="kernel")
        self.manager = KernelManager(**without_ports(self._sockets.name))
        self.manager.start_kernel(env=clean | (environment or {}), cwd=str(folder))
        self.client: BlockingKernelClient = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=PATIENCE)

    def close(self) -> None:
        """End the process."""
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)
        self._sockets.cleanup()

    def start(self, code: str, *, allow_stdin: bool = False) -> str:
        """Queue a cell, as a frontend does, and return its message id."""
        return str(self.client.execute(code, allow_stdin=allow_stdin, stop_on_error=True))

    def good_cell(self, cell_id: str, code: str) -> Outcome:
        """Run a cell that must not fail, and say which cell it is, as front ends do."""
        content = {"code": code, "silent": False, "store_history": True, "user_expressions": {}, "allow_stdin": False}
        request = self.client.session.msg("execute_request", content, metadata={"cellId": cell_id})
        self.client.shell_channel.send(request)
        outcome = self.finish(request["header"]["msg_id"])
        assert outcome.status == "ok", outcome.reply
        return outcome

    def finish(self, cell: str) -> Outcome:
        """Wait until a cell is done and return what came of it; cells are finished in the order of their start."""
        outcome = Outcome({})
        while True:
            message = self.client.get_iopub_msg(timeout=PATIENCE)
            if message["parent_header"].get("msg_id") != cell:
                self.others.append(message)
                continue
            outcome.messages.append(message)
            if message["msg_type"] == "status" and message["content"]["execution_state"] == "idle":
                break
        while outcome.reply.get("parent") != cell:
            message = self.client.get_shell_msg(timeout=PATIENCE)
            outcome.reply = {"parent": message["parent_header"].get("msg_id"), **message["content"]}
        return outcome

    def run(self, code: str) -> Outcome:
        """Run a cell and return what came of it."""
        return self.finish(self.start(code))

    def good(self, code: str) -> Outcome:
        """Run a cell that must not fail."""
        outcome = self.run(code)
        assert outcome.status == "ok", outcome.reply
        return outcome

    def wait_printed(self, cell: str, text: str) -> None:
        """Wait until a running cell has printed something."""
        while True:
            message = self.client.get_iopub_msg(timeout=PATIENCE)
            is_stream = message["parent_header"].get("msg_id") == cell and message["msg_type"] == "stream"
            if is_stream and text in message["content"]["text"]:
                return

    def answer(self, text: str) -> str:
        """Wait until the kernel asks something, answer it, and return the question."""
        message = self.client.get_stdin_msg(timeout=PATIENCE)
        self.client.input(text)
        return str(message["content"]["prompt"])

    def later_messages(self) -> list[dict[str, Any]]:
        """Return the messages that belonged to no cell while it was finished, and those that have come since."""
        found, self.others = self.others, []
        while True:
            try:
                found.append(self.client.get_iopub_msg(timeout=0))
            except queue.Empty:
                return found
