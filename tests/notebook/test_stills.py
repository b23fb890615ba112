"""What a notebook that nobody looks at keeps of widgets: executed by nbclient, made a page by nbconvert."""

from __future__ import annotations

import os
from types import SimpleNamespace
from typing import Any

import nbformat
import pytest
from kernels import ROOT
from nbclient import NotebookClient

from tcnb.notebook.widgets.static_fallback import WIDGET_VIEW, is_unseen

CONNECT = """
import tcnb
tc = tcnb.connect(practice={"seed": 3, "history": 40})
_, chat_id, _ = tc.known_chats()[0]
tc.send(chat_id, "<b>said in the chat</b>");
"""


@pytest.fixture(scope="module")
def executed(tmp_path_factory: pytest.TempPathFactory) -> nbformat.NotebookNode:
    """A notebook with all widgets, executed as `jupyter nbconvert --execute` does, which keeps their state."""
    folder = tmp_path_factory.mktemp("executed")
    cells = [CONNECT, "tc.feed()", "tc.panel(chat_id)", "tc.composer(chat_id)", "tc.close()"]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "IPYTHONDIR": str(folder / ".ipython")}
    NotebookClient(notebook, timeout=120, kernel_name="python3").execute(cwd=str(folder), env=env)
    return notebook


def shown(notebook: nbformat.NotebookNode, number: int) -> Any:
    """Return what a cell shows."""
    (output,) = notebook.cells[number].outputs
    return output.data


@pytest.mark.kernel
@pytest.mark.parametrize("number", [1, 2, 3], ids=["feed", "panel", "composer"])
def test_executed_notebook_holds_the_still_alone(executed: nbformat.NotebookNode, number: int) -> None:
    """Where no page is, an output has the still and the text, and no view that only a network could draw."""
    assert executed.metadata.widgets  # nbclient keeps the state, for which nbconvert would choose the view
    assert set(shown(executed, number)) == {"text/html", "text/plain"}


@pytest.mark.kernel
def test_page_made_of_it_shows_the_stills(executed: nbformat.NotebookNode) -> None:
    """The page that nbconvert makes shows each widget's still."""
    exporter = pytest.importorskip("nbconvert").HTMLExporter()
    soup = pytest.importorskip("bs4").BeautifulSoup
    page = soup(exporter.from_notebook_node(executed)[0], "html.parser")
    stills = [soup(shown(executed, number)["text/html"], "html.parser").get_text() for number in (1, 2, 3)]
    assert [output.get_text().strip() for output in page.select(".jp-OutputArea-output.jp-RenderedHTML")] == stills
    assert all("<b>said in the chat</b>" in still for still in stills[:2])
    assert not page.select(f'script[type="{WIDGET_VIEW}"]')


UNSEEN = {"msg_id": "5e55_12_3", "session": "5e55"}


def a_shell(hist_file: str, header: dict[str, str], **metadata: Any) -> Any:
    """Return what is asked of a shell, in a cell that was handed in with a header and metadata."""
    request = {"header": header, "metadata": metadata}
    return SimpleNamespace(history_manager=SimpleNamespace(hist_file=hist_file), get_parent=lambda: request)


def test_kernel_of_nbclient_is_known() -> None:
    """Nobody looks where history is in memory alone and a cell comes from Python."""
    assert is_unseen(a_shell(":memory:", UNSEEN))


@pytest.mark.parametrize(
    "shell",
    [
        None,
        SimpleNamespace(history_manager=None),
        SimpleNamespace(history_manager=SimpleNamespace(hist_file=":memory:")),
        a_shell("/home/ann/.ipython/profile_default/history.sqlite", UNSEEN),
        a_shell(":memory:", {"msg_id": "c0ffee-1", "session": "5e55"}),
        a_shell(":memory:", UNSEEN, cellId="c1"),
        a_shell(":memory:", {}),
    ],
    ids=["none", "no history", "terminal", "history on disk", "not from Python", "cell with a name", "nothing asked"],
)
def test_whoever_may_be_looking_keeps_the_view(shell: Any) -> None:
    """Where one of the signs is missing, the view stays."""
    assert not is_unseen(shell)
