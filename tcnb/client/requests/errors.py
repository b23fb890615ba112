"""What is said when nobody can tell whether a request was carried out; how that is found out is not known here."""

from __future__ import annotations

from typing import Final

from tcnb.client.requests.policy import Kind, rule_for
from tcnb.errors import OutcomeUnknownError, PortableError, RequestTimeoutError, UnansweredError

_HARMLESS: Final = "repeating it does no harm"

_ADVICE: Final = {
    "createGroupChat": "look into the list of chats before you repeat it",
    "createChannel": "look into the list of chats before you repeat it",
    "answerCommand": "whoever pressed the button may have seen it already",
}


class UnclearError(PortableError):
    """What the server shows does not tell whether a request was carried out; the text says why."""


def unknown(method: str, reason: str) -> OutcomeUnknownError:
    """Return the error for a request whose answer was lost, and of which nobody can tell whether it was done."""
    return OutcomeUnknownError(
        f"{method}: the connection broke before the server's answer came, so it may or may not have been carried out "
        f"({reason}): {_advice(method)}"
    )


def unanswered(method: str, seconds: float) -> UnansweredError:
    """Return the error for a request that changes something and got no answer in time."""
    return UnansweredError(
        f"{method}: no answer from the server within {seconds:g} s, so it may or may not have been carried out: "
        f"{_advice(method)}"
    )


def unreadable(method: str) -> OutcomeUnknownError:
    """Return the error for a request that changes something and got an answer that says nothing."""
    return OutcomeUnknownError(
        f"{method}: the server's answer cannot be read, so it may or may not have been carried out: {_advice(method)}"
    )


def silent(method: str, seconds: float) -> RequestTimeoutError:
    """Return the error for a question that got no answer in time."""
    return RequestTimeoutError(f"{method}: no answer from the server within {seconds:g} s")


def _advice(method: str) -> str:
    if rule_for(method).kind is Kind.REPEAT:
        return _HARMLESS
    return _ADVICE.get(method, "look into the chat before you repeat it")
