"""Who is meant by a name: nothing goes to anybody who merely calls himself or his chat like somebody else."""

from __future__ import annotations

import threading
import unicodedata
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import tcnb
from tcnb.client.directory.chat_list import PAGE
from tcnb.errors import AmbiguousChatError, ApiErrorException, UnknownChatError, UsageError
from tcnb.notebook.feed.feed import Feed
from tcnb.practice import PracticeThread
from tests.conftest import Colleague

ACCOUNTS = (
    "robot:robot:Robot",
    "alice:alice:Alice Doe",
    "mallory:mallory:alice",
    "alex:alex:Alex Petrov",
    "sasha:sasha:Alex",
    "Olga_P.v:olga:Ольга",
    "twin.one:one:Ann Lee",
    "twin.two:two:ann  lee",
)


@pytest.fixture
def practice() -> Iterator[PracticeThread]:
    """A practice server on which people call themselves as others do."""
    with PracticeThread(accounts=ACCOUNTS) as thread:
        yield thread


@pytest.fixture
def mallory(practice: PracticeThread) -> Colleague:
    """Somebody who calls himself alice, and may put the bot into chats."""
    return Colleague(practice, "mallory")


@pytest.fixture
def members(practice: PracticeThread) -> Callable[[Any], set[str]]:
    """Give the logins of those who read what was sent."""

    def members(sent: Any) -> set[str]:
        there = practice.call(lambda server: set(server.world.chats[sent.chat_id].participants))
        return {user_id.partition("@")[0] for user_id in there} - {"robot"}

    return members


def meet(tc: tcnb.Session, *logins: str) -> None:
    """Open the personal chats with people, whose display names are their titles from then on."""
    for login in logins:
        tc.send(f"{login}@practice.local", "hello")
    tc.refresh()


@pytest.mark.parametrize("name", ["alice", "ALICE", "alice@practice.local", "Alice@Practice.Local", "\u200balice "])
def test_login_is_its_person(tc: tcnb.Session, mallory: Colleague, members: Any, name: str) -> None:
    """Whatever chats and people are called, a login and an id mean whose they are."""
    meet(tc, "mallory", "alice")
    for title in ("alice", "Alice", "alice@practice.local", "alice@practice.local "):
        mallory.group(title, "robot")
    tc.refresh()
    assert members(tc.send(name, "for alice alone")) == {"alice"}
    assert tc.history(name)["text"].iloc[-1] == "for alice alone"
    assert tc.feed(name).chats == {tc.composer(name).chat} == {tc.panel(name).chat}


def test_login_is_its_person_before_anybody_was_met(tc: tcnb.Session, mallory: Colleague, members: Any) -> None:
    """A login that the bot has never heard of is asked for before a title is looked up."""
    mallory.group("alex", "robot")
    tc.refresh()
    assert members(tc.send("alex", "hi")) == {"alex"}


@pytest.mark.parametrize("name", ["Olga_P.v", "olga_p.v", "OLGA_P.V@practice.local"])
def test_logins_of_any_form(tc: tcnb.Session, members: Any, name: str) -> None:
    """Dots, underscores and capitals belong to a login."""
    assert members(tc.send(name, "hi")) == {"Olga_P.v"}


def test_id_is_its_chat(tc: tcnb.Session, alice: Colleague, mallory: Colleague, members: Any) -> None:
    """An id and a link mean their chat, though a title looks the same; an unknown one means none."""
    crew = alice.group("Release crew", "robot", "sasha")
    mallory.group(crew, "robot")
    mallory.group(f"#c_{crew}@practice.local", "robot")
    mallory.group("#c_nothing@practice.local", "robot")
    tc.refresh()
    for name in (crew, f"#c_{crew}@practice.local", f" #c_{crew}@10.0.0.5"):
        assert members(tc.send(name, "hi")) == {"alice", "sasha"}
        assert tc.feed(name).chats == {crew}
        assert tc.history(name, 1)["chat_id"].tolist() == [crew]
        assert tc.composer(name).chat == crew
    with pytest.raises(UnknownChatError, match="#c_nothing"):
        tc.send("#c_nothing@practice.local", "hi")


def test_id_that_is_in_no_list(tc: tcnb.Session, alice: Colleague, monkeypatch: pytest.MonkeyPatch) -> None:
    """An id that the list leaves out is asked for, also as a link."""
    crew = alice.group("Release crew", "robot")
    monkeypatch.setattr(tc._directory, "_ask", lambda method, payload: nothing())
    tc.refresh()
    assert tc.known_chats() == []
    assert tc.send(f"#c_{crew}@practice.local", "hi").chat_id == crew
    assert tc.send(crew, "hi").chat_id == crew


