"""The events of a company that talks for a year, drawn by the day, as frames with the columns of `tc.df`; they are
neither stored nor measured here.

A hundred chats of which a few are loud and a third are of two people; five hundred people with turns, working hours and
weekends; answers, replies, files, edits, removals. The same numbers always give the same events.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from tcnb.record.columns.columns import NO_TIME, category_array, time_array
from tcnb.record.schema import COLUMNS, Column, Kind

CHATS: Final = 100
PERSONAL: Final = 33
PEOPLE: Final = 500
FIRST_DAY: Final = datetime.date(2025, 1, 1)
LONGEST: Final = 365
"""Most days over which the messages are spread."""
A_DAY: Final = 25_000
"""So many messages are written a day, or more if that would take longer than `LONGEST`."""
PART: Final = 500_000
"""So many messages are drawn at a time, in whole days."""

_MILLISECOND: Final = 1_000
_DAY: Final = 86_400_000
_LATENCY: Final = 400
"""Most milliseconds from the server to us."""
_HOURS: Final = np.array([1, 1, 1, 1, 1, 2, 5, 15, 45, 80, 95, 90, 60, 75, 90, 90, 80, 60, 35, 20, 15, 10, 6, 3])
_LETTERS: Final = ("abcdefghiklmnoprstuvy", "абвгдежзиклмнопрстуя")
_AUTHORS: Final = ("user", "system")
_TYPES: Final = ("plain", "attachment", "add_participant")
_MIMES: Final = ("application/pdf", "image/png", "image/jpeg", "text/csv")
_LARGE_EMPTY: Final = pa.scalar("", pa.large_string())
_ENDINGS: Final = (".pdf", ".png", ".jpg", ".csv")

Numbers = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class Company:
    """Who talks, where, and in which words.

    Attributes:
        chat_ids: ids of the chats, the loudest first.
        members: of each chat, the numbers of its people, the most talkative first.
        people: ids of the people.
        words: the words, the most frequent first.
    """

    chat_ids: list[str]
    members: list[Numbers]
    people: list[str]
    words: pa.Array


def parts(messages: int, seed: int = 1) -> Iterator[pd.DataFrame]:
    """Yield the events, so many days at a time that there are about `PART` messages in each frame.

    Args:
        messages: how many rows shall be messages; edits and removals come on top.
        seed: another seed, another company.

    Returns:
        Frames with the columns and types of `tc.df`; `seq` goes on from one to the next.
    """
    company = _company(np.random.default_rng(seed))
    days = min(max(messages // A_DAY, 7), LONGEST)
    count = max(-(-messages // PART), 1)
    borders = [days * part // count for part in range(count + 1)]
    shares = [messages * part // count for part in range(count + 1)]
    seq = 0
    for part in range(count):
        draw = np.random.default_rng([seed, part])
        frame = _part(company, draw, shares[part + 1] - shares[part], borders[part], borders[part + 1], seq)
        seq += len(frame)
        yield frame


def _company(draw: np.random.Generator) -> Company:
    sizes = [*draw.integers(5, 80, CHATS - PERSONAL), *[2] * PERSONAL]
    draw.shuffle(sizes)
    words = ["".join(draw.choice(list(_LETTERS[number % 2]), int(draw.integers(2, 11)))) for number in range(6_000)]
    return Company(
        chat_ids=[draw.bytes(20).hex() for _ in range(CHATS)],
        members=[draw.choice(PEOPLE, size, replace=False) for size in sizes],
        people=[f"person{number}@video.example.com" for number in range(PEOPLE)],
        words=pa.array(words, pa.large_string()),
    )


def _part(company: Company, draw: np.random.Generator, count: int, first: int, last: int, seq: int) -> pd.DataFrame:
    """Return the events of the days from `first` up to `last`."""
    times = _times(draw, count, first, last)
    chat = draw.choice(CHATS, count, p=_zipf(CHATS, 0.8))
    by_chat = np.argsort(chat, kind="stable")
    author = _authors(company, draw, chat, by_chat)
    ids = _uuids(draw, count)
    kind = draw.choice(len(_TYPES), count, p=(0.945, 0.05, 0.005))
    texts = _texts(company, draw, count)
    said = {
        "chat": chat,
        "author": author,
        "kind": kind,
        "ids": ids,
        "replies": _replies(draw, chat, by_chat, kind),
        "texts": pc.if_else(pa.array(kind == 0), texts, None),
    }
    edited = np.flatnonzero((kind == 0) & (draw.random(count) < 0.02))
    removed = np.flatnonzero(draw.random(count) < 0.007)
    rows = np.concatenate([np.arange(count), edited, removed])
    event = np.repeat([0, 1, 2], [count, len(edited), len(removed)])
    later = draw.integers(5_000, 600_000, len(edited) + len(removed))
    # Whatever arrives by midnight belongs to this part.
    happened = np.minimum(np.concatenate([times, times[rows[count:]] + later]), _instant(last) - _LATENCY)
    order = np.argsort(happened, kind="stable")
    frame = _frame(company, draw, said, rows[order], event[order], happened[order])
    return frame.assign(seq=pd.array(np.arange(seq + 1, seq + 1 + len(frame)), "Int64"))


def _times(draw: np.random.Generator, count: int, first: int, last: int) -> Numbers:
    """Return ascending instants in milliseconds: weekdays and working hours have most of them."""
    weekdays = np.array([(FIRST_DAY + datetime.timedelta(day)).weekday() for day in range(first, last)])
    weights = np.where(weekdays < 5, 1.0, 0.15)
    day = draw.choice(np.arange(first, last), count, p=weights / weights.sum())
    hour = draw.choice(24, count, p=_HOURS / _HOURS.sum())
    return np.sort(_instant(day) + hour * 3_600_000 + draw.integers(0, 3_600_000, count))


def _instant(day: Any) -> Any:
    return (day + (FIRST_DAY - datetime.date(1970, 1, 1)).days) * _DAY


def _authors(company: Company, draw: np.random.Generator, chat: Numbers, by_chat: Numbers) -> Numbers:
    """Return who writes: in a third of the cases, whoever wrote before in the chat."""
    author = np.empty(len(chat), np.int64)
    for number, members in enumerate(company.members):
        there = by_chat[slice(*np.searchsorted(chat[by_chat], [number, number + 1]))]
        chosen = draw.choice(members, len(there), p=_zipf(len(members), 0.9))
        fresh = draw.random(len(there)) > 0.35
        turns = np.maximum.accumulate(np.where(fresh, np.arange(len(there)), 0))
        author[there] = chosen[turns]
    return author


def _replies(draw: np.random.Generator, chat: Numbers, by_chat: Numbers, kind: Numbers) -> Numbers:
    """Return the number of the message that each one replies to, one of the last in its chat; -1 for none."""
    count = len(chat)
    places = np.arange(count)
    target = places - draw.geometric(0.3, count)
    sorted_chat = chat[by_chat]
    is_reply = (draw.random(count) < 0.12) & (target >= 0) & (sorted_chat[target] == sorted_chat)
    replies = np.full(count, -1)
    replies[by_chat[is_reply]] = by_chat[target[is_reply]]
    return np.where(kind == 0, replies, -1)


def _texts(company: Company, draw: np.random.Generator, count: int) -> pa.Array:
    """Return texts, half of them shorter than nine words."""
    lengths = np.clip(draw.lognormal(2.1, 0.8, count).astype(np.int64), 1, 200)
    ends = np.concatenate([[0], np.cumsum(lengths)])
    # What a uniform number raised to a power picks is about as frequent as words are.
    picked = (len(company.words) * draw.random(int(ends[-1])) ** 3).astype(np.int64)
    words = company.words.take(pa.array(picked))
    return pc.binary_join(pa.LargeListArray.from_arrays(pa.array(ends), words), pa.scalar(" ", pa.large_string()))


def _uuids(draw: np.random.Generator, count: int) -> pa.Array:
    """Return random ids in the form that the server gives to messages."""
    octets = np.frombuffer(draw.bytes(16 * count), np.uint8).reshape(count, 16)
    digits = np.frombuffer(b"0123456789abcdef", np.uint8)
    written = np.full((count, 36), ord("-"), np.uint8)
    places = np.array([place for place in range(36) if place not in (8, 13, 18, 23)])
    written[:, places[0::2]] = digits[octets >> 4]
    written[:, places[1::2]] = digits[octets & 15]
    ends = np.arange(0, 36 * (count + 1), 36, dtype=np.int64)
    return pa.LargeStringArray.from_buffers(count, pa.py_buffer(ends), pa.py_buffer(written.reshape(-1)))


def _frame(
    company: Company, draw: np.random.Generator, said: dict[str, Any], rows: Numbers, event: Numbers, times: Numbers
) -> pd.DataFrame:
    """Return events: rows of messages, those that say that one of them was edited, or removed."""
    is_message, is_edit, is_removal = event == 0, event == 1, event == 2
    kind, author = np.where(is_message, said["kind"][rows], -1), said["author"][rows]
    is_file = kind == 1
    chat = said["chat"][rows]
    texts = said["texts"].take(pa.array(rows))
    mime = np.where(is_file, draw.choice(len(_MIMES), len(rows)), -1)
    numbers = pa.array(np.arange(len(rows)) + draw.integers(1 << 40)).cast(pa.large_string())
    endings = pa.array(_ENDINGS, pa.large_string()).take(pa.array(mime % len(_MIMES)))
    names = {
        "chat": [f"Chat {number}" for number in range(CHATS)],
        "author": [f"Person Number{n}" for n in range(PEOPLE)],
    }
    is_personal = np.array([len(members) == 2 for members in company.members])[chat]
    made: dict[str, Any] = {
        "received": time_array(
            np.sort(times * _MILLISECOND + draw.integers(5_000, _LATENCY * _MILLISECOND, len(rows)))
        ),
        # Of a removal the server does not say when.
        "timestamp": time_array(np.where(is_removal, NO_TIME, times * _MILLISECOND)),
        "event": _codes("event", event),
        "direction": _codes("direction", np.zeros(len(rows), np.int32)),
        "chat_id": category_array(chat, company.chat_ids),
        "chat": category_array(chat, names["chat"]),
        "chat_type": category_array(np.where(is_personal, 1, 0), ("group", "p2p")),
        "message_id": _strings(said["ids"].take(pa.array(rows))),
        "author_id": category_array(np.where(is_removal, -1, author), company.people),
        "author": category_array(np.where(is_removal, -1, author), names["author"]),
        "author_type": category_array(np.where(is_removal, -1, kind == 2), _AUTHORS),
        "message_type": category_array(kind, _TYPES),
        "text": _strings(_where(is_edit, _texts(company, draw, len(rows)), _where(is_message, texts))),
        "parse_mode": category_array(np.where(kind == 0, 0, -1), ("html",)),
        "reply_to": _strings(_reply_ids(said, rows, is_message)),
        "is_edited": pd.arrays.BooleanArray(np.zeros(len(rows), bool), ~is_message),
        "file_id": _strings(_where(is_file, numbers)),
        "file_name": _strings(_where(is_file, pc.binary_join_element_wise(numbers, endings, _LARGE_EMPTY))),
        "file_size": pd.arrays.IntegerArray(draw.integers(1_000, 10_000_000, len(rows)), ~is_file),
        "mime_type": category_array(mime, _MIMES),
    }
    return pd.DataFrame(
        {column.name: made.get(column.name, _nothing(column, len(rows))) for column in COLUMNS}, copy=False
    )


def _reply_ids(said: dict[str, Any], rows: Numbers, is_message: Numbers) -> pa.Array:
    target = np.where(is_message, said["replies"][rows], -1)
    return said["ids"].take(pa.array(target, mask=target < 0))


def _where(condition: Numbers, values: pa.Array, otherwise: pa.Array | None = None) -> pa.Array:
    return pc.if_else(pa.array(condition), values, otherwise)


def _strings(values: pa.Array) -> Any:
    return pd.arrays.ArrowStringArray(values)


def _codes(name: str, codes: Numbers) -> Any:
    return category_array(codes.astype(np.int32), next(column.categories for column in COLUMNS if column.name == name))


def _nothing(column: Column, count: int) -> Any:
    """Return a column in which every value is missing."""
    missing = np.ones(count, bool)
    match column.kind:
        case Kind.CATEGORY:
            return category_array(np.full(count, -1, np.int32), ())
        case Kind.TEXT:
            return _strings(pa.nulls(count, pa.large_string()))
        case Kind.FLOAT:
            return pd.arrays.FloatingArray(np.zeros(count), missing)
        case Kind.BOOLEAN:
            return pd.arrays.BooleanArray(np.zeros(count, bool), missing)
        case Kind.TIME:
            return time_array(np.full(count, NO_TIME))
        case Kind.INTEGER:
            return pd.arrays.IntegerArray(np.zeros(count, np.int64), missing)


def _zipf(count: int, power: float) -> Numbers:
    weights = 1 / np.arange(1, count + 1) ** power
    return weights / weights.sum()
