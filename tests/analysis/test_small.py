"""Every analysis on a handful of events, the answers worked out by hand."""

from __future__ import annotations

from datetime import UTC, datetime

import pandas as pd
import pytest

from tcnb import analysis
from tests.analysis.frames import at, event, frame, said


def rows(result, *columns):
    """Return some columns of a result as tuples, with None for what is missing."""
    return [
        tuple(None if pd.isna(value) else value for value in row)
        for row in result[list(columns)].itertuples(index=False)
    ]


def test_summary_counts_messages_of_people_that_are_still_there():
    """The summary leaves out removed messages and those of the server, and counts edits and removals beside them."""
    result = analysis.summary(
        frame(
            said("a", 0),
            said("b", 1, reply_to="m1", chat_id="h"),
            said("b", 2, file_id="f", file_size=10, text=None),
            said("c", 3),
            said("s", 4, author_type="system"),
            said("a", 5, message_type="add_participant"),
            event("removed_message", 6, message_id="m4"),
            event("edited_message", 7),
        )
    )
    counts = {"events": 8, "messages": 3, "people": 2, "chats": 2, "replies": 1, "files": 1, "bytes": 10}
    assert result.iloc[0].to_dict() == counts | {"edits": 1, "removed": 1, "first": at(0), "last": at(2)}


def test_summary_counts_an_edit_once():
    """An edit that was told, and told again when its message was found, or by another account, is one edit."""
    told = event("edited_message", 1, text="new")
    found = told | {"message_id": "m1", "received": at(2)}
    assert analysis.summary(frame(said("a", 0), told, found, found))["edits"].item() == 1
    assert analysis.summary(frame(said("a", 0), told, found, event("edited_message", 3)))["edits"].item() == 2


def test_activity_counts_days_of_a_zone_and_shows_the_empty_ones():
    """A period is a day of the chosen zone, and a day without messages stands between two with them."""
    result = analysis.activity(
        frame(
            said("a", datetime(2026, 3, 2, 20, 0, tzinfo=UTC)),
            said("b", datetime(2026, 3, 2, 20, 30, tzinfo=UTC)),
            said("a", datetime(2026, 3, 2, 21, 30, tzinfo=UTC)),
            said("a", datetime(2026, 3, 4, 21, 30, tzinfo=UTC)),
        ),
        tz="Europe/Moscow",
    )
    starts = [datetime(2026, 3, day, 21, tzinfo=UTC) for day in (1, 2, 3, 4)]
    assert rows(result, "period", "messages", "people", "group") == [
        *((starts[0], 2, 2, None), (starts[1], 1, 1, None), (starts[2], 0, 0, None), (starts[3], 1, 1, None)),
    ]


def test_activity_goes_by_weeks_months_quarters_and_years():
    """Weeks begin on Monday; months, quarters and years on their first day."""
    events = frame(said("a", datetime(2025, 12, 31, tzinfo=UTC)), said("a", datetime(2026, 2, 10, tzinfo=UTC)))
    for freq, starts in {
        "W": ["2025-12-29", "2026-01-05", "2026-01-12", "2026-01-19", "2026-01-26", "2026-02-02", "2026-02-09"],
        "M": ["2025-12-01", "2026-01-01", "2026-02-01"],
        "Q": ["2025-10-01", "2026-01-01"],
        "Y": ["2025-01-01", "2026-01-01"],
    }.items():
        assert [str(period.date()) for period in analysis.activity(events, freq)["period"]] == starts


def test_activity_by_chat_and_by_author_names_the_groups():
    """With `by`, each period has a row for each group in which something was written, named by its last title."""
    events = frame(
        said("a", 0, chat="Old"),
        said("a", 1, chat="New"),
        said("b", 2, chat_id="h", chat="Other"),
        said("b", 61, chat_id="h", chat="Other"),
    )
    by_chat = analysis.activity(events, "h", by="chat")
    assert rows(by_chat, "period", "group_id", "group", "messages", "people") == [
        *((at(0), "g", "New", 2, 1), (at(0), "h", "Other", 1, 1), (at(60), "h", "Other", 1, 1)),
    ]
    by_author = analysis.activity(events, by="author")
    assert rows(by_author, "group", "messages", "people") == [("Alice Doe", 2, 1), ("Борис Годунов", 2, 1)]


