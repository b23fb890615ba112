"""Messages: what a user said, what the system recorded, what was said last in a chat; changes to them are events.

Source: `protocol` sections 4.5 and 5.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Awaitable
from dataclasses import dataclass, field
from html import escape, unescape
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias, TypeVar

from tcnb.console import one_line
from tcnb.errors import ApiErrorException, FileDownloadError, UsageError
from tcnb.types.base import NOT_GIVEN, BoundToBot, NotGiven, WireObject, adapted, shortened, wire
from tcnb.types.common import Chat, EnvelopeAuthor, EnvelopeBox
from tcnb.types.contact import Contact
from tcnb.types.contents import (
    CONTENT_TYPES,
    AbstractEnvelopeContent,
    Attachment,
    AttachmentContent,
    Document,
    Location,
    Photo,
    Sticker,
    SystemMessageContent,
    TextContent,
    UnknownContent,
    UserMessageContent,
    Video,
    Voice,
    content_by_shape,
    read_content,
    write_content,
)
from tcnb.types.conversions import input_file
from tcnb.types.enums import MessageType, ParseMode
from tcnb.types.keyboard import InlineKeyboardMarkup
from tcnb.types.reading import anything, whole_number

if TYPE_CHECKING:
    from tcnb.types.conversions import FileSource
    from tcnb.types.responses import (
        ForwardMessageResponse,
        RemoveMessageResponse,
        SendFileResponse,
        SendMessageResponse,
    )

A = TypeVar("A", bound=Attachment)

logger = logging.getLogger("tcnb")

# A server sends one level of replies; forwards of forwards are rare. Beyond that a frame is made to hurt its reader.
_MOST_NESTED: Final = 16

_QUOTE: Final = re.compile(r'<quote\s++class="reply">')
_QUOTE_END: Final = "</quote>"
_BREAKS: Final = re.compile(r"(?:<br\s*+/?>)*+")
_MENTION: Final = re.compile(r"""(?:href=["']|\]\()trueconf:([^"'&/?)\s]+)""", re.IGNORECASE)
_CONTACT_LINK: Final = re.compile(
    r"""<a\s++href=["']trueconf:([^"'&/?]++)[^"']*+["']\s*+>((?:(?!</a>).)*+)</a>""", re.DOTALL | re.IGNORECASE
)


class _Quote(NamedTuple):
    """A quote in a text: where it begins and ends, and what is quoted."""

    begin: int
    end: int
    text: str


def _quote(text: str) -> _Quote | None:
    """Return the first quote of a text; None where there is none that ends."""
    opening = _QUOTE.search(text)
    end = -1 if opening is None else text.find(_QUOTE_END, opening.end())
    # Where the first one does not end, none behind it does: a search for both at once would try each.
    if opening is None or end < 0:
        return None
    return _Quote(opening.start(), end + len(_QUOTE_END), text[opening.end() : end])


def _either_generation(positional: tuple[Any, ...], keywords: dict[str, Any]) -> None:
    """Let a message be made with a chat and without its id, and without a box, as newer clients do by keywords only."""
    chat = keywords.get("chat")
    if isinstance(chat, Chat) and not positional:
        keywords.setdefault("chat_id", chat.chat_id)
        keywords.setdefault("box", None)


@adapted(_either_generation)
@dataclass(repr=False)
class Message(BoundToBot, WireObject):
    """What a user said in a chat.

    Attributes:
        timestamp: when, in milliseconds since 1970.
        type: what kind of content it carries.
        author: who said it.
        box: where it stands in the order of the chat; None in forwarded originals.
        content: what it carries, according to `type`; `UnknownContent` for a kind nobody knows yet.
        message_id: its id.
        chat_id: the chat it was said in.
        is_edited: whether it was changed afterwards.
        reply_message_id: the message it answers; None where it answers none.
        chat: the chat with what the server says about it; an older server says only the id.
        reply_message: the message it answers, from servers that send it along.

    Source: `protocol` section 5.
    """

    timestamp: int
    type: MessageType
    author: EnvelopeAuthor
    box: EnvelopeBox | None = field(metadata=wire(omit=None))
    content: UserMessageContent | SystemMessageContent | Message = field(
        metadata=wire(read=anything, write=write_content)
    )
    message_id: str
    chat_id: str
    is_edited: bool
    reply_message_id: str | None = None
    chat: Chat = field(default=None)  # type: ignore[assignment]  # filled from chat_id
    reply_message: Message | None = field(
        default=None, metadata=wire(read=lambda raw: _replied(raw), write=lambda it: it and it.as_wire(), omit=None)
    )

    def __post_init__(self) -> None:
        if self.chat is None:
            self.chat = Chat(self.chat_id)

    @classmethod
    def _from_wire(cls, payload: Any) -> Any:
        return with_chat(_with_content(payload))

    def __repr__(self) -> str:
        return _described(self)

    @property
    def from_user(self) -> EnvelopeAuthor:
        """Who said it; another name of `author`."""
        return self.author

    @property
    def content_type(self) -> MessageType:
        """What kind of content it carries; another name of `type`."""
        return self.type

    @property
    def text(self) -> str | None:
        """The text with its markup, without the quote it may begin with; None where it is no text.

        Source: `protocol` section 10.3.
        """
        if not isinstance(self.content, TextContent):
            return None
        text, quote = self.content.text, _quote(self.content.text)
        if quote is None or quote.begin:
            return text
        breaks = _BREAKS.match(text, quote.end)
        return text[quote.end if breaks is None else breaks.end() :]

    @property
    def quote(self) -> str | None:
        """The part of another message that this one quotes; None where it quotes none.

        Source: `protocol` section 10.3.
        """
        quoted = _quote(self.content.text) if isinstance(self.content, TextContent) else None
        return None if quoted is None else unescape(quoted.text)

    @property
    def mention(self) -> bool | None:
        """True if the text mentions the bot, or everybody; None otherwise.

        Source: `protocol` section 10.2.
        """
        if not isinstance(self.content, TextContent):
            return None
        text = self.content.text
        if text.strip() == "@all":
            return True
        mentioned = {unescape(user_id).lower() for user_id in _MENTION.findall(text)}
        return True if mentioned and _bare(self.bot.me_id).lower() in mentioned else None

    @property
    def photo(self) -> Photo | None:
        """The image it carries; None where it carries none."""
        return _attachment(self, Photo, "image/")

    @property
    def video(self) -> Video | None:
        """The video it carries; None where it carries none."""
        return _attachment(self, Video, "video/")

    @property
    def sticker(self) -> Sticker | None:
        """The sticker it carries; None where it carries none."""
        return _attachment(self, Sticker, "sticker/")

    @property
    def document(self) -> Document | None:
        """The file it carries, if that is neither photo, video nor sticker; None otherwise."""
        if isinstance(self.content, AttachmentContent) and _kind(self.content) not in ("image/", "video/", "sticker/"):
            return _attachment(self, Document, _kind(self.content))
        return None

    @property
    def voice(self) -> Voice | None:
        """The voice message it is; None where it is none."""
        return self.content if isinstance(self.content, Voice) else None

    @property
    def location(self) -> Location | None:
        """The place it tells; None where it tells none."""
        return self.content if isinstance(self.content, Location) else None

    @property
    def forwarded_message(self) -> Message | None:
        """The original that it forwards; None where it is no forward."""
        return self.content if isinstance(self.content, Message) else None

    @property
    def contact(self) -> Awaitable[Contact | None]:
        """The contact it shares, to be awaited: `await message.contact`; None where it shares none.

        A text that is one mention and nothing else shares that user. A card is downloaded, and the name of a TrueConf
        user is asked for, once a message.

        Source: `protocol` section 5.2.
        """
        return self._find_contact()

    async def answer(
        self, text: str, parse_mode: ParseMode | str = ParseMode.HTML, *, buttons: InlineKeyboardMarkup | None = None
    ) -> SendMessageResponse:
        """Send a text to the same chat; a shortcut for the bot's `send_message`.

        Args:
            text: what to say.
            parse_mode: how its markup is to be read.
            buttons: an inline keyboard under it.

        Source: `protocol` section 6.4.
        """
        more: dict[str, Any] = {} if buttons is None else {"buttons": buttons}
        return await self.bot.send_message(chat_id=self.chat_id, text=text, parse_mode=parse_mode, **more)

    async def reply(
        self,
        text: str,
        parse_mode: ParseMode | str = ParseMode.HTML,
        *,
        buttons: InlineKeyboardMarkup | None = None,
        quote: str | None = None,
    ) -> SendMessageResponse:
        """Answer this very message; a shortcut for the bot's `reply_message`.

        Args:
            text: what to say.
            parse_mode: how its markup is to be read.
            buttons: an inline keyboard under it.
            quote: the part of this message that is shown above the answer.

        Raises:
            UsageError: the quote is not in this message.

        Source: `protocol` sections 6.4 and 10.3.
        """
        if quote is not None:
            text, parse_mode = self._quoting(quote, text, parse_mode)
        if buttons is None:
            return await self.bot.reply_message(
                chat_id=self.chat_id, message_id=self.message_id, text=text, parse_mode=parse_mode
            )
        return await self.bot.send_message(
            chat_id=self.chat_id, text=text, parse_mode=parse_mode, reply_message_id=self.message_id, buttons=buttons
        )

    async def answer_photo(
        self,
        file_path: FileSource | NotGiven = NOT_GIVEN,
        preview_path: FileSource | NotGiven | None = NOT_GIVEN,
        caption: str | None = None,
        parse_mode: ParseMode | str = ParseMode.TEXT,
        *,
        file: FileSource | NotGiven = NOT_GIVEN,
        preview: FileSource | NotGiven | None = NOT_GIVEN,
    ) -> SendFileResponse:
        """Send a photo to the same chat; a shortcut for the bot's `send_photo`.

        Args:
            file_path: the image: a path, bytes, a URL, an `InputFile`, a PIL image or a matplotlib figure.
            preview_path: the small image shown in the chat; without it, or with None, the bot makes one.
            caption: a text under it.
            parse_mode: how the markup of the caption is to be read.
            file: another name of `file_path`.
            preview: another name of `preview_path`.

        Source: `protocol` sections 6.6 and 8.1.
        """
        return await self._send_photo(
            _one_of("answer_photo", file_path=file_path, file=file),
            preview if preview_path is NOT_GIVEN else preview_path,
            caption=caption,
            parse_mode=parse_mode,
        )

    async def answer_document(
        self,
        file_path: FileSource | NotGiven = NOT_GIVEN,
        caption: str | None = None,
        parse_mode: ParseMode | str = ParseMode.TEXT,
        *,
        file: FileSource | NotGiven = NOT_GIVEN,
    ) -> SendFileResponse:
        """Send a file to the same chat; a shortcut for the bot's `send_document`.

        Args:
            file_path: the file: a path, bytes, a URL, an `InputFile`, a PIL image or a matplotlib figure.
            caption: a text under it.
            parse_mode: how the markup of the caption is to be read.
            file: another name of `file_path`.

        Source: `protocol` sections 6.6 and 8.1.
        """
        source = await input_file(_one_of("answer_document", file_path=file_path, file=file))
        return await self.bot.send_document(chat_id=self.chat_id, file=source, caption=caption, parse_mode=parse_mode)

    async def answer_sticker(
        self,
        file_path: FileSource | NotGiven = NOT_GIVEN,
        *,
        file: FileSource | NotGiven = NOT_GIVEN,
    ) -> SendFileResponse:
        """Send a sticker to the same chat; a shortcut for the bot's `send_sticker`.

        Args:
            file_path: the image: a path, bytes, a URL, an `InputFile`, a PIL image or a matplotlib figure.
            file: another name of `file_path`.

        Source: `protocol` sections 6.6 and 8.1.
        """
        source = await input_file(_one_of("answer_sticker", file_path=file_path, file=file), as_image=True)
        return await self.bot.send_sticker(chat_id=self.chat_id, file=source)

    async def reply_photo(
        self,
        file: FileSource,
        preview: FileSource | NotGiven | None = NOT_GIVEN,
        caption: str | None = None,
        parse_mode: ParseMode | str = ParseMode.TEXT,
    ) -> SendFileResponse:
        """Answer this very message with a photo; arguments as of `answer_photo`."""
        return await self._send_photo(
            file, preview, caption=caption, parse_mode=parse_mode, reply_message_id=self.message_id
        )

    async def reply_document(
        self, file: FileSource, caption: str | None = None, parse_mode: ParseMode | str = ParseMode.TEXT
    ) -> SendFileResponse:
        """Answer this very message with a file; arguments as of `answer_document`."""
        return await self.bot.send_document(
            chat_id=self.chat_id,
            file=await input_file(file),
            caption=caption,
            parse_mode=parse_mode,
            reply_message_id=self.message_id,
        )

    async def reply_sticker(self, file: FileSource) -> SendFileResponse:
        """Answer this very message with a sticker; arguments as of `answer_sticker`."""
        return await self.bot.send_sticker(
            chat_id=self.chat_id, file=await input_file(file, as_image=True), reply_message_id=self.message_id
        )

    async def forward(self, chat_id: str) -> ForwardMessageResponse:
        """Forward this message; a shortcut for the bot's `forward_message`.

        Args:
            chat_id: the chat to forward it to.

        Source: `protocol` section 6.4.
        """
        return await self.bot.forward_message(chat_id=chat_id, message_id=self.message_id)

    async def copy_to(self, chat_id: str) -> SendMessageResponse | None:
        """Say the same text in another chat, without its author and what it answers.

        Args:
            chat_id: the chat to say it in.

        Returns:
            None if this message is no text; then nothing is sent.

        Source: `protocol` section 6.4.
        """
        if not isinstance(self.content, TextContent):
            logger.warning("copy_to copies texts only and this is a %s: forward() takes it", self.type.name)
            return None
        return await self.bot.send_message(chat_id=chat_id, text=self.text or "", parse_mode=self.content.parse_mode)

    async def delete(self, for_all: bool = False) -> RemoveMessageResponse:
        """Delete this message; a shortcut for the bot's `remove_message`.

        Args:
            for_all: whether for everybody; otherwise only the bot no longer sees it.

        Source: `protocol` section 6.4.
        """
        return await self.bot.remove_message(message_id=self.message_id, for_all=for_all)

    async def save_to_favorites(self, copy: bool = False) -> SendMessageResponse | ForwardMessageResponse | None:
        """Put this message into the bot's favorites, a chat that is made if need be.

        Args:
            copy: whether to say the text anew instead of forwarding the message.

        Returns:
            None if a copy was wanted and this message is no text; then nothing is sent.

        Source: `protocol` section 6.2, `createFavoritesChat`.
        """
        favorites = await self.bot.me_chat
        return await (self.copy_to(favorites) if copy else self.forward(favorites))

    def _quoting(self, quote: str, text: str, parse_mode: ParseMode | str) -> tuple[str, ParseMode | str]:
        """Return a text, and its mode, that begins with a quote of this message."""
        if not quote.strip():
            raise UsageError("the quote is empty: leave it out, or give a part of the message that is answered")
        if self.text is not None and quote not in self.text and quote not in unescape(self.text):
            raise UsageError(f"the quote {shortened(quote)!r} is not in the message that is answered")
        if parse_mode == ParseMode.MARKDOWN:
            return "\n".join(f"> {line}" for line in quote.splitlines()) + f"\n\n{text}", parse_mode
        body = text if parse_mode == ParseMode.HTML else escape(text, quote=False).replace("\n", "<br>")
        return f'<quote class="reply">{escape(quote, quote=False)}</quote><br><br>{body}', ParseMode.HTML

    async def _send_photo(self, file: Any, preview: Any, **arguments: Any) -> SendFileResponse:
        source = await input_file(file, as_image=True)
        if preview is not NOT_GIVEN:
            arguments["preview"] = None if preview is None else await input_file(preview, as_image=True)
        return await self.bot.send_photo(chat_id=self.chat_id, file=source, **arguments)

    async def _find_contact(self) -> Contact | None:
        if "_contact" not in self.__dict__:
            self.__dict__["_contact"] = await self._fetch_contact()
        return self.__dict__["_contact"]  # type: ignore[no-any-return]

    async def _fetch_contact(self) -> Contact | None:
        if isinstance(self.content, AttachmentContent) and self.content.mime_type.lower() == "text/vcard":
            return await self._fetch_card(self.content)
        link = _CONTACT_LINK.fullmatch(self.content.text.strip()) if isinstance(self.content, TextContent) else None
        if link is None:
            return None
        user_id, name = unescape(link[1]), unescape(link[2])
        try:
            name = (await self.bot.get_user_display_name(user_id)).display_name or name
        except ApiErrorException as error:
            logger.debug("the server does not name %s, the link does: %s", user_id, error)
        return Contact(user_id=user_id, first_name=name)

    async def _fetch_card(self, content: AttachmentContent) -> Contact | None:
        try:
            card = await content.download()
        except FileDownloadError as error:
            logger.debug("the card of a contact is not to be had: %s", error)
            return None
        return Contact.from_vcard(card.decode("utf-8", "replace")) if isinstance(card, bytes) else None


class ForwardMessage(Message):
    """The original of a forwarded message: a message as it was where it was first said, without its box.

    Source: `protocol` section 5.4.
    """

    @classmethod
    def _from_wire(cls, payload: Any) -> Any:
        if not isinstance(payload, dict):
            return super()._from_wire(payload)
        inner = payload.get("content")
        if not isinstance(inner, dict | AbstractEnvelopeContent | Message):
            payload = {"type": _type_of(content_by_shape(payload)), "content": payload}  # an old client knew no more
        elif isinstance(inner, dict) and not _is_envelope(inner):
            # Of a forward that is forwarded again, servers send the content itself.
            payload = {**payload, "content": content_by_shape(inner)} if _is_forward(payload) else payload
        return super()._from_wire(payload)


@dataclass(repr=False)
class SystemMessage(BoundToBot, WireObject):
    """What the system recorded in a chat.

    Attributes:
        chat: the chat; an older server says only its id.
        timestamp: when, in milliseconds since 1970.
        type: what happened.
        author: the system.
        box: where it stands in the order of the chat.
        content: the particulars, according to `type`; `UnknownContent` for a kind nobody knows yet.
        message_id: its id.

    Source: `protocol` section 5.3.
    """

    chat: Chat
    timestamp: int
    type: MessageType
    author: EnvelopeAuthor
    box: EnvelopeBox
    content: SystemMessageContent | UserMessageContent | Message = field(
        metadata=wire(read=anything, write=write_content)
    )
    message_id: str

    @classmethod
    def _from_wire(cls, payload: Any) -> Any:
        return with_chat(_with_content(payload))

    def __repr__(self) -> str:
        return _described(self)

    @property
    def chat_id(self) -> str:
        """The chat's id."""
        return self.chat.chat_id

    @property
    def content_type(self) -> MessageType:
        """What happened; another name of `type`."""
        return self.type


@dataclass(repr=False)
class LastMessage(BoundToBot, WireObject):
    """What was said last in a chat, as lists of chats and news of new chats tell it.

    Attributes:
        message_id: its id.
        timestamp: when, in milliseconds since 1970.
        author: who said it.
        type: what kind of content it carries.
        content: what it carries, kinds of the system included; `UnknownContent` for a kind nobody knows yet.
        chat: the chat.

    Source: `protocol` section 4.5.
    """

    message_id: str
    timestamp: int
    author: EnvelopeAuthor
    type: MessageType
    content: UserMessageContent | SystemMessageContent | Message = field(
        metadata=wire(read=anything, write=write_content)
    )
    chat: Chat

    @classmethod
    def _from_wire(cls, payload: Any) -> Any:
        return with_chat(_with_content(payload))

    def __repr__(self) -> str:
        return _described(self)

    @property
    def chat_id(self) -> str:
        """The chat's id."""
        return self.chat.chat_id

    @property
    def content_type(self) -> MessageType:
        """What kind of content it carries; another name of `type`."""
        return self.type

    @property
    def text(self) -> str | None:
        """The text with its markup; None where it is no text."""
        return self.content.text if isinstance(self.content, TextContent) else None

    @property
    def file(self) -> AttachmentContent | None:
        """The file it carries; None where it carries none."""
        return self.content if isinstance(self.content, AttachmentContent) else None


Envelope: TypeAlias = Message | SystemMessage
"""What arrives as a message and what a history consists of."""

_FIRST_OF_USERS: Final = 200

_ENVELOPES_OWN: Final = frozenset({"messageId", "timestamp", "author"})
"""Fields that an envelope has and no content."""


def read_envelope(payload: Any) -> Envelope:
    """Read an envelope of either generation: a user's message, or a record of the system.

    Raises:
        MalformedFrameError: it is not an object at all.

    Source: `protocol` section 5.
    """
    if isinstance(payload, Message | SystemMessage):
        return payload
    message_type = whole_number(payload.get("type")) if isinstance(payload, dict) else None
    if message_type is not None and 0 < message_type < _FIRST_OF_USERS:
        return SystemMessage.from_dict(payload)
    return Message.from_dict(payload)


def read_history(value: Any) -> list[Envelope]:
    """Read the envelopes of a page of history; what is none is left out."""
    items = value if isinstance(value, list) else []
    return [read_envelope(item) for item in items if isinstance(item, dict | Message | SystemMessage)]


def with_chat(payload: Any) -> Any:
    """Return the payload of an envelope with a `chat` also where an older server sends the bare id."""
    if not isinstance(payload, dict):
        return payload
    chat = payload.get("chat")
    if isinstance(chat, Chat) or (isinstance(chat, dict) and chat.get("chatId") is not None):
        return payload
    known = chat if isinstance(chat, dict) else {}
    return {**payload, "chat": {**known, "chatId": payload.get("chatId")}}


def _with_content(payload: Any) -> Any:
    """Return the payload of an envelope with its content read according to its type."""
    if not isinstance(payload, dict):
        return payload
    raw = payload.get("content")
    message_type = whole_number(payload.get("type")) or 0
    if _is_forward(payload) and isinstance(raw, dict):
        content: Any = UnknownContent(raw) if _is_too_deep(raw) else ForwardMessage.from_dict(raw)
    elif message_type == 0:
        content = content_by_shape(raw)
    else:
        content = raw if isinstance(raw, Message) else read_content(message_type, raw)
    return {**payload, "content": content}


def _is_forward(payload: dict[str, Any]) -> bool:
    return whole_number(payload.get("type")) == MessageType.FORWARDED_MESSAGE


def _is_envelope(content: dict[str, Any]) -> bool:
    """Tell whether the content of a forward is a message with a content of its own."""
    return "content" in content or not _ENVELOPES_OWN.isdisjoint(content)


def _type_of(content: AbstractEnvelopeContent) -> int:
    """Return the type of message that carries a content; a plain one where that cannot be told."""
    kinds = (number for number, kind in CONTENT_TYPES.items() if type(content) is kind)
    return int(next(kinds, MessageType.PLAIN_MESSAGE))


def _replied(raw: Any) -> Message | None:
    """Read the message that another one answers; None where it is none."""
    if isinstance(raw, Message):
        return raw
    return Message.from_dict(raw) if isinstance(raw, dict) and not _is_too_deep(raw) else None


def _is_too_deep(envelope: dict[str, Any]) -> bool:
    """Tell whether envelopes are nested deeper than any server nests them."""
    level = [envelope]
    for _ in range(_MOST_NESTED):
        inner = [one.get(key) for one in level for key in ("content", "replyMessage")]
        level = [one for one in inner if isinstance(one, dict)]
    return bool(level)


def _attachment(message: Message, kind: type[A], prefix: str) -> A | None:
    """Return the file of a message as one kind of file; None where it is of another kind, or no file."""
    content = message.content
    if not isinstance(content, AttachmentContent) or _kind(content) != prefix:
        return None
    attachment = kind(content.file_id, content.file_name, content.file_size, content.mime_type)
    return attachment if message._bot is None else attachment.bind(message._bot)


def _kind(content: AttachmentContent) -> str:
    """Return the first half of a MIME type, with its slash."""
    return content.mime_type.lower().partition("/")[0] + "/"


def _bare(user_id: str) -> str:
    return user_id.partition("/")[0]


def _one_of(call: str, **named: Any) -> Any:
    """Return the one argument that was given under one of its names."""
    given = [value for value in named.values() if value is not NOT_GIVEN]
    if len(given) != 1:
        raise TypeError(f"{call}() takes one file, as {' or '.join(named)}; {len(given)} were given")
    return given[0]


def _described(message: Message | SystemMessage | LastMessage) -> str:
    content = message.content
    said = repr(shortened(content.text)) if isinstance(content, TextContent) else repr(content)
    return (
        f"{type(message).__name__}({one_line(message.type.name)} {said}, author={one_line(message.author.id)!r}, "
        f"chat={one_line(message.chat.chat_title or message.chat_id)!r}, message_id={one_line(message.message_id)!r})"
    )
