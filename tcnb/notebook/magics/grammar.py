"""The one grammar of all magics, `%tc_verb [chat] [options] [text]`; no I/O, and no verb is known by name here.

A line has a head and a text. The head is fields (a chat, a file, a server) and options, in any order; it ends where the
verb's last field has been read and no option follows, or at `--`. All that follows is the text, taken as it stands.
A field is bare (no spaces) or in quotes; a backslash is a character like any other, so Windows paths stay whole. What
stands in braces belongs together: `{df.to_csv().encode()}` and `"{day:%d %B}.png"` are one field each.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from tcnb.errors import UsageError
from tcnb.notebook import messages
from tcnb.notebook.magics import secrets
from tcnb.notebook.magics.expansion import expression_end

QUOTES = "\"'"

_OPTION = re.compile(r"(--?[A-Za-z][\w-]*)(=?)")
_ENTITY_AT_END = re.compile(r"&(?:[A-Za-z]\w*|#\d+|#[xX][0-9A-Fa-f]+);$")


@dataclass(frozen=True, slots=True)
class Option:
    """One option of a verb: a flag, or, with `takes`, one that wants a value; with `many` it may be repeated."""

    name: str
    meaning: str
    takes: str | None = None
    many: bool = False

    @property
    def written(self) -> str:
        """How it is written on a line."""
        return f"--{self.name}" if len(self.name) > 1 else f"-{self.name}"


@dataclass(frozen=True, slots=True)
class Field:
    """One argument of a verb that stands before its text."""

    name: str
    required: bool = True
    many: bool = False

    @property
    def written(self) -> str:
        """How it stands in a usage line."""
        name = f"{self.name}…" if self.many else self.name
        return name if self.required else f"[{name}]"


@dataclass(frozen=True, slots=True)
class Verb:
    """What may stand behind one magic's name."""

    name: str
    fields: tuple[Field, ...] = ()
    text: Field | None = None
    options: tuple[Option, ...] = ()
    is_private: bool = False
    """Whether people write secrets on this line by mistake, so that an error must not repeat it."""

    @property
    def usage(self) -> str:
        """The usage line, for example `%tc_send chat [options] text`."""
        parts = [f"%{self.name}", *(item.written for item in self.fields)]
        if self.options:
            parts.append("[options]")
        if self.text:
            parts.append(self.text.written)
        return " ".join(parts)

    def find(self, written: str) -> Option | None:
        """Return the option that is written like this, if there is one."""
        return next((option for option in self.options if option.written == written), None)

    def option(self, written: str) -> Option:
        """Return the option that is written like this.

        Raises:
            SecretOnLineError: it is how people write passwords and tokens.
            UsageError: there is none; the error suggests one that resembles it.
        """
        secrets.refuse_option(written)
        if (option := self.find(written)) is not None:
            return option
        known = [option.written for option in self.options]
        close = difflib.get_close_matches(written, known, n=1, cutoff=0.5)
        raise UsageError(messages.unknown_option(written, close[0] if close else None, self.name, known))


@dataclass(slots=True)
class Line:
    """A line that was read: every part as it was written, nothing expanded yet.

    Attributes:
        fields: the first of each field, by the field's name.
        more: what a field that may stand several times has beyond its first.
        options: the options' values by name; a flag has an empty value.
        repeated: all values, in order, of the options that may stand several times.
        text: what follows the head; None if nothing does.
        options_at_end: the options that the text ends in, as they are written there; empty where `--` or quotes say
            that they are text.
    """

    fields: dict[str, str] = field(default_factory=dict)
    more: list[str] = field(default_factory=list)
    options: dict[str, str] = field(default_factory=dict)
    repeated: dict[str, list[str]] = field(default_factory=dict)
    text: str | None = None
    options_at_end: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """One piece of a line, for the reader below and for completion.

    Attributes:
        kind: `option`, `value` (of the option just read), `field`, `end` (the `--`) or `text`.
        name: the name of the field, or the option as it is written.
        raw: the piece without its quotes.
        start: where it begins in the line, quotes included.
        stop: where it ends.
        open_quote: the quotation mark that is opened and not closed, or nothing.
    """

    kind: str
    name: str
    raw: str
    start: int
    stop: int
    open_quote: str = ""


