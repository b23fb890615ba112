"""What the browser tests stand on: Chromium, a page with the feed alone, and a JupyterLab; there are no tests here."""

from __future__ import annotations

import http.server
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tcnb.notebook.feed.feed import FEED_FILES
from tcnb.notebook.widgets.widget import page_script, page_style

sync_api = pytest.importorskip("playwright.sync_api", reason="browser tests need playwright (pip install tcnb[test])")

ROOT = Path(__file__).parents[2]
SCREENSHOTS = ROOT / "build" / "screenshots"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark everything in this folder as a browser test."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="module")
def chromium_path() -> str:
    """Give the path of the machine's Chromium: `CHROMIUM` from the environment, or one of the usual names."""
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)
    if not found and os.environ.get("TCNB_REQUIRE_BROWSER"):
        pytest.fail("no Chromium found, and TCNB_REQUIRE_BROWSER asks for the browser tests")
    if not found:
        pytest.skip("no Chromium found: browser tests are skipped (set CHROMIUM to its path)")
    return found


# Of module scope: Playwright keeps an event loop running as long as it lives, and other tests have loops of their own.
@pytest.fixture(scope="module")
def browser(chromium_path: str) -> Iterator[sync_api.Browser]:
    """Give a headless Chromium."""
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path, args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture
def screenshots() -> Path:
    """Give the folder in which screenshots are kept as artefacts."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    return SCREENSHOTS


FEED = page_script(*FEED_FILES)
FILES: dict[str, tuple[Path | str, str]] = {
    "/": (Path(__file__).with_name("harness.html"), "text/html; charset=utf-8"),
    "/feed.js": (FEED, "text/javascript; charset=utf-8"),
    "/feed-parts.js": (
        f"{FEED}\nexport {{ Items, Timeline, START, END, rightBefore, rightBehind }};",
        "text/javascript; charset=utf-8",
    ),
    "/feed.css": (page_style("feed/page/feed.css"), "text/css; charset=utf-8"),
    "/chats": (Path(__file__).with_name("chats.html"), "text/html; charset=utf-8"),
    "/panel.js": (page_script("panel/page/panel.js"), "text/javascript; charset=utf-8"),
    "/panel.css": (page_style("panel/page/panel.css"), "text/css; charset=utf-8"),
}


class _PageHandler(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path not in FILES:
            self.send_error(404)
            return
        content, kind = FILES[self.path]
        body = content.encode() if isinstance(content, str) else content.read_bytes()
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def harness_url() -> Iterator[str]:
    """Serve the pages that show the feed, and the panel's list of chats under `chats`, without Jupyter."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _PageHandler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()
    thread.join()


START_TIMEOUT = 90.0
"""Seconds that JupyterLab gets to answer; a loaded machine needs many."""

OVERRIDES = {
    "@jupyterlab/apputils-extension:notification": {
        "fetchNews": "false",
        "checkForUpdates": False,
        "doNotDisturbMode": True,
    },
    "@jupyterlab/docmanager-extension:plugin": {"autosave": False},
}
"""Settings of JupyterLab: nothing is asked, and nothing is fetched from elsewhere."""


@dataclass(frozen=True)
class Lab:
    """A running JupyterLab: its address and the folder that it shows."""

    url: str
    folder: Path

    def write_notebook(self, name: str, *cells: str) -> str:
        """Write a notebook of code cells and return the address that opens it."""
        code = [
            {"cell_type": "code", "execution_count": None, "id": f"c{i}", "metadata": {}, "outputs": [], "source": text}
            for i, text in enumerate(cells)
        ]
        kernel = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
        notebook = {"cells": code, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
        (self.folder / name).write_text(json.dumps(notebook), encoding="utf-8")
        return f"{self.url}lab/tree/{name}?reset"


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory, chromium_path: str) -> Iterator[Lab]:
    """Start a JupyterLab with folders and settings of its own; it is stopped by its process id."""
    pytest.importorskip("jupyterlab", reason="these tests need JupyterLab (pip install tcnb[test])")
    home, port = tmp_path_factory.mktemp("lab"), _free_port()
    folder = home / "notebooks"
    folder.mkdir()
    settings = home / "config" / "labconfig"
    settings.mkdir(parents=True)
    (settings / "default_setting_overrides.json").write_text(json.dumps(OVERRIDES), encoding="utf-8")
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--expose-app-in-browser", f"--port={port}"]
    command += ["--JupyterNotebookApp.expose_app_in_browser=True"]  # the same server shows Notebook 7
    command += ["--ip=127.0.0.1", "--IdentityProvider.token=", f"--ServerApp.root_dir={folder}"]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command.append("--allow-root")
    with (home / "lab.log").open("wb") as log:
        process = subprocess.Popen(command, env=_environment(home), cwd=folder, stdout=log, stderr=log)
    try:
        yield Lab(_answering(process, home), folder)
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _environment(home: Path) -> dict[str, str]:
    folders = {f"JUPYTER_{name.upper()}_DIR": str(home / name) for name in ("config", "data", "runtime")}
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    return {**os.environ, **folders, "IPYTHONDIR": str(home / "ipython"), "PYTHONPATH": path}


def _answering(process: subprocess.Popen[bytes], home: Path) -> str:
    """Wait until JupyterLab answers and return its address; it has another port where ours was taken meanwhile."""
    pause = threading.Event()
    for _ in range(int(START_TIMEOUT / 0.25)):
        if process.poll() is not None:
            break
        try:
            (told,) = (home / "runtime").glob("jpserver-*.json")
            url = str(json.loads(told.read_text("utf-8"))["url"])
            with urllib.request.urlopen(f"{url}api/status", timeout=5):
                return url
        except (ValueError, urllib.error.URLError, OSError):  # it is not there, or not written to its end
            pause.wait(0.25)
    log = (home / "lab.log").read_text("utf-8", "replace")
    pytest.fail(f"JupyterLab did not start:\n{log[-3000:]}")
