"""Hundreds of messages at once, column by column; what is no plain message, or not quite as it should be, is left to
`tcnb.record.rows`, and both make the same rows.

Source: `protocol` section 5.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from tcnb.markup.text import plain
from tcnb.record.directory import Directory
from tcnb.record.schema import AUTHOR_TYPES, MESSAGE_TYPES
from tcnb.record.timeline import times_of
from tcnb.types.enums import EnvelopeAuthorType, MessageType
from tcnb.wire.notifications import LAST_MILLISECOND, Envelope, PlainMessage, Told

LEAST: Final = 1000
"""Frames from which on this is worth its fixed cost, some two milliseconds."""

_PLAIN: Final = int(MessageType.PLAIN_MESSAGE)
_USER: Final = int(EnvelopeAuthorType.USER)

_Codes = npt.NDArray[np.int32]
_Said = tuple[str | None, int | None]


class Circumstances(Protocol):
    """How a frame came, as `tcnb.record.record.Arrival` says it."""

    @property
    def received(self) -> int: ...
    @property
    def origin(self) -> str: ...
    @property
    def since(self) -> int | None: ...


@dataclass(frozen=True, slots=True)
class Chats:
    """The chats of some messages.

    Attributes:
        codes: which of them each message belongs to.
        said: by id what the messages say about it, title and number of its type; None where they say nothing at all.
    """

    codes: _Codes
    said: Mapping[str, _Said | None]

    def is_new(self, directory: Directory) -> bool:
        """Return whether something about one of them is not known yet."""
        described = directory.described
        return any(said is not None and said != described(chat_id) for chat_id, said in self.said.items())


@dataclass(frozen=True, slots=True)
class Reading:
    """The plain messages among some frames.

    Attributes:
        places: where they stand among the frames, ascending.
        ids: their ids.
        times: when they were written, in milliseconds since 1970.
        chats: their chats; None where one is described in two ways.
        authors: the different authors, by id and number of the type.
        author_codes: which of them wrote each message.
        columns: what needs nothing else to be known, as Arrow arrays by column.
    """

    places: npt.NDArray[np.int64]
    ids: list[str]
    times: npt.NDArray[np.int64]
    chats: Chats | None
    authors: list[tuple[str, int]]
    author_codes: _Codes
    columns: Mapping[str, Any]


def read(told: Sequence[Told]) -> Reading | None:
    """Read the plain messages among what many frames tell; None where there are few."""
    places = [
        place
        for place, (_, part, whole) in enumerate(told)
        if type(part) is PlainMessage or (whole and type(part) is Envelope and _is_plain(part))
    ]
    if len(places) < LEAST:
        return None
    messages: list[Any] = [told[place][1] for place in places]
    contents = [message.content for message in messages]
    ids = [message.message_id for message in messages]
    times = np.array([message.timestamp for message in messages], np.int64)
    authors, author_codes = _numbered([(message.author.id, message.author.type) for message in messages])
    texts = [None if content.text is None else plain(content.text, content.parse_mode) for content in contents]
    modes, mode_codes = _numbered([content.parse_mode for content in contents])
    columns = {
        "event": _constant("message", len(ids)),
        "message_id": pa.array(ids, pa.large_string()),
        "message_type": _constant(MESSAGE_TYPES[_PLAIN], len(ids)),
        "text": pa.array(texts, pa.large_string()),
        "parse_mode": _coded(mode_codes, modes),
        "reply_to": pa.array([message.reply_message_id for message in messages], pa.large_string()),
        "is_edited": pa.array([message.is_edited for message in messages], pa.bool_()),
    }
    return Reading(np.array(places, np.int64), ids, times, _chats(messages), authors, author_codes, columns)


def _is_plain(message: Any) -> bool:
    """Return whether a message is a plain one, with all that belongs to it."""
    return (
        message.type == _PLAIN
        and message.content is not None
        and message.author.id is not None
        and message.author.type is not None
        and 0 <= message.timestamp <= LAST_MILLISECOND
        and (message.chat_id is not None or (message.chat is not None and message.chat.chat_id is not None))
    )


def _chats(messages: Sequence[Any]) -> Chats | None:
    said: dict[str, _Said | None] = {}
    ids = []
    for message in messages:
        chat = message.chat
        chat_id = message.chat_id if message.chat_id is not None else chat.chat_id
        words = None if chat is None else (chat.chat_title, chat.chat_type)
        if said.setdefault(chat_id, words) != words:
            return None
        ids.append(chat_id)
    return Chats(_numbered(ids)[1], said)


def columns(reading: Reading, chats: Chats, directory: Directory) -> dict[str, Any]:
    """Return what plain messages say as the columns of a record take it, and learn of their chats.

    Args:
        reading: the messages.
        chats: their chats.
        directory: what is known about chats and people.

    Returns:
        Arrow arrays by column; those that are not there have no values.
    """
    known = [directory.chat(chat_id) for chat_id in chats.said]
    for place, (chat_id, said) in enumerate(chats.said.items()):
        if said is not None and said != directory.described(chat_id):
            known[place] = directory.learn_chat(chat_id, *said)
    people = [directory.person(user_id) for user_id, _ in reading.authors]
    for person, (_, number) in zip(people, reading.authors, strict=True):
        if person.name is None and not person.mine and number == _USER:
            directory.request_name(person.id)
    codes = reading.author_codes
    return {
        **reading.columns,
        "chat_id": _coded(chats.codes, chats.said),
        "chat": _coded(chats.codes, [chat.title for chat in known]),
        "chat_type": _coded(chats.codes, [chat.type for chat in known]),
        "direction": _coded(codes, ["out" if person.mine else "in" for person in people]),
        "author_id": _coded(codes, [person.id for person in people]),
        "author": _coded(codes, [person.name for person in people]),
        "author_type": _coded(codes, [AUTHOR_TYPES.get(number) or str(number) for _, number in reading.authors]),
    }


def circumstances(reading: Reading, arrivals: Sequence[Circumstances], seqs: npt.NDArray[np.int64]) -> dict[str, Any]:
    """Return the columns that say how plain messages came.

    Args:
        reading: the messages.
        arrivals: how each of the frames came among which they stand.
        seqs: the position of each of those in the journal.
    """
    came = [arrivals[place] for place in reading.places]
    since = np.array([arrival.since or 0 for arrival in came], np.int64)
    again = pa.array((reading.times > 0) & (reading.times < since))
    origins = pa.array([arrival.origin for arrival in came], pa.string())
    received = np.array([arrival.received for arrival in came], np.int64)
    is_unknown = times_of(reading.times * 1000, received) != reading.times
    return {
        "seq": pa.array(seqs[reading.places]),
        "received": pa.array(received),
        "timestamp": pa.array(reading.times * 1000, mask=is_unknown),
        "origin": pc.if_else(again, "redelivered", origins).dictionary_encode(),
    }


def _numbered(values: Sequence[Hashable]) -> tuple[list[Any], _Codes]:
    """Return the different values, in the order of their first appearance, and which of them stands at each place."""
    different = list(dict.fromkeys(values))
    code_of = {value: code for code, value in enumerate(different)}
    return different, np.fromiter(map(code_of.__getitem__, values), np.int32, len(values))


def _coded(codes: _Codes, values: Iterable[str | None]) -> Any:
    """Return the values that codes stand for, as categories."""
    encoded = pa.array(list(values), pa.string()).dictionary_encode()
    return pa.DictionaryArray.from_arrays(encoded.indices.take(pa.array(codes)), encoded.dictionary)


def _constant(value: str, count: int) -> Any:
    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(count, np.int32)), [value])
