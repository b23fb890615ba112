"""Building texts with markup out of pieces, whatever people typed escaped, for both kinds of markup; cutting long texts
is done in `tcnb.markup.splitting`.

Public as `tcnb.formatting`, under the official Python client's names. Source: `protocol` section 10.
"""

from __future__ import annotations

import html
import re
from abc import ABC, abstractmethod
from typing import Any, Final

from tcnb.errors import UsageError
from tcnb.markup.splitting import safe_split_text
from tcnb.markup.text import visible_length

__all__ = [
    "AllMention",
    "Bold",
    "Italic",
    "LineBreak",
    "Link",
    "Mention",
    "Quote",
    "Strikethrough",
    "Text",
    "TextNode",
    "Underline",
    "escape",
    "safe_split_text",
    "visible_length",
]

_MARKDOWN_SIGNS: Final = re.compile(r"[_*\[\]()~`>#+\-=|{}.!\\]")
_UNSAFE_IN_TARGET: Final = re.compile(r"[()\s]")


def escape(text: str, parse_mode: str) -> str:
    """Return a text so that it is shown as it stands, line breaks included.

    Args:
        text: what somebody typed.
        parse_mode: `html`, `markdown` or `text`, the mode in which it will be sent.

    Raises:
        UsageError: there is no such mode.

    Source: `protocol` section 10.1.
    """
    mode = str(parse_mode)
    if mode == "text":
        return text
    if mode == "html":
        return _HTML.escape(text)
    if mode == "markdown":
        return _MARKDOWN.escape(text)
    raise UsageError(f"parse_mode is text, markdown or html, not {mode!r}")


class TextNode(ABC):
    """A piece of text that can be written in each kind of markup."""

    @abstractmethod
    def render(self, decoration: Decoration) -> str:
        """Write the piece with the given signs."""

    def as_html(self) -> str:
        """Write the piece for `parse_mode="html"`."""
        return self.render(_HTML)

    def as_markdown(self) -> str:
        """Write the piece for `parse_mode="markdown"`."""
        return self.render(_MARKDOWN)


class Text(TextNode):
    """Pieces one after another; whatever is not a piece is shown as it stands.

    Args:
        body: pieces, and strings or other values, which are escaped.
    """

    def __init__(self, *body: Any) -> None:
        self.body = body

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(repr(piece) for piece in self.body)})"

    def render(self, decoration: Decoration) -> str:
        """Write all pieces with the given signs."""
        return "".join(
            piece.render(decoration) if isinstance(piece, TextNode) else decoration.escape(str(piece))
            for piece in self.body
        )


class Bold(Text):
    """Bold text."""

    def render(self, decoration: Decoration) -> str:
        """Write the pieces in bold."""
        return decoration.bold(super().render(decoration))


class Italic(Text):
    """Italic text."""

    def render(self, decoration: Decoration) -> str:
        """Write the pieces in italics."""
        return decoration.italic(super().render(decoration))


class Underline(Text):
    """Underlined text; Markdown has no sign for it, so there it is plain (`protocol` section 10.1)."""

    def render(self, decoration: Decoration) -> str:
        """Write the pieces underlined."""
        return decoration.underline(super().render(decoration))


class Strikethrough(Text):
    """Text that is struck through."""

    def render(self, decoration: Decoration) -> str:
        """Write the pieces struck through."""
        return decoration.strikethrough(super().render(decoration))


class Link(Text):
    """A link.

    Args:
        body: what is shown.
        url: where it leads.

    Raises:
        UsageError: the address is empty, for which a server refuses the whole message.
    """

    def __init__(self, *body: Any, url: str) -> None:
        if not url.strip():
            raise UsageError("a link leads somewhere: its url is empty")
        super().__init__(*body)
        self.url = url.strip()

    def render(self, decoration: Decoration) -> str:
        """Write the pieces as a link."""
        return decoration.link(super().render(decoration), self.url)


