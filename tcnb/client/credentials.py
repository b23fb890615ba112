"""Where login and secret come from when they are not given: environment, `.env`, keyring, question; none is kept here.

The order is: what the caller gave, the environment, the nearest `.env` file (with python-dotenv), the keyring, a
question. Login, password, token and client id of one source belong together: a source that names another server or
another login than the one asked for is passed over, so that no server ever receives the password of another. For the
same reason a secret of a source that names no server goes only to a server that the caller gave: otherwise any file
that names a server would be sent the password of the environment. A `.env` file that somebody else could have written
is not read at all.
"""

from __future__ import annotations

import getpass
import importlib
import io
import os
import stat
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeVar, cast

from tcnb.errors import MissingPackageError, PortableError, UsageError
from tcnb.files.paths import working_folder
from tcnb.secret import Secret, without_locals
from tcnb.threads import interruptible, is_done, raised_interrupts, started

PREFIX: Final = "TRUECONF_"
SERVER: Final = "TRUECONF_SERVER"
USERNAME: Final = "TRUECONF_USERNAME"
PASSWORD: Final = "TRUECONF_PASSWORD"
TOKEN: Final = "TRUECONF_TOKEN"
CLIENT_ID: Final = "TRUECONF_CLIENT_ID"

KEYRING_TIMEOUT: Final = 10.0
"""Seconds after which a keyring is passed over. One may ask its owner to unlock it, and wait for ever where there is no
screen to ask on."""

_LONGEST_FILE: Final = 2**20
"""Characters of a `.env` file that are read."""

T = TypeVar("T")

Prompt = Callable[[str], str]

Variables = dict[str, Any]
"""Variables by their names: texts, and as a `Secret` each that is one."""


@dataclass(frozen=True)
class Credentials:
    """An account and what proves it.

    Attributes:
        server: the server's address as it was given or found.
        username: the login, None where only a token is known.
        password: the password, None where there is a token.
        token: a ready token.
        client_id: the id of an OAuth application.
        origin: where the secret comes from, for people: `argument`, `environment`, the path of a `.env` file,
            `keyring` or `prompt`.
        passed_over: what was found and is not used, and why; a line each.
    """

    server: str
    username: str | None = None
    password: Secret | None = None
    token: Secret | None = None
    client_id: str | None = None
    origin: str = "argument"
    passed_over: tuple[str, ...] = ()


@dataclass(frozen=True)
class Question:
    """A password that is nowhere to be found, so that a person has to be asked.

    Attributes:
        server, username, client_id: as of `Credentials`.
        problem: why the keyring could not be asked; empty where it could, or where there is none.
        passed_over: as of `Credentials`.
    """

    server: str
    username: str
    client_id: str | None
    problem: str = ""
    passed_over: tuple[str, ...] = ()

    def put(self, prompt: Prompt | None) -> Credentials:
        """Ask, and return what is complete with the answer.

        Raises:
            UsageError: nobody can be asked, or nothing was answered.
        """
        if prompt is None:
            raise UsageError(self._unanswerable())
        note = f" ({self.problem})" if self.problem else ""
        try:
            answer = Secret(prompt(f"Password of {self.username} on {self.server}{note}: "))
        except UsageError as error:
            raise UsageError(self._unanswerable()) from error
        if not answer:
            raise UsageError(f"no password was given for {self.username} on {self.server}")
        return Credentials(
            self.server, self.username, answer, None, self.client_id, "prompt", passed_over=self.passed_over
        )

    async def aput(self) -> Credentials:
        """Ask; awaited version of `put`.

        In a notebook the loop goes on meanwhile. At a terminal it waits: a thread that reads there could not be
        interrupted, and would take the next line that is typed.
        """
        if _is_notebook():
            return await interruptible(lambda: self.put(ask), name="tcnb question")
        return self.put(ask)

    def _unanswerable(self) -> str:
        keyring = f"python -m keyring set {keyring_service(self.server)} {self.username}"
        dotenv = "" if _optional("dotenv") else " (with python-dotenv installed)"
        problem = f"{self.problem}; " if self.problem else ""
        passed_over = "".join(f"; {one}" for one in self.passed_over)
        return (
            f"{problem}there is no password for {self.username} on {self.server} and nobody to ask: set {PASSWORD} in "
            f"the environment or in a .env file{dotenv}, or store it once with: {keyring}{passed_over}"
        )


