"""What README.md and the pages of docs/ show in Python and SQL works as it is written: each block is run, in the order
of its page, in a shell, against a practice server. What a page needs for that stands in one table, `PAGES`.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import functools
import http.server
import io
import json
import os
import re
import shlex
import signal
import sqlite3
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from IPython.core.interactiveshell import InteractiveShell
from PIL import Image
from traitlets.config import Config

import tcnb
from tcnb.practice import Options, PracticeServer, PracticeThread
from tcnb.practice.administration import administer
from tcnb.session.session import _sessions
from tcnb.session.waiting import Waiters
from tests.conftest import PATIENCE

ROOT = Path(__file__).parents[1]
CREW = "Release crew"
SERVER = "video.example.com"
PICTURE = "https://example.com/picture.jpg"

RUN = ("python", "sql")
"""Blocks of these languages are run. The others show the form of a line, a shell, an error, or what is in a file."""

LOADED = "%load_ext tcnb\n"
CONNECTED = f'{LOADED}import tcnb\ntc = tcnb.connect("{SERVER}", username="robot")\n'
READ = f'{CONNECTED}tc.history("{CREW}", 100)\n'

VALUES = """
import datetime
import matplotlib.pyplot as plt
builds, day, df = {42: "passed"}, datetime.date(2026, 1, 1), tc.df
fig, axes = plt.subplots()
axes.plot([5, 3, 8])
"""

BROKEN = """
import threading
failed = threading.Event()
tc.on_failure(lambda failure: failed.set())

@tc.router.message(text="break")
async def on_break(message):
    raise ValueError("it broke")

