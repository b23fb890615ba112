"""HTTP and WebSocket as bytes, written by hand, so that a server may also write them wrongly (RFC 9112, RFC 6455)."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import Mapping
from typing import Final

TEXT: Final = 0x1
BINARY: Final = 0x2
CLOSE: Final = 0x8
PING: Final = 0x9
PONG: Final = 0xA

NO_HEADERS: Final[Mapping[str, str | None]] = {}

_ACCEPT: Final = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
"""What RFC 6455, section 1.3, has appended to the key of a handshake."""


class Wire:
    """One connection of a client, and how many bytes were written to it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.written = 0

    async def write(self, data: bytes) -> None:
        """Write, and wait until the client takes it."""
        self.writer.write(data)
        self.written += len(data)
        await self.writer.drain()

    def end(self) -> None:
        """Say that nothing follows, and go on reading."""
        self.writer.write_eof()

    def reset(self) -> None:
        """Break the connection."""
        self.writer.transport.abort()

    async def gone(self) -> None:
        """Wait until the client has closed the connection."""
        while await self.reader.read(65536):
            pass


async def request(reader: asyncio.StreamReader) -> tuple[str, dict[str, str]]:
    """Read a request to its end; return its target, and its headers in small letters."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.split("\r\n")
    _, target, _ = first.split(" ", 2)
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    await reader.readexactly(int(headers.get("content-length", "0")))
    return target, headers


def response(status: int, body: bytes = b"", headers: Mapping[str, str | None] = NO_HEADERS) -> bytes:
    """Write a response; a header that is None is left out, others replace the usual ones."""
    usual: dict[str, str | None] = {
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
        "Connection": "close",
    }
    lines = [f"HTTP/1.1 {status} Whatever"]
    lines += [f"{name}: {value}" for name, value in {**usual, **headers}.items() if value is not None]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace") + body


def upgrade(key: str, headers: Mapping[str, str | None] = NO_HEADERS) -> bytes:
    """Write the response that makes a connection a WebSocket."""
    accept = base64.b64encode(hashlib.sha1((key + _ACCEPT).encode()).digest()).decode()
    return response(
        101,
        headers={
            "Content-Type": None,
            "Content-Length": None,
            "Connection": "Upgrade",
            "Upgrade": "websocket",
            "Sec-WebSocket-Accept": accept,
            "Sec-WebSocket-Protocol": "json.v1",
            **headers,
        },
    )


def frame(
    data: bytes, opcode: int = TEXT, *, final: bool = True, reserved: int = 0, length: int | None = None
) -> bytes:
    """Write a frame of a server.

    Args:
        data: what it carries.
        opcode: its kind.
        final: whether it is the last of its message.
        reserved: the three reserved bits.
        length: the length that is announced, if another than that of the data.
    """
    first = (0x80 if final else 0) | reserved << 4 | opcode
    size = len(data) if length is None else length
    if size < 126:
        return bytes((first, size)) + data
    if size < 1 << 16:
        return bytes((first, 126)) + size.to_bytes(2, "big") + data
    return bytes((first, 127)) + size.to_bytes(8, "big") + data


def pieces(text: bytes, count: int) -> list[bytes]:
    """Write a text as so many frames."""
    step = max(1, -(-len(text) // count))
    parts = [text[start : start + step] for start in range(0, len(text), step)]
    return [frame(part, 0 if number else TEXT, final=number == len(parts) - 1) for number, part in enumerate(parts)]


async def read_frame(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """Read a frame of a client: its kind and what it carries."""
    first, second = await reader.readexactly(2)
    size = second & 0x7F
    if size >= 126:
        size = int.from_bytes(await reader.readexactly(2 if size == 126 else 8), "big")
    key = await reader.readexactly(4)
    data = await reader.readexactly(size)
    return first & 0xF, bytes(byte ^ key[place % 4] for place, byte in enumerate(data))
