"""Both generations of the wire give the same objects, and every object gives the wire's names back."""

from __future__ import annotations

import copy
import json
import pickle

import pytest
from wire_samples import (
    ALICE,
    CHAT,
    CHAT_ID,
    CHAT_RECORD,
    FORWARDED_ORIGINAL,
    NEW_ENVELOPE,
    NOTIFICATIONS,
    OLD_ENVELOPE,
    RESPONSES,
    SYSTEM_CONTENTS,
    USER_CONTENTS,
    system_envelope,
    user_envelope,
)

import tcnb.types
from tcnb.types import (
    Chat,
    EnvelopeAuthor,
    EnvelopeBox,
    GetChatByIdResponse,
    GetFileInfoResponse,
    Message,
    SystemMessage,
    TextContent,
    UnknownContent,
    parse_envelope,
    parse_event,
)
from tcnb.types.enums import ChatType, EnvelopeAuthorType, MessageType


def without(payload, *names):
    """Return the payload without some of its fields."""
    return {name: value for name, value in payload.items() if name not in names}


def test_older_envelope_gives_a_message():
    """A flat envelope is read field by field."""
    message = parse_envelope(OLD_ENVELOPE)
    assert message == Message(
        1767000001000,
        MessageType.PLAIN_MESSAGE,
        EnvelopeAuthor("alice@video.example.com", EnvelopeAuthorType.USER),
        EnvelopeBox(215, "0"),
        TextContent("status?", "html"),
        "5c0b6c7e-52c2-4f5a-8f39-0b6f1b0d2d11",
        CHAT_ID,
        False,
        None,
    )


def test_older_envelope_has_a_chat_with_its_id_only():
    """The chat of a flat envelope is made of the bare id."""
    assert parse_envelope(OLD_ENVELOPE).chat == Chat(CHAT_ID, None, ChatType.UNDEF)


def test_newer_envelope_has_chat_and_replied_message():
    """A newer envelope knows its chat and the message it answers."""
    message = parse_envelope(NEW_ENVELOPE)
    assert message.chat == Chat(CHAT_ID, "Release crew", ChatType.GROUP)
    assert message.reply_message.text == "status?"
    assert message.reply_message.message_id == message.reply_message_id
    assert message.reply_message.reply_message is None


def test_chat_id_is_taken_from_the_chat_where_it_stands_only_there():
    """`chatId` may be missing beside `chat`."""
    message = parse_envelope(without(NEW_ENVELOPE, "chatId"))
    assert message.chat_id == CHAT_ID


@pytest.mark.parametrize("method", ["removeChat", "editChatTitle", "removeMessage", "addChatParticipant"])
def test_events_take_the_chat_id_from_a_chat_object_too(method):
    """An event that says its chat as an object is understood."""
    event = parse_event(method, {**without(NOTIFICATIONS[method], "chatId"), "chat": CHAT})
    assert event.chat_id == CHAT_ID


def test_message_can_be_made_with_the_keywords_of_the_newer_client():
    """The official client's constructor has a chat instead of its id, and may lack the box."""
    message = Message(
        chat=Chat(CHAT_ID, "Release crew", ChatType.GROUP),
        timestamp=1,
        type=MessageType.PLAIN_MESSAGE,
        author=EnvelopeAuthor("a", EnvelopeAuthorType.USER),
        content=TextContent("x"),
        message_id="m",
        is_edited=False,
    )
    assert (message.chat_id, message.box) == (CHAT_ID, None)


def test_message_can_be_made_by_position_with_a_chat():
    """A chat can be given beside the page's positional arguments."""
    author, content = EnvelopeAuthor("a", EnvelopeAuthorType.USER), TextContent("x")
    chat = Chat("c", "Crew", ChatType.GROUP)
    message = Message(1, MessageType.PLAIN_MESSAGE, author, None, content, "m", "c", False, chat=chat)
    assert message.chat is chat


def test_chat_without_its_id_takes_that_of_the_envelope():
    """A chat object that lacks the id is completed from the flat one."""
    message = parse_envelope({**OLD_ENVELOPE, "chat": {"chatTitle": "Crew", "chatType": 2}})
    assert message.chat == Chat(CHAT_ID, "Crew", ChatType.GROUP)


def test_attachments_take_both_spellings_of_the_mime_type():
    """`mimetype` and `mime_type` are the same, as keyword and as attribute."""
    older = tcnb.types.Photo(file_id="f", file_name="a.png", file_size=1, mimetype="image/png")
    newer = tcnb.types.Photo(file_id="f", file_name="a.png", file_size=1, mime_type="image/png")
    assert older == newer
    assert older.mimetype == older.mime_type == "image/png"