class Mention(Link):
    """A mention of a person, who is notified. Source: `protocol` section 10.2.

    Args:
        body: what is shown, usually the name; nothing shows the id.
        user_id: the full id, `login@server`.

    Raises:
        UsageError: the id is empty.
    """

    def __init__(self, *body: Any, user_id: str) -> None:
        if not user_id.strip():
            raise UsageError("a mention is of somebody: its user_id is empty")
        super().__init__(*(body or (user_id,)), url=f"trueconf:{user_id.strip()}")
        self.user_id = user_id


class Quote(Text):
    """A quotation with what parts it from the text that follows.

    In HTML it is shown at the start of a message that answers another one, so send it with `reply_message_id`
    (`protocol` section 10.3).
    """

    def render(self, decoration: Decoration) -> str:
        """Write the pieces as a quotation."""
        return decoration.quote(super().render(decoration))


class LineBreak(TextNode):
    """The end of a line."""

    def __repr__(self) -> str:
        return "LineBreak()"

    def render(self, decoration: Decoration) -> str:
        """Write the end of a line."""
        return decoration.line_break


class AllMention(TextNode):
    """A mention of everybody in the chat."""

    def __repr__(self) -> str:
        return "AllMention()"

    def render(self, decoration: Decoration) -> str:
        """Write the mention."""
        return "@all"


class Decoration(ABC):
    """The signs of one kind of markup; what they are put around is escaped already."""

    line_break: str

    @abstractmethod
    def escape(self, text: str) -> str:
        """Return a text so that it is shown as it stands."""

    @abstractmethod
    def bold(self, body: str) -> str:
        """Make bold."""

    @abstractmethod
    def italic(self, body: str) -> str:
        """Make italic."""

    @abstractmethod
    def underline(self, body: str) -> str:
        """Underline."""

    @abstractmethod
    def strikethrough(self, body: str) -> str:
        """Strike through."""

    @abstractmethod
    def link(self, body: str, url: str) -> str:
        """Make a link."""

    @abstractmethod
    def quote(self, body: str) -> str:
        """Make a quotation, and part it from what follows."""


class _Html(Decoration):
    line_break = "<br>"

    def escape(self, text: str) -> str:
        # A line break as such would be shown as a space.
        return html.escape(text, quote=False).replace("\r\n", "\n").replace("\n", self.line_break)

    def bold(self, body: str) -> str:
        return f"<b>{body}</b>"

    def italic(self, body: str) -> str:
        return f"<i>{body}</i>"

    def underline(self, body: str) -> str:
        return f"<u>{body}</u>"

    def strikethrough(self, body: str) -> str:
        return f"<s>{body}</s>"

    def link(self, body: str, url: str) -> str:
        return f'<a href="{html.escape(url)}">{body}</a>'

    def quote(self, body: str) -> str:
        return f'<quote class="reply">{body}</quote><br><br>'


class _Markdown(Decoration):
    line_break = "\n"

    def escape(self, text: str) -> str:
        return _MARKDOWN_SIGNS.sub(lambda sign: f"\\{sign[0]}", text)

    def bold(self, body: str) -> str:
        return _around(body, "**", "__")

    def italic(self, body: str) -> str:
        return _around(body, "*", "_")

    def underline(self, body: str) -> str:
        return body

    def strikethrough(self, body: str) -> str:
        return _around(body, "~~", "~~")

    def link(self, body: str, url: str) -> str:
        target = _UNSAFE_IN_TARGET.sub(lambda sign: "".join(f"%{byte:02X}" for byte in sign[0].encode()), url)
        return f"[{' '.join(body.splitlines())}]({target})"

    def quote(self, body: str) -> str:
        return "\n".join(f"> {line}" for line in body.splitlines() or [""]) + "\n\n"


def _around(body: str, sign: str, other: str) -> str:
    """Put signs around a text: not around white space at its ends, and not beside the same sign, where they fail."""
    inner = body.strip()
    if not inner:
        return body
    start = body.index(inner)
    used = other if inner[0] == sign[0] or inner[-1] == sign[0] else sign
    return f"{body[:start]}{used}{inner}{used}{body[start + len(inner) :]}"


_HTML: Final = _Html()
_MARKDOWN: Final = _Markdown()
