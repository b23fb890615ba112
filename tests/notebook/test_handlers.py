"""`%tc_handlers` and `%%tc_on` in a real shell, with a router that is fed with frames instead of a session's."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from typing import Any

import pytest
from desk import Desk
from test_completion import completed

from tcnb.errors import CellSyntaxError, NotConnectedError, UnknownChatError, UsageError
from tests.routing.conftest import Post, Seen


@pytest.fixture
def post(connected: Desk) -> Iterator[Post]:
    """The router of the connection `default`, and what feeds it."""
    post = Post()
    connected.session.router = post.router  # type: ignore[attr-defined]
    connected.names["seen"] = Seen()
    yield post
    asyncio.run(post.delivery.close(0.1))


def test_body_is_a_handler(connected: Desk, post: Post) -> None:
    """A cell's body runs for each fitting message, which it sees as `message`, with the variables of the notebook."""
    connected.names["words"] = ["hello"]
    connected.run('%%tc_on message --chat "c1"\nwords.append(message.text)\nseen.note([w for w in words if message])\n')
    post.say("you", chat="c1")
    post.say("others", chat="c2")
    assert connected.names["seen"].next() == ["hello", "you"]
    assert connected.names["words"] == ["hello", "you"]


def test_body_may_await(connected: Desk, post: Post) -> None:
    """A body that awaits runs as a coroutine, and one with `return` ends there."""
    connected.run(
        "%%tc_on message\nimport asyncio\nif message.text == 'stop':\n    seen.note('stopped')\n    return\n"
        "await asyncio.sleep(0)\nseen.note(message.text)\n"
    )
    post.say("stop")
    post.say("go")
    assert connected.names["seen"].take(2) == ["stopped", "go"]


def test_one_line(connected: Desk, post: Post) -> None:
    """Short code stands on the line, as it is written."""
    connected.run("%tc_on message --command ping seen.note({'pong': command.args, 'cost': '$5'})")
    post.say("/ping me")
    assert connected.names["seen"].next() == {"pong": "me", "cost": "$5"}


def test_pattern_is_taken_as_it_stands(connected: Desk, post: Post) -> None:
    """Braces and dollars of a pattern are not expanded, and the code sees the match."""
    connected.run('%%tc_on message --pattern "^build (\\d{2})$"\nseen.note(match[1])\n')
    for text in ("build 7", "build 42", "build 421"):
        post.say(text)
    post.settle()
    assert connected.names["seen"].next() == "42"
    assert connected.names["seen"].is_empty


def test_options_become_conditions(connected: Desk, post: Post) -> None:
    """Each option is the keyword of the decorator, and values expand as on any line."""
    connected.names["chat"] = "Release crew"
    handler = connected.run("%%tc_on message --chat {chat} --sender alice --text 'go on' --content text\npass\n")
    assert handler.filters == ("chat='Release crew'", "sender='alice'", "text='go on'", "content=plain_message")


@pytest.mark.parametrize(
    ("line", "kind", "said"),
    [
        ('--chat "Relase crew"', UnknownChatError, "Did you mean 'Release crew'?"),
        ("--sender alcie", UnknownChatError, "no account is called 'alcie'"),
        ('--sender "Alice Doe"', UsageError, "write sender='alice'"),
    ],
)
def test_names_that_do_not_do(
    connected: Desk, tc: Any, alice: Any, line: str, kind: type[UsageError], said: str
) -> None:
    """A chat or a person that nobody is ends the cell with one line, and there is no handler."""
    connected.session.router = tc.router  # type: ignore[attr-defined]
    alice.group("Release crew", "robot")
    tc.send("alice", "hello")
    with pytest.raises(kind, match=re.escape(said)):
        connected.run(f"%%tc_on message {line}\npass\n")
    assert tc.router.handlers == []
    connected.run(f"%%tc_on message --chat '#c_{tc.known_chats()[0][1]}@practice.local' --sender ALICE\npass\n")
    assert len(tc.router.handlers) == 1


def test_same_options_replace(connected: Desk, post: Post) -> None:
    """Running the cell again, also with other code, replaces the handler; other options make another one."""
    for options in ("--chat crew --text build", "--chat crew --text test", "--name mine"):
        for code in ("seen.note('old')", "seen.note('old')", "seen.note('new')"):
            connected.run(f"%%tc_on message {options}\n{code}\n")
    assert [handler.name for handler in post.router.handlers] == [
        "on_message_crew_build",
        "on_message_crew_test",
        "mine",
    ]
    post.say("else")
    assert connected.names["seen"].next() == "new"


def test_assignments_stay_inside(connected: Desk, post: Post) -> None:
    """What a body assigns changes no variable of the notebook unless it says so."""
    connected.names.update(mine=1, shared=1)
    connected.run("%%tc_on message\nglobal shared\nmine = shared = message.text\nseen.note(0)\n")
    post.say("changed")
    connected.names["seen"].next()
    assert (connected.names["mine"], connected.names["shared"]) == (1, "changed")


