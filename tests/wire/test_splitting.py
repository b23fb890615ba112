"""Whether long texts are cut where a person would cut them, and every part can be sent with its markup intact."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcnb.errors import UsageError
from tcnb.markup.splitting import safe_split_text
from tcnb.markup.text import plain, visible_length

HTML = [*"ab .\n", "words, ", "A sentence. ", "<b>", "</b>", "<i>", "</i>", "<br>", "<a href='x://y'>", "</a>", "&amp;"]
MARKDOWN = [*"ab .\n*_", "words, ", "A sentence. ", "**", "~~", "[label](x://y)", "\\*", "\\", "snake_case "]
TEXTS = st.one_of(
    st.tuples(st.just("html"), st.lists(st.sampled_from(HTML)).map("".join)),
    st.tuples(st.just("markdown"), st.lists(st.sampled_from(MARKDOWN)).map("".join)),
    st.tuples(st.just("text"), st.text()),
    st.tuples(st.none(), st.lists(st.sampled_from([*HTML, *MARKDOWN])).map("".join)),
)

CUTS = [
    ("text", 26, "First. Second one! Third\n\nFourth para. x", ["First. Second one! Third", "Fourth para. x"]),
    ("text", 16, "one two three.\nfour five six", ["one two three.", "four five six"]),
    ("text", 22, "It works. Does it? Yes it does", ["It works. Does it?", "Yes it does"]),
    ("text", 16, "He said “no.” She left", ["He said “no.”", "She left"]),
    ("text", 6, "你好。再见！好", ["你好。再见！", "好"]),
    ("text", 4, "xxxxxxxxxx", ["xxxx", "xxxx", "xx"]),
    ("text", 10, "Hi https://ab", ["Hi", "https://ab"]),
    ("text", 4, "abcd     efgh", ["abcd", "efgh"]),
    ("text", 3, "e\u0301e\u0301", ["e\u0301", "e\u0301"]),
    ("text", 6, "👨‍👩‍👧👨‍👩‍👧", ["👨‍👩‍👧", "👨‍👩‍👧"]),
    ("html", 8, "<b>one two three</b> four", ["<b>one two</b>", "<b>three</b>", "four"]),
    ("html", 4, "<b>ab <i>cd ef</i></b>", ["<b>ab</b>", "<b><i>cd</i></b>", "<b><i>ef</i></b>"]),
    ("html", 5, "one<br><br>two<br>x", ["one", "two<br>x"]),
    ("html", 4, "ab &lt;c&gt; &amp;", ["ab", "&lt;c&gt;", "&amp;"]),
    ("html", 9, 'see <a href="x://y">two ab</a>', ["see", '<a href="x://y">two</a>', '<a href="x://y">ab</a>']),
    ("html", 18, 'see <a href="x://y">two words</a>', ["see", '<a href="x://y">two words</a>']),
    ("html", 10, '<a href="x://muchtoolong">label</a>', ["label", "x://muchto", "olong"]),
    ("html", 4, "<b>ab<i>cd</b>ef</i>", ["<b>ab<i>cd</i></b>", "<i>ef</i>"]),
    ("markdown", 8, "**one two three** four", ["**one two**", "**three**", "four"]),
    ("markdown", 18, "see [two words](x://y)", ["see", "[two words](x://y)"]),
    ("markdown", 9, "see [two ab](x://y)", ["see", "[two](x://y)", "[ab](x://y)"]),
    ("markdown", 12, "> quoted words of her\nanswer", ["> quoted words", "> of her", "answer"]),
    ("markdown", 6, "2 * 3 \\* 4", ["2 \\* 3", "\\* 4"]),
    ("markdown", 3, "abc> d", ["abc", "\\> d"]),
    (None, 16, "<b>one two three</b> four", ["<b>one two</b>", "<b>three</b>", "four"]),
    (None, 14, "**one two three** four", ["**one two**", "**three** four"]),
]


@pytest.mark.parametrize(("mode", "limit", "text", "parts"), CUTS)
def test_text_is_cut_at_the_best_place(mode: str | None, limit: int, text: str, parts: list[str]) -> None:
    """Paragraphs come before lines, sentences, words and characters; markup is closed and opened again."""
    assert safe_split_text(text, limit, mode) == parts


@given(TEXTS, st.integers(12, 40))
def test_every_part_fits(drawn: tuple[str | None, str], limit: int) -> None:
    """No part is longer than the limit, and none is empty."""
    mode, text = drawn
    parts = safe_split_text(text, limit, mode)
    assert all(visible_length(part, mode) <= limit and part.strip() for part in parts)


@given(TEXTS, st.integers(12, 40))
def test_nothing_but_white_space_is_lost(drawn: tuple[str | None, str], limit: int) -> None:
    """All parts together are read as the text was."""
    mode, text = drawn
    parts = safe_split_text(text, limit, mode)
    if mode is not None:
        assert "".join("".join(plain(part, mode) for part in parts).split()) == "".join(plain(text, mode).split())


@given(st.lists(st.sampled_from(HTML)).map("".join), st.integers(12, 40))
def test_tags_of_every_part_are_balanced(text: str, limit: int) -> None:
    """What is opened in a part of a cut text is closed there."""
    parts = safe_split_text(text, limit, "html")
    for part in parts if len(parts) > 1 else []:
        for tag in ("b", "i", "a"):
            assert part.count(f"<{tag}") - part.count("<br") * (tag == "b") == part.count(f"</{tag}>")


@pytest.mark.parametrize("mode", ["html", "markdown", "text", None])
def test_short_text_is_left_alone(mode: str | None) -> None:
    """A text that fits is its only part, as it was."""
    assert safe_split_text(" <b>x ** ", parse_mode=mode) == [" <b>x ** "]
    assert safe_split_text("", parse_mode=mode) == safe_split_text(" \n", parse_mode=mode) == []


def test_usual_limit_is_that_of_a_message() -> None:
    """Without a limit the parts have at most 4096 characters."""
    assert [len(part) for part in safe_split_text("x" * 5000)] == [4096, 904]


@pytest.mark.parametrize(("limit", "mode"), [(0, "text"), (-1, None), (10, "novel")])
def test_wrong_arguments_are_refused(limit: int, mode: str | None) -> None:
    """A limit of nothing and an unknown mode are errors at once."""
    with pytest.raises(UsageError):
        safe_split_text("text", limit, mode)


@pytest.mark.parametrize("mode", ["html", "markdown", None])
@pytest.mark.parametrize(
    "text",
    [
        *("<" * 50_000, "&" * 50_000, "<a href=x>y" * 5_000, "<quote class=reply>x" * 5_000, "</b>x" * 9_000),
        *("*" * 20_001, "_a" * 20_000, "[x](" * 5_000, "**a" * 10_000, "> a\n" * 10_000, " " * 50_000 + "x"),
    ],
    ids=lambda text: text[:9],
)
def test_hostile_text_is_cut_to_its_end(text: str, mode: str | None) -> None:
    """A long text of openings is cut like any other."""
    assert all(visible_length(part, mode) <= 4096 for part in safe_split_text(text, parse_mode=mode))