async def nothing() -> list[Any]:
    return []


@pytest.mark.parametrize("name", ["Ann Lee", "ann lee", "ANN\u00a0LEE", "Ann  Lee "])
def test_display_name_of_two_people(tc: tcnb.Session, name: str) -> None:
    """A display name that two people have is refused, however it is written, with the ids of both."""
    meet(tc, "twin.one", "twin.two")
    with pytest.raises(AmbiguousChatError) as caught:
        tc.send(name, "hi")
    assert len(caught.value.candidates) == 2
    assert "twin.one" in str(caught.value) and "twin.two" in str(caught.value)


def test_display_name_that_is_a_title(tc: tcnb.Session, alice: Colleague, mallory: Colleague) -> None:
    """A title that equals a display name is refused, in whatever case, and neither is written to."""
    meet(tc, "alice")
    mallory.group("ALICE DOE", "robot")
    tc.refresh()
    for verb in (lambda: tc.send("Alice Doe", "hi"), lambda: tc.feed("Alice Doe"), lambda: tc.composer("alice doe")):
        with pytest.raises(AmbiguousChatError, match="could mean 2 chats or people") as caught:
            verb()
        assert "group" in str(caught.value) and "personal chat" in str(caught.value)


def test_display_name_of_somebody_without_a_chat(tc: tcnb.Session, alice: Colleague, until: Any) -> None:
    """Somebody who is known from a group counts, though the only personal chat of that name is another's."""
    alice.group("Release crew", "robot", "twin.one")
    tc.refresh()
    until(tc, lambda: ("Ann Lee", "twin.one@practice.local") in tc.known_people())
    meet(tc, "twin.two")
    with pytest.raises(AmbiguousChatError, match=r"twin\.one@practice.local, who has no chat with you yet"):
        tc.send("Ann Lee", "hi")


def test_display_name_of_one_person(tc: tcnb.Session, members: Any) -> None:
    """A display name that one person has finds that person, also where the personal chat is there."""
    meet(tc, "alice", "sasha")
    assert members(tc.send("alice doe", "hi")) == {"alice"}
    assert members(tc.send("Alice Doe", "hi")) == {"alice"}


def test_case_decides_between_no_titles(tc: tcnb.Session, alice: Colleague, mallory: Colleague) -> None:
    """Titles may be written in any case, so another chat whose title differs in case alone makes them ambiguous."""
    crew = alice.group("Release crew", "robot")
    assert tc.send("release crew", "hi").chat_id == crew
    mallory.group("release crew", "robot")
    tc.refresh()
    for name in ("Release crew", "release crew", "RELEASE CREW"):
        with pytest.raises(AmbiguousChatError):
            tc.send(name, "hi")


@pytest.mark.parametrize(
    ("title", "name"),
    [
        (unicodedata.normalize("NFD", "Йогурт и чай"), "йогурт и чай"),
        ("Йогурт и чай", unicodedata.normalize("NFD", "Йогурт и чай")),
        ("Release  crew ", "release crew"),
        ("Release\u00a0crew", "Release crew"),
        ("Release crew", "Release\u200b \ufeffcrew"),
        ("Кофе", unicodedata.normalize("NFD", "КОФЕ")),
    ],
)
def test_titles_are_found_as_they_look(tc: tcnb.Session, alice: Colleague, title: str, name: str) -> None:
    """Composition, blanks and case make no difference, and two chats that look alike are two meanings."""
    chat = alice.group(title, "robot")
    assert tc.send(name, "hi").chat_id == chat
    assert tc.feed(name).chats == {chat}
    alice.group(look_alike(title), "robot")
    tc.refresh()
    with pytest.raises(AmbiguousChatError):
        tc.send(name, "hi")


def look_alike(title: str) -> str:
    return f"\u200b{unicodedata.normalize('NFC', title)}".replace(" ", "\u00a0")


def test_own_login_is_the_favorites(tc: tcnb.Session, mallory: Colleague, members: Any) -> None:
    """The bot's own login means its favorites, whatever chat is called so."""
    mallory.group("robot", "robot")
    tc.refresh()
    sent = tc.send("robot", "a note")
    assert members(sent) == set()
    assert tc.feed("robot@practice.local").chats == {sent.chat_id}


