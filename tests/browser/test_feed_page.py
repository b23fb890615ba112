"""The feed's page side in a browser, without Jupyter: the model in `harness.html` is a stand-in for anywidget's."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tcnb.notebook.feed.rows import KIND_OF_EVENT, KIND_OF_MESSAGE

NODE_LIMIT = 300
"""The most nodes that the design allows (section 4)."""

PATIENCE = 60_000
"""Milliseconds a test waits at most for something that comes much sooner."""

PEOPLE = [
    ("alice@practice.local", "Alice Doe"),
    ("bob@practice.local", "Bob Stone"),
    ("carol@practice.local", "Карина Лебедева"),
]
CHATS = [("c1", "Release crew"), ("c2", "Кофе и код")]
# Noon of this day, so that a test never runs across midnight.
NOON = int(time.mktime((*time.localtime()[:3], 12, 0, 0, 0, 0, -1)) * 1000)


def a_row(number: int = 0, **keys: Any) -> dict[str, Any]:
    """Give a row in the feed's short form; numbers make different authors, chats and texts."""
    (author_id, author), (chat_id, chat) = PEOPLE[number % 3], CHATS[number % 2]
    return {
        "k": "text",
        "t": NOON + number * 1000,
        "a": author_id,
        "w": author,
        "c": chat_id,
        "n": chat,
        "m": f"m{number}",
        "x": f"message number {number}",
    } | keys


def rows(count: int, start: int = 0) -> list[dict[str, Any]]:
    """Give different rows."""
    return [a_row(number) for number in range(start, start + count)]


AT_END = """(() => {
  const list = document.querySelector('.tcf-scroller');
  return list.scrollTop + list.clientHeight >= list.scrollHeight - 2;
})()"""

FIRST_IS = """(text) => {
  document.querySelector('.tcf-scroller').scrollTop = 0;
  return document.querySelector('.tcf-drawn .tcf-text')?.innerText === text;
}"""


class Page:
    """The page with a feed in it."""

    def __init__(self, page: Any, problems: list[str]) -> None:
        self.page = page
        self.problems = problems

    def start(self, *given: dict[str, Any], state: dict[str, Any] | None = None, **opening: Any) -> None:
        """Open a feed whose record holds these rows; `opening` is what else the kernel says of it."""
        self.page.evaluate("([rows, state, more]) => start(rows, state, false, more)", [list(given), state, opening])
        self.wait_for("document.querySelector('.tcf-dot').className.includes('tcf-is-')")
        self.settle()

    def push(self, given: list[dict[str, Any]], **how: Any) -> None:
        """Let rows arrive in one batch."""
        self.page.evaluate("([rows, how]) => model.push(rows, how)", [given, how])
        self.settle()

    def say(self, message: dict[str, Any]) -> None:
        """Let the kernel say something."""
        self.page.evaluate("(message) => model.say(message)", message)
        self.settle()

    def settle(self) -> None:
        """Wait until what came is drawn."""
        self.page.evaluate("drawn()")

    def wait_for(self, condition: str) -> None:
        self.page.wait_for_function(condition, timeout=PATIENCE)

    def wait_for_text(self, text: str) -> None:
        self.page.locator(".tcf-drawn").get_by_text(text, exact=True).first.wait_for(timeout=PATIENCE)

    @property
    def texts(self) -> list[str]:
        return self.page.locator(".tcf-drawn .tcf-text").all_inner_texts()

    def text_of(self, selector: str) -> str:
        return self.page.locator(selector).first.inner_text()

    def scroll(self, top: int) -> None:
        self.page.evaluate("(top) => { document.querySelector('.tcf-scroller').scrollTop = top; }", top)
        self.settle()

    def scroll_to_first(self, text: str) -> None:
        """Scroll up again and again, until the first row that is drawn has that text."""
        self.page.wait_for_function(FIRST_IS, arg=text, timeout=PATIENCE)
        self.settle()

    @property
    def at_end(self) -> bool:
        return self.page.evaluate(AT_END)

    def place_of(self, text: str) -> float:
        """Give the distance of a message from the top of the window in pixels."""
        return self.page.locator(".tcf-drawn").get_by_text(text, exact=True).first.bounding_box()["y"]

    @property
    def node_count(self) -> int:
        return self.page.evaluate("document.querySelectorAll('.tcnb-feed, .tcnb-feed *').length")

    def requests(self, kind: str) -> list[dict[str, Any]]:
        return [request for request in self.page.evaluate("model.requests") if request["type"] == kind]


@pytest.fixture
def open_page(browser, harness_url) -> Iterator[Callable[..., Page]]:
    """Open the page with other settings than the usual ones; errors in it fail the test."""
    contexts, problems = [], []

    def open_one(**settings: Any) -> Page:
        context = browser.new_context(**{"viewport": {"width": 900, "height": 640}, "locale": "en-GB"} | settings)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.goto(harness_url)
        page.wait_for_function("window.ready")
        return Page(page, problems)

    yield open_one
    for context in contexts:
        context.close()
    assert problems == []


@pytest.fixture
def page(open_page) -> Page:
    return open_page()


def test_new_rows_appear_at_the_end(page):
    """What comes is shown, and the end stays in sight."""
    page.start(*rows(100))
    page.push([a_row(500, x="just came")])
    assert page.texts[-1] == "just came"
    assert page.at_end


def test_only_what_is_visible_is_in_the_document(page):
    """Thousands of rows need no more nodes than the design allows, wherever one looks."""
    page.start(*rows(200))
    for start in range(200, 6200, 500):
        page.push(rows(500, start))
    counts = [page.node_count]
    for top in (0, 30_000, 90_000):
        page.scroll(top)
        counts.append(page.node_count)
    assert max(counts) <= NODE_LIMIT


def test_nodes_stay_few_in_a_tall_feed_of_short_lines(open_page):
    """A feed as tall as the screen, full of one-line rows, keeps to the limit too."""
    page = open_page(viewport={"width": 900, "height": 1400})
    page.start(*[a_row(3 * number, x="ok", c="c1") for number in range(400)])
    page.page.evaluate("document.querySelector('.tcnb-feed').style.height = '1300px'")
    page.settle()
    assert page.node_count <= NODE_LIMIT


