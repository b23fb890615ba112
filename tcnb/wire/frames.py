"""How a frame looks: JSON text to requests and responses and back; no socket, no clock and no meaning
of a payload here.

Source: `protocol` section 3.
"""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec

from tcnb.errors import MalformedFrameError, UsageError
from tcnb.wire import lenient

REQUEST: Final = 1
RESPONSE: Final = 2
MOST_ID: Final = 2**32 - 1

MOST_DEPTH: Final = 500
"""Objects and arrays in each other; those that the connector sends have a dozen, and Python reads nearly a thousand."""

_EMPTY = msgspec.Raw()


class Frame(msgspec.Struct, gc=False):
    """One frame; `payload` is the JSON as it came, decoded only by whoever needs it."""

    type: Annotated[int, msgspec.Meta(ge=REQUEST, le=RESPONSE)]
    id: Annotated[int, msgspec.Meta(ge=0, le=MOST_ID)]
    method: str | None = None
    payload: msgspec.Raw = _EMPTY

    @property
    def is_request(self) -> bool:
        """Whether the other side asks something; otherwise it answers."""
        return self.type == REQUEST

    def content(self) -> Any:
        """Return the payload as plain Python values, as `payload_content` does."""
        return payload_content(self.payload)


def payload_content(payload: bytes | msgspec.Raw) -> Any:
    """Return a payload as plain Python values; None where there is none, and for numbers that are too large.

    Raises:
        MalformedFrameError: it is no JSON after all.
    """
    if not payload:
        return None
    try:
        return msgspec.json.decode(payload)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        pass
    try:
        return lenient.lenient(bytes(payload))
    except (ValueError, RecursionError) as error:
        raise MalformedFrameError(f"unreadable payload: {error}") from error


_decode_frame = msgspec.json.Decoder(Frame).decode
_encode = msgspec.json.Encoder().encode


def decode(data: bytes | str) -> Frame:
    """Read one frame.

    What is no text in it (bytes that are no UTF-8, half of a surrogate pair) is replaced, and the rest is read.

    Args:
        data: the text of a WebSocket message, as it came.

    Raises:
        MalformedFrameError: it is not JSON, not an object, has no usable type or id, is a request without a method, or
            is nested too deeply.
    """
    data = data.encode(errors="replace") if isinstance(data, str) else data
    try:
        frame = _read(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise MalformedFrameError(f"not a frame: {error}") from error
    if frame.method is None and frame.type == REQUEST:
        raise MalformedFrameError("not a frame: a request without a method")
    return frame


def _read(data: bytes) -> Frame:
    """Read a frame whose payload anybody can read, wherever the stack stands."""
    # The shortest text that is nested too deeply has two brackets for each level.
    if len(data) > 2 * MOST_DEPTH and lenient.depth(data, MOST_DEPTH) > MOST_DEPTH:
        raise MalformedFrameError(f"not a frame: nested more than {MOST_DEPTH} times")
    try:
        # The decoder passes over the payload without looking at its characters.
        data.decode()
        return _decode_frame(data)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        whole = lenient.mended(data)
        if whole == data:
            raise
        return _decode_frame(whole)


def request(id: int, method: str, payload: Any = None) -> bytes:
    """Write a request.

    Args:
        id: its number.
        method: the wire's name of what is asked.
        payload: any JSON value; None becomes an empty object.

    Raises:
        UsageError: a text in it is none, since half of a surrogate pair stands in it.
    """
    try:
        return _encode({"type": REQUEST, "id": id, "method": method, "payload": {} if payload is None else payload})
    except UnicodeEncodeError as error:
        raise UsageError(
            f"{method} cannot be sent: a text in it has half of a surrogate pair ({error.reason})"
        ) from None


def response(id: int, payload: Any) -> bytes:
    """Write the answer to the request with that id."""
    return _encode({"type": RESPONSE, "id": id, "payload": payload})


def failure(id: int, code: int) -> bytes:
    """Write the refusal of the request with that id."""
    return response(id, {"errorCode": code})


def acknowledgement(id: int) -> bytes:
    """Write the acknowledgement of a notification: the bare id (for a message it is the read mark)."""
    return b'{"type":2,"id":%d}' % id


def error_code(payload: Any) -> int:
    """Return the error code in the content of a response; 0 where it is a success."""
    if isinstance(payload, dict):
        code = payload.get("errorCode", 0)
        if isinstance(code, int) and -(2**63) <= code < 2**63:
            return int(code)
    return 0
