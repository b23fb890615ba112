"""Simulated colleagues: the same seed, the same story; they talk by themselves, and they answer bots."""

from __future__ import annotations

import asyncio
import io
from collections import Counter
from typing import Any

import pytest
from PIL import Image

from tcnb.practice import PracticeServer, pictures
from tcnb.practice.colleagues import Colleagues
from tcnb.practice.entities import Message
from tcnb.practice.options import Options
from tcnb.practice.phrases import ANSWERS, PEOPLE, SCRIPTS
from tcnb.practice.world import World
from tcnb.types.enums import ChatType, MessageType

from .wire import PATIENCE, WireBot, get


def inhabited(**options: Any) -> tuple[World, Colleagues]:
    """Return a world with one account and six colleagues (unless told otherwise)."""
    world = World("practice.local")
    world.add_user("robot", "Robot", "robot")
    return world, Colleagues(world, Options(**{"people": 6, **options}))


def story(world: World) -> list[tuple[Any, ...]]:
    """Return who said what where, without ids and times."""
    told = []
    for message in sorted(world.messages.values(), key=lambda message: message.serial):
        said = message.content.get("text") or (message.file.file_id if message.file else str(message.content))
        told.append((message.chat.title, message.author_id, message.type.name, said))
    return told


def test_same_seed_tells_the_same_story() -> None:
    """Authors, chats and contents depend on the seed alone."""
    assert story(inhabited(seed=7)[0]) == story(inhabited(seed=7)[0])
    assert story(inhabited(seed=7)[0]) != story(inhabited(seed=8)[0])


def test_same_seed_has_the_same_chats_and_new_messages() -> None:
    """Chats keep their ids after a restart; messages never do, so that journals do not take them for duplicates."""
    (first, _), (second, _) = inhabited(), inhabited()
    assert set(first.chats) == set(second.chats)
    assert not set(first.messages) & set(second.messages)


def test_account_takes_part_in_all_chats() -> None:
    """Every account is in the groups, in the channel, and has personal chats."""
    world, _ = inhabited()
    kinds = Counter(chat.type for chat in world.chats_of("robot@practice.local"))
    assert kinds[ChatType.GROUP] >= 3
    assert kinds[ChatType.CHANNEL] == 1
    assert kinds[ChatType.P2P] >= 5
    titles = {chat.title for chat in world.chats_of("robot@practice.local")}
    assert {"Release crew", "Кофе и новости"} <= titles


def test_history_is_in_order_and_in_the_past() -> None:
    """Messages of a chat are ordered by time, none of them in the future, and few are unread."""
    world, _ = inhabited()
    now = world.clock()
    for chat in world.chats.values():
        moments = [message.timestamp for message in chat.messages]
        assert moments == sorted(moments)
        assert all(moment <= now for moment in moments)
    assert 1 <= len(world.unread("robot@practice.local")) <= 3
    assert world.take_notices() == []


def test_history_has_many_kinds_of_messages() -> None:
    """The history holds texts, replies, edits, files, stickers, places, forwards and comings and goings."""
    world, _ = inhabited(history=2000)
    messages = list(world.messages.values())
    kinds = {message.type for message in messages}
    assert set(MessageType.__members__.values()) - kinds <= {
        MessageType.EDIT_CHAT_TITLE,
        MessageType.EDIT_CHAT_AVATAR,
        MessageType.CLEAR_CHAT_HISTORY,
    }
    assert any(message.reply_to for message in messages)
    assert any(message.is_edited for message in messages)
    assert {"sticker/webp", "image/png", "image/jpeg"} <= {m.file.mime_type for m in messages if m.file}
    texts = [message.content.get("text", "") for message in messages]
    assert any("trueconf:" in text for text in texts)
    assert any("ё" in text or "и" in text for text in texts)


