"""Every method of the connector by our client against the practice server: one table of method, case and outcome.

Source: `protocol` section 6.1.
"""

# ruff: noqa: E501 -- a table is read by rows

from __future__ import annotations

import asyncio
import io
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

import pytest
from PIL import Image

import tcnb
from tcnb.errors import (
    ApiErrorException,
    ChannelTitleTooLongError,
    FileCaptionTooLongError,
    FileMissingError,
    FileSizeTooLargeError,
    GroupTitleTooLongError,
    InvalidFileExtensionError,
    NotAnImageError,
    TextMessageTooLongError,
    UsageError,
)
from tcnb.practice import PracticeThread
from tcnb.practice.entities import UploadLimits
from tcnb.practice.methods import METHODS
from tcnb.types import BufferedInputFile
from tcnb.types.enums import ChatType
from tests.conftest import Colleague


def picture() -> bytes:
    """Return a small PNG."""
    target = io.BytesIO()
    Image.new("RGB", (8, 8), "green").save(target, "PNG")
    return target.getvalue()


PICTURE = picture()
TEXT_FILE = BufferedInputFile(b"some text", filename="notes.txt")
EVIL_FILE = BufferedInputFile(b"MZ", filename="evil.exe")
NOWHERE = "no-such-id"


class Stage:
    """What the cases are about: chats, messages and files that the bot `robot` has something to do with.

    Attributes:
        bot: the bot's methods.
        own: a group that the bot owns, with Alice in it; `said` is the bot's message there, `survey` its survey.
        hers: a group that Alice owns, with the bot in it as a user; `heard` is her message there.
        foreign: a group of Alice's without the bot; `unheard` is her message there.
        news: a channel of Alice's, which the bot only reads.
        file: a file that the bot sent into `own`.
    """

    def __init__(self, session: tcnb.Session, practice: PracticeThread, alice: Colleague) -> None:
        self.bot = session.bot
        self.practice = practice
        self.hers, self.foreign = alice.group("Hers", "robot"), alice.group("Foreign")
        self.heard, self.unheard = alice.say(self.hers, "hello"), alice.say(self.foreign, "secret")
        self.news = str(alice.act(self._channel))

    async def prepare(self) -> None:
        """Have the bot make what is its own."""
        bot = self.bot
        self.own = (await bot.create_group_chat("Own")).chat_id
        await bot.add_participant_to_chat(self.own, "alice")
        self.said = (await bot.send_message(self.own, "hi")).message_id
        self.survey = (await bot.send_survey(self.own, "Lunch", "k7Qm2xZ0pd")).message_id
        self.file = (await bot.send_document(self.own, TEXT_FILE)).file_id or ""

    async def with_limits(self, most: int | None, extensions: list[str] | None, work: Awaitable[Any]) -> Any:
        """Do something after the administrator has set limits of uploads."""
        limits = UploadLimits(most, "block", None if extensions is None else tuple(extensions))
        await asyncio.to_thread(self.practice.call, lambda server: setattr(server.world, "limits", limits))
        await self.bot.get_file_info_upload_limits()
        return await work

    @staticmethod
    def _channel(server: Any, alice: Any) -> str:
        chat = server.world.create_channel(alice, "News")
        server.world.add_participant(
            alice, chat.chat_id, server.world.user("robot@practice.local"), display_history=True
        )
        return str(chat.chat_id)


class Case(NamedTuple):
    """A row of the table: the outcome is what the answer must be like, the code of a refusal, or an error of ours."""

    method: str
    case: str
    act: Callable[[Stage], Awaitable[Any]]
    outcome: Callable[[Any, Stage], object] | int | type[Exception]


