"""The time that a verb is given is the time that it has: not less while the connection is away, and not more."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from typing import Any

import pytest

import tcnb
from tcnb.client.deadlines import asking_until, time_left
from tcnb.errors import RequestTimeoutError, WSConnectionError
from tcnb.practice import PracticeThread
from tcnb.types import SendMessageResponse
from tests.conftest import PATIENCE, Colleague

OWN = 0.5
"""Seconds that an answer may take on the connections of this page."""


@pytest.fixture
def tc(connect: Any, monkeypatch: pytest.MonkeyPatch) -> tcnb.Session:
    """The account `robot`, whose requests have half a second unless they are given another time."""
    monkeypatch.setattr("tcnb.client.connection.delays", lambda: itertools.repeat(OWN))
    session: tcnb.Session = connect()
    session._connection.timeout = OWN
    return session


@pytest.fixture
def break_off(practice: PracticeThread, tc: tcnb.Session, until: Any) -> Callable[[int], None]:
    """Breaks the connection, which then fails to come back a number of times, each of which takes half a second."""

    def break_off(times: int) -> None:
        def drop(server: Any) -> None:
            server.fail_next_http("socket", 503, "", times)
            server.drop_connections("robot")

        practice.call(drop)
        until(tc, lambda: tc.state["state"] == "reconnecting")

    return break_off


def test_sending_waits_for_the_connection(
    tc: tcnb.Session, alice: Colleague, practice: PracticeThread, break_off: Any
) -> None:
    """However the chat is named, a sending waits for the connection as long as it was told to; without, it does not."""
    crew, other = alice.group("Release crew", "robot"), alice.group("Elsewhere", "robot")
    tc.send("Release crew", "here")
    names = ["Release crew", "alice", "bob@practice.local", crew, other, f"#c_{other}@practice.local"]
    break_off(3)

    async def send() -> list[Any]:
        waiting = [tc.asend(name, f"to {name}", timeout=PATIENCE) for name in names]
        hasty = [tc.asend(name, f"hasty to {name}") for name in names]
        return list(await asyncio.gather(*waiting, *hasty, return_exceptions=True))

    done = asyncio.run(send())
    assert [type(one) for one in done] == [SendMessageResponse] * len(names) + [WSConnectionError] * len(names)
    texts = practice.call(lambda server: [one.content.get("text") for one in server.world.messages.values()])
    assert {text for text in texts if text} == {"here", *(f"to {name}" for name in names)}


def test_blocking_sending_waits_for_the_connection(tc: tcnb.Session, break_off: Any) -> None:
    """The blocking verb has the same time."""
    break_off(3)
    assert tc.send("alice", "hello", timeout=PATIENCE).message_id


def test_slow_answers_to_the_look_up(tc: tcnb.Session, practice: PracticeThread) -> None:
    """A server that is slow to say who somebody is has the time that was given as well."""
    practice.call(lambda server: server.delay_next("getUserDisplayName", 3 * OWN))
    assert tc.send("bob", "hello", timeout=PATIENCE).message_id


@pytest.mark.parametrize("timeout", [PATIENCE, None])
def test_waiting_for_an_event_waits_for_the_connection(
    tc: tcnb.Session, alice: Colleague, break_off: Any, until: Any, timeout: float | None
) -> None:
    """Who waits for a message waits for the connection, too, before it is known whose message that is."""
    crew = alice.group("Release crew", "robot")
    break_off(3)

    async def wait() -> Any:
        waiting = asyncio.create_task(tc.await_for(chat=crew, sender="alice", timeout=timeout))
        await asyncio.to_thread(until, tc, lambda: len(tc._waiters) == 1 or waiting.done())
        if not waiting.done():
            await asyncio.to_thread(alice.say, crew, "done")
        return await waiting

    assert asyncio.run(wait()).text == "done"


@pytest.mark.parametrize("name", ["alice", "Release crew", "crew"])
def test_time_that_is_over(tc: tcnb.Session, alice: Colleague, break_off: Any, name: str) -> None:
    """A sending that was given little time does not take the time of the connection."""
    crew = alice.group("Release crew", "robot")
    tc.send("Release crew", "here")
    break_off(100)
    tc._connection.timeout = PATIENCE
    with pytest.raises((RequestTimeoutError, WSConnectionError)):
        tc.send(crew if name == "crew" else name, "hello", timeout=0.2)


def test_what_is_begun_meanwhile_has_its_own_time(tc: tcnb.Session) -> None:
    """The deadline of a verb is none of what the background begins while the verb is under way."""

    async def left() -> float | None:
        return time_left()

    async def work() -> tuple[float | None, ...]:
        async with asking_until(asyncio.get_running_loop().time() + PATIENCE):
            inside, aside = await left(), await asyncio.create_task(left())
        return inside, aside, await left()

    inside, aside, after = asyncio.run(work())
    assert inside is not None and 0 < inside <= PATIENCE
    assert (aside, after) == (None, None)


@pytest.mark.parametrize("form", ["{}", "#c_{}@practice.local"])
def test_id_needs_no_list_of_chats(tc: tcnb.Session, alice: Colleague, practice: PracticeThread, form: str) -> None:
    """A chat whose id is given is written to although the server does not say which chats there are."""
    practice.call(lambda server: server.ignore_next("getChats", times=1000))
    crew = alice.group("Release crew", "robot")
    assert tc.send(form.format(crew), "hello", timeout=PATIENCE).chat_id == crew
