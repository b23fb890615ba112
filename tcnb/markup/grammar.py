"""What counts as markup in a text, as far as this package reads it: tags, entities and signs; no text is changed here.

Possessive quantifiers (`*+`) never give back what they took, so a hostile text costs no more than its length.
Source: `protocol` section 10.1.
"""

from __future__ import annotations

import html
import re
from typing import Final

TAG: Final = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9]*+)([^<>]*+)>")
"""A tag; its groups are the slash of a closing one, the name and the attributes."""

ENTITY: Final = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
"""An entity closed by a semicolon; without it, it is what people type (`a&copy=b`), which must survive."""

MARKDOWN_TOKEN: Final = re.compile(
    r"\\(?P<escaped>[_*\[\]()~`>#+\-=|{}.!\\])"
    r"|\[(?P<label>(?:[^\[\]\\\n]|\\.)*)\]\((?P<target>[^()\s]*)\)"
    r"|^(?P<quote>>[ ]?)"
    r"|(?P<mark>\*\*|__|~~|\*|_)",
    re.MULTILINE,
)
"""An escaped sign, a link, the sign of a quotation, or a mark that pairs with another."""

_HREF: Final = re.compile(r"""\bhref\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""", re.IGNORECASE)


def link_target(attributes: str) -> str:
    """Return the address in the attributes of an `<a>`, its entities resolved; empty where there is none."""
    found = _HREF.search(attributes)
    return with_entities_resolved(found[1] or found[2] or found[3] or "") if found else ""


def with_entities_resolved(text: str) -> str:
    """Return the text with the characters that its entities stand for."""
    if "&" not in text:
        return text
    return ENTITY.sub(lambda entity: html.unescape(entity[0]), text)
