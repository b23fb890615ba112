"""What the practice world consists of: users, chats, messages, files, notices; plain data, without behaviour or I/O.

Source: `protocol` section 16.2.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tcnb.errors import PortableError
from tcnb.types.enums import ChatParticipantRole, ChatType, FileReadyState, MessageType
from tcnb.wire import codes

SYSTEM_AUTHOR: Final = "trueconf.server"

DUPLICATE_REQUEST_ID: Final = 2
NO_SPACE: Final = 401
BAD_FILE_NAME: Final = 402
UPLOAD_FORBIDDEN: Final = 403
NO_SUCH_FILE: Final = 404
FILE_NOT_READY: Final = 405
FILE_TOO_LARGE: Final = 406
UPLOAD_TASK_NOT_FOUND: Final = 407
INVALID_FILE: Final = 408


class Refusal(PortableError):
    """The world refuses a request with one of the connector's codes (`protocol` section 11.8).

    Attributes:
        code: the code of the 5.5.6 generation.
    """

    def __init__(self, code: int) -> None:
        self.code = code
        super().__init__(f"[{code}] {codes.meaning(code)}")


@dataclass(slots=True)
class User:
    """A person of this server; an account is a user with a password, a simulated colleague has none."""

    user_id: str
    display_name: str
    password: str | None = field(default=None, repr=False)
    disabled: bool = False

    @property
    def login(self) -> str:
        """The id without its domain."""
        return self.user_id.partition("@")[0]

    @property
    def is_account(self) -> bool:
        """Whether a bot can log in as this user."""
        return self.password is not None


@dataclass(slots=True)
class Participant:
    """A user's place in a chat; messages up to box `hidden_through` are not shown to that user."""

    user_id: str
    role: ChatParticipantRole
    hidden_through: int = 0


@dataclass(slots=True, eq=False)
class Message:
    """One envelope; `content` is the wire content, except that `file` and `forwarded` stand for theirs.

    `serial` counts messages across chats, because several may fall into one millisecond.
    """

    message_id: str
    serial: int
    chat: Chat
    box: int
    timestamp: int
    author_id: str
    type: MessageType
    content: dict[str, Any]
    reply_to: str | None = None
    forwarded: Message | None = None
    file: StoredFile | None = None
    is_edited: bool = False
    is_removed: bool = False
    hidden_from: set[str] | None = None

    @property
    def is_system(self) -> bool:
        """Whether the system wrote it."""
        return self.type < MessageType.PLAIN_MESSAGE

    @property
    def innermost(self) -> Message:
        """The message whose content this one shows: of a forward, however deep, what was forwarded first."""
        message = self
        while message.forwarded is not None:
            message = message.forwarded
        return message


@dataclass(slots=True, eq=False)
class Chat:
    """A chat with what was said in it, oldest first without gaps; removed messages stay as marks.

    `forgotten` counts the oldest messages that are no longer kept, so `messages[i]` has box `forgotten + i + 1`.
    `unread` holds, for accounts only, the messages whose notification is not acknowledged yet, oldest first.
    """

    chat_id: str
    type: ChatType
    title: str | None
    participants: dict[str, Participant] = field(default_factory=dict)
    messages: list[Message] = field(default_factory=list)
    unread: dict[str, dict[str, Message]] = field(default_factory=dict)
    avatar: str | None = None
    active_at: int = 0
    forgotten: int = 0

    @property
    def last_box(self) -> int:
        """The number of the newest message."""
        return self.forgotten + len(self.messages)


@dataclass(slots=True, eq=False)
class StoredFile:
    """A file on the server; `source` is its bytes or the path of them.

    `posted_name` is the name in the header of the part that brought it, so that a test can tell how a client writes
    names that are not ASCII; the file goes by `name`, which `uploadFile` declared (`protocol` section 8.1).
    `is_showable` tells whether a browser may be handed it as a picture: it is one, of no more pixels than a browser has
    memory for.
    """

    file_id: str
    name: str
    size: int
    mime_type: str
    source: bytes | Path
    previews: list[StoredFile] = field(default_factory=list)
    state: FileReadyState = FileReadyState.READY
    received: int = 0
    posted_name: str | None = None
    is_showable: bool = False


@dataclass(slots=True)
class UploadTask:
    """A permission to upload one file of exactly this size, good until `expires` (ms); None leaves the name open."""

    task_id: str
    owner: str
    name: str | None
    size: int
    expires: int


@dataclass(slots=True)
class UploadLimits:
    """What an administrator allows to be uploaded; None sets no limit. `mode` is `allow` or `block`."""

    max_size: int | None = None
    mode: str = "block"
    extensions: tuple[str, ...] | None = None

    def as_wire(self) -> dict[str, Any]:
        """Return the payload of `getFileUploadLimits` (`protocol` section 6.6)."""
        rule = None if self.extensions is None else {"mode": self.mode, "list": list(self.extensions)}
        return {"maxSize": self.max_size, "extensions": rule}


GENERATIONS: Final[dict[str, str]] = {"5.5.6": "5.5.6.10213", "5.5.3": "5.5.3.10098", "5.5.0": "5.5.0.10061"}
"""Generations of the wire, with the full version that a server of each reports (`protocol` section 13)."""


@dataclass(slots=True)
class Settings:
    """The choices where the protocol is silent or varies; each has the emulator's default of `protocol` section 17."""

    generation: str = "5.5.6"
    push_limits: bool = True
    cut_long_texts: bool = True
    refuse_duplicate_ids: bool = True
    edit_names_message: bool = False
    own_p2p_is_silent: bool = True
    caption_after_file: bool = True
    creator_is_notified: bool = True
    backlog_delay: float = 0.1
    """Seconds between `auth` and unread messages; the official client 1.5.4 loses those that come with the answer."""
    token_lifetime: int = 30 * 24 * 3600
    """Seconds a token is good for."""
    kept_messages: int = 100_000
    """Messages kept in a chat; beyond that the oldest are forgotten, so that a fast practice server stays small."""
    ticket_lifetime: int = 600
    """Seconds an upload task, a temporal file id or a download address is good for."""

    @property
    def is_flat(self) -> bool:
        """Whether envelopes are of an older generation, without the `chat` object."""
        return self.generation != "5.5.6"

    @property
    def version(self) -> str:
        """The full version that the server reports."""
        return GENERATIONS[self.generation]

    def has(self, since: str) -> bool:
        """Return whether this generation has what came with a version."""
        return self.generation >= since


@dataclass(slots=True)
class Notice:
    """Something that sessions are to be told: to whom, and about what.

    Attributes:
        method: the wire method of the notification.
        audience: ids of the accounts whose sessions get it.
        about: a message (its envelope is sent), a chat (its record is sent) or the payload itself.
        to_origin: whether the session that caused it gets it too.
        is_system: whether it only goes to sessions that asked for system envelopes.
        keyboard: for a pressed button, the message that carries the keyboard.
        file_id: for progress, only sessions subscribed to this file get it; the audience does not count.
    """

    method: str
    audience: tuple[str, ...]
    about: Message | Chat | dict[str, Any]
    to_origin: bool = False
    is_system: bool = False
    keyboard: Message | None = None
    file_id: str | None = None

    def message_for(self, user_id: str) -> Message | None:
        """Return the message that an acknowledgement by that user marks as read; None where it marks none."""
        about = self.about
        return about if isinstance(about, Message) and about.author_id != user_id else None
