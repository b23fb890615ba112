"""The bot's own thread with its own event loop: everything that talks to a server runs there, and nothing there
ever blocks.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

from tcnb.errors import NotConnectedError, UsageError

T = TypeVar("T")

POLL = 0.5
"""Seconds between two looks for an interrupt, on platforms where waiting for a lock hides it."""


class BotThread:
    """A daemon thread that runs one event loop until it is stopped.

    A task on the kernel's own loop would stand still while a cell runs, and a server drops a client that is silent for
    about 20 s (`protocol` section 1.4).
    """

    def __init__(self, name: str) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    @property
    def is_running(self) -> bool:
        """Whether work can be handed over."""
        return self._thread.is_alive() and not self.loop.is_closed()

    def submit(self, work: Coroutine[Any, Any, T]) -> concurrent.futures.Future[T]:
        """Hand over a coroutine from any thread; cancelling the future cancels the work.

        Raises:
            NotConnectedError: the thread has ended.
        """
        if not self.is_running:
            work.close()
            raise NotConnectedError("this connection has been closed: connect again")
        return asyncio.run_coroutine_threadsafe(work, self.loop)

    def wait(self, work: Coroutine[Any, Any, T]) -> T:
        """Hand over a coroutine and block until it is done.

        An interrupt ends the waiting at once and cancels the work.

        Raises:
            UsageError: called on the bot's own thread, which would wait for itself for ever.
        """
        if threading.current_thread() is self._thread:
            work.close()
            raise UsageError(
                "this blocks, and here it would wait for itself: use the twin that is awaited (asend for send, …)"
            )
        future = self.submit(work)
        try:
            while not concurrent.futures.wait([future], timeout=POLL).done:
                pass
        except BaseException:
            future.cancel()
            raise
        return future.result()

    async def hand_over(self, work: Coroutine[Any, Any, T]) -> T:
        """Hand over a coroutine and await it from any loop."""
        if asyncio.get_running_loop() is self.loop:
            return await work
        return await asyncio.wrap_future(self.submit(work))

    def stop(self, timeout: float) -> None:
        """Cancel what is left, end the loop and wait for the thread, at most `timeout` seconds."""
        if self.is_running:
            with contextlib.suppress(RuntimeError):
                self.loop.call_soon_threadsafe(self.loop.stop)
            if threading.current_thread() is not self._thread:
                self._thread.join(timeout)

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        try:
            self.loop.run_forever()
        finally:
            left = asyncio.all_tasks(self.loop)
            for task in left:
                task.cancel()
            if left:
                self.loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
            self.loop.run_until_complete(self.loop.shutdown_asyncgens())
            self.loop.close()
