"""What belongs to one server goes to no other: the token of the socket, and the headers of a file from a URL."""

from __future__ import annotations

import base64
import os
import ssl
from typing import Any

import pytest
import trustme
from websockets.exceptions import InvalidStatus

from tcnb.client.address import Address
from tcnb.client.socket import open_socket
from tcnb.errors import FileUploadError, WSConnectionError
from tcnb.practice import PracticeThread
from tcnb.types import URLInputFile
from tests.forward_proxy import ForwardProxy
from tests.raw_server import Answer, RawServer, reply

STATUSES = [301, 302, 303, 307, 308]


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """No variable names a proxy, unless a test sets it."""
    for name in list(os.environ):
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)


@pytest.fixture
def serve() -> Any:
    """Starts servers with the answers of a test; they end with it."""
    running: list[RawServer] = []

    def serve(answer: Answer | bytes, context: ssl.SSLContext | None = None) -> RawServer:
        server = RawServer(answer if callable(answer) else lambda head: [answer], context)
        running.append(server.__enter__())
        return server

    yield serve
    for server in running:
        server.__exit__()


@pytest.fixture
def certified() -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """The TLS settings of a server, and of a client that trusts it."""
    authority = trustme.CA()
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(server)
    client = ssl.create_default_context()
    authority.configure_trust(client)
    return server, client


# -- the socket --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", STATUSES)
def test_socket_follows_no_redirect(connect: Any, practice: PracticeThread, serve: Any, status: int) -> None:
    """The socket is opened where the person said, so that no other server gets the token."""
    other = serve(reply(status="400 Bad Request"))
    headers = {"Location": f"ws://127.0.0.1:{other.port}/websocket/chat_bot"}
    practice.call(lambda server: server.fail_next_http("socket", status, "", 1, headers))
    with pytest.raises(WSConnectionError, match=f"HTTP {status}"):
        connect()
    assert other.heads == []


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("scheme", ["wss", "ws", "https"])
async def test_socket_with_tls_follows_no_redirect(serve: Any, certified: Any, status: int, scheme: str) -> None:
    """Neither is one with TLS, to a server whose certificate is trusted as well, to itself, or to a plain one."""
    context, trusting = certified
    other = serve(reply(status="400 Bad Request"), context if scheme != "ws" else None)

    def answer(head: str) -> list[bytes]:
        return [reply(status=f"{status} Moved", Location=f"{scheme}://127.0.0.1:{other.port}/websocket/chat_bot")]

    server = serve(answer, context)
    with pytest.raises(InvalidStatus):
        await open_socket(Address("127.0.0.1", server.port), trusting, timeout=30, on_texts=lambda texts: None)
    assert len(server.heads) == 1
    assert other.heads == []


# -- files from a URL --------------------------------------------------------------------------------------------------

OWN = {"Authorization": "Bearer t0ken", "Cookie": "session=s3cret", "X-Api-Key": "k3y"}
"""Headers with which a person asks one server."""

SECRETS = ["t0ken", "s3cret", "k3y", "authorization", "cookie", "x-api-key"]


def redirecting(serve: Any, where: Any, status: int = 302) -> RawServer:
    """Start a server that sets a cookie and sends everybody somewhere else."""

    def answer(head: str) -> list[bytes]:
        return [reply(status=f"{status} Moved", Location=where(head), Set_Cookie="given=b1scuit; Path=/")]

    return serve(answer)  # type: ignore[no-any-return]


def carried(head: str) -> list[str]:
    """Return what of the person's own a request carries."""
    return [secret for secret in [*SECRETS, "b1scuit"] if secret.lower() in head.lower()]


@pytest.mark.parametrize("status", STATUSES)
async def test_own_headers_stay_with_their_host(serve: Any, status: int) -> None:
    """Behind a redirect to another host or port neither headers nor cookies of the first are sent."""
    other = serve(reply(b"content"))
    server = redirecting(serve, lambda head: f"{other.url}/file.txt", status)
    assert await URLInputFile(f"{server.url}/file.txt", headers=OWN).read() == b"content"
    assert all(set(SECRETS) <= set(carried(head)) for head in server.heads)
    assert [carried(head) for head in other.heads] == [[], []]