# fmt: off
CASES = [Case(*row) for row in (
    ("createP2PChat", "with a colleague", lambda s: s.bot.create_personal_chat("alice"), lambda a, s: a.chat_id),
    ("createP2PChat", "with nobody", lambda s: s.bot.create_personal_chat("nobody"), 399),
    ("createP2PChat", "with oneself", lambda s: s.bot.create_personal_chat("Robot"), UsageError),
    ("createGroupChat", "with a title", lambda s: s.bot.create_group_chat("New"), lambda a, s: a.chat_id),
    ("createGroupChat", "longest title", lambda s: s.bot.create_group_chat("x" * 256), lambda a, s: a.chat_id),
    ("createGroupChat", "title too long", lambda s: s.bot.create_group_chat("x" * 257), GroupTitleTooLongError),
    ("createGroupChat", "without a title", lambda s: s.bot.create_group_chat(""), 399),
    ("createChannel", "with a title", lambda s: s.bot.create_channel("New"), lambda a, s: a.chat_id),
    ("createChannel", "title too long", lambda s: s.bot.create_channel("x" * 257), ChannelTitleTooLongError),
    ("createChannel", "without a title", lambda s: s.bot.create_channel(""), 399),
    ("createFavoritesChat", "made", lambda s: s.bot.create_favorites_chat(), lambda a, s: a.chat_id),
    ("getChats", "first page", lambda s: s.bot.get_chats(), lambda a, s: s.own in {chat.chat_id for chat in a.chats}),
    ("getChats", "page 0", lambda s: s.bot.get_chats(page=0), UsageError),
    ("getChats", "0 chats", lambda s: s.bot.get_chats(count=0), UsageError),
    ("getChats", "after the last", lambda s: s.bot.get_chats(page=9), lambda a, s: a.chats == []),
    ("getChatByID", "own group", lambda s: s.bot.get_chat_by_id(s.own), lambda a, s: a.chat_type == ChatType.GROUP),
    ("getChatByID", "no such chat", lambda s: s.bot.get_chat_by_id(NOWHERE), 304),
    ("getChatByID", "foreign chat", lambda s: s.bot.get_chat_by_id(s.foreign), 305),
    ("removeChat", "own group", lambda s: s.bot.delete_chat(s.own), lambda a, s: True),
    ("removeChat", "leaving", lambda s: s.bot.delete_chat(s.hers), lambda a, s: True),
    ("removeChat", "no such chat", lambda s: s.bot.delete_chat(NOWHERE), 304),
    ("removeChat", "foreign chat", lambda s: s.bot.delete_chat(s.foreign), 302),
    ("editChatTitle", "own group", lambda s: s.bot.edit_chat_title(s.own, "New"), lambda a, s: a.chat_id == s.own),
    ("editChatTitle", "as a user", lambda s: s.bot.edit_chat_title(s.hers, "New"), 303),
    ("editChatTitle", "no such chat", lambda s: s.bot.edit_chat_title(NOWHERE, "New"), 304),
    ("editChatTitle", "too long", lambda s: s.bot.edit_chat_title(s.own, "x" * 257), GroupTitleTooLongError),
    ("editChatAvatar", "own group", lambda s: s.bot.edit_chat_avatar(s.own, PICTURE), lambda a, s: True),
    ("editChatAvatar", "as a user", lambda s: s.bot.edit_chat_avatar(s.hers, PICTURE), 303),
    ("editChatAvatar", "no such chat", lambda s: s.bot.edit_chat_avatar(NOWHERE, PICTURE), 304),
    ("editChatAvatar", "no image", lambda s: s.bot.edit_chat_avatar(s.own, TEXT_FILE), NotAnImageError),
    ("clearHistory", "for oneself", lambda s: s.bot.clear_chat_history(s.hers), lambda a, s: True),
    ("clearHistory", "for all", lambda s: s.bot.clear_chat_history(s.own, for_all=True), lambda a, s: True),
    ("clearHistory", "for all, as a user", lambda s: s.bot.clear_chat_history(s.hers, for_all=True), 303),
    ("clearHistory", "no such chat", lambda s: s.bot.clear_chat_history(NOWHERE), 304),
    ("addChatParticipant", "newcomer", lambda s: s.bot.add_participant_to_chat(s.own, "bob"), lambda a, s: True),
    ("addChatParticipant", "twice", lambda s: s.bot.add_participant_to_chat(s.own, "alice"), 309),
    ("addChatParticipant", "as a user", lambda s: s.bot.add_participant_to_chat(s.hers, "bob"), 303),
    ("addChatParticipant", "no such chat", lambda s: s.bot.add_participant_to_chat(NOWHERE, "bob"), 304),
    ("addChatParticipant", "nobody", lambda s: s.bot.add_participant_to_chat(s.own, "nobody"), 399),
    ("removeChatParticipant", "member", lambda s: s.bot.remove_participant_from_chat(s.own, "alice"), lambda a, s: True),
    ("removeChatParticipant", "stranger", lambda s: s.bot.remove_participant_from_chat(s.own, "bob"), 305),
    ("removeChatParticipant", "as a user", lambda s: s.bot.remove_participant_from_chat(s.hers, "alice"), 303),
    ("removeChatParticipant", "no such chat", lambda s: s.bot.remove_participant_from_chat(NOWHERE, "bob"), 304),
    ("changeParticipantRole", "to admin", lambda s: s.bot.change_participant_role(s.own, "alice", "admin"), lambda a, s: True),
    ("changeParticipantRole", "unknown role", lambda s: s.bot.change_participant_role(s.own, "alice", "king"), 312),
    ("changeParticipantRole", "stranger", lambda s: s.bot.change_participant_role(s.own, "bob", "admin"), 305),
    ("changeParticipantRole", "as a user", lambda s: s.bot.change_participant_role(s.hers, "alice", "user"), 303),
    ("changeParticipantRole", "no such chat", lambda s: s.bot.change_participant_role(NOWHERE, "bob", "user"), 304),
    ("getChatParticipants", "own group", lambda s: s.bot.get_chat_participants(s.own), lambda a, s: len(a.participants) == 2),
    ("getChatParticipants", "page 0", lambda s: s.bot.get_chat_participants(s.own, 10, 0), UsageError),
    ("getChatParticipants", "no such chat", lambda s: s.bot.get_chat_participants(NOWHERE), 304),
    ("getChatParticipants", "foreign chat", lambda s: s.bot.get_chat_participants(s.foreign), 305),
    ("getChatParticipant", "oneself", lambda s: s.bot.get_chat_participant(s.own, "robot"), lambda a, s: a.role == "owner"),
    ("getChatParticipant", "stranger", lambda s: s.bot.get_chat_participant(s.own, "bob"), 305),
    ("getChatParticipant", "no such chat", lambda s: s.bot.get_chat_participant(NOWHERE, "bob"), 304),
    ("hasChatParticipant", "member", lambda s: s.bot.has_chat_participant(s.own, "alice"), lambda a, s: a.result is True),
    ("hasChatParticipant", "stranger", lambda s: s.bot.has_chat_participant(s.own, "bob"), lambda a, s: a.result is False),
    ("hasChatParticipant", "no such chat", lambda s: s.bot.has_chat_participant(NOWHERE, "bob"), 304),
    ("sendMessage", "plain", lambda s: s.bot.send_message(s.own, "hi"), lambda a, s: a.message_id and a.chat_id == s.own),
    ("sendMessage", "in answer", lambda s: s.bot.send_message(s.hers, "hi", "html", s.heard, quote="hell"), lambda a, s: a.message_id),
    ("sendMessage", "longest text", lambda s: s.bot.send_message(s.own, f"<b>{'x' * 4096}</b>", "html"), lambda a, s: a.message_id),
    ("sendMessage", "too long", lambda s: s.bot.send_message(s.own, "x" * 4097), TextMessageTooLongError),
    ("sendMessage", "empty", lambda s: s.bot.send_message(s.own, " "), UsageError),
    ("sendMessage", "unknown mode", lambda s: s.bot.send_message(s.own, "hi", "latex"), UsageError),
    ("sendMessage", "quote of nothing", lambda s: s.bot.send_message(s.own, "hi", quote="hell"), UsageError),
    ("sendMessage", "as a reader", lambda s: s.bot.send_message(s.news, "hi"), 303),
    ("sendMessage", "no such chat", lambda s: s.bot.send_message(NOWHERE, "hi"), 304),
    ("sendMessage", "foreign chat", lambda s: s.bot.send_message(s.foreign, "hi"), 302),
    ("sendMessage", "answer to nothing", lambda s: s.bot.reply_message(s.own, NOWHERE, "hi"), 306),
    ("sendMessage", "link to nowhere", lambda s: s.bot.send_message(s.own, '<a href="">x</a>', "html"), 399),
    ("editMessage", "own", lambda s: s.bot.edit_message(s.said, "ho"), lambda a, s: a.message_id == s.said),
    ("editMessage", "somebody else's", lambda s: s.bot.edit_message(s.heard, "ho"), 303),
    ("editMessage", "no such message", lambda s: s.bot.edit_message(NOWHERE, "ho"), 306),
    ("editMessage", "too long", lambda s: s.bot.edit_message(s.said, "x" * 4097), TextMessageTooLongError),
    ("removeMessage", "own, for all", lambda s: s.bot.remove_message(s.said, for_all=True), lambda a, s: True),
    ("removeMessage", "hers, for oneself", lambda s: s.bot.remove_message(s.heard), lambda a, s: True),
    ("removeMessage", "hers, for all", lambda s: s.bot.remove_message(s.heard, for_all=True), 303),
    ("removeMessage", "no such message", lambda s: s.bot.remove_message(NOWHERE), 306),
    ("forwardMessage", "to another chat", lambda s: s.bot.forward_message(s.own, s.heard), lambda a, s: a.chat_id == s.own),
    ("forwardMessage", "no such chat", lambda s: s.bot.forward_message(NOWHERE, s.said), 304),
    ("forwardMessage", "no such message", lambda s: s.bot.forward_message(s.own, NOWHERE), 306),
    ("forwardMessage", "what one cannot see", lambda s: s.bot.forward_message(s.own, s.unheard), 306),
    ("getMessageById", "hers", lambda s: s.bot.get_message_by_id(s.heard), lambda a, s: a.message_id == s.heard),
    ("getMessageById", "no such message", lambda s: s.bot.get_message_by_id(NOWHERE), 306),
    ("getMessageById", "what one cannot see", lambda s: s.bot.get_message_by_id(s.unheard), 306),
    ("getChatHistory", "newest", lambda s: s.bot.get_chat_history(s.hers, 1), lambda a, s: [m.message_id for m in a.messages] == [s.heard]),
    ("getChatHistory", "0 messages", lambda s: s.bot.get_chat_history(s.own, 0), UsageError),
    ("getChatHistory", "no such chat", lambda s: s.bot.get_chat_history(NOWHERE, 1), 304),
    ("getChatHistory", "foreign chat", lambda s: s.bot.get_chat_history(s.foreign, 1), 305),
    ("getChatHistory", "from nothing", lambda s: s.bot.get_chat_history(s.own, 1, NOWHERE), 306),
    ("sendChatActivity", "typing", lambda s: s.bot.send_chat_activity(s.own, "typing"), lambda a, s: a.retry_after > 0),
    ("sendChatActivity", "no such chat", lambda s: s.bot.send_chat_activity(NOWHERE, "typing"), 304),
    ("sendChatActivity", "unknown activity", lambda s: s.bot.send_chat_activity(s.own, "sleeping"), 399),
    ("getUserDisplayName", "colleague", lambda s: s.bot.get_user_display_name("alice"), lambda a, s: a.display_name == "Alice Doe"),
    ("getUserDisplayName", "nobody", lambda s: s.bot.get_user_display_name("nobody"), 399),
    ("sendSurvey", "into a group", lambda s: s.bot.send_survey(s.own, "Lunch", "k7Qm2xZ0pd"), lambda a, s: a.message_id),
    ("sendSurvey", "no such chat", lambda s: s.bot.send_survey(NOWHERE, "Lunch", "k7Qm2xZ0pd"), 304),
    ("editSurvey", "own", lambda s: s.bot.edit_survey(s.survey, "Supper", "k7Qm2xZ0pd"), lambda a, s: a.message_id == s.survey),
    ("editSurvey", "no such message", lambda s: s.bot.edit_survey(NOWHERE, "Supper", "k7Qm2xZ0pd"), 306),
    ("editSurvey", "what is no survey", lambda s: s.bot.edit_survey(s.said, "Supper", "k7Qm2xZ0pd"), 399),
    ("uploadFile", "missing file", lambda s: s.bot.send_document(s.own, "no such file.txt"), FileMissingError),
    ("uploadFile", "too large", lambda s: s.with_limits(5, None, s.bot.send_document(s.own, TEXT_FILE)), FileSizeTooLargeError),
    ("uploadFile", "forbidden extension", lambda s: s.with_limits(None, ["exe"], s.bot.send_document(s.own, EVIL_FILE)), InvalidFileExtensionError),
    ("sendFile", "document", lambda s: s.bot.send_document(s.own, TEXT_FILE, "note"), lambda a, s: a.file_id and a.caption_message_id),
    ("sendFile", "photo", lambda s: s.bot.send_photo(s.own, PICTURE), lambda a, s: a.file_id),
    ("sendFile", "photo that is none", lambda s: s.bot.send_photo(s.own, TEXT_FILE), NotAnImageError),
    ("sendFile", "sticker", lambda s: s.bot.send_sticker(s.own, PICTURE), lambda a, s: a.file_id),
    ("sendFile", "caption too long", lambda s: s.bot.send_document(s.own, TEXT_FILE, "x" * 4097), FileCaptionTooLongError),
    ("sendFile", "caption of unknown mode", lambda s: s.bot.send_document(s.own, TEXT_FILE, "x", "latex"), UsageError),
    ("sendFile", "no such chat", lambda s: s.bot.send_document(NOWHERE, TEXT_FILE), 304),
    ("sendFile", "as a reader", lambda s: s.bot.send_document(s.news, TEXT_FILE), 303),
    ("getFileInfo", "own file", lambda s: s.bot.get_file_info(s.file), lambda a, s: a.name == "notes.txt"),
    ("getFileInfo", "no such file", lambda s: s.bot.get_file_info(NOWHERE), 404),
    ("getFileInfo", "download", lambda s: s.bot.download_file_by_id(s.file), lambda a, s: a == b"some text"),
    ("getFileInfo", "download of nothing", lambda s: s.bot.download_file_by_id(NOWHERE), 404),
    ("getFileUploadLimits", "none", lambda s: s.bot.get_file_info_upload_limits(), lambda a, s: a.max_size is None),
    ("subscribeFileProgress", "own file", lambda s: s.bot.subscribe_file_progress(s.file), lambda a, s: a.result is True),
    ("subscribeFileProgress", "no such file", lambda s: s.bot.subscribe_file_progress(NOWHERE), 404),
    ("unsubscribeFileProgress", "own file", lambda s: s.bot.unsubscribe_file_progress(s.file), lambda a, s: a.result is True),
    ("unsubscribeFileProgress", "no such file", lambda s: s.bot.unsubscribe_file_progress(NOWHERE), 404),
    ("answerCommand", "complete", lambda s: s.bot.answer_command("cmd-1", "complete", "Done", "ok", "toast", "info"), lambda a, s: True),
    ("answerCommand", "too long", lambda s: s.bot.answer_command("cmd-1", "complete", "x" * 256), UsageError),
    ("answerCommand", "not ASCII", lambda s: s.bot.answer_command("cmd-1", "complete", "готово"), UsageError),
    ("answerCommand", "unknown type", lambda s: s.bot.answer_command("cmd-1", "novel", "Done"), 399),
)]
# fmt: on


