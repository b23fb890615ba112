"""Names with several addresses, of which the first swallows everything: the next one is tried beside it."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from typing import Any

import pytest

import tcnb
from tcnb.commands.cli import main
from tcnb.practice import PracticeThread
from tcnb.types import URLInputFile

NAME = "two-ways.example.com"
SWALLOWS = "127.0.0.2"
"""Another address of this machine, at which connections are neither taken nor refused."""


@pytest.fixture
def two_ways(practice: PracticeThread, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A name that leads first to an address where nothing answers, then to the practice server."""
    with contextlib.ExitStack() as stack:
        hole = stack.enter_context(socket.socket())
        hole.bind((SWALLOWS, practice.port))
        hole.listen(0)
        for _ in range(4):  # once the queue of a listener is full, what follows gets no answer at all
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex((SWALLOWS, practice.port))
        real = socket.getaddrinfo

        def lookup(host: Any, port: Any, *args: Any, **options: Any) -> Any:
            if host not in (NAME, NAME.encode()):
                return real(host, port, *args, **options)
            found = [entry for way in (SWALLOWS, "127.0.0.1") for entry in real(way, port, *args, **options)]
            return list(dict.fromkeys(found))

        monkeypatch.setattr(socket, "getaddrinfo", lookup)
        yield


def test_second_address_is_tried_on_every_connect(practice, two_ways):
    """Token, socket, upload, download and remote files all reach the server by its second address."""
    session = tcnb.connect(
        NAME, username="robot", password="robot", https=False, web_port=practice.port, journal=None, timeout=5
    )
    try:
        chat = session._wait(session.bot.create_group_chat("Release crew")).chat_id
        assert session.download(session.send_document(chat, b"plans").file_id) == b"plans"
        assert session._wait(session.bot.server_version)
        facts = URLInputFile(f"http://{NAME}:{practice.port}/api/v4/server", filename="facts.json", timeout=5)
        assert session.send_document(chat, facts).message_id
    finally:
        session.close()


def test_doctor_reaches_the_second_address(practice, two_ways, monkeypatch, capsys):
    """The doctor finds the way that a bot finds."""
    monkeypatch.setenv("TRUECONF_USERNAME", "robot")
    monkeypatch.setenv("TRUECONF_PASSWORD", "robot")
    code = main(["doctor", f"{NAME}:{practice.port}", "--http", "--timeout", "5"])
    said = capsys.readouterr().out
    assert code == 0, said
    assert f"{NAME} is {SWALLOWS}, 127.0.0.1" in said
