"""The one place that imports httpx: the TLS setting that every connection to a server shares, how requests go, and how
much of an answer is taken.

A server is not trusted with our memory or our time: an answer is read up to `MOST_ANSWER` bytes and within one deadline
round the whole request; a file is read as it comes, must keep coming, and whoever reads it stops at its size. Nothing
is unpacked: a kilobyte of twofold gzip holds gigabytes.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import platform
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final, TypeAlias

import httpx
from httpx import AsyncByteStream as AsyncByteStream
from httpx import AsyncClient as AsyncClient
from httpx import HTTPError as HTTPError
from httpx import InvalidURL as InvalidURL
from httpx import ProxyError as ProxyError
from httpx import Request as Request
from httpx import RequestError as RequestError
from httpx import Response as Response
from httpx import TimeoutException as TimeoutException

from tcnb._version import __version__
from tcnb.errors import CertificateError, PortableError, UsageError
from tcnb.files.paths import expanded
from tcnb.network.proxies import Proxy, proxy_for
from tcnb.threads import to_thread

SSLVerify: TypeAlias = "bool | str | Path | ssl.SSLContext"

MOST_ANSWER: Final = 2**20
"""Bytes of an answer to a request; those of a TrueConf server have a few kilobytes."""

LEAST_PROGRESS: Final = 1024
"""Bytes of a file that must arrive within the time without progress: a byte a second is no progress."""

_LONGEST_ENCODING: Final = 20
"""Characters of the name of an encoding that are shown."""

USER_AGENT = f"tcnb/{__version__} (Python/{platform.python_version()}; {platform.system()}/{platform.release()})"


@cache
def _system_context() -> ssl.SSLContext:
    return ssl.create_default_context()


def ssl_context(verify_ssl: SSLVerify) -> ssl.SSLContext:
    """Make the TLS setting that token, socket, upload and download all use.

    Args:
        verify_ssl: True trusts what the system trusts; a path names a CA bundle (PEM) that is trusted besides;
            a context is used as it is; False checks nothing.

    Raises:
        UsageError: it is something else.
        CertificateError: the CA bundle is missing or is not one.
    """
    if isinstance(verify_ssl, ssl.SSLContext):
        return verify_ssl
    if not isinstance(verify_ssl, bool | str | os.PathLike):
        raise UsageError(
            f"verify_ssl is True, False, a file of CA certificates (PEM) or an ssl.SSLContext, not {verify_ssl!r}"
        )
    if verify_ssl is True:
        return _system_context()
    context = ssl.create_default_context()
    if verify_ssl is False:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context
    bundle = expanded(verify_ssl)
    try:
        if bundle.is_dir():
            context.load_verify_locations(capath=str(bundle))
        else:
            context.load_verify_locations(cafile=str(bundle))
    except (OSError, ssl.SSLError) as error:
        raise CertificateError(
            f"verify_ssl={str(verify_ssl)!r} is not a readable CA bundle (a PEM file or a folder of them): {error}"
        ) from error
    return context


def client(context: ssl.SSLContext | None = None, *, timeout: float = 10.0) -> AsyncClient:
    """Make an HTTP client, which goes through the proxy that `proxies` finds for each address and follows no redirect.

    Args:
        context: the TLS setting; None trusts what the system trusts.
        timeout: seconds without any progress before a request fails; the limit on the whole is that of `ask`, `opened`
            and `pieces`.
    """
    return _DiscreetClient(
        transport=_Routes(_system_context() if context is None else context),
        timeout=httpx.Timeout(timeout),
        headers={"User-Agent": USER_AGENT, "Accept-Encoding": "identity"},
        follow_redirects=False,
        trust_env=False,
    )


_is_ours: ContextVar[bool] = ContextVar("_is_ours", default=False)
"""Whether a request of tcnb is being sent here."""


class _DiscreetClient(httpx.AsyncClient):
    """A client of which the log of httpx says nothing: it has whole addresses, and with them the secrets in them."""

    async def send(self, request: httpx.Request, **options: Any) -> httpx.Response:
        before = _is_ours.set(True)
        try:
            return await super().send(request, **options)
        finally:
            _is_ours.reset(before)


def _is_not_ours(record: logging.LogRecord) -> bool:
    """Let the log of requests pass that somebody else sends."""
    return not _is_ours.get()


# A filter of a logger sees what is logged there, and nothing from the loggers below.
for _name in ("httpx", *(f"httpcore.{part}" for part in ("connection", "http11", "http2", "proxy", "socks"))):
    logging.getLogger(_name).addFilter(_is_not_ours)


class UnfitAnswerError(PortableError, HTTPError):
    """An answer that is not taken: it is too large, or encoded. Its text goes on after the name of the server."""


@dataclass(frozen=True)
class Answer:
    """An answer that has been read.

    Attributes:
        status: its HTTP status.
        headers: its headers.
        body: its content; empty where that of a refusal was encoded.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes = field(default=b"", repr=False)

    @property
    def is_success(self) -> bool:
        """Whether the request was carried out."""
        return 200 <= self.status < 300

    @property
    def text(self) -> str:
        """The content as a text; what is no UTF-8 is replaced."""
        return self.body.decode(errors="replace")

    def fields(self) -> dict[str, Any] | None:
        """Return the JSON object that the content is; None where it is none."""
        try:
            content = json.loads(self.body)
        except (ValueError, RecursionError):
            return None
        return content if isinstance(content, dict) else None


