"""What is wrong with a server's certificate, and what to do about it, in one sentence."""

from __future__ import annotations

import asyncio
import ssl
import time
from dataclasses import dataclass
from typing import Any, Final

from tcnb.errors import TcnbError
from tcnb.network import http

# The codes of OpenSSL (X509_V_ERR_…), whose words differ from version to version.
_NOT_YET_VALID: Final = 9
_EXPIRED: Final = 10
_UNKNOWN_ISSUER: Final = frozenset({2, 18, 19, 20, 21})
_WRONG_HOST: Final = frozenset({62, 63, 64})

_NO_CHECK_TIME: Final = 0x200000
"""OpenSSL's X509_V_FLAG_NO_CHECK_TIME, for which Python has no name."""

_MOST_NAMES: Final = 3
"""Names of a certificate that are told."""


@dataclass(frozen=True)
class Certificate:
    """What a certificate says of itself; nobody vouches for it.

    Attributes:
        names: the host names and addresses that it is for.
        begins: from when on it is valid, in seconds since 1970.
        ends: until when it is valid.
    """

    names: tuple[str, ...]
    begins: float
    ends: float


def refused(error: BaseException) -> ssl.SSLCertVerificationError | None:
    """Return the refusal of a certificate, if that is what `error` or one of its causes is; otherwise None."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, ssl.SSLCertVerificationError):
            return seen
        if isinstance(seen, BaseExceptionGroup):
            seen = seen.exceptions[0]
        else:
            seen = seen.__cause__ or seen.__context__
    return None


async def presented(url: str, timeout: float) -> Certificate | None:
    """Ask a server for its certificate without trusting it; None where it shows none.

    Nothing secret is sent. Python reads certificates only as part of a handshake that trusts them, so a second
    handshake trusts the very certificate that the first one has shown.

    Args:
        url: any `https` address of the server.
        timeout: seconds for all of it.
    """
    try:
        async with asyncio.timeout(timeout):
            shown = (await _handshake(url, _trusting(None), timeout)).getpeercert(binary_form=True)
            said = (await _handshake(url, _trusting(shown), timeout)).getpeercert() if shown else None
    except (http.HTTPError, http.InvalidURL, TcnbError, OSError, TimeoutError, ValueError):
        return None
    return _read(said) if said else None


def explained(netloc: str, host: str, error: ssl.SSLCertVerificationError, certificate: Certificate | None) -> str:
    """Say what is wrong with a certificate and what to do.

    Args:
        netloc: the server as people write it.
        host: the name that it was asked for under.
        error: why its certificate was refused.
        certificate: what the certificate says, where that is known.
    """
    match error.verify_code:
        case code if code == _EXPIRED:
            return _why_expired(netloc, certificate)
        case code if code == _NOT_YET_VALID:
            begins = "" if certificate is None else f" before {_day(certificate.begins)}"
            return (
                f"the certificate of {netloc} is not valid yet{begins}: this machine's clock says {_day(time.time())}. "
                "Set it if that is wrong, or else tell the server's administrator"
            )
        case code if code in _WRONG_HOST:
            names = f" ({', '.join(certificate.names[:_MOST_NAMES])})" if certificate and certificate.names else ""
            return (
                f"the certificate of {netloc} is for another name{names}, not for {host}: connect under the name that "
                "it is for, or have the server's administrator add this one"
            )
        case code if code in _UNKNOWN_ISSUER:
            return (
                f"this machine does not know who issued the certificate of {netloc} ({error.verify_message}): get the "
                "CA's certificate from the server's administrator and pass verify_ssl='path/to/ca.pem' (in a magic or "
                "command --ca FILE), or verify_ssl=False (--no-verify) if you accept the risk"
            )
    return f"the certificate of {netloc} is not trusted ({error.verify_message or error}): ask its administrator"


def _why_expired(netloc: str, certificate: Certificate | None) -> str:
    clock = f"if this machine's clock is wrong (it says {_day(time.time())}), set it"
    if certificate is not None and certificate.ends > time.time():
        return (
            f"a certificate that vouches for that of {netloc} has expired: the server's administrator must renew the "
            f"chain; {clock}"
        )
    when = "has expired" if certificate is None else f"expired on {_day(certificate.ends)}"
    return f"the certificate of {netloc} {when}: the server's administrator must renew it; {clock}"


async def _handshake(url: str, context: ssl.SSLContext, timeout: float) -> ssl.SSLObject:
    """Shake hands by a request that asks for nothing, and return what was agreed."""
    async with http.client(context, timeout=timeout) as client, client.stream("HEAD", url) as response:
        secured: ssl.SSLObject = response.extensions["network_stream"].get_extra_info("ssl_object")
        return secured


def _trusting(certificate: bytes | None) -> ssl.SSLContext:
    """Return a context that trusts one certificate, whatever its host, dates and issuer; without one it trusts all."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    if certificate is None:
        context.verify_mode = ssl.CERT_NONE
        return context
    context.load_verify_locations(cadata=certificate)
    context.verify_flags |= ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN | ssl.VerifyFlags(_NO_CHECK_TIME)
    return context


def _read(said: dict[str, Any]) -> Certificate:
    names = [str(value) for kind, value in said.get("subjectAltName", ()) if kind in ("DNS", "IP Address")]
    if not names:
        names = [str(value) for part in said.get("subject", ()) for kind, value in part if kind == "commonName"]
    begins, ends = (ssl.cert_time_to_seconds(str(said[key])) for key in ("notBefore", "notAfter"))
    return Certificate(tuple(names), begins, ends)


def _day(seconds: float) -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(seconds))
