"""What a row's frame says and no column holds: a text's markup, the buttons under it, a survey; cut to what is shown.

Nothing here is a widget, and nothing of it reaches the page as HTML: texts, addresses and trees of known styles only.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

from tcnb.console import one_line
from tcnb.errors import MalformedFrameError
from tcnb.markup.text import plain
from tcnb.notebook.composer.markup import Node, Rendering, is_allowed
from tcnb.notebook.feed.rows import Row
from tcnb.types.enums import ButtonStyle, ButtonType
from tcnb.types.keyboard import MAX_INLINE_KEYBOARD_ROWS, MAX_INLINE_KEYBOARD_WIDTH
from tcnb.types.reading import string
from tcnb.wire.frames import payload_content

Content = Mapping[str, Any]
"""The `content` of a message, a sending or an edit, as the wire has it (`protocol` section 5.2)."""

MOST_NODES: Final = 40
"""Pieces of a text that are drawn in their styles; a text with more of them is shown without markup."""

LONGEST_LABEL: Final = 64
"""Characters of a button's label; senders are held to 32 (`protocol` section 9), readers to nothing."""

LONGEST_DETAIL: Final = 300
"""Characters of what a button does, or of what a survey says of itself."""

LONGEST_ADDRESS: Final = 8095
"""Characters of an address (`protocol` section 9); a longer one leads nowhere."""

_DONE_BY: Final[Mapping[str, str]] = {
    ButtonType.COMMAND: "command",
    ButtonType.URL: "url",
    ButtonType.MESSAGE: "message",
    ButtonType.COPY: "data",
}
"""Which field of a button says what it does."""

_STYLES: Final = frozenset({ButtonStyle.PRIMARY, ButtonStyle.DANGER, ButtonStyle.SUCCESS})


def content_of(payload: bytes) -> Content:
    """Return the content of a frame; empty for a frame without any, or that nobody can read."""
    try:
        said = payload_content(payload)
    except MalformedFrameError:
        return {}
    return _object(_object(said).get("content"))


def contents(content: Content, row: Row) -> dict[str, Any]:
    """Return what is drawn of a content beyond the columns of its row; empty if there is nothing.

    Returns:
        `tree`, the text in its styles; `keyboard`, rows of buttons; `survey`, its kind, button and address.
    """
    found: dict[str, Any] = {}
    innermost = content
    while "text" not in innermost and isinstance(innermost.get("content"), dict):
        innermost = innermost["content"]
    tree = _tree(innermost, row)
    if tree is not None:
        found["tree"] = tree
    # Of what was forwarded the buttons are not shown: they are their bot's, in the chat where they were sent.
    rows = keyboard(content)
    if rows:
        found["keyboard"] = rows
    if row.get("message_type") == "survey" or "buttonText" in innermost:
        found["survey"] = survey(innermost)
    return found


def brief(content: Content) -> dict[str, Any]:
    """Return what a still view adds to a row: `buttons`, their labels, and `about`, what a survey says of itself."""
    labels = [button["l"] for line in keyboard(content) for button in line]
    about = _text(content, "description").strip("{}") if "buttonText" in content else ""
    return {"buttons": labels, "about": _cut(about, LONGEST_LABEL)}


def _tree(content: Content, row: Row) -> list[Node] | None:
    """Return a text in its styles; None for one that has none, or too many."""
    text, mode = content.get("text"), str(content.get("parseMode") or "text")
    # What is drawn must be what the record says, whatever the text has become since.
    if not isinstance(text, str) or mode == "text" or plain(text, mode) != row.get("text"):
        return None
    nodes = Rendering(text, mode, is_reply=True).nodes
    return nodes if _count(nodes) <= MOST_NODES else None


def _count(nodes: list[Node]) -> int:
    return sum(1 if isinstance(node, str) else 1 + _count(node.get("c", [])) for node in nodes)


def keyboard(content: Content) -> list[list[dict[str, str]]]:
    """Return the buttons under a message in rows, no more of them than a server accepts.

    Returns:
        buttons as `k` kind, `l` label, `s` style, `d` what it does, `h` the address of a link that may be followed.

    Source: `protocol` section 9.
    """
    said = content.get("buttons")
    if isinstance(said, dict):
        said = said.get("buttons")
    if not isinstance(said, list):
        return []
    matrix = [line[:MAX_INLINE_KEYBOARD_WIDTH] for line in said[:MAX_INLINE_KEYBOARD_ROWS] if isinstance(line, list)]
    rows = [[_button(one) for one in line if isinstance(one, dict)] for line in matrix]
    return [row for row in rows if row]


def _button(said: Content) -> dict[str, str]:
    kind = string(said.get("type")) or ""
    does = _text(said, _DONE_BY.get(kind, ""))
    # A label is one line; an address stands for the label that a link may lack.
    label = one_line(_text(said, "label") or does or kind, LONGEST_LABEL)
    button = {"k": kind[:LONGEST_LABEL], "l": label or "·"}
    if does:
        button["d"] = _cut(does, LONGEST_DETAIL)
    if (style := _text(said, "style")) in _STYLES:
        button["s"] = style
    if kind == ButtonType.URL and _leads(does):
        button["h"] = does
    return button


def survey(content: Content) -> dict[str, str]:
    """Return what a survey says of itself beside its title.

    Returns:
        `d` its description and `b` the label of its button, both perhaps keys in double braces that the page words
        (`protocol` section 6.5), and `h` its address, if it may be followed. Questions never come over the wire.
    """
    shown = {
        "d": one_line(_text(content, "description"), LONGEST_DETAIL),
        "b": one_line(_text(content, "buttonText"), LONGEST_LABEL),
    }
    address = _address_of_survey(content)
    if address:
        shown["h"] = address
    return {name: value for name, value in shown.items() if value}


def _address_of_survey(content: Content) -> str:
    """Return where a client without surveys sends a person: the link in `alt`, or the page with the campaign's id."""
    for node in Rendering(_text(content, "alt")[:LONGEST_ADDRESS], "html").nodes:
        if isinstance(node, dict) and _leads(node.get("h", "")):
            return str(node["h"])
    page, path = _text(content, "url"), _text(content, "path")
    address = f"{page}?{urlencode({'id': path})}" if page and path and "?" not in page else page
    return address if _leads(address) else ""


def _leads(address: str) -> bool:
    return bool(address) and len(address) <= LONGEST_ADDRESS and is_allowed(address)


def _text(said: Content, name: str) -> str:
    value = said.get(name)
    return value if isinstance(value, str) else ""


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"


def _object(value: Any) -> Content:
    return value if isinstance(value, dict) else {}
