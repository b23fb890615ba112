"""Passwords and tokens as objects that do not show them, and errors whose tracebacks do not."""

from __future__ import annotations

import traceback
from typing import Any, Final, Never

HIDDEN: Final = "<hidden>"
"""What stands for a secret wherever one would be shown."""


class Secret:
    """A password or a token: only `reveal` returns it.

    Tracebacks with the values of variables (`%xmode Verbose`, rich, a reporter of errors), debuggers, `vars`, logs and
    f-strings show what it says of itself, which is nothing.

    Args:
        value: the secret.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    @classmethod
    def of(cls, value: Any) -> Any:
        """Return a text as a secret, and anything else as it is: None, a secret, what is going to be refused."""
        return cls(value) if isinstance(value, str) else value

    def reveal(self) -> str:
        """Return the secret itself, for whoever sends or stores it; no variable should hold that."""
        return self._value

    def hidden_in(self, text: str) -> str:
        """Return a text that others wrote without the secret, should it be in there."""
        return text.replace(self._value, HIDDEN) if self._value else text

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Secret):
            return self._value == other._value
        return self._value == other if isinstance(other, str) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._value)

    def __repr__(self) -> str:
        return HIDDEN

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: object) -> Secret:
        return self

    def __reduce__(self) -> Never:
        raise TypeError("a password or token is not pickled: it would stand in the file")


def without_locals(error: BaseException) -> None:
    """Forget the values of the variables that the tracebacks of an error and of its causes still hold.

    Libraries that send a secret hold it in variables of their own. Files and lines stay in the tracebacks. To be called
    while the error is handled: what still runs keeps its variables.
    """
    waiting: list[BaseException | None] = [error]
    seen: set[int] = set()
    while waiting:
        one = waiting.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        traceback.clear_frames(one.__traceback__)
        waiting += [one.__cause__, one.__context__]
        if isinstance(one, BaseExceptionGroup):
            waiting += one.exceptions
