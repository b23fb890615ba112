"""What the magics make of their lines, in a real shell and with a stand-in session that notes the calls."""

from __future__ import annotations

import ssl
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
from desk import Desk

from tcnb.errors import (
    ApiErrorException,
    FileMissingError,
    NotConnectedError,
    SecretOnLineError,
    TcnbError,
    UnknownChatError,
    UsageError,
    WSConnectionError,
)


def test_send_returns_the_answer(connected: Desk) -> None:
    """A verb is an expression: its value can be kept."""
    connected.run("sent = %tc_send crew hello")
    assert connected.names["sent"].message_id == "m1"


@pytest.mark.parametrize(
    ("cell", "call"),
    [
        ("%tc_send crew hello", ("send", "crew", "hello", {})),
        ('%tc_send "Release crew" hello', ("send", "Release crew", "hello", {})),
        ("%tc_send crew --markdown **hi**", ("send", "crew", "**hi**", {"parse_mode": "markdown"})),
        ("%tc_send crew --html <b>hi</b>", ("send", "crew", "<b>hi</b>", {"parse_mode": "html"})),
        ("%tc_send crew --plain *hi*", ("send", "crew", "*hi*", {"parse_mode": "text"})),
        ("%tc_send crew --mode HTML hi", ("send", "crew", "hi", {"parse_mode": "html"})),
        ("%tc_send crew --mode plain hi", ("send", "crew", "hi", {"parse_mode": "text"})),
        ("%tc_send crew --reply m7 hi", ("send", "crew", "hi", {"reply_to": "m7"})),
        ("%tc_send crew --timeout 2.5 hi", ("send", "crew", "hi", {"timeout": 2.5})),
        ("%tc_photo crew a.png", ("photo", "crew", "a.png", None, {})),
        (
            "%tc_photo crew 'my a.png' --html <b>x</b>",
            ("photo", "crew", "my a.png", "<b>x</b>", {"parse_mode": "html"}),
        ),
        ("%tc_sticker crew a.webp --reply m1", ("sticker", "crew", "a.webp", {"reply_to": "m1"})),
        (r"%tc_file crew C:\new\a.txt It's", ("file", "crew", r"C:\new\a.txt", "It's", {})),
        ("%tc_feed", ("feed", {})),
        ("%tc_feed 'Release crew' alice", ("feed", "Release crew", "alice", {})),
    ],
)
def test_line_becomes_a_call(connected: Desk, cell: str, call: tuple[Any, ...]) -> None:
    """Each verb hands its fields and options to the session's verb of the same name."""
    assert connected.sent(cell) == call


def test_frames(connected: Desk) -> None:
    """The chats and the events are what the session has."""
    assert connected.run("%tc_chats") == "the chats"
    assert connected.run("%tc_df") == "the events"


def test_expansion_per_field(connected: Desk) -> None:
    """Values with blanks, quotes and dashes stay inside the field that they expand in."""
    connected.names.update(title='Release "crew" --html', text="a 'b' ; {c} $d", n=3)
    assert connected.sent("%tc_send {title} $text {n:03d}") == (
        "send",
        'Release "crew" --html',
        "a 'b' ; {c} $d 003",
        {},
    )


def test_objects_pass_as_they_are(connected: Desk) -> None:
    """A file, a chat and a message may be objects of any kind."""
    connected.names.update(blob=b"123", message=SimpleNamespace(message_id="m9"), chat=SimpleNamespace(chat_id="c9"))
    verb, chat, file, _, options = connected.sent("%tc_photo {chat} $blob --reply {message}")
    assert (verb, chat, options) == ("photo", "c9", {"reply_to": "m9"})
    assert file is connected.names["blob"]


def test_home_folder(connected: Desk) -> None:
    """A path may begin with the home folder's sign."""
    assert connected.sent("%tc_file crew ~/a.txt")[2] == str(Path.home() / "a.txt")