def test_scroll_position_never_jumps_while_rows_come(page):
    """A person who reads further up sees the same rows at the same place, and how many are new."""
    page.start(*rows(200))
    page.scroll(2000)
    text = page.texts[len(page.texts) // 2]
    place = page.place_of(text)
    for start in range(200, 400, 20):
        page.push(rows(20, start))
    assert abs(page.place_of(text) - place) < 1
    assert page.text_of(".tcf-fresh") == "200 new"


def test_end_is_followed_when_the_feed_gets_taller(page):
    """A feed that is drawn taller or less tall keeps showing the latest rows."""
    page.start(*rows(100))
    for height in (600, 300, 560):
        page.page.evaluate("(height) => { document.querySelector('.tcnb-feed').style.height = `${height}px`; }", height)
        page.settle()
        page.settle()
        assert page.at_end
    page.push([a_row(500, x="just came")])
    assert page.texts[-1] == "just came"
    assert page.at_end
    assert not page.page.locator(".tcf-fresh").is_visible()


def test_button_leads_back_to_the_end(page):
    """The button for what is new shows the latest rows, and they are followed again."""
    page.start(*rows(200))
    page.scroll(500)
    page.push(rows(5, 200))
    page.page.locator(".tcf-fresh").click()
    page.wait_for_text("message number 204")
    assert page.at_end
    page.push([a_row(900, x="followed again")])
    assert page.texts[-1] == "followed again"


def test_earlier_rows_come_from_the_record_without_a_jump(page):
    """Scrolling up fetches earlier rows, and what one reads stays where it is."""
    page.start(*rows(1000))
    assert page.requests("earlier") == []
    page.scroll(0)
    page.wait_for("model.requests.some((one) => one.type === 'earlier')")
    text = "message number 803"
    page.wait_for_text(text)
    place = page.place_of(text)
    page.wait_for("document.querySelector('.tcf-canvas').offsetHeight > 9000")
    page.settle()
    assert abs(page.place_of(text) - place) < 1


def test_everything_can_be_reached_by_scrolling(page):
    """The first row of a long record is found at the top, page by page."""
    page.start(*rows(1500))
    page.scroll_to_first("message number 0")
    assert page.texts[0] == "message number 0"


def test_memory_is_bounded_and_comes_back(page):
    """Rows beyond the bound are forgotten at the far end and fetched again when looked at."""
    page.start(*rows(200))
    for start in range(200, 6200, 500):
        page.push(rows(500, start))
    page.scroll(0)
    page.wait_for("model.requests.some((one) => one.type === 'earlier')")
    page.settle()
    asked = page.requests("earlier")[0]
    assert asked["at"][1] > 1000
    assert page.text_of(".tcf-lost") == "0 lost"


def test_lost_message_is_noticed_asked_for_and_filled_in(page):
    """A jump in the numbers is counted as lost, asked for at once, and reads zero when the rows are there."""
    page.start(*rows(10))
    page.push([a_row(10)])
    page.page.evaluate("model.deaf = true")
    page.push(rows(5, 11), lose=True)
    page.push([a_row(16)])
    assert page.text_of(".tcf-lost") == "5 lost"
    (asked,) = page.requests("again")
    assert (asked["after"], asked["until"]) == (11, 16)
    page.page.evaluate("(request) => model.answer(request)", asked)
    page.settle()
    assert page.text_of(".tcf-lost") == "0 lost"
    assert page.texts[-7:] == [f"message number {number}" for number in range(10, 17)]


def test_repeated_rows_are_shown_once(page):
    """While a page opens the kernel repeats rows; they are neither doubled nor counted as lost."""
    page.start(*rows(10))
    again = [row | {"s": number + 1} for number, row in enumerate(rows(14))]
    page.say({"batch": {"after": 10, "last": 12, "rows": again[10:12], "gaps": []}})
    page.say({"batch": {"after": 10, "last": 14, "rows": again[10:], "gaps": []}})
    assert page.texts[-6:] == [f"message number {number}" for number in range(8, 14)]
    assert page.text_of(".tcf-lost") == "0 lost"
    # The page asks what else these rows have to show; the stand-in's record does not hold them.
    page.wait_for("model.requests.some((request) => request.type === 'contents' && request.seqs.includes(14))")
    page.settle()


DAY = 24 * 3600 * 1000


def past(count: int, days: int = 30) -> list[dict[str, Any]]:
    """Give different rows that were written some days ago, one a second."""
    return [
        a_row(number, m=f"p{number}", x=f"past {number}", t=NOON - days * DAY + number * 1000)
        for number in range(count)
    ]


def test_rows_stand_in_the_order_of_time(page):
    """Whatever the order in which rows were recorded, the earliest is the first, under one line for each day."""
    page.start(*rows(3), *past(2), a_row(9, t=NOON - 30 * DAY, x="recorded later, of the same moment"))
    assert page.texts[:3] == ["past 0", "recorded later, of the same moment", "past 1"]
    assert page.texts[3:] == ["message number 0", "message number 1", "message number 2"]
    page.push([a_row(4, t=NOON - 29 * DAY), *past(1, days=31), a_row(6)])
    days = page.page.locator(".tcf-drawn .tcf-day").all_inner_texts()
    assert (len(days), days[-1]) == (4, "Today")
    assert page.texts[-1] == "message number 6"
    page.scroll(0)
    assert page.page.locator(".tcf-gap").all_inner_texts() == ["Nothing earlier is recorded"]


def test_past_is_put_before_what_one_reads(page):
    """While somebody reads further up, what comes from the past is put above, and nothing moves."""
    page.start(*rows(150))
    page.scroll(2000)
    text = page.texts[len(page.texts) // 2]
    place = page.place_of(text)
    for start in range(300, 0, -100):
        page.push(past(300)[start - 100 : start])
        assert abs(page.place_of(text) - place) < 1
    assert page.text_of(".tcf-fresh") == "To the latest"
    page.scroll_to_first("past 0")
    assert page.texts[0] == "past 0"


def test_end_stays_the_end_while_the_past_is_read(page):
    """Whoever follows the latest rows goes on seeing them while pages of the past come in between."""
    page.start(*rows(50))
    for number in range(6):
        page.push([*past(600)[500 - 100 * number : 600 - 100 * number], a_row(50 + number)])
        assert page.texts[-1] == f"message number {50 + number}"
        assert page.at_end


def test_past_in_a_flood_of_the_past_is_in_a_gap(page):
    """Of more rows than one message holds the latest come; the others are fetched where they stand, none twice."""
    page.start(*rows(50))
    page.push([*past(1000), *rows(10, 50)], keep=500)
    assert page.texts[-1] == "message number 59"
    page.scroll_to_first("past 0")
    assert page.texts[0] == "past 0"
    seqs = "[...document.querySelectorAll('.tcf-drawn [data-seq]')].map((one) => Number(one.dataset.seq))"
    assert len(set(page.page.evaluate(seqs))) == len(page.page.evaluate(seqs))
    assert page.text_of(".tcf-lost") == "0 lost"


def test_row_that_comes_while_its_place_is_asked_for_is_not_lost(page):
    """What is recorded in a gap after the kernel has read it, and told before its answer comes, is shown."""
    page.start(*rows(300))
    page.page.evaluate("model.deaf = true")
    page.scroll(0)
    page.wait_for("model.requests.some((one) => one.type === 'earlier')")
    (asked,) = page.requests("earlier")
    page.page.evaluate("(request) => { model.held = model.timeline().filter((row) => row.s < 101); }", asked)
    page.push([a_row(0, t=NOON + 50_500, x="from the past")])
    answer = "({ re: asked.re, reached: null, rows: model.held })"
    page.page.evaluate(f"(asked) => {{ model.deaf = false; model.say({{ answers: [{answer}] }}); }}", asked)
    page.scroll_to_first("message number 0")
    for _ in range(20):
        if "from the past" in page.texts:
            break
        page.scroll(page.page.evaluate("document.querySelector('.tcf-scroller').scrollTop") + 300)
    assert "from the past" in page.texts


def test_message_read_after_its_edit_is_not_edited_again(page):
    """What comes from the history has the new text already; an edit that was recorded before it changes nothing."""
    page.start({**a_row(9, k="edit", m="p0", x="older words")}, *rows(2))
    page.push([{**past(1)[0], "x": "newest words", "e": 1}])
    assert page.texts == ["newest words", "message number 0", "message number 1"]


def away(page: Page) -> None:
    """Let the connection be lost, and be there again."""
    for state in ("reconnecting", "connected"):
        page.say({"state": {"state": state, "reason": None, "retry_at": None}})


def test_messages_of_an_absence_stand_under_a_line(page):
    """What was written while the connection was away stands at its time, and a line says where it begins."""
    page.start(*rows(4))
    assert not page.page.locator(".tcf-new").count()
    away(page)
    page.push([a_row(20, x="live again")])
    page.push([a_row(10, o=1), a_row(11, late=1), a_row(12, late=1)])
    shown = page.page.locator(".tcf-drawn .tcf-text, .tcf-drawn .tcf-new").all_inner_texts()
    line = shown.index("New since you looked")
    assert shown[line - 1 : line + 3] == [
        "message number 10",
        "New since you looked",
        "message number 11",
        "message number 12",
    ]
    assert shown[-1] == "live again"


def test_line_goes_when_it_is_read(page):
    """After it has been in sight for a while the line is gone; what comes then while one looks is not new."""
    page.start(*rows(4))
    away(page)
    page.push([a_row(11, late=1)])
    page.page.locator(".tcf-new").wait_for()
    page.page.locator(".tcf-new").wait_for(state="detached", timeout=PATIENCE)
    page.push([a_row(12), a_row(13)])
    assert not page.page.locator(".tcf-new").count()
    assert page.at_end


def test_line_that_is_above_can_be_gone_to(page):
    """Where more is new than fits, a button says how much, and leads to the line."""
    page.start(*rows(40))
    away(page)
    page.push([a_row(number, late=1) for number in range(40, 140)])
    assert page.texts[-1] == "message number 139"
    button = page.page.locator(".tcf-above")
    assert button.inner_text() == "100 new since you looked"
    button.click()
    page.wait_for_text("message number 40")
    page.page.locator(".tcf-new").wait_for()
    page.wait_for("!document.querySelector('.tcf-above').classList.contains('tcf-shown')")


def test_reopened_page_shows_what_is_new(page):
    """A page that opens marks what was said since somebody looked last, except what this account wrote itself."""
    page.start(*rows(4), a_row(4, o=1), a_row(5), looked=[NOON + 3000, 4])
    shown = page.page.locator(".tcf-drawn .tcf-text, .tcf-drawn .tcf-new").all_inner_texts()
    assert shown[-3:] == ["message number 4", "New since you looked", "message number 5"]


def test_nothing_is_new_for_whoever_saw_it_come(page):
    """Rows that come while one looks, and pages of the past, are no news."""
    page.start(*rows(4), looked=[NOON + 3000, 4])
    page.push([a_row(5)])
    page.push([{**row, "late": 1} for row in past(3)])
    assert not page.page.locator(".tcf-new").count()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 860])
