"""What may stand around handlers, under the official client's names; no handler is known here."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from tcnb.errors import UsageError
from tcnb.routing.definitions import Definition, placed
from tcnb.types.messages import Message
from tcnb.wire.paths import bare_id

Step = Callable[[Any, dict[str, Any]], Awaitable[None]]
"""The rest of an event's way: called with the event and what goes along with it."""


class Middleware(Protocol):
    """Something that stands around the rest of an event's way; the event ends where it does not call `handler`."""

    def __call__(self, handler: Step, event: Any, data: dict[str, Any], /) -> Awaitable[Any]: ...


class BaseMiddleware:
    """Base of middlewares: one that lets everything pass."""

    async def __call__(self, handler: Step, event: Any, data: dict[str, Any]) -> None:
        """Let the event go on.

        Args:
            handler: the rest of its way.
            event: the event.
            data: what goes along with it: `bot`, `tc`, `update`, and what middlewares add for handlers.
        """
        await handler(event, data)


class SkipSelfMessages(BaseMiddleware):
    """Ends messages that this account wrote itself; routers do that anyway unless told otherwise."""

    async def __call__(self, handler: Step, event: Any, data: dict[str, Any]) -> None:
        """Let the event go on unless it is a message of this account's own."""
        if not is_own(event, getattr(data.get("bot"), "me_id", None)):
            await handler(event, data)


def is_own(event: Any, me: str | None) -> bool:
    """Tell whether an event is a message that this account wrote itself."""
    if not me or not isinstance(event, Message):
        return False
    return bare_id(event.author.id).casefold() == me.casefold()


def checked(middleware: Middleware) -> Middleware:
    """Return a middleware as it was given.

    Raises:
        UsageError: it is the class of one, or none at all.
    """
    if isinstance(middleware, type):
        raise UsageError(
            f"a middleware is an object, and {middleware.__name__} is its class: write {middleware.__name__}()"
        )
    if not callable(middleware):
        raise UsageError(f"a middleware is called with handler, event and data, which {middleware!r} cannot be")
    return middleware


@dataclass(frozen=True)
class Installed:
    """A middleware of a router.

    Attributes:
        name: what it is called: the name of its class, or of the function.
        event: `outer_middleware` or `inner_middleware`, as the method that put it there.
        router: name of its router.
        middleware: the object.
        definition: where it was defined.
    """

    name: str
    event: str
    router: str
    middleware: Middleware
    definition: Definition


class Middlewares:
    """The middlewares of one router on one side, in order; what is looked up here is replaced as a whole.

    Attributes:
        listed: those that people have put there.
        first: one before them that belongs to the router itself.
    """

    def __init__(self, event: str) -> None:
        self.listed: tuple[Installed, ...] = ()
        self.first: Middleware | None = None
        self._event = event

    def __iter__(self) -> Iterator[Middleware]:
        return iter([*([] if self.first is None else [self.first]), *(one.middleware for one in self.listed)])

    def add(self, middleware: Middleware, router: str) -> None:
        """Add one in the place of those that it replaces, or as the last; the same object again changes nothing.

        Raises:
            UsageError: it is none.
        """
        definition = Definition(checked(middleware))
        new = Installed(definition.name, self._event, router, middleware, definition)
        self.listed = placed(self.listed, new, lambda one: definition.replaces(one.definition))

    def remove(self, name: str) -> None:
        """Take those of a name away."""
        self.listed = tuple(one for one in self.listed if one.name != name)


def chained(middlewares: Iterable[Middleware], last: Step) -> Step:
    """Return the way through middlewares, the first one outermost, to the last step."""
    step = last
    for middleware in reversed(tuple(middlewares)):
        step = _around(middleware, step)
    return step


def _around(middleware: Middleware, step: Step) -> Step:
    async def way(event: Any, data: dict[str, Any]) -> None:
        result = await middleware(step, event, data)
        if inspect.isawaitable(result):  # it says `return handler(event, data)`
            await result

    return way
