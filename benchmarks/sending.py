"""The round trip of `tc.send` beside that of a bare websockets client to the same server.

All sides send the same message, each into a chat of its own where nobody listens, in short turns one after another: so
whatever else the machine is doing falls on all of them alike. A turn ends when its side has nothing left to do, the
journal included. The practice server, in a process of its own, is the same for all; what it and the system take of a
round trip is measured by a socket that does nothing but write frames prepared before and read the answers.
"""

from __future__ import annotations

import asyncio
import json
import socket
import statistics
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import websockets
from websockets.client import ClientProtocol
from websockets.frames import Frame
from websockets.sync.client import ClientConnection, connect
from websockets.uri import parse_uri

import tcnb
from benchmarks import table
from tcnb.practice import PracticeProcess, start_process

TURNS = 60
SENDINGS = 50
WARM_UP = 4
TARGET = 1.3
PING = b"\x89\x00"

Times = list[float]
Turn = Callable[[], Times]


def _request(id: int, method: str, payload: dict[str, Any]) -> str:
    return json.dumps({"type": 1, "id": id, "method": method, "payload": payload})


def _message(chat_id: str) -> dict[str, Any]:
    """Return what tcnb sends too."""
    return {"chatId": chat_id, "replyMessageId": None, "content": {"text": "ping", "parseMode": "text"}}


class _Peer(ABC):
    """One account, its token, and what all bare clients have in common."""

    def __init__(self, server: PracticeProcess, name: str) -> None:
        answer = httpx.post(
            f"http://{server.host}:{server.port}/bridge/api/client/v1/oauth/token",
            json={"client_id": "chat_bot", "grant_type": "password", "username": name, "password": name},
        )
        self.login = {"token": answer.json()["access_token"], "tokenType": "JWT"}
        self.url = f"ws://{server.host}:{server.port}/websocket/chat_bot/"
        self.name = name
        self.id = 0
        self.chat_id = ""

    @abstractmethod
    def turn(self) -> Times:
        """Send some messages, and return the seconds that each took."""

    @abstractmethod
    def close(self) -> None:
        """Leave."""


class _Bare(_Peer):
    """A socket of `websockets.asyncio` and the json module; the peer that the design names."""

    def __init__(self, server: PracticeProcess, name: str) -> None:
        super().__init__(server, name)
        self._loop = asyncio.new_event_loop()
        self._loop.run_until_complete(self._open())

    def turn(self) -> Times:
        """Send some messages."""
        return self._loop.run_until_complete(self._send())

    def close(self) -> None:
        """Leave."""
        self._loop.run_until_complete(self._socket.close())
        self._loop.close()

    async def _open(self) -> None:
        self._socket = await websockets.connect(self.url, compression=None)
        await self._ask("auth", self.login)
        self.chat_id = (await self._ask("createGroupChat", {"title": self.name}))["chatId"]

    async def _send(self) -> Times:
        times = []
        for _ in range(SENDINGS):
            start = time.perf_counter()
            await self._ask("sendMessage", _message(self.chat_id))
            times.append(time.perf_counter() - start)
        return times

    async def _ask(self, method: str, payload: dict[str, Any]) -> dict[str, Any]:
        self.id += 1
        await self._socket.send(_request(self.id, method, payload))
        while True:
            frame = json.loads(await self._socket.recv())
            if frame["type"] == 2 and frame["id"] == self.id:
                return dict(frame.get("payload") or {})


class _BareBlocking(_Peer):
    """The same with `websockets.sync`, which has a thread of its own too, as `tc.send` has."""

    def __init__(self, server: PracticeProcess, name: str) -> None:
        super().__init__(server, name)
        self._leaving = ExitStack()
        self._socket: ClientConnection = self._leaving.enter_context(connect(self.url, compression=None))
        self._ask("auth", self.login)
        self.chat_id = self._ask("createGroupChat", {"title": self.name})["chatId"]

    def turn(self) -> Times:
        """Send some messages."""
        times = []
        for _ in range(SENDINGS):
            start = time.perf_counter()
            self._ask("sendMessage", _message(self.chat_id))
            times.append(time.perf_counter() - start)
        return times

    def close(self) -> None:
        """Leave."""
        self._leaving.close()

    def _ask(self, method: str, payload: dict[str, Any]) -> dict[str, Any]:
        self.id += 1
        self._socket.send(_request(self.id, method, payload))
        while True:
            frame = json.loads(self._socket.recv())
            if frame["type"] == 2 and frame["id"] == self.id:
                return dict(frame.get("payload") or {})


