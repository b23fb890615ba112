"""After an absence the record of a chat has no hole, whatever was read elsewhere meanwhile."""

from __future__ import annotations

import tcnb
from tcnb.session import CatchUp
from tcnb.session.backfill import backfill
from tests.gaps.conftest import Crew, said, settle
from tests.session.test_journal import collecting


def until_asked(practice):
    """Wait until the history was asked for that the server does not answer."""
    practice.run(practice.server.until(lambda: not practice.server.faults.methods.get("getChatHistory")))


def test_what_was_read_elsewhere_is_filled_in(crew, absent):
    """Messages that no redelivery brings are read from the history, oldest first and each once."""
    crew.say("before")
    second = absent(lambda: crew.say(*(f"while away {number}" for number in range(250))))
    assert said(second, crew.chat).index.tolist() == crew.held()
    assert second.df["message_id"].dropna().is_unique
    status = second.status()
    assert (status.gaps_found, status.gaps_filled, status.messages_filled, status.gaps_left) == (1, 1, 250, 0)


def test_a_gap_of_a_reconnect_is_filled(crew, tc, practice, until):
    """After a break the session looks back as it does at its beginning."""
    crew.say("before")
    until(tc, lambda: "before" in said(tc, crew.chat)["text"].tolist())
    settle(tc)
    practice.call(lambda server: setattr(server.faults, "refuse_logins", True))
    seen = []
    tc.on_state(lambda state: seen.append(state["state"]))

    def cut(server):
        server.drop_connections()
        me = server.world.user("alice@practice.local")
        for number in range(5):
            server.world.say(me, crew.chat, f"while away {number}")
        server.world.chats[crew.chat].unread.clear()
        server.deliver()
        server.faults.refuse_logins = False

    practice.call(cut)
    until(tc, lambda: said(tc, crew.chat).index.tolist() == crew.held())
    assert "reconnecting" in seen
    settle(tc)
    assert tc.status().messages_filled == 5


def test_a_chat_never_seen_begins_where_it_was_first_seen(crew, connect):
    """Of a chat that is not in the record nothing is read that nobody asked for."""
    crew.say("long ago")
    crew.all_read()
    session = connect()
    settle(session)
    assert said(session, crew.chat).empty
    assert session.status().gaps_found == 0


def test_what_lies_before_the_first_message_is_no_gap(crew, absent):
    """A chat that is known from some message on is whole from there on."""
    crew.say("long ago")
    crew.all_read()
    crew.say("first seen")
    second = absent(lambda: crew.say("while away"))
    assert said(second, crew.chat)["text"].tolist() == ["first seen", "while away"]


def test_a_gap_is_closed_by_the_next_session_if_this_one_ends_too_early(crew, connect, practice, visit):
    """A session that is closed before it has looked back leaves the gap to the next, also behind messages that came."""
    crew.say("before")
    visit(crew)
    crew.say(*(f"while away {number}" for number in range(3)))
    crew.all_read()
    hurried = connect(catch_up=False)
    crew.say("live")
    practice.run(practice.server.until(lambda: not practice.server.world.unread("robot@practice.local")))
    hurried.close()
    third = connect()
    settle(third)
    assert said(third, crew.chat).index.tolist() == crew.held()


def test_a_large_gap_is_filled_in_several_goes(crew, connect, absent):
    """No more is read at a time than allowed, the newest first; the rest follows at the next beginning."""
    crew.say("before")
    limits = CatchUp(messages=120)
    second = absent(lambda: crew.say(*(f"while away {number}" for number in range(300))), catch_up=limits)
    assert said(second, crew.chat).index.tolist() == [crew.held()[0], *crew.held()[-120:]]
    assert second.status().gaps_left == 1
    assert "more messages are missing" in second.status().gaps_reason
    second.close()
    third = connect(catch_up=limits)
    settle(third)
    assert len(said(third, crew.chat)) == 241
    third.close()
    fourth = connect(catch_up=limits)
    settle(fourth)
    assert said(fourth, crew.chat).index.tolist() == crew.held()
    assert fourth.status().gaps_left == 0


def test_requests_are_bounded(practice, alice, connect, visit):
    """Where there are more chats than requests, the rest is left for the next time, and said to be."""
    crews = [Crew(practice, alice, f"Crew {number}") for number in range(8)]
    for crew in crews:
        crew.say("before")
    visit(*crews)
    for crew in crews:
        crew.say("while away")
        crew.all_read()
    second = connect(catch_up=CatchUp(requests=5))
    settle(second)
    left = second.status().gaps_left
    assert left >= 4
    second.close()
    third = connect(catch_up=CatchUp(requests=50))
    settle(third)
    assert third.status().gaps_left == 0
    for crew in crews:
        assert said(third, crew.chat).index.tolist() == crew.held()


def test_a_chat_that_is_closed_to_the_bot_stops_nothing(practice, alice, crew, connect, visit):
    """A history that the server refuses is reported; the other chats are filled, and nobody asks for it again."""
    other = Crew(practice, alice, "Other crew")
    for one in (crew, other):
        one.say("before")
    visit(crew, other)
    for one in (other, crew):
        one.say("while away")
        one.all_read()
    practice.call(lambda server: server.fail_next("getChatHistory", 303))
    second = connect()
    settle(second)
    assert second.status().gaps_left == 1
    assert "not shown" in second.status().gaps_reason
    whole = [one for one in (crew, other) if said(second, one.chat).index.tolist() == one.held()]
    assert len(whole) == 1


