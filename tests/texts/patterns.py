"""The patterns of the package, found by themselves, and for each the texts that would cost it most."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path
from re import _constants as op  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

import tcnb

ROOT = Path(tcnb.__file__).parent
METHODS = ("search", "match", "fullmatch", "finditer", "findall", "sub", "subn", "split")
"""What a pattern is used by, and what functions of `re` are called."""

CHARACTERS = " \n\ta1A_-.:/<>\"'\\@&;=*[(,#я\u200d\x00é"
"""Among these is one of every kind that patterns tell apart."""

Pattern = tuple[str | bytes, int]
"""A pattern and its flags."""


def modules() -> Iterator[Any]:
    """Import every module of the package."""
    for found in pkgutil.walk_packages(tcnb.__path__, "tcnb."):
        if not found.name.endswith("__main__"):
            yield importlib.import_module(found.name)


def compiled() -> dict[Pattern, set[tuple[str, str]]]:
    """Return the patterns that modules and classes hold, with the modules and names where they do."""
    found: dict[Pattern, set[tuple[str, str]]] = {}
    for module in modules():
        own = (one for one in vars(module).values() if isinstance(one, type) and one.__module__ == module.__name__)
        for owner in (module, *own):
            for name, value in list(vars(owner).items()):
                if isinstance(value, re.Pattern):
                    found.setdefault((value.pattern, value.flags), set()).add((module.__name__, name))
    return found


def written() -> tuple[dict[Pattern, set[str]], set[str]]:
    """Return the patterns that stand in calls of `re`, with the functions called; and where one is made of parts."""
    found: dict[Pattern, set[str]] = {}
    made: set[str] = set()
    for path in sorted(ROOT.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not _is_call_of_re(node):
                continue
            try:
                pattern = ast.literal_eval(node.args[0])
                flags = _flags(node)
            except ValueError:
                made.add(f"{path.relative_to(ROOT)}: {ast.unparse(node.args[0])}")
                continue
            one = re.compile(pattern, flags)
            used = set() if node.func.attr == "compile" else {node.func.attr}
            found.setdefault((one.pattern, one.flags), set()).update(used)
    return found, made


def uses() -> dict[tuple[str, str], set[str]]:
    """Return by what methods something is called, by module and name."""
    found: dict[tuple[str, str], set[str]] = {}
    for path in sorted(ROOT.rglob("*.py")):
        module = ".".join(("tcnb", *path.relative_to(ROOT).with_suffix("").parts)).removesuffix(".__init__")
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Attribute) and node.attr in METHODS:
                name = node.value.id if isinstance(node.value, ast.Name) else getattr(node.value, "attr", "")
                found.setdefault((module, name), set()).add(node.attr)
    return found


def every() -> dict[Pattern, set[str]]:
    """Return every pattern of the package with the methods that it is used by; all of them where none is seen."""
    used = uses()
    found: dict[Pattern, set[str]] = {}
    for pattern, names in compiled().items():
        found.setdefault(pattern, set()).update(*(used.get(name, set()) for name in names))
    for pattern, methods in written()[0].items():
        found.setdefault(pattern, set()).update(methods)
    return {pattern: methods or set(METHODS) for pattern, methods in found.items()}


def texts(pattern: Pattern, size: int) -> Iterator[str | bytes]:
    """Give texts of about `size` characters: each part of the pattern repeated behind what leads to it, and in vain."""
    tree = parser.parse(pattern[0], pattern[1] & ~re.TEMPLATE if hasattr(re, "TEMPLATE") else pattern[1])
    seen: set[tuple[str, str, str]] = set()
    for before, part in _parts(tree):
        for unit in {part, before, before + part} - {""}:
            for start, end in ((before, "\x00"), ("", "\x00"), (before, "")):
                if (start, unit, end) not in seen:
                    seen.add((start, unit, end))
                    text = start + unit * (size // len(unit)) + end
                    yield text.encode("latin-1", "replace") if isinstance(pattern[0], bytes) else text


def _parts(tree: Any, before: str = "") -> Iterator[tuple[str, str]]:
    """Give each part that may be repeated, with a text that leads to it."""
    for code, argument in tree:
        if code in (op.MAX_REPEAT, op.MIN_REPEAT, op.POSSESSIVE_REPEAT):
            least, _, body = argument
            yield from _parts(body, before)
            for sample in _samples(body):
                yield before, sample
            before += _sample(body) * max(least, 0)
        elif code is op.BRANCH:
            for branch in argument[1]:
                yield before, _sample(branch)
                yield from _parts(branch, before)
            before += _sample(argument[1][0])
        elif code in (op.SUBPATTERN, op.ATOMIC_GROUP):
            body = argument[-1] if code is op.SUBPATTERN else argument
            yield from _parts(body, before)
            before += _sample(body)
        elif code in (op.ASSERT, op.ASSERT_NOT):
            yield from _parts(argument[1], before)
        else:
            before += _sample([(code, argument)])
    yield before, before


def _samples(tree: Any) -> list[str]:
    """Return texts that fit a part: of a set of characters one of each kind, otherwise one."""
    if len(tree) == 1 and tree[0][0] in (op.IN, op.ANY, op.NOT_LITERAL):
        return [character for character in CHARACTERS if _fits(tree[0], character)] or [_sample(tree)]
    return [_sample(tree)]


def _sample(tree: Any) -> str:
    """Return a short text that fits a part."""
    text = ""
    for code, argument in tree:
        if code is op.LITERAL:
            text += chr(argument)
        elif code in (op.IN, op.ANY, op.NOT_LITERAL):
            usual = (character for character in "a1 " + CHARACTERS if _fits((code, argument), character))
            text += next(usual, "") or _first(argument)
        elif code in (op.MAX_REPEAT, op.MIN_REPEAT, op.POSSESSIVE_REPEAT):
            text += _sample(argument[2]) * argument[0]
        elif code is op.BRANCH:
            text += _sample(argument[1][0])
        elif code is op.SUBPATTERN:
            text += _sample(argument[-1])
        elif code is op.ATOMIC_GROUP:
            text += _sample(argument)
    return text


def _first(members: Any) -> str:
    """Return a character of a set that has none of the usual ones."""
    for code, argument in members:
        if code is op.LITERAL:
            return chr(argument)
        if code is op.RANGE:
            return chr(argument[0])
    return "a"


def _fits(node: Any, character: str) -> bool:
    code, argument = node
    if code is op.ANY:
        return True
    if code is op.NOT_LITERAL:
        return argument != ord(character)
    is_negated, fits = False, False
    for kind, value in argument:
        if kind is op.NEGATE:
            is_negated = True
        elif kind is op.LITERAL:
            fits |= value == ord(character)
        elif kind is op.RANGE:
            fits |= value[0] <= ord(character) <= value[1]
        elif kind is op.CATEGORY:
            name = str(value).rpartition("_")[2]
            has = {"DIGIT": character.isdigit(), "SPACE": character.isspace()}.get(
                name, character.isalnum() or character == "_"
            )
            fits |= has is not ("_NOT_" in str(value))
    return fits is not is_negated


def _is_call_of_re(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "re"
        and node.func.attr in (*METHODS, "compile")
    )


def _flags(call: ast.Call) -> int:
    """Return the flags that a call names."""
    position = {
        "compile": 1,
        "search": 2,
        "match": 2,
        "fullmatch": 2,
        "finditer": 2,
        "findall": 2,
        "sub": 4,
        "split": 3,
    }
    given = [keyword.value for keyword in call.keywords if keyword.arg == "flags"]
    given += call.args[position[call.func.attr] :]  # type: ignore[attr-defined]
    return sum(
        int(getattr(re, node.attr)) for one in given for node in ast.walk(one) if isinstance(node, ast.Attribute)
    )