class _Floor(_Peer):
    """The server, the system and nothing else: a blocking socket, and frames written before the time is taken."""

    def __init__(self, server: PracticeProcess, name: str) -> None:
        super().__init__(server, name)
        self._protocol = ClientProtocol(parse_uri(self.url))
        self._socket = socket.create_connection((server.host, server.port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._protocol.send_request(self._protocol.connect())
        self._exchange(b"".join(self._protocol.data_to_send()))
        self._exchange(self._frame("auth", self.login))
        self._exchange(self._frame("createGroupChat", {"title": name}))
        texts = [bytes(event.data) for event in self._protocol.events_received() if isinstance(event, Frame)]
        answer = next(frame for frame in map(json.loads, texts) if (frame["type"], frame["id"]) == (2, self.id))
        self.chat_id = answer["payload"]["chatId"]

    def turn(self) -> Times:
        """Send some messages."""
        prepared = [self._frame("sendMessage", _message(self.chat_id)) for _ in range(SENDINGS)]
        times = []
        for frame in prepared:
            start = time.perf_counter()
            answer = self._write(frame)
            times.append(time.perf_counter() - start)
            self._protocol.receive_data(answer)
        self._protocol.events_received()
        return times

    def close(self) -> None:
        """Leave."""
        self._socket.close()

    def _frame(self, method: str, payload: dict[str, Any]) -> bytes:
        self.id += 1
        self._protocol.send_text(_request(self.id, method, payload).encode())
        return b"".join(self._protocol.data_to_send())

    def _exchange(self, data: bytes) -> None:
        self._protocol.receive_data(self._write(data))

    def _write(self, data: bytes) -> bytes:
        """Write something and return what comes; a ping is answered together with the next frame."""
        self._socket.sendall(data)
        answer = self._socket.recv(65536)
        while answer == PING:
            self._protocol.receive_data(answer)
            answer = self._socket.recv(65536)
        return answer


def _ours(tc: tcnb.Session) -> tuple[Turn, Turn]:
    """Return a turn of the blocking verb and one of its awaited twin."""
    chat_id = asyncio.run_coroutine_threadsafe(tc.bot.create_group_chat("Ours"), tc.loop).result().chat_id

    def blocking() -> Times:
        times = []
        for _ in range(SENDINGS):
            start = time.perf_counter()
            tc.send(chat_id, "ping")
            times.append(time.perf_counter() - start)
        return times

    async def awaited() -> Times:
        times = []
        for _ in range(SENDINGS):
            start = time.perf_counter()
            await tc.asend(chat_id, "ping")
            times.append(time.perf_counter() - start)
        return times

    def settled(turn: Turn) -> Turn:
        def with_journal() -> Times:
            times = turn()
            # Nothing of ours is left to be written while another side has its turn.
            assert len(tc.df)
            return times

        return with_journal

    return settled(blocking), settled(lambda: asyncio.run_coroutine_threadsafe(awaited(), tc.loop).result())


def measure() -> dict[str, float]:
    """Return the median seconds of a round trip by side."""
    names = ("robot", "bare", "blocking", "floor")
    with (
        tempfile.TemporaryDirectory() as folder,
        start_process(accounts=[f"{name}:{name}" for name in names]) as server,
    ):
        peers: dict[str, _Peer] = {
            "bare": _Bare(server, "bare"),
            "sync": _BareBlocking(server, "blocking"),
            "floor": _Floor(server, "floor"),
        }
        tc = tcnb.connect(
            server.host,
            username="robot",
            password="robot",
            https=False,
            web_port=server.port,
            journal=Path(folder) / "journal.sqlite",
        )
        turns: dict[str, Turn] = {name: peer.turn for name, peer in peers.items()}
        turns["tc.send"], turns["tc.asend on the bot's loop"] = _ours(tc)
        times: dict[str, Times] = {name: [] for name in turns}
        for number in range(WARM_UP + TURNS):
            for name, turn in turns.items():
                taken = turn()
                times[name] += taken if number >= WARM_UP else []
        tc.close()
        for peer in peers.values():
            peer.close()
    return {name: statistics.median(taken) for name, taken in times.items()}


def main() -> None:
    """Print the medians and their ratios; blocking `send` and awaited `asend` are told apart."""
    medians = measure()
    bare, sync, floor = (medians.pop(name) for name in ("bare", "sync", "floor"))
    print(f"server and system alone: {floor * 1e6:.0f} µs of every round trip; medians of {TURNS * SENDINGS:,} each")
    for name, median in medians.items():
        ratio = median / bare
        print(f"{name}: {median * 1e6:.0f} µs, bare: {bare * 1e6:.0f} µs, ratio {ratio:.2f} (target <= {TARGET})")
        what, against = f"{name}, round trip", "bare websockets, same server"
        table.note(what, against, f"{ratio:.2f} x", f"<= {TARGET} x", ratio <= TARGET)
    ratio = medians["tc.send"] / sync
    print(f"tc.send beside the blocking client of websockets: {sync * 1e6:.0f} µs, ratio {ratio:.2f}")
    table.note("tc.send, round trip", "bare websockets.sync, same server", f"{ratio:.2f} x", "-", True)


if __name__ == "__main__":
    main()
