"""What tests of recovery need: a practice server, a network that can fail, and clients, all in the test's own loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from tcnb.client import connection as connections
from tcnb.client.address import Address
from tcnb.client.bot import Bot
from tcnb.client.connection import Connection, State
from tcnb.client.link import Batch
from tcnb.client.requests import reconciling
from tcnb.client.tokens import TokenSource
from tcnb.client.transfer import Transfers
from tcnb.practice import PracticeServer
from tcnb.secret import Secret
from tests.conftest import ACCOUNTS, PATIENCE

from .proxy import Proxy


class Client:
    """One account's connection and methods, with nothing above them."""

    def __init__(self, port: int, login: str, timeout: float) -> None:
        address = Address("127.0.0.1", port, https=False)
        self.login = login
        self.told: list[Any] = []
        self.recorded: list[tuple[str, Any, Any, Any]] = []
        self._changed = asyncio.Event()
        self.tokens = TokenSource(
            address, username=login, password=Secret(login), token=None, client_id=None, context=None, timeout=timeout
        )
        self.connection = Connection(
            address,
            self.tokens,
            context=None,
            timeout=timeout,
            receive_unread=True,
            receive_system=True,
            intake=self._take,
            on_state=self._state,
        )
        self.bot = Bot(
            self.connection,
            Transfers(address, None, timeout),
            loop=asyncio.get_running_loop(),
            on_sent=lambda *sent: self.recorded.append(sent),
            server_info=_nothing,
        )

    @property
    def statistics(self) -> connections.Statistics:
        """What happened to the connection."""
        return self.connection.statistics

    def _take(self, batch: Batch) -> None:
        self.told.extend(request.content() for request in batch.requests)
        batch.acknowledge()
        self._changed.set()

    def _state(self, state: State) -> None:
        self._changed.set()

    async def until(self, condition: Callable[[], Any]) -> None:
        """Wait until something is true, looking again whenever something was told or the state changed."""
        async with asyncio.timeout(PATIENCE):
            while not condition():
                self._changed.clear()
                await self._changed.wait()


async def _nothing() -> dict[str, Any]:
    return {}


Connect = Callable[..., Awaitable[Client]]


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server on this machine has settled at once, and is connected to again at once."""
    monkeypatch.setattr(reconciling, "SETTLING", 0.05)
    monkeypatch.setattr(connections, "delays", lambda: iter([0.0] * 1000))


@pytest.fixture
async def server() -> AsyncIterator[PracticeServer]:
    """A practice server with four accounts."""
    async with PracticeServer(accounts=ACCOUNTS) as server:
        yield server


@pytest.fixture
async def network(server: PracticeServer) -> AsyncIterator[Proxy]:
    """The network between clients and the server."""
    async with Proxy(server.port) as proxy:
        yield proxy


@pytest.fixture
async def connect(server: PracticeServer, network: Proxy) -> AsyncIterator[Connect]:
    """Connects an account through the network; what was connected is closed after the test."""
    clients: list[Client] = []

    async def connect(login: str = "robot", *, timeout: float = PATIENCE) -> Client:
        client = Client(network.port, login, timeout)
        clients.append(client)
        await client.connection.open()
        # What follows a login is over, so that what a test orders befalls what the test does.
        await client.until(lambda: client.told)
        await server.until(lambda: server.is_settled(login))
        while client.statistics.latency is None:
            await (await client.connection._link.socket.ping())
        return client

    yield connect
    for client in clients:
        await client.connection.close()


@pytest.fixture
async def robot(connect: Connect) -> Client:
    """The account `robot`, connected."""
    return await connect()


@pytest.fixture
def chat(server: PracticeServer) -> str:
    """A group of Alice's with the robot in it, where something was said before."""
    alice, robot = server.world.user("alice@practice.local"), server.world.user("robot@practice.local")
    with server.world.at(server.world.clock() - 3_600_000):
        group = server.world.create_group(alice, "Release crew")
        server.world.add_participant(alice, group.chat_id, robot, display_history=True)
        server.world.say(alice, group.chat_id, "before")
    server.world.take_notices()
    group.unread.clear()
    return group.chat_id


@pytest.fixture
def said(server: PracticeServer, chat: str) -> Callable[[], list[str]]:
    """Returns what the robot's account has said in the chat, oldest first, what was removed left out."""

    def said() -> list[str]:
        messages = server.world.chats[chat].messages
        return [
            message.content.get("text", message.type.name.lower())
            for message in messages
            if message.author_id == "robot@practice.local" and not message.is_removed
        ]

    return said
