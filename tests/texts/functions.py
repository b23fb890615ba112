"""What is done with texts that strangers write, and the texts that would cost it most."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from typing import Any

from tcnb.analysis import text as analysed
from tcnb.analysis import zones
from tcnb.archive.readers.emoji_codes import decoded
from tcnb.archive.readers.opening import _ILL_WRITTEN, _lenient, _well_written
from tcnb.archive.readers.slack_text import Texts
from tcnb.archive.readers.telegram import _NOT_EXPORTED
from tcnb.client.address import Address
from tcnb.client.unreachable import answered
from tcnb.errors import TcnbError
from tcnb.files.names import is_run, safe_name
from tcnb.journal import addresses, frame_cache
from tcnb.markup import formatting
from tcnb.markup.grammar import link_target, with_entities_resolved
from tcnb.markup.splitting import safe_split_text
from tcnb.markup.text import plain, visible_length
from tcnb.network.proxies import is_this_machine
from tcnb.notebook.composer.markup import Rendering
from tcnb.notebook.feed.contents import content_of, contents
from tcnb.notebook.magics import secrets, transforms
from tcnb.notebook.magics.data import _assigned
from tcnb.practice.phrases import language_of
from tcnb.practice.uploads import MalformedUpload, boundary_of
from tcnb.types import Message
from tcnb.types.contact import Contact
from tcnb.types.conversions import as_input_file
from tcnb.types.messages import read_envelope
from tcnb.wire import frames, lenient, names, notifications
from tcnb.wire.exchange import Exchange

EXPECTED = (TcnbError, MalformedUpload, RecursionError)
"""What may be raised for such a text; the last by Python's reader of JSON, which readers of exports reckon with."""


def payload(text: str, mode: str) -> dict[str, Any]:
    """Return a message as it comes."""
    content = {"text": text, "parseMode": mode}
    author = {"id": "ann@x", "type": 1}
    return {"messageId": "m", "chatId": "c", "timestamp": 1, "author": author, "type": 200, "content": content}


def message(text: str, mode: str = "html") -> Message:
    """Return the object of it."""
    made = read_envelope(payload(text, mode))
    assert isinstance(made, Message)
    return made


class _Bot:
    me_id = "robot@x"


def _mention(text: str) -> object:
    return message(text).bind(_Bot()).mention  # type: ignore[arg-type]


def _contact(text: str) -> object:
    class Naming(_Bot):
        async def get_user_display_name(self, user_id: str) -> Any:
            raise TcnbError("nobody")

    return asyncio.run(message(text).bind(Naming())._fetch_contact())  # type: ignore[arg-type]


def _drawn(mode: str) -> Callable[[str], object]:
    def draw(text: str) -> object:
        row = {"text": plain(text, mode), "message_type": "plain", "event": "message"}
        return contents(content_of(json.dumps(payload(text, mode)).encode()), row)

    return draw


def _frame(text: str) -> bytes:
    return f'{{"type":1,"id":7,"method":"sendMessage","payload":{text}'.encode(errors="replace")


PEOPLE = analysed.People({"ann@x": "Ann Lee", "bob@x": "Боб", "eve@x": "Anna Maria Lee"})

FUNCTIONS: dict[str, Callable[[str], object]] = {
    **{f"plain, {mode}": lambda text, mode=mode: plain(text, mode) for mode in ("html", "markdown")},  # type: ignore[misc]
    **{
        f"visible_length, {mode}": lambda text, mode=mode: visible_length(text, mode)  # type: ignore[misc]
        for mode in ("html", "markdown")
    },
    **{f"escape, {mode}": lambda text, mode=mode: formatting.escape(text, mode) for mode in ("html", "markdown")},  # type: ignore[misc]
    **{f"Rendering, {mode}": lambda text, mode=mode: Rendering(text, mode) for mode in ("html", "markdown")},  # type: ignore[misc]
    **{f"feed, {mode}": _drawn(mode) for mode in ("html", "markdown")},
    "link_target": link_target,
    "with_entities_resolved": with_entities_resolved,
    "Message.text": lambda text: message(text).text,
    "Message.quote": lambda text: message(text).quote,
    "Message.mention": _mention,
    "Message.contact": _contact,
    "repr of a message": lambda text: repr(message(text)),
    "Contact.from_vcard": lambda text: Contact.from_vcard(f"BEGIN:VCARD\n{text}"),
    "Contact.from_vcard, encoded": lambda text: Contact.from_vcard(
        f"BEGIN:VCARD\nN;ENCODING=QUOTED-PRINTABLE;CHARSET=UTF-8:{text}"
    ),
    "safe_name": safe_name,
    "is_run": is_run,
    "tidied": names.tidied,
    "folded": names.folded,
    "linked_chat": names.linked_chat,
    "is_user_id": names.is_user_id,
    "is_word": names.is_word,
    "words": analysed.words,
    "links": analysed.links,
    "emoji": analysed.emoji,
    "emoji without tones": lambda text: analysed.emoji(text, skin_tones=False),
    "mentioned": PEOPLE.mentioned,
    "left_out": PEOPLE.left_out,
    "Slack": Texts({}, {}, lambda what: None).plain,
    "emoji codes": lambda text: decoded(text, lambda code: None),
    "Telegram, a file's place": lambda text: _NOT_EXPORTED.sub("", text),
    "an export that breaks off": lambda text: _lenient(
        text.encode(errors="replace"), "export", lambda where, what: None
    ),
    "an export that is ill written": lambda text: _ILL_WRITTEN.sub(_well_written, text.encode(errors="replace")),
    "frames.decode": lambda text: frames.decode(_frame(text)),
    "Exchange.receive": lambda text: Exchange().receive([_frame(text)]),
    "mended": lambda text: lenient.mended(_frame(text)),
    "outline": lambda text: lenient.outline(_frame(text)),
    "depth": lambda text: lenient.depth(_frame(text), 500),
    "notifications.decode": lambda text: notifications.decode("sendMessage", _frame(text)),
    "without_tokens": lambda text: addresses.without_tokens(b'"avatarUrl":"' + _frame(text)),
    "says_more": lambda text: frame_cache.says_more(_frame(text)),
    "zone_name": zones.zone_name,
    "frequency": zones.frequency,
    "duration": lambda text: zones.duration(text, "pause"),
    "refuse_option": secrets.refuse_option,
    "refuse_text": secrets.refuse_text,
    "has_password": secrets.has_password,
    "name << query": _assigned,
    "silence": lambda text: transforms.silence([text]),
    "question_in_loading_cell": lambda text: transforms.question_in_loading_cell(f"%load_ext tcnb\n{text}"),
    "as_input_file": as_input_file,
    "Address.parse": Address.parse,
    "is_this_machine": is_this_machine,
    "answered": lambda text: answered(Address("x", 443, https=True), 301, {"Location": text}),
    "boundary_of": lambda text: boundary_of(f"multipart/form-data; {text}"),
    "language_of": language_of,
    **{
        f"safe_split_text, {mode}": lambda text, mode=mode: safe_split_text(text, 1000, mode)  # type: ignore[misc]
        for mode in ("html", "markdown")
    },
}

