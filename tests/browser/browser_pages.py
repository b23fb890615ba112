"""What a person finds on the screen: a notebook in JupyterLab and the practice server's chat page; no tests."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

SLOW = 60_000
"""Milliseconds that a kernel gets to start and connect."""

EVENTS = "Number(document.querySelectorAll('.tcf-numbers span')[1]?.textContent.replace(/[^0-9]/g, ''))"
KERNEL = "window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel"


class Notebook:
    """A notebook open in JupyterLab."""

    def __init__(self, page: Any, folder: Path) -> None:
        self.page = page
        self.folder = folder

    def open(self, url: str) -> None:
        """Open the notebook and wait until its kernel is there."""
        self.page.goto(url)
        self.wait_kernel()

    def wait_kernel(self) -> None:
        """Wait until the notebook is shown and its kernel is there."""
        self.page.locator(".jp-Notebook .jp-CodeCell").first.wait_for(timeout=SLOW)
        self.page.wait_for_function(f"{KERNEL}?.connectionStatus === 'connected'", timeout=SLOW)

    def command(self, name: str, arguments: dict[str, Any] | None = None) -> None:
        """Carry out a command of JupyterLab without waiting for its end."""
        script = "([name, given]) => { window.jupyterapp.commands.execute(name, given); }"
        self.page.evaluate(script, [name, arguments or {}])

    def run_until_busy(self, sight: str = ".tcf-row") -> None:
        """Start all cells and wait until one of them computes without yielding, with something in sight."""
        self.command("notebook:run-all-cells")
        for _ in range(SLOW // 100):
            if (self.folder / "busy").exists():
                break
            self.page.wait_for_timeout(100)
        else:
            pytest.fail(f"no cell got busy: {self.page.locator('.jp-OutputArea-output').all_inner_texts()}")
        self.page.locator(sight).first.wait_for(timeout=SLOW)

    def is_busy(self) -> bool:
        """Tell whether cells are still waiting or running."""
        return self.page.locator(".jp-InputPrompt").get_by_text("[*]").count() >= 2

    def let_go(self) -> None:
        """End the busy cell, which must still be running, and wait for the last one."""
        assert self.is_busy()
        (self.folder / "enough").touch()
        self.wait_for_last()

    def run_in_kernel(self, code: str) -> None:
        """Run code in the notebook's kernel beside its cells, and wait for its end."""
        reply = self.page.evaluate(f"(code) => {KERNEL}.requestExecute({{ code }}).done.then((r) => r.content)", code)
        assert reply["status"] == "ok", reply

    def save(self) -> None:
        """Save the notebook and wait until it is."""
        self.command("docmanager:save")
        self.page.wait_for_function("!window.jupyterapp.shell.currentWidget.context.model.dirty", timeout=SLOW)

    def wait_for_last(self) -> None:
        """Wait for what the last cell prints."""
        self.output("last cell ran").wait_for(timeout=SLOW)

    def output(self, text: str) -> Any:
        """Give what a cell shows with that text, not the source that says the same words."""
        return self.page.locator(".jp-OutputArea-output").get_by_text(text)

    def feed_rows(self, place: str) -> Any:
        """Give the rows of the feed that are in sight after scrolling it to its `start` or `end`."""
        where = {"start": "0", "end": "list.scrollHeight"}[place]
        self.page.locator(".tcf-scroller").evaluate(f"(list) => {{ list.scrollTop = {where}; }}")
        return self.page.locator(".tcf-row, .tcf-event")

    @property
    def events(self) -> int:
        """The number of events that the feed's status line shows."""
        return self.page.evaluate(EVENTS)

    def wait_for_events(self, count: int) -> None:
        self.page.wait_for_function(f"(count) => {EVENTS} >= count", arg=count, timeout=SLOW)

    def wait_for_state(self, words: str) -> None:
        """Wait until the feed says that of the connection; a page that has just opened waits for the kernel's word."""
        said = "(words) => document.querySelector('.tcf-state')?.innerText === words"
        self.page.wait_for_function(said, arg=words, timeout=SLOW)

    def status_line(self) -> tuple[str, str]:
        """Give what the feed says of the connection and of lost rows."""
        return self.page.locator(".tcf-state").first.inner_text(), self.page.locator(".tcf-lost").first.inner_text()


class ChatPage:
    """The page, open in a browser."""

    def __init__(self, page: Any, url: str, problems: list[str]) -> None:
        self.page = page
        self.url = url
        self.problems = problems

    def open(self, person: str = "Alice Doe", chat: str | None = "Robot") -> None:
        """Open the page, take a person's part and go into a chat."""
        self.page.goto(self.url)
        self.page.get_by_label("You are").select_option(label=person)
        if chat is not None:
            self.page.locator("#chats").get_by_role("button").filter(has_text=chat).first.click()
            self.page.get_by_role("heading", name=chat).wait_for()

    def write(self, text: str) -> None:
        """Write a message and send it with Enter."""
        field = self.page.get_by_label("Write a message")
        field.fill(text)
        field.press("Enter")

    def message(self, text: str) -> Any:
        """Give the message with that text, once it is there."""
        found = self.page.locator("article", has_text=text).last
        found.wait_for()
        return found

    def shoot(self, file: Path) -> None:
        """Take a screenshot once all pictures in sight are there."""
        self.page.wait_for_function("[...document.images].every((one) => one.complete)")
        self.page.screenshot(path=file)


def a_picture(kind: str = "PNG") -> bytes:
    """Give a small picture: sky above a meadow, so that it has an upper side."""
    body, sky = io.BytesIO(), Image.new("RGB", (320, 180), (90, 150, 210))
    sky.paste((110, 170, 80), (0, 130, 320, 180))
    sky.save(body, kind)
    return body.getvalue()
