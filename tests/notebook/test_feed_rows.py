"""What the feed makes of a row of the record: kind, short form, filters, and the still of a saved notebook."""

from __future__ import annotations

from datetime import UTC
from html.parser import HTMLParser
from typing import Any

import pytest

from tcnb.notebook.feed.rows import LONGEST_TEXT, Filter, is_own, kind_of, of_chats, short_form
from tcnb.notebook.feed.static_fallback import describe, still_html, still_text
from tcnb.record.schema import MESSAGE_TYPES
from tcnb.wire.notifications import EVENTS


def a_row(**columns: Any) -> dict[str, Any]:
    """Give a row of the record in which only these columns differ from a short message."""
    return {
        "seq": 7,
        "timestamp": 1_767_000_000_000,
        "received": 1_767_000_000_100,
        "event": "message",
        "direction": "in",
        "chat_id": "c1",
        "chat": "Release crew",
        "author_id": "alice@practice.local",
        "author": "Alice Doe",
        "message_type": "plain",
        "text": "Hello",
    } | columns


@pytest.mark.parametrize("event", sorted(set(EVENTS.values()) - {"message", "unknown"}))
def test_every_event_has_a_kind(event):
    """No event that the record names is unknown to the feed."""
    assert kind_of(a_row(event=event, message_type=None)) != "unknown"


@pytest.mark.parametrize("message_type", sorted(MESSAGE_TYPES.values()))
def test_every_type_of_message_has_a_kind(message_type):
    """No type of message that the record names is unknown to the feed."""
    assert kind_of(a_row(message_type=message_type)) != "unknown"


@pytest.mark.parametrize(
    ("mime_type", "kind"),
    [
        ("image/png", "photo"),
        ("sticker/webp", "sticker"),
        ("video/mp4", "video"),
        ("audio/ogg", "audio"),
        ("text/vcard", "contact"),
        ("application/pdf", "file"),
        (None, "file"),
    ],
)
def test_kind_of_a_file_follows_its_type(mime_type, kind):
    """Photos, stickers and the like are told apart by their MIME type."""
    assert kind_of(a_row(message_type="attachment", mime_type=mime_type)) == kind


def test_unknown_is_said_with_its_name():
    """A row that nobody knows keeps the name that the wire gave it."""
    assert short_form(a_row(message_type="299"))["v"] == "299"
    assert short_form(a_row(event="unknown", message_type=None))["k"] == "unknown"


def test_short_form_leaves_out_what_is_missing():
    """Only what has a value travels."""
    assert "d" not in short_form(a_row(file_name=None))


def test_giant_text_is_cut_and_its_length_told():
    """A text longer than any message may be travels in part, with its full length."""
    short = short_form(a_row(text="x" * 10_000))
    assert (len(short["x"]), short["q"]) == (LONGEST_TEXT, 10_000)


@pytest.mark.parametrize(
    ("columns", "own"),
    [
        ({"direction": "out", "author_id": None}, True),
        ({"author_id": "Robot@practice.local"}, True),
        ({"author_id": "alice@practice.local"}, False),
        ({"author_id": None}, False),
    ],
)
def test_own_rows_are_marked(columns, own):
    """What this account wrote is its own, from this session or another."""
    assert is_own(a_row(**columns), "robot@practice.local") is own


def test_chats_are_matched_by_id():
    """Ids match exactly, and titles, which anybody may choose, never."""
    assert of_chats(a_row(), frozenset({"c1"}))
    assert not of_chats(a_row(), frozenset({"Release crew", "release crew", "C1"}))
    assert of_chats(a_row(), frozenset())


def test_person_stands_for_the_personal_chat():
    """What that very person writes to the bot alone belongs to the feed; what a namesake writes does not."""
    alice = frozenset({"alice@practice.local"})
    assert of_chats(a_row(chat_type="p2p", author_id="Alice@practice.local"), alice)
    assert not of_chats(a_row(chat_type="group"), alice)
    assert not of_chats(a_row(chat_type="p2p", chat="alice@practice.local", author_id="m@practice.local"), alice)


