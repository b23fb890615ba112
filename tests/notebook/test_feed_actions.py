"""What a person does with a row of the feed, carried out by a real session at the practice server."""

from __future__ import annotations

import asyncio
import base64
import json
from io import BytesIO
from typing import Any

import pytest
from PIL import Image

from tcnb.notebook.feed.actions import Actions
from tcnb.notebook.feed.feed import Feed
from tcnb.types import InlineKeyboardButton, InlineKeyboardMarkup
from tests import image_bombs


@pytest.fixture
def do(tc):
    """Ask for something as the page does, and give what it is told."""
    actions = Actions(tc)

    def ask(kind: str, seq: Any, **more: Any) -> dict[str, Any]:
        request = {"type": kind, "seq": seq, **more}
        return asyncio.run_coroutine_threadsafe(actions.carry_out(request), tc.loop).result(30)

    return ask


@pytest.fixture
def talk(tc, alice, until):
    """A chat in which Alice wrote something that the session has got; gives the chat's id and the message's row."""
    chat_id = alice.group("Release crew", "robot")
    message_id = alice.say(chat_id, "Is build 42 out?")
    until(tc, lambda: message_id in set(tc.df["message_id"]))
    return chat_id, seq_of(tc, message_id)


def seq_of(tc, message_id: str) -> int:
    return int(tc.df.loc[tc.df["message_id"] == message_id, "seq"].iloc[0])


def test_reply_goes_to_the_chat_of_its_row(tc, do, talk):
    """An answer is sent to the chat of the row and answers that row's message."""
    chat_id, seq = talk
    message_id = do("reply", seq, text="Since **noon**", mode="markdown")["done"]["message_id"]
    row = tc.df.loc[tc.df["message_id"] == message_id].iloc[0]
    asked = tc.df.loc[tc.df["seq"] == seq, "message_id"].iloc[0]
    assert (row["chat_id"], row["reply_to"], row["text"]) == (chat_id, asked, "Since noon")


def test_own_message_is_edited_and_removed(tc, do, talk):
    """What this account wrote can be changed and taken back from the feed."""
    chat_id, _ = talk
    message_id = tc.send(chat_id, "tomorow").message_id
    seq = seq_of(tc, message_id)
    assert do("edit", seq, text="tomorrow") == {"done": {}}
    assert tc.messages.set_index("message_id").loc[message_id, "text"] == "tomorrow"
    assert do("remove", seq) == {"done": {}}
    assert tc.messages.set_index("message_id").loc[message_id, "removed"]


def test_edited_message_keeps_its_buttons(tc, do, talk):
    """Changing the words of a message takes nothing else away from it."""
    keyboard = InlineKeyboardMarkup([[InlineKeyboardButton("Deploy", command="deploy")]])
    message_id = tc.send(talk[0], "Build 41 passed", buttons=keyboard).message_id
    assert do("edit", seq_of(tc, message_id), text="Build 42 passed") == {"done": {}}
    content = tc._wait(tc.bot.get_message_by_id(message_id)).content
    assert (content.text, content.buttons) == ("Build 42 passed", keyboard)


def test_closing_the_feed_ends_no_sending(tc, talk, until):
    """An answer on its way arrives although its feed is closed meanwhile, as the panel does when a chat is chosen."""
    feed = Feed(tc)
    feed._front_end_said(feed, {"type": "reply", "seq": talk[1], "text": "on its way"}, [])
    feed.close()
    until(tc, lambda: "on its way" in set(tc.df["text"]))


@pytest.mark.parametrize("kind", ["edit", "remove"])
def test_message_of_others_is_left_alone(do, talk, kind):
    """Somebody else's message can be neither edited nor removed from the feed."""
    assert do(kind, talk[1], text="no") == {"refused": "only your own messages can be changed"}


def test_message_is_forwarded(tc, do, talk, alice):
    """A forwarded message arrives in the chat that was chosen."""
    target = alice.group("Archive", "robot")
    message_id = do("forward", talk[1], chat=target)["done"]["message_id"]
    row = tc.df.loc[tc.df["message_id"] == message_id].iloc[0]
    assert (row["chat_id"], row["message_type"]) == (target, "forwarded")


@pytest.mark.parametrize(
    ("kind", "more", "reason"),
    [
        ("reply", {"text": "  "}, "there is no text to send"),
        ("reply", {"text": "hello", "mode": "latex"}, "not 'latex'"),
        ("forward", {}, "choose the chat"),
        ("keep", {}, "this row has no file"),
        ("picture", {}, "this row has no file"),
    ],
)
def test_senseless_request_is_refused(do, talk, kind, more, reason):
    """What cannot be done is refused with its reason, and nothing is sent."""
    assert reason in do(kind, talk[1], **more)["refused"]


