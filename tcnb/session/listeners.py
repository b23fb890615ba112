"""Who wants to be told of something: a list of functions, each guarded from the others; what they are told of is not
known here.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Generic, ParamSpec

from tcnb.client.arguments import shown
from tcnb.errors import UsageError

P = ParamSpec("P")


class Listeners(Generic[P]):
    """Functions that are called one after another; `add` may be called on any thread.

    Args:
        loop: the loop on which they are called.
        on_failure: told of what one of them raised, with its name.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, on_failure: Callable[[str, BaseException], None]) -> None:
        self._loop = loop
        self._on_failure = on_failure
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
        """Have every listener called soon; on the loop, or where that has ended.

        They are called in a turn of the loop that is theirs alone: a listener that cancels the current task would
        otherwise cancel whatever has told it.
        """
        if not self._listeners:
            return
        try:
            self._loop.call_soon(lambda: self._call(*args, **kwargs))
        except RuntimeError:
            self._call(*args, **kwargs)

    def _call(self, *args: P.args, **kwargs: P.kwargs) -> None:
        """Call every listener; what goes wrong in one stops neither the others nor the thread."""
        for listener in list(self._listeners):
            try:
                listener(*args, **kwargs)
            except BaseException as error:
                self._on_failure(getattr(listener, "__name__", type(listener).__name__), error)
