"""Messages, chats and people, computed from the event frame and from what is known now; nothing is kept here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from tcnb.record import frames
from tcnb.record.columns import NO_TIME, category_array, integer_array, time_array, truth_array
from tcnb.record.directory import KnownChat
from tcnb.record.schema import CHATS, MESSAGES, ORIGINS, PEOPLE

_COPIED: Final = (
    *("message_id", "chat_id", "author_id", "timestamp", "message_type", "reply_to", "forwarded_from"),
    *("file_id", "file_name", "file_size", "mime_type"),
)
_LAST_TIME: Final = np.iinfo(np.int64).max


def messages(
    events: pd.DataFrame,
    chats: Mapping[str, KnownChat],
    names: Mapping[str, str],
    origins: pd.Series[Any] | None = None,
) -> pd.DataFrame:
    """Return one row a message, in the order of the events, with edits and removals applied.

    Args:
        events: the event frame.
        chats: what is known about chats, by id.
        names: display names by id.
        origins: how each event came, with the index of the event frame (`Record.origins`); missing without it.

    Returns:
        The columns of `schema.MESSAGES`. An edit or a removal belongs to the message whose id it names; one that names
        none (the servers known do not say what was edited) is left to the event frame, and to whoever looks it up.
    """
    needed = events[["seq", "received", "text", *_COPIED]]
    is_message = events["event"] == "message"
    said = needed[is_message].reset_index(drop=True)
    by_case = _by_case(names)
    columns: dict[str, Any] = {name: said[name].array for name in _COPIED}
    columns["chat"] = _translated(said["chat_id"], lambda chat_id: chats[chat_id].title if chat_id in chats else None)
    columns["author"] = _translated(said["author_id"], lambda user_id: by_case.get(user_id.casefold()))
    columns |= _edits(said, _naming(events, "edited_message"))
    columns |= _removals(said, _naming(events, "removed_message"))
    if origins is None:
        columns["origin"] = category_array(np.full(len(said), -1, np.int32), ORIGINS)
    else:
        columns["origin"] = origins[is_message].array
    return frames.frame({column.name: columns[column.name] for column in MESSAGES})


def chats(events: pd.DataFrame, known: Mapping[str, KnownChat]) -> pd.DataFrame:
    """Return one row a chat, the one with the latest message first, with the columns of `schema.CHATS`.

    Args:
        events: the event frame.
        known: what is known about chats, by id; those without any event have their row, too.
    """
    tallies = _tallies(_messages_of_people(events), "chat_id", "author_id")
    table = []
    for chat_id in dict.fromkeys((*tallies, *known)):
        chat, tally = known.get(chat_id, KnownChat()), tallies.get(chat_id, Tally())
        table.append((chat_id, chat.title, chat.type, *tally))
    return frames.small(CHATS, _latest_first(table))


def people(events: pd.DataFrame, names: Mapping[str, str]) -> pd.DataFrame:
    """Return one row a person, the one who wrote last first, with the columns of `schema.PEOPLE`.

    Args:
        events: the event frame.
        names: display names by id; people who did nothing yet have their row, too.
    """
    tallies = _tallies(_messages_of_people(events), "author_id", "chat_id")
    active = events["author_id"][events["author_type"] != "system"].cat.remove_unused_categories().cat.categories
    by_case = _by_case(names)
    ids = {user_id.casefold(): user_id for user_id in (*names, *active)}
    table = [(user_id, by_case.get(case), *tallies.get(user_id, Tally())) for case, user_id in ids.items()]
    return frames.small(PEOPLE, _latest_first(table))


class Edge(NamedTuple):
    """How far the record of a chat reaches, in microseconds since 1970.

    Attributes:
        newest: when the newest message up to some position was written; None where there is none.
        oldest: when the oldest message of all was written.
    """

    newest: int | None
    oldest: int


def edges(events: pd.DataFrame, until: int | None) -> dict[str, Edge]:
    """Return how far the record of each chat reaches that has a message with a time.

    Args:
        events: the event frame.
        until: the position (`seq`) up to which the newest message is looked for; None looks through everything.
    """
    codes, when = events["chat_id"].cat.codes.to_numpy(), _when_written(events)
    rows = np.flatnonzero(_is(events, "event", "message") & (codes >= 0) & (when != NO_TIME))
    codes, when = codes[rows].astype(np.int64), when[rows]
    chats = list(events["chat_id"].cat.categories)
    oldest, newest = np.full(len(chats), _LAST_TIME), np.full(len(chats), NO_TIME)
    np.minimum.at(oldest, codes, when)
    known = slice(None) if until is None else events["seq"].to_numpy(np.int64)[rows] <= until
    np.maximum.at(newest, codes[known], when[known])
    return {
        chat: Edge(None if last == NO_TIME else last, first)
        for chat, last, first in zip(chats, newest.tolist(), oldest.tolist(), strict=True)
        if first != _LAST_TIME
    }


class KnownMessage(NamedTuple):
    """What the record knows of a message, edits and removals applied.

    Attributes:
        seq: position of its row.
        timestamp: when it was written, in microseconds since 1970.
        text: as it is now, without markup.
        was_edited: whether it had been edited before it came.
        edits: how many edits of it are in the record.
        removed: whether it was removed.
    """

    seq: int
    timestamp: int
    text: str | None
    was_edited: bool
    edits: int
    removed: bool


def known_messages(events: pd.DataFrame, chat_id: str, since: int) -> dict[str, KnownMessage]:
    """Return by id what is known of the messages of a chat that were written since some time.

    Args:
        events: the event frame.
        chat_id: the chat.
        since: the time, in microseconds since 1970.
    """
    is_message = _is(events, "event", "message")
    is_change = _is(events, "event", "edited_message") | _is(events, "event", "removed_message")
    wanted = _is(events, "chat_id", chat_id) & (is_change | (is_message & (_when_written(events) >= since)))
    # Taking rows by number reads a few of a million; a mask would be laid over every column.
    here = events.take(np.flatnonzero(wanted))
    here = here[here["message_id"].notna()]
    said = here[here["event"] == "message"]
    now = messages(here, {}, {})
    values = (
        said["seq"].tolist(),
        _when_written(said).tolist(),
        [text if isinstance(text, str) else None for text in now["text"]],
        said["is_edited"].fillna(False).tolist(),
        now["edits"].tolist(),
        now["removed"].tolist(),
    )
    return dict(zip(said["message_id"].tolist(), map(KnownMessage, *values), strict=True))


class Tally(NamedTuple):
    """How many messages, how many different others (people of a chat, chats of a person), and when."""

    messages: int = 0
    others: int = 0
    first: int | None = None
    last: int | None = None


def _tallies(said: pd.DataFrame, of: str, other: str) -> dict[str, Tally]:
    """Count the messages by each category of `of`."""
    categories = list(said[of].cat.categories)
    codes, others = (said[name].cat.codes.to_numpy(np.int64) for name in (of, other))
    there = codes >= 0
    codes, others, when = codes[there], others[there], _when(said)[there]
    first = np.full(len(categories), _LAST_TIME)
    last = np.full(len(categories), NO_TIME)
    np.minimum.at(first, codes, when)
    np.maximum.at(last, codes, when)
    width = len(said[other].cat.categories) + 1
    pairs = np.unique(codes[others >= 0] * width + others[others >= 0]) // width
    counts = np.bincount(codes, minlength=len(categories)).tolist()
    distinct = np.bincount(pairs, minlength=len(categories)).tolist()
    return {
        name: Tally(count, unlike, earliest, latest) if count else Tally()
        for name, count, unlike, earliest, latest in zip(
            categories, counts, distinct, first.tolist(), last.tolist(), strict=True
        )
    }


def _latest_first(table: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Sort rows by their last value, a time; rows without one come last, in the order in which they stand."""
    return sorted(table, key=lambda row: -row[-1] if row[-1] is not None else _LAST_TIME)


