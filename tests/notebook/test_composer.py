"""The composer's kernel side with a real session and a practice server; only the page is a stand-in."""

from __future__ import annotations

import asyncio
import json
import stat
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tcnb.errors import FileMissingError, UsageError
from tcnb.notebook.composer.composer import INTERVAL, Composer
from tcnb.notebook.composer.uploads import CHUNK

UNIT = 20.0
"""Seconds a test waits at most for something that comes much sooner."""


class StandInPage:
    """A stand-in for the page: takes the place of the widget's `send`, and speaks as a page does."""

    def __init__(self, composer: Composer) -> None:
        self.composer = composer
        self.messages: list[dict[str, Any]] = []
        self.times: list[float] = []
        self.threads: set[threading.Thread] = set()
        self._came = threading.Condition()
        self._asked = 0
        composer.send = self._take

    def _take(self, content: dict[str, Any], buffers: list[bytes]) -> None:
        assert content == {"type": "composer"}
        with self._came:
            self.messages.append(json.loads(buffers[0]))
            self.times.append(self.composer.session.loop.time())
            self.threads.add(threading.current_thread())
            self._came.notify_all()

    def say(self, request: dict[str, Any], *buffers: bytes) -> None:
        self.composer._handle_custom_msg(request, list(buffers))

    def ask(self, **request: Any) -> dict[str, Any]:
        """Send a request and wait for its answer."""
        self._asked += 1
        re = f"test-{self._asked}"
        self.say({**request, "re": re, "page": "p1"})
        answers: Callable[[], list[Any]] = lambda: [  # noqa: E731
            one for message in self.messages for one in message.get("answers", []) if one["re"] == re
        ]
        self.wait_until(lambda: bool(answers()))
        return answers()[0]

    def wait_until(self, condition: Callable[[], bool]) -> None:
        with self._came:
            assert self._came.wait_for(condition, UNIT), self.messages

    def state_of(self, key: str) -> str | None:
        states = [one["state"] for message in self.messages for one in message.get("sendings", []) if one["key"] == key]
        return states[-1] if states else None

    def wait_state(self, key: str, state: str) -> None:
        self.wait_until(lambda: self.state_of(key) == state)

    def states_of(self, key: str) -> list[str]:
        found: list[str] = []
        for message in self.messages:
            for one in message.get("sendings", []):
                if one["key"] == key and found[-1:] != [one["state"]]:
                    found.append(one["state"])
        return found

    def written(self, key: str) -> int:
        return max((message.get("written", {}).get(key, -1) for message in self.messages), default=-1)

    def said(self, name: str) -> list[Any]:
        return [message[name] for message in self.messages if name in message]


@pytest.fixture
def crew(alice: Any) -> str:
    return str(alice.group("Release crew", "robot", "bob"))


@pytest.fixture
def composer(tc: Any, crew: str) -> Iterator[Composer]:
    composer = Composer(tc)
    yield composer
    composer.close()


@pytest.fixture
def page(composer: Composer) -> StandInPage:
    return StandInPage(composer)


@pytest.fixture
def texts(practice: Any) -> Callable[[str], list[str]]:
    """Give the texts of a chat as the server has them."""

    def texts(chat_id: str) -> list[str]:
        messages = practice.call(lambda server: list(server.world.chats[chat_id].messages))
        return [one.content["text"] for one in messages if one.content.get("text")]

    return texts


def a_text(key: str, chat_id: str, text: str = "hello", **more: Any) -> dict[str, Any]:
    one = {"key": key, "kind": "text", "chat_id": chat_id, "chat": "Release crew", "text": text, **more}
    return {"type": "send", "page": "p1", "sendings": [one]}


def a_file(key: str, chat_id: str, size: int, **more: Any) -> dict[str, Any]:
    one = {"key": key, "kind": "document", "chat_id": chat_id, "name": "data.bin", "size": size, **more}
    return {"type": "send", "page": "p1", "sendings": [one]}


def folder_of(composer: Composer) -> Path:
    assert composer._uploads._folder is not None
    return composer._uploads._folder


def test_sending_passes_through_its_states(page, crew, texts):
    """A text is queued or sending, then sent, and the server has it."""
    page.say(a_text("k1", crew))
    page.wait_state("k1", "sent")
    assert page.states_of("k1")[-1] == "sent"
    assert texts(crew) == ["hello"]


