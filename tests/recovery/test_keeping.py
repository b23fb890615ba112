"""Keeping the connection: silence, sleep, clocks, a paused reader; which failures are worth another try, and what is
counted.
"""

from __future__ import annotations

import asyncio
from itertools import islice, pairwise

import pytest

from tcnb.client import clocks
from tcnb.client import connection as connections
from tcnb.client import socket as sockets
from tcnb.client.connection import State, delays, is_worth_another_try
from tcnb.client.link import Link
from tcnb.errors import (
    AuthenticationError,
    CertificateError,
    InvalidGrantError,
    RequestTimeoutError,
    TokenValidationError,
    WSConnectionError,
)
from tcnb.practice.tokens import TokenOffice
from tests.conftest import PATIENCE

REAL_DELAYS = delays


# -- silence ---------------------------------------------------------------------------------------------------------


async def test_silent_server_is_found_by_pings(network, connect, monkeypatch):
    """A connection on which nothing comes any more is given up and made again, although nobody waits for anything."""
    monkeypatch.setattr(connections, "PING_INTERVAL", 0.05)
    monkeypatch.setattr(connections, "PING_TIMEOUT", 0.5)
    robot = await connect()
    network.silence()
    await robot.until(lambda: robot.statistics.connects >= 2)
    assert "did not answer a ping" in robot.statistics.breaks[-1][1]


async def test_anything_that_is_read_is_a_sign_of_life(server, robot, chat):
    """A pong that is late behind other frames is no reason to give a connection up."""
    link = robot.connection._link

    async def lost_pong():
        return asyncio.get_running_loop().create_future()

    link.socket.ping = lost_pong
    answering = asyncio.create_task(link._is_answering(PATIENCE))
    await asyncio.sleep(0)
    await robot.bot.get_chats()
    link._ping.reschedule(0.0)  # the time is up, now that something was read
    assert await answering
    assert not await link._is_answering(0.05)


async def test_paused_reading_kills_no_connection(server, network, connect, monkeypatch):
    """While nothing is read no pong can be, so its absence says nothing and the connection is kept."""
    monkeypatch.setattr(sockets, "PEEK_INTERVAL", 3600.0)
    robot = await connect()
    link = robot.connection._link
    outcomes = []
    answering = Link._is_answering
    enough = asyncio.Event()

    async def watched(self, within):
        before = robot.statistics.latencies.copy()
        outcomes.append((await answering(self, within), robot.statistics.latencies == before))
        if outcomes.count((True, True)) >= 3:
            enough.set()
        return outcomes[-1][0]

    monkeypatch.setattr(Link, "_is_answering", watched)
    link.socket.pause_reading()
    # Impatient only as long as nothing is read: otherwise a machine that is loaded by others would be given up.
    pinging = asyncio.create_task(link.keep_alive(0.02, 0.05))
    await asyncio.wait_for(enough.wait(), PATIENCE)
    pinging.cancel()
    assert not robot.statistics.breaks
    link.socket.resume_reading()
    await robot.bot.get_chats()
    assert robot.statistics.connects == 1


async def test_paused_reading_still_answers_pings(connect, server, monkeypatch):
    """Now and then one read is let through, so a server that drops silent clients keeps this one."""
    monkeypatch.setattr(sockets, "PEEK_INTERVAL", 0.02)
    robot = await connect()
    socket = robot.connection._link.socket
    (session,) = server.sessions
    socket.pause_reading()
    pongs = asyncio.Event()
    monkeypatch.setattr(session.transport, "on_pong", lambda data: pongs.set())
    session.transport.ping(b"")
    await asyncio.wait_for(pongs.wait(), 30)
    assert socket.is_paused


async def test_paused_reading_still_gets_answers(connect, chat, monkeypatch):
    """A sending while the journal's disk is full gets its answer."""
    monkeypatch.setattr(sockets, "PEEK_INTERVAL", 0.02)
    robot = await connect()
    robot.connection._link.socket.pause_reading()
    assert (await robot.bot.send_message(chat, "hello")).message_id
    assert robot.connection._link.socket.is_paused


