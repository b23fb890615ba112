"""Filters: what must hold of an event for a handler to get it; a filter may also find something for the handler.

Those that the official client has keep its names and forms; the keywords `chat=`, `sender=`, `text=`, `command=` and
`content=` are filters as well.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Final, Protocol, TypeAlias, TypedDict

from tcnb.errors import UsageError
from tcnb.fsm import State, StateFilter
from tcnb.markup.text import plain
from tcnb.routing.names import ChatName, Names
from tcnb.types.contents import TextContent
from tcnb.types.enums import ChatType, MessageType
from tcnb.types.events import CallbackQuery, CreatedChat, EditedChatTitle, EditedMessage
from tcnb.types.messages import Message, SystemMessage
from tcnb.wire.names import folded, full_id, linked_chat
from tcnb.wire.paths import bare_id

Event: TypeAlias = Any
"""Any event of `tcnb.types`."""

Answer: TypeAlias = bool | dict[str, Any]
"""What a filter says: no, yes, or yes with what the handler may take by name."""


class Filter(Protocol):
    """Anything that is called with an event and tells whether it passes, awaited or not."""

    def __call__(self, event: Event, /) -> Answer | Awaitable[Answer]: ...


class Magic(Protocol):
    """An expression of the package magic-filter, which is no dependency: known by its method."""

    def resolve(self, value: Any) -> Any: ...


FilterLike: TypeAlias = Filter | Magic | MessageType | State | Callable[..., Any]
"""What a decorator takes: a predicate, an expression of magic-filter, a kind of content, or a state."""

Wanted: TypeAlias = Any


class Conditions(TypedDict, total=False):
    """The keywords of the decorators; each takes one value, or several of which one must do.

    Attributes:
        chat: id or title, or login or id of the other person of a personal chat.
        sender: login or id of who wrote or did it.
        text: the whole text, a compiled pattern to find in it, or a predicate on it; without markup.
        command: a command such as `start` for `/start`; of a press of a button, what the button says.
        content: `text`, `photo`, `video`, `sticker`, `document`, `voice`, `location`, `survey`, `forwarded`,
            `attachment`, a `MessageType`, or a class of content.
    """

    chat: Wanted
    sender: Wanted
    text: Wanted
    command: Wanted
    content: Wanted


class Check:
    """A filter made ready to be asked, with what it wants besides the event found out once.

    Raises:
        UsageError: it is nothing that can be asked.
    """

    def __init__(self, condition: FilterLike) -> None:
        if isinstance(condition, MessageType):
            condition = MessageFilter(condition)
        self.condition: Any = condition
        self._is_magic = callable(getattr(type(condition), "resolve", None))
        if not self._is_magic and not callable(condition):
            raise UsageError(
                f"{condition!r} is no filter: a filter is called with the event; for a text write text={condition!r}"
            )
        self._takes = frozenset() if self._is_magic else _names_taken(condition)
        self._event_name = None if self._is_magic else _name_of_event(condition)

    async def ask(self, event: Event, data: dict[str, Any]) -> Answer:
        """Return the filter's answer about an event; `data` is what it may also take by name."""
        if self._is_magic:
            return self._resolve(event)
        names = data.keys() - {self._event_name} if self._takes is None else self._takes & data.keys()
        more = {name: data[name] for name in names}
        answer = self.condition(event, **more)
        if inspect.isawaitable(answer):
            answer = await answer
        return dict(answer) if isinstance(answer, dict) else bool(answer)

    def same(self, other: Check) -> bool:
        """Tell whether two filters are the same, as far as that can be told."""
        # An expression of magic-filter answers a comparison with another expression, which is always true.
        if isinstance(self.condition, _COMPARABLE):
            return type(self.condition) is type(other.condition) and bool(self.condition == other.condition)
        return self.condition is other.condition

    def __str__(self) -> str:
        if self._is_magic:
            return "F…"
        if isinstance(self.condition, _COMPARABLE):
            return str(self.condition)
        return getattr(self.condition, "__name__", type(self.condition).__name__)

    def _resolve(self, event: Event) -> bool:
        # As in the official client: an expression about something that the event has not does not hold.
        try:
            return bool(self.condition.resolve(event))
        except Exception:
            return False


