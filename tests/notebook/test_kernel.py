"""The magics in a real IPython kernel against a real practice server: sending, errors, queues, interrupts."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from kernels import PATIENCE, ROOT, Kernel
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from tcnb.practice import PracticeProcess, start_process

pytestmark = pytest.mark.kernel

PASSWORD = "s3cr3t-hunter2"

PING_TIMEOUT = 3.0
"""Seconds after which the practice server drops a client that does not answer its pings; a machine that is loaded by
others must not take so long."""


@pytest.fixture(scope="module")
def practice() -> Iterator[PracticeProcess]:
    """A practice server with impatient pings and silent colleagues."""
    with start_process(
        accounts=(f"robot:{PASSWORD}", "ops:0ps-secret"),
        people=4,
        rate=0,
        history=10,
        faults=True,
        ping_interval=PING_TIMEOUT / 4,
        ping_timeout=PING_TIMEOUT,
    ) as process:
        yield process


@pytest.fixture(scope="module")
def environment(practice: PracticeProcess) -> dict[str, str]:
    return {"TRUECONF_PASSWORD": PASSWORD, "TRUECONF_USERNAME": "robot", "TRUECONF_SERVER": practice.url}


@pytest.fixture(scope="module")
def one_kernel(environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    running = Kernel(tmp_path_factory.mktemp("kernel"), environment)
    yield running
    running.close()


@pytest.fixture
def kernel(one_kernel: Kernel) -> Kernel:
    """A kernel with a connection from the environment; variables of earlier tests are gone."""
    one_kernel.good("%reset -f\n%load_ext tcnb")
    one_kernel.good("%tc_connect;")
    return one_kernel


def test_load_and_connect_are_silent(kernel: Kernel) -> None:
    """Loading and connecting write nothing, and the session is shown as one line."""
    outcome = kernel.good("%reload_ext tcnb\n%tc_connect")
    assert outcome.printed == ""
    assert outcome.text is not None
    assert outcome.text.startswith("<Session 'default': robot@practice.local")


def test_send_and_read_back(kernel: Kernel) -> None:
    """What is sent stands in the frame with the id that was returned."""
    kernel.good("chat = tc.known_chats()[0][0]\nsent = %tc_send {chat} Is it {6 * 7}?")
    row = kernel.good("row = tc.df.set_index('message_id').loc[sent.message_id]\n(row.text, row.direction, row.event)")
    assert row.text == "('Is it 42?', 'out', 'message')"


def test_lists_are_frames(kernel: Kernel) -> None:
    """Chats and events are DataFrames."""
    shown = kernel.good(
        "chats = %tc_chats\nevents = %tc_df\n[type(x).__name__ for x in (chats, events)], len(chats) > 0"
    )
    assert shown.text == "(['DataFrame', 'DataFrame'], True)"


def test_photo_sticker_and_file(kernel: Kernel) -> None:
    """Pictures from PIL and bytes from an expression are sent as they are."""
    kernel.good(
        "import tcnb\nfrom PIL import Image\nchat = tc.known_chats()[0][0]\n"
        "picture = Image.new('RGB', (60, 40), 'teal')\n"
        "photo = %tc_photo {chat} {picture} A teal one\n"
        "sticker = %tc_sticker {chat} $picture\n"
        "document = %tc_file {chat} {tcnb.BufferedInputFile(b'a,b', 'a.csv')} --markdown **a** and *b*"
    )
    names = kernel.good("tc.df.query('direction == \"out\"').file_name.dropna().tolist()[-3:]").text
    assert names is not None
    assert names.endswith("'a.csv']")


@pytest.mark.parametrize("empty", ["{plt.gcf()}", "{plt.gca()}", "{plt}"])
def test_figure_of_an_earlier_cell(kernel: Kernel, empty: str) -> None:
    """The figure that was kept is sent, and the one that pyplot makes anew in a later cell is refused in one line."""
    kernel.good("%matplotlib inline\nimport matplotlib.pyplot as plt\nchat = tc.known_chats()[0][0]")
    kernel.good("plt.plot([1, 3, 2])\nfig = plt.gcf()")
    for verb in ("tc_photo", "tc_file", "tc_sticker"):
        ename, evalue, traceback = kernel.run(f"%{verb} {{chat}} {empty}").error
        assert (ename, traceback) == ("EmptyFileError", [f"EmptyFileError: {evalue}"])
        assert "fig = plt.gcf() in the cell that draws" in evalue
    before = kernel.good("len(tc.df)").text
    kernel.good("sent = %tc_photo {chat} {fig} Burndown")
    assert before != kernel.good("len(tc.df)").text


def test_semicolon(kernel: Kernel) -> None:
    """A semicolon keeps the value from being shown, and is not sent."""
    kernel.good("chat = tc.known_chats()[0][0]")
    assert kernel.good("%tc_send {chat} quiet;").text is None
    assert kernel.good("%tc_df;").text is None
    assert kernel.good("tc.df.text.iloc[-1]").text == "'quiet'"


def test_cell_body(kernel: Kernel) -> None:
    """The cell form sends its body as it stands."""
    kernel.good("chat = tc.known_chats()[0][0]")
    kernel.good("%%tc_send {chat} --html\n<b>{not expanded}</b>\n?")
    assert kernel.good("tc.df.text.iloc[-1]").text == r"'{not expanded}\n?'"


@pytest.mark.parametrize(
    ("cell", "name", "said"),
    [
        ("%tc_send nobody-of-that-name hi", "UnknownChatError", "no chat or person is called 'nobody-of-that-name'"),
        ("%tc_send {tc.known_chats()[0][0]} {'x' * 4097}", "TextMessageTooLongError", "4097"),
        ("%tc_photo {tc.known_chats()[0][0]} missing.png", "FileMissingError", "missing.png"),
        ("%tc_photo {tc.known_chats()[0][0]} {b'no picture'}", "NotAnImageError", ""),
        ("%tc_send", "UsageError", "Usage: %tc_send chat [options] text"),
        ("%tc_send x {1/0}", "UsageError", "{1/0} failed: ZeroDivisionError"),
        ("%tc_df --as ops", "NotConnectedError", "no connection called 'ops'"),
        ("%tc_connect robot:hunter2@127.0.0.1", "SecretOnLineError", "password"),
    ],
)
def test_errors_are_one_line(kernel: Kernel, cell: str, name: str, said: str) -> None:
    """An error has its own name, one line of text, and a traceback of that one line."""
    outcome = kernel.run(cell)
    ename, evalue, traceback = outcome.error
    assert (outcome.status, ename) == ("error", name)
    assert said in evalue
    assert traceback == [f"{name}: {evalue}"]
    assert "\n" not in evalue
    assert outcome.printed == ""


def test_server_away(kernel: Kernel) -> None:
    """A server that does not answer is one line that names it."""
    kernel.good("import os\nserver = os.environ.pop('TRUECONF_SERVER')")
    outcome = kernel.run("%tc_connect 127.0.0.1 --http --port 9 --as away")
    kernel.good("os.environ['TRUECONF_SERVER'] = server")
    assert outcome.error[0] == "WSConnectionError"
    assert "127.0.0.1:9" in outcome.error[1]
    assert len(outcome.error[2]) == 1


def test_wrong_password(kernel: Kernel, practice: PracticeProcess) -> None:
    """A refused login is one line, and does not show what was refused."""
    kernel.good("import os\nos.environ['TRUECONF_PASSWORD'] = 'wr0ng'")
    outcome = kernel.run(f"%tc_connect {practice.url} --as other")
    kernel.good(f"os.environ['TRUECONF_PASSWORD'] = {PASSWORD!r}")
    assert outcome.error[0] == "InvalidGrantError"
    assert len(outcome.error[2]) == 1
    assert "wr0ng" not in outcome.everything()


def test_secrets_are_in_no_message(environment: dict[str, str], tmp_path: Path) -> None:
    """From connecting to closing no message of the kernel holds the password, and neither does its history."""
    kernel = Kernel(tmp_path, environment)
    try:
        cells = [
            "%load_ext tcnb",
            "%tc_connect",
            "tc",
            "%tc_status",
            "repr(vars(tc))",
            "%tc_df",
            "%history",
            "%tc_disconnect",
        ]
        outcomes = [kernel.good(cell) for cell in cells]
        assert PASSWORD not in "".join(outcome.everything() for outcome in outcomes)
    finally:
        kernel.close()


def test_prompt(practice: PracticeProcess, tmp_path: Path) -> None:
    """Where a person can answer, the password is asked for and not shown; where nobody can, one line says so."""
    kernel = Kernel(tmp_path)
    try:
        kernel.good("%load_ext tcnb")
        line = f"%tc_connect {practice.url} --username robot"
        refused = kernel.run(line)
        assert refused.error[0] == "UsageError"
        assert "TRUECONF_PASSWORD" in refused.error[1]
        assert len(refused.error[2]) == 1
        cell = kernel.start(line, allow_stdin=True)
        question = kernel.answer(PASSWORD)
        outcome = kernel.finish(cell)
        assert question == f"Password of robot on {practice.url}: "
        assert outcome.status == "ok"
        assert PASSWORD not in outcome.everything()
    finally:
        kernel.close()


def test_two_connections(kernel: Kernel, practice: PracticeProcess) -> None:
    """A second connection under a name of its own sends as somebody else."""
    kernel.good("import os\nos.environ.update(TRUECONF_PASSWORD='0ps-secret', TRUECONF_USERNAME='ops')")
    kernel.good(f"%tc_connect {practice.url} --username ops --as ops;")
    kernel.good(f"os.environ.update(TRUECONF_PASSWORD={PASSWORD!r}, TRUECONF_USERNAME='robot')")
    kernel.good("%tc_send --as ops robot hello from ops;")
    assert kernel.good("tc.name, ops.name, ops.me_id").text == "('default', 'ops', 'ops@practice.local')"
    kernel.good("%tc_disconnect --as ops")
    assert kernel.good("tc.is_open, ops.is_open").text == "(True, False)"


def test_session_of_python(kernel: Kernel) -> None:
    """A session that tcnb.connect made serves the magics."""
    kernel.good("%tc_disconnect\nimport tcnb\nmine = tcnb.connect()")
    kernel.good("chat = mine.known_chats()[0][0]\n%tc_send {chat} from python;")
    assert kernel.good("mine.df.text.iloc[-1]").text == "'from python'"
    kernel.good("mine.close()")


def test_practice(kernel: Kernel) -> None:
    """--practice starts a server with colleagues that needs no credentials."""
    kernel.good("%tc_connect --practice --people 3 --rate 0 --history 20 --as play;")
    assert kernel.good("play.is_open, len(play.known_chats()) > 0, tc.is_open").text == "(True, True, True)"
    kernel.good("%tc_disconnect --as play")


def test_completion_for_frontends(kernel: Kernel) -> None:
    """The kernel's answer to the Tab key has the chats, and the place that they replace."""
    kernel.good("titles = [title for title, _, kind in tc.known_chats() if kind == 'group']")
    title = kernel.good("print(titles[0])").printed.strip()
    code = f"%tc_send {title[:3].lower()}"
    kernel.client.complete(code, len(code))
    content = kernel.client.get_shell_msg(timeout=PATIENCE)["content"]
    assert content["matches"][0].strip('"') == title
    assert (content["cursor_start"], content["cursor_end"]) == (len("%tc_send "), len(code))


