"""What can be made to go wrong on purpose, and how often; carrying it out is the server's part."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(slots=True)
class MethodFault:
    """What happens to one request instead of, or besides, its ordinary handling.

    Attributes:
        code: it is refused with this code.
        delay: seconds before it is handled.
        is_unanswered: it is handled, and no answer is sent.
        drops: it is handled, and the connection is broken instead of an answer.
    """

    code: int | None = None
    delay: float = 0.0
    is_unanswered: bool = False
    drops: bool = False


@dataclass(slots=True)
class HttpFault:
    """The answer that one HTTP request gets instead of its own."""

    status: int
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Faults:
    """All faults that are in force.

    Attributes:
        methods: the next requests of each wire method.
        http: the next HTTP requests of each kind: `token`, `socket`, `upload`, `download`, `server`.
        refuse_logins: the token endpoint takes no password for right.
        password_login_disabled: the token endpoint answers 403 `auth_method_disabled`.
        refuse_tokens: `auth` answers 201 whatever the token.
        deliver_twice: every notification is sent twice, under two numbers.
        cut_downloads_after: bytes after which downloads break off; None for never.
        silent_pongs: the server takes no pong for one, so it drops clients after its ping time-out.
    """

    methods: dict[str, deque[MethodFault]] = field(default_factory=dict)
    http: dict[str, deque[HttpFault]] = field(default_factory=dict)
    refuse_logins: bool = False
    password_login_disabled: bool = False
    refuse_tokens: bool = False
    deliver_twice: bool = False
    cut_downloads_after: int | None = None
    silent_pongs: bool = False

    def add(self, method: str, fault: MethodFault, times: int = 1) -> None:
        """Let a fault befall the next requests of a method, after those already planned."""
        self.methods.setdefault(method, deque()).extend([fault] * times)

    def next_for(self, method: str) -> MethodFault | None:
        """Return and use up the fault of this request; None where it is handled as usual."""
        planned = self.methods.get(method)
        return planned.popleft() if planned else None

    def add_http(self, kind: str, fault: HttpFault, times: int = 1) -> None:
        """Let a fault befall the next HTTP requests of a kind."""
        self.http.setdefault(kind, deque()).extend([fault] * times)

    def next_http(self, kind: str) -> HttpFault | None:
        """Return and use up the fault of this HTTP request; None where it is handled as usual."""
        planned = self.http.get(kind)
        return planned.popleft() if planned else None