@pytest.mark.parametrize(
    ("kind", "method", "sentence"),
    [
        ("reply", "sendMessage", "You may not write in this chat"),
        ("edit", "editMessage", "You may not change this message"),
        ("remove", "removeMessage", "You may not delete this message"),
        ("forward", "forwardMessage", "You may not forward this message to that chat"),
        ("past", "getChatHistory", "You may not read this chat"),
    ],
)
def test_missing_right_is_a_sentence_with_details(tc, practice, talk, kind, method, sentence):
    """What the server refuses for want of a right is told as what may not be done; code and method are details."""
    chat_id, _ = talk
    seq = seq_of(tc, tc.send(chat_id, "an own one").message_id)
    practice.call(lambda server: server.fail_next(method, 303))
    request = {"type": kind, "seq": seq, "text": "another", "chat": chat_id}
    told = asyncio.run_coroutine_threadsafe(Actions(tc, chat_id).carry_out(request), tc.loop).result(30)
    assert told["refused"] == sentence
    assert f"{method} refused: [303]" in told["details"]


@pytest.mark.parametrize("seq", [None, "1", True, 0, -1, 10_000])
def test_unknown_row_is_refused(do, talk, seq):
    """A row that is not in the record is refused, whatever the page calls it."""
    assert "row" in do("reply", seq, text="hello")["refused"]


def test_refusal_of_the_server_is_told(do, talk, alice):
    """When the server refuses, the page hears the server's reason."""
    chat_id, seq = talk

    def remove(server: Any, me: Any) -> None:
        server.world.remove_participant(me, chat_id, server.world.user("robot@practice.local"), clear_history=True)

    alice.act(remove)
    assert "chat" in do("reply", seq, text="hello")["refused"].lower()


@pytest.fixture
def long_talk(alice, practice) -> str:
    """A chat with a past of which no session has got anything."""
    chat_id = alice.group("Release crew")

    def talk(server: Any, me: Any) -> None:
        for number in range(130):
            with server.world.at(server.world.clock() - (200 - number) * 1000):
                server.world.say(me, chat_id, f"message {number}")

    alice.act(talk)
    robot = practice.call(lambda server: server.world.user("robot@practice.local"))
    alice.act(lambda server, me: server.world.add_participant(me, chat_id, robot, display_history=True))
    return str(chat_id)


def go_back(tc, actions: Actions) -> dict[str, Any]:
    """Ask for the past as the page does, and give what it is told."""
    return asyncio.run_coroutine_threadsafe(actions.carry_out({"type": "past"}), tc.loop).result(30)


def said_in_order(tc) -> list[str]:
    """Give the numbered messages in the record, in the order of time."""
    texts = [row["text"] or "" for row in tc.record.earlier(None, 1000).rows]
    return [text for text in texts if text.startswith("message ")]


def test_past_of_the_one_chat_is_read(connect, long_talk):
    """A chat's past comes into the record page by page, from the newest message back to the beginning, none twice."""
    tc = connect(receive_unread_messages=False)
    actions = Actions(tc, long_talk)
    assert go_back(tc, actions)["done"]["more"]
    assert 0 < len(said_in_order(tc)) <= 100
    assert said_in_order(tc)[-1] == "message 129"
    while go_back(tc, actions)["done"]["more"]:
        pass
    assert said_in_order(tc) == [f"message {number}" for number in range(130)]
    assert go_back(tc, actions)["done"] == {"messages": 0, "more": False}
    assert tc.df["message_id"].is_unique


def test_past_goes_on_before_the_earliest_message_of_the_record(tc, alice, long_talk, until):
    """What a chat's own rows begin with is where going back begins, also when one of them was removed meanwhile."""
    first, second = (alice.say(long_talk, f"live {number}") for number in range(2))
    until(tc, lambda: second in set(tc.df["message_id"]))
    alice.act(lambda server, me: server.world.remove_message(me, first, for_all=True))
    actions = Actions(tc, long_talk)
    assert go_back(tc, actions)["done"]["more"]
    assert said_in_order(tc)[-1] == "message 129"
    assert len(said_in_order(tc)) > 90


