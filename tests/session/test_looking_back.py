"""The verbs that look back at the record: files, edits, the latest events, and the archive."""

from __future__ import annotations

import datetime

import pandas as pd
import pytest

import tcnb
from tcnb.commands.cli import main
from tcnb.errors import UsageError
from tcnb.record import derived


@pytest.fixture
def chat(tc, alice, until):
    """A chat in which Alice wrote something that the session has got."""
    chat_id = alice.group("Release crew", "robot")
    message_id = alice.say(chat_id, "Is build 42 out?")
    until(tc, lambda: message_id in set(tc.df["message_id"]))
    return chat_id


def test_files_have_a_row_each(tc, chat):
    """A file that was sent is a row with its name, size and sender."""
    tc.send_document(chat, b"a,b\n1,2\n", "the numbers")
    file = tc.files.iloc[-1]
    assert list(tc.files.columns) == list(derived.FILES)
    assert (file["chat"], file["file_size"], bool(file["removed"])) == ("Release crew", 8, False)


def test_edits_say_what_stood_before(tc, chat):
    """An edit is a row with the text before and after it, in the order in which they came."""
    sent = tc.send(chat, "tomorow")
    for text in ("tomorrow", "tomorrow at noon"):
        tc._wait(tc.bot.edit_message(sent.message_id, text))
    own = tc.edits[tc.edits["message_id"] == sent.message_id]
    assert own[["text_before", "text"]].to_numpy().tolist() == [
        ["tomorow", "tomorrow"],
        ["tomorrow", "tomorrow at noon"],
    ]
    assert set(own["chat"]) == {"Release crew"}


def test_no_edits_have_all_columns(tc):
    """Without any edit the frame is empty and has its columns."""
    assert list(tc.edits.columns) == list(derived.EDITS)
    assert len(tc.edits) == 0


def test_tail_is_the_end_of_the_frame(tc, chat, until):
    """The last rows are those of `df`."""
    # Names that are learned in between would be in the one and not in the other.
    until(tc, lambda: tc.df.query("text == 'Is build 42 out?'")[["author", "chat"]].notna().all(axis=None))
    tail, frame = tc.tail(2), tc.df  # more may have come in between
    assert len(tail) == 2
    pd.testing.assert_frame_equal(tail, frame[frame["seq"].isin(tail["seq"])], check_categorical=False)


HOUR = datetime.timedelta(hours=1)


@pytest.mark.parametrize(
    "when",
    [
        HOUR,
        "1h",
        "60 min",
        "-1h",
        "3 weeks",
        "1 week",
        "2w",
        -HOUR,
        "today",
        "yesterday",
        datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC),
        "2020-01-01",
        "00:00",
    ],
)
def test_since_takes_moments_and_lengths(tc, chat, when):
    """A length of time goes back from now; a moment without a zone is in this machine's."""
    if when in ("today", "00:00") and datetime.datetime.now().astimezone().hour == 0:
        pytest.skip("just past midnight the messages may be of yesterday")
    assert "Is build 42 out?" in set(tc.since(when)["text"])


def test_since_leaves_out_what_was_before(tc, chat):
    """Nothing is after the end of time."""
    assert tc.since("2999-01-01").empty


@pytest.mark.parametrize("when", ["yesteryear", "", None, object(), pd.NaT, "5 parsecs"])
def test_what_is_no_moment_is_refused(tc, when):
    """Something that is no moment is named."""
    with pytest.raises(UsageError, match="moment"):
        tc.since(when)


def test_export_without_a_journal_is_of_its_session(connect, alice, tmp_path):
    """Positions begin anew in a session without a journal, so a later one's events are added."""
    chat_id = alice.group("Release crew", "second")
    for text in ("first", "second"):
        tc = connect("second", journal=None)
        tc.send(chat_id, text)
        tc.export(tmp_path / "archive")
        tc.close()
    assert {"first", "second"} <= set(tcnb.scan(tmp_path / "archive")["text"])


def test_export_with_a_journal_goes_on(connect, alice, tmp_path):
    """A session that continues a journal adds what is new, and nothing twice."""
    chat_id = alice.group("Release crew", "second")
    for text in ("first", "second"):
        tc = connect("second", journal=tmp_path / "journal.db")
        tc.send(chat_id, text)
        tc.export(tmp_path / "archive")
        tc.close()
    texts = tcnb.scan(tmp_path / "archive")["text"].dropna().to_list()
    assert texts == ["first", "second"]


def test_export_from_a_shell_goes_on_where_the_session_stopped(connect, alice, tmp_path, capsys):
    """`tcnb export` needs no connection, counts as the same source, and adds only what is new."""
    tc = connect("second", journal=tmp_path / "journal.db")
    chat_id = alice.group("Release crew", "second")
    tc.send(chat_id, "first")
    tc.export(tmp_path / "archive")
    tc.send(chat_id, "second")
    tc.close()
    for _ in range(2):
        assert main(["export", str(tmp_path / "archive"), "--journal", str(tmp_path / "journal.db")]) == 0
    assert "second@practice.local: 0 new events" in capsys.readouterr().out
    assert tcnb.scan(tmp_path / "archive")["text"].dropna().to_list() == ["first", "second"]


@pytest.mark.parametrize("content", [None, b"", b"no database", b"SQLite format 3\0"])
def test_export_of_what_is_no_journal_is_refused(tmp_path, capsys, content):
    """What is not a journal is named in one line, and nothing is written."""
    journal = tmp_path / "journal.db"
    if content is not None:
        journal.write_bytes(content)
    assert main(["export", str(tmp_path / "archive"), "--journal", str(journal)]) == 1
    assert "journal.db" in capsys.readouterr().err
    assert not (tmp_path / "archive").exists()


def test_export_without_any_journal_says_what_to_do(tmp_path, capsys):
    """Where there is no journal at all, the error says how to name one."""
    assert main(["export", str(tmp_path / "archive")]) == 1
    assert "--journal" in capsys.readouterr().err
