"""The widgets in pages made like VS Code's notebook webview and like Colab, with the widget manager of each, a kernel
and a practice server; VS Code and Colab themselves are not run here.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from browser_pages import SLOW
from hosts.kernel import HostKernel
from hosts.pages import HostPages
from test_composer_lab import BUSY, PASTE

from tcnb.practice import PracticeThread

if shutil.which("npm") is None and not os.environ.get("TCNB_REQUIRE_BROWSER"):
    pytest.skip("no npm found: the widgets are not tested in VS Code's and Colab's parts", allow_module_level=True)

HOSTS = ("vscode", "colab")
ROBOT, ALICE = "robot@practice.local", "alice@practice.local"
DROPPED = 3_000_000

CONNECT = """import tcnb
tc = tcnb.connect("127.0.0.1", username="robot", password="robot", https=False, web_port={port}, journal=None)"""

# What is there of Colab's own module: it marks what is displayed, though not the value of a cell's last line.
COLAB = """import sys, types
output = types.ModuleType("google.colab.output")
output._widgets = types.SimpleNamespace(_installed_url=None)
output.enable_custom_widget_manager = lambda: setattr(output._widgets, "_installed_url", "https://widgets.example/")
sys.modules |= {name: types.ModuleType(name) for name in ("google", "google.colab")} | {output.__name__: output}"""

OWN = """tc.send({chat!r}, "An own text with a [link](https://example.com)", parse_mode="markdown")
tc.send_document({chat!r}, b"Some words", caption="And a file");"""

# The text of a document that differs least from the ground behind it, and by how much; what is out of sight counts too.
POOREST = """() => {
  const pen = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true });
  const rgba = (colour) => {
    pen.clearRect(0, 0, 1, 1);
    pen.fillStyle = colour;
    pen.fillRect(0, 0, 1, 1);
    const [red, green, blue, alpha] = pen.getImageData(0, 0, 1, 1).data;
    return [red, green, blue, alpha / 255];
  };
  const over = (top, ground) => [0, 1, 2].map((i) => top[i] * top[3] + ground[i] * (1 - top[3])).concat(1);
  const groundOf = (element) => {
    const own = element ? rgba(getComputedStyle(element).backgroundColor) : [255, 255, 255, 1];
    return own[3] < 1 ? over(own, groundOf(element.parentElement)) : own;
  };
  const light = ([red, green, blue]) => [red, green, blue].map((one) => one / 255)
    .map((one) => (one <= 0.04045 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4))
    .reduce((sum, one, i) => sum + one * [0.2126, 0.7152, 0.0722][i], 0);
  let poorest = { contrast: 21 };
  for (const root of document.querySelectorAll('.tcnb-feed, .tcnb-composer, .tcnb-chats')) {
    const words = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    while (words.nextNode()) {
      const element = words.currentNode.parentElement;
      if (!words.currentNode.textContent.trim() || !element.checkVisibility({ opacityProperty: true })) continue;
      const ground = groundOf(element), ink = over(rgba(getComputedStyle(element).color), ground);
      const [low, high] = [light(ink), light(ground)].sort((a, b) => a - b), contrast = (high + 0.05) / (low + 0.05);
      const where = element.className, text = words.currentNode.textContent;
      if (contrast < poorest.contrast) poorest = { contrast, text, where };
    }
  }
  return poorest;
}"""
SETTLED = """() => Promise.all(document.getAnimations()
  .filter((one) => one.effect.getComputedTiming().endTime !== Infinity).map((one) => one.finished.catch(() => {})))"""

GROUNDS = """['.tcnb-chats', '.tcnb-feed', '.tcnb-composer']
  .map((one) => getComputedStyle(document.querySelector(one)).backgroundColor)"""

DROP = """(size) => {
  const bytes = new Uint8Array(size);
  for (let i = 0; i < size; i += 1) bytes[i] = Math.imul(i, 2654435761) >>> 24;
  const data = new DataTransfer();
  data.items.add(new File([bytes], 'measurements.bin', { type: 'application/octet-stream' }));
  for (const kind of ['dragenter', 'dragover', 'drop']) {
    const event = new DragEvent(kind, { dataTransfer: data, bubbles: true, cancelable: true });
    document.querySelector('.tcnb-composer').dispatchEvent(event);
  }
}"""

# By how many pixels an element hangs out of what cuts it off: a box around it, or the frame that it is in.
CUT_OFF = """(element) => {
  const { bottom } = element.getBoundingClientRect();
  let edge = window === window.top ? Infinity : innerHeight;
  for (let box = element.parentElement; box !== document.body; box = box.parentElement) {
    if (getComputedStyle(box).overflowY !== 'visible') edge = Math.min(edge, box.getBoundingClientRect().bottom);
  }
  return Math.max(0, bottom - edge);
}"""


@dataclass(frozen=True)
class Crew:
    """A group of the practice server in which the robot and Alice are."""

    practice: PracticeThread
    chat_id: str

    def say(self, text: str) -> None:
        """Have Alice write into the chat."""

        def do(server: Any) -> None:
            server.world.say(server.world.user(ALICE), self.chat_id, text)
            server.deliver()

        self.practice.call(do)

    def messages(self) -> list[Any]:
        """Give what the robot wrote, as the server has it."""
        return self.practice.call(
            lambda server: [
                one for one in server.world.chats[self.chat_id].messages if not one.is_system and one.author_id == ROBOT
            ]
        )

    def texts(self) -> list[str]:
        return [one.content["text"] for one in self.messages() if one.content.get("text")]

    def sums(self) -> list[str]:
        """Give the checksums of the files that the robot sent."""
        sources = [one.file.source for one in self.messages() if one.file is not None]
        return [hashlib.sha256(one if isinstance(one, bytes) else one.read_bytes()).hexdigest() for one in sources]


class Host:
    """A page that is made like a host, and the kernel behind it."""

    def __init__(self, page: Any, kernel: HostKernel) -> None:
        self.name = kernel.host
        self.page = page
        self.kernel = kernel

    def run(self, cell: str, code: str) -> None:
        """Run a cell to its end."""
        reply = self.page.evaluate("([cell, code]) => host.run(cell, code)", [cell, code])
        assert reply["status"] == "ok", reply

    def show(self, code: str, cell: str = "cell") -> Any:
        """Run a cell that shows a widget, and give its output once the widget is there."""
        self.run(cell, code)
        output = self.output(cell)
        output.locator(".tcnb-feed, .tcnb-composer").first.wait_for(timeout=SLOW)
        return output

    def compose(self, crew: Crew) -> Any:
        """Show a composer for a chat, and give its output once the chat is chosen in it."""
        output = self.show(f"tc.composer({crew.chat_id!r})")
        self.document().wait_for_function("document.querySelector('.tcc-chat').value", timeout=SLOW)
        return output

    def output(self, cell: str = "cell") -> Any:
        """Give where to look for what a cell shows."""
        if self.name == "vscode":
            return self.page.locator(f"#{cell}")
        return self.page.frame_locator(f"iframe[name={cell}]")

    def evaluate(self, script: str, argument: Any = None, cell: str = "cell") -> Any:
        """Evaluate in the document of a cell's output."""
        return self.document(cell).evaluate(script, argument)

    def document(self, cell: str = "cell") -> Any:
        """Give the document of a cell's output: VS Code has one for all, Colab one for each."""
        return self.page.main_frame if self.name == "vscode" else self.page.frame(name=cell)

    def set_theme(self, theme: str) -> None:
        """Switch the host's theme."""
        self.page.evaluate("(theme) => host.setTheme(theme)", theme)
        if self.name == "colab":
            self.document().wait_for_function(
                "(theme) => document.documentElement.getAttribute('theme') === theme", arg=theme
            )

    def be_busy(self) -> None:
        """Start a cell that computes until `let_go`."""
        self.page.evaluate("(code) => { host.start('busy', code); }", f"print('computing', flush=True)\n{BUSY}")
        self.page.wait_for_function("window.printed?.startsWith('computing')", timeout=SLOW)

    def let_go(self) -> None:
        """End the busy cell, which must still be running."""
        assert not self.page.evaluate("window.ended")
        (self.kernel.folder / "enough").touch()
        self.page.wait_for_function("window.ended", timeout=SLOW)
        (self.kernel.folder / "enough").unlink()


