"""Which columns each analysis returns, of which types and with which meaning: facts, and nothing that computes."""

from __future__ import annotations

from typing import Final

from tcnb.record.schema import Column, Kind


def _text(name: str, meaning: str) -> Column:
    return Column(name, Kind.TEXT, meaning)


def _count(name: str, meaning: str) -> Column:
    return Column(name, Kind.INTEGER, meaning)


def _time(name: str, meaning: str) -> Column:
    return Column(name, Kind.TIME, meaning)


def _number(name: str, meaning: str) -> Column:
    return Column(name, Kind.FLOAT, meaning)


_CHAT: Final = (_text("chat_id", "id of the chat"), _text("chat", "title of the chat, the last one known"))
_AUTHOR: Final = (
    _text("author_id", "who wrote; missing where the server did not say"),
    _text("author", "display name of the author, the last one known"),
)
_TO: Final = (_text("to_id", "who was answered"), _text("to", "display name of who was answered"))
_PEOPLE: Final = _count("people", "how many different people wrote them")
_SPAN: Final = (_time("first", "when the earliest of them was written"), _time("last", "and the latest"))
_MESSAGES: Final = _count("messages", "how many messages")

PERIOD: Final = "period"
"""The column of periods, which are those of a zone's calendar: it is in that zone. Every other time is in UTC."""

_PERIOD: Final = _time(PERIOD, "when the period begins, in the chosen time zone")
_COMPLETE: Final = Column(
    "complete", Kind.BOOLEAN, "whether the record reaches over the whole period: not where it begins or ends in it"
)

RESULTS: Final[dict[str, tuple[Column, ...]]] = {
    "summary": (
        _count("events", "rows of the frame"),
        _count("messages", "messages of people that were not removed"),
        _count("people", "how many different people wrote them"),
        _count("chats", "in how many chats"),
        _count("replies", "how many of them answer another message"),
        _count("files", "how many of them are files"),
        _count("bytes", "size of these files together"),
        _count("edits", "how many edits were recorded, each counted once"),
        _count("removed", "how many messages were removed again"),
        *_SPAN,
    ),
    "activity": (
        _PERIOD,
        _text("group_id", "id of the chat or author; missing without `by`"),
        _text("group", "its title or name; missing without `by`"),
        _MESSAGES,
        _PEOPLE,
        _COMPLETE,
    ),
    "heatmap": (
        _count("weekday", "1 is Monday, 7 is Sunday"),
        _count("hour", "hour of the day, 0 to 23, in the chosen time zone"),
        _MESSAGES,
    ),
    "talkers": (
        *_AUTHOR,
        _MESSAGES,
        _number("share", "part of all messages, 0 to 1"),
        _count("characters", "length of the texts together, in code points"),
        _count("replies", "how many of them answer another message"),
        _count("files", "how many of them are files"),
        _count("chats", "in how many chats"),
        *_SPAN,
    ),
    "response_times": (
        *_CHAT,
        *_AUTHOR,
        *_TO,
        _text("message_id", "id of the answer"),
        _text("answers", "id of the message that it answers"),
        _time("asked", "when the answered message was written"),
        _time("answered", "when the answer was written"),
        _number("seconds", "time between the two"),
        Column("explicit", Kind.BOOLEAN, "whether the answer names the message that it answers"),
    ),
    "response_matrix": (
        *_AUTHOR,
        *_TO,
        _count("responses", "how many answers"),
        _number("median_seconds", "median of the response times"),
        _number("mean_seconds", "mean of the response times"),
    ),
    "threads": (
        _text("root_id", "id of the message at the root"),
        *_CHAT,
        _text("author_id", "who wrote the root; missing where it was not recorded"),
        _text("author", "display name of who wrote the root"),
        _count("messages", "how many recorded messages, the root among them"),
        _PEOPLE,
        _count("depth", "steps from the root to the farthest reply; 1 where all answer the root"),
        _time("started", "when the earliest of its messages was written"),
        _time("ended", "when the latest of its messages was written"),
        _number("seconds", "time between the two"),
        Column("complete", Kind.BOOLEAN, "whether the root itself was recorded"),
    ),
    "conversations": (
        *_CHAT,
        _count("number", "which conversation of the chat, from 1"),
        _time("started", "when its first message was written"),
        _time("ended", "when its last message was written"),
        _number("seconds", "time between the two"),
        _MESSAGES,
        _PEOPLE,
        _text("opened_by_id", "who wrote the first message"),
        _text("opened_by", "display name of who wrote the first message"),
    ),
    "unanswered": (
        *_CHAT,
        _text("message_id", "id of the message"),
        *_AUTHOR,
        _time("asked", "when it was written"),
        _text("text", "its text"),
        _number("waiting_seconds", "time from then to the last event of the frame"),
        Column("overdue", Kind.BOOLEAN, "whether it has waited longer than the threshold by then"),
    ),
    "words": (
        _text("word", "the word, in lower case"),
        _count("count", "how often it was written"),
        _count("messages", "in how many messages"),
        _count("people", "by how many different people"),
    ),
    "emoji": (
        _text("emoji", "the emoji, all its code points"),
        _count("count", "how often it was written"),
        _count("messages", "in how many messages"),
        _count("people", "by how many different people"),
    ),
    "links": (
        _text("url", "the address as written"),
        _text("domain", "its host, in lower case, without `www.`"),
        _count("count", "how often it was written"),
        _count("messages", "in how many messages"),
        _count("people", "by how many different people"),
        *_SPAN,
    ),
    "mentions": (
        *_AUTHOR,
        _text("mentioned_id", "id of who was mentioned; missing where nobody of that name is known"),
        _text("mentioned", "display name, else what was written"),
        _count("count", "how many messages mention them"),
        *_SPAN,
    ),
    "files": (
        _text("mime_type", "type of the files; missing where the server did not say"),
        _count("files", "how many files"),
        _count("bytes", "their size together"),
        _count("largest", "size of the largest in bytes"),
        _count("people", "by how many different people"),
        *_SPAN,
    ),
    "membership": (
        *_CHAT,
        _PERIOD,
        _count("joins", "how many people came in this period"),
        _count("leaves", "how many people left in this period"),
        _count("headcount", "how many people are known to be members at its end"),
        _COMPLETE,
    ),
    "graph": (
        _text("source_id", "who replied or mentioned"),
        _text("source", "display name"),
        _text("target_id", "who was replied to or mentioned"),
        _text("target", "display name"),
        _text("kind", "`reply` or `mention`"),
        _count("weight", "how often"),
    ),
}
"""The columns of every analysis, in order."""

ANALYSES: Final = tuple(RESULTS)
"""The names of the analyses."""
