"""The columns beside a journal: the record is the same with them, without them, and with whatever else is in their
place.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import stat
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from record_payloads import ALICE, ME, RECEIVED, encode, text

from tcnb.journal.journal import Entry, Journal, Kind
from tcnb.record import intake as intakes
from tcnb.record.columns import saved
from tcnb.record.columns.saved import SavedColumns
from tcnb.record.intake import Intake
from tcnb.record.record import Record

OWNER = ("video.example.com", ME)
COUNT = 60
LONG_AGO = time.time() - 10 * saved.ABANDONED


@pytest.fixture(autouse=True)
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few rows are enough to have the columns written."""
    monkeypatch.setattr(intakes, "WORTH_KEEPING", 1)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A journal of some frames of all kinds."""
    path = tmp_path / "journal.sqlite"
    write(path, 0, COUNT)
    return path


def write(path: Path, start: int, stop: int) -> None:
    """Put frames into a journal."""
    entries = [Entry("sendMessage", text(f"№ {n}", message_id=f"m-{n}"), RECEIVED + n) for n in range(start, stop)]
    entries[1:1] = [
        Entry("removeMessage", encode({"chatId": "c", "messageId": f"m-{start}"}), RECEIVED),
        Entry("sendMessage", text(message_id=f"h-{start}"), RECEIVED, Kind.HISTORY),
        Entry("sendMessage", encode({"chatId": 7}), RECEIVED),
    ]
    request = {"chatId": "c", "content": {"text": "hi", "parseMode": "text"}}
    answer = {"chatId": "c", "messageId": f"s-{start}", "timestamp": 1767000000000}
    entries.append(Entry("sendMessage", encode(request), RECEIVED, Kind.SENT, encode(answer)))
    journal = Journal.open(path, *OWNER)
    journal.append(entries)
    journal.close()


def opened(path: Path, with_record: Callable[[Record], None] = lambda record: None) -> Record:
    """Return the record of a session that opens the journal and closes it again, when the columns are written."""
    record = Record(ME)

    async def open_and_close() -> None:
        intake = Intake(
            record,
            loop=asyncio.get_running_loop(),
            journaled=True,
            on_taken=lambda batch: None,
            on_grown=lambda: None,
            is_followed=lambda: False,
        )
        await intake.open(path, *OWNER)
        with_record(record)
        await intake.close(30)
        assert intake._saved is not None
        if intake._saved._writing is not None:
            await asyncio.to_thread(intake._saved._writing.join)

    asyncio.run(open_and_close())
    return record


def beside(path: Path) -> Path:
    """Return where the columns are."""
    return path.with_name(path.name + saved.SUFFIX)


def content(record: Record) -> tuple[str, list[str], str]:
    """Return all that a record shows."""
    frames = (record.frame(), record.messages(), record.chats(), record.people())
    shown = [frame.to_json(orient="split", date_format="iso", date_unit="us") for frame in frames]
    return "".join(shown), record.origins().tolist(), str(record.counts)


def test_the_record_is_the_same(path):
    """What comes from the columns is what comes from the frames, to the types of the columns."""
    first = opened(path)
    again = opened(path)
    assert beside(path).exists()
    assert content(again) == content(first)
    pd.testing.assert_frame_equal(again.frame(), first.frame())


def test_frames_are_not_decoded_again(path, monkeypatch):
    """Where the columns hold everything, no frame is taken in."""
    opened(path)

    def never(*args: object, **kwargs: object) -> None:
        raise AssertionError("a frame was taken in")

    monkeypatch.setattr(Record, "append", never)
    assert len(opened(path)) == COUNT + 4


def test_what_came_behind_is_read_from_the_journal(path):
    """Frames that are newer than the columns follow them, and those that are in them are told again in vain."""
    opened(path)
    write(path, COUNT - 5, COUNT + 5)
    record = opened(path)
    beside(path).unlink()
    assert content(record) == content(opened(path))
    assert record.append("sendMessage", text(message_id="m-3"), RECEIVED) is None
    assert record.append("sendMessage", text(message_id=f"m-{COUNT + 4}"), RECEIVED) is None
    assert record.append("sendMessage", text(message_id="new"), RECEIVED) is not None


def test_names_come_back_and_are_asked_for_again(path, monkeypatch):
    """Display names and titles are known at once, and since they may be old the names are to be asked for."""

    def learn(record: Record) -> None:
        record.learn_person(ALICE, "Alice Adams")
        record.learn_chat("c", "Crew", 2)
        monkeypatch.setattr(intakes, "WORTH_KEEPING", 1)

    monkeypatch.setattr(intakes, "WORTH_KEEPING", 10**9)
    opened(path, learn)
    record = opened(path)
    assert set(record.frame()["author"].dropna()) == {"Alice Adams"}
    assert record.rows(0, 1)[0]["author"] == "Alice Adams"
    assert "Crew" in record.chats()["chat"].tolist()
    assert ALICE in record.people_without_name()
    record.learn_person(ALICE, "Alice Brown")
    assert record.people_without_name() == []
    assert set(record.frame()["author"].dropna()) == {"Alice Brown"}


def cut_short(file: Path) -> None:
    with file.open("r+b") as opened:
        opened.truncate(file.stat().st_size // 2)


def flip_a_bit(file: Path) -> None:
    damaged = bytearray(file.read_bytes())
    damaged[len(damaged) // 3] ^= 4
    file.write_bytes(damaged)


def forge_a_title(file: Path) -> None:
    file.write_bytes(file.read_bytes().replace(b'"Release crew",2', b'"Release crow",2'))


def empty(file: Path) -> None:
    file.write_bytes(b"")


def replace_the_trailer(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-200] + b"\xff" * 200)


def keep_the_trailer_alone(file: Path) -> None:
    whole = file.read_bytes()
    file.write_bytes(whole[whole.rindex(b'{"stamp"') :])


def delete(file: Path) -> None:
    file.unlink()


def become_a_folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


@pytest.mark.parametrize(
    "harm",
    [cut_short, flip_a_bit, forge_a_title, empty, replace_the_trailer, keep_the_trailer_alone, delete, become_a_folder],
)
def test_damaged_columns_are_ignored(path, harm):
    """Whatever becomes of the file, the journal gives the same record."""
    expected = content(opened(path))
    harm(beside(path))
    assert content(opened(path)) == expected
    assert content(opened(path)) == expected


@pytest.mark.parametrize("name", ["__version__", "LAYOUT", "_SCHEMA"])
def test_columns_of_another_version_are_ignored(path, monkeypatch, name):
    """What another version made of the frames is made anew."""
    opened(path)
    monkeypatch.setattr(saved, name, "0" if name == "__version__" else 0)
    assert SavedColumns(path).stamp() is None
    opened(path)
    assert SavedColumns(path).stamp() is not None


def test_columns_of_another_journal_are_ignored(path, tmp_path):
    """A file that was copied from beside another journal is not taken for this one's."""
    opened(path)
    other = tmp_path / "other.sqlite"
    write(other, 500, 500 + COUNT)
    expected = content(opened(other))
    shutil.copy(beside(path), beside(other))
    assert content(opened(other)) == expected


