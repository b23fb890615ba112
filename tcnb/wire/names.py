"""How names of chats and people are compared, and what can be told from their form alone.

Source: `protocol` section 4.1.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from tcnb.wire.paths import bare_id

# The characters that Unicode calls "default ignorable": nobody sees them, so they tell no two names apart.
_UNSEEN: Final = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]+"
)
_LINK: Final = re.compile(r"#c_(\S+)@[^\s@]+")
_USER_ID: Final = re.compile(r"\S+@\S+")


def tidied(name: str) -> str:
    """Return a name as it looks: composed (NFC), blanks of any kind joined and trimmed, without what nobody sees."""
    if not name.isascii():
        name = unicodedata.normalize("NFC", _UNSEEN.sub("", name))
    return " ".join(name.split())


def folded(name: str) -> str:
    """Return the form in which two names are compared: as they look, in one case."""
    name = tidied(name).casefold()
    return name if name.isascii() else unicodedata.normalize("NFC", name)


def linked_chat(name: str) -> str | None:
    """Return the chat's id in a link `#c_<id>@server`, as client applications copy it; None for any other name."""
    found = _LINK.fullmatch(tidied(name))
    return found and found[1]


def is_user_id(name: str) -> bool:
    """Tell whether a name has the form `login@server`; such a name is never a title."""
    return _USER_ID.fullmatch(name) is not None


def is_word(name: str) -> bool:
    """Tell whether a name has no blanks, so that it can be a login or an id."""
    return not any(map(str.isspace, name))


def full_id(login: str, domain: str) -> str:
    """Return a user id without its `/resource`; a bare login belongs to the domain that is given."""
    return bare_id(login) if "@" in login else f"{login}@{domain}"


def login_of(user_id: str, domain: str) -> str:
    """Return what a person writes for a user: the login where the user belongs to the domain, otherwise the id."""
    login, _, own = bare_id(user_id).rpartition("@")
    return login if login and own.casefold() == domain.casefold() else bare_id(user_id)
