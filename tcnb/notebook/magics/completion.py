"""Tab completion on the magics' lines and of the columns of a session's frames, from what the session already knows;
the network is never asked here.
"""

from __future__ import annotations

import contextlib
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from IPython.core.completer import CompletionContext, SimpleCompletion, SimpleMatcherResult, context_matcher
from IPython.core.getipython import get_ipython

from tcnb.errors import TcnbError
from tcnb.notebook.connections import connections
from tcnb.notebook.magics.grammar import QUOTES, Part, Verb, parts
from tcnb.notebook.magics.verbs import MODES, VERBS
from tcnb.wire.names import folded, is_user_id

_MAGIC = re.compile(r"(?:^|=)\s*%%?(tc_[a-z]+)[ \t]+(?=(.*)$)", re.DOTALL)
_COLUMN = re.compile(r"""(?<![\w.])(\w+)\.(\w+)\[\[?(?:\s*+(?:"[^"\n]*"|'[^'\n]*')\s*+,)*\s*+(["'])(\w*)$""")


@dataclass(frozen=True)
class Place:
    """Where the cursor stands on a magic's line.

    Attributes:
        kind: `field`, `option` or `value`.
        name: the field's name, or the option as it is written.
        fragment: what is typed of it so far, quotation mark included.
        used: the options that the line has already.
        connection: the connection that the line names.
    """

    kind: str
    name: str
    fragment: str
    used: frozenset[str] = frozenset()
    connection: str | None = None


@context_matcher(priority=1000, identifier="tcnb.magics")  # type: ignore[untyped-decorator]
def complete_magic(context: CompletionContext) -> SimpleMatcherResult:
    """Offer chats, files, options and their values on a line of one of our magics, and nothing elsewhere."""
    found = _MAGIC.search(context.text_until_cursor)
    verb = VERBS.get(found[1]) if found else None
    place = where(verb, found[2]) if verb and found else None
    if verb is None or place is None:
        return SimpleMatcherResult(completions=[], suppress=False)
    following = context.line_with_cursor[context.cursor_position :]
    offers = [SimpleCompletion(text, type="tcnb") for text in offered(verb, place, following)]
    return SimpleMatcherResult(completions=offers, matched_fragment=place.fragment, suppress=bool(offers), ordered=True)


@context_matcher(priority=1000, identifier="tcnb.columns")  # type: ignore[untyped-decorator]
def complete_column(context: CompletionContext) -> SimpleMatcherResult:
    """Offer the columns of `tc.df` and the other frames of a session: IPython does not ask a property for its keys."""
    found = _COLUMN.search(context.text_until_cursor)
    names = _columns(found[1], found[2]) if found else ()
    if found is None or not names:
        return SimpleMatcherResult(completions=[], suppress=False)
    following = context.line_with_cursor[context.cursor_position :]
    close = "" if following.startswith(found[3]) else found[3]
    offers = [SimpleCompletion(name + close, type="tcnb") for name in names if name.startswith(found[4])]
    return SimpleMatcherResult(completions=offers, matched_fragment=found[4], suppress=bool(offers), ordered=True)


def _columns(variable: str, frame: str) -> Sequence[str]:
    """Return the columns of that frame if the variable holds a session."""
    shell, sessions = get_ipython(), sys.modules.get("tcnb.session.session")
    if shell is None or sessions is None or not isinstance(shell.user_ns.get(variable), sessions.Session):
        return ()
    from tcnb.record import schema

    frames = {
        "df": schema.COLUMNS,
        "messages": schema.MESSAGES,
        "chats": schema.CHATS,
        "people": schema.PEOPLE,
        "files": schema.FILES,
        "edits": schema.EDITS,
    }
    return [column.name for column in frames.get(frame, ())]


def where(verb: Verb, typed: str) -> Place | None:
    """Return what is being written at the end of this line; None inside the text or an expression."""
    try:
        read = list(parts(verb, typed))
    except TcnbError:
        return None
    last = read[-1] if read else None
    if last is not None and last.stop == len(typed) and (last.open_quote or not typed[-1].isspace()):
        place = _inside(last, typed[last.start :])
    else:
        place = _after(verb, read)
    if place is None:
        return None
    used = frozenset(part.raw for part in read if part.kind == "option" and part is not last)
    connection = next((part.raw for part in read if part.kind == "value" and part.name == "--as"), None)
    return replace(place, used=used, connection=connection)


def offered(verb: Verb, place: Place, following: str = "") -> list[str]:
    """Return what may stand at that place and goes on from what is typed, best first."""
    if place.kind == "option":
        options = (option.written for option in verb.options if option.written not in place.used)
        return [option for option in options if option.startswith(place.fragment)]
    fragment = place.fragment.lstrip(QUOTES)
    if "{" in fragment or "$" in fragment:
        return []
    names = _matching(_candidates(place, fragment), fragment)
    return [_quoted(name, place.fragment, following) for name in names]


