"""What must hold whatever a server answers: every call returns something, or raises one line of `tcnb.errors`."""

from __future__ import annotations

import asyncio
import random
import unicodedata
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

import tcnb
from tcnb.errors import OutcomeUnknownError, TcnbError
from tests.fuzz.mutations import answer, body
from tests.fuzz.server import CHAT, ME, FuzzServer

PATIENCE: Final = 60.0
"""Seconds in which a call must have ended."""

LONGEST_LINE: Final = 25_000
"""Characters that an error may have."""

Call = Callable[[tcnb.Session, Path], Awaitable[Any]]


async def _chat_by_title(tc: tcnb.Session, folder: Path) -> Any:
    await tc.arefresh()
    return await tc.asend("Release crew", "by title")


async def _into_folder(tc: tcnb.Session, folder: Path) -> Any:
    return await tc.adownload("f1", f"{folder}/")


CALLS: Final[dict[str, Call]] = {
    "arefresh": lambda tc, _: tc.arefresh(),
    "ahistory": lambda tc, _: tc.ahistory(CHAT, 5),
    "asend": lambda tc, _: tc.asend(CHAT, "hello"),
    "by title": _chat_by_title,
    "asend_document": lambda tc, _: tc.asend_document(CHAT, b"bytes", caption="caption"),
    "adownload": lambda tc, _: tc.adownload("f1"),
    "into a folder": _into_folder,
    "get_chats": lambda tc, _: tc.bot.get_chats(),
    "get_chat_by_id": lambda tc, _: tc.bot.get_chat_by_id(CHAT),
    "get_chat_participants": lambda tc, _: tc.bot.get_chat_participants(CHAT),
    "get_chat_participant": lambda tc, _: tc.bot.get_chat_participant(CHAT, ME),
    "has_chat_participant": lambda tc, _: tc.bot.has_chat_participant(CHAT, ME),
    "get_user_display_name": lambda tc, _: tc.bot.get_user_display_name("alice"),
    "get_chat_history": lambda tc, _: tc.bot.get_chat_history(CHAT, 5),
    "get_message_by_id": lambda tc, _: tc.bot.get_message_by_id("h-1"),
    "edit_message": lambda tc, _: tc.bot.edit_message("h-1", "changed"),
    "remove_message": lambda tc, _: tc.bot.remove_message("h-1"),
    "forward": lambda tc, _: tc.bot.forward_message(CHAT, "h-1"),
    "send_survey": lambda tc, _: tc.bot.send_survey(CHAT, "Lunch", "path"),
    "create_personal_chat": lambda tc, _: tc.bot.create_personal_chat("alice"),
    "create_group_chat": lambda tc, _: tc.bot.create_group_chat("Group"),
    "change_participant_role": lambda tc, _: tc.bot.change_participant_role(CHAT, "alice", "admin"),
    "get_file_info": lambda tc, _: tc.bot.get_file_info("f1"),
    "limits": lambda tc, _: tc.bot.get_file_info_upload_limits(),
    "activity": lambda tc, _: tc.bot.send_chat_activity(CHAT, "typing"),
}
"""What is asked of a server, by name."""


class Asker:
    """Asks a server that answers wrongly, each time by another seed.

    Args:
        server: the server.
        folder: where files may be written.
    """

    def __init__(self, server: FuzzServer, folder: Path) -> None:
        self._server = server
        self._folder = folder
        self.is_spoilt = False

    def spoil(self, seed: int, *names: str) -> None:
        """Have the server answer wrongly by a seed; with names, to these questions alone."""
        chance = random.Random(seed)

        def spoil(name: str, right: Any) -> bytes | None:
            if (names and name not in names) or chance.random() < 0.3:
                return None
            return body(chance, right) if name in ("token", "upload") else answer(chance, right)

        self._server.spoil = spoil

    def connect(self, seed: int) -> None:
        """Connect to the server while it answers all of that wrongly.

        Raises:
            AssertionError: something else than one line of ours was raised.
        """
        self.spoil(seed, "token", "auth", "getChats", "getChatParticipants", "getUserDisplayName")
        try:
            self.session(timeout=2.0).close()
        except TcnbError as error:
            check_line(error)

    def session(self, timeout: float = 10.0) -> tcnb.Session:
        """Connect."""
        return tcnb.connect(
            "127.0.0.1",
            username="robot",
            password="robot",
            https=False,
            web_port=self._server.port,
            name="asker",
            journal=None,
            timeout=timeout,
        )

    def ask_everything(self, tc: tcnb.Session, seed: int) -> None:
        """Ask everything once, by one seed; errors as of `call` and `send`."""
        for name in CALLS:
            self.call(tc, name, seed)
        self.send(tc, seed)

    def call(self, tc: tcnb.Session, name: str, seed: int) -> None:
        """Ask one thing, and look at what comes of it.

        Raises:
            AssertionError: something else than one line of ours was raised, or a send looks as if it had failed.
        """
        self.spoil(seed)
        work = asyncio.run_coroutine_threadsafe(_awaited(CALLS[name], tc, self._folder), tc.loop)
        try:
            repr(work.result(PATIENCE))
        except TcnbError as error:
            check_line(error)
        self._server.spoil = None

    def send(self, tc: tcnb.Session, seed: int) -> None:
        """Send a text whose answer says something wrong that is no refusal.

        Raises:
            AssertionError: it looks as if it had failed.
        """
        chance = random.Random(seed)

        def spoil(name: str, right: Any) -> bytes | None:
            said = answer(chance, right) if name == "sendMessage" else None
            return None if said is None or b"errorCode" in said else said

        self._server.spoil = spoil
        try:
            tc.send(CHAT, "is it there?")
        except OutcomeUnknownError as error:
            check_line(error)
        self._server.spoil = None


async def _awaited(call: Call, tc: tcnb.Session, folder: Path) -> Any:
    return await call(tc, folder)


def check_line(error: TcnbError) -> None:
    """Assert that an error is one line that may be printed anywhere."""
    text = str(error)
    acting = [sign for sign in text if unicodedata.category(sign) in ("Cc", "Cf", "Cs", "Zl", "Zp")]
    assert not set(acting) - set("\u200c\u200d\ufeff"), repr(text)
    assert len(text) <= LONGEST_LINE
