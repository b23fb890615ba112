"""A long siege: sessions with a server that answers any step in any hostile way, by chance, from one seed."""

from __future__ import annotations

import random
import tempfile
from collections import Counter
from collections.abc import Callable
from itertools import repeat
from pathlib import Path
from typing import Any, Final

from tcnb.client import connection
from tests.hostile.http_answers import kinds
from tests.hostile.server import CHAT, Deed, HostileServer
from tests.hostile.socket_answers import BREAKING, KEEPING, PAYLOADS, changed, payload
from tests.hostile.visit import Visit, connect

DEEDS_IN_A_SESSION: Final = 60
"""Hostile answers of one session, after which another one begins."""

PUSHES: Final = 5
"""Messages that come between two of them, at most."""

ALLOWED: Final = 5.0
"""Seconds that a session gives an answer: a connection that breaks must be able to come back meanwhile."""


class SiegeError(AssertionError):
    """What must hold does not."""


def siege(seed: int, answers: int, say: Callable[[str], None]) -> dict[str, int]:
    """Have a server give so many hostile answers, and return numbers.

    Raises:
        SiegeError: something was lost, doubled, told wrongly, or left behind.
    """
    chance = random.Random(seed)
    told: Counter[str] = Counter()
    real, connection.delays = connection.delays, lambda: repeat(0.05)
    try:
        while told["hostile answers"] < answers:
            told += _session(chance, min(DEEDS_IN_A_SESSION, answers - told["hostile answers"]))
            say(f"{told['hostile answers']:,} hostile answers, {told['errors told']:,} errors told")
    finally:
        connection.delays = real
    return dict(told)


def _session(chance: random.Random, answers: int) -> Counter[str]:
    with HostileServer() as server, tempfile.TemporaryDirectory() as folder:
        server.envelope("hello")
        person = Visit(server, connect(server, Path(folder), timeout=ALLOWED), Path(folder))
        said = 0
        for _ in range(answers):
            step, name, deed = _answer(chance, server)
            person.meanwhile = f"{step}: {name}"
            server.deeds.clear()
            server.instead(step, deed)
            for _ in range(chance.randint(0, PUSHES)):
                server.push(server.envelope(f"p-{said}"))
                said += 1
            _VERBS[step](person, "errorCode" in name or "refusal" in name)
        server.deeds.clear()
        person.meanwhile = "afterwards"
        person.settle()
        texts = Counter(person.tc.messages["text"].dropna())
        wrong = {f"p-{number}": texts[f"p-{number}"] for number in range(said) if texts[f"p-{number}"] != 1}
        if wrong:
            person.note(f"messages that are not there once: {dict(list(wrong.items())[:5])}")
        person.look()
        person.end()
        if person.flaws:
            raise SiegeError("\n".join(person.flaws))
        return Counter({
            "sessions": 1, "hostile answers": answers, "messages": said, "sends": person.sent,
            "errors told": len(person.errors),
        })  # fmt: skip


_VERBS: Final[dict[str, Callable[[Visit, bool], Any]]] = {
    "upload": lambda person, _: person.send_file(),
    "download": lambda person, _: person.download(),
    "sendMessage": lambda person, is_refused: person.send(is_refused=is_refused),
    "sendFile": lambda person, is_refused: person.send_file(is_refused=is_refused),
    "uploadFile": lambda person, _: person.send_file(),
    "getFileInfo": lambda person, _: person.download(),
    "getChats": lambda person, _: person.attempt("refresh", person.tc.refresh),
    "getChatHistory": lambda person, _: person.attempt("history", lambda: person.tc.history(CHAT, 5)),
}
"""Steps that are answered in a hostile way, and what makes a session take each."""


def _answer(chance: random.Random, server: HostileServer) -> tuple[str, str, Deed]:
    """Choose a step and a hostile answer to it."""
    step = chance.choice(list(_VERBS))
    if step in ("upload", "download"):
        kind, deeds = chance.choice([one for one in kinds(step).items() if one[0] not in ("endless", "slow")])
        name = chance.choice(list(deeds))
        return step, f"{kind} {name}", deeds[name]
    way = chance.random()
    if way < 0.25:
        name = chance.choice(list(KEEPING))
        return step, name, KEEPING[name]
    if way < 0.4:
        name = chance.choice(list(BREAKING))
        return step, name, BREAKING[name]
    usual = {"chatId": CHAT, "count": 5, "page": 1, "content": {"text": "never sent"}}
    texts = [*PAYLOADS.items(), *changed(server.honest(step, usual))]
    name, text = chance.choice(texts)
    return step, f"{name} {'errorCode' if 'errorCode' in text else ''}".strip(), payload(text)
