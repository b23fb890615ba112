"""What nobody expects to go wrong: listeners that raise, tasks and threads of a session that end before their time."""

from __future__ import annotations

import asyncio
import contextlib
import queue
import sys

import pytest

import tcnb
from tcnb.client.link import Link
from tcnb.errors import JournalError, NotConnectedError
from tcnb.journal.journal import Journal
from tcnb.record import intake
from tcnb.record.record import Record
from tests.conftest import PATIENCE
from tests.session.test_session import texts


@contextlib.contextmanager
def failing(monkeypatch, owner, name, times, error=RuntimeError):
    """Have a method raise as often as is said, and do what it always does afterwards."""
    left = [times]
    real = getattr(owner, name)

    def method(self, *args, **kwargs):
        if left[0]:
            left[0] -= 1
            raise error("nobody expected this")
        return real(self, *args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(owner, name, method)
        yield


# -- listeners ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("error", [SystemExit, KeyboardInterrupt, asyncio.CancelledError, GeneratorExit, ValueError])
def test_listener_that_raises_ends_nothing(tc, alice, until, error):
    """What a listener raises is a failure with its name, and others are told as ever."""
    chat = alice.group("Release crew", "robot")

    def on_grown():
        raise error("from a listener")

    remove = tc.on_rows(on_grown)
    alice.say(chat, "hello")
    until(tc, lambda: tc.router.failures and "hello" in texts(tc))
    remove()
    failure = tc.router.failures[-1]
    assert (failure.handler, failure.event) == ("on_grown", "on_rows")
    assert "from a listener" in failure.error
    assert tc.status().handler_failures >= 1
    assert "handler failures" in repr(tc.status())
    assert tc.send(chat, "works").message_id


def test_listener_may_cancel_the_task_it_finds(practice, tc, until):
    """A listener is called where no task of the session's own is at work."""
    noted = queue.Queue()
    tc.on_failure(noted.put)
    tc.on_state(lambda state: asyncio.current_task().cancel())
    practice.call(lambda server: server.drop_connections("robot"))
    until(tc, lambda: tc.status().reconnects == 1 and tc.state["state"] == "connected")
    assert noted.get(timeout=PATIENCE).event == "on_state"
    assert tc.send("alice", "works").message_id


def test_listener_to_failures_that_fails_is_not_told_of_itself(tc, alice, until):
    """Its failure is kept like any other, once for each failure of a handler."""
    tc.on_failure(lambda failure: sys.exit(3))
    tc.router.message()(lambda message: 1 / 0)
    alice.say(alice.group("Release crew", "robot"), "hello")
    until(tc, lambda: len(texts(tc)))
    tc._wait(_turns(50))
    assert [failure.event for failure in tc.router.failures] == ["message", "on_failure"]


async def _turns(number):
    for _ in range(number):
        await asyncio.sleep(0.01)


# -- tasks of the connection -------------------------------------------------------------------------------------------


def test_pings_that_fail_are_begun_again_on_a_new_connection(practice, connect, until, monkeypatch):
    """A connection whose pings have ended would never be found dead: it is made anew, and the reason is kept."""
    with failing(monkeypatch, Link, "_is_answering", 1):
        tc = connect()
        until(tc, lambda: tc.status().reconnects == 1 and tc.state["state"] == "connected")
    status = tc.status()
    assert status.internal_errors == 1
    assert status.last_internal_error == "the pings: RuntimeError: nobody expected this"
    assert "last internal error" in repr(status)
    assert tc.router.failures[0].event == "the pings"


def test_tasks_that_something_cancels_go_on(practice, tc, until):
    """Something on the bot's loop that cancels every task it finds costs a reconnect, and nothing else."""

    def cancel_everything():
        for task in asyncio.all_tasks(tc.loop):
            task.cancel()

    tc.loop.call_soon_threadsafe(cancel_everything)
    until(tc, lambda: tc.status().reconnects == 1 and tc.state["state"] == "connected")
    practice.call(lambda server: server.drop_connections("robot"))
    until(tc, lambda: tc.status().reconnects == 2 and tc.state["state"] == "connected")
    assert tc.status().internal_errors == 3  # the keeping of the connection, its pings, and the watch for a sleep
    assert tc.send("alice", "works").message_id


def test_work_in_the_background_that_fails_is_noted(connect, alice, until, monkeypatch):
    """An error in asking for a name is kept, and costs the name alone."""
    tc, noted = connect(), queue.Queue()
    tc.on_failure(noted.put)
    with failing(monkeypatch, Record, "learn_person", 1):
        alice.say(alice.group("Release crew", "robot"), "hello")
        noted.get(timeout=PATIENCE)
    until(tc, lambda: "hello" in texts(tc))
    assert "in the background" in tc.status().last_internal_error


# -- threads -----------------------------------------------------------------------------------------------------------


def test_bots_loop_goes_on_whatever_is_called_on_it(tc, alice, until):
    """Stopping the bot's loop, or leaving on it, is noted, and the session stays connected."""
    chat = alice.group("Release crew", "robot")
    for number, (deed, *args) in enumerate([(tc.loop.stop,), (sys.exit, 3)], 1):
        tc.loop.call_soon_threadsafe(deed, *args)
        alice.say(chat, f"hello {number}")
        until(tc, lambda n=number: f"hello {n}" in texts(tc) and tc.status().internal_errors == n)
    assert tc.send(chat, "works").message_id
    assert tc.status().reconnects == 0


def test_bots_loop_that_is_broken_ends_the_session_loudly(tc):
    """A session whose loop cannot go on says so: its state, its status, and every verb."""
    tc.loop.call_soon_threadsafe(lambda: tc.loop._selector.close())
    with pytest.raises(NotConnectedError, match="connect again"):
        tc.send("alice", "hello")
    tc._thread._thread.join(30)
    assert tc.state["state"] == "closed"
    assert "the bot's thread has ended" in tc.state["reason"]
    assert not tc.is_open
    tc.close()


def test_journal_goes_on_after_an_error_that_passes(connect, alice, until, monkeypatch):
    """What could not be committed for a reason that nobody expected is tried again, and nothing is lost."""
    tc = connect()
    chat = alice.group("Release crew", "robot")
    with failing(monkeypatch, Journal, "append", 2):
        alice.say(chat, "hello")
        until(tc, lambda: "hello" in texts(tc))
    status = tc.status()
    assert (status.internal_errors, status.journal_problem) == (2, None)
    assert status.last_internal_error.startswith("the journal: RuntimeError")


def test_journal_that_has_ended_ends_the_session_loudly(connect, alice, practice, until, monkeypatch):
    """A session that can keep nothing more does not stay connected; what it did not take waits on the server."""
    monkeypatch.setattr(intake, "FIRST_PAUSE", 0.0)
    tc = connect()
    chat = alice.group("Release crew", "robot")
    until(tc, lambda: "added_chat_participant" in set(tc.df["event"]))
    with failing(monkeypatch, Journal, "append", 1000):
        alice.say(chat, "hello")
        until(tc, lambda: tc.state["state"] == "closed")
    assert "the journal's thread has ended" in tc.state["reason"]
    with pytest.raises(JournalError, match="connect again"):
        tc.send(chat, "hello")
    tc.close()
    again: tcnb.Session = connect()
    until(again, lambda: "hello" in texts(again))


@pytest.mark.parametrize("error", [RuntimeError, MemoryError, SystemExit, GeneratorExit])
@pytest.mark.parametrize(("owner", "name"), [(intake.Intake, "_load"), (intake.SavedColumns, "stamp")])
def test_journal_that_fails_while_it_is_read_fails_the_connecting(connect, monkeypatch, owner, name, error):
    """`connect` says in one line what went wrong instead of waiting for ever, whatever that is."""
    said = pytest.raises(JournalError, match=f"cannot be opened: {error.__name__}.'nobody expected this'")
    with failing(monkeypatch, owner, name, 1, error), said:
        connect()
    assert connect().is_open


@pytest.mark.parametrize("error", [RuntimeError, MemoryError, SystemExit])
def test_journal_that_cannot_be_closed_holds_nobody_up(connect, monkeypatch, error):
    """What goes wrong at the very end of the journal's thread is noted, and closing has an end."""
    tc = connect()
    with failing(monkeypatch, Journal, "confirm", 100, error), failing(monkeypatch, Journal, "close", 1, error):
        tc.close()
    assert tc.loop.is_closed()
    with pytest.raises(NotConnectedError):
        tc.send("alice", "hello")
