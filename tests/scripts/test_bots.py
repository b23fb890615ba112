"""Bots that are written for the official client run unchanged but for their import lines, and say the same."""

from __future__ import annotations

import ast
import io
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image

from tests.scripts.stage import BOTS, PACKAGES, Stage, source

pytest.importorskip("trueconf")

Conversation = Callable[[Stage], None]


def echo(alice: Stage) -> None:
    """Talk to the echo."""
    alice.say("hello", answer="You says: **hello**")
    alice.say("<b>&amp;</b> * _", answer="&amp;")
    alice.say("привет 👋", answer="привет")


def menu(alice: Stage) -> None:
    """Go through the commands."""
    alice.say("/start", answer="by /start")
    alice.say("/help@robot", answer="by /help")
    alice.say("/echo <b>loud</b>", answer="loud")
    alice.say("/echo", answer="There is no /echo")
    alice.say("/SUM 1 2 3", answer="1 + 2 + 3 = 6")
    alice.say("/Start", answer="There is no /Start")
    alice.say("/sum one")
    alice.say("/fail")
    alice.say("/roll_20", answer="<i>20</i>")
    alice.say("/long", answer="that was long")
    alice.say("/nothing", answer="There is no /nothing")
    alice.say("short")
    alice.say("this is a rather long line", answer="26 characters")


def saver(alice: Stage) -> None:
    """Send files."""
    picture = io.BytesIO()
    Image.new("RGB", (64, 48), "teal").save(picture, "PNG")
    alice.send_photo(picture.getvalue(), "teal.png")
    alice.hear("picture teal.png")
    alice.send_document(b"line one\nline two\n" * 1000, "notes.txt")
    alice.hear("your file")
    alice.send_document(b"%PDF-1.4 and so on", "paper.pdf")
    alice.hear_file("note.txt")
    alice.say("/forget", answer="code 306, True")


def survey(alice: Stage) -> None:
    """Fill in the form, with mistakes."""
    alice.say("hello", answer="Send /survey.")
    alice.say("/survey", answer="What is your name?")
    alice.say("/where", answer="at Form:name, True, with {}")
    alice.say("/cancel", answer="Cancelled.")
    alice.say("/where", answer="at None, True, with {}")
    alice.say("/survey", answer="What is your name?")
    alice.say("/skip", answer="Then how old?")
    alice.say("old enough", answer="A number, please.")
    alice.say("42", answer="In which city?")
    alice.say("/where", answer="at Form.Address:city, True, with {'name': 'nobody', 'age': 42}")
    alice.say("Riga", answer="k7Qm2xZ0pd")
    alice.say("again", answer="Send /survey.")


def report(alice: Stage) -> None:
    """Write reports and press the buttons."""
    alice.say("/list", answer="0 open, 1 routers")
    alice.say("/report", answer="A <b>new</b> report")
    alice.say("the printer is on fire", answer="1 lines")
    alice.say("/list", answer="1 open, 2 routers")
    alice.press("Drop")
    alice.hear("Really drop?")
    alice.press("Send")
    alice.wait(lambda server: "Sent (r=1)" in str(alice.transcript_in(server)), "the report")
    alice.say("/list", answer="0 open, 1 routers")
    alice.say("nobody listens")


def desk(alice: Stage) -> None:
    """Order, be asked, be counted, and end the bot by a command."""
    alice.say("/order", answer="ordered by True")
    alice.say("/ask", answer="the desk asks: which colour?")
    alice.say("green", answer="so green")
    alice.say("spam")
    said = alice.say("how many?", answer="5 messages")
    content = {"text": "how much?", "parseMode": "text"}
    alice.act(lambda server, me: server.world.edit(me, said, server.world.message(me, said).type, content))
    alice.hear("edited: how much?")
    alice.act(lambda server, me: server.world.remove_message(me, said, for_all=True))
    alice.hear("removed")
    alice.say("/room", answer="in it: True")
    alice.say("/stop", answer="good bye")
    assert alice.process.wait(30) == 0


