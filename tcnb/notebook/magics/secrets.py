"""How secrets on a magic's line are recognised and refused; where secrets come from is in `client.credentials`."""

from __future__ import annotations

import re

from tcnb.errors import SecretOnLineError
from tcnb.notebook import messages

_SECRET_OPTION = re.compile(
    r"--?(?:p|pw|pwd|pass(?:w(?:or)?d|phrase)?|\w*[-_]?(?:password|token|secret|jwt)|api[-_]?key)", re.I
)
_SECRET_TEXT = re.compile(r"(?:(?:^|[\s_-])(?:pass(?:wd)?|pwd|jwt)|password|token|secret)\s*+[=:]", re.I)
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*://", re.I)
_PASSWORD_IN_ADDRESS = re.compile(r"[^/@\s:]*+:\S*@")


def refuse_option(written: str) -> None:
    """Refuse an option under which people write secrets; what follows it is not looked at.

    Raises:
        SecretOnLineError: it is one.
    """
    if _SECRET_OPTION.fullmatch(written):
        raise SecretOnLineError(messages.secret_option(written))


def refuse_text(text: str) -> None:
    """Refuse something like `password=…` behind a server.

    Raises:
        SecretOnLineError: there is such a thing in the text.
    """
    if _SECRET_TEXT.search(text):
        raise SecretOnLineError(messages.secret_in_text())


def refuse_address(server: str) -> None:
    """Refuse an address with a password in it, such as `robot:password@server`.

    Raises:
        SecretOnLineError: there is one.
    """
    if has_password(server):
        raise SecretOnLineError(messages.secret_in_address())


def has_password(server: str) -> bool:
    """Tell whether an address has a password before its `@`."""
    scheme = _SCHEME.match(server)
    return _PASSWORD_IN_ADDRESS.match(server, scheme.end() if scheme else 0) is not None
