"""Whose state it is: the bot, the chat and the person of an event; where it is kept is not known here."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import Any, NamedTuple, Protocol, runtime_checkable

from tcnb.errors import UsageError


@dataclass(frozen=True, slots=True)
class StorageKey:
    """Under what the state of one conversation is kept.

    Attributes:
        bot_id: the bot's own user id.
        chat_id: the chat.
        user_id: the person.
        destiny: what for, where one person in one chat has several.
    """

    bot_id: str | None
    chat_id: str
    user_id: str
    destiny: str = "default"


class FSMStrategy(Enum):
    """Whose state is one and the same."""

    USER_IN_CHAT = auto()
    """Each person has one in each chat."""

    CHAT = auto()
    """Everybody in a chat has the same."""

    GLOBAL_USER = auto()
    """Each person has one in all chats together."""

    def apply(self, key: StorageKey) -> StorageKey:
        """Return the key under which that state is kept."""
        if self is FSMStrategy.CHAT:
            return replace(key, user_id=key.chat_id)
        if self is FSMStrategy.GLOBAL_USER:
            return replace(key, chat_id=key.user_id)
        return key


@runtime_checkable
class KeyBuilder(Protocol):
    """Anything that says whose state an event is about."""

    def build(self, bot: Any, event: Any) -> StorageKey:
        """Return the key."""


class DefaultKeyBuilder:
    """Says that it is the state of who wrote, in the chat where it was written."""

    def build(self, bot: Any, event: Any) -> StorageKey:
        """Return the key.

        Raises:
            UsageError: the event has no chat, or nobody who wrote it.
        """
        chat_id, user_id = who_and_where(event)
        if chat_id is None or user_id is None:
            raise UsageError(
                f"{type(event).__name__} does not say whose state it is about: give setup_fsm a key_builder that does"
            )
        return StorageKey(getattr(bot, "me_id", None) or None, chat_id, user_id)


class WhoAndWhere(NamedTuple):
    """The chat and the person that an event is about, as far as it says."""

    chat_id: str | None
    user_id: str | None


def who_and_where(event: Any) -> WhoAndWhere:
    """Return the chat that an event happened in and who wrote it."""
    chat_id = getattr(getattr(event, "chat", None), "chat_id", None) or getattr(event, "chat_id", None)
    author = getattr(event, "from_user", None) or getattr(event, "author", None)
    user_id = getattr(author, "id", None)
    return WhoAndWhere(None if chat_id is None else str(chat_id), None if user_id is None else str(user_id))
