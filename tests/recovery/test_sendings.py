"""A sending never doubles and never vanishes, wherever the connection breaks; and where that cannot be told, it is
said.
"""

from __future__ import annotations

import asyncio

import pytest

from tcnb.client.link import Link
from tcnb.client.requests import requests
from tcnb.errors import ApiErrorException, OutcomeUnknownError, RequestTimeoutError
from tcnb.practice.faults import MethodFault
from tcnb.types import InlineKeyboardMarkup
from tests.conftest import PATIENCE

# -- one sending ---------------------------------------------------------------------------------------------------


async def test_sending_whose_answer_is_lost_is_found(server, robot, chat, said):
    """The server has the message and its answer is lost: the caller gets that very message."""
    server.drop_on_next("sendMessage")
    sent = await robot.bot.send_message(chat, "hello")
    assert said() == ["hello"]
    assert server.world.messages[sent.message_id].content["text"] == "hello"
    assert (robot.statistics.recovered, robot.statistics.repeated, robot.statistics.unknown) == (1, 0, 0)


async def test_sending_that_is_lost_is_sent_again(network, server, robot, chat, said):
    """The server never got the message: it is sent again, once."""
    network.lose_next()
    sent = await robot.bot.send_message(chat, "hello")
    assert said() == ["hello"]
    assert sent.message_id in server.world.messages
    assert (robot.statistics.recovered, robot.statistics.repeated, robot.statistics.unknown) == (0, 1, 0)


async def test_answer_cut_in_the_middle_of_its_frame(network, robot, chat, said):
    """Half an answer is no answer, and the message is found."""
    network.cut_in_frame(7)
    sent = await robot.bot.send_message(chat, "hello")
    assert said() == ["hello"]
    assert sent.message_id


async def test_sending_on_a_known_broken_connection_waits_for_the_next(network, robot, chat, said):
    """What was never written needs no looking for."""
    network.cut()
    await robot.bot.send_message(chat, "hello")
    assert said() == ["hello"]
    assert robot.statistics.recovered == 0


async def test_recovered_sending_is_recorded_once(server, robot, chat):
    """Whoever records sendings is told of a recovered one like of any other."""
    server.drop_on_next("sendMessage")
    sent = await robot.bot.send_message(chat, "hello")
    ((method, request, answer, _),) = robot.recorded
    assert (method, request["content"]["text"], answer["messageId"]) == ("sendMessage", "hello", sent.message_id)


@pytest.mark.parametrize(
    ("text", "mode"),
    [
        ("two\nlines  and   blanks", "html"),
        ('<b onclick="x()">bold</b> and <blink>gone</blink>', "html"),
        ("a &amp; b < c", "html"),
        ("**bold** [link](https://example.com)", "markdown"),
        ("**not bold**\n<b>", "text"),
        ("x" * 4096, "text"),
    ],
)
async def test_message_is_recognised_as_the_server_keeps_it(server, robot, chat, said, text, mode):
    """Markup that the server changes does not keep a message from being recognised."""
    server.drop_on_next("sendMessage")
    await robot.bot.send_message(chat, text, mode)
    assert len(said()) == 1
    assert robot.statistics.recovered == 1


async def test_message_with_buttons_is_recognised(server, robot, chat, said):
    """A keyboard, which a server completes with defaults, does not count."""
    markup = InlineKeyboardMarkup.from_dict({"buttons": [[{"type": "command", "label": "Go", "command": "/go"}]]})
    server.drop_on_next("sendMessage")
    await robot.bot.send_message(chat, "Deploy?", buttons=markup)
    assert said() == ["Deploy?"]


async def test_reply_is_recognised_by_what_it_answers(server, robot, chat, said):
    """Of two equal texts, the one that answers the same message is the one that was sent."""
    before = server.world.chats[chat].messages[-1].message_id
    server.faults.add("sendMessage", MethodFault(is_unanswered=True))
    server.faults.add("sendMessage", MethodFault(drops=True))
    plain, reply = await asyncio.gather(
        robot.bot.send_message(chat, "yes"), robot.bot.reply_message(chat, before, "yes")
    )
    assert said() == ["yes", "yes"]
    assert server.world.messages[plain.message_id].reply_to is None
    assert server.world.messages[reply.message_id].reply_to == before


