"""A journal whose file another program takes away while it is in use: it is noticed, and no frame is lost."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from record_payloads import ALICE, ME, text

from tcnb.errors import JournalError
from tcnb.journal.journal import Entry, Journal

SERVER = "video.example.com"
NOW = 1_767_000_002_345_678
COUNT = 40

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows deletes no file that is open")

Open = Callable[[], Journal]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the journal of a test is, in a folder of its own."""
    return tmp_path / "journals" / "journal.sqlite"


@pytest.fixture
def open_journal(path: Path) -> Iterator[Open]:
    """Opens the journal of the test, as one more kernel of the account; what was opened is closed after the test."""
    opened: list[Journal] = []

    def open_journal() -> Journal:
        opened.append(Journal.open(path, SERVER, ME))
        return opened[-1]

    yield open_journal
    for journal in opened:
        journal.close()


@pytest.fixture
def journal(open_journal: Open) -> Journal:
    """A journal with some frames, most of them in the file and the last ones in the log."""
    journal = open_journal()
    journal.append([message(number) for number in range(1, COUNT)])
    journal._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    journal.append([message(COUNT)])
    journal.mark_gap()
    journal.confirm()
    return journal


def message(number: int) -> Entry:
    """Return a message as it comes."""
    return Entry("sendMessage", text(f"№ {number}", messageId=f"m-{number}"), NOW + number)


def frames(path: Path) -> list[tuple[int, bytes]]:
    """Return positions and payloads of what another program finds at a path."""
    connection = sqlite3.connect(path)
    try:
        return connection.execute("SELECT seq, payload FROM frames ORDER BY seq").fetchall()
    finally:
        connection.close()


def expected(*numbers: int) -> list[tuple[int, bytes]]:
    """Return the same of messages that stand where their numbers say."""
    return [(number, bytes(message(number).payload)) for number in numbers]


def removing(*suffixes: str) -> Callable[[Path], None]:
    """Return what deletes some of the files."""

    def remove(path: Path) -> None:
        for suffix in suffixes:
            Path(f"{path}{suffix}").unlink()

    return remove


def replacing(content: bytes) -> Callable[[Path], None]:
    """Return what puts another file in the place of the journal, as a sync program does."""

    def replace(path: Path) -> None:
        other = path.with_name("other")
        other.write_bytes(content)
        other.replace(path)

    return replace


TAKEN_AWAY = {
    "all files": removing("", "-wal", "-shm"),
    "the file": removing(""),
    "the log": removing("-wal"),
    "the index": removing("-shm"),
    "log and index": removing("-wal", "-shm"),
    "the folder": lambda path: shutil.rmtree(path.parent),
    "moved": lambda path: path.rename(path.with_name("elsewhere")),
    "an empty file": replacing(b""),
}


@pytest.mark.parametrize("take", TAKEN_AWAY.values(), ids=TAKEN_AWAY)
def test_everything_is_in_the_new_file(journal, path, take):
    """Whatever is deleted, the file at the path has all frames again at their positions, and goes on from there."""
    take(path)
    assert journal.append([message(COUNT + 1)]) == [COUNT + 1]
    journal.confirm()
    assert frames(path) == expected(*range(1, COUNT + 2))
    assert journal.append([message(COUNT), message(COUNT + 2)]) == [None, COUNT + 2]
    journal.confirm()
    journal.close()
    assert frames(path) == expected(*range(1, COUNT + 3))
    assert [file for file in path.parent.iterdir() if file.name != "elsewhere"] == [path]


@pytest.mark.parametrize("take", TAKEN_AWAY.values(), ids=TAKEN_AWAY)
def test_what_happened_is_said(journal, path, take, caplog):
    """One line names the file, what became of it, what was done and how to keep it; the log has it once."""
    assert journal.notice is None
    take(path)
    journal.confirm()
    assert journal.notice is not None
    assert str(path) in journal.notice
    assert "while it was in use: a new one was begun there" in journal.notice
    assert "nothing that was recorded is lost" in journal.notice
    assert "\n" not in journal.notice
    journal.confirm()
    assert [record.getMessage() for record in caplog.records] == [journal.notice]


def test_identity_and_doubt_go_on(journal, path, open_journal):
    """The new file is the same journal, so what was saved beside it and exported from it stays right."""
    before = journal.id
    path.unlink()
    journal.confirm()
    assert (journal.id, journal.is_as_told, journal.watermark()) == (before, True, COUNT)
    again = open_journal()
    assert (again.id, again.watermark(), again.digest(COUNT)) == (before, COUNT, journal.digest(COUNT))


def test_journal_behind_a_link_is_found(tmp_path, path):
    """A symbolic link is followed to the file that it leads to, also when that is deleted."""
    path.parent.mkdir()
    link = tmp_path / "link.sqlite"
    link.symlink_to(path)
    journal = Journal.open(link, SERVER, ME)
    journal.append([message(1)])
    journal.confirm()
    assert journal.notice is None
    path.unlink()
    journal.confirm()
    journal.close()
    assert frames(path) == expected(1)


def test_own_work_is_no_alarm(journal, open_journal):
    """Moving the log into the file, and another kernel that does so, is nothing to be told of."""
    other = open_journal()
    for number in range(1, 4):
        journal.append([message(COUNT + number)])
        (journal, other)[number % 2]._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        journal.confirm()
        other.confirm()
    assert (journal.notice, other.notice) == (None, None)


