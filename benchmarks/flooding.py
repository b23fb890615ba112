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
from websockets.protocol import State
from websockets.server import ServerProtocol

from tcnb.wire import paths

BATCH = 200
TEXT = 0x81
LONGEST_ACKNOWLEDGEMENT = 6 + 32
"""Bytes of a frame that names a type and an id and nothing else; every request is longer, since it names a method."""
LOGIN = "robot"
FIRST_TIME = 1_767_000_000_000
"""When the first notification was written, in milliseconds since 1970."""
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
                "timestamp": FIRST_TIME + number * 40,
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


def _frame_size(data: bytes, position: int) -> int:
    """Return the bytes of the masked frame that begins at a position; 0 if it is not all there."""
    left = len(data) - position
    length = data[position + 1] & 0x7F if left >= 2 else 0
    size = 6 + length
    if length == 126 and left >= 4:
        size = 8 + int.from_bytes(data[position + 2 : position + 4])
    elif length == 127 and left >= 10:
        size = 14 + int.from_bytes(data[position + 2 : position + 10])
    return size if size <= left else 0


def frames(notifications: list[bytes]) -> list[bytes]:
    """Return the notifications as they go over the wire, `BATCH` of them together, numbered from 1."""
    writer = ServerProtocol(state=State.OPEN)
    written = []
    for first in range(0, len(notifications), BATCH):
        for id, payload in enumerate(notifications[first : first + BATCH], first + 1):
            writer.send_text(b'{"method":"sendMessage","type":1,"id":%d,"payload":%b}' % (id, payload))
        written.append(b"".join(writer.data_to_send()))
    return written


class Flooder(asyncio.Protocol):
    """One connection: answers the login, floods, and counts what is acknowledged.

    The server must cost less than any client it measures: what it sends is made before the time is taken, and of what
    it gets while it floods it reads no more than where each frame ends.
    """

    count: int
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
        self._unread = b""
        self._is_done = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def pause_writing(self) -> None:
        self._can_write.clear()

    def resume_writing(self) -> None:
        self._can_write.set()

    def data_received(self, data: bytes) -> None:
        if self._flooding is not None:
            data = self._count_acknowledgements(self._unread + data)
        if not data:
            return
        self._protocol.receive_data(data)
        for event in self._protocol.events_received():
            if isinstance(event, Request):
                self._protocol.send_response(self._greeted(event))
            elif isinstance(event, Frame) and event.opcode is Opcode.TEXT:
                self._received(json.loads(event.data))
        answers = self._protocol.data_to_send()
        self._transport.write(b"".join(answers))
        if answers and answers[-1] == b"":
            self._transport.close()  # what was no handshake, like the question for the version, is refused

    def _count_acknowledgements(self, data: bytes) -> bytes:
        """Count the acknowledgements in `data` and return all other frames; one that came in part is kept."""
        others: list[bytes] = []
        position = 0
        while size := _frame_size(data, position):
            if data[position] == TEXT and size <= LONGEST_ACKNOWLEDGEMENT:
                self._acknowledged += 1
            else:
                others.append(data[position : position + size])
            position += size
        self._unread = data[position:]
        if self._acknowledged == self.count and not self._is_done:
            self._is_done = True
            seconds = time.perf_counter() - self._start
            self._done({"sent": self._acknowledged, "pushed": self._pushed, "seconds": seconds})
        return b"".join(others)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._flooding is not None:
            self._flooding.cancel()

    def _greeted(self, request: Request) -> Response:
        """Open the bot socket, or say which server this is, which the official client asks first."""
        if request.path == paths.SERVER:
            return self._protocol.reject(HTTPStatus.OK, json.dumps({"product": {"version": "5.5.6.10000"}}))
        return self._protocol.accept(request)

    def _received(self, frame: dict[str, Any]) -> None:
        answer: Any = {"errorCode": 307}
        if frame["method"] == "auth":
            answer = {"userId": f"{LOGIN}@practice.local/1", "connectionId": "1"}
            self._flooding = asyncio.get_running_loop().create_task(self._flood())
        if self._protocol.state is State.OPEN:
            self._protocol.send_text(json.dumps({"type": 2, "id": frame["id"], "payload": answer}).encode())

    async def _flood(self) -> None:
        # What a client does right after its login shall not be part of what is measured.
        await asyncio.sleep(1.0)
        self._start = time.perf_counter()
        for batch in self.prepared:
            self._transport.write(batch)
            await asyncio.sleep(0)
            await self._can_write.wait()
        self._pushed = time.perf_counter() - self._start


async def _serve(count: int) -> None:
    Flooder.count, Flooder.prepared = count, frames(payloads(count))
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
