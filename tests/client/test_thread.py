"""Work that is handed to the bot's thread: what comes back, and what an interrupt and an end do to it."""

from __future__ import annotations

import asyncio
import gc
import signal
import threading
import weakref
from collections.abc import Iterator

import pytest

from tcnb.client.thread import BotThread
from tcnb.errors import NotConnectedError, UsageError

PATIENCE = 30.0


@pytest.fixture
def thread() -> Iterator[BotThread]:
    """A running thread."""
    thread = BotThread("tcnb test")
    yield thread
    thread.stop(PATIENCE)


async def _double(value: int) -> int:
    await asyncio.sleep(0)
    return 2 * value


async def _fail() -> None:
    raise ValueError("no")


def test_value_comes_back(thread: BotThread) -> None:
    """Whoever waits gets what the work returns."""
    assert thread.wait(_double(21)) == 42


def test_error_comes_back(thread: BotThread) -> None:
    """Whoever waits gets what the work raises."""
    with pytest.raises(ValueError, match="no"):
        thread.wait(_fail())


def test_error_lives_no_longer_than_its_handling(thread: BotThread) -> None:
    """An error that was raised and handled is not kept alive by the waiting."""

    class Own(Exception):
        """One that can be watched."""

    async def fail() -> None:
        raise Own

    gc.collect()
    gc.disable()
    try:
        with pytest.raises(Own) as caught:
            thread.wait(fail())
        watched = weakref.ref(caught.value)
        del caught
        asyncio.run_coroutine_threadsafe(_double(1), thread.loop).result()
        gc.enable()
        gc.collect()
        assert watched() is None
    finally:
        gc.enable()


@pytest.mark.skipif(threading.current_thread() is not threading.main_thread(), reason="signals reach the main thread")
def test_interrupt_ends_the_waiting_at_once_and_cancels_the_work(thread: BotThread) -> None:
    """The interrupt button gives the prompt back without waiting for a look, and the work is cancelled."""
    began, cancelled = threading.Event(), threading.Event()

    async def for_ever() -> None:
        began.set()
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    def press() -> None:
        began.wait(PATIENCE)
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    presser = threading.Thread(target=press)
    # A process that a shell started in the background ignores interrupts.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        presser.start()
        with pytest.raises(KeyboardInterrupt):
            thread.wait(for_ever())
        presser.join()
    finally:
        signal.signal(signal.SIGINT, before)
    assert cancelled.wait(PATIENCE)
    assert thread.wait(_double(1)) == 2


def test_end_of_the_thread_ends_the_waiting(thread: BotThread) -> None:
    """Whoever waits when the connection is closed is told so."""
    began = threading.Event()

    async def for_ever() -> None:
        began.set()
        await asyncio.Event().wait()

    def stop() -> None:
        began.wait(PATIENCE)
        thread.stop(PATIENCE)

    stopper = threading.Thread(target=stop)
    stopper.start()
    with pytest.raises(NotConnectedError, match="connect again"):
        thread.wait(for_ever())
    stopper.join()
    with pytest.raises(NotConnectedError):
        thread.wait(_double(1))


def test_work_that_the_loop_never_began_ends_too(thread: BotThread) -> None:
    """A thread that ends before it looks at its work leaves nobody waiting."""
    thread.loop.call_soon_threadsafe(thread.loop.stop)
    with pytest.raises(NotConnectedError):
        for _ in range(1000):
            thread.wait(_double(1))


def test_waiting_on_the_own_thread_is_refused(thread: BotThread) -> None:
    """A blocking verb inside the bot's own work would wait for itself."""

    async def block() -> None:
        thread.wait(_double(1))

    with pytest.raises(UsageError, match="wait for itself"):
        thread.wait(block())
