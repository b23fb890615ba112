"""What a person does with a row of the feed, in a browser without Jupyter: tools, dock, pictures, failures."""

from __future__ import annotations

import base64
from io import BytesIO
from typing import Any

import pytest
from PIL import Image
from test_feed_page import Page, a_row, open_page, rows  # noqa: F401  (a fixture)


@pytest.fixture
def page(open_page) -> Page:  # noqa: F811
    """A feed with a few rows, the last two a colleague's and an own one, and a kernel that answers when told to."""
    page = open_page()
    page.start(*rows(3), a_row(3, x="ready?"), a_row(4, x="not yet", o=1))
    page.page.evaluate("model.deaf = true")
    return page


def press_tool(page: Page, seq: int, name: str) -> None:
    page.page.hover(f"[data-seq='{seq}']")
    page.page.locator(".tcf-actions").get_by_role("button", name=name, exact=True).click()


def answer(page: Page, kind: str, **said: Any) -> dict[str, Any]:
    """Let the kernel answer the last request of a kind, and give that request."""
    request = page.requests(kind)[-1]
    page.say({"answers": [{"re": request["re"], **said}]})
    return request


def test_reply_is_sent_by_enter(page):
    """What is written under a row is sent as its answer; Shift and Enter break the line."""
    press_tool(page, 4, "Reply")
    box = page.page.get_by_label("Write a message")
    box.type("soon")
    box.press("Shift+Enter")
    box.type("very soon")
    box.press("Enter")
    request = answer(page, "reply", done={"message_id": "m9"})
    assert (request["seq"], request["text"], request["mode"]) == (4, "soon\nvery soon", "text")
    assert page.page.locator(".tcf-dock").is_hidden()


def test_refused_reply_stays_with_its_reason(page):
    """When the kernel refuses, the reason is shown, with code and method on hover, and the text is still there."""
    press_tool(page, 4, "Reply")
    page.page.get_by_label("Write a message").fill("soon")
    page.page.get_by_role("button", name="Send").click()
    answer(page, "reply", refused="You were removed from this chat", details="sendMessage refused: [305]")
    assert page.page.get_by_label("Write a message").input_value() == "soon"
    assert (
        page.page.get_by_text("You were removed from this chat").get_attribute("title") == "sendMessage refused: [305]"
    )
    assert page.page.get_by_role("button", name="Send").is_enabled()


def test_unanswered_reply_is_not_asked_twice(page):
    """While the kernel is busy the dock says that it waits, and the sending is never repeated by itself."""
    page.page.clock.install()
    press_tool(page, 4, "Reply")
    page.page.get_by_label("Write a message").fill("soon")
    page.page.get_by_role("button", name="Send").click()
    page.page.clock.run_for(120_000)
    assert page.page.get_by_text("Waiting for the kernel").is_visible()
    assert len(page.requests("reply")) == 1


def test_own_message_is_edited(page):
    """The dock begins with what was written, its markup and its mode, as the server has it now."""
    press_tool(page, 5, "Edit")
    assert answer(page, "source", done={"text": "not **quite** yet", "mode": "markdown"})["seq"] == 5
    box = page.page.get_by_label("Write a message")
    assert box.input_value() == "not **quite** yet"
    box.fill("**done**")
    box.press("Enter")
    request = answer(page, "edit", done={})
    assert (request["text"], request["mode"]) == ("**done**", "markdown")


def test_removal_is_asked_first(page):
    """Deleting needs a second word, and the focus is on the harmless button."""
    press_tool(page, 5, "Delete")
    assert page.page.evaluate("document.activeElement.textContent") == "Cancel"
    assert page.requests("remove") == []
    page.page.locator(".tcf-dock").get_by_role("button", name="Delete").click()
    assert answer(page, "remove", done={})["seq"] == 5


