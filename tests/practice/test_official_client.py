"""Two bots of the official client (python-trueconf-bot) hold a conversation through the practice server."""

from __future__ import annotations

import asyncio
import io
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tcnb.practice import PracticeThread

from .wire import PATIENCE

trueconf = pytest.importorskip("trueconf")

from trueconf import Bot, Dispatcher, Router  # noqa: E402
from trueconf.enums import ChatParticipantRole, MessageType, ParseMode  # noqa: E402
from trueconf.exceptions import ApiErrorException, InvalidFileExtensionError, InvalidGrantError  # noqa: E402
from trueconf.types import InlineKeyboardButton, InlineKeyboardMarkup  # noqa: E402
from trueconf.types.input_file import BufferedInputFile, FSInputFile  # noqa: E402

EVENTS = (
    "message",
    "system_message",
    "edited_message",
    "removed_message",
    "created_personal_chat",
    "created_group_chat",
    "created_channel",
    "created_favorites_chat",
    "added_chat_participant",
    "removed_chat_participant",
    "changed_participant_role",
    "removed_chat",
    "edited_chat_title",
    "edited_chat_avatar",
    "cleared_chat_history",
    "callback_query",
)


class Talker:
    """A bot of the official client, with everything it was told in one queue an event."""

    def __init__(self, bot: Bot, told: dict[str, asyncio.Queue[Any]]) -> None:
        self.bot = bot
        self._told = told

    async def heard(self, event: str) -> Any:
        """Return the next event of that kind."""
        return await asyncio.wait_for(self._told[event].get(), PATIENCE)


Enter = Callable[..., Awaitable[Talker]]


def router_into(told: dict[str, asyncio.Queue[Any]]) -> Router:
    """Return a router that puts every event into its queue."""
    router = Router()
    for event in EVENTS:
        register = getattr(router, event, None)
        if register is None:
            continue

        async def put(happened: Any, queue: asyncio.Queue[Any] = told[event]) -> None:
            queue.put_nowait(happened)

        register()(put)
    return router


@pytest.fixture
def practice() -> Iterator[PracticeThread]:
    """A practice server in a thread, since the official client asks for its token without giving way."""
    logging.getLogger("trueconf.client.chatbot").setLevel(logging.CRITICAL)
    with PracticeThread(accounts=("ann:pw:Ann Lee", "bob:pw:Боб"), oauth_application="app-1") as practice:
        yield practice


@pytest.fixture
async def enter(practice: PracticeThread) -> AsyncIterator[Enter]:
    """Connects an account with the official client and waits until it is authorized."""
    bots: list[Bot] = []

    async def enter(login: str, **options: Any) -> Talker:
        told: dict[str, asyncio.Queue[Any]] = {event: asyncio.Queue() for event in EVENTS}
        dispatcher = Dispatcher()
        dispatcher.include_router(router_into(told))
        bot = Bot.from_credentials(
            "127.0.0.1", login, "pw", https=False, web_port=practice.port, dispatcher=dispatcher, **options
        )
        bots.append(bot)
        await bot.start()
        await asyncio.wait_for(bot.authorized_event.wait(), PATIENCE)
        return Talker(bot, told)

    yield enter
    for bot in bots:
        await bot.shutdown()


@pytest.fixture
async def pair(enter: Enter) -> tuple[Talker, Talker, str]:
    """Two bots and the id of their personal chat."""
    ann, bob = await enter("ann"), await enter("bob")
    chat = await ann.bot.create_personal_chat("bob")
    opened = await bob.heard("created_personal_chat")
    assert (opened.chat_id, opened.title) == (chat.chat_id, "ann@practice.local")
    return ann, bob, chat.chat_id


def picture(form: str) -> bytes:
    """Return a small image in that format."""
    body = io.BytesIO()
    Image.new("RGB", (64, 48), (200, 30, 30)).save(body, form)
    return body.getvalue()


async def test_version_and_name_are_accepted(enter: Enter) -> None:
    """The version check of the client passes, and bare logins get the domain that the server names."""
    ann = await enter("ann")
    assert await ann.bot.server_version == "5.5.6.10213"
    assert await ann.bot.server_name == "practice.local"
    assert ann.bot.me_id == "ann@practice.local"


