"""A bot behind a proxy: every connection goes the same way, and what does not get through is told with its proxy."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import Any

import pytest

import tcnb
from tcnb.commands.cli import main
from tcnb.errors import MissingPackageError, TcnbError, UsageError, WSConnectionError
from tcnb.practice import PracticeProcess, PracticeThread, start_process
from tcnb.types import URLInputFile
from tests.forward_proxy import ForwardProxy

NAME = "video.example.com"
"""A host that nobody but the proxies of these tests leads anywhere."""


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """No variable names a proxy, unless a test sets it."""
    for name in list(os.environ):
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)


@pytest.fixture
def dial(practice: PracticeThread) -> Iterator[Any]:
    """Connects by a name that only a proxy can lead to."""
    opened: list[tcnb.Session] = []

    def dial(**options: Any) -> tcnb.Session:
        values = {"username": "robot", "password": "robot", "https": False, "web_port": practice.port, **options}
        opened.append(tcnb.connect(NAME, journal=None, **values))
        return opened[-1]

    yield dial
    for session in opened:
        session.close()


def through(proxy: ForwardProxy, monkeypatch: pytest.MonkeyPatch, login: str = "") -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, f"http://{login}127.0.0.1:{proxy.port}")


def test_everything_goes_through_the_proxy(dial, practice, monkeypatch):
    """Token, socket, upload, download, server info and remote files take one way, with the proxy's login."""
    with ForwardProxy(login="me:hush") as proxy:
        through(proxy, monkeypatch, "me:hush@")
        session = dial()
        chat = session._wait(session.bot.create_group_chat("Far away")).chat_id
        sent = session.send_document(chat, b"plans")
        assert session.download(sent.file_id) == b"plans"
        assert session._wait(session.bot.server_version)
        session.send_document(chat, URLInputFile(f"http://{NAME}:{practice.port}/api/v4/server", filename="facts.json"))
        session.close()
        asked = [line.split(" ")[:2] for line in proxy.asked]
    assert ["CONNECT", f"{NAME}:{practice.port}"] in asked
    paths = {target.partition(f"{NAME}:{practice.port}")[2].partition("?")[0] for method, target in asked}
    assert {"/bridge/api/client/v1/oauth/token", "/bridge/api/client/v1/files", "/api/v4/server"} <= paths
    assert any(path.startswith("/bridge/api/client/v1/files/") for path in paths)


def test_this_machine_is_reached_directly(connect, practice, monkeypatch):
    """A practice server is not asked for through a proxy, be it one that leads nowhere."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    session = connect()
    chat = session._wait(session.bot.create_group_chat("Near")).chat_id
    assert session.download(session.send_document(chat, b"plans").file_id) == b"plans"


def test_orders_to_a_practice_process_go_directly(monkeypatch):
    """Starting a practice server and giving it orders needs no proxy either."""
    for name in ("HTTP_PROXY", "http_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    process: PracticeProcess
    with start_process(faults=True) as process:
        assert process.administer("set_faults", deliver_twice=True) is None


def test_exception_holds_for_the_socket_and_every_request(dial, practice, monkeypatch):
    """What the system excepts goes directly, so that a name which only the proxy knows is not found."""
    with ForwardProxy() as proxy:
        through(proxy, monkeypatch)
        dial().close()
        monkeypatch.setattr("urllib.request.proxy_bypass", lambda host: host.startswith(NAME))
        before = len(proxy.asked)
        with pytest.raises(WSConnectionError):
            dial()
        assert len(proxy.asked) == before


@pytest.mark.parametrize(
    ("login", "said"),
    [
        ("", r"asks for a login, which belongs into the variable HTTP_PROXY \(HTTP 407"),
        ("me:wrong-hush@", r"refuses the login in the variable HTTP_PROXY \(HTTP 407"),
    ],
)
def test_proxy_that_wants_a_login(dial, monkeypatch, login, said):
    """A proxy without its login, or with a wrong one, is told with the variable to mend and without the login."""
    with ForwardProxy(login="me:hush") as proxy:
        through(proxy, monkeypatch, login)
        with pytest.raises(WSConnectionError, match=f"the proxy http://127.0.0.1:{proxy.port} {said}") as caught:
            dial()
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize(
    "options",
    [{"https": True}, {"username": None, "password": None, "token": "a.b.c"}, {}],
    ids=["tunnel for the login", "tunnel for the socket", "plain login"],
)
def test_proxy_that_lets_nobody_through(dial, monkeypatch, options):
    """A proxy that does not let us through to the server is named with its status."""
    with ForwardProxy(status="403 Forbidden") as proxy:
        through(proxy, monkeypatch)
        with pytest.raises(TcnbError) as caught:
            dial(**options)
    assert f"the proxy http://127.0.0.1:{proxy.port} does not let us through" in str(caught.value)
    assert "HTTP 403" in str(caught.value)


def test_proxy_that_is_away(dial, monkeypatch):
    """A proxy that does not listen is named as what was asked, without its login."""
    monkeypatch.setenv("HTTP_PROXY", "http://me:hush@127.0.0.1:9")
    with pytest.raises(WSConnectionError, match=r"through the proxy http://127\.0\.0\.1:9 \(nothing listens") as caught:
        dial()
    assert "hush" not in str(caught.value)
    assert "the variable HTTP_PROXY" in str(caught.value)


def test_variable_that_cannot_be_read(dial, monkeypatch):
    """A variable that names no proxy is one line, and so is SOCKS without its packages."""
    monkeypatch.setenv("HTTP_PROXY", "http://pro xy:3128")
    with pytest.raises(UsageError, match="HTTP_PROXY names no proxy"):
        dial()
    monkeypatch.delenv("HTTP_PROXY")
    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:1080")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingPackageError, match="python-socks"):
        dial()


def test_doctor_names_the_proxy(practice, monkeypatch, capsys):
    """The doctor goes the same way as a bot, names the proxy on it, and what is wrong with that."""
    monkeypatch.setenv("TRUECONF_USERNAME", "robot")
    monkeypatch.setenv("TRUECONF_PASSWORD", "robot")
    command = ["doctor", f"{NAME}:{practice.port}", "--http", "--json"]
    with ForwardProxy(login="me:hush") as proxy:
        through(proxy, monkeypatch, "me:hush@")
        assert main(command) == 0
        well = capsys.readouterr().out
        through(proxy, monkeypatch)
        assert main(command) == 1
        ill = capsys.readouterr().out
    assert f"is reached through http://127.0.0.1:{proxy.port}" in well
    assert "asks for a login" in next(one["text"] for one in json.loads(ill)["findings"] if one["check"] == "server")
    assert "hush" not in well + ill
    monkeypatch.setenv("HTTP_PROXY", "http://pro xy:3128")
    assert main(command) == 1
    (proxy_check,) = (one for one in json.loads(capsys.readouterr().out)["findings"] if one["check"] == "proxy")
    assert proxy_check["verdict"] == "problem"
