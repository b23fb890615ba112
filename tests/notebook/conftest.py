"""Fixtures of the notebook's tests: a terminal shell, and one in which %tc_connect makes stand-in sessions."""

from __future__ import annotations

import atexit
from collections.abc import Iterator
from typing import Any

import pytest
from desk import Desk, StandInSession
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from tcnb.notebook import connections as registry
from tcnb.notebook.extension import load, unload


@pytest.fixture(scope="session")
def one_shell() -> Iterator[InteractiveShell]:
    config = Config()
    config.HistoryManager.hist_file = ":memory:"
    config.HistoryManager.enabled = False
    shell = InteractiveShell(config=config)
    yield shell
    atexit.unregister(shell.atexit_operations)
    shell.atexit_operations()


@pytest.fixture
def shell(one_shell: InteractiveShell) -> Iterator[InteractiveShell]:
    """A terminal shell without our extension and with an empty namespace."""
    one_shell.user_ns.clear()
    one_shell.init_user_ns()
    one_shell.history_manager.input_hist_raw[:] = [""]
    yield one_shell
    unload(one_shell)
    one_shell.extension_manager.loaded.discard("tcnb")


@pytest.fixture
def desk(shell: InteractiveShell, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """A loaded shell in which %tc_connect makes stand-in sessions; nothing is connected yet."""
    sessions: list[StandInSession] = []

    def connect(**request: Any) -> StandInSession:
        name = request.pop("name")
        sessions.append(StandInSession(request, name))
        return sessions[-1]

    monkeypatch.setattr("tcnb.notebook.magics.magics._open_session", connect)
    monkeypatch.setattr("tcnb.notebook.magics.magics.connections", fresh := registry.Connections(dict))
    monkeypatch.setattr("tcnb.notebook.magics.data.connections", fresh)
    monkeypatch.setattr("tcnb.notebook.magics.completion.connections", fresh)
    load(shell)
    yield Desk(shell, sessions)


@pytest.fixture
def connected(desk: Desk) -> Desk:
    """The same with one connection, `default`."""
    desk.run("%tc_connect video.example.com --username robot;")
    return desk
