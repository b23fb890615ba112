"""The chat page's own requests, over real HTTP: who may ask, what is shown, and what becomes of a person's deeds."""

from __future__ import annotations

import asyncio
import io
from contextlib import suppress
from typing import Any

import aiohttp
import pytest
from PIL import Image

from tcnb.practice import PracticeServer
from tests import image_bombs

from .conftest import Join
from .wire import PATIENCE, get

ANN, BOB, EVE = "ann@practice.local", "bob@practice.local", "eve@practice.local"


class Browser:
    """A browser in which somebody takes the part of a person; every request names its origin, as browsers do."""

    def __init__(self, server: PracticeServer, person: str) -> None:
        self.server = server
        self.person = person

    async def ask(
        self, path: str, body: Any = None, headers: dict[str, str] | None = None, **query: Any
    ) -> tuple[int, Any]:
        """Get or (with a body) post, and return the status and the JSON of the answer."""
        sent = {"Origin": self.server.url, **(headers or {})}
        data = {"data": body} if isinstance(body, bytes) else {"json": body}
        async with (
            aiohttp.ClientSession() as session,
            session.request(
                "GET" if body is None else "POST",
                f"{self.server.url}/practice-page/{path}",
                params={"as": self.person, **query},
                headers=sent,
                **({} if body is None else data),
            ) as answer,
        ):
            return answer.status, await answer.json()

    async def do(self, deed: str, **values: Any) -> str:
        """Do something that must succeed and return the id of what came of it."""
        status, answer = await self.ask(deed, values)
        assert status == 200, answer
        return str(answer["id"])

    async def messages(self, chat: str, **query: Any) -> list[dict[str, Any]]:
        """Return what the page shows of a chat."""
        status, answer = await self.ask("messages", chat=chat, **query)
        assert status == 200, answer
        return list(answer["messages"])


@pytest.fixture
def carol(server: PracticeServer) -> Browser:
    """The only colleague of the server's three accounts, at the page."""
    server.world.add_user("carol", "Carol Young")
    return Browser(server, "carol@practice.local")


def a_picture(kind: str = "PNG") -> bytes:
    """Give a picture larger than a sticker."""
    body = io.BytesIO()
    Image.new("RGB", (900, 600), (40, 120, 200)).save(body, kind)
    return body.getvalue()


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/", "text/html"),
        ("/practice-page/page.js", "text/javascript"),
        ("/practice-page/words.js", "text/javascript"),
        ("/practice-page/markup.js", "text/javascript"),
        ("/practice-page/page.css", "text/css"),
        ("/practice-page/icon.svg", "image/svg+xml"),
    ],
)
async def test_page_is_served(server: PracticeServer, path: str, kind: str) -> None:
    """Every file of the page is there, under its type."""
    status, body, served_as = await get(server.url + path)
    assert (status, served_as) == (200, f"{kind}; charset=utf-8")
    assert body


async def test_no_other_file_is_served(server: PracticeServer) -> None:
    """Nothing else under the page's path is a file."""
    assert (await get(server.url + "/practice-page/../chatpage.py"))[0] == 404


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://example.com"},
        {"Origin": "null"},
        {"Host": "rebound.example.com", "Origin": "http://rebound.example.com"},
    ],
)
@pytest.mark.parametrize(("path", "body"), [("people", None), ("send", {"chat": "x", "text": "y"})])
async def test_other_pages_are_refused(carol: Browser, path: str, body: Any, headers: dict[str, str]) -> None:
    """What a page from elsewhere asks is 403, also under a name that it made point to this machine."""
    assert (await carol.ask(path, body, headers))[0] == 403


async def test_deeds_without_origin_are_refused(server: PracticeServer) -> None:
    """A deed that does not say which page it comes from is 403."""
    async with (
        aiohttp.ClientSession() as session,
        session.post(server.url + "/practice-page/send?as=carol@practice.local", json={}) as answer,
    ):
        assert answer.status == 403


async def test_pictures_for_other_pages_are_refused(carol: Browser) -> None:
    """A request that the browser marks as another site's is 403, even without an origin."""
    address = carol.server.url + "/practice-page/people"
    async with (
        aiohttp.ClientSession() as session,
        session.get(address, headers={"Sec-Fetch-Site": "cross-site"}) as answer,
    ):
        assert answer.status == 403


@pytest.mark.parametrize("person", ["nobody@practice.local", "", ANN])
async def test_only_parts_that_are_offered_can_be_taken(carol: Browser, person: str) -> None:
    """Nobody, an unknown person and (where there are colleagues) an account are 399."""
    status, answer = await Browser(carol.server, person).ask("chats")
    assert (status, answer["code"]) == (400, 399)


async def test_colleagues_are_offered(carol: Browser) -> None:
    """Where there are colleagues their parts are offered, and everybody can be written to."""
    _, answer = await carol.ask("people")
    assert [one["id"] for one in answer["parts"]] == [carol.person]
    assert {one["id"] for one in answer["people"]} == {ANN, BOB, EVE, carol.person}


