"""The main analyses on 100,000 generated messages, against plain loops over dictionaries that share no code."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import timedelta
from statistics import median
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

from tcnb import analysis
from tests.analysis.frames import generated

MESSAGES = 100_000
ZONE = "Europe/Berlin"


@pytest.fixture(scope="module")
def events() -> pd.DataFrame:
    """A hundred thousand messages and what happens beside them, over half a year."""
    return generated(MESSAGES, seed=3)


@pytest.fixture(scope="module")
def messages(events) -> list[dict[str, Any]]:
    """The messages that count, as dictionaries in the order of time: of people, once each, and not removed."""
    rows = events.astype(object).where(events.notna(), None).to_dict("records")
    removed = {row["message_id"] for row in rows if row["event"] == "removed_message"}
    edits = {row["message_id"]: row for row in rows if row["event"] == "edited_message"}
    said = {}
    for row in rows:
        if row["event"] == "message" and row["author_type"] == "user" and row["message_id"] not in removed:
            said.setdefault(row["message_id"], row)
    for row in said.values():
        edit = edits.get(row["message_id"])
        if edit is not None and (edit["received"], edit["seq"]) > (row["received"], row["seq"]):
            row["original"], row["text"] = row["text"], edit["text"]
    return sorted(said.values(), key=lambda row: (row["timestamp"], row["seq"]))


def test_summary(events, messages):
    """Messages, people, chats, replies and files."""
    row = analysis.summary(events).iloc[0]
    assert row["messages"] == len(messages)
    assert row["people"] == len({message["author_id"] for message in messages} - {None})
    assert row["chats"] == len({message["chat_id"] for message in messages})
    assert row["replies"] == sum(message["reply_to"] is not None for message in messages)
    assert row["bytes"] == sum(message["file_size"] or 0 for message in messages)
    assert (row["first"], row["last"]) == (messages[0]["timestamp"], messages[-1]["timestamp"])


def test_heatmap(events, messages):
    """Hours of weekdays, over a change to daylight saving time."""
    zone = ZoneInfo(ZONE)
    counts = Counter()
    for message in messages:
        local = message["timestamp"].to_pydatetime().astimezone(zone)
        counts[local.isoweekday(), local.hour] += 1
    result = analysis.heatmap(events, tz=ZONE)
    assert {(day, hour): count for day, hour, count in result.itertuples(index=False) if count} == dict(counts)


def test_activity(events, messages):
    """Messages and people a day."""
    zone = ZoneInfo(ZONE)
    days = defaultdict(list)
    for message in messages:
        days[message["timestamp"].to_pydatetime().astimezone(zone).date()].append(message["author_id"])
    result = analysis.activity(events, tz=ZONE)
    found = {
        row.period.tz_convert(ZONE).date(): (row.messages, row.people) for row in result.itertuples() if row.messages
    }
    assert found == {day: (len(authors), len(set(authors) - {None})) for day, authors in days.items()}


def test_talkers(events, messages):
    """Messages and characters of each person."""
    counts, characters = Counter(), Counter()
    for message in messages:
        counts[message["author_id"]] += 1
        characters[message["author_id"]] += len(message.get("original", message["text"]) or "")
    result = analysis.talkers(events)
    found = {None if pd.isna(row.author_id) else row.author_id: row for row in result.itertuples()}
    assert {key: row.messages for key, row in found.items()} == dict(counts)
    assert {key: row.characters for key, row in found.items()} == dict(characters)


def test_response_times(events, messages):
    """Who answers whom how fast, within a threshold."""
    last: dict[str, dict[str, Any]] = {}
    expected = {}
    for message in messages:
        before = last.get(message["chat_id"])
        if before is not None and before["author_id"] != message["author_id"]:
            wait = message["timestamp"] - before["timestamp"]
            if wait <= timedelta(hours=6):
                expected[message["message_id"]] = (before["message_id"], wait / timedelta(seconds=1))
        last[message["chat_id"]] = message
    result = analysis.response_times(events, threshold="6h")
    columns = result[["message_id", "answers", "seconds"]].itertuples(index=False)
    assert {row.message_id: (row.answers, row.seconds) for row in columns} == expected


def test_response_matrix(events, messages):
    """The median of each pair of people."""
    last: dict[str, dict[str, Any]] = {}
    waits = defaultdict(list)
    for message in messages:
        before = last.get(message["chat_id"])
        if before is not None and before["author_id"] != message["author_id"]:
            wait = (message["timestamp"] - before["timestamp"]) // timedelta(microseconds=1)
            waits[message["author_id"], before["author_id"]].append(wait)
        last[message["chat_id"]] = message
    result = analysis.response_matrix(events, threshold=None)
    found = {
        tuple(None if pd.isna(key) else key for key in (row.author_id, row.to_id)): (row.responses, row.median_seconds)
        for row in result.itertuples()
    }
    assert found == {pair: (len(times), median(times) / 1_000_000) for pair, times in waits.items()}


def test_conversations(events, messages):
    """How many conversations each chat has, and how long they are."""
    last: dict[str, Any] = {}
    sizes: dict[str, list[int]] = defaultdict(list)
    for message in messages:
        before = last.get(message["chat_id"])
        if before is None or message["timestamp"] - before > timedelta(minutes=30):
            sizes[message["chat_id"]].append(0)
        sizes[message["chat_id"]][-1] += 1
        last[message["chat_id"]] = message["timestamp"]
    result = analysis.conversations(events)
    assert {chat: rows["messages"].tolist() for chat, rows in result.groupby("chat_id")} == dict(sizes)


def test_threads(events, messages):
    """Size and depth of each tree of replies."""
    known = {message["message_id"]: message for message in messages}
    members, depths = Counter(), defaultdict(int)
    for message in messages:
        depth, at = 0, message
        root = message["message_id"]
        while at is not None and at["reply_to"] is not None:
            depth, root = depth + 1, at["reply_to"]
            at = known.get(root)
        members[root] += 1
        depths[root] = max(depths[root], depth)
    expected = {root: (members[root], depth) for root, depth in depths.items() if depth}
    result = analysis.threads(events)
    assert {row.root_id: (row.messages, row.depth) for row in result.itertuples()} == expected


def test_words(events, messages):
    """How often a word is written, by how many people."""
    counts, people = Counter(), defaultdict(set)
    for message in messages:
        for word in (message["text"] or "").casefold().split():
            counts[word] += 1
            people[word].add(message["author_id"])
    result = analysis.words(events, stop=False, min_length=1)
    for word in ("релиз", "ёлка", "the", "изменено", "в"):
        row = result[result["word"] == word].iloc[0]
        assert (row["count"], row["people"]) == (counts[word], len(people[word] - {None}))
