"""Why a server cannot be reached, or answers with something else: one line that says what to do."""

from __future__ import annotations

import errno
import os
import re
import socket
import ssl
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Final
from urllib.parse import urljoin, urlsplit

from websockets.exceptions import InvalidProxyStatus, InvalidStatus

from tcnb.client.address import Address
from tcnb.errors import CertificateError, RequestTimeoutError, TcnbError, WSConnectionError
from tcnb.network import certificates, http
from tcnb.network.proxies import Proxy, proxy_for
from tcnb.threads import to_thread
from tcnb.wire import paths

CERTIFICATE_TIMEOUT: Final = 5.0
"""Seconds after which a certificate that was refused is described without what it says itself."""

_NUMBER: Final = re.compile(r"\[Errno (-?\d+)\]")
_PROXY_STATUS: Final = re.compile(r"^(\d{3})\b")

_NO_TLS: Final = frozenset({"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE", "PACKET_LENGTH_TOO_LONG"})
"""What OpenSSL says where the other side answers and speaks no TLS."""

_ASK: Final = "check the address, the port, https and the network"


async def why_unreachable(address: Address, error: BaseException) -> TcnbError:
    """Return the error that says why a server cannot be reached, with what its certificate and the proxy add to that.

    Args:
        address: the server.
        error: what a library says.
    """
    problem = certificates.refused(error)
    if problem is not None:
        shown = await certificates.presented(address.url(paths.SERVER), CERTIFICATE_TIMEOUT)
        return CertificateError(certificates.explained(address.netloc, address.host, problem, shown))
    try:
        proxy = await way_to(address)
    except TcnbError as misconfigured:
        return misconfigured
    return unreachable(address, error, proxy)


async def why_no_socket(address: Address, error: InvalidStatus) -> str:
    """Return why a server does not open the bot socket, and what to do."""
    status = error.response.status_code
    said = answered(address, status, error.response.headers, await way_to(address))
    return said or f"{address} does not open the bot socket ({_named(status)}): check that the Bridge is running there"


async def way_to(address: Address) -> Proxy | None:
    """Return the proxy that leads to a server; None where it is reached directly.

    Raises:
        UsageError, MissingPackageError: as `proxies.proxy_for`.
    """
    return await to_thread(proxy_for, address.url("/"))


def unreachable(address: Address, error: BaseException, proxy: Proxy | None = None) -> TcnbError:
    """Return the error that says in one line why a server cannot be reached and what to do.

    Args:
        address: the server.
        error: what a library says.
        proxy: what leads to it.
    """
    status = _status_of_proxy(error)
    if proxy is not None and status is not None:
        return WSConnectionError(refused_by_proxy(address, proxy, status))
    through = "" if proxy is None else f" through the proxy {proxy}"
    advice = _ASK if proxy is None else f"check the address and the proxy, which {proxy.source} names, or {_except()}"
    if isinstance(error, http.UnfitAnswerError):
        return WSConnectionError(f"{address} {error}: check the address, and what is in between")
    if isinstance(error, (http.TimeoutException, TimeoutError)):
        return RequestTimeoutError(f"{address} does not answer in time{through}: {advice}")
    return WSConnectionError(f"cannot reach {address}{through} ({_why(error)}): {advice}")


def answered(address: Address, status: int, headers: Mapping[str, str], proxy: Proxy | None = None) -> str | None:
    """Say what an HTTP status means that any web server or gateway may answer with; None for those that say more.

    Args:
        address: the server.
        status: the status.
        headers: of the answer.
        proxy: what leads to the server.
    """
    through = "" if proxy is None else f" through the proxy {proxy}"
    if status in (301, 302, 303, 307, 308):
        return _redirected(address, status, headers.get("Location"))
    if status == 407:
        return _login_of_proxy(address, proxy)
    if status == 429:
        return f"{address} takes no more requests just now ({_named(status)}): {_later(headers)}"
    if status < 500:
        return None
    if status in (502, 504):
        return (
            f"a gateway in front of {address} gets no answer from it{through} ({_named(status)}): ask its "
            f"administrator whether the Bridge is running, and {_later(headers)}"
        )
    if status == 503:
        return (
            f"{address} is overloaded, under maintenance or at its limit of connections{through} ({_named(status)}): "
            f"{_later(headers)}"
        )
    return (
        f"{address} failed at it{through} ({_named(status)}): tell its administrator, whose log says why, and "
        f"{_later(headers)}"
    )


