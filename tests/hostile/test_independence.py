"""A hostile server and a breaking network that shared code with what they break would prove nothing."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = (
    *("tests/hostile/wire.py", "tests/hostile/server.py", "tests/hostile/http_answers.py"),
    *("tests/hostile/socket_answers.py", "tests/chaos/network.py"),
)


@pytest.mark.parametrize("name", FILES)
def test_nothing_of_the_product_is_imported(name: str) -> None:
    """They import the standard library and one another."""
    tree = ast.parse((ROOT / name).read_text(encoding="utf-8"))
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    modules = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    modules |= {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}
    assert not {one for one in modules if one.split(".")[0] in ("tcnb", "websockets", "httpx", "tornado")}
