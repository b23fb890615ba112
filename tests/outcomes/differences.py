"""Where the two clients end differently although the same is asked: what the official one ends in, and the reason."""

from __future__ import annotations

from typing import Final, NamedTuple

from tests.outcomes.measuring import Key, Outcome

CHECKED: Final = "checked here before anything is sent, with the actual and the allowed value in the error"
NO_IMAGE: Final = "the bytes are looked at here before anything is uploaded"
EMPTY: Final = "there is nothing to say; whether a server takes it is not documented (`protocol` section 6.4)"
NOT_YET: Final = "the server has it, and the official client keeps it back until client applications show such answers"
SILENCE: Final = "real servers never answer it (`protocol` section 6.2); the error here names what to use instead"


class Difference(NamedTuple):
    """One row of the table.

    Attributes:
        theirs: the code of the server's refusal, the name of the official client's error, or `answered`.
        reason: why ours ends as the case says instead.
    """

    theirs: int | str
    reason: str


ANSWERED: Final = "answered"

DIFFERENCES: Final[dict[Key, Difference]] = {
    ("createP2PChat", "with oneself"): Difference("TimeoutError", SILENCE),
    ("getChats", "0 chats"): Difference(399, CHECKED),
    ("editChatTitle", "too long"): Difference(399, CHECKED),
    ("editChatAvatar", "no image"): Difference(408, NO_IMAGE),
    ("getChatParticipants", "page 0"): Difference(399, CHECKED),
    ("sendMessage", "empty"): Difference(399, EMPTY),
    ("sendMessage", "white space only"): Difference(ANSWERED, EMPTY),
    ("sendMessage", "unknown mode"): Difference(399, CHECKED),
    ("editMessage", "empty"): Difference(399, EMPTY),
    ("sendFile", "photo that is none"): Difference(ANSWERED, NO_IMAGE),
    ("sendFile", "caption of unknown mode"): Difference(399, CHECKED),
    ("answerCommand", "complete"): Difference("NotImplementedError", NOT_YET),
    ("answerCommand", "too long"): Difference("NotImplementedError", NOT_YET),
    ("answerCommand", "not ASCII"): Difference("NotImplementedError", NOT_YET),
    ("answerCommand", "unknown type"): Difference("NotImplementedError", NOT_YET),
}


def ending(outcome: Outcome) -> int | str:
    """Return how a case ended: a code, the name of an error, or ANSWERED."""
    if outcome.code is not None:
        return outcome.code
    return outcome.errors[0] if outcome.errors else ANSWERED


def is_same(ours: Outcome, theirs: Outcome) -> bool:
    """Tell whether both ended alike.

    Answers are alike if ours says all that theirs says; codes are alike if they are equal; errors if who catches the
    official one by its name catches ours.
    """
    if theirs.code is not None or ours.code is not None:
        return theirs.code == ours.code
    if theirs.errors or ours.errors:
        return bool(theirs.errors) and theirs.errors[0] in ours.errors
    return _says(ours.answer, theirs.answer)


def _says(ours: object, theirs: object) -> bool:
    if isinstance(theirs, dict) and isinstance(ours, dict):
        return all(name in ours and _says(ours[name], value) for name, value in theirs.items())
    if isinstance(theirs, list) and isinstance(ours, list):
        return len(ours) == len(theirs) and all(map(_says, ours, theirs))
    return ours == theirs
