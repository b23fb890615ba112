"""What can be said of a session at one moment, and how it is shown; nothing is measured here."""

from __future__ import annotations

import html
import time
from dataclasses import dataclass, fields


@dataclass(frozen=True)
class Status:
    """A session at one moment.

    Attributes:
        name: name of the connection in this kernel.
        server: the server's address.
        account: the bot's user id.
        state: connecting, connected, reconnecting or closed.
        reason: why it is not connected.
        connected_since: seconds since the epoch.
        latency: seconds the last ping took.
        events: rows in the record.
        received: notifications that came.
        duplicates: messages that came again and were recognised.
        unknown: notifications of a kind this version does not know, kept as rows.
        undecodable: notifications whose content could not be read, kept as rows.
        malformed: texts that were no frames, kept as rows.
        failures: events that could not be recorded; notifications among them were not acknowledged.
        reconnects: how often the connection was made again.
        last_break: when and why it broke last.
        handlers: functions that events may reach.
        handled: events that a handler was called for.
        waiting: events that wait for a handler to be done with what came before them in their chat.
        handler_failures: exceptions in handlers and in what belongs to them; the last ones are in `tc.router.failures`.
        overflowed: events that no handler got, because too many were waiting in their chat.
        journal: the file that keeps every event; None where they are kept in memory alone.
        journal_size: its bytes on the disk.
        committed: events of this session that are in it.
        uncommitted: events that came and are not in it yet, and therefore not acknowledged.
        journal_problem: why nothing can be written into it just now.
    """

    name: str
    server: str
    account: str
    state: str
    reason: str | None
    connected_since: float | None
    latency: float | None
    events: int
    received: int
    duplicates: int
    unknown: int
    undecodable: int
    malformed: int
    failures: int
    reconnects: int
    last_break: str | None
    handlers: int
    handled: int
    waiting: int
    handler_failures: int
    overflowed: int
    journal: str | None = None
    journal_size: int | None = None
    committed: int = 0
    uncommitted: int = 0
    journal_problem: str | None = None

    def _rows(self) -> list[tuple[str, str]]:
        """Return label and text of what is worth showing; zeros and unknowns are left out."""
        shown = []
        for field in fields(self):
            value = getattr(self, field.name)
            if value is None or (value == 0 and field.name not in ("events", "received")):
                continue
            if field.name == "connected_since":
                value = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(value))
            elif field.name == "latency":
                value = f"{value * 1000:.1f} ms"
            elif isinstance(value, int):
                value = f"{value:,}"
            shown.append((field.name.replace("_", " "), str(value)))
        return shown

    def __repr__(self) -> str:
        rows = self._rows()
        width = max(len(label) for label, _ in rows)
        return "\n".join(f"{label:<{width}}  {text}" for label, text in rows)

    def _repr_html_(self) -> str:
        cells = "".join(
            f'<tr><th scope="row" style="text-align:left">{html.escape(label)}</th>'
            f'<td style="text-align:left">{html.escape(text)}</td></tr>'
            for label, text in self._rows()
        )
        return f"<table>{cells}</table>"
