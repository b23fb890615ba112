"""What a person is told in a widget when the server, or tcnb itself, refuses something: a sentence for every code of
`protocol` section 11.8 that can be met there; code, method and ids stand in the details.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from tcnb.errors import ApiErrorException, FileUploadError, TcnbError

Deed = Literal["write", "file", "edit", "remove", "forward", "download", "read", "find"]
"""What a person wanted to do."""

_NOT_ALLOWED: Final[Mapping[Deed, str]] = {
    "write": "You may not write in this chat",
    "file": "You may not send files to this chat",
    "edit": "You may not change this message",
    "remove": "You may not delete this message",
    "forward": "You may not forward this message to that chat",
    "download": "You may not have this file",
    "read": "You may not read this chat",
    "find": "You may not see this chat",
}

_CHAT_GONE: Final = "This chat does not exist any more"
_NO_MEMBER: Final = "You are not a member of this chat"
_MESSAGE_GONE: Final = "This message does not exist any more"
_FILE_GONE: Final = "This file is not on the server any more"
_NOT_READY: Final = "The server is still preparing the file: try again in a moment"
_SIGNED_OUT: Final = "The server does not accept this connection's login any more: connect again"

_OF_CODE: Final[Mapping[int, str]] = {
    1: "The server could not do this: try again",
    2: "The server took this for a repetition: try again",
    100: "The server could not reach a part of itself: try again",
    101: "A part of the server did not answer: try again",
    102: "The parts of the server have no secure connection: tell its administrator",
    103: "The parts of the server do not understand each other: tell its administrator",
    104: "The server does not know where to pass this on: tell its administrator",
    200: _SIGNED_OUT,
    201: _SIGNED_OUT,
    202: "This account has been disabled: ask the server's administrator",
    203: _SIGNED_OUT,
    204: _SIGNED_OUT,
    300: "The server failed: try again",
    301: "The server took too long: try again",
    304: _CHAT_GONE,
    305: _NO_MEMBER,
    306: _MESSAGE_GONE,
    307: "This server is too old for this",
    308: _FILE_GONE,
    309: "This person is in the chat already",
    310: "The file did not reach the server: send it again",
    311: _NOT_READY,
    312: "The server does not know this role",
    399: "The server does not accept this message as it is",
    400: "The server could not handle the file: send it again",
    401: "There is no space left for files on the server",
    402: "The server does not accept the file's name: rename it",
    403: "The server does not accept files from you",
    404: _FILE_GONE,
    405: _NOT_READY,
    406: "The file is larger than this server allows",
    407: "The server has given up this upload: send the file again",
    408: "The server does not accept this file",
}
"""By code, where it does not depend on what was wanted."""

_NOT_ALLOWED_CODES: Final = frozenset({302, 303})


@dataclass(frozen=True)
class Refusal:
    """Why something was not done, as a widget shows it.

    Attributes:
        sentence: what a person reads.
        details: code, method and ids, to be shown on request; empty where the sentence says it all.
    """

    sentence: str
    details: str = ""

    def told(self, name: str) -> dict[str, str]:
        """Return what the page is told: the sentence under `name`, and `details` where there are any."""
        return {name: self.sentence} | ({"details": self.details} if self.details else {})


def refusal(error: BaseException, deed: Deed, *, message_id: str | None = None) -> Refusal:
    """Return what a person is told of an error.

    Args:
        error: what was raised.
        deed: what was wanted.
        message_id: the message it was about, for the details.

    Example:
        >>> refusal(ApiErrorException(303, "not enough rights", method="sendMessage", chat_id="c1"), "write")
        Refusal(sentence='You may not write in this chat',
                details='sendMessage refused: [303] not enough rights (chat c1)')
    """
    about = f" · message {message_id}" if message_id else ""
    if isinstance(error, ApiErrorException | FileUploadError) and error.code is not None:
        return Refusal(_sentence(error.code, deed), f"{error}{about}")
    said = " ".join(str(error).split()) or type(error).__name__
    return Refusal(said, "" if isinstance(error, TcnbError) else f"{type(error).__name__}{about}")


def _sentence(code: int, deed: Deed) -> str:
    if code in _NOT_ALLOWED_CODES:
        return _NOT_ALLOWED[deed]
    return _OF_CODE.get(code, "The server refused this, for a reason that this version does not know")