def test_local_names_in_a_function(connected: Desk) -> None:
    """A magic inside a function sees the function's variables, also from a comprehension."""
    cell = "def tell(n):\n    return %tc_send crew {[n * i for i in (1, 2)]}\n"
    with pytest.raises(SyntaxError):
        connected.run(cell)
    connected.run("def tell(n):\n    sent = %tc_send crew {[n * i for i in (1, 2)]}\n    return sent\n")
    assert connected.sent("tell(5)")[2] == "[5, 10]"


def test_loop(connected: Desk) -> None:
    """A magic in a loop runs every time."""
    connected.run("for i in range(3):\n    %tc_send crew number {i}")
    assert [call[2] for call in connected.session.calls] == ["number 0", "number 1", "number 2"]


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ("%%tc_send crew\nhello", "hello"),
        ("%%tc_send crew\n# Title\n\n{not} $expanded 'quoted'\n", "# Title\n\n{not} $expanded 'quoted'"),
        ("%%tc_send crew\n\n  indented\n\n", "\n  indented\n"),
        ("%%tc_send crew\nx = 1;\n", "x = 1;"),
        ("%%tc_send crew -f\n{n} is ${n} and {{n}}\n", "3 is $3 and {n}"),
    ],
)
def test_cell_body(connected: Desk, cell: str, text: str) -> None:
    """A cell's body is sent as it stands, and expanded only with -f."""
    connected.names["n"] = 3
    assert connected.sent(cell) == ("send", "crew", text, {})


def test_head_of_a_cell_expands(connected: Desk) -> None:
    """The first line of the cell form is read like any line."""
    connected.names["title"] = "Release crew"
    assert connected.sent("%%tc_send {title} --markdown\n**x**") == (
        "send",
        "Release crew",
        "**x**",
        {"parse_mode": "markdown"},
    )


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ("%tc_send crew are you there?", "are you there?"),
        ("%tc_send crew really??", "really??"),
        ("x = %tc_send crew are you there?", "are you there?"),
        ("%tc_send crew it's (still) here?", "it's (still) here?"),
        ("for i in [1]:\n    %tc_send crew {i}?", "1?"),
        ("%tc_send crew :( \nprint()", ":("),
        ("%tc_send crew done!", "done!"),
        ("%tc_send crew #1 is 100%", "#1 is 100%"),
    ],
)
def test_punctuation_is_text(connected: Desk, cell: str, text: str) -> None:
    """What IPython would take for its own syntax at the end of a line is sent."""
    assert connected.sent(cell)[2] == text


def test_several_lines_in_a_cell(connected: Desk) -> None:
    """Unbalanced brackets and quotes of one line do not swallow the next."""
    connected.run("%tc_send crew (see below\n%tc_send crew it's\n%tc_send crew done?\nx = 5")
    assert [call[2] for call in connected.session.calls] == ["(see below", "it's", "done?"]
    assert connected.names["x"] == 5


def test_magic_inside_a_string_stays_a_string(connected: Desk) -> None:
    """A line in a triple-quoted string is no magic."""
    connected.run('x = """\n%tc_send crew really?\n"""')
    assert connected.names["x"] == "\n%tc_send crew really?\n"
    assert connected.session.calls == []


