"""Whether marked-up text is read as a person reads it, and counted as the server's limit counts."""

from __future__ import annotations

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcnb.markup.text import plain, visible_length

MODES = ["html", "markdown", "text", None, "novel"]
PIECES = [*"ab \n<>/&;#*_~[]()!\\'\"=", "<br>", "<a href='x'>", "</a>", '<quote class="reply">', "</quote>", "&amp;"]
MARKUP = st.lists(st.sampled_from(PIECES)).map("".join)

HTML = [
    ("nothing to do", "nothing to do"),
    ("", ""),
    ("<b>bold</b> <i>it</i> <s>no</s> <u>un</u>", "bold it no un"),
    ("one<br>two<br/>three<BR />four", "one\ntwo\nthree\nfour"),
    ("a &lt;b&gt; &amp; c &quot;d&quot; &#39;e&#39; &#x41;&nbsp;f", "a <b> & c \"d\" 'e' A\xa0f"),
    ("&amp;lt;", "&lt;"),
    ("Tom & Jerry, a&copy=b &unknown; &", "Tom & Jerry, a&copy=b &unknown; &"),
    ("1 < 2 and 3 > 2, x<y", "1 < 2 and 3 > 2, x<y"),
    ('see <a href="https://x.example/?a=1&amp;b=2">the <b>log</b></a>.', "see the log."),
    ('<a href="trueconf:bob@x&do=profile">Bob</a>', "Bob"),
    ("@all come", "@all come"),
    ("<novelty x=1>text</novelty>", "text"),
    ("<a href='x'>never closed", "never closed"),
    ("</a>never opened", "never opened"),
    ('<quote class="reply">all green</quote><br><br>Thank you', "Thank you"),
    ('<quote class="reply">a <quote>b</quote> c</quote>Thank you', "Thank you"),
    ('<quote class="reply">never closed', "never closed"),
    ('before <quote class="reply">quoted</quote> after', "before quoted after"),
    ("<quote>just quoted</quote> after", "just quoted after"),
    ("строка&nbsp;<b>два</b> 😀", "строка\xa0два 😀"),
]

MARKDOWN = [
    ("nothing to do", "nothing to do"),
    ("**bold** __bold__ *it* _it_ ~~no~~", "bold bold it it no"),
    ("**bold and *it* in it**", "bold and it in it"),
    ("[the log](https://x.example/a_b_c)", "the log"),
    ("[**Bob**](trueconf:bob@x)", "Bob"),
    ("> quoted\nanswer", "quoted\nanswer"),
    (r"2 \* 3 \_x\_ \[a\]\(b\) \\", "2 * 3 _x_ [a](b) \\"),
    ("2 * 3 * 4", "2 * 3 * 4"),
    ("snake_case_name and __init__x", "snake_case_name and __init__x"),
    ("**never closed", "**never closed"),
    ("a ** b", "a ** b"),
    ("[label] (no link)", "[label] (no link)"),
    ("1 > 0", "1 > 0"),
]


@pytest.mark.parametrize(("text", "expected"), HTML)
def test_html_is_read_without_its_tags(text: str, expected: str) -> None:
    """Tags and the quotation of a reply go, breaks are newlines, entities are resolved, links keep their labels."""
    assert plain(text, "html") == expected


@pytest.mark.parametrize(("text", "expected"), MARKDOWN)
def test_markdown_is_read_without_its_signs(text: str, expected: str) -> None:
    """Pairs of signs go, links keep their labels, and a sign that is not one of a pair is text."""
    assert plain(text, "markdown") == expected


@pytest.mark.parametrize("mode", ["text", None, "novel"])
def test_other_modes_are_read_as_they_stand(mode: str | None) -> None:
    """Where there is no markup, everything is text."""
    assert plain("<b>*x*</b> &amp;", mode) == "<b>*x*</b> &amp;"


@given(st.text() | MARKUP, st.sampled_from(MODES))
def test_any_text_can_be_read(text: str, mode: str | None) -> None:
    """No text raises, and none grows by losing its markup."""
    assert len(plain(text, mode)) <= len(text)


@given(st.text() | MARKUP, st.sampled_from(MODES))
def test_what_is_counted_is_at_most_what_stands_there(text: str, mode: str | None) -> None:
    """A text of no more than the limit always passes, and what a person reads is never more than what is counted."""
    assert len(plain(text, mode)) <= visible_length(text, mode) <= len(text)


@pytest.mark.parametrize(
    ("text", "mode", "length"),
    [
        ("<b>bold</b>", "text", 11),
        ("<b>bold</b>", "html", 4),
        ("a<br>b &amp; c", "html", 7),
        ('<a href="https://x.example">log</a>', "html", len("log https://x.example")),
        ("**bold**", "markdown", 4),
        ("[log](https://x.example)", "markdown", len("log https://x.example")),
        ('<quote class="reply">abc</quote>d', "html", 4),
        ("😀" * 3, "html", 3),
        ("x" * 5000, "html", 5000),
    ],
)
def test_visible_characters_are_counted(text: str, mode: str, length: int) -> None:
    """Markup is free, a link costs its label, a space and its target, and a quotation costs what it shows."""
    assert visible_length(text, mode) == length


@pytest.mark.parametrize(
    "text",
    [
        *("<" * 100_000, "<" + "a" * 100_000, "<a " * 50_000, "&" * 100_000, " " * 100_000 + "<quote"),
        *("<quote class=reply>" * 5_000, "<quote " + "class=reply " * 20_000, "<a href=x>" * 5_000),
    ],
)
def test_hostile_html_ends(text: str) -> None:
    """A long text of openings is read to its end."""
    assert len(plain(text, "html")) <= len(text)


@pytest.mark.parametrize(
    "text", ["[" * 20_000, "*" * 20_001, "_a" * 20_000, "[x](" * 5_000, "~~**" * 5_000, "\\" * 20_001]
)
def test_hostile_markdown_ends(text: str) -> None:
    """A long text of signs is read to its end."""
    assert len(plain(text, "markdown")) <= len(text)


def test_reading_text_needs_no_pandas() -> None:
    """The module is light: the client counts characters without waiting for the analysis libraries."""
    names = set(vars(sys.modules["tcnb.markup.text"]))
    assert not names & {"pd", "np", "pa", "pandas", "numpy", "pyarrow"}
