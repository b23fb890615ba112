"""The main path in Notebook 7: connect, watch the panel, write into a chat, see it arrive, restart the kernel."""

from __future__ import annotations

import importlib.util

import pytest
from browser_pages import KERNEL, SLOW, Notebook

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


def test_restart_in_notebook_7(browser, lab, practice, alice):
    """In Notebook 7, too, a restart is said, and what was written is in the composer that is made next."""
    alice.group("Release crew", "robot")
    account = 'https=False, username="robot", password="robot", journal=None'
    connect = f'import tcnb\ntc = tcnb.connect("127.0.0.1", web_port={practice.port}, {account})'
    address = lab.write_notebook("seven-restarted.ipynb", connect, 'tc.panel("Release crew")')
    context = browser.new_context(viewport={"width": 1300, "height": 1000}, locale="en-GB")
    page = context.new_page()
    notebook = Notebook(page, lab.folder)
    notebook.open(address.replace("/lab/tree/", "/notebooks/"))
    notebook.command("notebook:run-all-cells")
    page.get_by_placeholder("Message to Release crew").fill("Half a thought")
    notebook.command("kernelmenu:restart")
    page.locator(".jp-Dialog button.jp-mod-accept").click()
    page.locator(".tcf-state").get_by_text("Kernel restarted: run this cell again").wait_for(timeout=SLOW)
    page.locator(".tcc-state").get_by_text("Kernel restarted: run this cell again").wait_for(timeout=SLOW)
    page.wait_for_function(f"{KERNEL}?.status === 'idle'", timeout=SLOW)
    notebook.command("notebook:run-all-cells")
    page.locator(".tcc-send.tcc-ready").wait_for(timeout=SLOW)
    assert page.get_by_placeholder("Message to Release crew").input_value() == "Half a thought"
    context.close()
