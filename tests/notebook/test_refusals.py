"""The sentences that a person reads in a widget when something is refused."""

from __future__ import annotations

import re
from typing import get_args

import pytest

from tcnb.errors import ApiErrorException, FileUploadError, NotConnectedError
from tcnb.notebook.widgets.refusals import Deed, refusal
from tcnb.wire.codes import MEANINGS


@pytest.mark.parametrize("deed", get_args(Deed))
@pytest.mark.parametrize("code", MEANINGS)
def test_every_code_has_a_sentence_and_its_details(code, deed):
    """For every code of the protocol there is a sentence without code or id, which stand in the details."""
    error = ApiErrorException(code, MEANINGS[code], method="sendMessage", chat_id="ce2bf00d")
    told = refusal(error, deed, message_id="m1")
    assert re.fullmatch(r"[A-Z][^\[\]]+[^.]", told.sentence)
    assert "this version does not know" not in told.sentence
    assert "ce2bf00d" not in told.sentence
    for part in (f"[{code}]", "sendMessage", "ce2bf00d", "message m1"):
        assert part in told.details


@pytest.mark.parametrize(
    ("deed", "sentence"),
    [
        ("write", "You may not write in this chat"),
        ("edit", "You may not change this message"),
        ("remove", "You may not delete this message"),
        ("forward", "You may not forward this message to that chat"),
        ("file", "You may not send files to this chat"),
    ],
)
def test_missing_right_names_what_was_wanted(deed, sentence):
    """Who lacks a right reads for what."""
    assert refusal(ApiErrorException(303, "not enough rights"), deed).sentence == sentence


def test_unknown_code_is_not_hidden():
    """A code that nobody knows yet is said to be unknown, and stands in the details."""
    told = refusal(ApiErrorException(999, "?", method="sendMessage"), "write")
    assert "does not know" in told.sentence
    assert "[999]" in told.details


def test_refused_upload_has_the_sentence_of_its_code():
    """An upload that was refused with a code is told by its sentence; one that broke off says itself what happened."""
    refused = FileUploadError("the server did not take plan.pdf: not enough space on the server [401]")
    refused.code = 401
    assert refusal(refused, "file").sentence == "There is no space left for files on the server"
    assert "[401]" in refusal(refused, "file").details
    assert refusal(FileUploadError("the upload of plan.pdf broke off"), "file").sentence.endswith("broke off")


def test_errors_of_tcnb_speak_for_themselves():
    """An error that is a sentence already is shown as it is."""
    told = refusal(NotConnectedError("the connection has been closed"), "write")
    assert (told.sentence, told.details) == ("the connection has been closed", "")