def test_screenshot_of_what_is_new(open_page, screenshots: Path, theme, width):
    """The line before what is new, and the beginning of a chat, as people see them."""
    page = open_page(viewport={"width": width, "height": 560}, device_scale_factor=2)
    page.page.evaluate("(theme) => { document.body.dataset.theme = theme; }", theme)
    said = [a_row(number, c="c1", n="Release crew") for number in range(7)]
    page.start(*past(2, days=1), *said, only_chat="c1", looked=[NOON + 3000, 6])
    page.page.locator(".tcf-new").wait_for()
    page.page.locator(".tcnb-feed").screenshot(path=screenshots / f"feed-new-{width}-{theme}.png")
    assert contrast(page, ".tcf-new span") >= 4.5


def test_silent_kernel_is_asked(page):
    """A page that hears nothing asks for the latest rows, and shows what it had missed."""
    # They are stored before the page could ask, however long the test takes from one step to the next.
    page.page.evaluate("([known, missed]) => start(known).then(() => model.store(missed))", [rows(10), rows(5, 10)])
    page.wait_for_text("message number 14")
    assert page.text_of(".tcf-lost") == "0 lost"


def test_flood_skips_ahead_and_loses_nothing(page):
    """Rows that were announced but not sent are no loss; they are fetched when somebody looks."""
    page.start(*rows(100))
    page.push(rows(3000, 100), keep=500)
    assert page.texts[-1] == "message number 3099"
    assert page.text_of(".tcf-lost") == "0 lost"
    assert page.text_of(".tcf-numbers span:nth-child(2)") == "3,100 events"
    page.scroll_to_first("message number 0")
    assert page.texts[0] == "message number 0"


