"""What `tcnb doctor` says of servers, accounts, certificates, journals and software, against real ones of each."""

from __future__ import annotations

import datetime
import json
import os
import socket
import sqlite3
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest
import trustme

from tcnb.commands.cli import main
from tcnb.commands.doctor import journals, software
from tcnb.commands.doctor.findings import ok, problem, summary, warning
from tcnb.commands.doctor.server import MOST_SKEW, _clock, _skew
from tcnb.journal.journal import Entry, Journal, default_path
from tcnb.practice import PracticeThread

ACCOUNTS = ("robot:s3cret-word:Robot",)


@dataclass
class Report:
    """What the doctor said.

    Attributes:
        code: its exit code.
        findings: verdict and text by the name of the check; of several under one name, the last.
        printed: all of it.
    """

    code: int
    printed: str
    findings: dict[str, tuple[str, str]] = field(default_factory=dict)

    def __getitem__(self, check: str) -> tuple[str, str]:
        return self.findings[check]


@pytest.fixture(autouse=True)
def surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No variables that name accounts or proxies, and no .env file."""
    for name in list(os.environ):
        if name.startswith("TRUECONF_") or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def doctor(capsys: pytest.CaptureFixture[str]) -> Any:
    """Runs the command and reads what it printed."""

    def doctor(*arguments: str) -> Report:
        code = main(["doctor", *arguments, "--json"])
        printed = capsys.readouterr().out
        said = json.loads(printed)
        assert said["ok"] == (code == 0)
        return Report(code, printed, {one["check"]: (one["verdict"], one["text"]) for one in said["findings"]})

    return doctor


@pytest.fixture
def robot(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment holds the password of the account."""
    monkeypatch.setenv("TRUECONF_USERNAME", "robot")
    monkeypatch.setenv("TRUECONF_PASSWORD", "s3cret-word")


@pytest.fixture
def server() -> Iterator[PracticeThread]:
    """A practice server with one account."""
    with PracticeThread(accounts=ACCOUNTS) as thread:
        yield thread


def at(server: PracticeThread) -> tuple[str, ...]:
    """Return the arguments that name a practice server without TLS."""
    return f"127.0.0.1:{server.port}", "--http"


# -- the way to a server -----------------------------------------------------------------------------------------------


def test_all_is_well(doctor: Any, server: PracticeThread, robot: None) -> None:
    """Every step of the way to a server that works is ok, and the account is named."""
    report = doctor(*at(server))
    assert report.code == 0
    verdicts = {check: verdict for check, (verdict, _) in report.findings.items()}
    steps = ("name", "port", "server", "clock", "socket", "token", "login", "journal folder", "packages", "widgets")
    assert {verdicts[check] for check in steps} == {"ok"}
    assert "robot@practice.local" in report["login"][1]
    assert "json.v1" in report["socket"][1]
    assert "from the environment" in report["token"][1]


def test_file_that_others_may_write(doctor: Any, server: PracticeThread, robot: None, tmp_path: Path) -> None:
    """A `.env` file that is passed over is a warning, which says how to mend that."""
    (tmp_path / ".env").write_text("TRUECONF_PASSWORD=theirs\n")
    (tmp_path / ".env").chmod(0o666)
    report = doctor(*at(server))
    assert report.code == 0
    verdict, text = report["credentials"]
    assert (verdict, "chmod go-w" in text) == ("warning", True)


def test_lines_for_people(capsys: pytest.CaptureFixture[str], server: PracticeThread, robot: None) -> None:
    """Without --json there is a line a finding, which begins with its verdict, and a last one that sums up."""
    assert main(["doctor", *at(server)]) == 0
    *lines, last = capsys.readouterr().out.splitlines()
    assert {line.split()[0] for line in lines} <= {"ok", "warning", "problem"}
    warned = [line.split()[1] for line in lines if line.startswith("warning")]
    assert last == "everything is in order" or (warned and last.startswith(f"{len(warned)} warning"))


