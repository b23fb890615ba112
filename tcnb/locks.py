"""Locks that several threads share, and what becomes of them when the process forks."""

from __future__ import annotations

import operator
import os
import threading
import weakref
from typing import Any, Final, TypeVar

L = TypeVar("L", bound=Any)

FORK_PATIENCE: Final = 1.0
"""Seconds for which a fork waits, altogether, until what locks guard is whole."""

_every: Final[set[weakref.ref[Any]]] = set()
_awaited: Final[set[weakref.ref[Any]]] = set()
_held: Final[dict[int, list[Any]]] = {}
"""By thread that forks: the locks that it took for that."""


def fork_safe(lock: L, *, whole: bool = False) -> L:
    """Have a lock free in a forked child; returns the lock.

    A fork copies the process with the one thread that forks: a lock that another thread held would stay held in the
    child, which would wait for it without end.

    Args:
        lock: a `threading.Lock` or `RLock`.
        whole: whether a child reads what the lock guards, so that it must not be copied half-done: whoever forks waits
            until nobody holds the lock. Who holds it may want no other lock.
    """
    for known in (_every, _awaited) if whole else (_every,):
        known.add(weakref.ref(lock, known.discard))
    return lock


def _before_fork() -> None:
    """Take the locks that are waited for; one that is not to be had in time is left, since a fork must never hang."""
    locks = _alive(_awaited)
    take = operator.methodcaller("acquire", timeout=FORK_PATIENCE / max(len(locks), 1))
    # In one call: an interrupt between taking a lock and noting it would leave it held for ever.
    _held.setdefault(threading.get_ident(), []).extend(filter(take, locks))


def _after_in_parent() -> None:
    ours = threading.get_ident()
    list(map(operator.methodcaller("release"), _held.get(ours, ())))
    _held.pop(ours, None)


def _after_in_child() -> None:
    """Free every lock: who held it is not here, but for this thread, which took some for the fork."""
    _held.clear()
    for lock in _alive(_every):
        # What the standard library does with its own: a lock of another thread cannot be released.
        lock._at_fork_reinit()


def _alive(known: set[weakref.ref[Any]]) -> list[Any]:
    # Numbered anew in every process, but the same for all its threads: two that fork at once take locks in one order.
    return sorted((lock for one in list(known) if (lock := one()) is not None), key=id)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_parent=_after_in_parent, after_in_child=_after_in_child)