def test_pause_holds_rows_back(page):
    """While paused nothing moves; afterwards everything is there."""
    page.start(*rows(20))
    pause = page.page.get_by_role("button", name="Pause")
    pause.click()
    page.push(rows(7, 20))
    assert "message number 26" not in page.texts
    assert page.text_of(".tcf-state") == "Paused"
    assert page.text_of(".tcf-fresh") == "7 new"
    page.page.get_by_role("button", name="Resume").click()
    page.wait_for_text("message number 26")


def test_filters_narrow_what_is_shown(page):
    """Chat, author, kind and text narrow the rows, and each can be taken away again."""
    page.start(*rows(30), a_row(30, k="photo", d="cat.png", x=None))
    page.page.get_by_label("Chat", exact=True).focus()
    page.page.get_by_label("Chat", exact=True).select_option("c2")
    page.settle()
    assert {int(text.split()[-1]) % 2 for text in page.texts} == {1}
    page.page.get_by_label("Search text").fill("number 7")
    page.wait_for("document.querySelectorAll('.tcf-drawn .tcf-text').length === 1")
    assert page.texts == ["message number 7"]
    page.page.get_by_role("button", name="Clear filters").click()
    page.page.get_by_label("Kind of event").select_option("media")
    # The kernel has no such picture, so its name stands there.
    page.page.locator(".tcf-chip b").wait_for()
    assert page.page.locator(".tcf-chip b").all_inner_texts() == ["cat.png"]


def test_filter_holds_for_what_comes(page):
    """New rows pass the filter or are not shown."""
    page.start(*rows(10))
    page.page.get_by_label("Search text").fill("wanted")
    page.wait_for("document.querySelector('.tcf-empty').classList.contains('tcf-shown')")
    assert page.text_of(".tcf-empty b") == "Nothing matches"
    page.push([a_row(10), a_row(11, x="wanted one")])
    assert page.texts == ["wanted one"]


def test_search_reaches_into_the_record(page):
    """What is not in memory is looked for in the record."""
    page.start(a_row(0, x="needle"), *rows(2000, 1))
    page.page.get_by_label("Search text").fill("needle")
    page.wait_for_text("needle")


def test_edits_and_removals_are_shown_in_place(page):
    """An edit changes its message, a removal strikes it out; without their message they stand on their own."""
    page.start(a_row(0), a_row(1), a_row(2))
    page.push(
        [
            {"k": "edit", "t": NOON + 9000, "m": "m0", "x": "corrected"},
            {"k": "remove", "t": NOON + 9000, "m": "m1", "a": "bob@practice.local", "w": "Bob Stone"},
            {"k": "edit", "t": NOON + 9000, "x": "of unknown origin"},
        ]
    )
    assert page.texts == ["corrected", "message number 1", "message number 2"]
    assert page.page.locator(".tcf-note").all_inner_texts() == ["edited", "removed"]
    assert page.page.locator(".tcf-gone .tcf-text").all_inner_texts() == ["message number 1"]
    assert "of unknown origin" in page.text_of(".tcf-event")


def test_reply_shows_what_it_answers(page):
    """A reply quotes its message where that is known, and says so where it is not."""
    page.start(a_row(0), a_row(1, r="m0"), a_row(2, r="elsewhere"))
    quotes = page.page.locator(".tcf-quote").all_inner_texts()
    assert quotes[0].split("\n") == ["Alice Doe", "message number 0"]
    assert quotes[1] == "an earlier message"


def test_names_learnt_later_are_shown(page):
    """A person's rows take the display name when it is known."""
    page.start(a_row(0, w=None, a="dan@practice.local"))
    assert page.text_of(".tcf-author") == "dan"
    page.page.evaluate("model.say({ people: { 'dan@practice.local': 'Dan Brown' } })")
    page.settle()
    assert page.text_of(".tcf-author") == "Dan Brown"


EVERY_KIND = [
    *KIND_OF_MESSAGE.values(),
    *KIND_OF_EVENT.values(),
    "photo",
    "sticker",
    "video",
    "audio",
    "file",
    "contact",
    "unknown",
]


def test_every_kind_is_drawn(page):
    """Each kind of row has its words, unknown ones included."""
    page.start(*[a_row(number, k=kind, x=None, v="unknown_299") for number, kind in enumerate(EVERY_KIND)])
    page.page.evaluate("document.querySelector('.tcnb-feed').style.height = '600px'")
    page.settle()
    seen: set[str] = set()
    for top in range(0, 2400, 300):
        page.scroll(top)
        seen |= set(page.page.locator(".tcf-drawn > *").all_inner_texts())
    words = "\n".join(seen)
    assert "Unknown event: unknown_299" in words
    assert "undefined" not in words


HOSTILE = [
    "<script>window.hacked = true</script>",
    "<img src=x onerror='window.hacked = true'>",
    "</div></div><iframe src='javascript:parent.hacked = true'></iframe>",
    "<svg onload='window.hacked = true'>",
    "<style>* { display: none }</style>",
    "\u202e\u2066 turned around",
    "a\u0300\u0301\u0302" * 200,
    "unbroken" * 500,
    "line\n" * 2000,
    "half \ud800 pair",
]


def test_hostile_content_stays_text(page):
    """Nothing that people write runs, adds elements, fetches anything, or leaves its row."""
    fetched: list[str] = []
    keys = ("x", "w", "n", "d", "h", "l", "v", "a", "c", "i", "u", "f")
    given = [
        a_row(i, **dict.fromkeys(keys, text), k=k)
        for i, text in enumerate(HOSTILE)
        for k in ("text", "file", "title", "x")
    ]
    page.start(a_row(0))
    page.page.on("request", lambda request: fetched.append(request.url))
    before = set(page.page.evaluate("[...document.querySelectorAll('*')].map((one) => one.tagName)"))
    page.push([row | {"k": "unknown" if row["k"] == "x" else row["k"]} for row in given])
    for top in range(0, 12_000, 350):
        page.scroll(top)
        wide = page.page.evaluate(
            "document.querySelector('.tcf-scroller').scrollWidth - document.querySelector('.tcf-scroller').clientWidth"
        )
        assert wide <= 0
        after = set(page.page.evaluate("[...document.querySelectorAll('*')].map((one) => one.tagName)"))
        assert not after - before - {"BUTTON", "SVG", "PATH", "svg", "path", "DIV", "SPAN", "B", "TIME"}
    assert page.page.evaluate("window.hacked") is None
    assert fetched == []


