"""What an envelope carries, kind by kind, and how the kind is told; the envelopes themselves are messages.

Source: `protocol` sections 5.2 and 5.3.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeAlias

from tcnb.console import one_line
from tcnb.types.base import BoundToBot, WireObject, renamed, wire
from tcnb.types.enums import FileReadyState, MessageType
from tcnb.types.keyboard import InlineKeyboardMarkup, read_keyboard, write_keyboard
from tcnb.types.reading import role


class AbstractEnvelopeContent(WireObject):
    """Base of everything an envelope can carry."""


class StoredFile(BoundToBot):
    """Base of what is a file on the server: it can be asked for its addresses and downloaded."""

    file_id: str
    file_size: int

    @property
    async def url(self) -> str | None:
        """The address to download the file from; it is a secret, and it ends. None while the file is not ready.

        Source: `protocol` section 6.6, `getFileInfo`.
        """
        return (await self.bot.get_file_info(self.file_id)).download_url

    @property
    async def preview_url(self) -> str | None:
        """The address of the file's first preview; None where there is none.

        Source: `protocol` section 6.6, `getFileInfo`.
        """
        previews = (await self.bot.get_file_info(self.file_id)).previews
        return previews[0].download_url if previews else None

    async def download(
        self, dest_path: str | Path | None = None, *, file_path: str | Path | None = None
    ) -> bytes | Path:
        """Download the file; a shortcut for the bot's `download_file_by_id`.

        Args:
            dest_path: the folder to write it to, made if need be; a file there is never replaced.
            file_path: the very path to write it to, where it replaces a file; or a folder: one that exists, or a path
                that ends in a separator.

        Returns:
            the content where neither path is given, else the path written.

        Raises:
            UsageError: both paths are given.
            FileDownloadError: the file is not to be had, has not the size that the message tells, or cannot be written.

        Source: `protocol` section 8.3.
        """
        download, size = self.bot.download_file_by_id, self.file_size
        if dest_path is None:
            return await download(self.file_id, file_path=file_path, size=size)
        return await download(self.file_id, dest_path, file_path=file_path, size=size)


@renamed(mimetype="mime_type")
@dataclass
class Attachment(StoredFile):
    """A file of a message, seen as one kind of file.

    Attributes:
        file_id: its id on the server.
        file_name: its name.
        file_size: its size in bytes.
        mime_type: its MIME type.
    """

    file_id: str
    file_name: str
    file_size: int
    mime_type: str

    @property
    def mimetype(self) -> str:
        """Another name of `mime_type`."""
        return self.mime_type


class Photo(Attachment):
    """An image that was sent in a message."""


class Video(Attachment):
    """A video that was sent in a message."""


class Sticker(Attachment):
    """A sticker that was sent in a message."""


class Document(Attachment):
    """A file that was sent in a message and is neither photo, video nor sticker."""


@dataclass(repr=False)
class TextContent(AbstractEnvelopeContent):
    """A text.

    Attributes:
        text: the text with its markup.
        parse_mode: how the markup is to be read: `text`, `markdown` or `html`.
        buttons: the inline keyboard under it; None where there is none, and in what a press of a button reports.
    """

    text: str
    parse_mode: str = field(default="text", metadata=wire())
    buttons: InlineKeyboardMarkup | None = field(
        default=None, metadata=wire(read=read_keyboard, write=write_keyboard, omit=None)
    )


@renamed(mimetype="mime_type", filename="file_name")
@dataclass(repr=False)
class AttachmentContent(StoredFile, AbstractEnvelopeContent):
    """A file.

    Attributes:
        file_name: its name, as the sender gave it: not safe as a path.
        file_size: its size in bytes.
        file_id: its id on the server; empty while it is still arriving.
        mime_type: its MIME type; empty while it is still arriving.
        ready_state: how far it is on the server; None where the server does not say it.
    """

    file_name: str = field(metadata=wire(name="name"))
    file_size: int = field(metadata=wire(name="size"))
    file_id: str = ""
    mime_type: str = ""
    ready_state: FileReadyState | None = field(default=None, metadata=wire(omit=None))

    @property
    def mimetype(self) -> str:
        """Another name of `mime_type`."""
        return self.mime_type

    @classmethod
    def _from_wire(cls, payload: Any) -> Any:
        return with_file_id(payload)


@renamed(mimetype="mime_type")
@dataclass(repr=False)
class Voice(StoredFile, AbstractEnvelopeContent):
    """A voice message.

    Attributes:
        file_id: its id on the server.
        file_size: its size in bytes.
        mime_type: its MIME type.
        duration: its length in seconds.
    """

    file_id: str
    file_size: int = field(metadata=wire(name="size"))
    mime_type: str
    duration: int

    @property
    def mimetype(self) -> str:
        """Another name of `mime_type`."""
        return self.mime_type

    @classmethod
    def _from_wire(cls, payload: Any) -> Any:
        return with_file_id(payload)


@dataclass(repr=False)
class Location(AbstractEnvelopeContent):
    """A place.

    Attributes:
        latitude: degrees, north is positive.
        longitude: degrees, east is positive.
        title: what the sender calls it.
    """

    latitude: float
    longitude: float
    title: str

    @classmethod
    def _from_wire(cls, payload: Any) -> Any:
        if isinstance(payload, dict) and payload.get("title") is None:
            return {**payload, "title": payload.get("description")}
        return payload


@dataclass(repr=False)
class SurveyContent(AbstractEnvelopeContent):
    """A survey.

    Attributes:
        url: the page that shows it.
        title: its title.
        path: its campaign id.
        description: whether its votes are visible, as a `SurveyType`.
        button_text: the label of its button.
        app_version: a number that clients send along.
        secret: 40 hexadecimal digits that clients send along.
        alt: what a client without surveys shows.
    """

    url: str
    title: str
    path: str | None = field(default=None, metadata=wire(omit=None))
    description: str | None = field(default=None, metadata=wire(omit=None))
    button_text: str | None = field(default=None, metadata=wire(omit=None))
    app_version: int | None = field(default=None, metadata=wire(omit=None))
    secret: str | None = field(default=None, metadata=wire(omit=None), repr=False)
    alt: str | None = field(default=None, metadata=wire(omit=None), repr=False)


@dataclass(repr=False)
class ParticipantRoleContent(AbstractEnvelopeContent):
    """Somebody came into the chat, or has another role in it.

    Attributes:
        user_id: who.
        role: the role, as a `ChatParticipantRole`.
    """

    user_id: str
    role: str = field(metadata=wire(read=role))


@dataclass(repr=False)
class RemoveParticipant(AbstractEnvelopeContent):
    """Somebody left the chat or was removed from it.

    Attributes:
        user_id: who.
    """

    user_id: str


@dataclass(repr=False)
class EditChatTitleContent(AbstractEnvelopeContent):
    """The chat has another title.

    Attributes:
        title: the new one.
    """

    title: str


@dataclass(repr=False)
class EditChatAvatarContent(AbstractEnvelopeContent):
    """The chat has another avatar.

    Attributes:
        avatar_url: its address; None where the server does not say it.
    """

    avatar_url: str | None = None


@dataclass(repr=False)
class ClearChatHistoryContent(AbstractEnvelopeContent):
    """The history of the chat was cleared.

    Attributes:
        for_all: whether for everybody.
    """

    for_all: bool


@dataclass(repr=False)
class UnknownContent(AbstractEnvelopeContent):
    """Something this version does not know, kept as the server said it.

    Attributes:
        raw: the content; mostly an object, but it can be any JSON value.
    """

    raw: Any = None

    @classmethod
    def from_dict(cls, kvs: Any, *, infer_missing: bool = False) -> UnknownContent:
        """Keep a content as it is."""
        return kvs if isinstance(kvs, cls) else cls(kvs)

    def as_wire(self) -> dict[str, Any]:
        """Return the content as the server said it; an empty object where that was none."""
        return self.raw if isinstance(self.raw, dict) else {}

    def __repr__(self) -> str:
        keys = ", ".join(map(str, self.raw)) if isinstance(self.raw, dict) else type(self.raw).__name__
        return f"UnknownContent({one_line(keys, 60)})"


UserMessageContent: TypeAlias = TextContent | AttachmentContent | Location | SurveyContent | Voice
SystemMessageContent: TypeAlias = (
    ParticipantRoleContent
    | RemoveParticipant
    | EditChatTitleContent
    | EditChatAvatarContent
    | ClearChatHistoryContent
    | UnknownContent
)

CONTENT_TYPES: Final[dict[int, type[AbstractEnvelopeContent]]] = {
    MessageType.ADD_PARTICIPANT: ParticipantRoleContent,
    MessageType.REMOVE_PARTICIPANT: RemoveParticipant,
    MessageType.EDIT_CHAT_TITLE: EditChatTitleContent,
    MessageType.EDIT_CHAT_AVATAR: EditChatAvatarContent,
    MessageType.CLEAR_CHAT_HISTORY: ClearChatHistoryContent,
    MessageType.PARTICIPANT_ROLE: ParticipantRoleContent,
    MessageType.PLAIN_MESSAGE: TextContent,
    MessageType.ATTACHMENT: AttachmentContent,
    MessageType.LOCATION: Location,
    MessageType.SURVEY: SurveyContent,
    MessageType.VOICE_MESSAGE: Voice,
}
"""The contents of known kinds; a forwarded message is an envelope and stands with the messages."""

# A content that comes without its type (in an edit, in a forward) is told by the fields that only it has.
_SHAPES: Final[tuple[tuple[frozenset[str], type[AbstractEnvelopeContent]], ...]] = (
    (frozenset({"text"}), TextContent),
    (frozenset({"latitude", "longitude"}), Location),
    (frozenset({"duration", "fileId"}), Voice),
    (frozenset({"name", "size"}), AttachmentContent),
    (frozenset({"title", "url"}), SurveyContent),
)


def read_content(message_type: int, raw: Any) -> AbstractEnvelopeContent:
    """Read the content of a type; one of no known type is kept as it is.

    Args:
        message_type: the type of its envelope.
        raw: the content as decoded.
    """
    if isinstance(raw, AbstractEnvelopeContent):
        return raw
    kind = CONTENT_TYPES.get(message_type)
    if kind is None or not isinstance(raw, dict):
        return UnknownContent(raw)
    return kind.from_dict(raw)


def content_by_shape(raw: Any) -> AbstractEnvelopeContent:
    """Read the content of a user's message that comes without its type."""
    if isinstance(raw, AbstractEnvelopeContent):
        return raw
    if isinstance(raw, dict):
        for names, kind in _SHAPES:
            if names <= raw.keys():
                return kind.from_dict(raw)
    return UnknownContent(raw)


def write_content(content: Any) -> Any:
    """Write a content as plain JSON values."""
    return content.raw if isinstance(content, UnknownContent) else content.as_wire()


def with_file_id(payload: Any) -> Any:
    """Return the payload with a `fileId` where an older server says `infoHash`."""
    if isinstance(payload, dict) and payload.get("fileId") is None and "infoHash" in payload:
        return {**payload, "fileId": payload["infoHash"]}
    return payload
