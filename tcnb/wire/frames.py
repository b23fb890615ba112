"""How a frame looks: JSON text to requests and responses and back; no socket, no clock and no meaning
of a payload here.

Source: `protocol` section 3.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from tcnb.errors import MalformedFrameError

REQUEST: Final = 1
RESPONSE: Final = 2
MOST_ID: Final = 2**32 - 1

_EMPTY = msgspec.Raw()


class Frame(msgspec.Struct, gc=False):
    """One frame; `payload` is the JSON as it came, decoded only by whoever needs it."""

    type: int
    id: int
    method: str | None = None
    payload: msgspec.Raw = _EMPTY

    @property
    def is_request(self) -> bool:
        """Whether the other side asks something; otherwise it answers."""
        return self.type == REQUEST

    def content(self) -> Any:
        """Return the payload as plain Python values; None where there is none.

        Raises:
            MalformedFrameError: the payload is not JSON after all.
        """
        if not self.payload:
            return None
        try:
            return msgspec.json.decode(self.payload)
        except msgspec.DecodeError as error:
            raise MalformedFrameError(f"unreadable payload: {error}") from error


_decode_frame = msgspec.json.Decoder(Frame).decode
_encode = msgspec.json.Encoder().encode


def decode(data: bytes | str) -> Frame:
    """Read one frame.

    Args:
        data: the text of a WebSocket message, as it came.

    Raises:
        MalformedFrameError: it is not JSON, not an object, has no usable type or id, or is a request without a method.
    """
    try:
        frame = _decode_frame(data)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise MalformedFrameError(f"not a frame: {error}") from error
    if not 0 <= frame.id <= MOST_ID:
        raise MalformedFrameError(f"not a frame: the id {frame.id} is outside 0..{MOST_ID}")
    if frame.type == REQUEST:
        if frame.method is None:
            raise MalformedFrameError("not a frame: a request without a method")
    elif frame.type != RESPONSE:
        raise MalformedFrameError(f"not a frame: the type {frame.type} is neither 1 nor 2")
    return frame


def request(id: int, method: str, payload: Any = None) -> bytes:
    """Write a request; `payload` is any JSON value, None becomes an empty object."""
    return _encode({"type": REQUEST, "id": id, "method": method, "payload": {} if payload is None else payload})


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
        if isinstance(code, int):
            return int(code)
    return 0
