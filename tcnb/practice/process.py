"""Starting a practice server in a process of its own, and ending it; what runs there is `tcnb.practice.command`."""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import queue
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from dataclasses import fields
from pathlib import Path
from typing import IO, Any, Final, Self, Unpack

from tcnb.errors import TcnbError
from tcnb.practice.options import ACCOUNTS, Options, OptionValues
from tcnb.threads import new_thread

START_TIMEOUT: Final = 30.0
"""Seconds that a process gets until its ready line; a loaded machine needs several just to import."""
STOP_TIMEOUT: Final = 5.0
"""Seconds that a process gets to end by itself before it is killed."""


# It runs on this machine, which no proxy leads to.
_DIRECTLY: Final = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class PracticeError(TcnbError):
    """The practice server could not be started, or refused an order."""


class PracticeProcess:
    """A practice server that runs in another process until `stop()`, or until this process ends.

    Attributes:
        host, port, domain: where it is.
        pid: its process id.
    """

    def __init__(self, process: subprocess.Popen[bytes], ready: dict[str, Any], log: IO[bytes], scheme: str) -> None:
        self.host: str = ready["host"]
        self.port: int = ready["port"]
        self.domain: str = ready["domain"]
        self.pid = process.pid
        self._process = process
        self._log = log
        self._scheme = scheme
        self._owner = os.getpid()
        atexit.register(self.stop)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def __repr__(self) -> str:
        return f"<PracticeProcess {self.url} {'running' if self.is_running else 'ended'}>"

    @property
    def url(self) -> str:
        """Where it is reached, `scheme://host:port`."""
        return f"{self._scheme}://{self.host}:{self.port}"

    @property
    def is_running(self) -> bool:
        """Whether the process has not ended."""
        return self._process.poll() is None

    def log(self) -> str:
        """Return what it wrote to standard error so far."""
        self._log.seek(0)
        return self._log.read().decode("utf-8", "replace")

    def administer(self, operation: str, **arguments: Any) -> Any:
        """Carry out an operation of `tcnb.practice.administration`; the process must have been started with `faults`.

        Raises:
            PracticeError: the server refuses, with its reason.
        """
        request = urllib.request.Request(
            f"{self.url}/practice/{operation}", json.dumps(arguments).encode(), method="POST"
        )
        try:
            with _DIRECTLY.open(request, timeout=STOP_TIMEOUT) as response:
                return json.load(response)["result"]
        except urllib.error.HTTPError as error:
            raise PracticeError(f"{operation}: {error.read().decode('utf-8', 'replace')}") from error

    def kill(self) -> None:
        """End the process at once, without a word to its clients."""
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        """End the process; it closes its sockets in order. Does nothing in a fork and when it has ended already."""
        if os.getpid() != self._owner:
            return
        atexit.unregister(self.stop)
        with contextlib.suppress(OSError):
            if self._process.stdin is not None:
                self._process.stdin.close()
        try:
            self._process.wait(STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            self.kill()
        self._log.close()


def start_process(*, timeout: float = START_TIMEOUT, **values: Unpack[OptionValues]) -> PracticeProcess:
    """Start a practice server in a process of its own and wait until it is ready.

    Args:
        timeout: seconds to wait for its ready line.
        values: the options of `tcnb.practice.options.Options`.

    Raises:
        PracticeError: it did not start; the message holds what it said.
    """
    options = Options(**values)
    try:
        log = tempfile.TemporaryFile()  # noqa: SIM115 (it lives as long as the process)
        process = subprocess.Popen(
            [sys.executable, "-m", "tcnb", "practice", "--with-parent", *arguments_of(options)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            env=environment_of(options),
            # A notebook's interrupt goes to the kernel's whole group; the server is not meant by it.
            start_new_session=True,
        )
    except OSError as error:
        raise PracticeError(f"the practice server could not be started: {error.strerror or error}") from error
    try:
        line = _first_line(process, timeout)
    except BaseException:
        process.kill()
        process.wait()
        raise
    try:
        ready = json.loads(line)
    except ValueError:
        process.kill()
        process.wait()
        if process.stdin is not None:
            process.stdin.close()
        log.seek(0)
        said = log.read().decode("utf-8", "replace").strip()
        log.close()
        raise PracticeError(f"the practice server did not start: {said or 'it said nothing'}") from None
    return PracticeProcess(process, ready, log, "https" if options.tls_cert else "http")


def arguments_of(options: Options) -> list[str]:
    """Return the command line that stands for options; their accounts are in `environment_of`."""
    arguments: list[str] = []
    for field in fields(options):
        value = getattr(options, field.name)
        flag = "--" + field.name.replace("_", "-")
        if field.name == "accounts" or value == field.default:
            continue
        if field.name == "password_login":
            arguments.append("--no-password-login")
        elif isinstance(value, bool):
            arguments.append(flag if value else f"--no-{flag[2:]}")
        else:
            arguments.append(f"{flag}={value}")
    return arguments


def environment_of(options: Options) -> dict[str, str]:
    """Return the environment of a process with these options: it has the accounts, which a command line would show."""
    # The package may be importable here only through sys.path.
    root = str(Path(__file__).resolve().parents[2])
    paths = [root, *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    ours = {
        "PYTHONPATH": os.pathsep.join(paths),
        "PYTHONUNBUFFERED": "1",
        ACCOUNTS: "\n".join(options.accounts),
    }
    return {**os.environ, **ours}


def _first_line(process: subprocess.Popen[bytes], timeout: float) -> bytes:
    lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    output = process.stdout
    assert output is not None

    def read() -> None:
        with output:
            lines.put(output.readline())
            # Nothing is expected after it; reading on keeps the process from ever being stuck on a full pipe.
            while output.read(4096):
                pass

    new_thread(read, name="tcnb-practice-output").start()
    try:
        return lines.get(timeout=timeout)
    except queue.Empty:
        return b""
