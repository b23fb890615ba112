"""A session whose journal is taken away: it says so, and acknowledges nothing that is not in a file at its place."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from tcnb.errors import JournalError
from tests.session.test_journal import all_read, recorded, speak, unread, until_status
from tests.session.test_session import texts

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows deletes no file that is open")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the journal of a test is, in a folder of its own."""
    return tmp_path / "journals" / "journal.sqlite"


def remove_all(path: Path) -> None:
    for file in list(path.parent.iterdir()):
        file.unlink()


def remove_the_file(path: Path) -> None:
    path.unlink()


def remove_the_log(path: Path) -> None:
    Path(f"{path}-wal").unlink()


def remove_the_folder(path: Path) -> None:
    shutil.rmtree(path.parent)


def empty(path: Path) -> None:
    os.truncate(path, 0)


@pytest.mark.parametrize("take", [remove_all, remove_the_file, remove_the_log, remove_the_folder, empty])
def test_what_is_acknowledged_is_in_the_new_file(practice, connect, alice, path, until, take: Callable[[Path], None]):
    """What came before and after the journal was taken away is there in the next session, once and in order."""
    tc = connect(journal=path)
    chat = alice.group("Release crew", "robot")
    before = speak(practice, chat, 3, "before")
    all_read(practice)
    take(path)
    after = speak(practice, chat, 3, "after")
    all_read(practice)
    assert recorded(tc, chat) == before + after
    assert "while it was in use: a new one was begun there" in tc.status().journal_problem
    assert "journal problem" in repr(tc.status())
    assert tc.state["problem"] == tc.status().journal_problem
    tc.close()
    again = connect(journal=path)
    assert recorded(again, chat) == before + after
    assert again.status().journal_problem is None


def test_it_is_told_when_nothing_comes(practice, connect, path):
    """A quiet session notices by itself, and whoever listens to its state is told at once."""
    tc = connect(journal=path)
    told = threading.Event()
    tc.on_state(lambda state: told.set() if state["problem"] else None)
    remove_all(path)
    assert told.wait(30)
    assert path.exists()


def test_nothing_is_acknowledged_without_a_place(practice, connect, alice, path, until):
    """Where no new file can be begun, the server keeps what comes; when one can, everything is in it."""
    tc = connect(journal=path)
    chat = alice.group("Release crew", "robot")
    before = speak(practice, chat, 3, "before")
    all_read(practice)
    shutil.rmtree(path.parent)
    path.parent.write_text("a file where the folder was")
    after = speak(practice, chat, 3, "after")
    until_status(tc, lambda status: status.journal_problem and status.uncommitted >= 3)
    assert "cannot be written" in tc.status().journal_problem
    assert unread(practice) == 3
    with pytest.raises(JournalError, match="cannot be written"):
        tc.history(chat, 10)
    path.parent.unlink()
    tc._intake._hurry.set()
    all_read(practice)
    assert recorded(tc, chat) == before + after
    tc.close()
    assert recorded(connect(journal=path), chat) == before + after


def test_two_sessions_go_on_in_one_file(practice, connect, alice, path, until):
    """Two kernels of one account whose journal is deleted share the new one, and nothing is in it twice."""
    one, two = connect(journal=path), connect(journal=path, name="two")
    chat = alice.group("Release crew", "robot")
    ids = speak(practice, chat, 3, "before")
    all_read(practice)
    remove_all(path)
    ids += speak(practice, chat, 20, "after")
    all_read(practice)
    for session in (one, two):
        until_status(session, lambda status: status.journal_problem is not None)
    ids += speak(practice, chat, 20, "later")
    ids.append(one.send(chat, "by one").message_id)
    ids.append(two.send(chat, "by two").message_id)
    for session in (one, two):
        until(session, lambda session=session: set(recorded(session, chat)) == set(ids))
        session.close()
    again = connect(journal=path, name="again")
    assert sorted(recorded(again, chat)) == sorted(ids)


def test_columns_are_not_saved_of_rows_that_the_file_lacks(practice, connect, alice, path, monkeypatch):
    """After frames were lost, the next session shows what is in the journal, not what was beside it."""
    monkeypatch.setattr("tcnb.record.intake.WORTH_KEEPING", 1)
    tc = connect(journal=path)
    chat = alice.group("Release crew", "robot")
    speak(practice, chat, 50, "before")
    all_read(practice)
    tc.close()
    columns = path.with_name(f"{path.name}.columns")
    assert columns.exists()
    tc = connect(journal=path)
    assert len(texts(tc)) == 50
    os.truncate(path, 0)
    after = speak(practice, chat, 3, "after")
    all_read(practice)
    assert "could be read" in tc.status().journal_problem
    tc.close()
    again = connect(journal=path, catch_up=False)
    assert recorded(again, chat)[-3:] == after
    assert again.df["seq"].is_monotonic_increasing
    assert len(again.df) < 50
