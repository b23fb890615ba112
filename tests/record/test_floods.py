"""What goes first when more comes than can be done at once, and what waits until there is time for it."""

from __future__ import annotations

import asyncio
import math
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from record_payloads import ME, RECEIVED, text

from tcnb.client.link import Batch
from tcnb.journal.journal import WORTH_MOVING, Entry, Journal
from tcnb.record import intake as intakes
from tcnb.record.intake import Intake
from tcnb.record.record import Record
from tcnb.wire.frames import REQUEST, Frame

OWNER = ("video.example.com", ME)
BATCHES, SIZE = 16, 500


class Watched:
    """Stands for a connection; notes how many events are in the record whenever something is acknowledged."""

    authorised = None

    def __init__(self, record: Record) -> None:
        self.acknowledged: list[int] = []
        self.all_acknowledged = asyncio.Event()
        self.recorded: list[int] = []
        self._record = record

    def acknowledge(self, ids: Any) -> None:
        """Take note."""
        self.acknowledged += ids
        self.recorded.append(len(self._record))
        if len(self.acknowledged) == BATCHES * SIZE:
            self.all_acknowledged.set()


def flood(link: Any) -> list[Batch]:
    """Return thousands of messages as a connection brings them."""
    return [
        Batch(
            [
                Frame(REQUEST, number, "sendMessage", text(message_id=f"m-{number}"))
                for number in range(first, first + SIZE)
            ],
            RECEIVED,
            link,
        )
        for first in range(0, BATCHES * SIZE, SIZE)
    ]


@asynccontextmanager
async def opened(record: Record, path: Path, on_taken: Callable[[Batch], None]) -> AsyncIterator[Intake]:
    """Give an intake with a journal, whose groups are as large as a batch."""
    intake = Intake(
        record,
        loop=asyncio.get_running_loop(),
        journaled=True,
        on_taken=on_taken,
        on_grown=lambda: None,
        is_followed=lambda: False,
    )
    await intake.open(path, *OWNER)
    try:
        yield intake
    finally:
        await intake.close(30)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the journal of a test is."""
    return tmp_path / "journal.sqlite"


@pytest.fixture
def groups(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have each batch written by itself, and taken for a flood, however slow the disk is."""
    monkeypatch.setattr(intakes, "MOST_AT_ONCE", SIZE)
    monkeypatch.setattr(intakes, "FLOOD", SIZE)
    monkeypatch.setattr(intakes, "RESTING", 60.0)


async def test_acknowledgements_go_first(path, groups, monkeypatch):
    """While a flood waits for the disk nothing but that is done, and then everything is recorded in order."""
    monkeypatch.setattr(intakes, "RECORDING", math.inf)
    record = Record(ME)
    link = Watched(record)
    told: list[Batch] = []
    async with opened(record, path, told.append) as intake:
        for batch in flood(link):
            intake.take(batch)
        await link.all_acknowledged.wait()
        await intake.flush(60)
        assert intake.waiting == 0
    assert link.acknowledged == list(range(BATCHES * SIZE))
    assert link.recorded == [0] * BATCHES
    assert record.frame()["message_id"].tolist() == [f"m-{number}" for number in range(BATCHES * SIZE)]
    assert [batch.requests[0].id for batch in told] == list(range(0, BATCHES * SIZE, SIZE))


@pytest.mark.parametrize("bound", ["RECORDING", "MOST_UNRECORDED"])
async def test_record_does_not_wait_without_bounds(path, groups, monkeypatch, bound):
    """Even while more waits for the disk, what is too much or has waited too long is recorded."""
    monkeypatch.setattr(intakes, "RECORDING", math.inf)
    monkeypatch.setattr(intakes, bound, 0)
    is_first, goes_on, append = iter([True]), threading.Event(), Journal.append

    def slow(journal: Journal, entries: Any) -> list[int | None]:
        assert next(is_first, False) or goes_on.wait(60)
        return append(journal, entries)

    monkeypatch.setattr(Journal, "append", slow)
    record, taken = Record(ME), asyncio.Event()
    async with opened(record, path, lambda batch: taken.set()) as intake:
        for batch in flood(Watched(record)):
            intake.take(batch)
        await taken.wait()
        assert len(record) == SIZE
        goes_on.set()
        await intake.flush(60)


