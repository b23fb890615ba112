"""Requests over the socket that are answered in odd frames, with nonsense, or by an end of the connection."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from tcnb.errors import WSConnectionError
from tests.hostile import wire
from tests.hostile.server import ALICE, CHAT, FILE_ID, HostileServer, Step
from tests.hostile.socket_answers import (
    BREAKING,
    KEEPING,
    PAYLOADS,
    REFUSALS,
    changed,
    endless_pieces,
    no_payload,
    payload,
    refused,
)
from tests.hostile.visit import PATIENCE, Unended, Visit, connect, flaw

VERBS: Final[dict[str, Callable[[Visit, bool], object]]] = {
    "sendMessage": lambda person, is_refused: person.send(is_refused=is_refused),
    "sendFile": lambda person, is_refused: person.send_file(is_refused=is_refused),
    "uploadFile": lambda person, _: person.send_file(is_refused=True),
    "getFileInfo": lambda person, _: person.download(),
    "getChats": lambda person, _: person.attempt("refresh", person.tc.refresh),
    "getChatHistory": lambda person, _: person.attempt("history", lambda: person.tc.history(CHAT, 5)),
    "createP2PChat": lambda person, _: person.attempt("send to a person", lambda: person.tc.send(ALICE, "hello")),
    "getChatParticipants": lambda person, _: person.attempt(
        "participants", lambda: person.tc._wait(person.tc.bot.get_chat_participants(CHAT, 10, 1))
    ),
    "getUserDisplayName": lambda person, _: person.attempt(
        "name", lambda: person.tc._wait(person.tc.bot.get_user_display_name(ALICE))
    ),
    "getFileUploadLimits": lambda person, _: person.attempt(
        "limits", lambda: person.tc._wait(person.tc.bot.get_file_info_upload_limits())
    ),
    "editMessage": lambda person, _: person.attempt("edit", lambda: person.tc.edit_message("m-1", "other")),
}
"""What makes a person's session ask for each method."""


SEED: Final = 12
FEW: Final = 40
"""Answers with one odd value that are tried of each method."""


def hostile(server: HostileServer, method: str) -> Iterator[tuple[str, str]]:
    """Yield payloads in JSON that answer a method with nonsense, by name."""
    usual = {
        "chatId": CHAT,
        "count": 1,
        "page": 1,
        "pageNumber": 1,
        "userId": ALICE,
        "fileId": FILE_ID,
        "messageId": "m-1",
        "content": {"text": "never sent"},
    }
    yield from PAYLOADS.items()
    yield from ((name, json.dumps(body)) for name, body in REFUSALS.items())
    # A few of what may be hundreds; the long run takes others each time.
    answers = list(changed(server.honest(method, usual)))
    yield from random.Random(SEED).sample(answers, min(FEW, len(answers)))


@pytest.mark.parametrize("method", VERBS)
def test_answer_that_is_nonsense(server: HostileServer, visit: Callable[..., Visit], method: str) -> None:
    """Each verb ends, in one line or with what can be made of it; what the server has is not told as failed."""
    person = visit()
    answers = list(hostile(server, method))
    for name, text in answers:
        person.meanwhile = name
        server.deeds.clear()
        server.instead(method, payload(text))
        VERBS[method](person, "errorCode" in text)
    server.deeds.clear()
    person.meanwhile = ""
    told = len(person.errors)
    person.go()
    assert person.errors[told:] == []
    person.look()
    person.settle()
    assert person.tc.status().reconnects == 0


def test_answer_without_a_payload(server: HostileServer, visit: Callable[..., Visit]) -> None:
    """An answer that is the bare id is told in one line where something had to be in it."""
    person = visit()
    for method, ask in VERBS.items():
        person.meanwhile = method
        server.deeds.clear()
        server.instead(method, no_payload())
        ask(person, False)
    person.settle()


def test_login_over_the_socket_that_is_answered_with_nonsense(server: HostileServer) -> None:
    """Connecting ends, in one line or with a session."""
    flaws = []
    for name, text in hostile(server, "auth"):
        server.instead("auth", payload(text))
        try:
            session = connect(server)
        except (Exception, Unended) as error:
            if wrong := flaw(error):
                flaws.append(f"{name}: {wrong}")
        else:
            session.close()
    assert not flaws, "\n".join(flaws)


