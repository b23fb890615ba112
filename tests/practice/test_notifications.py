"""What the practice server tells whom: all notifications, read marks, redelivery, echoes and both generations."""

from __future__ import annotations

from typing import Any

import pytest

from tcnb.practice import PracticeServer, Settings
from tcnb.practice.storage import new_file
from tcnb.types.enums import FileReadyState

from .conftest import ACCOUNTS, Join
from .wire import WireBot, upload


async def talk(bot: WireBot, chat_id: str, text: str, **fields: Any) -> dict[str, Any]:
    """Send a text and return the answer."""
    content = {"text": text, "parseMode": "text"}
    return dict(await bot.ask("sendMessage", {"chatId": chat_id, "content": content, **fields}))


async def group_of(owner: WireBot, *logins: str, title: str = "Release crew") -> str:
    """Make a group with some others in it and return its id."""
    chat_id = str((await owner.ask("createGroupChat", {"title": title}))["chatId"])
    for login in logins:
        user_id = f"{login}@practice.local"
        await owner.ask("addChatParticipant", {"chatId": chat_id, "userId": user_id, "displayHistory": True})
    return chat_id


async def test_limits_are_pushed_after_auth(join: Join) -> None:
    """The upload limits are the first notification, with the number 1."""
    bot = await join("ann")
    await bot.heard("getFileUploadLimits", lambda payload: payload == {"maxSize": None, "extensions": None})
    assert bot.notifications[0]["id"] == 1


async def test_limits_push_can_be_off(server: PracticeServer, join: Join) -> None:
    """With the switch off, nothing is pushed after `auth`."""
    server.world.settings.push_limits = False
    bot = await join("ann")
    await bot.settle()
    assert bot.notifications == []


async def test_message_reaches_others_with_envelope_of_556(join: Join) -> None:
    """A message arrives as an envelope with `chat` and flat `chatId`, and not at the session that sent it."""
    ann, bob = await join("ann"), await join("bob")
    chat_id = (await ann.ask("createP2PChat", {"userId": "bob@practice.local"}))["chatId"]
    sent = await talk(ann, chat_id, "hello")
    got = await bob.heard("sendMessage")
    assert got == {
        "messageId": sent["messageId"],
        "chatId": chat_id,
        "chat": {"chatId": chat_id, "chatTitle": "Ann Lee", "chatType": 1},
        "timestamp": sent["timestamp"],
        "replyMessageId": None,
        "isEdited": False,
        "author": {"id": "ann@practice.local", "type": 1},
        "box": {"id": 1, "position": "0"},
        "type": 200,
        "content": {"text": "hello", "parseMode": "text"},
    }
    await ann.settle()
    assert "sendMessage" not in ann.methods()


async def test_frames_are_ordered_as_real_servers_do(server: PracticeServer, join: Join) -> None:
    """Notifications are serialised as method, type, id, payload."""
    bot = await join("ann")
    server.push("ann", "removeChat", {"chatId": "x"})
    await bot.heard("removeChat")
    assert list(bot.notifications[-1]) == ["method", "type", "id", "payload"]


async def test_reply_carries_what_it_answers(join: Join) -> None:
    """A reply of the newer generation carries the quoted message one level deep."""
    ann, bob = await join("ann"), await join("bob")
    chat_id = (await ann.ask("createP2PChat", {"userId": "bob@practice.local"}))["chatId"]
    first = await talk(ann, chat_id, "one")
    second = await talk(ann, chat_id, "two", replyMessageId=first["messageId"])
    third = await talk(ann, chat_id, "three", replyMessageId=second["messageId"])
    got = await bob.heard("sendMessage", lambda payload: payload["messageId"] == third["messageId"])
    assert got["replyMessage"]["content"]["text"] == "two"
    assert got["replyMessage"]["replyMessageId"] == first["messageId"]
    assert "replyMessage" not in got["replyMessage"]


async def test_own_messages_reach_other_sessions(join: Join) -> None:
    """A message of an account reaches its other sessions, and not as unread."""
    here, there = await join("ann"), await join("ann")
    chat_id = (await here.ask("createFavoritesChat"))["chatId"]
    await talk(here, chat_id, "note")
    assert (await there.heard("sendMessage"))["content"]["text"] == "note"
    assert (await there.ask("getChatByID", {"chatId": chat_id}))["unreadMessages"] == 0


