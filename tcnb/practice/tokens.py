"""The tickets that the practice server gives out: connector tokens, steps of the OAuth flow and download signatures.

Source: `protocol` sections 2.3 and 2.4.
"""

from __future__ import annotations

import base64
import hmac
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import msgspec

from tcnb.practice.entities import Refusal
from tcnb.wire import codes


@dataclass(frozen=True, slots=True)
class Pass:
    """A token that was verified: whose it is, and its place in the order of issue."""

    user_id: str
    number: int


class TokenOffice:
    """Issues tokens of three parts and verifies them; everything it signed is void once it is gone.

    Attributes:
        clock: seconds since the epoch.
    """

    def __init__(self) -> None:
        self.clock: Callable[[], float] = time.time
        self._secret = secrets.token_bytes(32)
        self._issued = 0
        self._expired_through = 0
        self._tickets: dict[str, tuple[str, float]] = {}

    def issue(self, user_id: str, lifetime: int) -> tuple[str, int]:
        """Return a connector token for that user and when it expires (seconds since the epoch)."""
        self._issued += 1
        now = int(self.clock())
        expires = now + lifetime
        claims = {"sub": user_id, "iat": now, "exp": expires, "jti": self._issued}
        signed = f"{_part({'alg': 'HS256', 'typ': 'JWT'})}.{_part(claims)}"
        return f"{signed}.{self._signature(signed)}", expires

    def verify(self, token: str) -> Pass:
        """Read a connector token.

        Raises:
            Refusal: 201, it is none of ours; 203, it has expired.
        """
        signed, _, signature = token.rpartition(".")
        if not hmac.compare_digest(signature.encode(), self._signature(signed).encode()):
            raise Refusal(codes.INVALID_CREDENTIALS)
        claims = msgspec.json.decode(_bytes(signed.partition(".")[2]))
        if claims["exp"] <= self.clock():
            raise Refusal(codes.CREDENTIALS_EXPIRED)
        found = Pass(claims["sub"], claims["jti"])
        if self.is_expired(found):
            raise Refusal(codes.CREDENTIALS_EXPIRED)
        return found

    def expire_all(self) -> None:
        """Let every token issued so far count as expired."""
        self._expired_through = self._issued

    def is_expired(self, found: Pass) -> bool:
        """Return whether a token was declared expired; one that merely ran out keeps its socket usable."""
        return found.number <= self._expired_through

    def issue_ticket(self, meaning: str, lifetime: int) -> str:
        """Return a secret that stands for something once, for so many seconds."""
        ticket = secrets.token_urlsafe(24)
        self._tickets[ticket] = (meaning, self.clock() + lifetime)
        return ticket

    def redeem_ticket(self, ticket: str) -> str | None:
        """Return what a ticket stands for and void it; None where it is unknown, used or too old."""
        meaning, expires = self._tickets.pop(ticket, ("", 0.0))
        return meaning if expires > self.clock() else None

    def sign_file(self, file_id: str, expires: int) -> str:
        """Return the download token of a file; `expires` is in seconds since the epoch, 0 for never."""
        return f"{expires:x}-{self._signature(f'{file_id}:{expires:x}')}"

    def opens_file(self, token: str, file_id: str) -> bool:
        """Return whether a download token is good for that file now."""
        expires, _, signature = token.partition("-")
        expected = self._signature(f"{file_id}:{expires}")
        if not hmac.compare_digest(signature.encode(), expected.encode()):
            return False
        moment = int(expires, 16)
        return moment == 0 or moment > self.clock()

    def _signature(self, text: str) -> str:
        return _base64(hmac.new(self._secret, text.encode(), sha256).digest())


def _part(value: dict[str, Any]) -> str:
    return _base64(msgspec.json.encode(value))


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
