"""What README.md and the pages of docs/ name is there: links, pictures, magics, options, commands, attributes; and what
there is to be named is named. Whether their examples work is asked in `test_examples`.
"""

from __future__ import annotations

import argparse
import builtins
import inspect
import json
import pkgutil
import re
import shlex
from collections.abc import Callable, Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

import tcnb
from tcnb import analysis
from tcnb.client import credentials
from tcnb.commands import cli
from tcnb.errors import UsageError
from tcnb.notebook.magics.grammar import Option, Verb
from tcnb.notebook.magics.verbs import CELL_VERBS, VERBS
from tcnb.practice import Options, PracticeServer, PracticeThread, administration
from tcnb.routing import Router
from tcnb.routing.filters import Conditions
from tcnb.session import Session
from tcnb.status import Status

ROOT = Path(__file__).parents[1]
PAGES = {
    path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
    for path in (ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md")))
}
WRITTEN = {name: text for name, text in PAGES.items() if name not in ("docs/differences.md", "docs/outcomes.md")}
"""Pages that people have written, in which something counts as explained; tests write the others."""

COMMAND_PAGES = {
    "practice": "docs/practice.md",
    "doctor": "docs/doctor.md",
    "login": "docs/doctor.md",
    "export": "docs/archives.md",
}
"""Commands, and the page that explains each; `demo` is what `make demo` calls."""

NO_OPTIONS = {
    "--force": "a text",
    "--markdwon": "a typing error",
    "--password": "refused on a line",
    "--token": "refused on a line",
    "-vv": "-v twice",
    "-wal": "the end of a file's name",
    "-shm": "the end of a file's name",
}
"""What looks like an option on a page and is none, and what it is."""

INNER = {
    "kept_frames": "for the feed",
    "read_past": "for the feed",
    "restored_seq": "for the feed",
}
"""Public names of a session that no page needs to explain, and whom they are for."""


def spans(text: str) -> list[str]:
    """Return what stands between backticks in a line, and the lines of the blocks of code."""
    blocks = re.findall(r"^```\w*\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    rest = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    return re.findall(r"`([^`]+)`", rest) + [line for block in blocks for line in block.splitlines()]


def section(page: str, heading: str) -> str:
    """Return what stands under a heading, without the headings as high or higher that follow."""
    found = re.search(rf"^(#+) {re.escape(heading)}$(.*?)(?=^#{{1,2}} |\Z)", PAGES[page], re.MULTILINE | re.DOTALL)
    assert found is not None, f"{page} has no heading {heading!r}"
    return found[2]


def named(name: str, text: str) -> bool:
    """Tell whether a name stands in a text as a word of its own, between backticks or in a block."""
    return any(re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", span) for span in spans(text))


# -- links -------------------------------------------------------------------------------------------------------------


def anchors(text: str) -> set[str]:
    """Return the anchors that GitHub gives the headings of a page."""
    found: dict[str, int] = {}
    anchors = set()
    for heading in re.findall(r"^#+ (.*)$", re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S), re.MULTILINE):
        shown = re.sub(r"!?\[([^\]]*)\]\([^)]*\)|[`*]", r"\1", heading)
        anchor = re.sub(r"[^\w\- ]", "", shown.strip().lower()).replace(" ", "-")
        anchors.add(f"{anchor}-{found[anchor]}" if anchor in found else anchor)
        found[anchor] = found.get(anchor, 0) + 1
    return anchors


def links(text: str) -> list[str]:
    """Return where the links and the pictures of a page lead to; what is code holds none."""
    prose = re.sub(r"^```.*?^```$|`[^`\n]+`", "", text, flags=re.MULTILINE | re.DOTALL)
    return re.findall(r"\]\(([^)\s]+)\)", prose) + re.findall(r"\b(?:src|srcset|href)=\"([^\"]+)\"", prose)


def with_links() -> Iterator[tuple[str, str]]:
    """Yield each page and each lesson with its text."""
    yield from PAGES.items()
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        text = "\n\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
        yield path.relative_to(ROOT).as_posix(), text


@pytest.mark.parametrize(("page", "text"), [pytest.param(*each, id=each[0]) for each in with_links()])
def test_links_lead_somewhere(page: str, text: str) -> None:
    """Every link without a host leads to a file that is there, and to a heading of it."""
    for link in links(text):
        target = urlsplit(link)
        if target.scheme:
            assert target.scheme == "https", link
            continue
        path = (ROOT / page).parent / target.path if target.path else ROOT / page
        assert path.exists(), f"{page} links to {link}"
        assert path.resolve().is_relative_to(ROOT), f"{page} links to {link}, outside of the repository"
        if target.fragment:
            assert target.fragment in anchors(path.read_text(encoding="utf-8")), f"{page} links to {link}"