async def test_acknowledgement_is_the_read_mark(server: PracticeServer, join: Join) -> None:
    """A message is unread until its notification is acknowledged."""
    ann, bob = await join("ann"), await join("bob", acknowledges=False)
    chat_id = (await ann.ask("createP2PChat", {"userId": "bob@practice.local"}))["chatId"]
    sent = await talk(ann, chat_id, "read?")
    await bob.heard("sendMessage")
    assert (await bob.ask("getChatByID", {"chatId": chat_id}))["unreadMessages"] == 1
    assert not server.world.is_read("bob@practice.local", sent["messageId"])
    await bob.send({"type": 2, "id": bob.notifications[-1]["id"]})
    await server.until(lambda: server.world.is_read("bob@practice.local", sent["messageId"]))
    assert (await bob.ask("getChatByID", {"chatId": chat_id}))["unreadMessages"] == 0


async def test_unread_are_redelivered_oldest_first(server: PracticeServer, join: Join) -> None:
    """With `receiveUnread` everything unread comes again, oldest first across chats, and once acknowledged no more."""
    ann = await join("ann")
    chats = [(await ann.ask("createP2PChat", {"userId": "bob@practice.local"}))["chatId"], await group_of(ann, "bob")]
    for number in range(6):
        await talk(ann, chats[number % 2], str(number))
    bob = await join("bob", receiveUnread=True)
    texts = [(await bob.heard("sendMessage"))["content"]["text"] for _ in range(6)]
    assert texts == list("012345")
    await bob.settle()
    server.world.settings.backlog_delay = 0
    again = await join("bob", receiveUnread=True)
    await again.settle()
    assert again.methods() == []


async def test_unread_are_not_pushed_unless_asked_for(join: Join) -> None:
    """Without `receiveUnread` nothing is pushed, and history does not mark as read."""
    ann = await join("ann")
    chat_id = (await ann.ask("createP2PChat", {"userId": "bob@practice.local"}))["chatId"]
    await talk(ann, chat_id, "waiting")
    bob = await join("bob")
    history = await bob.ask("getChatHistory", {"chatId": chat_id, "count": 10})
    assert [message["content"]["text"] for message in history["messages"]] == ["waiting"]
    assert (await bob.ask("getChats", {"count": 10, "page": 1}))[0]["unreadMessages"] == 1
    assert bob.methods() == []


async def test_broken_connection_leaves_messages_unread(server: PracticeServer, join: Join) -> None:
    """What was delivered and not acknowledged before the connection broke is delivered again."""
    ann, bob = await join("ann"), await join("bob", acknowledges=False)
    chat_id = (await ann.ask("createP2PChat", {"userId": "bob@practice.local"}))["chatId"]
    await talk(ann, chat_id, "important")
    await bob.heard("sendMessage")
    server.drop_connections("bob")
    again = await join("bob", receiveUnread=True)
    assert (await again.heard("sendMessage"))["content"]["text"] == "important"


async def test_creation_notifications(join: Join) -> None:
    """Groups and channels are told to their creator, personal chats to the other, favorites to other sessions."""
    ann, also_ann, bob = await join("ann"), await join("ann"), await join("bob")
    group = await ann.ask("createGroupChat", {"title": "G"})
    channel = await ann.ask("createChannel", {"title": "C"})
    private = await ann.ask("createP2PChat", {"userId": "bob@practice.local"})
    favorites = await ann.ask("createFavoritesChat")
    assert (await ann.heard("createGroupChat"))["chatId"] == group["chatId"]
    told = await ann.heard("createChannel")
    assert (told["chatId"], told["title"], told["chatType"]) == (channel["chatId"], "C", 6)
    opened = await bob.heard("createP2PChat")
    assert opened == {
        "chatId": private["chatId"],
        "title": "ann@practice.local",
        "chatType": 1,
        "lastMessage": None,
        "unreadMessages": 0,
    }
    own = await also_ann.heard("createFavoritesChat")
    assert (own["chatId"], own["title"]) == (favorites["chatId"], None)
    await ann.settle()
    assert ann.methods() == ["createGroupChat", "createChannel"]