def read(verb: Verb, line: str) -> Line:
    """Divide the line behind a magic's name into fields, options and text.

    Raises:
        UsageError: an option is unknown or lacks its value, a quotation mark is not closed, or the line has more than
            the verb takes.
        SecretOnLineError: a password or token stands on the line.
    """
    found = Line()
    valueless: Option | None = None
    is_marked = False
    for part in parts(verb, line):
        if part.open_quote:
            raise UsageError(messages.unclosed_quote(part.open_quote))
        if part.kind == "value":
            _note_value(found, verb.option(part.name), part)
            valueless = None
            continue
        _require_value(valueless)
        if part.kind == "option":
            valueless = _note_option(found, verb.option(part.raw))
        elif part.kind == "field":
            _note_field(found, part)
        elif part.kind == "end":
            is_marked = True
        elif part.kind == "text":
            _refuse_text(verb, part.raw)
            found.text = part.raw
            found.options_at_end = "" if is_marked else _options_at_end(verb, line[part.start :].rstrip())
    _require_value(valueless)
    return found


def require_fields(verb: Verb, found: Line) -> None:
    """Check that no required field is missing.

    Raises:
        UsageError: one is; the error shows the usage line.
    """
    for item in verb.fields:
        if item.required and not found.fields.get(item.name):
            raise UsageError(messages.nothing_given(item.name, verb.usage))


def parts(verb: Verb, line: str) -> Iterator[Part]:
    """Yield the pieces of a line from left to right, without judging them.

    Raises:
        UsageError: something is glued to a quoted field, or an option is unknown.
    """
    waiting = list(verb.fields)
    options_allowed = True
    position = _skip_space(line, 0)
    while position < len(line):
        if verb.text is None and _is_comment(line, position):
            return
        written = _OPTION.match(line, position) if options_allowed else None
        if options_allowed and _is_end_of_head(line, position):
            yield Part("end", "", "--", position, position + 2)
            options_allowed = False
            position = _skip_space(line, position + 2)
        elif written:
            stop = written.end()
            for part in _option_parts(verb, line, written):
                yield part
                stop = max(stop, part.stop)
            position = _skip_space(line, stop)
        elif waiting:
            raw, stop, open_quote = _read_field(line, position)
            yield Part("field", waiting[0].name, raw, position, stop, open_quote)
            if not waiting[0].many:
                waiting.pop(0)
            position = _skip_space(line, stop)
        else:
            text = without_outer_quotes(line[position:].strip())
            yield Part("text", verb.text.name if verb.text else "", text, position, len(line))
            return


def split_silencer(line: str) -> tuple[str, bool]:
    """Take the trailing `;` off a line, and tell whether there was one.

    `\\;` stands for a semicolon of the text; one inside quotes or at the end of an HTML entity is the text's as well.
    """
    line = line.rstrip()
    if not line.endswith(";") or _ENTITY_AT_END.search(line):
        return line, False
    if line.endswith("\\;"):
        return line[:-2] + ";", False
    return line[:-1].rstrip(), True


def without_outer_quotes(text: str) -> str:
    """Remove one pair of quotation marks around a whole text.

    The pair is removed only if its first mark is closed by its last: `"a" and "b"` keeps all four, `'it's done'` and
    `"He said "hi" to me"` lose the outer two.
    """
    if len(text) < 2 or text[0] not in QUOTES or text[-1] != text[0]:
        return text
    depth = 1
    for position in range(1, len(text) - 1):
        if text[position] == text[0]:
            depth += _nesting(text[position - 1], text[position + 1])
        if depth == 0:
            return text
    return text[1:-1]


def _nesting(before: str, after: str) -> int:
    """Tell whether a mark between these characters opens (1), closes (-1) or is an apostrophe (0)."""
    if (before.isspace() or before in "([{<«") and not after.isspace():
        return 1
    if not before.isspace() and not after.isalnum():
        return -1
    return 0


def _note_option(found: Line, option: Option) -> Option | None:
    """Keep an option, and return it if its value must follow."""
    if option.name in found.options and not option.many:
        raise UsageError(messages.option_given_twice(option.written))
    found.options[option.name] = ""
    return option if option.takes else None


