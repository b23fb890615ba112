"""Files that others send, written beside the files of the person: over a real server, by every way there is."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

import tcnb
from tcnb.errors import DestinationExistsError, FileDownloadError, UsageError
from tcnb.types import BufferedInputFile


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def received(connect: Any, until: Any) -> Any:
    """Has somebody else send a file, and gives its id and the message."""
    sender, receiver = connect("bob"), connect("robot")

    def received(name: str, content: bytes = b"from outside") -> tuple[tcnb.Session, str]:
        sent = sender.send_document("robot", BufferedInputFile(content, name))
        until(receiver, lambda: sent.message_id in set(receiver.df["message_id"]))
        return receiver, sent.file_id

    return received


def test_own_notebook_is_kept(received: Any, here: Path) -> None:
    """Whoever is in a chat chooses names; a person's file of that name stays what it is."""
    (here / "analysis.ipynb").write_text("mine")
    tc, file_id = received("analysis.ipynb")
    assert tc.download(file_id, here) == here / "analysis (1).ipynb"
    assert tc.download(file_id, "./") == Path("analysis (2).ipynb")
    assert (here / "analysis.ipynb").read_text() == "mine"


def test_new_folder(received: Any, here: Path) -> None:
    """A path that ends in a separator is a folder; it is made, and nothing in it is replaced."""
    tc, file_id = received("image.png")
    assert tc.download(file_id, "new/") == Path("new/image.png")
    assert tc.download(file_id, "new/") == Path("new/image (1).png")


def test_exact_path(received: Any, here: Path) -> None:
    """A path of the person's own is refused where it is taken, and replaced where that is asked for."""
    tc, file_id = received("plan.pdf")
    (here / "mine.pdf").write_text("mine")
    with pytest.raises(DestinationExistsError, match="overwrite=True"):
        tc.download(file_id, "mine.pdf")
    assert (here / "mine.pdf").read_text() == "mine"
    assert tc.download(file_id, "mine.pdf", overwrite=True) == Path("mine.pdf")
    assert (here / "mine.pdf").read_bytes() == b"from outside"


def test_what_could_run_is_put_apart(received: Any, here: Path) -> None:
    """A file that Python would import from the working folder does not come to lie there."""
    tc, file_id = received("random.py")
    assert tc.download(file_id, ".") == Path("downloads/random.py")
    assert [path.name for path in here.iterdir()] == ["downloads"]


def test_ways_of_the_official_client(received: Any, here: Path) -> None:
    """As there, `dest_path` is a folder and an exact `file_path` replaces; in a folder nothing is replaced."""
    tc, file_id = received("plan.pdf")
    download = tc.bot.download_file_by_id

    async def both() -> list[Any]:
        return [await download(file_id, "inbox"), await download(file_id, dest_path="inbox")]

    assert asyncio.run(both()) == [Path("inbox/plan.pdf"), Path("inbox/plan (1).pdf")]
    (here / "mine.pdf").write_text("mine")
    assert tc._wait(download(file_id, file_path="mine.pdf")) == Path("mine.pdf")
    assert (here / "mine.pdf").read_bytes() == b"from outside"
    with pytest.raises(UsageError, match="give dest_path, a folder, or file_path, not both"):
        tc._wait(download(file_id, "inbox", file_path="mine.pdf"))


def test_file_of_a_message(received: Any, here: Path) -> None:
    """A message's own file is written by the same rules."""
    tc, _ = received("plan.pdf")
    message_id = tc.df.loc[tc.df["file_name"] == "plan.pdf", "message_id"].iloc[0]

    async def save() -> list[Any]:
        message = await tc.bot.get_message_by_id(message_id)
        return [await message.content.download("inbox"), await message.content.download("inbox")]

    assert tc._wait(save()) == [Path("inbox/plan.pdf"), Path("inbox/plan (1).pdf")]


def test_broken_download_leaves_nothing(received: Any, practice: Any, here: Path) -> None:
    """A file appears under its name only when it is whole; of one that broke off nothing is left."""
    tc, file_id = received("plan.pdf", b"x" * 100_000)
    practice.call(lambda server: setattr(server.faults, "cut_downloads_after", 50_000))
    with pytest.raises(FileDownloadError, match="broke off"):
        tc.download(file_id, "inbox/")
    assert list((here / "inbox").iterdir()) == []
