"""A server that says what it is told to: any frames, and answers of which each may be spoilt; it has no world behind
it and shares no code with the practice server.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, Final, Self

import tornado.httpserver
import tornado.httputil
import tornado.netutil
import tornado.web
import tornado.websocket

PATIENCE: Final = 30.0
"""Seconds that a call from another thread may take."""

ME: Final = "robot@video.example.com"
"""The account that every login is answered with."""

CHAT: Final = "3f9c1e77ab0d4c55e2910b6d8f3a7c21e4b5d690"
"""The chat that is listed, and into which the answers put what is sent."""

FILE: Final = b"what the file says"

Spoil = Callable[[str, Any], bytes | None]
"""Gets the name of what is asked (a wire method, or `token`, `upload`, `download`) and the right answer; returns the
answer that is given instead, None for the right one."""


class FuzzServer:
    """The server, in a thread of its own; `with` starts and stops it.

    Attributes:
        port: where it listens on this machine.
        spoil: what becomes of its answers; None leaves them right.
        acknowledged: how often each id was acknowledged.
        asked: how often each method was asked.
        sockets: how many connections were made.
    """

    def __init__(self) -> None:
        self.port = 0
        self.spoil: Spoil | None = None
        self.acknowledged: Counter[int] = Counter()
        self.asked: Counter[str] = Counter()
        self.sockets = 0
        self._open: set[_Socket] = set()
        self._number = 0
        self._loop = asyncio.new_event_loop()
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="fuzz server", daemon=True)
        self._listening = threading.Event()

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._listening.wait(PATIENCE)
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(PATIENCE)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE)

    def push(self, texts: list[bytes]) -> None:
        """Send texts to whoever is connected."""

        async def send() -> None:
            for socket in self._open:
                for text in texts:
                    socket.send(text)

        asyncio.run_coroutine_threadsafe(send(), self._loop).result(PATIENCE)

    def wait_until(self, condition: Callable[[], bool]) -> bool:
        """Wait until something about what came from the client holds."""
        with self._changed:
            return self._changed.wait_for(condition, PATIENCE)

    # -- on the server's loop ------------------------------------------------------------------------------------------

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._listen())
        self._loop.run_forever()
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.close()

    async def _listen(self) -> None:
        whole = {"server": self}
        handlers = [
            (r"/bridge/api/client/v1/oauth/token", _Token, whole),
            (r"/bridge/api/client/v1/files", _Upload, whole),
            (r"/files/.*", _Download, whole),
            (r"/websocket/chat_bot/?", _Socket, whole),
        ]
        (listener,) = tornado.netutil.bind_sockets(0, "127.0.0.1")
        self.port = listener.getsockname()[1]
        self._http = tornado.httpserver.HTTPServer(tornado.web.Application(handlers, log_function=lambda _: None))
        self._http.add_sockets([listener])
        self._listening.set()

    async def _close(self) -> None:
        self._http.stop()
        for socket in self._open:
            socket.close()
        await self._http.close_all_connections()

    def heard(self, socket: _Socket, text: str | bytes) -> None:
        """Take a frame of the client: note an acknowledgement, answer a request."""
        frame = json.loads(text)
        with self._changed:
            if frame["type"] == 2:
                self.acknowledged[frame["id"]] += 1
            else:
                self.asked[frame["method"]] += 1
            self._changed.notify_all()
        if frame["type"] == 1:
            said = self.answer(frame["method"], self._right(frame["method"], frame.get("payload") or {}))
            socket.send(b'{"type":2,"id":%d,"payload":%s}' % (frame["id"], said))

    def answer(self, name: str, right: Any) -> bytes:
        """Return what is said instead of the right answer."""
        spoilt = None if self.spoil is None else self.spoil(name, right)
        return json.dumps(right).encode() if spoilt is None else spoilt

    def opened(self, socket: _Socket) -> None:
        """Take note of a connection."""
        self.sockets += 1
        self._open.add(socket)

    def closed(self, socket: _Socket) -> None:
        """Take note of its end."""
        self._open.discard(socket)

    def _right(self, method: str, asked: Mapping[str, Any]) -> Any:
        """Return what a server would answer (`protocol` section 6)."""
        self._number += 1
        sent = {"chatId": asked.get("chatId", CHAT), "messageId": f"s-{self._number}", "timestamp": 1767000002000}
        if method in ("sendMessage", "forwardMessage", "sendSurvey", "editMessage", "editSurvey", "createP2PChat"):
            return sent
        return RIGHT.get(method, {}) | ({"fileId": "f1", **sent} if method == "sendFile" else {})


ENVELOPE: Final[dict[str, Any]] = {
    "messageId": "h-1",
    "chatId": CHAT,
    "chat": {"chatId": CHAT, "chatTitle": "Release crew", "chatType": 2},
    "timestamp": 1767000001000,
    "isEdited": False,
    "author": {"id": "alice@video.example.com", "type": 1},
    "box": {"id": 7, "position": "0"},
    "type": 200,
    "content": {"text": "from the past", "parseMode": "text"},
}

RIGHT: Final[dict[str, dict[str, Any]]] = {
    "auth": {"userId": f"{ME}/1"},
    "getChats": {
        "chats": [{"chatId": CHAT, "title": "Release crew", "chatType": 2, "unreadCount": 0, "lastMessage": ENVELOPE}]
    },
    "getChatByID": {"chatId": CHAT, "title": "Release crew", "chatType": 2, "lastMessage": ENVELOPE},
    "getChatParticipants": {"participants": [{"userId": ME, "role": "owner"}, {"userId": "alice@video.example.com"}]},
    "getUserDisplayName": {"displayName": "Alice"},
    "getChatHistory": {"count": 1, "messages": [ENVELOPE]},
    "getMessageById": ENVELOPE,
    "getChatParticipant": {"userId": ME, "role": "owner"},
    "hasChatParticipant": {"result": True},
    "getFileUploadLimits": {"maxSize": 1_000_000, "extensions": {"mode": "block", "list": ["exe"]}},
    "uploadFile": {"uploadTaskId": "task"},
    "getFileInfo": {
        "fileId": "f1",
        "name": "plan.txt",
        "size": len(FILE),
        "mimeType": "text/plain",
        "readyState": 2,
        "downloadUrl": "/files/f1",
    },
}
"""What a server would answer to what does not depend on the request."""

TOKEN: Final = {"access_token": "a.b.c", "token_type": "JWE", "expires_in": 2_592_000}


class _Answering(tornado.web.RequestHandler):
    def initialize(self, server: FuzzServer) -> None:
        self.server = server


class _Token(_Answering):
    def post(self) -> None:
        self.set_header("Content-Type", "application/json")
        self.finish(self.server.answer("token", TOKEN))


class _Upload(_Answering):
    def post(self) -> None:
        self.set_header("Content-Type", "application/json")
        self.finish(self.server.answer("upload", {"temporalFileId": "t1"}))


class _Download(_Answering):
    def get(self) -> None:
        self.finish(FILE)


class _Socket(tornado.websocket.WebSocketHandler):
    def initialize(self, server: FuzzServer) -> None:
        self.server = server

    def check_origin(self, origin: str) -> bool:
        return True

    def select_subprotocol(self, subprotocols: list[str]) -> str | None:
        return "json.v1" if "json.v1" in subprotocols else None

    def open(self, *_: str, **__: str) -> None:
        self.server.opened(self)

    def on_close(self) -> None:
        self.server.closed(self)

    def on_message(self, message: str | bytes) -> None:
        self.server.heard(self, message)

    def send(self, text: bytes) -> None:
        """Send a text frame of these very bytes, be they UTF-8 or not."""
        stream = self.ws_connection.stream  # type: ignore[union-attr]
        size = len(text)
        if size < 126:
            head = bytes([0x81, size])
        elif size < 2**16:
            head = bytes([0x81, 126]) + size.to_bytes(2, "big")
        else:
            head = bytes([0x81, 127]) + size.to_bytes(8, "big")
        stream.write(head + text)
