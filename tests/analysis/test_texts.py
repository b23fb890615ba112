"""How words, emoji, addresses and mentions are found in one text."""

from __future__ import annotations

import pytest

from tcnb.analysis import text


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("Hello, WORLD!", ["hello", "world"]),
        ("Ёлка – это «ёлка»", ["ёлка", "это", "ёлка"]),
        ("don't re-use it’s", ["don't", "re-use", "it’s"]),
        ("из-за как-то", ["из-за", "как-то"]),
        ("v5.6.1 x86 2026", ["v", "x"]),
        ("שלום עולם", ["שלום", "עולם"]),
        ("نَعَم हिन्दी", ["نَعَم", "हिन्दी"]),
        ("e\u0301te\u0301", ["été"]),
        ("see https://example.com/word now", ["see", "now"]),
        ("@alice.doe hi mail@example.com", ["hi"]),
        ("- ' —", []),
        ("", []),
    ],
)
def test_words(value, found):
    """Words are letters of any script with their marks, and apostrophes and hyphens inside."""
    assert text.words(value) == found


def test_word_of_4096_characters():
    """A word may be as long as a message."""
    assert text.words("а" * 4096) == ["а" * 4096]
    assert text.words("a-" * 2048) == ["-".join("a" * 2048)]


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("👍", ["👍"]),
        ("👍👍", ["👍", "👍"]),
        ("👍🏽", ["👍🏽"]),
        ("👩‍💻👨‍👩‍👧‍👦", ["👩‍💻", "👨‍👩‍👧‍👦"]),
        ("🏳️‍🌈 🏴‍☠️", ["🏳‍🌈", "🏴‍☠️"]),
        ("🤷🏻‍♀️🤷‍♂", ["🤷🏻‍♀️", "🤷‍♂️"]),
        ("🇷🇺🇬🇧", ["🇷🇺", "🇬🇧"]),
        ("🏴󠁧󠁢󠁥󠁮󠁧󠁿", ["🏴󠁧󠁢󠁥󠁮󠁧󠁿"]),
        ("1️⃣ #⃣ 12", ["1️⃣", "#️⃣"]),
        ("❤ ❤️ ❤︎", ["❤️", "❤️"]),
        ("☀️ but ☀ and ™ © 3 → ↔", ["☀️"]),
        ("⌚ 🀄 ✅ 🫠", ["⌚", "🀄", "✅", "🫠"]),
        ("no emoji :-) привет", []),
    ],
)
def test_emoji(value, found):
    """Flags, keycaps, tones of skin, tags and joined emoji are one each; signs of text are none without a selector."""
    assert text.emoji(value) == found
    assert text.may_have_emoji(value) or not found


def test_emoji_without_tones():
    """The tone of skin can be taken off; a tone alone is an emoji of its own."""
    assert text.emoji("👍🏽🤷🏻‍♀️ 🏽", skin_tones=False) == ["👍", "🤷‍♀️", "🏽"]


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("https://example.com.", ["https://example.com"]),
        ("(see http://a.example/b_(c))", ["http://a.example/b_(c)"]),
        ("«https://пример.рф/путь?q=1#x», www.example.org!", ["https://пример.рф/путь?q=1#x", "www.example.org"]),
        ("https:// http://x example.com", []),
        ("ftp://h.example/a,b;", ["ftp://h.example/a,b"]),
        ("http://[::1 broken", []),
    ],
)
def test_links(value, found):
    """An address ends before the punctuation of the sentence and at quotation marks."""
    assert text.links(value) == found


def test_domain():
    """The domain is in lower case, without user, port and www."""
    assert text.domain("https://me@WWW.Example.COM:8443/x") == "example.com"


def test_stop_words_of_both_languages():
    """The lists know both languages, also words with ё and with apostrophes of either form."""
    assert {"the", "и", "еще", "don't"} <= text.stop_words()
    assert text.folded("Ещё") in text.stop_words()
    assert text.folded("don’t") in text.stop_words()


def test_login_of_two_servers_names_nobody():
    """Where two people share a login, `@login` is left as written; the full id says who."""
    people = text.People({"bob@a": "Bob A", "bob@b": "Bob B"})
    assert people.mentioned("@bob and @BOB@b") == {("", "@bob"), ("bob@b", "")}


def test_display_name_behind_an_at():
    """Exports of Slack write display names behind an @: of several words or of one, it is that person alone."""
    people = text.People({"U1": "Anna Maria", "U2": "bob", "U3": "Anna"})
    assert people.mentioned("@Anna Maria, @bob: bob?") == {("U1", ""), ("U2", "")}
    assert people.mentioned("@Anna and @Bobby") == {("U3", ""), ("", "@Bobby")}


def test_name_within_a_longer_name_is_not_mentioned():
    """The longest name counts, and only as whole words; a name that two people have names nobody."""
    people = text.People(
        {"1@s": "Anna Maria", "2@s": "Anna Maria Lee", "3@s": "Same Name", "4@s": "Same Name", "5@s": "Bob"}
    )
    assert people.mentioned("Anna  Maria Lee, Same Name, Bob, xAnna Maria") == {("2@s", "")}
