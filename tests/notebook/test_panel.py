"""The panel's kernel side with a real session and a practice server: what is unread, and what choosing a chat does."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest

from tcnb.notebook.panel.panel import ChatList, Panel

UNIT = 20.0
"""Seconds a test waits at most for something that comes much sooner."""


@pytest.fixture
def crew(alice: Any) -> str:
    return str(alice.group("Release crew", "robot", "bob"))


@pytest.fixture
def coffee(alice: Any) -> str:
    return str(alice.group("Coffee", "robot"))


@pytest.fixture
def panel(tc: Any, crew: str, coffee: str) -> Iterator[Panel]:
    panel = Panel(tc)
    yield panel
    panel.close()


def told_by(panel: Panel) -> Callable[[Callable[[], Any]], None]:
    """Return what waits until something is true, looking again whenever the list would have told the page something."""
    told = threading.Condition()

    def take(content: dict[str, Any], buffers: list[bytes]) -> None:
        assert content == {"type": "panel"}
        with told:
            told.notify_all()

    panel.chats.send = take

    def wait(condition: Callable[[], Any]) -> None:
        with told:
            assert told.wait_for(condition, UNIT), (panel.chats.unread, panel.chats.chosen, panel.chat)

    return wait


@pytest.fixture
def patience(panel: Panel) -> Callable[[Callable[[], Any]], None]:
    """Waits for the panel."""
    return told_by(panel)


def choose(panel: Panel, chat_id: str | None) -> None:
    """Choose a chat as a click in the list does."""
    panel.chats._handle_custom_msg({"type": "choose", "chat": chat_id}, [])


def on_loop(panel: Panel, work: Coroutine[Any, Any, Any]) -> None:
    """Have something done on the session's loop, and wait until it is."""
    asyncio.run_coroutine_threadsafe(work, panel.session.loop).result(UNIT)


def test_unread_is_counted_by_chat(panel, patience, alice, crew, coffee):
    """Messages of others count in the chats that are not looked at, one by one."""
    for text in ("one", "two"):
        alice.say(crew, text)
    alice.say(coffee, "three")
    patience(lambda: panel.chats.unread == {crew: 2, coffee: 1})


def test_own_messages_are_not_unread(panel, patience, alice, crew, tc):
    """What this account says does not count."""
    tc.send(crew, "mine")
    alice.say(crew, "hers")
    patience(lambda: panel.chats.unread == {crew: 1})


def test_chosen_chat_is_read(panel, patience, alice, crew, coffee):
    """Choosing a chat reads it, shows its feed, and lets the composer write to it."""
    alice.say(crew, "one")
    patience(lambda: panel.chats.unread == {crew: 1})
    choose(panel, crew)
    patience(lambda: panel.chat == crew and crew in panel.feed.chats)
    alice.say(crew, "two")
    alice.say(coffee, "three")
    patience(lambda: panel.chats.unread == {coffee: 1})


def test_every_chat_can_be_shown_again(panel, patience, crew):
    """Choosing no chat shows the feed of all; the composer keeps its chat."""
    choose(panel, crew)
    patience(lambda: crew in panel.feed.chats)
    before = panel.feed
    choose(panel, None)
    patience(lambda: panel.feed.chats == frozenset())
    patience(lambda: panel.chat == crew)
    patience(lambda: before.comm is None)


def test_chat_that_is_found_late_does_not_come_back(panel, patience, crew):
    """A chat that the list did not know, and that the composer finds after all chats were chosen, stays passed over."""
    panel.chats.line = lambda chat_id: None  # as before the list of chats has come

    async def click_both():
        choose(panel, crew)
        choose(panel, None)

    on_loop(panel, click_both())  # the composer looks for the chat after both
    patience(lambda: panel.chat == crew)
    on_loop(panel, asyncio.sleep(0))
    assert panel.feed.chats == frozenset()
    assert panel.chats.chosen is None


def until_read(practice: Any) -> None:
    """Wait until the server knows that the robot got everything, so that it sends nothing of it again."""
    practice.run(practice.server.until(lambda: practice.server.is_settled("robot")))


def test_what_is_read_of_the_past_is_not_unread(practice, connect, until, alice, coffee):
    """Reading a chat's history counts nothing as unread, and what was said last stays what the list shows."""
    with connect() as before:
        for text in ("long ago", "the last word"):
            alice.say(coffee, text)
        until(before, lambda: len(before.messages) >= 2)
        until_read(practice)
    tc = connect(journal=None, catch_up=False)
    panel = Panel(tc)
    patience = told_by(panel)
    alice.say(coffee, "after all")
    patience(lambda: panel.chats.unread == {coffee: 1})
    assert list(tc.history(coffee)["text"].dropna())[-3:] == ["long ago", "the last word", "after all"]
    alice.say(coffee, "and more")
    patience(lambda: panel.chats.unread.get(coffee, 0) > 1)
    assert panel.chats.unread == {coffee: 2}
    patience(lambda: panel.chats.line(coffee).last == "Alice Doe: and more")
    panel.close()


