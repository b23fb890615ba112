"""The composer and the panel in a real JupyterLab with a real kernel; the practice server here shows what arrived."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browser_pages import SLOW, Notebook

DROPPED = 12_000_000
"""Bytes of the file that is dropped, more than the 10 MiB of the stock upload."""

CONNECT = """import tcnb
tc = tcnb.connect("127.0.0.1", web_port={port}, https=False, username="robot", password="robot", journal=None)"""
# Computes without ever yielding until the test has seen what it wants: only files lead into and out of a busy cell.
BUSY = 'from pathlib import Path\nPath("busy").touch()\nwhile not Path("enough").exists():\n    sum(range(50_000))'
COMPOSE = """from tcnb.notebook.composer.composer import Composer
composer = Composer(tc, "Release crew", stickers="stickers")
composer"""
LAST = "print('last cell ran')"

PASTE = """async () => {
  const canvas = document.createElement('canvas');
  canvas.width = 320; canvas.height = 200;
  const pen = canvas.getContext('2d');
  pen.fillStyle = 'teal'; pen.fillRect(0, 0, 320, 200); pen.fillStyle = 'gold'; pen.fillRect(40, 40, 90, 120);
  const blob = await new Promise((done) => canvas.toBlob(done, 'image/png'));
  const data = new DataTransfer();
  data.items.add(new File([blob], 'image.png', { type: 'image/png' }));
  const event = new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true });
  document.querySelector('.tcc-text').dispatchEvent(event);
  const bytes = new Uint8Array(await crypto.subtle.digest('SHA-256', await blob.arrayBuffer()));
  return [...bytes].map((one) => one.toString(16).padStart(2, '0')).join('');
}"""
# A pattern that never repeats at the same place of a piece, so that a lost, doubled or swapped piece changes the sum.
DROP = """(size) => {
  const words = new Uint32Array(size / 4);
  for (let i = 0; i < words.length; i += 1) words[i] = Math.imul(i, 2654435761);
  const data = new DataTransfer();
  data.items.add(new File([words], 'measurements.bin', { type: 'application/octet-stream' }));
  const box = document.querySelector('.tcnb-composer');
  for (const kind of ['dragenter', 'dragover', 'drop']) {
    box.dispatchEvent(new DragEvent(kind, { dataTransfer: data, bubbles: true, cancelable: true }));
  }
}"""


class Way:
    """A person's way through a notebook with a composer, and the server at the other end."""

    def __init__(self, notebook: Notebook, practice: Any, chat_id: str) -> None:
        self.notebook = notebook
        self.page = notebook.page
        self.practice = practice
        self.chat_id = chat_id

    @property
    def area(self) -> Any:
        return self.page.locator(".tcc-text").first

    def write(self, text: str) -> None:
        self.area.fill(text)
        self.area.press("Enter")
        self.wait_sent(text)

    def wait_sent(self, text: str) -> None:
        self.page.locator(".tcc-row[data-state=sent]").filter(has_text=text).first.wait_for(timeout=SLOW)

    def messages(self) -> list[dict[str, Any]]:
        """Give what the server has of each message in the chat: its kind, text, mode, file and what it answers."""

        def look(server: Any) -> list[dict[str, Any]]:
            said = server.world.chats[self.chat_id].messages
            return [
                {
                    "content": dict(one.content),
                    "reply_to": one.reply_to,
                    "edited": one.is_edited,
                    "type": one.file.mime_type if one.file else None,
                    "sum": _sum(one.file.source) if one.file else None,
                    "previews": len(one.file.previews) if one.file else 0,
                    "name": one.file.name if one.file else None,
                }
                for one in said
                if not one.is_system
            ]

        return self.practice.call(look)