def test_candidates_can_be_told_apart(tc: tcnb.Session, alice: Colleague, mallory: Colleague, until: Any) -> None:
    """Each has its kind, its members, its last message with the local time, and its id."""
    crew = alice.group("Release crew", "robot", "sasha", "alex", "mallory")
    alice.say(crew, "all <b>green</b>\nnow")
    empty = mallory.group("Release crew", "robot")
    tc.refresh()
    with pytest.raises(AmbiguousChatError) as caught:
        tc.send("Release crew", "hi")
    first = next(one for one in caught.value.candidates if crew in one)
    assert "group, with alice, sasha, alex and 1 more, last message 20" in first
    assert "by alice: 'all <b>green</b> now'" in first
    assert any(empty in one for one in caught.value.candidates)
    assert "\n" not in str(caught.value)
    assert str(caught.value).endswith("Use the id or login of the one you mean.")


@pytest.mark.parametrize("code", [300, 301, 302, 303])
def test_nothing_is_guessed_where_the_server_does_not_say(
    tc: tcnb.Session, alice: Colleague, practice: PracticeThread, until: Any, code: int
) -> None:
    """Whether a word is a login must be known: a refusal that does not tell it is raised, and nothing is sent."""
    crew = alice.group("Coffee", "robot")
    tc.refresh()
    until(tc, lambda: ("Alice Doe", alice.id) in tc.known_people())  # nothing else is asked for now
    practice.call(lambda server: server.fail_next("getUserDisplayName", code))
    with pytest.raises(ApiErrorException, match="getUserDisplayName"):
        tc.send("Coffee", "hi")
    practice.call(lambda server: server.fail_next("getUserDisplayName", 399))
    assert tc.send("Coffee", "hi").chat_id == crew


def test_account_that_is_made_later(tc: tcnb.Session, practice: PracticeThread, members: Any) -> None:
    """A login that nobody had is found when somebody has it."""
    with pytest.raises(UnknownChatError):
        tc.send("newcomer", "hi")
    practice.call(lambda server: server.world.add_user("newcomer", "New", "secret"))
    assert members(tc.send("newcomer", "hi")) == {"newcomer"}


def test_renamed_between_two_messages(tc: tcnb.Session, alice: Colleague, mallory: Colleague, until: Any) -> None:
    """A title that another chat has by now leads to that one, or to neither while both have it."""
    crew, other = alice.group("Release crew", "robot"), mallory.group("Elsewhere", "robot")
    assert tc.send("Release crew", "one").chat_id == crew
    mallory.act(lambda server, me: server.world.edit_title(me, other, "release crew"))
    until(tc, lambda: (tc.df["event"] == "edited_chat_title").sum() == 1)
    with pytest.raises(AmbiguousChatError):
        tc.send("Release crew", "two")
    alice.act(lambda server, me: server.world.edit_title(me, crew, "Old crew"))
    until(tc, lambda: (tc.df["event"] == "edited_chat_title").sum() == 2)
    assert tc.send("Release crew", "three").chat_id == other


RESOLVING = ("getChats", "getChatByID", "createP2PChat", "sendMessage")
"""What resolving and sending may call; display names and participants are asked for in the background, too."""


def test_known_names_cost_no_question(tc: tcnb.Session, alice: Colleague, mallory: Colleague, until: Any) -> None:
    """A name that was resolved, an id and a login are sent to at once; others who come and go change nothing."""
    crew = alice.group("Release crew", "robot")
    for name in ("Release crew", "alice", crew):
        tc.send(name, "hi")
    until(tc, lambda: (tc.df["event"] == "added_chat_participant").sum() == 1)
    tc.refresh()
    calls: list[str] = []
    usual = tc._connection.call

    async def call(method: str, *args: Any, **options: Any) -> Any:
        if method in RESOLVING:
            calls.append(method)
        return await usual(method, *args, **options)

    tc._connection.call = tc._directory._ask = call  # type: ignore[method-assign]
    for name in ("Release crew", "alice", "alice@practice.local", crew, f"#c_{crew}@practice.local"):
        tc.send(name, "hi")
    assert calls == ["sendMessage"] * 5
    alice.act(
        lambda server, me: server.world.add_participant(
            me, crew, server.world.user("sasha@practice.local"), display_history=True
        )
    )
    until(tc, lambda: (tc.df["event"] == "added_chat_participant").sum() == 2)
    tc.send("Release crew", "hi")
    mallory.group("Elsewhere", "robot")
    until(tc, lambda: (tc.df["event"] == "added_chat_participant").sum() == 3)
    tc.send(crew, "hi")
    tc.send("alice", "hi")
    assert calls == ["sendMessage"] * 8
    tc.send("Release crew", "hi")
    assert calls[8:] == ["getChats", "sendMessage"]


