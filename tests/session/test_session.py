"""A session against the practice server: sending, reading, waiting and closing, with the blocking and the awaited
face.
"""

from __future__ import annotations

import io
import signal
import subprocess
import sys
import threading
from typing import Any

import pytest
from PIL import Image

import tcnb
from tcnb.errors import (
    AmbiguousChatError,
    ApiErrorException,
    FileMissingError,
    FileSizeTooLargeError,
    InvalidFileExtensionError,
    NotAnImageError,
    NotConnectedError,
    RequestTimeoutError,
    TextMessageTooLongError,
    UnknownChatError,
    UsageError,
)


def texts(session):
    """Return the texts of the messages in a session's frame."""
    return session.df.query("event == 'message'")["text"].dropna().tolist()


def test_message_arrives_and_is_acknowledged(practice, tc, alice, until):
    """What a colleague says becomes a row, and the server sees it as read."""
    chat = alice.group("Release crew", "robot")
    message_id = alice.say(chat, "all green")
    until(tc, lambda: "all green" in texts(tc))
    practice.run(
        practice.call(lambda server: server).until(lambda: practice.server.world.is_read(tc.me_id, message_id))
    )
    row = tc.df.query("message_id == @message_id").iloc[0]
    assert (row["direction"], row["chat"], row["author_id"], row["chat_type"]) == (
        "in",
        "Release crew",
        alice.id,
        "group",
    )


def test_display_names_are_learned(tc, alice, until):
    """The name of an author is asked for once and stands in every row, also in those that came before it was known."""
    chat = alice.group("Release crew", "robot")
    alice.say(chat, "first")
    until(tc, lambda: (tc.df.query("text == 'first'")["author"] == "Alice Doe").any())


def test_sent_text_is_recorded(tc, alice):
    """A sending gives the server's answer and becomes a row with direction out."""
    chat = alice.group("Release crew", "robot")
    sent = tc.send("Release crew", "Build **42** passed", parse_mode="markdown")
    assert sent.chat_id == chat
    row = tc.df.query("message_id == @sent.message_id").iloc[0]
    assert (row["direction"], row["text"], row["parse_mode"]) == ("out", "Build 42 passed", "markdown")
    assert row["author_id"] == tc.me_id
    assert int(row["timestamp"].timestamp() * 1000) == sent.timestamp


@pytest.mark.parametrize("name", ["Release crew", "release CREW", None])
def test_chat_is_found_by_title_and_id(tc, alice, name):
    """A chat is meant by its title, in any case, or by its id."""
    chat = alice.group("Release crew", "robot")
    assert tc.send(name or chat, "hello").chat_id == chat


@pytest.mark.parametrize("name", ["alice", "alice@practice.local"])
def test_person_means_the_personal_chat(tc, practice, alice, name):
    """A login means the personal chat, which is made if need be."""
    chat_id = tc.send(name, "hello").chat_id
    assert tc.send("alice", "again").chat_id == chat_id
    assert practice.call(lambda server: set(server.world.chats[chat_id].participants)) == {tc.me_id, alice.id}


def test_unknown_chat_lists_what_resembles_it(tc, alice):
    """A misspelled title is an error with the right one in it, and nothing is sent to anybody."""
    alice.group("Release crew", "robot")
    with pytest.raises(UnknownChatError, match="Release crew"):
        tc.send("Relaese crew", "hello")
    assert not len(tc.df.query("direction == 'out'"))


def test_ambiguous_title_lists_the_candidates(tc, alice):
    """Two chats with one title are an error with both ids, and nothing is sent."""
    chats = {alice.group("Release crew", "robot") for _ in range(2)}
    with pytest.raises(AmbiguousChatError) as caught:
        tc.send("Release crew", "hello")
    assert all(any(chat in candidate for candidate in caught.value.candidates) for chat in chats)


def test_feed_of_an_unknown_chat_is_refused(tc, alice):
    """A feed that would stay empty for ever because of a wrong name is an error with candidates."""
    alice.group("Release crew", "robot")
    with pytest.raises(UnknownChatError, match="Did you mean 'Release crew'"):
        tc.feed("Relase crew")


