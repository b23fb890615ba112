"""What the feed draws beyond the columns of a row, in a browser without Jupyter: buttons under messages and surveys."""

from __future__ import annotations

from typing import Any

import pytest
from test_feed_page import NODE_LIMIT, Page, a_row, open_page, rows  # noqa: F401  (a fixture)

KEYBOARD = [
    [
        {"k": "command", "l": "Approve", "d": "/approve", "s": "success"},
        {"k": "command", "l": "Reject", "d": "/reject", "s": "danger"},
    ],
    [
        {"k": "url", "l": "Log", "d": "https://ci.example.com/42", "h": "https://ci.example.com/42"},
        {"k": "copy", "l": "Copy id", "d": "build-42"},
        {"k": "message", "l": "Say thanks", "d": "Thanks!"},
    ],
]
ASKED = a_row(6, x="Deploy build 42?", contents={"keyboard": KEYBOARD})
SURVEY = {"d": "{{Anonymous survey}}", "b": "{{Go to survey}}", "h": "https://video.example.com/webtools/survey?id=k7"}


@pytest.fixture
def page(open_page) -> Page:  # noqa: F811
    """A feed with a few rows in it."""
    page = open_page()
    page.start(*rows(3))
    return page


def lines_of_buttons(page: Page) -> list[list[str]]:
    lines = page.page.locator(".tcf-keyline").all()
    return [line.locator(".tcf-key").all_inner_texts() for line in lines]


def test_buttons_stand_under_their_message(page):
    """Buttons are shown in the rows and with the labels that people see."""
    page.push([ASKED])
    page.page.get_by_text("Say thanks").wait_for()
    assert lines_of_buttons(page) == [["Approve", "Reject"], ["Log", "Copy id", "Say thanks"]]


def test_what_no_client_may_press_is_inert(page):
    """A callback is told, and can be neither clicked nor reached with Tab; a link opens in a new window, safely."""
    page.push([ASKED])
    approve = page.page.get_by_text("Approve", exact=True)
    approve.wait_for()
    assert approve.evaluate("(one) => [one.tagName, one.tabIndex, one.title]") == ["SPAN", -1, "Callback: /approve"]
    link = page.page.get_by_role("link", name="Log")
    assert link.get_attribute("href") == "https://ci.example.com/42"
    assert "noopener" in link.get_attribute("rel")


def test_link_with_an_unknown_scheme_is_inert(page):
    """Whatever the kernel says, an address with a scheme that is not allowed is no link."""
    button = {"k": "url", "l": "Click me", "d": "javascript:alert(1)", "h": "javascript:alert(1)"}
    page.push([a_row(6, contents={"keyboard": [[button]]})])
    made = page.page.get_by_text("Click me")
    made.wait_for()
    assert made.evaluate("(one) => one.tagName") == "SPAN"


A = "https://a.example/"


@pytest.mark.parametrize(
    ("text", "links"),
    [
        (
            "see https://a.example/x?y=1&z=(2)#end, then http://b.example.",
            ["https://a.example/x?y=1&z=(2)#end", "http://b.example"],
        ),
        (f"({A}x), [{A}y] «{A}z» “{A}w”", [f"{A}x", f"{A}y", f"{A}z", f"{A}w"]),
        (f"{A}wiki/Build_(42)", [f"{A}wiki/Build_(42)"]),
        (f"{A}ends?! {A}dots... <{A}b>", [f"{A}ends", f"{A}dots", f"{A}b"]),
        ("HTTPS://A.EXAMPLE/x и https://пример.рф/путь", ["HTTPS://A.EXAMPLE/x", "https://пример.рф/путь"]),
        ("https:// and http://?! and ftp://a.example/ and a.example and javascript:alert(1)", []),
        (f"*{A}* and ~{A}x~", [A, f"{A}x"]),
    ],
)
def test_addresses_in_plain_texts_are_links(page, text, links):
    """An address can be clicked; the text is as it was, and what stands around the address is no part of it."""
    page.push([a_row(7, x=text)])
    shown = page.page.locator(".tcf-text").last
    assert shown.inner_text() == text
    assert shown.locator("a").all_inner_texts() == links
    assert [one.get_attribute("title") for one in shown.locator("a").all()] == links
    assert all("noopener" in one.get_attribute("rel") for one in shown.locator("a").all())


def test_address_that_is_cut_off_is_no_link(page):
    """An address at whose place a long text was cut would lead elsewhere; one before it is a link."""
    page.push([a_row(7, x=f"{A}x and {A}y", q=5000), a_row(8, x=f"{A}x and {A}y")])
    links = [text.locator("a").all_inner_texts() for text in page.page.locator(".tcf-text").all()[-2:]]
    assert links == [[f"{A}x"], [f"{A}x", f"{A}y"]]


