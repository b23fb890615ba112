"""Every error a person can meet here, as one tree; what goes wrong on the wire but is merely counted is not an error.

Names that the official Python client also has mean the same thing here.

TcnbError
├── UsageError                        a magic or a call was written wrongly
│   ├── UnknownChatError              no chat or person of that name
│   ├── AmbiguousChatError            a name that could mean several chats or people
│   ├── CellSyntaxError               the code of a cell that is to run later is not Python
│   └── SecretOnLineError             a password or token was typed where it would be stored
├── NotConnectedError                 there is no such connection, or it was closed
├── WSConnectionError                 the server cannot be reached, or the connection broke
│   ├── CertificateError              the server's certificate is not trusted
│   └── OutcomeUnknownError           the connection broke between a request and its answer
│       └── UnansweredError           (also a RequestTimeoutError) it was not answered in time
├── RequestTimeoutError               the server did not answer in time
├── AuthenticationError               the server does not let this account in
│   ├── InvalidGrantError             wrong login or password
│   ├── PasswordAuthDisabledError     the server takes no passwords; use an OAuth application
│   ├── OAuthMissingScopeError        the OAuth application has no scope
│   └── TokenValidationError          the token is not accepted
├── ApiErrorException                 the server refused a request with a code
├── MalformedFrameError               what arrived is not a frame of the connector
├── JournalError                      the journal cannot be opened or written
├── ArchiveError                      an archive or an export of another product cannot be read or written
├── MissingPackageError               something optional is asked for and not installed
├── LimitExceededError                something is larger than the server allows
│   ├── TextMessageTooLongError
│   ├── FileCaptionTooLongError
│   ├── InMemoryDownloadLimitExceededError
│   └── ChatTitleTooLongError
│       ├── GroupTitleTooLongError
│       └── ChannelTitleTooLongError
├── FileValidationError               a file that cannot be sent
│   ├── EmptyFileError               (also a UsageError) nothing is in it, or nothing is drawn
│   ├── FileMissingError
│   ├── FileSizeTooLargeError         (also a LimitExceededError)
│   ├── InvalidFileExtensionError
│   └── NotAnImageError
├── FileUploadError                   the upload failed
└── FileDownloadError                 the download failed
    └── DestinationExistsError        there is a file already at the path that it should be written to

All of them, and the exceptions that only tcnb itself meets, are of the class PortableError: they can be pickled.
"""

from __future__ import annotations

import pickle
import traceback
from collections.abc import Callable, Iterable
from typing import Any, Final, TypeVar

from tcnb.console import harmless, one_line, printable

E = TypeVar("E", bound=BaseException)

_LONGEST_DETAIL: Final = 600
"""Characters of why a server refused a request: what its code means, and its own words."""


class PortableError(Exception):
    """Base of every exception of this package: it can be pickled and copied, whatever its class takes.

    Python rebuilds an exception by calling its class with `args`, which fails where `__init__` takes something else.
    A `multiprocessing.Pool` then waits for ever, since the reason is lost on its way to the caller.
    """

    def __reduce__(self) -> tuple[Any, ...]:
        # What a built-in base keeps outside `args` and the attributes (the file name of an OSError, say) it adds here.
        told: Any = super().__reduce__()
        args, kept = told[1], dict(told[2] or {}) if len(told) > 2 else {}
        if self.__cause__ is not None:
            kept["__cause__"] = _portable(self.__cause__)
        return _rebuilt, (type(self), args), kept


class CauseText(PortableError):
    """Stands for a cause that cannot be pickled; its text names the cause's class."""


def _rebuilt(kind: type[E], args: tuple[Any, ...]) -> E:
    """Return an exception of a class with these `args`, made as Python's own class under it makes it."""
    error = kind.__new__(kind, *args)
    base: Any = next(base for base in kind.__mro__ if base.__module__ == "builtins")
    base.__init__(error, *args)
    return error


def _portable(cause: BaseException) -> BaseException:
    """Return a cause that reaches another process: itself, or its text."""
    try:
        pickle.loads(pickle.dumps(cause))
    except Exception:  # whatever the attributes of somebody else's exception raise
        return CauseText("".join(traceback.format_exception_only(cause)).strip())
    return cause


class TcnbError(PortableError):
    """Base of all errors of tcnb; in a notebook it is shown as one line instead of a traceback.

    Whatever it quotes, its text acts on no terminal and has a bounded length.
    """

    def __str__(self) -> str:
        return harmless(super().__str__())

    def _render_traceback_(self) -> list[str]:
        return [printable(f"{type(self).__name__}: {self}")]


