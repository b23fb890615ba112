"""Messages, chats and people, computed from the event frame and from what is known now; nothing is kept here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from tcnb.record import frames
from tcnb.record.columns.columns import NO_TIME, category_array, integer_array, time_array, truth_array
from tcnb.record.directory import KnownChat
from tcnb.record.schema import CHATS, MESSAGES, ORIGINS, PEOPLE

_COPIED: Final = (
    *("message_id", "chat_id", "author_id", "author_type", "timestamp", "message_type", "reply_to", "forwarded_from"),
    *("file_id", "file_name", "file_size", "mime_type"),
)
_LAST_TIME: Final = np.iinfo(np.int64).max
_SECOND: Final = 1_000_000

_Numbers = npt.NDArray[np.int64]


def messages(
    events: pd.DataFrame,
    chats: Mapping[str, KnownChat],
    names: Mapping[str, str],
    origins: pd.Series[Any] | None = None,
) -> pd.DataFrame:
    """Return one row a message, with edits, removals and replies applied, in the order in which they were written.

    Those of one moment stand as they came.

    Args:
        events: the event frame.
        chats: what is known about chats, by id.
        names: display names by id.
        origins: how each event came, with the index of the event frame (`Record.origins`); missing without it.

    Returns:
        The columns of `schema.MESSAGES`. An edit or a removal belongs to the message whose id it names; one that names
        none (the servers known do not say what was edited) is left to the event frame, and to whoever looks it up.

        A reply is a message of a person that names another message of the same chat as the one it answers. Removed
        replies do not count (they keep their row, and their `reply_to`); removed messages keep the replies they got.
        An author's replies to their own message are counted, but the first reply is the earliest by somebody else, by
        the time at which it was written and not by the order in which messages came; one that does not say whose it is
        is not known to be by somebody else. Replies to messages that are not recorded belong to no row here
        (`tcnb.analysis.threads` has them).
    """
    made, when = _as_they_came(events, chats, names, origins)
    # As a rule they came in that order, and nothing has to be moved; what is read from a history comes late.
    if (when[1:] < when[:-1]).any():
        made = made.take(np.argsort(when, kind="stable")).reset_index(drop=True)
    return made


def _as_they_came(
    events: pd.DataFrame,
    chats: Mapping[str, KnownChat],
    names: Mapping[str, str],
    origins: pd.Series[Any] | None = None,
) -> tuple[pd.DataFrame, _Numbers]:
    """Return the messages as `messages` does, but in the order of the events; and when each was written."""
    needed = events[["seq", "received", "text", *_COPIED]]
    is_message = events["event"] == "message"
    said = needed[is_message].reset_index(drop=True)
    said = said.assign(author_id=one_spelling(said["author_id"]))
    by_case = _by_case(names)
    edited, removed = _naming(events, "edited_message"), _naming(events, "removed_message")
    replies = np.flatnonzero(said["reply_to"].notna().to_numpy(np.bool_) & ~_is(said, "author_type", "system"))
    of_edits, of_removals, of_replies = _targets(
        said["message_id"], edited["message_id"], removed["message_id"], said["reply_to"].iloc[replies]
    )
    columns: dict[str, Any] = {name: said[name].array for name in _COPIED}
    columns["chat"] = _translated(said["chat_id"], lambda chat_id: chats[chat_id].title if chat_id in chats else None)
    columns["author"] = _translated(said["author_id"], lambda user_id: by_case.get(user_id.casefold()))
    columns |= _edits(said, edited, of_edits)
    columns |= _removals(said, removed, of_removals)
    kept = (of_replies >= 0) & ~np.asarray(columns["removed"], np.bool_)[replies]
    columns |= _replies(said, replies[kept], of_replies[kept])
    replier = pd.Series(columns["first_reply_by_id"])
    columns["first_reply_by"] = _translated(replier, lambda user_id: by_case.get(user_id.casefold()))
    if origins is None:
        columns["origin"] = category_array(np.full(len(said), -1, np.int32), ORIGINS)
    else:
        columns["origin"] = origins[is_message].array
    return frames.frame({column.name: columns[column.name] for column in MESSAGES}), _when(said)


def chats(events: pd.DataFrame, known: Mapping[str, KnownChat]) -> pd.DataFrame:
    """Return one row a chat, the one with the latest message first, with the columns of `schema.CHATS`.

    Args:
        events: the event frame.
        known: what is known about chats, by id; those without any event have their row, too.
    """
    tallies = _tallies(_of_persons(_messages_of_people(events), str.casefold), "chat_id", "author_id")
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
    active = events["author_id"][events["author_type"] != "system"].cat.remove_unused_categories().cat.categories
    by_case = _by_case(names)
    # Who was seen is called by the id that was seen first.
    ids = {user_id.casefold(): user_id for user_id in (*names, *reversed(active))}
    said = _of_persons(_messages_of_people(events), lambda user_id: ids.get(user_id.casefold()))
    tallies = _tallies(said, "author_id", "chat_id")
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
    now, _ = _as_they_came(here, {}, {})
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


def _of_persons(events: pd.DataFrame, name_of: Callable[[str], str | None]) -> pd.DataFrame:
    """Return events with one name for each author, since the case of an id does not matter."""
    return events.assign(author_id=_translated(events["author_id"], name_of))


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


def _targets(message_ids: pd.Series[Any], *named: pd.Series[Any]) -> list[_Numbers]:
    """Return for some lists of message ids, none missing, where each stands in `message_ids`; -1 where it does not.

    All lists are looked up at once: going through a million ids takes most of the time that these views need.
    """
    lists = [pc.cast(pa.array(ids.array), pa.large_string()) for ids in named]
    chunks = [chunk for ids in lists for chunk in (ids.chunks if isinstance(ids, pa.ChunkedArray) else [ids])]
    encoded = pa.chunked_array(chunks, pa.large_string()).combine_chunks().dictionary_encode()
    encoded = pa.concat_arrays(encoded.chunks) if isinstance(encoded, pa.ChunkedArray) else encoded
    if len(encoded):
        of_each = _first_positions(message_ids, encoded.dictionary)[encoded.indices.to_numpy()]
    else:
        of_each = np.zeros(0, np.int64)
    return np.split(of_each, np.cumsum([len(ids) for ids in lists])[:-1])


def _first_positions(message_ids: pd.Series[Any], wanted: Any) -> _Numbers:
    """Return for each of some different ids where it stands first in `message_ids`; -1 where it does not."""
    found = pc.index_in(pc.cast(pa.array(message_ids.array), pa.large_string()), value_set=wanted)
    found = pc.fill_null(found, -1).to_numpy()
    there = np.flatnonzero(found >= 0)
    position = np.full(len(wanted), -1, np.int64)
    # Where an index repeats, the last value stays: from behind, that is the first.
    position[found[there[::-1]]] = there[::-1]
    return position


def _edits(said: pd.DataFrame, edits: pd.DataFrame, targets: _Numbers) -> dict[str, Any]:
    known = targets >= 0
    edits, targets = edits[known], targets[known]
    edited_at = np.full(len(said), NO_TIME)
    np.maximum.at(edited_at, targets, _when(edits))
    counts = np.bincount(targets, minlength=len(said)).astype(np.int64)
    text = _edited_text(said, edits, targets) if len(edits) else said["text"]
    return {"text": text.array, "edits": integer_array(counts), "edited_at": time_array(edited_at)}


def _edited_text(said: pd.DataFrame, edits: pd.DataFrame, targets: _Numbers) -> pd.Series[Any]:
    saying = np.flatnonzero(edits["text"].notna().to_numpy(np.bool_))
    last = np.full(len(said), -1, np.int64)
    # Where an index repeats, the last value stays.
    last[targets[saying]] = saying
    rows = np.flatnonzero(last >= 0)
    seqs, own_seqs = (events["seq"].to_numpy(np.int64) for events in (edits, said))
    # A message that came after its edit (read from the history) has the new text already.
    rows = rows[seqs[last[rows]] > own_seqs[rows]]
    text = said["text"].copy()
    if len(rows):
        text.iloc[rows] = edits["text"].array[last[rows]]
    return text


def _removals(said: pd.DataFrame, removals: pd.DataFrame, targets: _Numbers) -> dict[str, Any]:
    known = targets >= 0
    removed = np.zeros(len(said), np.bool_)
    removed[targets[known]] = True
    removed_at = np.full(len(said), _LAST_TIME)
    np.minimum.at(removed_at, targets[known], _when(removals[known]))
    removed_at[~removed] = NO_TIME
    return {"removed": truth_array(removed), "removed_at": time_array(removed_at)}


def _replies(said: pd.DataFrame, replies: npt.NDArray[np.intp], targets: _Numbers) -> dict[str, Any]:
    """Return the columns about replies, but for the names of people.

    Args:
        said: the messages.
        replies: rows of those that name another one and were not removed.
        targets: the rows of the messages that they name.
    """
    chat = said["chat_id"].cat.codes.to_numpy()
    here = (chat[replies] == chat[targets]) & (replies != targets)
    replies, targets = replies[here], targets[here]
    counts = np.bincount(targets, minlength=len(said)).astype(np.int64)
    first, seconds = _first_replies(said, replies, targets)
    answered = first >= 0
    codes = np.full(len(said), -1, np.int32)
    codes[answered] = said["author_id"].cat.codes.to_numpy()[first[answered]]
    return {
        "replies": integer_array(counts),
        "first_reply_seconds": pd.arrays.FloatingArray(seconds, ~answered, copy=False),
        "first_reply_by_id": category_array(codes, list(said["author_id"].cat.categories)),
    }


def _first_replies(
    said: pd.DataFrame, replies: npt.NDArray[np.intp], targets: _Numbers
) -> tuple[_Numbers, npt.NDArray[np.float64]]:
    """Return for each message the row of the first reply by somebody else, -1 for none, and after how many seconds."""
    person, when = _persons(said["author_id"]), _when(said)
    by_others = (person[replies] != person[targets]) & (person[replies] >= 0) & (person[targets] >= 0)
    # Clocks of two servers may differ: what seems to come before its question does not say how long it took.
    by_others &= when[replies] >= when[targets]
    replies, targets = replies[by_others], targets[by_others]
    latest_first = np.argsort(when[replies], kind="stable")[::-1]
    first = np.full(len(said), -1, np.int64)
    # Where an index repeats, the last value stays: the earliest, and of two at the same time the one recorded first.
    first[targets[latest_first]] = replies[latest_first]
    rows = np.flatnonzero(first >= 0)
    seconds = np.zeros(len(said))
    seconds[rows] = (when[first[rows]] - when[rows]) / _SECOND
    return first, seconds


def one_spelling(ids: pd.Series[Any]) -> pd.Series[Any]:
    """Return ids of people, a categorical, in which each person has the one that was seen first, whatever the case.

    Source: `protocol` section 2.5.
    """
    first = {user_id.casefold(): user_id for user_id in reversed(ids.cat.categories)}
    if len(first) == len(ids.cat.categories):
        return ids
    return pd.Series(_translated(ids, lambda user_id: first[user_id.casefold()]), ids.index)


def _persons(author_ids: pd.Series[Any]) -> _Numbers:
    """Return a number for each person, -1 where nobody is named; the case of an id does not matter."""
    number_of: dict[str, int] = {}
    cases = [number_of.setdefault(user_id.casefold(), len(number_of)) for user_id in author_ids.cat.categories]
    # The last place is for the code -1 of a missing id.
    return np.array([*cases, -1], np.int64)[author_ids.cat.codes.to_numpy()]


def _translated(ids: pd.Series[Any], name_of: Callable[[str], str | None]) -> Any:
    """Return the names of categorical ids, as a categorical."""
    names = [name_of(category) for category in ids.cat.categories]
    code_of = {name: code for code, name in enumerate(dict.fromkeys(name for name in names if name is not None))}
    # The last place is for the code -1 of a missing id.
    table = np.array([-1 if name is None else code_of[name] for name in names] + [-1], np.int32)
    return category_array(table[ids.cat.codes.to_numpy()], list(code_of))


def _by_case(names: Mapping[str, str]) -> dict[str, str]:
    return {user_id.casefold(): name for user_id, name in names.items()}