def test_past_is_read_whatever_times_messages_claim(tc, alice, long_talk, until):
    """A message that claims to be older than those before it does not keep the rest of the past away."""

    def say(server: Any, me: Any) -> str:
        with server.world.at(1_000_000):
            return str(server.world.say(me, long_talk, "from 1970").message_id)

    odd = alice.act(say)
    until(tc, lambda: odd in set(tc.df["message_id"]))
    actions = Actions(tc, long_talk)
    while go_back(tc, actions)["done"]["more"]:
        pass
    assert said_in_order(tc) == [f"message {number}" for number in range(130)]


def test_past_of_many_chats_is_not_read(do):
    """Where several chats are shown, nobody knows whose past is meant."""
    assert "more than one chat" in do("past", None)["refused"]


@pytest.mark.parametrize(
    ("chats", "is_one"), [((), False), (("Release crew",), True), (("Release crew", "Coffee"), False)]
)
def test_page_knows_whether_the_past_can_be_read(tc, alice, chats, is_one):
    """The page is told the id of the one chat that it shows."""
    ids = [alice.group(title, "robot") for title in ("Release crew", "Coffee")]
    feed = Feed(tc, *chats)
    assert json.loads(feed._opening_state())["only_chat"] == (ids[0] if is_one else None)
    feed.close()


def a_photo() -> bytes:
    file = BytesIO()
    Image.new("RGB", (1600, 900), "teal").save(file, "PNG")
    return file.getvalue()


def test_picture_is_made_small_and_anew(tc, do, talk):
    """The page gets a small WebP that was made here, never the file that somebody uploaded."""
    seq = seq_of(tc, tc.send_photo(talk[0], a_photo()).message_id)
    with Image.open(BytesIO(base64.b64decode(do("picture", seq)["done"]["webp"]))) as image:
        assert (image.format, max(image.size)) == ("WEBP", 512)


def test_file_that_is_no_picture_is_refused(tc, do, talk):
    """A file that only says it is a picture is not shown."""
    seq = seq_of(tc, tc.send_document(talk[0], b"<svg onload=alert(1)>").message_id)
    assert "not an image" in do("picture", seq)["refused"]


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("a.webp", "this picture has 268 million pixels, and no more than 40 million are decoded"),
        ("a.png", "this picture has 256 million pixels, and no more than 40 million are decoded"),
        ("a.jp2", "this picture is not an image that can be shown: only JPEG, PNG, GIF, WebP and BMP are shown"),
    ],
)
def test_picture_that_would_fill_the_memory_is_refused(tc, do, talk, name, why):
    """A picture of a few bytes with millions of pixels, or in a rare format, is not shown and the page is told why."""
    seq = seq_of(tc, tc.send_document(talk[0], image_bombs.BOMBS[name]()).message_id)
    assert do("picture", seq) == {"refused": why}


def test_file_is_kept_beside_the_notebook(tc, do, talk, tmp_path, monkeypatch):
    """A file is saved into the working folder, under a safe name that the page is told."""
    monkeypatch.chdir(tmp_path)
    seq = seq_of(tc, tc.send_document(talk[0], b"a,b\n1,2\n").message_id)
    name = do("keep", seq)["done"]["path"]
    assert (tmp_path / name).read_bytes() == b"a,b\n1,2\n"


def test_code_for_a_row_compiles(do, talk):
    """The code that would handle an event can be had for every row."""
    code = do("code", talk[1])["done"]["code"]
    compile(code, "cell", "exec")
    assert "Release crew" in code


MARKED = "Build **42** by [the crew](https://example.com) [x](data:x)"


@pytest.mark.parametrize("journal", ["with", "without"])
def test_markup_is_told_as_a_tree(connect, alice, until, tmp_path, journal):
    """Texts with markup are told as a tree of known styles, from the journal or else from the server."""
    tc = connect("second", journal=tmp_path / "journal.db" if journal == "with" else None)
    chat_id = alice.group("Release crew", "second")
    sent = tc.send(chat_id, MARKED, parse_mode="markdown").message_id
    seq = seq_of(tc, sent)
    request = {"type": "contents", "seqs": [seq, 10_000, "x"]}
    told = asyncio.run_coroutine_threadsafe(Actions(tc).carry_out(request), tc.loop).result(30)
    assert told["done"]["contents"][str(seq)]["tree"] == [
        "Build ",
        {"t": "b", "c": ["42"]},
        " by ",
        {"t": "a", "h": "https://example.com", "c": ["the crew"]},
        " ",
        {"t": "a", "h": "", "c": ["x"]},
    ]


