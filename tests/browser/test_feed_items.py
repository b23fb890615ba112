"""What the feed carries over from batch to batch: its list of items, and the nodes of rows that run by."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from test_feed_page import Page, a_row, open_page, rows  # noqa: F401  (a fixture)

COMPARED = Path(__file__).with_name("compare_items.js").read_text("utf-8")


@pytest.fixture
def page(open_page) -> Iterator[Page]:  # noqa: F811
    """A page without rows."""
    return open_page()


@pytest.mark.parametrize("seed", range(6))
def test_list_that_is_carried_over_is_the_list_made_anew(page, seed):
    """Whatever comes, is lost, is filled in or is forgotten, the list is what it would be if it were made anew."""
    found = page.page.evaluate(COMPARED, [seed, 400])
    assert isinstance(found, list), found
    assert {"gap", "day", "new", "row", "row edited", "row removed"} <= set(found)


def flood(page: Page, start: int, count: int = 400) -> None:
    """Let so many rows come at once that the feed counts it as a flood, and wait until the last one is drawn."""
    page.push(rows(count, start))
    page.wait_for_text(f"message number {start + count - 1}")


def test_nodes_are_used_again_in_a_flood(page):
    """A row that ran by lends its nodes to one that came, which says all of its own and nothing of the other."""
    page.start(*rows(50))
    flood(page, 50)
    page.page.evaluate("document.querySelectorAll('.tcf-row').forEach((one) => { one.before = one.textContent; })")
    flood(page, 450)
    told = page.page.evaluate(
        """[...document.querySelectorAll('.tcf-row')].filter((one) => one.before)
            .map((one) => [one.dataset.seq, one.innerText])"""
    )
    assert told
    for seq, text in told:
        row = a_row(int(seq) - 1)
        assert row["x"] in text and row["w"] in text and row["n"] in text
    author = page.page.locator(".tcf-author").last
    name = author.inner_text()
    author.click()
    assert page.page.get_by_label("Author", exact=True).evaluate("(one) => one.selectedOptions[0].textContent") == name


def test_nodes_with_more_in_them_are_not_lent(page):
    """A reply, a file or an own text of a flood is drawn as what it is."""
    page.start(*rows(50))
    flood(page, 50)
    page.push([*rows(396, 450), a_row(846, r="m845"), a_row(847, k="file", x=None, d="plan.pdf"), a_row(848, o=1)])
    page.wait_for_text("message number 848")
    assert page.page.locator(".tcf-quote").count() == 1
    assert page.text_of(".tcf-chip b") == "plan.pdf"
    assert page.page.locator(".tcf-own .tcf-text").all_inner_texts() == ["message number 848"]


def test_feed_out_of_sight_is_drawn_when_somebody_comes_to_it(page):
    """A flood that comes while the feed is scrolled out of the window is not drawn before it is scrolled back."""
    page.start(*rows(20))
    page.page.evaluate("document.body.style.paddingBottom = '4000px'; scrollTo(0, 3000)")
    page.wait_for("document.querySelector('.tcnb-feed').getBoundingClientRect().bottom < 0")
    page.settle()
    page.push([a_row(20)])
    page.wait_for_text("message number 20")
    page.push(rows(400, 21))
    page.settle()
    assert "message number 420" not in page.page.locator(".tcf-drawn .tcf-text").all_text_contents()
    page.page.evaluate("scrollTo(0, 0)")
    page.wait_for_text("message number 420")
    assert page.at_end
