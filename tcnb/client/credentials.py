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
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tcnb.errors import UsageError
from tcnb.file_paths import working_folder

PREFIX: Final = "TRUECONF_"
SERVER: Final = "TRUECONF_SERVER"
USERNAME: Final = "TRUECONF_USERNAME"
PASSWORD: Final = "TRUECONF_PASSWORD"
TOKEN: Final = "TRUECONF_TOKEN"
CLIENT_ID: Final = "TRUECONF_CLIENT_ID"

Prompt = Callable[[str], str]


@dataclass(frozen=True)
class Credentials:
    """An account and what proves it; its secrets never appear in its representation.

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
    password: str | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)
    client_id: str | None = None
    origin: str = "argument"

    def __repr__(self) -> str:
        secrets = [name for name in ("password", "token") if getattr(self, name) is not None]
        shown = "".join(f", {name}=<hidden>" for name in secrets)
        return f"Credentials(server={self.server!r}, username={self.username!r}{shown}, origin={self.origin!r})"


def ask(question: str) -> str:
    """Ask a person for a secret without showing what is typed; in a notebook the answer is not stored.

    Raises:
        UsageError: nobody can answer here (nbclient, papermill, a script without a terminal).
    """
    if not _is_notebook() and not _has_terminal():
        raise UsageError(_cannot_ask())
    try:
        return getpass.getpass(question)
    except (NotImplementedError, EOFError, OSError) as error:
        # ipykernel raises StdinNotImplementedError, a NotImplementedError, where the frontend takes no questions
        raise UsageError(_cannot_ask()) from error


def find_credentials(
    server: str | None = None,
    username: str | None = None,
    password: str | None = None,
    token: str | None = None,
    client_id: str | None = None,
    *,
    prompt: Prompt | None = ask,
    folder: Path | None = None,
) -> Credentials:
    """Complete what the caller gave by what environment, `.env` file, keyring and a question have.

    Args:
        server: the server's address; otherwise `TRUECONF_SERVER`.
        username: login without `@server`; otherwise `TRUECONF_USERNAME`.
        password: otherwise `TRUECONF_PASSWORD`, the keyring's entry `tcnb:<server>`, or the question.
        token: otherwise `TRUECONF_TOKEN`; with a token no password is looked for.
        client_id: the id of an OAuth application; otherwise `TRUECONF_CLIENT_ID`.
        prompt: asks a person a question and returns the answer without showing it; None asks nobody.
        folder: where the search for a `.env` file begins; None is the working folder, if there is one.

    Raises:
        UsageError: the server, the login or the secret is nowhere to be found, and it lists the places; or something
            that was given is no text.
    """
    given = {"server": server, "username": username, "password": password, "token": token, "client_id": client_id}
    for name, value in given.items():
        if value is not None and not isinstance(value, str):
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
    if (stored := from_keyring(server, username)) is not None:
        return Credentials(server, username, stored, None, client_id, "keyring")
    return Credentials(server, username, _asked(prompt, server, username), None, client_id, "prompt")


def keyring_service(server: str) -> str:
    """Return the service name under which the keyring holds passwords for a server."""
    return f"tcnb:{_normal(server)}"


def from_keyring(server: str, username: str) -> str | None:
    """Return the password that the keyring holds, or None if there is none, or no keyring."""
    keyring = _optional("keyring")
    if keyring is None:
        return None
    try:
        found: str | None = keyring.get_password(keyring_service(server), username)
    except Exception:
        # A keyring without a backend, locked or out of reach raises whatever its backend raises; the question is next.
        return None
    return found


def into_keyring(server: str, username: str, password: str) -> None:
    """Store a password in the keyring, where `find_credentials` finds it.

    Raises:
        UsageError: keyring is not installed, or has no place to store it.
    """
    keyring = _optional("keyring")
    if keyring is None:
        raise UsageError("keyring is not installed: pip install 'tcnb[secrets]'")
    try:
        keyring.set_password(keyring_service(server), username, password)
    except Exception as error:
        raise UsageError(f"the keyring does not store it ({type(error).__name__})") from error


def _sources(folder: Path | None) -> Iterator[tuple[str, dict[str, str]]]:
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


def _from_file(path: Path) -> dict[str, str]:
    dotenv = _optional("dotenv")
    if dotenv is None:
        return {}
    try:
        # Without interpolation a password with ${ in it stays what it is.
        return _ours(dotenv.dotenv_values(path, interpolate=False))
    except (OSError, UnicodeDecodeError):
        return {}


def _ours(values: Mapping[str, str | None]) -> dict[str, str]:
    return {name: value for name, value in values.items() if name.startswith(PREFIX) and value}


def _is_about(values: Mapping[str, str], name: str, wanted: str | None) -> bool:
    """Tell whether a source says nothing about this name, or what is wanted."""
    if wanted is None or name not in values:
        return True
    if name == USERNAME:
        return values[name].partition("@")[0].lower() == wanted.partition("@")[0].lower()
    return _normal(values[name]) == _normal(wanted)


def _normal(server: str) -> str:
    name = server.strip().lower().removeprefix("https://").removeprefix("http://").rstrip("/")
    return name.removesuffix(":443")


def _required(username: str | None, server: str, token: str | None) -> str | None:
    if username is None and token is None:
        raise UsageError(
            f"which account on {server}? Give the login (username=, in a magic --username) or set {USERNAME} in the "
            "environment or a .env file"
        )
    return username


def _asked(prompt: Prompt | None, server: str, username: str) -> str:
    if prompt is None:
        raise UsageError(_no_password(server, username))
    try:
        answer = prompt(f"Password of {username} on {server}: ")
    except UsageError as error:
        raise UsageError(_no_password(server, username)) from error
    if not answer:
        raise UsageError(f"no password was given for {username} on {server}")
    return answer


def _no_server() -> str:
    return (
        f"which server? Name it (for example video.example.com) or set {SERVER} in the environment or a .env file; "
        "a practice server needs none (practice=True, in a magic --practice)"
    )


def _cannot_ask() -> str:
    return "nobody can be asked for a password here"


def _no_password(server: str, username: str) -> str:
    keyring = f"python -m keyring set {keyring_service(server)} {username}"
    dotenv = "" if _optional("dotenv") else " (with python-dotenv installed)"
    return (
        f"there is no password for {username} on {server} and nobody to ask: set {PASSWORD} in the environment or in a "
        f".env file{dotenv}, or store it once with: {keyring}"
    )


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
