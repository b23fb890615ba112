"""Routers: which handler an event belongs to; how handlers are run, and on which thread, is `delivery`'s affair."""

from __future__ import annotations

import threading
import weakref
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from types import FunctionType
from typing import Any, Final, Protocol, TypeVar, Unpack

from tcnb.arguments import known_name
from tcnb.errors import UsageError
from tcnb.fsm import BaseStorage, FSMManager, FSMMiddleware, FSMStrategy, KeyBuilder
from tcnb.locks import fork_safe
from tcnb.routing.definitions import Run, current_run, placed
from tcnb.routing.events import EVERY, KINDS, Kind, raw_kind
from tcnb.routing.filters import Check, Conditions, Event, FilterLike, conditions, together
from tcnb.routing.handlers import Failure, Handler, ends_task
from tcnb.routing.middleware import Installed, Middleware, Middlewares, chained, is_own
from tcnb.routing.suggestions import suggestion_for

Function = TypeVar("Function", bound=Callable[..., Any])

MOST_FAILURES: Final = 100
"""Failures a router keeps, the last ones."""

# Handlers are defined on one thread and looked up on another: what is looked up is replaced as a whole, under this.
_lock = fork_safe(threading.RLock())


class Decorator:
    """What `router.message(…)` returns: called with a function, it makes that a handler and returns it unchanged."""

    def __init__(self, register: Callable[[Callable[..., Any]], None]) -> None:
        self._register = register

    def __call__(self, function: Function) -> Function:
        """Make the function a handler."""
        self._register(function)
        return function


@dataclass(frozen=True)
class Passage:
    """One event on its way through routers.

    Attributes:
        data: what filters, middlewares and handlers may take by name.
        me: the bot's own id.
        run: runs a handler.
        failed: notes that a filter of a handler raised.
    """

    data: dict[str, Any]
    me: str | None
    run: Callable[[Handler, Event, dict[str, Any]], Awaitable[None]]
    failed: Callable[[Handler, Event, BaseException], None]


class Definitions(Protocol):
    """Whoever looks at handlers as they are defined below a router."""

    def defined(self, handler: Handler) -> None:
        """Look at a handler that is about to be added; what is raised keeps it out."""

    def included(self, handlers: Iterable[Handler]) -> None:
        """Look at handlers that are there already, below a router that was included."""


