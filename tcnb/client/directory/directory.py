"""Who is meant by a name: chats and people by id, login, title or display name; nothing is sent to anybody here.

One rule holds for everything that takes a chat or a person, in this order:

1. `#c_<id>@server` and the id of a chat are that chat.
2. `login@server` is that person, and so is one word that is the login of an account here.
3. Anything else is looked up among the titles of groups and channels and the display names of people. Strangers choose
   those, so a name that could mean two things is refused.

Nobody can take somebody else's id or login, so what is known of those is trusted; titles only as long as nothing was
heard that could have changed them.
"""

from __future__ import annotations

import asyncio
import difflib
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Final, NamedTuple

import msgspec

from tcnb.arguments import named_chat, named_person
from tcnb.client.bot import Bot
from tcnb.client.directory.candidates import By, Meaning, descriptions
from tcnb.client.directory.chat_list import UnfinishedListError, every_record
from tcnb.client.directory.people import UNCLEAR, People
from tcnb.client.history import Ask
from tcnb.errors import AmbiguousChatError, ApiErrorException, PortableError, UnknownChatError, UsageError
from tcnb.types.enums import ChatType
from tcnb.types.reading import whole_number
from tcnb.wire import codes, names
from tcnb.wire.paths import bare_id

SHORTEST_ID: Final = 20
"""Characters from which on an unknown name may be a chat's id; those seen have 36 or 40 (`protocol` section 4.1)."""

_LEAVING: Final = frozenset({"removeChat", "removeChatParticipant"})

LOOKS_OLD_AFTER: Final = _LEAVING | {
    "createP2PChat",
    "createGroupChat",
    "createChannel",
    "createFavoritesChat",
    "addChatParticipant",
    "editChatTitle",
}
"""Notifications after which the list of chats is read again before a title is looked up."""


class KnownChat(NamedTuple):
    """A chat the bot is in."""

    chat_id: str
    title: str | None
    chat_type: ChatType

    def __str__(self) -> str:
        return f"{self.title or 'untitled'} ({self.chat_id})"


class _Change(msgspec.Struct, rename="camel"):
    """What a notification says of who is where."""

    chat_id: str | None = None
    user_id: str | None = None


class _Question(PortableError):
    """A name cannot be looked up before the server was asked something."""

    def __init__(self, ask: Callable[..., Awaitable[Any]], *about: str) -> None:
        self.ask = ask
        self.about = about


