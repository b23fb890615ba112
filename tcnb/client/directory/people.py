"""Who there is on the server and what they call themselves, as far as it is known or the server says it."""

from __future__ import annotations

from typing import Final

from tcnb.client.bot import Bot
from tcnb.errors import ApiErrorException
from tcnb.wire import codes, names
from tcnb.wire.paths import bare_id

UNCLEAR: Final = codes.TRANSIENT | {codes.ACCESS_DENIED, codes.NOT_ENOUGH_RIGHTS, codes.UNKNOWN_METHOD}
"""Refusals that do not say that somebody is not there."""


class People:
    """People by id and by display name, for one bot.

    Args:
        bot: asked for what is not known.

    Everything changes on the bot's loop; what changes nothing may be called from any thread.
    """

    def __init__(self, bot: Bot) -> None:
        self._bot = bot
        self._domain: str | None = None
        self._names: dict[str, str] = {}
        self._ids: dict[str, str] = {}
        self._called: dict[str, tuple[str, ...]] = {}
        self._absent: set[str] = set()

    @property
    def domain(self) -> str | None:
        """The part of this server's user ids behind the `@`; None before it is known."""
        return self._bot.me_id.partition("@")[2] or self._domain

    async def learn_domain(self) -> None:
        """Ask for the domain."""
        self._domain = (await self._bot.full_user_id("anybody")).partition("@")[2]

    def names(self) -> dict[str, str]:
        """Return the display names known now, by user id."""
        return self._names.copy()

    def learn(self, user_id: str, display_name: str) -> None:
        """Take note of a display name that the server told."""
        user_id = bare_id(user_id)
        known = self._ids.get(user_id.casefold())
        if known is not None:
            if (known, self._names[known]) == (user_id, display_name):
                return
            key = names.folded(self._names.pop(known))
            self._called[key] = tuple(other for other in self._called[key] if other != known)
        self._absent.discard(user_id.casefold())
        self._ids[user_id.casefold()] = user_id
        self._names[user_id] = display_name
        key = names.folded(display_name)
        self._called[key] = (*self._called.get(key, ()), user_id)

    def called(self, name: str) -> tuple[str, ...]:
        """Return the ids of the people who are known under that display name."""
        return self._called.get(names.folded(name), ())

    def name_of(self, user_id: str) -> str | None:
        """Return the display name of a user, where it is known."""
        return self._names.get(self.written(user_id))

    def written(self, user_id: str) -> str:
        """Return a user id as the server writes it, where that is known."""
        return self._ids.get(bare_id(user_id).casefold(), bare_id(user_id))

    def is_own(self, user_id: str) -> bool:
        """Tell whether a user is this account."""
        return bare_id(user_id).casefold() == self._bot.me_id.casefold()

    def known(self, user_id: str) -> bool | None:
        """Tell whether there is such an account; None where nobody has asked yet."""
        key = bare_id(user_id).casefold()
        if key in self._ids or self.is_own(user_id):
            return True
        return False if key in self._absent else None

    async def ask(self, user_id: str) -> bool:
        """Ask whether there is such an account: nobody's name is refused or empty (`protocol` section 17).

        Raises:
            ApiErrorException: the server does not say it.
        """
        try:
            name = (await self._bot.get_user_display_name(bare_id(user_id))).display_name
        except ApiErrorException as error:
            if error.code in UNCLEAR:
                raise
            name = ""
        if not name:
            self._absent.add(bare_id(user_id).casefold())
        elif self.known(user_id) is not True:
            self.learn(user_id, name)
        return bool(name)

    async def exists(self, user_id: str) -> bool:
        """Return whether there is such an account; whoever was absent before is asked for again."""
        return self.known(user_id) is True or await self.ask(user_id)

    def look_again(self, user_id: str | None = None) -> bool:
        """Have the server asked again for whoever was absent, one or all; returns whether anybody was."""
        absent = self._absent if user_id is None else self._absent & {user_id.casefold()}
        self._absent = self._absent - absent
        return bool(absent)
