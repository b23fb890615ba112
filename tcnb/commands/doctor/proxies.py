"""Which proxies are set for this process; the login that such a setting may hold is never told."""

from __future__ import annotations

from tcnb.commands.doctor.findings import Finding, ok, warning
from tcnb.network import proxies


def examine() -> Finding:
    """Name the proxies that the environment or the system sets."""
    found = proxies.named()
    if not found:
        return ok("proxies", "none is set")
    listed = ", ".join(f"{kind} through {proxy}" for kind, proxy in sorted(found.items()))
    return warning(
        "proxies", f"{listed}: where a server is reached without one, name its host in the variable NO_PROXY"
    )