def test_text_with_endless_markup_is_told_plain(tc, do, talk):
    """A text of hundreds of pieces is left out, so that it is shown plain."""
    sent = tc.send(talk[0], "**a** " * 200, parse_mode="markdown").message_id
    assert do("contents", None, seqs=[seq_of(tc, sent)]) == {"done": {"contents": {}}}


def test_feed_that_is_opened_after_an_absence_knows_what_is_new(connect, alice, until, tmp_path):
    """With a journal a new session shows what was said meanwhile at its time, behind what somebody has looked at."""
    chat_id = alice.group("Release crew", "second")
    journal = tmp_path / "journal.db"
    with connect("second", journal=journal) as before:
        seen = alice.say(chat_id, "seen")
        until(before, lambda: before.record.has_message(seen))
    missed = [alice.say(chat_id, f"missed {number}") for number in range(3)]
    tc = connect("second", journal=journal)
    until(tc, lambda: all(map(tc.record.has_message, missed)))
    feed = Feed(tc, chat_id)
    opening = json.loads(feed._opening_state())
    place_of_seen = next([row["t"], row["s"]] for row in opening["rows"] if row.get("m") == seen)
    assert opening["looked"] == place_of_seen
    assert [row["x"] for row in opening["rows"][-4:]] == ["seen", "missed 0", "missed 1", "missed 2"]
    feed.close()


def test_selection_is_what_passes_the_filter(tc, talk):
    """`selection` has the rows of `tc.df` that pass the filter of the page, with the same columns and types."""
    chat_id, _ = talk
    tc.send(chat_id, "Build 42 is out")
    tc.send_photo(chat_id, a_photo())
    feed = Feed(tc)
    asked = {"type": "filter", "filter": {"chat": chat_id, "kinds": ["text"], "text": "BUILD"}}
    feed._front_end_said(feed, asked, [])
    asyncio.run_coroutine_threadsafe(asyncio.sleep(0), tc.loop).result(30)
    chosen = feed.selection
    assert list(chosen.dtypes.astype(str)) == list(tc.df.dtypes.astype(str))
    assert list(chosen["text"]) == ["Is build 42 out?", "Build 42 is out"]
    feed.close()


def test_selection_of_an_empty_record(connect):
    """Without any event the selection is empty and has all columns."""
    tc = connect("second", journal=None)
    feed = Feed(tc)
    assert list(feed.selection.columns) == list(tc.df.columns)
    feed.close()


@pytest.fixture
def posted(tc, alice, until, practice):
    """Has Alice post a file into a chat, and gives its row."""
    chat_id = alice.group("Files", "robot")

    def post(name: str, content: bytes = b"from outside") -> int:
        def attach(server: Any, me: Any) -> str:
            task = server.storage.open_task(me, name, len(content))
            place = server.storage.new_path()
            place.write_bytes(content)
            temporal = server.storage.keep(task, place, None, None)
            return str(server.world.attach(me, chat_id, server.storage.uploaded(me, temporal)).message_id)

        message_id = alice.act(attach)
        until(tc, lambda: message_id in set(tc.df["message_id"]))
        return seq_of(tc, message_id)

    return post


def test_saved_file_replaces_nothing(do, posted, tmp_path, monkeypatch):
    """A file of a stranger gets a free name beside the notebook; the page is told it before and after."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "analysis.ipynb").write_text("mine")
    seq = posted("analysis.ipynb")
    assert do("keep_name", seq) == {"done": {"path": "analysis (1).ipynb"}}
    assert do("keep", seq) == {"done": {"path": "analysis (1).ipynb"}}
    assert do("keep_name", seq) == {"done": {"path": "analysis (2).ipynb"}}
    assert (tmp_path / "analysis.ipynb").read_text() == "mine"
    assert (tmp_path / "analysis (1).ipynb").read_bytes() == b"from outside"


def test_saved_file_that_could_run_is_put_apart(do, posted, tmp_path, monkeypatch):
    """What Python would import from beside the notebook goes into a folder of its own."""
    monkeypatch.chdir(tmp_path)
    seq = posted("random.py")
    assert do("keep_name", seq) == {"done": {"path": "downloads/random.py"}}
    assert do("keep", seq) == {"done": {"path": "downloads/random.py"}}
    assert [path.name for path in tmp_path.iterdir()] == ["downloads"]


def test_saving_without_a_working_folder_is_refused(do, posted, tmp_path, monkeypatch):
    """Where the folder of the notebook was deleted, the page is told so."""
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert "working folder" in do("keep", posted("plan.pdf"))["refused"]
    monkeypatch.chdir(tmp_path)
