"""Which proxies this process goes through by its environment; the login that such a variable may hold is never told."""

from __future__ import annotations

from urllib.request import getproxies, proxy_bypass

from tcnb.client.address import Address
from tcnb.doctor.findings import Finding, ok, warning


def examine() -> Finding:
    """Name the proxies that the environment sets."""
    found = {kind: _without_login(proxy) for kind, proxy in getproxies().items() if kind != "no"}
    if not found:
        return ok("proxies", "none in the environment")
    listed = ", ".join(f"{kind} through {proxy}" for kind, proxy in sorted(found.items()))
    return warning(
        "proxies", f"{listed}: where a server is reached without one, name its host in the variable NO_PROXY"
    )


def proxy_for(address: Address) -> str | None:
    """Return the proxy that leads to a server; None where it is reached directly."""
    proxies = getproxies()
    proxy = proxies.get("https" if address.https else "http") or proxies.get("all")
    return None if not proxy or proxy_bypass(address.host) else _without_login(proxy)


def _without_login(proxy: str) -> str:
    scheme, separator, rest = proxy.rpartition("://")
    return f"{scheme}{separator}{rest.rpartition('@')[2]}"
