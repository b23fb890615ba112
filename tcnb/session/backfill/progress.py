"""How far a session looks back after an absence, and what came of it: values only, nothing is looked for here."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

TOO_MANY: Final = "more messages are missing than are read each time"
NOT_ASKED: Final = "more requests are needed than are made each time"
REFUSED: Final = "the server did not answer as it should"
CLOSED: Final = "its history is not shown to this account"

UNFINISHED: Final = frozenset({TOO_MANY, NOT_ASKED, REFUSED})
"""Reasons for which a chat is looked into again."""


@dataclass(frozen=True)
class CatchUp:
    """How far a session looks back by itself after it was away.

    Attributes:
        messages: missing messages that are read into one chat each time; what is older is read the next time.
        requests: questions to the server each time; what is left is asked the next time.
        compared: newest messages of each chat that are compared for edits and removals, also where none is missing;
            0 compares only in chats that lack messages.
        searched: newest messages of a chat among which the message of an edit is looked for.
    """

    messages: int = 5_000
    requests: int = 2_000
    compared: int = 100
    searched: int = 500


@dataclass
class Progress:
    """What came of looking back, since the session began.

    Attributes:
        chats: chats to look through this time.
        looked: those of them that have been looked through.
        found: times that a chat lacked messages.
        filled: times that it lacked none any more.
        messages: messages that were missing and are in the record now.
        edits: edits that were found out, or whose message was.
        removals: removals that were found out.
        unmatched: edits whose message could not be told.
        left: chats that may still lack messages, and why.
        problem: why looking back was interrupted.
    """

    chats: int = 0
    looked: int = 0
    found: int = 0
    filled: int = 0
    messages: int = 0
    edits: int = 0
    removals: int = 0
    unmatched: int = 0
    left: dict[str, str] = field(default_factory=dict)
    problem: str | None = None

    @property
    def is_under_way(self) -> bool:
        """Whether it goes on now."""
        return self.looked < self.chats
