"""Which proxy leads to an address: one decision for the bot socket and every HTTP request.

Proxies and exceptions come from the environment, or else from the settings of Windows or macOS, as Python finds them.
This machine itself is never asked for through a proxy.
"""

from __future__ import annotations

import importlib.util
import ipaddress
import os
import re
import socket
import urllib.request
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from tcnb.errors import MissingPackageError, UsageError

SCHEMES: Final = ("http", "https", "socks5", "socks5h")
"""Kinds of proxies that both websockets and httpx speak to."""

SOCKS_PACKAGES: Final = {"socksio": "httpx[socks]", "python_socks": "python-socks[asyncio]"}
"""By module: the requirement that brings it. The first is for HTTP, the second for the socket."""

_VARIABLES: Final = {
    "https": ("https", "all", "socks"),
    "http": ("http", "all", "socks"),
    "wss": ("wss", "https", "all", "socks"),
    "ws": ("ws", "http", "all", "socks"),
}
"""By the scheme of an address: which of Python's proxies is taken, best first."""

_PORTS: Final = {"http": 80, "https": 443, "ws": 80, "wss": 443}
_PROXY_PORTS: Final = {"http": 80, "https": 443, "socks5": 1080, "socks5h": 1080}

_BRACKETED: Final = re.compile(r"\[([^\]]*)\](/\d+)?(?::(\d+))?")
"""An IPv6 address, or a network of them, as an entry of NO_PROXY may have it."""

_SCHEME: Final = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)


