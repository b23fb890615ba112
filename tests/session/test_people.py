"""Who can be named: the participants of the chats are known without anybody having written."""

from __future__ import annotations

import asyncio
import itertools
import json

import pytest

from tcnb.session import name_loader, participant_loader
from tcnb.session.background import Background, WorkQueue
from tests.conftest import PATIENCE

numbers = itertools.count()


def test_participants_are_known_before_they_write(connect, alice, until):
    """After connecting, the people in the chats can be completed, with their display names."""
    alice.group("Release crew", "robot", "bob")
    session = connect()
    until(session, lambda: {("Alice Doe", "alice@practice.local"), ("Боб", "bob@practice.local")} <= known(session))


def test_chat_that_is_joined_later(tc, alice, until):
    """People of a chat that the bot is brought into are known once the chat is."""
    assert "bob@practice.local" not in {user_id for _, user_id in tc.known_people()}
    alice.group("Release crew", "robot", "bob")
    tc.refresh()
    until(tc, lambda: ("Боб", "bob@practice.local") in known(tc))


def test_a_person_without_a_name_is_known_by_id(practice, connect, alice, until):
    """Where the server tells no display name the login can be completed all the same."""
    alice.group("Release crew", "robot")
    practice.call(lambda server: server.fail_next("getUserDisplayName", 399, times=10))
    session = connect()
    alice.group("Another crew", "robot")
    until(session, lambda: session.refresh() or (None, "alice@practice.local") in known(session))


def test_asking_is_bounded(practice, connect, alice, until, monkeypatch):
    """No more chats are asked for their participants than the bound says."""
    monkeypatch.setattr(participant_loader, "MOST_CHATS", 2)
    for number in range(5):
        alice.group(f"Crew {number}", "robot")
    session = connect()
    until(session, lambda: ("Alice Doe", "alice@practice.local") in known(session))
    assert len(session._participants._asked) == 2


@pytest.mark.parametrize("code", [303, 305])
def test_refused_participants_stop_nothing(practice, connect, alice, until, code):
    """A chat whose participants are not shown is passed over."""
    alice.group("Release crew", "robot")
    alice.group("Other crew", "robot", "bob")
    practice.call(lambda server: server.fail_next("getChatParticipants", code))
    session = connect()
    until(session, lambda: ("Alice Doe", "alice@practice.local") in known(session))


def test_thousands_of_unknown_authors_make_few_tasks(practice, tc, until):
    """However many people write whom nobody knows, few names are asked for at a time, and all of them in the end."""
    practice.call(lambda server: server.delay_next("getUserDisplayName", 0.5, times=name_loader.AT_ONCE))
    write(practice, [f"stranger{number}@practice.local" for number in range(2000)])
    until(tc, lambda: len(tc.df) >= 2000)
    assert len(tc._background._tasks) < 20
    wait_for_background(tc)
    assert not tc._names._queue._waiting


def test_names_that_wait_are_bounded(practice, tc, until, monkeypatch):
    """Whoever comes when enough names wait is asked for when they write again."""
    monkeypatch.setattr(tc._names._queue, "_most_waiting", 10)
    practice.call(lambda server: server.delay_next("getUserDisplayName", 0.5, times=name_loader.AT_ONCE))
    newcomers = {(f"Newcomer {number}", f"newcomer{number}@practice.local") for number in range(40)}
    for name, user_id in newcomers:
        practice.call(lambda server, name=name, user_id=user_id: server.world.add_user(user_id.split("@")[0], name))
    write(practice, [user_id for _, user_id in newcomers])
    until(tc, lambda: len(tc.df) >= 40)
    assert len(tc._names._queue._waiting) <= 10
    wait_for_background(tc)
    assert not newcomers <= known(tc)
    for user_id in sorted(user_id for _, user_id in newcomers - known(tc)):
        seen = len(tc.df)
        write(practice, [user_id])
        until(tc, lambda seen=seen: len(tc.df) > seen)
        wait_for_background(tc)
    assert newcomers <= known(tc)


def test_work_for_one_that_fails_keeps_no_other_waiting():
    """What goes wrong with one thing is told, and the work goes on with the next."""

    async def run():
        problems, done = [], []
        background = Background(lambda what, error: problems.append(error))

        async def work(number):
            await asyncio.sleep(0)
            done.append(number)
            if number % 2:
                raise RuntimeError(number)

        queue = WorkQueue(background, work, at_once=2, most_waiting=100)
        assert all(queue.add(number) for number in range(50))
        while tasks := list(background._tasks):
            await asyncio.wait(tasks)
        assert queue.add(50)
        while tasks := list(background._tasks):
            await asyncio.wait(tasks)
        return problems, done

    problems, done = asyncio.run(run())
    assert sorted(done) == list(range(51))
    assert len(problems) == 25


def write(practice, authors):
    """Have people write of whom the server's world may know nothing."""
    frames = []
    for number, author in enumerate(authors):
        envelope = {
            "chatId": "crew",
            "chat": {"chatId": "crew", "chatTitle": "Release crew", "chatType": 2},
            "replyMessageId": None,
            "isEdited": False,
            "box": {"id": number, "position": "0"},
            "type": 200,
            "content": {"text": "hello", "parseMode": "text"},
            "messageId": f"m{next(numbers)}",
            "author": {"id": author, "type": 1},
            "timestamp": 1_767_000_000_000 + number,
        }
        frames.append(json.dumps(envelope).encode())
    practice.run(practice.server.flood("robot", frames))


def wait_for_background(session):
    """Wait until nothing goes on in a session's background."""

    async def wait():
        while tasks := list(session._background._tasks):
            await asyncio.wait(tasks)

    asyncio.run_coroutine_threadsafe(wait(), session.loop).result(PATIENCE)


def known(session):
    """Return the people that a session knows."""
    return set(session.known_people())