async def test_flood_waits_while_reading_is_paused(connect, server, chat, monkeypatch):
    """What a peek lets through is one read, not everything that waits."""
    monkeypatch.setattr(sockets, "PEEK_INTERVAL", 3600.0)
    robot = await connect()
    socket = robot.connection._link.socket
    socket.pause_reading()
    before = len(robot.told)
    session = server.sessions_of("robot")[0]
    for _ in range(3000):
        session.notify("strange", b'"' + b"x" * 1000 + b'"')
    flood = asyncio.create_task(session.transport.drain())
    socket._peek()
    await robot.until(lambda: len(robot.told) > before)
    assert len(robot.told) - before <= 300
    socket.resume_reading()
    await robot.until(lambda: len(robot.told) == before + 3000)
    await flood


async def test_reconnect_is_counted_before_it_is_told(network, robot, monkeypatch):
    """Who hears that the connection is back, on whatever thread, finds that in the numbers."""
    seen = []
    tell = robot.connection._on_state

    def note(state):
        seen.append((state.state, len(robot.statistics.reconnects)))
        tell(state)

    monkeypatch.setattr(robot.connection, "_on_state", note)
    network.cut()
    await robot.until(lambda: len(seen) == 2)
    assert seen == [("reconnecting", 0), ("connected", 1)]


# -- sleep and clocks ------------------------------------------------------------------------------------------------


@pytest.fixture
def slept(monkeypatch):
    """Makes the machine believe that it slept for an hour."""
    hours = [0]
    monkeypatch.setattr(clocks, "TICK", 0.02)
    real = clocks.wall
    monkeypatch.setattr(clocks, "wall", lambda: real() + 3600 * hours[0])

    def sleep(hour=1):
        hours[0] += hour

    return sleep


async def test_connection_that_died_in_a_sleep_is_found_at_once(network, connect, slept, monkeypatch):
    """After a sleep the server is pinged at once, not when the next ping is due."""
    monkeypatch.setattr(connections, "WAKE_TIMEOUT", 0.2)
    robot = await connect()
    network.silence()
    slept()
    await robot.until(lambda: robot.statistics.connects == 2)
    assert robot.statistics.wakes == 1


async def test_wait_between_two_tries_ends_with_a_sleep(network, connect, slept, monkeypatch):
    """Whoever opens the lid does not wait for a long back-off to end."""
    monkeypatch.setattr(connections, "delays", lambda: iter([3600.0] * 9))
    robot = await connect()
    network.cut()
    await robot.until(lambda: robot.connection.state.state == "reconnecting")
    slept()
    await robot.until(lambda: robot.connection.state.state == "connected")


@pytest.mark.parametrize("hours", [1, -1])
async def test_clock_that_is_set_breaks_nothing(network, robot, chat, said, slept, monkeypatch, hours):
    """A jump of the clock, forward or back, costs a ping; what is lost after it is found or sent as ever."""
    slept(hours)
    await robot.bot.send_message(chat, "one")
    network.lose_next()
    await robot.bot.send_message(chat, "two")
    assert said() == ["one", "two"]


@pytest.mark.parametrize(
    ("wall", "loop", "slept"),
    [(2.0, 2.0, False), (4.5, 4.5, False), (3600.0, 2.0, True), (-3600.0, 2.0, True), (60.0, 60.0, True)],
)
def test_sleep_is_told_from_two_clocks(monkeypatch, wall, loop, slept):
    """A distance between the clocks is a sleep, or a clock that was set; so is a look that comes far too late."""
    now = [1000.0]
    monkeypatch.setattr(clocks, "wall", lambda: now[0])
    detector = clocks.SuspendDetector(50.0)
    now[0] += wall
    assert detector.was_suspended(50.0 + loop) is slept


