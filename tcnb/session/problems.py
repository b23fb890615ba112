"""What goes wrong in listeners, and inside tcnb itself: kept and told like the failures of handlers."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterator

from tcnb.routing.handlers import Failure

logger = logging.getLogger("tcnb.session")


class Problems:
    """Notes what nobody expected to go wrong in one session; any thread may call.

    Args:
        note: keeps a failure, counts it and tells of it.

    Attributes:
        count: errors inside tcnb.
        last: the last of them: where it was, name and text of the exception, in one line.
    """

    def __init__(self, note: Callable[[Failure], None]) -> None:
        self.count = 0
        self.last: str | None = None
        self._note = note

    def inside(self, part: str, error: BaseException) -> None:
        """Note an error in a part of tcnb that goes on after it, or says itself that it does not."""
        logger.error("%s failed", part, exc_info=error)
        failure = Failure.of(error, handler="", event=part, chat_id=None)
        self.count += 1
        self.last = f"{part}: {failure.error}"
        self._note(failure)

    def in_listener(self, event: str, name: str, error: BaseException) -> None:
        """Note what a listener raised.

        Args:
            event: what it listens to.
            name: the name of the function.
            error: what it raised.
        """
        self._note(Failure.of(error, handler=name, event=event, chat_id=None))

    @contextlib.contextmanager
    def noted(self, part: str) -> Iterator[None]:
        """Note what is raised inside, and go on behind it."""
        try:
            yield
        except Exception as error:
            self.inside(part, error)
