"""The exchange: ids, sorting, and malformed texts; no socket is involved."""

import json

from hypothesis import given
from hypothesis import strategies as st

from tcnb.wire.exchange import Exchange, Malformed


def test_ids_are_never_used_twice():
    """Each request gets the next id."""
    exchange = Exchange()
    assert [exchange.request("getChats")[0] for _ in range(3)] == [1, 2, 3]


def test_request_and_response_with_the_same_id_are_kept_apart():
    """Both sides number their own requests, so type decides before id."""
    received = Exchange().receive([b'{"type":1,"id":2,"method":"sendMessage","payload":{}}', b'{"type":2,"id":2}'])
    assert [frame.id for frame in received.requests] == [2]
    assert [frame.id for frame in received.responses] == [2]


def test_malformed_text_keeps_its_place_and_its_bytes():
    """What is no frame stands among the requests where it arrived, as it came."""
    texts = [b'{"type":1,"id":1,"method":"a"}', b"oops", b'{"type":1,"id":3,"method":"b"}']
    requests = Exchange().receive(texts).requests
    assert isinstance(requests[1], Malformed)
    assert (requests[1].text, requests[1].id) == (b"oops", None)
    assert [request.id for request in requests] == [1, None, 3]


def test_malformed_request_with_an_id_can_still_be_acknowledged():
    """A request without a method has an id, and that id is acknowledged."""
    (request,) = Exchange().receive([json.dumps({"type": 1, "id": 9, "payload": {}}).encode()]).requests
    assert isinstance(request, Malformed)
    assert request.id == 9


@given(st.lists(st.binary(max_size=60), max_size=8))
def test_nothing_that_arrives_is_lost(texts):
    """Every text ends up in exactly one of the lists."""
    received = Exchange().receive(texts)
    assert len(received.requests) + len(received.responses) == len(texts)
