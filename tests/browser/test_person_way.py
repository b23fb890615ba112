"""A person's way through the tour in a real JupyterLab, once from its opening to another theme; at the other end the
official client says what reached it.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browser_pages import EVENTS, SLOW, Notebook
from official_end import OfficialEnd, sum_of
from test_composer_lab import DROP, PASTE, pattern_sum

from tcnb.practice import PracticeThread

ROOT = Path(__file__).parents[2]
ASKED = ("Are the checks green?", "Shall we ship build 42?", "Tangerines are in the kitchen")
OWN = "Robot"
DROPPED = 200_000_000
"""Bytes of the file that is dropped."""

SELECTION = """import json, pathlib
from tcnb.notebook.feed.feed import Feed
_feed = next(one for one in Out.values() if isinstance(one, Feed))
_rows = _feed.selection.query("event == 'message'")[["seq", "text"]].astype("string").fillna("").to_dict("records")
pathlib.Path("selection.json").write_text(json.dumps(_rows))"""

# All rows of a filtered feed, from first to last, though only those in sight are in the document. Nobody scrolls
# in the middle of a frame, where the feed would draw before it hears of that.
ALL_ROWS = """async () => {
  const list = document.querySelector('.tcf-scroller'), found = new Map();
  const frame = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done))));
  await frame();
  for (let top = 0; ; top += list.clientHeight / 2) {
    list.scrollTop = top;
    await frame();
    for (const row of list.querySelectorAll('.tcf-row')) {
      found.set(row.dataset.seq, row.querySelector('.tcf-text')?.textContent ?? '');
    }
    if (top + list.clientHeight >= list.scrollHeight) break;
  }
  list.dispatchEvent(new KeyboardEvent('keydown', { key: 'End', bubbles: true }));
  return [...found].sort((a, b) => a[0] - b[0]);
}"""

# How many rows the button to the end says are new, and how many events the status line says there are.
COUNTS = f"""({{
  fresh: Number(document.querySelector('.tcf-fresh').textContent.match(/\\d+/)?.[0] ?? 0),
  events: {EVENTS},
}})"""
# Whether some came since, and each of them was counted as new; button and status line are not written in one frame.
ALL_COUNTED = f"""(start) => {{
  const now = {COUNTS};
  return now.fresh >= start.fresh + 8 && now.fresh - start.fresh === now.events - start.events;
}}"""

# Keep an eye on the row at the top of the list in every frame from now on.
WATCH_TOP = """() => {
  const list = document.querySelector('.tcf-scroller'), edge = () => list.getBoundingClientRect().top;
  const row = [...list.querySelectorAll('[data-seq]')].find((one) => one.getBoundingClientRect().top >= edge());
  const at = row.getBoundingClientRect().top - edge(), seen = { seq: row.dataset.seq, moved: 0, frames: 0 };
  const look = () => {
    if (window.seenTop !== seen) return;
    const now = list.querySelector(`[data-seq="${seen.seq}"]`);
    seen.moved = Math.max(seen.moved, now ? Math.abs(now.getBoundingClientRect().top - edge() - at) : 1e6);
    seen.frames += 1;
    requestAnimationFrame(look);
  };
  window.seenTop = seen;
  look();
}"""
STOP_WATCHING = "() => { const seen = window.seenTop; window.seenTop = null; return seen; }"

# Wait for some frames in which neither the list moves nor anything comes, and give the counts.
AT_REST = """() => new Promise((done) => {
  const list = document.querySelector('.tcf-scroller');
  let before = '', same = 0;
  const look = () => {
    const counts = COUNTS, now = [list.scrollTop, counts.fresh, counts.events].join();
    same = now === before ? same + 1 : 0;
    before = now;
    if (same >= 5) done(counts); else requestAnimationFrame(look);
  };
  look();
})""".replace("COUNTS", COUNTS)

# Everything that the progress bar of the dropped file says, in the order in which it says it.
WATCH_PROGRESS = """() => {
  window.seenProgress = [];
  const note = (bar) => {
    if (bar.getAttribute?.('aria-label') !== 'measurements.bin') return;
    const value = Number(bar.getAttribute('aria-valuenow'));
    if (value !== window.seenProgress.at(-1)) window.seenProgress.push(value);
  };
  const watcher = new MutationObserver((changes) => changes.forEach((change) => note(change.target)));
  const what = { subtree: true, attributes: true, attributeFilter: ['aria-valuenow'] };
  watcher.observe(document.querySelector('.tcnb-composer'), what);
}"""

# How bright the papers of both widgets are, from 0 to 1, looked at in the very frame in which the page is dark.
BRIGHTNESS = """(isLight) => new Promise((done) => {
  const bright = (selector) => {
    const { backgroundColor } = getComputedStyle(document.querySelector(selector));
    const [red, green, blue] = backgroundColor.match(/[\\d.]+/g).map(Number);
    return (red + green + blue) / 765;
  };
  const look = () => {
    if (document.body.dataset.jpThemeLight !== isLight) requestAnimationFrame(look);
    else done([bright('.tcnb-feed'), bright('.tcc-paper')]);
  };
  look();
})"""


class Way:
    """What a person sees and does in the notebook."""

    def __init__(self, notebook: Notebook) -> None:
        self.notebook = notebook
        self.page = notebook.page
        self.feed = self.page.locator(".tcnb-feed")
        self.area = self.page.locator(".tcc-text")

    # -- the notebook

    def run_through(self, source: str) -> None:
        """Press Shift+Enter from the top until the cell with that source has been run."""
        cells = self.page.locator(".jp-Notebook .jp-Cell")
        cells.first.click()
        for number in range(cells.count()):
            is_last = source == cells.nth(number).locator(".jp-InputArea-editor").inner_text().strip()
            self.page.keyboard.press("Shift+Enter")
            if is_last:
                return
        pytest.fail(f"the tour has no cell {source!r}")

    def add_cell(self, source: str) -> None:
        """Write a new cell above the one that is chosen, and run it."""
        self.page.keyboard.press("a")
        self.page.keyboard.press("Enter")
        self.page.keyboard.insert_text(source)
        self.page.keyboard.press("Shift+Enter")

    # -- the feed

    def see(self, text: str) -> Any:
        """Give the row with that text, once it is in sight."""
        row = self.feed.locator(".tcf-row").filter(has_text=text).last
        row.wait_for(timeout=SLOW)
        return row

    def filter_by(self, label: str, choice: str) -> None:
        box = self.feed.get_by_label(label, exact=True)
        box.focus()
        box.select_option(label=choice)

    def search(self, text: str) -> None:
        self.feed.get_by_role("searchbox").fill(text)
        self.page.wait_for_function(
            "(text) => [...document.querySelectorAll('.tcf-row')].every((row) => row.textContent.includes(text))",
            arg=text,
            timeout=SLOW,
        )

    def clear_filters(self) -> None:
        self.feed.get_by_label("Clear filters").click()

    def shown(self) -> list[tuple[str, str]]:
        """Give sequence number and text of every row that passes the filter."""
        return [(seq, text) for seq, text in self.page.evaluate(ALL_ROWS)]

    def selection(self) -> list[tuple[str, str]]:
        """Give the same of `feed.selection` in the kernel."""
        self.notebook.run_in_kernel(SELECTION)
        rows = json.loads((self.notebook.folder / "selection.json").read_text("utf-8"))
        return [(row["seq"], row["text"]) for row in rows]

    def use_tool(self, text: str, tool: str) -> None:
        """Point at the row with that text and press one of its tools."""
        self.see(text).hover()
        self.feed.get_by_role("toolbar", name="What to do with this row").get_by_label(tool, exact=True).click()

    # -- the composer

    def write(self, text: str) -> None:
        self.area.fill(text)
        self.area.press("Enter")

    def wait_for_state(self, text: str, state: str = "sent", patience: int = SLOW) -> None:
        self.page.locator(f".tcc-row[data-state={state}]").filter(has_text=text).first.wait_for(timeout=patience)


@pytest.fixture(scope="module")
def practice() -> Iterator[PracticeThread]:
    """The tour's colleagues, and beside its robot a second account."""
    accounts = ("robot:robot:Robot", "ann:ann:Ann Lee")
    with PracticeThread(accounts=accounts, people=6, rate=4, seed=7) as thread:
        yield thread