class UsageError(TcnbError, ValueError):
    """A magic or a call was written in a way that cannot be understood."""


class UnknownChatError(UsageError):
    """No chat and no person has that name.

    Attributes:
        name: what was asked for.
        candidates: titles and ids that resemble it, best first.
    """

    def __init__(
        self, name: str, candidates: Iterable[str] = (), *, what: str = "chat or person", note: str | None = None
    ) -> None:
        self.name = name
        self.candidates = list(candidates)
        listing = "tc.people lists the people who are known." if what == "account" else "%tc_chats lists the chats."
        hint = f"Did you mean {_listed(self.candidates)}?" if self.candidates else listing
        super().__init__(f"no {what} is called {one_line(name)!r}. {hint}" + (f" Note that {note}." if note else ""))


class AmbiguousChatError(UsageError):
    """A name could mean several chats or people.

    Attributes:
        name: what was asked for.
        candidates: of each what tells it from the others: title or name, kind, members, last message, id.
    """

    def __init__(self, name: str, candidates: Iterable[str], *, note: str | None = None) -> None:
        self.name = name
        self.candidates = list(candidates)
        count = len(self.candidates)
        what = f"{count} chats or people" if count != 1 else "more than one chat"
        super().__init__(
            f"{one_line(name)!r} could mean {what}: {_listed(self.candidates, str)}. "
            "Use the id or login of the one you mean." + (f" Note that {note}." if note else "")
        )


class CellSyntaxError(UsageError):
    """The code of a cell that is to run later is not Python; a notebook shows it as it shows that of any other cell.

    Attributes:
        error: what Python says of the code.
    """

    def __init__(self, error: SyntaxError) -> None:
        self.error = error
        super().__init__(str(error))

    def _render_traceback_(self) -> list[str]:
        return "".join(traceback.format_exception_only(self.error)).splitlines()


class SecretOnLineError(UsageError):
    """A password or token was written on the line, where the notebook would store it."""


class NotConnectedError(TcnbError):
    """There is no such connection, or it has been closed."""


class WSConnectionError(TcnbError, ConnectionError):
    """The server cannot be reached, or the connection to it broke."""


class CertificateError(WSConnectionError):
    """The server's certificate is not trusted by this machine."""


class OutcomeUnknownError(WSConnectionError):
    """The connection broke after a request was written and before its answer came, so it may or may not have been
    done.
    """


class RequestTimeoutError(TcnbError, TimeoutError):
    """The server did not answer a request in time."""


class UnansweredError(OutcomeUnknownError, RequestTimeoutError):
    """The server did not answer in time a request that changes something, so it may or may not have been done."""


class AuthenticationError(TcnbError):
    """The server does not let this account in."""


class InvalidGrantError(AuthenticationError):
    """The login or the password is wrong."""


class PasswordAuthDisabledError(AuthenticationError):
    """The server takes no passwords (single sign-on or several factors): an OAuth application is needed."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(
            message
            or "this server does not accept a login with a password: ask its administrator for an OAuth application "
            "and pass its id as client_id="
        )


class OAuthMissingScopeError(AuthenticationError):
    """The OAuth application has no scope."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(
            message
            or "the OAuth application has no scope: its administrator must give it one, for example version:read"
        )


class TokenValidationError(AuthenticationError):
    """The token is not accepted by the server.

    Attributes:
        has_expired: whether it had its day, which says nothing against login and password.
    """

    has_expired: bool = False


class ApiErrorException(TcnbError):
    """The server refused a request.

    Attributes:
        code: the server's error code (`protocol` section 11.8).
        detail: what the code means.
        payload: the whole answer.
        method: the wire method that was refused, where known.
        chat_id: the chat it was about, where there was one.
    """

    def __init__(
        self,
        code: int,
        detail: str,
        payload: dict[str, Any] | None = None,
        *,
        method: str | None = None,
        chat_id: str | None = None,
    ) -> None:
        self.code = code
        self.detail = detail
        self.payload = payload or {}
        self.method = method
        self.chat_id = chat_id
        about = f"{method} refused: " if method else ""
        where = f" (chat {one_line(chat_id)})" if chat_id else ""
        super().__init__(f"{about}[{code}] {one_line(detail, _LONGEST_DETAIL)}{where}")


class MalformedFrameError(TcnbError, ValueError):
    """What arrived is not a frame of the connector."""