def test_help_is_still_help(connected: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    """%tc_send? shows how it is used."""
    connected.run("%tc_send?")
    shown = capsys.readouterr().out
    assert "Usage: %tc_send chat [options] text" in shown
    assert connected.session.calls == []


@pytest.mark.parametrize(
    "cell",
    [
        "%tc_send crew hi;",
        "%tc_send crew hi ;",
        "%tc_send crew hi?;",
        "%tc_df;",
        "%tc_connect video.example.com --username robot;",
        "%%tc_send crew;\nhi",
        "%tc_send crew hi;\n\n# a comment\n",
        "tc_send crew hi;",
    ],
)
def test_semicolon_silences(connected: Desk, cell: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A semicolon at the end of the line keeps the output away."""
    connected.run(cell)
    assert capsys.readouterr().out == ""


def test_semicolon_is_not_sent(connected: Desk) -> None:
    """The silencing semicolon is not part of the text, and an assignment still gets the value."""
    assert connected.sent("x = %tc_send crew hi;")[2] == "hi"
    assert connected.names["x"].message_id == "m1"


@pytest.mark.parametrize("cell", [r"%tc_send crew hi\;", '%tc_send crew "hi;"'])
def test_semicolon_that_is_sent(connected: Desk, cell: str, capsys: pytest.CaptureFixture[str]) -> None:
    """An escaped or quoted semicolon is text, and the output is shown."""
    assert connected.sent(cell)[2] == "hi;"
    assert "m1" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("%tc_send", "the chat is missing. Usage: %tc_send chat [options] text"),
        ("%tc_send crew", "the text is missing. Usage: %tc_send chat [options] text"),
        ('%tc_send crew ""', "the text is empty"),
        ("%tc_send crew {''}", "the text is empty"),
        ("%%tc_send crew\n\n", "the text is empty"),
        ("%%tc_send Release crew\nhi", "the text stands below the first line"),
        ("%%tc_send crew -f\n{oops}", "leave out -f"),
        ("%tc_send crew {oops}", "{oops} failed: NameError"),
        ('%tc_send crew {"a": 1}', "looks like JSON"),
        ("%tc_send crew costs $price", "no variable 'price'"),
        ("%tc_send {3} hi", "not a int"),
        ("%tc_send crew --markdown --html hi", "--markdown and --html cannot be given together"),
        ("%tc_send crew --mode bold hi", "--mode takes text, markdown or html"),
        ("%tc_send crew --timeout soon hi", "--timeout takes a number"),
        ("%tc_send crew --timeout 0 hi", "--timeout takes a number above 0, not '0'"),
        ("%tc_send crew --reply {3} hi", "--reply takes a message id or a message"),
        ("%tc_photo crew", "the file is missing. Usage: %tc_photo chat file [options] [caption]"),
        ("%tc_connect --people 3", "--people only goes with --practice"),
        ("%tc_connect --practice --people x", "--people takes a whole number"),
        ("%tc_history crew -n -5", "-n takes a whole number, 0 or more, not '-5'"),
        ("%tc_connect --practice host", "a server and --practice cannot be given together"),
        ("%tc_connect --practice --port 8080", "--port and --practice cannot be given together"),
        ("%tc_connect host --ca a.pem --no-verify", "--ca and --no-verify cannot be given together"),
        ("%tc_connect robot@host --username robot", "the login is given twice"),
        ("%tc_disconnect --all --as ops", "--all and --as cannot be given together"),
        ("%tc_df --as ''", "--as takes a name"),
        ("%tc_send crew hello --markdown", "the text ends in --markdown, and %tc_send takes options before the text"),
        ("%tc_send crew hello --markdown;", "the text ends in --markdown"),
        ("%tc_send crew it's done --html  ", "put -- before the text to keep it as it is"),
        ("%tc_send crew hello --reply {sent}", "the text ends in --reply {sent}"),
        ("%tc_send crew hello --reply=m1", "the text ends in --reply=m1"),
        ("%tc_send crew hello --reply", "the text ends in --reply"),
        ("%tc_send crew hello --as 'my ops'", "the text ends in --as 'my ops'"),
        ("%tc_send crew hello --markdown --reply m1", "the text ends in --markdown --reply m1"),
        ("%tc_send crew hello --timeout 5", "the text ends in --timeout 5"),
        ('%tc_send crew "hello" --markdown', "the text ends in --markdown"),
        ("%tc_photo crew a.png Burndown --markdown", "the caption ends in --markdown, and %tc_photo takes options"),
        ("%tc_file crew a.csv The table --reply {sent}", "the caption ends in --reply {sent}"),
        ("%tc_send crew {None}", "{None} is None, which is nothing to put here"),
        ("%tc_send crew {nothing}", "{nothing} is None, which is nothing to put here. Where the word itself is meant"),
        ("%tc_send crew $nothing", "$nothing is None"),
        ("%tc_send crew -- {nothing}", "{nothing} is None"),
        ('%tc_send crew "{nothing}"', "{nothing} is None"),
        ("%tc_send crew {nan}", "{nan} is nan"),
        ("%tc_send crew {nan:.2f}", "{nan} is nan"),
        ("%tc_send crew {row.NA}", "{row.NA} is <NA>"),
        ("%%tc_send crew -f\n\n{nothing}\n", "{nothing} is None"),
        ("%tc_send {nothing} hi", "{nothing} is None"),
        ("%tc_send crew --reply {nothing} hi", "{nothing} is None"),
        ("%tc_send crew --timeout {nothing} hi", "{nothing} is None"),
        ("%tc_photo crew {nothing}", "{nothing} is None"),
        ("%tc_photo crew a.png {nothing}", "{nothing} is None"),
        ("%tc_feed crew {nothing}", "{nothing} is None"),
        ("%tc_history crew --since {nothing}", "{nothing} is None"),
        ("%tc_sql {nothing}", "{nothing} is None"),
        ("%tc_connect {nothing}", "{nothing} is None"),
    ],
)
def test_usage_error(connected: Desk, cell: str, said: str) -> None:
    """A wrong line is one line of error that says what to do, and nothing is sent."""
    connected.names.update(nothing=None, nan=float("nan"), row=SimpleNamespace(NA=pd.NA))
    with pytest.raises(UsageError) as caught:
        connected.run(cell)
    assert said in str(caught.value)
    assert caught.value._render_traceback_() == [f"{type(caught.value).__name__}: {caught.value}"]
    assert "\n" not in str(caught.value)
    assert connected.session.calls == []


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ("%tc_send crew -- hello --markdown", "hello --markdown"),
        ("%tc_send crew hello -- --markdown", "hello -- --markdown"),
        ('%tc_send crew "hello --markdown"', "hello --markdown"),
        ("%tc_send crew run it with --markdown please", "run it with --markdown please"),
        ("%tc_send crew --reply is an option here too", None),
        ("%tc_send crew use --reply m1 for answers", "use --reply m1 for answers"),
        ("%tc_send crew see --markdown.", "see --markdown."),
        ("%tc_send crew what is --markdown?", "what is --markdown?"),
        ("%tc_send crew git push --force", "git push --force"),
        ("%tc_send crew well--html", "well--html"),
        ("%tc_send crew {words}", "hello --markdown"),
        ("%%tc_send crew\nhello --markdown", "hello --markdown"),
        ("%%tc_send crew -f\n{words} --html\n", "hello --markdown --html"),
        ("%tc_send crew {None!s}", "None"),
        ("%tc_send crew {None=}", "None=None"),
        ("%tc_send crew it is {None}", "it is None"),
        ("%tc_send crew {0}", "0"),
        ("%tc_send crew {[]}", "[]"),
        ("%%tc_send crew\n{None}", "{None}"),
    ],
)
def test_what_resembles_a_mistake_is_sent(connected: Desk, cell: str, text: str | None) -> None:
    """A text may have options in its middle or behind `--`, and the body of a cell anything."""
    connected.names["words"] = "hello --markdown"
    call = connected.sent(cell)
    assert call[2] == (text or "an option here too")
    assert "parse_mode" not in call[3]


def test_title_without_quotes(connected: Desk) -> None:
    """A chat named by the first word of its title gets the advice to quote it."""
    with pytest.raises(UnknownChatError, match=r"Did you mean 'Release crew'\? .*needs quotes: \"Release crew\""):
        connected.run("%tc_send Release crew hello")


@pytest.mark.parametrize(
    ("error", "kind", "said"),
    [
        (ApiErrorException(306, "no such chat"), ApiErrorException, "[306] no such chat"),
        (ConnectionResetError(104, "reset by peer"), WSConnectionError, "the connection failed: ConnectionResetError"),
        (ssl.SSLError("bad"), WSConnectionError, "the connection failed: SSLError"),
        (TimeoutError(), WSConnectionError, "TimeoutError"),
        (
            PermissionError(13, "Permission denied", "a.png"),
            FileMissingError,
            "'a.png' cannot be read: Permission denied",
        ),
    ],
)
def test_errors_have_names_of_tcnb(connected: Desk, error: Exception, kind: type[TcnbError], said: str) -> None:
    """No foreign error of files or networks leaves a magic."""
    connected.session.failure = error
    with pytest.raises(kind) as caught:
        connected.run("%tc_photo crew a.png")
    assert said in str(caught.value)


@pytest.mark.parametrize("error", [TypeError("a bug"), KeyboardInterrupt()])
def test_other_errors_pass(connected: Desk, error: BaseException) -> None:
    """Errors of programming keep their traceback, and the interrupt button its meaning."""
    connected.session.failure = error
    with pytest.raises(type(error)):
        connected.run("%tc_send crew hi")


def test_not_connected(desk: Desk) -> None:
    """Before %tc_connect every verb says what to run first."""
    with pytest.raises(NotConnectedError, match="run %tc_connect first"):
        desk.run("%tc_send crew hi")


def test_status_without_connection(desk: Desk) -> None:
    """Asking for the status before anything is connected is no error."""
    assert "not connected" in repr(desk.run("%tc_status"))


def test_status(connected: Desk) -> None:
    """The status is the session's; with several connections it is that of all."""
    assert connected.run("%tc_status") == "status of default"
    connected.run("%tc_connect other --as ops")
    assert repr(connected.run("%tc_status")) == "'status of default'\n'status of ops'"
    assert connected.run("%tc_status --as ops") == "status of ops"


@pytest.mark.parametrize(
    ("line", "request_"),
    [
        ("", {}),
        ("video.example.com", {"server": "video.example.com"}),
        ("robot@video.example.com", {"server": "video.example.com", "username": "robot"}),
        ("host --username robot --port 8443", {"server": "host", "username": "robot", "web_port": 8443}),
        ("host --http", {"server": "host", "https": False}),
        ("host --ca 'my ca.pem'", {"server": "host", "verify_ssl": "my ca.pem"}),
        ("host --no-verify", {"server": "host", "verify_ssl": False}),
        ("host --client-id app --timeout 3", {"server": "host", "client_id": "app", "timeout": 3.0}),
        ("--practice", {"practice": True}),
        (
            "--practice --people 3 --rate 0.5 --seed 7 --history 100",
            {"practice": {"people": 3, "rate": 0.5, "seed": 7, "history": 100}},
        ),
        ("{host} --username $who", {"server": "h.example.com", "username": "robot"}),
    ],
)
def test_connect_request(desk: Desk, line: str, request_: dict[str, Any]) -> None:
    """What %tc_connect is given goes to `tcnb.connect`, and nothing else."""
    desk.names.update(host="h.example.com", who="robot")
    desk.run(f"%tc_connect {line}")
    assert desk.session.request == request_


def test_connect_binds_tc(desk: Desk) -> None:
    """The session of the default connection is at hand as tc, a named one under its name."""
    desk.run("%tc_connect host")
    desk.run("%tc_connect other --as ops")
    assert desk.names["tc"] is desk.sessions[0]
    assert desk.names["ops"] is desk.sessions[1]


def test_connect_leaves_the_users_variables(desk: Desk) -> None:
    """A variable that is something else is not overwritten."""
    desk.names["tc"] = "mine"
    desk.run("%tc_connect host")
    assert desk.names["tc"] == "mine"


@pytest.mark.parametrize("name", ["my-ops", "class", "2nd"])
def test_connect_under_a_name_that_is_no_variable(desk: Desk, name: str) -> None:
    """A connection may have a name that no variable can have."""
    desk.run(f"%tc_connect host --as {name}")
    assert name not in desk.names
    assert desk.session.name == name


def test_connect_again_returns_the_living_session(desk: Desk) -> None:
    """The same line twice connects once."""
    first = desk.run("%tc_connect host")
    assert desk.run("%tc_connect host") is first
    assert desk.run("%tc_connect") is first


def test_connect_elsewhere_replaces(desk: Desk) -> None:
    """Another server under the same name closes the old connection, and tc follows."""
    first = desk.run("%tc_connect host")
    second = desk.run("%tc_connect other")
    assert (first.is_open, second.is_open) == (False, True)
    assert desk.names["tc"] is second


def test_connect_after_close(desk: Desk) -> None:
    """A connection that was closed is made again."""
    first = desk.run("%tc_connect host")
    first.close()
    with pytest.raises(NotConnectedError, match="run %tc_connect again"):
        desk.run("%tc_send crew hi")
    assert desk.run("%tc_connect host").is_open


def test_as_picks_a_connection(connected: Desk) -> None:
    """--as names the connection, without it the default one is meant."""
    connected.run("%tc_connect other --as ops")
    connected.run("%tc_send --as ops crew to ops")
    connected.run("%tc_send crew to default")
    assert [session.calls[0][2] for session in connected.sessions] == ["to default", "to ops"]


def test_several_and_none_is_default(desk: Desk) -> None:
    """Without a default connection the only one is meant; of several, nobody's message goes out by a guess."""
    desk.run("%tc_connect a --as one")
    assert desk.sent("%tc_send crew hi")
    desk.run("%tc_connect b --as two")
    with pytest.raises(NotConnectedError, match="say which is meant, --as one or --as two"):
        desk.run("%tc_send crew hi")
    assert desk.sent("%tc_send --as two crew hi")
    with pytest.raises(NotConnectedError, match="'three': there is one, two"):
        desk.run("%tc_send --as three crew hi")


def test_disconnect(connected: Desk) -> None:
    """%tc_disconnect closes the connection, and once more does nothing."""
    connected.run("%tc_disconnect")
    assert not connected.session.is_open
    assert connected.run("%tc_disconnect") is None
    with pytest.raises(NotConnectedError, match="no connection called 'ops'"):
        connected.run("%tc_disconnect --as ops")


def test_disconnect_all(connected: Desk) -> None:
    """--all closes every connection."""
    connected.run("%tc_connect other --as ops")
    connected.run("%tc_disconnect --all")
    assert not any(session.is_open for session in connected.sessions)


@pytest.mark.parametrize(
    "line",
    [
        "host --username robot --password hunter2",
        "robot:hunter2@host",
        "robot:hun/ter2@host",
        "https://robot:hunter2@host:8443",
        "host --username robot:hunter2",
        "--token hunter2 host",
        "robot:{pw}@host",
    ],
)
def test_secrets_are_refused(desk: Desk, line: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A secret on the line is refused before anything happens, and stands in no output."""
    with pytest.raises(SecretOnLineError) as caught:
        desk.run(f"%tc_connect {line}")
    assert desk.sessions == []
    shown = capsys.readouterr()
    assert "hunter2" not in f"{caught.value!r}{shown.out}{shown.err}"


def test_secret_from_a_variable_is_not_repeated(desk: Desk) -> None:
    """An address with a password in it is refused without being shown, wherever it comes from."""
    desk.names["url"] = "robot:hunter2@host"
    with pytest.raises(UsageError, match="give the server alone") as caught:
        desk.run("%tc_connect {url}")
    assert "hunter2" not in str(caught.value)
