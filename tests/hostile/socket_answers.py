"""Hostile answers over the socket: to the handshake, as frames that are none, and as payloads that say nonsense."""

from __future__ import annotations

import asyncio
import copy
import json
import zlib
from collections.abc import Iterator
from typing import Any, Final

from tests.hostile import wire
from tests.hostile.http_answers import WORDS
from tests.hostile.server import Deed, Step

LARGE: Final = 16 * 2**20
"""Bytes of a large frame."""

FAR_AWAY: Final = 10**9
"""An id that no request has."""


def upgraded(first: bytes = b"", **headers: str | None) -> Deed:
    """Make the connection a socket, with odd headers and with bytes that come in the same packet."""

    async def deed(step: Step) -> None:
        odd = {name.replace("_", "-"): value for name, value in headers.items()}
        await step.write(wire.upgrade(step.answer, odd) + first)
        await step.server.converse(step.wire)

    return deed


UPGRADES: Final[dict[str, Deed]] = {
    **{f"date: {date}": upgraded(Date=date) for date in (
        "Fri, 01 Jan 1960 00:00:00 GMT", "Fri, 31 Dec 9999 23:59:59 GMT", "Mon, 01 Jan 0001 00:00:00 GMT",
        "Thu, 01 Jan 1970 00:00:00 GMT", "Tue, 19 Jan 2038 03:14:08 GMT", "Fri, 31 Dec 9999 23:59:59 -2359",
        "Mon, 99 Foo 99999999999999999999 99:99:99 GMT", "now", "",
    )},
    "push before the login": upgraded(wire.frame(b'{"method":"sendMessage","type":1,"id":4000000000,"payload":{}}')),
    "answer before the login": upgraded(wire.frame(b'{"type":2,"id":1,"payload":{"userId":"eve@video.example.com"}}')),
    "no frame before the login": upgraded(wire.frame(b"[" * 1000)),
    "ping before the login": upgraded(wire.frame(b"x" * 125, wire.PING)),
}  # fmt: skip
"""Handshakes after which everything works."""

BAD_UPGRADES: Final[dict[str, Deed]] = {
    "wrong accept": upgraded(Sec_WebSocket_Accept="AAAAAAAAAAAAAAAAAAAAAAAAAAA="),
    "no accept": upgraded(Sec_WebSocket_Accept=None),
    "compression that nobody offered": upgraded(Sec_WebSocket_Extensions="permessage-deflate"),
    "unknown extension": upgraded(Sec_WebSocket_Extensions="x-evil; a=b"),
    "other protocol": upgraded(Sec_WebSocket_Protocol="xml.v1"),
    "no upgrade": upgraded(Upgrade="h2c"),
    "frame that is no frame": upgraded(b"\xff" * 100),
}
"""Handshakes after which nothing can work."""


# -- frames ------------------------------------------------------------------------------------------------------------


def framed(**options: Any) -> Deed:
    """Answer honestly, in a frame of another form."""

    async def deed(step: Step) -> None:
        await step.write(wire.frame(step.text(), **options))

    return deed


def written(data: bytes, *, then_honest: bool = False) -> Deed:
    """Write some bytes to the socket instead of the answer, or before it."""

    async def deed(step: Step) -> None:
        await step.write(data)
        if then_honest:
            await step.write(wire.frame(step.text()))

    return deed


def closed(data: bytes) -> Deed:
    """Close the socket with these bytes after the code, or with none."""

    async def deed(step: Step) -> None:
        await step.write(wire.frame(data, wire.CLOSE))
        step.wire.end()
        await step.wire.gone()

    return deed


async def _closed_and_kept(step: Step) -> None:
    """Say that the connection is closed, and leave it open."""
    await step.write(wire.frame(b"\x03\xe8", wire.CLOSE))
    await step.wire.gone()


async def _fragmented(step: Step) -> None:
    for piece in wire.pieces(step.text(), 10_000):
        await step.write(piece)


async def _fragmented_around_pings(step: Step) -> None:
    for piece in wire.pieces(step.text(), 7):
        await step.write(piece + wire.frame(b"between", wire.PING))


async def _byte_at_a_time(step: Step) -> None:
    for byte in wire.frame(step.text()):
        await step.write(bytes((byte,)))
        await asyncio.sleep(0)


