"""Has images decoded in a process of their own, one at a time, and ends that process when it is idle or takes too long.

An image of a few bytes may take gigabytes, or hold every thread of a process for seconds. The process is started by its
file, not by `multiprocessing`, which would run a person's script a second time.
"""

from __future__ import annotations

import atexit
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from concurrent.futures import Future
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from tcnb.threads import Workers, deadline
from tcnb.types import image_process
from tcnb.types.image_headers import Source

LONGEST: Final = 10.0
"""Seconds after which decoding is given up; 40 million pixels take about one."""

SPARE: Final = 5.0
"""Seconds after which the process ends itself where nobody has ended it: whoever asked is gone."""

_KEPT: Final = ("PATH", "SYSTEMROOT", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "TMPDIR", "TEMP", "TMP")
"""Variables of the environment that the process is given; the others may hold secrets."""

Answer = image_process.Answer


def submit(task: str, source: Source, **request: Any) -> Future[Answer]:
    """Have something done with an image; any thread may call.

    Args:
        task: a name in `image_process.TASKS`.
        source: the content, or the path of a file that exists.
        **request: what the task needs.

    Returns:
        the future of what is told of the image, or `error` and `reason`, and of the image that was made of it.
    """
    path = None if isinstance(source, bytes) else str(source.absolute())
    data = source if isinstance(source, bytes) else b""
    return _decoder().submit(_answer, {**request, "task": task, "path": path}, data)


class _Decoder(Workers):
    """The one thread that asks the process; what one of them has started, it ends when there is nothing to do."""

    def __init__(self) -> None:
        super().__init__(1, "tcnb images")

    def _work(self) -> None:
        if hasattr(signal, "pthread_sigmask"):
            # Inherited by the process: the interrupt button is for the kernel, and reaches all processes of its group.
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            super()._work()
        finally:
            _own.end()


class _Process(threading.local):
    """The process of a thread; it may be none."""

    running: subprocess.Popen[bytes] | None = None

    def started(self) -> subprocess.Popen[bytes]:
        """Return the process, which may have to be started.

        Raises:
            OSError: the system starts no process.
        """
        if self.running is None or self.running.poll() is not None:
            self.end()
            self.running = _start()
            _all.add(self.running)
        return self.running

    def end(self) -> int | None:
        """End the process at once; returns how it ended."""
        process, self.running = self.running, None
        if process is None:
            return None
        _all.discard(process)
        process.kill()
        _close(process)
        return process.wait()


_all: Final[set[subprocess.Popen[bytes]]] = set()
_own: Final = _Process()
_shared: _Decoder | None = None


def _decoder() -> _Decoder:
    global _shared
    if _shared is None:
        _shared = _Decoder()
    return _shared


def _answer(request: Mapping[str, Any], data: bytes) -> Answer:
    if not _can_start():
        return image_process.answer_to(dict(request), data)
    is_late = threading.Event()
    try:
        process = _own.started()
    except OSError as error:
        return {"error": "process", "reason": error.strerror or str(error)}, b""

    def end() -> None:
        is_late.set()
        process.kill()

    with deadline(LONGEST, end, name="tcnb images deadline"), suppress(OSError):
        answer = _exchange(process, {**request, "size": len(data), "seconds": LONGEST + SPARE}, data)
        if answer is not None:
            return answer
    code = _own.end()
    return {"error": "late", "reason": ""} if is_late.is_set() else {"error": "ended", "reason": str(code)}, b""


def _exchange(process: subprocess.Popen[bytes], request: Mapping[str, Any], data: bytes) -> Answer | None:
    """Ask the process and return what it says; None if it has ended."""
    asked, told = process.stdin, process.stdout
    assert asked is not None and told is not None
    for part in (json.dumps(request).encode() + b"\n", data):
        left = memoryview(part)
        while left:
            left = left[asked.write(left) :]
    line = told.readline()
    if not line.endswith(b"\n"):
        return None
    answer: dict[str, Any] = json.loads(line)
    image = b""
    while len(image) < answer["size"]:
        piece = told.read(answer["size"] - len(image))
        if not piece:
            return None
        image += piece
    return answer, image


def _start() -> subprocess.Popen[bytes]:
    spec = find_spec("PIL")
    assert spec is not None and spec.origin is not None
    # Neither the site packages nor variables of the environment are looked at: it starts in a third of the time, and
    # nothing of a person's is run.
    command = [sys.executable, "-I", "-S", image_process.__file__, str(Path(spec.origin).parent.parent)]
    environment = {name: os.environ[name] for name in _KEPT if name in os.environ}
    return subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**environment, "MALLOC_ARENA_MAX": "1"},
        # Buffers of a pipe have locks, and what is in them would be written again by a forked child.
        bufsize=0,
        creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
    )


def _can_start() -> bool:
    """Tell whether this program is Python: one that was frozen, or has Python within, would start itself again."""
    return bool(sys.executable) and not getattr(sys, "frozen", False) and Path(image_process.__file__).is_file()


def _close(process: subprocess.Popen[bytes]) -> None:
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with suppress(OSError):  # what was not written yet cannot be
                pipe.close()


def _end_all() -> None:
    for process in list(_all):
        process.kill()


def _after_fork() -> None:
    """In a forked child there are no threads, and the process is another one's: held pipes would keep it alive."""
    global _shared
    _shared = None
    for process in list(_all):
        _close(process)
        process.returncode = 0  # it is not a child of this one, which cannot wait for it
    _all.clear()


atexit.register(_end_all)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
