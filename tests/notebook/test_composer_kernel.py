"""The composer and the panel in a real IPython kernel: what a cell shows, and what goes on while another computes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kernels import PATIENCE, Kernel

pytestmark = pytest.mark.kernel

CONNECT = 'import tcnb\ntc = tcnb.connect(practice={"rate": 5, "seed": 3})'
BUSY = 'Path("busy").touch()\nwhile not Path("enough").exists():\n    sum(range(50_000))'
# Sends from the session's own loop once the cell has begun to compute, as the page's message does by another way.
HAND_IN = """from pathlib import Path
chat_id = tc.known_chats()[0][1]
one = {"key": "k1", "kind": "text", "chat_id": chat_id, "text": "while a cell computes"}
request = {"type": "send", "sendings": [one]}
def hand_in():
    if Path("busy").exists():
        composer._front_end_said(None, request, [])
    else:
        tc.loop.call_later(0.01, hand_in)
tc.loop.call_soon_threadsafe(hand_in)
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("kernel")


@pytest.fixture(scope="module")
def kernel(folder: Path) -> Iterator[Kernel]:
    kernel = Kernel(folder)
    kernel.good(CONNECT)
    yield kernel
    (folder / "enough").touch()
    kernel.run("tc.close()")
    kernel.close()


def body(message: dict[str, Any]) -> dict[str, Any]:
    """Give what a message of a composer says."""
    return json.loads(bytes(message["buffers"][0]))


@pytest.mark.parametrize("made", ["Composer(tc)", "Panel(tc)"])
def test_cell_shows_view_still_and_text(kernel, made):
    """A widget as a cell's value has the live view, and beside it a still and a text for where nothing is live."""
    (shown,) = kernel.good(
        f"from tcnb.notebook.composer.composer import Composer\nfrom tcnb.notebook.panel.panel import Panel\n{made}"
    ).of("execute_result")
    assert set(shown["data"]) == {"application/vnd.jupyter.widget-view+json", "text/html", "text/plain"}


def test_sending_is_told_while_a_cell_computes(kernel, folder):
    """What becomes of a sending reaches the front end while a cell computes without yielding; nothing is printed."""
    code = "from tcnb.notebook.composer.composer import Composer\ncomposer = Composer(tc)"
    opened = kernel.good(code).of("comm_open")
    composer_id = next(comm["comm_id"] for comm in opened if "opening" in comm["data"]["state"])
    cell = kernel.start(HAND_IN + BUSY)
    states: list[str] = []
    while "sent" not in states:
        message = kernel.client.get_iopub_msg(timeout=PATIENCE)
        assert message["msg_type"] != "stream"
        if message["content"].get("comm_id") == composer_id and message.get("buffers"):
            states += [one["state"] for one in body(message).get("sendings", [])]
    (folder / "enough").touch()
    outcome = kernel.finish(cell)
    assert (outcome.status, outcome.printed) == ("ok", "")


def test_closed_widgets_leave_nothing(kernel):
    """After `close` no widget is left."""
    kernel.good("from ipywidgets import Widget\nWidget.close_all()\ntc.refresh()")

    assert kernel.good("list(Widget.widgets.values())").text == "[]"


def test_magics_open_both(kernel):
    """`%tc_compose` and `%tc_panel` return the widgets of the connection, for a chat if one is named."""
    kernel.good("%load_ext tcnb\nfrom tcnb.notebook.magics.widgets import WidgetMagics")
    kernel.good("get_ipython().register_magics(WidgetMagics)\n%tc_connect --practice --as other;")
    kernel.good("composer = %tc_compose --as other\npanel = %tc_panel --as other")
    assert kernel.good("type(composer).__name__, type(panel).__name__").text == "('Composer', 'Panel')"
    kernel.good("composer.close(); panel.close(); other.close()")
