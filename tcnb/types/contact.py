"""Contacts: who a card or a link in a message is about; fetching the card is the message's business.

Source: `protocol` section 5.2; vCard 2.1, RFC 2426 (3.0) and RFC 6350 (4.0).
"""

from __future__ import annotations

import quopri
import re
from dataclasses import dataclass
from typing import Final

_FOLD: Final = re.compile(r"\r?\n[ \t]")
_PROPERTY: Final = re.compile(r"^(?:[\w-]+\.)?(N|FN|TEL)((?:;[^:\r\n]*)?):(.*?)\r?$", re.IGNORECASE | re.MULTILINE)
_SOFT_BREAK: Final = re.compile(r"=\r?\n")
_COMPONENT: Final = re.compile(r"((?:\\.|[^;])*+)(?:;|\Z)", re.DOTALL)
_ESCAPED: Final = re.compile(r"\\([\\;,nN])")


@dataclass(repr=True)
class Contact:
    """A person whose contact was shared in a chat.

    Attributes:
        phone_number: the first number of a card; None for a TrueConf user.
        first_name: the given name of a card, or the whole display name where nothing tells its parts apart.
        last_name: the family name of a card; None where nothing tells it apart.
        user_id: the user id of a TrueConf user; None for a card.
        vcard: the text of the card; None for a TrueConf user.
    """

    phone_number: str | None = None
    first_name: str = ""
    last_name: str | None = None
    user_id: str | None = None
    vcard: str | None = None

    @classmethod
    def from_vcard(cls, text: str) -> Contact | None:
        """Read the first card of a vCard file; None if the text is none.

        Args:
            text: the content of the file, version 2.1, 3.0 or 4.0.
        """
        if "BEGIN:VCARD" not in text.upper():
            return None
        first_card = re.split(r"END:VCARD", text, maxsplit=1, flags=re.IGNORECASE)[0]
        values: dict[str, tuple[str, str]] = {}
        for name, parameters, value in _PROPERTY.findall(_FOLD.sub("", _SOFT_BREAK.sub("", first_card))):
            values.setdefault(name.upper(), (value, parameters.upper()))
        last_name, first_name = _names(values)
        phone_number = _decoded(*values.get("TEL", _NOTHING))
        if phone_number.lower().startswith("tel:"):
            phone_number = phone_number[4:]
        return cls(phone_number or None, first_name, last_name, vcard=text)


_NOTHING: Final = ("", "")


def _names(values: dict[str, tuple[str, str]]) -> tuple[str | None, str]:
    """Return family name and given name; without a structured name the whole name counts as given."""
    structured, parameters = values.get("N", _NOTHING)
    family, given, *_ = (*(_decoded(part, parameters) for part in _COMPONENT.findall(structured)), "", "")
    if family or given:
        return family or None, given
    return None, _decoded(*values.get("FN", _NOTHING))


def _decoded(value: str, parameters: str) -> str:
    """Return a value, or a part of one, as it is meant: parts are told apart before, by what is not escaped."""
    value = _unescaped(value).strip()
    if "QUOTED-PRINTABLE" not in parameters:
        return value
    charset = re.search(r"CHARSET=\"?([\w-]+)", parameters)
    raw = quopri.decodestring(value.encode("utf-8", "replace"))
    try:
        return raw.decode(charset[1] if charset else "utf-8", "replace")
    except LookupError:
        return raw.decode("utf-8", "replace")


def _unescaped(value: str) -> str:
    return _ESCAPED.sub(lambda match: "\n" if match[1] in "nN" else match[1], value)
