"""Whom the practice server answers: every address of it is tried as another web page would try it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import aiohttp
import pytest
import websockets

from tcnb.practice import PracticeServer, PracticeThread
from tcnb.practice.askers import GuardedHandler

from .wire import WireBot

DOCUMENTS = ("/", "/practice-page/page.css")
"""What links from anywhere may lead to; it tells nothing."""

FOREIGN_PAGES = [
    {"Origin": "https://example.com"},
    {"Origin": "null"},
    {"Origin": "http://127.0.0.1:1"},
    {"Origin": "http://["},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Host": "rebound.example.com", "Origin": "http://rebound.example.com"},
]


@pytest.fixture(scope="module")
def practice() -> Iterator[PracticeThread]:
    """A server with everything that it can have: orders of faults and an OAuth application, too."""
    with PracticeThread(faults=True, oauth_application="app", public_url="https://hub.example.org/proxy") as thread:
        yield thread


def _addresses(server: PracticeServer) -> list[str]:
    """Return an address for every route of the server."""
    examples = {r"([0-9a-f]+)": "abc", r"([a-z_]+)": "state", "/?": "/"}
    found = []
    for route in server._routes():
        pattern = route.regex.pattern.removesuffix("$")
        for part, example in examples.items():
            pattern = pattern.replace(part, example)
        head, _, choice = pattern.partition("(")
        found.append(head + choice.partition("|")[0].replace("\\", "").rstrip(")"))
    return found


async def _status(practice: PracticeThread, method: str, path: str, headers: dict[str, str]) -> int:
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, practice.url + path, headers=headers, data=b"{}") as answer,
    ):
        return answer.status


def test_every_address_is_guarded(practice: PracticeThread) -> None:
    """No handler of the server stands outside of the check."""
    handlers = practice.call(lambda server: [route.handler_class for route in server._routes()])
    assert len(handlers) > 15
    assert all(issubclass(handler, GuardedHandler) for handler in handlers)


@pytest.mark.parametrize("headers", FOREIGN_PAGES, ids=str)
async def test_other_pages_are_refused_everywhere(practice: PracticeThread, headers: dict[str, str]) -> None:
    """Whatever another web page asks, by whichever method, is 403: token, socket, files, orders, the chat page."""
    for path in practice.call(_addresses):
        for method in ("GET", "POST", "PUT", "OPTIONS"):
            if path in DOCUMENTS and "Host" not in headers:
                continue
            assert await _status(practice, method, path, headers) == 403, (method, path)


async def test_page_and_orders_know_their_names(practice: PracticeThread) -> None:
    """What no bot asks is not answered under a foreign name even where the browser says nothing of the page."""
    for path in practice.call(_addresses):
        if "practice" in path or path == "/":
            assert await _status(practice, "GET", path, {"Host": "rebound.example.com"}) == 403, path
    assert await _status(practice, "POST", "/practice/state", {"Host": "rebound.example.com"}) == 403


async def test_bots_come_under_any_name(practice: PracticeThread) -> None:
    """A program that reaches the server by a name of its own network, or through a proxy, is answered."""
    headers = {"Host": "video.example.com:8080"}
    assert await _status(practice, "GET", "/api/v4/server", headers) == 200
    assert await _status(practice, "POST", "/bridge/api/client/v1/oauth/token", headers) == 400
    bot = await WireBot(f"http://video.example.com:{practice.port}").open(host="127.0.0.1", proxy=None)
    await bot.close()


@pytest.mark.parametrize("origin", ["https://example.com", "http://127.0.0.1:1"])
async def test_socket_refuses_other_pages(practice: PracticeThread, origin: str) -> None:
    """The upgrade itself is refused."""
    with pytest.raises(websockets.InvalidStatus) as refused:
        await WireBot(practice.url).open(origin=origin)
    assert refused.value.response.status_code == 403


async def test_foreign_page_puts_no_words_into_a_mouth(practice: PracticeThread) -> None:
    """What a page sends without asking before (a text, by POST) reaches no operation of the administration."""
    before = practice.call(lambda server: len(server.world.messages))
    async with (
        aiohttp.ClientSession() as session,
        session.post(
            practice.url + "/practice/say",
            headers={"Origin": "https://example.com", "Content-Type": "text/plain"},
            data=b'{"author": "robot", "chat": "Robot", "text": "/deploy production"}',
        ) as answer,
    ):
        assert answer.status == 403
    assert practice.call(lambda server: len(server.world.messages)) == before


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Host": "localhost:8080"},
        {"Host": "practice:8080"},
        {"Host": "192.0.2.7"},
        {"Host": "[::1]:8080"},
        {"Host": "hub.example.org"},
        {"Host": "hub.example.org", "Origin": "https://hub.example.org", "Sec-Fetch-Site": "same-origin"},
        {"Host": "localhost:8080", "Origin": "http://localhost:8080"},
        {"Origin": "https://hub.example.org"},
        {"Sec-Fetch-Site": "none"},
        {"Sec-Fetch-Site": "same-origin"},
    ],
    ids=str,
)
async def test_programs_and_the_own_page_are_answered(practice: PracticeThread, headers: dict[str, Any]) -> None:
    """Bots without an origin, the server's own page, and both behind a proxy that it was told of, are answered."""
    assert await _status(practice, "GET", "/api/v4/server", headers) == 200
    assert await _status(practice, "GET", "/practice-page/people", headers) == 200
    assert await _status(practice, "POST", "/practice/state", headers) == 200
    assert await _status(practice, "POST", "/bridge/api/client/v1/oauth/token", headers) == 400


async def test_domain_that_was_given_is_a_name_of_the_server() -> None:
    """The page is there under the name that the server was given."""
    with PracticeThread(domain="talk.example.org") as practice:
        assert await _status(practice, "GET", "/practice-page/people", {"Host": "talk.example.org"}) == 200
