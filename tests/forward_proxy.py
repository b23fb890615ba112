"""A forward proxy as companies have them: it takes tunnels and plain requests, leads every name to this machine, and
may ask for a login.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import threading
from typing import Self


class ForwardProxy:
    """Runs on a thread of its own; use it with `with`.

    Args:
        login: `name:password` that it asks for; None takes everybody.
        status: what it answers to everything, instead of leading on.

    Attributes:
        port: where it listens.
        asked: the request lines that it got, in order.
    """

    def __init__(self, login: str | None = None, status: str | None = None) -> None:
        self.asked: list[str] = []
        self._login = None if login is None else base64.b64encode(login.encode()).decode()
        self._status = status
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="forward proxy", daemon=True)
        self._tasks: set[asyncio.Task[None]] = set()

    def __enter__(self) -> Self:
        self._thread.start()
        self._server = asyncio.run_coroutine_threadsafe(
            asyncio.start_server(self._serve, "127.0.0.1", 0), self._loop
        ).result(30)
        self.port: int = self._server.sockets[0].getsockname()[1]
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(30)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _end(self) -> None:
        self._server.close()
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            line, _, headers = head.partition("\r\n")
            self.asked.append(line)
            method, target, version = line.split(" ")
            if self._login is not None and f"proxy-authorization: basic {self._login}".lower() not in headers.lower():
                writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
            elif self._status is not None:
                writer.write(f"HTTP/1.1 {self._status}\r\nContent-Length: 0\r\n\r\n".encode())
            elif method == "CONNECT":
                await self._lead(reader, writer, int(target.rpartition(":")[2]), b"")
            else:
                place, _, path = target.removeprefix("http://").partition("/")
                first = f"{method} /{path} {version}\r\nConnection: close\r\n{_end_to_end(headers)}".encode("latin-1")
                await self._lead(reader, writer, int(place.partition(":")[2] or 80), first)
        with contextlib.suppress(OSError):
            writer.close()

    async def _lead(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int, first: bytes) -> None:
        there, onward = await asyncio.open_connection("127.0.0.1", port)
        if first:
            onward.write(first)
        else:
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await asyncio.gather(_pump(reader, onward), _pump(there, writer))


def _end_to_end(headers: str) -> str:
    """Return headers without those that are the proxy's."""
    kept = [line for line in headers.split("\r\n") if not line.lower().startswith(("proxy-", "connection:"))]
    return "\r\n".join(kept)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass  # the other side has gone
    finally:
        with contextlib.suppress(OSError):
            writer.close()
