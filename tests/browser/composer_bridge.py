"""A bridge between a page and a real composer in this process, where Jupyter would stand; there are no tests here."""

from __future__ import annotations

import http.server
import json
import struct
import threading
from pathlib import Path
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.sync.server import Server, ServerConnection, serve

from tcnb.notebook.composer.composer import COMPOSER_FILES, Composer
from tcnb.notebook.widgets.widget import page_script, page_style

HERE = Path(__file__).parent
FILES: dict[str, tuple[Path | str, str]] = {
    "/": (HERE / "composer.html", "text/html; charset=utf-8"),
    "/composer.js": (page_script(*COMPOSER_FILES), "text/javascript; charset=utf-8"),
    "/composer.css": (page_style("composer/page/composer.css"), "text/css; charset=utf-8"),
}


class _PageHandler(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        content, kind = FILES[self.path.partition("?")[0]]
        body = content.encode() if isinstance(content, str) else content.read_bytes()
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


class Bridge:
    """Shows one composer to whatever pages open `url`; it can be as deaf as a kernel whose cell is busy.

    Attributes:
        pieces_let_through: how many more pieces of files reach the composer; None sets no limit.
        lose_next: whether the next message to the pages is lost.
    """

    def __init__(self) -> None:
        self.composer: Composer | None = None
        self.pieces_let_through: int | None = None
        self.lose_next = False
        self._pages: set[ServerConnection] = set()
        self._held: list[tuple[dict[str, Any], list[bytes]]] | None = None
        self._lock = threading.Lock()
        self._sockets: Server = serve(self._talk, "127.0.0.1", 0, max_size=None)
        self._files = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _PageHandler)
        for server in (self._sockets, self._files):
            threading.Thread(target=server.serve_forever, daemon=True).start()
        port = self._sockets.socket.getsockname()[1]
        self.url = f"http://127.0.0.1:{self._files.server_port}/?port={port}"

    def show(self, composer: Composer) -> None:
        """Let this composer be what pages see."""
        composer.send = self._send
        self.composer = composer

    def hold(self) -> None:
        """Deliver nothing to the composer until `let_go`."""
        with self._lock:
            self._held = []

    def let_go(self) -> None:
        """Deliver what was held, and everything from now on."""
        with self._lock:
            held, self._held = self._held or [], None
        for content, buffers in held:
            self._deliver(content, buffers)

    def close(self) -> None:
        """End both servers."""
        for server in (self._sockets, self._files):
            server.shutdown()
        self._files.server_close()

    def _talk(self, page: ServerConnection) -> None:
        assert self.composer is not None
        page.send(json.dumps(self.composer.get_state(["opening", "key", "kernel_session", "heard"])))
        self._pages.add(page)
        try:
            for message in page:
                assert isinstance(message, bytes)
                size = struct.unpack(">I", message[:4])[0]
                rest = message[4 + size :]
                self._came(json.loads(message[4 : 4 + size]), [rest] if rest else [])
        except ConnectionClosed:
            return
        finally:
            self._pages.discard(page)

    def _came(self, content: dict[str, Any], buffers: list[bytes]) -> None:
        with self._lock:
            if self._held is not None:
                self._held.append((content, buffers))
                return
            if content["type"] == "chunk" and self.pieces_let_through is not None:
                if not self.pieces_let_through:
                    return
                self.pieces_let_through -= 1
        self._deliver(content, buffers)

    def _deliver(self, content: dict[str, Any], buffers: list[bytes]) -> None:
        assert self.composer is not None
        self.composer._handle_custom_msg(content, buffers)

    def _send(self, content: dict[str, Any], buffers: list[bytes]) -> None:
        if self.lose_next:
            self.lose_next = False
            return
        head = json.dumps({"content": content, "sizes": [len(one) for one in buffers]}).encode()
        message = struct.pack(">I", len(head)) + head + b"".join(buffers)
        for page in list(self._pages):
            try:
                page.send(message)
            except ConnectionClosed:
                self._pages.discard(page)