def test_every_page_and_picture_is_reached() -> None:
    """From README.md one comes to every page; no picture lies about."""
    reached, waiting = {"README.md"}, ["README.md"]
    while waiting:
        page = waiting.pop()
        for link in links(PAGES.get(page, "")):
            path = ((ROOT / page).parent / urlsplit(link).path).resolve()
            if not urlsplit(link).scheme and path.is_relative_to(ROOT):
                found = path.relative_to(ROOT).as_posix()
                waiting += [found] if found not in reached else []
                reached.add(found)
    there = {path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").rglob("*") if path.is_file()}
    assert there - reached == set()


# -- magics ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES)
def test_magics_that_are_named_exist(page: str) -> None:
    """Every magic that is named exists, and with two signs it takes a cell; `%tc_verb` stands for any."""
    for signs, name in re.findall(r"(%{1,2})(tc_\w+)", PAGES[page]):
        assert name in VERBS or name == "tc_verb", name
        assert signs == "%" or name in CELL_VERBS, f"%%{name}"


@pytest.mark.parametrize("name", VERBS)
def test_every_magic_is_explained(name: str) -> None:
    """A magic is in the table of the page about magics; the section that is named there has all its options."""
    row = re.search(rf"^\| \[[^\]]*`%{name}`[^\]]*\]\(#([\w-]+)\) \|", PAGES["docs/magics.md"], re.MULTILINE)
    assert row is not None, f"the table of docs/magics.md has no %{name}"
    (heading,) = [
        one for one in re.findall(r"^## (.*)$", PAGES["docs/magics.md"], re.M) if anchors(f"# {one}") == {row[1]}
    ]
    text = section("docs/magics.md", heading)
    if "Options are those of `%tc_send`" in text:
        text += section("docs/magics.md", "Sending text")
    assert named(f"%{name}", text), f"{heading!r} does not name %{name}"
    missing = [
        option.written for option in VERBS[name].options if option.name != "as" and not named(option.written, text)
    ]
    assert missing == []


def option_named(span: str) -> re.Match[str] | None:
    """Return the option with its value that makes up a piece of code, as in a table of options."""
    return re.fullmatch(r"(--?[a-z][\w-]*)(?:[ =](\S.*))?", span)


def of_magics(written: str) -> list[Option]:
    """Return the options of magics that are written so."""
    return [option for verb in VERBS.values() if (option := verb.find(written)) is not None]


def of_commands(written: str, commands: list[str]) -> list[argparse.Action]:
    """Return the options of commands that are written so."""
    return [action for name in commands for action in parser_of(name)._actions if written in action.option_strings]


def parser_of(command: str) -> argparse.ArgumentParser:
    """Return the parser of a command."""
    parser = argparse.ArgumentParser()
    import_module(cli.COMMANDS[command][0]).add_arguments(parser)
    return parser


@pytest.mark.parametrize("page", PAGES)
def test_options_that_are_named_exist(page: str) -> None:
    """An option that is named by itself belongs to a magic, or to a command that the page explains."""
    commands = [command for command, explained in COMMAND_PAGES.items() if explained == page]
    for span in spans(PAGES[page]):
        if (found := option_named(span)) is None or found[1] in NO_OPTIONS:
            continue
        assert of_magics(found[1]) or of_commands(found[1], commands), f"{page} names {span!r}"


def test_tables_of_options_name_the_values() -> None:
    """Where an option of a magic is shown with its value, the value has the name that it has elsewhere."""
    for span in re.findall(r"`(--?[a-z][^`]*)`", PAGES["docs/magics.md"]):
        found = option_named(span)
        if found is not None and found[2] is not None and found[2].isupper():
            assert found[2] in {option.takes for option in of_magics(found[1])}, span


# -- commands ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES)
def test_commands_that_are_named_can_be_given(page: str) -> None:
    """What a page shows of `python -m tcnb …` is understood by its parser; modules and targets of make are there."""
    for span in spans(PAGES[page]):
        for module, rest in re.findall(r"\bpython -m ([\w.]+)([^|>]*)", span):
            words = shlex.split(rest, comments=True) if module == "tcnb" else []
            if len(words) == 1:  # a command is named, and not how it is given
                assert words[0] in cli.COMMANDS, span
            elif words:
                cli._parser(words).parse_args(words)
            else:
                assert module == "keyring" or find_spec(module), span
        for target in re.findall(r"^(?:\$ )?make (\w+)", span):
            assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE), span


