"""The short way for text frames, held against the library that does it by the book."""

from __future__ import annotations

import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode
from websockets.protocol import SERVER, Protocol, State

from tcnb.wire import websocket

TEXTS = st.lists(st.binary(max_size=300) | st.integers(120, 70_000).map(bytes), max_size=12)


def written(text: bytes, opcode: Opcode = Opcode.TEXT, *, fin: bool = True, mask: bool = False) -> bytes:
    """Return a frame as the library writes it."""
    return Frame(opcode, text, fin).serialize(mask=mask)


@settings(max_examples=25)
@given(TEXTS)
def test_whole_frames_are_cut(texts):
    """Text frames of any length that follow each other are all taken."""
    data = b"".join(map(written, texts))
    assert websocket.cut(data, 0) == (texts, len(data))


@settings(max_examples=25)
@given(TEXTS, st.binary(min_size=1, max_size=70_000), st.data())
def test_frame_in_part_is_left(texts, last, data):
    """What is not all there stays, and its length is told as soon as its head is there."""
    whole, tail = b"".join(map(written, texts)), written(last)
    there = tail[: data.draw(st.integers(0, len(tail) - 1))]
    assert websocket.cut(whole + there, 0) == (texts, len(whole))
    assert websocket.size(whole + there, len(whole)) in (0, len(tail))


@pytest.mark.parametrize(
    "frame",
    [
        written(b"x", Opcode.PING),
        written(b"\x03\xe8", Opcode.CLOSE),
        written(b"part", fin=False),
        written(b"rest", Opcode.CONT),
        written(b"data" * 100, Opcode.BINARY),
    ],
)
def test_other_frames_are_left_to_the_library(frame):
    """Everything but a whole text is left in its place, with its length."""
    data = written(b"before") + frame + written(b"after")
    texts, position = websocket.cut(data, 0)
    assert texts == [b"before"]
    assert data[position : position + websocket.size(data, position)] == frame


def test_masked_frame_is_left_to_the_library():
    """A frame that is masked, which no server may send, is not taken, however long it says it is."""
    data = written(b"text", mask=True)
    assert websocket.cut(data, 0) == ([], 0)
    assert websocket.size(data, 0) == sys.maxsize


@settings(max_examples=25)
@given(TEXTS)
def test_a_server_reads_what_is_written(texts):
    """Frames that are written here are what a server by the book reads, in order."""
    server = Protocol(SERVER, state=State.OPEN, max_size=None)
    server.receive_data(websocket.masked(texts))
    assert [bytes(event.data) for event in server.events_received()] == texts


@pytest.mark.parametrize("length", [0, 1, 3, 4, 21, 125, 126])
def test_a_server_reads_many_of_one_length(length):
    """Many texts of one length, which are written together, come out as those between them do."""
    texts = [bytes([33 + number]) * length for number in range(40)] + [b"between"] + [b"x" * length] * 20
    server = Protocol(SERVER, state=State.OPEN, max_size=None)
    server.receive_data(websocket.masked(texts))
    assert [bytes(event.data) for event in server.events_received()] == texts
