"""What can be said of a session at one moment: a verdict, the numbers, what they mean, and how they are shown."""

from __future__ import annotations

import html
import textwrap
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from tcnb.client.statistics import Reconnect
from tcnb.console import harmless, printable

_GROUPS: Final[dict[str, tuple[str, ...]]] = {
    "connection": (
        *("state", "reason", "connected_since", "latency", "reconnects", "healed", "chats_problem"),
        *("sendings_recovered", "sendings_repeated", "sendings_unknown"),
        *("internal_errors", "last_internal_error"),
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
        *("handler_failures", "overflowed", "journal_problem", "internal_errors", "last_internal_error"),
    }
)
"""Fields that tell of something wrong when they say anything."""

_SHOWN: Final = 3
"""Breaks that are shown one by one, the last ones."""

_LARGE_LOG: Final = 2**20
"""Bytes of the write-ahead log from which on it is spoken of; a smaller one stays until the session is closed."""

_SLOW: Final = 1.0
"""Seconds of a ping from which on it is explained."""

_WIDTH: Final = 110
"""Characters of a line in the terminal."""

_MEANINGS: Final[dict[str, str]] = {
    "reconnects": "The connection broke and was made again by itself; nothing is lost by that. If it happens often, "
    "look at the reasons and run: python -m tcnb doctor",
    "sendings_recovered": "The reply to these sends was lost, and the messages were found in their chats: they were "
    "sent once. Nothing to do.",
    "sendings_repeated": "These sends had not arrived when the connection broke, and were sent again. Nothing to do.",
    "sendings_unknown": "Nobody can tell whether these sends arrived; each caller got an OutcomeUnknownError. Look "
    "into the chat before you send again.",
    "acknowledged": "What is received and not acknowledged is on its way, or still unread on the server, which sends "
    "such messages again at the next connection: nothing is lost.",
    "uncommitted": "These came and are on their way into the journal; then they are acknowledged. If the number stays, "
    "the disk is slow or stuck.",
    "redelivered": "These messages came while the bot was away, and the server sent them again. Nothing to do.",
    "duplicates": "These came more than once and are in tc.df once. Nothing to do.",
    "unknown": "This version of tcnb does not know these kinds of notifications; they are kept as rows. Update tcnb.",
    "undecodable": "The content of these could not be read; they are rows with the event unknown, and byte for byte in "
    "the journal. Please report them.",
    "incomplete": "These lacked something, or claimed a time that cannot be; the rest is in their rows. Nothing to do.",
    "malformed": "These are no frames of the connector; they are kept as rows with the event unknown. Something "
    "between here and the server, a proxy for instance, may change what it carries.",
    "failures": "These are not in tc.df. Messages among them are not acknowledged, so the server sends them again. The "
    "log of tcnb.record says why.",
    "chats_problem": "Chats may be missing from the list, so titles are refused; ids and logins work. The list is read "
    "again when the next title is looked up.",
    "catching_up": "Messages of an absence are being read from the history, in the background.",
    "gaps_left": "These chats may lack messages of an absence. The next connection looks again; tc.history(chat) reads "
    "them now.",
    "edits_unmatched": "The message of these edits was not found, so its text in tc.messages may be the old one.",
    "removals_found": "These messages were deleted while the bot was away.",
    "waiting": "These wait until the handlers are done with what came before them in their chat. If the number stays "
    "or grows, a handler is slow or stuck.",
    "handler_failures": "These are exceptions in handlers, middlewares and listeners, and errors inside tcnb: "
    "print(tc.router.failures[-1]) shows the last one.",
    "internal_errors": "Something inside tcnb failed that nobody expected, and went on. Please report it with the last "
    "of them, whose traceback is in tc.router.failures.",
    "overflowed": "Too many events waited in their chats, so no handler got these; they are in tc.df. Make the "
    "handlers faster.",
}
"""What a number means that could alarm, and what to do about it."""


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
        incomplete: notifications of which something needed was missing, or that claimed a time that cannot be, kept as
            rows with what there was.
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
        handler_failures: exceptions in handlers, in what belongs to them, and in listeners, with the internal errors;
            the last ones are in `tc.router.failures`.
        overflowed: events that no handler got, because too many were waiting in their chat.
        journal: the file that keeps every event; None where they are kept in memory alone.
        internal_errors: errors inside tcnb that nobody expected, after which it went on.
        last_internal_error: the last of them; its traceback is in `tc.router.failures`.
        journal_size: its bytes on the disk, with those of the write-ahead log.
        journal_log_size: those of them that are in the log, which is moved into the file when nothing comes.
        journal_problem: why nothing can be written into it just now, or what became of it while it was in use.
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
    journal_log_size: int | None = None
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
    internal_errors: int = 0
    last_internal_error: str | None = None

    @property
    def problems(self) -> list[str]:
        """What is wrong, the gravest first, one sentence each with what to do; empty if all is well."""
        return [sentence for trouble in _TROUBLES if (sentence := trouble(self)) is not None]

    @property
    def verdict(self) -> str:
        """Whether all is well; otherwise what is not, the gravest first."""
        return f"not all well: {self.problems[0]}" if self.problems else "all well"

    def meaning(self, name: str) -> str | None:
        """Return what a field's value means where it could alarm, and what to do; None where it speaks for itself."""
        value = getattr(self, name)
        if name == "acknowledged":
            return _MEANINGS[name] if value < self.received else None
        if name == "journal_size" and (self.journal_log_size or 0) >= _LARGE_LOG:
            return (
                "The write-ahead log is moved into the file and emptied when nothing comes for a second. Nothing to do."
            )
        if name == "latency" and value is not None and value >= _SLOW:
            return "The server took so long to answer a ping: the network or the server is slow."
        return _MEANINGS.get(name) if value else None

    def groups(self) -> dict[str, list[tuple[str, str, bool]]]:
        """Return by group label, text, and whether it is alarming, of what is worth showing.

        Zeros and what is not known are left out, and so are groups that have nothing to say.
        """
        found = {group: [row for name in names for row in self._rows(name)] for group, names in _GROUPS.items()}
        if self.journal is None:
            found["events"] = [row for row in found["events"] if row[0] != "committed"]
            found["journal"] = [("journal", "none: events are kept in memory alone", False)]
        if not self.handlers and not self.handler_failures:
            found["handlers"] = []
        return {group: rows for group, rows in found.items() if rows}

    def __repr__(self) -> str:
        groups = self.groups()
        width = max(len(label) for rows in groups.values() for label, _, _ in rows)
        lines = _wrapped(self.verdict, "  ")
        for problem in self.problems[1:]:
            lines += _wrapped(f"  also: {problem}", "    ")
        lines.append(f"{self.name}: {self.account} at {self.server}")
        for group, rows in groups.items():
            lines.append(group)
            for label, text, alarming in rows:
                lines.append(f"  {label:<{width}}  {text}{'  (!)' if alarming else ''}")
                meaning = self._meaning_of(label)
                lines += _wrapped(meaning, " " * (width + 6), first=True) if meaning else []
        return printable("\n".join(lines))

    def _repr_html_(self) -> str:
        sections = "".join(
            f'<tbody><tr><th colspan="2" scope="rowgroup" style="{_GROUP_STYLE}">{_escaped(group)}</th></tr>'
            + "".join(_html_row(*row, self._meaning_of(row[0])) for row in rows)
            + "</tbody>"
            for group, rows in self.groups().items()
        )
        title = f"<b>{_escaped(self.name)}</b>: {_escaped(self.account)} at {_escaped(self.server)}"
        return f'<table><caption style="{_TITLE_STYLE}">{self._html_verdict()}{title}</caption>{sections}</table>'

    def _html_verdict(self) -> str:
        verdict = f'<div style="{_ALARM_STYLE if self.problems else _WELL_STYLE}">{_escaped(self.verdict)}</div>'
        others = "".join(f"<li>{_escaped(problem)}</li>" for problem in self.problems[1:])
        return f'{verdict}<ul style="{_OTHERS_STYLE}">{others}</ul>' if others else verdict

    def _meaning_of(self, label: str) -> str | None:
        """Return the meaning of what stands in a row; the rows of single breaks have a time for a label."""
        name = label.replace(" ", "_")
        return self.meaning(name) if name in _FIELDS else None

    def _rows(self, name: str) -> list[tuple[str, str, bool]]:
        value = getattr(self, name)
        if name == "healed":
            return [
                (_clock(one.at), f"{one.reason} (back after {_duration(one.seconds)})", False)
                for one in value[-_SHOWN:]
            ]
        if value is None or (value == 0 and name not in _ALWAYS):
            return []
        text = _text(name, value)
        if name == "journal_size" and (self.journal_log_size or 0) >= _LARGE_LOG:
            text += f", {readable_size(self.journal_log_size or 0)} of it in the write-ahead log"
        return [(name.replace("_", " "), text, name in _ALARMING)]