def _messages_of_people(events: pd.DataFrame) -> pd.DataFrame:
    needed = events[["received", "timestamp", "chat_id", "author_id"]]
    return needed[(events["event"] == "message") & (events["author_type"] != "system")]


def _naming(events: pd.DataFrame, event: str) -> pd.DataFrame:
    """Return the events of a kind that name a message."""
    return events[(events["event"] == event) & events["message_id"].notna()]


def _when(events: pd.DataFrame) -> npt.NDArray[np.int64]:
    """Return when each event happened, else when it was received, in microseconds since 1970."""
    when = events["timestamp"].fillna(events["received"])
    return when.to_numpy("datetime64[us]").view(np.int64)


def _when_written(events: pd.DataFrame) -> npt.NDArray[np.int64]:
    """Return the time that the server gives each event, in microseconds since 1970; the least number where it does not.

    A missing time is the least number already.
    """
    return events["timestamp"].to_numpy("datetime64[us]").view(np.int64)


def _is(events: pd.DataFrame, name: str, category: str) -> npt.NDArray[np.bool_]:
    """Return where a column of categories has that one."""
    column = events[name].cat
    if category not in column.categories:
        return np.zeros(len(events), np.bool_)
    return np.asarray(column.codes.to_numpy() == column.categories.get_loc(category))


