"""The filter that passes events of people who are at a step; other filters are the routers' affair."""

from __future__ import annotations

from typing import Any, Final

from tcnb.errors import UsageError
from tcnb.fsm.context import FSMContext
from tcnb.fsm.state import State

_NOT_SET_UP: Final = object()


class StateFilter:
    """Passes what somebody does who is in one of these states.

    `router.message(Form.name)` is the same as `router.message(StateFilter(Form.name))`.

    Args:
        *states: states or their names; None and `default_state` stand for nobody's, `any_state` and `"*"` for every.
    """

    def __init__(self, *states: State | str | None) -> None:
        self.states = frozenset(one.state if isinstance(one, State) else one for one in states)

    async def __call__(self, event: Any, *, state: FSMContext | None = _NOT_SET_UP) -> bool:  # type: ignore[assignment]
        """Tell whether the one who did it is in one of the states.

        Raises:
            UsageError: no states are kept for this router.
        """
        if state is _NOT_SET_UP:
            raise UsageError(
                "there are no states here: make the dispatcher with Dispatcher(storage=MemoryStorage()), "
                "or call router.setup_fsm()"
            )
        if state is None:
            return False
        return "*" in self.states or await state.get_state() in self.states

    def __eq__(self, other: object) -> bool:
        return isinstance(other, StateFilter) and self.states == other.states

    def __hash__(self) -> int:
        return hash(self.states)

    def __str__(self) -> str:
        return f"StateFilter({', '.join(sorted(map(str, self.states)))})"

    __repr__ = __str__
