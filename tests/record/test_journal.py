"""The journal as a file: what is kept in it, which frames are the same, and what becomes of one that is not right."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import random
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn, cast

import msgspec
import pytest
from record_payloads import ALICE, GROUP, ME, SENT_AT, encode, envelope, text

from tcnb.errors import JournalError
from tcnb.journal.journal import AUTO, ECHO, VERSION, Entry, Journal, Kind, default_path
from tcnb.journal.raw import payloads

SERVER = "video.example.com"
NOW = 1_767_000_002_345_678

Open = Callable[..., Journal]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the journal of a test is."""
    return tmp_path / "journal.sqlite"


@pytest.fixture
def open_journal(path: Path) -> Iterator[Open]:
    """Opens the journal of the test, as one more kernel of the account; what was opened is closed after the test."""
    opened: list[Journal] = []

    def open_journal(server: str = SERVER, account: str = ME) -> Journal:
        opened.append(Journal.open(path, server, account))
        return opened[-1]

    yield open_journal
    for journal in opened:
        journal.close()


def message(message_id: str, **other: Any) -> Entry:
    """Return a message as it comes."""
    return Entry("sendMessage", text(messageId=message_id, **other), NOW)


def sent(method: str, request: Any, answer: Any) -> Entry:
    """Return a request of this account with its answer."""
    return Entry(method, encode(request), NOW, Kind.SENT, encode(answer))


def raw(path: Path, statement: str) -> list[Any]:
    """Run a statement on the file, as any other program would."""
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        return connection.execute(statement).fetchall()
    finally:
        connection.close()


# -- what is kept -----------------------------------------------------------------------------------------------------


def test_frames_come_back_byte_for_byte(open_journal, path):
    """Payloads are kept as they came, also those that are no JSON, no text, or nothing at all."""
    draw = random.Random(4)
    payloads = [b"", b"\0", "пусто\u2028".encode(), b'{"a" :  1}', b"\xff\xfe\x00", draw.randbytes(100_000)]
    entries = [Entry("fromTheFuture", payload, NOW + number) for number, payload in enumerate(payloads)]
    assert open_journal().append(entries) == [1, 2, 3, 4, 5, 6]
    found = open_journal().read(0, 10)
    assert [frame[4] for frame in found] == payloads
    assert [frame[1] for frame in found] == [NOW + number for number in range(len(payloads))]


def test_request_answer_and_file_are_kept(open_journal):
    """Of a sending the journal has the request, the answer and what is known of the file."""
    entry = Entry("sendFile", b'{"chatId":"c"}', NOW, Kind.SENT, b'{"messageId":"m"}', b'{"file_size":3}')
    open_journal().append([entry])
    assert open_journal().read(0, 10) == [(1, NOW, 1, "sendFile", entry.payload, entry.answer, entry.file)]


def test_positions_follow_each_other(open_journal):
    """Positions grow by one, over transactions and kernels, whatever size the groups have."""
    one, two = open_journal(), open_journal()
    seqs = []
    for group, size in enumerate((1, 3, 31, 300, 1000)):
        journal = (one, two)[group % 2]
        seqs += journal.append([message(f"{group}-{number}") for number in range(size)])
    assert seqs == list(range(1, len(seqs) + 1)) == [frame[0] for frame in one.read(0, 10_000)]


def test_reading_goes_on_behind_a_position(open_journal):
    """Frames are read in order, in pieces."""
    journal = open_journal()
    journal.append([message(str(number)) for number in range(10)])
    assert [frame[0] for frame in journal.read(3, 4)] == [4, 5, 6, 7]
    assert journal.read(10, 4) == []


def test_size_grows(open_journal):
    """The size is that of the files on the disk."""
    journal = open_journal()
    before = journal.size
    journal.append([Entry("fromTheFuture", b"x" * 1_000_000, NOW)])
    assert journal.size > before + 900_000


# -- what is the same -------------------------------------------------------------------------------------------------


def test_message_is_kept_once_whichever_way_it_comes(open_journal):
    """A message that came, comes again, is read from history, or was sent by another kernel is one frame."""
    journal = open_journal()
    assert journal.append([message("m-1"), message("m-1", isEdited=True)]) == [1, None]
    history = Entry("sendMessage", text("status?", "text", messageId="m-1", box={"id": 9}), NOW + 5, Kind.HISTORY)
    answer = sent("sendMessage", {"chatId": GROUP}, {"messageId": "m-1", "timestamp": SENT_AT})
    assert open_journal().append([history, answer]) == [None, None]


