"""Files between tcnb and the official client, in both directions, compared byte by byte."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from trueconf.types.input_file import BufferedInputFile, FSInputFile

import tcnb

from . import voices
from .voices import Official

SIZES = {"one byte": 1, "three megabytes": 3_000_000, "a bit more than a chunk": 2**20 + 1}

NAMES = [
    "отчёт за квартал.bin",
    'the "final" version.bin',
    "it's – 100% (copy).bin",
    "🚀 launch 👩‍🚀.bin",
    'С «ёлочками» и "лапками" 🎄.bin',
    "no extension",
]


@pytest.fixture(params=SIZES.values(), ids=SIZES.keys())
def data(request: pytest.FixtureRequest) -> bytes:
    """Bytes of every size, none of which is a text."""
    return os.urandom(request.param)


async def received(tc: tcnb.Session, message_id: str) -> dict[str, object]:
    """Return the row of a message as soon as it is there."""
    await voices.until(tc, lambda: (tc.df["message_id"] == message_id).any())
    (found,) = tc.df[tc.df["message_id"] == message_id].to_dict("records")
    return found


def files_in(folder: Path) -> list[Path]:
    """Return what is in a folder."""
    return list(folder.iterdir())


async def test_file_of_tcnb_is_downloaded_by_the_official_client(
    ann: Official, tc: tcnb.Session, chat: str, data: bytes
) -> None:
    """The official client gets the very bytes that tcnb sent from memory."""
    await tc.asend_document(chat, tcnb.BufferedInputFile(data, "data.bin"))
    got = await ann.heard()
    assert got.document.file_size == len(data)
    assert await got.document.download() == data


async def test_file_of_tcnb_is_the_same_on_the_other_disk(
    ann: Official, tc: tcnb.Session, chat: str, data: bytes, tmp_path: Path
) -> None:
    """A file goes from disk to disk unchanged."""
    source, target = tmp_path / "source.bin", tmp_path / "target.bin"
    source.write_bytes(data)
    await tc.asend_document(chat, source)
    await (await ann.heard()).document.download(file_path=target)
    assert target.read_bytes() == data


async def test_message_downloads_its_file(
    ann: Official, tc: tcnb.Session, chat: str, data: bytes, tmp_path: Path
) -> None:
    """A message of a session brings its file itself: as bytes, into a folder that is made, and to a very path."""
    coming = await voices.waiting(tc, event="message", chat=chat)
    await ann.bot.send_document(chat, BufferedInputFile(data, "data.bin"))
    document = (await coming).document
    assert await document.download() == data
    assert await document.download(tmp_path / "new") == tmp_path / "new" / "data.bin"
    assert await document.download(file_path=tmp_path / "other.bin") == tmp_path / "other.bin"
    assert (tmp_path / "new" / "data.bin").read_bytes() == (tmp_path / "other.bin").read_bytes() == data


async def test_file_of_the_official_client_is_downloaded_by_tcnb(
    ann: Official, tc: tcnb.Session, chat: str, data: bytes
) -> None:
    """tcnb gets the very bytes that the official client sent from memory, and their number stands in the frame."""
    sent = await ann.bot.send_document(chat, BufferedInputFile(data, "data.bin", mime_type="application/x-test"))
    row = await received(tc, sent.message_id)
    assert (row["file_id"], row["file_size"], row["mime_type"]) == (sent.file_id, len(data), "application/x-test")
    assert await tc.adownload(sent.file_id) == data


# The official client gives aiohttp a file from disk as bytes, which aiohttp advises against.
@pytest.mark.filterwarnings("ignore:Sending a large body directly:ResourceWarning")
async def test_file_of_the_official_client_is_the_same_on_the_other_disk(
    ann: Official, tc: tcnb.Session, chat: str, data: bytes, tmp_path: Path
) -> None:
    """A file goes from the official client's disk into a folder of tcnb's, under its own name and unchanged."""
    source, folder = tmp_path / "source.bin", tmp_path / "folder"
    source.write_bytes(data)
    folder.mkdir()
    sent = await ann.bot.send_document(chat, FSInputFile(source))
    assert await tc.adownload(sent.file_id, folder) == folder / "source.bin"
    assert (folder / "source.bin").read_bytes() == data


@pytest.mark.parametrize("name", NAMES)
async def test_name_given_by_tcnb_reaches_the_official_client(
    ann: Official, tc: tcnb.Session, chat: str, name: str
) -> None:
    """The official client sees a file's name as it was given, and gets its bytes."""
    data = name.encode() * 100
    await tc.asend_document(chat, tcnb.BufferedInputFile(data, name, mimetype="application/x-test"))
    got = await ann.heard()
    assert got.document.file_name == name
    assert await got.document.download() == data


