"""Frames: reading, writing, and what is refused; no socket is involved."""

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcnb.errors import MalformedFrameError
from tcnb.wire import codes, frames

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def test_request_is_read():
    """A server's request gives its method, id and payload."""
    frame = frames.decode(b'{"method":"sendMessage","type":1,"id":7,"payload":{"chatId":"c"}}')
    assert (frame.is_request, frame.method, frame.id, frame.content()) == (True, "sendMessage", 7, {"chatId": "c"})


def test_payload_is_kept_byte_for_byte():
    """The payload is not rewritten: its spacing, order and escapes stay."""
    raw = b'{"b" : 1, "a":"\\u0416"}'
    assert bytes(frames.decode(b'{"type":2,"id":1,"payload":' + raw + b"}").payload) == raw


def test_array_payload_is_a_success():
    """`getChats` answers with a bare array, which is no error."""
    frame = frames.decode(b'{"type":2,"id":3,"payload":[{"chatId":"c"}]}')
    assert frames.error_code(frame.content()) == 0


def test_missing_payload_is_none():
    """A response without a payload has no content and is no error."""
    frame = frames.decode(b'{"type":2,"id":3}')
    assert frame.content() is None
    assert frames.error_code(None) == 0


@pytest.mark.parametrize(
    ("payload", "code"), [({"errorCode": 304}, 304), ({"errorCode": 0}, 0), ({}, 0), ({"errorCode": "x"}, 0)]
)
def test_error_code(payload, code):
    """Only a number that is not zero is an error."""
    assert frames.error_code(payload) == code


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"not json",
        b"[]",
        b'"text"',
        b"12",
        b"{}",
        b'{"type":1,"method":"x"}',
        b'{"type":1,"id":1}',
        b'{"type":1,"id":-1,"method":"x"}',
        b'{"type":1,"id":4294967296,"method":"x"}',
        b'{"type":3,"id":1}',
        b'{"type":"1","id":1,"method":"x"}',
        b'{"type":1,"id":1,"method":5}',
        b'\xff\xfe{"type":2,"id":1}',
    ],
)
def test_what_is_no_frame_is_refused(text):
    """A text that is not a frame raises one error of ours."""
    with pytest.raises(MalformedFrameError):
        frames.decode(text)


@given(st.binary(max_size=200))
def test_no_bytes_break_the_reading(data):
    """Whatever arrives is a frame or a `MalformedFrameError`."""
    with contextlib.suppress(MalformedFrameError):
        frames.decode(data)


@given(
    id=st.integers(0, frames.MOST_ID), method=st.text(min_size=1), payload=st.dictionaries(st.text(), JSON, max_size=4)
)
def test_requests_survive_the_way(id, method, payload):
    """What is written as a request is read as the same request."""
    frame = frames.decode(frames.request(id, method, payload))
    assert (frame.id, frame.method, frame.content()) == (id, method, payload)


def test_acknowledgement_is_the_bare_id():
    """An acknowledgement carries nothing but type and id."""
    assert json.loads(frames.acknowledgement(57)) == {"type": 2, "id": 57}


def test_failure_carries_the_code():
    """A refusal is a response with an error code."""
    assert frames.error_code(frames.decode(frames.failure(4, 304)).content()) == 304


def test_every_code_has_a_meaning():
    """Known codes are explained and unknown ones are said to be unknown."""
    assert codes.meaning(304) == "chat not found"
    assert "does not know" in codes.meaning(9999)