async def test_wrong_password_is_understood(practice: PracticeThread) -> None:
    """The client recognises a refused login for what it is."""
    with pytest.raises(InvalidGrantError):
        Bot.from_credentials("127.0.0.1", "ann", "wrong", https=False, web_port=practice.port)


async def test_oauth_application_lets_in(practice: PracticeThread) -> None:
    """The client's OAuth flow ends in a connection."""
    bot = Bot.from_oauth("127.0.0.1", "ann", "pw", "app-1", https=False, web_port=practice.port)
    await bot.start()
    await asyncio.wait_for(bot.authorized_event.wait(), PATIENCE)
    assert bot.me_id == "ann@practice.local"
    await bot.shutdown()


@pytest.mark.parametrize(
    ("mode", "text"),
    [
        (ParseMode.TEXT, "plain <b>text</b> & **stars**"),
        (ParseMode.MARKDOWN, "**bold** and [link](https://example.com)"),
        (ParseMode.HTML, '<b>bold</b> <a href="trueconf:bob@practice.local">Боб</a><br>next'),
    ],
)
async def test_text_in_every_mode(pair: tuple[Talker, Talker, str], mode: ParseMode, text: str) -> None:
    """A text arrives as it was sent, with its mode, author, chat and time."""
    ann, bob, chat_id = pair
    sent = await ann.bot.send_message(chat_id, text, parse_mode=mode)
    got = await bob.heard("message")
    assert (got.content.text, got.content.parse_mode) == (text, mode)
    assert (got.message_id, got.timestamp) == (sent.message_id, sent.timestamp)
    assert (got.author.id, got.chat.chat_id, got.chat.chat_title) == ("ann@practice.local", chat_id, "Ann Lee")


async def test_reply_carries_the_quoted_message(pair: tuple[Talker, Talker, str]) -> None:
    """A reply arrives with the message it answers."""
    ann, bob, chat_id = pair
    await ann.bot.send_message(chat_id, "status?")
    question = await bob.heard("message")
    await question.reply("all green")
    answer = await ann.heard("message")
    assert answer.text == "all green"
    assert answer.reply_message_id == question.message_id
    assert answer.reply_message.text == "status?"


async def test_photo_with_preview_and_caption(pair: tuple[Talker, Talker, str]) -> None:
    """A photo arrives as a photo, its bytes unchanged, its preview there, and its caption after it."""
    ann, bob, chat_id = pair
    data = picture("PNG")
    file = BufferedInputFile(data, file_name="кот.png")
    preview = BufferedInputFile(picture("WEBP"), file_name="preview.webp")
    sent = await ann.bot.send_photo(chat_id, file, preview=preview, caption="a <b>cat</b>", parse_mode=ParseMode.HTML)
    got, caption = await bob.heard("message"), await bob.heard("message")
    assert (got.photo.file_name, got.photo.file_size, got.photo.mime_type) == ("кот.png", len(data), "image/png")
    assert got.photo.file_id == sent.file_id
    assert await got.photo.download() == data
    info = await bob.bot.get_file_info(sent.file_id)
    assert info.previews[0].mimetype == "image/webp"
    assert (caption.message_id, caption.text) == (sent.caption_message_id, "a <b>cat</b>")


async def test_sticker(pair: tuple[Talker, Talker, str]) -> None:
    """A sticker arrives as a sticker, its bytes unchanged."""
    ann, bob, chat_id = pair
    data = picture("WEBP")
    await ann.bot.send_sticker(chat_id, BufferedInputFile(data, file_name="hi.webp"))
    got = await bob.heard("message")
    assert got.sticker.mime_type == "sticker/webp"
    assert await got.sticker.download() == data


async def test_document_from_disk_with_caption(pair: tuple[Talker, Talker, str], tmp_path: Path) -> None:
    """A document arrives as a document, and is the same on the other disk."""
    ann, bob, chat_id = pair
    source = tmp_path / "отчёт за квартал.csv"
    source.write_bytes("имя;число\r\n".encode() * 20_000)
    await ann.bot.send_document(chat_id, FSInputFile(source), caption="Q3")
    got, caption = await bob.heard("message"), await bob.heard("message")
    assert got.document.file_name == source.name
    target = tmp_path / "received.csv"
    assert await got.document.download(file_path=target) == target
    assert target.read_bytes() == source.read_bytes()
    assert caption.text == "Q3"


