"""Where a server is, read kindly from what a person writes; nothing is looked up or opened here."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

from tcnb.errors import UsageError
from tcnb.wire import paths


@dataclass(frozen=True)
class Address:
    """Scheme, host and port of one server."""

    host: str
    port: int
    https: bool = True

    @classmethod
    def parse(cls, server: str, *, https: bool = True, web_port: int | None = None) -> Address:
        """Read a server's address.

        Args:
            server: a host name or IP address, also with `:port` or with `http://` or `https://` before it.
            https: TLS (port 443 by default) or the plain Bridge (port 4309 by default); a scheme in `server` wins.
            web_port: the port, if it is neither of these.

        Raises:
            UsageError: it is no address, or it names two different ports.
        """
        if not isinstance(server, str):
            raise UsageError(f"a server is a host name such as video.example.com, not {server!r}")
        text = server.strip()
        if "://" not in text:
            text = ("https://" if https else "http://") + text
        if "@" in text:  # before all else: what is refused may be repeated
            raise UsageError("give the login as username= and the password by another way, never inside the address")
        try:
            parts = urlsplit(text)
            port = parts.port
        except ValueError as error:
            raise UsageError(f"{server!r} is not a server's address: {error}") from error
        if not parts.hostname or parts.scheme not in ("http", "https", "ws", "wss"):
            raise UsageError(
                f"{server!r} is not a server's address: write it like video.example.com or video.example.com:8443"
            )
        if port is not None and web_port is not None and port != web_port:
            raise UsageError(f"two ports are named: {port} in {server!r} and web_port={web_port}")
        if web_port is not None and not (isinstance(web_port, int) and 0 < web_port < 65536):
            raise UsageError(f"a port is a whole number from 1 to 65535, not {web_port!r}")
        secure = parts.scheme in ("https", "wss")
        default = paths.HTTPS_PORT if secure else paths.BRIDGE_PORT
        return cls(parts.hostname, port or web_port or default, secure)

    @property
    def netloc(self) -> str:
        """`host` or `host:port`, as it stands in a URL."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.https else 80) else f"{host}:{self.port}"

    def url(self, path: str) -> str:
        """Return the HTTP address of a path on this server."""
        return f"{'https' if self.https else 'http'}://{self.netloc}{path}"

    def socket_url(self) -> str:
        """Return the address of the bot socket."""
        return f"{'wss' if self.https else 'ws'}://{self.netloc}{paths.SOCKET}"

    def here(self, url: str) -> str:
        """Return `url` with scheme, host and port of this server.

        Download addresses that a server gives out may carry a name that this network does not know
        (`protocol` section 8.3); path and query are kept.
        """
        parts = urlsplit(url)
        return urlunsplit(("https" if self.https else "http", self.netloc, parts.path, parts.query, ""))

    def __str__(self) -> str:
        return self.url("")