async def test_thousands_of_messages_follow(server, robot, chat, said):
    """The history is read back page by page as far as the sending."""
    alice = server.world.user("alice@practice.local")
    server.faults.add("sendMessage", MethodFault(drops=True))
    server.fail_next("auth", 300, times=1)
    sending = asyncio.create_task(robot.bot.send_message(chat, "hello"))
    await server.until(lambda: said() == ["hello"])
    for number in range(2500):
        server.world.say(alice, chat, f"and {number}")
    sent = await sending
    assert server.world.messages[sent.message_id].content["text"] == "hello"
    assert said() == ["hello"]


async def test_server_that_carries_it_out_a_little_late(server, robot, chat, said, monkeypatch):
    """What the server still has in hand when the connection breaks is waited for before anything is sent again."""
    monkeypatch.setattr("tcnb.client.requests.reconciling.SETTLING", 1.0)
    server.delay_next("sendMessage", 0.3)
    sending = asyncio.create_task(robot.bot.send_message(chat, "hello"))
    await server.until(lambda: not server.faults.methods["sendMessage"])
    server.drop_connections("robot")
    await sending
    assert said() == ["hello"]
    assert robot.statistics.repeated == 0


async def test_silent_connection_is_given_up_while_somebody_waits(network, robot, chat, said, monkeypatch):
    """An answer that does not come has the connection looked at, long before the next ping is due."""
    monkeypatch.setattr(requests, "PATIENCE", 0.2)
    network.silence(up=False)
    sent = await robot.bot.send_message(chat, "hello", timeout=6)
    assert said() == ["hello"]
    assert sent.message_id
    assert "silent" in robot.statistics.breaks[-1][1]
    assert robot.statistics.recovered == 1


async def test_answer_on_a_given_up_connection_counts_no_more(network, robot, chat, said, monkeypatch):
    """What was written on a connection that was given up is not delivered later, so nothing is doubled by it."""
    monkeypatch.setattr(requests, "PATIENCE", 0.2)
    network.silence()
    sent = await robot.bot.send_message(chat, "hello", timeout=6)
    network.release()
    await robot.bot.get_chats()
    assert said() == ["hello"]
    assert sent.message_id


async def test_unanswered_sending_is_found_while_the_connection_stands(server, robot, chat, said, monkeypatch):
    """A server that keeps its answer back for long is asked whether the message is there."""
    monkeypatch.setattr(requests, "PATIENCE", 0.2)
    server.ignore_next("sendMessage")
    sent = await robot.bot.send_message(chat, "hello", timeout=6)
    assert said() == ["hello"]
    assert sent.message_id in server.world.messages
    assert robot.statistics.reconnects.maxlen and not robot.statistics.reconnects


async def test_token_that_expires_meanwhile(server, robot, chat, said):
    """The connection breaks and the token has expired: with a fresh one the message is found."""
    server.drop_on_next("sendMessage")
    sending = asyncio.create_task(robot.bot.send_message(chat, "hello"))
    await server.until(lambda: said() == ["hello"])
    server.expire_tokens()
    await sending
    assert said() == ["hello"]


async def test_sending_refused_for_the_token_is_sent_once(server, robot, chat, said):
    """A refusal for the token means that nothing was done; the sending follows on the next connection."""
    server.expire_tokens()
    await robot.bot.send_message(chat, "hello")
    assert said() == ["hello"]


async def test_refusal_of_the_repetition_is_the_result(network, server, robot, chat, said):
    """A message that was not carried out, and then may not be: the refusal is the outcome."""
    network.lose_next()
    server.fail_next("sendMessage", 303)
    with pytest.raises(ApiErrorException) as caught:
        await robot.bot.send_message(chat, "hello")
    assert caught.value.code == 303
    assert said() == []


