"""What a person does with a session while a server is hostile, and what must hold whatever the server does."""

from __future__ import annotations

import itertools
import re
import threading
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeVar

import tcnb
from tcnb.errors import OutcomeUnknownError, TcnbError
from tcnb.types import BufferedInputFile
from tests.hostile.server import CHAT, FILE, FILE_ID, HostileServer

T = TypeVar("T")

PATIENCE: Final = 30.0
"""Seconds after which something that must end is taken to have no end."""

ALLOWED: Final = 1.0
"""Seconds that a session gives an answer."""

LONGEST_LINE: Final = 2_000
"""Characters of an error at most: what a server says is cut."""


_NUMBERS: Final = itertools.count(1)


class Unended(AssertionError):
    """Something that must end did not."""


def within(deed: Callable[[], T], what: str) -> T:
    """Call something on a thread of its own, and fail where it has no end."""
    came: list[T] = []
    raised: list[BaseException] = []

    def run() -> None:
        try:
            came.append(deed())
        except BaseException as error:
            raised.append(error)

    thread = threading.Thread(target=run, name="visit", daemon=True)
    thread.start()
    thread.join(PATIENCE)
    if thread.is_alive():
        raise Unended(f"{what} does not end")
    if raised:
        raise raised[0]
    return came[0]


def connect(server: HostileServer, folder: Path | None = None, **options: Any) -> tcnb.Session:
    """Connect to a hostile server; with a folder there is a journal in it."""
    journal = None if folder is None else folder / "journal.sqlite"
    values = {"username": "robot", "password": "s3cret", "https": False, "web_port": server.port, "timeout": ALLOWED}
    values["name"] = f"visit {next(_NUMBERS)}"  # its thread bears the name, and nobody else's does
    return within(lambda: tcnb.connect("127.0.0.1", **{**values, "journal": journal, **options}), "connect")


def flaw(error: BaseException) -> str | None:
    """Return what is wrong with an error as the answer to a hostile server; None where nothing is."""
    if not isinstance(error, TcnbError):
        return f"{type(error).__name__} is no error of tcnb: {str(error)[:200]!r}"
    line = str(error)
    if len(line) > LONGEST_LINE:
        return f"{type(error).__name__} has {len(line):,} characters"
    strange = sorted({sign for sign in line if unicodedata.category(sign) in ("Cc", "Cf", "Cs", "Zl", "Zp")})
    if strange:
        return f"{type(error).__name__} has {strange} in its line: {line[:200]!r}"
    if re.search("s3cret|bearer", line):
        return f"{type(error).__name__} shows a secret: {line[:200]!r}"
    return None