def ask(question: str) -> str:
    """Ask a person for a secret without showing what is typed; in a notebook the answer is not stored.

    Raises:
        UsageError: nobody can answer here (nbclient, papermill, a script without a terminal).
    """
    if not _is_notebook() and not _has_terminal():
        raise UsageError(_cannot_ask())
    try:
        with raised_interrupts():
            return getpass.getpass(question)
    except (NotImplementedError, EOFError, OSError) as error:
        # ipykernel raises StdinNotImplementedError, a NotImplementedError, where the frontend takes no questions
        raise UsageError(_cannot_ask()) from error


def look_up(
    server: str | None = None,
    username: str | None = None,
    password: Secret | None = None,
    token: Secret | None = None,
    client_id: str | None = None,
    *,
    folder: Path | None = None,
    timeout: float = KEYRING_TIMEOUT,
) -> Credentials | Question:
    """Complete what the caller gave by what environment, `.env` file and keyring have, or return what is to be asked.

    Args:
        server: the server's address; otherwise `TRUECONF_SERVER`.
        username: login without `@server`; otherwise `TRUECONF_USERNAME`.
        password: otherwise `TRUECONF_PASSWORD`, the keyring's entry `tcnb:<server>`, or the question.
        token: otherwise `TRUECONF_TOKEN`; with a token no password is looked for.
        client_id: the id of an OAuth application; otherwise `TRUECONF_CLIENT_ID`.
        folder: where the search for a `.env` file begins; None is the working folder, if there is one.
        timeout: seconds that the keyring may take; never more than `KEYRING_TIMEOUT`.

    Returns:
        What is complete, or the question for a password. Its `passed_over` says which files were not read, and which
        secrets were not taken because another source names the server.

    Raises:
        UsageError: the server or the login is nowhere to be found, or something that was given is no text.
    """
    password, token = Secret.of(password), Secret.of(token)
    given = {"server": server, "username": username, "password": password, "token": token, "client_id": client_id}
    for name, value in given.items():
        if value is not None and not isinstance(value, str | Secret):
            raise UsageError(f"{name} is a str, not of the type {type(value).__name__}")
    sources, passed_over = _sources(folder or working_folder())
    named_by = "argument" if server else next((source.origin for source in sources if SERVER in source.values), None)
    server = server or next((source.values[SERVER] for source in sources if SERVER in source.values), None)
    if not server:
        raise UsageError("; ".join([_no_server(), *passed_over]))
    sources = [source for source in sources if _is_about(source.values, SERVER, server)]
    if username is None and token is None:
        username = next((source.values[USERNAME] for source in sources if USERNAME in source.values), None)
    sources = [source for source in sources if _is_about(source.values, USERNAME, username)]
    client_id = client_id or next((source.values[CLIENT_ID] for source in sources if CLIENT_ID in source.values), None)
    if password is not None or token is not None:
        username = _required(username, server, token, passed_over)
        return Credentials(server, username, password, token, client_id, passed_over=tuple(passed_over))
    source = _with_secret(sources, None if named_by == "argument" else named_by, server, passed_over)
    if source is not None:
        password, token = source.values.get(PASSWORD), source.values.get(TOKEN)
        username = _required(username, server, token, passed_over)
        return Credentials(server, username, password, token, client_id, source.origin, tuple(passed_over))
    username = _required(username, server, None, passed_over) or ""
    try:
        stored = from_keyring(server, username, timeout)
    except UsageError as error:
        return Question(server, username, client_id, str(error), tuple(passed_over))
    if stored is None:
        return Question(server, username, client_id, passed_over=tuple(passed_over))
    return Credentials(server, username, stored, None, client_id, "keyring", tuple(passed_over))