def test_giving_both_spellings_is_an_error():
    """Two values for the same thing are refused."""
    with pytest.raises(TypeError, match="the same"):
        tcnb.types.Photo("f", "a.png", 1, mimetype="image/png", mime_type="image/png")


@pytest.mark.parametrize(("message_type", "content"), USER_CONTENTS.items())
def test_user_content_survives_the_way_there_and_back(message_type, content):
    """Every kind of user's message is written as it was read."""
    message = parse_envelope(user_envelope(message_type, content))
    written = json.loads(json.dumps(message.as_wire()))
    assert parse_envelope(written) == message
    assert content.items() <= written["content"].items()


@pytest.mark.parametrize(("message_type", "content"), SYSTEM_CONTENTS.items())
def test_system_content_survives_the_way_there_and_back(message_type, content):
    """Every kind of the system's records is written as it was read."""
    message = parse_envelope(system_envelope(message_type, content))
    assert isinstance(message, SystemMessage)
    assert message.as_wire() == system_envelope(message_type, content)
    assert parse_envelope(message.as_wire()) == message


@pytest.mark.parametrize("method", NOTIFICATIONS)
def test_notification_survives_the_way_there_and_back(method):
    """Every notification is written with the wire's names and plain values, and read back equal."""
    event = parse_event(method, NOTIFICATIONS[method])
    written = event.as_wire()
    assert json.loads(json.dumps(written)) == written
    assert type(event).from_dict(written) == event
    assert type(event).from_json(event.to_json()) == event
    assert set(written) <= {*NOTIFICATIONS[method], "chat"}


@pytest.mark.parametrize("name", RESPONSES)
def test_response_survives_the_way_there_and_back(name):
    """Every response is written as it was read."""
    kind = getattr(tcnb.types, name)
    response = kind.from_dict(RESPONSES[name])
    assert kind.from_dict(response.as_wire()) == response
    assert json.loads(response.to_json()) == response.as_wire() == RESPONSES[name]


def test_forwarded_message_is_a_message():
    """The original of a forward is a message of its own."""
    message = parse_envelope(user_envelope(201, FORWARDED_ORIGINAL))
    original = message.forwarded_message
    assert isinstance(original, Message)
    assert (original.text, original.author.id, original.chat_id) == ("see notes", "carol@video.example.com", "aa10")
    assert original.box is None
    assert message.text is None


def test_forward_with_a_flat_text_is_understood():
    """A forward whose content is a bare text has an original with that text."""
    message = parse_envelope(user_envelope(201, {"text": "see notes", "parseMode": "html"}))
    assert message.forwarded_message.text == "see notes"
    assert message.forwarded_message.type is MessageType.PLAIN_MESSAGE


def test_forward_of_a_forward_is_understood():
    """Forwards may be nested."""
    nested = {**FORWARDED_ORIGINAL, "type": 201, "content": FORWARDED_ORIGINAL}
    message = parse_envelope(user_envelope(201, nested))
    assert message.forwarded_message.forwarded_message.text == "see notes"


def test_location_takes_its_title_from_the_description():
    """Some servers call the title of a place description."""
    message = parse_envelope(user_envelope(203, {"latitude": 1, "longitude": 2, "description": "Office"}))
    assert message.location.title == "Office"


def test_file_id_is_taken_from_the_info_hash():
    """Servers before 5.5.4 call the file id info hash."""
    info = GetFileInfoResponse.from_dict({**without(RESPONSES["GetFileInfoResponse"], "fileId"), "infoHash": "h"})
    assert info.file_id == "h"


@pytest.mark.parametrize(("said", "meant"), [(True, True), ("true", True), ("false", False), (0, False), (None, False)])
def test_for_all_is_a_boolean_or_a_string(said, meant):
    """`forAll` was a string once."""
    assert parse_event("clearHistory", {"chatId": "c", "forAll": said}).for_all is meant


@pytest.mark.parametrize(
    ("said", "meant"), [("admin", "admin"), (1, "admin"), (6, "writer"), ("king", "king"), (9, "9")]
)
def test_role_is_a_string_or_a_number(said, meant):
    """A numbered role becomes its string; an unknown one is kept."""
    event = parse_event("changeParticipantRole", {"chatId": "c", "userId": "u", "role": said, "timestamp": 1})
    assert event.role == meant


def test_chats_come_as_a_bare_array():
    """Real servers answer `getChats` with an array as payload."""
    bare = tcnb.types.GetChatsResponse.from_dict([CHAT_RECORD, CHAT_RECORD])
    wrapped = tcnb.types.GetChatsResponse.from_dict({"chats": [CHAT_RECORD, CHAT_RECORD]})
    assert bare == wrapped
    assert [chat.title for chat in bare.chats] == ["Release crew", "Release crew"]


