"""A shell to run magics in, and a stand-in for the session behind them; the session itself is tested elsewhere."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from IPython.core.interactiveshell import InteractiveShell

from tcnb.errors import NotConnectedError, UnknownChatError


@dataclass(eq=False)
class StandInSession:
    """Stands in for `tcnb.Session`: it notes which verbs are called and sends nothing anywhere."""

    request: dict[str, Any] = field(default_factory=dict)
    name: str = "default"
    is_open: bool = True
    calls: list[tuple[Any, ...]] = field(default_factory=list)
    failure: BaseException | None = None

    chats = "the chats"
    df = "the events"

    def __repr__(self) -> str:
        return f"<StandInSession {self.name}>"

    def _note(self, verb: str, *args: Any, **options: Any) -> Any:
        if self.failure is not None:
            raise self.failure
        if not self.is_open:
            raise NotConnectedError("closed")
        if args and args[0] == "Release":
            raise UnknownChatError("Release", ["Release crew"])
        self.calls.append((verb, *args, options))
        return SimpleNamespace(chat_id="c1", message_id=f"m{len(self.calls)}", timestamp=1)

    def send(self, chat: Any, text: Any, **options: Any) -> Any:
        return self._note("send", chat, text, **options)

    def send_photo(self, chat: Any, file: Any, caption: Any = None, **options: Any) -> Any:
        return self._note("photo", chat, file, caption, **options)

    def send_sticker(self, chat: Any, file: Any, **options: Any) -> Any:
        return self._note("sticker", chat, file, **options)

    def send_document(self, chat: Any, file: Any, caption: Any = None, **options: Any) -> Any:
        return self._note("file", chat, file, caption, **options)

    def feed(self, *chats: Any) -> Any:
        return self._note("feed", *chats)

    def status(self) -> Any:
        return f"status of {self.name}"

    def known_chats(self) -> list[tuple[str | None, str, str]]:
        return [
            ("Release crew", "3f9c1e77ab0d4c55e2910b6d8f3a7c21e4b5d690", "group"),
            ("Alice Liddell", "aa00", "p2p"),
            ("Twins", "bb11", "group"),
            ("Twins", "bb22", "group"),
            (None, "cc33", "favorites"),
        ]

    def known_people(self) -> list[tuple[str | None, str]]:
        return [("Alice Liddell", "alice@practice.local"), (None, "bob@practice.local")]

    def close(self) -> None:
        self.is_open = False


@dataclass
class Desk:
    """A shell with the extension loaded, and a way to run cells in it."""

    shell: InteractiveShell
    sessions: list[StandInSession]

    @property
    def session(self) -> StandInSession:
        """The session that was connected last."""
        return self.sessions[-1]

    @property
    def names(self) -> dict[str, Any]:
        """The user's namespace."""
        return self.shell.user_ns

    def run(self, cell: str) -> Any:
        """Run a cell, and return its value or raise its error."""
        result = self.shell.run_cell(cell, store_history=True)
        result.raise_error()
        return result.result

    def sent(self, cell: str) -> tuple[Any, ...]:
        """Run a cell, and return the call of the session that it made."""
        before = len(self.session.calls)
        self.run(cell)
        assert len(self.session.calls) == before + 1
        return self.session.calls[-1]
