"""Connecting, and what happens when it fails or breaks: every refusal is one line, and what can come back comes
back.
"""

from __future__ import annotations

import errno
import os
import socket
import ssl
import traceback

import pytest
import trustme
from httpx import ConnectError
from websockets.exceptions import InvalidHandshake

import tcnb
from tcnb.client.address import Address
from tcnb.client.unreachable import unreachable
from tcnb.errors import (
    AuthenticationError,
    CertificateError,
    InvalidGrantError,
    NotConnectedError,
    PasswordAuthDisabledError,
    RequestTimeoutError,
    TcnbError,
    TokenValidationError,
    UsageError,
    WSConnectionError,
)
from tcnb.practice import PracticeThread
from tests.session.test_session import texts


def test_wrong_password(connect):
    """A wrong password is said to be wrong, and is not repeated."""
    with pytest.raises(InvalidGrantError, match="wrong login or password") as caught:
        connect(password="s3cret")
    assert "s3cret" not in str(caught.value)


def test_password_that_a_server_says_back_is_not_repeated(practice, connect):
    """Neither the error nor what it came from shows the password: a notebook with it may be saved and sent on."""
    password = "s3cret"
    practice.call(lambda server: server.fail_next_http("token", 403, f'{{"reason": "no: {password} is wrong"}}'))
    with pytest.raises(AuthenticationError, match="no: <hidden> is wrong") as caught:
        connect(password=password)
    assert password not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"practise": True}, r"connect has no practise=: did you mean practice=\?"),
        ({"ca_file": "company-ca.pem"}, r"connect has no ca_file=: did you mean verify_ssl=\?"),
        ({"login": "robot"}, r"connect has no login=: did you mean username=\?"),
        ({"practice": {"peeple": 3}}, r"practice has no peeple=: did you mean people=\?"),
        ({"practice": True, "catch_up": 5000}, r"catch_up is True, False or a CatchUp\(…\), not 5000"),
        ({"practice": {"people": -3}}, "people is a number from 0 to 1000, not -3"),
        (
            {"server": "127.0.0.1", "username": "robot", "password": "x", "web_port": 99999},
            "from 1 to 65535, not 99999",
        ),
    ],
)
def test_argument_that_makes_no_sense(given, said):
    """A wrong name or a number out of bounds is one line, before anything is started or asked."""
    with pytest.raises(UsageError, match=said):
        tcnb.connect(**given)


async def test_arguments_without_names():
    """A login and a password without their names are refused with the names, and not repeated."""
    for call in (tcnb.connect, tcnb.aconnect):
        with pytest.raises(UsageError, match="username=…, password=…") as caught:
            made = call("127.0.0.1", "robot", "s3cret")
            await made
        assert "s3cret" not in str(caught.value)


