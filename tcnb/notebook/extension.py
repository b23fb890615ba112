"""What `%load_ext tcnb` puts into a shell and `%unload_ext tcnb` takes out again; no I/O, and nothing is printed."""

from __future__ import annotations

import importlib
import sys
from typing import Any

from tcnb.errors import UsageError
from tcnb.notebook import messages
from tcnb.notebook.magics import transforms
from tcnb.notebook.magics.completion import complete_column, complete_magic
from tcnb.notebook.magics.data import DataMagics
from tcnb.notebook.magics.magics import TcnbMagics
from tcnb.notebook.magics.verbs import VERBS
from tcnb.notebook.magics.widgets import WidgetMagics

MAGICS = (TcnbMagics, DataMagics, WidgetMagics)
MATCHERS = (complete_magic, complete_column)


def load(ipython: Any) -> None:
    """Register the magics, their completion and their input transformations in a shell; a second time changes nothing.

    Connections that live from an earlier loading are found again.

    Raises:
        UsageError: the loading cell goes on with a text that ends in `?`, which IPython has already taken for a
            question about its last word; it would be lost in silence.
    """
    if _is_loaded(ipython):
        return
    _refuse_cell_with_questions(ipython)
    for magics in MAGICS:
        ipython.register_magics(magics)
    ipython.input_transformer_manager.token_transformers.append(transforms.MagicLine)
    ipython.input_transformers_post.append(transforms.silence)
    ipython.Completer.custom_matchers.extend(MATCHERS)
    ipython.events.register("pre_run_cell", _offer_analyses)
    if "pandas" in sys.modules:  # otherwise importing it would take half a second
        importlib.import_module("tcnb.analysis.accessor").register()


def unload(ipython: Any) -> None:
    """Take everything out of a shell that `load` put in; connections stay open, as plain Python objects."""
    for table in ipython.magics_manager.magics.values():
        for name in VERBS:
            table.pop(name, None)
    for magics in MAGICS:
        ipython.magics_manager.registry.pop(magics.__name__, None)
    _remove(ipython.input_transformer_manager.token_transformers, transforms.MagicLine)
    _remove(ipython.input_transformers_post, transforms.silence)
    for matcher in MATCHERS:
        _remove(ipython.Completer.custom_matchers, matcher)
    if _offer_analyses in ipython.events.callbacks["pre_run_cell"]:
        ipython.events.unregister("pre_run_cell", _offer_analyses)


def _offer_analyses(info: Any) -> None:
    """Before a cell that names them, see to it that frames which no session made have the analyses, too."""
    if ".tc." in (info.raw_cell or ""):
        importlib.import_module("tcnb.analysis.accessor").register()


def _refuse_cell_with_questions(ipython: Any) -> None:
    inputs = ipython.history_manager.input_hist_raw if ipython.history_manager else []
    if inputs and (line := transforms.question_in_loading_cell(inputs[-1])) is not None:
        raise UsageError(messages.question_in_the_loading_cell(line))


def _is_loaded(ipython: Any) -> bool:
    return transforms.MagicLine in ipython.input_transformer_manager.token_transformers


def _remove(items: list[Any], item: Any) -> None:
    if item in items:
        items.remove(item)