def test_error_stops_run_all(kernel: Kernel, tmp_path: Path) -> None:
    """A magic that fails keeps the cells queued behind it from running."""
    queued = tmp_path / "queued"
    wait = f"import os, time\nwhile not os.path.exists({str(queued)!r}):\n    time.sleep(0.05)\nx = 1"
    started = [kernel.start(cell) for cell in (wait, "%tc_send nobody-of-that-name hi", "x = 2")]
    queued.touch()
    assert [kernel.finish(cell).status for cell in started[:2]] == ["ok", "error"]
    message = kernel.client.get_shell_msg(timeout=PATIENCE)
    assert (message["parent_header"]["msg_id"], message["content"]["status"]) == (started[2], "aborted")
    assert kernel.good("x").text == "1"


def test_run_all_runs_every_cell(kernel: Kernel) -> None:
    """Twenty queued cells that send all run, in their order."""
    kernel.good("chat = tc.known_chats()[0][0]\nran = []")
    started = [kernel.start(f"ran.append({n})\n%tc_send {{chat}} cell {n};") for n in range(20)]
    assert [kernel.finish(cell).status for cell in started] == ["ok"] * 20
    assert kernel.good("ran == list(range(20))").text == "True"
    assert kernel.good("tc.df.text.tail(20).tolist() == [f'cell {n}' for n in range(20)]").text == "True"