async def test_participant_notifications(join: Join) -> None:
    """Adding, changing roles and removing are told to everybody else, the one concerned included."""
    ann, bob, eve = await join("ann"), await join("bob"), await join("eve")
    chat_id = await group_of(ann, "bob", "eve")
    added = await bob.heard("addChatParticipant", lambda payload: payload["userId"].startswith("bob"))
    assert added["addedBy"] == {"id": "ann@practice.local", "type": 1}
    assert (await bob.heard("addChatParticipant"))["userId"] == "eve@practice.local"
    await ann.ask("changeParticipantRole", {"chatId": chat_id, "userId": "bob@practice.local", "role": "admin"})
    assert (await eve.heard("changeParticipantRole"))["role"] == "admin"
    await bob.ask("removeChatParticipant", {"chatId": chat_id, "userId": "eve@practice.local", "clearHistory": False})
    removed = await eve.heard("removeChatParticipant")
    assert (removed["userId"], removed["removedBy"]["id"]) == ("eve@practice.local", "bob@practice.local")
    assert (await ann.heard("removeChatParticipant"))["chatId"] == chat_id


async def test_change_notifications(join: Join) -> None:
    """Edits, deletions, titles, cleared histories and removed chats are told to the others."""
    ann, bob = await join("ann"), await join("bob")
    chat_id = await group_of(ann, "bob")
    first, second = await talk(ann, chat_id, "one"), await talk(ann, chat_id, "two")
    edit = {"messageId": first["messageId"], "content": {"text": "uno", "parseMode": "text"}}
    answer = await ann.ask("editMessage", edit)
    assert await bob.heard("editMessage") == {
        "timestamp": answer["timestamp"],
        "content": {"text": "uno", "parseMode": "text"},
        "chatId": chat_id,
    }
    await ann.ask("removeMessage", {"messageId": second["messageId"], "forAll": True})
    removed = await bob.heard("removeMessage")
    assert removed == {
        "chatId": chat_id,
        "messageId": second["messageId"],
        "removedBy": {"id": "ann@practice.local", "type": 1},
    }
    await ann.ask("editChatTitle", {"chatId": chat_id, "title": "Crew"})
    assert await bob.heard("editChatTitle") == {"chatId": chat_id, "title": "Crew"}
    await ann.ask("clearHistory", {"chatId": chat_id, "forAll": True})
    assert await bob.heard("clearHistory") == {"chatId": chat_id, "forAll": True}
    await ann.ask("removeChat", {"chatId": chat_id})
    assert await bob.heard("removeChat") == {"chatId": chat_id}
    await ann.settle()
    assert not {"editMessage", "removeMessage", "clearHistory", "removeChat"} & set(ann.methods())


async def test_edit_can_name_its_message(server: PracticeServer, join: Join) -> None:
    """With the switch on, the notification of an edit names the message."""
    server.world.settings.edit_names_message = True
    ann, bob = await join("ann"), await join("bob")
    chat_id = (await ann.ask("createP2PChat", {"userId": "bob@practice.local"}))["chatId"]
    sent = await talk(ann, chat_id, "one")
    await ann.ask("editMessage", {"messageId": sent["messageId"], "content": {"text": "two", "parseMode": "text"}})
    assert (await bob.heard("editMessage"))["messageId"] == sent["messageId"]


async def test_system_envelopes_are_for_those_who_asked(join: Join) -> None:
    """System envelopes are pushed only with the flag of `auth`, and stand in the history in any case."""
    ann, bob, eve = await join("ann"), await join("bob"), await join("eve", receiveSystemMessageEnvelopes=True)
    chat_id = await group_of(ann, "eve", "bob")
    await ann.ask("editChatTitle", {"chatId": chat_id, "title": "Crew"})
    kinds = [(await eve.heard("sendMessage"))["type"] for _ in range(3)]
    assert kinds == [1, 1, 21]
    system = next(frame["payload"] for frame in eve.notifications if frame["method"] == "sendMessage")
    assert system["author"] == {"id": "trueconf.server", "type": 0}
    assert system["content"] == {"userId": "eve@practice.local", "role": "user"}
    assert "isEdited" not in system
    history = await bob.ask("getChatHistory", {"chatId": chat_id, "count": 10})
    assert [message["type"] for message in history["messages"]] == [21, 1, 1, 110]
    assert "sendMessage" not in bob.methods()


async def test_changed_limits_are_told_to_all(server: PracticeServer, join: Join) -> None:
    """Limits changed by the administrator are pushed to every session."""
    ann, bob = await join("ann"), await join("bob")
    server.set_upload_limits(1000, ["exe"], "block")
    for bot in (ann, bob):
        await bot.heard("getFileUploadLimits", lambda payload: payload["maxSize"] == 1000)