async def test_tries_are_bounded(network, robot, chat, said, monkeypatch):
    """A sending that is lost three times is not sent a fourth time, and the caller is told."""
    request = Link.request

    def lost(link, method, payload=None):
        if method == "sendMessage":
            network.lose_next()
        return request(link, method, payload)

    monkeypatch.setattr(Link, "request", lost)
    with pytest.raises(OutcomeUnknownError, match="sent 3 times"):
        await robot.bot.send_message(chat, "hello")
    assert said() == []
    assert robot.statistics.repeated == 2


# -- several sendings ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("carried_out", [0, 1, 2, 3])
async def test_equal_sendings_in_flight(network, server, robot, chat, said, carried_out):
    """Of three equal texts in flight some are carried out before the break: in the end there are three."""
    network.pass_up(carried_out)
    sendings = [asyncio.create_task(robot.bot.send_message(chat, "tick")) for _ in range(3)]
    if carried_out:
        await server.until(lambda: len(said()) == carried_out)
    else:
        await asyncio.sleep(0)
    network.cut()
    sent = await asyncio.gather(*sendings)
    assert [server.world.messages[one.message_id].content["text"] for one in sent] == ["tick"] * 3
    assert len({one.message_id for one in sent}) == len(said()) == 3
    assert (robot.statistics.recovered, robot.statistics.repeated) == (carried_out, 3 - carried_out)


async def test_different_sendings_in_flight_keep_their_order(server, robot, chat, said):
    """What was lost is sent again in order, and what comes later waits for it."""
    server.faults.add("sendMessage", MethodFault(drops=True))
    early = [asyncio.create_task(robot.bot.send_message(chat, f"{number}")) for number in range(5)]
    await robot.until(lambda: robot.statistics.breaks)
    later = asyncio.create_task(robot.bot.send_message(chat, "later"))
    await asyncio.gather(*early, later)
    assert said() == ["0", "1", "2", "3", "4", "later"]


async def test_other_chats_do_not_wait(server, robot, chat, said, monkeypatch):
    """While something is looked for in one chat, others are written to."""
    monkeypatch.setattr("tcnb.client.requests.reconciling.SETTLING", PATIENCE)
    favorites = (await robot.bot.create_favorites_chat()).chat_id
    server.faults.add("sendMessage", MethodFault(drops=True))
    server.delay_next("getChatHistory", PATIENCE)
    lost = asyncio.create_task(robot.bot.send_message(chat, "hello"))
    await robot.until(lambda: robot.statistics.connects == 2)
    assert (await robot.bot.send_message(favorites, "meanwhile")).message_id
    lost.cancel()
    with pytest.raises(asyncio.CancelledError):
        await lost


async def test_earlier_equal_message_of_our_own_is_not_taken(network, robot, chat, said):
    """The same text, sent a moment ago and answered, is not taken for the one that is lost."""
    await robot.bot.send_message(chat, "tick")
    network.lose_next()
    await robot.bot.send_message(chat, "tick")
    assert said() == ["tick", "tick"]


async def test_late_answer_is_recorded_and_not_taken_for_another(network, server, robot, chat, said):
    """The answer to a sending whose caller has gone is recorded, and its message is nobody else's."""
    server.world.settings.push_limits = False
    network.silence(up=False)
    with pytest.raises(RequestTimeoutError):
        await robot.bot.send_message(chat, "tick", timeout=0.2)
    assert robot.recorded == []
    network.release()
    await robot.bot.get_chats()
    assert len(robot.recorded) == 1
    assert robot.statistics.late == 1
    network.lose_next()
    await robot.bot.send_message(chat, "tick")
    assert said() == ["tick", "tick"]


async def test_interrupted_sending_may_be_another_ones_rival(network, server, robot, chat, said):
    """A sending that was interrupted and lost with an equal one: which of them is there cannot be told."""
    server.faults.add("sendMessage", MethodFault(is_unanswered=True))
    first = asyncio.create_task(robot.bot.send_message(chat, "tick"))
    await server.until(lambda: said() == ["tick"])
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    network.lose_next()
    with pytest.raises(OutcomeUnknownError, match="another one like it"):
        await robot.bot.send_message(chat, "tick")
    assert said() == ["tick"]


# -- where it cannot be told -----------------------------------------------------------------------------------------


