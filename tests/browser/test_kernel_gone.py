"""What the widgets do when their kernel is restarted, dies, is shut down, or is out of reach, in a real JupyterLab."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from browser_pages import KERNEL, SLOW, Notebook

CONNECT = """import tcnb
tc = tcnb.connect("127.0.0.1", web_port={port}, https=False, username={who!r}, password={who!r}, journal=None)"""
PANEL = 'tc.panel("Release crew")'
COMPOSER = 'tc.composer("Release crew")'
RESTARTED = "Kernel restarted: run this cell again"

# The answer of the Jupyter server to a request that any other program could make.
REST = """([path, method]) => fetch(`/${path}`, {
  method, headers: { 'X-XSRFToken': (document.cookie.match(/_xsrf=([^;]*)/) || [])[1] || '' },
}).then((answer) => answer.status)"""


class Desk:
    """A notebook with widgets in a browser, and what is done to its kernel."""

    def __init__(self, notebook: Notebook, practice: Any) -> None:
        self.notebook = notebook
        self.page = notebook.page
        self.practice = practice

    @property
    def area(self) -> Any:
        return self.page.locator(".tcc-text").last

    def run(self, sight: str = ".tcnb-composer") -> None:
        """Run all cells, and wait until the chat is chosen in a composer that is connected to its kernel."""
        self.notebook.command("notebook:run-all-cells")
        self.page.locator(f"{sight}:visible").first.wait_for(timeout=SLOW)
        chosen = """[...document.querySelectorAll('.tcc-chat')].some(
          (one) => one.checkVisibility() && one.value && !one.disabled
        )"""
        self.page.wait_for_function(chosen, timeout=SLOW)

    def run_again(self) -> None:
        """Run all cells in the kernel that came up again; what they showed before goes."""
        self.page.wait_for_function(f"{KERNEL}?.status === 'idle'", timeout=SLOW)
        self.run()

    def restart(self, command: str = "kernelmenu:restart") -> None:
        """Restart the kernel as a person does: the menu's command, and the button of its question."""
        self.notebook.command(command)
        self.page.locator(".jp-Dialog button.jp-mod-accept").click()

    def rest(self, method: str, path: str = "") -> None:
        """Have the Jupyter server do something with the kernel."""
        kernel = self.page.evaluate(f"{KERNEL}.id")
        assert self.page.evaluate(REST, [f"api/kernels/{kernel}{path}", method]) < 300

    def pid(self) -> int:
        self.notebook.run_in_kernel("import os, pathlib; pathlib.Path('pid').write_text(str(os.getpid()))")
        return int((self.notebook.folder / "pid").read_text())

    def wait_told(self, words: str) -> None:
        """Wait until everything that is shown says so: feeds, composers and lists of chats."""
        for place in (".tcf-state", ".tcc-state", ".tcp-told"):
            for one in self.page.locator(place).all():
                one.get_by_text(words).or_(one.and_(self.page.get_by_text(words))).first.wait_for(timeout=SLOW)

    def texts(self, chat_id: str) -> list[str]:
        """Give the texts of a chat as the server has them."""
        said = self.practice.call(lambda server: list(server.world.chats[chat_id].messages))
        return [one.content["text"] for one in said if one.content.get("text") and not one.is_system]


@pytest.fixture
def crew(alice: Any) -> str:
    return str(alice.group("Release crew", "robot", "bob"))


@pytest.fixture
def open_desk(browser: Any, lab: Any, practice: Any, crew: str, request: Any) -> Iterator[Callable[..., Desk]]:
    context = browser.new_context(viewport={"width": 1100, "height": 1000}, locale="en-GB")
    desks: list[Desk] = []

    def open_one(*cells: str, who: str = "robot", base: str = "") -> Desk:
        name = f"{request.node.name.split('[')[0]}-{len(desks)}-{os.urandom(3).hex()}.ipynb"
        url = lab.write_notebook(name, CONNECT.format(port=practice.port, who=who), *cells)
        desk = Desk(Notebook(context.new_page(), lab.folder), practice)
        desks.append(desk)
        desk.notebook.open(url.replace(lab.url, base) if base else url)
        return desk

    yield open_one
    context.close()


@pytest.fixture
def desk(open_desk: Callable[..., Desk]) -> Desk:
    """A notebook with a panel that is connected."""
    desk = open_desk(PANEL)
    desk.run()
    return desk