def test_heatmap_counts_hours_of_weekdays():
    """09:00 in UTC on a Monday is noon in Moscow; late Sunday evening in UTC is Monday there."""
    sunday = datetime(2026, 3, 1, 21, 30, tzinfo=UTC)
    result = analysis.heatmap(
        frame(said("a", 0), said("b", 59.9), said("a", 60), said("a", sunday)), tz="Europe/Moscow"
    )
    assert len(result) == 168
    assert rows(result[result["messages"] > 0], "weekday", "hour", "messages") == [(1, 0, 1), (1, 12, 2), (1, 13, 1)]


def test_talkers_are_ranked_with_their_share():
    """The one who wrote most comes first; the name is the last one known."""
    result = analysis.talkers(
        frame(
            said("a", 0, "hello", author="Alice Old"),
            said("b", 1, "привет!", reply_to="m1"),
            said("a", 2, None, file_id="f", chat_id="h"),
            said("a", 3, "x"),
        )
    )
    columns = ("author_id", "author", "messages", "share", "characters", "replies", "files", "chats", "first", "last")
    assert rows(result, *columns) == [
        ("a@s", "Alice Doe", 3, 0.75, 6, 0, 1, 2, at(0), at(3)),
        ("b@s", "Борис Годунов", 1, 0.25, 7, 1, 0, 1, at(1), at(1)),
    ]


def test_response_is_the_first_message_of_a_turn_after_the_last_of_the_turn_before():
    """Consecutive messages of one author are one turn; time counts from its last message to the next one's first."""
    result = analysis.response_times(
        frame(said("a", 0), said("a", 1), said("b", 3), said("b", 4), said("a", 10), said("c", 5, chat_id="h"))
    )
    assert rows(result, "author_id", "to_id", "message_id", "answers", "asked", "answered", "seconds", "explicit") == [
        ("b@s", "a@s", "m3", "m2", at(1), at(3), 120.0, False),
        ("a@s", "b@s", "m5", "m4", at(4), at(10), 360.0, False),
    ]
    assert rows(result, "chat", "author", "to")[0] == ("Group", "Борис Годунов", "Alice Doe")


def test_response_later_than_the_threshold_or_in_another_session_is_none():
    """What comes after the threshold, or after a pause that ends the session, answers nothing."""
    events = frame(said("a", 0), said("b", 30), said("a", 100))
    assert rows(analysis.response_times(events, threshold="70min"), "seconds") == [(1800.0,), (4200.0,)]
    assert rows(analysis.response_times(events, threshold="1h"), "seconds") == [(1800.0,)]
    assert rows(analysis.response_times(events, sessions="20min"), "seconds") == []
    assert len(analysis.response_times(events, threshold=None)) == 2


def test_explicit_reply_takes_precedence():
    """A message that names another one answers that one instead of its neighbour, also across sessions."""
    events = frame(
        said("a", 0), said("b", 1), said("c", 50, reply_to="m1"), said("c", 51, reply_to="m3"), said("a", 52)
    )
    plain = analysis.response_times(events)
    assert rows(plain, "message_id", "answers") == [("m2", "m1"), ("m3", "m2"), ("m5", "m4")]
    explicit = analysis.response_times(events, replies=True, sessions="30min")
    assert rows(explicit, "message_id", "answers", "seconds", "explicit") == [
        *(("m2", "m1", 60.0, False), ("m3", "m1", 3000.0, True), ("m5", "m4", 60.0, False)),
    ]


