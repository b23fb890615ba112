"""A server that speaks the connector well enough to be taken for one, and answers any step as it is told to.

It shares no code with the practice server, nor with the client that it is there to break.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import threading
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Final, Self

from tests.hostile import wire
from tests.hostile.wire import Wire

CHAT: Final = "c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00"
ROBOT: Final = "robot@video.example.com"
ALICE: Final = "alice@video.example.com"
FILE_ID: Final = "f11e"
FILE: Final = bytes(range(256)) * 4
"""What can be downloaded."""

PATHS: Final = {
    "/bridge/api/client/v1/oauth/token": "token",
    "/bridge/api/client/v1/files": "upload",
    "/websocket/chat_bot": "upgrade",
    f"/bridge/api/client/v1/files/{FILE_ID}": "download",
}
"""Steps that are HTTP requests; every other step is a method of the socket."""


@dataclass
class Step:
    """A step that is about to be answered.

    Attributes:
        server: who answers.
        wire: the connection that the answer goes to.
        answer: what an honest server would answer: a payload, the content of a file, or the key of a handshake.
        id: the id of the request; 0 of HTTP requests.
    """

    server: HostileServer
    wire: Wire
    answer: Any
    id: int = 0

    async def write(self, data: bytes) -> None:
        """Write bytes to the client."""
        await self.wire.write(data)

    def text(self, payload: Any = None, **others: Any) -> bytes:
        """Return an answer as the text of a frame; `others` are fields that differ from an honest answer's."""
        fields = {"type": 2, "id": self.id, "payload": self.answer if payload is None else payload, **others}
        return json.dumps(fields).encode()


Deed = Callable[[Step], Awaitable[None]]
"""Answers a step in a hostile way."""


