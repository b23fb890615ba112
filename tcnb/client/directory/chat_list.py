"""Reading the list of chats page by page to its end; what the chats are read for is not known here.

Source: `protocol` section 6.2.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any, Final, TypeVar

from tcnb.client.history import Ask
from tcnb.errors import TcnbError

PAGE: Final = 100
"""Chats asked for at a time; no server is known that gives more (`protocol` section 6.2)."""

MOST_PAGES: Final = 10_000
"""Pages read at most: a million chats, so that a server which invents chats without end comes to one."""

T = TypeVar("T")


class UnfinishedListError(TcnbError):
    """The list of chats could not be read to its end, so there may be chats that nobody here knows of."""

    def __init__(self, count: int, reason: str) -> None:
        super().__init__(f"the list of chats could not be read to its end ({count:,} chats were): {reason}")


async def every_chat(
    page: Callable[[int], Awaitable[Sequence[T]]], id_of: Callable[[T], str | None]
) -> AsyncIterator[T]:
    """Yield all chats, none twice.

    Servers list the chat first that spoke last. One that speaks while the list is being read moves to a page that was
    read already, and pushes another one over the edge of its page: such a chat comes twice, and what came twice has the
    first pages read again.

    Args:
        page: returns the chats of a page; pages count from 1, and have `PAGE` chats.
        id_of: returns a chat's id; None where it has none, and then it is left out.

    Raises:
        UnfinishedListError: the server goes on without an end, or repeats itself.
        What `page` raises.
    """
    seen: set[str] = set()
    is_again = False
    while True:
        has_moved = False
        for number in range(1, MOST_PAGES + 1):
            listed = await page(number)
            before = len(seen)
            for chat in listed:
                chat_id = id_of(chat)
                if chat_id in seen:
                    has_moved = True
                elif chat_id is not None:
                    seen.add(chat_id)
                    yield chat
            new = len(seen) - before
            # A server that gives more than it was asked for gives all at once.
            if len(listed) < PAGE or (new == 0 and (is_again or len(listed) > PAGE)):
                break
            if new == 0:
                raise UnfinishedListError(len(seen), f"page {number:,} repeats the pages before it")
        else:
            raise UnfinishedListError(len(seen), f"it goes on after {MOST_PAGES:,} pages")
        if is_again or not has_moved:
            return
        is_again = True


async def every_record(ask: Ask) -> AsyncIterator[dict[str, Any]]:
    """Yield the records of all chats as the server lists them, none twice; errors as of `every_chat`."""

    async def page(number: int) -> list[dict[str, Any]]:
        answer = await ask("getChats", {"count": PAGE, "page": number})
        listed = answer.get("chats") if isinstance(answer, dict) else answer
        return [record for record in listed if isinstance(record, dict)] if isinstance(listed, list) else []

    async for record in every_chat(page, _id_of):
        yield record


def _id_of(record: dict[str, Any]) -> str | None:
    chat_id = record.get("chatId")
    return chat_id if isinstance(chat_id, str) else None