class Router:
    """Handlers in the order in which they were defined, and routers below.

    An event goes to the first handler that it fits; only where none does, it goes on to the routers below, one after
    the other, until one has handled it.

    ```python
    @tc.router.message(chat="Release crew", command="status")
    async def on_status(message):
        await message.reply("all green")


    @tc.router.message(F.text == "hello")        # with the package magic-filter
    def on_hello(message, tc):                   # a plain function runs in a thread of its own
        tc.send(message.chat_id, "hello yourself")
    ```

    A handler gets the event, and by the names of its other parameters: `bot`, `tc` (the session), `update` (the
    notification as it came), `command`, `match`, and what filters and middlewares add. Defining it again replaces it.

    Args:
        name: its name; running its cell or file again, or another cell, replaces the router of that name.
        allow_child_on_event: whether events that it has handled go on to the routers below as well.
        skip_self_messages: whether messages that this account wrote itself are passed over.

    Attributes:
        failures: what went wrong in its handlers, the last hundred; a session's own router has those of all.
        definitions: told of every handler here and below; a session's own router has it.
    """

    def __init__(
        self, name: str | None = None, allow_child_on_event: bool = False, *, skip_self_messages: bool = True
    ) -> None:
        self.name = name or hex(id(self))
        self.allow_child_on_event = allow_child_on_event
        self.skip_self_messages = skip_self_messages
        self.failures: deque[Failure] = deque(maxlen=MOST_FAILURES)
        self._fsm: FSMManager | None = None
        self.definitions: Definitions | None = None
        self._label = name
        self._handlers: tuple[Handler, ...] = ()
        self._routers: tuple[Router, ...] = ()
        self._parents: weakref.WeakSet[Router] = weakref.WeakSet()
        self._runs: weakref.WeakKeyDictionary[Router, Run] = weakref.WeakKeyDictionary()
        self._outer = Middlewares("outer_middleware")
        self._inner = Middlewares("inner_middleware")

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r}: {len(self.handlers)} handlers>"

    @property
    def fsm(self) -> FSMManager | None:
        """Where the states of conversations are kept, as `setup_fsm` or a script has set it; None where none are."""
        return self._fsm

    @fsm.setter
    def fsm(self, manager: FSMManager | None) -> None:
        if not isinstance(manager, FSMManager | None):
            raise UsageError(f"fsm is an FSMManager(…) or None, not {manager!r}: call setup_fsm(storage=…)")
        with _lock:
            self._fsm = manager
            self._outer.first = None if manager is None else FSMMiddleware(manager)

    # -- what there is ---------------------------------------------------------------------------------------------

    @property
    def handlers(self) -> list[Handler]:
        """The handlers of this router and of those below, in the order in which they are tried."""
        return [handler for router in self._tree() for handler in router._handlers]

    @property
    def middlewares(self) -> list[Installed]:
        """The middlewares of this router and of those below, the outermost first, with their names."""
        return [one for router in self._tree() for side in (router._outer, router._inner) for one in side.listed]

    def pause(self, name: str) -> None:
        """Have the handlers of that name passed over until `resume`.

        Raises:
            UsageError: there is none.
        """
        for handler in self._named(name):
            handler.paused = True

    def resume(self, name: str) -> None:
        """Let the handlers of that name get events again.

        Raises:
            UsageError: there is none.
        """
        for handler in self._named(name):
            handler.paused = False

    def remove(self, name: str) -> None:
        """Take the handlers and middlewares of that name away; what is under way in them goes on.

        Raises:
            UsageError: there is none.
        """
        known = [*(handler.name for handler in self.handlers), *(one.name for one in self.middlewares)]
        name = known_name(name, known, "handler")
        with _lock:
            for router in self._tree():
                router._handlers = tuple(handler for handler in router._handlers if handler.name != name)
                router._outer.remove(name)
                router._inner.remove(name)

    def include_router(self, router: Router) -> None:
        """Put a router below this one; again changes nothing.

        One of the same name that an earlier run of the cell or file, or another cell, has put there is replaced.

        Raises:
            UsageError: it is above this one already, or no router.
        """
        if not isinstance(router, Router):
            raise UsageError(f"a router is a Router(…), not {router!r}")
        if any(below is self for below in router._tree()):
            raise UsageError(f"{router!r} cannot be below itself")
        with _lock:
            if router in self._routers:
                return
            before = self._routers
            run = self._runs[router] = current_run()
            if router._label is not None:
                self._keep(lambda other: other._label != router._label or not run.takes_name_of(self._run_of(other)))
            for handler in router.handlers:
                self._supersede(handler, router._label)
            gone = [position for position, other in enumerate(before) if other not in self._routers]
            at = gone[0] if gone else len(before)
            self._routers = (*self._routers[:at], router, *self._routers[at:])
            router._parents.add(self)
        for definitions in self._definitions():
            definitions.included(router.handlers)

    def include_routers(self, *routers: Router) -> None:
        """Put several routers below this one, in order."""
        for router in routers:
            self.include_router(router)

    def outer_middleware(self, middleware: Middleware) -> None:
        """Put something around the search for a handler, of this router and those below; it sees every event.

        Running a cell or file again replaces what it has put there; `remove` takes it away.
        """
        with _lock:
            self._outer.add(middleware, self.name)

    def inner_middleware(self, middleware: Middleware) -> None:
        """Put something around the handlers of this router and those below; it sees only events that one is for.

        It is replaced and taken away as an outer one.
        """
        with _lock:
            self._inner.add(middleware, self.name)

    def setup_fsm(
        self,
        *,
        fsm_manager: FSMManager | None = None,
        storage: BaseStorage | None = None,
        key_builder: KeyBuilder | None = None,
        strategy: FSMStrategy | None = None,
    ) -> FSMManager:
        """Keep states of conversations: handlers here and below may take `state`, and states are filters.

        Called again it begins anew, with the storage that is given then.

        Args:
            fsm_manager: all of the following in one.
            storage: where states are kept; in memory where nothing is said.
            key_builder: says whom an event is about.
            strategy: whose state is one and the same; each person's in each chat where nothing is said.

        Raises:
            UsageError: a manager and a storage are given, and nobody knows which one is meant.
        """
        if fsm_manager is not None and storage is not None:
            raise UsageError("give fsm_manager= or storage=, not both: a manager has its storage already")
        manager = fsm_manager or FSMManager(storage, key_builder, strategy or FSMStrategy.USER_IN_CHAT)
        self.fsm = manager
        return manager

    # -- defining handlers -----------------------------------------------------------------------------------------

    def message(self, *filters: FilterLike, **conditions: Unpack[Conditions]) -> Decorator:
        """Handle messages of people.

        Args:
            *filters: predicates, awaited or not, expressions of magic-filter, `Command(…)`, kinds of content; all
                must hold.
            **conditions: `chat`, `sender`, `text`, `command` and `content` (see `Conditions`).
        """
        return self._on("message", filters, conditions)

    def system_message(self, *filters: FilterLike, **conditions: Unpack[Conditions]) -> Decorator:
        """Handle messages in which the system tells of joins, leaves, roles and titles."""
        return self._on("system_message", filters, conditions)

    def edited_message(self, *filters: FilterLike, **conditions: Unpack[Conditions]) -> Decorator:
        """Handle changes of messages."""
        return self._on("edited_message", filters, conditions)

    def removed_message(self, *filters: FilterLike, **conditions: Unpack[Conditions]) -> Decorator:
        """Handle deletions of messages."""
        return self._on("removed_message", filters, conditions)

    def callback_query(self, *filters: FilterLike, **conditions: Unpack[Conditions]) -> Decorator:
        """Handle presses of buttons."""
        return self._on("callback_query", filters, conditions)

    def added_chat_participant(self, *filters: FilterLike, **conditions: Unpack[Conditions]) -> Decorator:
        """Handle that somebody was added to a chat."""
        return self._on("added_chat_participant", filters, conditions)

    def removed_chat_participant(self, *filters: FilterLike, **conditions: Unpack[Conditions]) -> Decorator:
        """Handle that somebody was removed from a chat, or left it."""
        return self._on("removed_chat_participant", filters, conditions)

    def changed_participant_role(self, *filters: FilterLike, **conditions: Unpack[Conditions]) -> Decorator:
        """Handle that somebody has another role in a chat."""
        return self._on("changed_participant_role", filters, conditions)

    changed_chat_participant_role = changed_participant_role

    def created_personal_chat(self, *filters: FilterLike, **conditions: Unpack[Conditions]) -> Decorator:
        """Handle that somebody opened a personal chat with the bot."""
        return self._on("created_personal_chat", filters, conditions)

    def created_group_chat(self, *filters: FilterLike, **conditions: Unpack[Conditions]) -> Decorator:
        """Handle that this account made a group."""
        return self._on("created_group_chat", filters, conditions)

    def created_channel(self, *filters: FilterLike, **conditions: Unpack[Conditions]) -> Decorator:
        """Handle that this account made a channel."""
        return self._on("created_channel", filters, conditions)

    def created_favorites_chat(self, *filters: FilterLike, **conditions: Unpack[Conditions]) -> Decorator:
        """Handle that this account's favorites were made."""
        return self._on("created_favorites_chat", filters, conditions)

    def removed_chat(self, *filters: FilterLike, **conditions: Unpack[Conditions]) -> Decorator:
        """Handle that a chat was deleted."""
        return self._on("removed_chat", filters, conditions)

    def edited_chat_title(self, *filters: FilterLike, **conditions: Unpack[Conditions]) -> Decorator:
        """Handle that a chat has another title."""
        return self._on("edited_chat_title", filters, conditions)

    def edited_chat_avatar(self, *filters: FilterLike, **conditions: Unpack[Conditions]) -> Decorator:
        """Handle that a chat has another avatar."""
        return self._on("edited_chat_avatar", filters, conditions)

    def cleared_chat_history(self, *filters: FilterLike, **conditions: Unpack[Conditions]) -> Decorator:
        """Handle that the history of a chat was cleared."""
        return self._on("cleared_chat_history", filters, conditions)

    def changed_file_upload_limits(self, *filters: FilterLike, **conditions: Unpack[Conditions]) -> Decorator:
        """Handle that the administrator changed what may be uploaded."""
        return self._on("changed_file_upload_limits", filters, conditions)

    def uploading_progress(self, *filters: FilterLike, **conditions: Unpack[Conditions]) -> Decorator:
        """Handle that more of a file has arrived on the server; only for files that were subscribed to."""
        return self._on("uploading_progress", filters, conditions)

    def unknown(self, *filters: FilterLike, **conditions: Unpack[Conditions]) -> Decorator:
        """Handle notifications that this version does not know; the handler gets an `Update`."""
        return self._on("unknown", filters, conditions)

    def any(self, *filters: FilterLike, **conditions: Unpack[Conditions]) -> Decorator:
        """Handle events of every kind."""
        return self._on("any", filters, conditions)

    def event(self, method: str | None = None, *filters: FilterLike) -> Decorator:
        """Handle notifications as they came: the handler gets an `Update` with `method` and `payload`.

        Args:
            method: its name on the wire, such as `sendMessage`; None takes all.
            *filters: what must hold of the `Update`.
        """
        if method is not None and not isinstance(method, str):
            _refuse_bare("event", (method,))
            raise UsageError(f"{method!r} is no name of a method such as 'sendMessage'")
        checks = [Check(condition) for condition in together(filters)]
        return Decorator(lambda function: self._add(Handler(function, raw_kind(method), checks, router=self.name)))

    def handle(
        self, function: Callable[..., Any], event: str, given: Conditions, *, name: str, key: tuple[str, ...]
    ) -> Handler:
        """Make a function a handler that is told apart by a key of its own instead of by where it was written.

        Args:
            function: the handler.
            event: the kind of event, as the decorator is called.
            given: the keywords of the decorator.
            name: what the handler is called in lists.
            key: the same key again replaces it.

        Raises:
            UsageError: there is no such kind, or it has not what is asked of it.
        """
        kind = _kind(event)
        handler = Handler(function, kind, _checks(kind, (), given), router=self.name, name=name, key=key)
        self._add(handler)
        return handler

    def _on(self, event: str, filters: tuple[FilterLike, ...], given: Conditions) -> Decorator:
        kind = _kind(event)
        _refuse_bare(event, filters)
        checks = _checks(kind, filters, given)
        return Decorator(lambda function: self._add(Handler(function, kind, checks, router=self.name)))

    def _add(self, handler: Handler) -> None:
        """Add a handler in the place of those that it replaces, or as the last."""
        for definitions in self._definitions():
            definitions.defined(handler)
        with _lock:
            for root in self._roots():
                root._supersede(handler, self._label, among=self)
            self._handlers = placed(self._handlers, handler, partial(handler.replaces, in_same_router=True))

    def _supersede(self, handler: Handler, label: str | None, among: Router | None = None) -> None:
        """Take the handlers away that a new one replaces, in routers below that have the same name, or none either.

        A cell that makes a router and puts it below the session's own does so again each time that it is run; the
        handlers of the older router would otherwise be the first to get the events.
        """
        for router in self._routers:
            had_handlers = bool(router.handlers)
            router._supersede(handler, label, among)
            if router is not among and router._label == label:
                router._handlers = tuple(
                    other for other in router._handlers if not handler.replaces(other, in_same_router=False)
                )
            if had_handlers and not router.handlers and router is not among:
                self._keep(lambda other, emptied=router: other is not emptied)  # type: ignore[misc]

    def _keep(self, is_kept: Callable[[Router], bool]) -> None:
        for router in self._routers:
            if not is_kept(router):
                router._parents.discard(self)
        self._routers = tuple(router for router in self._routers if is_kept(router))

    def _run_of(self, router: Router) -> Run:
        """Return the run that has put a router below this one."""
        return self._runs.get(router) or Run()

    def _put_routers(self, routers: Iterable[Router]) -> None:
        """Put other routers in the place of all those below."""
        with _lock:
            self._keep(lambda router: False)
            self._routers = tuple(routers)
            for router in self._routers:
                router._parents.add(self)
        for definitions in self._definitions():
            definitions.included(handler for router in self._routers for handler in router.handlers)

    def note_failure(self, failure: Failure, handler: Handler | None) -> None:
        """Keep a failure, here and in the router that the handler belongs to."""
        for router in self._tree():
            if router is self or handler in router._handlers:
                router.failures.append(failure)

    def _tree(self) -> Iterator[Router]:
        yield self
        for router in self._routers:
            yield from router._tree()

    def _roots(self) -> list[Router]:
        parents = list(self._parents)
        return [root for parent in parents for root in parent._roots()] if parents else [self]

    def _definitions(self) -> list[Definitions]:
        return [root.definitions for root in self._roots() if root.definitions is not None]

    def _named(self, name: str) -> list[Handler]:
        handlers = self.handlers
        name = known_name(name, (handler.name for handler in handlers), "handler")
        return [handler for handler in handlers if handler.name == name]

    @staticmethod
    def suggestion(event: Any, *, session: str = "tc") -> str:
        """Return the code of a handler for events such as this one, ready to be pasted into a cell.

        Args:
            event: an event of `tcnb.types`, or a row of `tc.df`: `print(tc.router.suggestion(tc.df.iloc[-1]))`.
            session: the variable that holds the session.

        Raises:
            UsageError: it is neither.
        """
        return suggestion_for(event, session=session)

    # -- an event's way --------------------------------------------------------------------------------------------

    def wanted(self) -> frozenset[str]:
        """Return the methods of the notifications that some handler wants, with `EVERY` and `unknown` for many."""
        found: set[str] = set()
        for router in self._tree():
            if router._outer.listed:
                return frozenset({EVERY})
            for handler in router._handlers:
                if not handler.paused:
                    found |= handler.kind.methods
        return frozenset(found)

    async def route(
        self,
        event: Event,
        passage: Passage,
        outer: tuple[Middleware, ...] = (),
        inner: tuple[Middleware, ...] = (),
    ) -> bool:
        """Take an event to the handler it belongs to, here or below.

        Args:
            event: the event.
            passage: what goes along with it.
            outer: middlewares of the routers above, which also stand around the search here.
            inner: middlewares of the routers above, which also stand around the handlers here.

        Returns:
            Whether it was handled, or ended by a middleware.
        """
        outer, inner = (*outer, *self._outer), (*inner, *self._inner)
        handled = await self._feed(event, passage, outer, inner)
        if handled and not self.allow_child_on_event:
            return True
        for router in self._routers:
            if await router.route(event, passage, outer, inner):
                return True
        return handled

    async def _feed(
        self, event: Event, passage: Passage, outer: tuple[Middleware, ...], inner: tuple[Middleware, ...]
    ) -> bool:
        reached = handled = False

        async def search(event: Event, data: dict[str, Any]) -> None:
            nonlocal reached, handled
            reached = True
            found = await self._match(event, data, passage)
            if found is None:
                return
            handled = True
            handler, event, more = found

            async def run(event: Event, data: dict[str, Any]) -> None:
                await passage.run(handler, event, data)

            await chained(inner, run)(event, {**data, **more})

        await chained(outer, search)(event, passage.data)
        return handled or not reached

    async def _match(
        self, event: Event, data: dict[str, Any], passage: Passage
    ) -> tuple[Handler, Event, dict[str, Any]] | None:
        """Return the first handler that the event fits, with what its filters made of it."""
        if self.skip_self_messages and is_own(event, passage.me):
            return None
        for handler in self._handlers:
            if handler.paused:
                continue
            try:
                found = await _ask(handler, event, data)
            except BaseException as error:
                if ends_task(error):
                    raise
                passage.failed(handler, event, error)
                continue
            if found is not None:
                return handler, *found
        return None