@pytest.mark.parametrize("verb", ["composer", "panel"])
def test_widget_for_an_unknown_chat_is_refused(tc, alice, verb):
    """A widget that could write to nobody because of a wrong name is an error with candidates, as the verbs have it."""
    alice.group("Release crew", "robot")
    with pytest.raises(UnknownChatError, match="Did you mean 'Release crew'"):
        getattr(tc, verb)("Relase crew")
    with pytest.raises(UsageError, match="not 5"):
        getattr(tc, verb)(5)


@pytest.mark.parametrize("verb", ["composer", "panel"])
def test_widget_has_its_chat_from_the_beginning(tc, alice, verb):
    """The chat is chosen before the widget is shown, so a still of that moment is of it."""
    chat = alice.group("Release crew", "robot")
    alice.group("Coffee", "robot")
    for name in ("release CREW", chat):
        widget = getattr(tc, verb)(name)
        assert widget.chat == chat
        widget.close()
    composer = tc.composer("Release crew")
    assert "to Release crew" in composer._repr_mimebundle_()[0]["text/plain"]
    panel = tc.panel("Release crew")
    assert panel.feed.chats == {chat}
    tc.refresh()  # the bot's loop has done what was handed to it before
    assert panel.chats.chosen == chat


def test_widget_that_is_made_in_a_break_takes_what_bears_a_chat(tc, alice, monkeypatch):
    """What a sending returned stands for its chat, also where the widget has to look for it later."""
    sent = tc.send(alice.group("Release crew", "robot"), "hello")
    with monkeypatch.context() as patched:
        patched.setattr(type(tc), "state", {"state": "reconnecting"})  # as if the server could not be asked just now
        composer = tc.composer(sent)
    chosen = threading.Event()
    tc.loop.call_soon_threadsafe(lambda: chosen.set() if composer.chat else composer.on_chat(lambda chat: chosen.set()))
    assert chosen.wait(20)
    assert composer.chat == sent.chat_id


def test_widgets_of_a_closed_session_are_made(tc):
    """Where the server cannot be asked any more, a widget is made all the same: what it shows is there."""
    tc.close()
    assert tc.composer("Whatever").chat is None
    assert tc.panel("Whatever").chat is None


def test_feed_takes_ids_titles_people_and_chats_of_the_past(tc, alice, practice, until):
    """A title in any case, an id, a person who wrote, and a chat that is no more, are each found; none is made."""
    chat = alice.group("Release crew", "robot")
    gone = alice.group("Old crew", "robot")
    alice.say(gone, "bye")
    until(tc, lambda: "bye" in texts(tc))
    alice.act(lambda server, me: server.world.remove_chat(me, gone))
    until(tc, lambda: "removed_chat" in set(tc.df["event"]))
    for name in ("Release crew", "release CREW", chat):
        assert tc.feed(name).chats == {chat}
    chats = len(tc.chats)
    assert alice.id in tc.feed("alice").chats
    assert tc.feed("Old crew").chats == {gone}
    tc.refresh()
    assert len(tc.chats) == chats
    tc.close()
    assert tc.feed("Whatever").chats


def test_renamed_chat_is_found_under_its_new_title_only(tc, alice, until):
    """After a renaming the old title means nothing any more."""
    chat = alice.group("Release crew", "robot")
    tc.send("Release crew", "hello")
    alice.act(lambda server, me: server.world.edit_title(me, chat, "Launch crew"))
    until(tc, lambda: (tc.df["event"] == "edited_chat_title").any())
    assert tc.send("Launch crew", "hello").chat_id == chat
    with pytest.raises(UnknownChatError):
        tc.send("Release crew", "hello")


def test_too_long_text_is_refused_before_it_is_sent(tc, practice, alice):
    """A text over 4096 visible characters is an error that says both numbers, and nothing is sent."""
    alice.group("Release crew", "robot")
    before = practice.call(lambda server: len(server.world.messages))
    with pytest.raises(TextMessageTooLongError, match=r"4097.*4096"):
        tc.send("Release crew", "x" * 4097)
    assert practice.call(lambda server: len(server.world.messages)) == before
    assert tc.send("Release crew", "x" * 4096)


