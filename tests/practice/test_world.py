"""The rules of the practice world: chats, participants, messages and rights, without any I/O."""

from __future__ import annotations

import pytest

from tcnb.practice.entities import Chat, Refusal, Settings, User
from tcnb.practice.world import World
from tcnb.types.enums import MessageType


class Ticking:
    """A clock that a test sets forward (ms)."""

    def __init__(self) -> None:
        self.moment = 1_767_000_000_000

    def __call__(self) -> int:
        self.moment += 1
        return self.moment


@pytest.fixture
def world() -> World:
    """A world with three accounts and one person without password."""
    world = World("example.com", clock=Ticking())
    for login in ("ann", "bob", "eve"):
        world.add_user(login, login.capitalize(), "secret")
    world.add_user("zoe", "Zoe")
    return world


@pytest.fixture
def ann(world: World) -> User:
    """The account that begins."""
    return world.user("ann@example.com")


@pytest.fixture
def bob(world: World) -> User:
    """The account that joins."""
    return world.user("bob@example.com")


@pytest.fixture
def eve(world: World) -> User:
    """The account that is not asked."""
    return world.user("eve@example.com")


@pytest.fixture
def group(world: World, ann: User, bob: User) -> Chat:
    """A group of ann's with bob in it."""
    chat = world.create_group(ann, "Release crew")
    world.add_participant(ann, chat.chat_id, bob, display_history=True)
    world.take_notices()
    return chat


def refused(code: int) -> pytest.RaisesExc[Refusal]:
    """Expect a refusal with that code."""
    return pytest.RaisesExc(Refusal, check=lambda refusal: refusal.code == code)


def told(world: World) -> list[str]:
    """Return the methods of the notices since the last call, without system envelopes."""
    return [notice.method for notice in world.take_notices() if not notice.is_system]


def test_personal_chat_is_made_once(world: World, ann: User, bob: User) -> None:
    """Both sides of a personal chat get the same chat, whoever asks and however often."""
    assert world.create_p2p(ann, bob) is world.create_p2p(bob, ann)


def test_removed_personal_chat_is_gone_for_both(world: World, ann: User, bob: User) -> None:
    """Removing a personal chat makes its id invalid, and the next one has another id."""
    old = world.create_p2p(ann, bob)
    world.remove_chat(ann, old.chat_id)
    with refused(304):
        world.say(bob, old.chat_id, "still there?")
    assert world.create_p2p(bob, ann).chat_id != old.chat_id


def test_creator_owns_the_group(world: World, ann: User) -> None:
    """Who makes a group is its owner."""
    chat = world.create_group(ann, "Mine")
    assert chat.participants[ann.user_id].role.value == "owner"


@pytest.mark.parametrize("title", ["", "x" * 257])
def test_title_has_limits(world: World, ann: User, title: str) -> None:
    """A title has 1 to 256 characters."""
    with refused(399):
        world.create_group(ann, title)


def test_longest_title_is_taken(world: World, ann: User) -> None:
    """A title of 256 characters is allowed."""
    assert world.create_channel(ann, "x" * 256).title == "x" * 256


def test_unknown_chat_is_304(world: World, ann: User) -> None:
    """A chat that does not exist is refused with 304."""
    with refused(304):
        world.say(ann, "nowhere", "hello")


def test_foreign_chat_is_302(world: World, eve: User, group: Chat) -> None:
    """Writing into a chat of others is refused with 302."""
    with refused(302):
        world.say(eve, group.chat_id, "hello")


def test_participant_is_added_once(world: World, ann: User, bob: User, group: Chat) -> None:
    """Who is in a chat already is not added again."""
    with refused(309):
        world.add_participant(ann, group.chat_id, bob, display_history=True)


def test_user_adds_nobody(world: World, bob: User, eve: User, group: Chat) -> None:
    """A participant with the role `user` may add nobody."""
    with refused(303):
        world.add_participant(bob, group.chat_id, eve, display_history=True)


def test_personal_chat_takes_no_third(world: World, ann: User, bob: User, eve: User) -> None:
    """Nobody can be added to a personal chat."""
    chat = world.create_p2p(ann, bob)
    with refused(303):
        world.add_participant(ann, chat.chat_id, eve, display_history=True)


