"""What can be said of a session at one moment, and how it is shown; nothing is measured here."""

from __future__ import annotations

import html
import time
from dataclasses import dataclass
from typing import Any, Final

from tcnb.client.statistics import Reconnect

_GROUPS: Final[dict[str, tuple[str, ...]]] = {
    "connection": (
        *("state", "reason", "connected_since", "latency", "reconnects", "healed", "chats_problem"),
        *("sendings_recovered", "sendings_repeated", "sendings_unknown"),
    ),
    "events": (
        *("events", "received", "committed", "acknowledged", "uncommitted", "redelivered", "duplicates"),
        *("unknown", "undecodable", "incomplete", "malformed", "failures"),
    ),
    "absences": (
        *("catching_up", "gaps_found", "gaps_filled", "gaps_left", "gaps_reason", "messages_filled"),
        *("edits_found", "edits_unmatched", "removals_found"),
    ),
    "handlers": ("handlers", "handled", "waiting", "handler_failures", "overflowed"),
    "journal": ("journal", "journal_size", "journal_problem"),
}
"""The fields by group, in the order in which they are shown."""

_ALWAYS: Final = frozenset({"events", "received", "committed", "acknowledged", "gaps_found", "gaps_filled"})
"""Fields that are shown when they are zero as well."""

_ALARMING: Final = frozenset(
    {
        *(
            "reason",
            "chats_problem",
            "sendings_unknown",
            "undecodable",
            "malformed",
            "failures",
            "gaps_left",
            "gaps_reason",
        ),
        *("handler_failures", "overflowed", "journal_problem"),
    }
)
"""Fields that tell of something wrong when they say anything."""

_SHOWN: Final = 3
"""Breaks that are shown one by one, the last ones."""


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
        reconnects: how often the connection was made again.
        last_break: when and why it broke last.
        healed: the breaks after which it was made again, the last hundred: when, why, for how long.
        chats_problem: why the list of chats may lack some, so that titles are not trusted; None where it does not.
        sendings_recovered: sendings whose answer was lost, and which were found in their chats.
        sendings_repeated: sendings that were sent again because they were not there.
        sendings_unknown: sendings of which nobody can say whether they were carried out; their callers were told.
        events: rows in the record.
        received: notifications that came.
        committed: events of this session that are in the journal.
        acknowledged: notifications whose acknowledgement was sent.
        uncommitted: events that came and are not in the journal yet, and therefore not acknowledged.
        redelivered: messages that came again because they had not been read.
        duplicates: messages that came again and were recognised.
        unknown: notifications of a kind this version does not know, kept as rows.
        undecodable: notifications whose content could not be read, kept as rows.
        incomplete: notifications of which something needed was missing, kept as rows with what there was.
        malformed: texts that were no frames, kept as rows.
        failures: events that could not be recorded; notifications among them were not acknowledged.
        catching_up: how far looking back is; None while nothing is looked for.
        gaps_found: how often a chat lacked messages after an absence.
        gaps_filled: how often it lacked none any more.
        gaps_left: chats that may still lack messages; the next connection looks again.
        gaps_reason: why.
        messages_filled: messages that were missing and were read from the history.
        edits_found: edits that the history showed, or whose message it showed.
        edits_unmatched: edits whose message could not be told.
        removals_found: removals that the history showed.
        handlers: functions that events may reach.
        handled: events that a handler was called for.
        waiting: events that wait for a handler to be done with what came before them in their chat.
        handler_failures: exceptions in handlers and in what belongs to them; the last ones are in `tc.router.failures`.
        overflowed: events that no handler got, because too many were waiting in their chat.
        journal: the file that keeps every event; None where they are kept in memory alone.
        journal_size: its bytes on the disk.
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
    healed: tuple[Reconnect, ...] = ()
    chats_problem: str | None = None
    sendings_recovered: int = 0
    sendings_repeated: int = 0
    sendings_unknown: int = 0
    acknowledged: int = 0
    redelivered: int = 0
    incomplete: int = 0
    catching_up: str | None = None
    gaps_found: int = 0
    gaps_filled: int = 0
    gaps_left: int = 0
    gaps_reason: str | None = None
    messages_filled: int = 0
    edits_found: int = 0
    edits_unmatched: int = 0
    removals_found: int = 0

    def groups(self) -> dict[str, list[tuple[str, str, bool]]]:
        """Return by group label, text, and whether it is alarming, of what is worth showing.

        Zeros and what is not known are left out, and so are groups that have nothing to say.
        """
        found = {group: [row for name in names for row in self._rows(name)] for group, names in _GROUPS.items()}
        if self.journal is None:
            found["events"] = [row for row in found["events"] if row[0] != "committed"]
            found["journal"] = [("journal", "none: events are kept in memory alone", False)]
        if not self.handlers:
            found["handlers"] = []
        return {group: rows for group, rows in found.items() if rows}

    def __repr__(self) -> str:
        groups = self.groups()
        width = max(len(label) for rows in groups.values() for label, _, _ in rows)
        lines = [f"{self.name}: {self.account} at {self.server}"]
        for group, rows in groups.items():
            lines.append(group)
            lines += [f"  {label:<{width}}  {text}{'  (!)' if alarming else ''}" for label, text, alarming in rows]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        sections = "".join(
            f'<tbody><tr><th colspan="2" scope="rowgroup" style="{_GROUP_STYLE}">{html.escape(group)}</th></tr>'
            + "".join(_html_row(*row) for row in rows)
            + "</tbody>"
            for group, rows in self.groups().items()
        )
        title = f"<b>{html.escape(self.name)}</b>: {html.escape(self.account)} at {html.escape(self.server)}"
        return f'<table><caption style="{_TITLE_STYLE}">{title}</caption>{sections}</table>'

    def _rows(self, name: str) -> list[tuple[str, str, bool]]:
        value = getattr(self, name)
        if name == "healed":
            return [
                (_clock(one.at), f"{one.reason} (back after {_duration(one.seconds)})", False)
                for one in value[-_SHOWN:]
            ]
        if value is None or (value == 0 and name not in _ALWAYS):
            return []
        return [(name.replace("_", " "), _text(name, value), name in _ALARMING)]


