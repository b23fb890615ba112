"""What every case finds: chats, messages and files made afresh in the world of a practice server, and who acts there.

Source: `protocol` section 12 for who may do what.
"""

from __future__ import annotations

import asyncio
import io
from collections.abc import Awaitable
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, Final

from PIL import Image

from tcnb.practice import PracticeServer, PracticeThread
from tcnb.practice.storage import new_file
from tcnb.types.enums import MessageType

ACCOUNTS: Final = ("robot:robot:Robot", "alice:alice:Alice Doe", "bob:bob:Боб")
NOWHERE: Final = "no-such-id"
SURVEY: Final = {"url": "https://practice.local/webtools/survey", "title": "Lunch", "path": "k7Qm2xZ0pd"}


def picture(form: str) -> bytes:
    """Return a small image in that format."""
    target = io.BytesIO()
    Image.new("RGB", (8, 8), "green").save(target, form)
    return target.getvalue()


PNG: Final = picture("PNG")
WEBP: Final = picture("WEBP")


@dataclass
class Stage:
    """What a case acts on; `robot` is the bot.

    Attributes:
        bot: the methods of one of the clients.
        types: that client's module of types, whose names are those of the other one.
        practice: the server.
        ids: what was made, by name:
            `own`: a group that the bot owns, with Alice in it; `said` is its message there, `survey` its survey,
            `oops` its message that is deleted, `attached` its file there, whose id is `stored`.
            `hers`: a group that Alice owns, with the bot in it as a user; `heard` is her message there.
            `foreign`: a group of Alice's without the bot; `unheard` is her message there.
            `left`: a group of Alice's that the bot was removed from.
            `news`: a channel of Alice's, which the bot only reads.
            `private`: the personal chat of Alice and the bot.
    """

    bot: Any
    types: ModuleType
    practice: PracticeThread
    ids: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.ids = self.practice.call(_made)

    def __getattr__(self, name: str) -> str:
        try:
            return self.__dict__["ids"][name]
        except KeyError:
            raise AttributeError(name) from None

    def file(self, data: bytes = b"some text", name: str = "notes.txt") -> Any:
        """Return a file to send, of the kind that the client takes."""
        return self.types.BufferedInputFile(data, name)

    @property
    def image(self) -> Any:
        """A picture to send."""
        return self.file(PNG, "sky.png")

    @property
    def sticker(self) -> Any:
        """A picture that can be a sticker."""
        return self.file(WEBP, "hi.webp")

    def keyboard(self, rows: int, columns: int = 1) -> Any:
        """Return a keyboard of that many equal buttons."""
        button = self.types.InlineKeyboardButton("Go", command="/go")
        return self.types.InlineKeyboardMarkup([[button] * columns for _ in range(rows)])

    async def once_read(self, work: Awaitable[Any]) -> Any:
        """Do something once the client has acknowledged all that it was told: each does so at its own pace."""
        await asyncio.to_thread(self._wait_until_read)
        return await work

    def _wait_until_read(self) -> None:
        while self.practice.call(lambda server: server.world.unread("robot@practice.local")):
            pass

    async def with_limits(self, most: int | None, extensions: tuple[str, ...] | None, work: Awaitable[Any]) -> Any:
        """Do something while the administrator limits uploads."""
        await self._limit(most, extensions)
        try:
            return await work
        finally:
            await self._limit(None, None)

    async def _limit(self, most: int | None, extensions: tuple[str, ...] | None) -> None:
        await asyncio.to_thread(self.practice.call, lambda server: server.set_upload_limits(most, extensions))
        # The answer comes after what every session is told, so the client knows the limits then.
        await self.bot.get_file_info_upload_limits()


def _made(server: PracticeServer) -> dict[str, str]:
    """Make everything, through the world alone, so that both clients find the same."""
    world = server.world
    robot, alice = (world.user(f"{login}@practice.local") for login in ("robot", "alice"))
    own, hers, foreign = (
        world.create_group(owner, title) for owner, title in ((robot, "Own"), (alice, "Hers"), (alice, "Foreign"))
    )
    left, news = world.create_group(alice, "Left"), world.create_channel(alice, "News")
    world.add_participant(robot, own.chat_id, alice, display_history=True)
    for chat in (hers, left, news):
        world.add_participant(alice, chat.chat_id, robot, display_history=True)
    world.remove_participant(alice, left.chat_id, robot, clear_history=False)
    oops = world.say(robot, own.chat_id, "oops", "text")
    world.remove_message(robot, oops.message_id, for_all=True)
    file = new_file("notes.txt", 9, "text/plain", b"some text")
    made = {
        "said": world.say(robot, own.chat_id, "hi", "text").message_id,
        "survey": world.post(robot, own.chat_id, MessageType.SURVEY, dict(SURVEY)).message_id,
        "oops": oops.message_id,
        "heard": world.say(alice, hers.chat_id, "hello", "text").message_id,
        "unheard": world.say(alice, foreign.chat_id, "secret", "text").message_id,
        "attached": world.attach(robot, own.chat_id, file).message_id,
        "stored": file.file_id,
        "private": world.create_p2p(alice, robot).chat_id,
    }
    chats = {"own": own, "hers": hers, "foreign": foreign, "left": left, "news": news}
    server.deliver()
    return {**made, **{name: chat.chat_id for name, chat in chats.items()}}