def test_response_matrix_has_median_and_mean():
    """Each pair of people has a row with the number of answers and their median and mean time."""
    events = frame(said("a", 0), said("b", 1), said("a", 2), said("b", 4), said("a", 14), said("b", 20))
    result = analysis.response_matrix(events)
    assert rows(result, "author", "to", "responses", "median_seconds", "mean_seconds") == [
        ("Борис Годунов", "Alice Doe", 3, 120.0, 180.0),
        ("Alice Doe", "Борис Годунов", 2, 330.0, 330.0),
    ]


def test_threads_are_trees_of_replies():
    """A thread has the size, depth and length of its tree; messages without replies are no threads."""
    result = analysis.threads(
        frame(
            said("a", 0),
            said("b", 1, reply_to="m1"),
            said("c", 2, reply_to="m2"),
            said("b", 9, reply_to="m1"),
            said("a", 3),
            said("a", 4, reply_to="gone"),
        )
    )
    columns = ("root_id", "author", "messages", "people", "depth", "started", "seconds", "complete")
    assert rows(result, *columns) == [
        ("m1", "Alice Doe", 4, 3, 2, at(0), 540.0, True),
        ("gone", None, 1, 1, 1, at(4), 0.0, False),
    ]


def test_thread_that_bites_its_tail_ends():
    """Replies in a circle, which only a broken file can hold, are one thread and no endless loop."""
    result = analysis.threads(
        frame(said("a", 0, reply_to="m2"), said("b", 1, reply_to="m1"), said("c", 2, reply_to="m3"))
    )
    assert rows(result, "messages", "complete") == [(2, True)]


def test_conversations_are_split_by_pauses():
    """A pause longer than the gap begins a new conversation; one as long does not."""
    result = analysis.conversations(
        frame(said("a", 0), said("b", 30), said("a", 61), said("c", 0.5, chat_id="h")), "30min"
    )
    assert rows(result, "chat_id", "number", "started", "ended", "seconds", "messages", "people", "opened_by") == [
        ("g", 1, at(0), at(30), 1800.0, 2, 2, "Alice Doe"),
        ("h", 1, at(0.5), at(0.5), 0.0, 1, 1, "Chen"),
        ("g", 2, at(61), at(61), 0.0, 1, 1, "Alice Doe"),
    ]


def test_unanswered_is_what_nobody_else_followed_or_replied_to():
    """The last message of a turn is unanswered if nobody else wrote in time, and nobody replied to it at all."""
    result = analysis.unanswered(
        frame(
            said("a", 0, "one?"),
            said("a", 1, "anybody?"),
            said("b", 200, "late", reply_to="m1"),
            said("c", 500, "later", chat_id="h", chat="Other"),
            said("b", 501, chat_id="h", chat="Other", reply_to="m4"),
            said("c", 590, "and?"),
            event("removed_chat", 600),
        ),
        threshold="1h",
    )
    assert rows(result, "chat", "message_id", "text", "asked", "waiting_seconds", "overdue") == [
        ("Group", "m6", "and?", at(590), 600.0, False),
        ("Other", "m5", "hm", at(501), 5940.0, True),
        ("Group", "m3", "late", at(200), 24000.0, True),
        ("Group", "m2", "anybody?", at(1), 35940.0, True),
    ]


def test_unanswered_questions_are_judged_by_the_text_as_it_is_now():
    """An edit that takes the question mark away takes the question away; channels have no questions."""
    events = frame(
        said("a", 0, "well?"),
        said("b", 1, "eh?", chat_id="h"),
        said("b", 1, "eh?", chat_id="k", chat_type="channel"),
        event("edited_message", 2, message_id="m1", text="well."),
    )
    assert rows(analysis.unanswered(events, questions=True), "message_id") == [("m2",)]


def test_explicit_reply_after_the_threshold_answers():
    """A late message that names the question answers it."""
    events = frame(said("a", 0, "one?"), said("b", 200, reply_to="m1"))
    assert rows(analysis.unanswered(events, threshold="1h"), "message_id") == [("m2",)]


