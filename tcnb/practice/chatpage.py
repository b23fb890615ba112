"""The page at the server's root, where a person takes the part of a colleague: its files and its requests.

What it shows is in `chatview`; the page itself is HTML, CSS and JavaScript in the folder `page`. None of this belongs
to the connector: no client of it ever asks under `/practice-page/`.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import msgspec
from tornado.iostream import StreamClosedError
from tornado.routing import URLSpec
from tornado.web import HTTPError, RequestHandler

from tcnb.errors import NotAnImageError
from tcnb.practice import chatview, pictures
from tcnb.practice.entities import INVALID_FILE, Message, Refusal, StoredFile, User
from tcnb.practice.pages import Page
from tcnb.practice.storage import new_file
from tcnb.types.enums import MessageType
from tcnb.types.images import small_webp
from tcnb.wire import codes

FOLDER: Final = Path(__file__).with_name("page")
KINDS: Final = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'self' http://localhost:* http://127.0.0.1:*"
)
NEWS_PAUSE: Final = 0.1
"""Seconds between two pieces of news, so that a flood does not keep the page from drawing."""
HEARTBEAT: Final = 15.0
"""Seconds of silence after which the stream of news proves that it is alive."""
PREVIEW_QUALITY: Final = 80


class ChatPage(Page):
    """Common ground: only this server's own page may ask, and refusals of the world are answers."""

    is_of_the_connector = False

    def prepare(self) -> None:
        """Refuse other web pages, and keep what is answered from caches."""
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Cache-Control", "no-store")
        super().prepare()

    def may_ask(self) -> bool:
        """Return whether this server's own page asks: browsers say of whatever it sends where it comes from."""
        return super().may_ask() and (self.request.method == "GET" or "Origin" in self.request.headers)

    def actor(self) -> User:
        """Return whose part is taken, by the argument `as`.

        Raises:
            Refusal: 399, nobody has that id, or that part cannot be taken.
        """
        user = self.server.world.user(self.get_query_argument("as", ""))
        if user not in chatview.people(self.server.world):
            raise Refusal(codes.WRONG_PAYLOAD)
        return user

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Answer a refusal with its code, and any other error in JSON too."""
        error = kwargs.get("exc_info", (None, None))[1]
        if isinstance(error, Refusal):
            self.answer({"code": error.code, "error": codes.meaning(error.code)}, 400)
        else:
            super().write_error(status_code, **kwargs)

    def log_exception(self, typ: Any, value: Any, tb: Any) -> None:
        """Log mistakes of the server, but not refusals, which are ordinary."""
        if not isinstance(value, Refusal):
            super().log_exception(typ, value, tb)


class DocumentPage(ChatPage):
    """The files that the page consists of."""

    def may_ask(self) -> bool:
        """Let links from anywhere lead here: these files tell nothing and do nothing."""
        return True

    def get(self, name: str = "index.html") -> None:
        """Send a file of the page."""
        file = FOLDER / name
        if file.suffix not in KINDS or not file.is_file():
            raise HTTPError(404)
        self.set_header("Content-Type", f"{KINDS[file.suffix]}; charset=utf-8")
        self.set_header("Content-Security-Policy", POLICY)
        self.finish(file.read_bytes())


class NewsPage(ChatPage):
    """A stream that says whenever something happened in the world; what, the page asks for itself."""

    async def get(self) -> None:
        """Send server-sent events until the browser is gone."""
        self.set_header("Content-Type", "text/event-stream")
        self._gone = asyncio.Event()
        self._news = asyncio.Event()
        self.server.watchers.add(self._news)
        try:
            while not self._gone.is_set():
                self._news.clear()
                self.write(b"event: news\ndata: {}\n\n")
                await self.flush()
                await self._wait_for_news()
        except StreamClosedError:
            self.server.log.debug("a chat page was closed")
        finally:
            self.server.unwatch(self._news)

    async def _wait_for_news(self) -> None:
        while not self._news.is_set():
            try:
                await asyncio.wait_for(self._news.wait(), HEARTBEAT)
            except TimeoutError:
                self.write(b": alive\n\n")
                await self.flush()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._gone.wait(), NEWS_PAUSE)

    def on_connection_close(self) -> None:
        """Let the stream end."""
        self._gone.set()
        self._news.set()


class LookPage(ChatPage):
    """What is there: people, chats, messages."""

    def get(self, what: str) -> None:
        """Answer with one of them."""
        world = self.server.world
        if what == "people":
            stickers = [pictures.sticker(number) for number in range(pictures.VARIETY)]
            world.files.update((sticker.file_id, sticker) for sticker in stickers)
            self.answer({**chatview.directory(world), "stickers": [sticker.file_id for sticker in stickers]})
        elif what == "chats":
            self.answer({"chats": chatview.chats(world, self.actor())})
        else:
            count = self.get_query_argument("count", "100")
            if not count.isdecimal() or len(count) > 6:
                raise Refusal(codes.WRONG_PAYLOAD)
            self.answer(chatview.messages(world, self.actor(), self.get_query_argument("chat", ""), int(count)))


class ContentPage(ChatPage):
    """The content of files; their ids, which nobody can guess, are the credential."""

    def get(self, file_id: str) -> None:
        """Send a file, to be shown in place only where that is harmless."""
        file = self.server.world.file(file_id)
        shown_as = chatview.inline_type(file)
        place = "attachment" if shown_as is None or self.get_query_argument("save", "") else "inline"
        self.set_header("Content-Type", shown_as or "application/octet-stream")
        self.set_header("Content-Disposition", f"{place}; filename*=UTF-8''{quote(file.name, safe='')}")
        self.set_header("Content-Security-Policy", "sandbox; default-src 'none'")
        self.set_header("Cache-Control", "private, max-age=86400")
        self.finish(file.source if isinstance(file.source, bytes) else file.source.read_bytes())


class DeedRequest(msgspec.Struct, rename="camel"):
    """What the page asks to be done; each deed needs some of it. A button is told by row and column, from 0."""

    chat: str = ""
    text: str = ""
    reply_to: str | None = None
    message: str = ""
    button: str | tuple[int, int] = ""
    person: str = ""
    sticker: int = 0


class DeedPage(ChatPage):
    """What a person does: writing, editing, deleting, pressing a button, opening a chat."""

    def post(self, deed: str) -> None:
        """Do it, tell the bots, and answer with the id of what came of it."""
        try:
            request = msgspec.json.decode(self.request.body, type=DeedRequest)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            raise Refusal(codes.WRONG_PAYLOAD) from None
        result = self._do(deed, self.actor(), request)
        self.server.deliver()
        self.answer({"id": result})

    def _do(self, deed: str, actor: User, request: DeedRequest) -> str:
        world = self.server.world
        match deed:
            case "send":
                return world.say(actor, request.chat, request.text, reply_to=request.reply_to).message_id
            case "edit":
                mode = world.message(actor, request.message).content.get("parseMode", "text")
                content = world.text_content(request.text, mode)
                world.edit(actor, request.message, MessageType.PLAIN_MESSAGE, content)
            case "remove":
                world.remove_message(actor, request.message, for_all=True)
            case "sticker":
                file = pictures.sticker(request.sticker % pictures.VARIETY)
                return world.attach(actor, request.chat, file, reply_to=request.reply_to).message_id
            case "press":
                world.press(actor, request.message, request.button)
            case _:
                return world.create_p2p(actor, world.user(request.person)).chat_id
        return request.message


class PosterPage(ChatPage):
    """Files that a person sends: the body is the file, its name and place are arguments."""

    async def post(self) -> None:
        """Put a file into a chat, as a sticker where that is asked for."""
        message = await self._post(self.actor(), self.get_query_argument("name", ""), self.request.body)
        self.server.deliver()
        self.answer({"id": message.message_id})

    async def _post(self, actor: User, name: str, body: bytes) -> Message:
        storage, world = self.server.storage, self.server.world
        chat_id, reply_to = self.get_query_argument("chat", ""), self.get_query_argument("replyTo", None)
        world.check_may_post(actor, chat_id, reply_to)
        kind: str | None = self.request.headers.get("Content-Type") or None
        preview: StoredFile | None = None
        if self.get_query_argument("sticker", ""):
            body = await _drawn(body)
            name, kind = f"{Path(name).stem}.webp", "sticker/webp"
            preview = _kept(self, "preview.webp", body)
        elif kind in chatview.PICTURES:
            with suppress(Refusal):  # A broken picture is still a file, which comes without a preview.
                preview = _kept(self, "preview.webp", await _drawn(body))
        task = storage.open_task(actor, name, len(body))
        place = storage.new_path()
        place.write_bytes(body)
        temporal_id = storage.keep(task, place, kind, preview)
        message = world.attach(actor, chat_id, storage.uploaded(actor, temporal_id), reply_to=reply_to)
        storage.use(temporal_id)
        return message


def _kept(page: ChatPage, name: str, body: bytes) -> StoredFile:
    file = new_file(name, len(body), "image/webp", body)
    page.server.world.files[file.file_id] = file
    return file


async def _drawn(body: bytes) -> bytes:
    """Return a picture as a small WebP.

    Raises:
        Refusal: 408, it is no picture.
    """
    try:
        return await small_webp(body, "the picture", quality=PREVIEW_QUALITY, from_stranger=True)
    except NotAnImageError:
        raise Refusal(INVALID_FILE) from None


def routes(server: dict[str, Any]) -> list[URLSpec]:
    """Return the addresses of the page; `server` is what handlers are initialized with."""
    handlers: list[tuple[str, type[RequestHandler]]] = [
        ("/", DocumentPage),
        (r"/practice-page/(page\.css|page\.js|words\.js|markup\.js|icon\.svg)", DocumentPage),
        ("/practice-page/news", NewsPage),
        ("/practice-page/(people|chats|messages)", LookPage),
        ("/practice-page/files/([0-9a-f]+)", ContentPage),
        ("/practice-page/(send|edit|remove|sticker|press|open)", DeedPage),
        ("/practice-page/files", PosterPage),
    ]
    return [URLSpec(pattern, handler, server) for pattern, handler in handlers]