@dataclass(frozen=True)
class CommandObject:
    """A command that somebody gave.

    Attributes:
        prefix: what it began with.
        command: its name.
        args: what followed; None if nothing did.
        regexp_match: the match, where a pattern was asked for.
        magic_result: what an expression said of it.
    """

    prefix: str = "/"
    command: str = ""
    args: str | None = field(repr=False, default=None)
    regexp_match: re.Match[str] | None = field(repr=False, default=None)
    magic_result: Any = field(repr=False, default=None)

    @property
    def text(self) -> str:
        """The whole command as it was written."""
        return f"{self.prefix}{self.command} {self.args}" if self.args else f"{self.prefix}{self.command}"


class Command:
    """Passes texts that are one of these commands; the handler may take it as `command`.

    ```python
    @router.message(Command("echo"))
    async def echo(message, command):
        await message.answer(command.args or "what?")
    ```

    Args:
        *commands: names with or without the prefix, or compiled patterns that match one from its beginning.
        prefix: what commands begin with.
        ignore_case: whether capitals make no difference.
        magic: an expression of magic-filter on the `CommandObject`.
    """

    def __init__(
        self,
        *commands: str | re.Pattern[str],
        prefix: str = "/",
        ignore_case: bool = False,
        magic: Any = None,
    ) -> None:
        if not commands:
            raise UsageError('which command? Command("start")')
        for one in commands:
            if not isinstance(one, str | re.Pattern):
                raise UsageError(f"a command is a name or a compiled pattern, not {one!r}")
        self.commands = tuple(one if isinstance(one, re.Pattern) else one.removeprefix(prefix) for one in commands)
        self.prefix = prefix
        self.ignore_case = ignore_case
        self.magic = magic

    def __call__(self, event: Event) -> Answer:
        """Tell whether the event is one of the commands, and give it as `command`."""
        text = self._command_text(event)
        if not text.startswith(self.prefix):
            return False
        text = text.removeprefix(self.prefix)
        name = text.split(maxsplit=1)[0] if text[:1].strip() else ""
        # In a group a command may name the bot it is for: /start@robot.
        found = CommandObject(self.prefix, name.partition("@")[0], text[len(name) :].strip() or None)
        matched = self._matched(found.command)
        if matched is None:
            return False
        found = replace(found, regexp_match=matched if isinstance(matched, re.Match) else None)
        if self.magic is not None:
            result = self.magic.resolve(found)
            if not result:
                return False
            found = replace(found, magic_result=result)
        return {"command": found}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Command) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def __str__(self) -> str:
        return f"Command({', '.join(_shown(command) for command in self.commands)})"

    __repr__ = __str__

    def _key(self) -> tuple[Any, ...]:
        return self.commands, self.prefix, self.ignore_case, id(self.magic)

    def _command_text(self, event: Event) -> str:
        if isinstance(event, CallbackQuery):
            return event.command if event.command.startswith(self.prefix) else self.prefix + event.command
        if isinstance(event, Message) and isinstance(event.content, TextContent):
            return event.text or ""
        return ""

    def _matched(self, name: str) -> re.Match[str] | bool | None:
        for command in self.commands:
            if isinstance(command, re.Pattern):
                if matched := command.match(name):
                    return matched
            elif name == command or (self.ignore_case and name.casefold() == command.casefold()):
                return True
        return None


class MessageFilter:
    """Passes messages, and system messages, of these kinds.

    Args:
        *types: the kinds, as `MessageType` or as numbers.
    """

    def __init__(self, *types: MessageType | int) -> None:
        self.types = frozenset(int(type) for type in types)

    def __call__(self, event: Event) -> bool:
        """Tell whether the event is a message of one of the kinds."""
        return isinstance(event, Message | SystemMessage) and int(event.type) in self.types

    def __eq__(self, other: object) -> bool:
        return isinstance(other, MessageFilter) and self.types == other.types

    def __hash__(self) -> int:
        return hash(self.types)

    def __str__(self) -> str:
        return f"MessageFilter({', '.join(MessageType(type).name for type in sorted(self.types))})"


@dataclass(frozen=True)
class InstanceOfFilter:
    """Passes events of a class."""

    cls: type

    def __call__(self, event: Event) -> bool:
        """Tell whether the event is one."""
        return isinstance(event, self.cls)

    def __str__(self) -> str:
        return self.cls.__name__


