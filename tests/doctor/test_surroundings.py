"""Commands and sessions where something usual is missing: a home, a working folder, characters of a code page."""

from __future__ import annotations

import io
import os
import pwd
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest

import tcnb
from tcnb.commands.cli import main
from tcnb.errors import FileMissingError, JournalError, UsageError
from tcnb.practice import PracticeThread


@pytest.fixture
def homeless(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody says where the home folder is, as in a container under a number that has no account."""

    def unknown(*_: object) -> NoReturn:
        raise KeyError("no such user")

    for name in ("HOME", "USERPROFILE", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name in ("getpwuid", "getpwnam"):
        monkeypatch.setattr(pwd, name, unknown)


@pytest.fixture
def placeless(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The working folder was deleted under this process."""
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    yield
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (["export", "archive"], "there is no home folder here in which a journal could be: set the variable"),
        (["demo"], "there is no home folder here, which Jupyter needs"),
        (["doctor", "127.0.0.1", "--ca", "~/ca.pem"], "nobody says here where the home folder of '~/ca.pem' is"),
    ],
)
def test_command_without_a_home(
    homeless: None, capsys: pytest.CaptureFixture[str], command: list[str], said: str
) -> None:
    """A command that needs a home folder says so in one line."""
    assert main(command) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert said in line


def test_doctor_without_a_home(homeless: None, capsys: pytest.CaptureFixture[str]) -> None:
    """The doctor tells that there is no home folder, and looks at the rest all the same."""
    assert main(["doctor"]) == 1
    said = capsys.readouterr().out
    assert "problem  journal folder   there is no home folder" in said
    assert "ok       packages" in said


def test_session_without_a_home(homeless: None, practice: PracticeThread) -> None:
    """A session without a journal needs no home; one with the usual journal says what to do."""
    values: dict[str, Any] = {"username": "robot", "password": "robot", "https": False, "web_port": practice.port}
    with pytest.raises(JournalError, match="journal=None"):
        tcnb.connect("127.0.0.1", **values)
    session = tcnb.connect("127.0.0.1", **values, journal=None)
    try:
        chat = session._wait(session.bot.create_group_chat("Files")).chat_id
        sent = session.send_document(chat, b"plans")
        with pytest.raises(FileMissingError, match=r"home folder of '~/a\.txt'"):
            session.send_document(chat, "~/a.txt")
        with pytest.raises(UsageError, match=r"home folder of '~/a\.txt'"):
            session.download(sent.file_id, "~/a.txt")
    finally:
        session.close()


@pytest.mark.parametrize("command", [["export", "archive", "--journal", "j.sqlite"], ["demo", "--notebook", "a.ipynb"]])
def test_command_without_a_working_folder(
    placeless: None, capsys: pytest.CaptureFixture[str], command: list[str]
) -> None:
    """A command with relative paths in a folder that was deleted is one line."""
    assert main(command) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"tcnb {command[0]}: ")


def test_session_without_a_working_folder(placeless: None, connect: Any) -> None:
    """A session lives without a working folder; only relative paths have no meaning."""
    session = connect()
    chat = session._wait(session.bot.create_group_chat("Files")).chat_id
    assert session.download(session.send_document(chat, b"plans").file_id) == b"plans"
    with pytest.raises(FileMissingError, match="working folder of this process was deleted"):
        session.send_document(chat, "plan.pdf")


@pytest.mark.parametrize("encoding", ["ascii", "cp1251"])
def test_characters_that_the_output_lacks_are_replaced(tmp_path: Path, encoding: str) -> None:
    """Where the code page of the output has no code for a character of a path, there is a question mark."""
    environment = {**os.environ, "PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"}
    command = [sys.executable, "-m", "tcnb", "doctor", "--journal", str(tmp_path / "чат 😀.sqlite")]
    done = subprocess.run(command, env=environment, capture_output=True, timeout=120)
    said = done.stdout.decode(encoding)
    assert done.stderr == b""
    assert ("чат ?.sqlite" if encoding == "cp1251" else "??? ?.sqlite") in said


def test_status_and_errors_in_a_narrow_code_page(connect: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is printed of a session fits the output, whatever it is about."""
    session = connect(name="чат 😀")
    output = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", output)
    print(session.status())
    (line,) = UsageError("нет чата 😀")._render_traceback_()
    print(line)
    output.flush()
    said = output.buffer.getvalue().decode("ascii")  # type: ignore[attr-defined]
    monkeypatch.undo()
    assert "\n??? ?: robot@practice.local" in said
    assert "UsageError: ??? ???? ?" in said
