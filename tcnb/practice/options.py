"""The options of a practice server, the same for a process, a thread and a test; nothing is started here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from numbers import Integral, Real
from pathlib import Path
from typing import Final, TypedDict

from tcnb.practice.entities import GENERATIONS

MOST_PEOPLE: Final = 1000
"""Colleagues at most; with so many the server takes a few seconds to start."""
DEFAULT_ACCOUNT: Final = "robot:robot"
DEFAULT_DOMAIN: Final = "practice.local"
ACCOUNTS: Final = "TCNB_PRACTICE_ACCOUNTS"
"""The environment variable that has accounts, a line each: command lines are shown to everybody on a machine."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Options:
    """How a practice server behaves.

    Attributes:
        host: address to listen on.
        port: port to listen on; 0 picks a free one.
        domain: the server's name, the part of user ids after `@`.
        accounts: `LOGIN:PASSWORD[:DISPLAY NAME]` each; bots log in with these.
        people: number of simulated colleagues; 0 means no colleagues and no chats.
        rate: what colleagues do, in events a second; 0 keeps them silent. A replay without a rate goes at full speed.
        replies: whether colleagues react to what a bot writes; None means: unless the rate is 0.
        seed: decides what colleagues say and do; the same seed, the same sequence.
        history: messages that were already said when the server starts (with people only).
        generation: `5.5.6`, `5.5.3` or `5.5.0`, the version whose wire it speaks (`protocol` section 13).
        replay: a file of JSON lines that every session gets after `auth`.
        ping_interval: seconds between pings; 0 sends none.
        ping_timeout: seconds without a pong after which a connection is dropped.
        tls_cert, tls_key: PEM files; with them the server speaks TLS.
        oauth_application: client id of an OAuth application; None has none.
        password_login: whether the token endpoint takes passwords.
        connection_limit: sockets at most; one more is refused with HTTP 503.
        bridge_only: whether `/api/v4/…` is missing, as on a server without its web service.
        faults: whether faults can be ordered over `POST /practice/…` from this machine.
        public_url: where the server says its files are; None means where it listens.
    """

    host: str = "127.0.0.1"
    port: int = 0
    domain: str = DEFAULT_DOMAIN
    accounts: Sequence[str] = field(default=(DEFAULT_ACCOUNT,), repr=False)
    people: int = 0
    rate: float | None = None
    replies: bool | None = None
    seed: int = 1
    history: int = 400
    generation: str = "5.5.6"
    replay: Path | str | None = None
    ping_interval: float = 5.0
    ping_timeout: float = 20.0
    tls_cert: Path | str | None = None
    tls_key: Path | str | None = None
    oauth_application: str | None = None
    password_login: bool = True
    connection_limit: int = 128
    bridge_only: bool = False
    faults: bool = False
    public_url: str | None = None

    def __post_init__(self) -> None:
        if self.generation not in GENERATIONS:
            raise ValueError(f"generation {self.generation!r} is none of {', '.join(GENERATIONS)}")
        if self.tls_key is not None and self.tls_cert is None:
            raise ValueError("a TLS key needs its certificate: give tls_cert too")
        for name in ("port", "people", "seed", "history", "connection_limit"):
            self._require(name, Integral, "a whole number")
        for name in ("rate", "ping_interval", "ping_timeout"):
            if name != "rate" or self.rate is not None:
                self._require(name, Real, "a number")
        if not 0 <= self.port < 65536:
            raise ValueError(f"a port is a number from 0 (any free one) to 65535, not {self.port}")
        if not 0 <= self.people <= MOST_PEOPLE:
            raise ValueError(f"people is a number from 0 to {MOST_PEOPLE}, not {self.people}")
        for name in ("history", "rate", "ping_interval", "ping_timeout", "connection_limit"):
            if (getattr(self, name) or 0) < 0:
                raise ValueError(f"{name} is 0 or more, not {getattr(self, name)}")
        if isinstance(self.accounts, str):
            raise ValueError("accounts is a list of LOGIN:PASSWORD, not a str")
        logins = [split_account(account)[0].casefold() for account in self.accounts]
        if twice := {login for login in logins if logins.count(login) > 1}:
            raise ValueError(f"there are two accounts with the login {min(twice)!r}: give each its own")

    def _require(self, name: str, kind: type, what: str) -> None:
        value = getattr(self, name)
        if isinstance(value, bool) or not isinstance(value, kind):
            raise ValueError(f"{name} is {what}, not {value!r}")

    @property
    def talk_rate(self) -> float:
        """Events a second that colleagues cause."""
        return 1.0 if self.rate is None else self.rate

    @property
    def colleagues_reply(self) -> bool:
        """Whether colleagues react to bots."""
        return self.talk_rate > 0 if self.replies is None else self.replies


class OptionValues(TypedDict, total=False):
    """The same options, as keyword arguments."""

    host: str
    port: int
    domain: str
    accounts: Sequence[str]
    people: int
    rate: float | None
    replies: bool | None
    seed: int
    history: int
    generation: str
    replay: Path | str | None
    ping_interval: float
    ping_timeout: float
    tls_cert: Path | str | None
    tls_key: Path | str | None
    oauth_application: str | None
    password_login: bool
    connection_limit: int
    bridge_only: bool
    faults: bool
    public_url: str | None


def split_account(text: str) -> tuple[str, str, str]:
    """Return login, password and display name of `LOGIN:PASSWORD[:DISPLAY NAME]`.

    Raises:
        ValueError: the text is not of that form.
    """
    login, _, rest = text.partition(":")
    password, _, name = rest.partition(":")
    if not login or not password or "@" in login or "/" in login or "\n" in text:
        shown = repr(text) if not rest else f"{login!r}:<hidden>"
        raise ValueError(f"an account is LOGIN:PASSWORD or LOGIN:PASSWORD:DISPLAY NAME, not {shown}")
    return login, password, name or login.capitalize()


def accounts_of(lines: str) -> tuple[str, ...]:
    """Return the accounts of a text that has one on each line; blank lines are passed over."""
    return tuple(line.removesuffix("\r") for line in lines.split("\n") if line.strip())
