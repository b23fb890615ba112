"""Cutting a text that is too long for one message into parts that can be sent, markup kept intact; counting is done in
`tcnb.markup.text`, and what is markup is said in `tcnb.markup.grammar`.

Source: `protocol` sections 10.1 and 10.4.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from tcnb.errors import UsageError
from tcnb.markup.grammar import ENTITY, MARKDOWN_TOKEN, TAG, link_target, with_entities_resolved
from tcnb.markup.text import visible_length

MOST_TEXT: Final = 4096
"""Visible characters of one message."""

_KNOWN_TAG: Final = re.compile(r"</?(?:b|i|u|s|a|br|quote)\b[^<>]*+>", re.IGNORECASE)
_VOID_TAGS: Final = frozenset({"br", "hr", "img", "wbr"})
_SENTENCE_ENDS: Final = frozenset(".!?…")
_FULL_WIDTH_ENDS: Final = frozenset("。！？")
_CLOSERS: Final = frozenset("\"'»”’)]}")
_JOINER: Final = "\u200d"
_LONGEST_ATOM: Final = 34
_DEEPEST: Final = 32
"""Markup inside markup deeper than that is left out of the parts: nobody writes it, and it would cost its square."""


@dataclass(frozen=True, slots=True, eq=False)
class _Span:
    """Markup around a stretch of text: how it opens and closes, what opening it costs, whether it is a link."""

    opening: str
    closing: str
    cost: int = 0
    is_link: bool = False


@dataclass(frozen=True, slots=True)
class _Atom:
    """What is never cut: a character, an entity, an escaped sign; with the markup around it, outermost first."""

    raw: str
    shown: str
    cost: int
    spans: tuple[_Span, ...]


class _Break(IntEnum):
    """Kinds of places where a text can be cut, the worst first."""

    NOWHERE = 0
    INSIDE_LINK = 1
    CHARACTER = 2
    WORD = 3
    SENTENCE = 4
    LINE = 5
    PARAGRAPH = 6


def safe_split_text(text: str, limit: int = MOST_TEXT, parse_mode: str | None = None) -> list[str]:
    """Cut a text into parts that each fit into one message.

    It is cut between paragraphs where that leaves a part at least half full, else between lines, sentences, words, and
    characters as they are seen. Markup that is open at a cut is closed there and opened again in the next part; a link
    stays whole if it can. White space at a cut is dropped.

    Args:
        text: the text as it would be sent.
        limit: most characters of a part.
        parse_mode: `html`, `markdown` or `text`; characters are then counted as the server does, without markup. None
            guesses what the markup is and counts that too, so the parts can be sent in any mode.

    Returns:
        The parts in order; the text itself where it fits, nothing where it is empty.

    Raises:
        UsageError: `limit` is less than 1, or there is no such mode.

    Source: `protocol` section 10.4.
    """
    if limit < 1:
        raise UsageError(f"a part has at least 1 character, not {limit}")
    mode = None if parse_mode is None else str(parse_mode)
    if mode not in (None, "text", "markdown", "html"):
        raise UsageError(f"parse_mode is text, markdown or html, not {mode!r}")
    if not text.strip():
        return []
    if visible_length(text, mode) <= limit:
        return [text]
    return list(_Cutter(text, limit, mode).parts())


def _guessed(text: str) -> str:
    if _KNOWN_TAG.search(text) or ENTITY.search(text):
        return "html"
    return "markdown"


class _Cutter:
    """One text on its way to becoming parts."""

    def __init__(self, text: str, limit: int, mode: str | None) -> None:
        self.limit = limit
        self.mode = mode
        reader = _Reader(limit, counts_markup=mode is None)
        grammar = mode or _guessed(text)
        if grammar == "html":
            self.atoms = reader.html(text)
        elif grammar == "markdown":
            self.atoms = reader.markdown(text, ())
        else:
            self.atoms = [_Atom(char, char, 1, ()) for char in text]
        self.breaks = _breaks(self.atoms)

    def parts(self) -> Iterator[str]:
        """Cut from the start to the end."""
        start = self._after_space(0)
        while start < len(self.atoms):
            end = self._fitting(start)
            if end < len(self.atoms):
                end = self._best_break(start, end)
            part = self._written(start, end)
            if part:
                yield part
            start = self._after_space(end)

    def _after_space(self, index: int) -> int:
        while index < len(self.atoms) and self.atoms[index].shown.isspace():
            index += 1
        return index

    def _fitting(self, start: int) -> int:
        """Return how far a part that begins at `start` may reach; at least one atom, whatever it costs."""
        used = 0
        spans: tuple[_Span, ...] = ()
        for index in range(start, len(self.atoms)):
            atom = self.atoms[index]
            if atom.spans != spans:
                used += sum(span.cost for span in atom.spans[_common(spans, atom.spans) :])
                spans = atom.spans
            used += atom.cost
            if used > self.limit and index > start:
                return index
        return len(self.atoms)

    def _best_break(self, start: int, end: int) -> int:
        """Return the latest place of the best kind; a part less than half full is better than a cut word only."""
        half = start + (end - start) // 2
        best, kind = end, _Break.NOWHERE
        for index in range(end, half, -1):
            if self.breaks[index] > kind:
                best, kind = index, self.breaks[index]
        if kind >= _Break.WORD:
            return best
        for index in range(half, start, -1):
            if self.breaks[index] >= _Break.WORD:
                return index
            if self.breaks[index] > kind:
                best, kind = index, self.breaks[index]
        return best

    def _written(self, start: int, end: int) -> str:
        """Write a slice out, each change of markup closed and opened as it must be."""
        while end > start and self.atoms[end - 1].shown.isspace():
            end -= 1
        atoms = self.atoms[start:end]
        if not atoms:
            return ""
        pieces: list[str] = []
        spans: tuple[_Span, ...] = ()
        for atom in atoms:
            if atom.spans != spans:
                pieces.extend(_changed(spans, atom.spans))
                spans = atom.spans
            pieces.append(atom.raw)
        pieces.extend(_changed(spans, ()))
        part = "".join(pieces)
        # Inside a line this sign is a character; at the start of a part it would begin a quotation.
        return f"\\{part}" if self.mode == "markdown" and not atoms[0].spans and atoms[0].raw == ">" else part


class _OpenTags:
    """The tags that are open at a place of a text in HTML; opening and closing one costs the same however many are.

    Attributes:
        spans: the markup that they are, outermost first; those that are left out have none.
    """

    def __init__(self) -> None:
        self.spans: tuple[_Span, ...] = ()
        self._by_name: dict[str, list[tuple[_Span | None, str]]] = {}

    def add(self, name: str, span: _Span | None, target: str) -> None:
        """Open a tag; `target` is the address of a link."""
        self._by_name.setdefault(name, []).append((span, target))
        self.spans = _with(self.spans, span)

    def close(self, name: str) -> str | None:
        """Close the innermost tag of that name, if there is one; returns the address of a link that is left out."""
        same = self._by_name.get(name)
        if not same:
            return None
        span, target = same.pop()
        self.spans = tuple(one for one in self.spans if one is not span)
        return target if span is None and name == "a" else None


class _Reader:
    """Takes texts apart into atoms.

    Args:
        limit: most characters of a part; a link whose address alone fills it is written as text.
        counts_markup: whether markup counts like any other character. The mode is unknown then, so nothing is escaped.
    """

    def __init__(self, limit: int, *, counts_markup: bool) -> None:
        self._counts_markup = counts_markup
        # An entity with its name is the longest that cannot be cut.
        self._most_markup = limit - min(limit // 2, _LONGEST_ATOM) if counts_markup else limit - 1

    def html(self, text: str) -> list[_Atom]:
        """Take a text in HTML apart."""
        atoms: list[_Atom] = []
        opened = _OpenTags()
        position = 0
        for tag in TAG.finditer(text):
            atoms += self._html_text(text[position : tag.start()], opened.spans)
            position = tag.end()
            is_closing, name = bool(tag[1]), tag[2].lower()
            if name in _VOID_TAGS or (tag[3].endswith("/") and not is_closing):
                shown = "\n" if name == "br" else ""
                atoms.append(self._atom(tag[0], shown, opened.spans))
            elif not is_closing:
                target = link_target(tag[3]) if name == "a" else None
                span = self._span(opened.spans, tag[0], f"</{tag[2]}>", target=target)
                opened.add(name, span, target or "")
            else:
                # The address of a link that is left out stands behind its text.
                target = opened.close(name)
                atoms += self._html_text(f" {target}", opened.spans) if target is not None else []
        atoms += self._html_text(text[position:], opened.spans)
        return atoms

    def markdown(self, text: str, around: tuple[_Span, ...]) -> list[_Atom]:
        """Take a text in Markdown apart."""
        tokens = list(MARKDOWN_TOKEN.finditer(text))
        pairs = _paired(text, tokens)
        atoms: list[_Atom] = []
        stack, position = around, 0
        for index, token in enumerate(tokens):
            atoms += self._markdown_text(text[position : token.start()], stack)
            stack = _unquoted(stack, text[position : token.start()])
            position = token.end()
            if token["escaped"] is not None:
                atoms.append(self._atom(token[0], token["escaped"], stack))
            elif token["label"] is not None:
                atoms += self._markdown_link(token, stack)
            elif token["quote"] is not None:
                stack = _with(stack, self._span(stack, token[0], ""))
            elif index not in pairs:
                atoms += [self._atom(self._escaped(char), char, stack) for char in token[0]]
            elif pairs[index] > index:
                stack = _with(stack, self._span(stack, token[0], token[0]))
            else:
                stack = _without_last(stack, token[0])
        return atoms + self._markdown_text(text[position:], stack)

    def _html_text(self, text: str, spans: tuple[_Span, ...]) -> list[_Atom]:
        atoms: list[_Atom] = []
        position = 0
        for entity in ENTITY.finditer(text):
            atoms += [self._html_character(char, spans) for char in text[position : entity.start()]]
            atoms.append(self._atom(entity[0], with_entities_resolved(entity[0]), spans))
            position = entity.end()
        return atoms + [self._html_character(char, spans) for char in text[position:]]

    def _html_character(self, char: str, spans: tuple[_Span, ...]) -> _Atom:
        raw = char if self._counts_markup else {"<": "&lt;", "&": "&amp;"}.get(char, char)
        return self._atom(raw, char, spans)

    def _markdown_link(self, token: re.Match[str], stack: tuple[_Span, ...]) -> list[_Atom]:
        span = self._span(stack, "[", f"]({token['target']})", target=token["target"])
        if span is not None:
            return self.markdown(token["label"], (*stack, span))
        return self.markdown(token["label"], stack) + self._markdown_text(f" {token['target']}", stack)

    def _markdown_text(self, text: str, stack: tuple[_Span, ...]) -> list[_Atom]:
        atoms: list[_Atom] = []
        for char in text:
            if char == "\n":
                stack = _unquoted(stack, char)
            atoms.append(self._atom(self._escaped(char), char, stack))
        return atoms

    def _escaped(self, char: str) -> str:
        """Escape a sign that stands for itself: beside the signs of a cut it could be read as markup."""
        return f"\\{char}" if char in "*_~\\" and not self._counts_markup else char

    def _atom(self, raw: str, shown: str, spans: tuple[_Span, ...]) -> _Atom:
        return _Atom(raw, shown, len(raw) if self._counts_markup else len(shown), spans)

    def _span(
        self, around: tuple[_Span, ...], opening: str, closing: str, *, target: str | None = None
    ) -> _Span | None:
        """Return markup to go inside other markup; None where too little of a part would be left for its text."""
        cost = len(opening) + len(closing) if self._counts_markup else (0 if target is None else 1 + len(target))
        if len(around) >= _DEEPEST or sum(span.cost for span in around) + cost > self._most_markup:
            return None
        return _Span(opening, closing, cost, is_link=target is not None)


def _with(stack: tuple[_Span, ...], span: _Span | None) -> tuple[_Span, ...]:
    return stack if span is None else (*stack, span)


def _without_last(stack: tuple[_Span, ...], opening: str) -> tuple[_Span, ...]:
    for index in range(len(stack) - 1, -1, -1):
        if stack[index].opening == opening:
            return stack[:index] + stack[index + 1 :]
    return stack


def _unquoted(stack: tuple[_Span, ...], passed: str) -> tuple[_Span, ...]:
    """Return the markup that is open after some text: a quotation in Markdown ends with its line."""
    if "\n" not in passed:
        return stack
    return tuple(span for span in stack if not span.opening.startswith(">"))


def _paired(text: str, tokens: list[re.Match[str]]) -> dict[int, int]:
    """Tell which marks belong together, as `tcnb.markup.text` does: both ways from index to index."""
    pairs: dict[int, int] = {}
    opened: dict[str, int] = {}
    for index, token in enumerate(tokens):
        mark = token["mark"]
        if mark is None:
            continue
        before, after = text[max(token.start() - 1, 0) : token.start()], text[token.end() : token.end() + 1]
        if mark[0] == "_" and before.isalnum() and after.isalnum():
            continue
        if mark in opened and before.strip():
            start = opened.pop(mark)
            pairs[start], pairs[index] = index, start
            opened = {other: place for other, place in opened.items() if place < start}
        elif mark not in opened and after.strip():
            opened[mark] = index
    return pairs


def _common(before: tuple[_Span, ...], after: tuple[_Span, ...]) -> int:
    shared = 0
    for one, other in zip(before, after, strict=False):
        if one is not other:
            break
        shared += 1
    return shared


def _changed(before: tuple[_Span, ...], after: tuple[_Span, ...]) -> Iterator[str]:
    """Give the markup that closes what is no longer around the text and opens what is new."""
    shared = _common(before, after)
    yield from (span.closing for span in reversed(before[shared:]))
    yield from (span.opening for span in after[shared:])


def _breaks(atoms: list[_Atom]) -> list[_Break]:
    """Tell what kind of place is before each atom and after the last; in white space only its beginning counts."""
    kinds = [_Break.NOWHERE] * (len(atoms) + 1)
    space, newlines, sentence_ended = -1, 0, False
    for index, atom in enumerate(atoms):
        if atom.shown.isspace():
            space = index if space < 0 else space
            newlines += atom.shown.count("\n")
            continue
        if space >= 0:
            kinds[space] = _at_space(atoms, space, newlines, sentence_ended)
        elif index:
            kinds[index] = _between(atoms[index - 1], atom)
        space, newlines = -1, 0
        if atom.shown and atom.shown not in _CLOSERS:
            sentence_ended = atom.shown in _SENTENCE_ENDS or atom.shown in _FULL_WIDTH_ENDS
    kinds[-1 if space < 0 else space] = _Break.PARAGRAPH
    return kinds


def _at_space(atoms: list[_Atom], space: int, newlines: int, sentence_ended: bool) -> _Break:
    if any(span.is_link for span in atoms[space].spans):
        return _Break.INSIDE_LINK
    if newlines:
        return _Break.PARAGRAPH if newlines > 1 else _Break.LINE
    return _Break.SENTENCE if sentence_ended else _Break.WORD


def _between(before: _Atom, after: _Atom) -> _Break:
    """Tell what kind of place is between two atoms with no white space there."""
    if _joins(before.shown, after.shown):
        return _Break.NOWHERE
    shared = before.spans[: _common(before.spans, after.spans)]
    if any(span.is_link for span in shared):
        return _Break.INSIDE_LINK
    if before.shown in _FULL_WIDTH_ENDS and after.shown not in _CLOSERS:
        return _Break.SENTENCE
    return _Break.CHARACTER


def _joins(before: str, after: str) -> bool:
    """Tell whether two code points are seen as one character, so that a cut would change it."""
    if not before or not after:
        return False
    first = after[0]
    if before[-1] == _JOINER or first == _JOINER or unicodedata.category(first) in ("Mn", "Mc", "Me"):
        return True
    return "\U0001f3fb" <= first <= "\U0001f3ff"
