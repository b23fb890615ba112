"""Who may do what in a chat: the matrix of roles, and nothing that carries an action out.

Source: `protocol` section 12, with its emulator defaults for the cells nobody has seen.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import Final

from tcnb.types.enums import ChatParticipantRole as Role
from tcnb.types.enums import ChatType


class Action(Enum):
    """What a role may or may not allow."""

    SPEAK = auto()
    MANAGE_PARTICIPANTS = auto()
    HIDE_FOREIGN = auto()
    REMOVE_FOREIGN = auto()
    CLEAR_FOR_ALL = auto()
    CHANGE_LOOK = auto()
    CHANGE_ROLES = auto()


_LEADERS: Final = frozenset({Role.OWNER, Role.ADMIN})
_MODERATORS: Final = _LEADERS | {Role.CONF_OWNER, Role.CONF_MODERATOR}

_ALLOWED: Final[dict[Action, frozenset[Role]]] = {
    Action.SPEAK: _MODERATORS | {Role.USER, Role.FAVORITES_OWNER, Role.WRITER},
    Action.MANAGE_PARTICIPANTS: _LEADERS,
    Action.HIDE_FOREIGN: _MODERATORS | {Role.USER, Role.WRITER},
    Action.REMOVE_FOREIGN: _MODERATORS,
    Action.CLEAR_FOR_ALL: _MODERATORS,
    Action.CHANGE_LOOK: _LEADERS,
    Action.CHANGE_ROLES: _LEADERS,
}
_CHANNEL_SPEAKERS: Final = _LEADERS | {Role.WRITER}

ROLES_IN: Final[dict[ChatType, frozenset[Role]]] = {
    ChatType.GROUP: frozenset({Role.OWNER, Role.ADMIN, Role.USER}),
    ChatType.CHANNEL: frozenset({Role.OWNER, Role.ADMIN, Role.WRITER, Role.USER}),
}
"""The roles that can be given in each kind of chat; other kinds have fixed roles."""


def allows(role: Role, chat_type: ChatType, action: Action) -> bool:
    """Return whether that role in that kind of chat may do that."""
    if action is Action.SPEAK and chat_type == ChatType.CHANNEL:
        return role in _CHANNEL_SPEAKERS
    return role in _ALLOWED[action]
