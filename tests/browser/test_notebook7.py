"""The main path in Notebook 7: connect, watch the panel, write into a chat, see it arrive."""

from __future__ import annotations

import importlib.util

import pytest
from browser_pages import SLOW, Notebook

CONNECT = "import tcnb\ntc = tcnb.connect(practice={'people': 6, 'rate': 3, 'seed': 3})"

pytestmark = pytest.mark.skipif(importlib.util.find_spec("notebook") is None, reason="Notebook 7 is not installed")


def test_panel_in_notebook_7(browser, lab, screenshots):
    """In Notebook 7 the panel shows live rows, and what is written in it arrives and is seen in its feed."""
    address = lab.write_notebook("seven.ipynb", CONNECT, "tc.panel()")
    context = browser.new_context(viewport={"width": 1300, "height": 1000}, locale="en-GB")
    page = context.new_page()
    notebook = Notebook(page, lab.folder)
    notebook.open(address.replace("/lab/tree/", "/notebooks/"))
    notebook.command("notebook:run-all-cells")
    page.locator(".tcnb-feed .tcf-row").first.wait_for(timeout=SLOW)
    page.get_by_text("Release crew", exact=True).first.click()
    page.get_by_placeholder("Message to Release crew").fill("Hello from Notebook 7")
    page.keyboard.press("Enter")
    page.locator(".tcnb-feed .tcf-own").get_by_text("Hello from Notebook 7").wait_for(timeout=SLOW)
    page.screenshot(path=screenshots / "notebook-7.png")
    context.close()