def test_restart_from_the_menu_is_said_and_what_was_written_goes_on(desk, crew, alice, screenshots):
    """After a restart every part says it; the draft is in the panel that is made next, and is sent from there once."""
    alice.say(crew, "Are the checks green?")
    desk.page.locator(".tcf-text").get_by_text("Are the checks green?").wait_for(timeout=SLOW)
    desk.page.get_by_role("radio", name="Markdown").click()
    desk.area.fill("They **are**, as far as")
    desk.restart()
    desk.wait_told(RESTARTED)
    desk.page.get_by_text("What you wrote is kept").wait_for()
    desk.area.press_sequentially(" I see")
    desk.area.press("Enter")
    desk.page.locator(".tcnb-panel").scroll_into_view_if_needed()
    desk.page.screenshot(path=screenshots / "kernel-restarted-light.png")
    desk.run_again()
    desk.page.wait_for_function("document.querySelector('.tcc-text').value === 'They **are**, as far as I see'")
    assert desk.page.get_by_role("radio", name="Markdown").get_attribute("aria-checked") == "true"
    desk.area.press("Enter")
    desk.page.locator(".tcf-own").get_by_text("are", exact=True).wait_for(timeout=SLOW)
    assert desk.texts(crew) == ["Are the checks green?", "They **are**, as far as I see"]
    desk.restart()
    desk.wait_told(RESTARTED)
    desk.run_again()
    assert desk.area.input_value() == ""


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("killed", RESTARTED),
        ("deleted", "The kernel was shut down: start it and run this cell again"),
        ("shut", "The kernel was shut down: start it and run this cell again"),
    ],
)
def test_every_end_of_a_kernel_is_said(desk, how, words):
    """A kernel that was killed and comes up again, and one that was shut down in either way, are told apart."""
    if how == "killed":
        os.kill(desk.pid(), signal.SIGKILL)
    elif how == "deleted":
        desk.rest("DELETE")
    else:
        desk.notebook.command("kernelmenu:shutdown")
    desk.wait_told(words)
    assert desk.page.locator(".tcf-is-connected, .tcc-is-connected").count() == 0


def test_feed_without_a_kernel_is_read_and_searched_and_nothing_else(desk, crew, alice):
    """The rows of a feed whose kernel is gone can be read and searched; what the kernel would do is not offered."""
    for text in ("Build 42 is out", "Lunch?"):
        alice.say(crew, text)
        desk.page.locator(".tcf-text").get_by_text(text).wait_for(timeout=SLOW)
    desk.rest("POST", "/restart")
    desk.wait_told(RESTARTED)
    desk.page.get_by_label("Search text").fill("build")
    desk.page.locator(".tcf-text").get_by_text("Lunch?").wait_for(state="detached")
    desk.page.locator(".tcf-text").get_by_text("Build 42 is out").hover()
    offered = desk.page.locator(".tcf-actions button")
    offered.first.wait_for()
    assert [one.get_attribute("aria-label") for one in offered.all()] == ["Copy the message's id"]


def test_what_was_on_its_way_is_neither_lost_nor_sent_again(open_desk, crew, practice):
    """Of what was being sent when the kernel went nobody knows; the next composer says so and gives the text back."""
    desk = open_desk(COMPOSER)
    desk.run()
    practice.call(lambda server: server.delay_next("sendMessage", 600.0))
    desk.area.fill("Has this arrived?")
    desk.area.press("Enter")
    desk.page.locator(".tcc-row[data-state=sending]").wait_for(timeout=SLOW)
    desk.restart()
    desk.wait_told(RESTARTED)
    desk.page.get_by_text("Not known whether it was sent").wait_for()
    desk.run_again()
    row = desk.page.locator(".tcc-row[data-state=unknown]")
    row.get_by_text("Has this arrived?").wait_for(timeout=SLOW)
    assert desk.texts(crew).count("Has this arrived?") <= 1
    row.get_by_role("button", name="Take back to edit").click()
    assert desk.area.input_value() == "Has this arrived?"
    assert row.count() == 0


def test_edit_that_was_begun_goes_on_as_an_edit(open_desk, crew):
    """Who was changing a message when the kernel went changes that message in the next composer; attached files, which
    cannot be kept, are named in both.
    """
    desk = open_desk(COMPOSER)
    desk.run()
    desk.area.fill("teh build")
    desk.area.press("Enter")
    desk.page.locator(".tcc-row[data-state=sent]").wait_for(timeout=SLOW)
    desk.area.press("ArrowUp")
    desk.page.get_by_text("Changing your message").wait_for(timeout=SLOW)
    desk.area.fill("the build")
    file = {"name": "plan.pdf", "mimeType": "application/pdf", "buffer": b"a plan"}
    desk.page.locator(".tcc-picker").set_input_files([file])
    desk.page.locator(".tcc-card").wait_for()
    desk.restart()
    desk.page.get_by_text("Files cannot be kept; attach them again there: plan.pdf.").wait_for(timeout=SLOW)
    desk.run_again()
    desk.page.get_by_text("not sent while there was a kernel: plan.pdf").wait_for(timeout=SLOW)
    desk.page.get_by_text("Changing your message").wait_for(timeout=SLOW)
    desk.page.wait_for_function("document.querySelector('.tcc-bartext').textContent === 'teh build'", timeout=SLOW)
    assert desk.area.input_value() == "the build"
    desk.area.press("Enter")
    desk.page.locator(".tcc-row[data-state=sent]").get_by_text("the build").wait_for(timeout=SLOW)
    assert desk.texts(crew) == ["the build"]


