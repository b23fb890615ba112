"""What is known about chats and people now: titles, types, display names; what was once known is in the columns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from tcnb.record.schema import CHAT_TYPES
from tcnb.wire.notifications import well_formed
from tcnb.wire.paths import bare_id


class KnownChat(NamedTuple):
    """What is known about a chat.

    Attributes:
        title: its title; None for one that has none (favorites), or whose title is not known.
        type: the name of its type; None where it is not known.
        type_number: the same, as on the wire.
    """

    title: str | None = None
    type: str | None = None
    type_number: int | None = None


class Person(NamedTuple):
    """What is known about an author.

    Attributes:
        id: the id without `/resource`.
        name: the display name; None where it is not known.
        mine: whether it is this account.
    """

    id: str
    name: str | None
    mine: bool


_UNKNOWN_CHAT = KnownChat()


class Directory:
    """Chats by id, people by id in any case; one thread writes.

    Attributes:
        names_learned: how often a display name came or changed.
    """

    def __init__(self) -> None:
        self.names_learned = 0
        self._chats: dict[str, KnownChat] = {}
        self._names: dict[str, tuple[str, str]] = {}
        self._people: dict[str, Person] = {}
        self._me: str | None = None
        self._nameless: dict[str, None] = {}
        self._untold: dict[str, None] = {}
        # Names from an earlier session, which may have changed since.
        self._old_names: set[str] = set()

    @property
    def me(self) -> str | None:
        """The id of this account without `/resource`; None before it is known."""
        return self._me

    @me.setter
    def me(self, user_id: str | None) -> None:
        self._me = None if user_id is None else bare_id(user_id)
        self._people.clear()

    def chat(self, chat_id: str | None) -> KnownChat:
        """Return what is known about a chat; one of no known type is noted for `chats_without_type`."""
        if chat_id is None:
            return _UNKNOWN_CHAT
        known = self._chats.get(chat_id, _UNKNOWN_CHAT)
        if known.type_number is None:
            self._untold[chat_id] = None
        return known

    def described(self, chat_id: str | None) -> tuple[str | None, int | None]:
        """Return a chat's title and the number of its type, as far as known."""
        known = _UNKNOWN_CHAT if chat_id is None else self._chats.get(chat_id, _UNKNOWN_CHAT)
        return known.title, known.type_number

    def learn_chat(self, chat_id: str, title: str | None, type_number: int | None) -> KnownChat:
        """Note what was said about a chat and return all that is known; None says nothing."""
        known = self._chats.get(chat_id, _UNKNOWN_CHAT)
        title = known.title if title is None else well_formed(title)
        if type_number is None:
            type_number = known.type_number
        type_name = None if type_number is None else CHAT_TYPES.get(type_number) or str(type_number)
        known = self._chats[well_formed(chat_id)] = KnownChat(title, type_name, type_number)
        return known

    def person(self, user_id: str) -> Person:
        """Return what is known about whoever has that id, with or without `/resource`."""
        person = self._people.get(user_id)
        if person is None:
            bare = bare_id(user_id)
            key = bare.casefold()
            mine = self._me is not None and key == self._me.casefold()
            name = self._names[key][1] if key in self._names else None
            person = self._people[user_id] = Person(bare, name, mine)
        return person

    def learn_person(self, user_id: str, display_name: str) -> None:
        """Note the display name of a person."""
        bare, display_name = well_formed(bare_id(user_id)), well_formed(display_name)
        key = bare.casefold()
        self._old_names.discard(key)
        if self._names.get(key, ("", ""))[1] != display_name:
            self._names[key] = (bare, display_name)
            self.names_learned += 1
            self._people.clear()

    def chats(self) -> dict[str, KnownChat]:
        """Return all chats known by now."""
        return dict(self._chats)

    def chats_without_type(self) -> list[str]:
        """Return the chats noted since this was asked last whose type is still not known."""
        missed = [chat_id for chat_id in self._untold if self._chats.get(chat_id, _UNKNOWN_CHAT).type_number is None]
        self._untold.clear()
        return missed

    def request_name(self, user_id: str) -> None:
        """Note that a user did something whose display name is not known."""
        self._nameless[user_id] = None

    def people_without_name(self) -> list[str]:
        """Return the users noted since this was asked last whose display name is still not known, or may be old."""
        missed = [
            user_id
            for user_id in self._nameless
            if user_id.casefold() not in self._names or user_id.casefold() in self._old_names
        ]
        self._nameless.clear()
        return missed

    def names(self) -> dict[str, str]:
        """Return all display names known by now, by id."""
        return dict(self._names.values())

    def state(self) -> dict[str, list[Any]]:
        """Return what is known, as plain values for `restore`."""
        return {
            "chats": [[chat_id, chat.title, chat.type_number] for chat_id, chat in self._chats.items()],
            "names": [list(named) for named in self._names.values()],
        }

    def restore(self, state: Mapping[str, list[Any]], chat_ids: Iterable[str], user_ids: Iterable[str]) -> None:
        """Know again what an earlier session knew.

        Args:
            state: what `state` returned then.
            chat_ids: the chats in which something happened up to then.
            user_ids: the people who did something up to then; their names are asked for again, as are unknown ones.
        """
        for chat_id, title, type_number in state["chats"]:
            if chat_id not in self._chats:
                self.learn_chat(chat_id, title, type_number)
        for user_id, name in state["names"]:
            if user_id.casefold() not in self._names:
                self.learn_person(user_id, name)
                self._old_names.add(user_id.casefold())
        self._untold |= dict.fromkeys(chat_ids)
        self._nameless |= dict.fromkeys(user_ids)
