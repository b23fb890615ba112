"""Hostile answers to requests over HTTP: to a login, an upload, a download, and to the handshake of the socket."""

from __future__ import annotations

import asyncio
import functools
import gzip
import json
import struct
import zlib
from collections.abc import Iterator
from itertools import cycle, repeat
from typing import Any, Final

from tests.hostile import wire
from tests.hostile.server import CHAT, PATHS, Deed, Step, token

MOST: Final = 256 * 2**20
"""Bytes of an endless answer after which the server only waits, so that a client that takes all of it does no harm."""

BLOCK: Final = 65536

DRIP: Final = 0.05
"""Seconds between two bytes of an answer that comes a byte at a time; much less than any client waits."""

WORDS: Final = "refused \x1b[31m\x07\r\n\u202egnp.exe\u202c \u2066\u200f " * 3_000
"""A description of 100 kB with control characters and direction marks."""


def _whole(data: bytes) -> Deed:
    """Answer with these bytes, and end."""

    async def deed(step: Step) -> None:
        await step.write(data)

    return deed


def answered(status: int, body: bytes, **headers: str | None) -> Deed:
    """Answer with a status, a body and headers, whose names have underscores here."""
    return _whole(wire.response(status, body, {name.replace("_", "-"): value for name, value in headers.items()}))


def said(status: int, body: Any) -> Deed:
    """Answer with a body in JSON."""
    return answered(status, json.dumps(body).encode())


def endless(head: bytes, blocks: Iterator[bytes]) -> Deed:
    """Answer with blocks without end."""

    async def deed(step: Step) -> None:
        await step.write(head)
        for block in blocks:
            await step.write(block)
            if step.wire.written > MOST:
                break
        await step.wire.gone()

    return deed


def dripped(head: bytes, tail: bytes) -> Deed:
    """Answer a byte at a time, without end."""

    async def deed(step: Step) -> None:
        await step.write(head)
        for byte in cycle(tail):
            await step.write(bytes((byte,)))
            await asyncio.sleep(DRIP)

    return deed


def _silent(data: bytes) -> Deed:
    """Answer with the beginning, and then neither go on nor close."""

    async def deed(step: Step) -> None:
        if data:
            await step.write(data)
        await step.wire.gone()

    return deed


async def _reset(step: Step) -> None:
    step.wire.reset()


async def _half_closed(step: Step) -> None:
    step.wire.end()
    await step.wire.gone()


async def _elsewhere(step: Step, status: int, target: str) -> None:
    place = target.format(elsewhere=step.server.elsewhere, port=step.server.port)
    await step.write(wire.response(status, headers={"Location": place}))


def _redirect(status: int, target: str) -> Deed:
    return functools.partial(_elsewhere, status=status, target=target)


@functools.cache
def bomb(folds: int = 1) -> bytes:
    """Return blanks, compressed so many times: some kB that become `MOST` bytes."""
    block, count = b" " * 2**20, MOST // 2**20
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    # After a full flush nothing refers to what was before, so that the same bytes stand for the same block again.
    packed = packer.compress(block) + packer.flush(zlib.Z_FULL_FLUSH)
    check = functools.reduce(lambda found, _: zlib.crc32(block, found), range(count), 0)
    head = b"\x1f\x8b\x08\0\0\0\0\0\0\xff"
    data = head + packed * count + packer.flush() + struct.pack("<II", check, MOST % 2**32)
    return data if folds == 1 else gzip.compress(data)


def _bomb(folds: int = 1, status: int = 200) -> Deed:
    async def deed(step: Step) -> None:
        encoding = ", ".join(["gzip"] * folds)
        await step.write(wire.response(status, bomb(folds), {"Content-Encoding": encoding}))

    return deed


_HEAD: Final = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n"
_CHUNKED: Final = _HEAD + b"Transfer-Encoding: chunked\r\n\r\n"