def test_newcomer_without_history_sees_nothing_older(world: World, ann: User, eve: User, group: Chat) -> None:
    """What was said before stays hidden from a newcomer added without history."""
    before = world.say(ann, group.chat_id, "before")
    world.add_participant(ann, group.chat_id, eve, display_history=False)
    world.say(ann, group.chat_id, "after")
    texts = [message.content.get("text") for message in world.history(eve, group.chat_id, 100)]
    assert texts == ["after", None]
    with refused(306):
        world.message(eve, before.message_id)


def test_newcomer_with_history_sees_all(world: World, ann: User, eve: User, group: Chat) -> None:
    """What was said before is shown to a newcomer added with history."""
    before = world.say(ann, group.chat_id, "before")
    world.add_participant(ann, group.chat_id, eve, display_history=True)
    assert world.message(eve, before.message_id) is before


def test_leaving_is_telling_who_left(world: World, bob: User, group: Chat) -> None:
    """Who leaves is named as the one who removed himself, and the others are told."""
    world.remove_participant(bob, group.chat_id, bob, clear_history=False)
    notice = next(one for one in world.take_notices() if one.method == "removeChatParticipant")
    assert isinstance(notice.about, dict)
    assert notice.about["removedBy"]["id"] == notice.about["userId"] == bob.user_id
    assert set(notice.audience) == {"ann@example.com", "bob@example.com"}


def test_owner_is_removed_by_nobody(world: World, ann: User, bob: User, group: Chat) -> None:
    """An admin may not remove the owner."""
    world.change_role(ann, group.chat_id, bob, "admin")
    with refused(303):
        world.remove_participant(bob, group.chat_id, ann, clear_history=False)


def test_stranger_is_not_removed(world: World, ann: User, eve: User, group: Chat) -> None:
    """Removing somebody who is not there is refused with 305."""
    with refused(305):
        world.remove_participant(ann, group.chat_id, eve, clear_history=False)


def test_ownership_is_handed_over(world: World, ann: User, bob: User, group: Chat) -> None:
    """Who makes another the owner becomes an admin, and both changes are told."""
    world.change_role(ann, group.chat_id, bob, "owner")
    roles = {one.user_id: one.role.value for one in group.participants.values()}
    assert roles == {ann.user_id: "admin", bob.user_id: "owner"}
    assert told(world) == ["changeParticipantRole", "changeParticipantRole"]


@pytest.mark.parametrize("role", ["emperor", "writer", "favorites_owner", ""])
def test_unknown_role_is_312(world: World, ann: User, bob: User, group: Chat, role: str) -> None:
    """A role that does not exist in a group is refused with 312."""
    with refused(312):
        world.change_role(ann, group.chat_id, bob, role)


def test_reader_of_a_channel_does_not_write(world: World, ann: User, bob: User) -> None:
    """In a channel the role `user` only reads, and `writer` writes."""
    channel = world.create_channel(ann, "News")
    world.add_participant(ann, channel.chat_id, bob, display_history=True)
    with refused(303):
        world.say(bob, channel.chat_id, "me too")
    world.change_role(ann, channel.chat_id, bob, "writer")
    assert world.say(bob, channel.chat_id, "me too").box == channel.last_box


def test_removing_a_group_is_leaving_it_for_others(world: World, ann: User, bob: User, group: Chat) -> None:
    """A participant who removes a group leaves it; its owner deletes it for all."""
    world.remove_chat(bob, group.chat_id)
    assert group.chat_id in world.chats
    world.remove_chat(ann, group.chat_id)
    assert group.chat_id not in world.chats


def test_reply_must_be_in_the_same_chat(world: World, ann: User, bob: User, group: Chat) -> None:
    """A message of another chat cannot be answered to."""
    elsewhere = world.say(ann, world.create_p2p(ann, bob).chat_id, "private")
    with refused(306):
        world.say(ann, group.chat_id, "reply", reply_to=elsewhere.message_id)


def test_only_own_messages_are_edited(world: World, ann: User, bob: User, group: Chat) -> None:
    """Editing the message of another is refused with 303, whatever the role."""
    message = world.say(bob, group.chat_id, "mine")
    with refused(303):
        world.edit(ann, message.message_id, MessageType.PLAIN_MESSAGE, {"text": "yours", "parseMode": "text"})