def _redirected(address: Address, status: int, location: str | None) -> str:
    """Say where a server sends us; a password or token is never sent there unasked."""
    said = f"{address} answers with a redirect ({_named(status)})"
    try:
        parts = urlsplit(urljoin(address.url("/"), location or ""))
        there = Address(
            parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80), parts.scheme == "https"
        )
    except ValueError:
        location = None
    if not location or not parts.hostname or parts.scheme not in ("http", "https"):
        return f"{said} and does not say where to: check the address and the port"
    if there == address:
        return (
            f"{said} to another of its pages, so there is no chatbot connector here: check the port, and that no login "
            "page of this network is in between"
        )
    how = ""
    if there.https != address.https:
        how = (
            " (with https: leave out https=False, in a magic or command --http)" if there.https else " (without https)"
        )
    return (
        f"{said} to {there}: if that is your server, connect there{how}; otherwise something in between sent you away"
    )


def _login_of_proxy(address: Address, proxy: Proxy | None) -> str:
    if proxy is None:
        return (
            f"something between here and {address} asks for the login of a proxy ({_named(407)}): ask who runs this "
            "network, and name the proxy in the variable HTTPS_PROXY"
        )
    refused = "refuses the login in" if proxy.login else "asks for a login, which belongs into"
    return (
        f"the proxy {proxy} {refused} {proxy.source} ({_named(407)}): write it as {proxy.scheme}://LOGIN:PASSWORD@"
        f"{proxy.host}:{proxy.port}, or {_except()}"
    )


def refused_by_proxy(address: Address, proxy: Proxy, status: int) -> str:
    """Say what it means that a proxy answers instead of the server."""
    if status == 407:
        return _login_of_proxy(address, proxy)
    return f"the proxy {proxy} does not let us through to {address} ({_named(status)}): ask who runs it, or {_except()}"


def _status_of_proxy(error: BaseException) -> int | None:
    """Return the status with which a proxy refused to open a tunnel, as either library says it."""
    if isinstance(error, InvalidProxyStatus):
        return int(error.response.status_code)
    found = _PROXY_STATUS.match(str(error)) if isinstance(error, http.ProxyError) else None
    return int(found[1]) if found else None


def _except() -> str:
    return "name the server's host in the variable NO_PROXY"


def _named(status: int) -> str:
    try:
        return f"HTTP {status}, {HTTPStatus(status).phrase}"
    except ValueError:
        return f"HTTP {status}"


def _later(headers: Mapping[str, str]) -> str:
    """Say when to try again; a server may say so in seconds or as a date."""
    told = (headers.get("Retry-After") or "").strip()
    seconds: float | None = None
    if told.isdecimal():
        seconds = float(told)
    elif told:
        try:
            seconds = parsedate_to_datetime(told).timestamp() - time.time()
        except (ValueError, TypeError, OverflowError):
            seconds = None
    return "try again later" if seconds is None else f"try again in {max(seconds, 1):.0f} s"


def _why(error: BaseException) -> str:
    """Word what keeps a connection from being opened, without the system's numbers."""
    text = str(error)
    seen: BaseException | None = error
    number = int(found[1]) if (found := _NUMBER.search(text)) else 0
    while seen is not None:
        if isinstance(seen, ssl.SSLError):
            return "it speaks no TLS on this port" if getattr(seen, "reason", None) in _NO_TLS else str(seen)
        if isinstance(seen, socket.gaierror):
            return "its name is not known here"
        if isinstance(seen, OSError) and seen.errno:
            number = seen.errno
        seen = seen.exceptions[0] if isinstance(seen, BaseExceptionGroup) else seen.__cause__ or seen.__context__
    if number == errno.ECONNREFUSED:
        return "nothing listens there"
    return os.strerror(number).lower() if number > 0 else text or type(error).__name__