def test_chat_that_the_bot_was_removed_from_stops_nothing(practice, alice, crew, connect, visit):
    """A chat that the server lists no more is left as it is."""
    crew.say("before")
    visit(crew)
    robot = practice.call(lambda server: server.world.user("robot@practice.local"))
    alice.act(lambda server, me: server.world.remove_participant(me, crew.chat, robot, clear_history=False))
    second = connect()
    settle(second)
    assert said(second, crew.chat)["text"].tolist() == ["before"]
    assert second.status().gaps_left == 0


def test_messages_that_come_while_it_is_filled_are_there_once(crew, connect, practice, until, visit):
    """What arrives live while the history is read is neither lost nor doubled."""
    crew.say("before")
    visit(crew)
    crew.say(*(f"while away {number}" for number in range(150)))
    crew.all_read()
    practice.call(lambda server: server.delay_next("getChatHistory", 0.2, times=2))
    second = connect()
    crew.say("live 1")
    crew.say("live 2")
    settle(second)
    until(second, lambda: said(second, crew.chat).index.tolist() == crew.held())
    assert second.df["message_id"].dropna().is_unique


def test_nothing_is_read_when_nobody_wants_it(crew, absent):
    """With `catch_up=False` the session reads no history by itself."""
    crew.say("before")
    second = absent(lambda: crew.say("while away"), catch_up=False)
    assert said(second, crew.chat)["text"].tolist() == ["before"]


def test_gap_without_a_journal(crew, connect, practice, until):
    """A session that keeps its events in memory alone has no hole after a break either."""
    session = connect(journal=None)
    crew.say("before")
    until(session, lambda: len(said(session, crew.chat)))
    settle(session)

    def cut(server):
        me = server.world.user("alice@practice.local")
        server.drop_connections()
        server.world.say(me, crew.chat, "while away")
        server.world.chats[crew.chat].unread.clear()

    practice.call(cut)
    until(session, lambda: said(session, crew.chat)["text"].tolist() == ["before", "while away"])


def test_nothing_is_asked_on_connections_that_break_at_once(crew, connect, practice, until, monkeypatch):
    """After connections that did not last, the next one has to hold before the session looks back."""
    monkeypatch.setattr(backfill, "PROOF", 600.0)
    session = connect(journal=None)
    crew.say("before")
    until(session, lambda: len(said(session, crew.chat)))
    settle(session)
    for reconnects in (1, 2):
        if reconnects == 2:
            settle(session)
            practice.call(lambda server: server.ignore_next("getChats"))
        practice.call(lambda server: server.drop_connections())
        until(session, lambda n=reconnects: session.status().reconnects == n and session.state["state"] == "connected")
    crew.say("after")
    until(session, lambda: "after" in said(session, crew.chat)["text"].tolist())
    assert practice.call(lambda server: server.faults.methods.get("getChats"))  # nobody has asked for them


def test_closing_while_it_looks_back_is_quick_and_quiet(crew, connect, practice, caplog, visit):
    """A session may be closed at any moment of looking back."""
    crew.say("before")
    visit(crew)
    crew.say("while away")
    crew.all_read()
    practice.call(lambda server: server.ignore_next("getChatHistory"))
    second = connect()
    until_asked(practice)
    second.close()
    assert not [record for record in caplog.records if record.levelname == "ERROR"]
    third: tcnb.Session = connect()
    settle(third)
    assert said(third, crew.chat).index.tolist() == crew.held()


def test_a_killed_kernel_leaves_the_gap_to_the_next(crew, connect, practice, visit, tmp_path):
    """A process that is killed while it looks back, having recorded what came meanwhile, hides no gap."""
    path = tmp_path / "journal.sqlite"
    crew.say("before")
    visit(crew, journal=path)
    crew.say(*(f"while away {number}" for number in range(3)))
    crew.all_read()
    practice.call(lambda server: server.delay_next("getChatHistory", 600))
    with collecting(practice, path):
        crew.say("live")
        practice.run(practice.server.until(lambda: not practice.server.world.unread("robot@practice.local")))
        until_asked(practice)
    second = connect(journal=path)
    settle(second)
    assert said(second, crew.chat).index.tolist() == crew.held()
    assert second.status().messages_filled == 3


def test_many_chats(practice, alice, connect, visit):
    """Many chats are looked through, those with news first, and only the known ones."""
    known = [Crew(practice, alice, f"Known {number}") for number in range(60)]
    for crew in known:
        crew.say("before")
    visit(*known)
    strange = [Crew(practice, alice, f"Strange {number}") for number in range(10)]
    for crew in [*known[::2], *strange]:
        crew.say("while away")
        crew.all_read()
    limits = CatchUp(compared=0)
    second = connect(catch_up=limits)
    settle(second)
    assert (second.status().gaps_found, second.status().messages_filled) == (30, 30)
    assert all(said(second, crew.chat).index.tolist() == crew.held() for crew in known)
    assert set(second.messages["chat_id"]) == {crew.chat for crew in known}