async def test_accounts_are_offered_where_nobody_else_is(server: PracticeServer) -> None:
    """Where there are no colleagues the parts of the accounts are offered."""
    _, answer = await Browser(server, ANN).ask("people")
    assert [one["id"] for one in answer["parts"]] == [ANN, EVE, BOB]


async def test_text_arrives_and_is_marked_as_read(carol: Browser, join: Join) -> None:
    """What a person writes reaches the bot, and reads as read only after the bot has acknowledged it."""
    bot = await join("ann", acknowledges=False)
    chat = await carol.do("open", person=ANN)
    sent = await carol.do("send", chat=chat, text="hello")
    heard = await bot.heard("sendMessage")
    assert (heard["content"]["text"], heard["author"]["id"]) == ("hello", carol.person)
    (shown,) = await carol.messages(chat)
    assert (shown["id"], shown["readBy"], shown["readers"]) == (sent, [], 1)
    carol.server.world.mark_read(ANN, carol.server.world.messages[sent])
    (shown,) = await carol.messages(chat)
    assert shown["readBy"] == ["Ann Lee"]


async def test_reply_names_what_it_answers(carol: Browser, join: Join) -> None:
    """A reply carries the message that it answers, to the bot and to the page."""
    bot = await join("ann")
    chat = await carol.do("open", person=ANN)
    first = (await bot.ask("sendMessage", {"chatId": chat, "content": {"text": "**up**", "parseMode": "markdown"}}))[
        "messageId"
    ]
    await carol.do("send", chat=chat, text="thanks", replyTo=first)
    heard = await bot.heard("sendMessage")
    assert heard["replyMessageId"] == first
    shown = (await carol.messages(chat))[-1]
    assert (shown["reply"]["id"], shown["reply"]["text"]) == (first, "up")


async def test_own_messages_are_edited_and_deleted(carol: Browser, join: Join) -> None:
    """The bot hears of edits and deletions, and others' messages can be neither edited nor deleted."""
    bot = await join("ann")
    chat = await carol.do("open", person=ANN)
    sent = await carol.do("send", chat=chat, text="helo")
    await carol.do("edit", message=sent, text="hello")
    assert (await bot.heard("editMessage"))["content"]["text"] == "hello"
    await carol.do("remove", message=sent)
    assert (await bot.heard("removeMessage"))["messageId"] == sent
    assert await carol.messages(chat) == []
    foreign = (await bot.ask("sendMessage", {"chatId": chat, "content": {"text": "mine", "parseMode": "text"}}))[
        "messageId"
    ]
    for deed in ("edit", "remove"):
        assert (await carol.ask(deed, {"message": foreign, "text": "yours"}))[0] == 400


async def test_pressed_button_reaches_the_bot(carol: Browser, join: Join) -> None:
    """A command button that a person presses is a command to the bot."""
    bot = await join("ann")
    chat = await carol.do("open", person=ANN)
    rows = [[{"type": "command", "label": "Deploy", "command": "deploy", "id": "d1"}]]
    content = {"text": "Build 42", "parseMode": "text", "buttons": rows}
    sent = (await bot.ask("sendMessage", {"chatId": chat, "content": content}))["messageId"]
    (shown,) = await carol.messages(chat)
    assert shown["buttons"][0][0]["label"] == "Deploy"
    await carol.do("press", message=sent, button=[0, 0])
    assert (await bot.heard("command"))["commandPayload"]["command"] == "deploy"
    assert (await carol.ask("press", {"message": sent, "button": "none"}))[1]["code"] == 399


async def test_picture_arrives_with_a_preview(carol: Browser, join: Join) -> None:
    """A picture is an attachment for the bot, with a preview, and the page shows it in place."""
    bot, picture = await join("ann"), a_picture()
    chat = await carol.do("open", person=ANN)
    status, _ = await carol.ask("files", picture, {"Content-Type": "image/png"}, chat=chat, name="blue sky.png")
    assert status == 200
    heard = (await bot.heard("sendMessage"))["content"]
    assert (heard["name"], heard["size"], heard["mimeType"]) == ("blue sky.png", len(picture), "image/png")
    about = await bot.ask("getFileInfo", {"fileId": heard["fileId"]})
    assert about["previews"][0]["mimeType"] == "image/webp"
    status, body, kind = await get(f"{carol.server.url}/practice-page/files/{heard['fileId']}")
    assert (status, body, kind) == (200, picture, "image/png")


async def test_stickers_are_webp(carol: Browser, join: Join) -> None:
    """A picture sent as a sticker becomes WebP of its size, and the server's own stickers can be sent too."""
    bot = await join("ann")
    chat = await carol.do("open", person=ANN)
    status, _ = await carol.ask("files", a_picture("JPEG"), chat=chat, name="me.jpg", sticker="1")
    assert status == 200
    heard = (await bot.heard("sendMessage"))["content"]
    assert (heard["name"], heard["mimeType"]) == ("me.webp", "sticker/webp")
    _, body, kind = await get(f"{carol.server.url}/practice-page/files/{heard['fileId']}")
    assert kind == "image/webp"
    assert Image.open(io.BytesIO(body)).size == (512, 341)
    await carol.do("sticker", chat=chat, sticker=2)
    heard = await bot.heard("sendMessage", lambda payload: payload["content"].get("name") == "sticker-3.webp")
    assert heard["content"]["mimeType"] == "sticker/webp"