alice.say("break")
assert failed.wait(30)
"""


@dataclass(frozen=True)
class Around:
    """What happens around one block.

    Attributes:
        before: a cell that is run first, with what the page leaves to its reader; `alice` can say something in it.
        changes: what stands in the block, and what is run in its place.
        heard: what Alice says to the crew, a line whenever somebody begins to wait for a message.
        pressed: the button that Alice presses when somebody has begun to wait.
        talk: what Alice says to the crew when the block has been run, and what the bot answers.
        interrupted: whether the interrupt button is pressed as soon as the bot is logged in.
    """

    before: str = ""
    changes: Mapping[str, str] = field(default_factory=dict)
    heard: Sequence[str] = ()
    pressed: str | None = None
    talk: Mapping[str, str] = field(default_factory=dict)
    interrupted: bool = False


@dataclass(frozen=True)
class Page:
    """What one page needs.

    Attributes:
        before: a cell that is run before the first block.
        files: which of `FILES` are in the working folder.
        around: by a piece of text that stands in one block alone, what happens around that block.
        failures: the handlers that fail.
        is_real: whether `practice=True` starts a server of its own, instead of leading to that of the test.
    """

    before: str = CONNECTED
    files: Sequence[str] = ()
    around: Mapping[str, Around] = field(default_factory=dict)
    failures: Sequence[str] = ()
    is_real: bool = False


PAGES = {
    "README.md": Page(
        before="",
        files=["party.webp", "Q3 plan.pdf", "result.json"],
        around={
            "tc.wait_for(": Around(heard=["Who deploys?"]),
            "def on_question": Around(talk={"how is the build?": "All green."}),
        },
    ),
    "docs/analysis.md": Page(before=READ + 'tc.export("archive")'),
    "docs/archives.md": Page(
        before=READ,
        files=["result.json", "export.zip", "general.json"],
        # Spark takes many seconds to start; tests/archive opens archives with it, too.
        around={'engine="spark"': Around(changes={'tcnb.scan("archive", engine="spark")': "..."})},
    ),
    "docs/bots.md": Page(
        before=LOADED,
        around={
            # Here the block makes the bot for the cells below; as a script it is run by a test of its own.
            "Bot.from_credentials(": Around(changes={"asyncio.run(bot.run())": "..."}),
            "await bot.run()": Around(interrupted=True),
            "f.Mention(": Around(before=CONNECTED),
            "ChatActivitySender": Around(changes={"sleep(5,": "sleep(0,"}),
        },
    ),
    "docs/composer.md": Page(before=READ),
    "docs/data.md": Page(before=READ),
    "docs/feed.md": Page(),
    "docs/handlers.md": Page(
        before=LOADED,
        around={
            "def on_build": Around(talk={"build 41": "build 41 passed"}),
            "%%tc_on message": Around(talk={"build 42": "build 42 passed"}),
            "tc.router.failures[-1]": Around(before=BROKEN),
            "def on_deploy": Around(heard=["4.2"], talk={"/deploy": "deploying 4.2"}),
            "class Form": Around(talk={"/form": "What is your name?", "Ann": "How old are you?", "42": "Ann is 42"}),
            "def start(": Around(talk={"/start": "Welcome!"}),
            "tc.router.suggestion(": Around(heard=["Is anybody there?"]),
            "text='how is the build?'": Around(talk={"how is the build?": "…"}),
        },
        failures=["on_break"],
    ),
    "docs/journal.md": Page(before="import tcnb"),
    "docs/magics.md": Page(
        before="",
        files=["plots/burndown.png", "my plot.png", "picture.jpg", "stickers/thumbs_up.webp"],
        around={
            # The path is one of Windows, and elsewhere no name that a server takes.
            "{fig} --markdown": Around(before=VALUES, changes={r"C:\Users\robot\my plot.png": "my plot.png"}),
            # A message that was taken back cannot be answered further below.
            "tc.edit_message(": Around(
                changes={"tc.remove_message(sent": 'tc.remove_message(tc.send("Release crew", "Oops")'}
            ),
            "builds[int(match[1])]": Around(talk={"build 42": "build 42: passed"}),
        },
    ),
    "docs/practice.md": Page(before=LOADED, around={'"port": 8080': Around(changes={"8080": "0"})}, is_real=True),
    "docs/python.md": Page(
        before="import tcnb",
        around={
            "BufferedInputFile(table": Around(before=READ, pressed="Deploy"),
        },
    ),
    "docs/reconnecting.md": Page(),
}


# -- files that pages name ---------------------------------------------------------------------------------------------


def picture(kind: str) -> bytes:
    """Draw a small picture."""
    data = io.BytesIO()
    Image.new("RGB", (64, 48), "teal").save(data, kind)
    return data.getvalue()


def telegram() -> bytes:
    """Write what Telegram Desktop exports of a chat in which somebody answers."""
    said = [
        {"id": number, "type": "message", "date_unixtime": str(1767000000 + 60 * number), "text": f"Message {number}"}
        | {"from": name, "from_id": f"user{number}"}
        for number, name in enumerate(["Alice", "Bob"], 1)
    ]
    return json.dumps({"name": CREW, "type": "private_group", "id": 1, "messages": said}).encode()


def slack() -> bytes:
    """Write what Slack exports: a ZIP file with people, channels, and a file a day."""
    files: dict[str, Any] = {
        "users.json": [{"id": "U1", "name": "alice", "real_name": "Alice"}],
        "channels.json": [{"id": "C1", "name": "crew", "members": ["U1"]}],
        "crew/2025-12-29.json": [{"type": "message", "user": "U1", "text": "Hello", "ts": "1767000000.000100"}],
    }
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, json.dumps(content))
    return data.getvalue()


def discord() -> bytes:
    """Write what DiscordChatExporter does of a channel."""
    author = {"id": "7", "name": "alice", "nickname": "Alice", "isBot": False}
    said = {"id": "1", "type": "Default", "timestamp": "2025-12-29T09:20:00+00:00", "content": "Hi", "author": author}
    channel = {"id": "9", "type": "GuildTextChat", "name": "general"}
    return json.dumps({"guild": {"id": "5", "name": "Us"}, "channel": channel, "messages": [said]}).encode()


FILES: dict[str, Callable[[], bytes]] = {
    "Q3 plan.pdf": lambda: b"%PDF-1.4 and so on",
    "export.zip": slack,
    "general.json": discord,
    "result.json": telegram,
    ".jpg": lambda: picture("JPEG"),
    ".png": lambda: picture("PNG"),
    ".webp": lambda: picture("WEBP"),
}
"""How the files that pages name are made, by name or by ending."""


def make(name: str) -> None:
    """Make a file in the working folder."""
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes((FILES.get(name) or FILES[path.suffix])())


# -- blocks ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Block:
    """A block of code, and the line of the page on which it begins."""

    line: int
    code: str


def text_of(page: str) -> str:
    """Return what a page says."""
    return (ROOT / page).read_text(encoding="utf-8")


def blocks(page: str, languages: Sequence[str] = RUN) -> list[Block]:
    """Return the blocks of a page that are run, or those of other languages."""
    text = text_of(page)
    found = re.finditer(r"^```(\w*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return [Block(text.count("\n", 0, each.start(2)) + 1, each[2]) for each in found if each[1] in languages]


def pages() -> list[str]:
    """Return the pages with blocks that are run."""
    written = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    return [page for path in written if blocks(page := path.relative_to(ROOT).as_posix())]


def test_table_is_about_the_blocks_there_are() -> None:
    """Every page with blocks has its place in the table; each entry is about one block, and changes what is in it."""
    assert list(PAGES) == pages()
    for name, page in PAGES.items():
        for piece, around in page.around.items():
            meant = [block.code for block in blocks(name) if piece in block.code]
            assert len(meant) == 1, f"{piece!r} is in {len(meant)} blocks of {name}"
            assert all(old in meant[0] for old in around.changes), f"{piece!r} in {name}"


# -- where they are run ------------------------------------------------------------------------------------------------


class Alice:
    """A colleague on the practice server who talks to the crew, and hears what the bot says there."""

    def __init__(self, practice: PracticeThread) -> None:
        self._practice = practice

    def say(self, text: str) -> None:
        """Write to the crew."""
        self._practice.call(lambda server: administer(server, "say", {"author": "alice", "chat": CREW, "text": text}))

    def press(self, label: str) -> None:
        """Press a button of the last message of the bot that has one of that label."""

        def press(server: PracticeServer) -> None:
            world = server.world
            offered = [message for message in world.messages.values() if f"'{label}'" in str(message.content)]
            world.press(world.user(f"alice@{world.domain}"), offered[-1].message_id, label)
            server.deliver()

        self._practice.call(press)

    def talk(self, text: str, answer: str) -> None:
        """Write to the crew, and wait until the bot has answered."""
        before = self._practice.call(lambda server: len(_answers(server, answer)))
        self.say(text)
        self._wait(lambda server: len(_answers(server, answer)) > before, f"the answer {answer!r} to {text!r}")

    def wait_for_bot(self) -> None:
        """Wait until the bot is logged in; a process of its own needs some time for that."""
        self._wait(lambda server: server.sessions_of("robot"), "the bot", 2 * PATIENCE)

    def _wait(self, condition: Callable[[PracticeServer], Any], what: str, patience: float = PATIENCE) -> None:
        server = self._practice.server
        try:
            self._practice.run(server.until(lambda: condition(server)), patience)
        except TimeoutError:
            raise AssertionError(f"waited in vain for {what}") from None


def _answers(server: PracticeServer, text: str) -> list[Any]:
    """Return the messages of the bot in the crew's chat with a text."""
    said = [message for message in server.world.messages.values() if message.chat.title == CREW]
    return [one for one in said if one.author_id.startswith("robot@") and one.content.get("text") == text]


