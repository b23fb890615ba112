"""Uploading a large file from disk: memory, and speed beside a bare streamed httpx POST of the same bytes to the same
server.

One upload of 1 GiB shows the memory. For the speed both sides upload a smaller file in turn, several times and each of
them first as often as the other: a server that writes to a disk takes the same bytes now faster and now slower, by more
than the two clients differ. The time of ours is that of the whole verb: its questions, the POST, and the message.
"""

from __future__ import annotations

import asyncio
import json
import resource
import statistics
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
PAIR_SIZE = 2**28
PAIRS = 8
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


def _file(folder: str, size: int) -> Path:
    path = Path(folder) / f"{size}.bin"
    with path.open("wb") as file:
        file.truncate(size)
    return path


def _ours(tc: tcnb.Session, chat: str, path: Path) -> float:
    """Upload and send; returns seconds."""
    start = time.perf_counter()
    tc.send_document(chat, path)
    return time.perf_counter() - start


def main() -> None:
    """Print the growth of memory and the ratio of speeds."""
    with tempfile.TemporaryDirectory() as folder, start_process(accounts=["robot:robot", "other:other"]) as server:
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
        _ours(tc, chat, _file(folder, SIZE))
        grown = _peak() - before
        path = _file(folder, PAIR_SIZE)
        ours, bare = [], []
        for number in range(PAIRS):
            if number % 2:
                ours.append(_ours(tc, chat, path))
            bare.append(asyncio.run(_bare(server.host, server.port, path, PAIR_SIZE)))
            if not number % 2:
                ours.append(_ours(tc, chat, path))
        tc.close()
    ratios = sorted(one / other for one, other in zip(bare, ours, strict=True))
    ratio, mebibytes = statistics.median(ratios), PAIR_SIZE / 2**20
    print(f"memory while uploading {SIZE / 2**30:g} GiB: grows by {grown:.1f} MiB (target <= {TARGET_MEMORY} MiB)")
    print(
        f"speed, {PAIRS} pairs of {mebibytes:g} MiB: {mebibytes / statistics.median(ours):.0f} MiB/s, "
        f"bare httpx: {mebibytes / statistics.median(bare):.0f} MiB/s, "
        f"median ratio {ratio:.2f} (target >= {TARGET_SPEED}; from {ratios[0]:.2f} to {ratios[-1]:.2f})"
    )
    what, against = f"uploading {SIZE / 2**30:g} GiB: memory", "-"
    table.note(what, against, f"+{grown:.1f} MiB", f"<= {TARGET_MEMORY} MiB", grown <= TARGET_MEMORY)
    what, against = f"uploading {PAIRS} x {mebibytes:g} MiB: speed", "bare streamed httpx POST"
    table.note(what, against, f"{ratio:.2f} x", f">= {TARGET_SPEED} x", ratio >= TARGET_SPEED)


if __name__ == "__main__":
    main()