ENDLESS: Final[dict[str, Deed]] = {
    "endless body": endless(_HEAD + b"\r\n", repeat(b" " * BLOCK)),
    "endless string": endless(_HEAD + b'\r\n{"access_token":"', repeat(b"a" * BLOCK)),
    "endless chunks": endless(_CHUNKED, repeat(b"%x\r\n%b\r\n" % (BLOCK, b" " * BLOCK))),
    "endless header": endless(b"HTTP/1.1 200 OK\r\nX-Long: ", repeat(b"a" * BLOCK)),
    "endless headers": endless(b"HTTP/1.1 200 OK\r\n", repeat(b"X-More: a\r\n" * 6_000)),
    "endless informational answers": endless(b"", repeat(b"HTTP/1.1 102 Processing\r\n\r\n" * 2_000)),
    "endless refusal": endless(_HEAD.replace(b"200 OK", b"400 No") + b"\r\n", repeat(b" " * BLOCK)),
    "gzip bomb": _bomb(),
    "twofold gzip bomb": _bomb(2),
    "refusal that is a gzip bomb": _bomb(status=500),
}
"""Answers that fill the memory of whoever takes all of them."""

SLOW: Final[dict[str, Deed]] = {
    "a byte at a time": dripped(_HEAD + b"\r\n", b" "),
    "a byte of a header at a time": dripped(b"HTTP/1.1 200 OK\r\n", b"X-Slow: a\r\n"),
    "an informational answer at a time": dripped(b"", b"HTTP/1.1 102 Processing\r\n\r\n"),
    "nothing at all": _silent(b""),
    "half a head": _silent(b"HTTP/1.1 200 OK\r\nContent-"),
    "half a body": _silent(_HEAD + b'Content-Length: 1000\r\n\r\n{"access_'),
}
"""Answers that never end, and do not take much either."""

BROKEN: Final[dict[str, Deed]] = {
    "nothing, and the end": _whole(b""),
    "reset": _reset,
    "half-closed": _half_closed,
    "no HTTP": _whole(b"SSH-2.0-OpenSSH_9.6\r\n"),
    "other version": _whole(b"HTTP/9.9 200 OK\r\n\r\n"),
    "status 999": answered(999, b"{}"),
    "status 000": _whole(b"HTTP/1.1 000 None\r\n\r\n"),
    "length too large": answered(200, b"{}" * 200, Content_Length="1000"),
    "length too small": answered(200, b"{}" * 2500, Content_Length="10"),
    "negative length": answered(200, b"{}", Content_Length="-1"),
    "length in words": answered(200, b"{}", Content_Length="many"),
    "length of 5,000 digits": answered(200, b"{}", Content_Length="9" * 5000),
    "length in other digits": _whole(_HEAD + "Content-Length: ٣\r\n\r\n{}".encode()),
    "two lengths": _whole(_HEAD + b"Content-Length: 2\r\nContent-Length: 5\r\n\r\n{}abc"),
    "wrong chunks": _whole(_CHUNKED + b"zz\r\nabc\r\n"),
    "cut chunks": _whole(_CHUNKED + b"ff\r\nabc"),
    "no gzip": answered(200, b"{}", Content_Encoding="gzip"),
    "unknown encoding": answered(200, b"{}", Content_Encoding="zstd, br, compress, \xff"),
    "unknown character set": answered(200, b"{}", Content_Type="application/json; charset=zip"),
    "header of strange bytes": _whole(_HEAD + b"X-\xff\xfe: \x00\x01\r\n\r\n{}"),
    "date of 1960": answered(200, b"{}", Date="Fri, 01 Jan 1960 00:00:00 GMT"),
    "date of the year 9999": answered(200, b"{}", Date="Fri, 31 Dec 9999 23:59:59 GMT"),
    "no date": answered(200, b"{}", Date="\u0663 Smarch 99999999999999999999"),
}
"""Answers that are no HTTP, or whose parts contradict each other."""