def test_personal_chat_that_was_removed_is_opened_again(
    tc: tcnb.Session, alice: Colleague, until: Any, members: Any
) -> None:
    """What is known of a personal chat is forgotten when it is gone."""
    gone = tc.send("alice", "one").chat_id
    alice.act(lambda server, me: server.world.remove_chat(me, gone))
    until(tc, lambda: (tc.df["event"] == "removed_chat").any())
    sent = tc.send("alice", "two")
    assert sent.chat_id != gone and members(sent) == {"alice"}


def test_list_that_cannot_be_read_to_its_end(tc: tcnb.Session, alice: Colleague, monkeypatch: Any) -> None:
    """A title is not trusted then, the error and the status say why; ids and logins are."""
    crew = alice.group("Release crew", "robot")
    usual = tc._connection.call
    record = tc._wait(usual("getChatByID", {"chatId": crew}))

    async def repeats(method: str, payload: Any) -> Any:
        return [record, *({**record, "chatId": f"c{at}", "title": f"Chat {at}"} for at in range(PAGE - 1))]

    monkeypatch.setattr(tc._directory, "_ask", repeats)
    tc.refresh()
    with pytest.raises(
        AmbiguousChatError, match=r"could mean more than one chat: .*the list of chats could not be read"
    ):
        tc.send("Release crew", "hi")
    with pytest.raises(UnknownChatError, match="the list of chats could not be read to its end"):
        tc.send("Relase crew", "hi")
    assert tc.send(crew, "hi").chat_id == crew
    assert tc.send("alice", "hi").message_id
    assert "to its end (100 chats were)" in tc.status().chats_problem and "chats problem" in repr(tc.status())
    monkeypatch.setattr(tc._directory, "_ask", usual)
    tc.refresh()
    assert tc.status().chats_problem is None
    assert tc.send("Release crew", "hi").chat_id == crew


def test_looking_back_says_that_the_list_has_no_end(tc: tcnb.Session, alice: Colleague, monkeypatch: Any) -> None:
    """Chats that the server does not list may lack messages: the status says so, and they are looked for again."""
    crew = alice.group("Release crew", "robot")
    usual = tc._connection.call
    record = tc._wait(usual("getChatByID", {"chatId": crew}))

    async def repeats(method: str, payload: Any) -> Any:
        if method != "getChats":
            return await usual(method, payload)
        return [{**record, "chatId": f"c{at}"} for at in range(PAGE)]

    monkeypatch.setattr(tc._connection, "call", repeats)
    assert tc._wait(tc._catching_up._look_through()) is False
    assert tc.status().gaps_left == 1
    assert "could not be read to its end (100 chats were)" in str(tc.status().gaps_reason)


def test_chats_beyond_ten_thousand(practice: PracticeThread, connect: Any, alice: Colleague) -> None:
    """An account that is in very many chats finds the last of them, and sees that a title is there twice."""

    def make(server: Any, me: Any) -> list[str]:
        robot = server.world.user("robot@practice.local")
        chats = [server.world.create_group(me, f"Chat {at % 10_050}").chat_id for at in range(10_100)]
        for chat_id in chats:
            server.world.add_participant(me, chat_id, robot, display_history=True)
        return chats

    chats = alice.act(make)
    tc = connect(catch_up=False)
    assert len(tc.known_chats()) == len(chats)
    assert tc.send("Chat 10049", "hi").chat_id == chats[10_049]
    with pytest.raises(AmbiguousChatError) as caught:
        tc.send("chat 7", "hi")
    assert {one for one in (chats[7], chats[10_057]) if one in str(caught.value)} == {chats[7], chats[10_057]}


# -- feeds -------------------------------------------------------------------------------------------------------------


def shown(feed: Feed) -> list[str]:
    """Have a feed tell its page what came, and return the texts that it shows."""

    assert len(feed.session.df)  # what came until now is in the record

    async def flush() -> None:
        feed._flush()

    feed.session._wait(flush())
    return [str(text) for text in feed.selection["text"].dropna()]