@pytest.mark.parametrize("text", ["", "   ", "\n"])
def test_empty_text_is_refused(tc, alice, text):
    """There must be something to send."""
    alice.group("Release crew", "robot")
    with pytest.raises(UsageError):
        tc.send("Release crew", text)


def test_unknown_parse_mode_is_refused(tc, alice):
    """A mode that the connector does not know is an error that lists those it knows."""
    alice.group("Release crew", "robot")
    with pytest.raises(UsageError, match="text, markdown or html"):
        tc.send("Release crew", "hello", parse_mode="rst")


def test_refusal_carries_method_code_and_chat(tc, practice, alice):
    """A refused request says which, with which code, and about which chat."""
    chat = alice.group("Release crew", "robot")
    practice.call(lambda server: server.fail_next("sendMessage", 303))
    with pytest.raises(ApiErrorException) as caught:
        tc.send(chat, "hello")
    assert (caught.value.code, caught.value.method, caught.value.chat_id) == (303, "sendMessage", chat)
    assert "not enough rights" in str(caught.value)


def test_document_goes_both_ways_byte_for_byte(tc, alice, tmp_path):
    """A file comes back as the same bytes, into memory and onto disk, with its name intact."""
    alice.group("Release crew", "robot")
    data = bytes(range(256)) * 5000
    path = tmp_path / "отчёт №1.bin"
    path.write_bytes(data)
    sent = tc.send_document("Release crew", path, "the report")
    assert sent.caption_message_id
    row = tc.df.query("message_id == @sent.message_id").iloc[0]
    assert (row["file_name"], row["file_size"]) == (path.name, len(data))
    assert tc.download(sent.file_id) == data
    folder = tmp_path / "down"
    folder.mkdir()
    saved = tc.download(sent.file_id, folder)
    assert saved == folder / path.name
    assert saved.read_bytes() == data


def test_photo_has_a_preview(tc, alice, practice):
    """A picture is sent with a preview, without which it would be shown as a document."""
    alice.group("Release crew", "robot")
    sent = tc.send_photo("Release crew", Image.new("RGB", (1600, 900), "teal"))
    info = tc._wait(tc.bot.get_file_info(sent.file_id))
    assert info.mime_type == "image/png"
    (preview,) = info.previews
    assert preview.mime_type == "image/webp"


def test_sticker_is_webp_of_the_sticker_type(tc, alice):
    """Any picture becomes a WebP sticker."""
    alice.group("Release crew", "robot")
    sent = tc.send_sticker("Release crew", Image.new("RGBA", (700, 700), "gold"))
    assert tc._wait(tc.bot.get_file_info(sent.file_id)).mime_type == "sticker/webp"
    assert Image.open(io.BytesIO(tc.download(sent.file_id))).format == "WEBP"


def test_progress_of_an_upload_is_told(tc, alice):
    """Progress grows to the size of the file."""
    alice.group("Release crew", "robot")
    steps = []
    tc.send_document("Release crew", b"x" * 3_000_000, progress=lambda done, total: steps.append((done, total)))
    assert steps == sorted(steps)
    assert steps[-1] == (3_000_000, 3_000_000)


def test_missing_file_is_refused(tc, alice, tmp_path):
    """A path that is not there is one clear error."""
    alice.group("Release crew", "robot")
    with pytest.raises(FileMissingError, match=r"nothing\.pdf"):
        tc.send_document("Release crew", tmp_path / "nothing.pdf")


def test_what_is_no_image_is_refused_as_photo_and_sticker(tc, alice, tmp_path):
    """A text file is neither a photo nor a sticker."""
    alice.group("Release crew", "robot")
    path = tmp_path / "notes.txt"
    path.write_text("no picture")
    for send in (tc.send_photo, tc.send_sticker):
        with pytest.raises(NotAnImageError):
            send("Release crew", path)