@pytest.fixture
def practice(monkeypatch: pytest.MonkeyPatch) -> Iterator[PracticeThread]:
    """A practice server with a past, on which nobody says anything but what a test has them say."""
    with PracticeThread(domain=SERVER, people=6, rate=0, history=100) as thread:
        monkeypatch.setenv("TRUECONF_SERVER", thread.url)
        monkeypatch.setenv("TRUECONF_USERNAME", "robot")
        monkeypatch.setenv("TRUECONF_PASSWORD", "robot")
        yield thread


@pytest.fixture
def alice(practice: PracticeThread) -> Alice:
    """A colleague."""
    return Alice(practice)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder."""
    (folder := tmp_path / "work").mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def web(folder: Path) -> Iterator[str]:
    """The address of a web server with the files of the working folder."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            """Write nothing to standard error."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def shell(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[InteractiveShell]:
    """A shell in which nothing was run yet; sessions that were opened in it are closed."""
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    config = Config()
    config.HistoryManager.hist_file = ":memory:"
    config.HistoryManager.enabled = False
    config.InteractiveShell.ast_node_interactivity = "all"  # every value of a block is shown, not the last one alone
    older = set(_sessions)
    shell = InteractiveShell.instance(config=config)
    yield shell
    for session in set(_sessions) - older:
        session.close()
    atexit.unregister(shell.atexit_operations)
    shell.atexit_operations()
    InteractiveShell.clear_instance()


