"""Whom a practice server answers: bots and its own page, but no other web page, whichever way it asks."""

from __future__ import annotations

import ipaddress
import socket
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from tornado.web import HTTPError, RequestHandler

from tcnb.practice.options import DEFAULT_DOMAIN

if TYPE_CHECKING:
    from tcnb.practice.server import PracticeServer

FOREIGN_SITES: Final = ("cross-site", "same-site")
"""What browsers put into `Sec-Fetch-Site` on behalf of another page; another port of this machine is the same site."""

FOREIGN_HOST: Final = "This server does not go by that name; name it with --host or --public-url"
FOREIGN_PAGE: Final = "Other web pages may not ask this server"


class GuardedHandler(RequestHandler):
    """Common ground of everything that the server answers: it refuses what another web page sends.

    A browser sends requests to this machine for any page that it shows, and tells in `Origin` which page that is, at
    the latest when something is to be done or a socket is opened. Programs send no `Origin`, and are answered.
    """

    server: PracticeServer
    is_of_the_connector = True
    """Whether bots ask this, which may reach the server under any name; nobody but a browser needs the rest."""

    def initialize(self, server: PracticeServer) -> None:
        """Take the server; called by tornado before anything else."""
        self.server = server

    def prepare(self) -> None:
        """Refuse what another web page, or a name that only pretends to be this machine, sends."""
        if not (self.is_of_the_connector and self._is_from_program()) and not self._is_known_host():
            raise HTTPError(403, reason=FOREIGN_HOST)
        if not self.may_ask():
            raise HTTPError(403, reason=FOREIGN_PAGE)

    def may_ask(self) -> bool:
        """Return whether the request comes from a program or from this server's own page."""
        origin = self.request.headers.get("Origin")
        if origin is None:
            return self.request.headers.get("Sec-Fetch-Site") not in FOREIGN_SITES
        return _netloc(origin) in (self.request.host.lower(), _netloc(self.server.public_url))

    def _is_from_program(self) -> bool:
        return not {"Origin", "Sec-Fetch-Site"} & set(self.request.headers)

    def _is_known_host(self) -> bool:
        # A foreign name that resolves to this machine would make a foreign page the same origin (DNS rebinding).
        name = self.request.host_name.strip("[]")
        options = self.server.options
        own = {options.host.lower(), urlsplit(self.server.public_url).hostname, socket.gethostname().lower()}
        if options.domain != DEFAULT_DOMAIN:
            own.add(options.domain.lower())
        # Names without a dot (localhost, a container's) are this network's own: nobody outside has one.
        if name in own or "." not in name or name.endswith(".localhost"):
            return True
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return False
        return True


def _netloc(address: str) -> str | None:
    """Return host and port of an address; None where it has none."""
    try:
        return urlsplit(address).netloc.lower() or None
    except ValueError:
        return None