@pytest.fixture(scope="module")
def practice() -> Iterator[PracticeThread]:
    """A practice server whose people only do what a test makes them do, with a past to look at."""
    with PracticeThread(
        accounts=("robot:robot:Robot", "alice:alice:Alice Doe"), people=6, rate=0, seed=3, history=60
    ) as thread:
        yield thread


@pytest.fixture(scope="module")
def pages(chromium_path: str) -> Iterator[HostPages]:
    with HostPages() as served:
        yield served


@pytest.fixture(scope="module", params=HOSTS)
def kernel(request: Any, pages: HostPages, practice: PracticeThread, tmp_path_factory: Any) -> Iterator[HostKernel]:
    """A kernel with a connected session, one for each host."""
    with HostKernel(request.param, tmp_path_factory.mktemp(request.param)) as started:
        started.run(f"{COLAB if request.param == 'colab' else ''}\n{CONNECT.format(port=practice.port)}")
        started.run("for _, chat_id, _ in tc.known_chats():\n    tc.history(chat_id, 50)")
        yield started
        started.run("tc.close()")


def crew_named(practice: PracticeThread, title: str) -> Crew:
    """Make a group."""

    def make(server: Any) -> str:
        alice = server.world.user(ALICE)
        chat = server.world.create_group(alice, title[:60])
        server.world.add_participant(alice, chat.chat_id, server.world.user(ROBOT), display_history=True)
        server.deliver()
        return str(chat.chat_id)

    return Crew(practice, practice.call(make))