async def _compressed(step: Step) -> None:
    await step.write(wire.frame(zlib.compress(step.text()), reserved=0b100))


async def _masked(step: Step) -> None:
    text = wire.frame(step.text())
    await step.write(bytes((text[0], text[1] | 0x80)) + text[2:])


async def _large(step: Step) -> None:
    text = step.text()
    await step.write(wire.frame(text[:-1] + b" " * LARGE + text[-1:]))


async def _large_in_pieces(step: Step) -> None:
    text = step.text()
    for piece in wire.pieces(text[:-1] + b" " * LARGE + text[-1:], 64):
        await step.write(piece)


async def endless_pieces(step: Step) -> None:
    """Begin an answer, and go on with it until the client has enough, without ever closing."""
    await step.write(wire.frame(b"{", final=False))
    while step.wire.written < 6 * LARGE:
        await step.write(wire.frame(b" " * 65536, 0, final=False))
    await step.wire.gone()


async def _endless_empty_pieces(step: Step) -> None:
    await step.write(wire.frame(b"{", final=False))
    for _ in range(10):
        await step.write(wire.frame(b"", 0, final=False) * 10_000)
    await step.write(wire.frame(step.text()[1:], 0))


async def _pings(step: Step) -> None:
    for _ in range(5):
        await step.write(wire.frame(b"x" * 125, wire.PING) * 1_000)
        await step.write(wire.frame(b"never asked", wire.PONG) * 1_000)
    await step.write(wire.frame(step.text()))


async def _reset(step: Step) -> None:
    step.wire.reset()


async def _half_closed(step: Step) -> None:
    step.wire.end()
    await step.wire.gone()


