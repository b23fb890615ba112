"""Widgets that were closed, in a real JupyterLab: nothing of them stays in the page."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from browser_pages import SLOW, Notebook

CONNECT = 'import tcnb\ntc = tcnb.connect(practice={"rate": 20, "seed": 7, "history": 50})\n%load_ext tcnb'
# The manager of a notebook's widgets is handed to the scripts of widgets alone.
MANAGER = """
import anywidget
class Manager(anywidget.AnyWidget):
    _esm = "export default { render({ model }) { window.manager = model.widget_manager; } }"
Manager()
"""
SHOW = "from IPython.display import display\nshown = [tc.feed(), tc.composer(), tc.panel()]\ndisplay(*shown)"
CHOOSE = "for _, chat_id, _ in tc.known_chats():\n    tc.loop.call_soon_threadsafe(shown[2]._show, chat_id)"
# Each choice makes another feed; the last one is there when it shows rows.
SETTLED = "import asyncio\nasyncio.run_coroutine_threadsafe(asyncio.sleep(0), tc.loop).result(60)"
FEEDS = "[...document.querySelectorAll('.tcnb-feed')]"
CLOSE = "for widget in shown:\n    widget.close()"
MODELS = "Object.keys(window.manager._models).length"

# JupyterLab itself keeps what it knew of a closed widget, so nothing large may be in it.
HEAVY = (
    "window.closing.reduce((sum, one) => sum + (one.get('script') ?? '').length + (one.get('opening') ?? '').length, 0)"
)


@pytest.fixture
def notebook(browser, lab) -> Iterator[Notebook]:
    context = browser.new_context(viewport={"width": 1100, "height": 900}, locale="en-GB")
    yield Notebook(context.new_page(), lab.folder)
    context.close()


def test_closed_widgets_leave_no_models_in_the_page(notebook, lab):
    """Feed, composer and panel, whose chat was changed, are gone with all that they consist of, but for their scripts.

    Browsers keep every module that was loaded, so all widgets of a kind share one.
    """
    notebook.open(lab.write_notebook("closed.ipynb", CONNECT, MANAGER, SHOW, CHOOSE, CLOSE))

    def run() -> None:
        notebook.command("notebook:run-cell-and-select-next")

    run()
    run()
    notebook.page.wait_for_function("window.manager", timeout=SLOW)
    before = notebook.page.evaluate(MODELS)
    run()
    notebook.page.wait_for_function("document.querySelectorAll('.tcnb-feed').length === 2", timeout=SLOW)
    run()
    notebook.run_in_kernel(SETTLED)
    notebook.page.wait_for_function(
        f"{FEEDS}.length === 2 && {FEEDS}.every((one) => one.querySelector('.tcf-row, .tcf-event'))", timeout=SLOW
    )
    assert notebook.page.evaluate(MODELS) > before + 10
    notebook.page.evaluate("async () => { window.closing = await Promise.all(Object.values(window.manager._models)); }")
    assert notebook.page.evaluate(f"{HEAVY} > 100_000")
    run()
    notebook.page.wait_for_function(f"{MODELS} === {before}", timeout=SLOW)
    assert notebook.page.locator(".tcnb-widget").count() == 0
    notebook.page.wait_for_function(f"{HEAVY} === 0", timeout=SLOW)
    assert notebook.page.evaluate("globalThis[Symbol.for('tcnb.scripts')].size") == 3