def test_summary() -> None:
    """The last line counts what was found, problems first, and names a check once."""
    assert summary([ok("name", "…")]) == "everything is in order"
    assert summary([ok("name", "…"), warning("clock", "…")]) == "1 warning: clock"
    found = [problem("TLS", "…"), warning("clock", "…"), problem("journal", "…"), problem("journal", "…")]
    assert summary(found) == "3 problems: TLS, journal; 1 warning: clock"


@pytest.mark.parametrize("timeout", ["-3", "nan", "soon"])
def test_timeout_that_is_none(capsys: pytest.CaptureFixture[str], timeout: str) -> None:
    """A time that cannot be waited for is refused before anything is looked at."""
    with pytest.raises(SystemExit) as ended:
        main(["doctor", "127.0.0.1", "--timeout", timeout])
    assert ended.value.code == 2
    said = capsys.readouterr()
    assert f"a number of seconds, 0 or more, not '{timeout}'" in said.err
    assert said.out == ""


def test_without_a_server_only_this_machine(doctor: Any) -> None:
    """Without a server nothing is looked up and nobody is asked."""
    report = doctor()
    assert report.code == 0
    assert not report.findings.keys() & {"name", "port", "TLS", "server", "token"}


def test_nothing_is_acknowledged(doctor: Any, server: PracticeThread, robot: None) -> None:
    """What the bot has not read is unread still, so the examination takes no message from it."""

    def say(practice: Any) -> None:
        world = practice.world
        alice = world.add_user("alice", "Alice", "alice")
        chat = world.create_p2p(alice, world.account("robot"))
        world.say(alice, chat.chat_id, "hello", "text")
        practice.deliver()

    server.call(say)
    assert doctor(*at(server)).code == 0
    assert server.call(lambda practice: len(practice.world.unread("robot@practice.local"))) == 1


def test_nobody_listens(doctor: Any) -> None:
    """A port where nothing listens is named, and the rest of the way is not gone."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        report = doctor(f"127.0.0.1:{taken.getsockname()[1]}", "--http")
    assert report.code == 1
    assert report["port"][0] == "problem"
    assert "nothing listens" in report["port"][1]
    assert "token" not in report.findings


@pytest.mark.parametrize(("flags", "check"), [((), "TLS"), (("--http",), "server")])
def test_server_that_never_answers(doctor: Any, flags: tuple[str, ...], check: str) -> None:
    """A server that takes connections and says nothing is given up after the time-out."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        report = doctor(f"127.0.0.1:{silent.getsockname()[1]}", "--timeout", "1", *flags)
    assert report.code == 1
    assert report["port"][0] == "ok"
    assert report[check][0] == "problem"


def test_unknown_name(doctor: Any) -> None:
    """A name that nobody knows is told apart from a server that is down."""
    report = doctor("nowhere.invalid", "--timeout", "5")
    assert report.code == 1
    assert report["name"][0] == "problem"


def test_address_that_is_none(capsys: pytest.CaptureFixture[str]) -> None:
    """What is no address at all is one line, as everywhere."""
    assert main(["doctor", "https://"]) == 1
    assert "is not a server's address" in capsys.readouterr().err


def test_not_a_trueconf_server(doctor: Any, server: PracticeThread, robot: None) -> None:
    """A server without the web service is told, and without the bot socket it is a problem."""
    server.call(lambda practice: practice.fail_next_http("server", 404))
    assert doctor(*at(server))["server"][0] == "warning"
    server.call(lambda practice: practice.fail_next_http("socket", 503))
    verdict, text = doctor(*at(server))["socket"]
    assert verdict == "problem"
    assert "limit of connections" in text


# -- accounts ----------------------------------------------------------------------------------------------------------


