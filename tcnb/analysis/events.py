"""What counts as a message, with removals and edits applied, and what people and chats are called."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final, NamedTuple

import narwhals as nw
import pandas as pd

from tcnb.analysis.engines import LAZY, Rows, Source, collect, distinct, open_events, pairs
from tcnb.record.timeline import AHEAD

MESSAGE: Final = "message"
REMOVED: Final = "removed_message"
EDITED: Final = "edited_message"
RENAMED: Final = "edited_chat_title"

SERVICE_TYPES: Final = (
    *("add_participant", "remove_participant", "edit_chat_title", "edit_chat_avatar"),
    *("clear_chat_history", "participant_role"),
)
"""Types of messages by which the server reports what happened to a chat."""

_KEYS: Final = (
    *("seq", "received", "timestamp", "event", "chat_id", "message_id", "author_id"),
    *("author_type", "message_type"),
)

WHEN: Final = "when"
"""The column of inside rows that says when something happened: by the server; what is no message else when it was
received."""

ORDER: Final = (WHEN, "seq", "message_id")
"""The order of messages in a chat; whatever a concatenation repeats, it has no ties."""

_AHEAD: Final = AHEAD * 1000
"""Microseconds by which an event may claim to have happened after it was received."""

_FIRST: Final = -2_208_988_800_000_000
_LAST: Final = 4_102_444_800_000_000
"""The beginnings of the years 1900 and 2100, in microseconds since 1970: what claims to be from before or later is not
true, and would have millions of hours looked at."""

_GROUPS: Final = 500
"""Into so many groups the numbers of a frame are taken to see whether it is from one journal."""

_BLOCK: Final = 32
"""So many numbers are the bits of one, which leaves room for numbers that are there many times."""

_NEVER: Final = (2**63 - 1, 2**63 - 1)

UNKNOWN: Final = ""
"""What stands inside for a missing author or chat, since engines group missing values in different ways."""


def open_messages(frame: Any, *columns: str, events: Sequence[str] | None = (), people: bool = True) -> Source:
    """Open a frame for its messages, with what is needed to apply removals, edits and new titles of chats.

    Args:
        frame: a frame of events of any engine.
        columns: which columns are needed besides those that every analysis needs.
        events: kinds of event that are needed besides; None for all.
        people: whether it matters who wrote: then each person has one id, whatever the case in which it was written.

    Returns:
        A source with the column `when`; missing chats and authors are `UNKNOWN`. Messages of which nobody knows when
        they were written are told of, and left out of what is made of it.
    """
    kinds = None if events is None else (MESSAGE, REMOVED, EDITED, RENAMED, *events)
    source = open_events(frame, (*_KEYS, *columns), kinds)
    if people:
        source = _with_one_spelling(source, [name for name in ("author_id", "user_id") if name in (*_KEYS, *columns)])
    rows = _completed(source.rows).with_columns(nw.col("author_id").fill_null(UNKNOWN))
    known = None if source.known is None else _completed(source.known)
    opened = replace(source, rows=rows, known=known)
    _tell_of_timeless(opened)
    return replace(opened, is_concatenation=_may_repeat(opened))


def _completed(rows: Rows) -> Rows:
    # A message from the past may have been received long after it was written.
    is_message = nw.col("event") == MESSAGE
    when = nw.when(is_message).then(_written()).otherwise(_happened()).alias(WHEN)
    return rows.with_columns(when, nw.col("chat_id").fill_null(UNKNOWN))


def _written() -> nw.Expr:
    """Return the time that the server gives an event, where it can be."""
    said = nw.col("timestamp")
    is_past = (said <= nw.col("received") + _AHEAD).fill_null(True)
    return nw.when((said >= _FIRST) & (said < _LAST) & is_past).then(said)


def _happened() -> nw.Expr:
    """Return when an event happened, else when it was received."""
    received = nw.col("received")
    return nw.coalesce(_written(), nw.when((received >= _FIRST) & (received < _LAST)).then(received))


def _tell_of_timeless(source: Source) -> None:
    """Warn of messages without a time, or with one that cannot be."""
    timeless = source.rows.filter(nw.col("event") == MESSAGE, nw.col(WHEN).is_null())
    count = int(collect(timeless.select(nw.len().alias("rows")))["rows"].sum())
    if count:
        whose = "1 message has" if count == 1 else f"{count:,} messages have"
        warnings.warn(
            f"{whose} no time of writing that can be believed, and {'is' if count == 1 else 'are'} left out",
            stacklevel=5,
        )


def _with_one_spelling(source: Source, columns: Sequence[str]) -> Source:
    """Return a source in which each person has one id: of those that differ in case alone, the one seen first.

    Source: `protocol` section 2.5.
    """
    by_person: dict[str, set[str]] = {}
    for column in columns:
        for user_id in distinct(source, column):
            by_person.setdefault(user_id.casefold(), set()).add(user_id)
    several = [ids for ids in by_person.values() if len(ids) > 1]
    if not several:
        return source
    seen = _first_seen(source, columns, [user_id for ids in several for user_id in ids])
    spelled = {user_id: min(ids, key=lambda one: (seen.get(one, _NEVER), one)) for ids in several for user_id in ids}
    rows = source.rows
    for column in columns:
        rows = rows.join(pairs(source, "spelled", "spelling", spelled), left_on=column, right_on="spelled", how="left")
        rows = rows.with_columns(nw.coalesce(nw.col("spelling"), nw.col(column)).alias(column)).drop("spelling")
    return replace(source, rows=rows)


def _first_seen(source: Source, columns: Sequence[str], ids: list[str]) -> dict[str, tuple[int, int]]:
    """Return when each of some ids was received first, and as the how manieth event."""
    seen: dict[str, tuple[int, int]] = {}
    for column in columns:
        rows = source.rows.filter(nw.col(column).is_in(ids)).group_by(column)
        found = collect(rows.agg(nw.col("received").min().alias("at"), nw.col("seq").min().alias("seq")))
        for user_id, at, seq in (
            found[[column, "at", "seq"]].fillna({"at": _NEVER[0], "seq": _NEVER[1]}).itertuples(index=False)
        ):
            seen[user_id] = min((int(at), int(seq)), seen.get(user_id, _NEVER))
    return seen


def all_messages(source: Source) -> Rows:
    """Return the messages of people, removed ones too, each once, however often a concatenation repeats it."""
    rows = source.rows.filter(
        nw.col("event") == MESSAGE,
        nw.col("author_type").fill_null("user") != "system",
        ~nw.col("message_type").fill_null("plain").is_in(list(SERVICE_TYPES)),
        ~nw.col(WHEN).is_null(),
    )
    rows = rows.drop("event", "author_type")
    if not source.is_concatenation:
        return rows
    # A message without an id can be told from another one only by its time.
    nameless = nw.when(nw.col("message_id").is_null()).then(nw.col(WHEN)).otherwise(nw.lit(0))
    rows = rows.with_columns(nameless.alias("nameless"))
    return rows.unique(["chat_id", "message_id", "nameless"], keep="any").drop("nameless")


def _may_repeat(source: Source) -> bool:
    """Tell whether messages may be repeated in a frame: not if it is from one journal, which numbers what it receives.

    Looking for repeated ids costs much more time and memory on a large frame than this look at its numbers, in which
    the engine takes all rows together in blocks. Where in doubt, the answer is yes.
    """
    if source.engine == "dask":
        # Dask counts a value again in each partition.
        return True
    blocks = collect(_blocks(source.rows)).sort_values("block")
    if not len(blocks) or blocks.isna().any(axis=None):
        return True
    if [bits.bit_count() for bits in blocks["bits"].tolist()] != blocks["rows"].tolist():
        return True
    step = (int(blocks["block"].iloc[-1]) - int(blocks["block"].iloc[0])) // _GROUPS + 1
    groups = blocks.groupby(blocks["block"] // step).agg(first=("first", "min"), last=("last", "max"))
    return bool((groups["first"].iloc[1:].to_numpy() < groups["last"].iloc[:-1].to_numpy()).any())


def _blocks(rows: Rows) -> Rows:
    """Return, for each block of numbers, how many rows there are, of which numbers, and when they were received.

    Counting different values would make an engine keep them all. Instead each number is a bit of its block: as many
    bits of their sum are ones as there are rows if all are different, and fewer if not, since two equal bits carry.
    """
    place = nw.col("seq") % _BLOCK
    # A bare 2 would be of 32 bits on Polars.
    bit = (nw.lit(2, nw.Int64) ** place).cast(nw.Int64).alias("bits")
    bits = rows.select("received", (nw.col("seq") - place).alias("block"), bit)
    return bits.group_by("block").agg(
        nw.len().alias("rows"),
        nw.col("bits").sum(),
        nw.col("received").min().alias("first"),
        nw.col("received").max().alias("last"),
    )


def messages(source: Source) -> Rows:
    """Return the messages of people that were not removed, each once."""
    return all_messages(source).join(_changes(source, REMOVED, "message_id"), on="message_id", how="anti")


def removals(source: Source) -> Rows:
    """Return the ids of removed messages, each once: those that the rows tell of, and those of messages among them."""
    return _of_these(source, REMOVED, "message_id").unique(["message_id"])


def edits_told(source: Source) -> Rows:
    """Return chat and time of the edits, each once: those that the rows tell of, and those of messages among them."""
    # An edit is told a second time when its message is found, and by each account that saw it.
    return _of_these(source, EDITED, "chat_id", WHEN).unique(["chat_id", WHEN])


def _of_these(source: Source, event: str, *columns: str) -> Rows:
    """Return the changes of a kind that the rows tell of, also such as name no message, and those of their messages."""
    told = source.rows.filter(nw.col("event") == event)
    told = told.filter(~nw.col("message_id").is_null()) if event == REMOVED else told
    told = told.select(*columns)
    if source.known is None:
        return told
    here = all_messages(source).select("message_id")
    known = source.known.filter(nw.col("event") == event).join(here, on="message_id", how="semi")
    return nw.concat([told, known.select(*columns)])


def _changes(source: Source, event: str, *columns: str) -> Rows:
    """Return the edits or the removals that say which message they change, in the rows or not."""
    named = (nw.col("event") == event, ~nw.col("message_id").is_null())
    told = source.rows.filter(*named).select(*columns)
    if source.known is None:
        return told
    return nw.concat([told, source.known.filter(*named).select(*columns)])


def texts(source: Source, needle: str | None = None) -> pd.DataFrame:
    """Return the texts of messages as they are now, collected: the column `text` with those of `_KEYS` that matter.

    Args:
        source: opened with the column `text`.
        needle: only texts in which this regular expression is found; the engine looks.
    """
    edited = edits(source)
    rows = messages(source)
    wanted = ~nw.col("text").is_null() if needle is None else nw.col("text").str.contains(needle).fill_null(False)
    if not len(edited):
        rows = rows.filter(wanted)
    elif needle is not None:
        # What an edited message says is known only below. Without a needle, all that has no text may have got one.
        changed = _changes(source, EDITED, "message_id").unique(["message_id"])
        changed = changed.with_columns(nw.lit(1).alias("changed"))
        rows = rows.join(changed, on="message_id", how="left").filter(wanted | ~nw.col("changed").is_null())
    said = collect(rows.select("chat_id", "message_id", "author_id", WHEN, "received", "seq", "text"))
    if len(edited):
        said = apply_edits(edited, said)
        said = said[said["text"].notna()]
    return said.sort_values([WHEN, "message_id"], kind="stable").reset_index(drop=True)


def edits(source: Source) -> pd.DataFrame:
    """Return the edits that say which message they change, collected."""
    rows = _changes(source, EDITED, "message_id", "received", "text", "seq")
    return collect(rows.filter(~nw.col("text").is_null()))


def apply_edits(edits: pd.DataFrame, said: pd.DataFrame) -> pd.DataFrame:
    """Return collected messages with their texts as they are now.

    Args:
        edits: what `edits` returned.
        said: messages with `message_id`, `received`, `seq` and `text`.
    """
    last = edits.sort_values(["received", "seq"], kind="stable").drop_duplicates("message_id", keep="last")
    joined = said[["message_id", "received", "seq"]].merge(
        last[["message_id", "received", "seq", "text"]], on="message_id", how="left", suffixes=("", "_edit")
    )
    # A message that came after its edit (read from the history) has the new text already.
    at_once = (joined["received_edit"] == joined["received"]) & (joined["seq_edit"] <= joined["seq"])
    older = (joined["received_edit"] < joined["received"]) | at_once
    newer = joined["text"].notna() & ~older.fillna(False)
    text = said["text"].mask(newer.to_numpy(bool), joined["text"].set_axis(said.index))
    return said.assign(text=text)


def span(rows: Rows) -> tuple[int, int] | None:
    """Return when the earliest and the latest of some rows happened, in microseconds; None where there are none."""
    ends = collect(rows.select(nw.col(WHEN).min().alias("first"), nw.col(WHEN).max().alias("last")))
    first: Any = ends["first"].max()
    last: Any = ends["last"].max()
    return None if pd.isna(first) else (int(first), int(last))


class Reach(NamedTuple):
    """From when to when a frame reaches, in microseconds.

    Attributes:
        first: when its earliest event happened.
        last: when its latest event happened.
        began: when the record began that it was taken from: when its first event was received.
        ended: when the last event of that record happened.
    """

    first: int
    last: int
    began: int
    ended: int


def reach(source: Source) -> Reach:
    """Return how far a frame reaches; of the record that it was taken from it knows only in pandas."""
    ends = source.every.select(_happened().alias(WHEN), "received").select(
        nw.col(WHEN).min().alias("first"),
        nw.col(WHEN).max().alias("last"),
        nw.col("received").min().alias("began"),
        nw.col("received").max().alias("ended"),
    )
    first, last, began, ended = (None if pd.isna(end) else int(end) for end in collect(ends).max())
    if first is None or last is None:
        return Reach(0, 0, 0, 0)
    if source.context is not None:
        began, ended = source.context.span
    return Reach(first, last, first if began is None else began, max(last, last if ended is None else ended))


def names(source: Source, id_column: str, name_column: str) -> dict[str, str]:
    """Return what chats or people are called, by id: the last name wins."""
    last: dict[str, tuple[int, int, str]] = {}
    called = (
        source.rows.filter(nw.col(id_column) != UNKNOWN, ~nw.col(name_column).is_null())
        .group_by(id_column, name_column)
        .agg(nw.col(WHEN).max(), nw.col("seq").max())
    )
    for key, name, when, seq in collect(called).itertuples(index=False):
        at = (-1 if pd.isna(when) else when, -1 if pd.isna(seq) else seq, name)
        if at > last.get(key, (-2, 0, "")):
            last[key] = at
    return {key: name for key, (_, _, name) in last.items()}


def named(source: Source, rows: Rows, /, **columns: str) -> Rows:
    """Return rows with columns of names beside their columns of ids; only the names are collected.

    Args:
        source: opened with `chat` or `author`, whichever is needed.
        rows: rows of the same engine as the source's, one of `LAZY`.
        columns: for a new column of names, its column of ids; chats where that is `chat_id`, else people.
    """
    called: dict[tuple[str, str], dict[str, str]] = {}
    for name, key in columns.items():
        known = ("chat_id", "chat") if key == "chat_id" else ("author_id", "author")
        if known not in called:
            called[known] = names(source, *known)
        rows = rows.join(pairs(source, "named", name, called[known]), left_on=key, right_on="named", how="left")
    return rows


def with_names(source: Source, rows: Rows, /, **columns: str) -> Rows | pd.DataFrame:
    """Return rows with columns of names beside their columns of ids, lazily where the engine can; see `named`."""
    if source.engine in LAZY:
        rows = named(source, rows, **columns)
        ids = (nw.when(nw.col(key) != UNKNOWN).then(nw.col(key)).alias(key) for key in columns.values())
        return rows.with_columns(*ids)
    return name_columns(collect(rows), source, **columns)


def name_columns(frame: pd.DataFrame, source: Source, /, **columns: str) -> pd.DataFrame:
    """Return a collected frame with columns of names beside its columns of ids; `UNKNOWN` becomes missing.

    Args:
        frame: what was collected.
        source: opened with `chat` or `author`, whichever is needed.
        columns: for a new column of names, its column of ids; chats where that is `chat_id`, else people.
    """
    for name, key in columns.items():
        known = names(source, "chat_id", "chat") if key == "chat_id" else names(source, "author_id", "author")
        ids = frame[key].astype("string").replace({UNKNOWN: pd.NA})
        frame = frame.assign(**{key: ids, name: ids.map(known).astype("string")})
    return frame
