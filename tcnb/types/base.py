"""What every object of the wire can do: be read, written, shown and bound to its bot; the objects are elsewhere.

Source: `protocol` sections 4 to 7.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Awaitable, Callable
from dataclasses import MISSING, Field, fields, is_dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final, NamedTuple, Protocol, Self, TypeVar, get_type_hints
from urllib.parse import urlsplit

from dataclasses_json import DataClassJsonMixin, LetterCase, Undefined, config
from dataclasses_json.cfg import global_config

from tcnb.console import one_line
from tcnb.errors import MalformedFrameError, NotConnectedError
from tcnb.types import enums
from tcnb.types.reading import Reader, reader_of

if TYPE_CHECKING:
    from tcnb.types.files import InputFile
    from tcnb.types.keyboard import InlineKeyboardMarkup
    from tcnb.types.responses import (
        AnswerCommandResponse,
        CreateFavoritesChatResponse,
        EditMessageResponse,
        ForwardMessageResponse,
        GetFileInfoResponse,
        GetMessageByIdResponse,
        GetUserDisplayNameResponse,
        RemoveMessageResponse,
        SendFileResponse,
        SendMessageResponse,
    )

C = TypeVar("C", bound=type[Any])


class _Step(NamedTuple):
    """How one field is read.

    Attributes:
        name: of the attribute.
        wire_name: of the field on the wire.
        reader: gives the attribute, or None for what it cannot read.
        stand_in: gives what stands for a missing value; None where the default of the attribute does.
    """

    name: str
    wire_name: str
    reader: Reader
    stand_in: Callable[[], Any] | None


_SHOWN_CHARACTERS: Final = 60
_SHOWN_ITEMS: Final = 3

# The library converts the case of every name on every call; there are few names.
camel: Callable[[str], str] = functools.cache(LetterCase.CAMEL)

for _kind in (enums.OpenIntEnum, enums.OpenStrEnum):
    for _enumeration in _kind.__subclasses__():
        global_config.encoders[_enumeration] = lambda member: member.value


class BotLike(Protocol):
    """The methods of a bot that the shortcuts of these objects call, under the official client's names."""

    @property
    def me_id(self) -> str:
        """The bot's own user id, without `/resource`."""

    @property
    def me_chat(self) -> Awaitable[str]:
        """The id of the bot's favorites chat, which is made if need be."""

    async def send_message(
        self,
        chat_id: str,
        text: str,
        parse_mode: enums.ParseMode | str = enums.ParseMode.TEXT,
        reply_message_id: str | None = None,
        *,
        buttons: InlineKeyboardMarkup | None = None,
    ) -> SendMessageResponse: ...

    async def reply_message(
        self, chat_id: str, message_id: str, text: str, parse_mode: enums.ParseMode | str = enums.ParseMode.TEXT
    ) -> SendMessageResponse: ...

    async def edit_message(
        self,
        message_id: str,
        text: str,
        parse_mode: enums.ParseMode | str = enums.ParseMode.TEXT,
        *,
        buttons: InlineKeyboardMarkup | None = None,
    ) -> EditMessageResponse: ...

    async def forward_message(self, chat_id: str, message_id: str) -> ForwardMessageResponse: ...

    async def remove_message(self, message_id: str, for_all: bool = False) -> RemoveMessageResponse: ...

    async def get_message_by_id(self, message_id: str) -> GetMessageByIdResponse: ...

    async def send_photo(
        self,
        chat_id: str,
        file: InputFile,
        preview: Any = ...,
        caption: str | None = None,
        parse_mode: enums.ParseMode | str = enums.ParseMode.TEXT,
        reply_message_id: str | None = None,
    ) -> SendFileResponse: ...

    async def send_document(
        self,
        chat_id: str,
        file: InputFile,
        caption: str | None = None,
        parse_mode: enums.ParseMode | str = enums.ParseMode.TEXT,
        reply_message_id: str | None = None,
    ) -> SendFileResponse: ...

    async def send_sticker(
        self, chat_id: str, file: InputFile, reply_message_id: str | None = None
    ) -> SendFileResponse: ...

    async def create_favorites_chat(self) -> CreateFavoritesChatResponse: ...

    async def get_user_display_name(self, user_id: str) -> GetUserDisplayNameResponse: ...

    async def get_file_info(self, file_id: str) -> GetFileInfoResponse: ...

    async def download_file_by_id(
        self,
        file_id: str,
        dest_path: str | Path | None = None,
        *,
        file_path: str | Path | None = None,
        size: int | None = None,
    ) -> bytes | Path: ...

    async def answer_command(
        self,
        command_id: str,
        answer_type: enums.CommandAnswerType | str,
        text: str,
        status: enums.CommandMessageStatus | str | None = None,
        visibility: enums.CommandMessageVisibility | str | None = None,
        level: enums.CommandMessageLevel | str | None = None,
    ) -> AnswerCommandResponse: ...