def _kind(event: str) -> Kind:
    return KINDS[known_name(event, KINDS, "event")]


def _refuse_bare(event: str, given: tuple[object, ...]) -> None:
    """Refuse a handler that was taken for a filter, since the decorator was written without its parentheses.

    A function that is being defined does not have its name yet; a filter was defined before and has it.

    Raises:
        UsageError: it is such a function.
    """
    function = given[0] if len(given) == 1 else None
    if not isinstance(function, FunctionType):
        return
    name = function.__code__.co_qualname
    if name.isidentifier() and function.__globals__.get(name) is not function:
        raise UsageError(
            f"no handler: @….{event} is written with parentheses, @….{event}(), as a function in them is a filter"
        )


def _checks(kind: Kind, filters: tuple[FilterLike, ...], given: Conditions) -> list[Check]:
    for keyword in given:
        if keyword not in Conditions.__annotations__:
            raise UsageError(f"there is no condition {keyword}=: there is {', '.join(Conditions.__annotations__)}")
        if keyword not in kind.conditions:
            known = ", ".join(sorted(kind.conditions)) or "none"
            raise UsageError(f"of {kind.name} the server does not say what {keyword}= asks for; conditions: {known}")
    return [Check(condition) for condition in (*together(filters), *conditions(given))]


async def _ask(handler: Handler, event: Event, data: dict[str, Any]) -> tuple[Event, dict[str, Any]] | None:
    """Return the event and what filters found for the handler; None if one does not hold."""
    if handler.kind.is_raw:
        event = data["update"]
        if not (EVERY in handler.kind.methods or event.method in handler.kind.methods):
            return None
    elif not isinstance(event, handler.kind.event_type):
        return None
    more: dict[str, Any] = {}
    for check in handler.checks:
        answer = await check.ask(event, data)
        if answer is False:
            return None
        if isinstance(answer, dict):
            if not answer:
                return None
            event = answer.pop("event", event)
            more |= answer
    return event, more
