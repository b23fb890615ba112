"""The record of one account: events go in, DataFrames and rows come out; it neither receives nor saves anything."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final, NamedTuple, Protocol

import msgspec
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from tcnb.locks import fork_safe
from tcnb.record import context, derived, frames, rows, timeline, views
from tcnb.record.columns import bulk
from tcnb.record.columns.index import MessageIndex
from tcnb.record.columns.table import Table
from tcnb.record.directory import Directory, KnownChat
from tcnb.record.schema import COLUMNS, NAMES, ORIGIN, Kind
from tcnb.record.timeline import Condition, Gap, Page, Place, Recorded, Timeline, times_of
from tcnb.threads import undisturbed
from tcnb.wire import notifications


class Arriving(bulk.Circumstances, Protocol):
    """A notification on its way into the record, as `Arrival` describes it; a frame of the journal is one, too."""

    told: notifications.Told | None

    @property
    def method(self) -> str: ...
    @property
    def payload(self) -> bytes | msgspec.Raw: ...
    @property
    def seq(self) -> int | None: ...
    @property
    def direction(self) -> str: ...


class Arrival(msgspec.Struct, gc=False):
    """A notification on its way into the record.

    Attributes:
        method: the method of its frame.
        payload: the JSON of its payload, as it came.
        received: when it came, in microseconds since 1970 in UTC.
        origin: how it came, one of `schema.ORIGINS`.
        since: when the connection was authorized that it came on (the server's milliseconds since 1970), if known: a
            message that was written before has the origin `redelivered`.
        seq: its position in the journal; without it the next one.
        told: what its payload tells, if that was read already.
        direction: `in` or `out`; a message by this account is `out` in any case.
    """

    method: str
    payload: bytes | msgspec.Raw
    received: int
    origin: str = "live"
    since: int | None = None
    seq: int | None = None
    told: notifications.Told | None = None
    direction: str = "in"


_FORWARDED: Final = (
    *("text", "parse_mode", "title", "file_id", "file_name", "file_size", "mime_type", "latitude", "longitude"),
)
_TIMESTAMP: Final = NAMES.index("timestamp")
_REDELIVERED: Final = "redelivered"
_PART: Final = 50_000
"""Message ids that are strings at once while a record is restored."""

_SORTED_AT_ONCE: Final = 50_000
"""Rows that are sorted into the timeline while others are kept out, which takes some milliseconds."""

_LOOKED_AT: Final = 20_000
"""Rows that are compared with a condition while others are kept out, which takes about a millisecond."""

_READ_AGAIN: Final = 100_000
"""Rows recorded behind a position that are told of at once."""

_MOST_GAPS: Final = 16

_TIMES: Final = frozenset(column.name for column in COLUMNS if column.kind is Kind.TIME)


@dataclass
class Counts:
    """What came in.

    Attributes:
        received: notifications taken in, whatever became of them.
        sent: events of our own.
        duplicates: messages that were there already; they add no row.
        redelivered: messages that had come while this account was away, and were sent again.
        incomplete: events of which something needed was missing, of the wrong type, or a time that cannot be; the rest
            is in the row.
        undecodable: payloads of known methods of which nothing could be read; their rows say `unknown`.
        unknown: notifications by a method that this version does not know; their rows say `unknown`.
    """

    received: int = 0
    sent: int = 0
    duplicates: int = 0
    redelivered: int = 0
    incomplete: int = 0
    undecodable: int = 0
    unknown: int = 0


class State(NamedTuple):
    """All that is in a record at one moment.

    Attributes:
        seq: the highest `seq`.
        arrays: gives the columns as Arrow arrays, on any thread; they share memory and must not be written.
        rest: what does not fit columns, as plain values.
    """

    seq: int
    arrays: Callable[[], dict[str, Any]]
    rest: dict[str, Any]


class Record:
    """Every event of one account, in the order in which it was taken in.

    One thread adds (the bot's); any thread may ask. A row never changes once it is there, so what was handed out stays
    right while more comes in.
    """

    def __init__(self, me: str | None = None) -> None:
        """Make an empty record.

        Args:
            me: id of this account, if known already.
        """
        self._lock = fork_safe(threading.Lock(), whole=True)
        self._directory = Directory()
        self._directory.me = me
        self._table = Table((*COLUMNS, ORIGIN))
        self._index = MessageIndex(lambda row: self._table.at(row, "message_id"))
        self._timeline = Timeline(self._times)
        self._last_seq = 0
        self._named = 0
        self._counts = Counts()
        self._views: dict[str, tuple[Any, pd.DataFrame]] = {}
        self._context = context.RecordContext()

    def __len__(self) -> int:
        return self._table.length

    @property
    def me(self) -> str | None:
        """Id of this account without `/resource`; messages by it have the direction `out`."""
        return self._directory.me

    @me.setter
    def me(self, user_id: str | None) -> None:
        with undisturbed(), self._lock:
            self._directory.me = user_id

    @property
    def last_seq(self) -> int:
        """The highest `seq` there is; 0 for an empty record."""
        return self._last_seq

    @property
    def counts(self) -> Counts:
        """What came in so far."""
        with undisturbed(), self._lock:
            return replace(self._counts)

    @property
    def nbytes(self) -> int:
        """Bytes of memory that the columns, the index of messages and the timeline take."""
        with undisturbed(), self._lock:
            return self._table.nbytes + self._index.nbytes + self._timeline.nbytes

    def learn_chat(self, chat_id: str, title: str | None, chat_type: int | None) -> None:
        """Note what the server said about a chat, for the rows to come.

        Args:
            chat_id: its id.
            title: its title; None says nothing.
            chat_type: the number of its type (`protocol` section 11.2); None says nothing.
        """
        with undisturbed(), self._lock:
            self._directory.learn_chat(chat_id, title, None if chat_type is None else int(chat_type))

    def learn_person(self, user_id: str, display_name: str) -> None:
        """Note the display name of a person, for the rows to come."""
        with undisturbed(), self._lock:
            self._directory.learn_person(user_id, display_name)

    def has_message(self, message_id: str) -> bool:
        """Return whether a message is there."""
        with undisturbed(), self._lock:
            return self._index.find(message_id) is not None

    def chats_without_type(self) -> list[str]:
        """Return the chats in which something happened since this was asked last and of which nothing is known yet.

        Servers before 5.5.6 do not say with a message what its chat is (`protocol` section 5.1).
        """
        with undisturbed(), self._lock:
            return self._directory.chats_without_type()

    def people_without_name(self) -> list[str]:
        """Return the ids of users who did something since this was asked last, and whose display name is not known."""
        with undisturbed(), self._lock:
            return self._directory.people_without_name()

    def append(
        self,
        method: str,
        payload: bytes | msgspec.Raw,
        received: int,
        *,
        origin: str = "live",
        since: int | None = None,
        seq: int | None = None,
        direction: str = "in",
    ) -> int | None:
        """Take in one notification, as `extend` does; arguments as for `Arrival`."""
        return self.extend([Arrival(method, payload, received, origin, since, seq, None, direction)])[0]

    def extend(self, arrivals: Iterable[Arriving]) -> list[int | None]:
        """Take in notifications in their order; whatever they say, this does not raise.

        Returns:
            For each the `seq` of its row; None for a message that is there already.

        Raises:
            ValueError: a `seq` is not above the last one; what stands before that one has been taken in.
        """
        with undisturbed(), self._lock:
            return [self._take(arrival) for arrival in arrivals]

    def extend_together(self, arrivals: Sequence[Arriving], reading: bulk.Reading) -> bool:
        """Take in hundreds of new notifications at once, given what `bulk.read` made of them.

        Returns:
            Whether that was done; otherwise nothing was taken in, since `extend` could make other rows of them.
        """
        with undisturbed(), self._lock:
            return self._take_together(arrivals, reading)

    def append_sent(
        self,
        method: str,
        request: Mapping[str, Any],
        response: Mapping[str, Any],
        received: int,
        *,
        file: Mapping[str, Any] | None = None,
        seq: int | None = None,
    ) -> int:
        """Take in something that this account did, since the server does not tell its own doings to a session.

        Args:
            method: `sendMessage`, `sendFile`, `sendSurvey`, `forwardMessage`, `editMessage`, `editSurvey` or
                `removeMessage`.
            request: the payload of the request.
            response: the payload of its answer.
            received: when the answer came, in microseconds since 1970 in UTC.
            file: for `sendFile`: `file_name`, `file_size` (bytes) and `mime_type`, as far as known.
            seq: its position in the journal; without it the next one. A caption, being a message of its own, takes the
                position behind its file.

        Returns:
            The `seq` of its row; for a message that is there already, of the row it has.

        Raises:
            ValueError: the method is none of those, or `seq` is not above the last one.

        Source: `protocol` sections 6.4 to 6.6.
        """
        events = rows.sent(method, request, response)
        if not events:
            raise ValueError(f"{method} is not among the requests that are recorded")
        if file is not None:
            events[0] |= rows.sent_file(file)
        original = request.get("messageId")
        with undisturbed(), self._lock:
            seqs: list[int] = []
            for values in events:
                self._complete(values, original if isinstance(original, str) else None)
                seqs.append(self._add_sent(values, received, self._next(None if seqs else seq)))
            return seqs[0]

    def frame(self) -> pd.DataFrame:
        """Return every event so far, one row each, with the columns of `tcnb.record.schema.COLUMNS`.

        The frame is the caller's: what is written into it changes neither the record nor another frame. Whatever is
        taken from it still knows the edits and removals of the whole: see `context`.
        """
        with undisturbed(), self._lock:
            self._name_authors()
            arrays = self._table.arrays()
        del arrays[ORIGIN.name]
        known = self._context_of(arrays)
        made = frames.frame(arrays)
        made.attrs[context.ATTRIBUTE] = known
        return made

    def _context_of(self, arrays: Mapping[str, Any]) -> context.RecordContext:
        """Return the context of the whole record as it is in some arrays, any thread's."""
        # Read and replaced in one step each: another thread may have arrays with more rows, or with fewer.
        known = self._context
        if known.rows > len(arrays["event"]):
            return context.RecordContext().extended(arrays)
        self._context = known = known.extended({name: arrays[name][known.rows :] for name in context.CHANGED})
        return known

    def origins(self) -> pd.Series[Any]:
        """Return how each event came (one of `schema.ORIGINS`), as a categorical in the order of the rows of `frame`.

        One that was taken later than a frame may be longer; what came first stands first in both.
        """
        with undisturbed(), self._lock:
            return pd.Series(self._table.arrays()[ORIGIN.name], name=ORIGIN.name).copy()

    def messages(self) -> pd.DataFrame:
        """Return the messages, one row each, edits and removals applied, with the columns of `schema.MESSAGES`."""
        return self._view(
            "messages",
            lambda events, chats, names: views.messages(events, chats, names, self.origins().iloc[: len(events)]),
        )

    def chats(self) -> pd.DataFrame:
        """Return the chats that are known or were seen, with the columns of `schema.CHATS`."""
        return self._view("chats", lambda events, chats, names: views.chats(events, chats))

    def people(self) -> pd.DataFrame:
        """Return the people who are known or wrote something, with the columns of `schema.PEOPLE`."""
        return self._view("people", lambda events, chats, names: views.people(events, names))

    def files(self) -> pd.DataFrame:
        """Return the files that were sent, one row each, with the columns of `schema.FILES`."""
        return self._view("files", lambda events, chats, names: derived.files(self.messages()))

    def edits(self) -> pd.DataFrame:
        """Return the edits, one row each, with the columns of `schema.EDITS`."""
        return self._view("edits", lambda events, chats, names: derived.edits(events))

    def _view(
        self, name: str, make: Callable[[pd.DataFrame, dict[str, KnownChat], dict[str, str]], pd.DataFrame]
    ) -> pd.DataFrame:
        """Return what is computed from the events, anew where something came or was learned since it was last."""
        events, known = self.frame(), self._known()
        state, made = (len(events), *known), self._views.get(name)
        if made is None or made[0] != state:
            made = self._views[name] = state, make(events, *known)
        return frames.copy(made[1])

    def rows(self, after: int, limit: int, *, with_origin: bool = False) -> list[dict[str, Any]]:
        """Return the first rows behind a position, oldest first, ready for JSON.

        Args:
            after: the `seq` behind which to begin.
            limit: at most so many rows.
            with_origin: whether each says besides how it came (`origin`, one of `schema.ORIGINS`).

        Returns:
            A dictionary a row, by column; times in whole milliseconds since 1970, None for what is missing.
        """
        with undisturbed(), self._lock:
            start = self._table.search("seq", after)
            stop = min(start + max(limit, 0), self._table.length)
            return self._rows(start, stop, (*NAMES, ORIGIN.name) if with_origin else NAMES)

    def rows_before(self, seq: int, limit: int) -> list[dict[str, Any]]:
        """Return the last rows before a position, oldest first, ready for JSON as in `rows`."""
        with undisturbed(), self._lock:
            stop = self._table.search("seq", seq - 1)
            return self._rows(max(stop - max(limit, 0), 0), stop, NAMES)

    def earlier(self, place: Place | None, limit: int, condition: Condition | None = None) -> Page:
        """Return rows that stand in the timeline right before a place.

        Rows stand there by the time at which they happened on the server; those of which it does not say that, by the
        time at which they were received; those of one moment in the order in which they were recorded.

        Args:
            place: where to begin; None is behind everything.
            limit: at most so many rows, at least one.
            condition: which rows are wanted; without it, all.

        Returns:
            The rows, perhaps fewer than there are: one call looks at a bounded number. `reached` leads on.
        """
        self._sort_in()
        with undisturbed(), self._lock:
            stop = self._timeline.length if place is None else self._position(place)
            start = max(stop - (limit if condition is None else _LOOKED_AT), 0)
            rows = self._wanted(self._timeline.rows(start, stop), condition)
            if len(rows) > limit:
                return self._page(rows[-limit:], rows[-limit])
            return self._page(rows, self._timeline.rows(start, start + 1)[0] if start else None)

    def later(self, place: Place | None, limit: int, condition: Condition | None = None) -> Page:
        """Return rows that stand in the timeline right behind a place; arguments as for `earlier`.

        `place` is None for what stands at the beginning.
        """
        self._sort_in()
        with undisturbed(), self._lock:
            start = 0 if place is None else self._position(Place(place.time, place.seq + 1))
            stop = min(start + (limit if condition is None else _LOOKED_AT), self._timeline.length)
            rows = self._wanted(self._timeline.rows(start, stop), condition)
            if len(rows) > limit:
                return self._page(rows[:limit], rows[limit - 1])
            is_end = stop == self._timeline.length
            return self._page(rows, None if is_end else self._timeline.rows(stop - 1, stop)[0])

    def recorded(self, after: int, until: int, limit: int, condition: Condition | None = None) -> Recorded:
        """Return what was recorded behind one position and not behind another, in the order of time.

        Args:
            after: the `seq` behind which to begin.
            until: the `seq` up to which to go, at most.
            limit: at most so many rows; of more, the latest are returned, and where the others are.
            condition: which rows are wanted; without it, all.
        """
        self._sort_in()
        with undisturbed(), self._lock:
            start = self._table.search("seq", after)
            stop = min(self._table.search("seq", until), self._timeline.length)
            if stop - start > _READ_AGAIN:
                stop = start + _READ_AGAIN
                until = int(self._table.at(stop - 1, "seq"))
            rows = self._wanted(np.arange(start, stop, dtype=np.int32), condition)
            times = self._times(rows)
            by_time = np.argsort(times, kind="stable")
            rows, times = rows[by_time], times[by_time]
            left = max(len(rows) - limit, 0)
            gaps = self._gaps(times[:left], rows[:left], start, condition)
            names = (*NAMES, ORIGIN.name)
            return Recorded(until, self._dictionaries(self._table.take(rows[left:]), names), gaps)

    def state(self) -> State:
        """Return all that is in here now, for `restore`."""
        with undisturbed(), self._lock:
            rest = {"seq": self._last_seq, "counts": asdict(self._counts), "directory": self._directory.state()}
            return State(self._last_seq, self._table.frozen(), rest)

    def restore(self, arrays: Mapping[str, Any], rest: Mapping[str, Any]) -> None:
        """Take in a `State` of an earlier session; the record must be empty."""
        message = arrays["event"].dictionary.to_pylist().index("message")
        with_id = arrays["message_id"].is_valid().to_numpy(zero_copy_only=False)
        known = np.flatnonzero((arrays["event"].indices.to_numpy() == message) & with_id)
        parts = (known[start : start + _PART] for start in range(0, len(known), _PART))
        ids = (message_id for part in parts for message_id in arrays["message_id"].take(pa.array(part)).to_pylist())
        with undisturbed(), self._lock:
            self._table.load(arrays)
            self._index.fill(ids, known)
            chat_ids, user_ids = self._table.categories("chat_id"), self._table.categories("author_id")
            self._directory.restore(rest["directory"], chat_ids, user_ids)
            self._counts = Counts(**rest["counts"])
            self._named = -1  # names may have been learned before this, and the column knows nothing of them
            self._last_seq = rest["seq"]

    def _known(self) -> tuple[dict[str, KnownChat], dict[str, str]]:
        with undisturbed(), self._lock:
            return self._directory.chats(), self._directory.names()

    def _take(self, arrival: Arriving) -> int | None:
        """Take in one notification, once others are kept out."""
        told = _told(arrival)
        seq = self._next(arrival.seq)
        self._counts.received += 1
        part = told[1]
        if isinstance(part, notifications.Message) and part.message_id is not None and self._has(part.message_id):
            return None
        self._table.append(self._row(arrival, told, seq))
        self._last_seq = seq
        return seq

    def _row(self, arrival: Arriving, told: notifications.Told, seq: int) -> tuple[Any, ...]:
        """Return the row of a notification with its origin, and count what is wrong with it."""
        event, part, whole = told
        origin = arrival.origin
        if isinstance(part, notifications.Message):
            row = rows.message(part, seq, arrival.received, arrival.direction, self._directory)
            whole = whole and (part.chat_id is not None or part.chat is not None) and row[_TIMESTAMP] is not None
            since = arrival.since
            if since is not None and part.timestamp is not None and 0 < part.timestamp < since:
                origin = _REDELIVERED
        else:
            row = rows.other(event, part, seq, arrival.received, arrival.direction, self._directory)
        if not whole:
            self._count_flaw(arrival.method, event)
        if origin == _REDELIVERED:
            self._counts.redelivered += 1
        return (*row, origin)

    def _take_together(self, arrivals: Sequence[Arriving], reading: bulk.Reading) -> bool:
        """Take in many notifications at once; False, and no row is added, where that could make other rows."""
        following = range(self._last_seq + 1, self._last_seq + 1 + len(arrivals))
        seqs = np.array([arrival.seq or seq for arrival, seq in zip(arrivals, following, strict=True)], np.int64)
        if seqs[0] <= self._last_seq or (np.diff(seqs) <= 0).any():
            return False
        ids, first = list(reading.ids), self._table.length
        places = reading.places.tolist()
        is_other = np.ones(len(arrivals), np.bool_)
        is_other[reading.places] = False
        others = {place: arrivals[place] for place in np.flatnonzero(is_other).tolist()}
        told = {place: _told(other) for place, other in others.items()}
        for place, (_, part, _) in told.items():
            if rows.changes_directory(part, self._directory):
                return False
            if isinstance(part, notifications.Message) and part.message_id is not None:
                ids.append(part.message_id)
                places.append(place)
        if len(set(ids)) < len(ids):
            return False
        chats = reading.chats
        # Where a chat gets a new title, it counts what stands before that.
        if chats is None or (others and chats.is_new(self._directory)):
            return False
        placed = self._index.add_all(ids, [first + place for place in places], first)
        if placed is None:
            return False
        try:
            columns = bulk.columns(reading, chats, self._directory) | bulk.circumstances(reading, arrivals, seqs)
            made = {place: self._row(other, told[place], int(seqs[place])) for place, other in others.items()}
            self._table.extend(columns, reading.places, made)
        except BaseException:
            self._index.take_back(placed)
            raise
        self._counts.received += len(arrivals)
        self._counts.redelivered += pc.sum(pc.equal(columns[ORIGIN.name], _REDELIVERED)).as_py()
        self._counts.incomplete += columns["timestamp"].null_count
        self._last_seq = int(seqs[-1])
        return True

    def _next(self, seq: int | None) -> int:
        if seq is None:
            return self._last_seq + 1
        if seq <= self._last_seq:
            raise ValueError(f"the position {seq} is not above the last one, {self._last_seq}")
        return seq

    def _has(self, message_id: str) -> bool:
        """Return whether a message is there already; otherwise the row to come is noted as its own."""
        if self._index.find_or_add(message_id, self._table.length) is None:
            return False
        self._counts.duplicates += 1
        return True

    def _count_flaw(self, method: str, event: str) -> None:
        if event != notifications.UNKNOWN:
            self._counts.incomplete += 1
        elif method in notifications.EVENTS:
            self._counts.undecodable += 1
        else:
            self._counts.unknown += 1

    def _add_sent(self, values: dict[str, Any], received: int, seq: int) -> int:
        self._counts.sent += 1
        message_id = values.get("message_id")
        if values["event"] == "message" and message_id is not None:
            found = self._index.find_or_add(message_id, self._table.length)
            if found is not None:
                self._counts.duplicates += 1
                return int(self._table.at(found, "seq"))
        values |= {"seq": seq, "received": received, "direction": "out"}
        self._table.append((*rows.from_values(values, self._directory), "sent"))
        self._last_seq = seq
        return seq

    def _complete(self, values: dict[str, Any], original_id: str | None) -> None:
        """Add what the request does not say: who we are, and from the earlier row where the message is."""
        values["author_id"] = self._directory.me
        original = None if original_id is None else self._index.find(original_id)
        if original is None:
            return
        if values.get("message_type") == "forwarded":
            values["forwarded_from"] = self._table.at(original, "forwarded_from") or self._table.at(
                original, "author_id"
            )
            values |= {name: self._table.at(original, name) for name in _FORWARDED}
        elif values.get("chat_id") is None:
            values["chat_id"] = self._table.at(original, "chat_id")

    def _name_authors(self) -> None:
        """Fill in the display names that were learned since; a name is often learned after its owner's first events."""
        learned = self._directory.names_learned
        if self._named != learned:
            self._table.derive("author", "author_id", lambda user_id: self._directory.person(user_id).name)
            self._named = learned  # last, since an interrupt may strike before: then it is done again

    def _times(self, rows: timeline.Rows) -> timeline.Numbers:
        """Return the times of rows in the timeline."""
        return times_of(self._table.times("timestamp", rows), self._table.times("received", rows))

    def _sort_in(self) -> None:
        """Sort what came since into the timeline, letting in others from time to time.

        It is done when somebody asks, so that it costs nothing where nobody does.
        """
        while True:
            with undisturbed(), self._lock:
                left = self._table.length - self._timeline.length
                self._timeline.add(min(left, _SORTED_AT_ONCE))
                if left <= _SORTED_AT_ONCE:
                    return

    def _position(self, place: Place) -> int:
        """Return how many rows stand in the timeline before a place."""
        row = self._table.search("seq", place.seq - 1)
        return int(self._timeline.search(np.array([place.time]), np.array([row], np.int32))[0])

    def _wanted(self, rows: timeline.Rows, condition: Condition | None) -> timeline.Rows:
        return rows if condition is None else rows[self._table.where(rows, *condition)]

    def _page(self, rows: timeline.Rows, reached: Any) -> Page:
        found = self._dictionaries(self._table.take(rows), NAMES)
        return Page(found, None if reached is None else self._place(int(reached)))

    def _place(self, row: int) -> Place:
        return Place(int(self._times(np.array([row], np.int32))[0]), int(self._table.at(row, "seq")))

    def _gaps(self, times: timeline.Numbers, rows: timeline.Rows, first: int, condition: Condition | None) -> list[Gap]:
        """Return where some rows are, given in the order of time: between two gaps stands a wanted row before `first`.

        Of too many gaps the earliest are made one.
        """
        if not len(rows):
            return []
        places = self._timeline.search(times, rows)
        around = self._timeline.rows(int(places[0]), int(places[-1]) + 1)
        is_other = np.zeros(len(around), np.bool_)
        others = np.flatnonzero(around < first)
        is_other[others[self._table.where(around[others], *condition)] if condition else others] = True
        passed = np.cumsum(is_other)[places - places[0]]
        starts = [0, *(np.flatnonzero(np.diff(passed)) + 1)[1 - _MOST_GAPS :].tolist()]
        ends = [*starts[1:], len(rows)]
        return [
            Gap(self._place(int(rows[start])), self._place(int(rows[end - 1])), end - start)
            for start, end in zip(starts, ends, strict=True)
        ]

    def _rows(self, start: int, stop: int, names: tuple[str, ...]) -> list[dict[str, Any]]:
        return self._dictionaries(self._table.rows(start, stop), names)

    def _dictionaries(self, rows: list[tuple[Any, ...]], names: tuple[str, ...]) -> list[dict[str, Any]]:
        # The origin stands last in the table.
        found = [dict(zip(names, row, strict=False)) for row in rows]
        person = self._directory.person
        for row in found:
            for name in _TIMES:
                if row[name] is not None:
                    row[name] //= 1000
            # It may have been learned after the row was written.
            if row["author_id"] is not None:
                row["author"] = person(row["author_id"]).name
        return found


def _told(arrival: Arriving) -> notifications.Told:
    return arrival.told or notifications.decode(arrival.method, arrival.payload)