async def test_edit(pair: tuple[Talker, Talker, str]) -> None:
    """An edit is told with its new content, and the message says that it was edited."""
    ann, bob, chat_id = pair
    sent = await ann.bot.send_message(chat_id, "all gren")
    edited = await ann.bot.edit_message(sent.message_id, "all green", parse_mode=ParseMode.TEXT)
    told = await bob.heard("edited_message")
    assert (told.chat_id, told.content.text, told.timestamp) == (chat_id, "all green", edited.timestamp)
    message = await bob.bot.get_message_by_id(sent.message_id)
    assert (message.content.text, message.is_edited) == ("all green", True)


async def test_delete(pair: tuple[Talker, Talker, str]) -> None:
    """A deletion is told with who did it, and the message is gone."""
    ann, bob, chat_id = pair
    sent = await ann.bot.send_message(chat_id, "oops")
    await ann.bot.remove_message(sent.message_id, for_all=True)
    told = await bob.heard("removed_message")
    assert (told.message_id, told.removed_by.id) == (sent.message_id, "ann@practice.local")
    with pytest.raises(ApiErrorException) as refused:
        await bob.bot.get_message_by_id(sent.message_id)
    assert refused.value.code == 306


async def test_forward(pair: tuple[Talker, Talker, str]) -> None:
    """A forwarded message arrives with its original, texts and files alike, and forwards of forwards too."""
    ann, bob, chat_id = pair
    group = await bob.bot.create_group_chat("Release crew")
    await bob.bot.add_participant_to_chat(group.chat_id, "ann", display_history=True)
    await ann.bot.send_message(chat_id, "see notes")
    note = await bob.heard("message")
    await note.forward(group.chat_id)
    got = await ann.heard("message")
    assert got.type == MessageType.FORWARDED_MESSAGE
    assert got.author.id == "bob@practice.local"
    assert (got.forwarded_message.text, got.forwarded_message.author.id) == ("see notes", "ann@practice.local")
    await ann.bot.forward_message(chat_id, got.message_id)
    assert (await bob.heard("message")).type == MessageType.FORWARDED_MESSAGE
    await ann.bot.send_document(chat_id, BufferedInputFile(b"data", file_name="a.txt"))
    await (await bob.heard("message")).forward(group.chat_id)
    assert (await ann.heard("message")).forwarded_message.document.file_name == "a.txt"


async def test_group_with_participants_and_roles(enter: Enter) -> None:
    """A group is made, joined, led, renamed, left and deleted, and both sides are told of it."""
    ann, bob = await enter("ann"), await enter("bob", receive_system_messages=True)
    chat = await ann.bot.create_group_chat("Release crew")
    assert (await ann.heard("created_group_chat")).title == "Release crew"
    await ann.bot.add_participant_to_chat(chat.chat_id, "bob", display_history=True)
    joined = await bob.heard("added_chat_participant")
    assert (joined.user_id, joined.added_by.id) == ("bob@practice.local", "ann@practice.local")
    listed = await bob.bot.get_chat_participants(chat.chat_id, page_size=10, page_number=1)
    roles = {participant.user_id: participant.role for participant in listed.participants}
    assert roles == {"ann@practice.local": "owner", "bob@practice.local": "user"}
    with pytest.raises(ApiErrorException) as refused:
        await bob.bot.edit_chat_title(chat.chat_id, "Mine")
    assert refused.value.code == 303
    await ann.bot.change_participant_role(chat.chat_id, "bob", ChatParticipantRole.ADMIN)
    assert (await bob.heard("changed_participant_role")).role == "admin"
    await bob.bot.edit_chat_title(chat.chat_id, "Crew")
    assert (await ann.heard("edited_chat_title")).title == "Crew"
    assert (await bob.bot.get_chat_participant(chat.chat_id, "ann")).role == "owner"
    await bob.bot.delete_chat(chat.chat_id)
    assert (await ann.heard("removed_chat_participant")).user_id == "bob@practice.local"
    await ann.bot.delete_chat(chat.chat_id)
    with pytest.raises(ApiErrorException) as refused:
        await ann.bot.get_chat_by_id(chat.chat_id)
    assert refused.value.code == 304


