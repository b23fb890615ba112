"""axe-core over feed, composer and list of chats, light and dark; and what it cannot see: the keyboard alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import test_composer_page
import test_feed_page
from test_composer_page import bridge, crew  # noqa: F401  (fixtures)
from test_feed_contents import KEYBOARD, SURVEY
from test_feed_page import a_row, rows

Axe = pytest.importorskip(
    "axe_playwright_python.sync_playwright", reason="checked with axe-core (pip install tcnb[test])"
).Axe

open_feed = test_feed_page.open_page
open_composer = test_composer_page.open_page

# Each row of the list is a containing block of its own for speed. axe-core takes such a row to lie over its own text,
# and cannot judge a text before a picture (the arrow of a choice): it would measure no contrast there.
MEASURABLE = ".tcf-drawn > * { contain: none !important; } select { background-image: none !important; }"
SETTLED = """() => Promise.all(document.getAnimations()
  .filter((one) => one.effect.getComputedTiming().endTime !== Infinity).map((one) => one.finished.catch(() => {})))"""
SEEN_BY_EYE = frozenset({"shortTextContent", "nonBmp"})
"""Why axe-core may leave a contrast to people: one letter, or a sign that is no letter."""


def violations(page: Any, root: str) -> list[str]:
    """Give what axe-core finds in a widget in the light and the dark theme, and what contrast it could not measure.

    Rules about a whole page (its title, its landmarks, its headings) do not apply to a part of one.
    """
    page.add_style_tag(content=MEASURABLE)
    found = []
    for theme in ("light", "dark"):
        page.evaluate("(theme) => { document.body.dataset.theme = theme; }", theme)
        page.evaluate(SETTLED)
        told = Axe().run(page, root, options={"resultTypes": ["violations", "incomplete"]}).response
        for rule in told["violations"]:
            found += [f"{theme}: {rule['id']} ({rule['impact']}) {one['target']}" for one in rule["nodes"]]
        for rule in told["incomplete"]:
            found += [f"{theme}: {rule['id']} unmeasured {one['target']} {_why(one)}" for one in _open(rule)]
    return found


def _open(rule: dict[str, Any]) -> list[dict[str, Any]]:
    return [one for one in rule["nodes"] if rule["id"] == "color-contrast" and _why(one) not in SEEN_BY_EYE]


def _why(one: dict[str, Any]) -> str:
    return str(((one["any"] or [{}])[0].get("data") or {}).get("messageKey"))


EVERYTHING = [
    a_row(0, x="Good morning"),
    a_row(1, x="Deploy build 42?", contents={"keyboard": KEYBOARD}),
    a_row(2, o=1, x="Deploy build 43?", contents={"keyboard": KEYBOARD}),
    a_row(3, k="survey", x=None, h="Lunch choice", contents={"survey": SURVEY}),
    a_row(4, k="photo", x=None, d="burndown.png", z=48213),
    a_row(5, o=1, k="file", x=None, d="plan.pdf", z=48213),
    a_row(6, r="m0", x="Nice"),
    a_row(7, g=1, x="so true", contents={"tree": ["so ", {"t": "a", "h": "https://example.com", "c": ["true"]}]}),
    a_row(8, o=1, x="word " * 300),
    a_row(9, x="We shipd it"),
    {"k": "edit", "t": 1, "m": "m9", "x": "We shipped it", "c": "c1"},
    a_row(10, x="Oops"),
    a_row(11, k="file", x=None, d="wrong.pdf", z=5),
    {"k": "remove", "t": 1, "m": "m10", "c": "c1"},
    {"k": "remove", "t": 1, "m": "m11", "c": "c1"},
    a_row(12, k="forward", f="alice@practice.local", x="look"),
    a_row(13, k="join", x=None, u="dave@practice.local"),
    a_row(14, k="location", x=None, h="Office", y=59.93, j=30.31),
]
FAILURE = {"when": 1, "handler": "greet", "event": "message", "error": "ValueError: x", "traceback": "Traceback"}


@pytest.fixture
def feed(open_feed: Callable[..., Any]) -> test_feed_page.Page:
    """A tall feed with rows of every kind, all that no column holds being there."""
    feed = open_feed(viewport={"width": 900, "height": 1400})
    feed.start(*EVERYTHING)
    feed.page.evaluate("document.querySelector('.tcnb-feed').style.height = '1360px'")
    feed.wait_for("document.querySelectorAll('.tcf-keys').length === 2 && document.querySelector('a.tcf-key')")
    return feed


def test_feed_has_no_violations(feed):
    """Rows of every kind can be read and are named."""
    assert violations(feed.page, ".tcnb-feed") == []


@pytest.mark.parametrize("tool", ["reply", "forward", "remove", "code"])
def test_dock_has_no_violations(feed, tool):
    """What a person does with a row, below the list."""
    feed.page.hover("[data-seq='3'] .tcf-text")
    feed.page.locator(f".tcf-do-{tool}").click()
    feed.page.locator(".tcf-dock.tcf-shown").wait_for()
    assert violations(feed.page, ".tcnb-feed") == []


def test_troubles_have_no_violations(feed):
    """Lost rows, a connection that is away, failures of handlers, an empty list."""
    feed.page.evaluate("model.deaf = true")
    feed.push(rows(3, 50), lose=True)
    feed.push(rows(1, 60))
    feed.say({"failures": {"count": 2, "latest": [FAILURE]}})
    feed.say({"state": {"state": "reconnecting", "reason": "refused", "retry_at": None}})
    feed.page.locator(".tcf-failed").click()
    feed.page.locator(".tcf-pause").click()
    assert violations(feed.page, ".tcnb-feed") == []
    feed.page.locator(".tcf-search").fill("nothing like that")
    feed.page.get_by_text("Loading…").wait_for()
    assert violations(feed.page, ".tcnb-feed") == []


def test_feed_is_worked_by_the_keyboard_alone(feed):
    """Tab leads to the list, arrows to a row and its tools, Escape back, and each place is seen to have the focus."""
    focus = "[document.activeElement.className, getComputedStyle(document.activeElement).outlineStyle]"
    feed.page.locator(".tcf-search").focus()
    for _ in range(5):
        feed.page.keyboard.press("Tab")
        assert feed.page.evaluate(focus)[1] == "solid"
    assert feed.page.evaluate(focus)[0] == "tcf-scroller"
    feed.page.keyboard.press("ArrowUp")
    feed.page.keyboard.press("Enter")
    assert "tcf-do-reply" in feed.page.evaluate(focus)[0]
    feed.page.keyboard.press("ArrowRight")
    assert feed.page.evaluate(focus) == ["tcf-button tcf-do-forward", "solid"]
    feed.page.keyboard.press("ArrowLeft")
    feed.page.keyboard.press("Enter")
    assert feed.page.evaluate(focus)[0] == "tcf-area"
    feed.page.keyboard.press("Escape")
    assert feed.page.evaluate(focus)[0] == "tcf-scroller"


def test_feed_is_a_log_with_a_name(feed):
    """A screen reader finds the list as a log, and is told of rows while they are few."""
    log = feed.page.get_by_role("log", name="Live feed")
    assert log.get_attribute("aria-live") == "polite"


@pytest.fixture
def composer(open_composer: Callable[..., Any]) -> Iterator[test_composer_page.Page]:
    """A composer that writes into a group."""
    return open_composer()


def test_empty_composer_has_no_violations(composer):
    """Before anything is written."""
    assert violations(composer.page, ".tcnb-composer") == []


def test_written_composer_has_no_violations(composer):
    """With a text, its preview and what will not come out as meant, files, and a sending that is done."""
    composer.write("Build 42 passed")
    composer.wait_sent("Build 42 passed")
    composer.page.locator("[data-mode=markdown]").click()
    composer.area.fill("**Release** [notes](https://example.com)\n> all green\n[all](ftp://x)")
    composer.page.locator(".tcc-painting b").wait_for()
    composer.drop(("plan.pdf", "application/pdf", 5000), ("notes.txt", "text/plain", 50))
    composer.page.locator(".tcc-card").nth(1).wait_for()
    assert violations(composer.page, ".tcnb-composer") == []


def test_lists_of_the_composer_have_no_violations(composer):
    """With the list of chats open, and with the stickers."""
    composer.chat_box.click()
    composer.page.get_by_role("option").first.wait_for()
    assert violations(composer.page, ".tcc-head") == []  # the list covers what is below
    composer.page.keyboard.press("Escape")
    composer.page.locator(".tcc-stickerbutton").click()
    assert violations(composer.page, ".tcnb-composer") == []


def test_failed_sending_has_no_violations(composer, practice):
    """With a sending that was refused, its reason, and what can be done."""
    practice.call(lambda server: server.fail_next("sendMessage", 312))
    composer.write("This will fail")
    composer.wait_state("failed")
    assert violations(composer.page, ".tcnb-composer") == []


def test_list_of_chats_has_no_violations(browser, harness_url):
    """Chats with and without unread messages, one of them chosen."""
    with browser.new_context(viewport={"width": 300, "height": 480}, locale="en-GB") as context:
        page = context.new_page()
        page.goto(f"{harness_url}chats")
        page.wait_for_function("window.ready")
        assert violations(page, ".tcnb-chats") == []
