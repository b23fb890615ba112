"""Where passwords, tokens and download addresses are not: tracebacks with variables, logs, `vars`, pickles."""

from __future__ import annotations

import asyncio
import contextlib
import copy
import logging
import pickle
import traceback
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from IPython.core.ultratb import VerboseTB

import tcnb
from tcnb.client.address import Address
from tcnb.compat.bot import Bot
from tcnb.compat.tokens import get_auth_token
from tcnb.errors import TcnbError
from tcnb.practice import PracticeThread
from tcnb.secret import Secret, without_locals
from tcnb.wire import websocket


def password() -> str:
    """Return the password; a variable of this module would be shown with the line that names it."""
    return "hunter2-of-robot"


def ready_token() -> str:
    """Return a token that no server knows."""
    return "t0ken.of.robot-which-is-long-enough-to-be-one"


@pytest.fixture(scope="module")
def server() -> Iterator[PracticeThread]:
    """A server whose only account has a password that is a secret."""
    with PracticeThread(accounts=(f"robot:{password()}",)) as thread:
        yield thread


class Unforeseen(Exception):
    """What no code reckons with."""


def _fail(*args: Any, **kwargs: Any) -> Any:
    raise Unforeseen("broken")


async def _afail(*args: Any, **kwargs: Any) -> Any:
    raise Unforeseen("broken")


def _shown(call: Callable[[], Any]) -> str:
    """Return all that tracebacks with variables show of what a call raises."""
    try:
        call()
    except BaseException as error:
        plain = traceback.TracebackException.from_exception(error, capture_locals=True)
        verbose = VerboseTB(theme_name="nocolor").text(type(error), error, error.__traceback__)
        return f"{''.join(plain.format())}\n{verbose}"
    raise AssertionError("nothing was raised")


def _connected(server: PracticeThread) -> tcnb.Session:
    return tcnb.connect(server.url, username="robot", password=password(), journal=None)


CALLS: dict[str, Callable[[PracticeThread], Any]] = {
    "connect": lambda server: tcnb.connect(server.url, username="robot", password=password(), journal=None),
    "connect with a token": lambda server: tcnb.connect(server.url, token=ready_token(), journal=None),
    "aconnect": lambda server: asyncio.run(
        tcnb.aconnect(server.url, username="robot", password=password(), journal=None)
    ),
    "unnamed": lambda server: tcnb.connect("127.0.0.1", "robot", password()),
    "practice beside an account": lambda server: tcnb.connect(practice=True, password=password()),
    "get_auth_token": lambda server: get_auth_token(
        "127.0.0.1", "robot", password(), protocol="http", port=server.port
    ),
    "from_credentials": lambda server: Bot.from_credentials(
        "127.0.0.1", "robot", password(), https=False, web_port=server.port
    ),
    "from_oauth": lambda server: Bot.from_oauth(
        "127.0.0.1", "robot", password(), "app", https=False, web_port=server.port
    ),
    "Bot": lambda server: Bot("127.0.0.1", ready_token(), https=False, web_port=server.port, ws_max_retries=0),
}

BREAKS: dict[str, Callable[[pytest.MonkeyPatch], None]] = {
    "nothing": lambda patch: None,
    "the address": lambda patch: patch.setattr(Address, "parse", _fail),
    "the TLS setting": lambda patch: patch.setattr("tcnb.network.http.ssl_context", _fail),
    "the thread": lambda patch: patch.setattr("tcnb.client.thread.BotThread.wait", _fail),
    "HTTP": lambda patch: patch.setattr("tcnb.network.http._Routes.handle_async_request", _afail),
    "the network": lambda patch: patch.setattr("httpcore._backends.anyio.AnyIOStream.write", _afail),
    "the answer": lambda patch: patch.setattr("json.loads", _fail),
    "the frame": lambda patch: patch.setattr("tcnb.wire.frames._encode", _fail),
    "the socket": lambda patch: patch.setattr(websocket, "masked", _fail),
}


def _is_shown(text: str) -> list[str]:
    """Return the lines that show a secret."""
    return [line for line in text.splitlines() if password() in line or ready_token() in line]


