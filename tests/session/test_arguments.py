"""What is given to a session by mistake: one line says what is wrong, and nothing is sent or waited for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image

import tcnb
from tcnb.errors import ArchiveError, UsageError

BUTTON = tcnb.InlineKeyboardButton("Go", command="go")
PIXEL = Image.new("RGB", (1, 1))

WRONG: list[tuple[str, Callable[[Any, str], object], str]] = [
    ("send, timeout", lambda tc, crew: tc.send(crew, "x", timeout="soon"), "number of seconds, 0 or more, not 'soon'"),
    ("send, below zero", lambda tc, crew: tc.send(crew, "x", timeout=-1), "0 or more, not -1"),
    ("send, no number", lambda tc, crew: tc.send(crew, "x", timeout=float("nan")), "0 or more, not nan"),
    ("send, truth", lambda tc, crew: tc.send(crew, "x", timeout=True), "not True"),
    ("send, text", lambda tc, crew: tc.send(crew, 5), "a text is a str, not 5"),
    ("send, buttons", lambda tc, crew: tc.send(crew, "x", buttons=[["Go"]]), "buttons is an InlineKeyboardMarkup("),
    ("send, one button", lambda tc, crew: tc.send(crew, "x", buttons=BUTTON), "buttons is an InlineKeyboardMarkup("),
    ("photo, caption", lambda tc, crew: tc.send_photo(crew, PIXEL, caption=5), "a text is a str, not 5"),
    ("document, caption", lambda tc, crew: tc.send_document(crew, b"x", caption=5), "a text is a str, not 5"),
    ("send, chat", lambda tc, crew: tc.send(5, "x"), "a chat is an id, a title or a person's login, not 5"),
    ("history, words", lambda tc, crew: tc.history(crew, "many"), "messages to go back, 1 or more, not 'many'"),
    ("history, truth", lambda tc, crew: tc.history(crew, True), "not True"),
    ("history, half", lambda tc, crew: tc.history(crew, 1.5), "not 1.5"),
    ("history, none", lambda tc, crew: tc.history(crew, 0), "not 0"),
    ("tail, below zero", lambda tc, crew: tc.tail(-1), "number of rows, 0 or more, not -1"),
    ("tail, words", lambda tc, crew: tc.tail("all"), "not 'all'"),
    ("since", lambda tc, crew: tc.since(5), "5 is no moment"),
    ("wait_for, timeout", lambda tc, crew: tc.wait_for(timeout="soon"), "not 'soon'"),
    ("wait_for, sender", lambda tc, crew: tc.wait_for(sender=5), "a person is a login or an id, not 5"),
    ("wait_for, event", lambda tc, crew: tc.wait_for(5), "there is no event 5"),
    ("router", lambda tc, crew: tc.router.message(command=5), "a command is a name or a compiled pattern, not 5"),
    ("send, reply", lambda tc, crew: tc.send(crew, "x", reply_to=5), "a message is given by its message_id"),
    ("photo, reply", lambda tc, crew: tc.send_photo(crew, PIXEL, reply_to=5), "a message is given by its message_id"),
    ("document, reply", lambda tc, crew: tc.send_document(crew, b"x", reply_to=""), "by its message_id, or"),
    ("sticker, reply", lambda tc, crew: tc.send_sticker(crew, PIXEL, reply_to=tc), "by its message_id, or"),
    ("document, nothing", lambda tc, crew: tc.send_document(crew, None), "a path, a URL, bytes"),
    ("document, address", lambda tc, crew: tc.send_document(crew, "ftp://x.example/a"), "http:// or https://"),
    ("download, file", lambda tc, crew: tc.download(5), "a file is given by its file_id, or as what has one"),
    ("download, no file", lambda tc, crew: tc.download(tc.df.iloc[0]), "by its file_id, or as what has one"),
    ("download, frame", lambda tc, crew: tc.download(tc.df), "not a Series"),
    ("download, place", lambda tc, crew: tc.download("x", 5), "file_path is a file or a folder to write to, or None"),
    ("listener", lambda tc, crew: tc.on_rows(5), "a listener is a function, not 5"),
    ("suggestion", lambda tc, crew: tc.router.suggestion(tc.df), "not for a DataFrame: df.iloc[-1] is one"),
    ("remove", lambda tc, crew: tc.router.remove(5), "there is no handler 5: there are none"),
    ("group", lambda tc, crew: tc._wait(tc.bot.create_group_chat(5)), "a title is a str, not 5"),
    ("channel", lambda tc, crew: tc._wait(tc.bot.create_channel(5)), "a title is a str, not 5"),
    ("title", lambda tc, crew: tc._wait(tc.bot.edit_chat_title(crew, 5)), "a title is a str, not 5"),
    ("user", lambda tc, crew: tc._wait(tc.bot.create_personal_chat(5)), "a user id is a str, not 5"),
    ("page", lambda tc, crew: tc._wait(tc.bot.get_chats("all")), "count is a whole number, 1 or more, not 'all'"),
    ("edit, message", lambda tc, crew: tc.edit_message(5, "x"), "a message is given by its message_id"),
    ("edit, text", lambda tc, crew: tc.edit_message("x", 5), "a text is a str, not 5"),
    ("remove, message", lambda tc, crew: tc.remove_message(None), "a message is given by its message_id"),
    ("forward", lambda tc, crew: tc._wait(tc.bot.forward_message(crew, 5)), "a message is given by its message_id"),
    ("quote", lambda tc, crew: tc._wait(tc.bot.send_message(crew, "x", quote=5)), "a quote is a str, not 5"),
    ("feed", lambda tc, crew: tc.feed(42), "a chat is an id, a title or a person's login, not 42"),
]


@pytest.mark.parametrize(("call", "said"), [one[1:] for one in WRONG], ids=[one[0] for one in WRONG])
def test_wrong_arguments(
    tc: tcnb.Session, alice: Any, practice: Any, call: Callable[[Any, str], object], said: str
) -> None:
    """Each is refused with what would be right, and nothing reaches the chat."""
    crew = alice.group("Release crew", "robot")
    with pytest.raises(UsageError) as error:
        call(tc, crew)
    assert said in str(error.value)
    assert "\n" not in str(error.value)
    said_there = practice.call(lambda server: [one for one in server.world.chats[crew].messages if not one.is_system])
    assert said_there == []


def test_numbers_of_numpy_are_numbers(tc: tcnb.Session, alice: Any) -> None:
    """What comes from a frame counts like a number of Python."""
    crew = alice.group("Release crew", "robot")
    tc.send(crew, "one", timeout=np.float32(10))
    tc.send(crew, "two", timeout=np.int64(10))
    assert len(tc.tail(np.int64(1))) == 1
    assert len(tc.history(crew, np.int64(1))) == 1  # of one moment they may be, and then either is the newest


def test_texts_of_numpy_are_texts(tc: tcnb.Session, alice: Any) -> None:
    """A text, a title, a name and an id that come out of an array are taken as any other."""
    crew, text = alice.group("Release crew", "robot"), np.array(["x"])[0]
    sent = tc.send(np.str_("Release crew"), text)
    tc.send(crew, text, reply_to=np.str_(sent.message_id))
    tc.send_document(crew, b"abc", text)
    made = tc._wait(tc.bot.create_group_chat(np.str_("Coffee"))).chat_id
    tc.edit_message(np.str_(sent.message_id), np.str_("y"))
    assert sorted(tc.messages["text"].dropna()) == ["x", "x", "y"]
    assert tc._wait(tc.bot.get_chat_by_id(made)).title == "Coffee"


def test_what_bears_an_id_stands_for_it(tc: tcnb.Session, alice: Any) -> None:
    """What a sending returned, and a row of a frame, stand for the message and for the file."""
    crew = alice.group("Release crew", "robot")
    sent = tc.send_document(crew, b"abc")
    row = tc.messages.iloc[-1]
    tc.send(crew, "about the answer", reply_to=sent)
    tc.send(crew, "about the row", reply_to=row)
    assert set(tc.messages["reply_to"].dropna()) == {sent.message_id}
    assert tc.download(sent) == tc.download(row) == tc.download(tc.files.iloc[0]) == b"abc"


def test_archive_is_a_folder(tc: tcnb.Session) -> None:
    """What is no path is refused by its name."""
    with pytest.raises(ArchiveError, match="not 5"):
        tc.export(5)  # type: ignore[arg-type]


def test_wrong_arguments_of_connect() -> None:
    """They are refused before anything is started."""
    with pytest.raises(UsageError, match="not 'soon'"):
        tcnb.connect(practice=True, timeout="soon")  # type: ignore[arg-type]
    for wrong, said in (
        ({"people": "x"}, "people is a whole number, not 'x'"),
        ({"rate": "x"}, "rate is a number, not 'x'"),
        ({"seed": 1.5}, "seed is a whole number, not 1.5"),
    ):
        with pytest.raises(UsageError, match=said):
            tcnb.connect(practice=wrong)
    for verify_ssl in (None, 5):
        with pytest.raises(UsageError, match="verify_ssl is True, False, a file"):
            tcnb.connect("127.0.0.1:1", username="x", password="y", verify_ssl=verify_ssl)  # type: ignore[arg-type]
    for practice in (1, "yes", ["people"]):
        with pytest.raises(UsageError, match="practice is True, or a dictionary"):
            tcnb.connect(practice=practice)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="of its own: leave out server=, username="):
        tcnb.connect("video.example.com", username="robot", practice=True)
    with pytest.raises(UsageError, match="journal is a path"):
        tcnb.connect(practice=True, journal=5)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="router is a Router"):
        tcnb.connect(practice=True, router=5)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="server is a str, not of the type int"):
        tcnb.connect(5, username="x", password="y")  # type: ignore[arg-type]
    with pytest.raises(UsageError) as error:
        tcnb.connect("video.example.com", username="x", password=314159)  # type: ignore[arg-type]
    assert str(error.value) == "password is a str, not of the type int"