_FIELDS: Final = frozenset(Status.__dataclass_fields__)


def _connection_trouble(status: Status) -> str | None:
    why = f" ({status.reason})" if status.reason else ""
    if status.state == "connected":
        return None
    if status.state == "closed":
        return f"the connection is closed{why}: connect again to go on"
    if status.state == "connecting":
        return f"there is no connection yet{why}: it is being made"
    return f"the connection is broken{why}: it is made again by itself, and nothing that others write meanwhile is lost"


def _count_of(name: str, one: str, many: str, todo: str) -> Callable[[Status], str | None]:
    """Return what tells of a number that is not zero, and what to do about it."""

    def trouble(status: Status) -> str | None:
        count = getattr(status, name)
        return f"{one if count == 1 else many.format(count)}: {todo}" if count else None

    return trouble


def _handler_trouble(status: Status) -> str | None:
    count = status.handler_failures - status.internal_errors
    if count <= 0:
        return None
    failed = "a handler failed" if count == 1 else f"handlers failed {count:,} times"
    return f"{failed}: print(tc.router.failures[-1]) shows the last"


_TROUBLES: Final[tuple[Callable[[Status], str | None], ...]] = (
    lambda status: status.journal_problem and f"the journal: {status.journal_problem}",
    _connection_trouble,
    _count_of(
        "failures", "1 event was not recorded", "{:,} events were not recorded", "the log of tcnb.record says why"
    ),
    _count_of(
        "sendings_unknown", "1 send has no known outcome", "{:,} sends have no known outcome", "look into their chats"
    ),
    _count_of("overflowed", "no handler got 1 event", "no handler got {:,} events", "make the handlers faster"),
    _handler_trouble,
    _count_of("internal_errors", "tcnb itself failed once", "tcnb itself failed {:,} times", "please report it"),
    lambda status: status.chats_problem and f"titles of chats are not trusted: {status.chats_problem}",
    _count_of("gaps_left", "1 chat may lack messages", "{:,} chats may lack messages", "tc.history(chat) reads them"),
    lambda status: (
        None if status.gaps_left or not status.gaps_reason else f"looking back was interrupted: {status.gaps_reason}"
    ),
    _count_of("undecodable", "1 notification was unreadable", "{:,} notifications were unreadable", "please report it"),
    _count_of("malformed", "1 malformed frame came", "{:,} malformed frames came", "is there a proxy on the way?"),
)
"""What can be wrong, the gravest first: what may be lost, then what does not work, then what is merely odd."""