def test_chat_that_is_chosen_elsewhere_is_not_chosen_here(page):
    """In the panel the feed offers no choice of chats, and a chat's name that is clicked is handed to the kernel."""
    page.start(*rows(4), is_chat_chosen_elsewhere=True)
    assert page.page.get_by_label("Chat", exact=True).count() == 0
    page.page.locator(".tcf-chat").get_by_text(CHATS[1][1]).first.click()
    assert page.requests("chat") == [{"type": "chat", "chat": "c2"}]
    assert len(page.texts) == 4
    page.page.locator(".tcf-author").first.click()
    page.wait_for("document.querySelectorAll('.tcf-row').length === 2")
    assert page.requests("filter")[-1]["filter"]["chat"] == ""


def test_feed_of_one_chat_does_not_repeat_its_name(page):
    """Where one chat is shown, there is none to choose, and it is named at the top instead of in every row."""
    page.start(a_row(0), a_row(2), a_row(4, k="join", u="bob@practice.local"), only_chat="c1")
    assert page.page.get_by_label("Chat", exact=True).count() == 0
    assert page.page.locator(".tcf-chat").count() == 0
    assert page.text_of(".tcf-which") == "Release crew"
    assert page.texts == ["message number 0", "message number 2"]


def test_past_of_a_chat_that_is_not_in_the_record_can_be_read(page):
    """An empty feed of one chat offers to load what was said before, once, and shows it when it is there."""
    page.start(only_chat="c1")
    assert "on the server" in page.text_of(".tcf-empty")
    page.page.get_by_role("button", name="Load earlier messages").press("Enter")
    page.wait_for("model.pastAsked && document.querySelector('.tcf-empty').innerText.includes('Loading')")
    assert not page.page.get_by_role("button", name="Load earlier messages").is_visible()
    page.page.evaluate("(rows) => model.readPast({ rows })", rows(3))
    page.settle()
    assert page.texts == ["message number 0", "message number 1", "message number 2"]
    assert not page.page.locator(".tcf-empty").is_visible()
    assert page.text_of(".tcf-top") == "Beginning of the chat"
    assert len(page.requests("past")) == 1


def test_past_that_cannot_be_read_says_why(page):
    """A refusal stands where the rows would, with a way to try again; where nothing was said, that is all."""
    page.start(only_chat="c1")
    page.page.get_by_role("button", name="Load earlier messages").click()
    page.wait_for("model.pastAsked")
    page.page.evaluate("model.readPast({ refused: 'the server <b>keeps</b> it to itself' })")
    page.page.get_by_text("the server <b>keeps</b> it to itself").wait_for()
    page.page.get_by_role("button", name="Try again").click()
    page.wait_for("model.pastAsked")
    page.page.evaluate("model.readPast({ rows: [] })")
    page.page.get_by_text("Nothing was said in this chat before.").wait_for()
    assert not page.page.locator(".tcf-past").is_visible()


def test_scrolling_to_the_top_reads_the_past(page):
    """Whoever reaches the first row gets what was said before it, page by page, and what they read stays in place."""
    page.start(*[a_row(number, c="c1") for number in range(60)], only_chat="c1")
    assert page.requests("past") == []
    page.scroll(0)
    page.page.get_by_text("Loading earlier messages…").wait_for()
    place = page.place_of("message number 1")
    page.page.evaluate("(rows) => model.readPast({ rows, more: true })", past(100))
    page.settle()
    assert abs(page.place_of("message number 1") - place) < 1
    assert len(page.requests("past")) == 1
    page.scroll(0)
    page.wait_for("model.pastAsked")
    page.page.evaluate("(rows) => model.readPast({ rows })", past(20, days=31))
    page.settle()
    page.scroll(0)
    page.page.get_by_text("Beginning of the chat").wait_for()
    page.scroll(40)
    page.scroll(0)
    assert len(page.requests("past")) == 2
    assert page.texts[0] == "past 0"


def test_top_of_a_refused_past_can_be_tried_again(page):
    """A refusal stands at the top with its reason, is not repeated by itself, and can be tried again."""
    page.start(*[a_row(number, c="c1") for number in range(60)], only_chat="c1")
    page.scroll(0)
    page.wait_for("model.pastAsked")
    page.page.evaluate("model.readPast({ refused: 'the server is busy' })")
    page.page.locator(".tcf-top").get_by_text("the server is busy").wait_for()
    page.scroll(30)
    page.scroll(0)
    assert len(page.requests("past")) == 1
    page.page.get_by_role("button", name="Try again").click()
    page.wait_for("model.pastAsked")


def test_short_feed_reads_the_past_when_asked(page):
    """Where all rows fit, nobody can scroll: the past is read when the wheel or a key goes up, or by the button."""
    page.start(a_row(0), only_chat="c1")
    assert page.page.get_by_role("button", name="Load earlier messages").is_visible()
    assert page.requests("past") == []
    page.page.locator(".tcf-scroller").hover()
    page.page.mouse.wheel(0, -120)
    page.wait_for("model.pastAsked")
    page.page.evaluate("(rows) => model.readPast({ rows, more: true })", past(2))
    page.settle()
    page.page.locator(".tcf-scroller").press("PageUp")
    page.wait_for("model.pastAsked")


def test_past_is_offered_of_one_chat_alone(page):
    """A feed of every chat, and one with a filter, offer nothing of the server's."""
    page.start()
    assert not page.page.locator(".tcf-past").is_visible()
    page.page.evaluate("stop()")
    page.start(a_row(0))
    assert page.text_of(".tcf-top") == "Nothing earlier is recorded"
    page.page.evaluate("stop()")
    page.start(a_row(0), only_chat="c1")
    page.page.get_by_label("Search text").fill("message number")
    page.page.get_by_text("Nothing earlier is recorded").wait_for()
    page.page.get_by_label("Search text").fill("nobody said this")
    page.page.get_by_text("Nothing matches").wait_for()
    assert not page.page.locator(".tcf-past").is_visible()


def test_state_line_says_what_is_wrong(page):
    """A lost connection is shown with its reason and the time of the next try."""
    page.start(*rows(3))
    state = {"state": "reconnecting", "reason": "the server is away", "retry_at": time.time() + 600}
    page.page.evaluate("(state) => model.say({ state })", state)
    # Both at once, for it counts the seconds.
    line, title = page.page.locator(".tcf-state").evaluate("(one) => [one.innerText, one.title]")
    assert line.startswith("Reconnecting · next try in ")
    assert line.endswith(" · the server is away")
    assert title == line
    page.page.evaluate("model.say({ state: { state: 'closed', reason: null, retry_at: null } })")
    assert page.text_of(".tcf-state") == "Closed"