def test_only_own_messages_can_be_changed(page):
    """Rows of others offer neither editing nor deleting."""
    page.page.hover("[data-seq='4']")
    names = [button.get_attribute("title") for button in page.page.locator(".tcf-actions button").all()]
    assert "Reply" in names
    assert not {"Edit", "Delete"} & set(names)


def test_forwarding_needs_a_chat(page):
    """Nothing is forwarded before a chat has been chosen."""
    press_tool(page, 4, "Forward")
    send = page.page.locator(".tcf-dock").get_by_role("button", name="Forward")
    assert send.is_disabled()
    page.page.get_by_label("Forward to").last.select_option(label="Кофе и код")
    send.click()
    assert answer(page, "forward", done={"message_id": "m9"})["chat"] == "c2"


def test_code_for_a_row_is_shown(page):
    """The code that would handle a row is shown as text."""
    press_tool(page, 4, "Code that would handle this")
    answer(page, "code", done={"code": "@tc.router.message()\nasync def on_message(message): ...\n<script>"})
    assert page.page.locator(".tcf-code").inner_text().startswith("@tc.router.message()")


def test_kept_file_is_named(page):
    """The button says under which name a file would be saved, and the dock under which it was."""
    page.push([a_row(6, k="file", d="plan.pdf", z=1234)])
    page.page.hover("[data-seq='6']")
    assert answer(page, "keep_name", done={"path": "plan (1).pdf"})["seq"] == 6
    press_tool(page, 6, "Save plan (1).pdf beside the notebook")
    answer(page, "keep", done={"path": "plan (1).pdf"})
    assert page.page.get_by_text("Saved as plan (1).pdf").is_visible()


def test_tools_are_reached_by_keys_alone(page):
    """Arrow keys choose a row and name its exact time, Enter goes to its tools, Escape comes back."""
    page.page.locator(".tcf-scroller").focus()
    page.page.keyboard.press("ArrowUp")
    page.page.keyboard.press("ArrowUp")
    assert page.page.locator(".tcf-chosen").get_attribute("data-seq") == "4"
    assert page.page.locator(".tcf-chosen time").get_attribute("title").endswith("№ 4")
    page.page.keyboard.press("Enter")
    assert page.page.evaluate("document.activeElement.title") == "Reply"
    page.page.keyboard.press("Enter")
    assert page.page.evaluate("document.activeElement.tagName") == "TEXTAREA"
    page.page.keyboard.press("Escape")
    assert page.page.locator(".tcf-dock").is_hidden()


def test_pointing_at_a_time_names_it_exactly(page):
    """The full date, the seconds and the number in the record are worded for the time that is pointed at."""
    page.push([a_row(6)])
    time = page.page.locator("[data-seq='6'] time")
    assert not time.get_attribute("title")
    time.hover()
    assert time.get_attribute("title").endswith("№ 6")


def test_handler_failures_are_shown(page):
    """Exceptions in handlers are counted in the status line and shown with their traceback."""
    failure = {
        "when": 1.0,
        "handler": "on_message",
        "event": "message",
        "error": "ValueError: <b>",
        "traceback": "line 3",
    }
    page.say({"failures": {"count": 1, "latest": [failure]}})
    page.page.get_by_role("button", name="1 handler failure").click()
    assert "ValueError: <b>" in page.text_of(".tcf-failure summary")
    assert page.text_of(".tcf-failure .tcf-code") == "line 3"


def test_filter_is_told_to_the_kernel(page):
    """The kernel hears of the filter, so that `feed.selection` is what the page shows."""
    page.page.get_by_label("Search text, file names, authors").fill("ready")
    page.wait_for("model.requests.some((request) => request.type === 'filter')")
    assert page.requests("filter")[-1]["filter"]["text"] == "ready"


def a_picture() -> str:
    file = BytesIO()
    Image.new("RGB", (64, 36), "teal").save(file, "WEBP")
    return base64.b64encode(file.getvalue()).decode()


