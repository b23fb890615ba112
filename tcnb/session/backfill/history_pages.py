"""The past of a chat, read from its history; what becomes of the messages is decided elsewhere.

Source: `protocol` section 6.4.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

from tcnb.client.connection import Connection
from tcnb.client.history import backwards
from tcnb.client.requests.matching import moment
from tcnb.wire.notifications import LAST_MILLISECOND

MICROSECONDS: Final = 1000
"""In a millisecond, which is what the server counts in."""

Envelope = dict[str, Any]
"""A message as it came, with its `chatId`."""

Progress = Callable[[int, int], None]
"""Told messages read so far, and when the earliest was written, in microseconds since 1970."""


async def read_back(
    connection: Connection,
    chat_id: str,
    *,
    most: int | None,
    since: int | None,
    take: Callable[[Sequence[Envelope]], Awaitable[None]],
    progress: Progress | None,
) -> list[str]:
    """Hand over the past of a chat page by page as it is read, so that what was read stays when reading is cut short.

    Args:
        connection: asks the server.
        chat_id: the chat.
        most: messages to go back at most; None goes back to the beginning.
        since: do not go back beyond this moment, in microseconds since 1970; None does.
        take: gets each page, oldest first.
        progress: told how many messages were read, and when the earliest of them was written.

    Returns:
        The ids of the messages that were read, newest first. Their times do not tell this order where several were
        written in the same millisecond.
    """
    read: list[str] = []
    async for page in backwards(connection.call, chat_id):
        messages = of_chat(chat_id, page)
        wanted = [one for one in messages if since is None or written_at(one) >= since]
        if most is not None:
            wanted = wanted[: most - len(read)]
        if wanted:
            await take(sorted(wanted, key=moment))
            read += [one["messageId"] for one in wanted]
            if progress is not None:
                progress(len(read), written_at(wanted[-1]))
        if len(wanted) < len(messages) or len(read) == most:
            break
    return read


def of_chat(chat_id: str, page: list[Envelope]) -> list[Envelope]:
    """Return a page with the chat in every message, of those that have an id."""
    for envelope in page:
        envelope.setdefault("chatId", chat_id)
    return [envelope for envelope in page if isinstance(envelope.get("messageId"), str)]


def written_at(envelope: Envelope) -> int:
    """Return when a message was written, in microseconds since 1970; 0 where the server does not say."""
    timestamp = envelope.get("timestamp")
    if isinstance(timestamp, int) and 0 < timestamp <= LAST_MILLISECOND:
        return timestamp * MICROSECONDS
    return 0
