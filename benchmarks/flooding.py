"""A server that pushes the same notifications at full speed to whoever logs in, and times their acknowledgement.

Run as `python -m benchmarks.flooding COUNT`: it prints a ready line, then one line of JSON per client it has flooded.
"""

from __future__ import annotations

import asyncio
import base64
import json
import random
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from http import HTTPStatus
from typing import Any, cast

from websockets.frames import Frame, Opcode
from websockets.http11 import Request, Response
from websockets.server import ServerProtocol

from tcnb.wire import paths

BATCH = 200
LOGIN = "robot"
WORDS = (
    "build",
    "release",
    "passed",
    "deploy",
    "staging",
    "проверка",
    "готово",
    "отчёт",
    "сборка",
    "green",
    "red",
    "ok",
)


def payloads(count: int) -> list[bytes]:
    """Return envelopes as a 5.5.6 server sends them: 20 chats, 200 people, 2 to 40 words."""
    return list(_envelopes(random.Random(7), count))


def _envelopes(chance: random.Random, count: int) -> Iterator[bytes]:
    chats = [(uuid.UUID(int=chance.getrandbits(128)).hex, f"Chat {number}") for number in range(20)]
    for number in range(count):
        chat_id, title = chats[chance.randrange(20)]
        text = " ".join(chance.choices(WORDS, k=chance.randint(2, 40)))
        yield json.dumps(
            {
                "messageId": str(uuid.UUID(int=chance.getrandbits(128), version=4)),
                "chatId": chat_id,
                "chat": {"chatId": chat_id, "chatTitle": title, "chatType": 2},
                "timestamp": 1767000000000 + number * 40,
                "replyMessageId": None,
                "isEdited": False,
                "author": {"id": f"person{chance.randrange(200)}@practice.local", "type": 1},
                "box": {"id": number + 1, "position": "0"},
                "type": 200,
                "content": {"text": text, "parseMode": "html"},
            },
            ensure_ascii=False,
            separators=(",", ":"),
        ).encode()


class Flooder(asyncio.Protocol):
    """One connection: answers the login, floods, and counts what is acknowledged.

    It is written on the sans-I/O protocol of websockets, so that the server costs less than any client it measures.
    """

    prepared: list[bytes]

    def __init__(self, done: Callable[[dict[str, float]], None]) -> None:
        self._done = done
        self._protocol = ServerProtocol()
        self._acknowledged = 0
        self._start = 0.0
        self._pushed = 0.0
        self._can_write = asyncio.Event()
        self._can_write.set()
        self._flooding: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def pause_writing(self) -> None:
        self._can_write.clear()

    def resume_writing(self) -> None:
        self._can_write.set()

    def data_received(self, data: bytes) -> None:
        self._protocol.receive_data(data)
        for event in self._protocol.events_received():
            if isinstance(event, Request):
                self._protocol.send_response(self._greeted(event))
            elif isinstance(event, Frame) and event.opcode is Opcode.TEXT:
                self._received(json.loads(event.data))
        data = self._protocol.data_to_send()
        self._transport.write(b"".join(data))
        if data and data[-1] == b"":
            self._transport.close()  # what was no handshake, like the question for the version, is refused

    def connection_lost(self, exc: Exception | None) -> None:
        if self._flooding is not None:
            self._flooding.cancel()

    def _greeted(self, request: Request) -> Response:
        """Open the bot socket, or say which server this is, which the official client asks first."""
        if request.path == paths.SERVER:
            return self._protocol.reject(HTTPStatus.OK, json.dumps({"product": {"version": "5.5.6.10000"}}))
        return self._protocol.accept(request)

    def _received(self, frame: dict[str, Any]) -> None:
        if frame["type"] == 2:
            self._acknowledged += 1
            if self._acknowledged == len(self.prepared):
                seconds = time.perf_counter() - self._start
                self._done({"sent": self._acknowledged, "pushed": self._pushed, "seconds": seconds})
            return
        answer: Any = {"errorCode": 307}
        if frame["method"] == "auth":
            answer = {"userId": f"{LOGIN}@practice.local/1", "connectionId": "1"}
            self._flooding = asyncio.get_running_loop().create_task(self._flood())
        self._protocol.send_text(json.dumps({"type": 2, "id": frame["id"], "payload": answer}).encode())

    async def _flood(self) -> None:
        # What a client does right after its login shall not be part of what is measured.
        await asyncio.sleep(1.0)
        self._start = time.perf_counter()
        for first in range(0, len(self.prepared), BATCH):
            for id, payload in enumerate(self.prepared[first : first + BATCH], first + 1):
                self._protocol.send_text(b'{"method":"sendMessage","type":1,"id":%d,"payload":%b}' % (id, payload))
            self._transport.write(b"".join(self._protocol.data_to_send()))
            await asyncio.sleep(0)
            await self._can_write.wait()
        self._pushed = time.perf_counter() - self._start


async def _serve(count: int) -> None:
    Flooder.prepared = payloads(count)
    server = await asyncio.get_running_loop().create_server(
        lambda: Flooder(lambda measured: print(json.dumps(measured), flush=True)), "127.0.0.1", 0
    )
    print(json.dumps({"port": server.sockets[0].getsockname()[1], "token": _token()}), flush=True)
    await server.serve_forever()


def _token() -> str:
    """Return a token of three parts with a far end, which is all that clients look at."""
    parts = ({"alg": "none"}, {"exp": int(time.time()) + 10**6})
    return ".".join(
        [*(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts), "x"]
    )


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1])))
