"""The one place that imports httpx: the TLS setting that every connection to a server shares, and how requests go."""

from __future__ import annotations

import logging
import os
import platform
import ssl
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

import httpx
from httpx import AsyncByteStream as AsyncByteStream
from httpx import AsyncClient as AsyncClient
from httpx import HTTPError as HTTPError
from httpx import InvalidURL as InvalidURL
from httpx import ProxyError as ProxyError
from httpx import RequestError as RequestError
from httpx import Response as Response
from httpx import TimeoutException as TimeoutException

from tcnb._version import __version__
from tcnb.errors import CertificateError, UsageError
from tcnb.file_paths import expanded
from tcnb.proxies import Proxy, proxy_for
from tcnb.threads import to_thread

SSLVerify: TypeAlias = "bool | str | Path | ssl.SSLContext"

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


def client(
    context: ssl.SSLContext | None = None, *, timeout: float = 10.0, follow_redirects: bool = False
) -> AsyncClient:
    """Make an HTTP client, which goes through the proxy that `proxies` finds for each address.

    Args:
        context: the TLS setting; None trusts what the system trusts.
        timeout: seconds without any progress before a request fails; there is no limit on the whole.
        follow_redirects: whether a redirect is followed.
    """
    return _DiscreetClient(
        transport=_Routes(_system_context() if context is None else context),
        timeout=httpx.Timeout(timeout),
        headers={"User-Agent": USER_AGENT},
        follow_redirects=follow_redirects,
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
