"""A notebook open in JupyterLab, as the composer's tests hold it; there are no tests here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

SLOW = 60_000
"""Milliseconds that a kernel gets to start and connect."""

KERNEL = "window.jupyterapp.shell.currentWidget?.sessionContext?.session?.kernel"


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

    def run_until_busy(self, sight: str) -> None:
        """Start all cells and wait until one of them computes without yielding, with a widget in sight."""
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

    def let_go(self, text: str) -> None:
        """End the busy cell and wait for what the last one prints."""
        (self.folder / "enough").touch()
        self.page.locator(".jp-OutputArea-output").get_by_text(text).wait_for(timeout=SLOW)

    def run_in_kernel(self, code: str) -> None:
        """Run code in the notebook's kernel beside its cells, and wait for its end."""
        reply = self.page.evaluate(f"(code) => {KERNEL}.requestExecute({{ code }}).done.then((r) => r.content)", code)
        assert reply["status"] == "ok", reply

    def save(self) -> None:
        """Save the notebook and wait until it is."""
        self.command("docmanager:save")
        self.page.wait_for_function("!window.jupyterapp.shell.currentWidget.context.model.dirty", timeout=SLOW)