class HostileServer:
    """The server, in a thread of its own; use it with `with`.

    Attributes:
        port: where it listens.
        deeds: what it does instead of the next honest answers, by step; each entry is used up in order.
        asked: how often each step came.
        written: bytes that hostile answers wrote.
        carried_out: how often each text was sent into the chat.
        files: how many files were sent into the chat.
        acknowledged: how often each of the server's own requests was acknowledged, by id.
        pushed: what was pushed, by id.
        elsewhere: another port, where a client has no business.
        strangers: bytes that came there all the same.
        history: the messages of the chat, oldest first.
        changed: set whenever something is acknowledged.
    """

    def __init__(self) -> None:
        self.port = 0
        self.deeds: dict[str, list[Deed]] = {}
        self.asked: Counter[str] = Counter()
        self.written = 0
        self.carried_out: Counter[str] = Counter()
        self.files = 0
        self.acknowledged: Counter[int] = Counter()
        self.pushed: dict[int, bytes] = {}
        self.strangers = b""
        self.elsewhere = 0
        self.history: list[dict[str, Any]] = []
        self.changed = threading.Event()
        self._sockets: list[Wire] = []
        self._is_open = asyncio.Event()
        self._next_id = 0
        self._stamp = int(time.time() * 1000)
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="hostile server", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self.run(self._open())
        return self

    def __exit__(self, *_: object) -> None:
        self.run(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Run a coroutine on the server's loop and return its result."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(60)

    def instead(self, step: str, deed: Deed, times: int = 1) -> None:
        """Answer a step in a hostile way, so many times."""
        self.deeds.setdefault(step, []).extend([deed] * times)

    # -- what the server begins itself ---------------------------------------------------------------------------------

    def reset(self) -> None:
        """Break every socket."""
        self.run(self._reset())

    def push(self, payload: Any, method: str = "sendMessage", **others: Any) -> int:
        """Send a notification and return its id; `others` are fields of the frame that differ from the usual ones."""
        id = self.next_id()
        fields = {"method": method, "type": 1, "id": id, "payload": payload, **others}
        self.push_text(id, json.dumps(fields).encode())
        return id

    def push_text(self, id: int, text: bytes) -> None:
        """Send a notification that is written already, under an id that it should be acknowledged by."""
        self.pushed[id] = text
        self.push_bytes(wire.frame(text))

    def push_bytes(self, data: bytes) -> None:
        """Write bytes to the socket that is open."""
        self.run(self._write(data))

    def next_id(self) -> int:
        """Return an id that no request of the server had."""
        self._next_id += 1
        return self._next_id

    def envelope(self, text: str, author: str = ALICE, **others: Any) -> dict[str, Any]:
        """Return a new message of the chat, which the history has from now on."""
        self._stamp = max(self._stamp + 1, int(time.time() * 1000))
        number = len(self.history) + 1
        made = {
            "messageId": f"m-{number}",
            "chatId": CHAT,
            "chat": {"chatId": CHAT, "chatTitle": "Release crew", "chatType": 2},
            "timestamp": self._stamp,
            "author": {"id": author, "type": 1},
            "box": {"id": number, "position": "0"},
            "type": 200,
            "content": {"text": text, "parseMode": "text"},
            "isEdited": False,
            "replyMessageId": None,
            **others,
        }
        self.history.append(made)
        return made

    def honest(self, method: str, asked: dict[str, Any]) -> Any:
        """Return what an honest server answers, without anything being carried out."""
        history, carried_out, files = list(self.history), self.carried_out.copy(), self.files
        try:
            return json.loads(json.dumps(self._payload(method, asked)))
        finally:
            self.history, self.carried_out, self.files = history, carried_out, files

    # -- connections ---------------------------------------------------------------------------------------------------

    async def _open(self) -> None:
        self._listener = await asyncio.start_server(self._connected, "127.0.0.1", 0, limit=2**20)
        self.port = self._listener.sockets[0].getsockname()[1]
        self._other = await asyncio.start_server(self._strange, "127.0.0.1", 0)
        self.elsewhere = self._other.sockets[0].getsockname()[1]

    async def _close(self) -> None:
        self._listener.close()
        self._other.close()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _strange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take note of what comes to a place where a client has no business."""
        self.strangers += await reader.read(65536) or b"(connected)"
        writer.transport.abort()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            # Cancelled when the server closes; asyncio would print a traceback of that.
            with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await self._serve(Wire(reader, writer))
        finally:
            self._tasks.discard(task)
            writer.transport.abort() if writer.transport.is_closing() else writer.close()

    async def _serve(self, client: Wire) -> None:
        target, headers = await wire.request(client.reader)
        step = PATHS.get(target.partition("?")[0].rstrip("/"), "nowhere")
        if step == "upgrade":
            await self._answer(step, Step(self, client, headers.get("sec-websocket-key", "")), self._upgraded)
        elif step == "nowhere":
            await client.write(wire.response(404))
        else:
            honest = {"token": _token, "upload": self._uploaded, "download": _downloaded}[step]
            answer = {"token": token(), "upload": {"temporalFileId": "tf-1"}, "download": FILE}[step]
            await self._answer(step, Step(self, client, answer), honest)

    async def _answer(self, name: str, step: Step, honest: Deed) -> None:
        """Answer a step: in a hostile way as long as one is ordered, and honestly then."""
        self.asked[name] += 1
        deeds = self.deeds.get(name)
        if not deeds:
            await honest(step)
            return
        deed, before = deeds.pop(0), step.wire.written
        try:
            await deed(step)
        finally:
            self.written += step.wire.written - before

    async def _uploaded(self, step: Step) -> None:
        await step.write(wire.response(200, json.dumps(step.answer).encode()))

    async def _upgraded(self, step: Step) -> None:
        await step.write(wire.upgrade(step.answer))
        await self.converse(step.wire)

    # -- the socket ----------------------------------------------------------------------------------------------------

    async def converse(self, client: Wire) -> None:
        """Answer what comes over a socket until it closes."""
        try:
            while True:
                opcode, data = await wire.read_frame(client.reader)
                if opcode == wire.CLOSE:
                    await client.write(wire.frame(data, wire.CLOSE))
                    return
                if opcode == wire.PING:
                    await client.write(wire.frame(data, wire.PONG))
                elif opcode == wire.TEXT:
                    await self._heard(client, json.loads(data))
        finally:
            if client in self._sockets:
                self._sockets.remove(client)
                if not self._sockets:
                    self._is_open.clear()

    async def _heard(self, client: Wire, said: dict[str, Any]) -> None:
        if said["type"] == 2:
            self.acknowledged[said["id"]] += 1
            self.changed.set()
            return
        method = said["method"]
        answer = self._payload(method, said["payload"])
        await self._answer(method, Step(self, client, answer, said["id"]), _honest)
        if method == "auth":
            self._sockets.append(client)
            self._is_open.set()
            await self._tell_unread(client)

    async def _reset(self) -> None:
        for socket in list(self._sockets):
            socket.reset()

    async def _tell_unread(self, client: Wire) -> None:
        """Tell again what was not acknowledged on the connection before."""
        for id, text in self.pushed.items():
            if not self.acknowledged[id]:
                await client.write(wire.frame(text))

    async def _write(self, data: bytes) -> None:
        # Pushed while the connection was away, it would have waited on a server, too.
        await self._is_open.wait()
        self._sockets[-1].writer.write(data)

    def _payload(self, method: str, asked: dict[str, Any]) -> Any:
        """Carry out a request and return what an honest server answers."""
        make = _ANSWERS.get(method)
        return {"errorCode": 307} if make is None else make(self, asked)

    def _send(self, asked: dict[str, Any]) -> dict[str, Any]:
        text = asked["content"]["text"]
        self.carried_out[text] += 1
        made = self.envelope(text, ROBOT)
        return {"chatId": CHAT, "messageId": made["messageId"], "timestamp": made["timestamp"]}

    def _send_file(self, asked: dict[str, Any]) -> dict[str, Any]:
        self.files += 1
        content = {"name": "notes.txt", "size": 5, "fileId": FILE_ID, "mimeType": "text/plain", "readyState": 2}
        made = self.envelope("", ROBOT, type=202, content=content)
        return {
            "chatId": CHAT,
            "messageId": made["messageId"],
            "timestamp": made["timestamp"],
            "fileId": FILE_ID,
        }

    def _page(self, asked: dict[str, Any]) -> dict[str, Any]:
        newest_first = self.history[::-1]
        start = next(
            (place for place, one in enumerate(newest_first) if one["messageId"] == asked.get("fromMessageId")), 0
        )
        page = newest_first[start : start + asked["count"]]
        return {"count": len(page), "chatId": CHAT, "messages": page}

    def _record(self) -> dict[str, Any]:
        return {
            "chatId": CHAT,
            "title": "Release crew",
            "chatType": 2,
            "avatarUrl": None,
            "lastMessage": self.history[-1] if self.history else None,
            "unreadMessages": 0,
        }

    def _file(self) -> dict[str, Any]:
        url = f"http://127.0.0.1:{self.port}/bridge/api/client/v1/files/{FILE_ID}?token=bearer"
        return {
            "name": "plan.bin",
            "size": len(FILE),
            "mimeType": "application/octet-stream",
            "readyState": 2,
            "fileId": FILE_ID,
            "downloadUrl": url,
            "previews": None,
        }


_MEMBERS: Final = [{"userId": ROBOT, "role": "owner"}, {"userId": ALICE, "role": "user"}]
_STAMP: Final = 1767000004000

_ANSWERS: Final[dict[str, Callable[[HostileServer, dict[str, Any]], Any]]] = {
    "auth": lambda server, asked: {"userId": f"{ROBOT}/7b1e40aa", "connectionId": "7b1e40aa"},
    "getChats": lambda server, asked: [server._record()] if asked["page"] == 1 else [],
    "getChatByID": lambda server, asked: server._record(),
    "getChatHistory": lambda server, asked: server._page(asked),
    "getChatParticipants": lambda server, asked: {"participants": _MEMBERS if asked["pageNumber"] == 1 else []},
    "getChatParticipant": lambda server, asked: {"userId": asked["userId"], "role": "user", "type": 1},
    "getUserDisplayName": lambda server, asked: {"displayName": str(asked["userId"]).partition("@")[0].title()},
    "getFileInfo": lambda server, asked: server._file(),
    "getFileUploadLimits": lambda server, asked: {"maxSize": None, "extensions": None},
    "createP2PChat": lambda server, asked: {"chatId": CHAT},
    "uploadFile": lambda server, asked: {"uploadTaskId": "task-1"},
    "sendMessage": lambda server, asked: server._send(asked),
    "sendFile": lambda server, asked: server._send_file(asked),
    "editMessage": lambda server, asked: {"messageId": asked["messageId"], "timestamp": _STAMP},
    "removeMessage": lambda server, asked: {},
}
"""What an honest server answers, by method."""


async def _honest(step: Step) -> None:
    await step.write(wire.frame(step.text()))


async def _token(step: Step) -> None:
    await step.write(wire.response(201, json.dumps(step.answer).encode()))


async def _downloaded(step: Step) -> None:
    await step.write(wire.response(200, step.answer, {"Content-Type": "application/octet-stream"}))


def token() -> dict[str, Any]:
    """Return the answer to a login."""
    parts = ({"alg": "none"}, {"exp": int(time.time()) + 86400 * 30})
    head, body = (base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts)
    return {"access_token": f"{head}.{body}.c2ln", "token_type": "JWT", "expires_in": 86400 * 30}
