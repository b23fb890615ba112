"""Uploading a large file from disk: memory and speed beside a bare streamed httpx POST of the same bytes to the
same server.
"""

from __future__ import annotations

import asyncio
import json
import resource
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import websockets

import tcnb
from benchmarks import table
from tcnb.practice import start_process

SIZE = 2**30
CHUNK = 2**20
TARGET_MEMORY = 32
TARGET_SPEED = 0.8


def _peak() -> float:
    """Return the largest memory this process had, in MiB."""
    scale = 2**20 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / scale


async def _bare(host: str, port: int, path: Path, size: int) -> float:
    """Upload with httpx alone; returns seconds for the POST."""
    base = f"http://{host}:{port}"
    async with httpx.AsyncClient(timeout=60) as client:
        answer = await client.post(
            f"{base}/bridge/api/client/v1/oauth/token",
            json={"client_id": "chat_bot", "grant_type": "password", "username": "other", "password": "other"},
        )
        async with websockets.connect(f"ws://{host}:{port}/websocket/chat_bot/") as socket:
            requests = [
                ("auth", {"token": answer.json()["access_token"], "tokenType": "JWT"}),
                ("uploadFile", {"fileSize": size, "fileName": path.name}),
            ]
            for id, (method, payload) in enumerate(requests, 1):
                await socket.send(json.dumps({"type": 1, "id": id, "method": method, "payload": payload}))
                while True:
                    frame = json.loads(await socket.recv())
                    if frame["type"] == 2 and frame["id"] == id:
                        break
        head = f'--b\r\nContent-Disposition: form-data; name="file"; filename="{path.name}"\r\n\r\n'.encode()
        tail = b"\r\n--b--\r\n"

        async def body() -> AsyncIterator[bytes]:
            yield head
            with open(path, "rb") as file:  # noqa: ASYNC230, PTH123  # as plainly as one would write it
                while chunk := file.read(CHUNK):
                    yield chunk
            yield tail

        headers = {
            "Upload-Task-Id": frame["payload"]["uploadTaskId"],
            "Content-Type": "multipart/form-data; boundary=b",
            "Content-Length": str(len(head) + size + len(tail)),
        }
        start = time.perf_counter()
        answer = await client.post(f"{base}/bridge/api/client/v1/files", content=body(), headers=headers)
        answer.raise_for_status()
        return time.perf_counter() - start


def main() -> None:
    """Print the growth of memory and the ratio of speeds."""
    with tempfile.TemporaryDirectory() as folder, start_process(accounts=["robot:robot", "other:other"]) as server:
        path = Path(folder) / "large.bin"
        with path.open("wb") as file:
            file.truncate(SIZE)
        tc = tcnb.connect(
            server.host,
            username="robot",
            password="robot",
            https=False,
            web_port=server.port,
            journal=Path(folder) / "journal.sqlite",
        )
        chat = tc.send("other", "hello").chat_id
        tc.send_document(chat, b"small", "warm up")
        before = _peak()
        start = time.perf_counter()
        tc.send_document(chat, path)
        ours = time.perf_counter() - start
        grown = _peak() - before
        tc.close()
        bare = asyncio.run(_bare(server.host, server.port, path, SIZE))
    print(f"memory while uploading {SIZE / 2**30:g} GiB: grows by {grown:.1f} MiB (target <= {TARGET_MEMORY} MiB)")
    print(
        f"speed: {SIZE / 2**20 / ours:.0f} MiB/s, bare httpx: {SIZE / 2**20 / bare:.0f} MiB/s, "
        f"ratio {bare / ours:.2f} (target >= {TARGET_SPEED})"
    )
    what, against = f"uploading {SIZE / 2**30:g} GiB", "bare streamed httpx POST"
    table.note(f"{what}: memory", "-", f"+{grown:.1f} MiB", f"<= {TARGET_MEMORY} MiB", grown <= TARGET_MEMORY)
    table.note(f"{what}: speed", against, f"{bare / ours:.2f} x", f">= {TARGET_SPEED} x", bare / ours >= TARGET_SPEED)


if __name__ == "__main__":
    main()
