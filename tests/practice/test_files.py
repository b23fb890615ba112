"""Uploads and downloads of the practice server, byte by byte, and everything that is refused about them."""

from __future__ import annotations

import asyncio
import resource
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tcnb.practice import PracticeServer
from tcnb.practice.uploads import MalformedUpload, MultipartReader, boundary_of

from .conftest import Join
from .test_connection import refusal_of
from .wire import WireBot, get, upload

BODY = bytes(range(256)) * 700 + b"\r\n--"


async def uploaded(bot: WireBot, data: bytes, name: str = "plan.bin", **fields: Any) -> str:
    """Upload a file and return its temporal id."""
    task = await bot.ask("uploadFile", {"fileSize": len(data), "fileName": name})
    status, payload = await upload(bot.url, task["uploadTaskId"], data, name=name, **fields)
    assert status == 200
    return str(payload["temporalFileId"])


async def own_chat(bot: WireBot) -> str:
    """Return the id of the bot's favorites chat."""
    return str((await bot.ask("createFavoritesChat"))["chatId"])


async def test_file_comes_back_byte_by_byte(join: Join) -> None:
    """What was uploaded is downloaded unchanged, with its name, type and size."""
    ann, bob = await join("ann"), await join("bob")
    chat_id = (await ann.ask("createP2PChat", {"userId": "bob@practice.local"}))["chatId"]
    temporal = await uploaded(ann, BODY, "план.pdf", mime_type="application/pdf")
    sent = await ann.ask("sendFile", {"chatId": chat_id, "content": {"temporalFileId": temporal}})
    assert "captionMessageId" not in sent
    content = (await bob.heard("sendMessage"))["content"]
    assert content == {
        "name": "план.pdf",
        "size": len(BODY),
        "fileId": sent["fileId"],
        "mimeType": "application/pdf",
        "readyState": 2,
    }
    info = await bob.ask("getFileInfo", {"fileId": sent["fileId"]})
    assert info["previews"] is None
    assert await get(info["downloadUrl"]) == (200, BODY, "application/pdf")


async def test_name_in_the_header_of_the_part_can_be_told(join: Join, server: PracticeServer) -> None:
    """A file goes by its declared name, and the one in the multipart header is kept beside it."""
    ann = await join("ann")
    task = await ann.ask("uploadFile", {"fileSize": 4, "fileName": "declared.txt"})
    _, payload = await upload(ann.url, task["uploadTaskId"], b"text", name="отчёт за «май».txt")
    content = {"temporalFileId": payload["temporalFileId"]}
    sent = await ann.ask("sendFile", {"chatId": await own_chat(ann), "content": content})
    file = server.world.files[sent["fileId"]]
    assert (file.name, file.posted_name) == ("declared.txt", "отчёт за «май».txt")


async def test_preview_is_kept(join: Join) -> None:
    """A preview part becomes a file of its own, under the name in its header."""
    ann = await join("ann")
    temporal = await uploaded(ann, b"png", "a.png", mime_type="image/png", preview=b"webp bytes")
    answer = await ann.ask("sendFile", {"chatId": await own_chat(ann), "content": {"temporalFileId": temporal}})
    (preview,) = (await ann.ask("getFileInfo", {"fileId": answer["fileId"]}))["previews"]
    assert (preview["name"], preview["mimeType"]) == ("preview.webp", "image/webp")
    assert await get(preview["downloadUrl"]) == (200, b"webp bytes", "image/webp")


async def test_caption_is_a_message_after_the_file(join: Join) -> None:
    """A caption becomes a message of its own, named in the answer, and comes after the file."""
    ann, bob = await join("ann"), await join("bob")
    chat_id = (await ann.ask("createP2PChat", {"userId": "bob@practice.local"}))["chatId"]
    caption = {"text": "Q3 plan", "parseMode": "text"}
    content = {"temporalFileId": await uploaded(ann, b"x"), "caption": caption}
    sent = await ann.ask("sendFile", {"chatId": chat_id, "content": content})
    first, second = await bob.heard("sendMessage"), await bob.heard("sendMessage")
    assert (first["type"], first["messageId"]) == (202, sent["messageId"])
    assert (second["type"], second["messageId"]) == (200, sent["captionMessageId"])
    assert second["content"] == caption