def test_server_away(connect):
    """A port where nobody listens is an error that names the address and what to check."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(WSConnectionError, match=rf"{port} \(nothing listens there\): check"):
        connect(web_port=port)


REFUSED = ConnectionRefusedError(errno.ECONNREFUSED, "Connect call failed ('127.0.0.1', 9)")


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (REFUSED, "nothing listens there"),
        (OSError(f"Multiple exceptions: {REFUSED}, {REFUSED}"), "nothing listens there"),
        (OSError(errno.EHOSTUNREACH, "Connect call failed ('10.9.9.9', 9)"), os.strerror(errno.EHOSTUNREACH).lower()),
        (socket.gaierror(-2, "Name or service not known"), "its name is not known here"),
        (ssl.SSLError(1, "[SSL] wrong version number"), "[SSL] wrong version number"),
        (InvalidHandshake("no handshake"), "no handshake"),
        (InvalidHandshake(), "InvalidHandshake"),
    ],
)
def test_reason_has_no_numbers_of_the_system(error, why):
    """Why a server cannot be reached is worded, for it stands where people look."""
    assert f"({why})" in str(unreachable(Address("video.example.com", 443), error))


def test_reason_is_that_of_the_cause():
    """A library that words it anew names what it came from."""
    error = ConnectError("All connection attempts failed")
    error.__cause__ = REFUSED
    assert "(nothing listens there)" in str(unreachable(Address("video.example.com", 443), error))


def test_server_that_never_answers(connect):
    """A server that takes the connection and says nothing ends in a time-out, in time."""
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(RequestTimeoutError, match="does not answer"):
        connect(web_port=silent.getsockname()[1], timeout=0.3)


def test_not_a_trueconf_server(connect, practice):
    """A web server without the connector is said to have none."""
    practice.call(lambda server: server.fail_next_http("token", 404))
    with pytest.raises(WSConnectionError, match="no chatbot connector"):
        connect()


def test_password_login_switched_off(connect, practice):
    """Where passwords are not taken the error says what to ask the administrator for."""
    practice.call(lambda server: server.faults.__setattr__("password_login_disabled", True))
    with pytest.raises(PasswordAuthDisabledError, match="client_id"):
        connect()


def test_oauth_application(connect):
    """With an OAuth application the account gets in although passwords are not taken."""
    with PracticeThread(password_login=False, oauth_application="app-1") as server:
        session = connect(web_port=server.port, client_id="app-1")
        assert session.me_id == "robot@practice.local"


def test_ready_token(connect, practice):
    """A ready token is enough, and a refused one says so without being shown."""
    token = connect()._connection._tokens._token.value.reveal()
    assert connect(username=None, password=None, token=token).me_id == "robot@practice.local"
    with pytest.raises(TokenValidationError, match="refuses the token"):
        connect(username=None, password=None, token="a.b.c")


def test_full_server(connect):
    """A server at its limit of connections is an error that says so."""
    with PracticeThread(connection_limit=0) as server, pytest.raises(WSConnectionError, match="limit of connections"):
        connect(web_port=server.port)


@pytest.fixture(scope="module")
def authority():
    """A private certificate authority."""
    return trustme.CA()


@pytest.fixture
def secure(authority, tmp_path):
    """A practice server with a private certificate."""
    cert = authority.issue_cert("127.0.0.1", "localhost")
    cert.private_key_and_cert_chain_pem.write_to_path(tmp_path / "server.pem")
    with PracticeThread(tls_cert=tmp_path / "server.pem") as server:
        yield server


def test_untrusted_certificate(connect, secure):
    """A private certificate is refused with a hint to both ways out."""
    with pytest.raises(CertificateError, match=r"verify_ssl='path/to/ca\.pem'.*verify_ssl=False"):
        connect(web_port=secure.port, https=True)


@pytest.mark.parametrize("way", ["file", "context", "off"])
def test_one_tls_setting_for_all_connections(connect, secure, authority, tmp_path, way):
    """A CA file, a context, or no check at all holds for token, socket, upload and download."""
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    context = ssl.create_default_context(cafile=str(tmp_path / "ca.pem"))
    verify = {"file": tmp_path / "ca.pem", "context": context, "off": False}[way]
    session = connect(web_port=secure.port, https=True, verify_ssl=verify)
    chat = session._wait(session.bot.create_group_chat("Secure")).chat_id
    sent = session.send_document(chat, b"secret plans")
    assert session.download(sent.file_id) == b"secret plans"
    assert session._wait(session.bot.server_version).startswith("5.5")


def test_unreadable_ca_file(connect, secure, tmp_path):
    """A CA bundle that is missing or is none is an error of its own."""
    with pytest.raises(CertificateError, match="CA bundle"):
        connect(web_port=secure.port, https=True, verify_ssl=tmp_path / "missing.pem")


def test_every_refusal_is_one_line(connect, practice):
    """In a notebook an error is one line with its name."""
    with pytest.raises(TcnbError) as caught:
        connect(password="wrong")
    (line,) = caught.value._render_traceback_()
    assert "\n" not in line
    assert line.startswith("InvalidGrantError: ")


def test_broken_connection_comes_back_and_nothing_is_lost_or_doubled(practice, tc, alice, until):
    """After a break the connection is made again and what was said meanwhile comes exactly once."""
    chat = alice.group("Release crew", "robot")
    alice.say(chat, "before")
    until(tc, lambda: "before" in texts(tc))

    def break_and_speak(server):
        server.drop_connections("robot")
        server.world.say(server.world.user(alice.id), chat, "meanwhile")
        server.deliver()

    practice.call(break_and_speak)
    until(tc, lambda: "meanwhile" in texts(tc) and tc.state["state"] == "connected")
    alice.say(chat, "after")
    until(tc, lambda: "after" in texts(tc))
    assert texts(tc) == ["before", "meanwhile", "after"]
    assert tc.status().reconnects == 1


def test_normal_close_by_the_server_is_followed_by_a_new_connection(practice, tc, until):
    """A restarting server closes in order and is connected to again."""
    practice.call(lambda server: server.close_connections(1012, "restart"))
    until(tc, lambda: tc.status().reconnects == 1)
    assert "1012" in tc.status().last_break


def test_restarted_server_is_found_again(connect, until):
    """A server that is gone for a while is connected to when it is back."""
    first = PracticeThread()
    first.start()
    session = connect(web_port=first.port)
    port = first.port
    first.stop()
    until(session, lambda: session.state["state"] == "reconnecting")
    assert session.state["retry_at"] is not None
    with PracticeThread(port=port):
        until(session, lambda: session.state["state"] == "connected")


def test_expired_token_is_renewed_once_and_the_request_repeated(practice, tc):
    """Error 203 is answered with a fresh token and one more try; the caller notices nothing."""
    practice.call(lambda server: server.expire_tokens())
    assert tc.send("alice", "hello").message_id
    assert tc.status().reconnects == 1


def test_expired_token_that_stays_expired_is_told(practice, tc):
    """A second 203 is not tried a third time."""
    # Names are also asked for in the background; these limits are not.
    practice.call(lambda server: server.fail_next("getFileUploadLimits", 203, times=2))
    with pytest.raises(tcnb.errors.ApiErrorException) as caught:
        tc._wait(tc.bot.get_file_info_upload_limits())
    assert caught.value.code == 203


def test_three_refusals_of_the_credentials_end_it(practice, tc, until, monkeypatch):
    """Credentials that stopped being right are tried three times, and then the reason is told to every caller."""
    monkeypatch.setattr("tcnb.client.connection.delays", lambda: iter([0.0] * 10))

    def lock_out(server):
        server.faults.refuse_logins = True
        server.expire_tokens()
        server.drop_connections("robot")

    practice.call(lock_out)
    until(tc, lambda: tc.state["state"] == "closed")
    assert "wrong login or password" in tc.state["reason"]
    with pytest.raises(AuthenticationError, match="wrong login or password"):
        tc.send("alice", "hello")


def test_unanswered_request_times_out(practice, tc):
    """A server that does not answer one request ends that request alone."""
    chat = tc.send("alice", "hello").chat_id
    tc.refresh()  # from here on it needs no look-up
    practice.call(lambda server: server.ignore_next("sendMessage"))
    with pytest.raises(RequestTimeoutError, match="sendMessage: no answer"):
        tc.send(chat, "hello", timeout=0.2)
    assert tc.send("alice", "hello").message_id


def test_break_between_request_and_answer_is_cleared_up(practice, tc):
    """A sending whose answer was lost is found in its chat: it is there once, and its caller gets it."""
    chat = tc._wait(tc.bot.create_personal_chat("alice")).chat_id
    practice.call(lambda server: server.drop_on_next("sendMessage"))
    sent = tc.send("alice", "hello")
    held = practice.call(lambda server: [one.message_id for one in server.world.chats[chat].messages])
    assert held == [sent.message_id]
    status = tc.status()
    assert (status.sendings_recovered, status.reconnects) == (1, 1)
    assert "connection" in repr(status)
    assert status.healed[-1].reason in repr(status)


def test_break_during_a_question_is_asked_again(practice, tc):
    """A method that only reads is asked again on the new connection."""
    practice.call(lambda server: server.drop_on_next("getUserDisplayName"))
    assert tc._wait(tc.bot.get_user_display_name("alice")).display_name == "Alice Doe"


@pytest.mark.parametrize(
    "text",
    [
        "not json",
        "[]",
        '"text"',
        '{"type":1,"id":77}',
        '{"type":9,"id":78,"method":"sendMessage"}',
        '{"type":1,"id":79,"method":"fromTheFuture","payload":{"x":1}}',
        '{"type":1,"id":80,"method":"sendMessage"}',
        '{"type":1,"id":81,"method":"sendMessage","payload":{"messageId":5,"type":"x","content":[]}}',
        '{"type":1,"id":82,"method":"editMessage","payload":null}',
        '{"type":2,"id":4242}',
    ],
)
def test_malformed_frames_neither_stop_nor_vanish(practice, tc, alice, until, text):
    """Whatever arrives, the connection goes on; what was no frame or not understood is a row or a count."""
    chat = alice.group("Release crew", "robot")
    before = len(tc.df)
    practice.call(lambda server: server.push_raw("robot", text))
    alice.say(chat, "still here")
    until(tc, lambda: "still here" in texts(tc))
    strange = (tc.df["event"] == "unknown").sum() + (tc.df["event"] == "edited_message").sum()
    incomplete = tc.record.counts.incomplete
    assert len(tc.df) > before
    assert strange or incomplete or tc._connection._link.unknown_answers
    assert tc.status().reconnects == 0


def test_duplicates_are_recognised(practice, tc, alice, until):
    """A message that is delivered twice is one row."""
    chat = alice.group("Release crew", "robot")
    practice.call(lambda server: server.faults.__setattr__("deliver_twice", True))
    alice.say(chat, "once")
    until(tc, lambda: tc.status().duplicates >= 1)
    assert texts(tc).count("once") == 1


def test_unread_messages_come_at_the_next_connection(practice, connect, alice, until):
    """What was said while the bot was away is delivered when it connects, and acknowledged."""
    chat = alice.group("Release crew", "robot")
    alice.say(chat, "while you were away")
    session = connect()
    until(session, lambda: "while you were away" in texts(session))
    practice.run(practice.server.until(lambda: practice.server.is_settled("robot")))


@pytest.mark.parametrize("generation", ["5.5.3", "5.5.0"])
def test_older_generation(connect, until, generation):
    """An older server, which names chats and files differently, gives the same frame."""
    with PracticeThread(generation=generation, accounts=("robot:robot", "alice:alice:Alice Doe")) as server:
        session = connect(web_port=server.port)
        chat = session._wait(session.bot.create_group_chat("Old crew")).chat_id

        def speak(practice):
            alice = practice.world.user("alice@practice.local")
            practice.world.add_participant(
                practice.world.user("robot@practice.local"), chat, alice, display_history=True
            )
            practice.world.say(alice, chat, "hello from the past")
            practice.deliver()

        server.call(speak)
        until(session, lambda: "hello from the past" in texts(session))
        sent = session.send_document(chat, b"bytes")
        assert session.download(sent.file_id) == b"bytes"
        session.refresh()
        assert session.send("Old crew", "hello").chat_id == chat


def test_closed_session_fails_those_who_wait(tc):
    """Closing while somebody waits ends their waiting with an error."""
    import threading

    problems = []

    def wait() -> None:
        try:
            tc.wait_for(timeout=None)
        except NotConnectedError as error:
            problems.append(error)

    waiting = threading.Thread(target=wait)
    waiting.start()
    while not tc._waiters:
        waiting.join(0.01)
    tc.close()
    waiting.join()
    assert problems


def test_title_that_changed_while_the_connection_was_away_is_not_trusted(practice, tc, alice, until):
    """A chat renamed unheard is not written to under its old title when another chat has that title now."""
    old = alice.group("Release crew", "robot")
    assert tc.send("Release crew", "hello").chat_id == old
    titled = []

    def swap(server):
        server.drop_connections("robot")
        me = server.world.user(alice.id)
        server.world.edit_title(me, old, "Archive")
        chat = server.world.create_group(me, "Release crew")
        server.world.add_participant(me, chat.chat_id, server.world.user("robot@practice.local"), display_history=True)
        server.world.take_notices()  # nobody is told: the connection is away
        titled.append(chat.chat_id)

    practice.call(swap)
    until(tc, lambda: tc.status().reconnects == 1)
    assert tc.send("Release crew", "hello again").chat_id == titled[0]


def test_failure_in_the_keeping_itself_is_told(practice, tc, until, monkeypatch):
    """Should the keeping of the connection fail in a way nobody expects, every caller is told instead of waiting."""

    def nothing():
        raise RuntimeError("no delays today")

    monkeypatch.setattr("tcnb.client.connection.delays", nothing)
    practice.call(lambda server: server.drop_connections("robot"))
    until(tc, lambda: tc.state["state"] == "closed")
    with pytest.raises(NotConnectedError, match="no delays today"):
        tc.send("alice", "hello")
