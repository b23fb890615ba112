"""The feed against the hostile corpus: nothing runs, nothing leaves its row, nothing is fetched from elsewhere."""

from __future__ import annotations

from typing import Any

import pytest
from hostile import corpus
from test_feed_page import Page, a_row, open_page  # noqa: F401  (a fixture)

TEXTS = corpus()


def buttons_saying(text: str) -> list[dict[str, str]]:
    """Give a line of buttons of every kind that say, do and lead to the same."""
    kinds = ("command", "url", "message", "copy", "share", text)
    return [{"k": kind, "l": text, "d": text, "h": text, "s": text} for kind in kinds]


PLACES = {
    "text": lambda text: a_row(0, x=text),
    "author": lambda text: a_row(0, w=text, a=text),
    "chat": lambda text: a_row(0, n=text, c=text),
    "file name": lambda text: a_row(0, k="file", d=text, z=5),
    "picture name": lambda text: a_row(0, k="photo", d=text, z=5),
    "title": lambda text: a_row(0, k="title", h=text),
    "person": lambda text: a_row(0, k="join", u=text),
    "role": lambda text: a_row(0, k="role", u="bob@practice.local", l=text),
    "edit": lambda text: a_row(0, k="edit", m=None, x=text),
    "kind": lambda text: a_row(0, k="unknown", v=text),
    "answered": lambda text: a_row(1, r="m0", x=text),
    "button": lambda text: a_row(0, x="Deploy?", contents={"keyboard": [buttons_saying(text)]}),
    "survey": lambda text: a_row(0, k="survey", h=text, contents={"survey": {"d": text, "b": text, "h": text}}),
}
"""Where a hostile text may stand, each as the row with it there."""

FEW = 9
ON_DEMAND = ("button", "survey")
"""Places whose texts come when their row has been in sight for a while; `FEW` of these rows are in sight at once."""
ALL_THERE = """() => [...document.querySelectorAll('.tcf-row')].slice(-9).every((row) => {
  const go = row.querySelector('.tcf-card .tcf-key');
  return go ? go.textContent !== 'Go to survey' : row.querySelector('.tcf-keys');
})"""

LEAVES = """() => {
  const list = document.querySelector('.tcf-scroller'), edge = list.getBoundingClientRect();
  const rows = [...document.querySelectorAll('.tcf-row, .tcf-event')];
  return rows.some((row) => {
    const box = row.getBoundingClientRect();
    if (box.left < edge.left - 1 || box.right > edge.right + 1) return true;
    return [...row.querySelectorAll('.tcf-time')].some((time) => {
      const place = time.getBoundingClientRect();
      return place.right > edge.right + 1 || place.left < edge.left;
    });
  });
}"""
CENTRES = """() => [...document.querySelectorAll('.tcf-row, .tcf-event')].slice(-3).map((row) => {
  const box = row.getBoundingClientRect();
  return [box.left + box.width / 2, box.top + box.height / 2];
})"""
TAGS = "[...document.querySelectorAll('.tcnb-feed *')].map((one) => one.tagName.toLowerCase())"
KNOWN = {
    *("section", "div", "span", "b", "time", "button", "input", "select", "option", "svg", "path", "img", "canvas"),
    *("strong", "em", "s", "u", "blockquote", "br", "a"),
}


LINKS = "[...document.querySelectorAll('.tcnb-feed a')].map((one) => [one.protocol, one.target, one.rel, one.title])"
OUT = ["_blank", "noopener noreferrer nofollow"]


def test_corpus_is_large():
    """There are at least a hundred and fifty different texts."""
    assert len(TEXTS) >= 150


@pytest.mark.parametrize("place", PLACES)
def test_hostile_texts_stay_texts(open_page, place):  # noqa: F811
    """In every place where others' words stand, each of the corpus is shown as text, in its row."""
    page: Page = open_page()
    elsewhere: list[str] = []
    page.page.on("request", lambda request: elsewhere.append(request.url))
    page.start()
    rows = [shown(place, number, text) for number, text in enumerate(TEXTS)]
    step = FEW if place in ON_DEMAND else 20
    for first in range(0, len(rows), step):
        page.push(rows[first : first + step])
        if place in ON_DEMAND:
            page.wait_for(ALL_THERE)
        for place_of in page.page.evaluate(CENTRES):
            page.page.mouse.move(*place_of)
        assert page.page.evaluate(LEAVES) is False
        assert set(page.page.evaluate(TAGS)) <= KNOWN
        for protocol, *how, title in page.page.evaluate(LINKS):
            assert (protocol in ("http:", "https:", "mailto:", "trueconf:"), how) == (True, OUT), title
    assert page.page.evaluate("window.hit") is None
    assert [url for url in elsewhere if "elsewhere.example" in url or url.startswith(("javascript", "data:text"))] == []


def shown(place: str, number: int, text: str) -> dict[str, Any]:
    """Give the row with a text in its place, without the halves of pairs that no JSON of the page can carry."""
    whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return PLACES[place](whole) | {"m": f"h{number}" if place != "edit" else None}


@pytest.mark.parametrize("name", ["constructor", "__proto__", "toString", "hasOwnProperty", "valueOf"])
def test_names_that_every_object_has_mean_nothing(open_page, name):  # noqa: F811
    """A role or a kind of button that is called like a part of every object is shown as it is called."""
    page: Page = open_page()
    buttons = {"keyboard": [[{"k": name, "l": "Press", "d": name, "s": name}]]}
    page.start(a_row(0, k="role", u="bob@practice.local", l=name), a_row(1, x="Deploy?", contents=buttons))
    assert name in page.page.locator(".tcf-drawn .tcf-event").first.inner_text()
    page.wait_for("document.querySelector('.tcf-key') !== null")
    assert page.page.locator(".tcf-key").first.get_attribute("title") == name
    page.push([a_row(2)])
    page.wait_for("document.body.innerText.includes('message number 2')")