class Directory:
    """Chats and people by name, for one bot.

    Args:
        bot: asked for what is not known.
        ask: asks the server for the list of chats, which may be too long to make objects of.
        until_open: waits for the connection, as long as a request would.
        on_chat: told of every chat that is read and was not known so.

    Attributes:
        people: who there is.
        problem: why the list of chats may lack some; None where it does not.

    Coroutines must be awaited on the bot's loop, and everything changes there; what changes nothing may be called from
    any thread.
    """

    def __init__(
        self, bot: Bot, ask: Ask, until_open: Callable[[], Awaitable[None]], on_chat: Callable[[KnownChat], None]
    ) -> None:
        self.people = People(bot)
        self.problem: str | None = None
        self._bot = bot
        self._ask = ask
        self._until_open = until_open
        self._on_chat = on_chat
        self._chats: dict[str, KnownChat] = {}
        self._titled: dict[str, tuple[str, ...]] = {}
        # What the server said of ids that are not in the list; None of those that are no chats.
        self._unlisted: dict[str, KnownChat | None] = {}
        # Who is at the other end of personal chats, and the other way round.
        self._peers: dict[str, str | None] = {}
        self._personal: dict[str, str] = {}
        self._changes = 1
        self._read = 0
        self._reading = asyncio.Lock()
        self._left: dict[str, KnownChat] = {}

    # -- what is known -----------------------------------------------------------------------------------------------

    def chats(self) -> list[KnownChat]:
        """Return the chats that the list had when it was read last."""
        return list(self._chats.values())

    def chat(self, chat_id: str) -> KnownChat | None:
        """Return what is known about the chat of that id; None for one that the bot is not known to be in."""
        return self._chats.get(chat_id) or self._unlisted.get(chat_id)

    def left(self, chat_id: str) -> KnownChat | None:
        """Return what was known about a chat that was removed, or that the bot was removed from."""
        return self._left.get(chat_id)

    def known_peer(self, chat_id: str) -> str | None:
        """Return the id of the other person of a personal chat, where it is known."""
        return self._peers.get(chat_id)

    def personal_chat(self, user_id: str) -> str | None:
        """Return the personal chat with a user, where it is known."""
        return self._personal.get(bare_id(user_id).casefold())

    # -- how it is kept up to date -------------------------------------------------------------------------------------

    @property
    def stale(self) -> bool:
        """Whether the list of chats may have changed since it was asked for last."""
        return self._read < self._changes

    def outdated(self) -> None:
        """Trust nothing that may change: the connection changed, and what happens in a break is not told."""
        self._changes += 1
        self._unlisted, self._personal = {}, {}
        self.people.look_again()

    def heard(self, method: str, payload: bytes | msgspec.Raw) -> None:
        """Take note of a notification among `LOOKS_OLD_AFTER`."""
        try:
            change = msgspec.json.decode(payload, type=_Change)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            change = _Change()
        if method.endswith("Participant") and change.user_id and not self.people.is_own(change.user_id):
            return  # the others come and go without changing any title
        self._changes += 1
        self._unlisted = {}
        if method in _LEAVING and change.chat_id is not None:
            gone = change.chat_id
            if gone in self._chats:
                self._left[gone] = self._chats[gone]
            self._chats = {chat_id: chat for chat_id, chat in self._chats.items() if chat_id != gone}
            self._personal = {user_id: chat_id for user_id, chat_id in self._personal.items() if chat_id != gone}

    async def refresh(self) -> None:
        """Read the list of chats from the server, unless somebody else has just done so."""
        wanted = self._changes + (not self.stale)
        # Whoever reads it now may have more time to wait for the connection than this caller has.
        await self._until_open()
        async with self._reading:
            if self._read < wanted:
                self._changes = max(self._changes, wanted)
                changes = self._changes
                await self._read_chats()
                # What changed while it was being read is read the next time.
                self._read = changes

    async def _read_chats(self) -> None:
        before, found, titled, problem = self._chats, dict[str, KnownChat](), dict[str, tuple[str, ...]](), None
        try:
            async for record in every_record(self._ask):
                known = _known(record)
                found[known.chat_id] = known
                key = names.folded(known.title or "")
                titled[key] = (*titled.get(key, ()), known.chat_id)
        except UnfinishedListError as error:
            problem = str(error)
        titled.pop("", None)
        # The list may lack a chat before the notification comes that says it is gone.
        self._left |= {chat_id: chat for chat_id, chat in before.items() if chat_id not in found}
        self._chats, self._titled, self.problem = found, titled, problem
        for chat_id, known in found.items():
            if before.get(chat_id) != known:
                self._on_chat(known)

    # -- who is meant ------------------------------------------------------------------------------------------------

    async def chat_id(self, chat: Any) -> str:
        """Return the id of the chat that is meant.

        Args:
            chat: an id, a link `#c_<id>@server`, a title, a display name, `login` or `login@server` (the personal chat,
                made if need be), or any object with a `chat_id`.

        Raises:
            UnknownChatError, AmbiguousChatError: with candidates.
        """
        name = named_chat(getattr(chat, "chat_id", chat))
        if self.chat(name) is not None:
            return name
        return await self.opened(name, await self._only(name))

    async def found(self, chat: Any) -> KnownChat:
        """Return the chat that is meant with its title and kind; arguments and errors as of `chat_id`."""
        chat_id = await self.chat_id(chat)
        known = self.chat(chat_id)
        if known is None:
            said = await self._bot.get_chat_by_id(chat_id)
            known = KnownChat(chat_id, said.title, said.chat_type)
        return known

    async def watched(self, chat: Any) -> str:
        """Return the id of the chat that is meant; where there is no personal chat yet, the person's, in lower case.

        Raises:
            UnknownChatError, AmbiguousChatError: with candidates.
        """
        name = named_chat(getattr(chat, "chat_id", chat))
        meaning = await self._only(name)
        if meaning.chat_id is not None or meaning.user_id is None or self.people.is_own(meaning.user_id):
            return await self.opened(name, meaning)
        await self._must_exist(name, meaning)
        return await self._personal_chat_in_list(meaning.user_id) or meaning.user_id.casefold()

    async def condition(self, chat: Any) -> Meaning:
        """Return the chat, or the person, that a condition on events names.

        Raises:
            UnknownChatError, AmbiguousChatError: with candidates.
            UsageError: it is a display name; the error names the login to write.
        """
        name = named_chat(getattr(chat, "chat_id", chat))
        meaning = await self._only(name)
        if meaning.by is By.DISPLAY_NAME:
            raise await self._refused(name, "chat", [meaning])
        await self._must_exist(name, meaning)
        return meaning

    async def waited(self, chat: Any) -> str:
        """Return the id of the chat that a condition names, as `condition` does; a personal chat is made if need be."""
        return await self.opened(named_chat(getattr(chat, "chat_id", chat)), await self.condition(chat))

    async def user_id(self, person: Any) -> str:
        """Return the full id of the person that a condition on events names by login or id.

        Raises:
            UnknownChatError: nobody has that login.
            AmbiguousChatError, UsageError: it is a display name; the error names the logins to choose from.
        """
        name = names.tidied(named_person(getattr(person, "user_id", person)))
        if names.is_word(name):
            if self.people.domain is None:
                await self.people.learn_domain()
            user_id = names.full_id(name, self.people.domain or "")
            if await self.people.exists(user_id):
                return self.people.written(user_id)
        called = [meaning for meaning in await self.meanings(name) if meaning.by is By.DISPLAY_NAME]
        if called:
            raise await self._refused(name, "sender", called)
        raise UnknownChatError(name, _similar(name, self._logins()), what="account")

    def at_hand(self, name: str, *, is_condition: bool = False) -> tuple[Meaning, ...] | None:
        """Return what `meanings` would; None where the server must be asked."""
        try:
            return self._looked_up(name, self._changes, is_condition=is_condition)
        except _Question:
            return None

    async def meanings(self, name: str, *, is_condition: bool = False) -> tuple[Meaning, ...]:
        """Return all that a name can mean now: nothing, one thing, or several.

        Args:
            name: as a person wrote it.
            is_condition: whether display names mean nobody, since the name decides whose words are obeyed.
        """
        changes, asked = self._changes, set[str]()
        is_read_anew = is_condition
        while True:
            try:
                found = self._looked_up(name, changes, is_condition=is_condition)
            except _Question as question:
                is_read_anew |= question.ask == self.refresh
                asked.update(question.about)
                await question.ask(*question.about)
                continue
            if found:
                return found
            user_id = names.full_id(names.tidied(name), self.people.domain or "").casefold()
            if user_id not in asked and self.people.look_again(user_id):
                continue  # nobody had that login when it was asked for; somebody may have it by now
            if is_read_anew:
                return found
            is_read_anew = True
            await self.refresh()

    def _looked_up(self, name: str, changes: int, *, is_condition: bool) -> tuple[Meaning, ...]:
        """Return what a name can mean by what is known.

        Args:
            name: as a person wrote it.
            changes: how many changes the list of chats must have seen.
            is_condition: as of `meanings`.

        Raises:
            _Question: the server must be asked before.
        """
        if name in self._chats:
            return (Meaning(name, self._peers.get(name)),)
        linked = names.linked_chat(name)
        if linked is not None:
            return self._by_id(linked)
        name = names.tidied(name)
        if names.is_user_id(name):
            return (self._person(name),)
        # The server knows an id at once; its list of chats may have thousands of pages.
        if names.is_word(name) and len(name) >= SHORTEST_ID and (found := self._by_id(name)):
            return found
        if self.people.domain is None:
            raise _Question(self.people.learn_domain)
        if names.is_word(name):
            user_id = names.full_id(name, self.people.domain)
            is_account = self.people.known(user_id)
            if is_account is None:
                raise _Question(self.people.ask, user_id.casefold())
            if is_account:
                return (self._person(user_id),)
        self._must_have_read(changes)
        return self._by_id(name) if name in self._chats else self._by_name(name, is_condition=is_condition)

    def _by_id(self, chat_id: str) -> tuple[Meaning, ...]:
        if chat_id not in self._chats and chat_id not in self._unlisted:
            raise _Question(self._ask_chat, chat_id)
        return () if self.chat(chat_id) is None else (Meaning(chat_id, self._peers.get(chat_id)),)

    def _by_name(self, name: str, *, is_condition: bool) -> tuple[Meaning, ...]:
        """Return the groups and channels of that title, and the people of that display name.

        Names may be written in any case, so case does not decide between two of them.
        """
        chats = self._chats  # which is replaced as a whole, on another thread maybe
        titled = [chats[chat_id] for chat_id in self._titled.get(names.folded(name), ()) if chat_id in chats]
        groups = [chat for chat in titled if chat.chat_type != ChatType.P2P]
        people = {} if is_condition else self._people(name, [chat for chat in titled if chat.chat_type == ChatType.P2P])
        return (*(Meaning(chat.chat_id, by=By.TITLE) for chat in groups), *people.values())

    def _people(self, name: str, personal: Iterable[KnownChat]) -> dict[str, Meaning]:
        """Return the people who are called so; `personal` are the personal chats that have this title."""
        called = self.people.called(name)
        found = {user_id.casefold(): self._person(user_id, By.DISPLAY_NAME) for user_id in called}
        for chat in personal:
            if called and chat.chat_id not in self._peers:
                raise _Question(self._ask_peer, chat.chat_id)  # it may be the chat with one of those
            peer = self._peers.get(chat.chat_id)
            found[(peer or chat.chat_id).casefold()] = Meaning(chat.chat_id, peer, By.DISPLAY_NAME)
        return found

    def _person(self, user_id: str, by: By = By.ID) -> Meaning:
        return Meaning(self.personal_chat(user_id), self.people.written(user_id), by)

    def _must_have_read(self, changes: int) -> None:
        if self._read < changes:
            raise _Question(self.refresh)

    # -- what the server is asked --------------------------------------------------------------------------------------

    async def _ask_chat(self, chat_id: str) -> None:
        """Ask for a chat that the list leaves out."""
        try:
            chat = await self._bot.get_chat_by_id(chat_id)
        except ApiErrorException as error:
            if error.code in codes.TRANSIENT:
                raise
            self._unlisted[chat_id] = None
            return
        known = self._unlisted[chat_id] = KnownChat(chat_id, chat.title, chat.chat_type)
        self._on_chat(known)

    async def peer(self, chat_id: str) -> str | None:
        """Return the id of the other person of a personal chat, for the favorites this account's; None for others."""
        if chat_id in self._peers:
            return self._peers[chat_id]
        if self.chat(chat_id) is None:
            await self._ask_chat(chat_id)
        chat = self.chat(chat_id)
        if chat is not None and chat.chat_type == ChatType.P2P:
            await self._ask_peer(chat_id)
        elif chat is not None and chat.chat_type == ChatType.FAVORITES:
            return self._bot.me_id
        return self._peers.get(chat_id)

    async def _ask_peer(self, chat_id: str) -> None:
        try:
            found = await self._bot.get_chat_participants(chat_id)
        except ApiErrorException as error:
            if error.code in codes.TRANSIENT:
                raise
            self._peers[chat_id] = None
            return
        self.learn_peer(chat_id, (one.user_id for one in found.participants))

    def learn_peer(self, chat_id: str, user_ids: Iterable[str]) -> None:
        """Take note of who is in a personal chat, as the server says it: nothing else can be trusted for that."""
        peer = next((bare_id(user_id) for user_id in user_ids if not self.people.is_own(user_id)), None)
        self._peers[chat_id] = peer
        if peer is not None:
            self._personal[peer.casefold()] = chat_id

    async def _personal_chat_in_list(self, user_id: str) -> str | None:
        """Return the personal chat with a user, where the list has one; its title is their name or id."""
        if self.stale:
            await self.refresh()
        for title in {names.folded(self.people.name_of(user_id) or user_id), names.folded(user_id)}:
            for chat_id in self._titled.get(title, ()):
                await self.peer(chat_id)
        return self.personal_chat(user_id)

    async def _must_exist(self, name: str, meaning: Meaning) -> None:
        if meaning.chat_id is None and meaning.user_id is not None and not await self.people.exists(meaning.user_id):
            raise self._unknown(name)

    async def opened(self, name: str, meaning: Meaning) -> str:
        """Return the id of the chat that `name` means; the personal chat of a person is made if need be.

        Raises:
            UnknownChatError: there is no such person.
        """
        if meaning.chat_id is not None:
            return meaning.chat_id
        user_id = meaning.user_id or name
        if self.people.is_own(user_id):
            return (await self._bot.create_favorites_chat()).chat_id
        try:
            chat_id = (await self._bot.create_personal_chat(user_id)).chat_id
        except ApiErrorException as error:
            if error.code in UNCLEAR:
                raise
            raise self._unknown(name) from error
        self.learn_peer(chat_id, [user_id])
        if chat_id not in self._chats:
            self._changes += 1
        return chat_id

    # -- names that do not do ------------------------------------------------------------------------------------------

    async def _only(self, name: str) -> Meaning:
        """Return the one thing that a name means.

        Raises:
            UnknownChatError: it means nothing.
            AmbiguousChatError: it means several things; or it might, as the list of chats could not be read to its end.
        """
        found = await self.meanings(name)
        if not found:
            raise self._unknown(name)
        problem = self.problem if found[0].by is not By.ID else None
        if len(found) > 1 or problem:
            raise AmbiguousChatError(name, await self._described(found), note=problem)
        return found[0]

    async def _refused(self, name: str, keyword: str, meanings: list[Meaning]) -> UsageError:
        """Return the error for a display name in the place of a login."""
        if len(meanings) > 1:
            return AmbiguousChatError(name, await self._described(meanings))
        (meaning,) = meanings
        user_id = meaning.user_id or await self.peer(meaning.chat_id or "")
        login = meaning.chat_id if user_id is None else names.login_of(user_id, self.people.domain or "")
        return UsageError(
            f"{name!r} is a display name, which anybody may take, and {keyword}= decides who is obeyed: "
            f"write {keyword}={login!r}"
        )

    async def _described(self, meanings: Iterable[Meaning]) -> list[str]:
        return await descriptions(self._bot, list(meanings), self.people.names())

    def _logins(self) -> list[str]:
        """Return what people who are known are written as: their logins, or the ids of those of other servers."""
        known = dict.fromkeys([*self.people.names(), *filter(None, self._peers.values())])
        return [names.login_of(user_id, self.people.domain or "") for user_id in known]

    def _unknown(self, name: str) -> UnknownChatError:
        titles = [chat.title for chat in self._chats.values() if chat.title]
        # Where the very title is there and not meant, since the name has the form of an id, its id is what to write.
        same = [str(self._chats[one]) for one in self._titled.get(names.folded(name), ()) if one in self._chats]
        close = same or _similar(name, [*titles, *self.people.names().values(), *self._logins()])
        return UnknownChatError(name, close, note=self.problem)


def _known(record: dict[str, Any]) -> KnownChat:
    """Read the record of a chat; what is mistyped is not known (`protocol` section 4.5)."""
    title, kind = record.get("title"), whole_number(record.get("chatType"))
    return KnownChat(record["chatId"], title if isinstance(title, str) else None, ChatType(kind or 0))


def _similar(name: str, known: Iterable[str], most: int = 5) -> list[str]:
    """Return the names that resemble one, best first."""
    wanted = names.folded(name)
    folded: dict[str, str] = {}
    for candidate in known:
        folded.setdefault(names.folded(candidate), names.tidied(candidate))
    close = difflib.get_close_matches(wanted, folded, n=most, cutoff=0.6)
    inside = [key for key in folded if wanted in key and key not in close]
    return [folded[key] for key in [*close, *inside][:most]]