async def test_caption_can_come_first(server: PracticeServer, join: Join) -> None:
    """With the switch, the caption comes before the file."""
    server.world.settings.caption_after_file = False
    ann = await join("ann")
    chat_id = await own_chat(ann)
    content = {"temporalFileId": await uploaded(ann, b"x"), "caption": {"text": "first", "parseMode": "text"}}
    await ann.ask("sendFile", {"chatId": chat_id, "content": content})
    history = await ann.ask("getChatHistory", {"chatId": chat_id, "count": 2})
    assert [message["type"] for message in history["messages"]] == [202, 200]


async def test_temporal_id_is_good_once_and_for_its_owner(join: Join) -> None:
    """A temporal id is used up by sending, and is nobody else's."""
    ann, bob = await join("ann"), await join("bob")
    temporal = await uploaded(ann, b"x")
    foreign = bob.ask("sendFile", {"chatId": await own_chat(bob), "content": {"temporalFileId": temporal}})
    assert await refusal_of(foreign) == 404
    own = {"chatId": await own_chat(ann), "content": {"temporalFileId": temporal}}
    await ann.ask("sendFile", own)
    assert await refusal_of(ann.ask("sendFile", own)) == 404


@pytest.mark.parametrize("surplus", [-1, 1, 100_000])
async def test_size_must_be_exact(join: Join, surplus: int) -> None:
    """A body of another size than declared is refused with HTTP 400."""
    ann = await join("ann")
    data = b"x" * 200_000
    task = await ann.ask("uploadFile", {"fileSize": len(data) - surplus, "fileName": "x.bin"})
    assert await upload(ann.url, task["uploadTaskId"], data) == (400, {"errorCode": 408})


async def test_empty_file_is_a_file(join: Join) -> None:
    """A file without bytes can be sent and downloaded."""
    ann = await join("ann")
    answer = await ann.ask(
        "sendFile", {"chatId": await own_chat(ann), "content": {"temporalFileId": await uploaded(ann, b"")}}
    )
    info = await ann.ask("getFileInfo", {"fileId": answer["fileId"]})
    assert (await get(info["downloadUrl"]))[:2] == (200, b"")


async def test_task_is_good_once(join: Join) -> None:
    """An unknown task and a second upload with the same are refused with 407."""
    ann = await join("ann")
    task = (await ann.ask("uploadFile", {"fileSize": 1, "fileName": "x.bin"}))["uploadTaskId"]
    assert (await upload(ann.url, task, b"x"))[0] == 200
    assert await upload(ann.url, task, b"x") == (400, {"errorCode": 407})
    assert await upload(ann.url, "no-such-task", b"x" * 3_000_000) == (400, {"errorCode": 407})


async def test_body_must_be_multipart(join: Join) -> None:
    """A body that is not multipart/form-data is refused."""
    ann = await join("ann")
    task = (await ann.ask("uploadFile", {"fileSize": 1, "fileName": "x.bin"}))["uploadTaskId"]
    async with (
        aiohttp.ClientSession() as session,
        session.post(ann.url + "/bridge/api/client/v1/files", data=b"x", headers={"Upload-Task-Id": task}) as answer,
    ):
        assert (answer.status, await answer.json()) == (400, {"errorCode": 408})


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        ({"fileSize": 10, "fileName": ""}, 402),
        ({"fileSize": 10, "fileName": "../x"}, 402),
        ({"fileSize": 10}, 399),
        ({"fileSize": -1, "fileName": "x"}, 399),
        ({"fileSize": "10", "fileName": "x"}, 399),
        ({"fileSize": 1 << 60, "fileName": "x"}, 401),
    ],
)
async def test_bad_upload_requests(join: Join, request_: dict[str, Any], code: int) -> None:
    """Bad names, mistyped fields and files larger than the disk are refused."""
    assert await refusal_of((await join("ann")).ask("uploadFile", request_)) == code


