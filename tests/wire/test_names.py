"""How names are compared, and what their form says."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcnb.wire.names import folded, full_id, is_user_id, is_word, linked_chat, login_of, tidied


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Release crew", "release CREW"),
        ("Release crew", "  Release \t crew\n"),
        ("Release crew", "Release\u00a0crew"),
        ("Release crew", "Release\u202f\u3000crew"),
        ("Release crew", "\ufeffRel\u200bease\u2060 \u200bcrew\u200d"),
        ("Release crew", "\u202eRelease\u00ad crew\u2069"),
        ("Йогурт", unicodedata.normalize("NFD", "йогурт")),
        ("Ёлка", unicodedata.normalize("NFD", "ЁЛКА")),
        ("Straße", "STRASSE"),
        ("Ångström", "A\u030angstro\u0308m"),
        ("Ångström", "\u212bngström"),
        ("❤ us", "❤\ufe0f us"),
    ],
)
def test_names_that_look_alike_are_one(one: str, other: str) -> None:
    """Composition, blanks of any kind, what nobody sees, and case make no difference."""
    assert folded(one) == folded(other)


@pytest.mark.parametrize(
    ("one", "other"), [("Release crew", "Releasecrew"), ("crew", "crew."), ("и", "й"), ("", "\u2800x")]
)
def test_names_that_look_different_are_two(one: str, other: str) -> None:
    """What can be seen makes a difference."""
    assert folded(one) != folded(other)


@given(st.text())
def test_folding_again_changes_nothing(name: str) -> None:
    """Whatever is in a name, its tidy and its folded form are final, and none begins or ends with a blank."""
    assert tidied(tidied(name)) == tidied(name) == tidied(name).strip()
    assert folded(tidied(name)) == folded(name)


@pytest.mark.parametrize(
    ("name", "chat_id"),
    [
        ("#c_3f9c1e77@video.example.com", "3f9c1e77"),
        (" #c_3f9c1e77@video.example.com\u200b", "3f9c1e77"),
        ("#c_b1c2-d3@10.0.0.5", "b1c2-d3"),
        ("#c_general", None),
        ("#c_two words@x", None),
        ("#c_@x", None),
        ("c_3f9c@x", None),
        ("Release crew", None),
    ],
)
def test_link_to_a_chat(name: str, chat_id: str | None) -> None:
    """The id stands between `#c_` and the last `@`."""
    assert linked_chat(name) == chat_id


def test_forms_of_people() -> None:
    """A person is `login@server`, and a login is a word."""
    assert all(map(is_user_id, ("alice@x", "a.b_c@video.example.com", "alice@corp.example@x", "ольга@x")))
    assert not any(map(is_user_id, ("alice", "@alice", "alice@", "alice and bob@x", "")))
    assert is_word("alice") and not is_word("alice doe") and not is_word("alice\u00a0doe")
    assert full_id("alice", "x") == "alice@x" and full_id("alice@y/web", "x") == "alice@y"
    assert login_of("Alice@X/web", "x") == "Alice" and login_of("alice@y", "x") == "alice@y"
