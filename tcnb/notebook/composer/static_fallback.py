"""The composer where nothing is live: HTML for saved notebooks, text for terminals; the live view is elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, Final

from tcnb.console import one_line

SHOWN: Final = 5
"""Sendings in a still."""

_LONGEST: Final = 80
"""Characters of a name, a text or a reason in it."""

# GitHub removes style sheets, so each element carries its style, in colours that read on white and on black.
_FRAME: Final = (
    "border:1px solid #8884;border-radius:10px;padding:9px 14px;max-width:760px;"
    "font:14px/1.5 system-ui,-apple-system,'Segoe UI',Roboto,sans-serif"
)
_QUIET: Final = "font-size:12px;opacity:.7"
_LINE: Final = "overflow-wrap:anywhere"


def still_html(title: str | None, heading: str, sendings: Sequence[Mapping[str, Any]]) -> str:
    """Draw a composer as one self-contained piece of HTML: escaped, inline styles, no script, nothing fetched.

    Args:
        title: the chosen chat, where one is chosen.
        heading: connection and server.
        sendings: what was handed in, oldest first.
    """
    lines = [f'<div style="{_QUIET}">{_safe(heading)} · {_safe(_to(title))}</div>']
    lines += [f'<div style="{_LINE}">{_safe(line)}</div>' for line in map(_described, sendings[-SHOWN:])]
    if not sendings:
        lines.append(f'<div style="{_QUIET}">Nothing sent yet.</div>')
    return f'<div style="{_FRAME}">{"".join(lines)}</div>'


def still_text(title: str | None, heading: str, sendings: Sequence[Mapping[str, Any]]) -> str:
    """Draw a composer as lines for a terminal, where one sends with `%tc_send`; arguments as of `still_html`."""
    lines = [f"composer · {heading} · {_to(title)}", *map(_described, sendings[-SHOWN:])]
    return "\n".join([*lines, "(writing needs a notebook in a browser; here: %tc_send)"])


def _to(title: str | None) -> str:
    return f"to {one_line(title, _LONGEST)}" if title else "no chat chosen"


def _described(sending: Mapping[str, Any]) -> str:
    what = one_line(sending.get("name") or sending.get("text") or sending["kind"], _LONGEST)
    reason = (
        f": {one_line(sending['reason'], _LONGEST)}" if sending["state"] == "failed" and sending.get("reason") else ""
    )
    return f"{sending['state']}{reason} · {one_line(sending.get('chat') or sending['chat_id'], _LONGEST)} · {what}"


def _safe(text: str) -> str:
    return f"<bdi>{escape(text)}</bdi>"
