"""Frames that a broken, newer or hostile server may send: right ones made wrong in many ways, from one seed."""

from __future__ import annotations

import copy
import json
import random
import re
from collections.abc import Callable, Iterator
from typing import Any, Final

from tests.types.wire_samples import (
    NOTIFICATIONS,
    OLD_ENVELOPE,
    SYSTEM_CONTENTS,
    USER_CONTENTS,
    system_envelope,
    user_envelope,
)

SAMPLES: Final[list[tuple[str, dict[str, Any]]]] = [
    *NOTIFICATIONS.items(),
    ("sendMessage", OLD_ENVELOPE),
    *(("sendMessage", user_envelope(kind, content)) for kind, content in USER_CONTENTS.items()),
    *(("sendMessage", system_envelope(kind, content)) for kind, content in SYSTEM_CONTENTS.items()),
    ("somethingNew", {"whatever": [1, 2, {"it": "is"}]}),
]
"""Right notifications of every kind, both generations of messages among them."""

_ODD: Final[list[Any]] = [
    *(None, True, False, 0, -1, 1, 2, 200, 2**31, 2**53 + 1, 2**63 - 1, 2**63, -(2**63) - 1, 2**64, 10**30, 10**400),
    *(0.5, 1.0, -0.0, 1e308, float("nan"), float("inf"), float("-inf"), 1767000002000.0, 1767000002000.5),
    *("", " ", "0", "200", "true", "null", "NaN", "\x00", "\ud83d", "a\udc00b", "\u202e", "😀" * 3, "<b>&amp;</b>"),
    *(32_503_680_000_000, 253_402_300_799_000, 253_402_300_800_000, -1_767_000_002_000, 10**18, [2**70], [0.5]),
    *("constructor", "__proto__", "toString", "\u202egnp.exe", "\x1b[2J\x07", "a\u2028b", "$\\frac$", "=1+1", "\ufeff"),
    *(["primary"], {"toString": 1}, [["a@b"]], {"chatId": []}),
    *("a@b", "a@b/c", "@", "/", "trueconf.server", "group", "owner", "html", "٣", "1e999", "2026-01-01T00:00:00Z"),
    *([], {}, [[]], [None], [{}], {"": None}, {"id": 5}, {"type": 1}, {"text": {"text": "deeper"}}),
]
_IDS: Final[list[Any]] = [0, 1, -1, 2**32 - 1, 2**32, 2**63, 10**25, 1.0, 1.5, "7", True, None, [7], {"id": 7}]
_TYPES: Final[list[Any]] = [0, 1, 1, 2, 3, -1, 1.0, "1", True, None, [1], 10**20]
_NUMBER: Final = re.compile(rb"-?\d+(?:\.\d+)?")
_NUMBERS: Final = (
    *(b"32503680000000", b"253402300799999", b"-62135596800001", b"-1", b"[1e999]", b'{"a":1e999}', b"1e19", b"1e400"),
    *(b"NaN", b"Infinity", b"-Infinity", b"1e999", b"-1e-999", b"9" * 25, b"9" * 5000, b"01", b"0x1F", b"1_000"),
    *(b"1.", b".5", b"-", b"+1", b"1e5", b"0.1e1", b"true", b"nul"),
)
_STRAY: Final = (
    *(b"\xef\xbb\xbf", b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf8\x88\x80\x80\x80", b"\x00", b"\\", b'"', b"\\u"),
    *(b"\\ud83d", b"\\ude00", b"\\u0000", b"{", b"}", b"[", b"]", b",", b":", b"\n", b"\xe2\x80\xa8", b"/*", b"NaN"),
)

Change = Callable[[random.Random, dict[str, Any]], None]
Damage = Callable[[random.Random, bytes], bytes]


def frames(seed: int) -> Iterator[bytes]:
    """Yield mutated frames without end; the same seed gives the same frames."""
    chance = random.Random(seed)
    number = 0
    while True:
        number += 1
        yield frame(chance, number % 2**32)


def frame(chance: random.Random, number: int) -> bytes:
    """Return one frame: some are right, most have a value or two that are wrong, many are damaged as texts."""
    method, payload = chance.choice(SAMPLES)
    # A copy of its own, since the samples share parts.
    whole: dict[str, Any] = {"method": method, "type": 1, "id": number, "payload": json.loads(json.dumps(payload))}
    if "messageId" in whole["payload"] and chance.random() < 0.8:
        whole["payload"]["messageId"] = f"m-{chance.getrandbits(40):x}"
    for _ in range(chance.choice((0, 0, 1, 1, 2, 5))):
        chance.choice(_CHANGES)(chance, whole)
    text = json.dumps(whole, ensure_ascii=chance.random() < 0.5).encode("utf-8", "surrogatepass")
    for _ in range(chance.choice((0, 0, 0, 1, 1, 3))):
        text = chance.choice(_DAMAGES)(chance, text)
    return text


def answer(chance: random.Random, right: Any) -> bytes:
    """Return an answer with values that are wrong; it is JSON in any case, since another is the answer to nothing."""
    whole: dict[str, Any] = {"payload": json.loads(json.dumps(right))}
    for _ in range(chance.choice((1, 1, 2, 3))):
        chance.choice(_CHANGES[:6] + _CHANGES[-2:])(chance, whole)
    text = json.dumps(whole.get("payload"), ensure_ascii=chance.random() < 0.5).encode("utf-8", "surrogatepass")
    for _ in range(chance.choice((0, 0, 1))):
        changed = _number(chance, text)
        text = changed if _is_json(changed) else text
    return text


def body(chance: random.Random, right: Any) -> bytes:
    """Return the body of an answer over HTTP, which may be no JSON at all."""
    text = answer(chance, right)
    return chance.choice(_DAMAGES)(chance, text) if chance.random() < 0.4 else text


def _is_json(text: bytes) -> bool:
    """Tell whether a text is JSON, with numbers of any size; NaN is none."""
    try:
        json.loads(text.decode(errors="replace"), parse_int=str, parse_float=str, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return False
    return True


def _refuse(name: str) -> Any:
    raise ValueError(name)


# -- changes of values -------------------------------------------------------------------------------------------------


def _replace(chance: random.Random, whole: dict[str, Any]) -> None:
    container, key = _place(chance, whole)
    # A copy, since it may itself be changed afterwards.
    container[key] = copy.deepcopy(chance.choice(_ODD))


def _remove(chance: random.Random, whole: dict[str, Any]) -> None:
    container, key = _place(chance, whole)
    del container[key]


def _rename(chance: random.Random, whole: dict[str, Any]) -> None:
    container, key = _place(chance, whole)
    if isinstance(container, dict):
        other = chance.choice([key.upper(), key.lower(), f"{key} ", "", "x" * 300, "\x00", "__class__", "id", "type"])
        container[other] = container.pop(key)


def _exchange(chance: random.Random, whole: dict[str, Any]) -> None:
    container, key = _place(chance, whole)
    other, other_key = chance.choice(list(_places(json.loads(json.dumps({"p": chance.choice(SAMPLES)[1]})))))
    container[key] = other[other_key]


def _wrong_id(chance: random.Random, whole: dict[str, Any]) -> None:
    whole["id"] = copy.deepcopy(chance.choice(_IDS))


def _wrong_type(chance: random.Random, whole: dict[str, Any]) -> None:
    whole["type"] = copy.deepcopy(chance.choice(_TYPES))


def _other_method(chance: random.Random, whole: dict[str, Any]) -> None:
    whole["method"] = chance.choice(SAMPLES)[0]


def _nest(chance: random.Random, whole: dict[str, Any]) -> None:
    container, key = _place(chance, whole)
    value = container[key]
    # Five of them in one frame are still fewer than the encoder takes.
    for _ in range(chance.choice((3, 60, 150))):
        value = [value] if chance.random() < 0.5 else {"content": value}
    container[key] = value


def _swell(chance: random.Random, whole: dict[str, Any]) -> None:
    container, key = _place(chance, whole)
    # Long ones are rare, so that a million frames do not take a day.
    length = chance.choice((100, 100, 1000) if chance.random() < 0.998 else (300_000,))
    container[key] = chance.choice(("a", "😀", "&", "<b>", "\\", "\n", "[", "**")) * length


_CHANGES: Final[tuple[Change, ...]] = (
    *(_replace, _replace, _replace, _remove, _rename, _exchange),
    *(_wrong_id, _wrong_type, _other_method, _nest, _swell),
)


def _place(chance: random.Random, whole: dict[str, Any]) -> tuple[Any, Any]:
    """Return container and key of some value; of a new one where no value is left."""
    return chance.choice(list(_places(whole)) or [(whole, whole.setdefault("payload", "payload"))])


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Yield container and key of every value within another."""
    waiting = [value]
    while waiting:
        container = waiting.pop()
        keys = list(container) if isinstance(container, dict) else range(len(container))
        for key in keys:
            yield container, key
            if isinstance(container[key], (dict, list)):
                waiting.append(container[key])


# -- damages of texts --------------------------------------------------------------------------------------------------


def _flip(chance: random.Random, text: bytes) -> bytes:
    flipped = bytearray(text)
    for _ in range(chance.choice((1, 1, 3, 20))):
        if flipped:
            flipped[chance.randrange(len(flipped))] ^= 1 << chance.randrange(8)
    return bytes(flipped)


def _truncate(chance: random.Random, text: bytes) -> bytes:
    return text[: chance.randrange(len(text) + 1)]


def _behead(chance: random.Random, text: bytes) -> bytes:
    return text[chance.randrange(len(text) + 1) :]


def _stray(chance: random.Random, text: bytes) -> bytes:
    place = chance.choice((0, len(text), chance.randrange(len(text) + 1)))
    return text[:place] + chance.choice(_STRAY) * chance.choice((1, 1, 2, 50)) + text[place:]


def _repeat(chance: random.Random, text: bytes) -> bytes:
    start = chance.randrange(len(text) + 1)
    stop = min(len(text), start + chance.randrange(1, 80))
    return text[:stop] + text[start:stop] * chance.choice((1, 2)) + text[stop:]


def _number(chance: random.Random, text: bytes) -> bytes:
    found = list(_NUMBER.finditer(text))
    if not found:
        return text
    one = chance.choice(found)
    return text[: one.start()] + chance.choice(_NUMBERS) + text[one.end() :]


def _twice(chance: random.Random, text: bytes) -> bytes:
    """Name a field of the frame twice."""
    name, value = chance.choice((("id", _IDS), ("type", _TYPES), ("method", ["sendMessage", 5]), ("payload", _ODD)))
    field = f'"{name}":{json.dumps(chance.choice(value))}'.encode()
    return text[:1] + field + b"," + text[1:] if chance.random() < 0.5 else text[:-1] + b"," + field + text[-1:]


def _abyss(chance: random.Random, text: bytes) -> bytes:
    """Nest something deeper than any reader goes, closed or not."""
    opening, closing = chance.choice(((b"[", b"]"), (b'{"content":', b"}"), (b'[{"a":', b"}]")))
    levels = chance.choice((600, 1500, 20_000) if chance.random() < 0.05 else (600, 1500))
    closed = closing * levels if chance.random() < 0.8 else b""
    place = text.find(b'"payload":') + len(b'"payload":')
    return text[:place] + opening * levels + b"1" + closed + b',"rest":' + text[place:]


def _recode(chance: random.Random, text: bytes) -> bytes:
    return text.decode(errors="replace").encode(
        chance.choice(("utf-16", "utf-32-le", "utf-8-sig", "cp1251")), "replace"
    )


def _join(chance: random.Random, text: bytes) -> bytes:
    return text + chance.choice((b"", b"\n", b" ", b",")) + text


def _noise(chance: random.Random, text: bytes) -> bytes:
    return chance.randbytes(chance.randrange(200))


_DAMAGES: Final[tuple[Damage, ...]] = (
    *(_flip, _flip, _truncate, _behead, _stray, _stray, _stray, _repeat, _number, _number, _twice, _recode, _join) * 4,
    *(_noise, _noise, _abyss),
)
