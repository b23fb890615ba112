"""Who wants to be told of something: a list of functions, each guarded from the others; what they are told of is not
known here.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable
from typing import Generic, ParamSpec

from tcnb.client.arguments import shown
from tcnb.errors import UsageError

logger = logging.getLogger("tcnb.session")

P = ParamSpec("P")


class Listeners(Generic[P]):
    """Functions that are called one after another; `add` may be called on any thread."""

    def __init__(self) -> None:
        self._listeners: list[Callable[P, None]] = []

    def __bool__(self) -> bool:
        return bool(self._listeners)

    def add(self, listener: Callable[P, None]) -> Callable[[], None]:
        """Have `listener` called from now on; returns what ends that.

        Raises:
            UsageError: it cannot be called.
        """
        if not callable(listener):
            raise UsageError(f"a listener is a function, not {shown(listener)}")
        self._listeners.append(listener)

        def remove() -> None:
            with contextlib.suppress(ValueError):
                self._listeners.remove(listener)

        return remove

    def tell(self, *args: P.args, **kwargs: P.kwargs) -> None:
        """Call every listener; what goes wrong in one is its own affair and stops nothing here."""
        for listener in list(self._listeners):
            try:
                listener(*args, **kwargs)
            except Exception:
                logger.exception("a listener failed")