@pytest.mark.parametrize("last", [None, "absent", 7, []])
def test_last_message_may_be_missing(last):
    """An empty chat has no last message, said in several ways."""
    record = without(CHAT_RECORD, "lastMessage") if last == "absent" else {**CHAT_RECORD, "lastMessage": last}
    assert GetChatByIdResponse.from_dict(record).last_message is None


def test_last_message_of_unknown_type_does_not_break_a_page_of_chats():
    """One strange last message leaves the others readable."""
    strange = {**CHAT_RECORD, "lastMessage": {**CHAT_RECORD["lastMessage"], "type": 777, "content": {"new": 1}}}
    chats = tcnb.types.GetChatsResponse.from_dict([strange, CHAT_RECORD]).chats
    assert chats[0].last_message.type == 777
    assert chats[0].last_message.content == UnknownContent({"new": 1})
    assert chats[1].last_message.text == "Hi"


def test_last_message_of_an_older_server_knows_its_chat():
    """A last message without its chat takes it from the record."""
    older = {**CHAT_RECORD, "lastMessage": without(CHAT_RECORD["lastMessage"], "chat")}
    assert GetChatByIdResponse.from_dict(older).last_message.chat == Chat(CHAT_ID, "Release crew", ChatType.GROUP)


def test_participant_of_the_first_generation_is_understood():
    """A participant was identified by `id` once."""
    page = tcnb.types.GetChatParticipantsResponse.from_dict({"participants": [{"id": "alice@x", "role": "owner"}]})
    assert page.participants[0].user_id == "alice@x"


def test_unknown_message_type_stays_a_number():
    """A kind nobody knows keeps its number and its content."""
    message = parse_envelope(user_envelope(299, {"shape": "new"}))
    assert message.type == 299
    assert message.content == UnknownContent({"shape": "new"})
    assert message.as_wire()["content"] == {"shape": "new"}


def test_unknown_system_type_is_a_system_message():
    """An unknown kind below 200 is the system's."""
    message = parse_envelope(system_envelope(42, {"shape": "new"}))
    assert isinstance(message, SystemMessage)
    assert message.content == UnknownContent({"shape": "new"})


def test_unknown_notification_is_kept_as_an_update():
    """A notification of an unknown name keeps its name and its payload."""
    update = parse_event("dance", {"steps": 3}, id=8)
    assert (update.method, update.type, update.id, update.payload) == ("dance", 1, 8, {"steps": 3})


def test_edited_message_may_say_which_one():
    """A server that adds the message id to an edit is understood."""
    assert parse_event("editMessage", NOTIFICATIONS["editMessage"]).message_id is None
    assert parse_event("editMessage", {**NOTIFICATIONS["editMessage"], "messageId": "m"}).message_id == "m"


def test_edited_message_may_carry_something_else_than_a_text():
    """The edit of a survey is told by its shape."""
    event = parse_event("editMessage", {"timestamp": 1, "chatId": "c", "content": USER_CONTENTS[204]})
    assert event.text is None
    assert event.content.title == "Lunch choice"


def test_the_payload_is_left_as_it_was():
    """Reading does not change what is read."""
    for method, payload in NOTIFICATIONS.items():
        before = copy.deepcopy(payload)
        parse_event(method, payload)
        assert payload == before


def test_message_can_be_pickled_and_copied_without_its_bot():
    """A copy of a bound message is equal and belongs to no bot."""
    message = parse_envelope(NEW_ENVELOPE).bind(object())
    assert pickle.loads(pickle.dumps(message)) == copy.deepcopy(message) == message


def test_message_is_shown_on_one_short_line():
    """A message shows what, who, where, and not its whole inside."""
    shown = repr(parse_envelope(user_envelope(200, {"text": "x" * 500, "parseMode": "html"})))
    assert len(shown) < 250
    assert "bob@video.example.com" in shown
    assert "Release crew" in shown


def test_secret_part_of_an_address_is_not_shown():
    """A download address is shown without its token."""
    info = GetFileInfoResponse.from_dict(RESPONSES["GetFileInfoResponse"])
    assert "abc" not in repr(info)
    assert "files/9d41" in repr(info)


def test_author_of_the_system_is_told_apart():
    """Type 0 is the system, whatever the id looks like."""
    author = EnvelopeAuthor.from_dict({"id": "alice", "type": 0})
    assert author.type is EnvelopeAuthorType.SYSTEM
    assert EnvelopeAuthor.from_dict(ALICE).type is EnvelopeAuthorType.USER
