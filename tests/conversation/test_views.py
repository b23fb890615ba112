"""Messages, chats and people after the conversation, in both generations."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from .conftest import Held
from .story import Row


def said(held: Held, **fits: Any) -> list[Row]:
    """Return the rows that people's messages must have, those that fit."""
    found = [row for row in held.rows if row["event"] == "message" and row["author_type"] == "user"]
    return [row for row in found if all(row[name] == value for name, value in fits.items())]


def moments(rows: list[Row]) -> list[pd.Timestamp]:
    """Return when the first and the last of them were written."""
    times = [row["timestamp"] for row in rows]
    return [pd.Timestamp(time, unit="ms", tz="UTC") for time in (min(times), max(times))]


def entry(frame: pd.DataFrame, column: str, value: str) -> dict[str, Any]:
    """Return the one row of a frame in which a column has that value."""
    (found,) = frame[frame[column] == value].to_dict("records")
    return found


def written(held: Held) -> list[Row]:
    """Return the rows of all messages, in the order in which they were written."""
    return sorted((row for row in held.rows if row["event"] == "message"), key=lambda row: row["timestamp"])


def test_each_message_has_one_row(held: Held) -> None:
    """The messages are those of the events, in the order in which they were written."""
    expected = [row["message_id"] for row in written(held)]
    assert held.messages["message_id"].tolist() == expected


def test_messages_keep_what_was_said(held: Held) -> None:
    """Text, kind, author, answer, origin and file of each message are those of its event."""
    columns = ["author_id", "text", "message_type", "reply_to", "forwarded_from", "file_id", "file_name", "file_size"]
    found = held.messages[columns].astype(object)
    found = found.where(found.notna(), None)
    expected = [[row[name] for name in columns] for row in written(held)]
    assert found.to_numpy().tolist() == expected


def test_messages_have_the_latest_title(held: Held) -> None:
    """A renamed chat has its new title in messages written before, too."""
    here = held.messages[held.messages["chat_id"] == held.stage.group]
    assert set(here["chat"]) == {"Launch crew"}


def test_authors_have_their_names(held: Held) -> None:
    """A name that came after the first word stands there in the messages."""
    people = held.messages[held.messages["author_id"] != "trueconf.server"]
    assert dict(zip(people["author_id"], people["author"], strict=True)) == {
        "ann@practice.local": "Ann Lee",
        "bob@practice.local": "Боб",
    }


def test_only_the_deleted_message_is_marked(held: Held) -> None:
    """What was deleted for all is marked with a time, keeps its text, and nothing else is marked."""
    removed = held.messages[held.messages["removed"]]
    assert removed["message_id"].tolist() == [held.stage.said["markdown"].message_id]
    assert removed["removed_at"].notna().all()
    assert removed["text"].tolist() == ["Build 42 failed passed, *really*"]
    assert held.messages["removed_at"].notna().sum() == 1


def test_edit_without_a_name_changes_no_message(held: Held) -> None:
    """The wire does not say which message was edited, so none is changed on suspicion."""
    assert held.messages["edits"].sum() == 0
    edited = entry(held.messages, "message_id", held.stage.said["html"].message_id)
    assert edited["text"] == "Build <42> for Боб\nfirst & last"


@pytest.mark.parametrize(
    ("name", "title", "chat_type"), [("group", "Launch crew", "group"), ("channel", "News", "channel")]
)
def test_chats_are_counted(held: Held, name: str, title: str, chat_type: str) -> None:
    """A chat has its latest title, its type, and the number, the people and the times of its messages."""
    chat_id = getattr(held.stage, name)
    rows = said(held, chat_id=chat_id)
    found = entry(held.chats, "chat_id", chat_id)
    assert (found["chat"], found["chat_type"]) == (title, chat_type)
    assert (found["messages"], found["people"]) == (len(rows), 2)
    assert [found["first"], found["last"]] == moments(rows)


def test_personal_chats_are_named_after_the_other(held: Held) -> None:
    """A personal chat has the display name of the other as its title."""
    personal = held.chats[held.chats["chat_type"] == "p2p"]
    assert sorted(personal["chat"]) == ["Ann Lee", "Боб"]


def test_no_other_chat_is_listed(held: Held) -> None:
    """The chats are those that the robot was or is in, the one with the latest message first."""
    assert len(held.chats) == 4
    assert held.chats["chat_id"].iloc[0] == held.stage.private
    assert held.stage.aside not in set(held.chats["chat_id"])


@pytest.mark.parametrize(("login", "name"), [("ann", "Ann Lee"), ("bob", "Боб")])
def test_people_are_counted(held: Held, login: str, name: str) -> None:
    """A person has a name, and the number, the chats and the times of what they wrote."""
    rows = said(held, author_id=f"{login}@practice.local")
    found = entry(held.people, "author_id", f"{login}@practice.local")
    assert (found["author"], found["messages"]) == (name, len(rows))
    assert found["chats"] == len({row["chat_id"] for row in rows})
    assert [found["first"], found["last"]] == moments(rows)


def test_the_system_is_no_person(held: Held) -> None:
    """People are people: those who spoke and this account, but not the server."""
    assert set(held.people["author_id"]) == {"ann@practice.local", "bob@practice.local", "robot@practice.local"}
