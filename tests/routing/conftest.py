"""What the tests of routing need: a delivery fed with real frames, and a list that can be waited for."""

from __future__ import annotations

import asyncio
import itertools
import json
import queue
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from tcnb.routing import Router
from tcnb.routing.delivery import Delivery
from tcnb.routing.handlers import Failure
from tcnb.wire import frames
from tests.conftest import PATIENCE

ME = "robot@practice.local"


class Seen:
    """What handlers noted, in order; taking waits until there is something."""

    def __init__(self) -> None:
        self._queue: queue.Queue[Any] = queue.Queue()

    def note(self, thing: Any) -> None:
        """Note something; from any thread."""
        self._queue.put(thing)

    def next(self) -> Any:
        """Take what was noted first."""
        return self._queue.get(timeout=PATIENCE)

    def take(self, number: int) -> list[Any]:
        """Take as many, in order."""
        return [self.next() for _ in range(number)]

    @property
    def is_empty(self) -> bool:
        """Whether everything was taken."""
        return self._queue.empty()


@pytest.fixture
def seen() -> Seen:
    """Nothing noted yet."""
    return Seen()


class Post:
    """Feeds a router with frames as a server sends them, without a server; the bot is a stand-in with an id only."""

    def __init__(self) -> None:
        self.router = Router("root")
        self.failures: list[Failure] = []
        bot = SimpleNamespace(me_id=ME)
        self.delivery = Delivery("test", self.router, bot, {"tc": "the session"}, self.failures.append)
        self._numbers = itertools.count(1)

    def send(self, method: str, payload: Any) -> None:
        """Have one notification arrive."""
        text = json.dumps({"type": 1, "id": next(self._numbers), "method": method, "payload": payload})
        self.delivery.offer([frames.decode(text)])

    def say(self, text: str, *, chat: str = "c1", sender: str = "alice@practice.local", **more: Any) -> str:
        """Have a message arrive, and return its id."""
        number = next(self._numbers)
        message = {
            "messageId": f"m{number}",
            "chatId": chat,
            "timestamp": number,
            "author": {"id": sender, "type": 1},
            "type": 200,
            "content": {"text": text, "parseMode": "text"},
            "isEdited": False,
            **more,
        }
        self.send("sendMessage", message)
        return str(message["messageId"])

    def settle(self) -> None:
        """Wait until everything that arrived has been handled."""
        thread = self.delivery._thread
        if thread is None:
            return

        async def rest() -> None:
            while tasks := [task for task in self.delivery._tasks if not task.done()]:
                await asyncio.wait(tasks)

        thread.submit(rest()).result(PATIENCE)


@pytest.fixture
def post() -> Iterator[Post]:
    """A router that is fed with frames."""
    post = Post()
    yield post
    asyncio.run(post.delivery.close(0.1))


@pytest.fixture
def texts(seen: Seen) -> Callable[[str], Callable[[Any], None]]:
    """Makes handlers that note a label and the text that they got."""

    def make(label: str) -> Callable[[Any], None]:
        async def handler(message: Any) -> None:
            seen.note((label, message.text))

        handler.__qualname__ = handler.__name__ = f"on_{label}"
        return handler  # type: ignore[return-value]

    return make