class Stage:
    """A shell, a practice server and a colleague, with which blocks are run."""

    def __init__(self, shell: InteractiveShell, practice: PracticeThread, alice: Alice, web: str) -> None:
        self.shell = shell
        self._practice = practice
        self._alice = alice
        self._web = web
        shell.push({"alice": alice})

    def run(self, code: str) -> None:
        """Run a cell, with the addresses of the test in place of those that pages name."""
        self.shell.run_cell(self.local(code), store_history=True).raise_error()

    def local(self, code: str) -> str:
        """Put the addresses of the test in place of those that pages name; `alice@…` is a person, and stays."""
        code = code.replace(PICTURE, f"{self._web}/picture.jpg")
        return re.sub(rf"(?<!alice@)\b{re.escape(SERVER)}", self._practice.url, code)

    def play(self, block: Block, around: Around, patch: pytest.MonkeyPatch) -> None:
        """Run a block, with all that happens around it."""
        if around.before:
            self.run(around.before)
        code = block.code
        for old, new in around.changes.items():
            code = code.replace(old, new)
        deeds = [functools.partial(self._alice.say, text) for text in around.heard]
        if around.pressed is not None:
            deeds.append(functools.partial(self._alice.press, around.pressed))
        with patch.context() as patched:
            self._let_be_noticed(deeds, patched)
            if around.interrupted:
                threading.Thread(target=self._interrupt).start()
            self.run(code)
            for text, answer in around.talk.items():
                self._alice.talk(text, answer)

    @staticmethod
    def _let_be_noticed(deeds: list[Callable[[], None]], patch: pytest.MonkeyPatch) -> None:
        """Have one thing done whenever somebody has begun to wait: what is done before is not noticed."""
        wait = Waiters.wait

        async def waiting(waiters: Waiters, *args: Any, **options: Any) -> Any:
            noticed = asyncio.ensure_future(wait(waiters, *args, **options))
            await asyncio.sleep(0)
            if deeds:
                deeds.pop(0)()
            return await noticed

        patch.setattr(Waiters, "wait", waiting)

    def _interrupt(self) -> None:
        self._alice.wait_for_bot()
        os.kill(os.getpid(), signal.SIGINT)


@pytest.fixture
def stage(practice: PracticeThread, alice: Alice, web: str, shell: InteractiveShell) -> Stage:
    """All that is needed to run blocks; the server, which is there first, goes last."""
    return Stage(shell, practice, alice, web)


# -- the tests ---------------------------------------------------------------------------------------------------------


class OurServer:
    """Stands in for the process that `practice=True` starts: it leads to the practice server of the test."""

    def __init__(self, practice: PracticeThread) -> None:
        self.host, self.port = "127.0.0.1", practice.port
        self.url = f"http://{self.host}:{self.port}"

    def stop(self) -> None:
        """Leave the server to the test."""