def test_nodes_of_a_text_with_an_address_show_no_other_text(page):
    """While rows run by, each address is the link of its own row, and no row has that of another."""
    for first in range(10, 100, 15):
        page.push([a_row(n, x=f"see {A}{n}" if n % 3 else f"plain {n}") for n in range(first, first + 15)])
        for text in page.page.locator(".tcf-text").all():
            said = text.inner_text()
            assert text.locator("a").all_inner_texts() == (
                [said.removeprefix("see ")] if said.startswith("see ") else []
            )


def test_text_full_of_addresses_keeps_to_the_limit(page):
    """Where so many links would need more nodes than there may be, they are shown as text."""
    page.push([a_row(n, x=f"{A} " * 60) for n in range(8)])
    assert page.node_count <= NODE_LIMIT
    assert page.texts[-1].count(A) == 60


def test_copy_button_copies(open_page):  # noqa: F811
    """A button that copies does so here too, and the feed says what is on the clipboard."""
    page = open_page(permissions=["clipboard-read", "clipboard-write"])
    page.start(ASKED)
    page.page.get_by_role("button", name="Copy id", exact=True).click()
    page.page.get_by_text("Copied: build-42").wait_for()
    assert page.page.evaluate("navigator.clipboard.readText()") == "build-42"


def test_edit_without_buttons_takes_them_away(page):
    """An edit replaces the buttons too: those that it does not repeat are gone."""
    page.push([ASKED])
    page.page.get_by_text("Approve", exact=True).wait_for()
    page.push([{"k": "edit", "t": 1, "m": "m6", "x": "Deploying…", "c": "c1", "n": "Release crew"}])
    page.wait_for_text("Deploying…")
    assert page.page.locator(".tcf-keys").count() == 0


def test_edit_brings_its_own_buttons(page):
    """The buttons of an edit stand in the message that it changes."""
    page.push([ASKED])
    changed: dict[str, Any] = {"keyboard": [[{"k": "command", "l": "Stop", "d": "/stop"}]]}
    page.push([{"k": "edit", "t": 1, "m": "m6", "x": "Deploying…", "c": "c1", "contents": changed}])
    page.page.get_by_text("Stop", exact=True).wait_for()
    assert lines_of_buttons(page) == [["Stop"]]


def test_removed_message_has_no_buttons(page):
    """A removed message is shown struck through, without its buttons."""
    page.push([ASKED])
    page.page.get_by_text("Approve", exact=True).wait_for()
    page.push([{"k": "remove", "t": 1, "m": "m6", "c": "c1"}])
    page.page.locator(".tcf-gone").wait_for()
    assert page.page.locator(".tcf-keys").count() == 0


def test_survey_is_a_card_with_a_link(page):
    """A survey has its title, what kind it is in the viewer's language, and a link to it."""
    page.push([a_row(6, k="survey", x=None, h="Lunch choice", contents={"survey": SURVEY})])
    link = page.page.get_by_role("link", name="Go to survey")
    link.wait_for()
    assert link.get_attribute("href") == SURVEY["h"]
    assert page.page.locator(".tcf-card .tcf-about").inner_text().split("\n") == ["Lunch choice", "Anonymous survey"]


def test_nothing_moves_when_a_survey_is_told(page):
    """The card of a survey is as tall before its address is known as afterwards."""
    page.page.evaluate("model.deaf = true")
    page.push([a_row(6, k="survey", x=None, h="Lunch choice", contents={"survey": SURVEY})])
    before = page.page.locator(".tcf-card").bounding_box()
    page.wait_for("model.requests.some((one) => one.type === 'contents' && one.seqs.includes(4))")
    page.page.evaluate("model.requests.filter((one) => one.type === 'contents').forEach((one) => model.answer(one))")
    page.page.get_by_role("link", name="Go to survey").wait_for()
    assert page.page.locator(".tcf-card").bounding_box() == before


def test_forwarded_file_is_shown_as_one(page):
    """What was forwarded is drawn as what it is, below the name of whom it is from."""
    page.push([a_row(6, k="forward", x=None, f="alice@practice.local", b="file", d="plan.pdf", z=5000)])
    page.page.locator(".tcf-chip").get_by_text("plan.pdf").wait_for()
    assert page.text_of(".tcf-label") == "Forwarded from Alice Doe"


def test_contents_that_run_by_are_not_asked_for(page):
    """In a flood only those rows are asked about that stay in sight."""
    page.page.evaluate("holdTimers()")  # a slow machine would draw some of them for long enough to be asked about
    for start in range(10, 2010, 100):
        page.push(rows(100, start))
    page.page.evaluate("releaseTimers()")
    page.wait_for("model.requests.some((one) => one.type === 'contents' && one.seqs.includes(2003))")
    asked = {seq for request in page.requests("contents") for seq in request["seqs"]}
    assert len(asked) <= 100


def many_buttons(prefix: str = "Key", rows_of: int = 8, width: int = 8) -> list[list[dict[str, str]]]:
    """Give a keyboard as large as a server accepts, or as wide and high as is said."""
    return [
        [{"k": "command", "l": f"{prefix} {line * width + place + 1}", "d": "/do"} for place in range(width)]
        for line in range(rows_of)
    ]


