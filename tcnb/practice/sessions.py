"""One connection as the server sees it: numbers, acknowledgements, subscriptions; its socket is a `Transport`.

Source: `protocol` sections 2.5, 3.2 and 3.4.
"""

from __future__ import annotations

import secrets
from collections import OrderedDict
from typing import Final, Protocol

from tcnb.practice.entities import Message, User
from tcnb.practice.tokens import Pass
from tcnb.wire import frames

REMEMBERED_IDS: Final = 65_536
"""Requests of a client whose ids are remembered to find duplicates; bounded, so that a long session stays small."""


class Transport(Protocol):
    """What a session needs of its socket."""

    def send(self, text: bytes) -> None:
        """Send one text frame, after those sent before."""

    def abort(self) -> None:
        """Break the connection without a close frame."""

    def close(self, code: int, reason: str) -> None:
        """Close the connection in order."""

    async def drain(self) -> None:
        """Wait until everything sent so far is with the operating system."""


class Session:
    """A connection, with or without an account yet.

    Attributes:
        user: the account, once `auth` succeeded.
        pass_: the token it showed.
        resource: the part of its id after `/`, different for every connection.
        receives_system: whether it asked for system envelopes.
        outstanding: notifications not acknowledged yet by their id, with the message they are about.
        subscriptions: ids of the files whose progress it wants to hear of.
    """

    def __init__(self, transport: Transport) -> None:
        self.transport = transport
        self.user: User | None = None
        self.pass_: Pass | None = None
        self.resource = secrets.token_hex(4)
        self.receives_system = False
        self.outstanding: dict[int, Message | None] = {}
        self.subscriptions: set[str] = set()
        self._last_id = 0
        self._seen: OrderedDict[int, None] = OrderedDict()

    def is_duplicate(self, id: int) -> bool:
        """Return whether the client has used that id before, and take note of it."""
        if id in self._seen:
            return True
        self._seen[id] = None
        if len(self._seen) > REMEMBERED_IDS:
            self._seen.popitem(last=False)
        return False

    def notify(self, method: str, payload: bytes, message: Message | None = None) -> None:
        """Send a notification under the next number; `payload` is JSON."""
        self._last_id += 1
        self.outstanding[self._last_id] = message
        self.transport.send(
            b'{"method":"%b","type":1,"id":%d,"payload":%b}' % (method.encode(), self._last_id, payload)
        )

    def respond(self, id: int, payload: object) -> None:
        """Answer a request."""
        self.transport.send(frames.response(id, payload))

    def refuse(self, id: int, code: int) -> None:
        """Answer a request with a code."""
        self.transport.send(frames.failure(id, code))
