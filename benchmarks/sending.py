"""The round trip of `tc.send` beside that of a bare websockets client to the same server, in turn, in one process."""

from __future__ import annotations

import asyncio
import json
import statistics
import tempfile
import time
from pathlib import Path

import httpx
import websockets

import tcnb
from benchmarks import table
from tcnb.practice import start_process

ROUNDS = 1500
WARM_UP = 100
TARGET = 1.3


async def _bare(host: str, port: int, token: str, rounds: int) -> list[float]:
    """Send with nothing but a socket and the json module; returns seconds per round trip."""
    times = []
    async with websockets.connect(f"ws://{host}:{port}/websocket/chat_bot/", compression=None) as socket:

        async def ask(id: int, method: str, payload: dict[str, object]) -> dict[str, object]:
            await socket.send(json.dumps({"type": 1, "id": id, "method": method, "payload": payload}))
            while True:
                frame = json.loads(await socket.recv())
                if frame["type"] == 2 and frame["id"] == id:
                    return dict(frame.get("payload") or {})

        await ask(1, "auth", {"token": token, "tokenType": "JWT"})
        chat_id = (await ask(2, "createGroupChat", {"title": "Bare"}))["chatId"]
        for id in range(3, rounds + 3):
            start = time.perf_counter()
            await ask(id, "sendMessage", {"chatId": chat_id, "content": {"text": "ping", "parseMode": "text"}})
            times.append(time.perf_counter() - start)
    return times[WARM_UP:]


def main() -> None:
    """Print both medians and their ratio; blocking `send` and awaited `asend` are told apart."""
    with tempfile.TemporaryDirectory() as folder, start_process(accounts=["robot:robot", "other:other"]) as server:
        answer = httpx.post(
            f"http://{server.host}:{server.port}/bridge/api/client/v1/oauth/token",
            json={"client_id": "chat_bot", "grant_type": "password", "username": "other", "password": "other"},
        )
        token = answer.json()["access_token"]
        # Alone, and each in a chat without listeners: neither side pays for notifications of the other.
        bare = asyncio.run(_bare(server.host, server.port, token, ROUNDS))
        tc = tcnb.connect(
            server.host,
            username="robot",
            password="robot",
            https=False,
            web_port=server.port,
            journal=Path(folder) / "journal.sqlite",
        )
        chat_id = asyncio.run_coroutine_threadsafe(tc.bot.create_group_chat("Ours"), tc.loop).result().chat_id
        blocking = []
        for _ in range(ROUNDS):
            start = time.perf_counter()
            tc.send(chat_id, "ping")
            blocking.append(time.perf_counter() - start)

        async def awaited() -> list[float]:
            times = []
            for _ in range(ROUNDS):
                start = time.perf_counter()
                await tc.asend(chat_id, "ping")
                times.append(time.perf_counter() - start)
            return times

        awaiting = asyncio.run_coroutine_threadsafe(awaited(), tc.loop).result()
        tc.close()
    base = statistics.median(bare)
    for name, times in (("tc.send", blocking[WARM_UP:]), ("tc.asend on the bot's loop", awaiting[WARM_UP:])):
        median = statistics.median(times)
        print(
            f"{name}: {median * 1e6:.0f} µs, bare: {base * 1e6:.0f} µs, ratio {median / base:.2f} (target <= {TARGET})"
        )
        against = "bare websockets, same server"
        table.note(f"{name}, round trip", against, f"{median / base:.2f} x", f"<= {TARGET} x", median / base <= TARGET)


if __name__ == "__main__":
    main()