def test_large_keyboard_is_folded_until_somebody_wants_it(page):
    """Of 64 buttons the first are shown; all of them when asked for, with the focus where it was, and back."""
    page.push([a_row(6, x="Choose", contents={"keyboard": many_buttons()})])
    page.page.get_by_role("button", name="Show all 64 buttons").click()
    page.page.get_by_text("Key 64", exact=True).wait_for()
    assert page.page.locator(".tcf-key").count() == 64
    assert page.page.evaluate("document.activeElement.textContent") == "Show fewer buttons"
    page.page.keyboard.press("Enter")
    page.page.get_by_role("button", name="Show all 64 buttons").wait_for()
    assert page.page.locator(".tcf-key").count() == 8


def test_small_keyboard_is_not_folded(page):
    """Twelve buttons are shown without being asked for, and nothing is offered."""
    page.push([a_row(6, x="Choose", contents={"keyboard": many_buttons(rows_of=4, width=3)})])
    page.page.get_by_text("Key 12", exact=True).wait_for()
    assert page.page.get_by_role("button", name="Show").count() == 0


def test_one_large_keyboard_is_open_at_a_time(page):
    """Opening the buttons of a message folds those of another one."""
    keyboards = [a_row(6 + n, x=f"Choose {n}", contents={"keyboard": many_buttons(f"M{n}")}) for n in range(2)]
    page.push(keyboards)
    page.wait_for("document.querySelectorAll('.tcf-keys').length === 2")
    for opened, folded in ((0, 1), (1, 0)):
        page.page.locator(".tcf-row", has_text=f"Choose {opened}").get_by_role("button", name="Show all").click()
        page.page.get_by_text(f"M{opened} 64", exact=True).wait_for()
        assert page.page.get_by_text(f"M{folded} 64", exact=True).count() == 0
        assert page.node_count <= NODE_LIMIT


STYLED = [part for n in range(15) for part in ({"t": "b", "c": [f"bold {n}"]}, " and ")]
HEAVY = {
    "buttons": lambda n: a_row(n, x="Choose", contents={"keyboard": many_buttons(f"M{n}")}),
    "styles": lambda n: a_row(n, x="styled", g=1, contents={"tree": STYLED}),
    "few buttons": lambda n: a_row(n, x="Choose", contents={"keyboard": many_buttons(f"M{n}", 3, 4)}),
    "surveys": lambda n: a_row(n, k="survey", x=None, h=f"Lunch {n}", contents={"survey": SURVEY}),
    "replies": lambda n: a_row(n, x="Choose", r=f"m{n - 1}", contents={"keyboard": many_buttons(f"M{n}", 1, 4)}),
}


@pytest.mark.parametrize("kind", HEAVY)
@pytest.mark.parametrize("height", [440, 1100])
def test_nodes_stay_few_whatever_the_rows_hold(open_page, kind, height):  # noqa: F811
    """Rows full of buttons or styles keep to the limit too, at the end and further up, and fill what is in sight."""
    page = open_page(viewport={"width": 900, "height": 1250})
    page.start(*[HEAVY[kind](n) for n in range(60)])
    page.page.evaluate("(height) => { document.querySelector('.tcnb-feed').style.height = `${height}px`; }", height)
    page.settle()
    for top in (None, 900):
        assert top is not None or page.at_end
        if top is not None:
            page.scroll(top)
        page.wait_for(ALL_TOLD)
        page.settle()
        assert page.node_count <= NODE_LIMIT
        assert page.page.evaluate(IN_SIGHT)


ALL_TOLD = """(() => {
  const asked = new Set(model.requests.filter((one) => one.type === 'contents').flatMap((one) => one.seqs));
  return [...document.querySelectorAll('[data-seq]')].every((one) => asked.has(Number(one.dataset.seq)));
})()"""
IN_SIGHT = """(() => {
  const list = document.querySelector('.tcf-scroller').getBoundingClientRect();
  const rows = document.querySelector('.tcf-drawn').getBoundingClientRect();
  return rows.top <= list.top + 1 && rows.bottom >= list.bottom - 11;
})()"""


def test_buttons_that_do_not_fit_can_be_had_one_message_at_a_time(open_page):  # noqa: F811
    """Where the limit holds a message's few buttons back, asking for them shows them."""
    page = open_page(viewport={"width": 900, "height": 1250})
    both = {"keyboard": many_buttons("Key", 2, 6), "tree": STYLED}
    page.start(*[a_row(n, x="Choose", g=1, contents=both) for n in range(60)])
    page.page.evaluate("document.querySelector('.tcnb-feed').style.height = '1100px'")
    page.settle()
    offered = page.page.get_by_role("button", name="Show all 12 buttons")
    offered.first.wait_for()
    seq = offered.last.evaluate("(one) => one.closest('[data-seq]').dataset.seq")
    offered.last.click()
    page.page.locator(f"[data-seq='{seq}'] .tcf-key").nth(11).wait_for()
    assert page.page.evaluate("document.activeElement.textContent") == "Show fewer buttons"
    assert page.node_count <= NODE_LIMIT