@pytest.mark.parametrize(
    ("name", "size", "mode", "code"),
    [
        ("a.txt", 2000, "block", 406),
        ("a.EXE", 10, "block", 403),
        ("a.txt", 10, "allow", 403),
    ],
)
async def test_limits_are_enforced(
    server: PracticeServer, join: Join, name: str, size: int, mode: str, code: int
) -> None:
    """What the administrator's limits forbid is refused."""
    ann = await join("ann")
    server.set_upload_limits(1000, ["exe"], mode)
    assert await refusal_of(ann.ask("uploadFile", {"fileSize": size, "fileName": name})) == code


async def test_download_needs_its_token(join: Join) -> None:
    """Addresses without their token, or with another file's, are 404."""
    ann = await join("ann")
    chat_id = await own_chat(ann)
    addresses = []
    for data in (b"one", b"two"):
        content = {"temporalFileId": await uploaded(ann, data)}
        file_id = (await ann.ask("sendFile", {"chatId": chat_id, "content": content}))["fileId"]
        addresses.append((await ann.ask("getFileInfo", {"fileId": file_id}))["downloadUrl"])
    bare = addresses[0].partition("?")[0]
    assert (await get(bare))[0] == 404
    assert (await get(f"{bare}?token=0-abc"))[0] == 404
    assert (await get(f"{bare}?{addresses[1].partition('?')[2]}"))[0] == 404
    assert (await get(addresses[0]))[:2] == (200, b"one")


async def test_public_address_can_differ(join: Join) -> None:
    """A server may name an address that the client cannot reach, while path and token stay right."""
    async with PracticeServer(public_url="https://unreachable.example:8443") as server:
        bot = await WireBot(server.url).open()
        await bot.auth(await bot.token("robot"))
        content = {"temporalFileId": await uploaded(bot, b"data")}
        answer = await bot.ask("sendFile", {"chatId": await own_chat(bot), "content": content})
        address = (await bot.ask("getFileInfo", {"fileId": answer["fileId"]}))["downloadUrl"]
        assert address.startswith("https://unreachable.example:8443/bridge/api/client/v1/files/")
        reachable = address.replace("https://unreachable.example:8443", server.url)
        assert (await get(reachable))[:2] == (200, b"data")
        await bot.close()


async def test_avatar_is_an_image_and_is_told(join: Join) -> None:
    """An uploaded image becomes the picture of a group; anything else is refused with 408."""
    ann, bob = await join("ann"), await join("bob")
    chat_id = (await ann.ask("createGroupChat", {"title": "G"}))["chatId"]
    await ann.ask("addChatParticipant", {"chatId": chat_id, "userId": "bob@practice.local", "displayHistory": True})
    text = await uploaded(ann, b"x", "x.txt", mime_type="text/plain")
    assert await refusal_of(ann.ask("editChatAvatar", {"chatId": chat_id, "temporalFileId": text})) == 408
    image = await uploaded(ann, b"png", "x.png", mime_type="image/png")
    await ann.ask("editChatAvatar", {"chatId": chat_id, "temporalFileId": image})
    address = (await bob.heard("editChatAvatar"))["avatarUrl"]
    assert (await get(address))[:2] == (200, b"png")
    assert (await bob.ask("getChatByID", {"chatId": chat_id}))["avatarUrl"] == address


async def test_large_upload_does_not_stay_in_memory(server: PracticeServer, join: Join) -> None:
    """Uploading and downloading far more than memory is allowed to grow goes through the disk."""
    ann = await join("ann")
    size = 160 * 1024 * 1024
    task = (await ann.ask("uploadFile", {"fileSize": size, "fileName": "big.bin"}))["uploadTaskId"]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    status, temporal = await stream_up(server.port, task, size)
    assert status == 200
    sent = await ann.ask("sendFile", {"chatId": await own_chat(ann), "content": {"temporalFileId": temporal}})
    info = await ann.ask("getFileInfo", {"fileId": sent["fileId"]})
    received = 0
    async with aiohttp.ClientSession() as session, session.get(info["downloadUrl"]) as answer:
        async for chunk in answer.content.iter_chunked(1 << 16):
            received += len(chunk)
    assert received == size
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 * 1024


