"""Every other method whose answer is lost: what may be done twice is repeated, what can be found is found, and the
rule for each method is the one that is written down.
"""

from __future__ import annotations

import asyncio
import io
import re
from pathlib import Path

import pytest
from PIL import Image

from tcnb.client.requests.policy import RULES, Kind, rule_for
from tcnb.errors import ApiErrorException, OutcomeUnknownError
from tcnb.practice import methods as practice_methods
from tcnb.practice.faults import MethodFault
from tcnb.types.enums import ChatParticipantRole

PAGE = Path(__file__).parents[2] / "docs" / "reconnecting.md"

CUTS = ("after", "before")
"""Whether the connection breaks after the server has carried something out, or before it gets it."""


def picture(color="red"):
    """Return the bytes of a small picture."""
    body = io.BytesIO()
    Image.new("RGB", (8, 8), color).save(body, "PNG")
    return body.getvalue()


@pytest.fixture(params=CUTS)
def lose(request, server, network, robot, monkeypatch):
    """Loses the next request of a method, or its answer; the test runs once for each."""

    def lose(method):
        if request.param == "after":
            server.drop_on_next(method)
            return
        link = robot.connection._link
        original = link.request

        def written(name, payload=None):
            if name == method:
                network.lose_next()
            return original(name, payload)

        monkeypatch.setattr(link, "request", written)

    yield lose
    assert robot.statistics.breaks


@pytest.fixture
def world(server):
    """What the server has."""
    return server.world


@pytest.fixture
async def own(robot):
    """A group whose owner the robot is."""
    return (await robot.bot.create_group_chat("Own crew")).chat_id


def people(world, chat):
    """Return roles by login."""
    return {user.partition("@")[0]: one.role for user, one in world.chats[chat].participants.items()}


# -- the table -------------------------------------------------------------------------------------------------------


def test_every_method_has_a_rule():
    """No method of the connector is left to chance."""
    assert set(RULES) == set(practice_methods.METHODS)


def test_unknown_method_is_never_repeated():
    """Of a method that is not known here nobody can say what twice would mean."""
    assert rule_for("fromTheFuture").kind is Kind.TELL


@pytest.mark.parametrize("kind", Kind)
def test_page_names_every_method_under_its_rule(kind):
    """The page for people says the same as the table."""
    page = PAGE.read_text(encoding="utf-8")
    (row,) = [line for line in page.splitlines() if line.startswith(f"| {kind.name.lower()} |")]
    listed = set(re.findall(r"`([a-zA-Z0-9]+)`", row.split("|")[3]))
    assert listed == {method for method, rule in RULES.items() if rule.kind is kind}


# -- files, surveys, forwards ----------------------------------------------------------------------------------------


async def test_file(lose, world, robot, chat, said):
    """A file is in the chat once, and its id is the true one."""
    lose("sendFile")
    sent = await robot.bot.send_document(chat, picture(), None)
    assert said() == ["attachment"]
    assert world.messages[sent.message_id].file.file_id == sent.file_id


async def test_file_with_caption(lose, world, robot, chat, said):
    """A file and its caption are there once, and both are named."""
    lose("sendFile")
    sent = await robot.bot.send_photo(chat, picture(), None, "<b>red</b>", "html")
    assert said() == ["attachment", "<b>red</b>"]
    assert world.messages[sent.caption_message_id].content["text"] == "<b>red</b>"


async def test_two_equal_files_in_flight(lose, world, robot, chat, said):
    """Two files that look the same are two files."""
    lose("sendFile")
    sent = await asyncio.gather(*(robot.bot.send_document(chat, picture()) for _ in range(2)))
    assert said() == ["attachment"] * 2
    assert len({one.message_id for one in sent}) == 2


async def test_caption_is_not_taken_for_a_text(server, network, robot, chat, said):
    """A text that reads like the caption of a file sent before is sent all the same."""
    await robot.bot.send_photo(chat, picture(), None, "red")
    network.lose_next()
    await robot.bot.send_message(chat, "red")
    assert said() == ["attachment", "red", "red"]


