"""Whether a server can be reached and lets an account in, step by step; nothing is read, acknowledged or sent."""

from __future__ import annotations

import asyncio
import ipaddress
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any, Final

from websockets.exceptions import InvalidStatus, WebSocketException

from tcnb.client.address import Address
from tcnb.client.connection import Connection
from tcnb.client.credentials import Credentials
from tcnb.client.socket import open_socket, staggered
from tcnb.client.tokens import WHERE_FROM, TokenSource
from tcnb.client.unreachable import answered, way_to, why_no_socket, why_unreachable
from tcnb.commands.doctor.findings import Finding, Verdict, ok, problem, warning
from tcnb.errors import AuthenticationError, InvalidGrantError, TcnbError, TokenValidationError, UsageError
from tcnb.network import http
from tcnb.wire import paths

MOST_SKEW: Final = 60.0
"""Seconds between this clock and the server's beyond which tokens and times of events look wrong."""

ENDING_SOON: Final = 14 * 24 * 3600
"""Seconds before its end from which on a certificate is worth a word."""

_NO_TLS: Final = "check the port, or use --http if it speaks no TLS"


@dataclass(frozen=True, kw_only=True)
class Target:
    """What is examined.

    Attributes:
        address: the server.
        verify_ssl: as in `tcnb.connect`.
        timeout: seconds that one step may take.
        credentials: finds login and secret; called when it comes to that.
    """

    address: Address
    verify_ssl: http.SSLVerify
    timeout: float
    credentials: Callable[[], Awaitable[Credentials]] = field(repr=False)


async def examine(target: Target) -> AsyncIterator[Finding]:
    """Go the way of a connection step by step; the first problem ends it, since nothing behind it can work."""
    try:
        proxy = await way_to(target.address)
    except TcnbError as error:
        yield problem("proxy", str(error))
        return
    context = http.ssl_context(target.verify_ssl) if target.address.https else None
    steps: list[Callable[[], AsyncIterator[Finding]]] = []
    if proxy is None:
        steps += [lambda: _name(target), lambda: _reach(target), lambda: _certificate(target, context)]
    else:
        yield warning(
            "proxy",
            f"{target.address.host} is reached through {proxy}, which {proxy.source} names: NO_PROXY can name the host "
            "as an exception",
        )
    steps += [lambda: _facts(target, context), lambda: _socket(target, context), lambda: _account(target, context)]
    for step in steps:
        async for finding in step():
            yield finding
            if finding.verdict is Verdict.PROBLEM:
                return


async def _name(target: Target) -> AsyncIterator[Finding]:
    """Ask for the addresses of a host name."""
    check, host = "name", target.address.host
    if _is_ip(host):
        yield ok(check, f"{host} is an address already")
        return
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(target.timeout):
            found = await loop.getaddrinfo(host, target.address.port)
    except TimeoutError:
        yield problem(check, f"nobody says within {target.timeout:g} s where {host} is: check the DNS of this network")
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or error
        yield problem(check, f"{host} is not known here ({reason}): check its spelling, the VPN and the DNS")
    else:
        yield ok(check, f"{host} is {', '.join(dict.fromkeys(str(entry[4][0]) for entry in found))}")


async def _reach(target: Target) -> AsyncIterator[Finding]:
    """Open a TCP connection."""
    check, address = "port", target.address
    where = f"port {address.port} of {address.host}"
    started = time.monotonic()
    try:
        async with asyncio.timeout(target.timeout):
            _, writer = await asyncio.open_connection(address.host, address.port, **staggered())
    except TimeoutError:
        yield problem(check, f"{where} does not answer within {target.timeout:g} s: check the port, firewall and VPN")
    except ConnectionRefusedError:
        yield problem(check, f"nothing listens on {where}: check the port, and that the server is running")
    except OSError as error:
        yield problem(
            check, f"{where} cannot be reached ({error.strerror or error}): check the network, VPN and firewall"
        )
    else:
        writer.transport.abort()
        yield ok(check, f"{where} answers in {_milliseconds(time.monotonic() - started)}")