class NotGiven(Enum):
    """Stands for an argument that was not given, where None means something else."""

    TOKEN = "not given"


NOT_GIVEN: Final = NotGiven.TOKEN


def wire(
    *,
    name: str | None = None,
    read: Reader | None = None,
    write: Callable[[Any], Any] | None = None,
    omit: bool | NotGiven | None = NOT_GIVEN,
) -> dict[str, Any]:
    """Describe how a field stands on the wire, as metadata of that field.

    Args:
        name: its name there, where that is not the camel case of the attribute's.
        read: its reader, where the annotation does not say it.
        write: what turns it into plain JSON values.
        omit: the value with which it is left out there; without it, it is always written.
    """
    exclude = None if omit is NOT_GIVEN else lambda value: value is omit
    metadata: dict[str, Any] = dict(config(field_name=name, encoder=write, exclude=exclude))
    if read is not None:
        metadata["read"] = read
    return metadata


class WireObject(DataClassJsonMixin):
    """Base of the dataclasses that stand for objects of the wire; nothing unknown, missing or odd in one raises."""

    dataclass_json_config = config(letter_case=camel, undefined=Undefined.EXCLUDE)["dataclasses_json"]

    @classmethod
    def from_dict(cls, kvs: Any, *, infer_missing: bool = False) -> Self:
        """Read the object from a decoded payload, of either generation of the wire.

        Args:
            kvs: the payload; what is missing or cannot be read becomes the default, else an empty value.
            infer_missing: taken for the sake of dataclasses-json; everything missing is inferred anyway.

        Raises:
            MalformedFrameError: it is not an object at all.
        """
        if isinstance(kvs, cls):
            return kvs
        payload = cls._from_wire(_with_chat_id(kvs))
        if not isinstance(payload, dict):
            raise MalformedFrameError(f"not a {cls.__name__}: an object was expected, not {_kind_of(payload)}")
        # The library's own decoding raises where a value is not what the annotation says, and was measured to take
        # forty times longer for an event of four fields.
        try:
            return cls(**read_fields(cls, payload))
        except RecursionError:
            raise MalformedFrameError(f"not a {cls.__name__}: it is nested too deeply") from None

    @classmethod
    def _from_wire(cls, payload: Any) -> Any:
        """Bring the shapes that different servers give a payload to one; the payload itself is not changed."""
        return payload

    def as_wire(self) -> dict[str, Any]:
        """Return the object as the wire has it, with the names of the wire; `from_dict` reads it again."""
        return super().to_dict()

    def to_json(self, **options: Any) -> str:
        """Return the object as a text, with the names of the wire; `from_json` reads it again."""
        return json.dumps(self.as_wire(), **options)

    def to_dict(self, encode_json: bool = False) -> dict[str, Any]:
        """Return the attributes by their names, down to plain JSON values, as in the official client.

        Args:
            encode_json: taken for the sake of dataclasses-json; all values are plain anyway.
        """
        return {field.name: _plain(getattr(self, field.name)) for field in _fields(type(self))}

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(_shown_fields(self))})"


class BoundToBot:
    """Something that knows its bot, so that it has shortcuts to the bot's methods."""

    _bot: ClassVar[BotLike | None] = None

    @property
    def bot(self) -> BotLike:
        """The bot this object came from.

        Raises:
            NotConnectedError: it was not bound to one.
        """
        if self._bot is None:
            raise NotConnectedError(f"this {type(self).__name__} belongs to no bot: call its bind(bot) first")
        return self._bot

    def bind(self, bot: BotLike) -> Self:
        """Bind this object, and what it contains, to a bot.

        Returns:
            the object itself.
        """
        for value in vars(self).values():
            for item in value if isinstance(value, list) else (value,):
                if isinstance(item, BoundToBot):
                    item.bind(bot)
        self.__dict__["_bot"] = bot
        return self

    def __getstate__(self) -> dict[str, Any]:
        """Leave the bot behind when copied or pickled: a connection cannot be either."""
        return {name: value for name, value in self.__dict__.items() if name != "_bot"}


