"""How a text will look once it is sent, as a tree the page can build; only what the connector renders is in it.

Source: `protocol` sections 10.1 and 10.3.
"""

from __future__ import annotations

import re
from typing import Any, Final
from urllib.parse import urlsplit

from tcnb.markup.grammar import MARKDOWN_TOKEN, TAG, link_target, with_entities_resolved
from tcnb.types.enums import ALLOWED_BUTTON_URL_SCHEMES

Node = str | dict[str, Any]
"""A text, or `{"t": tag, "c": [nodes]}` with a tag of `b i s u a quote br`; an `a` has its address under `h`."""

DEEPEST: Final = 24
"""Nesting that is drawn; what lies deeper is drawn flat, so that a hostile text cannot exhaust anybody's stack."""

_STYLES: Final = frozenset({"b", "i", "s", "u", "a", "quote"})
_MARKS: Final = {"**": "b", "__": "b", "*": "i", "_": "i", "~~": "s"}
_REPLY: Final = re.compile(r"""\bclass\s*=\s*["']?reply\b""", re.IGNORECASE)
_QUOTED: Final = re.compile(r"^>[ ]?")


class Rendering:
    """What comes of a text.

    Args:
        text: the text as it will be sent.
        mode: `text`, `markdown` or `html`.
        is_reply: whether it answers a message; a quotation in HTML stays empty where it does not.

    Attributes:
        nodes: the tree.
        problems: what will not come out as meant, by name: `link` (an address for which the server refuses the whole
            message, in HTML), `address` (one that no client follows, in Markdown) and `quote` (a quotation that will
            be shown empty).
    """

    def __init__(self, text: str, mode: str, *, is_reply: bool = False) -> None:
        self.problems: list[str] = []
        self._is_reply = is_reply
        self._is_html = mode == "html"
        if mode == "html":
            self.nodes = self._html(text)
        elif mode == "markdown":
            self.nodes = self._markdown(text)
        else:
            self.nodes = [text] if text else []

    # -- HTML --------------------------------------------------------------------------------------------------------

    def _html(self, text: str) -> list[Node]:
        root: list[Node] = []
        open_tags: list[tuple[str, list[Node]]] = []
        position = 0
        for tag in TAG.finditer(text):
            inside = open_tags[-1][1] if open_tags else root
            _add(inside, with_entities_resolved(text[position : tag.start()]))
            position = tag.end()
            name = tag[2].lower()
            if name == "br":
                inside.append({"t": "br"})
            elif name in _STYLES and not tag[1]:
                if len(open_tags) < DEEPEST:
                    made = self._opened(name, tag[3])
                    inside.append(made)
                    open_tags.append((name, made["c"]))
            elif any(name == one for one, _ in open_tags):
                while open_tags.pop()[0] != name:
                    pass
        _add(open_tags[-1][1] if open_tags else root, with_entities_resolved(text[position:]))
        return root

    def _opened(self, name: str, attributes: str) -> dict[str, Any]:
        if name == "a":
            return self._link(link_target(attributes), [])
        if name == "quote" and _REPLY.search(attributes) and not self._is_reply:
            self._note("quote")
        return {"t": name, "c": []}

    # -- Markdown ----------------------------------------------------------------------------------------------------

    def _markdown(self, text: str) -> list[Node]:
        """Draw quoted lines that follow each other as one quotation."""
        nodes: list[Node] = []
        run: list[str] = []
        quoted = False
        for line in text.split("\n"):
            if run and (_QUOTED.match(line) is not None) != quoted:
                self._end_run(nodes, run, quoted)
                run = []
            quoted = _QUOTED.match(line) is not None
            run.append(_QUOTED.sub("", line))
        self._end_run(nodes, run, quoted)
        return nodes

    def _end_run(self, nodes: list[Node], lines: list[str], quoted: bool) -> None:
        inner = self._inline("\n".join(lines), 0)
        if quoted:
            nodes.append({"t": "quote", "c": inner})
            return
        if nodes and isinstance(nodes[-1], str):
            inner.insert(0, "\n")
        nodes.extend(inner)

    def _inline(self, text: str, depth: int) -> list[Node]:
        """Pair the marks as `tcnb.markup.text.plain` does, and draw what stands between a pair in its style."""
        pieces: list[Any] = []
        opened: dict[str, int] = {}
        position = 0
        for token in MARKDOWN_TOKEN.finditer(text):
            pieces.append(text[position : token.start()])
            position = token.end()
            if token["mark"] is not None:
                _pair(text, token, pieces, opened)
            elif token["escaped"] is not None:
                pieces.append(token["escaped"])
            elif token["label"] is not None:
                label = self._inline(token["label"], depth + 1) if depth < DEEPEST else [token["label"]]
                pieces.append(self._link(token["target"], label))
            else:
                pieces.append(token[0])
        pieces.append(text[position:])
        return _nested(pieces)

    # -- both --------------------------------------------------------------------------------------------------------

    def _link(self, address: str, label: list[Node]) -> dict[str, Any]:
        if not is_allowed(address):
            self._note("link" if self._is_html else "address")
            return {"t": "a", "h": "", "c": label}
        return {"t": "a", "h": address, "c": label}

    def _note(self, problem: str) -> None:
        if problem not in self.problems:
            self.problems.append(problem)


def is_allowed(address: str) -> bool:
    """Tell whether a link may lead there (`protocol` sections 9 and 10.1)."""
    try:
        return urlsplit(address.strip()).scheme.lower() in ALLOWED_BUTTON_URL_SCHEMES
    except ValueError:
        return False


def flat(nodes: list[Node]) -> str:
    """Return what a person reads in a tree, `<br>` as a newline."""
    parts = []
    for node in nodes:
        if isinstance(node, str):
            parts.append(node)
        else:
            parts.append("\n" if node["t"] == "br" else flat(node["c"]))
    return "".join(parts)


class _Edge:
    """Where a style begins or ends."""

    def __init__(self, tag: str, is_end: bool) -> None:
        self.tag = tag
        self.is_end = is_end


def _pair(text: str, token: re.Match[str], pieces: list[Any], opened: dict[str, int]) -> None:
    mark = token["mark"]
    before, after = text[max(token.start() - 1, 0) : token.start()], text[token.end() : token.end() + 1]
    inside_word = mark[0] == "_" and before.isalnum() and after.isalnum()
    if mark in opened and before.strip() and not inside_word:
        start = opened.pop(mark)
        pieces[start] = _Edge(_MARKS[mark], is_end=False)
        pieces.append(_Edge(_MARKS[mark], is_end=True))
        for other in [name for name, place in opened.items() if place > start]:
            del opened[other]
        return
    if mark not in opened and after.strip() and not inside_word:
        opened[mark] = len(pieces)
    pieces.append(mark)


def _nested(pieces: list[Any]) -> list[Node]:
    root: list[Node] = []
    stack = [root]
    for piece in pieces:
        if not isinstance(piece, _Edge):
            _add(stack[-1], piece)
        elif piece.is_end:
            stack.pop()
        else:
            inner: list[Node] = []
            stack[-1].append({"t": piece.tag, "c": inner})
            stack.append(inner)
    return root


def _add(nodes: list[Node], piece: Node) -> None:
    """Append a node; a text joins the text before it."""
    if not piece:
        return
    if isinstance(piece, str) and nodes and isinstance(nodes[-1], str):
        nodes[-1] += piece
    else:
        nodes.append(piece)
