"""The composer's preview: what it draws of a text, held against what the package reads in the same text."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tcnb.markup.text import plain
from tcnb.notebook.composer.markup import DEEPEST, Rendering, flat

PIECES = st.sampled_from(
    ["**", "__", "*", "_", "~~", "\\*", "word", " ", "a", "[x](https://a.b)", "\\_", "1", "é", "(", ")"]
)
TAGS = st.sampled_from(
    ["<b>", "</b>", "<i>", "</i>", "<a href='https://a.b'>", "</a>", "<br>", "&amp;", "&lt;", "x ", "<u>"]
)


def names(nodes: list[Any]) -> set[str]:
    """Give the tags in a tree."""
    found = set()
    for node in nodes:
        if isinstance(node, dict):
            found |= {node["t"]} | names(node.get("c", []))
    return found


@pytest.mark.parametrize(
    ("text", "nodes"),
    [
        ("**b** and __b__", [{"t": "b", "c": ["b"]}, " and ", {"t": "b", "c": ["b"]}]),
        ("*i _s_*", [{"t": "i", "c": ["i ", {"t": "i", "c": ["s"]}]}]),
        ("~~gone~~ snake_case_name 2 * 3 * 4", [{"t": "s", "c": ["gone"]}, " snake_case_name 2 * 3 * 4"]),
        ("[a **b**](https://x.y)", [{"t": "a", "h": "https://x.y", "c": ["a ", {"t": "b", "c": ["b"]}]}]),
        ("> one\n> two\nthree", [{"t": "quote", "c": ["one\ntwo"]}, "three"]),
        ("\\*as it stands\\*", ["*as it stands*"]),
    ],
)
def test_markdown_is_drawn_as_documented(text, nodes):
    """Each sign of the connector's Markdown becomes its style."""
    assert Rendering(text, "markdown").nodes == nodes


def test_html_keeps_what_is_known():
    """Known tags are kept without their attributes, unknown ones go, and their text stays."""
    nodes = Rendering('<b onclick="x">a</b><h1>b</h1><br><script>c</script>&lt;', "html").nodes
    assert nodes == [{"t": "b", "c": ["a"]}, "b", {"t": "br"}, "c<"]


def test_plain_text_is_literal():
    """Nothing is markup in a plain text."""
    assert Rendering("**a** <b>c</b>", "text").nodes == ["**a** <b>c</b>"]


@pytest.mark.parametrize("address", ["javascript:alert(1)", "data:text/html,x", "ftp://x", "", "//x", "vbscript:x"])
def test_other_addresses_lead_nowhere(address):
    """An address that the server does not take is not in the tree, and is named as a problem."""
    rendering = Rendering(f'<a href="{address}">x</a>', "html")
    assert (rendering.nodes, rendering.problems) == ([{"t": "a", "h": "", "c": ["x"]}], ["link"])


def test_quote_outside_a_reply_is_a_problem():
    """A reply's quotation in a message that answers none is named: it will be shown empty."""
    text = '<quote class="reply">q</quote><br><br>a'
    assert Rendering(text, "html").problems == ["quote"]
    assert Rendering(text, "html", is_reply=True).problems == []


@given(st.lists(PIECES, max_size=30).map("".join))
@settings(max_examples=120)
def test_markdown_reads_as_the_package_reads_it(text):
    """What a person reads in the preview is what `tcnb.markup.text` says they read."""
    assert flat(Rendering(text, "markdown").nodes) == plain(text, "markdown")


@given(st.lists(TAGS, max_size=30).map("".join))
@settings(max_examples=120)
def test_html_reads_as_the_package_reads_it(text):
    """The same for HTML, however wrongly its tags are closed."""
    assert flat(Rendering(text, "html").nodes) == plain(text, "html")


@given(st.text(max_size=300), st.sampled_from(["html", "markdown"]))
@settings(max_examples=120)
def test_any_text_can_be_drawn(text, mode):
    """No text fails, and only known tags come out."""
    assert names(Rendering(text, mode).nodes) <= {"b", "i", "s", "u", "a", "br", "quote"}


def test_deep_nesting_is_bounded():
    """A text that nests without end is drawn to a depth that every stack bears."""
    nodes: Any = Rendering("<b>" * 50_000 + "x", "html").nodes
    depth = 0
    while nodes and isinstance(nodes[0], dict):
        nodes, depth = nodes[0]["c"], depth + 1
    assert (depth, nodes) == (DEEPEST, ["x"])