def test_draft_stays_with_its_notebook_and_its_account(open_desk, crew):
    """What was written in one notebook, or for one account, appears in no other."""
    desk = open_desk(COMPOSER)
    desk.run()
    desk.area.fill("for the robot of this notebook")
    desk.restart()
    desk.wait_told(RESTARTED)
    other = desk.notebook.folder / "other.ipynb"
    ours = desk.page.evaluate("window.jupyterapp.shell.currentWidget.context.path")
    other.write_bytes((desk.notebook.folder / ours).read_bytes())
    desk.page.evaluate("window.jupyterapp.commands.execute('docmanager:open', { path: 'other.ipynb' })")
    desk.page.wait_for_function("window.jupyterapp.shell.currentWidget?.context?.path === 'other.ipynb'")
    desk.page.wait_for_function(f"{KERNEL}?.connectionStatus === 'connected'", timeout=SLOW)
    desk.run()
    assert desk.page.locator(".tcc-text:visible").input_value() == ""
    desk.page.evaluate("(path) => window.jupyterapp.commands.execute('docmanager:open', { path })", ours)
    desk.page.wait_for_function("(path) => window.jupyterapp.shell.currentWidget.context.path === path", arg=ours)
    change = """() => {
      const cell = window.jupyterapp.shell.currentWidget.content.widgets[0].model.sharedModel;
      cell.setSource(cell.getSource().replaceAll('robot', 'bob'));
    }"""
    desk.page.evaluate(change)
    desk.run_again()
    assert desk.page.locator(".tcc-text:visible").input_value() == ""


def test_draft_outlives_a_reload_after_the_restart(open_desk, crew):
    """A page that is reloaded after the restart still has what was written."""
    desk = open_desk(COMPOSER)
    desk.run()
    desk.area.fill("written before")
    desk.notebook.save()
    desk.restart()
    desk.wait_told(RESTARTED)
    desk.page.reload()
    desk.notebook.wait_kernel()
    desk.run_again()
    desk.page.wait_for_function("document.querySelector('.tcc-text')?.value === 'written before'", timeout=SLOW)


class Cable:
    """A way for the browser to the Jupyter server that can be cut: all connections break, and no new one is made."""

    def __init__(self, url: str) -> None:
        self._target = (urlsplit(url).hostname, urlsplit(url).port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: set[socket.socket] = set()
        self._is_cut = False
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}/"
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        self._is_cut = True
        for one in list(self._open):
            _end(one)

    def mend(self) -> None:
        self._is_cut = False

    def close(self) -> None:
        self.cut()
        _end(self._listener)

    def _accept(self) -> None:
        while True:
            try:
                browser, _ = self._listener.accept()
            except OSError:
                return
            if self._is_cut:
                browser.close()
                continue
            server = socket.create_connection(self._target)
            self._open |= {browser, server}
            for one, other in ((browser, server), (server, browser)):
                threading.Thread(target=self._pass_on, args=(one, other), daemon=True).start()

    def _pass_on(self, one: socket.socket, other: socket.socket) -> None:
        try:
            while data := one.recv(65536):
                other.sendall(data)
        except OSError:
            pass
        finally:
            for end in (one, other):
                _end(end)
                self._open.discard(end)


def _end(one: socket.socket) -> None:
    with contextlib.suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
    one.close()


@pytest.fixture
def cable(lab: Any) -> Iterator[Cable]:
    cable = Cable(lab.url)
    yield cable
    cable.close()


def test_lost_connection_to_jupyter_is_said_and_everything_goes_on(open_desk, crew, alice, cable):
    """While Jupyter is out of reach nothing is sent and nothing lost; when it is back, all goes on by itself."""
    desk = open_desk(PANEL, base=cable.url)
    desk.run()
    desk.area.fill("written before")
    cable.cut()
    desk.wait_told("No connection to Jupyter")
    desk.area.press_sequentially(" and meanwhile")
    desk.area.press("Enter")
    alice.say(crew, "Said meanwhile")
    cable.mend()
    desk.page.locator(".tcf-is-connected").wait_for(timeout=SLOW)
    desk.page.locator(".tcf-text").get_by_text("Said meanwhile").wait_for(timeout=SLOW)
    assert desk.texts(crew) == ["Said meanwhile"]
    desk.page.locator(".tcc-send.tcc-ready").wait_for(timeout=SLOW)
    desk.area.press("Enter")
    desk.page.locator(".tcf-own .tcf-text").get_by_text("written before and meanwhile").wait_for(timeout=SLOW)


def test_kernel_that_was_restarted_while_jupyter_was_out_of_reach_is_noticed(open_desk, crew, lab, cable):
    """A kernel that is another one when the connection is back is not taken for the one that was there."""
    desk = open_desk(COMPOSER, base=cable.url)
    desk.run()
    kernel = desk.page.evaluate(f"{KERNEL}.id")
    cable.cut()
    desk.wait_told("No connection to Jupyter")
    other = desk.page.context.new_page()
    other.goto(f"{lab.url}lab")
    assert other.evaluate(REST, [f"api/kernels/{kernel}/restart", "POST"]) == 200
    cable.mend()
    desk.wait_told(RESTARTED)