def test_edit_replaces_everything(world: World, ann: User, group: Chat) -> None:
    """An edit without buttons removes the keyboard and marks the message as edited."""
    keyboard = [[{"type": "command", "label": "Go", "command": "/go"}]]
    message = world.say(ann, group.chat_id, "Go?", buttons=keyboard)
    world.edit(ann, message.message_id, MessageType.PLAIN_MESSAGE, world.text_content("Gone", "text"))
    assert message.content == {"text": "Gone", "parseMode": "text"}
    assert message.is_edited


def test_user_removes_foreign_messages_only_for_himself(world: World, ann: User, bob: User, group: Chat) -> None:
    """The role `user` may hide what others said, and may not delete it for all."""
    message = world.say(ann, group.chat_id, "hello")
    with refused(303):
        world.remove_message(bob, message.message_id, for_all=True)
    world.remove_message(bob, message.message_id, for_all=False)
    assert world.message(ann, message.message_id) is message
    with refused(306):
        world.message(bob, message.message_id)


def test_owner_removes_foreign_messages_for_all(world: World, ann: User, bob: User, group: Chat) -> None:
    """The owner may delete what others said, for everybody."""
    message = world.say(bob, group.chat_id, "hello")
    world.remove_message(ann, message.message_id, for_all=True)
    with refused(306):
        world.message(bob, message.message_id)


def test_forward_keeps_what_was_said_then(world: World, ann: User, bob: User, group: Chat) -> None:
    """A forwarded message does not change when its original is edited."""
    original = world.say(ann, group.chat_id, "first")
    forwarded = world.forward(bob, original.message_id, world.create_p2p(ann, bob).chat_id)
    world.edit(ann, original.message_id, MessageType.PLAIN_MESSAGE, world.text_content("second", "text"))
    assert forwarded.forwarded is not None
    assert forwarded.forwarded.content["text"] == "first"


def test_unread_are_the_messages_of_others(world: World, ann: User, bob: User, group: Chat) -> None:
    """A message is unread for the other accounts until it is marked, and never for its author."""
    message = world.say(ann, group.chat_id, "read me")
    assert world.unread(bob.user_id) == [message]
    assert world.unread(ann.user_id) == []
    world.mark_read(bob.user_id, message)
    assert world.is_read(bob.user_id, message.message_id)


def test_unread_come_oldest_first_across_chats(world: World, ann: User, bob: User, group: Chat) -> None:
    """Unread messages of several chats are ordered by their time."""
    private = world.create_p2p(ann, bob)
    said = [world.say(ann, chat.chat_id, "x") for chat in (private, group, private, group)]
    assert world.unread(bob.user_id) == said


def test_removed_message_is_not_unread(world: World, ann: User, bob: User, group: Chat) -> None:
    """A message deleted before it was read is not delivered later."""
    message = world.say(ann, group.chat_id, "never mind")
    world.remove_message(ann, message.message_id, for_all=True)
    assert world.unread(bob.user_id) == []


def test_clearing_for_oneself_leaves_it_to_others(world: World, ann: User, bob: User, group: Chat) -> None:
    """History cleared for oneself is still there for the others."""
    message = world.say(ann, group.chat_id, "kept")
    world.clear_history(bob, group.chat_id, for_all=False)
    assert world.history(bob, group.chat_id, 10) == []
    assert message in world.history(ann, group.chat_id, 10)


def test_clearing_for_all_needs_a_role(world: World, ann: User, bob: User, group: Chat) -> None:
    """Only owners and admins clear the history of everybody; the clearing itself remains visible."""
    world.say(ann, group.chat_id, "gone")
    with refused(303):
        world.clear_history(bob, group.chat_id, for_all=True)
    world.clear_history(ann, group.chat_id, for_all=True)
    assert [message.type for message in world.history(bob, group.chat_id, 10)] == [MessageType.CLEAR_CHAT_HISTORY]


def test_history_is_newest_first_and_inclusive(world: World, ann: User, group: Chat) -> None:
    """History goes back from the newest message, or from the one named, which is part of it."""
    said = [world.say(ann, group.chat_id, str(number)) for number in range(5)]
    assert world.history(ann, group.chat_id, 2) == [said[4], said[3]]
    assert world.history(ann, group.chat_id, 2, said[2].message_id) == [said[2], said[1]]