def word(value: object) -> str | None:
    """Return a text that can be sent; None for what is none, is empty, or has half of a surrogate pair in it."""
    if not isinstance(value, str) or any("\ud800" <= character <= "\udfff" for character in value):
        return None
    return value or None


async def ask(
    client: AsyncClient,
    method: str,
    url: str,
    *,
    timeout: float,
    headers: Mapping[str, str] | None = None,
    fields: Mapping[str, Any] | None = None,
    content: AsyncByteStream | None = None,
) -> Answer:
    """Send a request and return its answer, read whole.

    Args:
        client: what `client` made.
        method: `GET`, `POST` and the like.
        url: where to.
        timeout: seconds for the whole; the time in which `content` makes progress is not counted.
        headers: headers of the request.
        fields: a JSON object to send.
        content: a body to send, as it comes.

    Raises:
        HTTPError, InvalidURL, OSError: as httpx; a `TimeoutException` also where the whole takes too long.
        UnfitAnswerError: the answer is larger than `MOST_ANSWER`, or encoded.
    """
    try:
        async with asyncio.timeout(timeout) as deadline:
            body = None if content is None else _Timed(content, deadline, timeout)
            request = client.build_request(method, url, headers=headers, json=fields, content=body)
            response = await client.send(request, stream=True)
            try:
                deadline.reschedule(asyncio.get_running_loop().time() + timeout)
                return await _read(response)
            finally:
                await response.aclose()
    except TimeoutError:
        raise TimeoutException(f"no whole answer within {timeout:g} s") from None


@asynccontextmanager
async def opened(client: AsyncClient, request: Request, *, timeout: float) -> AsyncIterator[Response]:
    """Send a request and give its answer, of which nothing but the headers has been read.

    Args:
        client: what `client` made.
        request: what its `build_request` made.
        timeout: seconds until the headers are there.

    Raises:
        HTTPError, OSError: as httpx; a `TimeoutException` also where the headers trickle in.
    """
    try:
        async with asyncio.timeout(timeout):
            response = await client.send(request, stream=True)
    except TimeoutError:
        raise TimeoutException(f"no answer within {timeout:g} s", request=request) from None
    try:
        yield response
    finally:
        await response.aclose()


async def answer_of(response: Response, *, timeout: float) -> Answer:
    """Read the rest of an answer that was `opened`; limits and errors as of `ask`."""
    try:
        async with asyncio.timeout(timeout):
            return await _read(response)
    except TimeoutError:
        raise TimeoutException(f"no whole answer within {timeout:g} s") from None