_GROUP_STYLE: Final = "text-align:left;padding-top:.7em"
_TITLE_STYLE: Final = "text-align:left;caption-side:top;color:inherit;white-space:nowrap"
_LABEL_STYLE: Final = "text-align:left;vertical-align:top;font-weight:normal;padding-left:1.5em;white-space:nowrap"
_CELL_STYLE: Final = "text-align:left;vertical-align:top;white-space:pre-wrap;overflow-wrap:anywhere"
_ALARM_STYLE: Final = "color:var(--vscode-errorForeground, var(--jp-error-color1, #b3261e));font-weight:600"


def _html_row(label: str, text: str, alarming: bool) -> str:
    value = f'<span style="{_ALARM_STYLE}">{html.escape(text)}</span>' if alarming else html.escape(text)
    return (
        f'<tr><th scope="row" style="{_LABEL_STYLE}">{html.escape(label)}</th>'
        f'<td style="{_CELL_STYLE}">{value}</td></tr>'
    )


def _text(name: str, value: Any) -> str:
    """Return how a value is written."""
    if name == "connected_since":
        return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(value))
    if name == "latency":
        return f"{value * 1000:.1f} ms"
    if name == "journal_size":
        return readable_size(value)
    return f"{value:,}" if isinstance(value, int) else str(value)


def readable_size(count: int) -> str:
    """Return a number of bytes as people read it."""
    for unit in ("bytes", "KiB", "MiB"):
        if count < 1024:
            return f"{count:,.0f} {unit}" if unit == "bytes" else f"{count:,.1f} {unit}"
        count /= 1024  # type: ignore[assignment]
    return f"{count:,.1f} GiB"


def _duration(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 100 else f"{seconds / 60:,.0f} min"


def _clock(at: float) -> str:
    return time.strftime("%H:%M:%S", time.localtime(at))
