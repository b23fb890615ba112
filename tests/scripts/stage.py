"""Where ported bots are tried out: a practice server, a bot as a process of its own, and a colleague who talks to it.

What is said, and what is expected, stands in the tests.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import tcnb
from tcnb.practice import PracticeServer, PracticeThread
from tests.conftest import ACCOUNTS, PATIENCE

BOTS = Path(__file__).parent / "bots"
PACKAGES = ("trueconf", "tcnb")

START_PATIENCE = 2 * PATIENCE
"""Seconds that a process of its own may take to import a package and log in, on a machine with much else to do."""


def source(bot: str, package: str) -> str:
    """Return a bot as it is written for a package: nothing but import lines differ."""
    text = (BOTS / f"{bot}.py").read_text(encoding="utf-8")
    return re.sub(r"^(\s*)(from|import) trueconf\b", rf"\1\2 {package}", text, flags=re.MULTILINE)


class Stage:
    """A practice server with one bot in a process, and a colleague named Alice in a personal chat with it."""

    def __init__(self, bot: str, package: str, folder: Path) -> None:
        self.practice = PracticeThread(accounts=ACCOUNTS)
        self.practice.start()
        self._alice: tcnb.Session | None = None
        self._log = folder / f"{bot}-{package}.log"
        script = folder / f"{bot}_{package}.py"
        script.write_text(source(bot, package), encoding="utf-8")
        with self._log.open("w", encoding="utf-8") as log:
            self.process = subprocess.Popen(
                [sys.executable, str(script)],
                env={**os.environ, "PORT": str(self.practice.port), "PYTHONIOENCODING": "utf-8"},
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self.chat_id = self.act(lambda server, me: server.world.create_p2p(me, self.user(server, "robot")).chat_id)

    @staticmethod
    def user(server: PracticeServer, login: str) -> Any:
        """Return an account of the practice server."""
        return server.world.user(f"{login}@practice.local")

    # -- waiting -----------------------------------------------------------------------------------------------------

    def wait(self, condition: Callable[[PracticeServer], Any], what: str, patience: float = PATIENCE) -> None:
        """Wait until something is so on the server."""

        async def waiting(server: PracticeServer) -> None:
            await server.until(lambda: condition(server))

        try:
            self.practice.run(waiting(self.practice.call(lambda server: server)), patience)
        except TimeoutError:
            raise AssertionError(f"waited in vain for {what}:\n{self.transcript()}\n{self.printed()}") from None

    def ready(self) -> None:
        """Wait until the bot is logged in and has answered something.

        A message that comes together with the answer to the login is lost by the official client, which does not know
        its own id yet.
        """
        self.wait(lambda server: server.sessions_of("robot"), "the bot", START_PATIENCE)
        limits = {"maxSize": None, "extensions": None}
        self.practice.call(lambda server: server.push("robot", "getFileUploadLimits", limits))
        self.wait(lambda server: server.is_settled("robot"), "the bot")

    def printed(self) -> str:
        """Return what the bot has printed so far, with what it logged."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    # -- what Alice does ---------------------------------------------------------------------------------------------

    def act(self, deed: Callable[[PracticeServer, Any], Any]) -> Any:
        """Do something as Alice and have everybody told."""

        def do(server: PracticeServer) -> Any:
            result = deed(server, self.user(server, "alice"))
            server.deliver()
            return result

        return self.practice.call(do)

    def say(self, text: str, *, answer: str | None = None, mode: str = "text") -> str:
        """Write to the bot, wait for an answer that contains something, and return the id of what was written."""
        message_id = self.act(lambda server, me: server.world.say(me, self.chat_id, text, mode).message_id)
        if answer is not None:
            self.hear(answer)
        return str(message_id)

    def hear(self, text: str) -> None:
        """Wait until the last message of the bot in some chat contains this."""
        self.wait(lambda server: any(text in str(said[-1].content) for said in self._of_bot(server).values()), text)

    def hear_file(self, name: str) -> None:
        """Wait until the bot has sent a file of that name."""

        def is_there(server: PracticeServer) -> bool:
            files = [message.file for said in self._of_bot(server).values() for message in said if message.file]
            return any(file.name == name for file in files)

        self.wait(is_there, name)

    def press(self, button: str) -> None:
        """Press a button of the last message that has one of that label."""

        def press(server: PracticeServer, me: Any) -> None:
            said = [message for messages in self._of_bot(server).values() for message in messages]
            offered = [message for message in said if f"'{button}'" in str(message.content.get("buttons"))]
            server.world.press(me, offered[-1].message_id, button)

        self.act(press)

    def press_at(self, row: int, column: int) -> None:
        """Press a button of the last message that has any, by its place from 0."""

        def press(server: PracticeServer, me: Any) -> None:
            said = [message for messages in self._of_bot(server).values() for message in messages]
            offered = [message for message in said if message.content.get("buttons")]
            server.world.press(me, offered[-1].message_id, (row, column))

        self.act(press)

    def forward(self, message_id: str) -> str:
        """Forward a message to the bot and return the id of the new one."""
        return str(self.act(lambda server, me: server.world.forward(me, message_id, self.chat_id).message_id))

    def send_document(self, data: bytes, name: str) -> None:
        """Send a file to the bot."""
        self._session().send_document(self.chat_id, tcnb.BufferedInputFile(data, name))

    def send_photo(self, data: bytes, name: str) -> None:
        """Send a picture to the bot."""
        self._session().send_photo(self.chat_id, tcnb.BufferedInputFile(data, name))

    def _session(self) -> tcnb.Session:
        if self._alice is None:
            port = self.practice.port
            self._alice = tcnb.connect(
                "127.0.0.1", username="alice", password="alice", https=False, web_port=port, name="alice", journal=None
            )
        return self._alice

    # -- what is left ------------------------------------------------------------------------------------------------

    def transcript(self) -> list[list[dict[str, Any]]]:
        """Return every chat that the bot is in, everything in it as it was said, without what chance decides."""
        return self.practice.call(self.transcript_in)

    def transcript_in(self, server: PracticeServer) -> list[list[dict[str, Any]]]:
        """Return the same for who is on the server's loop already."""
        return [[_told(message, said) for message in said] for said in self._chats(server).values()]

    def end(self, number: signal.Signals = signal.SIGINT) -> int:
        """Have the bot end as by Ctrl+C, and return its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(PATIENCE)

    def close(self) -> None:
        """End whatever is still there."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(PATIENCE)
        if self._alice is not None:
            self._alice.close()
        self.practice.stop()

    @staticmethod
    def _chats(server: PracticeServer) -> dict[str, list[Any]]:
        chats: dict[str, list[Any]] = {}
        for message in sorted(server.world.messages.values(), key=lambda message: message.serial):
            if not message.is_system:
                chats.setdefault(message.chat.chat_id, []).append(message)
        return chats

    def _of_bot(self, server: PracticeServer) -> dict[str, list[Any]]:
        chats = {
            chat_id: [message for message in said if message.author_id.startswith("robot@")]
            for chat_id, said in self._chats(server).items()
        }
        return {chat_id: said for chat_id, said in chats.items() if said}


def _told(message: Any, chat: list[Any]) -> dict[str, Any]:
    """Return a message without ids and times; what it answers is told by its place in the chat."""
    places = [other.message_id for other in chat]
    told = {
        "author": message.author_id.partition("@")[0],
        "type": message.type.name,
        "content": {name: value for name, value in message.content.items() if name not in ("secret", "file")},
        "reply_to": places.index(message.reply_to) if message.reply_to in places else message.reply_to,
        "is_edited": message.is_edited,
        "is_removed": message.is_removed,
    }
    if message.file is not None:
        told["content"] = {"name": message.file.name, "size": message.file.size, "mime_type": message.file.mime_type}
    return told