async def test_button_press_is_told_to_the_bot(server: PracticeServer, join: Join) -> None:
    """The press of a command button arrives with the envelope of its message, without the buttons."""
    ann = await join("ann")
    await join("bob")
    chat_id = (await ann.ask("createP2PChat", {"userId": "bob@practice.local"}))["chatId"]
    buttons = [[{"type": "command", "label": "Go", "command": "/go", "id": "b1"}]]
    content = {"text": "Go?", "parseMode": "text", "buttons": buttons}
    sent = await ann.ask("sendMessage", {"chatId": chat_id, "content": content})
    server.world.press(server.world.user("bob@practice.local"), sent["messageId"], "b1")
    server.deliver()
    command = await ann.heard("command")
    assert command["commandPayload"] == {"type": "userCommand", "command": "/go", "customData": ""}
    assert command["commandSource"]["buttonId"] == "b1"
    assert command["commandSource"]["message"]["content"] == {"text": "Go?", "parseMode": "text"}


async def test_progress_reaches_subscribers(server: PracticeServer, join: Join) -> None:
    """The arrival of a file is told to those who subscribed, and its address appears when it is there."""
    ann, bob = await join("ann"), await join("bob")
    world, author = server.world, server.world.user("ann@practice.local")
    chat_id = (await ann.ask("createP2PChat", {"userId": "bob@practice.local"}))["chatId"]
    file = new_file("big.bin", 100, "application/octet-stream", b"x" * 100)
    file.state = FileReadyState.UPLOADING
    world.attach(author, chat_id, file)
    server.deliver()
    assert (await bob.heard("sendMessage"))["content"]["readyState"] == 1
    assert (await bob.ask("getFileInfo", {"fileId": file.file_id}))["downloadUrl"] is None
    assert await bob.ask("subscribeFileProgress", {"fileId": file.file_id}) == {"result": True}
    world.report_progress(file, 60)
    server.deliver()
    assert await bob.heard("uploadFileProgress") == {"fileId": file.file_id, "progress": 60}
    assert await bob.ask("unsubscribeFileProgress", {"fileId": file.file_id}) == {"result": True}
    world.report_progress(file, 100)
    world.finish_file(file)
    server.deliver()
    assert (await bob.ask("getFileInfo", {"fileId": file.file_id}))["readyState"] == 2
    assert "uploadFileProgress" not in ann.methods()


class TestOlderGeneration:
    """The generation 5.5.3: flat envelopes, older codes, fewer methods."""

    @pytest.fixture
    def settings(self) -> Settings:
        """Settings of the older generation."""
        return Settings(generation="5.5.3")

    async def test_envelopes_are_flat(self, join: Join) -> None:
        """Envelopes have no `chat` and no quoted message."""
        ann, bob = await join("ann"), await join("bob")
        chat_id = (await ann.ask("createP2PChat", {"userId": "bob@practice.local"}))["chatId"]
        first = await talk(ann, chat_id, "one")
        await talk(ann, chat_id, "two", replyMessageId=first["messageId"])
        got = await bob.heard("sendMessage", lambda payload: payload["content"]["text"] == "two")
        assert set(got) == {
            "messageId",
            "chatId",
            "timestamp",
            "replyMessageId",
            "isEdited",
            "author",
            "box",
            "type",
            "content",
        }
        record = (await bob.ask("getChats", {"count": 1, "page": 1}))[0]
        assert record["lastMessage"]["chatId"] == chat_id
        assert "chat" not in record["lastMessage"]

    async def test_files_have_info_hashes(self, server: PracticeServer, join: Join) -> None:
        """Files are named by `infoHash` as well, and their errors have the older codes."""
        ann = await join("ann")
        chat_id = (await ann.ask("createFavoritesChat"))["chatId"]
        file = new_file("a.txt", 1, "text/plain", b"a")
        server.world.attach(server.world.user("ann@practice.local"), chat_id, file)
        info = await ann.ask("getFileInfo", {"fileId": file.file_id})
        assert info["infoHash"] == info["fileId"] == file.file_id
        with pytest.raises(Exception, match="308"):
            await ann.ask("getFileInfo", {"fileId": "none"})

    @pytest.mark.parametrize("method", ["sendChatActivity", "answerCommand", "getChatParticipant"])
    async def test_newer_methods_are_unknown(self, join: Join, method: str) -> None:
        """Methods that came later are refused with 307."""
        ann = await join("ann")
        with pytest.raises(Exception, match="307"):
            await ann.ask(method, {})