@pytest.mark.parametrize("name", PAGES)
def test_blocks_of_the_page_run(
    name: str, stage: Stage, practice: PracticeThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All blocks run, in order, in one namespace; no handler fails but those that are meant to."""

    def start_process(**options: Any) -> OurServer:
        Options(**options)
        return OurServer(practice)

    page = PAGES[name]
    if not page.is_real:
        monkeypatch.setattr("tcnb.practice.start_process", start_process)
    for file in page.files:
        make(file)
    older, opened = set(_sessions), set()
    stage.run(page.before)
    for block in blocks(name):
        around = next((around for piece, around in page.around.items() if piece in block.code), Around())
        try:
            stage.play(block, around, monkeypatch)
        except BaseException as error:
            error.add_note(f"{name}, line {block.line}:\n{block.code}")
            raise
        # One that a block puts another in the place of is closed, and belongs to the page all the same.
        opened |= set(_sessions) - older
    failures = [failure for session in opened for failure in session.router.failures]
    assert [failure.handler for failure in failures] == list(page.failures)


def test_script_runs(alice: Alice, stage: Stage, folder: Path) -> None:
    """The script of the page about bots answers, and ends in order when it is interrupted."""
    (block,) = [block for block in blocks("docs/bots.md") if "asyncio.run(bot.run())" in block.code]
    (folder / "bot.py").write_text(stage.local(block.code), encoding="utf-8")
    paths = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    environment = {**os.environ, "PYTHONPATH": paths}
    with subprocess.Popen([sys.executable, "bot.py"], env=environment, stderr=subprocess.PIPE) as process:
        try:
            alice.wait_for_bot()
            alice.talk("hello", "You say: **hello**")
            process.send_signal(signal.SIGINT)
            said = process.communicate(timeout=PATIENCE)[1]
        finally:
            process.kill()
    assert (process.returncode, said) == (0, b"")


ERRORS = {
    "README.md": ['%tc_send "Relaese crew" Build 42 passed'],
    "docs/magics.md": [
        '%tc_send "Release crew" Build 42 passed in {sconds:.1f} s',
        "%tc_send Release crew Build 42 passed",
        '%tc_send "Release crew" --markdwon Build **42** passed',
        "%tc_disconnect\n%tc_send alice Will you?",
    ],
}
"""Lines with a mistake, whose errors the pages show in this order."""


@pytest.mark.parametrize("name", ERRORS)
def test_errors_are_as_shown(name: str, stage: Stage) -> None:
    """A mistake is told in the very words of the page."""
    stage.run(CONNECTED)
    shown = [line for block in blocks(name, [""]) for line in block.code.splitlines() if re.match(r"\w+Error: ", line)]
    said = []
    for line in ERRORS[name]:
        with pytest.raises(tcnb.errors.TcnbError) as caught:
            stage.run(line)
        said.append(f"{caught.type.__name__}: {caught.value}")
    assert said == shown


def rows(page: str, heading: str) -> list[list[str]]:
    """Return the cells of the rows of a table that has this heading."""
    table = text_of(page).partition(f"{heading}\n")[2].partition("\n\n")[0]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", row)[1:-1]] for row in table.splitlines()[1:]]


def test_texts_of_lines_are_as_shown(stage: Stage, practice: PracticeThread) -> None:
    """What a line sends is what the page about magics says."""
    title = "crew"
    practice.call(lambda server: server.world.create_group(server.world.account("robot"), title))
    stage.run(CONNECTED)
    for line, text in rows("docs/magics.md", "| written | sent |"):
        stage.run(line.strip("`"))
        assert f"`{stage.shell.user_ns['tc'].messages['text'].iloc[-1]}`" == text


def test_markup_of_texts_is_as_shown() -> None:
    """What pieces of a text become in HTML and in Markdown is what the page about bots says."""
    for piece, html, markdown in rows("docs/bots.md", "| piece | HTML | Markdown |"):
        text = eval(f"formatting.{piece.strip('`')}", {"formatting": tcnb.formatting})
        assert f"`{text.as_html()}`" == html
        lines = {"> x\n\n": "`> x` and an empty line", "\n": "a new line"}
        assert markdown.startswith(lines.get(text.as_markdown(), f"`{text.as_markdown()}`"))


def test_replay_file_is_played(tmp_path: Path) -> None:
    """Whoever connects gets the notifications of the file that the page about the practice server shows."""
    (block,) = blocks("docs/practice.md", ["json"])
    (file := tmp_path / "replay.jsonl").write_text(block.code, encoding="utf-8")
    with (
        PracticeThread(replay=file) as practice,
        tcnb.connect(practice.url, username="robot", password="robot", journal=None) as tc,
    ):
        tc.wait_for("removed_chat", timeout=PATIENCE)
        assert tc.df["event"].tolist()[-2:] == ["message", "removed_chat"]


def test_orders_of_faults_are_taken() -> None:
    """What the page about the practice server has curl send is understood."""
    console = "".join(block.code for block in blocks("docs/practice.md", ["console"]))
    orders = [shlex.split(line) for line in re.findall(r"^\$ curl (.*)$", console, re.MULTILINE)]
    assert orders
    with PracticeThread(faults=True) as practice:
        for *options, address in orders:
            said = options[options.index("-d") + 1] if "-d" in options else ""
            answer = httpx.post(address.replace("http://127.0.0.1:8080", practice.url), content=said)
            assert answer.status_code == 200, (address, answer.text)
            assert set(answer.json()) == {"result"}


def test_journal_can_be_asked(practice: PracticeThread, folder: Path) -> None:
    """The query of the page about the journal tells the texts that came, and its table has the columns there are."""
    query = re.search(r'^sqlite3 \S+ "(.*)"$', text_of("docs/journal.md"), re.MULTILINE)
    assert query is not None
    with tcnb.connect(practice.url, username="robot", journal="journal.sqlite") as tc:
        tc.send(CREW, "Build 42 passed")
    with contextlib.closing(sqlite3.connect("journal.sqlite")) as journal:
        assert ("Build 42 passed",) in journal.execute(query[1]).fetchall()
        columns = [name for _, name, *_ in journal.execute("PRAGMA table_info(frames)")]
    assert columns == [name.strip("`") for name, _ in rows("docs/journal.md", "| column of `frames` | meaning |")]