def test_state_line_says_that_the_journal_is_in_trouble(page):
    """A problem of the journal stands beside the connection, its whole sentence is shown to who points at it."""
    page.start(*rows(3))
    state = {"state": "connected", "reason": None, "retry_at": None, "problem": "journal.sqlite was deleted"}
    page.page.evaluate("(state) => model.say({ state })", state)
    line, title = page.page.locator(".tcf-state").evaluate("(one) => [one.innerText, one.title]")
    assert line == "Connected · Journal problem"
    assert title == "Connected · Journal problem\njournal.sqlite was deleted"
    page.page.evaluate("(state) => model.say({ state: { ...state, problem: null } })", state)
    assert page.text_of(".tcf-state") == "Connected"


def test_saved_page_does_not_claim_to_be_live(page):
    """Without a kernel that answers, the feed says that it shows what was saved."""
    page.page.evaluate("(rows) => start(rows, null, true)", rows(3))
    page.wait_for("document.querySelector('.tcf-state').textContent === 'Saved view'")


# A stand-in for what a host hands over of its kernel: the signals of JupyterLab's connection, given by the test.
HOST = """() => {
  const signal = () => {
    const slots = new Set();
    const emit = (...said) => { for (const slot of slots) slot(null, ...said); };
    return { connect: (slot) => slots.add(slot), disconnect: (slot) => slots.delete(slot), emit };
  };
  const kernel = { id: 'k1', connectionStatus: 'connected', serverSettings: { baseUrl: `${location.origin}/` } };
  for (const name of ['statusChanged', 'connectionStatusChanged', 'iopubMessage', 'disposed']) kernel[name] = signal();
  kernel.reconnects = 0;
  kernel.reconnect = async () => { kernel.reconnects += 1; };
  window.manager = { kernel };
}"""


@pytest.fixture
def hosted(page):
    """A feed whose host has a kernel, and a Jupyter server that knows it."""
    page.page.route("**/api/kernels/k1", lambda route: route.fulfill(json={"id": "k1"}))
    page.page.evaluate(HOST)
    return page


def test_kernel_that_is_busy_for_long_is_not_gone(hosted):
    """A kernel that says nothing for ten minutes is said to be silent, and everything can still be asked of it."""
    page = hosted
    page.page.evaluate("manager.kernel.serverSettings = null")  # no request is answered while the clock runs
    page.page.clock.install()
    page.start(*rows(3))
    page.say({"state": {"state": "connected"}})
    page.page.evaluate("manager.kernel.statusChanged.emit('busy')")
    page.page.clock.run_for(600_000)
    assert page.text_of(".tcf-state") == "No word from the kernel: it is busy"
    page.page.hover("[data-seq='2']")
    assert page.page.locator(".tcf-actions").get_by_role("button", name="Reply", exact=True).is_enabled()
    page.say({"state": {"state": "connected"}})
    assert page.text_of(".tcf-state") == "Connected"


def test_short_break_of_the_hosts_connection_is_not_mentioned(hosted):
    """A connection to Jupyter that is back at once is not said to be lost; one that stays away is."""
    page = hosted
    page.page.clock.install()
    page.start(*rows(3))
    page.say({"state": {"state": "connected"}})
    page.page.evaluate("manager.kernel.connectionStatusChanged.emit('connecting')")
    page.page.clock.run_for(300)
    page.page.evaluate("manager.kernel.connectionStatusChanged.emit('connected')")
    page.page.clock.run_for(5000)
    assert page.text_of(".tcf-state") == "Connected"
    page.page.evaluate("manager.kernel.connectionStatusChanged.emit('connecting')")
    page.page.clock.run_for(600)
    assert page.text_of(".tcf-state") == "No connection to Jupyter: this goes on when it is back"
    page.page.evaluate("manager.kernel.connectionStatusChanged.emit('connected')")
    page.page.clock.run_for(2000)
    assert page.text_of(".tcf-state") == "Connected"


def test_network_that_is_off_is_said_when_the_server_does_not_answer(hosted):
    """When the browser is offline and the Jupyter server does not answer, the feed says so until it does again."""
    page = hosted
    page.start(*rows(3))
    page.say({"state": {"state": "connected"}})
    page.page.unroute("**/api/kernels/k1")
    page.page.route("**/api/kernels/k1", lambda route: route.abort())
    page.page.evaluate("dispatchEvent(new Event('offline'))")
    page.wait_for("document.querySelector('.tcf-state').textContent.startsWith('No connection to Jupyter')")
    page.page.unroute("**/api/kernels/k1")
    page.page.route("**/api/kernels/k1", lambda route: route.fulfill(json={"id": "k1"}))
    page.page.evaluate("dispatchEvent(new Event('online'))")
    page.wait_for("document.querySelector('.tcf-state').textContent === 'Connected'")


def test_offline_browser_beside_its_server_is_not_cut_off(hosted):
    """Being offline means nothing as long as the Jupyter server, which may be on the same machine, answers."""
    page = hosted
    page.start(*rows(3))
    page.say({"state": {"state": "connected"}})
    with page.page.expect_response("**/api/kernels/k1"):
        page.page.evaluate("dispatchEvent(new Event('offline'))")
    page.settle()
    assert page.text_of(".tcf-state") == "Connected"


def test_connection_that_the_host_has_given_up_is_made_again(hosted):
    """When the host tries no more and the Jupyter server is there again, its connection is made anew, once."""
    page = hosted
    page.start(*rows(3))
    page.page.evaluate("manager.kernel.connectionStatus = 'disconnected'")
    page.page.evaluate("manager.kernel.connectionStatusChanged.emit('disconnected')")
    page.wait_for("manager.kernel.reconnects === 1")


def test_kernel_that_the_server_does_not_know_was_shut_down(hosted):
    """A kernel that the Jupyter server knows no more is gone, though nobody said so."""
    page = hosted
    page.start(*rows(3))
    page.page.unroute("**/api/kernels/k1")
    page.page.route("**/api/kernels/k1", lambda route: route.fulfill(status=404))
    page.page.evaluate("dispatchEvent(new Event('online'))")
    page.wait_for("document.querySelector('.tcf-state').textContent.startsWith('The kernel was shut down')")


