"""What a session says of itself: numbers that are right, grouped, and shown as text and as a table."""

from __future__ import annotations

import re

import pytest

from tcnb.status import Status
from tests.session.test_journal import all_read, speak, until_status
from tests.session.test_session import texts


def test_what_came_is_counted(practice, connect, alice, until):
    """Received, committed, acknowledged and redelivered events are told apart."""
    chat = alice.group("Release crew", "robot")
    speak(practice, chat, 5, "before")
    session = connect(receive_system_messages=False)
    until(session, lambda: len(texts(session)) == 5)
    all_read(practice)
    speak(practice, chat, 3, "live")
    until(session, lambda: len(texts(session)) == 8)
    all_read(practice)
    until_status(session, lambda status: status.acknowledged == status.received and not status.uncommitted)
    status = session.status()
    assert (status.redelivered, status.duplicates, status.uncommitted) == (5, 0, 0)
    assert status.received == status.committed == status.events >= 8
    assert status.journal.endswith(".sqlite")
    assert status.journal_size > 0


def test_duplicates_are_counted(practice, connect, alice, until):
    """What the server says twice is recognised and said to be."""
    tc = connect(catch_up=False)  # what is read from the history again would count as well
    chat = alice.group("Release crew", "robot")
    until(tc, lambda: "added_chat_participant" in set(tc.df["event"]))
    all_read(practice)
    practice.call(lambda server: setattr(server.faults, "deliver_twice", True))
    speak(practice, chat, 4)
    until(tc, lambda: len(texts(tc)) == 4)
    until_status(tc, lambda status: status.duplicates == 4)


def test_reconnects_are_told_with_their_reasons(practice, tc, until):
    """Each break that was healed stands there with when, why and for how long."""
    practice.call(lambda server: server.drop_connections())
    until(tc, lambda: tc.status().reconnects == 1 and tc.state["state"] == "connected")
    (healed,) = tc.status().healed
    assert healed.reason
    assert f"{healed.reason} (back after " in repr(tc.status())


def test_without_a_journal_nothing_is_said_of_one(connect):
    """A session in memory says so, and shows no number of commits."""
    text = repr(connect(journal=None).status())
    assert "events are kept in memory alone" in text
    assert "committed" not in text


STATUS = Status(
    name="default",
    server="https://video.example.com",
    account="robot@video.example.com",
    state="reconnecting",
    reason="<the server went away>",
    connected_since=None,
    latency=0.0123,
    events=1_234_567,
    received=10,
    duplicates=0,
    unknown=0,
    undecodable=2,
    malformed=0,
    failures=0,
    reconnects=0,
    last_break=None,
    handlers=1,
    handled=0,
    waiting=0,
    handler_failures=3,
    overflowed=0,
    journal="/data/journal.sqlite",
    journal_size=5 * 1024 * 1024,
    gaps_left=1,
)


def test_text_is_grouped_and_leaves_out_what_says_nothing():
    """Each group has its heading, numbers are readable, and what is wrong is marked."""
    lines = repr(STATUS).splitlines()
    assert lines[0] == "default: robot@video.example.com at https://video.example.com"
    assert [line for line in lines[1:] if not line.startswith(" ")] == list(STATUS.groups())
    shown = {match[1]: match[2] for line in lines if (match := re.fullmatch(r"  (.+?)  +(.+)", line))}
    assert shown["events"] == "1,234,567"
    assert shown["latency"] == "12.3 ms"
    assert shown["journal size"] == "5.0 MiB"
    assert shown["undecodable"] == "2  (!)"
    assert "duplicates" not in shown


def test_table_is_escaped_and_shows_the_same():
    """What a server says is shown as text, and every value of the text form is in the table."""
    table = STATUS._repr_html_()
    assert "&lt;the server went away&gt;" in table
    assert "<the server" not in table
    for rows in STATUS.groups().values():
        for label, text, _ in rows[1:]:
            assert f">{label}</th>" in table
            assert text in table.replace("&lt;", "<").replace("&gt;", ">")


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 bytes"), (1023, "1,023 bytes"), (1 << 20, "1.0 MiB"), (3 << 30, "3.0 GiB")]
)
def test_sizes_are_readable(count, text):
    """Bytes are shown in the unit in which they are short."""
    size = dict(row[:2] for row in Status(**{**vars(STATUS), "journal_size": count}).groups()["journal"]).get(
        "journal size"
    )
    assert size == (text if count else None)
