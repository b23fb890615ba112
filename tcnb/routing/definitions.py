"""Where something that is registered was defined and registered, so that running a cell or file again replaces it.

Two registrations of one run never replace each other, whatever their names are: a function that makes routers may be
called many times, a method be registered for several objects. Only a later run of the same code replaces.
"""

from __future__ import annotations

import functools
import inspect
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import BuiltinMethodType, CodeType, FrameType
from typing import Any, Final, NamedTuple, Protocol, TypeVar


class Registered(Protocol):
    """Something that is registered."""

    @property
    def definition(self) -> Definition: ...


T = TypeVar("T", bound=Registered)

_OURS: Final = __name__.partition(".")[0]

_KERNELS_FOLDER: Final = re.compile(r"ipykernel_\d+")
"""The folder of the files that a kernel names cells after: they may be there, and are none of a person's."""

_PROMPTS: Final = re.compile(r"^<(stdin|console|python-input-\d+)>$")
"""How Python's own prompt names what is typed there, which says nothing of what it is."""

_COUNTED: Final = re.compile(r"^<ipython-input-\d+-")
"""How a terminal names cells: by a number, which is another one each time, and by what is in them."""


class Run(NamedTuple):
    """One run of a cell or a file, in which something is registered.

    Attributes:
        token: the same object for everything that this run registers; None where no cell and no file runs, as in a
            handler.
        site: what runs; None where that is not known.
        is_cell: whether it is a cell of a notebook.
    """

    token: object = None
    site: object = None
    is_cell: bool = False

    def repeats(self, other: Run) -> bool:
        """Tell whether this is another run of the same cell or file."""
        return self.token is not other.token and self.site is not None and self.site == other.site

    def takes_name_of(self, other: Run) -> bool:
        """Tell whether what this run names takes the place of what another one named so: in a notebook, or repeated."""
        return self.repeats(other) or (self.token is not other.token and self.is_cell and other.is_cell)


def current_run() -> Run:
    """Return the run of a cell or file that has led to this call."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and not _is_top_level(frame.f_code):
        frame = frame.f_back
    if frame is None:
        return Run()
    code, filename = frame.f_code, _COUNTED.sub("<ipython-input-", frame.f_code.co_filename)
    if _is_file(filename):
        return Run(code, filename)
    if _PROMPTS.match(filename):
        return Run(code, None, is_cell=True)
    info = _cell_info(frame)
    if info is None:
        return Run(code, (filename, frame.f_lineno), is_cell=True)
    cell_id = getattr(info, "cell_id", None)
    return Run(info, filename if cell_id is None else ("cell", cell_id), is_cell=True)


class Definition:
    """Which function, method or object is registered, and which code it is made of.

    Args:
        thing: what is registered.

    Attributes:
        name: what it is called, for people.
        run: the run that registers it.
        is_redefined: whether it took the place of what an earlier run had registered.
    """

    def __init__(self, thing: Any) -> None:
        self.run = current_run()
        self.is_redefined = False
        self._thing = thing
        origin = origin_of(thing)
        self.name = str(getattr(origin, "__name__", type(origin).__name__))
        self._qualname = str(getattr(origin, "__qualname__", type(origin).__qualname__))
        self._made_of: object = _code_of(origin) or type(origin)
        module = str(getattr(origin, "__module__", ""))
        # Importing and reloading give a module another spec each time; what runs as a script or a cell keeps its own.
        spec = None if module == "__main__" else getattr(sys.modules.get(module), "__spec__", None)
        self._compilation: object = spec or self.run.token
        # All cells are one place; files that `%run` runs are called like the notebook, but are places of their own.
        self._place = self._filename if module == "__main__" and _is_file(self._filename) else module

    @property
    def is_ours(self) -> bool:
        """Whether it is a part of tcnb itself."""
        return self._place.partition(".")[0] == _OURS

    def is_same(self, other: Definition) -> bool:
        """Tell whether the very same function or object is registered, or the same method of the same object."""
        ours, theirs = self._thing, other._thing
        if ours is theirs:
            return True
        if isinstance(ours, BuiltinMethodType):
            return isinstance(theirs, BuiltinMethodType) and ours == theirs
        function = getattr(ours, "__func__", None)
        is_same_method = function is not None and function is getattr(theirs, "__func__", None)
        return is_same_method and ours.__self__ is theirs.__self__

    def has_name_of(self, other: Definition) -> bool:
        """Tell whether it is called the same in the same module or notebook."""
        return (self._place, self._qualname) == (other._place, other._qualname)

    def repeats(self, other: Definition) -> bool:
        """Tell whether this is the other one, registered by a later run of the same code, or defined anew by one."""
        if not self.has_name_of(other):
            return False
        if self._made_of is other._made_of:
            return self.run.repeats(other.run)
        if self._is_of_cell and self._is_nameless:
            return self.run.repeats(other.run)
        if not isinstance(self._made_of, CodeType) or not isinstance(other._made_of, CodeType):
            return self._compilation is not other._compilation
        return self._is_compiled_after(other)

    def replaces(self, other: Definition) -> bool:
        """Tell whether this takes the other one's place: it is the same, or registered again by a later run."""
        return self.is_same(other) or self.repeats(other)

    def may_stand_for(self, other: Definition) -> bool:
        """Tell whether this and the other one are functions without a name, defined by cells that have run in turn."""
        both = self._is_nameless and self._is_of_cell and self.has_name_of(other)
        return both and self.run.takes_name_of(other.run)

    def _is_compiled_after(self, other: Definition) -> bool:
        """Tell whether the other one's code is of an earlier compilation of the same module or notebook."""
        if self._filename != other._filename:
            return True
        is_elsewhere = _position(self._made_of) != _position(other._made_of)
        if is_elsewhere and self._is_of_cell and not self._filename.startswith("<"):
            return False  # cells are named after what is in them: these two stand in one
        # In a file, one that stands elsewhere may be another function of that name, or the same one after an edit.
        return self._compilation is not other._compilation

    @property
    def _filename(self) -> str:
        filename = self._made_of.co_filename if isinstance(self._made_of, CodeType) else ""
        return _COUNTED.sub("<ipython-input-", filename)

    @property
    def _is_of_cell(self) -> bool:
        return self._place == "__main__"

    @property
    def _is_nameless(self) -> bool:
        return self._qualname.endswith("<lambda>")


