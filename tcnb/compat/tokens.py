"""Tokens for scripts: fetched by a plain call, from inside of a running loop as well."""

from __future__ import annotations

from typing import Final, NamedTuple

from tcnb.client.address import Address
from tcnb.client.thread import BotThread
from tcnb.client.tokens import TokenSource
from tcnb.errors import TokenValidationError
from tcnb.network import http
from tcnb.secret import Secret

__all__ = ["get_auth_token", "validate_token"]

_GRACE: Final = 2.0
"""Seconds that the thread of a login may take to end."""


class Login(NamedTuple):
    """What a new token is had with when the old one has had its day."""

    username: str | None = None
    password: Secret | None = None
    client_id: str | None = None


def fetched_token(address: Address, login: Login, verify_ssl: http.SSLVerify, timeout: float) -> Secret:
    """Fetch a token, so that a wrong password is an error here.

    Raises:
        AuthenticationError: the server does not let the account in.
        WSConnectionError, RequestTimeoutError: the server cannot be reached.
    """
    context = http.ssl_context(verify_ssl) if address.https else None
    source = TokenSource(address, **login._asdict(), token=None, context=context, timeout=timeout)
    # Scripts also do this inside a running loop, where nothing could be awaited here.
    thread = BotThread("tcnb login")
    try:
        return thread.wait(source.get())
    finally:
        thread.stop(_GRACE)


def get_auth_token(
    server: str,
    username: str,
    password: str,
    verify: http.SSLVerify = True,
    *,
    protocol: str = "https",
    port: int | None = None,
    timeout: float = 10.0,
) -> str:
    """Return a token for `Bot(server, token)`; `Bot.from_credentials` fetches and renews one by itself.

    Args:
        server: host name, also with `:port`.
        username: login without `@server`.
        password: the password.
        verify: as `verify_ssl` of the bot.
        protocol: `https`, or `http` for the plain Bridge.
        port: another port than 443 (4309 without TLS).
        timeout: seconds an answer may take.

    Raises:
        AuthenticationError: the server does not let the account in.
        WSConnectionError, RequestTimeoutError: the server cannot be reached.
    """
    login = Login(str(username), Secret(str(password)))
    del password  # a traceback would show it
    address = Address.parse(server, https=protocol == "https", web_port=port)
    return fetched_token(address, login, verify, timeout).reveal()


def validate_token(token: str) -> None:
    """Refuse what cannot be a token.

    Raises:
        TokenValidationError: it is no text, or an empty one.
    """
    if not isinstance(token, str) or not token.strip():
        raise TokenValidationError(
            "there is no token: give the one the server issued, or use Bot.from_credentials with login and password"
        )
