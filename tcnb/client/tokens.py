"""How an account gets its token: the password grant and the OAuth application flow; where a password comes from
is not known here.

Source: `protocol` sections 2.1 to 2.4.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import ssl
import time
from dataclasses import dataclass
from typing import Any

from tcnb.client.address import Address
from tcnb.client.unreachable import answered, refused_by_proxy, way_to, why_unreachable
from tcnb.console import one_line
from tcnb.errors import (
    AuthenticationError,
    InvalidGrantError,
    OAuthMissingScopeError,
    PasswordAuthDisabledError,
    TokenValidationError,
    WSConnectionError,
)
from tcnb.network import http
from tcnb.network.proxies import Proxy
from tcnb.secret import Secret, without_locals
from tcnb.wire import paths

ASSUMED_LIFETIME = 30 * 24 * 3600
"""Seconds a token is taken to live where neither the answer nor the token says it (`protocol` section 2.1)."""

RENEW_BEFORE = 3600
"""Seconds before its end from which on a token is not used for a new connection."""

WHERE_FROM = (
    ": check both, and where the password came from (the environment, a .env file or the keyring go before the "
    "prompt); tcnb doctor tells which"
)
"""What is said behind a login that is refused; the doctor tells it itself."""

_ABSOLUTE_MILLISECONDS = 10**11
_LAST_MILLISECONDS = 253_402_300_799_000
"""The end of the year 9999; anything later is no time."""

LONGEST_REASON = 200
"""Characters of a server's own words that an error repeats."""

_WANTS_TLS = re.compile(r"HTTPS (port|server)|SSL-enabled server port", re.IGNORECASE)
"""What nginx, Go and Apache say of a plain request to a port with TLS."""


@dataclass(frozen=True)
class Token:
    """A token and when it ends."""

    value: Secret
    expires_at: float

    @property
    def is_fresh(self) -> bool:
        """Whether it lives long enough to open a connection with it."""
        return time.time() < self.expires_at - RENEW_BEFORE


class TokenSource:
    """Keeps one account's token and fetches a new one when the old one has had its day.

    Args:
        address: the server.
        username: login without `@server`.
        password: None if only a ready token is at hand.
        token: a ready token; used until the server refuses it.
        client_id: id of an OAuth application, for servers that take no passwords.
        context: the TLS setting.
        timeout: seconds that each request may take.
    """

    def __init__(
        self,
        address: Address,
        *,
        username: str | None,
        password: Secret | None,
        token: Secret | None,
        client_id: str | None,
        context: ssl.SSLContext | None,
        timeout: float,
    ) -> None:
        self._address = address
        self._username = username
        self._password = password
        self._client_id = client_id
        self._context = context
        self._timeout = timeout
        self._token = Token(token, _expiry({}, token)) if token else None
        self._given = bool(token)

    @property
    def can_renew(self) -> bool:
        """Whether a new token can be had; with a ready token alone it cannot."""
        return self._username is not None and self._password is not None

    async def get(self) -> Secret:
        """Return a token that can be used now.

        Raises:
            AuthenticationError: the server does not give one.
            WSConnectionError: the server cannot be reached.
        """
        if self._token is not None and (self._token.is_fresh or (self._given and not self.can_renew)):
            return self._token.value
        if not self.can_renew:
            raise TokenValidationError(
                "the server refuses the token (it is wrong or has expired): get a new one, "
                "or connect with a login and password"
            )
        self._token = await self._request()
        self._given = False
        return self._token.value

    def discard(self) -> None:
        """Forget the token, since the server refused it; the next `get` fetches another."""
        self._token = None

    async def _request(self) -> Token:
        try:
            async with http.client(self._context, timeout=self._timeout) as client:
                if self._client_id is None:
                    return await self._by_password(client)
                return await self._by_application(client, self._client_id)
        except BaseException as error:
            without_locals(error)
            raise

    async def _by_password(self, client: http.AsyncClient) -> Token:
        answer = await self._post(
            client,
            paths.TOKEN,
            {
                "client_id": paths.PASSWORD_CLIENT_ID,
                "grant_type": "password",
                "username": self._username,
                "password": _revealed(self._password),
            },
        )
        return _token(answer)

    async def _by_application(self, client: http.AsyncClient, client_id: str) -> Token:
        web = await self._post(
            client,
            paths.OAUTH_WEB_TOKEN,
            {
                "client_id": client_id,
                "grant_type": "password",
                "username": self._username,
                "password": _revealed(self._password),
            },
        )
        code = await self._post(
            client, paths.OAUTH_CODE, {"client_id": self._username, "token": _required(web, "access_token")}
        )
        answer = await self._post(
            client,
            paths.OAUTH_TOKEN,
            {
                "client_id": "user",
                "grant_type": "authorization_code",
                "code": _required(code, "authorization_code"),
            },
        )
        return _token(answer)

    async def _post(self, client: http.AsyncClient, path: str, fields: dict[str, Any]) -> dict[str, Any]:
        """Send a secret to the server that was named, and nowhere else: a redirect is an answer like any other."""
        try:
            answer = await http.ask(client, "POST", self._address.url(path), fields=fields, timeout=self._timeout)
        except (http.HTTPError, http.InvalidURL, OSError) as error:
            raise await why_unreachable(self._address, error) from error
        if not answer.is_success:
            raise _refusal(self._address, answer, self._password, await way_to(self._address))
        said = answer.fields()
        if said is None:
            raise WSConnectionError(
                f"{self._address} answered the login with something that is not a token: is it a TrueConf server?"
            )
        return said


