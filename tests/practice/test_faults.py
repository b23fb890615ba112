"""What goes wrong on order: codes, delays, broken connections, malformed frames, and orders over HTTP."""

from __future__ import annotations

import asyncio

import pytest
import trustme
import websockets

from tcnb.practice import PracticeServer

from .conftest import ACCOUNTS, Join
from .test_connection import refusal_of
from .test_notifications import talk
from .test_tokens import GOOD, TOKEN
from .wire import PATIENCE, WireBot, get, post


async def test_next_requests_fail_with_a_code(server: PracticeServer, join: Join) -> None:
    """As many requests of a method as ordered fail, and then it works again."""
    ann = await join("ann")
    server.fail_next("createFavoritesChat", 300, times=2)
    assert await refusal_of(ann.ask("createFavoritesChat")) == 300
    assert await refusal_of(ann.ask("createFavoritesChat")) == 300
    assert (await ann.ask("createFavoritesChat"))["chatId"]


async def test_delayed_request_is_overtaken(server: PracticeServer, join: Join) -> None:
    """A delayed request is answered after one that came later."""
    ann = await join("ann")
    server.delay_next("createFavoritesChat", 3600)
    slow = await ann.begin("createFavoritesChat")
    await ann.settle()
    assert not slow.done()


@pytest.mark.parametrize("seconds", [0.01, 0.0])
async def test_delayed_request_is_answered(server: PracticeServer, join: Join, seconds: float) -> None:
    """A delayed request is carried out and answered after its time."""
    ann = await join("ann")
    server.delay_next("createFavoritesChat", seconds)
    assert (await ann.ask("createFavoritesChat"))["chatId"]


async def test_unanswered_request_is_done(server: PracticeServer, join: Join) -> None:
    """An ignored request is carried out and gets no answer."""
    ann = await join("ann")
    chat_id = (await ann.ask("createFavoritesChat"))["chatId"]
    server.ignore_next("sendMessage")
    silent = await ann.begin("sendMessage", {"chatId": chat_id, "content": {"text": "lost?", "parseMode": "text"}})
    history = await ann.ask("getChatHistory", {"chatId": chat_id, "count": 5})
    assert [message["content"]["text"] for message in history["messages"]] == ["lost?"]
    assert not silent.done()


async def test_connection_can_break_before_the_answer(server: PracticeServer, join: Join) -> None:
    """A request is carried out, others are told, and the asker's connection breaks without a close frame."""
    ann, bob = await join("ann"), await join("bob")
    chat_id = (await ann.ask("createP2PChat", {"userId": "bob@practice.local"}))["chatId"]
    server.drop_on_next("sendMessage")
    lost = await ann.begin("sendMessage", {"chatId": chat_id, "content": {"text": "sent?", "parseMode": "text"}})
    await ann.ended
    assert lost.cancelled()
    assert ann.socket.close_code == 1006
    assert (await bob.heard("sendMessage"))["content"]["text"] == "sent?"


async def test_own_personal_chat_is_never_answered(server: PracticeServer, join: Join) -> None:
    """`createP2PChat` with one's own id gets no answer, unless switched to the favorites chat."""
    ann = await join("ann")
    silent = await ann.begin("createP2PChat", {"userId": "ann@practice.local"})
    await ann.settle()
    assert not silent.done()
    server.world.settings.own_p2p_is_silent = False
    answer = await ann.ask("createP2PChat", {"userId": "ann@practice.local"})
    assert answer == await ann.ask("createFavoritesChat")


async def test_connections_break_and_close(server: PracticeServer, join: Join) -> None:
    """Connections can be broken without a word, or closed with a code."""
    ann, bob = await join("ann"), await join("bob")
    assert server.drop_connections("ann") == 1
    await ann.ended
    assert ann.socket.close_code == 1006
    assert server.close_connections(1012, "restart") == 1
    await bob.ended
    assert (bob.socket.close_code, bob.socket.close_reason) == (1012, "restart")


async def test_logins_and_tokens_are_refused(server: PracticeServer) -> None:
    """Right passwords are refused at the token endpoint, right tokens at `auth`."""
    bot = await WireBot(server.url).open()
    token = await bot.token("ann")
    server.faults.refuse_logins = True
    assert (await post(server.url + TOKEN, GOOD))[0] == 401
    server.faults.refuse_tokens = True
    assert await refusal_of(bot.auth(token)) == 201
    await bot.close()


