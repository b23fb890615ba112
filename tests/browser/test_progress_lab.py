"""How `%tc_history` shows its progress in a real JupyterLab while its cell runs; what it says is tested in a kernel."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from browser_pages import SLOW, Notebook

CONNECT = """%load_ext tcnb
import tcnb
tc = tcnb.connect("127.0.0.1", web_port={port}, https=False, username="robot", password="robot", journal=None)"""
READ = '%tc_history "Old crew" -n 5000;'
LAST = "print('last cell ran')"
MESSAGES = 1000
# Both are looked for at once, since they are there only for a while.
BAR = """() => [...document.querySelectorAll('.jp-OutputArea-output')].some((one) =>
  one.querySelector('progress')?.max === 5000 && one.innerText.includes('messages, back to'))"""


@pytest.fixture
def notebook(browser: Any, lab: Any) -> Iterator[Notebook]:
    context = browser.new_context(viewport={"width": 1100, "height": 900}, locale="en-GB")
    yield Notebook(context.new_page(), lab.folder)
    context.close()


def test_slow_history_shows_a_bar_and_leaves_nothing(notebook, lab, practice, alice):
    """While a slow server is read a bar and a count are below the cell; afterwards they are gone, also when saved."""
    chat_id = alice.group("Old crew", "robot")

    def write(server: Any) -> None:
        for number in range(MESSAGES):
            server.world.say(server.world.user(alice.id), chat_id, f"Build {number}", "text")

    practice.call(write)
    practice.call(lambda server: server.delay_next("getChatHistory", 0.4, 20))
    notebook.open(lab.write_notebook("bar.ipynb", CONNECT.format(port=practice.port), READ, LAST))
    notebook.command("notebook:run-all-cells")
    bar, words = notebook.page.locator(".jp-OutputArea progress"), notebook.output("messages, back to")
    notebook.page.wait_for_function(BAR, timeout=SLOW)
    notebook.wait_for_last()
    words.wait_for(state="detached", timeout=SLOW)
    assert bar.count() == 0
    notebook.save()
    assert "back to" not in (lab.folder / "bar.ipynb").read_text("utf-8")
    assert notebook.page.locator(".jp-OutputArea-output").all_inner_texts() == ["last cell ran\n"]
