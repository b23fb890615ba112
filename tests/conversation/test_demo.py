"""`tcnb demo` runs the tour to its end without a browser and shows what it collected."""

from __future__ import annotations

import html
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import pytest

from tcnb.record.schema import EVENT_NAMES

pytestmark = [pytest.mark.kernel, pytest.mark.timeout(300)]


@dataclass
class Demo:
    """What a run of the demo left: what it printed, and the folder it wrote into."""

    printed: str
    complained: str
    status: int
    folder: Path

    @property
    def page(self) -> str:
        """The page."""
        return (self.folder / "tour.html").read_text(encoding="utf-8")

    @property
    def cells(self) -> list[Any]:
        """The cells with code, as they were run."""
        notebook = nbformat.read(self.folder / "tour.ipynb", as_version=4)  # type: ignore[no-untyped-call]
        return [cell for cell in notebook.cells if cell.cell_type == "code"]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """The demo, run once the way `make demo` runs it."""
    folder = tmp_path_factory.mktemp("demo") / "build"
    done = subprocess.run(
        [sys.executable, "-m", "tcnb", "demo", "--output", str(folder)],
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=280,
    )
    return Demo(done.stdout, done.stderr, done.returncode, folder)


def test_demo_succeeds_in_silence(demo: Demo) -> None:
    """The demo ends well, and nothing is written where errors go."""
    assert (demo.status, demo.complained) == (0, "")


def test_no_cell_failed(demo: Demo) -> None:
    """Every cell was run, and none of them shows an error."""
    assert all(cell.execution_count for cell in demo.cells)
    outputs = [output for cell in demo.cells for output in cell.outputs]
    assert [output for output in outputs if output.output_type == "error"] == []
    assert [output.text for output in outputs if output.get("name") == "stderr"] == []


def test_page_holds_no_error(demo: Demo) -> None:
    """The page shows no traceback and no widget that cannot be drawn."""
    assert "Traceback" not in demo.page
    assert 'data-mime-type="application/vnd.jupyter.stderr"' not in demo.page
    assert "application/vnd.jupyter.widget-view+json" not in demo.page


def test_page_holds_the_still_of_the_feed(demo: Demo) -> None:
    """In place of the live feed, the page has its last rows."""
    (feed,) = [cell for cell in demo.cells if cell.source.startswith("%tc_feed")]
    stills = [output.data["text/html"] for output in feed.outputs if "text/html" in output.get("data", {})]
    assert stills
    heading = re.search(r"default · 127\.0\.0\.1 · last \d+ events", html.unescape(stills[-1]))
    assert heading is not None
    assert heading[0] in html.unescape(demo.page)


def test_page_holds_a_plot(demo: Demo) -> None:
    """The picture that the tour draws and sends is on the page."""
    assert "data:image/png;base64," in demo.page


def test_head_of_the_frame_is_printed(demo: Demo) -> None:
    """The head of the frame is there with its columns and its first row."""
    header = next((line for line in demo.printed.splitlines() if "timestamp" in line and "event" in line), "")
    assert header.split()[:2] == ["timestamp", "event"]
    assert re.search(r"^0\s+.*changed_file_upload_limits", demo.printed, re.MULTILINE)


def test_counts_are_printed(demo: Demo) -> None:
    """The number of events of each kind is there, messages first of all."""
    counts = {
        name: int(number)
        for name, number in re.findall(r"^(\w+)\s+(\d+)$", demo.printed, re.MULTILINE)
        if name in EVENT_NAMES
    }
    assert counts["message"] > 50
    assert counts["changed_file_upload_limits"] == 1
    assert list(counts.values()) == sorted(counts.values(), reverse=True)


def test_page_is_named_at_the_end(demo: Demo) -> None:
    """The last line says where the page is."""
    assert str(demo.folder / "tour.html") in demo.printed.splitlines()[-1]
