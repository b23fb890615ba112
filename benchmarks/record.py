"""How fast the record takes events in, how fast it hands out a frame, how much memory it takes; no network and no disk.

`python -m benchmarks.record [EVENTS]` prints each figure beside that of the obvious way to do the same, from one run.
"""

from __future__ import annotations

import json
import random
import sys
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd
import pyarrow as pa
from dataclasses_json import DataClassJsonMixin, LetterCase, config

from benchmarks import table
from tcnb.record.record import Arrival, Record
from tcnb.record.schema import COLUMNS, Kind

EVENTS: Final = 1_000_000
NEW: Final = 1_000
OBJECTS: Final = 10_000
"""So many messages are read by the slow way: enough for a mean."""
REPEATS: Final = 20
CHATS: Final = 20
PEOPLE: Final = 200
FIRST_DAY: Final = 1_767_000_000_000
CAMEL: Final = config(letter_case=LetterCase.CAMEL)["dataclasses_json"]


@dataclass
class Author(DataClassJsonMixin):
    """Author of a message, as an object."""

    dataclass_json_config = CAMEL

    id: str
    type: int


@dataclass
class Chat(DataClassJsonMixin):
    """Chat of a message, as an object."""

    dataclass_json_config = CAMEL

    chat_id: str
    chat_title: str
    chat_type: int


@dataclass
class Content(DataClassJsonMixin):
    """Content of a message, as an object."""

    dataclass_json_config = CAMEL

    text: str | None = None
    parse_mode: str | None = None
    file_id: str | None = None
    name: str | None = None
    size: int | None = None
    mime_type: str | None = None


@dataclass
class Message(DataClassJsonMixin):
    """A message, as an object."""

    dataclass_json_config = CAMEL

    message_id: str
    chat_id: str
    chat: Chat
    timestamp: int
    author: Author
    type: int
    content: Content
    is_edited: bool = False
    reply_message_id: str | None = None


def events(count: int, seed: int = 1) -> Iterator[Arrival]:
    """Yield `count` notifications of twenty chats and two hundred people: messages, replies, files, edits, removals."""
    draw = random.Random(seed)
    chats = [(draw.randbytes(20).hex(), f"Chat number {number}") for number in range(CHATS)]
    people = [f"person{number}@video.example.com" for number in range(PEOPLE)]
    words = ["".join(draw.choices("abcdefghijklmnoprstuvy", k=draw.randint(2, 9))) for _ in range(2_000)]
    last = ""
    payload: dict[str, Any]
    for number in range(count):
        chat_id, title = draw.choice(chats)
        now = FIRST_DAY + number * 350
        kind = draw.random()
        if kind < 0.01 and last:
            method, payload = "removeMessage", {"chatId": chat_id, "messageId": last}
        elif kind < 0.03:
            content = {"text": _text(draw, words), "parseMode": "html"}
            method, payload = "editMessage", {"chatId": chat_id, "timestamp": now, "content": content}
        else:
            method = "sendMessage"
            message_id = str(uuid.UUID(int=draw.getrandbits(128), version=4))
            payload = {
                "messageId": message_id,
                "chatId": chat_id,
                "chat": {"chatId": chat_id, "chatTitle": title, "chatType": 2},
                "timestamp": now,
                "replyMessageId": last if kind > 0.85 and last else None,
                "isEdited": False,
                "author": {"id": draw.choice(people), "type": 1},
                "box": {"id": number, "position": "0"},
                **(_file(draw, words) if kind < 0.08 else _plain(draw, words)),
            }
            last = message_id
        said = json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode()
        yield Arrival(method, said, (now + 40) * 1000)


def _plain(draw: random.Random, words: list[str]) -> dict[str, Any]:
    return {"type": 200, "content": {"text": _text(draw, words), "parseMode": "html"}}


def _file(draw: random.Random, words: list[str]) -> dict[str, Any]:
    content = {
        "name": f"{draw.choice(words)}.pdf",
        "size": draw.randint(1_000, 10_000_000),
        "fileId": draw.randbytes(20).hex(),
        "mimeType": "application/pdf",
        "readyState": 2,
    }
    return {"type": 202, "content": content}


def _text(draw: random.Random, words: list[str]) -> str:
    text = " ".join(draw.choices(words, k=draw.randint(2, 32)))
    return f"{text} &amp; <b>{draw.choice(words)}</b>" if draw.random() < 0.1 else text


