"""How an object of the official client is held against ours, attribute by attribute; no test is here."""

from __future__ import annotations

import dataclasses
from typing import Any, Final

NOT_COMPARED: Final = {
    "bot": "each client has its own",
    "chat_id": "deprecated there, and the same as `chat.chat_id`, which is compared",
    "mimetype": "deprecated there, and the same as `mime_type`, which is compared",
    "url": "asks the server; tests/practice does that",
    "preview_url": "asks the server; tests/practice does that",
}
"""Properties that are left out, with the reason."""


def assert_same(ours: Any, theirs: Any, where: str) -> None:
    """Compare every attribute of the official object with ours, and whatever can be asked of it without a server."""
    if dataclasses.is_dataclass(theirs):
        # The original in a forward is a message there; ours is one too, of a class of its own.
        assert type(theirs).__name__ in {kind.__name__ for kind in type(ours).__mro__}, where
        for name in _attributes(theirs):
            assert_same(getattr(ours, name), getattr(theirs, name), f"{where}.{name}")
    elif isinstance(theirs, list):
        assert len(ours) == len(theirs), where
        for index, (our, their) in enumerate(zip(ours, theirs, strict=True)):
            assert_same(our, their, f"{where}[{index}]")
    else:
        assert ours == theirs, where


def _attributes(theirs: Any) -> list[str]:
    fields = [field.name for field in dataclasses.fields(theirs)]
    asked = [name for name in dir(type(theirs)) if isinstance(getattr(type(theirs), name), property)]
    return fields + [name for name in asked if name not in NOT_COMPARED and not name.startswith("_")]


def with_chats(payload: Any, chat: dict[str, Any] | None = None) -> Any:
    """Return a payload of the older generation with a chat object in each envelope, as our types complete it.

    The official client 1.5 refuses servers of that generation and their envelopes; so it can be asked at all.

    Args:
        payload: anything decoded.
        chat: the chat of the record around it, which the last message belongs to.
    """
    if isinstance(payload, list):
        return [with_chats(item, chat) for item in payload]
    if not isinstance(payload, dict):
        return payload
    if "lastMessage" in payload:
        chat = {"chatId": payload["chatId"], "chatTitle": payload["title"], "chatType": payload["chatType"]}
        return {name: with_chats(value, chat) for name, value in payload.items()}
    if "messageId" in payload and "content" in payload and "chat" not in payload:
        known = chat or {"chatId": payload["chatId"], "chatTitle": None, "chatType": 0}
        payload = {**payload, "chat": known}
    return {name: with_chats(value) for name, value in payload.items()}