async def _certificate(target: Target, context: ssl.SSLContext | None) -> AsyncIterator[Finding]:
    """Shake hands in TLS and look at the certificate."""
    check, address = "TLS", target.address
    if context is None:
        yield warning(check, "none: password and messages travel in the clear; use it within a trusted network only")
        return
    try:
        async with asyncio.timeout(target.timeout):
            _, writer = await asyncio.open_connection(address.host, address.port, ssl=context, **staggered())
    except ssl.SSLCertVerificationError as error:
        yield problem(check, str(await why_unreachable(address, error)))
    except ssl.SSLError as error:
        yield problem(check, f"{address.netloc} does not shake hands ({error.reason or error}): {_NO_TLS}")
    except TimeoutError:
        yield problem(check, f"{address.netloc} does not shake hands within {target.timeout:g} s: {_NO_TLS}")
    except OSError as error:
        yield problem(check, f"{address.netloc} breaks off the handshake ({error.strerror or error}): check the port")
    else:
        secured = writer.get_extra_info("ssl_object")
        writer.transport.abort()
        yield _trusted(check, context, secured)


def _trusted(check: str, context: ssl.SSLContext, secured: ssl.SSLObject) -> Finding:
    if context.verify_mode is ssl.CERT_NONE:
        return warning(
            check, f"{secured.version()}, but the certificate is not checked: anybody in between can read along"
        )
    ends = ssl.cert_time_to_seconds(str((secured.getpeercert() or {}).get("notAfter")))
    left = ends - time.time()
    until = time.strftime("%Y-%m-%d", time.gmtime(ends))
    if left < ENDING_SOON:
        return warning(check, f"{secured.version()}; the certificate ends on {until}: tell the server's administrator")
    return ok(check, f"{secured.version()}; the certificate is trusted and valid until {until}")


async def _facts(target: Target, context: ssl.SSLContext | None) -> AsyncIterator[Finding]:
    """Ask the server what it is (`protocol` section 1.7), and what time it has."""
    check = "server"
    sent = time.time()
    try:
        async with http.client(context, timeout=target.timeout) as client:
            answer = await http.ask(client, "GET", target.address.url(paths.SERVER), timeout=target.timeout)
    except (http.HTTPError, http.InvalidURL, OSError) as error:
        yield problem(check, str(await why_unreachable(target.address, error)))
        return
    except TcnbError as error:
        yield problem(check, str(error))
        return
    product = _product(answer)
    said = answered(target.address, answer.status, answer.headers, await way_to(target.address))
    if said is not None:
        yield problem(check, said)
        return
    if product is not None:
        yield ok(check, f"{product.get('display_name', '?')}, TrueConf Server {product.get('version', '?')}")
    else:
        yield warning(
            check,
            f"{paths.SERVER} answers HTTP {answer.status} and no version: right where only the Bridge is "
            "installed, otherwise check that this is a TrueConf server",
        )
    skew = _skew(answer, sent, time.time())
    if skew is not None:
        yield _clock(skew)


def _product(answer: http.Answer) -> dict[str, Any] | None:
    product = (answer.fields() or {}).get("product") if answer.is_success else None
    return product if isinstance(product, dict) else None


def _skew(answer: http.Answer, sent: float, received: float) -> float | None:
    """Return by how many seconds the server's clock is ahead; None where it does not tell."""
    try:
        there = parsedate_to_datetime(answer.headers["date"]).timestamp()
    except (KeyError, ValueError, TypeError, OverflowError):
        return None
    # The header has whole seconds, rounded down.
    return there + 0.5 - (sent + received) / 2


def _clock(skew: float) -> Finding:
    if abs(skew) > MOST_SKEW:
        side = "behind" if skew > 0 else "ahead of"
        return warning(
            "clock",
            f"this machine is {abs(skew):,.0f} s {side} the server: set its clock (NTP), or tokens seem to have ended "
            "and times of events do not agree",
        )
    return ok("clock", "agrees with the server's")


