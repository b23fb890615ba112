"""What a person reads in a marked-up text, and how long it is; what counts as markup is the grammar's business.

Source: `protocol` section 10.
"""

from __future__ import annotations

import re
from typing import Final

from tcnb.markup.grammar import MARKDOWN_TOKEN, TAG, link_target, with_entities_resolved

# Possessive quantifiers (`*+`) never give back what they took, so a hostile text costs no more than its length.
_QUOTE: Final = re.compile(r"\s*+<quote\b([^<>]*+)>", re.IGNORECASE)
_REPLY: Final = re.compile(r"""\bclass\s*+=\s*+["']?reply\b""", re.IGNORECASE)
_QUOTE_EDGE: Final = re.compile(r"<(/?)quote\b[^<>]*+>", re.IGNORECASE)
_BREAKS: Final = re.compile(r"(?:\s*+<br\s*+/?>)*\s*", re.IGNORECASE)
_MARKDOWN_SIGN: Final = re.compile(r"[\\*_~\[>]")


def plain(text: str, parse_mode: str | None) -> str:
    """Return what a person reads: the text without its markup.

    Args:
        text: the text as it stands in a message.
        parse_mode: `html`, `markdown` or `text`; anything else is taken as `text`.

    Returns:
        For html: tags gone, `<br>` a newline, the quoted message at the start of a reply gone, entities resolved, links
        as their labels. For markdown the same by its own signs. Otherwise the text itself.

    Source: `protocol` sections 10.1 and 10.3.
    """
    if parse_mode == "html":
        if "<" not in text and "&" not in text:
            return text
        return _without_tags(_without_reply_quote(text))
    if parse_mode == "markdown":
        if _MARKDOWN_SIGN.search(text) is None:
            return text
        return _without_signs(text)
    return text


def visible_length(text: str, parse_mode: str | None) -> int:
    """Count the characters (code points) that the limit of 4096 is about, never fewer than the server may count.

    Args:
        text: the text as it will be sent.
        parse_mode: `html`, `markdown` or `text`; anything else is taken as `text`.

    Returns:
        The length without markup; a link counts as its label, a space and its target, and a quotation counts fully.

    Source: `protocol` section 10.4.
    """
    if parse_mode == "html" and ("<" in text or "&" in text):
        return len(_without_tags(text, with_targets=True))
    if parse_mode == "markdown" and _MARKDOWN_SIGN.search(text) is not None:
        return len(_without_signs(text, with_targets=True))
    return len(text)


def _without_reply_quote(text: str) -> str:
    opening = _QUOTE.match(text)
    if opening is None or _REPLY.search(opening[1]) is None:
        return text
    depth = 1
    for edge in _QUOTE_EDGE.finditer(text, opening.end()):
        depth += -1 if edge[1] else 1
        if depth == 0:
            rest = _BREAKS.match(text, edge.end())
            return text[rest.end() if rest else edge.end() :]
    return text


def _without_tags(text: str, *, with_targets: bool = False) -> str:
    """Return a text in HTML without its tags, each link as its label, and its address behind that if wanted."""
    pieces: list[str] = []
    targets: list[str] = []
    position = 0
    for tag in TAG.finditer(text):
        pieces.append(with_entities_resolved(text[position : tag.start()]))
        position = tag.end()
        closing, name = tag[1], tag[2].lower()
        if name == "br":
            pieces.append("\n")
        elif name == "a" and not closing:
            targets.append(f" {link_target(tag[3])}" if with_targets else "")
        elif name == "a" and targets:
            pieces.append(targets.pop())
    return "".join((*pieces, with_entities_resolved(text[position:]), *reversed(targets)))


def _without_signs(text: str, *, with_targets: bool = False) -> str:
    """Return a text in Markdown without its signs, each link as `_without_tags` does."""
    pieces: list[str] = []
    opened: dict[str, int] = {}
    position = 0
    for token in MARKDOWN_TOKEN.finditer(text):
        pieces.append(text[position : token.start()])
        position = token.end()
        mark = token["mark"]
        if mark is not None:
            _pair(text, token, pieces, opened)
        elif token["escaped"] is not None:
            pieces.append(token["escaped"])
        elif token["label"] is not None:
            pieces.append(_without_signs(token["label"], with_targets=with_targets))
            pieces.append(f" {token['target']}" if with_targets else "")
    pieces.append(text[position:])
    return "".join(pieces)


def _pair(text: str, token: re.Match[str], pieces: list[str], opened: dict[str, int]) -> None:
    """Drop a sign together with the one that opened it; a sign that stands alone is text."""
    mark = token["mark"]
    before, after = text[max(token.start() - 1, 0) : token.start()], text[token.end() : token.end() + 1]
    inside_word = mark[0] == "_" and before.isalnum() and after.isalnum()
    if mark in opened and before.strip() and not inside_word:
        start = opened.pop(mark)
        pieces[start] = ""
        # What was opened inside and not closed there stays text.
        for other in [name for name, place in opened.items() if place > start]:
            del opened[other]
        return
    if mark not in opened and after.strip() and not inside_word:
        opened[mark] = len(pieces)
    pieces.append(mark)
