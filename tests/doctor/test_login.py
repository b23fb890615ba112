"""What `tcnb login` stores, and what it refuses to store; the keyring is one of the package's own kind, in memory."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import keyring
import keyring.backend
import keyring.backends.fail
import pytest

from tcnb.client.credentials import keyring_service
from tcnb.commands import login
from tcnb.commands.cli import COMMANDS, main
from tcnb.practice import PracticeThread
from tests.credentials import find_credentials


class MemoryKeyring(keyring.backend.KeyringBackend):
    """A keyring that keeps its entries in memory."""

    priority = 1  # type: ignore[assignment]

    def __init__(self) -> None:
        super().__init__()
        self.entries: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.entries.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.entries[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.entries[service, username]


@pytest.fixture(autouse=True)
def store(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[MemoryKeyring]:
    """An empty keyring, and no variables that name accounts."""
    for name in [name for name in os.environ if name.startswith("TRUECONF_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    before = keyring.get_keyring()
    memory = MemoryKeyring()
    keyring.set_keyring(memory)
    yield memory
    keyring.set_keyring(before)


@pytest.fixture
def server() -> Iterator[str]:
    """The address of a practice server with one account."""
    with PracticeThread(accounts=("robot:s3cret-word",)) as thread:
        yield f"127.0.0.1:{thread.port}"


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What a person types as the password, in order."""
    answers: list[str] = []
    monkeypatch.setattr(login, "ask", lambda question: answers.pop(0))
    return answers


def test_accepted_password_is_stored(
    server: str, store: MemoryKeyring, typed: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """A password that the server takes is in the keyring, where connecting finds it, and is not printed."""
    typed.append("s3cret-word")
    assert main(["login", server, "--username", "robot", "--http"]) == 0
    assert store.entries == {(keyring_service(server), "robot"): "s3cret-word"}
    found = find_credentials(server, "robot", prompt=None)
    assert (found.password, found.origin) == ("s3cret-word", "keyring")
    printed = capsys.readouterr()
    assert "s3cret-word" not in printed.out + printed.err


def test_refused_password_is_not_stored(
    server: str, store: MemoryKeyring, typed: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """A password that the server refuses is told and not stored."""
    typed.append("wr0ng-word")
    assert main(["login", server, "--username", "robot", "--http"]) == 1
    assert store.entries == {}
    said = capsys.readouterr().err
    assert "wrong login or password" in said
    assert "wr0ng-word" not in said


def test_no_keyring(server: str, typed: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Where no keyring has a place to store it, one line says so."""
    keyring.set_keyring(keyring.backends.fail.Keyring())
    typed.append("s3cret-word")
    assert main(["login", server, "--username", "robot", "--http"]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("tcnb login: the keyring does not store it")


def test_server_and_login_are_asked_for(
    server: str, store: MemoryKeyring, typed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is not on the line is asked for at a terminal."""
    answers = iter([server, "robot"])
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda question: next(answers))
    typed.append("s3cret-word")
    assert main(["login", "--http"]) == 0
    assert list(store.entries) == [(keyring_service(server), "robot")]


def test_nobody_to_ask(capsys: pytest.CaptureFixture[str]) -> None:
    """Without a terminal, what is missing is named."""
    assert main(["login"]) == 1
    assert "name the server" in capsys.readouterr().err
    assert main(["login", "video.example.com"]) == 1
    assert "--username" in capsys.readouterr().err


def test_every_subcommand_has_help(capsys: pytest.CaptureFixture[str]) -> None:
    """The command and each of its subcommands tell their options."""
    for name in ([], *([command] for command in COMMANDS)):
        with pytest.raises(SystemExit) as ended:
            main([*name, "--help"])
        assert ended.value.code == 0
        assert "usage: tcnb" in capsys.readouterr().out
