"""Files and edits, computed from the event frame; messages, chats and people are computed in `views`."""

from __future__ import annotations

import datetime
import re
from numbers import Real
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from tcnb.errors import UsageError
from tcnb.record import schema
from tcnb.record.columns.columns import category_array
from tcnb.record.views import one_spelling

When = datetime.datetime | datetime.timedelta | str
"""A moment, a length of time back from now, or either in words."""

DAYS: Final = {"today": 0, "yesterday": 1}

_WEEKS: Final = re.compile(r"(?<=[\d ])w(eeks?)?$", re.IGNORECASE)
"""Weeks in words, of which pandas knows the letter alone."""
"""Days by their names, and how many midnights ago each began besides the last one."""

FILES: Final = tuple(column.name for column in schema.FILES)
"""The names of the columns of the files, in order."""

EDITS: Final = tuple(column.name for column in schema.EDITS)
"""The names of the columns of the edits, in order."""


def files(messages: pd.DataFrame) -> pd.DataFrame:
    """Return one row a file that was sent, with the columns `schema.FILES`, in the order of the messages."""
    return messages.loc[messages["file_id"].notna(), list(FILES)].reset_index(drop=True)


def edits(events: pd.DataFrame) -> pd.DataFrame:
    """Return one row an edit, in the order in which they came, with the columns `schema.EDITS`.

    Args:
        events: the event frame.

    Returns:
        `timestamp` is when it was edited (where the server does not say, when that was noticed), `text_before` what the
        message said before as far as the record knows, `text` what it said then. Author and chat are the message's.
        An edit of which nobody knows the message has no `message_id`.
    """
    events = events.assign(author_id=one_spelling(events["author_id"]))
    found = events[events["event"] == "edited_message"]
    told = _told(events, found["message_id"].dropna().unique())
    before = told["text"].groupby(told["message_id"], observed=True, sort=False).shift()
    said = told[told["event"] == "message"].drop_duplicates("message_id").set_index("message_id")
    made: dict[str, Any] = {"message_id": found["message_id"].array}
    for name in ("chat_id", "chat", "author_id", "author"):
        of_message = said[name].astype("string").reindex(found["message_id"]).set_axis(found.index)
        made[name] = _category(of_message.fillna(found[name].astype("string")))
    made["timestamp"] = found["timestamp"].fillna(found["received"]).array
    made["text_before"] = before.reindex(found.index).astype(found["text"].dtype).array
    made["text"] = found["text"].array
    return pd.DataFrame({name: made[name] for name in EDITS})


def _told(events: pd.DataFrame, message_ids: Any) -> pd.DataFrame:
    """Return the messages with some ids, and the edits of them, in the order in which they came."""
    needed = events[["event", "message_id", "chat_id", "chat", "author_id", "author", "text"]]
    needed = needed[needed["event"].isin(("message", "edited_message"))]
    ids = pc.cast(pa.array(needed["message_id"].array), pa.large_string())
    wanted = pc.is_in(ids, value_set=pc.cast(pa.array(message_ids), pa.large_string()))
    return needed[np.asarray(wanted, np.bool_)]


def _category(values: pd.Series[Any]) -> Any:
    """Return names as a categorical of the type that the columns of the event frame have."""
    codes, names = pd.factorize(values)
    return category_array(codes.astype(np.int32), names.tolist())


def since(events: pd.DataFrame, when: When) -> pd.DataFrame:
    """Return the events from a moment on, by the time at which they happened (else were received).

    Args:
        events: the event frame.
        when: a moment (without a zone: in the zone of this machine), a length of time back from now (with a minus sign
            or without), or either in words: `2026-11-22 09:00`, `09:00` (of today), `today`, `yesterday`, `90min`,
            `2h`, `7 days`, `3 weeks`.

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
        return pd.Timestamp.now("UTC") - abs(when)
    if isinstance(when, Real):  # pandas would take it for nanoseconds since 1970
        raise TypeError("a plain number")
    if not isinstance(when, str):
        return pd.Timestamp(when)
    text = when.strip()
    if text.lower() in DAYS:
        return pd.Timestamp.now().normalize() - pd.Timedelta(days=DAYS[text.lower()])
    if text[-1:].isalpha():
        try:
            return pd.Timestamp.now("UTC") - abs(pd.Timedelta(_WEEKS.sub("W", text)))
        except ValueError:
            return pd.Timestamp(text)
    return pd.Timestamp(text)
