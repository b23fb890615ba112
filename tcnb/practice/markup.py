"""What the server does to a text before it keeps it: cleaning of html, counting and cutting; nothing is stored here.

Source: `protocol` sections 10.1, 10.4 and 16.3.
"""

from __future__ import annotations

import re
from html import unescape
from html.parser import HTMLParser
from typing import Final
from urllib.parse import urlsplit

from tcnb.practice.entities import Refusal
from tcnb.types.enums import ALLOWED_BUTTON_URL_SCHEMES, ParseMode
from tcnb.wire import codes

MOST_VISIBLE: Final = 4096
_HREF: Final = re.compile(r"""\shref\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>]+))""", re.IGNORECASE)
_TAGS: Final = frozenset({"b", "i", "s", "u", "a", "br", "quote"})


def accepted_text(text: str, parse_mode: str, *, cut: bool) -> str:
    """Return a text as the server keeps it.

    Args:
        text: what was sent.
        parse_mode: `text`, `markdown` or `html`.
        cut: whether more than 4096 visible characters are cut off; otherwise they are refused.

    Raises:
        Refusal: 399 for an empty text, an unknown mode, a link that is not allowed, or a text too long.
    """
    if parse_mode == ParseMode.HTML:
        cleaner = _Cleaner(MOST_VISIBLE)
        cleaner.feed(text)
        cleaner.close()
        kept, is_long = cleaner.result(), cleaner.is_cut
    elif parse_mode in (ParseMode.TEXT, ParseMode.MARKDOWN):
        kept, is_long = text[:MOST_VISIBLE], len(text) > MOST_VISIBLE
    else:
        raise Refusal(codes.WRONG_PAYLOAD)
    if not kept or (is_long and not cut):
        raise Refusal(codes.WRONG_PAYLOAD)
    return kept


def is_allowed_link(address: str) -> bool:
    """Return whether a link may lead there."""
    try:
        return urlsplit(address.strip()).scheme.lower() in ALLOWED_BUTTON_URL_SCHEMES
    except ValueError:
        return False


class _Cleaner(HTMLParser):
    """Keeps the tags and attributes that the connector knows, and counts what is visible."""

    def __init__(self, most: int) -> None:
        super().__init__(convert_charrefs=False)
        self.is_cut = False
        self._room = most
        self._parts: list[str] = []
        self._open: list[str] = []

    def result(self) -> str:
        if self.is_cut:
            self._parts.extend(f"</{tag}>" for tag in reversed(self._open))
        return "".join(self._parts)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _TAGS or self.is_cut:
            return
        if tag == "a":
            self._parts.append(f'<a href="{self._link()}">')
        elif tag == "quote":
            self._parts.append('<quote class="reply">' if dict(attrs).get("class") == "reply" else "<quote>")
        else:
            self._parts.append(f"<{tag}>")
        if tag != "br":
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag != "br":
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in self._open and not self.is_cut:
            self._open.reverse()
            self._open.remove(tag)
            self._open.reverse()
            self._parts.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        self._see(data.replace("<", "&lt;"), data)

    def handle_entityref(self, name: str) -> None:
        self._see(f"&{name};", "&")

    def handle_charref(self, name: str) -> None:
        self._see(f"&#{name};", "#")

    def _see(self, written: str, seen: str) -> None:
        if len(seen) <= self._room:
            self._room -= len(seen)
            self._parts.append(written)
            return
        if len(seen) > 1:
            self._parts.append(seen[: self._room].replace("<", "&lt;"))
        self._room = 0
        self.is_cut = True

    def _link(self) -> str:
        found = _HREF.search(self.get_starttag_text() or "")
        # Taken from the source, because the parser decodes "&copy=1" inside an address into a character.
        address = next((group for group in found.groups() if group is not None), "") if found else ""
        if not is_allowed_link(unescape(address)):
            raise Refusal(codes.WRONG_PAYLOAD)
        return address.replace('"', "&quot;")
