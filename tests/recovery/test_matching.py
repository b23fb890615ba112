"""Whose a message is: values in, an answer out, without any server."""

from __future__ import annotations

import pytest

from tcnb.client.requests.errors import UnclearError
from tcnb.client.requests.in_flight import whose
from tcnb.client.requests.matching import MatchScore, fingerprints, likeness
from tcnb.client.requests.reconciling import has_hole


def text(text, mode="text", **more):
    """Return a request to send a text."""
    return {"chatId": "c", "content": {"text": text, "parseMode": mode}, **more}


def envelope(content, kind=200, **more):
    """Return a message."""
    return {"messageId": "m", "type": kind, "content": content, **more}


@pytest.mark.parametrize(
    ("request_", "kept", "found"),
    [
        (text("hi"), envelope({"text": "hi", "parseMode": "text"}), MatchScore.EXACT),
        (text("a\nb", "html"), envelope({"text": "a b", "parseMode": "html"}), MatchScore.ALIKE),
        (text("**a**", "markdown"), envelope({"text": "<b>a</b>", "parseMode": "html"}), MatchScore.ALIKE),
        (text("a & b"), envelope({"text": "a &amp; b", "parseMode": "html"}), MatchScore.ALIKE),
        (text("hi"), envelope({"text": "ho", "parseMode": "text"}), MatchScore.NONE),
        (text("hi"), envelope({"text": "hi", "parseMode": "text"}, kind=1), MatchScore.NONE),
        (text("hi"), envelope("hi"), MatchScore.NONE),
        (text("hi"), envelope({"text": "hi", "parseMode": "text"}, replyMessageId="r"), MatchScore.NONE),
        (
            text("hi", replyMessageId="r"),
            envelope({"text": "hi", "parseMode": "text"}, replyMessage={"messageId": "r"}),
            MatchScore.EXACT,
        ),
        (text("hi", replyMessageId="r"), envelope({"text": "hi", "parseMode": "text"}), MatchScore.ALIKE),
    ],
)
def test_texts(request_, kept, found):
    """Texts are compared as people read them, with what they answer."""
    assert likeness("sendMessage", request_, {}, kept) is found


@pytest.mark.parametrize(
    ("kept", "found"),
    [
        ({"name": "a.png", "size": 5, "mimeType": "image/png"}, MatchScore.EXACT),
        ({"name": "a.png", "size": 5, "mimeType": "application/octet-stream"}, MatchScore.ALIKE),
        ({"name": "a.png"}, MatchScore.ALIKE),
        ({"name": "b.png", "size": 5, "mimeType": "image/png"}, MatchScore.NONE),
        ({"name": "a.png", "size": 6, "mimeType": "image/png"}, MatchScore.NONE),
    ],
)
def test_files(kept, found):
    """Files are compared by name and size, as far as the server tells them."""
    about = {"file_name": "a.png", "file_size": 5, "mime_type": "image/png"}
    assert likeness("sendFile", {"content": {"temporalFileId": "t"}}, about, envelope(kept, kind=202)) is found


def test_surveys_are_known_by_their_secret():
    """A secret is random, so it decides alone; without it the title has to do."""
    request = {"content": {"secret": "s", "title": "Lunch", "path": "p"}}
    for kept, found in (
        ({"secret": "s", "title": "other"}, MatchScore.EXACT),
        ({"secret": "x", "title": "Lunch", "path": "p"}, MatchScore.NONE),
        ({"title": "Lunch"}, MatchScore.ALIKE),
        ({"title": "Dinner"}, MatchScore.NONE),
    ):
        assert likeness("sendSurvey", request, {}, envelope(kept, kind=204)) is found


def test_forwards_are_known_by_their_original():
    """Where an older server leaves the original's id out, it may be the one."""
    for kept, found in (
        ({"messageId": "o"}, MatchScore.EXACT),
        ({"messageId": "x"}, MatchScore.NONE),
        ({"text": "flat"}, MatchScore.ALIKE),
    ):
        assert likeness("forwardMessage", {"messageId": "o"}, {}, envelope(kept, kind=201)) is found


def test_text_and_caption_may_be_mistaken_for_each_other():
    """A text that reads like a caption shares a fingerprint with its file."""
    file = {"content": {"temporalFileId": "t", "caption": {"text": "<b>red</b>", "parseMode": "html"}}}
    assert fingerprints("sendMessage", text("red"), {})[0] in fingerprints("sendFile", file, {})


@pytest.mark.parametrize(
    ("candidates", "rivals", "mine", "all_lost", "found"),
    [
        ([], "a", "a", True, None),
        ([1], "a", "a", True, 1),
        ([1, 2], "ab", "b", True, 2),
        ([1], "ab", "a", True, 1),
        ([1], "ab", "b", True, None),
        ([1, 2], "ab", "a", False, 1),
        ([], "ab", "a", False, None),
        ([1, 2], "a", "a", True, UnclearError),
        ([1], "ab", "a", False, UnclearError),
    ],
)
def test_candidates_are_matched_in_order(candidates, rivals, mine, all_lost, found):
    """One to one where the numbers agree; of fewer the first were carried out; more are a doubt."""
    if found is UnclearError:
        with pytest.raises(UnclearError):
            whose(candidates, mine, list(rivals), are_all_lost=all_lost)
        return
    assert whose(candidates, mine, list(rivals), are_all_lost=all_lost) == found


@pytest.mark.parametrize(
    ("older", "window", "hole"),
    [
        ([1, 2, 3], [4, 5], False),
        ([1, 2, 3], [5], True),
        ([1, 2, 3], [4, 6], True),
        ([1, 4, 9], [16], False),
        ([], [1, 2], False),
        ([3], [], False),
        ([1, 2], [0], False),
    ],
)
def test_removed_message_shows_as_a_missing_number(older, window, hole):
    """Where messages are numbered one by one, a number that is missing since a sending is told."""
    numbered = [[{"timestamp": 1, "box": {"id": number}} for number in numbers] for numbers in (window, older)]
    assert has_hole(*numbered) is hole