def test_interrupt_while_sending(kernel: Kernel, practice: PracticeProcess) -> None:
    """The interrupt button ends a waiting %tc_send at once, and the connection lives on."""
    kernel.good("chat = tc.known_chats()[0][0]")
    practice.administer("ignore_next", method="sendMessage")
    said = practice.administer("state")["messages"]
    cell = kernel.start("%tc_send {chat} --timeout 600 is anybody there?")
    while practice.administer("state")["messages"] == said:
        pass
    kernel.manager.interrupt_kernel()
    outcome = kernel.finish(cell)
    assert outcome.error[0] == "KeyboardInterrupt"
    kernel.good("%tc_send {chat} still here;")


def test_interrupt_while_awaiting(kernel: Kernel) -> None:
    """The interrupt button ends an awaited verb, also while nothing happens that would wake the kernel's loop."""
    cell = kernel.start("print('waiting', flush=True)\nawait tc.await_for(sender='nobody', timeout=None)")
    kernel.wait_printed(cell, "waiting")
    kernel.manager.interrupt_kernel()
    assert kernel.finish(cell).status == "error"
    assert kernel.good("tc.state['state']").text == "'connected'"


def test_computing_cell_keeps_the_connection(kernel: Kernel, practice: PracticeProcess, tmp_path: Path) -> None:
    """While a cell computes for several ping time-outs the connection lives and every event is recorded on time."""
    flag = tmp_path / "said"
    chat = kernel.good("chat = tc.known_chats()[0][1]\nchat").text.strip("'")
    kernel.good("members = [one.user_id for one in (await tc.bot.get_chat_participants(chat)).participants]")
    author = kernel.good("[user for user in members if user != tc.me_id][0]").text.strip("'")
    cell = kernel.start(
        "import os, time\nbefore = tc.status().reconnects\nbegan, x = time.time(), 3\nprint('computing', flush=True)\n"
        f"while time.time() < began + {4 * PING_TIMEOUT} or not os.path.exists({str(flag)!r}):\n"
        "    for _ in range(10_000):\n        x = x * x % 1_000_003\n"
        "ended = time.time()"
    )
    kernel.wait_printed(cell, "computing")
    texts = [f"while you compute {n}" for n in range(10)]
    for text in texts:
        practice.administer("say", author=author, chat=chat, text=text)
    while practice.administer("state")["unread"]["robot"]:
        pass
    flag.touch()
    assert kernel.finish(cell).status == "ok"
    kernel.good(f"import pandas as pd\nseen = tc.df[tc.df.text.isin({texts!r})]")
    assert kernel.good(f"seen.text.tolist() == {texts!r}").text == "True"
    inside = "seen.received.between(*pd.to_datetime([began, ended], unit='s', utc=True)).all()"
    assert kernel.good(f"bool({inside}), tc.status().reconnects - before, tc.state['state']").text == (
        "(True, 0, 'connected')"
    )


