"""What a session says of itself: numbers that are right, grouped, and shown as text and as a table."""

from __future__ import annotations

import html
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
    title = "default: robot@video.example.com at https://video.example.com"
    assert [line for line in lines[1:] if not line.startswith(" ")] == [title, *STATUS.groups()]
    shown = {match[1]: match[2] for line in lines if (match := re.fullmatch(r"  (.+?)  +(.+)", line))}
    assert shown["events"] == "1,234,567"
    assert shown["latency"] == "12.3 ms"
    assert shown["journal size"] == "5.0 MiB"
    assert shown["undecodable"] == "2  (!)"
    assert "duplicates" not in shown


WELL = Status(**{**vars(STATUS), "state": "connected", "reason": None, "undecodable": 0, "handler_failures": 0})
WELL = Status(**{**vars(WELL), "gaps_left": 0, "received": 0})


def test_status_of_a_session_at_work_begins_with_all_well(tc):
    """A session without any trouble says so before anything else, as text and in the table."""
    until_status(tc, lambda status: status.verdict == "all well")
    assert repr(tc.status()).splitlines()[0] == "all well"
    assert re.match(r"<table><caption[^>]*><div[^>]*>all well</div>", tc.status()._repr_html_())


def test_verdict_of_a_closed_session(tc):
    """A session that was closed is not well, and the verdict says what to do."""
    tc.close()
    assert repr(tc.status()).startswith("not all well: the connection is closed: connect again to go on\n")


TROUBLES = {
    "journal_problem": "/data/journal.sqlite was deleted",
    "reason": "the server went away",
    "failures": 1,
    "sendings_unknown": 2,
    "overflowed": 3,
    "handler_failures": 4,
    "gaps_left": 5,
    "undecodable": 6,
    "malformed": 7,
}
"""What can be wrong, the gravest first."""


def test_problems_are_told_in_the_order_of_their_weight():
    """What may be lost comes first, then what does not work, then what is odd; each with what to do."""
    status = Status(**{**vars(WELL), **TROUBLES, "state": "reconnecting"})
    assert len(status.problems) == len(TROUBLES)
    words = ("was deleted", "the server went away", "1 event", "2 sends", "3 events", "4 times", "5 chats", "6 ", "7 ")
    for word, problem in zip(words, status.problems, strict=True):
        assert word in problem
        assert ": " in problem
    first, *others = status.problems
    assert status.verdict == f"not all well: {first}"
    text = " ".join(repr(status).split())
    assert text.startswith(status.verdict)
    assert all(f"also: {problem}" in text for problem in others)
    assert all(problem in status._repr_html_() for problem in status.problems)


@pytest.mark.parametrize("name", TROUBLES)
def test_each_trouble_alone_is_the_verdict(name):
    """Whatever is wrong, the first line says it."""
    changed = {name: TROUBLES[name], "state": "reconnecting" if name == "reason" else "connected"}
    status = Status(**{**vars(WELL), **changed})
    assert len(status.problems) == 1
    assert status.verdict.startswith("not all well: ")


EXPLAINED = [
    *("reconnects", "sendings_recovered", "sendings_repeated", "sendings_unknown", "uncommitted", "redelivered"),
    *("duplicates", "unknown", "undecodable", "incomplete", "malformed", "failures", "gaps_left", "edits_unmatched"),
    *("removals_found", "waiting", "handler_failures", "overflowed"),
]


@pytest.mark.parametrize("name", EXPLAINED)
def test_numbers_that_could_alarm_are_explained(name):
    """Below each such number stands what it means; where it is zero, nothing does."""
    status = Status(**{**vars(WELL), name: 3})
    meaning = status.meaning(name)
    assert meaning is not None
    assert meaning in " ".join(repr(status).split())
    assert meaning in html.unescape(status._repr_html_())
    assert WELL.meaning(name) is None


def test_what_is_not_acknowledged_is_explained():
    """That some events are not acknowledged yet is told to be no loss."""
    assert "still unread on the server" in Status(**{**vars(WELL), "received": 5, "acknowledged": 3}).meaning(
        "acknowledged"
    )
    assert Status(**{**vars(WELL), "received": 5, "acknowledged": 5}).meaning("acknowledged") is None


def test_large_log_is_told_apart_from_the_file():
    """The size says how much of it is in the write-ahead log and what becomes of that; a small one is left out."""
    large = Status(**{**vars(WELL), "journal_log_size": 3 << 20})
    assert "5.0 MiB, 3.0 MiB of it in the write-ahead log" in repr(large)
    assert "emptied when nothing comes for a second" in " ".join(repr(large).split())
    assert "write-ahead" not in repr(Status(**{**vars(WELL), "journal_log_size": 30_000}))


def test_log_of_a_quiet_session_is_folded_in(practice, connect, alice, monkeypatch):
    """Messages that come one by one fill the log with whole pages; when nothing comes, it is emptied by itself."""
    monkeypatch.setattr("tcnb.journal.journal.WORTH_MOVING", 200_000)
    tc = connect()
    chat = alice.group("Release crew", "robot")
    for number in range(20):
        alice.say(chat, f"message {number}")
        all_read(practice)
    largest = tc.status().journal_size
    until_status(tc, lambda status: status.journal_log_size == 0)
    assert tc.status().journal_size < largest


def test_table_is_escaped_and_shows_the_same():
    """What a server says is shown as text, and every value of the text form is in the table."""
    table = STATUS._repr_html_()
    assert "&lt;the server went away&gt;" in table
    assert "<the server" not in table
    for rows in STATUS.groups().values():
        for label, text, _ in rows[1:]:
            assert f">{label}</th>" in table
            assert text in html.unescape(table)


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 bytes"), (1023, "1,023 bytes"), (1 << 20, "1.0 MiB"), (3 << 30, "3.0 GiB")]
)
def test_sizes_are_readable(count, text):
    """Bytes are shown in the unit in which they are short."""
    size = dict(row[:2] for row in Status(**{**vars(STATUS), "journal_size": count}).groups()["journal"]).get(
        "journal size"
    )
    assert size == (text if count else None)
