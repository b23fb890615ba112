"""The newest messages of a chat, read from its history; what becomes of them is decided elsewhere.

Source: `protocol` section 6.4.
"""

from __future__ import annotations

from typing import Any, Final

from tcnb.client.connection import Connection
from tcnb.client.history import backwards
from tcnb.client.matching import moment

MICROSECONDS: Final = 1000
"""In a millisecond, which is what the server counts in."""

Envelope = dict[str, Any]
"""A message as it came, with its `chatId`."""


async def newest(connection: Connection, chat_id: str, n: int) -> list[Envelope]:
    """Return the last `n` messages of a chat, oldest first."""
    found: list[Envelope] = []
    async for page in backwards(connection.call, chat_id):
        found += of_chat(chat_id, page)
        if len(found) >= n:
            break
    return sorted(found, key=moment)[-n:]


def of_chat(chat_id: str, page: list[Envelope]) -> list[Envelope]:
    """Return a page with the chat in every message, of those that have an id."""
    for envelope in page:
        envelope.setdefault("chatId", chat_id)
    return [envelope for envelope in page if isinstance(envelope.get("messageId"), str)]


def written_at(envelope: Envelope) -> int:
    """Return when a message was written, in microseconds since 1970; 0 where the server does not say."""
    timestamp = envelope.get("timestamp")
    return timestamp * MICROSECONDS if isinstance(timestamp, int) else 0