async def test_question_in_a_flood_waits_for_what_came_before(path, groups):
    """Whoever asks for a frame gets everything that had come, also what was only acknowledged."""
    record = Record(ME)
    async with opened(record, path, lambda batch: None) as intake:
        for batch in flood(Watched(record)):
            intake.take(batch)
        await asyncio.to_thread(intake.settle, 60)
        assert len(record) == BATCHES * SIZE


async def test_question_in_a_flood_is_answered_while_more_comes(path, groups, monkeypatch):
    """Who asks in the middle of a flood does not wait for its end, nor for what came after the question."""
    monkeypatch.setattr(intakes, "RECORDING", math.inf)
    begins, goes_on, append = threading.Event(), threading.Event(), Journal.append

    def slow(journal: Journal, entries: Any) -> list[int | None]:
        assert begins.wait(60)
        assert bytes(entries[0].payload) != last or goes_on.wait(60)
        return append(journal, entries)

    monkeypatch.setattr(Journal, "append", slow)
    record = Record(ME)
    batches = flood(Watched(record))
    last = bytes(batches[-1].requests[0].payload)
    async with opened(record, path, lambda batch: None) as intake:
        for batch in batches[:4]:
            intake.take(batch)
        asked = asyncio.create_task(intake.flush(20))
        await asyncio.sleep(0)  # now it has asked
        for batch in batches[4:]:
            intake.take(batch)
        begins.set()
        await asked
        assert 4 * SIZE <= len(record) < BATCHES * SIZE
        goes_on.set()
        await intake.flush(60)
        assert intake._questions == 0
    assert len(record) == BATCHES * SIZE


def written(count: int, start: int = 0) -> list[Entry]:
    """Return some messages as they come."""
    return [Entry("sendMessage", text(message_id=f"m-{n}"), RECEIVED) for n in range(start, start + count)]


def test_log_is_moved_into_the_file_when_nothing_comes(path):
    """A log that is worth it goes into the journal's file and is emptied when nothing comes, and a small one stays."""
    journal = Journal.open(path, *OWNER)
    journal.append(written(10))
    small = journal.log_size
    journal.rest(is_idle=True)
    assert journal.log_size == small
    journal.append(written(5_000, 10))
    assert journal.log_size > WORTH_MOVING
    before = journal.size
    journal.rest(is_idle=True)
    assert journal.log_size == 0
    assert before > path.stat().st_size == journal.size > WORTH_MOVING
    assert journal.append(written(5_010)) == [None] * 5_010
    journal.close()


def test_messages_that_come_one_by_one_make_no_large_log(path, monkeypatch):
    """Between two commits a log is moved as soon as it is large, so that its file never grows beyond that."""
    monkeypatch.setattr("tcnb.journal.journal.LARGE_LOG", 500_000)
    journal = Journal.open(path, *OWNER)
    largest = 0
    for number in range(300):
        journal.append(written(1, number))
        journal.rest(is_idle=False)
        largest = max(largest, journal.log_size)
    assert 500_000 < largest < 600_000
    assert path.stat().st_size > 100_000
    journal.close()


def test_log_that_another_kernel_reads_is_left_to_it(path):
    """Nobody is waited for: a log that is being read stays, and goes as soon as it can."""
    journal = Journal.open(path, *OWNER)
    journal.append(written(10))
    with sqlite3.connect(path, isolation_level=None) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM frames").fetchone()
        journal.append(written(5_000, 10))
        journal.rest(is_idle=True)
        assert journal.log_size > WORTH_MOVING
        assert journal.append(written(1, 6_000)) == [5_011]
    reader.close()
    journal.rest(is_idle=True)
    assert journal.log_size == 0
    journal.close()


def test_journal_with_small_pages_goes_on(path):
    """A journal that was begun with other pages keeps them and takes more."""
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA page_size = 4096")
        connection.execute("CREATE TABLE begun (x)")
        connection.execute("DROP TABLE begun")
    connection.close()
    for seq in (1, 2):
        journal = Journal.open(path, *OWNER)
        assert journal.append([Entry("sendMessage", text(message_id=f"m-{seq}"), RECEIVED)]) == [seq]
        journal.close()
    assert sqlite3.connect(path).execute("PRAGMA page_size").fetchone() == (4096,)