def placed(there: Sequence[T], new: T, is_replaced: Callable[[T], bool]) -> tuple[T, ...]:
    """Return what was registered with something new in the place of the first that it replaces, or as the last.

    Of several that have one name the first takes the place of all that an earlier run registered; the others of its run
    then belong behind what that has registered anew so far.

    Args:
        there: what was registered, in order.
        new: what is registered now.
        is_replaced: whether that takes the place of one of those.
    """
    definition = new.definition
    gone = {n for n, one in enumerate(there) if is_replaced(one)}
    anew = [
        n
        for n, one in enumerate(there)
        if one.definition.is_redefined and one.definition.run.token is definition.run.token
    ]
    has_namesake = any(definition.has_name_of(there[n].definition) for n in anew)
    definition.is_redefined = bool(gone) or has_namesake
    at = min(gone) if gone else anew[-1] + 1 if has_namesake else len(there)
    before, behind = ([one for n, one in part if n not in gone] for part in _halves(there, at))
    return (*before, new, *behind)


def _halves(there: Sequence[T], at: int) -> tuple[list[tuple[int, T]], list[tuple[int, T]]]:
    numbered = list(enumerate(there))
    return numbered[:at], numbered[at:]


def origin_of(thing: Any) -> Any:
    """Return what was written: below decorators, partial applications and methods."""
    while isinstance(thing, functools.partial):
        thing = thing.func
    return inspect.unwrap(thing)


def _code_of(origin: Any) -> CodeType | None:
    """Return the code of a function; of an object, that of the first function in the body of its class."""
    holder = origin if isinstance(origin, type) else type(origin)
    for function in (origin, *vars(holder).values()):
        code = getattr(getattr(function, "__func__", function), "__code__", None)
        if isinstance(code, CodeType):
            return code
    return None


def _position(code: Any) -> object:
    """Return where code stands in its file: its line, and for functions without a name the place in that."""
    return code.co_firstlineno, tuple(code.co_positions()) if code.co_name == "<lambda>" else None


def _is_top_level(code: CodeType) -> bool:
    """Tell whether code is that of a whole cell or file; what is executed from a text belongs to whatever does that."""
    name = code.co_filename
    is_text = name.startswith("<") and not (_COUNTED.match(name) or _PROMPTS.match(name))
    return code.co_name == "<module>" and not is_text


def _is_file(filename: str) -> bool:
    path = Path(filename)
    return not _KERNELS_FOLDER.fullmatch(path.parent.name) and path.is_file()


def _cell_info(frame: FrameType) -> object:
    """Return what IPython knows of the cell whose code runs in a frame: the same object as long as that cell runs."""
    outer = frame.f_back
    while outer is not None:
        if outer.f_code.co_name == "run_cell_async":
            return outer.f_locals.get("info")
        outer = outer.f_back
    return None
