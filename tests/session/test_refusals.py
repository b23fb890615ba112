"""What a server, a gateway or a certificate says instead of letting one in: the same sentence wherever one meets it."""

from __future__ import annotations

import asyncio
import datetime
import json
import os
import socket
import ssl
import threading
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
import trustme

import tcnb
from tcnb.commands import login
from tcnb.commands.cli import main
from tcnb.errors import CertificateError, FileDownloadError, TcnbError, WSConnectionError
from tcnb.practice import PracticeThread
from tcnb.types import URLInputFile
from tests.forward_proxy import ForwardProxy

NOW = datetime.datetime.now(datetime.UTC)
DAY = datetime.timedelta(days=1)

ANSWERS = [
    (
        301,
        {"Location": "https://other.example.com/bridge"},
        "a redirect (HTTP 301, Moved Permanently) to https://other",
    ),
    (302, {"Location": "https://127.0.0.1/login"}, "with https: leave out https=False"),
    (307, {"Location": "/login"}, "to another of its pages, so there is no chatbot connector here"),
    (308, {}, "does not say where to"),
    (407, {}, "asks for the login of a proxy (HTTP 407"),
    (429, {"Retry-After": "30"}, "takes no more requests just now (HTTP 429, Too Many Requests): try again in 30 s"),
    (429, {"Retry-After": format_datetime(NOW - DAY, usegmt=True)}, "try again in 1 s"),
    (429, {"Retry-After": "soon"}, "try again later"),
    (500, {}, "failed at it (HTTP 500, Internal Server Error): tell its administrator"),
    (502, {}, "a gateway in front of"),
    (503, {"Retry-After": "120"}, "limit of connections (HTTP 503, Service Unavailable): try again in 120 s"),
    (504, {}, "ask its administrator whether the Bridge is running"),
]


@pytest.fixture(autouse=True)
def surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The password of the account is in the environment, and no variable names a proxy."""
    for name in list(os.environ):
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("TRUECONF_USERNAME", "robot")
    monkeypatch.setenv("TRUECONF_PASSWORD", "robot")
    monkeypatch.chdir(tmp_path)


def said_by_doctor(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """Return the texts of the problems that the doctor finds."""
    main(["doctor", *arguments, "--json"])
    found = json.loads(capsys.readouterr().out)["findings"]
    return "\n".join(one["text"] for one in found if one["verdict"] == "problem")


@pytest.mark.parametrize(("status", "headers", "said"), ANSWERS)
def test_answer_to_the_login(practice, connect, capsys, status, headers, said):
    """Each HTTP status at the login is told by what it is and what to do, by connect as by the doctor."""
    practice.call(lambda server: server.fail_next_http("token", status, "", 2, headers))
    with pytest.raises(WSConnectionError) as caught:
        connect()
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
    assert str(caught.value) in said_by_doctor(capsys, f"127.0.0.1:{practice.port}", "--http")


def test_plain_request_to_a_port_with_tls(practice, connect):
    """Web servers that want TLS say so in their own words; it is told which option to leave out."""
    said = "<html>400 The plain HTTP request was sent to HTTPS port</html>"
    practice.call(lambda server: server.fail_next_http("token", 400, said))
    with pytest.raises(WSConnectionError, match="speaks TLS on this port: leave out https=False"):
        connect()


def test_answer_to_the_command_login(practice, monkeypatch, capsys):
    """The command that stores a password says the same."""
    monkeypatch.setattr(login, "ask", lambda question: "robot")
    practice.call(lambda server: server.fail_next_http("token", 429, headers={"Retry-After": "30"}))
    assert main(["login", f"127.0.0.1:{practice.port}", "--username", "robot", "--http"]) == 1
    assert "HTTP 429, Too Many Requests): try again in 30 s" in capsys.readouterr().err


@pytest.mark.parametrize("status", [301, 429, 502])
def test_answer_to_the_socket(practice, connect, capsys, status):
    """The bot socket is told in the same words, and its token follows no redirect."""
    with PracticeThread(accounts=("robot:robot",)) as other:
        headers = {"Location": f"http://127.0.0.1:{other.port}/websocket/chat_bot", "Retry-After": "7"}
        practice.call(lambda server: server.fail_next_http("socket", status, "", 2, headers))
        with pytest.raises(WSConnectionError, match=f"HTTP {status}, ") as caught:
            connect()
        assert str(caught.value) in said_by_doctor(capsys, f"127.0.0.1:{practice.port}", "--http")


def test_answer_to_a_download(practice, connect):
    """A download that a gateway stops says the same."""
    session = connect()
    chat = session._wait(session.bot.create_group_chat("Files")).chat_id
    sent = session.send_document(chat, b"plans")
    practice.call(lambda server: server.fail_next_http("download", 502))
    with pytest.raises(FileDownloadError, match="a gateway in front of"):
        session.download(sent.file_id)


# -- certificates ------------------------------------------------------------------------------------------------------


class Certified:
    """Servers with certificates of one authority, which is trusted or not."""

    def __init__(self, folder: Path) -> None:
        self.authority = trustme.CA()
        self.file = folder / "ca.pem"
        self.authority.cert_pem.write_to_path(str(self.file))

    def serve(self, *names: str, **options: Any) -> PracticeThread:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self.authority.issue_cert(*names, **options).configure_cert(context)
        return PracticeThread(ssl_options=context, accounts=("robot:robot",))


@pytest.fixture
def certified(tmp_path: Path) -> Certified:
    """An authority of this test's own."""
    return Certified(tmp_path)


