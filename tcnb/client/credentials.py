"""Where login and secret come from when they are not given: environment, `.env`, keyring, question; none is kept here.

The order is: what the caller gave, the environment, the nearest `.env` file (with python-dotenv), the keyring, a
question. Login, password, token and client id of one source belong together: a source that names another server or
another login than the one asked for is passed over, so that no server ever receives the password of another.
"""

from __future__ import annotations

import getpass
import importlib
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar, cast

from tcnb.errors import MissingPackageError, UsageError
from tcnb.file_paths import working_folder
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
    """

    server: str
    username: str | None = None
    password: Secret | None = None
    token: Secret | None = None
    client_id: str | None = None
    origin: str = "argument"


@dataclass(frozen=True)
class Question:
    """A password that is nowhere to be found, so that a person has to be asked.

    Attributes:
        server, username, client_id: as of `Credentials`.
        problem: why the keyring could not be asked; empty where it could, or where there is none.
    """

    server: str
    username: str
    client_id: str | None
    problem: str = ""

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
        return Credentials(self.server, self.username, answer, None, self.client_id, "prompt")

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
        return (
            f"{problem}there is no password for {self.username} on {self.server} and nobody to ask: set {PASSWORD} in "
            f"the environment or in a .env file{dotenv}, or store it once with: {keyring}"
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

    Raises:
        UsageError: the server or the login is nowhere to be found, or something that was given is no text.
    """
    password, token = Secret.of(password), Secret.of(token)
    given = {"server": server, "username": username, "password": password, "token": token, "client_id": client_id}
    for name, value in given.items():
        if value is not None and not isinstance(value, str | Secret):
            raise UsageError(f"{name} is a str, not of the type {type(value).__name__}")
    sources = list(_sources(folder or working_folder()))
    server = server or next((values[SERVER] for _, values in sources if SERVER in values), None)
    if not server:
        raise UsageError(_no_server())
    sources = [(origin, values) for origin, values in sources if _is_about(values, SERVER, server)]
    if username is None and token is None:
        username = next((values[USERNAME] for _, values in sources if USERNAME in values), None)
    sources = [(origin, values) for origin, values in sources if _is_about(values, USERNAME, username)]
    client_id = client_id or next((values[CLIENT_ID] for _, values in sources if CLIENT_ID in values), None)
    if password is not None or token is not None:
        return Credentials(server, _required(username, server, token), password, token, client_id)
    for origin, values in sources:
        if PASSWORD in values or TOKEN in values:
            username = _required(username, server, values.get(TOKEN))
            return Credentials(server, username, values.get(PASSWORD), values.get(TOKEN), client_id, origin)
    username = _required(username, server, None) or ""
    try:
        stored = from_keyring(server, username, timeout)
    except UsageError as error:
        return Question(server, username, client_id, str(error))
    if stored is None:
        return Question(server, username, client_id)
    return Credentials(server, username, stored, None, client_id, "keyring")


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


def _sources(folder: Path | None) -> Iterator[tuple[str, Variables]]:
    yield "environment", _ours(os.environ)
    for place in () if folder is None else (folder, *folder.parents):
        path = place / ".env"
        if _is_file(path) and (values := _from_file(path)):
            yield str(path), values
            return


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:
        return False  # a folder above may be one that this account may not look into


def _from_file(path: Path) -> Variables:
    dotenv = _optional("dotenv")
    if dotenv is None:
        return {}
    try:
        # Without interpolation a password with ${ in it stays what it is.
        return _ours(dotenv.dotenv_values(path, interpolate=False))
    except (OSError, UnicodeDecodeError):
        return {}


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


def _required(username: str | None, server: str, token: Secret | None) -> str | None:
    if username is None and token is None:
        raise UsageError(
            f"which account on {server}? Give the login (username=, in a magic --username) or set {USERNAME} in the "
            "environment or a .env file"
        )
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