def test_magics_inside(connected: Desk, post: Post) -> None:
    """A body may use magics, which see the message."""
    connected.run("%%tc_on message\nsent = %tc_send crew You said {message.text}\nseen.note(sent.message_id)\n")
    post.say("hello")
    connected.names["seen"].next()
    assert connected.session.calls[-1] == ("send", "crew", "You said hello", {})


def test_traceback_shows_the_code(connected: Desk, post: Post) -> None:
    """A failure of a body shows the line that failed."""
    connected.run("%%tc_on message --name divide\nnumber = 0\nprint(1 / number)\n")
    post.say("hello")
    post.settle()
    (failure,) = post.router.failures
    assert "line 2, in divide\n    print(1 / number)" in failure.traceback


def test_handlers_are_a_frame(connected: Desk, post: Post) -> None:
    """One row a handler, with what it is for and how it fared."""
    assert connected.run("%tc_handlers").empty
    connected.run("%%tc_on message --text a --name first\nprint('hello', message.text)\n")
    connected.run("%%tc_on message --name second\n1 / 0\n")
    for text in ("a", "b", "a"):
        post.say(text)
    post.settle()
    shown = connected.run("%tc_handlers")
    assert shown["name"].tolist() == ["first", "second"]
    assert shown["filters"].tolist() == ["text='a'", ""]
    assert shown[["calls", "failures"]].to_numpy().tolist() == [[2, 0], [1, 1]]
    assert shown["output"].tolist() == ["hello a\n", ""]
    assert shown["last_error"].fillna("").tolist() == ["", "ZeroDivisionError: division by zero"]
    assert dict(shown.dtypes.astype(str)) == {
        **dict.fromkeys(["name", "event", "filters", "router", "last_error", "output"], "string"),
        "paused": "boolean",
        "calls": "Int64",
        "failures": "Int64",
    }


def test_pausing_resuming_removing(connected: Desk, post: Post) -> None:
    """The line pauses, resumes and removes by name, and returns what there is then."""
    connected.run("handler = %tc_on message --name it seen.note(message.text)")
    assert connected.run("%tc_handlers --pause it")["paused"].tolist() == [True]
    post.say("paused")
    assert connected.run("%tc_handlers --resume {handler}")["paused"].tolist() == [False]
    post.say("resumed")
    assert connected.names["seen"].next() == "resumed"
    assert connected.run("%tc_handlers --remove it").empty


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("%%tc_on massage\npass", "Did you mean message?"),
        ("%%tc_on message\n\n", "there is no code to run"),
        ("%tc_on message --text x", "there is no code to run"),
        ("%%tc_on\npass", "the event is missing"),
        ("%%tc_on message --content picture\npass", "photo"),
        ("%%tc_on message --pattern [\npass", "regular expression"),
        ("%%tc_on message --text a --pattern b\npass", "--text and --pattern"),
        ("%%tc_on uploading_progress --chat crew\npass", "conditions: none"),
        ("%%tc_on message --chta crew\npass", "did you mean --chat"),
        ("%tc_handlers --pause nothing", "there are none"),
        ("%tc_handlers on_build", "is more than this takes"),
        ("%%tc_on message\nmessage.reply('x')", "write await message"),
    ],
)
def test_mistakes_are_one_line(connected: Desk, post: Post, cell: str, said: str) -> None:
    """What cannot be meant is an error that says what can, and defines nothing."""
    with pytest.raises(UsageError, match=said):
        connected.run(cell)
    assert not post.router.handlers


@pytest.mark.parametrize("code", ["if message", "await = 3", "return return"])
def test_what_is_no_python_is_a_syntax_error(connected: Desk, post: Post, code: str) -> None:
    """Broken code is refused when the cell is run, not when a message comes, and shown as that of any cell is."""
    with pytest.raises(CellSyntaxError) as error:
        connected.run(f"%%tc_on message\n{code}\n")
    assert not post.router.handlers
    place, line, *_, said = error.value._render_traceback_()
    assert place == '  File "<tc_on on_message>", line 1'
    assert line.strip() == code
    assert said.startswith("SyntaxError: ")


def test_without_a_connection(desk: Desk) -> None:
    """Before anything is connected one line says so."""
    for cell in ("%tc_handlers", "%%tc_on message\npass"):
        with pytest.raises(NotConnectedError, match="%tc_connect"):
            desk.run(cell)


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("%%tc_on mess|", ["%%tc_on message", "%%tc_on edited_message", "%%tc_on removed_message"]),
        ("%%tc_on message --chat Rel|", ['%%tc_on message --chat "Release crew"']),
        ("%%tc_on message --sender bo|", ["%%tc_on message --sender bob"]),
        ("%%tc_on message --content pho|", ["%%tc_on message --content photo"]),
        ("%tc_handlers --pause o|", ["%tc_handlers --pause on_message"]),
        ("%tc_handlers --re|", ["%tc_handlers --resume", "%tc_handlers --remove"]),
    ],
)
def test_completion(connected: Desk, post: Post, line: str, offered: list[str]) -> None:
    """Events, chats, people, kinds of content and handlers are offered where they belong."""
    connected.run("%tc_on message pass")
    found = completed(connected, line)
    assert set(offered) <= set(found)