@pytest.mark.parametrize("what", BREAKS)
@pytest.mark.parametrize("call", CALLS)
def test_no_traceback_shows_a_secret(
    server: PracticeThread, monkeypatch: pytest.MonkeyPatch, call: str, what: str
) -> None:
    """Whatever breaks while somebody logs in, tracebacks with the values of variables show no password and token."""

    def act() -> None:
        with monkeypatch.context() as patch:
            BREAKS[what](patch)
            CALLS[call](server)
        raise Unforeseen("nothing was in the way")

    assert _is_shown(_shown(act)) == []


def test_session_shows_no_secret(server: PracticeThread) -> None:
    """Nothing that can be reached by `vars` from a session, however deep, shows the password or the token."""
    with contextlib.closing(_connected(server)) as tc:
        token = tc._connection._tokens._token.value.reveal()
        seen: dict[int, Any] = {}
        waiting: list[Any] = [tc]
        while waiting:
            one = waiting.pop()
            if id(one) in seen or isinstance(one, type):
                continue
            seen[id(one)] = one
            assert not any(secret in repr(one) for secret in (password(), token)), type(one)
            waiting += vars(one).values() if hasattr(one, "__dict__") else ()
            waiting += one.values() if isinstance(one, dict) else one if isinstance(one, list | tuple) else ()
        assert len(seen) > 500
        assert not any(secret in str(tc.status()) for secret in (password(), token))


def test_no_log_shows_a_secret(server: PracticeThread, caplog: pytest.LogCaptureFixture) -> None:
    """At the finest level, no logger tells password, token, download address, or the login in somebody's address."""
    caplog.set_level(logging.DEBUG)
    for name in list(logging.root.manager.loggerDict):
        caplog.set_level(logging.DEBUG, logger=name)
    with contextlib.closing(_connected(server)) as tc:
        token = tc._connection._tokens._token.value.reveal()
        sent = tc.send_document(tc.me_id, b"hello")
        info = tc._wait(tc.bot.get_file_info(sent.file_id))
        assert tc.download(sent.file_id) == b"hello"
        with pytest.raises(TcnbError):
            tc.send_document(tc.me_id, f"http://somebody:WORD@127.0.0.1:{server.port}/x.png?sig=SIGNATURE")
    logged = "\n".join(f"{record.name} {record.getMessage()}" for record in caplog.records)
    assert "tcnb" in logged
    secrets = (password(), token, info.download_url.partition("token=")[2], "WORD", "SIGNATURE")
    assert [line for line in logged.splitlines() if any(secret in line for secret in secrets)] == []


def test_log_of_other_requests_goes_on(server: PracticeThread, caplog: pytest.LogCaptureFixture) -> None:
    """What somebody asks with httpx beside tcnb is logged as ever."""
    caplog.set_level(logging.DEBUG)
    with contextlib.closing(_connected(server)):
        httpx.get(f"{server.url}/api/v4/server?q=mine", trust_env=False)
    logged = [record.getMessage() for record in caplog.records if record.name == "httpx"]
    assert len(logged) == 1 and "q=mine" in logged[0]
    assert any(record.name.startswith("httpcore.http11") for record in caplog.records)


def test_secret_says_nothing_of_itself() -> None:
    """No way to show, copy or pickle a secret says it; `reveal` does."""
    secret = Secret(password())
    assert f"{secret} {secret!r} %s {secret:}" % (secret,) == "<hidden> <hidden> <hidden> <hidden>"
    assert copy.deepcopy([secret])[0] is secret is copy.copy(secret)
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(secret)
    with pytest.raises(TypeError):
        vars(secret)
    assert secret.reveal() == password() == secret
    assert Secret("") != secret and not Secret("")


def test_variables_of_causes_are_forgotten() -> None:
    """Tracebacks of an error, its cause and the members of a group keep their lines and lose their values."""

    def inner(word: str) -> None:
        raise ValueError

    def outer() -> None:
        try:
            inner(password())
        except ValueError as error:
            raise ExceptionGroup("two", [error]) from error

    def act() -> None:
        try:
            outer()
        except ExceptionGroup as error:
            without_locals(error)
            raise

    shown = _shown(act)
    assert "in inner" in shown
    assert _is_shown(shown) == []