def test_new_frames_between_known_ones_get_their_positions(open_journal):
    """In a group of known and new frames each new one has the position at which it stands."""
    journal = open_journal()
    journal.append([message("m-1"), message("m-3")])
    unknown = Entry("fromTheFuture", b"{}", NOW)
    group = [message("m-1"), message("m-2"), unknown, message("m-3"), message("m-2"), unknown, message("m-4")]
    assert journal.append(group) == [None, 3, 4, None, None, 5, 6]
    found = [(frame[0], json.loads(frame[4]).get("messageId")) for frame in journal.read(2, 10)]
    assert found == [(3, "m-2"), (4, None), (5, None), (6, "m-4")]
    assert open_journal().append([message("m-5")]) == [7]


def test_message_with_a_flaw_is_known_by_its_id(open_journal):
    """Half of a surrogate pair, which strict readers refuse, does not hide which message it is."""
    flawed = json.dumps(envelope({"text": "cut \ud83d", "parseMode": "text"})).encode()
    assert open_journal().append([message("m-1"), Entry("sendMessage", flawed, NOW)]) == [1, None]


@pytest.mark.parametrize(
    ("method", "payload"),
    [
        ("editMessage", {"timestamp": SENT_AT, "chatId": GROUP, "content": {"text": "new", "parseMode": "text"}}),
        ("editMessage", {"timestamp": SENT_AT, "chatId": GROUP, "content": {"title": "a survey"}}),
        ("removeMessage", {"chatId": GROUP, "messageId": "m-1"}),
        ("addChatParticipant", {"timestamp": SENT_AT, "chatId": GROUP, "userId": ALICE}),
        ("removeChatParticipant", {"timestamp": SENT_AT, "chatId": GROUP, "userId": ALICE}),
        ("changeParticipantRole", {"timestamp": SENT_AT, "chatId": GROUP, "userId": ALICE, "role": "admin"}),
        ("createP2PChat", {"chatId": "p", "lastMessage": {"messageId": "m-1", "timestamp": SENT_AT}}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_carries_a_time_or_an_id_is_kept_once(open_journal, method, payload):
    """A notification that names its moment is the same when it comes again, and another one when that differs."""
    journal = open_journal()
    entry = Entry(method, encode(payload), NOW)
    other = Entry(method, encode(payload).replace(b"1767", b"1768").replace(b"m-1", b"m-2"), NOW)
    assert journal.append([entry, entry, other]) == [1, None, 2]


@pytest.mark.parametrize("method", ["editChatTitle", "removeChat", "createGroupChat", "command", "clearHistory"])
def test_what_may_happen_again_is_kept_again(open_journal, method):
    """A notification that names no moment may be said twice and mean it twice."""
    entry = Entry(method, encode({"chatId": GROUP}), NOW)
    assert open_journal().append([entry, entry]) == [1, 2]


@pytest.mark.parametrize("method", ["editChatTitle", "removeChat", "getFileUploadLimits", "", "fromTheFuture"])
def test_what_two_kernels_are_told_is_kept_once(open_journal, method):
    """Of one notification that reached two kernels the journal has one, of two it has two, whoever is first."""
    one, two = open_journal(), open_journal()
    entry = Entry(method, encode({"chatId": GROUP}), NOW)
    assert one.append([entry, entry]) == [1, 2]
    assert two.append([entry]) == [None]
    assert two.append([entry, entry]) == [None, 3]
    assert one.append([entry]) == [None]


def test_what_is_told_much_later_is_new(open_journal):
    """The same words long after are no echo of what another kernel was told."""
    one, two = open_journal(), open_journal()
    entry = Entry("editChatTitle", encode({"chatId": GROUP, "title": "Crew"}), NOW)
    one.append([entry])
    assert two.append([msgspec.structs.replace(entry, received=NOW + ECHO + 1)]) == [2]


def test_echo_is_known_after_a_failure(open_journal, path):
    """A commit that fails and is tried again takes an echo for what it is."""
    one, two = open_journal(), open_journal()
    entry = Entry("editChatTitle", encode({"chatId": GROUP, "title": "Crew"}), NOW)
    one.append([entry])
    fill_up(two)
    with pytest.raises(JournalError, match="disk is full"):
        two.append([entry, Entry("fromTheFuture", b"x" * 100_000, NOW)])
    free(two)
    assert two.append([entry]) == [None]


@pytest.mark.parametrize(
    ("method", "request_", "answer", "told"),
    [
        (
            "editMessage",
            {"messageId": "m-1", "content": {"text": "new", "parseMode": "text"}},
            {"messageId": "m-1", "timestamp": SENT_AT},
            {"timestamp": SENT_AT, "chatId": GROUP, "content": {"text": "new", "parseMode": "text"}},
        ),
        ("removeMessage", {"messageId": "m-1", "forAll": True}, {}, {"chatId": GROUP, "messageId": "m-1"}),
    ],
)
def test_own_deed_is_known_when_another_kernel_is_told_of_it(open_journal, method, request_, answer, told):
    """An edit or a removal of ours, of which our other kernel is notified, is one frame."""
    journal = open_journal()
    assert journal.append([message("m-1"), sent(method, request_, answer)]) == [1, 2]
    assert open_journal().append([Entry(method, encode(told), NOW)]) == [None]


FILE = sent("sendFile", {"chatId": GROUP}, {"messageId": "f-1", "captionMessageId": "c-1", "timestamp": SENT_AT})


def test_caption_has_a_place_behind_its_file(open_journal):
    """A file with a caption takes two positions, since it is two messages."""
    journal = open_journal()
    assert journal.append([message("m-1"), FILE, message("m-2")]) == [1, 2, 4]
    assert [(frame[0], frame[2]) for frame in journal.read(1, 3)] == [(2, Kind.SENT), (3, Kind.RESERVED), (4, 0)]
    assert open_journal().append([message("f-1"), message("c-1")]) == [None, None]


@pytest.mark.parametrize(
    ("known", "positions"), [("f-1", [2]), ("c-1", [2]), ("f-1 c-1", [None])], ids=["file", "caption", "both"]
)
def test_half_of_a_file_with_caption_may_be_known(open_journal, known, positions):
    """What another kernel was told first is not doubled, and the other half is not lost."""
    other, journal = open_journal(), open_journal()
    other.append([message(message_id) for message_id in known.split()])
    before = other.last_seq
    assert journal.append([FILE]) == [None if place is None else before + 1 for place in positions]
    assert other.append([message("f-1"), message("c-1"), message("m-9")])[:2] == [None, None]


# -- a file that is not right -----------------------------------------------------------------------------------------


def fill_up(journal: Journal) -> None:
    """Let the journal have no page more: SQLite says then what it says when the disk is full, which cannot be had."""
    pages = journal._connection.execute("PRAGMA page_count").fetchone()[0]
    journal._connection.execute(f"PRAGMA max_page_count = {pages}")


def free(journal: Journal) -> None:
    """Let the journal grow again."""
    journal._connection.execute("PRAGMA max_page_count = 1000000")


def test_full_disk_loses_nothing_and_is_said(open_journal):
    """A group that does not fit is not there in part, the error says what to do, and it fits later."""
    journal = open_journal()
    journal.append([message("m-1")])
    fill_up(journal)
    group = [message("m-2"), Entry("fromTheFuture", b"x" * 100_000, NOW)]
    for _ in range(2):
        with pytest.raises(JournalError, match=r"disk is full; what was committed is kept.*free some space"):
            journal.append(group)
    assert [frame[0] for frame in open_journal().read(0, 10)] == [1]
    free(journal)
    assert journal.append(group) == [2, 3]


def test_locked_journal_can_be_read_and_says_so(open_journal, path):
    """While another program writes, what is there can be read, and nothing is written in part."""
    journal = open_journal()
    journal.append([message("m-1")])
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(JournalError, match=r"locked by another program; what was committed is kept"):
        journal.append([message("m-2")])
    assert len(journal.read(0, 10)) == 1
    other.execute("ROLLBACK")
    other.close()
    assert journal.append([message("m-2")]) == [2]


def test_journal_locked_at_the_opening(open_journal, path):
    """A journal that another program does not let go is refused in one line, and can be opened afterwards."""
    open_journal().close()
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(JournalError, match=r"locked by another program and was left as it is"):
        open_journal()
    other.close()
    open_journal()


def test_drive_that_does_not_lock(open_journal, path, monkeypatch):
    """SQLite calls a drive without locks busy: that no program has the journal open is found out, and said."""
    journal = open_journal()

    def refuse(*_: object) -> NoReturn:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    # A stub of such a drive: another connection makes SQLite say what it says there.
    monkeypatch.setattr(fcntl, "lockf", refuse)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(JournalError, match=r"drive cannot lock files.*what was committed is kept.*local disk"):
        journal.append([message("m-1")])
    with pytest.raises(JournalError, match=r"drive cannot lock files.*local disk with journal=, or none") as caught:
        open_journal()
    assert "another program" not in str(caught.value)
    other.close()


def test_drive_without_shared_memory(open_journal, monkeypatch):
    """A drive on which SQLite keeps no write-ahead log is refused with what to do."""
    real = sqlite3.connect

    def without(path: Path, **options: Any) -> sqlite3.Connection:
        return real(f"file:{path}?vfs=unix-dotfile", uri=True, **options)

    monkeypatch.setattr(sqlite3, "connect", without)
    with pytest.raises(JournalError, match=r"drive cannot lock files.*local disk"):
        open_journal()


def test_journal_on_a_drive_that_cannot_be_written(open_journal, path, monkeypatch):
    """There a journal can be read, though SQLite cannot keep its place beside it, unless its log holds more."""
    journal = open_journal()
    journal.append([message("m-1")])
    journal.close()
    real = sqlite3.connect

    def read_only(address: str, **options: Any) -> sqlite3.Connection:
        if "immutable" in address:
            return real(address, **options)
        error = sqlite3.OperationalError("unable to open database file")
        error.sqlite_errorcode = sqlite3.SQLITE_CANTOPEN
        return cast(sqlite3.Connection, _Failing(error))

    monkeypatch.setattr(sqlite3, "connect", read_only)
    assert payloads(path, [1])
    path.with_name(f"{path.name}-wal").write_bytes(b"more")
    with pytest.raises(JournalError, match="copy both files to another folder"):
        payloads(path, [1])


class _Failing:
    """Stands for a connection to a file on a drive that cannot be written."""

    def __init__(self, error: sqlite3.OperationalError) -> None:
        self._error = error

    def execute(self, _: str) -> NoReturn:
        raise self._error

    def close(self) -> None:
        """There is nothing to close."""


def refused(path: Path, open_journal: Open, match: str) -> None:
    """Check that a file is refused in one line that names it, and that not a byte of it changes."""
    before = path.read_bytes()
    with pytest.raises(JournalError, match=match) as caught:
        open_journal()
    assert str(path) in str(caught.value)
    assert "left as it is" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert path.read_bytes() == before


def test_journal_of_a_newer_version_is_left_alone(open_journal, path):
    """What a later tcnb wrote is not touched by this one."""
    open_journal().close()
    raw(path, f"PRAGMA user_version = {VERSION + 1}")
    refused(path, open_journal, "newer tcnb.*update tcnb")


@pytest.mark.parametrize(("server", "account"), [("other.example.com", ME), (SERVER, ALICE)])
def test_journal_of_somebody_else_is_left_alone(open_journal, path, server, account):
    """A journal continues for its own server and account alone."""
    open_journal(server, account).close()
    refused(path, open_journal, f"belongs to {account} on {server}, not to {ME} on {SERVER}")


def test_case_of_an_account_does_not_matter(open_journal):
    """The server does not tell accounts apart by case, and neither does the journal."""
    open_journal(account="Robot@Video.example.com").close()
    open_journal(account="robot@video.example.com")


def test_other_database_is_left_alone(open_journal, path):
    """A database of another program is not written into."""
    raw(path, "CREATE TABLE recipes (name TEXT)")
    refused(path, open_journal, "is no journal of tcnb")


def test_other_file_is_left_alone(open_journal, path):
    """What is no database at all stays what it is."""
    path.write_bytes(b"Dear diary,\n" * 1000)
    refused(path, open_journal, "is no journal, or is damaged")


def test_damaged_journal_is_left_alone(open_journal, path):
    """A file with a hole in it is refused where it is read, and not repaired by force."""
    journal = open_journal()
    journal.append([message(str(number)) for number in range(2000)])
    journal.close()
    size = path.stat().st_size
    with path.open("r+b") as file:
        for place in range(4096, size, 4096 * 3):
            file.seek(place)
            file.write(b"\xa5" * 4096)
    before = path.read_bytes()
    with pytest.raises(JournalError, match=r"damaged .*left as it is.*put a copy") as caught:
        open_journal().read(0, 5000)
    assert "\n" not in str(caught.value)
    assert path.read_bytes() == before


def test_empty_file_becomes_a_journal(open_journal, path):
    """A process that was killed while it made the file leaves an empty one, which is used."""
    path.touch()
    assert open_journal().append([message("m-1")]) == [1]


def test_path_that_is_a_folder(open_journal, path):
    """A folder in the place of the file is an error in one line."""
    path.mkdir()
    with pytest.raises(JournalError, match="choose another place with journal="):
        open_journal()


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
@pytest.mark.parametrize("there", [False, True])
def test_read_only_folder(open_journal, path, there):
    """Where nothing can be written the error says so and names the ways out; what is there is kept."""
    if there:
        open_journal().close()
    path.parent.chmod(0o500)
    try:
        with pytest.raises(JournalError, match=r"make file and folder writable.*journal=None"):
            open_journal()
    finally:
        path.parent.chmod(0o700)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_read_only_file(open_journal, path):
    """A journal that may only be read is refused at the opening, not when the first message comes."""
    open_journal().close()
    path.chmod(0o400)
    with pytest.raises(JournalError, match=r"make file and folder writable.*journal=None"):
        open_journal()


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="there is no file system here that refuses even root")
def test_file_system_that_takes_no_files(open_journal):
    """Where no file can be made, not even by root, the error says so and names the ways out."""
    with pytest.raises(JournalError, match=r"cannot be written.*journal=None"):
        Journal.open("/proc/self/tcnb/journal.sqlite", SERVER, ME)


# -- where it is ------------------------------------------------------------------------------------------------------


def test_file_and_folders_are_their_owners_alone(tmp_path):
    """Neither the file, nor its side files, nor folders made for it can be read by others."""
    path = tmp_path / "data" / "journals" / "journal.sqlite"
    journal = Journal.open(path, SERVER, ME)
    journal.append([message("m-1")])
    files = list(path.parent.iterdir())
    assert {file.name for file in files} == {"journal.sqlite", "journal.sqlite-wal", "journal.sqlite-shm"}
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert {stat.S_IMODE(folder.stat().st_mode) for folder in (path.parent, path.parent.parent)} == {0o700}
    journal.close()


def _loose(path: Path) -> None:
    path.touch()


def _loose_with_side_files(path: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        Path(f"{path}{suffix}").touch()


def _loose_journal(path: Path) -> None:
    Journal.open(path, SERVER, ME).close()


def _link(path: Path) -> None:
    (path.parent / "elsewhere").touch()
    path.symlink_to(path.parent / "elsewhere")


def _dangling_link(path: Path) -> None:
    path.symlink_to(path.parent / "elsewhere")


def _chain_of_links(path: Path) -> None:
    path.symlink_to(path.parent / "next")
    (path.parent / "next").symlink_to(path.parent / "deeper" / "elsewhere")


@pytest.mark.parametrize(
    "prepare", [_loose, _loose_with_side_files, _loose_journal, _link, _dangling_link, _chain_of_links]
)
def test_what_was_there_before_becomes_its_owners_alone(tmp_path, prepare):
    """Whatever stood at the path, no file of the journal can be read by others once something is recorded."""
    path = tmp_path / "open" / "journal.sqlite"
    path.parent.mkdir()
    prepare(path)
    for file in path.parent.iterdir():
        if not file.is_symlink():
            file.chmod(0o666)
    journal = Journal.open(path, SERVER, ME)
    journal.append([message("m-1")])
    files = [file for file in path.parent.rglob("*") if not file.is_symlink() and file.is_file()]
    assert len(files) == 3
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    journal.close()


def test_rights_of_another_programs_file_are_left(path):
    """What is no journal is refused as it is."""
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE theirs (value)")
    other.close()
    path.chmod(0o644)
    with pytest.raises(JournalError, match="no journal of tcnb"):
        Journal.open(path, SERVER, ME)
    assert stat.S_IMODE(path.stat().st_mode) == 0o644


@pytest.mark.parametrize("suffix", ["", "-wal"])
def test_files_of_another_user_are_refused(path, monkeypatch, suffix):
    """What another user put in the journal's place, who could read it then, is not written into."""
    Path(f"{path}{suffix}").touch()
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    with pytest.raises(JournalError, match=r"belongs to another user.*journal="):
        Journal.open(path, SERVER, ME)
    assert Path(f"{path}{suffix}").stat().st_size == 0


def test_pipe_is_no_journal(path):
    """What is no file is refused at once; reading it would wait for ever."""
    os.mkfifo(path)
    with pytest.raises(JournalError, match="is no file"):
        Journal.open(path, SERVER, ME)


# -- what is not in it ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("https://v.example/files/9?token=TOKEN", "https://v.example/files/9"),
        ("https:\\/\\/v.example\\/files\\/9\\u003ftoken=TOKEN", "https://v.example/files/9"),
        ("https://name:TOKEN@v.example/files/9#TOKEN", "https://v.example/files/9"),
        ("https://v.example/files/9", "https://v.example/files/9"),
        ("https://v.example/\\ud800?token=TOKEN", ""),
        ("http://[?token=TOKEN", ""),
    ],
)
@pytest.mark.parametrize("name", ["avatarUrl", "downloadUrl"])
def test_tokens_of_addresses_are_not_kept(open_journal, name, written, kept):
    """Of the address of a picture or a file, what opens it is left out; all else is there byte for byte."""
    journal = open_journal()
    before, after = f'{{"chatId":"c", "{name}" : "', '","timestamp":1767000000000,"text":"a\\u00e9?b=c"}'
    journal.append([Entry("editChatAvatar", f"{before}{written}{after}".encode(), NOW)])
    (stored,) = journal.read(0, 1)
    assert json.loads(stored[4])[name] == kept
    assert bytes(stored[4]).startswith(before.encode()) and bytes(stored[4]).endswith(after.encode())
    assert b"TOKEN" not in b"".join(file.read_bytes() for file in journal.path.parent.iterdir())


def test_tokens_are_left_out_of_what_breaks_off(open_journal):
    """A text that is no frame is kept without them, too."""
    journal = open_journal()
    journal.append([Entry("", b'{"previews":[{"downloadUrl":"https://v.example/9?token=TOK', NOW)])
    (stored,) = journal.read(0, 1)
    assert stored[4] == b'{"previews":[{"downloadUrl":"https://v.example/9'


def test_same_picture_is_the_same_whatever_its_token(open_journal):
    """Two kernels of one account may be given different tokens for one event, which is kept once."""
    one, other = open_journal(), open_journal()
    for number, journal in enumerate((one, other)):
        payload = encode({"chatId": "c", "avatarUrl": f"https://v.example/9?token={number}"})
        journal.append([Entry("editChatAvatar", payload, NOW)])
    assert one.look() == 1


def test_each_server_and_account_has_a_file():
    """Names that differ lead to files that differ, in the user's data folder, whatever characters they hold."""
    names = ["video.example.com", "video.example.com:8443", "[::1]:80", "..", "a/b", "A"]
    paths = {default_path(server, account) for server in names for account in ("robot@x", "../robot", "bob@x")}
    assert len(paths) == len(names) * 3
    folder = Path(os.environ["XDG_DATA_HOME"]) / "tcnb" / "journals"
    if sys.platform == "linux":
        assert all(path.resolve().parent.parent == folder.resolve() for path in paths)
    assert default_path("video.example.com", "Robot@X") == default_path("video.example.com", "robot@x")


def test_choice_left_to_tcnb_reads_as_such():
    """In a signature the default is shown by its name."""
    assert repr(AUTO) == "AUTO"


def test_processes_that_begin_one_journal_together_share_it(path):
    """Several processes that make the same file at the same time all write into one journal."""
    program = (
        "import sys\n"
        "from tcnb.journal.journal import Entry, Journal\n"
        "sys.stdin.readline()\n"
        f"journal = Journal.open(sys.argv[1], {SERVER!r}, {ME!r})\n"
        "journal.append([Entry('fromTheFuture', sys.argv[2].encode(), 1)])\n"
    )
    processes = [
        subprocess.Popen([sys.executable, "-c", program, str(path), str(number)], stdin=subprocess.PIPE, text=True)
        for number in range(3)
    ]
    for process in processes:
        process.communicate("go\n", timeout=60)
    assert [process.returncode for process in processes] == [0, 0, 0]
    assert sorted(raw(path, "SELECT payload FROM frames")) == [(b"0",), (b"1",), (b"2",)]
