"""What all magics share: how a line is read, and how an error becomes one line; no magic is here."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from IPython.core.magic import Magics

from tcnb.errors import FileMissingError, TcnbError, UnknownChatError, WSConnectionError
from tcnb.notebook import messages
from tcnb.notebook.magics.arguments import Arguments
from tcnb.notebook.magics.grammar import Verb
from tcnb.wire.names import folded

_NETWORK_PACKAGES = frozenset({"httpx", "httpcore", "websockets", "ssl", "socket"})


class VerbMagics(Magics):
    """Magics whose lines follow the one grammar."""

    @property
    def _shell(self) -> Any:
        return self.shell

    def _given(self, verb: Verb, line: str, local_ns: dict[str, Any] | None, cell: str | None = None) -> Arguments:
        names: dict[str, Any] = self._shell.user_ns
        if local_ns is not None and local_ns is not names:
            names = {**names, **local_ns}
        return Arguments(verb, line, names, cell)


@contextmanager
def one_line_errors(session: Any = None) -> Iterator[None]:
    """Let errors of tcnb and of programming pass, and give every other a name of tcnb and one line."""
    try:
        yield
    except UnknownChatError as error:
        _add_quoting_hint(error, session)
        raise
    except TcnbError:
        raise
    except Exception as error:
        if (named := _named(error)) is None:
            raise
        raise named from error


def _named(error: Exception) -> TcnbError | None:
    """Return the error of tcnb that a file's or network's error amounts to; None for an error of programming."""
    if isinstance(error, OSError) and error.filename is not None:
        return FileMissingError(messages.file_unreadable(error))
    if isinstance(error, OSError) or type(error).__module__.partition(".")[0] in _NETWORK_PACKAGES:
        return WSConnectionError(messages.connection_failed(error))
    return None


def _add_quoting_hint(error: UnknownChatError, session: Any) -> None:
    """Say that a title needs quotes, if the unknown name is the first word of one."""
    titles = [title for title, *_ in session.known_chats()] if session is not None else []
    begin = f"{folded(error.name)} "
    if (title := next((title for title in titles if title and folded(title).startswith(begin)), None)) is not None:
        error.args = (messages.title_needs_quotes(str(error), title),)
