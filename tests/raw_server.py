"""A server that answers each connection with the very bytes that a test gives, also endless or slow ones."""

from __future__ import annotations

import contextlib
import itertools
import socketserver
import ssl
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Self

Answer = Callable[[str], Iterable[bytes]]
"""Gives the pieces of an answer to a request, by its head."""


class RawServer:
    """Runs on threads of its own; use it with `with`. A connection ends with its answer.

    Args:
        answer: what is answered.
        context: the TLS setting; None speaks plainly.

    Attributes:
        heads: the heads of the requests that it got, in order.
        sent: bytes that it got rid of.
    """

    def __init__(self, answer: Answer, context: ssl.SSLContext | None = None) -> None:
        self.heads: list[str] = []
        self.sent = 0
        self._is_over = threading.Event()
        owner = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                with contextlib.suppress(OSError):
                    head, length = "", 0
                    while (line := self.rfile.readline().decode("latin-1")).strip():
                        head += line
                        name, _, value = line.partition(":")
                        length = int(value) if name.lower() == "content-length" else length
                    owner.heads.append(head)
                    self.rfile.read(length)
                    for piece in answer(head):
                        self.connection.sendall(piece)
                        owner.sent += len(piece)

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = True

            def get_request(self) -> tuple[object, object]:
                connection, place = super().get_request()
                if context is not None:
                    connection = context.wrap_socket(connection, server_side=True)
                return connection, place

            def handle_error(self, request: object, client_address: object) -> None:
                pass

        self._server = Server(("127.0.0.1", 0), Handler)
        self.port: int = self._server.server_address[1]
        self.url = f"{'http' if context is None else 'https'}://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def trickle(self, content: bytes, interval: float = 0.05) -> Iterator[bytes]:
        """Give a content byte by byte, for as long as the server runs, and then begin again."""
        for place in itertools.cycle(range(len(content))):
            yield content[place : place + 1]
            if self._is_over.wait(interval):
                return


def reply(content: bytes = b"", status: str = "200 OK", length: int | None = -1, **headers: str) -> bytes:
    """Return an answer of HTTP.

    Args:
        content: its content, or the beginning of it.
        status: its status.
        length: the length that it tells; -1 is the true one, None tells none.
        headers: other headers, with `_` for `-`.
    """
    told = {name.replace("_", "-"): value for name, value in headers.items()}
    if length is not None:
        told["Content-Length"] = str(len(content) if length == -1 else length)
    lines = "".join(f"{name}: {value}\r\n" for name, value in {**told, "Connection": "close"}.items())
    return f"HTTP/1.1 {status}\r\n{lines}\r\n".encode() + content


def endless(first: bytes) -> Iterator[bytes]:
    """Give a beginning, and then zeros for as long as somebody takes them."""
    yield first
    yield from itertools.repeat(bytes(2**16))
