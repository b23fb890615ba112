"""What must hold after a chaos run: the record against what the server holds; nothing is run here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import pandas as pd


class Held(NamedTuple):
    """A message as the server holds it; `timestamp` in milliseconds since 1970."""

    message_id: str
    timestamp: int
    text: str


Chats = Mapping[str, Sequence[Held]]
"""What the server holds, by chat and in order."""


def frame_flaws(events: pd.DataFrame, held: Chats) -> list[str]:
    """Return in what an event frame differs from what the server holds: each message once, in order, as it is."""
    frame = events[(events["event"] == "message") & (events["message_type"] == "plain")]
    flaws = []
    doubled = frame["message_id"][frame["message_id"].duplicated()]
    if len(doubled):
        flaws.append(f"{len(doubled)} messages are there twice: {list(doubled[:5])}")
    for chat, messages in held.items():
        here = frame[frame["chat_id"] == chat].drop_duplicates("message_id")
        flaws += [f"chat {chat}: {flaw}" for flaw in _chat_flaws(here, messages)]
    elsewhere = set(frame["chat_id"].dropna()) - held.keys()
    if elsewhere:
        flaws.append(f"messages of chats that there are not: {sorted(elsewhere)[:5]}")
    return flaws


def _chat_flaws(here: pd.DataFrame, messages: Sequence[Held]) -> list[str]:
    flaws = []
    there = {message.message_id: message for message in messages}
    got = set(here["message_id"])
    missing = [message.text for message in messages if message.message_id not in got]
    if missing:
        flaws.append(f"{len(missing)} messages are missing: {missing[:5]}")
    if got - there.keys():
        flaws.append(f"{len(got - there.keys())} messages are not on the server: {sorted(got - there.keys())[:5]}")
    # The order of a chat is that of the server's times; among equal times there is none.
    ordered = here.sort_values("timestamp", kind="stable")
    stamps = ordered["timestamp"].astype("int64") // 1000
    rows = [Held(*row) for row in zip(ordered["message_id"], stamps, ordered["text"], strict=True)]
    changed = [row for row in rows if row.message_id in there and row != there[row.message_id]]
    if changed:
        flaws.append(f"{len(changed)} messages have another time or text: {changed[:3]}")
    position = {message.message_id: number for number, message in enumerate(messages)}
    stamped = [(row.timestamp, position[row.message_id]) for row in rows if row.message_id in position]
    if [time for time, _ in stamped] != sorted(messages[place].timestamp for _, place in stamped):
        flaws.append("messages are out of order")
    wrong = here[(here["direction"] == "out") != here["text"].str.startswith("s-")]
    if len(wrong):
        flaws.append(f"{len(wrong)} messages have the wrong direction: {list(wrong['text'][:5])}")
    return flaws


def sending_flaws(held: Chats, sent: Mapping[int, str], unknown: Mapping[int, str]) -> list[str]:
    """Return which sendings vanished or doubled.

    Args:
        held: what the server holds; sendings are the texts `s-<number>`.
        sent: the message ids that senders were told, by number; each must be there once, under that id.
        unknown: why a sender could not be told, by number; each may be there once or not at all.
    """
    there: dict[int, list[str]] = {}
    for messages in held.values():
        for message in messages:
            if message.text.startswith("s-"):
                there.setdefault(int(message.text[2:]), []).append(message.message_id)
    flaws = [
        f"sending {number} is there as {there.get(number, [])}, its sender was told {id}"
        for number, id in sent.items()
        if there.get(number) != [id]
    ]
    flaws += [
        f"sending {number} is there {len(ids)} times ({unknown.get(number, 'nobody was told of it')})"
        for number, ids in there.items()
        if number not in sent and (len(ids) > 1 or number not in unknown)
    ]
    return flaws
