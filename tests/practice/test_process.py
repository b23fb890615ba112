"""The practice server as a process of its own: its ready line, its end, and what it does when its parent is gone."""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tcnb.practice import PracticeError, PracticeThread, start_process
from tcnb.practice.command import add_arguments, options_of
from tcnb.practice.options import ACCOUNTS, Options
from tcnb.practice.process import arguments_of, environment_of

from .wire import PATIENCE, WireBot, get


async def test_process_serves_until_stopped() -> None:
    """A process is ready when it is returned, serves its accounts, and ends when told, closing with 1001."""
    with start_process(accounts=("ann:secret:Ann",), domain="example.org") as practice:
        assert practice.domain == "example.org"
        bot = await WireBot(practice.url).open()
        authorized = await bot.auth(await bot.token("ann", "secret"))
        assert authorized["userId"].startswith("ann@example.org/")
        practice.stop()
        await bot.ended
        assert bot.socket.close_code == 1001
        assert not practice.is_running


async def test_faults_are_ordered_from_outside() -> None:
    """Orders reach the process, and refusals come back with their reason."""
    with start_process(faults=True) as practice:
        practice.administer("fail_next_http", kind="server", status=503)
        assert (await get(practice.url + "/api/v4/server"))[0] == 503
        with pytest.raises(PracticeError, match="no operation"):
            practice.administer("explode")


def test_failure_to_start_says_why() -> None:
    """A port that is taken is told in the error."""
    with PracticeThread() as other, pytest.raises(PracticeError, match="is taken"):
        start_process(port=other.port)


def test_bad_options_fail_before_anything_starts() -> None:
    """Options that make no sense are refused at once."""
    with pytest.raises(ValueError, match="generation"):
        start_process(generation="1.0")
    with pytest.raises(ValueError, match="LOGIN:PASSWORD"):
        start_process(accounts=("robot",))
    with pytest.raises(ValueError, match=r"from 0 .* to 65535, not 99999"):
        start_process(port=99999)
    with pytest.raises(ValueError, match="people is a number from 0 to 1000, not -1"):
        start_process(people=-1)


def test_process_ends_with_its_parent() -> None:
    """A process whose parent is killed ends by itself."""
    script = """
        import os, sys, time
        from tcnb.practice import start_process
        practice = start_process()
        print(practice.pid, flush=True)
        sys.stdin.read()
    """
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment_of(Options()),
    ) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        descriptor = os.pidfd_open(pid)
        parent.send_signal(signal.SIGKILL)
        import select

        ended, _, _ = select.select([descriptor], [], [], PATIENCE)
        os.close(descriptor)
        assert ended


def test_ready_line_is_all_of_standard_output() -> None:
    """The first line is the ready line, nothing follows it, and a signal ends the process with 0."""
    with subprocess.Popen(
        [sys.executable, "-m", "tcnb", "practice", "--people", "2", "--rate", "50"],
        stdout=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        env=environment_of(Options()),
    ) as process:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        assert ready == {"event": "ready", "host": "127.0.0.1", "port": ready["port"], "domain": "practice.local"}
        process.send_signal(signal.SIGTERM)
        assert process.stdout.read() == b""
        assert process.wait(PATIENCE) == 0


def test_command_line_says_the_same_as_options(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Options turned into a command line and an environment, and back, are the same."""
    options = Options(
        host="::1",
        accounts=("a:b", "c:d :Name With Spaces", "#e: f"),
        people=3,
        rate=0.0,
        replies=False,
        seed=-4,
        generation="5.5.3",
        replay=tmp_path / "x.jsonl",
        password_login=False,
        faults=True,
        bridge_only=True,
        oauth_application="app",
        public_url="https://x.example",
    )
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    assert options_of(parser.parse_args([])) == Options()
    monkeypatch.setenv(ACCOUNTS, environment_of(options)[ACCOUNTS])
    assert options_of(parser.parse_args(arguments_of(options))) == options


def test_accounts_come_from_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of accounts is read besides `--account`; the environment's are then not used."""
    monkeypatch.setenv(ACCOUNTS, "zoe:zoe")
    listed = tmp_path / "accounts"
    listed.write_text("ann:one:Ann\r\n\nbob:two\n", "utf-8")
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    options = options_of(parser.parse_args(["--account", "eve:three", "--accounts-file", str(listed)]))
    assert options.accounts == ("eve:three", "ann:one:Ann", "bob:two")
    assert options_of(parser.parse_args([])).accounts == ("zoe:zoe",)


def test_missing_file_of_accounts_is_told(tmp_path: Path) -> None:
    """A file of accounts that is not there is one line and exit code 2."""
    process = subprocess.run(
        [sys.executable, "-m", "tcnb", "practice", "--accounts-file", str(tmp_path / "none")],
        capture_output=True,
        text=True,
        env=environment_of(Options()),
        timeout=PATIENCE,
    )
    assert process.returncode == 2
    assert process.stderr.strip().endswith("none cannot be read: No such file or directory")


def test_passwords_are_not_in_the_list_of_processes() -> None:
    """The command line of a server that was started from Python has no account in it."""
    with start_process(accounts=("ann:SECRET:Ann",)) as practice:
        assert "SECRET" not in Path(f"/proc/{practice.pid}/cmdline").read_text()


def test_passwords_of_accounts_are_in_no_representation_and_no_error() -> None:
    """Neither options nor the refusal of an account say a password."""
    assert "SECRET" not in repr(Options(accounts=("ann:SECRET",)))
    with pytest.raises(ValueError, match="LOGIN:PASSWORD") as refused:
        Options(accounts=("ann@here:SECRET",))
    assert "SECRET" not in str(refused.value)


def test_thread_calls_into_the_server() -> None:
    """Functions are run in the server's thread, and their results come back."""
    with PracticeThread(people=2, history=5) as practice:
        assert practice.call(lambda server: server.port) == practice.port
        assert practice.call(lambda server: len(server.world.chats)) > 2


def test_thread_tells_why_it_did_not_start() -> None:
    """A port that is taken raises in the caller."""
    with PracticeThread() as first, pytest.raises(OSError, match=r"(?i)in use"):
        PracticeThread(port=first.port).start()