@pytest.fixture
def crew(practice: PracticeThread, request: Any) -> Crew:
    """A chat of the test's own."""
    return crew_named(practice, request.node.name.removeprefix("test_"))


@pytest.fixture
def open_host(browser: Any, pages: HostPages, kernel: HostKernel) -> Iterator[Callable[..., Host]]:
    """Opens the page of the host; a mistake in a script fails the test."""
    opened, problems = [], []

    def open_one(asked: str = "", *, locale: str = "en-GB", is_hindered: bool = False) -> Host:
        context = browser.new_context(viewport={"width": 900, "height": 1000}, locale=locale)
        opened.append(context)
        page = context.new_page()
        if not is_hindered:
            page.on("pageerror", lambda error: problems.append(str(error)))
        page.goto(f"http://127.0.0.1:{pages.port}/{kernel.host}.html?kernel={kernel.url}&{asked}")
        page.wait_for_function("window.ready", timeout=SLOW)
        return Host(page, kernel)

    yield open_one
    (kernel.folder / "enough").touch()
    for context in opened:
        context.close()
    kernel.run("pass")
    (kernel.folder / "enough").unlink()
    assert problems == []


@pytest.fixture
def host(open_host: Callable[..., Host]) -> Host:
    return open_host()


def row(output: Any, text: str) -> Any:
    return output.locator(".tcf-row").get_by_text(text, exact=True)


def test_rows_come(host, crew):
    """A message is shown in the feed as soon as it was said."""
    output = host.show("tc.feed()")
    crew.say("Good morning from Alice")
    row(output, "Good morning from Alice").wait_for(timeout=SLOW)


@pytest.mark.parametrize(
    ("kernel", "more"), [("vscode", ""), ("vscode", "bridged"), ("colab", "")], indirect=["kernel"]
)
def test_every_theme_is_followed_at_once(open_host, crew, more, screenshots):
    """Whatever theme is switched to while the panel is open, its ground is the host's at once and all text readable."""
    host = open_host(more)
    crew.say("Is it readable?")
    host.run("said", OWN.format(chat=crew.chat_id))
    output = host.show(f"tc.panel({crew.chat_id!r})")
    output.locator(".tcf-own .tcf-tile").wait_for(timeout=SLOW)
    output.locator(".tcp-chat").nth(3).wait_for(timeout=SLOW)
    crew_named(crew.practice, "Another crew").say("Unread")
    output.locator(".tcp-unread").get_by_text("1").first.wait_for(timeout=SLOW)
    output.get_by_text("Markdown", exact=True).click()
    output.locator(".tcc-text").fill("**Bold** and a [link](https://example.com) and a [wrong one](ftp://example.com)")
    output.locator(".tcc-preview .tcc-address").first.wait_for(timeout=SLOW)
    grounds = {
        "vscode-light": "rgb(255, 255, 255)", "vscode-dark": "rgb(31, 31, 31)", "vscode-high-contrast": "rgb(0, 0, 0)",
        "vscode-high-contrast-light": "rgb(255, 255, 255)", "light": "rgb(255, 255, 255)", "dark": "rgb(56, 56, 56)",
    }  # fmt: skip
    themes = [one for one in grounds if one.startswith("vscode") == (host.name == "vscode")]
    for theme in [*themes[::-1], *themes]:
        host.set_theme(theme)
        assert host.evaluate(GROUNDS) == [grounds[theme]] * 3
        host.evaluate(SETTLED)
        poorest = host.evaluate(POOREST)
        assert poorest["contrast"] >= 4.5, (theme, poorest)
        host.page.screenshot(path=screenshots / f"host-{host.name}-{more or 'plain'}-{theme}.png")


def test_what_is_written_arrives_and_is_seen_in_another_output(host, crew):
    """A text written in the composer is on the server once, and in the feed of another output."""
    feed = host.show("tc.feed()", "above")
    composer = host.compose(crew)
    composer.locator(".tcc-text").fill("Written in the composer")
    composer.locator(".tcc-text").press("Enter")
    row(feed, "Written in the composer").wait_for(timeout=SLOW)
    assert crew.texts() == ["Written in the composer"]


