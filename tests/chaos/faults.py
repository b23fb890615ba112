"""The kinds of faults of a chaos run: how each strikes, and how it ends; when they strike is decided elsewhere."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Final

from tcnb.wire import codes

if TYPE_CHECKING:
    from tests.chaos.driver import Run

Fault = Callable[["Run", random.Random], AbstractContextManager[None]]

FAULTS: Final[dict[str, Fault]] = {}
"""By name: strikes on entering, and is over on leaving."""


def _fault(function: Callable[[Run, random.Random], Iterator[None]]) -> None:
    FAULTS[function.__name__.strip("_").replace("_", " ")] = contextmanager(function)


# -- the network -------------------------------------------------------------------------------------------------------


@_fault
def _reset_within_a_frame(run: Run, chance: random.Random) -> Iterator[None]:
    """What comes to the kernel ends at some byte, and the connection with it."""
    run.town.do(lambda server: run.town.network.cuts.update({True: chance.randrange(9, 2000)}))
    yield


@_fault
def _reset_within_a_request(run: Run, chance: random.Random) -> Iterator[None]:
    """What the kernel says ends at some byte, and the connection with it."""
    run.town.do(lambda server: run.town.network.cuts.update({False: chance.randrange(1, 400)}))
    yield


@_fault
def _blocks_doubled(run: Run, chance: random.Random) -> Iterator[None]:
    """Parts of what goes either way come twice, so that nothing behind them can be read."""
    run.town.do(lambda server: run.town.network.doubles.update({chance.random() < 0.7: chance.randint(1, 3)}))
    yield


@_fault
def _crumbled(run: Run, chance: random.Random) -> Iterator[None]:
    """Everything comes in pieces that are cut at any byte."""
    run.town.network.crumbles = True
    yield
    run.town.network.crumbles = False


@_fault
def _stalled(run: Run, chance: random.Random) -> Iterator[None]:
    """Nothing moves in one direction, and then everything at once."""
    run.town.do(lambda server: run.town.network.stall(down=chance.random() < 0.6))
    yield
    run.wait(chance.uniform(0.0, 3.0))
    run.town.do(lambda server: run.town.network.flow())


@_fault
def _half_closed(run: Run, chance: random.Random) -> Iterator[None]:
    """One end is told that nothing more comes, and the other is not."""
    run.town.do(lambda server: run.town.network.half_close(down=chance.random() < 0.5))
    yield


@_fault
def _reset(run: Run, chance: random.Random) -> Iterator[None]:
    """Every connection is reset."""
    run.town.do(lambda server: run.town.network.reset())
    yield


@_fault
def _half_open(run: Run, chance: random.Random) -> Iterator[None]:
    """The connection lets nothing through any more, and nobody says so."""
    run.town.do(lambda server: run.town.network.freeze())
    yield
    # The pings of the kernel find out.
    run.wait(3.5)


@_fault
def _delay(run: Run, chance: random.Random) -> Iterator[None]:
    """Everything takes longer on the way."""
    run.town.network.delay = chance.uniform(0.05, 0.4)
    yield
    run.town.network.delay = 0.0


# -- the server --------------------------------------------------------------------------------------------------------


@_fault
def _server_restart(run: Run, chance: random.Random) -> Iterator[None]:
    """The server ends, is away for a moment, and knows no token afterwards."""
    run.town.restart(chance.uniform(0.05, 1.0))
    yield


@_fault
def _closed_by_the_server(run: Run, chance: random.Random) -> Iterator[None]:
    """The server closes in order."""
    run.town.do(lambda server: server.close_connections(1001, "maintenance"))
    yield


@_fault
def _told_twice(run: Run, chance: random.Random) -> Iterator[None]:
    """Every notification comes twice, under two numbers."""
    run.town.do(lambda server: setattr(server.faults, "deliver_twice", True))
    yield
    run.town.do(lambda server: setattr(server.faults, "deliver_twice", False))


@_fault
def _told_out_of_order(run: Run, chance: random.Random) -> Iterator[None]:
    """Notifications overtake each other."""
    run.town.do(lambda server: setattr(server, "mixing", random.Random(chance.getrandbits(32))))
    yield
    run.town.do(lambda server: (server.let_go(), setattr(server, "mixing", None)))


@_fault
def _expired_token(run: Run, chance: random.Random) -> Iterator[None]:
    """Every token has ended."""
    run.town.do(lambda server: server.expire_tokens())
    if chance.random() < 0.5:
        run.town.do(lambda server: run.town.network.reset())
    yield


@_fault
def _refused_auth(run: Run, chance: random.Random) -> Iterator[None]:
    """The next logins are refused, as many as are not the end of it."""
    code = chance.choice((codes.INVALID_CREDENTIALS, codes.CREDENTIALS_EXPIRED, codes.INTERNAL_ERROR))
    run.town.do(lambda server: (server.fail_next("auth", code), server.drop_connections()))
    yield


@_fault
def _refused_connections(run: Run, chance: random.Random) -> Iterator[None]:
    """Tokens and sockets are refused for reasons that pass."""
    kind, status = chance.choice((("token", 502), ("token", 503), ("socket", 503), ("socket", 502)))
    run.town.do(lambda server: (server.fail_next_http(kind, status, times=2), server.drop_connections()))
    yield


@_fault
def _error_codes(run: Run, chance: random.Random) -> Iterator[None]:
    """Requests are refused with codes that pass."""
    method = chance.choice(("sendMessage", "getChatHistory", "getChats", "getUserDisplayName"))
    code = chance.choice((codes.INTERNAL_ERROR, 301, 100, 101))
    run.town.do(lambda server: server.fail_next(method, code, times=2))
    yield


@_fault
def _answer_lost(run: Run, chance: random.Random) -> Iterator[None]:
    """Sendings are carried out, and the connection breaks instead of the answer."""
    run.town.do(lambda server: server.drop_on_next("sendMessage", chance.randint(1, 2)))
    yield


@_fault
def _request_lost(run: Run, chance: random.Random) -> Iterator[None]:
    """Sendings wait in the server, and the connection breaks before they are carried out."""
    run.town.do(lambda server: server.delay_next("sendMessage", chance.uniform(0.1, 0.6), 2))
    yield
    run.town.do(lambda server: run.town.network.reset())


# -- the machine of the kernel -----------------------------------------------------------------------------------------


@_fault
def _kernel_killed(run: Run, chance: random.Random) -> Iterator[None]:
    """The kernel is killed where it stands, at rest or in the midst of it, and started again."""
    is_amidst = chance.random() < 0.6
    if not is_amidst:
        run.kill()
    yield
    if is_amidst:
        run.kill()


@_fault
def _machine_asleep(run: Run, chance: random.Random) -> Iterator[None]:
    """The kernel's process stands still and then goes on."""
    run.kernel.send_signal(signal.SIGSTOP)
    try:
        yield
        run.wait(chance.uniform(0.5, 4.0))
    finally:
        run.kernel.send_signal(signal.SIGCONT)


