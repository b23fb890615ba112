"""The short way from a text to a frame for what comes by the hundred: plain messages, written as servers write them;
every other text is the business of `frames` and `notifications`, and both ways say the same.

Source: `protocol` sections 3.1, 5.1 and 5.2.
"""

from __future__ import annotations

from typing import Final

import msgspec

from tcnb.wire.frames import MOST_ID, REQUEST, Frame
from tcnb.wire.notifications import EVENTS, MESSAGE, UNKNOWN, PlainMessage, Told

# Real servers write the fields in this order.
_BEGIN: Final = b'{"method":"sendMessage","type":1,"id":'
_PAYLOAD: Final = b',"payload":'
_ID: Final = len(_BEGIN)
_LAST: Final = _ID + len(str(MOST_ID)) + len(_PAYLOAD)
_SKIP: Final = len(_PAYLOAD)

_ZERO: Final = ord("0")
_CLOSING: Final = ord("}")

_EVENT: Final = EVENTS[MESSAGE]
_read: Final = msgspec.json.Decoder(PlainMessage).decode


class Notified(Frame, gc=False):
    """The frame of a notification whose payload is read already.

    Attributes:
        told: what it tells, as `notifications.decode` returns it.
    """

    # Behind the base class's fields with defaults this needs one.
    told: Told = (UNKNOWN, None, False)


def read(text: bytes) -> Notified | None:
    """Read the frame of a plain message; None for one that is not quite as usual.

    Args:
        text: the text of a WebSocket message, as it came.
    """
    if not text.startswith(_BEGIN):
        return None
    end = text.find(_PAYLOAD, _ID, _LAST)
    digits = text[_ID:end]
    if not digits.isdigit() or text[-1] != _CLOSING or (digits[0] == _ZERO and len(digits) > 1):
        return None
    id, payload = int(digits), text[end + _SKIP : -1]
    try:
        # One JSON object from end to end proves that the text around it is one; and since every string in it is asked
        # for, they are all known to be UTF-8.
        message = _read(payload)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
    chat = message.chat
    if id > MOST_ID or (message.chat_id is None and (chat is None or chat.chat_id is None)):
        return None
    return Notified(REQUEST, id, MESSAGE, payload, (_EVENT, message, True))  # type: ignore[arg-type]
