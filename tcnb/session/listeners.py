"""Who wants to be told of something: a list of functions, each guarded from the others; what they are told of is not
known here.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, ParamSpec

from tcnb.arguments import describe
from tcnb.errors import UsageError
from tcnb.locks import fork_safe
from tcnb.routing.definitions import Definition, placed

P = ParamSpec("P")


@dataclass(frozen=True, eq=False)
class _Listener(Generic[P]):
    """One function that is called, and where it was defined."""

    function: Callable[P, None]
    definition: Definition


class Listeners(Generic[P]):
    """Functions that are called one after another; `add` may be called on any thread.

    Args:
        loop: the loop on which they are called.
        on_failure: told of what one of them raised, with its name.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, on_failure: Callable[[str, BaseException], None]) -> None:
        self._loop = loop
        self._on_failure = on_failure
        # Replaced as a whole: they are added on one thread and called on another.
        self._listeners: tuple[_Listener[P], ...] = ()
        self._lock = fork_safe(threading.Lock())

    def __bool__(self) -> bool:
        return bool(self._listeners)

    def add(self, listener: Callable[P, None]) -> Callable[[], None]:
        """Have `listener` called from now on; returns what ends that.

        One that an earlier run of the same cell or file has added is replaced.

        Raises:
            UsageError: it cannot be called.
        """
        if not callable(listener):
            raise UsageError(f"a listener is a function, not {describe(listener)}")
        new = _Listener(listener, Definition(listener))

        def is_replaced(one: _Listener[P]) -> bool:
            # Of widgets there are many of one class, whatever makes them.
            return not new.definition.is_ours and new.definition.replaces(one.definition)

        with self._lock:
            self._listeners = placed(self._listeners, new, is_replaced)

        def remove() -> None:
            with self._lock:
                self._listeners = tuple(one for one in self._listeners if one is not new)

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
        for listener in self._listeners:
            try:
                listener.function(*args, **kwargs)
            except BaseException as error:
                self._on_failure(listener.definition.name, error)