def test_pasted_picture_arrives_byte_for_byte(host, crew):
    """A picture that is pasted is on the server as it was."""
    composer = host.compose(crew)
    pasted = host.evaluate(PASTE)
    composer.locator(".tcc-file, .tcc-tray").first.wait_for()
    composer.locator(".tcc-text").press("Enter")
    composer.locator(".tcc-row[data-state=sent]").wait_for(timeout=SLOW)
    assert crew.sums() == [pasted]


def test_dropped_file_arrives_byte_for_byte(host, crew):
    """A file that is dropped goes to the kernel in pieces, and is on the server as it was."""
    composer = host.compose(crew)
    host.evaluate(DROP, DROPPED)
    composer.locator(".tcc-text").press("Enter")
    composer.locator(".tcc-row[data-state=sent]").wait_for(timeout=SLOW)
    expected = bytes((i * 2654435761 & 0xFFFFFFFF) >> 24 for i in range(DROPPED))
    assert crew.sums() == [hashlib.sha256(expected).hexdigest()]


def test_what_is_sent_while_a_cell_computes_waits_visibly_and_goes_out_once(host, crew):
    """While a cell computes rows go on coming, and what is sent says that it waits; then it is sent, once."""
    feed = host.show("tc.feed()", "above")
    composer = host.compose(crew)
    host.be_busy()
    crew.say("Are you there?")
    row(feed, "Are you there?").wait_for(timeout=SLOW)
    composer.locator(".tcc-text").fill("In a moment")
    composer.locator(".tcc-text").press("Enter")
    composer.get_by_text("Waiting for the kernel: a cell is running").wait_for(timeout=SLOW)
    assert crew.texts() == []
    host.let_go()
    composer.locator(".tcc-row[data-state=sent]").wait_for(timeout=SLOW)
    assert crew.texts() == ["In a moment"]


def test_waiting_is_said_in_russian(open_host, crew):
    """In a Russian browser the composer says in Russian that it waits."""
    host = open_host(locale="ru-RU")
    composer = host.compose(crew)
    host.be_busy()
    composer.locator(".tcc-text").fill("Сейчас")
    composer.locator(".tcc-text").press("Enter")
    composer.get_by_text("Ждём ядро: выполняется ячейка").wait_for(timeout=SLOW)
    host.let_go()
    composer.locator(".tcc-row[data-state=sent]").wait_for(timeout=SLOW)


def test_feed_is_whole_when_its_output_comes_again(host, crew):
    """An output that was taken away and is drawn again shows what came before and meanwhile, and what follows."""
    output = host.show("tc.feed()")
    crew.say("Before it went")
    row(output, "Before it went").wait_for(timeout=SLOW)
    host.page.evaluate("host.scrollAway('cell')")
    crew.say("While it was away")
    host.page.evaluate("host.scrollBack('cell')")
    for text in ("Before it went", "While it was away"):
        row(output, text).wait_for(timeout=SLOW)
    crew.say("When it was back")
    row(output, "When it was back").wait_for(timeout=SLOW)
    assert output.locator(".tcf-lost").inner_text() == "0 lost"


def test_feed_that_is_shown_later_is_of_that_moment(host, crew):
    """A feed that was made in one cell is whole in the output of a later one, though a sign of life comes first."""
    host.run("made", "feed = tc.feed()")
    crew.say("Between the cells")
    output = host.show("feed")
    host.kernel.run("tc.loop.call_soon_threadsafe(feed._greet)")
    row(output, "Between the cells").wait_for(timeout=SLOW)


def test_draft_is_kept_when_its_output_comes_again(host, crew):
    """A composer whose output is drawn again has the chat that was chosen in it and the text that was begun."""
    composer = host.show("tc.composer()")
    box = composer.get_by_role("combobox", name="Chat or person to write to")
    box.fill("Release crew")
    box.press("Enter")
    document = host.document()
    document.wait_for_function("document.querySelector('.tcc-kind').textContent === 'group'", timeout=SLOW)
    composer.locator(".tcc-text").fill("Half a sen")
    host.evaluate("document.activeElement.blur()")  # now the kernel is told
    host.run("told", "pass")
    host.page.evaluate("host.scrollAway('cell')")
    host.page.evaluate("host.scrollBack('cell')")
    composer.locator(".tcc-text").wait_for()
    document = host.document()
    document.wait_for_function("document.querySelector('.tcc-text')?.value === 'Half a sen'", timeout=SLOW)
    document.wait_for_function("document.querySelector('.tcc-chat').value === 'Release crew'", timeout=SLOW)