async def test_channel_is_written_by_writers(enter: Enter) -> None:
    """A reader of a channel cannot write until made a writer."""
    ann, bob = await enter("ann"), await enter("bob")
    channel = await ann.bot.create_channel("News")
    assert (await ann.heard("created_channel")).chat_type == 6
    await ann.bot.add_participant_to_chat(channel.chat_id, "bob")
    await ann.bot.send_message(channel.chat_id, "Version 5 is out")
    assert (await bob.heard("message")).chat.chat_title == "News"
    with pytest.raises(ApiErrorException) as refused:
        await bob.bot.send_message(channel.chat_id, "first!")
    assert refused.value.code == 303
    await ann.bot.change_participant_role(channel.chat_id, "bob", ChatParticipantRole.WRITER)
    await bob.bot.send_message(channel.chat_id, "first!")
    assert (await ann.heard("message")).text == "first!"


async def test_chats_and_history(enter: Enter) -> None:
    """Chats and history are parsed whole by the client: texts, files, forwards, system envelopes, empty chats."""
    ann, bob = await enter("ann"), await enter("bob")
    group = (await ann.bot.create_group_chat("Crew")).chat_id
    await ann.bot.add_participant_to_chat(group, "bob", display_history=True)
    first = await ann.bot.send_message(group, "one")
    await ann.bot.send_document(group, BufferedInputFile(b"x", file_name="x.txt"))
    await ann.bot.forward_message(group, first.message_id)
    await ann.bot.edit_chat_title(group, "Crew 2")
    private = (await ann.bot.create_personal_chat("bob")).chat_id
    favorites = await bob.bot.me_chat
    history = await bob.bot.get_chat_history(group, count=20)
    kinds = [int(message.type) for message in history.messages]
    assert (history.count, kinds) == (6, [21, 201, 202, 200, 1, 110])
    older = await bob.bot.get_chat_history(group, count=20, from_message_id=first.message_id)
    assert [int(message.type) for message in older.messages] == [200, 1, 110]
    chats = {chat.chat_id: chat for chat in (await bob.bot.get_chats(count=10)).chats}
    assert (chats[group].title, chats[group].unread_messages) == ("Crew 2", 0)
    assert (chats[private].title, chats[private].last_message) == ("Ann Lee", None)
    assert chats[favorites].chat_type == 5


async def test_avatar_and_cleared_history(enter: Enter) -> None:
    """A group gets a picture, and its history is cleared for all."""
    ann, bob = await enter("ann"), await enter("bob")
    group = (await ann.bot.create_group_chat("Crew")).chat_id
    await ann.bot.add_participant_to_chat(group, "bob", display_history=True)
    await ann.bot.edit_chat_avatar(group, BufferedInputFile(picture("PNG"), file_name="a.png"))
    assert (await bob.heard("edited_chat_avatar")).avatar_url.startswith("http://")
    await ann.bot.clear_chat_history(group, for_all=True)
    assert (await bob.heard("cleared_chat_history")).for_all is True
    history = await bob.bot.get_chat_history(group, count=5)
    assert [int(message.type) for message in history.messages] == [23]


async def test_keyboard_is_stored_and_pressed(practice: PracticeThread, pair: tuple[Talker, Talker, str]) -> None:
    """A keyboard comes back as it was sent, its press arrives, and an edit without it removes it."""
    ann, _, chat_id = pair
    button = InlineKeyboardButton(text="Go", command="/go", custom_data="req=17", button_id="b1")
    keyboard = InlineKeyboardMarkup([[button]])
    sent = await ann.bot.send_message(chat_id, "Deploy?", buttons=keyboard)
    stored = await ann.bot.get_message_by_id(sent.message_id)
    assert stored.content.buttons.buttons[0][0].command == "/go"

    def press(server: Any) -> None:
        server.world.press(server.world.user("bob@practice.local"), sent.message_id, "b1")
        server.deliver()

    practice.call(press)
    pressed = await ann.heard("callback_query")
    assert (pressed.command, pressed.custom_data) == ("/go", "req=17")
    await pressed.edit_message("Deploying", buttons=None)
    stored = await ann.bot.get_message_by_id(sent.message_id)
    assert stored.content.buttons is None


