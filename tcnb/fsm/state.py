"""The steps of a conversation and groups of them, as names; who is at which step is not known here."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tcnb.errors import UsageError


class State:
    """One step of a conversation, usually an attribute of a `StatesGroup`.

    Two states are equal if they have the same name, so a group may be defined again.

    Args:
        state: its name where it belongs to no group.
    """

    def __init__(self, state: str | None = None) -> None:
        self._given = state
        self._name: str | None = None
        self._group: type[StatesGroup] | None = None

    def bind(self, group: type[StatesGroup], name: str) -> None:
        """Make it the state of that name in a group; classes do so by themselves.

        Raises:
            UsageError: it belongs to a group already.
        """
        if self._group is not None:
            raise UsageError(f"{self!r} belongs to {self._group.__name__}: each group needs a State() of its own")
        self._group, self._name = group, name

    @property
    def state(self) -> str | None:
        """Its name, such as `Form:age` or `Registration.Address:city`; None for `default_state`.

        Raises:
            UsageError: it has none, since it stands outside of a group.
        """
        if self._given is not None:
            return self._given
        if self._group is None:
            raise UsageError('a state outside of a StatesGroup needs a name: State("survey:age")')
        return f"{self._group.__full_group_name__}:{self._name}"

    def __str__(self) -> str:
        return self.state or ""

    def __repr__(self) -> str:
        name = self._given or self._name
        return f"State({f'{self._group.__full_group_name__}:{name}' if self._group else name!r})"

    def __eq__(self, other: object) -> bool:
        if isinstance(other, State):
            return self.state == other.state
        return self.state == other if isinstance(other, str) or other is None else NotImplemented

    def __hash__(self) -> int:
        return hash(self.state)


class _NoState(State):
    """The state of somebody who is at no step."""

    @property
    def state(self) -> None:
        return None

    def __repr__(self) -> str:
        return "default_state"


class _StatesGroupType(type):
    """The class of groups: finds the states and the groups in a group's body."""

    __parent__: type[StatesGroup] | None
    __childs__: tuple[type[StatesGroup], ...]
    __states__: tuple[State, ...]

    def __init__(cls, name: str, bases: tuple[type, ...], namespace: dict[str, Any]) -> None:
        super().__init__(name, bases, namespace)
        cls.__parent__ = None
        cls.__states__ = tuple(value for value in namespace.values() if isinstance(value, State))
        cls.__childs__ = tuple(value for value in namespace.values() if isinstance(value, _StatesGroupType))  # type: ignore[misc]
        for attribute, value in namespace.items():
            if isinstance(value, State):
                value.bind(cls, attribute)  # type: ignore[arg-type]
        for child in cls.__childs__:
            child.__parent__ = cls  # type: ignore[assignment]

    @property
    def __full_group_name__(cls) -> str:
        return cls.__name__ if cls.__parent__ is None else f"{cls.__parent__.__full_group_name__}.{cls.__name__}"

    @property
    def __all_childs__(cls) -> tuple[type[StatesGroup], ...]:
        return tuple(group for child in cls.__childs__ for group in (child, *child.__all_childs__))

    @property
    def __all_states__(cls) -> tuple[State, ...]:
        return (*cls.__states__, *(state for child in cls.__childs__ for state in child.__all_states__))

    def __contains__(cls, item: object) -> bool:
        if isinstance(item, _StatesGroupType):
            return item in cls.__all_childs__
        return any(state == item for state in cls.__all_states__)

    def __iter__(cls) -> Iterator[State]:
        return iter(cls.__all_states__)


class StatesGroup(metaclass=_StatesGroupType):
    """The steps of one conversation, as attributes of a class; groups may stand inside groups.

    ```python
    class Form(StatesGroup):
        name = State()      # "Form:name"
        age = State()       # "Form:age"
    ```
    """

    @classmethod
    def get_root(cls) -> type[StatesGroup]:
        """Return the outermost group."""
        return cls if cls.__parent__ is None else cls.__parent__.get_root()


any_state = State("*")
"""Stands for every state, and for none."""

default_state = _NoState()
"""Stands for no state: nobody has begun."""
