"""What each hostile input costs: the peak memory of the process, and the longest hold of the bot's loop.

A hostile server answers here; each input has a client process of its own, so that none hides the peak of another. What
a client starts beside itself (a process that decodes pictures, say) is counted with it.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import io
import json
import struct
import subprocess
import sys
import tempfile
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psutil

import tcnb
from benchmarks import table
from tcnb.client.thread import BotThread
from tcnb.errors import TcnbError
from tcnb.notebook.feed.actions import Actions
from tests.hostile import http_answers, wire
from tests.hostile.server import CHAT, FILE_ID, HostileServer
from tests.hostile.socket_answers import KEEPING, UPGRADES, endless_pieces, payload

MOST_MEMORY: Final = 200
"""MiB that a hostile input may add to a process."""

MOST_HOLD: Final = 1_000
"""Milliseconds for which one may hold the bot's loop: a server drops who is silent for 20 s, people notice sooner."""

PATIENCE: Final = 40.0
"""Seconds after which a client is taken to have no end."""

BEAT: Final = 0.002
LOOK: Final = 0.02
AUTHORS: Final = 50_000
SIDE: Final = 12_800
"""Pixels of a side of a picture: 164 million in all, which is less than what Pillow refuses by itself."""

Prepare = Callable[[HostileServer], None]
Act = Callable[[tcnb.Session], object]


@dataclass(frozen=True)
class Input:
    """A hostile input.

    Attributes:
        prepare: has the server be hostile; called before a client connects.
        act: what the client does then; its result, or its error, is what is told.
        push: has the server send something once the client is connected; called in the server's process.
    """

    prepare: Prepare = lambda server: None
    act: Act = lambda tc: "connected"
    push: Prepare = lambda server: None


# -- what clients do ---------------------------------------------------------------------------------------------------


def _send(tc: tcnb.Session) -> str:
    return f"sent as {tc.send(CHAT, 'hello').message_id}"


def _send_file(tc: tcnb.Session) -> str:
    return f"sent as {tc.send_document(CHAT, tcnb.types.BufferedInputFile(b'12345', 'notes.txt')).message_id}"


def _download(tc: tcnb.Session) -> str:
    with tempfile.TemporaryDirectory() as folder:
        got = tc.download(FILE_ID, Path(folder) / "plan.bin")
        return f"{Path(str(got)).stat().st_size:,} bytes"


def _wait(tc: tcnb.Session) -> str:
    """Wait until the last word has come, and look at everything."""
    grown = threading.Event()
    tc.on_rows(grown.set)
    deadline = time.monotonic() + PATIENCE
    while "the last word" not in set(tc.record.messages()["text"].dropna().tail(50)):
        if time.monotonic() > deadline:
            return f"the last word did not come: {tc.state}"
        grown.wait(0.2)
        grown.clear()
    repr(tc.df), repr(tc.messages), repr(tc.people), repr(tc.status())
    status = tc.status()
    lacking = status.received - status.acknowledged
    return f"kept {status.received:,}, {lacking:,} not acknowledged, {status.reconnects} reconnects"


def _activity(tc: tcnb.Session) -> str:
    kept = _wait(tc)
    return f"{len(tc.df.tc.activity('h')):,} hours; {kept}"


def _contact(tc: tcnb.Session) -> str:
    """Have a handler ask for the contact in a message."""
    found: list[str] = []

    @tc.router.message()
    async def look(message: Any) -> None:
        found.append(repr(await message.contact)[:40])

    return f"{_wait(tc)}, {len(found)} contacts"


def _picture(tc: tcnb.Session) -> str:
    """Have a feed show every picture that came."""
    kept = _wait(tc)
    actions = Actions(tc)
    rows = [row for row in tc.record.rows(0, 1000) if row.get("file_id")]

    async def show() -> list[dict[str, Any]]:
        asked = [actions.carry_out({"type": "picture", "seq": row["seq"]}) for row in rows]
        return await asyncio.gather(*asked)

    told = tc._wait(show())
    shown = sum("done" in one for one in told)
    why = next((str(one["refused"]) for one in told if "refused" in one), "")
    return f"{shown} of {len(told)} shown; {why or kept}"


# -- what servers send -------------------------------------------------------------------------------------------------


def _instead(step: str, deed: Any, times: int = 1) -> Prepare:
    return lambda server: server.instead(step, deed, times)


def _last_word(server: HostileServer) -> None:
    server.push(server.envelope("the last word"))


