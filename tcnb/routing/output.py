"""Where the printing of handlers goes: into the handler's own output, never into whatever cell is running, and only in
scripts to the screen as well.

A stand-in for `sys.stdout` and `sys.stderr` is in place only while handlers run; it sends on what others print.
"""

from __future__ import annotations

import sys
import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import Any, Final

from tcnb.locks import fork_safe

MOST_OUTPUT: Final = 10_000
"""Characters of one run's output that are kept, the last ones."""

MOST_STAND_INS: Final = 10
"""Streams whose stand-ins are kept, those that were replaced last."""

_STREAMS: Final = ("stdout", "stderr")


class Output:
    """What one run of a handler printed; written from any thread.

    Attributes:
        is_shown: whether it goes to the stream as well.
    """

    def __init__(self, is_shown: bool = False) -> None:
        self.is_shown = is_shown
        self._text = ""

    def write(self, text: str) -> int:
        """Take more text; what is too much goes at the beginning."""
        self._text = (self._text + text)[-MOST_OUTPUT:]
        return len(text)

    def __str__(self) -> str:
        return self._text


class _Stream:
    """Stands in for a stream: what a handler writes goes to its output, everything else to the stream itself."""

    def __init__(self, stream: Any) -> None:
        self.stream = stream

    def write(self, text: str) -> int:
        output = _output.get()
        if output is None:
            return int(self.stream.write(text) or 0)
        if output.is_shown:
            self.stream.write(text)
        return output.write(text)

    def writelines(self, lines: list[str]) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


_output: ContextVar[Output | None] = ContextVar("tcnb_handler_output", default=None)
_is_shown: ContextVar[bool] = ContextVar("tcnb_handler_output_is_shown", default=False)
_lock = fork_safe(threading.Lock())
_running = 0
# `print` in older CPython does not hold the stream that it writes to (gh-130163): one that vanishes meanwhile, since
# the last handler has ended in another thread, takes the whole interpreter with it. So stand-ins outlive their use.
_stand_ins: OrderedDict[int, _Stream] = OrderedDict()


@contextmanager
def shown() -> Iterator[None]:
    """Let what handlers print inside appear where everything else is printed, as a script has it."""
    token = _is_shown.set(True)
    try:
        yield
    finally:
        _is_shown.reset(token)


@contextmanager
def captured() -> Iterator[Output]:
    """Collect what is printed inside, and in threads and tasks that take over this context."""
    output = Output(_is_shown.get())
    token = _output.set(output)
    _enter()
    try:
        yield output
    finally:
        _leave()
        # What the collector of garbage closes, since its loop is gone, ends in another context.
        with suppress(ValueError):
            _output.reset(token)


def _enter() -> None:
    global _running
    with _lock:
        _running += 1
        for name in _STREAMS:
            stream = getattr(sys, name)
            if stream is not None and not isinstance(stream, _Stream):
                setattr(sys, name, _stand_in(stream))


def _stand_in(stream: Any) -> _Stream:
    """Return the stand-in for a stream, the same one each time; to be called with the lock."""
    key = id(stream)  # which no other stream gets: the stand-in keeps it alive
    found = _stand_ins.setdefault(key, _Stream(stream))
    _stand_ins.move_to_end(key)
    if len(_stand_ins) > MOST_STAND_INS:
        _stand_ins.popitem(last=False)
    return found


def _leave() -> None:
    global _running
    with _lock:
        _running -= 1
        for name in _STREAMS:
            stream = getattr(sys, name)
            # Somebody else may have put another stream there meanwhile: that one stays.
            if _running == 0 and isinstance(stream, _Stream):
                setattr(sys, name, stream.stream)
