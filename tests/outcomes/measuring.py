"""Carrying out every case with one of the clients, and what came of it in words that both have; nothing is expected."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from typing import Any, Final

import trueconf.types
from trueconf.exceptions import ApiErrorException as OfficialRefusal

import tcnb.types
from tcnb.errors import ApiErrorException
from tcnb.practice import PracticeThread
from tests.conversation import voices
from tests.outcomes.cases import CASES, Case
from tests.outcomes.stage import ACCOUNTS, Stage

Key = tuple[str, str]

SILENT: Final = frozenset({("createP2PChat", "with oneself")})
"""Cases which the server leaves without an answer; they are asked with little patience."""
IMPATIENT: Final = 1.0

_IDENTIFIER: Final = re.compile(r"[0-9a-f]{40}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_MILLISECONDS: Final = 10**12


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What came of one case with one client.

    Attributes:
        answer: the answer's values, with what differs from run to run named only; None where there was none.
        code: of the server's refusal.
        errors: the names of the error that the client raised itself and of its more general ones.
        is_as_expected: whether an answer is what the case asks for.
    """

    answer: Any = None
    code: int | None = None
    errors: tuple[str, ...] = ()
    is_as_expected: bool = False


def of_official_client() -> dict[Key, Outcome]:
    """Carry all cases out with the official client."""

    async def carry_out(practice: PracticeThread) -> dict[Key, Outcome]:
        robot = await voices.official(practice, "robot")
        hasty = await voices.official(practice, "robot", timeout=IMPATIENT)
        outcomes = {}
        for case in CASES:
            bot = hasty.bot if case[:2] in SILENT else robot.bot
            outcomes[case[:2]] = await _outcome(case, Stage(bot, trueconf.types, practice))
        for speaker in (robot, hasty):
            await speaker.bot.shutdown()
        return outcomes

    return _run(carry_out)


def of_tcnb() -> dict[Key, Outcome]:
    """Carry all cases out with tcnb."""

    async def carry_out(practice: PracticeThread) -> dict[Key, Outcome]:
        session = await voices.session(practice, "robot")
        outcomes = {case[:2]: await _outcome(case, Stage(session.bot, tcnb.types, practice)) for case in CASES}
        await session.aclose()
        return outcomes

    return _run(carry_out)


def _run(carry_out: Any) -> dict[Key, Outcome]:
    with _quiet(), PracticeThread(accounts=ACCOUNTS) as practice:
        outcomes: dict[Key, Outcome] = asyncio.run(carry_out(practice))
        return outcomes


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep what the official client logs and warns of out of the report of the tests."""
    logger = logging.getLogger("trueconf.client.chatbot")
    before = logger.level
    logger.setLevel(logging.CRITICAL)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        yield
    logger.setLevel(before)


async def _outcome(case: Case, stage: Stage) -> Outcome:
    try:
        answer = await case.act(stage)
    except (ApiErrorException, OfficialRefusal) as refused:
        return Outcome(code=refused.code)
    except Exception as error:
        kinds = type(error).__mro__
        return Outcome(errors=tuple(kind.__name__ for kind in kinds[: kinds.index(Exception)]))
    is_as_expected = case.is_good and bool(case.outcome(answer, stage))  # type: ignore[operator]
    return Outcome(answer=_values(answer, stage), is_as_expected=is_as_expected)


def _values(value: Any, stage: Stage) -> Any:
    """Return what an answer says: attributes by name, and what is new in every run by its kind only."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: _values(getattr(value, field.name), stage) for field in dataclasses.fields(value)}
    if isinstance(value, list):
        return [_values(item, stage) for item in value]
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, str):
        names = {identifier: f"<{name}>" for name, identifier in stage.ids.items()}
        known = names.get(value) or ("<address>" if value.startswith("http://127.") else value)
        return "<new id>" if _IDENTIFIER.fullmatch(known) else known
    return "<time>" if isinstance(value, int) and value > _MILLISECONDS else value