def test_filter_takes_anything_for_a_request():
    """A filter that is missing or malformed lets everything through."""
    for value in (None, [], {"kinds": None, "chat": None}):
        wanted = Filter.from_request(value)
        assert wanted.picks(a_row())
        assert wanted.finds(short_form(a_row()))
        assert wanted.condition(frozenset()) is None


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, list[tuple[str, str | None]]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, attrs))


HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '"><svg onload=alert(1)>',
    "javascript:alert(1)",
    "' style='position:fixed",
    "\u202eevil\u2066",
    "half \ud800 pair",
]


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize(
    "column", ["text", "chat", "author", "author_id", "title", "file_name", "message_type", "role"]
)
def test_nothing_leaves_its_row_in_the_still(column, text):
    """Whatever people write becomes text: the still has the tags and attributes it was drawn with, and no others."""
    rows = [a_row(**{column: text}), a_row(**{column: text, "message_type": "attachment"}), a_row(event="?", text=text)]
    tags = _Tags()
    tags.feed(still_html(rows, text, zone=UTC))
    assert {tag for tag, _ in tags.found} <= {"div", "span", "b", "br"}
    assert {name for _, attributes in tags.found for name, _ in attributes} <= {"style", "dir"}


@pytest.mark.parametrize("text", [*HOSTILE, "\x1b[31mred", "two\nlines\tand\ttabs", "\u200b"])
def test_table_has_one_line_a_row(text):
    """A text neither breaks the table for terminals nor acts on the terminal."""
    table = still_text([a_row(text=text, author=text, chat=text)], "heading", zone=UTC)
    assert table.count("\n") == 2
    assert table.replace("\n", "").isprintable()


def test_table_reads_in_columns():
    """The table shows time, chat, author and what was said."""
    rows = [a_row(), a_row(author="Bo", text="Hi", message_type="attachment", mime_type="image/png", file_size=48_213)]
    assert still_text(rows, "default · practice.local", zone=UTC).splitlines() == [
        "default · practice.local · last 2 events",
        "29 December 2025",
        "09:20:00  Release crew  Alice Doe  Hello",
        "09:20:00  Release crew  Bo         photo · 48.2 kB · Hi",
    ]


def test_still_has_day_lines():
    """A new day is announced by a line of its own, in the table as well."""
    rows = [a_row(), a_row(timestamp=1_767_090_000_000, received=1_767_090_000_500)]
    html = still_html(rows, "heading", zone=UTC)
    assert html.index("29 December 2025") < html.index("30 December 2025")
    lines = still_text(rows, "heading", zone=UTC).splitlines()
    assert (lines[1], lines[3]) == ("29 December 2025", "30 December 2025")


def test_empty_feed_says_so():
    """Without rows both forms say that there are none."""
    assert "no events yet" in still_text([], "heading")
    assert "no events yet" in still_html([], "heading")


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"event": "added_chat_participant", "user_id": "dan@x", "text": None}, "dan@x joined"),
        ({"event": "edited_message", "text": "new"}, "edited a message: new"),
        ({"event": "edited_message", "text": "new", "author": None, "author_id": None}, "a message was edited: new"),
        ({"event": "edited_chat_title", "title": "New {name}", "text": None}, "renamed the chat: New {name}"),
        ({"event": "uploading_progress", "progress": 5, "text": None}, "uploading: 5 bytes so far"),
        (
            {"message_type": "location", "latitude": 1.5, "longitude": 2.5, "title": "Office"},
            "location 1.5, 2.5 Office",
        ),
        ({"message_type": "survey", "title": "Lunch"}, "survey: Lunch"),
        ({"event": "unknown", "message_type": None, "text": None}, "unknown event unknown"),
    ],
)
def test_events_are_put_in_words(columns, words):
    """What happened is said in one line."""
    assert describe(a_row(**columns)) == words