@dataclass
class Visit:
    """A person with a session.

    Attributes:
        server: the server.
        tc: the session.
        flaws: what did not hold.
        folder: where files may lie.
        errors: the errors that were told, by verb.
        sent: how many messages were sent.
        meanwhile: what the server does that is hostile.
    """

    server: HostileServer
    tc: tcnb.Session
    folder: Path
    flaws: list[str] = field(default_factory=list)
    errors: list[tuple[str, BaseException]] = field(default_factory=list)
    sent: int = 0
    meanwhile: str = ""

    def note(self, flaw: str) -> None:
        """Take note of what did not hold, and of what the server did meanwhile."""
        self.flaws.append(f"[{self.meanwhile}] {flaw}" if self.meanwhile else flaw)

    def attempt(self, verb: str, deed: Callable[[], T]) -> T | None:
        """Do something; take note of an error, and of what is wrong with it."""
        try:
            return within(deed, verb)
        except Unended as error:
            self.note(str(error))
        except Exception as error:
            self.errors.append((verb, error))
            if wrong := flaw(error):
                self.note(f"{verb}: {wrong}")
        return None

    def send(self, *, is_refused: bool = False) -> None:
        """Send a message; one that the server has is never told as failed, and is there once."""
        self.sent += 1
        text, errors = f"s-{self.sent}", len(self.errors)
        sent = self.attempt("send", lambda: self.tc.send(CHAT, text))
        count = self.server.carried_out[text]
        if count > 1:
            self.note(f"send: {text} was carried out {count} times")
        if sent is None and count and not is_refused and len(self.errors) > errors:
            error = self.errors[-1][1]
            if not isinstance(error, OutcomeUnknownError):
                self.note(f"send: {text} is on the server, and was told as {type(error).__name__}: {error}")

    def send_file(self, *, is_refused: bool = False) -> None:
        """Send a file; the same holds for its message."""
        files, errors = self.server.files, len(self.errors)
        self.attempt("send_document", lambda: self.tc.send_document(CHAT, BufferedInputFile(b"12345", "notes.txt")))
        count = self.server.files - files
        if count > 1:
            self.note(f"send_document: the file was sent {count} times")
        if count and not is_refused and len(self.errors) > errors:
            error = self.errors[-1][1]
            if not isinstance(error, OutcomeUnknownError):
                self.note(f"send_document: the file is in the chat, and was told as {type(error).__name__}: {error}")

    def download(self, *, into_memory: bool = False) -> None:
        """Download a file: it is whole, or it is not there at all."""
        files = self.folder / "files"
        files.mkdir(exist_ok=True)
        target = files / "plan.bin"
        target.unlink(missing_ok=True)
        got = self.attempt("download", lambda: self.tc.download(FILE_ID, None if into_memory else target))
        if isinstance(got, bytes) and got != FILE:
            self.note(f"download: {len(got):,} wrong bytes were returned")
        if target.exists() and target.read_bytes() != FILE:
            self.note(f"download: {target.stat().st_size:,} wrong bytes are there, told as {got!r}")
        left = [path.name for path in files.iterdir() if path != target]
        if left:
            self.note(f"download: {left} are left behind")

    def read(self) -> None:
        """Read what there is to read."""
        self.attempt("history", lambda: self.tc.history(CHAT, 20))
        self.attempt("refresh", self.tc.refresh)
        self.attempt("chats", lambda: self.tc.chats)

    def look(self) -> None:
        """Look at everything that shows something."""
        for name in ("df", "messages", "people", "chats"):
            self.attempt(name, lambda name=name: repr(getattr(self.tc, name)))  # type: ignore[misc]
        self.attempt("status", lambda: (repr(self.tc.status()), self.tc.status()._repr_html_()))
        self.attempt("feed", lambda: self.tc.feed().close())

    def go(self) -> None:
        """Do everything once."""
        self.send()
        self.read()
        self.send_file()
        self.download()
        self.send()

    def settle(self) -> None:
        """See that a message still comes, is recorded and acknowledged, like all that came before it."""
        last = self.server.push(self.server.envelope("the last word"))
        deadline = threading.Event()
        for _ in range(int(PATIENCE * 20)):
            if all(self.server.acknowledged[id] for id in self.server.pushed):
                break
            deadline.wait(0.05)
        lacking = [id for id in self.server.pushed if not self.server.acknowledged[id]]
        if lacking:
            shown = [self.server.pushed[id][:200] for id in lacking[:3]]
            self.note(f"{len(lacking)} of {len(self.server.pushed)} were not acknowledged: {shown}")
        state = self.tc.state
        if state["state"] != "connected":
            self.note(f"the session is {state}")
        texts = within(lambda: list(self.tc.df["text"].dropna()), "df")
        if "the last word" not in texts:
            self.note(f"what came last ({last}) is not recorded")
        status = self.tc.status()
        if status.internal_errors:
            self.note(f"tcnb itself failed: {status.last_internal_error}")
        if status.failures:
            self.note(f"{status.failures} events were not recorded")

    def end(self) -> None:
        """Close; nothing of the session is left behind."""
        within(self.tc.close, "close")
        left = [thread.name for thread in threading.enumerate() if thread.name == f"tcnb {self.tc.name}"]
        if left or not self.tc.loop.is_closed():
            self.note(f"{left or 'its loop'} goes on after the session was closed")
        if self.server.strangers:
            self.note(f"something went elsewhere: {self.server.strangers[:200]!r}")
