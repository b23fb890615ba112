"""How words, emoji, addresses and mentions are found in one text; nothing here knows frames."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from functools import cache
from importlib import resources
from typing import Final
from urllib.parse import urlsplit

# ── addresses ───────────────────────────────────────────────────────────────────────────────────────────────────────

_LINK: Final = re.compile(r"\b(?:(?:https?|ftp)://|www\.)[^\s<>\"'`«»“”„]++", re.IGNORECASE)
_BRACKETS: Final = {")": "(", "]": "[", "}": "{"}


def links(text: str) -> list[str]:
    """Return the addresses in a text, as written, without the punctuation that follows them."""
    return [link for found in _LINK.finditer(text) if len(domain(link := _trimmed(found[0]))) > 1]


def domain(url: str) -> str:
    """Return the host of an address in lower case, without `www.` and port; empty if it has none."""
    try:
        host = urlsplit(url if "://" in url else f"http://{url}").hostname or ""
    except ValueError:
        return ""
    return host.removeprefix("www.")


def _trimmed(link: str) -> str:
    while link:
        last = link[-1]
        if last in ".,;:!?…*_~|" or (last in _BRACKETS and link.count(last) > link.count(_BRACKETS[last])):
            link = link[:-1]
        else:
            break
    return link


# ── words ───────────────────────────────────────────────────────────────────────────────────────────────────────────

# No pattern starts twice in one run of its own signs, so that each takes a time that grows with the text.
_OTHER_LINK: Final = re.compile(r"(?<![\w+.\-])[a-z][a-z0-9+.\-]*+://[^\s<>\"'`]++", re.IGNORECASE)
_MAIL: Final = re.compile(r"(?<![\w.+\-])(?:mailto:)?[\w.+\-]++@\w[\w\-]*+(?:\.[\w\-]++)*+", re.IGNORECASE)
# A sentence that begins without a space behind another one (`done.Next`) is no address: only what ends in a usual
# domain, or goes on with a path, is.
_DOMAINS: Final = (
    "com|org|net|edu|gov|info|biz|io|ai|me|co|dev|app|tv|gg|xyz|online|site|local|ru|su|рф|рус|kz|ua|de|uk|fr|es|"
    "eu|pl|nl|ch|cz|cn|jp|br|ca|au"
)
_HOST: Final = re.compile(
    rf"(?<![\w@.\-])(?:[^\W_][\w\-]*+\.)+(?:(?:{_DOMAINS})(?![\w\-])(?::\d++)?(?:/[^\s<>\"'`]*+)?|[a-z]{{2,}}+(?::\d++)?/[^\s<>\"'`]*+)",
    re.IGNORECASE,
)
_MENTION: Final = re.compile(r"(?<![\w@.])@([\w][\w.\-]*(?:@[\w][\w.\-]*)?)")


@cache
def _word() -> re.Pattern[str]:
    """Return the pattern of a word: letters with the marks above and below them, inner apostrophes and hyphens."""
    marks = "".join(_ranges(range(0x300, 0x20000), lambda sign: unicodedata.category(sign) in ("Mn", "Mc")))
    letter = rf"(?:[^\W\d_][{marks}\u200c\u200d]*)"
    return re.compile(rf"{letter}++(?:['’ʼ\-‑]{letter}++)*+")


def words(text: str) -> list[str]:
    """Return the words of a text in lower case; addresses (links, hosts, mail) and mentions are left out."""
    if "://" in text or "www." in text.lower():
        text = _OTHER_LINK.sub(" ", _LINK.sub(" ", text))
    if "@" in text:
        text = _MENTION.sub(" ", _MAIL.sub(" ", text))
    if "." in text:
        text = _HOST.sub(" ", text)
    return [found[0].lower() for found in _word().finditer(unicodedata.normalize("NFC", text))]


def folded(word: str) -> str:
    """Return a word as it is compared with stop words: `ё` is `е`, and all apostrophes are alike."""
    return word.lower().replace("ё", "е").replace("’", "'").replace("ʼ", "'")


@cache
def stop_words() -> frozenset[str]:
    """Return the frequent words of Russian and English that say little about what a text is about."""
    folder = resources.files("tcnb.analysis") / "stopwords"
    lists = ((folder / f"{language}.txt").read_text(encoding="utf-8") for language in ("ru", "en"))
    return frozenset(folded(word) for text in lists for line in text.splitlines() for word in line.split())


# ── emoji ───────────────────────────────────────────────────────────────────────────────────────────────────────────

# Characters that are drawn as emoji by themselves (Unicode's Emoji_Presentation), and the pictographs beyond U+1F300
# that every chat draws so although they need a selector by the book.
_DRAWN: Final = (
    "\u231a\u231b\u23e9-\u23ec\u23f0\u23f3\u25fd\u25fe\u2614\u2615\u2648-\u2653\u267f\u2693\u26a1\u26aa\u26ab\u26bd"
    "\u26be\u26c4\u26c5\u26ce\u26d4\u26ea\u26f2\u26f3\u26f5\u26fa\u26fd\u2705\u270a\u270b\u2728\u274c\u274e"
    "\u2753-\u2755\u2757\u2795-\u2797\u27b0\u27bf\u2b1b\u2b1c\u2b50\u2b55\U0001f004\U0001f0cf\U0001f18e"
    "\U0001f191-\U0001f19a\U0001f201\U0001f21a\U0001f22f\U0001f232-\U0001f236\U0001f238-\U0001f23a\U0001f250\U0001f251"
    "\U0001f300-\U0001f321\U0001f324-\U0001f393\U0001f396\U0001f397\U0001f399-\U0001f39b\U0001f39e-\U0001f3f0"
    "\U0001f3f3-\U0001f3f5\U0001f3f7-\U0001f4fd\U0001f4ff-\U0001f53d\U0001f549-\U0001f54e\U0001f550-\U0001f567"
    "\U0001f56f\U0001f570\U0001f573-\U0001f57a\U0001f587\U0001f58a-\U0001f58d\U0001f590\U0001f595\U0001f596"
    "\U0001f5a4\U0001f5a5\U0001f5a8\U0001f5b1\U0001f5b2\U0001f5bc\U0001f5c2-\U0001f5c4\U0001f5d1-\U0001f5d3"
    "\U0001f5dc-\U0001f5de\U0001f5e1\U0001f5e3\U0001f5e8\U0001f5ef\U0001f5f3\U0001f5fa-\U0001f64f"
    "\U0001f680-\U0001f6c5\U0001f6cb-\U0001f6d2\U0001f6d5-\U0001f6d8\U0001f6dc-\U0001f6e5\U0001f6e9\U0001f6eb\U0001f6ec"
    "\U0001f6f0\U0001f6f3-\U0001f6fc\U0001f7e0-\U0001f7eb\U0001f7f0\U0001f90c-\U0001f93a\U0001f93c-\U0001f945"
    "\U0001f947-\U0001f9ff\U0001fa70-\U0001faff"
)
# Signs of text that people nevertheless write as emoji without the selector.
_HABITUAL: Final = "\u2639\u263a\u2665\u2764\u270c\u270d\u261d\u2763"
# Signs that the selector U+FE0F turns into an emoji.
_TURNED: Final = (
    "\u00a9\u00ae\u203c\u2049\u2122\u2139\u2194-\u2199\u21a9\u21aa\u2328\u23cf\u23ed-\u23ef\u23f1\u23f2\u23f8-\u23fa"
    "\u24c2\u25aa\u25ab\u25b6\u25c0\u25fb\u25fc\u2600-\u2604\u260e\u2611\u2618\u2620\u2622\u2623\u2626\u262a\u262e\u262f"
    "\u2638\u2640\u2642\u265f\u2660\u2663\u2666\u2668\u267b\u267e\u2692\u2694-\u2697\u2699\u269b\u269c\u26a0\u26a7"
    "\u26b0\u26b1\u26c8\u26cf\u26d1\u26d3\u26e9\u26f0\u26f1\u26f4\u26f7-\u26f9\u2702\u2708\u2709\u270f\u2712\u2714\u2716"
    "\u271d\u2721\u2733\u2734\u2744\u2747\u27a1\u2934\u2935\u2b05-\u2b07\u3030\u303d\u3297\u3299"
    "\U0001f170\U0001f171\U0001f17e\U0001f17f\U0001f202\U0001f237"
)
_TONES: Final = "\U0001f3fb-\U0001f3ff"
_SELECTOR: Final = "\ufe0f"
_JOINER: Final = "\u200d"
_FLAG: Final = "[\U0001f1e6-\U0001f1ff]{2}"
_KEYCAP: Final = "[0-9#*]\ufe0f?\u20e3"
_TAGS: Final = "[\U000e0020-\U000e007e]+\U000e007f"
_ONE: Final = f"(?:[{_DRAWN}{_HABITUAL}](?!\ufe0e)(?:\ufe0f|[{_TONES}])?(?:{_TAGS})?|[{_TURNED}](?:\ufe0f|[{_TONES}]))"
# Inside a joined sequence the signs of text need no selector, such as the heart and the signs of sex.
_JOINED: Final = f"(?:{_ONE}|[{_TURNED}{_HABITUAL}])"
_EMOJI: Final = re.compile(f"{_FLAG}|{_KEYCAP}|{_ONE}(?:{_JOINER}{_JOINED})*")
_TONE: Final = re.compile(f"[{_TONES}]")
_MAYBE: Final = re.compile(f"[{_DRAWN}{_HABITUAL}{_TURNED}\U0001f1e6-\U0001f1ff\u20e3]")


def may_have_emoji(text: str) -> bool:
    """Tell, at little cost, whether it is worth looking for emoji in a text."""
    return not text.isascii() and _MAYBE.search(text) is not None


def emoji(text: str, *, skin_tones: bool = True) -> list[str]:
    """Return the emoji of a text; those that differ only in a selector come in one form.

    Args:
        text: the text.
        skin_tones: keep the tones of skin; otherwise they are taken off.

    Source: the Unicode standard, annex 51: flags, keycaps, tags, tones and joined sequences.
    """
    return [_one_form(found[0], skin_tones) for found in _EMOJI.finditer(text)]


def replaced(text: str, by: Callable[[str], str]) -> str:
    """Return a text with each of its emoji, as written, replaced by what a function makes of it."""
    return _EMOJI.sub(lambda found: by(found[0]), text)


def _one_form(found: str, skin_tones: bool) -> str:
    if not skin_tones:
        # A tone alone is an emoji of its own.
        found = _TONE.sub("", found) or found
    if found.endswith("\u20e3"):
        return f"{found[0]}{_SELECTOR}\u20e3"
    parts = found.replace(_SELECTOR, "").split(_JOINER)
    return _JOINER.join(part + _SELECTOR if _needs_selector(part) else part for part in parts)


def _needs_selector(part: str) -> bool:
    return len(part) == 1 and (part in _HABITUAL or re.match(f"[{_TURNED}]", part) is not None)


# ── mentions ────────────────────────────────────────────────────────────────────────────────────────────────────────

ALL: Final = "@all"
"""What mentions everybody (`protocol` section 10.2)."""


class People:
    """The people who can be mentioned.

    Args:
        names: display names by id.
    """

    def __init__(self, names: Mapping[str, str]) -> None:
        self._ids = {user_id.casefold(): user_id for user_id in names}
        self._logins: dict[str, str | None] = {}
        for user_id in names:
            login = user_id.split("@")[0].casefold()
            # A login that two servers have names nobody.
            self._logins[login] = None if login in self._logins else user_id
        by_name: dict[str, set[str]] = {}
        for user_id, name in names.items():
            by_name.setdefault(_spaced(name), set()).add(user_id)
        self._names = {name: next(iter(ids)) for name, ids in by_name.items() if len(ids) == 1}
        # The longest first: `Anna Maria Lee` is not `Anna Maria`. A single word is a mention behind an @ alone.
        several = (name for name in self._names if " " in name)
        choices = "|".join(re.escape(name) for name in sorted(several, key=len, reverse=True))
        self._pattern = re.compile(rf"(?<!\w)(?:{choices})(?!\w)") if choices else None

    def mentioned(self, text: str) -> set[tuple[str, str]]:
        """Return who is mentioned in a text: pairs of an id, empty where it is not known, and of what was written."""
        found: set[tuple[str, str]] = set()
        if self._pattern is not None:
            text = _spaced(text)
            found |= {(self._names[match[0]], "") for match in self._pattern.finditer(text)}
            if "@" in text:  # as other products write them: of `@Anna Maria`, `@Anna` is no mention of its own
                text = self._pattern.sub(" ", text)
        for match in _MENTION.finditer(text) if "@" in text else ():
            found.add(self._who(match[1].rstrip(".-")))
        return found

    def left_out(self, text: str) -> str:
        """Return a text without the display names in it that mention somebody."""
        return text if self._pattern is None else self._pattern.sub(" ", _spaced(text))

    def _who(self, written: str) -> tuple[str, str]:
        known = self._ids.get(written.casefold()) or self._logins.get(written.casefold()) or self._names.get(written)
        return (known, "") if known else ("", f"@{written}")


def _spaced(text: str) -> str:
    return " ".join(text.split())


def _ranges(points: range, is_wanted: Callable[[str], bool]) -> list[str]:
    """Return the ranges of the code points for which a predicate holds, as they stand in a character class."""
    made: list[list[int]] = []
    for point in filter(lambda point: is_wanted(chr(point)), points):
        if made and made[-1][1] == point - 1:
            made[-1][1] = point
        else:
            made.append([point, point])
    return [f"{chr(first)}-{chr(last)}" for first, last in made]