async def test_survey(pair: tuple[Talker, Talker, str]) -> None:
    """A survey arrives as one."""
    ann, bob, chat_id = pair
    await ann.bot.send_survey(chat_id, "Lunch choice", "k7Qm2xZ0pd")
    got = await bob.heard("message")
    assert (got.type, got.content.title, got.content.path) == (MessageType.SURVEY, "Lunch choice", "k7Qm2xZ0pd")


async def test_unread_are_delivered_on_return(enter: Enter) -> None:
    """What was said while a bot was away arrives when it comes back and asks for it."""
    ann = await enter("ann")
    chat = await ann.bot.create_personal_chat("bob")
    for number in range(3):
        await ann.bot.send_message(chat.chat_id, str(number))
    bob = await enter("bob", receive_unread_messages=True)
    assert [(await bob.heard("message")).text for _ in range(3)] == ["0", "1", "2"]


async def test_limits_are_respected_by_the_client(practice: PracticeThread, enter: Enter) -> None:
    """Limits pushed by the server keep the client from sending what they forbid."""
    ann = await enter("ann")
    practice.call(lambda server: server.set_upload_limits(1000, ["exe"]))
    chat_id = await ann.bot.me_chat
    limits = await ann.bot.get_file_info_upload_limits()
    assert limits.max_size == 1000
    with pytest.raises(InvalidFileExtensionError):
        await ann.bot.send_document(chat_id, BufferedInputFile(b"MZ", file_name="a.exe", mime_type="application/x"))


async def test_activity_and_display_name(pair: tuple[Talker, Talker, str]) -> None:
    """Activity is acknowledged with the time it lasts, and names are told."""
    ann, _, chat_id = pair
    activity = await ann.bot.send_chat_activity(chat_id, "typing")
    assert activity.retry_after == 6000
    assert (await ann.bot.get_user_display_name("bob")).display_name == "Боб"


async def test_client_reconnects_after_a_break(practice: PracticeThread, enter: Enter) -> None:
    """A broken connection is made again by the client, which is then told what it missed."""
    ann, bob = await enter("ann"), await enter("bob", receive_unread_messages=True)
    chat = await ann.bot.create_personal_chat("bob")
    practice.call(lambda server: server.drop_connections("bob"))
    await ann.bot.send_message(chat.chat_id, "are you there?")
    assert (await bob.heard("message")).text == "are you there?"


async def test_colleagues_are_understood_by_the_client(caplog: pytest.LogCaptureFixture) -> None:
    """Everything that colleagues say once the client has logged in is parsed by it, live and in the past."""
    with PracticeThread(accounts=("ann:pw",), people=6, rate=300, history=600) as practice:
        told: dict[str, asyncio.Queue[Any]] = {event: asyncio.Queue() for event in EVENTS}
        dispatcher = Dispatcher()
        dispatcher.include_router(router_into(told))
        bot = Bot.from_credentials("127.0.0.1", "ann", "pw", https=False, web_port=practice.port, dispatcher=dispatcher)
        await bot.start()
        await asyncio.wait_for(bot.authorized_event.wait(), PATIENCE)
        chats = (await bot.get_chats(count=50)).chats
        assert len(chats) >= 10
        # The client knows its own id only after the answer to its login; what comes together with it is lost there.
        caplog.clear()
        caplog.set_level(logging.ERROR, logger="trueconf.client.chatbot")
        for chat in chats:
            await bot.get_chat_history(chat.chat_id, count=100)
        while not told["message"].empty():
            told["message"].get_nowait()
        for _ in range(400):
            await asyncio.wait_for(told["message"].get(), PATIENCE)
        await bot.shutdown()
    assert [record.getMessage() for record in caplog.records if record.name == "trueconf.client.chatbot"] == []
