"""Reading the list of chats to its end, whatever happens to it meanwhile."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tcnb.client.directory import chat_list
from tcnb.client.directory.chat_list import PAGE, UnfinishedListError, every_chat

Pages = Callable[[int, list[str]], list[str]]


class Server:
    """Stands in for a server whose list may change between two pages."""

    def __init__(self, count: int, change: Callable[[int, list[str]], None] = lambda page, chats: None) -> None:
        self.chats = [f"c{number}" for number in range(count)]
        self.asked: list[int] = []
        self._change = change

    async def page(self, number: int) -> list[str]:
        self._change(number, self.chats)
        self.asked.append(number)
        return self.chats[(number - 1) * PAGE : number * PAGE]


async def read(server: Server) -> list[str]:
    return [chat async for chat in every_chat(server.page, lambda chat: chat)]


@pytest.mark.parametrize("count", [0, 1, PAGE - 1, PAGE, PAGE + 1, 12_345])
async def test_all_chats_are_read(count: int) -> None:
    """However many there are, each comes once, and no page is asked for twice."""
    server = Server(count)
    assert await read(server) == server.chats
    assert server.asked == list(range(1, count // PAGE + 2))


async def test_chat_that_speaks_meanwhile_is_not_missed() -> None:
    """A chat of a later page that moves to the first one while the second is read is found there."""

    def speak(page: int, chats: list[str]) -> None:
        if page == 2 and chats[0] == "c0":
            chats.insert(0, chats.pop(chats.index("c250")))

    server = Server(300, speak)
    found = await read(server)
    assert sorted(found) == sorted(server.chats)
    assert len(found) == 300


async def test_server_that_repeats_itself_comes_to_an_end() -> None:
    """A page without anything new ends the reading with what was read, and the error says so."""
    server = Server(PAGE)
    server.page = lambda number: Server(PAGE).page(1)  # type: ignore[method-assign]
    found = []
    with pytest.raises(UnfinishedListError, match=r"could not be read to its end \(100 chats were\): page 2 repeats"):
        async for chat in every_chat(server.page, lambda chat: chat):
            found.append(chat)
    assert found == Server(PAGE).chats


async def test_server_that_gives_all_at_once() -> None:
    """A server that takes no notice of pages has given everything with the first one."""
    everything = Server(3 * PAGE).chats

    async def page(number: int) -> list[str]:
        return everything

    assert [chat async for chat in every_chat(page, lambda chat: chat)] == everything


async def test_endless_list_comes_to_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that invents chats for ever is left after a number of pages."""
    monkeypatch.setattr(chat_list, "MOST_PAGES", 3)

    async def page(number: int) -> list[str]:
        return [f"{number}-{at}" for at in range(PAGE)]

    with pytest.raises(UnfinishedListError, match="it goes on after 3 pages"):
        _ = [chat async for chat in every_chat(page, lambda chat: chat)]


async def test_what_has_no_id_is_left_out() -> None:
    """A record without an id is passed over, and has nothing read again."""
    asked = []

    async def page(number: int) -> list[str | None]:
        asked.append(number)
        return ["c1", None, "c2", None]

    assert [chat async for chat in every_chat(page, lambda chat: chat)] == ["c1", "c2"]
    assert asked == [1]