def _sum(source: bytes | Path) -> str:
    if isinstance(source, bytes):
        return hashlib.sha256(source).hexdigest()
    with source.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def pattern_sum(size: int) -> str:
    """Give the sum of the file that `DROP` makes."""
    import numpy as np

    words = (np.arange(size // 4, dtype=np.uint64) * 2654435761 & 0xFFFFFFFF).astype("<u4")
    return hashlib.sha256(words.tobytes()).hexdigest()


@pytest.fixture
def notebook(browser: Any, lab: Any) -> Iterator[Notebook]:
    for name in ("busy", "enough"):
        (lab.folder / name).unlink(missing_ok=True)
    context = browser.new_context(viewport={"width": 1100, "height": 900}, locale="en-GB")
    yield Notebook(context.new_page(), lab.folder)
    (lab.folder / "enough").touch()
    context.close()


@pytest.fixture
def crew(alice: Any) -> str:
    return str(alice.group("Release crew", "robot", "bob"))


@pytest.fixture
def sticker_folder(lab: Any) -> Path:
    from PIL import Image

    folder = lab.folder / "stickers"
    folder.mkdir(exist_ok=True)
    Image.new("RGBA", (200, 200), (240, 160, 20, 255)).save(folder / "thumbs_up.webp")
    return folder


def test_person_sends_everything(notebook, lab, practice, crew, sticker_folder, alice, screenshots):
    """Text while a cell computes, Markdown, a pasted picture, a dropped file, a sticker, a reply and an edit arrive."""
    asked = alice.say(crew, "Are the checks green?")
    url = lab.write_notebook("write.ipynb", CONNECT.format(port=practice.port), COMPOSE, BUSY, LAST)
    notebook.open(url)
    way = Way(notebook, practice, crew)
    notebook.run_until_busy(".tcnb-composer")
    way.write("sent while a cell computes")
    assert notebook.is_busy()
    way.page.locator("[data-mode=markdown]").click()
    way.area.fill("**bold** and *quiet*")
    way.page.locator(".tcc-painting b").wait_for(timeout=SLOW)
    way.area.press("Shift+Enter")
    way.page.keyboard.type("second line")
    way.area.press("Enter")
    way.wait_sent("second line")
    picture = way.page.evaluate(PASTE)
    way.area.fill("a caption")
    way.area.press("Enter")
    way.wait_sent("pasted")
    way.page.evaluate(DROP, DROPPED)
    way.page.locator(".tcc-card").wait_for()
    practice.call(lambda server: server.delay_next("uploadFile", 3.0))  # on its way for long enough to be looked at
    way.area.press("Enter")
    way.page.locator(".tcc-progress.tcc-shown").wait_for(timeout=SLOW)
    way.page.locator(".tcnb-composer").screenshot(path=screenshots / "composer-lab-progress.png")
    way.page.locator(".tcc-row[data-state=sent]").filter(has_text="measurements.bin").wait_for(timeout=4 * SLOW)
    way.page.locator(".tcc-stickerbutton").click()
    way.page.get_by_role("button", name="Sticker: thumbs_up").click()
    way.wait_sent("thumbs_up.webp")
    notebook.let_go()
    notebook.run_in_kernel(f"composer.reply_to({asked!r})")
    way.page.get_by_text("Reply to Alice Doe").wait_for(timeout=SLOW)
    way.write("All green")
    way.area.press("ArrowUp")
    way.page.get_by_text("Changing your message").wait_for(timeout=SLOW)
    way.write("All green by now")
    said = way.messages()[1:]
    texts = [(one["content"]["text"], one["content"]["parseMode"]) for one in said if one["content"].get("text")]
    assert texts == [
        ("sent while a cell computes", "text"),
        ("**bold** and *quiet*\nsecond line", "markdown"),
        ("a caption", "markdown"),
        ("All green by now", "markdown"),
    ]
    photo, document, sticker = [one for one in said if one["sum"]]
    assert (photo["sum"], photo["type"], photo["previews"]) == (picture, "image/png", 1)
    assert (document["sum"], document["name"]) == (pattern_sum(DROPPED), "measurements.bin")
    folder = (sticker_folder / "thumbs_up.webp").read_bytes()
    assert (sticker["sum"], sticker["type"]) == (hashlib.sha256(folder).hexdigest(), "sticker/webp")
    assert (said[-1]["reply_to"], said[-1]["edited"]) == (asked, True)


def test_panel_from_choosing_a_chat_to_the_reload(notebook, lab, practice, crew, alice, screenshots):
    """The panel counts what is unread, changes the chat while a cell computes, and has its draft after a reload."""
    coffee = alice.group("Кофе и код", "robot")
    show = "from tcnb.notebook.panel.panel import Panel\npanel = Panel(tc, height=600)\npanel"
    url = lab.write_notebook("panel.ipynb", CONNECT.format(port=practice.port), show, BUSY, LAST)
    notebook.open(url)
    way = Way(notebook, practice, coffee)
    notebook.run_until_busy(".tcp-chat")
    for text in ("Espresso?", "Anyone?"):
        alice.say(coffee, text)
    alice.say(crew, "Are the checks green?")
    way.page.get_by_role("button", name="Кофе и код, 2 unread").wait_for(timeout=SLOW)
    way.page.get_by_role("button", name="Release crew, 1 unread").wait_for(timeout=SLOW)  # no more changes its place
    way.page.get_by_role("button", name="Кофе и код, 2 unread").click()
    way.page.get_by_role("button", name="Кофе и код", exact=True).wait_for(timeout=SLOW)
    way.page.wait_for_function("document.querySelector('.tcc-chat').value === 'Кофе и код'", timeout=SLOW)
    way.page.locator(".tcf-text").get_by_text("Anyone?").wait_for(timeout=SLOW)
    way.page.locator(".tcf-text").get_by_text("Are the checks green?").wait_for(state="detached", timeout=SLOW)
    way.write("Double, please")
    way.page.locator(".tcf-own .tcf-text").get_by_text("Double, please").wait_for(timeout=SLOW)
    assert notebook.is_busy()
    way.page.locator(".tcnb-chats").scroll_into_view_if_needed()
    way.page.screenshot(path=screenshots / "panel-lab-light.png")
    way.area.fill("a draft that")
    way.area.press("Shift+Enter")
    way.page.keyboard.type("stays")
    notebook.let_go()
    way.area.evaluate("(area) => area.blur()")  # now the kernel is told
    notebook.run_in_kernel("pass")
    notebook.save()
    way.page.reload()
    notebook.wait_kernel()
    way.page.wait_for_function("document.querySelector('.tcc-text')?.value === 'a draft that\\nstays'", timeout=SLOW)
    assert way.page.locator(".tcc-chat").input_value() == "Кофе и код"
    way.area.press("Enter")
    way.wait_sent("a draft that")
    assert [one["content"].get("text") for one in way.messages()][-1] == "a draft that\nstays"


def test_panel_in_a_narrow_column(notebook, lab, practice, crew):
    """Where there is no room for both side by side, the chats stand above the feed, and nothing sticks out."""
    show = "from tcnb.notebook.panel.panel import Panel\npanel = Panel(tc)\npanel"
    notebook.open(lab.write_notebook("narrow.ipynb", CONNECT.format(port=practice.port), show))
    notebook.command("notebook:run-all-cells")
    page = notebook.page
    page.locator(".tcnb-panel .tcnb-feed").wait_for(timeout=SLOW)
    page.evaluate("document.querySelector('.tcnb-panel').style.width = '360px'")
    page.wait_for_function(
        """(() => {
          const place = (name) => document.querySelector(`.tcnb-panel ${name}`).getBoundingClientRect();
          return place('.tcnb-chats').bottom <= place('.tcnb-feed').top && place('.tcnb-feed').width <= 360;
        })()"""
    )