@pytest.mark.parametrize("name", ["reset", "half-closed", "cut", "close with 1000", "close with 1015", "masked"])
def test_connection_that_ends_during_the_login(server: HostileServer, name: str) -> None:
    """Connecting says at once that the server closed the socket."""
    server.instead("auth", BREAKING[name])
    with pytest.raises(WSConnectionError, match="closed the socket during the login"):
        connect(server, timeout=PATIENCE)


def test_answer_in_an_odd_form(server: HostileServer, visit: Callable[..., Visit]) -> None:
    """An answer in pieces, large, doubled, or behind other frames is taken, and the connection stays."""
    person = visit(timeout=0.8 * PATIENCE)
    for name, deed in KEEPING.items():
        person.meanwhile = name
        server.instead("sendMessage", deed)
        person.send()
        if person.errors:
            person.note(f"failed: {person.errors.pop()}")
    person.meanwhile = ""
    person.settle()
    assert person.tc.status().reconnects == 0


@pytest.mark.parametrize("first", range(0, len(BREAKING), 10))
def test_connection_that_ends_instead_of_an_answer(
    server: HostileServer, visit: Callable[..., Visit], first: int
) -> None:
    """A message whose answer the connection breaks at is found, or nobody can tell; the connection comes back."""
    person = visit(timeout=0.8 * PATIENCE)
    for name, deed in list(BREAKING.items())[first : first + 10]:
        person.meanwhile, told = name, len(person.errors)
        server.deeds.clear()
        server.instead("sendMessage", deed)
        person.send()
        person.send()
        if len(person.errors) > told + 1:
            person.note(f"does not come back: {person.errors[-1][1]}")
    person.meanwhile = ""
    person.settle()
    assert person.tc.status().reconnects >= 1


def test_answer_in_pieces_without_end(server: HostileServer, visit: Callable[..., Visit]) -> None:
    """A message that becomes too large ends the connection, also where the server does not close it."""
    person = visit(timeout=0.8 * PATIENCE)
    server.instead("sendMessage", endless_pieces)
    person.send()
    assert person.errors == []
    person.settle()
    assert person.tc.status().reconnects == 1


def test_requests_of_the_server_with_odd_ids(server: HostileServer, visit: Callable[..., Visit]) -> None:
    """Whatever has no id that could be acknowledged is kept all the same, and breaks nothing."""
    person = visit()
    odd: list[Any] = [-1, 2**32, 10**400, 1.5, "1", True, None, [1], {"id": 1}, float("inf")]
    for number, id in enumerate(odd):
        text = json.dumps({"method": "sendMessage", "type": 1, "id": id, "payload": {"number": number}})
        server.push_bytes(wire.frame(text.encode()))
    server.push_bytes(wire.frame(b'{"method":"sendMessage","type":1}'))
    person.settle()
    assert person.tc.status().received >= len(odd) + 2
    assert person.tc.status().reconnects == 0


def test_request_that_is_never_answered(server: HostileServer, visit: Callable[..., Visit]) -> None:
    """What is on the server is found in its history although the answer never comes; a question ends in one line."""

    async def silent(step: Step) -> None:
        """Answer nothing."""

    person = visit()
    server.instead("sendMessage", silent)
    person.send()
    server.instead("getChats", silent)
    person.attempt("refresh", person.tc.refresh)
    person.settle()


def test_socket_that_closes_again_and_again(server: HostileServer, visit: Callable[..., Visit], tmp_path: Path) -> None:
    """A server that ends each of many connections at once is gone back to, and nothing is lost or doubled."""
    person = visit(timeout=0.8 * PATIENCE)
    server.instead("auth", BREAKING["reset"], times=5)
    server.instead("auth", BREAKING["cut"], times=5)
    server.instead("getChats", BREAKING["close with 1001"], times=5)
    server.push(server.envelope("before"))
    server.instead("sendMessage", BREAKING["reset"])
    person.send()
    person.attempt("refresh", person.tc.refresh)
    assert person.errors == []
    person.settle()
    assert list(person.tc.messages["text"]).count("before") == 1


def test_refusals_with_odd_words(server: HostileServer, visit: Callable[..., Visit]) -> None:
    """The words of a refusal are cut, and are cleaned of what would change the line."""
    person = visit()
    for name, body in REFUSALS.items():
        person.meanwhile = name
        server.instead("sendMessage", refused(body))
        person.send(is_refused=True)
    assert len(person.errors) == len(REFUSALS)
