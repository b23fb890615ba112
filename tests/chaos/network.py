"""A stretch of network that breaks: it cuts, delays, doubles, crumbles and stalls what it carries, at any byte.

It knows nothing of what it carries, and shares no code with either end.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import struct
from collections.abc import Iterator
from typing import Final

BLOCK: Final = 64 * 1024

CRUMB: Final = 0.001
"""Seconds between two pieces of a block that is crumbled."""

MOST_CRUMBS: Final = 40
"""Pieces of a block at most, so that a flood still gets through."""


class Pipe:
    """One connection through the network.

    Attributes:
        is_frozen: nothing goes through any more, and neither side is told.
    """

    def __init__(self, client: asyncio.StreamWriter, server: asyncio.StreamWriter) -> None:
        self.client = client
        self.server = server
        self.is_frozen = False

    def reset(self) -> None:
        """Reset both ends (RST), without a word."""
        for writer in (self.client, self.server):
            raw = writer.get_extra_info("socket")
            with contextlib.suppress(OSError):
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()

    def half_close(self, *, down: bool) -> None:
        """Tell one end that nothing more comes, while the other may go on."""
        with contextlib.suppress(OSError, RuntimeError):
            (self.client if down else self.server).write_eof()


class Network:
    """What lies between a client and a server: a port that leads to the server's, as well as it pleases.

    Directions are named by `down`: True is towards the client.

    Attributes:
        port: where the client connects to.
        target: the server's port.
        delay: seconds that everything takes longer.
        cuts: bytes that still go through in a direction, after which the connection that carries them is reset.
        doubles: blocks in a direction of which a part is still to come twice.
        crumbles: whether blocks arrive in small pieces, cut at any byte.
        torn: connections that were reset within a block.
        doubled: blocks of which a part came twice.
    """

    def __init__(self, chance: random.Random | None = None) -> None:
        self.port = 0
        self.target = 0
        self.delay = 0.0
        self.cuts: dict[bool, int | None] = {True: None, False: None}
        self.doubles = {True: 0, False: 0}
        self.crumbles = False
        self.torn = 0
        self.doubled = 0
        self._chance = chance or random.Random(0)
        self._flows = {True: asyncio.Event(), False: asyncio.Event()}
        self._pipes: set[Pipe] = set()
        self._listener: asyncio.Server | None = None
        for flow in self._flows.values():
            flow.set()

    async def open(self) -> None:
        """Listen."""
        self._listener = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.port = self._listener.sockets[0].getsockname()[1]

    def close(self) -> None:
        """Listen no more, and reset what is open."""
        if self._listener is not None:
            self._listener.close()
        self.reset()

    def reset(self) -> None:
        """Reset every connection."""
        for pipe in list(self._pipes):
            pipe.reset()

    def half_close(self, *, down: bool) -> None:
        """Half-close every connection."""
        for pipe in self._pipes:
            pipe.half_close(down=down)

    def freeze(self) -> None:
        """Let nothing through any more on the connections that are open now; new ones are well."""
        for pipe in self._pipes:
            pipe.is_frozen = True

    def stall(self, *, down: bool) -> None:
        """Hold back whatever goes in a direction, on every connection, until `flow`."""
        self._flows[down].clear()

    def flow(self) -> None:
        """Carry on with everything that was held back."""
        for flow in self._flows.values():
            flow.set()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            from_server, to_server = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            writer.transport.abort()
            return
        pipe = Pipe(writer, to_server)
        self._pipes.add(pipe)
        try:
            await asyncio.gather(
                self._carry(pipe, reader, to_server, down=False), self._carry(pipe, from_server, writer, down=True)
            )
        finally:
            self._pipes.discard(pipe)
            pipe.reset()

    async def _carry(
        self, pipe: Pipe, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, down: bool
    ) -> None:
        # What is written to an end that was half-closed goes nowhere.
        with contextlib.suppress(OSError, RuntimeError):
            while data := await reader.read(BLOCK):
                if self.delay:
                    await asyncio.sleep(self.delay)
                await self._flows[down].wait()
                if pipe.is_frozen:
                    continue
                data, is_cut = self._cut(data, down=down)
                for piece in self._crumbs(self._twice(data, down=down)):
                    writer.write(piece)
                    await writer.drain()
                    if self.crumbles:
                        await asyncio.sleep(CRUMB)
                if is_cut:
                    # The reset would throw away what the system has not delivered yet.
                    await asyncio.sleep(0.02)
                    pipe.reset()
                    return
            if not pipe.is_frozen:
                writer.write_eof()

    def _cut(self, data: bytes, *, down: bool) -> tuple[bytes, bool]:
        """Return what of a block goes through, and whether the connection is reset behind that."""
        left = self.cuts[down]
        if left is None:
            return data, False
        if left >= len(data):
            self.cuts[down] = left - len(data)
            return data, False
        self.cuts[down] = None
        self.torn += 1
        return data[:left], True

    def _twice(self, data: bytes, *, down: bool) -> bytes:
        """Return a block, a part of which may come twice."""
        if not self.doubles[down] or not data:
            return data
        self.doubles[down] -= 1
        self.doubled += 1
        start, end = sorted(self._chance.choices(range(len(data) + 1), k=2))
        # Half of the time the whole block, which may be a frame.
        start, end = (0, len(data)) if self._chance.random() < 0.5 else (start, end)
        return data[:end] + data[start:end] + data[end:]

    def _crumbs(self, data: bytes) -> Iterator[bytes]:
        if not self.crumbles:
            yield data
            return
        count = min(len(data), MOST_CRUMBS)
        places = sorted(self._chance.sample(range(1, len(data)), count - 1)) if count > 1 else []
        for start, end in zip([0, *places], [*places, len(data)], strict=True):
            yield data[start:end]