def test_server_limits_are_checked_before_anything_moves(tc, alice, practice, until):
    """Size and extension that the administrator forbids are refused with both values, before any upload."""
    alice.group("Release crew", "robot")
    practice.call(lambda server: server.set_upload_limits(max_size=1000, extensions=["exe"]))
    until(tc, lambda: (tc.df["event"] == "changed_file_upload_limits").sum() >= 2)
    with pytest.raises(FileSizeTooLargeError, match=r"1,001.*1,000"):
        tc.send_document("Release crew", b"x" * 1001)
    with pytest.raises(InvalidFileExtensionError, match=r"\.exe"):
        tc.send_document("Release crew", tcnb.BufferedInputFile(b"x", "setup.EXE"))


def test_history_is_read_once(tc, alice, practice):
    """The past of a chat goes into the record, oldest first, and reading it again doubles nothing."""
    chat = alice.group("Release crew")
    for number in range(250):
        alice.say(chat, f"message {number}")
    user = f"{tc.username}@practice.local"
    alice.act(lambda server, me: server.world.add_participant(me, chat, server.world.user(user), display_history=True))
    past = tc.history(chat, 220)
    assert past["text"].tolist()[-100:] == [f"message {number}" for number in range(150, 250)] or len(past) == 220
    rows = len(tc.df)
    tc.history(chat, 220)
    assert len(tc.df) == rows


def test_history_is_in_order_within_a_millisecond(tc, alice, practice):
    """Messages of one moment stand as they were said, also where one page of the history ends and the next begins."""
    chat = alice.group("Release crew")

    def at_once(server, me):
        with server.world.at(server.world.clock()):
            for number in range(120):
                server.world.say(me, chat, f"message {number}")
            server.world.add_participant(me, chat, server.world.user(tc.me_id), display_history=True)

    alice.act(at_once)
    past = tc.history(chat, 1000)
    said = past.loc[past["message_type"] == "plain", "text"]
    assert said.tolist() == [f"message {number}" for number in range(120)]


def test_reply_to_a_message_of_another_chat(tc, alice):
    """The one line says that a reply stands in the chat of the message that it answers."""
    asked = alice.say(alice.group("Elsewhere", "robot"), "Who deploys?")
    alice.group("Release crew", "robot")
    with pytest.raises(ApiErrorException, match=rf"message not found: '{asked}' is no message of this chat"):
        tc.send("Release crew", "I do", reply_to=asked)


def test_timeout_of_a_sending_is_for_the_look_up_too(tc, practice):
    """Where the server does not say which chats there are, a sending has no longer than it was given."""
    practice.call(lambda server: server.ignore_next("getChats", times=100))
    with pytest.raises(
        RequestTimeoutError, match=r"'Nowhere' could not be looked up within 0\.2 s, so nothing was sent"
    ):
        tc.send("Nowhere", "hello", timeout=0.2)


@pytest.mark.parametrize("text", [None, 42])
def test_text_that_is_none_is_refused(tc, alice, text):
    """A number is not sent as a text; the one line says what to write."""
    alice.group("Release crew", "robot")
    with pytest.raises(UsageError, match=rf"a text is a str, not {text}: use str"):
        tc.send("Release crew", text)


def test_wait_for_returns_the_typed_event(tc, alice):
    """Waiting gives the message itself, bound to the bot."""
    chat = alice.group("Release crew", "robot")
    other = alice.group("Elsewhere", "robot")
    found = []
    waiting = threading.Thread(target=lambda: found.append(tc.wait_for(chat=chat, sender="alice", timeout=20)))
    waiting.start()
    while not tc._waiters:
        waiting.join(0.01)
    alice.say(other, "not this one")
    alice.say(chat, "this one")
    waiting.join()
    assert isinstance(found[0], tcnb.Message)
    assert found[0].text == "this one"


