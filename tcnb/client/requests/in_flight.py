"""The requests under way that put something on the server, place by place, and whose message is whose; nothing is
asked here.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from tcnb.client.link import Batch, Link
from tcnb.client.requests.errors import UnclearError
from tcnb.client.requests.matching import Fingerprint, fingerprints, is_by
from tcnb.errors import MalformedFrameError
from tcnb.wire.frames import Frame

MOST_KNOWN: Final = 20_000
"""Ids that are remembered; a sending is never looked for further back than that."""

LISTENING: Final = 60.0
"""Seconds after the end of a sending for which notifications are still looked through."""

MOST_UNHEARD: Final = 32
"""Batches that are kept while they are not, for the next sending may be taken for what came shortly before it."""


@dataclass(eq=False, slots=True)
class Sending:
    """A request that puts something on the server.

    Attributes:
        method: its wire method.
        request: its payload.
        about: what is known of its file besides.
        link: the connection it was written on first.
        written_at: when that was (loop time, s).
        not_before: the earliest stamp (ms since the epoch) of what it makes, by the server's clock.
        surely_after: the earliest stamp of what surely was not there when it was written.
        is_measured: whether the server's clock was known then.
        lost_at: when its connection broke (loop time, s).
        until: the latest stamp of what it makes, once its caller has gone without knowing; None for no limit.
    """

    method: str
    request: Mapping[str, Any]
    about: Mapping[str, Any]
    link: Link
    written_at: float
    not_before: int
    surely_after: int
    is_measured: bool
    lost_at: float = 0.0
    until: int | None = None
    _fingerprints: tuple[Fingerprint, ...] = ()

    @property
    def fingerprints(self) -> tuple[Fingerprint, ...]:
        """What it has in common with others that could have made the same, computed when somebody asks."""
        if not self._fingerprints:
            self._fingerprints = fingerprints(self.method, self.request, self.about)
        return self._fingerprints

    def may_have_made(self, other: Sending) -> bool:
        """Return whether what the other one made could be taken for something that this one made."""
        return other.fingerprints[0] in self.fingerprints


@dataclass(eq=False, slots=True)
class Place:
    """The sendings into one chat (or the makings of chats), each list in the order in which they were written.

    Attributes:
        in_flight: those that wait for their answer.
        lost: those whose connection broke first; while there are any, no new one is written.
        given_up: those whose callers have gone without knowing what became of them.
        lock: held by the one that is being looked for or sent again.
        is_free: set while none is lost.
    """

    in_flight: dict[Sending, None] = field(default_factory=dict)
    lost: dict[Sending, None] = field(default_factory=dict)
    given_up: dict[Sending, None] = field(default_factory=dict)
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    is_free: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.is_free.set()

    def lose(self, sending: Sending) -> None:
        """Take note that the connection of a sending broke."""
        self.in_flight.pop(sending, None)
        self.lost[sending] = None
        self.is_free.clear()

    def end(self, sending: Sending) -> None:
        """Take note that a sending is no longer under way."""
        self.in_flight.pop(sending, None)
        self.lost.pop(sending, None)
        if not self.lost:
            self.is_free.set()

    def give_up(self, sending: Sending) -> None:
        """Take note that the caller of a sending goes without knowing what became of it."""
        self.end(sending)
        self.given_up[sending] = None

    def rivals(self, sending: Sending, *, is_lost: bool) -> tuple[list[Sending], bool]:
        """Return who could have made the same, `sending` included, in order, and whether some of them were given up."""
        for old in [one for one in self.given_up if one.until is not None and one.until < sending.not_before]:
            del self.given_up[old]
        under_way = self.lost if is_lost else {**self.lost, **self.in_flight}
        ghosts = [one for one in self.given_up if one.may_have_made(sending)]
        found = ghosts + [one for one in under_way if one.may_have_made(sending)]
        return sorted(found, key=lambda one: one.written_at), bool(ghosts)


def whose(
    candidates: Sequence[Mapping[str, Any]],
    sending: Sending,
    rivals: Sequence[Sending],
    *,
    are_all_lost: bool,
) -> Mapping[str, Any] | None:
    """Return which of the candidates a sending made; None where it made none of them.

    As many candidates as sendings are matched one to one in order. Of fewer, the first sendings made them, because one
    connection carries requests in order and breaks once: so those behind them were not carried out.

    Args:
        candidates: what looks as if it had made it, oldest first.
        sending: whose is looked for.
        rivals: all who could have made them, itself included, in the order of writing.
        are_all_lost: whether all of them were lost together; otherwise fewer candidates than rivals tell nothing.

    Raises:
        UnclearError: it cannot be told.
    """
    if not candidates:
        return None
    if len(candidates) > len(rivals):
        raise UnclearError(f"{len(candidates)} like it are there, and {len(rivals)} were sent from here")
    if len(candidates) < len(rivals) and not are_all_lost:
        raise UnclearError("another one like it was sent before, and nobody knows what became of that")
    place = rivals.index(sending)
    return candidates[place] if place < len(candidates) else None


class Known:
    """Whose the messages and chats of this account are, as far as that is known.

    A server tells a session nothing of its own sendings, but those of other sessions of the account. So a message of
    this account that was told on the connection on which a sending was written was made by somebody else. Whether a
    server keeps to that is learned from the sendings that are answered.
    """

    def __init__(self) -> None:
        self._results: dict[str, None] = {}
        self._told: dict[str, Link] = {}
        self._last: tuple[str, Link] | None = None
        self._echoes: bool | None = None
        self._me: tuple[str, bytes] = ("", b"")
        self._until = -math.inf
        self._unheard: deque[Batch] = deque(maxlen=MOST_UNHEARD)

    def claim(self, id: str) -> None:
        """Take note that a message or a chat is the result of a sending."""
        self._results[id] = None
        _bound(self._results)

    def answered(self, id: str, link: Link) -> None:
        """Take note of the message or chat that the server named in its answer."""
        self.claim(id)
        if self._told.get(id) is link:
            self._echoes = True
        elif self._last is not None and self._last[1] is link and self._echoes is None:
            # What came before this answer on the same connection would hold the previous one's echo.
            self._echoes = self._last[0] in self._told
        self._last = id, link

    def expect(self, now: float, until: float) -> None:
        """Take note of a sending that is written and ends by `until` (loop time, s), so that what is told matters."""
        if now > self._until:
            unheard, self._unheard = self._unheard, deque(maxlen=MOST_UNHEARD)
            for batch in unheard:
                self._listen(batch)
        self._until = max(self._until, until + LISTENING)

    def heard(self, batch: Batch, me_id: str, now: float) -> None:
        """Look among notifications for messages of this account; called with all of them, so it is quick.

        What is told matters to sendings only. Where there was none for a minute, batches are merely kept for a while.

        Args:
            batch: the notifications.
            me_id: the id of this account.
            now: when they came (loop time, s).
        """
        if self._me[0] != me_id:
            self._me = me_id, me_id.encode()
        if now > self._until:
            self._unheard.append(batch)
        else:
            self._listen(batch)

    def is_free(self, id: Any, sending: Sending) -> bool:
        """Return whether a message or chat could be the result of that sending; what has no proper id is none."""
        if not isinstance(id, str) or id in self._results:
            return False
        return not (self._echoes is False and self._told.get(id) is sending.link)

    def _listen(self, batch: Batch) -> None:
        me_id, me = self._me
        told = [one for one in batch.requests if isinstance(one, Frame) and one.method == "sendMessage"]
        # Most batches are not about this account at all, and looking at all of one together is quicker.
        if me in b"".join([one.payload for one in told]):
            for request in told:
                if me in bytes(request.payload):
                    self._hear(request, batch.link, me_id)

    def _hear(self, request: Frame, link: Link, me_id: str) -> None:
        try:
            content = request.content()
        except MalformedFrameError:
            return  # the record takes it as it is; whose it is nobody can tell
        id = content.get("messageId") if isinstance(content, dict) else None
        if isinstance(id, str) and is_by(content, me_id):
            self._told[id] = link
            _bound(self._told)
            if self._last is not None and self._last == (id, link):
                self._echoes = True


def free(envelopes: Iterable[Mapping[str, Any]], known: Known, sending: Sending, me_id: str) -> list[Mapping[str, Any]]:
    """Return the messages of this account that could be the result of a sending, in the same order."""
    return [one for one in envelopes if is_by(one, me_id) and known.is_free(one.get("messageId"), sending)]


def _bound(ids: dict[str, Any]) -> None:
    if len(ids) > MOST_KNOWN:
        del ids[next(iter(ids))]