class JournalError(TcnbError):
    """The journal cannot be opened or written; what is in it is kept, whatever this is about."""


class ArchiveError(TcnbError):
    """An archive, or the export of another product, cannot be read or written."""


class MissingPackageError(TcnbError, ImportError):
    """What was asked for needs a package that is not installed."""


class LimitExceededError(TcnbError, ValueError):
    """Something is larger than the server allows.

    Attributes:
        actual_value: the size found.
        limit: the largest size allowed, in the same unit.
    """

    def __init__(self, message: str, actual_value: int, limit: int) -> None:
        super().__init__(message)
        self.actual_value = actual_value
        self.limit = limit


class TextMessageTooLongError(LimitExceededError):
    """A text has more visible characters than a message may have."""

    def __init__(self, actual_length: int, limit: int = 4096) -> None:
        super().__init__(
            f"the text has {actual_length} visible characters, a message may have {limit}: shorten it, "
            "cut it into parts with tcnb.formatting.safe_split_text, or send it as a file",
            actual_length,
            limit,
        )


class FileCaptionTooLongError(LimitExceededError):
    """A caption has more visible characters than one may have."""

    def __init__(self, actual_length: int, limit: int = 4096) -> None:
        super().__init__(
            f"the caption has {actual_length} visible characters, one may have {limit}: shorten it",
            actual_length,
            limit,
        )


class InMemoryDownloadLimitExceededError(LimitExceededError):
    """A file is too large to be downloaded into memory."""

    def __init__(self, actual_size: int, limit: int) -> None:
        super().__init__(
            f"the file has {actual_size} bytes, at most {limit} are read into memory: "
            "give file_path to write it to disk",
            actual_size,
            limit,
        )


class ChatTitleTooLongError(LimitExceededError):
    """A title is longer than one may be."""

    kind = "chat"

    def __init__(self, actual_length: int, limit: int = 256) -> None:
        super().__init__(
            f"the title of a {self.kind} may have {limit} characters, this one has {actual_length}",
            actual_length,
            limit,
        )


class GroupTitleTooLongError(ChatTitleTooLongError):
    """The title of a group is too long."""

    kind = "group"


class ChannelTitleTooLongError(ChatTitleTooLongError):
    """The title of a channel is too long."""

    kind = "channel"


class FileValidationError(TcnbError):
    """A file cannot be sent as it is."""


class FileMissingError(FileValidationError, FileNotFoundError):
    """There is no such file, or it cannot be read."""

    def __str__(self) -> str:
        return harmless(str(self.args[0]))


class EmptyFileError(FileValidationError, UsageError):
    """A file has nothing in it, a picture no pixels, or a figure nothing that is drawn."""


class FileSizeTooLargeError(FileValidationError, LimitExceededError):
    """A file is larger than the server's administrator allows."""

    def __init__(self, actual_size: int, limit: int) -> None:
        super().__init__(f"the file has {actual_size:,} bytes, this server takes at most {limit:,}", actual_size, limit)


class InvalidFileExtensionError(FileValidationError):
    """The server's administrator does not allow files of this extension.

    Attributes:
        extension: the extension found, without its dot.
        extensions: the extensions that the rule names.
        mode: `allow` (only those) or `block` (all but those).
    """

    def __init__(self, extension: str, extensions: set[str] | None = None, mode: str = "allow") -> None:
        self.extension = extension
        self.extensions = extensions or set()
        self.mode = mode
        rule = "takes only" if mode == "allow" else "refuses"
        listed = ", ".join(f".{name}" for name in sorted(self.extensions)) or "none"
        name = f"files ending in .{extension} are" if extension else "files without an extension are"
        super().__init__(f"{name} not allowed: this server {rule} {listed}")


class NotAnImageError(FileValidationError, TypeError):
    """A photo or a sticker was asked for, and the file is no image that can be shown."""


class FileUploadError(TcnbError):
    """A file could not be uploaded.

    Attributes:
        code: the server's error code, where it gave one (`protocol` section 11.8).
    """

    code: int | None = None


class FileDownloadError(TcnbError):
    """A file could not be downloaded."""


class DestinationExistsError(FileDownloadError, FileExistsError):
    """A file should be written to a path where one is already, and replacing it was not asked for."""

    def __str__(self) -> str:
        return harmless(str(self.args[0]))


def _listed(names: list[str], written: Callable[[str], str] = repr, most: int = 8) -> str:
    shown = ", ".join(written(one_line(name)) for name in names[:most])
    return shown + (f" and {len(names) - most} more" if len(names) > most else "")