def test_words_leave_out_stop_words_and_count_people():
    """Stop words of both languages, addresses and mentions are no words; case does not matter."""
    events = frame(
        said("a", 0, "The build и сборка"),
        said("b", 1, "Build build, https://build.example/build @build"),
        said("b", 2, "ещё Ёлка"),
    )
    result = analysis.words(events)
    assert rows(result, "word", "count", "messages", "people") == [
        *(("build", 3, 2, 2), ("сборка", 1, 1, 1), ("ёлка", 1, 1, 1)),
    ]
    assert "the" in set(analysis.words(events, stop=False)["word"])
    for stop in (["Build"], "Build"):
        assert rows(analysis.words(events, stop=stop, min_length=5), "word") == [("сборка",)]


def test_names_that_mention_somebody_are_no_words():
    """Of a mention the text has only the name, which is no word, as it is a mention; a first name alone is a word."""
    events = frame(said("a", 0, "hi"), said("b", 1, "ask Alice  Doe, or Alice"), said("c", 2, "Borís"))
    assert analysis.mentions(events)["mentioned"].tolist() == ["Alice Doe"]
    assert rows(analysis.words(events, stop=False), "word") == [("alice",), ("ask",), ("borís",), ("hi",), ("or",)]


def test_words_are_those_of_the_text_as_it_is_now():
    """An edit replaces the words, a removal takes them away, and what was read after its edit is not edited again."""
    later = {"received": at(60)}
    result = analysis.words(
        frame(
            said("a", 0, "wrong"),
            said("a", 1, "secret"),
            event("edited_message", 2, message_id="m1", text="right"),
            event("edited_message", 3, message_id="m1", text="better"),
            event("removed_message", 4, message_id="m2"),
            event("edited_message", 5, message_id="m6", text="older"),
        )
    )
    assert rows(result, "word") == [("better",)]
    history = frame(event("edited_message", 5, message_id="m2", text="older"), said("a", 1, "newest", **later))
    assert rows(analysis.words(history), "word") == [("newest",)]
    at_once = frame(said("a", 0, "wrong"), event("edited_message", 0, message_id="m1", text="right"))
    assert rows(analysis.words(at_once), "word") == [("right",)]
    assert analysis.unanswered(at_once, threshold="1s")["text"].tolist() == ["right"]


def test_emoji_are_counted_whole():
    """An emoji of several code points is one; the tone of skin counts unless told otherwise."""
    events = frame(said("a", 0, "👍👍🏽 👩‍💻"), said("b", 1, "👍 ok"))
    assert rows(analysis.emoji(events), "emoji", "count", "messages", "people") == [
        *(("👍", 2, 2, 2), ("👍🏽", 1, 1, 1), ("👩‍💻", 1, 1, 1)),
    ]
    assert rows(analysis.emoji(events, skin_tones=False), "emoji", "count") == [("👍", 3), ("👩‍💻", 1)]


def test_links_have_domains():
    """An address is counted as written, without the full stop behind it; its domain is in lower case."""
    events = frame(said("a", 0, "see https://WWW.Example.com/A?b=(c)."), said("b", 5, "(www.example.com/x) no.link"))
    assert rows(analysis.links(events), "url", "domain", "count", "people", "first") == [
        ("https://WWW.Example.com/A?b=(c)", "example.com", 1, 1, at(0)),
        ("www.example.com/x", "example.com", 1, 1, at(5)),
    ]


def test_links_are_found_in_edited_texts():
    """An address that only the edit brought counts, one that it took away does not."""
    events = frame(
        said("a", 0, "nothing"),
        said("a", 1, "https://old.example"),
        event("edited_message", 2, message_id="m1", text="https://new.example"),
        event("edited_message", 3, message_id="m2", text="nothing"),
    )
    assert rows(analysis.links(events), "url") == [("https://new.example",)]