def test_silence_is_said_where_the_host_tells_nothing_of_its_kernel(page):
    """Where a widget is handed no connection to the kernel, as in Colab, silence is said, and nothing is taken away."""
    page.page.clock.install()
    page.start(*rows(3))
    page.say({"state": {"state": "connected"}})
    page.page.clock.run_for(120_000)
    assert page.text_of(".tcf-state") == "No word from the kernel: it is busy or gone"
    page.page.hover("[data-seq='2']")
    assert page.page.locator(".tcf-actions").get_by_role("button", name="Reply", exact=True).is_enabled()


def test_what_was_being_done_when_the_kernel_went_is_said_to_be_unknown(hosted):
    """A reply that was on its way when the kernel went stays to be read, and nobody claims that it was sent or not."""
    page = hosted
    page.start(*rows(3))
    page.page.evaluate("model.deaf = true")
    page.page.hover("[data-seq='2']")
    page.page.locator(".tcf-actions").get_by_role("button", name="Reply", exact=True).click()
    page.page.get_by_label("Write a message").fill("soon")
    page.page.get_by_role("button", name="Send").click()
    page.page.evaluate("manager.kernel.statusChanged.emit('restarting')")
    page.page.get_by_text("Not known whether it was done. Kernel restarted").wait_for()
    assert page.page.get_by_label("Write a message").input_value() == "soon"
    assert page.page.get_by_role("button", name="Send").is_disabled()


def test_search_that_was_cleared_does_not_come_back(page):
    """Who clears the search and picks an author at once has the search cleared, and the author picked."""
    page.start(*rows(6), a_row(6, x="the build"))
    search, author = page.page.get_by_label("Search text"), page.page.get_by_role("combobox", name="Author")
    search.fill("build")
    page.wait_for("document.querySelectorAll('.tcf-row').length === 1")
    page.page.evaluate("holdTimers()")
    search.fill("")
    author.focus()
    author.select_option(index=1)
    assert search.input_value() == ""
    page.page.evaluate("releaseTimers()")
    page.wait_for("document.querySelectorAll('.tcf-row').length > 1")
    assert page.requests("filter")[-1]["filter"]["text"] == ""


def test_filters_are_cleared_with_what_was_just_typed(page):
    """The button that clears the filters also clears what was typed a moment before."""
    page.start(*rows(3))
    page.page.get_by_role("combobox", name="Kind of event").select_option("messages")
    page.page.evaluate("holdTimers()")
    page.page.get_by_label("Search text").fill("nobody")
    page.page.get_by_role("button", name="Clear filters").click()
    page.page.evaluate("releaseTimers()")
    assert page.page.get_by_label("Search text").input_value() == ""
    assert page.requests("filter")[-1]["filter"] == {"chat": "", "author": "", "kinds": [], "text": ""}


def test_filter_of_this_tab_is_later_than_the_kernel_knew(page):
    """A page that is reloaded before the kernel heard of it has the search as it was left."""
    key = {"key": "f1", "heard": {}}
    page.page.evaluate("(state) => { window.widgetState = state; }", key)
    page.start(*rows(3))
    search = page.page.get_by_label("Search text")
    search.fill("build")
    page.wait_for("model.requests.some((one) => one.type === 'filter')")
    search.fill("")
    page.page.evaluate("stop()")
    page.start(*rows(3), filter={"chat": "", "author": "", "kinds": [], "text": "build"})
    assert page.page.get_by_label("Search text").input_value() == ""


def test_edit_that_named_no_message_goes_once_it_is_known(page):
    """An edit told without its message stands alone until the message is known; then only the message is changed."""
    page.start(a_row(0, x="teh build"))
    page.push([a_row(0, k="edit", m=None, x="the build")])
    assert page.page.locator(".tcf-event").count() == 1
    page.push([a_row(0, k="edit", x="the build")])
    assert page.page.locator(".tcf-event").count() == 0
    assert page.texts == ["the build"]


def test_edit_of_a_text_that_another_message_got_before_is_shown(page):
    """What an earlier edit says of its own message tells nothing of a later edit with the same text."""
    page.start(a_row(0, x="tomorow"), a_row(2, x="tomorrw"))
    page.push([a_row(0, k="edit", x="tomorrow")])
    page.push([a_row(2, k="edit", m=None, x="tomorrow")])
    assert page.page.locator(".tcf-event").count() == 1
    page.push([a_row(2, k="edit", x="tomorrow")])
    assert page.page.locator(".tcf-event").count() == 0
    assert page.texts == ["tomorrow", "tomorrow"]


def test_keyboard_alone_suffices(page):
    """Every control is reached by Tab, and the list is scrolled by keys."""
    page.start(*rows(200))
    reached = []
    for _ in range(8):
        page.page.keyboard.press("Tab")
        reached.append(
            page.page.evaluate("document.activeElement.getAttribute('aria-label') || document.activeElement.className")
        )
    expected = ["Search text, file names, authors", "Chat", "Author", "Kind of event", "Pause", "Live feed"]
    assert reached[:6] == expected
    page.page.locator(".tcf-scroller").focus()
    page.page.keyboard.press("PageUp")
    page.wait_for("document.querySelector('.tcf-fresh').classList.contains('tcf-shown')")
    page.page.keyboard.press("End")
    page.wait_for("!document.querySelector('.tcf-fresh').classList.contains('tcf-shown')")
    page.wait_for(AT_END)


def test_screen_reader_is_spared_a_flood(page):
    """The list is a log that is read out politely, and not during a flood."""
    page.start(*rows(3))
    log = page.page.get_by_role("log")
    assert log.get_attribute("aria-live") == "polite"
    page.push(rows(400, 3))
    page.wait_for("document.querySelector('.tcf-scroller').getAttribute('aria-live') === 'off'")


def test_labels_follow_the_browsers_language(open_page):
    """A browser in Russian gets Russian labels."""
    page = open_page(locale="ru-RU")
    page.start(*rows(3))
    assert page.text_of(".tcf-state") == "Подключено"
    assert page.page.get_by_label("Поиск").count() == 1


