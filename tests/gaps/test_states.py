"""What was edited and removed: while the robot was away, and by edits that name no message."""

from __future__ import annotations

import pytest

from tcnb.practice import PracticeThread
from tcnb.practice.entities import Settings
from tcnb.session import CatchUp
from tests.conftest import ACCOUNTS, Colleague
from tests.gaps.conftest import Crew, said, settle


def test_edit_while_away_is_found(crew, absent):
    """A text that was changed while the robot was away is the new one in `messages`, and a row of its own in `df`."""
    (message,) = crew.say("wrnog")
    second = absent(lambda: crew.edit(message, "**right**", "markdown"))
    found = said(second, crew.chat).loc[message]
    assert (found["text"], found["edits"], found["removed"]) == ("right", 1, False)
    rows = second.df[second.df["message_id"] == message]
    assert rows["event"].tolist() == ["message", "edited_message"]
    assert rows["text"].tolist() == ["wrnog", "right"]
    assert second.status().edits_found == 1


def test_removal_while_away_is_found(crew, absent):
    """A message that is gone from between two others, and the last one, are removed in `messages`."""
    first, middle, _, last = crew.say("one", "two", "three", "four")
    second = absent(lambda: crew.remove(middle, last))
    found = said(second, crew.chat)
    assert found["removed"].tolist() == [False, True, False, True]
    assert second.df.loc[second.df["event"] == "removed_message", "message_id"].tolist() == [middle, last]
    assert second.status().removals_found == 2
    assert first in found.index


def test_gap_edit_and_removal_together(crew, absent):
    """All three happen in one absence, and the record says what the server says."""
    keep, wrong, gone = crew.say("keep", "wrnog", "gone")

    def happens():
        crew.say(*(f"while away {number}" for number in range(120)))
        crew.edit(wrong, "right")
        crew.remove(gone)

    second = absent(happens)
    found = said(second, crew.chat)
    assert found.index[~found["removed"]].tolist() == crew.held()
    assert found.loc[[keep, wrong], "text"].tolist() == ["keep", "right"]


def test_what_was_found_is_found_once(crew, absent, connect):
    """Looking back again finds nothing new, and the next session has what was found from the journal."""
    wrong, gone, _ = crew.say("wrnog", "gone", "last")

    def happens():
        crew.edit(wrong, "right")
        crew.remove(gone)

    absent(happens).close()
    third = connect()
    settle(third)
    found = said(third, crew.chat)
    assert found.loc[wrong, ["text", "edits"]].tolist() == ["right", 1]
    assert bool(found.loc[gone, "removed"])
    assert (third.status().edits_found, third.status().removals_found) == (0, 0)


def test_edited_back_and_forth(crew, absent, connect):
    """A text that comes back is an edit again."""
    (message,) = crew.say("yes")
    second = absent(lambda: crew.edit(message, "no"))
    assert said(second, crew.chat).loc[message, "text"] == "no"
    second.close()
    crew.edit(message, "yes")
    third = connect()
    settle(third)
    assert said(third, crew.chat).loc[message, ["text", "edits"]].tolist() == ["yes", 2]
    third.close()
    crew.edit(message, "no")
    fourth = connect()
    settle(fourth)
    assert said(fourth, crew.chat).loc[message, ["text", "edits"]].tolist() == ["no", 3]


def test_own_message_edited_elsewhere(crew, connect, visit):
    """Messages of the robot itself are compared, too; an edit of its own session is not found again."""
    first = connect()
    sent = first.send(crew.chat, "draft")
    mine = first.send(crew.chat, "*mine*", parse_mode="markdown")
    first._wait(first.bot.edit_message(mine.message_id, "<b>still mine</b>", "html"))
    first.close()
    elsewhere = connect(journal=None, catch_up=False)
    elsewhere._wait(elsewhere.bot.edit_message(sent.message_id, "final"))
    elsewhere.close()
    second = connect()
    settle(second)
    found = said(second, crew.chat)
    assert found.loc[sent.message_id, ["text", "edits"]].tolist() == ["final", 1]
    assert found.loc[mine.message_id, ["text", "edits"]].tolist() == ["still mine", 1]


def test_messages_older_than_what_is_compared_are_left(crew, absent):
    """Without a gap only the newest messages of a chat are compared, as many as `compared` says."""
    old, *_ = crew.say(*(f"message {number}" for number in range(150)))
    second = absent(lambda: crew.edit(old, "changed"), catch_up=CatchUp(compared=100))
    assert said(second, crew.chat).loc[old, "text"] == "message 0"
    second.close()
    third = absent(lambda: None, catch_up=CatchUp(compared=200))
    assert said(third, crew.chat).loc[old, "text"] == "changed"


def test_cleared_history_removes_nothing(crew, absent, alice):
    """A history that was cleared says nothing of the messages that were in it."""
    crew.say("one", "two", "three")
    second = absent(lambda: alice.act(lambda server, me: server.world.clear_history(me, crew.chat, for_all=True)))
    assert not said(second, crew.chat)["removed"].any()


# -- edits that name no message ---------------------------------------------------------------------------------------


