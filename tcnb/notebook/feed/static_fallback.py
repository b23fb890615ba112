"""The feed where nothing is live: HTML for saved notebooks, a table for terminals; the live view is in `feed.py`."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo
from html import escape
from itertools import pairwise
from typing import Final

from tcnb.console import harmless, one_line
from tcnb.notebook.feed.rows import Row, forwarded_kind, is_own, kind_of
from tcnb.record.timeline import time_of

LONGEST_LINE: Final = 300
"""Characters of a text in a still; a saved notebook is no archive."""

# GitHub removes style sheets, so each element carries its style, in colours that read on white and on black.
_FRAME: Final = (
    "border:1px solid #8884;border-radius:10px;padding:4px 0 8px;max-width:760px;"
    "font:14px/1.45 system-ui,-apple-system,'Segoe UI',Roboto,sans-serif"
)
_HEADING: Final = "padding:6px 14px 8px;border-bottom:1px solid #8883;font-size:12px;opacity:.75"
_DAY: Final = "text-align:center;font-size:12px;opacity:.7;padding:8px 0 2px"
_LINE: Final = "padding:3px 14px 3px 46px;overflow-wrap:anywhere"
_SYSTEM: Final = "padding:2px 14px;text-align:center;font-size:12px;opacity:.75;overflow-wrap:anywhere"
_QUIET: Final = "font-size:12px;opacity:.7"
_BADGE: Final = (
    "display:inline-block;min-width:22px;text-align:center;border-radius:11px;color:#fff;font-size:11px;"
    "line-height:22px;margin:0 8px 0 -32px"
)


def still_html(rows: Sequence[Row], heading: str, me_id: str | None = None, zone: tzinfo | None = None) -> str:
    """Draw rows as one self-contained piece of HTML: escaped, inline styles, no script, nothing fetched.

    `rows` are rows of the record in the order of time; times are shown in `zone` (the kernel's own if None).
    """
    lines = [f'<div style="{_HEADING}">{_safe(heading)} · {_count(rows)}</div>']
    for before, row in pairwise([None, *rows]):
        assert row is not None
        if before is None or _day(before, zone) != _day(row, zone):
            lines.append(f'<div style="{_DAY}">{_day(row, zone)}</div>')
        lines.append(_html_line(row, me_id, zone))
    return f'<div style="{_FRAME}">{"".join(lines)}</div>'


def still_text(rows: Sequence[Row], heading: str, zone: tzinfo | None = None) -> str:
    """Draw rows as a text table for a terminal, under their days: time, chat, author, what happened."""
    lines = [_cells(row, zone) for row in rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    texts = [f"{heading} · {_count(rows)}"]
    for before, row, line in zip([None, *rows], rows, lines, strict=False):
        if before is None or _day(before, zone) != _day(row, zone):
            texts.append(_day(row, zone))
        texts.append("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
    return "\n".join(texts)


def _cells(row: Row, zone: tzinfo | None) -> tuple[str, str, str, str]:
    return _clock(row, zone), _cell(row.get("chat") or "", 18), _cell(_author(row), 18), _cell(describe(row), 60)


def _cell(text: object, length: int) -> str:
    """Return a text as a cell, which has no width but that of its characters."""
    return _shortened("".join(sign for sign in one_line(text) if sign.isprintable()), length)


def describe(row: Row) -> str:
    """Say in one English line what a row is about; `buttons` and `about` may stand in it beside the columns."""
    kind, text = kind_of(row), str(row.get("text") or "")
    if kind in ("text", "forward"):
        return _describe_text(row, text) if kind == "text" else f"forwarded: {_describe_forwarded(row, text)}"
    if kind in _FILE_WORDS:
        return _describe_file(kind, row, text)
    if kind == "location":
        return _describe_location(row)
    if kind == "survey":
        return _describe_survey(row, text)
    return _describe_event(kind, row, text)


def _describe_text(row: Row, text: str) -> str:
    return " ".join([text, *(f"[{one_line(label)}]" for label in row.get("buttons") or ())])


def _describe_forwarded(row: Row, text: str) -> str:
    kind = forwarded_kind(row)
    if kind == "location":
        return _describe_location(row)
    if kind == "survey":
        return _describe_survey(row, text)
    return text if kind == "text" else _describe_file(kind, row, text)


def _describe_file(kind: str, row: Row, text: str) -> str:
    return " · ".join(filter(None, [_FILE_WORDS[kind], _name(row, "file_name"), _size(row.get("file_size")), text]))


def _describe_location(row: Row) -> str:
    return f"location {row.get('latitude')}, {row.get('longitude')} {_name(row, 'title')}".rstrip()


def _describe_survey(row: Row, text: str) -> str:
    return f"{(_name(row, 'about') or 'survey').lower()}: {_name(row, 'title') or text}"


_FILE_WORDS: Final = {
    "photo": "photo",
    "sticker": "sticker",
    "video": "video",
    "audio": "audio",
    "file": "file",
    "contact": "contact card",
    "voice": "voice message",
}

_EVENT_WORDS: Final = {
    "edit": "edited a message: {text}",
    "remove": "removed a message",
    "join": "{user} joined",
    "leave": "{user} left",
    "role": "{user} is now {role}",
    "title": "renamed the chat: {title}",
    "avatar": "changed the chat's picture",
    "cleared": "cleared the history",
    "new_personal": "opened a personal chat",
    "new_group": "created a group chat: {title}",
    "new_channel": "created a channel: {title}",
    "new_favorites": "created the favorites",
    "chat_removed": "the chat was removed",
    "limits": "the server changed its upload limits",
    "progress": "uploading: {progress} bytes so far",
    "press": "a button was pressed: {text}",
}

# The server does not always say who (`protocol` sections 7.3 and 7.4).
_EVENT_WORDS_OF_NOBODY: Final = {"edit": "a message was edited: {text}", "remove": "a message was removed"}


def _describe_event(kind: str, row: Row, text: str) -> str:
    words = _EVENT_WORDS.get(kind) if _author(row) else _EVENT_WORDS_OF_NOBODY.get(kind, _EVENT_WORDS.get(kind))
    if words is None:
        return f"unknown event {_name(row, 'message_type') or _name(row, 'event')} {text}".rstrip()
    return words.format(
        text=text,
        user=_name(row, "user_id") or "somebody",
        role=_name(row, "role") or "?",
        title=_name(row, "title") or _name(row, "chat"),
        progress=row.get("progress") or 0,
    )


def _html_line(row: Row, me_id: str | None, zone: tzinfo | None) -> str:
    said = _safe(_shortened(describe(row), LONGEST_LINE))
    if kind_of(row) not in ("text", "forward", "location", "survey", *_FILE_WORDS):
        return f'<div style="{_SYSTEM}">{_safe(_author(row))} {said} · {_clock(row, zone)}</div>'
    author = _author(row)
    own = " · you" if is_own(row, me_id) else ""
    colour = _colour(str(row.get("author_id") or author))
    badge = f'<span style="{_BADGE};background:{colour}">{_safe(_initials(author))}</span>'
    about = f'<span style="{_QUIET}">{_safe(_name(row, "chat"))}{own} · {_clock(row, zone)}</span>'
    return f'<div style="{_LINE}" dir="auto">{badge}<b>{_safe(author)}</b> {about}<br>{said}</div>'


def _safe(value: object) -> str:
    """Escape for HTML; half surrogate pairs, which no file can hold, become question marks."""
    return escape(harmless(str(value)).encode("utf-8", "replace").decode())


def _author(row: Row) -> str:
    return _name(row, "author") or _name(row, "author_id")


def _name(row: Row, column: str) -> str:
    """Return what strangers call something, in one line, without marks that make it read otherwise."""
    return one_line(row.get(column) or "")


def _initials(name: str) -> str:
    words = [word for word in name.replace("@", " ").split() if word[0].isalnum()]
    return "".join(word[0] for word in words[:2]).upper() or "·"


def _colour(key: str) -> str:
    return f"hsl({zlib.crc32(key.encode('utf-8', 'replace')) % 360},45%,42%)"


def _moment(row: Row, zone: tzinfo | None) -> datetime:
    milliseconds = time_of(row.get("timestamp"), row.get("received") or 0)
    return datetime.fromtimestamp(milliseconds / 1000, UTC).astimezone(zone)


def _day(row: Row, zone: tzinfo | None) -> str:
    return _moment(row, zone).strftime("%d %B %Y")


def _clock(row: Row, zone: tzinfo | None) -> str:
    return _moment(row, zone).strftime("%H:%M:%S")


def _count(rows: Sequence[Row]) -> str:
    if not rows:
        return "no events yet"
    return "the only event" if len(rows) == 1 else f"last {len(rows)} events"


def _size(size: int | None) -> str:
    if size is None:
        return ""
    amount = float(size)
    for unit in ("B", "kB", "MB"):
        if amount < 1000:
            return f"{amount:.3g} {unit}"
        amount /= 1000
    return f"{amount:.3g} GB"


def _shortened(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"
