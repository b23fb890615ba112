"""What an output holds beside the live view of a widget, and whether anybody can see that view."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from tcnb.console import printable

WIDGET_VIEW: Final = "application/vnd.jupyter.widget-view+json"

MEMORY: Final = ":memory:"
"""Where nbclient has its kernels keep the history of their cells, so that none is left behind."""

Bundle = tuple[dict[str, Any], dict[str, Any]]


def with_still(bundle: Bundle | dict[str, Any], html: str, text: str) -> Bundle:
    """Add to the live view a still for saved notebooks (GitHub, nbconvert) and a text for terminals.

    nbclient keeps the state of every widget, and nbconvert then prefers the live view, which a page without a network
    cannot draw: there the still stands alone.
    """
    data, metadata = bundle if isinstance(bundle, tuple) else (bundle, {})
    data = {**data, "text/html": html, "text/plain": printable(text)}
    if is_unseen(_shell()):
        data.pop(WIDGET_VIEW, None)
    return data, metadata


def is_unseen(shell: Any) -> bool:
    """Whether a notebook is executed without a page, by nbclient (nbconvert, papermill).

    Nothing says so itself. There the kernel keeps no history on disk, and what is asked of it comes from Python's
    `jupyter_client`, which begins the id of a message with its session, and names no cell. Where one of these does not
    hold, somebody may be looking: JupyterLab, Notebook and VS Code name their cell, Voilà has a history on disk.
    """
    if getattr(getattr(shell, "history_manager", None), "hist_file", None) != MEMORY:
        return False
    request: Mapping[str, Any] = getattr(shell, "get_parent", dict)() or {}
    header = request.get("header") or {}
    is_of_python = str(header.get("msg_id")).startswith(f"{header.get('session')}_")
    return is_of_python and "cellId" not in (request.get("metadata") or {})


def _shell() -> Any:
    from IPython.core.getipython import get_ipython

    return get_ipython()