async def test_history_that_is_refused(server, robot, chat):
    """Where the server does not show the history, the error says so and what to do."""
    server.drop_on_next("sendMessage")
    server.fail_next("getChatHistory", 302)
    with pytest.raises(OutcomeUnknownError, match=r"access denied.*look into the chat before you repeat it"):
        await robot.bot.send_message(chat, "hello")
    assert robot.statistics.unknown == 1


async def test_history_that_is_refused_for_a_moment(server, robot, chat, said, monkeypatch):
    """A server that cannot answer just now is asked again."""
    monkeypatch.setattr("tcnb.client.requests.reconciling.PAUSE", 0.01)
    server.drop_on_next("sendMessage")
    server.fail_next("getChatHistory", 301, times=7)
    await robot.bot.send_message(chat, "hello")
    assert said() == ["hello"]


async def test_message_edited_meanwhile(server, robot, chat, said):
    """A message that somebody edited before it was looked for can no longer be recognised."""
    server.drop_on_next("sendMessage")
    sending = asyncio.create_task(robot.bot.send_message(chat, "hello"))
    await server.until(lambda: said() == ["hello"])
    server.world.chats[chat].messages[-1].content = {"text": "hello!", "parseMode": "text"}
    server.world.chats[chat].messages[-1].is_edited = True
    with pytest.raises(OutcomeUnknownError, match="edited meanwhile"):
        await sending
    assert said() == ["hello!"]


async def test_message_removed_meanwhile(server, robot, chat, said):
    """A number that is missing among the messages says that one was removed, which may have been ours."""
    alice = server.world.user("alice@practice.local")
    server.drop_on_next("sendMessage")
    sending = asyncio.create_task(robot.bot.send_message(chat, "hello"))
    await server.until(lambda: said() == ["hello"])
    server.world.remove_message(alice, server.world.chats[chat].messages[-1].message_id, for_all=True)
    server.world.say(alice, chat, "after")
    with pytest.raises(OutcomeUnknownError, match="removed from the chat"):
        await sending


async def test_time_that_runs_out(network, server, robot, chat, said):
    """Where the server does not come back in time, the error says so."""
    server.drop_on_next("sendMessage")
    network.refuses = True
    with pytest.raises(OutcomeUnknownError, match=r"may or may not.*look into the chat"):
        await robot.bot.send_message(chat, "hello", timeout=0.5)


async def test_time_that_is_up_while_the_connection_stands(server, robot, chat):
    """A sending without an answer in time may have been carried out, and is a time-out all the same."""
    server.ignore_next("sendMessage")
    with pytest.raises(OutcomeUnknownError, match=r"no answer from the server within 0\.2 s"):
        await robot.bot.send_message(chat, "hello", timeout=0.2)
    server.ignore_next("sendMessage")
    with pytest.raises(RequestTimeoutError):
        await robot.bot.send_message(chat, "hello", timeout=0.2)


# -- two kernels with one account ------------------------------------------------------------------------------------


async def test_equal_text_of_another_kernel_that_was_heard(network, server, connect, robot, chat, said):
    """What another session of the account said is told to this one, and is not taken for its own."""
    other = await connect("robot")
    for text in ("one", "two"):
        await robot.bot.send_message(chat, text)
    await other.bot.send_message(chat, "tick")
    await robot.until(lambda: any(told.get("content", {}).get("text") == "tick" for told in robot.told))
    network.lose_next()
    await robot.bot.send_message(chat, "tick")
    assert said().count("tick") == 2


async def test_equal_texts_of_another_kernel_during_the_break(server, connect, robot, chat, said):
    """More equal messages than were sent from here: which is ours cannot be told, and nothing is sent again."""
    server.drop_on_next("sendMessage")
    server.fail_next("auth", 300)
    me = server.world.user("robot@practice.local")
    sending = asyncio.create_task(robot.bot.send_message(chat, "tick"))
    await server.until(lambda: said() == ["tick"])
    server.world.say(me, chat, "tick")
    with pytest.raises(OutcomeUnknownError, match="2 like it are there, and 1"):
        await sending
    assert said() == ["tick", "tick"]
