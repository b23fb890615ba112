"""A stretch of network between client and server that can be cut, silenced, and made to lose what it carries."""

from __future__ import annotations

import asyncio
from typing import Self


def first_frames(data: bytes, count: int) -> tuple[bytes, int]:
    """Return the first frames of a client in some data, and how many more may follow (RFC 6455, section 5.2)."""
    position = 0
    while count and position < len(data):
        length, header = data[position + 1] & 0x7F, 6
        if length == 126:
            length, header = int.from_bytes(data[position + 2 : position + 4], "big"), 8
        position += header + length
        count -= 1
    return data[:position], count


class Pair:
    """One connection through the proxy."""

    def __init__(self, down: asyncio.StreamWriter, up: asyncio.StreamWriter) -> None:
        self._down, self._up = down, up
        self.is_socket = False
        self.loses_next = False
        self.passes_down: int | None = None
        self.passes_up: int | None = None
        self.flows = {True: asyncio.Event(), False: asyncio.Event()}
        for flow in self.flows.values():
            flow.set()

    def cut(self) -> None:
        """Break it on both sides without a word."""
        for writer in (self._down, self._up):
            writer.transport.abort()

    async def pump(self, reader: asyncio.StreamReader, *, is_up: bool) -> None:
        """Carry bytes in one direction, as far as nothing is wrong."""
        writer = self._up if is_up else self._down
        try:
            while data := await reader.read(65536):
                self.is_socket |= is_up and data.startswith(b"GET /websocket")
                await self.flows[is_up].wait()
                if reader.exception() is not None:
                    break  # whoever sent it has reset the connection: a network does not deliver what it still has
                if is_up and self.loses_next:
                    break
                if is_up and self.passes_up is not None:
                    data, self.passes_up = first_frames(data, self.passes_up)
                if not is_up and self.passes_down is not None:
                    writer.write(data[: self.passes_down])
                    await writer.drain()
                    break
                writer.write(data)
                await writer.drain()
        except OSError:
            pass  # the other direction, or one of the sides, has ended
        finally:
            self.cut()


class Proxy:
    """Carries connections to a port on this machine; use it with `async with`.

    What is ordered befalls the connections that are open then; later ones are sound.
    """

    def __init__(self, port: int) -> None:
        self._target = port
        self._pairs: list[Pair] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self.refuses = False

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        self.cut()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def cut(self) -> None:
        """Break all connections."""
        for pair in self._pairs:
            pair.cut()

    def lose_next(self) -> None:
        """Lose what the clients send next over their bot sockets, and break the connection then."""
        for pair in self._pairs:
            pair.loses_next = pair.is_socket

    def pass_up(self, count: int) -> None:
        """Carry only so many more frames to the server and lose the others; nothing comes back."""
        self.silence(up=False)
        for pair in self._pairs:
            pair.passes_up = count

    def cut_in_frame(self, size: int) -> None:
        """Deliver only so many bytes of what the server sends next, and break the connection then."""
        for pair in self._pairs:
            pair.passes_down = size

    def silence(self, *, up: bool = True, down: bool = True) -> None:
        """Carry nothing any more, in the directions named, while the connections stay open."""
        for pair in self._pairs:
            for direction, is_silent in ((True, up), (False, down)):
                if is_silent:
                    pair.flows[direction].clear()

    def release(self) -> None:
        """Carry again, and what had to wait first."""
        for pair in self._pairs:
            for flow in pair.flows.values():
                flow.set()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.refuses:
            writer.transport.abort()
            return
        up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self._target)
        pair = Pair(writer, up_writer)
        self._pairs.append(pair)
        for source, is_up in ((reader, True), (up_reader, False)):
            task = asyncio.create_task(pair.pump(source, is_up=is_up))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
