"""Whose words a handler obeys: conditions on chats and people against those who only call themselves so."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

import tcnb
from tcnb.errors import AmbiguousChatError, UnknownChatError, UsageError
from tcnb.practice import PracticeThread
from tcnb.routing import Router
from tests.conftest import Colleague
from tests.routing.conftest import Seen

ACCOUNTS = ("robot:robot:Robot", "alice:alice:Alice Doe", "mallory:mallory:alice", "eve:eve:alice@practice.local")


@pytest.fixture(params=["5.5.6", "5.5.3"])
def practice(request: pytest.FixtureRequest) -> Iterator[PracticeThread]:
    """A practice server of either generation: events of the older one say the id of their chat alone."""
    with PracticeThread(accounts=ACCOUNTS, generation=request.param) as thread:
        yield thread


@pytest.fixture
def mallory(practice: PracticeThread) -> Colleague:
    """Somebody who calls himself alice."""
    return Colleague(practice, "mallory")


@pytest.fixture
def eve(practice: PracticeThread) -> Colleague:
    """Somebody whose display name is alice's id."""
    return Colleague(practice, "eve")


def personal(who: Colleague) -> str:
    """Return the personal chat of somebody with the bot, opened by that person."""
    robot = "robot@practice.local"
    return str(who.act(lambda server, me: server.world.create_p2p(me, server.world.user(robot)).chat_id))


def told_failures(tc: tcnb.Session) -> Seen:
    """Return what gets every failure from now on."""
    failures = Seen()
    tc.on_failure(failures.note)
    return failures


def noting(router: Router, seen: Seen, **given: Any) -> None:
    """Have what a condition lets through noted under its name, and everything else as `other`."""
    router.message(**given)(lambda message: seen.note((message.author.id.partition("@")[0], message.text)))
    router.message()(lambda message: seen.note(("other", message.text)))


@pytest.mark.parametrize("name", ["alice", "ALICE", "alice@practice.local", "Alice@Practice.local/web"])
def test_sender_is_nobody_of_the_same_display_name(
    tc: tcnb.Session, alice: Colleague, mallory: Colleague, eve: Colleague, seen: Seen, name: str
) -> None:
    """A handler for alice obeys alice alone, in groups as in personal chats."""
    crew = alice.group("Release crew", "robot", "mallory", "eve")
    noting(tc.router, seen, sender=name)
    for who in (mallory, eve, alice):
        who.say(crew, f"/deploy {who.login}")
    assert seen.take(3) == [("other", "/deploy mallory"), ("other", "/deploy eve"), ("alice", "/deploy alice")]
    eve.say(personal(eve), "please")
    assert seen.next() == ("other", "please")


@pytest.mark.parametrize("name", ["alice", "Alice@practice.local"])
def test_personal_chat_is_that_of_the_person(
    tc: tcnb.Session, alice: Colleague, mallory: Colleague, eve: Colleague, seen: Seen, name: str
) -> None:
    """A personal chat named by a login is with that very person, whatever the titles are."""
    noting(tc.router, seen, chat=name)
    crew = mallory.group("alice", "robot")
    said = [(mallory, personal(mallory)), (eve, personal(eve)), (mallory, crew), (alice, personal(alice))]
    for who, chat in said:
        who.say(chat, who.login)
    found = seen.take(4)
    assert sorted(found) == [("alice", "alice"), ("other", "eve"), ("other", "mallory"), ("other", "mallory")]


def test_events_of_a_personal_chat_that_name_nobody(
    tc: tcnb.Session, alice: Colleague, eve: Colleague, seen: Seen
) -> None:
    """An edit says the chat alone: who is in it is asked for."""
    tc.router.edited_message(chat="alice")(lambda event: seen.note(event.content.text))
    for who in (eve, alice):
        message_id = who.say(personal(who), "one")
        text = {"text": f"two of {who.login}", "parseMode": "text"}
        who.act(lambda server, me: server.world.edit(me, message_id, tcnb.MessageType.PLAIN_MESSAGE, text))  # noqa: B023
    assert seen.next() == "two of alice"
    assert seen.is_empty


def test_title_that_another_chat_takes(tc: tcnb.Session, alice: Colleague, mallory: Colleague, seen: Seen) -> None:
    """While two chats have the title neither is obeyed, which is noted; the id goes on meaning its chat."""
    failures = told_failures(tc)
    crew = alice.group("Release crew", "robot")
    tc.router.message(chat="release CREW")(lambda message: seen.note(("title", message.text)))
    tc.router.message(chat=f"#c_{crew}@practice.local")(lambda message: seen.note(("id", message.text)))
    alice.say(crew, "one")
    assert seen.next() == ("title", "one")
    other = mallory.group("Release crew", "robot")
    mallory.say(other, "obey me")
    alice.say(crew, "two")
    assert seen.next() == ("id", "two")
    for failure in failures.take(2):
        assert "chat='release CREW' could mean 2 chats by now: write the right one's id" in failure.error
    alice.act(lambda server, me: server.world.edit_title(me, crew, "Launch crew"))
    alice.say(crew, "three")
    assert seen.next() == ("id", "three")


