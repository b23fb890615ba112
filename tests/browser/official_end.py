"""The other end of a conversation: a bot of the official client on a thread of its own, which keeps what it is told.

Nothing of tcnb's client is here, and no test.
"""

from __future__ import annotations

import asyncio
import hashlib
import threading
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from trueconf.enums import ParseMode

from tests.conversation.voices import Official, official

PATIENCE = 60.0
"""Seconds after which a test gives up waiting for something that should be told soon."""

FILES = ("photo", "sticker", "document")
"""What a message's file can be; the client calls every file a document."""


@dataclass
class Told:
    """One thing that the bot was told.

    Attributes:
        event: `message`, `edited_message` or `removed_message`.
        message_id: the message; an edit does not say which one it changes.
        text: what it says, with its markup.
        mode: how that is written.
        reply_to: the message it answers.
        kind: `photo`, `sticker` or `document`, if there is a file.
        name: the file's name.
        size: the file's size, as it was announced, in bytes.
        sum: SHA-256 of the file as it was downloaded, once it was.
        problem: why it could not be downloaded.
    """

    event: str
    message_id: str | None = None
    text: str | None = None
    mode: str | None = None
    reply_to: str | None = None
    kind: str | None = None
    name: str | None = None
    size: int | None = None
    sum: str | None = None
    problem: str | None = None


class OfficialEnd:
    """An account of the practice server in the hands of the official client; use it with `with`.

    Args:
        practice: the server.
        login: the account.
        other: the login of whom it listens to.
        chat_id: the chat that it listens in.
        folder: where files are put.
    """

    def __init__(self, practice: Any, login: str, other: str, chat_id: str, folder: Path) -> None:
        self.chat_id = chat_id
        self._practice = practice
        self._login = login
        self._other = other
        self._folder = folder
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="official client", daemon=True)
        self._changed = threading.Condition()
        self._told: list[Told] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._problems: list[str] = []
        self._official: Official

    def __enter__(self) -> Self:
        self._thread.start()
        self._run(self._begin())
        return self

    def __exit__(self, *_: object) -> None:
        self._run(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        assert self._problems == []

    def say(self, text: str) -> str:
        """Write into the chat and return the message's id."""
        return str(self._run(self._official.bot.send_message(self.chat_id, text)).message_id)

    def read(self, message_id: str) -> Any:
        """Return a message as the server has it now."""
        return self._run(self._official.bot.get_message_by_id(message_id))

    @property
    def told(self) -> list[Told]:
        """What the other one wrote, edited and removed, in the order in which it was told; and all edits of others."""
        with self._changed:
            return list(self._told)

    def wait_for(self, fits: Callable[[Told], object]) -> Told:
        """Wait until something that fits was told, and return it."""

        def found() -> Told | None:
            return next((one for one in self._told if fits(one)), None)

        with self._changed:
            told = self._changed.wait_for(found, PATIENCE)
        assert told, f"not told; there are {self._told}"
        return told

    def wait_for_text(self, text: str) -> Told:
        """Wait until that text was told as a message."""
        return self.wait_for(lambda one: one.event == "message" and one.text == text)

    def wait_for_file(self, kind: str) -> Told:
        """Wait until a file of that kind was told and downloaded, or could not be."""
        return self.wait_for(lambda one: one.kind == kind and (one.sum or one.problem))

    # -- on the thread ------------------------------------------------------------------------------------------------

    def _run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(PATIENCE)

    async def _begin(self) -> None:
        self._official = await official(self._practice, self._login)
        for event in ("message", "edited_message", "removed_message"):
            self._start(self._listen(event))

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        self._tasks.append(asyncio.create_task(work))

    async def _end(self) -> None:
        for task in self._tasks:
            task.cancel()
        ends = await asyncio.gather(*self._tasks, return_exceptions=True)
        self._problems += [repr(end) for end in ends if isinstance(end, Exception)]
        await self._official.bot.shutdown()

    async def _listen(self, event: str) -> None:
        while True:
            got = await self._official.told[event].get()
            if not self._is_meant(event, got):
                continue
            one = _read(event, got)
            self._keep(one)
            if one.kind is not None:
                self._start(self._download(one, getattr(got, one.kind)))

    def _is_meant(self, event: str, got: Any) -> bool:
        """Tell whether it is of the other one and in the chat; of an edit the connector does not say whose it is."""
        if event == "edited_message":
            return got.chat_id == self.chat_id
        chat_id, who = (got.chat_id, got.removed_by) if event == "removed_message" else (got.chat.chat_id, got.author)
        return chat_id == self.chat_id and who.id.partition("@")[0] == self._other

    def _keep(self, one: Told) -> None:
        with self._changed:
            self._told.append(one)
            self._changed.notify_all()

    async def _download(self, one: Told, file: Any) -> None:
        path = self._folder / str(one.message_id)
        try:
            await file.download(file_path=path)
            digest = await asyncio.to_thread(sum_of, path)
        except Exception as error:
            digest, one.problem = None, repr(error)
        with self._changed:
            one.sum = digest
            self._changed.notify_all()


def _read(event: str, got: Any) -> Told:
    if event == "removed_message":
        return Told(event, got.message_id)
    content = got.content
    mode = getattr(content, "parse_mode", None)
    one = Told(event, text=getattr(content, "text", None), mode=None if mode is None else ParseMode(mode).value)
    if event == "edited_message":
        return one
    one.message_id, one.reply_to = got.message_id, got.reply_message_id
    one.kind = next((kind for kind in FILES if getattr(got, kind, None) is not None), None)
    if one.kind is not None:
        file = getattr(got, one.kind)
        one.name, one.size = file.file_name, file.file_size
    return one


def sum_of(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