@pytest.mark.parametrize("people", [1, 2, 25])
def test_any_number_of_people_can_talk(people: int) -> None:
    """One colleague talks alone, and more than there are names get numbers."""
    world, _ = inhabited(people=people, history=300)
    assert len(world.messages) > 200
    assert len(world.users) == people + 1


def test_all_phrases_can_be_said() -> None:
    """No script and no answer has a word in braces that is never filled in."""
    world, _ = inhabited(history=3000)
    texts = [str(message.content.get("text", "")) for message in world.messages.values()]
    assert not [text for text in texts if "{" in text]
    assert {script.place for script in SCRIPTS} == {"en", "ru", "channel", "personal-en", "personal-ru"}
    assert set(ANSWERS["en"]) == set(ANSWERS["ru"])


async def joined(server: PracticeServer) -> WireBot:
    """Return the robot of a server."""
    bot = await WireBot(server.url).open()
    await bot.auth(await bot.token("robot"))
    return bot


async def chats_of(bot: WireBot) -> dict[str, str]:
    """Return chat ids by title."""
    records = await bot.ask("getChats", {"count": 100, "page": 1})
    return {record["title"]: record["chatId"] for record in records}


async def test_colleagues_talk_by_themselves() -> None:
    """At a high rate many messages of several chats arrive, each in its place in its chat."""
    async with PracticeServer(people=6, rate=2000, history=0) as server:
        bot = await joined(server)
        for _ in range(500):
            await bot.heard("sendMessage")
        boxes: dict[str, list[int]] = {}
        for frame in list(bot.notifications):
            if frame["method"] == "sendMessage":
                boxes.setdefault(frame["payload"]["chatId"], []).append(frame["payload"]["box"]["id"])
        assert len(boxes) >= 3
        assert all(numbers == sorted(set(numbers)) for numbers in boxes.values())
        assert {"editMessage", "removeMessage"} <= set(bot.methods())
        await bot.close()


async def test_rate_zero_is_silent() -> None:
    """At rate 0 nobody says anything, not even in answer to a bot."""
    async with PracticeServer(people=3, rate=0, history=20) as server:
        bot = await joined(server)
        chats = await chats_of(bot)
        content = {"text": "Anybody there?", "parseMode": "text"}
        await bot.ask("sendMessage", {"chatId": chats["Release crew"], "content": content})
        await bot.settle()
        assert server.colleagues is not None
        assert not server.colleagues.is_about_to_answer
        await bot.close()


async def test_mentioned_colleague_answers() -> None:
    """Who is mentioned by a bot answers in the same chat, also when colleagues are silent otherwise."""
    async with PracticeServer(people=6, rate=0, replies=True, history=20) as server:
        bot = await joined(server)
        chat_id = (await chats_of(bot))["Release crew"]
        text = '<a href="trueconf:carol@practice.local">Carol</a>, is the build green?'
        await bot.ask("sendMessage", {"chatId": chat_id, "content": {"text": text, "parseMode": "html"}})
        answer = await bot.heard("sendMessage")
        assert (answer["chatId"], answer["author"]["id"]) == (chat_id, "carol@practice.local")
        await bot.close()


async def test_personal_message_is_answered() -> None:
    """A colleague answers in a personal chat, also one the bot has just opened."""
    async with PracticeServer(people=8, rate=0, replies=True, history=0) as server:
        bot = await joined(server)
        chat_id = (await bot.ask("createP2PChat", {"userId": "irina@practice.local"}))["chatId"]
        await bot.ask("sendMessage", {"chatId": chat_id, "content": {"text": "Привет!", "parseMode": "text"}})
        answer = await bot.heard("sendMessage")
        assert answer["author"]["id"] == "irina@practice.local"
        await bot.close()


async def test_colleague_presses_a_button() -> None:
    """A keyboard of a bot is used by somebody."""
    async with PracticeServer(people=3, rate=0, replies=True, history=0) as server:
        bot = await joined(server)
        chat_id = (await chats_of(bot))["Release crew"]
        buttons = [[{"type": "command", "label": "Go", "command": "/go"}]]
        content = {"text": "Deploy?", "parseMode": "text", "buttons": buttons}
        await bot.ask("sendMessage", {"chatId": chat_id, "content": content})
        assert (await bot.heard("command"))["commandPayload"]["command"] == "/go"
        await bot.close()