def until_told(session, until, count):
    """Wait until so many edits of colleagues have come, and their messages have been looked for."""
    until(session, lambda: (session.df["event"] == "edited_message").sum() >= count)
    settle(session)


def test_edit_is_matched_to_its_message(crew, tc, until):
    """The server says that something was edited; the chat's history says what."""
    message, _ = crew.say("wrnog", "last")
    until(tc, lambda: len(said(tc, crew.chat)) == 2)
    crew.edit(message, "<b>right</b>", "html")
    until(tc, lambda: said(tc, crew.chat).loc[message, "text"] == "right")
    found = said(tc, crew.chat).loc[message]
    assert (found["edits"], found["removed"]) == (1, False)
    told, matched = tc.df[tc.df["event"] == "edited_message"].itertuples()
    assert (told.timestamp, matched.message_id) == (matched.timestamp, message)
    assert tc.status().edits_found == 1


def test_edits_of_several_messages(crew, tc, until):
    """Edits that come at once find each its own message."""
    messages = crew.say(*(f"wrnog {number}" for number in range(10)))
    until(tc, lambda: len(said(tc, crew.chat)) == 10)
    for number, message in enumerate(messages):
        crew.edit(message, f"right {number}")
    until(tc, lambda: said(tc, crew.chat)["text"].tolist() == [f"right {number}" for number in range(10)])
    settle(tc)
    assert said(tc, crew.chat)["edits"].tolist() == [1] * 10
    assert tc.status().edits_unmatched == 0


def test_two_messages_edited_to_one_text(crew, tc, until):
    """Edits that cannot be told from each other are recorded all the same: the history says what is edited."""
    one, two, _ = crew.say("first", "second", "last")
    until(tc, lambda: len(said(tc, crew.chat)) == 3)
    settle(tc)
    crew.edit_all({one: "ok", two: "ok"})
    until(tc, lambda: said(tc, crew.chat)["text"].tolist() == ["ok", "ok", "last"])
    settle(tc)
    assert said(tc, crew.chat)["edits"].tolist() == [1, 1, 0]
    assert tc.status().edits_unmatched == 0


def test_edit_that_was_overtaken(crew, tc, until):
    """Of two edits in a row the history shows the second; the first is left without its message, and counted."""
    message, _ = crew.say("frist", "last")
    until(tc, lambda: len(said(tc, crew.chat)) == 2)
    settle(tc)
    crew.edit_all({message: "frst"}, {message: "first"})
    until(tc, lambda: said(tc, crew.chat).loc[message, "text"] == "first")
    settle(tc)
    assert said(tc, crew.chat).loc[message, "edits"] == 1
    assert tc.status().edits_unmatched == 1
    assert (tc.df["event"] == "edited_message").sum() == 3


def test_edit_of_a_message_that_was_never_recorded(crew, connect, until):
    """What was said before the record began has no row that could be brought up to date."""
    old = crew.say("long ago")[0]
    crew.all_read()
    session = connect()
    crew.say("first seen")
    until(session, lambda: len(said(session, crew.chat)) == 1)
    crew.edit(old, "changed")
    until_told(session, until, 1)
    assert session.status().edits_unmatched == 1


def test_second_message_edited_to_the_same_text(crew, tc, until):
    """A message known to say the same already is not the one that was meant."""
    one, two, _ = crew.say("first", "second", "last")
    until(tc, lambda: len(said(tc, crew.chat)) == 3)
    crew.edit(one, "ok")
    until(tc, lambda: said(tc, crew.chat).loc[one, "text"] == "ok")
    crew.edit(two, "ok")
    until(tc, lambda: said(tc, crew.chat).loc[two, "text"] == "ok")
    assert said(tc, crew.chat)["edits"].tolist() == [1, 1, 0]


def test_server_that_names_the_message(connect, until):
    """Where a server says which message was edited, nothing is looked for."""
    with PracticeThread(accounts=ACCOUNTS, settings=Settings(edit_names_message=True)) as server:
        crew = Crew(server, Colleague(server, "alice"))
        session = connect(web_port=server.port)
        (message,) = crew.say("wrnog")
        until(session, lambda: len(said(session, crew.chat)))
        settle(session)  # the look back after connecting would find the edit in the history
        crew.edit(message, "right")
        until(session, lambda: said(session, crew.chat).loc[message, "text"] == "right")
        settle(session)
        assert session.status().edits_found == 0
        session.close()


@pytest.mark.parametrize("shared", [True, False], ids=["one journal", "in memory"])
def test_two_kernels_find_the_same_edit_once(crew, connect, until, shared):
    """Two sessions of one account that share a journal record one finding."""
    options = {} if shared else {"journal": None}
    one, two = connect(name="one", **options), connect(name="two", **options)
    message, _ = crew.say("wrnog", "last")
    for session in (one, two):
        until(session, lambda session=session: len(said(session, crew.chat)) == 2)
    crew.edit(message, "right")
    for session in (one, two):
        until(session, lambda session=session: said(session, crew.chat).loc[message, "text"] == "right")
        settle(session)
        assert said(session, crew.chat).loc[message, "edits"] == 1
