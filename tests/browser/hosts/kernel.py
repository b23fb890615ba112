"""A real kernel that pages reach over a websocket, with the messages of Jupyter servers; there are no tests here."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import struct
import tempfile
import threading
from collections.abc import Coroutine
from itertools import pairwise
from pathlib import Path
from typing import Any, Self, TypeVar

from jupyter_client.asynchronous.client import AsyncKernelClient
from jupyter_client.jsonutil import json_default
from jupyter_client.manager import AsyncKernelManager
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from tests.kernel_sockets import without_ports

ROOT = Path(__file__).parents[3]
PATIENCE = 60
"""Seconds that a kernel gets for a cell; a loaded machine needs some."""

CHANNELS = ("shell", "iopub", "control")
Result = TypeVar("Result")


class HostKernel:
    """A kernel process and the socket to it; use it with `with`.

    Args:
        host: the name of the host for which it stands there.
        folder: its working folder.

    Attributes:
        url: where a page finds the socket.
    """

    def __init__(self, host: str, folder: Path) -> None:
        self.host = host
        self.folder = folder
        self.url = ""
        self._pages: set[ServerConnection] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._sockets = tempfile.TemporaryDirectory(prefix="kernel")
        self._manager: AsyncKernelManager
        self._client: AsyncKernelClient
        self._server: Any = None
        self._readers: list[asyncio.Task[None]] = []

    def __enter__(self) -> Self:
        self._thread.start()
        self._wait(self._start())
        return self

    def __exit__(self, *_: object) -> None:
        self._wait(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def run(self, code: str) -> None:
        """Run code through a connection of its own, which no page hears the reply of."""
        self._wait(self._run(code))

    def restart(self) -> None:
        """Restart the kernel; pages keep their sockets, and hear the one that goes and the one that comes."""
        self._wait(self._restart())

    def _wait(self, work: Coroutine[Any, Any, Result]) -> Result:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(PATIENCE)

    async def _start(self) -> None:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("TRUECONF_")}
        paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
        environment |= {"PYTHONPATH": os.pathsep.join(paths), "IPYTHONDIR": str(self.folder / ".ipython")}
        await self._start_kernel(environment)
        self._readers = [asyncio.create_task(self._read(channel)) for channel in CHANNELS]
        self._server = await serve(self._talk, "127.0.0.1", 0, max_size=None)
        port = next(iter(self._server.sockets)).getsockname()[1]
        self.url = f"ws://127.0.0.1:{port}/"

    async def _start_kernel(self, environment: dict[str, str]) -> None:
        self._manager = AsyncKernelManager(**without_ports(self._sockets.name))
        await self._manager.start_kernel(env=environment, cwd=str(self.folder))
        self._client = self._connected()
        await self._client.wait_for_ready(timeout=PATIENCE)

    async def _restart(self) -> None:
        await self._manager.restart_kernel(now=False)
        client = self._connected()
        try:
            await client.wait_for_ready(timeout=PATIENCE)
        finally:
            client.stop_channels()

    async def _stop(self) -> None:
        for reader in self._readers:
            reader.cancel()
        self._server.close()
        self._client.stop_channels()
        await self._manager.shutdown_kernel(now=True)
        self._sockets.cleanup()

    def _connected(self) -> AsyncKernelClient:
        # Not the manager's own: all of those have one identity, and the kernel could not tell them apart.
        client = AsyncKernelClient(connection_file=self._manager.connection_file)
        client.load_connection_file()
        # Without its heart: on a loaded machine one that beats late would be taken for a kernel that died.
        client.start_channels(hb=False)
        return client

    async def _run(self, code: str) -> None:
        client = self._connected()
        try:
            await client.wait_for_ready(timeout=PATIENCE)
            reply = await client.execute_interactive(code, silent=True, timeout=PATIENCE)
            assert reply["content"]["status"] == "ok", reply["content"]
        finally:
            client.stop_channels()

    async def _talk(self, page: ServerConnection) -> None:
        self._pages.add(page)
        with contextlib.suppress(ConnectionClosed):
            async for data in page:
                message, buffers = _unpacked(data)
                channel = getattr(self._client, f"{message.pop('channel')}_channel")
                self._client.session.send(channel.socket, message, buffers=buffers)
        self._pages.discard(page)

    async def _read(self, name: str) -> None:
        channel = getattr(self._client, f"{name}_channel")
        while True:
            message = await channel.get_msg()
            data = _packed({**message, "channel": name})
            for page in list(self._pages):
                with contextlib.suppress(ConnectionClosed):
                    await page.send(data)


def _packed(message: dict[str, Any]) -> str | bytes:
    """Return a message as it goes over a Jupyter websocket: text, or with buffers their offsets and everything."""
    buffers = [bytes(one) for one in message.pop("buffers", None) or ()]
    text = json.dumps(message, default=json_default)
    if not buffers:
        return text
    parts = [text.encode(), *buffers]
    offsets = [4 * (len(parts) + 1)]
    for part in parts[:-1]:
        offsets.append(offsets[-1] + len(part))
    return struct.pack(f">{len(parts) + 1}I", len(parts), *offsets) + b"".join(parts)


def _unpacked(data: str | bytes) -> tuple[dict[str, Any], list[bytes]]:
    if isinstance(data, str):
        message = json.loads(data)
        message.pop("buffers", None)
        return message, []
    (count,) = struct.unpack_from(">I", data)
    offsets = [*struct.unpack_from(f">{count}I", data, 4), len(data)]
    parts = [data[start:end] for start, end in pairwise(offsets)]
    return json.loads(parts[0]), parts[1:]