def test_list_looks_back_by_time(practice, connect, until, alice, coffee):
    """What was said last stands in the list, also where older messages came into the record later."""
    with connect() as before:
        alice.say(coffee, "long ago")
        until(before, lambda: len(before.messages) >= 1)
        until_read(practice)
    tc = connect(journal=None, catch_up=False)
    alice.say(coffee, "the last word")
    until(tc, lambda: len(tc.messages) >= 1)
    tc.history(coffee)
    panel = Panel(tc)
    patience = told_by(panel)
    patience(lambda: panel.chats.line(coffee) and panel.chats.line(coffee).at)
    on_loop(panel, asyncio.sleep(0))
    patience(lambda: panel.chats.line(coffee).last == "Alice Doe: the last word")
    panel.close()


def test_chat_can_be_assigned(panel, patience, coffee):
    """A title that is assigned chooses its chat everywhere."""
    panel.chat = "Coffee"
    patience(lambda: panel.chats.chosen == coffee and coffee in panel.feed.chats)


def test_unknown_choice_changes_nothing_of_the_composer(panel, patience):
    """An id of no chat, as no page of ours sends it, is not written to."""
    choose(panel, "nothing")
    patience(lambda: panel.chats.chosen == "nothing")
    assert panel.chat is None


def test_what_was_said_last_is_shown(panel, patience, alice, crew):
    """The list tells who spoke last, and puts that chat on top."""
    alice.say(crew, "the last\nword")
    patience(lambda: "Alice Doe: the last word" in panel.chats._opening_state())
    assert panel.chats._everything()["chats"][0]["chat_id"] == crew


def test_name_that_is_learned_late_is_shown(panel, patience, alice, crew, monkeypatch):
    """Who spoke last is called by the display name, also where it is known only after the words were shown."""
    record, people = panel.session.record, panel.session.known_people
    rows = record.rows
    monkeypatch.setattr(record, "rows", lambda *which, **how: [row | {"author": None} for row in rows(*which, **how)])
    monkeypatch.setattr(panel.session, "known_people", list)
    alice.say(crew, "the last word")
    patience(lambda: panel.chats.line(crew) and panel.chats.line(crew).last == "alice: the last word")
    monkeypatch.setattr(panel.session, "known_people", people)
    alice.say(alice.group("Elsewhere", "robot"), "something else")
    patience(lambda: panel.chats.line(crew).last == "Alice Doe: the last word")


def test_what_comes_before_the_list_listens_is_counted(tc, until, alice, crew, monkeypatch):
    """A message that comes between the making of the list and its first step on the session's loop is unread."""
    held = []
    with monkeypatch.context() as patch:
        patch.setattr(ChatList, "_hand_over", lambda chats, work, *given: held.append((chats, work, given)))
        chats = ChatList(tc, lambda chat_id: None)
        alice.say(crew, "early")
        until(tc, lambda: "early" in set(tc.df["text"]))
    for _, work, given in held:
        tc.loop.call_soon_threadsafe(work, *given)
    counted = threading.Condition()

    def take(content: dict[str, Any], buffers: list[bytes]) -> None:
        with counted:
            counted.notify_all()

    chats.send = take
    with counted:
        assert counted.wait_for(lambda: chats.unread == {crew: 1}, UNIT), chats.unread
    chats.close()


def test_close_frees_everything(tc, crew):
    """After `close` no part has a view or listens."""
    panel = Panel(tc)
    parts = [panel.feed, panel.composer, panel.chats, panel]
    panel.close()
    panel.close()
    tc.refresh()
    assert [part.comm for part in parts] == [None] * 4
    assert panel.chats._removals == []


def test_chat_that_is_clicked_in_the_feed_is_chosen(panel, patience, crew):
    """The list, the feed and the composer are of one chat, whichever of them was asked for it."""
    patience(lambda: panel.chats.line(crew))
    panel.feed._handle_custom_msg({"type": "chat", "chat": crew}, [])
    patience(lambda: panel.chats.chosen == crew)
    on_loop(panel, asyncio.sleep(0))
    assert panel.chat == crew
    assert panel.feed.chats == {crew}


def test_terminal_gets_the_feed(panel):
    """Where nothing is live, the panel is the table of its feed."""
    bundle = panel._repr_mimebundle_()
    assert "robot · 127.0.0.1" in bundle[0]["text/plain"]
    assert bundle[0]["text/html"].startswith("<div")
