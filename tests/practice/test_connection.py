"""The socket of the practice server: handshake, authorization, frames that are none, pings and the end."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import pytest
import websockets

from tcnb.practice import PracticeServer

from .conftest import ACCOUNTS, Join
from .wire import PATIENCE, Refused, WireBot


async def refusal_of(answer: Any) -> int:
    """Return the code with which something is refused."""
    with pytest.raises(Refused) as refused:
        await answer
    return refused.value.code


@pytest.mark.parametrize("path", ["/websocket/chat_bot", "/websocket/chat_bot/"])
async def test_both_spellings_of_the_path_are_taken(server: PracticeServer, path: str) -> None:
    """The socket opens with and without the trailing slash."""
    bot = await WireBot(server.url).open(path)
    await bot.close()


async def test_subprotocol_is_echoed_when_offered(server: PracticeServer) -> None:
    """A client that offers json.v1 gets it back."""
    bot = await WireBot(server.url).open(subprotocols=["json.v1"])
    assert bot.socket.subprotocol == "json.v1"
    await bot.close()


async def test_no_subprotocol_unless_offered(server: PracticeServer) -> None:
    """A client that offers none gets none."""
    bot = await WireBot(server.url).open()
    assert bot.socket.subprotocol is None
    await bot.close()


async def test_auth_answers_with_a_resource(server: PracticeServer, join: Join) -> None:
    """The id after `auth` carries a suffix that is different for every connection."""
    bot = await WireBot(server.url).open()
    token = await bot.token("ann")
    first = await bot.auth(token)
    assert first["userId"] == f"ann@practice.local/{first['connectionId']}"
    other = await WireBot(server.url).open()
    assert (await other.auth(token))["connectionId"] != first["connectionId"]
    await bot.close()
    await other.close()


async def test_everything_before_auth_is_200(server: PracticeServer) -> None:
    """Requests before `auth` are refused with 200, also methods that do not exist."""
    bot = await WireBot(server.url).open()
    assert await refusal_of(bot.ask("getChats", {"count": 1, "page": 1})) == 200
    assert await refusal_of(bot.ask("noSuchMethod")) == 200
    await bot.close()


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        ({"token": "not.a.token", "tokenType": "JWT"}, 201),
        ({"token": "x", "tokenType": "JWT"}, 201),
        ({"token": "x", "tokenType": "Basic"}, 204),
        ({"tokenType": "JWT"}, 399),
        ({"token": 5, "tokenType": "JWT"}, 399),
        ({"token": "x", "tokenType": "JWT", "receiveUnread": "yes"}, 399),
    ],
)
async def test_bad_auth_is_refused(server: PracticeServer, payload: dict[str, Any], code: int) -> None:
    """Each way to get `auth` wrong has its code, and the socket stays open for another try."""
    bot = await WireBot(server.url).open()
    assert await refusal_of(bot.ask("auth", payload)) == code
    await bot.auth(await bot.token("ann"))
    await bot.close()


async def test_disabled_user_is_202(server: PracticeServer) -> None:
    """A disabled account is refused with 202."""
    bot = await WireBot(server.url).open()
    token = await bot.token("ann")
    server.world.user("ann@practice.local").disabled = True
    assert await refusal_of(bot.auth(token)) == 202
    await bot.close()


async def test_expired_token_is_203_at_auth_and_later(server: PracticeServer, join: Join) -> None:
    """Expired tokens are refused at `auth` and at any request of sessions that used them; a fresh one works."""
    bot = await join("ann")
    old = await bot.token("ann")
    server.expire_tokens()
    assert await refusal_of(bot.ask("getFileUploadLimits")) == 203
    assert await refusal_of(bot.auth(old)) == 203
    await bot.auth(await bot.token("ann"))
    await bot.ask("getFileUploadLimits")


async def test_token_that_ran_out_is_203_but_its_socket_lives(server: PracticeServer, join: Join) -> None:
    """A token past its time is refused at `auth`, while the session that used it goes on."""
    ann, other = await join("ann"), await WireBot(server.url).open()
    token = await ann.token("ann")
    server.office.clock = lambda: time.time() + server.world.settings.token_lifetime + 1
    assert await refusal_of(other.auth(token)) == 203
    await ann.settle()
    await other.close()


async def test_unknown_method_is_307(join: Join) -> None:
    """A method that does not exist is refused with 307."""
    assert await refusal_of((await join("ann")).ask("levitate")) == 307


@pytest.mark.parametrize(
    ("method", "payload"),
    [
        ("createGroupChat", {}),
        ("getChats", {"count": "ten", "page": 1}),
        ("getChats", {"count": True, "page": 1}),
        ("sendMessage", {"chatId": "x"}),
        ("sendMessage", {"chatId": "x", "content": "hello"}),
        ("sendMessage", {"chatId": "x", "content": {"text": None, "parseMode": "text"}}),
        ("getMessageById", ["m"]),
        ("createP2PChat", {"userId": "nobody@practice.local"}),
        ("createP2PChat", {"userId": "bob"}),
    ],
)
async def test_mistyped_payload_is_399(join: Join, method: str, payload: Any) -> None:
    """Missing or mistyped fields, and users nobody knows, are refused with 399."""
    assert await refusal_of((await join("ann")).ask(method, payload)) == 399


@pytest.mark.parametrize(
    "text", ["", "hello", "[1, 2]", "null", '{"type": 1}', '{"type": 9, "id": 1}', '{"id": "x"', "5"]
)
async def test_what_is_no_frame_is_ignored(server: PracticeServer, join: Join, text: str) -> None:
    """Text that is no frame is counted and gets no answer, and the connection lives."""
    bot = await join("ann")
    await bot.send(text)
    await bot.settle()
    assert server.malformed == 1


async def test_binary_frames_are_read_too(join: Join) -> None:
    """JSON in a binary frame is understood like text."""
    bot = await join("ann")
    await bot.send(b'{"type": 2, "id": 12345}')
    await bot.settle()


async def test_duplicate_id_is_2(join: Join) -> None:
    """An id that was used on this connection is refused with 2."""
    bot = await join("ann")
    bot.last_id = 0
    assert await refusal_of(bot.ask("getFileUploadLimits")) == 2


async def test_duplicate_ids_can_be_allowed(server: PracticeServer, join: Join) -> None:
    """With the switch off, an id may be used again."""
    server.world.settings.refuse_duplicate_ids = False
    bot = await join("ann")
    bot.last_id = 0
    await bot.ask("getFileUploadLimits")


async def test_129th_connection_is_503(server: PracticeServer) -> None:
    """More connections than the limit are refused at the upgrade."""
    async with PracticeServer(accounts=ACCOUNTS, connection_limit=2) as small:
        bots = [await WireBot(small.url).open() for _ in range(2)]
        with pytest.raises(websockets.InvalidStatus) as refused:
            await WireBot(small.url).open()
        assert refused.value.response.status_code == 503
        await bots[0].close()
        await small.until(lambda: len(small.sessions) == 1)
        bots[0] = await WireBot(small.url).open()
        for bot in bots:
            await bot.close()


async def test_server_pings_with_empty_payload() -> None:
    """The server sends pings without payload, and a client that answers stays connected."""
    async with PracticeServer(accounts=ACCOUNTS, ping_interval=0.05, ping_timeout=0.1) as server:
        reader, writer = await handshake(server)
        frame = await asyncio.wait_for(reader.readexactly(2), PATIENCE)
        assert frame == b"\x89\x00"
        for _ in range(8):
            # A masked, empty pong.
            writer.write(b"\x8a\x80\x00\x00\x00\x00")
            assert await asyncio.wait_for(reader.readexactly(2), PATIENCE) == b"\x89\x00"
        writer.close()


async def test_silent_client_is_dropped() -> None:
    """A client that answers no ping for the time-out loses its connection, later than after one interval."""
    async with PracticeServer(accounts=ACCOUNTS, ping_interval=0.05, ping_timeout=0.2) as server:
        reader, writer = await handshake(server)
        pings = await asyncio.wait_for(reader.read(), PATIENCE)
        assert set(pings) == {0x89, 0x00}
        assert len(pings) // 2 >= 3
        await server.until(lambda: not server.sessions)
        writer.close()


async def test_no_pings_when_switched_off() -> None:
    """An interval of zero sends no pings."""
    async with PracticeServer(accounts=ACCOUNTS, ping_interval=0) as server:
        reader, writer = await handshake(server)
        # An unauthorized request is answered, and nothing comes before the answer.
        payload = b'{"type":1,"id":1,"method":"x"}'
        writer.write(bytes((0x81, 0x80 | len(payload), 0, 0, 0, 0)) + payload)
        assert (await asyncio.wait_for(reader.readexactly(2), PATIENCE))[0] == 0x81
        writer.close()


async def test_client_ping_is_answered(join: Join) -> None:
    """A ping of the client gets its pong."""
    bot = await join("ann")
    pong = await bot.socket.ping(b"are you there")
    await asyncio.wait_for(pong, PATIENCE)


async def test_stopping_closes_with_1001() -> None:
    """A server that stops says good-bye with 1001."""
    async with PracticeServer(accounts=ACCOUNTS) as server:
        bot = await WireBot(server.url).open()
    await bot.ended
    assert bot.socket.close_code == 1001


async def test_large_frames_pass(join: Join) -> None:
    """Frames of more than 64 KiB pass in both directions."""
    bot = await join("ann")
    button = [{"type": "copy", "label": f"{n}", "data": "x" * 4000} for n in range(8)]
    chat_id = (await bot.ask("createFavoritesChat"))["chatId"]
    content = {"text": "many", "parseMode": "text", "buttons": [button] * 8}
    sent = await bot.ask("sendMessage", {"chatId": chat_id, "content": content})
    shown = await bot.ask("getMessageById", {"messageId": sent["messageId"]})
    assert shown["content"]["buttons"] == [button] * 8
    assert len(json.dumps(shown)) > 200_000


async def handshake(server: PracticeServer) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Open the socket by hand, with a client that does nothing by itself."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(
        b"GET /websocket/chat_bot HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    answer = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), PATIENCE)
    assert answer.startswith(b"HTTP/1.1 101 ")
    return reader, writer