def test_columns_of_a_journal_that_was_put_back_are_ignored(path, tmp_path):
    """When an older copy takes the journal's place and grows otherwise, the columns of what was are not used."""
    older = shutil.copy(path, tmp_path / "copy.sqlite")
    write(path, 100, 120)
    opened(path)
    shutil.copy(older, path)
    write(path, 200, 240)
    record = opened(path)
    beside(path).unlink()
    assert content(record) == content(opened(path))


def test_the_file_is_for_its_owner_alone(path):
    """Nobody else may read it, and nothing unfinished is left beside it."""
    opened(path)
    if os.name == "posix":
        assert stat.S_IMODE(beside(path).stat().st_mode) == 0o600
    assert list(path.parent.glob(f"{beside(path).name}.*")) == []


def test_what_killed_writers_left_is_removed(path):
    """An unfinished file that nobody writes any more goes, and one that may be another kernel's stays."""
    abandoned, fresh = (path.with_name(f"{beside(path).name}.{number}") for number in (1, 2))
    for file in (abandoned, fresh):
        file.touch()
    os.utime(abandoned, (LONG_AGO, LONG_AGO))
    opened(path)
    assert (abandoned.exists(), fresh.exists()) == (False, True)


def test_a_long_record_is_not_written_for_a_few_rows(path):
    """The file is written again when a tenth is new, so that what is written stays in proportion to what is kept."""
    columns = SavedColumns(path)
    columns.rows = 1000
    assert [columns.is_due(rows, 5) for rows in (1000, 1004, 1099, 1100)] == [False, False, False, True]
    columns.rows = 10
    assert [columns.is_due(rows, 5) for rows in (14, 15)] == [False, True]
