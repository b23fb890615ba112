"""A session with its journal: what is acknowledged is on the disk, and a new session continues from it."""

from __future__ import annotations

import json
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from pandas.testing import assert_frame_equal

import tcnb
from tcnb.errors import JournalError
from tcnb.practice import PracticeThread
from tcnb.record import intake
from tcnb.status import Status
from tests.session.test_session import texts

PATIENCE = 60.0

COLLECTOR = """
import json, sys, tcnb
tc = tcnb.connect("127.0.0.1", username="robot", password="robot", https=False, web_port=int(sys.argv[1]),
                  journal=sys.argv[2])
print("ready", flush=True)
tc.on_rows(lambda: print(tc.record.last_seq, flush=True))
sys.stdin.read()
"""
"""Collects until it is killed, and says how many events it has."""


@contextmanager
def locked(path: str | Path) -> Iterator[None]:
    """Hold the lock for writing on a journal, as another program may."""
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.execute("ROLLBACK")
        other.close()


@contextmanager
def collecting(practice: PracticeThread, path: Path) -> Iterator[subprocess.Popen[str]]:
    """Run a process that collects; it is killed at the end, so that it has no chance to put anything in order."""
    with subprocess.Popen(
        [sys.executable, "-c", COLLECTOR, str(practice.port), str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        try:
            assert process.stdout.readline() == "ready\n"
            yield process
        finally:
            process.send_signal(signal.SIGKILL)


def unread(practice: PracticeThread) -> int:
    """Return how many messages the server holds that the robot has not acknowledged."""
    return practice.call(lambda server: len(server.world.unread("robot@practice.local")))


def all_read(practice: PracticeThread) -> None:
    """Wait until the robot has acknowledged everything."""
    practice.run(practice.server.until(lambda: not practice.server.world.unread("robot@practice.local")))


def speak(practice: PracticeThread, chat: str, count: int, said: str = "message") -> list[str]:
    """Have Alice say many things at once; return the ids."""

    def do(server: Any) -> list[str]:
        me = server.world.user("alice@practice.local")
        ids = [server.world.say(me, chat, f"{said} {number}").message_id for number in range(count)]
        server.deliver()
        return ids

    return practice.call(do)


def held(practice: PracticeThread, chat: str) -> list[str]:
    """Return the ids of the messages of a chat that people wrote, as the server has them."""
    return practice.call(
        lambda server: [
            message.message_id
            for message in server.world.messages.values()
            if message.chat.chat_id == chat and message.type.value >= 200
        ]
    )


def recorded(session: tcnb.Session, chat: str) -> list[str]:
    """Return the ids of the same in a session's frame."""
    frame = session.df
    here = (frame["event"] == "message") & (frame["chat_id"] == chat) & (frame["author_type"] == "user")
    return frame.loc[here, "message_id"].tolist()


# -- continuing -------------------------------------------------------------------------------------------------------


def test_new_session_continues_from_the_journal(practice, connect, alice, until, tmp_path):
    """After closing and connecting again the frame holds everything that it held, row by row, and then what is new."""
    chat = alice.group("Release crew", "robot")
    first = connect()
    speak(practice, chat, 30)
    first.send(chat, "**mine**", parse_mode="markdown")
    first.send_document(chat, b"bytes", "the report")
    sent = first.send(chat, "draft")
    first._wait(first.bot.edit_message(sent.message_id, "final"))
    first._wait(first.bot.remove_message(sent.message_id))
    alice.act(lambda server, me: server.world.edit_title(me, chat, "Launch crew"))
    until(first, lambda: (first.df["event"] == "edited_chat_title").any())
    first.close()
    before = first.df.drop(columns="author").astype(str)
    second = connect()
    after = second.df.drop(columns="author").astype(str)
    assert_frame_equal(after.head(len(before)), before)
    assert second.status().committed == len(after) - len(before)
    alice.say(chat, "after")
    until(second, lambda: "after" in texts(second))
    assert second.df["seq"].is_monotonic_increasing
    assert second.df["seq"].is_unique


def test_history_is_in_the_journal(connect, alice, practice):
    """What was read from the past needs not be read again."""
    chat = alice.group("Release crew")
    speak(practice, chat, 120)
    user = practice.call(lambda server: server.world.user("robot@practice.local"))
    alice.act(lambda server, me: server.world.add_participant(me, chat, user, display_history=True))
    first = connect(receive_unread_messages=False)
    past = first.history(chat, 100)
    assert len(past) == 100
    first.close()
    second = connect(receive_unread_messages=False)
    assert set(past["message_id"]) <= set(second.messages["message_id"])
    second.history(chat, 100)
    assert second.df["message_id"].dropna().is_unique


def test_what_is_sent_right_before_the_end_is_kept(practice, alice, connect, tmp_path):
    """A script that sends and ends, without closing, has its sending in the journal."""
    chat = alice.group("Release crew", "robot")
    path = tmp_path / "journal.sqlite"
    program = (
        "import sys, tcnb\n"
        "tc = tcnb.connect('127.0.0.1', username='robot', password='robot', https=False, "
        f"web_port={practice.port}, journal={str(path)!r})\n"
        f"tc.send({chat!r}, 'the last word')\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=PATIENCE)
    assert (done.returncode, done.stderr) == (0, "")
    assert "the last word" in texts(connect(journal=path))


def test_other_places(connect, practice, alice, until, tmp_path):
    """Without a journal nothing is written; a path is that file; both are told by the status."""
    chat = alice.group("Release crew", "robot")
    speak(practice, chat, 3)
    memory = connect(journal=None)
    until(memory, lambda: len(texts(memory)) >= 3)
    assert memory.status().journal is None
    memory.close()
    path = tmp_path / "here" / "journal.sqlite"
    session = connect(journal=str(path))
    assert "message 0" not in texts(session)
    assert session.status().journal == str(path)
    assert path.exists()


def test_practice_server_of_its_own_has_no_journal():
    """The world of `practice=True` is thrown away, and so is what was said in it, unless a file is named."""
    with tcnb.connect(practice=True) as session:
        assert session.status().journal is None
        assert len(session.df) >= 0


def test_journal_left_to_tcnb_is_for_its_owner_alone(connect):
    """The file in the user's data folder, and the folders to it, can be read by nobody else."""
    path = Path(connect().status().journal)
    assert path.name == "robot@practice.local.sqlite"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert {stat.S_IMODE(folder.stat().st_mode) for folder in list(path.parents)[:3]} == {0o700}


def test_no_secret_is_in_the_journal(connect, alice):
    """Neither the password nor the token is in any byte of the journal."""
    chat = alice.group("Release crew", "second")
    session = connect("second", client_id=None)
    token = session._connection._tokens._token.value.reveal()
    session.send(chat, "hello")
    assert "hello" in texts(session)
    path = Path(session.status().journal)
    content = b"".join(file.read_bytes() for file in path.parent.iterdir())
    assert b"hello" in content
    assert token.encode() not in content
    assert b"password" not in content


# -- commit before acknowledgement ------------------------------------------------------------------------------------


def test_nothing_is_acknowledged_before_it_is_committed(practice, tc, alice, until):
    """While the commit is held back the server sees nothing acknowledged and the frame holds nothing of it."""
    chat = alice.group("Release crew", "robot")
    all_read(practice)
    with locked(tc.status().journal):
        ids = speak(practice, chat, 50)
        until_waiting(tc, 50)
        assert tc._wait(tc.bot.get_chat_by_id(chat)).chat_id == chat
        assert not set(ids) & set(recorded(tc, chat))
        assert unread(practice) == 50
    all_read(practice)
    assert recorded(tc, chat) == ids
    until_status(tc, lambda status: status.uncommitted == 0)


def until_status(session: tcnb.Session, condition: Callable[[Status], Any]) -> None:
    """Wait until the status says something; a question to the server comes back behind what it said before."""
    deadline = time.monotonic() + PATIENCE
    while not condition(session.status()):
        assert time.monotonic() < deadline, f"waited in vain: {session.status()}"
        session._wait(session.bot.get_chats())


def until_waiting(session: tcnb.Session, count: int) -> None:
    """Wait until so many frames have come and wait for the disk."""
    until_status(session, lambda status: status.uncommitted >= count)


def test_sending_does_not_wait_for_the_disk_and_is_in_the_frame_afterwards(tc, alice):
    """While the disk is stuck a sending returns; in the frame it stands in order, as soon as that can be."""
    chat = alice.group("Release crew", "robot")
    with locked(tc.status().journal):
        for number in range(5):
            assert tc.send(chat, f"mine {number}").message_id
    assert [text for text in texts(tc) if text.startswith("mine")] == [f"mine {number}" for number in range(5)]


def test_what_was_just_sent_is_in_the_frame(tc, alice):
    """Every view shows a sending at once, although it is committed in the background."""
    chat = alice.group("Release crew", "robot")
    for number in range(20):
        sent = tc.send(chat, f"mine {number}")
        assert tc.df["message_id"].iloc[-1] == sent.message_id
        assert sent.message_id in set(tc.messages["message_id"])
    assert tc.history(chat, 1)["message_id"].tolist() == [sent.message_id]


def test_stuck_disk_is_told_and_overcome(practice, tc, alice, until):
    """The status says what is wrong and what waits; afterwards nothing waits and nothing is wrong."""
    chat = alice.group("Release crew", "robot")
    all_read(practice)
    with locked(tc.status().journal):
        ids = speak(practice, chat, 3)
        until_waiting(tc, 3)
        until_problem(tc)
        status = tc.status()
        assert "locked by another program" in status.journal_problem
        assert status.uncommitted >= 3
        assert "journal problem" in repr(status)
    all_read(practice)
    assert recorded(tc, chat) == ids
    assert tc.status().journal_problem is None


def until_problem(session: tcnb.Session) -> None:
    """Wait until a commit has failed; the writer itself waits for a second before it says so."""
    until_status(session, lambda status: status.journal_problem is not None)


def test_full_disk_is_told_and_overcome(practice, tc, alice, until):
    """Nothing is acknowledged while the disk is full; once there is space everything is there, in order, once.

    That the file may have no page more stands for the full disk, which cannot be had: SQLite says the same.
    """
    chat = alice.group("Release crew", "robot")
    all_read(practice)
    connection = tc._intake.journal._connection
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count = {pages}")
    ids = speak(practice, chat, 200, "x" * 3000)
    until_waiting(tc, 1)
    until_problem(tc)
    assert "disk is full" in tc.status().journal_problem
    assert unread(practice) > 0
    with pytest.raises(JournalError, match="free some space"):
        tc.history(chat, 10)
    connection.execute("PRAGMA max_page_count = 1000000")
    tc._intake._hurry.set()
    all_read(practice)
    assert recorded(tc, chat) == ids
    assert tc.status().journal_problem is None


def test_reading_pauses_while_too_much_waits(practice, tc, alice, until, monkeypatch):
    """A stuck disk fills neither the memory nor the record; once it works again everything comes."""
    monkeypatch.setattr(intake, "MOST_WAITING", 40)
    chat = alice.group("Release crew", "robot")
    all_read(practice)
    ids = []
    with locked(tc.status().journal):
        paused = threading.Event()
        socket = tc._connection._link.socket
        pause = socket.pause_reading
        monkeypatch.setattr(socket, "pause_reading", lambda: (pause(), paused.set()))
        while not paused.is_set():
            ids += speak(practice, chat, 10)
            paused.wait(0.05)
        ids += speak(practice, chat, 30)
        assert tc.status().uncommitted <= 80
    all_read(practice)
    assert recorded(tc, chat) == ids
    assert tc.status().reconnects == 0


def test_what_is_beyond_all_bounds_is_left_to_the_server(practice, tc, alice, until, monkeypatch):
    """Frames that would fill the memory are counted and not acknowledged; the server brings them another time."""
    monkeypatch.setattr(intake, "MOST_WAITING", 10)
    monkeypatch.setattr("tcnb.client.socket.BatchingSocket.pause_reading", lambda socket: None)
    chat = alice.group("Release crew", "robot")
    all_read(practice)
    with locked(tc.status().journal):
        ids = speak(practice, chat, 20)
        until_waiting(tc, 20)
        # However many reads bring them: twice the bound wait already, so not one of these is taken.
        ids += speak(practice, chat, 10)
        until_status(tc, lambda status: status.failures >= 10)
        assert tc.status().uncommitted < 30
    tc._intake._hurry.set()
    assert tc.status().failures
    # What comes again comes all at once, and would go beyond these narrow bounds another time.
    monkeypatch.setattr(intake, "MOST_WAITING", 1000)
    practice.call(lambda server: server.drop_connections("robot"))
    all_read(practice)
    assert sorted(recorded(tc, chat)) == sorted(ids)


def test_closing_commits_and_acknowledges_first(practice, connect, alice):
    """What has come when a session is closed is recorded and acknowledged before the socket goes."""
    chat = alice.group("Release crew", "robot")
    session = connect()
    all_read(practice)
    with locked(session.status().journal):
        ids = speak(practice, chat, 20)
        until_waiting(session, 20)
    session.close()
    assert recorded(session, chat) == ids
    assert unread(practice) == 0


def test_closing_with_a_stuck_disk_ends_and_loses_nothing(practice, connect, alice, until):
    """A session closes even when nothing can be committed, acknowledges nothing of it, and the next one gets it."""
    chat = alice.group("Release crew", "robot")
    session = connect()
    all_read(practice)
    with locked(session.status().journal):
        ids = speak(practice, chat, 20)
        until_waiting(session, 20)
        session.close()
        assert unread(practice) == 20
    again = connect()
    until(again, lambda: set(ids) <= set(recorded(again, chat)))
    assert recorded(again, chat) == ids


# -- killed -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("moment", [1, 400, 1500])
def test_killed_while_it_is_flooded(practice, connect, alice, until, tmp_path, moment):
    """A process killed at any moment has lost nothing that it acknowledged, and the next one has each message once."""
    chat = alice.group("Release crew", "robot")
    path = tmp_path / "journal.sqlite"
    with collecting(practice, path) as process:
        flood = threading.Thread(target=lambda: [speak(practice, chat, 100) for _ in range(30)])
        flood.start()
        for line in process.stdout:
            if int(line) >= moment:
                break
        process.send_signal(signal.SIGKILL)
        flood.join()
    server_has = held(practice, chat)
    left = practice.call(lambda server: {message.message_id for message in server.world.unread("robot@practice.local")})
    connection = sqlite3.connect(path)
    journal = [json.loads(payload).get("messageId") for (payload,) in connection.execute("SELECT payload FROM frames")]
    connection.close()
    assert set(server_has) - left <= set(journal), "something was acknowledged that is not on the disk"
    session = connect(journal=path)
    until(session, lambda: len(recorded(session, chat)) >= len(server_has))
    assert recorded(session, chat) == server_has
    all_read(practice)


def test_killed_between_commit_and_acknowledgement(practice, connect, alice, until, tmp_path):
    """What was committed and not acknowledged comes again, is recognised, and is acknowledged."""
    chat = alice.group("Release crew", "robot")
    path = tmp_path / "journal.sqlite"
    first = connect(journal=path)
    all_read(practice)
    first._connection._link.acknowledge = lambda ids: None  # as if the process had been killed before it got there
    ids = speak(practice, chat, 10)
    until(first, lambda: len(recorded(first, chat)) == 10)
    assert unread(practice) == 10
    first.close()
    second = connect(journal=path)
    all_read(practice)
    assert recorded(second, chat) == ids
    assert second.status().duplicates >= 10


def test_handlers_get_what_was_committed_and_not_acknowledged(practice, connect, alice, until):
    """A message that a killed session did not acknowledge reaches whoever waits in the next one."""
    chat = alice.group("Release crew", "robot")
    first = connect()
    all_read(practice)
    first._connection._link.acknowledge = lambda ids: None
    speak(practice, chat, 1, "handle me")
    until(first, lambda: "handle me 0" in texts(first))
    first.close()
    router, handled = tcnb.Router(), threading.Event()
    router.message(lambda message: message.text == "handle me 0")(lambda message: handled.set())
    connect(router=router)
    assert handled.wait(PATIENCE)


# -- several kernels --------------------------------------------------------------------------------------------------


def named_edits(session: tcnb.Session) -> list[str]:
    """Return the ids of the messages of the recorded edits whose message is known."""
    edits = session.df.query("event == 'edited_message'")
    return list(edits["message_id"].dropna())


def test_two_sessions_share_one_journal_and_double_nothing(practice, connect, alice, until):
    """Both sessions end up with the same rows, each event once, whoever was told first."""
    chat = alice.group("Release crew", "robot")
    one, two = connect(name="one"), connect(name="two")
    speak(practice, chat, 100)
    sent = one.send_document(chat, b"bytes", "the report")
    draft = two.send(chat, "draft")
    two._wait(two.bot.edit_message(draft.message_id, "final"))
    for session in (one, two):
        # The message of the edit is looked for in the history, where it is no more once it has been removed.
        until(session, lambda session=session: draft.message_id in named_edits(session))
    one._wait(one.bot.remove_message(draft.message_id))
    message = alice.say(chat, "wrnog")
    alice.act(lambda server, me: server.world.edit_title(me, chat, "Launch crew"))
    alice.act(lambda server, me: server.world.remove_message(me, message, for_all=True))
    last = alice.say(chat, "the end")
    for session in (one, two):
        until(session, lambda session=session: last in set(recorded(session, chat)))
    practice.run(practice.server.until(lambda: practice.server.is_settled("robot")))
    first, second = (session.df.drop(columns="author").astype(str) for session in (one, two))
    assert_frame_equal(first, second)
    written = recorded(one, chat)
    assert len(written) == len(set(written)) == 105
    events = one.df.query("chat_id == @chat")["event"].value_counts()
    assert (events["removed_message"], events["edited_chat_title"]) == (2, 1)
    assert named_edits(one) == [draft.message_id]
    assert events["edited_message"] <= 2, "as the server told it, and with its message"
    assert recorded(one, chat).count(sent.caption_message_id) == 1


def test_what_another_session_writes_is_told_to_listeners(connect, alice, practice):
    """A sending of another kernel appears here within moments, also where the server does not tell of it."""
    chat = alice.group("Release crew", "robot")
    one, two = connect(name="one"), connect(name="two", receive_unread_messages=False)
    grown = threading.Event()
    two._wait(_gone(two))
    remove = two.on_rows(grown.set)
    sent = one.send(chat, "from one")
    while sent.message_id not in {row["message_id"] for row in two.record.rows(0, 10_000)}:
        assert grown.wait(PATIENCE)
        grown.clear()
    remove()


async def _gone(session: tcnb.Session) -> None:
    """Take the connection away for good, so that only the journal can tell of anything."""
    await session._connection.close()


def test_what_another_session_wrote_is_in_the_next_frame(connect, alice):
    """The frame holds what other kernels wrote, also while nobody listens here."""
    chat = alice.group("Release crew", "robot")
    one, two = connect(name="one"), connect(name="two")
    two._wait(_gone(two))
    one.send(chat, "from one")
    assert "from one" in texts(one)
    assert "from one" in texts(two)


# -- refused ----------------------------------------------------------------------------------------------------------


def test_journal_of_another_account_is_refused(connect, alice, practice, tmp_path):
    """Connecting with somebody else's journal is an error in one line; nothing is acknowledged, nothing is changed."""
    path = tmp_path / "journal.sqlite"
    connect("second", journal=path).close()
    chat = alice.group("Release crew", "robot")
    speak(practice, chat, 5)
    before = path.read_bytes()
    with pytest.raises(JournalError, match=r"belongs to second@practice\.local .*not to robot@practice\.local"):
        connect("robot", journal=path)
    assert path.read_bytes() == before
    assert unread(practice) >= 5
    practice.run(practice.server.until(lambda: not practice.server.sessions))


def test_error_of_a_journal_is_one_line(connect, tmp_path):
    """In a notebook it is shown as one line that names the file and the way out."""
    path = tmp_path / "journal.sqlite"
    path.write_bytes(b"Dear diary,\n" * 1000)
    with pytest.raises(JournalError, match="choose another file") as caught:
        connect(journal=path)
    (line,) = caught.value._render_traceback_()
    assert line.startswith(f"JournalError: {path}")
    assert "\n" not in line


async def test_awaited_connection_continues_as_well(practice, alice, tmp_path):
    """`aconnect` takes the same journal, without blocking the loop that awaits it."""
    chat = alice.group("Release crew", "robot")
    options: dict[str, Any] = {"username": "robot", "password": "robot", "https": False, "web_port": practice.port}
    for number in range(2):
        async with await tcnb.aconnect("127.0.0.1", journal=tmp_path / "journal.sqlite", **options) as session:
            await session.asend(chat, f"round {number}")
            assert texts(session)[-(number + 1) :] == [f"round {count}" for count in range(number + 1)]