async def test_http_requests_fail_with_a_status(server: PracticeServer) -> None:
    """As many HTTP requests of a kind as ordered are answered with a status, also upgrades."""
    server.fail_next_http("token", 502, "bad gateway")
    async with asyncio.timeout(PATIENCE):
        with pytest.raises(ValueError):
            await post(server.url + TOKEN, GOOD)
    assert (await post(server.url + TOKEN, GOOD))[0] == 201
    server.fail_next_http("socket", 502)
    with pytest.raises(websockets.InvalidStatus):
        await WireBot(server.url).open()
    bot = await WireBot(server.url).open()
    await bot.close()


async def test_notifications_come_twice(server: PracticeServer, join: Join) -> None:
    """With the fault in force, every notification is sent twice under two numbers."""
    ann, bob = await join("ann"), await join("bob")
    chat_id = (await ann.ask("createP2PChat", {"userId": "bob@practice.local"}))["chatId"]
    server.faults.deliver_twice = True
    await talk(ann, chat_id, "echo")
    first, second = await bob.heard("sendMessage"), await bob.heard("sendMessage")
    assert first == second
    ids = [frame["id"] for frame in bob.notifications if frame["method"] == "sendMessage"]
    assert len(set(ids)) == 2


async def test_any_text_is_pushed(server: PracticeServer, join: Join) -> None:
    """Text that is no frame is sent as it is."""
    ann = await join("ann")
    server.push_raw("ann", "{not json")
    assert await ann.heard("unreadable") == {"text": "{not json"}


async def test_download_breaks_off(server: PracticeServer, join: Join) -> None:
    """With the fault in force, downloads break off after so many bytes."""
    from .test_files import own_chat, uploaded

    ann = await join("ann")
    content = {"temporalFileId": await uploaded(ann, b"x" * 100_000)}
    answer = await ann.ask("sendFile", {"chatId": await own_chat(ann), "content": content})
    info = await ann.ask("getFileInfo", {"fileId": answer["fileId"]})
    server.faults.cut_downloads_after = 1000
    with pytest.raises(Exception, match=r"(?i)payload|not completed|ContentLength|disconnect"):
        await get(info["downloadUrl"])


async def test_flood_is_counted_and_settles(server: PracticeServer, join: Join) -> None:
    """A flood reaches the client in order and as a whole, and is settled when everything is acknowledged."""
    ann = await join("ann")
    payloads = (b'{"chatId":"%d"}' % number for number in range(5000))
    assert await server.flood("ann", payloads, "removeChat") == 5000
    await asyncio.wait_for(server.until(lambda: server.is_settled("ann")), PATIENCE)
    got = [frame["payload"]["chatId"] for frame in ann.notifications if frame["method"] == "removeChat"]
    assert got == [str(number) for number in range(5000)]


async def test_orders_are_taken_over_http() -> None:
    """With the option, faults are ordered by POST; unknown orders and wrong arguments are refused with a reason."""
    async with PracticeServer(accounts=ACCOUNTS, faults=True) as server:
        url = server.url + "/practice/"
        assert await post(url + "fail_next_http", {"kind": "server", "status": 500}) == (200, {"result": None})
        assert (await get(server.url + "/api/v4/server"))[0] == 500
        assert (await post(url + "drop_connections", {}))[1] == {"result": 0}
        assert (await post(url + "state", {}))[1]["result"]["messages"] == 0
        status, payload = await post(url + "explode", {})
        assert status == 400
        assert "drop_connections" in payload["error"]
        assert (await post(url + "fail_next", {"metod": "x"}))[0] == 400
        assert (await post(url + "set_faults", {"refuse_logins": True}))[0] == 200
        assert (await post(server.url + TOKEN, GOOD))[0] == 401


async def test_orders_are_not_taken_by_default(server: PracticeServer) -> None:
    """Without the option there is no such page."""
    assert (await get(server.url + "/practice/state"))[0] == 404


async def test_tls_with_a_certificate_of_ones_own() -> None:
    """With a certificate, token and socket speak TLS to those who trust it, and to nobody else."""
    import ssl

    authority = trustme.CA()
    serving = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(serving)
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    async with PracticeServer(accounts=ACCOUNTS, ssl_options=serving) as server:
        assert server.url.startswith("https://")
        assert server.socket_url.startswith("wss://")
        bot = await WireBot(server.url, context=trusting).open()
        await bot.auth(await bot.token("ann"))
        await bot.settle()
        await bot.close()
        with pytest.raises(ssl.SSLCertVerificationError):
            await WireBot(server.url, context=ssl.create_default_context()).open()
