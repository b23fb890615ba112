"""What is done to a cell before it runs, so that a text may end in `?` and a `;` silences; no line is understood here.

IPython takes any line that ends in `?` for a question about the last word: `%tc_send crew are you there?` would show
help on `there` and send nothing. And it looks for a silencing `;` behind the Python that it makes of a magic, where
there is none. Both are put right here, for the magics of tcnb only.
"""

from __future__ import annotations

import ast
import re
import tokenize

from IPython.core.inputtransformer2 import (
    TokenTransformBase,
    assemble_continued_line,
    find_end_of_continued_line,
)

from tcnb.notebook.magics.grammar import split_silencer
from tcnb.notebook.magics.verbs import VERBS

_LINE = re.compile(r"%(tc_[a-z]+)(.*)", re.DOTALL)
_HELP = re.compile(r"%\w+\s*\?{1,2}\s*$")
_QUESTION = re.compile(r"^[ \t]*(?:\w+[ \t]*=[ \t]*)?%tc_[a-z]++[ \t].*\?[ \t]*$", re.MULTILINE)
_LOADING = re.compile(r"load_ext[ \t]+tcnb\b")
_CALLS = frozenset({"run_line_magic", "run_cell_magic"})


class MagicLine(TokenTransformBase):
    """Turns a line `%tc_verb …` or `name = %tc_verb …` into a call, whatever its text ends in."""

    # IPython's own HelpEnd has 5; of two that begin at the same place the smaller number goes first.
    priority = 4

    def __init__(self, start: tuple[int, int], magic_column: int) -> None:
        super().__init__(start)  # type: ignore[no-untyped-call]
        self.magic_column = magic_column

    @classmethod
    def find(cls, tokens_by_line: list[list[tokenize.TokenInfo]]) -> MagicLine | None:
        """Find the first such line in a cell's tokens."""
        for tokens in tokens_by_line:
            code = [token for token in tokens if token.type not in {tokenize.INDENT, tokenize.DEDENT}]
            sign = _magic_sign(code)
            if sign is not None and not _HELP.match(sign.line[sign.start[1] :]):
                return cls(code[0].start, sign.start[1])
        return None

    def transform(self, lines: list[str]) -> list[str]:
        """Replace the line by a call of the magic."""
        end = find_end_of_continued_line(lines, self.start_line)
        magic = _LINE.match(assemble_continued_line(lines, (self.start_line, self.magic_column), end))
        if magic is None:
            raise SyntaxError(lines[self.start_line])
        before = lines[self.start_line][: self.magic_column]
        call = f"get_ipython().run_line_magic({magic[1]!r}, {magic[2].strip()!r})\n"
        return [*lines[: self.start_line], before + call, *lines[end + 1 :]]


def question_in_loading_cell(cell: str) -> str | None:
    """Return the line behind `%load_ext tcnb` that IPython by itself takes for a question, if there is one."""
    loading = _LOADING.search(cell)
    found = _QUESTION.search(cell, loading.end()) if loading else None
    return found[0].strip() if found else None


def silence(lines: list[str]) -> list[str]:
    """Put a `;` behind the cell's last call if that is a magic of ours whose line ends in one."""
    last = next((at for at in reversed(range(len(lines))) if _is_code(lines[at])), None)
    if last is None or "_magic('tc_" not in lines[last] or not _is_silenced(lines[last].strip()):
        return lines
    return [*lines[:last], lines[last].rstrip() + ";\n", *lines[last + 1 :]]


def _is_code(line: str) -> bool:
    return bool(line.strip()) and not line.lstrip().startswith("#")


def _is_silenced(statement: str) -> bool:
    try:
        tree = ast.parse(statement)
    except SyntaxError:
        return False
    call = getattr(tree.body[0], "value", None) if len(tree.body) == 1 else None
    if not isinstance(call, ast.Call) or getattr(call.func, "attr", None) not in _CALLS or len(call.args) < 2:
        return False
    line = getattr(call.args[1], "value", None)
    return isinstance(line, str) and split_silencer(line)[1]


def _magic_sign(code: list[tokenize.TokenInfo]) -> tokenize.TokenInfo | None:
    """Return the `%` token of a line that is one of our magics, or an assignment from one."""
    first = 0
    if not code or code[0].string != "%":
        first = next((at + 1 for at, token in enumerate(code) if token.string == "="), len(code))
    if first + 1 < len(code) and code[first].string == "%" and code[first + 1].string in VERBS:
        return code[first]
    return None