def test_panel_that_is_shown_later_is_of_that_moment(host, crew):
    """A panel that was made in one cell and is shown by a later one lists the chats that came between."""
    host.run("made", "panel = tc.panel()")
    crew.say(f"Between the cells of {host.name}")
    output = host.show("panel")
    output.locator(".tcp-last").get_by_text(f"Between the cells of {host.name}").wait_for(timeout=SLOW)


def test_list_of_chats_is_not_cut_off(host, crew):
    """The list of chats of a composer that is alone in its output is in sight as a whole, and leaves no gap behind."""
    composer = host.compose(crew)
    height = composer.locator(".tcnb-composer").bounding_box()["height"]
    composer.get_by_role("combobox", name="Chat or person to write to").click()
    shown = composer.locator(".tcc-list.tcc-shown")
    shown.locator("[role=option]").nth(5).wait_for()
    host.document().wait_for_function(f"() => ({CUT_OFF})(document.querySelector('.tcc-list')) === 0", timeout=SLOW)
    composer.locator(".tcc-text").focus()
    assert composer.locator(".tcnb-composer").bounding_box()["height"] == height


def test_keys_stay_in_the_widgets(host):
    """Letters pressed in the widgets do not reach the window, where VS Code takes them for commands."""
    output = host.show("tc.panel()")
    host.evaluate(
        "() => { window.pressed = []; window.addEventListener('keydown', (event) => window.pressed.push(event.key)); }"
    )
    for place in (".tcf-scroller", ".tcf-search", ".tcp-search", ".tcc-text"):
        output.locator(place).press("d")
    assert host.evaluate("window.pressed") == []


@pytest.mark.parametrize("kernel", ["vscode"], indirect=True)
def test_forbidden_script_is_told(open_host):
    """Where VS Code's strict policy lets no widget's script run, one sentence says so, and how to mend it."""
    host = open_host("csp", is_hindered=True)
    host.run("cell", "tc.feed()")
    said = "getComputedStyle(document.querySelector('.cell-output'), '::before').content"
    host.page.wait_for_function(f"{said} !== 'none'", timeout=SLOW)
    said = host.page.evaluate(said)
    assert "security policy" in said
    assert "политика безопасности" in said


@pytest.fixture
def own_kernel(practice: PracticeThread, tmp_path: Any) -> Iterator[HostKernel]:
    """A kernel with a connected session that no other test needs, for VS Code."""
    with HostKernel("vscode", tmp_path) as started:
        connect_in(started, practice)
        yield started
        started.run("tc.close()")


def connect_in(kernel: HostKernel, practice: PracticeThread) -> None:
    kernel.run(CONNECT.format(port=practice.port))


@pytest.mark.parametrize("is_heard", [True, False], ids=["heard", "unheard"])
def test_restart_is_said_and_the_draft_goes_on(browser, pages, own_kernel, practice, crew, is_heard):
    """When the kernel was restarted the widgets say so, also where only the webview's connection to it goes; what was
    written is in the composer that is shown next.
    """
    with browser.new_context(viewport={"width": 900, "height": 1000}, locale="en-GB") as context:
        page = context.new_page()
        page.goto(f"http://127.0.0.1:{pages.port}/vscode.html?kernel={own_kernel.url}")
        page.wait_for_function("window.ready", timeout=SLOW)
        host = Host(page, own_kernel)
        feed, composer = host.show("tc.feed()", "above"), host.compose(crew)
        composer.locator(".tcc-text").fill("Half a thought")
        words = "Kernel restarted: run this cell again"
        if is_heard:
            own_kernel.restart()
        else:
            words = "The kernel no longer knows this widget: run this cell again"
            page.evaluate("host.restarted()")
        feed.locator(".tcf-state").get_by_text(words).wait_for(timeout=SLOW)
        composer.locator(".tcc-state").get_by_text(words).wait_for(timeout=SLOW)
        if not is_heard:
            own_kernel.restart()
        connect_in(own_kernel, practice)
        page.evaluate("host.restarted()")
        host.run("again", f"tc.composer({crew.chat_id!r})")
        again = host.output("again")
        again.locator(".tcc-text").wait_for(timeout=SLOW)
        page.wait_for_function("document.querySelector('#again .tcc-text').value === 'Half a thought'", timeout=SLOW)
        again.locator(".tcc-text").press("Enter")
        again.locator(".tcc-row[data-state=sent]").wait_for(timeout=SLOW)
        assert crew.texts() == ["Half a thought"]
