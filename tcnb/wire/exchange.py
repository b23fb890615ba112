"""Who asked what on one connection: request ids, open requests, and the sorting of what arrives; no socket and
no clock here.

Source: `protocol` sections 3.2 to 3.5.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from tcnb.errors import MalformedFrameError
from tcnb.wire import fast_path, frames, lenient
from tcnb.wire.frames import Frame


@dataclass(slots=True)
class Malformed:
    """A text that is no frame: kept as it came, with the reason, and with its id where it still asks for an
    acknowledgement.
    """

    text: bytes
    reason: str
    id: int | None = None


@dataclass(slots=True)
class Received:
    """What one read from the socket brought, sorted; each list keeps the order of arrival."""

    requests: list[Frame | Malformed] = field(default_factory=list)
    responses: list[Frame] = field(default_factory=list)


class Exchange:
    """The two number spaces of one connection.

    A client's requests and a server's requests are numbered independently, so frames are told apart by type first and
    only then by id. An id is never used twice on a connection.
    """

    def __init__(self) -> None:
        self._next_id = 1

    def request(self, method: str, payload: Any = None) -> tuple[int, bytes]:
        """Number a request and write it; returns the id its answer will carry and the text to send."""
        id = self._next_id
        self._next_id = id + 1 if id < frames.MOST_ID else 1
        return id, frames.request(id, method, payload)

    def receive(self, texts: Iterable[bytes]) -> Received:
        """Sort what arrived into requests (with what is malformed in its place) and responses; never raises."""
        received = Received()
        read, decode, add_request = fast_path.read, frames.decode, received.requests.append
        for text in texts:
            notified = read(text)
            if notified is not None:
                add_request(notified)
                continue
            try:
                frame = decode(text)
            except MalformedFrameError as error:
                add_request(Malformed(bytes(text), str(error), _id_to_acknowledge(text)))
                continue
            if frame.type == frames.REQUEST:
                add_request(frame)
            else:
                received.responses.append(frame)
        return received


def _id_to_acknowledge(text: bytes) -> int | None:
    """Return the id of a request that is malformed otherwise, so that even it is acknowledged."""
    if b'"id"' not in text:
        return None
    fields = lenient.outline(lenient.mended(text))
    type, id = fields.get("type"), fields.get("id")
    # True and 1.0 are equal to 1 and are no numbers of a frame.
    if not isinstance(type, int) or isinstance(type, bool) or type != frames.REQUEST:
        return None
    return id if isinstance(id, int) and not isinstance(id, bool) and 0 <= id <= frames.MOST_ID else None