def _pushed(messages: Callable[[HostileServer], Iterator[bytes]]) -> Prepare:
    """Send frames of payloads that are JSON already, and the last word."""

    def push(server: HostileServer) -> None:
        frames = []
        for text in messages(server):
            frames.append(
                wire.frame(b'{"method":"sendMessage","type":1,"id":%d,"payload":%b}' % (server.next_id(), text))
            )
        server.push_bytes(b"".join(frames))
        _last_word(server)

    return push


def _envelopes(count: int, **others: Any) -> Callable[[HostileServer], Iterator[bytes]]:
    """Make messages; in the values of `others`, `{n}` is their number."""

    def make(server: HostileServer) -> Iterator[bytes]:
        base = json.dumps({**server.envelope("hello"), "messageId": "h-{n}", **others})
        return (base.replace("{n}", str(number)).encode() for number in range(count))

    return make


def _raw(data: bytes) -> Prepare:
    def push(server: HostileServer) -> None:
        server.push_bytes(data)
        _last_word(server)

    return push


def _vcards(count: int, length: int) -> Input:
    """A vCard of such a length in each of some messages, which is nearly one and never ends."""
    card = b"BEGIN:VCARD\r\nVERSION:2.1\r\nN;ENCODING=QUOTED-PRINTABLE:" + b"=\r\n" * (length // 3)
    content = {"name": "a.vcf", "size": len(card), "fileId": FILE_ID, "mimeType": "text/vcard", "readyState": 2}

    def prepare(server: HostileServer) -> None:
        info = {**server.honest("getFileInfo", {}), "size": len(card), "mimeType": "text/vcard"}
        server.instead("getFileInfo", payload(json.dumps(info)), count)
        server.instead("download", http_answers.answered(200, card), count)

    return Input(prepare, _contact, _pushed(_envelopes(count, type=202, content=content)))


def _pictures(data: bytes, mime_type: str, count: int = 6) -> Input:
    content = {"name": "a.png", "size": len(data), "fileId": FILE_ID, "mimeType": mime_type, "readyState": 2}

    def prepare(server: HostileServer) -> None:
        info = {**server.honest("getFileInfo", {}), "size": len(data), "mimeType": mime_type}
        server.instead("getFileInfo", payload(json.dumps(info)), count)
        server.instead("download", http_answers.answered(200, data), count)

    return Input(prepare, _picture, _pushed(_envelopes(count, type=202, content=content)))


def png(side: int = SIDE) -> bytes:
    """Return a grey PNG of a few hundred kB, written line by line so that it is never whole in this process."""
    packer = zlib.compressobj(9)
    packed = b"".join(packer.compress(bytes(side + 1)) for _ in range(side)) + packer.flush()
    head = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", packed), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in chunks
    )