def keyring_service(server: str) -> str:
    """Return the service name under which the keyring holds passwords for a server."""
    return f"tcnb:{_normal(server)}"


def from_keyring(server: str, username: str, timeout: float = KEYRING_TIMEOUT) -> Secret | None:
    """Return the password that the keyring holds, or None if there is none, or no keyring.

    Args:
        server: the server's address.
        username: the login.
        timeout: seconds that it may take; never more than `KEYRING_TIMEOUT`.

    Raises:
        UsageError: the keyring is locked or out of reach, or does not answer in time.
    """

    def get() -> Secret | None:
        keyring = _optional("keyring")
        if keyring is None:
            return None
        try:
            return cast("Secret | None", Secret.of(keyring.get_password(keyring_service(server), username)))
        except keyring.errors.NoKeyringError:
            return None

    return _of_keyring(get, timeout, "the keyring failed")


def into_keyring(server: str, username: str, password: Secret, timeout: float = KEYRING_TIMEOUT) -> None:
    """Store a password in the keyring, where `look_up` finds it.

    Raises:
        MissingPackageError: keyring is not installed.
        UsageError: it has no place to store it, or does not answer within `timeout` seconds.
    """
    password = Secret.of(password)

    def put() -> None:
        keyring = _optional("keyring")
        if keyring is None:
            raise MissingPackageError("keyring is not installed: pip install 'tcnb[secrets]'")
        keyring.set_password(keyring_service(server), username, password.reveal())

    _of_keyring(put, timeout, "the keyring does not store it")


def _of_keyring(call: Callable[[], T], timeout: float, failed: str) -> T:
    """Call a function of the keyring, on a thread of its own: a backend may hang, and raises whatever it likes.

    An answer that comes too late is dropped. Whatever else it raises is said in the words of `failed`.
    """
    timeout = min(timeout, KEYRING_TIMEOUT)
    future, _ = started(call, name="tcnb keyring")
    if not is_done(future, timeout):
        raise UsageError(f"the keyring did not answer within {timeout:g} s")
    error = future.exception()
    if error is None:
        return future.result()
    without_locals(error)
    if isinstance(error, UsageError):
        raise error
    raise UsageError(f"{failed} ({type(error).__name__})") from error


@dataclass(frozen=True)
class _Source:
    """A place where our variables were found."""

    origin: str
    values: Variables = field(repr=False)


def _sources(folder: Path | None) -> tuple[list[_Source], list[str]]:
    """Return the environment and the nearest `.env` file that says something to us, and which files are passed over."""
    sources, passed_over = [_Source("environment", _ours(os.environ))], list[str]()
    for place in () if folder is None else (folder, *folder.parents):
        path = place / ".env"
        try:
            values = _from_file(path)
        except _NotOursError as error:
            passed_over.append(f"{path} is not read, because {error}")
            continue
        if values:
            sources.append(_Source(str(path), values))
            break
    return sources, passed_over


class _NotOursError(PortableError):
    """A file that somebody else could have written; its text says why, and what to do."""


def _from_file(path: Path) -> Variables:
    """Return our variables of a `.env` file; nothing where there is none.

    Raises:
        _NotOursError: somebody else could have written them.
    """
    dotenv = _optional("dotenv")
    if dotenv is None:
        return {}
    try:
        if not path.is_file():
            return {}
        # What is looked at is what is read, even if somebody puts another file in its place meanwhile.
        with path.open(encoding="utf-8") as file:
            text = file.read(_LONGEST_FILE)
            if PREFIX not in text:
                return {}
            _refuse_foreign(path.lstat())
            _refuse_foreign(os.fstat(file.fileno()))
    except (OSError, UnicodeDecodeError):
        return {}  # a folder above may be one that this account may not look into
    # Without interpolation a password with ${ in it stays what it is.
    return _ours(dotenv.dotenv_values(stream=io.StringIO(text), interpolate=False))


