"""Who can be named: the participants of the chats are known without anybody having written."""

from __future__ import annotations

import pytest

from tcnb.session import people


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
    monkeypatch.setattr(people, "MOST_CHATS", 2)
    for number in range(5):
        alice.group(f"Crew {number}", "robot")
    session = connect()
    until(session, lambda: ("Alice Doe", "alice@practice.local") in known(session))
    assert len(session._acquaintances._asked) == 2


@pytest.mark.parametrize("code", [303, 305])
def test_refused_participants_stop_nothing(practice, connect, alice, until, code):
    """A chat whose participants are not shown is passed over."""
    alice.group("Release crew", "robot")
    alice.group("Other crew", "robot", "bob")
    practice.call(lambda server: server.fail_next("getChatParticipants", code))
    session = connect()
    until(session, lambda: ("Alice Doe", "alice@practice.local") in known(session))


def known(session):
    """Return the people that a session knows."""
    return set(session.known_people())
