"""A hostile server and a person with a session, whose pauses between two attempts are short."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import repeat
from pathlib import Path
from typing import Any

import pytest

from tcnb.client import connection
from tests.hostile.server import HostileServer
from tests.hostile.visit import Visit, connect


@pytest.fixture
def server() -> Iterator[HostileServer]:
    """A server that is honest until it is told otherwise."""
    with HostileServer() as server:
        server.envelope("hello")
        yield server


@pytest.fixture
def visit(server: HostileServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Visit]]:
    """Connects a person to the server; at the end the session is closed, and nothing that had to hold was broken."""
    monkeypatch.setattr(connection, "delays", lambda: repeat(0.02))
    made: list[Visit] = []

    def visit(**options: Any) -> Visit:
        made.append(Visit(server, connect(server, tmp_path, **options), tmp_path))
        return made[-1]

    yield visit
    for one in made:
        one.end()
    flaws = [flaw for one in made for flaw in one.flaws]
    assert not flaws, f"{len(flaws)} flaws: " + "\n".join(flaws[:20])