def test_history_has_at_most_a_hundred(world: World, ann: User, group: Chat) -> None:
    """More than a hundred messages are not given at once."""
    for number in range(120):
        world.say(ann, group.chat_id, str(number))
    assert len(world.history(ann, group.chat_id, 1000)) == 100


def test_oldest_messages_are_forgotten(ann: User) -> None:
    """A chat that grows beyond its limit forgets its oldest messages and goes on counting."""
    world = World("example.com", Settings(kept_messages=100))
    ann = world.add_user("ann", "Ann", "secret")
    chat = world.create_group(ann, "Busy")
    for number in range(250):
        world.say(ann, chat.chat_id, str(number))
    newest = world.history(ann, chat.chat_id, 1)[0]
    assert newest.content["text"] == "249"
    assert newest.box == 251
    assert len(world.messages) <= 100
    oldest = world.history(ann, chat.chat_id, 100)[-1]
    assert world.history(ann, chat.chat_id, 100, oldest.message_id) == [oldest]


def test_chats_are_ordered_by_activity(world: World, ann: User, bob: User) -> None:
    """The chat in which something happened last comes first, page by page."""
    chats = [world.create_group(ann, f"Group {number}") for number in range(3)]
    world.say(ann, chats[0].chat_id, "up")
    assert world.page_of_chats(ann, 2, 1) == [chats[0], chats[2]]
    assert world.page_of_chats(ann, 2, 2) == [chats[1]]
    assert world.page_of_chats(ann, 2, 3) == []


@pytest.mark.parametrize(("count", "page"), [(0, 1), (10, 0), (-1, 1)])
def test_pages_count_from_one(world: World, ann: User, count: int, page: int) -> None:
    """A page or a count below one is refused."""
    with refused(399):
        world.page_of_chats(ann, count, page)


def test_pressing_a_command_tells_its_bot(world: World, ann: User, bob: User, group: Chat) -> None:
    """The press of a command button reaches the author of the keyboard, with the button's data."""
    button = {"type": "command", "label": "Go", "command": "/go", "customData": "req=17", "id": "b1"}
    message = world.say(ann, group.chat_id, "Go?", buttons=[[button]])
    world.take_notices()
    world.press(bob, message.message_id, "b1")
    (notice,) = world.take_notices()
    assert notice.audience == (ann.user_id,)
    assert isinstance(notice.about, dict)
    assert notice.about["commandPayload"] == {"type": "userCommand", "command": "/go", "customData": "req=17"}


def test_pressing_a_message_button_says_it(world: World, ann: User, bob: User, group: Chat) -> None:
    """The press of a message button makes the presser say it."""
    button = {"type": "message", "label": "Thanks", "message": "Thank you!"}
    message = world.say(ann, group.chat_id, "Done", buttons=[[button]])
    world.press(bob, message.message_id, "Thanks")
    newest = world.history(ann, group.chat_id, 1)[0]
    assert (newest.author_id, newest.content["text"]) == (bob.user_id, "Thank you!")


def test_buttons_of_one_label_are_told_apart_by_their_place(world: World, ann: User, bob: User, group: Chat) -> None:
    """Of buttons that look alike the one at that row and column is pressed; a place without a button is refused."""
    rows = [
        [{"type": "command", "label": ".", "command": f"cell:{row}{column}"} for column in (0, 1)] for row in (0, 1)
    ]
    message = world.say(ann, group.chat_id, "your turn", buttons=rows)
    world.take_notices()
    world.press(bob, message.message_id, (1, 0))
    (notice,) = world.take_notices()
    assert isinstance(notice.about, dict)
    assert notice.about["commandPayload"]["command"] == "cell:10"
    for place in ((2, 0), (0, 2), (-1, 0)):
        with refused(399):
            world.press(bob, message.message_id, place)


@pytest.mark.parametrize(
    "more", [{"url": "https://example.com"}, {"message": "hi"}, {"data": "copied"}], ids=["url", "message", "data"]
)
def test_button_with_two_actions_is_refused(world: World, ann: User, group: Chat, more: dict[str, str]) -> None:
    """A button does exactly one thing; a null beside it is nothing."""
    button = {"type": "command", "label": "Go", "command": "/go"}
    with refused(399):
        world.say(ann, group.chat_id, "Go?", buttons=[[button | more]])
    world.say(ann, group.chat_id, "Go?", buttons=[[button | dict.fromkeys(more)]])
