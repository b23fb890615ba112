"""Files that others send, written beside the files of the person: over a real server, by every way there is."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

import tcnb
from tcnb.errors import DestinationExistsError, FileDownloadError, UsageError
from tcnb.notebook.feed.actions import Actions
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


WAYS: dict[str, Any] = {
    "a blocking download into memory": lambda tc, file_id, message_id: tc.download(file_id),
    "a blocking download into a folder": lambda tc, file_id, message_id: tc.download(file_id, "inbox/"),
    "a download of a row": lambda tc, file_id, message_id: tc.download(row_of(tc, file_id), "inbox/"),
    "an awaited download": lambda tc, file_id, message_id: asyncio.run(tc.adownload(file_id, "inbox/plan.pdf")),
    "the bot's method": lambda tc, file_id, message_id: tc._wait(tc.bot.download_file_by_id(file_id, "inbox")),
    "the bot's method into memory": lambda tc, file_id, message_id: tc._wait(tc.bot.download_file_by_id(file_id)),
    "a message's file": lambda tc, file_id, message_id: tc._wait(of_message(tc, message_id)),
    "the save button": lambda tc, file_id, message_id: saved(tc, row_of(tc, file_id)),
}
"""Ways of downloading, by name."""


def row_of(tc: tcnb.Session, file_id: str) -> Any:
    return next(tc.df[tc.df["file_id"] == file_id].itertuples())


async def of_message(tc: tcnb.Session, message_id: str) -> Any:
    return await (await tc.bot.get_message_by_id(message_id)).content.download("inbox")


def saved(tc: tcnb.Session, row: Any) -> Any:
    """Press the save button of a row, and raise what the page would be told."""
    actions = Actions(tc)
    done = asyncio.run_coroutine_threadsafe(actions.carry_out({"type": "keep", "seq": int(row.seq)}), tc.loop).result(
        30
    )
    if "refused" in done:
        raise FileDownloadError(f"{done}")
    return done


@pytest.mark.parametrize("content", ["x" * 400, "x" * 5000])
@pytest.mark.parametrize("way", WAYS)
def test_file_of_another_size_is_not_taken_for_it(
    received: Any, practice: Any, here: Path, way: str, content: str
) -> None:
    """Whoever downloads, and however, gets the whole file or an error."""
    tc, file_id = received("plan.pdf", b"x" * 1000)
    message_id = row_of(tc, file_id).message_id
    practice.call(lambda server: server.fail_next_http("download", 200, content))
    with pytest.raises(FileDownloadError, match="told as"):
        WAYS[way](tc, file_id, message_id)
    assert [path for path in here.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize("way", ["a download of a row", "a message's file", "the save button"])
def test_file_of_another_size_than_its_message_tells(received: Any, practice: Any, here: Path, way: str) -> None:
    """A file that is not the one of its message is refused, although the server says the same of it twice."""
    tc, file_id = received("plan.pdf", b"x" * 1000)
    row = row_of(tc, file_id)
    message = tc._wait(tc.bot.get_message_by_id(row.message_id))

    def shrink(server: Any) -> None:
        file = server.world.file(file_id)
        file.size, file.source = 400, b"x" * 400

    practice.call(shrink)
    with pytest.raises(FileDownloadError, match="told as 400 and 1000 bytes"):
        if way == "a message's file":
            tc._wait(message.content.download("inbox"))
        else:
            WAYS[way](tc, file_id, row.message_id)
    assert [path for path in here.rglob("*") if path.is_file()] == []