@pytest.fixture
def stage(tc: tcnb.Session, practice: PracticeThread, alice: Colleague) -> Stage:
    """Everything the cases need."""
    made = Stage(tc, practice, alice)
    asyncio.run(made.prepare())
    return made


@pytest.mark.parametrize("row", CASES, ids=lambda row: f"{row.method}: {row.case}")
def test_method(row: Case, stage: Stage) -> None:
    """The method has the outcome that the table names."""

    async def act() -> Any:
        return await row.act(stage)

    if isinstance(row.outcome, int):
        with pytest.raises(ApiErrorException) as caught:
            asyncio.run(act())
        assert caught.value.code == row.outcome
    elif isinstance(row.outcome, type):
        with pytest.raises(row.outcome):
            asyncio.run(act())
    else:
        answer = asyncio.run(act())
        assert answer is not None
        assert row.outcome(answer, stage)


FAILING = {
    case.method: case for case in reversed(CASES) if callable(case.outcome) and not isinstance(case.outcome, type)
}
FAILING["uploadFile"] = next(case for case in CASES if case.case == "document")


@pytest.mark.parametrize("method", sorted(METHODS))
def test_refusal_names_the_method(method: str, stage: Stage) -> None:
    """Whatever a server refuses, the error has its code and says which method it was."""

    async def act() -> Any:
        return await FAILING[method].act(stage)

    stage.practice.call(lambda server: server.fail_next(method, 302, times=99))
    with pytest.raises(ApiErrorException, match=f"{method}.*302") as caught:
        asyncio.run(act())
    assert (caught.value.code, caught.value.method) == (302, method)


def test_every_method_is_in_the_table() -> None:
    """The table leaves no method of the connector out."""
    assert {case.method for case in CASES} == set(METHODS)
