"""What `%tc_history` shows of its progress in a real IPython kernel, while its cell runs; how it looks is tested
elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from kernels import PATIENCE as LIMIT
from kernels import Kernel, Outcome

from tcnb.notebook.magics.progress import PATIENCE
from tcnb.practice import PracticeThread

pytestmark = pytest.mark.kernel

CONNECT = """%load_ext tcnb
import tcnb
tc = tcnb.connect("127.0.0.1", web_port={port}, https=False, username="robot", password="robot", journal=None)"""
MESSAGES = 700


@pytest.fixture(scope="module")
def practice() -> Iterator[PracticeThread]:
    """A practice server with a group that has a past, to which the robot belongs."""

    def write(server: Any) -> None:
        alice, robot = (server.world.user(f"{login}@practice.local") for login in ("alice", "robot"))
        chat = server.world.create_group(alice, "Old crew")
        server.world.add_participant(alice, chat.chat_id, robot, display_history=True)
        for number in range(MESSAGES):
            server.world.say(alice, chat.chat_id, f"Build {number}", "text")

    with PracticeThread(accounts=("robot:robot:Robot", "alice:alice:Alice Doe")) as thread:
        thread.call(write)
        yield thread


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory, practice: PracticeThread) -> Iterator[Kernel]:
    """A kernel with a session in that group."""
    kernel = Kernel(tmp_path_factory.mktemp("kernel"))
    kernel.good(CONNECT.format(port=practice.port))
    yield kernel
    kernel.run("tc.close()")
    kernel.close()


@pytest.fixture(autouse=True)
def _no_page_is_late(practice: PracticeThread) -> Iterator[None]:
    """What one test made slow is not slow in the next."""
    yield
    practice.call(lambda server: server.faults.methods.clear())


def read(kernel: Kernel, practice: PracticeThread, options: str, pause: float) -> Outcome:
    """Read the past with a server that takes `pause` seconds for each page."""
    practice.call(lambda server: server.delay_next("getChatHistory", pause, 20))
    return kernel.good(f'%tc_history "Old crew" {options};')


def shown(outcome: Outcome) -> list[str]:
    """Give what was shown one after another in the place of the progress."""
    (first,) = outcome.of("display_data")
    updates = outcome.of("update_display_data")
    assert {one["transient"]["display_id"] for one in updates} == {first["transient"]["display_id"]}
    return [one["data"].get("text/html", "") for one in [first, *updates]]


def test_slow_reading_shows_how_far_it_is(kernel, practice):
    """A reading that takes long shows its count and how far back it is, more and more, and nothing of it stays."""
    *words, last = shown(read(kernel, practice, "--all", PATIENCE / 2))
    counts = [int(one.partition(" messages, back to ")[0].rpartition(">")[2]) for one in words if "back to" in one]
    assert len(counts) >= 3
    assert counts == sorted(set(counts))
    assert last == ""


def test_bar_has_an_end_where_it_is_known(kernel, practice):
    """With a number of messages a bar shows which part is read, also if they are few."""
    words = shown(read(kernel, practice, "-n 600", PATIENCE / 2))
    assert all('<progress max="600"' in one for one in words[:-1])


def test_first_page_that_is_late_is_told(kernel, practice):
    """While nothing came yet, it says that it reads."""
    words = shown(read(kernel, practice, "-n 50", 3 * PATIENCE))
    assert "reading …" in words[0]


def test_quick_reading_shows_nothing(kernel):
    """A reading that ends before anybody lost patience shows nothing."""
    kernel.good("import tcnb.notebook.magics.progress\ntcnb.notebook.magics.progress.PATIENCE = 600")
    outcome = kernel.good('%tc_history "Old crew" --all;')
    kernel.good(f"tcnb.notebook.magics.progress.PATIENCE = {PATIENCE}")
    assert outcome.of("display_data") == []


def test_interrupted_reading_leaves_nothing(kernel, practice):
    """A reading that is interrupted takes away what it showed."""
    practice.call(lambda server: server.delay_next("getChatHistory", PATIENCE, 20))
    cell = kernel.start('%tc_history "Old crew" --all;')
    while kernel.client.get_iopub_msg(timeout=LIMIT)["msg_type"] != "display_data":
        pass
    kernel.manager.interrupt_kernel()
    outcome = kernel.finish(cell)
    assert outcome.error[0] == "KeyboardInterrupt"
    assert outcome.of("update_display_data")[-1]["data"] == {}