def test_database_made_smaller_by_its_owner_is_no_alarm(journal, path):
    """A file that SQLite itself made smaller is shorter and whole."""
    journal.append([Entry("fromTheFuture", b"x" * 1_000_000, NOW)])
    raw = sqlite3.connect(path, isolation_level=None)
    raw.execute("DELETE FROM frames WHERE method = 'fromTheFuture'")
    raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    journal.confirm()
    raw.execute("VACUUM")
    raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    raw.close()
    journal.confirm()
    assert journal.notice is None


SPOILT = {
    "emptied": lambda path: os.truncate(path, 0),
    "cut": lambda path: os.truncate(path, path.stat().st_size // 2),
    "overwritten": lambda path: path.write_bytes(b"Dear diary,\n" * 10_000),
}


@pytest.mark.parametrize("spoil", SPOILT.values(), ids=SPOILT)
def test_what_can_be_read_of_a_spoilt_file_is_kept(journal, path, spoil, open_journal):
    """Of a file that lost its content the latest frames are kept, its remains as well, and positions go on."""
    spoil(path)
    journal._connection.execute("PRAGMA shrink_memory")  # what is in memory still would hide what the file lost
    journal.confirm()
    assert "was emptied or overwritten" in journal.notice
    assert "could be read" in journal.notice
    assert path.with_name(f"{path.name}.spoilt").exists()
    assert not journal.is_as_told
    assert journal.append([message(COUNT + 1)]) == [COUNT + 1]
    journal.confirm()
    assert frames(path)[-1:] == expected(COUNT + 1)
    again = open_journal()
    assert again.id != journal.id
    assert again.last_seq == COUNT + 1


def test_older_copy_that_takes_the_place_is_continued(journal, path, tmp_path):
    """A backup that is put in the place of the journal gets what it lacks, at the same positions."""
    backup = tmp_path / "backup"
    shutil.copy(path, backup)
    journal.append([message(COUNT + 1)])
    backup.replace(path)
    journal.confirm()
    assert "the file that is there now is continued" in journal.notice
    assert journal.is_as_told
    assert journal.append([message(COUNT + 2)]) == [COUNT + 2]
    journal.confirm()
    assert frames(path) == expected(*range(1, COUNT + 3))


def test_journal_that_somebody_else_began_gets_what_it_lacks(journal, path, open_journal):
    """Where another kernel began a new journal meanwhile, each frame is in it once, and both go on behind both."""
    removing("", "-wal", "-shm")(path)
    other = open_journal()
    other.append([message(COUNT), message(COUNT + 1)])
    journal.append([message(COUNT + 2)])
    journal.confirm()
    payloads = [payload for _, payload in frames(path)]
    assert sorted(payloads) == sorted(payload for _, payload in expected(*range(1, COUNT + 3)))
    assert not journal.is_as_told
    (seq,) = journal.append([message(COUNT + 3)])
    assert seq == journal.last_seq > 2 * COUNT
    other.confirm()
    assert other.notice is None
    assert other.append([message(COUNT + 3), message(COUNT + 4)]) == [None, seq + 1]


def test_two_kernels_share_the_new_file(journal, path, open_journal):
    """Of two kernels whose journal is deleted one begins the new file, and the other goes on in it."""
    other = open_journal()
    removing("", "-wal", "-shm")(path)
    journal.append([message(COUNT + 1)])
    other.append([message(COUNT + 1), message(COUNT + 2)])
    for kernel in (journal, other):
        kernel.confirm()
    journal.append([message(COUNT + 2), message(COUNT + 3)])
    other.append([message(COUNT + 3), message(COUNT + 4)])
    for kernel in (journal, other):
        kernel.confirm()
        assert kernel.notice is not None
    assert frames(path) == expected(*range(1, COUNT + 5))
    assert (journal.is_as_told, other.is_as_told) == (True, True)


def diary(path: Path) -> None:
    replacing(b"Dear diary,\n" * 1000)(path)


def journal_of_somebody_else(path: Path) -> None:
    other = path.with_name("other")
    Journal.open(other, SERVER, ALICE).close()
    other.replace(path)


def folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize("put", [diary, journal_of_somebody_else, folder])
def test_file_of_somebody_else_is_left_alone(journal, path, put, tmp_path):
    """What is no journal of ours is not touched: the frames are put beside it, until it is moved away."""
    put(path)
    before = None if path.is_dir() else path.read_bytes()
    journal.append([message(COUNT + 1)])
    for _ in range(2):
        with pytest.raises(JournalError, match=r"replaced by another file.*what comes is not acknowledged") as caught:
            journal.confirm()
        assert "\n" not in str(caught.value)
    assert before is None or path.read_bytes() == before
    rescued = path.with_name(f"{path.name}.rescued")
    assert frames(rescued) == expected(*range(1, COUNT + 2))
    assert [file for file in path.parent.iterdir() if "rescued" in file.name] == [rescued]
    path.rename(tmp_path / "away")
    journal.confirm()
    assert frames(path) == expected(*range(1, COUNT + 2))


def test_place_that_cannot_be_had_is_said_until_it_can(journal, path):
    """Where no new file can be begun, nothing counts as written, and as soon as one can everything is in it."""
    shutil.rmtree(path.parent)
    path.parent.write_text("a file where the folder was")
    assert journal.append([message(COUNT + 1)]) == [COUNT + 1]
    for _ in range(2):
        with pytest.raises(JournalError, match=r"journal\.sqlite cannot be written"):
            journal.confirm()
    path.parent.unlink()
    journal.confirm()
    assert frames(path) == expected(*range(1, COUNT + 2))
