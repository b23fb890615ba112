"""What the Tab key offers on a magic's line."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from desk import Desk
from IPython.core.completer import provisionalcompleter

import tcnb


def completed(desk: Desk, line: str) -> list[str]:
    """Return the whole lines that the Tab key makes of this one; `|` is the cursor."""
    cursor = line.index("|")
    code = line.replace("|", "")
    with provisionalcompleter():
        found = list(desk.shell.Completer.completions(code, cursor))
    return [code[: one.start] + one.text + code[one.end :] for one in found]


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("%tc_send Rel|", ['%tc_send "Release crew"']),
        ("%tc_send rel|", ['%tc_send "Release crew"']),
        ("%tc_send crew|", ['%tc_send "Release crew"']),
        ('%tc_send "Release\u00a0 cr|', ['%tc_send "Release crew"']),
        ('%tc_send "Rel|', ['%tc_send "Release crew"']),
        ('%tc_send "Release c|', ['%tc_send "Release crew"']),
        ('%tc_send "Release c|"', ['%tc_send "Release crew"']),
        ("%tc_send 'Rel|", ["%tc_send 'Release crew'"]),
        ("%tc_send bo|", ["%tc_send bob"]),
        ("%tc_send bob@|", ["%tc_send bob@practice.local"]),
        ("%tc_send 3f9c|", ["%tc_send 3f9c1e77ab0d4c55e2910b6d8f3a7c21e4b5d690"]),
        ("%tc_send --markdown Rel|", ['%tc_send --markdown "Release crew"']),
        ("%%tc_send Rel|", ['%%tc_send "Release crew"']),
        ("sent = %tc_send Rel|", ['sent = %tc_send "Release crew"']),
        ("    %tc_send Rel|", ['    %tc_send "Release crew"']),
        ("%tc_photo Rel|", ['%tc_photo "Release crew"']),
        ("%tc_feed bob Rel|", ['%tc_feed bob "Release crew"']),
        ("%tc_send crew --mark|", ["%tc_send crew --markdown"]),
        ("%tc_send --re|", ["%tc_send --reply"]),
        (
            "%tc_send crew --mode |",
            ["%tc_send crew --mode html", "%tc_send crew --mode markdown", "%tc_send crew --mode text"],
        ),
        ("%tc_send crew --mode=h|", ["%tc_send crew --mode=html"]),
        ("%tc_send --as d|", ["%tc_send --as default"]),
        ("%tc_connect --pra|", ["%tc_connect --practice"]),
    ],
)
def test_offers(connected: Desk, line: str, offered: list[str]) -> None:
    """Titles are offered in quotes where they need them, then logins and ids, options and their values."""
    assert sorted(completed(connected, line)) == offered


def test_all_chats_of_an_empty_field(connected: Desk) -> None:
    """Before anything is typed all chats and people are offered; titles that several chats have as their ids."""
    offered = completed(connected, "%tc_send |")
    names = [line.removeprefix("%tc_send ") for line in offered]
    assert names == ['"Release crew"', '"Alice Liddell"', "bb11", "bb22", "cc33", "alice", "bob"]


def test_names_that_would_be_refused(connected: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """What several chats or people are called, a login or an id is no title to offer: the chat's id is."""
    chats = [
        ("Release crew", "aa11", "group"),
        ("release\u00a0CREW", "aa22", "channel"),
        ("alice", "bb11", "group"),
        ("bob@practice.local", "bb22", "p2p"),
        ("Ann Lee", "cc11", "p2p"),
        ("ann lee", "cc22", "group"),
        ("Sam", "dd11", "p2p"),
        ("Coffee", "ee11", "group"),
    ]
    people = [
        ("Alice Doe", "alice@practice.local"),
        ("Sam", "sam.one@practice.local"),
        ("Sam", "sam.two@practice.local"),
    ]
    monkeypatch.setattr(connected.session, "known_chats", lambda: chats)
    monkeypatch.setattr(connected.session, "known_people", lambda: people)
    names = [line.removeprefix("%tc_send ") for line in completed(connected, "%tc_send |")]
    ids = ["aa11", "aa22", "bb11", "bb22", "cc11", "cc22", "dd11"]
    assert names == [*ids, "Coffee", "alice", "sam.one", "sam.two"]


def test_sender_is_a_login(connected: Desk) -> None:
    """For a person no titles are offered, since a display name is refused there."""
    assert completed(connected, "%%tc_on message --sender |") == [
        "%%tc_on message --sender alice",
        "%%tc_on message --sender bob",
    ]
    assert completed(connected, "%%tc_on message --chat rel|") == ['%%tc_on message --chat "Release crew"']


def test_used_options_are_not_offered_again(connected: Desk) -> None:
    """An option that stands on the line is offered no more."""
    assert "%tc_send crew --html --html" not in completed(connected, "%tc_send crew --html --h|")


def test_nothing_in_the_text(connected: Desk) -> None:
    """Inside the text no chats are offered."""
    assert not [line for line in completed(connected, "%tc_send crew hello Rel|") if 'crew"' in line]


def test_names_in_braces(connected: Desk) -> None:
    """Inside braces IPython offers variables as everywhere."""
    connected.names["release_number"] = 7
    assert "%tc_send crew hello {release_number" in completed(connected, "%tc_send crew hello {release_n|")


def test_files(connected: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file field offers files and folders, in quotes where they need them."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "plots").mkdir()
    for name in ("plots/a.png", "plots/my plot.png", "plan.txt", ".hidden"):
        (tmp_path / name).touch()
    assert completed(connected, "%tc_photo crew pl|") == ["%tc_photo crew plan.txt", "%tc_photo crew plots/"]
    assert completed(connected, "%tc_photo crew plots/|") == [
        "%tc_photo crew plots/a.png",
        '%tc_photo crew "plots/my plot.png"',
    ]
    assert completed(connected, '%tc_photo crew "plots/my|') == ['%tc_photo crew "plots/my plot.png"']
    assert completed(connected, f"%tc_photo crew {os.fspath(tmp_path)}/pla|") == [f"%tc_photo crew {tmp_path}/plan.txt"]


def test_without_connection(desk: Desk) -> None:
    """Without a connection no chats are offered, and nothing fails."""
    assert completed(desk, "%tc_send Rele|") == []


def test_elsewhere(connected: Desk) -> None:
    """Lines that are not ours are completed as always."""
    connected.names["relevant"] = 1
    assert completed(connected, "releva|") == ["relevant"]
    assert "%tc_send" in completed(connected, "%tc_sen|")


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ('tc.df["mes|', ['tc.df["message_id"', 'tc.df["message_type"']),
        ("tc.df['reply|", ["tc.df['reply_to'"]),
        ('tc.df[["chat", "te|', ['tc.df[["chat", "text"']),
        ('tc.messages["edits|"]', ['tc.messages["edits"]']),
        ('counts = tc.people["me|', ['counts = tc.people["messages"']),
        ('tc.df["nothing like it|', []),
        ('tc.name["te|', []),
        ('other.tc.df["te|', []),
        ('nobody.df["te|', []),
    ],
)
def test_columns_of_frames(
    desk: Desk, tc: tcnb.Session, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, line: str, offered: list[str]
) -> None:
    """The columns of a session's frames are offered, though no frame is made for that."""
    monkeypatch.setattr("tcnb.notebook.magics.completion.get_ipython", lambda: desk.shell)
    monkeypatch.chdir(tmp_path)  # IPython offers files, too
    desk.names["tc"] = tc
    assert [one for one in completed(desk, line) if one.startswith(line.partition("[")[0])] == offered
