"""Whatever JSON a server sends in whatever field, reading it does not raise; only what is no object at all does."""

from __future__ import annotations

import json
import warnings

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wire_samples import NOTIFICATIONS, RESPONSES, SYSTEM_CONTENTS, USER_CONTENTS, system_envelope, user_envelope

import tcnb.types
from tcnb.errors import MalformedFrameError
from tcnb.types import Message, UnknownContent, parse_envelope, parse_event

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["true", "200", "1e999", "٣", "\ud800", "9" * 5000, 10**4000, float("inf"), float("nan")])
)
NAMES = st.sampled_from(
    ["chatId", "chat", "type", "content", "text", "id", "role", "author", "buttons", "message", "list", "lastMessage"]
)
ANYTHING = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES | st.text(max_size=4), inner, max_size=4)
)


def places(payload, path=()):
    """Return the path of every value in a payload."""
    yield path
    items = payload.items() if isinstance(payload, dict) else enumerate(payload) if isinstance(payload, list) else ()
    for key, value in items:
        yield from places(value, (*path, key))


def put(payload, path, value):
    """Return the payload with another value at that place."""
    if not path:
        return value
    changed = dict(payload) if isinstance(payload, dict) else list(payload)
    changed[path[0]] = put(payload[path[0]], path[1:], value)
    return changed


def damaged(samples):
    """Give samples with one value replaced by anything, below the payload itself."""
    spots = [(name, path) for name, payload in samples.items() for path in places(payload) if path]
    return st.tuples(st.sampled_from(spots), ANYTHING).map(
        lambda drawn: (drawn[0][0], put(samples[drawn[0][0]], drawn[0][1], drawn[1]))
    )


ENVELOPES = {f"user {kind}": user_envelope(kind, content) for kind, content in USER_CONTENTS.items()} | {
    f"system {kind}": system_envelope(kind, content) for kind, content in SYSTEM_CONTENTS.items()
}


@pytest.fixture(autouse=True)
def warnings_are_errors():
    """Reading must not warn either: a warning would be printed into a notebook."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


@settings(max_examples=150)
@given(damaged(NOTIFICATIONS))
def test_damaged_notification_is_read_shown_and_written(drawn):
    """A notification with anything anywhere becomes an object that can be shown and written."""
    method, payload = drawn
    event = parse_event(method, payload)
    assert repr(event)
    assert isinstance(event.as_wire(), dict)


@settings(max_examples=150)
@given(damaged(ENVELOPES))
def test_damaged_envelope_is_read_shown_and_written(drawn):
    """An envelope with anything anywhere becomes an object that can be shown and written, and read again."""
    message = parse_envelope(drawn[1])
    assert repr(message)
    again = type(message).from_dict(message.as_wire())
    assert json.dumps(again.as_wire()) == json.dumps(message.as_wire())


@settings(max_examples=100)
@given(damaged(RESPONSES))
def test_damaged_response_is_read_shown_and_written(drawn):
    """A response with anything anywhere becomes an object that can be shown and written."""
    name, payload = drawn
    response = getattr(tcnb.types, name).from_dict(payload)
    assert repr(response)
    assert isinstance(response.as_wire(), dict)


@settings(max_examples=100)
@given(st.dictionaries(NAMES, ANYTHING, max_size=8), st.sampled_from(list(NOTIFICATIONS)))
def test_payload_out_of_the_blue_is_read(payload, method):
    """Any object at all can be the payload of any notification."""
    assert repr(parse_event(method, payload))


@settings(max_examples=100)
@given(st.dictionaries(NAMES, ANYTHING, max_size=8))
def test_properties_of_a_damaged_message_can_be_asked(payload):
    """The properties of a message answer whatever was sent."""
    message = Message.from_dict(payload)
    asked = ("text", "quote", "photo", "video", "sticker", "document", "voice", "location", "forwarded_message")
    assert [getattr(message, name, None) for name in asked]


@pytest.mark.parametrize("method", NOTIFICATIONS)
def test_every_field_may_be_missing(method):
    """A notification without any field becomes an object of neutral values."""
    assert type(parse_event(method, {})) is type(parse_event(method, NOTIFICATIONS[method])) or method == "sendMessage"


@pytest.mark.parametrize("method", NOTIFICATIONS)
@pytest.mark.parametrize("payload", [None, [], "text", 3, True])
def test_what_is_no_object_is_refused(method, payload):
    """Only a payload that is no object raises, with one error."""
    with pytest.raises(MalformedFrameError):
        parse_event(method, payload)


def test_chats_refuse_what_is_neither_array_nor_object():
    """A page of chats is an array or an object."""
    with pytest.raises(MalformedFrameError):
        tcnb.types.GetChatsResponse.from_dict("chats")


@pytest.mark.parametrize("name", [name for name in RESPONSES if name != "GetMessageByIdResponse"])
def test_response_without_a_payload_counts_as_empty(name):
    """A response may lack its payload, unless that is a message."""
    assert getattr(tcnb.types, name).from_dict(None) == getattr(tcnb.types, name).from_dict({})


def test_unknown_fields_are_ignored():
    """Fields that nobody knows yet change nothing."""
    for method, payload in NOTIFICATIONS.items():
        assert parse_event(method, {**payload, "later": {"a": 1}}) == parse_event(method, payload)


@pytest.mark.parametrize("key", ["content", "replyMessage"])
def test_bottomless_nesting_is_cut_off(key):
    """Envelopes nested without end are kept raw instead of exhausting the stack."""
    envelope = user_envelope(201, {"text": "x"})
    for _ in range(20_000):
        envelope = {**envelope, key: envelope}
    message = parse_envelope(envelope)
    if key == "content":
        assert isinstance(message.content, UnknownContent)
    else:
        assert message.reply_message is None


def test_content_that_is_no_object_is_kept():
    """A content of a known type that is no object is kept as it came."""
    message = parse_envelope(user_envelope(200, "bare"))
    assert message.content == UnknownContent("bare")
    assert message.text is None
    assert message.as_wire()["content"] == "bare"


def test_payload_of_an_unknown_notification_may_be_bottomless():
    """An unknown notification is kept and shown however deep its payload is."""
    payload = {}
    for _ in range(20_000):
        payload = {"in": payload}
    update = parse_event("dance", payload)
    assert repr(update) == "Update(method='dance', type=1, id=0, payload={in})"
    assert update.as_wire()["payload"] is payload
