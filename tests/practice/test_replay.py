"""Replaying prepared notifications to sessions."""

from __future__ import annotations

import json
from pathlib import Path

from tcnb.practice import PracticeServer
from tcnb.practice.replay import read_lines

from .conftest import ACCOUNTS
from .wire import WireBot


def written(path: Path, count: int) -> Path:
    """Write a file of notifications: short lines, whole frames, and lines that are none."""
    lines = [json.dumps({"method": "removeChat", "payload": {"chatId": str(number)}}) for number in range(count)]
    lines[1] = json.dumps({"method": "removeChat", "type": 1, "id": 77, "payload": {"chatId": "1"}})
    path.write_text("\n".join([*lines, "", "not a line", '{"payload": {}}']))
    return path


def test_lines_that_are_none_are_skipped(tmp_path: Path) -> None:
    """Blank and unreadable lines are left out."""
    assert len(list(read_lines(written(tmp_path / "a.jsonl", 5)))) == 5


async def test_every_session_gets_the_whole_file(tmp_path: Path) -> None:
    """Each session gets the file from its beginning, numbered by the server."""
    file = written(tmp_path / "a.jsonl", 1200)
    async with PracticeServer(accounts=ACCOUNTS, replay=file) as server:
        for login in ("ann", "bob"):
            bot = await WireBot(server.url).open()
            await bot.auth(await bot.token(login))
            await bot.heard("removeChat", lambda payload: payload["chatId"] == "1199")
            got = [frame for frame in bot.notifications if frame["method"] == "removeChat"]
            assert [frame["payload"]["chatId"] for frame in got] == [str(number) for number in range(1200)]
            assert [frame["id"] for frame in got] == list(range(2, 1202))
            await bot.close()


async def test_replay_takes_its_time(tmp_path: Path) -> None:
    """At a low rate, the second notification does not come with the first."""
    async with PracticeServer(accounts=ACCOUNTS, replay=written(tmp_path / "a.jsonl", 3), rate=0.001) as server:
        bot = await WireBot(server.url).open()
        await bot.auth(await bot.token("ann"))
        await bot.heard("removeChat", lambda payload: payload["chatId"] == "0")
        await bot.settle()
        assert bot.methods() == ["removeChat"]
        await bot.close()


async def test_replay_waits_where_told(tmp_path: Path) -> None:
    """A line with a delay waits for it, also without a rate."""
    file = tmp_path / "a.jsonl"
    lines = [{"method": "removeChat", "payload": {"chatId": "1"}}, {"method": "removeChat", "delay": 3600}]
    file.write_text("\n".join(map(json.dumps, lines)))
    async with PracticeServer(accounts=ACCOUNTS, replay=file) as server:
        bot = await WireBot(server.url).open()
        await bot.auth(await bot.token("ann"))
        await bot.heard("removeChat")
        await bot.settle()
        assert bot.methods() == ["removeChat"]
        await bot.close()
