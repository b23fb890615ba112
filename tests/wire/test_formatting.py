"""Whether texts built from pieces are read as they were meant, whatever people typed into them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tcnb
from tcnb import formatting
from tcnb.errors import UsageError
from tcnb.markup.formatting import (
    AllMention,
    Bold,
    Italic,
    LineBreak,
    Link,
    Mention,
    Quote,
    Strikethrough,
    Text,
    TextNode,
    Underline,
    escape,
)
from tcnb.markup.text import plain

TYPED = st.text() | st.text("ab \n<>&;*_~[]()!\\'\"`#amp")

PIECES = [
    (Text("a < b & *c*"), "a &lt; b &amp; *c*", r"a < b & \*c\*"),
    (Bold("x"), "<b>x</b>", "**x**"),
    (Italic("x"), "<i>x</i>", "*x*"),
    (Strikethrough("x"), "<s>x</s>", "~~x~~"),
    (Underline("x"), "<u>x</u>", "x"),
    (Bold(Italic("x"), "y"), "<b><i>x</i>y</b>", "__*x*y__"),
    (Italic("a ", Bold("b")), "<i>a <b>b</b></i>", "_a **b**_"),
    (Bold(" x "), "<b> x </b>", " **x** "),
    (Bold(""), "<b></b>", ""),
    (Bold(1, None), "<b>1None</b>", "**1None**"),
    (Text("one\ntwo"), "one<br>two", "one\ntwo"),
    (Text("one", LineBreak(), "two"), "one<br>two", "one\ntwo"),
    (AllMention(), "@all", "@all"),
    (Link("the ", Bold("log"), url="https://x/?a=1&b=2"), '<a href="https://x/?a=1&amp;b=2">the <b>log</b></a>', None),
    (Link("log", url="https://x/a (b)"), '<a href="https://x/a (b)">log</a>', "[log](https://x/a%20%28b%29)"),
    (Link("a]b", url="x:y"), '<a href="x:y">a]b</a>', r"[a\]b](x:y)"),
    (Mention("Bob", user_id="bob@x"), '<a href="trueconf:bob@x">Bob</a>', "[Bob](trueconf:bob@x)"),
    (Mention(user_id="bob@x"), '<a href="trueconf:bob@x">bob@x</a>', "[bob@x](trueconf:bob@x)"),
    (Text(Quote("a\nb"), "c"), '<quote class="reply">a<br>b</quote><br><br>c', "> a\n> b\n\nc"),
]


@pytest.mark.parametrize(("piece", "html", "markdown"), PIECES, ids=lambda value: str(value)[:40])
def test_piece_is_written_in_both_kinds_of_markup(piece: TextNode, html: str, markdown: str | None) -> None:
    """Each piece has its signs, nested ones included, and what stands between is escaped."""
    assert piece.as_html() == html
    assert markdown is None or piece.as_markdown() == markdown


@given(TYPED)
def test_typed_text_is_shown_as_it_stands_in_html(typed: str) -> None:
    """Nothing that a person types becomes markup."""
    shown = plain(escape(typed, "html"), "html")
    assert shown == typed.replace("\r\n", "\n")


@given(TYPED)
def test_typed_text_is_shown_as_it_stands_in_markdown(typed: str) -> None:
    """Nothing that a person types becomes markup."""
    assert plain(escape(typed, "markdown"), "markdown") == typed


@given(TYPED, st.sampled_from([Bold, Italic, Strikethrough, Underline]))
def test_typed_text_stays_inside_its_markup(typed: str, kind: type[Text]) -> None:
    """Around whatever was typed the signs are signs: they are not read, and the text is."""
    assert plain(kind(typed).as_html(), "html") == typed.replace("\r\n", "\n")
    assert plain(kind(typed).as_markdown(), "markdown") == typed


def test_plain_mode_needs_no_escaping() -> None:
    """Where there is no markup, a text stays as it is."""
    assert escape("<b>*x*</b>", "text") == "<b>*x*</b>"


def test_unknown_mode_is_refused() -> None:
    """A mode that does not exist is an error that lists those that do."""
    with pytest.raises(UsageError, match="text, markdown or html"):
        escape("x", "novel")


@pytest.mark.parametrize("make", [lambda: Link("x", url=" "), lambda: Mention("x", user_id="")])
def test_link_to_nowhere_is_refused(make: object) -> None:
    """An empty address would have the server refuse the whole message, so it is an error here."""
    with pytest.raises(UsageError, match="empty"):
        make()  # type: ignore[operator]


def test_pieces_are_shown_as_they_were_written() -> None:
    """A piece in a notebook cell shows what is in it."""
    assert repr(Text("a", Bold("b"), LineBreak())) == "Text('a', Bold('b'), LineBreak())"


def test_module_is_public() -> None:
    """Everything is in `tcnb.formatting`, cutting long texts included."""
    assert tcnb.formatting is formatting
    assert set(formatting.__all__) <= set(dir(formatting))
    assert formatting.safe_split_text("a b", 1) == ["a", "b"]


def official_pieces(module: object) -> object:
    """Build the same text with our pieces or the official client's."""
    make = vars(module)
    return make["Text"](
        make["Bold"]("Important < ", make["Italic"]("very")),
        " for ",
        make["Mention"]("John *Doe*", user_id="john@x.example"),
        make["LineBreak"](),
        make["Strikethrough"]("old"),
        make["Underline"]("new"),
        make["Link"]("site", url="https://x.example/?a=1&b=2"),
        make["AllMention"](),
    )


def test_html_is_that_of_the_official_client() -> None:
    """Code that builds a text with the official pieces gives the same HTML with ours."""
    official = pytest.importorskip("trueconf.utils.formatting")
    assert official_pieces(formatting).as_html() == official_pieces(official).as_html()  # type: ignore[attr-defined]


def test_every_official_piece_is_here() -> None:
    """What can be imported from the official module can be imported from ours."""
    official = pytest.importorskip("trueconf.utils.formatting")
    assert set(official.__all__) <= set(formatting.__all__)
