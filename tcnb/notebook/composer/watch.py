"""Which messages that a composer sent, changes or answers have been deleted; what it does then is not known here."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping
from typing import Any, Final, Protocol

from tcnb.notebook.widgets.editing import MESSAGE_GONE

INTERVAL: Final = 0.1
"""Seconds between two looks into the record, however fast it grows."""

STEP: Final = 500
"""Rows read at once, so that a flood never holds up the bot's loop."""

GONE: Final[Mapping[str, str]] = {
    "edit": f"{MESSAGE_GONE}. What stands in the field is untouched.",
    "reply": "the message is not there any more, so it cannot be answered. What stands in the field is untouched.",
}
"""What a person is told who wants to change or answer a message that is not there, by what was wanted."""

GONE_MEANWHILE: Final[Mapping[str, str]] = {
    "edit": "The message that was being changed has been deleted. What you wrote stays here, as a new message.",
    "reply": "The message that was being answered has been deleted. What you wrote stays here, and answers nothing.",
}
"""The same for one that was deleted while it was being changed or answered."""


class Session(Protocol):
    """What is needed of a session."""

    @property
    def loop(self) -> asyncio.AbstractEventLoop: ...
    @property
    def record(self) -> Any: ...


class Watch:
    """Looks for removals of messages in what comes into the record, as long as there are any to look for.

    Args:
        session: the connected bot.
        concerns: gives the ids of the messages that matter now.
        on_removed: called with the id of each of them that was deleted.

    Everything happens on the session's loop.
    """

    def __init__(
        self, session: Session, concerns: Callable[[], Collection[str]], on_removed: Callable[[str], None]
    ) -> None:
        self._session = session
        self._concerns = concerns
        self._on_removed = on_removed
        self._read_to: int = session.record.last_seq
        self._timer: asyncio.TimerHandle | None = None
        self._looked = 0.0

    def grown(self) -> None:
        """The record has grown: look at once, or as soon as the last look is long enough ago."""
        loop = self._session.loop
        if self._timer is None and not loop.is_closed():
            self._timer = loop.call_later(max(0.0, self._looked + INTERVAL - loop.time()), self._look)

    def close(self) -> None:
        """Look no more."""
        if self._timer is not None:
            self._timer.cancel()

    def _look(self) -> None:
        self._timer, self._looked = None, self._session.loop.time()
        record, concerns = self._session.record, self._concerns()
        if not concerns:
            self._read_to = record.last_seq
            return
        rows = record.rows(self._read_to, STEP)
        for row in rows:
            self._read_to = row["seq"]
            if row["event"] == "removed_message" and row["message_id"] in concerns:
                self._on_removed(row["message_id"])
        if len(rows) == STEP:
            self._looked = 0.0
            self.grown()