def _note_value(found: Line, option: Option, part: Part) -> None:
    if option.takes is None:
        raise UsageError(messages.option_takes_no_value(option.written))
    found.options[option.name] = part.raw
    if option.many:
        found.repeated.setdefault(option.name, []).append(part.raw)


def _note_field(found: Line, part: Part) -> None:
    if part.name in found.fields:
        found.more.append(part.raw)
    else:
        found.fields[part.name] = part.raw


def _require_value(option: Option | None) -> None:
    if option is not None:
        raise UsageError(messages.option_needs_value(option.written, option.takes or ""))


def _refuse_text(verb: Verb, text: str) -> None:
    if verb.text is not None:
        return
    if verb.is_private:
        secrets.refuse_text(text)
        raise UsageError(messages.unexpected_text_beside_a_server(verb.usage))
    raise UsageError(messages.unexpected_text(text, verb.usage))


def _options_at_end(verb: Verb, text: str) -> str:
    """Return the options of a verb that a text ends in, with their values, as they are written; empty if it does not.

    A whole text in quotes ends in a quotation mark, so it does not; neither does what stands behind a `--`.
    """
    for written in _OPTION.finditer(text):
        start = written.start()
        if "--" in text[:start].split():
            return ""
        if (start == 0 or text[start - 1].isspace()) and _are_options(verb, text, start):
            return text[start:]
    return ""


def _are_options(verb: Verb, text: str, position: int) -> bool:
    """Tell whether from here to its end a text is options of a verb and their values, and nothing else."""
    while position < len(text):
        written = _OPTION.match(text, position)
        if written is None or verb.find(written[1]) is None:
            return False
        stop = written.end()
        try:
            for part in _option_parts(verb, text, written):
                stop = max(stop, part.stop)
        except UsageError:  # a word that begins in quotes and goes on behind them is no value
            return False
        position = _skip_space(text, stop)
        if stop == position < len(text):
            return False
    return True


def _option_parts(verb: Verb, line: str, written: re.Match[str]) -> Iterator[Part]:
    yield Part("option", written[1], written[1], written.start(), written.end(1))
    option = verb.find(written[1])
    glued = bool(written[2])
    start = written.end() if glued else _skip_space(line, written.end())
    if not glued and (option is None or option.takes is None or line.startswith("--", start)):
        return
    if start < len(line) and not (glued and line[start].isspace()):
        raw, stop, open_quote = _read_field(line, start)
        yield Part("value", written[1], raw, start, stop, open_quote)


def _read_field(line: str, start: int) -> tuple[str, int, str]:
    """Read the field that begins here: its content, where it ends, and the quotation mark that is left open."""
    if line[start] in QUOTES:
        return _read_quoted(line, start)
    position = start
    while position < len(line) and not line[position].isspace():
        position = _step(line, position)
    return line[start:position], position, ""


def _read_quoted(line: str, start: int) -> tuple[str, int, str]:
    quote = line[start]
    position = start + 1
    while position < len(line) and line[position] != quote:
        position = _step(line, position)
    if position >= len(line):
        return line[start + 1 :], len(line), quote
    stop = position + 1
    if stop < len(line) and not line[stop].isspace():
        raise UsageError(messages.no_space_after_quote(quote))
    return line[start + 1 : position], stop, ""


def _step(line: str, position: int) -> int:
    """Return the position after one character, or after a whole `{…}`."""
    if line.startswith(("{{", "}}"), position):
        return position + 2
    if line[position] == "{":
        return expression_end(line, position) or position + 1
    return position + 1


def _skip_space(line: str, position: int) -> int:
    while position < len(line) and line[position].isspace():
        position += 1
    return position


def _is_comment(line: str, position: int) -> bool:
    """Tell whether a `#` stands here by itself: behind a verb that takes no text it begins a comment, as in Python."""
    return line.startswith("#", position) and (position + 1 == len(line) or line[position + 1].isspace())


def _is_end_of_head(line: str, position: int) -> bool:
    return line.startswith("--", position) and (position + 2 == len(line) or line[position + 2].isspace())