@pytest.mark.parametrize(("kind", "got"), [("message", tcnb.Message), ("system_message", tcnb.SystemMessage)])
def test_wait_for_tells_people_from_the_server(tc, alice, kind, got):
    """Somebody who joins is no `message` that could be replied to, and what people say is no `system_message`."""
    chat = alice.group("Release crew", "robot")
    found: list[Any] = []
    waiting = threading.Thread(target=lambda: found.append(tc.wait_for(kind, chat=chat, timeout=60)))
    waiting.start()
    while not (tc._waiters or found):
        waiting.join(0.01)
    alice.say(chat, "welcome") if got is tcnb.SystemMessage else None
    alice.act(
        lambda server, me: server.world.add_participant(
            me, chat, server.world.user("bob@practice.local"), display_history=True
        )
    )
    alice.say(chat, "hello")
    waiting.join()
    assert type(found[0]) is got


def test_wait_for_finds_the_chat_of_a_press(tc, alice):
    """A press of a button is waited for by its chat, as any other event."""
    chat = alice.group("Release crew", "robot")
    button = tcnb.InlineKeyboardButton(text="Deploy", command="/deploy")
    sent = tc.send(chat, "Deploy?", buttons=tcnb.InlineKeyboardMarkup([[button]]))
    found = []
    waiting = threading.Thread(target=lambda: found.append(tc.wait_for("callback_query", chat=chat, timeout=20)))
    waiting.start()
    while not (tc._waiters or found):
        waiting.join(0.01)
    alice.act(lambda server, me: server.world.press(me, sent.message_id, "Deploy"))
    waiting.join()
    assert found[0].command == "/deploy"


@pytest.mark.parametrize(("kind", "asked"), [("callback_query", "sender"), ("uploading_progress", "chat")])
def test_wait_for_what_is_never_said_is_refused(tc, alice, kind, asked):
    """What the server does not say of a kind of event cannot be waited for: nothing would ever come."""
    alice.group("Release crew", "robot")
    name = {"chat": "Release crew", "sender": "alice"}[asked]
    with pytest.raises(UsageError, match=f"does not say the {asked} of {kind}"):
        tc.wait_for(kind, **{asked: name})


def test_wait_for_ends_by_its_timeout(tc):
    """Nothing comes, and that is said in one line."""
    with pytest.raises(RequestTimeoutError, match="no removed_chat came"):
        tc.wait_for("removed_chat", timeout=0.05)


def test_wait_for_an_unknown_event_is_refused(tc):
    """A kind of event that does not exist is an error that lists those that do."""
    with pytest.raises(UsageError, match="edited_message"):
        tc.wait_for("edited")


async def test_own_messages_are_edited_and_removed(connect, alice, practice):
    """What was sent is changed and taken back by what the sending returned, by its row and by its id, in both faces."""
    crew = alice.group("Release crew", "robot")
    tc = connect()

    def texts() -> list[str]:
        """Return what the others see."""
        return practice.call(
            lambda server: [
                one.content["text"]
                for one in server.world.chats[crew].messages
                if not (one.is_system or one.is_removed)
            ]
        )

    first, second = [tc.send(crew, text) for text in ("one", "two")]
    assert tc.edit_message(first, "<b>1</b>", parse_mode="html").message_id == first.message_id
    await tc.aedit_message(tc.messages.iloc[-1], "2")
    assert texts() == ["<b>1</b>", "2"]
    assert tc.messages["text"].tolist()[-2:] == ["1", "2"]
    tc.remove_message(first.message_id, for_all=True)
    await tc.aremove_message(second, for_all=True)
    assert texts() == []


async def test_awaited_twins(connect, alice):
    """The awaited face does the same from any loop, and so do the bot's own methods."""
    chat = alice.group("Release crew", "robot")
    tc = connect()
    assert (await tc.asend(chat, "hello")).chat_id == chat
    answer = await tc.bot.send_message(chat, "<b>hello</b>", tcnb.ParseMode.HTML)
    assert (await tc.bot.get_message_by_id(answer.message_id)).text == "<b>hello</b>"
    await tc.aclose()
    assert not tc.is_open


