"""The token endpoints and the version pages of the practice server."""

from __future__ import annotations

import base64
import json
import time
from typing import Any

import pytest

from tcnb.practice import PracticeServer

from .conftest import ACCOUNTS
from .wire import WireBot, get, post

TOKEN = "/bridge/api/client/v1/oauth/token"
GOOD = {"client_id": "chat_bot", "grant_type": "password", "username": "ann", "password": "ann"}


async def test_token_has_three_parts_and_both_expiries(server: PracticeServer) -> None:
    """A token is 201, of three parts with `exp`, and tells its life in seconds and as a moment."""
    status, payload = await post(server.url + TOKEN, GOOD)
    assert status == 201
    assert payload["token_type"] == "JWT"
    header, claims, signature = payload["access_token"].split(".")
    assert json.loads(base64.urlsafe_b64decode(header + "=="))["typ"] == "JWT"
    assert json.loads(base64.urlsafe_b64decode(claims + "=="))["exp"] == payload["expires_at"]
    assert signature
    assert abs(payload["expires_at"] - payload["expires_in"] - time.time()) < 60


@pytest.mark.parametrize(
    ("change", "status", "error"),
    [
        ({"password": "wrong"}, 401, "invalid_grant"),
        ({"username": "nobody"}, 401, "invalid_grant"),
        ({"client_id": "browser"}, 401, "invalid_client"),
        ({"grant_type": "magic"}, 400, "unsupported_grant_type"),
        ({"password": 1234}, 400, "invalid_request"),
        ({"username": None}, 400, "invalid_request"),
        ({"client_id": None}, 400, "invalid_request"),
    ],
)
async def test_bad_grants(server: PracticeServer, change: dict[str, Any], status: int, error: str) -> None:
    """Each way to get the request wrong has its status and its error."""
    answered, payload = await post(server.url + TOKEN, {**GOOD, **change})
    assert (answered, payload["error"]) == (status, error)
    assert bool(payload.get("error_description")) == (error == "invalid_grant")


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"username=ann&password=ann", b"\xff\xfe"])
async def test_body_that_is_no_object_is_400(server: PracticeServer, body: bytes) -> None:
    """A body that is no JSON object is an invalid request."""
    assert await post(server.url + TOKEN, body) == (400, {"error": "invalid_request"})


async def test_login_may_carry_the_domain(server: PracticeServer) -> None:
    """The full id is taken for a login, and the case of a login does not count."""
    status, _ = await post(server.url + TOKEN, {**GOOD, "username": "Ann@practice.local"})
    assert status == 201


async def test_password_login_can_be_off() -> None:
    """A server without password login answers 403 and says why."""
    async with PracticeServer(accounts=ACCOUNTS, password_login=False) as server:
        assert await post(server.url + TOKEN, GOOD) == (403, {"error": "auth_method_disabled"})


async def test_oauth_application_flow() -> None:
    """The three steps of the application flow end in a token that `auth` accepts, each ticket being good once."""
    async with PracticeServer(accounts=ACCOUNTS, oauth_application="app-1", password_login=False) as server:
        url = server.url
        ask = {**GOOD, "client_id": "app-1"}
        _, first = await post(url + "/api/v4/oauth2/token", ask)
        proof = {"client_id": "ann", "token": first["access_token"]}
        _, second = await post(url + "/bridge/api/client/v1/auth/web_rest_api_token", proof)
        code = {"client_id": "user", "grant_type": "authorization_code", "code": second["authorization_code"]}
        status, third = await post(url + "/bridge/api/client/v1/auth/token", code)
        assert status == 200
        assert second["expires_in"] > 10**12
        assert third["expires_in"] > 10**12
        bot = await WireBot(url).open()
        assert (await bot.auth(third["access_token"]))["userId"].startswith("ann@")
        await bot.close()
        assert (await post(url + "/bridge/api/client/v1/auth/token", code))[0] == 401


async def test_oauth_application_must_exist_and_have_a_scope() -> None:
    """An unknown application is an invalid grant; one without scope is told so in an object."""
    async with PracticeServer(accounts=ACCOUNTS, oauth_application="app-1") as server:
        address = server.url + "/api/v4/oauth2/token"
        assert await post(address, {**GOOD, "client_id": "app-2"}) == (401, {"error": "invalid_grant"})
        server.applications["app-2"] = ()
        status, payload = await post(address, {**GOOD, "client_id": "app-2"})
        assert status == 400
        assert payload["error"]["errors"][0]["reason"] == "invalidScope"


async def test_version_pages(server: PracticeServer) -> None:
    """The version and the name of the server are told in both ways."""
    _, body, _ = await get(server.url + "/api/v4/server")
    assert json.loads(body)["product"] == {"version": "5.5.6.10213", "display_name": "practice.local"}
    _, body, _ = await get(server.url + "/api/v4/endpoints/connects")
    assert json.loads(body)["connects"] == [f"practice.local:{server.port}"]
    _, body, _ = await get(server.url + "/vsstatus")
    assert b"TrueConf Server 5.5.6.10213" in body


async def test_bridge_only_has_no_web_pages() -> None:
    """A server without its web service knows no /api/v4."""
    async with PracticeServer(bridge_only=True) as server:
        assert (await get(server.url + "/api/v4/server"))[0] == 404
        assert (await post(server.url + TOKEN, {**GOOD, "username": "robot", "password": "robot"}))[0] == 201
