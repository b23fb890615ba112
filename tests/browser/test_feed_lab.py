"""The feed in a real JupyterLab with a real kernel and the practice server: while cells compute, after a reload."""

from __future__ import annotations

import json
from collections.abc import Iterator

import nbformat
import pytest
from browser_pages import SLOW, Notebook

CONNECT = 'import tcnb\ntc = tcnb.connect(practice={"rate": 20, "seed": 7, "history": 400})'
PAST = "for _, chat_id, _ in tc.known_chats():\n    tc.history(chat_id, 300)"
SHOW = "tc.feed()"
# Computes without ever yielding until the test has seen what it wants: only files lead into and out of a busy cell.
BUSY = 'from pathlib import Path\nPath("busy").touch()\nwhile not Path("enough").exists():\n    sum(range(50_000))'
LAST = "print('last cell ran with', tc.record.last_seq, 'events')"
CLOSE = "tc.close()"


@pytest.fixture
def notebook(browser, lab) -> Iterator[Notebook]:
    for name in ("busy", "enough"):
        (lab.folder / name).unlink(missing_ok=True)
    context = browser.new_context(viewport={"width": 1100, "height": 900}, locale="en-GB")
    yield Notebook(context.new_page(), lab.folder)
    (lab.folder / "enough").touch()
    context.close()