UNITS = (
    *" \t\n\r\f\x00aA1я_-+.,:;/<>\"'`\\@&#=*~[](){}|!?$%^№é\u200d\u202e\ud800😀",
    *("**", "__", "~~", "* ", "_a_", "*a ", " *a", "![", "[a](b)", "[[", "]](", "[\\]", "\\[", "\\\\", "\n> ", "> > "),
    *(
        "<b>",
        "</b>",
        "<i><b>",
        "<b></i>",
        "<a>",
        "<a href=x>",
        "</a>",
        "<a href='",
        '<a href="x" ',
        "<a ",
        "<br>",
        "<br",
    ),
    *(
        "<quote>",
        "</quote>",
        '<quote class="reply">',
        '<quote class="reply">a</quote>',
        "<!--",
        "<![CDATA[",
        "<?",
        "</",
    ),
    *(
        "&a",
        "&#",
        "&#1",
        "&amp;",
        "&#x1f600;",
        "&amp",
        "href=",
        "href='",
        "trueconf:",
        "](trueconf:",
        'href="trueconf:a"',
    ),
    *(
        '<a href="trueconf:a">',
        '<a href="trueconf:',
        "<a  href='trueconf:a'>b</a",
        "a@",
        "a@a.",
        "@a",
        "@a@a",
        "#c_",
        "#c_a@",
    ),
    *(
        "www.",
        "http://",
        "http://a",
        "a.a",
        "a.com/",
        "mailto:",
        "a://",
        "1.1.1.1",
        "a-a",
        "a'a",
        "1%",
        "é́",
        "\u200d😀",
        "🇦",
    ),
    *(
        ":a",
        ":a:",
        ":skin-tone-2:",
        "<@a|",
        "<a|",
        "<!date^",
        "<!date^1^{date}|a>",
        "N:",
        "FN:a\n",
        "TEL;a:",
        "=\n",
        "=41",
        ";;",
    ),
    *(
        '{"',
        '"a":',
        '"a":"',
        "[{",
        "}{",
        "]}",
        '\\"',
        "\\u",
        "\\ud800",
        "\\x0",
        "\\u2028",
        '{"a":{',
        '"avatarUrl":"',
        '"id":1,',
    ),
    *(
        "password",
        "token=",
        "_token",
        "-p ",
        "--a",
        "--a=",
        " << ",
        "<<",
        "$a",
        "$$",
        "{a}",
        "{{",
        "}}",
        "{'",
        "%tc_a ",
        "?\n",
    ),
    *(
        " (File not included",
        " (File",
        "/a",
        "../",
        "con.",
        ".json",
        "jupyter",
        "1h",
        "UTC+",
        "boundary=",
        'boundary="',
        "\ufe0f",
    ),
)


PAIRS = (
    ("<b>", "</i>"),
    ("<b>", "</b>"),
    ("<i><b>", "</i>"),
    ("[", "]"),
    ("[", "](a)"),
    ("{", "}"),
    ("*", "_"),
    ("a", " "),
)


def texts(size: int) -> Iterator[str]:
    """Give texts of about `size` characters: each unit many times, also in vain, and halves of two units."""
    for unit in UNITS:
        yield unit * (size // len(unit))
        yield "<a href='trueconf:a'>" + unit * (size // len(unit)) + "\x00"
    for opening, closing in PAIRS:
        count = size // (len(opening) + len(closing))
        yield opening * count + closing * count
    yield "<b>" * (size // 10) + "<i>" * (size // 10) + "</b>" * (size // 10)
