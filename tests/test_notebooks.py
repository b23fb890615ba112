"""The notebooks of the repository are fit to be kept: they open anywhere, hold no outputs and no secrets."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path
from typing import Any

import nbformat
import pytest

from tcnb.commands.demo import tour

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("**/*.ipynb"))

SECRETS = {
    "a token": re.compile(r"\beyJ[\w-]{8,}|\b[\w-]{20,}\.[\w-]{20,}\.[\w-]{20,}"),
    "a private key": re.compile(r"BEGIN [A-Z ]*PRIVATE KEY"),
    "a password in the code": re.compile(r"(?i)\b(password|passwd|secret|token)\s*=\s*f?[\"'][^\"']+[\"']"),
    "a password on a line magic": re.compile(r"(?i)--(password|token)\b"),
    "a password in an address": re.compile(r"\w+://[^/\s:@]+:[^/\s@]+@"),
    "the address of a download": re.compile(r"[?&]token="),
    "somebody's home": re.compile(r"/(?:home|Users)/\w+|/root/|C:\\\\Users"),
}


@pytest.fixture(params=NOTEBOOKS, ids=[path.name for path in NOTEBOOKS])
def path(request: pytest.FixtureRequest) -> Path:
    """Each notebook."""
    return Path(request.param)


@pytest.fixture
def notebook(path: Path) -> Any:
    """Each notebook, read."""
    return nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]


def code(notebook: Any) -> list[Any]:
    """Return the cells with code."""
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def test_there_is_a_tour() -> None:
    """The repository has at least the tour."""
    assert "00_tour.ipynb" in [path.name for path in NOTEBOOKS]


def test_tour_comes_with_the_package() -> None:
    """A wheel has the tour where `tcnb demo` looks for it, and the sources have all that the tests read."""
    builds = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["hatch"]["build"]["targets"]
    ((source, packaged),) = builds["wheel"]["force-include"].items()
    assert (ROOT / source).resolve() == tour().resolve()
    assert packaged == f"tcnb/notebook/{tour().name}"
    assert {"/tests", "/docs", "/notebooks", "/benchmarks", "/Makefile"} <= set(builds["sdist"]["include"])
    assert all((ROOT / path.lstrip("/")).exists() for path in builds["sdist"]["include"])


def test_notebook_is_valid(notebook: Any) -> None:
    """The notebook follows the format, with an id in every cell."""
    nbformat.validate(notebook)  # type: ignore[no-untyped-call]
    ids = [cell.get("id") for cell in notebook.cells]
    assert None not in ids
    assert len(set(ids)) == len(ids)


def test_notebook_names_its_kernel(notebook: Any) -> None:
    """The notebook opens with the usual Python kernel without a question."""
    assert notebook.metadata["kernelspec"]["name"] == "python3"
    assert notebook.metadata["language_info"]["name"] == "python"


def test_no_outputs_are_stored(notebook: Any) -> None:
    """No cell has an output, a number, or times of its execution."""
    for cell in code(notebook):
        assert cell.outputs == []
        assert cell.execution_count is None
        assert "execution" not in cell.metadata


def test_no_widget_state_is_stored(notebook: Any) -> None:
    """The state of widgets, which holds what the feed showed, is not kept."""
    assert "widgets" not in notebook.metadata


@pytest.mark.parametrize("kind", SECRETS)
def test_no_secrets_are_stored(path: Path, kind: str) -> None:
    """Nothing in the file looks like a secret or tells whose machine it comes from."""
    found = SECRETS[kind].search(path.read_text(encoding="utf-8"))
    assert found is None, f"{path.name} holds {kind}: {found[0]!r}"


def test_code_is_python_once_its_magics_are_expanded(notebook: Any) -> None:
    """Every cell can be parsed, so that no typing error waits in the middle of the tour."""
    from IPython.core.inputtransformer2 import TransformerManager

    for cell in code(notebook):
        compile(
            TransformerManager().transform_cell(cell.source),
            "<cell>",
            "exec",
            flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT,
        )