@pytest.fixture(scope="module", autouse=True)
def _password(practice: PracticeThread) -> Iterator[None]:
    """The password where the tour says that it is looked for; JupyterLab, which starts later, hands it to kernels."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRUECONF_PASSWORD", "robot")
        yield


@pytest.fixture
def tour(lab: Any, practice: PracticeThread) -> str:
    """The address of the tour, as it is in the repository but for the cell that connects: it leads to our server."""
    notebook = json.loads((ROOT / "notebooks" / "00_tour.ipynb").read_text("utf-8"))
    (cell,) = [one for one in notebook["cells"] if "".join(one["source"]).startswith("%tc_connect --practice")]
    cell["source"] = f"%tc_connect 127.0.0.1 --http --port {practice.port} --username robot"
    (lab.folder / "00_tour.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
    return f"{lab.url}lab/tree/00_tour.ipynb?reset"


@pytest.fixture
def sticker(lab: Any) -> Path:
    from PIL import Image

    folder = lab.folder / "stickers"
    folder.mkdir()
    Image.new("RGBA", (200, 200), (240, 160, 20, 255)).save(folder / "thumbs_up.webp")
    return folder / "thumbs_up.webp"


@pytest.fixture
def ann(practice: PracticeThread, tmp_path: Path) -> Iterator[OfficialEnd]:
    """Ann, who uses the official client, in the same chat."""
    logging.getLogger("trueconf.client.chatbot").setLevel(logging.CRITICAL)
    chats = practice.call(lambda server: list(server.world.chats.values()))
    (chat_id,) = [chat.chat_id for chat in chats if chat.title == "Release crew"]
    with OfficialEnd(practice, "ann", "robot", chat_id, tmp_path) as end:
        yield end


@pytest.fixture
def way(browser: Any, lab: Any, screenshots: Path) -> Iterator[Way]:
    context = browser.new_context(viewport={"width": 1200, "height": 1300}, locale="en-GB")
    page = context.new_page()
    yield Way(Notebook(page, lab.folder))
    page.screenshot(path=screenshots / "person-way-end.png")
    context.close()


@pytest.mark.timeout(600)
def test_way_of_a_person(way, tour, sticker, practice, ann, screenshots):
    """Everything that a person does in the tour works, and the official client gets each piece byte for byte."""
    way.notebook.open(tour)
    way.run_through("%tc_feed")
    see_messages_come(way)
    way.add_cell('%tc_compose "Release crew" --stickers stickers')
    way.area.wait_for(timeout=SLOW)
    way.feed.scroll_into_view_if_needed()
    filter_while_it_runs(way, ann)
    read_while_new_ones_arrive(way)
    reply(way, ann)
    send_markdown(way, ann)
    paste_a_picture(way, ann)
    drop_a_file(way, ann, screenshots)
    send_a_sticker(way, ann, sticker)
    edit_and_delete(way, ann)
    fail_and_reload(way, ann, practice)
    change_the_theme(way, screenshots)
    assert way.notebook.status_line() == ("Connected", "0 lost")
    check_that_nothing_came_twice(ann)


def see_messages_come(way: Way) -> None:
    way.feed.locator(".tcf-row").first.wait_for(timeout=SLOW)
    way.notebook.wait_for_events(way.notebook.events + 8)


def filter_while_it_runs(way: Way, ann: OfficialEnd) -> None:
    for text in ASKED[:2]:
        ann.say(text)
    way.see(ASKED[1])
    way.filter_by("Author", "Ann Lee")
    seen = way.notebook.events
    ann.say(ASKED[2])
    way.see(ASKED[2])
    way.notebook.wait_for_events(seen + 6)
    assert [text for _, text in way.shown()] == list(ASKED)
    assert way.shown() == way.selection()
    way.search("Tangerines")
    assert [text for _, text in way.shown()] == [ASKED[2]]
    assert way.shown() == way.selection()
    way.clear_filters()


def read_while_new_ones_arrive(way: Way) -> None:
    box = way.feed.locator(".tcf-scroller").bounding_box()
    way.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    way.page.mouse.wheel(0, -700)
    start = way.page.evaluate(AT_REST)
    way.page.mouse.move(box["x"] + box["width"] / 2, box["y"] - 20)
    way.page.evaluate(WATCH_TOP)
    way.page.wait_for_function(ALL_COUNTED, arg=start, timeout=SLOW)
    seen = way.page.evaluate(STOP_WATCHING)
    assert seen["frames"] > 10
    assert seen["moved"] <= 1, seen
    way.feed.locator(".tcf-fresh").click()
    way.feed.locator(".tcf-fresh:not(.tcf-shown)").wait_for(state="attached", timeout=SLOW)
    way.page.wait_for_function(
        "() => { const list = document.querySelector('.tcf-scroller');"
        " return list.scrollTop + list.clientHeight >= list.scrollHeight - 2; }",
        timeout=SLOW,
    )


def reply(way: Way, ann: OfficialEnd) -> None:
    asked = ann.say("Who takes the night shift?")
    way.filter_by("Author", "Ann Lee")
    way.use_tool("Who takes the night shift?", "Reply")
    way.page.locator(".tcf-area").wait_for(timeout=SLOW)
    way.page.keyboard.type("I do")
    way.page.keyboard.press("Enter")
    assert ann.wait_for_text("I do").reply_to == asked
    way.clear_filters()
    way.see("I do")


def send_markdown(way: Way, ann: OfficialEnd) -> None:
    way.page.locator("[data-mode=markdown]").click()
    way.area.fill("**bold** and *quiet*")
    way.page.locator(".tcc-painting b").wait_for(timeout=SLOW)
    way.area.press("Shift+Enter")
    way.page.keyboard.type("second line")
    way.area.press("Enter")
    assert ann.wait_for_text("**bold** and *quiet*\nsecond line").mode == "markdown"
    way.wait_for_state("second line")


def paste_a_picture(way: Way, ann: OfficialEnd) -> None:
    given = way.page.evaluate(PASTE)
    way.area.fill("a caption")
    way.area.press("Enter")
    told = ann.wait_for_file("photo")
    assert (told.sum, told.problem) == (given, None)
    assert ann.wait_for_text("a caption").mode == "markdown"
    way.wait_for_state("pasted")


def drop_a_file(way: Way, ann: OfficialEnd, screenshots: Path) -> None:
    way.page.evaluate(WATCH_PROGRESS)
    way.page.evaluate(DROP, DROPPED)
    way.page.locator(".tcc-card").wait_for(timeout=SLOW)
    way.area.press("Enter")
    way.page.locator(".tcc-progress.tcc-shown").wait_for(timeout=SLOW)
    way.page.screenshot(path=screenshots / "person-way-progress.png")
    way.wait_for_state("measurements.bin", patience=10 * SLOW)
    assert way.page.locator(".tcc-progress.tcc-shown").count() == 0
    values = way.page.evaluate("window.seenProgress")
    assert values == sorted(values)
    assert len(values) >= 4
    # The first half is the way to the kernel, the second one the way from there to the server.
    assert values[0] < 50 < values[-1]
    told = ann.wait_for_file("document")
    assert (told.name, told.size, told.problem) == ("measurements.bin", DROPPED, None)
    assert told.sum == pattern_sum(DROPPED)


def send_a_sticker(way: Way, ann: OfficialEnd, sticker: Path) -> None:
    way.page.locator(".tcc-stickerbutton").click()
    way.page.get_by_role("button", name="Sticker: thumbs_up").click()
    told = ann.wait_for_file("sticker")
    assert (told.sum, told.problem) == (sum_of(sticker), None)
    way.wait_for_state("thumbs_up.webp")


def edit_and_delete(way: Way, ann: OfficialEnd) -> None:
    way.write("All gren")
    way.write("Please ignore this")
    wrong, unwanted = ann.wait_for_text("All gren"), ann.wait_for_text("Please ignore this")
    way.filter_by("Author", OWN)
    way.use_tool("All gren", "Edit")
    way.page.locator(".tcf-area").wait_for(timeout=SLOW)
    way.page.keyboard.press("Control+A")
    way.page.keyboard.type("All green")
    way.page.keyboard.press("Enter")
    assert ann.wait_for(lambda one: one.event == "edited_message" and one.text == "All green").mode == "markdown"
    now = ann.read(wrong.message_id)
    assert (now.content.text, now.is_edited) == ("All green", True)
    way.see("All green").filter(has_text="edited").wait_for(timeout=SLOW)
    way.use_tool("Please ignore this", "Delete")
    way.feed.locator(".tcf-dock").get_by_role("button", name="Delete").click()
    ann.wait_for(lambda one: one.event == "removed_message" and one.message_id == unwanted.message_id)
    way.see("Please ignore this").filter(has_text="removed").wait_for(timeout=SLOW)
    way.clear_filters()


def fail_and_reload(way: Way, ann: OfficialEnd, practice: PracticeThread) -> None:
    practice.call(lambda server: server.fail_next("sendMessage", 303))
    way.write("Refused at first")
    way.wait_for_state("Refused at first", "failed")
    way.area.fill("a draft that")
    way.area.press("Shift+Enter")
    way.page.keyboard.type("stays")
    way.filter_by("Author", OWN)
    seen = way.notebook.events
    way.notebook.save()
    way.page.reload()
    way.notebook.wait_kernel()
    way.page.wait_for_function("document.querySelector('.tcc-text')?.value === 'a draft that\\nstays'", timeout=SLOW)
    assert way.page.locator(".tcc-chat").input_value() == "Release crew"
    way.notebook.wait_for_events(seen + 4)
    way.see("All green").filter(has_text="edited").wait_for(timeout=SLOW)
    assert [seq for seq, _ in way.shown()] == [seq for seq, _ in way.selection()]
    way.clear_filters()
    way.wait_for_state("Refused at first", "failed")
    way.page.locator(".tcc-row[data-state=failed]").get_by_role("button", name="Try again").click()
    way.wait_for_state("Refused at first")
    ann.wait_for_text("Refused at first")
    way.area.press("Enter")
    ann.wait_for_text("a draft that\nstays")


def change_the_theme(way: Way, screenshots: Path) -> None:
    assert min(way.page.evaluate(BRIGHTNESS, "true")) > 0.8
    way.notebook.command("apputils:change-theme", {"theme": "JupyterLab Dark"})
    assert max(way.page.evaluate(BRIGHTNESS, "false")) < 0.3
    way.page.screenshot(path=screenshots / "person-way-dark.png")


def check_that_nothing_came_twice(ann: OfficialEnd) -> None:
    texts = [one.text or one.kind for one in ann.told if one.event == "message"]
    assert texts == [
        *("I do", "**bold** and *quiet*\nsecond line", "photo", "a caption", "document", "sticker"),
        *("All gren", "Please ignore this", "Refused at first", "a draft that\nstays"),
    ]