def _refusal(address: Address, answer: http.Answer, password: Secret | None, proxy: Proxy | None) -> Exception:
    """Turn a refused token request into the error that says what to do, without a password that is said back."""
    status = answer.status
    reason, code = _reason(answer)
    # Here, where nothing but the server's words stand: in ours, a gap would tell which word the password is. And before
    # they are cut, which could leave half of it.
    reason = one_line(password.hidden_in(reason) if password is not None else reason, LONGEST_REASON)
    if status == 403 and code == "auth_method_disabled":
        return PasswordAuthDisabledError()
    if code == "invalidScope":
        return OAuthMissingScopeError()
    if status == 401:
        if code == "invalid_client":
            return InvalidGrantError("the server does not know this client id: check client_id")
        return InvalidGrantError(f"wrong login or password{WHERE_FROM}")
    if status == 403 and proxy is not None and reason == f"HTTP {status}":
        return WSConnectionError(refused_by_proxy(address, proxy, status))
    if status == 403:
        return AuthenticationError(
            f"{address} refuses the login ({reason}): if only the Bridge is installed there, connect with https=False "
            f"(in a magic --http) to port {paths.BRIDGE_PORT}"
        )
    if status == 400 and _WANTS_TLS.search(answer.text):
        return WSConnectionError(
            f"{address} speaks TLS on this port: leave out https=False (in a magic or command --http)"
        )
    if status in (400, 422):
        return AuthenticationError(f"{address} does not understand the login request ({reason})")
    return WSConnectionError(
        answered(address, status, answer.headers, proxy)
        or f"{address} has no chatbot connector here (HTTP {status}): check the port, and that the Bridge is running"
    )


def _reason(answer: http.Answer) -> tuple[str, str | None]:
    """Return what a refusal says, for people, and its code where it has one."""
    said = answer.fields() or {}
    error, words = said.get("error"), [said.get("error_description"), said.get("error"), said.get("reason")]
    code = error
    if isinstance(error, dict):
        errors = error.get("errors")
        first = next((item for item in errors if isinstance(item, dict)), {}) if isinstance(errors, list) else {}
        code = first.get("reason")
        words = [error.get("message"), code]
    text = next((word for word in words if isinstance(word, str) and word), f"HTTP {answer.status}")
    return text, code if isinstance(code, str) else None


def _required(answer: dict[str, Any], key: str) -> str:
    value = http.word(answer.get(key))
    if value is None:
        raise AuthenticationError(f"the server's answer to the login has no {key}")
    return value


def _token(answer: dict[str, Any]) -> Token:
    value = Secret(_required(answer, "access_token"))
    return Token(value, _expiry(answer, value))


def _revealed(password: Secret | None) -> str:
    assert password is not None  # `can_renew` was asked
    return password.reveal()


def _expiry(answer: dict[str, Any], token: Secret) -> float:
    """Return when a token ends, in seconds since the epoch, from whichever field says it."""
    now = time.time()
    at = _moment(answer.get("expires_at"))
    if at is not None:
        return at / 1000 if at > _ABSOLUTE_MILLISECONDS else at
    within = _moment(answer.get("expires_in"))
    if within is not None:
        return within / 1000 if within > _ABSOLUTE_MILLISECONDS else now + within
    return _expiry_inside(token) or now + ASSUMED_LIFETIME


def _moment(value: object) -> float | None:
    """Return a number of seconds or milliseconds that a server told; None for what is none that a clock can show."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 <= value <= _LAST_MILLISECONDS else None


def _expiry_inside(token: Secret) -> float | None:
    """Return `exp` of a token of three parts; None for tokens that cannot be read, which are used all the same."""
    parts = token.reveal().split(".")
    if len(parts) != 3:
        return None
    try:
        payload = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (ValueError, RecursionError, binascii.Error):
        return None
    return _moment(payload.get("exp")) if isinstance(payload, dict) else None
