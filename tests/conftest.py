"""What many tests need: a practice server in a thread, sessions connected to it, and waiting for what really
happens.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

import tcnb
from tcnb.practice import PracticeServer, PracticeThread

PATIENCE = 30.0
"""Seconds after which a test gives up waiting for something that should happen at once."""

# How long an example takes says nothing about it: on a busy machine any may take a second.
settings.register_profile("tcnb", deadline=None)
settings.load_profile("tcnb")

ACCOUNTS = ("robot:robot:Robot", "second:second:Second Robot", "alice:alice:Alice Doe", "bob:bob:Боб")


def _data_folder(folder: Path) -> Iterator[None]:
    """Point the user's data folder to a new one, for this process and those it starts."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("XDG_DATA_HOME", "LOCALAPPDATA", "APPDATA"):
            patch.setenv(name, str(folder))
        yield


@pytest.fixture(scope="session", autouse=True)
def _data_folder_of_the_run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No test touches the journals of whoever runs it."""
    yield from _data_folder(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module", autouse=True)
def _data_folder_of_the_module(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No session of a module continues from a journal of another module's server, which may have had its port."""
    yield from _data_folder(tmp_path_factory.mktemp("data"))


@pytest.fixture(autouse=True)
def _data_folder_of_the_test(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No session of a test continues from a journal of another test."""
    yield from _data_folder(tmp_path_factory.mktemp("data"))


@pytest.fixture
def practice() -> Iterator[PracticeThread]:
    """A practice server with four accounts and no colleagues."""
    with PracticeThread(accounts=ACCOUNTS) as thread:
        yield thread


@pytest.fixture
def connect(practice: PracticeThread) -> Iterator[Callable[..., tcnb.Session]]:
    """Connects an account of the practice server; what was connected is closed after the test."""
    opened: list[tcnb.Session] = []

    def connect(username: str = "robot", **options: Any) -> tcnb.Session:
        values = {"https": False, "web_port": practice.port, "password": username, "name": username, **options}
        session = tcnb.connect("127.0.0.1", username=username, **values)
        opened.append(session)
        return session

    yield connect
    for session in opened:
        session.close()


@pytest.fixture
def tc(connect: Callable[..., tcnb.Session]) -> tcnb.Session:
    """The account `robot`, connected."""
    return connect()


class Colleague:
    """A person on the practice server who acts in its world directly, without any client."""

    def __init__(self, practice: PracticeThread, login: str) -> None:
        self._practice = practice
        self.login = login
        self.id = f"{login}@practice.local"

    def act(self, deed: Callable[[PracticeServer, Any], Any]) -> Any:
        """Do something in the world and have everybody told."""

        def do(server: PracticeServer) -> Any:
            result = deed(server, server.world.user(self.id))
            server.deliver()
            return result

        return self._practice.call(do)

    def group(self, title: str, *logins: str) -> str:
        """Make a group with some people in it and return its id."""

        def make(server: PracticeServer, me: Any) -> str:
            chat = server.world.create_group(me, title)
            for login in logins:
                user = server.world.user(f"{login}@practice.local")
                server.world.add_participant(me, chat.chat_id, user, display_history=True)
            return chat.chat_id

        return str(self.act(make))

    def say(self, chat_id: str, text: str, parse_mode: str = "text") -> str:
        """Write into a chat and return the message's id."""
        return str(self.act(lambda server, me: server.world.say(me, chat_id, text, parse_mode).message_id))


@pytest.fixture
def alice(practice: PracticeThread) -> Colleague:
    """A person who acts directly."""
    return Colleague(practice, "alice")


@pytest.fixture
def until() -> Callable[..., None]:
    """Waits until something about a session is true, looking again whenever its record or state changed."""

    def until(session: tcnb.Session, condition: Callable[[], Any]) -> None:
        changed = threading.Event()
        removers = [session.on_rows(changed.set), session.on_state(lambda state: changed.set())]
        try:
            while not condition():
                assert changed.wait(PATIENCE), f"waited in vain: {session!r} {session.state}"
                changed.clear()
        finally:
            for remove in removers:
                remove()

    return until
