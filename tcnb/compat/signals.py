"""What the end of a process, and what goes wrong, mean to a bot that runs: signals, and standard error."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

logger = logging.getLogger("tcnb.bot")

Shutdown = Callable[[], Coroutine[Any, Any, None]]


class _Signals:
    """Ends all bots that run on a loop when the process is told to end, and puts everything back before it does so."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.shutdowns: set[Shutdown] = set()
        self._loop = loop
        self._before: dict[signal.Signals, Any] = {}
        self._ending: set[asyncio.Task[None]] = set()
        for number in (signal.SIGINT, signal.SIGTERM):
            before = signal.getsignal(number)
            # Only the main thread may do so, and not on every platform: an interrupt then comes as an exception.
            with contextlib.suppress(NotImplementedError, ValueError, RuntimeError):
                loop.add_signal_handler(number, self._end)
                self._before[number] = before

    def restore(self) -> None:
        """Let signals do what they did before."""
        for number, before in self._before.items():
            self._loop.remove_signal_handler(number)
            if before is not None:
                signal.signal(number, before)
        self._before.clear()

    def _end(self) -> None:
        # A second interrupt does not wait for handlers any more.
        self.restore()
        self._ending = {self._loop.create_task(shutdown()) for shutdown in self.shutdowns}


_signals: dict[asyncio.AbstractEventLoop, _Signals] = {}


@contextlib.contextmanager
def ended_by_signals(shutdown: Shutdown) -> Iterator[None]:
    """Have a bot shut down when the process is told to end while this lasts."""
    loop = asyncio.get_running_loop()
    signals = _signals.get(loop) or _signals.setdefault(loop, _Signals(loop))
    signals.shutdowns.add(shutdown)
    try:
        yield
    finally:
        signals.shutdowns.discard(shutdown)
        if not signals.shutdowns:
            signals.restore()
            _signals.pop(loop, None)


@contextlib.contextmanager
def failures_shown() -> Iterator[None]:
    """Write what goes wrong to standard error, as Python does where nobody has set up logging."""
    handler = logging.lastResort
    if handler is None or logging.getLogger().handlers or handler in logger.handlers:
        yield
        return
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
