"""Mutated frames through wire, journal, record and types; the long run of the same is `make fuzz`."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tcnb.client import bot
from tcnb.types import parse_event
from tcnb.wire import lenient
from tcnb.wire.exchange import Exchange, Malformed
from tcnb.wire.frames import MOST_DEPTH, Frame
from tests.fuzz import long
from tests.fuzz.asking import Asker
from tests.fuzz.live import LiveSubject, by_me
from tests.fuzz.mutations import SAMPLES, frame, frames
from tests.fuzz.oracle import Subject, request_id
from tests.fuzz.server import FuzzServer

ORDINARY = settings(max_examples=120, derandomize=True, suppress_health_check=[HealthCheck.too_slow], database=None)
NAMES = st.sampled_from(["chatId", "type", "content", "text", "id", "author", "timestamp", "messageId", "size", "chat"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES | st.text(max_size=3), inner, max_size=4),
    max_leaves=10,
)


@pytest.fixture
def subject(tmp_path: Path) -> Iterator[Subject]:
    """The way of a frame, with a journal that has a folder of its own."""
    subject = Subject(tmp_path / "fuzz.sqlite")
    yield subject
    subject.close()


def request(payload: bytes, method: bytes = b"sendMessage", id: int = 7) -> bytes:
    """Return a server's request around a payload, whatever that is."""
    return b'{"method":"' + method + b'","type":1,"id":%d,"payload":' % id + payload + b"}"


def test_mutated_frames_break_nothing(subject: Subject) -> None:
    """Right frames made wrong are kept, acknowledged, and make rows of right types."""

    @ORDINARY
    @given(st.lists(st.integers(0, 2**32), min_size=1, max_size=12))
    def read(seeds: list[int]) -> None:
        subject.read([frame(random.Random(seed), number) for number, seed in enumerate(seeds)])

    read()
    subject.check_frames()


def test_any_values_break_nothing(subject: Subject) -> None:
    """Any values whatever under any method are kept and acknowledged."""

    @ORDINARY
    @given(st.lists(st.tuples(st.sampled_from([method for method, _ in SAMPLES]), VALUES), min_size=1, max_size=8))
    @example([("sendMessage", {"messageId": "m", "content": {"text": "cut \ud83d"}})])
    @example([("sendMessage", {"messageId": "m", "timestamp": float("nan")})])
    def read(said: list[tuple[str, Any]]) -> None:
        subject.read(
            [request(json.dumps(value).encode(), method.encode(), id) for id, (method, value) in enumerate(said)]
        )

    read()
    subject.check_frames()


def test_any_bytes_within_a_frame_break_nothing(subject: Subject) -> None:
    """Bytes that are put anywhere into a right frame change nothing for the frames around it."""

    @ORDINARY
    @given(st.sampled_from(SAMPLES), st.binary(min_size=1, max_size=6), st.floats(0, 1))
    def read(sample: tuple[str, Any], stray: bytes, where: float) -> None:
        text = request(json.dumps(sample[1]).encode(), sample[0].encode())
        place = int(where * len(text))
        subject.read([text[:place] + stray + text[place:]])

    read()
    subject.check_frames()


def test_some_thousands_of_frames_go_the_whole_way(subject: Subject) -> None:
    """Frames of one seed go through the journal too, which holds them as they are read."""
    made = list(islice(frames(1), 1000))
    for start in range(0, len(made), long.READ):
        subject.read(made[start : start + long.READ])
    subject.check_frames()


def test_frames_of_one_seed_are_the_same() -> None:
    """A failure can be seen again from its seed."""
    assert list(islice(frames(5), 300)) == list(islice(frames(5), 300))


@pytest.mark.parametrize(
    "payload",
    [
        *(b"[" * levels + b"]" * levels for levels in (MOST_DEPTH, 900, 5000)),
        *(b'{"a":' * 2000 + b"1" + b"}" * 2000, b'{"text":"' + b"[" * 2000 + b'"}'),
        *(b"NaN", b"Infinity", b"9" * 5000, b"1e999", b'{"a":01}', b'{"a":,}', b'{"a":"\\x"}', b"[nul]"),
        *(b'"\\ud83d"', b'"\xff"', b'"\xed\xa0\xbd"', b'"a\x00b"'),
    ],
    ids=lambda payload: f"{payload[:14]!r}…{len(payload)}",
)
def test_request_is_acknowledged_whatever_its_payload(payload: bytes) -> None:
    """Type and id of a request are found beside any payload, however deep or wrong."""
    (received,) = Exchange().receive([request(payload)]).requests
    assert received.id == 7


