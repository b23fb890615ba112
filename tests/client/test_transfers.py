"""What a bad server answers over HTTP: too much, too little, too slowly, packed, or with the way to somebody else."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import AsyncIterator, Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from tcnb.client import transfer
from tcnb.client.address import Address
from tcnb.client.tokens import TokenSource
from tcnb.client.transfer import Transfers
from tcnb.errors import (
    AuthenticationError,
    FileDownloadError,
    FileUploadError,
    InMemoryDownloadLimitExceededError,
    RequestTimeoutError,
    TcnbError,
    WSConnectionError,
)
from tcnb.files.saving import Destination
from tcnb.secret import Secret
from tcnb.session.server_info import ServerFacts
from tcnb.types import BufferedInputFile, InputFile
from tests.raw_server import Answer, RawServer, endless, reply

SHORT = 0.4
"""Seconds that a server may take which never finishes."""

LONG = 30.0
"""Seconds that one may take which answers at once."""

TAKEN_AT_MOST = 32 * 2**20
"""Bytes that may be on their way in buffers when a client stops reading an endless answer."""


@pytest.fixture
def serve() -> Any:
    """Starts servers with the answers of a test; they end with it."""
    running: list[RawServer] = []

    def serve(answer: Answer | bytes) -> RawServer:
        server = RawServer(answer if callable(answer) else lambda head: [answer])
        running.append(server.__enter__())
        return server

    yield serve
    for server in running:
        server.__exit__()


def transfers(server: RawServer, timeout: float = LONG) -> Transfers:
    return Transfers(Address("127.0.0.1", server.port, https=False), None, timeout)


async def fetched(
    server: RawServer, folder: Path | None, *sizes: int | None, timeout: float = LONG, most: int = 2**20
) -> bytes | Path:
    """Download a file into a folder, or into memory."""
    dest = None if folder is None else Destination.of(folder, is_folder=True)
    return await transfers(server, timeout).download(
        "/bridge/file?token=x", name="plan.pdf", sizes=sizes, dest=dest, most_in_memory=most
    )


def content_of(written: bytes | Path) -> bytes:
    return Path(str(written)).read_bytes()


def tokens(server: RawServer, timeout: float = LONG, client_id: str | None = None) -> TokenSource:
    return TokenSource(
        Address("127.0.0.1", server.port, https=False),
        username="robot",
        password=Secret("hush"),
        token=None,
        client_id=client_id,
        context=None,
        timeout=timeout,
    )


async def uploaded(server: RawServer, timeout: float = LONG, file: InputFile | None = None) -> str:
    return await transfers(server, timeout).upload(
        "task", file or BufferedInputFile(b"plans", "plan.pdf"), mime_type="application/pdf"
    )


REQUESTS: dict[str, Callable[[RawServer, float], Any]] = {
    "token": lambda server, timeout: tokens(server, timeout).get(),
    "application": lambda server, timeout: tokens(server, timeout, "app").get(),
    "upload": uploaded,
    "download": lambda server, timeout: fetched(server, None, 1000, timeout=timeout),
}
"""What is asked of a server over HTTP, by name."""

ANSWERED = [name for name in REQUESTS if name != "download"]


# -- the size of a download --------------------------------------------------------------------------------------------

SIZES = [
    (reply(b"x" * 400, length=None), (1000,), "was cut off: 400 of its 1000 bytes came"),
    (reply(b"x" * 400, length=1000), (1000,), "broke off"),
    (reply(b"x" * 400), (1000,), "its size is told as 400 and 1000 bytes"),
    (reply(b"x" * 5000), (1000,), "its size is told as 1000 and 5000 bytes"),
    (reply(b"x" * 5000, length=None), (1000,), "is longer than the 1000 bytes that were announced"),
    (reply(b"x" * 1000), (1000, 400), "its size is told as 400 and 1000 bytes"),
    (reply(b"x" * 5000, length=None), (None, 1000), "is longer than the 1000 bytes that were announced"),
    (reply(b"3e8\r\n" + b"x" * 500, length=None, Transfer_Encoding="chunked"), (None,), "broke off"),
]


@pytest.mark.parametrize("is_kept", [True, False])
@pytest.mark.parametrize(("answer", "sizes", "said"), SIZES)
async def test_file_of_another_size(serve, tmp_path, answer, sizes, said, is_kept):
    """A file that has not the size which is known of it is an error, and nothing of it is left."""
    with pytest.raises(FileDownloadError, match=said) as caught:
        await fetched(serve(answer), tmp_path if is_kept else None, *sizes)
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("sizes", [(1000, 1000), (1000, None), (None, 0), ()])
@pytest.mark.parametrize("length", [-1, None])
async def test_whole_file(serve, tmp_path, sizes, length):
    """A file of the size that is known is written, whoever tells it, and also where nobody does."""
    server = serve(reply(b"x" * 1000, length=length))
    assert content_of(await fetched(server, tmp_path, *sizes)) == b"x" * 1000
    assert await fetched(server, None, *sizes) == b"x" * 1000


async def test_empty_file(serve, tmp_path):
    """A file without a byte is a file."""
    assert content_of(await fetched(serve(reply()), tmp_path, 0)) == b""


async def test_large_file_is_written_piece_by_piece(serve, tmp_path):
    """A file of many pieces is what was sent, and its progress ends with its size."""
    content, told = bytes(range(256)) * 20_000, []
    path = await transfers(serve(reply(content))).download(
        "/file",
        name="plan.pdf",
        sizes=[len(content)],
        dest=Destination.of(tmp_path, is_folder=True),
        most_in_memory=0,
        progress=lambda moved, total: told.append((moved, total)),
    )
    assert content_of(path) == content
    assert told == sorted(told)
    assert told[-1] == (len(content), len(content))
    assert len(told) >= len(content) // transfer.CHUNK


async def test_download_stops_at_the_size(serve, tmp_path):
    """Of a file that does not end where it should no more is taken than there should be."""
    server = serve(lambda head: endless(reply(length=None)))
    with pytest.raises(FileDownloadError, match="longer than the 1000 bytes"):
        await fetched(server, tmp_path, 1000)
    assert server.sent < TAKEN_AT_MOST
    assert list(tmp_path.iterdir()) == []


async def test_download_without_a_size_has_an_end(serve, tmp_path, monkeypatch):
    """A file whose size nobody tells is not written until the disk is full."""
    monkeypatch.setattr(transfer, "MOST_UNTOLD", 2**20)
    server = serve(lambda head: endless(reply(length=None)))
    with pytest.raises(FileDownloadError, match="has no end: nobody tells its size"):
        await fetched(server, tmp_path)
    assert server.sent < TAKEN_AT_MOST
    assert list(tmp_path.iterdir()) == []


async def test_download_into_memory_without_a_size_has_an_end(serve):
    """The limit on what is held in memory counts what comes, not what is told."""
    server = serve(lambda head: endless(reply(length=None)))
    with pytest.raises(InMemoryDownloadLimitExceededError):
        await fetched(server, None, most=2**20)
    assert server.sent < TAKEN_AT_MOST


# -- packed answers ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("coding", ["gzip", "gzip, gzip", "deflate", "br", "zstd", "x-gzip", "Gzip"])
@pytest.mark.parametrize("kind", REQUESTS)
async def test_packed_answer(serve, kind, coding):
    """Nothing that is packed is asked for, nor unpacked where it comes all the same."""
    content = gzip.compress(gzip.compress(bytes(2**20)))
    server = serve(reply(content, Content_Encoding=coding))
    with pytest.raises(TcnbError, match="which nobody asked for") as caught:
        await REQUESTS[kind](server, LONG)
    assert "\n" not in str(caught.value)
    assert "accept-encoding: identity\n" in server.heads[0].lower().replace("\r", "")


@pytest.mark.parametrize("kind", REQUESTS)
async def test_packed_refusal(serve, kind):
    """A refusal whose text is packed is told by its status."""
    answer = reply(gzip.compress(b"<html>"), "502 Bad Gateway", Content_Encoding="gzip")
    with pytest.raises(TcnbError, match="a gateway in front of"):
        await REQUESTS[kind](serve(answer), LONG)


# -- endless and slow answers ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["200 OK", "400 Bad Request"])
@pytest.mark.parametrize("kind", ANSWERED)
async def test_answer_without_end(serve, kind, status):
    """Of an answer a MiB is taken at most, be it a refusal or not."""
    server = serve(lambda head: endless(reply(b'{"access_token": "', status, length=None)))
    with pytest.raises(TcnbError, match="sends an answer of more than 1 MiB"):
        await REQUESTS[kind](server, LONG)
    assert server.sent < TAKEN_AT_MOST


async def test_refused_download_without_end(serve):
    """The text of a refused download has the same limit."""
    server = serve(lambda head: endless(reply(status="404 Not Found", length=None)))
    with pytest.raises(FileDownloadError, match="more than 1 MiB"):
        await fetched(server, None, 1000)
    assert server.sent < TAKEN_AT_MOST


@pytest.mark.parametrize("is_head", [True, False])
@pytest.mark.parametrize("kind", REQUESTS)
async def test_answer_that_trickles(serve, kind, is_head):
    """An answer that comes byte by byte is given up when the time is over, in its head as in its content."""

    def answer(head: str) -> Iterable[bytes]:
        whole = reply(b" " * 500, length=None)
        first, rest = (b"", whole) if is_head else (whole, b" ")
        yield first
        yield from server.trickle(rest)

    server = serve(answer)
    with pytest.raises(TcnbError, match="does not answer in time"):
        await REQUESTS[kind](server, SHORT)


async def test_server_info_that_trickles(serve):
    """What a server says of itself is not waited for without end, and is nothing where it is too much."""

    def answer(head: str) -> Iterable[bytes]:
        yield reply(length=None)
        yield from server.trickle(b" ")

    server = serve(answer)
    for bad in (server, serve(lambda head: endless(reply(length=None)))):
        assert await ServerFacts(Address("127.0.0.1", bad.port, https=False), None, SHORT).get() == {}


async def test_slow_download_that_makes_progress(serve):
    """A file may take longer than the time without progress, as long as it comes."""

    def answer(head: str) -> Iterable[bytes]:
        yield reply(length=8 * 4096)
        for _ in server.trickle(b" ", SHORT / 4):
            yield bytes(4096)

    server = serve(answer)
    assert await fetched(server, None, 8 * 4096, timeout=SHORT) == bytes(8 * 4096)


async def test_slow_upload_that_makes_progress(serve):
    """The time for the answer begins when the file has gone out."""

    class Slow(BufferedInputFile):
        async def stream(self, chunk_size: int = 0) -> AsyncIterator[bytes]:
            for place in range(len(self.data)):
                await asyncio.sleep(SHORT / 4)
                yield self.data[place : place + 1]

    answer = reply(json.dumps({"temporalFileId": "t"}).encode())
    assert await uploaded(serve(answer), SHORT, Slow(b"12345678", "plan.pdf")) == "t"


# -- answers that are none ---------------------------------------------------------------------------------------------

NO_TOKENS: list[Any] = [
    "[" * 100_000,
    "1" * 5000,
    "null",
    "[]",
    '{"access_token": 5}',
    '{"access_token": []}',
    '{"access_token": "\\ud800"}',
    '{"access_token": ""}',
    "\udc80{}",
]


@pytest.mark.parametrize("content", NO_TOKENS)
async def test_no_token(serve, content):
    """An answer to the login without a token that can be used is an error of one line."""
    server = serve(reply(content.encode(errors="surrogateescape")))
    with pytest.raises((AuthenticationError, WSConnectionError)) as caught:
        await tokens(server).get()
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("field", ["expires_at", "expires_in"])
@pytest.mark.parametrize("value", ["1e999", "-1e999", "NaN", "-5", "1" + "0" * 400, '"soon"', "[]", "true", "{}"])
async def test_token_that_ends_at_no_time(serve, field, value):
    """A token is used although the time of its end is none."""
    source = tokens(serve(reply(f'{{"access_token": "t", "{field}": {value}}}'.encode())))
    assert await source.get() == "t"


@pytest.mark.parametrize(
    "fields",
    [
        {"error": {"errors": 5, "message": ["x"]}},
        {"error": {"errors": [5, {"reason": []}], "message": {}}},
        {"error": ["x"], "error_description": 5},
        {"reason": {"a": 1}},
        {"error_description": "bad\nnews\x1b[31m\u202e hush " + "x" * 100_000},
    ],
)
@pytest.mark.parametrize("status", ["400 Bad Request", "401 Unauthorized", "403 Forbidden", "500 Oh"])
async def test_odd_refusal(serve, fields, status):
    """Whatever a refusal of the login says, it is told in one short line, without the password."""
    with pytest.raises((AuthenticationError, WSConnectionError)) as caught:
        await tokens(serve(reply(json.dumps(fields).encode(), status))).get()
    said = str(caught.value)
    assert said.isprintable()
    assert len(said) < 500
    assert "hush" not in said


@pytest.mark.parametrize("value", ["5", "[]", '"\\udc00"', '""', "null", "[" * 100_000])
async def test_no_temporal_file(serve, value):
    """An answer to an upload without an id that can be sent back is an error of one line."""
    with pytest.raises(FileUploadError, match="named no temporalFileId"):
        await uploaded(serve(reply(f'{{"temporalFileId": {value}}}'.encode())))


@pytest.mark.parametrize("url", ["http://[bad/x", "/\ud800", "\x00", "", "http://", "//"])
async def test_impossible_download_address(serve, url):
    """A download address that is none is an error of one line."""
    server = serve(reply(status="404 Not Found"))
    with pytest.raises(FileDownloadError) as caught:
        await transfers(server).download(url, name="plan.pdf", sizes=[], dest=None, most_in_memory=1)
    assert "\n" not in str(caught.value)


# -- the way to somebody else ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("kind", REQUESTS)
async def test_redirect_is_not_followed(serve, kind, status):
    """Password, token and file go to the server that was named, wherever it would send them."""
    other = serve(reply(b"{}"))
    server = serve(reply(status=f"{status} Moved", Location=f"{other.url}/elsewhere"))
    with pytest.raises(TcnbError, match="answers with a redirect") as caught:
        await REQUESTS[kind](server, LONG)
    assert not isinstance(caught.value, RequestTimeoutError)
    assert len(server.heads) == 1
    assert other.heads == []