@dataclass(frozen=True)
class ChatIs:
    """Passes what happens in a chat: an id, a title, or the other person of a personal chat by login or id."""

    wanted: tuple[str, ...]

    @cached_property
    def _ids(self) -> frozenset[str]:
        return frozenset(linked_chat(name) or name for name in self.wanted)

    async def __call__(self, event: Event, names: Names | None = None) -> bool:
        """Tell whether the event happened in one of the chats; without `names`, only ids are known."""
        chat_id = chat_of(event)
        if chat_id is None or chat_id in self._ids:
            return chat_id is not None
        return names is not None and await names.are_of(self.wanted, chat_id, _chat_said(event), sender_of(event))

    def __str__(self) -> str:
        return f"chat={_shown_all(self.wanted)}"


@dataclass(frozen=True)
class SenderIs:
    """Passes what a person did: a login of the bot's own server, or an id. Display names, which anybody may take, are
    none.
    """

    wanted: tuple[str, ...]

    def __call__(self, event: Event, bot: Any = None) -> bool:
        """Tell whether one of the people wrote or did it."""
        sender = sender_of(event)
        if sender is None:
            return False
        domain = str(getattr(bot, "me_id", "")).partition("@")[2]
        return any(folded(full_id(one, domain)) == folded(sender) for one in self.wanted)

    def __str__(self) -> str:
        return f"sender={_shown_all(self.wanted)}"


@dataclass(frozen=True)
class TextIs:
    """Passes texts: a whole text, a pattern to find (the handler may take the `match`), or a predicate."""

    wanted: tuple[Any, ...]

    def __call__(self, event: Event) -> Answer:
        """Tell whether the text is one of those asked for."""
        texts = texts_of(event)
        for wanted in self.wanted:
            for text in texts:
                if isinstance(wanted, re.Pattern):
                    if match := wanted.search(text):
                        return {"match": match}
                elif wanted(text) if callable(wanted) else wanted == text:
                    return True
        return False

    def __str__(self) -> str:
        return f"text={_shown_all(self.wanted)}"


@dataclass(frozen=True)
class ContentIs:
    """Passes messages that carry something: a kind of attachment, a kind of message, or a class of content."""

    wanted: tuple[str | MessageType | type, ...]

    def __call__(self, event: Event) -> bool:
        """Tell whether the message carries one of those."""
        return isinstance(event, Message | SystemMessage) and any(self._is(event, wanted) for wanted in self.wanted)

    def __str__(self) -> str:
        return f"content={_shown_all(self.wanted)}"

    @staticmethod
    def _is(event: Message | SystemMessage, wanted: str | MessageType | type) -> bool:
        if isinstance(wanted, str):
            return getattr(event, wanted, None) is not None
        if isinstance(wanted, MessageType):
            return event.type == wanted
        return isinstance(event.content, wanted)


_COMPARABLE: Final = (Command, MessageFilter, StateFilter, InstanceOfFilter, ChatIs, SenderIs, TextIs, ContentIs)

ATTACHMENTS: Final = ("photo", "video", "sticker", "document")
"""What an attachment can be: attributes of a message."""

CONTENT_NAMES: Final = {
    "text": MessageType.PLAIN_MESSAGE,
    "plain": MessageType.PLAIN_MESSAGE,
    "voice": MessageType.VOICE_MESSAGE,
    "location": MessageType.LOCATION,
    "survey": MessageType.SURVEY,
    "forwarded": MessageType.FORWARDED_MESSAGE,
    "attachment": MessageType.ATTACHMENT,
    "file": MessageType.ATTACHMENT,
} | {member.name.lower(): member for member in MessageType if member < MessageType.PLAIN_MESSAGE}
"""What a message can carry besides, by the name it has in `tc.df` or in a sentence."""


def together(filters: tuple[FilterLike, ...]) -> list[Any]:
    """Return the filters with one in the place of all states among them: whoever is in one of the states passes."""
    states = [one for one in filters if isinstance(one, State)]
    others = [one for one in filters if not isinstance(one, State)]
    return [StateFilter(*states), *others] if states else others


def conditions(given: Conditions) -> list[Any]:
    """Return the filters that keywords stand for.

    Raises:
        UsageError: a value cannot be meant.
    """
    made: list[Any] = []
    for keyword, value in given.items():
        if value is None:
            continue
        made.append(_MAKERS[keyword](_several(value)))
    return made


def chat_of(event: Event) -> str | None:
    """Return the id of the chat that an event is about."""
    chat_id = getattr(event, "chat_id", None) or getattr(getattr(event, "chat", None), "chat_id", None)
    return chat_id if isinstance(chat_id, str) else None


