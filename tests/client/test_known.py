"""What is told of this account's own messages is remembered where it matters to a sending, and only there."""

from __future__ import annotations

import json

import pytest

from tcnb.client.link import Batch, Link
from tcnb.client.requests.in_flight import LISTENING, MOST_UNHEARD, Known, Sending
from tcnb.client.statistics import Statistics
from tcnb.wire.exchange import Exchange

ME = "robot@practice.local"
LONG_AGO, NOW = 1_000.0, 2_000.0


@pytest.fixture
def link() -> Link:
    """A connection that is never opened."""
    return Link(lambda batch: None, Statistics())


@pytest.fixture
def known(link: Link) -> Known:
    """What an account knows whose server tells it nothing of its own sendings."""
    known = Known()
    known.expect(LONG_AGO, LONG_AGO)
    for id in ("first", "second"):
        known.answered(id, link)
    return known


def _told(link: Link, id: str, author: str = ME) -> Batch:
    """Return a notification of a message."""
    payload = {"messageId": id, "author": {"id": author, "type": 1}}
    text = json.dumps({"type": 1, "id": 1, "method": "sendMessage", "payload": payload}).encode()
    return Batch(Exchange().receive([text]).requests, 0, link)


def _sending(link: Link) -> Sending:
    return Sending("sendMessage", {}, {}, link, NOW, 0, 0, is_measured=True)


def test_what_is_told_during_a_sending_is_somebody_elses(known: Known, link: Link) -> None:
    """A message of this account that is told while a sending waits was made by another session."""
    known.expect(NOW, NOW + 10)
    known.heard(_told(link, "theirs"), ME, NOW + 1)
    assert not known.is_free("theirs", _sending(link))
    assert known.is_free("another", _sending(link))


def test_what_was_told_shortly_before_a_sending_counts(known: Known, link: Link) -> None:
    """The same holds for one that was told before the sending was written, however long there was none before."""
    assert LONG_AGO + LISTENING < NOW - 1
    known.heard(_told(link, "theirs"), ME, NOW - 1)
    known.expect(NOW, NOW + 10)
    assert not known.is_free("theirs", _sending(link))


def test_what_others_say_is_not_remembered(known: Known, link: Link) -> None:
    """A message of somebody else that merely names this account is nobody's sending here."""
    known.expect(NOW, NOW + 10)
    batch = _told(link, "theirs", author=f"not-{ME}")
    known.heard(batch, ME, NOW + 1)
    assert known.is_free("theirs", _sending(link))


def test_little_is_kept_while_nothing_is_sent(known: Known, link: Link) -> None:
    """Of what comes while nothing is sent, only the last batches are kept for the next sending."""
    for number in range(MOST_UNHEARD + 1):
        known.heard(_told(link, f"theirs {number}"), ME, NOW - 1)
    known.expect(NOW, NOW + 10)
    assert known.is_free("theirs 0", _sending(link))
    assert not known.is_free("theirs 1", _sending(link))