async def test_picture_of_a_colleague_can_be_downloaded() -> None:
    """What colleagues post are real files with previews."""
    async with PracticeServer(people=6, rate=0, history=300) as server:
        bot = await joined(server)
        photo = next(
            message.file
            for message in server.world.messages.values()
            if message.file is not None and message.file.mime_type == "image/png"
        )
        info = await bot.ask("getFileInfo", {"fileId": photo.file_id})
        _, body, mime_type = await get(info["downloadUrl"])
        assert mime_type == "image/png"
        assert Image.open(io.BytesIO(body)).size == (640, 360)
        _, preview, _ = await get(info["previews"][0]["downloadUrl"])
        assert Image.open(io.BytesIO(preview)).format == "WEBP"
        await bot.close()


async def test_slow_file_arrives() -> None:
    """A document posted before it was there as a whole becomes ready, with its progress told to subscribers."""
    async with PracticeServer(people=3, rate=300, history=0) as server:
        bot = await joined(server)
        slow = await bot.heard("sendMessage", lambda payload: payload["content"].get("readyState") == 1)
        file_id, size = slow["content"]["fileId"], slow["content"]["size"]
        await bot.ask("subscribeFileProgress", {"fileId": file_id})
        await bot.heard("uploadFileProgress", lambda payload: payload == {"fileId": file_id, "progress": size})
        file = server.world.file(file_id)
        async with asyncio.timeout(PATIENCE):
            while (await bot.ask("getFileInfo", {"fileId": file_id}))["readyState"] != 2:
                await bot.heard("sendMessage")
        assert file.received == size
        await bot.close()


@pytest.mark.parametrize("kind", sorted(pictures.KINDS))
def test_drawings_are_the_same_every_time(kind: str) -> None:
    """A drawing with the same number has the same bytes and thereby the same id; another number, another drawing."""
    draw = pictures.KINDS[kind]
    first, again, other = draw(0), draw.__wrapped__(0), draw(1)  # type: ignore[attr-defined]
    assert (first.file_id, first.source) == (again.file_id, again.source)
    assert first.file_id != other.file_id


def test_sticker_is_transparent_webp() -> None:
    """A sticker is WebP of 512 × 512 with transparency, and its preview has the same bytes."""
    drawn = pictures.sticker(2)
    assert isinstance(drawn.source, bytes)
    image = Image.open(io.BytesIO(drawn.source))
    assert (image.format, image.size, image.mode) == ("WEBP", (512, 512), "RGBA")
    assert drawn.previews[0].source == drawn.source
    assert drawn.previews[0].file_id != drawn.file_id


def test_unread_of_history_are_the_newest() -> None:
    """The unread messages that a bot finds are the last ones of the history."""
    world, _ = inhabited()
    unread = world.unread("robot@practice.local")
    assert all(isinstance(message, Message) for message in unread)
    assert (
        max(message.timestamp for message in world.messages.values() if not message.is_system) == unread[-1].timestamp
    )


def test_colleagues_leave_accounts_alone() -> None:
    """An account that is called like a colleague keeps its password; there are as many colleagues as were wanted."""
    logins = [login for login, _ in PEOPLE[:3]]
    server = PracticeServer(accounts=[f"{login}:secret" for login in logins], people=6, history=0)
    for login in logins:
        account = server.world.account(login.upper())
        assert account is not None
        assert account.password == "secret"
    assert len(server.world.users) == 3 + 6


def test_two_accounts_of_one_login_are_refused() -> None:
    """The second of two accounts with one login would take the place of the first."""
    with pytest.raises(ValueError, match="two accounts with the login 'ann'"):
        Options(accounts=("ann:one", "Ann:two"))
