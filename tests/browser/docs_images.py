"""Makes the screenshots of feed, composer and panel in `docs/images` anew: `pytest tests/browser/docs_images.py`.

Its name keeps it out of the usual run of the tests; nothing is asserted here.
"""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from browser_pages import SLOW, Notebook
from PIL import Image, ImageDraw
from playwright import sync_api

IMAGES = Path(__file__).parents[2] / "docs" / "images"
THEMES = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}

CONNECT = 'import tcnb\ntc = tcnb.connect(practice={"rate": %s, "seed": 7, "history": 400})'
PAST = "for _, chat_id, _ in tc.known_chats():\n    tc.history(chat_id, 300)"
BUSY = "while True:\n    sum(range(50_000))  # a long computation: messages keep coming"
ASK = """
import asyncio
from tcnb import InlineKeyboardButton as Button, InlineKeyboardMarkup
crew = next(chat_id for title, chat_id, _ in tc.known_chats() if title == "Release crew")
tc.send_photo(crew, "burndown.png")
asyncio.run_coroutine_threadsafe(tc.bot.send_survey(crew, "When do we ship?", "k7Qm"), tc.loop).result(30)
tc.send(crew, "Build **42** passed. Deploy it?", parse_mode="markdown", buttons=InlineKeyboardMarkup([
    [Button(text="Deploy", command="/deploy", style="success"), Button(text="Wait", command="/wait", style="danger")],
    [Button(text="Log", url="https://ci.example.com/42"), Button(text="Copy id", copy_data="build-42")],
]))
"""
RUN = "%run -i ask.py"
DRAFT = "Here is the **burndown**: _two_ days early.\n> all green\nNotes: [release 5.2](https://example.com/notes)"


def burndown() -> bytes:
    """Give the picture of a chart that falls towards the right."""
    image = Image.new("RGB", (600, 380), "#f7f9fc")
    draw = ImageDraw.Draw(image)
    draw.line([(60, 60), (560, 330)], fill="#b8c4d6", width=4)
    done = [(60, 60), (130, 78), (200, 140), (270, 150), (340, 214), (410, 262), (480, 318), (520, 330)]
    draw.line(done, fill="#1976d2", width=7, joint="curve")
    for x, y in done:
        draw.ellipse((x - 9, y - 9, x + 9, y + 9), fill="#1976d2")
    draw.line([(40, 340), (580, 340)], fill="#8b98ab", width=3)
    target = BytesIO()
    image.save(target, "PNG")
    return target.getvalue()


@pytest.fixture
def notebook(browser: Any, lab: Any) -> Iterator[Notebook]:
    """An empty JupyterLab, without its side bar, in which a picture and stickers lie beside the notebook."""
    (lab.folder / "burndown.png").write_bytes(burndown())
    (lab.folder / "ask.py").write_text(ASK, encoding="utf-8")
    context = browser.new_context(viewport={"width": 1100, "height": 900}, device_scale_factor=1.5, locale="en-GB")
    yield Notebook(context.new_page(), lab.folder)
    context.close()


def show(notebook: Notebook, url: str, sight: str) -> Any:
    """Run a notebook, wait for something in it and bring that into the middle; give where it is."""
    notebook.open(url)
    page = notebook.page
    page.evaluate("window.jupyterapp.shell.collapseLeft()")
    notebook.command("notebook:run-all-cells")
    found = page.locator(sight).first
    try:
        found.wait_for(timeout=SLOW)
    except sync_api.TimeoutError:
        pytest.fail(str(page.locator(".jp-OutputArea-output").all_inner_texts())[-600:])
    found.scroll_into_view_if_needed()
    return found


def shoot(notebook: Notebook, name: str, part: Any = None) -> None:
    """Take a screenshot of the page, or of a part of it, in each theme."""
    page = notebook.page
    for theme, full_name in THEMES.items():
        page.evaluate(
            "(name) => window.jupyterapp.commands.execute('apputils:change-theme', { theme: name })", full_name
        )
        page.wait_for_function(
            f"document.body.dataset.jpThemeLight === '{str(theme == 'light').lower()}'", timeout=SLOW
        )
        page.wait_for_timeout(1500)
        (part or page).screenshot(path=IMAGES / f"{name}-{theme}.png")


def test_panel(notebook, lab):
    """The panel with a chat chosen and something written."""
    url = lab.write_notebook("panel.ipynb", CONNECT % 4, PAST, RUN, 'tc.panel("Release crew")')
    panel = show(notebook, url, ".widget-hbox:has(.tcnb-chats)")
    page = notebook.page
    page.locator(".tcp-chat").filter(has_text="Release crew").first.click()
    page.locator(".tcf-keys").first.wait_for(timeout=SLOW)
    page.locator("[data-mode=markdown]").click()
    page.locator(".tcc-text").fill("Numbers are **in**: see [the sheet](https://example.com/q3)")
    page.locator(".tcc-painting a, .tcc-painting .tcc-address").first.wait_for()
    shoot(notebook, "panel", panel)


def test_composer(notebook, lab):
    """The composer with a reply, two files, Markdown and its preview."""
    url = lab.write_notebook("write.ipynb", CONNECT % 1, PAST, 'composer = tc.composer("Release crew")\ncomposer')
    composer = show(notebook, url, ".tcnb-composer")
    page = notebook.page
    page.locator("[data-mode=markdown]").click()
    page.locator(".tcc-text").fill("**Build 42** is *out*. Thanks, all!")
    page.locator(".tcc-text").press("Enter")
    page.locator(".tcc-row[data-state=sent]").wait_for(timeout=SLOW)
    said = "said = tc.messages; said = said[(said['chat'] == 'Release crew') & (said['message_type'] == 'plain')]"
    notebook.run_in_kernel(f"{said}\ncomposer.reply_to(said['message_id'].iloc[-2])")
    page.locator(".tcc-bar.tcc-shown").wait_for(timeout=SLOW)
    page.locator(".tcc-picker").set_input_files(
        [
            {"name": "burndown.png", "mimeType": "image/png", "buffer": burndown()},
            {"name": "release notes.pdf", "mimeType": "application/pdf", "buffer": b"%PDF" + bytes(481_000)},
        ]
    )
    page.locator(".tcc-text").fill(DRAFT)
    page.locator(".tcc-painting").first.wait_for()
    shoot(notebook, "composer", composer)


def test_feed(notebook, lab):
    """The feed while a cell computes: a picture, a survey, buttons, and colleagues who go on talking."""
    url = lab.write_notebook("release.ipynb", CONNECT % 1, RUN, 'tc.feed("Release crew")', BUSY)
    show(notebook, url, ".tcnb-feed")
    notebook.page.locator(".tcf-keys").first.wait_for(timeout=SLOW)
    notebook.page.locator(".jp-InputPrompt").get_by_text("[*]").first.wait_for(timeout=SLOW)
    shoot(notebook, "feed")
    (IMAGES / "feed-light.png").rename(IMAGES / "feed.png")
