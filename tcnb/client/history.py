"""Going back through a chat's history page by page, whatever order and overlap a server gives; what is looked for is
not known here.

Source: `protocol` section 6.4.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Final

from tcnb.client.matching import moment

PAGE: Final = 100
"""Messages asked for at a time; more is used by nobody (`protocol` section 6.4)."""

Ask = Callable[[str, Any], Awaitable[Any]]
"""Asks the server: wire method and payload; returns the content of the answer."""


async def backwards(ask: Ask, chat_id: str, before: Any = None) -> AsyncIterator[list[dict[str, Any]]]:
    """Yield the messages of a chat in pages, each page newest first, none twice; ends where nothing new comes.

    Args:
        ask: asks the server.
        chat_id: the chat.
        before: id of the message to go back from; None begins with the newest.

    Raises:
        ApiErrorException: the server does not show them, or the message to go back from was removed meanwhile (306).
    """
    seen: set[Any] = set() if before is None else {before}
    while True:
        request = {"chatId": chat_id, "count": PAGE}
        if before is not None:
            request["fromMessageId"] = before
        answer = await ask("getChatHistory", request)
        listed = answer.get("messages") if isinstance(answer, dict) else None
        page = [envelope for envelope in listed or [] if isinstance(envelope, dict)]
        new = [envelope for envelope in page if envelope.get("messageId") not in seen]
        if not new:
            return
        seen.update(envelope.get("messageId") for envelope in new)
        new.sort(key=moment, reverse=True)
        yield new
        before = new[-1].get("messageId")