async def _cut(step: Step) -> None:
    data = wire.frame(step.text())
    await step.write(data[: len(data) // 2])
    step.wire.reset()


async def _twice(step: Step) -> None:
    await step.write(wire.frame(step.text()) * 2)


async def _early(step: Step) -> None:
    later = [wire.frame(step.text(id=step.id + ahead)) for ahead in range(1, 40)]
    await step.write(wire.frame(step.text()) + b"".join(later))


async def _to_others(step: Step) -> None:
    wrong = (0, FAR_AWAY, -1, 2**32, 10**400, 1.5, "1", True, None, [1], {"id": 1})
    await step.write(b"".join(wire.frame(step.text(id=id)) for id in wrong) + wire.frame(step.text()))


async def _odd_types(step: Step) -> None:
    wrong = (0, 3, -1, 10**400, "2", True, None, [2], {})
    await step.write(b"".join(wire.frame(step.text(type=type)) for type in wrong) + wire.frame(step.text()))


KEEPING: Final[dict[str, Deed]] = {
    "in pieces": _fragmented,
    "in pieces around pings": _fragmented_around_pings,
    "a byte at a time": _byte_at_a_time,
    "16 MiB": _large,
    "16 MiB in pieces": _large_in_pieces,
    "100,000 empty pieces": _endless_empty_pieces,
    "a flood of pings": _pings,
    "twice": _twice,
    "to questions that were not asked": _early,
    "to other ids": _to_others,
    "of other types": _odd_types,
    "behind an array": written(wire.frame(b"[1,2,3]"), then_honest=True),
    "behind no JSON": written(wire.frame(b"hello"), then_honest=True),
    "behind an empty frame": written(wire.frame(b""), then_honest=True),
    "behind deep nesting": written(wire.frame(b'{"a":' * 200_000), then_honest=True),
    "behind no UTF-8": written(wire.frame(b'{"type":2,"id":999999,"payload":"\xff\xfe"}'), then_honest=True),
    "behind a long number": written(wire.frame(b'{"type":2,"id":%b}' % (b"9" * 5000)), then_honest=True),
    "behind an infinite number": written(wire.frame(b'{"type":2,"id":1e999}'), then_honest=True),
}
"""Answers in odd forms, or behind odd frames, that a connection survives."""

BREAKING: Final[dict[str, Deed]] = {
    "compressed though nobody offered it": _compressed,
    "masked": _masked,
    "reserved bits": framed(reserved=0b011),
    "unknown kind": framed(opcode=0xB),
    "unknown kind of control": framed(opcode=0xF),
    "a piece of nothing": framed(opcode=0),
    "long ping": written(wire.frame(b"x" * 126, wire.PING)),
    "ping in pieces": written(wire.frame(b"x", wire.PING, final=False)),
    "length of 8 EiB": written(wire.frame(b"{}", length=2**63 - 1)),
    "negative length": written(wire.frame(b"{}", length=2**64 - 1)),
    "65 MiB announced": written(wire.frame(b"{}", length=65 * 2**20)),
    "no frame at all": written(b"HTTP/1.1 200 OK\r\n\r\n" * 20),
    "reset": _reset,
    "half-closed": _half_closed,
    "cut": _cut,
    "close that closes nothing": _closed_and_kept,
    "close without a code": closed(b""),
    "close with half a code": closed(b"\x03"),
    "close without UTF-8": closed(b"\x03\xe8\xff\xfe"),
    "close with hostile words": closed(b"\x10\x00" + WORDS.encode()[:120].decode(errors="ignore").encode()),
    "close with many words": closed(b"\x03\xe8" + b"x" * 60_000),
    **{f"close with {code}": closed(code.to_bytes(2, "big")) for code in (
        0, 999, 1000, 1001, 1002, 1003, 1004, 1005, 1006, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1015, 1016, 2999,
        3000, 4000, 4999, 5000, 65535,
    )},
}  # fmt: skip
"""What ends a connection in the place of an answer."""


# -- payloads ----------------------------------------------------------------------------------------------------------

_DEEP: Final = "[" * 400 + "]" * 400

ODD: Final[dict[str, str]] = {
    "null": "null",
    "true": "true",
    "zero": "0",
    "negative": "-1",
    "fraction": "1.5",
    "many digits": "9" * 5000,
    "infinite": "1e999",
    "text": '"text"',
    "empty": '""',
    "half of a pair": '"a\\ud800b"',
    "control": '"a\\u0000\\u202e\\u001b[31m\\r\\nb"',
    "name of an attribute": '"constructor"',
    "list": '["a"]',
    "object": '{"a": "b"}',
    "deep": _DEEP,
}
"""Values in JSON that stand where another kind of value belongs."""

PAYLOADS: Final[dict[str, str]] = {
    **ODD,
    "100 kB": json.dumps("x" * 100_000),
    "refusal of many digits": '{"errorCode": %s}' % ("9" * 5000),
    "refusal that is infinite": '{"errorCode": 1e999}',
    "refusal that is text": '{"errorCode": "304"}',
    "refusal that is a list": '{"errorCode": [304]}',
    "refusal that is negative": '{"errorCode": -1}',
    "refusal that is true": '{"errorCode": true}',
}
"""Payloads that stand where another belongs."""

REFUSALS: Final[dict[str, Any]] = {
    "many words": {"errorCode": 399, "errorDescription": WORDS},
    "words that are an object": {"errorCode": 399, "errorDescription": {"a": [1]}},
    "words that are half of a pair": {"errorCode": 399, "errorDescription": "a\ud800b"},
    "unknown code": {"errorCode": 123_456_789, "errorDescription": "a\nb"},
}
"""Refusals, whose words are odd."""

_MARK: Final = "\ue000"


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Yield container and key of every value within another."""
    for key in list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        yield value, key
        yield from _places(value[key])


def changed(payload: Any) -> Iterator[tuple[str, str]]:
    """Yield a payload in JSON with each of its values, one after another, replaced by each odd one, or left out."""
    count = len(list(_places(payload)))
    for number in range(count):
        whole = copy.deepcopy(payload)
        container, key = list(_places(whole))[number]
        container[key] = _MARK
        text = json.dumps(whole, ensure_ascii=False)
        for name, odd in ODD.items():
            yield f"{key} is {name}", text.replace(f'"{_MARK}"', odd)
        del container[key]
        yield f"{key} is missing", json.dumps(whole)


def payload(text: str) -> Deed:
    """Answer with a payload that is written in JSON already."""

    async def deed(step: Step) -> None:
        await step.write(wire.frame(b'{"type":2,"id":%d,"payload":%b}' % (step.id, text.encode())))

    return deed


def refused(body: Any) -> Deed:
    """Answer with a refusal."""
    return payload(json.dumps(body))


def no_payload() -> Deed:
    """Answer with the bare id."""

    async def deed(step: Step) -> None:
        await step.write(wire.frame(b'{"type":2,"id":%d}' % step.id))

    return deed