def _inside(last: Part, fragment: str) -> Place | None:
    """Return the place of a piece that is still being written."""
    if last.kind != "value" and fragment.startswith("-") and " " not in fragment:
        return Place("option", "", fragment)
    if last.kind in ("field", "value") and (last.open_quote or fragment[0] not in QUOTES):
        return Place(last.kind, last.name, fragment)
    return None


def _after(verb: Verb, read: list[Part]) -> Place | None:
    """Return the place behind a blank: an option's value, or the next field."""
    last = read[-1] if read else None
    option = verb.find(last.raw) if last is not None and last.kind == "option" else None
    if option is not None and option.takes is not None:
        return Place("value", option.written, "")
    if last is not None and last.kind == "text":
        return None
    done = {part.name for part in read if part.kind == "field"}
    for field in verb.fields:
        if field.many or field.name not in done:
            return Place("field", field.name, "")
    return None


def _candidates(place: Place, fragment: str) -> Iterable[str]:
    match place.name:
        case "chat" | "--chat":
            return _chats(place.connection, fragment)
        case "--sender":
            return _people(place.connection, fragment)
        case "event" | "--content":
            return _words(place.name)
        case "--pause" | "--resume":
            return _handlers(place.connection)
        case "--remove":
            return [*_handlers(place.connection), *_middlewares(place.connection)]
        case "file" | "--ca":
            return _files(fragment)
        case "--as":
            return connections.names()
        case "--mode":
            return MODES
    return ()


def _chats(connection: str | None, fragment: str) -> Iterator[str]:
    """Yield titles, then people's logins, then ids, of the connection that a magic would use."""
    try:
        session = connections.get(connection)
    except TcnbError:
        return
    chats = session.known_chats()
    times = Counter(folded(title) for title, *_ in chats if title)
    people = Counter(folded(name) for name, _ in session.known_people() if name)
    logins = {folded(user_id.partition("@")[0]) for _, user_id in session.known_people()}
    for title, chat_id, kind in chats:
        # What several chats or people are called would be refused, and so would what has both quotation marks.
        name = folded(title or "")
        count = times[name] + people[name] - (kind == "p2p" and people[name] > 0)
        is_refused = count != 1 or name in logins or is_user_id(name) or set(QUOTES) <= set(name)
        yield title if title and not is_refused else chat_id
    yield from _people(connection, fragment)
    for _, chat_id, _ in chats:
        if fragment and chat_id.startswith(fragment):
            yield chat_id


def _people(connection: str | None, fragment: str) -> Iterator[str]:
    """Yield logins, or ids where one is being written."""
    with contextlib.suppress(TcnbError):
        for _, user_id in connections.get(connection).known_people():
            yield user_id.partition("@")[0] if "@" not in fragment else user_id


def _words(name: str) -> Iterable[str]:
    # Loading the extension must not take the time that the types of all events do.
    from tcnb.routing.events import KINDS
    from tcnb.routing.filters import ATTACHMENTS, CONTENT_NAMES

    return KINDS if name == "event" else (*ATTACHMENTS, *CONTENT_NAMES)


def _handlers(connection: str | None) -> list[str]:
    """Return the names of the handlers of the connection that a magic would use."""
    try:
        return [handler.name for handler in connections.get(connection).router.handlers]
    except TcnbError:
        return []


def _middlewares(connection: str | None) -> list[str]:
    """Return the names of its middlewares."""
    try:
        return [one.name for one in connections.get(connection).router.middlewares]
    except TcnbError:
        return []


def _files(fragment: str) -> Iterator[str]:
    """Yield what the folder of a half-written path has, folders with a separator behind them."""
    cut = max(fragment.rfind("/"), fragment.rfind("\\")) + 1
    folder, begin = fragment[:cut], fragment[cut:]
    try:
        entries = sorted(Path(folder or ".").expanduser().iterdir())
        for entry in entries:
            if begin.startswith(".") or not entry.name.startswith("."):
                yield f"{folder}{entry.name}{'/' if entry.is_dir() else ''}"
    except (OSError, RuntimeError):
        return


def _matching(names: Iterable[str], fragment: str) -> list[str]:
    """Return the names that begin with the fragment, then those that contain it, each once, letters of either case."""
    typed = folded(fragment)
    known = {name: folded(name) for name in names}
    first = [name for name, compared in known.items() if compared.startswith(typed)]
    return first + [name for name, compared in known.items() if typed in compared and not compared.startswith(typed)]


def _quoted(name: str, fragment: str, following: str) -> str:
    """Write a name so that the grammar reads it back: in quotes if it has blanks, as in what is typed already."""
    typed = fragment[:1] if fragment[:1] in QUOTES else ""
    needed = any(character.isspace() for character in name) or name[:1] in QUOTES or name[:1] == "-"
    if not typed and not needed:
        return _literal(name)
    quote = typed or ("'" if '"' in name else '"')
    closing = "" if following.startswith(quote) or name.endswith(("/", "\\")) else quote
    return f"{quote}{_literal(name)}{closing}"


def _literal(name: str) -> str:
    return name.replace("{", "{{").replace("}", "}}").replace("$", "$$")