async def stream_up(port: int, task: str, size: int) -> tuple[int, str]:
    """Upload zeros without a library that might buffer them; return the status and the temporal id."""
    head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="big.bin"\r\n\r\n'
    tail = b"\r\n--x--\r\n"
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(
        b"POST /bridge/api/client/v1/files HTTP/1.1\r\nHost: x\r\nConnection: close\r\nUpload-Task-Id: %b\r\n"
        b"Content-Type: multipart/form-data; boundary=x\r\nContent-Length: %d\r\n\r\n"
        % (task.encode(), len(head) + size + len(tail))
        + head
    )
    chunk = bytes(1 << 20)
    for _ in range(size // len(chunk)):
        writer.write(chunk)
        await writer.drain()
    writer.write(tail)
    answer = await reader.read()
    writer.close()
    return int(answer.split()[1]), answer.rpartition(b'":"')[2].rstrip(b'"}').decode()


async def test_broken_off_upload_leaves_nothing(server: PracticeServer, join: Join) -> None:
    """A client that disappears in the middle of an upload leaves no file behind, and may try again."""
    ann = await join("ann")
    task = (await ann.ask("uploadFile", {"fileSize": 1000, "fileName": "x.bin"}))["uploadTaskId"]
    _, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(
        b"POST /bridge/api/client/v1/files HTTP/1.1\r\nHost: x\r\nUpload-Task-Id: %b\r\nContent-Length: 5000\r\n"
        b"Content-Type: multipart/form-data; boundary=x\r\n\r\n--x\r\nContent-Disposition: form-data; "
        b'name="file"; filename="x"\r\n\r\nabc' % task.encode()
    )
    await writer.drain()
    folder = server.storage.folder
    while not any(folder.iterdir()):
        await ann.settle()
    writer.close()
    while any(folder.iterdir()):
        await ann.settle()
    assert (await upload(ann.url, task, b"x" * 1000))[0] == 200


async def test_stopping_deletes_uploads(join: Join) -> None:
    """A server that stops leaves nothing on the disk."""
    async with PracticeServer() as server:
        folder = server.storage.folder
    assert not folder.exists()


@pytest.mark.parametrize("step", [1, 2, 3, 7, 64, 10_000])
def test_multipart_is_read_in_pieces_of_any_size(tmp_path: Path, step: int) -> None:
    """Parts are found wherever the pieces are cut, and bytes that look like a boundary stay."""
    data = b"one\r\n--bound\r\ntwo\r\n--boundar"
    body = (
        b'--boundary\r\nContent-Disposition: form-data; name="skipped"\r\n\r\nignore me\r\n'
        b'--boundary\r\nContent-Disposition: form-data; name="file"; filename="name=\xd1\x8f.bin"\r\n'
        b"Content-Type: text/x\r\n\r\n" + data + b"\r\n"
        b'--boundary\r\nContent-Disposition: form-data; name="preview"\r\n\r\n\r\n--boundary--\r\ntrailing'
    )
    places = {"file": tmp_path / "file", "preview": tmp_path / "preview"}
    reader = MultipartReader(b"boundary", places, {"file": 1000, "preview": 1000})
    for start in range(0, len(body), step):
        reader.feed(body[start : start + step])
    assert reader.is_complete
    assert places["file"].read_bytes() == data
    assert (reader.parts["file"].size, reader.parts["file"].mime_type) == (len(data), "text/x")
    assert places["preview"].read_bytes() == b""


def test_surplus_is_counted_and_not_kept(tmp_path: Path) -> None:
    """What exceeds the declared size is counted, so that it is refused, and does not fill the disk."""
    places = {"file": tmp_path / "file"}
    reader = MultipartReader(b"b", places, {"file": 10})
    reader.feed(b'--b\r\nContent-Disposition: form-data; name="file"\r\n\r\n')
    for _ in range(100):
        reader.feed(b"x" * 1000)
    reader.feed(b"\r\n--b--")
    assert reader.parts["file"].size == 100_000
    assert places["file"].stat().st_size <= 1000


@pytest.mark.parametrize("content_type", ["", "text/plain", "multipart/form-data", "multipart/mixed; boundary=x"])
def test_content_type_must_name_a_boundary(content_type: str) -> None:
    """Anything but multipart/form-data with a boundary is refused."""
    with pytest.raises(MalformedUpload):
        boundary_of(content_type)