def test_mentions_by_login_id_and_name():
    """A login, an id or a full display name mentions a person; an unknown name is kept as written."""
    result = analysis.mentions(
        frame(
            said("a", 0, "@b look, @B@s!"),
            said("b", 1, "thanks Alice Doe, mail x@example.com"),
            said("b", 2, "Alice Does not mind, @all and @nobody."),
            said("c", 3, "hi"),
        )
    )
    assert rows(result, "author_id", "mentioned_id", "mentioned", "count") == [
        ("a@s", "b@s", "Борис Годунов", 1),
        ("b@s", "a@s", "Alice Doe", 1),
        ("b@s", None, "@all", 1),
        ("b@s", None, "@nobody", 1),
    ]


def test_files_by_type():
    """Files are counted by their type, with their sizes; unknown sizes count as nothing."""
    result = analysis.files(
        frame(
            said("a", 0, None, file_id="1", file_size=5, mime_type="image/png"),
            said("b", 1, None, file_id="2", mime_type="image/png"),
            said("a", 2, None, file_id="3", file_size=100),
            said("a", 3),
        )
    )
    assert rows(result, "mime_type", "files", "bytes", "largest", "people", "first", "last") == [
        ("image/png", 2, 5, 5, 2, at(0), at(1)),
        (None, 1, 100, 100, 1, at(2), at(2)),
    ]


@pytest.mark.parametrize("gap", ["2 hours", "120 minutes", "1 week", "7200 seconds"])
def test_lengths_of_time_in_words(gap):
    """A length of time may be said in words, as in `tc.since`."""
    assert len(analysis.conversations(frame(said("a", 0), said("b", 119)), gap)) == 1


def test_membership_knows_what_the_history_tells():
    """The history tells of joins and leaves by messages of the server; told by both, each counts once."""
    system = {"author_type": "system", "text": None}
    result = analysis.membership(
        frame(
            said(None, 0, message_type="add_participant", user_id="b@s", **system),
            said(None, 1, message_type="add_participant", user_id="c@s", **system),
            event("added_chat_participant", 1, user_id="c@s"),
            said("b", 2),
            said(None, 3, message_type="remove_participant", user_id="c@s", **system),
            said(None, 4, message_type="participant_role", user_id="b@s", **system),
        )
    )
    assert rows(result, "chat", "joins", "leaves", "headcount") == [("Group", 2, 1, 1)]


def test_membership_counts_back_to_the_beginning():
    """Who first wrote or left was there from the beginning, who first joined came then; joining twice is once."""
    day = 24 * 60
    result = analysis.membership(
        frame(
            said("a", 0),
            event("added_chat_participant", day, user_id="b@s"),
            event("added_chat_participant", day + 1, user_id="b@s"),
            event("removed_chat_participant", day + 2, user_id="c@s"),
            said("b", day + 3),
            event("removed_chat_participant", 3 * day, user_id="a@s"),
            said("a", 0, chat_id="h"),
        )
    )
    midnight = -9 * 60
    assert rows(result, "chat", "period", "joins", "leaves", "headcount") == [
        ("Group", at(midnight), 0, 0, 2),
        ("Group", at(midnight + day), 1, 1, 2),
        ("Group", at(midnight + 3 * day), 0, 1, 1),
    ]


def test_graph_has_replies_and_mentions_but_no_loops():
    """Edges lead from who replies or mentions to whom; replying to oneself is none."""
    result = analysis.graph(
        frame(
            said("a", 0),
            said("b", 1, reply_to="m1"),
            said("b", 2, "@a", reply_to="m1"),
            said("a", 3, "@a @all", reply_to="m1"),
            said("c", 4, reply_to="gone"),
        )
    )
    assert rows(result, "source", "target", "kind", "weight") == [
        ("Борис Годунов", "Alice Doe", "reply", 2),
        ("Борис Годунов", "Alice Doe", "mention", 1),
    ]
