"""The fixtures of these tests: a practice server with four accounts, who is connected to it, and the story as held."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

import pandas as pd
import pytest

import tcnb
from tcnb.practice import PracticeThread
from tcnb.status import Status

from . import voices
from .story import STEPS, Row, Stage
from .voices import Official, Voice

ACCOUNTS = ("robot:robot:Robot", "ann:ann:Ann Lee", "bob:bob:Боб", "carol:carol:Carol Jones")

Enter = Callable[..., Awaitable[Official]]


@dataclass
class Held:
    """The story as it was held, and what tcnb made of it.

    Attributes:
        stage: who took part and what was made.
        expected: the rows that must have come of each step.
        frames: the frames of all notifications, as heard beside tcnb.
        events, messages, chats, people: the frames of the session.
        status: the session's own account of itself.
    """

    stage: Stage
    expected: dict[str, list[Row]] = field(default_factory=dict)
    frames: list[dict[str, Any]] = field(default_factory=list)
    events: pd.DataFrame = field(default_factory=pd.DataFrame)
    messages: pd.DataFrame = field(default_factory=pd.DataFrame)
    chats: pd.DataFrame = field(default_factory=pd.DataFrame)
    people: pd.DataFrame = field(default_factory=pd.DataFrame)
    status: Status | None = None

    @property
    def rows(self) -> list[Row]:
        """All rows that must be there, in order."""
        return [row for rows in self.expected.values() for row in rows]

    def of(self, step: str) -> tuple[int, int]:
        """Return where the rows of a step begin and end."""
        names = list(self.expected)
        start = sum(len(self.expected[name]) for name in names[: names.index(step)])
        return start, start + len(self.expected[step])


async def hold(generation: str) -> Held:
    """Hold the story on a server of that generation.

    The official client 1.5 refuses servers before 5.5.6: there, two sessions of tcnb speak in its place.
    """
    is_flat = generation != "5.5.6"
    async with AsyncExitStack() as stack:
        practice = stack.enter_context(PracticeThread(accounts=ACCOUNTS, generation=generation))
        speakers = [await _speaker(stack, practice, login, is_flat) for login in ("ann", "bob")]
        tc = await voices.session(practice, "robot", catch_up=False)
        stack.push_async_callback(tc.aclose)
        ear = await voices.ear(practice, "robot")
        stack.push_async_callback(ear.close)
        held = Held(Stage(*speakers, tc=tc, ear=ear, is_flat=is_flat))
        for name, step in STEPS.items():
            held.expected[name] = await step(held.stage)
        last = held.stage.said["end"].message_id
        await ear.heard("sendMessage", lambda payload: payload["messageId"] == last)
        await voices.until(tc, lambda: (tc.df["message_id"] == last).any())
        held.frames, held.events, held.messages, held.people = ear.notifications, tc.df, tc.messages, tc.people
        held.chats, held.status = await asyncio.to_thread(lambda: tc.chats), tc.status()
        return held


async def _speaker(stack: AsyncExitStack, practice: PracticeThread, login: str, is_flat: bool) -> Voice:
    if is_flat:
        session = await voices.session(practice, login)
        stack.push_async_callback(session.aclose)
        return voices.as_voice(session)
    speaker = await voices.official(practice, login)
    stack.push_async_callback(speaker.bot.shutdown)
    return speaker


@pytest.fixture(scope="package", params=["5.5.6", "5.5.3"])
def held(request: pytest.FixtureRequest) -> Held:
    """The story, held once in each generation."""
    logging.getLogger("trueconf.client.chatbot").setLevel(logging.CRITICAL)
    return asyncio.run(asyncio.wait_for(hold(request.param), 120))


@pytest.fixture
def practice() -> Iterator[PracticeThread]:
    """A practice server with four accounts, in a thread, since the official client asks for its token without
    giving way.
    """
    logging.getLogger("trueconf.client.chatbot").setLevel(logging.CRITICAL)
    with PracticeThread(accounts=ACCOUNTS) as thread:
        yield thread


@pytest.fixture
async def enter(practice: PracticeThread) -> AsyncIterator[Enter]:
    """Connects an account with the official client; what was connected is shut down after the test."""
    entered: list[Official] = []

    async def enter(login: str, **options: Any) -> Official:
        entered.append(await voices.official(practice, login, **options))
        return entered[-1]

    yield enter
    for speaker in entered:
        await speaker.bot.shutdown()


@pytest.fixture
async def ann(enter: Enter) -> Official:
    """Ann, who uses the official client."""
    return await enter("ann")


@pytest.fixture
async def tc(practice: PracticeThread) -> AsyncIterator[tcnb.Session]:
    """The account `robot`, connected with tcnb."""
    session = await voices.session(practice, "robot")
    yield session
    await session.aclose()


@pytest.fixture
async def chat(ann: Official, tc: tcnb.Session) -> str:
    """The id of a group of Ann and the robot, known to both."""
    chat_id = str((await ann.bot.create_group_chat("Release crew")).chat_id)
    await ann.bot.add_participant_to_chat(chat_id, "robot", display_history=True)
    await voices.until(tc, lambda: (tc.df["event"] == "added_chat_participant").any())
    return chat_id
