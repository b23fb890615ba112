"""What a forked child can do with the sessions of its parent: read what was known, and nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from tcnb.locks import fork_safe

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")

BEGIN = """
import os, signal, sys, tcnb, warnings
warnings.simplefilter("ignore")
tc = tcnb.connect("127.0.0.1", username="robot", password="robot", https=False, web_port={port}, journal={journal!r})
tc.send("alice", "before")
len(tc.df)  # which waits for what came before

def in_child(work):
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        signal.alarm(60)  # a child that hangs is a failure, and no process that is left over
        work()
        sys.exit(0)
    return os.waitpid(child, 0)[1]
"""


def outcome(code: str, practice, journal: Path | None = None) -> str:
    """Run a script with a session and return what it printed; it must print nothing else and end well."""
    script = BEGIN.format(port=practice.port, journal=None if journal is None else str(journal)) + textwrap.dedent(code)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_child_reads_what_its_parent_knew(practice, tmp_path):
    """The frames, the status and the representation are there in a child, and in the workers of a pool that forks."""
    code = """
        import multiprocessing

        def read():
            for name in ("df", "messages", "chats", "people", "files", "edits"):
                len(getattr(tc, name))
            print(tc.messages.text.tolist(), len(tc.since("1h")) > 0, tc.state["state"], tc.is_open)
            print("closed" in repr(tc), "belongs to the process" in repr(tc.status()))

        def count(_):
            return len(tc.messages)

        print(in_child(read))
        with multiprocessing.get_context("fork").Pool(2) as pool:
            print(pool.map(count, range(4)))
        tc.close()
    """
    said = outcome(code, practice, tmp_path / "journal.sqlite")
    assert said == "['before'] True closed False\nTrue True\n0\n[1, 1, 1, 1]\n"


VERBS = (
    *("tc.send('alice', 'x')", "tc.wait_for(timeout=None)", "tc.history('alice')", "tc.refresh()"),
    *("asyncio.run(tc.asend('alice', 'x'))", "asyncio.run(tc.bot.get_chats())"),
    "asyncio.run(tc.await_for(timeout=None))",
)


def test_child_cannot_use_the_connection(practice):
    """What needs the bot says in a child whose connection it is, and waits for nothing."""
    code = f"""
        import asyncio

        def use():
            for verb in {VERBS!r}:
                try:
                    eval(verb)
                except tcnb.errors.NotConnectedError as error:
                    print(error)

        print(in_child(use))
        tc.close()
    """
    line = "this connection belongs to the process that opened it: connect again in this one\n"
    assert outcome(code, practice) == line * len(VERBS) + "0\n"


def test_end_of_a_child_leaves_the_parent_alone(practice, tmp_path):
    """A child that closes, ends and is collected takes neither socket nor journal from its parent."""
    code = """
        import gc

        def end():
            global tc
            tc.close()
            del tc
            gc.collect()

        statuses = [in_child(end) for _ in range(3)]
        tc.send("alice", "after")
        print(statuses, tc.messages.text.tolist(), tc.status().reconnects, tc.status().journal_problem)
        tc.close()
    """
    assert outcome(code, practice, tmp_path / "journal.sqlite") == "[0, 0, 0] ['before', 'after'] 0 None\n"


def _status_of_child(work: Callable[[], bool]) -> int:
    child = os.fork()
    if child == 0:
        try:
            os._exit(0 if work() else 1)
        finally:
            os._exit(2)
    return os.waitpid(child, 0)[1]


@pytest.mark.parametrize("make", [threading.Lock, threading.RLock])
def test_lock_of_another_thread_is_free_in_a_child(make):
    """A lock that a thread holds while another one forks can be taken in the child, and is still held in the parent."""
    lock = fork_safe(make())
    is_held, is_over = threading.Event(), threading.Event()

    def hold():
        with lock:
            is_held.set()
            is_over.wait()

    thread = threading.Thread(target=hold)
    thread.start()
    is_held.wait()
    assert _status_of_child(lambda: lock.acquire(timeout=0)) == 0
    assert not lock.acquire(timeout=0)
    is_over.set()
    thread.join()
    assert lock.acquire(timeout=0)


def test_fork_waits_until_what_is_read_is_whole():
    """What a lock guards is never half-done in a child that reads it, and the lock is free on both sides."""
    lock = fork_safe(threading.Lock(), whole=True)
    is_over = threading.Event()
    pair = [0, 0]

    def change():
        while not is_over.is_set():
            with lock:
                pair[0] += 1
                pair[1] += 1

    threads = [threading.Thread(target=change) for _ in range(2)]
    for thread in threads:
        thread.start()
    statuses = [_status_of_child(lambda: pair[0] == pair[1] and lock.acquire(timeout=0)) for _ in range(20)]
    is_over.set()
    for thread in threads:
        thread.join()
    assert statuses == [0] * 20
    assert lock.acquire(timeout=0)


def test_threads_that_fork_at_once_wait_for_each_other():
    """Forks from several threads, with several locks, all come to an end."""
    locks = [fork_safe(threading.Lock(), whole=True) for _ in range(8)]
    statuses: list[int] = []

    def fork():
        for _ in range(5):
            statuses.append(_status_of_child(lambda: all(lock.acquire(timeout=0) for lock in locks)))

    threads = [threading.Thread(target=fork) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [0] * 20
    assert all(lock.acquire(timeout=0) for lock in locks)
