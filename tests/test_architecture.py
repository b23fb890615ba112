"""The plan of the house, held against the code: floors, opening sentences, and single import points."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "tcnb"
MODULES = sorted(PACKAGE.rglob("*.py"))

FLOORS = {
    "_version": 0,
    "arguments": 0,
    "console": 0,
    "errors": 0,
    "files": 0,
    "locks": 0,
    "secret": 0,
    "nesting": 0,
    "network": 0,
    "threads": 0,
    "types": 0,
    "import_paths": 0,
    "enums": 1,
    "exceptions": 1,
    "markup": 1,
    "methods": 1,
    "wire": 1,
    "archive": 2,
    "client": 2,
    "filters": 2,
    "formatting": 2,
    "fsm": 2,
    "journal": 2,
    "middleware": 2,
    "practice": 2,
    "record": 2,
    "routing": 2,
    "status": 2,
    "utils": 2,
    "compat": 3,
    "session": 3,
    "analysis": 4,
    "notebook": 4,
    "commands": 5,
}
"""Rooms by floor, from the ground; nobody imports upwards."""

NEVER_IN_PRACTICE = {
    "analysis",
    "archive",
    "client",
    "journal",
    "network",
    "notebook",
    "record",
    "routing",
    "session",
    "status",
}
"""A server that shares its client's code proves nothing."""


def room(path: Path) -> str:
    """Return the room that a file is in."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported_rooms(tree: ast.AST) -> set[str]:
    """Return the rooms that are imported when the module is: not inside functions, not for types alone."""
    found = set()
    waiting = list(ast.iter_child_nodes(tree))
    while waiting:
        node = waiting.pop()
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            continue
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "tcnb":
            parts = node.module.split(".")
            found |= {parts[1]} if len(parts) > 1 else {alias.name for alias in node.names}
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[1] for alias in node.names if alias.name.startswith("tcnb.")}
        waiting.extend(ast.iter_child_nodes(node))
    return found


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_nobody_imports_upwards(path):
    """A module imports only from its own floor and those below."""
    if room(path) in ("__init__", "__main__"):
        return
    tree = ast.parse(path.read_text(encoding="utf-8"))
    above = {other for other in imported_rooms(tree) if FLOORS.get(other, 0) > FLOORS[room(path)]}
    assert not above


@pytest.mark.parametrize("path", sorted((PACKAGE / "practice").glob("*.py")), ids=lambda path: path.name)
def test_practice_server_shares_nothing_with_the_client(path):
    """The practice server knows only types, wire and errors."""
    assert not imported_rooms(ast.parse(path.read_text(encoding="utf-8"))) & NEVER_IN_PRACTICE


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_every_file_opens_with_a_sentence(path):
    """Each module says in its first sentence what lives there."""
    assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))


def test_httpx_has_one_import_point():
    """Only one module imports httpx, so that it can be replaced."""
    importing = [
        path.name
        for path in MODULES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if (isinstance(node, ast.Import) and any(alias.name.split(".")[0] == "httpx" for alias in node.names))
        or (isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "httpx")
    ]
    assert set(importing) == {"http.py"}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_threads_have_one_home(path):
    """Threads and pools of threads are made in one module, which has debuggers leave them alone."""
    if path.name == "threads.py":
        return
    makers = {"Thread", "ThreadPoolExecutor", "start_new_thread", "to_thread", "set_default_executor"}
    calls = [node.func for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]
    made = {ast.unparse(call) for call in calls if isinstance(call, ast.Attribute) and call.attr in makers}
    made |= {call.id for call in calls if isinstance(call, ast.Name) and call.id in makers - {"to_thread"}}
    assert made <= {"self.loop.set_default_executor"}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_locks_survive_forks(path):
    """Every lock that lives longer than a call is known to the module that frees locks in forked children."""
    if path.name in ("locks.py", "threads.py"):
        return
    tree = ast.parse(path.read_text(encoding="utf-8"))
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    known = {id(inner) for call in calls if ast.unparse(call.func) == "fork_safe" for inner in ast.walk(call)}
    made = [call for call in calls if ast.unparse(call.func) in ("threading.Lock", "threading.RLock")]
    # The condition that the parts of a session share has such a lock inside.
    bare = [call for call in calls if ast.unparse(call.func) == "threading.Condition" and not call.args]
    lasting = [call for call in made if id(call) not in known]
    assert not bare
    assert len(lasting) <= (path.relative_to(PACKAGE) == Path("client", "thread.py"))


def test_public_names_exist():
    """Every public name can be had, and the list of them is complete."""
    import tcnb

    for name in tcnb.__all__:
        assert getattr(tcnb, name) is not None
    with pytest.raises(AttributeError, match="nothing_like_it"):
        _ = tcnb.nothing_like_it


def test_sections_of_the_protocol_are_on_its_page():
    """Each section of the protocol that a comment names stands on the page about it."""
    page = (PACKAGE.parent / "docs" / "protocol.md").read_text(encoding="utf-8")
    there = set(re.findall(r"^(?:## |\| )(\d+(?:\.\d+)?)[. ]", page, re.MULTILINE))
    named = {
        number
        for path in (*MODULES, *PACKAGE.rglob("*.js"), *(PACKAGE.parent / "docs").glob("*.md"))
        for numbers in re.findall(
            r"protocol`?,? sections? ((?:\d+(?:\.\d+)?(?:, | to | and )?)+)", path.read_text(encoding="utf-8")
        )
        for number in re.findall(r"\d+(?:\.\d+)?", numbers)
    }
    assert len(named) > 50
    assert named <= there
