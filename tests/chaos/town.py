"""The server of a chaos run and the network before it: people who talk, and everything that can go wrong there."""

from __future__ import annotations

import asyncio
import dataclasses
import random
import threading
from collections.abc import Callable, Coroutine
from typing import Any, Final, Self, TypeVar

from tcnb.practice.entities import Message, Notice
from tcnb.practice.options import Options
from tcnb.practice.server import PracticeServer
from tcnb.practice.sessions import Session
from tcnb.practice.storage import Storage
from tcnb.practice.world import World
from tcnb.types.enums import MessageType
from tests.chaos.network import Network
from tests.chaos.oracle import Held

Result = TypeVar("Result")

ROBOT: Final = "robot"
PEOPLE: Final = 5
REORDERED: Final = 6
"""Notifications that may overtake each other."""


class UnrulyServer(PracticeServer):
    """A practice server that can also mix up the order in which it tells.

    Attributes:
        mixing: what decides the order while it is mixed up; None while it is not.
    """

    def __init__(self, options: Options, world: World | None = None) -> None:
        super().__init__(options)
        if world is not None:
            # Another process of the same server: what was said is kept, tokens and connections are not.
            self.world = world
            self.storage = Storage(world, self.office, lambda: self.public_url)
        self.mixing: random.Random | None = None
        self._held: list[tuple[Session, Notice, bytes]] = []

    def _tell(self, session: Session, notice: Notice, payload: bytes) -> None:
        if self.mixing is None and not self._held:
            super()._tell(session, notice, payload)
            return
        self._held.append((session, notice, payload))
        if len(self._held) >= REORDERED or self.mixing is None:
            self.let_go()

    def let_go(self) -> None:
        """Tell what was held back, in another order."""
        held, self._held = self._held, []
        if self.mixing is not None:
            self.mixing.shuffle(held)
        for session, notice, payload in held:
            super()._tell(session, notice, payload)


class Town:
    """A server with chats and people, and the network before it, in a thread of its own; use it with `with`.

    Attributes:
        network: what the kernel connects through.
        chats: ids of the chats.
    """

    def __init__(self, chats: int, seed: int) -> None:
        self.network = Network(random.Random(seed))
        self.chats: list[str] = []
        self._count = chats
        self._server: UnrulyServer
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="chaos town", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self.run(self._open())
        return self

    def __exit__(self, *_: object) -> None:
        self.run(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Run a coroutine in the town and return its result."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(60)

    def do(self, deed: Callable[[UnrulyServer], Result]) -> Result:
        """Call a function with the server, in its thread, and return its result."""

        async def work() -> Result:
            return deed(self._server)

        return self.run(work())

    def say(self, chance: random.Random, first: int, count: int) -> None:
        """Let people write `m-<number>` into chats, `count` of them from number `first` on."""

        def talk(server: UnrulyServer) -> None:
            world = server.world
            for number in range(first, first + count):
                person = world.user(f"person{chance.randrange(PEOPLE)}@{world.domain}")
                world.say(person, chance.choice(self.chats), f"m-{number}")
            server.deliver()

        self.do(talk)

    def restart(self, away: float) -> None:
        """End the server at once and start it again `away` seconds later; it remembers what was said, and no token."""

        async def work() -> None:
            old = self._server
            for session in list(old.sessions):
                session.transport.abort()
            await old.stop()
            await asyncio.sleep(away)
            await self._start(old.world, old.port)

        self.run(work())

    def held(self) -> dict[str, list[Held]]:
        """Return what people and the robot wrote, by chat, in order."""

        def look(server: UnrulyServer) -> dict[str, list[Held]]:
            found: dict[str, list[Message]] = {chat: [] for chat in self.chats}
            for message in server.world.messages.values():
                if message.type == MessageType.PLAIN_MESSAGE and message.chat.chat_id in found:
                    found[message.chat.chat_id].append(message)
            return {chat: [_held(one) for one in sorted(said, key=_order)] for chat, said in found.items()}

        return self.do(look)

    def unread(self) -> int:
        """Return how many messages the robot has not acknowledged."""
        return self.do(lambda server: len(server.world.unread(f"{ROBOT}@{server.world.domain}")))

    def acknowledged(self) -> set[str]:
        """Return the ids of people's messages that the robot has acknowledged."""

        def look(server: UnrulyServer) -> set[str]:
            world = server.world
            unread = {message.message_id for message in world.unread(f"{ROBOT}@{world.domain}")}
            return {
                id
                for id, message in world.messages.items()
                if message.type == MessageType.PLAIN_MESSAGE and id not in unread and _held(message).text[:2] == "m-"
            }

        return self.do(look)

    async def _open(self) -> None:
        await self._start(None, 0)
        await self.network.open()
        world = self._server.world
        people = [world.add_user(f"person{number}", f"Person {number}") for number in range(PEOPLE)]
        for number in range(self._count):
            chat = world.create_group(people[0], f"Chat {number}")
            for user in (*people[1:], world.user(f"{ROBOT}@{world.domain}")):
                world.add_participant(people[0], chat.chat_id, user, display_history=True)
            self.chats.append(chat.chat_id)
        self._server.deliver()

    async def _close(self) -> None:
        self.network.close()
        await self._server.stop()
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    async def _start(self, world: World | None, port: int) -> None:
        options = Options(accounts=(f"{ROBOT}:{ROBOT}",), port=port, ping_interval=1.0, ping_timeout=3.0)
        self._server = UnrulyServer(dataclasses.replace(options), world)
        await self._server.start()
        self.network.target = self._server.port


def _order(message: Message) -> tuple[int, int]:
    return message.timestamp, message.serial


def _held(message: Message) -> Held:
    return Held(message.message_id, message.timestamp, str(message.content["text"]))