@pytest.mark.parametrize("name", NAMES)
async def test_name_given_by_the_official_client_stands_in_the_frame(
    ann: Official, tc: tcnb.Session, chat: str, name: str
) -> None:
    """The frame has a file's name as it was given, and its bytes can be had."""
    data = name.encode() * 100
    sent = await ann.bot.send_document(chat, BufferedInputFile(data, name, mime_type="application/x-test"))
    row = await received(tc, sent.message_id)
    assert row["file_name"] == name
    assert await tc.adownload(sent.file_id) == data


@pytest.mark.parametrize("name", NAMES)
async def test_any_name_becomes_a_file_in_a_folder(
    ann: Official, tc: tcnb.Session, chat: str, name: str, tmp_path: Path
) -> None:
    """Whatever the name, the file is written into the folder, whole and under a name that keeps its letters."""
    data = name.encode() * 100
    sent = await ann.bot.send_document(chat, BufferedInputFile(data, name, mime_type="application/x-test"))
    saved = await tc.adownload(sent.file_id, tmp_path)
    assert isinstance(saved, Path)
    assert files_in(tmp_path) == [saved]
    assert saved.name == name.replace('"', "_")
    assert saved.read_bytes() == data


async def test_file_is_forwarded_and_downloaded_back(ann: Official, tc: tcnb.Session, chat: str) -> None:
    """A file that the official client forwards keeps its id, and tcnb gets the same bytes through it."""
    data = os.urandom(100_000)
    sent = await tc.asend_document(chat, tcnb.BufferedInputFile(data, "data.bin"))
    forwarded = await (await ann.heard()).forward(chat)
    row = await received(tc, forwarded.message_id)
    assert (row["message_type"], row["forwarded_from"], row["file_id"]) == (
        "forwarded",
        "robot@practice.local",
        sent.file_id,
    )
    assert await tc.adownload(str(row["file_id"])) == data


async def test_photo_of_the_official_client_is_downloaded_by_tcnb(ann: Official, tc: tcnb.Session, chat: str) -> None:
    """A photo and its preview arrive as they were sent."""
    photo, preview = voices.picture("JPEG"), voices.picture("WEBP", size=(80, 60))
    sent = await ann.bot.send_photo(
        chat, BufferedInputFile(photo, "cat.jpg"), preview=BufferedInputFile(preview, "preview.webp")
    )
    assert await tc.adownload(sent.file_id) == photo
    info = await tc.bot.get_file_info(sent.file_id)
    assert info.previews is not None
    assert [(small.mime_type, small.size) for small in info.previews] == [("image/webp", len(preview))]


async def test_sticker_of_the_official_client_is_downloaded_by_tcnb(ann: Official, tc: tcnb.Session, chat: str) -> None:
    """A sticker arrives as a sticker, its bytes unchanged."""
    data = voices.picture("WEBP", "gold", (256, 256))
    sent = await ann.bot.send_sticker(chat, BufferedInputFile(data, "hi.webp"))
    assert (await received(tc, sent.message_id))["mime_type"] == "sticker/webp"
    assert await tc.adownload(sent.file_id) == data