@pytest.mark.parametrize("command", COMMAND_PAGES)
def test_every_option_of_a_command_is_explained(command: str) -> None:
    """The page about a command names all its options."""
    options = [action.option_strings for action in parser_of(command)._actions if action.dest != "help"]
    text = PAGES[COMMAND_PAGES[command]]
    assert [names for names in options if names and not any(named(name, text) for name in names)] == []


def test_defaults_of_the_practice_server_are_as_shown() -> None:
    """The table of its options has the defaults that it has."""
    options = Options()
    defaults = {name: getattr(options, name) for name in Options.__annotations__}
    defaults |= {"rate": options.talk_rate, "account": options.accounts[0]}
    compared = 0
    for row in re.findall(r"^\| `--.*$", section("docs/practice.md", "Options"), re.MULTILINE):
        names, _, shown = [re.findall(r"`([^`]+)`", cell) for cell in row.split("|")[1:-1]]
        for name, value in zip(names, shown, strict=bool(shown)):
            default = defaults[re.split("[ =]", name)[0].removeprefix("--").replace("-", "_")]
            assert value == (f"{default:g}" if isinstance(default, float) else str(default)), name
            compared += 1
    assert compared >= 10


def test_orders_of_faults_are_as_shown() -> None:
    """The table of faults has every operation, with its arguments."""
    orders = {
        name: list(inspect.signature(getattr(PracticeServer, name)).parameters)[1:] for name in administration._METHODS
    }
    orders["set_faults"] = list(administration._SWITCHES)
    orders["say"] = list(inspect.signature(administration._say).parameters)[1:]
    orders["state"] = []
    shown = {}
    for row in re.findall(r"^\| `.*$", section("docs/practice.md", "Faults"), re.MULTILINE):
        operation, arguments = [re.findall(r"`(\w+)`", re.sub(r"\(.*?\)", "", cell)) for cell in row.split("|")[1:3]]
        shown[operation[0]] = arguments
    assert {name: sorted(arguments) for name, arguments in shown.items()} == {
        name: sorted(arguments) for name, arguments in orders.items()
    }


# -- Python ------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def tc() -> Iterator[Session]:
    """A session with a practice server of its own."""
    with (
        PracticeThread(people=2, rate=0, history=10) as practice,
        tcnb.connect(practice.url, username="robot", password="robot", journal=None) as session,
    ):
        yield session


@pytest.mark.parametrize("page", PAGES)
def test_attributes_that_are_named_exist(page: str, tc: Session) -> None:
    """What is written as an attribute of a session, a bot, a widget, a frame or the package is one."""
    roots: dict[str, Any] = {
        "tc": tc,
        "bot": tcnb.Bot,
        "router": tc.router,
        "feed": tc.feed(),
        "panel": tc.panel(),
        "composer": tc.composer(),
        "tcnb": tcnb,
    }
    for span in spans(PAGES[page]):
        for root, path in re.findall(r"(?<![\w./\"'-])(tc|bot|router|feed|panel|composer|tcnb)((?:\.\w+)+)", span):
            if re.search(r"\.(md|py|png|local|js|json)$", path) or "(`docs" in span:
                continue
            assert leads_somewhere(roots[root], path.removeprefix(".").split("."), f"{root}{path}"), (
                f"{page}: {root}{path}"
            )
        for name in re.findall(r"(?<=[\w)\]])\.tc\.(\w+)", span):
            assert name in dir(tc.df.tc), f"{page}: .tc.{name}"


def leads_somewhere(thing: Any, names: list[str], path: str) -> bool:
    """Tell whether a thing has what is named, one in the other, or whether the path is that of a module."""
    for name in names:
        if not hasattr(thing, name):
            return resolved(path) is not None
        thing = getattr(thing, name)
        if isinstance(thing, property):  # of a class: what it would be is not known
            return True
    return True


def resolved(path: str) -> Any:
    """Return the module or the thing in a module of that path, None if there is none."""
    try:
        return pkgutil.resolve_name(path)
    except (ImportError, AttributeError):
        return None


@pytest.mark.parametrize("page", PAGES)
def test_errors_and_variables_that_are_named_exist(page: str) -> None:
    """Every error that is named is one of the package or of Python; every variable of the environment is looked for."""
    known = {value for name, value in vars(credentials).items() if name.isupper() and isinstance(value, str)}
    for span in spans(PAGES[page]) if page in WRITTEN else []:
        for name in re.findall(r"(?<![\w.])([A-Z]\w+(?:Error|Exception))\b", span):
            assert hasattr(tcnb.errors, name) or hasattr(builtins, name), f"{page}: {name}"
        for name in re.findall(r"\bTRUECONF_\w+", span):
            assert name in known, f"{page}: {name}"