def test_feed_of_a_person_who_has_no_chat_yet(
    tc: tcnb.Session, alice: Colleague, mallory: Colleague, until: Any
) -> None:
    """None is made; it is shown as soon as there is one, and what the person says elsewhere is not."""
    crew = alice.group("alice", "robot")
    feed = Feed(tc, "alice")
    assert feed.chats == {"alice@practice.local"}
    alice.say(crew, "in the group")
    personal = alice.act(lambda server, me: server.world.create_p2p(me, server.world.user(tc.me_id)).chat_id)
    alice.say(personal, "hello robot")
    until(tc, lambda: "hello robot" in set(tc.df["text"]))
    assert shown(feed) == ["hello robot"]
    tc.send("alice", "hello alice")
    mallory.act(lambda server, me: server.world.create_p2p(me, server.world.user(tc.me_id)))
    tc.send("mallory", "hello mallory")
    until(tc, lambda: "hello mallory" in set(tc.df["text"]))
    assert shown(feed) == ["hello robot", "hello alice"]
    assert feed.chats == {"alice@practice.local", personal}


def test_feed_of_a_person_whom_the_bot_writes_to_first(tc: tcnb.Session) -> None:
    """What the bot says in a personal chat that is made later is in its feed, too."""
    feed = tc.feed("alice")
    sent = tc.send("alice", "hello alice")
    assert shown(feed) == ["hello alice"]
    assert sent.chat_id in feed.chats


def test_feed_of_a_closed_session(tc: tcnb.Session, alice: Colleague, mallory: Colleague, until: Any) -> None:
    """The record answers by the same rule: ids, logins, then titles, of which one that two chats have is refused."""
    crew = alice.group("Release crew", "robot")
    twins = [who.group("Twins", "robot") for who in (alice, mallory)]
    tc.send("alice", "hello")
    personal = tc.send("alice", "hello").chat_id
    alice.say(personal, "hello robot")
    until(tc, lambda: "hello robot" in set(tc.df["text"]))
    tc.refresh()
    tc.close()
    assert tc.feed("release  CREW").chats == tc.feed(f"#c_{crew}@practice.local").chats == {crew}
    assert tc.feed("alice@practice.local").chats == {personal}
    with pytest.raises(AmbiguousChatError, match=twins[0]):
        tc.feed("twins")


# -- waiting -----------------------------------------------------------------------------------------------------------


def test_waiting_for_a_person_takes_no_namesake(tc: tcnb.Session, alice: Colleague, mallory: Colleague) -> None:
    """The answer of somebody who calls himself alice is none of alice."""
    crew = alice.group("Release crew", "robot", "mallory")
    found: list[Any] = []
    waiting = threading.Thread(target=lambda: found.append(tc.wait_for(chat=crew, sender="Alice", timeout=20)))
    waiting.start()
    while not tc._waiters:
        waiting.join(0.01)
    mallory.say(crew, "yes, go")
    alice.say(crew, "no")
    waiting.join()
    assert [(one.author.id, one.text) for one in found] == [("alice@practice.local", "no")]


REFUSED = [
    ({"sender": "Alice Doe"}, UsageError, "write sender='alice'"),
    ({"sender": "Ann Lee"}, AmbiguousChatError, "twin.one"),
    ({"sender": "alcie"}, UnknownChatError, "no account is called 'alcie'. Did you mean 'alice'?"),
    ({"sender": "alice@elsewhere"}, UnknownChatError, "no account is called 'alice@elsewhere'"),
    ({"chat": "Alice Doe"}, UsageError, "write chat='alice'"),
    ({"chat": "Ann Lee"}, AmbiguousChatError, "twin.two"),
    ({"chat": "nobody@practice.local"}, UnknownChatError, "nobody@practice.local"),
    ({"chat": "Relase crew"}, UnknownChatError, "Did you mean 'Release crew'?"),
]


@pytest.mark.parametrize(("given", "kind", "said"), REFUSED)
def test_conditions_that_name_nobody(tc: tcnb.Session, alice: Colleague, given: Any, kind: Any, said: str) -> None:
    """Waiting, and a handler, are refused at once in one line that says what to write instead."""
    alice.group("Release crew", "robot")
    meet(tc, "alice", "twin.one", "twin.two")
    for verb in (lambda: tc.wait_for(**given, timeout=5), lambda: tc.router.message(**given)(print)):
        with pytest.raises(kind) as caught:
            verb()
        assert said in str(caught.value)
        assert "\n" not in str(caught.value)
    assert tc.router.handlers == []