@pytest.mark.parametrize("half", [b"\\ud83d", b"\\uDE00", b"\\ude00\\ud83d", b"\xff", b"\xed\xa0\xbd"])
def test_text_cut_within_an_emoji_is_still_a_message(half: bytes) -> None:
    """A message whose text holds what is no character comes as a message, with a sign of replacement there."""
    (received,) = Exchange().receive([request(b'{"messageId":"m","content":{"text":"cut ' + half + b'"}}')]).requests
    assert isinstance(received, Frame)
    assert received.content()["content"]["text"].startswith("cut \ufffd")
    parse_event("sendMessage", received.content())


def test_answer_with_half_an_emoji_reaches_its_asker() -> None:
    """A history in which one text is cut within an emoji is an answer all the same."""
    text = b'{"type":2,"id":3,"payload":{"messages":[{"content":{"text":"\\ud83d"}}]}}'
    (answer,) = Exchange().receive([text]).responses
    assert answer.content() == {"messages": [{"content": {"text": "\ufffd"}}]}


def test_right_escapes_stay() -> None:
    """Whole pairs of surrogates, and backslashes before a `u`, are not taken for damage."""
    text = b'{"a":"\\ud83d\\ude00 \\\\ud83d \\u0416","b":"\\ud83d"}'
    assert json.loads(lenient.mended(text)) == {"a": "😀 \\ud83d Ж", "b": "\ufffd"}


def test_deep_frame_is_kept_as_malformed() -> None:
    """What is nested deeper than anybody may read is kept as it came."""
    text = request(b"[" * 5000 + b"]" * 5000)
    (received,) = Exchange().receive([text]).requests
    assert isinstance(received, Malformed)
    assert received.text == text


@pytest.mark.parametrize(
    "text", [b'{"type":1,"id":true}', b'{"type":true,"id":1}', b'{"type":1,"id":1.0}', b'{"id":1}']
)
def test_what_has_no_id_is_not_acknowledged(text: bytes) -> None:
    """Values that are merely equal to numbers are none, neither here nor for the one who checks."""
    (received,) = Exchange().receive([text]).requests
    assert received.id is None
    assert request_id(text) is None


def test_quotes_without_end_are_read_once() -> None:
    """A text that opens strings without end has no outline, and finding that out takes one look at it."""
    assert lenient.outline(b'{"id":1,"x":' + b'"' + b'\\"' * 1_000_000) == {}


@pytest.fixture
def server() -> Iterator[FuzzServer]:
    """A server that says what it is told to."""
    with FuzzServer() as server:
        yield server


@pytest.mark.filterwarnings("ignore:.*no time of writing")
def test_live_session_takes_whatever_comes(server: FuzzServer, tmp_path: Path) -> None:
    """From the socket to the feed nothing raises; all is acknowledged, recorded, and can be loaded by a page."""
    made = list(islice(frames(3), 160))
    with closing(LiveSubject(server, tmp_path / "live.sqlite")) as subject:
        for start in range(0, len(made), long.READ):
            subject.read([by_me(text) for text in made[start : start + long.READ]])
        subject.check_all()


def test_wrong_answers_are_one_line(server: FuzzServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a server answers, a call returns something or raises one line of ours, and no send looks failed."""
    monkeypatch.setattr(bot, "READY_TIMEOUT", 0.0)
    asker = Asker(server, tmp_path)
    with closing(asker.session()) as tc:
        for seed in range(2):
            asker.ask_everything(tc, seed)
        assert tc.status().internal_errors == 0
    for seed in range(4):
        asker.connect(seed)


def test_session_outlives_what_a_server_may_send(practice: Any, connect: Any, until: Any) -> None:
    """Over a real socket, mutated frames neither break the connection nor hold up what comes behind them."""
    tc = connect()
    made = list(islice(frames(11), 400))
    practice.call(lambda server: [server.push_raw("robot", text) for text in made])
    practice.call(lambda server: server.push("robot", "sendMessage", {**SAMPLES[0][1], "messageId": "behind them"}))
    until(tc, lambda: "behind them" in set(tc.df["message_id"]))
    assert tc.state["state"] == "connected"
    assert tc.status().failures == 0