def webp(side: int = SIDE) -> bytes:
    """Return a lossless WebP of a few dozen bytes, every pixel of which is the same."""
    fields = [(0x2F, 8), (side - 1, 14), (side - 1, 14), (0, 1), (0, 3), (0, 1), (0, 1), (0, 1)]
    for symbol in (127, 64, 32, 255, 0):  # a code of one symbol for green, red, blue, alpha and distance
        fields += [(1, 1), (0, 1), (1, 1), (symbol, 8)]
    bits = place = 0
    for value, width in fields:
        bits |= value << place
        place += width
    body = bits.to_bytes(-(-place // 8) + 1, "little")
    body += b"\0" * (len(body) % 2)
    return b"RIFF" + struct.pack("<I", len(body) + 12) + b"WEBPVP8L" + struct.pack("<I", len(body)) + body


def _jpeg2000(side: int = 6_300) -> bytes:
    from PIL import Image

    written = io.BytesIO()
    Image.new("L", (side, side)).save(written, "JPEG2000")
    return written.getvalue()


_MENTION: Final = '<a href="trueconf:robot@video.example.com">Robot</a>'
_LAST_YEAR: Final = 253_402_300_000_000


def _years(server: HostileServer) -> Iterator[bytes]:
    for number, year in enumerate((0, _LAST_YEAR, 32_503_680_000_000)):
        made = server.envelope("then")
        yield json.dumps({**made, "messageId": f"y-{number}", "timestamp": year or made["timestamp"]}).encode()


INPUTS: Final[dict[str, Callable[[], Input]]] = {
    "nothing hostile": lambda: Input(act=_wait, push=_last_word),
    **{
        f"login: {name}": (lambda deed=deed: Input(_instead("token", deed)))  # type: ignore[misc]
        for name, deed in {**http_answers.ENDLESS, **http_answers.SLOW}.items()
    },
    "handshake: endless body": lambda: Input(_instead("upgrade", http_answers.ENDLESS["endless body"])),
    "handshake: date of 1960": lambda: Input(
        _instead("upgrade", UPGRADES["date: Fri, 01 Jan 1960 00:00:00 GMT"]), _wait, _last_word
    ),
    **{
        f"upload: {name}": (lambda name=name: Input(_instead("upload", http_answers.ENDLESS[name]), _send_file))  # type: ignore[misc]
        for name in ("endless body", "gzip bomb", "twofold gzip bomb")
    },
    **{
        f"download: {name}": (lambda name=name: Input(_instead("download", http_answers.ENDLESS[name]), _download))  # type: ignore[misc]
        for name in ("endless body", "endless chunks", "gzip bomb", "twofold gzip bomb")
    },
    "picture: 6 WebP of 12,800 x 12,800": lambda: _pictures(webp(), "image/webp"),
    "picture: 6 PNG of 12,800 x 12,800": lambda: _pictures(png(), "image/png"),
    "picture: 6 JPEG 2000 of 6,300 x 6,300": lambda: _pictures(_jpeg2000(), "image/jp2"),
    "vCard of 100 kB": lambda: _vcards(1, 100_000),
    "link of 100 kB that is nearly a contact": lambda: Input(
        act=_contact,
        push=_pushed(_envelopes(1, content={"text": '<a href="trueconf:' + "a&do=" * 20_000, "parseMode": "html"})),
    ),
    "answer of 16 MiB": lambda: Input(_instead("sendMessage", KEEPING["16 MiB"]), _send),
    "answer of 16 MiB in pieces": lambda: Input(_instead("sendMessage", KEEPING["16 MiB in pieces"]), _send),
    "answer in pieces without end": lambda: Input(_instead("sendMessage", endless_pieces), _send),
    "answer in 100,000 empty pieces": lambda: Input(_instead("sendMessage", KEEPING["100,000 empty pieces"]), _send),
    "answer behind 5,000 pings": lambda: Input(_instead("sendMessage", KEEPING["a flood of pings"]), _send),
    "message of 16 MiB": lambda: Input(
        act=_wait, push=_pushed(_envelopes(1, content={"text": "<b>" * 5_600_000, "parseMode": "html"}))
    ),
    "no JSON, 16 MiB": lambda: Input(act=_wait, push=_raw(wire.frame(b"[" * 2**24))),
    "binary frame of 16 MiB": lambda: Input(act=_wait, push=_raw(wire.frame(bytes(2**24), wire.BINARY))),
    "200,000 nested objects": lambda: Input(act=_wait, push=_raw(wire.frame(b'{"a":' * 200_000))),
    "numbers out of range": lambda: Input(
        act=_wait,
        push=_pushed(
            lambda server: (
                text.replace(b'"{x}"', number)
                for text in _envelopes(100, type=203, content={"latitude": "{x}", "title": _MENTION})(server)
                for number in (b"1e999", b"9" * 5000)
            )
        ),
    ),
    f"{AUTHORS:,} unknown authors": lambda: Input(
        act=_wait, push=_pushed(_envelopes(AUTHORS, author={"id": "person{n}@video.example.com", "type": 1}))
    ),
    f"{AUTHORS:,} unknown chats": lambda: Input(
        act=_wait,
        push=_pushed(_envelopes(AUTHORS, chatId="c{n}", chat={"chatId": "c{n}", "chatTitle": "C {n}", "chatType": 2})),
    ),
    "times of the year 9999 in activity": lambda: Input(act=_activity, push=_pushed(_years)),
    "refusal of 100 kB": lambda: Input(
        _instead("sendMessage", payload(json.dumps({"errorCode": 399, "errorDescription": http_answers.WORDS}))), _send
    ),
    "history of 100 messages of 100 kB": lambda: Input(
        _instead("getChatHistory", payload(json.dumps({"count": 100, "chatId": CHAT, "messages": [
            {"messageId": f"p-{number}", "chatId": CHAT, "timestamp": 1767000000000 + number, "type": 200,
             "author": {"id": "alice@video.example.com", "type": 1}, "box": {"id": number, "position": "0"},
             "content": {"text": "&<b>" * 25_000, "parseMode": "html"}} for number in range(100)
        ]}))),
        lambda tc: f"{len(tc.history(CHAT, 100)):,} messages",
    ),
}  # fmt: skip
"""The inputs by name; each is made when its turn comes."""


# -- a client, in a process of its own ---------------------------------------------------------------------------------


class Heart:
    """Beats on every loop of the bot, and knows the longest pause between two beats, in seconds."""

    def __init__(self) -> None:
        self.longest = 0.0

    def watch(self) -> None:
        """Beat on each loop that is made from now on."""
        make = BotThread.__init__
        heart = self

        def made(thread: BotThread, *args: Any, **options: Any) -> None:
            make(thread, *args, **options)
            thread.loop.call_soon_threadsafe(heart._begin, thread.loop)

        BotThread.__init__ = made  # type: ignore[method-assign]

    def _begin(self, loop: asyncio.AbstractEventLoop) -> None:
        due = loop.time() + BEAT

        def beat() -> None:
            nonlocal due
            self.longest = max(self.longest, loop.time() - due)
            due = loop.time() + BEAT
            loop.call_at(due, beat)

        loop.call_at(due, beat)


def _client(name: str, port: int) -> None:
    """Connect, do what an input asks for, and print what came of it."""
    heart = Heart()
    heart.watch()
    tell: Callable[[Any], None] = lambda what: print(json.dumps(what), flush=True)  # noqa: E731
    with tempfile.TemporaryDirectory() as folder:
        try:
            tell({"imported": True})
            sys.stdin.readline()
            tc = tcnb.connect(
                "127.0.0.1",
                username="robot",
                password="s3cret",
                https=False,
                web_port=port,
                journal=Path(folder) / "journal.sqlite",
                timeout=10.0,
            )
            tell({"connected": True})
            try:
                told = str(INPUTS[name]().act(tc))
            finally:
                tc.close()
        except TcnbError as error:
            told = f"{type(error).__name__}: {error}"
        except Exception as error:
            told = f"RAISES {type(error).__name__}: {error}"
    tell({"told": told[:300], "hold": heart.longest})


# -- the measuring -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Measured:
    """What an input cost: MiB that were added, seconds for which the loop was held, seconds in all, what was told."""

    memory: float
    hold: float
    seconds: float
    told: str


def _resident(process: psutil.Process) -> int:
    """Return the bytes of a process and of what it started."""
    total = 0
    for one in [process, *process.children(recursive=True)]:
        with contextlib.suppress(psutil.Error):
            total += one.memory_info().rss
    return total


class _Watch(threading.Thread):
    """Looks at the memory of a process until it has ended."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.process = psutil.Process(pid)
        self.peak = 0
        self.start()

    def run(self) -> None:
        """Look."""
        with contextlib.suppress(psutil.Error):
            while self.process.is_running() and self.process.status() != psutil.STATUS_ZOMBIE:
                self.peak = max(self.peak, _resident(self.process))
                time.sleep(LOOK)


def measure(name: str) -> Measured:
    """Give one input to a client process."""
    made = INPUTS[name]()
    with HostileServer() as server:
        server.envelope("hello")
        made.prepare(server)
        client = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.hostile", "--client", name, "--port", str(server.port)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        end = threading.Timer(PATIENCE, client.kill)
        end.start()
        assert client.stdin is not None and client.stdout is not None
        try:
            client.stdout.readline()
            before, began = _resident(psutil.Process(client.pid)), time.perf_counter()
            watch = _Watch(client.pid)
            client.stdin.write("go\n")
            client.stdin.flush()
            told = json.loads(client.stdout.readline() or "{}")
            if "connected" in told:
                made.push(server)
                told = json.loads(client.stdout.readline() or "{}")
            client.wait()
            seconds = time.perf_counter() - began
        finally:
            end.cancel()
            client.kill()
            client.wait()
            client.stdin.close()
            client.stdout.close()
        watch.join()
    said = told.get("told", f"NO END within {PATIENCE:g} s, or it died")
    return Measured((watch.peak - before) / 2**20, told.get("hold", 0.0), seconds, said)


def main(names: list[str] | None = None) -> None:
    """Print, for each input, what it cost and what happened."""
    print(f"{'input':<46} {'memory':>10} {'hold':>9} {'in all':>7}  what happened")
    for name in names or INPUTS:
        cost = measure(name)
        is_well = cost.memory <= MOST_MEMORY and cost.hold * 1000 <= MOST_HOLD and cost.told[:3] not in ("RAI", "NO ")
        print(
            f"{name:<46} {cost.memory:>+6.0f} MiB {cost.hold * 1000:>6.0f} ms {cost.seconds:>5.1f} s  "
            f"{'' if is_well else '! '}{cost.told[:110]}",
            flush=True,
        )
        measured = f"+{cost.memory:.0f} MiB, held {cost.hold * 1000:.0f} ms"
        table.note(f"hostile: {name}", "-", measured, f"<= {MOST_MEMORY} MiB, {MOST_HOLD} ms, one line", is_well)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="only these inputs")
    parser.add_argument("--client", help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.client is not None:
        _client(options.client, options.port)
    else:
        main(options.names)