@_fault
def _clock_jump(run: Run, chance: random.Random) -> Iterator[None]:
    """The clock is set hours to and fro."""
    run.order("jump", seconds=chance.choice((-7200.0, -60.0, 60.0, 3600.0, 86_400.0)))
    yield
    if chance.random() < 0.5:
        run.order("jump", seconds=0.0)


@_fault
def _slow_disk(run: Run, chance: random.Random) -> Iterator[None]:
    """Every commit takes its time."""
    run.order("drag", seconds=chance.uniform(0.05, 0.8))
    yield
    run.order("drag", seconds=0.0)


@_fault
def _full_disk(run: Run, chance: random.Random) -> Iterator[None]:
    """The kernel's files can grow no more, by a limit of the system."""
    from resource import RLIM_INFINITY, RLIMIT_FSIZE, prlimit

    log = f"{run.journal}-wal"
    size = max(os.path.getsize(path) for path in (run.journal, log) if os.path.exists(path))  # noqa: PTH202, PTH110
    with contextlib.suppress(ProcessLookupError):
        prlimit(run.kernel.pid, RLIMIT_FSIZE, (size, RLIM_INFINITY))
    yield
    with contextlib.suppress(ProcessLookupError):
        prlimit(run.kernel.pid, RLIMIT_FSIZE, (RLIM_INFINITY, RLIM_INFINITY))


@_fault
def _stalled_writer(run: Run, chance: random.Random) -> Iterator[None]:
    """Another process holds the lock of the journal."""
    other = sqlite3.connect(run.journal, isolation_level=None, timeout=10.0)
    try:
        with contextlib.suppress(sqlite3.OperationalError):
            other.execute("BEGIN IMMEDIATE")
        started = time.monotonic()
        yield
        # Longer than the kernel waits for a lock.
        run.wait(max(0.0, 1.2 - (time.monotonic() - started)))
    finally:
        if other.in_transaction:
            other.execute("ROLLBACK")
        other.close()


if sys.platform != "linux":
    del FAULTS["full disk"]