def test_password_that_is_an_ordinary_word(
    doctor: Any, server: PracticeThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No gap in a sentence tells which word of it the password is."""
    monkeypatch.setenv("TRUECONF_PASSWORD", "wrong")
    report = doctor(*at(server), "--username", "robot")
    assert "wrong login or password" in report["token"][1]
    assert "hidden" not in report.printed


def test_wrong_password(doctor: Any, server: PracticeThread, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong password is told with the place it came from, and never shown."""
    monkeypatch.setenv("TRUECONF_PASSWORD", "wr0ng-word")
    report = doctor(*at(server), "--username", "robot")
    assert report.code == 1
    assert report["token"][0] == "problem"
    assert "wrong login or password" in report["token"][1]
    assert "from the environment" in report["token"][1]
    assert report["token"][1].count("check both") == 1
    assert "tcnb doctor" not in report["token"][1]
    assert "wr0ng-word" not in report.printed


def test_secret_that_a_server_repeats_is_hidden(doctor: Any, server: PracticeThread, robot: None) -> None:
    """Even where the server says a password back, it is not printed."""
    server.call(lambda practice: practice.fail_next_http("token", 403, '{"reason": "no: s3cret-word"}'))
    report = doctor(*at(server))
    assert "s3cret-word" not in report.printed
    assert "<hidden>" in report["token"][1]


def test_no_password_anywhere(doctor: Any, server: PracticeThread) -> None:
    """Where there is no password and nobody to ask, the places are listed where it could be."""
    report = doctor(*at(server), "--username", "robot")
    assert report["token"][0] == "problem"
    assert "TRUECONF_PASSWORD" in report["token"][1]


def test_password_login_switched_off(doctor: Any, server: PracticeThread, robot: None) -> None:
    """A server without password logins asks for an application, and one that it does not know is named."""
    server.call(lambda practice: setattr(practice.faults, "password_login_disabled", True))
    assert "client_id" in doctor(*at(server))["token"][1]
    report = doctor(*at(server), "--client-id", "nobody-knows-it")
    assert report["token"][0] == "problem"
    assert "client id nobody-knows-it" in report["token"][1]


def test_disabled_account(doctor: Any, server: PracticeThread, robot: None) -> None:
    """An account that its administrator has switched off is told so at the login."""
    server.call(lambda practice: setattr(practice.world.account("robot"), "disabled", True))
    report = doctor(*at(server))
    assert report.code == 1
    assert report["login"][0] == "problem"
    assert "disabled" in report["login"][1]


def test_ready_token_that_has_ended(doctor: Any, server: PracticeThread, monkeypatch: pytest.MonkeyPatch) -> None:
    """A ready token that the server refuses is a problem, and it is not printed."""
    monkeypatch.setenv("TRUECONF_TOKEN", "ended.token.value")
    report = doctor(*at(server))
    assert report["login"][0] == "problem"
    assert "ended.token.value" not in report.printed


# -- certificates ------------------------------------------------------------------------------------------------------


@dataclass
class Secured:
    """A practice server that speaks TLS under a CA of its own."""

    authority: trustme.CA
    ca_file: Path
    certificate: Any

    def serve(self) -> PracticeThread:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self.certificate.configure_cert(context)
        return PracticeThread(ssl_options=context, accounts=ACCOUNTS)


@pytest.fixture
def secured(tmp_path: Path) -> Any:
    """Makes a certificate for some names, with a CA file beside it."""

    def secured(*names: str, **options: Any) -> Secured:
        authority = trustme.CA()
        authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
        return Secured(authority, tmp_path / "ca.pem", authority.issue_cert(*names, **options))

    return secured


def test_private_authority_that_is_known(doctor: Any, secured: Any, robot: None) -> None:
    """With the CA's file the certificate is trusted, and its end is told."""
    made = secured("127.0.0.1")
    with made.serve() as server:
        report = doctor(f"127.0.0.1:{server.port}", "--ca", str(made.ca_file))
    assert report.code == 0
    assert report["TLS"][0] == "ok"
    assert "valid until" in report["TLS"][1]


def test_unknown_issuer(doctor: Any, secured: Any) -> None:
    """Without the CA's file the issuer is unknown, and both ways out are named."""
    with secured("127.0.0.1").serve() as server:
        report = doctor(f"127.0.0.1:{server.port}")
    assert report.code == 1
    assert report["TLS"][0] == "problem"
    assert "does not know who issued" in report["TLS"][1]
    assert "--ca FILE" in report["TLS"][1]


def test_expired_certificate(doctor: Any, secured: Any) -> None:
    """A certificate that has ended is told apart from one that is not trusted."""
    ended = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=1)
    made = secured("127.0.0.1", not_after=ended, not_before=ended - datetime.timedelta(days=30))
    with made.serve() as server:
        report = doctor(f"127.0.0.1:{server.port}", "--ca", str(made.ca_file))
    assert report["TLS"][0] == "problem"
    assert "expired" in report["TLS"][1]


