"""`tcnb demo`: the tour notebook, run without a browser against a practice server;
what the tour says is in the notebook itself.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tcnb.errors import MissingPackageError, TcnbError
from tcnb.files.paths import HOME, home_folder

if TYPE_CHECKING:
    from nbformat import NotebookNode

CELL_TIMEOUT = 180
"""Seconds one cell of the tour may take."""

WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `tcnb demo`."""
    parser.add_argument("--notebook", type=Path, default=None, help="another notebook to run instead of the tour")
    parser.add_argument(
        "--output", type=Path, default=Path("build"), help="folder for tour.ipynb and tour.html (build)"
    )


def run(options: argparse.Namespace) -> int:
    """Run the tour, print what it collected, and write it as a notebook and a page.

    Raises:
        MissingPackageError: the notebook software is missing.
        TcnbError: a cell of the tour failed.
    """
    source = options.notebook or tour()
    if home_folder() is None:
        raise TcnbError(f"there is no home folder here, which Jupyter needs: set the variable {HOME}")
    try:
        import nbclient  # noqa: F401
        import nbconvert  # noqa: F401
    except ImportError as error:
        raise MissingPackageError(
            f"{error.name} is missing: install the notebook software with  pip install 'tcnb[lab]'"
        ) from error
    print(f"running {source.name} against a practice server; this takes about half a minute", flush=True)
    options.output.mkdir(parents=True, exist_ok=True)
    # The tour needs no files of its own, and beside it in the package are modules that would shadow Python's.
    folder = options.output if options.notebook is None else source.parent
    notebook = _execute(source, folder, options.output / "kernel.log")
    _write(notebook, options.output)
    for tag in ("head", "counts"):
        print(f"\n{_text_of(notebook, tag)}")
    print(f"\nthe whole tour: {options.output / 'tour.html'}")
    return 0


def tour() -> Path:
    """Return where the tour notebook is: in the package, or in the checkout that the package runs from.

    Raises:
        TcnbError: it is in neither place.
    """
    here = Path(__file__).resolve().parents[1]
    for candidate in (here / "notebook" / "00_tour.ipynb", here.parent / "notebooks" / "00_tour.ipynb"):
        if candidate.is_file():
            return candidate
    raise TcnbError("the tour notebook is not installed: get it from the repository and pass it with --notebook")


def _execute(source: Path, folder: Path, log: Path) -> NotebookNode:
    """Run all cells in a kernel of this interpreter, in that folder; what the kernel itself says goes into `log`."""
    import nbformat
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError

    notebook: NotebookNode = nbformat.read(source, as_version=4)  # type: ignore[no-untyped-call]
    client = NotebookClient(
        notebook,
        timeout=CELL_TIMEOUT,
        kernel_name="python3",
        resources={"metadata": {"path": str(folder)}},
        store_widget_state=False,
    )
    try:
        with log.open("wb") as said:
            client.execute(env=_kernel_environment(), stderr=said)
    except CellExecutionError as error:
        raise TcnbError(f"a cell of the tour failed: {error.ename}: {error.evalue}") from error
    return notebook


def _kernel_environment() -> dict[str, str]:
    """Return the environment of the tour's kernel: this interpreter's packages come first on its path."""
    return {**os.environ, "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])}


def _write(notebook: NotebookNode, folder: Path) -> None:
    """Write the tour with stills in the place of its widgets, which a page without a kernel cannot show."""
    import nbformat
    from nbconvert import HTMLExporter

    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            output.get("data", {}).pop(WIDGET_VIEW, None)
    nbformat.write(notebook, folder / "tour.ipynb")  # type: ignore[no-untyped-call]
    page, _ = HTMLExporter().from_notebook_node(notebook)  # type: ignore[no-untyped-call]
    (folder / "tour.html").write_text(page, encoding="utf-8")


def _text_of(notebook: NotebookNode, tag: str) -> str:
    """Return the plain text of the last output of the cell with a tag."""
    for cell in notebook.cells:
        if tag in cell.metadata.get("tags", []):
            texts: list[Any] = [output.data.get("text/plain", "") for output in cell.outputs if "data" in output]
            return "\n".join(map(str, texts[-1:]))
    return ""