def team(alice: Stage) -> None:
    """Greet all parts of a bot, and give commands that are none."""
    alice.say("hello", answer="three")
    alice.say("count", answer="second: 1")
    alice.say("count again", answer="second: 2")
    alice.say("/ping", answer="pong")
    alice.say("/lost", answer="refused with 306, True")
    alice.say(" /ping")
    alice.say("done", answer="all heard")


def game(alice: Stage) -> None:
    """Play on buttons that look alike."""
    alice.say("/invite", answer="True, ['chat_id', 'message_id', 'timestamp']")
    alice.say("/play", answer="your turn")
    alice.press_at(1, 1)
    alice.hear("O...X....")
    alice.press_at(2, 0)
    alice.hear("OO..X.X..")


def parcel(alice: Stage) -> None:
    """Share contacts, forward what was forwarded, and send a card."""
    said = alice.say("deepest", answer="a text in ['buttons', 'parse_mode', 'text']")
    once = alice.forward(said)
    alice.hear("forwarded 200: deepest, (True, True)")
    alice.forward(once)
    alice.hear("forwarded 201: deepest, (True, True)")
    alice.say('<a href="trueconf:bob@practice.local">Somebody</a>', mode="html", answer="bob@practice.local is Боб")
    alice.say('ask <a href="trueconf:bob@practice.local">Bob</a>', mode="html", answer="a text in")
    alice.send_document(b"BEGIN:VCARD\nVERSION:3.0\nN:D\\;oe;John\\\\;;;\nEND:VCARD\n", "john.vcf")
    alice.hear("card of 'John")
    alice.send_document(b"%PDF-1.4", "paper.pdf")
    alice.hear("a file of 8 bytes")


CONVERSATIONS: dict[str, Conversation] = {
    conversation.__name__: conversation
    for conversation in (echo, menu, saver, survey, report, desk, team, game, parcel)
}


FAILING = {"menu": ["on_sum", "on_fail"]}
"""Handlers that fail in a conversation, in order: only these are written about."""

PRINTED = {"desk": "authorized\ndisconnected\n"}
"""What bots print themselves."""


@pytest.fixture
def stages(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[dict[str, Stage]]:
    """The same bot twice, each on a server of its own: for the official client, and for ours."""
    stages = {package: Stage(request.param, package, tmp_path) for package in PACKAGES}
    yield stages
    for stage in stages.values():
        stage.close()


@pytest.mark.parametrize(("stages", "bot"), [(bot, bot) for bot in CONVERSATIONS], indirect=["stages"])
def test_bot_says_the_same(stages: dict[str, Stage], bot: str) -> None:
    """In the same conversation a bot says the same under both packages; ours writes of failures and nothing else."""
    for stage in stages.values():
        stage.ready()
        CONVERSATIONS[bot](stage)
        assert stage.end() == 0, stage.printed()
    theirs, ours = (stages[package].transcript() for package in PACKAGES)
    for said_there, said_here in zip(theirs, ours, strict=True):
        for there, here in zip(said_there, said_here, strict=False):
            assert here == there
        assert len(said_here) == len(said_there)
    printed = stages["tcnb"].printed()
    assert re.findall(r"^(\w+) failed:$", printed, re.MULTILINE) == FAILING.get(bot, [])
    assert FAILING.get(bot) or printed == PRINTED.get(bot, "")


@pytest.mark.parametrize("bot", CONVERSATIONS)
def test_only_import_lines_differ(bot: str) -> None:
    """The two forms of a bot differ in import lines alone, and in these by the name of the package."""
    theirs, ours = (source(bot, package).splitlines() for package in PACKAGES)
    differing = [(their, our) for their, our in zip(theirs, ours, strict=True) if their != our]
    assert differing
    for their, our in differing:
        assert re.match(r"\s*from trueconf\b", their) and our == their.replace("trueconf", "tcnb", 1)


def test_every_bot_is_talked_to() -> None:
    """No bot lies about without a conversation."""
    assert {path.stem for path in BOTS.glob("*.py")} == set(CONVERSATIONS)
    for path in BOTS.glob("*.py"):
        assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
