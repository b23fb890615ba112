"""The short way for the WebSocket's plain text frames, hundreds of which come and go at once; all other frames, and the
connection itself, are the business of the websockets library.

Source: RFC 6455, section 5.2.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from itertools import groupby
from typing import Final

import numpy as np

try:
    from websockets.speedups import apply_mask
except ImportError:  # websockets without its extension
    from websockets.utils import apply_mask

_WHOLE_TEXT: Final = 0x81
_MASKED: Final = 0x80
_TWO_BYTES: Final = 126
_EIGHT_BYTES: Final = 127
_MANY: Final = 16


def size(data: bytes, position: int) -> int:
    """Return the bytes of the frame that begins at a position; 0 if that cannot be told yet.

    Servers never mask: a frame that is masked has more bytes than anybody accepts, so that it is left to the library.
    """
    left = len(data) - position
    if left < 2:
        return 0
    length = data[position + 1]
    if length < _TWO_BYTES:
        return 2 + length
    if length & _MASKED:
        return sys.maxsize
    if length == _TWO_BYTES:
        return 4 + int.from_bytes(data[position + 2 : position + 4]) if left >= 4 else 0
    return 10 + int.from_bytes(data[position + 2 : position + 10]) if left >= 10 else 0


def cut(data: bytes, position: int) -> tuple[list[bytes], int]:
    """Cut off the whole, unmasked text frames that follow each other in what was read.

    Args:
        data: what was read.
        position: where a frame begins in it.

    Returns:
        Their texts, and where the first frame begins that is of another kind or not all there.
    """
    texts: list[bytes] = []
    end = len(data)
    while position + 1 < end and data[position] == _WHOLE_TEXT:
        length = data[position + 1]
        start = position + 2
        if length == _TWO_BYTES:
            start = position + 4
            length = int.from_bytes(data[position + 2 : start])
        elif length == _EIGHT_BYTES:
            start = position + 10
            length = int.from_bytes(data[position + 2 : start])
        elif length & _MASKED:
            break
        if start + length > end:
            break
        position = start + length
        texts.append(data[start:position])
    return texts, position


def masked(texts: Sequence[bytes]) -> bytes:
    """Return texts as the frames that a client writes."""
    pieces: list[bytes] = []
    for length, alike in groupby(texts, key=len):
        run = list(alike)
        if 0 < length < _TWO_BYTES and len(run) >= _MANY:
            pieces.append(_masked_together(run, length))
        else:
            pieces += map(_masked, run)
    return b"".join(pieces)


def _masked(text: bytes) -> bytes:
    length = len(text)
    if length < _TWO_BYTES:
        head = bytes((_WHOLE_TEXT, _MASKED | length))
    elif length < 1 << 16:
        head = bytes((_WHOLE_TEXT, _MASKED | _TWO_BYTES)) + length.to_bytes(2)
    else:
        head = bytes((_WHOLE_TEXT, _MASKED | _EIGHT_BYTES)) + length.to_bytes(8)
    key = os.urandom(4)
    return b"".join((head, key, apply_mask(text, key)))


def _masked_together(texts: Sequence[bytes], length: int) -> bytes:
    """Return short texts of one length as frames; acknowledgements are such, by the hundred."""
    keys = np.frombuffer(os.urandom(4 * len(texts)), np.uint8).reshape(-1, 4)
    written = np.empty((len(texts), 6 + length), np.uint8)
    written[:, 0] = _WHOLE_TEXT
    written[:, 1] = _MASKED | length
    written[:, 2:6] = keys
    plain = np.frombuffer(b"".join(texts), np.uint8).reshape(-1, length)
    np.bitwise_xor(plain, np.tile(keys, -(-length // 4))[:, :length], out=written[:, 6:])
    return written.tobytes()