async def test_generations_are_told_by_version() -> None:
    """The older generation reports an older version."""
    async with PracticeServer(accounts=ACCOUNTS, generation="5.5.3") as server:
        assert server.world.settings.version.startswith("5.5.3.")


async def test_forward_of_a_forward_is_flat(join: Join) -> None:
    """What is forwarded again names who forwarded it before, and its content is the content itself, however deep."""
    ann, bob = await join("ann"), await join("bob")
    chat_id = (await ann.ask("createP2PChat", {"userId": "bob@practice.local"}))["chatId"]
    sent = await talk(ann, chat_id, "deep")
    for _ in range(3):
        before = sent["messageId"]
        sent = await ann.ask("forwardMessage", {"chatId": chat_id, "messageId": before})
    last = await bob.heard("sendMessage", lambda payload: payload["messageId"] == sent["messageId"])
    inner = last["content"]
    assert (inner["type"], inner["messageId"]) == (201, before)
    assert inner["content"] == {"text": "deep", "parseMode": "text"}


async def test_history_from_no_message_is_refused(join: Join) -> None:
    """A null where the first message of a page should be named is refused, as older clients learned."""
    ann = await join("ann")
    chat_id = (await ann.ask("createFavoritesChat"))["chatId"]
    with pytest.raises(Exception, match="399"):
        await ann.ask("getChatHistory", {"chatId": chat_id, "count": 1, "fromMessageId": None})


class TestFirstGeneration:
    """The generation 5.5.0: no names before an upload, no limits, fewer methods."""

    @pytest.fixture
    def settings(self) -> Settings:
        """Settings of the first generation."""
        return Settings(generation="5.5.0")

    @pytest.mark.parametrize("declared", [{}, {"fileName": "ignored.bin"}])
    async def test_the_part_names_the_file(self, join: Join, declared: dict[str, str]) -> None:
        """A file is called what the part that brought it says, and is known by its info hash alone."""
        ann = await join("ann")
        chat_id = (await ann.ask("createP2PChat", {"userId": "bob@practice.local"}))["chatId"]
        task = await ann.ask("uploadFile", {"fileSize": 4, **declared})
        _, uploaded = await upload(ann.url, task["uploadTaskId"], b"text", name="notes.txt")
        sent = await ann.ask("sendFile", {"chatId": chat_id, "content": uploaded})
        assert set(sent) == {"chatId", "messageId", "timestamp"}
        file_id = (await ann.ask("getMessageById", {"messageId": sent["messageId"]}))["content"]["fileId"]
        info = await ann.ask("getFileInfo", {"fileId": file_id})
        assert (info["name"], info["infoHash"]) == ("notes.txt", file_id)
        assert "fileId" not in info

    @pytest.mark.parametrize(
        "method",
        ["createFavoritesChat", "changeParticipantRole", "editChatTitle", "clearHistory", "getFileUploadLimits"],
    )
    async def test_newer_methods_are_unknown(self, join: Join, method: str) -> None:
        """Methods that came with 5.5.2 and 5.5.3 are refused with 307."""
        ann = await join("ann")
        with pytest.raises(Exception, match="307"):
            await ann.ask(method, {})

    async def test_limits_are_never_announced(self, server: PracticeServer, join: Join) -> None:
        """Nobody is told what may be uploaded, neither after the login nor when that changes."""
        ann, bob = await join("ann"), await join("bob")
        server.set_upload_limits(10)
        chat_id = (await bob.ask("createP2PChat", {"userId": "ann@practice.local"}))["chatId"]
        await talk(bob, chat_id, "after it")
        await ann.heard("sendMessage")
        assert "getFileUploadLimits" not in ann.methods()


async def test_file_of_the_middle_generation_needs_a_name(join: Join, server: PracticeServer) -> None:
    """From 5.5.3 on a name is asked for; `sendFile` tells the id of the file."""
    server.world.settings.generation = "5.5.3"
    ann = await join("ann")
    with pytest.raises(Exception, match="399"):
        await ann.ask("uploadFile", {"fileSize": 4})
    chat_id = (await ann.ask("createFavoritesChat"))["chatId"]
    task = await ann.ask("uploadFile", {"fileSize": 4, "fileName": "notes.txt"})
    _, uploaded = await upload(ann.url, task["uploadTaskId"], b"text", name="notes.txt")
    sent = await ann.ask("sendFile", {"chatId": chat_id, "content": uploaded})
    assert (await ann.ask("getFileInfo", {"fileId": sent["fileId"]}))["infoHash"] == sent["fileId"]