CERTIFICATES = [
    (
        ("video.example.com", "chat.example.com"),
        {},
        ["is for another name (video.example.com, chat.example.com), not for"],
    ),
    (
        ("127.0.0.1",),
        {"not_before": NOW - 30 * DAY, "not_after": NOW - 2 * DAY},
        [f"expired on {NOW - 2 * DAY:%Y-%m-%d}", "clock is wrong", "administrator must renew"],
    ),
    (
        ("127.0.0.1",),
        {"not_before": NOW + 2 * DAY, "not_after": NOW + 30 * DAY},
        [f"is not valid yet before {NOW + 2 * DAY:%Y-%m-%d}", "this machine's clock says"],
    ),
]


@pytest.mark.parametrize(("names", "dates", "said"), CERTIFICATES, ids=["other name", "expired", "not yet"])
def test_certificate_that_no_authority_can_mend(certified, connect, monkeypatch, capsys, names, dates, said):
    """A certificate of another name or time is told by what it says, everywhere in one sentence, without a CA file."""
    monkeypatch.setattr(login, "ask", lambda question: "robot")
    with certified.serve(*names, **dates) as server:
        with pytest.raises(CertificateError) as caught:
            connect(web_port=server.port, https=True, verify_ssl=certified.file)
        told = str(caught.value)
        place = f"127.0.0.1:{server.port}"
        assert told in said_by_doctor(capsys, place, "--ca", str(certified.file))
        assert main(["login", place, "--username", "robot", "--ca", str(certified.file)]) == 1
        assert told in capsys.readouterr().err
    assert all(part in told for part in (*said, place))
    assert not any(word in told for word in ("ca.pem", "--ca", "verify_ssl", "\n"))


def test_certificate_of_an_unknown_authority(certified, connect, capsys):
    """Here, and only here, a CA file is what to pass."""
    with certified.serve("127.0.0.1") as server:
        with pytest.raises(
            CertificateError, match=r"does not know who issued .*verify_ssl='path/to/ca\.pem'"
        ) as caught:
            connect(web_port=server.port, https=True)
        assert str(caught.value) in said_by_doctor(capsys, f"127.0.0.1:{server.port}")


def test_certificate_behind_a_proxy(certified, connect, monkeypatch):
    """Through a proxy a certificate is looked at in the same way."""
    with certified.serve("chat.example.com") as server, ForwardProxy() as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.port}")
        values = {"username": "robot", "password": "robot", "journal": None, "verify_ssl": certified.file}
        with pytest.raises(CertificateError, match=r"for another name \(chat\.example\.com\), not for video\.example"):
            tcnb.connect("video.example.com", web_port=server.port, **values)
        tcnb.connect("chat.example.com", web_port=server.port, **values).close()


def test_certificate_of_a_remote_file(certified):
    """A file to send that is at an address with such a certificate says so in the same words."""
    with certified.serve("127.0.0.1", not_before=NOW - 30 * DAY, not_after=NOW - DAY) as server:
        file = URLInputFile(f"https://127.0.0.1:{server.port}/plan.pdf", verify_ssl=certified.file)
        with pytest.raises(TcnbError, match=f"expired on {NOW - DAY:%Y-%m-%d}"):
            asyncio.run(file.prepare())


def test_port_that_speaks_no_tls(connect):
    """A plain port that is asked for TLS, and answers in the plain, is told as that."""
    with socket.create_server(("127.0.0.1", 0)) as plain:

        def answer() -> None:
            with plain.accept()[0] as taken:
                taken.recv(1024)
                taken.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        answering = threading.Thread(target=answer, name="plain port")
        answering.start()
        with pytest.raises(WSConnectionError, match="speaks no TLS on this port"):
            connect(https=True, web_port=plain.getsockname()[1])
        answering.join()