def adapted(adapt: Callable[[tuple[Any, ...], dict[str, Any]], None]) -> Callable[[C], C]:
    """Let the constructor of a dataclass also take the keywords that another version of the official client has.

    Args:
        adapt: gets the positional arguments and rewrites the keyword arguments in place.
    """

    def decorate(cls: C) -> C:
        init = cls.__init__

        @functools.wraps(init)
        def adapted_init(self: Any, *args: Any, **keywords: Any) -> None:
            adapt(args, keywords)
            init(self, *args, **keywords)

        cls.__init__ = adapted_init
        return cls

    return decorate


def renamed(**names: str) -> Callable[[C], C]:
    """Let the constructor of a dataclass take `another=` wherever it takes `name=`.

    Args:
        names: another name = the name.
    """

    def adapt(_: tuple[Any, ...], keywords: dict[str, Any]) -> None:
        for another in names.keys() & keywords.keys():
            if names[another] in keywords:
                raise TypeError(f"{another} and {names[another]} are the same: give one of them")
            keywords[names[another]] = keywords.pop(another)

    return adapted(adapt)


def wire_name(field: Field[Any]) -> str:
    """Return what a field is called on the wire."""
    named = field.metadata.get("dataclasses_json", {}).get("letter_case") or camel
    return str(named(field.name))


def read_fields(cls: Callable[..., Any], payload: dict[str, Any]) -> dict[str, Any]:
    """Return the attributes that a payload gives a class of the wire, each of the right type.

    Args:
        cls: the class; an attribute that has a default and is missing is left out.
        payload: the decoded payload.
    """
    attributes: dict[str, Any] = {}
    for step in _plan(cls):
        value = payload.get(step.wire_name)
        read = None if value is None else step.reader(value)
        if read is not None:
            attributes[step.name] = read
        elif step.stand_in is not None:
            attributes[step.name] = step.stand_in()
    return attributes


def shown_url(url: str) -> str:
    """Return an address without its query and its credentials, which may be secrets."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "an unreadable address"
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def shortened(text: str, most: int = _SHOWN_CHARACTERS) -> str:
    """Return a text that is not longer than `most` characters."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _plain(value: Any) -> Any:
    if isinstance(value, WireObject):
        return value.to_dict()
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value.value if isinstance(value, Enum) else value


@functools.cache
def _fields(cls: Callable[..., Any]) -> tuple[Field[Any], ...]:
    return fields(cls) if is_dataclass(cls) else ()


@functools.cache
def _plan(cls: Callable[..., Any]) -> tuple[_Step, ...]:
    """Return how each field of a class is read."""
    hints = get_type_hints(cls)
    steps = []
    for field in _fields(cls):
        reader, stand_in = reader_of(hints[field.name])
        required = field.default is MISSING and field.default_factory is MISSING
        steps.append(
            _Step(field.name, wire_name(field), field.metadata.get("read", reader), stand_in if required else None)
        )
    return tuple(steps)


def _with_chat_id(payload: Any) -> Any:
    """Return the payload with a `chatId` also where a newer server says it only in `chat`."""
    if isinstance(payload, dict) and payload.get("chatId") is None and isinstance(payload.get("chat"), dict):
        return {**payload, "chatId": payload["chat"].get("chatId")}
    return payload


def _kind_of(value: Any) -> str:
    if value is None:
        return "nothing"
    return {"list": "an array", "str": "a string", "bool": "a boolean"}.get(type(value).__name__, "a number")


def _shown_fields(thing: Any) -> list[str]:
    shown = []
    for field in _fields(thing.__class__):
        value = getattr(thing, field.name, None)
        if field.repr and value is not None and value != field.default:
            shown.append(f"{field.name}={_shown(value)}")
    return shown


def _shown(value: Any) -> str:
    if isinstance(value, Enum):
        return one_line(value.name, _SHOWN_CHARACTERS)
    if isinstance(value, str):
        safe = shown_url(value) if "://" in value and "?" in value else value
        return repr(shortened(safe))
    if isinstance(value, dict):
        return f"{{{one_line(', '.join(map(str, value)), _SHOWN_CHARACTERS)}}}"
    if isinstance(value, list):
        few = len(value) <= _SHOWN_ITEMS and not any(isinstance(item, list) for item in value)
        return f"[{', '.join(map(_shown, value))}]" if few else f"<{len(value)} items>"
    return repr(value) if isinstance(value, WireObject) else shortened(repr(value))