def test_server_clock_is_learned_from_stamps():
    """The stamps of a server whose clock is an hour ahead are expected an hour ahead."""
    clock = clocks.ServerClock()
    clock.stamped(1_000_000 + 3_600_000, 1000.0, 1000.2)
    assert clock.earliest(2000.0) == 2_000_000 + 3_600_000 - 200 - clocks.CLOCK_MARGIN
    assert clock.latest(2000.0) == 2_000_000 + 3_600_000 + 1 + clocks.CLOCK_MARGIN


def test_server_clock_that_was_set_is_learned_anew():
    """Stamps that exclude what was learned replace it."""
    clock = clocks.ServerClock()
    clock.stamped(1_000_000, 1000.0, 1000.1)
    clock.stamped(9_100_000, 1100.0, 1100.1)
    assert clock.earliest(2000.0) > 9_900_000


def test_server_clock_from_a_handshake(monkeypatch):
    """A `Date` header tells the clock to the second; one that cannot be read, or is of another age, tells nothing."""
    monkeypatch.setattr(clocks, "wall", lambda: 784_111_777.0 + 3600)
    clock = clocks.ServerClock()
    clock.dated("tomorrow", 0.0, 0.1)
    clock.dated(None, 0.0, 0.1)
    for year in ("0001", "1960", "1995", "9999"):
        clock.dated(f"Sun, 06 Nov {year} 08:49:37 GMT", 0.0, 0.1)
    assert not clock.is_measured
    clock.dated("Sun, 06 Nov 1994 08:49:37 GMT", 100.0, 100.5)
    assert clock.earliest(100.5) == 784_111_777_000 - clocks.CLOCK_MARGIN


# -- which failures are worth another try ----------------------------------------------------------------------------


def refused_token(renewable):
    """Return the refusal of a token."""
    error = TokenValidationError("refused")
    error.renewable = renewable
    return error


@pytest.mark.parametrize(
    ("error", "refusals", "again"),
    [
        (WSConnectionError("away"), 0, True),
        (RequestTimeoutError("slow"), 0, True),
        (CertificateError("unknown"), 0, True),
        (OSError(101, "Network is unreachable"), 0, True),
        (InvalidGrantError("wrong"), 1, True),
        (InvalidGrantError("wrong"), 2, True),
        (InvalidGrantError("wrong"), 3, False),
        (AuthenticationError("disabled"), 3, False),
        (refused_token(renewable=True), 1, True),
        (refused_token(renewable=False), 1, False),
    ],
)
def test_which_failures_are_worth_another_try(error, refusals, again):
    """Networks heal, credentials do not."""
    assert is_worth_another_try(error, refusals) is again


async def test_tokens_that_expire_again_and_again_are_no_refusal(network, server, robot, monkeypatch):
    """An expired token says nothing against the password, however often that happens in a row."""
    get, expired = robot.tokens.get, []

    async def expiring():
        token = await get()
        if len(expired) < 5:
            expired.append(token)
            server.expire_tokens()
        return token

    monkeypatch.setattr(robot.tokens, "get", expiring)
    network.cut()
    await robot.until(lambda: robot.statistics.connects == 2)
    assert len(expired) == 5


async def test_ready_token_that_expires_ends_it(network, server, robot, monkeypatch):
    """Where no fresh token can be had, the reason is told to every caller."""
    monkeypatch.setattr(robot.tokens, "_password", None)
    server.expire_tokens()
    network.cut()
    await robot.until(lambda: robot.connection.state.state == "closed")
    with pytest.raises(TokenValidationError, match="get a new one"):
        await robot.bot.get_chats()


async def test_token_that_a_restarted_server_does_not_know_costs_no_wait(network, server, robot, monkeypatch):
    """A fresh token is fetched and tried at once, however long the waits between tries have become."""
    monkeypatch.setattr(connections, "delays", lambda: iter([0.0, 3600.0]))
    monkeypatch.setattr(server, "office", TokenOffice())
    network.cut()
    await robot.until(lambda: robot.statistics.connects == 2)


