"""A bare client for tests of the practice server: frames over websockets, HTTP over aiohttp, no code of tcnb in it."""

from __future__ import annotations

import asyncio
import io
import json
import ssl
from collections import deque
from collections.abc import Callable
from typing import Any, Self

import aiohttp
import websockets

PATIENCE = 20.0
"""Seconds after which a test gives up waiting for something that should happen at once."""


class Refused(Exception):
    """The server answered with a code."""

    def __init__(self, code: int) -> None:
        self.code = code
        super().__init__(f"refused with {code}")


class WireBot:
    """One connection, frame by frame; notifications are acknowledged unless told otherwise."""

    def __init__(self, url: str, *, acknowledges: bool = True, context: ssl.SSLContext | None = None) -> None:
        self.url = url
        self.acknowledges = acknowledges
        self.notifications: list[dict[str, Any]] = []
        self._context = context
        self.last_id = 0
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._arrived = asyncio.Condition()
        self._unseen: deque[dict[str, Any]] = deque()

    async def open(self, path: str = "/websocket/chat_bot/", **options: Any) -> Self:
        """Connect the socket."""
        address = self.url.replace("http", "ws", 1) + path
        self.socket = await websockets.connect(address, ssl=self._context, max_size=None, **options)
        self.ended = asyncio.create_task(self._read())
        return self

    async def close(self) -> None:
        """Close the socket."""
        await self.socket.close()
        await self.ended

    async def token(self, login: str, password: str | None = None) -> str:
        """Get a token."""
        body = {"client_id": "chat_bot", "grant_type": "password", "username": login, "password": password or login}
        _, payload = await post(self.url + "/bridge/api/client/v1/oauth/token", body, self._context)
        return str(payload["access_token"])

    async def auth(self, token: str, **flags: Any) -> dict[str, Any]:
        """Authorize the connection."""
        return await self.ask("auth", {"token": token, "tokenType": "JWT", **flags})

    async def ask(self, method: str, payload: Any = None) -> Any:
        """Send a request and return the payload of its answer."""
        return await asyncio.wait_for(await self.begin(method, payload), PATIENCE)

    async def begin(self, method: str, payload: Any = None) -> asyncio.Future[Any]:
        """Send a request and return what will be its answer."""
        self.last_id += 1
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._answers[self.last_id] = answer
        await self.send({"type": 1, "id": self.last_id, "method": method, "payload": payload or {}})
        return answer

    async def send(self, frame: Any) -> None:
        """Send any frame."""
        await self.socket.send(frame if isinstance(frame, str | bytes) else json.dumps(frame))

    async def heard(self, method: str, fits: Callable[[dict[str, Any]], Any] = lambda payload: True) -> dict[str, Any]:
        """Return the payload of the next notification of that method (that fits) and use it up."""

        def find() -> dict[str, Any] | None:
            for frame in self._unseen:
                if frame["method"] == method and fits(frame["payload"]):
                    self._unseen.remove(frame)
                    return dict(frame["payload"])
            return None

        async with self._arrived:
            found: dict[str, Any] | None = None

            def arrived() -> bool:
                nonlocal found
                found = find()
                return found is not None

            await asyncio.wait_for(self._arrived.wait_for(arrived), PATIENCE)
        assert found is not None
        return found

    async def settle(self) -> None:
        """Wait until everything sent before now has been handled, by asking something harmless."""
        await self.ask("getFileUploadLimits")

    def methods(self) -> list[str]:
        """Return the methods of all notifications so far, but for the limits that follow `auth`."""
        return [frame["method"] for frame in self.notifications if frame["method"] != "getFileUploadLimits"]

    async def _read(self) -> None:
        try:
            async for text in self.socket:
                await self._take(text)
        except websockets.ConnectionClosedError:
            pass
        for answer in self._answers.values():
            answer.cancel()

    async def _take(self, text: str | bytes) -> None:
        try:
            frame = json.loads(text)
        except ValueError:
            frame = {"type": 1, "method": "unreadable", "payload": {"text": text}}
        if frame["type"] == 2:
            self._resolve(frame)
            return
        async with self._arrived:
            self.notifications.append(frame)
            self._unseen.append(frame)
            self._arrived.notify_all()
        if self.acknowledges and "id" in frame:
            await self.send({"type": 2, "id": frame["id"]})

    def _resolve(self, frame: dict[str, Any]) -> None:
        answer = self._answers.pop(frame["id"], None)
        if answer is None or answer.done():
            return
        payload = frame.get("payload")
        if isinstance(payload, dict) and payload.get("errorCode"):
            answer.set_exception(Refused(payload["errorCode"]))
        else:
            answer.set_result(payload)


async def post(url: str, body: Any, context: ssl.SSLContext | None = None) -> tuple[int, Any]:
    """Post JSON (or bytes as they are) and return the status and the JSON of the answer."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    async with (
        aiohttp.ClientSession() as session,
        session.post(url, data=data, headers={"Content-Type": "application/json"}, ssl=context or True) as answer,
    ):
        return answer.status, json.loads(await answer.read() or b"null")


async def get(url: str, context: ssl.SSLContext | None = None) -> tuple[int, bytes, str]:
    """Return the status, the body and the content type of a page."""
    async with aiohttp.ClientSession() as session, session.get(url, ssl=context or True) as answer:
        return answer.status, await answer.read(), answer.headers.get("Content-Type", "")


async def upload(
    url: str,
    task: str,
    data: bytes,
    *,
    name: str = "file.bin",
    mime_type: str = "application/octet-stream",
    preview: bytes | None = None,
) -> tuple[int, Any]:
    """Upload a file (and a preview) and return the status and the JSON of the answer."""
    form = aiohttp.FormData(quote_fields=False)
    form.add_field("file", io.BytesIO(data), filename=name, content_type=mime_type)
    if preview is not None:
        form.add_field("preview", preview, filename="preview.webp", content_type="image/webp")
    async with (
        aiohttp.ClientSession() as session,
        session.post(url + "/bridge/api/client/v1/files", data=form, headers={"Upload-Task-Id": task}) as answer,
    ):
        return answer.status, json.loads(await answer.read())