def test_picture_is_asked_for_when_seen_and_moves_nothing(page):
    """A photo's thumbnail comes on demand, once, into a box that had its size before."""
    page.push([a_row(6, k="photo", d="plan.png", i="image/png"), a_row(7, x="below")])
    page.wait_for("model.requests.some((request) => request.type === 'picture')")
    before = page.place_of("below")
    answer(page, "picture", done={"webp": a_picture()})
    page.wait_for("document.querySelector('.tcf-picture img')?.naturalWidth === 64")
    assert page.place_of("below") == before
    assert len(page.requests("picture")) == 1


def test_picture_that_cannot_be_shown_is_a_file(page):
    """What is no picture, or too large a one, is shown as a file with its name and the reason."""
    page.push([a_row(6, k="photo", d="plan.png", z=99_000_000, i="image/png")])
    page.wait_for("model.requests.some((request) => request.type === 'picture')")
    answer(page, "picture", refused="too large")
    page.wait_for("document.querySelector('.tcf-chip b')?.textContent === 'plan.png'")
    assert page.page.locator(".tcf-chip .tcf-why").text_content() == "too large"
    assert page.page.locator(".tcf-picture").count() == 0


def test_pictures_that_run_by_are_not_fetched(page):
    """In a flood only those pictures are asked for whose rows stay in sight."""
    for start in range(10, 400, 100):
        page.push([a_row(number, k="photo", d="p.png") for number in range(start, start + 100)])
    page.wait_for("model.requests.some((request) => request.type === 'picture')")
    assert len(page.requests("picture")) <= 48


def test_markup_is_drawn_from_the_tree(page):
    """A text with markup is plain at first and styled when its tree has come; a link opens safely in a new window."""
    page.push([a_row(6, x="Build 42 by us", g=1)])
    page.wait_for("model.requests.some((request) => request.type === 'contents' && request.seqs.includes(6))")
    assert page.texts[-1] == "Build 42 by us"
    tree = ["Build ", {"t": "b", "c": ["42"]}, " by ", {"t": "a", "h": "https://example.com", "c": ["us"]}]
    answer(page, "contents", done={"contents": {"6": {"tree": tree}}})
    page.wait_for("document.querySelector('.tcf-text strong')?.textContent === '42'")
    link = page.page.get_by_role("link", name="us")
    assert link.get_attribute("href") == "https://example.com"
    assert "noopener" in link.get_attribute("rel")


HOSTILE_TREES = [
    {"t": "script", "c": ["alert(1)"]},
    {"t": "img", "c": [], "h": "x", "onerror": "alert(1)"},
    {"t": "a", "h": "javascript:alert(1)", "c": ["click"]},
    {"t": "a", "h": " JaVaScRiPt:alert(1)", "c": ["click"]},
    {"t": "a", "h": "data:text/html,<script>alert(1)</script>", "c": ["click"]},
    {"t": "a", "h": "//example.com", "c": ["click"]},
    {"t": "style", "c": ["body { display: none }"]},
    {"t": "__proto__", "c": ["x"]},
    {"t": "constructor", "c": ["x"]},
    {"t": "b", "c": ["<img src=x onerror=alert(1)>"]},
]


@pytest.mark.parametrize("part", HOSTILE_TREES, ids=lambda part: f"{part['t']} {part.get('h', '')[:12]}")
def test_only_known_styles_are_drawn(page, part):
    """Whatever a tree says, nothing but the few styles of the connector is made of it."""
    page.push([a_row(6, x="plain", g=1)])
    page.wait_for("model.requests.some((request) => request.type === 'contents' && request.seqs.includes(6))")
    answer(page, "contents", done={"contents": {"6": {"tree": [part]}}})
    page.settle()
    made = page.page.locator(".tcf-text").last.evaluate(
        "(box) => [...box.querySelectorAll('*')].map((one) => one.tagName)"
    )
    assert set(made) <= {"STRONG", "EM", "S", "U", "BLOCKQUOTE", "BR"}