def objects(batch: Iterable[Arrival]) -> list[Message]:
    """Read messages the obvious way: JSON to dictionaries, dictionaries to dataclasses."""
    read = Message.from_dict
    return [read(json.loads(arrival.payload)) for arrival in batch if arrival.method == "sendMessage"]


def arrow_bytes(frame: pd.DataFrame) -> int:
    """Return the bytes of the same columns in Arrow's leanest types: 32-bit offsets, bits for truth and nulls."""
    types = {Kind.TEXT: pa.string(), Kind.INTEGER: pa.int64(), Kind.FLOAT: pa.float64(), Kind.BOOLEAN: pa.bool_()}
    total = 0
    for column in COLUMNS:
        array = pa.array(frame[column.name], from_pandas=True)
        array = array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array
        array = array.cast(types[column.kind]) if column.kind in types else array
        total += array.nbytes + (array.dictionary.nbytes if column.kind is Kind.CATEGORY else 0)
    return total


def seconds(do: Callable[[], object], repeats: int = 1) -> float:
    """Return the mean duration of doing it."""
    start = time.perf_counter()
    for _ in range(repeats):
        do()
    return (time.perf_counter() - start) / repeats


def measure_intake(batch: list[Arrival]) -> Record:
    """Print how long an event takes until it is in the columns; return the record."""
    record = Record()
    one_by_one = Record()
    some = batch[:OBJECTS]
    each = seconds(lambda: [one_by_one.extend([arrival]) for arrival in some]) / len(some)
    start = time.perf_counter()
    for position in range(0, len(batch), NEW):
        record.extend(batch[position : position + NEW])
    many = (time.perf_counter() - start) / len(batch)
    slow = seconds(lambda: objects(some)) / len(some)
    print(f"decode and append, one by one         {each * 1e6:8.2f} µs an event")
    print(f"decode and append, in batches         {many * 1e6:8.2f} µs an event")
    print(f"objects by dataclasses-json           {slow * 1e6:8.2f} µs an event   {slow / many:6.1f} x as long")
    return record


def measure_snapshot(record: Record, new: list[Arrival]) -> None:
    """Print how long a frame takes after new events."""
    part = max(len(new) // REPEATS, 1)
    durations = []
    for position in range(0, len(new), part):
        record.extend(new[position : position + part])
        durations.append(seconds(record.frame))
    fast = sorted(durations)[len(durations) // 2]
    rows = record.rows(0, len(record))
    slow = seconds(lambda: pd.DataFrame(rows))
    print(f"frame of {len(record):,} events, {part:,} of them new, median {fast * 1e3:8.2f} ms")
    print(f"pandas.DataFrame(dictionaries)        {slow * 1e3:8.2f} ms            {slow / fast:6.0f} x as long")
    what, against = f"tc.df of {len(record):,} events, {part:,} new", "pandas.DataFrame(dictionaries)"
    measured = f"{fast * 1e3:.1f} ms, {slow / fast:,.0f} x as fast"
    table.note(what, against, measured, "<= 10 ms, >= 50 x", fast <= 0.010 and slow / fast >= 50)


def measure_memory(record: Record) -> None:
    """Print how much memory the columns take."""
    ours, arrow = record.nbytes, arrow_bytes(record.frame())
    print(f"memory of the record, with its index  {ours / 2**20:8.1f} MiB")
    print(
        f"the same columns in Arrow             {arrow / 2**20:8.1f} MiB           {ours / arrow:6.2f} x as much here"
    )
    what = f"memory of {len(record):,} events, with their index"
    table.note(what, "the same columns in Arrow", f"{ours / arrow:.2f} x", "<= 1.5 x", ours / arrow <= 1.5)


def measure_views(record: Record) -> None:
    """Print how long the views take."""
    for name in ("messages", "chats", "people"):
        print(f"{name:37} {seconds(getattr(record, name)) * 1e3:8.1f} ms")
    print(
        f"{'rows, the last 200':37} {seconds(lambda: record.rows_before(record.last_seq, 200), REPEATS) * 1e3:8.2f} ms"
    )


def main(count: int = EVENTS) -> None:
    """Measure with `count` events."""
    batch = list(events(count + NEW * REPEATS))
    record = measure_intake(batch[:count])
    measure_memory(record)
    measure_views(record)
    measure_snapshot(record, batch[count:])


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