async def test_survey(lose, world, robot, chat, said):
    """A survey is posted once."""
    lose("sendSurvey")
    sent = await robot.bot.send_survey(chat, "Lunch", "k7Qm2xZ0pd")
    assert said() == ["survey"]
    assert sent.message_id in world.messages


async def test_forward(lose, world, robot, chat, own):
    """A message is forwarded once."""
    original = world.chats[chat].messages[-1].message_id
    lose("forwardMessage")
    sent = await robot.bot.forward_message(own, original)
    forwards = [message for message in world.chats[own].messages if message.forwarded]
    assert [message.message_id for message in forwards] == [sent.message_id]


# -- chats -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("verb", "wire"), [("create_group_chat", "createGroupChat"), ("create_channel", "createChannel")]
)
async def test_new_chat(lose, world, robot, chat, verb, wire):
    """A chat is made once, whatever others are called."""
    await robot.bot.create_group_chat("Release crew")
    before = set(world.chats)
    lose(wire)
    made = await getattr(robot.bot, verb)("Release crew")
    assert set(world.chats) - before == {made.chat_id}


async def test_chat_of_that_title_by_somebody_else(network, world, robot, alice_makes):
    """A chat that somebody else made under that title meanwhile leaves open whose it is."""
    network.lose_next()
    making = asyncio.create_task(robot.bot.create_group_chat("Night watch"))
    await robot.until(lambda: robot.statistics.breaks)
    alice_makes("Night watch")
    with pytest.raises(OutcomeUnknownError, match="look into the list of chats"):
        await making


@pytest.fixture
def alice_makes(world):
    """Makes a group of Alice's with the robot in it."""

    def make(title):
        alice, robot = (world.user(f"{login}@practice.local") for login in ("alice", "robot"))
        group = world.create_group(alice, title)
        world.add_participant(alice, group.chat_id, robot, display_history=True)

    return make


async def test_personal_and_favorites_chat(lose, world, robot):
    """The personal chat with somebody is the same one at the second time."""
    before = set(world.chats)
    lose("createP2PChat")
    made = await robot.bot.create_personal_chat("alice")
    assert set(world.chats) - before == {made.chat_id}


async def test_removed_chat(lose, world, robot, own):
    """A chat that is gone already was removed by the first request."""
    lose("removeChat")
    await robot.bot.delete_chat(own)
    assert own not in world.chats


async def test_chat_that_was_left(lose, world, robot, chat):
    """A chat that the account may only leave is left once."""
    lose("removeChat")
    await robot.bot.delete_chat(chat)
    assert "robot" not in people(world, chat)


async def test_title_and_picture(lose, world, robot, own):
    """A new title and a new picture are there in the end."""
    lose("editChatTitle")
    await robot.bot.edit_chat_title(own, "New name")
    assert world.chats[own].title == "New name"


async def test_picture(lose, world, robot, own):
    """A picture that was used up by the first request was set by it."""
    lose("editChatAvatar")
    await robot.bot.edit_chat_avatar(own, picture())
    assert world.chats[own].avatar


async def test_cleared_history(lose, world, robot, chat):
    """Where nothing old is to be seen, it was cleared; otherwise it is cleared then."""
    lose("clearHistory")
    await robot.bot.clear_chat_history(chat)
    assert list(world._backwards("robot@practice.local", world.chats[chat], world.chats[chat].last_box, 9)) == []


async def test_clearing_spares_what_came_after(server, world, robot, chat):
    """A clearing that was carried out is not repeated, so what was said since stays."""
    alice = world.user("alice@practice.local")
    server.drop_on_next("clearHistory")
    clearing = asyncio.create_task(robot.bot.clear_chat_history(chat))
    await server.until(lambda: world.chats[chat].participants["robot@practice.local"].hidden_through)
    with world.at(world.clock() + 5000):
        world.say(alice, chat, "after")
    await clearing
    (message,) = world._backwards("robot@practice.local", world.chats[chat], world.chats[chat].last_box, 9)
    assert message.content["text"] == "after"


# -- participants ------------------------------------------------------------------------------------------------------


