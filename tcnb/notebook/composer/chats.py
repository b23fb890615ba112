"""Which chat the composer writes to: found by id, title or person, and shown before anything is sent."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, Self

from tcnb.client.directory.directory import Directory
from tcnb.console import one_line
from tcnb.notebook.composer.outbox import Session as SendingSession
from tcnb.notebook.composer.stickers import Session as StickerSession
from tcnb.wire.paths import bare_id


class Session(SendingSession, StickerSession, Protocol):
    """What the composer needs of a session."""

    @property
    def name(self) -> str: ...
    @property
    def server(self) -> str: ...
    @property
    def me_id(self) -> str | None: ...
    @property
    def loop(self) -> asyncio.AbstractEventLoop: ...
    @property
    def _directory(self) -> Directory: ...
    def known_chats(self) -> list[tuple[str | None, str, str]]: ...
    def known_people(self) -> list[tuple[str | None, str]]: ...
    def on_rows(self, listener: Callable[[], None]) -> Callable[[], None]: ...
    def on_state(self, listener: Callable[[dict[str, Any]], None]) -> Callable[[], None]: ...


@dataclass(frozen=True)
class Chat:
    """A chat that was chosen.

    Attributes:
        chat_id: its id.
        title: what it is called.
        kind: `p2p`, `group`, `channel`, `favorites`, `system` or `undefined`.
    """

    chat_id: str
    title: str
    kind: str

    @classmethod
    def read(cls, value: Any) -> Self | None:
        """Read what the page says of its chat."""
        if not isinstance(value, Mapping) or not value.get("chat_id"):
            return None
        chat_id = str(value["chat_id"])
        return cls(chat_id, str(value.get("title") or chat_id), str(value.get("kind") or "undefined"))

    def told(self) -> dict[str, str]:
        """Return what the page is told of it."""
        return {"chat_id": self.chat_id, "title": self.title, "kind": self.kind}


class ChatFinder:
    """Finds the chat that a name means, with the same rules and errors as the verbs of the session.

    Args:
        session: the connected bot.
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    async def find(self, name: str) -> Chat:
        """Return the one chat that is meant; a person's personal chat is made if need be.

        Raises:
            UnknownChatError, AmbiguousChatError: with candidates.
        """
        directory = self._session._directory
        found = await directory.found(name)
        title = called(directory, found.chat_id, found.title) or await directory.peer(found.chat_id) or name
        return Chat(found.chat_id, title, found.chat_type.name.lower())

    def person(self, user_id: str) -> str:
        """Return what a person is called; the id where no name is known."""
        bare = bare_id(user_id)
        names = {known: name for name, known in self._session.known_people()}
        return one_line(names.get(bare) or bare)


def called(directory: Directory, chat_id: str, title: str | None) -> str | None:
    """Return what a chat is called: a personal one may have the other's id as its title, and is shown by their name.

    What only looks like an id is a display name, which anybody may take.
    """
    peer = directory.known_peer(chat_id)
    shown = directory.people.name_of(peer) or title if peer is not None and peer == title else title
    return shown and one_line(shown)


def listed(session: Session) -> dict[str, Any]:
    """Return the chats and people that are known now, for suggestions; the network is not asked."""
    directory = session._directory
    names = {user_id: name for name, user_id in session.known_people()}
    chats = [
        {
            "chat_id": chat_id,
            "title": called(directory, chat_id, title) or "",
            "kind": kind,
            "person": directory.known_peer(chat_id) or "",
        }
        for title, chat_id, kind in session.known_chats()
    ]
    me = (session.me_id or "").casefold()
    people = [
        {"user_id": user, "name": one_line(name or user)} for user, name in names.items() if user.casefold() != me
    ]
    return {"chats": chats, "people": people}
