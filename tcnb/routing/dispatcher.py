"""The dispatcher: a router whose routers below are independent of each other, as scripts have it at the top."""

from __future__ import annotations

from collections.abc import Iterable, MutableSequence
from dataclasses import replace
from typing import Any, overload

from tcnb.errors import UsageError
from tcnb.fsm import BaseStorage, FSMManager, FSMStrategy, KeyBuilder
from tcnb.routing.filters import Event
from tcnb.routing.middleware import Middleware, chained
from tcnb.routing.router import Passage, Router


class Dispatcher(Router):
    """A router whose routers below are independent of each other: each of them gets every event.

    For code that was written for the official client: `tc.router.include_router(dispatcher)`, or
    `tcnb.Bot(…, dispatcher=dispatcher)`.

    Args:
        name: as for `Router`.
        allow_child_on_event: as for `Router`.
        skip_self_messages: as for `Router`.
        storage: where states of conversations are kept, as for `setup_fsm`; without it none are.
        fsm_manager: as for `setup_fsm`.
        key_builder: as for `setup_fsm`.
        strategy: as for `setup_fsm`.
    """

    def __init__(
        self,
        name: str | None = None,
        allow_child_on_event: bool = False,
        *,
        skip_self_messages: bool = True,
        storage: BaseStorage | None = None,
        fsm_manager: FSMManager | None = None,
        key_builder: KeyBuilder | None = None,
        strategy: FSMStrategy | None = None,
    ) -> None:
        super().__init__(name, allow_child_on_event, skip_self_messages=skip_self_messages)
        if storage is not None or fsm_manager is not None:
            self.setup_fsm(fsm_manager=fsm_manager, storage=storage, key_builder=key_builder, strategy=strategy)

    @property
    def routers(self) -> MutableSequence[Router]:
        """The routers below, as a list that can be changed."""
        return _Routers(self)

    async def route(
        self,
        event: Event,
        passage: Passage,
        outer: tuple[Middleware, ...] = (),
        inner: tuple[Middleware, ...] = (),
    ) -> bool:
        """Take an event through every router below; the middlewares of the dispatcher see it once."""
        handled = reached = False
        inner = (*inner, *self._inner)

        async def each(event: Event, data: dict[str, Any]) -> None:
            nonlocal handled, reached
            reached = True
            inside = replace(passage, data=data)
            handled = await self._feed(event, inside, (), inner)
            for router in self._routers:
                handled = await router.route(event, inside, (), inner) or handled

        await chained((*outer, *self._outer), each)(event, passage.data)
        return handled or not reached


class _Routers(MutableSequence[Router]):
    """The routers below a dispatcher as a list; what is changed in it is changed there."""

    def __init__(self, dispatcher: Dispatcher) -> None:
        self._dispatcher = dispatcher

    def __repr__(self) -> str:
        return repr(list(self))

    def __len__(self) -> int:
        return len(self._dispatcher._routers)

    @overload
    def __getitem__(self, index: int) -> Router: ...
    @overload
    def __getitem__(self, index: slice) -> MutableSequence[Router]: ...
    def __getitem__(self, index: int | slice) -> Router | MutableSequence[Router]:
        if isinstance(index, slice):
            return list(self._dispatcher._routers[index])
        return self._dispatcher._routers[index]

    def __setitem__(self, index: int | slice, value: Any) -> None:
        changed: list[Router] = list(self._dispatcher._routers)
        changed[index] = value
        self._replace(changed)

    def __delitem__(self, index: int | slice) -> None:
        changed = list(self._dispatcher._routers)
        del changed[index]
        self._replace(changed)

    def insert(self, index: int, value: Router) -> None:
        """Put a router at a place among the others."""
        changed = list(self._dispatcher._routers)
        changed.insert(index, value)
        self._replace(changed)

    def _replace(self, routers: Iterable[Router]) -> None:
        routers = list(routers)
        for router in routers:
            if not isinstance(router, Router):
                raise UsageError(f"there are routers in this list, not {router!r}")
        self._dispatcher._put_routers(routers)
