"""Threads that the end of the interpreter does not wait for, and waiting that an interrupt leaves at once."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from tcnb import threads
from tcnb.threads import Workers, call, interruptible, new_thread, to_thread, undisturbed

PATIENCE = 30.0

in_main_thread = pytest.mark.skipif(
    threading.current_thread() is not threading.main_thread(), reason="signals reach the main thread"
)


@pytest.fixture
def workers() -> Iterator[Workers]:
    """A pool of two threads."""
    with Workers(2, "tcnb test") as pool:
        yield pool


def test_calls_run_beside_each_other(workers: Workers) -> None:
    """As many calls run at the same time as there may be threads, and what they return or raise comes back."""
    both = threading.Barrier(2)
    assert [future.result(PATIENCE) for future in [workers.submit(both.wait, PATIENCE) for _ in range(2)]]
    with pytest.raises(ZeroDivisionError):
        workers.submit(lambda: 1 / 0).result(PATIENCE)
    assert list(workers.map(abs, range(-50, 0))) == list(range(50, 0, -1))


def test_one_thread_does_one_call_after_the_other(workers: Workers) -> None:
    """A thread that waits is used before another one is started."""
    assert len({workers.submit(threading.get_ident).result(PATIENCE) for _ in range(3)}) <= 2


def test_threads_end_when_there_is_nothing_to_do(workers: Workers, monkeypatch: pytest.MonkeyPatch) -> None:
    """A thread that nobody needs any more ends, and the next call starts another one."""
    monkeypatch.setattr(threads, "IDLE", 0.01)
    first = workers.submit(threading.current_thread).result(PATIENCE)
    first.join(PATIENCE)
    assert not first.is_alive()
    assert workers.submit(abs, -1).result(PATIENCE) == 1


def test_shutdown_cancels_what_has_not_begun() -> None:
    """What waits for a thread can be cancelled at the end; nothing is taken afterwards."""
    pool, is_over = Workers(1, "tcnb test"), threading.Event()
    began = threading.Event()
    running = pool.submit(lambda: (began.set(), is_over.wait()))
    assert began.wait(PATIENCE)
    waiting = pool.submit(abs, 1)
    pool.shutdown(wait=False, cancel_futures=True)
    assert waiting.cancelled()
    with pytest.raises(RuntimeError, match="after shutdown"):
        pool.submit(abs, 1)
    is_over.set()
    assert running.result(PATIENCE)


def test_end_of_the_interpreter_waits_for_no_call() -> None:
    """A script ends while calls in a pool, beside a loop and on threads of their own block for ever."""
    program = (
        "import asyncio, threading\nfrom tcnb import threads\nfrom tcnb.client.thread import BotThread\n"
        "began = threading.Barrier(4)\n"
        "def block():\n    began.wait()\n    threading.Event().wait()\n"
        "threads.Workers(1, 'pool').submit(block)\nthreads.started(block, name='own')\n"
        "asyncio.run_coroutine_threadsafe(asyncio.to_thread(block), BotThread('bot').loop)\n"
        "began.wait()\nprint('ended')"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("ended\n", "")


def test_debuggers_leave_threads_alone() -> None:
    """A thread has the attributes by which debuggers know what to leave alone, unless people's functions run on it."""
    for debuggable in (False, True):
        thread = new_thread(abs, 1, name="tcnb test", debuggable=debuggable)
        marked = [hasattr(thread, name) for name in ("pydev_do_not_trace", "is_pydev_daemon_thread")]
        assert marked == [not debuggable] * 2


def test_thread_is_not_stopped_while_it_holds_what_the_bot_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a debugger in the process, a thread that reads the record is left alone for that moment."""
    monkeypatch.setitem(sys.modules, "pydevd", threading)
    thread = threading.current_thread()
    with undisturbed():
        with undisturbed():
            assert thread.pydev_do_not_trace  # type: ignore[attr-defined]
        assert thread.pydev_do_not_trace  # type: ignore[attr-defined]
    assert not thread.pydev_do_not_trace  # type: ignore[attr-defined]


def test_call_beside_a_loop() -> None:
    """A function that blocks is called beside a loop, in the context of whoever awaits it."""

    async def main() -> str:
        return await to_thread(lambda: threading.current_thread().name)

    assert asyncio.run(main()).startswith("tcnb beside")


def test_cancelled_waiting_interrupts_what_is_waited_for() -> None:
    """What loops in Python is interrupted where nobody waits for it any more, before the waiting ends."""
    began = threading.Event()
    seen: list[threading.Thread] = []

    def ask() -> None:
        seen.append(threading.current_thread())
        began.set()
        while True:
            threading.Event().wait(0.01)

    async def main() -> None:
        task = asyncio.create_task(interruptible(ask, name="tcnb test"))
        await to_thread(began.wait)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not seen[0].is_alive()

    asyncio.run(main())


@in_main_thread
def test_interrupt_stops_a_call_that_hears_none() -> None:
    """An interrupt asks a library to end what it does, waits for that, and is raised."""
    is_stopped, ended = threading.Event(), threading.Event()

    def compute() -> None:
        os.kill(os.getpid(), signal.SIGINT)
        is_stopped.wait()
        ended.set()

    with pytest.raises(KeyboardInterrupt):
        call(compute, name="tcnb test", stop=is_stopped.set)
    assert ended.is_set()


@in_main_thread
def test_interrupt_leaves_a_call_that_cannot_be_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    """What nobody can stop is left to itself."""
    monkeypatch.setattr(threads, "STOPPING", 0.05)
    is_over = threading.Event()

    def compute() -> None:
        os.kill(os.getpid(), signal.SIGINT)
        is_over.wait()

    with pytest.raises(KeyboardInterrupt):
        call(compute, name="tcnb test", stop=lambda: None)
    is_over.set()


def test_call_raises_what_the_function_raises() -> None:
    """Errors come back as they are."""
    with pytest.raises(ZeroDivisionError):
        call(lambda: 1 / 0, name="tcnb test")
