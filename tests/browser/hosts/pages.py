"""Serving pages that are made like the hosts, under two origins; there are no tests here."""

from __future__ import annotations

import http.server
import sys
import threading
from pathlib import Path
from typing import Final, Self

from hosts.packages import HERE, bundled, fetched

KINDS: Final = {".html": "text/html", ".js": "text/javascript", ".css": "text/css"}


class HostPages:
    """The pages and what they load; use it with `with`.

    Attributes:
        port: reached as `127.0.0.1` and as `localhost`, which are two origins to a browser.
    """

    def __init__(self) -> None:
        published = fetched() / "published"
        extensions = Path(sys.prefix) / "share" / "jupyter" / "nbextensions"
        self._files = {
            "/vscode.html": HERE / "vscode.html",
            "/vscode.js": bundled("vscode"),
            "/ipywidgets.js": published / "@vscode/jupyter-ipywidgets8/package/dist/ipywidgets.js",
            "/nbextensions/anywidget/index.js": extensions / "anywidget" / "index.js",
            "/colab.html": HERE / "colab.html",
            "/colab.js": bundled("colab"),
            "/colab-output.html": HERE / "colab-output.html",
            "/colab-output.js": HERE / "colab-output.js",
            "/libembed-amd.js": published / "@jupyter-widgets/html-manager/package/dist/libembed-amd.js",
            "/labvariables.css": published / "@jupyter-widgets/controls/package/css/labvariables.css",
            "/materialcolors.css": published / "@jupyter-widgets/controls/package/css/materialcolors.css",
            "/anywidget/dist/index.js": published / "anywidget/package/dist/index.js",
            "/require.js": published / "requirejs/package/require.js",
        }
        files = self._files

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                file = files.get(self.path.partition("?")[0])
                if file is None:
                    self.send_error(404)
                    return
                body = file.read_bytes()
                self.send_response(200)
                self.send_header("Content-Type", f"{KINDS[file.suffix]}; charset=utf-8")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *arguments: object) -> None:
                """Say nothing."""

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_port

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