class _Changes(NamedTuple):
    """What events that name messages say about each: rows of messages beside the events' own rows."""

    rows: npt.NDArray[np.intp]
    counts: npt.NDArray[np.int64]
    first: npt.NDArray[np.int64]
    last: npt.NDArray[np.int64]


def _changes(said: pd.DataFrame, events: pd.DataFrame) -> _Changes:
    rows = np.flatnonzero(said["message_id"].isin(events["message_id"]).to_numpy(np.bool_))
    ids = pd.Index(said["message_id"].iloc[rows])
    message = ids.get_indexer(pd.Index(events["message_id"]))
    there = message >= 0
    message, when = message[there], _when(events)[there]
    first = np.full(len(rows), _LAST_TIME)
    last = np.full(len(rows), NO_TIME)
    np.minimum.at(first, message, when)
    np.maximum.at(last, message, when)
    return _Changes(rows, np.bincount(message, minlength=len(rows)), first, last)


def _edits(said: pd.DataFrame, edits: pd.DataFrame) -> dict[str, Any]:
    counts = np.zeros(len(said), np.int64)
    edited_at = np.full(len(said), NO_TIME)
    text = said["text"]
    if len(edits):
        changes = _changes(said, edits)
        counts[changes.rows] = changes.counts
        edited_at[changes.rows] = changes.last
        text = _edited_text(said, edits, changes.rows)
    return {"text": text.array, "edits": integer_array(counts), "edited_at": time_array(edited_at)}


def _edited_text(said: pd.DataFrame, edits: pd.DataFrame, rows: npt.NDArray[np.intp]) -> pd.Series[Any]:
    last = edits[edits["text"].notna()].drop_duplicates("message_id", keep="last").set_index("message_id")
    last = last.reindex(said["message_id"].iloc[rows])[["seq", "text"]]
    # A message that came after its edit (read from the history) has the new text already.
    newer = (last["seq"].array > said["seq"].array[rows]).to_numpy(np.bool_, na_value=False)
    text = said["text"].copy()
    if newer.any():
        text.iloc[rows[newer]] = last["text"].array[newer]
    return text


def _removals(said: pd.DataFrame, removals: pd.DataFrame) -> dict[str, Any]:
    removed = np.zeros(len(said), np.bool_)
    removed_at = np.full(len(said), NO_TIME)
    if len(removals):
        changes = _changes(said, removals)
        removed[changes.rows] = True
        removed_at[changes.rows] = changes.first
    return {"removed": truth_array(removed), "removed_at": time_array(removed_at)}


def _translated(ids: pd.Series[Any], name_of: Callable[[str], str | None]) -> Any:
    """Return the names of categorical ids, as a categorical."""
    names = [name_of(category) for category in ids.cat.categories]
    code_of = {name: code for code, name in enumerate(dict.fromkeys(name for name in names if name is not None))}
    # The last place is for the code -1 of a missing id.
    table = np.array([-1 if name is None else code_of[name] for name in names] + [-1], np.int32)
    return category_array(table[ids.cat.codes.to_numpy()], list(code_of))


def _by_case(names: Mapping[str, str]) -> dict[str, str]:
    return {user_id.casefold(): name for user_id, name in names.items()}