async def test_new_participant(lose, world, robot, own):
    """Somebody who is in the chat already was added by the first request."""
    lose("addChatParticipant")
    await robot.bot.add_participant_to_chat(own, "bob")
    assert "bob" in people(world, own)


async def test_participant_who_was_there_before_is_refused(network, robot, own):
    """The same refusal at the first request is a refusal."""
    await robot.bot.add_participant_to_chat(own, "bob")
    with pytest.raises(ApiErrorException) as caught:
        await robot.bot.add_participant_to_chat(own, "bob")
    assert caught.value.code == 309


async def test_removed_participant(lose, world, robot, own):
    """Somebody who is not in the chat any more was removed by the first request."""
    await robot.bot.add_participant_to_chat(own, "bob")
    lose("removeChatParticipant")
    await robot.bot.remove_participant_from_chat(own, "bob")
    assert "bob" not in people(world, own)


async def test_leaving(lose, world, robot, chat):
    """Whoever has left cannot ask to leave again."""
    lose("removeChatParticipant")
    await robot.bot.remove_participant_from_chat(chat, "robot")
    assert "robot" not in people(world, chat)


@pytest.mark.parametrize("role", [ChatParticipantRole.ADMIN, ChatParticipantRole.OWNER])
async def test_role(lose, world, robot, own, role):
    """A role is given, also the one that takes away the right to give it."""
    await robot.bot.add_participant_to_chat(own, "bob")
    lose("changeParticipantRole")
    await robot.bot.change_participant_role(own, "bob", role)
    assert people(world, own)["bob"] is role


async def test_role_that_may_not_be_given(network, server, robot, chat):
    """A refusal of the repetition is a refusal where the role is not there."""
    server.faults.add("changeParticipantRole", MethodFault(drops=True))
    with pytest.raises(ApiErrorException) as caught:
        await robot.bot.change_participant_role(chat, "alice", ChatParticipantRole.ADMIN)
    assert caught.value.code == 303


# -- messages that are there already -----------------------------------------------------------------------------------


async def test_edited_message(lose, world, robot, chat):
    """An edit is there in the end."""
    sent = await robot.bot.send_message(chat, "hello")
    lose("editMessage")
    await robot.bot.edit_message(sent.message_id, "bye")
    assert world.messages[sent.message_id].content["text"] == "bye"


async def test_edited_survey(lose, world, robot, chat):
    """An edited survey is there in the end."""
    sent = await robot.bot.send_survey(chat, "Lunch", "k7Qm2xZ0pd")
    lose("editSurvey")
    await robot.bot.edit_survey(sent.message_id, "Dinner", "k7Qm2xZ0pd")
    assert world.messages[sent.message_id].content["title"] == "Dinner"


async def test_removed_message(lose, world, robot, chat):
    """A message that is gone already was removed by the first request."""
    sent = await robot.bot.send_message(chat, "hello")
    lose("removeMessage")
    await robot.bot.remove_message(sent.message_id, for_all=True)
    assert sent.message_id not in world.messages


async def test_message_that_was_never_there_is_refused(robot):
    """The same refusal at the first request is a refusal."""
    with pytest.raises(ApiErrorException) as caught:
        await robot.bot.remove_message("00000000-0000-0000-0000-000000000000")
    assert caught.value.code == 306


# -- the rest ----------------------------------------------------------------------------------------------------------


async def test_questions_are_asked_again(lose, robot, chat):
    """What changes nothing is simply asked again."""
    lose("getUserDisplayName")
    assert (await robot.bot.get_user_display_name("alice")).display_name == "Alice Doe"
    assert (robot.statistics.repeated, robot.statistics.recovered) == (0, 0)


async def test_activity(lose, robot, chat):
    """What fades by itself is shown again."""
    lose("sendChatActivity")
    assert (await robot.bot.send_chat_activity(chat, "typing")).retry_after


async def test_answer_to_a_button_is_not_repeated(lose, robot):
    """Of what nothing shows, the error says so."""
    lose("answerCommand")
    with pytest.raises(OutcomeUnknownError, match="whoever pressed the button"):
        await robot.bot.answer_command("cmd-1", "complete", "Done")
