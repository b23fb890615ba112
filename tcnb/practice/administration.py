"""The orders that a practice server takes over HTTP by name: faults, words in somebody's mouth, a look at its state."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from tcnb.practice.server import PracticeServer

_METHODS: Final = (
    "push",
    "push_raw",
    "drop_connections",
    "close_connections",
    "fail_next",
    "delay_next",
    "ignore_next",
    "drop_on_next",
    "fail_next_http",
    "expire_tokens",
    "set_upload_limits",
)
_SWITCHES: Final = (
    "refuse_logins",
    "password_login_disabled",
    "refuse_tokens",
    "deliver_twice",
    "cut_downloads_after",
    "silent_pongs",
)


def administer(server: PracticeServer, operation: str, arguments: dict[str, Any]) -> Any:
    """Carry out an order and return its result, which is JSON.

    Args:
        server: who carries it out.
        operation: a method of `PracticeServer` that makes faults, `set_faults`, `say` or `state`.
        arguments: by their names.

    Raises:
        LookupError: there is no such operation, fault, person or chat.
        TypeError, ValueError: the arguments do not fit.
    """
    orders: dict[str, Callable[..., Any]] = {name: getattr(server, name) for name in _METHODS}
    orders["set_faults"] = lambda **switches: _set_faults(server, switches)
    orders["say"] = lambda **words: _say(server, **words)
    orders["state"] = lambda: _state(server)
    if operation not in orders:
        raise LookupError(f"there is no operation {operation!r}; there are: {', '.join(sorted(orders))}")
    return orders[operation](**arguments)


def _set_faults(server: PracticeServer, switches: dict[str, Any]) -> None:
    for name, value in switches.items():
        if name not in _SWITCHES:
            raise LookupError(f"there is no fault {name!r}; there are: {', '.join(_SWITCHES)}")
        setattr(server.faults, name, value)


def _say(server: PracticeServer, author: str, chat: str, text: str, parse_mode: str = "text") -> str:
    world = server.world
    user = world.user(author if "@" in author else f"{author}@{world.domain}")
    named = (one for one in world.chats_of(user.user_id) if chat in (one.chat_id, one.title))
    found = next(named, None)
    if found is None:
        raise LookupError(f"{author!r} has no chat {chat!r}")
    message = world.say(user, found.chat_id, text, parse_mode)
    server.deliver()
    return message.message_id


def _state(server: PracticeServer) -> dict[str, Any]:
    accounts = [user for user in server.world.users.values() if user.is_account]
    return {
        "sessions": [session.user.user_id if session.user else None for session in server.sessions],
        "outstanding": sum(len(session.outstanding) for session in server.sessions),
        "unread": {user.login: len(server.world.unread(user.user_id)) for user in accounts},
        "chats": len(server.world.chats),
        "messages": len(server.world.messages),
        "malformed": server.malformed,
    }