def test_blocking_verb_on_the_bots_own_thread_is_refused(tc, alice, until):
    """What would wait for itself for ever is an error that names the twin to await."""
    chat = alice.group("Release crew", "robot")
    problems = []

    def listener() -> None:
        try:
            tc.send(chat, "never")
        except UsageError as error:
            problems.append(str(error))

    remove = tc.on_rows(listener)
    tc.send(chat, "hello")
    until(tc, lambda: problems)
    remove()
    assert "asend" in problems[0]


def test_interrupt_ends_the_waiting_and_cancels_the_work(tc):
    """An interrupt gives the prompt back at once and leaves nobody waiting."""
    program = threading.Thread(target=_interrupt_when_waiting, args=(tc,))
    # A process that a shell started in the background ignores interrupts.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        program.start()
        with pytest.raises(KeyboardInterrupt):
            tc.wait_for(timeout=None)
        program.join()
    finally:
        signal.signal(signal.SIGINT, before)
    tc._wait(_nothing())
    assert not tc._waiters


async def _nothing() -> None:
    """Let the bot's loop go round once."""


def _interrupt_when_waiting(session) -> None:
    import _thread

    while not session._waiters:
        threading.Event().wait(0.01)
    _thread.interrupt_main()


def test_own_messages_of_another_session_are_known_as_own(connect, alice, until):
    """What this account says elsewhere arrives once, as going out."""
    chat = alice.group("Release crew", "robot")
    one, two = connect(name="one"), connect(name="two")
    sent = one.send(chat, "from one")
    until(two, lambda: "from one" in texts(two))
    frame = two.df
    assert frame.loc[frame["message_id"] == sent.message_id, "direction"].tolist() == ["out"]


def test_closing_is_normal_and_final(tc, practice):
    """The server sees a normal close; afterwards the record can be read and nothing can be sent."""
    socket = tc._connection._link.socket
    tc.close()
    tc.close()
    assert socket.close_code == 1000
    assert practice.call(lambda server: server.sessions) == []
    assert len(tc.df) >= 0
    with pytest.raises(NotConnectedError, match="connect again"):
        tc.send("alice", "hello")


def test_end_of_the_interpreter_closes_normally(practice):
    """A script that forgets to close ends at once, without a word, and the server sees a normal close."""
    program = (
        "import sys, tcnb\n"
        f"tc = tcnb.connect('127.0.0.1', username='robot', password='robot', https=False, web_port={practice.port})\n"
        "print('connected')\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "connected\n", "")
    practice.run(practice.server.until(lambda: not practice.server.sessions))


def test_forked_child_cannot_use_the_connection(practice):
    """In a fork the session says whose it is, and the parent's connection lives on."""
    program = (
        "import os, sys, tcnb, warnings\n"
        "warnings.simplefilter('ignore')\n"
        f"tc = tcnb.connect('127.0.0.1', username='robot', password='robot', https=False, web_port={practice.port})\n"
        "pid = os.fork()\n"
        "if pid == 0:\n"
        "    try:\n"
        "        tc.send('alice', 'from the child')\n"
        "    except tcnb.errors.NotConnectedError as error:\n"
        "        print('child:', error, flush=True)\n"
        "    sys.exit(0)\n"
        "os.waitpid(pid, 0)\n"
        "print('parent:', tc.send('alice', 'from the parent').message_id != '')\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert "child: this connection belongs to the process that opened it" in done.stdout
    assert "parent: True" in done.stdout
    assert done.stderr == ""


def test_status_shows_itself(tc):
    """Status reads as a table in a terminal and in a notebook."""
    assert "connected" in repr(tc.status())
    assert "<table>" in tc.status()._repr_html_()


def test_sending_with_buttons(tc, alice, practice):
    """A keyboard given to `send` stands under the message."""
    chat = alice.group("Release crew", "robot")
    keyboard = tcnb.InlineKeyboardMarkup([[tcnb.InlineKeyboardButton("Deploy", command="/deploy")]])
    sent = tc.send(chat, "Ship it?", buttons=keyboard)
    content = practice.call(lambda server: server.world.messages[sent.message_id].content)
    assert content["buttons"][0][0]["label"] == "Deploy"