def contrast(page: Page, selector: str) -> float:
    """Compute the least contrast of elements' text with what is behind it, as WCAG does."""
    return page.page.evaluate(
        """(selector) => {
          const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
          const light = (colour) => {
            canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
            const linear = (v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
            const part = (value) => linear(value / 255);
            const [r, g, b] = canvas.getImageData(0, 0, 1, 1).data;
            return 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
          };
          const isClear = (one) => ['rgba(0, 0, 0, 0)', 'transparent'].includes(getComputedStyle(one).backgroundColor);
          const behind = (one) => (isClear(one) ? behind(one.parentElement) : getComputedStyle(one).backgroundColor);
          const ratio = (ink, paper) => (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05);
          const contrastOf = (one) => ratio(light(getComputedStyle(one).color), light(behind(one)));
          return Math.min(...[...document.querySelectorAll(selector)].map(contrastOf));
        }""",
        selector,
    )


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_is_readable_in_both_themes(page, theme):
    """All text has the contrast that WCAG asks for, for authors of every colour."""
    authors = [a_row(number, a=f"person-{number}@practice.local", w=f"Person {number}") for number in range(12)]
    page.page.evaluate("(theme) => { document.body.dataset.theme = theme; }", theme)
    page.start(*authors)
    for selector in (".tcf-author", ".tcf-text", ".tcf-time", ".tcf-chat", ".tcf-numbers span", ".tcf-avatar"):
        assert contrast(page, selector) >= 4.5, selector


def test_theme_of_the_host_is_followed_at_once(page):
    """When the host changes its theme, the feed changes with it, without any message."""
    page.start(*rows(3))
    paper = "getComputedStyle(document.querySelector('.tcnb-feed')).backgroundColor"
    page.page.evaluate("document.body.dataset.theme = 'light'")
    light = page.page.evaluate(paper)
    page.page.evaluate("document.body.dataset.theme = 'dark'")
    assert page.page.evaluate(paper) != light


def test_system_preference_decides_without_a_host_theme(open_page):
    """Outside JupyterLab a dark system gets a dark feed."""
    papers = []
    for scheme in ("light", "dark"):
        page = open_page(color_scheme=scheme)
        page.start(*rows(3))
        papers.append(page.page.evaluate("getComputedStyle(document.querySelector('.tcnb-feed')).backgroundColor"))
    assert papers == ["rgb(255, 255, 255)", "rgb(22, 24, 28)"]


@pytest.mark.parametrize("width", [320, 480])
def test_narrow_feed_has_no_sideways_scrolling(open_page, width):
    """In a narrow column nothing sticks out."""
    page = open_page(viewport={"width": width, "height": 640})
    page.start(
        *rows(20), a_row(20, k="file", d="a-name-without-any-break" * 8, z=1), a_row(21, x="https://" + "x" * 300)
    )
    assert page.page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    assert (
        page.page.evaluate(
            "(() => { const s = document.querySelector('.tcf-scroller'); return s.scrollWidth - s.clientWidth; })()"
        )
        <= 0
    )


def test_long_text_is_folded_and_opened(page):
    """A very long text shows its beginning until somebody wants the rest."""
    page.start(a_row(0, x="\n".join(map(str, range(100)))))
    row = page.page.locator(".tcf-row").first
    folded = row.bounding_box()["height"]
    page.page.get_by_role("button", name="Show all").click()
    page.settle()
    assert row.bounding_box()["height"] > 3 * folded


def test_closing_a_view_frees_it(page):
    """A closed widget leaves no nodes and no listeners behind."""
    page.start(*rows(20))
    page.page.evaluate("stop()")
    assert page.page.evaluate("[model.listeners.length, document.querySelectorAll('.tcnb-feed').length]") == [0, 0]


CONVERSATION: list[dict[str, Any]] = [
    a_row(
        -99,
        t=NOON - 86_400_000,
        x="Tests are green, good night!",
        a="bob@practice.local",
        w="Bob Stone",
        c="c1",
        n="Release crew",
    ),
    a_row(
        -98,
        x="Morning. Build 42 is out, all 318 tests pass.",
        a="bob@practice.local",
        w="Bob Stone",
        c="c1",
        n="Release crew",
    ),
    a_row(-97, x="Rolling it out to staging now.", a="bob@practice.local", w="Bob Stone", c="c1", n="Release crew"),
    a_row(
        -96, x="Who watches the graphs?", r="m-98", a="alice@practice.local", w="Alice Doe", c="c1", n="Release crew"
    ),
    a_row(
        -95,
        x="I do: p95 is 182 ms, error rate 0.02 %.",
        a="robot@practice.local",
        w="Robot",
        o=1,
        c="c1",
        n="Release crew",
    ),
    a_row(
        -94,
        k="photo",
        d="latency.png",
        z=48213,
        x=None,
        a="robot@practice.local",
        w="Robot",
        o=1,
        c="c1",
        n="Release crew",
    ),
    a_row(
        -93,
        x="Кто идёт за кофе? Сегодня зёрна из Эфиопии.",
        a="carol@practice.local",
        w="Карина Лебедева",
        c="c2",
        n="Кофе и код",
    ),
    a_row(
        -92, k="join", u="dan@practice.local", x=None, a="alice@practice.local", w="Alice Doe", c="c1", n="Release crew"
    ),
    a_row(-91, k="sticker", x=None, z=20480, a="carol@practice.local", w="Карина Лебедева", c="c2", n="Кофе и код"),
    a_row(
        -90,
        k="file",
        d="Q3 plan.pdf",
        z=1480213,
        x=None,
        a="alice@practice.local",
        w="Alice Doe",
        c="c1",
        n="Release crew",
    ),
    a_row(
        -89,
        k="location",
        y=59.93,
        j=30.31,
        h="Кофейня на Рубинштейна",
        x=None,
        a="carol@practice.local",
        w="Карина Лебедева",
        c="c2",
        n="Кофе и код",
    ),
    a_row(-88, x="typo hree", a="alice@practice.local", w="Alice Doe", c="c1", n="Release crew"),
    {"k": "edit", "t": NOON, "m": "m-88", "x": "typo here, fixed", "c": "c1"},
    a_row(-87, x="Done, 43 is out 🎉", a="robot@practice.local", w="Robot", o=1, c="c1", n="Release crew"),
]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_screenshot(open_page, screenshots: Path, theme):
    """The feed as people see it is kept as an artefact, in both themes."""
    page = open_page(viewport={"width": 860, "height": 660}, device_scale_factor=2)
    page.page.evaluate("(theme) => { document.body.dataset.theme = theme; }", theme)
    page.start(*CONVERSATION)
    page.page.evaluate("document.querySelector('.tcnb-feed').style.height = '620px'")
    page.settle()
    page.page.locator(".tcnb-feed").screenshot(path=screenshots / f"feed-{theme}.png")
    assert (screenshots / f"feed-{theme}.png").stat().st_size > 10_000