async def test_login_in_the_address_stays_with_its_host(serve: Any) -> None:
    """Neither is the login that stands in the address."""
    other = serve(reply(b"content"))
    server = redirecting(serve, lambda head: f"//127.0.0.1:{other.port}/file.txt")
    address = f"http://me:hush@127.0.0.1:{server.port}/file.txt"
    assert await URLInputFile(address).read() == b"content"
    login = base64.b64encode(b"me:hush").decode()
    assert all(login in head for head in server.heads)
    assert [carried(head) for head in other.heads] == [[], []]


async def test_login_goes_along_on_the_same_host(serve: Any) -> None:
    """On the server that was named headers, login and cookies go along, however the redirect names it."""

    def answer(head: str) -> list[bytes]:
        if "/file.txt" in head:
            return [reply(b"content")]
        return [reply(status="302 Moved", Location=f"{server.url}/file.txt", Set_Cookie="given=b1scuit; Path=/")]

    server = serve(answer)
    address = f"http://me:hush@127.0.0.1:{server.port}/moved"
    assert await URLInputFile(address, headers={"X-Api-Key": "k3y"}).read() == b"content"
    login = base64.b64encode(b"me:hush").decode()
    moved = [head for head in server.heads if "/file.txt" in head]
    assert len(moved) == 2
    assert all(login in head and "k3y" in head and "b1scuit" in head for head in moved)


async def test_nobody_sends_us_back_with_own_headers(serve: Any) -> None:
    """A server to which a redirect led cannot have the first one asked for something in the person's name."""

    def answer(head: str) -> list[bytes]:
        return [reply(b"content") if "/chosen" in head else reply(status="302 Moved", Location=f"{other.url}/x")]

    server = serve(answer)
    other = redirecting(serve, lambda head: f"{server.url}/chosen")
    assert await URLInputFile(f"{server.url}/file.txt", headers=OWN).read() == b"content"
    assert [carried(head) for head in server.heads if "/chosen" in head] == [[], []]


async def test_redirects_have_an_end(serve: Any) -> None:
    """An address that sends us round in a circle is an error of one line."""
    server = redirecting(serve, lambda head: "/again")
    with pytest.raises(FileUploadError, match="redirects more than 20 times"):
        await URLInputFile(f"{server.url}/file.txt").read()


async def test_login_of_a_proxy_stays_with_the_proxy(serve: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that is reached directly, behind a redirect of one that is not, gets no login of the proxy."""
    other = serve(reply(b"content"))
    server = redirecting(serve, lambda head: f"{other.url}/file.txt")
    with ForwardProxy(login="me:hush") as proxy:
        monkeypatch.setenv("HTTP_PROXY", f"http://me:hush@127.0.0.1:{proxy.port}")
        file = URLInputFile(f"http://video.example.com:{server.port}/file.txt", headers=OWN)
        assert await file.read() == b"content"
        assert len(proxy.asked) == 2
    assert [carried(head) for head in other.heads] == [[], []]


# -- how much of a file from a URL is taken ----------------------------------------------------------------------------


async def test_packed_file(serve: Any) -> None:
    """A file that is packed on the way is not unpacked, and nobody asks for that."""
    server = serve(reply(b"\x1f\x8b", Content_Encoding="gzip"))
    with pytest.raises(FileUploadError, match=r"sends it packed \(gzip\)"):
        await URLInputFile(f"{server.url}/file.txt").read()
    assert all("accept-encoding: identity" in head.lower() for head in server.heads)


async def test_file_larger_than_told(serve: Any) -> None:
    """A file that goes on behind the size that it told is cut off there."""

    def answer(head: str) -> Any:
        yield reply(length=9 << 20) if head.startswith("HEAD") else reply(length=None)
        while not head.startswith("HEAD"):
            yield bytes(2**16)

    server = serve(answer)
    with pytest.raises(FileUploadError, match="told a size of 9437184 bytes and gave more"):
        await URLInputFile(f"{server.url}/file.bin").read()
    assert server.sent < 64 * 2**20


@pytest.mark.parametrize("is_head", [True, False])
async def test_file_that_trickles(serve: Any, is_head: bool) -> None:
    """An address that answers byte by byte makes no progress."""

    def answer(head: str) -> Any:
        if head.startswith("HEAD"):
            yield reply(status="405 No")
            return
        if not is_head:
            yield reply(length=500)
        yield from server.trickle(reply(b"x" * 500))

    server = serve(answer)
    with pytest.raises(FileUploadError, match=r"made no progress for 0\.4 seconds"):
        await URLInputFile(f"{server.url}/file.bin", timeout=0.4).read()
