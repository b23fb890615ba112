"""Files and edits, computed from the event frame; messages, chats and people are computed in `views`."""

from __future__ import annotations

import datetime

import pandas as pd

from tcnb.errors import UsageError

When = datetime.datetime | datetime.timedelta | str
"""A moment, a length of time back from now, or either in words."""

FILES = (
    *("message_id", "chat_id", "chat", "author_id", "author", "timestamp"),
    *("file_id", "file_name", "file_size", "mime_type", "removed"),
)
"""The columns of the files, in order; each has the type that it has in `tc.messages`."""

EDITS = ("message_id", "chat_id", "chat", "author_id", "author", "timestamp", "text_before", "text")
"""The columns of the edits, in order."""


def files(messages: pd.DataFrame) -> pd.DataFrame:
    """Return one row a file that was sent, with the columns `FILES`, in the order of the messages."""
    return messages.loc[messages["file_id"].notna(), list(FILES)].reset_index(drop=True)


def edits(events: pd.DataFrame) -> pd.DataFrame:
    """Return one row an edit, in the order in which they came, with the columns `EDITS`.

    Args:
        events: the event frame.

    Returns:
        `timestamp` is when it was edited (where the server does not say, when that was noticed), `text_before` what the
        message said before as far as the record knows, `text` what it said then. Author and chat are the message's.
        An edit of which nobody knows the message has no `message_id`.
    """
    told = events[(events["event"] == "message") | (events["event"] == "edited_message")]
    known = told["message_id"].notna()
    before = told["text"].where(known).groupby(told["message_id"], observed=True, sort=False).shift()
    found = told[told["event"] == "edited_message"]
    said = events.loc[(events["event"] == "message") & events["message_id"].notna()]
    said = said.drop_duplicates("message_id").set_index("message_id")
    made = pd.DataFrame({"message_id": found["message_id"]})
    for name in ("chat_id", "chat", "author_id", "author"):
        of_message = found["message_id"].map(said[name].astype("string"))
        made[name] = of_message.fillna(found[name].astype("string")).astype("category")
    made["timestamp"] = found["timestamp"].fillna(found["received"])
    made["text_before"] = before.reindex(found.index).astype("string")
    made["text"] = found["text"]
    return made.reset_index(drop=True)


def since(events: pd.DataFrame, when: When) -> pd.DataFrame:
    """Return the events from a moment on, by the time at which they happened (else were received).

    Args:
        events: the event frame.
        when: a moment (without a zone: in the zone of this machine), a length of time back from now, or either in
            words: `2026-11-22 09:00`, `09:00` (of today), `today`, `90min`, `2h`, `7 days`.

    Raises:
        UsageError: it is none of these.
    """
    return events[(events["timestamp"].fillna(events["received"]) >= moment_of(when)).fillna(False)]


def moment_of(when: When) -> pd.Timestamp:
    """Return a moment in UTC; arguments and errors as of `since`."""
    try:
        moment = _parsed(when)
    except (ValueError, TypeError, OverflowError) as error:
        raise UsageError(f"{when!r} is no moment: give a date, a time, or a length of time such as '2h'") from error
    if pd.isna(moment):
        raise UsageError("a missing time is no moment")
    if moment.tzinfo is None:
        moment = pd.Timestamp(moment.to_pydatetime().astimezone())
    return moment.tz_convert("UTC")


def _parsed(when: When) -> pd.Timestamp:
    if isinstance(when, datetime.timedelta):
        return pd.Timestamp.now("UTC") - when
    if not isinstance(when, str):
        return pd.Timestamp(when)
    text = when.strip()
    if text.lower() == "today":
        return pd.Timestamp.now().normalize()
    if text[-1:].isalpha():
        try:
            return pd.Timestamp.now("UTC") - pd.Timedelta(text)
        except ValueError:
            return pd.Timestamp(text)
    return pd.Timestamp(text)