def test_texts_keep_their_order(page, crew, texts):
    """Twenty texts that are handed in at once arrive in their order."""
    for number in range(20):
        page.say(a_text(f"k{number}", crew, str(number)))
    page.wait_state("k19", "sent")
    assert texts(crew) == [str(number) for number in range(20)]


def test_key_is_sent_once(page, crew, texts):
    """The same key is never sent twice, whatever the page repeats."""
    for _ in range(3):
        page.say(a_text("k1", crew))
    page.wait_state("k1", "sent")
    page.say(a_text("k1", crew))
    page.say(a_text("k2", crew, "last"))
    page.wait_state("k2", "sent")
    assert texts(crew) == ["hello", "last"]


def test_chat_must_be_an_id(page, composer, crew):
    """What names no chat is not taken."""
    page.say(a_text("k1", ""))
    page.say({"type": "send", "sendings": [{"key": "k2", "kind": "telepathy", "chat_id": crew}, None, 7]})
    page.say(a_text("k3", crew))
    page.wait_state("k3", "sent")
    assert [one["key"] for one in composer.sendings] == ["k3"]


def test_pieces_arrive_in_order_or_not_at_all(page, crew, practice):
    """A piece that does not follow the last one is not taken; the page is told how far the file is."""
    data = bytes(range(256)) * (CHUNK // 128)
    page.say(a_file("f1", crew, len(data)))
    page.wait_until(lambda: page.written("f1") == 0)
    page.say({"type": "chunk", "key": "f1", "offset": CHUNK}, data[CHUNK:])
    page.say({"type": "chunk", "key": "f1", "offset": 0}, data[:CHUNK])
    page.say({"type": "chunk", "key": "f1", "offset": 0}, data[:CHUNK])
    page.wait_until(lambda: page.written("f1") == CHUNK)
    assert page.state_of("f1") == "receiving"
    page.say({"type": "chunk", "key": "f1", "offset": CHUNK}, data[CHUNK:])
    page.wait_state("f1", "sent")
    (message,) = [one for one in practice.call(lambda server: server.world.chats[crew].messages) if one.file]
    source = message.file.source
    assert (source if isinstance(source, bytes) else source.read_bytes()) == data


def test_files_are_for_their_owner_alone_and_go(page, composer, crew):
    """A file on its way lies in a folder of its owner alone, and is gone once it was sent."""
    page.say(a_file("f1", crew, 2000))
    page.wait_until(lambda: page.written("f1") == 0)
    (path,) = folder_of(composer).iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    page.say({"type": "chunk", "key": "f1", "offset": 0}, b"x" * 2000)
    page.wait_state("f1", "sent")
    page.say(a_text("k1", crew))
    page.wait_state("k1", "sent")
    assert list(folder_of(composer).iterdir()) == []


def test_close_removes_unfinished_files(page, composer, crew):
    """Closing removes what came of files, and the folder."""
    page.say(a_file("f1", crew, 2000))
    page.wait_until(lambda: page.written("f1") == 0)
    folder = folder_of(composer)
    composer.close()
    composer.session.refresh()  # one round on the loop, after the work that `close` handed over
    assert not folder.exists()


def test_removed_upload_is_forgotten(page, composer, crew):
    """An upload that is stopped leaves nothing, and the page is told."""
    page.say(a_file("f1", crew, 2000))
    page.wait_until(lambda: page.written("f1") == 0)
    page.say({"type": "remove", "key": "f1"})
    page.wait_until(lambda: page.said("gone") == [["f1"]])
    assert (composer.sendings, list(folder_of(composer).iterdir())) == ([], [])


def test_file_without_room_fails_visibly(page, crew, monkeypatch):
    """A file for which the kernel's disk has no room fails before a byte moves."""
    monkeypatch.setattr("tcnb.notebook.composer.uploads.SPARE", 2**62)
    page.say(a_file("f1", crew, 2000))
    page.wait_state("f1", "failed")
    assert "bytes free" in page.said("sendings")[-1][0]["reason"]


def test_small_file_does_not_wait_for_another_batch(page, crew):
    """A file of another batch is sent although an earlier one is still on its way; one of the same batch waits."""
    page.say(a_file("slow", crew, 10, batch="b1"))
    page.say(a_file("behind", crew, 0, batch="b1"))
    page.say(a_file("beside", crew, 0, batch="b2"))
    page.wait_state("beside", "sent")
    assert page.state_of("behind") == "queued"
    page.say({"type": "chunk", "key": "slow", "offset": 0}, b"0123456789")
    page.wait_state("behind", "sent")


def test_removing_what_blocks_lets_the_rest_go(page, crew):
    """When a file that the others wait for is removed, they go."""
    page.say(a_file("slow", crew, 10, batch="b1"))
    page.say(a_file("behind", crew, 0, batch="b1"))
    page.wait_state("behind", "queued")
    page.say({"type": "remove", "key": "slow"})
    page.wait_state("behind", "sent")


def test_lost_answer_doubles_nothing(page, practice, crew, texts):
    """When the connection breaks before the answer, the text is in the chat once, and its row says that it was sent."""
    practice.call(lambda server: server.drop_on_next("sendMessage"))
    page.say(a_text("k1", crew))
    page.wait_state("k1", "sent")
    assert texts(crew) == ["hello"]


def test_outcome_that_nobody_knows_is_said(connect, practice, crew):
    """When the server never answers, the failure says that trying again may double the message."""
    tc = connect("second")
    composer = Composer(tc)
    page = StandInPage(composer)
    chat = page.ask(type="resolve", chat="bob")["chat"]["chat_id"]
    practice.call(lambda server: server.ignore_next("sendMessage"))
    tc._connection.timeout = 1.0  # no answer to the connecting has to be so quick
    page.say(a_text("k1", chat))
    page.wait_until(lambda: page.state_of("k1") in ("failed", "sent"))
    (told,) = composer.sendings
    assert (told["state"], told["is_unsure"], told["can_retry"]) == ("failed", True, True)
    composer.close()


def test_login_is_no_title(page: StandInPage, practice: Any, alice: Any, crew: str) -> None:
    """A group that is called like somebody's login, or an id, takes nothing of what is meant for that person."""
    groups = {alice.group(title, "robot") for title in ("bob", "bob@practice.local")}
    for name in ("bob", "Bob", "bob@practice.local"):
        found = page.ask(type="resolve", chat=name)["chat"]
        assert found["chat_id"] not in groups and found["kind"] == "p2p"
        members = practice.call(lambda server: set(server.world.chats[found["chat_id"]].participants))  # noqa: B023
        assert members == {"robot@practice.local", "bob@practice.local"}
    link = f"#c_{crew}@practice.local"
    assert page.ask(type="resolve", chat=link)["chat"]["chat_id"] == crew


def test_display_name_that_looks_like_an_id_stays_what_it_is(
    tc: Any, page: StandInPage, practice: Any, until: Callable[..., None]
) -> None:
    """A stranger whose display name is somebody's id is not shown under that person's name, in no list of chats."""
    robot = "robot@practice.local"
    tc.send("alice", "hello")
    until(tc, lambda: ("Alice Doe", "alice@practice.local") in tc.known_people())

    def come(server: Any) -> str:
        eve = server.world.add_user("eve", "alice@practice.local", "eve")
        chat = server.world.create_p2p(eve, server.world.user(robot))
        server.world.say(eve, chat.chat_id, "it is me", "text")
        server.deliver()
        return str(chat.chat_id)

    strange = practice.call(come)
    until(tc, lambda: "it is me" in set(tc.df["text"]))
    tc.refresh()
    chats = {one["chat_id"]: one for one in page.ask(type="directory")["directory"]["chats"]}
    assert chats[strange]["title"] == "alice@practice.local"
    assert page.ask(type="resolve", chat=strange)["chat"]["title"] == "alice@practice.local"
    panel = tc.panel()
    try:
        until(tc, lambda: panel.chats.line(strange) or tc.refresh())
        assert panel.chats.line(strange).title == "alice@practice.local"
    finally:
        panel.close()


def test_names_are_resolved_and_shown_with_their_title(page, crew):
    """A title, an id and a login lead to their chats, each with its title."""
    chat = {"chat_id": crew, "title": "Release crew", "kind": "group"}
    assert page.ask(type="resolve", chat="release CREW")["chat"] == chat
    assert page.ask(type="resolve", chat=crew)["chat"] == chat
    person = page.ask(type="resolve", chat="alice")["chat"]
    assert (person["kind"], person["title"]) == ("p2p", "Alice Doe")


def test_unknown_name_has_the_sessions_error(page, crew):
    """A name that nobody has is answered with the session's own error and its candidates."""
    answer = page.ask(type="resolve", chat="Relaese crew")
    assert answer["candidates"] == ["Release crew"]
    assert "no chat or person is called" in answer["error"]


def test_preview_counts_what_is_visible(page):
    """The kernel counts characters as the server does."""
    answer = page.ask(type="preview", text="**bold** [a](https://b.c)", mode="markdown")
    assert (answer["length"], answer["problems"]) == (len("bold a https://b.c"), [])


def test_bad_request_is_answered(page):
    """A request that cannot be understood is answered with what is wrong."""
    assert "bad request" in page.ask(type="telepathy")["error"]


def test_stale_draft_does_not_undo_a_choice(page, composer, crew, alice):
    """A draft that was on its way when another chat was chosen from Python does not bring the old chat back."""
    coffee = alice.group("Coffee", "robot")
    composer.chat = crew
    page.wait_until(lambda: len(page.said("chat")) == 1)
    turn = page.said("turn")[-1]
    composer.chat = coffee
    page.wait_until(lambda: len(page.said("chat")) == 2)
    page.say({"type": "draft", "turn": turn, "chat": {"chat_id": crew}, "text": "x", "mode": "text"})
    page.ask(type="directory")
    assert composer.chat == coffee


def test_unknown_chat_is_told_to_a_page_that_opens_later(tc, until):
    """A composer for a chat that does not exist says so whenever it is looked at."""
    composer = Composer(tc, "Nobody knows")
    page = StandInPage(composer)
    page.wait_until(lambda: bool(page.said("notice")))
    assert "no chat or person is called 'Nobody knows'" in json.loads(composer._opening_state())["notice"]
    composer.close()


def test_edit_of_a_strangers_message_is_refused(page, composer, alice, crew):
    """Only own messages are taken into the field."""
    composer.edit(alice.say(crew, "mine"))
    page.wait_until(lambda: page.said("notice") == ["only own messages can be changed"])


def sent_text(page: StandInPage, crew: str, key: str = "k1", text: str = "teh build") -> str:
    """Send a text and give the id of its message."""
    page.say(a_text(key, crew, text))
    page.wait_state(key, "sent")
    return str(page.composer.sendings[-1]["message_id"])


def test_chat_that_is_found_late_does_not_undo_a_later_choice(page, composer, crew, tc, monkeypatch):
    """Of two choices the later one counts, also when the first takes longer to be found."""
    find, released = composer._finder.find, asyncio.Event()

    async def slow(name: str) -> Any:
        if name == "alice":
            await released.wait()
        return await find(name)

    monkeypatch.setattr(composer._finder, "find", slow)
    composer.chat = "alice"
    composer.chat = crew
    page.wait_until(lambda: composer.chat == crew)
    tc.loop.call_soon_threadsafe(released.set)
    page.wait_until(lambda: not composer._tasks)
    assert composer.chat == crew


def removed(page: StandInPage, key: str) -> bool:
    """Tell whether the page knows that what was sent is deleted."""
    told = [one for message in page.messages for one in message.get("sendings", []) if one["key"] == key]
    return bool(told and told[-1]["is_removed"])


def test_deletion_of_what_was_sent_is_told(page, crew, tc):
    """The page hears of a deletion of what it sent, and of nothing else's."""
    message_id = sent_text(page, crew)
    sent_text(page, crew, "k2", "stays")
    tc._wait(tc.bot.remove_message(message_id, for_all=True))
    page.wait_until(lambda: removed(page, "k1"))
    assert not removed(page, "k2")


def test_edit_of_a_deleted_message_touches_nothing(page, composer, crew, tc):
    """Who presses Edit before the deletion is known here is told so; the draft stays what it was."""
    message_id = sent_text(page, crew)
    page.say({"type": "draft", "turn": composer._turn, "chat": {"chat_id": crew}, "text": "half a th", "mode": "text"})
    composer._watch.close()  # as long as nobody looks, the deletion is not known
    composer._watch.grown = lambda: None
    tc._wait(tc.bot.remove_message(message_id, for_all=True))
    page.say({"type": "edit", "message_id": message_id})
    page.wait_until(lambda: bool(page.said("notice")))
    assert page.said("notice") == [
        "the message is not there any more, so it cannot be changed. What stands in the field is untouched."
    ]
    assert page.said("put") == []
    assert json.loads(composer._opening_state())["draft"]["text"] == "half a th"
    page.wait_until(lambda: removed(page, "k1"))


def test_edit_ends_when_its_message_is_deleted(page, composer, crew, tc):
    """What was written of an edit, and what had been put aside for it, both stay as a draft."""
    message_id = sent_text(page, crew)
    page.say({"type": "draft", "turn": composer._turn, "chat": {"chat_id": crew}, "text": "put aside", "mode": "text"})
    page.say({"type": "edit", "message_id": message_id})
    page.wait_until(lambda: bool(page.said("put")))
    page.say({"type": "draft", "turn": composer._turn, "chat": {"chat_id": crew}, "text": "the build", "mode": "text"})
    tc._wait(tc.bot.remove_message(message_id, for_all=True))
    page.wait_until(lambda: bool(page.said("ended")))
    assert page.said("bar")[-1] is None
    assert page.said("ended") == [{"text": "put aside", "mode": "text", "edited": "teh build"}]
    assert page.said("notice")[-1].startswith("The message that was being changed has been deleted.")
    assert json.loads(composer._opening_state())["draft"]["text"] == "put aside\nthe build"


def test_edit_that_comes_too_late_keeps_its_text(page, crew, tc):
    """An edit of a message that is gone fails with a clear reason, and its text can be taken back."""
    message_id = sent_text(page, crew)
    tc._wait(tc.bot.remove_message(message_id, for_all=True))
    page.say(a_text("k2", crew, "the build", kind="edit", target=message_id))
    page.wait_state("k2", "failed")
    (failed,) = [one for one in page.composer.sendings if one["key"] == "k2"]
    assert failed["reason"] == "the message is not there any more, so it cannot be changed"
    assert failed["text"] == "the build"


def test_message_must_be_one(composer):
    """What is no message is refused at once."""
    with pytest.raises(UsageError, match="a message is its id"):
        composer.reply_to(7)


def test_folder_of_stickers_must_exist(tc):
    """A folder that is not there is refused at once."""
    with pytest.raises(FileMissingError, match="no folder 'nowhere'"):
        Composer(tc, stickers="nowhere")


def test_progress_is_told_seldom_enough(page, composer, crew):
    """However fast a file moves, messages go out at most every 50 ms, all from the session's own thread."""
    size = 40 * 20_000
    before, start = len(page.messages), composer.session.loop.time()
    page.say(a_file("f1", crew, size))
    page.wait_until(lambda: page.written("f1") == 0)
    for offset in range(0, size, 20_000):
        page.say({"type": "chunk", "key": "f1", "offset": offset}, b"x" * 20_000)
    page.wait_state("f1", "sent")
    assert len(page.messages) - before <= (page.times[-1] - start) / INTERVAL + 2
    assert {thread.name for thread in page.threads} == {"tcnb robot"}


def test_closed_composer_is_silent(page, composer, crew, tc):
    """After `close` nothing goes out and nothing is taken."""
    composer.close()
    page.say(a_text("k1", crew))
    tc.refresh()
    assert composer.sendings == []
    assert composer.comm is None


def test_terminal_gets_lines(tc, crew, page, composer):
    """Where nothing is live, the composer is a few lines that say what was sent and how to send there."""
    page.say(a_text("k1", crew, "<b>hello</b>"))
    page.wait_state("k1", "sent")
    bundle = composer._repr_mimebundle_()
    assert bundle is not None
    assert "sent · Release crew · <b>hello</b>" in bundle[0]["text/plain"]
    assert "%tc_send" in bundle[0]["text/plain"]
    assert "&lt;b&gt;hello&lt;/b&gt;" in bundle[0]["text/html"]
