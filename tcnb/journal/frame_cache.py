"""Frames that say more than columns hold, kept in memory where there is no journal to read them from."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Iterable
from typing import Final

MOST_BYTES: Final = 16 * 1024 * 1024
"""Bytes of frames that are kept; the oldest go first."""

_BUTTONS: Final = re.compile(rb'"buttons"\s*:\s*[\[{]')


def says_more(payload: bytes) -> bool:
    """Tell, without decoding it, whether a frame may have buttons, markup or a survey in it.

    Source: `protocol` sections 5.2, 6.5 and 9.
    """
    if b'"buttons"' in payload and _BUTTONS.search(payload):
        return True
    if b'"buttonText"' in payload or b'"markdown"' in payload:
        return True
    return b'"html"' in payload and (b"<" in payload or b"&" in payload)


class FrameCache:
    """The latest frames that say more than their columns, by `seq`.

    One thread keeps (the bot's); any thread may ask.

    Attributes:
        forgotten: the highest `seq` of which nobody can tell any more whether its frame said more.
    """

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self.forgotten = 0
        self._most_bytes = most_bytes
        self._bytes = 0
        self._frames: OrderedDict[int, bytes] = OrderedDict()

    def keep(self, seq: int | None, payload: bytes) -> None:
        """Keep a frame if it says more; without a `seq` it is one that was there already."""
        if seq is None or not says_more(payload):
            return
        self._frames[seq] = payload
        self._bytes += len(payload)
        while self._bytes > self._most_bytes:
            self.forgotten, oldest = self._frames.popitem(last=False)
            self._bytes -= len(oldest)

    def find(self, seqs: Iterable[int]) -> tuple[dict[int, bytes], list[int]]:
        """Look frames up.

        Returns:
            Those that say more, by their `seq`; and the `seq`s of which that is not known any more.
        """
        found: dict[int, bytes] = {}
        unknown: list[int] = []
        for seq in seqs:
            payload = self._frames.get(seq)
            if payload is not None:
                found[seq] = payload
            elif seq <= self.forgotten:
                unknown.append(seq)
        return found, unknown
