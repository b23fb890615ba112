"""Where login and secret come from: the order of the places, what belongs together, and that nothing is shown."""

from __future__ import annotations

import getpass
import os
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path

import keyring
import keyring.backend
import keyring.backends.fail
import keyring.errors
import pytest

import tcnb
from tcnb.client import credentials
from tcnb.client.credentials import ask, into_keyring, keyring_service
from tcnb.errors import UsageError
from tcnb.practice import PracticeThread
from tests.credentials import find_credentials
from tests.raw_server import RawServer, reply


class MemoryKeyring(keyring.backend.KeyringBackend):
    """A keyring backend of the keyring package's own kind that keeps its entries in memory."""

    priority = 1  # type: ignore[assignment]

    def __init__(self) -> None:
        super().__init__()
        self.entries: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.entries.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.entries[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        raise keyring.errors.PasswordDeleteError


class LockedKeyring(MemoryKeyring):
    """A keyring that cannot be opened."""

    def get_password(self, service: str, username: str) -> str | None:
        raise keyring.errors.KeyringLocked("locked")


class HangingKeyring(MemoryKeyring):
    """A keyring that waits for somebody to unlock it, where nobody can; `answer` ends that."""

    def __init__(self) -> None:
        super().__init__()
        self.answer = threading.Event()
        self.answered = threading.Event()

    def get_password(self, service: str, username: str) -> str | None:
        self.answer.wait()
        self.answered.set()
        return "late"

    def set_password(self, service: str, username: str, password: str) -> None:
        self.answer.wait()


class ExitingKeyring(MemoryKeyring):
    """A keyring that wants to end the process."""

    def get_password(self, service: str, username: str) -> str | None:
        raise SystemExit("no D-Bus")

    def set_password(self, service: str, username: str, password: str) -> None:
        raise SystemExit


def dotenv(folder: Path, mode: int = 0o600, **values: str) -> Path:
    """Write a `.env` file."""
    path = folder / ".env"
    path.write_text("".join(f"TRUECONF_{name}={value}\n" for name, value in values.items()))
    path.chmod(mode)
    return path


def give_away(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a file belong to another account; where only the administrator may do so, we are another one ourselves."""
    if os.getuid() == 0:
        os.chown(path, 4242, -1, follow_symlinks=False)
    else:
        monkeypatch.setattr(os, "getuid", lambda: 4242)


def nobody(question: str) -> str:
    raise AssertionError(f"nobody should be asked: {question}")


@pytest.fixture(autouse=True)
def empty_surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[MemoryKeyring]:
    """No variables, no .env file, and a keyring in memory."""
    for name in ("SERVER", "USERNAME", "PASSWORD", "TOKEN", "CLIENT_ID"):
        monkeypatch.delenv(f"TRUECONF_{name}", raising=False)
    monkeypatch.chdir(tmp_path)
    before = keyring.get_keyring()
    memory = MemoryKeyring()
    keyring.set_keyring(memory)
    yield memory
    keyring.set_keyring(before)


def test_arguments_win(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the caller gives is taken, whatever else there is."""
    monkeypatch.setenv("TRUECONF_PASSWORD", "other")
    found = find_credentials("host", "robot", "secret", prompt=nobody)
    assert (found.server, found.username, found.password, found.token) == ("host", "robot", "secret", None)
    assert found.origin == "argument"


def test_token_needs_no_login() -> None:
    """With a ready token nothing else is looked for."""
    found = find_credentials("host", token="t0ken", prompt=nobody)
    assert (found.username, found.password, found.token) == (None, None, "t0ken")


def test_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Server, login, password and client id may all come from the environment."""
    for name, value in {"SERVER": "host", "USERNAME": "robot", "PASSWORD": "s", "CLIENT_ID": "app"}.items():
        monkeypatch.setenv(f"TRUECONF_{name}", value)
    found = find_credentials(prompt=nobody)
    assert (found.server, found.username, found.password, found.client_id) == ("host", "robot", "s", "app")
    assert found.origin == "environment"


def test_dotenv_in_a_parent_folder(tmp_path: Path) -> None:
    """The nearest .env file that speaks of us is read, also from a folder above, and characters stay as they are."""
    dotenv(tmp_path, SERVER="host", USERNAME="robot", PASSWORD="'a${b}#c'")
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    (tmp_path / "a" / ".env").write_text("SOMETHING=else\n")
    found = find_credentials(prompt=nobody, folder=below)
    assert (found.server, found.username, found.password) == ("host", "robot", "a${b}#c")
    assert found.origin == str(tmp_path / ".env")


def test_dotenv_changes_no_environment(tmp_path: Path) -> None:
    """What a .env file says is not put into the environment of the kernel."""
    dotenv(tmp_path, PASSWORD="s")
    find_credentials("host", "robot", prompt=nobody)
    assert "TRUECONF_PASSWORD" not in credentials.os.environ


def test_environment_before_dotenv(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The environment goes before the .env file."""
    dotenv(tmp_path, PASSWORD="file")
    monkeypatch.setenv("TRUECONF_PASSWORD", "environment")
    assert find_credentials("host", "robot", prompt=nobody).password == "environment"


def test_keyring(empty_surroundings: MemoryKeyring) -> None:
    """The keyring is asked under the service name of the server."""
    into_keyring("host", "robot", "ring")
    assert empty_surroundings.entries == {("tcnb:host", "robot"): "ring"}
    found = find_credentials("host", "robot", prompt=nobody)
    assert (found.password, found.origin) == ("ring", "keyring")


@pytest.mark.parametrize("server", ["host", "HOST", "https://host/", "host:443"])
def test_one_service_name_for_a_server(server: str) -> None:
    """However a server is written, the keyring's entry is the same."""
    assert keyring_service(server) == "tcnb:host"


def test_locked_keyring_is_passed_over() -> None:
    """A keyring that cannot be read leads on to the question."""
    keyring.set_keyring(LockedKeyring())
    assert find_credentials("host", "robot", prompt=lambda question: "typed").password == "typed"


def test_keyring_that_hangs_is_passed_over() -> None:
    """After the time that is given somebody is asked, who is told why, and a late answer is dropped."""
    keyring.set_keyring(hanging := HangingKeyring())
    questions: list[str] = []

    def prompt(question: str) -> str:
        questions.append(question)
        hanging.answer.set()
        assert hanging.answered.wait(30)
        return "typed"

    found = find_credentials("host", "robot", prompt=prompt, timeout=0.05)
    assert (found.password, found.origin) == ("typed", "prompt")
    assert questions == ["Password of robot on host (the keyring did not answer within 0.05 s): "]


def test_keyring_that_hangs_is_named_where_nobody_can_be_asked() -> None:
    """Without anybody to ask, the error begins with what kept the keyring from answering."""
    keyring.set_keyring(hanging := HangingKeyring())
    with pytest.raises(UsageError, match=r"^the keyring did not answer within 0\.05 s; there is no password for robot"):
        find_credentials("host", "robot", prompt=None, timeout=0.05)
    hanging.answer.set()


def test_keyring_that_ends_the_process_does_not() -> None:
    """Whatever a keyring raises, somebody is asked."""
    keyring.set_keyring(ExitingKeyring())
    assert find_credentials("host", "robot", prompt=lambda question: question).password == (
        "Password of robot on host (the keyring failed (SystemExit)): "
    )


def test_no_keyring_is_no_problem() -> None:
    """Where there is no keyring nothing is said of it."""
    keyring.set_keyring(keyring.backends.fail.Keyring())
    assert find_credentials("host", "robot", prompt=lambda question: question).password == (
        "Password of robot on host: "
    )


@pytest.mark.parametrize(
    ("backend", "said"),
    [(HangingKeyring, "did not answer within 0.05 s"), (ExitingKeyring, "does not store it .SystemExit.")],
)
def test_keyring_that_stores_nothing(backend: type[MemoryKeyring], said: str) -> None:
    """A keyring that hangs or fails while it stores a password is one line."""
    keyring.set_keyring(backend())
    with pytest.raises(UsageError, match=f"^the keyring {said}$"):
        into_keyring("host", "robot", "s", timeout=0.05)


def test_prompt_is_the_last_place() -> None:
    """At last a person is asked, and told for whom and where."""
    questions: list[str] = []

    def prompt(question: str) -> str:
        questions.append(question)
        return "typed"

    found = find_credentials("host", "robot", prompt=prompt)
    assert (found.password, found.origin) == ("typed", "prompt")
    assert questions == ["Password of robot on host: "]


def test_no_answer() -> None:
    """An empty answer is no password."""
    with pytest.raises(UsageError, match="no password was given for robot on host"):
        find_credentials("host", "robot", prompt=lambda question: "")


@pytest.mark.parametrize(
    ("name", "value"),
    [("TRUECONF_SERVER", "other.example.com"), ("TRUECONF_USERNAME", "somebody")],
)
def test_secret_of_another_account_is_not_used(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    """A password that belongs to another server or login is passed over."""
    monkeypatch.setenv(name, value)
    monkeypatch.setenv("TRUECONF_PASSWORD", "theirs")
    monkeypatch.setenv("TRUECONF_TOKEN", "theirs")
    found = find_credentials("host", "robot", prompt=lambda question: "mine")
    assert (found.password, found.token) == ("mine", None)


def test_same_account_written_differently(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server with its scheme and a login with its server are the same account."""
    monkeypatch.setenv("TRUECONF_SERVER", "https://Host/")
    monkeypatch.setenv("TRUECONF_USERNAME", "robot@host")
    monkeypatch.setenv("TRUECONF_PASSWORD", "s")
    assert find_credentials("host", "robot", prompt=nobody).password == "s"


@pytest.mark.parametrize(
    ("server", "username", "said"),
    [
        (None, None, "which server?.*TRUECONF_SERVER"),
        ("host", None, "which account on host?.*TRUECONF_USERNAME"),
        ("host", "robot", "no password for robot on host.*TRUECONF_PASSWORD.*keyring set tcnb:host robot"),
    ],
)
def test_missing(server: str | None, username: str | None, said: str) -> None:
    """What is missing is named together with the places where it may be put."""
    with pytest.raises(UsageError, match=said) as caught:
        find_credentials(server, username, prompt=None)
    assert "\n" not in str(caught.value)


def test_nobody_can_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a frontend takes no questions the error names the other places."""

    def refuse(question: str) -> str:
        raise NotImplementedError("this frontend does not support input requests")

    monkeypatch.setattr(getpass, "getpass", refuse)
    with pytest.raises(UsageError, match="nobody to ask: set TRUECONF_PASSWORD"):
        find_credentials("host", "robot")


def test_no_terminal() -> None:
    """Without a terminal and without a notebook nobody is asked, and nothing is read from a pipe."""
    with pytest.raises(UsageError, match="nobody can be asked"):
        ask("Password: ")


def test_secrets_are_not_shown() -> None:
    """Neither password nor token is in the representation."""
    found = find_credentials("host", "robot", "hunter2", "t0ken")
    assert "hunter2" not in f"{found!r}{found}"
    assert "t0ken" not in f"{found!r}{found}"
    assert "password=<hidden>, token=<hidden>" in repr(found)


# -- files and servers that are not ours -------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", [0o666, 0o622, 0o602])
def test_dotenv_that_others_may_write(tmp_path: Path, mode: int) -> None:
    """A file that others may write is passed over, and it is said how to mend that."""
    path = dotenv(tmp_path, mode, SERVER="evil", USERNAME="robot", PASSWORD="s")
    with pytest.raises(UsageError, match=f"which server.*{path} is not read, because other accounts may.*chmod go-w"):
        find_credentials(prompt=nobody)


@pytest.mark.parametrize(
    ("name", "members", "is_read"), [("", [], True), ("", ["mallory"], False), ("staff", [], False)]
)
def test_dotenv_that_a_group_may_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, members: list[str], is_read: bool
) -> None:
    """A group with the owner alone in it, as many systems make one for each account, is nobody else."""
    import grp
    import pwd

    status = dotenv(tmp_path, 0o664, SERVER="host", USERNAME="robot", PASSWORD="s").stat()
    owner = pwd.getpwuid(status.st_uid).pw_name
    monkeypatch.setattr(grp, "getgrgid", lambda gid: grp.struct_group((name or owner, "x", gid, members)))
    monkeypatch.setattr(
        pwd, "getpwuid", lambda uid: pwd.struct_passwd((owner, "x", uid, status.st_gid, "", "/", "/bin/sh"))
    )
    if is_read:
        assert find_credentials(prompt=nobody).password == "s"
    else:
        with pytest.raises(UsageError, match="other accounts may write it"):
            find_credentials(prompt=nobody)


def test_dotenv_of_another_account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of another account is passed over, and the error says so in its line."""
    path = dotenv(tmp_path, SERVER="evil", USERNAME="robot", PASSWORD="s")
    give_away(path, monkeypatch)
    with pytest.raises(UsageError, match=f"{path} is not read, because it belongs to another account") as caught:
        find_credentials(prompt=nobody)
    assert "\n" not in str(caught.value)


def test_link_of_another_account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither is a link of another account followed, to whatever file of ours."""
    below = tmp_path / "below"
    below.mkdir()
    mine = dotenv(tmp_path, SERVER="host", USERNAME="robot", PASSWORD="s").rename(tmp_path / "mine")
    (below / ".env").symlink_to(mine)
    give_away(below / ".env", monkeypatch)
    with pytest.raises(UsageError, match="belongs to another account"):
        find_credentials(prompt=nobody, folder=below)


def test_own_link_to_an_own_file(tmp_path: Path) -> None:
    """A link of one's own is as good as the file."""
    mine = dotenv(tmp_path, SERVER="host", USERNAME="robot", PASSWORD="s").rename(tmp_path / "mine")
    (tmp_path / ".env").symlink_to(mine)
    assert find_credentials(prompt=nobody).password == "s"


def test_search_goes_on_above_a_foreign_file(tmp_path: Path) -> None:
    """What is passed over hides no file of one's own in a folder above."""
    below = tmp_path / "below"
    below.mkdir()
    foreign = dotenv(below, 0o666, SERVER="evil", USERNAME="robot", PASSWORD="s")
    dotenv(tmp_path, SERVER="host", USERNAME="robot", PASSWORD="mine")
    found = find_credentials(prompt=nobody, folder=below)
    assert (found.server, found.password) == ("host", "mine")
    assert [str(foreign) in one for one in found.passed_over] == [True]


def test_foreign_file_of_something_else_is_no_matter(tmp_path: Path) -> None:
    """Of a file that says nothing to us nothing is said."""
    (tmp_path / ".env").write_text("DATABASE=x\n")
    (tmp_path / ".env").chmod(0o666)
    assert find_credentials("host", "robot", "s", prompt=nobody).passed_over == ()


@pytest.mark.parametrize("name", ["PASSWORD", "TOKEN"])
def test_secret_goes_to_no_server_that_a_file_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """A secret of the environment is not sent to a server that a file of the folder names."""
    path = dotenv(tmp_path, SERVER="evil", USERNAME="robot")
    monkeypatch.setenv(f"TRUECONF_{name}", "mine")
    found = find_credentials(prompt=lambda question: f"typed for: {question}")
    assert (found.password, found.token) == ("typed for: Password of robot on evil: ", None)
    (said,) = found.passed_over
    assert said.startswith(f"TRUECONF_{name} of the environment is not sent to evil, which {path} names: set ")
    with pytest.raises(UsageError, match=r"no password for robot on evil.*of the environment is not sent to evil"):
        find_credentials(prompt=None)


def test_secret_of_a_file_goes_to_no_server_that_the_environment_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither is that of a file which names no server: server and secret come from one place."""
    dotenv(tmp_path, USERNAME="robot", PASSWORD="file")
    monkeypatch.setenv("TRUECONF_SERVER", "host")
    assert find_credentials(prompt=lambda question: "typed").password == "typed"


@pytest.mark.parametrize("is_in_both", [True, False])
def test_server_and_secret_of_one_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_in_both: bool) -> None:
    """A file that names server and password is used as a whole, also where the environment has another password."""
    dotenv(tmp_path, SERVER="host", USERNAME="robot", PASSWORD="file")
    monkeypatch.setenv("TRUECONF_PASSWORD", "environment")
    if is_in_both:
        monkeypatch.setenv("TRUECONF_SERVER", "HOST")
    found = find_credentials(prompt=nobody)
    assert found.password == ("environment" if is_in_both else "file")


def test_nothing_is_sent_to_a_server_that_a_foreign_file_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Connecting in a folder with the file of a stranger sends them nothing, and a warning tells of the file."""
    monkeypatch.setenv("TRUECONF_USERNAME", "robot")
    monkeypatch.setenv("TRUECONF_PASSWORD", "hush")
    with RawServer(lambda head: [reply(b'{"access_token": "t"}')]) as stranger:
        for mode in (0o600, 0o666):
            dotenv(tmp_path, mode, SERVER=stranger.url)
            with pytest.raises(UsageError):
                tcnb.connect()
        with PracticeThread(accounts=("robot:hush",)) as own:
            monkeypatch.setenv("TRUECONF_SERVER", f"http://127.0.0.1:{own.port}")
            with pytest.warns(UserWarning, match=r"\.env is not read"):
                tcnb.connect(journal=None).close()
        assert stranger.heads == []


def test_own_file_is_no_warning(tmp_path: Path) -> None:
    """Where all is well nothing is said."""
    with PracticeThread(accounts=("robot:hush",)) as own, warnings.catch_warnings():
        warnings.simplefilter("error")
        dotenv(tmp_path, SERVER=f"http://127.0.0.1:{own.port}", USERNAME="robot", PASSWORD="hush")
        tcnb.connect(journal=None).close()