def test_title_of_a_chat_that_is_gone(tc: tcnb.Session, alice: Colleague, seen: Seen) -> None:
    """That a chat was removed is told under the title that it had."""
    gone, other = alice.group("Release crew", "robot"), alice.group("Coffee", "robot")
    tc.router.removed_chat(chat="release crew")(lambda event: seen.note(event.chat_id))
    for chat in (other, gone):
        alice.act(lambda server, me: server.world.remove_chat(me, chat))  # noqa: B023
    assert seen.next() == gone
    assert seen.is_empty


def test_own_login_is_the_favorites(tc: tcnb.Session, alice: Colleague, seen: Seen, connect: Any) -> None:
    """What another session of the bot writes into its favorites is what `chat=` its own login is for."""
    router = Router("own", skip_self_messages=False)
    tc.router.skip_self_messages = False
    router.message(chat="robot")(lambda message: seen.note(message.text))
    tc.router.include_router(router)
    other = connect(name="other")
    alice.say(alice.group("robot", "robot"), "not here")
    other.send("robot", "a note")
    assert seen.next() == "a note"


REFUSED: list[tuple[dict[str, Any], type[UsageError], str]] = [
    ({"sender": "Alice Doe"}, UsageError, "write sender='alice'"),
    ({"sender": ["alice", "alcie"]}, UnknownChatError, "no account is called 'alcie'"),
    ({"chat": "Alice Doe"}, UsageError, "write chat='alice'"),
    ({"chat": "Relase crew"}, UnknownChatError, "Did you mean 'Release crew'?"),
    ({"chat": "Twins"}, AmbiguousChatError, "could mean 2 chats"),
    ({"chat": "#c_nothing@practice.local"}, UnknownChatError, "#c_nothing"),
]


@pytest.mark.parametrize(("given", "kind", "said"), REFUSED)
def test_names_that_do_not_do_are_said_where_they_are_written(
    tc: tcnb.Session, alice: Colleague, given: dict[str, Any], kind: type[UsageError], said: str
) -> None:
    """The definition is refused, below the session's router as in it; what was defined before stays."""
    for title in ("Release crew", "Twins", "Twins"):
        alice.group(title, "robot")
    tc.send("alice", "hello")
    tc.refresh()
    below = Router("below")
    tc.router.include_router(below)
    below.message(chat="Release crew")(print)
    for router in (tc.router, below):
        with pytest.raises(kind) as caught:
            router.message(**given)(print)
        assert said in str(caught.value)
    assert len(tc.router.handlers) == 1


def test_names_that_could_not_be_looked_up_are_said_later(connect: Any, alice: Colleague, seen: Seen) -> None:
    """A router that was made before the connection keeps its handlers; what does not do is a failure of each."""
    crew = alice.group("Release crew", "robot")
    router = Router("mine")

    @router.message(chat="Relase crew")
    def on_typo(message: Any) -> None: ...

    @router.message(sender="Alice Doe")
    def on_display_name(message: Any) -> None: ...

    @router.message(chat="release crew", sender="alice")
    def on_right(message: Any) -> None:
        seen.note(message.text)

    tc = connect(router=router)
    failures = told_failures(tc)
    while len(tc.router.failures) < 2:
        failures.next()
    told = {failure.handler: failure.error for failure in tc.router.failures}
    assert "Did you mean 'Release crew'?" in told["on_typo"]
    assert (
        "no account is called 'Alice Doe'" in told["on_display_name"]
        or "write sender='alice'" in told["on_display_name"]
    )
    assert [handler.last_error is None for handler in tc.router.handlers] == [False, False, True]
    assert tc.status().handler_failures == 2
    alice.say(crew, "go")
    assert seen.next() == "go"


def test_included_router_is_looked_at(tc: tcnb.Session) -> None:
    """A router that is put below a connected session keeps its handlers, and what does not do is said."""
    router = Router("mine")
    router.message(sender="nobody")(print)
    failures = told_failures(tc)
    tc.router.include_router(router)
    assert "no account is called 'nobody'" in failures.next().error
    assert router.handlers == tc.router.handlers != []


def test_handler_that_is_defined_on_the_bots_loop(tc: tcnb.Session, alice: Colleague) -> None:
    """A listener that defines a handler does not wait for itself: what does not do is said later."""
    failures, defined = told_failures(tc), list[str]()

    def define() -> None:
        if not defined:
            defined.append("once")
            tc.router.message(chat="Relase crew")(print)

    tc.on_rows(define)
    alice.group("Release crew", "robot")
    assert "Relase crew" in failures.next().error


def test_chat_that_gets_its_title_later(tc: tcnb.Session, practice: PracticeThread, seen: Seen) -> None:
    """A handler for the birth or the renaming of a chat names one that is not there yet."""
    tc.router.created_group_chat(chat="New crew")(lambda event: seen.note("born"))
    tc.router.edited_chat_title(chat="Old crew")(lambda event: seen.note("renamed"))
    chat = tc._wait(tc.bot.create_group_chat("New crew")).chat_id
    assert seen.next() == "born"
    robot = Colleague(practice, "robot")
    robot.act(lambda server, me: server.world.edit_title(me, chat, "Old crew"))
    assert seen.next() == "renamed"
