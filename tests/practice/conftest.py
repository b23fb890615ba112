"""What tests of the practice server need: a server in the test's own loop, and bots that speak the bare wire."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from tcnb.practice import PracticeServer, Settings

from .wire import WireBot

ACCOUNTS = ("ann:ann:Ann Lee", "bob:bob:Боб", "eve:eve:Eve Stone")

Join = Callable[..., Awaitable[WireBot]]


@pytest.fixture
def settings() -> Settings:
    """The choices of the server; a test module may have others."""
    return Settings()


@pytest.fixture
def options() -> dict[str, Any]:
    """Options of the server besides its accounts; a test module may have others."""
    return {}


@pytest.fixture
async def server(settings: Settings, options: dict[str, Any]) -> AsyncIterator[PracticeServer]:
    """A practice server with three accounts."""
    async with PracticeServer(settings=settings, accounts=ACCOUNTS, **options) as server:
        yield server


@pytest.fixture
async def join(server: PracticeServer) -> AsyncIterator[Join]:
    """Connects and authorizes an account; what was connected is closed after the test."""
    bots: list[WireBot] = []

    async def join(login: str, *, acknowledges: bool = True, **flags: Any) -> WireBot:
        bot = await WireBot(server.url, acknowledges=acknowledges).open()
        bots.append(bot)
        await bot.auth(await bot.token(login), **flags)
        return bot

    yield join
    for bot in bots:
        await bot.close()
