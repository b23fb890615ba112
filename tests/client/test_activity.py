"""Whether a chat shows that a bot is busy for as long as it is, and the work is never disturbed by that."""

from __future__ import annotations

import inspect
import queue
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import tcnb
from tcnb import ChatActivitySender
from tcnb.client import activity
from tcnb.errors import ApiErrorException, UsageError
from tcnb.practice import PracticeThread
from tcnb.practice import methods as practice_methods
from tests.conftest import PATIENCE

METHOD = "sendChatActivity"


@pytest.fixture
def signs(monkeypatch: pytest.MonkeyPatch) -> Iterator[queue.Queue[str]]:
    """The activities that the server was asked to show, which fade at once."""
    shown: queue.Queue[str] = queue.Queue()
    usual = practice_methods.METHODS[METHOD]

    def carry_out(call: Any, request: Any) -> Any:
        shown.put(request.activity_type)
        return usual.carry_out(call, request)

    monkeypatch.setitem(practice_methods.METHODS, METHOD, practice_methods.Method(usual.read, carry_out, usual.since))
    monkeypatch.setattr(practice_methods, "ACTIVITY_FADES_MS", 20)
    monkeypatch.setattr(activity, "SOONEST", 0.02)
    yield shown


@pytest.fixture
def chat(tc: tcnb.Session, alice: Any) -> str:
    """A group with the bot in it."""
    return str(alice.group("Crew", "robot"))


def test_sign_is_repeated_while_the_block_computes(tc: tcnb.Session, chat: str, signs: queue.Queue[str]) -> None:
    """A block that blocks its thread, and never gives way to a loop, is shown all the time."""
    with ChatActivitySender.typing(bot=tc.bot, chat_id=chat) as sender:
        assert [signs.get(timeout=PATIENCE) for _ in range(3)] == ["typing"] * 3
        assert sender.running


async def test_sign_is_repeated_in_an_async_block(tc: tcnb.Session, chat: str, signs: queue.Queue[str]) -> None:
    """The same as `async with`, on a loop that is not the bot's."""
    async with ChatActivitySender(bot=tc.bot, chat_id=chat, activity="uploading_file"):
        assert [signs.get(timeout=PATIENCE) for _ in range(2)] == ["uploading_file"] * 2


async def test_no_sign_after_the_block(tc: tcnb.Session, chat: str, signs: queue.Queue[str]) -> None:
    """When the block has ended, however it did, the signs end."""
    sender = ChatActivitySender.typing(tc.bot, chat)
    with pytest.raises(ZeroDivisionError):
        async with sender:
            signs.get(timeout=PATIENCE)
            1 / 0  # noqa: B018
    assert not sender.running
    await tc.bot.get_chats()  # whatever was under way before is done now
    while not signs.empty():
        signs.get()
    await tc.bot.send_chat_activity(chat, "choosing_sticker")
    assert signs.get(timeout=PATIENCE) == "choosing_sticker"


async def test_quick_work_shows_nothing(tc: tcnb.Session, chat: str, signs: queue.Queue[str]) -> None:
    """What is done before the initial pause has passed is not shown."""
    async with ChatActivitySender.typing(tc.bot, chat, initial_sleep=PATIENCE):
        pass
    await tc.bot.send_chat_activity(chat, "choosing_sticker")
    assert signs.get(timeout=PATIENCE) == "choosing_sticker"


async def test_refusal_ends_the_signs_and_not_the_work(tc: tcnb.Session) -> None:
    """A chat that does not exist is noted, and the block goes on."""
    sender = ChatActivitySender.typing(tc.bot, "no such chat")
    async with sender:
        with pytest.raises(ApiErrorException):
            sender._work.result(PATIENCE)  # type: ignore[union-attr]
        assert isinstance(sender.error, ApiErrorException)
        assert sender.error.code == 304
        assert not sender.running


def test_one_sender_shows_one_thing_at_a_time(tc: tcnb.Session, chat: str) -> None:
    """Entering twice is an error; entering again later is not."""
    sender = ChatActivitySender.typing(tc.bot, chat)
    with sender, pytest.raises(UsageError, match="already"):
        sender.__enter__()
    with sender:
        assert sender.running


def test_it_is_made_like_the_official_one() -> None:
    """The constructors take the same arguments."""
    official = pytest.importorskip("trueconf.utils").ChatActivitySender
    assert list(inspect.signature(official).parameters) == list(inspect.signature(ChatActivitySender).parameters)
    assert list(inspect.signature(official.typing).parameters) == list(
        inspect.signature(ChatActivitySender.typing).parameters
    )


def test_lost_connection_is_tried_again(
    practice: PracticeThread, connect: Callable[..., tcnb.Session], alice: Any, signs: queue.Queue[str]
) -> None:
    """Where a sign is lost with its connection, the next one is sent when there is another."""
    session = connect()
    chat = alice.group("Crew", "robot")
    practice.call(lambda server: server.drop_on_next(METHOD))
    with ChatActivitySender.typing(session.bot, chat) as sender:
        assert [signs.get(timeout=PATIENCE) for _ in range(3)] == ["typing"] * 3
        assert sender.running