_GROUP_STYLE: Final = "text-align:left;padding-top:.7em"
_TITLE_STYLE: Final = "text-align:left;caption-side:top;color:inherit;max-width:70em"
_LABEL_STYLE: Final = "text-align:left;vertical-align:top;font-weight:normal;padding-left:1.5em;white-space:nowrap"
_CELL_STYLE: Final = "text-align:left;vertical-align:top;white-space:pre-wrap;overflow-wrap:anywhere"
_ALARM_STYLE: Final = "color:var(--vscode-errorForeground, var(--jp-error-color1, #b3261e));font-weight:600"


_WELL_STYLE: Final = "color:var(--vscode-testing-iconPassed, var(--jp-success-color0, #1b7a34));font-weight:600"
_OTHERS_STYLE: Final = "margin:.2em 0 .4em 1.5em;padding:0;white-space:normal"
_MEANING_STYLE: Final = "opacity:.75;font-size:.92em;max-width:60em;white-space:normal"


def _escaped(text: str) -> str:
    """Escape for HTML; what would make the rest read otherwise is left out."""
    return html.escape(harmless(text))


def _html_row(label: str, text: str, alarming: bool, meaning: str | None) -> str:
    value = f'<span style="{_ALARM_STYLE}">{_escaped(text)}</span>' if alarming else _escaped(text)
    if meaning:
        value += f'<div style="{_MEANING_STYLE}">{_escaped(meaning)}</div>'
    return (
        f'<tr><th scope="row" style="{_LABEL_STYLE}">{_escaped(label)}</th><td style="{_CELL_STYLE}">{value}</td></tr>'
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


def _wrapped(text: str, indent: str, *, first: bool = False) -> list[str]:
    """Return a sentence in lines; what follows the first, or the first as well, begins with `indent`."""
    # A path or an address is not cut, so that it can be copied.
    wrapper = textwrap.TextWrapper(
        _WIDTH,
        initial_indent=indent if first else "",
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return wrapper.wrap(text)


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
