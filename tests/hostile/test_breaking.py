"""Files on their way through a network that breaks, to and from a practice server: they are whole, or not there."""

from __future__ import annotations

import asyncio
import hashlib
import random
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest

import tcnb
from tcnb.errors import FileDownloadError, FileUploadError, OutcomeUnknownError, TcnbError
from tcnb.practice import PracticeThread
from tcnb.types import BufferedInputFile
from tests.chaos.network import Network

SEED: Final = 5
CONTENT: Final = random.Random(SEED).randbytes(200_000)
TRIES: Final = 8


class Between:
    """A breaking network in a thread of its own."""

    def __init__(self, target: int) -> None:
        self.loop = asyncio.new_event_loop()
        self.network = Network(random.Random(SEED))
        self.network.target = target
        self._thread = threading.Thread(target=self.loop.run_forever, name="breaking network", daemon=True)
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self.network.open(), self.loop).result()

    def do(self, deed: Callable[[], object]) -> None:
        """Have something happen to the network."""
        done = threading.Event()
        self.loop.call_soon_threadsafe(lambda: (deed(), done.set()))
        done.wait()

    def end(self) -> None:
        """Close the network and end the thread."""

        async def finish() -> None:
            self.network.close()
            left = asyncio.all_tasks() - {asyncio.current_task()}
            await asyncio.wait(left, timeout=5.0) if left else None

        asyncio.run_coroutine_threadsafe(finish(), self.loop).result()
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()


@pytest.fixture
def between(practice: PracticeThread) -> Iterator[Between]:
    """The network before the practice server."""
    between = Between(practice.port)
    yield between
    between.end()


def test_upload_that_breaks_at_any_byte(
    practice: PracticeThread, between: Between, connect: Callable[..., tcnb.Session]
) -> None:
    """A file is in the chat once and whole, or the error says that it is not, or that nobody can tell."""
    tc = connect(web_port=between.network.port, timeout=10.0)
    other, chance = connect("bob"), random.Random(SEED)
    sent, unknown = 0, 0
    for number in range(TRIES):
        way, after = chance.random() < 0.3, chance.randrange(len(CONTENT) + 2_000)
        between.do(lambda way=way, after=after: between.network.cuts.update({way: after % 900 if way else after}))
        try:
            tc.send_document("bob", BufferedInputFile(CONTENT, f"{number}.bin"))
            sent += 1
        except OutcomeUnknownError:
            unknown += 1
        except (FileUploadError, TcnbError) as error:
            assert "\n" not in str(error)
        between.do(lambda: between.network.cuts.update({True: None, False: None}))
    there = other.history("robot")
    files = there[there["file_id"].notna()]
    assert not files["file_name"].duplicated().any()
    assert sent <= len(files) <= sent + unknown
    assert {hashlib.sha256(bytes(other.download(one))).digest() for one in files["file_id"]} <= {
        hashlib.sha256(CONTENT).digest()
    }
    assert between.network.torn > 0


def test_download_that_breaks_at_any_byte(
    practice: PracticeThread, between: Between, connect: Callable[..., tcnb.Session], tmp_path: Path
) -> None:
    """A file appears when it is whole, and not before."""
    tc = connect(web_port=between.network.port, timeout=10.0)
    file_id = connect("bob").send_document("robot", BufferedInputFile(CONTENT, "a.bin")).file_id
    chance, failed = random.Random(SEED), 0
    for _ in range(TRIES):
        after = chance.randrange(len(CONTENT))
        between.do(lambda after=after: between.network.cuts.update({True: after}))
        target = tmp_path / "a.bin"
        try:
            tc.download(file_id, target)
        except (FileDownloadError, TcnbError) as error:
            assert "\n" not in str(error)
            failed += 1
            assert list(tmp_path.iterdir()) == []
        else:
            assert target.read_bytes() == CONTENT
            target.unlink()
        between.do(lambda: between.network.cuts.update({True: None}))
    assert failed > 0


@pytest.mark.parametrize("name", ["crumbles", "delay"])
def test_slow_network_changes_nothing(between: Between, connect: Callable[..., tcnb.Session], name: str) -> None:
    """What comes in small pieces, cut at any byte, or late, is the same."""
    setattr(between.network, name, True if name == "crumbles" else 0.01)
    tc = connect(web_port=between.network.port)
    sent = tc.send_document("bob", BufferedInputFile(CONTENT, "a.bin"))
    assert tc.download(sent.file_id) == CONTENT
    assert tc.send("bob", "😀" * 1000).message_id
    assert list(tc.messages["text"].dropna())[-1] == "😀" * 1000