async def pieces(response: Response, *, timeout: float) -> AsyncGenerator[bytes, None]:
    """Give the content of a file that was `opened`, as it comes and never unpacked.

    Args:
        response: the answer.
        timeout: seconds within which at least `LEAST_PROGRESS` bytes must come, or the end; the time that whoever reads
            takes for each piece is not counted.

    Raises:
        HTTPError: it breaks off.
        TimeoutException: it makes no progress.
        UnfitAnswerError: it is encoded.
    """
    if (coding := encoding(response)) is not None:
        raise UnfitAnswerError(f"sends it packed ({coding}), which nobody asked for")
    clock = asyncio.get_running_loop().time
    chunks = response.aiter_raw()
    deadline, progress = clock() + timeout, 0
    while True:
        try:
            async with asyncio.timeout_at(deadline):
                chunk = await anext(chunks, None)
        except TimeoutError:
            raise TimeoutException(f"no progress within {timeout:g} s", request=response.request) from None
        if chunk is None:
            return
        progress += len(chunk)
        given_at = clock()
        yield chunk
        now = clock()
        deadline += now - given_at
        if progress >= LEAST_PROGRESS:
            deadline, progress = now + timeout, 0


def origin(url: httpx.URL) -> tuple[str, str, int | None]:
    """Return scheme, host and port of an address: what is meant for one of them is meant for no other."""
    return url.scheme, url.host, url.port or {"http": 80, "https": 443}.get(url.scheme)


def content_length(response: Response) -> int | None:
    """Return how many bytes a file has by the headers of its answer; None where they do not say it, or it is packed."""
    told = response.headers.get("Content-Length", "")
    return int(told) if told.isascii() and told.isdecimal() and encoding(response) is None else None


def encoding(response: Response) -> str | None:
    """Return how the content of an answer is encoded; None where it is as it is."""
    told = str(response.headers.get("Content-Encoding", "")).strip()
    return None if told.lower() in ("", "identity") else told[:_LONGEST_ENCODING].encode("ascii", "replace").decode()


async def _read(response: Response) -> Answer:
    """Read an answer, up to `MOST_ANSWER` bytes.

    The content of a refusal matters less than its status, so an encoded one is left alone.
    """
    content = bytearray()
    coding = encoding(response)
    if coding is not None and response.is_success:
        raise UnfitAnswerError(f"packs its answer ({coding}), which nobody asked for")
    if coding is None:
        async for chunk in response.aiter_raw():
            content += chunk
            if len(content) > MOST_ANSWER:
                raise UnfitAnswerError(f"sends an answer of more than {MOST_ANSWER // 2**20} MiB")
    return Answer(response.status_code, response.headers, bytes(content))


class _Timed(httpx.AsyncByteStream):
    """A body during which the deadline of its request stands still, as long as each piece of it is taken in time."""

    def __init__(self, content: AsyncByteStream, deadline: asyncio.Timeout, timeout: float) -> None:
        self._content = content
        self._deadline = deadline
        self._timeout = timeout

    async def __aiter__(self) -> AsyncIterator[bytes]:
        clock = asyncio.get_running_loop().time
        self._deadline.reschedule(None)
        async for chunk in self._content:
            # Whoever stops reading ends it here: then nobody asks for a further piece.
            self._deadline.reschedule(clock() + self._timeout)
            yield chunk
            self._deadline.reschedule(None)
        self._deadline.reschedule(clock() + self._timeout)


class _Routes(httpx.AsyncBaseTransport):
    """Sends each request the way of its own address, also behind a redirect: directly, or through a proxy."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context
        self._ways: dict[Proxy | None, httpx.AsyncHTTPTransport] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        proxy = await to_thread(proxy_for, str(request.url))
        way = self._ways.get(proxy)
        if way is None:
            way = self._ways[proxy] = httpx.AsyncHTTPTransport(verify=self._context, proxy=self._through(proxy))
        return await way.handle_async_request(request)

    def _through(self, proxy: Proxy | None) -> httpx.Proxy | None:
        if proxy is None:
            return None
        return httpx.Proxy(proxy.url, ssl_context=self._context if proxy.scheme == "https" else None)

    async def aclose(self) -> None:
        for way in self._ways.values():
            await way.aclose()