@pytest.mark.parametrize("page", PAGES)
def test_files_that_are_named_exist(page: str) -> None:
    """Every path into the repository that is named leads to something."""
    for span in spans(PAGES[page]):
        for path in re.findall(r"^(?:tests|docs|notebooks|benchmarks|binder|tcnb)/[\w/.*-]*$", span):
            assert (ROOT / path).exists(), f"{page}: {path}"


def public(kind: type) -> list[str]:
    """Return the public names of a class."""
    return [name for name in dir(kind) if not name.startswith("_")]


def test_every_verb_of_a_session_is_explained() -> None:
    """The page about the session names everything that a session has, and each verb beside its twin."""
    text = PAGES["docs/python.md"]
    there = {*public(Session), "name", "username", "address", "bot", "router"}
    assert {name for name in there - INNER.keys() if not named(f"tc.{name}", text)} == set()


def test_every_argument_of_connect_is_explained() -> None:
    """The page about the session has what `connect` takes, and `aconnect` takes the same."""
    arguments = list(inspect.signature(tcnb.connect).parameters)
    assert arguments == list(inspect.signature(tcnb.aconnect).parameters)
    text = section("docs/python.md", "Connecting")
    assert [name for name in arguments if not named(name, text)] == []


def test_bounds_of_looking_back_are_as_shown() -> None:
    """The page about the journal has the bounds of `CatchUp` with their defaults."""
    shown = re.findall(r"^\| `(\w+)` \| ([\d,]+) \|", section("docs/journal.md", "After an absence"), re.MULTILINE)
    assert {name: int(value.replace(",", "")) for name, value in shown} == vars(tcnb.CatchUp())


def test_every_public_name_is_explained() -> None:
    """Every name of the package stands on some page; what IPython calls, and the version, need no words."""
    unsaid = {"__version__", "load_ipython_extension", "unload_ipython_extension", "Session"}
    everything = "\n\n".join(WRITTEN.values())
    assert [name for name in tcnb.__all__ if name not in unsaid and not named(name, everything)] == []


def test_every_analysis_is_explained() -> None:
    """The page about the analyses has a section with an example for each."""
    names = analysis.__all__
    headings = re.findall(r"^## `(\w+)`$", PAGES["docs/analysis.md"], re.MULTILINE)
    assert sorted(headings) == sorted(names)
    for name in names:
        assert f"tc.df.tc.{name}(" in section("docs/analysis.md", f"`{name}`")


def test_what_can_be_asked_of_events_is_as_shown() -> None:
    """In the table of the decorators a check mark stands where a condition may be asked, and nowhere else."""
    heading, _, *table = re.findall(r"^\|.*\|$", section("docs/handlers.md", "Which events"), re.MULTILINE)
    conditions = re.findall(r"`(\w+)=`", heading)
    assert set(conditions) == set(Conditions.__annotations__)
    shown = set()
    for row in table:
        first, _, *marks = [cell.strip() for cell in row.split("|")[1:-1]]
        for name in re.findall(r"`(\w+)`", first):
            shown.add(name)
            for condition, mark in zip(conditions, marks, strict=True):
                assert may_be_asked(getattr(Router(), name), condition) == (mark == "✓"), f"{name}({condition}=…)"
    assert shown == {name for name in public(Router) if is_decorator(getattr(Router(), name))} - {"event"}


def may_be_asked(decorator: Callable[..., Any], condition: str) -> bool:
    """Tell whether a decorator takes a condition."""
    try:
        decorator(**{condition: "text"})
    except UsageError:
        return False
    return True


def is_decorator(method: Any) -> bool:
    """Tell whether a method of a router makes handlers of functions."""
    return callable(method) and inspect.signature(method).return_annotation == "Decorator"


def test_figures_of_the_status_that_are_named_exist() -> None:
    """What pages call a figure of `tc.status()` is one."""
    names = {name for page in WRITTEN.values() for name in re.findall(r"`tc\.status\(\)`[^.|]*?`([\w ]+)`", page)}
    assert names >= {"overflowed", "journal problem"}
    assert [name for name in names if name.replace(" ", "_") not in Status.__annotations__] == []


def test_every_magic_belongs_to_a_verb() -> None:
    """The table of the magics and the magics themselves are the same."""
    from tcnb.notebook.extension import MAGICS

    assert {name for magics in MAGICS for table in magics.magics.values() for name in table} == set(VERBS)
    assert all(isinstance(verb, Verb) for verb in VERBS.values())
