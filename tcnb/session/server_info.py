"""What the server says of itself at its public address, asked once."""

from __future__ import annotations

import ssl
from typing import Any

from tcnb.client.address import Address
from tcnb.network import http
from tcnb.wire import paths


class ServerFacts:
    """Name and version of a server, as far as it gives them away.

    Args:
        address: the server.
        context: the TLS setting.
        timeout: seconds the answer may take.
    """

    def __init__(self, address: Address, context: ssl.SSLContext | None, timeout: float) -> None:
        self._address = address
        self._context = context
        self._timeout = timeout
        self._facts: dict[str, Any] | None = None

    async def get(self) -> dict[str, Any]:
        """Return what the server says of itself (`protocol` section 1.7); empty where it says nothing."""
        if self._facts is None:
            async with http.client(self._context, timeout=self._timeout) as client:
                try:
                    answer = await http.ask(client, "GET", self._address.url(paths.SERVER), timeout=self._timeout)
                    product = (answer.fields() or {}).get("product") if answer.is_success else None
                except (http.HTTPError, OSError):
                    product = None
            self._facts = product if isinstance(product, dict) else {}
        return self._facts
