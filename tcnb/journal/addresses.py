"""Addresses of files and pictures in frames, which open them to whoever has them, without what opens."""

from __future__ import annotations

import json
import re
from typing import Final
from urllib.parse import urlsplit, urlunsplit

_NAMES: Final = (b"avatarUrl", b"downloadUrl")

_ADDRESS: Final = re.compile(rb'("(?:%b)"\s*:\s*")((?:[^"\\]|\\.)*)' % b"|".join(_NAMES), re.DOTALL)
"""One of these fields, up to the end of its text; where a frame breaks off, up to its end."""


def without_tokens(payload: bytes) -> bytes:
    """Return a frame's payload with the addresses in it cut before their query, where their token is.

    Args:
        payload: JSON, as it came; it need not be readable.
    """
    if not any(name in payload for name in _NAMES):
        return payload
    return _ADDRESS.sub(lambda found: found[1] + _cut(found[2]), payload)


def _cut(written: bytes) -> bytes:
    """Return the text of an address, as it is written in JSON, without login, query and fragment."""
    try:
        parts = urlsplit(json.loads(b'"%b"' % written))
        host = parts.netloc.rpartition("@")[2]
        plain = urlunsplit(parts._replace(netloc=host, query="", fragment=""))
        return written if plain.encode() == written else json.dumps(plain).encode()[1:-1]
    except ValueError:
        return b""  # nobody can open what nobody can read
