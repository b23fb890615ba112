"""Going back through a chat's history page by page, whatever order and overlap a server gives; what is looked for is
not known here.

Source: `protocol` section 6.4.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Final

from tcnb.client.requests.matching import moment, position

PAGE: Final = 100
"""Messages asked for at a time; more is used by nobody (`protocol` section 6.4)."""

Ask = Callable[[str, Any], Awaitable[Any]]
"""Asks the server: wire method and payload; returns the content of the answer."""


async def backwards(ask: Ask, chat_id: str, before: str | None = None) -> AsyncIterator[list[dict[str, Any]]]:
    """Yield the messages of a chat in pages, each page newest first, none twice; ends where nothing new comes.

    Args:
        ask: asks the server.
        chat_id: the chat.
        before: id of the message to go back from; None begins with the newest.

    Raises:
        ApiErrorException: the server does not show them, or the message to go back from was removed meanwhile (306).
    """
    seen: set[Any] = set() if before is None else {before}
    starts = [before]
    while True:
        new: list[dict[str, Any]] = []
        for start in starts:
            page = await _page(ask, chat_id, start)
            new = [envelope for envelope in page if envelope.get("messageId") not in seen]
            if new:
                break
        else:
            return
        seen.update(envelope.get("messageId") for envelope in new)
        new.sort(key=moment, reverse=True)
        yield new
        # A message that claims to be older than those before it leads to what is known: then places in the chat count.
        starts = list(dict.fromkeys(one.get("messageId") for one in (new[-1], min(new, key=position))))


async def _page(ask: Ask, chat_id: str, before: Any) -> list[dict[str, Any]]:
    request = {"chatId": chat_id, "count": PAGE}
    if before is not None:
        request["fromMessageId"] = before
    answer = await ask("getChatHistory", request)
    listed = answer.get("messages") if isinstance(answer, dict) else None
    return [_with_proper_id(one) for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []


def _with_proper_id(envelope: dict[str, Any]) -> dict[str, Any]:
    """Return an envelope without an id that is none, which nothing could be looked up by."""
    id = envelope.get("messageId")
    return envelope if id is None or isinstance(id, str) else {**envelope, "messageId": None}