def test_certificate_for_another_name(doctor: Any, secured: Any) -> None:
    """A certificate of another host is told with what the library says of it."""
    made = secured("video.example.com")
    with made.serve() as server:
        report = doctor(f"127.0.0.1:{server.port}", "--ca", str(made.ca_file))
    assert report["TLS"][0] == "problem"
    assert "another name" in report["TLS"][1]


def test_unverified(doctor: Any, secured: Any, robot: None) -> None:
    """What is not checked is a warning, and the way goes on."""
    with secured("video.example.com").serve() as server:
        report = doctor(f"127.0.0.1:{server.port}", "--no-verify")
    assert report.code == 0
    assert report["TLS"][0] == "warning"


def test_server_without_tls(doctor: Any, server: PracticeThread) -> None:
    """TLS with a server that speaks none names the option that it takes."""
    report = doctor(f"127.0.0.1:{server.port}", "--timeout", "0.5")
    assert report["TLS"][0] == "problem"
    assert "--http" in report["TLS"][1]


@pytest.mark.parametrize("option", ["--ca", "--ca-file"])
def test_ca_file_that_is_none(capsys: pytest.CaptureFixture[str], tmp_path: Path, option: str) -> None:
    """A CA file that cannot be read is one line on standard error; the option has two spellings."""
    assert main(["doctor", "127.0.0.1", option, str(tmp_path / "missing.pem")]) == 1
    assert "missing.pem" in capsys.readouterr().err


# -- clock and proxies -------------------------------------------------------------------------------------------------


class Dated:
    """Stands for an answer of a server, of which only the date matters."""

    def __init__(self, **headers: str) -> None:
        self.headers = headers


def test_clock_that_is_wrong() -> None:
    """A clock far from the server's is a warning that says which way; without a date nothing is said."""
    skew = _skew(Dated(date=formatdate(1_000_000 + 300, usegmt=True)), 1_000_000, 1_000_000.4)  # type: ignore[arg-type]
    assert skew == pytest.approx(300, abs=2)
    assert _clock(300).verdict == "warning"
    assert "300 s behind" in _clock(300).text
    assert "ahead of" in _clock(-300).text
    assert _clock(MOST_SKEW - 1).verdict == "ok"
    assert _skew(Dated(), 0, 0) is None  # type: ignore[arg-type]
    assert _skew(Dated(date="yesterday"), 0, 0) is None  # type: ignore[arg-type]


