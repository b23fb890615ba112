"""What the server does to texts and keyboards: kept, cleaned, cut or refused."""

from __future__ import annotations

from typing import Any

import pytest

from tcnb.practice.entities import Refusal
from tcnb.practice.keyboard import accepted_keyboard
from tcnb.practice.markup import accepted_text


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("plain &amp; simple", "plain &amp; simple"),
        ("<b>bold</b> <i>it</i> <u>un</u> <s>st</s><br>next", "<b>bold</b> <i>it</i> <u>un</u> <s>st</s><br>next"),
        ('<div class="x">text</div>', "text"),
        ('<b style="color:red">red</b>', "<b>red</b>"),
        ('<quote class="reply">said</quote><br>so', '<quote class="reply">said</quote><br>so'),
        ('<a href="https://a.example/?x=1&copy=2" id="l">t</a>', '<a href="https://a.example/?x=1&copy=2">t</a>'),
        ("<a href='trueconf:bob@a.example&do=profile'>Bob</a>", '<a href="trueconf:bob@a.example&do=profile">Bob</a>'),
        ("1 < 2", "1 &lt; 2"),
        ("<script>alert(1)</script>ok", "alert(1)ok"),
        ("a &#128512; b", "a &#128512; b"),
    ],
)
def test_html_is_cleaned(sent: str, kept: str) -> None:
    """Known tags and addresses stay as they are, everything else goes and its text stays."""
    assert accepted_text(sent, "html", cut=True) == kept


@pytest.mark.parametrize("address", ["", "javascript:alert(1)", "ftp://x.example", "/relative", "file:///etc/passwd"])
def test_links_of_other_schemes_are_refused(address: str) -> None:
    """A link that leads nowhere allowed fails the whole message."""
    with pytest.raises(Refusal) as refusal:
        accepted_text(f'<a href="{address}">x</a>', "html", cut=True)
    assert refusal.value.code == 399


@pytest.mark.parametrize("mode", ["text", "markdown", "html"])
def test_text_is_cut_at_4096(mode: str) -> None:
    """More than 4096 visible characters are cut off in every mode."""
    assert accepted_text("x" * 5000, mode, cut=True) == "x" * 4096


def test_tags_do_not_count() -> None:
    """Tags are not visible: 4096 characters between them all stay, and cut tags are closed."""
    whole = "<b>" + "x" * 4096 + "</b>"
    assert accepted_text(whole, "html", cut=True) == whole
    assert accepted_text("<b>" + "x" * 5000 + "</b> y", "html", cut=True) == whole


def test_long_text_can_be_refused() -> None:
    """With cutting switched off, a long text is refused."""
    with pytest.raises(Refusal):
        accepted_text("x" * 4097, "text", cut=False)


@pytest.mark.parametrize(("text", "mode"), [("", "text"), ("<b></b>" * 0, "html"), ("hello", "bbcode")])
def test_empty_texts_and_unknown_modes_are_refused(text: str, mode: str) -> None:
    """An empty text and an unknown mode are refused."""
    with pytest.raises(Refusal):
        accepted_text(text, mode, cut=True)


def command(**values: Any) -> dict[str, Any]:
    """Return a command button with some values changed."""
    return {"type": "command", "label": "Go", "command": "/go", **values}


def test_good_keyboard_is_kept() -> None:
    """All kinds of buttons are kept, and commands come back with `waitReply`."""
    rows = [
        [command(style="success"), {"type": "url", "url": "https://a.example"}],
        [{"type": "copy", "label": "Copy", "data": "42"}, {"type": "message", "label": "Say", "message": "hi"}],
    ]
    kept = accepted_keyboard(rows)
    assert kept[0][0] == {**rows[0][0], "waitReply": False}
    assert kept[0][1:] + kept[1] == rows[0][1:] + rows[1]


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [[]],
        "rows",
        [[command()] * 9],
        [[command()]] * 9,
        [[command(label="x" * 33)]],
        [[command(label="")]],
        [[command(command="")]],
        [[command(command="/идти")]],
        [[command(customData="x" * 4097)]],
        [[command(style="golden")]],
        [[{"type": "url", "label": "x", "url": "gopher://a"}]],
        [[{"type": "teleport", "label": "x"}]],
        [["button"]],
    ],
)
def test_bad_keyboards_are_refused(rows: Any) -> None:
    """Limits and rules of keyboards are enforced."""
    with pytest.raises(Refusal) as refusal:
        accepted_keyboard(rows)
    assert refusal.value.code == 399
