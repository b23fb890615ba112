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
_COMPONENT_END: Final = re.compile(r"(?<!\\);")
_ESCAPED: Final = re.compile(r"\\(.)")


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
        values: dict[str, str] = {}
        for name, parameters, value in _PROPERTY.findall(_FOLD.sub("", _SOFT_BREAK.sub("", first_card))):
            values.setdefault(name.upper(), _decoded(value, parameters.upper()))
        last_name, first_name = _names(values)
        phone_number = values.get("TEL", "").strip()
        if phone_number.lower().startswith("tel:"):
            phone_number = phone_number[4:]
        return cls(_unescaped(phone_number) or None, first_name, last_name, vcard=text)


def _names(values: dict[str, str]) -> tuple[str | None, str]:
    """Return family name and given name; without a structured name the whole name counts as given."""
    parts = [_unescaped(part).strip() for part in _COMPONENT_END.split(values.get("N", ""))]
    family, given = parts[0], parts[1] if len(parts) > 1 else ""
    if family or given:
        return family or None, given
    return None, _unescaped(values.get("FN", "")).strip()


def _decoded(value: str, parameters: str) -> str:
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
