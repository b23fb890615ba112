"""Chats in which something happens while the robot is away, on a real practice server."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

import tcnb
from tcnb.practice import PracticeServer, PracticeThread
from tcnb.types.enums import MessageType
from tests.conftest import Colleague


class Crew:
    """A chat of Alice and the robot.

    Attributes:
        chat: its id.
    """

    def __init__(self, practice: PracticeThread, alice: Colleague, title: str = "Release crew") -> None:
        self._practice = practice
        self._alice = alice
        self.chat = alice.group(title, "robot")

    def say(self, *texts: str) -> list[str]:
        """Have Alice say some things and return their ids."""

        def do(server: Any, me: Any) -> list[str]:
            return [server.world.say(me, self.chat, text).message_id for text in texts]

        return self._alice.act(do)

    def edit(self, message_id: str, text: str, mode: str = "text") -> None:
        """Have Alice change what she said."""
        self.edit_all({message_id: text}, mode=mode)

    def edit_all(self, *changes: dict[str, str], mode: str = "text") -> None:
        """Have Alice change several of her messages, each dictionary after the other, before anybody is told."""

        def do(server: Any, me: Any) -> None:
            for change in changes:
                for message_id, text in change.items():
                    content = server.world.text_content(text, mode)
                    server.world.edit(me, message_id, MessageType.PLAIN_MESSAGE, content)

        self._alice.act(do)

    def remove(self, *message_ids: str) -> None:
        """Have Alice remove messages for everybody."""

        def do(server: Any, me: Any) -> None:
            for message_id in message_ids:
                server.world.remove_message(me, message_id, for_all=True)

        self._alice.act(do)

    def all_read(self) -> None:
        """Have the server take everything for read, as if another session had acknowledged it."""

        def do(server: Any) -> None:
            server.world.chats[self.chat].unread.clear()

        self._practice.call(do)

    def held(self) -> list[str]:
        """Return the ids of what people wrote, as the server has it, oldest first."""

        def look(server: Any) -> list[str]:
            messages = server.world.chats[self.chat].messages
            return [one.message_id for one in messages if not one.is_removed and not one.is_system]

        return self._practice.call(look)


@pytest.fixture(autouse=True)
def _no_two_moments_are_the_same(practice: PracticeThread) -> None:
    """A server's clock that gives every message a time of its own, as people who type do."""

    def set_clock(server: PracticeServer) -> None:
        moments = itertools.count(server.world.clock())
        server.world.clock = lambda: next(moments)

    practice.call(set_clock)


@pytest.fixture
def crew(practice: PracticeThread, alice: Colleague) -> Crew:
    """A chat of Alice and the robot."""
    return Crew(practice, alice)


@pytest.fixture
def visit(connect: Callable[..., tcnb.Session], until: Callable[..., None]) -> Callable[..., None]:
    """Connects the robot until it has everything that was said in some chats, and closes it."""

    def visit(*crews: Crew, **options: Any) -> None:
        session = connect(**options)
        for crew in crews:
            until(session, lambda crew=crew: crew.held()[-1] in said(session, crew.chat).index)
        settle(session)
        session.close()

    return visit


@pytest.fixture
def absent(connect: Callable[..., tcnb.Session], visit: Callable[..., None], crew: Crew) -> Callable[..., tcnb.Session]:
    """Connects the robot after an absence in which `happens` was called, everything having been read elsewhere."""

    def absent(happens: Callable[[], Any], **options: Any) -> tcnb.Session:
        visit(crew)
        happens()
        crew.all_read()
        second = connect(**options)
        settle(second)
        return second

    return absent


def settle(session: tcnb.Session) -> None:
    """Wait until a session has looked back and for the message of every edit."""
    session._wait(session._catching_up.settled())


def said(session: tcnb.Session, chat: str) -> pd.DataFrame:
    """Return the messages of a chat by id, oldest first."""
    messages = session.messages
    return messages[messages["chat_id"] == chat].sort_values("timestamp", kind="stable").set_index("message_id")
