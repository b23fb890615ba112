"""Who speaks in these tests, and how a test waits: bots of the official client and tcnb itself behind one face.

No test and no expectation stands here.
"""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from PIL import Image
from trueconf import Bot, Dispatcher, Router
from trueconf.types.input_file import BufferedInputFile

import tcnb
from tcnb.practice import PracticeThread
from tests.practice.wire import WireBot

PATIENCE = 30.0
"""Seconds after which a test gives up waiting for something that should happen at once."""

DOMAIN = "practice.local"

OFFICIAL_EVENTS = (
    *("message", "system_message", "edited_message", "removed_message"),
    *("created_personal_chat", "created_group_chat", "created_channel", "removed_chat", "edited_chat_title"),
    *("added_chat_participant", "removed_chat_participant", "changed_participant_role", "cleared_chat_history"),
)


@dataclass
class Voice:
    """Somebody who speaks: the methods of both clients have the same names, their files do not.

    Attributes:
        login: who it is.
        bot: the connector's methods.
        make_file: makes a file of bytes and a name, of the kind that `bot` takes.
    """

    login: str
    bot: Any
    make_file: Callable[[bytes, str], Any]

    @property
    def id(self) -> str:
        """The full user id."""
        return f"{self.login}@{DOMAIN}"


@dataclass
class Official(Voice):
    """A bot of the official client, with everything that its handlers were told in one queue an event."""

    told: dict[str, asyncio.Queue[Any]] = field(default_factory=dict)

    async def heard(self, event: str = "message") -> Any:
        """Return the next event of that kind."""
        return await asyncio.wait_for(self.told[event].get(), PATIENCE)


async def official(practice: PracticeThread, login: str, **options: Any) -> Official:
    """Connect an account with the official client and wait until it is authorized; shut its bot down afterwards."""
    told: dict[str, asyncio.Queue[Any]] = {event: asyncio.Queue() for event in OFFICIAL_EVENTS}
    dispatcher = Dispatcher()
    dispatcher.include_router(_router_into(told))
    bot = Bot.from_credentials(
        "127.0.0.1", login, login, https=False, web_port=practice.port, dispatcher=dispatcher, **options
    )
    await bot.start()
    await asyncio.wait_for(bot.authorized_event.wait(), PATIENCE)
    return Official(login, bot, BufferedInputFile, told)


def _router_into(told: dict[str, asyncio.Queue[Any]]) -> Router:
    router = Router()
    for event, queue in told.items():

        async def put(happened: Any, queue: asyncio.Queue[Any] = queue) -> None:
            queue.put_nowait(happened)

        getattr(router, event)()(put)
    return router


async def session(practice: PracticeThread, login: str, **options: Any) -> tcnb.Session:
    """Connect an account with tcnb; close it afterwards."""
    return await tcnb.aconnect(
        "127.0.0.1", username=login, password=login, https=False, web_port=practice.port, name=login, **options
    )


def as_voice(speaker: tcnb.Session) -> Voice:
    """Return the face under which a session of tcnb does what a bot of the official client does."""
    return Voice(speaker.username or "", speaker.bot, tcnb.BufferedInputFile)


async def ear(practice: PracticeThread, login: str) -> WireBot:
    """Connect an account a second time, without any client: it gets the very frames that the first session gets."""
    listener = await WireBot(practice.url).open()
    await listener.auth(await listener.token(login), receiveSystemMessageEnvelopes=True)
    return listener


async def until(session: tcnb.Session, condition: Callable[[], Any]) -> None:
    """Wait until something about a session is true, looking again whenever its record or state changed."""
    loop, changed = asyncio.get_running_loop(), asyncio.Event()

    def notice(*_: Any) -> None:
        loop.call_soon_threadsafe(changed.set)

    removers = [session.on_rows(notice), session.on_state(notice)]
    try:
        while not condition():
            await asyncio.wait_for(changed.wait(), PATIENCE)
            changed.clear()
    finally:
        for remove in removers:
            remove()


async def waiting(session: tcnb.Session, **what: Any) -> asyncio.Task[Any]:
    """Begin to wait for an event and return when the session really does, so that nothing can slip by."""
    task = asyncio.create_task(session.await_for(**what))
    while not session._waiters:
        # One round trip to the server after the other, since nothing tells that a session has begun to wait.
        await session.bot.get_file_info_upload_limits()
    return task


def picture(form: str, colour: str = "teal", size: tuple[int, int] = (640, 480)) -> bytes:
    """Return an image in that format."""
    body = io.BytesIO()
    Image.new("RGB", size, colour).save(body, form)
    return body.getvalue()