def _refuse_foreign(status: os.stat_result) -> None:
    """Refuse a file, or a link to one, that another account owns or may write; the administrator may do so anyway.

    Windows has neither owners nor rights that could be read off here.
    """
    if not hasattr(os, "getuid"):
        return
    if status.st_uid not in (os.getuid(), 0):
        raise _NotOursError("it belongs to another account: copy what you want of it into a file of your own")
    writers = stat.S_IWOTH if _is_of_owner_alone(status) else stat.S_IWOTH | stat.S_IWGRP
    # The rights of a link itself say nothing.
    if not stat.S_ISLNK(status.st_mode) and status.st_mode & writers:
        raise _NotOursError("other accounts may write it: look whether it says what you want, then chmod go-w it")


def _is_of_owner_alone(status: os.stat_result) -> bool:
    """Tell whether the group of a file has its owner as the only member, as Ubuntu makes one for each account."""
    import grp
    import pwd

    try:
        owner, group = pwd.getpwuid(status.st_uid), grp.getgrgid(status.st_gid)
    except KeyError:
        return False
    # Members by their own entry are not listed, but such a group bears the account's name.
    return owner.pw_gid == status.st_gid and group.gr_name == owner.pw_name and set(group.gr_mem) <= {owner.pw_name}


def _with_secret(sources: list[_Source], named_by: str | None, server: str, passed_over: list[str]) -> _Source | None:
    """Return the first source whose secret may go to a server; those whose may not are added to `passed_over`.

    Args:
        sources: what there is about this server and login.
        named_by: the source that names the server; None where the caller did.
        server: the server.
        passed_over: what is not used, and why.
    """
    for source in sources:
        if PASSWORD not in source.values and TOKEN not in source.values:
            continue
        if named_by is None or SERVER in source.values:
            return source
        passed_over.append(_not_sent(source, named_by, server))
    return None


def _not_sent(source: _Source, named_by: str, server: str) -> str:
    """Say why the secret of one source does not go to the server that another one names."""
    secret = PASSWORD if PASSWORD in source.values else TOKEN
    return (
        f"{secret} of {_called(source.origin)} is not sent to {server}, which {_called(named_by)} names: set {SERVER} "
        "beside it, or name the server yourself"
    )


def _called(origin: str) -> str:
    return "the environment" if origin == "environment" else origin


def _ours(values: Mapping[str, str | None]) -> Variables:
    ours = {name: value for name, value in values.items() if name.startswith(PREFIX) and value}
    return {name: Secret(value) if name in (PASSWORD, TOKEN) else value for name, value in ours.items()}


def _is_about(values: Variables, name: str, wanted: str | None) -> bool:
    """Tell whether a source says nothing about this name, or what is wanted."""
    if wanted is None or name not in values:
        return True
    if name == USERNAME:
        return str(values[name]).partition("@")[0].lower() == wanted.partition("@")[0].lower()
    return _normal(values[name]) == _normal(wanted)


def _normal(server: str) -> str:
    name = server.strip().lower().removeprefix("https://").removeprefix("http://").rstrip("/")
    return name.removesuffix(":443")


def _required(username: str | None, server: str, token: Secret | None, passed_over: list[str]) -> str | None:
    if username is None and token is None:
        question = (
            f"which account on {server}? Give the login (username=, in a magic --username) or set {USERNAME} in the "
            "environment or a .env file"
        )
        raise UsageError("; ".join([question, *passed_over]))
    return username


def _no_server() -> str:
    return (
        f"which server? Name it (for example video.example.com) or set {SERVER} in the environment or a .env file; "
        "a practice server needs none (practice=True, in a magic --practice)"
    )


def _cannot_ask() -> str:
    return "nobody can be asked for a password here"


def _optional(name: str) -> Any | None:
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


def _is_notebook() -> bool:
    """Tell whether getpass has been replaced by the kernel's own, which asks the frontend."""
    return getattr(getpass.getpass, "__module__", "getpass") != "getpass"


def _has_terminal() -> bool:
    """Tell whether somebody sits before this process; getpass would otherwise read a piped script as the answer."""
    return sys.stdin is not None and sys.stdin.isatty()