async def test_expired_token_is_told_by_its_public_name(connect, server, monkeypatch):
    """A first login that is refused for an expired token is the error that the page of errors has."""
    authorize = connections.Connection._authorize

    async def late(self, link, token):
        server.expire_tokens()
        await authorize(self, link, token)

    monkeypatch.setattr(connections.Connection, "_authorize", late)
    with pytest.raises(TokenValidationError) as caught:
        await connect()
    assert type(caught.value) is TokenValidationError


def test_delays_grow_and_differ():
    """Waits begin below a second, grow to a minute, and are not the same for two clients."""
    one, two = (list(islice(REAL_DELAYS(), 12)) for _ in range(2))
    assert one[0] < 1
    assert all(later >= earlier for earlier, later in pairwise(one))
    assert one[-1] == two[-1] == connections.LONGEST_DELAY
    assert one != two


async def test_pauses_go_on_growing_behind_connections_that_do_not_last(network, connect, monkeypatch):
    """A server that ends each session soon is asked less and less often."""
    taken = []

    def noted():
        for delay in range(100):
            taken.append(delay)
            yield 0.0

    monkeypatch.setattr(connections, "delays", noted)
    robot = await connect()
    for connects in (2, 3, 4):
        network.cut()
        await robot.until(lambda connects=connects: robot.statistics.connects == connects)
        await robot.until(lambda: robot.connection.state.state == "connected")
    assert taken == [0, 1, 2]
    assert robot.connection.short_lived == 3


async def test_pauses_start_anew_after_a_connection_that_lasted(network, connect, monkeypatch):
    """A break after a long time is healed at once, whatever was before."""
    taken = []

    def noted():
        for delay in range(100):
            taken.append(delay)
            yield 0.0

    monkeypatch.setattr(connections, "delays", noted)
    robot = await connect()
    for connects, lasting in ((2, 3600.0), (3, 0.0), (4, 3600.0)):
        monkeypatch.setattr(connections, "STEADY", lasting)
        network.cut()
        await robot.until(lambda connects=connects: robot.statistics.connects == connects)
        await robot.until(lambda: robot.connection.state.state == "connected")
    assert taken == [0, 0, 1]


# -- what is counted -------------------------------------------------------------------------------------------------


async def test_reconnects_are_kept_with_reason_and_length(server, robot):
    """Each break that was healed is kept with when, why, for how long and after how many tries."""
    server.fail_next_http("socket", 502)
    server.close_connections(1012, "restart")
    await robot.until(lambda: robot.statistics.connects == 2)
    await robot.until(lambda: robot.statistics.reconnects)
    (reconnect,) = robot.statistics.reconnects
    assert "1012" in reconnect.reason
    assert reconnect.attempts == 2
    assert reconnect.seconds >= 0
    assert reconnect.at == robot.statistics.breaks[-1][0]


async def test_acknowledgements_and_pings_are_counted(server, robot, chat):
    """What was acknowledged and how long pings take is counted."""
    before = robot.statistics.acknowledged
    server.world.say(server.world.user("alice@practice.local"), chat, "hello")
    server.deliver()
    await server.until(lambda: server.is_settled("robot"))
    assert robot.statistics.acknowledged == before + 1
    assert robot.statistics.latency == robot.statistics.latencies[-1] == robot.connection.latency


async def test_states_are_told(network, robot):
    """Whoever listens hears of the break with its reason, and of the new connection."""
    states: list[State] = []
    robot.connection._on_state = states.append
    network.cut()
    robot.connection._on_state = lambda state: (states.append(state), robot._state(state))
    await robot.until(lambda: len(states) >= 2)
    assert [state.state for state in states[:2]] == ["reconnecting", "connected"]
    assert states[0].reason == "the connection broke"