def test_feed_is_live_while_a_cell_computes(notebook, lab, screenshots):
    """Messages that arrive while a cell is busy are shown, earlier ones can be scrolled to, and none is lost."""
    notebook.open(lab.write_notebook("busy.ipynb", CONNECT, PAST, SHOW, BUSY, LAST, CLOSE))
    notebook.run_until_busy()
    notebook.wait_for_events(notebook.events + 60)
    assert notebook.status_line() == ("Connected", "0 lost")
    notebook.page.locator(".tcnb-feed").scroll_into_view_if_needed()
    notebook.page.screenshot(path=screenshots / "lab-busy-light.png")
    notebook.page.locator(".tcf-scroller").evaluate("(list) => { list.scrollTop = 0; }")
    earliest = notebook.page.locator(".tcf-top").get_by_text("Nothing earlier is recorded")
    for _ in range(SLOW // 250):
        if earliest.count():
            break
        notebook.page.locator(".tcf-scroller").evaluate("(list) => { list.scrollTop = 0; }")
        notebook.page.wait_for_timeout(250)
    assert earliest.count() == 1
    notebook.let_go()


def test_reloaded_page_shows_the_feed_again(notebook, lab, screenshots):
    """After a reload both views of a feed are there with the rows of now, and follow the dark theme."""
    notebook.open(lab.write_notebook("reload.ipynb", CONNECT, "feed = tc.feed()\nfeed", "feed", LAST))
    notebook.command("notebook:run-all-cells")
    notebook.wait_for_last()
    notebook.wait_for_events(20)
    notebook.save()
    seen = notebook.events
    notebook.page.reload()
    notebook.page.locator(".tcnb-feed .tcf-row").first.wait_for(timeout=SLOW)
    notebook.page.wait_for_function("document.querySelectorAll('.tcnb-feed').length === 2", timeout=SLOW)
    notebook.wait_for_events(seen + 20)
    notebook.wait_for_state("Connected")
    assert notebook.status_line() == ("Connected", "0 lost")
    notebook.command("apputils:change-theme", {"theme": "JupyterLab Dark"})
    notebook.page.wait_for_function("document.body.dataset.jpThemeLight === 'false'", timeout=SLOW)
    paper = "getComputedStyle(document.querySelector('.tcnb-feed')).backgroundColor"
    notebook.page.wait_for_function(f"{paper} !== 'rgb(255, 255, 255)'", timeout=SLOW)
    notebook.page.locator(".tcnb-feed").first.scroll_into_view_if_needed()
    notebook.page.screenshot(path=screenshots / "lab-dark.png")


def test_saved_notebook_has_its_still_in_nbconvert(notebook, lab):
    """A feed that is live in JupyterLab is a still in the page that nbconvert makes of the saved notebook."""
    exporter = pytest.importorskip("nbconvert").HTMLExporter()
    soup = pytest.importorskip("bs4").BeautifulSoup
    notebook.open(lab.write_notebook("saved.ipynb", CONNECT, SHOW, LAST, CLOSE))
    notebook.command("notebook:run-all-cells")
    notebook.wait_for_last()
    notebook.page.locator(".tcnb-feed").wait_for(timeout=SLOW)
    notebook.save()
    saved = nbformat.read(lab.folder / "saved.ipynb", as_version=4)
    still = saved.cells[1].outputs[0].data["text/html"]
    page = soup(exporter.from_notebook_node(saved)[0], "html.parser")
    (shown,) = page.select(".jp-OutputArea-output.jp-RenderedHTML")
    assert shown.get_text().strip() == soup(still, "html.parser").get_text()


def test_letters_in_the_feed_are_no_commands_of_the_notebook(notebook, lab):
    """Keys pressed in the feed's list do not delete or move cells."""
    notebook.open(lab.write_notebook("keys.ipynb", CONNECT, SHOW, BUSY, LAST, CLOSE))
    notebook.run_until_busy()
    cells = notebook.page.locator(".jp-Notebook .jp-Cell").count()
    notebook.page.locator(".tcf-scroller").focus()
    for key in ("d", "d", "x", "b", "ArrowUp"):
        notebook.page.keyboard.press(key)
    assert notebook.page.locator(".jp-Notebook .jp-Cell").count() == cells
    assert notebook.page.evaluate("document.activeElement.className") == "tcf-scroller"
    notebook.let_go()


BUSY_OFFICE = 'import tcnb\ntc = tcnb.connect(practice={"rate": 200, "seed": 7, "history": 400})'
CREW = 'feed = tc.feed("Release crew")\nfeed'
# What was said in the chat, as the record has it in the order of time.
EXPECTED = """
import json
from pathlib import Path
from tcnb.notebook.feed.rows import kind_of, of_chats
from tcnb.notebook.panel.panel import SPOKEN
rows = [row for row in tc.record.earlier(None, 100_000).rows if of_chats(row, feed.chats) and kind_of(row) in SPOKEN]
Path("expected.json").write_text(json.dumps([row["seq"] for row in rows]))
"""
# Scroll through the whole feed and give the rows in the order in which they stand there.
SCAN = """async () => {
  const list = document.querySelector('.tcf-scroller'), found = [];
  const step = () => new Promise((done) => setTimeout(done, 60));
  const shown = () => [...list.querySelectorAll('.tcf-row')].map((one) => Number(one.dataset.seq));
  list.scrollTop = 0;
  for (let rest = 0; rest < 3;) {
    await step();
    const seqs = shown(), top = list.scrollTop;
    const known = new Set(found), from = seqs.findIndex((seq) => !known.has(seq));
    const isJoined = !found.length || from <= 0 || seqs[from - 1] === found[found.length - 1];
    if (!isJoined) return { found, seqs };
    found.push(...seqs.filter((seq) => !known.has(seq)));
    list.scrollTop = top + 0.8 * list.clientHeight;
    rest = list.scrollTop === top ? rest + 1 : 0;
  }
  return found;
}"""


def test_past_is_read_into_a_feed_that_is_live(notebook, lab, screenshots):
    """While 200 events a second come and the past is read, nothing moves for a reader, and time orders every row."""
    notebook.open(lab.write_notebook("past.ipynb", BUSY_OFFICE, CREW, LAST))
    notebook.command("notebook:run-all-cells")
    notebook.wait_for_last()
    page = notebook.page
    page.locator(".tcnb-feed").scroll_into_view_if_needed()
    notebook.wait_for_events(1500)
    page.locator(".tcf-scroller").evaluate("(list) => { list.scrollTop = list.scrollHeight / 2; }")
    rows = page.locator(".tcf-row .tcf-text")
    rows.nth(2).wait_for(timeout=SLOW)
    read = rows.nth(rows.count() // 2)  # how many there are depends on how tall those of the moment are
    text = read.inner_text()
    place = read.bounding_box()["y"]
    notebook.run_in_kernel('tc.history("Release crew", None)')
    notebook.wait_for_events(notebook.events + 400)
    assert abs(page.locator(".tcf-drawn").get_by_text(text, exact=True).first.bounding_box()["y"] - place) < 1
    page.screenshot(path=screenshots / "lab-past.png")
    notebook.run_in_kernel("tc.close()")
    notebook.wait_for_state("Closed")
    notebook.run_in_kernel(EXPECTED)
    assert page.evaluate(SCAN) == json.loads((lab.folder / "expected.json").read_text())
    assert notebook.status_line()[1] == "0 lost"