@dataclass(frozen=True)
class Proxy:
    """A proxy; its login is shown nowhere.

    Attributes:
        scheme: one of `SCHEMES`.
        host, port: where it is.
        login: `name:password`, encoded as in a URL; empty without one.
        source: the variable that names it, or whose settings do.
    """

    scheme: str
    host: str
    port: int
    login: str = field(default="", repr=False)
    source: str = field(default="", compare=False)

    @property
    def url(self) -> str:
        """Its address with the login, for the libraries alone."""
        login = f"{self.login}@" if self.login else ""
        return f"{self.scheme}://{login}{self._netloc}"

    @property
    def is_socks(self) -> bool:
        """Whether it speaks SOCKS rather than HTTP."""
        return self.scheme.startswith("socks")

    @property
    def _netloc(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def __str__(self) -> str:
        return f"{self.scheme}://{self._netloc}"


def proxy_for(url: str) -> Proxy | None:
    """Return the proxy that leads to an address; None where it is reached directly.

    Windows and macOS may look names up for this, so it is no call for an event loop.

    Args:
        url: any address with `http`, `https`, `ws` or `wss`.

    Raises:
        UsageError: the proxy that is set cannot be used; its text says which variable to mend.
        MissingPackageError: it speaks SOCKS, and a package for that is missing.
    """
    parts = urlsplit(url)
    host = (parts.hostname or "").rstrip(".")
    if not host or is_this_machine(host):
        return None
    proxies = {kind: value.strip() for kind, value in urllib.request.getproxies().items()}
    kind = next((kind for kind in _VARIABLES.get(parts.scheme, ()) if proxies.get(kind)), None)
    if kind is None or _is_exception(host, parts.port or _PORTS[parts.scheme], proxies.get("no", "")):
        return None
    return _proxy(kind, proxies[kind])


def named() -> dict[str, str]:
    """Return every proxy that is set, by what it is for, without the logins."""
    return {kind: _without_login(value) for kind, value in urllib.request.getproxies().items() if kind != "no"}


def is_this_machine(host: str) -> bool:
    """Return whether a host is this machine by its very name; nothing is looked up."""
    name = host.rstrip(".").lower()
    if name in ("localhost", "localhost.localdomain", "ip6-localhost", "ip6-loopback") or name.endswith(".localhost"):
        return True
    address = _ip(name)
    if address is None:
        return False
    mapped = getattr(address, "ipv4_mapped", None) or address
    return bool(mapped.is_loopback or mapped.is_unspecified)


def _ip(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Return the address that a host is, also in the short forms that systems understand (127.1)."""
    try:
        return ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        pass
    if not re.fullmatch(r"[0-9a-fx.]+", host):
        return None
    try:
        return ipaddress.IPv4Address(socket.inet_aton(host))
    except OSError:
        return None


def _is_exception(host: str, port: int, exceptions: str) -> bool:
    """Return whether an address is reached directly: by the variable, or by what the system says."""
    listed = exceptions.replace(",", " ").split()
    if any(_fits(one, host, port) for one in listed):
        return True
    return any(urllib.request.proxy_bypass(name) for name in (host, f"{host}:{port}"))


def _fits(exception: str, host: str, port: int) -> bool:
    """Return whether one entry of NO_PROXY means a host: a name with all below it, an address, or a network of them."""
    if exception == "*":
        return True
    entry = exception.rpartition("://")[2].lower()
    if entry == "<local>":
        return "." not in host and ":" not in host
    bracketed = _BRACKETED.fullmatch(entry)
    if bracketed is not None:
        name, own_port = bracketed[1] + (bracketed[2] or ""), bracketed[3]
    elif entry.count(":") == 1:
        name, _, own_port = entry.partition(":")
    else:
        name, own_port = entry, ""
    if own_port and own_port != str(port):
        return False
    network, address = _network(name), _ip(host)
    if network is not None:
        return address is not None and address in network
    wanted, asked = _ascii(name.removeprefix("*").lstrip(".")), _ascii(host)
    return bool(wanted) and (asked == wanted or asked.endswith(f".{wanted}"))


def _network(name: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    """Return the network that an entry means; one address is a network, too."""
    try:
        return ipaddress.ip_network(name, strict=False)
    except ValueError:
        return None


def _ascii(name: str) -> str:
    """Return a host name as the DNS has it, so that both spellings of an international one are the same."""
    try:
        return name.rstrip(".").encode("idna").decode().lower()
    except UnicodeError:
        return name.rstrip(".").lower()


def _proxy(kind: str, value: str) -> Proxy:
    """Read a proxy as curl and browsers do: without a scheme it speaks HTTP."""
    source = _source(kind)
    written = _SCHEME.match(value)
    scheme = _scheme(kind, written[0].removesuffix("://").lower() if written else "http")
    rest = value.removeprefix(written[0] if written else "")
    if scheme not in SCHEMES:
        raise UsageError(
            f"{source} names a proxy of the kind {scheme!r}: only {', '.join(SCHEMES)} can be used. Write for example "
            "http://proxy.example.com:3128"
        )
    login, at, place = rest.rpartition("@")
    try:
        parts = urlsplit(f"//{place}")
        port = parts.port or _PROXY_PORTS[scheme]
    except ValueError:
        raise UsageError(_unreadable(source, value)) from None
    # Signs that end the part of a URL in which a login stands have to be encoded there; a library would cut it.
    host = parts.hostname
    extra = parts.path.strip("/") or parts.query or parts.fragment
    if not host or extra or re.search(r"[\s\"']", place) or re.search(r"[/?#\s]", login):
        raise UsageError(_unreadable(source, value))
    if at and ":" not in login:
        login += ":"
    proxy = Proxy(scheme, host, port, login, source)
    if proxy.is_socks:
        _require_socks(proxy)
    return proxy


def _scheme(kind: str, scheme: str) -> str:
    """Return the scheme that is meant: the systems' settings of SOCKS have a wrong one, or none."""
    return "socks5h" if scheme == "socks" or (kind == "socks" and scheme == "http") else scheme


def _unreadable(source: str, value: str) -> str:
    return (
        f"{source} names no proxy: {_without_login(value)!r} is not an address such as http://proxy.example.com:3128 "
        "(signs like / and # in a login are written as %2F and %23). Mend or unset it, or except the server in NO_PROXY"
    )


def _require_socks(proxy: Proxy) -> None:
    missing = [
        requirement for module, requirement in SOCKS_PACKAGES.items() if importlib.util.find_spec(module) is None
    ]
    if missing:
        listed = " ".join(f"'{one}'" for one in missing)
        raise MissingPackageError(
            f"{proxy.source} names the SOCKS proxy {proxy}, for which packages are missing: pip install {listed}, or "
            "except the server in NO_PROXY"
        )


def _source(kind: str) -> str:
    """Return what a person has to mend: the variable as it is written, or the system's settings."""
    for name in (f"{kind}_proxy", f"{kind.upper()}_PROXY"):
        if os.environ.get(name):
            return f"the variable {name}"
    return "the system's proxy setting"


def _without_login(value: str) -> str:
    if "@" not in value:
        return value
    scheme = _SCHEME.match(value)
    return (scheme[0] if scheme else "") + value.rpartition("@")[2]