REDIRECTS: Final[dict[str, Deed]] = {
    **{f"redirect {status}": _redirect(status, "http://localhost:{elsewhere}/x") for status in (301, 302, 307, 308)},
    "redirect 303": _redirect(303, "http://127.0.0.1:{elsewhere}/x"),
    "redirect to a socket": _redirect(302, "ws://127.0.0.1:{elsewhere}/websocket/chat_bot"),
    "redirect to a file": _redirect(302, "file:///etc/hostname"),
    "redirect to nowhere": _redirect(302, "http://[::1"),
    "redirect to itself": _redirect(302, "http://127.0.0.1:{port}/websocket/chat_bot"),
    "redirect without a target": answered(302, b""),
}
"""Answers that name another place."""

BODIES: Final[dict[str, bytes]] = {
    "empty": b"",
    "null": b"null",
    "list": b"[]",
    "number": b"5",
    "text": b'"text"',
    "no JSON": b"<html>login</html>",
    "no UTF-8": b'{"access_token": "\xff\xfe"}',
    "UTF-16": "{}".encode("utf-16"),
    "nested objects": b'{"a":' * 100_000,
    "nested lists": b"[" * 100_000 + b"]" * 100_000,
    "many digits": b'{"access_token": %b, "expires_in": %b}' % (b"9" * 5000, b"9" * 5000),
    "huge number": b'{"temporalFileId": 1e999, "access_token": 1e999}',
    "list of lists": b"[" + b",".join([b"[]"] * 100_000) + b"]",
}
"""Bodies that are no answer to anything."""

TOKENS: Final[dict[str, Any]] = {
    **{f"access_token {name}": {**token(), "access_token": value} for name, value in {
        "null": None, "empty": "", "number": 5, "true": True, "list": ["a"], "object": {"a": "b"},
        "half of a pair": "\ud800", "with a line": "a\r\nX-Evil: b", "long": "a" * 900_000,
        "nested": "eyJ9." + "W1tb" * 50_000 + ".c", "many digits inside": "e30.eyJleHAiOiA" + "5" * 6000 + ".c",
    }.items()},
    **{f"{field} {name}": {**token(), field: value} for field in ("expires_in", "expires_at") for name, value in {
        "words": "soon", "negative": -1, "list": [], "true": True, "infinite": float("inf"), "no number": float("nan"),
        "huge": 10**400, "minus infinite": float("-inf"),
    }.items()},
}  # fmt: skip
"""Logins that succeed with something that is no token, or ends at no time."""

REFUSALS: Final[dict[str, Any]] = {
    "long description": {"error": "invalid_request", "error_description": WORDS},
    "long error": {"error": WORDS},
    "long reason": {"reason": WORDS, "errorCode": 407},
    "description that is a list": {"error": "invalid_grant", "error_description": [[1]]},
    "description that is half of a pair": {"error": "invalid_grant", "error_description": "a\ud800b"},
    "error that is an object": {"error": {"errors": 5, "message": {"a": 1}}},
    "errors that are no objects": {"error": {"errors": [5, None], "message": None}},
    "error that is a number": {"error": 5},
    "code that is infinite": {"errorCode": float("inf")},
    "code that is huge": {"errorCode": 10**400},
    "code that is true": {"errorCode": True},
    "code that is a list": {"errorCode": [CHAT]},
}
"""Refusals whose words are no words, or too many."""


def kinds(step: str) -> dict[str, dict[str, Deed]]:
    """Return the hostile answers that can be given to a step, by kind and name."""
    assert step in PATHS.values()
    found = {
        "endless": ENDLESS,
        "broken": BROKEN,
        "redirects": REDIRECTS,
        "bodies": {name: answered(200, body) for name, body in BODIES.items()},
        "refusals": {name: said(401, body) for name, body in REFUSALS.items()},
    }
    if step != "download":
        # A file may come as slowly as it likes, as long as it comes.
        found["slow"] = SLOW if step == "token" else {name: SLOW[name] for name in ("a byte at a time", "half a head")}
    if step == "token":
        found["tokens"] = {name: said(200, body) for name, body in TOKENS.items()}
    return found