def test_nothing_is_printed_in_the_background(kernel: Kernel, practice: PracticeProcess) -> None:
    """Broken connections and malformed frames write nothing into the notebook."""
    kernel.good(
        "import threading\nbegan, back = tc.status(), threading.Event()\n"
        "tc.on_state(lambda state: back.set() if state['state'] == 'connected' else None);"
    )
    practice.administer("push_raw", login="robot", text="{not json")
    practice.administer("drop_connections")
    outcome = kernel.good("back.wait(30), tc.status().malformed - began.malformed")
    assert (outcome.text, outcome.printed) == ("(True, 1)", "")
    kinds = ("stream", "error")
    assert [message["content"] for message in kernel.later_messages() if message["msg_type"] in kinds] == []


def test_nbclient(environment: dict[str, str], tmp_path: Path) -> None:
    """A notebook with the magics runs under nbclient, and its file holds no secret and no stray output."""
    cells = [
        "%load_ext tcnb",
        "%tc_connect;",
        "chat = tc.known_chats()[0][0]\n%tc_send {chat} from nbclient",
        "%tc_df",
        "%tc_feed",
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    env = {**os.environ, **environment, "PYTHONPATH": str(ROOT)}
    NotebookClient(notebook, timeout=60, kernel_name="python3").execute(cwd=str(tmp_path), env=env)
    outputs = [output for cell in notebook.cells for output in cell.outputs]
    assert not [output for output in outputs if output.output_type in ("stream", "error")]
    assert len(outputs) == 3
    assert PASSWORD not in nbformat.writes(notebook)


def test_nbclient_stops_at_an_error(tmp_path: Path) -> None:
    """Under nbclient a missing password is a one-line error that ends the run."""
    cells = ["%load_ext tcnb", "%tc_connect nowhere.example.com --username robot", "never = True"]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    env = {name: value for name, value in os.environ.items() if not name.startswith("TRUECONF_")}
    env |= {"PYTHONPATH": str(ROOT), "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring"}
    with pytest.raises(CellExecutionError) as caught:
        NotebookClient(notebook, timeout=60, kernel_name="python3").execute(cwd=str(tmp_path), env=env)
    assert caught.value.ename == "UsageError"
    assert "TRUECONF_PASSWORD" in caught.value.evalue
    assert notebook.cells[1].outputs[0].traceback == [f"UsageError: {caught.value.evalue}"]
    assert notebook.cells[2].outputs == []


def test_terminal_ipython(environment: dict[str, str], tmp_path: Path) -> None:
    """In a terminal IPython the magics work, and errors are one line there too."""
    script = tmp_path / "chat.ipy"
    script.write_text(
        "%tc_connect\nchat = tc.known_chats()[0][0]\nsent = %tc_send {chat} Is a terminal enough?\n"
        "print(tc.df.text.iloc[-1])\n%tc_send nobody-of-that-name hi\n"
    )
    env = {**os.environ, **environment, "PYTHONPATH": str(ROOT), "IPYTHONDIR": str(tmp_path / ".ipython")}
    ran = subprocess.run(
        [sys.executable, "-m", "IPython", "--colors=NoColor", "--simple-prompt", "--ext=tcnb", str(script)],
        cwd=tmp_path,
        env=env,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert "Is a terminal enough?" in ran.stdout
    assert "UnknownChatError: no chat or person is called" in ran.stdout + ran.stderr
    assert "Traceback" not in ran.stdout + ran.stderr