async def test_upload_limits_hold_here_too(carol: Browser) -> None:
    """What the administrator forbids to be uploaded is refused with the connector's codes, and so is no picture."""
    chat = await carol.do("open", person=ANN)
    carol.server.set_upload_limits(max_size=10, extensions=["exe"])
    assert (await carol.ask("files", b"x" * 11, chat=chat, name="a.bin"))[1]["code"] == 406
    assert (await carol.ask("files", b"x", chat=chat, name="a.exe"))[1]["code"] == 403
    assert (await carol.ask("files", b"x", chat=chat, name="a.png", sticker="1"))[1]["code"] == 408


async def test_files_that_could_run_are_never_shown_in_place(carol: Browser) -> None:
    """HTML and SVG that somebody sent are downloaded, never shown under the page's origin."""
    chat = await carol.do("open", person=ANN)
    for name, kind in (("a.html", "text/html"), ("a.svg", "image/svg+xml")):
        await carol.ask("files", b"<svg onload='alert(1)'/>", {"Content-Type": kind}, chat=chat, name=name)
    shown = await carol.messages(chat)
    assert [one["kind"] for one in shown] == ["file", "file"]
    for one in shown:
        _, _, served_as = await get(f"{carol.server.url}/practice-page/files/{one['file']['id']}")
        assert served_as == "application/octet-stream"


@pytest.mark.parametrize(
    ("name", "kind"),
    [("a.png", "image/png"), ("a.webp", "image/webp"), ("a.webp", "sticker/webp"), ("a.jp2", "image/png")],
)
async def test_picture_that_would_fill_the_memory_is_a_file(carol: Browser, name: str, kind: str) -> None:
    """A picture of too many pixels, or in a format for experts, comes without a preview and is not shown in place."""
    chat, bomb = await carol.do("open", person=ANN), image_bombs.BOMBS[name]()
    assert (await carol.ask("files", bomb, {"Content-Type": kind}, chat=chat, name=name))[0] == 200
    (shown,) = await carol.messages(chat)
    assert (shown["kind"], shown["file"]["isWithheld"]) == ("file", True)
    assert carol.server.world.file(shown["file"]["id"]).previews == []
    _, body, served_as = await get(f"{carol.server.url}/practice-page/files/{shown['file']['id']}")
    assert (body, served_as) == (bomb, "application/octet-stream")
    assert (await carol.ask("files", bomb, {"Content-Type": kind}, chat=chat, name=name, sticker="1"))[1]["code"] == 408


async def test_long_chats_are_shown_in_part(carol: Browser) -> None:
    """As many of the latest messages are shown as asked for, across the server's own pages, oldest first."""
    chat = await carol.do("open", person=ANN)
    me = carol.server.world.user(carol.person)
    for number in range(250):
        carol.server.world.say(me, chat, str(number))
    _, answer = await carol.ask("messages", chat=chat, count=230)
    assert [int(one["text"]) for one in answer["messages"]] == list(range(20, 250))
    assert answer["hasEarlier"] is True
    _, answer = await carol.ask("messages", chat=chat, count=250)
    assert (len(answer["messages"]), answer["hasEarlier"]) == (250, False)
    assert (await carol.ask("messages", chat=chat, count="many"))[0] == 400


async def test_foreign_chats_are_closed(carol: Browser) -> None:
    """A chat without that person is refused, for reading and for writing."""
    world = carol.server.world
    chat = world.create_p2p(world.user(ANN), world.user(BOB)).chat_id
    assert (await carol.ask("messages", chat=chat))[0] == 400
    assert (await carol.ask("send", {"chat": chat, "text": "hello"}))[0] == 400


async def test_news_tell_of_messages_and_of_reading(carol: Browser) -> None:
    """The stream of news says so when a message comes and when a bot has read one; closing it leaves nothing behind."""
    server = carol.server
    chat = await carol.do("open", person=ANN)
    async with asyncio.timeout(PATIENCE), aiohttp.ClientSession() as session:
        async with session.get(server.url + "/practice-page/news") as stream:
            await stream.content.readuntil(b"\n\n")
            await carol.do("send", chat=chat, text="hello")
            assert (await stream.content.readuntil(b"\n\n")).startswith(b"event: news")
        await server.until(lambda: not server.watchers)


async def test_stopping_ends_open_streams(server: PracticeServer) -> None:
    """A server with an open chat page stops, and its stream ends."""
    async with asyncio.timeout(PATIENCE), aiohttp.ClientSession() as session:
        async with session.get(server.url + "/practice-page/news") as stream:
            await stream.content.readuntil(b"\n\n")
            await server.stop()
            with suppress(aiohttp.ClientError):
                assert await stream.content.read() == b""
        await server.until(lambda: not server.watchers)