async def _socket(target: Target, context: ssl.SSLContext | None) -> AsyncIterator[Finding]:
    """Open the bot socket, and ping."""
    check = "socket"
    try:
        async with asyncio.timeout(2 * target.timeout):
            socket = await open_socket(target.address, context, timeout=target.timeout, on_texts=lambda texts: None)
            try:
                async with asyncio.timeout(target.timeout):
                    latency = await (await socket.ping())
            finally:
                socket.transport.abort()
    except InvalidStatus as error:
        yield problem(check, await why_no_socket(target.address, error))
    except (OSError, TimeoutError, WebSocketException) as error:
        yield problem(check, f"{paths.SOCKET}: {await why_unreachable(target.address, error)}")
    else:
        said = f"open; a ping takes {_milliseconds(latency)}"
        if socket.subprotocol == paths.SUBPROTOCOL:
            yield ok(check, f"{said}, sub-protocol {socket.subprotocol}")
        else:
            yield warning(check, f"{said}, but the server does not agree to the sub-protocol {paths.SUBPROTOCOL}")


async def _account(target: Target, context: ssl.SSLContext | None) -> AsyncIterator[Finding]:
    """Get a token and log in with it; unread messages are not asked for and stay unread."""
    try:
        found = await target.credentials()
    except UsageError as error:
        yield problem("token", str(error))
        return
    for one in found.passed_over:
        yield warning("credentials", one)
    tokens = TokenSource(
        target.address,
        username=found.username,
        password=found.password,
        token=found.token,
        client_id=found.client_id,
        context=context,
        timeout=target.timeout,
    )
    try:
        async with asyncio.timeout(3 * target.timeout):
            await tokens.get()
    except TimeoutError:
        yield problem("token", f"{target.address} gives no token in time: check that the Bridge is running")
        return
    except TcnbError as error:
        yield problem("token", _why_no_token(error, found))
        return
    if found.token is not None:
        yield ok("token", f"a ready one ({_origin(found)})")
    else:
        yield ok("token", f"{found.username} gets one for the password ({_origin(found)})")
    yield await _login(target, context, tokens, found)


async def _login(target: Target, context: ssl.SSLContext | None, tokens: TokenSource, found: Credentials) -> Finding:
    connection = Connection(
        target.address,
        tokens,
        context=context,
        timeout=target.timeout,
        receive_unread=False,
        receive_system=False,
        # What comes is not acknowledged, so it is still unread for the bot.
        intake=lambda batch: None,
        on_state=lambda state: None,
    )
    started = time.monotonic()
    try:
        async with asyncio.timeout(4 * target.timeout):
            await connection.open()
    except TokenValidationError as error:
        hint = f"the token ({_origin(found)}) is wrong or has ended: get a new one, or use login and password"
        return problem("login", f"{error}: {hint}" if found.token is not None else str(error))
    except (TcnbError, TimeoutError) as error:
        return problem("login", str(error) or f"{target.address} does not answer the login in time")
    else:
        taken = _milliseconds(time.monotonic() - started)
        return ok("login", f"the server lets {connection.me_id} in; it takes {taken}")
    finally:
        await connection.close()


def _why_no_token(error: TcnbError, found: Credentials) -> str:
    reason = str(error).removesuffix(WHERE_FROM)  # which is what is told here
    if isinstance(error, InvalidGrantError) and found.client_id is None:
        return (
            f"{reason} (login {found.username}, password: {_origin(found)}): check both; after several wrong attempts "
            "the account may be locked for a while, which only its administrator sees"
        )
    if isinstance(error, AuthenticationError):
        application = f", client id {found.client_id}: check all three" if found.client_id is not None else ""
        return f"{reason} (login {found.username}, password: {_origin(found)}{application})"
    return reason


def _origin(found: Credentials) -> str:
    where = {"argument": "given", "environment": "from the environment", "keyring": "from the keyring"}
    return "typed in" if found.origin == "prompt" else where.get(found.origin, f"from {found.origin}")


def _is_ip(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds >= 0.01 else f"{seconds * 1000:.1f} ms"
