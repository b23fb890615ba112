"""Work that is handed to the bot's thread: what comes back, and what an interrupt and an end do to it."""

from __future__ import annotations

import asyncio
import gc
import queue
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
    thread.stop(0.0)
    with pytest.raises(NotConnectedError):
        for _ in range(1000):
            thread.wait(_double(1))


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt()])
def test_task_that_wants_to_end_the_process_ends_no_loop(error: BaseException) -> None:
    """What a task raises to end the process is told, and everything else on the loop goes on."""
    told: queue.Queue[BaseException] = queue.Queue()
    thread = BotThread("tcnb test", on_error=lambda error, _: told.put(error))
    goes_on = asyncio.Event()

    async def leave() -> None:
        raise error

    async def other() -> int:
        await goes_on.wait()
        return 5

    going = thread.submit(other())
    thread.submit(leave())
    assert told.get(timeout=PATIENCE) is error
    thread.loop.call_soon_threadsafe(goes_on.set)
    assert going.result(PATIENCE) == 5
    thread.stop(PATIENCE)


def test_stopping_a_loop_that_is_not_ones_own_is_told() -> None:
    """Something that stops the loop is told so, and the loop goes on."""
    told: queue.Queue[BaseException] = queue.Queue()
    thread = BotThread("tcnb test", on_error=lambda error, _: told.put(error))
    thread.loop.call_soon_threadsafe(thread.loop.stop)
    assert "leave that out" in str(told.get(timeout=PATIENCE))
    assert thread.wait(_double(21)) == 42
    thread.stop(PATIENCE)


def test_error_that_nobody_awaits_is_told() -> None:
    """What fails in a callback or in a forgotten task is told instead of being logged only."""
    told: queue.Queue[BaseException] = queue.Queue()
    thread = BotThread("tcnb test", on_error=lambda error, _: told.put(error))
    thread.loop.call_soon_threadsafe(lambda: 1 // 0)
    assert isinstance(told.get(timeout=PATIENCE), ZeroDivisionError)

    async def forget() -> None:
        asyncio.get_running_loop().create_task(_fail())
        await asyncio.sleep(0)

    thread.wait(forget())
    gc.collect()
    assert isinstance(told.get(timeout=PATIENCE), ValueError)
    thread.stop(PATIENCE)


def test_loop_that_is_damaged_ends_and_says_so() -> None:
    """A loop that cannot run any more is not run for ever: its end is told, and nobody waits for it."""
    ended: queue.Queue[BaseException] = queue.Queue()
    thread = BotThread("tcnb test", on_error=lambda error, _: None, on_end=ended.put)
    waiting = thread.submit(asyncio.sleep(3600))
    thread.loop.call_soon_threadsafe(lambda: thread.loop._selector.close())  # type: ignore[attr-defined]
    with pytest.raises(NotConnectedError):
        waiting.result(PATIENCE)
    assert isinstance(ended.get(timeout=PATIENCE), Exception)
    with pytest.raises(NotConnectedError):
        thread.wait(_double(1))


def test_what_is_cancelled_at_the_end_may_refuse_in_any_way() -> None:
    """The loop is closed although one task begins another, and one raises, when they are cancelled."""
    thread = BotThread("tcnb test", on_error=lambda error, _: None)
    began = threading.Event()

    async def leave_late() -> None:
        began.set()
        try:
            await asyncio.Event().wait()
        finally:
            asyncio.get_running_loop().create_task(asyncio.sleep(3600))
            raise SystemExit

    thread.submit(leave_late())
    assert began.wait(PATIENCE)
    thread.stop(PATIENCE)
    assert thread.loop.is_closed()


def test_waiting_on_the_own_thread_is_refused(thread: BotThread) -> None:
    """A blocking verb inside the bot's own work would wait for itself."""

    async def block() -> None:
        thread.wait(_double(1))

    with pytest.raises(UsageError, match="wait for itself"):
        thread.wait(block())