def title_of(event: Event) -> str | None:
    """Return the title of the chat that an event is about, where the event says it."""
    said = _chat_said(event)
    return None if said is None else said.title


def sender_of(event: Event) -> str | None:
    """Return who wrote or did it, without `/resource`; None where the server does not say."""
    for name in ("author", "added_by", "removed_by"):
        author = getattr(event, name, None)
        if author is not None:
            return bare_id(str(author.id))
    return None


def texts_of(event: Event) -> tuple[str, ...]:
    """Return the text of an event without its markup, and as it came where that differs."""
    if not isinstance(event, Message | EditedMessage) or not isinstance(event.content, TextContent):
        return ()
    raw = event.text or ""
    read = plain(raw, event.content.parse_mode)
    return (read,) if read == raw else (read, raw)


def _make_texts(wanted: tuple[Any, ...]) -> TextIs:
    for value in wanted:
        if not isinstance(value, str | re.Pattern) and not callable(value):
            raise UsageError(f"text= takes a text, a compiled pattern or a predicate, not {value!r}")
    return TextIs(wanted)


def _make_contents(wanted: tuple[Any, ...]) -> ContentIs:
    made: list[str | MessageType | type] = []
    for value in wanted:
        if isinstance(value, MessageType | type) or value in ATTACHMENTS:
            made.append(value)
        elif value in CONTENT_NAMES:
            made.append(CONTENT_NAMES[value])
        else:
            known = ", ".join((*ATTACHMENTS, *CONTENT_NAMES))
            raise UsageError(f"content= takes a MessageType, a class of content, or one of {known}, not {value!r}")
    return ContentIs(tuple(made))


def _make_names(keyword: str, attribute: str, made: Callable[[tuple[str, ...]], Any]) -> Callable[[Any], Any]:
    def make(wanted: tuple[Any, ...]) -> Any:
        names = tuple(getattr(value, attribute, value) for value in wanted)
        for name in names:
            if not isinstance(name, str) or not name.strip():
                raise UsageError(f"{keyword}= takes names or ids, not {name!r}")
        return made(tuple(name.strip() for name in names))

    return make


_MAKERS: Final[dict[str, Callable[[tuple[Any, ...]], Any]]] = {
    "chat": _make_names("chat", "chat_id", ChatIs),
    "sender": _make_names("sender", "user_id", SenderIs),
    "text": _make_texts,
    "command": lambda wanted: Command(*wanted),
    "content": _make_contents,
}


def _several(value: Any) -> tuple[Any, ...]:
    return tuple(value) if isinstance(value, list | tuple | set | frozenset) else (value,)


def _chat_said(event: Event) -> ChatName | None:
    """Return what the event itself says about its chat; None where it says the id only."""
    if isinstance(event, CreatedChat):
        return ChatName(event.title, event.chat_type == ChatType.P2P)
    if isinstance(event, EditedChatTitle):
        return ChatName(event.title)
    chat = getattr(event, "chat", None)
    if chat is None or chat.chat_type == ChatType.UNDEF:
        return None
    return ChatName(chat.chat_title, chat.chat_type == ChatType.P2P)


def _names_taken(condition: Any) -> frozenset[str] | None:
    """Return the names that a filter takes besides the event; None if it takes any."""
    try:
        parameters = list(inspect.signature(condition).parameters.values())
    except (ValueError, TypeError):
        return frozenset()
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
        return None
    first = [one for one in parameters if one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD)][:1]
    allowed = [one for one in parameters if one.kind in (one.POSITIONAL_OR_KEYWORD, one.KEYWORD_ONLY)]
    return frozenset(one.name for one in allowed if one not in first)


def _name_of_event(condition: Any) -> str | None:
    """Return what a filter calls the event, where that name cannot be given to something else."""
    try:
        first = next(iter(inspect.signature(condition).parameters.values()), None)
    except (ValueError, TypeError):
        return None
    return first.name if first is not None and first.kind is first.POSITIONAL_OR_KEYWORD else None


def _shown(value: Any) -> str:
    if isinstance(value, re.Pattern):
        return f"/{value.pattern}/"
    if isinstance(value, MessageType):
        return value.name.lower()
    return getattr(value, "__name__", repr(value))


def _shown_all(wanted: tuple[Any, ...]) -> str:
    return _shown(wanted[0]) if len(wanted) == 1 else f"[{', '.join(map(_shown, wanted))}]"
