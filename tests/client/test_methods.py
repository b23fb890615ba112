"""What every method of our client does with a refusal; how each ends, good and bad, is measured in `tests/outcomes`."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

import tcnb
import tcnb.types
from tcnb.errors import ApiErrorException
from tcnb.practice import PracticeThread
from tcnb.practice.methods import METHODS
from tests.outcomes.cases import CASES
from tests.outcomes.stage import Stage

GOOD_CASES = {case.method: case for case in reversed(CASES) if case.is_good}
# An upload is asked for by what sends a file.
GOOD_CASES["uploadFile"] = GOOD_CASES["sendFile"]


@pytest.mark.parametrize("method", sorted(METHODS))
def test_refusal_names_the_method(method: str, tc: tcnb.Session, practice: PracticeThread) -> None:
    """Whatever a server refuses, the error has its code and says which method it was."""
    stage = Stage(tc.bot, tcnb.types, practice)
    practice.call(lambda server: server.fail_next(method, 302, times=99))

    async def act() -> Any:
        return await GOOD_CASES[method].act(stage)

    with pytest.raises(ApiErrorException, match=f"{method}.*302") as caught:
        asyncio.run(act())
    assert (caught.value.code, caught.value.method) == (302, method)
