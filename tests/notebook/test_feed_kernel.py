"""The feed in a real IPython kernel with a real session and the practice server: what goes out, and when."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kernels import PATIENCE, Kernel

pytestmark = pytest.mark.kernel

CONNECT = 'import tcnb\ntc = tcnb.connect(practice={"rate": 40, "seed": 3})'
# It looks at the disk only now and then: a thread that gives the interpreter away for some microseconds every
# millisecond leaves nothing to others, since each time it is back before one of them has woken.
BUSY = """
from pathlib import Path
Path("busy").touch()
while not Path("enough").exists():
    for _ in range(20):
        sum(range(50_000))
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("kernel")


@pytest.fixture(scope="module")
def kernel(folder: Path) -> Iterator[Kernel]:
    """A kernel with a session in which colleagues talk."""
    kernel = Kernel(folder)
    kernel.good(CONNECT)
    yield kernel
    (folder / "enough").touch()
    kernel.run("tc.close()")
    kernel.close()


def body(message: dict[str, Any]) -> dict[str, Any]:
    """Give what a message of the feed says."""
    return json.loads(bytes(message["buffers"][0]))


def test_cell_shows_view_still_and_table(kernel):
    """A feed as a cell's value has the live view, and beside it a still and a table for where nothing is live."""
    (shown,) = kernel.good("feed = tc.feed()\nfeed").of("execute_result")
    assert set(shown["data"]) == {"application/vnd.jupyter.widget-view+json", "text/html", "text/plain"}


def test_batches_go_out_while_a_cell_computes(kernel, folder):
    """Rows reach the front end while a cell computes without yielding, joined to each other, and nothing is printed."""
    opened = kernel.good("feed = tc.feed()").of("comm_open")
    feed_id = next(comm["comm_id"] for comm in opened if "opening" in comm["data"]["state"])
    cell = kernel.start(BUSY)
    batches: list[dict[str, Any]] = []
    while len(batches) < 12:
        message = kernel.client.get_iopub_msg(timeout=PATIENCE)
        assert message["msg_type"] != "stream"
        if (folder / "busy").exists() and message["content"].get("comm_id") == feed_id:
            batches += filter(None, [body(message).get("batch")])
    (folder / "enough").touch()
    outcome = kernel.finish(cell)
    assert (outcome.status, outcome.printed) == ("ok", "")
    known = batches[0]["last"]
    for batch in batches[1:]:
        assert batch["after"] <= known <= batch["last"]
        known = batch["last"]
    assert known > batches[0]["last"]


def test_closed_feed_is_silent(kernel):
    """After `close` the front end is told, and no more rows are sent."""
    kernel.good("from ipywidgets import Widget\nWidget.close_all()")
    kernel.later_messages()
    seen = kernel.good("seen = tc.record.last_seq\nwhile tc.record.last_seq < seen + 20: pass")
    assert seen.of("comm_msg") == []