def test_proxies_are_named_without_their_passwords(doctor: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy in the environment is told, and the login in it is not."""
    monkeypatch.setenv("https_proxy", "http://me:hush-hush@proxy.example.com:3128")
    report = doctor()
    assert report["proxies"][0] == "warning"
    assert "proxy.example.com:3128" in report["proxies"][1]
    assert "hush-hush" not in report.printed


# -- journals ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def journal() -> Path:
    """A journal with two frames, where journals of this user are."""
    path = default_path("video.example.com", "robot@video.example.com")
    written = Journal.open(path, "video.example.com", "robot@video.example.com")
    written.append([Entry("sendMessage", b"{}", 1), Entry("sendMessage", b"{}", 2)])
    written.close()
    return path


def test_whole_journal(doctor: Any, journal: Path) -> None:
    """A journal is told with its owner, version, size and that it is whole."""
    verdict, text = doctor()["journal"]
    assert verdict == "ok"
    for told in (str(journal), "robot@video.example.com", "2 events", "version 1", "whole"):
        assert told in text


def test_journal_at_work(doctor: Any, journal: Path) -> None:
    """A journal that a kernel writes just now can be examined, and is not changed."""
    writer = sqlite3.connect(journal)
    writer.execute("BEGIN IMMEDIATE")
    assert doctor("--journal", str(journal))["journal"][0] == "ok"
    writer.rollback()
    writer.close()


def test_damaged_journal(doctor: Any, journal: Path) -> None:
    """A journal whose pages are overwritten is a problem, and the way to save what is left is named."""
    content = bytearray(journal.read_bytes())
    content[4096:] = b"\x55" * (len(content) - 4096)
    journal.write_bytes(content)
    report = doctor()
    assert report.code == 1
    assert report["journal"][0] == "problem"


def test_file_that_is_no_journal(doctor: Any, tmp_path: Path) -> None:
    """Another kind of file is not taken for a journal."""
    (tmp_path / "notes.txt").write_text("not a database at all" * 100)
    assert doctor("--journal", str(tmp_path / "notes.txt"))["journal"][0] == "problem"
    sqlite3.connect(tmp_path / "other.sqlite").execute("CREATE TABLE t (x)").connection.close()
    assert "no journal of tcnb" in doctor("--journal", str(tmp_path / "other.sqlite"))["journal"][1]


def test_journal_of_a_newer_version(doctor: Any, journal: Path) -> None:
    """A journal that a newer version wrote asks for an update."""
    with sqlite3.connect(journal) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    assert "update tcnb" in doctor()["journal"][1]


@pytest.mark.skipif(os.name != "posix", reason="permissions of files are of another kind here")
def test_journal_that_others_may_read(doctor: Any, journal: Path) -> None:
    """Permissions that let others read messages are a warning with the command that mends them."""
    journal.chmod(0o644)
    verdict, text = doctor()["journal"]
    assert verdict == "warning"
    assert "chmod 600" in text


def test_folder_that_cannot_be_written(tmp_path: Path) -> None:
    """A folder in which nothing can be made is a problem."""
    (tmp_path / "file").write_text("")
    finding = next(journals.examine(tmp_path / "file" / "journal.sqlite"))
    assert finding.verdict == "problem"


def test_little_space(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Little free space is a warning, hardly any a problem."""
    usage = journals.shutil.disk_usage(tmp_path)
    for free, verdict in ((journals.TIGHT - 1, "warning"), (journals.FULL - 1, "problem"), (journals.TIGHT, "ok")):
        monkeypatch.setattr(journals.shutil, "disk_usage", lambda _, free=free: usage._replace(free=free))
        assert next(journals.examine(tmp_path / "j.sqlite")).verdict == verdict


# -- software ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def versions(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Lets distributions have other versions than they have; None for one that is missing."""

    def versions(**changed: str | None) -> dict[str, tuple[str, str]]:
        real = software._version
        monkeypatch.setattr(software, "_version", lambda name: changed[name] if name in changed else real(name))
        found = {one.check: (one.verdict.value, one.text) for one in software.examine() if one.verdict != "ok"}
        monkeypatch.undo()
        return found

    return versions


def test_software_that_fits(versions: Any) -> None:
    """Nothing is found where everything fits."""
    assert versions(nest_asyncio2="1.7.4") == {}


def test_missing_package(versions: Any) -> None:
    """A package that is missing or too old is named with the command that installs it."""
    verdict, text = versions(msgspec=None)["packages"]
    assert verdict == "problem"
    assert "pip install 'msgspec" in text
    assert "websockets" in versions(websockets="9.0")["packages"][1]


def test_halves_of_widgets_that_do_not_fit(versions: Any) -> None:
    """Where kernel and browser have widgets of different series, both are named."""
    assert versions(jupyterlab_widgets="1.0.0")["widgets"][0] == "problem"
    verdict, text = versions(anywidget="0.1.0")["widgets"]
    assert verdict == "problem"
    assert "do not fit" in text


def test_combination_that_loses_cells(versions: Any) -> None:
    """nest_asyncio with a kernel with which it skips cells is a warning that names its successor."""
    verdict, text = versions(nest_asyncio="1.6.0", nest_asyncio2=None, ipykernel="7.0.0")["nested loops"]
    assert verdict == "warning"
    assert "nest-asyncio2" in text
    assert "nested loops" not in versions(nest_asyncio="1.6.0", nest_asyncio2=None, ipykernel="6.29.0")
